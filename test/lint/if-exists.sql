SET LOCAL search_path = pg_catalog, pg_temp;

CREATE SCHEMA IF NOT EXISTS seeme; -- lint: if-exists
COMMENT ON SCHEMA seeme IS 'Ours';
CREATE TABLE/* */IF/* */NOT/* */EXISTS seeme.things (); -- lint: if-exists
COMMENT ON TABLE seeme.things IS 'Things';
ALTER TABLE seeme.things ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE seeme.things ADD COLUMN IF NOT EXISTS name text; -- lint: if-exists
COMMENT ON COLUMN seeme.things.name IS 'Name';
CREATE INDEX IF NOT EXISTS things_name_idx ON seeme.things (name); -- lint: if-exists
DROP VIEW IF EXISTS seeme.others; -- lint: if-exists
ALTER TABLE IF EXISTS seeme.others ENABLE ROW LEVEL SECURITY; -- lint: if-exists
DO $$
BEGIN
  IF NOT EXISTS (SELECT FROM seeme.things) THEN -- lint: if-exists
    NULL;
  END IF;
END $$;
