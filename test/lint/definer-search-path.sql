SET LOCAL search_path = pg_catalog, pg_temp;

CREATE FUNCTION seeme.in_sql() RETURNS integer LANGUAGE sql SECURITY DEFINER AS 'SELECT 1'; -- lint: definer-search-path
CREATE FUNCTION seeme.looked_up_once() RETURNS integer LANGUAGE sql SECURITY DEFINER RETURN 1; -- lint: definer-search-path
CREATE FUNCTION seeme.in_c() RETURNS integer LANGUAGE c STABLE PARALLEL SAFE SECURITY DEFINER AS 'MODULE_PATHNAME', 'seeme_in_c'; -- lint: definer-search-path
COMMENT ON FUNCTION seeme.in_sql() IS 'A';
COMMENT ON FUNCTION seeme.looked_up_once() IS 'B';
COMMENT ON FUNCTION seeme.in_c() IS 'C';
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA seeme FROM PUBLIC;
