-- Policies for UPDATE and DELETE, and the trigger that checks them again once the row is locked
-- (src/planner/recheck_trigger.c).

CREATE FUNCTION seeme.recheck_after_lock() RETURNS trigger
LANGUAGE c AS 'MODULE_PATHNAME', 'seeme_recheck_after_lock';
COMMENT ON FUNCTION seeme.recheck_after_lock() IS
  'Trigger before UPDATE or DELETE: checks the policy seeme_update or seeme_delete again once the '
  'row is locked. If the right was revoked while the statement waited, the row stays as it is and '
  'no error is raised, as with row security. With an argument, the trigger also checks '
  'seeme_update for the new row (42501).';

CREATE FUNCTION seeme.create_write_policy(relation regclass, command text, condition text)
RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  EXECUTE format('CREATE POLICY %I ON %s FOR %s USING (%s)',
                 'seeme_' || lower(command COLLATE "C"), relation, command, condition);
  EXECUTE format('CREATE TRIGGER %I BEFORE %s ON %s
                    FOR EACH ROW EXECUTE FUNCTION seeme.recheck_after_lock()',
                 'after_wait_' || lower(command COLLATE "C"), command, relation);
END $$;
COMMENT ON FUNCTION seeme.create_write_policy(regclass, text, text) IS
  'Creates the policy seeme_update or seeme_delete on a table of the extension, and the trigger '
  'that checks it again once the row is locked';

-- A trigger function with its owner's rights works on tables of the extension only. Otherwise a
-- role that is granted EXECUTE on it could create such a trigger on a table of its own.
CREATE FUNCTION seeme.require_own_table(schema_name name) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF schema_name <> 'seeme' THEN
    RAISE EXCEPTION 'this trigger is for tables of the schema seeme'
      USING ERRCODE = 'insufficient_privilege';
  END IF;
END $$;
COMMENT ON FUNCTION seeme.require_own_table(name) IS
  'Raises 42501 unless the schema is the extension''s own';

CREATE FUNCTION seeme.guard_truncate() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF row_security_active(TG_RELID) THEN
    RAISE EXCEPTION 'TRUNCATE knows no policies'
      USING ERRCODE = 'insufficient_privilege', HINT = 'Use DELETE.';
  END IF;
  RETURN NULL;
END $$;
COMMENT ON FUNCTION seeme.guard_truncate() IS
  'Trigger: only a role that bypasses row security truncates these tables';
