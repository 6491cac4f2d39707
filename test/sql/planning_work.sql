\i test/include/prelude.psql
-- How much work the planner does for a query on protected tables: what has one answer for a
-- statement, a table or a person is found out once, however many tables and indexes there are.
BEGIN;
\i test/include/people.psql
SELECT plan(17);
SET LOCAL jit = off;

CREATE TABLE w_one (id integer PRIMARY KEY, project_id uuid, amount numeric, title text);
CREATE INDEX ON w_one (project_id);
CREATE INDEX ON w_one (project_id, amount);
CREATE INDEX ON w_one (amount);
CREATE INDEX ON w_one (lower(title));
INSERT INTO w_one SELECT n, CASE WHEN n % 50 = 0 THEN :alpha ELSE gen_random_uuid() END, n, 'T' || n
  FROM generate_series(1, 5000) AS n;
CREATE TABLE w_two (LIKE w_one INCLUDING ALL);
CREATE TABLE w_three (LIKE w_one INCLUDING ALL);
CREATE TABLE w_parts (id integer, project_id uuid, amount numeric) PARTITION BY RANGE (id);
CREATE TABLE w_part_1 PARTITION OF w_parts FOR VALUES FROM (1) TO (2000);
CREATE TABLE w_part_2 PARTITION OF w_parts FOR VALUES FROM (2000) TO (4000);
CREATE TABLE w_part_3 PARTITION OF w_parts FOR VALUES FROM (4000) TO (6000);
CREATE INDEX ON w_parts (project_id);
INSERT INTO w_parts SELECT id, project_id, amount FROM w_one;
SELECT seeme_protect(t, 'models', project_column => 'project_id')
  FROM unnest(ARRAY['w_one', 'w_two', 'w_three', 'w_parts']::regclass[]) AS t \g /dev/null
GRANT SELECT ON w_one, w_two, w_three, w_parts TO PUBLIC;
GRANT EXECUTE ON FUNCTION seeme.planner_counters() TO PUBLIC;
ANALYZE w_one, w_two, w_three, w_parts;

-- What a counter says of planning a query, once the person is known
CREATE FUNCTION pg_temp.work(query text, OUT judged bigint, OUT walked bigint, OUT examined bigint,
  OUT counted bigint, OUT opened bigint) LANGUAGE plpgsql AS $$
DECLARE
  before record;
  after record;
BEGIN
  EXECUTE 'EXPLAIN ' || query;
  SELECT * INTO before FROM seeme.planner_counters();
  EXECUTE 'EXPLAIN ' || query;
  SELECT * INTO after FROM seeme.planner_counters();
  judged := after.statements_judged - before.statements_judged;
  walked := after.statements_walked - before.statements_walked;
  examined := after.columns_examined - before.columns_examined;
  counted := after.scopes_counted - before.scopes_counted;
  opened := after.indexes_opened - before.indexes_opened;
END $$;
SELECT pg_temp.become('paul') \g /dev/null

SELECT is(pg_temp.work('SELECT * FROM w_one WHERE id = 7')::text, '(1,0,0,0,0)',
  'one row by its key: nobody''s rights are looked at, and no statistics');
SELECT is(pg_temp.work('SELECT * FROM w_one WHERE project_id = ' || quote_literal(:alpha))::text,
  '(1,1,0,0,0)', 'one project: the same');
SELECT is(pg_temp.work('SELECT * FROM w_one')::text, '(1,1,1,0,0)',
  'all rows, two indexes by project: statistics are looked up once');
SELECT is(pg_temp.work('SELECT * FROM w_one WHERE amount < 10')::text, '(1,1,1,0,0)',
  'a condition by an index: the same');
SELECT is(pg_temp.work('SELECT * FROM w_one WHERE lower(title) = ''t7''')::text, '(1,1,1,0,0)',
  'a condition by an index on an expression: no index is opened once more');

-- Statements with several tables
SELECT collect_tap(is(w.judged, 1::bigint, 'a join of three protected tables is judged once'),
  is(w.walked, 1::bigint, 'and walked once for what does more than read'),
  is(w.counted, 0::bigint, 'and nobody''s scopes are counted again'),
  cmp_ok(w.examined, '<=', 3::bigint, 'and statistics are looked up once for a table'))
  FROM pg_temp.work('SELECT * FROM w_one a JOIN w_two b USING (project_id)
    JOIN w_three c ON c.id = b.id WHERE a.amount < 10') AS w;
SELECT collect_tap(is(w.judged, 1::bigint, 'a join that may leak is judged once'),
  is(w.walked, 1::bigint, 'and walked once'),
  cmp_ok(w.examined, '<=', 3::bigint, 'and statistics are looked up once for a table'))
  FROM pg_temp.work('SELECT * FROM w_one a JOIN w_two b USING (project_id)
    JOIN w_three c ON c.id = b.id WHERE 1 / a.amount < 10') AS w;
SELECT collect_tap(is(w.judged, 1::bigint, 'a partitioned table is judged once'),
  is(w.walked, 1::bigint, 'and walked once for all its partitions'),
  is(w.counted, 0::bigint, 'and scopes are not counted for each'),
  cmp_ok(w.examined, '<=', 4::bigint, 'statistics are looked up once for each and for the whole'))
  FROM pg_temp.work('SELECT * FROM w_parts WHERE amount < 10') AS w;

-- Another person's estimates are theirs.
SELECT pg_temp.become('olga') \g /dev/null
CREATE TEMP TABLE before AS SELECT * FROM seeme.planner_counters();
EXPLAIN SELECT * FROM w_one \g /dev/null
SELECT cmp_ok(c.scopes_counted, '>', b.scopes_counted,
  'what was counted for one person is not taken for another')
  FROM seeme.planner_counters() AS c, before AS b;
SELECT pg_temp.become(NULL) \g /dev/null

SELECT * FROM finish();
ROLLBACK;
