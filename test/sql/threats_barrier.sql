\i test/include/prelude.psql
-- What an attacker tries where a policy is a condition like any other (src/planner/barrier.c): a member of one project, who
-- may write SQL of every shape and create functions and operators, wants to learn of rows of other projects. The functions
-- raise S9999 when they meet a value of such a row, at run time or in an estimator.
BEGIN;
\i test/include/people.psql
\i test/include/asking.psql
SELECT plan(90);
SET LOCAL max_parallel_workers_per_gather = 0;
SET LOCAL jit = off;
-- Where conditions go by cost, the policy comes last
ALTER FUNCTION seeme_has_permission(text, uuid, uuid, uuid, uuid, text) COST 1000;

INSERT INTO seeme.memberships (organization_id, project_id, user_id, role_id) VALUES (:acme, :alpha, :nora, pg_temp.id('Editor'));
CREATE TABLE s_doc (id integer PRIMARY KEY, project_id uuid NOT NULL, amount numeric, title text, n integer);
INSERT INTO s_doc SELECT n, CASE WHEN n % 5 = 0 THEN :alpha::uuid ELSE :delta END, n, CASE WHEN n % 5 = 0 THEN 'open ' || n % 7 ELSE 'secret ' || n % 3 END, n % 5 FROM generate_series(1, 2000) AS n;
CREATE INDEX ON s_doc (amount); CREATE INDEX ON s_doc (title); CREATE INDEX ON s_doc (project_id);
CREATE TABLE s_child (id integer, doc_id integer, title text);
INSERT INTO s_child SELECT n, n, 'open ' || n % 7 FROM generate_series(1, 2000) AS n;
CREATE INDEX ON s_child (doc_id);
SELECT seeme_protect('s_doc', 'models', project_column => 'project_id') \g /dev/null
CREATE VIEW s_view WITH (security_invoker) AS SELECT id, project_id, amount, title FROM s_doc WHERE amount > 0;
CREATE VIEW s_barrier WITH (security_invoker, security_barrier) AS SELECT id, project_id, amount, title FROM s_doc WHERE amount > 0;
DO $$
BEGIN
  EXECUTE format('CREATE TABLE s_virtual (id integer PRIMARY KEY, project_id uuid, n integer, v integer %s)',
                 CASE WHEN current_setting('server_version_num')::integer >= 180000 THEN 'GENERATED ALWAYS AS (1 / (n - 2)) VIRTUAL' END);
END $$;
INSERT INTO s_virtual (id, project_id, n) SELECT id, project_id, n FROM s_doc;
SELECT seeme_protect('s_virtual', 'models', project_column => 'project_id') \g /dev/null
CREATE TABLE s_part (id integer, project_id uuid NOT NULL, amount numeric, title text) PARTITION BY RANGE (id);
CREATE TABLE s_part_1 PARTITION OF s_part FOR VALUES FROM (0) TO (1000);
CREATE TABLE s_part_2 PARTITION OF s_part FOR VALUES FROM (1000) TO (3000);
INSERT INTO s_part SELECT id, project_id, amount, title FROM s_doc;
CREATE INDEX ON s_part (amount);
SELECT seeme_protect('s_part', 'models', project_column => 'project_id') \g /dev/null
GRANT SELECT, INSERT, UPDATE, DELETE ON s_doc, s_child, s_view, s_barrier, s_virtual, s_part TO t_app;
ANALYZE s_doc; ANALYZE s_child; ANALYZE s_virtual; ANALYZE s_part;

-- What the attacker makes: they own all of it
GRANT CREATE ON SCHEMA public TO t_nora;
SET LOCAL ROLE t_nora;
CREATE FUNCTION public.s_spy(text, text = '') RETURNS boolean LANGUAGE plpgsql IMMUTABLE COST 0.0000001 AS $$
BEGIN
  IF $1 LIKE 'secret%' OR $2 LIKE 'secret%' THEN RAISE EXCEPTION 'seen' USING ERRCODE = 'S9999'; END IF;
  RETURN true;
