\i test/include/prelude.psql
-- The documented calls on teams and their members, one SQL statement each: with the right, without
-- it, and once it is taken away again. An assertion bears the name of the call.
BEGIN;
\i test/include/people.psql
\i test/include/asking.psql
SELECT plan(66);

INSERT INTO seeme.roles (id, organization_id, name, permissions) VALUES
  ('e0000000-0000-4000-8000-0000000000a1', :acme, 'Reader', '{models:read}'),
  ('e0000000-0000-4000-8000-0000000000a2', :acme, 'Lister', '{models:list}');
INSERT INTO thing VALUES ('reader', 'e0000000-0000-4000-8000-0000000000a1'),
  ('lister', 'e0000000-0000-4000-8000-0000000000a2');

-- get_organization_teams
SELECT pg_temp.needs('get_organization_teams', '{}', '{teams:list}',
  $$SELECT * FROM seeme.teams WHERE organization_id = {acme}$$, '0 rows', '2 rows');
SELECT is(
  pg_temp.rows('mike', $$SELECT name, slug, description, organization_id = {acme},
    has_logo FROM seeme.teams WHERE organization_id = {acme} ORDER BY name$$),
  '{Research|research|null|true|false,Sales|sales|null|true|false}',
  'get_organization_teams shows the documented properties');
SELECT is(pg_temp.rows('tess', $$SELECT name FROM seeme.teams WHERE organization_id = {acme}$$),
  '{Research}', 'get_organization_teams shows a team to its member');
SELECT is(pg_temp.rows('gina', $$SELECT name FROM seeme.teams WHERE organization_id = {acme}$$),
  '{}', 'get_organization_teams shows nothing of another organization');

-- get_teams
SELECT pg_temp.needs('get_teams', '{}', '{teams:read}', 'SELECT * FROM seeme.teams', '0 rows',
  '2 rows');
SELECT is(pg_temp.rows('gina', 'SELECT name FROM seeme.teams'), '{Labs}',
  'get_teams shows the teams of one''s organizations');
SELECT pg_temp.hold_in('sales', '{models:read}') \g /dev/null
SELECT is(pg_temp.rows('nora', 'SELECT name FROM seeme.teams'), '{Sales}',
  'get_teams shows the teams that one is a member of');
SELECT pg_temp.hold_in('sales', '{}') \g /dev/null
SELECT is(pg_temp.rows('nora', 'SELECT name FROM seeme.teams'), '{}',
  'get_teams no longer shows one that was left');

-- create_team
SELECT pg_temp.needs('create_team', '{teams:list}', '{teams:create}',
  $$INSERT INTO seeme.teams (name, description, organization_id, slug)
    VALUES ('Research Team', 'AI research and development', {acme}, 'research-team') RETURNING *$$,
      '42501', '1 row');
SELECT is(
  pg_temp.rows('adam', $$INSERT INTO seeme.teams (name, description, organization_id)
    VALUES ('Core Team', 'The core', {acme}) RETURNING name, description, slug,
      organization_id = {acme}, has_logo$$),
  '{Core Team|The core|core-team|true|false}', 'create_team answers with the team');
SELECT is(
  pg_temp.try('adam', $$INSERT INTO seeme.teams (name, organization_id)
    VALUES ('Spies', {globex})$$), '42501', 'create_team is refused in another organization');
SELECT is(
  pg_temp.try('edith', $$INSERT INTO seeme.teams (name, organization_id) VALUES ('Mine', {acme})$$),
  '42501', 'create_team is refused to an Editor');
SELECT matches(pg_temp.complaint(
  'edith', $$INSERT INTO seeme.teams (name, organization_id) VALUES ('Mine', {acme})$$),
  'teams:create', 'create_team names the right that is missing');

-- get_team
SELECT pg_temp.needs('get_team', '{}', '{teams:read}',
  'SELECT * FROM seeme.teams WHERE id = {sales}', '0 rows', '1 row');
SELECT is(pg_temp.rows('tess', 'SELECT name FROM seeme.teams WHERE id = {sales}'), '{}',
  'get_team finds nothing of another team');

-- update_team
SELECT pg_temp.needs('update_team', '{teams:read}', '{teams:update}',
  $$UPDATE seeme.teams SET description = 'Core AI research team' WHERE id = {research}$$, '0 rows',
  '1 row');
SELECT is(
  pg_temp.rows('adam', $$UPDATE seeme.teams SET description = 'Core AI research team'
    WHERE id = {research} RETURNING name, description$$), '{Research|Core AI research team}',
    'update_team answers with the team as it is now');
SELECT pg_temp.hold_in('sales', '{teams:update}') \g /dev/null
SELECT is(pg_temp.try('nora', $$UPDATE seeme.teams SET description = 'Ours'$$), '1 row',
  'update_team works for who holds the right in that team, and in no other');
SELECT pg_temp.hold_in('sales', '{}') \g /dev/null

-- delete_team
SELECT pg_temp.needs('delete_team', '{teams:read,teams:update}', '{teams:delete}',
  $$DELETE FROM seeme.teams WHERE id = {sales}$$, '0 rows', '1 row');
SELECT is(pg_temp.rows('adam', $$DELETE FROM seeme.teams WHERE id = {research}$$,
  $$SELECT name, team_id FROM seeme.projects WHERE id = {alpha}$$), '{Alpha|null}',
  'delete_team leaves the team''s projects, without a team');
SELECT is(pg_temp.rows('adam', $$DELETE FROM seeme.teams WHERE id = {research}$$,
  $$SELECT count(*) FROM seeme.memberships WHERE user_id = {tess}$$), '{1}',
  'delete_team takes its memberships along, and no other');
