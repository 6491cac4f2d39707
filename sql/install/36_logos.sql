-- Logos, one row a thing, apart from the things: listing them never reads an image.

CREATE TABLE seeme.logos (
  id              uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  organization_id uuid NOT NULL REFERENCES seeme.organizations (id) ON DELETE CASCADE,
  team_id         uuid,
  project_id      uuid,
  filename        text NOT NULL,
  media_type      text NOT NULL,
  content         bytea NOT NULL,
  created_at      timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT logos_thing_key UNIQUE NULLS NOT DISTINCT (organization_id, team_id, project_id),
  CONSTRAINT logos_one_thing CHECK (team_id IS NULL OR project_id IS NULL),
  CONSTRAINT logos_media_type CHECK (media_type IN ('image/png', 'image/jpeg', 'image/webp', 'image/gif')),
  CONSTRAINT logos_content_length CHECK (octet_length(content) BETWEEN 1 AND 5242880),
  CONSTRAINT logos_team_of_the_same_organization FOREIGN KEY (team_id, organization_id)
    REFERENCES seeme.teams (id, organization_id) ON DELETE CASCADE,
  CONSTRAINT logos_project_of_the_same_organization FOREIGN KEY (project_id, organization_id)
    REFERENCES seeme.projects (id, organization_id) ON DELETE CASCADE
);
CREATE INDEX logos_team_id_idx ON seeme.logos (team_id) WHERE team_id IS NOT NULL;
CREATE INDEX logos_project_id_idx ON seeme.logos (project_id) WHERE project_id IS NOT NULL;
COMMENT ON TABLE seeme.logos IS 'The logo of an organization (team_id and project_id null), a team or a project';
COMMENT ON COLUMN seeme.logos.id IS 'Unique id';
COMMENT ON COLUMN seeme.logos.organization_id IS 'The organization';
COMMENT ON COLUMN seeme.logos.team_id IS 'The team, for a team''s logo';
COMMENT ON COLUMN seeme.logos.project_id IS 'The project, for a project''s logo';
COMMENT ON COLUMN seeme.logos.filename IS 'The name of the file that was uploaded';
COMMENT ON COLUMN seeme.logos.media_type IS 'image/png, image/jpeg, image/webp or image/gif';
COMMENT ON COLUMN seeme.logos.content IS 'The image, at most 5 MiB';

CREATE FUNCTION seeme.has_logo(organization uuid, team uuid, project uuid) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
RETURN EXISTS (SELECT FROM seeme.logos l
                WHERE l.organization_id = organization AND l.team_id IS NOT DISTINCT FROM team
                  AND l.project_id IS NOT DISTINCT FROM project);
COMMENT ON FUNCTION seeme.has_logo(uuid, uuid, uuid) IS 'Whether an organization, team or project has a logo';

-- Touching the thing is enough: its own trigger looks here.
CREATE FUNCTION seeme.note_logo() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  logo seeme.logos := CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
BEGIN
  PERFORM seeme.require_own_table(TG_TABLE_SCHEMA);
  IF seeme.restoring() THEN
    RETURN NULL;
  END IF;
  IF logo.project_id IS NOT NULL THEN
    UPDATE seeme.projects p SET has_logo = true WHERE p.id = logo.project_id;
  ELSIF logo.team_id IS NOT NULL THEN
    UPDATE seeme.teams t SET has_logo = true WHERE t.id = logo.team_id;
  ELSE
    UPDATE seeme.organizations o SET has_logo = true WHERE o.id = logo.organization_id;
  END IF;
  RETURN NULL;
END $$;
COMMENT ON FUNCTION seeme.note_logo() IS 'Trigger: has_logo is always true to the facts';
CREATE TRIGGER note_logo AFTER INSERT OR DELETE ON seeme.logos
  FOR EACH ROW EXECUTE FUNCTION seeme.note_logo();

CREATE FUNCTION seeme.keep_logo() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF (NEW.id, NEW.organization_id, NEW.team_id, NEW.project_id)
     IS DISTINCT FROM (OLD.id, OLD.organization_id, OLD.team_id, OLD.project_id) THEN
    RAISE EXCEPTION 'a logo stays with its thing' USING ERRCODE = 'check_violation', HINT = 'Delete it, and insert another.';
  END IF;
  RETURN NEW;
END $$;
COMMENT ON FUNCTION seeme.keep_logo() IS 'Trigger: a logo is replaced, never moved';
CREATE TRIGGER keep_logo BEFORE UPDATE ON seeme.logos
  FOR EACH ROW EXECUTE FUNCTION seeme.keep_logo();

CREATE FUNCTION seeme.may_change(organization uuid, team uuid, project uuid) RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE
RETURN CASE
  WHEN project IS NOT NULL THEN @extschema@.seeme_has_permission('projects:update', project => project)
                                AND seeme.lies_in(organization, NULL, project)
  WHEN team IS NOT NULL THEN @extschema@.seeme_has_permission('teams:update', team => team)
                             AND seeme.lies_in(organization, team, NULL)
  ELSE @extschema@.seeme_has_permission('organizations:update', organization => organization) END;
COMMENT ON FUNCTION seeme.may_change(uuid, uuid, uuid) IS
  'Whether the asking person may change the organization, team or project itself';

-- Who sees the thing sees its logo: the sub-selects are under the thing's own policy.
ALTER TABLE seeme.logos ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY seeme_select ON seeme.logos FOR SELECT USING (CASE
  WHEN project_id IS NOT NULL THEN EXISTS (SELECT FROM seeme.projects p WHERE p.id = project_id)
  WHEN team_id IS NOT NULL THEN EXISTS (SELECT FROM seeme.teams t WHERE t.id = team_id)
  ELSE EXISTS (SELECT FROM seeme.organizations o WHERE o.id = organization_id) END);
CREATE POLICY seeme_insert ON seeme.logos FOR INSERT WITH CHECK (seeme.may_change(organization_id, team_id, project_id));
SELECT seeme.create_write_policy('seeme.logos', 'UPDATE',
  'seeme.may_change({row}.organization_id, {row}.team_id, {row}.project_id)');
SELECT seeme.create_write_policy('seeme.logos', 'DELETE',
  'seeme.may_change({row}.organization_id, {row}.team_id, {row}.project_id)');

SELECT pg_extension_config_dump('seeme.logos', '');
