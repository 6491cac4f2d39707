-- The changes that a mirror makes here, by kind.

CREATE FUNCTION seeme.provisions(role oid) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN has_table_privilege(role, 'seeme.users', 'DELETE')
    OR coalesce((SELECT r.rolsuper OR r.rolbypassrls FROM pg_roles r WHERE r.oid = role), false);
COMMENT ON FUNCTION seeme.provisions(oid) IS
  'Whether a database role may provision users, or bypasses row security';

-- Users, while somebody is identified: one's own names, and nothing else.
CREATE FUNCTION seeme.apply_own_profile(m seeme.mirrors, rows jsonb, mapped jsonb) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  -- No API key has a code for it.
  person text := seeme.own_user_id('*');
  v      jsonb;
BEGIN
  FOR v IN SELECT * FROM jsonb_array_elements(mapped) LOOP
    IF person IS NULL OR v -> 'o' ->> 'id' IS DISTINCT FROM person OR v -> 'n' ->> 'id' IS DISTINCT
      FROM person
       OR (v -> 'o') - '{username,firstname,name}'::text[]
          <> (v -> 'n') - '{username,firstname,name}'::text[] THEN
      RAISE EXCEPTION 'a person changes only their own username, firstname and name in a mirrored '
                      'table of users'
        USING ERRCODE = 'insufficient_privilege',
              HINT = 'The rest is for a role that provisions users, while nobody is identified.';
    END IF;
    PERFORM seeme.checked_text(v -> 'n' ->> c, c, 200)
      FROM unnest('{username,firstname,name}'::text[]) AS c;
    PERFORM seeme.require_changed((SELECT count(*) FROM seeme.mirrored_rows r
                                    WHERE r.kind = 'users' AND r.id = person::uuid), 1, 'users');
  END LOOP;
  PERFORM seeme.write_profile_at_commit(m.table_name, r -> 'n' ->> 'id')
    FROM jsonb_array_elements(rows) AS r;
END $$;
COMMENT ON FUNCTION seeme.apply_own_profile(seeme.mirrors, jsonb, jsonb) IS
  'Has the asking person''s own names written at commit, and refuses (42501) every other change '
  'of users';

CREATE FUNCTION seeme.write_profile(relation oid, key text, person uuid) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  m       seeme.mirrors;
  batch   jsonb;
  columns text[];
BEGIN
  SELECT * INTO m FROM seeme.mirrors t WHERE t.table_name = relation AND t.kind = 'users';
  IF NOT FOUND THEN
    RETURN;
  END IF;
  columns := ARRAY(SELECT c.name FROM seeme.mirror_columns('users') c
                    WHERE m.columns ? c.name AND c.name IN ('username', 'firstname', 'name'));
  FOR batch IN
    SELECT * FROM seeme.read_as_owner(relation::regclass, format(
      'SELECT pg_catalog.jsonb_agg(n.r) FROM (%s WHERE %I = %L) AS n',
      seeme.mirror_reading(m, relation::regclass::text), seeme.mirrored_column(m, 'id'), key))
  LOOP
    PERFORM seeme.mirror_execute(format(
      'UPDATE seeme.users u SET %s FROM %s WHERE u.id = %L::uuid AND (%s) IS DISTINCT FROM (%s)',
      (SELECT string_agg(format('%1$I = r.%1$I', c), ', ') FROM unnest(columns) AS c),
      format('jsonb_to_recordset($1) AS r (%s)', (SELECT string_agg(format('%I text', c), ', ')
        FROM unnest(columns) AS c)),
      person, (SELECT string_agg(format('u.%I', c), ', ') FROM unnest(columns) AS c),
      (SELECT string_agg(format('r.%I', c), ', ') FROM unnest(columns) AS c)), batch, true)
        WHERE batch IS NOT NULL;
  END LOOP;
END $$;
COMMENT ON FUNCTION seeme.write_profile(oid, text, uuid) IS
  'Writes a person''s names as they are in the mirrored table now: called when the transaction '
  'commits';

-- Users, organizations, teams and projects
CREATE FUNCTION seeme.containers_here(kind text, ids uuid[]) RETURNS TABLE (id uuid, content jsonb)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT u.id, to_jsonb(u) FROM seeme.users u WHERE kind = 'users' AND u.id = ANY (ids)
  UNION ALL
  SELECT o.id, to_jsonb(o) FROM seeme.organizations o WHERE kind = 'organizations'
    AND o.id = ANY (ids)
  UNION ALL
  SELECT t.id, to_jsonb(t) FROM seeme.teams t WHERE kind = 'teams' AND t.id = ANY (ids)
  UNION ALL
  SELECT p.id, to_jsonb(p) FROM seeme.projects p WHERE kind = 'projects' AND p.id = ANY (ids)
