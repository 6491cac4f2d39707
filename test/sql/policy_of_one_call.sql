\i test/include/prelude.psql
-- A policy of one call is a condition of its table before PostgreSQL distributes the query's own
-- conditions (policy_condition.c). Each query finds the same rows as one without row security that
-- names the visible project itself.
BEGIN;
\i test/include/people.psql
SELECT plan(34);
SET LOCAL jit = off;

CREATE TABLE o_free (id uuid PRIMARY KEY, project_id uuid, amount integer, title text);
INSERT INTO o_free
  SELECT md5(n::text)::uuid,
         CASE WHEN n % 50 = 0 THEN :alpha ELSE md5((n % 40)::text)::uuid END, n, 'T' || n
    FROM generate_series(1, 4000) AS n;
CREATE TABLE o_kept (LIKE o_free);
INSERT INTO o_kept SELECT * FROM o_free;
ALTER TABLE o_kept ADD PRIMARY KEY (id);
CREATE INDEX ON o_kept (project_id, amount);
CREATE INDEX ON o_kept (amount);
CREATE TABLE o_other (amount integer);
INSERT INTO o_other SELECT n FROM generate_series(1, 4000, 7) AS n;
GRANT SELECT ON o_free, o_kept, o_other TO PUBLIC;
SELECT seeme_protect('o_kept', 'models', project_column => 'project_id') \g /dev/null
ANALYZE o_free, o_kept, o_other;

