-- What somebody might get through a mirrored table that they would not get here.
\i test/include/prelude.psql
BEGIN;
\i test/include/people.psql
\i test/include/app_tables.psql
SELECT plan(48);
SELECT pg_temp.mirror_all() \g /dev/null

-- Ids
SELECT pg_temp.become('stan') \g /dev/null
SELECT throws_ok($$INSERT INTO seeme.organizations (id, name)
    VALUES (seeme_uuid('organization', 77), 'Squat')$$, '42501', NULL,
                 'threat: taking the id of an organization that the application will make');
SELECT throws_ok(
  format($$INSERT INTO seeme.teams (id, organization_id, name)
    VALUES (seeme_uuid('team', 77), %L, 'Squat')$$, :acme), '42501', NULL, 'threat: of a team');
SELECT pg_temp.become('olga') \g /dev/null
SELECT throws_ok(
  format($$INSERT INTO seeme.projects (id, organization_id, name)
    VALUES (seeme_uuid('project', 77), %L, 'Squat')$$, :acme), '42501', NULL,
      'threat: of a project');
SELECT lives_ok(
  format($$INSERT INTO seeme.projects (id, organization_id, name)
    VALUES ('d0000000-0000-7000-8000-0000000000d1', %L, 'Fine')$$, :acme),
      'ids of another version may be chosen');
SELECT pg_temp.become(NULL) \g /dev/null
SELECT lives_ok($$INSERT INTO seeme.organizations (id, name, owner_id)
    VALUES (seeme_uuid('organization', 78), 'By hand', seeme_uuid('user', 1))$$,
      'privileged code takes what it likes');
SELECT throws_ok($$INSERT INTO app.workspaces (id, title, owner) VALUES (78, 'Taken over', 2)$$,
  '23505', NULL, 'threat: a mirror takes over a row that it did not make');
INSERT INTO seeme.projects (id, organization_id, name)
  VALUES (seeme_uuid('project', 300), seeme_uuid('organization', 10), 'By hand');
ALTER TABLE app.boards DISABLE TRIGGER seeme_mirror_insert;
INSERT INTO app.boards VALUES (300, 10, 'There');
ALTER TABLE app.boards ENABLE TRIGGER seeme_mirror_insert;
SELECT throws_ok($$UPDATE app.boards SET title = 'Mine' WHERE id = 300$$, '42501', NULL,
  'threat: or changes one');
SELECT throws_ok($$DELETE FROM app.boards WHERE id = 300$$, '42501', NULL,
  'threat: or removes one');
SELECT seeme_unmirror('app.boards') \g /dev/null
SELECT throws_ok($$SELECT seeme_mirror(
    'app.boards', 'projects', '{"id": "id", "organization_id": "workspace_id", "name": "title"}')$$,
    '23505', NULL, 'threat: or loads over one');
DELETE FROM app.boards WHERE id = 300;
SELECT seeme_mirror('app.boards', 'projects',
  '{"id": "id", "organization_id": "workspace_id", "name": "title"}') \g /dev/null
DELETE FROM seeme.projects WHERE id = seeme_uuid('project', 101);
SELECT throws_ok($$UPDATE app.boards SET title = 'Gone' WHERE id = 101$$, '42501', NULL,
  'threat: a change of what is gone here passes in silence');
INSERT INTO seeme.projects (id, organization_id, name)
  VALUES (seeme_uuid('project', 101), seeme_uuid('organization', 10), 'Again');
SELECT throws_ok($$UPDATE app.boards SET title = 'Mine' WHERE id = 101$$, '42501', NULL,
  'threat: what was made anew under an id is a mirror''s still');

-- People
INSERT INTO app.users (id, email) VALUES (8, 'hal@app.example');
SELECT pg_temp.ask_as(3) \g /dev/null
SELECT throws_ok($$INSERT INTO app.users (id, email) VALUES (9, 'me@app.example')$$, '42501', NULL,
  'threat: a person provisions somebody');
SELECT throws_ok($$UPDATE app.users SET email = 'ada2@app.example' WHERE id = 3$$, '42501', NULL,
  'threat: takes another address, to accept invitations for it');
