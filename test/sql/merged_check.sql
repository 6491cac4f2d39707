\i test/include/prelude.psql
-- Two permissions asked for by one call (src/planner/merged_check.c): that it is made where two
-- policies ask about the same place, and nowhere else; and that it always says what the two calls
-- say.
BEGIN;
\i test/include/people.psql
\i test/include/asking.psql
SELECT plan(60);
SET LOCAL jit = off;

-- 100 projects in Acme besides, so that the ids are gathered; nora holds read in some, update in
-- some, both in some
INSERT INTO seeme.projects (id, organization_id, name, slug)
  SELECT ('d1000000-0000-4000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, :acme, 'P' || n,
    'p-' || n FROM generate_series(1, 100) AS n;
INSERT INTO seeme.roles (id, organization_id, name, permissions) VALUES
  ('e1000000-0000-4000-8000-000000000001', :acme, 'Reads', '{models:read}'),
  ('e1000000-0000-4000-8000-000000000002', :acme, 'Updates', '{models:update}'),
  ('e1000000-0000-4000-8000-000000000003', :acme, 'Both', '{models:read,models:update}');
INSERT INTO seeme.memberships (organization_id, project_id, user_id, role_id)
  SELECT :acme, id, :nora, ('e1000000-0000-4000-8000-00000000000'
    || substr(slug, 3)::integer % 4)::uuid FROM seeme.projects WHERE slug LIKE 'p-%'
    AND substr(slug, 3)::integer % 4 > 0;
CREATE TABLE b_doc (id integer PRIMARY KEY, project_id uuid, other_id uuid, note text);
INSERT INTO b_doc SELECT substr(slug, 3)::integer, id,
  :alpha FROM seeme.projects WHERE slug LIKE 'p-%';
INSERT INTO b_doc VALUES (101, :alpha, :alpha), (102, :delta, :delta), (103, NULL, NULL),
  (104, :nobody_known, :nobody_known);
INSERT INTO b_doc SELECT 1000 + 100 * n + k, project_id, other_id FROM b_doc,
  generate_series(1, 3) AS n, generate_series(0, 0) AS k WHERE id = 3;
CREATE INDEX ON b_doc (project_id);
CREATE TABLE b_part (id integer, project_id uuid, note text) PARTITION BY LIST (id);
CREATE TABLE b_part_1 PARTITION OF b_part FOR VALUES IN (1);
CREATE TABLE b_part_2 (note text, project_id uuid, id integer);
ALTER TABLE b_part ATTACH PARTITION b_part_2 FOR VALUES IN (2);
ALTER TABLE b_part ADD PRIMARY KEY (id);
INSERT INTO b_part VALUES (1, pg_temp.id('alpha'), 'a'), (2, pg_temp.id('alpha'), 'b');
CREATE TABLE b_several (id integer PRIMARY KEY, project_id uuid, team_id uuid, note text);
SELECT seeme_protect(t, 'models', project_column => 'project_id')
  FROM unnest(ARRAY['b_doc', 'b_part']::regclass[]) AS t \g /dev/null
SELECT seeme_protect('b_several', 'models', project_column => 'project_id',
  team_column => 'team_id') \g /dev/null
GRANT SELECT, INSERT, UPDATE, DELETE ON b_doc, b_part, b_several TO t_app;
INSERT INTO thing SELECT slug, id FROM seeme.projects WHERE slug LIKE 'p-%';
ANALYZE b_doc; ANALYZE b_part;

-- What asks, in the order of a plan's filters: 'both' or 'each'
CREATE FUNCTION pg_temp.asks(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  line text;
  found text[] := '{}';
BEGIN
  FOR line IN EXECUTE 'EXPLAIN (COSTS OFF, VERBOSE) ' || pg_temp.fill(statement) LOOP
    IF line ~ 'has_both_permissions\(' THEN found := found || 'both'::text; END IF;
    IF line ~ 'seeme_has_permission\(' THEN found := found || 'each'::text; END IF;
  END LOOP;
  RETURN array_to_string(found, ' ');
END $$;

SELECT pg_temp.become('nora') \g /dev/null
SELECT is(pg_temp.asks('UPDATE b_doc SET note = NULL WHERE id = 1'), 'both',
  'an UPDATE of one row');
SELECT is(pg_temp.asks('DELETE FROM b_doc WHERE id = 1'), 'both', 'a DELETE');
SELECT is(pg_temp.asks('SELECT FROM b_doc WHERE id = 1 FOR UPDATE'), 'both', 'a SELECT FOR UPDATE');
SELECT is(pg_temp.asks('SELECT FROM b_doc WHERE id = 1'), 'each',
  'not a SELECT, which goes by one policy');
SELECT is(pg_temp.asks('UPDATE b_doc SET note = NULL WHERE project_id = {p-3}'), 'both',
  'an UPDATE of the rows of one project');
SELECT is(pg_temp.asks('UPDATE b_part SET note = NULL WHERE id = 2 AND note <> ''x'''), 'both',
  'a row of a partition');
SELECT is(pg_temp.asks('UPDATE b_part SET note = NULL WHERE id IN (1, 2)'), 'each each',
  'not where an index might do what one of them asks');
SELECT is(pg_temp.asks('UPDATE b_several SET note = NULL WHERE id = 1'), 'each',
  'nor where there are several scopes');
SELECT is(
  pg_temp.asks(
  'UPDATE b_doc SET note = NULL WHERE id = 1 AND seeme_has_permission(''models:delete'', project '
  '=> other_id)'), 'both each', 'what a query asks by itself stays as it is');
SELECT pg_temp.become(NULL) \g /dev/null

-- What it says is what two calls say: for every pair of codes, by each person, in each place; all
-- of it constant, some of it, or nothing
CREATE TEMP TABLE code AS SELECT unnest(
  ARRAY['models:read', 'models:update', 'datasets:read', 'models:*', '*:read']) AS name;
CREATE TEMP TABLE place AS SELECT DISTINCT project_id AS id FROM b_doc;
GRANT SELECT ON code, place TO PUBLIC;
CREATE FUNCTION pg_temp.differ(person text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  n bigint := 0;
  found bigint;
  a text;
  b text;
BEGIN
  PERFORM pg_temp.become(person);
  SELECT count(*) INTO n FROM pg_temp.code AS x, pg_temp.code AS y, pg_temp.place AS p
   WHERE seeme.has_both_permissions(x.name, y.name, NULL, NULL, p.id, NULL, NULL) IS DISTINCT FROM
         (seeme_user_has_permission(seeme_user_id(), x.name, project => p.id)
         AND seeme_user_has_permission(seeme_user_id(), y.name, project => p.id));
  FOR a, b IN SELECT x.name, y.name FROM pg_temp.code AS x, pg_temp.code AS y LOOP
    EXECUTE format('SELECT count(*) FROM pg_temp.place AS p
                     WHERE seeme.has_both_permissions(%1$L, %2$L, NULL, NULL, p.id, NULL, NULL) IS DISTINCT FROM
                           (seeme_user_has_permission(seeme_user_id(), %1$L, project => p.id)
                             AND seeme_user_has_permission(seeme_user_id(), %2$L, project => p.id))', a, b) INTO found;
    n := n + found;
    EXECUTE format('SELECT count(*) FROM pg_temp.code AS y, pg_temp.place AS p
                     WHERE seeme.has_both_permissions(%1$L, y.name, NULL, NULL, p.id, NULL, NULL)
                       IS DISTINCT FROM
                           (seeme_user_has_permission(seeme_user_id(), %1$L, project => p.id)
                             AND seeme_user_has_permission(seeme_user_id(), y.name, project => p.id))', a) INTO found;
    n := n + found;
  END LOOP;
  PERFORM pg_temp.become(NULL);
  RETURN n;
END $$;
SELECT is(pg_temp.differ(p), 0::bigint, 'for ' || p)
  FROM unnest(ARRAY['nora', 'adam', 'oscar', 'dora', 'vera', 'tess', 'edith']) AS p;
SELECT is(
  pg_temp.rows('nora', $$SELECT count(*) FROM b_doc WHERE id <= 100
    AND seeme.has_both_permissions('models:read', 'models:update', NULL, NULL, project_id, NULL, NULL)$$),
    '{25}', 'where both are held, and only there');
SELECT is(
  pg_temp.rows('ghost',
  $$SELECT seeme.has_both_permissions('models:read', 'models:read', NULL, NULL, {alpha}, NULL, NULL)$$),
  '{false}', 'nobody holds anything');
SELECT is(
  pg_temp.rows('adam',
  $$SELECT seeme.has_both_permissions('models:read', 'models:read', NULL, NULL, NULL, NULL, NULL)$$), '{false}',
  'nowhere is nowhere');
SELECT is(
  pg_temp.rows('adam',
  $$SELECT seeme.has_both_permissions('models:read', 'models:update', NULL, {research}, NULL, NULL, NULL)$$),
  '{true}', 'in a team');
SELECT is(
  pg_temp.rows('adam',
  $$SELECT seeme.has_both_permissions('models:read', 'models:update', {acme}, NULL, NULL, NULL, NULL)$$),
  '{true}', 'in an organization');
SELECT is(
  pg_temp.complaint('adam',
  $$SELECT seeme.has_both_permissions('models:raed', 'models:update', NULL, NULL, {alpha}, NULL, NULL)$$),
  pg_temp.complaint('adam', $$SELECT seeme_has_permission('models:raed', project => {alpha})$$),
  'a code that is not registered is the same error');
SELECT is(
  pg_temp.complaint('adam',
  $$SELECT seeme.has_both_permissions('models:read', 'models:udpate', NULL, NULL, {alpha}, NULL, NULL)$$),
  pg_temp.complaint('adam', $$SELECT seeme_has_permission('models:udpate', project => {alpha})$$),
  'so is the other');
SELECT is(
  pg_temp.complaint('adam',
  $$SELECT seeme.has_both_permissions('models:read', NULL, NULL, NULL, {alpha}, NULL, NULL)$$),
  pg_temp.complaint('adam', $$SELECT seeme_has_permission(NULL, project => {alpha})$$), 'and none');
SELECT is(
  pg_temp.complaint('adam',
  $$SELECT seeme.has_both_permissions('models:read', 'models:update', {acme}, NULL, {alpha}, NULL, NULL)$$),
  pg_temp.complaint('adam', $$SELECT seeme_has_permission('models:read', {acme}, NULL, {alpha})$$),
  'and two scopes');

-- Rows are those of the policies
SELECT is(pg_temp.rows('nora', $$UPDATE b_doc SET note = 'x' WHERE id = 3 RETURNING id$$), '{3}',
  'who holds both');
SELECT is(pg_temp.try('nora', $$UPDATE b_doc SET note = 'x' WHERE id = 1$$), '0 rows',
  'threat: who may read a row, and not change it');
SELECT is(pg_temp.try('nora', $$UPDATE b_doc SET note = 'x' WHERE id = 2$$), '0 rows',
  'threat: who may change it, and not read it');
SELECT is(pg_temp.try('nora', $$UPDATE b_doc SET note = 'x' WHERE id = 4$$), '0 rows',
  'threat: who may do neither');
SELECT is(pg_temp.try('nora', $$UPDATE b_doc SET note = 'x' WHERE id IN (101, 102, 103, 104)$$),
  '0 rows', 'threat: rows of others, of no project, of one that does not exist');
SELECT is(pg_temp.try('nora', $$UPDATE b_doc SET project_id = {p-7} WHERE id = 3$$), '1 row',
  'moving a row to where both are held');
SELECT is(pg_temp.try('nora', $$UPDATE b_doc SET project_id = {p-1} WHERE id = 3$$), '42501',
  'threat: to where it may be read, and not changed');
SELECT is(pg_temp.try('nora', $$UPDATE b_doc SET project_id = {p-2} WHERE id = 3$$), '42501',
  'threat: to where it may be changed, and not read');
SELECT is(pg_temp.try('nora', $$UPDATE b_doc SET project_id = NULL WHERE id = 3$$), '42501',
  'threat: to nowhere');
SELECT is(pg_temp.try('nora', $$UPDATE b_doc SET note = 'x' WHERE project_id = {p-3}$$), '4 rows',
  'all rows of a project');
SELECT is(pg_temp.try('nora', $$UPDATE b_doc SET note = 'x' WHERE project_id = {p-1}$$), '0 rows',
  'threat: of one where they may be read alone');
SELECT is(pg_temp.try('nora', $$DELETE FROM b_doc WHERE id = 3$$), '0 rows',
  'a right that is neither of the two');
SELECT is(pg_temp.rows('adam', $$UPDATE b_part SET note = 'x' WHERE id = 2 RETURNING note$$), '{x}',
  'rows of partitions, with columns in another order');
SELECT is(pg_temp.try('adam', $$UPDATE b_part SET project_id = {delta} WHERE id = 2$$), '42501',
  'threat: moving one out of its organization');
SELECT is(pg_temp.try('vera', $$UPDATE b_part SET note = 'x' WHERE id = 2$$), '0 rows',
  'threat: changing one that may be read alone');

-- Policies that are not about the same place, or not these
CREATE FUNCTION pg_temp.plan_for_nora(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE found text;
BEGIN
  PERFORM pg_temp.become('nora');
  found := pg_temp.asks(statement);
  PERFORM pg_temp.become(NULL);
  RETURN found;
END $$;
ALTER POLICY seeme_update ON b_doc USING (
  seeme_has_permission('models:update', NULL, NULL, other_id, NULL, NULL));
SELECT is(pg_temp.plan_for_nora('UPDATE b_doc SET note = NULL WHERE id = 3'), 'each',
  'a policy that asks about another column');
SELECT is(pg_temp.try('nora', $$UPDATE b_doc SET note = 'x' WHERE id = 3$$), '0 rows',
  'threat: what is held by the one column is not by the other');
ALTER POLICY seeme_update ON b_doc USING (
  seeme_has_permission('models:update', project_id, NULL, NULL, NULL, NULL));
SELECT is(pg_temp.plan_for_nora('UPDATE b_doc SET note = NULL WHERE id = 3'), 'each',
  'a policy that asks about another kind of scope');
ALTER POLICY seeme_update ON b_doc USING (
  seeme_has_permission('models:update', NULL, NULL, project_id, NULL, NULL) AND note IS NULL);
SELECT is(pg_temp.plan_for_nora('UPDATE b_doc SET note = NULL WHERE id = 3'), 'both',
  'a policy that asks for more');
SELECT is(pg_temp.try('nora', $$UPDATE b_doc SET note = 'x' WHERE id = 3$$), '42501',
  'which it gets');
ALTER POLICY seeme_update ON b_doc USING (
  seeme_has_permission('models:update', NULL, NULL, project_id, NULL, NULL));
CREATE POLICY strict ON b_doc AS RESTRICTIVE FOR UPDATE USING (id <> 3);
SELECT is(pg_temp.try('nora', $$UPDATE b_doc SET note = 'x' WHERE id = 3$$) || ', '
  || pg_temp.try('nora', $$UPDATE b_doc SET note = 'x' WHERE id = 7$$), '0 rows, 1 row',
  'a restrictive policy beside');
DROP POLICY strict ON b_doc;

-- A query's own call may raise an error, by which it would tell of rows that policies hide: so it
-- never comes before one. The two commands are about a row that nora may not see, and one that does
-- not exist.
CREATE FUNCTION pg_temp.of_hidden_and_missing(statement text) RETURNS text LANGUAGE sql AS $$
  SELECT pg_temp.try('nora', format(statement, '102')) || ', '
    || pg_temp.try('nora', format(statement, '99999'))
$$;
SELECT is(pg_temp.of_hidden_and_missing(
  $$SELECT FROM b_doc WHERE id = %s AND seeme_has_permission(
    'bogus:code', NULL, NULL, project_id, NULL, NULL) FOR UPDATE$$),
  '0 rows, 0 rows', 'threat: a row that is hidden is found by a code that is not registered');
SELECT is(pg_temp.of_hidden_and_missing(
  $$SELECT random() FROM (SELECT * FROM b_doc UNION ALL SELECT * FROM b_doc) AS d WHERE id = %s
    AND seeme_has_permission('bogus:code', NULL, NULL, project_id, NULL, NULL)$$),
  '0 rows, 0 rows',
  'threat: by a UNION ALL, in which the query''s conditions stand before the policy''s');
SELECT is(pg_temp.of_hidden_and_missing(
  $$SELECT random() FROM (SELECT * FROM b_doc UNION ALL SELECT * FROM b_doc) AS d
    WHERE project_id = {delta} AND id = %s AND
    seeme_has_permission('bogus:code', NULL, NULL, project_id, NULL, NULL)$$),
  '0 rows, 0 rows', 'threat: where the query names the project');
CREATE POLICY mine ON b_doc FOR SELECT USING (note = 'public');
SELECT is(
  pg_temp.try('nora', $$SELECT FROM b_doc WHERE id = 2
    AND seeme_has_permission('bogus:code', NULL, NULL, project_id, NULL, NULL) FOR UPDATE$$),
    '0 rows',
  'threat: a row that one may change and not read, beside a policy of the application''s');
DROP POLICY mine ON b_doc;
CREATE POLICY hide ON b_doc AS RESTRICTIVE FOR SELECT USING (id <> 3);
SELECT is(
  pg_temp.try('nora', $$SELECT FROM b_doc WHERE id = 3
    AND seeme_has_permission('bogus:code', NULL, NULL, project_id, NULL, NULL) FOR UPDATE$$),
    '0 rows',
  'threat: one that a restrictive policy hides');
SELECT is(pg_temp.plan_for_nora('UPDATE b_doc SET note = NULL WHERE id = 3'), 'both',
  'two policies are asked at once with a third beside them');
DROP POLICY hide ON b_doc;
CREATE TABLE b_free AS SELECT * FROM b_doc;
ALTER TABLE b_free ADD PRIMARY KEY (id);
GRANT SELECT, UPDATE ON b_free TO t_app;
SELECT is(pg_temp.plan_for_nora(
  $$SELECT FROM b_free WHERE id = 3 AND seeme_has_permission(
    'models:read', NULL, NULL, project_id, NULL, NULL)
    AND seeme_has_permission('models:update', NULL, NULL, project_id, NULL, NULL) FOR SHARE$$),
  'each', 'a table without policies, whose plan outlives the role');
CREATE VIEW b_barrier WITH (security_barrier) AS
  SELECT * FROM b_free WHERE seeme_has_permission('models:read', NULL, NULL, project_id, NULL, NULL)
    AND seeme_has_permission('models:update', NULL, NULL, project_id, NULL, NULL);
GRANT SELECT, UPDATE ON b_barrier TO t_app;
SELECT is(pg_temp.plan_for_nora('UPDATE b_barrier SET note = NULL WHERE id = 3'), 'each',
  'and a view of it with a barrier');

-- Who may not call the function, and one that is not ours: the policies' own calls are made
SET LOCAL plan_cache_mode = force_generic_plan;
CREATE FUNCTION pg_temp.prepared(person text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE outcome text;
BEGIN
  PERFORM pg_temp.become(person);
  BEGIN
    EXECUTE 'EXECUTE b_update(3)' INTO outcome;
  EXCEPTION WHEN OTHERS THEN outcome := SQLSTATE;
  END;
  PERFORM pg_temp.become(NULL);
  RETURN outcome;
END $$;
SELECT pg_temp.become('nora') \g /dev/null
PREPARE b_update (integer) AS UPDATE b_doc SET note = NULL WHERE id = $1 RETURNING id;
SELECT pg_temp.become(NULL) \g /dev/null
SELECT is(pg_temp.prepared('nora'), '3', 'a prepared statement');
REVOKE EXECUTE ON FUNCTION seeme.has_both_permissions FROM t_app;
SELECT is(pg_temp.prepared('nora'), '3',
  'who may no longer call the function changes the row as before');
SELECT is(pg_temp.plan_for_nora('UPDATE b_doc SET note = NULL WHERE id = 3'), 'each',
  'by two calls');
GRANT EXECUTE ON FUNCTION seeme.has_both_permissions TO t_app;
SELECT is(pg_temp.prepared('nora'), '3', 'and who may again');
CREATE OR REPLACE FUNCTION seeme.has_both_permissions(
  permission text, other text, organization uuid, team uuid, project uuid, resource uuid,
  resource_type text) RETURNS boolean LANGUAGE sql STABLE AS 'SELECT true';
SELECT is(pg_temp.plan_for_nora('UPDATE b_doc SET note = NULL WHERE id = 1'), 'each',
  'threat: a function of that name that is another');
SELECT is(pg_temp.try('nora', $$UPDATE b_doc SET note = 'x' WHERE id = 1$$), '0 rows',
  'threat: whatever it says');

SELECT * FROM finish();
ROLLBACK;
