-- Organizations, teams and projects: the containers in which memberships give roles.

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
  -- The built-in role Admin. No foreign key: see src/rules/creator_role.c.
  creator_role_id uuid DEFAULT '00000000-0000-4000-8000-000000000002',
  CONSTRAINT organizations_name_is_given CHECK (name <> ''),
  CONSTRAINT organizations_slug_is_valid
    CHECK (slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$' AND length(slug) <= 63)
);
CREATE INDEX organizations_owner_id_idx ON seeme.organizations (owner_id);
COMMENT ON TABLE seeme.organizations IS
  'Organizations (tenants). The owner of an organization has every permission in it.';
COMMENT ON COLUMN seeme.organizations.id IS 'Unique id';
COMMENT ON COLUMN seeme.organizations.name IS 'Organization name';
COMMENT ON COLUMN seeme.organizations.description IS 'Description';
COMMENT ON COLUMN seeme.organizations.slug IS
  'URL-friendly identifier, unique everywhere. By default it is made from the name.';
COMMENT ON COLUMN seeme.organizations.website IS 'Website';
COMMENT ON COLUMN seeme.organizations.owner_id IS 'The id of the owner, who is always a member';
COMMENT ON COLUMN seeme.organizations.has_logo IS 'Whether it has a logo; follows seeme.logos';
COMMENT ON COLUMN seeme.organizations.created_at IS 'When it was added';
COMMENT ON COLUMN seeme.organizations.updated_at IS 'When it was last changed';
COMMENT ON COLUMN seeme.organizations.creator_role_id IS
  'The role that the creator of a team or project gets in it, unless they hold all of that role '
  'there already; null: none';

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
COMMENT ON COLUMN seeme.teams.slug IS
  'URL-friendly identifier, unique in the organization. By default it is made from the name.';
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
-- The first check about a project reads one page of this index, as for a user.
CREATE INDEX projects_id_idx ON seeme.projects USING hash (id);
CREATE INDEX projects_team_id_idx ON seeme.projects (team_id);
COMMENT ON TABLE seeme.projects IS 'Projects of an organization: they group resources';
COMMENT ON COLUMN seeme.projects.id IS 'Unique id';
COMMENT ON COLUMN seeme.projects.organization_id IS 'Parent organization; never changes';
COMMENT ON COLUMN seeme.projects.team_id IS 'Associated team of the same organization, if any';
COMMENT ON COLUMN seeme.projects.name IS 'Project name';
COMMENT ON COLUMN seeme.projects.description IS 'Description';
COMMENT ON COLUMN seeme.projects.slug IS
  'URL-friendly identifier, unique in the organization. By default it is made from the name.';
COMMENT ON COLUMN seeme.projects.has_logo IS 'Whether it has a logo; follows seeme.logos';
COMMENT ON COLUMN seeme.projects.created_at IS 'When it was added';
COMMENT ON COLUMN seeme.projects.updated_at IS 'When it was last changed';

-- The permission that an INSERT needs. The policy says the same, but PostgreSQL checks it later.
-- Checked first, no other error (a slug is taken) tells an outsider anything, and the message names
-- the missing permission.
CREATE FUNCTION seeme.require_any(
  permissions text[], relation regclass, organization uuid, team uuid = NULL, project uuid = NULL)
RETURNS void
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
       OR organization IS NOT NULL
          AND @extschema@.seeme_has_permission(code, organization => organization) THEN
      RETURN;
    END IF;
  END LOOP;
  RAISE EXCEPTION 'you do not hold % in this %', array_to_string(permissions, ' or '),
      CASE WHEN project IS NOT NULL THEN 'project' WHEN team IS NOT NULL THEN 'team'
           ELSE 'organization' END
    USING ERRCODE = 'insufficient_privilege';
END $$;
COMMENT ON FUNCTION seeme.require_any(text[], regclass, uuid, uuid, uuid) IS
  'Raises 42501 unless the asking person holds one of the permissions in one of the scopes, or row '
  'security of the table does not apply to the current role';

CREATE FUNCTION seeme.authorize_owner() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF row_security_active(TG_RELID) THEN
    RAISE EXCEPTION 'an organization''s owner does not change by UPDATE'
      USING ERRCODE = 'insufficient_privilege',
            HINT = 'The owner calls seeme_transfer_ownership().';
  END IF;
  -- No membership changes meanwhile (src/rules/members.c).
  PERFORM FROM seeme.organizations o WHERE o.id = OLD.id FOR UPDATE;
  RETURN NEW;
END $$;
COMMENT ON FUNCTION seeme.authorize_owner() IS
  'Trigger: only privileged code changes the owner of an organization by UPDATE';

CREATE FUNCTION seeme.slug_base(name text, fallback text) RETURNS text
LANGUAGE c STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'seeme_slug_base_of';
COMMENT ON FUNCTION seeme.slug_base(text, text) IS
  'A name as a slug of at most 50 characters: lower-case letters without accents, digits and '
  'single hyphens. The fallback, if nothing is left.';

