-- Memberships: who belongs to an organization, a team or a project, in which role, and for how
-- long. All three levels are in one table, so that each rule and policy is written once.

CREATE TABLE seeme.memberships (
  id              uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  organization_id uuid NOT NULL REFERENCES seeme.organizations (id) ON DELETE CASCADE,
  team_id         uuid,
  project_id      uuid,
  user_id         uuid NOT NULL REFERENCES seeme.users (id) ON DELETE CASCADE,
  role_id         uuid REFERENCES seeme.roles (id),
  valid_from      timestamptz,
  valid_until     timestamptz,
  created_by      uuid,
  created_at      timestamptz NOT NULL DEFAULT now(),
  updated_at      timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT memberships_person_and_scope_key
    UNIQUE NULLS NOT DISTINCT (user_id, organization_id, team_id, project_id)
    -- The other columns that a decision needs, so that it reads only the index
    INCLUDE (role_id, valid_from, valid_until),
  CONSTRAINT memberships_one_scope CHECK (team_id IS NULL OR project_id IS NULL),
  CONSTRAINT memberships_validity CHECK (valid_from < valid_until),
  CONSTRAINT memberships_team_of_the_same_organization FOREIGN KEY (team_id, organization_id)
    REFERENCES seeme.teams (id, organization_id) ON DELETE CASCADE,
  CONSTRAINT memberships_project_of_the_same_organization FOREIGN KEY (project_id, organization_id)
    REFERENCES seeme.projects (id, organization_id) ON DELETE CASCADE
);
CREATE INDEX memberships_organization_id_idx ON seeme.memberships (organization_id, user_id);
CREATE INDEX memberships_team_id_idx ON seeme.memberships (team_id) WHERE team_id IS NOT NULL;
CREATE INDEX memberships_project_id_idx ON seeme.memberships (project_id)
  WHERE project_id IS NOT NULL;
CREATE INDEX memberships_role_id_idx ON seeme.memberships (role_id);
COMMENT ON TABLE seeme.memberships IS
  'Who belongs to an organization, a team or a project, in which role and when. A membership in a '
  'team or project requires one in the organization, and is removed with it.';
COMMENT ON COLUMN seeme.memberships.id IS 'Unique member id';
COMMENT ON COLUMN seeme.memberships.organization_id IS
  'The organization. By default it is that of the team or project.';
COMMENT ON COLUMN seeme.memberships.team_id IS 'The team, for a team membership';
COMMENT ON COLUMN seeme.memberships.project_id IS 'The project, for a project membership';
COMMENT ON COLUMN seeme.memberships.user_id IS 'The member';
COMMENT ON COLUMN seeme.memberships.role_id IS 'The role that the member has there; null: no role';
COMMENT ON COLUMN seeme.memberships.valid_from IS
  'The membership counts from this time on; null: it always did';
COMMENT ON COLUMN seeme.memberships.valid_until IS
  'The membership counts until just before this time; null: for ever';
COMMENT ON COLUMN seeme.memberships.created_by IS 'The person who added it; null: privileged code';
COMMENT ON COLUMN seeme.memberships.created_at IS 'When it was added';
COMMENT ON COLUMN seeme.memberships.updated_at IS 'When it was last changed';

-- Rule 7.1, for memberships and for invitations.
CREATE FUNCTION seeme.require_role_held(
  role_id uuid, organization uuid, team uuid, project uuid) RETURNS void
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  missing text[] := seeme.missing_permissions('{}', role_id, organization, team, project);
BEGIN
  IF cardinality(missing) > 0 THEN
    RAISE EXCEPTION 'you do not hold % in this %', array_to_string(missing, ', '),
        CASE WHEN project IS NOT NULL THEN 'project' WHEN team IS NOT NULL THEN 'team'
             ELSE 'organization' END
      USING ERRCODE = 'insufficient_privilege',
            HINT = 'You can give, change or take away only a role of which you hold all '
                   'permissions there.';
  END IF;
