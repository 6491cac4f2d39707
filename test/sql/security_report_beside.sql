\i test/include/prelude.psql
-- What seeme_security_report() finds beside the protected tables: tables that were left out, by
-- whatever kind of key they tell where their rows belong; foreign keys that reach hidden rows;
-- functions of PostgreSQL itself that were marked LEAKPROOF. Cases as in security_report.sql.
SET client_min_messages = error;
BEGIN;
\i test/include/security_report.psql
\i test/include/people.psql
\i test/include/asking.psql
SELECT plan(61);

CREATE ROLE r_app LOGIN;
SELECT seeme_grant_usage('r_app') \g /dev/null
CREATE TABLE r_model (id uuid PRIMARY KEY, name text, project_id uuid, team_id uuid, owner_id uuid);
CREATE INDEX ON r_model (project_id);
SELECT seeme_protect('r_model', 'models', project_column => 'project_id') \g /dev/null
CREATE TABLE r_set (id uuid PRIMARY KEY, name text);
SELECT seeme_protect('r_set', 'datasets', resource_id_column => 'id') \g /dev/null
GRANT SELECT, INSERT, UPDATE, DELETE ON r_model, r_set TO r_app, t_app;

-- none of these is a weakness
CREATE TABLE r_item (id uuid PRIMARY KEY, dataset_id uuid REFERENCES r_set);
CREATE INDEX ON r_item (dataset_id);
SELECT seeme_protect('r_item', 'dataset_items', resource_id_column => 'dataset_id',
  resource_type => 'dataset') \g /dev/null
CREATE TABLE r_carried (id uuid PRIMARY KEY, project_id uuid REFERENCES seeme.projects, model uuid,
  author uuid REFERENCES seeme.users);
CREATE INDEX ON r_carried (project_id);
ALTER TABLE r_model ADD UNIQUE (project_id, id);
ALTER TABLE r_carried ADD FOREIGN KEY (model, project_id) REFERENCES r_model (id, project_id);
SELECT seeme_protect('r_carried', 'graphs', project_column => 'project_id') \g /dev/null
CREATE TABLE r_colour (id integer PRIMARY KEY, name text, team text, company_id integer,
  projection_key text);
SELECT is(pg_temp.lines(), NULL,
  'references that carry the scope, or are the scope, and tables that nobody reaches, have no '
  'findings');

