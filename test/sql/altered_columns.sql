\i test/include/prelude.psql
-- ALTER TABLE on a protected table whose names are followed, as migration tools do it: it works,
-- and the names are followed afterwards.
BEGIN;
\i test/include/people.psql
\i test/include/asking.psql
SELECT plan(52);
INSERT INTO thing VALUES ('x1', '9c000000-0000-4000-8000-000000000001'),
  ('x2', '9c000000-0000-4000-8000-000000000002'), ('x3', '9c000000-0000-4000-8000-000000000003');
CREATE ROLE t_migrator BYPASSRLS;
GRANT CREATE, USAGE ON SCHEMA public TO t_migrator;
CREATE TABLE t_paper (id uuid PRIMARY KEY, project_id uuid, name text, body text);
CREATE TABLE t_parted (id uuid, project_id uuid, name text) PARTITION BY HASH (id);
CREATE TABLE t_parted_0 PARTITION OF t_parted FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE t_parted_1 PARTITION OF t_parted FOR VALUES WITH (MODULUS 2, REMAINDER 1);
CREATE TABLE t_base (id uuid, name text);
CREATE TABLE t_derived (project_id uuid, PRIMARY KEY (id)) INHERITS (t_base);
CREATE TABLE t_owned (id uuid PRIMARY KEY, title text, owner_id uuid);
INSERT INTO t_paper VALUES (pg_temp.id('x1'), :alpha, 'First', 'Body');
INSERT INTO t_parted VALUES (pg_temp.id('x1'), :alpha, 'First'),
  (pg_temp.id('x2'), :alpha, 'Second');
INSERT INTO t_derived VALUES (pg_temp.id('x1'), 'First', :alpha);
INSERT INTO t_owned VALUES (pg_temp.id('x1'), 'First', :nora);
SELECT seeme_protect('t_paper', 'models', project_column => 'project_id') \g /dev/null
SELECT seeme_protect('t_parted', 'workflows', project_column => 'project_id',
  resource_id_column => 'id') \g /dev/null
SELECT seeme_protect('t_derived', 'graphs', project_column => 'project_id') \g /dev/null
SELECT seeme_protect('t_owned', 'datasets', owner_column => 'owner_id') \g /dev/null
INSERT INTO seeme.project_resources (project_id, resource_type, resource_id)
  SELECT :alpha, t, pg_temp.id('x1') FROM unnest(ARRAY['model','workflow','graph','dataset']) AS t;
ALTER TABLE t_paper OWNER TO t_migrator; ALTER TABLE t_parted OWNER TO t_migrator; ALTER TABLE
  t_parted_0 OWNER TO t_migrator; ALTER TABLE t_parted_1 OWNER TO t_migrator; ALTER TABLE t_base
  OWNER TO t_migrator; ALTER TABLE t_derived OWNER TO t_migrator;

-- What the migration does, and then what an UPDATE makes of the assignment's name; all of it undone
CREATE FUNCTION pg_temp.migrated(type text, renaming text, VARIADIC statements text[]) RETURNS text
  LANGUAGE plpgsql AS $$
DECLARE
  statement text; outcome text; bad text;
BEGIN
  BEGIN
    SET LOCAL ROLE t_migrator;
    FOREACH statement IN ARRAY statements LOOP EXECUTE statement; END LOOP;
    RESET ROLE;
    IF renaming <> '' THEN EXECUTE pg_temp.fill(renaming); END IF;
    outcome := (SELECT resource_name FROM seeme.project_resources r WHERE r.resource_type = type
    AND r.resource_id = pg_temp.id('x1'));
    bad := (SELECT string_agg(f.object || ': ' || f.finding, E'\n')
    FROM seeme.findings_on_protected_tables() f
    WHERE f.finding !~ '^(scope column has no index|resource id is not unique)');
    RAISE EXCEPTION USING ERRCODE = 'UNDO0', MESSAGE = 'undo';
  EXCEPTION
    WHEN SQLSTATE 'UNDO0' THEN RETURN outcome || coalesce(', but ' || bad, '');
    WHEN OTHERS THEN RESET ROLE; RETURN SQLSTATE;
  END;
