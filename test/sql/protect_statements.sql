\i test/include/prelude.psql
-- Every kind of statement on protected tables: INSERT … RETURNING, ON CONFLICT, MERGE, COPY, SELECT
-- … FOR UPDATE, joins, cursors, views, listings, partitions.
BEGIN;
\i test/include/people.psql
\i test/include/asking.psql
SELECT plan(67);

CREATE TABLE t_model (id integer PRIMARY KEY, name text, secret text,
  project_id uuid REFERENCES seeme.projects);
CREATE INDEX ON t_model (project_id);
INSERT INTO t_model VALUES (1, 'in alpha', 's1', :alpha), (2, 'in beta', 's2', :beta),
  (3, 'in gamma', 's3', :gamma), (4, 'in delta', 's4', :delta), (5, 'in none', 's5', NULL);
GRANT SELECT, INSERT, UPDATE, DELETE ON t_model TO t_app;
SELECT seeme_protect('t_model', 'models', project_column => 'project_id',
  listing_columns => '{id,name}') \g /dev/null
GRANT SELECT ON t_model_listing TO t_app;

-- INSERT
SELECT is(
  pg_temp.rows('tess', $$INSERT INTO t_model VALUES (10, 'new', 's', {alpha}) RETURNING id, name$$),
  '{10|new}', 'INSERT … RETURNING answers with the row');
SELECT is(
  pg_temp.try('tess', $$INSERT INTO t_model VALUES (10, 'new', 's', {alpha}),
    (11, 'new', 's', {beta})$$), '42501', 'an INSERT of which one row is refused inserts none');
SELECT is(
  pg_temp.rows('tess', $$INSERT INTO t_model SELECT id + 10, name, secret,
    project_id FROM t_model RETURNING id$$), '{11}', 'INSERT … SELECT sees only what may be read');
SELECT pg_temp.hold_in('alpha', '{models:create}') \g /dev/null
SELECT is(pg_temp.try('nora', $$INSERT INTO t_model VALUES (10, 'new', 's', {alpha})$$), '1 row',
  'who may create but not read inserts');
SELECT is(
  pg_temp.try('nora', $$INSERT INTO t_model VALUES (10, 'new', 's', {alpha}) RETURNING id$$),
  '42501', 'but does not get the row back');
SELECT pg_temp.hold_in('alpha', '{}') \g /dev/null

-- ON CONFLICT
SELECT is(
  pg_temp.rows('tess', $$INSERT INTO t_model VALUES (1, 'again', 's', {alpha})
    ON CONFLICT (id) DO UPDATE SET name = excluded.name RETURNING name$$), '{again}',
    'ON CONFLICT DO UPDATE changes a row that may be changed');
SELECT is(
  pg_temp.try('tess', $$INSERT INTO t_model VALUES (2, 'again', 's', {alpha})
    ON CONFLICT (id) DO UPDATE SET name = excluded.name$$), '42501',
    'threat: ON CONFLICT DO UPDATE changes a row that may not be seen');
SELECT is(
  pg_temp.try('tess', $$INSERT INTO t_model VALUES (1, 'again', 's', {alpha})
    ON CONFLICT (id) DO UPDATE SET project_id = {beta}$$), '42501',
    'threat: ON CONFLICT DO UPDATE moves a row');
SELECT is(
  pg_temp.try('vera', $$INSERT INTO t_model VALUES (1, 'again', 's', {alpha})
    ON CONFLICT (id) DO UPDATE SET name = excluded.name$$), '42501',
    'a reader neither inserts nor updates');
SELECT is(
  pg_temp.try('tess', $$INSERT INTO t_model VALUES (1, 'again', 's', {alpha})
    ON CONFLICT DO NOTHING$$), '0 rows', 'ON CONFLICT DO NOTHING does nothing');
