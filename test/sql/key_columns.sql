\i test/include/prelude.psql
-- Protected tables whose keys are text or integers: the hint of seeme_protect has the statements
-- that make them fit. Here they are executed as they stand.
BEGIN;
\i test/include/people.psql
\i test/include/asking.psql
CREATE EXTENSION IF NOT EXISTS citext;
SELECT plan(43);

CREATE SCHEMA app;
SET search_path = app, public;
CREATE DOMAIN app.positive AS integer CHECK (value > 0);
CREATE DOMAIN app.short_text AS varchar(40);
CREATE DOMAIN app.project_key AS uuid;

CREATE FUNCTION pg_temp.hint_of(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE hint text;
BEGIN
  EXECUTE statement;
  RETURN 'no error';
EXCEPTION WHEN datatype_mismatch THEN
  GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
  RETURN hint;
END $$;
-- What a person does who copies the hint.
CREATE FUNCTION pg_temp.follow_hint(statement text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE pg_temp.hint_of(statement);
END $$;

-- A project, in which paul is a Viewer, for each kind of key; and one in which he is not.
CREATE TEMP TABLE key (type text, key text, other text);
INSERT INTO key VALUES
  ('smallint', '7', '8'), ('integer', '42', '43'), ('bigint', '9000000000', '9000000001'),
  ('text', 'cjld2cjxh0000qzrmn831i7rn', 'cjld2cyuq0000t3rmniod1foy'),
  ('varchar(30)', 'cl9ebqhxk00003b600tymydho', 'cl9ebqhxk00013b60'),
  ('char(8)', 'ab', 'cd'), ('citext', 'Alpha', 'Beta'), ('name', 'n1', 'n2'),
  ('app.positive', '77', '78'), ('app.short_text', 'x1', 'x2'),
  ('text', 'd1000000-0000-4000-8000-00000000000a', 'd1000000-0000-4000-8000-00000000000b');
INSERT INTO seeme.projects (id, organization_id, name)
  SELECT seeme_uuid('project', k), :acme, 'Project ' || k
    FROM key, unnest(ARRAY[key, other]) AS k;
INSERT INTO seeme.project_members (project_id, user_id, role_id)
  SELECT seeme_uuid('project', key), :paul, pg_temp.builtin('Viewer') FROM key;
GRANT USAGE ON SCHEMA app TO t_app;

CREATE FUNCTION pg_temp.rows_of_type(type text, key text, other text)
RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE seen text[];
BEGIN
  EXECUTE format('CREATE TABLE app.things (id integer PRIMARY KEY, project_id %s)', type);
  GRANT SELECT, INSERT, UPDATE, DELETE ON app.things TO t_app;
  EXECUTE format('INSERT INTO app.things VALUES (1, %L), (2, %L), (3, NULL)', key, other);
  PERFORM pg_temp.follow_hint(
    $s$SELECT seeme_protect('things', 'models', project_column => 'project_id')$s$);
  seen := pg_temp.rows('paul', 'SELECT id, project_uuid FROM app.things');
  PERFORM seeme_unprotect('app.things');
  DROP TABLE app.things;
  RETURN seen;
END $$;
SELECT is(pg_temp.rows_of_type(type, key, other), ARRAY['1|' || seeme_uuid('project', key)],
          format('keys of type %s: the row of one''s own project, after the hint (%s)', type, key))
  FROM key;

-- Every column of a table at once, with names that need quotes.
CREATE TABLE app."My Models" (
  "projectId" integer, team_pk smallint, "org" app.positive, id bigint PRIMARY KEY,
  "order" varchar(20), team_uuid text, name text);
GRANT SELECT, INSERT, UPDATE, DELETE ON app."My Models" TO t_app;
SELECT is(pg_temp.hint_of($$SELECT seeme_protect('"My Models"', 'models',
    project_column => 'projectId', team_column => 'team_pk', organization_column => 'org',
    resource_id_column => 'id', owner_column => 'order', listing_columns => '{id,name}',
    owner_alone => false)$$),
  'ALTER TABLE app."My Models" '
  'ADD COLUMN project_uuid uuid GENERATED ALWAYS AS '
  '(public.seeme_uuid(''project'', "projectId")) STORED, '
  'ADD COLUMN team_uuid2 uuid GENERATED ALWAYS AS (public.seeme_uuid(''team'', team_pk)) STORED, '
  'ADD COLUMN org_uuid uuid GENERATED ALWAYS AS '
  '(public.seeme_uuid(''organization'', org::bigint)) STORED, '
  'ADD COLUMN model_uuid uuid GENERATED ALWAYS AS (public.seeme_uuid(''model'', id)) STORED, '
  'ADD COLUMN order_uuid uuid GENERATED ALWAYS AS '
  '(public.seeme_uuid(''user'', "order"::text)) STORED; '
  'CREATE INDEX ON app."My Models" (project_uuid); CREATE INDEX ON app."My Models" (team_uuid2); '
  'CREATE INDEX ON app."My Models" (org_uuid); '
  'CREATE UNIQUE INDEX ON app."My Models" (model_uuid); '
  'CREATE INDEX ON app."My Models" (order_uuid); '
  'SELECT public.seeme_protect(''app."My Models"'', ''models'', '
  'project_column => ''project_uuid'', team_column => ''team_uuid2'', '
  'organization_column => ''org_uuid'', resource_id_column => ''model_uuid'', '
  'owner_column => ''order_uuid'', listing_columns => ''{id,name}'', owner_alone => false);',
  'one statement adds all columns, each of the kind of its parameter, under free names');
SELECT lives_ok($$SELECT pg_temp.follow_hint($s$SELECT seeme_protect('"My Models"', 'models',
    project_column => 'projectId', team_column => 'team_pk', organization_column => 'org',
    resource_id_column => 'id', owner_column => 'order', listing_columns => '{id,name}',
    owner_alone => false)$s$)$$, 'and the hint runs as it stands');
INSERT INTO app."My Models" ("projectId", id, name) VALUES (42, 1, 'one'), (43, 2, 'two');
SELECT is(pg_temp.rows('paul', 'SELECT id, name FROM app."My Models"'), '{1|one}', 'the rows');
SELECT is(pg_temp.rows('paul', 'SELECT id, name FROM app."My Models_listing"'), '{1|one}',
          'the listing');
SELECT is((SELECT count(*) FROM seeme_security_report() r
            WHERE r.object LIKE '%My Models%' AND r.severity IN ('critical', 'high')), 0::bigint,
          'the report is content with the table');
SELECT lives_ok($$SELECT seeme.renew_protection('app."My Models"')$$,
                'its guards can be made anew');

-- Resources: names follow, and assignments go with the row.
INSERT INTO seeme.project_resources (project_id, resource_type, resource_id)
  VALUES (seeme_uuid('project', 43), 'model', seeme_uuid('model', 2));
SELECT is((SELECT resource_name FROM seeme.project_resources
            WHERE resource_id = seeme_uuid('model', 2)), 'two',
          'an assigned resource has its name');
UPDATE app."My Models" SET name = 'deux' WHERE id = 2;
SELECT is((SELECT resource_name FROM seeme.project_resources
            WHERE resource_id = seeme_uuid('model', 2)), 'deux', 'the name follows the row');
UPDATE app."My Models" SET id = 3 WHERE id = 2;
SELECT is((SELECT count(*) FROM seeme.project_resources
            WHERE resource_id = seeme_uuid('model', 2)), 0::bigint,
          'a row that gets another key is another resource: its assignment is gone');
INSERT INTO seeme.project_resources (project_id, resource_type, resource_id)
  VALUES (seeme_uuid('project', 43), 'model', seeme_uuid('model', 3));
DELETE FROM app."My Models" WHERE id = 3;
SELECT is((SELECT count(*) FROM seeme.project_resources
            WHERE resource_id = seeme_uuid('model', 3)), 0::bigint,
          'and it goes with a row that is deleted');

-- A type that nobody has registered yet, a table in parts, and a column that is generated already.
CREATE TABLE app.invoices (id integer, project_id bigint, at date, PRIMARY KEY (id, at))
  PARTITION BY RANGE (at);
CREATE TABLE app.invoices_2026 PARTITION OF app.invoices FOR VALUES FROM ('2026-01-01') TO
  ('2027-01-01');
GRANT SELECT, INSERT, UPDATE, DELETE ON app.invoices TO t_app;
INSERT INTO app.invoices VALUES (1, 42, '2026-02-01'), (2, 43, '2026-02-01');
SELECT lives_ok($$SELECT pg_temp.follow_hint($s$SELECT seeme_protect('invoices', 'invoices',
    project_column => 'project_id', resource_id_column => 'id')$s$)$$,
  'a partitioned table, with a resource type of its own');
SELECT is(seeme.kind_of_key_column('app.invoices', 'invoice_uuid'), 'invoice',
          'the kind is the resource type');
UPDATE seeme.roles SET permissions = permissions || '{invoices:read}' WHERE id = :annotator;
INSERT INTO seeme.project_members (project_id, user_id, role_id)
  VALUES (seeme_uuid('project', 42), :ann, :annotator);
SELECT is(pg_temp.rows('ann', 'SELECT id FROM app.invoices'), '{1}', 'its rows');
CREATE TABLE app.derived (
  id integer PRIMARY KEY, path text,
  project_id integer GENERATED ALWAYS AS (split_part(path, '/', 1)::integer) STORED);
GRANT SELECT ON app.derived TO t_app;
INSERT INTO app.derived VALUES (1, '42/a'), (2, '43/a');
SELECT lives_ok($$SELECT pg_temp.follow_hint(
    $s$SELECT seeme_protect('derived', 'models', project_column => 'project_id')$s$)$$,
  'a generated column cannot refer to another: the hint has its expression');
SELECT is(pg_temp.rows('paul', 'SELECT id FROM app.derived'), '{1}', 'its rows');
CREATE TABLE app.of_domain (id integer PRIMARY KEY, project_id app.project_key);
GRANT SELECT ON app.of_domain TO t_app;
INSERT INTO app.of_domain VALUES (1, :alpha), (2, :beta);
SELECT lives_ok($$SELECT pg_temp.follow_hint(
    $s$SELECT seeme_protect('of_domain', 'models', project_column => 'project_id')$s$)$$,
  'a domain over uuid');
SELECT is(pg_temp.rows('paul', 'SELECT id FROM app.of_domain'), '{1}', 'its rows');

-- The column is there, and somebody names the other one.
CREATE TABLE app.made (id integer PRIMARY KEY, project_id integer, owner_id integer,
  project_uuid uuid GENERATED ALWAYS AS (public.seeme_uuid('project', project_id)) STORED);
SELECT is(pg_temp.hint_of(
    $$SELECT seeme_protect('made', 'models', project_column => 'project_id')$$),
  'SELECT public.seeme_protect(''app.made'', ''models'', project_column => ''project_uuid'');',
  'a column that is there already is not added again');
SELECT matches(pg_temp.hint_of($$SELECT seeme_protect('made', 'models',
    project_column => 'project_uuid', owner_column => 'owner_id')$$),
  '^ALTER TABLE app.made ADD COLUMN owner_uuid [^,]*, owner_id\)\) STORED; CREATE INDEX',
  'only the column that is missing is added');

-- What is refused changes nothing.
CREATE TABLE app.others (id integer PRIMARY KEY, project_id integer, amount numeric, at timestamptz,
  flag boolean,
  project_uuid uuid GENERATED ALWAYS AS (public.seeme_uuid('project', project_id)) STORED);
CREATE TEMP TABLE before AS SELECT (SELECT count(*) FROM seeme.resource_types) AS types,
  (SELECT count(*) FROM seeme.permissions) AS codes,
  (SELECT count(*) FROM seeme.protected_tables) AS tables;
SELECT throws_ok(format('SELECT seeme_protect(%L, %L, %s)', 'others', 'others', argument), code,
                 message, argument)
  FROM (VALUES
    ('project_column => ''amount''', '42804',
     'column "amount" of table app.others is of type numeric'),
    ('project_column => ''at''', '42804',
     'column "at" of table app.others is of type timestamp with time zone'),
    ('owner_column => ''flag''', '42804', 'column "flag" of table app.others is of type boolean'),
    ('project_column => ''nothing''', '42703', 'table app.others has no column "nothing"'),
    ('team_column => ''project_uuid''', '22023',
     'column "project_uuid" of table app.others has ids of the kind "project"'),
    ('owner_column => ''project_uuid''', '22023',
     'column "project_uuid" of table app.others has ids of the kind "project"'),
    ('resource_id_column => ''project_uuid''', '22023',
     'column "project_uuid" of table app.others has ids of the kind "project"'))
    AS v (argument, code, message);
SELECT matches(pg_temp.complaint(NULL,
    $$SELECT seeme_protect('app.others', 'others', team_column => 'project_uuid')$$),
  'team_column names a column of the kind ''team'': seeme_uuid\(''team'', ...\)\.$',
  'the hint says which kind the parameter takes');
SELECT is((SELECT format('%s %s %s %s', (SELECT count(*) FROM seeme.resource_types) = types,
                         (SELECT count(*) FROM seeme.permissions) = codes,
                         (SELECT count(*) FROM seeme.protected_tables) = tables,
                         (SELECT c.relrowsecurity FROM pg_class c
                           WHERE c.oid = 'app.others'::regclass)) FROM before), 't t t f',
          'and nothing has changed');

-- The triggers read stored rows. Before PostgreSQL 18 there are no virtual columns.
DO $$ BEGIN
  IF current_setting('server_version_num')::integer >= 180000 THEN
    CREATE TABLE app.computed (id integer PRIMARY KEY, place text);
    EXECUTE 'ALTER TABLE app.computed ADD project_uuid uuid GENERATED ALWAYS AS (place::uuid) '
            'VIRTUAL';
  END IF;
END $$;
SELECT is(CASE WHEN to_regclass('app.computed') IS NULL THEN '0A000' ELSE left(pg_temp.complaint(
    NULL, $$SELECT seeme_protect('app.computed', 'models', project_column => 'project_uuid')$$),
    5) END, '0A000', 'a virtual generated column is refused');

-- The functions that generate a column run with the rights of whoever writes the row.
CREATE ROLE t_owner NOLOGIN;
CREATE TABLE app.owned (id integer PRIMARY KEY, project_id integer);
ALTER TABLE app.owned OWNER TO t_owner;
GRANT USAGE ON SCHEMA app TO t_owner;
SELECT pg_temp.follow_hint(
  $$SELECT seeme_protect('owned', 'models', project_column => 'project_id')$$) \g /dev/null
SELECT ok(has_function_privilege('t_owner', 'public.seeme_uuid(text, bigint)', 'EXECUTE')
          AND has_function_privilege('t_owner', 'public.seeme_uuid(text, text)', 'EXECUTE'),
          'the owner of a protected table may call what generates its columns');

-- After seeme_unprotect the application writes on.
SELECT seeme_unprotect('app.invoices') \g /dev/null
SELECT is((SELECT count(*) FROM seeme.resource_types WHERE name = 'invoice'), 0::bigint,
          'the resource type is gone with the protection');
SELECT lives_ok($$INSERT INTO app.invoices VALUES (3, 42, '2026-03-01')$$,
                'and its generated column still has values');
SELECT * FROM finish();
ROLLBACK;
