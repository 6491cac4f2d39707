-- API keys: a way to be somebody, narrowed to a list of codes. Services are users; so a key of a service is like any other.
-- A key that a person made counts only while they could make it (rule 7.7): src/core/evaluator.c asks, at every decision.

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
  -- What is remembered of a person without a key is remembered under this.
  CONSTRAINT api_keys_id_is_not_zero CHECK (id <> '00000000-0000-0000-0000-000000000000')
);
CREATE INDEX api_keys_user_id_idx ON seeme.api_keys (user_id);
CREATE INDEX api_keys_organization_id_idx ON seeme.api_keys (organization_id);
COMMENT ON TABLE seeme.api_keys IS 'API keys: who bears one is its user, as far as its codes and its organization go. Deleting one revokes it at once.';
COMMENT ON COLUMN seeme.api_keys.id IS 'Unique id';
COMMENT ON COLUMN seeme.api_keys.user_id IS 'The person or service that the bearer is';
COMMENT ON COLUMN seeme.api_keys.organization_id IS 'The one organization in which it counts; null: everywhere';
COMMENT ON COLUMN seeme.api_keys.permissions IS 'The codes and wildcards that it narrows its user to';
COMMENT ON COLUMN seeme.api_keys.expires_at IS 'The first instant at which it is refused; null: never';
COMMENT ON COLUMN seeme.api_keys.name IS 'What it is for';
COMMENT ON COLUMN seeme.api_keys.key_prefix IS 'The beginning of the key, to recognise it by';
COMMENT ON COLUMN seeme.api_keys.key_hash IS 'SHA-256 of the key; never readable by an application''s role';
COMMENT ON COLUMN seeme.api_keys.created_by IS 'The person who made it, and without whom it does not count; null: privileged code';
COMMENT ON COLUMN seeme.api_keys.created_at IS 'When it was added';
COMMENT ON COLUMN seeme.api_keys.creator_membership_id IS 'The membership of its organization that whoever made it had then: it counts while they have that one';
COMMENT ON COLUMN seeme.api_keys.bearer_membership_id IS 'The membership of its organization that its user had then: it counts while they have that one';

-- Without foreign keys: neither waits for the other, and who is expelled while a key is being made has made none.
CREATE FUNCTION seeme.note_memberships_of_key() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM seeme.require_own_table(TG_TABLE_SCHEMA);
  IF NOT seeme.restoring() THEN
    NEW.creator_membership_id := coalesce(NEW.creator_membership_id, seeme.membership_in(NEW.organization_id, NEW.created_by));
    NEW.bearer_membership_id := coalesce(NEW.bearer_membership_id, seeme.membership_in(NEW.organization_id, NEW.user_id));
  END IF;
  RETURN NEW;
END $$;
COMMENT ON FUNCTION seeme.note_memberships_of_key() IS 'Trigger: remembers under which memberships a key was made';
CREATE TRIGGER note_memberships BEFORE INSERT ON seeme.api_keys
  FOR EACH ROW EXECUTE FUNCTION seeme.note_memberships_of_key();

-- Apart from the keys, and without a foreign key to them: nothing that a login does holds a lock on a key's row, for whoever
-- revokes it would wait until that transaction ends.
CREATE TABLE seeme.api_key_uses (
  key_id  uuid NOT NULL,
  used_at timestamptz NOT NULL,
  PRIMARY KEY (key_id, used_at)
);
COMMENT ON TABLE seeme.api_key_uses IS 'When keys were last used to log in, to the minute: the latest counts. Kept by logins in READ COMMITTED transactions that are not read only.';
COMMENT ON COLUMN seeme.api_key_uses.key_id IS 'The key';
COMMENT ON COLUMN seeme.api_key_uses.used_at IS 'When somebody logged in with it';

ALTER TABLE seeme.api_keys ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY seeme_select ON seeme.api_keys FOR SELECT USING (
  NOT (SELECT seeme.is_narrowed()) AND (
    user_id = (SELECT @extschema@.seeme_user_id())
    OR @extschema@.seeme_has_permission('organizations:manage_members', organization => organization_id)));
SELECT seeme.create_write_policy('seeme.api_keys', 'DELETE',
  'NOT seeme.is_narrowed() AND (user_id = @extschema@.seeme_user_id()
     OR @extschema@.seeme_has_permission(''organizations:manage_members'', organization => organization_id))');

ALTER TABLE seeme.api_key_uses ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY seeme_select ON seeme.api_key_uses FOR SELECT USING (EXISTS (SELECT FROM seeme.api_keys k WHERE k.id = key_id));

