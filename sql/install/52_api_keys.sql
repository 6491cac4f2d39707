-- API keys. A key stands for a person or a service, limited to a list of codes. Services are users,
-- so their keys are not special. A key counts only while its creator could make it (rule 7.7):
-- src/core/evaluator.c checks that at every decision.

CREATE TABLE seeme.api_keys (
  id              uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  user_id         uuid NOT NULL REFERENCES seeme.users (id) ON DELETE CASCADE,
  organization_id uuid REFERENCES seeme.organizations (id) ON DELETE CASCADE,
  permissions     text[] NOT NULL,
  expires_at      timestamptz,
  name            text NOT NULL,
  key_prefix      text NOT NULL,
  key_hash        bytea NOT NULL UNIQUE,
  created_by      uuid,
  created_at      timestamptz NOT NULL DEFAULT now(),
  creator_membership_id uuid,
  bearer_membership_id  uuid,
  CONSTRAINT api_keys_key_hash_is_sha256 CHECK (octet_length(key_hash) = 32),
  -- The cache keeps the permissions of a person without a key under this id.
  CONSTRAINT api_keys_id_is_not_zero CHECK (id <> '00000000-0000-0000-0000-000000000000')
);
CREATE INDEX api_keys_user_id_idx ON seeme.api_keys (user_id);
CREATE INDEX api_keys_organization_id_idx ON seeme.api_keys (organization_id);
COMMENT ON TABLE seeme.api_keys IS
  'API keys. A key stands for its user, as far as its codes and its organization go. Deleting the '
  'row revokes the key at once.';
COMMENT ON COLUMN seeme.api_keys.id IS 'Unique id';
COMMENT ON COLUMN seeme.api_keys.user_id IS 'The person or service that the key stands for';
COMMENT ON COLUMN seeme.api_keys.organization_id IS
  'The only organization in which the key counts; null: all';
COMMENT ON COLUMN seeme.api_keys.permissions IS
  'The codes and wildcards that the key is limited to';
COMMENT ON COLUMN seeme.api_keys.expires_at IS
  'The first instant at which it is refused; null: never';
COMMENT ON COLUMN seeme.api_keys.name IS 'What it is for';
COMMENT ON COLUMN seeme.api_keys.key_prefix IS 'The beginning of the key, to recognise it by';
COMMENT ON COLUMN seeme.api_keys.key_hash IS
  'SHA-256 of the key; never readable by an application''s role';
COMMENT ON COLUMN seeme.api_keys.created_by IS
  'The person who made the key. It counts only while they could make it. Null: privileged code '
  'made it.';
COMMENT ON COLUMN seeme.api_keys.created_at IS 'When it was added';
COMMENT ON COLUMN seeme.api_keys.creator_membership_id IS
  'The creator''s membership of the key''s organization when the key was made. The key counts as '
  'long as the creator has this membership.';
COMMENT ON COLUMN seeme.api_keys.bearer_membership_id IS
  'The user''s membership of the key''s organization when the key was made. The key counts as long '
  'as the user has this membership.';

-- The two memberships have no foreign keys. So making a key and removing a member do not wait for
-- each other. If both happen at once, the key does not count: its membership is gone.
CREATE FUNCTION seeme.note_memberships_of_key() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM seeme.require_own_table(TG_TABLE_SCHEMA);
  PERFORM seeme.require_no_actor('make API keys');
  IF NOT seeme.restoring() THEN
    NEW.creator_membership_id := coalesce(
      NEW.creator_membership_id, seeme.membership_in(NEW.organization_id, NEW.created_by));
    NEW.bearer_membership_id := coalesce(
      NEW.bearer_membership_id, seeme.membership_in(NEW.organization_id, NEW.user_id));
  END IF;
  RETURN NEW;
END $$;
COMMENT ON FUNCTION seeme.note_memberships_of_key() IS
  'Trigger: remembers the memberships under which a key was made. Nobody makes one while acting '
  'for somebody.';
CREATE TRIGGER note_memberships BEFORE INSERT ON seeme.api_keys
  FOR EACH ROW EXECUTE FUNCTION seeme.note_memberships_of_key();

