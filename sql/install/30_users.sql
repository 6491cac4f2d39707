-- People and services. The application provisions them; nothing else in the model knows a person but by id.

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
  -- No foreign key: organizations have one to users, and a circle of them is not restored from a dump.
  service_organization_id uuid,
  email_verified_at timestamptz,
  tokens_valid_from timestamptz,
  CONSTRAINT users_email_is_an_address CHECK (email COLLATE "C" ~ '^[^@[:space:]]+@[^@[:space:]]+$'),
  CONSTRAINT users_only_services_belong_to_an_organization CHECK (service_organization_id IS NULL OR is_service)
);
-- The first sight of a person reads one page of it, however many people there are; the descent of a B-tree takes five times as many
-- instructions.
CREATE INDEX users_id_idx ON seeme.users USING hash (id);
-- Not a constraint: a key that a foreign key could refer to makes who changes it wait for every transaction that refers to the row.
CREATE UNIQUE INDEX users_database_role_key ON seeme.users (database_role) WHERE database_role IS NOT NULL;
CREATE INDEX users_service_organization_id_idx ON seeme.users (service_organization_id) WHERE service_organization_id IS NOT NULL;

-- What e-mail addresses are compared by, everywhere: never lower() alone, which goes by the database's collation, as i and I do
-- in Turkish. The root collation of ICU is the same in every database in UTF-8. Elsewhere letters beyond ASCII are taken as they
-- are. The Kelvin sign, the only letter beyond ASCII whose lower case is in ASCII, is kept apart from k: whoever has an address
-- with it has nobody else's. Compared, and indexed, bytewise (COLLATE "C").
DO $$
BEGIN
  IF getdatabaseencoding() = 'UTF8' AND EXISTS (
       SELECT FROM pg_catalog.pg_collation c WHERE c.collname = 'und-x-icu' AND c.collnamespace = 'pg_catalog'::regnamespace) THEN
    CREATE FUNCTION seeme.email_key(email text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN lower(replace(email, chr(8490), chr(65355)) COLLATE "und-x-icu");
  ELSE
    CREATE FUNCTION seeme.email_key(email text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN lower(email COLLATE "C");
  END IF;
END $$;
COMMENT ON FUNCTION seeme.email_key(text) IS 'What e-mail addresses are compared by, whatever the database''s collation; COLLATE "C" beside it';
CREATE UNIQUE INDEX users_email_key ON seeme.users ((seeme.email_key(email) COLLATE "C"));
COMMENT ON TABLE seeme.users IS 'People and services that can ask; provisioned by the application';
COMMENT ON COLUMN seeme.users.id IS 'Unique id; an application may bring its own';
COMMENT ON COLUMN seeme.users.username IS 'The name shown for the person';
COMMENT ON COLUMN seeme.users.email IS 'Unique without regard to case';
COMMENT ON COLUMN seeme.users.firstname IS 'First name';
COMMENT ON COLUMN seeme.users.name IS 'Last name';
COMMENT ON COLUMN seeme.users.database_role IS 'The database role by which this person connects directly; set by a database administrator';
COMMENT ON COLUMN seeme.users.is_service IS 'Whether this is a service and not a person; set by a database administrator';
COMMENT ON COLUMN seeme.users.disabled_at IS 'From this instant on the person is refused everything; null: never';
COMMENT ON COLUMN seeme.users.created_at IS 'When it was added';
COMMENT ON COLUMN seeme.users.updated_at IS 'When it was last changed';
COMMENT ON COLUMN seeme.users.service_organization_id IS 'The organization that a service belongs to, whose people make keys for it; null: the database administrator''s; set by one';
COMMENT ON COLUMN seeme.users.email_verified_at IS 'When the application verified the address; null again when that changes, unless the same statement sets this';
COMMENT ON COLUMN seeme.users.tokens_valid_from IS 'Tokens issued before it, and tokens that do not say when they were, are refused from the next statement on: sign out everywhere; null: all are taken';

-- Text that people type: trimmed of surrounding white space, not longer than it may be.
CREATE FUNCTION seeme.checked_text(value text, column_name text, max_length int) RETURNS text
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'seeme_checked_text_of';
COMMENT ON FUNCTION seeme.checked_text(text, text, int) IS 'The value without surrounding white space; raises 22001 when it is longer than max_length characters';

-- The rules before a row is written are in C: a bulk statement has many rows (src/rules/users.c).
CREATE FUNCTION seeme.enforce_user_rules() RETURNS trigger
LANGUAGE c AS 'MODULE_PATHNAME', 'seeme_enforce_user_rules';
COMMENT ON FUNCTION seeme.enforce_user_rules() IS
  'Trigger: tidies a user''s texts, checks what constraints cannot explain, and that nobody under row security writes database_role, is_service and service_organization_id: whoever writes database_role becomes the person, and whoever makes keys for a service becomes the service';
CREATE TRIGGER enforce_rules BEFORE INSERT OR UPDATE ON seeme.users
  FOR EACH ROW EXECUTE FUNCTION seeme.enforce_user_rules();

CREATE FUNCTION seeme.prepare_removal_of_user() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM seeme.require_own_table(TG_TABLE_SCHEMA);
  IF EXISTS (SELECT FROM seeme.organizations o WHERE o.owner_id = OLD.id) THEN
    RAISE EXCEPTION 'this person owns an organization'
      USING ERRCODE = 'foreign_key_violation', HINT = 'Transfer the organization, or delete it, first; or disable the person.';
  END IF;
  IF NOT seeme.restoring() THEN
    PERFORM seeme.end_invitations_in(OLD.email, ARRAY(SELECT m.organization_id FROM seeme.memberships m WHERE m.user_id = OLD.id));
  END IF;
  RETURN OLD;
END $$;
COMMENT ON FUNCTION seeme.prepare_removal_of_user() IS 'Trigger: an owner is not removed, and the invitations of whoever is removed end';
CREATE TRIGGER prepare_removal BEFORE DELETE ON seeme.users
  FOR EACH ROW EXECUTE FUNCTION seeme.prepare_removal_of_user();

CREATE FUNCTION seeme.forget_verification() RETURNS trigger
LANGUAGE c AS 'MODULE_PATHNAME', 'seeme_forget_verification';
COMMENT ON FUNCTION seeme.forget_verification() IS 'Trigger: a changed e-mail address is not verified, unless the same statement says so';
CREATE TRIGGER prepare_verification BEFORE UPDATE ON seeme.users
  FOR EACH ROW EXECUTE FUNCTION seeme.forget_verification();

SELECT pg_extension_config_dump('seeme.users', '');
