-- Mirrored tables whose own rows are protected; and foreign keys of an ordinary owner to the tables
-- here.
\i test/include/prelude.psql
BEGIN;
\i test/include/people.psql
\i test/include/app_tables.psql
SELECT plan(34);

SELECT pg_temp.mirror_all() \g /dev/null
SELECT is((SELECT count(DISTINCT object) FROM seeme_security_report() WHERE object LIKE 'app.%'
  AND finding LIKE 'mirrored table is open:%'), 5::bigint,
  'the report finds mirrored tables that are open');
SELECT format('SELECT %s', string_agg(
  regexp_replace(remedy, '^SELECT (.*); SELECT (.*); -- or.*$', '\1, \2'), ', ')) AS remedies
  FROM seeme_security_report() WHERE finding LIKE 'mirrored table is open:%' \gset
:remedies \g /dev/null
-- last_login is a column that people may write (security_report_mirrored_users.sql).
SELECT is((SELECT count(*) FROM seeme_security_report() WHERE object LIKE 'app.%'
  AND finding LIKE '%mirror%' AND finding NOT LIKE 'people change columns that are not mirrored:%'),
  0::bigint, 'its remedies mend them');
SELECT is((SELECT count(*) FROM seeme_security_report() WHERE object LIKE 'app.%'
  AND finding LIKE 'table is not known to be protected:%'), 0::bigint,
  'and it does not take them for forgotten ones');
SELECT is_empty('SELECT * FROM pg_temp.differences()', 'nothing differs');

-- Each person sees the table's rows whose rows here they see.
INSERT INTO app.workspaces (id, title, owner) VALUES (20, 'Dan''s', 4);
INSERT INTO app.boards VALUES (200, 20, 'Dan''s board');
CREATE FUNCTION pg_temp.sees_the_same() RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
  RETURN NEXT set_eq($q$SELECT seeme_uuid('user', id) FROM app.users$q$,
    $q$SELECT id FROM seeme.users WHERE id = ANY (current_setting('test.users')::uuid[])$q$,
    'users');
  RETURN NEXT set_eq($q$SELECT seeme_uuid('organization', id) FROM app.workspaces$q$,
    'SELECT id FROM seeme.organizations', 'organizations');
  RETURN NEXT set_eq($q$SELECT seeme_uuid('project', id) FROM app.boards$q$,
    'SELECT id FROM seeme.projects', 'projects');
  RETURN NEXT set_eq($q$SELECT seeme_uuid('organization', workspace_id) AS o,
      seeme_uuid('user', user_id) AS u FROM app.workspace_users WHERE active$q$,
    $q$SELECT organization_id, user_id FROM seeme.organization_members
        WHERE (organization_id, user_id) = ANY (current_setting('test.members')::app.member[])$q$,
        'members');
END $$;
CREATE TYPE app.member AS (o uuid, u uuid);
SELECT set_config('test.users', (SELECT array_agg(seeme_uuid('user', id)) FROM app.users)::text,
  true),
       set_config('test.members', (
       SELECT array_agg((seeme_uuid('organization', workspace_id),
         seeme_uuid('user', user_id))::app.member) FROM app.workspace_users)::text, true)
         \g /dev/null
SELECT pg_temp.ask_as(1) \g /dev/null
SELECT pg_temp.sees_the_same();
SELECT is((SELECT count(*) FROM app.workspaces), 2::bigint,
  'the owner sees her two workspaces, the archived one, too');
SELECT pg_temp.ask_as(2) \g /dev/null
SELECT pg_temp.sees_the_same();
SELECT is((SELECT count(*) FROM app.boards), 2::bigint, 'the Admin sees two boards');
SELECT pg_temp.ask_as(3) \g /dev/null
SELECT pg_temp.sees_the_same();
SELECT is((SELECT string_agg(title, ',') FROM app.boards), 'Plans',
  'the guest sees the board that they are a member of');

