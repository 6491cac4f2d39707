SET LOCAL search_path = pg_catalog, pg_temp;

DO $$ -- lint: syntax
BEGIN
  IF true THEN
END $$;
