\i test/include/prelude.psql
-- The extension's own rows: who may see, add, change and remove which. Each line tries one
-- statement as everybody of the cast and compares those for whom it works with those who should be
-- able to, worked out in plain SQL.
BEGIN;
\i test/include/people.psql
\i test/include/asking.psql
\i test/include/oracle.psql
SELECT plan(109);

-- The people who hold one of the codes where it is asked for ('acme/teams:create'), and those named
-- besides
CREATE FUNCTION pg_temp.should(besides text[], VARIADIC wanted text[]) RETURNS text
  LANGUAGE sql AS $$
  SELECT string_agg(p.name, ' ' ORDER BY p.name)
    FROM unnest(
    ARRAY['adam','ann','cora','dora','edith','ghost','gina','mike','nora','olga','oscar','paul',
    'stan','tess','vera']) AS p (name)
   WHERE p.name = ANY (besides)
      OR EXISTS (SELECT FROM unnest(wanted) AS w, pg_temp.held(p.name) h
                  WHERE h.scope_id = pg_temp.id(split_part(w, '/', 1))
                  AND h.code = split_part(w, '/', 2))
$$;
\set signed_in '''adam ann cora edith gina mike nora olga oscar paul stan tess vera'''

-- A few rows more: a member of Sales and of Gamma without a role, a role nobody uses, a resource
INSERT INTO seeme.memberships (organization_id, team_id, user_id) VALUES (:acme, :sales, :mike);
INSERT INTO seeme.memberships (organization_id, project_id, user_id) VALUES (:acme, :gamma, :nora);
INSERT INTO seeme.roles (id, organization_id, name, permissions)
  VALUES ('e0000000-0000-4000-8000-0000000000a1', :acme, 'Unused', '{models:list}');
INSERT INTO thing VALUES ('unused', 'e0000000-0000-4000-8000-0000000000a1'),
  ('res', '99000000-0000-4000-8000-000000000001'), ('new', '99000000-0000-4000-8000-000000000002');
INSERT INTO seeme.project_resources (project_id, resource_type, resource_id)
  VALUES (:alpha, 'model', pg_temp.id('res'));

-- organizations
SELECT is(pg_temp.who('SELECT FROM seeme.organizations WHERE id = {acme}'),
  'adam ann cora edith mike nora olga paul tess vera', 'an organization is seen by any member');
SELECT is(pg_temp.who('SELECT FROM seeme.organizations WHERE id = {globex}'), 'gina oscar',
  'and by nobody else');
SELECT is(pg_temp.who('INSERT INTO seeme.organizations (name) VALUES (''Mine'')'), :signed_in,
  'an organization is added by anyone signed in');
SELECT is(
  pg_temp.who(
  'UPDATE seeme.organizations SET website = ''https://acme.example'' WHERE id = {acme}'),
  pg_temp.should('{}', 'acme/organizations:update'), 'and changed with organizations:update');
SELECT is(pg_temp.who('DELETE FROM seeme.organizations WHERE id = {acme}'),
  pg_temp.should('{}', 'acme/organizations:delete'), 'and removed with organizations:delete');

-- teams
SELECT is(pg_temp.who('SELECT FROM seeme.teams WHERE id = {research}'),
  pg_temp.should('{tess}', 'research/teams:list', 'research/teams:read'),
  'a team is seen by its members and with teams:list or teams:read');
SELECT is(pg_temp.who('SELECT FROM seeme.teams WHERE id = {sales}'),
  pg_temp.should('{mike}', 'sales/teams:list', 'sales/teams:read'),
  'even by a member without a role');
SELECT is(pg_temp.who('INSERT INTO seeme.teams (organization_id, name) VALUES ({acme}, ''New'')'),
  pg_temp.should('{}', 'acme/teams:create'),
  'a team is added with teams:create in the organization');
SELECT is(pg_temp.who('UPDATE seeme.teams SET description = ''Ours'' WHERE id = {research}'),
  pg_temp.should('{}', 'research/teams:update'), 'and changed with teams:update');
SELECT is(pg_temp.who('DELETE FROM seeme.teams WHERE id = {research}'),
  pg_temp.should('{}', 'research/teams:delete'), 'and removed with teams:delete');

-- projects
SELECT is(pg_temp.who('SELECT FROM seeme.projects WHERE id = {alpha}'),
  pg_temp.should('{ann,paul}', 'alpha/projects:list', 'alpha/projects:read'),
  'a project is seen by its members and with projects:list or projects:read');
