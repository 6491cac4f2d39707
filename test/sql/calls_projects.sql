\i test/include/prelude.psql
-- The documented calls on projects, their members and their resources, one SQL statement each: with
-- the right, without it, and once it is taken away again. An assertion bears the name of the call.
BEGIN;
\i test/include/people.psql
\i test/include/asking.psql
SELECT plan(98);

INSERT INTO seeme.roles (id, organization_id, name, permissions) VALUES
  ('e0000000-0000-4000-8000-0000000000a1', :acme, 'Reader', '{models:read}'),
  ('e0000000-0000-4000-8000-0000000000a2', :acme, 'Lister', '{models:list}');
INSERT INTO thing VALUES ('reader', 'e0000000-0000-4000-8000-0000000000a1'),
  ('lister', 'e0000000-0000-4000-8000-0000000000a2'),
  ('res', '99000000-0000-4000-8000-000000000001'),
  ('fresh', '99000000-0000-4000-8000-000000000002');

-- get_projects
SELECT pg_temp.needs('get_projects', '{}', '{projects:list}', 'SELECT * FROM seeme.projects',
  '0 rows', '3 rows');
SELECT is(
  pg_temp.rows('ann',
  'SELECT name, slug, description, organization_id = {acme}, team_id = {research}, has_logo FROM '
  'seeme.projects'), '{Alpha|alpha|null|true|true|false}',
  'get_projects shows those that one is a member of');
SELECT is(pg_temp.rows('gina', 'SELECT name FROM seeme.projects'), '{Delta}',
  'get_projects shows those of one''s organizations');

-- get_projects_by_organization, get_projects_by_team: the same call with a filter
SELECT pg_temp.needs('get_projects_by_organization', '{}', '{projects:read}',
  'SELECT * FROM seeme.projects WHERE organization_id = {acme}', '0 rows', '3 rows');
SELECT pg_temp.needs('get_projects_by_team', '{}', '{projects:read}',
  'SELECT * FROM seeme.projects WHERE team_id = {research}', '0 rows', '1 row');
SELECT pg_temp.hold_in('sales', '{projects:read}') \g /dev/null
SELECT is(pg_temp.rows('nora', 'SELECT name FROM seeme.projects'), '{Beta}',
  'get_projects shows the team''s project to who holds the right in the team');
SELECT pg_temp.hold_in('sales', '{}') \g /dev/null

-- get_organization_projects, get_team_projects
SELECT pg_temp.needs('get_organization_projects', '{}', '{projects:list}',
  'SELECT p.* FROM seeme.projects p WHERE p.organization_id = {acme} ORDER BY p.name', '0 rows',
  '3 rows');
SELECT is(pg_temp.rows('vera', 'SELECT name FROM seeme.projects WHERE organization_id = {globex}'),
  '{}', 'get_organization_projects shows nothing of another organization');
SELECT pg_temp.needs('get_team_projects', '{}', '{projects:list}',
  'SELECT p.* FROM seeme.projects p WHERE p.team_id = {sales} ORDER BY p.name', '0 rows', '1 row');

-- create_project
SELECT pg_temp.needs('create_project', '{projects:list}', '{projects:create}',
  $$INSERT INTO seeme.projects (name, description, organization_id, team_id, slug)
    VALUES ('Image Classification Project', 'Classify product images', {acme}, {sales},
      'image-classification') RETURNING *$$, '42501', '1 row');
SELECT is(
  pg_temp.rows('adam', $$INSERT INTO seeme.projects (name, organization_id)
    VALUES ('Image Classification', {acme}) RETURNING name, slug, team_id, organization_id = {acme},
      has_logo$$),
  '{Image Classification|image-classification|null|true|false}',
  'create_project answers with the project, and needs no team');
SELECT pg_temp.hold_in('sales', '{projects:list,projects:create}') \g /dev/null
SELECT is(
  pg_temp.try('nora', $$INSERT INTO seeme.projects (name, organization_id, team_id)
    VALUES ('Ours', {acme}, {sales}) RETURNING id$$), '1 row',
      'create_project works in a team for who holds the right there');
SELECT is(
  pg_temp.try('nora', $$INSERT INTO seeme.projects (name, organization_id)
    VALUES ('Everybody''s', {acme})$$), '42501',
      'create_project is refused to them without the team');
SELECT is(
  pg_temp.try('nora', $$INSERT INTO seeme.projects (name, organization_id, team_id)
    VALUES ('Theirs', {acme}, {research})$$), '42501',
      'create_project is refused to them in another team');
SELECT pg_temp.hold_in('sales', '{}') \g /dev/null
SELECT is(
  pg_temp.try('adam', $$INSERT INTO seeme.projects (name, organization_id)
    VALUES ('Spies', {globex})$$), '42501', 'create_project is refused in another organization');
SELECT matches(pg_temp.complaint(
  'mike', $$INSERT INTO seeme.projects (name, organization_id) VALUES ('Mine', {acme})$$),
  'projects:create', 'create_project names the right that is missing');

-- get_project
SELECT pg_temp.needs('get_project', '{}', '{projects:read}',
  'SELECT * FROM seeme.projects WHERE id = {gamma}', '0 rows', '1 row');
