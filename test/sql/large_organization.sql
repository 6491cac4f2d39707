\i test/include/prelude.psql
-- A person who may see few projects of an organization with thousands: their list is read by their
-- memberships, and an index finds their rows.
BEGIN;
\i test/include/people.psql
SELECT plan(13);

-- 6,000 more projects in Acme: P1 and P2 are in team Research, in which Tess is an Editor. Paul is
-- a Viewer in P11 to P13, and in P14 in the past. Gina holds everything in Globex, and P15 in Acme.
SET LOCAL session_replication_role = replica;
INSERT INTO seeme.projects (id, organization_id, team_id, name, slug)
SELECT md5('project' || n)::uuid, :acme, CASE WHEN n <= 2 THEN :research::uuid END, 'P' || n,
       'p-' || n
  FROM generate_series(1, 6000) AS n;
SET LOCAL session_replication_role = origin;
INSERT INTO seeme.memberships (organization_id, project_id, user_id, role_id, valid_from,
                               valid_until)
SELECT :acme, md5('project' || n)::uuid, :paul, pg_temp.builtin('Viewer'), '2020-01-01',
       CASE WHEN n = 14 THEN '2020-02-01'::timestamptz END
  FROM generate_series(11, 14) AS n;
UPDATE seeme.memberships SET role_id = pg_temp.builtin('Admin')
 WHERE user_id = :gina AND organization_id = :globex;
INSERT INTO seeme.memberships (organization_id, user_id) VALUES (:acme, :gina);
INSERT INTO seeme.memberships (organization_id, project_id, user_id, role_id)
VALUES (:acme, md5('project15')::uuid, :gina, pg_temp.builtin('Viewer'));
CREATE TABLE t_row (id integer PRIMARY KEY, project_id uuid NOT NULL, filler text NOT NULL);
INSERT INTO t_row
SELECT n, md5('project' || 1 + n % 6000)::uuid, repeat('x', 100) FROM generate_series(1, 30000) n;
CREATE INDEX t_row_project ON t_row (project_id);
ANALYZE t_row, seeme.projects, seeme.memberships;
SELECT seeme_protect('t_row', 'models', project_column => 'project_id') \g /dev/null
GRANT SELECT ON t_row TO t_app;

CREATE FUNCTION pg_temp.list_of(who text, code text = 'models:read') RETURNS uuid[]
LANGUAGE plpgsql AS $$
DECLARE
  ids uuid[];
BEGIN
  PERFORM pg_temp.become(who);
  ids := seeme_permitted_projects(code);
  PERFORM pg_temp.become(NULL);
  RETURN ids;
END $$;
CREATE FUNCTION pg_temp.plan_of(who text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  plan jsonb;
BEGIN
  PERFORM pg_temp.become(who);
  EXECUTE 'EXPLAIN (FORMAT json) SELECT * FROM t_row' INTO plan;
  PERFORM pg_temp.become(NULL);
  RETURN plan -> 0 -> 'Plan';
END $$;
CREATE FUNCTION pg_temp.p(VARIADIC numbers int[]) RETURNS uuid[] LANGUAGE sql AS $$
  SELECT array_agg(md5('project' || n)::uuid ORDER BY md5('project' || n)::uuid)
    FROM unnest(numbers) AS n $$;
CREATE FUNCTION pg_temp.sorted(ids uuid[]) RETURNS uuid[] LANGUAGE sql AS $$
  SELECT array_agg(id ORDER BY id) FROM unnest(ids) AS id $$;

-- The plan is made first: nothing has read the organization yet.
SELECT matches(pg_temp.plan_of('paul'), 'permitted_projects',
  'three of 6,000 projects: an index finds the rows');
SELECT matches(pg_temp.plan_of('tess'), 'permitted_projects', 'the projects of a team, too');
SELECT cmp_ok((pg_temp.plan_of('paul')::jsonb ->> 'Plan Rows')::int, '<', 100,
  'few rows are estimated');

SELECT is(pg_temp.list_of('paul'), pg_temp.sorted(pg_temp.p(11, 12, 13) || :alpha::uuid),
  'the list has the current memberships, and no other');
SELECT is(pg_temp.list_of('tess'), pg_temp.sorted(pg_temp.p(1, 2) || :alpha::uuid),
  'the projects of the person''s team');
SELECT is(pg_temp.list_of('nora'), '{}', 'a member without a role has none');
SELECT is(cardinality(pg_temp.list_of('vera')), 6003, 'a role in the organization: all');
SELECT is(pg_temp.list_of('gina'),
  pg_temp.sorted(pg_temp.p(15) || :delta::uuid),
  'a role in one organization, a project of another');
SELECT is(pg_temp.list_of('paul', 'models:delete'), '{}', 'another code has another list');

-- Rights change.
DELETE FROM seeme.memberships WHERE user_id = :paul AND project_id = md5('project12')::uuid;
SELECT is(pg_temp.list_of('paul'), pg_temp.sorted(pg_temp.p(11, 13) || :alpha::uuid),
  'a membership ends: the list is shorter at once');
UPDATE seeme.projects SET team_id = NULL WHERE id = md5('project2')::uuid;
SELECT is(pg_temp.list_of('tess'), pg_temp.sorted(pg_temp.p(1) || :alpha::uuid),
  'a project leaves the team');
UPDATE seeme.projects SET team_id = :research WHERE id = md5('project3')::uuid;
SELECT is(pg_temp.list_of('tess'), pg_temp.sorted(pg_temp.p(1, 3) || :alpha::uuid),
  'a project comes to the team');
DELETE FROM seeme.memberships WHERE user_id = :paul AND organization_id = :acme
  AND team_id IS NULL AND project_id IS NULL;
SELECT is(pg_temp.list_of('paul'), '{}', 'the person leaves the organization');

SELECT * FROM finish();
ROLLBACK;
