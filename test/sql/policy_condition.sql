\i test/include/prelude.psql
-- A policy as a condition like any other (src/planner/barrier.c): the indexes of every condition
-- are used, estimates are near the truth, a policy of the application's beside ours costs nothing,
-- and whatever the plan, the rows are those of plain SQL.
BEGIN;
\i test/include/people.psql
\i test/include/asking.psql
\i test/include/oracle.psql
\i test/include/explain.psql
SELECT plan(104);
CREATE EXTENSION citext;
SET LOCAL max_parallel_workers_per_gather = 0;
SET LOCAL jit = off;

-- 400 projects in Acme, 30 documents in each. nora sees 4 of them, paul 100 by a team, adam all,
-- stan and ghost none.
INSERT INTO seeme.teams (id, organization_id, name, slug)
  VALUES ('c1000000-0000-4000-8000-000000000001', :acme, 'Many', 'many');
INSERT INTO seeme.projects (id, organization_id, team_id, name, slug)
  SELECT ('d1000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid, :acme,
    CASE WHEN n <= 100 THEN 'c1000000-0000-4000-8000-000000000001'::uuid END, 'P' || n,
    'p-' || n FROM generate_series(1, 400) AS n;
DELETE FROM seeme.memberships WHERE user_id IN (:paul, :nora)
  AND (team_id IS NOT NULL OR project_id IS NOT NULL);
INSERT INTO seeme.memberships (organization_id, team_id, user_id, role_id)
  VALUES (:acme, 'c1000000-0000-4000-8000-000000000001', :paul, pg_temp.id('Editor'));
INSERT INTO seeme.memberships (organization_id, project_id, user_id, role_id) SELECT :acme, id,
  :nora, pg_temp.id('Editor') FROM seeme.projects WHERE slug IN ('p-7', 'p-99', 'p-200', 'p-300');
CREATE TYPE t_mood AS ENUM ('calm', 'glad', 'rare');
CREATE TABLE q_copy (id integer PRIMARY KEY, project_id uuid, amount numeric, title text,
  tag citext, mood t_mood, meta jsonb, at timestamptz, deleted_at timestamptz, period int4range,
  n integer);
INSERT INTO q_copy SELECT n, CASE WHEN n % 97 > 0
  THEN ('d1000000-0000-4000-8000-' || lpad((1 + n % 400)::text, 12, '0'))::uuid END,
  (n * 7919) % 12000, 'Title ' || n % 4000, 'tag' || n % 600,
    CASE WHEN n % 1000 = 1 THEN 'rare' WHEN n % 3 = 0 THEN 'glad' ELSE 'calm' END::t_mood,
    jsonb_build_object('s', 'x' || n % 3000, 'n', n % 50),
    '2024-01-01'::timestamptz + n * interval '1 minute',
    CASE WHEN n % 10 = 0 THEN '2024-02-01'::timestamptz END, int4range(n, n + 5),
    n % 100 FROM generate_series(1, 12000) AS n;
CREATE TABLE q_doc (LIKE q_copy INCLUDING ALL);
CREATE TABLE q_strict (LIKE q_copy INCLUDING ALL);
CREATE TABLE q_part (LIKE q_copy) PARTITION BY RANGE (id);
CREATE TABLE q_part_1 PARTITION OF q_part FOR VALUES FROM (0) TO (6000);
CREATE TABLE q_part_2 (n integer, period int4range, deleted_at timestamptz, at timestamptz,
  meta jsonb, mood t_mood, tag citext, title text, amount numeric, project_id uuid,
  id integer NOT NULL);
ALTER TABLE q_part ATTACH PARTITION q_part_2 FOR VALUES FROM (6000) TO (20000);
INSERT INTO q_doc SELECT * FROM q_copy;
INSERT INTO q_strict SELECT * FROM q_copy;
INSERT INTO q_part SELECT * FROM q_copy;
CREATE TABLE q_free (k numeric, tag citext, note text);
INSERT INTO q_free SELECT n, upper('tag' || n), 'note ' || n % 3 FROM generate_series(1, 60) AS n;
CREATE FUNCTION pg_temp.add_indexes(t text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format(
    'CREATE INDEX ON %1$I (project_id); CREATE INDEX ON %1$I (amount);
     CREATE INDEX ON %1$I (lower(title)); CREATE INDEX ON %1$I (tag);
     CREATE INDEX ON %1$I (mood); CREATE INDEX ON %1$I ((meta ->> ''s''));
     CREATE INDEX ON %1$I (at); CREATE INDEX ON %1$I USING gist (period);
     CREATE INDEX ON %1$I (project_id, at)', t);
END $$;
SELECT pg_temp.add_indexes(t) FROM unnest(ARRAY['q_doc', 'q_strict', 'q_part']) AS t \g /dev/null
SELECT seeme_protect(t, 'models', project_column => 'project_id')
  FROM unnest(ARRAY['q_doc', 'q_strict', 'q_part']::regclass[]) AS t \g /dev/null
-- As seeme_protect recommends, and with a name that comes before ours
CREATE POLICY alive ON q_strict AS RESTRICTIVE USING (deleted_at IS NULL);
CREATE VIEW q_view WITH (security_invoker) AS SELECT * FROM q_doc;
CREATE VIEW q_barrier WITH (security_invoker, security_barrier) AS SELECT * FROM q_doc WHERE n < 90;
GRANT SELECT, INSERT, UPDATE, DELETE ON q_doc, q_strict, q_part, q_free, q_view, q_barrier TO t_app;
ANALYZE q_copy; ANALYZE q_doc; ANALYZE q_strict; ANALYZE q_part; ANALYZE q_free;

CREATE TEMP TABLE visible AS SELECT p.person,
  h.scope_id AS project_id FROM unnest(ARRAY['nora', 'paul', 'adam', 'stan', 'ghost'])
  AS p (person), LATERAL pg_temp.held(p.person) h WHERE h.code = 'models:read';
CREATE INDEX ON visible (person, project_id);
ANALYZE visible;
SELECT is((SELECT string_agg(person || ' ' || n, ', ' ORDER BY person)
  FROM (SELECT person, count(*) AS n FROM visible WHERE project_id::text LIKE 'd1%' GROUP BY person)
  AS v), 'adam 400, nora 4, paul 100', 'who sees how many projects');

-- How many rows the planner expects from the plan's uppermost node
CREATE FUNCTION pg_temp.estimate(person text, statement text) RETURNS integer LANGUAGE sql AS $$
  SELECT substring(pg_temp.plan(person, statement, 'COSTS ON') FROM 'rows=(\d+)')::integer $$;

-- Every condition by its index, for somebody who sees everything
SELECT matches(pg_temp.plan('adam', format('SELECT * FROM %s WHERE %s', t, condition)), wanted,
  format('an index is used: %s, %s', t, condition))
  FROM unnest(ARRAY['q_doc', 'q_strict', 'q_part', 'q_view']) AS t,
       (VALUES ('amount = 42', 'Index Cond: \(amount = ''42''::numeric\)'),
               ('amount BETWEEN 40 AND 50',
               'Index Cond: \(\(amount >= ''40''::numeric\) AND \(amount <= ''50''::numeric\)\)'),
               ('tag = ''TAG7''', 'Index Cond: \(tag = ''TAG7''::citext\)'),
               ('lower(title) = ''title 7''', 'Index Cond: \(lower\(title\) = ''title 7''::text\)'),
               ('mood = ''rare''', 'Index Cond: \(mood = ''rare''::t_mood\)'),
               ('meta ->> ''s'' = ''x7''',
               'Index Cond: \(\(meta ->> ''s''::text\) = ''x7''::text\)'),
               ('at < ''2024-01-01 01:00''::timestamp', 'Index Cond: \(at < '))
               AS c (condition, wanted);
SELECT matches(pg_temp.plan('adam', 'SELECT * FROM q_barrier WHERE amount = 42'), 'amount = ''42''',
  'a view with a barrier');
SELECT matches(pg_temp.plan('nora', 'SELECT * FROM q_doc WHERE amount < 2000'),
  'project_id = ANY|seeme_permitted_projects',
  'the rows of somebody who sees little are found by their projects');

-- Estimates
SELECT ok(pg_temp.estimate('adam', 'SELECT * FROM ' || t || ' WHERE amount < 12') BETWEEN 4 AND 40,
  'a range is estimated by statistics: ' || t)
  FROM unnest(ARRAY['q_doc', 'q_strict', 'q_view']) AS t;
SELECT ok(pg_temp.estimate('adam', 'SELECT * FROM q_doc WHERE mood = ''rare''') BETWEEN 1 AND 60,
  'what is rare is known to be rare');
SELECT ok(pg_temp.estimate('adam', 'SELECT FROM q_doc AS d JOIN q_free AS f ON d.tag = f.tag')
  BETWEEN 400 AND 3000, 'a join by citext');
SELECT ok(pg_temp.estimate('adam', 'SELECT * FROM q_doc WHERE amount < 12 AND title ~ ''x''') > 100,
  'but not where a condition may leak: it would read what is hidden');
SELECT ok(
  pg_temp.estimate('adam', 'SELECT upper(title), count(*) FROM q_doc WHERE amount < 12 GROUP BY 1')
  BETWEEN 4 AND 40, 'targets are evaluated for visible rows alone: they forbid nothing');

-- A policy of the application's beside ours
SELECT matches(pg_temp.plan('nora', 'SELECT * FROM q_strict'),
  'Index Cond: \(project_id = ANY \((public\.)?seeme_permitted_projects',
  'a restrictive policy beside ours: the index of the project');
SELECT matches(
  pg_temp.plan('nora',
  'SELECT * FROM q_strict WHERE project_id = ''d1000000-0000-4000-8000-000000000007'''),
  'One-Time Filter: [^\n]*seeme_has_permission', 'a restrictive policy beside ours: asked once');
SELECT matches(pg_temp.plan('adam', 'SELECT * FROM q_strict'), 'Permission Scan',
  'a restrictive policy beside ours: a permission scan');
SELECT matches(pg_temp.plan('nora', 'SELECT * FROM q_strict WHERE title ~ ''x'''),
  'Index Cond: \(project_id = ANY \((public\.)?seeme_permitted_projects',
  'also where the barrier stays');
SELECT matches(pg_temp.plan('adam', 'UPDATE q_strict SET n = 1 WHERE amount = 42'),
  'Index Cond: \(amount = ''42''', 'and where rows are changed');

-- Statements with one condition that may leak: harmless conditions still find their index, and what
-- may leak comes last
SELECT matches(pg_temp.plan('adam', 'SELECT * FROM q_doc WHERE amount = 42 AND title ~ ''x'''),
  'Index Cond: \(amount = ''42''::numeric\)\n *Filter: \((public\.)?seeme_has_permission\([^\n]* '
  'AND \(title ~ ''x''::text\)\)', 'a condition that may leak beside a harmless one');
SELECT matches(pg_temp.plan('adam', 'SELECT * FROM q_part WHERE amount = 42 AND title ~ ''x'''),
  'Index Cond: \(amount = ''42''::numeric\)\n *Filter: \((public\.)?seeme_has_permission\([^\n]* '
  'AND \(title ~ ''x''::text\)\)', 'on partitions');
SELECT matches(
  pg_temp.plan('adam', 'SELECT * FROM q_doc WHERE (amount = 42 OR amount = 43) AND title ~ ''x'''),
  'BitmapOr|Index Cond: \(amount = ANY', 'two by OR');
SELECT matches(
  pg_temp.plan('adam',
  'SELECT * FROM q_free AS f JOIN q_doc AS d ON d.tag = f.tag WHERE f.note ~ ''2'' AND f.k < 3'),
  'Index Cond: \(tag = f\.tag\)', 'a join by a harmless condition');
SELECT matches(
  pg_temp.plan('adam',
  'SELECT * FROM q_free AS f LEFT JOIN q_doc AS d ON d.tag = f.tag WHERE f.note ~ ''2'' AND f.k < '
  '3'), 'Index Cond: \(tag = f\.tag\)', 'an outer join');
SELECT matches(
  pg_temp.plan('adam',
  'SELECT * FROM (SELECT * FROM q_doc UNION ALL SELECT * FROM q_strict) AS u WHERE amount = 42'),
  'Index Cond: \(amount = ''42''[^\0]*Index Cond: \(amount = ''42''', 'members of a UNION ALL');

-- Rows that are changed or locked
SELECT matches(pg_temp.plan('adam', statement), 'Index Cond: \(amount = ''42''::numeric\)',
  'by an index: ' || statement) FROM unnest(
  ARRAY['UPDATE q_doc SET n = 1 WHERE amount = 42', 'DELETE FROM q_doc WHERE amount = 42',
  'SELECT FROM q_doc WHERE amount = 42 FOR UPDATE',
  'SELECT FROM q_doc WHERE amount = 42 FOR SHARE', 'UPDATE q_view SET n = 1 WHERE amount = 42',
  'UPDATE q_barrier SET n = 1 WHERE amount = 42', 'UPDATE q_part SET n = 1 WHERE amount = 42',
  'WITH u AS (UPDATE q_doc SET n = 1 WHERE amount = 42 RETURNING id) SELECT FROM u',
  'INSERT INTO q_free SELECT amount FROM q_doc WHERE amount = 42']) AS statement;
SELECT ok(pg_temp.estimate('adam', 'SELECT FROM q_doc WHERE amount < 12 FOR UPDATE') BETWEEN 4 AND
  40, 'SELECT FOR UPDATE is estimated by statistics');
SELECT matches(
  pg_temp.plan('adam',
  'MERGE INTO q_doc AS d USING q_free AS f ON d.id = f.k AND d.amount < 12 WHEN MATCHED THEN '
  'UPDATE SET n = 1', 'COSTS ON'), 'on q_doc d [^\n]*rows=[0-9]{4}', 'MERGE keeps the barrier');
-- A policy without columns is asked of each row that a statement may wait for, not once
CREATE TABLE q_once (id integer PRIMARY KEY, project_id uuid, amount numeric);
INSERT INTO q_once SELECT id, project_id, amount FROM q_copy;
SELECT seeme_protect('q_once', 'models', project_column => 'project_id') \g /dev/null
CREATE POLICY open ON q_once AS RESTRICTIVE USING
  (current_setting('t.closed', true) IS DISTINCT FROM 'yes');
GRANT SELECT, UPDATE ON q_once TO t_app;
SELECT matches(pg_temp.plan('adam', 'SELECT FROM q_once WHERE amount = 1'),
  'One-Time Filter: [^\n]*current_setting', 'a policy without columns is asked once by a query');
SELECT doesnt_match(pg_temp.plan('adam', 'UPDATE q_once SET amount = 1 WHERE amount = 1'),
  'One-Time Filter', 'and not by an UPDATE');
SELECT doesnt_match(pg_temp.plan('adam', 'SELECT FROM q_once WHERE amount = 1 FOR UPDATE'),
  'One-Time Filter', 'nor by SELECT FOR UPDATE');

-- The query's own call is no policy
SELECT matches(
  pg_temp.plan('adam',
  'SELECT FROM q_doc WHERE amount = 42 AND seeme_has_permission(''models:delete'', project => '
  'project_id)'),
  'Filter: \((public\.)?seeme_has_permission\(''models:read''[^\n]*'
  'seeme_has_permission\(''models:delete''', 'a call of the query''s own comes after the policy');
SELECT is(pg_temp.try('adam', 'SET LOCAL seeme_rbac.enable_policy_conditions = off'), '0 rows',
  'anybody may have PostgreSQL''s own behaviour');
SET LOCAL seeme_rbac.enable_policy_conditions = off;
SELECT doesnt_match(pg_temp.plan('adam', 'SELECT * FROM q_doc WHERE amount = 42'), 'Index Cond',
  'which leaves the index alone');
SELECT doesnt_match(pg_temp.plan('nora', 'SELECT * FROM q_strict'), 'seeme_permitted',
  'and a restrictive policy in the way');
SET LOCAL seeme_rbac.enable_policy_conditions = on;

-- Random queries: the same rows whatever the plan. The oracle reads a copy without policies, and
-- the projects that plain SQL gives.
CREATE FUNCTION pg_temp.pick(VARIADIC choices text[]) RETURNS text
  LANGUAGE sql VOLATILE AS $$ SELECT choices[1 + floor(random() * cardinality(choices))::integer]
    $$;
CREATE FUNCTION pg_temp.some_condition(t text) RETURNS text LANGUAGE plpgsql VOLATILE AS $$
DECLARE n integer := floor(random() * 12000);
BEGIN
  RETURN replace(replace(pg_temp.pick(
    '{t}.amount = {n}', '{t}.amount BETWEEN {n} AND {n} + 400', '{t}.amount < 500',
    '{t}.tag = upper(''tag'' || {n} % 600)', 'lower({t}.title) = ''title '' || {n} % 4000',
    '{t}.mood = ''rare''', '{t}.mood > ''calm''',
    '{t}.meta ->> ''s'' = ''x'' || {n} % 3000', '{t}.at < ''2024-01-01''::date + {n} % 8',
    '{t}.at > ''2024-01-08''::timestamp', '{t}.id = {n}', '{t}.id < {n}', '{t}.deleted_at IS NULL',
    '{t}.period && int4range({n}, {n} + 50)', '{t}.n IN (1, 2, 3)',
    '{t}.project_id = ''d1000000-0000-4000-8000-000000000099''', '{t}.project_id IS NULL',
    '{t}.title ~ ''7''', '1 / ({t}.n + 1) < 1', '({t}.amount < 300 OR {t}.tag = ''TAG5'')',
    '({t}.mood = ''rare'' OR {t}.title ~ ''99'')',
    'EXISTS (SELECT FROM q_free AS x WHERE x.tag = {t}.tag)',
    '{t}.amount IN (SELECT k FROM q_free)',
    'NOT EXISTS (SELECT FROM q_free AS x WHERE x.k = {t}.n)',
    '{t}.amount > (SELECT max(k) FROM q_free)'), '{t}', t), '{n}', n::text);
END $$;
CREATE FUNCTION pg_temp.some_query() RETURNS text LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  t text := pg_temp.pick('{q_doc}', '{q_doc}', '{q_strict}', '{q_part}', '{q_view}');
  c text := pg_temp.some_condition('d') || ' AND ' || pg_temp.some_condition('d');
BEGIN
  RETURN pg_temp.pick(
    format('SELECT d.id, upper(d.title) FROM %s AS d WHERE %s', t, c),
    format('SELECT d.id FROM %s AS d WHERE %s', t, pg_temp.some_condition('d')),
    format('SELECT d.id, f.note FROM %s AS d JOIN q_free AS f ON f.tag = d.tag WHERE %s', t, c),
    format('SELECT f.k, d.id FROM q_free AS f LEFT JOIN %s AS d ON d.amount = f.k AND %s', t,
    pg_temp.some_condition('d')),
    format('SELECT f.k, d.id FROM q_free AS f LEFT JOIN %s AS d ON d.amount = f.k WHERE %s OR d.id '
           'IS NULL', t, pg_temp.some_condition('d')),
    format('SELECT a.id, d.id FROM {q_doc} AS a JOIN %s AS d ON a.amount = d.amount AND '
           'lower(a.title) = lower(d.title) WHERE %s', t, c),
    format('SELECT a.id, d.id FROM {q_doc} AS a FULL JOIN %s AS d ON a.id = d.id + 1 WHERE '
           'coalesce(d.amount, a.amount) < 500', t),
    format('SELECT mood, count(*), sum(amount) FROM %s AS d WHERE %s GROUP BY mood HAVING count(*) '
           '> 1', t, pg_temp.some_condition('d')),
    format('SELECT s.* FROM (SELECT tag::text, count(*) AS n FROM %s AS d WHERE %s GROUP BY tag) '
           'AS s WHERE s.n > 1', t, pg_temp.some_condition('d')),
    format('WITH s AS MATERIALIZED (SELECT * FROM %s AS d WHERE %s) SELECT s.id FROM s WHERE '
           's.amount > 100', t, c),
    format('SELECT u.id FROM (SELECT id, amount, tag FROM %s AS a UNION ALL SELECT id, amount, tag '
           'FROM {q_strict} AS b) AS u WHERE u.amount < 700', t),
    format('SELECT f.k, s.id FROM q_free AS f, LATERAL (SELECT d.id FROM %s AS d WHERE d.tag = '
           'f.tag AND %s ORDER BY d.id LIMIT 3) AS s', t, c),
    format('SELECT id FROM (SELECT d.id FROM %s AS d WHERE %s ORDER BY d.at, d.id LIMIT 20) AS s',
    t, pg_temp.some_condition('d')),
    format('SELECT max(amount), min(at) FROM %s AS d WHERE %s', t, pg_temp.some_condition('d')),
    format('SELECT d.id, row_number() OVER (PARTITION BY d.mood ORDER BY d.id) FROM %s AS d WHERE '
           '%s', t, c));
END $$;
CREATE FUNCTION pg_temp.oracle(person text, statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE t text;
BEGIN
  FOREACH t IN ARRAY ARRAY['q_doc', 'q_part', 'q_view', 'q_strict'] LOOP
    statement := replace(statement, '{' || t || '}',
    format('(SELECT * FROM q_copy WHERE project_id IN (SELECT v.project_id FROM pg_temp.visible v '
           'WHERE v.person = %L)%s)', person,
           CASE t WHEN 'q_strict' THEN ' AND deleted_at IS NULL' ELSE '' END));
  END LOOP;
  RETURN statement;
END $$;
CREATE FUNCTION pg_temp.digest(person text, query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE r record; got text[] := '{}';
BEGIN
  PERFORM pg_temp.become(person);
  FOR r IN EXECUTE query LOOP got := got || r::text; END LOOP;
  PERFORM pg_temp.become(NULL);
  RETURN cardinality(got) || ' ' || md5(
    (SELECT coalesce(string_agg(g, ',' ORDER BY g), '') FROM unnest(got) AS g));
EXCEPTION WHEN division_by_zero THEN
  PERFORM pg_temp.become(NULL);
  RETURN 'error';
END $$;
CREATE TEMP TABLE shape (name text, settings text[]);
INSERT INTO shape VALUES ('as it comes', '{}'),
  ('barrier', '{seeme_rbac.enable_policy_conditions}'), ('no sequential scan', '{enable_seqscan}'),
  ('no index scan', '{enable_indexscan,enable_bitmapscan,enable_indexonlyscan}'),
  ('bitmaps', '{enable_seqscan,enable_indexscan}'),
  ('nested loops', '{enable_hashjoin,enable_mergejoin}'),
  ('merge joins', '{enable_hashjoin,enable_nestloop,enable_seqscan}'),
  ('no permission scan', '{seeme_rbac.enable_permission_scan,enable_sort}');
CREATE FUNCTION pg_temp.differs(person text, query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  wanted text := pg_temp.digest(NULL, pg_temp.oracle(person, query));
  statement text := replace(replace(query, '{', ''), '}', '');
  wrong text := '';
  s record;
  got text;
BEGIN
  FOR s IN SELECT * FROM pg_temp.shape LOOP
    PERFORM set_config(name, 'off', true) FROM unnest(s.settings) AS name;
    got := pg_temp.digest(person, statement);
    PERFORM set_config(name, 'on', true) FROM unnest(s.settings) AS name;
    IF got <> wanted THEN wrong := wrong || format(
      E'\n%s, %s: %s (%s, not %s)', person, s.name, statement, got, wanted); END IF;
  END LOOP;
  RETURN wrong;
END $$;
SELECT setseed(0.16) \g /dev/null
CREATE TEMP TABLE query AS SELECT n, pg_temp.some_query() AS text FROM generate_series(1, 60) AS n;
SELECT is((SELECT string_agg(pg_temp.differs(p, text), '') FROM query WHERE n <= most), '',
  'random queries give the rows of plain SQL, whatever the plan: ' || p)
  FROM (VALUES ('adam', 20), ('paul', 20), ('nora', 40), ('stan', 5), ('ghost', 5)) AS v (p, most);
SELECT ok((SELECT count(*) > 20 FROM query WHERE
  pg_temp.digest('adam', replace(replace(text, '{', ''), '}', '')) !~ '^0 '),
  'and most of them have rows');
SET LOCAL seeme_rbac.search_operators = on;
SELECT is((SELECT string_agg(pg_temp.differs(p, text), '') FROM query WHERE n > 40 AND n <= 50), '',
  'with search operators: ' || p) FROM unnest(ARRAY['paul', 'nora']) AS p;
SET LOCAL seeme_rbac.search_operators = off;
SET LOCAL jit = on; SET LOCAL jit_above_cost = 0;
SELECT is((SELECT string_agg(pg_temp.differs(p, text), '') FROM query WHERE n <= 6), '',
  'compiled: ' || p) FROM unnest(ARRAY['nora']) AS p;
SET LOCAL jit = off;

-- One generic plan for everybody
SET LOCAL plan_cache_mode = force_generic_plan;
PREPARE q_generic (numeric, citext) AS SELECT d.id FROM q_doc AS d WHERE d.amount < $1
  AND d.tag > $2 ORDER BY 1;
PREPARE q_restrictive (numeric) AS SELECT d.id FROM q_strict AS d JOIN q_free AS f ON f.tag = d.tag
  WHERE d.amount < $1 ORDER BY 1;
SELECT is(pg_temp.digest(p, 'EXECUTE q_generic (900, ''TAG3'')'),
  pg_temp.digest(NULL, pg_temp.oracle(
  p, 'SELECT d.id FROM {q_doc} AS d WHERE d.amount < 900 AND d.tag > ''TAG3'' ORDER BY 1')),
  'a generic plan: ' || p) FROM unnest(ARRAY['adam', 'nora', 'ghost', 'paul', 'adam']) AS p;
SELECT is(pg_temp.digest(p, 'EXECUTE q_restrictive (900)'),
  pg_temp.digest(NULL, pg_temp.oracle(
  p, 'SELECT d.id FROM {q_strict} AS d JOIN q_free AS f ON f.tag = d.tag WHERE d.amount < 900 '
     'ORDER BY 1')), 'and with a restrictive policy: ' || p)
     FROM unnest(ARRAY['adam', 'nora', 'paul']) AS p;
DEALLOCATE ALL;
RESET plan_cache_mode;

-- What is changed is what may be
CREATE FUNCTION pg_temp.changed(person text, statement text, condition text) RETURNS text
  LANGUAGE sql AS $$
  SELECT pg_temp.try(person, statement) || ' of '
    || (SELECT count(*) FROM q_copy WHERE project_id IN
    (SELECT v.project_id FROM pg_temp.visible v WHERE v.person = $1) AND CASE
    WHEN statement ~ 'q_strict' THEN deleted_at IS NULL ELSE true END
    AND CASE condition WHEN 'amount' THEN amount < 1000 ELSE tag IN (SELECT tag FROM q_free) END)
    $$;
SELECT matches(pg_temp.changed(p, statement, condition), '^(\d+) rows? of \1$',
  p || ': ' || statement) FROM unnest(ARRAY['adam', 'paul', 'nora', 'stan']) AS p,
  (VALUES ('UPDATE q_doc SET n = 1 WHERE amount < 1000', 'amount'),
  ('UPDATE q_strict SET n = 1 WHERE amount < 1000', 'amount'),
  ('UPDATE q_part SET n = 1 WHERE amount < 1000', 'amount'),
          ('SELECT FROM q_strict WHERE amount < 1000 FOR UPDATE', 'amount'),
          ('UPDATE q_doc AS d SET n = 1 FROM q_free AS f WHERE f.tag = d.tag', 'tag'))
          AS c (statement, condition);
SELECT * FROM finish();
ROLLBACK;
