-- Columns of keys that are not uuid, and the generated columns that make ids of them.

CREATE FUNCTION seeme.base_type(type oid) RETURNS regtype
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  WITH RECURSIVE below (oid, base) AS (
    SELECT t.oid, t.typbasetype FROM pg_type t WHERE t.oid = type
    UNION ALL
    SELECT t.oid, t.typbasetype FROM below b JOIN pg_type t ON t.oid = b.base)
  SELECT b.oid::regtype FROM below b WHERE b.base = 0
$$;
COMMENT ON FUNCTION seeme.base_type(oid) IS 'The type under a domain; any other type is its own';

CREATE FUNCTION seeme.generation_expression(relation regclass, column_name name) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN (SELECT pg_get_expr(d.adbin, d.adrelid)
          FROM pg_attribute a JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
         WHERE a.attrelid = relation AND a.attname = column_name AND a.attgenerated <> '');
COMMENT ON FUNCTION seeme.generation_expression(regclass, name) IS
  'The expression of a generated column, every name in it qualified; null: it is not generated';

CREATE FUNCTION seeme.generated_among(relation regclass, columns name[]) RETURNS name[]
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN ARRAY(SELECT a.attname FROM pg_attribute a
              WHERE a.attrelid = relation AND a.attname = ANY (columns) AND a.attgenerated <> ''
              ORDER BY a.attnum);
COMMENT ON FUNCTION seeme.generated_among(regclass, name[]) IS
  'Those of some columns that are generated columns';

-- A row moves when the base column changes: UPDATE, ON DELETE SET NULL and foreign keys name that
-- one.
CREATE FUNCTION seeme.base_columns(relation regclass, column_name name) RETURNS name[]
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN (SELECT CASE a.attgenerated WHEN '' THEN ARRAY[a.attname]
                 ELSE ARRAY(SELECT b.attname
                              FROM pg_attrdef d
                              JOIN pg_depend p ON p.classid = 'pg_attrdef'::regclass
                                              AND p.objid = d.oid
                              JOIN pg_attribute b ON b.attrelid = p.refobjid
                                                 AND b.attnum = p.refobjsubid
                             WHERE d.adrelid = a.attrelid AND d.adnum = a.attnum
                               AND p.refclassid = 'pg_class'::regclass
                               AND p.refobjid = a.attrelid AND b.attnum <> a.attnum
                             ORDER BY b.attnum) END
          FROM pg_attribute a
         WHERE a.attrelid = relation AND a.attname = column_name AND NOT a.attisdropped);
COMMENT ON FUNCTION seeme.base_columns(regclass, name) IS
  'The columns from which a generated column is computed; of any other column, itself';

