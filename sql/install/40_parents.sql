-- Tables whose rows lie where the row of another table lies: parent_column of seeme_protect.

CREATE FUNCTION seeme.check_moved_parent() RETURNS trigger
LANGUAGE c AS 'MODULE_PATHNAME', 'seeme_check_moved_parent';
COMMENT ON FUNCTION seeme.check_moved_parent() IS
  'Trigger on a parent: whoever moves a row needs the update of its children where it lay. The '
  'arguments are their codes';

CREATE FUNCTION seeme.refers_to(relation regclass, other regclass) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  WITH RECURSIVE referred (oid) AS (
    SELECT k.confrelid FROM pg_constraint k WHERE k.conrelid = relation AND k.contype = 'f'
    UNION
    SELECT k.confrelid FROM pg_constraint k JOIN referred r ON k.conrelid = r.oid
     WHERE k.contype = 'f')
  SELECT EXISTS (SELECT FROM referred r WHERE r.oid = other)
$$;
COMMENT ON FUNCTION seeme.refers_to(regclass, regclass) IS
  'Whether foreign keys lead from a table to another one';

-- A key that refers to a partitioned table has parts that refer to its partitions. They tell
-- nothing more, unless a partition is the parent.
CREATE FUNCTION seeme.parent_keys(table_name regclass, parent_column name, parent regclass = NULL)
RETURNS TABLE (constraint_id oid, constraint_name name, parent regclass, key text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT k.oid, k.conname, k.confrelid::regclass,
         format('%s (%I)', k.confrelid::regclass, f.attname)
    FROM pg_constraint k
    JOIN pg_attribute a ON a.attrelid = k.conrelid AND k.conkey = ARRAY[a.attnum]
    JOIN pg_attribute f ON f.attrelid = k.confrelid AND k.confkey = ARRAY[f.attnum]
   WHERE k.conrelid = parent_keys.table_name AND k.contype = 'f'
     AND a.attname = parent_keys.parent_column
     AND CASE WHEN parent_keys.parent IS NULL THEN k.conparentid = 0
              ELSE k.confrelid = parent_keys.parent END
$$;
COMMENT ON FUNCTION seeme.parent_keys(regclass, name, regclass) IS
  'The foreign keys of one column alone, to one table or to any, each with the key that it refers '
  'to';

-- The parent's row is found by its key, in C (src/planner/parent_table.c).
CREATE FUNCTION seeme.find_parent_table(table_name regclass, parent_column name) RETURNS regclass
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  attribute pg_attribute;
  key       record;
  keys      text;
  remedies  text;
  base_type oid;
BEGIN
  attribute := seeme.named_column(
    table_name, parent_column,
    'parent_column names a column with a foreign key to a protected table.');
  -- A protected table comes first. Parts of a key that refers to a partitioned table are left out.
  SELECT k.confrelid::regclass AS relation, p.table_name IS NOT NULL AS is_protected,
         cardinality(k.conkey) AS n INTO key
    FROM pg_constraint k LEFT JOIN seeme.protected_tables p ON p.table_name = k.confrelid
   WHERE k.conrelid = find_parent_table.table_name AND k.contype = 'f' AND k.conparentid = 0
     AND attribute.attnum = ANY (k.conkey)
   ORDER BY cardinality(k.conkey) = 1 DESC, p.table_name IS NOT NULL DESC, k.oid LIMIT 1;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'column "%" of table % has no foreign key', parent_column, table_name
      USING ERRCODE = 'invalid_foreign_key',
            HINT = format('ALTER TABLE %s ADD FOREIGN KEY (%I) REFERENCES a protected table.',
                          table_name, parent_column);
  END IF;
  IF key.n > 1 THEN
    RAISE EXCEPTION 'column "%" of table % refers to table % together with other columns',
                    parent_column, table_name, key.relation
      USING ERRCODE = 'invalid_foreign_key',
            HINT = 'parent_column needs a foreign key of its own, to a unique column.';
  END IF;
  IF key.relation = table_name THEN
    RAISE EXCEPTION 'column "%" of table % refers to the table itself', parent_column, table_name
      USING ERRCODE = 'invalid_foreign_key',
            HINT = 'A row cannot lie where a row of its own table lies. Give each row the column '
                   'that tells its project.';
  END IF;
  IF NOT key.is_protected AND seeme.refers_to(key.relation, table_name) THEN
    RAISE EXCEPTION 'tables % and % refer to each other, and none of them is protected',
                    table_name, key.relation
      USING ERRCODE = 'invalid_foreign_key',
            HINT = 'One of them has to be protected first, by other columns than parent_column.';
  END IF;
  IF NOT key.is_protected THEN
    RAISE EXCEPTION 'column "%" of table % refers to table %, which is not protected',
                    parent_column, table_name, key.relation
      USING ERRCODE = 'object_not_in_prerequisite_state',
            HINT = format('SELECT seeme_protect(%L, ...) first.', key.relation);
  END IF;
  -- Which row is the parent's must not depend on which of several foreign keys is the oldest.
  SELECT string_agg(format('%I to %s', t.constraint_name, t.key), ', ' ORDER BY t.constraint_name),
         string_agg(format('ALTER TABLE %s DROP CONSTRAINT %I;', table_name, t.constraint_name),
                    ' or ' ORDER BY t.constraint_name)
    INTO keys, remedies
    FROM seeme.parent_keys(table_name, parent_column) t
   WHERE EXISTS (SELECT FROM seeme.protected_tables p WHERE p.table_name = t.parent)
  HAVING count(DISTINCT t.key) > 1;
  IF FOUND THEN
    RAISE EXCEPTION 'column "%" of table % refers to several keys of protected tables',
                    parent_column, table_name
      USING ERRCODE = 'invalid_foreign_key',
            DETAIL = format('The foreign keys: %s.', keys),
            HINT = format('Leave the one to the parent, and drop the others: %s', remedies);
  END IF;
  WITH RECURSIVE base (oid) AS (
    SELECT attribute.atttypid
    UNION ALL
    SELECT t.typbasetype FROM base b JOIN pg_type t ON t.oid = b.oid WHERE t.typtype = 'd')
  SELECT b.oid INTO base_type FROM base b JOIN pg_type t ON t.oid = b.oid WHERE t.typtype <> 'd';
  IF base_type NOT IN ('uuid'::regtype, 'smallint'::regtype, 'integer'::regtype, 'bigint'::regtype,
                       'text'::regtype, 'varchar'::regtype)
     OR NOT EXISTS (
       SELECT FROM pg_constraint k, unnest(k.conpfeqop) AS o (oid)
         JOIN pg_operator e ON e.oid = o.oid
        WHERE k.conrelid = find_parent_table.table_name AND k.confrelid = key.relation
          AND k.contype = 'f' AND k.conkey = ARRAY[attribute.attnum]
          AND e.oprleft IN ('uuid'::regtype, 'smallint'::regtype, 'integer'::regtype,
                            'bigint'::regtype, 'text'::regtype)
          AND (e.oprright = base_type OR e.oprright = 'text'::regtype
                                         AND base_type = 'varchar'::regtype)) THEN
    RAISE EXCEPTION 'column "%" of table % is of type %', parent_column, table_name,
                    format_type(attribute.atttypid, attribute.atttypmod)
      USING ERRCODE = 'datatype_mismatch',
            HINT = 'parent_column names a column of type uuid, integer, bigint or text, as the key '
                   'of the parent is.';
  END IF;
  -- Keys are compared byte by byte where many rows are decided.
  IF EXISTS (
       SELECT FROM pg_constraint k
         JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = k.conkey[1]
                             OR a.attrelid = k.confrelid AND a.attnum = k.confkey[1]
         JOIN pg_collation c ON c.oid = a.attcollation
        WHERE k.conrelid = find_parent_table.table_name AND k.confrelid = key.relation
          AND k.contype = 'f' AND k.conkey = ARRAY[attribute.attnum]
          AND NOT c.collisdeterministic) THEN
    RAISE EXCEPTION 'column "%" of table %, or the key that it refers to, has a collation that is '
                    'not deterministic', parent_column, table_name
      USING ERRCODE = 'datatype_mismatch',
            HINT = 'parent_column takes keys that are equal only if their bytes are.';
  END IF;
  PERFORM FROM pg_index i
    WHERE i.indrelid = find_parent_table.table_name AND i.indkey[0] = attribute.attnum
      AND i.indisvalid AND i.indpred IS NULL;
  IF NOT FOUND THEN
    RAISE NOTICE 'no index on %(%)', table_name, quote_ident(parent_column)
      USING HINT = format('CREATE INDEX ON %s (%I);', table_name, parent_column);
  END IF;
  RETURN key.relation;
END $$;
COMMENT ON FUNCTION seeme.find_parent_table(regclass, name) IS
  'The protected table that parent_column refers to. An error tells what is missing';

CREATE FUNCTION seeme.has_parent_key(p seeme.protected_tables) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN p.parent_table IS NOT NULL
       AND EXISTS (SELECT FROM seeme.parent_keys(p.table_name, p.parent_column, p.parent_table));
COMMENT ON FUNCTION seeme.has_parent_key(seeme.protected_tables) IS
  'Whether the foreign key of a protected table''s parent_column exists';

-- Children, and their children.
CREATE FUNCTION seeme.children_of(parent regclass) RETURNS SETOF seeme.protected_tables
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  WITH RECURSIVE below (oid) AS (
    SELECT p.table_name::oid FROM seeme.protected_tables p WHERE p.parent_table = parent
    UNION
    SELECT p.table_name::oid FROM seeme.protected_tables p JOIN below b ON p.parent_table = b.oid)
  SELECT p.* FROM seeme.protected_tables p JOIN below b ON p.table_name = b.oid
   ORDER BY p.resource, p.table_name
$$;
COMMENT ON FUNCTION seeme.children_of(regclass) IS
  'The protected tables whose rows lie where the rows of this one lie, at every depth';

CREATE FUNCTION seeme.check_left_children() RETURNS trigger
LANGUAGE c AS 'MODULE_PATHNAME', 'seeme_check_left_children';
COMMENT ON FUNCTION seeme.check_left_children() IS
  'Trigger on a parent: whoever removes a row, or its key, and leaves children for another row '
  'with that key, needs the update of its children where it lay. The arguments are their codes';

-- A foreign key that is checked later, or another row that takes the key in the same statement,
-- leaves children behind. By then the actions of the foreign keys are done. STABLE: it reads by the
-- snapshot of its caller, which is the latest one.
CREATE FUNCTION seeme.leaves_children(parent oid, old_row jsonb) RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  k     record;
  found boolean;
BEGIN
  FOR k IN
    SELECT c.conrelid::regclass AS child, a.attname AS child_column,
           format_type(a.atttypid, a.atttypmod) AS child_type, c.confrelid::regclass AS relation,
           f.attname AS key, format_type(f.atttypid, f.atttypmod) AS key_type,
           (SELECT string_agg(format('(r.%1$I)::text IS NOT DISTINCT FROM $2 ->> %1$L', n),
                              ' AND ')
              FROM unnest(ARRAY[o.project_column, o.team_column, o.organization_column,
                                o.resource_id_column, o.owner_column, o.parent_column]) AS n
             WHERE n IS NOT NULL) AS place
      FROM seeme.protected_tables p
      JOIN seeme.protected_tables o ON o.table_name = p.parent_table
      JOIN pg_constraint c ON c.conrelid = p.table_name AND c.confrelid = p.parent_table
                          AND c.contype = 'f' AND c.conparentid = 0
      JOIN pg_attribute a ON a.attrelid = c.conrelid AND c.conkey = ARRAY[a.attnum]
                         AND a.attname = p.parent_column
      JOIN pg_attribute f ON f.attrelid = c.confrelid AND c.confkey = ARRAY[f.attnum]
     WHERE p.parent_table = parent
        OR p.parent_table IN (SELECT r.relid FROM pg_partition_ancestors(parent) r)
  LOOP
    EXECUTE format('SELECT EXISTS (SELECT FROM %s AS r WHERE r.%I OPERATOR(pg_catalog.=) $1::%s)',
                   k.child, k.child_column, k.child_type) INTO found USING old_row ->> k.key;
    CONTINUE WHEN NOT found;
    -- The row may have moved to another partition, and lie where it lay.
    EXECUTE format('SELECT EXISTS (SELECT FROM %s AS r WHERE r.%I OPERATOR(pg_catalog.=) $1::%s '
                   'AND %s)', k.relation, k.key, k.key_type, k.place)
      INTO found USING old_row ->> k.key, old_row;
    IF NOT found THEN
      RETURN true;
    END IF;
  END LOOP;
  RETURN false;
END $$;
COMMENT ON FUNCTION seeme.leaves_children(oid, jsonb) IS
  'Whether there are children of a row that is removed, or has another key now. old_row: its '
  'columns of built-in types, as texts. Called as the extension''s owner alone, because it knows '
  'of hidden rows: it must not run anybody else''s function';

CREATE FUNCTION seeme.has_children_tables(p seeme.protected_tables) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN EXISTS (SELECT FROM seeme.protected_tables c WHERE c.parent_table = p.table_name);
COMMENT ON FUNCTION seeme.has_children_tables(seeme.protected_tables) IS
  'Whether the rows of another table lie where the rows of this one lie';

CREATE FUNCTION seeme.parent_triggers(p seeme.protected_tables)
RETURNS TABLE (name name, function text, type integer)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  before integer := CASE (SELECT c.relkind FROM pg_class c WHERE c.oid = p.table_name)
                      WHEN 'p' THEN 2 ELSE 0 END;
BEGIN
  IF NOT seeme.has_children_tables(p) THEN
    RETURN;
  END IF;
  -- Before the row moves to another partition, as zz_seeme_check_moved_row.
  IF num_nonnulls(p.project_column, p.team_column, p.organization_column, p.resource_id_column,
                  p.parent_column) > 0 THEN
    RETURN QUERY VALUES ('zz_seeme_check_moved_parent'::name, 'check_moved_parent',
                         1 + 16 + before);
  END IF;
  IF p.owner_column IS NOT NULL THEN
    RETURN QUERY VALUES ('zz_seeme_check_parent_owner'::name, 'check_moved_parent',
                         1 + 16 + before);
  END IF;
  RETURN QUERY VALUES ('zz_seeme_check_left_children'::name, 'check_left_children', 1 + 8),
                      ('zz_seeme_check_left_key', 'check_left_children', 1 + 16);
END $$;
COMMENT ON FUNCTION seeme.parent_triggers(seeme.protected_tables) IS
  'The triggers that a table has because other tables name it as the parent. Types as in '
  'pg_trigger.tgtype';

CREATE FUNCTION seeme.create_parent_trigger(p seeme.protected_tables) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  guard   record;
  changed text;
BEGIN
  FOR guard IN
    SELECT t.tgname AS name FROM pg_trigger t
     WHERE t.tgrelid = p.table_name AND t.tgname IN (
       'zz_seeme_check_moved_parent', 'zz_seeme_check_parent_owner', 'zz_seeme_check_left_children',
       'zz_seeme_check_left_key')
  LOOP
    EXECUTE format('DROP TRIGGER %I ON %s', guard.name, p.table_name);
  END LOOP;
  FOR guard IN SELECT t.*, t.type & 2 <> 0 AS is_before FROM seeme.parent_triggers(p) t LOOP
    -- PostgreSQL computes generated columns after BEFORE triggers: there a change of a base column
    -- counts.
    SELECT string_agg(DISTINCT format('OLD.%1$I IS DISTINCT FROM NEW.%1$I', b), ' OR ') INTO changed
      FROM unnest(CASE guard.name
             WHEN 'zz_seeme_check_moved_parent' THEN
               ARRAY[p.project_column, p.team_column, p.organization_column, p.resource_id_column,
                     p.parent_column]
             WHEN 'zz_seeme_check_parent_owner' THEN ARRAY[p.owner_column]
             WHEN 'zz_seeme_check_left_key' THEN ARRAY(
               SELECT f.attname FROM seeme.protected_tables c
                 JOIN pg_constraint k ON k.conrelid = c.table_name AND k.confrelid = p.table_name
                                     AND k.contype = 'f'
                 JOIN pg_attribute a ON a.attrelid = k.conrelid AND k.conkey = ARRAY[a.attnum]
                                    AND a.attname = c.parent_column
                 JOIN pg_attribute f ON f.attrelid = k.confrelid AND k.confkey = ARRAY[f.attnum]
                WHERE c.parent_table = p.table_name) END) AS n,
           unnest(CASE WHEN guard.is_before THEN seeme.base_columns(p.table_name, n)
                       ELSE ARRAY[n] END) AS b
     WHERE n IS NOT NULL;
    EXECUTE format('CREATE TRIGGER %I %s %s ON %s FOR EACH ROW %s EXECUTE FUNCTION seeme.%I(%s)',
                   guard.name, CASE WHEN guard.is_before THEN 'BEFORE' ELSE 'AFTER' END,
                   CASE WHEN guard.type & 8 <> 0 THEN 'DELETE' ELSE 'UPDATE' END, p.table_name,
                   CASE WHEN guard.type & 16 <> 0
                        THEN format('WHEN (%s)', coalesce(changed, 'false')) ELSE '' END,
                   guard.function,
                   (SELECT string_agg(DISTINCT quote_literal(
                             c.resource || CASE guard.name WHEN 'zz_seeme_check_parent_owner'
                                                THEN ':*' ELSE ':update' END), ', ')
                      FROM seeme.children_of(p.table_name) c));
  END LOOP;
END $$;
COMMENT ON FUNCTION seeme.create_parent_trigger(seeme.protected_tables) IS
  'Makes the triggers anew by which whoever moves a row, or removes it and leaves its children, '
  'needs their update, and whoever takes its ownership everything; without children there are none';

CREATE FUNCTION seeme.renew_parent_triggers(parent regclass) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  p seeme.protected_tables;
BEGIN
  FOR p IN
    WITH RECURSIVE above (oid) AS (
      SELECT parent::oid
      UNION
      SELECT t.parent_table FROM seeme.protected_tables t JOIN above a ON t.table_name = a.oid
       WHERE t.parent_table IS NOT NULL)
    SELECT t.* FROM seeme.protected_tables t JOIN above a ON t.table_name = a.oid
      JOIN pg_class c ON c.oid = a.oid
  LOOP
    INSERT INTO seeme.lowered_guards VALUES (p.table_name, p.table_name, '*')
      ON CONFLICT DO NOTHING;
    PERFORM seeme.create_parent_trigger(p);
    DELETE FROM seeme.lowered_guards l WHERE l.table_name = p.table_name AND l.guard = '*';
  END LOOP;
END $$;
COMMENT ON FUNCTION seeme.renew_parent_triggers(regclass) IS
  'Makes the triggers of a parent, and of its own parents, anew: they name their children''s codes';
