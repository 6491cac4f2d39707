\i test/include/prelude.psql
-- The rules that no one may break: what somebody might try in order to get more than was given to
-- them, or to take from others what they may not, and that each is refused while the honest form of
-- the same statement works.
BEGIN;
\i test/include/people.psql
\i test/include/asking.psql
SELECT plan(176);

INSERT INTO seeme.roles (id, organization_id, name, permissions) VALUES
  ('e0000000-0000-4000-8000-0000000000a1', :acme, 'Reader', '{models:read}'),
  ('e0000000-0000-4000-8000-0000000000a2', :acme, 'Deleter',
  '{models:read,models:delete,graphs:delete}'),
  ('e0000000-0000-4000-8000-0000000000a3', :acme, 'Marker', '{annotations:*}'),
  ('e0000000-0000-4000-8000-0000000000a4', :acme, 'All', '{*}');
INSERT INTO thing VALUES ('reader', 'e0000000-0000-4000-8000-0000000000a1'),
  ('deleter', 'e0000000-0000-4000-8000-0000000000a2'),
  ('marker', 'e0000000-0000-4000-8000-0000000000a3'),
  ('all', 'e0000000-0000-4000-8000-0000000000a4');

-- Rule 1: handing out more than one holds
SELECT pg_temp.hold('{organizations:read,organizations:manage_members,models:read}') \g /dev/null
SELECT is(
  pg_temp.try('nora', $$UPDATE seeme.organization_members SET role_id = {reader}
    WHERE user_id = {paul}$$), '1 row', 'a role whose codes one holds may be handed out');
SELECT is(
  pg_temp.try('nora', $$UPDATE seeme.organization_members SET role_id = {deleter}
    WHERE user_id = {paul}$$), '42501', 'threat: handing out a role that holds more than oneself');
SELECT ok(c LIKE '42501:%' AND c LIKE '%models:delete%' AND c LIKE '%graphs:delete%'
  AND c NOT LIKE '%models:read%', 'the refusal names what is missing, and only that')
  FROM pg_temp.complaint('nora', $$UPDATE seeme.organization_members SET role_id = {deleter}
    WHERE user_id = {paul}$$) AS c;
SELECT is(
  pg_temp.try('nora', $$UPDATE seeme.organization_members SET role_id = {deleter}
    WHERE user_id = {nora}$$), '42501', 'threat: giving oneself a better role');
SELECT is(
  pg_temp.try('nora', $$INSERT INTO seeme.organization_members (organization_id, user_id, role_id)
    VALUES ({acme}, {stan}, {deleter})$$), '42501',
      'threat: letting somebody in with a better role');
SELECT is(
  pg_temp.try('nora', $$INSERT INTO seeme.organization_members (organization_id, user_id, role_id)
    VALUES ({acme}, {stan}, {reader})$$), '1 row', 'while one''s own is well');
SELECT is(
  pg_temp.try('nora', $$INSERT INTO seeme.project_members (project_id, user_id, role_id)
    VALUES ({gamma}, {nora}, {deleter})$$), '42501',
      'threat: giving oneself a better role in a project');
SELECT is(
  pg_temp.try('nora', $$INSERT INTO seeme.team_members (team_id, user_id, role_id)
    VALUES ({sales}, {nora}, {Editor})$$), '42501',
      'threat: giving oneself a better role in a team');
SELECT is(
  pg_temp.try('nora', $$INSERT INTO seeme.project_members (project_id, user_id, role_id)
    VALUES ({gamma}, {tess}, {reader})$$), '1 row',
      'while a role that one holds above is well below');
SELECT pg_temp.hold('{}'), pg_temp.hold_in('alpha', '{projects:read,projects:update,models:read}')
  \g /dev/null
SELECT is(
  pg_temp.try('nora', $$INSERT INTO seeme.project_members (project_id, user_id, role_id)
    VALUES ({alpha}, {tess}, {reader})$$), '1 row',
      'what is held in a project may be handed out there');
SELECT is(
  pg_temp.try('nora', $$INSERT INTO seeme.project_members (project_id, user_id, role_id)
    VALUES ({alpha}, {tess}, {deleter})$$), '42501',
      'threat: handing out in a project what one does not hold there');
SELECT is(
  pg_temp.try('nora', $$INSERT INTO seeme.project_members (project_id, user_id, role_id)
    VALUES ({beta}, {tess}, {reader})$$), '42501',
      'threat: handing out in another project what one holds in one''s own');
SELECT is(
  pg_temp.try('nora', $$INSERT INTO seeme.team_members (team_id, user_id, role_id)
    VALUES ({research}, {mike}, {reader})$$), '42501',
      'threat: handing out in the team what one holds in its project');
SELECT pg_temp.hold('{projects:update,projects:read}'),
  pg_temp.hold_in('alpha', '{models:delete,models:read,graphs:delete}') \g /dev/null
SELECT is(
  pg_temp.try('nora', $$INSERT INTO seeme.project_members (project_id, user_id, role_id)
    VALUES ({alpha}, {tess}, {deleter})$$), '1 row', 'codes of several levels count together');
