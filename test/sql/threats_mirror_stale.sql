-- What was taken away in a mirrored table is taken away here, however the statement came about; and
-- a table that still says what was true before shows nothing by it.
\i test/include/prelude.psql
BEGIN;
\i test/include/people.psql
\i test/include/app_tables.psql
SELECT plan(41);

-- One member may have several rows, of which one counts.
DROP TABLE app.workspace_users, app.boards CASCADE;
CREATE TABLE app.seats (
  id serial PRIMARY KEY, workspace bigint REFERENCES app.workspaces (id) ON DELETE CASCADE,
  person integer, role text, note text, gone boolean NOT NULL DEFAULT false, until timestamptz);
CREATE TABLE app.teams (id bigint PRIMARY KEY, workspace bigint NOT NULL, title text);
CREATE TABLE app.boards (id bigint PRIMARY KEY, workspace bigint NOT NULL, team bigint,
  title text NOT NULL);
INSERT INTO app.seats (workspace, person, role) VALUES (10, 1, 'Admin'), (10, 2, 'Admin'),
  (10, 3, 'Viewer');
INSERT INTO app.teams VALUES (50, 10, 'Crew'), (51, 10, 'Band');
INSERT INTO app.boards VALUES (100, 10, 50, 'Plans');
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA app TO t_app;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA app TO t_app;
SELECT seeme_mirror('app.users', 'users', '{"id": "id", "email": "email"}');
SELECT seeme_mirror('app.workspaces', 'organizations',
  '{"id": "id", "name": "title", "owner_id": "owner"}', condition => 'deleted_at IS NULL',
  protect => true);
SELECT seeme_mirror('app.teams', 'teams',
  '{"id": "id", "organization_id": "workspace", "name": "title"}', protect => true);
SELECT seeme_mirror('app.boards', 'projects',
  '{"id": "id", "organization_id": "workspace", "team_id": "team", "name": "title"}',
  protect => true);

-- Conditions
CREATE FUNCTION app.is_late(timestamptz) RETURNS boolean LANGUAGE sql STABLE RETURN $1 < now();
CREATE FUNCTION pg_temp.mirror_seats(condition text) RETURNS void LANGUAGE sql AS $$
  SELECT seeme_mirror('app.seats', 'organization_members',
    '{"organization_id": "workspace", "user_id": "person", "role_id": "role"}',
    condition => condition) $$;
SELECT throws_ok(format('SELECT pg_temp.mirror_seats(%L)', c), '22023', NULL,
    'threat: a row stops to count without a statement, and its DELETE removes nothing: ' || c)
  FROM unnest('{until > now(),CURRENT_USER <> ''x'',NOT app.is_late(until),'
    'EXISTS (SELECT FROM app.users u WHERE u.id = person)}'::text[]) AS c;
CREATE UNLOGGED TABLE app.lost (LIKE app.seats);
SELECT throws_ok($$SELECT seeme_mirror('app.lost', 'organization_members',
    '{"organization_id": "workspace", "user_id": "person"}')$$, '42809', NULL,
  'threat: a table that is empty after a crash, and the members are here still');
SELECT current_setting('server_version_num')::integer >= 180000 AS has_virtual \gset
\if :has_virtual
ALTER TABLE app.seats ADD COLUMN v_role text GENERATED ALWAYS AS (lower(role)) VIRTUAL,
  ADD COLUMN v_on boolean GENERATED ALWAYS AS (NOT gone) VIRTUAL;
\else
ALTER TABLE app.seats ADD COLUMN v_role date, ADD COLUMN v_on timestamptz;
\endif
SELECT throws_ok($$SELECT seeme_mirror('app.seats', 'organization_members',
    '{"organization_id": "workspace", "user_id": "person", "role_id": "v_role"}')$$, '42804', NULL,
  'threat: a virtual generated column, which is null in the rows of a trigger, as a role');
SELECT throws_matching($$SELECT pg_temp.mirror_seats('v_on')$$, 'row alone|boolean',
  'threat: as a condition: a DELETE removes nothing here');
