-- What protects a table does not come off by accident: migration tools, tables that are dropped and made again, tables below.
--
-- Event triggers look at what a statement left behind, not at the statement: whatever it was called, the tables that it touched
-- are guarded afterwards as seeme_protect made them, or it is refused. They call no C, so that a library that is missing stands in
-- nobody's way. (What makes way for ALTER TABLE has to: 40_followed_resources.sql.)

-- What is down already, and so is not the doing of who changes the table next.
CREATE TABLE seeme.lowered_guards (
  table_name regclass NOT NULL,
  relation   regclass NOT NULL,
  guard      text NOT NULL,
  PRIMARY KEY (table_name, relation, guard)
);
COMMENT ON TABLE seeme.lowered_guards IS 'Guards of protected tables that a superuser took away, or the extension for a moment: statements of the table''s owner are not refused because of them';
COMMENT ON COLUMN seeme.lowered_guards.table_name IS 'The protected table';
COMMENT ON COLUMN seeme.lowered_guards.relation IS 'It, or the partition, heir or listing view whose guard is down';
COMMENT ON COLUMN seeme.lowered_guards.guard IS 'What is down, as seeme.guards_down names it; *: whatever it is, while the extension changes the table itself';

-- What was protected under a name that is free, or another table's, now.
CREATE TABLE seeme.dropped_tables (
  schema_name name NOT NULL,
  table_name  name NOT NULL,
  arguments   jsonb NOT NULL,
  dropped_at  timestamptz NOT NULL DEFAULT now(),
  made_again  regclass,
  PRIMARY KEY (schema_name, table_name)
);
COMMENT ON TABLE seeme.dropped_tables IS 'Names under which a protected table was dropped, renamed or moved away: whatever is made under one is to be protected again, until seeme_protect or seeme_unprotect';
COMMENT ON COLUMN seeme.dropped_tables.schema_name IS 'The schema that it was in';
COMMENT ON COLUMN seeme.dropped_tables.table_name IS 'Its name there';
COMMENT ON COLUMN seeme.dropped_tables.arguments IS 'What seeme_protect was told of it, by the names of its parameters';
COMMENT ON COLUMN seeme.dropped_tables.dropped_at IS 'When it went';
COMMENT ON COLUMN seeme.dropped_tables.made_again IS 'The table that has the name now, once somebody was warned of it';

-- Triggers of the extension's own tables that fire in every session, replicas' too.
CREATE TABLE seeme.always_triggers (
  relation regclass NOT NULL,
  name     name NOT NULL,
  PRIMARY KEY (relation, name)
);
COMMENT ON TABLE seeme.always_triggers IS 'The triggers of the extension''s own tables that were installed as ENABLE ALWAYS, and become so again by themselves';
COMMENT ON COLUMN seeme.always_triggers.relation IS 'The table';
COMMENT ON COLUMN seeme.always_triggers.name IS 'The trigger''s name';

-- Without a policy: for database administrators alone.
ALTER TABLE seeme.lowered_guards ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE seeme.dropped_tables ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE seeme.always_triggers ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
SELECT pg_extension_config_dump('seeme.dropped_tables', '');

CREATE FUNCTION seeme.acts_as_superuser() RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN coalesce((SELECT r.rolsuper FROM pg_roles r
                  WHERE r.rolname = CASE current_setting('role') WHEN 'none' THEN session_user::text ELSE current_setting('role') END), false);
COMMENT ON FUNCTION seeme.acts_as_superuser() IS
  'seeme.is_superuser() without the library: whether the role outside of any SECURITY DEFINER function is a superuser';

CREATE FUNCTION seeme.loads_dump() RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN current_setting('row_security') = 'off' AND seeme.acts_as_superuser();
COMMENT ON FUNCTION seeme.loads_dump() IS
  'Whether this looks like the session of a dump being restored: tables are made first there, and what guards them comes last';

-- The statement that protects a table as it was protected. Whatever parameter seeme_protect has, the column of that name remembers.
CREATE FUNCTION seeme.protect_parameters() RETURNS TABLE (name text, n bigint)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT a.name, a.n
    FROM pg_extension e JOIN pg_proc p ON p.pronamespace = e.extnamespace AND p.proname = 'seeme_protect',
         unnest(p.proargnames) WITH ORDINALITY AS a (name, n)
   WHERE e.extname = 'seeme_rbac' AND a.name <> 'table_name'
     AND EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid
                   AND d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid AND d.deptype = 'e')
$$;
COMMENT ON FUNCTION seeme.protect_parameters() IS 'The parameters of seeme_protect after the table';

