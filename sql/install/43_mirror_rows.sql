-- How rows of a mirrored table get into seeme.* (src/functions/mirror.c): read with the rights of
-- the table's owner, mapped here with the extension's, and written with those of whoever is asking.

CREATE FUNCTION seeme.mirror_statement() RETURNS trigger
LANGUAGE c AS 'MODULE_PATHNAME', 'seeme_mirror_statement';
COMMENT ON FUNCTION seeme.mirror_statement() IS
  'Trigger after INSERT, UPDATE or DELETE of a mirrored table, for each statement: makes the same '
  'change here';

CREATE FUNCTION seeme.read_as_owner(relation regclass, query text) RETURNS SETOF jsonb
LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'seeme_read_as_owner';
COMMENT ON FUNCTION seeme.read_as_owner(regclass, text) IS
  'What a query answers with the rights of a table''s owner. For the extension''s own functions';

CREATE FUNCTION seeme.mirror_execute(statement text, rows jsonb, as_extension boolean)
  RETURNS bigint
LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'seeme_mirror_execute';
COMMENT ON FUNCTION seeme.mirror_execute(text, jsonb, boolean) IS
  'Makes a change of the schema seeme, of rows that are the statement''s $1, as whoever is asking '
  'or with the extension''s rights; how many rows it changed. For the extension''s own functions';

CREATE FUNCTION seeme.acting_role() RETURNS oid
LANGUAGE c STABLE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'seeme_acting_role';
COMMENT ON FUNCTION seeme.acting_role() IS
  'The database role with whose rights a mirrored change is made';

CREATE FUNCTION seeme.write_profile_at_commit(relation regclass, key text) RETURNS void
LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'seeme_write_profile_at_commit';
COMMENT ON FUNCTION seeme.write_profile_at_commit(regclass, text) IS
  'Has the asking person''s row of a mirrored table of users written at commit (rule 7.8). For '
  'the extension''s own functions';

CREATE FUNCTION seeme.refuse_truncate() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF NOT seeme.restoring() THEN
    RAISE EXCEPTION 'table % is mirrored, and TRUNCATE tells nobody which rows are gone',
      TG_RELID::regclass
      USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Use DELETE.';
  END IF;
  RETURN NULL;
END $$;
COMMENT ON FUNCTION seeme.refuse_truncate() IS 'Trigger: a mirrored table is not truncated';

-- Reading

-- Policies use a generated column of ids. The mirror reads the keys of which it is made: an id that
-- somebody writes as a text key is told from one that is computed.
CREATE FUNCTION seeme.mirrored_column(m seeme.mirrors, column_name text) RETURNS name
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN coalesce((SELECT seeme.plain_key_of(m.table_name, (m.columns ->> c.name)::name, c.key_kind)
                   FROM seeme.mirror_columns(m.kind) c
                  WHERE c.name = column_name AND c.class = 'key'
                    AND seeme.mirror_column_type(m.table_name, seeme.plain_key_of(
                          m.table_name, (m.columns ->> c.name)::name, c.key_kind))
                        = ANY (seeme.mirror_types('key'))),
                (m.columns ->> column_name)::name);
COMMENT ON FUNCTION seeme.mirrored_column(seeme.mirrors, text) IS
  'The column of a mirrored table that is read for a column here';

CREATE FUNCTION seeme.mirror_expression(m seeme.mirrors, column_name text, class text) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT CASE t.type
           WHEN 'timestamptz' THEN c.name
           -- without a zone: UTC, whatever the session's is
           WHEN 'timestamp' THEN format('(%s AT TIME ZONE %L)', c.name, 'UTC')
           WHEN 'date' THEN format('(%s::pg_catalog.timestamp AT TIME ZONE %L)', c.name, 'UTC')
           -- by its type's own output, and by no cast that somebody may have made
           WHEN 'enum' THEN format('CASE WHEN %1$s IS NOT NULL THEN pg_catalog.format(''%%s'', '
                                   '%1$s) END', c.name)
           WHEN 'citext' THEN format('CASE WHEN %1$s IS NOT NULL THEN pg_catalog.format(''%%s'', '
                                     '%1$s) END', c.name)
           ELSE c.name || '::pg_catalog.text' END
    FROM (SELECT format('%I.%I', r.relname, seeme.mirrored_column(m, column_name)) AS name
            FROM pg_class r WHERE r.oid = m.table_name) AS c,
         (SELECT seeme.mirror_column_type(m.table_name,
                                          seeme.mirrored_column(m, column_name)) AS type) AS t
