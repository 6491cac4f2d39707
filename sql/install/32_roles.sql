-- Roles: named sets of permissions. This file alone defines the built-in ones.

CREATE TABLE seeme.roles (
  id              uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  organization_id uuid REFERENCES seeme.organizations (id) ON DELETE CASCADE,
  name            text NOT NULL,
  description     text,
  permissions     text[] NOT NULL DEFAULT '{}',
  scope           text NOT NULL GENERATED ALWAYS AS (
                    CASE WHEN organization_id IS NULL THEN 'system' ELSE 'organization' END) STORED,
  is_system_role  boolean NOT NULL GENERATED ALWAYS AS (organization_id IS NULL) STORED,
  created_at      timestamptz NOT NULL DEFAULT now(),
  updated_at      timestamptz NOT NULL DEFAULT now(),
  grouped_actions text[],
  CONSTRAINT roles_name_key UNIQUE NULLS NOT DISTINCT (organization_id, name),
  CONSTRAINT roles_name_is_given CHECK (name <> ''),
  CONSTRAINT roles_grouped_actions_of_system_roles
    CHECK (grouped_actions IS NULL OR organization_id IS NULL)
);
COMMENT ON TABLE seeme.roles IS
  'Roles of organizations, and system roles (organization_id is null), which every organization '
  'has: the built-in ones, which can be neither changed nor deleted, and those that a database '
  'administrator adds.';
COMMENT ON COLUMN seeme.roles.id IS 'Unique id. Built-in roles have the same id in every database.';
COMMENT ON COLUMN seeme.roles.organization_id IS
  'The organization that the role belongs to; null: a system role, for all organizations';
COMMENT ON COLUMN seeme.roles.name IS
  'Name, unique in the organization. A system role''s name is taken in every organization.';
COMMENT ON COLUMN seeme.roles.description IS 'Description';
COMMENT ON COLUMN seeme.roles.permissions IS
  'Registered permission codes, or wildcards: * (everything), resource:* and *:action';
COMMENT ON COLUMN seeme.roles.scope IS 'organization or system';
COMMENT ON COLUMN seeme.roles.is_system_role IS 'Whether it is a role for all organizations';
COMMENT ON COLUMN seeme.roles.created_at IS 'When it was added';
COMMENT ON COLUMN seeme.roles.updated_at IS 'When it was last changed';
COMMENT ON COLUMN seeme.roles.grouped_actions IS
  'For a system role that an administrator adds: the actions, for example {list,read}, that it '
  'holds on everything that projects group, also on what is registered later; null: none';

-- The permissions of each built-in role. They follow the registered codes: when an application
-- registers reports:read, Admin and perhaps Editor and Contributor get it.
CREATE FUNCTION seeme.builtin_permissions(role_name text) RETURNS text[]
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT CASE role_name
    WHEN 'Owner' THEN ARRAY['*']
    WHEN 'Viewer' THEN ARRAY['*:list', '*:read']
    WHEN 'Member' THEN ARRAY['organizations:list', 'organizations:read', 'permissions:list',
                             'projects:list', 'projects:read', 'roles:list', 'teams:list',
                             'teams:read']
    -- Everything but organizations:delete. The wildcards that do not cover it are listed, so that
    -- an Admin can give them to others (rule 7.1).
    WHEN 'Admin' THEN ARRAY(
      SELECT entry FROM (
        SELECT resource || ':*' FROM seeme.permissions
         WHERE NOT is_wildcard AND resource <> 'organizations'
        UNION SELECT '*:' || action FROM seeme.permissions
               WHERE NOT is_wildcard AND action <> 'delete'
        UNION SELECT name FROM seeme.permissions
               WHERE NOT is_wildcard AND resource = 'organizations' AND action <> 'delete'
        ) AS held (entry)
       ORDER BY entry COLLATE "C")
    WHEN 'Editor' THEN ARRAY(
      SELECT name FROM seeme.permissions
       WHERE grouped_by_projects AND NOT is_wildcard
         AND action IN ('list', 'read', 'create', 'update', 'upload', 'share', 'execute')
       ORDER BY name COLLATE "C")
    WHEN 'Contributor' THEN ARRAY(
      SELECT name FROM seeme.permissions
       WHERE grouped_by_projects AND NOT is_wildcard
         AND action IN ('list', 'read', 'create', 'update', 'upload', 'execute')
       ORDER BY name COLLATE "C")
  END $$;
