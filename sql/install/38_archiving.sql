-- Archiving: an organization, a team or a project in which nobody holds anything for the time
-- being.
--
-- The evaluator reads what is archived as if it did not exist (src/core/store.c). Here is who may
-- archive, and who brings back.

COMMENT ON COLUMN seeme.organizations.archived_at IS
  'Since when nobody holds anything in it, the owner included; null: it is in use';
COMMENT ON COLUMN seeme.teams.archived_at IS
  'Since when nobody holds anything in it or through it; null: it is in use';
COMMENT ON COLUMN seeme.projects.archived_at IS
  'Since when nobody holds anything in it, the owner included; null: it is in use';

-- The second tells the evaluator whether any team is archived. The others serve the policies.
CREATE INDEX organizations_archived_idx ON seeme.organizations (id) WHERE archived_at IS NOT NULL;
CREATE INDEX teams_archived_idx ON seeme.teams (organization_id) WHERE archived_at IS NOT NULL;
CREATE INDEX projects_archived_idx ON seeme.projects (organization_id)
  WHERE archived_at IS NOT NULL;

CREATE FUNCTION seeme.may_archive(
  organization uuid, team uuid, project uuid, archived_at timestamptz) RETURNS boolean
LANGUAGE c STABLE PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'seeme_may_archive';
COMMENT ON FUNCTION seeme.may_archive(uuid, uuid, uuid, timestamptz) IS
  'Whether the asking person may archive an organization, or the team or project in it that is '
  'given: holds its :delete. Where archived_at says that it is archived: whether they own the '
  'organization, and so may bring it back.';

CREATE FUNCTION seeme.may_archive_row(organization uuid, team uuid, project uuid) RETURNS boolean
LANGUAGE c STABLE PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'seeme_may_archive_row';
COMMENT ON FUNCTION seeme.may_archive_row(uuid, uuid, uuid) IS
  'seeme.may_archive with the archived_at of the organization, team or project itself. For the '
  'policies of mirrored tables, which do not have that column.';

CREATE FUNCTION seeme.sees_unused(organization uuid, team uuid, project uuid) RETURNS boolean
LANGUAGE c STABLE PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'seeme_sees_unused';
COMMENT ON FUNCTION seeme.sees_unused(uuid, uuid, uuid) IS
  'Whether the asking person sees a team or project for which seeme.is_in_use is false: it is '
  'archived in an organization that they own, or is not there yet in an organization to which they '
  'belong. Of an organization: whether they own it, or it is not there yet. Of a project with a '
  'team: whether it lies in that team, or is not there yet. For the policies of mirrored tables.';

CREATE FUNCTION seeme.may_bring_back(organization uuid) RETURNS boolean
LANGUAGE c STABLE STRICT PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'seeme_may_bring_back';
COMMENT ON FUNCTION seeme.may_bring_back(uuid) IS
  'Whether the asking person owns an organization, archived or not';

CREATE FUNCTION seeme.authorize_archiving() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  kind         text := TG_ARGV[0];
  organization uuid;
  team         uuid;
  project      uuid;
BEGIN
  IF seeme.restoring() THEN
    RETURN NEW;
  END IF;
  -- Clocks of different machines differ a little.
  IF NEW.archived_at > clock_timestamp() + interval '1 minute' THEN
    RAISE EXCEPTION 'a % is archived at once, and not at a time to come', kind
      USING ERRCODE = 'invalid_parameter_value', HINT = 'Set archived_at to now().';
  END IF;
  IF NEW.archived_at IS NOT NULL THEN
    NEW.archived_at := least(NEW.archived_at, clock_timestamp());
  END IF;
  IF TG_OP = 'INSERT' OR NOT row_security_active(TG_RELID) THEN
    RETURN NEW;
  END IF;

  IF kind = 'organization' THEN
    organization := OLD.id;
  ELSE
    organization := OLD.organization_id;
    team := CASE kind WHEN 'team' THEN OLD.id END;
    project := CASE kind WHEN 'project' THEN OLD.id END;
  END IF;
  IF (NEW.archived_at IS NULL) <> (OLD.archived_at IS NULL)
     AND NOT seeme.may_archive(organization, team, project, OLD.archived_at) THEN
    RAISE EXCEPTION 'you may not % this %',
        CASE WHEN OLD.archived_at IS NULL THEN 'archive' ELSE 'bring back' END, kind
      USING ERRCODE = 'insufficient_privilege',
            HINT = format('Archiving needs %ss:delete. The owner of the organization brings back.',
              kind);
  END IF;
  -- Archiving changes nothing else; what is archived does not change.
  IF NEW.archived_at IS NOT NULL
     AND to_jsonb(NEW) - '{archived_at,updated_at}'::text[]
         <> to_jsonb(OLD) - '{archived_at,updated_at}'::text[]
     AND NOT coalesce(CASE kind
       WHEN 'project' THEN @extschema@.seeme_has_permission('projects:update', project => project)
       WHEN 'team' THEN @extschema@.seeme_has_permission('teams:update', team => team)
       ELSE @extschema@.seeme_has_permission('organizations:update', organization => organization)
       END, false) THEN
    RAISE EXCEPTION 'this % is archived', kind
      USING ERRCODE = 'insufficient_privilege', HINT = 'Bring it back first: archived_at = NULL.';
  END IF;
  RETURN NEW;
