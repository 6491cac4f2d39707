-- What an upgrade does last. Its script runs while the objects that it makes become the extension's own; what is the
-- application's (policies, triggers, views, grants) is made when the command ends.

CREATE FUNCTION seeme.finish_upgrade() RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM seeme.update_builtin_roles(), seeme.remember_guards(), seeme.tell_every_session();
END $$;
COMMENT ON FUNCTION seeme.finish_upgrade() IS
  'Ends every upgrade script: built-in roles follow the codes, the present guards of the extension''s tables are those installed, and every session looks at the versions again';

CREATE FUNCTION seeme.after_upgrade() RETURNS event_trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF EXISTS (SELECT FROM pg_event_trigger_ddl_commands() d JOIN pg_extension e ON d.classid = 'pg_extension'::regclass AND e.oid = d.objid
              WHERE e.extname = 'seeme_rbac') THEN
    PERFORM seeme.renew_all_protection(), seeme.tell_every_session();
    PERFORM seeme.renew_mirror(m.table_name) FROM seeme.mirrors m JOIN pg_class c ON c.oid = m.table_name;
  END IF;
END $$;
COMMENT ON FUNCTION seeme.after_upgrade() IS
  'Event trigger: after ALTER EXTENSION seeme_rbac the protected tables are brought up to date, and every session looks at the versions again';
CREATE EVENT TRIGGER seeme_after_upgrade ON ddl_command_end WHEN TAG IN ('ALTER EXTENSION')
  EXECUTE FUNCTION seeme.after_upgrade();
ALTER EVENT TRIGGER seeme_after_upgrade ENABLE ALWAYS;
COMMENT ON EVENT TRIGGER seeme_after_upgrade IS 'Protected tables follow an upgrade of the extension';