SELECT is(pg_temp.who('SELECT FROM seeme.projects WHERE id = {gamma}'),
  pg_temp.should('{nora}', 'gamma/projects:list', 'gamma/projects:read'),
  'even by a member without a role');
SELECT is(pg_temp.who('SELECT FROM seeme.projects WHERE id = {delta}'),
  pg_temp.should('{}', 'delta/projects:list', 'delta/projects:read'),
  'and by nobody of another organization');
SELECT is(
  pg_temp.who('INSERT INTO seeme.projects (organization_id, name) VALUES ({acme}, ''New'')'),
  pg_temp.should('{}', 'acme/projects:create'),
  'a project is added with projects:create in the organization');
SELECT is(
  pg_temp.who(
  'INSERT INTO seeme.projects (organization_id, team_id, name) VALUES ({acme}, '
  '{research}, ''New'')'), pg_temp.should('{}', 'research/projects:create'), 'or in the team');
SELECT is(pg_temp.who('UPDATE seeme.projects SET description = ''Ours'' WHERE id = {alpha}'),
  pg_temp.should('{}', 'alpha/projects:update'), 'and changed with projects:update');
SELECT is(pg_temp.who('DELETE FROM seeme.projects WHERE id = {alpha}'),
  pg_temp.should('{}', 'alpha/projects:delete'), 'and removed with projects:delete');

-- organization memberships (of nora and gina, who have no role to hand out or take away)
SELECT is(pg_temp.who('SELECT FROM seeme.organization_members WHERE user_id = {nora}'),
  pg_temp.should('{nora}', 'acme/organizations:read'),
  'a membership in the organization is seen by oneself and with organizations:read');
SELECT is(
  pg_temp.who(
  'SELECT FROM seeme.memberships WHERE user_id = {nora} AND team_id IS NULL AND project_id IS '
  'NULL'), pg_temp.should('{nora}', 'acme/organizations:read'), 'in the table as in the view');
SELECT is(
  pg_temp.who(
  'INSERT INTO seeme.organization_members (organization_id, user_id) VALUES ({acme}, {gina})'),
  pg_temp.should('{}', 'acme/organizations:manage_members'),
  'and added with organizations:manage_members');
SELECT is(
  pg_temp.who('INSERT INTO seeme.memberships (organization_id, user_id) VALUES ({acme}, {gina})'),
  pg_temp.should('{}', 'acme/organizations:manage_members'), 'to the table as to the view');
SELECT is(
  pg_temp.who(
  'UPDATE seeme.memberships SET valid_until = ''2100-01-01'' WHERE user_id = {nora} AND project_id '
  'IS NULL'), pg_temp.should('{}', 'acme/organizations:manage_members'), 'and changed with it');
DELETE FROM seeme.memberships WHERE user_id = :nora AND project_id = :gamma;
SELECT is(pg_temp.who('DELETE FROM seeme.organization_members WHERE user_id = {nora}'),
  pg_temp.should('{nora}', 'acme/organizations:manage_members'),
  'and removed with it, or by leaving');
INSERT INTO seeme.memberships (organization_id, project_id, user_id) VALUES (:acme, :gamma, :nora);
SELECT is(pg_temp.who('DELETE FROM seeme.organization_members WHERE user_id = {olga}'), NULL,
  'the owner''s is removed by nobody');
SELECT is(pg_temp.try('olga', 'DELETE FROM seeme.organization_members WHERE user_id = {olga}'),
  '42501', 'not even by leaving');

-- team memberships (of mike and paul, without a role)
SELECT is(pg_temp.who('SELECT FROM seeme.team_members WHERE team_id = {sales}'),
  pg_temp.should('{mike}', 'sales/teams:read'),
  'a membership in a team is seen by oneself and with teams:read');
SELECT is(pg_temp.who('INSERT INTO seeme.team_members (team_id, user_id) VALUES ({sales}, {paul})'),
  pg_temp.should('{}', 'acme/organizations:manage_members', 'sales/teams:update'),
  'and added with organizations:manage_members or teams:update');
SELECT is(
  pg_temp.who('UPDATE seeme.memberships SET valid_until = ''2100-01-01'' WHERE team_id = {sales}'),
  pg_temp.should('{}', 'acme/organizations:manage_members', 'sales/teams:update'),
  'and changed with either');
SELECT is(pg_temp.who('DELETE FROM seeme.team_members WHERE team_id = {sales}'),
  pg_temp.should('{mike}', 'acme/organizations:manage_members', 'sales/teams:update'),
  'and removed with either, or by leaving');

