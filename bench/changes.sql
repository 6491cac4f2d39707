-- Changing access in bulk: an organization to add to, and one to delete. psql variables:
-- memberships, projects, users are how many are added in one statement each; members and
-- organization_projects how many the other organization has.

\set ON_ERROR_STOP on
SET client_min_messages = warning;
CREATE SCHEMA bench;
COMMENT ON SCHEMA bench IS 'What scripts/bench measures with';
CREATE FUNCTION bench.id(kind text, n bigint) RETURNS uuid LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN md5(kind || n::text)::uuid;
COMMENT ON FUNCTION bench.id(text, bigint) IS 'The id of the n-th thing of a kind';

BEGIN;
SET LOCAL session_replication_role = replica;
CREATE TEMP VIEW role AS SELECT name, id FROM seeme.roles WHERE is_system_role;
INSERT INTO seeme.users (id, username, email)
SELECT bench.id('person', p), 'person-' || p, 'person-' || p || '@example.org'
  FROM generate_series(0, greatest(:memberships / 100, :members)) AS p;
-- Person 0 owns both organizations.
INSERT INTO seeme.organizations (id, name, slug, owner_id) VALUES
  (bench.id('organization', 1), 'Growing', 'growing', bench.id('person', 0)),
  (bench.id('organization', 2), 'Leaving', 'leaving', bench.id('person', 0));
INSERT INTO seeme.projects (id, organization_id, name, slug)
SELECT bench.id('project', n), bench.id('organization', 1), 'Project ' || n, 'project-' || n
  FROM generate_series(1, 100) AS n
UNION ALL
SELECT bench.id('leaving', n), bench.id('organization', 2), 'Project ' || n, 'project-' || n
  FROM generate_series(1, :organization_projects) AS n;
INSERT INTO seeme.memberships (organization_id, user_id, role_id)
SELECT bench.id('organization', o), bench.id('person', 0), role.id
  FROM generate_series(1, 2) AS o, role WHERE role.name = 'Owner'
UNION ALL
SELECT bench.id('organization', 1), bench.id('person', p), NULL
  FROM generate_series(1, :memberships / 100) AS p
UNION ALL
SELECT bench.id('organization', 2), bench.id('person', p), role.id
  FROM generate_series(1, :members) AS p, role WHERE role.name = 'Viewer';
COMMIT;

-- What is added.
CREATE TABLE bench.new_memberships AS
SELECT bench.id('organization', 1) AS organization_id, bench.id('project', n) AS project_id,
       bench.id('person', p) AS user_id, role.id AS role_id
  FROM generate_series(1, :memberships / 100) AS p, generate_series(1, 100) AS n, role
 WHERE role.name = 'Viewer';
CREATE TABLE bench.new_projects AS
SELECT gen_random_uuid() AS id, bench.id('organization', 1) AS organization_id,
       'New project ' || n AS name, 'new-project-' || n AS slug
  FROM generate_series(1, :projects) AS n;
CREATE TABLE bench.new_users AS
SELECT bench.id('newcomer', n) AS id, 'newcomer-' || n AS username,
       'newcomer-' || n || '@example.org' AS email
  FROM generate_series(1, :users) AS n;

GRANT USAGE ON SCHEMA bench TO app, app_provision;
GRANT SELECT ON ALL TABLES IN SCHEMA bench TO app, app_provision;
SELECT seeme_grant_usage('app'), seeme_grant_provisioning('app_provision') \g /dev/null
GRANT EXECUTE ON FUNCTION seeme_assume TO app;