$$;
COMMENT ON FUNCTION seeme.mirror_expression(seeme.mirrors, text, text) IS
  'The SQL expression of a mirrored column''s value, as a text or a time';

-- The ids of a row, as SQL expressions.
CREATE FUNCTION seeme.mirror_keys(m seeme.mirrors) RETURNS jsonb
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT jsonb_object_agg(c.name, CASE seeme.mirror_column_type(m.table_name,
    (m.columns ->> c.name)::name)
           WHEN 'uuid' THEN quote_ident(m.columns ->> c.name)
           WHEN 'citext' THEN format('@extschema@.seeme_uuid(%L, pg_catalog.format(''%%s'', %I))',
             c.key_kind, m.columns ->> c.name)
           ELSE format('@extschema@.seeme_uuid(%L, %I)', c.key_kind,
             m.columns ->> c.name) END)
    FROM seeme.mirror_columns(m.kind) c WHERE c.class = 'key' AND m.columns ? c.name
$$;
COMMENT ON FUNCTION seeme.mirror_keys(seeme.mirrors) IS
  'The SQL expression of each id of a mirrored row, by the name of the column here';

-- A row of the query: r, its columns; counts; k, which tells it from others; and may_change, where
-- such a condition is given.
CREATE FUNCTION seeme.mirror_reading(m seeme.mirrors, source text, may_change text = NULL)
  RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT format('SELECT pg_catalog.jsonb_build_object(%s) AS r, (%s) IS TRUE AS counts, '
                'pg_catalog.jsonb_build_array(%s)::pg_catalog.text AS k%s FROM %s AS %I',
                string_agg(format('%L, %s', c.name, seeme.mirror_expression(m, c.name, c.class)),
                  ', ' ORDER BY c.n),
                coalesce(m.condition, 'true'),
                string_agg(seeme.mirror_expression(m, c.name, c.class), ', ' ORDER BY c.n)
                  FILTER (WHERE c.name = 'id' OR m.kind LIKE '%members' AND c.class = 'key'),
                ', (' || may_change || ') IS TRUE AS may_change', source,
                (SELECT r.relname FROM pg_class r WHERE r.oid = m.table_name))
    FROM seeme.mirror_columns(m.kind) c WHERE m.columns ? c.name
$$;
COMMENT ON FUNCTION seeme.mirror_reading(seeme.mirrors, text, text) IS
  'The query of a mirrored table''s rows';

CREATE FUNCTION seeme.in_batches(query text) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
RETURN format('SELECT pg_catalog.jsonb_agg(n.v) FROM (SELECT q.v, (pg_catalog.row_number() OVER '
              '() - 1) / 5000 AS b '
              'FROM (%s) AS q) AS n GROUP BY n.b ORDER BY n.b', query);
COMMENT ON FUNCTION seeme.in_batches(text) IS
  'A query whose column v is put into arrays of 5,000 rows';

-- A trigger of the application, or a function in RETURNING, may change the rows of a statement
-- again before that statement is mirrored. What it changed is mirrored by then.
CREATE FUNCTION seeme.mirror_rows_now(m seeme.mirrors) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT format('WITH seeme_new AS (SELECT t.* FROM %s AS t WHERE (%s) IN (SELECT %s FROM '
                'seeme_new AS s) UNION ALL SELECT s.* FROM seeme_new AS s '
                'WHERE pg_catalog.num_nulls(%3$s) > 0) ', m.table_name,
                string_agg(format('t.%I', k.name), ', '), string_agg(format('s.%I', k.name), ', '))
    FROM (SELECT a.attname AS name
            FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid
                                               AND a.attnum = ANY (i.indkey)
           WHERE i.indrelid = m.table_name AND i.indisprimary
          UNION
          SELECT m.columns ->> c.name FROM seeme.mirror_columns(m.kind) c
           WHERE (c.name = 'id' OR m.kind LIKE '%members' AND c.class = 'key')
             AND m.columns ? c.name AND NOT EXISTS (
                   SELECT FROM pg_index i WHERE i.indrelid = m.table_name AND i.indisprimary)) AS k
