-- The extension's own lists, in a database with the organizations and people of data.sql: a small
-- tenant among all of them, and an organization with many members. psql variable: crowd, the
-- number of these.

\set ON_ERROR_STOP on
SET client_min_messages = warning;
BEGIN;
SET LOCAL session_replication_role = replica;
CREATE TEMP VIEW role AS SELECT name, id FROM seeme.roles WHERE is_system_role;

-- An Admin of one organization, and of nothing else.
INSERT INTO seeme.users (id, username) VALUES
  (bench.person('tenant'), 'tenant'), (bench.person('of-crowd'), 'of-crowd');
INSERT INTO seeme.memberships (organization_id, user_id, role_id)
SELECT bench.id('organization', 7), bench.person('tenant'), id FROM role WHERE name = 'Admin';

-- What a review finds there: a role that nobody has, memberships that end, one that has ended.
INSERT INTO seeme.roles (organization_id, name, permissions)
VALUES (bench.id('organization', 7), 'Unused', '{models:read}');
UPDATE seeme.memberships AS m
   SET valid_until = now() + interval '9 days' * CASE WHEN place % 2 = 0 THEN 1 ELSE -1 END
  FROM (SELECT id, row_number() OVER (ORDER BY id) AS place FROM seeme.memberships
         WHERE organization_id = bench.id('organization', 7) AND project_id IS NOT NULL) AS chosen
 WHERE m.id = chosen.id AND place % 20 < 2;

INSERT INTO seeme.users (id, username)
SELECT bench.id('crowd', n), 'crowd-' || n FROM generate_series(1, :crowd) AS n;
INSERT INTO seeme.organizations (id, name, slug, owner_id)
VALUES (bench.id('organization', -1), 'Crowd', 'crowd', bench.person('of-crowd'));
INSERT INTO seeme.memberships (organization_id, user_id, role_id)
SELECT bench.id('organization', -1), bench.person('of-crowd'), id FROM role WHERE name = 'Owner';
INSERT INTO seeme.memberships (organization_id, user_id, role_id)
SELECT bench.id('organization', -1), bench.id('crowd', n), role.id
  FROM generate_series(1, :crowd) AS n
  JOIN role ON role.name = (ARRAY['Viewer', 'Editor', 'Contributor', 'Admin', 'Member'])[1 + n % 5];
COMMIT;