SELECT is(
  pg_temp.try('nora', $$INSERT INTO seeme.project_members (project_id, user_id, role_id)
    VALUES ({gamma}, {tess}, {deleter})$$), '42501', 'where they are held');
SELECT pg_temp.hold_in('alpha', '{}') \g /dev/null
SELECT is(
  pg_temp.try('nora', $$INSERT INTO seeme.project_members (project_id, user_id, role_id)
    VALUES ({alpha}, {tess}, {reader})$$), '42501', 'and no longer once they are taken away');
UPDATE seeme.memberships SET valid_until = clock_timestamp() - interval '1 minute'
  WHERE user_id = :adam;
SELECT ok(
  pg_temp.try('adam', $$UPDATE seeme.organization_members SET role_id = {Viewer}
    WHERE user_id = {paul}$$) IN ('0 rows', '42501'),
    'threat: an Admin whose membership has ended');
UPDATE seeme.memberships SET valid_until = NULL WHERE user_id = :adam;

-- Rule 1: taking away
SELECT pg_temp.hold(
  '{organizations:read,organizations:manage_members,models:read,projects:read,teams:read}')
  \g /dev/null
INSERT INTO seeme.memberships (organization_id, user_id, role_id)
  VALUES (:acme, :stan, pg_temp.id('deleter')), (:acme, :gina, pg_temp.id('reader'));
SELECT is(pg_temp.try('nora', $$DELETE FROM seeme.organization_members WHERE user_id = {gina}$$),
  '1 row', 'who holds a role''s codes may take the role away');
SELECT is(pg_temp.try('nora', $$DELETE FROM seeme.organization_members WHERE user_id = {stan}$$),
  '42501', 'threat: throwing out somebody who holds more');
SELECT is(pg_temp.try('nora', $$DELETE FROM seeme.organization_members WHERE user_id = {adam}$$),
  '42501', 'threat: throwing out the Admin');
SELECT is(
  pg_temp.try('nora', $$UPDATE seeme.organization_members SET role_id = NULL
    WHERE user_id = {stan}$$), '42501', 'threat: taking away a role that holds more');
SELECT is(
  pg_temp.try('nora', $$UPDATE seeme.organization_members SET role_id = {reader}
    WHERE user_id = {stan}$$), '42501', 'threat: making it a lesser one');
SELECT is(
  pg_temp.try('nora', $$UPDATE seeme.memberships SET valid_until = now() WHERE user_id = {stan}$$),
  '42501', 'threat: ending it');
SELECT is(
  pg_temp.try('nora', $$UPDATE seeme.memberships SET valid_until = '2100-01-01'
    WHERE user_id = {gina} AND organization_id = {acme}$$), '1 row',
    'who holds a role''s codes may say until when');
SELECT is(pg_temp.try('nora', $$DELETE FROM seeme.team_members WHERE user_id = {tess}$$), '42501',
  'threat: taking an Editor out of the team');
SELECT is(pg_temp.try('nora', $$DELETE FROM seeme.project_members WHERE user_id = {paul}$$),
  '42501', 'threat: taking a Viewer out of the project');
SELECT is(pg_temp.try('stan', $$DELETE FROM seeme.organization_members WHERE user_id = {stan}$$),
  '1 row', 'leaving needs nothing');
SELECT is(pg_temp.try('tess', $$DELETE FROM seeme.team_members WHERE user_id = {tess}$$), '1 row',
  'nor does leaving a team');
SELECT is(
  pg_temp.try('edith', $$UPDATE seeme.memberships SET valid_until = NULL,
    role_id = {Admin} WHERE user_id = {edith}$$), '0 rows',
    'threat: changing one''s own membership');
UPDATE seeme.memberships SET valid_until = clock_timestamp() + interval '1 hour'
  WHERE user_id = :adam;
SELECT is(
  pg_temp.try('edith', $$UPDATE seeme.memberships SET valid_until = NULL WHERE user_id = {edith}$$),
  '0 rows', 'threat: prolonging it');
UPDATE seeme.memberships SET valid_until = NULL WHERE user_id = :adam;
UPDATE seeme.memberships SET valid_until = clock_timestamp() - interval '1 day'
  WHERE user_id = :stan;
SELECT is(
  pg_temp.try('nora', $$UPDATE seeme.memberships SET valid_until = NULL WHERE user_id = {stan}$$),
  '42501', 'threat: reviving an ended role that holds more');
DELETE FROM seeme.memberships WHERE user_id IN (:stan, :gina) AND organization_id = :acme;

-- Rule 1: a membership in the organization carries those in its teams and projects
SELECT pg_temp.hold('{organizations:read,organizations:manage_members}') \g /dev/null
SELECT is(pg_temp.try('nora', $$DELETE FROM seeme.organization_members WHERE user_id = {paul}$$),
  '42501',
  'threat: throwing out of the organization a member without a role there, but with one in a '
  'project');
SELECT is(
  pg_temp.try('nora', $$UPDATE seeme.memberships SET valid_until = now() WHERE user_id = {paul}
    AND project_id IS NULL$$), '42501',
    'threat: ending such a membership, and with it what is held in the project');