SELECT pg_temp.both_ways(c.name, c.severity, c.object, c.weakness, c.why, c.mend) FROM (VALUES
  -- Tables that were left out
  (1, 'table without row security', 'high', 'public.r_note',
  $$CREATE TABLE r_note (id bigint PRIMARY KEY, workspace_id integer); GRANT
    SELECT ON r_note TO r_app$$, 'workspace_id integer', NULL),
  (2, 'table without row security', 'high', 'public.r_note',
  $$CREATE TABLE r_note (id bigint PRIMARY KEY, project_key text); GRANT
    SELECT ON r_note TO r_app$$, 'project_key text', NULL),
  (3, 'table without row security', 'high', 'public.r_note',
  $$CREATE TABLE r_note (id bigint PRIMARY KEY, "tenantId" varchar(20)); GRANT
    SELECT ON r_note TO r_app$$, '"tenantId" varchar', NULL),
  (4, 'table without row security', 'high', 'public.r_note',
  $$CREATE TABLE r_note (id bigint PRIMARY KEY, org_slug text); GRANT INSERT ON r_note TO PUBLIC$$,
  'org_slug text', NULL),
  (5, 'table without row security', 'high', 'public.r_note',
  $$CREATE TABLE r_note (id bigint PRIMARY KEY, organisation bigint); GRANT
    SELECT (id) ON r_note TO PUBLIC; GRANT SELECT ON r_note TO r_app$$, 'organisation bigint',
      NULL),
  (6, 'table without row security', 'low', 'public.r_note',
  $$CREATE TABLE r_note (id bigint PRIMARY KEY, team_id smallint)$$,
  'team_id smallint, that nobody was granted yet', NULL),
  (7, 'table without row security', 'high', 'public.r_note',
  $$CREATE TABLE r_note (id bigint PRIMARY KEY, team_id smallint); ALTER TABLE r_note OWNER TO
    r_app$$, 'which the application owns', NULL),
  (8, 'table without row security', 'high', 'public.workspaces',
  $$CREATE TABLE workspaces (id serial PRIMARY KEY, title text); GRANT
    SELECT ON workspaces TO r_app$$, 'a table of workspaces', NULL),
  (9, 'table without row security', 'low', 'public.r_note',
  $$CREATE TABLE r_tenant_list (id integer PRIMARY KEY); CREATE TABLE tenants
    (id integer PRIMARY KEY); ALTER TABLE tenants ENABLE ROW LEVEL SECURITY;
     CREATE TABLE r_note (id bigint PRIMARY KEY, belongs integer REFERENCES tenants)$$,
       'an integer that refers to a table of tenants', NULL),
  (10, 'table without row security', 'low', 'public.r_deep',
  $$CREATE TABLE r_note (id bigint PRIMARY KEY, project_no integer); CREATE TABLE r_reply
    (id bigint PRIMARY KEY, note bigint REFERENCES r_note); CREATE TABLE r_deep
    (id bigint PRIMARY KEY, reply bigint REFERENCES r_reply);
     ALTER TABLE r_note ENABLE ROW LEVEL SECURITY; ALTER TABLE r_note DISABLE ROW LEVEL SECURITY$$,
       'a table whose rows belong to those of another one that was left out',
   $$ALTER TABLE r_note ENABLE ROW LEVEL SECURITY; ALTER TABLE r_reply ENABLE ROW LEVEL SECURITY;
     ALTER TABLE r_deep ENABLE ROW LEVEL SECURITY$$),
  (11, 'table without row security', 'low', 'public.r_deep',
  $$CREATE TABLE r_part (id bigint PRIMARY KEY, model uuid REFERENCES r_model); CREATE TABLE r_deep
    (id bigint PRIMARY KEY, part bigint REFERENCES r_part)$$,
    'or to those of a protected one, at a distance',
   $$ALTER TABLE r_part ENABLE ROW LEVEL SECURITY; ALTER TABLE r_deep ENABLE ROW LEVEL SECURITY$$),
  (12, 'table without row security', 'high', 'public.r_run',
  $$CREATE TABLE r_run (id bigint, project_id uuid, workspace_id integer); CREATE INDEX ON r_run
    (project_id); GRANT SELECT ON r_run TO r_app$$, 'a uuid column is taken before others', NULL),
  (13, 'table is not protected', 'info', 'public.r_colour', $$GRANT SELECT ON r_colour TO r_app$$,
  'nothing tells whose its rows are', NULL),
  (14, 'table is not protected', 'info', 'public.r_colour', $$ALTER TABLE r_colour OWNER TO r_app$$,
  'the application owns it', NULL),
  -- Foreign keys
  (20, 'foreign key does not carry the scope', 'medium', 'public.r_part',
  $$CREATE TABLE r_part (id uuid PRIMARY KEY, project_id uuid, model uuid REFERENCES r_model);
    CREATE INDEX ON r_part (project_id); SELECT
      seeme_protect('r_part', 'jobs', project_column => 'project_id')$$, 'by the id alone', NULL),
  (21, 'foreign key does not carry the scope', 'medium', 'public.r_part',
  $$CREATE TABLE r_part (id uuid PRIMARY KEY, project_id uuid,
    model uuid REFERENCES r_model ON DELETE CASCADE ON UPDATE CASCADE DEFERRABLE); CREATE INDEX ON
    r_part (project_id); SELECT seeme_protect('r_part', 'jobs', project_column => 'project_id')$$,
    'ON DELETE CASCADE', NULL),
  (22, 'foreign key does not carry the scope', 'medium', 'public.r_part',
  $$CREATE TABLE r_part (id uuid PRIMARY KEY, project_id uuid,
    model uuid REFERENCES r_model ON DELETE SET NULL); CREATE INDEX ON r_part (project_id);
    SELECT seeme_protect('r_part', 'jobs', project_column => 'project_id')$$, 'ON DELETE SET NULL',
      NULL),
  (23, 'foreign key does not carry the scope', 'medium', 'public."r Tree"',
  $$CREATE TABLE "r Tree" ("Id" uuid PRIMARY KEY, "Project" uuid, "Above" uuid REFERENCES "r Tree");
    CREATE INDEX ON "r Tree" ("Project"); SELECT
      seeme_protect('"r Tree"', 'jobs', project_column => 'Project')$$,
      'to the table itself, with names that need quoting', NULL),
  (24, 'foreign key does not carry the scope', 'medium', 'public.r_part',
  $$CREATE TABLE r_part (id uuid PRIMARY KEY, organization_id uuid, model uuid REFERENCES r_model);
    CREATE INDEX ON r_part (organization_id);
      SELECT seeme_protect('r_part', 'jobs', organization_column => 'organization_id')$$,
        'and there is no column for it', 'ALTER TABLE r_part DROP CONSTRAINT r_part_model_fkey'),
  (25, 'foreign key does not carry the scope', 'medium', 'public.r_part',
  $$CREATE TABLE r_part (id uuid PRIMARY KEY, project_id uuid, used uuid REFERENCES r_set); CREATE
    INDEX ON r_part (project_id); SELECT seeme_protect(
    'r_part', 'jobs', project_column => 'project_id')$$, 'to a table by assignment',
    'ALTER TABLE r_part DROP CONSTRAINT r_part_used_fkey'),
  (26, 'foreign key keeps others from deleting', 'medium', 'public.r_part',
  $$CREATE TABLE r_part (id uuid PRIMARY KEY, owner_id uuid, about uuid REFERENCES seeme.projects);
    CREATE INDEX ON r_part (owner_id); SELECT
      seeme_protect('r_part', 'jobs', owner_column => 'owner_id')$$,
      'to a project where the row does not lie', NULL),
  -- LEAKPROOF
  (30, 'function is LEAKPROOF', 'medium', 'numeric_eq(numeric,numeric)',
  'ALTER FUNCTION pg_catalog.numeric_eq(numeric, numeric) LEAKPROOF',
  'the function of an operator of PostgreSQL', NULL),
  (31, 'function is LEAKPROOF', 'medium', 'int4(text)',
  'CREATE FUNCTION pg_catalog.int4(text) RETURNS integer LANGUAGE sql IMMUTABLE LEAKPROOF '
  'AS ''SELECT 1''', 'one that somebody put beside those of PostgreSQL',
  'DROP FUNCTION pg_catalog.int4(text)'),
  (32, 'function is LEAKPROOF', 'medium', 'information_schema._pg_truetypid(pg_attribute,pg_type)',
  'ALTER FUNCTION information_schema._pg_truetypid LEAKPROOF', 'one of the information schema',
  NULL),
  (33, 'function is LEAKPROOF', 'medium', 'public.throws_ok(text)',
  'ALTER FUNCTION throws_ok(text) LEAKPROOF', 'one of another extension', NULL)
) AS c (n, name, severity, object, weakness, why, mend) ORDER BY c.n;
REVOKE EXECUTE ON FUNCTION pg_catalog.int4eq(integer, integer) FROM PUBLIC;
SELECT is(pg_temp.lines(), NULL,
  'a function that PostgreSQL itself marks, and that somebody granted or revoked, is none');
