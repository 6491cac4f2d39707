\i test/include/prelude.psql
-- A public column of another type than boolean: the hint of seeme_protect has a statement that
-- makes the right one. It runs as it stands.
BEGIN;
\i test/include/people.psql
\i test/include/asking.psql
SELECT plan(16);
CREATE TYPE visibility AS ENUM ('private', 'internal', 'Public');
CREATE TYPE stage AS ENUM ('draft', 'published');
CREATE DOMAIN level AS integer;
CREATE TABLE one (id uuid PRIMARY KEY, project_id uuid, visibility visibility, stage stage,
  "Seen by" text, level level, published_at timestamptz);
CREATE TABLE parts (LIKE one) PARTITION BY HASH (id);
CREATE TABLE parts_0 PARTITION OF parts FOR VALUES WITH (MODULUS 1, REMAINDER 0);
CREATE TABLE child (one_id uuid REFERENCES one, LIKE one);
CREATE TABLE taken (LIKE one, is_public text);
INSERT INTO one VALUES (gen_random_uuid(), :alpha, 'Public', 'published', 'public', 1, now()),
  (gen_random_uuid(), :beta, 'internal', 'draft', 'me', 0, NULL);
INSERT INTO parts SELECT * FROM one;
INSERT INTO child SELECT id, one.* FROM one;
INSERT INTO taken SELECT * FROM one;

-- What the hint says; then how many rows are public once its statements ran and the table is
-- protected by the column that they made.
CREATE FUNCTION pg_temp.hint(relation text, public_column text, more text = '') RETURNS text
  LANGUAGE sql AS $$
  SELECT split_part(pg_temp.complaint(NULL, format(
    'SELECT seeme_protect(%L, ''docs'', project_column => ''project_id'', public_column => %L%s)',
    relation, public_column, more)), ' | ', 3) $$;
CREATE FUNCTION pg_temp.made(relation text, public_column text, more text = '') RETURNS text
  LANGUAGE plpgsql AS $$
DECLARE
  statements text := substring(pg_temp.hint(relation, public_column, more)
                               FROM 'For example: (.*;)');
  made       text := substring(statements FROM 'ADD COLUMN (\w+) boolean');
  result     text;
BEGIN
  BEGIN
    EXECUTE statements;
    EXECUTE format('SELECT seeme_protect(%L, ''docs'', project_column => ''project_id'', '
                   'public_column => %L%s)', relation, made, more);
    EXECUTE format('SELECT count(*) || '' of '' || (SELECT count(*) FROM %s) FROM %1$s WHERE %I',
                   relation, made) INTO result;
    RAISE EXCEPTION USING ERRCODE = 'UNDO0', MESSAGE = 'undo';
  EXCEPTION WHEN SQLSTATE 'UNDO0' THEN NULL;
  END;
  RETURN result;
END $$;

SELECT is(pg_temp.hint('one', 'visibility'), 'public_column names a column of type boolean. For '
  'example: ALTER TABLE public.one ADD COLUMN is_public boolean GENERATED ALWAYS AS (visibility = '
  '''Public'') STORED;', 'the hint for an enum names its label');
SELECT is(pg_temp.made('one', c), '1 of 2', 'the statement of the hint makes a public column of '
  || c) FROM unnest('{visibility,stage,Seen by,level,published_at}'::text[]) AS c;
SELECT is(pg_temp.made('taken', 'visibility'), '1 of 2',
  'the statement of the hint makes a public column where another one is called is_public');

SELECT is(pg_temp.hint('parts', 'visibility'), 'public_column names a column of type boolean. For '
  'example: ALTER TABLE public.parts ADD COLUMN is_public boolean; UPDATE public.parts SET '
  'is_public = visibility = ''Public''; Let a BEFORE trigger, or the application, keep it so.',
  'the hint for a partitioned table makes no generated column, which would be refused');
SELECT is(pg_temp.made('parts', c), '1 of 2',
  'the statements of the hint make a public column of a partitioned table of ' || c)
  FROM unnest('{visibility,stage,Seen by,level,published_at}'::text[]) AS c;
SELECT seeme_protect('one', 'ones', project_column => 'project_id') \g /dev/null
SELECT is(pg_temp.made('child', 'visibility', ', parent_column => ''one_id'''), '1 of 2',
  'the statements of the hint make a public column of a table with a parent');

SELECT is(pg_temp.hint('parts', 'nothing'), 'public_column names a column of the table; it has: '
  'id, project_id, visibility, stage, "Seen by", level, published_at.',
  'the hint for a missing public column names the columns of the table');
SELECT is(pg_temp.hint('taken', 'nothing', ', team_column => ''none'''),
  'team_column names a column of the table; it has: id, project_id.',
  'the hint for a missing scope column names the columns of type uuid');
SELECT * FROM finish();
ROLLBACK;