END $$;
CREATE FUNCTION pg_temp.triggers(rel regclass) RETURNS text LANGUAGE sql
AS $$ SELECT string_agg(pg_get_triggerdef(oid), E'\n' ORDER BY tgname) FROM pg_trigger
  WHERE tgrelid = rel AND NOT tgisinternal $$;

SELECT is(pg_temp.migrated('model', 'UPDATE t_paper SET name = ''Second''', 'SELECT 1'), 'Second',
  'before');
SELECT is(pg_temp.migrated('model', 'UPDATE t_paper SET name = ''Second''',
  'ALTER TABLE t_paper ALTER COLUMN name TYPE ' || type), 'Second',
  'a name column of another type is followed: ' || type)
  FROM unnest(ARRAY['varchar(500)', 'varchar', 'varchar(20) USING left(name, 20)',
  'text COLLATE "C"']) AS type;
SELECT is(pg_temp.migrated('model', 'UPDATE t_paper SET name = ''Second''', statement), 'Second',
  'among others: ' || statement)
  FROM unnest(
  ARRAY['ALTER TABLE public.t_paper ALTER COLUMN name SET DATA TYPE varchar(500), ALTER COLUMN '
        'name SET NOT NULL, ADD COLUMN more text',
    'ALTER TABLE t_paper ADD COLUMN more text, ALTER name TYPE varchar(9), DROP COLUMN body',
    'ALTER TABLE ONLY t_paper ALTER COLUMN name TYPE varchar(9)',
    'ALTER TABLE IF EXISTS t_paper ALTER COLUMN name TYPE varchar(9)',
    'ALTER TABLE t_paper ALTER COLUMN id TYPE uuid USING id',
    'ALTER TABLE t_paper ALTER COLUMN name SET DEFAULT ''x''',
    'DO $do$ BEGIN EXECUTE ''ALTER TABLE t_paper ALTER COLUMN name TYPE varchar(9)''; END $do$'])
    AS statement;
SELECT is(pg_temp.migrated('model', 'UPDATE t_paper SET name = ''Second''',
  'ALTER TABLE t_paper ALTER COLUMN name TYPE varchar(500)',
  'ALTER TABLE t_paper ALTER COLUMN name TYPE text'), 'Second', 'there and back');
SELECT is(pg_temp.migrated('model', 'UPDATE t_paper SET heading = ''Second''',
  'ALTER TABLE t_paper RENAME COLUMN name TO heading'), 'Second',
  'a renamed name column is followed');
SELECT is(pg_temp.migrated('model', 'UPDATE t_paper SET heading = ''Second''',
  'ALTER TABLE t_paper RENAME name TO heading',
  'ALTER TABLE t_paper ALTER COLUMN heading TYPE varchar(500)'), 'Second', 'of another type, too');
SELECT is(pg_temp.migrated('model', 'UPDATE t_paper SET "Heading, of it" = ''Second''',
  'ALTER TABLE t_paper RENAME name TO "Heading, of it"',
  'ALTER TABLE t_paper ALTER COLUMN "Heading, of it" TYPE varchar(500)'), 'Second',
  'whatever it is called');
SELECT is(pg_temp.migrated('model', 'UPDATE t_paper SET name = ''Second''',
  'ALTER TABLE t_paper RENAME COLUMN id TO paper_id',
  'ALTER TABLE t_paper ALTER COLUMN name TYPE varchar(9)'), 'Second', 'with a renamed id');
SELECT is(pg_temp.migrated('model', 'UPDATE t_sheet SET name = ''Second''',
  'ALTER TABLE t_paper RENAME TO t_sheet', 'ALTER TABLE t_sheet ALTER COLUMN name TYPE varchar(9)'),
  'Second', 'a renamed table');