END $$;
COMMENT ON FUNCTION seeme.require_role_held(uuid, uuid, uuid, uuid) IS
  'Raises 42501 unless the asking person holds all permissions of the role in the narrowest scope '
  'that is given. The message names the missing ones.';

CREATE FUNCTION seeme.require_role_of(role_id uuid, organization uuid) RETURNS void
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF role_id IS NOT NULL AND NOT EXISTS (
       SELECT FROM seeme.roles r
        WHERE r.id = role_id
          AND (r.organization_id IS NULL OR r.organization_id = organization)) THEN
    RAISE EXCEPTION 'there is no such role in this organization'
      USING ERRCODE = 'foreign_key_violation',
            HINT = 'Take a built-in role, or one of the organization''s own.';
  END IF;
END $$;
COMMENT ON FUNCTION seeme.require_role_of(uuid, uuid) IS
  'Rule 7.3: raises 23503 unless the role is null, built in, or of that organization';

-- seeme_accept_invitation() adds a membership: the inviter gives the role, and rule 7.1 was checked
-- for the inviter. An invitation serves for one INSERT. The membership of the organization that is
-- added with it has no role.
CREATE FUNCTION seeme.serve_invitation(
  new_id uuid, role_id uuid, organization uuid, team uuid, project uuid,
  OUT serves_role boolean, OUT inviter uuid)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  invitation seeme.invitations;
BEGIN
  SELECT i.* INTO invitation FROM seeme.invitations i
   WHERE i.membership_id = new_id AND i.accepted_at = now()
     AND i.role_id IS NOT DISTINCT FROM serve_invitation.role_id
     AND i.organization_id = organization AND i.team_id IS NOT DISTINCT FROM team
     AND i.project_id IS NOT DISTINCT FROM project AND seeme.is_invited(i.email);
  IF FOUND THEN
    UPDATE seeme.invitations i SET accepted_at = clock_timestamp() + interval '1 microsecond'
     WHERE i.id = invitation.id;
    serves_role := true;
    inviter := invitation.invited_by;
  ELSIF role_id IS NULL AND team IS NULL AND project IS NULL THEN
    SELECT i.* INTO invitation FROM seeme.invitations i
     WHERE i.organization_id = organization AND i.accepted_at = now()
       AND seeme.is_invited(i.email);
    IF FOUND THEN
      serves_role := false;
      inviter := invitation.invited_by;
    END IF;
  END IF;
END $$;
COMMENT ON FUNCTION seeme.serve_invitation(uuid, uuid, uuid, uuid, uuid) IS
  'For a membership that is being added for the asking person: whether an invitation that they '
  'are accepting gives its role (false: only the membership), and the inviter. Nulls if there is '
  'no such invitation.';

-- The rules are written in C, because a bulk statement has many rows (src/rules/memberships.c).
CREATE FUNCTION seeme.enforce_membership_rules() RETURNS trigger
LANGUAGE c AS 'MODULE_PATHNAME', 'seeme_enforce_membership_rules';
COMMENT ON FUNCTION seeme.enforce_membership_rules() IS
  'Trigger: checks who may add a member, rules 7.1 and 7.3, and that the owner''s membership '
  'stays as it is';
CREATE TRIGGER enforce_rules BEFORE INSERT OR UPDATE OR DELETE ON seeme.memberships
  FOR EACH ROW EXECUTE FUNCTION seeme.enforce_membership_rules();

