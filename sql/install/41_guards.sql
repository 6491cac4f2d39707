-- What protects a table does not come off by accident: migration tools, tables that are dropped and made again, tables below.
--
-- Event triggers look at what a statement left behind, not at the statement: whatever it was called, the tables that it touched
-- are guarded afterwards as seeme_protect made them, or it is refused. They call no C, so that a library that is missing stands in
-- nobody's way. (What makes way for ALTER TABLE has to: 40_protect.sql.)

-- What is down already, and so is not the doing of who changes the table next.
CREATE TABLE seeme.lowered_guards (
  table_name regclass NOT NULL,
  relation   regclass NOT NULL,
  guard      text NOT NULL,
  PRIMARY KEY (table_name, relation, guard)
);
COMMENT ON TABLE seeme.lowered_guards IS 'Guards of protected tables that a superuser took away, or the extension for a moment: statements of the table''s owner are not refused because of them';
COMMENT ON COLUMN seeme.lowered_guards.table_name IS 'The protected table';
COMMENT ON COLUMN seeme.lowered_guards.relation IS 'It, or the partition, heir or listing view whose guard is down';
COMMENT ON COLUMN seeme.lowered_guards.guard IS 'What is down, as seeme.guards_down names it; *: whatever it is, while the extension changes the table itself';

-- What was protected under a name that is free, or another table's, now.
CREATE TABLE seeme.dropped_tables (
  schema_name name NOT NULL,
  table_name  name NOT NULL,
  arguments   jsonb NOT NULL,
  dropped_at  timestamptz NOT NULL DEFAULT now(),
  made_again  regclass,
  PRIMARY KEY (schema_name, table_name)
);
COMMENT ON TABLE seeme.dropped_tables IS 'Names under which a protected table was dropped, renamed or moved away: whatever is made under one is to be protected again, until seeme_protect or seeme_unprotect';
COMMENT ON COLUMN seeme.dropped_tables.schema_name IS 'The schema that it was in';
COMMENT ON COLUMN seeme.dropped_tables.table_name IS 'Its name there';
COMMENT ON COLUMN seeme.dropped_tables.arguments IS 'What seeme_protect was told of it, by the names of its parameters';
COMMENT ON COLUMN seeme.dropped_tables.dropped_at IS 'When it went';
COMMENT ON COLUMN seeme.dropped_tables.made_again IS 'The table that has the name now, once somebody was warned of it';

-- Triggers of the extension's own tables that fire in every session, replicas' too.
CREATE TABLE seeme.always_triggers (
  relation regclass NOT NULL,
  name     name NOT NULL,
  PRIMARY KEY (relation, name)
);
COMMENT ON TABLE seeme.always_triggers IS 'The triggers of the extension''s own tables that were installed as ENABLE ALWAYS, and become so again by themselves';
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
                  WHERE r.rolname = CASE current_setting('role') WHEN 'none' THEN session_user::text ELSE current_setting('role') END), false);
COMMENT ON FUNCTION seeme.acts_as_superuser() IS
  'seeme.is_superuser() without the library: whether the role outside of any SECURITY DEFINER function is a superuser';

CREATE FUNCTION seeme.loads_dump() RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN current_setting('row_security') = 'off' AND seeme.acts_as_superuser();
COMMENT ON FUNCTION seeme.loads_dump() IS
  'Whether this looks like the session of a dump being restored: tables are made first there, and what guards them comes last';

-- The statement that protects a table as it was protected. Whatever parameter seeme_protect has, the column of that name remembers.
CREATE FUNCTION seeme.protect_parameters() RETURNS TABLE (name text, n bigint)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT a.name, a.n
    FROM pg_extension e JOIN pg_proc p ON p.pronamespace = e.extnamespace AND p.proname = 'seeme_protect',
         unnest(p.proargnames) WITH ORDINALITY AS a (name, n)
   WHERE e.extname = 'seeme_rbac' AND a.name <> 'table_name'
     AND EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid
                   AND d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid AND d.deptype = 'e')
$$;
COMMENT ON FUNCTION seeme.protect_parameters() IS 'The parameters of seeme_protect after the table';

CREATE FUNCTION seeme.protect_arguments(p seeme.protected_tables) RETURNS jsonb
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN (SELECT jsonb_object_agg(a.key, a.value)
          FROM jsonb_each(to_jsonb(p)) AS a
         WHERE a.key IN (SELECT k.name FROM seeme.protect_parameters() k) AND a.value <> 'null'
           AND (a.key <> 'resource_type' OR (p).resource_id_column IS NOT NULL OR (p).holds_resource)
           AND (a.key <> 'owner_alone' OR NOT (p).owner_alone));
COMMENT ON FUNCTION seeme.protect_arguments(seeme.protected_tables) IS 'What seeme_protect was told of a table, by the names of its parameters';

CREATE FUNCTION seeme.protect_statement(table_name text, arguments jsonb) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN (SELECT format('@extschema@.seeme_protect(%L, %L', table_name, arguments ->> 'resource')
               || coalesce(string_agg(format(', %I => %s', k.name,
                    CASE jsonb_typeof(arguments -> k.name)
                      WHEN 'array' THEN quote_literal(ARRAY(SELECT jsonb_array_elements_text(arguments -> k.name)))
                      WHEN 'boolean' THEN arguments ->> k.name
                      ELSE quote_literal(arguments ->> k.name) END), '' ORDER BY k.n), '') || ')'
          FROM seeme.protect_parameters() k WHERE k.name <> 'resource' AND arguments ? k.name);
COMMENT ON FUNCTION seeme.protect_statement(text, jsonb) IS 'The call of seeme_protect that protects a table as seeme.protect_arguments says';

-- What a statement was about.
CREATE FUNCTION seeme.touched_relations() RETURNS oid[]
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN ARRAY(
    SELECT d.objid FROM pg_event_trigger_ddl_commands() d WHERE d.classid = 'pg_class'::regclass
    UNION
    SELECT t.tgrelid FROM pg_event_trigger_ddl_commands() d JOIN pg_trigger t ON t.oid = d.objid WHERE d.classid = 'pg_trigger'::regclass
    UNION
    SELECT p.polrelid FROM pg_event_trigger_ddl_commands() d JOIN pg_policy p ON p.oid = d.objid WHERE d.classid = 'pg_policy'::regclass
    UNION
    SELECT r.ev_class FROM pg_event_trigger_ddl_commands() d JOIN pg_rewrite r ON r.oid = d.objid WHERE d.classid = 'pg_rewrite'::regclass
    UNION
    SELECT c.oid FROM pg_event_trigger_ddl_commands() d JOIN pg_class c ON c.relnamespace = d.objid
     WHERE d.classid = 'pg_namespace'::regclass AND d.command_tag = 'ALTER SCHEMA' AND c.relkind IN ('r', 'p', 'f', 'm'));
END $$;
COMMENT ON FUNCTION seeme.touched_relations() IS 'In an event trigger at ddl_command_end: the relations that the statement made or changed, or whose schema it renamed';

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
  'The protected tables among these relations, above and below them, and those whose listing view or detached partition is among them';
