SET LOCAL search_path = pg_catalog, pg_temp;

CREATE SCHEMA seeme AS nothing; -- lint: syntax