-- Nothing but this extension's function counts. No other schema has its name.
CREATE FUNCTION seeme.key_call(relation regclass, column_name name)
RETURNS TABLE (kind text, key text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT p.parts[1], p.parts[2]
    FROM (SELECT seeme.generation_expression(relation, column_name) AS text) AS e,
         LATERAL regexp_matches(substr(e.text, length('@extschema@') + 1),
                                '^\.seeme_uuid\(''([a-z0-9_]+)''::text, ([^'']*)\)$') AS p (parts)
   WHERE starts_with(e.text, '@extschema@.')
$$;
COMMENT ON FUNCTION seeme.key_call(regclass, name) IS
  'The arguments of seeme_uuid(kind, key) in the expression of a generated column; no row: it is '
  'generated otherwise, or not at all';

CREATE FUNCTION seeme.kind_of_key_column(relation regclass, column_name name) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN (SELECT c.kind FROM seeme.key_call(relation, column_name) c);
COMMENT ON FUNCTION seeme.kind_of_key_column(regclass, name) IS
  'The kind in the expression seeme_uuid(kind, key) of a generated column; null: it is generated '
  'otherwise, or not at all';

CREATE FUNCTION seeme.plain_key_of(relation regclass, column_name name, kind text) RETURNS name
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT b.names[1]
    FROM seeme.key_call(relation, column_name) c,
         LATERAL (SELECT seeme.base_columns(relation, column_name) AS names) AS b
   WHERE c.kind = plain_key_of.kind AND cardinality(b.names) = 1
     AND c.key IN (quote_ident(b.names[1]), format('(%I)::text', b.names[1]),
                   format('(%I)::bigint', b.names[1]))
$$;
COMMENT ON FUNCTION seeme.plain_key_of(regclass, name, text) IS
  'The column whose keys, unchanged, a generated column has the ids of this kind of; null: none';

CREATE FUNCTION seeme.key_expression(relation regclass, column_name name, kind text) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  type oid := (SELECT a.atttypid FROM pg_attribute a
                WHERE a.attrelid = relation AND a.attname = column_name);
  base regtype := seeme.base_type(type);
  -- A generated column cannot refer to another one.
  key  text := coalesce('(' || seeme.generation_expression(relation, column_name) || ')',
                        quote_ident(column_name));
BEGIN
  RETURN CASE
    WHEN base = 'uuid'::regtype THEN key || '::uuid'
    WHEN type IN ('int2'::regtype, 'int4'::regtype, 'int8'::regtype, 'text'::regtype)
      THEN format('@extschema@.seeme_uuid(%L, %s)', kind, key)
    WHEN base IN ('int2'::regtype, 'int4'::regtype, 'int8'::regtype)
      THEN format('@extschema@.seeme_uuid(%L, %s::bigint)', kind, key)
    WHEN base IN ('text'::regtype, 'varchar'::regtype, 'bpchar'::regtype, 'name'::regtype)
         OR EXISTS (SELECT FROM pg_type t WHERE t.oid = base AND t.typname = 'citext')
      THEN format('@extschema@.seeme_uuid(%L, %s::text)', kind, key) END;
END $$;
COMMENT ON FUNCTION seeme.key_expression(regclass, name, text) IS
  'The SQL expression of the uuid that belongs to a column of keys; null: keys of its type have '
  'none';

CREATE FUNCTION seeme.type_named_after(resource text) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
RETURN CASE WHEN resource ~ 'ies$' THEN left(resource, -3) || 'y'
            WHEN resource ~ '[^s]s$' THEN left(resource, -1) ELSE resource END;
COMMENT ON FUNCTION seeme.type_named_after(text) IS
  'The resource type that seeme_protect registers for a resource: model for models';

CREATE FUNCTION seeme.kind_of_parameter(parameter text, resource text, resource_type text)
RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN CASE parameter
  WHEN 'project_column' THEN 'project' WHEN 'team_column' THEN 'team'
  WHEN 'organization_column' THEN 'organization' WHEN 'owner_column' THEN 'user'
  WHEN 'resource_id_column' THEN coalesce(
    resource_type,
    (SELECT t.name FROM seeme.resource_types t WHERE t.resource = kind_of_parameter.resource),
    CASE WHEN NOT EXISTS (SELECT FROM seeme.permissions c
                           WHERE c.resource = kind_of_parameter.resource AND c.is_builtin)
         THEN seeme.type_named_after(resource) END) END;
COMMENT ON FUNCTION seeme.kind_of_parameter(text, text, text) IS
  'The kind of key in a column that seeme_protect is told of by this parameter; null: not known';

CREATE FUNCTION seeme.new_column_name(
  relation regclass, key_column name, kind text, taken name[])
RETURNS name
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  stem   text := coalesce(nullif(regexp_replace(key_column, '_?(id|Id|ID|key|pk)$', ''), ''),
                          kind);
  found  text;
  number integer := 1;
BEGIN
  WHILE octet_length(stem) > 50 LOOP
    stem := left(stem, -1);
  END LOOP;
  found := stem || '_uuid';
  WHILE found = ANY (taken) OR EXISTS (
          SELECT FROM pg_attribute a WHERE a.attrelid = relation AND a.attname = found) LOOP
    number := number + 1;
    found := stem || '_uuid' || number;
  END LOOP;
  RETURN found;
END $$;
COMMENT ON FUNCTION seeme.new_column_name(regclass, name, text, name[]) IS
  'A free name for the generated column of a column of keys: project_uuid for project_id';

CREATE FUNCTION seeme.generated_key_column(relation regclass, key_column name, kind text)
RETURNS name
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN (SELECT a.attname FROM pg_attribute a
         WHERE a.attrelid = relation AND a.attnum > 0 AND NOT a.attisdropped
           AND a.attgenerated = 's' AND a.atttypid = 'uuid'::regtype
           AND seeme.kind_of_key_column(relation, a.attname) = kind
           AND seeme.base_columns(relation, a.attname) = ARRAY[key_column]
         ORDER BY a.attnum LIMIT 1);
COMMENT ON FUNCTION seeme.generated_key_column(regclass, name, text) IS
  'The generated column with the ids of a column of keys; null: there is none yet';

CREATE FUNCTION seeme.is_unique_column(relation regclass, column_name name) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN EXISTS (SELECT FROM pg_index i
                 JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
                WHERE i.indrelid = relation AND a.attname = column_name AND i.indisunique
                  AND i.indnkeyatts = 1 AND i.indisvalid AND i.indpred IS NULL);
COMMENT ON FUNCTION seeme.is_unique_column(regclass, name) IS
  'Whether a unique index keeps two rows from having the same value in a column';

CREATE FUNCTION seeme.generated_id_column(relation regclass, kind text) RETURNS name
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN (SELECT g.name
          FROM pg_index i
          JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0],
               LATERAL (SELECT seeme.generated_key_column(relation, a.attname, kind) AS name) AS g
          JOIN pg_attribute ga ON ga.attrelid = relation AND ga.attname = g.name
         WHERE i.indrelid = relation AND i.indisprimary AND i.indnkeyatts = 1
           AND seeme.is_unique_column(relation, ga.attname));