SELECT is(pg_temp.migrated('model', 'UPDATE t_paper SET name = ''Second''',
  'ALTER TABLE t_paper ADD COLUMN name2 varchar(500)', 'UPDATE t_paper SET name2 = name',
  'ALTER TABLE t_paper DROP COLUMN name', 'ALTER TABLE t_paper RENAME name2 TO name'), 'Second',
  'a column that takes the place of another one');
SELECT is(
  pg_temp.migrated('model', '',
  'ALTER TABLE t_paper ADD COLUMN title varchar(500) DEFAULT ''A title''',
  'ALTER TABLE t_paper DROP COLUMN name'), 'A title',
  'one that is there when the name goes names at once');
SELECT is(pg_temp.migrated('model', 'UPDATE t_paper SET title = ''Second''',
  'ALTER TABLE t_paper ADD COLUMN title varchar(500) DEFAULT ''A title''',
  'ALTER TABLE t_paper DROP COLUMN name'), 'Second', 'and is followed');
SELECT is(pg_temp.migrated('model', 'UPDATE t_paper SET body = ''Second''', statement), 'First',
  'following ends, the name stays: ' || statement)
  FROM unnest(ARRAY['ALTER TABLE t_paper DROP COLUMN name',
  'ALTER TABLE t_paper DROP COLUMN IF EXISTS name CASCADE',
  'ALTER TABLE t_paper ALTER COLUMN name TYPE jsonb USING to_jsonb(name)']) AS statement;
SELECT is(pg_temp.migrated('model', 'UPDATE t_paper SET name = ''Second''',
  'ALTER TABLE t_paper ALTER COLUMN name TYPE integer USING 1',
  'ALTER TABLE t_paper ALTER COLUMN name TYPE text'), 'Second',
  'and begins again with a name that is text');
SELECT is(pg_temp.migrated('model', '', 'ALTER TABLE t_paper ALTER COLUMN id TYPE text'), '42804',
  'ids stay ids');
SELECT is(pg_temp.migrated('model', '', 'ALTER TABLE t_paper DROP COLUMN id'), '2BP01',
  'and stay there');
SELECT is(pg_temp.complaint(NULL, 'ALTER TABLE t_paper ALTER COLUMN id TYPE text'),
  '42804: rows of table public.t_paper are assigned to projects by its column "id" |  | It stays a '
  'uuid: or SELECT seeme_unprotect(''public.t_paper'') first.', 'with words');
SELECT is(pg_temp.migrated('workflow', '', 'ALTER TABLE t_parted ALTER COLUMN id TYPE text'),
  '42P16', 'as PostgreSQL says of what a policy or a partition key names');
SELECT is(pg_temp.migrated('workflow', 'UPDATE t_parted SET name = ''Third'' WHERE id = {x1}',
  'ALTER TABLE t_parted ALTER COLUMN name TYPE varchar(500)'), 'Third', 'a partitioned table');
SELECT is(pg_temp.migrated('workflow', 'UPDATE t_parted SET title = ''Third'' WHERE id = {x1}',
  'ALTER TABLE t_parted RENAME name TO title',
  'ALTER TABLE t_parted ALTER COLUMN title TYPE varchar(500)'), 'Third',
  'a partitioned table, its name renamed');
SELECT is(pg_temp.migrated('graph', 'UPDATE t_derived SET name = ''Third''',
  'ALTER TABLE t_base ALTER COLUMN name TYPE varchar(500)'), 'Third',
  'a table that inherits its name');
SELECT is(pg_temp.migrated('graph', 'UPDATE t_derived SET label = ''Third''',
  'ALTER TABLE t_base RENAME COLUMN name TO label',
  'ALTER TABLE t_base ALTER COLUMN label TYPE varchar(500)'), 'Third', 'under another name');