$$;
COMMENT ON FUNCTION seeme.containers_here(text, uuid[]) IS
  'Which of these users, organizations, teams or projects there are here, and their rows';

CREATE FUNCTION seeme.existing_rows(kind text, ids uuid[]) RETURNS TABLE (id uuid,
  is_mirrored boolean)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT c.id, coalesce((SELECT true FROM seeme.mirrored_rows m
                          WHERE m.kind = existing_rows.kind AND m.id = c.id LIMIT 1), false)
    FROM seeme.containers_here(kind, ids) c
$$;
COMMENT ON FUNCTION seeme.existing_rows(text, uuid[]) IS
  'Which of these users, organizations, teams or projects there are here, and whether a mirror '
  'made them';

CREATE FUNCTION seeme.insert_containers(m seeme.mirrors, rows jsonb, as_extension boolean)
  RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM seeme.require_changed(
    seeme.mirror_execute(m.statements ->> 'add', rows, as_extension), jsonb_array_length(rows),
      m.kind);
  INSERT INTO seeme.mirrored_rows (kind, id)
  SELECT m.kind, (r ->> 'id')::uuid FROM jsonb_array_elements(rows) AS r ON CONFLICT DO NOTHING;
END $$;
COMMENT ON FUNCTION seeme.insert_containers(seeme.mirrors, jsonb, boolean) IS
  'Adds mirrored users, organizations, teams or projects';

CREATE FUNCTION seeme.update_containers(m seeme.mirrors, rows jsonb, changed text[],
  as_extension boolean) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  set_to text;
BEGIN
  -- An identified owner hands an organization over as by the function for it; the rest is an UPDATE
  -- before that.
  SELECT string_agg(format('%I = %s', a.name, a.expression), ', ') INTO set_to
    FROM seeme.mirror_assignments(m, changed) a WHERE a.name <> 'owner_id'
      OR seeme.is_unidentified();
  IF set_to IS NOT NULL THEN
    PERFORM seeme.require_changed(
      seeme.mirror_execute(format('UPDATE seeme.%I t SET %s FROM %s WHERE t.id = r.id', m.kind,
        set_to,
                                  seeme.mirror_recordset(m)), rows, as_extension),
                                    jsonb_array_length(rows), m.kind);
  END IF;
  IF 'owner_id' = ANY (changed) AND NOT seeme.is_unidentified() THEN
    PERFORM seeme.mirror_execute(format('SELECT @extschema@.seeme_transfer_ownership(r.id, '
                                        'r.owner_id) FROM %s',
                                        seeme.mirror_recordset(m)), rows, as_extension);
  END IF;
END $$;
COMMENT ON FUNCTION seeme.update_containers(seeme.mirrors, jsonb, text[], boolean) IS
  'Changes these columns of mirrored users, organizations, teams or projects, and no others';

CREATE FUNCTION seeme.changed_columns(v jsonb) RETURNS text[]
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
RETURN ARRAY(SELECT n.key FROM jsonb_each(v -> 'n') AS n WHERE v -> 'o' -> n.key IS DISTINCT
  FROM n.value ORDER BY 1);
COMMENT ON FUNCTION seeme.changed_columns(jsonb) IS
  'The columns in which a changed row differs from what it was';

-- A person who was disabled, what was archived, and an organization that was handed over.
CREATE FUNCTION seeme.taken_away(here jsonb, there jsonb) RETURNS text[]
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
SELECT ARRAY(
  SELECT 'archived' WHERE there ? 'archived' AND NOT (there ->> 'archived')::boolean
                      AND here ->> 'archived_at' IS NOT NULL
  UNION ALL
  SELECT d.name FROM unnest(ARRAY['disabled', 'disabled_at']) AS d (name)
   WHERE there ? d.name AND here ->> 'disabled_at' IS NOT NULL
     AND NOT coalesce((there ->> 'disabled')::boolean, false)
     AND there ->> 'disabled_at' IS NULL
  UNION ALL
  SELECT 'owner_id' WHERE there ? 'owner_id' AND here ->> 'owner_id' <> there ->> 'owner_id')