$$;
COMMENT ON FUNCTION seeme.mirror_rows_now(seeme.mirrors) IS
  'What precedes the query of a statement''s new rows, so that it reads them as they are by now';

CREATE FUNCTION seeme.mirror_query(relation oid, event text, is_again boolean = false)
  RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  m seeme.mirrors;
BEGIN
  IF seeme.restoring() THEN
    RETURN NULL;
  END IF;
  SELECT * INTO m FROM seeme.mirrors t WHERE t.table_name = relation;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'table % has the triggers of a mirror, and is not mirrored', relation::regclass
      USING ERRCODE = 'object_not_in_prerequisite_state',
            HINT = format('SELECT @extschema@.seeme_unmirror(%L) removes them; seeme_mirror makes '
                          'it a mirror again.',
                          relation::regclass);
  END IF;
  RETURN CASE WHEN is_again AND event <> 'DELETE' THEN seeme.mirror_rows_now(m) ELSE '' END
    || coalesce(m.statements ->> event, m.statements ->> split_part(event, '_', 1),
    seeme.in_batches(format(
      'SELECT pg_catalog.jsonb_build_object(''n'', n.r, ''nw'', n.counts) AS v FROM (%s) AS n',
      seeme.mirror_reading(m, relation::regclass::text))));
END $$;
COMMENT ON FUNCTION seeme.mirror_query(oid, text, boolean) IS
  'The query, for the owner of a mirrored table, of the rows that a statement changed (o: as they '
  'were, n: as they are), or of all of them; null while a dump is restored. is_again: the same '
  'rows may have been mirrored already, after they were changed again';

-- Mapping: the application's keys become ids.
CREATE FUNCTION seeme.mirror_mapping(m seeme.mirrors, side text) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT format('CASE WHEN jsonb_typeof(v -> %1$L) = ''object'' THEN jsonb_build_object(%2$s) END',
    side,
                string_agg(CASE c.class
                  WHEN 'key' THEN format('%1$L, @extschema@.seeme_uuid(%2$L, v -> %3$L ->> %1$L)',
                    c.name, c.key_kind, side)
                  ELSE format('%1$L, v -> %2$L -> %1$L', c.name, side) END, ', ' ORDER BY c.n)
                || CASE WHEN m.kind LIKE '%members' THEN format(', ''counts'', v -> %L', side
                  || 'w')
                        WHEN m.condition IS NULL THEN ''
                        ELSE format(', %L, NOT (v ->> %L)::boolean',
                                    CASE m.kind WHEN 'users' THEN 'disabled' ELSE 'archived' END,
                                      side || 'w') END)
    FROM seeme.mirror_columns(m.kind) c WHERE m.columns ? c.name
$$;
COMMENT ON FUNCTION seeme.mirror_mapping(seeme.mirrors, text) IS
  'The SQL expression of one side (o or n) of a changed row v, in the columns and ids that it has '
  'here';

-- An INSERT or UPDATE from a jsonb array: of these columns, by these expressions.
CREATE FUNCTION seeme.mirror_type(class text) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
RETURN CASE class WHEN 'key' THEN 'uuid' WHEN 'role' THEN 'uuid' WHEN 'time' THEN 'timestamptz'
  ELSE 'text' END;
COMMENT ON FUNCTION seeme.mirror_type(text) IS 'The type here of a class of mirrored columns';

