-- Protected tables that are renamed, given to another owner, or dropped: what is recorded follows.

-- Renamed columns and tables.
CREATE FUNCTION seeme.rename_column_of(p seeme.protected_tables, new_name name) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  kept     name[];
  gone     name[];
  number   smallint;
  relation regclass;
BEGIN
  SELECT a.attnum INTO number FROM pg_attribute a
   WHERE a.attrelid = p.table_name AND a.attname = new_name AND a.attnum > 0;
  SELECT array_agg(DISTINCT v.value::name) INTO kept
    FROM (SELECT e.value FROM jsonb_each_text(to_jsonb(p)) e WHERE e.key LIKE '%\_column'
          UNION ALL
          SELECT unnest(p.listing_columns)) AS v (value)
   WHERE v.value IS NOT NULL;
  SELECT array_agg(k) INTO gone FROM unnest(kept) AS k
   WHERE NOT EXISTS (SELECT FROM pg_attribute a
                      WHERE a.attrelid = p.table_name AND a.attname = k AND a.attnum > 0);
  -- The column is one of the recorded ones if exactly one of these is gone, and a guard depends on
  -- the column.
  IF number IS NULL OR new_name = ANY (kept) OR cardinality(gone) IS DISTINCT FROM 1
     OR NOT EXISTS (
          SELECT FROM pg_depend d
           WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = p.table_name
             AND d.refobjsubid = number
             AND (d.classid = 'pg_policy'::regclass AND d.objid IN (
                    SELECT y.oid FROM pg_policy y
                     WHERE y.polrelid = p.table_name AND seeme.is_guard(y.polname))
                  OR d.classid = 'pg_trigger'::regclass AND d.objid IN (
                    SELECT t.oid FROM pg_trigger t
                     WHERE t.tgrelid = p.table_name AND seeme.is_guard(t.tgname))
                  OR d.classid = 'pg_rewrite'::regclass AND d.objid IN (
                    SELECT r.oid FROM pg_rewrite r WHERE r.ev_class = p.listing_view))) THEN
    RETURN;
  END IF;
  EXECUTE (SELECT format('UPDATE seeme.protected_tables SET listing_columns = '
                         'array_replace(listing_columns, $1, $2), generated_columns = '
                         'array_replace(generated_columns, $1, $2)%s WHERE table_name = $3',
                         string_agg(format(', %1$I = CASE WHEN %1$I = $1 THEN $2 ELSE %1$I END',
                                           a.attname), ''))
             FROM pg_attribute a
            WHERE a.attrelid = 'seeme.protected_tables'::regclass AND a.attname LIKE '%\_column'
              AND a.attnum > 0 AND NOT a.attisdropped)
    USING gone[1], new_name, p.table_name;
  SELECT t.* INTO p FROM seeme.protected_tables t WHERE t.table_name = p.table_name;
  -- Policies refer to columns by number. The arguments of this trigger are names.
  INSERT INTO seeme.lowered_guards VALUES (p.table_name, p.table_name, '*');
  FOR relation IN
    SELECT t.tgrelid::regclass FROM pg_trigger t
     WHERE t.tgname = 'zz_seeme_check_moved_row' AND t.tgparentid = 0
       AND (t.tgrelid = p.table_name OR t.tgrelid IN (
              SELECT b.relation FROM seeme.tables_below(p.table_name) b
               WHERE NOT EXISTS (SELECT FROM seeme.protected_tables o
                                  WHERE o.table_name = b.relation)))
  LOOP
    EXECUTE format('DROP TRIGGER zz_seeme_check_moved_row ON %s', relation);
    PERFORM seeme.create_row_triggers(relation, p);
  END LOOP;
  DELETE FROM seeme.lowered_guards l WHERE l.table_name = p.table_name AND l.guard = '*';
END $$;
COMMENT ON FUNCTION seeme.rename_column_of(seeme.protected_tables, name) IS
  'Updates what is recorded of a protected table after a column got a new name';

CREATE FUNCTION seeme.remember_name(schema_name name, table_name name, p seeme.protected_tables)
RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
  INSERT INTO seeme.dropped_tables AS d (schema_name, table_name, arguments)
  VALUES (schema_name, table_name, seeme.protect_arguments(p))
  ON CONFLICT ON CONSTRAINT dropped_tables_pkey DO UPDATE
    SET arguments = excluded.arguments, dropped_at = excluded.dropped_at, made_again = NULL
$$;
COMMENT ON FUNCTION seeme.remember_name(name, name, seeme.protected_tables) IS
  'Records that the table of this name was protected, and with which arguments';

