SET LOCAL search_path = pg_catalog, pg_temp;

CREATE TABLE things (); -- lint: unqualified-create
COMMENT ON TABLE things IS 'A';
ALTER TABLE things ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY; -- lint: unqualified-name
CREATE VIEW shown AS SELECT 1 AS one; -- lint: unqualified-create
COMMENT ON VIEW shown IS 'B';
CREATE FUNCTION one() RETURNS integer LANGUAGE sql SET search_path = pg_catalog, pg_temp AS 'SELECT 1'; -- lint: unqualified-create
COMMENT ON FUNCTION one() IS 'C';
CREATE TYPE pair AS (a integer); -- lint: unqualified-create
COMMENT ON TYPE pair IS 'D'; -- lint: unqualified-name
COMMENT ON COLUMN pair.a IS 'D';
CREATE TYPE colour AS ENUM ('red'); -- lint: unqualified-create
COMMENT ON TYPE colour IS 'E'; -- lint: unqualified-name
CREATE DOMAIN code AS text; -- lint: unqualified-create
COMMENT ON DOMAIN code IS 'F'; -- lint: unqualified-name
CREATE SEQUENCE numbers; -- lint: unqualified-create
REVOKE ALL ON FUNCTION one() FROM PUBLIC;
REVOKE ALL ON TYPE pair, colour, code FROM PUBLIC;
