-- Invitations: memberships that wait for a person. Only the hash of a token is kept.

CREATE TABLE seeme.invitations (
  id              uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  organization_id uuid NOT NULL REFERENCES seeme.organizations (id) ON DELETE CASCADE,
  team_id         uuid,
  project_id      uuid,
  email           text NOT NULL,
  role_id         uuid REFERENCES seeme.roles (id) ON DELETE SET NULL,
  invited_by      uuid REFERENCES seeme.users (id) ON DELETE CASCADE,
  token_hash      bytea NOT NULL UNIQUE,
  expires_at      timestamptz NOT NULL,
  accepted_at     timestamptz,
  membership_id   uuid,
  created_at      timestamptz NOT NULL DEFAULT now(),
  inviter_membership_id uuid,
  CONSTRAINT invitations_one_scope CHECK (team_id IS NULL OR project_id IS NULL),
  CONSTRAINT invitations_email_is_an_address CHECK (
    email COLLATE "C" ~ '^[^@[:space:]]+@[^@[:space:]]+$' AND length(email) <= 320),
  CONSTRAINT invitations_token_hash_is_sha256 CHECK (octet_length(token_hash) = 32),
  CONSTRAINT invitations_team_of_the_same_organization FOREIGN KEY (team_id, organization_id)
    REFERENCES seeme.teams (id, organization_id) ON DELETE CASCADE,
  CONSTRAINT invitations_project_of_the_same_organization FOREIGN KEY (project_id, organization_id)
    REFERENCES seeme.projects (id, organization_id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX invitations_one_open
  ON seeme.invitations (organization_id, team_id, project_id, (seeme.email_key(email) COLLATE "C"))
  NULLS NOT DISTINCT WHERE accepted_at IS NULL;
CREATE INDEX invitations_team_id_idx ON seeme.invitations (team_id) WHERE team_id IS NOT NULL;
CREATE INDEX invitations_project_id_idx ON seeme.invitations (project_id)
  WHERE project_id IS NOT NULL;
CREATE INDEX invitations_email_idx ON seeme.invitations ((seeme.email_key(email) COLLATE "C"));
CREATE INDEX invitations_role_id_idx ON seeme.invitations (role_id);
CREATE INDEX invitations_invited_by_idx ON seeme.invitations (invited_by);
COMMENT ON TABLE seeme.invitations IS 'Invitations by e-mail to an organization, team or project';
COMMENT ON COLUMN seeme.invitations.id IS 'Unique id';
COMMENT ON COLUMN seeme.invitations.organization_id IS 'The organization';
COMMENT ON COLUMN seeme.invitations.team_id IS 'The team, for an invitation to one';
COMMENT ON COLUMN seeme.invitations.project_id IS 'The project, for an invitation to one';
COMMENT ON COLUMN seeme.invitations.email IS 'The invited person''s e-mail address';
COMMENT ON COLUMN seeme.invitations.role_id IS 'The role that the membership will have; null: none';
COMMENT ON COLUMN seeme.invitations.invited_by IS 'The person who invites';
COMMENT ON COLUMN seeme.invitations.token_hash IS
  'SHA-256 of the token; never readable by an application''s role';
COMMENT ON COLUMN seeme.invitations.expires_at IS
  'The first instant at which it cannot be accepted any more';
COMMENT ON COLUMN seeme.invitations.accepted_at IS 'When it was accepted';
COMMENT ON COLUMN seeme.invitations.membership_id IS
  'The membership that was made when it was accepted';
COMMENT ON COLUMN seeme.invitations.created_at IS 'When it was added';
COMMENT ON COLUMN seeme.invitations.inviter_membership_id IS
  'The inviter''s membership of the organization when it was made. The invitation counts as long '
  'as the inviter has this membership.';

CREATE FUNCTION seeme.is_invited(email text) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
RETURN coalesce(
  seeme.email_key(seeme.own_email('organizations:read')) COLLATE "C"
  = seeme.email_key(is_invited.email), false);
COMMENT ON FUNCTION seeme.is_invited(text) IS 'Whether the e-mail address is the asking person''s';

CREATE FUNCTION seeme.is_invited_and_verified(email text) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
RETURN coalesce(
  seeme.email_key(seeme.own_verified_email('organizations:read')) COLLATE "C"
  = seeme.email_key(is_invited_and_verified.email), false);
COMMENT ON FUNCTION seeme.is_invited_and_verified(text) IS
  'Whether the e-mail address is the asking person''s, and the application has verified it';

CREATE FUNCTION seeme.own_email_key() RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
RETURN seeme.email_key(seeme.own_email('organizations:read'));
COMMENT ON FUNCTION seeme.own_email_key() IS
  'The key by which the asking person''s e-mail address is compared: seeme.is_invited is true of '
  'addresses with this key';

ALTER TABLE seeme.invitations ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
-- The same as seeme.is_invited() OR seeme.manages_membership(), in parts. Each part has an index.
CREATE POLICY seeme_select ON seeme.invitations FOR SELECT USING (
  seeme.email_key(email) COLLATE "C" = (SELECT seeme.own_email_key())
  OR seeme.holds_throughout(
       '{organizations:manage_members,teams:update,projects:update}', organization_id)
     AND CASE
       WHEN project_id IS NOT NULL THEN
         seeme.holds_throughout('{organizations:manage_members,projects:update}', organization_id)
         AND seeme.is_in_use(organization_id, project => project_id)
       WHEN team_id IS NOT NULL THEN
         seeme.holds_throughout('{organizations:manage_members,teams:update}', organization_id)
         AND seeme.is_in_use(organization_id, team => team_id)
       ELSE seeme.holds_throughout('{organizations:manage_members}', organization_id) END
  OR team_id IS NOT NULL
     AND seeme.holds_below('{organizations:manage_members,teams:update}', team => team_id)
  OR project_id IS NOT NULL
     AND seeme.holds_below('{organizations:manage_members,projects:update}',
                           project => project_id));
SELECT seeme.create_write_policy('seeme.invitations', 'DELETE',
  'seeme.manages_membership(organization_id, team_id, project_id)');

-- inviter_membership_id has no foreign key. So making an invitation and removing its inviter do
-- not wait for each other. If both happen at once, the invitation does not count: its membership
-- is gone.
CREATE FUNCTION seeme.note_inviter() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM seeme.require_own_table(TG_TABLE_SCHEMA);
  IF NOT seeme.restoring() THEN
    NEW.inviter_membership_id := coalesce(
      NEW.inviter_membership_id, seeme.membership_in(NEW.organization_id, NEW.invited_by));
  END IF;
  RETURN NEW;
END $$;
COMMENT ON FUNCTION seeme.note_inviter() IS
  'Trigger: remembers under which membership an invitation was made';
CREATE TRIGGER note_inviter BEFORE INSERT ON seeme.invitations
  FOR EACH ROW EXECUTE FUNCTION seeme.note_inviter();

CREATE FUNCTION seeme.enforce_invitation_rules() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM seeme.require_own_table(TG_TABLE_SCHEMA);
  -- Rule 7.1: an invitation is cancelled only by a person who holds what it offers. This does not
  -- apply when it is deleted together with its organization, team, project or inviter.
  IF OLD.accepted_at IS NULL AND OLD.invited_by IS DISTINCT FROM @extschema@.seeme_user_id()
     AND EXISTS (SELECT FROM seeme.organizations o WHERE o.id = OLD.organization_id)
     AND (OLD.team_id IS NULL OR EXISTS (SELECT FROM seeme.teams t WHERE t.id = OLD.team_id))
     AND (OLD.project_id IS NULL
          OR EXISTS (SELECT FROM seeme.projects p WHERE p.id = OLD.project_id))
     AND (OLD.invited_by IS NULL OR EXISTS (
           SELECT FROM seeme.memberships m
            WHERE m.organization_id = OLD.organization_id AND m.user_id = OLD.invited_by
              AND m.team_id IS NULL AND m.project_id IS NULL)) THEN
    PERFORM seeme.require_role_held(OLD.role_id, OLD.organization_id, OLD.team_id, OLD.project_id);
  END IF;
  RETURN OLD;
END $$;
COMMENT ON FUNCTION seeme.enforce_invitation_rules() IS
  'Trigger: rule 7.1, for cancelling an invitation';
CREATE TRIGGER prepare BEFORE DELETE ON seeme.invitations
  FOR EACH ROW EXECUTE FUNCTION seeme.enforce_invitation_rules();

CREATE FUNCTION seeme.cancel_invitations_of() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM seeme.require_own_table(TG_TABLE_SCHEMA);
  PERFORM FROM removed r WHERE r.team_id IS NULL AND r.project_id IS NULL LIMIT 1;
  IF NOT FOUND THEN
    RETURN NULL;
  END IF;
  -- Locked rows are skipped. They have no effect without the membership, so there is no need to
  -- wait for the transaction that locked them.
  DELETE FROM seeme.invitations i
   WHERE i.id IN (SELECT o.id FROM seeme.invitations o
                   WHERE o.accepted_at IS NULL
                     AND (o.organization_id, o.invited_by) IN (
                           SELECT r.organization_id, r.user_id FROM removed r
                            WHERE r.team_id IS NULL AND r.project_id IS NULL)
                     FOR UPDATE SKIP LOCKED);
  DELETE FROM seeme.api_keys k
   WHERE k.id IN (SELECT o.id FROM seeme.api_keys o
                   WHERE o.id IN (
                     SELECT u.id FROM seeme.api_keys u
                       JOIN removed r
                         ON (r.organization_id, r.user_id) = (u.organization_id, u.user_id)
                      WHERE r.team_id IS NULL AND r.project_id IS NULL
                     UNION
                     SELECT c.id FROM seeme.api_keys c
                       JOIN removed r
                         ON (r.organization_id, r.user_id) = (c.organization_id, c.created_by)
                      WHERE r.team_id IS NULL AND r.project_id IS NULL)
                     FOR UPDATE SKIP LOCKED);
  RETURN NULL;
END $$;
COMMENT ON FUNCTION seeme.cancel_invitations_of() IS
  'Trigger: when a person''s membership of an organization is removed, these are removed, too: '
  'the open invitations to it that the person made, and the API keys for it that the person has '
  'or made';
CREATE TRIGGER cancel_invitations AFTER DELETE ON seeme.memberships
  REFERENCING OLD TABLE AS removed
  FOR EACH STATEMENT EXECUTE FUNCTION seeme.cancel_invitations_of();

-- A person who was removed must not come back by an earlier invitation. A person who was added
-- needs none.
CREATE FUNCTION seeme.end_invitations(ids uuid[]) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  WITH ended AS (
    UPDATE seeme.invitations i SET expires_at = least(i.expires_at, clock_timestamp())
     WHERE i.id IN (SELECT o.id FROM seeme.invitations o
                     WHERE o.id = ANY (ids) AND o.accepted_at IS NULL FOR UPDATE SKIP LOCKED)
    RETURNING i.id)
  -- Locked rows are not waited for: the person who was removed may be the one who holds the lock.
  -- Such an invitation ends by its retired id, even if the other transaction is rolled back.
  INSERT INTO seeme.retired_ids (id, table_name)
  SELECT l.id, 'invitations'
    FROM unnest(ids) AS l (id) WHERE l.id NOT IN (SELECT e.id FROM ended e)
  ON CONFLICT DO NOTHING
$$;
COMMENT ON FUNCTION seeme.end_invitations(uuid[]) IS
  'Ends open invitations without waiting for locks';

CREATE FUNCTION seeme.end_invitations_in(email text, organizations uuid[]) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT seeme.end_invitations(ARRAY(
    SELECT i.id FROM seeme.invitations i
     WHERE seeme.email_key(i.email) COLLATE "C" = seeme.email_key(end_invitations_in.email)
       AND i.organization_id = ANY (organizations) AND i.accepted_at IS NULL))
$$;
COMMENT ON FUNCTION seeme.end_invitations_in(text, uuid[]) IS
  'Ends the open invitations of an address to some organizations and to what lies in them';

CREATE FUNCTION seeme.end_invitations_of_removed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  ids uuid[];
BEGIN
  PERFORM seeme.require_own_table(TG_TABLE_SCHEMA);
  -- Those of an organization that is being deleted go with it.
  PERFORM FROM (SELECT DISTINCT r.organization_id FROM removed r) AS d
    JOIN seeme.organizations o ON o.id = d.organization_id LIMIT 1;
  IF NOT FOUND THEN
    RETURN NULL;
  END IF;
  ids := ARRAY(
    SELECT i.id
      FROM removed r
      JOIN seeme.users u ON u.id = r.user_id
      JOIN seeme.invitations i ON i.organization_id = r.organization_id
           AND seeme.email_key(i.email) COLLATE "C" = seeme.email_key(u.email)
     WHERE i.accepted_at IS NULL AND CASE
       WHEN r.project_id IS NOT NULL THEN i.project_id = r.project_id
       WHEN r.team_id IS NOT NULL THEN i.team_id = r.team_id
         OR i.project_id IN (SELECT p.id FROM seeme.projects p WHERE p.team_id = r.team_id)
       ELSE true END);
  IF cardinality(ids) > 0 THEN
    PERFORM seeme.end_invitations(ids);
  END IF;
  RETURN NULL;
END $$;
COMMENT ON FUNCTION seeme.end_invitations_of_removed() IS
  'Trigger: when a person is removed from an organization, team or project, their open invitations '
  'to it and to what lies in it end';
CREATE TRIGGER end_invitations_of_removed AFTER DELETE ON seeme.memberships
  REFERENCING OLD TABLE AS removed
  FOR EACH STATEMENT EXECUTE FUNCTION seeme.end_invitations_of_removed();

CREATE FUNCTION seeme.end_invitations_of_added() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  ids uuid[];
BEGIN
  PERFORM seeme.require_own_table(TG_TABLE_SCHEMA);
  IF seeme.restoring() THEN
    RETURN NULL;
  END IF;
  PERFORM FROM (SELECT DISTINCT a.organization_id FROM added a) AS d
    JOIN seeme.invitations i
      ON i.organization_id = d.organization_id AND i.accepted_at IS NULL
   LIMIT 1;
  IF NOT FOUND THEN
    RETURN NULL;
  END IF;
  ids := ARRAY(
    SELECT i.id
      FROM added a
      JOIN seeme.users u ON u.id = a.user_id
      JOIN seeme.invitations i ON i.organization_id = a.organization_id
           AND seeme.email_key(i.email) COLLATE "C" = seeme.email_key(u.email)
     WHERE i.accepted_at IS NULL
       AND i.team_id IS NOT DISTINCT FROM a.team_id
       AND i.project_id IS NOT DISTINCT FROM a.project_id
       -- Accepting an invitation to a team or project also adds the person to the organization.
       -- That membership ends no invitation (seeme_accept_invitation).
       AND NOT EXISTS (SELECT FROM seeme.invitations j
                        WHERE j.organization_id = a.organization_id AND j.accepted_at = now()
                          AND seeme.email_key(j.email) COLLATE "C" = seeme.email_key(u.email)));
  IF cardinality(ids) > 0 THEN
    PERFORM seeme.end_invitations(ids);
  END IF;
  RETURN NULL;
END $$;
COMMENT ON FUNCTION seeme.end_invitations_of_added() IS
  'Trigger: when a person is added to an organization, team or project, their open invitations to '
  'it end';
CREATE TRIGGER end_invitations_of_added AFTER INSERT ON seeme.memberships
  REFERENCING NEW TABLE AS added
  FOR EACH STATEMENT EXECUTE FUNCTION seeme.end_invitations_of_added();

CREATE FUNCTION seeme.end_invitations_of_former_address() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM seeme.require_own_table(TG_TABLE_SCHEMA);
  IF seeme.email_key(NEW.email) COLLATE "C" IS DISTINCT FROM seeme.email_key(OLD.email) THEN
    PERFORM seeme.end_invitations_in(OLD.email, ARRAY(
      SELECT m.organization_id FROM seeme.memberships m WHERE m.user_id = OLD.id));
  END IF;
  RETURN NULL;
END $$;
COMMENT ON FUNCTION seeme.end_invitations_of_former_address() IS
  'Trigger: when a member''s address changes, the open invitations of the former address end. '
  'Otherwise a member who is removed could come back by them.';
CREATE TRIGGER end_invitations AFTER UPDATE ON seeme.users
  FOR EACH ROW WHEN (OLD.email IS DISTINCT FROM NEW.email)
  EXECUTE FUNCTION seeme.end_invitations_of_former_address();

-- The documented result of an invitation: its row, and the token, which is shown only here.
CREATE TYPE seeme.invitation AS (
  id uuid, organization_id uuid, team_id uuid, project_id uuid, email text, role_id uuid,
  invited_by uuid, token text, expires_at timestamptz, accepted_at timestamptz,
  created_at timestamptz);
COMMENT ON TYPE seeme.invitation IS
  'What seeme_invite returns: an invitation with its token, which is shown only here';
COMMENT ON COLUMN seeme.invitation.id IS 'The invitation';
COMMENT ON COLUMN seeme.invitation.organization_id IS 'The organization';
COMMENT ON COLUMN seeme.invitation.team_id IS 'The team; null: not into a team';
COMMENT ON COLUMN seeme.invitation.project_id IS 'The project; null: not into a project';
COMMENT ON COLUMN seeme.invitation.email IS 'The address that it is for';
COMMENT ON COLUMN seeme.invitation.role_id IS 'The role that the membership will have; null: none';
COMMENT ON COLUMN seeme.invitation.invited_by IS 'The person who invites';
COMMENT ON COLUMN seeme.invitation.token IS 'The secret that accepts it; shown only here';
COMMENT ON COLUMN seeme.invitation.expires_at IS 'When it can no longer be accepted';
COMMENT ON COLUMN seeme.invitation.accepted_at IS 'When it was accepted; null in a new invitation';
COMMENT ON COLUMN seeme.invitation.created_at IS 'When it was made';

CREATE FUNCTION @extschema@.seeme_invite(
  email text, organization uuid = NULL, team uuid = NULL, project uuid = NULL, role_id uuid = NULL,
  valid_for interval = '7 days') RETURNS seeme.invitation
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  person  uuid := @extschema@.seeme_user_id();
  address text := seeme.checked_text(seeme_invite.email, 'email', 320);
  token   text := seeme.random_token('seeme_inv_');
  home    uuid := organization;
  made    seeme.invitations;
BEGIN
  IF num_nonnulls(organization, team, project) <> 1 THEN
    RAISE EXCEPTION 'an invitation is to one organization, team or project'
      USING ERRCODE = 'invalid_parameter_value',
            HINT = 'Give exactly one of organization, team and project.';
  END IF;
  IF NOT (seeme.manages_membership(organization, team, project)
          OR seeme.is_unidentified() AND seeme.bypasses_row_security()) THEN
    RAISE EXCEPTION 'you do not hold % in this %',
        CASE WHEN project IS NOT NULL THEN 'organizations:manage_members or projects:update'
             WHEN team IS NOT NULL THEN 'organizations:manage_members or teams:update'
             ELSE 'organizations:manage_members' END,
        CASE WHEN project IS NOT NULL THEN 'project'
             WHEN team IS NOT NULL THEN 'team' ELSE 'organization' END
      USING ERRCODE = 'insufficient_privilege';
  END IF;
  IF address IS NULL OR address COLLATE "C" !~ '^[^@[:space:]]+@[^@[:space:]]+$' THEN
    RAISE EXCEPTION 'this is not an e-mail address'
      USING ERRCODE = 'invalid_parameter_value', HINT = 'name@example.com';
  END IF;
  -- Dates are compared, not intervals: as an interval a year has 360 days.
  IF valid_for IS NULL OR now() + valid_for <= now()
     OR now() + valid_for > now() + interval '1 year' THEN
    RAISE EXCEPTION 'an invitation is valid for some time, a year at most'
      USING ERRCODE = 'invalid_parameter_value', HINT = 'The default is 7 days.';
  END IF;
  IF project IS NOT NULL THEN
    home := (SELECT p.organization_id FROM seeme.projects p WHERE p.id = project);
  ELSIF team IS NOT NULL THEN
    home := (SELECT t.organization_id FROM seeme.teams t WHERE t.id = team);
  END IF;
  -- Rule 7.10: only a person who manages the organization's members may bring somebody into it.
  IF organization IS NULL AND NOT seeme.is_unidentified()
     AND NOT @extschema@.seeme_has_permission('organizations:manage_members', organization => home)
     AND NOT EXISTS (SELECT FROM seeme.users u JOIN seeme.memberships m ON m.user_id = u.id
                      WHERE seeme.email_key(u.email) COLLATE "C" = seeme.email_key(address)
                        AND m.organization_id = home
                        AND m.team_id IS NULL AND m.project_id IS NULL) THEN
    RAISE EXCEPTION 'you do not hold organizations:manage_members in this organization'
      USING ERRCODE = 'insufficient_privilege',
            HINT = 'People who are not members of the organization are invited to its teams and '
                   'projects by a person who manages its members.';
  END IF;
  PERFORM seeme.require_role_of(seeme_invite.role_id, home);
  PERFORM seeme.require_role_held(seeme_invite.role_id, organization, team, project);
  IF seeme_invite.role_id = seeme.owner_role() THEN
    RAISE EXCEPTION 'the role Owner is on the owner''s membership of the organization '
                    'and on no other'
      USING ERRCODE = 'check_violation', HINT = 'The owner can call seeme_transfer_ownership().';
  END IF;

  -- An address has one open invitation for each place: a new one replaces the old one. The INSERT
  -- waits for another transaction that is inviting the same address. Once that one has committed,
  -- the INSERT adds nothing, and the loop replaces the other invitation.
  FOR attempt IN 1 .. 100 LOOP
    DELETE FROM seeme.invitations i
     WHERE i.organization_id = home AND i.team_id IS NOT DISTINCT FROM team
       AND i.project_id IS NOT DISTINCT FROM project
       AND seeme.email_key(i.email) COLLATE "C" = seeme.email_key(address)
       AND i.accepted_at IS NULL;
    INSERT INTO seeme.invitations (organization_id, team_id, project_id, email, role_id,
                                   invited_by, token_hash, expires_at)
    VALUES (home, team, project, address, seeme_invite.role_id,
            person, sha256(convert_to(token, 'UTF8')), clock_timestamp() + valid_for)
    ON CONFLICT DO NOTHING
    RETURNING * INTO made;
    EXIT WHEN FOUND;
  END LOOP;
  IF made.id IS NULL THEN
    RAISE EXCEPTION 'could not serialize access due to a concurrent invitation'
      USING ERRCODE = 'serialization_failure', HINT = 'Try the transaction again.';
  END IF;
  RETURN (made.id, made.organization_id, made.team_id, made.project_id, made.email, made.role_id,
          made.invited_by, token, made.expires_at, made.accepted_at, made.created_at
         )::seeme.invitation;
END $$;
COMMENT ON FUNCTION @extschema@.seeme_invite(text, uuid, uuid, uuid, uuid, interval) IS
  'Invites an e-mail address to an organization, team or project, with an optional role. The '
  'inviter may add this membership and holds what the role holds. If the address is not that of a '
  'member of the organization, only a person who manages the organization''s members may invite '
  'it, also to a team or project. The result has the token, which is shown only here: the table '
  'keeps its SHA-256. An open invitation of the same address to the same place is replaced.';

CREATE FUNCTION seeme.require_acceptable(
  invitation seeme.invitations, outsider boolean, must_be_verified boolean) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF invitation.id IS NULL OR @extschema@.seeme_user_id() IS NULL OR seeme.uses_api_key()
     OR invitation.expires_at <= clock_timestamp() OR seeme.is_retired(invitation.id)
     OR NOT seeme.is_invited(invitation.email)
     OR must_be_verified AND NOT seeme.is_invited_and_verified(invitation.email)
     OR invitation.invited_by IS NOT NULL AND NOT seeme.could_invite(
          invitation.invited_by, invitation.inviter_membership_id, invitation.role_id,
          invitation.organization_id, invitation.team_id, invitation.project_id, outsider) THEN
    RAISE EXCEPTION 'this invitation cannot be accepted'
      USING ERRCODE = 'invalid_parameter_value',
            HINT = 'It may be used, expired, cancelled, or meant for another e-mail address. '
                   'Ask for a new one.';
  END IF;
END $$;
COMMENT ON FUNCTION seeme.require_acceptable(seeme.invitations, boolean, boolean) IS
  'Raises 22023, always with the same words, unless the asking person may accept the invitation at '
  'this moment and its inviter may still grant what it offers. outsider: the asking person is not '
  'a member of the organization. must_be_verified: the application has verified their address.';

CREATE FUNCTION seeme.accept_invitation(invitation_id uuid, must_be_verified boolean) RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  person     uuid := @extschema@.seeme_user_id();
  invitation seeme.invitations;
  new_id     uuid := gen_random_uuid();
  member_id  uuid;
  outsider   boolean;
BEGIN
  -- A second transaction with the same invitation waits for this lock, and then finds it accepted.
  SELECT i.* INTO invitation FROM seeme.invitations i
   WHERE i.id = accept_invitation.invitation_id AND i.accepted_at IS NULL FOR UPDATE;
  -- The person's own row is not locked: disabling them, or changing their address, must not wait.
  outsider := seeme.membership_in(invitation.organization_id, person) IS NULL;
  PERFORM seeme.require_acceptable(invitation, outsider, must_be_verified);

  -- By this row the trigger of memberships knows that the inviter grants the role, for one INSERT.
  UPDATE seeme.invitations i SET accepted_at = now(), membership_id = new_id
   WHERE i.id = invitation.id;
  IF invitation.team_id IS NOT NULL OR invitation.project_id IS NOT NULL THEN
    INSERT INTO seeme.memberships (organization_id, user_id)
    VALUES (invitation.organization_id, person)
    ON CONFLICT ON CONSTRAINT memberships_person_and_scope_key DO NOTHING;
    outsider := outsider OR FOUND;  -- they may have been removed in the meantime
  END IF;
  SELECT m.id INTO member_id FROM seeme.memberships m
   WHERE m.organization_id = invitation.organization_id AND m.user_id = person
     AND m.team_id IS NOT DISTINCT FROM invitation.team_id
     AND m.project_id IS NOT DISTINCT FROM invitation.project_id;
  IF member_id IS NULL THEN
    INSERT INTO seeme.memberships (id, organization_id, team_id, project_id, user_id, role_id)
    VALUES (new_id, invitation.organization_id, invitation.team_id, invitation.project_id, person,
            invitation.role_id)
    ON CONFLICT ON CONSTRAINT memberships_person_and_scope_key DO NOTHING;
    IF FOUND THEN
      member_id := new_id;
    ELSE  -- another transaction was faster
      SELECT m.id INTO member_id FROM seeme.memberships m
       WHERE m.organization_id = invitation.organization_id AND m.user_id = person
         AND m.team_id IS NOT DISTINCT FROM invitation.team_id
         AND m.project_id IS NOT DISTINCT FROM invitation.project_id;
    END IF;
  END IF;
  -- Once more, because nothing is waited for from here on. A membership that was found is checked,
  -- too: an old snapshot shows memberships that are gone.
  PERFORM seeme.require_acceptable(invitation, outsider, must_be_verified);
  UPDATE seeme.invitations i
     SET accepted_at = clock_timestamp() + interval '1 microsecond', membership_id = member_id
   WHERE i.id = invitation.id;
  RETURN member_id;
END $$;
COMMENT ON FUNCTION seeme.accept_invitation(uuid, boolean) IS
  'Accepts an invitation as the asking person, who has shown that it is theirs: by its token, or '
  'by a verified address';

CREATE FUNCTION @extschema@.seeme_accept_invitation(token text) RETURNS uuid
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT seeme.accept_invitation((
    SELECT i.id FROM seeme.invitations i
     WHERE i.token_hash = sha256(convert_to(seeme_accept_invitation.token, 'UTF8'))), false)
$$;
COMMENT ON FUNCTION @extschema@.seeme_accept_invitation(text) IS
  'Makes the asking person a member as they were invited, and a member of the organization if they '
  'are not. Returns the membership; one that exists already stays as it is. An invitation is '
  'accepted once, by the invited e-mail address, before it expires, and while its inviter may '
  'still grant what it offers; otherwise the error is always the same (22023).';

-- A person who merely knows the id must not lock the row, so the address is compared first.
CREATE FUNCTION @extschema@.seeme_accept_invitation_by_id(invitation_id uuid) RETURNS uuid
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT seeme.accept_invitation((
    SELECT i.id FROM seeme.invitations i
     WHERE i.id = seeme_accept_invitation_by_id.invitation_id
       AND seeme.is_invited_and_verified(i.email)), true)
$$;
COMMENT ON FUNCTION @extschema@.seeme_accept_invitation_by_id(uuid) IS
  'As seeme_accept_invitation, without the token: for a person whose address the application has '
  'verified (users.email_verified_at). An invitation that does not exist, and one that is not '
  'theirs, give the same error (22023).';

CREATE FUNCTION seeme.invitation_role_name(invitation_id uuid) RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
RETURN (SELECT r.name FROM seeme.invitations i JOIN seeme.roles r ON r.id = i.role_id
         WHERE i.id = invitation_id
           AND (seeme.is_invited(i.email)
                OR seeme.manages_membership(i.organization_id, i.team_id, i.project_id)
                OR seeme.is_unidentified() AND seeme.bypasses_row_security()));
COMMENT ON FUNCTION seeme.invitation_role_name(uuid) IS
  'The name of an invitation''s role, if the asking person sees the invitation';

CREATE VIEW seeme.pending_members WITH (security_invoker = true) AS
  SELECT i.id, i.organization_id, i.team_id, i.project_id, NULL::uuid AS user_id, i.role_id,
         seeme.invitation_role_name(i.id) AS role_name, i.email, NULL::text AS username,
         NULL::text AS firstname, NULL::text AS name, i.invited_by, i.expires_at
    FROM seeme.invitations i WHERE i.accepted_at IS NULL AND i.expires_at > clock_timestamp();
COMMENT ON VIEW seeme.pending_members IS
  'Open invitations with the columns of the member views, because the documented list of members '
  'shows them too. DELETE cancels one.';

SELECT pg_extension_config_dump('seeme.invitations', '');