CREATE FUNCTION seeme.protect_arguments(p seeme.protected_tables) RETURNS jsonb
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN (SELECT jsonb_object_agg(a.key, a.value)
          FROM jsonb_each(to_jsonb(p)) AS a
         WHERE a.key IN (SELECT k.name FROM seeme.protect_parameters() k) AND a.value <> 'null'
           AND (a.key <> 'resource_type' OR (p).resource_id_column IS NOT NULL OR (p).holds_resource)
           AND (a.key <> 'owner_alone' OR NOT (p).owner_alone));
COMMENT ON FUNCTION seeme.protect_arguments(seeme.protected_tables) IS 'What seeme_protect was told of a table, by the names of its parameters';

CREATE FUNCTION seeme.protect_statement(table_name text, arguments jsonb) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN (SELECT format('@extschema@.seeme_protect(%L, %L', table_name, arguments ->> 'resource')
               || coalesce(string_agg(format(', %I => %s', k.name,
                    CASE jsonb_typeof(arguments -> k.name)
                      WHEN 'array' THEN quote_literal(ARRAY(SELECT jsonb_array_elements_text(arguments -> k.name)))
                      WHEN 'boolean' THEN arguments ->> k.name
                      ELSE quote_literal(arguments ->> k.name) END), '' ORDER BY k.n), '') || ')'
          FROM seeme.protect_parameters() k WHERE k.name <> 'resource' AND arguments ? k.name);
COMMENT ON FUNCTION seeme.protect_statement(text, jsonb) IS 'The call of seeme_protect that protects a table as seeme.protect_arguments says';

-- What a statement was about.
CREATE FUNCTION seeme.touched_relations() RETURNS oid[]
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN ARRAY(
    SELECT d.objid FROM pg_event_trigger_ddl_commands() d WHERE d.classid = 'pg_class'::regclass
    UNION
    SELECT t.tgrelid FROM pg_event_trigger_ddl_commands() d JOIN pg_trigger t ON t.oid = d.objid WHERE d.classid = 'pg_trigger'::regclass
    UNION
    SELECT p.polrelid FROM pg_event_trigger_ddl_commands() d JOIN pg_policy p ON p.oid = d.objid WHERE d.classid = 'pg_policy'::regclass
    UNION
    SELECT r.ev_class FROM pg_event_trigger_ddl_commands() d JOIN pg_rewrite r ON r.oid = d.objid WHERE d.classid = 'pg_rewrite'::regclass
    UNION
    SELECT c.oid FROM pg_event_trigger_ddl_commands() d JOIN pg_class c ON c.relnamespace = d.objid
     WHERE d.classid = 'pg_namespace'::regclass AND d.command_tag = 'ALTER SCHEMA' AND c.relkind IN ('r', 'p', 'f', 'm'));
END $$;
COMMENT ON FUNCTION seeme.touched_relations() IS 'In an event trigger at ddl_command_end: the relations that the statement made or changed, or whose schema it renamed';

CREATE FUNCTION seeme.protected_around(relations oid[]) RETURNS SETOF seeme.protected_tables
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN QUERY
  WITH RECURSIVE above (oid) AS (
    SELECT unnest(relations)
    UNION SELECT i.inhparent FROM above a JOIN pg_inherits i ON i.inhrelid = a.oid
  ), below (oid) AS (
    SELECT unnest(relations)
    UNION SELECT i.inhrelid FROM below b JOIN pg_inherits i ON i.inhparent = b.oid)
  SELECT p.* FROM seeme.protected_tables p
   WHERE p.table_name IN (SELECT a.oid FROM above a UNION ALL SELECT b.oid FROM below b)
      OR p.listing_view = ANY (relations) OR p.closed_partitions && relations::regclass[];
END $$;
COMMENT ON FUNCTION seeme.protected_around(oid[]) IS
  'The protected tables among these relations, above and below them, and those whose listing view or detached partition is among them';

-- The names of what seeme_protect makes.
CREATE FUNCTION seeme.is_guard(name name) RETURNS boolean
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
RETURN name IN ('seeme_select', 'seeme_insert', 'seeme_update', 'seeme_delete', 'seeme_closed', 'seeme_after_wait', 'zz_seeme_check_moved_row',
                'seeme_forget_resource', 'seeme_forget_resources', 'zzz_seeme_follow_resource', 'seeme_read_only');
COMMENT ON FUNCTION seeme.is_guard(name) IS 'Whether a policy or trigger of this name, on a protected table, is one that seeme_protect makes';

