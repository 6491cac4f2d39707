SET LOCAL search_path = pg_catalog, pg_temp;

ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC; -- lint: default-privileges
DO $$
BEGIN
  EXECUTE 'ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO somebody'; -- lint: default-privileges
END $$;