-- Changes
UPDATE app.workspaces SET billing_plan = 'free' WHERE id = 10;
UPDATE app.users SET last_login = now() WHERE id = 1;
UPDATE app.users SET last_login = now(), first_name = 'Cl' WHERE id = 3;
SELECT throws_ok($$INSERT INTO app.boards VALUES (103, 10, 'Mine')$$, '42501', NULL,
  'threat: a guest adds a board');
SELECT pg_temp.ask_as(2) \g /dev/null
SELECT is((SELECT id FROM app.boards WHERE id = 103), NULL, 'there is none');
CREATE TEMPORARY TABLE made ON COMMIT DROP AS SELECT 1;
PREPARE add AS INSERT INTO app.boards VALUES (103, 10, 'Ours') RETURNING id;
SELECT lives_ok('EXECUTE add', 'INSERT ... RETURNING works before the row is here');
DEALLOCATE add;
UPDATE app.workspaces SET billing_plan = 'paid' WHERE id = 10;
DELETE FROM app.workspaces WHERE id = 10;
SELECT lives_ok($$DELETE FROM app.boards WHERE id = 103$$,
  'who may remove the project removes the row');
SELECT pg_temp.ask_as(1) \g /dev/null
SELECT lives_ok($$INSERT INTO app.workspaces (id, title, owner) VALUES (21, 'New', 1)
    RETURNING id$$, 'a person makes a workspace of their own');
SELECT lives_ok($$UPDATE app.workspaces SET deleted_at = NULL WHERE id = 11$$,
  'and brings back one that was deleted');
SELECT ok(seeme_has_permission('projects:create', organization => seeme_uuid('organization', 11)),
  'here, too');
SELECT pg_temp.ask_as(NULL) \g /dev/null
SELECT results_eq(
  'SELECT id::integer, billing_plan FROM app.workspaces WHERE id IN (10) ORDER BY 1',
  $$VALUES (10, 'paid')$$, 'columns that are not mirrored need the right to change the row, too');
SELECT results_eq('SELECT id FROM app.users WHERE last_login IS NOT NULL', 'VALUES (3)',
  'threat: so are those of somebody else''s row');
SELECT throws_ok($$SELECT seeme_protect('app.boards', 'app_boards', organization_column => 'id')$$,
  NULL, NULL, 'it is not protected in another way besides');

-- Foreign keys of an ordinary owner
CREATE ROLE t_dev;
CREATE SCHEMA dev AUTHORIZATION t_dev;
GRANT USAGE ON SCHEMA seeme TO t_dev;
GRANT REFERENCES (id) ON seeme.users, seeme.projects TO t_dev;
SELECT is((SELECT count(*) FROM seeme_security_report()
  WHERE finding LIKE 'REFERENCES is granted:%'), 2::bigint,
  'a right that nobody makes use of is a finding');
SELECT seeme_uuid('project', 100) AS plans, seeme_uuid('user', 1) AS ada \gset
SET LOCAL ROLE t_dev;
CREATE TABLE dev.notes (id integer, project uuid REFERENCES seeme.projects (id) ON DELETE CASCADE,
  author uuid REFERENCES seeme.users (id));
INSERT INTO dev.notes VALUES (1, :'plans', :'ada');
RESET ROLE;
SELECT is((SELECT count(*) FROM dev.notes), 1::bigint,
  'an ordinary owner''s table refers to the tables here');
SELECT is((SELECT count(*) FROM seeme_security_report()
  WHERE finding LIKE 'REFERENCES is granted:%'), 0::bigint, 'and what that needs is none');

-- A table that was restored alone has the triggers of its mirror, and nothing else of it.
SELECT is_empty($$SELECT FROM seeme_security_report() WHERE object = 'app.boards'
  AND finding LIKE 'mirror without a record:%'$$, 'a mirror has a record');
DELETE FROM seeme.mirrors WHERE table_name = 'app.boards'::regclass;
SELECT isnt_empty($$SELECT FROM seeme_security_report() WHERE object = 'app.boards'
  AND finding LIKE 'mirror without a record:%'$$, 'the report finds a mirror without one');

SELECT * FROM finish();
ROLLBACK;
