SET LOCAL search_path = pg_catalog, pg_temp;

DO $$
DECLARE
  name text;
  command text;
BEGIN
  EXECUTE 'DROP TABLE ' || name; -- lint: concatenation
  EXECUTE format('DROP TABLE ' || '%I', name); -- lint: concatenation
  EXECUTE format('DROP TABLE %s', 'x_' || name); -- lint: concatenation
  EXECUTE format('DROP TABLE %2$s %1$I', 'x_' || name, 'y_' || name); -- lint: concatenation
  EXECUTE format('DROP TABLE %I', 'x_' || name);
  command := 'DROP TABLE ' || name; -- lint: concatenation
  EXECUTE command;
  FOR name IN EXECUTE 'SELECT ' || name LOOP -- lint: concatenation
    NULL;
  END LOOP;
END $$;
CREATE FUNCTION seeme.rows_of(name text) RETURNS SETOF text LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN QUERY EXECUTE 'SELECT ' || name; -- lint: concatenation
END $$;
COMMENT ON FUNCTION seeme.rows_of(text) IS 'Rows';
REVOKE ALL ON FUNCTION seeme.rows_of(text) FROM PUBLIC;