-- Ids of deleted organizations, teams and projects. Rows of applications and entries of the audit
-- log still have them. If anybody could use such an id again, the new organization would get those
-- rows.
CREATE TABLE seeme.retired_ids (
  id         uuid PRIMARY KEY,
  table_name text NOT NULL,
  retired_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE seeme.retired_ids IS
  'Ids of deleted organizations, teams and projects: only privileged code may use them again. Also '
  'the ids of invitations that ended while somebody was accepting them.';
COMMENT ON COLUMN seeme.retired_ids.id IS 'The id';
COMMENT ON COLUMN seeme.retired_ids.table_name IS 'The table in which it was an id';
COMMENT ON COLUMN seeme.retired_ids.retired_at IS 'When that row was deleted';
ALTER TABLE seeme.retired_ids ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
SELECT pg_extension_config_dump('seeme.retired_ids', '');

CREATE FUNCTION seeme.retire_ids() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM seeme.require_own_table(TG_TABLE_SCHEMA);
  INSERT INTO seeme.retired_ids (id, table_name)
  SELECT r.id, TG_TABLE_NAME FROM removed r ON CONFLICT DO NOTHING;
  RETURN NULL;
END $$;
COMMENT ON FUNCTION seeme.retire_ids() IS 'Trigger: keeps the ids of deleted rows';

CREATE FUNCTION seeme.revive_id(row_id uuid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF seeme.is_unidentified() THEN
    DELETE FROM seeme.retired_ids r WHERE r.id = row_id;
  ELSIF EXISTS (SELECT FROM seeme.retired_ids r WHERE r.id = row_id) THEN
    RAISE EXCEPTION 'this id is taken'
      USING ERRCODE = 'unique_violation', HINT = 'Leave it out to have one made.';
  END IF;
END $$;
COMMENT ON FUNCTION seeme.revive_id(uuid) IS
  'Raises 23505 if the id is in seeme.retired_ids. For privileged code it removes the id there '
  'instead.';

CREATE FUNCTION seeme.checked_name(name text, kind text) RETURNS text
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'seeme_checked_name_of';
COMMENT ON FUNCTION seeme.checked_name(text, text) IS
  'The name without surrounding white space. Raises 22001 if it is too long, 23514 if it is empty.';

-- The rules are written in C, because a bulk statement has many rows (src/rules/containers.c).
CREATE FUNCTION seeme.enforce_container_rules() RETURNS trigger
LANGUAGE c AS 'MODULE_PATHNAME', 'seeme_enforce_container_rules';
COMMENT ON FUNCTION seeme.enforce_container_rules() IS
  'Trigger: checks who may add an organization, team or project, its owner, organization, slug and '
  'texts, and which of its columns may change';

-- Rule 7.1 for a project's team. When a project moves to a team, the members of the team get their
-- permissions in the project. The members of the former team lose them.
CREATE FUNCTION seeme.require_team_move(project uuid, old_team uuid, new_team uuid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  missing text[];
BEGIN
  IF seeme.is_unidentified()
     OR new_team IS NULL AND NOT EXISTS (SELECT FROM seeme.teams t WHERE t.id = old_team) THEN
    RETURN;  -- privileged code, or the team itself is being deleted
  END IF;
  IF new_team IS NOT NULL
     AND NOT @extschema@.seeme_has_permission('projects:update', team => new_team) THEN
    RAISE EXCEPTION 'you do not hold projects:update in this team'
      USING ERRCODE = 'insufficient_privilege';
  END IF;
  -- Nobody joins either team until this transaction ends.
  PERFORM FROM seeme.teams t WHERE t.id IN (old_team, new_team) ORDER BY t.id FOR UPDATE;
  missing := ARRAY(
    SELECT code FROM unnest(ARRAY[old_team, new_team]) AS team,
           unnest(seeme.missing_permissions_in_team(team, project)) AS code
     GROUP BY code ORDER BY code COLLATE "C");
  IF cardinality(missing) > 0 THEN
    RAISE EXCEPTION 'you do not hold % in this project', array_to_string(missing, ', ')
      USING ERRCODE = 'insufficient_privilege',
            HINT = 'When a project moves to another team, the members of that team get what their '
                   'roles hold, and the members of the former team lose it.';
  END IF;
END $$;
COMMENT ON FUNCTION seeme.require_team_move(uuid, uuid, uuid) IS
  'Raises 42501 unless the asking person may move the project from one team (or null) to another '
  '(or null)';

CREATE TRIGGER authorize_owner BEFORE UPDATE ON seeme.organizations
  FOR EACH ROW WHEN (OLD.owner_id IS DISTINCT FROM NEW.owner_id)
  EXECUTE FUNCTION seeme.authorize_owner();
CREATE TRIGGER enforce_rules BEFORE INSERT OR UPDATE ON seeme.organizations
  FOR EACH ROW EXECUTE FUNCTION seeme.enforce_container_rules();
CREATE TRIGGER enforce_rules BEFORE INSERT OR UPDATE ON seeme.teams
  FOR EACH ROW EXECUTE FUNCTION seeme.enforce_container_rules();
CREATE TRIGGER enforce_rules BEFORE INSERT OR UPDATE ON seeme.projects
  FOR EACH ROW EXECUTE FUNCTION seeme.enforce_container_rules();

-- The INSERT may have waited for another transaction with the same slug or id. A person whose right
-- was revoked meanwhile adds nothing.
CREATE FUNCTION seeme.check_added_container() RETURNS trigger
LANGUAGE c AS 'MODULE_PATHNAME', 'seeme_check_added_container';
COMMENT ON FUNCTION seeme.check_added_container() IS
  'Trigger: after an organization, team or project was added, checks again who may add it, and '
  'that its id is not that of a deleted one';
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
  owner_id = (SELECT seeme.own_user_id('organizations:read'))
  OR seeme.is_member(organization => id));
CREATE POLICY seeme_insert ON seeme.organizations FOR INSERT WITH CHECK (
  owner_id = seeme.own_user_id('organizations:create'));
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
