-- One resource in 10,000 projects, asked about by a member of all of them who is new to the
-- session: the first question takes pages and memory in proportion to the projects. Counted, not
-- timed.
\i test/include/prelude.psql
BEGIN;
\i test/include/people.psql
SELECT plan(7);

CREATE FUNCTION pg_temp.id(kind text, n int) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
  SELECT (kind || '000000-0000-4000-8000-' || lpad(to_hex(n), 12, '0'))::uuid $$;
SET LOCAL session_replication_role = replica;
INSERT INTO seeme.projects (id, organization_id, name, slug)
SELECT pg_temp.id('01', n), :acme, 'Many ' || n, 'many-' || n FROM generate_series(1, 10000) AS n;
-- gina is in the first hundred, stan and oscar are in all of them. gina and stan may read models in
-- their last project only, and oscar nowhere.
INSERT INTO seeme.memberships (organization_id, user_id)
VALUES (:acme, :gina), (:acme, :stan), (:acme, :oscar);
INSERT INTO seeme.memberships (organization_id, project_id, user_id, role_id)
SELECT :acme::uuid, pg_temp.id('01', n), person.id,
       CASE WHEN n = person.size AND person.id <> :oscar THEN pg_temp.builtin('Viewer')
            ELSE :annotator END
  FROM (VALUES (:gina::uuid, 100), (:stan, 10000), (:oscar, 10000)) AS person (id, size),
       generate_series(1, person.size) AS n;
INSERT INTO seeme.project_resources (
  organization_id, project_id, resource_type, resource_id, resource_name)
SELECT :acme, pg_temp.id('01', n), 'model', pg_temp.id('0d', size), 'm'
  FROM unnest('{100,10000}'::int[]) AS size, generate_series(1, size) AS n;
SET LOCAL session_replication_role = origin;
ANALYZE seeme.memberships, seeme.projects, seeme.project_resources;

-- What the first question about a resource costs a session that has forgotten everything.
CREATE FUNCTION pg_temp.first_question(
  who text, size int, OUT answer boolean, OUT pages bigint, OUT bytes bigint)
LANGUAGE plpgsql AS $$
DECLARE
  before bigint := (SELECT s.bytes FROM seeme.cache_statistics s);
  plan json;
  query text := format('SELECT seeme_has_permission(%L, resource => %L)', 'models:read',
                       pg_temp.id('0d', size));
BEGIN
  PERFORM pg_temp.become(who);
  EXECUTE format('EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON) %s', query) INTO plan;
  EXECUTE query INTO answer;
  PERFORM pg_temp.become(NULL);
  pages := (plan -> 0 -> 'Plan' ->> 'Shared Hit Blocks')::bigint
           + (plan -> 0 -> 'Plan' ->> 'Shared Read Blocks')::bigint;
  bytes := (SELECT s.bytes FROM seeme.cache_statistics s) - before;
END $$;
-- The change of a role makes a session forget everything. The next question, about something
-- else, reads the codes.
\set forget 'UPDATE seeme.roles SET name = name WHERE id = :annotator'
\set codes 'SELECT pg_temp.become(''olga''), seeme_has_permission(''models:read'', team => :labs), pg_temp.become(NULL) \\g /dev/null'

SET LOCAL seeme_rbac.cache_memory = '64MB';
:forget;
:codes
SELECT answer, pages, bytes FROM pg_temp.first_question('gina', 100) \gset small_
:forget;
:codes
SELECT answer, pages, bytes FROM pg_temp.first_question('stan', 10000) \gset large_
:forget;
:codes
SELECT answer, pages, bytes FROM pg_temp.first_question('oscar', 10000) \gset none_
SELECT ok(:'small_answer' AND :'large_answer', 'a permission in the last project is found');
SELECT ok(NOT :'none_answer', 'and none where there is none');
SELECT cmp_ok(:large_pages::bigint, '<=', 120 * :small_pages::bigint,
  'threat: a resource in many projects takes more than its part of the server''s reading');
SELECT cmp_ok(:large_bytes::bigint, '<=', 120 * :small_bytes::bigint,
  'threat: or of its memory');
SELECT cmp_ok(:none_bytes::bigint, '<=', 120 * :small_bytes::bigint,
  'also for a person who has nothing there');

-- Without room for the projects the answer is the same.
SET LOCAL seeme_rbac.cache_memory = '64kB';
:forget;
:codes
SELECT answer, bytes FROM pg_temp.first_question('stan', 10000) \gset bound_
SELECT ok(:'bound_answer', 'without room for it the answer is the same');
SELECT cmp_ok(:bound_bytes::bigint, '<=', 192 * 1024::bigint, 'and takes no more than the room');

SELECT * FROM finish();
ROLLBACK;