GRANT EXECUTE ON FUNCTION pg_catalog.int4eq(integer, integer) TO PUBLIC;

-- What the finding says of foreign keys is so, and its remedy ends it.
INSERT INTO thing SELECT 'row ' || n, gen_random_uuid() FROM generate_series(1, 2) AS n;
INSERT INTO r_model (id, project_id) VALUES (pg_temp.id('row 1'), :delta),
  (pg_temp.id('row 2'), :alpha);
CREATE TABLE r_part (id uuid PRIMARY KEY, project_id uuid, model uuid REFERENCES r_model);
CREATE INDEX ON r_part (project_id);
SELECT seeme_protect('r_part', 'graphs', project_column => 'project_id') \g /dev/null
GRANT SELECT, INSERT, UPDATE, DELETE ON r_part TO t_app;
SELECT is(pg_temp.try('edith', 'SELECT FROM r_model WHERE id = {row 1}'), '0 rows',
  'threat: a foreign key to a hidden row: edith does not see it');
SELECT is(pg_temp.try('edith', 'INSERT INTO r_part VALUES (gen_random_uuid(), {alpha}, {row 1})'),
  '1 row', 'threat: a foreign key to a hidden row: that it is accepted tells that it exists');
SELECT is(
  pg_temp.try('edith', 'INSERT INTO r_part VALUES (gen_random_uuid(), {alpha}, gen_random_uuid())'),
  '23503', 'threat: a foreign key to a hidden row: while another is not accepted');
SAVEPOINT referred;
INSERT INTO r_part VALUES (gen_random_uuid(), :alpha, pg_temp.id('row 1'));
SELECT is(pg_temp.try('oscar', 'DELETE FROM r_model WHERE id = {row 1}'), '23503',
  'threat: a foreign key to a hidden row: and keeps its owner from deleting it');
ROLLBACK TO referred;
SELECT remedy FROM seeme_security_report() WHERE finding LIKE
  'foreign key does not carry the scope:%' AND object = 'public.r_part' \gset
SELECT is(:'remedy'::text,
  'ALTER TABLE public.r_part DROP CONSTRAINT r_part_model_fkey, ADD CONSTRAINT r_part_model_fkey '
  'FOREIGN KEY (model, project_id) REFERENCES public.r_model (id, project_id);',
  'the remedy: the composite key');
:remedy
SELECT is(pg_temp.try('edith', 'INSERT INTO r_part VALUES (gen_random_uuid(), {alpha}, {row 1})'),
  '23503',
  'threat: a foreign key to a hidden row: with the composite key it is like one that is not there');
SELECT is(
  pg_temp.try('edith', 'INSERT INTO r_part VALUES (gen_random_uuid(), {alpha}, gen_random_uuid())'),
  '23503', 'threat: a foreign key to a hidden row: which it still is not');
SELECT is(pg_temp.try('edith', 'INSERT INTO r_part VALUES (gen_random_uuid(), {alpha}, {row 2})'),
  '1 row', 'threat: a foreign key to a hidden row: one in the same project is accepted');
SELECT is_empty($$SELECT finding FROM pg_temp.report()$$, 'and nothing is left to be found');

SELECT * FROM finish();
ROLLBACK;