-- project memberships (of nora and mike, without a role)
SELECT is(pg_temp.who('SELECT FROM seeme.project_members WHERE project_id = {gamma}'),
  pg_temp.should('{nora}', 'gamma/projects:read'),
  'a membership in a project is seen by oneself and with projects:read');
SELECT is(
  pg_temp.who('SELECT FROM seeme.project_members WHERE project_id = {alpha} AND user_id = {ann}'),
  pg_temp.should('{ann}', 'alpha/projects:read'), 'with projects:read held in that project');
SELECT is(
  pg_temp.who('INSERT INTO seeme.project_members (project_id, user_id) VALUES ({gamma}, {mike})'),
  pg_temp.should('{}', 'acme/organizations:manage_members', 'gamma/projects:update'),
  'and added with organizations:manage_members or projects:update');
SELECT is(
  pg_temp.who(
  'UPDATE seeme.memberships SET valid_until = ''2100-01-01'' WHERE project_id = {gamma}'),
  pg_temp.should('{}', 'acme/organizations:manage_members', 'gamma/projects:update'),
  'and changed with either');
SELECT is(pg_temp.who('DELETE FROM seeme.project_members WHERE project_id = {gamma}'),
  pg_temp.should('{nora}', 'acme/organizations:manage_members', 'gamma/projects:update'),
  'and removed with either, or by leaving');
SELECT pg_temp.hold('{organizations:manage_members,organizations:read,projects:read,teams:read}')
  \g /dev/null
SELECT is(
  pg_temp.try('nora',
  'UPDATE seeme.memberships SET valid_until = ''2100-01-01'' WHERE team_id = {sales}') || ', '
  || pg_temp.try('nora',
  'UPDATE seeme.memberships SET valid_until = ''2100-01-01'' WHERE project_id = {gamma}'),
  '1 row, 1 row',
  'who manages the organization''s members manages its teams'' and projects'' too');
SELECT pg_temp.hold('{teams:read,teams:update,organizations:read}') \g /dev/null
SELECT is(
  pg_temp.try('nora',
  'INSERT INTO seeme.memberships (organization_id, user_id) VALUES ({acme}, {gina})'), '42501',
  'teams:update does not manage the organization''s members');
SELECT is(
  pg_temp.try('nora',
  'INSERT INTO seeme.project_members (project_id, user_id) VALUES ({alpha}, {mike})'), '42501',
  'nor a project''s');
SELECT pg_temp.hold('{projects:read,projects:update,teams:read}') \g /dev/null
SELECT is(
  pg_temp.try('nora', 'INSERT INTO seeme.team_members (team_id, user_id) VALUES ({sales}, {paul})'),
  '42501', 'and projects:update no team''s');
SELECT pg_temp.hold('{}') \g /dev/null

-- roles
SELECT is(pg_temp.who('SELECT FROM seeme.roles WHERE id = {Viewer}'), :signed_in,
  'a built-in role is seen by anyone signed in');
SELECT is(pg_temp.who('SELECT FROM seeme.roles WHERE id = {annotator}'),
  pg_temp.should('{ann}', 'acme/roles:list', 'acme/roles:read'),
  'a custom role is seen by its holder and with roles:list or roles:read');
SELECT is(
  pg_temp.who(
  'INSERT INTO seeme.roles (organization_id, name, permissions) VALUES '
  '({acme}, ''New'', ''{models:list}'')'), pg_temp.should('{}', 'acme/roles:create'),
  'and added with roles:create');
SELECT is(
  pg_temp.who(
  'UPDATE seeme.roles SET permissions = ''{models:list,models:read}'' WHERE id = {unused}'),
  pg_temp.should('{}', 'acme/roles:update'), 'and changed with roles:update');
SELECT is(pg_temp.who('DELETE FROM seeme.roles WHERE id = {unused}'),
  pg_temp.should('{}', 'acme/roles:delete'), 'and removed with roles:delete');
SELECT is(pg_temp.who('DELETE FROM seeme.roles WHERE id = {annotator}'), NULL,
  'a role in use is removed by nobody');
SELECT is(
  pg_temp.who('UPDATE seeme.roles SET description = ''Mine'' WHERE organization_id IS NULL'), NULL,
  'a built-in role is changed by nobody');
SELECT is(pg_temp.who('DELETE FROM seeme.roles WHERE organization_id IS NULL AND id = {Member}'),
  NULL, 'nor removed');

-- permissions and resource types
SELECT is(pg_temp.who('SELECT FROM seeme.permissions WHERE name = ''models:read'''), :signed_in,
  'the catalogue is seen by anyone signed in');
