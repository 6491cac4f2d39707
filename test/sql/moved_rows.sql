\i test/include/prelude.psql
-- Who may change a row, and who may move it out of its scope: by the command, a trigger, an
-- expression, a view, beside policies of the application's.
BEGIN;
\i test/include/people.psql
\i test/include/asking.psql
SELECT plan(34);
SET LOCAL jit = off;

CREATE TABLE m_doc (id integer PRIMARY KEY, project_id uuid, note text, next_id uuid);
INSERT INTO m_doc VALUES (1, :alpha, 'a', :alpha), (2, :beta, 'b', :beta), (3, :delta, 'd', :delta),
  (4, NULL, 'n', NULL);
CREATE TABLE m_several (id integer PRIMARY KEY, project_id uuid, team_id uuid, note text);
INSERT INTO m_several VALUES (1, :alpha, NULL, 'a'), (2, :beta, :sales, 'b');
CREATE TABLE m_generated (id integer PRIMARY KEY, key text,
  project_id uuid GENERATED ALWAYS AS (CAST(key AS uuid)) STORED, note text);
INSERT INTO m_generated VALUES (1, :alpha), (2, :delta);
CREATE TABLE m_part (id integer, project_id uuid, note text) PARTITION BY LIST (id);
CREATE TABLE m_part_1 PARTITION OF m_part FOR VALUES IN (1);
CREATE TABLE m_part_2 (note text, project_id uuid, id integer);
ALTER TABLE m_part ATTACH PARTITION m_part_2 FOR VALUES IN (2);
INSERT INTO m_part VALUES (1, :alpha, 'a'), (2, :alpha, 'b');
CREATE TABLE m_parent (id integer, project_id uuid, note text);
CREATE TABLE m_child (more text) INHERITS (m_parent);
INSERT INTO m_parent VALUES (1, :alpha, 'a');
INSERT INTO m_child VALUES (2, :alpha, 'b');
CREATE TABLE m_owned (id integer PRIMARY KEY, owner_id uuid, note text);
INSERT INTO m_owned VALUES (1, :cora, 'c'), (2, :adam, 'a');
SELECT seeme_protect(t, 'models', project_column => 'project_id')
  FROM unnest(ARRAY['m_doc', 'm_generated', 'm_part', 'm_parent']::regclass[]) AS t \g /dev/null
SELECT seeme_protect('m_several', 'models', project_column => 'project_id',
  team_column => 'team_id') \g /dev/null
SELECT seeme_protect('m_owned', 'models', owner_column => 'owner_id') \g /dev/null
CREATE VIEW m_view WITH (security_invoker) AS SELECT id, project_id AS place,
  note AS remark FROM m_doc;
CREATE VIEW m_checked WITH (security_invoker) AS SELECT * FROM m_doc WHERE note <> 'hidden'
  WITH CHECK OPTION;
CREATE VIEW m_of_owner AS SELECT * FROM m_doc;
GRANT SELECT, INSERT, UPDATE, DELETE ON m_doc, m_several, m_generated, m_part, m_part_1, m_parent,
  m_child, m_owned, m_view, m_checked, m_of_owner TO t_app;

CREATE FUNCTION pg_temp.move() RETURNS trigger
  LANGUAGE plpgsql AS $$ BEGIN NEW.project_id := 'd0000000-0000-4000-8000-000000000004'; RETURN NEW;
    END $$;

SELECT is(pg_temp.who($$UPDATE m_doc SET note = 'x' WHERE id = 1$$), 'adam cora edith olga tess',
  'who may change a row without moving it');
SELECT is(pg_temp.who($$UPDATE m_doc SET project_id = {beta} WHERE id = 1$$),
  'adam cora edith olga', 'who may move one');
SELECT is(pg_temp.who($$UPDATE m_doc SET project_id = {delta} WHERE id = 1$$), NULL,
  'out of their organization: nobody');
SELECT is(pg_temp.who($$UPDATE m_doc SET note = 'x' WHERE id = 4$$), NULL,
  'nor a row of no project');
SELECT is(pg_temp.who($$UPDATE m_doc SET note = note$$), 'adam cora edith olga oscar tess',
  'each changes what they may');
