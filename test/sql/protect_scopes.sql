\i test/include/prelude.psql
-- seeme_protect: every way in which a row can have a scope, and their combinations. For each table
-- everybody of the cast selects, changes, removes and adds, and the rows are compared with those
-- that plain SQL says they may.
BEGIN;
\i test/include/people.psql
\i test/include/asking.psql
\i test/include/oracle.psql
SELECT plan(83);

-- One row in each scope and one in none; the name tells which. The owner of the rows of owned is
-- tess, but for one.
CREATE TABLE t_in_project (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), name text UNIQUE,
  project_id uuid);
CREATE TABLE t_in_team (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), name text UNIQUE,
  team_id uuid);
CREATE TABLE t_in_organization (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(), name text UNIQUE, organization_id uuid);
CREATE TABLE t_assigned (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), name text UNIQUE);
CREATE TABLE t_owned (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), name text UNIQUE,
  owner_id uuid);
CREATE TABLE t_of_all_kinds (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), name text UNIQUE,
  project_id uuid, team_id uuid, organization_id uuid, owner_id uuid);
CREATE TABLE t_item (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), name text UNIQUE,
  dataset_id uuid);
CREATE INDEX ON t_in_project (project_id);
CREATE INDEX ON t_in_team (team_id);
CREATE INDEX ON t_in_organization (organization_id);
CREATE INDEX ON t_owned (owner_id);
CREATE INDEX ON t_item (dataset_id);
CREATE INDEX ON t_of_all_kinds (project_id);
CREATE INDEX ON t_of_all_kinds (team_id);
CREATE INDEX ON t_of_all_kinds (organization_id);
CREATE INDEX ON t_of_all_kinds (owner_id);
INSERT INTO t_in_project (name, project_id) SELECT name,
  id FROM thing WHERE name IN ('alpha', 'beta', 'gamma', 'delta') UNION ALL
  VALUES ('none', NULL::uuid), ('lost', :nobody_known);
INSERT INTO t_in_team (name, team_id) SELECT name,
  id FROM thing WHERE name IN ('research', 'sales', 'labs') UNION ALL VALUES ('none', NULL::uuid);
INSERT INTO t_in_organization (name, organization_id) SELECT name,
  id FROM thing WHERE name IN ('acme', 'globex') UNION ALL VALUES ('none', NULL::uuid);
INSERT INTO t_assigned (id, name) SELECT ('99000000-0000-4000-8000-00000000000' || n)::uuid,
  name FROM unnest(ARRAY['in alpha','in beta','in alpha and delta','nowhere'])
  WITH ORDINALITY AS v (name, n);
INSERT INTO t_owned (name, owner_id) VALUES ('of tess', :tess), ('of dora', :dora),
  ('of stan', :stan), ('of nobody', NULL);
INSERT INTO t_item (name, dataset_id) SELECT 'item ' || name,
  id FROM t_assigned UNION ALL SELECT 'item without', NULL;
INSERT INTO seeme.project_resources (project_id, resource_type, resource_id)
  SELECT p.id, t.type, a.id
    FROM (VALUES ('alpha', 'in alpha'), ('beta', 'in beta'), ('alpha', 'in alpha and delta'),
    ('delta', 'in alpha and delta')) AS v (project, name)
    JOIN thing p ON p.name = v.project JOIN t_assigned a ON a.name = v.name,
    unnest(ARRAY['model','dataset']) AS t (type);
INSERT INTO t_of_all_kinds (name, project_id, team_id, organization_id, owner_id) VALUES
  ('alpha', :alpha, NULL, NULL, NULL), ('alpha in research', :alpha, :research, NULL, NULL),
  ('alpha in research in acme', :alpha, :research, :acme, NULL),
  ('sales', NULL, :sales, NULL, NULL),
  ('acme', NULL, NULL, :acme, NULL), ('acme of tess', NULL, NULL, :acme, :tess),
  ('beta of nora', :beta, NULL, NULL, :nora), ('of stan', NULL, NULL, NULL, :stan),
  ('gamma in globex', :gamma, NULL, :globex, NULL), ('none', NULL, NULL, NULL, NULL);
GRANT SELECT, INSERT, UPDATE, DELETE ON t_in_project, t_in_team, t_in_organization, t_assigned,
  t_owned, t_of_all_kinds, t_item TO t_app;

SELECT seeme_protect('t_in_project', 'models', project_column => 'project_id') \g /dev/null
SELECT seeme_protect('t_in_team', 'post_processors', team_column => 'team_id') \g /dev/null
SELECT seeme_protect('t_in_organization', 'jobs', organization_column => 'organization_id')
  \g /dev/null