-- A table of its own, without a foreign key to the keys: a login must not lock a key's row, because
-- revoking the key would wait until the transaction of the login ends.
CREATE TABLE seeme.api_key_uses (
  key_id  uuid NOT NULL,
  used_at timestamptz NOT NULL,
  PRIMARY KEY (key_id, used_at)
);
COMMENT ON TABLE seeme.api_key_uses IS
  'When keys were last used to log in, to the minute; the latest row of a key counts. Logins write '
  'it in READ COMMITTED transactions that are not read only.';
COMMENT ON COLUMN seeme.api_key_uses.key_id IS 'The key';
COMMENT ON COLUMN seeme.api_key_uses.used_at IS 'When the key was used to log in';

ALTER TABLE seeme.api_keys ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY seeme_select ON seeme.api_keys FOR SELECT USING (
  NOT (SELECT seeme.uses_api_key()) AND (
    user_id = (SELECT @extschema@.seeme_user_id())
    OR @extschema@.seeme_has_permission('organizations:manage_members',
                                        organization => organization_id)));
SELECT seeme.create_write_policy('seeme.api_keys', 'DELETE',
  'NOT seeme.uses_api_key() AND (user_id = @extschema@.seeme_user_id()
     OR @extschema@.seeme_has_permission(''organizations:manage_members'',
                                         organization => organization_id))');

ALTER TABLE seeme.api_key_uses ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY seeme_select ON seeme.api_key_uses FOR SELECT
  USING (EXISTS (SELECT FROM seeme.api_keys k WHERE k.id = key_id));