SELECT is(
  pg_temp.who('INSERT INTO seeme.permissions (name, description) VALUES (''planes:fly'', ''Fly'')'),
  NULL, 'and added to by nobody without leave');
SELECT is(
  pg_temp.who('UPDATE seeme.permissions SET description = ''Mine'' WHERE name = ''models:read'''),
  NULL, 'nor changed');
SELECT is(pg_temp.who('DELETE FROM seeme.permissions WHERE name = ''models:read'''), NULL,
  'nor removed');
SELECT is(pg_temp.who('SELECT FROM seeme.resource_types WHERE name = ''model'''), :signed_in,
  'resource types are seen by anyone signed in');
SELECT is(
  pg_temp.who('INSERT INTO seeme.resource_types (name, resource) VALUES (''plane'', ''models'')'),
  NULL, 'and added to by nobody without leave');
SELECT is(
  pg_temp.who('UPDATE seeme.resource_types SET resource = ''datasets'' WHERE name = ''model'''),
  NULL, 'nor changed');
SELECT is(pg_temp.who('DELETE FROM seeme.resource_types WHERE name = ''graph'''), NULL,
  'nor removed');
GRANT INSERT, UPDATE, DELETE ON seeme.permissions TO t_edith;
SELECT is(
  pg_temp.who('INSERT INTO seeme.permissions (name, description) VALUES (''planes:fly'', ''Fly'')'),
  'edith', 'the extension''s owner may grant somebody to add to the catalogue');
INSERT INTO seeme.permissions (name, description) VALUES ('boats:sail', 'Sail');
SELECT is(
  pg_temp.who('UPDATE seeme.permissions SET description = ''Theirs'' WHERE name = ''boats:sail'''),
  'edith', 'and to change what was added');
SELECT is(pg_temp.who('DELETE FROM seeme.permissions WHERE name = ''boats:sail'''), 'edith',
  'and to remove it');
SELECT is(
  pg_temp.who('UPDATE seeme.permissions SET name = ''models:view'' WHERE name = ''models:read'''),
  NULL, 'but not to rename a documented code');
REVOKE INSERT, UPDATE, DELETE ON seeme.permissions FROM t_edith;
SELECT is(
  pg_temp.who('INSERT INTO seeme.permissions (name, description) VALUES (''planes:fly'', ''Fly'')'),
  NULL, 'and take that back');

-- users
SELECT is(pg_temp.who('SELECT FROM seeme.users WHERE id = {ann}'),
  pg_temp.should('{ann}', 'acme/organizations:read', 'alpha/projects:read'),
  'a person is seen by themselves and by those who see a membership of theirs');
SELECT is(pg_temp.who('SELECT FROM seeme.users WHERE id = {tess}'),
  pg_temp.should('{tess}', 'acme/organizations:read', 'research/teams:read'), 'a team''s is one');
SELECT is(pg_temp.who('SELECT FROM seeme.users WHERE id = {stan}'), 'stan',
  'a member of nothing is seen by nobody else');
SELECT is(pg_temp.rows('gina', 'SELECT username FROM seeme.users ORDER BY username'),
  '{gina,oscar}', 'nobody of another organization is seen');
SELECT is(
  pg_temp.who(
  'INSERT INTO seeme.users (username, email, firstname, name) VALUES '
  '(''zoe'', ''zoe@example.com'', ''Zoe'', ''Test'')'), NULL,
  'people are added by no application''s role that was not given that');
SELECT is(pg_temp.who('UPDATE seeme.users SET disabled_at = now() WHERE id = {vera}'), NULL,
  'nor disabled');
SELECT is(pg_temp.who('UPDATE seeme.users SET database_role = ''t_ghost'' WHERE id = {olga}'), NULL,
  'nor given another''s database role');
SELECT is(pg_temp.who('DELETE FROM seeme.users WHERE id = {stan}'), NULL, 'nor removed');

-- project resources
SELECT is(pg_temp.who('SELECT FROM seeme.project_resources WHERE project_id = {alpha}'),
  pg_temp.should('{}', 'alpha/projects:read'), 'an assignment is seen with projects:read');
SELECT is(
  pg_temp.who(
  'INSERT INTO seeme.project_resources (project_id, resource_type, resource_id) VALUES '
  '({alpha}, ''model'', {new})'), pg_temp.should('{}', 'alpha/projects:update'),
  'and added with projects:update, among other things');
