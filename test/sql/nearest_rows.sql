\i test/include/prelude.psql
-- `ORDER BY distance LIMIT 10` on a protected table finds ten rows, and the right ones, also for
-- somebody who sees 1 % of the table. GiST, everywhere; pgvector's HNSW and IVFFlat, where Debian
-- has pgvector (from 17 on).
SELECT current_setting('server_version_num')::int >= 170000 AS has_vector \gset
\if :has_vector
CREATE EXTENSION IF NOT EXISTS vector;
\endif
BEGIN;
\i test/include/people.psql
\if :has_vector
SELECT plan(31);
\else
SELECT plan(10);
\endif
-- One database role for all: a plan that was made for one person serves the others.
CREATE ROLE t_gate LOGIN IN ROLE t_app;
GRANT EXECUTE ON FUNCTION seeme_assume TO t_gate;

-- Alpha has 1 % of the rows, which lie all over; paul sees these, vera sees all.
CREATE TABLE t_place (id integer PRIMARY KEY, project_id uuid NOT NULL, at point NOT NULL);
INSERT INTO t_place
SELECT n, CASE n % 100 WHEN 0 THEN :alpha::uuid ELSE :gamma END,
       point(n * 7919 % 20011, n * 104729 % 20011)
  FROM generate_series(1, 20000) AS n;
CREATE INDEX t_place_project ON t_place (project_id);
CREATE INDEX t_place_at ON t_place USING gist (at);
ANALYZE t_place;
SELECT seeme_protect('t_place', 'models', project_column => 'project_id') \g /dev/null
GRANT SELECT ON t_place TO t_app;

-- What a person sees of a query, and how it is planned.
CREATE FUNCTION t_answer(person uuid, statement text, OUT ids text, OUT plan text) LANGUAGE plpgsql AS $$
DECLARE
  lines text[];
  line text;
BEGIN
  BEGIN
    SET LOCAL SESSION AUTHORIZATION t_gate;
    PERFORM seeme_assume(person);
    EXECUTE statement INTO ids;
    FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || statement LOOP
      lines := lines || line;
    END LOOP;
    RAISE EXCEPTION USING ERRCODE = 'ZZ000';
  EXCEPTION WHEN SQLSTATE 'ZZ000' THEN
    plan := array_to_string(lines, E'\n');
  END;
END $$;
-- What the answer is, by a sort of the visible rows.
CREATE FUNCTION t_right(visible uuid[], of regclass, distance text, condition text, amount int)
RETURNS text LANGUAGE plpgsql SET enable_indexscan = off AS $$
DECLARE
  ids text;
BEGIN
  EXECUTE format('SELECT string_agg(id::text, '','' ORDER BY d) FROM (SELECT id, %1$s AS d FROM %2$s
    WHERE project_id = ANY ($1) AND %3$s ORDER BY %1$s LIMIT %4$s) AS n', distance, of, condition, amount)
    INTO ids USING visible;
  RETURN ids;
END $$;
CREATE FUNCTION t_query(of regclass, distance text, condition text, amount int) RETURNS text LANGUAGE sql
RETURN format('SELECT string_agg(id::text, '','' ORDER BY d) FROM (SELECT id, %1$s AS d FROM %2$s
  WHERE %3$s ORDER BY %1$s LIMIT %4$s) AS n', distance, of, condition, amount);
\set all 'ARRAY[' :alpha ',' :gamma ']::uuid[]'
\set one 'ARRAY[' :alpha ']::uuid[]'

\set near '''at <-> point(10000, 10000)'''
SELECT t_query('t_place', :near, 'true', 10) AS query, t_right(:one, 't_place', :near, 'true', 10) AS of_paul,
       t_right(:all, 't_place', :near, 'true', 10) AS of_vera \gset
