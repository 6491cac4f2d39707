-- More different sets of permission codes than can be numbered: 66,000 roles, no two alike, each in
-- a project of its own. Answers are made without being remembered then, and no error reaches
-- anybody.
\i test/include/prelude.psql
BEGIN;
\i test/include/people.psql
SELECT plan(14);

\set many 66000
SET LOCAL session_replication_role = replica;
CREATE FUNCTION pg_temp.id(kind text, n int) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
  SELECT (kind || '000000-0000-4000-8000-' || lpad(to_hex(n), 12, '0'))::uuid $$;
CREATE TEMP TABLE code AS
  SELECT name, row_number() OVER (ORDER BY name COLLATE "C")::int - 1 AS bit FROM seeme.permissions
    WHERE NOT is_wildcard AND name !~ '^models:' ORDER BY 1 LIMIT 17;
CREATE FUNCTION pg_temp.codes(n int) RETURNS text[] LANGUAGE plpgsql AS $$
BEGIN RETURN ARRAY(SELECT name FROM code WHERE n >> bit & 1 = 1); END $$;
INSERT INTO seeme.roles (id, organization_id, name, permissions)
SELECT pg_temp.id('c0', n), :acme, 'R' || n, CASE WHEN n % 1000 = 0 THEN '{models:read}'::text[]
  ELSE '{}' END || pg_temp.codes(n) FROM generate_series(1, :many) AS n;
INSERT INTO seeme.projects (id, organization_id, name, slug) SELECT pg_temp.id('01', n), :acme,
  'Many ' || n, 'many-' || n FROM generate_series(1, :many) AS n;
INSERT INTO seeme.memberships (organization_id, user_id) VALUES (:acme, :stan);
INSERT INTO seeme.memberships (organization_id, project_id, user_id, role_id)
SELECT :acme, pg_temp.id('01', n), :stan, pg_temp.id('c0', n) FROM generate_series(1, :many) AS n;
INSERT INTO seeme.project_resources (
  organization_id, project_id, resource_type, resource_id, resource_name)
SELECT :acme::uuid, pg_temp.id('01', n), 'model', '0d000000-0000-4000-8000-000000000001'::uuid,
  'm' FROM generate_series(1, :many) AS n
UNION ALL
SELECT :acme, pg_temp.id('01', :many - 1), 'model', '0d000000-0000-4000-8000-000000000002', 'm';
SET LOCAL session_replication_role = origin;
ANALYZE seeme.memberships, seeme.projects, seeme.project_resources, seeme.roles;
CREATE TEMP TABLE row_of AS SELECT n, pg_temp.id('01', n) AS project_id
  FROM generate_series(1, :many) AS n;
GRANT SELECT ON row_of, code TO PUBLIC;

CREATE FUNCTION pg_temp.ask(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE answer text;
BEGIN
  PERFORM pg_temp.become('stan');
  EXECUTE query INTO answer;
  PERFORM pg_temp.become(NULL);
  RETURN answer;
EXCEPTION WHEN OTHERS THEN RETURN SQLSTATE || ': ' || SQLERRM;
END $$;
SET LOCAL seeme_rbac.cache_memory = '256MB';
SELECT evictions FROM seeme.cache_statistics \gset was_

SELECT is(
  pg_temp.ask($$SELECT seeme_has_permission(
    'models:read', resource => '0d000000-0000-4000-8000-000000000001')$$), 'true',
          'threat: one check of a resource in many projects fails for want of numbers');
SELECT is(
  pg_temp.ask($$SELECT seeme_has_permission(
    'models:update', resource => '0d000000-0000-4000-8000-000000000001')$$), 'false',
    'what nobody holds is not held');
SELECT is(
  pg_temp.ask($$SELECT seeme_has_permission(
    'models:read', resource => '0d000000-0000-4000-8000-000000000002')$$), 'false',
    'nor what is held elsewhere');
SELECT is(
  pg_temp.ask(
  'SELECT count(*) FROM row_of WHERE seeme_has_permission(''models:read'', project => project_id)'),
  '66',
          'threat: a scan of them all fails, or lets another row through');
SELECT is(
  pg_temp.ask(
  'SELECT count(*) FROM row_of WHERE seeme_has_permission((SELECT name FROM code WHERE bit = 16), '
  'project => project_id)'),
          (SELECT count(*)::text FROM row_of WHERE n >> 16 & 1 = 1),
          'by the highest bit of their numbers');
SELECT is(pg_temp.ask('SELECT cardinality(seeme_permitted_projects(''models:read''))'), '66',
  'as a list');
SELECT is(pg_temp.ask('SELECT cardinality(seeme_permitted_resources(''models:read''))'), '1',
  'as a list of resources');
SELECT cmp_ok(evictions, '>', :was_evictions::bigint, 'memory is forgotten, and begun anew')
  FROM seeme.cache_statistics;
SELECT cmp_ok(bytes, '<', 256 * 1024 * 1024::bigint, 'within its bound')
  FROM seeme.cache_statistics;
SET LOCAL seeme_rbac.cache_memory = '1MB';
SELECT is(
  pg_temp.ask(
  'SELECT count(*) FROM row_of WHERE n <= 3000 AND seeme_has_permission(''models:read'', project '
  '=> project_id)'), '3', 'with memory for a few of them');
SELECT is(
  pg_temp.ask($$SELECT seeme_has_permission(
    'models:read', resource => '0d000000-0000-4000-8000-000000000001')$$), 'true',
    'a resource, too');
SELECT is(pg_temp.ask('SELECT cardinality(seeme_permitted_projects(''models:read''))'), '66',
  'and a list');
SELECT cmp_ok(bytes, '<', 1152 * 1024::bigint, 'within its bound') FROM seeme.cache_statistics;
RESET seeme_rbac.cache_memory;
SELECT pg_temp.become('vera') \g /dev/null
SELECT ok(seeme_has_permission('models:read', project => :alpha), 'others are answered as before');
SELECT pg_temp.become(NULL) \g /dev/null

SELECT * FROM finish();
ROLLBACK;
