-- Roles for all organizations that a database administrator adds.
\i test/include/prelude.psql
BEGIN;
\i test/include/people.psql
SELECT plan(45);

\set auditor '''e0000000-0000-4000-8000-0000000000d1'''
\set worker  '''e0000000-0000-4000-8000-0000000000d2'''

-- Adding one
SELECT lives_ok(format($$INSERT INTO seeme.roles (id, name, description, permissions)
  VALUES (%L, ' Auditor ', 'Reads everything', '{*:read,datasets:list,datasets:list}')$$, :auditor),
  'an administrator adds a role without an organization');
SELECT results_eq(format($$SELECT name, scope, is_system_role, permissions FROM seeme.roles
  WHERE id = %L$$, :auditor),
  $$VALUES ('Auditor', 'system', true, '{*:read,datasets:list}'::text[])$$,
  'it is a system role, and its permissions are checked as those of others');
SELECT throws_ok($$INSERT INTO seeme.roles (name, permissions) VALUES ('Wrong', '{zebras:read}')$$,
  '22023', NULL, 'a code that is not registered is refused');
SELECT pg_temp.become('stan') \g /dev/null
SELECT is((SELECT count(*) FROM seeme.roles WHERE name = 'Auditor'), 1::bigint,
  'everybody signed in sees it');

-- Using it in any organization
SELECT pg_temp.become('olga') \g /dev/null
SELECT lives_ok(format($$UPDATE seeme.organization_members SET role_id = %L
  WHERE organization_id = %L AND user_id = %L$$, :auditor, :acme, :nora),
  'the owner of one organization gives it');
SELECT pg_temp.become('oscar') \g /dev/null
SELECT lives_ok(format($$UPDATE seeme.organization_members SET role_id = %L
  WHERE organization_id = %L AND user_id = %L$$, :auditor, :globex, :gina),
  'and the owner of another');
SELECT lives_ok(format('UPDATE seeme.organizations SET creator_role_id = %L WHERE id = %L',
  :auditor, :globex), 'creators may get it');
SELECT pg_temp.become('nora') \g /dev/null
SELECT ok(seeme_has_permission('models:read', project => :alpha)
          AND NOT seeme_has_permission('models:create', project => :alpha)
          AND NOT seeme_has_permission('models:read', project => :delta),
  'a member holds it in their organization');
SELECT is(seeme_current_user_context() -> 'roles' -> 0 ->> 'name', 'Auditor',
  'the context has it');
SELECT is((SELECT array_agg(k ORDER BY k) FROM jsonb_object_keys(
    seeme_current_user_context() -> 'roles' -> 0) AS k),
  '{description,id,is_system_role,level,name,organization_id,permissions,project_id,scope,team_id}',
  'in the documented shape');

-- Changing it
SELECT pg_temp.become(NULL) \g /dev/null
SELECT lives_ok(format($$UPDATE seeme.roles SET name = 'Reviewer',
  permissions = '{*:read,*:list}' WHERE id = %L$$, :auditor), 'an administrator changes it');
SELECT pg_temp.become('nora') \g /dev/null
SELECT ok(seeme_has_permission('models:list', project => :alpha),
  'members of every organization have what was added at once');
SELECT pg_temp.become(NULL) \g /dev/null
SELECT throws_ok(format('UPDATE seeme.roles SET organization_id = %L WHERE id = %L',
  :acme, :auditor), '23514', NULL, 'it does not become one organization''s role');
SELECT throws_ok(format('UPDATE seeme.roles SET organization_id = NULL WHERE id = %L', :annotator),
  '23514', NULL, 'nor does one organization''s role become everybody''s');
SELECT throws_ok(format('DELETE FROM seeme.roles WHERE id = %L', :auditor), '23503',
  'role "Reviewer" is in use', 'nobody deletes it while members have it');
UPDATE seeme.memberships SET role_id = NULL WHERE role_id = :auditor;
SELECT throws_ok(format('DELETE FROM seeme.roles WHERE id = %L', :auditor), '23503',
  'role "Reviewer" is in use', 'or while creators get it');