SELECT is((t_answer(:vera, :'query')).ids, :'of_vera', 'GiST: somebody who sees all finds the nearest ten');
SELECT matches((t_answer(:vera, :'query')).plan, 't_place_at', 'by the index');
SELECT is((t_answer(:paul, :'query')).ids, :'of_paul', 'GiST: somebody who sees 1 % finds their nearest ten');
SELECT is((t_answer(:stan, :'query')).ids, NULL, 'GiST: somebody who sees nothing finds nothing');
SELECT 'PREPARE gist_query AS ' || :'query' \gexec
SELECT is((t_answer(:vera, 'EXECUTE gist_query')).ids, :'of_vera', 'GiST, prepared: all');
SELECT is((t_answer(:paul, 'EXECUTE gist_query')).ids, :'of_paul', 'GiST, prepared for somebody who sees all: 1 %');
SET LOCAL enable_sort = off;
SELECT is((t_answer(:paul, :'query')).ids, :'of_paul', 'GiST, no sort wanted: 1 %');
RESET enable_sort;
SELECT t_query('t_place', :near, 'at <-> point(10000, 10000) < 3000', 10) AS query,
       t_right(:one, 't_place', :near, 'at <-> point(10000, 10000) < 3000', 10) AS of_paul \gset
SELECT is((t_answer(:paul, :'query')).ids, :'of_paul', 'GiST: a distance in WHERE, too');
SELECT t_query('t_place', :near, 'true', 500) AS query, t_right(:one, 't_place', :near, 'true', 500) AS of_paul \gset
SELECT is((t_answer(:paul, :'query')).ids, :'of_paul', 'GiST: more asked for than there are rows: all of these');
SELECT isnt(:'of_paul', '', 'there are some');

\if :has_vector
CREATE TABLE t_vector (id integer, project_id uuid NOT NULL, embedding vector(3) NOT NULL);
INSERT INTO t_vector
SELECT id, project_id, ARRAY[at[0], at[1], id * 15485863::bigint % 20011]::real[]::vector FROM t_place;
CREATE INDEX t_vector_project ON t_vector (project_id);
CREATE INDEX t_vector_hnsw ON t_vector USING hnsw (embedding vector_l2_ops);
ANALYZE t_vector;
SELECT seeme_protect('t_vector', 'models', project_column => 'project_id') \g /dev/null
GRANT SELECT ON t_vector TO t_app;

\set near '''embedding <-> ''''[10000, 10000, 10000]'''''''
SELECT t_query('t_vector', :near, 'true', 10) AS query, t_right(:one, 't_vector', :near, 'true', 10) AS of_paul,
       t_right(:all, 't_vector', :near, 'true', 10) AS of_vera \gset
SELECT is((t_answer(:vera, :'query')).ids, :'of_vera', 'HNSW: somebody who sees all finds the nearest ten');
SELECT matches((t_answer(:vera, :'query')).plan, 'Nearest Rows.*t_vector_hnsw', 'by the index');
SELECT is((t_answer(:paul, :'query')).ids, :'of_paul', 'HNSW: somebody who sees 1 % finds their nearest ten');
SELECT doesnt_match((t_answer(:paul, :'query')).plan, 't_vector_hnsw', 'by the index of the scope');
SELECT is((t_answer(:stan, :'query')).ids, NULL, 'HNSW: somebody who sees nothing finds nothing');
SELECT 'PREPARE hnsw_query AS ' || :'query' \gexec
SELECT is((t_answer(:vera, 'EXECUTE hnsw_query')).ids, :'of_vera', 'HNSW, prepared: all');
SELECT is((t_answer(:paul, 'EXECUTE hnsw_query')).ids, :'of_paul', 'HNSW, prepared for somebody who sees all: 1 %');
SELECT matches((t_answer(:paul, 'EXECUTE hnsw_query')).plan, 't_vector_hnsw', 'by the same plan');
SELECT is((t_answer(:stan, 'EXECUTE hnsw_query')).ids, NULL, 'HNSW, prepared for somebody who sees all: nothing');
SET LOCAL plan_cache_mode = force_generic_plan;
SELECT 'PREPARE hnsw_parameter (vector, int) AS ' ||
       replace(replace(:'query', '''[10000, 10000, 10000]''', '$1'), 'LIMIT 10', 'LIMIT $2') \gexec
SELECT is((t_answer(:paul, 'EXECUTE hnsw_parameter (''[10000, 10000, 10000]'', 10)')).ids, :'of_paul',
  'HNSW, a generic plan with parameters: 1 %');
