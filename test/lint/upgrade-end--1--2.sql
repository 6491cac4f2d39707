SET LOCAL search_path = pg_catalog, pg_temp;
SELECT seeme.finish_upgrade();
CREATE FUNCTION seeme.late() RETURNS integer LANGUAGE sql IMMUTABLE RETURN 1;
COMMENT ON FUNCTION seeme.late() IS 'Comes too late';
REVOKE ALL ON FUNCTION seeme.late() FROM PUBLIC; -- lint: upgrade-end