SELECT is(
  pg_temp.try('nora', $$UPDATE seeme.memberships SET valid_from = '2100-01-01'
    WHERE user_id = {tess} AND team_id IS NULL$$), '42501', 'threat: putting it off');
UPDATE seeme.memberships SET valid_until = '2020-01-01' WHERE user_id = :tess AND team_id IS NULL;
SELECT is(
  pg_temp.try('nora', $$UPDATE seeme.memberships SET valid_until = NULL WHERE user_id = {tess}
    AND team_id IS NULL$$), '42501',
    'threat: reviving one, and with it a role in a team that holds more');
SELECT is(
  pg_temp.try('adam', $$UPDATE seeme.memberships SET valid_until = NULL WHERE user_id = {tess}
    AND team_id IS NULL$$), '1 row', 'while who holds it all may');
UPDATE seeme.memberships SET valid_until = NULL WHERE user_id = :tess AND team_id IS NULL;
SELECT is(pg_temp.try('tess', $$DELETE FROM seeme.organization_members WHERE user_id = {tess}$$),
  '1 row', 'and whoever leaves the organization leaves its teams');
SELECT is(
  pg_temp.rows('adam',
  $$INSERT INTO seeme.memberships (organization_id, team_id, user_id, created_by)
    VALUES ({acme}, {sales}, {paul}, {olga})$$,
      $$SELECT created_by = {adam} FROM seeme.memberships WHERE team_id = {sales}$$), '{true}',
      'threat: adding a member in another''s name');

-- Rule 1: what roles hold
SELECT pg_temp.hold(
  '{roles:read,roles:create,roles:update,roles:delete,models:read,annotations:create,'
  'annotations:update,annotations:delete}') \g /dev/null
SELECT is(
  pg_temp.try('nora', $$INSERT INTO seeme.roles (organization_id, name, permissions)
    VALUES ({acme}, 'New', '{models:read}')$$), '1 row',
      'a role may be made of codes that one holds');
SELECT is(
  pg_temp.try('nora', $$INSERT INTO seeme.roles (organization_id, name, permissions)
    VALUES ({acme}, 'New', '{models:read,models:delete}')$$), '42501',
      'threat: making a role of more');
SELECT matches(pg_temp.complaint(
  'nora', $$INSERT INTO seeme.roles (organization_id, name, permissions)
    VALUES ({acme}, 'New', '{models:read,models:delete}')$$), '^42501: .*models:delete',
      'the refusal names the code');
SELECT is(
  pg_temp.try('nora', $$UPDATE seeme.roles SET permissions = permissions || '{models:delete}'
    WHERE name = 'Just this'$$), '42501', 'threat: adding to a role that one holds oneself');
SELECT is(
  pg_temp.try('nora', $$UPDATE seeme.roles SET permissions = '{*}' WHERE name = 'Just this'$$),
  '42501', 'threat: making one''s own role everything');
SELECT is(
  pg_temp.try('nora', $$UPDATE seeme.roles SET permissions = '{models:read,models:delete}'
    WHERE id = {reader}$$), '42501', 'threat: adding to another''s role what one does not hold');
SELECT is(
  pg_temp.try('nora', $$UPDATE seeme.roles SET permissions = '{models:read}'
    WHERE id = {deleter}$$), '42501', 'threat: taking out of a role what one does not hold');
SELECT is(pg_temp.try('nora', $$DELETE FROM seeme.roles WHERE id = {deleter}$$), '42501',
  'threat: removing a role that holds more');
SELECT is(pg_temp.try('nora', $$DELETE FROM seeme.roles WHERE id = {reader}$$), '1 row',
  'while a role of codes that one holds may go');
SELECT is(
  pg_temp.try('nora', $$INSERT INTO seeme.roles (organization_id, name, permissions)
    VALUES ({acme}, 'New', '{annotations:create,annotations:update,annotations:delete}')$$),
      '1 row', 'every action of a resource, one by one, may be handed on one by one');
SELECT is(
  pg_temp.try('nora', $$INSERT INTO seeme.roles (organization_id, name, permissions)
    VALUES ({acme}, 'New', '{annotations:*}')$$), '42501',
      'threat: making them the wildcard, which will hold what comes later');
SELECT is(
  pg_temp.try('nora', $$INSERT INTO seeme.roles (organization_id, name, permissions)
    VALUES ({acme}, 'New', '{*:read}')$$), '42501', 'threat: *:read made of one read');
SELECT is(pg_temp.try('nora', $$DELETE FROM seeme.roles WHERE id = {marker}$$), '42501',
  'threat: taking a wildcard away without holding it');
SELECT pg_temp.hold(
  '{organizations:read,organizations:manage_members,annotations:create,annotations:update,'
  'annotations:delete}') \g /dev/null
SELECT is(
  pg_temp.try('nora', $$UPDATE seeme.organization_members SET role_id = {marker}
    WHERE user_id = {paul}$$), '42501',
    'threat: handing out a role that holds a wildcard of which one holds only the codes');