$$;
COMMENT ON FUNCTION seeme.taken_away(jsonb, jsonb) IS
  'The columns of a row here by which a mirrored row would give back what was taken away';

CREATE FUNCTION seeme.apply_containers(m seeme.mirrors, event text, raw jsonb, mapped jsonb)
  RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  as_extension boolean := m.kind = 'users' OR event = 'LOAD';
  rows    jsonb;
  ids     uuid[];
  part    record;
BEGIN
  IF event = 'UPDATE' THEN
    -- What a trigger of the application removed meanwhile is gone here, too.
    ids := ARRAY(SELECT (v -> 'o' ->> 'id')::uuid FROM jsonb_array_elements(mapped) AS v
                  WHERE v -> 'n' = 'null');
    IF EXISTS (SELECT FROM jsonb_array_elements(mapped) AS v WHERE v -> 'o' = 'null')
       OR ids <> '{}' AND EXISTS (SELECT FROM seeme.existing_rows(m.kind, ids)) THEN
      RAISE EXCEPTION 'the key of a mirrored row never changes' USING ERRCODE = 'check_violation';
    END IF;
    SELECT coalesce(jsonb_agg(v), '[]') INTO mapped
      FROM jsonb_array_elements(mapped) AS v WHERE v -> 'n' <> 'null';
    -- Nothing of these is archived, brought back or changed here (seeme.mirror_update_query).
    PERFORM FROM jsonb_array_elements(raw) AS v WHERE v -> 'o' = v -> 'n' AND v -> 'ow' = v -> 'nw';
    IF FOUND THEN
      RAISE EXCEPTION 'you may not change this row of seeme.%', m.kind
        USING ERRCODE = 'insufficient_privilege',
              HINT = 'You may archive it, or bring it back, and nothing else.';
    END IF;
    ids := ARRAY(SELECT (v -> 'n' ->> 'id')::uuid FROM jsonb_array_elements(mapped) AS v);
    PERFORM seeme.require_changed((SELECT count(*) FILTER (WHERE e.is_mirrored)
      FROM seeme.existing_rows(m.kind, ids) e),
                                  cardinality(ids), m.kind);
    FOR part IN
      SELECT seeme.changed_columns(v) AS changed, jsonb_agg(v -> 'n') AS rows
        FROM jsonb_array_elements(mapped) AS v GROUP BY 1 ORDER BY 1
    LOOP
      PERFORM seeme.update_containers(m, part.rows, part.changed, as_extension);
    END LOOP;
    RETURN;
  END IF;

  IF event = 'DELETE' THEN
    ids := ARRAY(SELECT (v -> 'o' ->> 'id')::uuid FROM jsonb_array_elements(mapped) AS v);
    -- What is gone already went with what contained it.
    SELECT coalesce(jsonb_agg(jsonb_build_object('id', e.id)), '[]') INTO rows
      FROM seeme.existing_rows(m.kind, ids) e;
    PERFORM seeme.require_changed(count(*), 0, m.kind) FROM seeme.existing_rows(m.kind, ids) e
      WHERE NOT e.is_mirrored;
    PERFORM seeme.require_changed(
      seeme.mirror_execute(format('DELETE FROM seeme.%I t USING jsonb_to_recordset($1) AS r (id '
                                  'uuid) WHERE t.id = r.id', m.kind),
                           rows, as_extension), jsonb_array_length(rows), m.kind);
    RETURN;
  END IF;

  SELECT jsonb_agg(v -> 'n') INTO rows FROM jsonb_array_elements(mapped) AS v;
  -- A key that is itself such an id would be there before the row whose key has it.
  IF NOT seeme.is_unidentified() AND seeme.mirror_column_type(m.table_name,
    seeme.mirrored_column(m, 'id')) NOT LIKE 'int_' THEN
    PERFORM FROM jsonb_array_elements(raw) AS v
      WHERE v -> 'n' ->> 'id' ~* '^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$';
    IF FOUND THEN
      RAISE EXCEPTION 'a UUID of version 8 is no key of a row that a person adds'
        USING ERRCODE = 'insufficient_privilege', HINT = 'Take one of version 4 or 7.';
    END IF;
  END IF;
  IF event = 'LOAD' THEN
    -- A table that was mirrored before finds its own rows.
    ids := ARRAY(SELECT (r ->> 'id')::uuid FROM jsonb_array_elements(rows) AS r);
    PERFORM FROM seeme.existing_rows(m.kind, ids) e WHERE NOT e.is_mirrored;
    IF FOUND THEN
      RAISE EXCEPTION 'there is a row in seeme.% under the id of a row of table %, and no mirror '
                      'made it', m.kind, m.table_name
        USING ERRCODE = 'unique_violation', HINT = 'A mirror takes over no row. Delete that one, '
                                                   'or the row of the table.';
    END IF;
    ids := ARRAY(SELECT e.id FROM seeme.existing_rows(m.kind, ids) e);
    -- It gives nothing back that was taken away here since.
    FOR part IN
      SELECT k.taken, ARRAY(SELECT jsonb_object_keys(rows -> 0) EXCEPT SELECT 'id'
                            EXCEPT SELECT unnest(k.taken)) AS changed,
             jsonb_agg(r) AS rows
        FROM jsonb_array_elements(rows) AS r
        JOIN seeme.containers_here(m.kind, ids) h ON h.id = (r ->> 'id')::uuid,
             LATERAL (SELECT seeme.taken_away(h.content, r) AS taken) AS k
       GROUP BY k.taken
    LOOP
      IF part.taken <> '{}' THEN
        RAISE WARNING 'table % differs from seeme.%, which stays as it is: % (rows: %)',
          m.table_name, m.kind, array_to_string(part.taken, ', '), jsonb_array_length(part.rows)
          USING HINT = format('SELECT * FROM seeme_mirror_differences(%L);', m.table_name);
      END IF;
      PERFORM seeme.update_containers(m, part.rows, part.changed, true);
    END LOOP;
    SELECT jsonb_agg(r) INTO rows FROM jsonb_array_elements(rows) AS r
      WHERE (r ->> 'id')::uuid <> ALL (ids);
  END IF;
  IF rows IS NOT NULL THEN
    PERFORM seeme.insert_containers(m, rows, as_extension);
  END IF;