COMMENT ON FUNCTION seeme.builtin_permissions(text) IS
  'The permissions of a built-in role, by the codes that are registered now';

INSERT INTO seeme.roles (id, name, description, permissions)
SELECT id::uuid, name, description, seeme.builtin_permissions(name)
  FROM (VALUES
    ('00000000-0000-4000-8000-000000000001', 'Owner',
     'Everything; on the membership of the organization''s owner and on no other'),
    ('00000000-0000-4000-8000-000000000002', 'Admin',
     'Everything except deleting the organization'),
    ('00000000-0000-4000-8000-000000000003', 'Editor',
     'List, read, create, update, upload, share and execute what projects group'),
    ('00000000-0000-4000-8000-000000000004', 'Contributor', 'As Editor, without sharing'),
    ('00000000-0000-4000-8000-000000000005', 'Viewer', 'List and read everything'),
    ('00000000-0000-4000-8000-000000000006', 'Member',
     'List and read the organization, its teams and projects, and list roles and permissions')
  ) AS builtin (id, name, description);

-- The ids of the built-in roles that rules name.
CREATE FUNCTION seeme.owner_role() RETURNS uuid LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN '00000000-0000-4000-8000-000000000001'::uuid;
COMMENT ON FUNCTION seeme.owner_role() IS 'The id of the built-in role Owner';
CREATE FUNCTION seeme.admin_role() RETURNS uuid LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN '00000000-0000-4000-8000-000000000002'::uuid;
COMMENT ON FUNCTION seeme.admin_role() IS 'The id of the built-in role Admin';

CREATE FUNCTION seeme.is_builtin_role(role_id uuid) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN role_id IN ('00000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-000000000002',
                   '00000000-0000-4000-8000-000000000003', '00000000-0000-4000-8000-000000000004',
                   '00000000-0000-4000-8000-000000000005', '00000000-0000-4000-8000-000000000006');
COMMENT ON FUNCTION seeme.is_builtin_role(uuid) IS 'Whether this is the id of a built-in role';

-- Example: {datasets:*} and the actions {read} give {datasets:*, datasets:read, models:read, ...}.
-- The codes with these actions are all derived, except the extension's own, which do not change.
CREATE FUNCTION seeme.permissions_with_grouped(codes text[], actions text[]) RETURNS text[]
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT CASE WHEN actions IS NULL THEN codes ELSE
    ARRAY(SELECT c.code FROM unnest(codes) WITH ORDINALITY AS c (code, position)
           WHERE strpos(c.code, '*') > 0 OR split_part(c.code, ':', 2) <> ALL (actions)
              OR EXISTS (SELECT FROM seeme.permissions p
                          WHERE p.name = c.code AND p.is_builtin AND NOT p.grouped_by_projects)
           ORDER BY c.position)
    || ARRAY(SELECT p.name FROM seeme.permissions p
              WHERE p.grouped_by_projects AND NOT p.is_wildcard AND p.action = ANY (actions)
              ORDER BY p.name COLLATE "C") END
$$;
COMMENT ON FUNCTION seeme.permissions_with_grouped(text[], text[]) IS
  'The permissions of a role that holds some codes, and these actions on everything that projects '
  'group by the codes that are registered now';

CREATE FUNCTION seeme.permissions_now(role_id uuid, name text, codes text[], actions text[])
RETURNS text[]
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN CASE WHEN seeme.is_builtin_role(role_id) THEN seeme.builtin_permissions(name)
            ELSE seeme.permissions_with_grouped(codes, actions) END;
COMMENT ON FUNCTION seeme.permissions_now(uuid, text, text[], text[]) IS
  'The permissions that a system role should hold, given the registered codes';

CREATE FUNCTION seeme.update_builtin_roles() RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
  UPDATE seeme.roles r SET permissions = now.permissions
    FROM (SELECT s.id, seeme.permissions_now(s.id, s.name, s.permissions, s.grouped_actions)
            FROM seeme.roles s
           WHERE s.organization_id IS NULL
             AND (seeme.is_builtin_role(s.id) OR s.grouped_actions IS NOT NULL)
         ) AS now (id, permissions)
   WHERE r.id = now.id AND r.permissions IS DISTINCT FROM now.permissions
