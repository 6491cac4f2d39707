-- What mirrors a table does not come off by accident. Event triggers look at what a statement left
-- behind, as those of protected tables do (41_guards_of_tables.sql).

CREATE FUNCTION seeme.mirror_guards_down(m seeme.mirrors) RETURNS TABLE (guard text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT format('trigger %I', e.name)
    FROM seeme.mirror_triggers(m.protect) e
   WHERE NOT EXISTS (SELECT FROM pg_trigger t JOIN pg_proc f ON f.oid = t.tgfoid
                      WHERE t.tgrelid = m.table_name AND t.tgname = e.name AND t.tgtype = e.type
                        AND t.tgenabled IN ('O', 'A') AND t.tgqual IS NULL AND t.tgattr = ''
                        AND (t.tgnewtable = 'seeme_new') IS NOT DISTINCT FROM
                            CASE WHEN e.name IN ('seeme_mirror_insert', 'seeme_mirror_update')
                              THEN true END
                        AND (t.tgoldtable = 'seeme_old') IS NOT DISTINCT FROM
                            CASE WHEN e.name IN ('seeme_mirror_delete', 'seeme_mirror_update')
                              THEN true END
                        AND f.proname = e.function AND f.pronamespace = 'seeme'::regnamespace)
  UNION ALL
  SELECT v.guard
    FROM pg_class c,
         LATERAL (VALUES (c.relrowsecurity, 'row security'),
                         (c.relforcerowsecurity, 'forced row security')) AS v (is_on, guard)
   WHERE m.protect AND c.oid = m.table_name AND NOT v.is_on
  UNION ALL
  SELECT format('policy %I', v.name)
    FROM (VALUES ('seeme_select'::name, 'r'::"char"), ('seeme_insert', 'a'), ('seeme_update', 'w'),
                 ('seeme_delete', 'd')) AS v (name, command)
   WHERE m.protect
     AND NOT EXISTS (SELECT FROM pg_policy y
                      WHERE y.polrelid = m.table_name AND y.polname = v.name
                        AND y.polcmd = v.command
                        AND y.polpermissive AND y.polroles = '{0}')
$$;
COMMENT ON FUNCTION seeme.mirror_guards_down(seeme.mirrors) IS
  'What a mirrored table lacks of what seeme_mirror made';

CREATE FUNCTION seeme.keep_mirrors() RETURNS event_trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  touched oid[];
  altered text;
  lost    text;
  m       seeme.mirrors;
BEGIN
  -- It is null while the extension itself is dropped.
  IF to_regclass('seeme.mirrors') IS NULL OR seeme.loads_dump() THEN
    RETURN;
  END IF;
  IF TG_EVENT = 'sql_drop' THEN
    -- Row by row: a DELETE of no rows, too, would call the table's statement triggers, which are in
    -- C, and nothing could be dropped where the library is missing.
    FOR m IN
      SELECT t.* FROM seeme.mirrors t
        JOIN pg_event_trigger_dropped_objects() d ON d.objid = t.table_name
       WHERE d.classid = 'pg_class'::regclass AND d.objsubid = 0
    LOOP
      DELETE FROM seeme.mirrors t WHERE t.table_name = m.table_name;
      IF EXISTS (SELECT FROM seeme.mirrored_rows r WHERE r.kind = m.kind) THEN
        RAISE WARNING 'a table that was mirrored as % is dropped: what it made in seeme.% stays',
          m.kind, m.kind
          USING HINT = format('A table that is made again is no mirror yet: SELECT '
                              '@extschema@.seeme_mirror(table, %L, %L%s%s%s);',
                              m.kind, m.columns, ', roles => ' || quote_literal(m.roles),
                              ', condition => ' || quote_literal(m.condition),
                              CASE WHEN m.protect THEN ', protect => true' END);
      END IF;
    END LOOP;
    touched := ARRAY(
      SELECT r.relation::oid FROM pg_event_trigger_dropped_objects() d,
             to_regclass(format('%I.%I', d.address_names[1], d.address_names[2])) AS r (relation)
       WHERE d.object_type IN ('policy', 'trigger') AND r.relation IS NOT NULL
      UNION
      -- Columns go with their type, too.
      SELECT d.objid FROM pg_event_trigger_dropped_objects() d
       WHERE d.classid = 'pg_class'::regclass AND d.objsubid <> 0);
  ELSE
    touched := seeme.touched_relations();
    -- ATTACH PARTITION names the table above alone.
    touched := touched || ARRAY(SELECT i.inhparent FROM pg_inherits i
      WHERE i.inhrelid = ANY (touched))
      || ARRAY(SELECT i.inhrelid FROM pg_inherits i WHERE i.inhparent = ANY (touched));
  END IF;
  FOR m IN SELECT * FROM seeme.mirrors t WHERE t.table_name = ANY (touched) LOOP
    -- A table that has not the columns any more would refuse every statement from now on.
    BEGIN
      PERFORM seeme.check_mirrored_table(m.table_name), seeme.check_mirror(m);
    EXCEPTION WHEN undefined_column OR datatype_mismatch OR wrong_object_type
                OR undefined_function
                OR undefined_table OR syntax_error OR ambiguous_function THEN
      RAISE EXCEPTION 'table % is mirrored as %, which this statement would end: %',
        m.table_name, m.kind, SQLERRM
        USING ERRCODE = 'object_not_in_prerequisite_state',
              HINT = format('SELECT seeme_unmirror(%L) first, and seeme_mirror with what the '
                            'table has afterwards.', m.table_name);
    -- A library that is missing, or of another version, stands in nobody's way.
    WHEN OTHERS THEN
      RAISE WARNING 'the mirror of table % could not be checked: %', m.table_name, SQLERRM;
    END;
    IF TG_EVENT = 'ddl_command_end' THEN
      UPDATE seeme.mirrors t SET statements = seeme.mirror_statements(m)
       WHERE t.table_name = m.table_name AND t.statements <> seeme.mirror_statements(m);
      SELECT string_agg(format('policy %I', p.polname), ', ') INTO altered
        FROM pg_event_trigger_ddl_commands() d JOIN pg_policy p ON p.oid = d.objid
       WHERE d.classid = 'pg_policy'::regclass AND d.command_tag = 'ALTER POLICY' AND m.protect
         AND p.polrelid = m.table_name AND seeme.is_guard(p.polname);
    END IF;
    -- What a superuser took away is not the doing of whoever changes the table next.
    DELETE FROM seeme.lowered_guards l
     WHERE l.table_name = m.table_name AND l.guard LIKE 'mirror: %'
       AND l.guard NOT IN (SELECT 'mirror: ' || g.guard FROM seeme.mirror_guards_down(m) g);
    IF seeme.acts_as_superuser() THEN
      INSERT INTO seeme.lowered_guards (table_name, relation, guard)
      SELECT m.table_name, m.table_name, 'mirror: ' || g.guard FROM seeme.mirror_guards_down(m) g
      ON CONFLICT DO NOTHING;
      CONTINUE;
    END IF;
    SELECT concat_ws(', ', altered, string_agg(g.guard, ', ' ORDER BY g.guard)) INTO lost
      FROM seeme.mirror_guards_down(m) g
     WHERE NOT EXISTS (SELECT FROM seeme.lowered_guards l
                        WHERE l.table_name = m.table_name AND l.guard = 'mirror: ' || g.guard);
    IF lost <> '' THEN
      RAISE EXCEPTION 'table % is mirrored, and this statement would take away or change: %',
        m.table_name, lost
        USING ERRCODE = 'insufficient_privilege',
              HINT = format('SELECT seeme_unmirror(%L) is the way to end the mirror.',
                m.table_name);
    END IF;
  END LOOP;
END $$;
COMMENT ON FUNCTION seeme.keep_mirrors() IS
  'Event trigger: a mirrored table keeps its triggers, its policies and the columns that are '
  'mirrored';

-- seeme_protect would take these policies for leftovers of its own.
CREATE FUNCTION seeme.keep_mirror_policies() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM seeme.require_own_table(TG_TABLE_SCHEMA);
  PERFORM FROM seeme.mirrors m WHERE m.table_name = NEW.table_name AND m.protect;
  IF FOUND AND NOT seeme.restoring() THEN
    RAISE EXCEPTION 'table % is mirrored with policies of its own', NEW.table_name
      USING ERRCODE = 'duplicate_object',
            HINT = format('SELECT seeme_unmirror(%L), and seeme_mirror without protect, first.',
              NEW.table_name);
  END IF;
  RETURN NEW;
END $$;
COMMENT ON FUNCTION seeme.keep_mirror_policies() IS
  'Trigger: a table is not protected that is mirrored with protect';
CREATE TRIGGER keep_mirror_policies BEFORE INSERT ON seeme.protected_tables
  FOR EACH ROW EXECUTE FUNCTION seeme.keep_mirror_policies();

-- An upgrade changes what seeme_mirror makes of a table. What it was told stays.
CREATE FUNCTION seeme.renew_mirror(table_name regclass) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  m seeme.mirrors;
BEGIN
  SELECT * INTO m FROM seeme.mirrors t WHERE t.table_name = renew_mirror.table_name;
  IF m.table_name IS NULL THEN
    RAISE EXCEPTION 'table % is not mirrored', table_name
      USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'seeme.mirrors lists those that '
                                                                 'are.';
  END IF;
  EXECUTE format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE', m.table_name);
  PERFORM seeme.drop_mirror_guards(m.table_name), seeme.drop_mirror_policies(m);
  PERFORM seeme.create_mirror_guards(m);
  UPDATE seeme.mirrors t SET statements = seeme.mirror_statements(m)
    WHERE t.table_name = m.table_name;
END $$;
COMMENT ON FUNCTION seeme.renew_mirror(regclass) IS
  'Makes the triggers and policies of a mirrored table anew, by what seeme_mirror was told. For '
  'superusers, when a finding or an upgrade asks for it';
