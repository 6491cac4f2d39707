-- Making the guards of a protected table anew, after an upgrade or a finding.

CREATE FUNCTION seeme.set_view_query(view regclass, query text) RETURNS void
LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'seeme_set_view_query';
COMMENT ON FUNCTION seeme.set_view_query(regclass, text) IS
  'Gives a view another query with the same columns. Its grants, its triggers and the views '
  'over it stay. For the extension''s own functions';

-- An upgrade changes what seeme_protect makes of a table. The arguments of seeme_protect stay.
CREATE FUNCTION seeme.renew_protection(table_name regclass) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  p      seeme.protected_tables;
  object record;
  closed regclass[];
BEGIN
  SELECT * INTO p FROM seeme.protected_tables t WHERE t.table_name = renew_protection.table_name;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'table % is not protected', table_name
      USING ERRCODE = 'object_not_in_prerequisite_state',
            HINT = 'seeme.protected_tables lists those that are.';
  END IF;
  -- Nobody reads or writes a row between the old guards and the new ones.
  EXECUTE format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE', p.table_name);
  FOR object IN
    SELECT o.polname FROM pg_policy o
     WHERE o.polrelid = p.table_name
       AND o.polname IN ('seeme_select', 'seeme_insert', 'seeme_update', 'seeme_delete')
  LOOP
    EXECUTE format('DROP POLICY %I ON %s', object.polname, p.table_name);
  END LOOP;
  PERFORM seeme.create_policies(p);
  EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY',
                 p.table_name);

  FOR object IN
    SELECT t.tgname, t.tgrelid::regclass AS relation FROM pg_trigger t
     WHERE (t.tgrelid = p.table_name OR t.tgrelid IN (SELECT seeme.heirs(p)))
       AND t.tgname IN ('seeme_after_wait', 'zz_seeme_check_moved_row', 'seeme_forget_resource',
                        'seeme_forget_resources', 'zzz_seeme_follow_resource')
  LOOP
    EXECUTE format('DROP TRIGGER %I ON %s', object.tgname, object.relation);
  END LOOP;
  PERFORM seeme.create_row_triggers(p.table_name, p);
  closed := seeme.close_tables_below(p.table_name);
  IF cardinality(closed) > 0 THEN
    UPDATE seeme.protected_tables t SET closed_partitions = t.closed_partitions || closed
     WHERE t.table_name = p.table_name;
  END IF;
  PERFORM seeme.create_row_triggers(h, p) FROM seeme.heirs(p) AS h;
  PERFORM seeme.create_resource_triggers(p), seeme.create_parent_trigger(p);

  IF EXISTS (SELECT FROM pg_class c WHERE c.oid = p.listing_view) THEN
    PERFORM seeme.set_view_query(p.listing_view, seeme.listing_query(p));
    EXECUTE format('ALTER VIEW %s RESET (security_invoker, check_option)', p.listing_view);
    EXECUTE format('ALTER VIEW %s SET (security_barrier = true)', p.listing_view);
  END IF;
  PERFORM seeme.grant_to_owner(p);
END $$;
COMMENT ON FUNCTION seeme.renew_protection(regclass) IS
  'Makes the policies, triggers and listing view of a protected table anew, with the arguments '
  'that seeme_protect was given. For superusers, after a finding or an upgrade';

CREATE FUNCTION seeme.renew_all_protection() RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  relation regclass;
BEGIN
  FOR relation IN
    SELECT p.table_name FROM seeme.protected_tables p JOIN pg_class c ON c.oid = p.table_name
     ORDER BY c.oid
  LOOP
    -- A table that lost a column keeps the guards that it has. The other tables are renewed.
    BEGIN
      PERFORM seeme.renew_protection(relation);
    EXCEPTION WHEN undefined_column OR undefined_function OR datatype_mismatch OR wrong_object_type
                OR invalid_table_definition OR invalid_object_definition THEN
      RAISE WARNING 'the protection of table % could not be brought up to date: %',
                    relation, SQLERRM
        USING HINT = format('Call seeme_unprotect(%L), and seeme_protect with the columns that '
                            'the table has now.', relation);
    END;
  END LOOP;
END $$;
COMMENT ON FUNCTION seeme.renew_all_protection() IS
  'Makes the policies, triggers and listing views of all protected tables anew, after an '
  'upgrade. A WARNING for each table where that fails';