END $$;
CREATE FUNCTION public.s_spy_number(numeric) RETURNS boolean LANGUAGE plpgsql IMMUTABLE COST 0.0000001 AS $$
BEGIN
  IF $1 % 5 <> 0 THEN RAISE EXCEPTION 'seen' USING ERRCODE = 'S9999'; END IF;
  RETURN true;
END $$;
CREATE FUNCTION public.s_tells() RETURNS boolean LANGUAGE plpgsql STABLE COST 0.0000001 AS $$
BEGIN
  RAISE EXCEPTION 'evaluated' USING ERRCODE = 'S9999';
END $$;
CREATE OPERATOR public.<~ (LEFTARG = text, RIGHTARG = text, FUNCTION = public.s_spy, RESTRICT = eqsel, JOIN = eqjoinsel);
CREATE OPERATOR public.<~~ (LEFTARG = text, RIGHTARG = text, FUNCTION = public.s_spy, RESTRICT = contsel);
CREATE OPERATOR public.<~> (LEFTARG = text, RIGHTARG = text, FUNCTION = public.s_spy, RESTRICT = scalarltsel);
CREATE FUNCTION public.s_inlined(text) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT public.s_spy($1)';
CREATE FUNCTION public.s_rows(integer) RETURNS SETOF text LANGUAGE sql STABLE AS 'SELECT title FROM s_doc WHERE amount = $1 AND public.s_spy(title)';
CREATE TABLE public.s_own (k integer PRIMARY KEY, note text);
INSERT INTO public.s_own SELECT n, 'x' FROM generate_series(1, 2000) AS n;
ALTER TABLE public.s_own ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tells ON public.s_own USING (public.s_spy_number(k));
CREATE VIEW public.s_own_view WITH (security_invoker) AS SELECT title, amount FROM s_doc WHERE title <~ 'a';
RESET ROLE;
ANALYZE public.s_own;

-- Each statement is planned, and run; 'S9999' is what must not be. What is a row's own and visible may be looked at.
CREATE FUNCTION pg_temp.tells(statement text) RETURNS text LANGUAGE sql AS $$
  SELECT pg_temp.try('nora', 'EXPLAIN ' || statement) || ', ' || pg_temp.try('nora', statement)
