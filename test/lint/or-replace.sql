SET LOCAL search_path = pg_catalog, pg_temp;

CREATE OR REPLACE FUNCTION seeme.one() RETURNS integer LANGUAGE sql SET search_path = pg_catalog, pg_temp AS 'SELECT 1'; -- lint: or-replace
COMMENT ON FUNCTION seeme.one() IS 'One';
REVOKE ALL ON FUNCTION seeme.one() FROM PUBLIC;
CREATE/* */OR/* */REPLACE VIEW seeme.two AS SELECT 2 AS two; -- lint: or-replace
COMMENT ON VIEW seeme.two IS 'Two';
DO $$
BEGIN
  EXECUTE 'CREATE OR REPLACE VIEW seeme.three AS SELECT 3'; -- lint: or-replace
END $$;
CREATE OR REPLACE TRIGGER four BEFORE INSERT ON seeme.things FOR EACH ROW EXECUTE FUNCTION seeme.four(); -- lint: or-replace
