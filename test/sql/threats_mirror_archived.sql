-- A mirrored table of the application says of each row what the row here says: also while an
-- organization, a team or a project is archived, in which nobody holds anything.
--
-- Each person tries the same things here and in the mirrored table. Everything that they try is
-- undone. Where the two answers differ, a test fails.
\i test/include/prelude.psql
BEGIN;
\i test/include/people.psql
SELECT plan(73);

-- The application
--   main: owner ms_owner; ms_admin Admin, ms_viewer Viewer, ms_remover deletes and changes nothing,
--         ms_team Editor in team crew, ms_project Viewer in project lone
--         team crew: project crewed;  no team: project lone
--   away: owner ms_outsider
CREATE SCHEMA app;
GRANT USAGE ON SCHEMA app TO t_app;
CREATE TABLE app.users (id uuid PRIMARY KEY, email text NOT NULL, note text);
CREATE TABLE app.organizations (id uuid PRIMARY KEY, title text NOT NULL, owner uuid NOT NULL,
  about text, note text, gone boolean NOT NULL DEFAULT false);
CREATE TABLE app.teams (id uuid PRIMARY KEY, org uuid NOT NULL, title text NOT NULL, about text,
  note text, gone boolean NOT NULL DEFAULT false);
CREATE TABLE app.projects (id uuid PRIMARY KEY, org uuid NOT NULL, team uuid, title text NOT NULL,
  about text, note text, gone boolean NOT NULL DEFAULT false);
CREATE TABLE app.organization_members (org uuid, person uuid, role text, note text);
CREATE TABLE app.team_members (team uuid, person uuid, role text, note text);
CREATE TABLE app.project_members (project uuid, person uuid, role text, note text);
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA app TO t_app;

CREATE TABLE app.id (name text PRIMARY KEY, id uuid NOT NULL);
INSERT INTO app.id
SELECT n, ('9000000' || CASE WHEN n LIKE 'ms%' THEN 'a' ELSE 'b' END
  || '-0000-4000-8000-0000000000' || lpad(to_hex(i), 2, '0'))::uuid
  FROM unnest('{ms_owner,ms_admin,ms_viewer,ms_remover,ms_team,ms_project,ms_outsider,ms_other,
    main,away,crew,far,crewed,lone,far_one,new,remover}'::text[]) WITH ORDINALITY AS v (n, i);
GRANT SELECT ON app.id TO t_app;
CREATE FUNCTION app.id(name text) RETURNS uuid LANGUAGE sql STABLE
RETURN (SELECT i.id FROM app.id i WHERE i.name = $1);
SELECT format('CREATE ROLE %I LOGIN IN ROLE t_app', 't_' || name) FROM app.id
 WHERE name LIKE 'ms\_%' \gexec

INSERT INTO app.users SELECT id, name || '@app.example' FROM app.id WHERE name LIKE 'ms\_%';
INSERT INTO app.organizations VALUES (app.id('main'), 'Main', app.id('ms_owner')),
  (app.id('away'), 'Away', app.id('ms_outsider'));
INSERT INTO app.teams VALUES (app.id('crew'), app.id('main'), 'Crew'),
  (app.id('far'), app.id('away'), 'Far');
INSERT INTO app.projects VALUES (app.id('crewed'), app.id('main'), app.id('crew'), 'Crewed'),
  (app.id('lone'), app.id('main'), NULL, 'Lone'), (app.id('far_one'), app.id('away'), NULL, 'One');
SELECT seeme_mirror('app.users', 'users', '{"id": "id", "email": "email"}', protect => true);
SELECT seeme_mirror('app.organizations', 'organizations',
  '{"id": "id", "name": "title", "owner_id": "owner", "description": "about"}',
  condition => 'NOT gone', protect => true);
SELECT seeme_mirror('app.teams', 'teams',
  '{"id": "id", "organization_id": "org", "name": "title", "description": "about"}',
  condition => 'NOT gone', protect => true);
