\i test/include/prelude.psql
-- A membership in a team or project goes with the one in the organization. The application's row
-- stays, and says what is not so. Nothing that only touches this row gives the right back: no
-- UPDATE, no upsert, no referential action. seeme_mirror_differences names such rows; DELETE and
-- INSERT add the membership again, for whoever may add it.
BEGIN;
\i test/include/people.psql
\i test/include/app_tables.psql
SELECT plan(21);

DROP TABLE app.boards CASCADE;
CREATE TABLE app.teams (id bigint PRIMARY KEY, workspace bigint NOT NULL, title text);
CREATE TABLE app.boards (id bigint PRIMARY KEY, workspace bigint NOT NULL, title text NOT NULL,
  is_archived boolean NOT NULL DEFAULT false, UNIQUE (id, is_archived));
CREATE TABLE app.team_users (
  team_id bigint REFERENCES app.teams ON DELETE CASCADE ON UPDATE CASCADE, user_id integer,
  role text, added_by integer REFERENCES app.users ON DELETE SET NULL, note text,
  PRIMARY KEY (team_id, user_id));
DROP TABLE app.board_users;
CREATE TABLE app.board_users (
  board_id bigint, user_id integer, role text, is_archived boolean NOT NULL DEFAULT false,
  PRIMARY KEY (board_id, user_id),
  FOREIGN KEY (board_id, is_archived) REFERENCES app.boards (id, is_archived) ON UPDATE CASCADE);
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA app TO t_app;
INSERT INTO app.teams VALUES (50, 10, 'Crew');
INSERT INTO app.boards VALUES (100, 10, 'Plans');
INSERT INTO app.team_users VALUES (50, 3, 'Viewer', 4);
INSERT INTO app.board_users VALUES (100, 3, 'Viewer');
SELECT seeme_mirror('app.users', 'users', '{"id": "id", "email": "email"}'),
       seeme_mirror('app.workspaces', 'organizations',
         '{"id": "id", "name": "title", "owner_id": "owner"}', protect => true),
       seeme_mirror('app.workspace_users', 'organization_members',
         '{"organization_id": "workspace_id", "user_id": "user_id", "role_id": "role"}',
         roles => '{"owner": "Owner", "manager": "Admin", "guest": null}', condition => 'active',
         protect => true),
       seeme_mirror('app.teams', 'teams',
         '{"id": "id", "organization_id": "workspace", "name": "title"}', protect => true),
       seeme_mirror('app.boards', 'projects',
         '{"id": "id", "organization_id": "workspace", "name": "title"}', protect => true),
       seeme_mirror('app.team_users', 'team_members',
         '{"team_id": "team_id", "user_id": "user_id", "role_id": "role"}', protect => true),
       seeme_mirror('app.board_users', 'project_members',
         '{"project_id": "board_id", "user_id": "user_id", "role_id": "role"}', protect => true)
  \g /dev/null
CREATE VIEW pg_temp.below AS
  SELECT count(*) AS n FROM seeme.memberships m
   WHERE m.user_id = seeme_uuid('user', 3) AND (m.team_id IS NOT NULL OR m.project_id IS NOT NULL);
CREATE FUNCTION pg_temp.missing() RETURNS SETOF text LANGUAGE sql AS $$
  SELECT d.b FROM pg_temp.differences() d WHERE d.d = 'not here' ORDER BY d.t $$;
SELECT is(n, 2::bigint, 'Cleo is in a team and a project') FROM pg_temp.below;
SELECT is_empty('SELECT FROM pg_temp.missing()', 'nothing is missing');

-- Ben, who manages the members, sends Cleo away, and has her back.
SELECT pg_temp.ask_as(2) \g /dev/null
UPDATE app.workspace_users SET active = false WHERE user_id = 3;
SELECT pg_temp.ask_as(NULL) \g /dev/null
SELECT is(n, 0::bigint, 'with the organization goes what lies in it') FROM pg_temp.below;
SELECT results_eq('SELECT pg_temp.missing()', ARRAY[
  'no membership in the project, nor in its organization',
  'no membership in the team, nor in its organization'], 'the differences say so');
SELECT pg_temp.ask_as(2) \g /dev/null
UPDATE app.workspace_users SET active = true WHERE user_id = 3;
SELECT is((SELECT count(*) FROM app.team_users WHERE user_id = 3), 1::bigint,
  'the application''s rows are there all the time');