SELECT seeme_protect('t_assigned', 'datasets', resource_id_column => 'id') \g /dev/null
SELECT seeme_protect('t_owned', 'graphs', owner_column => 'owner_id') \g /dev/null
SELECT seeme_protect('t_of_all_kinds', 'inferences', project_column => 'project_id',
  team_column => 'team_id', organization_column => 'organization_id', owner_column => 'owner_id')
  \g /dev/null
SELECT seeme_protect('t_item', 'dataset_items', resource_id_column => 'dataset_id',
  resource_type => 'dataset') \g /dev/null
SELECT is((SELECT count(*)::integer FROM seeme.permissions WHERE name = 'dataset_items:delete'), 1,
  'a code that a protected table needs and the catalogue lacks is registered');

-- Which scopes each row has, as ids, and who owns it
CREATE FUNCTION pg_temp.scopes(rel text) RETURNS TABLE (name text, scopes uuid[], owner uuid)
  LANGUAGE plpgsql AS $$
BEGIN
  RETURN QUERY EXECUTE CASE rel
    WHEN 't_in_project' THEN 'SELECT name, ARRAY[project_id], NULL::uuid FROM t_in_project'
    WHEN 't_in_team' THEN 'SELECT name, ARRAY[team_id], NULL::uuid FROM t_in_team'
    WHEN 't_in_organization'
    THEN 'SELECT name, ARRAY[organization_id], NULL::uuid FROM t_in_organization'
    WHEN 't_assigned'
    THEN 'SELECT name, ARRAY(SELECT project_id FROM seeme.project_resources WHERE resource_id = '
         'a.id AND resource_type = ''dataset''), NULL::uuid FROM t_assigned a'
    WHEN 't_item'
    THEN 'SELECT name, ARRAY(SELECT project_id FROM seeme.project_resources WHERE resource_id = '
         'dataset_id AND resource_type = ''dataset''), NULL::uuid FROM t_item a'
    WHEN 't_owned' THEN 'SELECT name, ''{}''::uuid[], owner_id FROM t_owned'
    ELSE 'SELECT name, ARRAY[project_id, team_id, organization_id], owner_id FROM t_of_all_kinds'
    END;
END $$;
CREATE FUNCTION pg_temp.should_reach(person text, rel text, wanted text) RETURNS text
  LANGUAGE sql AS $$
  WITH held AS MATERIALIZED (SELECT h.scope_id FROM pg_temp.held(person) h WHERE h.code = wanted)
  SELECT string_agg(s.name, ', ' ORDER BY s.name COLLATE "C") FROM pg_temp.scopes(rel) s
   WHERE EXISTS (SELECT FROM held h WHERE h.scope_id = ANY (s.scopes))
      OR EXISTS (SELECT FROM seeme.users u WHERE u.username = person AND u.id = s.owner
      AND u.disabled_at IS NULL)
$$;
CREATE FUNCTION pg_temp.reaches(person text, statement text) RETURNS text LANGUAGE sql
AS $$ SELECT string_agg(n, ', ' ORDER BY n COLLATE "C")
  FROM unnest(pg_temp.rows(person, statement)) AS n $$;
CREATE TEMP TABLE everybody AS SELECT * FROM unnest(
  ARRAY['adam','ann','cora','dora','edith','ghost','gina','mike','nora','olga','oscar','paul',
  'stan','tess','vera']) AS e (person);
CREATE TEMP TABLE protected (rel text, resource text, n integer);
INSERT INTO protected VALUES ('t_in_project', 'models', 1), ('t_in_team', 'post_processors', 2),
  ('t_in_organization', 'jobs', 3), ('t_assigned', 'datasets', 4), ('t_item', 'dataset_items', 5),
  ('t_owned', 'graphs', 6), ('t_of_all_kinds', 'inferences', 7);

SELECT results_eq(
  format($$SELECT person, pg_temp.reaches(person, 'SELECT name FROM %s') FROM everybody
    ORDER BY 1$$, rel),
    format($$SELECT person, pg_temp.should_reach(person, %L, %L) FROM everybody ORDER BY 1$$, rel,
    resource || ':read'), 'everybody selects the rows that they may read: ' || rel)
  FROM protected ORDER BY n;
-- what may be updated or deleted and is returned must be readable, too, which it is for everybody
-- of the cast
SELECT results_eq(
  format($$SELECT person, pg_temp.reaches(person, 'UPDATE %s SET name = name RETURNING name')
    FROM everybody ORDER BY 1$$, rel),
    format($$SELECT person, pg_temp.should_reach(person, %L, %L) FROM everybody ORDER BY 1$$, rel,
    resource || ':update'), 'everybody updates the rows that they may update: ' || rel)
  FROM protected ORDER BY n;