SELECT is((t_answer(:vera, 'EXECUTE hnsw_parameter (''[10000, 10000, 10000]'', 10)')).ids, :'of_vera',
  'HNSW, a generic plan with parameters: all');
SET LOCAL plan_cache_mode = force_custom_plan;
SELECT is((t_answer(:paul, 'EXECUTE hnsw_parameter (''[10000, 10000, 10000]'', 10)')).ids, :'of_paul',
  'HNSW, a custom plan: 1 %');
RESET plan_cache_mode;
SET LOCAL enable_sort = off;
SELECT is((t_answer(:paul, :'query')).ids, :'of_paul', 'HNSW, no sort wanted: 1 %');
RESET enable_sort;
SET LOCAL hnsw.iterative_scan = strict_order;
SET LOCAL hnsw.max_scan_tuples = 300;
SELECT is((t_answer(:paul, :'query')).ids, :'of_paul', 'HNSW, an iterative scan that ends early: 1 %');
RESET hnsw.iterative_scan;

SELECT t_query('t_vector', :near, 'embedding <-> ''[10000, 10000, 10000]'' < 4000', 10) AS query,
       t_right(:one, 't_vector', :near, 'embedding <-> ''[10000, 10000, 10000]'' < 4000', 10) AS of_paul \gset
SELECT is((t_answer(:paul, :'query')).ids, :'of_paul', 'HNSW: a distance in WHERE, too');
SELECT t_query('t_vector', :near, 'true', 100) AS query, t_right(:all, 't_vector', :near, 'true', 100) AS of_vera \gset
SELECT is((t_answer(:vera, :'query')).ids, :'of_vera', 'HNSW: more asked for than the index has candidates');
-- Somebody who sees all, but few rows of what another condition leaves.
SELECT t_query('t_vector', :near, 'id % 500 = 0', 10) AS query, t_right(:all, 't_vector', :near, 'id % 500 = 0', 10) AS of_vera \gset
SELECT is((t_answer(:vera, :'query')).ids, :'of_vera', 'HNSW: a condition that few rows fulfil');

DROP INDEX t_vector_hnsw;
CREATE INDEX t_vector_ivf ON t_vector USING ivfflat (embedding vector_l2_ops) WITH (lists = 100);
SELECT t_query('t_vector', :near, 'true', 10) AS query, t_right(:one, 't_vector', :near, 'true', 10) AS of_paul \gset
SELECT is((t_answer(:paul, :'query')).ids, :'of_paul', 'IVFFlat: somebody who sees 1 % finds their nearest ten');
DEALLOCATE hnsw_query;
SELECT 'PREPARE hnsw_query AS ' || :'query' \gexec
SELECT is(cardinality(string_to_array((t_answer(:vera, 'EXECUTE hnsw_query')).ids, ',')), 10, 'IVFFlat, prepared: all');
SELECT is((t_answer(:paul, 'EXECUTE hnsw_query')).ids, :'of_paul', 'IVFFlat, prepared for somebody who sees all: 1 %');

CREATE TABLE t_parts (id integer, project_id uuid NOT NULL, embedding vector(3) NOT NULL) PARTITION BY RANGE (id);
CREATE TABLE t_part1 PARTITION OF t_parts FOR VALUES FROM (0) TO (10000);
CREATE TABLE t_part2 PARTITION OF t_parts FOR VALUES FROM (10000) TO (30000);
INSERT INTO t_parts SELECT * FROM t_vector;
CREATE INDEX ON t_parts (project_id);
CREATE INDEX ON t_parts USING hnsw (embedding vector_l2_ops);
ANALYZE t_parts;
SELECT seeme_protect('t_parts', 'models', project_column => 'project_id') \g /dev/null
GRANT SELECT ON t_parts TO t_app;
SELECT t_query('t_parts', :near, 'true', 10) AS query, t_right(:one, 't_parts', :near, 'true', 10) AS of_paul \gset
SELECT is((t_answer(:paul, :'query')).ids, :'of_paul', 'HNSW on partitions: 1 %');
\endif

SELECT * FROM finish();
ROLLBACK;
\if :has_vector
DROP EXTENSION vector;
\endif
