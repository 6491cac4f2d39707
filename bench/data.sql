-- The benchmark's organizations, people and memberships: psql variables organizations, projects,
-- people say how many. Everything is computed from numbers, so that pgbench can name a person, a
-- project and a row that belong together:
--   project n lies in organization 1 + (n - 1) % organizations, person p has organization 1 + (p - 1) % organizations as home,
--   ids are bench.id('person', p) = md5('person' || p)::uuid, spread like random ones.
-- Loaded as a restore would be: no trigger fires, so what the triggers would have made is made
-- here (the owners' seats, a membership in the organization beside each one below it).

\set ON_ERROR_STOP on
SET client_min_messages = warning;
CREATE SCHEMA bench;
COMMENT ON SCHEMA bench IS 'What scripts/bench measures with';

CREATE FUNCTION bench.id(kind text, n bigint) RETURNS uuid LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN md5(kind || n::text)::uuid;
COMMENT ON FUNCTION bench.id(text, bigint) IS 'The id of the n-th thing of a kind';

CREATE FUNCTION bench.person(name text) RETURNS uuid LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN md5('person' || name)::uuid;
COMMENT ON FUNCTION bench.person(text) IS
  'The id of one of the people who see a known part of everything';

BEGIN;
SET LOCAL session_replication_role = replica;

INSERT INTO seeme.users (id, username)
SELECT bench.id('person', p), 'person-' || p FROM generate_series(1, :people) AS p
UNION ALL
SELECT bench.person(name), name FROM unnest('{sees-0.1,sees-1,sees-10,sees-50,sees-100,sees-many,wide-1,wide-50,wide-100}'::text[]) AS name;

-- The owner of organization n is person n, whose home it is.
INSERT INTO seeme.organizations (id, name, slug, owner_id)
SELECT bench.id('organization', o), 'Organization ' || o, 'organization-' || o, bench.id('person', o)
  FROM generate_series(1, :organizations) AS o;

INSERT INTO seeme.teams (id, organization_id, name, slug)
SELECT bench.id('team', 2 * o + t), bench.id('organization', o), 'Team ' || t, 'team-' || t
  FROM generate_series(1, :organizations) AS o, generate_series(0, 1) AS t;

-- Every project is one of the two teams' of its organization.
INSERT INTO seeme.projects (id, organization_id, team_id, name, slug)
SELECT bench.id('project', n), bench.id('organization', o), bench.id('team', 2 * o + j % 2), 'Project ' || j, 'project-' || j
  FROM generate_series(1, :projects) AS n,
       LATERAL (SELECT 1 + (n - 1) % :organizations AS o, (n - 1) / :organizations AS j) AS place;

-- One organization with as many projects as all the others together.
INSERT INTO seeme.organizations (id, name, slug, owner_id)
VALUES (bench.id('organization', 0), 'Wide', 'wide', bench.person('wide-100'));
INSERT INTO seeme.projects (id, organization_id, name, slug)
SELECT bench.id('wide', n), bench.id('organization', 0), 'Wide project ' || n, 'wide-project-' || n FROM generate_series(1, :projects) AS n;

-- An ordinary person's twenty memberships. At home: may read and write everything, people with an
-- even number by their role in the organization, the others by those in its two teams; and is a
-- Viewer in nine projects besides. In a second organization: a Member, and a Viewer in eight
-- projects.
CREATE TEMP VIEW role AS SELECT name, id FROM seeme.roles WHERE is_system_role;
INSERT INTO seeme.memberships (id, organization_id, team_id, project_id, user_id, role_id)
WITH person AS (
  SELECT p, bench.id('person', p) AS id, home, p <= :organizations AS is_owner,
         1 + (home + p % (:organizations - 1)) % :organizations AS second
    FROM generate_series(1, :people) AS p, LATERAL (SELECT 1 + (p - 1) % :organizations AS home) AS h
), membership (user_id, organization, team, project, role) AS (
  SELECT id, home, NULL::bigint, NULL::bigint, CASE WHEN is_owner THEN 'Owner' WHEN p % 2 = 0 THEN 'Editor' END FROM person
  UNION ALL SELECT id, home, 2 * home + t, NULL, CASE WHEN p % 2 = 0 THEN 'Viewer' ELSE 'Editor' END
              FROM person, generate_series(0, 1) AS t WHERE t = 0 OR p % 2 = 1
  UNION ALL SELECT id, home, NULL, home + :organizations * ((p + j) % (:projects / :organizations)), 'Viewer' FROM person, generate_series(0, 8) AS j
  UNION ALL SELECT id, second, NULL, NULL, 'Member' FROM person
  UNION ALL SELECT id, second, NULL, second + :organizations * ((p + j) % (:projects / :organizations)), 'Viewer' FROM person, generate_series(0, 7) AS j
)
SELECT gen_random_uuid(), bench.id('organization', organization), bench.id('team', team), bench.id('project', project), user_id, role.id
  FROM membership LEFT JOIN role ON role.name = membership.role;

-- The people who see a known part of everything: 1, 10, 50 and 100 % by whole organizations, 0.1 %
-- and a quarter of all projects (5,000 of 20,000) by a membership in each project.
INSERT INTO seeme.memberships (id, organization_id, user_id, role_id)
SELECT gen_random_uuid(), bench.id('organization', o), bench.person(part.name), role.id
  FROM (VALUES ('sees-1', 0.01), ('sees-10', 0.1), ('sees-50', 0.5), ('sees-100', 1)) AS part (name, share),
       generate_series(1, :organizations * share) AS numbered (n), LATERAL (SELECT n::bigint AS o) AS o, role
 WHERE role.name = 'Viewer';
CREATE TEMP TABLE below AS
SELECT bench.person('sees-0.1') AS user_id, n FROM generate_series(1, :projects / 1000) AS n
UNION ALL
SELECT bench.person('sees-many'), o + :organizations * j
  FROM generate_series(1, :organizations / 2) AS o, generate_series(0, :projects / :organizations / 2 - 1) AS j;
INSERT INTO seeme.memberships (id, organization_id, user_id)
SELECT DISTINCT ON (organization_id, user_id) gen_random_uuid(), bench.id('organization', 1 + (n - 1) % :organizations) AS organization_id, user_id FROM below;
INSERT INTO seeme.memberships (id, organization_id, project_id, user_id, role_id)
SELECT gen_random_uuid(), bench.id('organization', 1 + (n - 1) % :organizations), bench.id('project', n), user_id, role.id
  FROM below, role WHERE role.name = 'Viewer';

-- In the wide organization: its owner, and people in 1 % and 50 % of its projects.
INSERT INTO seeme.memberships (id, organization_id, user_id, role_id)
SELECT gen_random_uuid(), bench.id('organization', 0), bench.person(member.name), role.id
  FROM (VALUES ('wide-1', NULL), ('wide-50', NULL), ('wide-100', 'Owner')) AS member (name, role) LEFT JOIN role ON role.name = member.role;
INSERT INTO seeme.memberships (id, organization_id, project_id, user_id, role_id)
SELECT gen_random_uuid(), bench.id('organization', 0), bench.id('wide', n), bench.person(member.name), role.id
  FROM (VALUES ('wide-1', 100), ('wide-50', 2)) AS member (name, every), generate_series(1, :projects) AS n, role
 WHERE n % every = 0 AND role.name = 'Viewer';
COMMIT;

-- Which of them churn touches, by number.
CREATE TABLE bench.churn (n bigint PRIMARY KEY, membership_id uuid NOT NULL);
COMMENT ON TABLE bench.churn IS
  'Memberships of ordinary people, numbered: those that change while others ask';
INSERT INTO bench.churn
SELECT row_number() OVER (ORDER BY m.user_id, m.id), m.id
  FROM seeme.memberships m JOIN seeme.projects p ON p.id = m.project_id
 WHERE m.user_id IN (SELECT bench.id('person', p) FROM generate_series(1, least(:people, 2000)) AS p);

-- What a call costs. As app would make it, and each in a transaction of its own, for the next
-- person.
CREATE FUNCTION bench.measure(query text, loops int, OUT ms double precision, OUT result text) LANGUAGE plpgsql AS $$
DECLARE
  started timestamptz := clock_timestamp();
BEGIN
  FOR i IN 1 .. loops LOOP
    EXECUTE query INTO result;
  END LOOP;
  ms := extract(epoch FROM clock_timestamp() - started) * 1000 / loops;
END $$;
COMMENT ON FUNCTION bench.measure(text, int) IS
  'Milliseconds that a query takes on the server, planned and run to its end each time (EXECUTE of '
  'a prepared statement: as that one is planned), and the first column of its last run';

CREATE FUNCTION bench.empty(permission text, organization uuid = NULL, team uuid = NULL, project uuid = NULL,
  resource uuid = NULL, resource_type text = NULL) RETURNS boolean
LANGUAGE c STABLE PARALLEL SAFE COST 1 AS :'empty_library', 'bench_empty';
-- As those of an extension: whether a role may call it is looked up each time.
REVOKE ALL ON FUNCTION bench.empty FROM PUBLIC;
GRANT EXECUTE ON FUNCTION bench.empty TO app;
COMMENT ON FUNCTION bench.empty(text, uuid, uuid, uuid, uuid, text) IS
  'What calling a C function costs that does nothing, with the arguments of seeme_has_permission()';

-- Two procedures and not one with a branch: a dynamic call would cost more than what is measured.
CREATE PROCEDURE bench.walk_empty(first int, last int, projects int, INOUT us double precision = NULL, INOUT held int = 0)
LANGUAGE plpgsql AS $$
DECLARE
  people uuid[] := ARRAY(SELECT bench.id('person', p) FROM generate_series(first, last) AS p ORDER BY p);
  places uuid[] := ARRAY(SELECT bench.id('project', 1 + (p - 1) % projects) FROM generate_series(first, last) AS p ORDER BY p);
  started timestamptz;
BEGIN
  COMMIT;
  started := clock_timestamp();
  FOR i IN 1 .. last - first + 1 LOOP
    PERFORM public.seeme_assume(people[i]);
    IF bench.empty('models:read', project => places[i]) THEN
      held := held + 1;
    END IF;
    COMMIT;
  END LOOP;
  us := extract(epoch FROM clock_timestamp() - started) * 1000000 / (last - first + 1);
END $$;
COMMENT ON PROCEDURE bench.walk_empty(int, int, int, double precision, int) IS
  'As bench.walk_seeme, with a function that does nothing: what the loop and the change of person '
  'cost';
CREATE PROCEDURE bench.walk_seeme(first int, last int, projects int, INOUT us double precision = NULL, INOUT held int = 0)
LANGUAGE plpgsql AS $$
DECLARE
  people uuid[] := ARRAY(SELECT bench.id('person', p) FROM generate_series(first, last) AS p ORDER BY p);
  places uuid[] := ARRAY(SELECT bench.id('project', 1 + (p - 1) % projects) FROM generate_series(first, last) AS p ORDER BY p);
  started timestamptz;
BEGIN
  COMMIT;
  started := clock_timestamp();
  FOR i IN 1 .. last - first + 1 LOOP
    PERFORM public.seeme_assume(people[i]);
    IF public.seeme_has_permission('models:read', project => places[i]) THEN
      held := held + 1;
    END IF;
    COMMIT;
  END LOOP;
  us := extract(epoch FROM clock_timestamp() - started) * 1000000 / (last - first + 1);
END $$;
COMMENT ON PROCEDURE bench.walk_seeme(int, int, int, double precision, int) IS
  'Microseconds per check, each of the next person in the next project of their home, in a '
  'transaction of its own';

SELECT seeme_grant_usage('app') \g /dev/null
GRANT EXECUTE ON FUNCTION seeme_assume TO app;
GRANT USAGE ON SCHEMA bench TO app;
VACUUM ANALYZE;
