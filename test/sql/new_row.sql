\i test/include/prelude.psql
-- Of a row that an UPDATE leaves in its scope, the policies are not asked a second time (src/new_row.c); of one that anything may move, they are.
BEGIN;
\i test/include/people.psql
\i test/include/asking.psql
SELECT plan(44);
SET LOCAL jit = off;

CREATE TABLE n_doc (id integer PRIMARY KEY, project_id uuid, note text, next_id uuid);
INSERT INTO n_doc VALUES (1, :alpha, 'a', :alpha), (2, :beta, 'b', :beta), (3, :delta, 'd', :delta), (4, NULL, 'n', NULL);
CREATE TABLE n_several (id integer PRIMARY KEY, project_id uuid, team_id uuid, note text);
INSERT INTO n_several VALUES (1, :alpha, NULL, 'a'), (2, :beta, :sales, 'b');
CREATE TABLE n_generated (id integer PRIMARY KEY, key text, project_id uuid GENERATED ALWAYS AS (CAST(key AS uuid)) STORED, note text);
INSERT INTO n_generated VALUES (1, :alpha), (2, :delta);
CREATE TABLE n_part (id integer, project_id uuid, note text) PARTITION BY LIST (id);
CREATE TABLE n_part_1 PARTITION OF n_part FOR VALUES IN (1);
CREATE TABLE n_part_2 (note text, project_id uuid, id integer);
ALTER TABLE n_part ATTACH PARTITION n_part_2 FOR VALUES IN (2);
INSERT INTO n_part VALUES (1, :alpha, 'a'), (2, :alpha, 'b');
CREATE TABLE n_parent (id integer, project_id uuid, note text);
CREATE TABLE n_child (more text) INHERITS (n_parent);
INSERT INTO n_parent VALUES (1, :alpha, 'a');
INSERT INTO n_child VALUES (2, :alpha, 'b');
CREATE TABLE n_owned (id integer PRIMARY KEY, owner_id uuid, note text);
INSERT INTO n_owned VALUES (1, :cora, 'c'), (2, :adam, 'a');
SELECT seeme_protect(t, 'models', project_column => 'project_id') FROM unnest(ARRAY['n_doc', 'n_generated', 'n_part', 'n_parent']::regclass[]) AS t \g /dev/null
SELECT seeme_protect('n_several', 'models', project_column => 'project_id', team_column => 'team_id') \g /dev/null
SELECT seeme_protect('n_owned', 'models', owner_column => 'owner_id') \g /dev/null
CREATE VIEW n_view WITH (security_invoker) AS SELECT id, project_id AS place, note AS remark FROM n_doc;
CREATE VIEW n_checked WITH (security_invoker) AS SELECT * FROM n_doc WHERE note <> 'hidden' WITH CHECK OPTION;
CREATE VIEW n_of_owner AS SELECT * FROM n_doc;
GRANT SELECT, INSERT, UPDATE, DELETE ON n_doc, n_several, n_generated, n_part, n_part_1, n_parent, n_child, n_owned, n_view, n_checked, n_of_owner TO t_app;