SELECT is(pg_temp.try('edith', $$UPDATE m_doc SET note = 'x'$$), '2 rows', 'and no more');
SELECT is(pg_temp.try('vera', $$UPDATE m_doc SET note = 'x' WHERE id = 1$$), '0 rows',
  'threat: who may read a row and not change it');
SELECT pg_temp.hold('{models:update}') \g /dev/null
SELECT is(pg_temp.try('nora', $$UPDATE m_doc SET note = 'x' WHERE id = 1$$), '0 rows',
  'threat: who may change it and not read it, and names it');
SELECT is(pg_temp.try('nora', $$UPDATE m_doc SET note = 'x'$$), '2 rows',
  'who names none needs not read them');
SELECT pg_temp.hold('{}') \g /dev/null

-- What moves a row by itself
SELECT is(pg_temp.try('edith', $$UPDATE m_part SET note = 'x'$$) || ', '
  || pg_temp.try('edith', $$UPDATE m_part SET project_id = {delta} WHERE id = 2$$), '2 rows, 42501',
  'rows of partitions');
SELECT is(pg_temp.try('edith', $$UPDATE m_generated SET note = 'x' WHERE id = 1$$), '1 row',
  'a scope that is computed');
SELECT is(pg_temp.try('edith', $$UPDATE m_generated SET key = {delta}::text WHERE id = 1$$),
  '42501', 'threat: a row is moved by the column that its scope is computed from');
SELECT is(pg_temp.try('edith', $$UPDATE m_generated SET key = {beta}::text WHERE id = 1$$), '1 row',
  'as one may');
SELECT is(pg_temp.try('edith', $$UPDATE m_parent SET note = 'x'$$), '2 rows',
  'tables that inherit');
SELECT is(pg_temp.try('edith', $$UPDATE m_parent SET project_id = {delta}$$), '42501',
  'threat: out of them');
CREATE TRIGGER z_move BEFORE UPDATE ON m_child FOR EACH ROW EXECUTE FUNCTION pg_temp.move();
SELECT is(pg_temp.try('edith', $$UPDATE m_parent SET note = 'x'$$), '42501',
  'threat: a trigger of a table that inherits moves its row');

