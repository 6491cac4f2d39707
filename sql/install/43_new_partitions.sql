-- New partitions of protected tables, and tables that newly inherit from them.
CREATE FUNCTION seeme.close_new_tables_below() RETURNS event_trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  parent  seeme.protected_tables;
  touched oid[];
  below   regclass;
  closed  regclass[];
BEGIN
  -- Loads the library before anybody uses a foreign key of a temporary table
  -- (src/guards/key_functions.c). Without the library, tables can still be made.
  BEGIN
    PERFORM seeme.is_of_this_version();
  EXCEPTION WHEN OTHERS THEN
    NULL;
  END;
  IF to_regclass('seeme.lowered_guards') IS NULL THEN
    RETURN;
  END IF;
  touched := seeme.touched_relations();
  FOR parent IN
    SELECT p.*
      FROM seeme.protected_around(touched) p JOIN pg_class c ON c.oid = p.table_name
     WHERE c.relhassubclass
  LOOP
    CONTINUE WHEN EXISTS (SELECT FROM seeme.lowered_guards l
                           WHERE l.table_name = parent.table_name AND l.guard = '*')
               OR NOT EXISTS (
                    SELECT FROM seeme.tables_below(parent.table_name) b
                     -- A partition that was closed before and is open now is not new. That is for
                     -- seeme.keep_protection.
                     WHERE NOT b.has_row_security AND b.relation <> ALL (parent.closed_partitions)
                        OR b.is_partition AND NOT EXISTS (
                             SELECT FROM pg_policy y
                              WHERE y.polrelid = b.relation AND y.polname = 'seeme_closed'))
                  -- A table that newly inherits, and has row security of its own.
                  AND NOT EXISTS (
                    SELECT FROM seeme.heirs(parent) h
                     WHERE h = ANY (touched) AND h <> ALL (parent.closed_partitions)
                       AND NOT EXISTS (SELECT FROM pg_trigger t
                                        WHERE t.tgrelid = h AND t.tgname = 'seeme_after_wait'));
    IF seeme.restoring() THEN
      RETURN;
    END IF;
    INSERT INTO seeme.lowered_guards VALUES (parent.table_name, parent.table_name, '*');
    closed := seeme.close_tables_below(parent.table_name);
    -- A table that has lost a column gets a warning: it must not keep the others from their
    -- triggers.
    FOR below IN
      SELECT h FROM seeme.heirs(parent) AS h WHERE h = ANY (closed) OR h = ANY (touched)
    LOOP
      BEGIN
        PERFORM seeme.create_row_triggers(below, parent);
      EXCEPTION WHEN undefined_column OR datatype_mismatch OR undefined_function THEN
        RAISE WARNING 'table % inherits from a protected one, and cannot have its triggers: %',
          below, SQLERRM;
      END;
    END LOOP;
    IF closed <> '{}' THEN
      UPDATE seeme.protected_tables p
         SET closed_partitions = ARRAY(
               SELECT DISTINCT c FROM unnest(p.closed_partitions || closed) AS c ORDER BY c)
       WHERE p.table_name = parent.table_name;
    END IF;
    DELETE FROM seeme.lowered_guards l WHERE l.table_name = parent.table_name AND l.guard = '*';
  END LOOP;
END $$;
COMMENT ON FUNCTION seeme.close_new_tables_below() IS
  'Event trigger: closes partitions that are added to a protected table, and gives tables that '
  'newly inherit from one its triggers';
