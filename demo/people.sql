-- Organizations, teams, projects and a dozen people in different roles.

\set olga  a0000000-0000-4000-8000-000000000001
\set adam  a0000000-0000-4000-8000-000000000002
\set edith a0000000-0000-4000-8000-000000000003
\set vera  a0000000-0000-4000-8000-000000000004
\set tess  a0000000-0000-4000-8000-000000000005
\set ravi  a0000000-0000-4000-8000-000000000006
\set ann   a0000000-0000-4000-8000-000000000007
\set mike  a0000000-0000-4000-8000-000000000008
\set kurt  a0000000-0000-4000-8000-000000000009
\set oscar a0000000-0000-4000-8000-00000000000a
\set gina  a0000000-0000-4000-8000-00000000000b
\set sam   a0000000-0000-4000-8000-00000000000c

\echo '== The extension, and who there is'
\echo '# The database is empty. One statement brings the whole model. Nothing else has to be'
\echo '# configured.'
\set ECHO queries
CREATE EXTENSION seeme_rbac;
\set ECHO none

INSERT INTO seeme.users (id, username, email, firstname, name) VALUES
  (:'olga',  'olga',  'olga@aurora.example',   'Olga',  'Lindqvist'),
  (:'adam',  'adam',  'adam@aurora.example',   'Adam',  'Brandt'),
  (:'edith', 'edith', 'edith@aurora.example',  'Edith', 'Moreau'),
  (:'vera',  'vera',  'vera@aurora.example',   'Vera',  'Castelli'),
  (:'tess',  'tess',  'tess@aurora.example',   'Tess',  'Okafor'),
  (:'ravi',  'ravi',  'ravi@aurora.example',   'Ravi',  'Menon'),
  (:'ann',   'ann',   'ann@aurora.example',    'Ann',   'Kowalska'),
  (:'mike',  'mike',  'mike@aurora.example',   'Mike',  'Hansen'),
  (:'kurt',  'kurt',  'kurt@freelance.example', 'Kurt', 'Weber'),
  (:'oscar', 'oscar', 'oscar@borealis.example', 'Oscar', 'Nyman'),
  (:'gina',  'gina',  'gina@borealis.example', 'Gina',  'Rossi'),
  (:'sam',   'sam',   'sam@consult.example',   'Sam',   'Field')
\g /dev/null
\echo '# Twelve people are registered. Two of them own organizations, with teams and projects in'
\echo '# them.'
\set ECHO queries
INSERT INTO seeme.organizations (name, owner_id)
SELECT v.name, u.id
  FROM (VALUES ('Aurora Robotics', 'olga'), ('Borealis Health', 'oscar')) AS v (name, owner)
  JOIN seeme.users u ON u.username = v.owner;

INSERT INTO seeme.teams (organization_id, name)
SELECT o.id, v.name
  FROM (VALUES ('aurora-robotics', 'Perception'), ('aurora-robotics', 'Planning'),
               ('borealis-health', 'Imaging')) AS v (organization, name)
  JOIN seeme.organizations o ON o.slug = v.organization;

INSERT INTO seeme.projects (organization_id, team_id, name)
SELECT o.id, t.id, v.name
  FROM (VALUES ('aurora-robotics', 'perception', 'Street Scenes'),
               ('aurora-robotics', 'perception', 'Night Driving'),
               ('aurora-robotics', 'planning', 'Route Planner'), ('aurora-robotics', NULL,
                 'Moonshot'),
               ('borealis-health', 'imaging', 'Lung CT'),          ('borealis-health', NULL,
                 'Triage')
       ) AS v (organization, team, name)
  JOIN seeme.organizations o ON o.slug = v.organization
  LEFT JOIN seeme.teams t ON t.organization_id = o.id AND t.slug = v.team;

