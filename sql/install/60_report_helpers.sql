-- seeme_security_report() lists the weak points of this database, each with the statement that
-- mends it. Files 60 to 69 define it, one file for each topic. This file has what several topics
-- need: names, roles, and the relations that matter.
--
-- A finding begins with its name, up to the colon. The report writes nothing: it also works on a
-- standby. It must not fail, whatever a mistake or an attacker left in the catalogs.

-- Names as they are written in a statement.
CREATE FUNCTION seeme.grantee_name(role oid) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN CASE role WHEN 0 THEN 'PUBLIC' ELSE role::regrole::text END;
COMMENT ON FUNCTION seeme.grantee_name(oid) IS 'A role, or PUBLIC, as it is written in a statement';

CREATE FUNCTION seeme.is_of_extension(class regclass, object oid) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN EXISTS (SELECT FROM pg_depend d
                WHERE d.classid = class AND d.objid = object AND d.objsubid = 0
                 AND d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e');
COMMENT ON FUNCTION seeme.is_of_extension(regclass, oid) IS
  'Whether an object belongs to an extension, this one or another';

CREATE FUNCTION seeme.extension_owner() RETURNS oid
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN (SELECT e.extowner FROM pg_extension e WHERE e.extname = 'seeme_rbac');
COMMENT ON FUNCTION seeme.extension_owner() IS 'The role that owns the extension';

-- Which roles are which.
CREATE FUNCTION seeme.memberships_of_roles() RETURNS TABLE (member oid, reaches oid, through oid)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  WITH RECURSIVE reach (member, reaches, through) AS (
    SELECT m.member, m.roleid, m.roleid FROM pg_auth_members m
    UNION
    SELECT r.member, m.roleid, r.through
      FROM reach r JOIN pg_auth_members m ON m.member = r.reaches)
  SELECT * FROM reach
$$;
COMMENT ON FUNCTION seeme.memberships_of_roles() IS
  'Which database role is a member of which other one, directly or indirectly, and through which '
  'direct membership';

CREATE FUNCTION seeme.end_membership(group_role oid, member_role oid) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
-- From PostgreSQL 16 on a membership has a grantor, and several grantors may give the same one.
RETURN (SELECT string_agg(format('REVOKE %s FROM %s%s CASCADE;',
                                 m.roleid::regrole, m.member::regrole,
                                 CASE WHEN current_setting('server_version_num')::integer >= 160000
                                      THEN ' GRANTED BY ' || m.grantor::regrole END), ' ')
          FROM pg_auth_members m WHERE m.roleid = group_role AND m.member = member_role);
COMMENT ON FUNCTION seeme.end_membership(oid, oid) IS
  'The statement that removes a database role from another one';

CREATE FUNCTION seeme.application_roles() RETURNS TABLE (role oid)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  WITH granted AS (
    SELECT DISTINCT a.grantee AS role
      FROM pg_proc p, aclexplode(p.proacl) AS a
     WHERE p.oid IN ('@extschema@.seeme_user_id()'::regprocedure,
                     '@extschema@.seeme_assume(uuid)'::regprocedure,
                     '@extschema@.seeme_act_for(uuid, uuid)'::regprocedure)
       AND a.grantee NOT IN (0, p.proowner, seeme.extension_owner())
       -- The owner of a mirrored table has what its policies call, and not the rest of
       -- seeme_grant_usage.
       AND (p.proname <> 'seeme_user_id'
            OR has_function_privilege(a.grantee, '@extschema@.seeme_current_user_context()',
                                      'EXECUTE')
            OR NOT EXISTS (SELECT FROM seeme.mirrors m JOIN pg_class c ON c.oid = m.table_name
                            WHERE m.protect AND c.relowner = a.grantee))
       -- No application: sessions of these name nobody (seeme_grant_system).
       AND a.grantee NOT IN (SELECT s.role FROM seeme.system_roles() s))
  SELECT g.role FROM granted g
  UNION
  SELECT m.member FROM seeme.memberships_of_roles() m JOIN granted g ON g.role = m.reaches
   -- 10 is the superuser of initdb
   WHERE m.member NOT IN (10, seeme.extension_owner())
     AND m.member NOT IN (SELECT s.role FROM seeme.system_roles() s)
$$;
COMMENT ON FUNCTION seeme.application_roles() IS
  'The database roles that use the extension (seeme_grant_usage, seeme_grant_provisioning, '
  'seeme_assume, seeme_act_for), and the members of these roles. System roles are left out.';

CREATE FUNCTION seeme.bypassing_roles() RETURNS TABLE (role oid)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT r.oid FROM pg_roles r WHERE r.rolsuper OR r.rolbypassrls
$$;
COMMENT ON FUNCTION seeme.bypassing_roles() IS
  'The database roles to which row security does not apply';

-- Which relations matter.
CREATE FUNCTION seeme.guarded_relations() RETURNS TABLE (relation oid, owner oid, is_own boolean)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT c.oid, c.relowner, true FROM pg_class c
   WHERE c.relnamespace = 'seeme'::regnamespace AND c.relkind IN ('r', 'p', 'v')
     AND seeme.is_of_extension('pg_class', c.oid)
  UNION ALL
  SELECT c.oid, c.relowner, false
    FROM (SELECT p.table_name FROM seeme.protected_tables p
          UNION
          SELECT m.table_name FROM seeme.mirrors m WHERE m.protect) AS t
    JOIN pg_class c ON c.oid = t.table_name
$$;
COMMENT ON FUNCTION seeme.guarded_relations() IS
  'The extension''s own tables and views, and the tables with policies of seeme_protect or '
  'seeme_mirror that exist';

CREATE FUNCTION seeme.grants_on_relations()
RETURNS TABLE (relation oid, is_own boolean, column_name name, grantee oid, privilege text,
               grantable boolean)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT g.relation, g.is_own, NULL::name, a.grantee, a.privilege_type, a.is_grantable
    FROM seeme.guarded_relations() g JOIN pg_class c ON c.oid = g.relation,
         aclexplode(c.relacl) AS a
   WHERE a.grantee <> g.owner
  UNION ALL
  SELECT g.relation, g.is_own, t.attname, a.grantee, a.privilege_type, a.is_grantable
    FROM seeme.guarded_relations() g
    JOIN pg_attribute t ON t.attrelid = g.relation AND NOT t.attisdropped, aclexplode(t.attacl) AS a
   WHERE a.grantee <> g.owner
$$;
COMMENT ON FUNCTION seeme.grants_on_relations() IS
  'Every privilege on the extension''s own tables and views, and on protected tables, that a role '
  'besides the owner was granted';

CREATE FUNCTION seeme.views_over_guarded_relations() RETURNS TABLE (relation oid)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  WITH RECURSIVE uses AS MATERIALIZED (
    SELECT DISTINCT r.ev_class AS view, d.refobjid AS relation
      FROM pg_depend d JOIN pg_rewrite r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid
     WHERE d.refclassid = 'pg_class'::regclass AND r.ev_class <> d.refobjid
       AND r.rulename = '_RETURN'
  ), above (relation) AS (
    SELECT u.view FROM uses u JOIN seeme.guarded_relations() g ON g.relation = u.relation
    UNION
    SELECT u.view FROM above a JOIN uses u ON u.relation = a.relation)
  SELECT a.relation FROM above a
   WHERE NOT seeme.is_of_extension('pg_class', a.relation)
     AND NOT EXISTS (SELECT FROM seeme.protected_tables p WHERE p.listing_view = a.relation)
$$;
COMMENT ON FUNCTION seeme.views_over_guarded_relations() IS
  'Views and materialized views that are not the extension''s own and show rows of guarded '
  'relations, also through other views';