CREATE FUNCTION seeme.triggers_of_table(p seeme.protected_tables) RETURNS TABLE (name name, function text, type integer)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  partitioned boolean := (SELECT c.relkind = 'p' FROM pg_class c WHERE c.oid = p.table_name);
BEGIN
  -- Types as in pg_trigger.tgtype: 1 for each row, 2 before, 8 DELETE, 16 UPDATE, 32 TRUNCATE.
  RETURN QUERY VALUES ('seeme_after_wait'::name, 'ask_after_wait', 1 + 2 + 8 + 16);
  IF NOT seeme.has_one_scope(p) THEN
    RETURN QUERY VALUES ('zz_seeme_check_moved_row'::name, 'check_moved_row', 1 + 16 + CASE WHEN partitioned THEN 2 ELSE 0 END);
  END IF;
  IF p.id_column IS NOT NULL THEN
    RETURN QUERY VALUES ('seeme_forget_resource'::name, 'follow_resource', 1 + 8), ('seeme_forget_resources', 'follow_resource', 32),
                        ('zzz_seeme_follow_resource', 'follow_resource', 1 + 16);
  END IF;
END $$;
COMMENT ON FUNCTION seeme.triggers_of_table(seeme.protected_tables) IS 'The triggers that seeme_protect makes on a table';

CREATE FUNCTION seeme.guards_down(p seeme.protected_tables) RETURNS TABLE (relation regclass, guard text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN QUERY
  SELECT p.table_name, v.guard
    FROM pg_class c, LATERAL (VALUES (c.relrowsecurity, 'row security'), (c.relforcerowsecurity, 'forced row security')) AS v (is_on, guard)
   WHERE c.oid = p.table_name AND NOT v.is_on
  UNION ALL
  SELECT p.table_name, format('policy %I', v.name)
    FROM (VALUES ('seeme_select'::name, 'r'::"char"), ('seeme_insert', 'a'), ('seeme_update', 'w'), ('seeme_delete', 'd')) AS v (name, command)
   WHERE NOT EXISTS (SELECT FROM pg_policy y WHERE y.polrelid = p.table_name AND y.polname = v.name AND y.polcmd = v.command
                        AND y.polpermissive AND y.polroles = '{0}')
  UNION ALL
  SELECT p.table_name, format('trigger %I', e.name)
    FROM seeme.triggers_of_table(p) e
   WHERE NOT EXISTS (SELECT FROM pg_trigger t JOIN pg_proc f ON f.oid = t.tgfoid
                      WHERE t.tgrelid = p.table_name AND t.tgname = e.name AND t.tgtype = e.type AND t.tgenabled IN ('O', 'A')
                        AND f.proname = e.function AND f.pronamespace = 'seeme'::regnamespace)
  UNION ALL
  -- The listing view runs with its owner's rights.
  SELECT p.listing_view, v.guard
    FROM pg_class c, LATERAL (VALUES (coalesce('security_barrier=true' = ANY (c.reloptions), false), 'security_barrier'),
           (EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = c.oid AND t.tgname = 'seeme_read_only' AND t.tgtype = 1 + 4 + 8 + 16 + 64),
            'trigger seeme_read_only')) AS v (is_on, guard)
   WHERE c.oid = p.listing_view AND NOT v.is_on
  UNION ALL
  -- What is above it, and shows its rows by policies of its own or by none.
  SELECT a.relation, 'no unprotected parent'
    FROM (WITH RECURSIVE above (oid) AS (
            SELECT i.inhparent FROM pg_inherits i WHERE i.inhrelid = p.table_name
            UNION SELECT i.inhparent FROM above a JOIN pg_inherits i ON i.inhrelid = a.oid)
          SELECT a.oid::regclass FROM above a) AS a (relation)
   WHERE NOT EXISTS (SELECT FROM seeme.protected_tables o WHERE o.table_name = a.relation);

  IF (SELECT c.relhassubclass FROM pg_class c WHERE c.oid = p.table_name) OR p.closed_partitions <> '{}' THEN
    RETURN QUERY
    WITH below AS MATERIALIZED (
      SELECT b.relation, b.is_partition, false AS is_detached FROM seeme.tables_below(p.table_name) b
      UNION ALL
      SELECT d.relation, false, true
        FROM unnest(p.closed_partitions) AS d (relation) JOIN pg_class c ON c.oid = d.relation
       WHERE d.relation NOT IN (SELECT b.relation FROM seeme.tables_below(p.table_name) b)
         AND (c.relpersistence <> 't' OR c.relnamespace = pg_my_temp_schema()))
    SELECT b.relation, v.guard
      FROM below b JOIN pg_class c ON c.oid = b.relation,
           LATERAL (SELECT b.relation = ANY (p.closed_partitions)) AS k (is_closed),
           LATERAL (VALUES (c.relrowsecurity OR NOT (k.is_closed OR b.is_partition), 'row security'),
                           (c.relforcerowsecurity OR NOT k.is_closed, 'forced row security'),
                           (NOT b.is_partition OR EXISTS (
                              SELECT FROM pg_policy y WHERE y.polrelid = b.relation AND y.polname = 'seeme_closed' AND y.polcmd = '*'
                                 AND NOT y.polpermissive AND y.polroles = '{0}' AND pg_get_expr(y.polqual, y.polrelid) = 'false'), 'policy seeme_closed'),
                           (b.is_partition OR b.is_detached
                            OR EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = b.relation AND t.tgname = 'seeme_after_wait'), 'trigger seeme_after_wait'),
                           (b.is_partition OR b.is_detached OR seeme.has_one_scope(p)
                            OR EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = b.relation AND t.tgname = 'zz_seeme_check_moved_row'), 'trigger zz_seeme_check_moved_row')
                          ) AS v (is_on, guard)
     WHERE NOT v.is_on AND NOT EXISTS (SELECT FROM seeme.protected_tables o WHERE o.table_name = b.relation)
    UNION ALL
    SELECT b.relation, format('trigger %I', t.tgname)
      FROM below b JOIN pg_trigger t ON t.tgrelid = b.relation AND seeme.is_guard(t.tgname) AND t.tgenabled NOT IN ('O', 'A')
     WHERE NOT b.is_detached AND NOT EXISTS (SELECT FROM seeme.protected_tables o WHERE o.table_name = b.relation);
  END IF;
