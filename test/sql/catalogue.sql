\i test/include/prelude.psql
-- What CREATE EXTENSION brings: the documented catalogue, the built-in roles, the tables and views,
-- a comment on each thing, and nothing for PUBLIC.
BEGIN;
SELECT plan(89);

-- The documented codes, word for word.
CREATE TEMP TABLE documented (code text PRIMARY KEY, description text NOT NULL);
COPY documented FROM stdin;
*	Every permission on every resource
models:list	See models in listings
models:read	View one model, its versions and assets
models:create	Create a model
models:update	Change a model, including its active version
models:delete	Delete a model
models:upload	Upload model files
models:share	Share a model with others
models:*	Every models action
model_versions:create	Add a model version
model_versions:update	Change a model version
model_versions:delete	Delete a model version
model_versions:*	Every model_versions action
datasets:list	See datasets in listings
datasets:read	View one dataset
datasets:create	Create a dataset
datasets:update	Change a dataset
datasets:delete	Delete a dataset
datasets:share	Share a dataset with others
datasets:*	Every datasets action
dataset_versions:create	Add or duplicate a dataset version
dataset_versions:update	Change a dataset version
dataset_labels:list	See a dataset version's labels
dataset_labels:read	View one label
dataset_labels:create	Add a label
dataset_labels:update	Change a label
dataset_splits:create	Add a split
dataset_splits:update	Change a split
dataset_items:list	See dataset items
dataset_items:read	View one item
dataset_items:create	Add an item
dataset_items:update	Change an item
annotations:create	Annotate an item
annotations:update	Change an annotation
annotations:delete	Remove an annotation
annotations:*	Every annotations action
inferences:list	See predictions
inferences:read	View one prediction
inferences:create	Run a prediction
inferences:update	Correct or report a prediction
inferences:*	Every inferences action
jobs:list	See jobs
jobs:read	View one job
jobs:create	Start a training, validation or conversion job
jobs:update	Change a job
jobs:delete	Delete a job
jobs:*	Every jobs action
workflows:list	See workflows
workflows:read	View one workflow
workflows:create	Create a workflow
workflows:update	Change a workflow's versions, nodes and edges
workflows:delete	Delete a workflow
workflows:execute	Run a workflow
workflows:*	Every workflows action
workflow_executions:list	See workflow runs
workflow_executions:read	View one run
workflow_executions:*	Every workflow_executions action
graphs:list	See graphs
graphs:read	View and query a graph
graphs:create	Create a graph
graphs:update	Change a graph's versions, nodes and edges
graphs:delete	Delete a graph
graphs:*	Every graphs action
post_processors:list	See a dataset's post-processors
post_processors:read	View one post-processor
post_processors:create	Add a post-processor
post_processors:update	Change a post-processor
post_processors:delete	Delete a post-processor
post_processors:*	Every post_processors action
organizations:list	See organizations in listings
organizations:read	View one organization
organizations:create	Create an organization
organizations:update	Change an organization's details and logo
organizations:delete	Delete an organization
organizations:manage_members	Invite and remove members, change their roles
projects:list	See projects in listings
projects:read	View a project, its members and its resources
projects:create	Create a project
projects:update	Change a project, its members and its resources
projects:delete	Delete a project
projects:*	Every projects action
teams:list	See teams in listings
teams:read	View a team and its members
teams:create	Create a team
teams:update	Change a team and its members
teams:delete	Delete a team
teams:*	Every teams action
roles:list	See roles in listings
roles:read	View one role
roles:create	Create a custom role
roles:update	Change a custom role
roles:delete	Delete a custom role
permissions:list	See the permission catalogue
\.

SELECT is((SELECT count(*)::integer FROM documented), 93, 'the documentation lists 93 codes');
SELECT is((SELECT count(*)::integer FROM seeme.permissions), 93, 'the catalogue holds 93 codes');
SELECT set_eq('SELECT name, description FROM seeme.permissions',
  'SELECT code, description FROM documented',
  'every code has its documented description, word for word');
SELECT is((SELECT count(*)::integer FROM seeme.permissions WHERE name NOT LIKE '%*%'), 80,
  '80 of them are concrete');
SELECT is((SELECT count(*)::integer FROM seeme.permissions WHERE name LIKE '%*%'), 13,
  '13 of them are wildcards');
SELECT is_empty(
  $$SELECT name, resource, action FROM seeme.permissions
     WHERE name LIKE '%:%' AND (resource, action) IS DISTINCT
     FROM (split_part(name, ':', 1), split_part(name, ':', 2))$$,
  'resource and action are the two parts of the code');
