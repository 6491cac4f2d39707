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

CREATE FUNCTION seeme.authorize_owner() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF row_security_active(TG_RELID) THEN
    RAISE EXCEPTION 'an organization''s owner does not change by UPDATE'
      USING ERRCODE = 'insufficient_privilege', HINT = 'The owner calls seeme_transfer_ownership().';
  END IF;
  -- Nobody's membership changes meanwhile (src/rules/memberships.c).
  PERFORM FROM seeme.organizations o WHERE o.id = OLD.id FOR UPDATE;
  RETURN NEW;
END $$;
COMMENT ON FUNCTION seeme.authorize_owner() IS 'Trigger: an organization''s owner does not change by UPDATE, but for privileged code';

CREATE FUNCTION seeme.slug_base(name text, fallback text) RETURNS text
LANGUAGE c STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'seeme_slug_base_of';
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

CREATE FUNCTION seeme.retire_ids() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM seeme.require_own_table(TG_TABLE_SCHEMA);
  INSERT INTO seeme.retired_ids (id, table_name) SELECT r.id, TG_TABLE_NAME FROM removed r ON CONFLICT DO NOTHING;
  RETURN NULL;
END $$;
COMMENT ON FUNCTION seeme.retire_ids() IS 'Trigger: remembers the ids of what is deleted';

