\i test/include/prelude.psql
-- The documented calls on organizations and their members, one SQL statement each: with the right,
-- without it, and once it is taken away again. An assertion bears the name of the call.
BEGIN;
\i test/include/people.psql
\i test/include/asking.psql
SELECT plan(48);

-- get_organizations
SELECT is(pg_temp.rows('nora', 'SELECT name FROM seeme.organizations ORDER BY name'), '{Acme}',
  'get_organizations lists those that the person is a member of');
SELECT is(pg_temp.rows('stan', 'SELECT name FROM seeme.organizations'), '{}',
  'get_organizations lists none to a member of none');
INSERT INTO seeme.memberships (organization_id, user_id) VALUES (:acme, :gina);
SELECT is(
  pg_temp.rows('gina',
  'SELECT name, slug, owner_id = {oscar}, has_logo FROM seeme.organizations ORDER BY name'),
  '{Acme|acme|false|false,Globex|globex|true|false}', 'get_organizations lists several');
DELETE FROM seeme.memberships WHERE organization_id = :acme AND user_id = :gina;
SELECT is(pg_temp.rows('gina', 'SELECT name FROM seeme.organizations'), '{Globex}',
  'get_organizations no longer lists one that was left');

-- create_organization
SELECT is(
  pg_temp.rows('stan', $$INSERT INTO seeme.organizations (name, description, slug, website)
    VALUES ('Acme AI', 'Our AI research team', 'acme-ai', 'https://acme.ai')
    RETURNING name, description, slug, website, owner_id = {stan}, has_logo$$),
  '{Acme AI|Our AI research team|acme-ai|https://acme.ai|true|false}',
  'create_organization works for anyone signed in, who becomes the owner');
SELECT is(pg_temp.rows('stan', $$INSERT INTO seeme.organizations (name) VALUES ('Solo')$$,
  $$SELECT m.role_name, m.username, o.slug FROM seeme.organization_members m
    JOIN seeme.organizations o ON o.id = m.organization_id$$),
  '{Owner|stan|solo}', 'create_organization makes its creator a member with the role Owner');
SELECT is(pg_temp.rows('stan', $$INSERT INTO seeme.organizations (name) VALUES ('Solo')$$,
    $$SELECT seeme_has_permission('*', organization => id) FROM seeme.organizations$$), '{true}',
    'create_organization gives its creator everything in it');
SELECT is(pg_temp.try('ghost', $$INSERT INTO seeme.organizations (name) VALUES ('Ghosts')$$),
  '42501', 'create_organization is refused with nobody signed in');
SELECT is(pg_temp.try('dora', $$INSERT INTO seeme.organizations (name) VALUES ('Doras')$$), '42501',
  'create_organization is refused to a disabled person');
SELECT is(
  pg_temp.try('stan', $$INSERT INTO seeme.organizations (name, owner_id)
    VALUES ('Gift', {edith})$$), '42501', 'create_organization makes nobody else the owner');

-- get_organization
SELECT is(pg_temp.rows('nora', 'SELECT name FROM seeme.organizations WHERE id = {acme}'), '{Acme}',
  'get_organization works for a member');
SELECT is(pg_temp.rows('nora', 'SELECT name FROM seeme.organizations WHERE id = {globex}'), '{}',
  'get_organization finds nothing for anybody else');
SELECT is(pg_temp.rows('nora', 'SELECT name FROM seeme.organizations WHERE slug = ''acme'''),
  '{Acme}', 'get_organization works by slug');

-- update_organization
SELECT pg_temp.needs('update_organization', '{organizations:read}', '{organizations:update}',
  $$UPDATE seeme.organizations SET description = 'Leading AI research team' WHERE id = {acme}$$,
  '0 rows', '1 row');
SELECT is(
  pg_temp.rows('adam', $$UPDATE seeme.organizations SET description = 'Leading AI research team',
    name = 'Acme Labs', website = NULL WHERE id = {acme} RETURNING name, description, slug$$),
  '{Acme Labs|Leading AI research team|acme}',
  'update_organization answers with the organization as it is now');
SELECT is(
  pg_temp.try('adam', $$UPDATE seeme.organizations SET description = 'Ours' WHERE id = {globex}$$),
  '0 rows', 'update_organization is refused in another organization');

-- delete_organization
SELECT pg_temp.needs('delete_organization', '{organizations:read,organizations:update}',
  '{organizations:delete}',
  $$DELETE FROM seeme.organizations WHERE id = {acme}$$, '0 rows', '1 row');
SELECT is(pg_temp.try('olga', $$DELETE FROM seeme.organizations WHERE id = {acme}$$), '1 row',
  'delete_organization works for the owner');
SELECT is(pg_temp.try('adam', $$DELETE FROM seeme.organizations WHERE id = {acme}$$), '0 rows',
  'delete_organization is refused to an Admin');
SELECT is(pg_temp.try('oscar', $$DELETE FROM seeme.organizations WHERE id = {acme}$$), '0 rows',
  'delete_organization is refused to another organization''s owner');

-- get_organization_members
SELECT is(
  pg_temp.rows('vera', $$SELECT username, role_name, email, firstname,
    name FROM seeme.organization_members WHERE organization_id = {acme} AND username < 'd'
    ORDER BY username$$),
  '{adam|Admin|adam@example.com|Adam|Test,ann|null|ann@example.com|Ann|Test,'
  'cora|Contributor|cora@example.com|Cora|Test}',
  'get_organization_members shows the documented properties');
