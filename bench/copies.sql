-- Copies of the extension's tables, in schema copy: all their keys, foreign keys, checks and
-- indexes, no triggers, no row security. What somebody would have who had written the tables
-- without the rules.

\set ON_ERROR_STOP on
SET client_min_messages = warning;
CREATE SCHEMA copy;
COMMENT ON SCHEMA copy IS 'Copies of the extension''s tables, without triggers and row security';

DO $$
DECLARE
  original regclass;
  name text;
  columns text;
  key record;
BEGIN
  FOR original, name IN
    SELECT c.oid, c.relname FROM pg_class c
     WHERE c.relnamespace = 'seeme'::regnamespace AND c.relkind IN ('r', 'p')
       AND NOT c.relispartition
  LOOP
    EXECUTE format('CREATE TABLE copy.%I (LIKE %s INCLUDING ALL)', name, original);
    SELECT string_agg(quote_ident(attname), ',') INTO columns FROM pg_attribute
     WHERE attrelid = original AND attnum > 0 AND NOT attisdropped AND attgenerated = '';
    EXECUTE format('INSERT INTO copy.%I (%s) OVERRIDING SYSTEM VALUE SELECT %2$s FROM %s',
                   name, columns, original);
  END LOOP;
  FOR key IN
    SELECT c.relname, k.conname, pg_get_constraintdef(k.oid) AS definition
      FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
     WHERE k.connamespace = 'seeme'::regnamespace AND k.contype = 'f' AND NOT c.relispartition
  LOOP
    EXECUTE format('ALTER TABLE copy.%I ADD CONSTRAINT %I %s', key.relname, key.conname,
                   replace(key.definition, 'REFERENCES seeme.', 'REFERENCES copy.'));
  END LOOP;
  -- The log's rows are made here by hand: those of its columns that matter.
  FOR name IN
    SELECT attname FROM pg_attribute
     WHERE attrelid = 'copy.audit_log'::regclass AND attnum > 0 AND attnotnull AND attidentity = ''
       AND attname NOT IN (SELECT a.attname FROM pg_index i JOIN pg_attribute a
                             ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
                            WHERE i.indrelid = 'copy.audit_log'::regclass AND i.indisprimary)
  LOOP
    EXECUTE format('ALTER TABLE copy.audit_log ALTER COLUMN %I DROP NOT NULL', name);
  END LOOP;
END $$;
GRANT USAGE ON SCHEMA copy TO app, app_provision;
GRANT SELECT, INSERT, DELETE ON ALL TABLES IN SCHEMA copy TO app, app_provision;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA copy TO app, app_provision;

-- bench.run() and not bench.measure(): a list is read to its end, with all its columns.
CREATE FUNCTION bench.run(query text, loops int, OUT ms double precision, OUT result text)
LANGUAGE plpgsql AS $$
DECLARE
  started timestamptz := clock_timestamp();
BEGIN
  FOR i IN 1 .. loops LOOP
    EXECUTE query;
  END LOOP;
  ms := extract(epoch FROM clock_timestamp() - started) * 1000 / loops;
  GET DIAGNOSTICS result = ROW_COUNT;
END $$;
COMMENT ON FUNCTION bench.run(text, int) IS
  'Milliseconds that a query takes on the server until all its rows were read, planned each time, '
  'and how many rows its last run gave';
VACUUM ANALYZE;
