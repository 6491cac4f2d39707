\i test/include/prelude.psql
-- `ORDER BY distance LIMIT 10` on a protected table finds ten rows, and the right ones, also for
-- somebody who sees 1 % of the table. GiST, everywhere; pgvector's HNSW and IVFFlat, where Debian
-- has pgvector: there it has to be installed.
SELECT current_setting('server_version_num')::int BETWEEN 170000 AND 189999 AS has_vector \gset
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
CREATE FUNCTION t_be(person uuid) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM set_config('session_authorization', rolname, false) FROM pg_roles WHERE oid = 10;
  UPDATE seeme.users SET database_role = NULL WHERE database_role = 't_gate';
  UPDATE seeme.users SET database_role = 't_gate' WHERE id = person;
  IF person IS NOT NULL THEN
    PERFORM set_config('session_authorization', 't_gate', false);
  END IF;
END $$;

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

-- What the asking person gets, and how it is planned.
CREATE FUNCTION t_answer(statement text, OUT ids text, OUT plan text) LANGUAGE plpgsql AS $$
DECLARE
  line text;
BEGIN
  EXECUTE statement INTO ids;
  ids := coalesce(ids, 'none');
  plan := '';
  FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || statement LOOP
    plan := plan || line || E'\n';
  END LOOP;
END $$;
-- What the answer is, by a sort of the visible rows.
CREATE FUNCTION t_right(visible uuid[], of regclass, distance text, condition text, amount int)
RETURNS text LANGUAGE plpgsql SET enable_indexscan = off AS $$
DECLARE
  ids text;
BEGIN
  EXECUTE format('SELECT string_agg(id::text, '','' ORDER BY d) FROM (SELECT id, %1$s AS d FROM %2$s
    WHERE project_id = ANY ($1) AND %3$s ORDER BY %1$s LIMIT %4$s) AS n',
    distance, of, condition, amount) INTO ids USING visible;
  RETURN ids;
END $$;
CREATE FUNCTION t_query(of regclass, distance text, condition text, amount int)
RETURNS text LANGUAGE sql
RETURN format('SELECT string_agg(id::text, '','' ORDER BY d) FROM (SELECT id, %1$s AS d FROM %2$s
  WHERE %3$s ORDER BY %1$s LIMIT %4$s) AS n', distance, of, condition, amount);
\set all 'ARRAY[' :alpha ',' :gamma ']::uuid[]'
\set one 'ARRAY[' :alpha ']::uuid[]'

\set near '''at <-> point(10000, 10000)'''
SELECT t_query('t_place', :near, 'true', 10) AS query,
       t_right(:one, 't_place', :near, 'true', 10) AS of_paul,
       t_right(:all, 't_place', :near, 'true', 10) AS of_vera \gset
