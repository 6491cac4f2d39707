-- Whoever creates a team or project can work in it: organizations.creator_role_id.
\i test/include/prelude.psql
BEGIN;
\i test/include/people.psql
SELECT plan(39);

\set founder '''e0000000-0000-4000-8000-0000000000c1'''
\set lead    '''e0000000-0000-4000-8000-0000000000c2'''
\set blind   '''e0000000-0000-4000-8000-0000000000c4'''
\set drafter '''e0000000-0000-4000-8000-0000000000c3'''
-- Nora may create teams and projects and see them, and nothing else. Mike has the same in the team
-- Research.
INSERT INTO seeme.roles (id, organization_id, name, permissions) VALUES
  (:founder, :acme, 'Founder', '{teams:create,teams:read,projects:create,projects:read}'),
  (:lead, :acme, 'Lead', '{projects:read,projects:update,datasets:*}'),
  (:drafter, :globex, 'Drafter', '{datasets:*}');
UPDATE seeme.memberships SET role_id = :founder
 WHERE organization_id = :acme AND user_id = :nora AND team_id IS NULL AND project_id IS NULL;
INSERT INTO seeme.memberships (organization_id, team_id, user_id, role_id)
  VALUES (:acme, :research, :mike, :founder);

-- What a membership of the asking person says of a team or project that was created.
CREATE FUNCTION pg_temp.seat(container uuid) RETURNS text LANGUAGE sql STABLE SECURITY DEFINER AS $$
  SELECT string_agg(concat_ws(' ', u.username, r.name, 'by', c.username), ', ' ORDER BY u.username)
    FROM seeme.memberships m JOIN seeme.users u ON u.id = m.user_id
    LEFT JOIN seeme.roles r ON r.id = m.role_id LEFT JOIN seeme.users c ON c.id = m.created_by
   WHERE container IN (m.team_id, m.project_id) $$;

SELECT is((SELECT array_agg(DISTINCT creator_role_id) FROM seeme.organizations),
  ARRAY[pg_temp.builtin('Admin')], 'by default the role is the built-in Admin');

-- The default
SELECT pg_temp.become('nora') \g /dev/null
INSERT INTO seeme.projects (organization_id, name) VALUES (:acme, 'Noras')
  RETURNING id AS noras \gset
SELECT is(pg_temp.seat(:'noras'), 'nora Admin by nora',
  'whoever creates a project is a member of it in that role');
SELECT ok(seeme_has_permission('datasets:create', project => :'noras')
          AND seeme_has_permission('projects:delete', project => :'noras'),
  'and can work in the project');
SELECT ok(NOT seeme_has_permission('datasets:create', project => :gamma)
          AND NOT seeme_has_permission('datasets:create', organization => :acme),
  'but holds nothing more in other projects and in the organization');
SELECT lives_ok(format('UPDATE seeme.projects SET name = %L WHERE id = %L', 'Mine', :'noras'),
  'the creator changes the project');
SELECT is((SELECT name FROM seeme.projects WHERE id = :'noras'), 'Mine', 'and the change is there');
INSERT INTO seeme.teams (organization_id, name) VALUES (:acme, 'Noras')
  RETURNING id AS team \gset
SELECT is(pg_temp.seat(:'team'), 'nora Admin by nora', 'the same for a team');
INSERT INTO seeme.projects (team_id, name) VALUES (:'team', 'Of the team')
  RETURNING id AS inner \gset
SELECT is(pg_temp.seat(:'inner'), NULL,
  'a project in a team where the creator holds all of the role adds no membership');
SELECT ok(seeme_has_permission('datasets:create', project => :'inner'),
  'because the membership in the team counts there');

SELECT pg_temp.become('mike') \g /dev/null
INSERT INTO seeme.projects (team_id, name) VALUES (:research, 'Mikes')
  RETURNING id AS mikes \gset
SELECT is(pg_temp.seat(:'mikes'), 'mike Admin by mike',
  'somebody who may create projects only in a team gets a membership in the project');
SELECT pg_temp.become('olga') \g /dev/null
INSERT INTO seeme.projects (organization_id, name) VALUES (:acme, 'Olgas')
  RETURNING id AS olgas \gset
SELECT pg_temp.become('adam') \g /dev/null
INSERT INTO seeme.projects (organization_id, name) VALUES (:acme, 'Adams')
  RETURNING id AS adams \gset
