SET LOCAL search_path = pg_catalog, pg_temp;

CREATE FUNCTION seeme.not_how_volatile() RETURNS integer LANGUAGE c PARALLEL SAFE AS 'MODULE_PATHNAME', 'seeme_a'; -- lint: c-marks
CREATE FUNCTION seeme.not_how_parallel() RETURNS integer LANGUAGE c STABLE AS 'MODULE_PATHNAME', 'seeme_b'; -- lint: c-marks
COMMENT ON FUNCTION seeme.not_how_volatile() IS 'A';
COMMENT ON FUNCTION seeme.not_how_parallel() IS 'B';
REVOKE ALL ON FUNCTION seeme.not_how_volatile(), seeme.not_how_parallel() FROM PUBLIC;
