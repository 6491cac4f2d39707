-- The event triggers. They are made last, when all that they read exists. Several event triggers
-- for one event fire in the order of their names.

-- The extension must not be dropped together with another object (src/guards/extension_drop.c).
-- But a fault of the library must not block DROP EXTENSION or ALTER EXTENSION.
CREATE FUNCTION seeme.watch_drop(tag text) RETURNS void
LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'seeme_watch_drop';
COMMENT ON FUNCTION seeme.watch_drop(text) IS
  'Loads the library, which then refuses (2BP01) every statement but DROP EXTENSION seeme_rbac '
  'that would drop the extension';
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
COMMENT ON FUNCTION seeme.guard_extension() IS
  'Event trigger: only DROP EXTENSION drops the extension; dropping a schema, a role''s objects or '
  'anything else does not';
REVOKE ALL ON FUNCTION seeme.guard_extension() FROM PUBLIC;

-- In the order of names: seeme_adopt_names first records new names, then
-- seeme_altered_followed_column makes its trigger again. The event triggers after these find both
-- up to date.
CREATE EVENT TRIGGER seeme_alter_followed_column ON ddl_command_start WHEN TAG IN ('ALTER TABLE')
  EXECUTE FUNCTION seeme.drop_trigger_in_way();
COMMENT ON EVENT TRIGGER seeme_alter_followed_column IS
  'Lets ALTER TABLE change a column that the trigger on the names of a protected table''s rows '
  'depends on';
CREATE EVENT TRIGGER seeme_altered_followed_column ON ddl_command_end WHEN TAG IN ('ALTER TABLE')
  EXECUTE FUNCTION seeme.follow_altered_tables();
COMMENT ON EVENT TRIGGER seeme_altered_followed_column IS
  'Makes the trigger on the names of a protected table''s rows again after ALTER TABLE';
CREATE EVENT TRIGGER seeme_close_new_tables_below ON ddl_command_end
  WHEN TAG IN ('CREATE TABLE', 'ALTER TABLE', 'CREATE SCHEMA')
  EXECUTE FUNCTION seeme.close_new_tables_below();
COMMENT ON EVENT TRIGGER seeme_close_new_tables_below IS
  'Partitions of protected tables are reached through their parent only';
CREATE EVENT TRIGGER seeme_adopt_names ON ddl_command_end
  WHEN TAG IN ('ALTER TABLE', 'ALTER INDEX', 'ALTER SEQUENCE', 'ALTER VIEW', 'ALTER FOREIGN TABLE',
               'ALTER MATERIALIZED VIEW', 'ALTER SCHEMA', 'CREATE TABLE', 'CREATE TABLE AS',
               'SELECT INTO', 'CREATE SCHEMA', 'CREATE FOREIGN TABLE', 'CREATE MATERIALIZED VIEW',
               'IMPORT FOREIGN SCHEMA')
  EXECUTE FUNCTION seeme.follow_names();
COMMENT ON EVENT TRIGGER seeme_adopt_names IS
  'Follows renamed protected tables and columns, and records the former names of tables';
CREATE EVENT TRIGGER seeme_follow_owners ON ddl_command_end WHEN TAG IN ('ALTER TABLE')
  EXECUTE FUNCTION seeme.follow_owners();
COMMENT ON EVENT TRIGGER seeme_follow_owners IS
  'The new owner of a protected table gets EXECUTE on what its guards call';
CREATE EVENT TRIGGER seeme_forget_dropped_tables ON sql_drop
  EXECUTE FUNCTION seeme.forget_dropped_tables();
COMMENT ON EVENT TRIGGER seeme_forget_dropped_tables IS
  'Removes dropped tables from seeme.protected_tables';
CREATE EVENT TRIGGER seeme_keep_protection ON ddl_command_end
  WHEN TAG IN ('ALTER TABLE', 'ALTER FOREIGN TABLE', 'ALTER POLICY', 'ALTER TRIGGER',
               'CREATE TRIGGER', 'CREATE TABLE', 'CREATE SCHEMA', 'CREATE VIEW', 'ALTER VIEW',
               'CREATE RULE')
  EXECUTE FUNCTION seeme.keep_protection();
COMMENT ON EVENT TRIGGER seeme_keep_protection IS
  'Only a superuser alters the guards of a protected table';
CREATE EVENT TRIGGER seeme_keep_protection_whole ON sql_drop
  EXECUTE FUNCTION seeme.keep_protection();
COMMENT ON EVENT TRIGGER seeme_keep_protection_whole IS
  'Only a superuser drops the guards of a protected table';
CREATE EVENT TRIGGER seeme_keep_triggers_always ON ddl_command_end WHEN TAG IN ('ALTER TABLE')
  EXECUTE FUNCTION seeme.keep_triggers_always();
COMMENT ON EVENT TRIGGER seeme_keep_triggers_always IS
  'Triggers of the extension''s own tables that were installed to fire always do so again';
CREATE EVENT TRIGGER seeme_guard_extension ON ddl_command_start
  WHEN TAG IN ('DROP SCHEMA', 'DROP OWNED', 'DROP EXTENSION', 'DROP LANGUAGE', 'DROP COLLATION')
  EXECUTE FUNCTION seeme.guard_extension();
COMMENT ON EVENT TRIGGER seeme_guard_extension IS
  'Only DROP EXTENSION drops the extension, with all memberships and the log';
CREATE EVENT TRIGGER seeme_guard_own_tables ON ddl_command_end
  WHEN TAG IN ('CREATE TRIGGER', 'CREATE TABLE', 'ALTER TABLE', 'CREATE SCHEMA')
  EXECUTE FUNCTION seeme.guard_own_tables();
COMMENT ON EVENT TRIGGER seeme_guard_own_tables IS
  'Only the extension''s own code runs with the rights of its owner';

CREATE EVENT TRIGGER seeme_keep_mirrors ON ddl_command_end
  WHEN TAG IN ('ALTER TABLE', 'ALTER POLICY', 'ALTER TRIGGER', 'CREATE TRIGGER', 'CREATE TABLE',
               'CREATE SCHEMA')
  EXECUTE FUNCTION seeme.keep_mirrors();
COMMENT ON EVENT TRIGGER seeme_keep_mirrors IS
  'A mirrored table keeps its triggers, its policies and the columns that are mirrored';
CREATE EVENT TRIGGER seeme_keep_mirrors_whole ON sql_drop EXECUTE FUNCTION seeme.keep_mirrors();
COMMENT ON EVENT TRIGGER seeme_keep_mirrors_whole IS
  'Only a superuser drops the guards of a mirrored table';

-- All of them fire always, also in a session with session_replication_role = replica.
DO $$
DECLARE
  name name;
BEGIN
  FOR name IN
    SELECT t.evtname FROM pg_event_trigger t JOIN pg_proc f ON f.oid = t.evtfoid
     WHERE f.pronamespace = 'seeme'::regnamespace
  LOOP
    EXECUTE format('ALTER EVENT TRIGGER %I ENABLE ALWAYS', name);
  END LOOP;
END $$;
