SET LOCAL search_path = pg_catalog, pg_temp;

GRANT USAGE ON SCHEMA seeme TO PUBLIC; -- lint: public
GRANT/* */SELECT ON seeme.things/* */TO/* */postgres, PUBLIC; -- lint: public
DO $$
BEGIN
  EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO PUBLIC', 1); -- lint: public
END $$;
