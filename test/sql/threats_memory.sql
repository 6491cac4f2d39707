-- Rule 7.9: no question costs more than linear time and memory in what it is about
-- (test/t/009_cancel.pl: and can be cancelled), and what is remembered keeps to
-- seeme_rbac.cache_memory within one question, too. Nothing here is timed.
\i test/include/prelude.psql
BEGIN;
\i test/include/people.psql
SELECT no_plan();

CREATE FUNCTION pg_temp.id(kind text, n int) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
  SELECT (kind || '000000-0000-4000-8000-' || lpad(to_hex(n), 12, '0'))::uuid $$;
-- stan has a membership, under a role of its own, in each of 4,000 projects of Acme (01), and in
-- each of 4,000 organizations (02), which have a project each; a model is assigned to all projects
-- of each kind.
\set many 4000
SET LOCAL session_replication_role = replica;
INSERT INTO seeme.roles (id, organization_id, name, permissions)
SELECT pg_temp.id('c0', n), :acme, 'R' || n,
       (SELECT array_agg(name ORDER BY name)
          FROM (SELECT name, row_number() OVER (ORDER BY name COLLATE "C") AS bit
          FROM seeme.permissions WHERE NOT is_wildcard AND name !~ '^models:') AS code
         WHERE bit <= 12 AND n >> (bit - 1)::int & 1 = 1)
  FROM generate_series(1, :many - 1) AS n;
INSERT INTO seeme.projects (id, organization_id, name, slug)
SELECT pg_temp.id('01', n), :acme, 'Many ' || n, 'many-' || n FROM generate_series(1, :many) AS n;
INSERT INTO seeme.memberships (organization_id, user_id) VALUES (:acme, :stan);
INSERT INTO seeme.memberships (organization_id, project_id, user_id, role_id)
SELECT :acme, pg_temp.id('01', n), :stan, CASE WHEN n < :many THEN pg_temp.id('c0', n)
  ELSE pg_temp.builtin('Viewer') END FROM generate_series(1, :many) AS n;
INSERT INTO seeme.organizations (id, name, slug, owner_id) SELECT pg_temp.id('02', n), 'Many ' || n,
  'many-' || n, :oscar FROM generate_series(1, :many) AS n;
INSERT INTO seeme.projects (id, organization_id, name, slug)
SELECT pg_temp.id('03', n), pg_temp.id('02', n), 'Many', 'many' FROM generate_series(1, :many) AS n;
INSERT INTO seeme.memberships (organization_id, user_id) SELECT pg_temp.id('02', n),
  :stan FROM generate_series(1, :many) AS n;
INSERT INTO seeme.memberships (organization_id, project_id, user_id, role_id)
SELECT pg_temp.id('02', n), pg_temp.id('03', n), :stan,
  pg_temp.builtin(CASE WHEN n < :many THEN 'Member' ELSE 'Viewer' END)
  FROM generate_series(1, :many) AS n;
\set of_projects '''0d000000-0000-4000-8000-000000000001'''
\set of_organizations '''0d000000-0000-4000-8000-000000000002'''
INSERT INTO seeme.project_resources (
  organization_id, project_id, resource_type, resource_id, resource_name)
SELECT :acme, pg_temp.id('01', n), 'model', :of_projects::uuid,
  'm' FROM generate_series(1, :many) AS n
UNION ALL
SELECT pg_temp.id('02', n), pg_temp.id('03', n), 'model', :of_organizations,
  'm' FROM generate_series(1, :many) AS n;
SET LOCAL session_replication_role = origin;
ANALYZE seeme.memberships, seeme.projects, seeme.organizations, seeme.project_resources,
seeme.roles;

-- The most memory that this process has ever had, in kB; null where the kernel does not tell.
CREATE FUNCTION pg_temp.peak() RETURNS bigint LANGUAGE sql VOLATILE AS $$
  SELECT substring(pg_read_file('/proc/self/status', 0, 65536, true)
    FROM 'VmHWM:\s+(\d+) kB')::bigint $$;