SELECT is(
  pg_temp.rows('nora', $$SELECT username FROM seeme.organization_members
    WHERE organization_id = {acme}$$), '{nora}',
    'get_organization_members shows only oneself without the right');
SELECT pg_temp.hold('{organizations:read}') \g /dev/null
SELECT is(
  pg_temp.rows('nora', $$SELECT count(*), count(DISTINCT user_id),
    count(email) FROM seeme.organization_members WHERE organization_id = {acme}$$), '{11|11|11}',
    'get_organization_members shows everybody with organizations:read');
SELECT is(
  pg_temp.rows('nora', $$SELECT role_name FROM seeme.organization_members
    WHERE username IN ('olga', 'vera', 'nora') ORDER BY username$$), '{Just this,Owner,Viewer}',
    'get_organization_members shows the roles'' names without any right to roles');
SELECT pg_temp.hold('{}') \g /dev/null
SELECT is(pg_temp.rows('nora', $$SELECT count(*) FROM seeme.organization_members$$), '{1}',
  'get_organization_members shows only oneself again once the right is taken away');
SELECT is(
  pg_temp.rows('gina', $$SELECT count(*) FROM seeme.organization_members
    WHERE organization_id = {acme}$$), '{0}',
    'get_organization_members shows nothing of another organization');

-- update_organization_member_role
INSERT INTO seeme.roles (id, organization_id, name, permissions)
  VALUES ('e0000000-0000-4000-8000-0000000000a1', :acme, 'Reader', '{models:read}');
INSERT INTO thing VALUES ('reader', 'e0000000-0000-4000-8000-0000000000a1');
SELECT pg_temp.needs('update_organization_member_role', '{organizations:read,models:read}',
  '{organizations:manage_members}',
  $$UPDATE seeme.organization_members SET role_id = {reader} WHERE organization_id = {acme}
    AND user_id = {paul}$$, '0 rows', '1 row');
SELECT is(
  pg_temp.rows('adam', $$UPDATE seeme.organization_members SET role_id = {Editor}
    WHERE organization_id = {acme} AND user_id = {vera} RETURNING username, role_name$$),
  '{vera|Editor}', 'update_organization_member_role answers with the member as it is now');
SELECT is(
  pg_temp.rows('adam', $$UPDATE seeme.organization_members SET role_id = {Viewer}
    WHERE id = (SELECT id FROM seeme.organization_members WHERE username = 'edith')
    RETURNING username, role_name$$),
  '{edith|Viewer}', 'update_organization_member_role works by the member''s id');
SELECT is(
  pg_temp.rows('adam', $$UPDATE seeme.organization_members SET role_id = NULL
    WHERE username = 'edith' RETURNING username, role_name IS NULL$$),
  '{edith|true}', 'update_organization_member_role may take the role away');
SELECT is(
  pg_temp.try('oscar', $$UPDATE seeme.organization_members SET role_id = {Viewer}
    WHERE user_id = {edith}$$), '0 rows',
    'update_organization_member_role is refused in another organization');
SELECT is(
  pg_temp.try('edith', $$UPDATE seeme.organization_members SET role_id = {Admin}
    WHERE user_id = {edith}$$), '0 rows', 'update_organization_member_role is refused for oneself');

-- remove_organization_member
INSERT INTO seeme.memberships (organization_id, user_id) VALUES (:acme, :stan);
SELECT pg_temp.needs('remove_organization_member', '{organizations:read}',
  '{organizations:manage_members}',
  $$DELETE FROM seeme.organization_members WHERE organization_id = {acme} AND user_id = {stan}$$,
  '0 rows', '1 row');
SELECT is(
  pg_temp.rows('adam', $$DELETE FROM seeme.organization_members WHERE organization_id = {acme}
    AND username = 'edith'$$, $$SELECT count(*) FROM seeme.memberships WHERE user_id = {edith}$$),
    '{0}',
  'remove_organization_member leaves nothing of the member');
SELECT is(
  pg_temp.rows('adam', $$DELETE FROM seeme.organization_members WHERE user_id = {tess}
    RETURNING username$$), '{tess}', 'remove_organization_member answers with who was removed');
SELECT is(
  pg_temp.try('adam', $$DELETE FROM seeme.organization_members WHERE organization_id = {globex}$$),
  '0 rows', 'remove_organization_member is refused in another organization');

-- adding one who has an account, which the SDK does by inviting
SELECT pg_temp.hold('{organizations:read,organizations:manage_members}') \g /dev/null
SELECT is(
  pg_temp.try('nora', $$INSERT INTO seeme.organization_members (organization_id, user_id)
    VALUES ({acme}, {gina})$$), '1 row',
      'a member may be added to the view, with organizations:manage_members');
SELECT is(
  pg_temp.rows('nora', $$INSERT INTO seeme.organization_members (organization_id, user_id)
    VALUES ({acme}, {gina}) RETURNING user_id = {gina}, role_id$$), '{true|null}',
      'and is returned');
SELECT pg_temp.hold('{organizations:read}') \g /dev/null
SELECT is(
  pg_temp.try('nora', $$INSERT INTO seeme.organization_members (organization_id, user_id)
    VALUES ({acme}, {gina})$$), '42501', 'and not without');
SELECT is(
  pg_temp.try('gina', $$INSERT INTO seeme.organization_members (organization_id, user_id, role_id)
    VALUES ({acme}, {gina}, {Admin})$$), '42501', 'nobody lets themselves in');

SELECT * FROM finish();
ROLLBACK;