SELECT t_be(:vera) \g /dev/null
SELECT ids, plan FROM t_answer(:'query') \gset
SELECT t_be(NULL) \g /dev/null
SELECT is(:'ids'::text, :'of_vera'::text, 'GiST: somebody who sees all finds the nearest ten');
SELECT t_be(:vera) \g /dev/null
SELECT ids, plan FROM t_answer(:'query') \gset
SELECT t_be(NULL) \g /dev/null
SELECT matches(:'plan'::text, 't_place_at', 'by the index');
SELECT t_be(:paul) \g /dev/null
SELECT ids, plan FROM t_answer(:'query') \gset
SELECT t_be(NULL) \g /dev/null
SELECT is(:'ids'::text, :'of_paul'::text, 'GiST: somebody who sees 1 % finds their nearest ten');
SELECT t_be(:stan) \g /dev/null
SELECT ids, plan FROM t_answer(:'query') \gset
SELECT t_be(NULL) \g /dev/null
SELECT is(:'ids'::text, 'none'::text, 'GiST: somebody who sees nothing finds nothing');
SELECT 'PREPARE gist_query AS ' || :'query' \gexec
SELECT t_be(:vera) \g /dev/null
SELECT ids, plan FROM t_answer('EXECUTE gist_query') \gset
SELECT t_be(NULL) \g /dev/null
SELECT is(:'ids'::text, :'of_vera'::text, 'GiST, prepared: all');
SELECT t_be(:paul) \g /dev/null
SELECT ids, plan FROM t_answer('EXECUTE gist_query') \gset
SELECT t_be(NULL) \g /dev/null
SELECT is(:'ids'::text, :'of_paul'::text, 'GiST, prepared for somebody who sees all: 1 %');
SET LOCAL enable_sort = off;
SELECT t_be(:paul) \g /dev/null
SELECT ids, plan FROM t_answer(:'query') \gset
SELECT t_be(NULL) \g /dev/null
SELECT is(:'ids'::text, :'of_paul'::text, 'GiST, no sort wanted: 1 %');
RESET enable_sort;
SELECT t_query('t_place', :near, 'at <-> point(10000, 10000) < 3000', 10) AS query,
       t_right(:one, 't_place', :near, 'at <-> point(10000, 10000) < 3000', 10) AS of_paul \gset
SELECT t_be(:paul) \g /dev/null
SELECT ids, plan FROM t_answer(:'query') \gset
SELECT t_be(NULL) \g /dev/null
SELECT is(:'ids'::text, :'of_paul'::text, 'GiST: a distance in WHERE, too');
SELECT t_query('t_place', :near, 'true', 500) AS query,
       t_right(:one, 't_place', :near, 'true', 500) AS of_paul \gset
SELECT t_be(:paul) \g /dev/null
SELECT ids, plan FROM t_answer(:'query') \gset
SELECT t_be(NULL) \g /dev/null
SELECT is(:'ids'::text, :'of_paul'::text, 'GiST: more asked for than there are rows: all of these');
SELECT isnt(:'of_paul'::text, '', 'there are some');

\if :has_vector
CREATE TABLE t_vector (id integer, project_id uuid NOT NULL, embedding vector(3) NOT NULL);
INSERT INTO t_vector
SELECT id, project_id, ARRAY[at[0], at[1], id * 15485863::bigint % 20011]::real[]::vector
  FROM t_place;
CREATE INDEX t_vector_project ON t_vector (project_id);
CREATE INDEX t_vector_hnsw ON t_vector USING hnsw (embedding vector_l2_ops);
ANALYZE t_vector;
SELECT seeme_protect('t_vector', 'models', project_column => 'project_id') \g /dev/null
GRANT SELECT ON t_vector TO t_app;

\set near '''embedding <-> ''''[10000, 10000, 10000]'''''''
SELECT t_query('t_vector', :near, 'true', 10) AS query,
       t_right(:one, 't_vector', :near, 'true', 10) AS of_paul,
       t_right(:all, 't_vector', :near, 'true', 10) AS of_vera \gset