-- One DELETE removes a member from an organization with all access to it.
CREATE FUNCTION seeme.remove_lower_memberships() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM seeme.require_own_table(TG_TABLE_SCHEMA);
  PERFORM FROM removed r WHERE r.team_id IS NULL AND r.project_id IS NULL LIMIT 1;
  IF NOT FOUND THEN
    RETURN NULL;  -- also when this function's own DELETE fires the trigger
  END IF;
  DELETE FROM seeme.memberships m USING removed r
   WHERE r.team_id IS NULL AND r.project_id IS NULL
     AND m.organization_id = r.organization_id AND m.user_id = r.user_id;
  -- In REPEATABLE READ the snapshot does not show what was committed meanwhile.
  IF EXISTS (
       SELECT FROM removed r
        WHERE r.team_id IS NULL AND r.project_id IS NULL
          AND seeme.has_memberships(r.organization_id, r.user_id)
          AND (SELECT true FROM seeme.organizations o WHERE o.id = r.organization_id)) THEN
    RAISE EXCEPTION 'could not serialize access due to a concurrent change of memberships'
      USING ERRCODE = 'serialization_failure', HINT = 'Try the transaction again.';
  END IF;
  RETURN NULL;
END $$;
COMMENT ON FUNCTION seeme.remove_lower_memberships() IS
  'Trigger: memberships in teams and projects are removed with the one in the organization';

-- The INSERT may have waited for a transaction that removed a membership of the same person there.
CREATE FUNCTION seeme.authorize_added() RETURNS trigger
LANGUAGE c AS 'MODULE_PATHNAME', 'seeme_authorize_added';
COMMENT ON FUNCTION seeme.authorize_added() IS
  'Trigger: after memberships were added, checks again who may add them, and rule 7.1. '
  'Memberships that the statement gave to the asking person do not count.';
CREATE TRIGGER authorize_added AFTER INSERT ON seeme.memberships
  REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION seeme.authorize_added();
CREATE TRIGGER remove_lower AFTER DELETE ON seeme.memberships
  REFERENCING OLD TABLE AS removed
  FOR EACH STATEMENT EXECUTE FUNCTION seeme.remove_lower_memberships();

-- The owner's membership follows organizations.owner_id.
CREATE FUNCTION seeme.seat_owner() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM seeme.require_own_table(TG_TABLE_SCHEMA);
  IF seeme.restoring() THEN
    RETURN NULL;
  END IF;
  INSERT INTO seeme.memberships AS m (organization_id, user_id, role_id, created_by)
  VALUES (NEW.id, NEW.owner_id, seeme.owner_role(), @extschema@.seeme_user_id())
  ON CONFLICT ON CONSTRAINT memberships_person_and_scope_key
  DO UPDATE SET role_id = seeme.owner_role(), valid_from = NULL, valid_until = NULL;
  IF TG_OP = 'UPDATE' THEN
    UPDATE seeme.memberships m SET role_id = seeme.admin_role()
     WHERE m.organization_id = NEW.id AND m.user_id = OLD.owner_id
       AND m.team_id IS NULL AND m.project_id IS NULL;
  END IF;
  RETURN NULL;
END $$;
COMMENT ON FUNCTION seeme.seat_owner() IS
  'Trigger: the owner''s membership has the role Owner, and a former owner becomes Admin';

CREATE TRIGGER seat_owner AFTER INSERT ON seeme.organizations
  FOR EACH ROW EXECUTE FUNCTION seeme.seat_owner();
CREATE TRIGGER seat_new_owner AFTER UPDATE OF owner_id ON seeme.organizations
  FOR EACH ROW WHEN (OLD.owner_id IS DISTINCT FROM NEW.owner_id)
  EXECUTE FUNCTION seeme.seat_owner();

CREATE FUNCTION seeme.sees_membership(organization uuid, team uuid, project uuid, member uuid)
RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE
RETURN member = (SELECT seeme.own_user_id('organizations:read')) OR CASE
  WHEN project IS NOT NULL THEN
    @extschema@.seeme_has_permission('projects:read', project => project)
  WHEN team IS NOT NULL THEN @extschema@.seeme_has_permission('teams:read', team => team)
  ELSE @extschema@.seeme_has_permission('organizations:read', organization => organization) END;
