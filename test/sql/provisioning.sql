\i test/include/prelude.psql
-- A role of sign-up or SCIM, that has nothing but seeme_grant_provisioning, provisions users: in
-- seeme.users, and in a mirrored table with policies. And whatever a policy of the extension's
-- tables or of a mirrored table calls, these grants include.
BEGIN;
\i test/include/people.psql
\i test/include/app_tables.psql
SELECT plan(41);

CREATE ROLE t_signup LOGIN;
SELECT seeme_grant_provisioning('t_signup') \g /dev/null
GRANT USAGE ON SCHEMA app TO t_signup;
GRANT SELECT, INSERT, UPDATE, DELETE ON app.users TO t_signup;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA app TO t_signup;

CREATE TEMP TABLE step (n serial, did text, rows bigint, statement text);
INSERT INTO step (did, rows, statement) VALUES
  ('INSERT', 1, $$INSERT INTO %1$s (id, email) VALUES (%2$s, 'new@app.example')$$),
  ('INSERT ON CONFLICT DO NOTHING', 0, $$INSERT INTO %1$s (id, email)
    VALUES (%2$s, 'new@app.example') ON CONFLICT (id) DO NOTHING$$),
  ('INSERT ON CONFLICT DO UPDATE RETURNING', 1, $$INSERT INTO %1$s (id, email)
    VALUES (%2$s, 'new@app.example')
    ON CONFLICT (id) DO UPDATE SET email = 'newer@app.example' RETURNING email$$),
  ('SELECT', 1, 'SELECT email FROM %1$s WHERE id = %2$s'),
  ('SELECT FOR UPDATE', 1, 'SELECT email FROM %1$s WHERE id = %2$s FOR UPDATE'),
  ('SELECT FOR SHARE', 1, 'SELECT email FROM %1$s WHERE id = %2$s FOR SHARE'),
  ('UPDATE', 1, $$UPDATE %1$s SET email = 'newest@app.example' WHERE id = %2$s$$),
  ('UPDATE RETURNING', 1,
    $$UPDATE %1$s SET email = 'again@app.example' WHERE id = %2$s RETURNING id, email$$),
  ('MERGE', 1, $$MERGE INTO %1$s u USING (SELECT 1) s ON u.id = %2$s
    WHEN MATCHED THEN UPDATE SET email = 'merged@app.example' WHEN NOT MATCHED THEN DO NOTHING$$),
  ('DELETE RETURNING', 1, 'DELETE FROM %1$s WHERE id = %2$s RETURNING email');
CREATE FUNCTION pg_temp.provision(users text, key text, what text) RETURNS SETOF text
LANGUAGE plpgsql AS $$
DECLARE
  s    record;
  rows bigint;
BEGIN
  FOR s IN SELECT * FROM pg_temp.step ORDER BY n LOOP
    PERFORM pg_catalog.set_config('session_authorization', 't_signup', false);
    BEGIN
      EXECUTE format(s.statement, users, key);
      GET DIAGNOSTICS rows = ROW_COUNT;
      PERFORM pg_temp.become(NULL);
      RETURN NEXT is(rows, s.rows, format('%s: %s', what, s.did));
    EXCEPTION WHEN OTHERS THEN
      PERFORM pg_temp.become(NULL);
      RETURN NEXT fail(format('%s: %s: %s', what, s.did, SQLERRM));
    END;
  END LOOP;
