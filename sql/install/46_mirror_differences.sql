-- In what a mirrored table and the rows here differ.

CREATE FUNCTION @extschema@.seeme_mirror_differences(table_name regclass)
RETURNS TABLE (difference text, id uuid, column_name text, in_table text, in_seeme text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  m     seeme.mirrors;
  batch jsonb;
  seen  uuid[] := ARRAY[]::uuid[];
  found uuid[];
BEGIN
  PERFORM seeme.require_mirror_maker(seeme_mirror_differences.table_name);
  SELECT * INTO m FROM seeme.mirrors t WHERE t.table_name = seeme_mirror_differences.table_name;
  IF m.table_name IS NULL THEN
    RAISE EXCEPTION 'table % is not mirrored', seeme_mirror_differences.table_name
      USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'seeme.mirrors lists those that '
                                                                 'are.';
  END IF;
  FOR batch IN SELECT * FROM seeme.read_as_owner(m.table_name, seeme.mirror_query(m.table_name,
    'LOAD')) LOOP
    CONTINUE WHEN batch IS NULL;
    batch := seeme.mapped_rows(m, batch);
    IF m.kind LIKE '%members' THEN
      RETURN QUERY SELECT * FROM seeme.differences_of_members(m, batch);
      found := ARRAY(SELECT h.membership FROM seeme.members_here(m, batch, 'n') h
                      WHERE h.membership IS NOT NULL AND (h.v -> 'n' ->> 'counts')::boolean);
    ELSE
      RETURN QUERY SELECT * FROM seeme.differences_of_containers(m, batch);
      found := ARRAY(SELECT (v -> 'n' ->> 'id')::uuid FROM jsonb_array_elements(batch) AS v);
    END IF;
    seen := seen || found;
  END LOOP;
  RETURN QUERY SELECT 'not in the table', e.id, NULL::text, NULL::text, NULL::text
                 FROM seeme.rows_of_kind(m.kind) e LEFT JOIN unnest(seen) AS s ON s = e.id
                   WHERE s IS NULL;
END $$;
COMMENT ON FUNCTION @extschema@.seeme_mirror_differences(regclass) IS
  'In what a mirrored table and the rows here differ; no row when they agree. What was written '
  'here directly shows.';

CREATE FUNCTION seeme.rows_of_kind(kind text) RETURNS TABLE (id uuid)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  -- Services are a database administrator's, and the owner's seat comes with the organization.
  SELECT u.id FROM seeme.users u WHERE kind = 'users' AND NOT u.is_service
  UNION ALL SELECT o.id FROM seeme.organizations o WHERE kind = 'organizations'
  UNION ALL SELECT t.id FROM seeme.teams t WHERE kind = 'teams'
  UNION ALL SELECT p.id FROM seeme.projects p WHERE kind = 'projects'
  UNION ALL
  SELECT m.id FROM seeme.memberships m
   WHERE kind = CASE WHEN m.project_id IS NOT NULL THEN 'project_members'
     WHEN m.team_id IS NOT NULL THEN 'team_members'
                     ELSE 'organization_members' END
     AND (kind <> 'organization_members'
          OR NOT EXISTS (SELECT FROM seeme.organizations o WHERE o.id = m.organization_id
            AND o.owner_id = m.user_id))
$$;
COMMENT ON FUNCTION seeme.rows_of_kind(text) IS
  'The rows here that a mirrored table of a kind should have';

CREATE FUNCTION seeme.differences_of_containers(m seeme.mirrors, mapped jsonb)
RETURNS TABLE (difference text, id uuid, column_name text, in_table text, in_seeme text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT CASE WHEN t.id IS NULL THEN 'not here' ELSE 'different' END, r.id, c.name, c.there, c.here
    FROM jsonb_array_elements(mapped) AS v,
         LATERAL (SELECT v -> 'n' AS n, (v -> 'n' ->> 'id')::uuid AS id) AS r
    LEFT JOIN seeme.containers_here(
           m.kind, ARRAY(SELECT (e -> 'n' ->> 'id')::uuid
             FROM jsonb_array_elements(mapped) AS e)) AS t ON t.id = r.id,
         LATERAL (
           SELECT NULL::text AS name, NULL::text AS there, NULL::text AS here WHERE t.id IS NULL
           UNION ALL
           -- Texts are kept without surrounding white space. A slug that is not given is made here.
           SELECT e.key, e.value, t.content ->> e.key FROM jsonb_each_text(r.n) AS e
            WHERE t.id IS NOT NULL AND e.key NOT IN ('id', 'disabled', 'archived')
              AND NOT (e.key = 'slug' AND e.value IS NULL)
              AND NOT (e.key = 'disabled_at' AND coalesce((r.n ->> 'disabled')::boolean, false))
              AND CASE WHEN e.key LIKE '%\_at'
                       THEN e.value::timestamptz IS DISTINCT FROM (t.content ->> e.key)::timestamptz
                       ELSE btrim(e.value, E' \t\r\n') IS DISTINCT FROM t.content ->> e.key END
           UNION ALL
           -- What the condition says is a date here.
           SELECT e.key, e.value, t.content ->> (e.key || '_at') FROM jsonb_each_text(r.n) AS e
            WHERE t.id IS NOT NULL AND e.key IN ('disabled', 'archived')
              AND e.value::boolean <> (t.content ->> (e.key || '_at') IS NOT NULL)
              AND (e.key = 'archived' OR e.value::boolean OR NOT r.n ? 'disabled_at')) AS c
$$;
COMMENT ON FUNCTION seeme.differences_of_containers(seeme.mirrors, jsonb) IS
  'In what rows of a mirrored table of users, organizations, teams or projects differ from those '
  'here';

-- A membership in a team or project goes with the one in the organization, and does not come back
-- with it. The row of the table stays.
CREATE FUNCTION seeme.missing_membership(kind text, organization uuid, member uuid) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT CASE WHEN kind = 'organization_members' THEN 'no membership'
              WHEN organization IS NULL THEN format('no such %s', p.place)
              WHEN EXISTS (SELECT FROM seeme.memberships m
                            WHERE m.user_id = member AND m.team_id IS NULL AND m.project_id IS NULL
                              AND m.organization_id = missing_membership.organization)
              THEN format('no membership in the %s, one in its organization', p.place)
              ELSE format('no membership in the %s, nor in its organization', p.place) END
    FROM (SELECT split_part(kind, '_', 1) AS place) AS p
$$;
COMMENT ON FUNCTION seeme.missing_membership(text, uuid, uuid) IS
  'What is missing here for a row of a mirrored table of members, in words';

CREATE FUNCTION seeme.differences_of_members(m seeme.mirrors, mapped jsonb)
RETURNS TABLE (difference text, id uuid, column_name text, in_table text, in_seeme text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT CASE WHEN h.membership IS NULL THEN 'not here' ELSE 'different' END, h.membership, c.name,
    c.there, c.here
    FROM seeme.members_here(m, mapped, 'n') h LEFT JOIN seeme.memberships t ON t.id = h.membership,
         LATERAL (SELECT h.v -> 'n' AS n) AS r,
         LATERAL (
           SELECT NULL::text AS name, format('%s in %s', h.member, coalesce(h.project, h.team,
             h.organization)) AS there,
                  seeme.missing_membership(m.kind, h.organization, h.member) AS here
            WHERE h.membership IS NULL
           UNION ALL
           SELECT 'role_id', r.n ->> 'role_id', t.role_id::text
            WHERE h.membership IS NOT NULL AND r.n ? 'role_id'
              AND seeme.mirrored_role(m, r.n ->> 'role_id', h.organization) IS DISTINCT
                FROM t.role_id
           UNION ALL
           SELECT d.name, r.n ->> d.name, d.here::text
             FROM (VALUES ('valid_from', t.valid_from), ('valid_until', t.valid_until)) AS d (name,
               here)
            WHERE h.membership IS NOT NULL AND r.n ? d.name
              AND (r.n ->> d.name)::timestamptz IS DISTINCT FROM d.here) AS c
   WHERE (r.n ->> 'counts')::boolean AND NOT (h.is_seat AND h.membership IS NOT NULL)
$$;
COMMENT ON FUNCTION seeme.differences_of_members(seeme.mirrors, jsonb) IS
  'In what rows of a mirrored table of members differ from the memberships here';
