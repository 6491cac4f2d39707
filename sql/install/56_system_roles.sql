-- System roles: database roles for migrations and background jobs (src/identity/system_roles.c).

-- USAGE on this type is the mark of a system role. A grant follows the role when that is renamed,
-- is dumped with the role's name, and is revoked like any other. No GRANT ... ON ALL TABLES or ALL
-- FUNCTIONS includes a type. There is no value of it.
CREATE TYPE seeme.system_role AS ENUM ();
COMMENT ON TYPE seeme.system_role IS
  'USAGE on this type makes a database role a system role (seeme_grant_system): its sessions name '
  'nobody. PUBLIC does not count.';

CREATE FUNCTION seeme.system_roles() RETURNS TABLE (role oid)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT DISTINCT a.grantee
    FROM pg_type t, aclexplode(t.typacl) AS a
   WHERE t.typname = 'system_role' AND t.typnamespace = 'seeme'::regnamespace
     AND a.privilege_type = 'USAGE' AND a.grantee NOT IN (0, t.typowner)
$$;
COMMENT ON FUNCTION seeme.system_roles() IS
  'The system roles: those that were granted USAGE on the type seeme.system_role';

CREATE FUNCTION @extschema@.seeme_grant_system(role_name name) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  granted pg_roles;
  naming  regprocedure;
  members text;
BEGIN
  IF NOT seeme.acts_as_superuser() THEN
    RAISE EXCEPTION 'only superusers make a role a system role'
      USING ERRCODE = 'insufficient_privilege',
            HINT = 'It gets BYPASSRLS, which only superusers give.';
  END IF;
  SELECT r.* INTO granted FROM pg_roles r WHERE r.rolname = role_name;
  IF NOT FOUND THEN
    -- The same error as of the other grants.
    PERFORM seeme.set_grants(role_name);
  END IF;
  IF granted.rolsuper THEN
    RAISE EXCEPTION 'role "%" is a superuser', role_name
      USING ERRCODE = 'invalid_parameter_value',
            HINT = 'Row security does not apply to superusers. Make a role of its own for '
                   'migrations or jobs.';
  END IF;
  -- By name and any arguments: whoever may name a person by a function of the extension.
  SELECT p.oid INTO naming
    FROM pg_proc p, aclexplode(p.proacl) AS a
   WHERE p.oid IN (SELECT seeme.own_objects('pg_proc'))
     AND p.proname IN ('seeme_assume', 'seeme_act_for') AND a.grantee = granted.oid
   LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'role "%" names people: it is granted %', role_name, naming
      USING ERRCODE = 'invalid_parameter_value',
            HINT = 'An application acts for people, a system role for nobody. Make a role of its '
                   'own for migrations or jobs.';
  END IF;
  IF EXISTS (SELECT FROM seeme.users u WHERE u.database_role = role_name) THEN
    RAISE EXCEPTION 'role "%" is the database role of a person', role_name
      USING ERRCODE = 'invalid_parameter_value',
            HINT = 'Make a role of its own for migrations or jobs.';
  END IF;
  PERFORM @extschema@.seeme_grant_usage(role_name);
  -- A job may import people, also through a mirrored table.
  PERFORM @extschema@.seeme_grant_provisioning(role_name);
  EXECUTE format('GRANT USAGE ON TYPE seeme.system_role TO %I', role_name);
  EXECUTE format('ALTER ROLE %I BYPASSRLS', role_name);
  RAISE NOTICE 'role "%" now has BYPASSRLS: row security does not apply to it', role_name
    USING DETAIL = 'BYPASSRLS holds in every database of this server.',
          HINT = format('To take it back: ALTER ROLE %1$I NOBYPASSRLS; '
                        'REVOKE USAGE ON TYPE seeme.system_role FROM %1$I;', role_name);
  SELECT string_agg(DISTINCT m.member::regrole::text, ', ') INTO members
    FROM seeme.memberships_of_roles() m JOIN pg_roles r ON r.oid = m.member AND NOT r.rolsuper
   WHERE m.reaches = granted.oid;
  IF members IS NOT NULL THEN
    RAISE WARNING 'other roles can SET ROLE to "%": %', role_name, members
      USING HINT = 'Row security does not apply to them either, once they do.';
  END IF;
END $$;
COMMENT ON FUNCTION @extschema@.seeme_grant_system(name) IS
  'Makes a database role a system role, for migrations and background jobs: BYPASSRLS, and what '
  'seeme_grant_usage and seeme_grant_provisioning grant. Its sessions name nobody: seeme_assume '
  'and seeme_login are refused (42501), and database_role does not count. For superusers.';
