\i test/include/prelude.psql
-- Functions that belong to a type: a cast to json, the constraint of a domain. Anybody who may
-- create a type writes them, and to_jsonb() or jsonb_populate_record() call them. A condition that
-- does so must not be evaluated on a hidden row: the number of calls, or an error in one of them,
-- would tell that there is such a row.
BEGIN;
\i test/include/people.psql
SELECT plan(15);
SET LOCAL max_parallel_workers_per_gather = 0;

-- The policies of both tables cost more than a comparison, so the comparison would go first.
CREATE TABLE t_folder (id integer PRIMARY KEY, project_id uuid NOT NULL);
CREATE TABLE t_page (id integer PRIMARY KEY, folder_id integer NOT NULL REFERENCES t_folder,
  amount numeric, meta jsonb, pub boolean, at date);
CREATE TABLE t_wide (id integer PRIMARY KEY, project_id uuid, team_id uuid, organization_id uuid,
  owner_id uuid, amount numeric, meta jsonb, pub boolean, at date);
INSERT INTO t_folder VALUES (1, :alpha), (2, :gamma);
INSERT INTO t_page SELECT n, 1, n, '{"n": 1}', true, '2026-01-01' FROM generate_series(1, 50) AS n;
INSERT INTO t_wide (id, project_id, amount, meta, pub, at)
  SELECT n, :alpha::uuid, n, '{"n": 1}', true, '2026-01-01' FROM generate_series(1, 50) AS n;
-- Ten rows that paul does not see
INSERT INTO t_page SELECT n, 2, 42.5, '{}', false, '2026-01-01' FROM generate_series(51, 60) AS n;
INSERT INTO t_wide (id, project_id, amount, meta, pub, at)
  SELECT n, :gamma::uuid, 42.5, '{}', false, '2026-01-01' FROM generate_series(51, 60) AS n;
CREATE INDEX ON t_page (folder_id);
CREATE INDEX ON t_wide (project_id);
CREATE INDEX ON t_wide (team_id);
CREATE INDEX ON t_wide (organization_id);
CREATE INDEX ON t_wide (owner_id);
SELECT seeme_protect('t_folder', 'models', project_column => 'project_id') \g /dev/null
SELECT seeme_protect('t_page', 'models', parent_column => 'folder_id') \g /dev/null
SELECT seeme_protect('t_wide', 'models', project_column => 'project_id', team_column => 'team_id',
  organization_column => 'organization_id', owner_column => 'owner_id') \g /dev/null
GRANT SELECT ON t_folder, t_page, t_wide TO t_app;

-- What the attacker makes. Each call is counted.
\i test/include/counted_calls.psql
SELECT pg_temp.become('paul');
CREATE TYPE t_own.word AS ENUM ('a');
CREATE FUNCTION t_own.peek(t_own.word) RETURNS json LANGUAGE plpgsql IMMUTABLE COST 1 AS $$
  BEGIN PERFORM nextval('t_own.calls'); RETURN '{}'; END $$;
CREATE CAST (t_own.word AS json) WITH FUNCTION t_own.peek(t_own.word);
CREATE FUNCTION t_own.peek(integer) RETURNS boolean LANGUAGE plpgsql IMMUTABLE COST 1 AS $$
  BEGIN PERFORM nextval('t_own.calls'); RETURN true; END $$;
CREATE DOMAIN t_own.number AS integer CHECK (t_own.peek(VALUE));
CREATE TYPE t_own.pair AS (a t_own.number);

-- The same for the visible rows alone: fewer calls than there are hidden rows
SELECT cmp_ok(pg_temp.calls(format(
         'SELECT FROM %I WHERE amount = 42.5 AND %s', t, condition)), '<', 10::bigint,
         t || ': ' || condition)
  FROM unnest(ARRAY['t_page', 't_wide']) AS t, unnest(ARRAY[
    'meta = to_jsonb(''a''::t_own.word)',
    'meta = to_jsonb(ROW(''a''::t_own.word))',
    'meta = to_jsonb(ARRAY[''a''::t_own.word])',
    'meta = jsonb_build_object(''k'', ''a''::t_own.word)',
    'meta = jsonb_build_array(VARIADIC ARRAY[''a''::t_own.word])',
    'pub = (jsonb_populate_record(NULL::t_own.pair, ''{"a": 1}'') IS NULL)']) AS condition;
SELECT pg_temp.become(NULL);

-- Arguments of PostgreSQL's own types and enums cost nothing: their statements keep the indexes.
CREATE TABLE t_tree (amount numeric, meta jsonb, word t_own.word);
SELECT is(seeme.leak_of_condition('t_tree', condition), 'none once checked', condition)
  FROM unnest(ARRAY[
  'meta = to_jsonb(1)', 'meta = jsonb_build_object(''k'', current_date)',
  'word = ANY (enum_range(NULL::t_own.word))']) AS condition;
SELECT * FROM finish();
ROLLBACK;