COMMENT ON FUNCTION seeme.generated_id_column(regclass, text) IS
  'The generated column with the ids of a table''s primary key, if it has a unique index; null: '
  'there is none';

-- arguments: those of seeme_protect, by the names of the parameters.
CREATE FUNCTION seeme.columns_of_arguments(relation regclass, arguments jsonb)
RETURNS TABLE (parameter text, kind text, name name, type text, is_uuid boolean,
               generated "char", n bigint)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT k.name, v.kind, a.attname, format_type(a.atttypid, a.atttypmod),
         a.atttypid = 'uuid'::regtype, a.attgenerated, k.n
    FROM seeme.protect_parameters() k
    JOIN pg_attribute a ON a.attrelid = relation AND a.attname = arguments ->> k.name
                           AND a.attnum > 0 AND NOT a.attisdropped,
         LATERAL (SELECT seeme.kind_of_parameter(k.name, arguments ->> 'resource',
                                                 arguments ->> 'resource_type') AS kind) AS v
   WHERE v.kind IS NOT NULL
$$;
COMMENT ON FUNCTION seeme.columns_of_arguments(regclass, jsonb) IS
  'The columns that seeme_protect is told of, with the kind of keys in each';

CREATE FUNCTION seeme.statement_for_keys(relation regclass, arguments jsonb) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  given     record;
  made      name;
  additions text[] := '{}';
  indexes   text[] := '{}';
  names     name[] := '{}';
BEGIN
  FOR given IN SELECT * FROM seeme.columns_of_arguments(relation, arguments) g ORDER BY g.n LOOP
    CONTINUE WHEN given.is_uuid
               OR seeme.key_expression(relation, given.name, given.kind) IS NULL;
    made := seeme.generated_key_column(relation, given.name, given.kind);
    IF made IS NULL THEN
      made := seeme.new_column_name(relation, given.name, given.kind, names);
      names := names || made;
      additions := additions || format('ADD COLUMN %I uuid GENERATED ALWAYS AS (%s) STORED', made,
                                       seeme.key_expression(relation, given.name, given.kind));
      -- Two texts may have one id: a uuid in large and small letters. Whoever adds the second row
      -- must not get a share in the first one.
      indexes := indexes || format('CREATE %sINDEX ON %s (%I); ',
        CASE WHEN given.parameter = 'resource_id_column'
                  AND seeme.is_unique_column(relation, given.name) THEN 'UNIQUE ' END,
        relation, made);
    END IF;
    arguments := jsonb_set(arguments, ARRAY[given.parameter], to_jsonb(made));
  END LOOP;
  RETURN concat('ALTER TABLE ' || relation::text || ' '
                               || nullif(array_to_string(additions, ', '), '') || '; ',
                array_to_string(indexes, ''),
                format('SELECT %s;', seeme.protect_statement(relation::text, arguments)));