SELECT seeme_mirror('app.projects', 'projects',
  '{"id": "id", "organization_id": "org", "team_id": "team", "name": "title",
    "description": "about"}', condition => 'NOT gone', protect => true);
SELECT seeme_mirror('app.organization_members', 'organization_members',
  '{"organization_id": "org", "user_id": "person", "role_id": "role"}', protect => true);
SELECT seeme_mirror('app.team_members', 'team_members',
  '{"team_id": "team", "user_id": "person", "role_id": "role"}', protect => true);
SELECT seeme_mirror('app.project_members', 'project_members',
  '{"project_id": "project", "user_id": "person", "role_id": "role"}', protect => true);
INSERT INTO seeme.roles (id, organization_id, name, permissions) VALUES
  (app.id('remover'), app.id('main'), 'Remover',
   '{organizations:read,organizations:delete,teams:read,teams:delete,'
   'projects:read,projects:delete}');
INSERT INTO app.organization_members VALUES (app.id('main'), app.id('ms_admin'), 'Admin'),
  (app.id('main'), app.id('ms_viewer'), 'Viewer'),
  (app.id('main'), app.id('ms_remover'), 'Remover'), (app.id('main'), app.id('ms_team'), NULL),
  (app.id('main'), app.id('ms_project'), NULL), (app.id('away'), app.id('ms_other'), 'Viewer');
INSERT INTO app.team_members VALUES (app.id('crew'), app.id('ms_team'), 'Editor'),
  (app.id('far'), app.id('ms_other'), 'Viewer');
INSERT INTO app.project_members VALUES (app.id('lone'), app.id('ms_project'), 'Viewer'),
  (app.id('far_one'), app.id('ms_other'), 'Viewer');
UPDATE seeme.users u SET database_role = 't_' || i.name FROM app.id i WHERE i.id = u.id;

-- What a person tries. {id} is each row's key; place is a member's organization, team or project.
CREATE TABLE app.attempt (kind text, action text, here text, there text);
INSERT INTO app.attempt
SELECT k || 's', v.action, replace(v.here, '{kind}', k), replace(v.there, '{kind}', k)
  FROM unnest('{organization,team,project}'::text[]) AS k, (VALUES
    ('read', 'SELECT FROM seeme.{kind}s WHERE id = {id}',
     'SELECT FROM app.{kind}s WHERE id = {id}'),
    ('lock', 'SELECT FROM seeme.{kind}s WHERE id = {id} FOR UPDATE',
     'SELECT FROM app.{kind}s WHERE id = {id} FOR UPDATE'),
    ('change', 'UPDATE seeme.{kind}s SET description = ''x'' WHERE id = {id}',
     'UPDATE app.{kind}s SET about = ''x'' WHERE id = {id}'),
    ('change what is not mirrored', 'UPDATE seeme.{kind}s SET description = ''x'' WHERE id = {id}',
     'UPDATE app.{kind}s SET note = ''x'' WHERE id = {id}'),
    ('change unread rows', 'UPDATE seeme.{kind}s SET description = ''x''',
     'UPDATE app.{kind}s SET note = ''x'''),
    ('remove', 'DELETE FROM seeme.{kind}s WHERE id = {id}',
     'DELETE FROM app.{kind}s WHERE id = {id}'),
    ('remove unread rows', 'DELETE FROM seeme.{kind}s', 'DELETE FROM app.{kind}s'),
    ('archive',
     'UPDATE seeme.{kind}s SET archived_at = now() WHERE id = {id} AND archived_at IS NULL',
     'UPDATE app.{kind}s SET gone = true WHERE id = {id} AND NOT gone'),
    ('archive and change',
     'UPDATE seeme.{kind}s SET archived_at = now(), description = ''x'' WHERE id = {id}',
     'UPDATE app.{kind}s SET gone = true, about = ''x'' WHERE id = {id}'),
    ('bring back',
     'UPDATE seeme.{kind}s SET archived_at = NULL WHERE id = {id} AND archived_at IS NOT NULL',
     'UPDATE app.{kind}s SET gone = false WHERE id = {id} AND gone'),
    ('bring back unread rows', 'UPDATE seeme.{kind}s SET archived_at = NULL',
     'UPDATE app.{kind}s SET gone = false')) AS v (action, here, there)
