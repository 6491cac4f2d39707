-- The end of an upgrade. While its script runs, every object that is made becomes a part of the
-- extension. So the application's own objects (policies, triggers, views, grants) are renewed
-- later, when ALTER EXTENSION ends.

CREATE FUNCTION seeme.finish_upgrade() RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM seeme.update_builtin_roles(), seeme.remember_guards(), seeme.tell_every_session();
END $$;
COMMENT ON FUNCTION seeme.finish_upgrade() IS
  'The last statement of every upgrade script: built-in roles get the new codes, the present '
  'objects of the extension are recorded as those installed, and every session compares the '
  'versions again';

CREATE FUNCTION seeme.after_upgrade() RETURNS event_trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF EXISTS (SELECT FROM pg_event_trigger_ddl_commands() d
               JOIN pg_extension e ON d.classid = 'pg_extension'::regclass AND e.oid = d.objid
              WHERE e.extname = 'seeme_rbac') THEN
    PERFORM seeme.renew_all_protection(), seeme.tell_every_session();
    PERFORM seeme.renew_mirror(m.table_name)
       FROM seeme.mirrors m JOIN pg_class c ON c.oid = m.table_name;
  END IF;
END $$;
COMMENT ON FUNCTION seeme.after_upgrade() IS
  'Event trigger: after ALTER EXTENSION seeme_rbac, protected tables are renewed, and every '
  'session compares the versions again';
CREATE EVENT TRIGGER seeme_after_upgrade ON ddl_command_end WHEN TAG IN ('ALTER EXTENSION')
  EXECUTE FUNCTION seeme.after_upgrade();
ALTER EVENT TRIGGER seeme_after_upgrade ENABLE ALWAYS;
COMMENT ON EVENT TRIGGER seeme_after_upgrade IS
  'Protected tables follow an upgrade of the extension';
