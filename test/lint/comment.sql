SET LOCAL search_path = pg_catalog, pg_temp;

CREATE TABLE seeme.things ( -- lint: comment
  id   uuid, -- lint: comment
  name text
);
COMMENT ON COLUMN seeme.things.name IS 'Only this';
ALTER TABLE seeme.things ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE seeme.others ADD COLUMN more text; -- lint: comment
CREATE VIEW seeme.shown AS SELECT 1 AS one; -- lint: comment
CREATE TYPE seeme.pair AS (a integer); -- lint: comment
CREATE FUNCTION seeme.one(a text) RETURNS integer LANGUAGE sql SET search_path = pg_catalog, pg_temp AS 'SELECT 1';
CREATE FUNCTION seeme.one(a uuid) RETURNS integer LANGUAGE sql SET search_path = pg_catalog, pg_temp AS 'SELECT 1'; -- lint: comment
COMMENT ON FUNCTION seeme.one(text) IS 'The other one';
CREATE EVENT TRIGGER seeme_a ON sql_drop EXECUTE FUNCTION seeme.a(); -- lint: comment
CREATE SCHEMA seeme; -- lint: comment
REVOKE ALL ON FUNCTION seeme.one(text), seeme.one(uuid) FROM PUBLIC;
REVOKE ALL ON TYPE seeme.pair FROM PUBLIC;