-- Every form of the question, as a query with one value; asked by stan, or by an administrator,
-- whom nobody is.
CREATE TEMP TABLE question (n int, who text, query text, answer text);
INSERT INTO question VALUES
  (1, 'stan', $$SELECT seeme_has_permission(
    'models:read', resource => '0d000000-0000-4000-8000-000000000001')$$, 'true'),
  (2, 'stan', $$SELECT seeme_has_permission(
    'models:read', resource => '0d000000-0000-4000-8000-000000000002')$$, 'true'),
  (3, 'stan', $$SELECT seeme_has_permission(
    'models:*', resource => '0d000000-0000-4000-8000-000000000001')$$, 'false'),
  (4, 'stan', $$SELECT seeme_user_has_permission(
    'a0000000-0000-4000-8000-00000000000e', 'models:update',
    resource => '0d000000-0000-4000-8000-000000000001')$$, 'false'),
  (5, 'stan', $$SELECT 'models:read' = ANY (
    seeme_permissions(resource => '0d000000-0000-4000-8000-000000000001'))
    AND NOT 'models:update' = ANY (
    seeme_permissions(resource => '0d000000-0000-4000-8000-000000000002'))$$, 'true'),
  (6, 'stan', $$SELECT cardinality(seeme_permitted_projects('models:read'))$$, '2'),
  (7, 'stan', $$SELECT cardinality(seeme_permitted_projects('projects:read'))$$, NULL),
  (8, 'stan', $$SELECT cardinality(seeme_permitted_projects('models:*'))$$, '0'),
  (9, 'stan', $$SELECT cardinality(seeme_permitted_resources('models:read'))$$, '2'),
  (10, 'stan', $$SELECT cardinality(seeme_permitted_resources('projects:*', 'model'))$$, NULL),
  (11, 'stan', $$SELECT cardinality(seeme_permitted_organizations('models:read'))$$, '0'),
  (12, 'stan', $$SELECT count(*) FILTER (WHERE granted) || ' of ' || count(*)
    FROM seeme_explain_permission(
    'a0000000-0000-4000-8000-00000000000e', 'models:read',
    resource => '0d000000-0000-4000-8000-000000000001')$$, '1 of 8000'),
  (13, 'stan', $$SELECT count(*) FILTER (WHERE granted) || ' of ' || count(*)
    FROM seeme_explain_permission(
    'a0000000-0000-4000-8000-00000000000e', 'models:read',
    resource => '0d000000-0000-4000-8000-000000000002')$$, '1 of 8000'),
  (14, NULL, $$SELECT array_agg(DISTINCT u.username::text ORDER BY u.username::text)
    FROM seeme_permitted_users('models:read', resource => '0d000000-0000-4000-8000-000000000001')
    AS holder JOIN seeme.users u ON u.id = holder$$, '{adam,cora,edith,olga,stan,vera}'),
  (15, NULL, $$SELECT array_agg(DISTINCT u.username::text ORDER BY u.username::text)
    FROM seeme_permitted_users('models:read', resource => '0d000000-0000-4000-8000-000000000002')
    AS holder JOIN seeme.users u ON u.id = holder$$, '{oscar,stan}'),
  (16, 'stan', $$SELECT count(*) FROM seeme.projects WHERE name LIKE 'Many%'$$, NULL),
  (17, 'stan', $$SELECT count(*) FROM seeme.organizations WHERE name LIKE 'Many%'$$, '4000'),
  (18, 'stan', $$SELECT jsonb_array_length(seeme_current_user_context() -> 'organizations')$$,
  '4001'),
  (19, 'stan', $$SELECT count(*) FROM seeme.roles WHERE name LIKE 'R%'$$, '3999'),
  (20, 'stan', $$SELECT count(*) > 0 FROM seeme.users$$, 'true'),
  (21, 'stan', $$SELECT cardinality(seeme.own_organizations())$$, '4001'),
  (22, 'adam', $$SELECT cardinality(
    seeme.missing_permissions_below('b0000000-0000-4000-8000-000000000001',
    'a0000000-0000-4000-8000-00000000000e'))$$, '0'),
  (23, 'mike', $$SELECT cardinality(
    seeme.missing_permissions((SELECT array_agg('x' || n) FROM generate_series(1, 30000) AS n),
    NULL, 'b0000000-0000-4000-8000-000000000001'))$$, '30000'),
  (24, 'stan', $$SELECT count(*) FILTER (WHERE seeme_has_permission('models:read', project => id))
    FROM (SELECT ('01000000-0000-4000-8000-' || lpad(to_hex(n), 12, '0'))::uuid AS id
    FROM generate_series(1, 4000) AS n) AS p$$, '1');
-- What one cannot see at a glance is counted otherwise.
UPDATE question SET answer = CASE n
  WHEN 7 THEN (SELECT count(*)::text FROM seeme.memberships m JOIN seeme.roles r ON r.id = m.role_id
  WHERE m.user_id = :stan AND r.permissions && '{projects:read,*:read}')
  WHEN 10 THEN '0'
  WHEN 16 THEN (2 * :many)::text END
 WHERE answer IS NULL;
GRANT SELECT ON question TO PUBLIC;