UPDATE seeme.organizations SET creator_role_id = DEFAULT WHERE id = :globex;
SELECT lives_ok(format('DELETE FROM seeme.roles WHERE id = %L', :auditor),
  'an administrator deletes it');
SELECT is((SELECT array_agg(command ORDER BY id) FROM seeme.audit_log
            WHERE table_name = 'roles' AND row_id = :auditor), '{INSERT,UPDATE,DELETE}',
  'the audit log has all of it');

-- Names
SELECT throws_ok($$INSERT INTO seeme.roles (name) VALUES ('Admin')$$, '23505',
  'there is a system role "Admin" already', 'a system role''s name is unique among them');
SELECT throws_ok($$INSERT INTO seeme.roles (name) VALUES ('Annotator')$$, '23505',
  'an organization has a role "Annotator" of its own',
  'no system role gets the name that an organization''s role has');
INSERT INTO seeme.roles (id, name, permissions) VALUES (:worker, 'Worker', '{jobs:read}');
SELECT throws_ok(format($$UPDATE seeme.roles SET name = 'Annotator' WHERE id = %L$$, :worker),
  '23505', NULL, 'nor by a change of its name');
SELECT throws_ok($$INSERT INTO seeme.roles (name) VALUES ('')$$, '23514', NULL,
  'a system role has a name');
SELECT pg_temp.become('olga') \g /dev/null
SELECT throws_ok(format($$INSERT INTO seeme.roles (organization_id, name) VALUES (%L, 'Worker')$$,
  :acme), '23505', 'there is a system role "Worker" already',
  'no organization''s role gets the name of a system role');
SELECT throws_ok(format($$INSERT INTO seeme.roles (organization_id, name) VALUES (%L, 'Admin')$$,
  :acme), '23505', NULL, 'or of a built-in one');
SELECT throws_ok(format($$UPDATE seeme.roles SET name = 'Worker' WHERE id = %L$$, :annotator),
  '23505', NULL, 'nor by a change of its name');
SELECT pg_temp.become('oscar') \g /dev/null
SELECT lives_ok(format($$INSERT INTO seeme.roles (organization_id, name) VALUES (%L, 'Annotator')$$,
  :globex), 'two organizations may have the same name for their own roles');

-- Following codes that are registered later
SELECT pg_temp.become(NULL) \g /dev/null
UPDATE seeme.roles SET permissions = '{projects:read,jobs:*}', grouped_actions = '{read,list}'
 WHERE id = :worker;
SELECT is((SELECT permissions FROM seeme.roles WHERE id = :worker),
  '{projects:read,jobs:*}'::text[] || ARRAY(
    SELECT name FROM seeme.permissions WHERE grouped_by_projects AND NOT is_wildcard
       AND action IN ('read', 'list') ORDER BY name COLLATE "C"),
  'grouped_actions add the codes of everything that projects group');
INSERT INTO seeme.permissions (name, grouped_by_projects) VALUES
  ('boards:read', true), ('boards:delete', true), ('ledgers:read', false), ('jobs:pause', false);
SELECT ok((SELECT permissions @> '{boards:read}'
                  AND NOT permissions && '{boards:delete,ledgers:read}'
             FROM seeme.roles WHERE id = :worker),
  'a code that is registered later is among them if projects group its resource');
UPDATE seeme.memberships SET role_id = :worker WHERE organization_id = :acme AND user_id = :nora;
SELECT pg_temp.become('nora') \g /dev/null
SELECT ok(seeme_has_permission('boards:read', project => :alpha)
          AND NOT seeme_has_permission('ledgers:read', project => :alpha),
  'and members hold it');
SELECT ok(seeme_has_permission('jobs:pause', project => :alpha), 'wildcards follow as well');
SELECT pg_temp.become(NULL) \g /dev/null
UPDATE seeme.permissions SET grouped_by_projects = true WHERE name = 'ledgers:read';
SELECT ok((SELECT permissions @> '{ledgers:read}' FROM seeme.roles WHERE id = :worker),
  'a resource that projects group from now on');
