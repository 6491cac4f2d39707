-- Assigned resources follow the rows of the protected table that holds them: their ids and names.

CREATE FUNCTION seeme.protection_of(relation oid, resource_type text)
RETURNS SETOF seeme.protected_tables
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT * FROM seeme.protected_tables t
   WHERE t.resource_type = protection_of.resource_type AND t.holds_resource
     AND (t.table_name = relation
          OR t.table_name IN (SELECT a.relid FROM pg_partition_ancestors(relation) a))
$$;
COMMENT ON FUNCTION seeme.protection_of(oid, text) IS
  'How a table, or the table that it is a partition of, is protected as one that holds this '
  'type of resource. No row if it is not';

CREATE FUNCTION seeme.is_in_table(
  resource_type text, resource_id uuid, other_than regclass = NULL) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN EXISTS (SELECT FROM seeme.protected_tables t
                  WHERE t.resource_type = is_in_table.resource_type AND t.holds_resource
                    AND t.table_name IS DISTINCT FROM other_than
                    AND seeme.every_row(t.table_name, t.id_column, resource_id));
END $$;
COMMENT ON FUNCTION seeme.is_in_table(text, uuid, regclass) IS
  'Whether a protected table, other than the given one, has a row of this resource';

-- If an assigned resource has no row, anyone who may insert rows can create one under its id.
-- Such a row does not control the assignments.
CREATE FUNCTION seeme.speaks_for(code text, resource_type text, resource_id uuid) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN seeme.is_unidentified() OR coalesce(seeme.had_row(resource_type, resource_id), true)
    OR @extschema@.seeme_has_permission(code, resource => resource_id,
                                        resource_type => resource_type);
COMMENT ON FUNCTION seeme.speaks_for(text, text, uuid) IS
  'Whether a change of a row changes the resource, too: the row was there when the resource was '
  'assigned, or the person holds the code on the resource by its assignments';