SELECT is(pg_temp.rows('paul', 'SELECT name FROM seeme.projects WHERE id IN ({alpha}, {beta})'),
  '{Alpha}', 'get_project finds one''s own project, not another');

-- update_project
SELECT pg_temp.needs('update_project', '{projects:read}', '{projects:update}',
  $$UPDATE seeme.projects SET description = 'Classify e-commerce product images'
    WHERE id = {alpha}$$, '0 rows', '1 row');
SELECT is(
  pg_temp.rows('adam', $$UPDATE seeme.projects SET description = 'Images',
    name = 'Alpha 2' WHERE id = {alpha} RETURNING name, description, slug$$),
    '{Alpha 2|Images|alpha}', 'update_project answers with the project as it is now');
SELECT pg_temp.hold_in('beta', '{projects:update}') \g /dev/null
SELECT is(pg_temp.try('nora', $$UPDATE seeme.projects SET description = 'Ours'$$), '1 row',
  'update_project works for who holds the right in that project, and in no other');
SELECT pg_temp.hold_in('beta', '{}') \g /dev/null

-- delete_project
SELECT pg_temp.needs('delete_project', '{projects:read,projects:update}', '{projects:delete}',
  $$DELETE FROM seeme.projects WHERE id = {beta}$$, '0 rows', '1 row');
INSERT INTO seeme.project_resources (project_id, resource_type, resource_id)
  VALUES (:alpha, 'model', pg_temp.id('res'));
SELECT is(pg_temp.rows('adam', $$DELETE FROM seeme.projects WHERE id = {alpha}$$,
  $$SELECT (SELECT count(*) FROM seeme.memberships WHERE project_id = {alpha}),
    (SELECT count(*) FROM seeme.project_resources),
    (SELECT count(*) FROM seeme.organization_members WHERE user_id IN ({paul}, {ann}))$$),
    '{0|0|2}',
  'delete_project takes its memberships and assignments along, and nobody''s membership in the '
  'organization');
DELETE FROM seeme.project_resources;
SELECT is(pg_temp.try('adam', $$DELETE FROM seeme.projects WHERE id = {delta}$$), '0 rows',
  'delete_project is refused in another organization');

-- get_project_members
SELECT pg_temp.needs('get_project_members', '{}', '{projects:read}',
  $$SELECT * FROM seeme.project_members WHERE project_id = {alpha}$$, '0 rows', '2 rows');
SELECT is(
  pg_temp.rows('vera', $$SELECT project_id = {alpha}, user_id = {ann}, role_id = {annotator},
    role_name, email, username, firstname, name FROM seeme.project_members
    WHERE username = 'ann'$$),
  '{true|true|true|Annotator|ann@example.com|ann|Ann|Test}',
  'get_project_members shows the documented properties');
SELECT is(pg_temp.rows('ann', $$SELECT username, role_name FROM seeme.project_members$$),
  '{ann|Annotator}', 'get_project_members shows oneself, and the role''s name');

-- add_project_member
SELECT pg_temp.needs('add_project_member', '{projects:read,models:read}', '{projects:update}',
  $$INSERT INTO seeme.project_members (project_id, user_id, role_id)
    VALUES ({beta}, {paul}, {reader})$$, '42501', '1 row');
SELECT pg_temp.needs('add_project_member', '{projects:read,models:read}',
  '{organizations:manage_members}',
  $$INSERT INTO seeme.project_members (project_id, user_id, role_id)
    VALUES ({beta}, {paul}, {reader}) RETURNING id$$, '42501', '1 row');
SELECT is(
  pg_temp.rows('adam', $$INSERT INTO seeme.project_members (project_id, user_id, role_id)
    VALUES ({gamma}, {paul}, {Viewer}) RETURNING project_id = {gamma}, username, role_name,
      email$$),
  '{true|paul|Viewer|paul@example.com}', 'add_project_member answers with the member');
SELECT pg_temp.hold_in('beta', '{projects:read,projects:update,models:read}') \g /dev/null
SELECT is(
  pg_temp.try('nora', $$INSERT INTO seeme.project_members (project_id, user_id, role_id)
    VALUES ({beta}, {paul}, {reader})$$), '1 row',
      'add_project_member works for who may update that project');
SELECT is(
  pg_temp.try('nora', $$INSERT INTO seeme.project_members (project_id, user_id, role_id)
    VALUES ({gamma}, {paul}, {reader})$$), '42501',
      'add_project_member is refused to them in another project');
SELECT pg_temp.hold_in('beta', '{}') \g /dev/null

-- update_project_member_role
INSERT INTO seeme.memberships (organization_id, project_id, user_id, role_id)
  VALUES (:acme, :beta, :paul, pg_temp.id('reader'));
SELECT pg_temp.needs('update_project_member_role', '{projects:read,models:read,models:list}',
  '{projects:update}',
  $$UPDATE seeme.project_members SET role_id = {lister} WHERE project_id = {beta}
    AND user_id = {paul}$$, '0 rows', '1 row');