END $$;
COMMENT ON FUNCTION seeme.guards_down(seeme.protected_tables) IS
  'What a protected table, its listing view and the tables below it lack of what seeme_protect made; what policies say is for the security report';

CREATE FUNCTION seeme.keep_guards(relations oid[], altered jsonb) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  p    seeme.protected_tables;
  lost text;
BEGIN
  IF cardinality(relations) = 0 OR seeme.loads_dump() THEN
    RETURN;
  END IF;
  FOR p IN SELECT * FROM seeme.protected_around(relations) LOOP
    IF EXISTS (SELECT FROM seeme.lowered_guards l WHERE l.table_name = p.table_name AND l.guard = '*') THEN
      CONTINUE;
    END IF;
    IF seeme.acts_as_superuser() THEN
      INSERT INTO seeme.lowered_guards (table_name, relation, guard)
      SELECT p.table_name, d.relation, d.guard FROM seeme.guards_down(p) d ON CONFLICT DO NOTHING;
    ELSE
      SELECT string_agg(d.guard || CASE WHEN d.relation <> p.table_name THEN format(' (%s)', d.relation) ELSE '' END, ', ' ORDER BY d.relation, d.guard) INTO lost
        FROM (SELECT g.relation, g.guard FROM seeme.guards_down(p) g
              UNION
              SELECT a.relation, a.guard FROM jsonb_to_recordset(altered) AS a (relation regclass, guard text)
               WHERE a.relation IN (p.table_name, p.listing_view) OR a.relation = ANY (p.closed_partitions)
                  OR a.relation IN (SELECT b.relation FROM seeme.tables_below(p.table_name) b)
              EXCEPT
              SELECT l.relation, l.guard FROM seeme.lowered_guards l WHERE l.table_name = p.table_name) AS d;
      IF lost IS NOT NULL THEN
        RAISE EXCEPTION 'table % is protected, and this statement would take away or change: %', p.table_name, lost
          USING ERRCODE = 'insufficient_privilege',
                HINT = format('Leave out of the migration what seeme_protect made. SELECT @extschema@.seeme_unprotect(%L) is the way to end the protection.', p.table_name);
      END IF;
    END IF;
    DELETE FROM seeme.lowered_guards l
     WHERE l.table_name = p.table_name AND (l.relation, l.guard) NOT IN (SELECT d.relation, d.guard FROM seeme.guards_down(p) d);
  END LOOP;
END $$;
COMMENT ON FUNCTION seeme.keep_guards(oid[], jsonb) IS
  'Refuses (42501) what left a protected table around these relations with fewer guards than before, or altered one of them; of a superuser it notes what is down';

CREATE FUNCTION seeme.keep_protection() RETURNS event_trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  touched oid[];
  altered jsonb := '[]';