SELECT t_be(:vera) \g /dev/null
SELECT ids, plan FROM t_answer(:'query') \gset
SELECT t_be(NULL) \g /dev/null
SELECT is(:'ids'::text, :'of_vera'::text, 'HNSW: somebody who sees all finds the nearest ten');
SELECT t_be(:vera) \g /dev/null
SELECT ids, plan FROM t_answer(:'query') \gset
SELECT t_be(NULL) \g /dev/null
SELECT matches(:'plan'::text, 'Nearest Rows.*t_vector_hnsw', 'by the index');
SELECT t_be(:paul) \g /dev/null
SELECT ids, plan FROM t_answer(:'query') \gset
SELECT t_be(NULL) \g /dev/null
SELECT is(:'ids'::text, :'of_paul'::text, 'HNSW: somebody who sees 1 % finds their nearest ten');
SELECT matches(:'plan'::text, 'Sort Key', 'by a sort of the visible rows');
SELECT t_be(:stan) \g /dev/null
SELECT ids, plan FROM t_answer(:'query') \gset
SELECT t_be(NULL) \g /dev/null
SELECT is(:'ids'::text, 'none'::text, 'HNSW: somebody who sees nothing finds nothing');
SELECT 'PREPARE hnsw_query AS ' || :'query' \gexec
SELECT t_be(:vera) \g /dev/null
SELECT ids, plan FROM t_answer('EXECUTE hnsw_query') \gset
SELECT t_be(NULL) \g /dev/null
SELECT is(:'ids'::text, :'of_vera'::text, 'HNSW, prepared: all');
SELECT t_be(:paul) \g /dev/null
SELECT ids, plan FROM t_answer('EXECUTE hnsw_query') \gset
SELECT t_be(NULL) \g /dev/null
SELECT is(:'ids'::text, :'of_paul'::text, 'HNSW, prepared for somebody who sees all: 1 %');
SELECT matches(:'plan'::text, 't_vector_hnsw', 'by the same plan');
SELECT t_be(:stan) \g /dev/null
SELECT ids, plan FROM t_answer('EXECUTE hnsw_query') \gset
SELECT t_be(NULL) \g /dev/null
SELECT is(:'ids'::text, 'none'::text, 'HNSW, prepared for somebody who sees all: nothing');
SET LOCAL plan_cache_mode = force_generic_plan;
SELECT 'PREPARE hnsw_parameter (vector, int) AS ' ||
       replace(replace(:'query', '''[10000, 10000, 10000]''', '$1'), 'LIMIT 10', 'LIMIT $2') \gexec
SELECT t_be(:paul) \g /dev/null
SELECT ids, plan FROM t_answer('EXECUTE hnsw_parameter (''[10000, 10000, 10000]'', 10)') \gset
SELECT t_be(NULL) \g /dev/null
SELECT is(:'ids'::text, :'of_paul'::text,
  'HNSW, a generic plan with parameters: 1 %');
SELECT t_be(:vera) \g /dev/null
SELECT ids, plan FROM t_answer('EXECUTE hnsw_parameter (''[10000, 10000, 10000]'', 10)') \gset
SELECT t_be(NULL) \g /dev/null
SELECT is(:'ids'::text, :'of_vera'::text,
  'HNSW, a generic plan with parameters: all');
SET LOCAL plan_cache_mode = force_custom_plan;
SELECT t_be(:paul) \g /dev/null
SELECT ids, plan FROM t_answer('EXECUTE hnsw_parameter (''[10000, 10000, 10000]'', 10)') \gset
SELECT t_be(NULL) \g /dev/null
SELECT is(:'ids'::text, :'of_paul'::text,
  'HNSW, a custom plan: 1 %');
RESET plan_cache_mode;
SET LOCAL enable_sort = off;
SELECT t_be(:paul) \g /dev/null
SELECT ids, plan FROM t_answer(:'query') \gset
SELECT t_be(NULL) \g /dev/null
SELECT is(:'ids'::text, :'of_paul'::text, 'HNSW, no sort wanted: 1 %');
RESET enable_sort;
SET LOCAL hnsw.iterative_scan = strict_order;
SET LOCAL hnsw.max_scan_tuples = 300;
SELECT t_be(:paul) \g /dev/null
SELECT ids, plan FROM t_answer(:'query') \gset
SELECT t_be(NULL) \g /dev/null
SELECT is(:'ids'::text, :'of_paul'::text, 'HNSW, an iterative scan that ends early: 1 %');
RESET hnsw.iterative_scan;

SELECT t_query('t_vector', :near, 'embedding <-> ''[10000, 10000, 10000]'' < 4000', 10) AS query,
       t_right(:one, 't_vector', :near,
               'embedding <-> ''[10000, 10000, 10000]'' < 4000', 10) AS of_paul \gset
