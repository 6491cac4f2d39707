-- What a member may try with roles for all organizations.
\i test/include/prelude.psql
BEGIN;
\i test/include/people.psql
SELECT plan(20);

\set worker  '''e0000000-0000-4000-8000-0000000000d2'''
INSERT INTO seeme.roles (id, name, permissions, grouped_actions)
  VALUES (:worker, 'Worker', '{jobs:read}', '{read}');
UPDATE seeme.memberships SET role_id = :worker WHERE organization_id = :acme AND user_id = :nora;

SELECT pg_temp.become('olga') \g /dev/null
SELECT throws_ok($$INSERT INTO seeme.roles (name, permissions) VALUES ('Mine', '{*}')$$, '42501',
  NULL, 'threat: an owner adds a role for all organizations');
UPDATE seeme.roles SET permissions = '{*}' WHERE id = :worker;
UPDATE seeme.roles SET name = 'Mine', grouped_actions = '{read,delete}' WHERE id = :worker;
DELETE FROM seeme.roles WHERE id = :worker;
DELETE FROM seeme.roles WHERE name = 'Viewer';
SELECT pg_temp.become(NULL) \g /dev/null
SELECT results_eq($$SELECT permissions @> '{*}', name, grouped_actions FROM seeme.roles
  WHERE id = 'e0000000-0000-4000-8000-0000000000d2'$$,
  $$VALUES (false, 'Worker', '{read}'::text[])$$,
  'threat: an owner changes or deletes one');
SELECT pg_temp.become('olga') \g /dev/null
SELECT throws_ok(format('UPDATE seeme.roles SET organization_id = NULL WHERE id = %L', :annotator),
  NULL, NULL, 'threat: an owner makes their organization''s role everybody''s');
SELECT throws_ok(format($$INSERT INTO seeme.roles (organization_id, name, permissions,
  grouped_actions) VALUES (%L, 'Own', '{jobs:read}', '{delete}')$$, :acme), '23514', NULL,
  'threat: an organization''s role follows codes that are registered later');

-- A function of an administrator that is called by a person
SELECT pg_temp.become(NULL) \g /dev/null
CREATE FUNCTION public.t_run(statement text) RETURNS void LANGUAGE plpgsql SECURITY DEFINER AS
$$BEGIN EXECUTE statement; END$$;
SELECT pg_temp.become('olga') \g /dev/null
SELECT throws_ok($$SELECT public.t_run('INSERT INTO seeme.roles (name, permissions)
  VALUES (''Mine'', ''{*}'')')$$, '42501', NULL,
  'threat: through a function that bypasses row security: INSERT');
SELECT throws_ok($$SELECT public.t_run('UPDATE seeme.roles SET permissions = ''{*}''
  WHERE name = ''Worker''')$$, '42501', NULL, 'UPDATE');
SELECT throws_ok($$SELECT public.t_run('DELETE FROM seeme.roles WHERE name = ''Worker''')$$,
  '42501', NULL, 'DELETE');
SELECT throws_ok($$SELECT public.t_run('UPDATE seeme.roles SET permissions = ''{*}''
  WHERE name = ''Viewer''')$$, '42501', 'built-in roles can be neither changed nor deleted',
  'of a built-in role');

-- Nobody identified, and no privileged role
SELECT pg_temp.become(NULL) \g /dev/null
SET ROLE t_app;
SELECT throws_ok($$INSERT INTO seeme.roles (name, permissions) VALUES ('Mine', '{*}')$$, '42501',
  NULL, 'threat: the application''s role adds one while nobody is identified');
UPDATE seeme.roles SET permissions = '{*}' WHERE name = 'Worker';
DELETE FROM seeme.roles WHERE name = 'Worker';
RESET ROLE;
SELECT ok((SELECT NOT permissions @> '{*}' FROM seeme.roles WHERE id = :worker),
  'and changes none');
SELECT throws_ok($$UPDATE seeme.roles SET permissions = '{*}' WHERE name = 'Viewer'$$, '42501',
  NULL, 'an administrator''s mistake: a built-in role is changed');
SELECT throws_ok($$DELETE FROM seeme.roles WHERE name = 'Viewer'$$, '42501', NULL, 'or deleted');
SELECT throws_ok($$UPDATE seeme.roles SET grouped_actions = '{delete}' WHERE name = 'Viewer'$$,
  '42501', NULL, 'or extended');

-- Rule 7.1
SELECT pg_temp.become(NULL) \g /dev/null
INSERT INTO seeme.roles (id, organization_id, name, permissions) VALUES
  ('e0000000-0000-4000-8000-0000000000d3', :acme, 'Personnel',
   '{organizations:read,organizations:manage_members,organizations:update}');
UPDATE seeme.memberships SET role_id = 'e0000000-0000-4000-8000-0000000000d3'
 WHERE organization_id = :acme AND user_id = :mike;
SELECT pg_temp.become('mike') \g /dev/null
SELECT throws_ok(format($$UPDATE seeme.memberships SET role_id = %L
  WHERE organization_id = %L AND user_id = %L$$, :worker, :acme, :mike), '42501', NULL,
  'threat: a member gives themselves a system role that is wider than what they hold');
SELECT throws_ok(format($$UPDATE seeme.memberships SET role_id = NULL
  WHERE organization_id = %L AND user_id = %L$$, :acme, :nora), '42501', NULL,
  'threat: or takes it from somebody');
SELECT throws_ok(format($$UPDATE seeme.organizations SET creator_role_id = %L WHERE id = %L$$,
  :worker, :acme), '42501', NULL, 'threat: or sets it for whoever creates');

-- The name of an organization's own role does not stand in for a system role.
SELECT pg_temp.become('olga') \g /dev/null
SELECT throws_ok(format($$INSERT INTO seeme.roles (organization_id, name) VALUES (%L, 'Worker')$$,
  :acme), '23505', NULL, 'threat: a role of one''s own under the name of a system role');
SELECT throws_ok(format($$INSERT INTO seeme.roles (organization_id, name) VALUES (%L, ' Worker ')$$,
  :acme), '23505', NULL, 'also with white space around it');
SELECT pg_temp.become('stan') \g /dev/null
SELECT throws_ok(format($$INSERT INTO seeme.roles (organization_id, name)
  VALUES (%L, 'Annotator')$$, :acme), '42501', NULL,
  'threat: a stranger learns by the name which roles an organization has');

-- Codes are registered by somebody who is identified, and no system role is left behind.
SELECT pg_temp.become(NULL) \g /dev/null
GRANT INSERT ON seeme.permissions TO t_app;
SELECT pg_temp.become('stan') \g /dev/null
INSERT INTO seeme.permissions (name, grouped_by_projects) VALUES ('boards:read', true);
SELECT pg_temp.become(NULL) \g /dev/null
SELECT ok((SELECT permissions @> '{boards:read}' FROM seeme.roles WHERE id = :worker),
  'a system role follows codes also when a person registers them');

SELECT * FROM finish();
ROLLBACK;