SELECT is(concat(pg_temp.seat(:'olgas'), pg_temp.seat(:'adams')), '',
  'the owner and an Admin hold all of it already, and get no membership');

-- The setting
SELECT lives_ok(format('UPDATE seeme.organizations SET creator_role_id = %L WHERE id = %L',
  :lead, :acme), 'an Admin sets another role');
SELECT pg_temp.become('nora') \g /dev/null
INSERT INTO seeme.projects (organization_id, name)
  VALUES (:acme, 'Led'), (:acme, 'Led, too') RETURNING id AS led \g /dev/null
SELECT is((SELECT array_agg(pg_temp.seat(p.id)) FROM seeme.projects p WHERE p.name LIKE 'Led%'),
  '{nora Lead by nora,nora Lead by nora}', 'projects that are created from then on have that role');
SELECT is(pg_temp.seat(:'noras'), 'nora Admin by nora', 'earlier ones keep what they have');
SELECT pg_temp.become('olga') \g /dev/null
SELECT throws_ok(format('DELETE FROM seeme.roles WHERE id = %L', :lead), '23503',
  'role "Lead" is in use', 'a role that members have is in use');
DELETE FROM seeme.memberships WHERE role_id = :lead;
SELECT is((SELECT count(*) FROM seeme_review(:acme) WHERE finding = 'role is unused'
            AND subject_id = :lead::uuid), 0::bigint,
  'the review does not call a role unused that creators get');
SELECT throws_ok(format('DELETE FROM seeme.roles WHERE id = %L', :lead), '23503',
  'role "Lead" is in use', 'and nobody deletes it');
UPDATE seeme.organizations SET creator_role_id = NULL WHERE id = :acme;
SELECT pg_temp.become('nora') \g /dev/null
INSERT INTO seeme.projects (organization_id, name) VALUES (:acme, 'Alone')
  RETURNING id AS alone \gset
SELECT is(pg_temp.seat(:'alone'), NULL, 'null: the creator gets nothing');
SELECT pg_temp.become('olga') \g /dev/null
SELECT is((SELECT count(*) FROM seeme_review(:acme) WHERE finding = 'role is unused'
            AND subject_id = :lead::uuid), 1::bigint, 'the review calls the role unused then');
SELECT lives_ok(format('DELETE FROM seeme.roles WHERE id = %L', :lead), 'and it can be deleted');
SELECT is((SELECT count(*) FROM seeme.audit_log WHERE table_name = 'organizations'
            AND row_id = :acme AND before ? 'creator_role_id'
            AND before -> 'creator_role_id' <> after -> 'creator_role_id'), 2::bigint,
  'the audit log has each change of the setting');

-- What it may be
SELECT throws_ok(format('UPDATE seeme.organizations SET creator_role_id = %L WHERE id = %L',
  pg_temp.builtin('Owner'), :acme), '23514', NULL, 'never Owner');
SELECT throws_ok(format('UPDATE seeme.organizations SET creator_role_id = %L WHERE id = %L',
  :analyst, :acme), '23503', 'there is no such role in this organization',
  'never the role of another organization');
SELECT throws_ok(format('UPDATE seeme.organizations SET creator_role_id = %L WHERE id = %L',
  :nobody_known, :acme), '23503', 'there is no such role in this organization',
  'a role that does not exist gets the same error');
SELECT pg_temp.become(NULL) \g /dev/null
SELECT throws_ok(format('UPDATE seeme.organizations SET creator_role_id = %L WHERE id = %L',
  pg_temp.builtin('Owner'), :acme), '23514', NULL, 'nor does an administrator set Owner');
SELECT throws_ok(format('UPDATE seeme.organizations SET creator_role_id = %L WHERE id = %L',
  :analyst, :acme), '23503', NULL, 'or the role of another organization');
SELECT throws_ok(format($$INSERT INTO seeme.organizations (name, owner_id, creator_role_id)
  VALUES ('New', %L, %L)$$, :stan, :analyst), '23503', NULL,
  'a new organization has no role of its own yet');
SELECT throws_ok(format($$INSERT INTO seeme.organizations (name, owner_id, creator_role_id)
  VALUES ('New', %L, %L)$$, :stan, pg_temp.builtin('Owner')), '23514', NULL,
  'and does not begin with Owner');
SELECT pg_temp.become('stan') \g /dev/null
INSERT INTO seeme.organizations (name, creator_role_id)
  VALUES ('Stans', pg_temp.builtin('Editor')) RETURNING id AS stans \gset
