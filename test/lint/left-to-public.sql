SET LOCAL search_path = pg_catalog, pg_temp;

CREATE FUNCTION seeme.one() RETURNS integer LANGUAGE sql SET search_path = pg_catalog, pg_temp AS 'SELECT 1';
COMMENT ON FUNCTION seeme.one() IS 'One';
CREATE TYPE seeme.pair AS (a integer); -- lint: left-to-public
COMMENT ON TYPE seeme.pair IS 'Two';
COMMENT ON COLUMN seeme.pair.a IS 'Three';
CREATE PROCEDURE seeme.run() LANGUAGE sql SET search_path = pg_catalog, pg_temp AS 'SELECT 1';
COMMENT ON PROCEDURE seeme.run() IS 'Covered by the loop below, too';
DO $$
BEGIN
  EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', 'seeme.others()');
END $$;
CREATE FUNCTION seeme.one_too_late() RETURNS integer LANGUAGE sql SET search_path = pg_catalog, pg_temp AS 'SELECT 1'; -- lint: left-to-public
COMMENT ON FUNCTION seeme.one_too_late() IS 'After all functions were closed';
