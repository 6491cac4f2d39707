\i test/include/prelude.psql
-- MERGE may update some rows and delete others. Each is decided by its own right, also where a row
-- is checked again once it is locked (src/planner/recheck_trigger.c).
BEGIN;
\i test/include/people.psql
\i test/include/asking.psql
SELECT plan(17);

CREATE TABLE t_note (id integer PRIMARY KEY, note text, project_id uuid);
CREATE TABLE t_part (id integer PRIMARY KEY, note text, project_id uuid) PARTITION BY RANGE (id);
CREATE TABLE t_part_all PARTITION OF t_part FOR VALUES FROM (0) TO (10);
CREATE TABLE t_part_more PARTITION OF t_part FOR VALUES FROM (10) TO (20);
-- nora updates what lies in alpha, and deletes what lies in beta.
INSERT INTO t_note SELECT n, '', CASE WHEN n % 2 = 1 THEN :alpha::uuid ELSE :beta::uuid END
  FROM generate_series(1, 4) AS n;
INSERT INTO t_part SELECT * FROM t_note;
SELECT seeme_protect(t, 'models', project_column => 'project_id')
  FROM unnest(ARRAY['t_note', 't_part']::regclass[]) AS t \g /dev/null
GRANT SELECT, INSERT, UPDATE, DELETE ON t_note, t_part TO t_app;
SELECT pg_temp.hold_in('alpha', '{models:list,models:read,models:update}') \g /dev/null
INSERT INTO seeme.roles (organization_id, name, permissions)
  VALUES (:acme, 'Deletes', '{models:list,models:read,models:delete}');
INSERT INTO seeme.memberships (organization_id, project_id, user_id, role_id)
  SELECT :acme, :beta, :nora, id FROM seeme.roles WHERE name = 'Deletes';
-- Rows are merged in the order of their list.
SET LOCAL enable_hashjoin = off;
SET LOCAL enable_mergejoin = off;
SET LOCAL enable_material = off;
CREATE FUNCTION pg_temp.merged(relation text, ids text, change text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE outcome text;
BEGIN
  outcome := pg_temp.try('nora', format('MERGE INTO %s t USING unnest(%L::integer[]) AS s (k) '
    'ON t.id = s.k WHEN MATCHED AND s.k %% 2 = 1 THEN UPDATE SET %s WHEN MATCHED THEN DELETE',
    relation, ids, change));
  RETURN outcome;
END $$;
SELECT is(pg_temp.merged(t, ids, change), '4 rows', format('%s, %s: SET %s', t, ids, change))
  FROM unnest(ARRAY['t_note', 't_part']) AS t, unnest(ARRAY['{1,2,3,4}', '{2,1,4,3}']) AS ids,
       unnest(ARRAY['note = ''x''', 'id = id + 10']) AS change;

-- Threat: a right goes before the row is locked, and the right of another action counts for it
CREATE FUNCTION t_take() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
  IF TG_OP = current_setting('t.take', true) THEN
    UPDATE seeme.roles SET permissions = array_remove(permissions, 'models:' || lower(TG_OP))
      WHERE name = 'Just this';
  END IF;
  RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $$;
CREATE TRIGGER a_take BEFORE UPDATE OR DELETE ON t_note FOR EACH ROW EXECUTE FUNCTION t_take();
CREATE TRIGGER a_take BEFORE UPDATE OR DELETE ON t_part FOR EACH ROW EXECUTE FUNCTION t_take();
SELECT pg_temp.hold_in('alpha', '{}'), pg_temp.hold_in('beta', '{}') \g /dev/null
SELECT pg_temp.hold('{models:list,models:read,models:update,models:delete}') \g /dev/null
SELECT set_config('t.take', 'DELETE', true) \g /dev/null
SELECT is(pg_temp.merged(t, '{1,2}', 'note = ''x'''), '1 row',
          format('threat: %s: the right to update lets people delete', t))
  FROM unnest(ARRAY['t_note', 't_part']) AS t;
SELECT set_config('t.take', 'UPDATE', true) \g /dev/null
SELECT is(pg_temp.merged(t, '{2,1}', 'note = ''x'''), '1 row',
          format('threat: %s: the right to delete lets people update', t))
  FROM unnest(ARRAY['t_note', 't_part']) AS t;

-- Threat: an UPDATE that a trigger stops lends its right to a DELETE of the same statement, through
-- a view whose owner bypasses row security
SELECT set_config('t.take', '', true) \g /dev/null
SELECT pg_temp.hold('{models:list,models:read,models:update}') \g /dev/null
CREATE VIEW t_parts AS SELECT * FROM t_part;
GRANT SELECT, UPDATE, DELETE ON t_parts TO t_app;
CREATE TRIGGER z_changes BEFORE UPDATE ON t_part FOR EACH ROW
  EXECUTE FUNCTION suppress_redundant_updates_trigger();
SELECT is(pg_temp.try('nora', s), wanted, s) FROM (VALUES
  ('DELETE FROM t_parts', '0 rows'),
  ('UPDATE t_parts SET id = id + 10', '4 rows'),
  ('WITH u AS (UPDATE t_parts SET note = note WHERE id = 1 RETURNING id) DELETE FROM t_parts '
   'WHERE id = 1 AND (SELECT count(*) FROM u) = 0', '0 rows')) AS v (s, wanted);

-- PostgreSQL 17 lets people MERGE into a view.
SELECT current_setting('server_version_num')::int >= 170000 AS merges_into_views \gset
\if :merges_into_views
SELECT is(pg_temp.try('nora', 'MERGE INTO t_parts t USING (VALUES (1), (2)) AS s (k) ON t.id = 1 '
    'WHEN MATCHED AND s.k = 2 THEN DELETE WHEN MATCHED THEN UPDATE SET note = note'), '0 rows',
  'a MERGE that comes to the row twice');
SELECT is(pg_temp.try('nora', 'MERGE INTO t_parts t USING (VALUES (1), (2)) AS s (k) ON t.id = s.k '
    'WHEN MATCHED THEN UPDATE SET id = id + 10'), '2 rows', 'and one that moves rows');
\else
SELECT pass('a MERGE that comes to the row twice');
SELECT pass('and one that moves rows');
\endif

SELECT * FROM finish();
ROLLBACK;