SELECT is((SELECT creator_role_id FROM seeme.organizations WHERE id = :'stans'),
  pg_temp.builtin('Editor'), 'a person chooses the role when they create their organization');

-- Privileged code, and people who are not members
SELECT pg_temp.become(NULL) \g /dev/null
UPDATE seeme.organizations SET creator_role_id = DEFAULT WHERE id = :acme;
INSERT INTO seeme.projects (organization_id, name) VALUES (:acme, 'Nobodys')
  RETURNING id AS nobodys \gset
SELECT is(pg_temp.seat(:'nobodys'), NULL, 'privileged code gets no membership');
CREATE FUNCTION public.t_create(organization uuid) RETURNS uuid LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
  INSERT INTO seeme.projects (organization_id, name) VALUES (organization, 'By a function')
  RETURNING id $$;
SELECT pg_temp.become('stan') \g /dev/null
SELECT public.t_create(:acme) AS stranger \gset
SELECT pg_temp.become('vera') \g /dev/null
SELECT public.t_create(:acme) AS veras \gset
SELECT is(pg_temp.seat(:'stranger'), NULL,
  'a function of the application creates for somebody who is no member: no membership');
SELECT is(pg_temp.seat(:'veras'), 'vera Admin by vera',
  'and one for a member: the person whom it acts for has it');
SELECT pg_temp.become(NULL) \g /dev/null

-- INSERT ... RETURNING by somebody who may create projects, and see none
INSERT INTO seeme.roles (id, organization_id, name, permissions) VALUES
  (:blind, :acme, 'Blind', '{teams:create,projects:create}');
UPDATE seeme.memberships SET role_id = :blind
 WHERE organization_id = :acme AND user_id = :nora AND team_id IS NULL AND project_id IS NULL;
SELECT pg_temp.become('nora') \g /dev/null
INSERT INTO seeme.projects (organization_id, name) VALUES (:acme, 'Blind')
  RETURNING id AS blind_project \gset
SELECT is(pg_temp.seat(:'blind_project'), 'nora Admin by nora',
  'RETURNING shows a project to its creator, who sees no others');
SELECT results_eq(format($$INSERT INTO seeme.teams (organization_id, name)
  VALUES (%L, 'Blind 1'), (%L, 'Blind 2') RETURNING name$$, :acme, :acme),
  ARRAY['Blind 1', 'Blind 2'], 'and teams');
SELECT is((SELECT array_agg(name ORDER BY name) FROM seeme.projects), '{Blind,Mine,"Of the team"}',
  'those that they created are all that they see');
SELECT pg_temp.become(NULL) \g /dev/null
UPDATE seeme.organizations SET creator_role_id = NULL WHERE id = :acme;
SELECT pg_temp.become('nora') \g /dev/null
SELECT throws_ok(format($$INSERT INTO seeme.projects (organization_id, name)
  VALUES (%L, 'Unseen') RETURNING id$$, :acme), '42501', NULL,
  'without a membership to come, RETURNING is refused');
SELECT lives_ok(format($$INSERT INTO seeme.projects (organization_id, name)
  VALUES (%L, 'Unseen')$$, :acme), 'and INSERT alone works');
SELECT pg_temp.become(NULL) \g /dev/null
UPDATE seeme.organizations SET creator_role_id = DEFAULT WHERE id = :acme;

-- A key limits what is done with it, not what its user is a member of.
UPDATE seeme.memberships SET role_id = :founder WHERE organization_id = :acme AND user_id = :cora;
SELECT pg_temp.become('cora') \g /dev/null
SELECT key AS coras FROM seeme_create_api_key('ci', '{projects:create,projects:read}') \gset
SELECT pg_temp.become(NULL) \g /dev/null
SET ROLE t_app;
SELECT seeme_login(:'coras') = :cora::uuid AS logged_in \g /dev/null
INSERT INTO seeme.projects (organization_id, name) VALUES (:acme, 'Coras')
  RETURNING id AS coras \gset
SELECT is(pg_temp.seat(:'coras'), 'cora Admin by cora', 'a project created with an API key');
SELECT ok(NOT seeme_has_permission('datasets:create', project => :'coras'),
  'the key holds no more there than elsewhere');
RESET ROLE;
SELECT * FROM finish();
ROLLBACK;
