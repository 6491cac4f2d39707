-- A mirrored table: what is loaded, and what happens to its rows by whom.
\i test/include/prelude.psql
BEGIN;
\i test/include/people.psql
\i test/include/app_tables.psql
SELECT plan(48);

-- What is compared is made in plain SQL, from the application's tables.
CREATE VIEW pg_temp.expected_members AS
  SELECT seeme_uuid('organization', w.workspace_id) AS organization,
    seeme_uuid('user', w.user_id) AS member,
         CASE WHEN o.owner = w.user_id THEN 'Owner' WHEN w.role = 'manager' THEN 'Admin' END AS role
    FROM app.workspace_users w JOIN app.workspaces o ON o.id = w.workspace_id WHERE w.active
  UNION SELECT seeme_uuid('organization', o.id), seeme_uuid('user', o.owner),
  'Owner' FROM app.workspaces o;
CREATE VIEW pg_temp.members AS
  SELECT m.organization_id, m.user_id, r.name FROM seeme.memberships m LEFT
    JOIN seeme.roles r ON r.id = m.role_id
   WHERE m.team_id IS NULL AND m.project_id IS NULL
   AND m.organization_id IN (SELECT seeme_uuid('organization', id) FROM app.workspaces);

SELECT lives_ok('SELECT pg_temp.mirror_all()', 'five tables are mirrored');
SELECT set_eq($$SELECT id, email, firstname, name FROM seeme.users
    WHERE email LIKE '%@app.example'$$,
              $$SELECT seeme_uuid('user', id), email::text, first_name, last_name FROM app.users$$,
              'what is there is loaded: users');
SELECT set_eq($$SELECT name, owner_id, archived_at IS NOT NULL FROM seeme.organizations
    WHERE name IN ('Acorn', 'Birch')$$,
              $$SELECT title, seeme_uuid('user', owner),
                deleted_at IS NOT NULL FROM app.workspaces$$,
                'organizations, archived where the condition is false');
SELECT set_eq('TABLE pg_temp.members', 'TABLE pg_temp.expected_members',
  'members, with their roles mapped');
SELECT is((SELECT count(*) FROM seeme.project_members WHERE role_name = 'Editor'
  AND user_id = seeme_uuid('user', 3)), 1::bigint, 'and members of projects');
SELECT is_empty('SELECT * FROM pg_temp.differences()', 'there are no differences');

-- Ben, an Admin, in the application's own statements
SAVEPOINT assumed;
SELECT seeme_assume(seeme_uuid('user', '2')) \g /dev/null
SELECT seeme_user_id() = seeme_uuid('user', 2) AS is_ben \gset
ROLLBACK TO assumed;
SELECT ok(:'is_ben', 'seeme_assume(seeme_uuid(...)) names a person of the application');
SELECT pg_temp.ask_as(2) \g /dev/null
SELECT lives_ok($$INSERT INTO app.boards VALUES (102, 10, 'Pads')$$,
  'an Admin adds a row to a mirrored table');
SELECT is((SELECT name FROM seeme.projects WHERE id = seeme_uuid('project', 102)), 'Pads',
  'and it is here in the same statement');
SELECT lives_ok($$UPDATE app.boards SET title = 'Pads 2' WHERE id = 102$$, 'they change it');
SELECT is((SELECT name FROM seeme.projects WHERE id = seeme_uuid('project', 102)), 'Pads 2',
  'here, too');
SELECT lives_ok($$UPDATE app.workspace_users SET role = 'manager' WHERE user_id = 3$$,
  'they give a member another role');
SELECT is((SELECT role_name FROM seeme.organization_members WHERE user_id = seeme_uuid('user', 3)),
  'Admin', 'here, too');
SELECT lives_ok($$UPDATE app.workspace_users SET active = false WHERE user_id = 3$$,
  'a condition that becomes false');
SELECT is((SELECT count(*) FROM seeme.memberships WHERE user_id = seeme_uuid('user', 3)), 0::bigint,
  'removes the membership, and what lay below it');
SELECT lives_ok($$DELETE FROM app.board_users WHERE user_id = 3$$,
  'what is gone here already may go there');
SELECT lives_ok($$UPDATE app.workspace_users SET active = true WHERE user_id IN (3, 4)$$,
  'and one that becomes true again adds it');
SELECT pg_temp.ask_as(NULL) \g /dev/null
SELECT set_eq('TABLE pg_temp.members', 'TABLE pg_temp.expected_members',
  'afterwards the members are those of the table');
SELECT pg_temp.ask_as(2) \g /dev/null
SELECT lives_ok($$DELETE FROM app.boards WHERE id = 102$$, 'they remove the row');
SELECT is((SELECT count(*) FROM seeme.projects WHERE id = seeme_uuid('project', 102)), 0::bigint,
  'here, too');
SELECT lives_ok($$UPDATE app.workspaces SET billing_plan = 'big' WHERE id = 10$$,
  'a column that is not mirrored is the application''s own affair');

-- Ada, the owner
SELECT pg_temp.ask_as(1) \g /dev/null
SELECT lives_ok($$INSERT INTO app.workspaces (id, title, owner) VALUES (12, 'Cedar', 1)$$,
  'a person makes an organization of their own');
SELECT lives_ok($$INSERT INTO app.workspace_users VALUES (12, 1, 'owner'), (12, 2, 'guest')$$,
  'and adds themselves, as applications do, and others');
SELECT lives_ok($$UPDATE app.workspaces SET owner = 2, title = 'Cedars' WHERE id = 12$$,
  'the owner hands it over by an UPDATE of the application''s table');
