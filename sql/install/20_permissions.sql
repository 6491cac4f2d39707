-- The permission catalogue: the documented codes, and those that applications register.

CREATE TABLE seeme.permissions (
  name                text PRIMARY KEY,
  description         text NOT NULL DEFAULT '',
  resource            text NOT NULL GENERATED ALWAYS AS (split_part(name, ':', 1)) STORED,
  action              text NOT NULL GENERATED ALWAYS AS
                        (CASE WHEN name = '*' THEN '*' ELSE split_part(name, ':', 2) END) STORED,
  is_wildcard         boolean NOT NULL GENERATED ALWAYS AS (strpos(name, '*') > 0) STORED,
  is_builtin          boolean NOT NULL DEFAULT false,
  grouped_by_projects boolean NOT NULL DEFAULT false,
  CONSTRAINT permissions_name_is_a_code CHECK (
    name ~ '^[a-z][a-z0-9_]*:[a-z][a-z0-9_]*$'
    OR is_builtin AND name ~ '^(\*|[a-z][a-z0-9_]*:\*)$'),
  CONSTRAINT permissions_name_length CHECK (length(name) <= 100)
);
COMMENT ON TABLE seeme.permissions IS
  'Permission codes of the form resource:action. Applications register their own; the documented '
  'ones can be neither changed nor removed.';
COMMENT ON COLUMN seeme.permissions.name IS
  'The code, for example models:read. A documented wildcard is * or resource:*.';
COMMENT ON COLUMN seeme.permissions.description IS 'What the code allows, in words for people';
COMMENT ON COLUMN seeme.permissions.resource IS 'The resource that the code names';
COMMENT ON COLUMN seeme.permissions.action IS 'The action that the code names, or *';
COMMENT ON COLUMN seeme.permissions.is_wildcard IS
  'Whether the row documents a wildcard. A role may hold resource:* or *:action for any registered '
  'resource or action, whether or not that wildcard has a row here.';
COMMENT ON COLUMN seeme.permissions.is_builtin IS 'Whether the code came with the extension';
COMMENT ON COLUMN seeme.permissions.grouped_by_projects IS
  'Whether projects group this resource. The built-in roles Editor and Contributor hold codes of '
  'such resources only.';

CREATE TABLE seeme.resource_types (
  name       text PRIMARY KEY,
  resource   text NOT NULL UNIQUE,
  is_builtin boolean NOT NULL DEFAULT false,
  CONSTRAINT resource_types_name_is_an_identifier
    CHECK (name ~ '^[a-z][a-z0-9_]*$' AND length(name) <= 63),
  CONSTRAINT resource_types_resource_is_an_identifier
    CHECK (resource ~ '^[a-z][a-z0-9_]*$' AND length(resource) <= 63)
);
COMMENT ON TABLE seeme.resource_types IS
  'Which resource in permission codes (models) belongs to which type of an assignment (model)';
COMMENT ON COLUMN seeme.resource_types.name IS
  'The type, as project_resources.resource_type holds it, for example model';
COMMENT ON COLUMN seeme.resource_types.resource IS
  'The resource, as permission codes hold it, for example models';
COMMENT ON COLUMN seeme.resource_types.is_builtin IS 'Whether the type came with the extension';

INSERT INTO seeme.resource_types (name, resource, is_builtin) VALUES
  ('model', 'models', true), ('dataset', 'datasets', true),
  ('workflow', 'workflows', true), ('graph', 'graphs', true);