$$;
CREATE FUNCTION pg_temp.keeps_quiet(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  told text := '';
  off text;
BEGIN
  FOREACH off IN ARRAY ARRAY['', 'enable_seqscan', 'enable_indexscan', 'enable_hashjoin,enable_mergejoin', 'enable_nestloop', 'enable_seqscan,enable_hashjoin,enable_sort'] LOOP
    PERFORM set_config(s, 'off', true) FROM unnest(string_to_array(off, ',')) AS s;
    IF pg_temp.tells(statement) ~ 'S9999' THEN told := told || format(' without %s', off); END IF;
    PERFORM set_config(s, 'on', true) FROM unnest(string_to_array(off, ',')) AS s;
  END LOOP;
  RETURN told;
END $$;

SELECT is(pg_temp.tells('SELECT FROM s_doc WHERE s_spy(''secret'')'), 'S9999, S9999', 'the attacker''s function tells what it sees');
SELECT pg_temp.become(NULL) \g /dev/null
SELECT is(pg_temp.try(NULL, 'EXPLAIN SELECT FROM s_doc WHERE title <~ ''a'''), 'S9999', 'and so does the estimator of the operator, to a superuser');
SELECT is(pg_temp.keeps_quiet(statement), '', 'threat: ' || statement) FROM unnest(ARRAY[
  $$SELECT FROM s_doc WHERE amount = 42 AND title <~ 'a'$$,
  $$SELECT FROM s_doc WHERE amount < 42 AND title <~~ 'a'$$,
  $$SELECT FROM s_doc WHERE title <~> 'a' OR amount = 42$$,
  $$SELECT FROM s_doc WHERE amount = 42 AND s_spy(title)$$,
  $$SELECT FROM s_doc WHERE amount = 42 AND s_inlined(title)$$,
  $$SELECT FROM s_doc WHERE amount = 42 AND CASE WHEN amount = 42 THEN s_spy(title) END$$,
  $$SELECT FROM s_doc WHERE coalesce(s_spy(title), false)$$,
  $$SELECT FROM s_doc WHERE (title, amount) IN (SELECT title, amount FROM s_doc WHERE s_spy(title))$$,
  $$SELECT title FROM s_doc WHERE amount > 0 GROUP BY title HAVING title <~ 'a'$$,
  $$SELECT project_id FROM s_doc WHERE amount > 0 GROUP BY project_id HAVING max(title) <~ 'a'$$,
  $$SELECT FROM (SELECT title FROM s_doc WHERE amount > 0 GROUP BY title) AS s WHERE title <~ 'a'$$,
  $$SELECT FROM (SELECT DISTINCT title FROM s_doc WHERE amount > 0) AS s WHERE title <~ 'a'$$,
  $$SELECT FROM (SELECT title FROM s_doc WHERE amount > 0 LIMIT 10) AS s WHERE title <~ 'a'$$,
  $$SELECT FROM (SELECT title FROM s_doc WHERE amount > 0 OFFSET 0) AS s WHERE title <~ 'a'$$,
  $$SELECT FROM (SELECT title, row_number() OVER () FROM s_doc WHERE amount > 0) AS s WHERE title <~ 'a'$$,
  $$SELECT FROM (SELECT s_spy(title) AS x FROM s_doc WHERE amount > 0) AS s WHERE x$$,
  $$SELECT FROM (SELECT s_spy(title) AS x FROM s_doc WHERE amount > 0 OFFSET 0) AS s WHERE x$$,
  $$SELECT FROM (SELECT x FROM (SELECT s_spy(title) AS x FROM s_doc GROUP BY 1) AS r) AS s WHERE x$$,
  $$WITH s AS (SELECT title FROM s_doc WHERE amount > 0) SELECT FROM s WHERE title <~ 'a'$$,
  $$WITH s AS MATERIALIZED (SELECT title FROM s_doc WHERE amount > 0) SELECT FROM s WHERE title <~ 'a'$$,
  $$WITH s AS MATERIALIZED (SELECT title, s_spy(title) FROM s_doc WHERE amount > 0) SELECT FROM s$$,
  $$WITH RECURSIVE s AS (SELECT title, 1 AS n FROM s_doc WHERE amount > 0 UNION SELECT title, n + 1 FROM s WHERE n < 3) SELECT FROM s WHERE title <~ 'a'$$,
  $$SELECT FROM (SELECT title FROM s_doc WHERE amount > 0 UNION ALL SELECT title FROM s_child) AS s WHERE title <~ 'a'$$,
  $$SELECT FROM (SELECT title FROM s_doc WHERE amount > 0 UNION SELECT title FROM s_child) AS s WHERE title <~ 'a'$$,
  $$SELECT FROM (SELECT s_spy(title) AS x FROM s_doc WHERE amount > 0 UNION ALL SELECT true FROM s_child) AS s WHERE x$$,
  $$SELECT s_spy(title) FROM s_doc WHERE amount > 0 UNION ALL SELECT true FROM s_child$$,
  $$SELECT (SELECT count(*) FROM s_doc AS i WHERE i.title <~ 'a') FROM s_doc WHERE amount = 45$$,
  $$SELECT (SELECT i.title FROM s_doc AS i WHERE i.id = d.id AND i.title <~ 'a') FROM s_doc AS d WHERE amount < 45$$,
  $$SELECT FROM (SELECT title FROM s_doc WHERE amount > 0 OFFSET 0) AS a, (SELECT title FROM s_doc OFFSET 0) AS b WHERE b.title <~ 'a'$$,
  $$SELECT FROM s_doc AS d JOIN s_child AS c ON d.title <~ c.title AND d.amount = c.doc_id$$,
  $$SELECT FROM s_child AS c LEFT JOIN s_doc AS d ON d.title <~ 'a' AND d.amount = c.doc_id WHERE c.id < 20$$,
  $$SELECT FROM s_child AS c LEFT JOIN s_doc AS d ON d.amount = c.doc_id WHERE c.id < 20 AND coalesce(d.title, '') <~ 'a'$$,
  $$SELECT FROM s_child AS c FULL JOIN s_doc AS d USING (id) WHERE d.title <~ 'a'$$,
  $$SELECT FROM s_child AS c JOIN s_doc AS d USING (title) WHERE title <~ 'a'$$,
  $$SELECT FROM s_doc AS d, LATERAL (SELECT s_spy(d.title)) AS s WHERE d.amount < 50$$,
  $$SELECT FROM s_doc AS d, LATERAL (SELECT s_spy(d.title) AS x) AS s WHERE d.amount < 50 AND s.x$$,
  $$SELECT FROM s_doc AS d, LATERAL (VALUES (s_spy(d.title))) AS s (x) WHERE d.amount < 50 AND s.x$$,
  $$SELECT FROM s_doc AS d, LATERAL s_spy(d.title) AS s (x) WHERE d.amount < 50 AND s.x$$,
  $$SELECT FROM s_doc AS d, s_rows(d.id) AS s WHERE d.amount < 50$$,
  $$SELECT s_spy(title) FROM s_doc WHERE amount < 50$$,
  $$SELECT s_spy(title) FROM s_doc WHERE amount < 50 ORDER BY 1 LIMIT 3$$,
  $$SELECT s_spy(title), count(*) FROM s_doc WHERE amount < 50 GROUP BY 1$$,
  $$SELECT DISTINCT s_spy(title) FROM s_doc WHERE amount < 50$$,
  $$SELECT count(*) FILTER (WHERE title <~ 'a') FROM s_doc WHERE amount < 50$$,
  $$SELECT max(title) OVER (PARTITION BY s_spy(title)) FROM s_doc WHERE amount < 50$$,
  $$SELECT max(title) FROM s_doc WHERE amount < 50 HAVING bool_or(s_spy(title))$$,
  $$SELECT FROM s_doc AS d WHERE EXISTS (SELECT FROM s_child AS c WHERE c.doc_id = d.id AND d.title <~ c.title)$$,
  $$SELECT FROM s_doc AS d WHERE amount = 42 AND EXISTS (SELECT FROM s_child AS c WHERE c.doc_id = d.id AND s_spy(d.title) OFFSET 0)$$,
  $$SELECT FROM s_view WHERE title <~ 'a'$$,
  $$SELECT FROM s_barrier WHERE title <~ 'a'$$,
  $$SELECT FROM s_own_view WHERE amount = 42$$,
  $$SELECT FROM s_part WHERE amount = 42 AND title <~ 'a'$$,
  $$UPDATE s_doc SET n = 1 WHERE amount = 42 AND title <~ 'a'$$,
  $$UPDATE s_doc SET n = 1 WHERE amount < 50 RETURNING s_spy(title)$$,
  $$UPDATE s_doc SET n = CASE WHEN s_spy(title) THEN 1 END WHERE amount < 50$$,
  $$UPDATE s_view SET amount = 1 WHERE title <~ 'a'$$,
  $$UPDATE s_barrier SET amount = 1 WHERE title <~ 'a'$$,
  $$DELETE FROM s_doc AS d USING s_child AS c WHERE c.doc_id = d.amount AND d.title <~ c.title$$,
  $$SELECT FROM s_doc WHERE amount = 42 AND title <~ 'a' FOR UPDATE$$,
  $$INSERT INTO s_child SELECT id, id, title FROM s_doc WHERE amount = 42 AND title <~ 'a'$$,
  $$WITH u AS (UPDATE s_doc SET n = 1 WHERE amount = 42 RETURNING title) SELECT FROM u, s_doc AS d WHERE d.title <~ 'a'$$,
  $$SELECT FROM s_doc TABLESAMPLE BERNOULLI (90) REPEATABLE (1) WHERE title <~ 'a'$$,
  $$SELECT FROM s_child AS c WHERE c.title <~ (SELECT max(title) FROM s_doc WHERE amount > 0)$$]) AS statement;

-- Errors of PostgreSQL's own that depend on a row: what a hidden and a missing row answer is the same
SELECT is(pg_temp.try('nora', format(statement, 42)), pg_temp.try('nora', format(statement, -42)), 'threat: an error tells of a row: ' || statement) FROM unnest(ARRAY[
  'SELECT FROM s_doc WHERE amount = %s AND 1 / (n - 2) > 0',
  'SELECT FROM s_doc WHERE amount = %s AND s_tells()',
  'SELECT FROM s_doc WHERE amount = %s AND title = (SELECT CASE WHEN s_tells() THEN '''' END)',
  'SELECT FROM s_doc AS d WHERE amount = %s AND EXISTS (SELECT FROM s_own AS o WHERE o.k = d.id OFFSET 0)',
  'SELECT FROM s_doc AS d WHERE amount = %s AND (EXISTS (SELECT FROM s_own AS o WHERE o.k = d.id) OR amount < 0)',
  'SELECT FROM s_doc AS d WHERE amount = %s AND (id IN (SELECT k FROM s_own) OR amount < 0)',
  'SELECT FROM s_doc WHERE amount = %s AND 1 = (SELECT 1 FROM s_child)',
  'SELECT FROM s_doc AS d WHERE amount = %s AND 1 = (SELECT 1 FROM s_child AS c WHERE c.title = d.title)',
  'SELECT FROM s_doc WHERE amount = %s AND title = (SELECT (1 / (count(*) - count(*)))::text FROM s_child)',
  'SELECT FROM s_doc WHERE amount = %s AND id > 1 / (SELECT 0)',
  'SELECT FROM s_doc AS d WHERE amount = %s AND EXISTS (SELECT FROM generate_series(1, 2, d.n - 2))',
  'SELECT FROM s_doc AS d WHERE amount = %s AND EXISTS (SELECT FROM s_child LIMIT d.n - 3)',
  'SELECT FROM s_doc AS d WHERE amount = %s AND EXISTS (SELECT FROM s_child AS c GROUP BY c.id HAVING sum(1 / (d.n - 2)) > 0)',
  'SELECT FROM s_doc WHERE amount = %s AND seeme_has_permission(''bogus:code'', project => project_id)',
  'SELECT FROM s_doc WHERE amount = %s AND seeme_has_permission(''models:read'', project => project_id, team => project_id)',
  'SELECT FROM s_doc WHERE amount = %s AND title::integer > 0',
  'SELECT FROM s_doc WHERE amount = %s AND title ~ ''(''',
  'SELECT FROM (SELECT id, amount, 1 / (n - 2) AS x FROM s_doc) AS s WHERE amount = %s AND x > 0',
  'SELECT FROM (SELECT id, amount, 1 / (n - 2) AS x FROM s_doc OFFSET 0) AS s WHERE amount = %s AND x > 0',
  'SELECT FROM s_virtual AS s WHERE id = %s AND v > 0',
  'SELECT FROM (SELECT * FROM s_virtual OFFSET 0) AS s WHERE id = %s AND v > 0',
  'WITH s AS MATERIALIZED (SELECT * FROM s_virtual WHERE v > 0) SELECT FROM s WHERE id = %s',
  'UPDATE s_doc SET title = 1 WHERE amount = %s AND 1 / (n - 2) > 0',
  'DELETE FROM s_doc WHERE amount = %s AND title::integer > 0']) AS statement;

-- What is prepared once for all
SET LOCAL plan_cache_mode = force_generic_plan;
PREPARE s_generic (numeric) AS SELECT FROM s_doc WHERE amount = $1 AND title <~ 'a';
SELECT is(pg_temp.try('nora', 'EXECUTE s_generic (42)'), '0 rows', 'threat: a prepared statement');
DEALLOCATE s_generic;
RESET plan_cache_mode;

-- A row whose right was lost while a statement planned for it waits: see the isolation test policy_condition.
SELECT * FROM finish();
ROLLBACK;
