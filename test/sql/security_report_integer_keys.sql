\i test/include/prelude.psql
-- What seeme_security_report() finds where keys are integers and texts, and the application's own
-- tables are mirrored: tables that were left out, and foreign keys by the columns from which scope
-- columns are generated. Cases as in security_report.sql.
SET client_min_messages = error;
BEGIN;
\i test/include/security_report.psql
SELECT plan(28);

CREATE ROLE k_app LOGIN;
SELECT seeme_grant_usage('k_app') \g /dev/null
CREATE TABLE people (id integer PRIMARY KEY, email text);
CREATE TABLE companies (id integer PRIMARY KEY, title text, boss integer REFERENCES people);
CREATE TABLE boards (id text PRIMARY KEY, company integer REFERENCES companies, title text);
INSERT INTO people VALUES (1, 'ada@example.com'), (2, 'bob@example.com');
INSERT INTO companies VALUES (10, 'Acme', 1);
INSERT INTO boards VALUES ('cjld2cjxh0000qzrmn831i7rn', 10, 'Plans'),
  ('cl9ebqhxk0000', 10, 'Plots');
SELECT seeme_mirror('people', 'users', '{"id": "id", "email": "email"}'),
       seeme_mirror('companies', 'organizations',
                    '{"id": "id", "name": "title", "owner_id": "boss"}', protect => true),
       seeme_mirror('boards', 'projects',
                    '{"id": "id", "organization_id": "company", "name": "title"}',
                    protect => true) \g /dev/null
GRANT SELECT, INSERT, UPDATE, DELETE ON companies, boards TO k_app;

-- None of these is a weakness: a table that is protected by generated columns, with foreign keys
-- that carry the keys from which they are generated; a mirrored one; one that nobody reaches.
CREATE TABLE models (id integer PRIMARY KEY, board_id text REFERENCES boards, name text,
  UNIQUE (id, board_id));
CREATE TABLE runs (id integer PRIMARY KEY, model_id integer, board_id text,
  FOREIGN KEY (model_id, board_id) REFERENCES models (id, board_id) ON UPDATE CASCADE);
