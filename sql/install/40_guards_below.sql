-- The guards of tables below a protected table: its partitions, and tables that inherit from it.

CREATE FUNCTION seeme.tables_below(parent regclass)
RETURNS TABLE (relation regclass, is_partition boolean, has_row_security boolean)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  WITH RECURSIVE below (oid) AS (
    SELECT i.inhrelid FROM pg_inherits i WHERE i.inhparent = parent
    UNION SELECT i.inhrelid FROM pg_inherits i JOIN below b ON i.inhparent = b.oid)
  SELECT c.oid::regclass, c.relispartition, c.relrowsecurity
    FROM below JOIN pg_class c USING (oid)
   WHERE c.relkind IN ('r', 'p')
     AND (c.relpersistence <> 't' OR c.relnamespace = pg_my_temp_schema()) ORDER BY c.oid
$$;
COMMENT ON FUNCTION seeme.tables_below(regclass) IS
  'The partitions of a table, and the tables that inherit from it, at every depth. Temporary '
  'tables of other sessions are left out: no other session reads or alters them';

-- A role with a grant on a partition could otherwise pass by the policies of the table.
CREATE FUNCTION seeme.close_tables_below(parent regclass) RETURNS regclass[]
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  below  record;
  closed regclass[] := ARRAY[]::regclass[];
BEGIN
  FOR below IN SELECT * FROM seeme.tables_below(parent) LOOP
    IF below.is_partition AND NOT EXISTS (
         SELECT FROM pg_policy p
          WHERE p.polrelid = below.relation AND p.polname = 'seeme_closed') THEN
      EXECUTE format('CREATE POLICY seeme_closed ON %s AS RESTRICTIVE FOR ALL USING (false)',
                     below.relation);
    END IF;
    IF NOT below.has_row_security THEN
      EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY',
                     below.relation);
      closed := closed || below.relation;
    END IF;
  END LOOP;
  RETURN closed;
END $$;
COMMENT ON FUNCTION seeme.close_tables_below(regclass) IS
  'Closes partitions, so that only their parent leads to them, and enables row security on all '
  'tables below. Returns the tables on which it enabled row security';

CREATE FUNCTION seeme.create_row_triggers(relation regclass, p seeme.protected_tables) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  existing name[] := ARRAY(SELECT t.tgname FROM pg_trigger t WHERE t.tgrelid = relation);
  moved    text;
  fires_before boolean;
BEGIN
  -- Few triggers: PostgreSQL copies all of a table's triggers in each statement that changes a row.
  IF NOT 'seeme_after_wait' = ANY (existing) THEN
    EXECUTE format('CREATE TRIGGER seeme_after_wait BEFORE UPDATE OR DELETE ON %s FOR EACH ROW '
                   'EXECUTE FUNCTION seeme.recheck_after_lock(%s)', relation,
                   CASE WHEN seeme.has_one_scope(p) THEN '''moves''' END);
  END IF;
  IF seeme.checks_moved_rows(p) AND NOT 'zz_seeme_check_moved_row' = ANY (existing) THEN
    -- It fires after all other triggers. On a partitioned table it fires before: for a row that
    -- moves to another partition PostgreSQL fires no AFTER trigger of UPDATE. So it does where
    -- there is a parent: a hidden parent and a missing one must be the same error, and the foreign
    -- key has AFTER triggers. PostgreSQL computes generated columns after BEFORE triggers: there a
    -- change of a base column counts.
    fires_before := p.parent_column IS NOT NULL
                    OR (SELECT c.relkind = 'p' FROM pg_class c WHERE c.oid = relation);
    SELECT string_agg(DISTINCT format('OLD.%1$I IS DISTINCT FROM NEW.%1$I', b), ' OR ') INTO moved
      FROM unnest(ARRAY[p.project_column, p.team_column, p.organization_column, p.owner_column,
                        p.parent_column,
                        CASE WHEN p.owner_column IS NULL THEN p.resource_id_column
                             ELSE seeme.assigned_by(p) END]) AS c,
           unnest(CASE WHEN fires_before THEN seeme.base_columns(relation, c)
                       ELSE ARRAY[c] END) AS b
     WHERE c IS NOT NULL;
    moved := concat_ws(' OR ', moved, CASE WHEN p.public_column IS NOT NULL
      THEN format('NEW.%1$I IS TRUE AND OLD.%1$I IS NOT TRUE', p.public_column) END);
    EXECUTE format('CREATE TRIGGER zz_seeme_check_moved_row %s UPDATE ON %s FOR EACH ROW WHEN (%s) '
                   'EXECUTE FUNCTION seeme.check_moved_row(%L, %L, %L, %L, %L, %L, %L, %L, %L, %L, '
                   '%L, %L, %L)',
                   CASE WHEN fires_before THEN 'BEFORE' ELSE 'AFTER' END,
                   relation, coalesce(nullif(moved, ''), 'false'), p.resource,
                   coalesce(p.resource_type, ''),
                   p.holds_resource, coalesce(p.project_column, ''), coalesce(p.team_column, ''),
                   coalesce(p.organization_column, ''), coalesce(p.resource_id_column, ''),
                   coalesce(p.owner_column, ''),
                   CASE WHEN p.owner_column IS NULL THEN ''
                        ELSE coalesce(seeme.assigned_by(p), '') END, p.owner_alone,
                   coalesce(p.parent_column, ''), coalesce(p.public_column, ''),
                   CASE WHEN p.public_column IS NULL THEN ''
                        ELSE seeme.publish_condition(p) END);
  END IF;
END $$;
COMMENT ON FUNCTION seeme.create_row_triggers(regclass, seeme.protected_tables) IS
  'Makes the recheck trigger and the trigger for moved rows on a protected table, or on a table '
  'that inherits from it. Existing ones stay. Partitions get them from PostgreSQL';

-- PostgreSQL fires the triggers of the table that holds the row, not of the table in the statement.
-- Partitions get theirs from PostgreSQL.
CREATE FUNCTION seeme.heirs(p seeme.protected_tables) RETURNS SETOF regclass
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT b.relation FROM seeme.tables_below(p.table_name) b
   WHERE NOT b.is_partition
     AND NOT EXISTS (SELECT FROM seeme.protected_tables o WHERE o.table_name = b.relation)
$$;
COMMENT ON FUNCTION seeme.heirs(seeme.protected_tables) IS
  'The tables that inherit from a protected table and are not protected themselves. They have '
  'its row triggers, whatever their own policies are';

CREATE FUNCTION seeme.inherit_triggers(relation regclass) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
  SELECT seeme.create_row_triggers(relation, p) FROM seeme.protected_tables p
   WHERE relation IN (SELECT seeme.heirs(p)) ORDER BY p.protected_at
$$;
COMMENT ON FUNCTION seeme.inherit_triggers(regclass) IS
  'Gives a table the row triggers of the protected tables that it still inherits from';