SELECT is((SELECT count(DISTINCT resource)::integer FROM seeme.permissions
  WHERE name NOT LIKE '%*%'), 19, 'the concrete codes name 19 resources');

-- The wildcards are marked as such, whatever the column is called.
CREATE FUNCTION pg_temp.marks() RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE c name;
BEGIN
  FOR c IN SELECT attname FROM pg_attribute WHERE attrelid = 'seeme.permissions'::regclass
    AND atttypid = 'boolean'::regtype AND NOT attisdropped LOOP
    RETURN QUERY EXECUTE format(
      $q$SELECT string_agg(name, ' ' ORDER BY name COLLATE "C") FROM seeme.permissions WHERE %I$q$,
      c);
  END LOOP;
END $$;
SELECT ok((SELECT string_agg(code, ' ' ORDER BY code COLLATE "C") FROM documented
  WHERE code LIKE '%*%') IN (SELECT * FROM pg_temp.marks()),
  'the wildcards are marked as such');

SELECT throws_ok($$UPDATE seeme.permissions SET resource = 'datasets' WHERE name = 'models:read'$$,
  '428C9', NULL,
  'resource cannot be set apart from the code');
SELECT throws_ok($$UPDATE seeme.permissions SET action = 'write' WHERE name = 'models:read'$$,
  '428C9', NULL,
  'action cannot be set apart from the code');

SELECT set_eq('SELECT name, resource FROM seeme.resource_types',
  $$VALUES ('model', 'models'), ('dataset', 'datasets'), ('workflow', 'workflows'),
    ('graph', 'graphs')$$,
  'the four documented resource types are there from the start');

-- Built-in roles
SELECT set_eq('SELECT name FROM seeme.roles',
  $$VALUES ('Owner'), ('Admin'), ('Editor'), ('Contributor'), ('Viewer'), ('Member')$$,
  'the six built-in roles are there from the start, and no other role');
SELECT is_empty($$SELECT name FROM seeme.roles WHERE organization_id IS NOT NULL
    OR scope <> 'system' OR NOT is_system_role OR description IS NULL$$,
  'a built-in role belongs to no organization, has the scope system, and says what it is for');
SELECT is((SELECT permissions FROM seeme.roles WHERE name = 'Owner'), '{*}',
  'Owner holds everything');

CREATE TEMP TABLE role_code AS
  SELECT DISTINCT r.name AS role, d.code
    FROM seeme.roles r, unnest(r.permissions) AS entry, documented d
   WHERE d.code NOT LIKE '%*%'
     AND (entry = '*' OR entry = d.code
          OR entry LIKE '%:*' AND split_part(entry, ':', 1) = split_part(d.code, ':', 1)
          OR entry LIKE '*:%' AND split_part(entry, ':', 2) = split_part(d.code, ':', 2));
SELECT set_eq($$SELECT code FROM role_code WHERE role = 'Admin'$$,
  $$SELECT code FROM documented WHERE code NOT LIKE '%*%' AND code <> 'organizations:delete'$$,
  'Admin holds everything but organizations:delete');
SELECT set_eq($$SELECT code FROM role_code WHERE role = 'Viewer'$$,
  $$SELECT code FROM documented WHERE code LIKE '%:list' OR code LIKE '%:read'$$,
  'Viewer holds every list and every read');
SELECT set_eq($$SELECT unnest(permissions) FROM seeme.roles WHERE name = 'Viewer'$$,
  $$VALUES ('*:list'), ('*:read')$$,
  'Viewer holds them as *:list and *:read');
SELECT set_eq($$SELECT code FROM role_code WHERE role = 'Member'$$,
  $$VALUES ('organizations:list'), ('organizations:read'), ('teams:list'), ('teams:read'),
    ('projects:list'), ('projects:read'),
           ('roles:list'), ('permissions:list')$$,
  'Member lists and reads organizations, teams and projects, and lists roles and permissions');
SELECT set_eq($$SELECT code FROM role_code WHERE role = 'Contributor'$$,
  $$SELECT code FROM role_code WHERE role = 'Editor' AND code NOT LIKE '%:share'$$,
  'Contributor is Editor without share');
SELECT is_empty($$SELECT code FROM role_code WHERE role IN ('Editor', 'Contributor')
  AND (code LIKE '%:delete' OR code IN (
  'organizations:manage_members', 'teams:update', 'projects:update'))$$,
  'Editor and Contributor delete nothing and manage no members');