CREATE FUNCTION seeme.note_key_use(key uuid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF current_setting('transaction_read_only')::boolean OR current_setting('transaction_isolation') <> 'read committed'
     OR EXISTS (SELECT FROM seeme.api_key_uses u WHERE u.key_id = key AND u.used_at > clock_timestamp() - interval '1 minute') THEN
    RETURN;
  END IF;
  INSERT INTO seeme.api_key_uses (key_id, used_at) VALUES (key, clock_timestamp()) ON CONFLICT DO NOTHING;
  DELETE FROM seeme.api_key_uses u
   WHERE u.ctid IN (SELECT o.ctid FROM seeme.api_key_uses o
                     WHERE o.key_id = key AND o.used_at < clock_timestamp() - interval '1 minute' FOR UPDATE SKIP LOCKED);
END $$;
COMMENT ON FUNCTION seeme.note_key_use(uuid) IS 'Notes, once a minute, that a key was used; waits for nobody, and lets nobody wait';

CREATE TYPE seeme.api_key AS (
  id uuid, user_id uuid, organization_id uuid, name text, permissions text[], key text, expires_at timestamptz, created_at timestamptz);
COMMENT ON TYPE seeme.api_key IS 'What seeme_create_api_key answers with: a key, shown this once';
COMMENT ON COLUMN seeme.api_key.id IS 'Its row in seeme.api_keys';
COMMENT ON COLUMN seeme.api_key.user_id IS 'Whom it names';
COMMENT ON COLUMN seeme.api_key.organization_id IS 'The only organization that it reaches; null: every one';
COMMENT ON COLUMN seeme.api_key.name IS 'What it is called';
COMMENT ON COLUMN seeme.api_key.permissions IS 'What it can be used for, of what the person holds';
COMMENT ON COLUMN seeme.api_key.key IS 'The key itself: shown here, and never again';
COMMENT ON COLUMN seeme.api_key.expires_at IS 'When it ends; null: never';
COMMENT ON COLUMN seeme.api_key.created_at IS 'When it was made';

CREATE FUNCTION @extschema@.seeme_create_api_key(
  name text, permissions text[], organization uuid = NULL, user_id uuid = NULL, valid_for interval = NULL)
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
  IF label IS NULL OR bearer IS NULL OR coalesce(cardinality(permissions), 0) = 0 THEN
    RAISE EXCEPTION 'a key has a name, a user, and permissions'
      USING ERRCODE = 'invalid_parameter_value', HINT = 'For everything that its user may do: permissions => ''{*}''.';
  END IF;
  FOREACH code IN ARRAY permissions LOOP
    PERFORM seeme.check_code(code);
  END LOOP;
  IF valid_for <= '0' THEN
    RAISE EXCEPTION 'a key is valid for some time' USING ERRCODE = 'invalid_parameter_value', HINT = 'Leave valid_for out for one that does not expire.';
  END IF;
  IF seeme.nobody_asks() THEN
    IF NOT seeme.bypasses_row_security() THEN
      RAISE EXCEPTION 'nobody is identified' USING ERRCODE = 'insufficient_privilege';
    END IF;
  ELSIF person IS NULL OR seeme.is_narrowed() THEN
    RAISE EXCEPTION 'who came by a key makes no keys' USING ERRCODE = 'insufficient_privilege';
  ELSIF bearer <> person THEN
    -- Rule 7.7. Of a service, for those who manage the members of the organization that it belongs to: whoever has the key is
    -- the service there.
    IF organization IS NULL OR NOT @extschema@.seeme_has_permission('organizations:manage_members', organization => organization)
       OR NOT EXISTS (SELECT FROM seeme.users u JOIN seeme.memberships m ON m.user_id = u.id
                       WHERE u.id = bearer AND u.is_service AND u.service_organization_id = organization
                         AND m.organization_id = organization AND m.team_id IS NULL AND m.project_id IS NULL) THEN
      RAISE EXCEPTION 'a key for somebody else is for a service of an organization whose members you manage'
        USING ERRCODE = 'insufficient_privilege', HINT = 'Say organization, and the user_id of a service that is a member of it. A superuser says where a service belongs: users.is_service and users.service_organization_id.';
    END IF;
    PERFORM seeme.require_codes_held(permissions, organization);
  ELSIF organization IS NOT NULL AND NOT seeme.is_member(organization => organization) THEN
    RAISE EXCEPTION 'you are not a member of this organization' USING ERRCODE = 'insufficient_privilege';
  END IF;
  INSERT INTO seeme.api_keys (user_id, organization_id, permissions, expires_at, name, key_prefix, key_hash, created_by)
  VALUES (bearer, organization, permissions, clock_timestamp() + valid_for, label, left(key, 16), sha256(convert_to(key, 'UTF8')), person)
  RETURNING * INTO made;
  RETURN (made.id, made.user_id, made.organization_id, made.name, made.permissions, key, made.expires_at, made.created_at)::seeme.api_key;
END $$;
COMMENT ON FUNCTION @extschema@.seeme_create_api_key(text, text[], uuid, uuid, interval) IS
  'Makes an API key of one''s own, or of a service of an organization whose members one manages while holding the codes oneself: that one counts while this is so. It narrows its user to these codes, and to one organization if given. Answers with the key this once: only its SHA-256 is kept.';

SELECT pg_extension_config_dump('seeme.api_keys', '');
SELECT pg_extension_config_dump('seeme.api_key_uses', '');
