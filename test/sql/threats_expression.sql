\i test/include/prelude.psql
-- A generated column that tells where a row lies: it stays generated, and from the same columns.
BEGIN;
\i test/include/people.psql
\i test/include/asking.psql
\i test/include/security_report.psql
SELECT plan(20);
SELECT current_setting('server_version_num')::integer >= 170000 AS sets_expression \gset

INSERT INTO seeme.projects (id, organization_id, name)
SELECT seeme_uuid('project', n), :acme, 'Project ' || n FROM generate_series(1, 2) AS n;
-- In a plain table the trigger on moved rows fires after the update, in a partitioned one before.
CREATE TABLE cards (id integer PRIMARY KEY, board integer, other integer, project_id uuid
  GENERATED ALWAYS AS (seeme_uuid('project', board)) STORED, owner_id uuid);
CREATE TABLE parts (id integer PRIMARY KEY, board integer, other integer, project_id uuid
  GENERATED ALWAYS AS (seeme_uuid('project', board)) STORED, owner_id uuid) PARTITION BY RANGE (id);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (100);
CREATE TABLE plain (id integer PRIMARY KEY, board integer, project_id uuid, more integer
  GENERATED ALWAYS AS (board + 1) STORED, owner_id uuid);
CREATE INDEX ON cards (project_id); CREATE INDEX ON parts (project_id);
CREATE INDEX ON plain (project_id); CREATE INDEX ON cards (owner_id);
CREATE INDEX ON parts (owner_id); CREATE INDEX ON plain (owner_id);
INSERT INTO cards VALUES (1, 1, 2);
INSERT INTO parts VALUES (1, 1, 2);
CREATE ROLE t_migrator BYPASSRLS LOGIN;
GRANT CREATE, USAGE ON SCHEMA public TO t_migrator;
SELECT seeme_protect(t, t, project_column => 'project_id', owner_column => 'owner_id')
  FROM unnest('{cards,parts,plain}'::text[]) AS t \g /dev/null
SELECT format('ALTER TABLE %s OWNER TO t_migrator', t)
  FROM unnest('{cards,parts,parts_1,plain}'::text[]) AS t \gexec
GRANT SELECT, UPDATE ON cards, parts, plain TO t_app;
DELETE FROM found_before;
INSERT INTO found_before SELECT * FROM seeme_security_report();
SELECT is((SELECT string_agg(table_name || ': ' || generated_columns::text, '; '
                             ORDER BY table_name::text) FROM seeme.protected_tables),
  'cards: {project_id}; parts: {project_id}; plain: {}', 'what was generated is recorded');

SELECT matches(pg_temp.complaint('migrator',
    format('ALTER TABLE %s ALTER COLUMN project_id DROP EXPRESSION', t)),
  '^42501: table (public\.)?' || t
  || ' is protected, and this statement would take away or change: expression of project_id',
  'threat: the owner''s migration lets people write the scope column of ' || t)
  FROM unnest('{cards,parts}'::text[]) AS t;
SELECT is(pg_temp.try('migrator', 'ALTER TABLE plain ALTER COLUMN more DROP EXPRESSION'), '0 rows',
  'a generated column that is no scope column is the owner''s business');
SELECT is(pg_temp.try('migrator', $x$DO $do$ BEGIN PERFORM seeme_unprotect('cards');
    ALTER TABLE cards ALTER COLUMN project_id DROP EXPRESSION;
    PERFORM seeme_protect('cards', 'cards', project_column => 'project_id'); END $do$$x$), '42501',
  'the protection is ended by a superuser');
SELECT is(pg_temp.try(NULL, $x$DO $do$ BEGIN PERFORM seeme_unprotect('cards');
    ALTER TABLE cards ALTER COLUMN project_id DROP EXPRESSION;
    PERFORM seeme_protect('cards', 'cards', project_column => 'project_id'); END $do$$x$), '0 rows',
  'a table may be protected again by the column that is not generated any more');
SELECT is(pg_temp.rows(NULL, 'ALTER TABLE ' || t || ' RENAME project_id TO place',
    $$SELECT generated_columns FROM seeme.protected_tables WHERE table_name = '$$ || t
    || '''::regclass'), '{"[\"place\"]"}', 'the record follows a renamed generated column of ' || t)
  FROM unnest('{cards,parts}'::text[]) AS t;
SELECT is(pg_temp.try('migrator', 'ALTER TABLE cards RENAME board TO board_number'), '0 rows',
  'the column from which it is generated may be renamed');

-- A superuser's statement is not refused
SELECT pg_temp.both_ways('scope column is not generated', 'high', 'public.' || t,
  format('ALTER TABLE %s ALTER COLUMN project_id DROP EXPRESSION', t),
  'a superuser dropped the expression of ' || t,
  format('SELECT seeme_unprotect(%1$L), seeme_protect(%1$L, %1$L, project_column => '
         '''project_id'', owner_column => ''owner_id'')', t))
  FROM unnest('{cards,parts}'::text[]) AS t;
SELECT alike(array_to_string(pg_temp.found('ALTER TABLE parts ALTER project_id DROP EXPRESSION'),
    E'\n'),
  '%scope column is not generated: project_id%trigger watches another column: project_id tells '
  'where a row lies, and zz_seeme_check_moved_row does not fire%',
  'threat: nothing watches the scope column of a partitioned table once people write it');
SELECT is(pg_temp.found('ALTER TABLE plain ALTER COLUMN more DROP EXPRESSION'), NULL,
  'the report finds nothing where another column is not generated any more');

-- An expression from other columns: PostgreSQL 17 and later
\if :sets_expression
SELECT matches(pg_temp.complaint('migrator', 'ALTER TABLE parts ALTER COLUMN project_id '
    'SET EXPRESSION AS (seeme_uuid(''project'', other))'),
  '^42501: .* take away or change: other in trigger zz_seeme_check_moved_row',
  'threat: the owner''s migration has nothing watch what tells the scope');
SELECT pg_temp.both_ways('trigger watches another column', 'high', 'public.parts',
  'ALTER TABLE parts ALTER COLUMN project_id SET EXPRESSION AS (seeme_uuid(''project'', other))',
  'a superuser gave the scope column another expression');
SELECT is(pg_temp.try('migrator', 'ALTER TABLE cards ALTER COLUMN project_id SET EXPRESSION AS '
    '(seeme_uuid(''project'', other))'), '0 rows',
  'in a plain table the trigger watches the generated column itself');
SELECT is(pg_temp.found('ALTER TABLE parts ALTER COLUMN project_id SET EXPRESSION AS '
    '(seeme_uuid(''project'', board::bigint))'), NULL, 'another expression from the same column');
\else
SELECT pass(n) FROM unnest(ARRAY[
  'threat: the owner''s migration has nothing watch what tells the scope',
  'trigger watches another column: a superuser gave the scope column another expression',
  'trigger watches another column: and its remedy leaves nothing to be found',
  'in a plain table the trigger watches the generated column itself',
  'another expression from the same column']) AS n;
\endif
SELECT * FROM finish();
ROLLBACK;