SELECT throws_ok($$SELECT pg_temp.mirror_seats('tableoid > 0')$$, '22023', NULL,
  'system columns, which these rows do not have');
ALTER TABLE app.seats DROP COLUMN v_role, DROP COLUMN v_on;
SELECT lives_ok($$SELECT pg_temp.mirror_seats('NOT gone AND until IS NULL')$$,
  'a condition on the row alone is one');

-- Several rows of one member
CREATE VIEW pg_temp.members AS
  SELECT seeme.integer_of_uuid('user', m.user_id) AS person, r.name AS role
    FROM seeme.memberships m LEFT JOIN seeme.roles r ON r.id = m.role_id
   WHERE m.organization_id = seeme_uuid('organization', 10) AND m.team_id IS NULL
     AND m.project_id IS NULL;
INSERT INTO seeme.project_members (project_id, user_id)
  VALUES (seeme_uuid('project', 100), seeme_uuid('user', 3));
INSERT INTO app.seats (workspace, person, role, gone) VALUES (10, 3, 'Editor', true);
UPDATE app.seats SET note = 'x' WHERE person = 3;
SELECT is((SELECT count(*) FROM seeme.project_members WHERE user_id = seeme_uuid('user', 3)),
  1::bigint, 'threat: an UPDATE of all rows of a member takes away what lies below the membership');
UPDATE app.seats SET gone = NOT gone WHERE person = 3;
SELECT is((SELECT role FROM pg_temp.members WHERE person = 3), 'Editor',
  'one row of a member comes after another');
SELECT lives_ok('UPDATE app.seats SET gone = true WHERE person = 3',
  'a member is taken out by an UPDATE of all rows');
SELECT is((SELECT count(*) FROM pg_temp.members WHERE person = 3), 0::bigint, 'here, too');
SELECT throws_ok('UPDATE app.seats SET gone = false WHERE person = 3', '23505', NULL,
  'two rows of one member do not count both');
UPDATE app.seats SET gone = false WHERE person = 3 AND role = 'Viewer';

-- Rows that are changed again
CREATE FUNCTION app.change_again() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  CASE NEW.note
  WHEN 'off' THEN UPDATE app.seats SET gone = true, note = '' WHERE id = NEW.id;
  WHEN 'delete' THEN DELETE FROM app.seats WHERE id = NEW.id;
  WHEN 'demote' THEN UPDATE app.seats SET role = 'Viewer', note = '' WHERE id = NEW.id;
  ELSE NULL;
  END CASE;
  RETURN NULL;
END $$;
CREATE TRIGGER change_again AFTER INSERT OR UPDATE ON app.seats
  FOR EACH ROW EXECUTE FUNCTION app.change_again();
INSERT INTO app.users (id, email) SELECT g, g || '@app.example' FROM generate_series(5, 8) g;
SELECT pg_temp.ask_as(2) \g /dev/null
INSERT INTO app.seats (workspace, person, role, note) VALUES (10, 5, 'Admin', 'off');
INSERT INTO app.seats (workspace, person, role, note) VALUES (10, 6, 'Admin', 'delete');
UPDATE app.seats SET role = 'Admin', note = 'demote' WHERE person = 3;
CREATE FUNCTION pg_temp.remove(key integer) RETURNS integer LANGUAGE sql AS
  'DELETE FROM app.seats WHERE id = key RETURNING 1';
INSERT INTO app.seats (workspace, person, role) VALUES (10, 7, 'Admin')
  RETURNING pg_temp.remove(id) \g /dev/null
DO $$ BEGIN
  FOR i IN 1 .. 3 LOOP
    INSERT INTO app.seats (workspace, person, role) VALUES (10, 8, 'Editor');
    UPDATE app.seats SET role = 'Viewer' WHERE person = 8 AND NOT gone;
    UPDATE app.seats SET gone = true WHERE person = 8;
  END LOOP;
  INSERT INTO app.seats (workspace, person, role) VALUES (10, 8, 'Editor');
END $$;
SELECT pg_temp.ask_as(NULL) \g /dev/null
SELECT is_empty('SELECT * FROM pg_temp.members WHERE person = 5',
  'threat: a trigger of the application switches off a row that is being added, and it counts');