$$;
COMMENT ON FUNCTION seeme.update_builtin_roles() IS
  'Gives the built-in roles, and those with grouped_actions, the permissions that follow from the '
  'registered codes. Needed after codes were changed with triggers disabled.';

CREATE FUNCTION seeme.refresh_builtin_roles() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM seeme.require_own_table(TG_TABLE_SCHEMA);
  PERFORM seeme.update_builtin_roles();
  RETURN NULL;
END $$;
COMMENT ON FUNCTION seeme.refresh_builtin_roles() IS
  'Trigger: built-in roles, and those with grouped_actions, follow the registered codes';
CREATE TRIGGER refresh_builtin_roles AFTER INSERT OR UPDATE OR DELETE ON seeme.permissions
  FOR EACH STATEMENT EXECUTE FUNCTION seeme.refresh_builtin_roles();
-- ALWAYS: some tools load data with session_replication_role = replica, and decisions must follow
-- the loaded codes.
ALTER TABLE seeme.permissions ENABLE ALWAYS TRIGGER refresh_builtin_roles;

CREATE FUNCTION seeme.authorize_role() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM seeme.require_any('{roles:create}', TG_RELID, NEW.organization_id);
  RETURN NEW;
END $$;
COMMENT ON FUNCTION seeme.authorize_role() IS
  'Trigger: checks who may add a role, before the INSERT and after it may have waited';

CREATE FUNCTION seeme.require_codes_held(codes text[], organization uuid) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  missing text[] := seeme.missing_permissions(codes, NULL, organization);
BEGIN
  IF cardinality(missing) > 0 THEN
    RAISE EXCEPTION 'you do not hold % in this organization', array_to_string(missing, ', ')
      USING ERRCODE = 'insufficient_privilege',
            HINT = 'You can add or remove only permissions that you hold.';
  END IF;
END $$;
COMMENT ON FUNCTION seeme.require_codes_held(text[], uuid) IS
  'Rule 7.1 for the permissions of a role: raises 42501 unless the asking person holds each of '
  'them in the organization. The message names the missing ones.';

CREATE FUNCTION seeme.role_is_named(name text, of_organization boolean) RETURNS boolean
LANGUAGE c STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'seeme_role_is_named';
COMMENT ON FUNCTION seeme.role_is_named(text, boolean) IS
  'Whether the own role of any organization has this name, or (of_organization false) a system '
  'role, by what is committed now';

CREATE FUNCTION seeme.is_creator_role(role_id uuid, organization uuid) RETURNS boolean
LANGUAGE c STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'seeme_is_creator_role_of';
COMMENT ON FUNCTION seeme.is_creator_role(uuid, uuid) IS
  'Whether the organization (null: any) has this role as its creator_role_id, by what is committed '
  'now';

CREATE FUNCTION seeme.enforce_role_rules() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  code    text;
  entries text[] := ARRAY[]::text[];
  changed text[];
  rest    seeme.roles;
  taken   text;
