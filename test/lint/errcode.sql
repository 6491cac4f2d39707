SET LOCAL search_path = pg_catalog, pg_temp;

DO $$
BEGIN
  RAISE EXCEPTION 'no'; -- lint: errcode
  RAISE 'no' USING HINT = 'Never.'; -- lint: errcode
  RAISE EXCEPTION USING MESSAGE = 'no'; -- lint: errcode
  RAISE EXCEPTION 'no' USING HINT = 'Never.', ERRCODE = 'check_violation';
END $$;