-- How often anything is asked of the cache or the tables, and what the statement comes to
CREATE FUNCTION pg_temp.asked(person text, statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  was seeme.cache_statistics;
  n bigint;
  outcome text;
BEGIN
  statement := pg_temp.fill(statement);
  BEGIN
    PERFORM pg_temp.become(person);
    -- Once, so that its plan and the person are known
    EXECUTE statement;
    PERFORM pg_temp.become(NULL);
    was := (SELECT s FROM seeme.cache_statistics s);
    PERFORM pg_temp.become(person);
    EXECUTE statement;
    GET DIAGNOSTICS n = ROW_COUNT;
    PERFORM pg_temp.become(NULL);
    outcome := format('%s of %s', (SELECT s.hits + s.probes + s.bypasses FROM seeme.cache_statistics s) - was.hits - was.probes - was.bypasses, n);
    RAISE EXCEPTION USING ERRCODE = 'UNDO0', MESSAGE = 'undo';
  EXCEPTION WHEN SQLSTATE 'UNDO0' THEN RETURN outcome;
    WHEN OTHERS THEN RETURN SQLSTATE;
  END;
END $$;
-- As it would be with every check: what a trigger of the application's costs
CREATE FUNCTION pg_temp.nothing() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
CREATE FUNCTION pg_temp.move() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.project_id := 'd0000000-0000-4000-8000-000000000004'; RETURN NEW; END $$;

SELECT is(pg_temp.asked('edith', $$UPDATE n_doc SET note = 'x' WHERE id = 1$$), '3 of 1', 'a row that stays: models:update and models:read of the old one, and the first again with the row locked');
SELECT is(pg_temp.asked('edith', $$UPDATE n_doc SET note = 'x', next_id = {delta} WHERE id = 1$$), '3 of 1', 'whatever else is set');
SELECT is(pg_temp.asked('edith', $$UPDATE n_doc AS d SET note = u.username FROM seeme.users u WHERE d.id = 1 AND u.id = {edith}$$) ~ ' of 1$', true, 'with another table');
SELECT is(pg_temp.asked('edith', $$UPDATE n_view SET remark = 'x' WHERE id = 1$$), '3 of 1', 'through a view');
SELECT is(pg_temp.asked('edith', $$UPDATE n_doc SET project_id = project_id WHERE id = 1$$), '5 of 1', 'a row whose scope is set, though to what it was: the new one, too');
SELECT is(pg_temp.asked('edith', $$UPDATE n_view SET place = {beta} WHERE id = 1$$), '5 of 1', 'so it is through a view');
SELECT is(pg_temp.asked('edith', $$UPDATE n_part SET note = 'x' WHERE id = 2$$), '5 of 1', 'a row of a partition is asked about again');

-- The right is asked for as ever
SELECT is(pg_temp.who($$UPDATE n_doc SET note = 'x' WHERE id = 1$$), 'adam cora edith olga tess', 'who may change a row without moving it');
SELECT is(pg_temp.who($$UPDATE n_doc SET project_id = {beta} WHERE id = 1$$), 'adam cora edith olga', 'who may move one');
SELECT is(pg_temp.who($$UPDATE n_doc SET project_id = {delta} WHERE id = 1$$), NULL, 'out of their organization: nobody');
SELECT is(pg_temp.who($$UPDATE n_doc SET note = 'x' WHERE id = 4$$), NULL, 'nor a row of no project');
SELECT is(pg_temp.who($$UPDATE n_doc SET note = note$$), 'adam cora edith olga oscar tess', 'each changes what they may');
SELECT is(pg_temp.try('edith', $$UPDATE n_doc SET note = 'x'$$), '2 rows', 'and no more');
SELECT is(pg_temp.try('vera', $$UPDATE n_doc SET note = 'x' WHERE id = 1$$), '0 rows', 'threat: who may read a row and not change it');
SELECT pg_temp.hold('{models:update}') \g /dev/null
SELECT is(pg_temp.try('nora', $$UPDATE n_doc SET note = 'x' WHERE id = 1$$), '0 rows', 'threat: who may change it and not read it, and names it');
SELECT is(pg_temp.try('nora', $$UPDATE n_doc SET note = 'x'$$), '2 rows', 'who names none needs not read them');
SELECT pg_temp.hold('{}') \g /dev/null

-- What moves a row by itself
SELECT is(pg_temp.try('edith', $$UPDATE n_generated SET note = 'x' WHERE id = 1$$), '1 row', 'a scope that is computed');
SELECT is(pg_temp.try('edith', $$UPDATE n_generated SET key = {delta}::text WHERE id = 1$$), '42501', 'threat: a row is moved by the column that its scope is computed from');
SELECT is(pg_temp.try('edith', $$UPDATE n_generated SET key = {beta}::text WHERE id = 1$$), '1 row', 'as one may');
SELECT is(pg_temp.try('edith', $$UPDATE n_parent SET note = 'x'$$), '2 rows', 'tables that inherit');
SELECT is(pg_temp.try('edith', $$UPDATE n_parent SET project_id = {delta}$$), '42501', 'threat: out of them');
CREATE TRIGGER z_move BEFORE UPDATE ON n_child FOR EACH ROW EXECUTE FUNCTION pg_temp.move();
SELECT is(pg_temp.try('edith', $$UPDATE n_parent SET note = 'x'$$), '42501', 'threat: a trigger of a table that inherits moves its row');

CREATE FUNCTION pg_temp.prepared(person text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE outcome text;
BEGIN
  BEGIN
    PERFORM pg_temp.become(person);
    EXECUTE 'EXECUTE n_update(1)' INTO outcome;
    RAISE EXCEPTION USING ERRCODE = 'UNDO0', MESSAGE = 'undo';
  EXCEPTION WHEN SQLSTATE 'UNDO0' THEN RETURN outcome;
    WHEN OTHERS THEN RETURN SQLSTATE;
  END;
END $$;
SELECT pg_temp.become('edith') \g /dev/null
SET LOCAL plan_cache_mode = force_generic_plan;
PREPARE n_update (integer) AS UPDATE n_doc SET note = 'x' WHERE id = $1 RETURNING id;
SELECT pg_temp.become(NULL) \g /dev/null
SELECT is(pg_temp.prepared('edith'), '1', 'a prepared statement');
CREATE TRIGGER z_look BEFORE UPDATE ON n_doc FOR EACH ROW EXECUTE FUNCTION pg_temp.nothing();
SELECT is(pg_temp.asked('edith', $$UPDATE n_doc SET note = 'x' WHERE id = 1$$), '5 of 1', 'a trigger of the application''s may move a row: the new one is asked about');
DROP TRIGGER z_look ON n_doc;
CREATE TRIGGER z_move BEFORE UPDATE ON n_doc FOR EACH ROW EXECUTE FUNCTION pg_temp.move();
SELECT is(pg_temp.prepared('edith'), '42501', 'threat: a trigger that moves rows comes after the statement was planned');
SELECT is(pg_temp.try('edith', $$UPDATE n_doc SET note = 'x' WHERE id = 1$$), '42501', 'and before');
SELECT is(pg_temp.try('edith', $$UPDATE n_view SET remark = 'x' WHERE id = 1$$), '42501', 'through a view, too');
ALTER TABLE n_doc DISABLE TRIGGER z_move;
SELECT is(pg_temp.asked('edith', $$UPDATE n_doc SET note = 'x' WHERE id = 1$$), '3 of 1', 'one that is disabled moves nothing');
ALTER TABLE n_doc ENABLE REPLICA TRIGGER z_move;
SELECT is(pg_temp.asked('edith', $$UPDATE n_doc SET note = 'x' WHERE id = 1$$), '5 of 1', 'one for replicas may');
DROP TRIGGER z_move ON n_doc;
CREATE TRIGGER z_move AFTER UPDATE ON n_doc FOR EACH ROW EXECUTE FUNCTION pg_temp.nothing();
SELECT is(pg_temp.asked('edith', $$UPDATE n_doc SET note = 'x' WHERE id = 1$$), '3 of 1', 'one that fires afterwards cannot');
DROP TRIGGER z_move ON n_doc;

-- Policies that are not only ours
ALTER POLICY seeme_update ON n_doc WITH CHECK (false);
SELECT is(pg_temp.try('edith', $$UPDATE n_doc SET note = 'x' WHERE id = 1$$), '42501', 'threat: a policy with a check of its own');
ALTER POLICY seeme_update ON n_doc WITH CHECK (seeme_has_permission('models:delete', NULL, NULL, project_id, NULL, NULL));
SELECT is(pg_temp.try('cora', $$UPDATE n_doc SET note = 'x' WHERE id = 1$$), '42501', 'or one that asks for another code');
SELECT is(pg_temp.try('adam', $$UPDATE n_doc SET note = 'x' WHERE id = 1$$), '1 row', 'which others hold');
ALTER POLICY seeme_update ON n_doc WITH CHECK (seeme_has_permission('models:update', NULL, NULL, next_id, NULL, NULL));
SELECT is(pg_temp.try('edith', $$UPDATE n_doc SET note = 'x', next_id = {delta} WHERE id = 1$$), '42501', 'or about another column');
ALTER POLICY seeme_update ON n_doc WITH CHECK (seeme_has_permission('models:update', NULL, NULL, project_id, NULL, NULL));
CREATE POLICY n_strict ON n_doc AS RESTRICTIVE FOR UPDATE USING (true) WITH CHECK (note <> 'forbidden');
SELECT is(pg_temp.try('edith', $$UPDATE n_doc SET note = 'forbidden' WHERE id = 1$$), '42501', 'threat: a restrictive policy beside');
SELECT is(pg_temp.try('edith', $$UPDATE n_doc SET note = 'allowed' WHERE id = 1$$), '1 row', 'which lets other rows through');
DROP POLICY n_strict ON n_doc;
CREATE POLICY n_wide ON n_doc FOR UPDATE USING (note = 'd') WITH CHECK (false);
SELECT is(pg_temp.try('vera', $$UPDATE n_doc SET note = 'x' WHERE id = 3$$), '0 rows', 'a wider policy beside: what one may not read');
DROP POLICY n_wide ON n_doc;
SELECT is(pg_temp.try('edith', $$UPDATE n_checked SET note = 'hidden' WHERE id = 1$$), '44000', 'threat: the check option of a view');

-- Several scopes, owners, other commands
SELECT is(pg_temp.try('edith', $$UPDATE n_several SET note = 'x'$$) || ', ' || pg_temp.try('edith', $$UPDATE n_several SET team_id = {labs} WHERE id = 2$$), '2 rows, 42501', 'rows with several scopes');
SELECT is(pg_temp.try('cora', $$UPDATE n_owned SET note = 'x'$$) || ', ' || pg_temp.try('cora', $$UPDATE n_owned SET owner_id = {adam} WHERE id = 1$$), '1 row, 42501', 'rows with an owner');
SELECT is(pg_temp.try('tess', $$INSERT INTO n_doc VALUES (1, {alpha}) ON CONFLICT (id) DO UPDATE SET note = 'x'$$) || ', ' ||
          pg_temp.try('tess', $$INSERT INTO n_doc VALUES (1, {alpha}) ON CONFLICT (id) DO UPDATE SET project_id = {beta}$$), '1 row, 42501', 'ON CONFLICT DO UPDATE');
SELECT is(pg_temp.try('tess', $$MERGE INTO n_doc d USING (VALUES (1)) AS v (id) ON d.id = v.id WHEN MATCHED THEN UPDATE SET note = 'x'$$) || ', ' ||
          pg_temp.try('tess', $$MERGE INTO n_doc d USING (VALUES (1)) AS v (id) ON d.id = v.id WHEN MATCHED THEN UPDATE SET project_id = {beta}$$), '1 row, 42501', 'MERGE');
SELECT is(pg_temp.try('tess', $$WITH u AS (UPDATE n_doc SET note = 'x' WHERE id = 1 RETURNING id) SELECT * FROM u$$) || ', ' ||
          pg_temp.try('tess', $$WITH u AS (UPDATE n_doc SET project_id = {beta} WHERE id = 1 RETURNING id) SELECT * FROM u$$), '1 row, 42501', 'an UPDATE inside a query');
SELECT is(pg_temp.try('edith', $$UPDATE n_of_owner SET project_id = {delta} WHERE id = 1$$), '42501', 'threat: out of one''s projects by a view whose owner bypasses row security');

SELECT * FROM finish();
ROLLBACK;
