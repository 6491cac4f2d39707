-- The guards of protected tables: the policies, triggers and settings that seeme_protect makes.
--
-- Files 41 to 45 keep guards from being lost by accident, for example by a migration tool, or when
-- a table is dropped and made again. This file has what the others share.
--
-- Event triggers look at the result of a statement, not at the statement. Either the tables that
-- it touched still have their guards, or the statement is refused. These event triggers call no C:
-- a missing library must not block statements.
-- (40_followed_resources.sql has one exception, for ALTER TABLE.)

-- Guards that are missing already. A later statement is not refused because of them.
CREATE TABLE seeme.lowered_guards (
  table_name regclass NOT NULL,
  relation   regclass NOT NULL,
  guard      text NOT NULL,
  PRIMARY KEY (table_name, relation, guard)
);
COMMENT ON TABLE seeme.lowered_guards IS
  'Guards of protected tables that a superuser took away, or that the extension takes away for a '
  'moment. Statements of the table''s owner are not refused because of them.';
COMMENT ON COLUMN seeme.lowered_guards.table_name IS 'The protected table';
COMMENT ON COLUMN seeme.lowered_guards.relation IS
  'The protected table itself, or the partition, inheriting table or listing view whose guard is '
  'missing';
COMMENT ON COLUMN seeme.lowered_guards.guard IS
  'The missing guard, as seeme.guards_down names it. *: any of them, while the extension itself '
  'changes the table.';

-- Former names of protected tables. Such a name may now be free, or belong to another table.
CREATE TABLE seeme.dropped_tables (
  schema_name name NOT NULL,
  table_name  name NOT NULL,
  arguments   jsonb NOT NULL,
  dropped_at  timestamptz NOT NULL DEFAULT now(),
  made_again  regclass,
  PRIMARY KEY (schema_name, table_name)
);
COMMENT ON TABLE seeme.dropped_tables IS
  'Names of protected tables that were dropped, renamed or moved. A new table of such a name gets '
  'a warning, until seeme_protect or seeme_unprotect is called for it.';
COMMENT ON COLUMN seeme.dropped_tables.schema_name IS 'The schema of the protected table';
COMMENT ON COLUMN seeme.dropped_tables.table_name IS 'Its name in this schema';
COMMENT ON COLUMN seeme.dropped_tables.arguments IS
  'The arguments of its seeme_protect call, by the names of the parameters';
COMMENT ON COLUMN seeme.dropped_tables.dropped_at IS 'When it was dropped, renamed or moved';
COMMENT ON COLUMN seeme.dropped_tables.made_again IS
  'The table that has this name now, once a warning was given for it';

-- Triggers of the extension's own tables that fire in every session, also in one that replicates.
CREATE TABLE seeme.always_triggers (
  relation regclass NOT NULL,
  name     name NOT NULL,
  PRIMARY KEY (relation, name)
);
COMMENT ON TABLE seeme.always_triggers IS
  'The triggers of the extension''s own tables that were installed as ENABLE ALWAYS. The extension '
  'sets them to that again by itself.';
COMMENT ON COLUMN seeme.always_triggers.relation IS 'The table';
COMMENT ON COLUMN seeme.always_triggers.name IS 'The trigger''s name';

-- Without a policy: for database administrators alone.
ALTER TABLE seeme.lowered_guards ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE seeme.dropped_tables ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE seeme.always_triggers ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
SELECT pg_extension_config_dump('seeme.dropped_tables', '');

CREATE FUNCTION seeme.acts_as_superuser() RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN coalesce((SELECT r.rolsuper FROM pg_roles r
                  WHERE r.rolname = CASE current_setting('role') WHEN 'none' THEN session_user::text
                                    ELSE current_setting('role') END), false);
COMMENT ON FUNCTION seeme.acts_as_superuser() IS
  'seeme.is_superuser() without the library: whether the role outside of any SECURITY DEFINER '
  'function is a superuser';

CREATE FUNCTION seeme.loads_dump() RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN current_setting('row_security') = 'off' AND seeme.acts_as_superuser();
COMMENT ON FUNCTION seeme.loads_dump() IS
  'Whether this looks like a session that restores a dump. There tables are made first and their '
  'guards last.';

