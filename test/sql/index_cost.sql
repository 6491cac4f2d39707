\i test/include/prelude.psql
-- An index scan by the ids that somebody has costs what it costs with these ids spelled out. So
-- the planner chooses the same plans.
BEGIN;
\i test/include/people.psql
SELECT plan(6);

-- Two thousand projects of ten rows each. Paul sees 200 of them, and Tess one.
INSERT INTO seeme.projects (id, organization_id, name, slug)
SELECT md5('project' || n)::uuid, :acme, 'P' || n, 'p-' || n FROM generate_series(1, 2000) AS n;
INSERT INTO seeme.memberships (organization_id, project_id, user_id, role_id)
SELECT :acme, md5('project' || n)::uuid, :paul, pg_temp.builtin('Viewer')
  FROM generate_series(1, 200) AS n;
CREATE TABLE t_cost (id integer PRIMARY KEY, project_id uuid NOT NULL, amount numeric NOT NULL,
                     filler text NOT NULL);
INSERT INTO t_cost
SELECT n, md5('project' || 1 + n % 2000)::uuid, n % 199, repeat('x', 200)
  FROM generate_series(1, 20000) AS n;
CREATE INDEX ON t_cost (project_id);
CREATE INDEX ON t_cost (amount);
CREATE TABLE t_bare (LIKE t_cost INCLUDING ALL);
INSERT INTO t_bare SELECT * FROM t_cost;
ANALYZE t_cost, t_bare;
SELECT seeme_protect('t_cost', 'models', project_column => 'project_id') \g /dev/null
GRANT SELECT ON t_cost, t_bare TO t_app;

CREATE FUNCTION pg_temp.plan_of(statement text, OUT cost numeric, OUT nodes text)
LANGUAGE plpgsql AS $$
DECLARE
  plan json;
BEGIN
  EXECUTE 'EXPLAIN (FORMAT json) ' || statement INTO plan;
  cost := jsonb_path_query_first(plan::jsonb,
    '$.** ? (@."Index Name" like_regex "project_id_idx$")."Total Cost"');
  SELECT string_agg(node #>> '{}', ', ' ORDER BY place) INTO nodes
    FROM jsonb_path_query(plan::jsonb, '$.**."Node Type"') WITH ORDINALITY AS n (node, place);
END $$;
SELECT string_agg(quote_literal(md5('project' || n)), ',') AS ids
  FROM generate_series(1, 200) AS n \gset
\set spelled_out 'project_id IN (' :ids ')'

SELECT pg_temp.become('paul') \g /dev/null
SET LOCAL enable_seqscan = off;
SET LOCAL enable_indexscan = off;
SET LOCAL seeme_rbac.enable_permission_scan = off;
SELECT cost AS ours, nodes AS our_nodes FROM pg_temp.plan_of('SELECT * FROM t_cost') \gset
SELECT cost AS theirs, nodes AS their_nodes
  FROM pg_temp.plan_of('SELECT * FROM t_bare WHERE ' || :'spelled_out') \gset
RESET enable_seqscan;
RESET enable_indexscan;
SELECT nodes AS our_search FROM pg_temp.plan_of('SELECT * FROM t_cost WHERE amount = 7') \gset
SELECT nodes AS their_search
  FROM pg_temp.plan_of('SELECT * FROM t_bare WHERE amount = 7 AND ' || :'spelled_out') \gset
SELECT count(*) AS our_rows FROM t_cost WHERE amount = 7 \gset
SELECT count(*) AS their_rows FROM t_bare WHERE amount = 7 AND :spelled_out \gset
SELECT pg_temp.become(NULL) \g /dev/null

SELECT is(:'our_nodes'::text, :'their_nodes'::text,
  '200 ids: the same plan as with the ids spelled out');
-- An array that counts as ten elements would cost a twentieth. On 17 and 18
-- the two differ by a quarter.
SELECT cmp_ok(:ours / :theirs, '>', 0.5, 'which is not taken to be cheaper');
SELECT cmp_ok(:ours / :theirs, '<', 1.5, 'nor dearer');
SELECT is(:'our_search'::text, :'their_search'::text, 'with another condition, too');
SELECT is(:our_rows, :their_rows, 'and the same rows');

SELECT pg_temp.become('tess') \g /dev/null
SELECT nodes AS of_one FROM pg_temp.plan_of('SELECT * FROM t_cost') \gset
SELECT pg_temp.become(NULL) \g /dev/null
SELECT matches(:'of_one'::text, 'Index Scan', 'one id: by the index');

SELECT * FROM finish();
ROLLBACK;
