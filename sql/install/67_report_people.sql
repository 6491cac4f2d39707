-- The security report on the rows of the model themselves.

CREATE FUNCTION seeme.findings_on_people() RETURNS TABLE (severity text, object text, finding text, remedy text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT 'critical', format('seeme.users %s', u.id),
         format('person''s role bypasses row security: %s connects as the database role %I, to which no policy applies', coalesce(u.username, u.email, u.id::text), u.database_role),
         format('UPDATE seeme.users SET database_role = NULL WHERE id = %L;', u.id)
    FROM seeme.users u JOIN pg_roles r ON r.rolname = u.database_role
   WHERE r.oid IN (SELECT b.role FROM seeme.bypassing_roles() b)
  UNION ALL
  SELECT 'medium', format('seeme.users %s', u.id),
         format('person''s role does not exist: whoever may create the database role %I becomes %s', u.database_role, coalesce(u.username, u.email, u.id::text)),
         format('UPDATE seeme.users SET database_role = NULL WHERE id = %L;', u.id)
    FROM seeme.users u
   WHERE u.database_role IS NOT NULL AND NOT EXISTS (SELECT FROM pg_roles r WHERE r.rolname = u.database_role)
  UNION ALL
  SELECT 'low', format('seeme.api_keys %s', k.id),
         format('key never expires: %L is good for as long as nobody thinks of revoking it', k.name),
         format('UPDATE seeme.api_keys SET expires_at = now() + interval ''90 days'' WHERE id = %L;', k.id)
    FROM seeme.api_keys k WHERE k.expires_at IS NULL
  UNION ALL
  SELECT 'medium', format('seeme.api_keys %s', k.id),
         format('key holds everything: %L is as good as its user; whoever finds it may do all that the user may', k.name),
         format('DELETE FROM seeme.api_keys WHERE id = %L; -- and make one with the codes that it needs', k.id)
    FROM seeme.api_keys k WHERE '*' = ANY (k.permissions)
  UNION ALL
  SELECT 'medium', format('seeme.organizations %s', o.id),
         format('owner is disabled: nobody acts as the owner of %L until it is handed over', o.name),
         coalesce(
           (SELECT format('UPDATE seeme.organizations SET owner_id = %L WHERE id = %L; -- %s, %s', u.id, o.id, coalesce(u.username, u.email, 'a member'), coalesce(r.name, 'without a role'))
              FROM seeme.memberships m JOIN seeme.users u ON u.id = m.user_id LEFT JOIN seeme.roles r ON r.id = m.role_id
             WHERE m.organization_id = o.id AND m.team_id IS NULL AND m.project_id IS NULL AND m.user_id <> o.owner_id
               AND coalesce(m.valid_from <= clock_timestamp(), true) AND coalesce(clock_timestamp() < m.valid_until, true)
               AND (u.disabled_at IS NULL OR u.disabled_at > clock_timestamp())
             ORDER BY (r.is_system_role AND r.name = 'Admin') IS TRUE DESC, coalesce(cardinality(r.permissions), 0) DESC, m.created_at, m.id LIMIT 1),
           format('-- UPDATE seeme.organizations SET owner_id = ... WHERE id = %L: it has no other current member', o.id))
    FROM seeme.organizations o JOIN seeme.users u ON u.id = o.owner_id
   WHERE u.disabled_at <= clock_timestamp()
  UNION ALL
  SELECT 'info', format('seeme.roles %s', r.id),
         format('role holds everything: %L has the wildcard *, and with it every right that is ever registered, as an owner does', r.name),
         format('UPDATE seeme.roles SET permissions = array_remove(permissions, ''*'') WHERE id = %L;', r.id)
    FROM seeme.roles r WHERE r.organization_id IS NOT NULL AND '*' = ANY (r.permissions)
$$;
COMMENT ON FUNCTION seeme.findings_on_people() IS 'Part of the security report: what the rows of the model themselves allow';