SELECT is(out.wildcard || ': ' || pg_temp.try(
  'nora', format($$INSERT INTO seeme.roles (organization_id, name, permissions)
    VALUES ({acme}, 'New', %L)$$, ARRAY[asked])), out.wildcard || ': ' || answer,
    format('who holds %s may hand out %s: %s', held, asked, answer))
  FROM (VALUES ('annotations:*', 'annotations:*', '1 row'),
  ('annotations:*', 'annotations:create', '1 row'), ('annotations:*', 'models:read', '42501'),
  ('annotations:*', '*', '42501'),
               ('*:read', '*:read', '1 row'), ('*:read', 'models:read', '1 row'),
               ('*:read', 'models:*', '42501'), ('*:read', '*:list', '42501'),
               ('*', 'annotations:*', '1 row'), ('*', '*:read', '1 row'), ('*', '*', '1 row'),
               ('datasets:*', 'dataset_labels:*', '42501'),
               ('datasets:*', 'dataset_labels:read', '42501')) AS v (held, asked, answer),
       LATERAL (SELECT held AS wildcard, pg_temp.hold(ARRAY['roles:create', held])) AS out;
SELECT pg_temp.hold('{}') \g /dev/null

-- An Admin hands out every other built-in role, and every resource's wildcard but the
-- organization's
SELECT is(pg_temp.try('adam', format(
  $$UPDATE seeme.organization_members SET role_id = {%s} WHERE user_id = {paul}$$, r)), '1 row',
  'an Admin hands out ' || r)
  FROM unnest(ARRAY['Admin','Editor','Contributor','Viewer','Member']) AS r;
SELECT matches(pg_temp.try('adam', format(
  $$UPDATE seeme.organization_members SET role_id = NULL WHERE role_id = {%s}$$, r)),
  '^[12] rows?$', 'an Admin takes away ' || r)
  FROM unnest(ARRAY['Admin','Editor','Contributor','Viewer','Member']) AS r;
SELECT is_empty($$SELECT r.resource FROM (
    SELECT DISTINCT resource FROM seeme.permissions WHERE name NOT LIKE '%*%') AS r
    WHERE (pg_temp.try('adam', format(
    $q$INSERT INTO seeme.roles (organization_id, name, permissions)
      VALUES ({acme}, 'New', '{%s:*}')$q$, r.resource)) = '1 row') <> (r.resource
      <> 'organizations')$$,
  'an Admin hands out every RESOURCE:* but organizations:*');
INSERT INTO seeme.permissions (name, description) VALUES ('planes:fly', 'Fly a plane');
SELECT is(
  pg_temp.try('adam', $$INSERT INTO seeme.roles (organization_id, name, permissions)
    VALUES ({acme}, 'New', '{planes:*}')$$), '1 row', 'kinds registered later included');
SELECT is(pg_temp.try('adam', format(
  $$INSERT INTO seeme.roles (organization_id, name, permissions) VALUES ({acme}, 'New', '{%s}')$$,
  w)), '42501', 'threat: an Admin hands out ' || w)
  FROM unnest(ARRAY['*','organizations:*','organizations:delete','*:delete']) AS w;
SELECT is(
  pg_temp.try('adam', $$UPDATE seeme.organization_members SET role_id = {all}
    WHERE user_id = {adam}$$), '42501', 'threat: an Admin takes a role that holds *');
SELECT is(
  pg_temp.try('olga', $$UPDATE seeme.organization_members SET role_id = {all}
    WHERE user_id = {adam}$$), '1 row', 'which the owner may give');

-- The owner
SELECT is(pg_temp.try('adam', $$DELETE FROM seeme.organization_members WHERE user_id = {olga}$$),
  '42501', 'threat: an Admin throws out the owner');
SELECT is(
  pg_temp.try('adam', $$UPDATE seeme.organization_members SET role_id = {Viewer}
    WHERE user_id = {olga}$$), '42501', 'threat: an Admin changes the owner''s role');
SELECT is(
  pg_temp.try('adam', $$UPDATE seeme.memberships SET valid_until = now() WHERE user_id = {olga}$$),
  '42501', 'threat: an Admin lets the owner''s membership end');
UPDATE seeme.memberships SET role_id = pg_temp.id('all') WHERE user_id = :vera;
SELECT is(pg_temp.try('vera', $$DELETE FROM seeme.organization_members WHERE user_id = {olga}$$),
  '42501', 'threat: somebody who holds * throws out the owner');
SELECT is(
  pg_temp.try('vera', $$UPDATE seeme.memberships SET valid_from = '2100-01-01'
    WHERE user_id = {olga}$$), '42501', 'threat: or puts off the owner''s membership');
SELECT is(
  pg_temp.try('olga', $$UPDATE seeme.organization_members SET role_id = {Viewer}
    WHERE user_id = {olga}$$), '42501', 'the owner keeps the role Owner');
SELECT is(
  pg_temp.try('adam', $$UPDATE seeme.organization_members SET role_id = {Owner}
    WHERE user_id = {adam}$$), '42501', 'threat: an Admin makes himself Owner');
