\i test/include/prelude.psql
-- Mirrored tables whose keys are integers or texts: by generated columns of ids their policies use
-- indexes. The statement that seeme_mirror proposes in its NOTICE is executed as it stands.
BEGIN;
\i test/include/people.psql
\i test/include/asking.psql
SELECT plan(21);

CREATE SCHEMA app;
GRANT USAGE ON SCHEMA app TO t_app;
CREATE TABLE app.companies (id integer PRIMARY KEY, title text, boss text);
CREATE TABLE app."Board" (
  id varchar(40) PRIMARY KEY, company integer REFERENCES app.companies, title text, gone boolean);
CREATE TABLE app.board_people (board varchar(40), person text, kind text, PRIMARY KEY
  (board, person));
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA app TO t_app;
-- edith's company is the first; nora reads one board of the second.
INSERT INTO app.companies SELECT g, 'Company ' || g, CASE g WHEN 1 THEN :edith ELSE :olga END
  FROM generate_series(1, 40) g;
INSERT INTO app."Board" SELECT 'b' || g, g % 40 + 1, 'Board ' || g, false
  FROM generate_series(1, 2000) g;
SELECT seeme_mirror('app.companies', 'organizations',
                    '{"id": "id", "name": "title", "owner_id": "boss"}', protect => true),
       seeme_mirror('app."Board"', 'projects',
                    '{"id": "id", "organization_id": "company", "name": "title"}',
                    condition => 'NOT gone', protect => true) \g /dev/null
INSERT INTO seeme.organization_members (organization_id, user_id)
  VALUES (seeme_uuid('organization', 2), :nora);
INSERT INTO app.board_people VALUES ('b1', :nora, 'reader');
SELECT seeme_mirror('app.board_people', 'project_members',
                    '{"project_id": "board", "user_id": "person", "role_id": "kind"}',
                    roles => '{"reader": "Viewer"}', protect => true) \g /dev/null

CREATE TEMP TABLE before AS
  SELECT person, t, pg_temp.rows(person, 'SELECT * FROM ' || t || ' ORDER BY 1, 2') AS seen
    FROM unnest('{edith,nora,olga,stan}'::text[]) AS person,
         unnest(ARRAY['app.companies', 'app."Board"', 'app.board_people']) AS t;
SELECT is((SELECT string_agg(cardinality(seen)::text, ' ' ORDER BY t, person) FROM before),
          '50 1 1950 0 0 1 1 0 1 1 39 0', 'everybody sees rows of their own before');

SELECT is(seeme.statement_for_mirror_keys(m),
  'ALTER TABLE app."Board" ADD COLUMN project_uuid uuid GENERATED ALWAYS AS '
  '(public.seeme_uuid(''project'', id::text)) STORED, ADD COLUMN company_uuid uuid '
  'GENERATED ALWAYS AS (public.seeme_uuid(''organization'', company)) STORED; '
  'CREATE INDEX ON app."Board" (project_uuid); CREATE INDEX ON app."Board" (company_uuid); '
  'SELECT public.seeme_unmirror(''app."Board"''), public.seeme_mirror(''app."Board"'', '
  '''projects'', ''{"id": "project_uuid", "name": "title", "organization_id": "company_uuid"}'', '
  'condition => ''(NOT gone)'', protect => true);', 'the statement that the NOTICE has')
  FROM seeme.mirrors m WHERE m.kind = 'projects';
SELECT set_config('test.statement', seeme.statement_for_mirror_keys(m), true)
  FROM seeme.mirrors m WHERE m.kind = 'organizations' \g /dev/null
DO $$ BEGIN EXECUTE current_setting('test.statement'); END $$;
SELECT set_config('test.statement', seeme.statement_for_mirror_keys(m), true)
  FROM seeme.mirrors m WHERE m.kind = 'projects' \g /dev/null
DO $$ BEGIN EXECUTE current_setting('test.statement'); END $$;
SELECT set_config('test.statement', seeme.statement_for_mirror_keys(m), true)
  FROM seeme.mirrors m WHERE m.kind = 'project_members' \g /dev/null
DO $$ BEGIN EXECUTE current_setting('test.statement'); END $$;
SELECT is((SELECT count(*) FROM seeme.mirrors m WHERE seeme.statement_for_mirror_keys(m) IS NULL
             AND m.protect), 3::bigint,
          'it was executed, and there is nothing to propose any more');
SELECT is((SELECT string_agg(format('%s %s', t, d.difference), ', ')
             FROM unnest(ARRAY['app.companies', 'app."Board"', 'app.board_people']) AS t,
                  seeme_mirror_differences(t::regclass) d
            WHERE d.difference <> 'not in the table'), NULL, 'nothing differs');
SELECT is(pg_temp.rows(person, 'SELECT ' || columns || ' FROM ' || t || ' ORDER BY 1, 2'), seen,
          format('%s sees the same rows of %s', person, t))
  FROM before JOIN (VALUES ('app.companies', 'id, title, boss'),
                           ('app."Board"', 'id, company, title, gone'),
                           ('app.board_people', 'board, person, kind')) AS c (t, columns) USING (t)
 WHERE person <> 'stan' ORDER BY person, t;

-- Plans
ANALYZE app."Board";
CREATE FUNCTION pg_temp.plan_of(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE plan text := ''; line text;
BEGIN
  FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP plan := plan || line || E'\n'; END LOOP;
  RETURN plan;
END $$;
SELECT pg_temp.become('nora') \g /dev/null
SELECT matches(pg_temp.plan_of('SELECT * FROM app."Board"'),
               'Index Cond: \(project_uuid = ANY \(seeme_permitted_projects', 'an index is used');
SELECT pg_temp.become(NULL) \g /dev/null

-- Changes go on.
SELECT is(pg_temp.rows('edith', 'INSERT INTO app."Board" VALUES (''new'', 1, ''New'', false)',
                       'SELECT name FROM seeme.projects '
                       'WHERE id = seeme_uuid(''project'', ''new'')'),
          '{New}', 'a row that is added');
SELECT is(pg_temp.rows('edith', 'UPDATE app."Board" SET gone = true WHERE id = ''b40''',
                       'SELECT archived_at IS NOT NULL FROM seeme.projects '
                       'WHERE id = seeme_uuid(''project'', ''b40'')'), '{true}', 'or archived');
SELECT is(pg_temp.try('edith', 'INSERT INTO app."Board" VALUES (''new'', 2, ''New'', false)'),
          '42501', 'threat: a board in somebody else''s company');
SELECT is(pg_temp.try('edith', format('INSERT INTO app."Board" VALUES (%L, 1, ''New'', false)',
                                      seeme_uuid('project', 'of somebody else'))), '42501',
          'threat: a text key that is the id of another key, which somebody will add later');
SELECT is(pg_temp.try('edith', format('INSERT INTO app."Board" VALUES (%L, 1, ''New'', false)',
                                      gen_random_uuid())), '1 row', 'another uuid is a key');
SELECT is(pg_temp.try('edith', 'UPDATE app."Board" SET company = 2 WHERE id = ''b40'''), '23514',
          'threat: a board is moved to somebody else''s company by its integer');
SELECT throws_ok($$SELECT seeme_unmirror('app."Board"'), seeme_mirror('app."Board"', 'projects',
    '{"id": "company_uuid", "organization_id": "company_uuid", "name": "title"}')$$, '42804',
  'column "company_uuid" of table app."Board" has ids of the kind "organization"',
  'a generated column of another kind');
SELECT * FROM finish();
ROLLBACK;