CREATE FUNCTION pg_temp.ask(who text, query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE answer text;
BEGIN
  PERFORM pg_temp.become(who);
  EXECUTE query INTO answer;
  PERFORM pg_temp.become(NULL);
  RETURN answer;
END $$;
-- How much is remembered after a question.
CREATE FUNCTION pg_temp.bytes_after(who text, query text) RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_temp.ask(who, query);
  RETURN (SELECT bytes FROM seeme.cache_statistics);
END $$;
-- What makes a session forget a person.
\set forget 'UPDATE seeme.users SET name = name WHERE id = :stan'
GRANT EXECUTE ON FUNCTION seeme.missing_permissions_below(uuid, uuid),
  seeme.missing_permissions(text[], uuid, uuid, uuid, uuid) TO PUBLIC;

-- Answers, and how much memory they take
SELECT pg_temp.ask('stan', 'SELECT seeme_user_id()') \g /dev/null
SELECT coalesce(pg_temp.peak(), 0) AS before \gset
SELECT is(pg_temp.ask(who, query), answer, query) FROM question ORDER BY n;
SELECT ok(coalesce(pg_temp.peak() - :before < 128 * 1024, true),
  'threat: questions about what lies in thousands of projects take the server''s memory');

-- The bound, within one question and from one to the next; and the same answers, with whatever is
-- not remembered
SET LOCAL seeme_rbac.cache_memory = '64kB';
SELECT is(pg_temp.ask(who, query), answer, 'with 64 kB: ' || query) FROM question
  WHERE n NOT IN (16, 17, 19, 20) ORDER BY n;
:forget;
SELECT cmp_ok(pg_temp.bytes_after(who, query), '<', 192 * 1024::bigint,
  'threat: one question takes more than seeme_rbac.cache_memory says: ' || query) FROM question
  WHERE n = 1;
:forget;
SELECT cmp_ok(pg_temp.bytes_after(who, query), '<', 192 * 1024::bigint,
  'threat: one question takes more than seeme_rbac.cache_memory says: ' || query) FROM question
  WHERE n = 2;
:forget;
SELECT cmp_ok(pg_temp.bytes_after(who, query), '<', 192 * 1024::bigint,
  'threat: one question takes more than seeme_rbac.cache_memory says: ' || query) FROM question
  WHERE n = 6;
:forget;
SELECT cmp_ok(pg_temp.bytes_after(who, query), '<', 192 * 1024::bigint,
  'threat: one question takes more than seeme_rbac.cache_memory says: ' || query) FROM question
  WHERE n = 9;
:forget;
SELECT cmp_ok(pg_temp.bytes_after(who, query), '<', 192 * 1024::bigint,
  'threat: one question takes more than seeme_rbac.cache_memory says: ' || query) FROM question
  WHERE n = 24;
SET LOCAL seeme_rbac.cache_memory = '1MB';
SELECT is(pg_temp.ask(who, query), answer, 'with 1 MB: ' || query) FROM question
  WHERE n NOT IN (16, 17, 19, 20) ORDER BY n;
:forget;
SELECT cmp_ok(pg_temp.bytes_after(who, query), '<', 1152 * 1024::bigint,
  'threat: the same with 1 MB: ' || query) FROM question WHERE n = 1;
:forget;
SELECT cmp_ok(pg_temp.bytes_after(who, query), '<', 1152 * 1024::bigint,
  'threat: the same with 1 MB: ' || query) FROM question WHERE n = 2;
:forget;
SELECT cmp_ok(pg_temp.bytes_after(who, query), '<', 1152 * 1024::bigint,
  'threat: the same with 1 MB: ' || query) FROM question WHERE n = 6;
:forget;
SELECT cmp_ok(pg_temp.bytes_after(who, query), '<', 1152 * 1024::bigint,
  'threat: the same with 1 MB: ' || query) FROM question WHERE n = 9;
:forget;
SELECT cmp_ok(pg_temp.bytes_after(who, query), '<', 1152 * 1024::bigint,
  'threat: the same with 1 MB: ' || query) FROM question WHERE n = 24;
RESET seeme_rbac.cache_memory;
SELECT is(pg_temp.ask(who, query), answer, 'with as much as before: ' || query) FROM question
  WHERE n IN (1, 2, 6) ORDER BY n;
SELECT is((SELECT sum(total_bytes) FROM pg_backend_memory_contexts WHERE name LIKE 'seeme_rbac %') -
  bytes <= 64 * 1024, true,
          'seeme.cache_statistics tells of all that is kept') FROM seeme.cache_statistics;

SELECT * FROM finish();
ROLLBACK;