BEGIN
  -- It is null while the extension itself is dropped.
  IF to_regclass('seeme.lowered_guards') IS NULL THEN
    RETURN;
  END IF;
  IF TG_EVENT = 'sql_drop' THEN
    touched := ARRAY(
      SELECT DISTINCT r.relation::oid
        FROM pg_event_trigger_dropped_objects() d, to_regclass(format('%I.%I', d.address_names[1], d.address_names[2])) AS r (relation)
       WHERE d.object_type IN ('policy', 'trigger') AND seeme.is_guard(d.address_names[3]::name) AND r.relation IS NOT NULL);
  ELSE
    touched := seeme.touched_relations();
    -- What a policy, a trigger or a view says is not compared: it is not to be altered at all.
    SELECT coalesce(jsonb_agg(jsonb_build_object('relation', a.relation::text, 'guard', a.guard)), '[]') INTO altered
      FROM (SELECT p.polrelid::regclass, format('policy %I', p.polname)
              FROM pg_event_trigger_ddl_commands() d JOIN pg_policy p ON p.oid = d.objid
             WHERE d.classid = 'pg_policy'::regclass AND d.command_tag = 'ALTER POLICY' AND seeme.is_guard(p.polname)
            UNION ALL
            SELECT t.tgrelid::regclass, format('trigger %I', t.tgname)
              FROM pg_event_trigger_ddl_commands() d JOIN pg_trigger t ON t.oid = d.objid
             WHERE d.classid = 'pg_trigger'::regclass AND seeme.is_guard(t.tgname)
            UNION ALL
            SELECT p.listing_view, 'query'
              FROM pg_event_trigger_ddl_commands() d JOIN seeme.protected_tables p ON p.listing_view = d.objid
             WHERE d.classid = 'pg_class'::regclass AND d.command_tag = 'CREATE VIEW'
            UNION ALL
            SELECT p.listing_view, format('rule %I', r.rulename)
              FROM pg_event_trigger_ddl_commands() d JOIN pg_rewrite r ON r.oid = d.objid JOIN seeme.protected_tables p ON p.listing_view = r.ev_class
             WHERE d.classid = 'pg_rewrite'::regclass) AS a (relation, guard);
  END IF;
  PERFORM seeme.keep_guards(touched, altered);
END $$;
COMMENT ON FUNCTION seeme.keep_protection() IS
  'Event trigger: nobody but a superuser takes away or alters what guards a protected table, otherwise than by seeme_unprotect';

-- Partitions, and tables that inherit.
CREATE FUNCTION seeme.close_new_tables_below() RETURNS event_trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  parent  seeme.protected_tables;
  touched oid[];
  below   regclass;
  closed  regclass[];
BEGIN
  IF to_regclass('seeme.lowered_guards') IS NULL THEN
    RETURN;
  END IF;
  touched := seeme.touched_relations();
  FOR parent IN SELECT p.* FROM seeme.protected_around(touched) p JOIN pg_class c ON c.oid = p.table_name WHERE c.relhassubclass LOOP
    CONTINUE WHEN EXISTS (SELECT FROM seeme.lowered_guards l WHERE l.table_name = parent.table_name AND l.guard = '*')
               OR NOT EXISTS (SELECT FROM seeme.tables_below(parent.table_name) b
                               -- What was closed before, and is open now, is not new: keep_protection says what is to be said of it.
                               WHERE NOT b.has_row_security AND b.relation <> ALL (parent.closed_partitions)
                                  OR b.is_partition AND NOT EXISTS (SELECT FROM pg_policy y WHERE y.polrelid = b.relation AND y.polname = 'seeme_closed'))
                  -- One that inherits anew, and has row security of its own.
                  AND NOT EXISTS (SELECT FROM seeme.heirs(parent) h
                                   WHERE h = ANY (touched) AND h <> ALL (parent.closed_partitions)
                                     AND NOT EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = h AND t.tgname = 'seeme_after_wait'));
    IF seeme.restoring() THEN
      RETURN;
    END IF;
    INSERT INTO seeme.lowered_guards VALUES (parent.table_name, parent.table_name, '*');
    closed := seeme.close_tables_below(parent.table_name);
    -- One table that has not the columns any more does not stand in the way of everybody's.
    FOR below IN SELECT h FROM seeme.heirs(parent) AS h WHERE h = ANY (closed) OR h = ANY (touched) LOOP
      BEGIN
        PERFORM seeme.create_row_triggers(below, parent);
      EXCEPTION WHEN undefined_column OR datatype_mismatch OR undefined_function THEN
        RAISE WARNING 'table % inherits from a protected one, and cannot have its triggers: %', below, SQLERRM;
      END;
    END LOOP;
    IF closed <> '{}' THEN
      UPDATE seeme.protected_tables p SET closed_partitions = ARRAY(SELECT DISTINCT c FROM unnest(p.closed_partitions || closed) AS c ORDER BY c)
       WHERE p.table_name = parent.table_name;
    END IF;
    DELETE FROM seeme.lowered_guards l WHERE l.table_name = parent.table_name AND l.guard = '*';
  END LOOP;
