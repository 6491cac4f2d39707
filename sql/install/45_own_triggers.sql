-- The triggers of the extension's own tables: they always fire, also in a session that replicates.
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
                    WHERE d.classid = 'pg_class'::regclass
                      AND d.objid IN (SELECT a.relation FROM seeme.always_triggers a));
  IF touched = '{}' THEN
    RETURN;
  END IF;
  FOR demoted IN
    SELECT t.tgrelid::regclass AS relation,
           string_agg(format('ENABLE ALWAYS TRIGGER %I', t.tgname), ', ') AS actions
      FROM seeme.always_triggers a
      JOIN pg_trigger t ON t.tgrelid = a.relation AND t.tgname = a.name
     WHERE t.tgrelid = ANY (touched) AND t.tgenabled = 'O' GROUP BY t.tgrelid
  LOOP
    -- This statement calls this function again, which then finds no demoted trigger and goes on
    -- below.
    EXECUTE format('ALTER TABLE %s %s', demoted.relation, demoted.actions);
  END LOOP;
  IF FOUND THEN
    RETURN;
  END IF;
  -- While triggers were disabled, sessions were not told of changed rows, and built-in roles did
  -- not get newly registered codes.
  PERFORM seeme.tell_every_session(), seeme.update_builtin_roles();
END $$;
COMMENT ON FUNCTION seeme.keep_triggers_always() IS
  'Event trigger: after ALTER TABLE ... ENABLE TRIGGER on an own table of the extension, its '
  'triggers always fire again, every session''s cache is invalidated, and built-in roles hold all '
  'registered codes';