CREATE FUNCTION seeme.tables_made_again()
RETURNS TABLE (relation regclass, statement text, schema_name name, table_name name,
               is_known boolean)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN QUERY
  SELECT c.oid::regclass, seeme.protect_statement(c.oid::regclass::text, d.arguments),
         d.schema_name, d.table_name, d.made_again IS NOT DISTINCT FROM c.oid
    FROM seeme.dropped_tables d JOIN pg_namespace n ON n.nspname = d.schema_name
    JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = d.table_name
                       AND c.relkind IN ('r', 'p', 'f', 'm')
   WHERE NOT EXISTS (SELECT FROM seeme.protected_tables p
                      WHERE p.table_name = c.oid
                         OR p.table_name IN (SELECT a.relid FROM pg_partition_ancestors(c.oid) a));
END $$;
COMMENT ON FUNCTION seeme.tables_made_again() IS
  'Tables that have the name of a protected table that was dropped, renamed or moved, and are not '
  'protected themselves; with the call that protects them in the same way';

CREATE FUNCTION seeme.follow_names() RETURNS event_trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  touched oid[];
  p       record;
  again   record;
BEGIN
  IF to_regclass('seeme.dropped_tables') IS NULL THEN
    RETURN;
  END IF;
  touched := seeme.touched_relations();
  FOR p IN
    SELECT t AS protected, a.attname
      FROM pg_event_trigger_ddl_commands() d
      JOIN pg_attribute a ON a.attrelid = d.objid AND a.attnum = d.objsubid,
           LATERAL seeme.protected_around(ARRAY[d.objid]) t
     WHERE d.classid = 'pg_class'::regclass AND d.objsubid > 0
  LOOP
    PERFORM seeme.rename_column_of(p.protected, p.attname);
  END LOOP;
  FOR p IN
    SELECT t AS protected, t.table_name, t.schema_name, t.relation_name, n.nspname, c.relname
      FROM seeme.protected_tables t
      JOIN pg_class c ON c.oid = t.table_name JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE t.table_name = ANY (touched)
       AND (t.schema_name, t.relation_name) IS DISTINCT FROM (n.nspname, c.relname)
  LOOP
    IF p.relation_name IS NOT NULL THEN
      PERFORM seeme.remember_name(p.schema_name, p.relation_name, p.protected);
    END IF;
    UPDATE seeme.protected_tables t SET schema_name = p.nspname, relation_name = p.relname
     WHERE t.table_name = p.table_name;
    DELETE FROM seeme.dropped_tables d
     WHERE (d.schema_name, d.table_name) = (p.nspname, p.relname);
  END LOOP;
  IF EXISTS (SELECT FROM seeme.dropped_tables) AND NOT seeme.loads_dump() THEN
    FOR again IN
      SELECT * FROM seeme.tables_made_again() m
       WHERE m.relation = ANY (touched) AND NOT m.is_known
    LOOP
      UPDATE seeme.dropped_tables d SET made_again = again.relation
       WHERE (d.schema_name, d.table_name) = (again.schema_name, again.table_name);
      RAISE WARNING 'table % is not protected, and the one that had its name before was',
        again.relation
        USING HINT = format('SELECT %s; protects it as before. '
                            'SELECT @extschema@.seeme_unprotect(%L); says that it is to stay as it '
                            'is.',
                            again.statement, again.relation);
    END LOOP;
  END IF;
END $$;
COMMENT ON FUNCTION seeme.follow_names() IS
  'Event trigger: follows renamed columns of protected tables, and warns about a table that takes '
  'the name of one that was protected';

-- New owners. Policies call functions with the rights of the role that runs the query, and forced
-- row security also applies to the owner. REASSIGN OWNED fires no event trigger for each table:
-- the security report finds that.
CREATE FUNCTION seeme.follow_owners() RETURNS event_trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  touched oid[];
BEGIN
  -- A dump brings its own grants, at its end.
  IF to_regclass('seeme.protected_tables') IS NULL OR seeme.loads_dump() THEN
    RETURN;
  END IF;
  touched := ARRAY(SELECT d.objid FROM pg_event_trigger_ddl_commands() d
                    WHERE d.classid = 'pg_class'::regclass AND d.objsubid = 0);
  PERFORM seeme.grant_to_owner(p)
     FROM seeme.protected_tables p JOIN pg_class c ON c.oid = p.table_name
    WHERE p.table_name = ANY (touched)
      AND NOT has_function_privilege(c.relowner, 'seeme.check_moved_row()', 'EXECUTE');
  -- What changed a mirrored table is read as its owner, who is asked by the policies, too.
  PERFORM seeme.grant_to_mirror_owner(m.table_name)
     FROM seeme.mirrors m WHERE m.protect AND m.table_name = ANY (touched);
END $$;
COMMENT ON FUNCTION seeme.follow_owners() IS
  'Event trigger: a new owner of a protected table, or of a mirrored one with policies, gets '
  'EXECUTE on what its policies and triggers call';