END $$;
COMMENT ON FUNCTION seeme.statement_for_keys(regclass, jsonb) IS
  'The statements that add generated columns for keys that are not uuid, and protect the table by '
  'them';

CREATE FUNCTION seeme.check_key_columns(relation regclass, arguments jsonb) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  given      record;
  found_kind text;
BEGIN
  FOR given IN SELECT * FROM seeme.columns_of_arguments(relation, arguments) g ORDER BY g.n LOOP
    -- The triggers read the stored row.
    IF given.generated NOT IN ('', 's') THEN
      RAISE EXCEPTION 'column "%" of table % is a virtual generated column', given.name, relation
        USING ERRCODE = 'feature_not_supported',
              HINT = format('Make the column that %s names GENERATED ALWAYS AS (...) STORED.',
                            given.parameter);
    END IF;
    found_kind := seeme.kind_of_key_column(relation, given.name);
    IF found_kind <> given.kind THEN
      RAISE EXCEPTION 'column "%" of table % has ids of the kind "%"', given.name, relation,
                      found_kind
        USING ERRCODE = 'invalid_parameter_value',
              HINT = format('%s names a column of the kind %L: seeme_uuid(%2$L, ...).',
                            given.parameter, given.kind);
    END IF;
    IF given.parameter = 'resource_id_column' AND given.generated = 's'
       AND NOT seeme.is_unique_column(relation, given.name)
       AND EXISTS (SELECT FROM unnest(seeme.base_columns(relation, given.name)) AS b
                    WHERE seeme.is_unique_column(relation, b)) THEN
      RAISE WARNING 'two rows of % may be one resource: no unique index is on %', relation,
                    quote_ident(given.name)
        USING HINT = format('CREATE UNIQUE INDEX ON %s (%I);', relation, given.name);
    END IF;
  END LOOP;
  FOR given IN SELECT * FROM seeme.columns_of_arguments(relation, arguments) g ORDER BY g.n LOOP
    IF NOT given.is_uuid AND seeme.key_expression(relation, given.name, given.kind) IS NOT NULL THEN
      RAISE EXCEPTION 'column "%" of table % is of type %', given.name, relation, given.type
        USING ERRCODE = 'datatype_mismatch',
              DETAIL = 'seeme_protect takes columns of type uuid. For other keys, a generated '
                       'column has the id under which each key is known here. Adding one rewrites '
                       'the table.',
              HINT = seeme.statement_for_keys(relation, arguments);
    END IF;
  END LOOP;
END $$;
COMMENT ON FUNCTION seeme.check_key_columns(regclass, jsonb) IS
  'Raises 42804 if a column that seeme_protect is told of has keys that are not uuid: the hint has '
  'the statements that make it fit. Raises 22023 if a generated column has ids of another kind.';

-- What the extension made of columns is compared with what statements and foreign keys name.
CREATE FUNCTION seeme.is_same_key(
  child regclass, child_column name, named_child name,
  parent regclass, parent_column name, named_parent name) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN coalesce(named_child = child_column AND named_parent = parent_column
                OR ARRAY[named_child] = seeme.base_columns(child, child_column)
                   AND ARRAY[named_parent] = seeme.base_columns(parent, parent_column)
                   AND seeme.kind_of_key_column(child, child_column)
                       = seeme.kind_of_key_column(parent, parent_column), false);
COMMENT ON FUNCTION seeme.is_same_key(regclass, name, name, regclass, name, name) IS
  'Whether two columns that a foreign key names are two scope columns, or the keys from which both '
  'are generated';