SELECT is_empty('SELECT * FROM pg_temp.members WHERE person = 6', 'threat: or removes it');
SELECT is_empty('SELECT * FROM pg_temp.members WHERE person = 7',
  'threat: a member whom the application''s table does not show, by a function in RETURNING');
SELECT is((SELECT role FROM pg_temp.members WHERE person = 3), 'Viewer',
  'threat: a trigger lowers the role that a statement gives, and the higher one is here');
SELECT is((SELECT role FROM pg_temp.members WHERE person = 8), 'Editor',
  'many statements in one are followed one after another');
SELECT is_empty($$SELECT * FROM seeme_mirror_differences('app.seats')
  WHERE difference <> 'not in the table'$$, 'there are no differences');
SELECT is_empty($$SELECT person FROM pg_temp.members WHERE person <> 1
  EXCEPT SELECT person FROM app.seats WHERE NOT gone$$, 'and no members besides');

CREATE FUNCTION app.remove_team() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM app.teams WHERE id = NEW.id AND NEW.title = 'Gone';
  RETURN NULL;
END $$;
CREATE TRIGGER remove_team AFTER UPDATE ON app.teams
  FOR EACH ROW EXECUTE FUNCTION app.remove_team();
INSERT INTO app.teams VALUES (52, 10, 'Choir');
UPDATE app.teams SET title = 'Gone' WHERE id = 52;
SELECT is((SELECT count(*) FROM seeme.teams WHERE id = seeme_uuid('team', 52)), 0::bigint,
  'a trigger of the application removes the row that is being changed');

-- The owner's seat
SELECT pg_temp.ask_as(3) \g /dev/null
SELECT throws_ok($$UPDATE app.seats SET role = 'Viewer' WHERE person = 1$$, '42501', NULL,
  'threat: a Viewer writes another role into the owner''s row');
SELECT throws_ok($$INSERT INTO app.seats (workspace, person, role) VALUES (10, 1, 'Viewer')$$,
  '42501', NULL, 'threat: or adds one');
SELECT lives_ok($$UPDATE app.seats SET note = 'x' WHERE person = 1$$,
  'a column that is not mirrored is the application''s affair');
SELECT pg_temp.ask_as(NULL) \g /dev/null
SET LOCAL ROLE t_app;
SELECT throws_ok($$UPDATE app.seats SET role = 'Viewer' WHERE person = 1$$, '42501', NULL,
  'threat: the application''s role does, with nobody identified');
SELECT throws_ok($$INSERT INTO app.seats (workspace, person, role) VALUES (10, 1, 'Viewer')$$,
  '42501', NULL, 'threat: or adds one');
RESET ROLE;
SELECT pg_temp.ask_as(2) \g /dev/null
SELECT throws_ok($$UPDATE app.seats SET role = 'Owner' WHERE person = 1$$, '42501', NULL,
  'threat: an Admin does: the owner''s membership is touched by nobody else');
SELECT pg_temp.ask_as(1) \g /dev/null
SELECT lives_ok($$UPDATE app.seats SET role = 'Owner' WHERE person = 1$$, 'the owner may');
SELECT pg_temp.ask_as(NULL) \g /dev/null

-- What the table says of before
INSERT INTO seeme.team_members (team_id, user_id, role_id)
  VALUES (seeme_uuid('team', 50), seeme_uuid('user', 3), pg_temp.builtin('Viewer'));
UPDATE app.seats SET role = NULL WHERE person = 3 AND NOT gone;
SELECT pg_temp.ask_as(3) \g /dev/null
SELECT is((SELECT count(*) FROM app.boards), 1::bigint, 'a member of a team sees its projects');
SELECT pg_temp.ask_as(NULL) \g /dev/null
DELETE FROM seeme.project_members WHERE user_id = seeme_uuid('user', 3);
UPDATE seeme.projects SET team_id = seeme_uuid('team', 51) WHERE id = seeme_uuid('project', 100);
SELECT pg_temp.ask_as(3) \g /dev/null
SELECT is((SELECT count(*) FROM app.boards), 0::bigint,
  'threat: a project was moved here, and the members of the former team see its row');