SELECT is((SELECT owner_id FROM seeme.organizations WHERE id = seeme_uuid('organization', 12)),
  seeme_uuid('user', 2), 'here, too');
SELECT lives_ok($$UPDATE app.workspace_users SET role = 'manager' WHERE workspace_id = 12
    AND user_id = 1$$, 'whoever owned it is an ordinary member');
SELECT pg_temp.ask_as(2) \g /dev/null
SELECT lives_ok($$UPDATE app.workspace_users SET role = 'owner' WHERE workspace_id = 12
    AND user_id = 2$$, 'the new owner is called so');
SELECT lives_ok($$UPDATE app.workspaces SET deleted_at = '2026-05-05' WHERE id = 12$$,
  'the owner deletes softly');
SELECT ok(NOT seeme_has_permission(
  'organizations:read', organization => seeme_uuid('organization', 12)),
  'and nobody holds anything there');
SELECT lives_ok($$UPDATE app.workspaces SET deleted_at = NULL WHERE id = 12$$,
  'and brings it back');
SELECT ok(seeme_has_permission(
  'organizations:read', organization => seeme_uuid('organization', 12)), 'all is as it was');
SELECT lives_ok($$DELETE FROM app.workspaces WHERE id = 12$$,
  'the owner deletes it for good, with the rows that refer to it');
SELECT pg_temp.ask_as(NULL) \g /dev/null
SELECT is_empty('SELECT * FROM pg_temp.differences()', 'there are no differences');

-- A job, with nobody identified
SELECT lives_ok($$INSERT INTO app.users (id, email, first_name)
    VALUES (5, 'eve@app.example', 'Eve'), (6, 'fay@app.example', 'Fay')$$, 'a job adds users');
SELECT lives_ok($$UPDATE app.users SET deleted_at = now() WHERE id = 5$$, 'one is deleted softly');
SELECT ok((SELECT disabled_at IS NOT NULL FROM seeme.users WHERE id = seeme_uuid('user', 5)),
  'and disabled here');
UPDATE seeme.users SET disabled_at = '2026-01-01' WHERE id = seeme_uuid('user', 6);
UPDATE app.users SET first_name = 'Faye' WHERE id = 6;
SELECT ok((SELECT disabled_at IS NOT NULL AND firstname = 'Faye' FROM seeme.users
  WHERE id = seeme_uuid('user', 6)),
          'threat: a change of a name enables somebody whom an administrator disabled here');
UPDATE app.users SET deleted_at = NULL WHERE id = 5;
SELECT ok((SELECT disabled_at IS NULL FROM seeme.users WHERE id = seeme_uuid('user', 5)),
  'who is brought back is enabled');
INSERT INTO app.users (id, email, first_name) VALUES (6, 'fay@app.example', 'F')
  ON CONFLICT (id) DO UPDATE SET first_name = excluded.first_name;
SELECT is((SELECT firstname FROM seeme.users WHERE id = seeme_uuid('user', 6)), 'F',
  'INSERT ... ON CONFLICT is followed');
DELETE FROM app.users WHERE id IN (5, 6);
SELECT is((SELECT count(*) FROM seeme.users WHERE id IN
  (seeme_uuid('user', 5), seeme_uuid('user', 6))), 0::bigint, 'and so is DELETE');
INSERT INTO app.boards SELECT g, 10, 'Board ' || g FROM generate_series(1000, 7000) g;
SELECT is((SELECT count(*) FROM seeme.projects WHERE name LIKE 'Board %'), 6001::bigint,
  'a statement of many rows is one, too');
SELECT throws_like($$INSERT INTO app.boards SELECT g, CASE g WHEN 8003 THEN 11 ELSE 10 END,
    nullif('Board ' || g, 'Board 8003') FROM generate_series(8001, 8005) g$$,
                   '%null value%', 'a constraint of the table''s own comes first');

-- Differences
UPDATE seeme.projects SET name = 'Otherwise' WHERE id = seeme_uuid('project', 100);
INSERT INTO seeme.projects (id, organization_id, name)
  VALUES ('d0000000-0000-4000-8000-0000000000d1', seeme_uuid('organization', 10), 'Only here');
SELECT set_eq($$SELECT difference, id, column_name, in_table,
    in_seeme FROM seeme_mirror_differences('app.boards')
                 WHERE id NOT IN (
                 SELECT id FROM seeme.projects
                   WHERE organization_id IN (
                   'b0000000-0000-4000-8000-000000000001',
                   'b0000000-0000-4000-8000-000000000002'))$$,
              $$VALUES ('different', seeme_uuid('project', 100), 'name', 'Plans', 'Otherwise'),
                       ('not in the table', 'd0000000-0000-4000-8000-0000000000d1', NULL, NULL,
                       NULL)$$, 'what is written here directly shows');

-- The end, and once more
SELECT lives_ok($$SELECT seeme_unmirror('app.boards')$$, 'a mirror is ended');
SELECT is((SELECT count(*) FROM seeme.projects WHERE name = 'Plots'), 1::bigint,
  'what it made stays');
UPDATE app.boards SET title = 'Plots 2' WHERE id = 101;
SELECT is((SELECT count(*) FROM seeme.projects WHERE name = 'Plots'), 1::bigint,
  'and follows nothing any more');
SELECT lives_ok($$SELECT seeme_mirror(
    'app.boards', 'projects', '{"id": "id", "organization_id": "workspace_id", "name": "title"}')$$,
                'the same table is mirrored again, and finds its own rows');
SELECT is((SELECT count(*) FROM seeme.projects WHERE name IN ('Plots 2', 'Plans')), 2::bigint,
  'which are as the table has them');

SELECT * FROM finish();
ROLLBACK;