SELECT is(
  pg_temp.try('tess', $$INSERT INTO t_model VALUES (20, 'new', 's', {alpha})
    ON CONFLICT DO NOTHING$$), '1 row', 'or inserts');
SELECT pg_temp.hold_in('alpha', '{models:read,models:create}') \g /dev/null
SELECT is(
  pg_temp.try('nora', $$INSERT INTO t_model VALUES (1, 'again', 's', {alpha})
    ON CONFLICT (id) DO UPDATE SET name = excluded.name$$), '42501',
    'who may create but not update does not update on conflict');
SELECT is(
  pg_temp.try('nora', $$INSERT INTO t_model VALUES (21, 'again', 's', {alpha})
    ON CONFLICT (id) DO UPDATE SET name = excluded.name$$), '1 row',
    'and inserts where there is none');
SELECT pg_temp.hold_in('alpha', '{}') \g /dev/null

-- MERGE
CREATE FUNCTION pg_temp.merge(person text, id integer, project text) RETURNS text LANGUAGE sql AS $$
  SELECT pg_temp.try(person, format(
    'MERGE INTO t_model m USING (VALUES (%s, ''merged'', {%s})) AS n (id, name, project_id) ON m.id = n.id
    WHEN MATCHED THEN UPDATE SET name = n.name, project_id = n.project_id WHEN NOT MATCHED
      THEN INSERT VALUES (n.id, n.name, ''s'', n.project_id)', id, project))
$$;
SELECT is(pg_temp.merge('tess', 1, 'alpha'), '1 row', 'MERGE updates a row that may be updated');
SELECT is(pg_temp.merge('tess', 30, 'alpha'), '1 row', 'MERGE inserts where one may create');
SELECT is(pg_temp.merge('tess', 30, 'beta'), '42501', 'threat: MERGE inserts elsewhere');
SELECT is(pg_temp.merge('tess', 1, 'beta'), '42501', 'threat: MERGE moves a row');
SELECT is(pg_temp.merge('tess', 2, 'alpha'), '23505',
  'threat: MERGE takes a row that may not be seen');
SELECT is(pg_temp.merge('vera', 1, 'alpha'), '42501', 'a reader merges nothing');
SELECT is(
  pg_temp.try('tess',
  'MERGE INTO t_model m USING (VALUES (1)) AS n (id) ON m.id = n.id WHEN MATCHED THEN DELETE'),
  '42501', 'an Editor deletes nothing by MERGE');
SELECT is(
  pg_temp.try('adam',
  'MERGE INTO t_model m USING (VALUES (1)) AS n (id) ON m.id = n.id WHEN MATCHED THEN DELETE'),
  '1 row', 'an Admin does');

-- Row locks
SELECT is(pg_temp.rows('tess', 'SELECT id FROM t_model ORDER BY id FOR UPDATE'), '{1}',
  'SELECT … FOR UPDATE locks what may be updated');
SELECT is(pg_temp.rows('vera', 'SELECT id FROM t_model ORDER BY id FOR UPDATE'), '{}',
  'and nothing that may only be read');
SELECT is(pg_temp.rows('vera', 'SELECT id FROM t_model ORDER BY id FOR SHARE'), '{}',
  'nor does FOR SHARE');
SELECT is(pg_temp.rows('vera', 'SELECT id FROM t_model ORDER BY id'), '{1,2,3}',
  'which a plain SELECT shows');
SELECT pg_temp.hold_in('gamma', '{models:update}') \g /dev/null
SELECT is(pg_temp.try('nora', 'UPDATE t_model SET name = ''x'' WHERE id = 3'), '0 rows',
  'what may be updated but not read is not found by its id');
SELECT pg_temp.hold_in('gamma', '{}') \g /dev/null

-- COPY
SET SESSION AUTHORIZATION t_tess;
\set file `mktemp`
COPY t_model (id, name) TO STDOUT \g :file
\set copied_tess `cat :file`
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION t_vera;
COPY (SELECT name FROM t_model ORDER BY id) TO STDOUT \g :file
\set copied_vera `tr '\n' ',' < :file`
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION t_ghost;
COPY t_model TO STDOUT \g :file
\set copied_ghost `cat :file; rm :file`
RESET SESSION AUTHORIZATION;
SELECT is(:'copied_tess'::text, E'1\tin alpha', 'COPY TO copies what may be read');
SELECT is(:'copied_vera'::text, 'in alpha,in beta,in gamma,', 'COPY of a query, too');
SELECT is(:'copied_ghost'::text, '', 'and nothing with nobody identified');

-- Ways around
SELECT is(pg_temp.rows('tess', 'SELECT count(*), min(secret), max(secret) FROM t_model'),
  '{1|s1|s1}', 'threat: aggregates over rows that may not be read');
SELECT is(pg_temp.rows('tess', 'SELECT a.id FROM t_model a FULL JOIN t_model b USING (id)'), '{1}',
  'threat: joins');
SELECT is(
  pg_temp.rows('tess',
  'SELECT id FROM t_model WHERE id = ANY (ARRAY(SELECT id FROM t_model)) OR EXISTS (SELECT FROM '
  't_model WHERE id = 2)'), '{1}', 'threat: subqueries');
SELECT is(
  pg_temp.rows('tess',
  'WITH RECURSIVE r AS (SELECT id FROM t_model UNION SELECT r.id + 1 FROM r WHERE r.id < 5) SELECT '
  'r.id FROM r JOIN t_model USING (id)'), '{1}', 'threat: recursion');
CREATE FUNCTION pg_temp.peek(text) RETURNS boolean
  LANGUAGE plpgsql COST 0.000001 AS $$ BEGIN IF $1 <> 's1' THEN RAISE EXCEPTION
    USING ERRCODE = 'LEAK0', MESSAGE = $1; END IF; RETURN true; END $$;
SELECT is(pg_temp.rows('tess', 'SELECT id FROM t_model WHERE pg_temp.peek(secret)'), '{1}',
  'threat: a cheap function in WHERE that tells what it is given');
SELECT is(pg_temp.rows('tess', 'SELECT id FROM t_model WHERE 1 / (id - 2) <> 5'), '{1}',
  'threat: an error made by a hidden row');
SELECT is(pg_temp.try('tess', 'TRUNCATE t_model'), '42501', 'threat: TRUNCATE');
SELECT is(pg_temp.try('tess', 'SELECT seeme_unprotect(''t_model'')'), '42501',
  'threat: lifting the protection');
SELECT is(pg_temp.try('tess', 'ALTER TABLE t_model DISABLE ROW LEVEL SECURITY'), '42501',
  'threat: disabling row security');
SELECT isnt(pg_temp.try('tess', 'SET LOCAL row_security = off; SELECT * FROM t_model'), '5 rows',
  'threat: row_security = off');
SELECT is((SELECT relrowsecurity AND relforcerowsecurity FROM pg_class
  WHERE oid = 't_model'::regclass), true, 'row security is on, and forced upon the table''s owner');
CREATE ROLE t_owner NOLOGIN IN ROLE t_app;
GRANT t_owner TO t_ghost, t_tess;
ALTER TABLE t_model OWNER TO t_owner;
SELECT is(pg_temp.rows('ghost', 'SET LOCAL ROLE t_owner', 'SELECT id FROM t_model'), '{}',
  'threat: the table''s owner, with nobody identified');
SELECT is(pg_temp.rows('tess', 'SET LOCAL ROLE t_owner', 'SELECT id FROM t_model'), '{1}',
  'who sees what the asking person may');

-- The listing
SELECT columns_are('public', 't_model_listing', '{id,name}'::name[],
  'a listing shows the listing columns alone');
SELECT is(pg_temp.rows('vera', 'SELECT id, name FROM t_model_listing ORDER BY id'),
  '{1|in alpha,2|in beta,3|in gamma}', 'of the rows on which list is held');
SELECT is(pg_temp.rows('tess', 'SELECT id FROM t_model_listing'), '{1}', 'by whoever asks');
SELECT is(pg_temp.rows('stan', 'SELECT id FROM t_model_listing')
  || pg_temp.rows('ghost', 'SELECT id FROM t_model_listing'), '{}', 'and by nobody else');
SELECT pg_temp.hold_in('gamma', '{models:list}') \g /dev/null
SELECT is(pg_temp.rows('nora', 'SELECT id, name FROM t_model_listing'), '{3|in gamma}',
  'with list alone a row is listed');
SELECT is(pg_temp.rows('nora', 'SELECT id, name FROM t_model'), '{}', 'but not read');
SELECT pg_temp.hold_in('gamma', '{models:read}') \g /dev/null
SELECT is(pg_temp.rows('nora', 'SELECT id FROM t_model'), '{3}', 'with read alone a row is read');
SELECT is(pg_temp.rows('nora', 'SELECT id FROM t_model_listing'), '{}', 'but not listed');
SELECT pg_temp.hold_in('gamma', '{}') \g /dev/null
SELECT is(pg_temp.rows('nora', 'SELECT id FROM t_model_listing'), '{}',
  'and neither once it is taken away');

-- The application's own foreign keys do what they promise, whatever the person may do with the rows
-- that they reach
CREATE TABLE t_report (id integer, project_id uuid REFERENCES seeme.projects ON DELETE SET NULL);
CREATE TABLE t_parent (id uuid PRIMARY KEY, project_id uuid);
CREATE TABLE t_child (id integer, project_id uuid,
  parent_id uuid REFERENCES t_parent ON DELETE CASCADE);
GRANT SELECT, INSERT, UPDATE, DELETE ON t_report, t_parent, t_child TO t_app;
INSERT INTO t_report VALUES (1, :beta);
INSERT INTO t_parent VALUES (:edith, :beta);
INSERT INTO t_child VALUES (1, :beta, :edith), (2, :delta, :edith);
SELECT seeme_protect('t_report', 'inferences', project_column => 'project_id') \g /dev/null
SELECT seeme_protect('t_parent', 'datasets', project_column => 'project_id') \g /dev/null
SELECT seeme_protect('t_child', 'annotations', project_column => 'project_id') \g /dev/null
SELECT pg_temp.hold('{projects:read,projects:delete,datasets:read,datasets:delete}') \g /dev/null
SELECT pg_temp.become('nora') \g /dev/null
DELETE FROM t_parent;
SELECT pg_temp.become(NULL) \g /dev/null
SELECT is((SELECT count(*) FROM t_child), 0::bigint,
  'a row that goes takes its children along by ON DELETE CASCADE, hidden ones too');
DELETE FROM t_model WHERE project_id = :beta;
SELECT pg_temp.become('nora') \g /dev/null
DELETE FROM seeme.projects WHERE id = :beta;
SELECT pg_temp.become(NULL) \g /dev/null
SELECT is((SELECT count(*) FROM t_report WHERE project_id IS NULL), 1::bigint,
  'a project that goes leaves the row that referred to it ON DELETE SET NULL');
SELECT pg_temp.hold('{}') \g /dev/null
INSERT INTO seeme.projects (id, organization_id, team_id, name, slug)
  VALUES (:beta, :acme, :sales, 'Beta', 'beta');

-- Partitions
CREATE TABLE t_run (id integer, kind text, project_id uuid) PARTITION BY LIST (kind);
CREATE TABLE t_run_a PARTITION OF t_run FOR VALUES IN ('a') PARTITION BY RANGE (id);
CREATE TABLE t_run_a1 PARTITION OF t_run_a FOR VALUES FROM (0) TO (100);
CREATE TABLE t_run_b PARTITION OF t_run FOR VALUES IN ('b');
CREATE INDEX ON t_run (project_id);
INSERT INTO t_run VALUES (1, 'a', :alpha), (2, 'b', :alpha), (3, 'a', :beta), (4, 'b', :beta),
  (5, 'a', :delta);
GRANT SELECT, INSERT, UPDATE, DELETE ON t_run, t_run_a, t_run_a1, t_run_b TO t_app;
SELECT seeme_protect('t_run', 'jobs', project_column => 'project_id') \g /dev/null
SELECT is(pg_temp.rows('tess', 'SELECT id FROM t_run ORDER BY id'), '{1,2}',
  'a partitioned table shows what may be read');
SELECT is(pg_temp.rows('vera', 'SELECT id FROM t_run ORDER BY id'), '{1,2,3,4}',
  'in all its partitions');
SELECT is(pg_temp.try('tess', 'INSERT INTO t_run VALUES (6, ''b'', {alpha})'), '1 row',
  'rows go where one may create');
SELECT is(pg_temp.try('tess', 'INSERT INTO t_run VALUES (6, ''b'', {beta})'), '42501',
  'and nowhere else');
SELECT is(pg_temp.rows('tess', 'UPDATE t_run SET kind = ''b'' WHERE id = 1 RETURNING kind'), '{b}',
  'a row may move between partitions');
SELECT is_empty(
  format($$SELECT p, n FROM unnest(ARRAY['tess','vera','gina','ghost']) AS p,
    unnest(pg_temp.rows(p, 'SELECT id FROM %s')) AS n
    WHERE n ~ '^[0-9]$' AND n <> ALL (pg_temp.rows(p, 'SELECT id FROM t_run'))$$, part),
    'threat: reading a partition directly: ' || part)
  FROM unnest(ARRAY['t_run_a','t_run_a1','t_run_b']) AS part;
SELECT is_empty(
  format($$SELECT p FROM unnest(ARRAY['tess','vera','gina','ghost']) AS p
    WHERE pg_temp.try(p, 'INSERT INTO %s VALUES (7, ''%s'', {beta})') LIKE '%%row%%'$$, part, kind),
    'threat: writing to a partition directly: ' || part)
  FROM (VALUES ('t_run_a', 'a'), ('t_run_a1', 'a'), ('t_run_b', 'b')) AS v (part, kind);
SELECT is_empty($$SELECT p FROM unnest(ARRAY['tess','vera','gina','ghost']) AS p
    WHERE pg_temp.try(p, 'UPDATE t_run_b SET id = 9 WHERE project_id = {beta}') NOT IN
    ('0 rows', '42501') OR pg_temp.try(p, 'DELETE FROM t_run_a1 WHERE project_id = {beta}') NOT IN
    ('0 rows', '42501')$$,
  'threat: changing a partition directly');
CREATE TABLE t_run_c PARTITION OF t_run FOR VALUES IN ('c');
GRANT SELECT ON t_run_c TO t_app;
INSERT INTO t_run SELECT 70, 'c', project_id FROM t_run LIMIT 1;
SELECT is((SELECT count(*) FROM t_run_c)::text
  || (SELECT string_agg(DISTINCT pg_temp.rows(p, 'SELECT count(*) FROM t_run_c')::text, ' ')
  FROM unnest(ARRAY['olga','adam','gina','ghost']) AS p), '1{0}',
  'threat: a partition that was added after the table was protected');
DELETE FROM t_run WHERE kind = 'c';
SELECT seeme_unprotect('t_run') \g /dev/null
SELECT is(pg_temp.rows('gina', 'SELECT count(*) FROM t_run')
  || pg_temp.rows('gina', 'SELECT count(*) FROM t_run_a')
  || pg_temp.rows('gina', 'SELECT count(*) FROM t_run_b'), '{5,3,2}',
  'unprotected, the partitions are as they were');

SELECT * FROM finish();
ROLLBACK;