SELECT pg_temp.ask_as(1) \g /dev/null
SELECT seeme_transfer_ownership(seeme_uuid('organization', 10), seeme_uuid('user', 2)) \g /dev/null
SELECT pg_temp.ask_as(2) \g /dev/null
DELETE FROM app.seats WHERE person = 1;
SELECT is((SELECT count(*) FROM app.workspaces WHERE id = 10), 1::bigint,
  'the new owner sees the row that names the former one');
SELECT pg_temp.ask_as(1) \g /dev/null
SELECT is((SELECT count(*) FROM app.workspaces WHERE id = 10), 0::bigint,
  'threat: a former owner, who was taken out, sees it');
SELECT pg_temp.ask_as(NULL) \g /dev/null

SAVEPOINT before_drop;

-- Partitions
CREATE TABLE app.all_boards (LIKE app.boards) PARTITION BY LIST (workspace);
SELECT throws_ok('ALTER TABLE app.all_boards ATTACH PARTITION app.boards DEFAULT', '55000', NULL,
  'threat: a mirrored table becomes a partition, whose rows no trigger follows');


-- A column goes with its type
CREATE TYPE app.kind_of_title AS ENUM ('Crew', 'Band');
SELECT seeme_unmirror('app.teams') \g /dev/null
ALTER TABLE app.teams ALTER title TYPE app.kind_of_title USING title::app.kind_of_title;
SELECT seeme_mirror('app.teams', 'teams',
  '{"id": "id", "organization_id": "workspace", "name": "title"}', protect => true) \g /dev/null
SELECT throws_ok('DROP TYPE app.kind_of_title CASCADE', '55000', NULL,
  'threat: a mirrored column is dropped along with its type');
SELECT lives_ok('DROP TABLE app.users CASCADE', 'a mirrored table is dropped');
ROLLBACK TO before_drop;

-- Roles of an organization
INSERT INTO seeme.roles (organization_id, name, permissions)
SELECT seeme_uuid('organization', 10), 'e0000000-0000-4000-8000-0000000000e1', '{projects:*}';
INSERT INTO seeme.roles (id, organization_id, name, permissions)
VALUES ('e0000000-0000-4000-8000-0000000000e1', seeme_uuid('organization', 10), 'Low', '{}');
INSERT INTO app.seats (workspace, person, role)
  VALUES (10, 6, 'E0000000-0000-4000-8000-0000000000E1'),
    (10, 7, 'e0000000-0000-4000-8000-0000000000e1');
SELECT results_eq('SELECT role::text FROM pg_temp.members WHERE person IN (6, 7)',
  $$VALUES ('Low'), ('Low')$$, 'threat: a role whose name is another''s id is taken for that one');

-- API keys
SELECT seeme_unmirror('app.users'), seeme_mirror('app.users', 'users',
  '{"id": "id", "email": "email", "firstname": "first_name"}', protect => true) \g /dev/null
SELECT (seeme_create_api_key('a', '{projects:read}', user_id => seeme_uuid('user', 3))).key \gset
SET SESSION AUTHORIZATION t_app;
SELECT seeme_login(:'key') = seeme_uuid('user', 3) AS is_cleo \gset
SELECT ok(:'is_cleo', 'a person is identified by an API key');
SELECT is((SELECT count(*) FROM app.users WHERE id = 3), 1::bigint, 'they see their own row');
UPDATE app.users SET first_name = 'By key', last_login = now() WHERE id = 3;
RESET SESSION AUTHORIZATION;
SELECT is((SELECT last_login FROM app.users WHERE id = 3), NULL,
  'threat: a key changes the row of its user');
ALTER TABLE app.users DISABLE ROW LEVEL SECURITY;
SET SESSION AUTHORIZATION t_app;
SELECT throws_ok($$UPDATE app.users SET first_name = 'By key' WHERE id = 3$$, '42501', NULL,
  'threat: or their name here');
RESET SESSION AUTHORIZATION;

SELECT * FROM finish();
ROLLBACK;
