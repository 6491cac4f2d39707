-- The security report on the rows of the model: users, keys, owners, memberships and roles.

CREATE FUNCTION seeme.findings_on_people()
RETURNS TABLE (severity text, object text, finding text, remedy text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT 'critical', format('seeme.users %s', u.id),
         format('person''s role bypasses row security: %s connects as the database role %I, to '
                'which '
                'no policy applies', coalesce(u.username, u.email, u.id::text), u.database_role),
         format('UPDATE seeme.users SET database_role = NULL WHERE id = %L;', u.id)
    FROM seeme.users u JOIN pg_roles r ON r.rolname = u.database_role
   WHERE r.oid IN (SELECT b.role FROM seeme.bypassing_roles() b)
  UNION ALL
  SELECT 'medium', format('seeme.users %s', u.id),
         format('person''s role does not exist: whoever may create the database role %I becomes %s',
                u.database_role, coalesce(u.username, u.email, u.id::text)),
         format('UPDATE seeme.users SET database_role = NULL WHERE id = %L;', u.id)
    FROM seeme.users u
   WHERE u.database_role IS NOT NULL
     AND NOT EXISTS (SELECT FROM pg_roles r WHERE r.rolname = u.database_role)
  UNION ALL
  SELECT 'low', format('seeme.api_keys %s', k.id),
         format('key never expires: %L is valid until somebody revokes it', k.name),
         format('UPDATE seeme.api_keys SET expires_at = now() + interval ''90 days'' WHERE id = '
                '%L;',
                k.id)
    FROM seeme.api_keys k WHERE k.expires_at IS NULL
  UNION ALL
  SELECT 'medium', format('seeme.api_keys %s', k.id),
         format('key holds everything: %L has the wildcard *; whoever finds the key may do all '
                'that its user may', k.name),
         format('DELETE FROM seeme.api_keys WHERE id = %L; -- and make one with the codes that it '
                'needs',
                k.id)
    FROM seeme.api_keys k WHERE '*' = ANY (k.permissions)
  UNION ALL
  SELECT 'medium', format('seeme.organizations %s', o.id),
         format('owner is disabled: nobody can act as the owner of %L until it has another one',
                o.name),
         coalesce(
           (SELECT format('UPDATE seeme.organizations SET owner_id = %L WHERE id = %L; -- %s, %s',
                          u.id, o.id, coalesce(u.username, u.email, 'a member'),
                          coalesce(r.name, 'without a role'))
              FROM seeme.memberships m JOIN seeme.users u ON u.id = m.user_id
              LEFT JOIN seeme.roles r ON r.id = m.role_id
             WHERE m.organization_id = o.id AND m.team_id IS NULL AND m.project_id IS NULL
               AND m.user_id <> o.owner_id
               AND coalesce(m.valid_from <= clock_timestamp(), true)
               AND coalesce(clock_timestamp() < m.valid_until, true)
               AND (u.disabled_at IS NULL OR u.disabled_at > clock_timestamp())
               AND NOT u.is_service
             ORDER BY (r.is_system_role AND r.name = 'Admin') IS TRUE DESC,
                      coalesce(cardinality(r.permissions), 0) DESC, m.created_at, m.id LIMIT 1),
           format('-- UPDATE seeme.organizations SET owner_id = ... WHERE id = %L: '
                  'it has no other current member', o.id))
    FROM seeme.organizations o JOIN seeme.users u ON u.id = o.owner_id
   WHERE u.disabled_at <= clock_timestamp()
  UNION ALL
  SELECT 'info', format('seeme.roles %s', r.id),
         format('role holds everything: %L has the wildcard *, which includes every code that will '
                'be registered, as for an owner', r.name),
         format('UPDATE seeme.roles SET permissions = array_remove(permissions, ''*'') WHERE id = '
                '%L;',
                r.id)
    FROM seeme.roles r WHERE r.organization_id IS NOT NULL AND '*' = ANY (r.permissions)
$$;
COMMENT ON FUNCTION seeme.findings_on_people() IS
  'Part of the security report: dangerous rows of the model: users, API keys, owners and roles';

CREATE FUNCTION seeme.is_known_code(code text) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN CASE WHEN code = '*' THEN true
            WHEN code LIKE '%:*' THEN
              EXISTS (SELECT FROM seeme.permissions p
                       WHERE p.resource = split_part(code, ':', 1) AND NOT p.is_wildcard)
            WHEN code LIKE '*:%' THEN
              EXISTS (SELECT FROM seeme.permissions p
                       WHERE p.action = split_part(code, ':', 2) AND NOT p.is_wildcard)
            ELSE EXISTS (SELECT FROM seeme.permissions p WHERE p.name = code) END;
COMMENT ON FUNCTION seeme.is_known_code(text) IS
  'Whether a code is registered, or is a wildcard that covers a registered code';

-- Triggers and foreign keys prevent all of this. It happens if they were switched off, or if a
-- backup was edited.
CREATE FUNCTION seeme.findings_on_model()
RETURNS TABLE (severity text, object text, finding text, remedy text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  WITH owning AS (
    SELECT o.id, o.name, o.owner_id, m.id AS membership_id, m.role_id, m.valid_from, m.valid_until
      FROM seeme.organizations o
      LEFT JOIN seeme.memberships m ON m.organization_id = o.id AND m.user_id = o.owner_id
                                       AND m.team_id IS NULL AND m.project_id IS NULL
  ), builtin (id, name) AS (
    VALUES ('00000000-0000-4000-8000-000000000001'::uuid, 'Owner'),
           ('00000000-0000-4000-8000-000000000002', 'Admin'),
           ('00000000-0000-4000-8000-000000000003', 'Editor'),
           ('00000000-0000-4000-8000-000000000004', 'Contributor'),
           ('00000000-0000-4000-8000-000000000005', 'Viewer'),
           ('00000000-0000-4000-8000-000000000006', 'Member'))
  SELECT 'medium', format('seeme.organizations %s', o.id),
         format('owner is not a member: the list of members of %L does not show its owner', o.name),
         format('INSERT INTO seeme.memberships (organization_id, user_id, role_id) '
                'VALUES (%L, %L, seeme.owner_role());', o.id, o.owner_id)
    FROM owning o WHERE o.membership_id IS NULL
  UNION ALL
  SELECT 'medium', format('seeme.memberships %s', o.membership_id),
         format('owner''s membership is another: in %L the owner''s membership has dates, or '
                'another role than Owner', o.name),
         format('UPDATE seeme.memberships SET role_id = seeme.owner_role(), valid_from = NULL, '
                'valid_until = NULL WHERE id = %L;', o.membership_id)
    FROM owning o
   WHERE o.membership_id IS NOT NULL
     AND (o.role_id IS DISTINCT FROM seeme.owner_role()
          OR o.valid_from IS NOT NULL OR o.valid_until IS NOT NULL)
  UNION ALL
  SELECT 'high', format('seeme.memberships %s', m.id),
         format('stray role Owner: only the owner''s membership of an organization has it; here it '
                'gives %s everything in the %s', coalesce(u.username, u.email, m.user_id::text),
                CASE WHEN m.project_id IS NOT NULL THEN 'project'
                     WHEN m.team_id IS NOT NULL THEN 'team' ELSE 'organization' END),
         format('UPDATE seeme.memberships SET role_id = NULL WHERE id = %L; '
                '-- or the role that this person should have', m.id)
    FROM seeme.memberships m LEFT JOIN seeme.organizations o ON o.id = m.organization_id
    LEFT JOIN seeme.users u ON u.id = m.user_id
   WHERE m.role_id = seeme.owner_role()
     AND (m.team_id IS NOT NULL OR m.project_id IS NOT NULL
          OR o.owner_id IS DISTINCT FROM m.user_id)
  UNION ALL
  SELECT 'high', format('seeme.invitations %s', i.id),
         format('stray role Owner: the invitation of %L grants everything', i.email),
         format('DELETE FROM seeme.invitations WHERE id = %L;', i.id)
    FROM seeme.invitations i WHERE i.role_id = seeme.owner_role() AND i.accepted_at IS NULL
  UNION ALL
  SELECT 'medium', format('seeme.memberships %s', m.id),
         format('membership without one above: %s is a member of a %s but not of its organization; '
                'the '
                'membership counts again once they are',
                coalesce(u.username, u.email, m.user_id::text),
                CASE WHEN m.project_id IS NOT NULL THEN 'project' ELSE 'team' END),
         format('DELETE FROM seeme.memberships WHERE id = %L;', m.id)
    FROM seeme.memberships m LEFT JOIN seeme.users u ON u.id = m.user_id
   WHERE (m.team_id IS NOT NULL OR m.project_id IS NOT NULL)
     AND NOT EXISTS (SELECT FROM seeme.memberships a
                      WHERE a.organization_id = m.organization_id AND a.user_id = m.user_id
                        AND a.team_id IS NULL AND a.project_id IS NULL)
  UNION ALL
  SELECT 'high', format('seeme.memberships %s', m.id),
         format('role of another organization: %L belongs to other people, who change what it '
                'holds here', r.name),
         format('UPDATE seeme.memberships SET role_id = NULL WHERE id = %L; -- or a role of this '
                'organization', m.id)
    FROM seeme.memberships m JOIN seeme.roles r ON r.id = m.role_id
   WHERE r.organization_id <> m.organization_id
  UNION ALL
  SELECT 'high', format('seeme.invitations %s', i.id),
         format('role of another organization: %L belongs to other people, who change what it '
                'holds here', r.name),
         format('DELETE FROM seeme.invitations WHERE id = %L;', i.id)
    FROM seeme.invitations i JOIN seeme.roles r ON r.id = i.role_id
   WHERE r.organization_id <> i.organization_id AND i.accepted_at IS NULL
  UNION ALL
  SELECT 'high', format('seeme.roles %s', b.id),
         format('built-in role was changed: %s %s', b.name,
                CASE WHEN r.id IS NULL THEN 'is gone'
                     WHEN r.name = b.name AND r.organization_id IS NULL
                     THEN 'does not hold the registered codes that it should'
                     ELSE 'is another role now' END),
         CASE WHEN r.name = b.name AND r.organization_id IS NULL
              THEN format('UPDATE seeme.roles SET permissions = seeme.builtin_permissions(name) '
                          'WHERE id = %L;', b.id)
              -- With triggers on, nobody can make a built-in role.
              ELSE format('SET session_replication_role = replica; '
                          'INSERT INTO seeme.roles AS r (id, name, permissions) '
                          'VALUES (%1$L, %2$L, seeme.builtin_permissions(%2$L)) '
                          'ON CONFLICT (id) DO UPDATE SET organization_id = NULL, '
                          'name = excluded.name, permissions = excluded.permissions; '
                          'SET session_replication_role = origin;',
                          b.id, b.name) END
    FROM builtin b LEFT JOIN seeme.roles r ON r.id = b.id
   WHERE r.name IS DISTINCT FROM b.name OR r.organization_id IS NOT NULL
      OR r.permissions IS DISTINCT FROM seeme.builtin_permissions(b.name)
  UNION ALL
  SELECT 'low', format('seeme.roles %s', r.id),
         format('role holds unknown codes: %L has %s, which is not registered; once it is, '
                'everybody with this role holds it', r.name, array_to_string(u.codes, ', ')),
         format('UPDATE seeme.roles SET permissions = %L WHERE id = %L;',
                ARRAY(SELECT c FROM unnest(r.permissions) AS c WHERE c <> ALL (u.codes)), r.id)
    FROM seeme.roles r,
         LATERAL (SELECT array_agg(c) AS codes FROM unnest(r.permissions) AS c
                   WHERE NOT seeme.is_known_code(c)) AS u
   WHERE NOT seeme.is_builtin_role(r.id) AND u.codes IS NOT NULL
  UNION ALL
  SELECT 'low', format('seeme.api_keys %s', k.id),
         format('key holds unknown codes: %L has %s, which is not registered',
                k.name, array_to_string(u.codes, ', ')),
         format('UPDATE seeme.api_keys SET permissions = %L WHERE id = %L;',
                ARRAY(SELECT c FROM unnest(k.permissions) AS c WHERE c <> ALL (u.codes)), k.id)
    FROM seeme.api_keys k,
         LATERAL (SELECT array_agg(c) AS codes FROM unnest(k.permissions) AS c
                   WHERE NOT seeme.is_known_code(c)) AS u
   WHERE u.codes IS NOT NULL
  UNION ALL
  SELECT 'medium', p.table_name::text,
         format('code is gone: the policies of this table ask for %s, which is not registered any '
                'more, '
                'so that they fail', string_agg(c.code, ', ' ORDER BY c.code)),
         format('INSERT INTO seeme.permissions (name, grouped_by_projects) VALUES %s;',
                string_agg(format('(%L, true)', c.code), ', ' ORDER BY c.code))
    FROM seeme.protected_tables p JOIN pg_class t ON t.oid = p.table_name,
         LATERAL (SELECT p.resource || ':' || action
                    FROM unnest('{list,read,create,update,delete}'::text[]) AS action) AS c (code)
   WHERE NOT EXISTS (SELECT FROM seeme.permissions x WHERE x.name = c.code)
   GROUP BY p.table_name
$$;
COMMENT ON FUNCTION seeme.findings_on_model() IS
  'Part of the security report: rows of the model that contradict its rules';

CREATE FUNCTION seeme.findings_on_references()
RETURNS TABLE (severity text, object text, finding text, remedy text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  key       record;
  condition text;
  n         bigint;
BEGIN
  FOR key IN
    SELECT k.conrelid::regclass AS child, k.confrelid::regclass AS parent, k.conname, k.confdeltype,
           seeme.column_names(k.conrelid, k.conkey) AS columns,
           seeme.column_names(k.confrelid, k.confkey) AS parent_columns,
           ARRAY(SELECT a.attname FROM unnest(k.conkey) AS c
                   JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = c
                  WHERE NOT a.attnotnull) AS nullable
      FROM pg_constraint k
     WHERE k.contype = 'f' AND k.conrelid IN (SELECT seeme.own_objects('pg_class'))
     ORDER BY k.conrelid, k.conname
  LOOP
    -- MATCH SIMPLE: if one column is null, the row refers to nothing.
    condition := format('NOT EXISTS (SELECT FROM %s p WHERE %s) AND %s', key.parent,
                        (SELECT string_agg(format('p.%I = c.%I', t.parent, t.child), ' AND ')
                           FROM unnest(key.columns, key.parent_columns) AS t (child, parent)),
                        (SELECT string_agg(format('c.%I IS NOT NULL', t), ' AND ')
                           FROM unnest(key.columns) AS t));
    EXECUTE format('SELECT count(*) FROM %s c WHERE %s', key.child, condition) INTO n;
    CONTINUE WHEN n = 0;
    RETURN QUERY SELECT 'medium', key.child::text,
      format('row refers to nothing: of %s by %I, %s: their %s %s not there, or not in the same '
             'organization', key.child, key.conname,
             CASE n WHEN 1 THEN 'one row' ELSE n || ' rows' END,
             array_to_string(key.columns, ' and '),
             CASE cardinality(key.columns) WHEN 1 THEN 'is' ELSE 'are' END),
      CASE WHEN key.child IN ('seeme.organizations'::regclass, 'seeme.protected_tables'::regclass)
           THEN format('-- SELECT * FROM %s c WHERE %s; then set %s to what belongs there',
                       key.child, condition, array_to_string(key.columns, ', '))
           WHEN key.confdeltype = 'c' OR key.nullable = '{}'
           THEN format('DELETE FROM %s c WHERE %s;', key.child, condition)
           ELSE format('UPDATE %s c SET %s WHERE %s;', key.child,
                       (SELECT string_agg(format('%I = NULL', t), ', ')
                          FROM unnest(key.nullable) AS t), condition) END;
  END LOOP;
EXCEPTION WHEN undefined_table OR undefined_column THEN
  NULL;  -- a missing table or column of the extension is another finding
END $$;
COMMENT ON FUNCTION seeme.findings_on_references() IS
  'Part of the security report: rows of the model that refer to rows which do not exist';