SELECT is_empty($$SELECT code FROM role_code WHERE role = 'Editor'
    AND code ~ '^(organizations|teams|roles):(create|update|delete)$'$$,
  'Editor changes nothing above a project');
SELECT is_empty(
  $$SELECT code FROM documented
     WHERE code ~
     '^(models|model_versions|datasets|dataset_versions|dataset_labels|dataset_splits|'
     'dataset_items|annotations|inferences|jobs|workflows|workflow_executions|graphs|'
     'post_processors):(list|read|create|update|upload|share|execute)$'
    EXCEPT SELECT code FROM role_code WHERE role = 'Editor'$$,
  'Editor lists, reads, creates, updates, uploads, shares and executes everything that a project '
  'groups');

-- Tables and views, and the documented columns of each
CREATE TEMP TABLE documented_column (rel text, col text);
INSERT INTO documented_column SELECT rel, unnest(string_to_array(cols, ' ')) FROM (VALUES
  ('users',
  'id username email firstname name database_role is_service disabled_at service_organization_id '
  'email_verified_at tokens_valid_from'),
  ('organizations', 'id name description slug website owner_id has_logo'),
  ('teams', 'id name description organization_id slug has_logo'),
  ('projects', 'id name description organization_id team_id slug has_logo'),
  ('roles',
  'id organization_id name description permissions scope is_system_role created_at updated_at'),
  ('permissions', 'name description resource action'),
  ('memberships',
  'id organization_id team_id project_id user_id role_id valid_from valid_until created_by'),
  ('organization_members',
  'id organization_id user_id role_id role_name email username firstname name'),
  ('team_members', 'id team_id user_id role_id role_name email username firstname name'),
  ('project_members', 'id project_id user_id role_id role_name email username firstname name'),
  ('project_resources', 'id project_id resource_type resource_id resource_name'),
  ('invitations',
  'id organization_id team_id project_id email role_id invited_by token_hash expires_at '
  'accepted_at created_at'),
  ('logos', 'organization_id team_id project_id filename media_type content'),
  ('resource_types', 'name resource')) AS v (rel, cols);
SELECT has_table('seeme', t, 'table ' || t)
  FROM unnest(
  ARRAY['users','organizations','teams','projects','roles','permissions','memberships',
  'project_resources',
                    'invitations','logos','audit_log','protected_tables','resource_types']) AS t;
SELECT has_view('seeme', v, 'view ' || v) FROM
  unnest(ARRAY['organization_members','team_members','project_members']) AS v;
SELECT is_empty($$SELECT rel, col FROM documented_column c WHERE NOT EXISTS (
    SELECT FROM pg_attribute a WHERE a.attrelid = to_regclass('seeme.' || c.rel)
      AND a.attname = c.col AND NOT a.attisdropped)$$,
  'every documented column is there');
SELECT is_empty($$SELECT rel, col FROM documented_column
    JOIN pg_attribute a ON a.attrelid = to_regclass('seeme.' || rel) AND a.attname = col
    WHERE (col = 'id' OR col LIKE '%\_id') AND atttypid <> 'uuid'::regtype$$,
  'every id is a uuid');
SELECT is_empty($$SELECT relname FROM pg_class WHERE relnamespace = 'seeme'::regnamespace
    AND relkind = 'v'
    AND relname LIKE '%\_members' AND NOT coalesce(reloptions, '{}') &&
    '{security_invoker=true,security_invoker=on,security_invoker=1}'$$,
  'the member views show what the asking person may see, not what their owner may');
SELECT is((SELECT nspowner::regrole FROM pg_namespace WHERE nspname = 'seeme'),
  (SELECT extowner::regrole FROM pg_extension WHERE extname = 'seeme_rbac'),
  'the schema seeme belongs to the extension''s owner');

-- Functions
SELECT has_function('public', f, 'function ' || f)
  FROM unnest(
  ARRAY['seeme_has_permission','seeme_user_has_permission','seeme_permissions',
  'seeme_permitted_organizations',
    'seeme_permitted_teams','seeme_permitted_projects','seeme_permitted_resources',
    'seeme_current_user_context','seeme_user_id',
    'seeme_assume','seeme_protect','seeme_unprotect','seeme_grant_usage']) AS f;
SELECT function_returns('public', 'seeme_has_permission', 'boolean',
  'seeme_has_permission answers a boolean');