END $$;
COMMENT ON FUNCTION seeme.apply_containers(seeme.mirrors, text, jsonb, jsonb) IS
  'Makes the changes of a mirrored table of users, organizations, teams or projects here';

-- Members
CREATE FUNCTION seeme.mirrored_role(m seeme.mirrors, value text, organization uuid) RETURNS uuid
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  role text := value;
  id   uuid;
BEGIN
  IF value IS NULL THEN
    RETURN NULL;
  END IF;
  IF m.roles IS NOT NULL THEN
    IF NOT m.roles ? value THEN
      RAISE EXCEPTION 'the role "%" is not mapped', left(value, 100)
        USING ERRCODE = 'invalid_parameter_value',
              HINT = format('The mirror of table %s maps: %s.', m.table_name,
                            (SELECT string_agg(quote_ident(k), ', ' ORDER BY k)
                              FROM jsonb_object_keys(m.roles) AS k));
    END IF;
    role := m.roles ->> value;
    IF role IS NULL THEN
      RETURN NULL;
    END IF;
  END IF;
  -- No organization names a role of its own so that it is taken for a system role, or by the id of
  -- another one.
  SELECT r.id INTO id FROM seeme.roles r
   WHERE (r.name = role OR r.id::text = lower(role COLLATE "C")) AND (r.organization_id IS NULL
     OR r.organization_id = organization)
   ORDER BY r.organization_id IS NOT NULL, r.name = role LIMIT 1;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'there is no role "%" in this organization', left(role, 100)
      USING ERRCODE = 'foreign_key_violation', HINT = 'Take a built-in role, or one of the '
                                                      'organization''s own, by its name or id.';
  END IF;
  RETURN id;
END $$;
COMMENT ON FUNCTION seeme.mirrored_role(seeme.mirrors, text, uuid) IS
  'The role here of a value of a mirrored table''s role column; null: none';

