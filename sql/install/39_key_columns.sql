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

CREATE FUNCTION seeme.kind_of_key_column(relation regclass, column_name name) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN substring(seeme.generation_expression(relation, column_name)
                 FROM '^(?:(?:"[^"]+"|\w+)\.)?seeme_uuid\(''([a-z0-9_]+)''::text, [^'']*\)$');
COMMENT ON FUNCTION seeme.kind_of_key_column(regclass, name) IS
  'The kind in the expression seeme_uuid(kind, key) of a generated column; null: it is generated '
  'otherwise, or not at all';

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
  LOOP
    found := stem || '_uuid' || CASE WHEN number > 1 THEN number::text ELSE '' END;
    IF NOT found = ANY (taken) AND NOT EXISTS (
         SELECT FROM pg_attribute a WHERE a.attrelid = relation AND a.attname = found) THEN
      RETURN found;
    END IF;
    number := number + 1;
  END LOOP;
END $$;
COMMENT ON FUNCTION seeme.new_column_name(regclass, name, text, name[]) IS
  'A free name for the generated column of a column of keys: project_uuid for project_id';

CREATE FUNCTION seeme.check_key_columns(relation regclass, arguments jsonb) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  given      record;
  kind       text;
  found_kind text;
  made       name;
  first_type text;
  first      name;
  fitting    jsonb := arguments;
  additions  text[] := '{}';
  indexes    text[] := '{}';
  names      name[] := '{}';
BEGIN
  FOR given IN
    SELECT k.name AS parameter, a.attname, a.atttypid, a.atttypmod, a.attgenerated
      FROM seeme.protect_parameters() k
      JOIN pg_attribute a ON a.attrelid = relation AND a.attname = arguments ->> k.name
                             AND a.attnum > 0 AND NOT a.attisdropped
     ORDER BY k.n
  LOOP
    kind := seeme.kind_of_parameter(given.parameter, arguments ->> 'resource',
                                    arguments ->> 'resource_type');
    CONTINUE WHEN kind IS NULL;
    -- The triggers read the stored row.
    IF given.attgenerated NOT IN ('', 's') THEN
      RAISE EXCEPTION 'column "%" of table % is a virtual generated column', given.attname, relation
        USING ERRCODE = 'feature_not_supported',
              HINT = format('Make the column that %s names GENERATED ALWAYS AS (...) STORED.',
                            given.parameter);
    END IF;
    found_kind := seeme.kind_of_key_column(relation, given.attname);
    IF found_kind <> kind THEN
      RAISE EXCEPTION 'column "%" of table % has ids of the kind "%"', given.attname, relation,
                      found_kind
        USING ERRCODE = 'invalid_parameter_value',
              HINT = format('%s names a column of the kind %L: seeme_uuid(%2$L, ...).',
                            given.parameter, kind);
    END IF;
    CONTINUE WHEN given.atttypid = 'uuid'::regtype
               OR seeme.key_expression(relation, given.attname, kind) IS NULL;
    first := coalesce(first, given.attname);
    first_type := coalesce(first_type, format_type(given.atttypid, given.atttypmod));
    -- Perhaps the generated column is there already.
    made := (SELECT a.attname FROM pg_attribute a
              WHERE a.attrelid = relation AND a.attnum > 0 AND NOT a.attisdropped
                AND a.attgenerated = 's' AND a.atttypid = 'uuid'::regtype
                AND seeme.kind_of_key_column(relation, a.attname) = kind
                AND seeme.base_columns(relation, a.attname) = ARRAY[given.attname]
              ORDER BY a.attnum LIMIT 1);
    IF made IS NULL THEN
      made := seeme.new_column_name(relation, given.attname, kind, names);
      names := names || made;
      additions := additions || format('ADD COLUMN %I uuid GENERATED ALWAYS AS (%s) STORED', made,
                                       seeme.key_expression(relation, given.attname, kind));
      indexes := indexes || format('CREATE INDEX ON %s (%I); ', relation, made);
    END IF;
    fitting := jsonb_set(fitting, ARRAY[given.parameter], to_jsonb(made));
  END LOOP;
  IF first IS NULL THEN
    RETURN;
  END IF;
  RAISE EXCEPTION 'column "%" of table % is of type %', first, relation, first_type
    USING ERRCODE = 'datatype_mismatch',
          DETAIL = 'seeme_protect takes columns of type uuid. For other keys, a generated column '
                   'has the id under which each key is known here. Adding one rewrites the table.',
          HINT = concat('ALTER TABLE ' || relation::text || ' '
                                       || nullif(array_to_string(additions, ', '), '') || '; ',
                        array_to_string(indexes, ''),
                        format('SELECT %s;', seeme.protect_statement(relation::text, fitting)));
END $$;
COMMENT ON FUNCTION seeme.check_key_columns(regclass, jsonb) IS
  'Raises 42804 if a column that seeme_protect is told of has keys that are not uuid: the hint has '
  'the statements that make it fit. Raises 22023 if a generated column has ids of another kind.';