SELECT pg_temp.needs('update_project_member_role', '{projects:read,models:read,models:list}',
  '{organizations:manage_members}',
  $$UPDATE seeme.project_members SET role_id = {lister} WHERE project_id = {beta}
    AND user_id = {paul}$$, '0 rows', '1 row');
SELECT is(
  pg_temp.rows('adam', $$UPDATE seeme.project_members SET role_id = {Editor}
    WHERE project_id = {beta} AND user_id = {paul} RETURNING username, role_name$$),
    '{paul|Editor}', 'update_project_member_role answers with the member as it is now');
SELECT is(
  pg_temp.try('ann', $$UPDATE seeme.project_members SET role_id = {Editor} WHERE user_id = {ann}$$),
  '0 rows', 'update_project_member_role is refused for oneself');

-- remove_project_member
SELECT pg_temp.needs('remove_project_member', '{projects:read,models:read}', '{projects:update}',
  $$DELETE FROM seeme.project_members WHERE project_id = {beta} AND user_id = {paul}$$, '0 rows',
  '1 row');
SELECT pg_temp.needs('remove_project_member', '{projects:read,models:read}',
  '{organizations:manage_members}', $$DELETE FROM seeme.project_members WHERE project_id = {beta}
    AND user_id = {paul}$$, '0 rows', '1 row');
SELECT is(
  pg_temp.rows('adam', $$DELETE FROM seeme.project_members WHERE project_id = {beta}
    AND user_id = {paul}$$, $$SELECT count(*) FROM seeme.memberships WHERE user_id = {paul}$$),
    '{2}', 'remove_project_member leaves the member in the organization and in other projects');
SELECT is(pg_temp.try('ann', $$DELETE FROM seeme.project_members WHERE user_id = {ann}$$), '1 row',
  'remove_project_member works for leaving');
DELETE FROM seeme.memberships WHERE user_id = :paul AND project_id = :beta;

-- get_project_resources
INSERT INTO seeme.project_resources (project_id, resource_type, resource_id, resource_name)
  VALUES (:alpha, 'model', pg_temp.id('res'), 'A model'),
    (:beta, 'dataset', pg_temp.id('res'), 'A dataset');
SELECT pg_temp.needs('get_project_resources', '{projects:list}', '{projects:read}',
  $$SELECT * FROM seeme.project_resources WHERE project_id = {alpha}$$, '0 rows', '1 row');
SELECT is(
  pg_temp.rows('paul', $$SELECT project_id = {alpha}, resource_type, resource_id = {res},
    resource_name FROM seeme.project_resources$$), '{true|model|true|A model}',
    'get_project_resources shows the documented properties, of one''s own project alone');
SELECT is(pg_temp.rows('oscar', $$SELECT count(*) FROM seeme.project_resources$$), '{0}',
  'get_project_resources shows nothing of another organization');
DELETE FROM seeme.project_resources;

-- assign_resource_to_project
SELECT pg_temp.needs('assign_resource_to_project (' || t || ')',
  ARRAY['projects:read', t || 's:create'], '{projects:update}',
    format($$INSERT INTO seeme.project_resources (project_id, resource_type, resource_id)
      VALUES ({alpha}, %L, {fresh}) RETURNING *$$, t), '42501', '1 row')
  FROM unnest(ARRAY['model','dataset','workflow','graph']) AS t;
SELECT pg_temp.needs('assign_resource_to_project', '{projects:read,projects:update}',
  '{models:create}',
  $$INSERT INTO seeme.project_resources (project_id, resource_type, resource_id)
    VALUES ({alpha}, 'model', {fresh})$$, '42501', '1 row');
SELECT is(
  pg_temp.rows('adam',
  $$INSERT INTO seeme.project_resources (project_id, resource_type, resource_id, resource_name)
    VALUES ({alpha}, 'graph', {fresh}, 'A graph') RETURNING project_id = {alpha}, resource_type,
      resource_id = {fresh}, resource_name$$),
  '{true|graph|true|A graph}', 'assign_resource_to_project answers with the assignment');
SELECT is(
  pg_temp.try('adam', $$INSERT INTO seeme.project_resources (project_id, resource_type, resource_id)
    VALUES ({delta}, 'model', {fresh})$$), '42501',
      'assign_resource_to_project is refused in another organization');

-- remove_resource_from_project
INSERT INTO seeme.project_resources (project_id, resource_type, resource_id)
  VALUES (:alpha, 'model', pg_temp.id('res')), (:beta, 'model', pg_temp.id('res'));
SELECT pg_temp.needs('remove_resource_from_project', '{projects:read,models:*}',
  '{projects:update}',
  $$DELETE FROM seeme.project_resources WHERE project_id = {alpha} AND resource_type = 'model'
    AND resource_id = {res}$$, '0 rows', '1 row');
SELECT is(
  pg_temp.rows('adam', $$DELETE FROM seeme.project_resources WHERE project_id = {alpha}
    AND resource_type = 'model' AND resource_id = {res}$$,
    $$SELECT project_id = {beta} FROM seeme.project_resources$$), '{true}',
  'remove_resource_from_project leaves the resource in other projects');

SELECT * FROM finish();
ROLLBACK;
