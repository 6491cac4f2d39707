-- Taking an application's table out of the model again: seeme_unprotect.

CREATE FUNCTION seeme.leave_open(table_name regclass) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  relation pg_class;
  is_known boolean;
  was_part boolean;
BEGIN
  SELECT * INTO relation FROM pg_class c WHERE c.oid = table_name;
  IF NOT FOUND OR NOT pg_has_role(relation.relowner, 'USAGE')
     OR row_security_active('seeme.protected_tables') THEN
    RETURN false;
  END IF;
  DELETE FROM seeme.dropped_tables d USING pg_namespace n
   WHERE n.oid = relation.relnamespace
     AND (d.schema_name, d.table_name) = (n.nspname, relation.relname);
  is_known := FOUND;
  was_part := EXISTS (
    SELECT FROM seeme.protected_tables p
     WHERE table_name = ANY (p.closed_partitions)
       AND NOT EXISTS (SELECT FROM seeme.tables_below(p.table_name) b
                        WHERE b.relation = table_name));
  -- If row security was enabled for these guards, it is disabled with them. For a restored table
  -- this is not known, so it stays enabled if the table has policies of its own.
  IF (is_known OR was_part) AND seeme.clear_guards(table_name)
     AND (was_part OR NOT EXISTS (SELECT FROM pg_policy y WHERE y.polrelid = table_name)) THEN
    EXECUTE format('ALTER TABLE %s DISABLE ROW LEVEL SECURITY, NO FORCE ROW LEVEL SECURITY',
                   table_name);
  END IF;
  RETURN is_known OR was_part;
END $$;
COMMENT ON FUNCTION seeme.leave_open(regclass) IS
  'For seeme_unprotect: opens a table that is not protected, but has the name of a table that '
  'was, or was a partition of one and stayed closed. False if it is neither';

CREATE FUNCTION @extschema@.seeme_unprotect(table_name regclass) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  p         seeme.protected_tables;
  below     record;
  object    text;
  around    regclass[];
  children  text;
