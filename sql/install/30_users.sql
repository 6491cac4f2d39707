-- Users: people and services. The application adds them. All other tables refer to a user by id.

CREATE TABLE seeme.users (
  id            uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  username      text,
  email         text,
  firstname     text,
  name          text,
  database_role name,
  is_service    boolean NOT NULL DEFAULT false,
  disabled_at   timestamptz,
  created_at    timestamptz NOT NULL DEFAULT now(),
  updated_at    timestamptz NOT NULL DEFAULT now(),
  -- No foreign key: organizations have one to users, and a dump cannot restore a circle of them.
  service_organization_id uuid,
  email_verified_at timestamptz,
  tokens_valid_from timestamptz,
  CONSTRAINT users_email_is_an_address
    CHECK (email COLLATE "C" ~ '^[^@[:space:]]+@[^@[:space:]]+$'),
  CONSTRAINT users_only_services_belong_to_an_organization
    CHECK (service_organization_id IS NULL OR is_service)
);
-- The first check about a user reads one page of this index, however many users there are. The
-- descent of a B-tree takes five times as many instructions.
CREATE INDEX users_id_idx ON seeme.users USING hash (id);
-- A partial index, not a constraint. A foreign key could refer to the columns of a constraint, so
-- an UPDATE of them would wait for every transaction that refers to the row.
CREATE UNIQUE INDEX users_database_role_key ON seeme.users (database_role)
  WHERE database_role IS NOT NULL;
CREATE INDEX users_service_organization_id_idx ON seeme.users (service_organization_id)
  WHERE service_organization_id IS NOT NULL;

-- The key by which e-mail addresses are compared, everywhere. lower() alone depends on the
-- collation of the database: in Turkish, i is not the lower case of I. The root collation of ICU is
-- the same in every UTF-8 database. With other encodings only ASCII letters are folded. The Kelvin
-- sign is the only letter beyond ASCII whose lower case is in ASCII. It must not equal k, or one
-- user would have the address of another. Keys are compared and indexed by their bytes (COLLATE
-- "C").
DO $$
BEGIN
  IF getdatabaseencoding() = 'UTF8' AND EXISTS (
       SELECT FROM pg_catalog.pg_collation c
        WHERE c.collname = 'und-x-icu' AND c.collnamespace = 'pg_catalog'::regnamespace) THEN
    CREATE FUNCTION seeme.email_key(email text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN lower(replace(email, chr(8490), chr(65355)) COLLATE "und-x-icu");
  ELSE
    CREATE FUNCTION seeme.email_key(email text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN lower(email COLLATE "C");
  END IF;
END $$;
COMMENT ON FUNCTION seeme.email_key(text) IS
  'The key by which e-mail addresses are compared, whatever the collation of the database. Compare '
  'keys with COLLATE "C".';
CREATE UNIQUE INDEX users_email_key ON seeme.users ((seeme.email_key(email) COLLATE "C"));
COMMENT ON TABLE seeme.users IS 'People and services. The application adds them.';
COMMENT ON COLUMN seeme.users.id IS 'Unique id. An application may use its own ids.';
COMMENT ON COLUMN seeme.users.username IS 'The name that is shown for the user';
COMMENT ON COLUMN seeme.users.email IS 'Unique without regard to case';
COMMENT ON COLUMN seeme.users.firstname IS 'First name';
COMMENT ON COLUMN seeme.users.name IS 'Last name';
COMMENT ON COLUMN seeme.users.database_role IS
  'The database role with which this user connects directly. Only a database administrator sets '
  'it.';
COMMENT ON COLUMN seeme.users.is_service IS
  'Whether this is a service, not a person. Only a database administrator sets it.';
COMMENT ON COLUMN seeme.users.disabled_at IS
  'From this time on the user has no permissions at all; null: never';
COMMENT ON COLUMN seeme.users.created_at IS 'When it was added';
COMMENT ON COLUMN seeme.users.updated_at IS 'When it was last changed';
COMMENT ON COLUMN seeme.users.service_organization_id IS
  'The organization to which a service belongs: its members may create API keys for the service. '
  'Null: the service belongs to the database administrator. Only a database administrator sets it.';
COMMENT ON COLUMN seeme.users.email_verified_at IS
  'When the application verified the address. Becomes null when the address changes, unless the '
  'same statement sets it.';
COMMENT ON COLUMN seeme.users.tokens_valid_from IS
  'Signs the user out everywhere: from the next statement on, tokens issued before this time are '
  'refused, and so are tokens without an issue time. Null: all are accepted.';

-- Trims a text that people type, and checks its length.
CREATE FUNCTION seeme.checked_text(value text, column_name text, max_length int) RETURNS text
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'seeme_checked_text_of';
COMMENT ON FUNCTION seeme.checked_text(text, text, int) IS
  'The value without surrounding white space. Raises 22001 if it is longer than max_length '
  'characters.';

-- The rules are written in C, because a bulk statement has many rows (src/rules/users.c).
CREATE FUNCTION seeme.enforce_user_rules() RETURNS trigger
LANGUAGE c AS 'MODULE_PATHNAME', 'seeme_enforce_user_rules';
COMMENT ON FUNCTION seeme.enforce_user_rules() IS
  'Trigger: trims a user''s texts, and raises clear errors for what constraints would refuse. A '
  'role under row security does not write database_role, is_service or service_organization_id: '
  'by database_role it could become the person, and by an API key for a service the service.';
CREATE TRIGGER enforce_rules BEFORE INSERT OR UPDATE ON seeme.users
  FOR EACH ROW EXECUTE FUNCTION seeme.enforce_user_rules();

CREATE FUNCTION seeme.prepare_removal_of_user() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM seeme.require_own_table(TG_TABLE_SCHEMA);
  IF EXISTS (SELECT FROM seeme.organizations o WHERE o.owner_id = OLD.id) THEN
    RAISE EXCEPTION 'this person owns an organization'
      USING ERRCODE = 'foreign_key_violation',
            HINT = 'Transfer the organization or delete it first, or disable the person.';
  END IF;
  IF NOT seeme.restoring() THEN
    PERFORM seeme.end_invitations_in(OLD.email, ARRAY(
      SELECT m.organization_id FROM seeme.memberships m WHERE m.user_id = OLD.id));
  END IF;
  RETURN OLD;
END $$;
COMMENT ON FUNCTION seeme.prepare_removal_of_user() IS
  'Trigger: the owner of an organization is not removed. The open invitations of a user end when '
  'the user is removed.';
CREATE TRIGGER prepare_removal BEFORE DELETE ON seeme.users
  FOR EACH ROW EXECUTE FUNCTION seeme.prepare_removal_of_user();

CREATE FUNCTION seeme.forget_verification() RETURNS trigger
LANGUAGE c AS 'MODULE_PATHNAME', 'seeme_forget_verification';
COMMENT ON FUNCTION seeme.forget_verification() IS
  'Trigger: a changed e-mail address is not verified, unless the same statement says that it is';
CREATE TRIGGER prepare_verification BEFORE UPDATE ON seeme.users
  FOR EACH ROW EXECUTE FUNCTION seeme.forget_verification();

SELECT pg_extension_config_dump('seeme.users', '');