CREATE FUNCTION seeme.note_rows(resource_type text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  UPDATE seeme.project_resources r SET had_row = NOT r.had_row
   WHERE r.resource_type = note_rows.resource_type
     AND r.had_row <> seeme.is_in_table(r.resource_type, r.resource_id);
  UPDATE seeme.released_resources r SET had_row = NOT r.had_row
   WHERE r.resource_type = note_rows.resource_type
     AND r.had_row <> seeme.is_in_table(r.resource_type, r.resource_id);
END $$;
COMMENT ON FUNCTION seeme.note_rows(text) IS
  'Notes for each assigned resource of a type whether a protected table has its row. Called '
  'when such a table is protected or unprotected';

CREATE FUNCTION seeme.note_table_gone() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM seeme.require_own_table(TG_TABLE_SCHEMA);
  IF OLD.holds_resource THEN
    PERFORM seeme.note_rows(OLD.resource_type);
  END IF;
  RETURN NULL;
END $$;
COMMENT ON FUNCTION seeme.note_table_gone() IS
  'Trigger: after a table is unprotected, no table holds its resources, until one is protected '
  'that has their rows';
CREATE TRIGGER note_table_gone AFTER DELETE ON seeme.protected_tables
  FOR EACH ROW EXECUTE FUNCTION seeme.note_table_gone();

CREATE FUNCTION seeme.name_resources(resource_type text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  UPDATE seeme.project_resources r
     SET resource_name = seeme.name_of_resource(r.resource_type, r.resource_id)
   WHERE r.resource_type = name_resources.resource_type
     AND r.resource_name IS DISTINCT FROM
         coalesce(seeme.name_of_resource(r.resource_type, r.resource_id), r.resource_name);
END $$;
COMMENT ON FUNCTION seeme.name_resources(text) IS
  'Gives each assigned resource of a type the name of its row, where it has a row';

CREATE FUNCTION seeme.follow_assigned_resource() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  type      text := TG_ARGV[0];
  protected seeme.protected_tables;
  has_name  boolean;
  old_id    uuid;
  old_ids   uuid[];
  new_id    uuid;
  new_name  text;
BEGIN
  -- The table's owner could make such a trigger with other columns, so it is not asked for them.
  SELECT * INTO protected FROM seeme.protection_of(TG_RELID, type);
  IF NOT FOUND THEN
    RETURN NULL;
  END IF;
  IF TG_OP <> 'TRUNCATE' THEN
    -- The column is a uuid, so no conversion runs here. It could be the table owner's function.
    PERFORM FROM pg_attribute a WHERE a.attrelid = TG_RELID AND NOT a.attisdropped
                                  AND a.attname = protected.id_column
                                  AND a.atttypid = 'uuid'::regtype;
    IF NOT FOUND THEN
      RETURN NULL;
    END IF;
    EXECUTE format('SELECT ($1).%I', protected.id_column) INTO old_id USING OLD;
  END IF;
  IF TG_OP = 'UPDATE' THEN
    EXECUTE format('SELECT ($1).%I', protected.id_column) INTO new_id USING NEW;
  END IF;
  IF TG_OP = 'TRUNCATE' OR old_id IS DISTINCT FROM new_id THEN
    -- An assignment stays if another table holds the resource, or the row moved to another
    -- partition. It also stays if it is older than the row, unless the person may delete the
    -- resource.
    old_ids := CASE TG_OP WHEN 'TRUNCATE' THEN ARRAY(
      SELECT r.resource_id FROM seeme.project_resources r WHERE r.resource_type = type
       UNION SELECT r.resource_id FROM seeme.released_resources r WHERE r.resource_type = type)
      ELSE ARRAY[old_id] END;
    DELETE FROM seeme.project_resources r
     WHERE r.resource_type = type AND r.resource_id = ANY (old_ids)
       AND NOT seeme.is_in_table(r.resource_type, r.resource_id)
       AND seeme.speaks_for(protected.resource || ':delete', r.resource_type, r.resource_id);
    DELETE FROM seeme.released_resources r
     WHERE r.resource_type = type AND r.resource_id = ANY (old_ids)
       AND NOT seeme.is_in_table(r.resource_type, r.resource_id)
       AND seeme.speaks_for(protected.resource || ':delete', r.resource_type, r.resource_id);
  END IF;
  has_name := EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = TG_RELID AND NOT a.attisdropped
                         AND a.attname = protected.name_column
                         AND a.atttypid IN ('text'::regtype, 'varchar'::regtype));
  IF TG_OP = 'UPDATE' AND has_name THEN
    EXECUTE format('SELECT ($1).%I', protected.name_column) INTO new_name USING NEW;
  ELSIF TG_OP = 'DELETE' AND has_name THEN
    -- A row that moved to another partition may have another name there. PostgreSQL fires no
    -- trigger of UPDATE for it.
    new_id := old_id;
    new_name := seeme.text_of_row(protected.table_name, protected.id_column, old_id,
                                  protected.name_column);
    has_name := new_name IS NOT NULL;
  END IF;
  IF has_name AND TG_OP <> 'TRUNCATE' THEN
    -- The name stays if another table holds the resource, too. It also stays if the assignment is
    -- older than the row, unless the person may update the resource.
    UPDATE seeme.project_resources r SET resource_name = left(new_name, 1000)
     WHERE r.resource_type = type AND r.resource_id = new_id
       AND r.resource_name IS DISTINCT FROM left(new_name, 1000)
       AND NOT seeme.is_in_table(r.resource_type, r.resource_id, protected.table_name)
       AND seeme.speaks_for(protected.resource || ':update', r.resource_type, r.resource_id);
  END IF;
  RETURN NULL;
END $$;
COMMENT ON FUNCTION seeme.follow_assigned_resource() IS
  'What seeme.follow_resource does for a row whose resource is assigned to a project, or was';

CREATE FUNCTION seeme.follow_resource() RETURNS trigger
LANGUAGE c AS 'MODULE_PATHNAME', 'seeme_follow_resource';
COMMENT ON FUNCTION seeme.follow_resource() IS
  'Trigger on protected tables, with a resource type: assignments are removed and renamed with '
  'the rows of their resources. Most rows are assigned nowhere, which takes two look-ups';

CREATE FUNCTION seeme.is_name_column(relation regclass, column_name name) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN EXISTS (SELECT FROM pg_attribute a
                WHERE a.attrelid = relation AND a.attname = column_name AND a.attnum > 0
                  AND NOT a.attisdropped AND a.atttypid IN ('text'::regtype, 'varchar'::regtype));
COMMENT ON FUNCTION seeme.is_name_column(regclass, name) IS
  'Whether a table has that column, and it is text';

CREATE FUNCTION seeme.name_column_of(relation regclass) RETURNS name
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN (SELECT c::name FROM unnest('{name,title}'::text[]) WITH ORDINALITY AS v (c, n)
         WHERE seeme.is_name_column(relation, c::name) ORDER BY n LIMIT 1);
COMMENT ON FUNCTION seeme.name_column_of(regclass) IS
  'The column with the names of a table''s rows: name or title, if it is text';

CREATE FUNCTION seeme.create_follow_trigger(p seeme.protected_tables) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  followed name[] := array_remove(ARRAY[p.id_column, p.name_column], NULL);
BEGIN
  -- UPDATE OF: PostgreSQL parses the condition only in statements that set one of these columns.
  EXECUTE format('CREATE TRIGGER zzz_seeme_follow_resource AFTER UPDATE OF %s ON %s FOR EACH ROW '
                 'WHEN (%s) EXECUTE FUNCTION seeme.follow_resource(%L)',
                 (SELECT string_agg(format('%I', c), ', ') FROM unnest(followed) AS c),
                 p.table_name,
                 (SELECT string_agg(format('OLD.%1$I IS DISTINCT FROM NEW.%1$I', c), ' OR ')
                    FROM unnest(followed) AS c),
                 p.resource_type);
END $$;
COMMENT ON FUNCTION seeme.create_follow_trigger(seeme.protected_tables) IS
  'Makes the trigger that follows the ids and names of a protected table''s rows';

-- PostgreSQL refuses to alter or drop a column that a trigger names. So the trigger is dropped when
-- such a statement begins, and made again when it ends (src/guards/alter_table.c).
CREATE FUNCTION seeme.drop_trigger_in_way() RETURNS event_trigger
LANGUAGE c AS 'MODULE_PATHNAME', 'seeme_drop_trigger_in_way';
COMMENT ON FUNCTION seeme.drop_trigger_in_way() IS
  'Event trigger: drops the trigger that follows names before its owner''s ALTER TABLE changes '
  'a column that the trigger names';

CREATE FUNCTION seeme.tables_with_dropped_trigger() RETURNS regclass[]
LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'seeme_tables_with_dropped_trigger';
COMMENT ON FUNCTION seeme.tables_with_dropped_trigger() IS
  'The tables whose trigger was dropped in this session by seeme.drop_trigger_in_way since the '
  'last call';

CREATE FUNCTION seeme.drop_follow_trigger(relation regclass) RETURNS void
LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'seeme_drop_follow_trigger';
COMMENT ON FUNCTION seeme.drop_follow_trigger(regclass) IS
  'Drops the trigger that follows names, without telling any event trigger. For the '
  'extension''s own functions';

CREATE FUNCTION seeme.follow_columns(p seeme.protected_tables, made_way boolean) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  present  pg_trigger;
  had_name name := p.name_column;
BEGIN
  SELECT * INTO present FROM pg_trigger t
   WHERE t.tgrelid = p.table_name AND t.tgname = 'zzz_seeme_follow_resource';
  IF present.oid IS NOT NULL THEN
    -- The trigger has the numbers of its columns, which stay when a column is renamed.
    p.id_column := (SELECT a.attname FROM pg_attribute a
                     WHERE a.attrelid = p.table_name AND a.attnum = present.tgattr[0]);
    p.name_column := (SELECT a.attname FROM pg_attribute a
                       WHERE a.attrelid = p.table_name AND a.attnum = present.tgattr[1]);
    had_name := p.name_column;
  ELSIF NOT made_way THEN
    RETURN;
  END IF;
  PERFORM FROM pg_attribute a
    WHERE a.attrelid = p.table_name AND a.attname = p.id_column AND NOT a.attisdropped
      AND a.atttypid = 'uuid'::regtype;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'rows of table % are assigned to projects by its column "%"', p.table_name,
                    p.id_column
      USING ERRCODE = 'datatype_mismatch',
            HINT = format('It stays a uuid: or SELECT seeme_unprotect(%L) first.', p.table_name);
  END IF;
  IF p.name_column IS NULL OR NOT seeme.is_name_column(p.table_name, p.name_column) THEN
    p.name_column := seeme.name_column_of(p.table_name);
    IF had_name IS NOT NULL THEN
      RAISE NOTICE 'the names of the rows of % are not followed any more by "%"', p.table_name,
                   had_name
        USING HINT = CASE WHEN p.name_column IS NOT NULL
                          THEN format('Those in "%s" are.', p.name_column)
                          ELSE 'A text column called name or title would be followed.' END;
    END IF;
  END IF;
  IF present.oid IS NOT NULL AND p.name_column IS DISTINCT FROM had_name THEN
    PERFORM seeme.drop_follow_trigger(p.table_name);
  END IF;
  IF present.oid IS NULL OR p.name_column IS DISTINCT FROM had_name THEN
    -- Event triggers refuse to make a guard, unless this row says that the extension makes it.
    INSERT INTO seeme.lowered_guards VALUES (p.table_name, p.table_name, '*');
    PERFORM seeme.create_follow_trigger(p);
    DELETE FROM seeme.lowered_guards l WHERE l.table_name = p.table_name AND l.guard = '*';
  END IF;
  UPDATE seeme.protected_tables t SET id_column = p.id_column, name_column = p.name_column
   WHERE t.table_name = p.table_name
     AND (t.id_column, t.name_column) IS DISTINCT FROM (p.id_column, p.name_column);
  IF p.name_column IS DISTINCT FROM had_name THEN
    PERFORM seeme.name_resources(p.resource_type);
  END IF;
END $$;
COMMENT ON FUNCTION seeme.follow_columns(seeme.protected_tables, boolean) IS
  'After ALTER TABLE: brings the trigger that follows names, and the columns in '
  'seeme.protected_tables, up to date';

CREATE FUNCTION seeme.follow_altered_tables() RETURNS event_trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  made_way regclass[] := seeme.tables_with_dropped_trigger();
BEGIN
  IF to_regclass('seeme.protected_tables') IS NULL THEN
    RETURN;
  END IF;
  PERFORM seeme.follow_columns(p, p.table_name = ANY (made_way))
     FROM seeme.protected_tables p JOIN pg_class c ON c.oid = p.table_name
    WHERE p.id_column IS NOT NULL
      AND (p.table_name = ANY (made_way)
           OR p.table_name IN (SELECT d.objid FROM pg_event_trigger_ddl_commands() d
                                WHERE d.classid = 'pg_class'::regclass)
           -- a column that is renamed in a table is renamed in the tables that inherit from it
           OR EXISTS (SELECT FROM pg_inherits i WHERE i.inhrelid = p.table_name)
              AND p.table_name IN (SELECT b.relation FROM pg_event_trigger_ddl_commands() d,
                                          seeme.tables_below(d.objid::regclass) AS b
                                    WHERE d.classid = 'pg_class'::regclass));
END $$;
COMMENT ON FUNCTION seeme.follow_altered_tables() IS
  'Event trigger: calls seeme.follow_columns for the protected tables that a statement altered';