-- What is here of members: their memberships, and whether one is the owner's seat in the
-- organization.
CREATE FUNCTION seeme.members_here(m seeme.mirrors, mapped jsonb, side text)
RETURNS TABLE (v jsonb, organization uuid, team uuid, project uuid, member uuid, membership uuid,
               is_mirrored boolean, is_seat boolean)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT s.v, s.organization, s.team, s.project, s.member, x.id,
         coalesce((SELECT true FROM seeme.mirrored_rows r WHERE r.kind = m.kind AND r.id = x.id
                   LIMIT 1), false),
         coalesce(m.kind = 'organization_members' AND o.owner_id = s.member, false)
    FROM (SELECT i.v, i.team, i.project, i.member,
                 coalesce(i.organization, t.organization_id, p.organization_id) AS organization
            FROM (SELECT e.v, (e.v -> side ->> 'team_id')::uuid AS team,
              (e.v -> side ->> 'project_id')::uuid AS project,
                         (e.v -> side ->> 'organization_id')::uuid AS organization,
                           (e.v -> side ->> 'user_id')::uuid AS member
                    FROM jsonb_array_elements(mapped) AS e (v)) AS i
            LEFT JOIN seeme.teams t ON t.id = i.team LEFT JOIN seeme.projects p
              ON p.id = i.project) AS s
    LEFT JOIN seeme.organizations o ON o.id = s.organization
    -- Row by row, by index: the planner takes every array for one of 100 elements.
    LEFT JOIN LATERAL (
           SELECT y.id FROM seeme.memberships y
            WHERE y.user_id = s.member AND y.organization_id = s.organization
              AND y.team_id IS NOT DISTINCT FROM s.team
              AND y.project_id IS NOT DISTINCT FROM s.project LIMIT 1) AS x ON true
$$;
COMMENT ON FUNCTION seeme.members_here(seeme.mirrors, jsonb, text) IS
  'Where mirrored members are, by one side of changed rows, and the membership there, if there is '
  'one';

-- The owner's seat is not written. Whoever adds its row to the table may manage the others. Nobody
-- else than the owner changes it there: the table would say what is not so here.
CREATE FUNCTION seeme.require_manager(organizations uuid[], changes boolean) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM seeme.require_changed(count(*), 0, 'memberships')
    FROM seeme.organizations o
   WHERE o.id = ANY (organizations)
     AND NOT CASE WHEN seeme.is_unidentified()
       THEN (SELECT r.rolsuper OR r.rolbypassrls FROM pg_roles r WHERE r.oid = seeme.acting_role())
       WHEN changes THEN coalesce(
         o.owner_id = seeme.own_user_id('organizations:manage_members'), false)
       ELSE @extschema@.seeme_has_permission('organizations:manage_members', organization => o.id)
       END;
END $$;
COMMENT ON FUNCTION seeme.require_manager(uuid[], boolean) IS
  'Raises 42501 unless the acting role bypasses row security, or the asking person manages the '
  'members of these organizations. changes: unless that person owns them';

CREATE FUNCTION seeme.apply_members(m seeme.mirrors, event text, mapped jsonb) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  rows jsonb;
  part record;
BEGIN
  -- Removed. What is gone already went with what contained it.
  SELECT coalesce(jsonb_agg(jsonb_build_object('id', h.membership)), '[]') AS rows,
         count(*) FILTER (WHERE NOT h.is_mirrored) AS others INTO part
    FROM seeme.members_here(m, mapped, 'o') h
   WHERE h.membership IS NOT NULL AND (h.v -> 'o' ->> 'counts')::boolean
     AND (h.v -> 'n' ->> 'counts')::boolean IS NOT TRUE;
  PERFORM seeme.require_changed(part.others, 0, 'memberships');
  IF part.rows <> '[]' THEN
    PERFORM seeme.require_changed(
      seeme.mirror_execute('DELETE FROM seeme.memberships t USING jsonb_to_recordset($1) AS r (id '
                           'uuid) WHERE t.id = r.id',
                           part.rows, false), jsonb_array_length(part.rows), 'memberships');
  END IF;

  -- Added. A table that was mirrored before finds its own rows.
  SELECT jsonb_agg(jsonb_build_object(
           'id', CASE WHEN h.is_seat THEN h.membership ELSE gen_random_uuid() END,
           'organization_id', h.organization, 'team_id', h.team, 'project_id', h.project,
             'user_id', h.member,
           'role_id', CASE WHEN NOT h.is_seat THEN seeme.mirrored_role(m, h.v -> 'n' ->> 'role_id',
             h.organization) END,
           'valid_from', h.v -> 'n' -> 'valid_from', 'valid_until', h.v -> 'n' -> 'valid_until',
           'is_seat', h.is_seat AND h.membership IS NOT NULL)) INTO rows
    FROM seeme.members_here(m, mapped, 'n') h
   WHERE (h.v -> 'n' ->> 'counts')::boolean AND (h.v -> 'o' ->> 'counts')::boolean IS NOT TRUE
     AND NOT (event = 'LOAD' AND h.is_mirrored);
  IF rows IS NOT NULL THEN
    PERFORM seeme.insert_members(m, rows);
  END IF;

  -- Changed. The seat's role and dates are not the table's to say.
  PERFORM seeme.require_manager(array_agg(DISTINCT h.organization), true)
     FROM seeme.members_here(m, mapped, 'n') h
    WHERE event = 'UPDATE' AND h.is_seat
      AND seeme.changed_columns(h.v) && '{role_id,valid_from,valid_until}';
  FOR part IN
    SELECT c.changed,
           jsonb_agg(jsonb_build_object('id', h.membership,
             'role_id', seeme.mirrored_role(m, h.v -> 'n' ->> 'role_id', h.organization),
             'valid_from', h.v -> 'n' -> 'valid_from', 'valid_until',
               h.v -> 'n' -> 'valid_until')) AS rows,
           count(*) FILTER (WHERE h.is_mirrored) AS mirrored
      FROM seeme.members_here(m, mapped, 'n') h,
           LATERAL (SELECT ARRAY(SELECT k FROM unnest(seeme.changed_columns(h.v)) AS k
                                  WHERE k IN ('role_id', 'valid_from',
                                    'valid_until')) AS changed) AS c
     WHERE (h.v -> 'n' ->> 'counts')::boolean AND NOT h.is_seat AND c.changed <> '{}'
       AND ((h.v -> 'o' ->> 'counts')::boolean OR event = 'LOAD' AND h.is_mirrored)
     GROUP BY 1 ORDER BY 1
  LOOP
    CONTINUE WHEN event = 'LOAD' AND part.mirrored = 0;
    PERFORM seeme.require_changed(part.mirrored, jsonb_array_length(part.rows), 'memberships');
    PERFORM seeme.require_changed(
      seeme.mirror_execute(format('UPDATE seeme.memberships t SET %s FROM jsonb_to_recordset($1) '
                                  'AS r '
                                  '(id uuid, role_id uuid, valid_from timestamptz, valid_until '
                                  'timestamptz) WHERE t.id = r.id',
                                  (SELECT string_agg(format('%1$I = r.%1$I', c), ', ')
                                    FROM unnest(part.changed) AS c)),
                           part.rows, false), jsonb_array_length(part.rows), 'memberships');
  END LOOP;
