SET LOCAL search_path = pg_catalog, pg_temp;

SELECT watch('things'), now(); -- lint: unqualified-name
UPDATE things SET name = lower(name); -- lint: unqualified-name
INSERT INTO seeme.things SELECT relname FROM planted, pg_class; -- lint: unqualified-name
CREATE TRIGGER a BEFORE INSERT ON seeme.things FOR EACH ROW EXECUTE FUNCTION planted(); -- lint: unqualified-name
CREATE POLICY b ON seeme.things FOR SELECT USING (planted(id)); -- lint: unqualified-name
CREATE INDEX c ON things (name); -- lint: unqualified-name
SELECT '(1,2)'::pair, '1'::text; -- lint: unqualified-name
ALTER TABLE seeme.things ADD FOREIGN KEY (a) REFERENCES others (id); -- lint: unqualified-name
CREATE FUNCTION seeme.in_sql() RETURNS bigint LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$

  SELECT count(*) FROM planted -- lint: unqualified-name
$$;
CREATE FUNCTION seeme.in_plpgsql() RETURNS bigint LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  found_one record;
BEGIN
  IF lower(current_user) = planted('x') THEN -- lint: unqualified-name
    DELETE FROM planted; -- lint: unqualified-name
  END IF;
  FOR found_one IN SELECT * FROM planted LOOP -- lint: unqualified-name
    found_one.name := planted(1); -- lint: unqualified-name
  END LOOP;
  RETURN (SELECT count(*) FROM pg_class);
END $$;
COMMENT ON FUNCTION seeme.in_sql() IS 'A';
COMMENT ON FUNCTION seeme.in_plpgsql() IS 'B';
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA seeme FROM PUBLIC;
