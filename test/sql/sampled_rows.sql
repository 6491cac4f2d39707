\i test/include/prelude.psql
-- A sample of a protected table (TABLESAMPLE) has no rows but those of the sample, whatever indexes
-- there are for the conditions.
BEGIN;
\i test/include/people.psql
SELECT plan(8);
SET LOCAL max_parallel_workers_per_gather = 0;
CREATE TABLE t_doc (id integer PRIMARY KEY, project_id uuid, amount numeric, title text);
INSERT INTO t_doc SELECT n, :alpha, n % 50, 'T' || n FROM generate_series(1, 4000) AS n;
CREATE INDEX ON t_doc (project_id);
CREATE INDEX ON t_doc (amount);
SELECT seeme_protect('t_doc', 'models', project_column => 'project_id') \g /dev/null
GRANT SELECT ON t_doc TO t_app;
ANALYZE t_doc;
CREATE FUNCTION pg_temp.found(statement text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE found bigint;
BEGIN
  EXECUTE 'SELECT count(*) FROM (' || statement || ') s' INTO found;
  RETURN found;
END $$;
CREATE FUNCTION pg_temp.leak() RETURNS numeric LANGUAGE plpgsql STABLE AS 'BEGIN RETURN 7; END';
SELECT pg_temp.become('paul');
SELECT is(pg_temp.found('SELECT FROM t_doc AS d TABLESAMPLE BERNOULLI (0)' || rest), 0::bigint,
  'a sample of nothing:' || rest)
  FROM unnest(ARRAY['', ' WHERE amount = 7', ' WHERE amount = 7 AND title ~ ''T''',
    ' WHERE (amount = 7 OR amount = 8) AND title ~ ''T''', ' WHERE amount = pg_temp.leak()',
    ' WHERE project_id = ''d0000000-0000-4000-8000-000000000001'' AND title ~ ''T''',
    ' JOIN generate_series(1, 3) AS g ON d.amount = g WHERE d.title ~ ''T''']) AS rest;
SELECT is(pg_temp.found('SELECT FROM t_doc TABLESAMPLE BERNOULLI (100) WHERE amount = 7 AND '
                        'title ~ ''T'''), 80::bigint, 'a sample of everything');
SELECT pg_temp.become(NULL);
SELECT * FROM finish();
ROLLBACK;