-- Whether a query finds the same in the protected table, for which @ stands, as in the visible rows
-- of the other.
CREATE FUNCTION pg_temp.same(query text, what text, visible text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
  kept text[];
  free text[];
BEGIN
  EXECUTE format('SELECT array_agg(q::text ORDER BY q::text) FROM (%s) AS q',
                 replace(query, '@', 'o_kept')) INTO kept;
  EXECUTE format('SELECT array_agg(q::text ORDER BY q::text) FROM (%s) AS q',
                 replace(query, '@', '(SELECT * FROM o_free WHERE ' || visible || ')'))
    INTO free;
  RETURN is(kept, free, what);
END $$;
CREATE FUNCTION pg_temp.shape(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  line text;
  plan text := '';
BEGIN
  FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP
    plan := plan || btrim(line) || E'\n';
  END LOOP;
  RETURN plan;
END $$;
CREATE TEMP TABLE shapes (query text, what text);
INSERT INTO shapes VALUES
  ('SELECT * FROM @ AS t WHERE id = md5(''50'')::uuid', 'a visible row by its key'),
  ('SELECT * FROM @ AS t WHERE id = md5(''51'')::uuid', 'a hidden row by its key'),
  ('SELECT * FROM @ AS t WHERE md5(''50'')::uuid = id AND amount < 100', 'a key on the right'),
  ('SELECT * FROM @ AS t', 'all rows'),
  ('SELECT count(*), sum(amount) FROM @ AS t', 'an aggregate'),
  ('SELECT min(amount), max(amount) FROM @ AS t', 'the smallest and the largest'),
  ('SELECT * FROM @ AS t WHERE amount < 300', 'a range'),
  ('SELECT * FROM @ AS t WHERE project_id IS NOT NULL ORDER BY amount LIMIT 3', 'the first rows'),
  ('SELECT * FROM @ AS t WHERE project_id = md5(''7'')::uuid', 'a hidden project'),
  ('SELECT * FROM @ AS t WHERE project_id = id', 'two columns'),
  ('SELECT o.amount, t.id FROM o_other AS o LEFT JOIN @ AS t ON t.amount = o.amount',
   'the table inside an outer join'),
  ('SELECT o.amount FROM o_other AS o WHERE EXISTS (SELECT FROM @ AS t WHERE t.amount = o.amount)',
   'in a sub-select'),
  ('SELECT o.amount, l.id FROM o_other AS o, LATERAL (SELECT * FROM @ AS t '
   'WHERE t.amount = o.amount OFFSET 0) AS l', 'in a lateral sub-select'),
  ('SELECT a.id FROM @ AS a JOIN @ AS b USING (id)', 'joined with itself'),
  ('SELECT id FROM @ AS a WHERE amount < 90 UNION ALL SELECT id FROM @ AS b', 'in a union');
GRANT SELECT ON shapes TO PUBLIC;

SELECT pg_temp.become('paul') \g /dev/null
SELECT pg_temp.same(query, 'paul, ' || what, format('project_id = %L', :alpha)) FROM shapes;
SELECT pg_temp.same(format('SELECT * FROM @ AS t WHERE project_id = %L', :alpha),
  'paul, a visible project', format('project_id = %L', :alpha));
SELECT pg_temp.become('stan') \g /dev/null
SELECT pg_temp.same(query, 'stan, ' || what, 'false') FROM shapes LIMIT 9;

-- What a plan looks like
SELECT pg_temp.become('paul') \g /dev/null
SELECT is(pg_temp.shape('SELECT * FROM o_kept WHERE id = md5(''50'')::uuid AND amount < 100'),
  $$Index Scan using o_kept_pkey on o_kept
Index Cond: (id = 'c0c7c76d-30bd-3dca-efc9-6f40275bdc0a'::uuid)
Filter: (seeme_has_permission('models:read'::text, NULL::uuid, NULL::uuid, project_id, $$
  || $$NULL::uuid, NULL::text) AND (amount < 100))
$$, 'the policy is the first of the conditions');
SELECT matches(pg_temp.shape(format('SELECT * FROM o_kept WHERE %L = project_id', :alpha)),
  'One-Time Filter: seeme_has_permission', 'one project: the call is made once');
SELECT matches(pg_temp.shape('SELECT * FROM o_kept WHERE amount < 2000'),
  'seeme_permitted_projects', 'few visible rows: they are found by the index');
PREPARE by_project(uuid) AS SELECT count(*) FROM o_kept WHERE project_id = $1;
SET LOCAL plan_cache_mode = force_generic_plan;
SELECT matches(pg_temp.shape(format('EXECUTE by_project(%L)', :alpha)),
  'One-Time Filter: seeme_has_permission', 'a parameter: the same');
PREPARE by_key(uuid) AS SELECT count(*) FROM o_kept WHERE id = $1;
CREATE FUNCTION pg_temp.by_key() RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  found bigint;
BEGIN
  EXECUTE 'EXECUTE by_key(md5(''50'')::uuid)' INTO found;
  RETURN found;
END $$;
SELECT is(pg_temp.by_key(), 1::bigint, 'a plan made for one person');
SELECT pg_temp.become('stan') \g /dev/null
SELECT is(pg_temp.by_key(), 0::bigint, 'shows nothing to another');
RESET plan_cache_mode;

-- The list of permitted ids is used by roles that may execute its function.
SELECT pg_temp.become(NULL) \g /dev/null
CREATE ROLE t_lists;
REVOKE EXECUTE ON FUNCTION seeme_permitted_projects(text) FROM t_app;
GRANT EXECUTE ON FUNCTION seeme_permitted_projects(text) TO t_lists;
SELECT pg_temp.become('paul') \g /dev/null
SELECT doesnt_match(pg_temp.shape('SELECT * FROM o_kept'), 'seeme_permitted_projects',
  'EXECUTE revoked: there is no index condition');
SELECT pg_temp.become(NULL) \g /dev/null
GRANT t_lists TO t_paul;
SELECT pg_temp.become('paul') \g /dev/null
SELECT matches(pg_temp.shape('SELECT * FROM o_kept'), 'seeme_permitted_projects',
  'a membership in a role that may execute it: there is one');
SELECT pg_temp.become(NULL) \g /dev/null
REVOKE t_lists FROM t_paul;
SELECT pg_temp.become('paul') \g /dev/null
SELECT doesnt_match(pg_temp.shape('SELECT * FROM o_kept'), 'seeme_permitted_projects',
  'the membership revoked: there is none again');
SELECT pg_temp.become(NULL) \g /dev/null

SELECT * FROM finish();
ROLLBACK;