SELECT results_eq(
  format($$SELECT person, pg_temp.reaches(person, 'DELETE FROM %s RETURNING name') FROM everybody
    ORDER BY 1$$, rel),
    format($$SELECT person, pg_temp.should_reach(person, %L, %L) FROM everybody ORDER BY 1$$, rel,
    resource || ':delete'), 'everybody deletes the rows that they may delete: ' || rel)
  FROM protected ORDER BY n;

-- Adding one row to each scope
CREATE FUNCTION pg_temp.adds(rel text, col text, scope text) RETURNS text LANGUAGE sql
AS $$ SELECT pg_temp.who(format(
  'INSERT INTO %s (name, %s) VALUES (''new'', {%s}) RETURNING name', rel, col, scope)) $$;
CREATE FUNCTION pg_temp.should_add(wanted text, scope text) RETURNS text LANGUAGE sql
AS $$ SELECT string_agg(person, ' ' ORDER BY person) FROM pg_temp.everybody
  WHERE pg_temp.holds(person, wanted, pg_temp.id(scope)) $$;
SELECT is(pg_temp.adds('t_in_project', 'project_id', s), pg_temp.should_add('models:create', s),
  'who may create in the project adds a row to it: ' || s)
  FROM unnest(ARRAY['alpha','beta','gamma','delta']) AS s;
SELECT is(pg_temp.adds('t_in_team', 'team_id', s), pg_temp.should_add('post_processors:create', s),
  'who may create in the team adds a row to it: ' || s)
  FROM unnest(ARRAY['research','sales','labs']) AS s;
SELECT is(pg_temp.adds('t_in_organization', 'organization_id', s),
  pg_temp.should_add('jobs:create', s), 'who may create in the organization adds a row to it: '
  || s) FROM unnest(ARRAY['acme','globex']) AS s;
SELECT is(pg_temp.who('INSERT INTO t_in_project (name, project_id) VALUES (''new'', NULL)'), NULL,
  'nobody adds a row to no project');
SELECT is(
  pg_temp.who('INSERT INTO t_in_project (name, project_id) VALUES (''new'', {nobody_known})'), NULL,
  'nor to one that does not exist');
SELECT is(
  pg_temp.try('vera', 'INSERT INTO t_in_project (name, project_id) VALUES (''new'', {alpha})'),
  '42501', 'to whom it is refused, it is refused as row security refuses');
SELECT is(pg_temp.who('INSERT INTO t_assigned (name) VALUES (''new'')'), NULL,
  'a row whose scope is its assignment is added by nobody before it is assigned');
SELECT is(
  pg_temp.who(
  'INSERT INTO t_item (name, dataset_id) SELECT ''new'', resource_id FROM (VALUES '
  '(''99000000-0000-4000-8000-000000000001''::uuid)) AS v (resource_id)'),
  pg_temp.should_add('dataset_items:create', 'alpha'),
  'a child row is added by who may create such in its parent''s project');
SELECT is(
  pg_temp.who(
  'INSERT INTO t_item (name, dataset_id) VALUES '
  '(''new'', ''99000000-0000-4000-8000-000000000004'')'), NULL,
  'and by nobody to a parent that is in no project');
SELECT is(
  pg_temp.who(format('INSERT INTO t_owned (name, owner_id) VALUES (''new'', %L) RETURNING name',
  o)), who, 'everybody adds rows of their own: ' || who)
  FROM (VALUES (:stan, 'stan'), (:gina, 'gina'), (:nora, 'nora')) AS v (o, who);
SELECT is(pg_temp.who('INSERT INTO t_owned (name, owner_id) VALUES (''new'', {dora})'), NULL,
  'but not a disabled person, nor anybody in her name');
SELECT is(pg_temp.who('INSERT INTO t_owned (name, owner_id) VALUES (''new'', NULL)'), NULL,
  'a row of nobody is added by nobody');

-- Adding rows of several scopes: every one counts
CREATE FUNCTION pg_temp.adds_all(project text, team text, organization text, owner text)
  RETURNS text LANGUAGE sql AS $$
  SELECT pg_temp.who(
    format('INSERT INTO t_of_all_kinds (name, project_id, team_id, organization_id, owner_id) '
           'VALUES (''new'', %s, %s, %s, %s)',
    coalesce('{' || project || '}', 'NULL'), coalesce('{' || team || '}', 'NULL'),
    coalesce('{' || organization || '}', 'NULL'), coalesce('{' || owner || '}', 'NULL')))
