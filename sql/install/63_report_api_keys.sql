-- The security report on API keys and invitations that do not count any more, and on services that
-- belong to no organization.

CREATE FUNCTION seeme.findings_on_keys()
RETURNS TABLE (severity text, object text, finding text, remedy text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT 'medium', format('seeme.api_keys %s', k.id),
         format('key is silenced: %L is refused, for %s; it counts again if that changes, unless '
                'its creator or its user has left', k.name, k.why),
         format('DELETE FROM seeme.api_keys WHERE id = %L;', k.id)
    FROM (SELECT a.id, a.name, seeme.api_key_invalid_reason(a.id) AS why
            FROM seeme.api_keys a WHERE a.created_by IS NOT NULL) AS k
   WHERE k.why IS NOT NULL
  UNION ALL
  SELECT 'medium', format('seeme.users %s', u.id),
         format('service belongs to no organization: people have made keys for %s, but only a '
                'database administrator may; these keys are refused',
                coalesce(u.username, u.id::text)),
         format('DELETE FROM seeme.api_keys WHERE user_id = %L AND created_by IS NOT NULL; '
                '-- or give it to an organization: UPDATE seeme.users SET service_organization_id '
                '= ... '
                'WHERE id = %L', u.id, u.id)
    FROM seeme.users u
   WHERE u.is_service AND u.service_organization_id IS NULL
     AND EXISTS (SELECT FROM seeme.api_keys k WHERE k.user_id = u.id AND k.created_by <> u.id)
  UNION ALL
  SELECT 'low', format('seeme.users %s', u.id),
         format('service of an organization that is gone: nobody can make keys for %s any more',
                coalesce(u.username, u.id::text)),
         format('UPDATE seeme.users SET service_organization_id = NULL WHERE id = %L;', u.id)
    FROM seeme.users u
   WHERE u.service_organization_id IS NOT NULL
     AND NOT EXISTS (SELECT FROM seeme.organizations o WHERE o.id = u.service_organization_id)
  UNION ALL
  SELECT 'low', format('seeme.invitations %s', i.id),
         format('invitation counts for nothing: it looks open, but its inviter has left the '
                'organization, or it ended while %s was accepting it', i.email),
         format('DELETE FROM seeme.invitations WHERE id = %L;', i.id)
    FROM seeme.invitations i
   WHERE i.accepted_at IS NULL AND i.expires_at > clock_timestamp()
     AND (i.invited_by IS NOT NULL
            AND NOT coalesce(i.inviter_membership_id
                             = seeme.membership_in(i.organization_id, i.invited_by), false)
          OR seeme.is_retired(i.id))
$$;
COMMENT ON FUNCTION seeme.findings_on_keys() IS
  'Part of the security report: API keys and invitations that do not count, and services that '
  'belong to no organization';