COMMENT ON FUNCTION seeme.sees_membership(uuid, uuid, uuid, uuid) IS
  'Whether the asking person sees this person''s membership of an organization, team or project';

CREATE FUNCTION seeme.manages_membership(organization uuid, team uuid, project uuid) RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE
RETURN CASE
  WHEN project IS NOT NULL THEN
    @extschema@.seeme_has_permission('organizations:manage_members', project => project)
    OR @extschema@.seeme_has_permission('projects:update', project => project)
  WHEN team IS NOT NULL THEN
    @extschema@.seeme_has_permission('organizations:manage_members', team => team)
    OR @extschema@.seeme_has_permission('teams:update', team => team)
  ELSE
    @extschema@.seeme_has_permission('organizations:manage_members', organization => organization)
  END;
COMMENT ON FUNCTION seeme.manages_membership(uuid, uuid, uuid) IS
  'Whether the asking person may manage the members of an organization, team or project';

ALTER TABLE seeme.memberships ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
-- The same as seeme.sees_membership(), in parts. Each part has an index: the person's own
-- memberships; those in organizations in which the person has the permission for that level; and
-- those in teams and projects in which the person has it by a membership there.
CREATE POLICY seeme_select ON seeme.memberships FOR SELECT USING (
  user_id = (SELECT seeme.own_user_id('organizations:read'))
  OR seeme.holds_throughout('{organizations:read,teams:read,projects:read}', organization_id)
     AND CASE
       WHEN project_id IS NOT NULL THEN
         seeme.holds_throughout('{projects:read}', organization_id)
         AND seeme.is_in_use(organization_id, project => project_id)
       WHEN team_id IS NOT NULL THEN
         seeme.holds_throughout('{teams:read}', organization_id)
         AND seeme.is_in_use(organization_id, team => team_id)
       ELSE seeme.holds_throughout('{organizations:read}', organization_id) END
  OR team_id IS NOT NULL AND seeme.holds_below('{teams:read}', team => team_id)
  OR project_id IS NOT NULL AND seeme.holds_below('{projects:read}', project => project_id));
CREATE POLICY seeme_insert ON seeme.memberships FOR INSERT WITH CHECK (
  seeme.manages_membership(organization_id, team_id, project_id));
SELECT seeme.create_write_policy('seeme.memberships', 'UPDATE',
  'seeme.manages_membership(organization_id, team_id, project_id)');