\echo '# Six roles are built in. Aurora makes three of its own:'
INSERT INTO seeme.roles (organization_id, name, permissions)
SELECT o.id, v.name, v.permissions
  FROM (VALUES ('Annotator', '{datasets:read,dataset_items:read,annotations:*}'::text[]),
               ('Lead',
                '{projects:update,models:*,datasets:*,dataset_items:read,workflows:*}'),
               ('Browser',   '{models:list}')) AS v (name, permissions)
  JOIN seeme.organizations o ON o.slug = 'aurora-robotics';

\set ECHO none
CREATE TEMP TABLE staff (
  organization text, team text, project text, person text, role text, until date
) \g /dev/null
INSERT INTO staff VALUES
  ('aurora-robotics', NULL, NULL, 'adam',  'Admin', NULL),
  ('aurora-robotics', NULL, NULL, 'edith', 'Editor', NULL),
  ('aurora-robotics', NULL, NULL, 'vera',  'Viewer', NULL),
  ('aurora-robotics', NULL, NULL, 'tess',  'Member', NULL),
  ('aurora-robotics', 'perception', NULL, 'tess', 'Editor', NULL),
  ('aurora-robotics', NULL, NULL, 'ravi',  'Member', NULL),
  ('aurora-robotics', NULL, 'route-planner', 'ravi', 'Lead', NULL),
  ('aurora-robotics', NULL, NULL, 'ann',   'Member', NULL),
  ('aurora-robotics', NULL, 'street-scenes', 'ann', 'Annotator', NULL),
  ('aurora-robotics', NULL, NULL, 'mike',  'Member', NULL),
  ('aurora-robotics', NULL, NULL, 'kurt',  'Editor', current_date - 1),
  ('aurora-robotics', NULL, NULL, 'sam',   'Member', NULL),
  ('aurora-robotics', NULL, 'moonshot', 'sam', 'Viewer', NULL),
  ('borealis-health', NULL, NULL, 'gina',  'Member', NULL),
  ('borealis-health', 'imaging', NULL, 'gina', 'Editor', NULL),
  ('borealis-health', NULL, NULL, 'sam',   'Member', NULL),
  ('borealis-health', 'imaging', NULL, 'sam', 'Contributor', NULL)
\g /dev/null
\echo '# The staff list becomes memberships. Each is in an organization, a team or a project,'
\echo '# with at most one role.'
\set ECHO queries
INSERT INTO seeme.memberships (organization_id, team_id, project_id, user_id, role_id, valid_until)
SELECT o.id, t.id, p.id, u.id, r.id, s.until
  FROM staff s
  JOIN seeme.organizations o ON o.slug = s.organization
  JOIN seeme.users u         ON u.username = s.person
  LEFT JOIN seeme.teams t    ON t.organization_id = o.id AND t.slug = s.team
  LEFT JOIN seeme.projects p ON p.organization_id = o.id AND p.slug = s.project
  LEFT JOIN seeme.roles r    ON r.name = s.role AND coalesce(r.organization_id, o.id) = o.id
 ORDER BY num_nonnulls(t.id, p.id);

\echo '# These are the people. Roles add up; nothing subtracts. Kurt is a freelancer. His'
\echo '# contract is over.'
SELECT u.username AS person, o.name AS organization,
       string_agg(r.name || coalesce(' in team ' || t.name, ' in project ' || p.name, '')
                         || coalesce(' until ' || m.valid_until::date, ''), ', '
                  ORDER BY m.team_id NULLS FIRST, m.project_id NULLS FIRST) AS roles
  FROM seeme.memberships m
  JOIN seeme.users u         ON u.id = m.user_id
  JOIN seeme.organizations o ON o.id = m.organization_id
  LEFT JOIN seeme.roles r    ON r.id = m.role_id
  LEFT JOIN seeme.teams t    ON t.id = m.team_id
  LEFT JOIN seeme.projects p ON p.id = m.project_id
 GROUP BY u.id, u.username, o.name
 ORDER BY o.name, u.id;
\set ECHO none