CREATE FUNCTION pg_temp.prepared(person text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE outcome text;
BEGIN
  BEGIN
    PERFORM pg_temp.become(person);
    EXECUTE 'EXECUTE m_update(1)' INTO outcome;
    RAISE EXCEPTION USING ERRCODE = 'UNDO0', MESSAGE = 'undo';
  EXCEPTION WHEN SQLSTATE 'UNDO0' THEN RETURN outcome;
    WHEN OTHERS THEN RETURN SQLSTATE;
  END;
END $$;
SELECT pg_temp.become('edith') \g /dev/null
SET LOCAL plan_cache_mode = force_generic_plan;
PREPARE m_update (integer) AS UPDATE m_doc SET note = 'x' WHERE id = $1 RETURNING id;
SELECT pg_temp.become(NULL) \g /dev/null
SELECT is(pg_temp.prepared('edith'), '1', 'a prepared statement');
CREATE TRIGGER z_move BEFORE UPDATE ON m_doc FOR EACH ROW EXECUTE FUNCTION pg_temp.move();
SELECT is(pg_temp.prepared('edith'), '42501',
  'threat: a trigger that moves rows comes after the statement was planned');
SELECT is(pg_temp.try('edith', $$UPDATE m_doc SET note = 'x' WHERE id = 1$$), '42501',
  'and before');
SELECT is(pg_temp.try('edith', $$UPDATE m_view SET remark = 'x' WHERE id = 1$$), '42501',
  'through a view, too');
DROP TRIGGER z_move ON m_doc;

-- Policies that are not only ours
ALTER POLICY seeme_update ON m_doc WITH CHECK (false);
SELECT is(pg_temp.try('edith', $$UPDATE m_doc SET note = 'x' WHERE id = 1$$), '42501',
  'threat: a policy with a check of its own');
ALTER POLICY seeme_update ON m_doc WITH CHECK
  (seeme_has_permission('models:delete', NULL, NULL, project_id, NULL, NULL));
SELECT is(pg_temp.try('cora', $$UPDATE m_doc SET note = 'x' WHERE id = 1$$), '42501',
  'or one that asks for another code');
SELECT is(pg_temp.try('adam', $$UPDATE m_doc SET note = 'x' WHERE id = 1$$), '1 row',
  'which others hold');
ALTER POLICY seeme_update ON m_doc WITH CHECK
  (seeme_has_permission('models:update', NULL, NULL, next_id, NULL, NULL));
SELECT is(pg_temp.try('edith', $$UPDATE m_doc SET note = 'x', next_id = {delta} WHERE id = 1$$),
  '42501', 'or about another column');
ALTER POLICY seeme_update ON m_doc WITH CHECK
  (seeme_has_permission('models:update', NULL, NULL, project_id, NULL, NULL));
CREATE POLICY m_strict ON m_doc AS RESTRICTIVE FOR UPDATE USING (true)
  WITH CHECK (note <> 'forbidden');
SELECT is(pg_temp.try('edith', $$UPDATE m_doc SET note = 'forbidden' WHERE id = 1$$), '42501',
  'threat: a restrictive policy beside');
SELECT is(pg_temp.try('edith', $$UPDATE m_doc SET note = 'allowed' WHERE id = 1$$), '1 row',
  'which lets other rows through');
DROP POLICY m_strict ON m_doc;
CREATE POLICY m_wide ON m_doc FOR UPDATE USING (note = 'd') WITH CHECK (false);
SELECT is(pg_temp.try('vera', $$UPDATE m_doc SET note = 'x' WHERE id = 3$$), '0 rows',
  'a wider policy beside: what one may not read');
DROP POLICY m_wide ON m_doc;
SELECT is(pg_temp.try('edith', $$UPDATE m_checked SET note = 'hidden' WHERE id = 1$$), '44000',
  'threat: the check option of a view');

-- Several scopes, owners, other commands
SELECT is(pg_temp.try('edith', $$UPDATE m_several SET note = 'x'$$) || ', '
  || pg_temp.try('edith', $$UPDATE m_several SET team_id = {labs} WHERE id = 2$$), '2 rows, 42501',
  'rows with several scopes');
SELECT is(pg_temp.try('cora', $$UPDATE m_owned SET note = 'x'$$) || ', '
  || pg_temp.try('cora', $$UPDATE m_owned SET owner_id = {adam} WHERE id = 1$$), '1 row, 42501',
  'rows with an owner');
SELECT is(
  pg_temp.try('tess', $$INSERT INTO m_doc VALUES (1, {alpha}) ON CONFLICT (id) DO UPDATE
    SET note = 'x'$$) || ', ' ||
          pg_temp.try('tess', $$INSERT INTO m_doc VALUES (1, {alpha}) ON CONFLICT (id) DO UPDATE
            SET project_id = {beta}$$), '1 row, 42501', 'ON CONFLICT DO UPDATE');
SELECT is(
  pg_temp.try('tess', $$MERGE INTO m_doc d USING (VALUES (1)) AS v (id) ON d.id = v.id WHEN MATCHED
    THEN UPDATE SET note = 'x'$$) || ', ' ||
          pg_temp.try('tess', $$MERGE INTO m_doc d USING (VALUES (1)) AS v (id) ON d.id = v.id
            WHEN MATCHED THEN UPDATE SET project_id = {beta}$$), '1 row, 42501', 'MERGE');
SELECT is(
  pg_temp.try('tess', $$WITH u AS (UPDATE m_doc SET note = 'x' WHERE id = 1 RETURNING id) SELECT *
    FROM u$$) || ', ' ||
          pg_temp.try('tess',
          $$WITH u AS (UPDATE m_doc SET project_id = {beta} WHERE id = 1 RETURNING id) SELECT *
            FROM u$$), '1 row, 42501', 'an UPDATE inside a query');
SELECT is(pg_temp.try('edith', $$UPDATE m_of_owner SET project_id = {delta} WHERE id = 1$$),
  '42501', 'threat: out of one''s projects by a view whose owner bypasses row security');

SELECT * FROM finish();
ROLLBACK;
