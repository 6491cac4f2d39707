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
  created_at      timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT invitations_one_scope CHECK (team_id IS NULL OR project_id IS NULL),
  CONSTRAINT invitations_email_is_an_address CHECK (email ~ '^[^@[:space:]]+@[^@[:space:]]+$' AND length(email) <= 320),
  CONSTRAINT invitations_token_hash_is_sha256 CHECK (octet_length(token_hash) = 32),
  CONSTRAINT invitations_team_of_the_same_organization FOREIGN KEY (team_id, organization_id)
    REFERENCES seeme.teams (id, organization_id) ON DELETE CASCADE,
  CONSTRAINT invitations_project_of_the_same_organization FOREIGN KEY (project_id, organization_id)
    REFERENCES seeme.projects (id, organization_id) ON DELETE CASCADE
);
CREATE INDEX invitations_organization_id_idx ON seeme.invitations (organization_id);
CREATE INDEX invitations_team_id_idx ON seeme.invitations (team_id) WHERE team_id IS NOT NULL;
CREATE INDEX invitations_project_id_idx ON seeme.invitations (project_id) WHERE project_id IS NOT NULL;
CREATE INDEX invitations_email_idx ON seeme.invitations (lower(email));
CREATE INDEX invitations_role_id_idx ON seeme.invitations (role_id);
CREATE INDEX invitations_invited_by_idx ON seeme.invitations (invited_by);
COMMENT ON TABLE seeme.invitations IS 'Invitations to an organization, team or project by e-mail';
COMMENT ON COLUMN seeme.invitations.id IS 'Unique id';
COMMENT ON COLUMN seeme.invitations.organization_id IS 'The organization';
COMMENT ON COLUMN seeme.invitations.team_id IS 'The team, for an invitation to one';
COMMENT ON COLUMN seeme.invitations.project_id IS 'The project, for an invitation to one';
COMMENT ON COLUMN seeme.invitations.email IS 'The invited person''s e-mail address';
COMMENT ON COLUMN seeme.invitations.role_id IS 'The role that the membership will have, if any';
COMMENT ON COLUMN seeme.invitations.invited_by IS 'The person who invites';
COMMENT ON COLUMN seeme.invitations.token_hash IS 'SHA-256 of the token; never readable by an application''s role';
COMMENT ON COLUMN seeme.invitations.expires_at IS 'The first instant at which it cannot be accepted any more';
COMMENT ON COLUMN seeme.invitations.accepted_at IS 'When it was accepted';

CREATE FUNCTION seeme.is_invited(email text) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
RETURN EXISTS (SELECT FROM seeme.users u
                WHERE u.id = @extschema@.seeme_user_id() AND lower(u.email) = lower(is_invited.email));
COMMENT ON FUNCTION seeme.is_invited(text) IS 'Whether the e-mail address is the asking person''s';

ALTER TABLE seeme.invitations ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY seeme_select ON seeme.invitations FOR SELECT USING (
  seeme.is_invited(email) OR seeme.manages_membership(organization_id, team_id, project_id));
SELECT seeme.create_write_policy('seeme.invitations', 'DELETE',
  'seeme.manages_membership({row}.organization_id, {row}.team_id, {row}.project_id)');

SELECT pg_extension_config_dump('seeme.invitations', '');
