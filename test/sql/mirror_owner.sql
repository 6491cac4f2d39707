-- A mirrored table with policies gets another owner, and its policies are not what they were.
\i test/include/prelude.psql
BEGIN;
\i test/include/people.psql
\i test/include/app_tables.psql
SELECT plan(11);

SELECT seeme_mirror('app.users', 'users', '{"id": "id", "email": "email"}');
SELECT seeme_mirror('app.workspaces', 'organizations',
  '{"id": "id", "name": "title", "owner_id": "owner"}', condition => 'deleted_at IS NULL');
SELECT seeme_mirror('app.workspace_users', 'organization_members',
  '{"organization_id": "workspace_id", "user_id": "user_id", "role_id": "role"}',
  roles => '{"owner": "Owner", "manager": "Admin", "guest": null}', condition => 'active');
SELECT seeme_mirror('app.boards', 'projects',
  '{"id": "id", "organization_id": "workspace_id", "name": "title"}', protect => true);

CREATE FUNCTION pg_temp.findings(name text) RETURNS bigint LANGUAGE sql AS $$
  SELECT count(*) FROM seeme_security_report() f
   WHERE f.object = 'app.boards' AND f.finding LIKE name || ':%' $$;
CREATE FUNCTION pg_temp.remedy(name text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE (SELECT f.remedy FROM seeme_security_report() f
            WHERE f.object = 'app.boards' AND f.finding LIKE name || ':%');
END $$;

CREATE ROLE t_new_owner;
GRANT USAGE, CREATE ON SCHEMA app TO t_new_owner;
ALTER TABLE app.boards OWNER TO t_new_owner;
SELECT pg_temp.ask_as(2) \g /dev/null
UPDATE app.boards SET title = 'Admin''s' WHERE id = 100;
SELECT pg_temp.ask_as(NULL) \g /dev/null
SELECT is((SELECT name FROM seeme.projects WHERE id = seeme_uuid('project', 100)), 'Admin''s',
  'a table with a new owner is mirrored still');
GRANT t_new_owner TO t_app_2;
SELECT pg_temp.ask_as(2) \g /dev/null
SET LOCAL ROLE t_new_owner;
SELECT is((SELECT count(*) FROM app.boards), 2::bigint, 'and its new owner reads it');
RESET ROLE;
SELECT pg_temp.ask_as(NULL) \g /dev/null
SELECT is(pg_temp.findings('owner may not call the policies of a mirror'), 0::bigint,
  'the report finds nothing');
REVOKE EXECUTE ON FUNCTION seeme.sees_unused(uuid, uuid, uuid) FROM t_new_owner;
SELECT is(pg_temp.findings('owner may not call the policies of a mirror'), 1::bigint,
  'an owner without what the policies call is found');
SELECT pg_temp.remedy('owner may not call the policies of a mirror') \g /dev/null
SELECT is(pg_temp.findings('owner may not call the policies of a mirror'), 0::bigint,
  'and the remedy mends it');

SELECT is(pg_temp.findings('mirror has another policy'), 0::bigint,
  'policies are as seeme_mirror made them');
ALTER POLICY seeme_select ON app.boards USING (true);
SELECT is(pg_temp.findings('mirror has another policy'), 1::bigint,
  'threat: a policy of a mirrored table lets everything through');
SELECT pg_temp.remedy('mirror has another policy') \g /dev/null
SELECT is(pg_temp.findings('mirror has another policy'), 0::bigint, 'the remedy mends it');
CREATE POLICY mine ON app.boards FOR SELECT USING (true);
SELECT is(pg_temp.findings('mirror has an additional permissive policy'), 1::bigint,
  'threat: a policy beside them does');
SELECT pg_temp.remedy('mirror has an additional permissive policy') \g /dev/null
SELECT is(pg_temp.findings('mirror has an additional permissive policy'), 0::bigint,
  'the remedy mends it');
SELECT is(pg_temp.findings('mirror%'), 0::bigint, 'nothing else is found');

SELECT * FROM finish();
ROLLBACK;
