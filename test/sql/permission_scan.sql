\i test/include/prelude.psql
-- The permission scan (src/planner/custom_scan.c): it reads some rows ahead and decides them
-- together, and nobody can tell it from a filter that asks for each row. What other sessions commit
-- meanwhile is in test/isolation.
BEGIN;
\i test/include/people.psql
\i test/include/asking.psql
\i test/include/oracle.psql
\i test/include/explain.psql
SELECT plan(358);
SET LOCAL max_parallel_workers_per_gather = 0;
SET LOCAL jit = off;

-- 44 more projects in Acme, of research, of sales, of no team; resources assigned to them, to
-- alpha, and to delta
INSERT INTO seeme.projects (id, organization_id, team_id, name, slug)
  SELECT ('d1000000-0000-4000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, :acme,
    CASE WHEN n <= 10 THEN :research::uuid WHEN n <= 20 THEN :sales::uuid END, 'P' || n,
    'p-' || n FROM generate_series(1, 44) AS n;
INSERT INTO seeme.project_resources (project_id, resource_type, resource_id, resource_name)
  SELECT CASE n % 10 WHEN 0 THEN :alpha::uuid WHEN 1 THEN :delta::uuid
    ELSE ('d1000000-0000-4000-8000-' || lpad(to_hex(1 + n % 44), 12, '0'))::uuid END,
         CASE WHEN n % 7 = 0 THEN 'dataset' ELSE 'model' END,
         ('91000000-0000-4000-8000-' || lpad(to_hex(n), 12, '0'))::uuid,
         'm' FROM generate_series(1, 80) AS n;

INSERT INTO seeme.memberships (organization_id, project_id, user_id, role_id) SELECT :acme, id,
  :nora, pg_temp.id('Editor') FROM seeme.projects WHERE slug IN ('gamma', 'p-3', 'p-30');

-- A row's project: none, one of the cast's, one that there is not, the id of all zeroes, or one of
-- the 44. Columns were dropped before those of the scopes, and nulls lie before them.
CREATE TABLE t_doc (gone uuid, id integer NOT NULL, gap text, n integer NOT NULL, gone_too text,
  wide text, project_id uuid, team_id uuid, organization_id uuid, resource_id uuid, note text);
INSERT INTO t_doc
  SELECT :alpha, n, CASE WHEN n % 3 = 0 THEN 'gap' END, n, 'gone',
    CASE WHEN n % 5 = 0 THEN repeat('wide ', n % 300) END,
         CASE n % 50 WHEN 0 THEN NULL WHEN 1 THEN :alpha::uuid WHEN 2 THEN :beta::uuid WHEN 3
         THEN :gamma::uuid WHEN 4 THEN :delta::uuid WHEN 5 THEN :nobody_known::uuid WHEN 6
         THEN '00000000-0000-0000-0000-000000000000'
           ELSE ('d1000000-0000-4000-8000-' || lpad(to_hex(n % 50 - 5), 12, '0'))::uuid END,
         CASE n % 5 WHEN 0 THEN NULL WHEN 1 THEN :research::uuid WHEN 2 THEN :sales::uuid WHEN 3
         THEN :labs::uuid ELSE :nobody_known::uuid END,
         CASE n % 4 WHEN 0 THEN NULL WHEN 1 THEN :acme::uuid WHEN 2 THEN :globex::uuid
         ELSE :nobody_known::uuid END,
         CASE WHEN n % 100 > 0 THEN (
         '91000000-0000-4000-8000-' || lpad(to_hex(n % 100), 12, '0'))::uuid END, 'a note'
    FROM generate_series(1, 3000) AS n;
ALTER TABLE t_doc DROP COLUMN gone, DROP COLUMN gone_too, ADD PRIMARY KEY (id);
-- Rows that were there before this column was
ALTER TABLE t_doc ADD COLUMN late uuid DEFAULT 'd0000000-0000-4000-8000-000000000001';
ANALYZE t_doc;
-- The same, one table for each scope, protected
CREATE TABLE t_in_project AS SELECT * FROM t_doc;
CREATE TABLE t_in_team AS SELECT * FROM t_doc;
CREATE TABLE t_in_organization AS SELECT * FROM t_doc;
CREATE TABLE t_assigned AS SELECT * FROM t_doc;
ANALYZE t_in_project; ANALYZE t_in_team; ANALYZE t_in_organization; ANALYZE t_assigned;
SELECT seeme_protect('t_in_project', 'models', project_column => 'project_id') \g /dev/null
SELECT seeme_protect('t_in_team', 'models', team_column => 'team_id') \g /dev/null
SELECT seeme_protect('t_in_organization', 'models', organization_column => 'organization_id')
  \g /dev/null
SELECT seeme_protect('t_assigned', 'dataset_items', resource_id_column => 'resource_id',
  resource_type => 'dataset') \g /dev/null
GRANT SELECT, INSERT, UPDATE, DELETE ON t_doc, t_in_project, t_in_team, t_in_organization,
  t_assigned TO t_app;

CREATE TEMP TABLE person (name text);
INSERT INTO person SELECT unnest(
  ARRAY['adam','ann','cora','dora','edith','ghost','gina','mike','nora','olga','oscar','paul',
  'stan','tess','vera']);
-- What each may see, by plain SQL
CREATE TEMP TABLE visible AS SELECT p.name AS person, h.scope_id, h.code FROM person p,
  LATERAL pg_temp.held(p.name) h WHERE h.code IN
  ('models:read', 'models:update', 'dataset_items:read');
ANALYZE visible;

CREATE FUNCTION pg_temp.uses_it(person text, statement text) RETURNS boolean
  LANGUAGE sql AS $$ SELECT pg_temp.plan(person, statement) ~
    'Custom Scan \(Permission Scan\) on t_' $$;
-- What the last of some statements gives as somebody, who changes nothing by it; the order counts
CREATE FUNCTION pg_temp.got(person text, by_scan boolean, statements text[]) RETURNS text
  LANGUAGE plpgsql AS $$
DECLARE got text[];
BEGIN
  PERFORM set_config('seeme_rbac.enable_permission_scan', by_scan::text, true);
  got := pg_temp.rows(person, VARIADIC statements);
  PERFORM set_config('seeme_rbac.enable_permission_scan', 'on', true);
  RETURN CASE WHEN got[1] ~ '^[0-9A-Z]{5}$' THEN got[1] WHEN cardinality(got) = 1 THEN got[1]
    ELSE cardinality(got) || ' rows ' || md5(array_to_string(got, ',')) END;
END $$;
-- By a permission scan and by a filter: what they give if it is the same (of several rows their
-- number), else what each gives
CREATE FUNCTION pg_temp.both(person text, VARIADIC statements text[]) RETURNS text
  LANGUAGE plpgsql AS $$
DECLARE
  by_scan text := pg_temp.got(person, true, statements);
  by_filter text := pg_temp.got(person, false, statements);
BEGIN
  RETURN CASE WHEN by_scan IS DISTINCT FROM by_filter
    THEN format('by a permission scan %s, by a filter %s', by_scan, by_filter)
    ELSE regexp_replace(by_scan, '^([0-9]+ rows) [0-9a-f]{32}$', '\1') END;
END $$;
-- The rows of a cursor that is open, in a statement of its own
CREATE FUNCTION pg_temp.fetch(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE r record; got text[] := '{}';
BEGIN
  FOR r IN EXECUTE statement LOOP got := got || r::text; END LOOP;
  RETURN translate(array_to_string(got, ' '), '()', '');
EXCEPTION WHEN OTHERS THEN RETURN SQLSTATE;
END $$;

-- It is used, and EXPLAIN shows it
SELECT is(pg_temp.plan('adam', 'SELECT n FROM t_in_project'),
  E'Custom Scan (Permission Scan) on t_in_project\n  Permission: seeme_has_permission('
  '''models:read''::text, NULL::uuid, NULL::uuid, project_id, NULL::uuid, NULL::text)\n',
  'EXPLAIN shows it and what it asks');
SELECT is(pg_temp.plan('adam', 'SELECT n FROM t_in_project WHERE n > 10'),
  E'Custom Scan (Permission Scan) on t_in_project\n  Filter: (n > 10)\n  Permission: '
  'seeme_has_permission(''models:read''::text, NULL::uuid, NULL::uuid, project_id, NULL::uuid, '
  'NULL::text)\n', 'and the conditions besides');
SELECT matches(pg_temp.plan('adam', 'SELECT d.n FROM t_in_project d JOIN t_doc USING (id)'),
  'Permission: seeme_has_permission\([^\n]*d\.project_id',
  'with the table''s name where there are several');
SELECT matches(pg_temp.plan('adam', 'SELECT n FROM t_in_project',
  'ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF'),
  'Permission Scan\) on t_in_project \(actual rows=2760(\.00)? loops=1\)\n(.|\n)*Rows Removed by '
  'Permission: 240\n', 'ANALYZE counts the rows that were not let through');
SELECT matches(pg_temp.plan('adam', 'SELECT n FROM t_in_project WHERE n <= 100',
  'ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF'),
  'actual rows=92(\.00)? (.|\n)*Rows Removed by Filter: 2668\n(.|\n)*Rows Removed by Permission: '
  '240\n', 'apart from those that a filter removed');
SELECT matches(pg_temp.plan('adam', 'SELECT n FROM t_in_project', 'FORMAT JSON'),
  '"Custom Plan Provider": "Permission Scan"(.|\n)*"Permission": "seeme_has_permission',
  'in other formats, too');
SELECT matches(pg_temp.plan('adam', 'SELECT n FROM t_in_project', 'VERBOSE, COSTS OFF'),
  'Output: n\n *Permission: (public\.)?seeme_has_permission\([^\n]*t_in_project\.project_id',
  'VERBOSE');
SELECT ok(pg_temp.uses_it(p, q), format('it is used: %s: %s', p, q))
  FROM unnest(ARRAY['adam', 'nora', 'ghost']) AS p,
  unnest(ARRAY['SELECT * FROM t_in_project', 'SELECT count(*) FROM t_in_team',
  'SELECT * FROM t_in_organization WHERE n > 5', 'SELECT * FROM t_assigned LIMIT 3',
  'SELECT * FROM t_doc WHERE seeme_has_permission(''models:read'', resource => resource_id)']) AS q;

-- Everybody's rows, by each scope: as plain SQL says, as by a filter, in the same order
CREATE FUNCTION pg_temp.wanted(who text, code text, scope text) RETURNS text LANGUAGE sql AS $$
  WITH mine AS (SELECT v.scope_id FROM pg_temp.visible v WHERE v.person = who
    AND v.code = wanted.code),
       seen AS (SELECT d.n FROM t_doc d
                 WHERE CASE scope WHEN 'project' THEN d.project_id WHEN 'team' THEN d.team_id
                 WHEN 'organization' THEN d.organization_id WHEN 'late' THEN d.late
                 END IN (SELECT scope_id FROM mine)
                    OR scope IN ('model', 'dataset')
                    AND EXISTS (
                    SELECT FROM seeme.project_resources r WHERE r.resource_id = d.resource_id
                      AND r.resource_type = scope AND r.project_id IN (SELECT scope_id FROM mine)))
  SELECT format('%s|%s', count(*), sum(n)) FROM seen $$;
SELECT is(pg_temp.both(p.name, 'SELECT count(*), sum(n) FROM ' || v.rel) || ' '
  || (pg_temp.both(p.name, 'SELECT n, ctid, tableoid, note FROM ' || v.rel) !~ 'by'),
  pg_temp.wanted(p.name, v.code, v.scope) || CASE
  WHEN pg_temp.wanted(p.name, v.code, v.scope) = '0|' THEN 'null' ELSE '' END || ' true',
    format('the rows of %s in %s', p.name, v.rel))
  FROM person p, (VALUES ('t_in_project', 'models:read', 'project'),
  ('t_in_team', 'models:read', 'team'), ('t_in_organization', 'models:read', 'organization'),
  ('t_assigned', 'dataset_items:read', 'dataset')) AS v (rel, code, scope);
-- By a query's own condition
SELECT is(pg_temp.both(p, 'SELECT count(*), coalesce(sum(n)::text, '''') FROM t_doc WHERE '
  || v.condition), pg_temp.wanted(p, 'models:read', v.scope),
  format('a query''s own condition: %s: %s', p, v.condition))
  FROM unnest(ARRAY['olga', 'nora', 'tess', 'paul', 'gina', 'ghost']) AS p,
  (VALUES ('seeme_has_permission(''models:read'', project => project_id)', 'project'),
  ('seeme_has_permission(''models:read'', resource => resource_id)', 'model'),
  ('seeme_has_permission(''models:read'', project => late)', 'late')) AS v (condition, scope);
SELECT is((SELECT count(*) FROM person p WHERE pg_temp.wanted(p.name, 'models:read', 'project') <>
  '0|'), 9::bigint, 'people differ: so many see something');
-- Columns that a query takes: some, all, the row as a whole, and what the system adds
SELECT is(pg_temp.both('tess', q), '600 rows', 'what a query takes of a row: ' || q)
  FROM unnest(ARRAY['SELECT * FROM t_in_project', 'SELECT gap, wide, note, late FROM t_in_project',
  'SELECT d FROM t_in_project d', 'SELECT (d).n, d::text FROM t_in_project d',
  'SELECT ctid, xmin, xmax, cmin, cmax, tableoid, n FROM t_in_project',
  'SELECT tableoid::regclass FROM t_in_project',
    'SELECT 1 FROM t_in_project', 'SELECT FROM t_in_project',
    'SELECT md5(wide), n + 1 FROM t_in_project', 'SELECT d.* FROM t_in_project d ORDER BY n DESC',
    'SELECT row_to_json(d) FROM t_in_project d',
    'SELECT n, (SELECT count(*) FROM t_doc WHERE id < 3 AND d.n > 0) FROM t_in_project d']) AS q;


-- Where it is not used
CREATE TABLE t_small AS SELECT * FROM t_doc WHERE n <= 900;
CREATE TABLE t_of_two AS SELECT * FROM t_doc;
CREATE TABLE t_code AS SELECT n, project_id, CASE WHEN n % 2 = 0 THEN 'models:read'
  ELSE 'models:update' END AS code FROM t_doc;
CREATE TABLE t_domain (n integer, project_id uuid);
CREATE DOMAIN t_id AS uuid;
ALTER TABLE t_domain ALTER project_id TYPE t_id;
INSERT INTO t_domain SELECT n, project_id FROM t_doc;
ANALYZE t_small; ANALYZE t_of_two; ANALYZE t_code; ANALYZE t_domain;
SELECT seeme_protect('t_small', 'models', project_column => 'project_id') \g /dev/null
SELECT seeme_protect('t_of_two', 'models', project_column => 'project_id', team_column => 'team_id')
  \g /dev/null
GRANT SELECT, INSERT, UPDATE, DELETE ON t_small, t_of_two, t_code, t_domain TO t_app;
SELECT ok(pg_temp.uses_it('adam', 'SELECT * FROM t_of_two'), 'it is used for several scopes');
SELECT ok(NOT pg_temp.uses_it('adam', q), 'it is not used: ' || q)
  FROM unnest(ARRAY['SELECT * FROM t_small',
  'SELECT * FROM t_in_project TABLESAMPLE system (50)',
    -- Where something may come between two rows: a lock that is waited for, a change, whatever a
    -- volatile function does
    'UPDATE t_in_project SET note = ''x''', 'DELETE FROM t_in_project',
    'SELECT * FROM t_in_project FOR UPDATE',
    'SELECT * FROM (SELECT * FROM t_in_project FOR SHARE) AS d',
    'INSERT INTO t_small SELECT * FROM t_in_project',
    'SELECT n, (SELECT o.n FROM t_small o WHERE o.n = 1 AND d.n > 0 FOR UPDATE) FROM t_in_project '
    'd', 'SELECT n, (SELECT o.n FROM t_small o WHERE o.n = 1 FOR UPDATE) FROM t_in_project',
    'SELECT n FROM t_in_project d WHERE EXISTS (SELECT FROM t_small o WHERE o.n = d.n FOR SHARE)',
    'SELECT n, (SELECT 1 FROM pg_advisory_xact_lock(5) WHERE d.n > 0) FROM t_in_project d',
    'SELECT (SELECT count(*) FROM t_in_project), (SELECT o.n FROM t_small o WHERE o.n = 1 FOR '
    'UPDATE)',
    'WITH s AS MATERIALIZED (SELECT o.n FROM t_small o FOR UPDATE) SELECT * FROM t_in_project JOIN '
    's USING (n)', 'WITH gone AS (DELETE FROM t_small RETURNING n) SELECT * FROM t_in_project',
    'SELECT n, random() FROM t_in_project',
    'SELECT * FROM t_in_project WHERE pg_sleep(0) IS NOT NULL',
    'SELECT * FROM t_in_project WHERE project_id = ''d1000000-0000-4000-8000-000000000001''',
    'SELECT * FROM t_doc WHERE id = 5 AND seeme_has_permission(''models:read'', project => '
    'project_id)',
    'SELECT * FROM t_code WHERE seeme_has_permission(code, project => project_id)',
    'SELECT * FROM t_doc WHERE NOT seeme_has_permission(''models:read'', project => project_id)',
    'SELECT * FROM t_doc WHERE seeme_has_permission(''models:read'', project => project_id, team '
    '=> team_id)',
    'SELECT * FROM t_doc WHERE seeme_has_permission(''models:read'', project => {alpha})',
    'SELECT * FROM t_doc WHERE n = 3 OR seeme_has_permission(''models:read'', project => '
    'project_id)',
    'SELECT * FROM t_doc WHERE seeme_has_permission(''models:read'', project => '
    'coalesce(project_id, late))',
    'SELECT * FROM t_doc WHERE seeme_has_permission(''models:read'', resource => resource_id, '
    'resource_type => note)',
    'SELECT * FROM t_doc WHERE seeme_user_has_permission({adam}, ''models:read'', project => '
    'project_id)',
    'SELECT * FROM t_domain WHERE seeme_has_permission(''models:read'', project => project_id)',
    'INSERT INTO t_in_project (id, n) VALUES (0, 0)',
    'SELECT FROM t_doc t, LATERAL (SELECT FROM t_small WHERE seeme_has_permission(''models:read'', '
    'project => t.project_id) OFFSET 0) s']) AS q;
SET LOCAL seeme_rbac.enable_permission_scan = off;
SELECT ok(NOT pg_temp.uses_it('adam', 'SELECT * FROM t_in_project'), 'nor when it is switched off');
SELECT is(pg_temp.try('ghost', 'SET LOCAL seeme_rbac.enable_permission_scan = off'), '0 rows',
  'which anybody may');
SET LOCAL seeme_rbac.enable_permission_scan = on;
SELECT is(pg_temp.both('tess', q), n, 'the rows are the same all the same: ' || q)
  FROM (VALUES ('SELECT n FROM t_small', '180 rows'), ('SELECT n FROM t_of_two', '1080 rows'),
  ('SELECT n FROM t_in_project TABLESAMPLE system (50) REPEATABLE (7) WHERE n > 3000', '0 rows'),
  ('SELECT n FROM t_code WHERE seeme_has_permission(code, project => project_id)', '600 rows'),
               ('SELECT n FROM t_domain WHERE seeme_has_permission(''models:read'', project => '
                'project_id)', '600 rows')) AS v (q, n);

-- What is asked wrongly is an error as in a filter, and for each of the same rows
SELECT is(pg_temp.both('tess', q), n, q) FROM
  (VALUES ('SELECT n FROM t_doc WHERE seeme_has_permission(''modles:read'', project => project_id)',
  '22023'),
  ('SELECT n FROM t_doc WHERE seeme_has_permission(''dataset_items:read'', resource => '
   'resource_id)', '22023'),
   ('SELECT n FROM t_doc WHERE seeme_has_permission(''models:*'', project => project_id)',
   '0 rows'),
  ('SELECT n FROM t_doc WHERE seeme_has_permission(''models:read'', resource => resource_id, '
   'resource_type => ''telescope'')', '22023'),
   ('SELECT n FROM t_doc WHERE seeme_has_permission(NULL, project => project_id)', '22004'))
   AS v (q, n);

-- No row, all rows, few rows; versions of rows
CREATE TABLE t_mine AS SELECT n, 'd0000000-0000-4000-8000-000000000001'::uuid AS project_id,
  repeat('x', 3000) || n AS wide FROM generate_series(1, 1500) AS n;
CREATE TABLE t_empty AS SELECT * FROM t_mine;
ANALYZE t_mine; ANALYZE t_empty;
DELETE FROM t_empty;
SELECT seeme_protect(t, 'models', project_column => 'project_id')
  FROM unnest(ARRAY['t_mine', 't_empty']::regclass[]) AS t \g /dev/null
GRANT SELECT, INSERT, UPDATE, DELETE ON t_mine, t_empty TO t_app;
SELECT ok(pg_temp.uses_it('paul', 'SELECT * FROM ' || t), 'it is used: ' || t)
  FROM unnest(ARRAY['t_mine', 't_empty']) AS t;
SELECT is(pg_temp.both('paul', 'SELECT n, wide FROM t_mine'), '1500 rows',
  'all rows are let through');
SELECT is(pg_temp.both('stan', 'SELECT n, wide FROM t_mine'), '0 rows', 'none is');
SELECT is(pg_temp.both('paul', 'SELECT n FROM t_empty'), '0 rows', 'none is there');
SELECT is(pg_temp.both('edith', 'INSERT INTO t_empty SELECT * FROM t_mine WHERE n <= 40',
  'DELETE FROM t_empty WHERE n % 3 = 0', 'SELECT count(*), sum(n) FROM t_empty'), '40|820',
  'who holds create adds rows, and without delete removes none');
SELECT is(pg_temp.both('olga', 'INSERT INTO t_empty SELECT * FROM t_mine WHERE n <= 40',
  'DELETE FROM t_empty WHERE n % 3 = 0', 'UPDATE t_empty SET n = n + 100 WHERE n % 5 = 0',
  'SELECT n, md5(wide) FROM t_empty'), '27 rows',
  'rows that the transaction has added, changed and removed');
SELECT is(pg_temp.both('olga', 'UPDATE t_in_project SET note = ''y'' WHERE n % 2 = 0',
  'UPDATE t_in_project SET wide = repeat(''z'', 9000) WHERE n % 6 = 0',
  'DELETE FROM t_in_project WHERE n % 10 = 1',
  'SELECT n, note, md5(wide) FROM t_in_project ORDER BY n'), '2460 rows',
  'versions of rows, here and there');

CREATE TEMP TABLE t_temporary AS SELECT * FROM t_doc;
ANALYZE t_temporary;
GRANT SELECT, UPDATE ON t_temporary TO PUBLIC;
SELECT ok(
  pg_temp.uses_it('tess',
  'SELECT * FROM t_temporary WHERE seeme_has_permission(''models:read'', project => project_id)'),
  'it is used for a temporary table, too');
SELECT is(
  pg_temp.both('tess',
  'DECLARE c CURSOR FOR SELECT n FROM t_temporary WHERE seeme_has_permission(''models:read'', '
  'project => project_id)', 'MOVE 5 IN c', 'UPDATE t_temporary SET note = ''x''',
  'UPDATE t_temporary SET note = ''y'' WHERE n < 100', 'SELECT count(*) FROM t_temporary',
  'SELECT pg_temp.fetch(''FETCH 5 FROM c'')'), '11 12 13 14 15',
  'whose rows stay for a cursor, whatever happens to them');
SET LOCAL jit = on; SET LOCAL jit_above_cost = 0; SET LOCAL jit_inline_above_cost = 0;
  SET LOCAL jit_optimize_above_cost = 0;
SELECT is(
  pg_temp.both('tess',
  'SELECT n, gap, note, project_id FROM t_in_project WHERE n % 2 = 0 AND note LIKE ''a%'''),
  '240 rows', 'with compiled expressions, where there are such');
RESET jit_above_cost; RESET jit_inline_above_cost; RESET jit_optimize_above_cost;
SET LOCAL jit = off;

-- Writing by it
SELECT is(pg_temp.both(p, s, q), n, format('%s: %s', p, s))
  FROM (VALUES ('tess', 'UPDATE t_in_project SET note = ''x''',
  'SELECT count(*) FROM t_in_project WHERE note = ''x''', '600'),
  ('paul', 'UPDATE t_in_project SET note = ''x''',
  'SELECT count(*) FROM t_in_project WHERE note = ''x''', '0'),
  ('stan', 'DELETE FROM t_in_project', 'SELECT count(*) FROM t_in_project', '0'),
               ('olga', 'DELETE FROM t_in_project WHERE n > 50',
               'SELECT count(*) FROM t_in_project', '46'),
               ('tess', 'DELETE FROM t_in_project', 'SELECT count(*) FROM t_in_project', '600'),
               ('olga', 'UPDATE t_in_project SET n = n + 1', 'SELECT sum(n) FROM t_in_project',
               '4146360'),
               ('olga', 'INSERT INTO t_in_project SELECT * FROM t_in_project',
               'SELECT count(*) FROM t_in_project', '5520'),
               ('olga',
               'MERGE INTO t_in_project d USING t_doc s ON s.id = d.id WHEN MATCHED AND s.n % 2 = '
               '0 THEN UPDATE SET note = ''m'' WHEN MATCHED AND s.n % 3 = 0 THEN DELETE',
               'SELECT count(*) || note FROM t_in_project WHERE note = ''m'' GROUP BY note',
               '1320m'),
               ('olga',
               'UPDATE t_in_project d SET note = ''j'' FROM t_doc s WHERE s.id = d.id AND s.n < '
               '100', 'SELECT count(*) FROM t_in_project WHERE note = ''j''', '92'))
               AS v (p, s, q, n);
SELECT is(
  pg_temp.both('tess',
  'WITH u AS (UPDATE t_in_project SET note = ''x'' RETURNING n, ctid) SELECT count(*), sum(n) FROM '
  'u'), pg_temp.wanted('tess', 'models:update', 'project'), 'RETURNING');

-- Rescans, joins, LIMIT, locks
SET LOCAL enable_material = off; SET LOCAL enable_memoize = off; SET LOCAL enable_hashjoin = off;
  SET LOCAL enable_mergejoin = off;
SELECT matches(
  pg_temp.plan('tess', 'SELECT * FROM generate_series(1, 3) AS g LEFT JOIN t_in_project ON n > g'),
  'Nested Loop Left Join(.|\n)*Function Scan(.|\n)*Permission Scan',
  'it is the inner side of a nested loop');
SELECT is(pg_temp.both('tess', q), n, 'again and again: ' || q)
  FROM (VALUES ('SELECT g, n FROM generate_series(1, 3) AS g LEFT JOIN t_in_project ON n > g',
  '1797 rows'),
  ('SELECT g, (SELECT count(*) FROM t_in_project d WHERE d.n > g AND d.n < g + 100) FROM '
   'generate_series(1, 1000, 250) AS g', '4 rows'),
   ('SELECT g, d.n FROM generate_series(1, 1000, 250) AS g, LATERAL (SELECT n FROM t_in_project d '
    'WHERE d.n > g LIMIT 7) AS d', '28 rows'),
               ('WITH RECURSIVE r (n) AS (SELECT 1 UNION ALL SELECT r.n + 1 FROM r WHERE r.n < 5 '
                'AND EXISTS (SELECT FROM t_in_project d WHERE d.n > r.n * 10)) SELECT n FROM r',
                '5 rows'),
                ('WITH RECURSIVE r (n) AS (SELECT 1 UNION SELECT d.n FROM r, t_in_project d WHERE '
                 'd.n > r.n AND d.n < r.n + 20) SELECT n FROM r', '10 rows'),
               ('SELECT a.n, b.n FROM t_in_project a, t_in_project b WHERE a.n < 60 AND b.n < 60 '
                'AND a.n <> b.n', '182 rows'),
                ('SELECT s.n, d.n FROM t_doc s LEFT JOIN t_in_project d ON d.id = s.id AND d.n > 5 '
                 'WHERE s.n <= 30', '30 rows')) AS v (q, n);
RESET enable_material; RESET enable_memoize; RESET enable_hashjoin; RESET enable_mergejoin;
SELECT is(pg_temp.both('tess', q), n, q)
  FROM (VALUES ('SELECT n FROM t_in_project LIMIT 5', '5 rows'),
  ('SELECT n FROM t_in_project OFFSET 10 LIMIT 5', '5 rows'),
  ('SELECT n FROM t_in_project ORDER BY n DESC LIMIT 5', '5 rows'),
  ('SELECT d.n FROM t_in_project d JOIN t_in_team t USING (id)', '120 rows'),
  ('SELECT n FROM t_in_project INTERSECT SELECT n FROM t_in_team', '120 rows'),
               ('SELECT s.id, d.n FROM t_doc s LEFT JOIN t_in_project d USING (id)', '3000 rows'),
               ('SELECT n FROM t_doc s WHERE NOT EXISTS (SELECT FROM t_in_project d WHERE d.id = '
                's.id)', '2400 rows'), ('SELECT n FROM t_in_project FOR UPDATE', '600 rows'),
                ('SELECT n, ctid FROM t_in_project FOR SHARE', '600 rows'),
                ('SELECT n FROM t_in_project FOR NO KEY UPDATE SKIP LOCKED', '600 rows'),
               ('SELECT n FROM t_in_project UNION ALL SELECT n FROM t_in_team', '1200 rows'),
               ('SELECT project_id, count(*) FROM t_in_project GROUP BY 1 ORDER BY 1', '10 rows'),
               ('SELECT n, lag(n) OVER (ORDER BY n) FROM t_in_project', '600 rows'),
               ('SELECT DISTINCT project_id FROM t_in_project', '10 rows')) AS v (q, n);

-- Views, partitions, tables that inherit, another policy
CREATE VIEW t_view WITH (security_invoker = true) AS SELECT * FROM t_in_project;
CREATE VIEW t_owner_view AS SELECT * FROM t_in_project;
CREATE VIEW t_barrier_view WITH (security_barrier = true, security_invoker = true) AS SELECT *
  FROM t_in_project WHERE n % 2 = 0;
CREATE TABLE t_part (id integer, project_id uuid, n integer) PARTITION BY RANGE (id);
CREATE TABLE t_part_0 PARTITION OF t_part FOR VALUES FROM (0) TO (1500);
CREATE TABLE t_part_1 (gone integer, n integer, project_id uuid, id integer);
ALTER TABLE t_part_1 DROP COLUMN gone;
ALTER TABLE t_part ATTACH PARTITION t_part_1 FOR VALUES FROM (1500) TO (9000);
CREATE TABLE t_parent (id integer, project_id uuid, n integer);
CREATE TABLE t_child (more text) INHERITS (t_parent);
INSERT INTO t_part SELECT id, project_id, n FROM t_doc;
INSERT INTO t_parent SELECT id, project_id, n FROM t_doc WHERE n % 2 = 0;
INSERT INTO t_child SELECT id, project_id, n, 'more' FROM t_doc WHERE n % 2 = 1;
ANALYZE t_part; ANALYZE t_part_0; ANALYZE t_part_1; ANALYZE t_parent; ANALYZE t_child;
SELECT seeme_protect(t, 'models', project_column => 'project_id')
  FROM unnest(ARRAY['t_part', 't_parent']::regclass[]) AS t \g /dev/null
CREATE MATERIALIZED VIEW t_materialized AS SELECT * FROM t_doc;
ANALYZE t_materialized;
GRANT SELECT, INSERT, UPDATE, DELETE ON t_view, t_owner_view, t_barrier_view, t_part,
  t_parent TO t_app;
GRANT SELECT ON t_materialized TO t_app;
SELECT is((SELECT count(*) FROM regexp_matches(
  pg_temp.plan('tess', 'SELECT * FROM ' || t), 'Permission Scan\) on t_', 'g')), 2::bigint,
  'a permission scan of each table below: ' || t) FROM unnest(ARRAY['t_part', 't_parent']) AS t;
SELECT ok(pg_temp.uses_it('tess', q), 'it is used: ' || q)
  FROM unnest(ARRAY['SELECT * FROM t_view', 'SELECT * FROM t_barrier_view',
  'SELECT * FROM ONLY t_parent',
  'SELECT * FROM t_materialized WHERE seeme_has_permission(''models:read'', project => '
  'project_id)']) AS q;
SELECT is(pg_temp.both('tess', q), n, q)
  FROM (VALUES ('SELECT n FROM t_view', '600 rows'), ('SELECT n FROM t_owner_view', '3000 rows'),
  ('SELECT n FROM t_owner_view WHERE seeme_has_permission(''models:read'', project => project_id)',
  '600 rows'), ('SELECT n FROM t_barrier_view', '240 rows'),
  ('SELECT n, tableoid FROM t_part', '600 rows'),
  ('SELECT n, tableoid, ctid FROM t_parent', '600 rows'),
               ('SELECT t FROM t_part t', '600 rows'), ('SELECT t FROM t_parent t', '600 rows'),
               ('SELECT n FROM ONLY t_parent', '240 rows'),
               ('WITH u AS (UPDATE t_part SET n = n RETURNING n, tableoid) SELECT n, tableoid FROM '
                'u', '600 rows'), (
                'WITH u AS (UPDATE t_part SET id = id + 1000 RETURNING n, tableoid) SELECT n, '
                'tableoid FROM u', '600 rows'),
               ('WITH u AS (UPDATE t_parent SET n = n RETURNING n, tableoid) SELECT n, tableoid '
                'FROM u', '600 rows'), (
                'WITH u AS (UPDATE t_view SET n = n RETURNING n) SELECT n FROM u', '600 rows'),
                ('SELECT n FROM t_materialized WHERE seeme_has_permission(''models:read'', project '
                 '=> project_id)', '600 rows'), ('SELECT n FROM t_part_0', '42501')) AS v (q, n);
CREATE POLICY even ON t_in_project AS RESTRICTIVE USING (n % 2 = 0);
SELECT is(pg_temp.both('tess', 'SELECT n FROM t_in_project'), '240 rows',
  'with a RESTRICTIVE policy besides');
SELECT is(
  pg_temp.both('tess',
  'WITH u AS (UPDATE t_in_project SET note = ''x'' RETURNING n) SELECT n FROM u'), '240 rows',
  'and for an UPDATE');
DROP POLICY even ON t_in_project;

-- A condition of a user's own never meets a row that is not let through
CREATE TEMP TABLE leaked (n integer);
GRANT INSERT, SELECT ON leaked TO PUBLIC;
CREATE FUNCTION pg_temp.leak(n integer) RETURNS boolean
  LANGUAGE plpgsql COST 0.0001 AS $$ BEGIN INSERT INTO pg_temp.leaked
    VALUES (n); RAISE NOTICE 'saw %', n; RETURN true; END $$;
SET LOCAL client_min_messages = warning;
SELECT is(pg_temp.both(p, s, 'SELECT count(DISTINCT n), sum(DISTINCT n) FROM pg_temp.leaked'),
  replace(pg_temp.wanted(p, c, 'project'), '0|',
  CASE pg_temp.wanted(p, c, 'project') WHEN '0|' THEN '0|null' ELSE '0|' END),
  format('threat: a condition of one''s own: %s: %s', p, s))
  FROM unnest(ARRAY['tess', 'stan', 'nora']) AS p,
  (VALUES ('SELECT count(*) FROM t_in_project WHERE pg_temp.leak(n)', 'models:read'),
  ('UPDATE t_in_project SET note = ''x'' WHERE pg_temp.leak(n)', 'models:update'),
  ('SELECT n FROM t_in_project WHERE pg_temp.leak(n) FOR UPDATE', 'models:update'),
    ('SELECT count(*) FROM t_in_project WHERE n > 0 AND (pg_temp.leak(n) OR note = ''x'')',
    'models:read'), ('SELECT count(*) FROM t_view WHERE pg_temp.leak(n)', 'models:read'),
    ('SELECT count(*) FROM t_part WHERE pg_temp.leak(n)', 'models:read')) AS v (s, c);
SELECT is(pg_temp.both('tess', 'SELECT count(*) FROM t_in_project WHERE 1 / (n - 2) > 5'), '0',
  'threat: nor does a division by what is hidden fail');
SELECT is(pg_temp.both('tess', 'SELECT count(*) FROM t_in_project WHERE 1 / (n - 7) > 5'), '22012',
  'which by what is shown does');

-- Without the function
CREATE ROLE t_bare LOGIN;
GRANT SELECT, UPDATE ON t_in_project, t_empty TO t_bare;
SELECT is(pg_temp.both('bare', q), '42501',
  'who may not execute the function gets an error and no rows: ' || q)
  FROM unnest(ARRAY['SELECT n FROM t_in_project', 'SELECT n FROM t_empty',
  'UPDATE t_in_project SET note = ''x'' RETURNING n', 'EXPLAIN SELECT n FROM t_in_project',
  'SELECT n FROM t_in_project LIMIT 0']) AS q;

-- Cursors. Of tess's rows the first are 1, 7, 8, 9, 10, 11, 12, 13, 14, 15, 51.
SELECT is(pg_temp.both('tess', 'DECLARE c CURSOR FOR SELECT n FROM t_in_project' || locks,
  'MOVE 3 IN c', 'UPDATE t_in_project SET note = ''current'' WHERE CURRENT OF c', 'MOVE 4 IN c',
  'UPDATE t_in_project SET note = ''current'' WHERE CURRENT OF c',
  'SELECT string_agg(n::text, '' '' ORDER BY n) FROM t_in_project WHERE note = ''current'''),
  '8 12',
    'UPDATE … WHERE CURRENT OF changes the row that was fetched last' || locks)
    FROM unnest(ARRAY['', ' FOR UPDATE']) AS locks;
SELECT is(pg_temp.both('olga', 'DECLARE c CURSOR FOR SELECT n FROM t_in_project' || locks,
  'MOVE 4 IN c', 'DELETE FROM t_in_project WHERE CURRENT OF c', 'MOVE 13 IN c',
  'DELETE FROM t_in_project WHERE CURRENT OF c',
  'SELECT string_agg(n::text, '' '' ORDER BY n) FROM t_doc WHERE n < 60 AND n % 50 NOT IN (0, 4, '
  '5, 6) AND id NOT IN (SELECT id FROM t_in_project)'), '7 20',
    'DELETE … WHERE CURRENT OF removes it' || locks) FROM unnest(ARRAY['', ' FOR UPDATE']) AS locks;
SELECT is(pg_temp.both('tess', 'DECLARE c CURSOR FOR SELECT n FROM t_part', 'MOVE 302 IN c',
  'UPDATE t_part SET n = -n WHERE CURRENT OF c', 'SELECT n FROM t_part WHERE n < 0'), '-1507',
  'of a partition, too');
SELECT is(pg_temp.both('tess', 'DECLARE c CURSOR FOR SELECT n FROM t_in_project', 'MOVE 600 IN c',
  'MOVE 1 IN c', 'UPDATE t_in_project SET note = ''x'' WHERE CURRENT OF c RETURNING n'), '24000',
  'after the last row there is no current one');
SELECT is(pg_temp.both('tess', 'DECLARE c CURSOR FOR SELECT n FROM t_in_project',
  'UPDATE t_in_project SET note = ''x'' WHERE CURRENT OF c RETURNING n'), '24000',
  'nor before the first');
SET LOCAL enable_tidscan = off;
SELECT is(pg_temp.both('tess', 'DECLARE c CURSOR FOR SELECT n FROM t_in_project', 'MOVE 3 IN c',
  'UPDATE t_in_project SET note = ''current'' WHERE CURRENT OF c',
  'SELECT n FROM t_in_project WHERE note = ''current'''), '8',
  'the current row is found with enable_tidscan off, too');
RESET enable_tidscan;
SELECT is(pg_temp.both('tess', 'DECLARE c SCROLL CURSOR FOR SELECT n FROM t_in_project',
  'MOVE 5 IN c', 'SELECT pg_temp.fetch(' || quote_literal(f) || ')'), n, 'a SCROLL cursor: ' || f)
  FROM (VALUES ('FETCH BACKWARD 2 FROM c', '9 8'), ('FETCH ABSOLUTE 3 FROM c', '8'),
  ('FETCH FIRST FROM c', '1'), ('FETCH LAST FROM c', '2965'), ('FETCH RELATIVE -2 FROM c', '8'),
  ('FETCH PRIOR FROM c', '9'), ('FETCH BACKWARD ALL FROM c', '9 8 7 1'),
  ('FETCH 2 FROM c', '11 12'), ('FETCH RELATIVE 0 FROM c', '10')) AS v (f, n);
SELECT is(pg_temp.both('tess', 'DECLARE c NO SCROLL CURSOR FOR SELECT n FROM t_in_project',
  'MOVE 5 IN c', 'FETCH BACKWARD 2 FROM c'), '55000', 'a NO SCROLL cursor');
SELECT is(pg_temp.both('tess', 'DECLARE c CURSOR FOR SELECT n FROM t_in_project', 'MOVE 5 IN c',
  'SELECT pg_temp.fetch(''FETCH BACKWARD 2 FROM c'')'), '9 8',
  'a cursor that says neither goes backwards as far as that of a filter does');

-- Rights that change between FETCHes
\set person tess
\set then tess
\set declare 'DECLARE c CURSOR FOR SELECT n FROM t_in_project'
\set fetch 'FETCH 5 FROM c'
\set what 'a team left'
\set change 'DELETE FROM seeme.memberships WHERE user_id = :tess AND team_id = :research'
\set wanted '1 7 8 9 10 |  | '
\i test/include/fetches.psql
\set fetch 'FETCH 3 FROM c'
\set what 'a membership given'
\set change 'INSERT INTO seeme.memberships (organization_id, project_id, user_id, role_id) VALUES (:acme, ''d1000000-0000-4000-8000-000000000015'', :tess, pg_temp.id(''Viewer''))'
\set wanted '1 7 8 9 10 | 11 12 13 | 14 15 51 57 58'
\i test/include/fetches.psql
\set fetch 'FETCH 7 FROM c'
\set wanted '1 7 8 9 10 | 11 12 13 14 15 26 51 | 57 58 59 60 61'
\i test/include/fetches.psql
\set fetch 'FETCH 3 FROM c'
\set what 'a project taken out of the team'
\set change 'UPDATE seeme.projects SET team_id = NULL WHERE slug = ''p-6'''
\set wanted '1 7 8 9 10 | 12 13 14 | 15 51 57 58 59'
\i test/include/fetches.psql
\set what 'a role that loses a code'
\set person paul
\set then paul
\set declare 'DECLARE c CURSOR FOR SELECT n FROM t_mine'
\set change 'UPDATE seeme.memberships SET role_id = NULL WHERE user_id = :paul AND project_id = :alpha'
\set wanted '1 2 3 4 5 |  | '
\i test/include/fetches.psql
\set fetch 'FETCH 1 FROM c'
\set what 'a date that passes between two FETCHes'
\set change 'UPDATE seeme.memberships SET valid_until = clock_timestamp() WHERE user_id = :paul AND project_id = :alpha'
\i test/include/fetches.psql
\set what 'nothing that counts'
\set change 'UPDATE seeme.memberships SET valid_until = clock_timestamp() + interval ''1 hour'' WHERE user_id = :paul AND project_id = :alpha'
\set wanted '1 2 3 4 5 | 6 | 7 8 9 10 11'
\i test/include/fetches.psql
\set person tess
\set then nora
\set declare 'DECLARE c CURSOR FOR SELECT n FROM t_in_project'
\set fetch 'FETCH 3 FROM c'
\set what 'somebody else who asks'
\set change 'SELECT 1'
\set wanted '1 7 8 9 10 | 35 53 58 | 85 103 108 135 153'
\i test/include/fetches.psql
\set then ghost
\set what 'nobody who asks'
\set wanted '1 7 8 9 10 |  | '
\i test/include/fetches.psql
\set then tess
\set declare 'DECLARE c SCROLL CURSOR FOR SELECT n FROM t_in_project'
\set fetch 'FETCH BACKWARD 3 FROM c'
\set what 'threat: rows that were shown are not shown again once the right is gone'
\set change 'DELETE FROM seeme.memberships WHERE user_id = :tess AND team_id = :research'
\set wanted '1 7 8 9 10 |  | 1 7 8 9 10'
\i test/include/fetches.psql

-- Rights that change within one statement, by what it does itself
CREATE TABLE t_few AS SELECT * FROM t_doc WHERE n <= 1200;
ANALYZE t_few;
SELECT seeme_protect('t_few', 'models', project_column => 'project_id') \g /dev/null
ALTER TABLE t_few ADD PRIMARY KEY (id);
GRANT SELECT, UPDATE ON t_few TO t_app;
CREATE FUNCTION pg_temp.leave(n integer, at integer) RETURNS boolean
  LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
  IF n = at THEN DELETE FROM seeme.memberships WHERE user_id = pg_temp.id('tess')
    AND team_id IS NOT NULL; END IF;
  RETURN true;
END $$;
CREATE FUNCTION pg_temp.leave_and_undo(n integer, at integer) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  IF n = at THEN
    PERFORM pg_temp.leave(n, at);
    -- What may be seen meanwhile
    IF EXISTS (SELECT FROM t_few WHERE id = 7) THEN RETURN NULL; END IF;
    RAISE 'undo';
  END IF;
  RETURN true;
EXCEPTION WHEN raise_exception THEN RETURN false;
END $$;
-- Of one statement: a cursor's rows, and what happens between them
CREATE FUNCTION pg_temp.between_fetches(query text, first integer, happens text) RETURNS text
  LANGUAGE plpgsql AS $$
DECLARE c refcursor; n integer; got text := '';
BEGIN
  OPEN c FOR EXECUTE query;
  FOR i IN 1 .. first + 4 LOOP
    IF i > first THEN EXECUTE happens; END IF;
    FETCH c INTO n;
    got := concat_ws(' ', got, coalesce(n::text, 'none'));
  END LOOP;
  CLOSE c;
  RETURN trim(got);
END $$;
SELECT is(pg_temp.both('tess', q), n, 'a statement that takes a right from whom it is for: ' || q)
  FROM (VALUES ('SELECT n, pg_temp.leave(n, 110) FROM t_few', '25 rows'),
  ('SELECT n FROM t_few WHERE pg_temp.leave(n, 110)', '25 rows'),
  ('SELECT n, pg_temp.leave(n, 1) FROM t_few', '1|true'),
  ('SELECT count(*) FILTER (WHERE pg_temp.leave(n, 110)) FROM t_few', '25'),
               ('SELECT n, pg_temp.leave_and_undo(n, 110) FROM t_few', '240 rows'),
               ('SELECT n, pg_temp.leave_and_undo(n, n) FROM t_few WHERE n < 10', '4 rows'),
               ('SELECT n FROM t_few WHERE pg_temp.leave_and_undo(n, 110)', '239 rows'),
               ('WITH u AS (UPDATE t_few SET note = ''x'' RETURNING n, pg_temp.leave(n, 110)) '
                'SELECT n FROM u', '25 rows'),
               ('SELECT a.n, pg_temp.leave(a.n, 10) FROM t_few a LEFT JOIN t_small b ON b.n = a.n',
               '5 rows'),
               ('SELECT pg_temp.between_fetches(''SELECT n FROM t_few'', 2, ''SELECT '
                'pg_temp.leave(1, 1)'')', '1 7 none none none none'),
                ('SELECT pg_temp.between_fetches(''SELECT n FROM t_few'', 2, ''SELECT '
                 'pg_temp.leave_and_undo(1, 1)'')', '1 7 8 9 10 11')) AS v (q, n);

-- Somebody who is named within the statement
GRANT EXECUTE ON FUNCTION seeme_assume(uuid) TO t_ghost;
SELECT is(pg_temp.both('ghost', q), n, 'who is named by the statement itself: ' || q)
  FROM (VALUES
  ('SELECT n FROM t_in_project UNION ALL SELECT 0 FROM (SELECT seeme_assume({tess})) a UNION ALL '
   'SELECT n FROM t_in_project', '601 rows'),
   ('WITH who AS MATERIALIZED (SELECT seeme_assume({tess}) AS id) SELECT n FROM who LEFT JOIN '
    't_in_project ON n > 0', '600 rows'),
               ('SELECT pg_temp.between_fetches($q$SELECT n FROM t_in_project$q$, 0, $q$SELECT '
                'seeme_assume({tess})$q$)', '1 7 8 9')) AS v (q, n);
SELECT is(
  pg_temp.both('tess',
  'SELECT pg_temp.between_fetches(''SELECT n FROM t_in_project'', 2, ''SELECT '
  'pg_temp.become(''''nora'''')'')'), '1 7 8 35 53 58',
  'who is somebody else from one FETCH of a function to the next sees their own rows');
SET LOCAL seeme_rbac.trust_request_claims = on;
SELECT is(
  pg_temp.both('ghost',
  $$SELECT set_config('request.jwt.claims', json_build_object('sub', {tess})::text, true)$$,
  $$SELECT pg_temp.between_fetches(
    'SELECT n FROM t_in_project', 2,
    $q$SELECT set_config('request.jwt.claims', json_build_object('sub', {nora})::text, true)$q$)$$),
    '1 7 8 35 53 58',
  'and so does whom request.jwt.claims names, where that counts');
SET LOCAL seeme_rbac.trust_request_claims = off;

-- A date that passes within a statement
CREATE FUNCTION pg_temp.expiring(by_scan boolean, query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE got text;
BEGIN
  UPDATE seeme.memberships SET valid_until = clock_timestamp() + interval '800 ms'
    WHERE user_id = pg_temp.id('paul') AND project_id IS NOT NULL;
  got := pg_temp.got('paul', by_scan, ARRAY[query]);
  UPDATE seeme.memberships SET valid_until = NULL WHERE user_id = pg_temp.id('paul')
    AND project_id IS NOT NULL;
  RETURN got;
END $$;
SELECT pg_temp.expiring(by_scan,
  'SELECT count(*) FROM t_mine WHERE n < 4 OR n < 8 AND (n > 4 OR pg_sleep(0.9) IS NOT NULL)')
  AS got FROM (VALUES (true)) AS v (by_scan) \gset by_scan_
SELECT pg_temp.expiring(by_scan,
  'SELECT count(*) FROM t_mine WHERE n < 4 OR n < 8 AND (n > 4 OR pg_sleep(0.9) IS NOT NULL)')
  AS got FROM (VALUES (false)) AS v (by_scan) \gset by_filter_
SELECT is(:'by_filter_got'::text, '4',
  'a membership that ends while a statement runs: by a filter');
SELECT is(:'by_scan_got'::text, '4',
  'a membership that ends while a statement runs: by a permission scan');

-- One plan for everybody
SET LOCAL plan_cache_mode = force_generic_plan;
PREPARE t_all AS SELECT count(*), coalesce(sum(n)::text, '') FROM t_in_project;
PREPARE t_asked (text) AS SELECT count(*), coalesce(sum(n)::text, '') FROM t_doc
  WHERE seeme_has_permission($1, project => project_id);
SELECT matches(pg_temp.plan('adam', 'EXECUTE t_all'), 'Permission Scan', 'a generic plan has it');
SELECT doesnt_match(pg_temp.plan('adam', 'EXECUTE t_asked (''models:read'')'), 'Permission Scan',
  'but not where the code is a parameter');
SELECT is((pg_temp.rows(p.name, 'EXECUTE ' || s))[1],
  pg_temp.wanted(p.name, 'models:read', 'project'), format('%s: EXECUTE %s', p.name, s))
  FROM generate_series(1, 2) AS i, (
  SELECT name FROM person WHERE name IN ('tess', 'ghost', 'adam', 'nora')) p,
    unnest(ARRAY['t_all', 't_asked (''models:read'')']) AS s;
SET LOCAL plan_cache_mode = force_custom_plan;
SELECT matches(pg_temp.plan('adam', 'EXECUTE t_asked (''models:read'')'), 'Permission Scan',
  'where it is known, a plan has it');
SELECT is((pg_temp.rows(p.name, 'EXECUTE t_asked (''models:read'')'))[1],
  pg_temp.wanted(p.name, 'models:read', 'project'), format('%s: a custom plan', p.name))
  FROM (SELECT name FROM person WHERE name IN ('tess', 'ghost', 'adam', 'nora')) p;
SET LOCAL plan_cache_mode = auto;

-- With as little memory as there can be
SET LOCAL seeme_rbac.cache_memory = '64kB';
SELECT is(pg_temp.both(p.name, 'SELECT count(*), coalesce(sum(n)::text, '''') FROM t_in_project'),
  pg_temp.wanted(p.name, 'models:read', 'project'), format('with 64 kB: %s', p.name))
  FROM (SELECT name FROM person WHERE name IN ('tess', 'ghost', 'adam', 'nora')) p;
SELECT is(
  pg_temp.both('olga',
  'SELECT count(*) FROM t_in_project a JOIN t_in_team b USING (id) JOIN t_doc c USING (id) WHERE '
  'seeme_has_permission(''models:read'', resource => c.resource_id)'),
  (SELECT count(*)::text FROM t_doc WHERE n % 50 NOT IN (0, 4, 5, 6) AND n % 5 IN (1, 2)
  AND n % 100 BETWEEN 1 AND 80 AND n % 10 <> 1 AND n % 100 % 7 <> 0),
  'with 64 kB: several at once');
RESET seeme_rbac.cache_memory;

-- Several processes. They run for a STABLE function in SQL that returns a set and is not expanded
-- where it is called: what is read for other functions, or a cursor, is read by one process.
SET LOCAL parallel_setup_cost = 0; SET LOCAL parallel_tuple_cost = 0;
  SET LOCAL min_parallel_table_scan_size = 0; SET LOCAL max_parallel_workers_per_gather = 2;
CREATE FUNCTION pg_temp.by_several(person text, by_scan boolean, query text) RETURNS text
  LANGUAGE plpgsql AS $$
DECLARE got text;
BEGIN
  EXECUTE format(
    'CREATE OR REPLACE FUNCTION pg_temp.of_several() RETURNS SETOF text LANGUAGE sql STABLE AS %L',
    format('SELECT ''''; SELECT concat_ws(''|'', count(*), sum(x), '
           'md5(string_agg(x::text, '','' ORDER BY x))) FROM (%s) AS q (x)', query));
  PERFORM set_config('seeme_rbac.enable_permission_scan', by_scan::text, true);
  PERFORM pg_temp.become(person);
  SELECT o INTO got FROM pg_temp.of_several() AS o;
  PERFORM pg_temp.become(NULL);
  PERFORM set_config('seeme_rbac.enable_permission_scan', 'on', true);
  RETURN got;
END $$;
SELECT matches(pg_temp.plan(p, 'SELECT n FROM ' || t),
  'Gather(.|\n)*Parallel Custom Scan \(Permission Scan\) on ' || t,
  format('several processes: %s, %s', p, t)) FROM unnest(ARRAY['adam', 'stan']) AS p,
  unnest(ARRAY['t_in_project', 't_in_team', 't_assigned', 't_part']) AS t;
SELECT is(pg_temp.by_several(p, true, q), pg_temp.by_several(p, false, q),
  format('the rows of several processes: %s: %s', p, q))
  FROM unnest(ARRAY['tess', 'nora']) AS p, unnest(
  ARRAY['SELECT n FROM t_in_project', 'SELECT n FROM t_assigned WHERE n % 3 = 0',
  'SELECT n FROM t_part', 'SELECT d.n FROM t_in_project d JOIN t_in_team t USING (id)',
  'SELECT count(*) FROM t_in_project GROUP BY project_id']) AS q;
SELECT is(split_part(pg_temp.by_several(p, true, 'SELECT n FROM t_in_project'), '|', 1),
  split_part(pg_temp.wanted(p, 'models:read', 'project'), '|', 1),
  format('as plain SQL says: %s', p)) FROM unnest(ARRAY['adam', 'tess', 'ghost']) AS p;
SET LOCAL parallel_leader_participation = off;
CREATE FUNCTION pg_temp.process() RETURNS integer
  LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$ BEGIN RETURN pg_backend_pid(); END $$;
SELECT ok(pg_temp.by_several('adam', true, format(
  'SELECT n FROM t_in_project WHERE pg_temp.process() + 0 * n <> %s', pg_backend_pid())) ~
  '^(2760|0)\|', 'workers read it, if there are any to be had');
SELECT is(split_part(pg_temp.by_several(p, true, 'SELECT n FROM t_in_project'), '|', 1),
  split_part(pg_temp.wanted(p, 'models:read', 'project'), '|', 1),
  format('by workers alone: %s', p)) FROM unnest(ARRAY['adam', 'tess', 'ghost']) AS p;
SET LOCAL enable_material = off; SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off;
SELECT is(
  pg_temp.by_several('tess', true,
  'SELECT s.n FROM generate_series(1, 3) AS g, LATERAL (SELECT count(*) AS n FROM t_in_project d '
  'WHERE d.n > g * 500) AS s'), pg_temp.by_several(
  'tess', false,
  'SELECT s.n FROM generate_series(1, 3) AS g, LATERAL (SELECT count(*) AS n FROM t_in_project d '
  'WHERE d.n > g * 500) AS s'), 'processes that begin again and again');
SELECT matches(pg_temp.plan('adam', 'SELECT n FROM t_in_project',
  'ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF'), 'Rows Removed by Permission: (240|120|80)\n',
  'what several processes removed is counted');

SELECT * FROM finish();
ROLLBACK;