END $$;
COMMENT ON FUNCTION seeme.close_new_tables_below() IS 'Event trigger: partitions that are added to a protected table are closed, too';

-- Names: of columns, and of tables.
CREATE FUNCTION seeme.rename_column_of(p seeme.protected_tables, new_name name) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  kept     name[];
  gone     name[];
  number   smallint;
  relation regclass;
BEGIN
  SELECT a.attnum INTO number FROM pg_attribute a WHERE a.attrelid = p.table_name AND a.attname = new_name AND a.attnum > 0;
  SELECT array_agg(DISTINCT v.value::name) INTO kept
    FROM (SELECT e.value FROM jsonb_each_text(to_jsonb(p)) e WHERE e.key LIKE '%\_column' UNION ALL SELECT unnest(p.listing_columns)) AS v (value)
   WHERE v.value IS NOT NULL;
  SELECT array_agg(k) INTO gone FROM unnest(kept) AS k
   WHERE NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = p.table_name AND a.attname = k AND a.attnum > 0);
  -- It is one of those that are remembered if what was made of them depends on it, and one of them is not there any more.
  IF number IS NULL OR new_name = ANY (kept) OR cardinality(gone) IS DISTINCT FROM 1
     OR NOT EXISTS (SELECT FROM pg_depend d
                     WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = p.table_name AND d.refobjsubid = number
                       AND (d.classid = 'pg_policy'::regclass AND d.objid IN (SELECT y.oid FROM pg_policy y WHERE y.polrelid = p.table_name AND seeme.is_guard(y.polname))
                            OR d.classid = 'pg_trigger'::regclass AND d.objid IN (SELECT t.oid FROM pg_trigger t WHERE t.tgrelid = p.table_name AND seeme.is_guard(t.tgname))
                            OR d.classid = 'pg_rewrite'::regclass AND d.objid IN (SELECT r.oid FROM pg_rewrite r WHERE r.ev_class = p.listing_view))) THEN
    RETURN;
  END IF;
  EXECUTE (SELECT format('UPDATE seeme.protected_tables SET listing_columns = array_replace(listing_columns, $1, $2)%s WHERE table_name = $3',
                         string_agg(format(', %1$I = CASE WHEN %1$I = $1 THEN $2 ELSE %1$I END', a.attname), ''))
             FROM pg_attribute a WHERE a.attrelid = 'seeme.protected_tables'::regclass AND a.attname LIKE '%\_column' AND a.attnum > 0 AND NOT a.attisdropped)
    USING gone[1], new_name, p.table_name;
  SELECT t.* INTO p FROM seeme.protected_tables t WHERE t.table_name = p.table_name;
  -- Policies follow by themselves. This trigger is told names.
  INSERT INTO seeme.lowered_guards VALUES (p.table_name, p.table_name, '*');
  FOR relation IN
    SELECT t.tgrelid::regclass FROM pg_trigger t
     WHERE t.tgname = 'zz_seeme_check_moved_row' AND t.tgparentid = 0
       AND (t.tgrelid = p.table_name OR t.tgrelid IN (SELECT b.relation FROM seeme.tables_below(p.table_name) b
              WHERE NOT EXISTS (SELECT FROM seeme.protected_tables o WHERE o.table_name = b.relation)))
  LOOP
    EXECUTE format('DROP TRIGGER zz_seeme_check_moved_row ON %s', relation);
    PERFORM seeme.create_row_triggers(relation, p);
  END LOOP;
  DELETE FROM seeme.lowered_guards l WHERE l.table_name = p.table_name AND l.guard = '*';
END $$;
COMMENT ON FUNCTION seeme.rename_column_of(seeme.protected_tables, name) IS 'Keeps what is remembered of a protected table true to a column that was given a new name';

CREATE FUNCTION seeme.remember_name(schema_name name, table_name name, p seeme.protected_tables) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
  INSERT INTO seeme.dropped_tables AS d (schema_name, table_name, arguments) VALUES (schema_name, table_name, seeme.protect_arguments(p))
  ON CONFLICT ON CONSTRAINT dropped_tables_pkey DO UPDATE SET arguments = excluded.arguments, dropped_at = excluded.dropped_at, made_again = NULL
$$;
COMMENT ON FUNCTION seeme.remember_name(name, name, seeme.protected_tables) IS 'Remembers that the table of this name was protected, and how';

