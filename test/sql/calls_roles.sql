\i test/include/prelude.psql
-- The documented calls on roles, permissions and the user context, one SQL statement each: with the
-- right, without it, and once it is taken away again. An assertion bears the name of the call.
BEGIN;
\i test/include/people.psql
\i test/include/asking.psql
SELECT plan(40);

-- get_roles
SELECT pg_temp.needs('get_roles', '{}', '{roles:list}',
  $$SELECT * FROM seeme.roles WHERE name <> 'Just this'$$, '6 rows', '12 rows');
SELECT is(
  pg_temp.rows('stan',
  'SELECT name, scope, is_system_role, organization_id FROM seeme.roles ORDER BY name'),
  '{Admin|system|true|null,Contributor|system|true|null,Editor|system|true|null,'
  'Member|system|true|null,Owner|system|true|null,Viewer|system|true|null}',
  'get_roles shows the built-in ones to anyone signed in');
SELECT is(pg_temp.rows('ghost', 'SELECT name FROM seeme.roles'), '{}',
  'get_roles shows nothing with nobody signed in');
SELECT is(
  pg_temp.rows('ann',
  'SELECT name, permissions FROM seeme.roles WHERE organization_id IS NOT NULL'),
  ARRAY['Annotator|["datasets:list","datasets:read","annotations:*"]'],
  'get_roles shows a custom role to its holder');

-- get_organization_roles
SELECT pg_temp.needs('get_organization_roles', '{}', '{roles:read}',
  $$SELECT * FROM seeme.roles WHERE organization_id = {acme} AND name <> 'Just this'$$, '0 rows',
  '6 rows');
SELECT is(
  pg_temp.rows('adam', $$SELECT name, scope, is_system_role, description,
    permissions FROM seeme.roles WHERE organization_id = {acme} AND name = 'Annotator'$$),
  ARRAY['Annotator|organization|false|null|["datasets:list","datasets:read","annotations:*"]'],
  'get_organization_roles shows the documented properties');
SELECT is(pg_temp.rows('adam', $$SELECT name FROM seeme.roles WHERE organization_id = {globex}$$),
  '{}', 'get_organization_roles shows nothing of another organization');

-- create_role
SELECT pg_temp.needs('create_role',
  '{roles:read,datasets:list,datasets:read,dataset_labels:create,dataset_labels:update}',
  '{roles:create}',
  $$INSERT INTO seeme.roles (name, description, organization_id, permissions)
    VALUES ('Data Annotator', 'Can view and annotate datasets', {acme},
      ARRAY['datasets:list', 'datasets:read', 'dataset_labels:create', 'dataset_labels:update'])
      RETURNING *$$, '42501', '1 row');
SELECT is(
  pg_temp.rows('adam', $$INSERT INTO seeme.roles (name, description, organization_id, permissions)
    VALUES ('Data Annotator', 'Can view and annotate datasets', {acme},
      '{datasets:list,dataset_labels:*}')
    RETURNING name, description, organization_id = {acme}, scope, permissions, is_system_role$$),
  ARRAY['Data Annotator|Can view and annotate '
        'datasets|true|organization|["datasets:list","dataset_labels:*"]|false'],
        'create_role answers with the role');
SELECT is(
  pg_temp.try('adam', $$INSERT INTO seeme.roles (name, organization_id, permissions)
    VALUES ('Spy', {globex}, '{models:read}')$$), '42501',
      'create_role is refused in another organization');
SELECT is(
  pg_temp.try('olga', $$INSERT INTO seeme.roles (name, permissions)
    VALUES ('Everywhere', '{models:read}')$$), '42501', 'create_role makes no built-in role');
SELECT matches(pg_temp.complaint(
  'edith', $$INSERT INTO seeme.roles (name, organization_id, permissions)
    VALUES ('Mine', {acme}, '{models:read}')$$), '42501: .*roles:create',
      'create_role names the right that is missing');

-- get_role
SELECT pg_temp.needs('get_role', '{}', '{roles:read}',
  'SELECT * FROM seeme.roles WHERE id = {annotator}', '0 rows', '1 row');