INSERT INTO seeme.permissions (name, description, is_builtin) VALUES
  ('*', 'Every permission on every resource', true),
  ('models:list', 'See models in listings', true),
  ('models:read', 'View one model, its versions and assets', true),
  ('models:create', 'Create a model', true),
  ('models:update', 'Change a model, including its active version', true),
  ('models:delete', 'Delete a model', true),
  ('models:upload', 'Upload model files', true),
  ('models:share', 'Share a model with others', true),
  ('models:*', 'Every models action', true),
  ('model_versions:create', 'Add a model version', true),
  ('model_versions:update', 'Change a model version', true),
  ('model_versions:delete', 'Delete a model version', true),
  ('model_versions:*', 'Every model_versions action', true),
  ('datasets:list', 'See datasets in listings', true),
  ('datasets:read', 'View one dataset', true),
  ('datasets:create', 'Create a dataset', true),
  ('datasets:update', 'Change a dataset', true),
  ('datasets:delete', 'Delete a dataset', true),
  ('datasets:share', 'Share a dataset with others', true),
  ('datasets:*', 'Every datasets action', true),
  ('dataset_versions:create', 'Add or duplicate a dataset version', true),
  ('dataset_versions:update', 'Change a dataset version', true),
  ('dataset_labels:list', 'See a dataset version''s labels', true),
  ('dataset_labels:read', 'View one label', true),
  ('dataset_labels:create', 'Add a label', true),
  ('dataset_labels:update', 'Change a label', true),
  ('dataset_splits:create', 'Add a split', true),
  ('dataset_splits:update', 'Change a split', true),
  ('dataset_items:list', 'See dataset items', true),
  ('dataset_items:read', 'View one item', true),
  ('dataset_items:create', 'Add an item', true),
  ('dataset_items:update', 'Change an item', true),
  ('annotations:create', 'Annotate an item', true),
  ('annotations:update', 'Change an annotation', true),
  ('annotations:delete', 'Remove an annotation', true),
  ('annotations:*', 'Every annotations action', true),
  ('inferences:list', 'See predictions', true),
  ('inferences:read', 'View one prediction', true),
  ('inferences:create', 'Run a prediction', true),
  ('inferences:update', 'Correct or report a prediction', true),
  ('inferences:*', 'Every inferences action', true),
  ('jobs:list', 'See jobs', true),
  ('jobs:read', 'View one job', true),
  ('jobs:create', 'Start a training, validation or conversion job', true),
  ('jobs:update', 'Change a job', true),
  ('jobs:delete', 'Delete a job', true),
  ('jobs:*', 'Every jobs action', true),
  ('workflows:list', 'See workflows', true),
  ('workflows:read', 'View one workflow', true),
  ('workflows:create', 'Create a workflow', true),
  ('workflows:update', 'Change a workflow''s versions, nodes and edges', true),
  ('workflows:delete', 'Delete a workflow', true),
  ('workflows:execute', 'Run a workflow', true),
  ('workflows:*', 'Every workflows action', true),
  ('workflow_executions:list', 'See workflow runs', true),
  ('workflow_executions:read', 'View one run', true),
  ('workflow_executions:*', 'Every workflow_executions action', true),
  ('graphs:list', 'See graphs', true),
  ('graphs:read', 'View and query a graph', true),
  ('graphs:create', 'Create a graph', true),
  ('graphs:update', 'Change a graph''s versions, nodes and edges', true),
  ('graphs:delete', 'Delete a graph', true),
  ('graphs:*', 'Every graphs action', true),
  ('post_processors:list', 'See a dataset''s post-processors', true),
  ('post_processors:read', 'View one post-processor', true),
  ('post_processors:create', 'Add a post-processor', true),
  ('post_processors:update', 'Change a post-processor', true),
  ('post_processors:delete', 'Delete a post-processor', true),
  ('post_processors:*', 'Every post_processors action', true),
  ('organizations:list', 'See organizations in listings', true),
  ('organizations:read', 'View one organization', true),
  ('organizations:create', 'Create an organization', true),
  ('organizations:update', 'Change an organization''s details and logo', true),
  ('organizations:delete', 'Delete an organization', true),
  ('organizations:manage_members', 'Invite and remove members, change their roles', true),
  ('projects:list', 'See projects in listings', true),
  ('projects:read', 'View a project, its members and its resources', true),
  ('projects:create', 'Create a project', true),
  ('projects:update', 'Change a project, its members and its resources', true),
  ('projects:delete', 'Delete a project', true),
  ('projects:*', 'Every projects action', true),
  ('teams:list', 'See teams in listings', true),
  ('teams:read', 'View a team and its members', true),
  ('teams:create', 'Create a team', true),
  ('teams:update', 'Change a team and its members', true),
  ('teams:delete', 'Delete a team', true),
  ('teams:*', 'Every teams action', true),
  ('roles:list', 'See roles in listings', true),
  ('roles:read', 'View one role', true),
  ('roles:create', 'Create a custom role', true),
  ('roles:update', 'Change a custom role', true),
  ('roles:delete', 'Delete a custom role', true),
  ('permissions:list', 'See the permission catalogue', true);

UPDATE seeme.permissions SET grouped_by_projects = true
 WHERE resource NOT IN ('*', 'organizations', 'teams', 'projects', 'roles', 'permissions');