BEGIN
  PERFORM seeme.require_own_table(TG_TABLE_SCHEMA);
  IF seeme.restoring() THEN
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
  END IF;

  IF TG_OP = 'UPDATE' AND OLD.organization_id IS NULL THEN
    rest := NEW;
    rest.permissions := OLD.permissions;
    -- Generated columns have no value yet.
    rest.scope := OLD.scope;
    rest.is_system_role := OLD.is_system_role;
    IF rest *= OLD AND NEW.permissions = seeme.permissions_now(
         OLD.id, OLD.name, OLD.permissions, OLD.grouped_actions) THEN
      RETURN NEW;  -- keeping up with the registered codes
    END IF;
  END IF;
  IF TG_OP <> 'INSERT' AND seeme.is_builtin_role(OLD.id) THEN
    RAISE EXCEPTION 'built-in roles can be neither changed nor deleted'
      USING ERRCODE = 'insufficient_privilege', HINT = 'Create a role of the organization''s own.';
  END IF;
  IF (CASE TG_OP WHEN 'INSERT' THEN NEW.organization_id ELSE OLD.organization_id END) IS NULL
     AND NOT seeme.is_unidentified() THEN
    RAISE EXCEPTION 'only a database administrator adds, changes or deletes a role for all '
                    'organizations'
      USING ERRCODE = 'insufficient_privilege',
            HINT = 'Nobody is identified then. Create a role of the organization''s own.';
  END IF;

  IF TG_OP = 'DELETE' THEN
    IF OLD.organization_id IS NOT NULL
       AND NOT EXISTS (SELECT FROM seeme.organizations o WHERE o.id = OLD.organization_id) THEN
      RETURN OLD;  -- goes with its organization
    END IF;
    IF EXISTS (SELECT FROM seeme.memberships m WHERE m.role_id = OLD.id)
       OR EXISTS (SELECT FROM seeme.invitations i
                   WHERE i.role_id = OLD.id AND i.accepted_at IS NULL
                     AND i.expires_at > clock_timestamp() AND NOT seeme.is_retired(i.id)) THEN
      RAISE EXCEPTION 'role "%" is in use', OLD.name
        USING ERRCODE = 'foreign_key_violation',
              HINT = 'First give its members another role, and cancel the open invitations with '
                     'it.';
    END IF;
    IF seeme.is_creator_role(OLD.id, OLD.organization_id) THEN
      RAISE EXCEPTION 'role "%" is in use', OLD.name
        USING ERRCODE = 'foreign_key_violation',
              HINT = 'First set creator_role_id of the organization to another role, or to null.';
    END IF;
    PERFORM seeme.require_codes_held(OLD.permissions, OLD.organization_id);
    RETURN OLD;
  END IF;

  -- An id that stays in use by members, and comes to name a role of another organization, would be
  -- a way around rule 7.3.
  IF TG_OP = 'INSERT' AND seeme.was_deleted_here(NEW.id) THEN
    RAISE EXCEPTION 'this id is taken'
      USING ERRCODE = 'unique_violation', HINT = 'Leave it out to have one made.';
  END IF;
  IF NEW.grouped_actions IS NOT NULL THEN
    IF NEW.organization_id IS NOT NULL THEN
      RAISE EXCEPTION 'only a role for all organizations has grouped_actions'
        USING ERRCODE = 'check_violation', HINT = 'Name the codes, or use wildcards.';
    END IF;
    IF NOT (SELECT coalesce(bool_and(coalesce(a ~ '^[a-z][a-z0-9_]*$', false)), true)
              FROM unnest(NEW.grouped_actions) AS a) THEN
      RAISE EXCEPTION 'grouped_actions are actions, for example {list,read}'
        USING ERRCODE = 'check_violation';
    END IF;
  END IF;
  IF TG_OP = 'UPDATE' THEN
    NEW.created_at := OLD.created_at;
    -- These columns may change, and no others: also none that is added later.
    rest := NEW;
    rest.name := OLD.name;
    rest.description := OLD.description;
    rest.permissions := OLD.permissions;
    rest.updated_at := OLD.updated_at;
    rest.grouped_actions := OLD.grouped_actions;
    rest.scope := OLD.scope;
    rest.is_system_role := OLD.is_system_role;
    IF rest *<> OLD THEN
      RAISE EXCEPTION 'only the name, the description and the permissions of a role change'
        USING ERRCODE = 'check_violation';
    END IF;
    NEW.updated_at := now();
    -- An UPDATE of the actions alone takes away what came by them.
    IF NEW.permissions = OLD.permissions THEN
      NEW.permissions := ARRAY(
        SELECT c.code FROM unnest(OLD.permissions) WITH ORDINALITY AS c (code, position)
         WHERE split_part(c.code, ':', 2) = ANY (NEW.grouped_actions)
            OR NOT coalesce(split_part(c.code, ':', 2) = ANY (OLD.grouped_actions), false)
            OR NOT EXISTS (SELECT FROM seeme.permissions p
                            WHERE p.name = c.code AND p.grouped_by_projects AND NOT p.is_wildcard)
         ORDER BY c.position);
    END IF;
  END IF;
  NEW.name := seeme.checked_name(NEW.name, 'role');
  NEW.description := seeme.checked_text(NEW.description, 'description', 10000);
  IF NEW.organization_id IS NULL THEN
    IF TG_OP = 'INSERT' OR NEW.name <> OLD.name THEN
      -- No organization adds a role of this name meanwhile (src/rules/role_names.c).
      LOCK TABLE seeme.roles IN SHARE ROW EXCLUSIVE MODE;
      taken := CASE
        WHEN seeme.role_is_named(NEW.name, false) THEN 'there is a system role "%s" already'
        WHEN seeme.role_is_named(NEW.name, true) THEN 'an organization has a role "%s" of its own'
        END;
    END IF;
  ELSIF EXISTS (SELECT FROM seeme.roles r
                 WHERE r.organization_id = NEW.organization_id AND r.name = NEW.name
                   AND r.id <> NEW.id) THEN
    taken := 'the organization has a role "%s" already';
  ELSIF (TG_OP = 'INSERT' OR NEW.name <> OLD.name) AND seeme.role_is_named(NEW.name, false) THEN
    taken := 'there is a system role "%s" already';
  END IF;
  IF taken IS NOT NULL THEN
    RAISE EXCEPTION '%', format(taken, NEW.name)
      USING ERRCODE = 'unique_violation', HINT = 'Choose another name, or change that role.',
            SCHEMA = 'seeme', TABLE = 'roles', CONSTRAINT = 'roles_name_key';
  END IF;

  FOREACH code IN ARRAY coalesce(NEW.permissions, '{}') LOOP
    PERFORM seeme.check_code(code);
    IF code <> ALL (entries) THEN
      entries := entries || code;
    END IF;
  END LOOP;
  NEW.permissions := seeme.permissions_with_grouped(entries, NEW.grouped_actions);
  FOREACH code IN ARRAY entries LOOP
    IF code <> ALL (NEW.permissions) THEN
      RAISE EXCEPTION 'permission "%" is not of a resource that projects group', code
        USING ERRCODE = 'check_violation',
              HINT = 'Set its grouped_by_projects in seeme.permissions, or leave its action out of '
                     'grouped_actions.';
    END IF;
  END LOOP;
  entries := NEW.permissions;

  -- Rule 7.1: all members with the role get what is added to it, and lose what is removed.
  changed := entries;
  IF TG_OP = 'UPDATE' THEN
    changed := ARRAY(SELECT unnest(entries) EXCEPT SELECT unnest(OLD.permissions))
            || ARRAY(SELECT unnest(OLD.permissions) EXCEPT SELECT unnest(entries));
  END IF;
  PERFORM seeme.require_codes_held(changed, NEW.organization_id);
  RETURN NEW;