CREATE FUNCTION seeme.tables_made_again() RETURNS TABLE (relation regclass, statement text, schema_name name, table_name name, is_known boolean)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN QUERY
  SELECT c.oid::regclass, seeme.protect_statement(c.oid::regclass::text, d.arguments), d.schema_name, d.table_name,
         d.made_again IS NOT DISTINCT FROM c.oid
    FROM seeme.dropped_tables d JOIN pg_namespace n ON n.nspname = d.schema_name
    JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = d.table_name AND c.relkind IN ('r', 'p', 'f', 'm')
   WHERE NOT EXISTS (SELECT FROM seeme.protected_tables p
                      WHERE p.table_name = c.oid OR p.table_name IN (SELECT a.relid FROM pg_partition_ancestors(c.oid) a));
END $$;
COMMENT ON FUNCTION seeme.tables_made_again() IS
  'Tables that bear the name of one that was protected and dropped, renamed or moved, and are not protected; and the call that protects them as that was';

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
      FROM pg_event_trigger_ddl_commands() d JOIN pg_attribute a ON a.attrelid = d.objid AND a.attnum = d.objsubid,
           LATERAL seeme.protected_around(ARRAY[d.objid]) t
     WHERE d.classid = 'pg_class'::regclass AND d.objsubid > 0
  LOOP
    PERFORM seeme.rename_column_of(p.protected, p.attname);
  END LOOP;
  FOR p IN
    SELECT t AS protected, t.table_name, t.schema_name, t.relation_name, n.nspname, c.relname
      FROM seeme.protected_tables t JOIN pg_class c ON c.oid = t.table_name JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE t.table_name = ANY (touched) AND (t.schema_name, t.relation_name) IS DISTINCT FROM (n.nspname, c.relname)
  LOOP
    IF p.relation_name IS NOT NULL THEN
      PERFORM seeme.remember_name(p.schema_name, p.relation_name, p.protected);
    END IF;
    UPDATE seeme.protected_tables t SET schema_name = p.nspname, relation_name = p.relname WHERE t.table_name = p.table_name;
    DELETE FROM seeme.dropped_tables d WHERE (d.schema_name, d.table_name) = (p.nspname, p.relname);
  END LOOP;
  IF EXISTS (SELECT FROM seeme.dropped_tables) AND NOT seeme.loads_dump() THEN
    FOR again IN SELECT * FROM seeme.tables_made_again() m WHERE m.relation = ANY (touched) AND NOT m.is_known LOOP
      UPDATE seeme.dropped_tables d SET made_again = again.relation WHERE (d.schema_name, d.table_name) = (again.schema_name, again.table_name);
      RAISE WARNING 'table % is not protected, and the one that had its name before was', again.relation
        USING HINT = format('SELECT %s; protects it as before. SELECT @extschema@.seeme_unprotect(%L); says that it is to stay as it is.', again.statement, again.relation);
    END LOOP;
  END IF;
END $$;
COMMENT ON FUNCTION seeme.follow_names() IS
  'Event trigger: a column of a protected table that is renamed is followed; a table that takes the name of one that was protected is a WARNING';

-- Policies are asked with the rights of whoever asks, and an owner is asked, too. Of REASSIGN OWNED no event trigger is told: that is for
-- the security report.
CREATE FUNCTION seeme.follow_owners() RETURNS event_trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  touched oid[];
BEGIN
  -- A dump has its own grants, and they come last.
  IF to_regclass('seeme.protected_tables') IS NULL OR seeme.loads_dump() THEN
    RETURN;
  END IF;
  touched := ARRAY(SELECT d.objid FROM pg_event_trigger_ddl_commands() d WHERE d.classid = 'pg_class'::regclass AND d.objsubid = 0);
  PERFORM seeme.grant_to_owner(p)
     FROM seeme.protected_tables p JOIN pg_class c ON c.oid = p.table_name
    WHERE p.table_name = ANY (touched) AND NOT has_function_privilege(c.relowner, 'seeme.user_for(text)', 'EXECUTE');
