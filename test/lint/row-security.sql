SET LOCAL search_path = pg_catalog, pg_temp;

CREATE TABLE seeme.open (); -- lint: row-security
COMMENT ON TABLE seeme.open IS 'Neither';
CREATE TABLE seeme.half_open (); -- lint: row-security
COMMENT ON TABLE seeme.half_open IS 'Not for its owner';
ALTER TABLE seeme.half_open ENABLE ROW LEVEL SECURITY;
CREATE TABLE seeme.copied AS SELECT 1 AS one; -- lint: row-security
COMMENT ON TABLE seeme.copied IS 'Neither';
