-- The security report on database roles (their attributes and memberships) and on settings.

-- Values of a setting, wherever they are set. A setting that this version does not have gives no
-- row.
CREATE FUNCTION seeme.settings(wanted text) RETURNS TABLE (whom text, value text, remedy text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  WITH made AS (
    SELECT x.setrole, d.datname, substr(v.entry, strpos(v.entry, '=') + 1) AS value,
           CASE WHEN x.setrole = 0 AND x.setdatabase <> 0 THEN format('DATABASE %I', d.datname)
                ELSE concat('ROLE ',
                            CASE x.setrole WHEN 0 THEN 'ALL' ELSE x.setrole::regrole::text END,
                            ' IN DATABASE ' || quote_ident(d.datname)) END AS whom
      FROM pg_db_role_setting x LEFT JOIN pg_database d ON d.oid = x.setdatabase,
           unnest(x.setconfig) AS v (entry)
     WHERE lower(split_part(v.entry, '=', 1) COLLATE "C") = wanted
       AND (x.setdatabase = 0 OR d.datname = current_database()))
  SELECT m.whom, m.value, format('ALTER %s RESET %s;', m.whom, wanted) FROM made m
  UNION ALL
  -- The value of the configuration file is the reset value of this session, unless one of the
  -- settings above applies to this session.
  SELECT 'SYSTEM', s.reset_val, format('ALTER SYSTEM SET %s = %L; -- then SELECT pg_reload_conf();',
                                       s.name, s.boot_val)
    FROM pg_settings s
   WHERE s.name = wanted AND s.reset_val IS DISTINCT FROM s.boot_val AND s.source <> 'client'
     AND NOT EXISTS (SELECT FROM made m LEFT JOIN pg_roles r ON r.oid = m.setrole
                      WHERE m.setrole = 0 OR r.rolname = session_user)
$$;
COMMENT ON FUNCTION seeme.settings(text) IS
  'The values that a setting is given for a role, a database or the whole server; where; and the '
  'statement that removes each';

CREATE FUNCTION seeme.is_on(value text) RETURNS boolean
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
-- PostgreSQL accepts any unambiguous prefix of a boolean value.
RETURN lower(value COLLATE "C") IN ('1', 'on')
    OR value <> '' AND (starts_with('true', lower(value COLLATE "C"))
                        OR starts_with('yes', lower(value COLLATE "C")));
COMMENT ON FUNCTION seeme.is_on(text) IS 'Whether a value of a boolean setting means on';

CREATE FUNCTION seeme.findings_on_roles()
RETURNS TABLE (severity text, object text, finding text, remedy text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  WITH application AS MATERIALIZED (SELECT a.role FROM seeme.application_roles() a),
  bypassing AS MATERIALIZED (SELECT b.role FROM seeme.bypassing_roles() b),
  reach AS MATERIALIZED (SELECT * FROM seeme.memberships_of_roles())
  SELECT 'critical', r.oid::regrole::text,
         format('application role bypasses row security: %s; no policy applies to the application',
                CASE WHEN r.rolsuper THEN 'it is a superuser' ELSE 'it has BYPASSRLS' END),
         format('ALTER ROLE %s NOSUPERUSER NOBYPASSRLS;', r.oid::regrole)
    FROM pg_roles r JOIN application a ON a.role = r.oid WHERE r.rolsuper OR r.rolbypassrls
  UNION ALL
  SELECT 'critical', m.member::regrole::text,
         format('application role may become one that bypasses row security: injected SQL can SET '
                'ROLE %s', string_agg(DISTINCT m.reaches::regrole::text, ', ')),
         seeme.end_membership(m.through, m.member)
    FROM reach m JOIN application a ON a.role = m.member
    JOIN bypassing b ON b.role = m.reaches
   GROUP BY m.member, m.through
  UNION ALL
  SELECT 'medium', r.oid::regrole::text,
         'login role has BYPASSRLS: a session of this role sees every row of every table that it '
         'is granted',
         format('ALTER ROLE %s NOBYPASSRLS;', r.oid::regrole)
    FROM pg_roles r
   WHERE r.rolcanlogin AND r.rolbypassrls AND NOT r.rolsuper
     AND r.oid NOT IN (SELECT role FROM application)
     AND r.oid NOT IN (SELECT s.role FROM seeme.system_roles() s)
  UNION ALL
  SELECT 'high', r.oid::regrole::text,
         'application role has CREATEROLE: it may give itself memberships, and other roles '
         'passwords, and so gain other privileges',
         format('ALTER ROLE %s NOCREATEROLE;', r.oid::regrole)
    FROM pg_roles r JOIN application a ON a.role = r.oid WHERE r.rolcreaterole AND NOT r.rolsuper
  UNION ALL
  SELECT 'high', r.oid::regrole::text,
         'application role has REPLICATION: it may copy the whole cluster, whatever the policies '
         'say',
         format('ALTER ROLE %s NOREPLICATION;', r.oid::regrole)
    FROM pg_roles r JOIN application a ON a.role = r.oid WHERE r.rolreplication AND NOT r.rolsuper
  UNION ALL
  SELECT k.severity, m.member::regrole::text,
         format('application role is in a predefined role: %s %s', g.rolname, k.harm),
         seeme.end_membership(m.through, m.member)
    FROM reach m JOIN application a ON a.role = m.member JOIN pg_roles g ON g.oid = m.reaches
    JOIN (VALUES
           ('{pg_execute_server_program,pg_read_server_files,pg_write_server_files}'::name[],
            'critical', 'acts as the server''s operating-system user, and reads or changes the '
                        'files '
                        'of every table'),
           ('{pg_read_all_data,pg_write_all_data,pg_maintain,pg_create_subscription}',
            'high', 'holds privileges on every table, also on tables without row security and on '
                    'the '
                    'hashes of keys'),
           ('{pg_monitor,pg_read_all_stats}',
            'low', 'sees the queries of others, and in them keys that were not passed as '
                   'parameters')
         ) AS k (names, severity, harm) ON g.rolname = ANY (k.names)
   -- pg_monitor includes pg_read_all_stats: one finding for both.
   WHERE NOT EXISTS (SELECT FROM reach w JOIN pg_roles v ON v.oid = w.reaches
                      WHERE v.rolname = 'pg_monitor'
                        AND w.member = m.member AND g.rolname = 'pg_read_all_stats')
  UNION ALL
  SELECT 'high', c.oid::regclass::text,
         format('application role owns a protected table: %s may drop its policies, or end FORCE '
                'ROW LEVEL SECURITY', o.role::regrole),
         CASE WHEN o.role = c.relowner
              THEN format('ALTER TABLE %1$s OWNER TO %2$s; '
                          'GRANT SELECT, INSERT, UPDATE, DELETE ON %1$s TO %3$s;',
                          c.oid::regclass, seeme.extension_owner()::regrole, o.role::regrole)
              ELSE seeme.end_membership(o.through, o.role) END
    FROM seeme.guarded_relations() g JOIN pg_class c ON c.oid = g.relation AND NOT g.is_own
    JOIN (SELECT a.role, a.role AS owner, NULL::oid AS through FROM application a
          UNION ALL
          SELECT m.member, m.reaches, m.through
            FROM reach m JOIN application a ON a.role = m.member) AS o ON o.owner = c.relowner
   WHERE o.role NOT IN (SELECT role FROM bypassing)
     AND o.owner NOT IN (SELECT role FROM bypassing)
  UNION ALL
  SELECT 'high', 'database ' || quote_ident(d.datname),
         format('application role owns the database: %s may create schemas, and set search_path or '
                'row_security for every session here', d.datdba::regrole),
         format('ALTER DATABASE %I OWNER TO %s;', d.datname, seeme.extension_owner()::regrole)
    FROM pg_database d
   WHERE d.datname = current_database() AND d.datdba IN (SELECT role FROM application)
      AND d.datdba NOT IN (SELECT role FROM bypassing)
  UNION ALL
  SELECT 'high', s.whom,
         'row_security is off: queries to which a policy applies fail; until the first user is '
         'added, rows that a superuser writes count as a restored dump, neither checked nor logged',
         s.remedy
    FROM seeme.settings('row_security') s WHERE NOT seeme.is_on(s.value)
  UNION ALL
  SELECT 'critical', s.whom,
         'rows count as restored: with this value of seeme_rbac.restoring, rows that a superuser '
         'writes into the schema seeme are neither checked nor logged',
         s.remedy
    FROM seeme.settings('seeme_rbac.restoring') s WHERE seeme.is_on(s.value)
  UNION ALL
  SELECT 'high', s.whom,
         'triggers are switched off: with this value of session_replication_role, triggers that do '
         'not always fire are skipped, and foreign keys are not checked',
         s.remedy
    FROM seeme.settings('session_replication_role') s WHERE lower(s.value COLLATE "C") <> 'origin'
  UNION ALL
  SELECT 'critical', m.member::regrole::text,
         format('person''s role may become one that bypasses row security: %s connects as it, and '
                'can '
                'SET ROLE %s', string_agg(DISTINCT coalesce(u.username, u.email, u.id::text), ', '),
                string_agg(DISTINCT m.reaches::regrole::text, ', ')),
         seeme.end_membership(m.through, m.member)
    FROM seeme.users u JOIN pg_roles r ON r.rolname = u.database_role
    JOIN reach m ON m.member = r.oid JOIN bypassing b ON b.role = m.reaches
   WHERE m.member NOT IN (SELECT role FROM application)
     AND m.member NOT IN (SELECT role FROM bypassing)
   GROUP BY m.member, m.through
  UNION ALL
  SELECT 'critical', format('parameter %s', p.parname),
         format('setting is granted: %s may %s %s, and so switch off guards of the model',
                seeme.grantee_name(a.grantee), a.privilege_type, p.parname),
         format('REVOKE %s ON PARAMETER %s FROM %s CASCADE;',
                a.privilege_type, p.parname, seeme.grantee_name(a.grantee))
    FROM pg_parameter_acl p, aclexplode(p.paracl) AS a
   WHERE (p.parname IN ('session_replication_role', 'session_preload_libraries',
                        'shared_preload_libraries', 'local_preload_libraries',
                        'dynamic_library_path', 'row_security')
          OR p.parname ~ '^seeme_rbac\.')
     AND a.grantee NOT IN (SELECT r.oid FROM pg_roles r WHERE r.rolsuper)
$$;
COMMENT ON FUNCTION seeme.findings_on_roles() IS
  'Part of the security report: dangerous attributes and memberships of database roles, and '
  'dangerous settings';