SELECT seeme.create_write_policy('seeme.memberships', 'DELETE',
  'user_id = seeme.own_user_id(''organizations:manage_members'')
   OR seeme.manages_membership(organization_id, team_id, project_id)');

-- A person sees their own row, and the users of whom they see a membership. A provisioning role (it
-- was granted DELETE on this table) sees and writes all users, but only while nobody is identified.
-- So SQL that is injected into a person's request does not.
ALTER TABLE seeme.users ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE FUNCTION seeme.provisions_users() RETURNS boolean
LANGUAGE sql STABLE
RETURN seeme.is_unidentified() AND has_table_privilege('seeme.users', 'DELETE');
COMMENT ON FUNCTION seeme.provisions_users() IS
  'Whether the current user is a role that provisions users (it may delete them) and nobody is '
  'identified';
CREATE POLICY seeme_select ON seeme.users FOR SELECT USING (
  id = (SELECT @extschema@.seeme_user_id()) OR seeme.sees_user(id));
CREATE POLICY seeme_insert ON seeme.users FOR INSERT WITH CHECK (seeme.provisions_users());
SELECT seeme.create_write_policy('seeme.users', 'UPDATE',
  'seeme.provisions_users()');
SELECT seeme.create_write_policy('seeme.users', 'DELETE',
  'seeme.provisions_users()');

-- Members in the documented shape. Names are looked up in sub-selects, so that the views stay
-- automatically updatable.
CREATE FUNCTION seeme.membership_role_name(membership_id uuid) RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
RETURN (SELECT r.name FROM seeme.memberships m JOIN seeme.roles r ON r.id = m.role_id
         WHERE m.id = membership_id
           AND seeme.sees_membership(m.organization_id, m.team_id, m.project_id, m.user_id));
COMMENT ON FUNCTION seeme.membership_role_name(uuid) IS
  'The name of the role of a membership that the asking person sees, whether or not they see the '
  'role itself';

CREATE VIEW seeme.organization_members WITH (security_invoker = true) AS
  SELECT m.id, m.organization_id, m.user_id, m.role_id,
         CASE WHEN m.role_id IS NOT NULL THEN coalesce(
           (SELECT r.name FROM seeme.roles r WHERE r.id = m.role_id),
           seeme.membership_role_name(m.id)) END AS role_name,
         (SELECT u.email FROM seeme.users u WHERE u.id = m.user_id) AS email,
         (SELECT u.username FROM seeme.users u WHERE u.id = m.user_id) AS username,
         (SELECT u.firstname FROM seeme.users u WHERE u.id = m.user_id) AS firstname,
         (SELECT u.name FROM seeme.users u WHERE u.id = m.user_id) AS name,
         m.valid_from, m.valid_until
    FROM seeme.memberships m
   WHERE m.team_id IS NULL AND m.project_id IS NULL
    WITH LOCAL CHECK OPTION;
COMMENT ON VIEW seeme.organization_members IS
  'The members of organizations as documented: INSERT (organization_id, user_id, role_id), UPDATE '
  'of role_id, valid_from and valid_until, and DELETE work on it';

CREATE VIEW seeme.team_members WITH (security_invoker = true) AS
  SELECT m.id, m.team_id, m.user_id, m.role_id,
         CASE WHEN m.role_id IS NOT NULL THEN coalesce(
           (SELECT r.name FROM seeme.roles r WHERE r.id = m.role_id),
           seeme.membership_role_name(m.id)) END AS role_name,
         (SELECT u.email FROM seeme.users u WHERE u.id = m.user_id) AS email,
         (SELECT u.username FROM seeme.users u WHERE u.id = m.user_id) AS username,
         (SELECT u.firstname FROM seeme.users u WHERE u.id = m.user_id) AS firstname,
         (SELECT u.name FROM seeme.users u WHERE u.id = m.user_id) AS name,
         m.valid_from, m.valid_until
    FROM seeme.memberships m
   WHERE m.team_id IS NOT NULL
    WITH LOCAL CHECK OPTION;
COMMENT ON VIEW seeme.team_members IS
  'The members of teams as documented: INSERT (team_id, user_id, role_id), UPDATE of '
  'role_id, valid_from and valid_until, and DELETE work on it';

CREATE VIEW seeme.project_members WITH (security_invoker = true) AS
  SELECT m.id, m.project_id, m.user_id, m.role_id,
         CASE WHEN m.role_id IS NOT NULL THEN coalesce(
           (SELECT r.name FROM seeme.roles r WHERE r.id = m.role_id),
           seeme.membership_role_name(m.id)) END AS role_name,
         (SELECT u.email FROM seeme.users u WHERE u.id = m.user_id) AS email,
         (SELECT u.username FROM seeme.users u WHERE u.id = m.user_id) AS username,
         (SELECT u.firstname FROM seeme.users u WHERE u.id = m.user_id) AS firstname,
         (SELECT u.name FROM seeme.users u WHERE u.id = m.user_id) AS name,
         m.valid_from, m.valid_until
    FROM seeme.memberships m
   WHERE m.project_id IS NOT NULL
    WITH LOCAL CHECK OPTION;
COMMENT ON VIEW seeme.project_members IS
  'The members of projects as documented: INSERT (project_id, user_id, role_id), UPDATE of '
  'role_id, valid_from and valid_until, and DELETE work on it';

SELECT pg_extension_config_dump('seeme.memberships', '');