SELECT is(
  pg_temp.who('UPDATE seeme.project_resources SET project_id = {gamma} WHERE resource_id = {res}'),
  NULL, 'and moved by nobody');
SELECT is(
  pg_temp.who('UPDATE seeme.project_resources SET resource_id = {new} WHERE resource_id = {res}'),
  NULL, 'nor made one of another resource');
SELECT is(pg_temp.who('DELETE FROM seeme.project_resources WHERE resource_id = {res}'),
  pg_temp.should('{}', 'alpha/projects:update'), 'and removed with projects:update');

-- the audit log
SELECT is_empty($$SELECT p FROM unnest(
    ARRAY['ann','cora','dora','edith','ghost','gina','mike','nora','paul','stan','tess','vera'])
    AS p
    WHERE pg_temp.try(p, 'SELECT FROM seeme.audit_log') NOT IN ('0 rows', '42501')$$,
    'the audit log is seen by nobody without organizations:manage_members');
SELECT ok(pg_temp.try('adam', 'DELETE FROM seeme.audit_log') IN ('0 rows', '42501')
  AND pg_temp.try('olga', 'DELETE FROM seeme.audit_log') IN ('0 rows', '42501'),
  'and removed by nobody');
SELECT ok(pg_temp.try('adam', 'TRUNCATE seeme.audit_log') = '42501'
  AND pg_temp.try('olga', 'TRUNCATE seeme.audit_log') = '42501', 'nor emptied');

-- logos
SELECT is(
  pg_temp.who($$INSERT INTO seeme.logos (organization_id, filename, media_type, content)
    VALUES ({acme}, 'logo.png', 'image/png',
      '\x89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c48900'
      '00000d49444154789c6260606060000000050001a5f645400000000049454e44ae426082')$$),
  pg_temp.should('{}', 'acme/organizations:update'),
  'an organization''s logo is added by who may change it');
INSERT INTO seeme.logos (organization_id, team_id, filename, media_type, content)
  VALUES (:acme, :research, 'logo.png', 'image/png',
    '\x89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c48900'
    '00000d49444154789c6260606060000000050001a5f645400000000049454e44ae426082');
SELECT is(pg_temp.who('SELECT FROM seeme.logos WHERE team_id = {research}'),
  pg_temp.who('SELECT FROM seeme.teams WHERE id = {research}'),
  'a team''s logo is seen by who sees the team');
SELECT is(pg_temp.who('DELETE FROM seeme.logos WHERE team_id = {research}'),
  pg_temp.should('{}', 'research/teams:update'), 'and removed by who may change it');
SELECT is(pg_temp.rows('tess', 'SELECT has_logo FROM seeme.teams WHERE id = {research}'), '{true}',
  'a team with a logo says so');
SELECT is(pg_temp.rows(NULL, 'DELETE FROM seeme.logos',
  'SELECT has_logo FROM seeme.teams WHERE id = {research}'), '{false}', 'and no longer without it');
DELETE FROM seeme.logos;

-- Nobody identified: no rows at all
SELECT is(pg_temp.try('ghost', 'SELECT FROM seeme.' || t), '0 rows',
  'with nobody identified there is no row in ' || t)
  FROM unnest(
  ARRAY['organizations','teams','projects','memberships','organization_members','team_members',
  'project_members','roles','permissions','resource_types','users','project_resources']) AS t;
SELECT is(pg_temp.try('dora', 'SELECT FROM seeme.' || t), '0 rows',
  'for a disabled person there is no row in ' || t)
  FROM unnest(
  ARRAY['organizations','teams','projects','memberships','organization_members','roles',
  'permissions','users','project_resources']) AS t;
SELECT is(pg_temp.who('UPDATE seeme.' || t || ' SET id = gen_random_uuid()'), NULL,
  'nobody changes an id in ' || t)
  FROM unnest(
  ARRAY['organizations','teams','projects','memberships','roles','project_resources','users']) AS t;
UPDATE seeme.memberships SET valid_until = clock_timestamp() - interval '1 day'
  WHERE user_id = :vera;
SELECT is(
  pg_temp.rows('vera',
  'SELECT (SELECT count(*) FROM seeme.teams), (SELECT count(*) FROM seeme.projects), (SELECT '
  'count(*) FROM seeme.users WHERE username <> ''vera''), (SELECT count(*) FROM seeme.roles WHERE '
  'organization_id IS NOT NULL)'), '{0|0|0|0}',
  'somebody whose membership has ended sees nothing of the organization');

SELECT * FROM finish();
ROLLBACK;
