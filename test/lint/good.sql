SET LOCAL search_path = pg_catalog, pg_temp;

-- What the house does, and no rule finds. (Comments may say OR REPLACE.)
CREATE TABLE seeme.things (
  id   uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  name text NOT NULL CHECK (length(name) < 100)
);
COMMENT ON TABLE seeme.things IS 'Things';
COMMENT ON COLUMN seeme.things.id IS 'Unique id';
COMMENT ON COLUMN seeme.things.name IS 'What it is called';
ALTER TABLE seeme.things ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY seeme_select ON seeme.things FOR SELECT USING ((SELECT @extschema@.seeme_user_id()) IS NOT NULL);
-- Nobody is granted this one here.
CREATE POLICY seeme_insert ON seeme.things FOR INSERT WITH CHECK (true);
CREATE POLICY seeme_closed ON seeme.things AS RESTRICTIVE FOR ALL USING (name <> '');

CREATE FUNCTION seeme.asked(internal) RETURNS internal LANGUAGE c AS 'MODULE_PATHNAME', 'seeme_asked';
COMMENT ON FUNCTION seeme.asked(internal) IS 'For the planner';
CREATE FUNCTION seeme.marked(thing seeme.things, OUT name text) LANGUAGE c STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'seeme_marked';
COMMENT ON FUNCTION seeme.marked(seeme.things) IS 'Says how it may be called';
CREATE FUNCTION seeme.looked_up_once() RETURNS bigint LANGUAGE sql STABLE RETURN (SELECT count(*) FROM seeme.things);
COMMENT ON FUNCTION seeme.looked_up_once() IS 'Its names are looked up when it is made';
CREATE FUNCTION seeme.named(thing_name text) RETURNS SETOF seeme.things
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  WITH found AS (SELECT * FROM seeme.things t WHERE t.name = thing_name)
  SELECT f.* FROM found f FOR UPDATE OF f
$$;
COMMENT ON FUNCTION seeme.named(text) IS 'Things of this name';

CREATE FUNCTION seeme.note() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  thing seeme.things;
BEGIN
  thing.name := 'a' || 'b';
  NEW.name := thing.name || lower(NEW.name);
  RAISE NOTICE 'noted';
  BEGIN
    PERFORM FROM changed;
    EXECUTE format('COMMENT ON TABLE %I IS %L', 'a_' || TG_TABLE_NAME, 'the table '
                   -- which is this one
                   'of things');
  EXCEPTION WHEN undefined_table THEN
    RAISE;
  END;
  IF NEW.name = '' THEN
    RAISE EXCEPTION 'a thing needs a name' USING ERRCODE = 'check_violation';
  ELSIF NEW.name = 'x' THEN
    RAISE check_violation USING MESSAGE = 'not this one';
  END IF;
  RETURN NEW;
END $$;
COMMENT ON FUNCTION seeme.note() IS 'Trigger: notes';
CREATE TRIGGER note AFTER INSERT ON seeme.things REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION seeme.note();

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA seeme FROM PUBLIC;