SELECT t_be(:paul) \g /dev/null
SELECT ids, plan FROM t_answer(:'query') \gset
SELECT t_be(NULL) \g /dev/null
SELECT is(:'ids'::text, :'of_paul'::text, 'HNSW: a distance in WHERE, too');
SELECT t_query('t_vector', :near, 'true', 100) AS query,
       t_right(:all, 't_vector', :near, 'true', 100) AS of_vera \gset
SELECT t_be(:vera) \g /dev/null
SELECT ids, plan FROM t_answer(:'query') \gset
SELECT t_be(NULL) \g /dev/null
SELECT is(:'ids'::text, :'of_vera'::text, 'HNSW: more asked for than the index has candidates');
-- Somebody who sees all, but few rows of what another condition leaves.
SELECT t_query('t_vector', :near, 'id % 500 = 0', 10) AS query,
       t_right(:all, 't_vector', :near, 'id % 500 = 0', 10) AS of_vera \gset
SELECT t_be(:vera) \g /dev/null
SELECT ids, plan FROM t_answer(:'query') \gset
SELECT t_be(NULL) \g /dev/null
SELECT is(:'ids'::text, :'of_vera'::text, 'HNSW: a condition that few rows fulfil');

DROP INDEX t_vector_hnsw;
CREATE INDEX t_vector_ivf ON t_vector USING ivfflat (embedding vector_l2_ops) WITH (lists = 100);
SELECT t_query('t_vector', :near, 'true', 10) AS query,
       t_right(:one, 't_vector', :near, 'true', 10) AS of_paul \gset
SELECT t_be(:paul) \g /dev/null
SELECT ids, plan FROM t_answer(:'query') \gset
SELECT t_be(NULL) \g /dev/null
SELECT is(:'ids'::text, :'of_paul'::text, 'IVFFlat: somebody who sees 1 % finds their nearest ten');
DEALLOCATE hnsw_query;
SELECT 'PREPARE hnsw_query AS ' || :'query' \gexec
SELECT t_be(:vera) \g /dev/null
SELECT ids, plan FROM t_answer('EXECUTE hnsw_query') \gset
SELECT t_be(NULL) \g /dev/null
SELECT is(cardinality(string_to_array(:'ids', ',')), 10, 'IVFFlat, prepared: all');
SELECT t_be(:paul) \g /dev/null
SELECT ids, plan FROM t_answer('EXECUTE hnsw_query') \gset
SELECT t_be(NULL) \g /dev/null
SELECT is(:'ids'::text, :'of_paul'::text, 'IVFFlat, prepared for somebody who sees all: 1 %');

CREATE TABLE t_parts (id integer, project_id uuid NOT NULL, embedding vector(3) NOT NULL)
  PARTITION BY RANGE (id);
CREATE TABLE t_part1 PARTITION OF t_parts FOR VALUES FROM (0) TO (10000);
CREATE TABLE t_part2 PARTITION OF t_parts FOR VALUES FROM (10000) TO (30000);
INSERT INTO t_parts SELECT * FROM t_vector;
CREATE INDEX ON t_parts (project_id);
CREATE INDEX ON t_parts USING hnsw (embedding vector_l2_ops);
ANALYZE t_parts;
SELECT seeme_protect('t_parts', 'models', project_column => 'project_id') \g /dev/null
GRANT SELECT ON t_parts TO t_app;
SELECT t_query('t_parts', :near, 'true', 10) AS query,
       t_right(:one, 't_parts', :near, 'true', 10) AS of_paul \gset
SELECT t_be(:paul) \g /dev/null
SELECT ids, plan FROM t_answer(:'query') \gset
SELECT t_be(NULL) \g /dev/null
SELECT is(:'ids'::text, :'of_paul'::text, 'HNSW on partitions: 1 %');
\endif

SELECT * FROM finish();
ROLLBACK;
\if :has_vector
DROP EXTENSION vector;
\endif
