-- Policies for what changes a row, and the trigger that asks them again once the row is locked (src/planner/recheck_trigger.c).

CREATE FUNCTION seeme.recheck_after_lock() RETURNS trigger
LANGUAGE c AS 'MODULE_PATHNAME', 'seeme_recheck_after_lock';
COMMENT ON FUNCTION seeme.recheck_after_lock() IS
  'Trigger before UPDATE or DELETE: asks the policy seeme_update or seeme_delete again with the row locked, and leaves the row alone, as row security does, if the right was lost while the statement waited. With an argument it asks seeme_update of the new row, too (42501)';

CREATE FUNCTION seeme.create_write_policy(relation regclass, command text, condition text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  EXECUTE format('CREATE POLICY %I ON %s FOR %s USING (%s)', 'seeme_' || lower(command COLLATE "C"), relation, command, condition);
  EXECUTE format('CREATE TRIGGER %I BEFORE %s ON %s FOR EACH ROW EXECUTE FUNCTION seeme.recheck_after_lock()',
                 'after_wait_' || lower(command COLLATE "C"), command, relation);
END $$;
COMMENT ON FUNCTION seeme.create_write_policy(regclass, text, text) IS
  'Makes the policy seeme_update or seeme_delete of a table of the extension''s own, and the trigger that asks it again once the row is locked';

-- A trigger function that runs with its owner's rights does so on the extension's own tables alone, should anybody be
-- granted EXECUTE on it and hang it on a table of theirs.
CREATE FUNCTION seeme.require_own_table(schema_name name) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF schema_name <> 'seeme' THEN
    RAISE EXCEPTION 'this trigger is for tables of the schema seeme' USING ERRCODE = 'insufficient_privilege';
  END IF;
END $$;
COMMENT ON FUNCTION seeme.require_own_table(name) IS 'Raises 42501 unless the schema is the extension''s own';

CREATE FUNCTION seeme.guard_truncate() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF row_security_active(TG_RELID) THEN
    RAISE EXCEPTION 'TRUNCATE knows no policies' USING ERRCODE = 'insufficient_privilege', HINT = 'Use DELETE.';
  END IF;
  RETURN NULL;
END $$;
COMMENT ON FUNCTION seeme.guard_truncate() IS 'Trigger: only a role that bypasses row security truncates these tables';