CREATE FUNCTION seeme.revive_id(row_id uuid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF seeme.is_unidentified() THEN
    DELETE FROM seeme.retired_ids r WHERE r.id = row_id;
  ELSIF EXISTS (SELECT FROM seeme.retired_ids r WHERE r.id = row_id) THEN
    RAISE EXCEPTION 'this id is taken' USING ERRCODE = 'unique_violation', HINT = 'Leave it out to have one made.';
  END IF;
END $$;
COMMENT ON FUNCTION seeme.revive_id(uuid) IS 'Raises 23505 when the id was that of something deleted, unless privileged code uses it again';

CREATE FUNCTION seeme.checked_name(name text, kind text) RETURNS text
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'seeme_checked_name_of';
COMMENT ON FUNCTION seeme.checked_name(text, text) IS 'The name without surrounding white space; raises 22001 when it is too long, 23514 when it is empty';

-- The rules before a row is written are in C: a bulk statement has many rows (src/rules/containers.c).
CREATE FUNCTION seeme.enforce_container_rules() RETURNS trigger
LANGUAGE c AS 'MODULE_PATHNAME', 'seeme_enforce_container_rules';
COMMENT ON FUNCTION seeme.enforce_container_rules() IS
  'Trigger: who may add an organization, team or project; its owner, organization, slug and texts; what of it never changes';

-- Rule 7.1 for a project's team: what the members of a team hold there, they come to hold in a project
-- that moves to it, and cease to hold in one that leaves.
CREATE FUNCTION seeme.require_team_move(project uuid, old_team uuid, new_team uuid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  missing text[];
BEGIN
  IF seeme.is_unidentified()
     OR new_team IS NULL AND NOT EXISTS (SELECT FROM seeme.teams t WHERE t.id = old_team) THEN
    RETURN;  -- privileged code, or the team itself is being deleted
  END IF;
  IF new_team IS NOT NULL AND NOT @extschema@.seeme_has_permission('projects:update', team => new_team) THEN
    RAISE EXCEPTION 'you do not hold projects:update in this team' USING ERRCODE = 'insufficient_privilege';
  END IF;
  -- Nobody joins either team until this transaction ends.
  PERFORM FROM seeme.teams t WHERE t.id IN (old_team, new_team) ORDER BY t.id FOR UPDATE;
  missing := ARRAY(
    SELECT code FROM unnest(ARRAY[old_team, new_team]) AS team, unnest(seeme.missing_permissions_in_team(team, project)) AS code
     GROUP BY code ORDER BY code COLLATE "C");
  IF cardinality(missing) > 0 THEN
    RAISE EXCEPTION 'you do not hold % in this project', array_to_string(missing, ', ')
      USING ERRCODE = 'insufficient_privilege',
            HINT = 'Moving a project to another team gives its members, and takes from the former team''s, what their roles hold.';
  END IF;
END $$;
COMMENT ON FUNCTION seeme.require_team_move(uuid, uuid, uuid) IS
  'Raises 42501 unless the asking person may move the project from one team (or null) to another (or null)';

CREATE TRIGGER authorize_owner BEFORE UPDATE ON seeme.organizations
  FOR EACH ROW WHEN (OLD.owner_id IS DISTINCT FROM NEW.owner_id) EXECUTE FUNCTION seeme.authorize_owner();
CREATE TRIGGER enforce_rules BEFORE INSERT OR UPDATE ON seeme.organizations
  FOR EACH ROW EXECUTE FUNCTION seeme.enforce_container_rules();
CREATE TRIGGER enforce_rules BEFORE INSERT OR UPDATE ON seeme.teams
  FOR EACH ROW EXECUTE FUNCTION seeme.enforce_container_rules();
CREATE TRIGGER enforce_rules BEFORE INSERT OR UPDATE ON seeme.projects
  FOR EACH ROW EXECUTE FUNCTION seeme.enforce_container_rules();

-- Who was taken out while the INSERT waited for another one's slug or id makes nothing there.
CREATE FUNCTION seeme.check_added_container() RETURNS trigger
LANGUAGE c AS 'MODULE_PATHNAME', 'seeme_check_added_container';
COMMENT ON FUNCTION seeme.check_added_container() IS
  'Trigger: asks of an organization, team or project that was added, once more, who may add it and whether its id was that of something deleted';
CREATE TRIGGER check_added AFTER INSERT ON seeme.organizations
  FOR EACH ROW EXECUTE FUNCTION seeme.check_added_container();
CREATE TRIGGER check_added AFTER INSERT ON seeme.teams
  FOR EACH ROW EXECUTE FUNCTION seeme.check_added_container();
CREATE TRIGGER check_added AFTER INSERT ON seeme.projects
  FOR EACH ROW EXECUTE FUNCTION seeme.check_added_container();
CREATE TRIGGER retire_ids AFTER DELETE ON seeme.organizations
  REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION seeme.retire_ids();
CREATE TRIGGER retire_ids AFTER DELETE ON seeme.teams
  REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION seeme.retire_ids();
CREATE TRIGGER retire_ids AFTER DELETE ON seeme.projects
  REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION seeme.retire_ids();

ALTER TABLE seeme.organizations ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY seeme_select ON seeme.organizations FOR SELECT USING (
  owner_id = (SELECT seeme.own_user_id('organizations:read')) OR seeme.is_member(organization => id));
CREATE POLICY seeme_insert ON seeme.organizations FOR INSERT WITH CHECK (owner_id = seeme.own_user_id('organizations:create'));
SELECT seeme.create_write_policy('seeme.organizations', 'UPDATE',
  '@extschema@.seeme_has_permission(''organizations:update'', organization => id)');
SELECT seeme.create_write_policy('seeme.organizations', 'DELETE',
  '@extschema@.seeme_has_permission(''organizations:delete'', organization => id)');

-- A permission in an organization applies to its teams and projects. All other permissions there
-- come of a membership in the team or project. So each policy asks about the organization and about
-- the person's own memberships, and an index finds the rows of both. A row that is being inserted
-- is not found by its id yet: its organization or team shows it.
ALTER TABLE seeme.teams ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY seeme_select ON seeme.teams FOR SELECT USING (
  seeme.holds_throughout('{teams:list,teams:read}', organization_id)
  OR seeme.is_direct_member(team => id));
CREATE POLICY seeme_insert ON seeme.teams FOR INSERT WITH CHECK (
  @extschema@.seeme_has_permission('teams:create', organization => organization_id));
SELECT seeme.create_write_policy('seeme.teams', 'UPDATE',
  '@extschema@.seeme_has_permission(''teams:update'', team => id)');
SELECT seeme.create_write_policy('seeme.teams', 'DELETE',
  '@extschema@.seeme_has_permission(''teams:delete'', team => id)');

ALTER TABLE seeme.projects ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY seeme_select ON seeme.projects FOR SELECT USING (
  seeme.holds_throughout('{projects:list,projects:read}', organization_id)
  OR seeme.holds_below('{projects:list,projects:read}', team => team_id)
  OR seeme.is_direct_member(project => id));
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
