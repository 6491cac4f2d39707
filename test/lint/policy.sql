SET LOCAL search_path = pg_catalog, pg_temp;

CREATE POLICY a ON seeme.things USING (name <> ''); -- lint: policy
CREATE POLICY b ON seeme.things FOR SELECT USING (true); -- lint: policy
GRANT SELECT, UPDATE (name) ON seeme.others, seeme.things TO somebody;
CREATE POLICY c ON seeme.things FOR UPDATE USING (name <> '') WITH CHECK (true); -- lint: policy
CREATE POLICY d ON seeme.things FOR ALL USING (true); -- lint: policy
DO $$
BEGIN
  EXECUTE format('CREATE POLICY e ON %s USING (false)', 'seeme.things'); -- lint: policy
  EXECUTE format('CREATE POLICY f ON %s FOR DELETE USING (true)', 'seeme.things'); -- lint: policy
END $$;