UPDATE seeme.permissions SET grouped_by_projects = false WHERE name = 'ledgers:read';
SELECT ok((SELECT NOT permissions @> '{ledgers:read}' FROM seeme.roles WHERE id = :worker),
  'and one that they do not group any more');
SELECT lives_ok($$DELETE FROM seeme.permissions WHERE name = 'boards:read'$$,
  'a code that is held by grouped_actions alone can be removed');
SELECT ok((SELECT NOT permissions @> '{boards:read}' AND permissions @> '{projects:read,jobs:*}'
             FROM seeme.roles WHERE id = :worker), 'and goes from the role, the listed ones stay');
UPDATE seeme.roles SET permissions = permissions || '{boards:delete}' WHERE id = :worker;
SELECT throws_ok($$DELETE FROM seeme.permissions WHERE name = 'boards:delete'$$, '23503', NULL,
  'a code that the role lists cannot');
SELECT throws_ok(format($$UPDATE seeme.roles SET permissions = permissions || '{ledgers:read}'
  WHERE id = %L$$, :worker), '23514',
  'permission "ledgers:read" is not of a resource that projects group',
  'a listed code is not lost silently');
SELECT throws_ok(format($$UPDATE seeme.roles SET grouped_actions = '{Read}' WHERE id = %L$$,
  :worker), '23514', NULL, 'an action that is none');
SELECT throws_ok(format($$UPDATE seeme.roles SET grouped_actions = '{read}' WHERE id = %L$$,
  :annotator), '23514', 'only a role for all organizations has grouped_actions',
  'an organization''s own role lists its codes');
UPDATE seeme.roles SET permissions = '{projects:read,jobs:*}', grouped_actions = '{read,delete}'
 WHERE id = :worker;
UPDATE seeme.roles SET grouped_actions = '{read}' WHERE id = :worker;
SELECT is((SELECT count(*) FROM seeme.roles r, unnest(r.permissions) AS c
            WHERE r.id = :worker AND c LIKE '%:delete'), 0::bigint,
  'threat: an action that is taken away leaves its codes');
SELECT ok((SELECT r.permissions @> '{projects:read,jobs:*,models:read}' FROM seeme.roles r
            WHERE r.id = :worker), 'and what was listed by itself stays');
UPDATE seeme.roles SET grouped_actions = NULL, permissions = '{jobs:read}' WHERE id = :worker;
SELECT is((SELECT permissions FROM seeme.roles WHERE id = :worker), '{jobs:read}',
  'without grouped_actions a role holds what it lists');

-- Before the table is protected
SELECT throws_matching($$INSERT INTO seeme.roles (name, permissions)
  VALUES ('Sailor', '{sailboats:read}')$$, 'sailboats:read.*not registered',
  'a code of a table that is not protected yet');
CREATE FUNCTION pg_temp.hint_of(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE hint text;
BEGIN
  EXECUTE statement;
  RETURN NULL;
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
  RETURN substring(hint FROM 'INSERT INTO .*\);');
END $$;
SELECT lives_ok(pg_temp.hint_of($$INSERT INTO seeme.roles (name, permissions)
  VALUES ('Sailor', '{sailboats:read}')$$), 'the hint is the statement that registers it');
SELECT lives_ok($$INSERT INTO seeme.roles (name, permissions)
  VALUES ('Sailor', '{sailboats:read}')$$, 'then the role can name it');
CREATE TABLE public.sailboats (id uuid PRIMARY KEY, project_id uuid NOT NULL);
CREATE INDEX ON public.sailboats (project_id);
SELECT lives_ok($$SELECT seeme_protect('public.sailboats', 'sailboats',
  project_column => 'project_id')$$, 'and the table is protected later');

SELECT * FROM finish();
ROLLBACK;
