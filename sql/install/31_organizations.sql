-- Organizations, teams and projects: what memberships and roles apply to.

CREATE TABLE seeme.organizations (
  id          uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  name        text NOT NULL,
  description text,
  slug        text NOT NULL CONSTRAINT organizations_slug_key UNIQUE,
  website     text,
  owner_id    uuid NOT NULL REFERENCES seeme.users (id),
  has_logo    boolean NOT NULL DEFAULT false,
  created_at  timestamptz NOT NULL DEFAULT now(),
  updated_at  timestamptz NOT NULL DEFAULT now(),
  archived_at timestamptz,
  CONSTRAINT organizations_name_is_given CHECK (name <> ''),
  CONSTRAINT organizations_slug_is_valid CHECK (slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$' AND length(slug) <= 63)
);
CREATE INDEX organizations_owner_id_idx ON seeme.organizations (owner_id);
COMMENT ON TABLE seeme.organizations IS 'Organizations (tenants). The owner holds everything in one.';
COMMENT ON COLUMN seeme.organizations.id IS 'Unique id';
COMMENT ON COLUMN seeme.organizations.name IS 'Organization name';
COMMENT ON COLUMN seeme.organizations.description IS 'Description';
COMMENT ON COLUMN seeme.organizations.slug IS 'URL-friendly identifier, unique everywhere; made from the name when not given';
COMMENT ON COLUMN seeme.organizations.website IS 'Website';
COMMENT ON COLUMN seeme.organizations.owner_id IS 'User id of the owner: exactly one, always a member';
COMMENT ON COLUMN seeme.organizations.has_logo IS 'Whether it has a logo; follows seeme.logos';
COMMENT ON COLUMN seeme.organizations.created_at IS 'When it was added';
COMMENT ON COLUMN seeme.organizations.updated_at IS 'When it was last changed';

CREATE TABLE seeme.teams (
  id              uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  organization_id uuid NOT NULL REFERENCES seeme.organizations (id) ON DELETE CASCADE,
  name            text NOT NULL,
  description     text,
  slug            text NOT NULL,
  has_logo        boolean NOT NULL DEFAULT false,
  created_at      timestamptz NOT NULL DEFAULT now(),
  updated_at      timestamptz NOT NULL DEFAULT now(),
  archived_at     timestamptz,
  CONSTRAINT teams_slug_key UNIQUE (organization_id, slug),
  CONSTRAINT teams_id_organization_id_key UNIQUE (id, organization_id),
  CONSTRAINT teams_name_is_given CHECK (name <> ''),
  CONSTRAINT teams_slug_is_valid CHECK (slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$' AND length(slug) <= 63)
);
COMMENT ON TABLE seeme.teams IS 'Teams of an organization';
COMMENT ON COLUMN seeme.teams.id IS 'Unique id';
COMMENT ON COLUMN seeme.teams.organization_id IS 'Parent organization; never changes';
COMMENT ON COLUMN seeme.teams.name IS 'Team name';
COMMENT ON COLUMN seeme.teams.description IS 'Description';
COMMENT ON COLUMN seeme.teams.slug IS 'URL-friendly identifier, unique in the organization; made from the name when not given';
COMMENT ON COLUMN seeme.teams.has_logo IS 'Whether it has a logo; follows seeme.logos';
COMMENT ON COLUMN seeme.teams.created_at IS 'When it was added';
COMMENT ON COLUMN seeme.teams.updated_at IS 'When it was last changed';

CREATE TABLE seeme.projects (
  id              uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  organization_id uuid NOT NULL REFERENCES seeme.organizations (id) ON DELETE CASCADE,
  team_id         uuid,
  name            text NOT NULL,
  description     text,
  slug            text NOT NULL,
  has_logo        boolean NOT NULL DEFAULT false,
  created_at      timestamptz NOT NULL DEFAULT now(),
  updated_at      timestamptz NOT NULL DEFAULT now(),
  archived_at     timestamptz,
  CONSTRAINT projects_slug_key UNIQUE (organization_id, slug),
  CONSTRAINT projects_id_organization_id_key UNIQUE (id, organization_id),
  CONSTRAINT projects_team_of_the_same_organization FOREIGN KEY (team_id, organization_id)
    REFERENCES seeme.teams (id, organization_id) ON DELETE SET NULL (team_id),
  CONSTRAINT projects_name_is_given CHECK (name <> ''),
  CONSTRAINT projects_slug_is_valid CHECK (slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$' AND length(slug) <= 63)
);
-- The first sight of a project, as of a person
CREATE INDEX projects_id_idx ON seeme.projects USING hash (id);
CREATE INDEX projects_team_id_idx ON seeme.projects (team_id);
COMMENT ON TABLE seeme.projects IS 'Projects of an organization: they group resources';
COMMENT ON COLUMN seeme.projects.id IS 'Unique id';
COMMENT ON COLUMN seeme.projects.organization_id IS 'Parent organization; never changes';
COMMENT ON COLUMN seeme.projects.team_id IS 'Associated team of the same organization, if any';
COMMENT ON COLUMN seeme.projects.name IS 'Project name';
COMMENT ON COLUMN seeme.projects.description IS 'Description';
COMMENT ON COLUMN seeme.projects.slug IS 'URL-friendly identifier, unique in the organization; made from the name when not given';
COMMENT ON COLUMN seeme.projects.has_logo IS 'Whether it has a logo; follows seeme.logos';
COMMENT ON COLUMN seeme.projects.created_at IS 'When it was added';
COMMENT ON COLUMN seeme.projects.updated_at IS 'When it was last changed';

-- What a person must hold to add a row. It says what a policy says too, and runs before anything else of an INSERT
-- does, so that no later error (a slug that is taken) tells an outsider anything, and so that the refusal has a name.
CREATE FUNCTION seeme.require_any(
  permissions text[], relation regclass, organization uuid, team uuid = NULL, project uuid = NULL) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  code text;
BEGIN
  IF NOT row_security_active(relation) THEN
    RETURN;
  END IF;
  FOREACH code IN ARRAY permissions LOOP
    IF project IS NOT NULL AND @extschema@.seeme_has_permission(code, project => project)
       OR team IS NOT NULL AND @extschema@.seeme_has_permission(code, team => team)
       OR organization IS NOT NULL AND @extschema@.seeme_has_permission(code, organization => organization) THEN
      RETURN;
    END IF;
  END LOOP;
  RAISE EXCEPTION 'you do not hold % in this %', array_to_string(permissions, ' or '),
      CASE WHEN project IS NOT NULL THEN 'project' WHEN team IS NOT NULL THEN 'team' ELSE 'organization' END
    USING ERRCODE = 'insufficient_privilege';
END $$;
COMMENT ON FUNCTION seeme.require_any(text[], regclass, uuid, uuid, uuid) IS
  'Raises 42501 unless the asking person holds one of the codes in one of the scopes, or row security does not apply to the current user on that table';

CREATE FUNCTION seeme.authorize_organization() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF NOT row_security_active(TG_RELID) THEN
    IF TG_OP = 'UPDATE' AND NEW.owner_id IS DISTINCT FROM OLD.owner_id THEN
      -- Nobody's membership changes meanwhile (prepare_membership).
      PERFORM FROM seeme.organizations o WHERE o.id = OLD.id FOR UPDATE;
    END IF;
    RETURN NEW;
  END IF;
  IF TG_OP = 'UPDATE' AND NEW.owner_id IS DISTINCT FROM OLD.owner_id THEN
    RAISE EXCEPTION 'an organization''s owner does not change by UPDATE'
      USING ERRCODE = 'insufficient_privilege', HINT = 'The owner calls seeme_transfer_ownership().';
  ELSIF TG_OP = 'INSERT' AND @extschema@.seeme_user_id() IS NULL THEN
    RAISE EXCEPTION 'nobody is identified who could own this organization'
      USING ERRCODE = 'insufficient_privilege', HINT = 'Assume a person, or connect with that person''s database role.';
  END IF;
  RETURN NEW;
END $$;
COMMENT ON FUNCTION seeme.authorize_organization() IS 'Trigger: who may add an organization, and that its owner does not change by UPDATE';

CREATE FUNCTION seeme.authorize_team() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM seeme.require_any('{teams:create}', TG_RELID, NEW.organization_id);
  RETURN NEW;
END $$;
COMMENT ON FUNCTION seeme.authorize_team() IS 'Trigger: who may add a team; before, and after a wait';

CREATE FUNCTION seeme.authorize_project() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM seeme.require_any('{projects:create}', TG_RELID, NEW.organization_id, NEW.team_id);
  RETURN NEW;
END $$;
COMMENT ON FUNCTION seeme.authorize_project() IS 'Trigger: who may add a project; before, and after a wait';

CREATE FUNCTION seeme.slug_base(name text, fallback text) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN coalesce(nullif(btrim(left(btrim(regexp_replace(lower(
  -- From PostgreSQL 18 on, a plan is made for the values at hand. What normalizes a constant is worked out then, also where CASE
  -- would not come to it, and fails in another encoding. A sub-select's value is never known that early.
  coalesce(regexp_replace(normalize((SELECT name WHERE getdatabaseencoding() = 'UTF8'), NFKD), '[\u0300-\u036F]', '', 'g'), name) COLLATE "C"),
  '[^a-z0-9]+', '-', 'g'), '-'), 50), '-'), ''), fallback);
COMMENT ON FUNCTION seeme.slug_base(text, text) IS 'A name as a slug: lower-case letters without accents, digits, and single hyphens, at most 50; the fallback when nothing is left';

-- Ids of what was deleted. Rows of applications and entries of the log still bear them: who took such an id for something new
-- would own what they speak of.
CREATE TABLE seeme.retired_ids (
  id         uuid PRIMARY KEY,
  table_name text NOT NULL,
  retired_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE seeme.retired_ids IS 'Ids of deleted organizations, teams and projects, which nobody but privileged code uses again; and of invitations that ended while somebody was accepting them';
COMMENT ON COLUMN seeme.retired_ids.id IS 'The id';
COMMENT ON COLUMN seeme.retired_ids.table_name IS 'What it was the id of';
COMMENT ON COLUMN seeme.retired_ids.retired_at IS 'When that was deleted';
ALTER TABLE seeme.retired_ids ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
SELECT pg_extension_config_dump('seeme.retired_ids', '');

CREATE FUNCTION seeme.retire_id() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM seeme.require_own_table(TG_TABLE_SCHEMA);
  INSERT INTO seeme.retired_ids (id, table_name) VALUES (OLD.id, TG_TABLE_NAME) ON CONFLICT DO NOTHING;
  RETURN NULL;
END $$;
COMMENT ON FUNCTION seeme.retire_id() IS 'Trigger: remembers the id of what is deleted';

CREATE FUNCTION seeme.revive_id(row_id uuid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF seeme.nobody_asks() THEN
    DELETE FROM seeme.retired_ids r WHERE r.id = row_id;
  ELSIF EXISTS (SELECT FROM seeme.retired_ids r WHERE r.id = row_id) THEN
    RAISE EXCEPTION 'this id is taken' USING ERRCODE = 'unique_violation', HINT = 'Leave it out to have one made.';
  END IF;
END $$;
COMMENT ON FUNCTION seeme.revive_id(uuid) IS 'Raises 23505 when the id was that of something deleted, unless privileged code uses it again';

CREATE FUNCTION seeme.checked_name(name text, kind text) RETURNS text
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  checked text := seeme.checked_text(name, 'name', 200);
BEGIN
  IF checked = '' THEN
    RAISE EXCEPTION 'a % needs a name', kind USING ERRCODE = 'check_violation', HINT = 'It may not be empty.';
  END IF;
  RETURN checked;
END $$;
COMMENT ON FUNCTION seeme.checked_name(text, text) IS 'The name without surrounding white space; raises 22001 when it is too long, 23514 when it is empty';

-- The slug of a row of seeme.TABLE_NAME: the one given, if it is valid and free; else one made from the name.
CREATE FUNCTION seeme.settled_slug(
  table_name name, kind text, organization uuid, row_id uuid, row_name text, given text, former text) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  base   text := seeme.slug_base(row_name, kind);
  slug   text := coalesce(given, former, base);
  n      int := 1;
  taken  boolean;
BEGIN
  IF slug = former OR row_name IS NULL THEN
    RETURN slug;
  END IF;
  IF given IS NULL THEN  -- two sessions that make the same one wait for each other
    PERFORM seeme.lock(format('seeme.%I', table_name)::regclass, concat_ws(' ', organization, base));
  ELSIF slug !~ '^[a-z0-9]+(-[a-z0-9]+)*$' OR length(slug) > 63 THEN
    RAISE EXCEPTION '"%" is not a slug', left(slug, 100)
      USING ERRCODE = 'check_violation',
            HINT = format('Lower-case letters, digits and single hyphens, at most 63: "%s".', seeme.slug_base(slug, kind));
  END IF;
  LOOP
    EXECUTE format('SELECT EXISTS (SELECT FROM seeme.%I WHERE slug = $1 AND id IS DISTINCT FROM $2 AND %s)', table_name,
                   CASE WHEN organization IS NULL THEN 'true' ELSE 'organization_id = $3' END)
      INTO taken USING slug, row_id, organization;
    EXIT WHEN NOT taken;
    IF given IS NOT NULL THEN
      RAISE EXCEPTION 'the slug "%" is taken', slug
        USING ERRCODE = 'unique_violation', HINT = 'Choose another, or leave it out to have one made from the name.',
              SCHEMA = 'seeme', TABLE = table_name, CONSTRAINT = table_name || '_slug_key';
    END IF;
    n := n + 1;
    slug := base || '-' || n;
  END LOOP;
  RETURN slug;
END $$;
COMMENT ON FUNCTION seeme.settled_slug(name, text, uuid, uuid, text, text, text) IS
  'The slug of an organization (organization null), team or project: given, else as it was, else made from the name with a number when taken. Raises 23514 for one that is not valid, 23505 for one that is taken.';

CREATE FUNCTION seeme.prepare_organization() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  person uuid := @extschema@.seeme_user_id();
  former text;
BEGIN
  PERFORM seeme.require_own_table(TG_TABLE_SCHEMA);
  IF seeme.restoring() THEN
    RETURN NEW;
  END IF;
  IF TG_OP = 'INSERT' THEN
    PERFORM seeme.revive_id(NEW.id);
    NEW.has_logo := false;
    IF seeme.nobody_asks() THEN
      IF NEW.owner_id IS NULL THEN
        RAISE EXCEPTION 'an organization needs an owner'
          USING ERRCODE = 'not_null_violation', HINT = 'Nobody is identified, so say owner_id.';
      END IF;
    ELSIF NEW.owner_id IS DISTINCT FROM person AND NEW.owner_id IS NOT NULL THEN
      RAISE EXCEPTION 'who creates an organization owns it'
        USING ERRCODE = 'insufficient_privilege', HINT = 'Leave owner_id out, and call seeme_transfer_ownership() later.';
    ELSE
      NEW.owner_id := person;
    END IF;
  ELSE
    IF NEW.id IS DISTINCT FROM OLD.id THEN
      RAISE EXCEPTION 'the id of an organization never changes' USING ERRCODE = 'check_violation';
    END IF;
    NEW.has_logo := seeme.has_logo(NEW.id, NULL, NULL);
    NEW.created_at := OLD.created_at;
    NEW.updated_at := now();
    former := OLD.slug;
  END IF;
  NEW.name := seeme.checked_name(NEW.name, 'organization');
  NEW.description := seeme.checked_text(NEW.description, 'description', 10000);
  NEW.website := seeme.checked_text(NEW.website, 'website', 2000);
  NEW.slug := seeme.settled_slug(TG_TABLE_NAME, 'organization', NULL, NEW.id, NEW.name, NEW.slug, former);
  RETURN NEW;
END $$;
COMMENT ON FUNCTION seeme.prepare_organization() IS 'Trigger: owner, slug and texts of an organization; what of it never changes';

CREATE FUNCTION seeme.prepare_team() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  former text;
BEGIN
  PERFORM seeme.require_own_table(TG_TABLE_SCHEMA);
  IF seeme.restoring() THEN
    RETURN NEW;
  END IF;
  IF TG_OP = 'INSERT' THEN
    PERFORM seeme.revive_id(NEW.id);
    NEW.has_logo := false;
  ELSE
    IF (NEW.id, NEW.organization_id) IS DISTINCT FROM (OLD.id, OLD.organization_id) THEN
      RAISE EXCEPTION 'the id and the organization of a team never change' USING ERRCODE = 'check_violation';
    END IF;
    NEW.has_logo := seeme.has_logo(NEW.organization_id, NEW.id, NULL);
    NEW.created_at := OLD.created_at;
    NEW.updated_at := now();
    former := OLD.slug;
  END IF;
  NEW.name := seeme.checked_name(NEW.name, 'team');
  NEW.description := seeme.checked_text(NEW.description, 'description', 10000);
  IF NEW.organization_id IS NOT NULL THEN
    NEW.slug := seeme.settled_slug(TG_TABLE_NAME, 'team', NEW.organization_id, NEW.id, NEW.name, NEW.slug, former);
  END IF;
  RETURN NEW;
END $$;
COMMENT ON FUNCTION seeme.prepare_team() IS 'Trigger: slug and texts of a team; what of it never changes';

CREATE FUNCTION seeme.prepare_project() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  former      text;
  former_team uuid;
BEGIN
  PERFORM seeme.require_own_table(TG_TABLE_SCHEMA);
  IF seeme.restoring() THEN
    RETURN NEW;
  END IF;
  IF TG_OP = 'INSERT' THEN
    PERFORM seeme.revive_id(NEW.id);
    NEW.has_logo := false;
    IF NEW.organization_id IS NULL THEN
      NEW.organization_id := (SELECT t.organization_id FROM seeme.teams t WHERE t.id = NEW.team_id);
    END IF;
  ELSE
    IF (NEW.id, NEW.organization_id) IS DISTINCT FROM (OLD.id, OLD.organization_id) THEN
      RAISE EXCEPTION 'the id and the organization of a project never change' USING ERRCODE = 'check_violation';
    END IF;
    NEW.has_logo := seeme.has_logo(NEW.organization_id, NULL, NEW.id);
    NEW.created_at := OLD.created_at;
    NEW.updated_at := now();
    former := OLD.slug;
    former_team := OLD.team_id;
  END IF;
  IF NEW.team_id IS DISTINCT FROM former_team AND NEW.team_id IS NOT NULL AND NOT EXISTS (
       SELECT FROM seeme.teams t WHERE t.id = NEW.team_id AND t.organization_id = NEW.organization_id) THEN
    RAISE EXCEPTION 'there is no such team in this organization'
      USING ERRCODE = 'foreign_key_violation', HINT = 'A project''s team is one of its own organization.';
  END IF;
  IF TG_OP = 'UPDATE' AND NEW.team_id IS DISTINCT FROM former_team THEN
    PERFORM seeme.require_team_move(NEW.id, former_team, NEW.team_id);
  END IF;
  NEW.name := seeme.checked_name(NEW.name, 'project');
  NEW.description := seeme.checked_text(NEW.description, 'description', 10000);
  IF NEW.organization_id IS NOT NULL THEN
    NEW.slug := seeme.settled_slug(TG_TABLE_NAME, 'project', NEW.organization_id, NEW.id, NEW.name, NEW.slug, former);
  END IF;
  RETURN NEW;
END $$;
COMMENT ON FUNCTION seeme.prepare_project() IS 'Trigger: organization, slug and texts of a project; what of it never changes';

-- Rule 7.1 for a project's team: what the members of a team hold there, they come to hold in a project
-- that moves to it, and cease to hold in one that leaves.
CREATE FUNCTION seeme.require_team_move(project uuid, old_team uuid, new_team uuid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  missing text[];
BEGIN
  IF seeme.nobody_asks()
     OR new_team IS NULL AND NOT EXISTS (SELECT FROM seeme.teams t WHERE t.id = old_team) THEN
    RETURN;  -- privileged code, or the team itself is being deleted
  END IF;
  IF new_team IS NOT NULL AND NOT @extschema@.seeme_has_permission('projects:update', team => new_team) THEN
    RAISE EXCEPTION 'you do not hold projects:update in this team' USING ERRCODE = 'insufficient_privilege';
  END IF;
  -- Nobody joins either team until this transaction ends.
  PERFORM FROM seeme.teams t WHERE t.id IN (old_team, new_team) ORDER BY t.id FOR UPDATE;
  missing := ARRAY(
    SELECT code FROM unnest(ARRAY[old_team, new_team]) AS team, unnest(seeme.missing_in_team(team, project)) AS code
     GROUP BY code ORDER BY code COLLATE "C");
  IF cardinality(missing) > 0 THEN
    RAISE EXCEPTION 'you do not hold % in this project', array_to_string(missing, ', ')
      USING ERRCODE = 'insufficient_privilege',
            HINT = 'Moving a project to another team gives its members, and takes from the former team''s, what their roles hold.';
  END IF;
END $$;
COMMENT ON FUNCTION seeme.require_team_move(uuid, uuid, uuid) IS
  'Raises 42501 unless the asking person may move the project from one team (or null) to another (or null)';

CREATE TRIGGER authorize BEFORE INSERT ON seeme.organizations
  FOR EACH ROW EXECUTE FUNCTION seeme.authorize_organization();
CREATE TRIGGER authorize_owner BEFORE UPDATE ON seeme.organizations
  FOR EACH ROW EXECUTE FUNCTION seeme.authorize_organization();
CREATE TRIGGER authorize BEFORE INSERT ON seeme.teams
  FOR EACH ROW EXECUTE FUNCTION seeme.authorize_team();
CREATE TRIGGER authorize BEFORE INSERT ON seeme.projects
  FOR EACH ROW EXECUTE FUNCTION seeme.authorize_project();
CREATE TRIGGER prepare BEFORE INSERT OR UPDATE ON seeme.organizations
  FOR EACH ROW EXECUTE FUNCTION seeme.prepare_organization();
CREATE TRIGGER prepare BEFORE INSERT OR UPDATE ON seeme.teams
  FOR EACH ROW EXECUTE FUNCTION seeme.prepare_team();
CREATE TRIGGER prepare BEFORE INSERT OR UPDATE ON seeme.projects
  FOR EACH ROW EXECUTE FUNCTION seeme.prepare_project();

CREATE FUNCTION seeme.check_id() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM seeme.require_own_table(TG_TABLE_SCHEMA);
  IF NOT seeme.nobody_asks() AND seeme.is_retired(NEW.id) THEN
    RAISE EXCEPTION 'this id is taken' USING ERRCODE = 'unique_violation', HINT = 'Leave it out to have one made.';
  END IF;
  RETURN NULL;
END $$;
COMMENT ON FUNCTION seeme.check_id() IS 'Trigger: asks about a retired id again, now that the INSERT has waited for whoever was deleting its bearer';
CREATE TRIGGER check_id AFTER INSERT ON seeme.organizations FOR EACH ROW EXECUTE FUNCTION seeme.check_id();
CREATE TRIGGER check_id AFTER INSERT ON seeme.teams FOR EACH ROW EXECUTE FUNCTION seeme.check_id();
CREATE TRIGGER check_id AFTER INSERT ON seeme.projects FOR EACH ROW EXECUTE FUNCTION seeme.check_id();
-- Who was taken out while the INSERT waited for another one's slug or id makes nothing there.
CREATE TRIGGER authorize_added AFTER INSERT ON seeme.teams FOR EACH ROW EXECUTE FUNCTION seeme.authorize_team();
CREATE TRIGGER authorize_added AFTER INSERT ON seeme.projects FOR EACH ROW EXECUTE FUNCTION seeme.authorize_project();
CREATE TRIGGER retire_id AFTER DELETE ON seeme.organizations FOR EACH ROW EXECUTE FUNCTION seeme.retire_id();
CREATE TRIGGER retire_id AFTER DELETE ON seeme.teams FOR EACH ROW EXECUTE FUNCTION seeme.retire_id();
CREATE TRIGGER retire_id AFTER DELETE ON seeme.projects FOR EACH ROW EXECUTE FUNCTION seeme.retire_id();

ALTER TABLE seeme.organizations ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY seeme_select ON seeme.organizations FOR SELECT USING (
  owner_id = (SELECT seeme.user_for('organizations:read')) OR seeme.is_member(organization => id));
CREATE POLICY seeme_insert ON seeme.organizations FOR INSERT WITH CHECK (owner_id = seeme.user_for('organizations:create'));
SELECT seeme.create_write_policy('seeme.organizations', 'UPDATE',
  '@extschema@.seeme_has_permission(''organizations:update'', organization => id)');
SELECT seeme.create_write_policy('seeme.organizations', 'DELETE',
  '@extschema@.seeme_has_permission(''organizations:delete'', organization => id)');

-- Asked of the organization first: a row that is only being inserted is not found by its id yet.
ALTER TABLE seeme.teams ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY seeme_select ON seeme.teams FOR SELECT USING (
  @extschema@.seeme_has_permission('teams:list', organization => organization_id)
  OR @extschema@.seeme_has_permission('teams:read', organization => organization_id)
  OR seeme.is_member(team => id)
  OR @extschema@.seeme_has_permission('teams:list', team => id)
  OR @extschema@.seeme_has_permission('teams:read', team => id));
CREATE POLICY seeme_insert ON seeme.teams FOR INSERT WITH CHECK (
  @extschema@.seeme_has_permission('teams:create', organization => organization_id));
SELECT seeme.create_write_policy('seeme.teams', 'UPDATE',
  '@extschema@.seeme_has_permission(''teams:update'', team => id)');
SELECT seeme.create_write_policy('seeme.teams', 'DELETE',
  '@extschema@.seeme_has_permission(''teams:delete'', team => id)');

ALTER TABLE seeme.projects ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY seeme_select ON seeme.projects FOR SELECT USING (
  @extschema@.seeme_has_permission('projects:list', organization => organization_id)
  OR @extschema@.seeme_has_permission('projects:read', organization => organization_id)
  OR @extschema@.seeme_has_permission('projects:list', team => team_id)
  OR @extschema@.seeme_has_permission('projects:read', team => team_id)
  OR seeme.is_member(project => id)
  OR @extschema@.seeme_has_permission('projects:list', project => id)
  OR @extschema@.seeme_has_permission('projects:read', project => id));
CREATE POLICY seeme_insert ON seeme.projects FOR INSERT WITH CHECK (
  @extschema@.seeme_has_permission('projects:create', organization => organization_id)
  OR @extschema@.seeme_has_permission('projects:create', team => team_id)
     AND seeme.lies_in(organization_id, team_id, NULL));
SELECT seeme.create_write_policy('seeme.projects', 'UPDATE',
  '@extschema@.seeme_has_permission(''projects:update'', project => id)');
SELECT seeme.create_write_policy('seeme.projects', 'DELETE',
  '@extschema@.seeme_has_permission(''projects:delete'', project => id)');

SELECT pg_extension_config_dump('seeme.organizations', '');
SELECT pg_extension_config_dump('seeme.teams', '');
SELECT pg_extension_config_dump('seeme.projects', '');