SELECT throws_ok($$UPDATE app.users SET deleted_at = now() WHERE id = 1$$, '42501', NULL,
  'threat: disables somebody');
SELECT throws_ok($$UPDATE app.users SET first_name = 'Fool' WHERE id = 1$$, '42501', NULL,
  'threat: gives somebody another name');
SELECT throws_ok($$DELETE FROM app.users WHERE id = 8$$, '42501', NULL, 'threat: removes somebody');
SELECT throws_ok($$UPDATE app.users SET first_name = 'C', email = 'c2@app.example' WHERE id = 3$$,
  '42501', NULL, 'threat: all of it in one statement with what they may');
SELECT lives_ok($$UPDATE app.users SET first_name = 'Cleopatra' WHERE id = 3$$,
  'their own name they may change');
SELECT throws_ok(format($$UPDATE app.users SET first_name = %L WHERE id = 3$$, repeat('x', 201)),
  '22001', NULL, 'if it can be one');
SELECT pg_temp.ask_as(NULL) \g /dev/null
SET LOCAL ROLE t_app;
SELECT throws_ok($$INSERT INTO app.users (id, email) VALUES (9, 'me@app.example')$$, '42501', NULL,
  'threat: the application''s role provisions users with nobody identified');
SELECT throws_ok($$UPDATE app.users SET email = 'x@app.example' WHERE id = 1$$, '42501', NULL,
  'threat: or changes them');
SELECT throws_ok($$INSERT INTO app.boards VALUES (500, 10, 'No one''s')$$, '42501', NULL,
  'threat: or adds projects');
SELECT throws_ok($$UPDATE app.boards SET title = 'No one''s' WHERE id = 100$$, '42501', NULL,
  'threat: or changes them, and it passes in silence');
RESET ROLE;

-- Through functions of others
CREATE ROLE t_strong BYPASSRLS;
GRANT t_app TO t_strong;
GRANT CREATE ON SCHEMA app TO t_strong;
CREATE FUNCTION app.add_board(id bigint, title text) RETURNS void LANGUAGE sql SECURITY DEFINER
  SET search_path = app AS 'INSERT INTO app.boards VALUES (id, 10, title)';
CREATE FUNCTION app.make_manager(member integer) RETURNS void LANGUAGE sql SECURITY DEFINER
  SET search_path = app AS
  $$UPDATE app.workspace_users SET role = 'manager' WHERE user_id = member$$;
ALTER FUNCTION app.add_board(bigint, text) OWNER TO t_strong;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA app TO t_app;
SELECT pg_temp.ask_as(3) \g /dev/null
SELECT throws_ok($$SELECT app.add_board(501, 'Through the back door')$$, '42501', NULL,
  'threat: a SECURITY DEFINER function of a role that bypasses row security adds what its caller '
  'may not');
SELECT throws_ok($$SELECT app.make_manager(3)$$, '42501', NULL,
  'threat: one of a superuser gives its caller a role');
SELECT pg_temp.ask_as(2) \g /dev/null
SELECT lives_ok($$SELECT app.add_board(501, 'As an Admin')$$,
  'who may do it does it through them, too');
SELECT throws_ok($$UPDATE app.workspaces SET owner = 2 WHERE id = 10$$, '42501', NULL,
  'threat: an Admin makes themselves the owner by the application''s table');
SELECT throws_ok($$DELETE FROM app.workspace_users WHERE workspace_id = 10 AND user_id = 1$$,
  '42501', NULL, 'threat: or takes out the owner');
SELECT throws_ok($$UPDATE app.workspaces SET deleted_at = now() WHERE id = 10$$, '42501', NULL,
  'threat: or archives what they may not delete');
SELECT throws_ok($$TRUNCATE app.board_users$$, '42501', NULL,
  'the application''s role may not truncate');
SELECT throws_ok($$SELECT seeme.mirror_execute('SELECT 1', '[]', true)$$, '42501', NULL,
  'threat: calling the extension''s own functions');
SELECT throws_ok($$SELECT seeme.apply_mirror('app.boards'::regclass, 'LOAD', '[]')$$, '42501', NULL,
  'threat: with rows of one''s own');
