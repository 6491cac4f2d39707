-- Policies for what changes a row.
--
-- PostgreSQL evaluates the policy of an UPDATE or DELETE before it waits for a row lock, and again afterwards only if the
-- row was changed meanwhile. A right may be gone by then although the row was not touched (rule 7.4). A BEFORE trigger runs
-- with the lock in hand; so the same condition stands in its WHEN clause, too.

CREATE FUNCTION seeme.skip_row() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF row_security_active(TG_RELID)
     OR EXISTS (SELECT FROM pg_partition_ancestors(TG_RELID) a WHERE row_security_active(a.relid)) THEN
    RETURN NULL;
  END IF;
  RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $$;
COMMENT ON FUNCTION seeme.skip_row() IS 'Trigger: leaves a row alone whose right was lost while the statement waited for it, as row security does';

CREATE FUNCTION seeme.create_write_policy(
  relation regclass, command text, condition text, or_after_wait text = NULL) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  EXECUTE format('CREATE POLICY %I ON %s FOR %s USING (%s)', 'seeme_' || lower(command), relation, command,
                 replace(condition, '{row}.', ''));
  EXECUTE format('CREATE TRIGGER %I BEFORE %s ON %s FOR EACH ROW WHEN ((%s) IS NOT TRUE) EXECUTE FUNCTION seeme.skip_row()',
                 CASE WHEN relation::text LIKE 'seeme.%' THEN '' ELSE 'seeme_' END || 'after_wait_' || lower(command), command, relation,
                 replace(concat_ws(' OR ', condition, or_after_wait), '{row}.', 'OLD.'));
END $$;
COMMENT ON FUNCTION seeme.create_write_policy(regclass, text, text, text) IS
  'Makes the policy seeme_update or seeme_delete of a table, and the trigger that asks again once the row is locked. In the condition, a column of the row is {row}.column. or_after_wait: what else is enough then.';

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
