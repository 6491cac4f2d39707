-- Logos, at most one for each organization, team or project. They have a table of their own, so
-- that listing organizations, teams or projects never reads an image.

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
  CONSTRAINT logos_media_type CHECK (
    media_type IN ('image/png', 'image/jpeg', 'image/webp', 'image/gif')),
  CONSTRAINT logos_team_of_the_same_organization FOREIGN KEY (team_id, organization_id)
    REFERENCES seeme.teams (id, organization_id) ON DELETE CASCADE,
  CONSTRAINT logos_project_of_the_same_organization FOREIGN KEY (project_id, organization_id)
    REFERENCES seeme.projects (id, organization_id) ON DELETE CASCADE
);
CREATE INDEX logos_team_id_idx ON seeme.logos (team_id) WHERE team_id IS NOT NULL;
CREATE INDEX logos_project_id_idx ON seeme.logos (project_id) WHERE project_id IS NOT NULL;
COMMENT ON TABLE seeme.logos IS
  'The logo of an organization (team_id and project_id are null), a team or a project';
COMMENT ON COLUMN seeme.logos.id IS 'Unique id';
COMMENT ON COLUMN seeme.logos.organization_id IS 'The organization';
COMMENT ON COLUMN seeme.logos.team_id IS 'The team, for a team''s logo';
COMMENT ON COLUMN seeme.logos.project_id IS 'The project, for a project''s logo';
COMMENT ON COLUMN seeme.logos.filename IS 'The name of the file that was uploaded';
COMMENT ON COLUMN seeme.logos.media_type IS 'image/png, image/jpeg, image/webp or image/gif';
COMMENT ON COLUMN seeme.logos.content IS 'The image, at most seeme_rbac.max_logo_size';
COMMENT ON COLUMN seeme.logos.created_at IS 'When it was added';

CREATE FUNCTION seeme.has_logo(organization uuid, team uuid, project uuid) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
RETURN EXISTS (SELECT FROM seeme.logos l
                WHERE l.organization_id = organization AND l.team_id IS NOT DISTINCT FROM team
                  AND l.project_id IS NOT DISTINCT FROM project);
COMMENT ON FUNCTION seeme.has_logo(uuid, uuid, uuid) IS
  'Whether an organization, team or project has a logo';

-- The assigned value does not matter: the trigger of the organization, team or project calls
-- seeme.has_logo() and sets the column.
CREATE FUNCTION seeme.note_logo() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  logo seeme.logos;
BEGIN
  PERFORM seeme.require_own_table(TG_TABLE_SCHEMA);
  logo := CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
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
COMMENT ON FUNCTION seeme.note_logo() IS 'Trigger: keeps has_logo true to the facts';
CREATE TRIGGER note_logo AFTER INSERT OR DELETE ON seeme.logos
  FOR EACH ROW EXECUTE FUNCTION seeme.note_logo();

CREATE FUNCTION seeme.media_type_of(content bytea) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
RETURN CASE
  WHEN substring(content FOR 8) = '\x89504e470d0a1a0a' THEN 'image/png'
  WHEN substring(content FOR 3) = '\xffd8ff' THEN 'image/jpeg'
  WHEN substring(content FOR 6) IN ('GIF87a'::bytea, 'GIF89a'::bytea) THEN 'image/gif'
  WHEN substring(content FOR 4) = 'RIFF'::bytea AND substring(content FROM 9 FOR 4) = 'WEBP'::bytea
    THEN 'image/webp'
END;
COMMENT ON FUNCTION seeme.media_type_of(bytea) IS
  'The type of an image by its first bytes: PNG, JPEG, GIF or WebP; null for anything else';

CREATE FUNCTION seeme.authorize_logo() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF NEW.project_id IS NOT NULL THEN
    PERFORM seeme.require_any('{projects:update}', TG_RELID, NULL, NULL, NEW.project_id);
  ELSIF NEW.team_id IS NOT NULL THEN
    PERFORM seeme.require_any('{teams:update}', TG_RELID, NULL, NEW.team_id);
  ELSE
    PERFORM seeme.require_any('{organizations:update}', TG_RELID, NEW.organization_id);
  END IF;
  RETURN NEW;
END $$;
COMMENT ON FUNCTION seeme.authorize_logo() IS 'Trigger: who may add a logo';

CREATE FUNCTION seeme.enforce_logo_rules() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  container_of uuid;
  found_type   text;
  max_size     bigint;
  rest         seeme.logos;
