-- The columns of a table that the arguments of seeme_protect name.

CREATE FUNCTION seeme.names_of_columns(relation regclass, type regtype) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN (SELECT coalesce(string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum)
                          FILTER (WHERE a.atttypid = names_of_columns.type),
                        string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum), 'none')
          FROM pg_attribute a
         WHERE a.attrelid = relation AND a.attnum > 0 AND NOT a.attisdropped);
COMMENT ON FUNCTION seeme.names_of_columns(regclass, regtype) IS
  'The names of a table''s columns of one type, or of all its columns if none is of this type';

CREATE FUNCTION seeme.named_column(table_name regclass, column_name name, hint text)
RETURNS pg_attribute
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  attribute pg_attribute;
BEGIN
  SELECT * INTO attribute FROM pg_attribute a
   WHERE a.attrelid = table_name AND a.attname = column_name AND a.attnum > 0
     AND NOT a.attisdropped;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'table % has no column "%"', table_name, column_name
      USING ERRCODE = 'undefined_column', HINT = named_column.hint;
  END IF;
  RETURN attribute;
END $$;
COMMENT ON FUNCTION seeme.named_column(regclass, name, text) IS
  'The column of this name. If there is none, an error (42703) with the hint';

CREATE FUNCTION seeme.public_column_statement(
  relation regclass, column_name name, may_be_generated boolean) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  type   regtype := (SELECT seeme.base_type(a.atttypid) FROM pg_attribute a
                      WHERE a.attrelid = relation AND a.attname = column_name);
  labels text[] := ARRAY(SELECT e.enumlabel FROM pg_enum e
                          WHERE e.enumtypid = type ORDER BY e.enumsortorder);
  made   text := CASE WHEN EXISTS (SELECT FROM pg_attribute a
                                    WHERE a.attrelid = relation AND a.attname = 'is_public')
                      THEN left(column_name, 50) || '_is_public' ELSE 'is_public' END;
  condition text := (
    SELECT CASE WHEN t.typcategory = 'E'
                THEN format('%I = %L', column_name,
                            coalesce((SELECT l FROM unnest(labels) AS l
                                       WHERE lower(l) = 'public' LIMIT 1),
                                     labels[cardinality(labels)]))
                WHEN t.typcategory = 'S' THEN format('%I = ''public''', column_name)
                WHEN t.typcategory = 'N' THEN format('%I = 1', column_name)
                ELSE format('%I IS NOT NULL', column_name) END
      FROM pg_type t WHERE t.oid = type);
BEGIN
  IF may_be_generated THEN
    RETURN format('ALTER TABLE %s ADD COLUMN %I boolean GENERATED ALWAYS AS (%s) STORED;',
                  relation, made, condition);
  END IF;
  RETURN format('ALTER TABLE %s ADD COLUMN %I boolean; UPDATE %1$s SET %2$I = %s;', relation, made,
                condition);
END $$;
COMMENT ON FUNCTION seeme.public_column_statement(regclass, name, boolean) IS
  'A statement that adds a boolean column, which says what a column of another type says: for '
  'example that the visibility of a row is public';
