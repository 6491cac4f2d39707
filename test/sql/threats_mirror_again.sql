-- A table is mirrored again, as a migration does. What was taken away here in between stays so.
\i test/include/prelude.psql
BEGIN;
\i test/include/people.psql
\i test/include/app_tables.psql
SELECT plan(11);

CREATE PROCEDURE pg_temp.mirror() LANGUAGE plpgsql AS $$ BEGIN
  PERFORM seeme_mirror('app.users', 'users', '{"id": "id", "email": "email"}',
    condition => 'deleted_at IS NULL'),
  seeme_mirror('app.workspaces', 'organizations',
    '{"id": "id", "name": "title", "owner_id": "owner"}', condition => 'deleted_at IS NULL');
END $$;
CALL pg_temp.mirror();
SELECT seeme_mirror('app.workspace_users', 'organization_members',
  '{"organization_id": "workspace_id", "user_id": "user_id", "role_id": "role"}',
  roles => '{"owner": "Owner", "manager": "Admin", "guest": null}',
  condition => 'active') \g /dev/null
SELECT owner AS former FROM app.workspaces WHERE id = 10 \gset
SELECT user_id AS next FROM app.workspace_users
 WHERE workspace_id = 10 AND user_id <> :former AND active ORDER BY user_id LIMIT 1 \gset

UPDATE seeme.organizations SET owner_id = seeme_uuid('user', :next)
 WHERE id = seeme_uuid('organization', 10);
UPDATE seeme.organizations SET archived_at = now() WHERE id = seeme_uuid('organization', 10);
UPDATE seeme.users SET disabled_at = now() WHERE id = seeme_uuid('user', :former);
UPDATE app.workspaces SET title = 'Renamed' WHERE id = 10;
SELECT seeme_unmirror('app.users'), seeme_unmirror('app.workspaces') \g /dev/null
UPDATE app.workspaces SET title = 'Renamed again' WHERE id = 10;
CALL pg_temp.mirror();

SELECT isnt((SELECT disabled_at FROM seeme.users WHERE id = seeme_uuid('user', :former)), NULL,
  'threat: mirroring again enables a person who was disabled here');
SELECT isnt((SELECT archived_at FROM seeme.organizations WHERE id = seeme_uuid('organization', 10)),
  NULL, 'threat: or brings an organization back');
SELECT is((SELECT owner_id FROM seeme.organizations WHERE id = seeme_uuid('organization', 10)),
  seeme_uuid('user', :next), 'threat: or gives it back to a former owner');
SELECT is((SELECT name FROM seeme.organizations WHERE id = seeme_uuid('organization', 10)),
  'Renamed again', 'everything else of the row is what the table says');
SELECT ok(EXISTS (SELECT FROM seeme_mirror_differences('app.workspaces')),
  'the organization is among the differences');
SELECT ok(EXISTS (SELECT FROM seeme_mirror_differences('app.users')), 'and the person');

-- The other direction is no gift.
SELECT id AS other FROM app.users WHERE id NOT IN (:former, :next) AND deleted_at IS NULL
 ORDER BY id LIMIT 1 \gset
SELECT is((SELECT disabled_at FROM seeme.users WHERE id = seeme_uuid('user', :other)), NULL,
  'somebody else is enabled');
SELECT seeme_unmirror('app.users') \g /dev/null
UPDATE app.users SET deleted_at = now() WHERE id = :other;
SELECT seeme_mirror('app.users', 'users', '{"id": "id", "email": "email"}',
  condition => 'deleted_at IS NULL') \g /dev/null
SELECT isnt((SELECT disabled_at FROM seeme.users WHERE id = seeme_uuid('user', :other)), NULL,
  'who left meanwhile is disabled');

-- A later change in the table counts.
UPDATE app.workspaces SET deleted_at = now() WHERE id = 10;
UPDATE app.workspaces SET deleted_at = NULL WHERE id = 10;
SELECT is((SELECT archived_at FROM seeme.organizations WHERE id = seeme_uuid('organization', 10)),
  NULL, 'an organization is brought back by a change in the table');
UPDATE app.users SET deleted_at = now() WHERE id = :former;
UPDATE app.users SET deleted_at = NULL WHERE id = :former;
SELECT is((SELECT disabled_at FROM seeme.users WHERE id = seeme_uuid('user', :former)), NULL,
  'and a person enabled');
SELECT is((SELECT owner_id FROM seeme.organizations WHERE id = seeme_uuid('organization', 10)),
  seeme_uuid('user', :next), 'the owner is still the new one');

SELECT * FROM finish();
ROLLBACK;