UNION ALL VALUES
  ('organizations', 'add', 'INSERT INTO seeme.organizations (id, name, owner_id)
      VALUES ({new}, ''N'', seeme_user_id()) RETURNING id',
   'INSERT INTO app.organizations (id, title, owner)
      VALUES ({new}, ''N'', seeme_user_id()) RETURNING id'),
  ('teams', 'add', 'INSERT INTO seeme.teams (id, organization_id, name)
      VALUES ({new}, {main}, ''N'') RETURNING id',
   'INSERT INTO app.teams (id, org, title) VALUES ({new}, {main}, ''N'') RETURNING id'),
  ('projects', 'add', 'INSERT INTO seeme.projects (id, organization_id, name)
      VALUES ({new}, {main}, ''N'') RETURNING id',
   'INSERT INTO app.projects (id, org, title) VALUES ({new}, {main}, ''N'') RETURNING id'),
  ('projects', 'add to a team', 'INSERT INTO seeme.projects (id, organization_id, team_id, name)
      VALUES ({new}, {main}, {crew}, ''N'') RETURNING id',
   'INSERT INTO app.projects (id, org, team, title)
      VALUES ({new}, {main}, {crew}, ''N'') RETURNING id'),
  ('users', 'read', 'SELECT FROM seeme.users WHERE id = {id}',
   'SELECT FROM app.users WHERE id = {id}'),
  ('users', 'add', 'INSERT INTO seeme.users (id, email) VALUES ({new}, ''n@app.example'')',
   'INSERT INTO app.users (id, email) VALUES ({new}, ''n@app.example'')'),
  -- A person's own row is theirs in the application's table (rule 7.8), but not an API key's.
  ('users', 'change', 'SELECT FROM seeme.users WHERE id = {id} AND id = seeme.own_user_id(''*'')',
   'UPDATE app.users SET note = ''x'' WHERE id = {id}'),
  ('users', 'remove', 'SELECT FROM seeme.users WHERE false',
   'DELETE FROM app.users WHERE id = {id}');
INSERT INTO app.attempt
SELECT k || '_members', v.action, replace(v.here, '{kind}', k), replace(v.there, '{kind}', c)
  FROM (VALUES ('organization', 'org'), ('team', 'team'), ('project', 'project')) AS n (k, c),
  LATERAL (VALUES
    ('read', 'SELECT FROM seeme.{kind}_members WHERE {kind}_id = {place} AND user_id = {id}',
     'SELECT FROM app.' || k || '_members WHERE {kind} = {place} AND person = {id}'),
    ('change', 'UPDATE seeme.{kind}_members SET role_id = role_id
       WHERE {kind}_id = {place} AND user_id = {id}',
     'UPDATE app.' || k || '_members SET note = ''x'' WHERE {kind} = {place} AND person = {id}'),
    ('remove', 'DELETE FROM seeme.{kind}_members WHERE {kind}_id = {place} AND user_id = {id}',
     'DELETE FROM app.' || k || '_members WHERE {kind} = {place} AND person = {id}')
  ) AS v (action, here, there)
UNION ALL VALUES
  ('organization_members', 'add', 'INSERT INTO seeme.organization_members (organization_id, user_id)
      VALUES ({main}, {ms_other})',
   'INSERT INTO app.organization_members VALUES ({main}, {ms_other})'),
  ('team_members', 'add', 'INSERT INTO seeme.team_members (team_id, user_id)
      VALUES ({crew}, {ms_viewer})',
   'INSERT INTO app.team_members VALUES ({crew}, {ms_viewer})'),
  ('project_members', 'add', 'INSERT INTO seeme.project_members (project_id, user_id)
      VALUES ({lone}, {ms_viewer})',
   'INSERT INTO app.project_members VALUES ({lone}, {ms_viewer})');
CREATE VIEW app.mirrored (kind, place, id) AS
  SELECT 'users', NULL::uuid, id FROM app.users
  UNION ALL SELECT 'organizations', NULL, id FROM app.organizations
  UNION ALL SELECT 'teams', NULL, id FROM app.teams
  UNION ALL SELECT 'projects', NULL, id FROM app.projects
  UNION ALL SELECT 'organization_members', org, person FROM app.organization_members
  UNION ALL SELECT 'team_members', team, person FROM app.team_members
  UNION ALL SELECT 'project_members', project, person FROM app.project_members;
CREATE FUNCTION app.fill(statement text, id uuid, place uuid) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  i app.id;
BEGIN
  statement := replace(statement, '{id}', quote_literal(id));
  statement := replace(statement, '{place}', coalesce(quote_literal(place), 'NULL'));
  FOR i IN SELECT * FROM app.id LOOP
    statement := replace(statement, '{' || i.name || '}', quote_literal(i.id));
  END LOOP;
  RETURN statement;
END $$;
CREATE TABLE app.question AS
  SELECT DISTINCT a.kind, a.action, coalesce(r.name, '') AS row_name,
         app.fill(a.here, m.id, m.place) AS here, app.fill(a.there, m.id, m.place) AS there
    FROM app.attempt a JOIN app.mirrored m ON m.kind = a.kind,
         LATERAL (SELECT CASE WHEN a.there LIKE '%{id}%' THEN concat_ws(' in ',
                    (SELECT i.name FROM app.id i WHERE i.id = m.id),
                    (SELECT i.name FROM app.id i WHERE i.id = m.place)) END) AS r (name);

-- The number of rows or the SQLSTATE of a statement, which is undone.
CREATE FUNCTION app.outcome(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  n bigint;
BEGIN
  EXECUTE statement;
  GET DIAGNOSTICS n = ROW_COUNT;
  RAISE EXCEPTION USING ERRCODE = 'UNDO0', MESSAGE = n || ' rows';
EXCEPTION WHEN OTHERS THEN
  RETURN CASE SQLSTATE WHEN 'UNDO0' THEN SQLERRM ELSE SQLSTATE END;
END $$;
CREATE TABLE app.answer (person text, kind text, action text, row_name text, here text, there text);
GRANT SELECT ON app.question TO t_app;
GRANT SELECT, INSERT ON app.answer TO t_app;
CREATE FUNCTION app.ask() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  person text;
BEGIN
  DELETE FROM app.answer;
  FOR person IN SELECT i.name FROM app.id i WHERE i.name LIKE 'ms\_%' AND i.name <> 'ms_other' LOOP
    PERFORM pg_temp.become(person);
    INSERT INTO app.answer
    SELECT person, q.kind, q.action, q.row_name, app.outcome(q.here), app.outcome(q.there)
      FROM app.question q;
    PERFORM pg_temp.become(NULL);
  END LOOP;
END $$;
CREATE FUNCTION app.agree(state text, but text[] = '{}') RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
  kind text;
BEGIN
  FOR kind IN SELECT DISTINCT q.kind FROM app.question q ORDER BY 1 LOOP
    RETURN NEXT is_empty(format(
      'SELECT person, action, row_name, here, there FROM app.answer
        WHERE kind = %L AND here <> there AND action <> ALL (%L) ORDER BY 1, 2, 3', kind, but),
      format('threat: %s, and the application''s table answers otherwise: %s', state, kind));
  END LOOP;
END $$;
-- Whom the application's table lets do something with a row.
CREATE FUNCTION app.people(kind text, action text, row_name text) RETURNS text LANGUAGE sql AS $$
  SELECT string_agg(a.person, ' ' ORDER BY a.person) FROM app.answer a
   WHERE (a.kind, a.action, a.row_name, a.there) = (people.kind, people.action, people.row_name,
     '1 rows') $$;

-- In use
SELECT app.ask() \g /dev/null
SELECT app.agree('nothing is archived');
SELECT is(app.people('projects', 'read', 'lone'),
  'ms_admin ms_owner ms_project ms_remover ms_viewer', 'these people see a project');
SELECT is(app.people('projects', 'change what is not mirrored', 'lone'), 'ms_admin ms_owner',
  'these change it');
SELECT is(app.people('projects', 'archive', 'lone'), 'ms_admin ms_owner ms_remover',
  'these archive it');
SELECT is(app.people('organizations', 'change what is not mirrored', 'main'), 'ms_admin ms_owner',
  'threat: a person who may archive an organization, and not change it, writes to its row');
CREATE TABLE app.before AS SELECT * FROM app.answer;

-- A project
SELECT pg_temp.become('ms_admin') \g /dev/null
UPDATE app.projects SET gone = true WHERE id = app.id('lone');
SELECT pg_temp.become(NULL) \g /dev/null
SELECT app.ask() \g /dev/null
SELECT app.agree('a project is archived');
SELECT is(app.people('projects', 'read', 'lone'), 'ms_owner', 'its owner alone sees it');
SELECT is(app.people('projects', 'bring back', 'lone'), 'ms_owner', 'and brings it back');
SELECT is(app.people('projects', 'change what is not mirrored', 'lone'), NULL,
  'nobody changes it meanwhile');
SELECT is(app.people('projects', 'add', ''), 'ms_admin ms_owner',
  'another project is added and returned as ever');
SELECT pg_temp.become('ms_owner') \g /dev/null
UPDATE app.projects SET gone = false WHERE id = app.id('lone');
SELECT pg_temp.become(NULL) \g /dev/null

-- A team
UPDATE app.teams SET gone = true WHERE id = app.id('crew');
SELECT app.ask() \g /dev/null
SELECT app.agree('a team is archived');
SELECT is(app.people('teams', 'read', 'crew'), 'ms_owner', 'its owner alone sees it');
SELECT is(app.people('teams', 'bring back', 'crew'), 'ms_owner', 'and brings it back');
SELECT is(app.people('teams', 'change what is not mirrored', 'crew'), NULL,
  'nobody changes it meanwhile');
SELECT pg_temp.become('ms_owner') \g /dev/null
UPDATE app.teams SET gone = false WHERE id = app.id('crew');

-- An organization
UPDATE app.organizations SET gone = true WHERE id = app.id('main');
SELECT pg_temp.become(NULL) \g /dev/null
SELECT app.ask() \g /dev/null
SELECT app.agree('an organization is archived');
SELECT is(app.people('organizations', 'read', 'main'), 'ms_owner', 'its owner alone sees it');
SELECT is(app.people('organizations', 'bring back', 'main'), 'ms_owner', 'and brings it back');
SELECT is(app.people('organizations', 'change what is not mirrored', 'main'), NULL,
  'nobody changes it meanwhile');
SELECT is(app.people('projects', 'read', 'crewed'), NULL, 'nobody sees a project in it');
SELECT is(app.people('teams', 'read', 'crew'), NULL, 'nor a team');
SELECT is(app.people('projects', 'remove', 'crewed'), NULL, 'nor removes anything');

-- All of them. What lies in the organization is brought back after the organization.
UPDATE app.projects SET gone = true WHERE id = app.id('lone');
UPDATE app.teams SET gone = true WHERE id = app.id('crew');
SELECT app.ask() \g /dev/null
SELECT app.agree('all of them are archived', '{bring back unread rows}');
SELECT is(app.people('projects', 'bring back', 'lone'), NULL,
  'nobody brings back what lies in an archived organization');
SELECT pg_temp.become('ms_owner') \g /dev/null
UPDATE app.organizations SET gone = false WHERE id = app.id('main');
UPDATE app.projects SET gone = false WHERE id = app.id('lone');
UPDATE app.teams SET gone = false;
SELECT pg_temp.become(NULL) \g /dev/null
SELECT app.ask() \g /dev/null
SELECT set_eq('SELECT * FROM app.answer', 'SELECT * FROM app.before',
  'once its owner has brought back the organization, and then the rest, all is as it was');

-- Not by the application's tables
UPDATE seeme.projects SET archived_at = now() WHERE id = app.id('lone');
UPDATE seeme.teams SET archived_at = now() WHERE id = app.id('crew');
SELECT app.ask() \g /dev/null
SELECT app.agree('a team and a project are archived in seeme.* alone',
  '{archive,bring back,bring back unread rows}');
SELECT is(app.people('projects', 'change what is not mirrored', 'lone'), NULL,
  'nobody changes an archived project of which the application''s row says that it is in use');
UPDATE seeme.organizations SET archived_at = now() WHERE id = app.id('main');
SELECT app.ask() \g /dev/null
SELECT app.agree('the organization is archived in seeme.*, too',
  '{archive,bring back,bring back unread rows}');

-- A key of the owner's
CREATE ROLE t_door LOGIN IN ROLE t_app;
-- A transaction knows one key. With this one the owner archives teams, and no projects.
SELECT (seeme_create_api_key('Key', '{organizations:*,teams:*,projects:read,projects:update}',
  organization => app.id('main'), user_id => app.id('ms_owner'))).key AS key \gset
CREATE FUNCTION app.ask_by_key(key text, archived boolean) RETURNS SETOF text
LANGUAGE plpgsql AS $$
DECLARE
  answers jsonb;
BEGIN
  BEGIN
    UPDATE seeme.organizations SET archived_at = CASE WHEN archived THEN now() END
     WHERE id = app.id('main');
    PERFORM pg_temp.become('door');
    PERFORM seeme_login(key);
    RETURN QUERY
    WITH a AS MATERIALIZED (
      SELECT q.*, app.outcome(q.here) AS o, app.outcome(q.there) AS t FROM app.question q
       WHERE q.action NOT IN ('archive', 'bring back', 'bring back unread rows'))
    SELECT concat_ws(', ', a.kind, a.action, a.row_name, a.o, a.t) FROM a WHERE a.o <> a.t
    UNION ALL
    SELECT 'sees ' || a.row_name FROM a
     WHERE (a.action, a.t) = ('read', '1 rows')
       AND a.kind IN ('organizations', 'teams', 'projects');
    RAISE EXCEPTION USING ERRCODE = 'UNDO0', MESSAGE = 'undone';
  EXCEPTION WHEN SQLSTATE 'UNDO0' THEN NULL;
  END;
END $$;
SELECT set_eq(format('SELECT * FROM app.ask_by_key(%L, false)', :'key'),
  '{sees main,sees crew,sees crewed}'::text[],
  'threat: a key of the owner''s that brings no project back sees one that is archived');
SELECT is_empty(format('SELECT * FROM app.ask_by_key(%L, true)', :'key'),
  'a key for an organization does not see it while it is archived, in either table');

-- What an injected statement asks
SELECT pg_temp.become('ms_outsider') \g /dev/null
SELECT ok(NOT seeme.sees_unused(app.id('main'), app.id('crew'), NULL)
          AND NOT seeme.sees_unused(app.id('main'), app.id('new'), NULL)
          AND NOT seeme.may_archive_row(app.id('main'), app.id('crew'), NULL)
          AND NOT seeme.may_archive_row(app.id('main'), app.id('new'), NULL),
  'threat: an outsider learns whether there is a team, or whether it is archived');
SELECT ok(seeme.sees_unused(app.id('away'), app.id('crew'), NULL)
          AND seeme.sees_unused(app.id('away'), app.id('new'), NULL)
          AND NOT seeme.may_archive_row(app.id('away'), app.id('crew'), NULL)
          AND NOT seeme.may_archive_row(app.id('away'), app.id('new'), NULL),
  'threat: by the name of an organization of their own');
SELECT pg_temp.become(NULL) \g /dev/null

SELECT * FROM finish();
ROLLBACK;
