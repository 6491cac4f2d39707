-- The context of the asking person, and the transfer of an organization.

CREATE FUNCTION @extschema@.seeme_current_user_context() RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  person  uuid := @extschema@.seeme_user_id();
  wanted  uuid := nullif(current_setting('seeme_rbac.current_organization', true), '')::uuid;
  mine    uuid[];
  current uuid;
  hidden  text[] := '{created_at,updated_at,archived_at,creator_role_id}';
BEGIN
  mine := ARRAY(SELECT o.id FROM seeme.organizations o
                 WHERE person IS NOT NULL AND o.archived_at IS NULL
                   AND (o.owner_id = person OR seeme.is_member(organization => o.id)));
  current := CASE
    WHEN wanted = ANY (mine)
         OR cardinality(@extschema@.seeme_permissions(organization => wanted)) > 0 THEN wanted
    WHEN cardinality(mine) = 1 THEN mine[1] END;
  RETURN jsonb_build_object(
    'user_id', person,
    'organizations', (
      SELECT coalesce(jsonb_agg(to_jsonb(o) - hidden
                                ORDER BY o.name, o.id), '[]')
        FROM seeme.organizations o WHERE o.id = ANY (mine)),
    'current_organization', (
      SELECT to_jsonb(o) - hidden
        FROM seeme.organizations o WHERE o.id = current),
    'roles', (
      SELECT coalesce(jsonb_agg(
               to_jsonb(r) - '{created_at,updated_at,grouped_actions}'::text[]
               || jsonb_build_object(
                    'level', CASE WHEN m.project_id IS NOT NULL THEN 'project'
                                  WHEN m.team_id IS NOT NULL THEN 'team'
                                  ELSE 'organization' END,
                    'team_id', m.team_id, 'project_id', m.project_id)
               ORDER BY m.project_id IS NOT NULL, m.team_id IS NOT NULL, r.name, m.id), '[]')
        FROM seeme.memberships m JOIN seeme.roles r ON r.id = m.role_id
       WHERE m.organization_id = current AND m.user_id = person
         AND seeme.is_in_use(m.organization_id, m.team_id, m.project_id)
         AND coalesce(m.valid_from <= clock_timestamp(), true)
         AND coalesce(clock_timestamp() < m.valid_until, true)),
    'permissions', to_jsonb(@extschema@.seeme_permissions(organization => current)));
END $$;
COMMENT ON FUNCTION @extschema@.seeme_current_user_context() IS
  'The asking person as JSON: user_id; the organizations; current_organization, which is the '
  'setting seeme_rbac.current_organization if the person is a member of it, else the only '
  'organization, else null; the person''s roles there, each with its level; and the permissions '
  'in that organization. For display only: it decides nothing.';

CREATE FUNCTION @extschema@.seeme_transfer_ownership(organization_id uuid, new_owner_id uuid)
RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  person uuid := @extschema@.seeme_user_id();
  owner  uuid;
BEGIN
  PERFORM seeme.require_no_actor('transfer an organization');
  SELECT o.owner_id INTO owner FROM seeme.organizations o WHERE o.id = organization_id FOR UPDATE;
  IF person IS NULL OR owner IS DISTINCT FROM person OR seeme.uses_api_key() THEN
    RAISE EXCEPTION 'only the owner of an organization can transfer it'
      USING ERRCODE = 'insufficient_privilege';
  END IF;
  PERFORM FROM seeme.memberships m JOIN seeme.users u ON u.id = m.user_id
    WHERE m.organization_id = seeme_transfer_ownership.organization_id AND m.user_id = new_owner_id
      AND m.team_id IS NULL AND m.project_id IS NULL
      AND coalesce(m.valid_from <= clock_timestamp(), true)
      AND coalesce(clock_timestamp() < m.valid_until, true)
      AND coalesce(clock_timestamp() < u.disabled_at, true)
      FOR UPDATE OF m;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'the new owner is not a member of the organization'
      USING ERRCODE = 'foreign_key_violation', HINT = 'Add them to the organization first.';
  END IF;
  UPDATE seeme.organizations o SET owner_id = new_owner_id
   WHERE o.id = organization_id AND o.owner_id <> new_owner_id;
END $$;
COMMENT ON FUNCTION @extschema@.seeme_transfer_ownership(uuid, uuid) IS
  'Makes another member the owner of an organization. Only its owner may call this, and then '
  'becomes Admin.';