CREATE FUNCTION seeme.note_key_use(key uuid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF current_setting('transaction_read_only')::boolean
     OR current_setting('transaction_isolation') <> 'read committed'
     OR EXISTS (SELECT FROM seeme.api_key_uses u
                 WHERE u.key_id = key AND u.used_at > clock_timestamp() - interval '1 minute') THEN
    RETURN;
  END IF;
  INSERT INTO seeme.api_key_uses (key_id, used_at) VALUES (key, clock_timestamp())
  ON CONFLICT DO NOTHING;
  DELETE FROM seeme.api_key_uses u
   WHERE u.ctid IN (SELECT o.ctid FROM seeme.api_key_uses o
                     WHERE o.key_id = key AND o.used_at < clock_timestamp() - interval '1 minute'
                       FOR UPDATE SKIP LOCKED);
END $$;
COMMENT ON FUNCTION seeme.note_key_use(uuid) IS
  'Notes at most once a minute that a key was used. It waits for nobody, and nobody waits for it.';

CREATE TYPE seeme.api_key AS (
  id uuid, user_id uuid, organization_id uuid, name text, permissions text[], key text,
  expires_at timestamptz, created_at timestamptz);
COMMENT ON TYPE seeme.api_key IS
  'What seeme_create_api_key returns: a key, which is shown only here';
COMMENT ON COLUMN seeme.api_key.id IS 'Its row in seeme.api_keys';
COMMENT ON COLUMN seeme.api_key.user_id IS 'The person or service that the key stands for';
COMMENT ON COLUMN seeme.api_key.organization_id IS
  'The only organization in which the key counts; null: all';
COMMENT ON COLUMN seeme.api_key.name IS 'What the key is for';
COMMENT ON COLUMN seeme.api_key.permissions IS 'The codes and wildcards that the key is limited to';
COMMENT ON COLUMN seeme.api_key.key IS 'The key itself; shown only here';
COMMENT ON COLUMN seeme.api_key.expires_at IS
  'The first instant at which the key is refused; null: never';
COMMENT ON COLUMN seeme.api_key.created_at IS 'When it was made';

CREATE FUNCTION @extschema@.seeme_create_api_key(
  name text, permissions text[], organization uuid = NULL, user_id uuid = NULL,
  valid_for interval = NULL)
RETURNS seeme.api_key
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  person  uuid := @extschema@.seeme_user_id();
  bearer  uuid := coalesce(seeme_create_api_key.user_id, person);
  label   text := seeme.checked_name(seeme_create_api_key.name, 'key');
  key     text := seeme.random_token('seeme_key_');
  code    text;
  made    seeme.api_keys;
BEGIN
  PERFORM seeme.require_no_actor('make API keys');
  IF label IS NULL OR bearer IS NULL OR coalesce(cardinality(permissions), 0) = 0 THEN
    RAISE EXCEPTION 'a key has a name, a user, and permissions'
      USING ERRCODE = 'invalid_parameter_value',
            HINT = 'For everything that its user may do: permissions => ''{*}''.';
  END IF;
  FOREACH code IN ARRAY permissions LOOP
    PERFORM seeme.check_code(code);
  END LOOP;
  IF valid_for <= '0' THEN
    RAISE EXCEPTION 'a key is valid for some time'
      USING ERRCODE = 'invalid_parameter_value',
            HINT = 'Leave valid_for out for one that does not expire.';
  END IF;
  IF seeme.is_unidentified() THEN
    IF NOT seeme.bypasses_row_security() THEN
      RAISE EXCEPTION 'nobody is identified' USING ERRCODE = 'insufficient_privilege';
    END IF;
    -- By a key, who names nobody would become somebody.
    IF EXISTS (SELECT FROM seeme.system_roles() s JOIN pg_roles r ON r.oid = s.role
                WHERE r.rolname = session_user)
       AND NOT EXISTS (SELECT FROM seeme.users u WHERE u.id = bearer AND u.is_service) THEN
      RAISE EXCEPTION 'a system role makes keys for services alone'
        USING ERRCODE = 'insufficient_privilege',
              HINT = 'People make their own keys.';
    END IF;
  ELSIF person IS NULL OR seeme.uses_api_key() THEN
    RAISE EXCEPTION 'who came by a key makes no keys' USING ERRCODE = 'insufficient_privilege';
  ELSIF bearer <> person THEN
    -- Rule 7.7: a service's key may be made by people who manage the members of the organization
    -- that the service belongs to. Whoever has the key acts as the service there.
    IF organization IS NULL
       OR NOT @extschema@.seeme_has_permission('organizations:manage_members',
                                               organization => organization)
       OR NOT EXISTS (
            SELECT FROM seeme.users u JOIN seeme.memberships m ON m.user_id = u.id
             WHERE u.id = bearer AND u.is_service AND u.service_organization_id = organization
               AND m.organization_id = organization
               AND m.team_id IS NULL AND m.project_id IS NULL) THEN
      RAISE EXCEPTION 'a key for somebody else is for a service of an organization '
                      'whose members you manage'
        USING ERRCODE = 'insufficient_privilege',
              HINT = 'Give organization, and the user_id of a service that is a member of it. A '
                     'superuser sets which organization a service belongs to: users.is_service and '
                     'users.service_organization_id.';
    END IF;
    PERFORM seeme.require_codes_held(permissions, organization);
  ELSIF organization IS NOT NULL AND NOT seeme.is_member(organization => organization) THEN
    RAISE EXCEPTION 'you are not a member of this organization'
      USING ERRCODE = 'insufficient_privilege';
  END IF;
  INSERT INTO seeme.api_keys (user_id, organization_id, permissions, expires_at, name, key_prefix,
                              key_hash, created_by)
  VALUES (bearer, organization, permissions, clock_timestamp() + valid_for, label, left(key, 16),
          sha256(convert_to(key, 'UTF8')), person)
  RETURNING * INTO made;
  RETURN (made.id, made.user_id, made.organization_id, made.name, made.permissions, key,
          made.expires_at, made.created_at)::seeme.api_key;
END $$;
COMMENT ON FUNCTION @extschema@.seeme_create_api_key(text, text[], uuid, uuid, interval) IS
  'Makes an API key: for oneself, or for a service of an organization. For a service one has to '
  'manage that organization''s members and to hold the codes; the key counts only as long as this '
  'is so. A key limits its user to the given codes, and to one organization if given. The result '
  'has the key, which is shown only here: the table keeps its SHA-256.';

SELECT pg_extension_config_dump('seeme.api_keys', '');
SELECT pg_extension_config_dump('seeme.api_key_uses', '');