END $$;
SELECT pg_temp.provision('seeme.users', '''f0000000-0000-4000-8000-000000000001''::uuid',
                         'seeme.users');
SELECT seeme_mirror('app.users', 'users', '{"id": "id", "email": "email", "name": "last_name"}',
                    protect => true) \g /dev/null
SELECT pg_temp.provision('app.users', '77', 'mirrored by its keys');
ALTER TABLE app.users ADD user_uuid uuid GENERATED ALWAYS AS (seeme_uuid('user', id)) STORED;
SELECT seeme_unmirror('app.users'), seeme_mirror('app.users', 'users',
         '{"id": "user_uuid", "email": "email", "name": "last_name"}', protect => true)
  \g /dev/null
SELECT pg_temp.provision('app.users', '78', 'mirrored by a generated column');

-- What the policies call, and what these functions call that run with the rights of their caller.
CREATE FUNCTION pg_temp.called(relations regclass[]) RETURNS SETOF regprocedure LANGUAGE sql AS $$
  WITH RECURSIVE called (routine) AS (
    SELECT d.refobjid FROM pg_policy y JOIN pg_depend d ON d.objid = y.oid
     WHERE y.polrelid = ANY (relations) AND d.classid = 'pg_policy'::regclass
       AND d.refclassid = 'pg_proc'::regclass
    UNION
    SELECT d.refobjid FROM called c JOIN pg_proc p ON p.oid = c.routine AND NOT p.prosecdef
      JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid
                      AND d.refclassid = 'pg_proc'::regclass AND d.deptype = 'n'
      JOIN pg_proc q ON q.oid = d.refobjid AND p.prosupport <> q.oid
  ) SELECT routine FROM called $$;
SELECT cmp_ok(count(*), '>', 3::bigint, 'the policies of users call functions')
  FROM pg_temp.called('{seeme.users,app.users}');
SELECT is(array_agg(f ORDER BY f::text), NULL,
          'a provisioning role may call all that policies of users call')
  FROM pg_temp.called('{seeme.users,app.users}') f WHERE NOT has_function_privilege(
       't_signup', f, 'EXECUTE');

CREATE TABLE app.teams (id bigint PRIMARY KEY, workspace bigint, title text);
CREATE TABLE app.team_users (team bigint, person integer, role text, PRIMARY KEY (team, person));
CREATE TABLE app.projects (id bigint PRIMARY KEY, workspace bigint, team bigint, title text);
INSERT INTO app.projects VALUES (100, 10, NULL, 'Plans');
SELECT seeme_mirror('app.workspaces', 'organizations',
         '{"id": "id", "name": "title", "owner_id": "owner"}', protect => true),
       seeme_mirror('app.workspace_users', 'organization_members',
         '{"organization_id": "workspace_id", "user_id": "user_id", "role_id": "role"}',
         roles => '{"owner": "Owner", "manager": "Admin", "guest": null}', protect => true),
       seeme_mirror('app.teams', 'teams',
         '{"id": "id", "organization_id": "workspace", "name": "title"}', protect => true),
       seeme_mirror('app.projects', 'projects', '{"id": "id", "organization_id": "workspace", '
         '"team_id": "team", "name": "title"}', protect => true),
       seeme_mirror('app.team_users', 'team_members',
         '{"team_id": "team", "user_id": "person", "role_id": "role"}', protect => true),
       seeme_mirror('app.board_users', 'project_members',
         '{"project_id": "board_id", "user_id": "user_id", "role_id": "role"}', protect => true)
  \g /dev/null
CREATE ROLE t_system LOGIN;
SET LOCAL client_min_messages = error;
SELECT seeme_grant_system('t_system') \g /dev/null
RESET client_min_messages;
SELECT is(array_agg(f ORDER BY f::text) FILTER (WHERE f IS NOT NULL), NULL,
          format('%s may call all that policies call', r.role))
  FROM unnest('{t_app,t_system}'::name[]) AS r (role) LEFT JOIN pg_temp.called(ARRAY(
         SELECT y.polrelid FROM pg_policy y JOIN pg_class c ON c.oid = y.polrelid
          WHERE c.relnamespace IN ('seeme'::regnamespace, 'app'::regnamespace))) f
       ON NOT has_function_privilege(r.role, f, 'EXECUTE')
 GROUP BY r.role ORDER BY r.role;

-- How it is taken back.
REVOKE SELECT, INSERT, UPDATE, DELETE ON seeme.users FROM t_signup;
SELECT ok(NOT seeme.provisions('t_signup'::regrole), 'provisioning is taken back by one REVOKE');
SELECT pg_catalog.set_config('session_authorization', 't_signup', true) \g /dev/null
SELECT throws_ok($$INSERT INTO app.users (email) VALUES ('x@app.example')$$, '42501', NULL,
  'threat: a former provisioning role adds a user by the mirrored table');
SELECT is_empty('SELECT FROM app.users', 'and reads none');
SELECT lives_ok($$UPDATE app.users SET email = 'x@app.example'$$, 'and changes none');
SELECT pg_temp.become(NULL) \g /dev/null
SELECT is((SELECT count(*) FROM app.users WHERE email = 'x@app.example'), 0::bigint, 'not one');

-- The functions of a grant are no sign of another one.
CREATE TABLE app.models (id uuid PRIMARY KEY, project_id uuid);
SET LOCAL client_min_messages = error;
SELECT seeme_protect('app.models', 'models', project_column => 'project_id') \g /dev/null
ALTER TABLE app.models OWNER TO t_signup;
SELECT ok(has_function_privilege('t_signup', f, 'EXECUTE'),
          'a provisioning role that gets a protected table may call ' || f::regprocedure::name)
  FROM unnest('{seeme.check_moved_row(),seeme.recheck_after_lock()}'::regprocedure[]) AS f;

SELECT * FROM finish();
ROLLBACK;
