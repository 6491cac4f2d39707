\i test/include/prelude.psql
-- What the planner makes of policies: indexes where they pay, no reading of tables for each row
-- where they do not, estimates that are near the truth, and whatever the plan, the rows that plain
-- SQL over seeme.* says.
BEGIN;
\i test/include/people.psql
\i test/include/asking.psql
\i test/include/oracle.psql
\i test/include/explain.psql
SELECT plan(193);
SET LOCAL max_parallel_workers_per_gather = 0;
SET LOCAL jit = off;

-- 1,000 projects, 60 documents in each. nora sees one project of them (0.1 %), tess 40 (4 %), paul
-- 100 (10 %), adam all.
INSERT INTO seeme.teams (id, organization_id, name, slug)
  VALUES ('c1000000-0000-4000-8000-000000000001', :acme, 'Few', 'few'),
    ('c1000000-0000-4000-8000-000000000002', :acme, 'Some', 'some');
INSERT INTO seeme.projects (id, organization_id, team_id, name, slug)
  SELECT ('d1000000-0000-4000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, :acme,
    CASE WHEN n <= 40 THEN 'c1000000-0000-4000-8000-000000000001'::uuid WHEN n <= 140
    THEN 'c1000000-0000-4000-8000-000000000002' END, 'P' || n, 'p-' || n
    FROM generate_series(1, 1000) AS n;
DELETE FROM seeme.memberships WHERE user_id IN (:tess, :paul, :nora)
  AND (team_id IS NOT NULL OR project_id IS NOT NULL);
INSERT INTO seeme.memberships (organization_id, team_id, user_id, role_id)
  VALUES (:acme, 'c1000000-0000-4000-8000-000000000001', :tess, pg_temp.id('Editor')),
    (:acme, 'c1000000-0000-4000-8000-000000000002', :paul, pg_temp.id('Editor'));
INSERT INTO seeme.memberships (organization_id, project_id, user_id, role_id)
  VALUES (:acme, 'd1000000-0000-4000-8000-0000000001f4', :nora, pg_temp.id('Editor'));

CREATE TABLE t_doc (id uuid NOT NULL, n integer NOT NULL, project_id uuid, team_id uuid,
  organization_id uuid, owner_id uuid, created_at timestamptz NOT NULL, x integer NOT NULL,
  note text);
INSERT INTO t_doc SELECT ('95000000-0000-4000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, n,
  ('d1000000-0000-4000-8000-' || lpad(to_hex(1 + n % 1000), 12, '0'))::uuid, NULL, NULL, NULL,
    '2024-01-01'::timestamptz + ((n * 7919) % 60037) * interval '1 minute', (n * 10007) % 60037,
    'a note' FROM generate_series(1, 60000) AS n;
ALTER TABLE t_doc ADD PRIMARY KEY (id);
CREATE INDEX t_doc_project ON t_doc (project_id);
CREATE INDEX t_doc_created ON t_doc (created_at, project_id);
CREATE INDEX t_doc_x ON t_doc (x, project_id);
CREATE INDEX t_doc_pair ON t_doc (project_id, created_at);
ANALYZE t_doc;
SELECT seeme_protect('t_doc', 'models', project_column => 'project_id') \g /dev/null

-- The same, with an owner and assignments beside: most documents are nobody's
CREATE TABLE t_mixed AS SELECT id, n, CASE WHEN n % 2 = 0 THEN project_id END AS project_id,
  CASE WHEN n % 100 = 3 THEN :nora::uuid WHEN n % 100 = 5 THEN :tess::uuid ELSE md5(n::text)::uuid
  END AS owner_id, note FROM t_doc;
ALTER TABLE t_mixed ADD PRIMARY KEY (id);
CREATE INDEX ON t_mixed (project_id);
CREATE INDEX ON t_mixed (owner_id);
UPDATE t_mixed SET owner_id = :nora WHERE n IN (11, 13);
UPDATE t_mixed SET owner_id = md5(n::text)::uuid WHERE n % 100 = 3;
INSERT INTO seeme.project_resources (project_id, resource_type, resource_id, resource_name)
  SELECT ('d1000000-0000-4000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, 'model',
    ('95000000-0000-4000-8000-' || lpad(to_hex(2 * n + 1), 12, '0'))::uuid,
    'm' FROM generate_series(1, 1000) AS n;
ANALYZE t_mixed;
SELECT seeme_protect('t_mixed', 'models', project_column => 'project_id',
  owner_column => 'owner_id', resource_id_column => 'id') \g /dev/null
CREATE TABLE t_tag (doc_id uuid, tag integer, project_id uuid);
INSERT INTO t_tag SELECT id, n % 500, project_id FROM t_doc WHERE n <= 20000;
CREATE INDEX ON t_tag (tag);
ANALYZE t_tag;
GRANT SELECT, INSERT, UPDATE, DELETE ON t_doc, t_mixed, t_tag TO t_app;

-- What each may see, by plain SQL
CREATE TEMP TABLE visible AS SELECT p.person,
  h.scope_id AS project_id FROM unnest(ARRAY['nora', 'tess', 'paul', 'adam', 'stan', 'ghost'])
  AS p (person), LATERAL pg_temp.held(p.person) h WHERE h.code = 'models:read';
CREATE INDEX ON visible (person, project_id);
ANALYZE visible;
SELECT is((SELECT string_agg(person || ' ' || n, ', ' ORDER BY person)
  FROM (SELECT person, count(*) AS n FROM visible WHERE project_id::text LIKE 'd1%' GROUP BY person)
  AS v), 'adam 1000, nora 1, paul 100, tess 40', 'who sees how many projects');

-- The values that a query gives, in the order in which it gives them
CREATE FUNCTION pg_temp.got(person text, statement text) RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE r record; got text[] := '{}';
BEGIN
  PERFORM pg_temp.become(person);
  FOR r IN EXECUTE statement LOOP got := got || r::text; END LOOP;
  PERFORM pg_temp.become(NULL);
  RETURN got;
END $$;
CREATE FUNCTION pg_temp.digest(rows text[], in_order boolean) RETURNS text LANGUAGE sql AS $$
  SELECT cardinality(rows) || ' ' || md5(
    CASE WHEN in_order THEN array_to_string(rows, ',')
    ELSE (SELECT string_agg(r, ',' ORDER BY r) FROM unnest(rows) AS r) END) $$;
-- A query over t_doc and t_mixed, by each kind of plan and by the oracle: 'same', or which differ
CREATE FUNCTION pg_temp.by_all_plans(person text, statement text, in_order boolean = false)
  RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  oracle text := replace(replace(
  statement, 't_doc ',
  format('(SELECT * FROM t_doc WHERE project_id IN (SELECT v.project_id FROM pg_temp.visible v '
         'WHERE v.person = %L)) AS ', person)),
    't_mixed ',
    format('(SELECT * FROM t_mixed WHERE project_id IN (SELECT v.project_id
      FROM pg_temp.visible v WHERE v.person = %1$L) OR owner_id = (SELECT u.id
      FROM seeme.users u WHERE u.username = %1$L AND u.database_role IS NOT NULL)
       OR id IN (SELECT r.resource_id FROM seeme.project_resources r
         JOIN pg_temp.visible v ON v.person = %1$L AND v.project_id = r.project_id
         WHERE r.resource_type = ''model'')) AS ', person));
  wanted text := pg_temp.digest(pg_temp.got(NULL, oracle), in_order);
  wrong text := '';
  off text;
BEGIN
  FOREACH off IN ARRAY ARRAY['', 'enable_seqscan', 'enable_seqscan,enable_bitmapscan',
  'enable_seqscan,enable_indexscan,enable_indexonlyscan',
  'enable_seqscan,enable_bitmapscan,enable_sort',
  'enable_indexscan,enable_bitmapscan,enable_indexonlyscan'] LOOP
    PERFORM set_config(s, 'off', true) FROM unnest(string_to_array(off, ',')) AS s;
    IF pg_temp.digest(pg_temp.got(person, statement), in_order) <> wanted
      THEN wrong := wrong || format(' without %s', off); END IF;
    PERFORM set_config(s, 'on', true) FROM unnest(string_to_array(off, ',')) AS s;
  END LOOP;
  RETURN CASE wrong WHEN '' THEN 'same' ELSE 'differs' || wrong END;
END $$;
-- What a statement costs in reading of tables
CREATE FUNCTION pg_temp.reads(person text, statement text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE was bigint; n bigint;
BEGIN
  was := (SELECT probes + bulk_loads FROM seeme.cache_statistics);
  PERFORM pg_temp.become(person);
  EXECUTE statement;
  PERFORM pg_temp.become(NULL);
  RETURN (SELECT probes + bulk_loads FROM seeme.cache_statistics) - was;
END $$;

-- An index where it pays
SELECT matches(pg_temp.plan(p, 'SELECT * FROM t_doc'),
  'Index Cond: \(project_id = ANY '
  '\((public\.)?seeme_permitted_projects\(''models:read''::text\)\)\)',
  'the rows of a few projects are found by an index: ' || p)
  FROM unnest(ARRAY['nora', 'tess', 'stan']) AS p;
SELECT doesnt_match(pg_temp.plan(p, 'SELECT * FROM t_doc' || rest), 'seeme_permitted',
  'who sees much reads the table: ' || p) FROM (VALUES ('paul', ' LIMIT 10'), ('adam', ''))
  AS v (p, rest);
SELECT ok(pg_temp.reads(p, 'SELECT count(*) FROM t_doc') <= 18,
  'and reads no other for each row: ' || p) FROM
  unnest(ARRAY['adam', 'paul', 'nora', 'stan', 'ghost']) AS p;
SELECT matches(
  pg_temp.plan('nora', 'SELECT * FROM t_doc WHERE id = ''95000000-0000-4000-8000-000000000010'''),
  'Index Scan using t_doc_pkey[^\n]*\n *Index Cond: \(id = [^\n]*\n *Filter: '
  '[^\n]*seeme_has_permission', 'one row is found by its key');
SELECT matches(
  pg_temp.plan('nora',
  'SELECT * FROM t_doc WHERE project_id = ''d1000000-0000-4000-8000-0000000001f4'''),
  'Index Cond: \(project_id = ''d1', 'the rows of one project by the project');
SELECT doesnt_match(pg_temp.plan(
  'nora', 'SELECT * FROM t_doc WHERE project_id = ''d1000000-0000-4000-8000-0000000001f4'''),
  'seeme_permitted', 'and by nothing else');
SELECT ok(
  pg_temp.reads('nora', 'SELECT * FROM t_doc WHERE id = ''95000000-0000-4000-8000-000000000010''')
  <= 1, 'a query for one row reads next to nothing');

-- Every scope's own list
CREATE TABLE t_scope AS SELECT n, CASE n % 500 WHEN 1 THEN :acme::uuid
  ELSE md5('o' || n % 500)::uuid END AS o, CASE n % 500 WHEN 2
  THEN 'c1000000-0000-4000-8000-000000000001'::uuid ELSE md5('t' || n % 500)::uuid END AS t,
    CASE n % 500 WHEN 3 THEN 'd1000000-0000-4000-8000-0000000001f4'::uuid
    ELSE md5('p' || n % 500)::uuid END AS p, (
    '95000000-0000-4000-8000-' || lpad(to_hex(n), 12, '0'))::uuid AS r
    FROM generate_series(1, 50000) AS n;
CREATE INDEX ON t_scope (o); CREATE INDEX ON t_scope (t); CREATE INDEX ON t_scope (p); CREATE INDEX
  ON t_scope (r);
ANALYZE t_scope; GRANT SELECT ON t_scope TO t_app;
SELECT matches(pg_temp.plan(v.person, format(
  'SELECT * FROM t_scope WHERE seeme_has_permission(%s)', v.args)), v.cond,
  'the list of a scope: ' || v.args)
  FROM (VALUES ('mike', '''teams:read'', organization => o',
  'Index Cond: \(o = ANY \((public\.)?seeme_permitted_organizations\(''teams:read''::text\)\)\)'),
               ('tess', '''models:read'', team => t',
               'Index Cond: \(t = ANY '
               '\((public\.)?seeme_permitted_teams\(''models:read''::text\)\)\)'),
               ('nora', '''models:read'', project => p',
               'Index Cond: \(p = ANY '
               '\((public\.)?seeme_permitted_projects\(''models:read''::text\)\)\)'),
               ('nora', '''models:read'', resource => r',
               'Index Cond: \(r = ANY '
               '\((public\.)?seeme_permitted_resources\(''models:read''::text, NULL::text\)\)\)'),
               ('nora', '''models:read'', resource => r, resource_type => ''model''',
               'Index Cond: \(r = ANY '
               '\((public\.)?seeme_permitted_resources\(''models:read''::text,'
               ' ''model''::text\)\)\)')) AS v (person, args, cond);
SELECT is(pg_temp.got(v.person, format(
  'SELECT count(*), min(n) FROM t_scope WHERE seeme_has_permission(%s)', v.args)), ARRAY[v.wanted],
  'its rows: ' || v.args)
  FROM (VALUES ('mike', '''teams:read'', organization => o', '(100,1)'),
  ('tess', '''models:read'', team => t', '(100,2)'),
  ('nora', '''models:read'', project => p', '(100,3)'),
               ('nora', '''models:read'', resource => r', '(1,1001)'),
               ('nora', '''models:read'', resource => r, resource_type => ''dataset''', '(0,)'))
               AS v (person, args, wanted);
SELECT doesnt_match(pg_temp.plan('nora', 'SELECT * FROM t_scope WHERE ' || condition),
  'seeme_permitted', 'no list where it would be something else: ' || condition)
  FROM unnest(ARRAY['seeme_has_permission(CASE WHEN n > 0 THEN ''models:read'' END, project => p)',
  'seeme_has_permission(''models:read'', project => p, team => CASE WHEN n < 0 THEN t END)',
  'NOT seeme_has_permission(''models:read'', project => p)',
    'seeme_has_permission(''models:*'', project => p)',
    'seeme_has_permission(''models:read'', resource => r, resource_type => CASE WHEN n > 0 '
    'THEN ''model'' END)',
    'seeme_user_has_permission(''a0000000-0000-4000-8000-000000000007'', ''models:read'', project '
    '=> p)']) AS condition;
SELECT is(
  pg_temp.try('nora',
  'SELECT FROM t_scope WHERE seeme_has_permission(''modles:read'', project => p)'), '22023',
  'a code that is not registered stays an error');
SELECT is(
  pg_temp.try('nora',
  'EXPLAIN SELECT FROM t_scope WHERE seeme_has_permission(''modles:read'', project => p)') ~
  ' rows?$', true, 'but not for the planner');
SELECT is(
  pg_temp.try('nora',
  'EXPLAIN SELECT FROM t_scope WHERE seeme_has_permission(''models:read'', resource => r, '
  'resource_type => ''nothing'')') ~ ' rows?$', true, 'nor is a type that there is not');

-- A project, an owner, or an assignment
SELECT matches(pg_temp.plan('nora', 'SELECT * FROM t_mixed'),
  'BitmapOr(\n[^\n]*)*Index Cond: \(owner_id = ',
  'a policy of several scopes is a BitmapOr: the owner');
SELECT matches(pg_temp.plan('nora', 'SELECT * FROM t_mixed'),
  'BitmapOr(\n[^\n]*)*Index Cond: \(project_id = ANY \((public\.)?seeme_permitted_projects',
  'the projects');
SELECT matches(pg_temp.plan('nora', 'SELECT * FROM t_mixed'),
  'BitmapOr(\n[^\n]*)*Index Cond: \(id = ANY \((public\.)?seeme_permitted_resources',
  'the assignments');
SELECT matches(pg_temp.plan('nora', 'UPDATE t_mixed SET note = ''x'''), 'Bitmap',
  'also for an UPDATE');
-- whose rows are assigned is looked up for a while, and then read as a whole
ANALYZE seeme.project_resources;
SELECT ok(pg_temp.reads(p, 'SELECT count(*) FROM t_mixed') <= CASE p WHEN 'tess' THEN 100 ELSE 40
  END, 'no reading for each row there either: ' || p)
  FROM unnest(ARRAY['adam', 'paul', 'tess', 'nora', 'stan', 'ghost']) AS p;
SELECT is(pg_temp.by_all_plans(p, q), 'same',
  format('%s, by all plans as plain SQL says: %s', p, q))
  FROM unnest(ARRAY['nora', 'tess', 'adam', 'stan']) AS p,
  unnest(ARRAY['SELECT id FROM t_mixed d',
  'SELECT count(*), min(n), max(n) FROM t_mixed d WHERE n % 3 = 0']) AS q;

-- The same rows whatever the plan
SELECT is(pg_temp.by_all_plans(p, q), 'same', format('%s, by all plans: %s', p, q))
  FROM unnest(ARRAY['nora', 'tess', 'adam', 'stan', 'ghost']) AS p,
       unnest(ARRAY['SELECT count(*), sum(n) FROM t_doc d',
       'SELECT count(*), min(project_id::text) FROM t_doc d WHERE n < 500',
       'SELECT DISTINCT project_id FROM t_doc d',
         'SELECT count(*), sum(t.tag) FROM t_tag t JOIN t_doc d ON d.id = t.doc_id WHERE t.tag IN '
         '(8, 499)',
         'SELECT count(*) FROM (SELECT DISTINCT project_id FROM t_tag WHERE tag < 40) t JOIN t_doc '
         'd USING (project_id)',
         'SELECT t.doc_id FROM t_tag t WHERE t.tag = 499 AND EXISTS (SELECT FROM t_doc d WHERE '
         'd.project_id = t.project_id)',
         'SELECT count(*) FROM t_doc d WHERE id = ''95000000-0000-4000-8000-0000000001f3''',
         'SELECT count(*) FROM t_doc d WHERE project_id IN '
         '(''d1000000-0000-4000-8000-0000000001f4'',
           ''d1000000-0000-4000-8000-000000000001'',
           ''d1000000-0000-4000-8000-000000000100'')']) AS q;
-- In order: on an index of which the scope is not the first column a list takes the order away
-- (before 17)
SELECT is(pg_temp.by_all_plans(p, q, true), 'same',
  format('%s, in the same order by all plans: %s', p, q))
  FROM unnest(ARRAY['nora', 'tess', 'adam']) AS p,
       unnest(ARRAY['SELECT n FROM t_doc d ORDER BY created_at LIMIT 50',
       'SELECT n FROM t_doc d ORDER BY created_at DESC LIMIT 50',
       'SELECT n FROM t_doc d ORDER BY x LIMIT 30',
       'SELECT n FROM t_doc d WHERE x > 500 ORDER BY x DESC LIMIT 30',
         'SELECT n FROM t_doc d ORDER BY project_id, created_at LIMIT 90',
         'SELECT n FROM t_doc d ORDER BY project_id DESC, created_at DESC LIMIT 90']) AS q;

-- Plans outlive whoever they were made for
PREPARE t_count AS SELECT count(*) AS n FROM t_doc;
PREPARE t_one (uuid) AS SELECT count(*) AS n FROM t_doc WHERE id = $1;
CREATE FUNCTION pg_temp.count_sql() RETURNS bigint
  LANGUAGE sql STABLE AS 'SELECT count(*) FROM t_doc';
CREATE FUNCTION pg_temp.count_plpgsql() RETURNS bigint
  LANGUAGE plpgsql AS $$ BEGIN RETURN (SELECT count(*) FROM t_doc); END $$;
CREATE FUNCTION pg_temp.docs_of(p uuid) RETURNS SETOF t_doc
  LANGUAGE sql STABLE AS 'SELECT * FROM t_doc WHERE project_id = p';
CREATE VIEW t_doc_view WITH (security_invoker = true) AS SELECT * FROM t_doc;
GRANT SELECT ON t_doc_view TO t_app;
CREATE TEMP TABLE in_turn (mode text, person text, statement text, n text, wanted text);
CREATE FUNCTION pg_temp.take_turns(this_mode text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE p record; s record;
BEGIN
  PERFORM set_config('plan_cache_mode', this_mode, true);
  FOR p IN SELECT * FROM generate_series(1, 2) AS i,
    (VALUES ('nora', 60), ('tess', 2400), ('ghost', 0), ('stan', 0), ('adam', 60000), ('nora', 60),
    ('tess', 2400)) AS v (person, n) LOOP
    FOR s IN SELECT * FROM (VALUES ('EXECUTE t_count', p.n), ('SELECT pg_temp.count_sql()', p.n),
      ('SELECT pg_temp.count_plpgsql()', p.n), ('SELECT count(*) FROM t_doc_view', p.n),
                  ('SELECT count(*) FROM pg_temp.docs_of(''d1000000-0000-4000-8000-0000000001f4'')',
                  CASE p.person WHEN 'nora' THEN 60 WHEN 'adam' THEN 60 ELSE 0 END),
                  ('EXECUTE t_one (''95000000-0000-4000-8000-0000000001f3'')',
                  CASE p.person WHEN 'nora' THEN 1 WHEN 'adam' THEN 1 ELSE 0 END))
                  AS v (statement, n) LOOP
      INSERT INTO in_turn SELECT this_mode, p.person, s.statement,
        (pg_temp.got(p.person, s.statement))[1], '(' || s.n || ')';
    END LOOP;
  END LOOP;
END $$;
SELECT pg_temp.take_turns(m) FROM unnest(ARRAY['force_generic_plan', 'auto', 'force_custom_plan'])
  AS m \g /dev/null
SELECT is((SELECT array_agg(DISTINCT format('%s %s: %s: %s', mode, person, statement, n))
  FROM in_turn WHERE n <> wanted), NULL, 'a plan made for one person gives another their own rows');
SELECT is((SELECT count(*) FROM in_turn), 252::bigint, 'all turns were taken');
SET LOCAL plan_cache_mode = force_generic_plan;
SELECT matches(pg_temp.plan('nora', 'EXECUTE t_count'), 'seeme_permitted_projects\(''models:read''',
  'a plan says what to ask');
SELECT doesnt_match(pg_temp.plan(p, 'EXECUTE t_count'), 'ANY \(''\{|= ''d1|One-Time Filter',
  'and not what was answered: ' || p) FROM unnest(ARRAY['nora', 'tess', 'stan', 'ghost']) AS p;
SET LOCAL plan_cache_mode = auto;

-- Somebody with many ids: planning neither lists them nor reads them again and again
SELECT ok(
  pg_temp.reads(p,
  'EXPLAIN SELECT * FROM t_mixed d JOIN t_doc USING (project_id) JOIN t_scope ON p = project_id') <=
  4, 'planning is cheap: ' || p) FROM unnest(ARRAY['adam', 'paul', 'tess', 'nora', 'stan', 'ghost'])
  AS p;
ALTER TABLE t_doc ALTER project_id SET (n_distinct = 1000000);
ANALYZE t_doc;
SELECT doesnt_match(pg_temp.plan('adam', 'SELECT * FROM t_doc LIMIT 10'), 'seeme_permitted',
  'more than 1,000 ids are never put to an index for a few rows, however many the column has');
ALTER TABLE t_doc ALTER project_id RESET (n_distinct);
ANALYZE t_doc;

-- Estimates
SELECT ok(e.estimated BETWEEN v.n / 3 AND v.n * 3,
  format('the rows that %s sees are estimated within a factor of 3', v.person))
  FROM (VALUES ('nora', 60), ('tess', 2400), ('paul', 6000), ('adam', 60000)) AS v (person, n),
       LATERAL (SELECT substring(
       pg_temp.plan(v.person, 'SELECT * FROM t_doc', 'COSTS ON') FROM 'rows=([0-9]+)')::integer
       AS estimated) AS e;
SELECT ok(substring(pg_temp.plan('stan', 'SELECT * FROM t_doc', 'COSTS ON')
  FROM 'rows=([0-9]+)')::integer < 60, 'and those of who sees none');
SELECT ok(substring(pg_temp.plan(
  'nora', 'SELECT * FROM t_doc WHERE project_id = ''d1000000-0000-4000-8000-0000000001f4''',
  'COSTS ON') FROM 'rows=([0-9]+)')::integer BETWEEN 20 AND 180, 'and of one project');
SELECT ok(substring(pg_temp.plan(
  'nora', 'SELECT * FROM t_scope WHERE seeme_has_permission(''models:read'', project => p)',
  'COSTS ON') FROM 'rows=([0-9]+)')::integer BETWEEN 30 AND 300, 'and of a query''s own condition');

-- Parallel plans: the processes of a parallel scan of an index share their place in the list, which
-- one of them could have read later
SET LOCAL parallel_setup_cost = 0;
SET LOCAL parallel_tuple_cost = 0;
SET LOCAL min_parallel_table_scan_size = 0;
SET LOCAL min_parallel_index_scan_size = 0;
SET LOCAL max_parallel_workers_per_gather = 2;
ALTER TABLE t_doc SET (parallel_workers = 2);
SELECT is(pg_temp.by_all_plans(p, q), 'same', format('%s, by all plans, parallel: %s', p, q))
  FROM unnest(ARRAY['nora', 'tess', 'adam']) AS p,
  unnest(ARRAY['SELECT count(*), sum(n) FROM t_doc d',
  'SELECT count(*) FROM t_tag t JOIN t_doc d USING (project_id)']) AS q;
SET LOCAL enable_seqscan = off;
SET LOCAL enable_bitmapscan = off;
-- Processor time alone counts, which is what processes share
SET LOCAL random_page_cost = 0;
SET LOCAL seq_page_cost = 0;
SELECT ok(pg_temp.plan(p, q) !~ 'Parallel Index[^\n]*\n[^\n]*seeme_permitted',
  'no process scans an index by a list together with others: ' || p || ': ' || q)
  FROM unnest(ARRAY['nora', 'tess']) AS p, unnest(
  ARRAY['SELECT count(note) FROM t_doc', 'SELECT count(*) FROM t_doc',
  'SELECT count(project_id) FROM t_doc']) AS q;
RESET enable_seqscan;
RESET enable_bitmapscan;
RESET random_page_cost;
RESET seq_page_cost;
SET LOCAL max_parallel_workers_per_gather = 0;

-- Tables of other kinds
CREATE TABLE t_part (id integer NOT NULL, project_id uuid, note text) PARTITION BY HASH (id);
CREATE TABLE t_part_0 PARTITION OF t_part FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE t_part_1 PARTITION OF t_part FOR VALUES WITH (MODULUS 2, REMAINDER 1);
CREATE TABLE t_parent (id integer, project_id uuid, note text);
CREATE TABLE t_child () INHERITS (t_parent);
CREATE DOMAIN t_project AS uuid;
CREATE TABLE t_odd (id integer, d t_project, t text, partial uuid, expression uuid);
INSERT INTO t_part SELECT n, project_id, note FROM t_doc;
INSERT INTO t_parent SELECT n, project_id, note FROM t_doc WHERE n % 2 = 0;
INSERT INTO t_child SELECT n, project_id, note FROM t_doc WHERE n % 2 = 1;
INSERT INTO t_odd SELECT n, project_id, project_id::text, project_id, project_id FROM t_doc;
CREATE INDEX ON t_part (project_id); CREATE INDEX ON t_parent (project_id); CREATE INDEX ON t_child
  (project_id);
CREATE INDEX ON t_odd (d); CREATE INDEX ON t_odd (t); CREATE INDEX ON t_odd (partial)
  WHERE id > 30000; CREATE INDEX ON t_odd ((coalesce(expression, partial))); CREATE INDEX ON t_odd
  USING hash (expression);
ANALYZE t_part; ANALYZE t_parent; ANALYZE t_child; ANALYZE t_odd;
SELECT seeme_protect(t, 'models', project_column => 'project_id')
  FROM unnest(ARRAY['t_part', 't_parent']::regclass[]) AS t \g /dev/null
GRANT SELECT, INSERT, UPDATE, DELETE ON t_part, t_parent, t_odd TO t_app;
SELECT matches(pg_temp.plan('nora', 'SELECT * FROM ' || t),
  '(Index Cond: \([^\n]*seeme_permitted_projects(.|\n)*){2}', 'an index of each table below: ' || t)
  FROM unnest(ARRAY['t_part', 't_parent']) AS t;
SELECT is(pg_temp.got(p, q), ARRAY['(' || n || ')'], p || ': ' || q)
  FROM (VALUES ('nora', 60), ('tess', 2400), ('adam', 60000), ('stan', 0)) AS v (p, n),
       unnest(ARRAY['SELECT count(*) FROM t_part', 'SELECT count(*) FROM t_parent',
       'SELECT count(*) FROM t_odd WHERE seeme_has_permission(''models:read'', project => d)',
       'SELECT count(*) FROM t_odd WHERE seeme_has_permission(''models:read'', project => t::uuid)',
         'SELECT count(*) FROM t_odd WHERE seeme_has_permission(''models:read'', project => '
         'coalesce(expression, partial))',
         'SELECT count(*) FROM t_odd WHERE seeme_has_permission(''models:read'', project => '
         'expression)']) AS q;
SELECT is(
  pg_temp.got('nora',
  'SELECT count(*) FROM t_odd WHERE id > 30000 AND seeme_has_permission(''models:read'', project '
  '=> partial)'), '{(30)}', 'a partial index');
SELECT matches(
  pg_temp.plan('nora',
  'SELECT * FROM t_odd WHERE id > 30000 AND seeme_has_permission(''models:read'', project => '
  'partial)'), 'seeme_permitted_projects', 'is used');
SELECT matches(pg_temp.plan('nora', 'SELECT project_id FROM t_doc'), 'Index Cond',
  'an index alone may do');
SET LOCAL enable_bitmapscan = off;
SELECT is(pg_temp.got('nora', 'SELECT DISTINCT project_id FROM t_doc'),
  '{(d1000000-0000-4000-8000-0000000001f4)}', 'and gives the right rows');
SET LOCAL enable_bitmapscan = on;

-- Writing
SELECT is(pg_temp.try(p, s), n || CASE n WHEN 1 THEN ' row' ELSE ' rows' END, p || ': ' || s)
  FROM (VALUES ('nora', 'UPDATE t_doc SET note = ''x''', 60),
  ('tess', 'UPDATE t_doc SET note = ''x'' WHERE n <= 30000', 1200),
  ('stan', 'UPDATE t_doc SET note = ''x''', 0), ('nora', 'DELETE FROM t_doc', 0),
  ('adam', 'DELETE FROM t_doc WHERE n <= 100', 100),
               ('nora',
               'MERGE INTO t_doc d USING t_tag t ON d.id = t.doc_id WHEN MATCHED THEN UPDATE SET '
               'note = ''x''', 20), ('nora', 'UPDATE t_part SET note = ''x''', 60),
               ('nora', 'UPDATE t_mixed SET note = ''x'' WHERE n IN (11, 13, 15)', 2))
               AS v (p, s, n);

-- Policies beside
CREATE POLICY even ON t_doc AS RESTRICTIVE USING (n % 2 = 0);
SELECT is(pg_temp.got(p, 'SELECT count(*) FROM t_doc'), ARRAY['(' || n || ')'],
  'with a RESTRICTIVE policy beside: ' || p) FROM
  (VALUES ('nora', 0), ('tess', 1200), ('adam', 30000), ('stan', 0)) AS v (p, n);
DROP POLICY even ON t_doc;
CREATE FUNCTION t_leak(integer) RETURNS boolean
  LANGUAGE plpgsql COST 0.0001 AS $$ BEGIN RAISE NOTICE 'saw %', $1; RETURN $1 < 0; END $$;
SELECT is(pg_temp.got('stan', 'SELECT count(*) FROM t_doc WHERE t_leak(n)'), '{(0)}',
  'threat: a cheap function of one''s own is shown no other row');

-- Who may ask, but not list
PREPARE t_list AS SELECT count(*) AS n FROM t_doc;
SELECT pg_temp.got('nora', 'EXECUTE t_list') \g /dev/null
REVOKE EXECUTE ON FUNCTION seeme_permitted_projects(text) FROM t_app;
SELECT is(pg_temp.got(p, q), ARRAY['(' || n || ')'],
  'without the right to list: ' || p || ': ' || q)
  FROM (VALUES ('nora', 60), ('tess', 2400), ('stan', 0)) AS v (p, n),
  unnest(ARRAY['SELECT count(*) FROM t_doc', 'EXECUTE t_list']) AS q;
SELECT doesnt_match(pg_temp.plan('nora', 'SELECT * FROM t_doc'), 'seeme_permitted',
  'the planner does not, either');
DEALLOCATE t_count; DEALLOCATE t_one; DEALLOCATE t_list;

SELECT * FROM finish();
ROLLBACK;
