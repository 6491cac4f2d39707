-- People and services. The application provisions them; nothing else in the model knows a person but by id.

CREATE TABLE seeme.users (
  id            uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  username      text,
  email         text,
  firstname     text,
  name          text,
  database_role name UNIQUE,
  is_service    boolean NOT NULL DEFAULT false,
  disabled_at   timestamptz,
  created_at    timestamptz NOT NULL DEFAULT now(),
  updated_at    timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT users_email_is_an_address CHECK (email ~ '^[^@[:space:]]+@[^@[:space:]]+$')
);
-- The first sight of a person reads one page of it, however many people there are; the descent of a B-tree takes five times as many
-- instructions.
CREATE INDEX users_id_idx ON seeme.users USING hash (id);
CREATE UNIQUE INDEX users_email_key ON seeme.users (lower(email));
COMMENT ON TABLE seeme.users IS 'People and services that can ask; provisioned by the application';
COMMENT ON COLUMN seeme.users.id IS 'Unique id; an application may bring its own';
COMMENT ON COLUMN seeme.users.username IS 'The name shown for the person';
COMMENT ON COLUMN seeme.users.email IS 'Unique without regard to case';
COMMENT ON COLUMN seeme.users.firstname IS 'First name';
COMMENT ON COLUMN seeme.users.name IS 'Last name';
COMMENT ON COLUMN seeme.users.database_role IS 'The database role by which this person connects directly; set by a database administrator';
COMMENT ON COLUMN seeme.users.is_service IS 'Whether this is a service and not a person';
COMMENT ON COLUMN seeme.users.disabled_at IS 'From this instant on the person is refused everything; null: never';
COMMENT ON COLUMN seeme.users.created_at IS 'When it was added';
COMMENT ON COLUMN seeme.users.updated_at IS 'When it was last changed';

-- Text that people type: trimmed of surrounding white space, not longer than it may be.
CREATE FUNCTION seeme.checked_text(value text, column_name text, max_length int) RETURNS text
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF length(value) > max_length THEN
    RAISE EXCEPTION '% is too long: % characters', column_name, length(value)
      USING ERRCODE = 'string_data_right_truncation', HINT = format('At most %s characters are kept.', max_length);
  END IF;
  RETURN btrim(value, E' \t\r\n');
END $$;
COMMENT ON FUNCTION seeme.checked_text(text, text, int) IS 'The value without surrounding white space; raises 22001 when it is longer than max_length characters';

CREATE FUNCTION seeme.prepare_user() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM seeme.require_own_table(TG_TABLE_SCHEMA);
  IF TG_OP = 'DELETE' THEN
    IF EXISTS (SELECT FROM seeme.organizations o WHERE o.owner_id = OLD.id) THEN
      RAISE EXCEPTION 'this person owns an organization'
        USING ERRCODE = 'foreign_key_violation', HINT = 'Transfer the organization, or delete it, first; or disable the person.';
    END IF;
    RETURN OLD;
  END IF;
  IF seeme.restoring() THEN
    RETURN NEW;
  END IF;
  NEW.username := seeme.checked_text(NEW.username, 'username', 200);
  NEW.email := seeme.checked_text(NEW.email, 'email', 320);
  NEW.firstname := seeme.checked_text(NEW.firstname, 'firstname', 200);
  NEW.name := seeme.checked_text(NEW.name, 'name', 200);
  IF EXISTS (SELECT FROM seeme.users u WHERE lower(u.email) = lower(NEW.email) AND u.id <> NEW.id) THEN
    RAISE EXCEPTION 'there is a user with this e-mail address already'
      USING ERRCODE = 'unique_violation', HINT = 'E-mail addresses are compared without regard to case.',
            TABLE = 'users', SCHEMA = 'seeme', CONSTRAINT = 'users_email_key';
  END IF;
  IF TG_OP = 'UPDATE' THEN
    IF NEW.id IS DISTINCT FROM OLD.id THEN
      RAISE EXCEPTION 'a user''s id never changes' USING ERRCODE = 'check_violation';
    END IF;
    NEW.created_at := OLD.created_at;
    NEW.updated_at := now();
  END IF;
  RETURN NEW;
END $$;
COMMENT ON FUNCTION seeme.prepare_user() IS 'Trigger: tidies a user''s texts and checks what constraints cannot explain';

CREATE TRIGGER prepare BEFORE INSERT OR UPDATE OR DELETE ON seeme.users
  FOR EACH ROW EXECUTE FUNCTION seeme.prepare_user();

SELECT pg_extension_config_dump('seeme.users', '');