SELECT is(
  pg_temp.rows('oscar',
  'SELECT name FROM seeme.roles WHERE id IN ({annotator}, {analyst}, {Viewer}) ORDER BY name'),
  '{Analyst,Viewer}', 'get_role finds one''s own organization''s and the built-in ones');

-- update_role
SELECT pg_temp.needs('update_role',
  '{roles:read,datasets:list,datasets:read,annotations:*,datasets:update}', '{roles:update}',
  $$UPDATE seeme.roles SET permissions = permissions || 'datasets:update'::text
    WHERE id = {annotator}$$, '0 rows', '1 row');
SELECT is(
  pg_temp.rows('adam', $$UPDATE seeme.roles SET permissions
    = array_append(permissions, 'datasets:update'),
    description = 'More' WHERE id = {annotator} RETURNING name, description, permissions$$),
  ARRAY['Annotator|More|["datasets:list","datasets:read","annotations:*","datasets:update"]'],
  'update_role answers with the role as it is now');
SELECT is(pg_temp.try('adam', $$UPDATE seeme.roles SET description = 'Ours' WHERE id = {analyst}$$),
  '0 rows', 'update_role is refused in another organization');
SELECT ok(pg_temp.try('olga', $$UPDATE seeme.roles SET description = 'Ours' WHERE id = {Viewer}$$)
  IN ('0 rows', '42501'), 'update_role changes no built-in role');

-- delete_role
INSERT INTO seeme.roles (id, organization_id, name, permissions)
  VALUES ('e0000000-0000-4000-8000-0000000000a1', :acme, 'Unused', '{models:list}');
INSERT INTO thing VALUES ('unused', 'e0000000-0000-4000-8000-0000000000a1');
SELECT pg_temp.needs('delete_role', '{roles:read,roles:update,models:list}', '{roles:delete}',
  $$DELETE FROM seeme.roles WHERE id = {unused}$$, '0 rows', '1 row');
SELECT is(pg_temp.try('olga', $$DELETE FROM seeme.roles WHERE id = {annotator}$$), '23503',
  'delete_role is refused for a role in use');
SELECT ok(pg_temp.try('olga', $$DELETE FROM seeme.roles WHERE id = {Member}$$) IN
  ('0 rows', '42501'), 'delete_role removes no built-in role');
SELECT is(pg_temp.try('adam', $$DELETE FROM seeme.roles WHERE id = {analyst}$$), '0 rows',
  'delete_role is refused in another organization');

-- get_permissions
SELECT is(pg_temp.rows('stan', 'SELECT count(*) FROM seeme.permissions'), '{93}',
  'get_permissions works for anyone signed in');
SELECT is(
  pg_temp.rows('nora', $$SELECT name, description, resource,
    action FROM seeme.permissions WHERE name = 'models:read'$$),
    '{models:read|View one model\, its versions and assets|models|read}',
    'get_permissions shows the documented properties');
SELECT is(pg_temp.rows('ghost', 'SELECT count(*) FROM seeme.permissions'), '{0}',
  'get_permissions shows nothing with nobody signed in');
SELECT is(pg_temp.rows('dora', 'SELECT count(*) FROM seeme.permissions'), '{0}',
  'get_permissions shows nothing to a disabled person');

-- get_current_user_context
SELECT is(
  pg_temp.rows('edith', $$SELECT c ->> 'user_id' = {edith}::text,
    c -> 'organizations' -> 0 ->> 'name', c -> 'current_organization' ->> 'name',
    c -> 'roles' -> 0 ->> 'name', c -> 'permissions' ? 'models:create'
    FROM seeme_current_user_context() AS c$$), '{true|Acme|Acme|Editor|true}',
    'get_current_user_context works for a member');
SELECT is(
  pg_temp.rows('stan', $$SELECT c ->> 'user_id' = {stan}::text,
    jsonb_array_length(c -> 'organizations'), c -> 'current_organization',
    jsonb_array_length(c -> 'roles'), jsonb_array_length(c -> 'permissions')
    FROM seeme_current_user_context() AS c$$), '{true|0|null|0|0}',
    'get_current_user_context works for a member of nothing');

SELECT * FROM finish();
ROLLBACK;
