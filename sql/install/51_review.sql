-- What people who are responsible for access look at now and then. Everything here shows only what
-- the asking person sees.

CREATE FUNCTION seeme.unused_roles(organizations uuid[]) RETURNS SETOF uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT r.id FROM seeme.roles r
   WHERE r.organization_id = ANY (organizations)
     AND NOT EXISTS (SELECT FROM seeme.memberships m WHERE m.role_id = r.id)
     AND NOT EXISTS (SELECT FROM seeme.invitations i
                      WHERE i.role_id = r.id AND i.accepted_at IS NULL
                        AND i.expires_at > clock_timestamp() AND NOT seeme.is_retired(i.id))
     AND NOT EXISTS (SELECT FROM seeme.organizations o
                      WHERE o.id = r.organization_id AND o.creator_role_id = r.id)
     AND (seeme.holds_throughout('{roles:list,roles:read}', r.organization_id)
          OR seeme.is_unidentified() AND seeme.bypasses_row_security());
END;
COMMENT ON FUNCTION seeme.unused_roles(uuid[]) IS
  'The roles of some organizations that no membership, no open invitation and no creator_role_id '
  'has: those that the asking person may list or read.';

CREATE FUNCTION seeme.members_without_role(organizations uuid[]) RETURNS SETOF uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT m.id FROM seeme.memberships m
   WHERE m.organization_id = ANY (organizations)
     AND m.team_id IS NULL AND m.project_id IS NULL AND m.role_id IS NULL
     AND NOT EXISTS (SELECT FROM seeme.memberships o
                      WHERE o.organization_id = m.organization_id AND o.user_id = m.user_id
                        AND o.role_id IS NOT NULL)
     AND (m.user_id = (SELECT seeme.own_user_id('organizations:read'))
          OR seeme.holds_throughout('{organizations:read}', m.organization_id)
          OR seeme.is_unidentified() AND seeme.bypasses_row_security());
END;
COMMENT ON FUNCTION seeme.members_without_role(uuid[]) IS
  'The memberships in some organizations of people who have no role at any level there: those that '
  'the asking person sees.';

CREATE FUNCTION @extschema@.seeme_review(organization_id uuid = NULL, within interval = '30 days')
RETURNS TABLE (finding text, organization uuid, subject_id uuid, subject text, detail text,
               at timestamptz)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
  -- In PL/pgSQL, because it keeps the plan. For a small organization planning takes longer than
  -- running.
  RETURN QUERY
  -- Under row security other organizations show nothing. So they are not read.
  WITH reviewed AS MATERIALIZED (
    SELECT CASE
        WHEN seeme_review.organization_id IS NOT NULL THEN ARRAY[seeme_review.organization_id]
        WHEN row_security_active('seeme.memberships') THEN seeme.own_organizations()
        ELSE ARRAY(SELECT o.id FROM seeme.organizations o WHERE o.archived_at IS NULL) END AS ids),
  -- Each membership is read once, and its user's name only if a finding may need it.
  questionable AS MATERIALIZED (
    SELECT m.id, m.organization_id, m.user_id, m.role_id, m.valid_until, m.created_at,
           CASE WHEN m.project_id IS NOT NULL THEN 'project'
                WHEN m.team_id IS NOT NULL THEN 'team'
                ELSE 'organization' END AS level
      FROM seeme.memberships m
     WHERE m.organization_id = ANY (ARRAY(SELECT unnest(ids) FROM reviewed))
       AND (m.valid_until IS NOT NULL OR m.team_id IS NULL AND m.project_id IS NULL)),
  member AS (
    SELECT m.*, u.disabled_at, coalesce(u.username, u.email, m.user_id::text) AS who
      FROM questionable m LEFT JOIN seeme.users u ON u.id = m.user_id)
  SELECT 'membership expires', m.organization_id, m.id, m.who, m.level, m.valid_until
    FROM member m
   WHERE m.valid_until > clock_timestamp() AND m.valid_until <= clock_timestamp() + within
  UNION ALL
  SELECT 'membership has ended', m.organization_id, m.id, m.who, m.level, m.valid_until
    FROM member m WHERE m.valid_until <= clock_timestamp()
  UNION ALL
  SELECT 'member without a role', m.organization_id, m.id, m.who, 'at no level', m.created_at
    FROM member m
   WHERE m.id IN (SELECT seeme.members_without_role(ids) FROM reviewed)
  UNION ALL
  SELECT 'member is disabled', m.organization_id, m.id, m.who, m.level, m.disabled_at
    FROM member m WHERE m.disabled_at <= clock_timestamp() AND m.level = 'organization'
  UNION ALL
  SELECT 'owner is disabled', o.id, o.owner_id, o.name,
         'a database administrator can reassign the organization', u.disabled_at
    FROM seeme.organizations o JOIN seeme.users u ON u.id = o.owner_id
   WHERE o.id = ANY (ARRAY(SELECT unnest(ids) FROM reviewed))
     AND u.disabled_at <= clock_timestamp()
  UNION ALL
  SELECT 'role is unused', r.organization_id, r.id, r.name, array_to_string(r.permissions, ', '),
         r.updated_at
    FROM seeme.roles r
   WHERE r.id IN (SELECT seeme.unused_roles(ids) FROM reviewed)
  UNION ALL
  SELECT 'key is dormant', k.organization_id, k.id, k.name, k.key_prefix, last.used_at
    FROM seeme.api_keys k,
         LATERAL (SELECT max(u.used_at) AS used_at
                    FROM seeme.api_key_uses u WHERE u.key_id = k.id) AS last
   WHERE coalesce(last.used_at, k.created_at) < clock_timestamp() - within
     AND k.organization_id IS NOT DISTINCT FROM
         coalesce(seeme_review.organization_id, k.organization_id)
  UNION ALL
  SELECT 'invitation is open', i.organization_id, i.id, i.email, i.role_name, i.expires_at
    FROM seeme.pending_members i
   WHERE i.organization_id = coalesce(seeme_review.organization_id, i.organization_id)
   ORDER BY 1, 2, 6, 3;
END $$;
COMMENT ON FUNCTION @extschema@.seeme_review(uuid, interval) IS
  'What deserves a look in one organization, or in all that the asking person sees: memberships '
  'that expire within that time or have ended, members without any role, disabled members and '
  'owners, roles that nobody has, API keys not used for that time, and open invitations';

CREATE FUNCTION @extschema@.seeme_permission_matrix(
  organization uuid = NULL, team uuid = NULL, project uuid = NULL)
RETURNS TABLE (member text, permission text, held text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  WITH holding AS (
    SELECT coalesce(u.username, u.email, h.user_id::text) AS label, h.user_id, h.permissions
      FROM seeme.holders(organization => seeme_permission_matrix.organization,
                         team => seeme_permission_matrix.team,
                         project => seeme_permission_matrix.project) AS h
      LEFT JOIN seeme.users u ON u.id = h.user_id),
  -- Two people may share a username.
  named AS (
    SELECT CASE WHEN count(*) OVER (PARTITION BY label) > 1 THEN label || ' ' || user_id
                ELSE label END AS member,
           permissions
      FROM holding)
  SELECT member, code, 'x' FROM named, unnest(permissions) AS code
   ORDER BY 1, 2
$$;
COMMENT ON FUNCTION @extschema@.seeme_permission_matrix(uuid, uuid, uuid) IS
  'Who has which permission in a scope: one row for each member and permission, as \crosstabview '
  'takes them. Tells about the same people as seeme_permitted_users.';