SELECT throws_ok($$SELECT seeme_mirror('app.boards', 'teams', '{}')$$, '42501', NULL,
  'threat: making a mirror');
SELECT pg_temp.ask_as(NULL) \g /dev/null
SELECT throws_ok($$TRUNCATE app.board_users$$, '55000', NULL,
  'nor may anybody, of a mirrored table');

-- Names of roles
INSERT INTO seeme.roles (organization_id, name, permissions)
  VALUES (seeme_uuid('organization', 10), 'Editor', '{*}');
INSERT INTO app.board_users VALUES (101, 2, 'Editor');
SELECT is((SELECT r.organization_id FROM seeme.memberships m JOIN seeme.roles r ON r.id = m.role_id
  WHERE m.project_id = seeme_uuid('project', 101)), NULL,
          'threat: a role of an organization''s own is called as a built-in one, and taken for it');
SELECT throws_like($$INSERT INTO app.board_users VALUES (100, 2, 'Wizard')$$, '%no role "Wizard"%',
  'a role that there is not is an error');

-- Code of others, run while rows are read
CREATE FUNCTION app.steal(app.workspace_role) RETURNS text
  LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'run by %', current_user; END $$;
CREATE CAST (app.workspace_role AS text) WITH FUNCTION app.steal(app.workspace_role);
SELECT lives_ok($$INSERT INTO app.workspace_users VALUES (11, 2, 'guest')$$,
  'threat: a cast of the owner of a type runs as the extension''s owner');
CREATE ROLE t_owner;
GRANT CREATE, USAGE ON SCHEMA app TO t_owner;
CREATE FUNCTION app.counts(app.boards) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN
  IF current_user <> 't_owner' THEN RAISE EXCEPTION 'run by %',
    current_user; END IF; RETURN true; END $$;
GRANT EXECUTE ON FUNCTION app.counts(app.boards) TO t_owner;
DELETE FROM seeme.projects WHERE id = seeme_uuid('project', 101);
DELETE FROM app.boards WHERE id = 101;
SELECT seeme_unmirror('app.boards') \g /dev/null
ALTER TABLE app.boards OWNER TO t_owner;
SELECT lives_ok($$SELECT seeme_mirror(
    'app.boards', 'projects', '{"id": "id", "organization_id": "workspace_id", "name": "title"}',
    condition => 'app.counts(boards)')$$,
                'threat: a condition runs with the rights of whoever made the mirror');
SELECT lives_ok($$INSERT INTO app.boards VALUES (600, 10, 'By condition')$$,
  'or of whoever writes the table');

-- Guards
SET LOCAL ROLE t_owner;
SELECT throws_ok('ALTER TABLE app.boards DISABLE TRIGGER seeme_mirror_update', '42501', NULL,
  'threat: the table''s owner takes off what mirrors it');
SELECT throws_ok('DROP TRIGGER seeme_mirror_delete ON app.boards', '42501', NULL,
  'threat: drops it');
SELECT throws_ok('ALTER TRIGGER seeme_mirror_insert ON app.boards RENAME TO x', '42501', NULL,
  'threat: renames it');
SELECT throws_ok('ALTER TABLE app.boards DROP COLUMN title', '55000', NULL,
  'a column that is mirrored is not dropped');
SELECT throws_ok('ALTER TABLE app.boards RENAME title TO name', '55000', NULL, 'nor renamed');
SELECT throws_ok('CREATE TABLE app.more_boards () INHERITS (app.boards)', '55000', NULL,
  'nor is there a table below, whose rows no trigger follows');
SELECT lives_ok('ALTER TABLE app.boards ADD COLUMN color text',
  'other columns are the application''s');
RESET ROLE;
ALTER TABLE app.boards DISABLE TRIGGER seeme_mirror_update;
SELECT is((SELECT count(*) FROM seeme_security_report() WHERE object = 'app.boards'
  AND finding LIKE 'mirror has lost a guard:%' AND severity = 'critical'), 1::bigint,
          'a superuser may, and the report says so');
SET LOCAL ROLE t_owner;
SELECT lives_ok('ALTER TABLE app.boards ADD COLUMN size text',
  'which is not held against the owner''s next statement');
RESET ROLE;

SELECT * FROM finish();
ROLLBACK;