SELECT is(
  pg_temp.try('olga', $$UPDATE seeme.organization_members SET role_id = {Owner}
    WHERE user_id = {adam}$$), '23514', 'the role Owner is on the owner''s membership alone');
SELECT is(
  pg_temp.try('olga', $$INSERT INTO seeme.team_members (team_id, user_id, role_id)
    VALUES ({research}, {adam}, {Owner})$$), '23514', 'nor is it given in a team');
SELECT is(
  pg_temp.try(NULL, $$INSERT INTO seeme.memberships (organization_id, user_id, role_id)
    VALUES ({acme}, {stan}, {Owner})$$), '23514', 'not by a superuser either');
SELECT ok(pg_temp.try(p, $$UPDATE seeme.organizations SET owner_id = {adam} WHERE id = {acme}$$) NOT
  LIKE '%row', 'threat: making oneself the owner by UPDATE, as ' || p)
  FROM unnest(ARRAY['adam','vera','olga']) AS p;
SELECT is((SELECT count(*) FROM seeme.memberships m
  JOIN seeme.organizations o ON o.id = m.organization_id AND o.owner_id = m.user_id
    WHERE m.role_id = pg_temp.id('Owner') AND m.team_id IS NULL AND m.project_id IS NULL),
    2::bigint, 'each organization''s owner is a member with the role Owner');
SELECT is((SELECT count(*) FROM seeme.memberships WHERE role_id = pg_temp.id('Owner')), 2::bigint,
  'and nobody else has it');
UPDATE seeme.memberships SET role_id = pg_temp.id('Viewer') WHERE user_id = :vera;

-- Nobody acts for a disabled owner until a database administrator reassigns the organization
UPDATE seeme.users SET disabled_at = '2020-01-01' WHERE id = :olga;
SELECT isnt(
  pg_temp.try('adam', $$UPDATE seeme.organizations SET owner_id = {adam} WHERE id = {acme}$$),
  '1 row', 'threat: an Admin takes over from a disabled owner');
SELECT is(pg_temp.rows(NULL, $$UPDATE seeme.organizations SET owner_id = {adam} WHERE id = {acme}$$,
    $$SELECT username, role_name FROM seeme.organization_members WHERE organization_id = {acme}
      AND (role_id = {Owner} OR user_id IN ({olga}, {adam})) ORDER BY username$$),
      '{adam|Owner,olga|Admin}',
  'a database administrator reassigns the organization, and the role Owner goes with it');
SELECT is(pg_temp.rows(NULL, $$UPDATE seeme.organizations SET owner_id = {stan} WHERE id = {acme}$$,
    $$SELECT username, role_name FROM seeme.organization_members WHERE organization_id = {acme}
      AND role_id = {Owner}$$), '{stan|Owner}',
  'even to somebody who was no member');
UPDATE seeme.users SET disabled_at = NULL WHERE id = :olga;

-- Moving a project changes who may do what in it
SELECT pg_temp.hold('{projects:read,projects:update}') \g /dev/null
SELECT is(
  pg_temp.try('nora', $$UPDATE seeme.projects SET team_id = {research} WHERE id = {gamma}$$),
  '42501', 'threat: moving a project to a team hands its people what one does not hold');
SELECT is(pg_temp.try('nora', $$UPDATE seeme.projects SET team_id = NULL WHERE id = {alpha}$$),
  '42501', 'threat: moving it out of the team takes from its people what one does not hold');
SELECT is(
  pg_temp.try('adam', $$UPDATE seeme.projects SET team_id = {research} WHERE id = {gamma}$$),
  '1 row', 'which is well for somebody who holds it all');
SELECT is(pg_temp.try('adam', $$UPDATE seeme.projects SET team_id = {sales} WHERE id = {alpha}$$),
  '1 row', 'there and back');
SELECT pg_temp.hold('{}'), pg_temp.hold_in('gamma', '{projects:read,projects:update}'),
  pg_temp.hold_in('sales', '{models:*}') \g /dev/null
SELECT isnt(pg_temp.try('nora', $$UPDATE seeme.projects SET team_id = {sales} WHERE id = {gamma}$$),
  '1 row', 'threat: moving a project to one''s own team, where one holds more');
SELECT pg_temp.hold_in('gamma', '{}'), pg_temp.hold_in('sales', '{}') \g /dev/null

-- Rule 2: assigning a resource is granting access to it
INSERT INTO thing SELECT 'res' || n, ('99000000-0000-4000-8000-00000000000' || n)::uuid
  FROM generate_series(1, 6) AS n;
INSERT INTO seeme.project_resources (project_id, resource_type, resource_id) VALUES
  (:beta, 'model', pg_temp.id('res1')), (:beta, 'workflow', pg_temp.id('res2')),
  (:delta, 'dataset', pg_temp.id('res3'));
CREATE FUNCTION pg_temp.assign(person text, kind text, res text, project text) RETURNS text
  LANGUAGE sql