BEGIN
  SELECT * INTO p FROM seeme.protected_tables t WHERE t.table_name = seeme_unprotect.table_name;
  IF NOT FOUND THEN
    IF seeme.leave_open(table_name) THEN
      RETURN;
    END IF;
    RAISE EXCEPTION 'table % is not protected', table_name
      USING ERRCODE = 'object_not_in_prerequisite_state',
            HINT = 'seeme.protected_tables lists those that are.';
  END IF;
  SELECT string_agg(t.table_name::text, ', ' ORDER BY t.table_name::text) INTO children
    FROM seeme.protected_tables t WHERE t.parent_table = p.table_name;
  IF children IS NOT NULL THEN
    RAISE EXCEPTION 'table % is the parent of protected tables: %', table_name, children
      USING ERRCODE = 'dependent_objects_still_exist',
            HINT = 'Their rows lie where the rows of this table lie. SELECT seeme_unprotect for '
                   'them first.';
  END IF;
  DELETE FROM seeme.protected_tables t WHERE t.table_name = seeme_unprotect.table_name;
  -- Protected tables that share heirs with this one: their missing triggers are no fault meanwhile.
  around := ARRAY(
    SELECT o.table_name FROM seeme.protected_around(
      ARRAY[table_name::oid]
      || ARRAY(SELECT b.relation::oid FROM seeme.tables_below(table_name) b)) o);
  IF around <> '{}' THEN
    INSERT INTO seeme.lowered_guards SELECT r, r, '*' FROM unnest(around) AS r
      ON CONFLICT DO NOTHING;
  END IF;
  IF p.listing_view IS NOT NULL
     AND EXISTS (SELECT FROM pg_class c WHERE c.oid = p.listing_view) THEN
    EXECUTE format('DROP VIEW %s', p.listing_view);
  END IF;
  FOR object IN
    SELECT t.tgname FROM pg_trigger t WHERE t.tgrelid = table_name AND t.tgname IN (
      'seeme_after_wait', 'zz_seeme_check_moved_row', 'zz_seeme_check_moved_parent',
      'zz_seeme_check_parent_owner', 'zz_seeme_check_left_children', 'zz_seeme_check_left_key',
      'seeme_forget_resource',
      'seeme_forget_resources', 'zzz_seeme_follow_resource')
  LOOP
    EXECUTE format('DROP TRIGGER %I ON %s', object, table_name);
  END LOOP;
  FOREACH object IN ARRAY ARRAY['seeme_select', 'seeme_insert', 'seeme_update', 'seeme_delete'] LOOP
    EXECUTE format('DROP POLICY IF EXISTS %I ON %s', object, table_name);
  END LOOP;
  EXECUTE format('ALTER TABLE %s %s ROW LEVEL SECURITY, %s ROW LEVEL SECURITY', table_name,
                 CASE WHEN p.had_row_security THEN 'ENABLE' ELSE 'DISABLE' END,
                 CASE WHEN p.had_force THEN 'FORCE' ELSE 'NO FORCE' END);
  PERFORM seeme.inherit_triggers(table_name);
  FOR below IN SELECT * FROM seeme.tables_below(table_name) LOOP
    IF below.is_partition THEN
      EXECUTE format('DROP POLICY IF EXISTS seeme_closed ON %s', below.relation);
    ELSIF below.relation <> ALL (SELECT t.table_name FROM seeme.protected_tables t) THEN
      FOR object IN
        SELECT t.tgname FROM pg_trigger t WHERE t.tgrelid = below.relation
           AND t.tgname IN ('seeme_after_wait', 'zz_seeme_check_moved_row')
      LOOP
        EXECUTE format('DROP TRIGGER %I ON %s', object, below.relation);
      END LOOP;
      PERFORM seeme.inherit_triggers(below.relation);
    END IF;
    IF below.relation = ANY (p.closed_partitions) THEN
      EXECUTE format('ALTER TABLE %s DISABLE ROW LEVEL SECURITY, NO FORCE ROW LEVEL SECURITY',
                     below.relation);
    END IF;
  END LOOP;

  IF p.parent_table IS NOT NULL THEN
    PERFORM seeme.renew_parent_triggers(p.parent_table);
  END IF;
  IF around <> '{}' THEN
    DELETE FROM seeme.lowered_guards l WHERE l.table_name = ANY (around) AND l.guard = '*';
  END IF;

  -- Codes and type that were registered for this table go, too, unless something else uses them.
  FOREACH object IN ARRAY p.registered_codes LOOP
    IF EXISTS (SELECT FROM seeme.protected_tables t WHERE t.resource = p.resource)
       OR EXISTS (SELECT FROM seeme.roles r WHERE r.organization_id IS NOT NULL
                   AND r.permissions && ARRAY[object, p.resource || ':*']) THEN
      RAISE NOTICE 'permission "%" stays registered, since it is in use', object;
    ELSE
      DELETE FROM seeme.permissions c WHERE c.name = object;
    END IF;
  END LOOP;
  IF p.registered_type THEN
    IF EXISTS (SELECT FROM seeme.project_resources r WHERE r.resource_type = p.resource_type)
       OR EXISTS (SELECT FROM seeme.protected_tables t WHERE t.resource_type = p.resource_type) THEN
      RAISE NOTICE 'resource type "%" stays registered, since it is in use', p.resource_type;
    ELSE
      DELETE FROM seeme.resource_types t WHERE t.name = p.resource_type;
    END IF;
  END IF;
END $$;
COMMENT ON FUNCTION @extschema@.seeme_unprotect(regclass) IS
  'Undoes what seeme_protect did to the table: policies, triggers, listing view, row security '
  'as it was. Also opens a table that was detached from a protected one. For a table that was '
  'made again under a protected one''s name, it says that the table stays open. 55000 for any '
  'other table.';
