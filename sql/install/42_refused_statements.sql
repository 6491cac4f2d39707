-- Statements about a protected table that are refused: those that remove or alter its guards.

-- The names of the policies and triggers that seeme_protect makes.
CREATE FUNCTION seeme.is_guard(name name) RETURNS boolean
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
RETURN name IN ('seeme_select', 'seeme_insert', 'seeme_update', 'seeme_delete', 'seeme_closed',
                'seeme_after_wait', 'zz_seeme_check_moved_row', 'zz_seeme_check_moved_parent',
                'zz_seeme_check_parent_owner', 'zz_seeme_check_left_children',
                'zz_seeme_check_left_key',
                'seeme_forget_resource', 'seeme_forget_resources', 'zzz_seeme_follow_resource',
                'seeme_read_only');
COMMENT ON FUNCTION seeme.is_guard(name) IS
  'Whether a policy or trigger of this name on a protected table is one that seeme_protect makes';

CREATE FUNCTION seeme.triggers_of_table(p seeme.protected_tables)
RETURNS TABLE (name name, function text, type integer)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  partitioned boolean := (SELECT c.relkind = 'p' FROM pg_class c WHERE c.oid = p.table_name);
BEGIN
  -- Types as in pg_trigger.tgtype: 1 for each row, 2 before, 8 DELETE, 16 UPDATE, 32 TRUNCATE.
  RETURN QUERY VALUES ('seeme_after_wait'::name, 'recheck_after_lock', 1 + 2 + 8 + 16);
  IF seeme.checks_moved_rows(p) THEN
    RETURN QUERY VALUES ('zz_seeme_check_moved_row'::name, 'check_moved_row',
                         1 + 16 + CASE WHEN partitioned OR p.parent_column IS NOT NULL THEN 2
                                       ELSE 0 END);
  END IF;
  RETURN QUERY SELECT t.* FROM seeme.parent_triggers(p) t;
  IF p.id_column IS NOT NULL THEN
    RETURN QUERY VALUES ('seeme_forget_resource'::name, 'follow_resource', 1 + 8),
                        ('seeme_forget_resources', 'follow_resource', 32),
                        ('zzz_seeme_follow_resource', 'follow_resource', 1 + 16);
  END IF;
END $$;
COMMENT ON FUNCTION seeme.triggers_of_table(seeme.protected_tables) IS
  'The triggers that seeme_protect makes on a table';

CREATE FUNCTION seeme.columns_written_now(p seeme.protected_tables) RETURNS SETOF name
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT a.attname FROM pg_attribute a
   WHERE a.attrelid = p.table_name AND a.attname = ANY (p.generated_columns)
     AND NOT a.attisdropped AND a.attgenerated = ''
$$;
COMMENT ON FUNCTION seeme.columns_written_now(seeme.protected_tables) IS
  'The columns that were generated when the table was protected, and are not any more (DROP '
  'EXPRESSION): whoever may update rows writes them';

-- A BEFORE trigger watches the columns from which a generated column is computed. SET EXPRESSION
-- may name others.
CREATE FUNCTION seeme.columns_not_watched(p seeme.protected_tables)
RETURNS TABLE (trigger_name name, column_name name)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT DISTINCT t.tgname, a.attname
    FROM pg_trigger t,
         unnest(CASE t.tgname
           WHEN 'zz_seeme_check_moved_row' THEN
             ARRAY[p.project_column, p.team_column, p.organization_column, p.owner_column,
                   p.parent_column, CASE WHEN p.owner_column IS NULL THEN p.resource_id_column
                                         ELSE seeme.assigned_by(p) END]
           WHEN 'zz_seeme_check_moved_parent' THEN
             ARRAY[p.project_column, p.team_column, p.organization_column, p.parent_column]
           WHEN 'zz_seeme_check_parent_owner' THEN ARRAY[p.owner_column] END) AS c (name),
         unnest(seeme.base_columns(p.table_name, c.name)) AS b (name)
    JOIN pg_attribute a ON a.attname = b.name
   WHERE t.tgrelid = p.table_name AND t.tgtype & 2 <> 0 AND a.attrelid = p.table_name
     AND NOT EXISTS (SELECT FROM pg_depend d
                      WHERE d.classid = 'pg_trigger'::regclass AND d.objid = t.oid
                        AND d.refclassid = 'pg_class'::regclass AND d.refobjid = p.table_name
                        AND d.refobjsubid = a.attnum)
$$;
COMMENT ON FUNCTION seeme.columns_not_watched(seeme.protected_tables) IS
  'The columns that tell the scope of a row, and the trigger on moved rows that does not fire when '
  'one of them changes';

