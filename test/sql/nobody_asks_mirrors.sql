-- Mirrored tables that have policies, while nobody is identified: seeme_rbac.when_nobody_asks
-- counts them as it counts protected tables.
\i test/include/prelude.psql
BEGIN;
\i test/include/people.psql
\i test/include/asking.psql
\i test/include/app_tables.psql
SELECT plan(14);

SET LOCAL client_min_messages = error;
SELECT seeme_mirror('app.users', 'users', '{"id": "id", "email": "email"}', protect => true)
  \g /dev/null
SELECT seeme_mirror('app.workspaces', 'organizations',
  '{"id": "id", "name": "title", "owner_id": "owner"}', protect => true) \g /dev/null
SELECT seeme_mirror('app.workspace_users', 'organization_members',
  '{"organization_id": "workspace_id", "user_id": "user_id", "role_id": "role"}',
  roles => '{"owner": "Owner", "manager": "Admin", "guest": null}', protect => true) \g /dev/null
SELECT seeme_mirror('app.boards', 'projects',
  '{"id": "id", "organization_id": "workspace_id", "name": "title"}') \g /dev/null
CREATE ROLE t_owner LOGIN;
GRANT USAGE, CREATE ON SCHEMA app TO t_owner;
ALTER TABLE app.users OWNER TO t_owner;
ALTER TABLE app.workspaces OWNER TO t_owner;
ALTER TABLE app.workspace_users OWNER TO t_owner;
ALTER TABLE app.boards OWNER TO t_owner;

\i test/include/when_nobody_asks.psql

\set backfill 'UPDATE app.workspaces SET billing_plan = ''free'''
SELECT is(pg_temp.under('silent', 'owner', :'backfill'), '0 rows', 'a backfill is silent: 0 rows');
SELECT is(pg_temp.under('error', 'owner', :'backfill'), '42501',
  'threat: a backfill of a mirrored table reports success and changes no row');
SELECT is(pg_temp.under('error', 'owner', 'UPDATE app.workspace_users SET active = active'),
  '42501', 'a mirrored table of members');
SELECT is(pg_temp.under('error', 'owner', 'UPDATE app.users SET last_login = now()'), '42501',
  'a mirrored table of users');
SELECT is(pg_temp.under('error', 'owner', 'CREATE TABLE app.copy AS SELECT * FROM app.users'),
  '42501', 'threat: a tool copies a mirrored table, drops it and renames the copy');
SELECT is(pg_temp.under('error', 'ghost', 'SELECT * FROM app.workspaces'), '42501',
  'an application that forgot the transaction gets an error');
SELECT is(pg_temp.under('error', 'app_1', 'SELECT * FROM app.workspaces'), '42501',
  'so does a login role of nobody');
SELECT is(pg_temp.under('error', 'owner', 'SELECT * FROM app.boards'), '2 rows',
  'a mirrored table without policies works');
SELECT is(pg_temp.under('error', NULL, :'backfill'), '2 rows', 'superusers are not concerned');
SELECT is(pg_temp.under('error', 'owner',
  'ALTER TABLE app.boards ADD FOREIGN KEY (workspace_id) REFERENCES app.workspaces'), '0 rows',
  'nor are the checks of a foreign key');

UPDATE seeme.users SET database_role = 't_app_2' WHERE id = seeme_uuid('user', 2);
SELECT is(pg_temp.under('error', 'app_2', 'SELECT * FROM app.workspaces'), '1 row',
  'an identified person sees what they see');

-- A role that provisions users works while nobody is identified
CREATE ROLE t_signup LOGIN IN ROLE t_app;
SELECT seeme_grant_provisioning('t_signup') \g /dev/null
SELECT is(pg_temp.under('error', 'signup',
  'INSERT INTO app.users (id, email) VALUES (9, ''eve@app.example'')'), '1 row',
  'a role that provisions users adds one before anybody is identified');
SELECT is(pg_temp.under('error', 'signup', 'SELECT * FROM app.users'), '4 rows',
  'and sees all');
SELECT is(pg_temp.under('error', 'signup', 'SELECT * FROM app.workspaces'), '42501',
  'but no other mirrored table');
SELECT finish();
ROLLBACK;
