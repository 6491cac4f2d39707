-- The security report on what database roles may do besides, and on settings.

-- Settings, wherever they are made. A setting that this version does not have is nowhere.
CREATE FUNCTION seeme.settings(wanted text) RETURNS TABLE (whom text, value text, remedy text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  WITH made AS (
    SELECT x.setrole, d.datname, substr(v.entry, strpos(v.entry, '=') + 1) AS value,
           CASE WHEN x.setrole = 0 AND x.setdatabase <> 0 THEN format('DATABASE %I', d.datname)
                ELSE concat('ROLE ', CASE x.setrole WHEN 0 THEN 'ALL' ELSE x.setrole::regrole::text END, ' IN DATABASE ' || quote_ident(d.datname)) END AS whom
      FROM pg_db_role_setting x LEFT JOIN pg_database d ON d.oid = x.setdatabase, unnest(x.setconfig) AS v (entry)
     WHERE lower(split_part(v.entry, '=', 1) COLLATE "C") = wanted AND (x.setdatabase = 0 OR d.datname = current_database()))
  SELECT m.whom, m.value, format('ALTER %s RESET %s;', m.whom, wanted) FROM made m
  UNION ALL
  -- Of the configuration file one learns from what this session would go back to, unless something else says what that is.
  SELECT 'SYSTEM', s.reset_val, format('ALTER SYSTEM SET %s = %L; -- then SELECT pg_reload_conf();', s.name, s.boot_val)
    FROM pg_settings s
   WHERE s.name = wanted AND s.reset_val IS DISTINCT FROM s.boot_val AND s.source <> 'client'
     AND NOT EXISTS (SELECT FROM made m LEFT JOIN pg_roles r ON r.oid = m.setrole WHERE m.setrole = 0 OR r.rolname = session_user)
$$;
COMMENT ON FUNCTION seeme.settings(text) IS 'Where a setting is made, for a role, a database or the whole server, to what, and the statement that unmakes it';

CREATE FUNCTION seeme.is_on(value text) RETURNS boolean
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
-- as PostgreSQL reads a boolean setting: any beginning that is unambiguous
RETURN lower(value COLLATE "C") IN ('1', 'on')
    OR value <> '' AND (starts_with('true', lower(value COLLATE "C")) OR starts_with('yes', lower(value COLLATE "C")));
COMMENT ON FUNCTION seeme.is_on(text) IS 'Whether a value of a boolean setting stands for on';

CREATE FUNCTION seeme.findings_on_roles() RETURNS TABLE (severity text, object text, finding text, remedy text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  WITH application AS MATERIALIZED (SELECT a.role FROM seeme.application_roles() a),
  bypassing AS MATERIALIZED (SELECT b.role FROM seeme.bypassing_roles() b),
  reach AS MATERIALIZED (SELECT * FROM seeme.memberships_of_roles())
  SELECT 'critical', r.oid::regrole::text,
         format('application role bypasses row security: %s, so that no policy applies to what the application does',
                CASE WHEN r.rolsuper THEN 'it is a superuser' ELSE 'it has BYPASSRLS' END),
         format('ALTER ROLE %s NOSUPERUSER NOBYPASSRLS;', r.oid::regrole)
    FROM pg_roles r JOIN application a ON a.role = r.oid WHERE r.rolsuper OR r.rolbypassrls
  UNION ALL
  SELECT 'critical', m.member::regrole::text,
         format('application role may become one that bypasses row security: SET ROLE %s is open to SQL that is injected into it', string_agg(DISTINCT m.reaches::regrole::text, ', ')),
         seeme.end_membership(m.through, m.member)
    FROM reach m JOIN application a ON a.role = m.member JOIN bypassing b ON b.role = m.reaches
   GROUP BY m.member, m.through
  UNION ALL
  SELECT 'medium', r.oid::regrole::text,
         'login role has BYPASSRLS: whoever connects as it sees every row of every table that it is granted',
         format('ALTER ROLE %s NOBYPASSRLS;', r.oid::regrole)
    FROM pg_roles r WHERE r.rolcanlogin AND r.rolbypassrls AND NOT r.rolsuper AND r.oid NOT IN (SELECT role FROM application)
  UNION ALL
  SELECT 'high', r.oid::regrole::text,
         'application role has CREATEROLE: it may give itself memberships and other roles passwords, and so get around what it was granted',
         format('ALTER ROLE %s NOCREATEROLE;', r.oid::regrole)
    FROM pg_roles r JOIN application a ON a.role = r.oid WHERE r.rolcreaterole AND NOT r.rolsuper
  UNION ALL
  SELECT 'high', r.oid::regrole::text,
         'application role has REPLICATION: it may copy the whole cluster, which no policy looks at',
         format('ALTER ROLE %s NOREPLICATION;', r.oid::regrole)
    FROM pg_roles r JOIN application a ON a.role = r.oid WHERE r.rolreplication AND NOT r.rolsuper
  UNION ALL
  SELECT CASE WHEN g.rolname IN ('pg_execute_server_program', 'pg_read_server_files', 'pg_write_server_files') THEN 'critical'
              WHEN g.rolname IN ('pg_read_all_data', 'pg_write_all_data', 'pg_maintain', 'pg_create_subscription') THEN 'high' ELSE 'low' END,
         m.member::regrole::text,
         format('application role is in a predefined role: %s %s', g.rolname,
                CASE WHEN g.rolname IN ('pg_execute_server_program', 'pg_read_server_files', 'pg_write_server_files')
                     THEN 'acts as the operating system''s user of the server, and reads or changes the files of every table'
                     WHEN g.rolname IN ('pg_read_all_data', 'pg_write_all_data', 'pg_maintain', 'pg_create_subscription')
                     THEN 'holds privileges on every table, those without row security and the hashes of keys included'
                     ELSE 'sees the queries of others, and with them keys that were not passed as parameters' END),
         seeme.end_membership(m.through, m.member)
    FROM reach m JOIN application a ON a.role = m.member JOIN pg_roles g ON g.oid = m.reaches
   WHERE g.rolname IN ('pg_execute_server_program', 'pg_read_server_files', 'pg_write_server_files', 'pg_read_all_data', 'pg_write_all_data',
                       'pg_maintain', 'pg_create_subscription', 'pg_monitor', 'pg_read_all_stats')
     -- a role that another one of these brings along is told with that one
     AND NOT EXISTS (SELECT FROM reach w JOIN pg_roles v ON v.oid = w.reaches AND v.rolname = 'pg_monitor'
                      WHERE w.member = m.member AND g.rolname = 'pg_read_all_stats')
  UNION ALL
  SELECT 'high', c.oid::regclass::text,
         format('application role owns a protected table: %s may drop its policies, or take the force out of them', o.role::regrole),
         CASE WHEN o.role = c.relowner
              THEN format('ALTER TABLE %1$s OWNER TO %2$s; GRANT SELECT, INSERT, UPDATE, DELETE ON %1$s TO %3$s;', c.oid::regclass, seeme.extension_owner()::regrole, o.role::regrole)
              ELSE seeme.end_membership(o.through, o.role) END
    FROM seeme.protected_tables p JOIN pg_class c ON c.oid = p.table_name
    JOIN (SELECT a.role, a.role AS owner, NULL::oid AS through FROM application a
          UNION ALL SELECT m.member, m.reaches, m.through FROM reach m JOIN application a ON a.role = m.member) AS o ON o.owner = c.relowner
   WHERE o.role NOT IN (SELECT role FROM bypassing) AND o.owner NOT IN (SELECT role FROM bypassing)
  UNION ALL
  SELECT 'high', 'database ' || quote_ident(d.datname),
         format('application role owns the database: %s may create schemas, and set for every session here what search_path or row_security is', d.datdba::regrole),
         format('ALTER DATABASE %I OWNER TO %s;', d.datname, seeme.extension_owner()::regrole)
    FROM pg_database d WHERE d.datname = current_database() AND d.datdba IN (SELECT role FROM application)
      AND d.datdba NOT IN (SELECT role FROM bypassing)
  UNION ALL
  SELECT 'high', s.whom,
         'row_security is off: queries that a policy applies to fail, and until somebody has been added, what a superuser writes is taken as a restored dump: neither checked nor logged',
         s.remedy
    FROM seeme.settings('row_security') s WHERE NOT seeme.is_on(s.value)
  UNION ALL
  SELECT 'critical', s.whom,
         'rows count as restored: with this seeme_rbac.restoring, what a superuser writes into the schema seeme is neither checked nor logged',
         s.remedy
    FROM seeme.settings('seeme_rbac.restoring') s WHERE seeme.is_on(s.value)
  UNION ALL
  SELECT 'high', s.whom,
         'triggers are switched off: with this session_replication_role no trigger of the model fires, nor does a foreign key hold',
         s.remedy
    FROM seeme.settings('session_replication_role') s WHERE lower(s.value COLLATE "C") <> 'origin'
  UNION ALL
  SELECT 'critical', m.member::regrole::text,
         format('person''s role may become one that bypasses row security: %s connects as it, and SET ROLE %s is open to them', string_agg(DISTINCT coalesce(u.username, u.email, u.id::text), ', '),
                string_agg(DISTINCT m.reaches::regrole::text, ', ')),
         seeme.end_membership(m.through, m.member)
    FROM seeme.users u JOIN pg_roles r ON r.rolname = u.database_role JOIN reach m ON m.member = r.oid JOIN bypassing b ON b.role = m.reaches
   WHERE m.member NOT IN (SELECT role FROM application) AND m.member NOT IN (SELECT role FROM bypassing)
   GROUP BY m.member, m.through
  UNION ALL
  SELECT 'critical', format('parameter %s', p.parname),
         format('setting is granted: %s may %s %s, and so switch off what the model stands on', seeme.grantee_name(a.grantee), a.privilege_type, p.parname),
         format('REVOKE %s ON PARAMETER %s FROM %s CASCADE;', a.privilege_type, p.parname, seeme.grantee_name(a.grantee))
    FROM pg_parameter_acl p, aclexplode(p.paracl) AS a
   WHERE (p.parname IN ('session_replication_role', 'session_preload_libraries', 'shared_preload_libraries', 'local_preload_libraries', 'dynamic_library_path', 'row_security')
          OR p.parname ~ '^seeme_rbac\.')
     AND a.grantee NOT IN (SELECT r.oid FROM pg_roles r WHERE r.rolsuper)
$$;
COMMENT ON FUNCTION seeme.findings_on_roles() IS 'Part of the security report: what database roles may do besides';