CREATE FUNCTION seeme.guards_down(p seeme.protected_tables)
RETURNS TABLE (relation regclass, guard text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN QUERY
  SELECT p.table_name, v.guard
    FROM pg_class c,
         LATERAL (VALUES (c.relrowsecurity, 'row security'),
                         (c.relforcerowsecurity, 'forced row security')) AS v (is_on, guard)
   WHERE c.oid = p.table_name AND NOT v.is_on
  UNION ALL
  SELECT p.table_name, format('policy %I', v.name)
    FROM (VALUES ('seeme_select'::name, 'r'::"char"), ('seeme_insert', 'a'),
                 ('seeme_update', 'w'), ('seeme_delete', 'd')) AS v (name, command)
   WHERE NOT EXISTS (SELECT FROM pg_policy y
                      WHERE y.polrelid = p.table_name AND y.polname = v.name
                        AND y.polcmd = v.command AND y.polpermissive AND y.polroles = '{0}')
  UNION ALL
  SELECT p.table_name, format('trigger %I', e.name)
    FROM seeme.triggers_of_table(p) e
   WHERE NOT EXISTS (SELECT FROM pg_trigger t JOIN pg_proc f ON f.oid = t.tgfoid
                      WHERE t.tgrelid = p.table_name AND t.tgname = e.name
                        AND t.tgtype = e.type AND t.tgenabled IN ('O', 'A')
                        AND f.proname = e.function AND f.pronamespace = 'seeme'::regnamespace)
  UNION ALL
  SELECT p.table_name, format('foreign key of %I', p.parent_column)
   WHERE p.parent_column IS NOT NULL AND NOT seeme.has_parent_key(p)
  UNION ALL
  SELECT p.table_name, format('expression of %I', w) FROM seeme.columns_written_now(p) w
  UNION ALL
  SELECT p.table_name, format('%I in trigger %I', w.column_name, w.trigger_name)
    FROM seeme.columns_not_watched(p) w
  UNION ALL
  -- The listing view runs with its owner's rights.
  SELECT p.listing_view, v.guard
    FROM pg_class c, LATERAL (VALUES
           (coalesce('security_barrier=true' = ANY (c.reloptions), false), 'security_barrier'),
           (EXISTS (SELECT FROM pg_trigger t
                     WHERE t.tgrelid = c.oid AND t.tgname = 'seeme_read_only'
                       AND t.tgtype = 1 + 4 + 8 + 16 + 64),
            'trigger seeme_read_only')) AS v (is_on, guard)
   WHERE c.oid = p.listing_view AND NOT v.is_on
  UNION ALL
  -- A parent shows the rows of this table, under the parent's own policies or under none.
  SELECT a.relation, 'no unprotected parent'
    FROM (WITH RECURSIVE above (oid) AS (
            SELECT i.inhparent FROM pg_inherits i WHERE i.inhrelid = p.table_name
            UNION SELECT i.inhparent FROM above a JOIN pg_inherits i ON i.inhrelid = a.oid)
          SELECT a.oid::regclass FROM above a) AS a (relation)
   WHERE NOT EXISTS (SELECT FROM seeme.protected_tables o WHERE o.table_name = a.relation);

  IF (SELECT c.relhassubclass FROM pg_class c WHERE c.oid = p.table_name)
     OR p.closed_partitions <> '{}' THEN
    RETURN QUERY
    WITH below AS MATERIALIZED (
      SELECT b.relation, b.is_partition, false AS is_detached
        FROM seeme.tables_below(p.table_name) b
      UNION ALL
      SELECT d.relation, false, true
        FROM unnest(p.closed_partitions) AS d (relation) JOIN pg_class c ON c.oid = d.relation
       WHERE d.relation NOT IN (SELECT b.relation FROM seeme.tables_below(p.table_name) b)
         AND (c.relpersistence <> 't' OR c.relnamespace = pg_my_temp_schema()))
    SELECT b.relation, v.guard
      FROM below b JOIN pg_class c ON c.oid = b.relation,
           LATERAL (SELECT b.relation = ANY (p.closed_partitions)) AS k (is_closed),
           LATERAL (VALUES
             (c.relrowsecurity OR NOT (k.is_closed OR b.is_partition), 'row security'),
             (c.relforcerowsecurity OR NOT k.is_closed, 'forced row security'),
             (NOT b.is_partition OR EXISTS (
                SELECT FROM pg_policy y
                 WHERE y.polrelid = b.relation AND y.polname = 'seeme_closed' AND y.polcmd = '*'
                   AND NOT y.polpermissive AND y.polroles = '{0}'
                   AND pg_get_expr(y.polqual, y.polrelid) = 'false'),
              'policy seeme_closed'),
             (b.is_partition OR b.is_detached
              OR EXISTS (SELECT FROM pg_trigger t
                          WHERE t.tgrelid = b.relation AND t.tgname = 'seeme_after_wait'),
              'trigger seeme_after_wait'),
             (b.is_partition OR b.is_detached OR NOT seeme.checks_moved_rows(p)
              OR EXISTS (SELECT FROM pg_trigger t
                          WHERE t.tgrelid = b.relation AND t.tgname = 'zz_seeme_check_moved_row'),
              'trigger zz_seeme_check_moved_row')) AS v (is_on, guard)
     WHERE NOT v.is_on
       AND NOT EXISTS (SELECT FROM seeme.protected_tables o WHERE o.table_name = b.relation)
    UNION ALL
    SELECT b.relation, format('trigger %I', t.tgname)
      FROM below b
      JOIN pg_trigger t ON t.tgrelid = b.relation AND seeme.is_guard(t.tgname)
                           AND t.tgenabled NOT IN ('O', 'A')
     WHERE NOT b.is_detached
       AND NOT EXISTS (SELECT FROM seeme.protected_tables o WHERE o.table_name = b.relation);
  END IF;
END $$;
COMMENT ON FUNCTION seeme.guards_down(seeme.protected_tables) IS
  'The guards that a protected table, its listing view and the tables below it lack. The '
  'conditions of policies are not compared here, but in the security report.';

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
    IF EXISTS (SELECT FROM seeme.lowered_guards l
                WHERE l.table_name = p.table_name AND l.guard = '*') THEN
      CONTINUE;
    END IF;
    IF seeme.acts_as_superuser() THEN
      INSERT INTO seeme.lowered_guards (table_name, relation, guard)
      SELECT p.table_name, d.relation, d.guard FROM seeme.guards_down(p) d ON CONFLICT DO NOTHING;
    ELSE
      SELECT string_agg(d.guard || CASE WHEN d.relation <> p.table_name
                                        THEN format(' (%s)', d.relation) ELSE '' END,
                        ', ' ORDER BY d.relation, d.guard) INTO lost
        FROM (SELECT g.relation, g.guard FROM seeme.guards_down(p) g
              UNION
              SELECT a.relation, a.guard
                FROM jsonb_to_recordset(altered) AS a (relation regclass, guard text)
               WHERE a.relation IN (p.table_name, p.listing_view)
                  OR a.relation = ANY (p.closed_partitions)
                  OR a.relation IN (SELECT b.relation FROM seeme.tables_below(p.table_name) b)
              EXCEPT
              SELECT l.relation, l.guard
                FROM seeme.lowered_guards l WHERE l.table_name = p.table_name) AS d;
      IF lost IS NOT NULL THEN
        RAISE EXCEPTION 'table % is protected, and this statement would take away or change: %',
            p.table_name, lost
          USING ERRCODE = 'insufficient_privilege',
                HINT = format('Leave out of the migration what seeme_protect made. SELECT '
                              '@extschema@.seeme_unprotect(%L) is the way to end the protection.',
                              p.table_name);
      END IF;
    END IF;
    DELETE FROM seeme.lowered_guards l
     WHERE l.table_name = p.table_name
       AND (l.relation, l.guard) NOT IN (SELECT d.relation, d.guard FROM seeme.guards_down(p) d);
  END LOOP;
END $$;
COMMENT ON FUNCTION seeme.keep_guards(oid[], jsonb) IS
  'Refuses (42501) a statement that left a protected table around these relations with fewer '
  'guards than before, or that altered a guard. If a superuser did it, the missing guards are '
  'recorded instead.';

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
        FROM pg_event_trigger_dropped_objects() d,
             to_regclass(format('%I.%I', d.address_names[1], d.address_names[2])) AS r (relation)
       WHERE (d.object_type IN ('policy', 'trigger') AND seeme.is_guard(d.address_names[3]::name)
              OR d.object_type = 'table constraint')
         AND r.relation IS NOT NULL);
  ELSE
    touched := seeme.touched_relations();
    -- The definitions of policies, triggers and views are not compared: any ALTER of one counts.
    SELECT coalesce(jsonb_agg(jsonb_build_object('relation', a.relation::text, 'guard', a.guard)),
                    '[]') INTO altered
      FROM (SELECT p.polrelid::regclass, format('policy %I', p.polname)
              FROM pg_event_trigger_ddl_commands() d JOIN pg_policy p ON p.oid = d.objid
             WHERE d.classid = 'pg_policy'::regclass AND d.command_tag = 'ALTER POLICY'
               AND seeme.is_guard(p.polname)
            UNION ALL
            SELECT t.tgrelid::regclass, format('trigger %I', t.tgname)
              FROM pg_event_trigger_ddl_commands() d JOIN pg_trigger t ON t.oid = d.objid
             WHERE d.classid = 'pg_trigger'::regclass AND seeme.is_guard(t.tgname)
            UNION ALL
            SELECT p.listing_view, 'query'
              FROM pg_event_trigger_ddl_commands() d
              JOIN seeme.protected_tables p ON p.listing_view = d.objid
             WHERE d.classid = 'pg_class'::regclass AND d.command_tag = 'CREATE VIEW'
            UNION ALL
            SELECT p.listing_view, format('rule %I', r.rulename)
              FROM pg_event_trigger_ddl_commands() d JOIN pg_rewrite r ON r.oid = d.objid
              JOIN seeme.protected_tables p ON p.listing_view = r.ev_class
             WHERE d.classid = 'pg_rewrite'::regclass) AS a (relation, guard);
  END IF;
  PERFORM seeme.keep_guards(touched, altered);
END $$;
COMMENT ON FUNCTION seeme.keep_protection() IS
  'Event trigger: only a superuser may remove or alter the guards of a protected table, except by '
  'seeme_unprotect';