AS $$ SELECT pg_temp.try(person, format(
  'INSERT INTO seeme.project_resources (project_id, resource_type, resource_id) VALUES ({%s}, %L, '
  '{%s})', project, kind, res)) $$;
SELECT pg_temp.hold_in('alpha',
  '{projects:read,projects:update,projects:create,models:*,workflows:*,datasets:*}') \g /dev/null
SELECT is(pg_temp.assign('nora', 'model', 'res1', 'alpha'), '42501',
  'threat: assigning somebody else''s model to one''s own project');
SELECT is(pg_temp.assign('nora', 'workflow', 'res2', 'alpha'), '42501',
  'threat: somebody else''s workflow');
SELECT is(pg_temp.assign('nora', 'dataset', 'res3', 'alpha'), '42501',
  'threat: another organization''s dataset');
SELECT is(pg_temp.assign('nora', 'model', 'res4', 'alpha'), '1 row',
  'while a new one is assigned where one may create');
SELECT pg_temp.hold_in('beta', '{models:read,models:update,models:delete,workflows:read}')
  \g /dev/null
SELECT is(pg_temp.assign('nora', 'model', 'res1', 'alpha'), '42501',
  'threat: a model that one may change but not share');
SELECT is(pg_temp.assign('nora', 'workflow', 'res2', 'alpha'), '42501',
  'threat: a workflow that one may only read');
SELECT pg_temp.hold_in('beta', '{models:share,workflows:update}') \g /dev/null
SELECT is(pg_temp.assign('nora', 'model', 'res1', 'alpha'), '1 row',
  'a model may be assigned by who may share it and update the project');
SELECT is(pg_temp.assign('nora', 'workflow', 'res2', 'alpha'), '1 row',
  'a workflow, which knows no share, by who may update it');
SELECT is(pg_temp.assign('nora', 'model', 'res1', 'gamma'), '42501',
  'threat: sharing it into a project that one may not update');
SELECT pg_temp.hold_in('beta', '{}') \g /dev/null
SELECT is(pg_temp.assign('nora', 'model', 'res1', 'alpha'), '42501',
  'and no longer once the right to share is taken away');
SELECT pg_temp.hold_in('alpha',
  '{projects:read,projects:update,models:read,models:update,models:share}') \g /dev/null
SELECT is(pg_temp.assign('nora', 'model', 'res4', 'alpha'), '42501',
  'threat: claiming a resource never assigned before, without create');
SELECT pg_temp.hold_in('alpha', '{projects:read,models:*}') \g /dev/null
SELECT is(pg_temp.assign('nora', 'model', 'res4', 'alpha'), '42501',
  'threat: assigning to a project that one may not update');
SELECT pg_temp.hold_in('alpha', '{projects:read,projects:update,datasets:create}') \g /dev/null
SELECT is(pg_temp.assign('nora', 'model', 'res4', 'alpha'), '42501',
  'threat: claiming a model with the right to create datasets');
INSERT INTO seeme.project_resources (project_id, resource_type, resource_id)
  VALUES (:beta, 'model', :nobody_known);
DELETE FROM seeme.project_resources WHERE resource_id = :nobody_known;
SELECT pg_temp.hold_in('alpha', '{projects:read,projects:update,models:create}') \g /dev/null
SELECT is(pg_temp.assign('nora', 'model', 'nobody_known', 'alpha'), '42501',
  'threat: claiming a resource that was somebody''s until it was taken out of its project');
SELECT is(pg_temp.assign('nora', 'model', 'res4', 'alpha'), '1 row',
  'while one that never was in any may be');
SELECT is(pg_temp.assign('adam', 'model', 'res1', 'gamma'), '1 row',
  'an Admin shares within the organization');
SELECT is(pg_temp.assign('adam', 'dataset', 'res3', 'gamma'), '42501',
  'and nothing out of another');
SELECT is(pg_temp.assign('oscar', 'model', 'res1', 'delta'), '42501',
  'threat: another organization''s owner takes a model');
SELECT is(pg_temp.assign('adam', 'model', 'res1', 'delta'), '42501',
  'threat: an Admin puts one into another organization''s project');
SELECT is(pg_temp.assign(NULL, 'model', 'res1', 'delta'), '1 row',
  'a superuser with nobody identified passes, as a restore must');
SELECT is(pg_temp.assign('ghost', 'model', 'res4', 'alpha'), '42501',
  'an application with nobody identified does not');

-- Rule 2, where the resource has a row of its own in a protected table
CREATE TABLE t_graph (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), name text, created_by uuid);
CREATE TABLE t_flow (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), name text);
GRANT SELECT, INSERT, UPDATE, DELETE ON t_graph, t_flow TO t_app;
SELECT seeme_protect('t_graph', 'graphs', resource_id_column => 'id', owner_column => 'created_by')
  \g /dev/null
SELECT seeme_protect('t_flow', 'workflows', resource_id_column => 'id') \g /dev/null
INSERT INTO t_graph VALUES (pg_temp.id('res5'), 'Nora''s graph', :nora),
  (pg_temp.id('res4'), 'Edith''s graph', :edith);