BEGIN
  PERFORM seeme.require_own_table(TG_TABLE_SCHEMA);
  IF seeme.restoring() THEN
    RETURN NEW;
  END IF;
  IF TG_OP = 'UPDATE' THEN
    NEW.created_at := OLD.created_at;
    -- These columns may change, and no others: also none that is added later.
    rest := NEW;
    rest.filename := OLD.filename;
    rest.media_type := OLD.media_type;
    rest.content := OLD.content;
    IF rest *<> OLD THEN
      RAISE EXCEPTION 'only the file of a logo changes'
        USING ERRCODE = 'check_violation', HINT = 'Delete the logo, and insert another one.';
    END IF;
  END IF;
  IF NEW.project_id IS NOT NULL THEN
    container_of := (SELECT p.organization_id FROM seeme.projects p WHERE p.id = NEW.project_id);
  ELSIF NEW.team_id IS NOT NULL THEN
    container_of := (SELECT t.organization_id FROM seeme.teams t WHERE t.id = NEW.team_id);
  ELSE
    container_of := NEW.organization_id;
  END IF;
  IF container_of IS NULL OR coalesce(NEW.organization_id, container_of) <> container_of THEN
    RAISE EXCEPTION 'there is no such team or project in this organization'
      USING ERRCODE = 'foreign_key_violation',
            HINT = 'Leave organization_id out: it is that of the team or project.';
  END IF;
  NEW.organization_id := container_of;
  NEW.filename := seeme.checked_text(NEW.filename, 'filename', 255);
  -- Browsers and the SDK also say image/jpg.
  IF NEW.media_type = 'image/jpg' THEN
    NEW.media_type := 'image/jpeg';
  END IF;
  found_type := seeme.media_type_of(NEW.content);
  max_size := pg_size_bytes(current_setting('seeme_rbac.max_logo_size'));
  IF octet_length(NEW.content) > max_size THEN
    RAISE EXCEPTION 'a logo of % bytes is too large', octet_length(NEW.content)
      USING ERRCODE = 'program_limit_exceeded',
            HINT = format('At most %s bytes (seeme_rbac.max_logo_size).', max_size);
  END IF;
  IF TG_OP = 'UPDATE' AND NEW.media_type = OLD.media_type THEN
    NEW.media_type := NULL;  -- the statement gave no type: the new content decides
  END IF;
  IF found_type IS NULL OR NEW.media_type IS NOT NULL AND NEW.media_type <> found_type THEN
    RAISE EXCEPTION 'this is not %',
        coalesce('an ' || NEW.media_type, 'an image that can be a logo')
      USING ERRCODE = 'invalid_parameter_value',
            HINT = 'PNG, JPEG, WebP or GIF, by the content; media_type may be left out.';
  END IF;
  NEW.media_type := found_type;
  RETURN NEW;
END $$;
COMMENT ON FUNCTION seeme.enforce_logo_rules() IS
  'Trigger: checks a logo''s organization, size and type; a logo may be replaced, not moved';
CREATE TRIGGER authorize BEFORE INSERT ON seeme.logos
  FOR EACH ROW EXECUTE FUNCTION seeme.authorize_logo();
CREATE TRIGGER prepare BEFORE INSERT OR UPDATE ON seeme.logos
  FOR EACH ROW EXECUTE FUNCTION seeme.enforce_logo_rules();

CREATE FUNCTION seeme.may_change(organization uuid, team uuid, project uuid) RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE
RETURN CASE
  WHEN project IS NOT NULL THEN
    @extschema@.seeme_has_permission('projects:update', project => project)
    AND seeme.lies_in(organization, NULL, project)
  WHEN team IS NOT NULL THEN
    @extschema@.seeme_has_permission('teams:update', team => team)
    AND seeme.lies_in(organization, team, NULL)
  ELSE
    @extschema@.seeme_has_permission('organizations:update', organization => organization) END;
COMMENT ON FUNCTION seeme.may_change(uuid, uuid, uuid) IS
  'Whether the asking person may change the organization, team or project itself';

-- People who see an organization, team or project see its logo: these are the policies of those
-- tables, asked by id.
ALTER TABLE seeme.logos ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY seeme_select ON seeme.logos FOR SELECT USING (
  team_id IS NULL AND project_id IS NULL AND seeme.is_member(organization_id)
  OR team_id IS NOT NULL AND seeme.holds_throughout('{teams:list,teams:read}', organization_id)
     AND seeme.is_in_use(organization_id, team => team_id)
  OR team_id IS NOT NULL AND seeme.is_direct_member(team => team_id)
  OR project_id IS NOT NULL
     AND seeme.holds_throughout('{projects:list,projects:read}', organization_id)
     AND seeme.is_in_use(organization_id, project => project_id)
  OR project_id IS NOT NULL
     AND seeme.holds_below('{projects:list,projects:read}', project => project_id)
  OR project_id IS NOT NULL AND seeme.is_direct_member(project => project_id));
CREATE POLICY seeme_insert ON seeme.logos FOR INSERT
  WITH CHECK (seeme.may_change(organization_id, team_id, project_id));
SELECT seeme.create_write_policy('seeme.logos', 'UPDATE',
  'seeme.may_change(organization_id, team_id, project_id)');
SELECT seeme.create_write_policy('seeme.logos', 'DELETE',
  'seeme.may_change(organization_id, team_id, project_id)');

SELECT pg_extension_config_dump('seeme.logos', '');