-- Dropped tables.
CREATE FUNCTION seeme.forget_dropped_tables() RETURNS event_trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  dropped  oid[];
  p        record;
  detached record;
BEGIN
  IF to_regclass('seeme.dropped_tables') IS NULL THEN  -- while the extension itself is dropped
    RETURN;
  END IF;
  dropped := ARRAY(SELECT d.objid FROM pg_event_trigger_dropped_objects() d
                    WHERE d.classid = 'pg_class'::regclass AND d.objsubid = 0);
  IF dropped = '{}' THEN
    RETURN;
  END IF;
  FOR p IN
    SELECT t AS protected, t.table_name, d.schema_name, d.object_name
      FROM seeme.protected_tables t
      JOIN pg_event_trigger_dropped_objects() d ON d.objid = t.table_name
     WHERE d.classid = 'pg_class'::regclass AND d.objsubid = 0
  LOOP
    DELETE FROM seeme.protected_tables t WHERE t.table_name = p.table_name;
    PERFORM seeme.remember_name(p.schema_name::name, p.object_name::name, p.protected);
    IF (p.protected).parent_table <> ALL (dropped) THEN
      PERFORM seeme.renew_parent_triggers((p.protected).parent_table);
    END IF;
    -- Partitions that were detached before still exist, and hold rows that were protected.
    FOR detached IN
      SELECT n.nspname, c.relname, c.oid
        FROM unnest((p.protected).closed_partitions) AS d (relation)
        JOIN pg_class c ON c.oid = d.relation JOIN pg_namespace n ON n.oid = c.relnamespace
       WHERE c.relpersistence <> 't'
         AND NOT EXISTS (SELECT FROM seeme.protected_tables o WHERE o.table_name = c.oid)
    LOOP
      PERFORM seeme.remember_name(detached.nspname, detached.relname, p.protected);
      UPDATE seeme.dropped_tables d SET made_again = detached.oid
       WHERE (d.schema_name, d.table_name) = (detached.nspname, detached.relname);
    END LOOP;
  END LOOP;
  -- PostgreSQL may give the OIDs of dropped relations to others. Row by row: an UPDATE of no rows,
  -- too, would call the table's statement triggers, which are in C, and no table could be dropped
  -- where the library is missing.
  FOR p IN
    SELECT t.table_name FROM seeme.protected_tables t
     WHERE t.closed_partitions && dropped::regclass[] OR t.listing_view = ANY (dropped)
  LOOP
    UPDATE seeme.protected_tables t
       SET closed_partitions = ARRAY(
             SELECT c FROM unnest(t.closed_partitions) AS c WHERE c <> ALL (dropped)),
           listing_view = CASE WHEN t.listing_view = ANY (dropped) THEN NULL
                               ELSE t.listing_view END
     WHERE t.table_name = p.table_name;
  END LOOP;
  FOR p IN
    SELECT t.table_name FROM seeme.protected_tables t WHERE t.parent_table = ANY (dropped)
  LOOP
    UPDATE seeme.protected_tables t SET parent_table = NULL WHERE t.table_name = p.table_name;
  END LOOP;
  UPDATE seeme.dropped_tables d SET made_again = NULL WHERE d.made_again = ANY (dropped);
  DELETE FROM seeme.lowered_guards l
   WHERE l.relation = ANY (dropped) OR l.table_name = ANY (dropped);
END $$;
COMMENT ON FUNCTION seeme.forget_dropped_tables() IS
  'Event trigger: when a protected table is dropped, its name and its arguments are recorded';

CREATE FUNCTION seeme.note_protection() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM seeme.require_own_table(TG_TABLE_SCHEMA);
  DELETE FROM seeme.dropped_tables d USING pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE c.oid = CASE TG_OP WHEN 'INSERT' THEN NEW.table_name ELSE OLD.table_name END
     AND (d.schema_name, d.table_name) = (n.nspname, c.relname);
  IF TG_OP = 'DELETE' THEN
    DELETE FROM seeme.lowered_guards l WHERE l.table_name = OLD.table_name;
  ELSIF NOT (seeme.loads_dump() OR seeme.restoring()) THEN  -- a dump makes the guards later
    INSERT INTO seeme.lowered_guards (table_name, relation, guard)
    SELECT NEW.table_name, d.relation, d.guard FROM seeme.guards_down(NEW) d
    ON CONFLICT DO NOTHING;
  END IF;
  RETURN NULL;
END $$;
COMMENT ON FUNCTION seeme.note_protection() IS
  'Trigger: a table that is protected or unprotected has no recorded former name any more. Guards '
  'that are missing when a table is protected (for example above it) are recorded as missing.';
CREATE TRIGGER note_protection AFTER INSERT OR DELETE ON seeme.protected_tables
  FOR EACH ROW EXECUTE FUNCTION seeme.note_protection();