SELECT function_returns('public', 'seeme_permissions', 'text[]',
  'seeme_permissions answers a list of codes');
SELECT function_returns('public', 'seeme_permitted_' || f, 'uuid[]',
  'seeme_permitted_' || f || ' answers a list of ids')
  FROM unnest(ARRAY['organizations','teams','projects','resources']) AS f;
SELECT function_returns('public', 'seeme_current_user_context', 'jsonb',
  'seeme_current_user_context answers jsonb');
SELECT function_lang_is('public', 'seeme_has_permission', 'c', 'seeme_has_permission is C');
SELECT volatility_is('public', 'seeme_has_permission', 'stable', 'seeme_has_permission is stable');
SELECT is((SELECT proparallel FROM pg_proc WHERE oid = 'public.seeme_has_permission'::regproc), 's',
  'seeme_has_permission is safe in parallel workers');
SELECT is((SELECT proparallel FROM pg_proc WHERE oid = 'public.seeme_user_id'::regproc), 's',
  'seeme_user_id is safe in parallel workers');
SELECT results_eq(
  $$SELECT proname::text COLLATE "default", array_to_string(proargnames[1:pronargs], ' ') COLLATE
    "default", (pronargs - pronargdefaults)::integer FROM pg_proc
     WHERE proname IN
     ('seeme_has_permission','seeme_user_has_permission','seeme_permissions',
     'seeme_permitted_projects',
                       'seeme_permitted_resources','seeme_protect','seeme_unprotect','seeme_assume',
                       'seeme_grant_usage') ORDER BY 1$$,
  $$VALUES ('seeme_assume', 'user_id', 1),
           ('seeme_grant_usage', 'role_name', 1),
           ('seeme_has_permission', 'permission organization team project resource resource_type',
           1),
           ('seeme_permissions', 'organization team project resource resource_type', 0),
           ('seeme_permitted_projects', 'permission', 1),
           ('seeme_permitted_resources', 'permission resource_type', 1),
           ('seeme_protect',
           'table_name resource project_column team_column organization_column resource_id_column '
           'owner_column resource_type listing_columns parent_column public_column owner_alone', 2),
           ('seeme_unprotect', 'table_name', 1),
           ('seeme_user_has_permission',
           'user_id permission organization team project resource resource_type', 2)$$,
  'the functions take their documented arguments, and every one after the required ones has a '
  'default');

-- A comment on each thing
CREATE TEMP VIEW own_function AS
  SELECT p.* FROM pg_proc p JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid
    AND d.deptype = 'e'
    JOIN pg_extension e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid
    AND e.extname = 'seeme_rbac';
SELECT isnt(obj_description((SELECT oid FROM pg_extension WHERE extname = 'seeme_rbac'),
  'pg_extension'), NULL, 'the extension has a comment');
SELECT isnt(obj_description('seeme'::regnamespace, 'pg_namespace'), NULL,
  'the schema has a comment');
SELECT is_empty($$SELECT relname FROM pg_class WHERE relnamespace = 'seeme'::regnamespace
    AND relkind IN ('r', 'p', 'v', 'm')
    AND obj_description(oid, 'pg_class') IS NULL$$, 'every table and view has a comment');
SELECT is_empty($$SELECT rel, col FROM documented_column
    JOIN pg_attribute a ON a.attrelid = to_regclass('seeme.' || rel) AND a.attname = col
    WHERE col NOT IN ('id', 'name', 'description', 'created_at', 'updated_at')
    AND rel NOT LIKE '%\_members'
      AND col_description(a.attrelid, a.attnum) IS NULL
      AND obj_description(a.attrelid, 'pg_class') IS NULL$$,
  'no documented column goes without a comment of its own or of its table''s');
SELECT is_empty($$SELECT oid::regprocedure FROM own_function WHERE proname LIKE 'seeme\_%'
    AND obj_description(oid, 'pg_proc') IS NULL$$,
  'every function has a comment');

-- Nothing for PUBLIC
SELECT is_empty($$SELECT oid::regprocedure FROM own_function,
    aclexplode(coalesce(proacl, acldefault('f', proowner))) WHERE grantee = 0$$,
  'PUBLIC may execute none of the extension''s functions');
SELECT is_empty($$SELECT relname FROM pg_class,
    aclexplode(relacl) WHERE relnamespace = 'seeme'::regnamespace AND grantee = 0$$,
  'PUBLIC may use none of the extension''s tables and views');
