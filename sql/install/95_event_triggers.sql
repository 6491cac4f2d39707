-- Event triggers, once everything is made that they look at. Where several fire they do so in the order of their names.

-- What keeps the extension from going along with something else (src/guards/extension_drop.c). Whatever is wrong with the library must not keep
-- anybody from dropping or updating the extension.
CREATE FUNCTION seeme.watch_drop(tag text) RETURNS void
LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'seeme_watch_drop';
COMMENT ON FUNCTION seeme.watch_drop(text) IS 'Loads the library, which then refuses (2BP01) to have the extension dropped by anything but DROP EXTENSION of it';
REVOKE ALL ON FUNCTION seeme.watch_drop(text) FROM PUBLIC;
CREATE FUNCTION seeme.guard_extension() RETURNS event_trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM seeme.watch_drop(TG_TAG);
EXCEPTION WHEN OTHERS THEN
  IF TG_TAG <> 'DROP EXTENSION' THEN
    RAISE WARNING 'nothing keeps seeme_rbac from being dropped along: %', SQLERRM;
  END IF;
END $$;
COMMENT ON FUNCTION seeme.guard_extension() IS 'Event trigger: the extension is dropped by DROP EXTENSION alone, never along with a schema, a role''s belongings or anything else';
REVOKE ALL ON FUNCTION seeme.guard_extension() FROM PUBLIC;

-- What follows names comes first (seeme_adopt_names), then what makes the trigger again: the others find both as they belong.
CREATE EVENT TRIGGER seeme_alter_followed_column ON ddl_command_start WHEN TAG IN ('ALTER TABLE')
  EXECUTE FUNCTION seeme.make_way();
COMMENT ON EVENT TRIGGER seeme_alter_followed_column IS 'What follows the names of a protected table''s rows does not stand in the way of ALTER TABLE';
CREATE EVENT TRIGGER seeme_altered_followed_column ON ddl_command_end WHEN TAG IN ('ALTER TABLE')
  EXECUTE FUNCTION seeme.follow_altered_tables();
COMMENT ON EVENT TRIGGER seeme_altered_followed_column IS 'What follows the names of a protected table''s rows goes on after ALTER TABLE';
CREATE EVENT TRIGGER seeme_close_new_tables_below ON ddl_command_end WHEN TAG IN ('CREATE TABLE', 'ALTER TABLE', 'CREATE SCHEMA')
  EXECUTE FUNCTION seeme.close_new_tables_below();
COMMENT ON EVENT TRIGGER seeme_close_new_tables_below IS 'Partitions of protected tables are reached through their parent only';
CREATE EVENT TRIGGER seeme_adopt_names ON ddl_command_end
  WHEN TAG IN ('ALTER TABLE', 'ALTER INDEX', 'ALTER SEQUENCE', 'ALTER VIEW', 'ALTER FOREIGN TABLE', 'ALTER MATERIALIZED VIEW', 'ALTER SCHEMA', 'CREATE TABLE',
               'CREATE TABLE AS', 'SELECT INTO', 'CREATE SCHEMA', 'CREATE FOREIGN TABLE', 'CREATE MATERIALIZED VIEW', 'IMPORT FOREIGN SCHEMA')
  EXECUTE FUNCTION seeme.follow_names();
COMMENT ON EVENT TRIGGER seeme_adopt_names IS 'What is remembered of protected tables follows their names, and remembers those that they had';
CREATE EVENT TRIGGER seeme_follow_owners ON ddl_command_end WHEN TAG IN ('ALTER TABLE')
  EXECUTE FUNCTION seeme.follow_owners();
COMMENT ON EVENT TRIGGER seeme_follow_owners IS 'Whoever becomes the owner of a protected table may call what guards it';
CREATE EVENT TRIGGER seeme_forget_dropped_tables ON sql_drop EXECUTE FUNCTION seeme.forget_dropped_tables();
COMMENT ON EVENT TRIGGER seeme_forget_dropped_tables IS 'Keeps seeme.protected_tables true to what there is';
CREATE EVENT TRIGGER seeme_keep_protection ON ddl_command_end
  WHEN TAG IN ('ALTER TABLE', 'ALTER FOREIGN TABLE', 'ALTER POLICY', 'ALTER TRIGGER', 'CREATE TRIGGER', 'CREATE TABLE', 'CREATE SCHEMA', 'CREATE VIEW', 'ALTER VIEW', 'CREATE RULE')
  EXECUTE FUNCTION seeme.keep_protection();
COMMENT ON EVENT TRIGGER seeme_keep_protection IS 'Nobody but a superuser alters what guards a protected table';
CREATE EVENT TRIGGER seeme_keep_protection_whole ON sql_drop EXECUTE FUNCTION seeme.keep_protection();
COMMENT ON EVENT TRIGGER seeme_keep_protection_whole IS 'Nobody but a superuser drops what guards a protected table';
CREATE EVENT TRIGGER seeme_keep_triggers_always ON ddl_command_end WHEN TAG IN ('ALTER TABLE') EXECUTE FUNCTION seeme.keep_triggers_always();
COMMENT ON EVENT TRIGGER seeme_keep_triggers_always IS 'Triggers of the extension''s own tables that always fire do so again';
CREATE EVENT TRIGGER seeme_guard_extension ON ddl_command_start WHEN TAG IN ('DROP SCHEMA', 'DROP OWNED', 'DROP EXTENSION', 'DROP LANGUAGE', 'DROP COLLATION')
  EXECUTE FUNCTION seeme.guard_extension();
COMMENT ON EVENT TRIGGER seeme_guard_extension IS 'The extension, with all memberships and the log, is dropped by DROP EXTENSION alone';
CREATE EVENT TRIGGER seeme_guard_own_tables ON ddl_command_end
  WHEN TAG IN ('CREATE TRIGGER', 'CREATE TABLE', 'ALTER TABLE', 'CREATE SCHEMA')
  EXECUTE FUNCTION seeme.guard_own_tables();
COMMENT ON EVENT TRIGGER seeme_guard_own_tables IS 'Nobody''s code but the extension''s own runs with the rights of its owner';

CREATE EVENT TRIGGER seeme_keep_mirrors ON ddl_command_end
  WHEN TAG IN ('ALTER TABLE', 'ALTER POLICY', 'ALTER TRIGGER', 'CREATE TRIGGER', 'CREATE TABLE', 'CREATE SCHEMA')
  EXECUTE FUNCTION seeme.keep_mirrors();
COMMENT ON EVENT TRIGGER seeme_keep_mirrors IS 'A mirrored table keeps its triggers, its policies and the columns that are mirrored';
CREATE EVENT TRIGGER seeme_keep_mirrors_whole ON sql_drop EXECUTE FUNCTION seeme.keep_mirrors();
COMMENT ON EVENT TRIGGER seeme_keep_mirrors_whole IS 'Nobody but a superuser drops what guards a mirrored table';

-- All of them always fire: in a replica's session (session_replication_role), too.
DO $$
DECLARE
  name name;
BEGIN
  FOR name IN SELECT t.evtname FROM pg_event_trigger t JOIN pg_proc f ON f.oid = t.evtfoid WHERE f.pronamespace = 'seeme'::regnamespace LOOP
    EXECUTE format('ALTER EVENT TRIGGER %I ENABLE ALWAYS', name);
  END LOOP;
END $$;
