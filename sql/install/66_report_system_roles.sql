-- The security report on system roles (seeme_grant_system).

CREATE FUNCTION seeme.findings_on_system_roles()
RETURNS TABLE (severity text, object text, finding text, remedy text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  WITH system AS MATERIALIZED (
    SELECT r.oid AS role, r.rolname, r.rolbypassrls OR r.rolsuper AS bypasses
      FROM seeme.system_roles() s JOIN pg_roles r ON r.oid = s.role
  ), named_elsewhere AS MATERIALIZED (
    -- For these, findings_on_roles() has a critical finding that names the system role.
    SELECT a.role FROM seeme.application_roles() a
    UNION
    SELECT r.oid FROM seeme.users u JOIN pg_roles r ON r.rolname = u.database_role)
  SELECT 'medium', m.member::regrole::text,
         format('role may become a system role: it can SET ROLE %s, and row security does not '
                'apply to it then', string_agg(DISTINCT m.reaches::regrole::text, ', ')),
         seeme.end_membership(m.through, m.member)
    FROM seeme.memberships_of_roles() m
    JOIN system s ON s.role = m.reaches AND s.bypasses
    JOIN pg_roles r ON r.oid = m.member AND NOT r.rolsuper AND NOT r.rolbypassrls
   WHERE m.member NOT IN (SELECT role FROM named_elsewhere)
   GROUP BY m.member, m.through
  UNION ALL
  -- Before PostgreSQL 16, CREATEROLE is membership in every role that is no superuser.
  SELECT 'medium', r.oid::regrole::text,
         format('role may become a system role: it has CREATEROLE, and so may make itself a '
                'member of %s', (SELECT string_agg(s.role::regrole::text, ', '
                                                   ORDER BY s.rolname) FROM system s)),
         format('ALTER ROLE %s NOCREATEROLE;', r.oid::regrole)
    FROM pg_roles r
   WHERE current_setting('server_version_num')::integer < 160000
     AND r.rolcreaterole AND NOT r.rolsuper AND NOT r.rolbypassrls
     AND EXISTS (SELECT FROM system s WHERE s.bypasses)
     AND r.oid NOT IN (SELECT role FROM seeme.application_roles())
  UNION ALL
  SELECT 'low', s.role::regrole::text,
         'system role has no BYPASSRLS: row security applies to it, and its sessions name nobody, '
         'so its statements find no rows',
         format('REVOKE USAGE ON TYPE seeme.system_role FROM %1$s; '
                '-- or ALTER ROLE %1$s BYPASSRLS;', s.role::regrole)
    FROM system s WHERE NOT s.bypasses
  UNION ALL
  SELECT 'medium', s.role::regrole::text,
         format('system role was to name people: it is granted %s, which its sessions are refused; '
                'if it stops being a system role, they are not', p.oid::regprocedure),
         format('REVOKE EXECUTE ON FUNCTION %s FROM %s;', p.oid::regprocedure, s.role::regrole)
    FROM system s
    JOIN pg_proc p ON p.oid IN (SELECT seeme.own_objects('pg_proc'))
                  AND p.proname IN ('seeme_assume', 'seeme_act_for')
   WHERE EXISTS (SELECT FROM aclexplode(p.proacl) AS a WHERE a.grantee = s.role)
  UNION ALL
  SELECT 'medium', s.role::regrole::text,
         format('system role is a person''s: %s connects as it, and its sessions name nobody',
                coalesce(u.username, u.email, u.id::text)),
         format('UPDATE seeme.users SET database_role = NULL WHERE id = %L;', u.id)
    FROM system s JOIN seeme.users u ON u.database_role = s.rolname
$$;
COMMENT ON FUNCTION seeme.findings_on_system_roles() IS
  'Part of the security report: roles that can become a system role, and system roles that are '
  'something else, too';