SELECT pg_temp.ask_as(NULL) \g /dev/null
SELECT is(n, 0::bigint, 'threat: who comes back has what they had') FROM pg_temp.below;
SELECT results_eq('SELECT pg_temp.missing()', ARRAY[
  'no membership in the project, one in its organization',
  'no membership in the team, one in its organization'],
  'the differences name the memberships that may be added again');

-- What only touches the rows gives no right back.
SELECT pg_temp.ask_as(2) \g /dev/null
SELECT lives_ok($$UPDATE app.team_users SET team_id = team_id, role = role, note = 'saved'$$,
  'an UPDATE that changes nothing is none here');
SELECT lives_ok($$INSERT INTO app.team_users VALUES (50, 3, 'Viewer')
  ON CONFLICT (team_id, user_id) DO UPDATE SET role = excluded.role$$, 'nor is an upsert');
SELECT lives_ok($$INSERT INTO app.team_users VALUES (50, 3, 'Viewer') ON CONFLICT DO NOTHING$$,
  'nor one that does nothing');
CREATE FUNCTION pg_temp.hint_of(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE hint text;
BEGIN
  EXECUTE statement;
  RETURN 'no error';
EXCEPTION WHEN insufficient_privilege THEN
  GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
  RETURN hint;
END $$;
SELECT matches(pg_temp.hint_of($$UPDATE app.team_users SET role = 'Editor'$$),
  'DELETE and INSERT of the table''s row', 'an UPDATE of the role is refused, and says what to do');
UPDATE app.boards SET is_archived = true;
SELECT ok(bool_and(is_archived), 'a referential action writes the key of the row')
  FROM app.board_users;
UPDATE app.boards SET is_archived = false;
SELECT pg_temp.ask_as(NULL) \g /dev/null
DELETE FROM app.workspace_users WHERE user_id = 4;
DELETE FROM app.users WHERE id = 4;
SELECT ok(added_by IS NULL, 'another one writes a column beside it') FROM app.team_users;
UPDATE app.team_users SET role = role;
UPDATE app.board_users SET role = role;
SELECT is(n, 0::bigint, 'threat: a right comes back by a row that is only touched')
  FROM pg_temp.below;

-- Who may add the membership adds it again.
SELECT pg_temp.ask_as(3) \g /dev/null
SELECT throws_ok($$INSERT INTO app.team_users VALUES (50, 3, 'Admin')
  ON CONFLICT (team_id, user_id) DO UPDATE SET role = excluded.role$$, '42501', NULL,
  'threat: a member gives themself what they had');
SELECT pg_temp.ask_as(2) \g /dev/null
SELECT is((SELECT count(*) FROM app.team_users), 1::bigint, 'the row is as it was');
DELETE FROM app.team_users WHERE user_id = 3;
INSERT INTO app.team_users VALUES (50, 3, 'Viewer');
SELECT pg_temp.ask_as(NULL) \g /dev/null
SELECT is(n, 1::bigint, 'DELETE and INSERT add it') FROM pg_temp.below;
SELECT results_eq('SELECT pg_temp.missing()',
  ARRAY['no membership in the project, one in its organization'], 'one is missing still');

-- Taken away here, and by a row of the organization that is deleted and added.
SELECT pg_temp.ask_as(2) \g /dev/null
DELETE FROM seeme.team_members WHERE user_id = seeme_uuid('user', 3);
UPDATE app.team_users SET role = role, user_id = user_id;
SELECT pg_temp.ask_as(NULL) \g /dev/null
SELECT is(n, 0::bigint, 'threat: what was taken away here comes back by a row that is saved')
  FROM pg_temp.below;
SELECT pg_temp.ask_as(2) \g /dev/null
DELETE FROM app.board_users WHERE user_id = 3;
INSERT INTO app.board_users VALUES (100, 3, 'Viewer');
DELETE FROM app.workspace_users WHERE user_id = 3;
INSERT INTO app.workspace_users VALUES (10, 3, 'guest');
SELECT pg_temp.ask_as(NULL) \g /dev/null
SELECT is(n, 0::bigint, 'threat: a member who leaves and joins again') FROM pg_temp.below;
SELECT is(cardinality(ARRAY(SELECT pg_temp.missing())), 2, 'both are named');
SELECT * FROM finish();
ROLLBACK;