END $$;
COMMENT ON FUNCTION seeme.enforce_role_rules() IS
  'Trigger: the permissions of a role are registered codes, and the asking person holds those '
  'that change (rule 7.1). Built-in roles stay as they are; other system roles are an '
  'administrator''s.';

CREATE TRIGGER authorize BEFORE INSERT ON seeme.roles
  FOR EACH ROW EXECUTE FUNCTION seeme.authorize_role();
-- The INSERT may have waited for another transaction with the same name. A person whose right was
-- revoked meanwhile adds no role.
CREATE TRIGGER authorize_added AFTER INSERT ON seeme.roles
  FOR EACH ROW EXECUTE FUNCTION seeme.authorize_role();
CREATE TRIGGER prepare BEFORE INSERT OR UPDATE OR DELETE ON seeme.roles
  FOR EACH ROW EXECUTE FUNCTION seeme.enforce_role_rules();

ALTER TABLE seeme.roles ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY seeme_select ON seeme.roles FOR SELECT USING (
  organization_id IS NULL AND (SELECT @extschema@.seeme_user_id()) IS NOT NULL
  OR seeme.holds_throughout('{roles:list,roles:read}', organization_id)
  OR seeme.has_effective_role(id));
CREATE POLICY seeme_insert ON seeme.roles FOR INSERT WITH CHECK (
  @extschema@.seeme_has_permission('roles:create', organization => organization_id));
SELECT seeme.create_write_policy('seeme.roles', 'UPDATE',
  '@extschema@.seeme_has_permission(''roles:update'', organization => organization_id)');
SELECT seeme.create_write_policy('seeme.roles', 'DELETE',
  '@extschema@.seeme_has_permission(''roles:delete'', organization => organization_id)');

SELECT pg_extension_config_dump('seeme.roles', $$WHERE id NOT IN (
  '00000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-000000000002',
  '00000000-0000-4000-8000-000000000003', '00000000-0000-4000-8000-000000000004',
  '00000000-0000-4000-8000-000000000005', '00000000-0000-4000-8000-000000000006')$$);
