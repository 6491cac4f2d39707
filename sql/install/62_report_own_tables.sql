-- The security report on the extension itself: what guards its own tables, compared with what was installed.

-- What guards the extension's own rows, as it was when the extension was installed here.
CREATE TABLE seeme.installed_guards (
  kind          text NOT NULL,
  relation      regclass NOT NULL,
  name          name NOT NULL,
  statement     text NOT NULL,
  major_version integer NOT NULL,
  PRIMARY KEY (relation, kind, name)
);
COMMENT ON TABLE seeme.installed_guards IS 'The policies and triggers of the extension''s own tables as they were installed, for the security report to compare';
COMMENT ON COLUMN seeme.installed_guards.kind IS 'policy or trigger';
COMMENT ON COLUMN seeme.installed_guards.relation IS 'The table or view that it guards';
COMMENT ON COLUMN seeme.installed_guards.name IS 'Its name';
COMMENT ON COLUMN seeme.installed_guards.statement IS 'The statement that makes it';
COMMENT ON COLUMN seeme.installed_guards.major_version IS 'The major version of PostgreSQL that put this statement into words: others may use other words';
-- Without a policy: for database administrators alone.
ALTER TABLE seeme.installed_guards ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE TRIGGER guard_truncate BEFORE TRUNCATE ON seeme.installed_guards FOR EACH STATEMENT EXECUTE FUNCTION seeme.guard_truncate();

CREATE FUNCTION seeme.policy_statement(policy pg_policy) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN format('CREATE POLICY %I ON %s AS %s FOR %s TO %s%s%s', (policy).polname, (policy).polrelid::regclass,
  CASE WHEN (policy).polpermissive THEN 'PERMISSIVE' ELSE 'RESTRICTIVE' END,
  CASE (policy).polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE' WHEN 'd' THEN 'DELETE' ELSE 'ALL' END,
  (SELECT string_agg(CASE role WHEN 0 THEN 'PUBLIC' ELSE role::regrole::text END, ', ' ORDER BY role) FROM unnest((policy).polroles) AS role),
  ' USING (' || pg_get_expr((policy).polqual, (policy).polrelid) || ')',
  ' WITH CHECK (' || pg_get_expr((policy).polwithcheck, (policy).polrelid) || ')');
COMMENT ON FUNCTION seeme.policy_statement(pg_policy) IS 'The statement that makes a policy';

CREATE FUNCTION seeme.guards() RETURNS TABLE (kind text, relation regclass, name name, statement text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT 'policy', c.oid::regclass, p.polname, seeme.policy_statement(p)
    FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid
   WHERE c.relnamespace = 'seeme'::regnamespace
  UNION ALL
  SELECT 'trigger', c.oid::regclass, t.tgname, pg_get_triggerdef(t.oid)
    FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
   WHERE c.relnamespace = 'seeme'::regnamespace AND NOT t.tgisinternal
$$;
COMMENT ON FUNCTION seeme.guards() IS 'The policies and triggers of the extension''s own tables as they are now';

CREATE FUNCTION seeme.remember_guards() RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
  DELETE FROM seeme.installed_guards;
  INSERT INTO seeme.installed_guards (kind, relation, name, statement, major_version)
  SELECT g.kind, g.relation, g.name, g.statement, current_setting('server_version_num')::integer / 10000 FROM seeme.guards() g;
$$;
COMMENT ON FUNCTION seeme.remember_guards() IS
  'Takes the present policies and triggers of the extension''s own tables for the installed ones: for install and upgrade scripts';

CREATE FUNCTION seeme.findings_on_own_tables() RETURNS TABLE (severity text, object text, finding text, remedy text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  WITH now AS MATERIALIZED (SELECT * FROM seeme.guards()),
  installed AS MATERIALIZED (
    SELECT * FROM seeme.installed_guards i WHERE EXISTS (SELECT FROM pg_class c WHERE c.oid = i.relation))
  SELECT 'critical', i.relation::text,
         format('guard was changed: the %s %I is not the one that the extension installed%s', i.kind, i.name,
                CASE WHEN n.name IS NULL THEN ': it is gone' END),
         concat(CASE WHEN n.name IS NOT NULL THEN format('DROP %s %I ON %s; ', upper(i.kind), i.name, i.relation) END, i.statement, ';')
    FROM installed i LEFT JOIN now n ON (n.kind, n.relation, n.name) = (i.kind, i.relation, i.name)
   WHERE n.name IS NULL
      OR n.statement <> i.statement AND i.major_version = current_setting('server_version_num')::integer / 10000
  UNION ALL
  SELECT CASE n.kind WHEN 'policy' THEN 'critical' ELSE 'medium' END, n.relation::text,
         CASE n.kind WHEN 'policy' THEN format('additional policy: %I was added to this table of the extension, and lets through or hides what the model does not', n.name)
                     ELSE format('additional trigger: %I was added to this table of the extension, and runs with the rights of the extension''s owner; a dump does not keep it', n.name) END,
         format('DROP %s %I ON %s;', upper(n.kind), n.name, n.relation)
    FROM now n JOIN pg_class c ON c.oid = n.relation
   WHERE seeme.is_of_extension('pg_class', c.oid)
     AND NOT EXISTS (SELECT FROM installed i WHERE (i.kind, i.relation, i.name) = (n.kind, n.relation, n.name))
  UNION ALL
  SELECT 'high', quote_ident(t.evtname),
         'event trigger is disabled: new partitions of protected tables stay open, dropped tables stay listed, or triggers of others get onto the extension''s tables',
         format('ALTER EVENT TRIGGER %I ENABLE;', t.evtname)
    FROM pg_event_trigger t JOIN pg_proc f ON f.oid = t.evtfoid AND f.pronamespace = 'seeme'::regnamespace
   WHERE t.evtenabled IN ('D', 'R')
  UNION ALL
  SELECT 'medium', c.oid::regclass::text,
         'not the extension''s: somebody put this into the schema seeme, where it passes for a part of the model',
         format('ALTER %s %s SET SCHEMA public;',
                CASE c.relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'f' THEN 'FOREIGN TABLE' ELSE 'TABLE' END, c.oid::regclass)
    FROM pg_class c
   WHERE c.relnamespace = 'seeme'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT seeme.is_of_extension('pg_class', c.oid)
  UNION ALL
  SELECT 'medium', p.oid::regprocedure::text,
         'not the extension''s: somebody put this into the schema seeme, where it passes for a part of the model',
         format('ALTER ROUTINE %s SET SCHEMA public;', p.oid::regprocedure)
    FROM pg_proc p
   WHERE p.pronamespace = 'seeme'::regnamespace AND p.prokind <> 'a' AND NOT seeme.is_of_extension('pg_proc', p.oid)
$$;
COMMENT ON FUNCTION seeme.findings_on_own_tables() IS 'Part of the security report: what was done to the extension itself';
