-- The security report on privileges that no role needs.

CREATE FUNCTION seeme.findings_on_privileges()
RETURNS TABLE (severity text, object text, finding text, remedy text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  WITH granted AS MATERIALIZED (SELECT * FROM seeme.grants_on_relations()),
  -- The owner of a function is left out: its own EXECUTE is no grant.
  routine AS MATERIALIZED (
    SELECT p.oid, p.proname, p.pronamespace, a.grantee, a.is_grantable
      FROM pg_depend d JOIN pg_proc p ON d.classid = 'pg_proc'::regclass AND p.oid = d.objid,
           aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) AS a
     WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e' AND a.grantee <> p.proowner
       AND d.refobjid = (SELECT e.oid FROM pg_extension e WHERE e.extname = 'seeme_rbac'))
  SELECT CASE g.privilege WHEN 'REFERENCES' THEN 'medium' ELSE 'high' END,
         g.relation::regclass::text,
         format('%s is granted: %s', g.privilege,
           CASE g.privilege
             WHEN 'TRUNCATE' THEN format('%s may empty the table, whatever the policies say',
                                         seeme.grantee_name(g.grantee))
             WHEN 'TRIGGER' THEN format('%s may add a trigger, whose code runs with the rights of '
                                        'every writer of the table', seeme.grantee_name(g.grantee))
             ELSE format('by a foreign key %s finds out which ids exist, and keeps rows from being '
                         'deleted, whatever the policies say', seeme.grantee_name(g.grantee)) END),
         format('REVOKE %s ON %s FROM %s CASCADE;',
                g.privilege, g.relation::regclass, seeme.grantee_name(g.grantee))
    FROM (SELECT DISTINCT relation, grantee, privilege FROM granted) g
   WHERE g.privilege IN ('TRUNCATE', 'REFERENCES', 'TRIGGER')
     -- What the owner of a table that refers to it needs.
     AND NOT (g.privilege = 'REFERENCES' AND EXISTS (
           SELECT FROM pg_constraint f JOIN pg_class t ON t.oid = f.conrelid
            WHERE f.contype = 'f' AND f.confrelid = g.relation AND t.relowner = g.grantee))
  UNION ALL
  SELECT 'medium', g.relation::regclass::text,
         format('granted to PUBLIC: every role of the cluster holds %s on this table',
                string_agg(DISTINCT g.privilege, ', ' ORDER BY g.privilege)),
         format('REVOKE %s ON %s FROM PUBLIC;',
                string_agg(DISTINCT g.privilege, ', ' ORDER BY g.privilege), g.relation::regclass)
    FROM granted g
   WHERE g.grantee = 0 AND g.privilege IN ('SELECT', 'INSERT', 'UPDATE', 'DELETE')
   GROUP BY g.relation
  UNION ALL
  SELECT 'medium', g.relation::regclass::text,
         format('may be passed on: %s holds %s with the grant option, and decides who else gets it',
                seeme.grantee_name(g.grantee),
                string_agg(DISTINCT g.privilege, ', ' ORDER BY g.privilege)),
         format('REVOKE GRANT OPTION FOR %s ON %s FROM %s CASCADE;',
                string_agg(DISTINCT g.privilege, ', ' ORDER BY g.privilege),
                g.relation::regclass, seeme.grantee_name(g.grantee))
    FROM granted g WHERE g.grantable GROUP BY g.relation, g.grantee
  UNION ALL
  SELECT CASE WHEN r.proname IN ('seeme_assume', 'seeme_act_for') THEN 'critical'
              ELSE 'medium' END,
         r.oid::regprocedure::text,
         format('may be passed on: %s holds EXECUTE with the grant option, and decides who else '
                'gets it',
                seeme.grantee_name(r.grantee)),
         format('REVOKE GRANT OPTION FOR EXECUTE ON FUNCTION %s FROM %s CASCADE;',
                r.oid::regprocedure, seeme.grantee_name(r.grantee))
    FROM routine r WHERE r.is_grantable
  UNION ALL
  SELECT 'high', g.relation::regclass::text,
         format('secret is readable: %s may read the column %I; no role should see the hashes of '
                'tokens and keys', seeme.grantee_name(g.grantee), a.attname),
         CASE WHEN bool_or(g.column_name IS NULL)
              THEN format('REVOKE SELECT ON %1$s FROM %2$s; GRANT SELECT (%3$s) ON %1$s TO %2$s;',
                          g.relation::regclass, seeme.grantee_name(g.grantee),
                          (SELECT string_agg(quote_ident(o.attname), ', ' ORDER BY o.attnum)
                             FROM pg_attribute o
                            WHERE o.attrelid = g.relation AND o.attnum > 0 AND NOT o.attisdropped
                              AND o.attname <> a.attname))
              ELSE format('REVOKE SELECT (%I) ON %s FROM %s;',
                          a.attname, g.relation::regclass, seeme.grantee_name(g.grantee)) END
    FROM granted g
    JOIN pg_attribute a ON a.attrelid = g.relation AND a.attname IN ('token_hash', 'key_hash')
   WHERE g.is_own AND g.privilege = 'SELECT'
     AND (g.column_name IS NULL OR g.column_name = a.attname)
   GROUP BY g.relation, g.grantee, a.attname
  UNION ALL
  SELECT 'high', 'seeme.users',
         format('database_role is writable: by writing its own name there, a role becomes that '
                'person; only a trigger keeps %s from it', seeme.grantee_name(g.grantee)),
         CASE WHEN bool_or(g.column_name IS NULL)
              THEN format('REVOKE %s ON seeme.users FROM %s; '
                          'SELECT @extschema@.seeme_grant_provisioning(%L);',
                          string_agg(DISTINCT g.privilege, ', '), seeme.grantee_name(g.grantee),
                          (SELECT r.rolname FROM pg_roles r WHERE r.oid = g.grantee))
              ELSE format('REVOKE %s ON seeme.users FROM %s;',
                          string_agg(DISTINCT format('%s (database_role)', g.privilege), ', '),
                          seeme.grantee_name(g.grantee)) END
    FROM granted g
   WHERE g.relation = 'seeme.users'::regclass AND g.privilege IN ('INSERT', 'UPDATE')
     AND g.grantee <> 0
     AND (g.column_name IS NULL OR g.column_name = 'database_role')
   GROUP BY g.grantee
  UNION ALL
  SELECT 'medium', g.relation::regclass::text,
         format('table of the extension is writable: %s holds %s on it, which seeme_grant_usage '
                'grants '
                'to no role; only policies and triggers keep it from being used',
                seeme.grantee_name(g.grantee),
                string_agg(DISTINCT g.privilege, ', ' ORDER BY g.privilege)),
         format('REVOKE %s ON %s FROM %s;',
                string_agg(DISTINCT g.privilege, ', ' ORDER BY g.privilege),
                g.relation::regclass, seeme.grantee_name(g.grantee))
    FROM granted g JOIN pg_class c ON c.oid = g.relation
   WHERE g.is_own AND g.grantee <> 0
     AND (c.relname IN ('audit_log', 'api_key_uses', 'protected_tables', 'released_resources',
                        'retired_ids', 'installed_guards')
            AND g.privilege IN ('INSERT', 'UPDATE', 'DELETE')
          OR c.relname IN ('api_keys', 'invitations') AND g.privilege IN ('INSERT', 'UPDATE')
          OR c.relname = 'project_resources' AND g.privilege = 'UPDATE')
   GROUP BY g.relation, g.grantee
  UNION ALL
  SELECT 'high', seeme.grantee_name(g.grantee),
         'application role provisions users: while nobody is identified it sees and writes every '
         'user, and so can injected SQL',
         format('REVOKE INSERT, UPDATE, DELETE ON seeme.users FROM %s;',
                seeme.grantee_name(g.grantee))
    FROM granted g
   WHERE g.relation = 'seeme.users'::regclass AND g.privilege = 'DELETE'
     AND g.grantee IN (SELECT r.grantee FROM routine r
                        WHERE r.oid IN ('@extschema@.seeme_assume(uuid)'::regprocedure,
                                        '@extschema@.seeme_act_for(uuid,uuid)'::regprocedure))
  UNION ALL
  SELECT CASE WHEN r.pronamespace = 'seeme'::regnamespace THEN 'high' ELSE 'medium' END,
         r.oid::regprocedure::text,
         'function is granted to PUBLIC: every role of the cluster may call it; seeme_grant_usage '
         'grants it to the roles that need it',
         format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC;', r.oid::regprocedure)
    FROM routine r WHERE r.grantee = 0
  UNION ALL
  SELECT 'critical', r.oid::regprocedure::text,
         format('internal function is granted: it names the asking person, or reads rows with the '
                'rights of their owner, and %s may call it', seeme.grantee_name(r.grantee)),
         format('REVOKE EXECUTE ON FUNCTION %s FROM %s;',
                r.oid::regprocedure, seeme.grantee_name(r.grantee))
    FROM routine r
   WHERE r.pronamespace = 'seeme'::regnamespace
     AND r.proname IN ('login_by_key', 'login_by_token', 'every_row', 'text_of_row',
                       'note_key_use', 'parsed_condition', 'read_as_owner', 'mirror_execute',
                       'write_profile_at_commit')
     AND r.grantee <> 0
  UNION ALL
  SELECT 'low', seeme.grantee_name(r.grantee),
         format('%s is granted to a group: only a session_user that is granted it by name may '
                'call it; this grant has no effect, and misleads', r.proname),
         format('REVOKE EXECUTE ON FUNCTION %s FROM %s;',
                r.oid::regprocedure, seeme.grantee_name(r.grantee))
    FROM routine r JOIN pg_roles g ON g.oid = r.grantee AND NOT g.rolcanlogin
   WHERE r.oid IN ('@extschema@.seeme_assume(uuid)'::regprocedure,
                   '@extschema@.seeme_act_for(uuid,uuid)'::regprocedure)
  UNION ALL
  SELECT 'low', seeme.grantee_name(r.grantee),
         'application role acts for people: it may call seeme_assume and seeme_act_for; SQL that '
         'is injected into the application can act in the name of any member of the support staff',
         format('REVOKE EXECUTE ON FUNCTION %s FROM %s; -- and grant it to the role of the support '
                'tool', r.oid::regprocedure, seeme.grantee_name(r.grantee))
    FROM routine r
   WHERE r.oid = '@extschema@.seeme_act_for(uuid,uuid)'::regprocedure AND r.grantee <> 0
     AND r.grantee IN (SELECT a.grantee FROM routine a
                        WHERE a.oid = '@extschema@.seeme_assume(uuid)'::regprocedure)
  UNION ALL
  SELECT CASE WHEN n.nspname = 'seeme' THEN 'high' ELSE 'medium' END,
         'schema ' || n.oid::regnamespace,
         format('CREATE is granted: %s may make objects in this schema that others take for the '
                'extension''s own', seeme.grantee_name(a.grantee)),
         format('REVOKE CREATE ON SCHEMA %s FROM %s;',
                n.oid::regnamespace, seeme.grantee_name(a.grantee))
    FROM pg_namespace n, aclexplode(n.nspacl) AS a
   WHERE n.oid IN ('seeme'::regnamespace,
                   (SELECT e.extnamespace FROM pg_extension e WHERE e.extname = 'seeme_rbac'))
     AND a.privilege_type = 'CREATE' AND a.grantee <> n.nspowner
     AND (a.grantee = 0 OR n.nspname = 'seeme'
          OR a.grantee IN (SELECT role FROM seeme.application_roles()))
  UNION ALL
  SELECT 'low', 'schema seeme',
         'granted to PUBLIC: every role of the cluster may use the schema of the extension',
         'REVOKE USAGE ON SCHEMA seeme FROM PUBLIC;'
    FROM pg_namespace n, aclexplode(n.nspacl) AS a
   WHERE n.nspname = 'seeme' AND a.grantee = 0 AND a.privilege_type = 'USAGE'
  UNION ALL
  SELECT 'medium',
         format('default privileges of %s%s',
                d.defaclrole::regrole, ' in ' || nullif(d.defaclnamespace, 0)::regnamespace),
         format('new tables are open: every new table is granted to %s at once (%s), before it can '
                'be protected',
                seeme.grantee_name(a.grantee),
                string_agg(a.privilege_type, ', ' ORDER BY a.privilege_type)),
         format('ALTER DEFAULT PRIVILEGES FOR ROLE %s%s REVOKE ALL ON TABLES FROM %s;',
                d.defaclrole::regrole, ' IN SCHEMA ' || nullif(d.defaclnamespace, 0)::regnamespace,
                seeme.grantee_name(a.grantee))
    FROM pg_default_acl d, aclexplode(d.defaclacl) AS a
   WHERE d.defaclobjtype = 'r' AND a.grantee <> d.defaclrole
     AND (a.grantee = 0 OR a.grantee IN (SELECT role FROM seeme.application_roles()))
   GROUP BY d.defaclrole, d.defaclnamespace, a.grantee
$$;
COMMENT ON FUNCTION seeme.findings_on_privileges() IS
  'Part of the security report: privileges that no role needs';