CREATE FUNCTION seeme.mirror_recordset(m seeme.mirrors) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT format('jsonb_to_recordset($1) AS r (%s)',
                string_agg(format('%I %s', c.name, seeme.mirror_type(c.class)), ', ' ORDER BY c.n)
                || ', disabled boolean, archived boolean')
    FROM seeme.mirror_columns(m.kind) c WHERE m.columns ? c.name
$$;
COMMENT ON FUNCTION seeme.mirror_recordset(seeme.mirrors) IS 'The rows of a statement''s $1';

-- What is set here for the columns of a mirrored row: the condition of users and containers is a
-- date here. Changed: of these names alone.
CREATE FUNCTION seeme.mirror_assignments(m seeme.mirrors, changed text[])
RETURNS TABLE (name text, expression text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT c.name, format('r.%I', c.name) FROM seeme.mirror_columns(m.kind) c
   WHERE m.columns ? c.name AND c.name = ANY (changed) AND c.name <> 'disabled_at'
  UNION ALL
  SELECT 'disabled_at', CASE WHEN m.condition IS NULL THEN 'r.disabled_at'
                             WHEN m.columns ? 'disabled_at'
                             THEN 'CASE WHEN r.disabled THEN least(r.disabled_at, '
                                  'clock_timestamp()) ELSE r.disabled_at END'
                             ELSE 'CASE WHEN r.disabled THEN clock_timestamp() END' END
   WHERE m.kind = 'users' AND changed && '{disabled,disabled_at}'
  UNION ALL
  SELECT 'archived_at', 'CASE WHEN r.archived THEN clock_timestamp() END'
    WHERE 'archived' = ANY (changed)
$$;
COMMENT ON FUNCTION seeme.mirror_assignments(seeme.mirrors, text[]) IS
  'The columns here, and what they are set to, where these of a mirrored row have changed';

CREATE FUNCTION seeme.mirror_may_change(m seeme.mirrors) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN CASE WHEN m.protect AND m.kind IN ('organizations', 'teams', 'projects') THEN
  format('@extschema@.seeme_has_permission(%L, %s => %s)', m.kind || ':update',
    rtrim(m.kind, 's'), seeme.mirror_keys(m) ->> 'id') END;
COMMENT ON FUNCTION seeme.mirror_may_change(seeme.mirrors) IS
  'The condition under which the asking person changes a row of a mirrored table of organizations, '
  'teams or projects, and does not only archive it or bring it back; null: the table has no '
  'policies, or is of another kind';

-- A table of members may keep several rows of one member, of which one counts: as they were and as
-- they are, these are each other's.
CREATE FUNCTION seeme.mirror_ranked(m seeme.mirrors, reading text) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
RETURN CASE WHEN m.kind LIKE '%members' THEN
  format('SELECT q.*, pg_catalog.row_number() OVER (PARTITION BY q.k ORDER BY q.counts DESC) AS i '
         'FROM (%s) AS q', reading)
  ELSE format('SELECT q.*, 1 AS i FROM (%s) AS q', reading) END;
COMMENT ON FUNCTION seeme.mirror_ranked(seeme.mirrors, text) IS
  'The query of a mirrored table''s rows, with i: the row''s number among those of the same key, '
  'those first that count';

-- The policy for UPDATE is also passed by those who may only archive a row or bring it back. An
-- UPDATE of theirs that does neither is refused, even if it changes no mirrored column: so its rows
-- are read, too (seeme.apply_containers).
CREATE FUNCTION seeme.mirror_update_query(m seeme.mirrors, may_change text) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN seeme.in_batches(format(
  'SELECT pg_catalog.jsonb_build_object(''o'', o.r, ''ow'', o.counts, ''n'', n.r, ''nw'', '
  'n.counts) AS v '
  'FROM (%s) AS o FULL JOIN (%s) AS n ON o.k = n.k AND o.i = n.i '
  'WHERE o.r IS DISTINCT FROM n.r OR o.counts IS DISTINCT FROM n.counts%s',
  seeme.mirror_ranked(m, seeme.mirror_reading(m, 'seeme_old')),
  seeme.mirror_ranked(m, seeme.mirror_reading(m, 'seeme_new', may_change)),
  CASE WHEN may_change IS NOT NULL THEN ' OR NOT n.may_change' END));
COMMENT ON FUNCTION seeme.mirror_update_query(seeme.mirrors, text) IS
  'The query of the rows that an UPDATE of a mirrored table changed. may_change: a condition; rows '
  'of which it is not true are found, too, where no mirrored column was changed';

CREATE FUNCTION seeme.mirror_statements(m seeme.mirrors) RETURNS jsonb
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN jsonb_build_object(
  'INSERT', seeme.in_batches(format(
    'SELECT pg_catalog.jsonb_build_object(''n'', n.r, ''nw'', n.counts) AS v FROM (%s) AS n',
    seeme.mirror_reading(m, 'seeme_new'))),
  'DELETE', seeme.in_batches(format(
    'SELECT pg_catalog.jsonb_build_object(''o'', o.r, ''ow'', o.counts) AS v FROM (%s) AS o',
    seeme.mirror_reading(m, 'seeme_old'))),
  'UPDATE', seeme.mirror_update_query(m, NULL),
  'UPDATE_ASKED', CASE WHEN seeme.mirror_may_change(m) IS NOT NULL
    THEN seeme.mirror_update_query(m, seeme.mirror_may_change(m)) END,
  'map', format('SELECT coalesce(jsonb_agg(jsonb_build_object(''o'', %s, ''n'', %s)), ''[]'') '
                'FROM jsonb_array_elements($1) AS v',
                seeme.mirror_mapping(m, 'o'), seeme.mirror_mapping(m, 'n')),
  'required', (SELECT jsonb_object_agg(c.name, m.columns -> c.name)
    FROM seeme.mirror_columns(m.kind) c WHERE c.is_required),
  'add', (SELECT format('INSERT INTO seeme.%I (%s) SELECT %s FROM %s', m.kind,
    string_agg(quote_ident(a.name), ', '),
                        string_agg(a.expression, ', '), seeme.mirror_recordset(m))
            FROM seeme.mirror_assignments(m, ARRAY(SELECT jsonb_object_keys(m.columns))
                   || CASE WHEN m.condition IS NULL THEN '{}'::text[] WHEN m.kind = 'users'
                     THEN '{disabled}' ELSE '{archived}' END) a
           WHERE m.kind NOT LIKE '%members'));
COMMENT ON FUNCTION seeme.mirror_statements(seeme.mirrors) IS
  'The queries of a mirrored table''s changed rows (INSERT, UPDATE, DELETE; UPDATE_ASKED: an '
  'UPDATE by somebody to whom the policies apply), the one that maps them, the columns that are '
  'not null, and the statement that adds them here';

CREATE FUNCTION seeme.mapped_rows(m seeme.mirrors, rows jsonb) RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  mapped  jsonb;
  missing text;
BEGIN
  EXECUTE m.statements ->> 'map' INTO mapped USING rows;
  SELECT c.value INTO missing
    FROM jsonb_array_elements(mapped) AS v, jsonb_each_text(m.statements -> 'required') AS c
   WHERE jsonb_typeof(v -> 'n') = 'object' AND v -> 'n' -> c.key = 'null' LIMIT 1;
  IF missing IS NOT NULL THEN
    RAISE EXCEPTION 'column "%" of a mirrored row is null', missing
      USING ERRCODE = 'not_null_violation';
  END IF;
  RETURN mapped;
END $$;
COMMENT ON FUNCTION seeme.mapped_rows(seeme.mirrors, jsonb) IS
  'Changed rows of a mirrored table in the columns and ids that they have here; 23502 where a '
  'column is null that must not be';

-- One that changed nothing, because the row is not here, is hidden from whoever asks, or was made
-- by no mirror. These answer alike.
CREATE FUNCTION seeme.require_changed(changed bigint, expected bigint, kind text) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF changed IS DISTINCT FROM expected THEN
    RAISE EXCEPTION 'you may not change this row of seeme.%, or no mirror made it', kind
      USING ERRCODE = 'insufficient_privilege',
            HINT = concat('A change of a mirrored table is a change of the row here, and needs the '
                          'same right.',
                          CASE WHEN kind = 'memberships'
                               THEN ' A membership that is here no more is added by DELETE and '
                                    'INSERT of the table''s row.' END);
  END IF;
END $$;
COMMENT ON FUNCTION seeme.require_changed(bigint, bigint, text) IS
  'Raises 42501 unless as many rows were changed as were to be';

-- A call of it is a statement of its own, which either does all of its rows or names one that it
-- cannot do.
CREATE FUNCTION seeme.apply_mirror(relation oid, event text, rows jsonb) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  m       seeme.mirrors;
  v       jsonb;
  state   text;
  message text;
  detail  text;
  hint    text;
BEGIN
  SELECT * INTO STRICT m FROM seeme.mirrors t WHERE t.table_name = relation;
  IF jsonb_array_length(rows) > 1 THEN
    BEGIN
      PERFORM seeme.apply_rows(m, event, rows);
      RETURN;
    EXCEPTION WHEN OTHERS THEN
      NULL;  -- one by one, to find which
    END;
  END IF;
  FOR v IN SELECT * FROM jsonb_array_elements(rows) LOOP
    BEGIN
      PERFORM seeme.apply_rows(m, event, jsonb_build_array(v));
    EXCEPTION WHEN OTHERS THEN
      GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT,
        detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
      detail := concat_ws(' ', nullif(detail, ''),
                          format('Table %s, row %s.', m.table_name, seeme.name_of_row(m, v)));
      -- An empty hint would be shown as one.
      IF hint = '' THEN
        RAISE EXCEPTION USING ERRCODE = state, MESSAGE = message, DETAIL = detail;
      END IF;
      RAISE EXCEPTION USING ERRCODE = state, MESSAGE = message, DETAIL = detail, HINT = hint;
    END;
  END LOOP;
END $$;
COMMENT ON FUNCTION seeme.apply_mirror(oid, text, jsonb) IS
  'Makes the changes of rows of a mirrored table here; an error names the row in its DETAIL';

CREATE FUNCTION seeme.name_of_row(m seeme.mirrors, v jsonb) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT string_agg(format('%I = %s', seeme.mirrored_column(m, c.name),
                           coalesce(r ->> c.name, 'null')), ', ' ORDER BY c.n)
    FROM seeme.mirror_columns(m.kind) c,
         coalesce(nullif(v -> 'n', 'null'), v -> 'o') AS r
   WHERE c.name = 'id' OR m.kind LIKE '%members' AND c.class = 'key'
$$;
COMMENT ON FUNCTION seeme.name_of_row(seeme.mirrors, jsonb) IS
  'The key of a changed row, for an error message';

CREATE FUNCTION seeme.apply_rows(m seeme.mirrors, event text, rows jsonb) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF m.kind = 'users' AND event <> 'LOAD' THEN
    IF NOT seeme.is_unidentified() THEN
      PERFORM seeme.apply_own_profile(m, rows, seeme.mapped_rows(m, rows));
      RETURN;
    ELSIF NOT seeme.provisions(seeme.acting_role()) THEN
      RAISE EXCEPTION 'role % does not provision users', seeme.acting_role()::regrole
        USING ERRCODE = 'insufficient_privilege', HINT = 'SELECT seeme_grant_provisioning(...) is '
                                                         'for the role that does.';
    END IF;
  END IF;
  IF m.kind LIKE '%members' THEN
    PERFORM seeme.apply_members(m, event, seeme.mapped_rows(m, rows));
  ELSE
    PERFORM seeme.apply_containers(m, event, rows, seeme.mapped_rows(m, rows));
  END IF;
END $$;
COMMENT ON FUNCTION seeme.apply_rows(seeme.mirrors, text, jsonb) IS
  'Makes the changes of rows of a mirrored table here, all or none';
