\i test/include/prelude.psql
-- Plans where the scope is a generated column, and what may be done to such columns afterwards.
BEGIN;
\i test/include/people.psql
\i test/include/asking.psql
SELECT plan(15);

CREATE ROLE t_owner NOLOGIN;
GRANT CREATE ON SCHEMA public TO t_owner;
CREATE TABLE items (id integer PRIMARY KEY, project_id integer, at integer,
  project_uuid uuid GENERATED ALWAYS AS (seeme_uuid('project', project_id)) STORED);
CREATE INDEX ON items (project_uuid);
CREATE INDEX ON items (project_id, at);
ALTER TABLE items OWNER TO t_owner;
INSERT INTO seeme.projects (id, organization_id, name)
  SELECT seeme_uuid('project', g), :acme, 'P' || g FROM generate_series(1, 500) g;
INSERT INTO seeme.project_members (project_id, user_id, role_id)
  VALUES (seeme_uuid('project', 7), :nora, pg_temp.builtin('Viewer'));
INSERT INTO items SELECT g, g % 500 + 1, g FROM generate_series(1, 20000) g;
SELECT seeme_protect('items', 'models', project_column => 'project_uuid') \g /dev/null
GRANT SELECT, INSERT, UPDATE, DELETE ON items TO t_app;
ANALYZE items;

CREATE FUNCTION pg_temp.plan_of(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE plan text := ''; line text;
BEGIN
  FOR line IN EXECUTE 'EXPLAIN ' || query LOOP plan := plan || line || E'\n'; END LOOP;
  RETURN plan;
END $$;
SELECT pg_temp.become('nora') \g /dev/null
SELECT matches(pg_temp.plan_of('SELECT * FROM items'),
               'Index Cond: \(project_uuid = ANY \(seeme_permitted_projects',
               'whoever sees little reads an index of the generated column');
SELECT is((SELECT count(*) FROM items), 40::bigint, 'and their rows');
SELECT matches(pg_temp.plan_of('SELECT * FROM items WHERE project_id = 7'),
               'project_id_at_idx.*rows=40 ', 'a query by the integer: all rows of one project are '
               'expected');
SELECT doesnt_match(pg_temp.plan_of('SELECT * FROM items WHERE project_id = 7'),
                    'project_uuid = ANY', 'and no second index is read');
SELECT doesnt_match(pg_temp.plan_of('SELECT * FROM items WHERE project_id = 7 ORDER BY at LIMIT 5'),
                    'Sort', 'a page of a project comes in the order of the application''s index');
PREPARE page AS SELECT count(*) FROM items WHERE project_id = $1;
SET plan_cache_mode = force_generic_plan;
SELECT is(pg_temp.rows('nora', 'EXECUTE page(7)') || pg_temp.rows('nora', 'EXECUTE page(8)'),
          '{40,0}', 'one plan for every value');
RESET plan_cache_mode;
SELECT pg_temp.become('olga') \g /dev/null
SELECT is(pg_temp.rows('olga', 'SELECT count(*) FROM items'), '{20000}',
          'whoever sees everything');
SELECT pg_temp.become(NULL) \g /dev/null

-- Statements of migrations, by the table's owner
CREATE FUNCTION pg_temp.as_owner(statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  BEGIN
    SET LOCAL ROLE t_owner;
    EXECUTE statement;
    RAISE EXCEPTION USING ERRCODE = 'UNDO0', MESSAGE = 'undo';
  EXCEPTION WHEN SQLSTATE 'UNDO0' THEN RETURN 'done';
            WHEN OTHERS THEN RETURN SQLSTATE;
  END;
END $$;
SELECT isnt(pg_temp.as_owner(statement), 'done', 'refused: ' || statement)
  FROM unnest(ARRAY['ALTER TABLE items ALTER project_id TYPE bigint',
                    'ALTER TABLE items DROP COLUMN project_id',
                    'ALTER TABLE items DROP COLUMN project_uuid']) AS statement;
SELECT is(pg_temp.as_owner(statement), '42501', 'threat: ' || statement)
  FROM unnest(ARRAY['ALTER TABLE items DROP COLUMN project_id CASCADE',
                    'ALTER TABLE items DROP COLUMN project_uuid CASCADE']) AS statement;
SELECT is(pg_temp.as_owner('ALTER TABLE items RENAME project_id TO board_id'), 'done',
          'the base column may be renamed');
ALTER TABLE items RENAME project_id TO board_id;
SELECT is(pg_temp.try('nora', 'UPDATE items SET board_id = 8 WHERE board_id = 7'), '0 rows',
          'and its rows are what they were');
SELECT is(pg_temp.rows('nora', 'SELECT count(*) FROM items WHERE board_id = 7'), '{40}',
          'under the new name');
SELECT * FROM finish();
ROLLBACK;