END $$;
COMMENT ON FUNCTION seeme.follow_owners() IS
  'Event trigger: who becomes the owner of a protected table is given what its policies and triggers call';

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
  dropped := ARRAY(SELECT d.objid FROM pg_event_trigger_dropped_objects() d WHERE d.classid = 'pg_class'::regclass AND d.objsubid = 0);
  IF dropped = '{}' THEN
    RETURN;
  END IF;
  FOR p IN
    SELECT t AS protected, t.table_name, d.schema_name, d.object_name
      FROM seeme.protected_tables t JOIN pg_event_trigger_dropped_objects() d ON d.objid = t.table_name
     WHERE d.classid = 'pg_class'::regclass AND d.objsubid = 0
  LOOP
    DELETE FROM seeme.protected_tables t WHERE t.table_name = p.table_name;
    PERFORM seeme.remember_name(p.schema_name::name, p.object_name::name, p.protected);
    -- What was detached from it, and stays behind, holds rows that it protected.
    FOR detached IN
      SELECT n.nspname, c.relname, c.oid
        FROM unnest((p.protected).closed_partitions) AS d (relation) JOIN pg_class c ON c.oid = d.relation JOIN pg_namespace n ON n.oid = c.relnamespace
       WHERE c.relpersistence <> 't' AND NOT EXISTS (SELECT FROM seeme.protected_tables o WHERE o.table_name = c.oid)
    LOOP
      PERFORM seeme.remember_name(detached.nspname, detached.relname, p.protected);
      UPDATE seeme.dropped_tables d SET made_again = detached.oid WHERE (d.schema_name, d.table_name) = (detached.nspname, detached.relname);
    END LOOP;
  END LOOP;
  -- Numbers of tables and views are used again.
  UPDATE seeme.protected_tables t SET closed_partitions = ARRAY(SELECT c FROM unnest(t.closed_partitions) AS c WHERE c <> ALL (dropped))
   WHERE t.closed_partitions && dropped::regclass[];
  UPDATE seeme.protected_tables t SET listing_view = NULL WHERE t.listing_view = ANY (dropped);
  UPDATE seeme.dropped_tables d SET made_again = NULL WHERE d.made_again = ANY (dropped);
  DELETE FROM seeme.lowered_guards l WHERE l.relation = ANY (dropped) OR l.table_name = ANY (dropped);
END $$;
COMMENT ON FUNCTION seeme.forget_dropped_tables() IS 'Event trigger: of a protected table that is dropped its name is remembered, and how it was protected';

CREATE FUNCTION seeme.note_protection() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM seeme.require_own_table(TG_TABLE_SCHEMA);
  DELETE FROM seeme.dropped_tables d USING pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE c.oid = CASE TG_OP WHEN 'INSERT' THEN NEW.table_name ELSE OLD.table_name END
     AND (d.schema_name, d.table_name) = (n.nspname, c.relname);
  IF TG_OP = 'DELETE' THEN
    DELETE FROM seeme.lowered_guards l WHERE l.table_name = OLD.table_name;
  ELSIF NOT (seeme.loads_dump() OR seeme.restoring()) THEN  -- in a dump the guards come later
    INSERT INTO seeme.lowered_guards (table_name, relation, guard) SELECT NEW.table_name, d.relation, d.guard FROM seeme.guards_down(NEW) d
    ON CONFLICT DO NOTHING;
  END IF;
  RETURN NULL;
END $$;
COMMENT ON FUNCTION seeme.note_protection() IS
  'Trigger: once a table is protected or unprotected its name need not be remembered; what seeme_protect found open above it stays as it was';
CREATE TRIGGER note_protection AFTER INSERT OR DELETE ON seeme.protected_tables FOR EACH ROW EXECUTE FUNCTION seeme.note_protection();

-- The extension's own tables.
CREATE FUNCTION seeme.keep_triggers_always() RETURNS event_trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  touched oid[];
  demoted record;
BEGIN
  IF to_regclass('seeme.always_triggers') IS NULL THEN
    RETURN;
  END IF;
  touched := ARRAY(SELECT d.objid FROM pg_event_trigger_ddl_commands() d
                    WHERE d.classid = 'pg_class'::regclass AND d.objid IN (SELECT a.relation FROM seeme.always_triggers a));
  IF touched = '{}' THEN
    RETURN;
  END IF;
  FOR demoted IN
    SELECT t.tgrelid::regclass AS relation, string_agg(format('ENABLE ALWAYS TRIGGER %I', t.tgname), ', ') AS actions
      FROM seeme.always_triggers a JOIN pg_trigger t ON t.tgrelid = a.relation AND t.tgname = a.name
     WHERE t.tgrelid = ANY (touched) AND t.tgenabled = 'O' GROUP BY t.tgrelid
  LOOP
    -- This statement is followed by this function, too, which then finds nothing demoted.
    EXECUTE format('ALTER TABLE %s %s', demoted.relation, demoted.actions);
  END LOOP;
  IF FOUND THEN
    RETURN;
  END IF;
  -- While triggers were off, rows came and went that nobody was told of, and codes that built-in roles do not hold yet.
  PERFORM seeme.tell_every_session(), seeme.update_builtin_roles();
END $$;
COMMENT ON FUNCTION seeme.keep_triggers_always() IS
  'Event trigger: after ALTER TABLE … ENABLE TRIGGER, triggers of the extension''s own tables always fire again, sessions forget what they remember, and built-in roles hold what is registered';
