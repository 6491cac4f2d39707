SET LOCAL search_path = pg_catalog, pg_temp;

CREATE FUNCTION seeme.unpinned() RETURNS integer LANGUAGE sql AS 'SELECT 1'; -- lint: function-search-path
CREATE FUNCTION seeme.without_the_temporary() RETURNS integer LANGUAGE sql SET search_path = pg_catalog AS 'SELECT 1'; -- lint: function-search-path
CREATE FUNCTION seeme.temporary_first() RETURNS integer LANGUAGE sql SET search_path = pg_temp, pg_catalog AS 'SELECT 1'; -- lint: function-search-path
CREATE PROCEDURE seeme.longer() LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS 'BEGIN END'; -- lint: function-search-path
COMMENT ON FUNCTION seeme.unpinned() IS 'A';
COMMENT ON FUNCTION seeme.without_the_temporary() IS 'B';
COMMENT ON FUNCTION seeme.temporary_first() IS 'C';
COMMENT ON PROCEDURE seeme.longer() IS 'D';
REVOKE ALL ON ALL ROUTINES IN SCHEMA seeme FROM PUBLIC;