CREATE FUNCTION seeme.keep_permissions() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  rest seeme.permissions;
BEGIN
  PERFORM seeme.require_own_table(TG_TABLE_SCHEMA);
  IF TG_OP = 'INSERT' THEN
    IF NEW.is_builtin AND NOT seeme.restoring() THEN
      RAISE EXCEPTION 'only the extension itself has built-in codes'
        USING ERRCODE = 'check_violation', HINT = 'Leave is_builtin out.';
    END IF;
    RETURN NEW;
  END IF;
  IF OLD.is_builtin THEN
    RAISE EXCEPTION 'built-in codes can be neither changed nor removed'
      USING ERRCODE = 'insufficient_privilege', HINT = 'Register a code of your own instead.';
  END IF;
  IF TG_OP = 'UPDATE' THEN
    -- These columns may change, and no others: also none that is added later.
    rest := NEW;
    rest.description := OLD.description;
    rest.grouped_by_projects := OLD.grouped_by_projects;
    -- Generated columns have no value yet.
    rest.resource := OLD.resource;
    rest.action := OLD.action;
    rest.is_wildcard := OLD.is_wildcard;
    IF rest *<> OLD THEN
      RAISE EXCEPTION 'only the description of a registered code changes, and grouped_by_projects'
        USING ERRCODE = 'check_violation',
              HINT = 'Register the new code, move the roles to it, then remove the old one.';
    END IF;
    RETURN NEW;
  END IF;
  IF EXISTS (
    SELECT FROM seeme.roles r
     WHERE NOT seeme.is_builtin_role(r.id)
       -- What a role holds by its grouped_actions goes with the code.
       AND (OLD.name = ANY (r.permissions) AND OLD.action <> ALL (coalesce(r.grouped_actions, '{}'))
            OR OLD.resource || ':*' = ANY (r.permissions) AND NOT EXISTS (
                 SELECT FROM seeme.permissions p
                  WHERE p.resource = OLD.resource AND NOT p.is_wildcard AND p.name <> OLD.name)
            OR '*:' || OLD.action = ANY (r.permissions) AND NOT EXISTS (
                 SELECT FROM seeme.permissions p
                  WHERE p.action = OLD.action AND NOT p.is_wildcard AND p.name <> OLD.name)))
  THEN
    RAISE EXCEPTION 'permission "%" is held by a role', OLD.name
      USING ERRCODE = 'foreign_key_violation',
            HINT = 'Take it out of the roles that hold it first.';
  END IF;
  RETURN OLD;
END $$;
COMMENT ON FUNCTION seeme.keep_permissions() IS
  'Trigger: built-in codes stay as they are, and no role is left with a code that is not '
  'registered';

CREATE TRIGGER keep_permissions BEFORE INSERT OR UPDATE OR DELETE ON seeme.permissions
  FOR EACH ROW EXECUTE FUNCTION seeme.keep_permissions();

CREATE FUNCTION seeme.keep_resource_types() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM seeme.require_own_table(TG_TABLE_SCHEMA);
  IF TG_OP = 'INSERT' AND NEW.is_builtin AND NOT seeme.restoring()
     OR TG_OP = 'UPDATE' AND (OLD.is_builtin OR NEW.is_builtin)
     OR TG_OP = 'DELETE' AND OLD.is_builtin THEN
    RAISE EXCEPTION 'built-in resource types can be neither made, changed nor removed'
      USING ERRCODE = 'insufficient_privilege';
  END IF;
  IF TG_OP = 'DELETE' THEN
    RETURN OLD;
  END IF;
  RETURN NEW;
END $$;
COMMENT ON FUNCTION seeme.keep_resource_types() IS
  'Trigger: built-in resource types stay as they are';

CREATE TRIGGER keep_resource_types BEFORE INSERT OR UPDATE OR DELETE ON seeme.resource_types
  FOR EACH ROW EXECUTE FUNCTION seeme.keep_resource_types();

-- Every identified person sees the catalogue, and so do the roles that register codes. For changes
-- the table's own privileges decide: the extension's owner grants them to the roles that register.
ALTER TABLE seeme.permissions ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY seeme_select ON seeme.permissions FOR SELECT USING (
  (SELECT @extschema@.seeme_user_id()) IS NOT NULL
  OR (SELECT has_table_privilege('seeme.permissions', 'INSERT')));
CREATE POLICY seeme_insert ON seeme.permissions FOR INSERT WITH CHECK (true);
CREATE POLICY seeme_update ON seeme.permissions FOR UPDATE USING (true);
CREATE POLICY seeme_delete ON seeme.permissions FOR DELETE USING (true);

ALTER TABLE seeme.resource_types ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY seeme_select ON seeme.resource_types FOR SELECT USING (
  (SELECT @extschema@.seeme_user_id()) IS NOT NULL
  OR (SELECT has_table_privilege('seeme.resource_types', 'INSERT')));
CREATE POLICY seeme_insert ON seeme.resource_types FOR INSERT WITH CHECK (true);
CREATE POLICY seeme_update ON seeme.resource_types FOR UPDATE USING (true);
CREATE POLICY seeme_delete ON seeme.resource_types FOR DELETE USING (true);

SELECT pg_extension_config_dump('seeme.permissions', 'WHERE NOT is_builtin');
SELECT pg_extension_config_dump('seeme.resource_types', 'WHERE NOT is_builtin');
