-- What an application meets when its tables are mirrored for the first time.
\i test/include/prelude.psql
BEGIN;
\i test/include/people.psql
\i test/include/app_tables.psql
SELECT plan(12);

CREATE ROLE t_table_owner;
GRANT USAGE, CREATE ON SCHEMA app TO t_table_owner;
ALTER TABLE app.boards ADD COLUMN archived boolean NOT NULL DEFAULT false;
UPDATE app.boards SET archived = true WHERE id = 101;
INSERT INTO app.board_users VALUES (101, 2, 'Editor');
ALTER TABLE app.boards OWNER TO t_table_owner;
SELECT seeme_mirror('app.users', 'users', '{"id": "id", "email": "email"}') \g /dev/null
SELECT seeme_mirror('app.workspaces', 'organizations',
  '{"id": "id", "name": "title", "owner_id": "owner"}',
  condition => 'deleted_at IS NULL') \g /dev/null
SELECT seeme_mirror('app.workspace_users', 'organization_members',
  '{"organization_id": "workspace_id", "user_id": "user_id", "role_id": "role"}',
  roles => '{"owner": "Owner", "manager": "Admin", "guest": null}',
  condition => 'active') \g /dev/null
SELECT seeme_mirror('app.boards', 'projects',
  '{"id": "id", "organization_id": "workspace_id", "name": "title"}',
  condition => 'NOT archived', protect => true) \g /dev/null

-- Archived projects
SELECT lives_ok($$SELECT seeme_mirror('app.board_users', 'project_members',
  '{"project_id": "board_id", "user_id": "user_id", "role_id": "role"}')$$,
  'members of an archived project are loaded');
SELECT is((SELECT count(*) FROM seeme.memberships WHERE project_id = seeme_uuid('project', 101)),
  1::bigint, 'and are members');
SELECT ok(NOT seeme_user_has_permission(seeme_uuid('user', 3), 'projects:read',
                                        project => seeme_uuid('project', 101)),
  'who hold nothing there while it is archived');
UPDATE app.boards SET archived = false WHERE id = 101;
SELECT ok(seeme_user_has_permission(seeme_uuid('user', 2), 'projects:read',
                                    project => seeme_uuid('project', 101)),
  'and something when it is brought back');
UPDATE app.boards SET archived = true WHERE id = 101;
SELECT pg_temp.ask_as(2) \g /dev/null
SELECT throws_ok($$INSERT INTO seeme.project_members (project_id, user_id)
    VALUES (seeme_uuid('project', 101), seeme_uuid('user', 3))$$, '42501',
  'you do not hold organizations:manage_members or projects:update in this project',
  'threat: a member is told that an archived project is there');
SELECT throws_ok($$INSERT INTO seeme.project_members (project_id, user_id)
    VALUES (gen_random_uuid(), seeme_uuid('user', 3))$$, '42501',
  'you do not hold organizations:manage_members or projects:update in this project',
  'a missing one gives the same error');
SELECT pg_temp.ask_as(NULL) \g /dev/null

-- The owner's row
SELECT pg_temp.ask_as(2) \g /dev/null
SELECT throws_ok($$UPDATE app.workspace_users SET role = 'guest' WHERE user_id = 1$$, '42501', NULL,
  'threat: an Admin demotes the owner in the application''s table, and nothing changes here');
SELECT throws_ok($$UPDATE app.workspace_users SET active = false WHERE user_id = 1$$, '42501', NULL,
  'or makes the owner inactive');
SELECT pg_temp.ask_as(1) \g /dev/null
SELECT lives_ok($$UPDATE app.workspace_users SET role = 'manager' WHERE user_id = 1$$,
  'the owner may');
SELECT pg_temp.ask_as(NULL) \g /dev/null

-- The report
CREATE TABLE app.notes (id uuid PRIMARY KEY, project_id uuid);
CREATE INDEX ON app.notes (project_id);
ALTER TABLE app.notes OWNER TO t_table_owner;
SELECT seeme_protect('app.notes', 'notes', project_column => 'project_id') \g /dev/null
SELECT is((SELECT count(*) FROM seeme_security_report() f
            WHERE f.severity = 'high' AND (f.object || f.finding) LIKE '%t_table_owner%'),
  0::bigint,
  'the owner of a mirrored table is no application role');
SELECT seeme_grant_usage('t_table_owner') \g /dev/null
SELECT isnt((SELECT count(*) FROM seeme_security_report() f
              WHERE f.severity = 'high' AND (f.object || f.finding) LIKE '%t_table_owner%'),
  0::bigint,
  'but is one with seeme_grant_usage');

-- Messages
CREATE FUNCTION pg_temp.hint_of(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE hint text;
BEGIN
  EXECUTE statement;
  RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
  RETURN SQLERRM || '|' || hint;
END $$;
SELECT is(pg_temp.hint_of($$INSERT INTO app.workspaces (id, title, owner) VALUES (12, '', 1)$$),
  'an organization needs a name|It may not be empty.', 'an error says which name is missing');

SELECT * FROM finish();
ROLLBACK;
