-- What somebody who is responsible for access looks at now and then. Both show what the asking person may see, no more.

CREATE FUNCTION seeme.is_unused_role(role_id uuid) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
RETURN EXISTS (
  SELECT FROM seeme.roles r
   WHERE r.id = role_id AND NOT EXISTS (SELECT FROM seeme.memberships m WHERE m.role_id = r.id)
     AND NOT EXISTS (SELECT FROM seeme.invitations i
                      WHERE i.role_id = r.id AND i.accepted_at IS NULL AND i.expires_at > clock_timestamp() AND NOT seeme.is_retired(i.id))
     AND (@extschema@.seeme_has_permission('roles:list', organization => r.organization_id)
          OR @extschema@.seeme_has_permission('roles:read', organization => r.organization_id)
          OR seeme.is_unidentified() AND seeme.bypasses_row_security()));
COMMENT ON FUNCTION seeme.is_unused_role(uuid) IS 'Whether no membership and no open invitation has this role of an organization; told to who sees its roles';

CREATE FUNCTION seeme.is_without_role(organization uuid, member uuid) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
RETURN NOT EXISTS (SELECT FROM seeme.memberships m
                    WHERE m.organization_id = organization AND m.user_id = member AND m.role_id IS NOT NULL)
       AND (seeme.sees_membership(organization, NULL, NULL, member) OR seeme.is_unidentified() AND seeme.bypasses_row_security());
COMMENT ON FUNCTION seeme.is_without_role(uuid, uuid) IS
  'Whether a person has no role at any level of an organization; told to who sees their membership in it';

CREATE FUNCTION @extschema@.seeme_review(organization_id uuid = NULL, within interval = '30 days')
RETURNS TABLE (finding text, organization uuid, subject_id uuid, subject text, detail text, at timestamptz)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  -- Under row security nothing is seen of any other: so the others are not looked through.
  WITH reviewed AS MATERIALIZED (
    SELECT unnest(CASE WHEN seeme_review.organization_id IS NOT NULL THEN ARRAY[seeme_review.organization_id]
                       WHEN row_security_active('seeme.memberships') THEN seeme.own_organizations()
                       ELSE ARRAY(SELECT o.id FROM seeme.organizations o) END) AS id),
  member AS (
    SELECT m.*, coalesce(u.username, u.email, m.user_id::text) AS who,
           CASE WHEN m.project_id IS NOT NULL THEN 'project' WHEN m.team_id IS NOT NULL THEN 'team' ELSE 'organization' END AS level
      FROM reviewed JOIN seeme.memberships m ON m.organization_id = reviewed.id LEFT JOIN seeme.users u ON u.id = m.user_id)
  SELECT 'membership expires', m.organization_id, m.id, m.who, m.level, m.valid_until
    FROM member m WHERE m.valid_until > clock_timestamp() AND m.valid_until <= clock_timestamp() + within
  UNION ALL
  SELECT 'membership has ended', m.organization_id, m.id, m.who, m.level, m.valid_until
    FROM member m WHERE m.valid_until <= clock_timestamp()
  UNION ALL
  SELECT 'member without a role', m.organization_id, m.id, m.who, 'at no level', m.created_at
    FROM member m
   WHERE m.level = 'organization' AND m.role_id IS NULL
     AND seeme.is_without_role(m.organization_id, m.user_id)
  UNION ALL
  SELECT 'member is disabled', m.organization_id, m.id, m.who, m.level, u.disabled_at
    FROM member m JOIN seeme.users u ON u.id = m.user_id
   WHERE u.disabled_at <= clock_timestamp() AND m.level = 'organization'
  UNION ALL
  SELECT 'owner is disabled', o.id, o.owner_id, o.name, 'a database administrator can reassign the organization', u.disabled_at
    FROM reviewed JOIN seeme.organizations o ON o.id = reviewed.id JOIN seeme.users u ON u.id = o.owner_id
   WHERE u.disabled_at <= clock_timestamp()
  UNION ALL
  SELECT 'role is unused', r.organization_id, r.id, r.name, array_to_string(r.permissions, ', '), r.updated_at
    FROM reviewed JOIN seeme.roles r ON r.organization_id = reviewed.id
   WHERE seeme.is_unused_role(r.id)
  UNION ALL
  SELECT 'key is dormant', k.organization_id, k.id, k.name, k.key_prefix, last.used_at
    FROM seeme.api_keys k, LATERAL (SELECT max(u.used_at) AS used_at FROM seeme.api_key_uses u WHERE u.key_id = k.id) AS last
   WHERE coalesce(last.used_at, k.created_at) < clock_timestamp() - within
     AND k.organization_id IS NOT DISTINCT FROM coalesce(seeme_review.organization_id, k.organization_id)
  UNION ALL
  SELECT 'invitation is open', i.organization_id, i.id, i.email, i.role_name, i.expires_at
    FROM seeme.pending_members i WHERE i.organization_id = coalesce(seeme_review.organization_id, i.organization_id)
   ORDER BY 1, 2, 6, 3
$$;
COMMENT ON FUNCTION @extschema@.seeme_review(uuid, interval) IS
  'What deserves a look, of one organization or all that one sees: memberships that expire within that time or have ended, members without any role, disabled members and owners, roles that nobody has, keys not used for that time, open invitations';

CREATE FUNCTION @extschema@.seeme_permission_matrix(
  organization uuid = NULL, team uuid = NULL, project uuid = NULL)
RETURNS TABLE (member text, permission text, held text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  WITH holding AS (
  SELECT coalesce(u.username, u.email, holder::text) AS label, holder, p.name
    FROM seeme.permissions p,
         @extschema@.seeme_permitted_users(p.name, organization => seeme_permission_matrix.organization,
                                           team => seeme_permission_matrix.team, project => seeme_permission_matrix.project) AS holder
    LEFT JOIN seeme.users u ON u.id = holder
   WHERE NOT p.is_wildcard)
  -- Two people may share a username.
  SELECT CASE WHEN min(holder::text) OVER (PARTITION BY label) <> max(holder::text) OVER (PARTITION BY label)
              THEN label || ' ' || holder ELSE label END, name, 'x'
    FROM holding
   ORDER BY 1, 2
$$;
COMMENT ON FUNCTION @extschema@.seeme_permission_matrix(uuid, uuid, uuid) IS
  'Who holds what in a scope, a row per member and permission, fit for \crosstabview: told as seeme_permitted_users is';