END $$;
COMMENT ON FUNCTION seeme.apply_members(seeme.mirrors, text, jsonb) IS
  'Makes the changes of a mirrored table of members here';

CREATE FUNCTION seeme.insert_members(m seeme.mirrors, rows jsonb) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  scope text := CASE m.kind WHEN 'team_members' THEN ', team_id' WHEN 'project_members'
    THEN ', project_id' ELSE '' END;
  seats jsonb;
  added jsonb;
BEGIN
  SELECT jsonb_agg(r) FILTER (WHERE (r ->> 'is_seat')::boolean),
    jsonb_agg(r) FILTER (WHERE NOT (r ->> 'is_seat')::boolean)
    INTO seats, added FROM jsonb_array_elements(rows) AS r;
  IF seats IS NOT NULL THEN
    PERFORM seeme.require_manager(ARRAY(
      SELECT DISTINCT r.organization_id
        FROM jsonb_to_recordset(seats) AS r (organization_id uuid)), false);
    INSERT INTO seeme.mirrored_rows (kind, id)
    SELECT m.kind, (r ->> 'id')::uuid FROM jsonb_array_elements(seats) AS r ON CONFLICT DO NOTHING;
  END IF;
  IF added IS NOT NULL THEN
    PERFORM seeme.require_changed(
      seeme.mirror_execute(format('INSERT INTO seeme.memberships (id, organization_id%1$s, '
                                  'user_id, role_id, valid_from, valid_until) '
                                  'SELECT r.id, r.organization_id%2$s, r.user_id, r.role_id, '
                                  'r.valid_from, r.valid_until '
                                  'FROM jsonb_to_recordset($1) AS r (id uuid, organization_id '
                                  'uuid, team_id uuid, project_id uuid, '
                                  'user_id uuid, role_id uuid, valid_from timestamptz, '
                                  'valid_until timestamptz)',
                                  scope, replace(scope, ', ', ', r.')),
                           added, false), jsonb_array_length(added), 'memberships');
    INSERT INTO seeme.mirrored_rows (kind, id)
    SELECT m.kind, (r ->> 'id')::uuid FROM jsonb_array_elements(added) AS r ON CONFLICT DO NOTHING;
  END IF;
END $$;
COMMENT ON FUNCTION seeme.insert_members(seeme.mirrors, jsonb) IS
  'Adds mirrored memberships; the owner''s seat, which there is, is only noted';