$$;
SELECT is(pg_temp.adds_all('alpha', NULL, NULL, NULL), 'adam cora edith olga tess',
  'a row in a project');
SELECT is(pg_temp.adds_all('alpha', 'research', NULL, NULL), 'adam cora edith olga tess',
  'in a project and its team');
SELECT is(pg_temp.adds_all('alpha', 'research', 'acme', NULL), 'adam cora edith olga tess',
  'and its organization, which are but its parents');
SELECT is(pg_temp.adds_all(NULL, 'research', 'acme', NULL), 'adam cora edith olga tess',
  'in a team and its organization');
SELECT is(pg_temp.adds_all('alpha', 'sales', NULL, NULL), 'adam cora edith olga',
  'in a project and another team: not with the right in the one alone');
SELECT is(pg_temp.adds_all('beta', 'research', NULL, NULL), 'adam cora edith olga',
  'nor in the other');
SELECT is(pg_temp.adds_all('alpha', NULL, 'globex', NULL), NULL,
  'in two organizations: nobody who holds the right in one');
SELECT is(pg_temp.adds_all(NULL, NULL, 'acme', NULL), 'adam cora edith olga',
  'in the organization alone: not with the right in a team of it');
SELECT is(pg_temp.adds_all(NULL, NULL, NULL, 'tess'), 'tess', 'of oneself, without any container');
SELECT is(pg_temp.adds_all('beta', NULL, NULL, 'tess'), 'adam olga',
  'naming somebody an owner takes every action there; being named does not replace the right to '
  'create');
SELECT is(pg_temp.adds_all('alpha', NULL, NULL, 'tess'), 'adam olga tess',
  'one names oneself where one may create');
SELECT is(pg_temp.adds_all(NULL, NULL, NULL, NULL), NULL, 'without any scope at all: nobody');

-- Moving rows: the right is asked in both places
CREATE FUNCTION pg_temp.moves(name text, scope text) RETURNS text LANGUAGE sql
AS $$ SELECT pg_temp.who(format(
  'UPDATE t_in_project SET project_id = %s WHERE name = %L', coalesce('{' || scope || '}', 'NULL'),
  name)) $$;
SELECT is(pg_temp.moves('alpha', 'beta'), 'adam cora edith olga',
  'threat: moving a row into a project that one may not change, or out of one');
SELECT is(pg_temp.moves('beta', 'alpha'), 'adam cora edith olga',
  'threat: taking a row into one''s own project');
SELECT is(pg_temp.moves('alpha', 'delta'), NULL, 'threat: moving a row to another organization');
SELECT is(pg_temp.moves('delta', 'alpha'), NULL, 'threat: taking one from there');
SELECT is(pg_temp.moves('alpha', NULL), NULL, 'threat: moving a row out of every project');
SELECT is(pg_temp.moves('none', 'alpha'), NULL, 'threat: taking a row that is in none');
SELECT is(pg_temp.try('tess', 'UPDATE t_in_project SET project_id = {beta} WHERE name = ''alpha'''),
  '42501', 'a move that is refused is an error');
SELECT is(pg_temp.try('tess', 'UPDATE t_in_project SET project_id = {alpha} WHERE name = ''beta'''),
  '0 rows', 'a row out of sight is left alone');
SELECT pg_temp.hold_in('alpha', '{models:read,models:update}'),
  pg_temp.hold_in('beta', '{models:read,models:update}') \g /dev/null
SELECT is(pg_temp.try('nora', 'UPDATE t_in_project SET project_id = {beta} WHERE name = ''alpha'''),
  '1 row', 'with the right in both the row moves');
SELECT pg_temp.hold_in('beta', '{models:read,models:create}') \g /dev/null
SELECT is(pg_temp.try('nora', 'UPDATE t_in_project SET project_id = {beta} WHERE name = ''alpha'''),
  '42501', 'and not once it is taken away in one');
SELECT pg_temp.hold_in('alpha', '{}'), pg_temp.hold_in('beta', '{}') \g /dev/null
SELECT is(
  pg_temp.try('tess',
  'UPDATE t_item SET dataset_id = ''99000000-0000-4000-8000-000000000002'' WHERE name = ''item in '
  'alpha'''), '42501', 'threat: moving a child row to a parent of another project');
SELECT is(
  pg_temp.try('tess',
  'UPDATE t_item SET dataset_id = ''99000000-0000-4000-8000-000000000003'' WHERE name = ''item in '
  'alpha'''), '1 row', 'while to one of the same it moves');