SELECT is_empty($$SELECT nspname FROM pg_namespace,
    aclexplode(nspacl) WHERE nspname = 'seeme' AND grantee = 0$$, 'PUBLIC may not use the schema');
SELECT is_empty($$SELECT attrelid::regclass, attname FROM pg_attribute,
    aclexplode(attacl) WHERE attrelid IN
    (SELECT oid FROM pg_class WHERE relnamespace = 'seeme'::regnamespace) AND grantee = 0$$,
    'PUBLIC may use no column');
SELECT is_empty($$SELECT oid::regprocedure FROM own_function WHERE prosecdef AND prosqlbody IS NULL
    AND probin IS NULL
    AND NOT EXISTS (SELECT FROM unnest(proconfig) AS c WHERE c LIKE 'search_path=%')$$,
  'every function that runs with its owner''s rights pins its search_path');

-- Row security, and what an application's role gets
SELECT is_empty($$SELECT t FROM unnest(
    ARRAY['users','organizations','teams','projects','roles','permissions','memberships',
    'project_resources','invitations','logos','audit_log','protected_tables','resource_types']) AS t
    JOIN pg_class c ON c.oid = to_regclass('seeme.' || t) WHERE NOT c.relrowsecurity$$,
  'row security is enabled on every table of the model');
CREATE ROLE t_app NOLOGIN;
CREATE ROLE t_stranger NOLOGIN;
SELECT seeme_grant_usage('t_app') \g /dev/null
SELECT is_empty($$SELECT relname FROM pg_class WHERE relnamespace = 'seeme'::regnamespace
    AND relkind IN ('r', 'p') AND NOT relrowsecurity
    AND has_table_privilege('t_app', oid,
    'SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER')$$,
  'seeme_grant_usage opens no table without row security');
SELECT is_empty($$SELECT relname FROM pg_class WHERE relnamespace = 'seeme'::regnamespace
    AND relkind IN ('r', 'p', 'v')
    AND has_table_privilege('t_app', oid, 'TRUNCATE, REFERENCES, TRIGGER')$$,
  'seeme_grant_usage lets nobody truncate a table, refer to it or put a trigger on it');
SELECT ok(has_schema_privilege('t_app', 'seeme', 'USAGE')
  AND NOT has_schema_privilege('t_app', 'seeme', 'CREATE'),
  'seeme_grant_usage lets an application use the schema, not add to it');
SELECT is_empty($$SELECT v FROM unnest(
    ARRAY['organizations','teams','projects','memberships','organization_members','team_members',
    'project_members','roles','project_resources']) AS v
    WHERE NOT (has_table_privilege('t_app', 'seeme.' || v, 'SELECT')
    AND has_table_privilege('t_app', 'seeme.' || v, 'DELETE'))$$,
  'seeme_grant_usage lets an application reach the tables and views of the documented calls');
SELECT ok(NOT has_function_privilege('t_app', 'seeme_assume(uuid)', 'EXECUTE'),
  'seeme_grant_usage does not let an application name who is asking');
SELECT ok(NOT has_function_privilege('t_app', 'seeme_grant_usage(name)', 'EXECUTE'),
  'seeme_grant_usage does not let an application pass it on');
SELECT ok(has_function_privilege(
  't_app', 'seeme_has_permission(text,uuid,uuid,uuid,uuid,text)', 'EXECUTE'),
  'seeme_grant_usage lets an application ask');
SELECT is_empty($$SELECT t FROM unnest(
    ARRAY['audit_log','protected_tables','permissions','resource_types']) AS t
    WHERE has_table_privilege('t_app', 'seeme.' || t, 'INSERT, UPDATE, DELETE')$$,
  'seeme_grant_usage lets nobody write the audit log, the protected tables, the catalogue or the '
  'resource types');
SELECT ok(NOT has_schema_privilege('t_stranger', 'seeme', 'USAGE'),
  'a role without seeme_grant_usage cannot even look');
SELECT is_empty($$SELECT relname FROM pg_class WHERE relnamespace = 'seeme'::regnamespace
    AND relkind IN ('r', 'p', 'v')
    AND has_table_privilege('t_stranger', oid, 'SELECT, INSERT, UPDATE, DELETE')$$,
    'and reads no table');
SELECT throws_ok($$SELECT seeme_grant_usage('no_such_role')$$, '42704', NULL,
  'granting the use to a role that does not exist is an error');

SELECT * FROM finish();
ROLLBACK;
