-- A migration tool drops a mirrored table and makes it again, or nobody mirrors it again after
-- seeme_unmirror. Whom the application takes out from then on keeps access here, so somebody has
-- to be told.
\i test/include/prelude.psql
BEGIN;
\i test/include/people.psql
\i test/include/app_tables.psql
SELECT plan(12);
SET LOCAL client_min_messages = error;

CREATE FUNCTION pg_temp.findings() RETURNS SETOF text LANGUAGE sql AS $$
  SELECT severity || ' ' || object FROM seeme.findings_on_mirrors()
   WHERE finding LIKE 'mirror has ended:%' ORDER BY 1 $$;
SELECT is_empty('SELECT pg_temp.findings()', 'nothing is mirrored, and nothing is found');
SELECT pg_temp.mirror_all() \g /dev/null
SELECT is_empty('SELECT pg_temp.findings()', 'nor while every kind that was mirrored still is');

SAVEPOINT mirrored;

-- Dropped, and made again
DROP TABLE app.workspace_users;
SELECT results_eq('SELECT pg_temp.findings()', $$VALUES ('high seeme.organization_members')$$,
  'threat: a mirrored table is dropped, and what it made stays unnoticed');
CREATE TABLE app.workspace_users (
  workspace_id bigint, user_id integer, role app.workspace_role, active boolean DEFAULT true,
  PRIMARY KEY (workspace_id, user_id));
SELECT results_eq('SELECT pg_temp.findings()', $$VALUES ('high seeme.organization_members')$$,
  'threat: a table that is made again is taken for the mirror');
SELECT ok((SELECT starts_with(remedy, 'SELECT public.seeme_mirror(')
             FROM seeme.findings_on_mirrors()
            WHERE finding LIKE 'mirror has ended:%'), 'the remedy is to mirror it again');
INSERT INTO app.workspace_users VALUES (10, 1, 'owner', true), (10, 2, 'manager', true);
SELECT seeme_mirror('app.workspace_users', 'organization_members',
  '{"organization_id": "workspace_id", "user_id": "user_id", "role_id": "role"}',
  roles => '{"owner": "Owner", "manager": "Admin", "guest": null}') \g /dev/null
SELECT is_empty('SELECT pg_temp.findings()', 'which ends the finding');
SELECT results_eq(
  $$SELECT difference FROM seeme_mirror_differences('app.workspace_users') d
      JOIN seeme.memberships m USING (id) WHERE m.user_id = seeme_uuid('user', 3)$$,
  $$VALUES ('not in the table')$$,
  'a member who is not in the table any more is among the differences');
ROLLBACK TO mirrored;

-- Ended, and forgotten
SELECT seeme_unmirror('app.users') \g /dev/null
SELECT results_eq('SELECT pg_temp.findings()', $$VALUES ('high seeme.users')$$,
  'threat: a mirror that a migration ended is not made again');
SELECT lives_ok(
  $$SELECT seeme_accept_finding('mirror has ended', 'seeme.users', 'people sign up here now')$$,
  'a mirror that ended for good is accepted');
SELECT is((SELECT severity FROM seeme_security_report() WHERE object = 'seeme.users'
              AND finding LIKE 'mirror has ended:%'), 'accepted', 'and so it is');
ROLLBACK TO mirrored;

-- Nothing was made, so nothing stays
SELECT seeme_unmirror('app.board_users') \g /dev/null
DELETE FROM seeme.memberships WHERE project_id IS NOT NULL
  AND user_id IN (SELECT seeme_uuid('user', id) FROM app.users);
SELECT is_empty('SELECT pg_temp.findings()', 'without a row that a mirror made, nothing is found');
ROLLBACK TO mirrored;

-- The warning
SET LOCAL client_min_messages = warning;
DROP TABLE app.board_users;
SET LOCAL client_min_messages = error;
SELECT results_eq('SELECT pg_temp.findings()', $$VALUES ('high seeme.project_members')$$,
  'the WARNING above says what the report repeats');

SELECT * FROM finish();
ROLLBACK;