INSERT INTO t_flow VALUES (pg_temp.id('res6'), 'A flow');
SELECT pg_temp.hold_in('alpha', '{projects:read,projects:update,graphs:*,workflows:*}') \g /dev/null
SELECT is(pg_temp.assign('nora', 'graph', 'res5', 'alpha'), '1 row',
  'the owner of a row assigns it');
SELECT is(pg_temp.assign('nora', 'graph', 'res4', 'alpha'), '42501',
  'threat: claiming another''s row that is in no project yet');
SELECT is(pg_temp.assign('adam', 'graph', 'res4', 'alpha'), '42501', 'not even an Admin does');
SELECT is(pg_temp.assign('nora', 'workflow', 'res6', 'alpha'), '42501',
  'threat: claiming a row of a protected table without an owner column');
SELECT is(pg_temp.assign('adam', 'workflow', 'res6', 'alpha'), '42501',
  'which only privileged code assigns first');
SELECT is(pg_temp.assign(NULL, 'workflow', 'res6', 'alpha'), '1 row',
  'such as a superuser with nobody identified');
INSERT INTO seeme.project_resources (project_id, resource_type, resource_id)
  VALUES (:beta, 'workflow', pg_temp.id('res6'));
SELECT is(pg_temp.assign('nora', 'workflow', 'res6', 'alpha'), '42501',
  'once assigned it takes the right to change it');
SELECT is(pg_temp.assign('adam', 'workflow', 'res6', 'alpha'), '1 row', 'as it does of any other');
SELECT pg_temp.hold_in('alpha', '{}') \g /dev/null
SELECT is(pg_temp.assign('nora', 'graph', 'res5', 'alpha'), '42501',
  'the owner of a row needs the right to update the project, too');

-- Rule 3: nothing of one organization in another, whoever asks
CREATE TEMP TABLE crossing (what text, statement text);
INSERT INTO crossing VALUES
  ('a role of another organization',
  $$INSERT INTO seeme.memberships (organization_id, user_id, role_id)
    VALUES ({acme}, {stan}, {analyst})$$),
  ('a role of another organization, by UPDATE',
  $$UPDATE seeme.memberships SET role_id = {analyst} WHERE user_id = {vera}$$),
  ('a role of another organization in a team',
  $$INSERT INTO seeme.team_members (team_id, user_id, role_id)
    VALUES ({sales}, {vera}, {analyst})$$),
  ('a role of another organization in a project',
  $$INSERT INTO seeme.project_members (project_id, user_id, role_id)
    VALUES ({gamma}, {vera}, {analyst})$$),
  ('a project in a team of another organization',
  $$INSERT INTO seeme.projects (organization_id, team_id, name) VALUES ({acme}, {labs}, 'New')$$),
  ('moving a project to a team of another organization',
  $$UPDATE seeme.projects SET team_id = {labs} WHERE id = {alpha}$$),
  ('a membership in a team of another organization',
  $$INSERT INTO seeme.memberships (organization_id, team_id, user_id)
    VALUES ({acme}, {labs}, {vera})$$),
  ('a membership in a project of another organization',
  $$INSERT INTO seeme.memberships (organization_id, project_id, user_id)
    VALUES ({acme}, {delta}, {vera})$$),
  ('a team membership without one in the organization',
  $$INSERT INTO seeme.memberships (organization_id, team_id, user_id)
    VALUES ({acme}, {sales}, {stan})$$),
  ('a project membership without one in the organization',
  $$INSERT INTO seeme.memberships (organization_id, project_id, user_id)
    VALUES ({acme}, {gamma}, {stan})$$),
  ('a role that does not exist', $$UPDATE seeme.memberships SET role_id = {nobody_known}
    WHERE user_id = {vera}$$),
  ('a person who does not exist', $$INSERT INTO seeme.memberships (organization_id, user_id)
    VALUES ({acme}, {nobody_known})$$);
SELECT is(pg_temp.try(NULL, statement), '23503', 'not even a superuser: ' || what) FROM crossing;
SELECT is_empty($$SELECT p, what, pg_temp.try(p, statement) FROM crossing,
    unnest(ARRAY['olga','adam','oscar','gina']) AS p
    WHERE pg_temp.try(p, statement) NOT IN ('23503', '42501', '0 rows')$$,
  'threat: an owner or Admin of either organization tries any of these');
SELECT is(pg_temp.try('olga', statement), '23503', 'for the owner it is the same error: ' || what)
  FROM crossing WHERE what LIKE 'a role of another%';
SELECT is(pg_temp.complaint('olga', replace(statement, '<id>', wrong)),
  replace(pg_temp.complaint('olga', replace(statement, '<id>', '{nobody_known}')), :nobody_known,
  pg_temp.id(btrim(wrong, '{}'))::text),
    'what another organization has and what does not exist are the same error: ' || wrong)
  FROM (VALUES ('{analyst}', 'UPDATE seeme.memberships SET role_id = <id> WHERE user_id = {vera}'),
  ('{labs}',
  'INSERT INTO seeme.projects (organization_id, team_id, name) VALUES ({acme}, <id>, ''New'')'),
               ('{delta}',
               'INSERT INTO seeme.project_members (project_id, user_id) VALUES (<id>, {vera})'))
               AS v (wrong, statement);