-- The three functions below make the statement that protects a table as it was protected before.
-- seeme.protected_tables has a column for each parameter of seeme_protect, with the same name.
CREATE FUNCTION seeme.protect_parameters() RETURNS TABLE (name text, n bigint)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT a.name, a.n
    FROM pg_extension e
    JOIN pg_proc p ON p.pronamespace = e.extnamespace AND p.proname = 'seeme_protect',
         unnest(p.proargnames) WITH ORDINALITY AS a (name, n)
   WHERE e.extname = 'seeme_rbac' AND a.name <> 'table_name'
     AND EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid
                   AND d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid
                   AND d.deptype = 'e')
$$;
COMMENT ON FUNCTION seeme.protect_parameters() IS 'The parameters of seeme_protect after the table';

CREATE FUNCTION seeme.protect_arguments(p seeme.protected_tables) RETURNS jsonb
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN (SELECT jsonb_object_agg(a.key, a.value)
          FROM jsonb_each(to_jsonb(p)) AS a
         WHERE a.key IN (SELECT k.name FROM seeme.protect_parameters() k) AND a.value <> 'null'
           AND (a.key <> 'resource_type'
                OR (p).resource_id_column IS NOT NULL OR (p).holds_resource)
           AND (a.key <> 'owner_alone' OR NOT (p).owner_alone));
COMMENT ON FUNCTION seeme.protect_arguments(seeme.protected_tables) IS
  'The arguments of a table''s seeme_protect call, by the names of the parameters';

CREATE FUNCTION seeme.protect_statement(table_name text, arguments jsonb) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN (SELECT format('@extschema@.seeme_protect(%L, %L', table_name, arguments ->> 'resource')
               || coalesce(string_agg(format(', %I => %s', k.name,
                    CASE jsonb_typeof(arguments -> k.name)
                      WHEN 'array'
                        THEN quote_literal(ARRAY(
                               SELECT jsonb_array_elements_text(arguments -> k.name)))
                      WHEN 'boolean' THEN arguments ->> k.name
                      ELSE quote_literal(arguments ->> k.name) END), '' ORDER BY k.n), '') || ')'
          FROM seeme.protect_parameters() k WHERE k.name <> 'resource' AND arguments ? k.name);
COMMENT ON FUNCTION seeme.protect_statement(text, jsonb) IS
  'The call of seeme_protect for a table with these arguments (seeme.protect_arguments)';

-- Which relations a statement touched.
CREATE FUNCTION seeme.touched_relations() RETURNS oid[]
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN ARRAY(
    SELECT d.objid FROM pg_event_trigger_ddl_commands() d WHERE d.classid = 'pg_class'::regclass
    UNION
    SELECT t.tgrelid FROM pg_event_trigger_ddl_commands() d JOIN pg_trigger t ON t.oid = d.objid
     WHERE d.classid = 'pg_trigger'::regclass
    UNION
    SELECT p.polrelid FROM pg_event_trigger_ddl_commands() d JOIN pg_policy p ON p.oid = d.objid
     WHERE d.classid = 'pg_policy'::regclass
    UNION
    SELECT r.ev_class FROM pg_event_trigger_ddl_commands() d JOIN pg_rewrite r ON r.oid = d.objid
     WHERE d.classid = 'pg_rewrite'::regclass
    UNION
    SELECT c.oid FROM pg_event_trigger_ddl_commands() d JOIN pg_class c ON c.relnamespace = d.objid
     WHERE d.classid = 'pg_namespace'::regclass AND d.command_tag = 'ALTER SCHEMA'
       AND c.relkind IN ('r', 'p', 'f', 'm'));
END $$;
COMMENT ON FUNCTION seeme.touched_relations() IS
  'For an event trigger at ddl_command_end: the relations that the statement made or changed, or '
  'whose schema it renamed';

CREATE FUNCTION seeme.protected_around(relations oid[]) RETURNS SETOF seeme.protected_tables
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN QUERY
  WITH RECURSIVE above (oid) AS (
    SELECT unnest(relations)
    UNION SELECT i.inhparent FROM above a JOIN pg_inherits i ON i.inhrelid = a.oid
  ), below (oid) AS (
    SELECT unnest(relations)
    UNION SELECT i.inhrelid FROM below b JOIN pg_inherits i ON i.inhparent = b.oid)
  SELECT p.* FROM seeme.protected_tables p
   WHERE p.table_name IN (SELECT a.oid FROM above a UNION ALL SELECT b.oid FROM below b)
      OR p.listing_view = ANY (relations) OR p.closed_partitions && relations::regclass[];
END $$;
COMMENT ON FUNCTION seeme.protected_around(oid[]) IS
  'The protected tables among these relations and their ancestors and descendants, and those whose '
  'listing view or detached partition is among them';