SELECT is(pg_temp.try('adam', $$DELETE FROM seeme.teams WHERE id = {labs}$$), '0 rows',
  'delete_team is refused in another organization');

-- get_team_members
SELECT pg_temp.needs('get_team_members', '{}', '{teams:read}',
  $$SELECT * FROM seeme.team_members WHERE team_id = {research}$$, '0 rows', '1 row');
SELECT is(
  pg_temp.rows('vera', $$SELECT team_id = {research}, user_id = {tess}, role_id = {Editor},
    role_name, email, username, firstname, name FROM seeme.team_members
    WHERE team_id = {research}$$),
  '{true|true|true|Editor|tess@example.com|tess|Tess|Test}',
  'get_team_members shows the documented properties');
SELECT is(pg_temp.rows('tess', $$SELECT username FROM seeme.team_members$$), '{tess}',
  'get_team_members shows oneself');

-- add_team_member
SELECT pg_temp.needs('add_team_member', '{teams:read,models:read}', '{teams:update}',
  $$INSERT INTO seeme.team_members (team_id, user_id, role_id) VALUES ({sales}, {paul}, {reader})$$,
  '42501', '1 row');
SELECT pg_temp.needs('add_team_member', '{teams:read,models:read}',
  '{organizations:manage_members}',
  $$INSERT INTO seeme.team_members (team_id, user_id, role_id) VALUES ({sales}, {paul}, {reader})
    RETURNING id$$, '42501', '1 row');
SELECT is(
  pg_temp.rows('adam', $$INSERT INTO seeme.team_members (team_id, user_id, role_id)
    VALUES ({sales}, {paul}, {Contributor}) RETURNING team_id = {sales}, username, role_name,
      email$$),
  '{true|paul|Contributor|paul@example.com}', 'add_team_member answers with the member');
SELECT is(
  pg_temp.rows('adam', $$INSERT INTO seeme.team_members (team_id, user_id)
    VALUES ({sales}, {paul})$$, $$SELECT organization_id = {acme}, created_by = {adam},
      role_id FROM seeme.memberships WHERE team_id = {sales}$$),
  '{true|true|null}',
  'add_team_member needs no role, and fills in the organization and who added the member');
SELECT pg_temp.hold_in('sales', '{teams:read,teams:update,models:read}') \g /dev/null
SELECT is(
  pg_temp.try('nora', $$INSERT INTO seeme.team_members (team_id, user_id, role_id)
    VALUES ({sales}, {paul}, {reader})$$), '1 row',
      'add_team_member works for who may update that team');
SELECT is(
  pg_temp.try('nora', $$INSERT INTO seeme.team_members (team_id, user_id, role_id)
    VALUES ({research}, {paul}, {reader})$$), '42501',
      'add_team_member is refused to them in another team');
SELECT pg_temp.hold_in('sales', '{}') \g /dev/null
SELECT is(
  pg_temp.try('oscar', $$INSERT INTO seeme.team_members (team_id, user_id)
    VALUES ({sales}, {paul})$$), '42501',
      'add_team_member is refused to another organization''s owner');

-- update_team_member_role
INSERT INTO seeme.memberships (organization_id, team_id, user_id, role_id)
  VALUES (:acme, :sales, :paul, pg_temp.id('reader'));
SELECT pg_temp.needs('update_team_member_role', '{teams:read,models:read,models:list}',
  '{teams:update}',
  $$UPDATE seeme.team_members SET role_id = {lister} WHERE team_id = {sales} AND user_id = {paul}$$,
  '0 rows', '1 row');
SELECT pg_temp.needs('update_team_member_role', '{teams:read,models:read,models:list}',
  '{organizations:manage_members}',
  $$UPDATE seeme.team_members SET role_id = {lister} WHERE team_id = {sales} AND user_id = {paul}$$,
  '0 rows', '1 row');
SELECT is(
  pg_temp.rows('adam', $$UPDATE seeme.team_members SET role_id = {Viewer} WHERE team_id = {sales}
    AND user_id = {paul} RETURNING username, role_name$$), '{paul|Viewer}',
    'update_team_member_role answers with the member as it is now');
SELECT is(
  pg_temp.try('tess', $$UPDATE seeme.team_members SET role_id = {Admin} WHERE user_id = {tess}$$),
  '0 rows', 'update_team_member_role is refused for oneself');

-- remove_team_member
SELECT pg_temp.needs('remove_team_member', '{teams:read,models:read}', '{teams:update}',
  $$DELETE FROM seeme.team_members WHERE team_id = {sales} AND user_id = {paul}$$, '0 rows',
  '1 row');
SELECT pg_temp.needs('remove_team_member', '{teams:read,models:read}',
  '{organizations:manage_members}', $$DELETE FROM seeme.team_members WHERE team_id = {sales}
    AND user_id = {paul}$$, '0 rows', '1 row');
SELECT is(
  pg_temp.rows('adam', $$DELETE FROM seeme.team_members WHERE team_id = {sales}
    AND user_id = {paul}$$, $$SELECT count(*) FROM seeme.organization_members
    WHERE user_id = {paul}$$), '{1}', 'remove_team_member leaves the member in the organization');
SELECT is(
  pg_temp.try('paul', $$DELETE FROM seeme.team_members WHERE team_id = {sales}
    AND user_id = {paul}$$), '1 row', 'remove_team_member works for leaving');

SELECT * FROM finish();
ROLLBACK;