END $$;
COMMENT ON FUNCTION seeme.authorize_archiving() IS
  'Trigger: who may archive and bring back; what is archived does not change meanwhile';

DO $$
DECLARE
  kind text;
BEGIN
  FOREACH kind IN ARRAY '{organization,team,project}'::text[] LOOP
    EXECUTE format('CREATE TRIGGER authorize_archived BEFORE INSERT ON seeme.%I FOR EACH ROW '
                   'WHEN (NEW.archived_at IS NOT NULL) '
                   'EXECUTE FUNCTION seeme.authorize_archiving(%L)', kind || 's', kind);
    EXECUTE format('CREATE TRIGGER authorize_archiving BEFORE UPDATE ON seeme.%I FOR EACH ROW '
                   'WHEN (NEW.archived_at IS NOT NULL OR OLD.archived_at IS NOT NULL) '
                   'EXECUTE FUNCTION seeme.authorize_archiving(%L)', kind || 's', kind);
  END LOOP;
END $$;

-- Of what is archived, the owner alone sees the row, to bring it back. An organization is seen by
-- its members while it is in use, and by its owner.
DO $$
DECLARE
  kind      text;
  condition text;
BEGIN
  FOREACH kind IN ARRAY '{team,project}'::text[] LOOP
    SELECT pg_get_expr(y.polqual, y.polrelid) INTO STRICT condition FROM pg_policy y
     WHERE y.polrelid = format('seeme.%I', kind || 's')::regclass AND y.polname = 'seeme_select';
    EXECUTE format('ALTER POLICY seeme_select ON seeme.%I USING ((%s) AND (archived_at IS NULL '
                   'OR seeme.may_archive(organization_id, %s, archived_at)))', kind || 's',
                     condition,
                   CASE kind WHEN 'team' THEN 'id, NULL' ELSE 'NULL, id' END);
  END LOOP;
END $$;

-- The row as it was: whoever may change it, archive it or bring it back. As it is to be: in use, it
-- is changed by who may change it, or brought back by the owner; archived, the trigger has asked.
ALTER POLICY seeme_update ON seeme.organizations
  USING (@extschema@.seeme_has_permission('organizations:update', organization => id)
         OR seeme.may_archive(id, NULL, NULL, archived_at))
  WITH CHECK (@extschema@.seeme_has_permission('organizations:update', organization => id)
              OR archived_at IS NOT NULL OR seeme.may_bring_back(id));
ALTER POLICY seeme_update ON seeme.teams
  USING (@extschema@.seeme_has_permission('teams:update', team => id)
         OR seeme.may_archive(organization_id, id, NULL, archived_at))
  WITH CHECK (@extschema@.seeme_has_permission('teams:update', team => id)
              OR archived_at IS NOT NULL OR seeme.may_bring_back(organization_id));
ALTER POLICY seeme_update ON seeme.projects
  USING (@extschema@.seeme_has_permission('projects:update', project => id)
         OR seeme.may_archive(organization_id, NULL, id, archived_at))
  WITH CHECK (@extschema@.seeme_has_permission('projects:update', project => id)
              OR archived_at IS NOT NULL OR seeme.may_bring_back(organization_id));