CREATE TABLE colours (id integer PRIMARY KEY, name text);
CREATE FUNCTION pg_temp.follow_hint(statement text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE hint text;
BEGIN
  EXECUTE statement;
EXCEPTION WHEN datatype_mismatch THEN
  GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
  EXECUTE hint;
END $$;
SELECT pg_temp.follow_hint(
         $$SELECT seeme_protect('models', 'models', project_column => 'board_id')$$),
       pg_temp.follow_hint(
         $$SELECT seeme_protect('runs', 'workflows', project_column => 'board_id')$$) \g /dev/null
GRANT SELECT, INSERT, UPDATE, DELETE ON models, runs TO k_app;
SELECT is(pg_temp.lines(), NULL, 'tables protected by generated columns, and the keys between '
          'them, have no findings');

SELECT pg_temp.both_ways(c.name, c.severity, c.object, c.weakness, c.why, c.mend) FROM (VALUES
  (1, 'table without row security', 'high', 'public.notes',
   $$CREATE TABLE notes (id integer PRIMARY KEY, board text REFERENCES boards);
     GRANT SELECT ON notes TO k_app$$, 'a text that refers to a mirrored table', NULL),
  (2, 'table without row security', 'high', 'public."TaskNote"',
   $$CREATE TABLE "TaskNote" (id text PRIMARY KEY, "boardId" varchar(30));
     GRANT SELECT ON "TaskNote" TO k_app$$,
   'a name made of the mirrored table''s, without a foreign key', NULL),
  (3, 'table without row security', 'high', 'public.bills',
   $$CREATE TABLE bills (id integer PRIMARY KEY, company_id bigint); GRANT SELECT ON bills TO
     k_app$$, 'an integer, by the name of the organizations'' table', NULL),
  (4, 'table without row security', 'high', 'public.bills',
   $$CREATE TABLE bills (id integer PRIMARY KEY, company_id integer REFERENCES companies,
       board_id text REFERENCES boards); GRANT SELECT ON bills TO k_app$$,
   'the narrowest of several', NULL),
  (5, 'table without row security', 'medium', 'public.tokens',
   $$CREATE TABLE tokens (id integer PRIMARY KEY, person integer REFERENCES people);
     GRANT SELECT ON tokens TO k_app$$, 'rows that belong to people', NULL),
  (6, 'table without row security', 'low', 'public.tokens',
   $$CREATE TABLE tokens (id integer PRIMARY KEY, person integer REFERENCES people)$$,
   'and that nobody was granted', NULL),
  (7, 'table without row security', 'high', 'public.tags',
   $$CREATE TABLE tags (id integer PRIMARY KEY, model integer REFERENCES models);
     GRANT SELECT ON tags TO k_app$$, 'an integer that refers to a protected table', NULL),
  (8, 'table is not protected', 'info', 'public.colours', $$GRANT SELECT ON colours TO k_app$$,
   'nothing tells whose its rows are', NULL),
  (9, 'mirrored table is open', 'high', 'public.people', $$GRANT SELECT ON people TO k_app$$,
   'a mirrored table is told of once', NULL),
  (10, 'foreign key does not carry the scope', 'medium', 'public.parts',
   $$CREATE TABLE parts (id integer PRIMARY KEY, board_id text,
       model_id integer REFERENCES models ON DELETE SET NULL);
     SELECT pg_temp.follow_hint(
       'SELECT seeme_protect(''parts'', ''graphs'', project_column => ''board_id'')')$$,
   'by the integer alone', NULL),
  (11, 'row is left to its owner', 'medium', 'public.drafts',
   $$CREATE TABLE drafts (id integer PRIMARY KEY, author integer,
       board_id text REFERENCES boards ON DELETE SET NULL);
     SELECT pg_temp.follow_hint('SELECT seeme_protect(''drafts'', ''graphs'',
       project_column => ''board_id'', owner_column => ''author'')')$$,
   'ON DELETE SET NULL of the key from which the scope is generated', NULL)
) AS c (n, name, severity, object, weakness, why, mend) ORDER BY c.n;

-- The remedies are the statements that protect.
CREATE TABLE notes (id integer PRIMARY KEY, board text REFERENCES boards, author integer REFERENCES
  people);
INSERT INTO notes VALUES (1, 'cjld2cjxh0000qzrmn831i7rn', 2);
GRANT SELECT ON notes TO k_app;
SELECT is((SELECT remedy FROM pg_temp.report() WHERE object = 'public.notes'),
  'ALTER TABLE public.notes ADD COLUMN board_uuid uuid GENERATED ALWAYS AS '
  '(public.seeme_uuid(''project'', board)) STORED; CREATE INDEX ON public.notes (board_uuid); '
  'SELECT public.seeme_protect(''public.notes'', ''notes'', project_column => ''board_uuid'');',
  'the remedy has the generated column');
SELECT remedy FROM pg_temp.report() WHERE object = 'public.notes' \gset
:remedy
SELECT is(pg_temp.lines(), NULL, 'and ends the finding');
SELECT results_eq('SELECT array_agg(id) FROM notes WHERE board_uuid = '
                  '(SELECT id FROM seeme.projects WHERE name = ''Plans'')',
                  'VALUES (''{1}''::integer[])', 'the row lies in its board');

-- A key by the generated columns themselves carries the scope, too.
CREATE TABLE parts (id integer PRIMARY KEY, model_id integer, board_id text,
  board_uuid uuid GENERATED ALWAYS AS (seeme_uuid('project', board_id)) STORED);
ALTER TABLE models ADD UNIQUE (id, board_uuid);
ALTER TABLE parts ADD FOREIGN KEY (model_id, board_uuid) REFERENCES models (id, board_uuid);
CREATE INDEX ON parts (board_uuid);
SELECT seeme_protect('parts', 'graphs', project_column => 'board_uuid') \g /dev/null
SELECT is(pg_temp.lines(), NULL, 'a foreign key by the generated columns carries the scope');
ALTER TABLE parts DROP CONSTRAINT parts_model_id_board_uuid_fkey,
  ADD FOREIGN KEY (model_id) REFERENCES models;
SELECT is((SELECT remedy FROM pg_temp.report() WHERE object = 'public.parts'),
  'ALTER TABLE public.parts DROP CONSTRAINT parts_model_id_fkey, ADD CONSTRAINT '
  'parts_model_id_fkey FOREIGN KEY (model_id, board_id) REFERENCES public.models (id, board_id);',
  'the remedy names the columns from which the scope is generated');
SELECT * FROM finish();
ROLLBACK;
