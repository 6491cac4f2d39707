\i test/include/prelude.psql
-- A permissive policy of the application beside those of seeme_protect: PostgreSQL combines them
-- with OR, for reading and for changing (src/planner/other_policies.c). Rights that go while a
-- statement waits for a row are in test/isolation/specs/lock_wait_permissive.spec.
BEGIN;
\i test/include/people.psql
\i test/include/asking.psql
SELECT plan(54);

CREATE TABLE t_note (id integer PRIMARY KEY, note text, helper text, project_id uuid);
CREATE TABLE t_part (id integer NOT NULL, note text, helper text, project_id uuid)
  PARTITION BY RANGE (id);
CREATE TABLE t_part_order (project_id uuid, gone uuid, helper text, note text, id integer NOT NULL);
ALTER TABLE t_part_order DROP COLUMN gone;
ALTER TABLE t_part ATTACH PARTITION t_part_order FOR VALUES FROM (0) TO (5);
CREATE TABLE t_part_more PARTITION OF t_part FOR VALUES FROM (5) TO (20);
CREATE TABLE t_kin (LIKE t_note);
CREATE TABLE t_kin_child (more text) INHERITS (t_kin);
-- 1 and 3 lie in alpha, 2 and 4 in beta. nora helps with 3 and 4. 5 lies in beta: nobody helps.
INSERT INTO t_note SELECT n, 'a note', CASE WHEN n IN (3, 4) THEN 't_nora' END,
    CASE WHEN n IN (1, 3) THEN :alpha::uuid ELSE :beta::uuid END FROM generate_series(1, 5) AS n;
INSERT INTO t_part SELECT * FROM t_note;
INSERT INTO t_kin_child SELECT * FROM t_note;
CREATE TABLE t_helper (note_id integer, helper text);
INSERT INTO t_helper SELECT id, helper FROM t_note WHERE helper IS NOT NULL;
SELECT seeme_protect(t, 'models', project_column => 'project_id')
  FROM unnest(ARRAY['t_note', 't_part', 't_kin']::regclass[]) AS t \g /dev/null
GRANT SELECT, INSERT, UPDATE, DELETE ON t_note, t_part, t_kin TO t_app;
GRANT SELECT ON t_helper TO t_app;
SELECT pg_temp.hold_in('alpha', '{models:list,models:read,models:update,models:delete}')
  \g /dev/null