SELECT is(pg_temp.rows(NULL, 'SET LOCAL session_replication_role = replica',
  'ALTER TABLE t_paper ALTER COLUMN name TYPE varchar(500)',
  'SET LOCAL session_replication_role = origin', 'UPDATE t_paper SET name = ''Second''',
  $$SELECT resource_name FROM seeme.project_resources WHERE resource_type = 'model'$$), '{Second}',
  'while triggers are switched off');

-- Nothing else is different afterwards
SELECT pg_temp.triggers('t_paper') AS before \gset
ALTER TABLE t_paper ALTER COLUMN name TYPE text COLLATE "C";
SELECT is(pg_temp.triggers('t_paper'), :'before', 'the triggers are those from before');
SELECT is((SELECT name_column::text || ' ' || id_column FROM seeme.protected_tables
  WHERE table_name = 't_paper'::regclass), 'name id', 'so is what is remembered of the table');
ALTER TABLE t_paper RENAME COLUMN name TO heading;
SELECT is((SELECT name_column::text FROM seeme.protected_tables
  WHERE table_name = 't_paper'::regclass), 'heading', 'which follows a renamed column');
ALTER TABLE t_paper RENAME COLUMN heading TO name;

-- A statement that fails leaves all as it was
CREATE FUNCTION pg_temp.fails(person text, statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_temp.become(person);
  EXECUTE statement;
  RETURN 'it worked';
EXCEPTION WHEN OTHERS THEN RETURN SQLSTATE;
END $$;
SELECT is(
  pg_temp.fails(NULL, 'ALTER TABLE t_paper ALTER COLUMN name TYPE integer USING name::integer'),
  '22P02', 'a type that the values do not fit');
SELECT is(pg_temp.triggers('t_paper'), :'before', 'leaves the trigger');
UPDATE t_paper SET name = 'Still';
SELECT is((SELECT resource_name FROM seeme.project_resources WHERE resource_type = 'model'),
  'Still', 'and the name followed');
-- by whom
SELECT is(pg_temp.fails('edith', 'ALTER TABLE public.t_paper ALTER COLUMN name TYPE text'), '42501',
  'threat: who does not own the table has the trigger dropped');
SELECT is(pg_temp.fails('edith', 'ALTER TABLE public.t_paper DROP COLUMN name'), '42501',
  'threat: or drops the column');
SELECT pg_temp.become(NULL) \g /dev/null
SELECT is(pg_temp.triggers('t_paper'), :'before', 'the trigger is there');
SELECT is(pg_temp.try('edith', format('SELECT seeme.%s', f)), '42501',
  'threat: by a function of the extension''s: ' || f)
  FROM unnest(ARRAY['drop_follow_trigger(''t_paper'')', 'tables_with_dropped_trigger()',
  'follow_columns(NULL, true)', 'name_resources(''model'')', 'note_rows(''model'')',
  'has_row_now(''model'', {x1})', 'had_row(''model'', {x1})']) AS f;
GRANT EXECUTE ON FUNCTION seeme.drop_follow_trigger(regclass) TO t_app;
GRANT USAGE ON SCHEMA seeme TO t_migrator;
GRANT EXECUTE ON FUNCTION seeme.drop_follow_trigger(regclass) TO t_migrator;
SELECT is(pg_temp.rows(NULL, 'SET LOCAL ROLE t_migrator',
  'SELECT seeme.drop_follow_trigger(''t_paper'')'), '{42501}',
  'threat: the table''s owner, who was granted it');
-- a trigger of that name that is none of ours is left alone
CREATE TABLE t_other (id integer, name text);
CREATE FUNCTION public.t_nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER zzz_seeme_follow_resource AFTER UPDATE OF id,
  name ON t_other FOR EACH ROW EXECUTE FUNCTION t_nothing();
SELECT is(pg_temp.fails(NULL, 'ALTER TABLE t_other ALTER COLUMN name TYPE varchar(9)'), '0A000',
  'a trigger of somebody''s with that name stays in the way');

SELECT * FROM finish();
ROLLBACK;
