\i test/include/prelude.psql
-- A bitmap scan checks its condition again on each row of a page whose rows the bitmap does not
-- tell, before the policy. A function without columns in that condition would be called for hidden
-- rows: the number of calls, or an error in one of them, would tell that there are any.
BEGIN;
\i test/include/people.psql
SELECT plan(9);
SET LOCAL max_parallel_workers_per_gather = 0;
SET LOCAL enable_seqscan = off;
SET LOCAL work_mem = '64kB';

-- 1 % of the rows are paul's, and no index finds them. `at` has a BRIN index, `kind` a hash index,
-- the others B-trees.
CREATE TABLE t_doc (id integer PRIMARY KEY, project_id uuid, n integer, kind integer, at integer,
  fill text);
INSERT INTO t_doc SELECT n, CASE WHEN n % 100 = 0 THEN :alpha::uuid ELSE :gamma END, n % 5, n % 3,
  n / 100, repeat('x', 700) FROM generate_series(1, 20000) AS n;
CREATE INDEX ON t_doc (n);
CREATE INDEX ON t_doc USING hash (kind);
CREATE INDEX ON t_doc USING brin (at) WITH (pages_per_range = 4);
SELECT seeme_protect('t_doc', 'models', project_column => 'project_id') \g /dev/null
GRANT SELECT ON t_doc TO t_app;
CREATE TABLE t_free (k integer PRIMARY KEY);
INSERT INTO t_free VALUES (1), (2);
GRANT SELECT ON t_free TO t_app;
ANALYZE t_doc; ANALYZE t_free;

\i test/include/counted_calls.psql
SELECT pg_temp.become('paul');
CREATE FUNCTION t_own.two() RETURNS integer LANGUAGE plpgsql STABLE COST 0.0001 AS $$
  BEGIN PERFORM nextval('t_own.calls'); RETURN 2; END $$;
-- paul sees 200 rows, and a condition calls the function twice at most. So does planning.
SELECT cmp_ok(pg_temp.calls('SELECT FROM t_doc WHERE ' || condition), '<=', 420::bigint, condition)
  FROM unnest(ARRAY['n = t_own.two()', 'kind = t_own.two()', 'at = t_own.two()',
    'at < 50 AND at >= t_own.two()', 'n = 2 AND at < t_own.two()',
    '(n = t_own.two() OR at = t_own.two())']) AS condition;
SET LOCAL enable_hashjoin = off;
SET LOCAL enable_mergejoin = off;
SELECT cmp_ok(pg_temp.calls('SELECT FROM t_free f LEFT JOIN t_doc d ON d.at = f.k '
                            'OR d.n = t_own.two()'), '<=', 430::bigint, 'a join');
-- A scan of a B-tree evaluates it once, and is still made.
SELECT matches(pg_temp.own_plan('SELECT FROM t_doc WHERE id = t_own.two()'),
  'Index Cond: \(id = t_own.two\(\)\)', 'a scan of a B-tree by such a function');
SELECT cmp_ok(pg_temp.calls('SELECT FROM t_doc WHERE id < t_own.two()'), '<=', 10::bigint,
  'which is evaluated once');
SELECT pg_temp.become(NULL);
SELECT * FROM finish();
ROLLBACK;