-- Who helps with a note sees it.
CREATE POLICY see ON t_note FOR SELECT USING (true);
CREATE POLICY see ON t_part FOR SELECT USING (true);
CREATE POLICY see ON t_kin FOR SELECT USING (true);
CREATE FUNCTION pg_temp.changed(relation text) RETURNS text LANGUAGE sql AS $$
  SELECT pg_temp.rows('nora', format('WITH u AS (UPDATE %s SET note = ''x'' RETURNING id) '
                                     'SELECT coalesce(string_agg(id::text, '' '' ORDER BY id), '
                                     '''none'') FROM u', relation))::text
         || pg_temp.rows('nora', format('WITH d AS (DELETE FROM %s RETURNING id) '
                                        'SELECT coalesce(string_agg(id::text, '' '' ORDER BY id), '
                                        '''none'') FROM d', relation))::text
$$;
SELECT is(pg_temp.changed(t), '{"1 3"}{"1 3"}', 'a policy for SELECT alone does not change: ' || t)
  FROM unnest(ARRAY['t_note', 't_part', 't_kin']) AS t;

-- Each kind of policy: the rows of alpha, and those that it lets through
CREATE FUNCTION pg_temp.with_policy(relation text, policy text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE outcome text;
BEGIN
  EXECUTE format('CREATE POLICY help ON %s %s', relation, policy);
  outcome := pg_temp.changed(relation);
  EXECUTE format('DROP POLICY help ON %s', relation);
  RETURN outcome;
END $$;
SELECT is(pg_temp.with_policy(t, policy), wanted, t || ': ' || policy)
  FROM unnest(ARRAY['t_note', 't_part', 't_kin']) AS t, LATERAL (VALUES
  ('FOR UPDATE USING (helper = session_user)', '{"1 3 4"}{"1 3"}'),
  ('FOR DELETE USING (helper = session_user)', '{"1 3"}{"1 3 4"}'),
  ('FOR ALL USING (helper = session_user)', '{"1 3 4"}{"1 3 4"}'),
  ('FOR ALL TO t_app USING (helper = session_user)', '{"1 3 4"}{"1 3 4"}'),
  ('FOR ALL TO t_olga USING (helper = session_user)', '{"1 3"}{"1 3"}'),
  ('AS RESTRICTIVE FOR ALL USING (helper = session_user)', '{3}{3}'),
  ('USING (id IN (SELECT h.note_id FROM t_helper h WHERE h.helper = session_user))',
   '{"1 3 4"}{"1 3 4"}'),
  (format('USING (EXISTS (SELECT FROM t_helper h WHERE h.note_id = %1$s.id AND %1$s IS NOT NULL '
          'AND h.helper = %1$s.helper))', t), '{"1 3 4"}{"1 3 4"}'),
  (format('USING (EXISTS (SELECT FROM seeme.projects p WHERE p.id = %s.project_id))', t),
   '{"1 3"}{"1 3"}')) AS v (policy, wanted);

-- A new row
CREATE POLICY help ON t_note FOR UPDATE USING (helper = session_user)
  WITH CHECK (note <> 'forbidden');
SELECT is(pg_temp.try('nora', s), wanted, s) FROM (VALUES
  ('UPDATE t_note SET note = ''x'' WHERE id = 4', '1 row'),
  ('UPDATE t_note SET note = ''forbidden'' WHERE id = 4', '42501'),
  ('UPDATE t_note SET note = ''forbidden'' WHERE id = 3', '1 row'),
  ('UPDATE t_note SET note = ''x'' WHERE id = 5', '0 rows'),
  ('INSERT INTO t_note VALUES (4, ''x'') ON CONFLICT (id) DO UPDATE SET note = ''y''', '42501'),
  ('MERGE INTO t_note t USING (SELECT 4 AS id) s ON s.id = t.id WHEN MATCHED THEN UPDATE SET note '
   '= ''m''', '1 row')) AS v (s, wanted);
-- Threat: a policy that lets people change a row lets them take it elsewhere
DROP POLICY help ON t_note;
CREATE POLICY help ON t_note FOR UPDATE USING (helper = session_user)
  WITH CHECK (seeme_has_permission('models:read', project => project_id));
SELECT is(pg_temp.try('nora', s), wanted, 'with the check of doc/protect.md: ' || s) FROM (VALUES
  ('UPDATE t_note SET project_id = {alpha} WHERE id = 4', '1 row'),
  ('UPDATE t_note SET project_id = {beta} WHERE id = 3', '42501'),
  ('UPDATE t_note SET project_id = {delta} WHERE id = 4', '42501')) AS v (s, wanted);
CREATE TABLE t_several (id integer, helper text, project_id uuid, team_id uuid);
INSERT INTO t_several VALUES (1, 't_nora', :beta, NULL);
SELECT seeme_protect('t_several', 'models', project_column => 'project_id',
  team_column => 'team_id') \g /dev/null
GRANT SELECT, UPDATE ON t_several TO t_app;
CREATE POLICY help ON t_several USING (helper = session_user);
SELECT is(pg_temp.try('nora', s), wanted, 'with several scope columns: ' || s) FROM (VALUES
  ('UPDATE t_several SET helper = helper', '1 row'),
  ('UPDATE t_several SET project_id = {delta}', '42501')) AS v (s, wanted);
-- A new row whose generated columns are not computed yet when triggers fire
CREATE TABLE t_shelf (id integer, place text, project_id uuid,
  shelf text GENERATED ALWAYS AS (lower(place)) STORED);
INSERT INTO t_shelf VALUES (1, 'A', :beta);
SELECT seeme_protect('t_shelf', 'models', project_column => 'project_id') \g /dev/null
GRANT SELECT, UPDATE ON t_shelf TO t_app;
CREATE POLICY see ON t_shelf FOR SELECT USING (true);
SELECT is(pg_temp.try('nora', 'UPDATE t_shelf SET place = ''B'''), '0 rows',
  'generated: without a policy for UPDATE');
CREATE POLICY move ON t_shelf FOR UPDATE USING (shelf = 'a') WITH CHECK (shelf = 'b');
SELECT is(pg_temp.try('nora', s), wanted, 'generated: ' || s) FROM (VALUES
  ('UPDATE t_shelf SET place = ''B''', '1 row'), ('UPDATE t_shelf SET place = ''C''', '42501'))
  AS v (s, wanted);
ALTER POLICY move ON t_shelf USING (EXISTS (SELECT FROM t_helper WHERE shelf = 'a'))
  WITH CHECK (EXISTS (SELECT FROM t_helper WHERE shelf = 'b'));
SELECT is(pg_temp.try('nora', s), wanted, 'generated, in a sub-select: ' || s) FROM (VALUES
  ('UPDATE t_shelf SET place = ''B''', '1 row'), ('UPDATE t_shelf SET place = ''C''', '42501'))
  AS v (s, wanted);
-- A row that goes to another partition
CREATE POLICY help ON t_part FOR UPDATE USING (helper = session_user);
SELECT is(pg_temp.try('nora', 'UPDATE t_part SET id = id + 10 WHERE id IN (4, 2)'), '1 row',
  'a row goes to another partition by a policy for UPDATE');

-- Triggers of the application fire in the order of their names: doc/protect.md
CREATE TABLE t_task (id integer, helper text, project_id uuid);
INSERT INTO t_task VALUES (1, 't_nora', :beta);
SELECT seeme_protect('t_task', 'models', project_column => 'project_id') \g /dev/null
GRANT SELECT, UPDATE ON t_task TO t_app;
CREATE POLICY help ON t_task USING (helper = session_user);
CREATE FUNCTION pg_temp.keep_helper() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.helper := OLD.helper;
  RETURN NEW;
END $$;
CREATE TRIGGER fill_in_helper BEFORE UPDATE ON t_task FOR EACH ROW
  EXECUTE FUNCTION pg_temp.keep_helper();
SELECT is(pg_temp.try('nora', 'UPDATE t_task SET helper = NULL'), '1 row',
  'a trigger before seeme_after_wait fills in what the policy asks for');
ALTER TRIGGER fill_in_helper ON t_task RENAME TO update_helper;
SELECT is(pg_temp.try('nora', 'UPDATE t_task SET helper = NULL'), '42501',
  'a trigger after it comes too late');
-- Threat: a view lends the policies of its owner
CREATE ROLE t_viewer IN ROLE t_app;
CREATE VIEW t_tasks AS SELECT * FROM t_task;
ALTER VIEW t_tasks OWNER TO t_viewer;
GRANT SELECT, UPDATE ON t_tasks TO t_app;
SELECT is(pg_temp.try('nora', 'UPDATE t_tasks SET project_id = project_id'), '1 row',
  'through the view of another role');
ALTER POLICY help ON t_task TO t_viewer USING (true);
SELECT is(pg_temp.try('nora', 'UPDATE t_tasks SET project_id = project_id'), '0 rows',
  'threat: a policy for the owner of a view lets people change rows through it');

-- Threat: a role that was given a policy gets more by it
SELECT is(pg_temp.try('olga', 'DELETE FROM t_part'), '5 rows', 'the owner of Acme deletes all');
SELECT is(pg_temp.try('ghost', 'UPDATE t_note SET note = ''x'''), '0 rows',
  'threat: a session without a person changes rows by a policy for somebody else');
DROP POLICY seeme_update ON t_note;
SELECT is(pg_temp.try('nora', 'UPDATE t_note SET note = ''x'''), '0 rows',
  'without the policy of seeme_protect nothing is let through');

SELECT * FROM finish();
ROLLBACK;
