-- Generated columns for the keys of mirrored tables: an index needs a column.

CREATE FUNCTION seeme.statement_for_mirror_keys(m seeme.mirrors) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  key       record;
  made      name;
  columns   jsonb := m.columns;
  additions text[] := '{}';
  indexes   text[] := '{}';
  names     name[] := '{}';
BEGIN
  FOR key IN
    SELECT c.name, c.key_kind, (m.columns ->> c.name)::name AS column_name
      FROM seeme.mirror_columns(m.kind) c
      JOIN pg_attribute a ON a.attrelid = m.table_name AND a.attname = m.columns ->> c.name
                         AND a.attnum > 0 AND NOT a.attisdropped
     WHERE c.class = 'key' AND a.atttypid <> 'uuid'::regtype ORDER BY c.n
  LOOP
    made := seeme.generated_key_column(m.table_name, key.column_name, key.key_kind);
    IF made IS NULL THEN
      made := seeme.new_column_name(m.table_name, key.column_name, key.key_kind, names);
      names := names || made;
      additions := additions || format('ADD COLUMN %I uuid GENERATED ALWAYS AS (%s) STORED', made,
        seeme.key_expression(m.table_name, key.column_name, key.key_kind));
      indexes := indexes || format('CREATE INDEX ON %s (%I); ', m.table_name, made);
    END IF;
    columns := jsonb_set(columns, ARRAY[key.name], to_jsonb(made));
  END LOOP;
  IF columns = m.columns THEN
    RETURN NULL;
  END IF;
  -- One statement, so that the table is never seen without its policies.
  RETURN concat('ALTER TABLE ' || m.table_name::text || ' '
                               || nullif(array_to_string(additions, ', '), '') || '; ',
                array_to_string(indexes, ''),
                format('SELECT @extschema@.seeme_unmirror(%1$L), @extschema@.seeme_mirror(%1$L, '
                       '%2$L, %3$L', m.table_name, m.kind, columns),
                ', roles => ' || quote_literal(m.roles),
                ', condition => ' || quote_literal(m.condition), ', protect => true);');
END $$;
COMMENT ON FUNCTION seeme.statement_for_mirror_keys(seeme.mirrors) IS
  'The statement that mirrors a table again by generated columns of ids; null: all of its keys are '
  'uuid';

CREATE FUNCTION seeme.note_mirror_keys(m seeme.mirrors) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  statement text := seeme.statement_for_mirror_keys(m);
BEGIN
  IF m.protect AND statement IS NOT NULL THEN
    RAISE NOTICE 'the policies of % compute an id for each row, and no index has these ids',
                 m.table_name
      USING HINT = statement;
  END IF;
END $$;
COMMENT ON FUNCTION seeme.note_mirror_keys(seeme.mirrors) IS
  'A NOTICE, with the statement to run, when a mirrored table has policies and its keys are not '
  'uuid';