SELECT is(
  pg_temp.who('UPDATE t_of_all_kinds SET organization_id = {globex} WHERE name = ''alpha'''), NULL,
  'threat: adding another organization''s scope to a row');
SELECT is(pg_temp.who('UPDATE t_of_all_kinds SET owner_id = {gina} WHERE name = ''alpha'''),
  'adam olga', 'threat: naming an owner without holding every action');
INSERT INTO t_of_all_kinds (name, project_id, owner_id) VALUES ('alpha of tess', :alpha, :tess);
SELECT is(pg_temp.who('UPDATE t_of_all_kinds SET owner_id = {paul} WHERE name = ''alpha of tess'''),
  'adam olga tess', 'while the owner of a row, who may change it without that, gives it away');
SELECT is(
  pg_temp.who('UPDATE t_of_all_kinds SET name = ''renamed'' WHERE name = ''alpha of tess'''),
  'adam cora edith olga tess', 'and whoever may update it changes the rest of it');

-- After a revocation
UPDATE seeme.memberships SET role_id = pg_temp.id('Viewer') WHERE user_id = :edith
  AND organization_id = :acme;
SELECT is(pg_temp.adds('t_in_project', 'project_id', 'gamma'), 'adam cora olga',
  'who is a mere Viewer now adds nothing');
SELECT is(pg_temp.reaches('edith', 'SELECT name FROM t_in_project'), 'alpha, beta, gamma',
  'but reads');
SELECT is(pg_temp.reaches('edith', 'UPDATE t_in_project SET name = name RETURNING name'), NULL,
  'and changes nothing');
DELETE FROM seeme.memberships WHERE user_id = :edith;
SELECT is(
  pg_temp.reaches('edith',
  'SELECT name FROM t_in_project UNION ALL SELECT name FROM t_assigned UNION ALL SELECT name FROM '
  't_in_organization'), NULL, 'who was removed from the organization sees none of its rows');
UPDATE seeme.users SET disabled_at = now() WHERE id = :stan;
SELECT is(pg_temp.reaches('stan', 'SELECT name FROM t_owned'), NULL,
  'nor does an owner of rows who is disabled');
UPDATE seeme.users SET disabled_at = NULL WHERE id = :stan;
SELECT is(pg_temp.reaches('stan', 'SELECT name FROM t_owned'), 'of stan', 'until enabled again');

-- Removing a row removes its assignments, and only its own
SELECT is(pg_temp.rows('adam', 'DELETE FROM t_assigned WHERE name = ''in alpha''',
  'SELECT count(*) FROM seeme.project_resources WHERE resource_type = ''dataset'' AND resource_id '
  '= ''99000000-0000-4000-8000-000000000001'''), '{0}',
  'a row that is removed takes its assignments along');
SELECT is(pg_temp.rows(NULL, 'DELETE FROM t_assigned WHERE name = ''in alpha and delta''',
  'SELECT count(*) FROM seeme.project_resources WHERE resource_id '
  '= ''99000000-0000-4000-8000-000000000003'' AND resource_type = ''dataset'''), '{0}',
  'in every project, whoever removes it');
SELECT is(pg_temp.rows(NULL, 'DELETE FROM t_assigned WHERE name = ''in alpha''',
  'SELECT resource_type FROM seeme.project_resources WHERE resource_id '
  '= ''99000000-0000-4000-8000-000000000002'' ORDER BY 1'), '{dataset,model}',
  'and no other resource''s');
SELECT is(pg_temp.rows(NULL, 'DELETE FROM t_assigned WHERE name = ''in beta''',
  'SELECT resource_type FROM seeme.project_resources WHERE resource_id '
  '= ''99000000-0000-4000-8000-000000000002'''), '{model}',
  'nor that of another type with the same id');
SELECT is(pg_temp.rows(NULL, 'DELETE FROM t_item WHERE name = ''item in beta''',
  'SELECT count(*) FROM seeme.project_resources WHERE resource_id '
  '= ''99000000-0000-4000-8000-000000000002'' AND resource_type = ''dataset'''), '{1}',
  'a child row that is removed leaves its parent''s assignment');
SELECT is(pg_temp.rows(NULL, 'DELETE FROM seeme.projects WHERE id = {beta}',
  'SELECT count(*) FROM t_assigned WHERE name = ''in beta'''), '{1}',
  'a project that is removed leaves the application''s rows');
DELETE FROM seeme.project_resources WHERE project_id = :alpha AND resource_type = 'dataset';
SELECT is(pg_temp.reaches('paul', 'SELECT name FROM t_item'), NULL,
  'child rows go out of reach with their parent''s assignment');

SELECT * FROM finish();
ROLLBACK;