CREATE TEMP TABLE fixed (what text, statement text);
INSERT INTO fixed VALUES
  ('a team moves to another organization', $$UPDATE seeme.teams SET organization_id = {globex}
    WHERE id = {sales}$$),
  ('a project moves to another organization',
  $$UPDATE seeme.projects SET organization_id = {globex} WHERE id = {gamma}$$),
  ('a role moves to another organization', $$UPDATE seeme.roles SET organization_id = {globex}
    WHERE id = {annotator}$$),
  ('a role becomes a built-in one', $$UPDATE seeme.roles SET organization_id = NULL
    WHERE id = {annotator}$$),
  ('a membership becomes somebody else''s', $$
    UPDATE seeme.memberships SET user_id = {stan} WHERE user_id = {vera}$$),
  ('a membership moves to another organization',
  $$UPDATE seeme.memberships SET organization_id = {globex} WHERE user_id = {vera}$$),
  ('a membership in the organization becomes one in a team',
  $$UPDATE seeme.memberships SET team_id = {sales} WHERE user_id = {vera}$$),
  ('a membership in a project becomes one in the organization',
  $$UPDATE seeme.memberships SET project_id = NULL WHERE user_id = {paul}
    AND project_id IS NOT NULL$$);
SELECT isnt(pg_temp.try(NULL, statement), '1 row', 'never, not even for a superuser: ' || what)
  FROM fixed;
SELECT is_empty($$SELECT p, what FROM fixed, unnest(ARRAY['olga','adam','oscar']) AS p
    WHERE pg_temp.try(p, statement) LIKE '%1 row'$$,
    'threat: an owner or Admin tries any of these');
SELECT isnt(pg_temp.try(NULL, $$UPDATE seeme.roles SET permissions = '{*}' WHERE id = {Member}$$),
  '1 row', 'a built-in role is changed by nobody, not even a superuser');
SELECT isnt(
  pg_temp.rows(NULL, $$UPDATE seeme.memberships SET role_id = NULL WHERE role_id = {Contributor}$$,
  $$DELETE FROM seeme.roles WHERE id = {Contributor} RETURNING name$$), '{Contributor}',
  'nor deleted');
SELECT is(pg_temp.try(NULL, $$DELETE FROM seeme.roles WHERE id = {annotator}$$), '23503',
  'a role in use is deleted by nobody');
SELECT is(pg_temp.try(NULL, $$DELETE FROM seeme.organizations WHERE id = {acme}$$), '1 row',
  'an organization takes everything inside along');
SELECT is(pg_temp.rows(NULL, $$DELETE FROM seeme.organizations WHERE id = {acme}$$,
  $$SELECT (SELECT count(*) FROM seeme.teams), (SELECT count(*) FROM seeme.projects),
    (SELECT count(*) FROM seeme.roles WHERE organization_id IS NOT NULL),
    (SELECT count(*) FROM seeme.memberships),
    (SELECT count(*) FROM seeme.project_resources WHERE project_id <> {delta}),
    (SELECT count(*) FROM seeme.users WHERE database_role LIKE 't\_%')$$), '{1|1|1|2|0|14}',
    'its teams, projects, roles, memberships and assignments, and no person');

-- Rule 5: no error says whether something hidden exists
SELECT is(pg_temp.complaint('gina', replace(statement, '<id>', '{acme}')) IS NOT DISTINCT
  FROM replace(pg_temp.complaint('gina', replace(statement, '<id>', '{nobody_known}')),
  :nobody_known, :acme), true,
    'an organization out of reach and one that does not exist are the same: '
    || split_part(statement, ' ', 3))
  FROM unnest(ARRAY['INSERT INTO seeme.teams (organization_id, name) VALUES (<id>, ''New'')',
  'INSERT INTO seeme.roles (organization_id, name, permissions) VALUES '
  '(<id>, ''New'', ''{organizations:read}'')',
                    'INSERT INTO seeme.projects (organization_id, name) VALUES (<id>, ''New'')',
                    'INSERT INTO seeme.organization_members (organization_id, user_id) VALUES '
                    '(<id>, {gina})']) AS statement;
SELECT is(pg_temp.complaint('gina', replace(statement, '<id>', '{alpha}')) IS NOT DISTINCT
  FROM replace(pg_temp.complaint('gina', replace(statement, '<id>', '{nobody_known}')),
  :nobody_known, :alpha), true,
    'a project out of reach and one that does not exist are the same: '
    || split_part(statement, ' ', 3))
  FROM unnest(
  ARRAY['INSERT INTO seeme.project_resources (project_id, resource_type, resource_id) VALUES '
        '(<id>, ''model'', {nobody_known})',
        'INSERT INTO seeme.project_members (project_id, user_id) VALUES (<id>, {gina})'])
        AS statement;

SELECT * FROM finish();
ROLLBACK;
