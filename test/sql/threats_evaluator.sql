-- What is remembered has a bound, and an answer is the same, and costs no more than it should, when
-- there is no room for it.
\i test/include/prelude.psql
BEGIN;
\i test/include/people.psql
SELECT plan(11);

CREATE FUNCTION pg_temp.id(kind text, n int) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
  SELECT (kind || '000000-0000-4000-8000-' || lpad(to_hex(n), 12, '0'))::uuid $$;
CREATE FUNCTION pg_temp.ask(who text, query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE answer text;
BEGIN
  PERFORM pg_temp.become(who);
  EXECUTE query INTO answer;
  PERFORM pg_temp.become(NULL);
  RETURN answer;
END $$;

-- gina owns documents, and is no member of the only organization that they are assigned in. A scan
-- reads all assignments at once.
CREATE TABLE doc (id uuid PRIMARY KEY, owner_id uuid, name text);
INSERT INTO doc SELECT pg_temp.id('0d', n), :gina, 'd' || n FROM generate_series(1, 3000) AS n;
SELECT seeme_protect('doc', 'models', resource_id_column => 'id', owner_column => 'owner_id',
  resource_type => 'model');
SET LOCAL session_replication_role = replica;
INSERT INTO seeme.project_resources (
  organization_id, project_id, resource_type, resource_id, resource_name)
SELECT :acme, :alpha, 'model', id, name FROM doc WHERE name <> 'd1';
SET LOCAL session_replication_role = origin;
ANALYZE seeme.project_resources;
GRANT SELECT ON doc TO PUBLIC;
SELECT is(pg_temp.ask('gina', 'SELECT count(*) FROM doc'), '1',
  'ownership counts for the one that is assigned nowhere');
SELECT is(pg_temp.ask('olga', 'SELECT count(*) FROM doc'), '2999',
  'the others are their organization''s');
SET LOCAL seeme_rbac.cache_memory = '64kB';
SELECT is(pg_temp.ask('gina', 'SELECT count(*) FROM doc'), '1',
  'threat: with too little memory for all assignments, those that do not fit count as none');
SELECT is(pg_temp.ask('gina', 'SELECT count(*) FROM doc'), '1', 'and again');
RESET seeme_rbac.cache_memory;
-- The estimate says that the table is small.
UPDATE pg_catalog.pg_class SET reltuples = 100 WHERE oid = 'seeme.project_resources'::regclass;
SELECT is(pg_temp.ask('gina', 'SELECT count(*) FROM doc'), '1',
  'threat: with statistics of another time, those beyond them count as none');

-- stan has a membership in each of 3,000 projects of Acme, and a model is assigned to all of them:
-- while there is no room for what he has there, his memberships are read for each project by
-- itself, and not all of them for each.
\set many 3000
SET LOCAL session_replication_role = replica;
INSERT INTO seeme.projects (id, organization_id, name, slug) SELECT pg_temp.id('01', n), :acme,
  'Many ' || n, 'many-' || n FROM generate_series(1, :many) AS n;
INSERT INTO seeme.memberships (organization_id, user_id) VALUES (:acme, :stan);
INSERT INTO seeme.memberships (organization_id, project_id, user_id, role_id)
SELECT :acme, pg_temp.id('01', n), :stan, pg_temp.builtin('Member')
  FROM generate_series(1, :many) AS n;
INSERT INTO seeme.project_resources (
  organization_id, project_id, resource_type, resource_id, resource_name)
SELECT :acme, pg_temp.id('01', n), 'model', pg_temp.id('0e', 1),
  'm' FROM generate_series(1, :many) AS n;
SET LOCAL session_replication_role = origin;
ANALYZE seeme.memberships, seeme.projects, seeme.project_resources;
CREATE FUNCTION pg_temp.memberships_read() RETURNS bigint LANGUAGE sql VOLATILE AS $$
  SELECT coalesce(idx_tup_fetch, 0) FROM pg_catalog.pg_stat_xact_all_tables
    WHERE relid = 'seeme.memberships'::regclass $$;
\set models_of_stan 'SELECT seeme_has_permission(''models:read'', resource => pg_temp.id(''0e'', 1))'
-- Each in a statement of its own, so that not everything is read at once.
CREATE FUNCTION pg_temp.fill(n int) RETURNS void LANGUAGE plpgsql AS $$
DECLARE held boolean;
BEGIN
  FOR i IN 1..n LOOP
    EXECUTE format('SELECT seeme_has_permission(''models:read'', project => %L)',
      pg_temp.id('09', i)) INTO held;
  END LOOP;
END $$;
SELECT pg_temp.ask('vera', 'SELECT pg_temp.fill(9000)') \g /dev/null
SELECT cmp_ok(bytes, '>', 1024 * 1024::bigint, 'much is remembered') FROM seeme.cache_statistics;
SELECT set_config('seeme_rbac.cache_memory', (bytes / 1024 + 50)::text || 'kB', true)
  FROM seeme.cache_statistics \g /dev/null
SELECT pg_temp.memberships_read() AS before \gset
SELECT is(pg_temp.ask('stan', :'models_of_stan'), 'false', 'stan may not read the model');
SELECT cmp_ok(pg_temp.memberships_read() - :before, '<', 20 * :many::bigint,
  'threat: without room, all memberships are read for each project');
SELECT is(pg_temp.ask('olga', :'models_of_stan'), 'true', 'olga may');


-- Each of the memberships is under another role.
RESET seeme_rbac.cache_memory;
SET LOCAL session_replication_role = replica;
INSERT INTO seeme.roles (id, organization_id, name) SELECT pg_temp.id('c0', n), :acme,
  'R' || n FROM generate_series(1, :many) AS n;
UPDATE seeme.memberships m SET role_id = pg_temp.id('c0', n) FROM generate_series(1, :many) AS n
  WHERE m.project_id = pg_temp.id('01', n);
SET LOCAL session_replication_role = origin;
SET LOCAL seeme_rbac.cache_memory = '64kB';
UPDATE seeme.users SET name = name WHERE id = :stan;
SELECT pg_temp.memberships_read() AS before \gset
SELECT is(pg_temp.ask('stan', $$SELECT count(*) FROM seeme.roles WHERE name LIKE 'R%'$$), :'many',
  'stan sees the roles that he holds');
SELECT cmp_ok(pg_temp.memberships_read() - :before, '<', 20 * :many::bigint,
  'threat: without room, all memberships are read for each role');

SELECT * FROM finish();
ROLLBACK;
