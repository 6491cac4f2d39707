\i test/include/prelude.psql
-- Some projects have many rows and most have few. The planner estimates a person's part of the rows
-- as it does with the ids spelled out.
BEGIN;
\i test/include/people.psql
SELECT plan(9);

-- 500 projects. P1 has 40 % of 50,000 rows, P2 to P500 have 60 each. Paul sees P1 and nine small
-- projects, Ann 200 small ones, Tess P2.
INSERT INTO seeme.projects (id, organization_id, name, slug)
SELECT md5('project' || n)::uuid, :acme, 'P' || n, 'p-' || n FROM generate_series(1, 500) AS n;
INSERT INTO seeme.memberships (organization_id, project_id, user_id, role_id)
SELECT :acme, md5('project' || n)::uuid, person.id, pg_temp.builtin('Viewer')
  FROM (VALUES (:paul::uuid, 1, 10), (:ann, 101, 300), (:tess, 2, 2)) AS person (id, first, last),
       generate_series(person.first, person.last) AS n;
CREATE TABLE t_skew (id integer PRIMARY KEY, project_id uuid NOT NULL, amount numeric NOT NULL,
                     filler text NOT NULL);
INSERT INTO t_skew
SELECT n, md5('project' || CASE WHEN n % 5 < 2 THEN 1 ELSE 2 + n % 499 END)::uuid, n % 199,
       repeat('x', 200)
  FROM generate_series(1, 50000) AS n;
CREATE INDEX ON t_skew (project_id);
CREATE TABLE t_bare (LIKE t_skew INCLUDING ALL);
INSERT INTO t_bare SELECT * FROM t_skew;
CREATE TABLE t_child (id integer PRIMARY KEY, skew_id integer NOT NULL REFERENCES t_skew);
INSERT INTO t_child SELECT n, n FROM generate_series(1, 50000) AS n;
CREATE INDEX ON t_child (skew_id);
ANALYZE t_skew, t_bare, t_child;
SELECT seeme_protect('t_skew', 'models', project_column => 'project_id') \g /dev/null
SELECT seeme_protect('t_child', 'models', parent_column => 'skew_id') \g /dev/null
GRANT SELECT ON t_skew, t_bare, t_child TO t_app;

CREATE FUNCTION pg_temp.ids(first int, last int) RETURNS text LANGUAGE sql AS $$
  SELECT format('project_id = ANY (%L::uuid[])', array_agg(md5('project' || n)::uuid))
    FROM generate_series(first, last) AS n $$;
-- The estimated rows of a plan's topmost node, and its nodes
CREATE FUNCTION pg_temp.plan_of(who text, statement text, OUT rows numeric, OUT nodes text)
LANGUAGE plpgsql AS $$
DECLARE
  plan jsonb;
BEGIN
  PERFORM pg_temp.become(who);
  EXECUTE 'EXPLAIN (FORMAT json) ' || statement INTO plan;
  PERFORM pg_temp.become(NULL);
  rows := plan -> 0 -> 'Plan' -> 'Plan Rows';
  SELECT string_agg(node #>> '{}', ', ' ORDER BY place) INTO nodes
    FROM jsonb_path_query(plan, '$.**."Node Type"') WITH ORDINALITY AS n (node, place);
END $$;
CREATE FUNCTION pg_temp.ratio(who text, condition text) RETURNS numeric LANGUAGE sql AS $$
  SELECT a.rows / b.rows FROM pg_temp.plan_of(who, 'SELECT * FROM t_skew') AS a,
    pg_temp.plan_of(who, 'SELECT * FROM t_bare WHERE ' || condition) AS b $$;

SELECT cmp_ok(abs(ln(pg_temp.ratio('paul', pg_temp.ids(1, 10)))), '<', 0.1,
  'ten projects with 41 % of the rows: as many rows as with the ids spelled out');
SELECT cmp_ok(abs(ln(pg_temp.ratio('ann', pg_temp.ids(101, 300)))), '<', 0.5,
  '200 projects with 24 % of the rows, too');
SELECT cmp_ok(abs(ln(pg_temp.ratio('tess', pg_temp.ids(2, 2)))), '<', 1.5,
  'and a project with 0.1 %');
SELECT cmp_ok((SELECT rows FROM pg_temp.plan_of('paul', 'SELECT * FROM t_child')),
  '>', 15000::numeric, 'children: 41 % of them');

-- Another person in the same session, and other rights, have other estimates.
SELECT rows AS before FROM pg_temp.plan_of('paul', 'SELECT * FROM t_skew') \gset
DELETE FROM seeme.memberships
 WHERE user_id = :paul AND project_id = md5('project1')::uuid;
SELECT cmp_ok((SELECT rows FROM pg_temp.plan_of('paul', 'SELECT * FROM t_skew')), '<',
  (:before / 10)::numeric, 'without the large project: few rows');
SELECT is((SELECT rows FROM pg_temp.plan_of('stan', 'SELECT * FROM t_skew')) < 100, true,
  'a person without memberships: few rows');


-- An UPDATE has two calls about one column. Whoever may update may read, as a rule.
GRANT UPDATE ON t_skew TO t_app;
INSERT INTO seeme.memberships (organization_id, project_id, user_id, role_id)
VALUES (:acme, md5('project1')::uuid, :paul, pg_temp.builtin('Editor'));
CREATE FUNCTION pg_temp.found(who text, statement text) RETURNS numeric LANGUAGE plpgsql AS $$
DECLARE
  plan jsonb;
BEGIN
  PERFORM pg_temp.become(who);
  EXECUTE 'EXPLAIN (FORMAT json) ' || statement INTO plan;
  PERFORM pg_temp.become(NULL);
  RETURN jsonb_path_query_first(plan, '$[0].Plan.Plans[0]."Plan Rows"');
END $$;
SELECT cmp_ok(pg_temp.found('paul', 'UPDATE t_skew SET amount = 1'), '>', 15000::numeric,
  'UPDATE: the part of the rows is counted once');

-- Few organizations, and a person who is in none of them.
CREATE TABLE t_two (id integer PRIMARY KEY, project_id uuid, organization_id uuid,
                    owner_id uuid, filler text NOT NULL);
INSERT INTO t_two
SELECT n, md5('project' || 1 + n % 500)::uuid, CASE n % 2 WHEN 0 THEN :acme ELSE :globex END::uuid,
       NULL, repeat('x', 200)
  FROM generate_series(1, 50000) AS n;
UPDATE t_two SET owner_id = md5('person' || id)::uuid WHERE id % 3 = 0;
CREATE INDEX ON t_two (project_id);
CREATE INDEX ON t_two (organization_id);
CREATE INDEX ON t_two (owner_id);
ANALYZE t_two;
SELECT seeme_protect('t_two', 'models', project_column => 'project_id',
  organization_column => 'organization_id', owner_column => 'owner_id') \g /dev/null
GRANT SELECT ON t_two TO t_app;
SELECT cmp_ok(rows, '<', 100::numeric, 'nobody''s rows, of two organizations: few are estimated')
  FROM pg_temp.plan_of('stan', 'SELECT * FROM t_two');
SELECT matches(nodes, 'BitmapOr', 'and a page of them is found by the indexes')
  FROM pg_temp.plan_of('stan', 'SELECT * FROM t_two ORDER BY id LIMIT 50');

SELECT * FROM finish();
ROLLBACK;
