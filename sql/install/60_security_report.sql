-- seeme_security_report(): what is weak in this database, and the statement that mends it.
--
-- A function a topic. Each finding begins with its name, up to the colon. Nothing is written, so that it works on a standby, too;
-- and whatever a mistake or an attacker left in the catalogs must not raise an error.

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

-- Names as one writes them in a statement.
CREATE FUNCTION seeme.grantee_name(role oid) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN CASE role WHEN 0 THEN 'PUBLIC' ELSE role::regrole::text END;
COMMENT ON FUNCTION seeme.grantee_name(oid) IS 'A role, or PUBLIC, as one writes it in a statement';

CREATE FUNCTION seeme.is_of_extension(class regclass, object oid) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN EXISTS (SELECT FROM pg_depend d WHERE d.classid = class AND d.objid = object AND d.objsubid = 0
                 AND d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e');
COMMENT ON FUNCTION seeme.is_of_extension(regclass, oid) IS 'Whether an object belongs to an extension, this one or another';

CREATE FUNCTION seeme.extension_owner() RETURNS oid
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN (SELECT e.extowner FROM pg_extension e WHERE e.extname = 'seeme_rbac');
COMMENT ON FUNCTION seeme.extension_owner() IS 'The role that owns the extension';

-- Which roles are which.
CREATE FUNCTION seeme.memberships_of_roles() RETURNS TABLE (member oid, reaches oid, through oid)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  WITH RECURSIVE reach (member, reaches, through) AS (
    SELECT m.member, m.roleid, m.roleid FROM pg_auth_members m
    UNION
    SELECT r.member, m.roleid, r.through FROM reach r JOIN pg_auth_members m ON m.member = r.reaches)
  SELECT * FROM reach
$$;
COMMENT ON FUNCTION seeme.memberships_of_roles() IS
  'Which database role is a member of which other, at any distance, and through which direct membership';

CREATE FUNCTION seeme.end_membership(group_role oid, member_role oid) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
-- From PostgreSQL 16 on a membership belongs to who granted it, and there may be several.
RETURN (SELECT string_agg(format('REVOKE %s FROM %s%s CASCADE;', m.roleid::regrole, m.member::regrole,
                                 CASE WHEN current_setting('server_version_num')::integer >= 160000 THEN ' GRANTED BY ' || m.grantor::regrole END), ' ')
          FROM pg_auth_members m WHERE m.roleid = group_role AND m.member = member_role);
COMMENT ON FUNCTION seeme.end_membership(oid, oid) IS 'The statement that takes a database role out of another';

CREATE FUNCTION seeme.application_roles() RETURNS TABLE (role oid)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  WITH granted AS (
    SELECT DISTINCT a.grantee AS role
      FROM pg_proc p, aclexplode(p.proacl) AS a
     WHERE p.oid IN ('@extschema@.seeme_user_id()'::regprocedure, '@extschema@.seeme_assume(uuid)'::regprocedure)
       AND a.grantee NOT IN (0, p.proowner, seeme.extension_owner()))
  SELECT g.role FROM granted g
  UNION
  SELECT m.member FROM seeme.memberships_of_roles() m JOIN granted g ON g.role = m.reaches
   -- 10 is the superuser of initdb
   WHERE m.member NOT IN (10, seeme.extension_owner())
$$;
COMMENT ON FUNCTION seeme.application_roles() IS
  'The database roles that were given the use of the extension (seeme_grant_usage, seeme_grant_provisioning, seeme_assume), and what is a member of them';

CREATE FUNCTION seeme.bypassing_roles() RETURNS TABLE (role oid)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT r.oid FROM pg_roles r WHERE r.rolsuper OR r.rolbypassrls
$$;
COMMENT ON FUNCTION seeme.bypassing_roles() IS 'The database roles to which row security does not apply';

-- Which relations matter.
CREATE FUNCTION seeme.guarded_relations() RETURNS TABLE (relation oid, owner oid, is_own boolean)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT c.oid, c.relowner, true FROM pg_class c
   WHERE c.relnamespace = 'seeme'::regnamespace AND c.relkind IN ('r', 'p', 'v') AND seeme.is_of_extension('pg_class', c.oid)
  UNION ALL
  SELECT c.oid, c.relowner, false FROM seeme.protected_tables p JOIN pg_class c ON c.oid = p.table_name
$$;
COMMENT ON FUNCTION seeme.guarded_relations() IS 'The extension''s own tables and views, and the protected tables that exist';

CREATE FUNCTION seeme.grants_on_relations()
RETURNS TABLE (relation oid, is_own boolean, column_name name, grantee oid, privilege text, grantable boolean)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT g.relation, g.is_own, NULL::name, a.grantee, a.privilege_type, a.is_grantable
    FROM seeme.guarded_relations() g JOIN pg_class c ON c.oid = g.relation, aclexplode(c.relacl) AS a
   WHERE a.grantee <> g.owner
  UNION ALL
  SELECT g.relation, g.is_own, t.attname, a.grantee, a.privilege_type, a.is_grantable
    FROM seeme.guarded_relations() g JOIN pg_attribute t ON t.attrelid = g.relation AND NOT t.attisdropped, aclexplode(t.attacl) AS a
   WHERE a.grantee <> g.owner
$$;
COMMENT ON FUNCTION seeme.grants_on_relations() IS
  'Every privilege on the extension''s own tables and views and on protected tables that somebody besides their owner was granted';

CREATE FUNCTION seeme.views_over_guarded_relations() RETURNS TABLE (relation oid)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  WITH RECURSIVE uses AS MATERIALIZED (
    SELECT DISTINCT r.ev_class AS view, d.refobjid AS relation
      FROM pg_depend d JOIN pg_rewrite r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid
     WHERE d.refclassid = 'pg_class'::regclass AND r.ev_class <> d.refobjid AND r.rulename = '_RETURN'
  ), above (relation) AS (
    SELECT u.view FROM uses u JOIN seeme.guarded_relations() g ON g.relation = u.relation
    UNION
    SELECT u.view FROM above a JOIN uses u ON u.relation = a.relation)
  SELECT a.relation FROM above a
   WHERE NOT seeme.is_of_extension('pg_class', a.relation)
     AND NOT EXISTS (SELECT FROM seeme.protected_tables p WHERE p.listing_view = a.relation)
$$;
COMMENT ON FUNCTION seeme.views_over_guarded_relations() IS
  'Views and materialized views of others that show rows of guarded relations, also through other views';

-- What seeme_protect would make now.
CREATE FUNCTION seeme.parsed_condition(relation regclass, condition text) RETURNS pg_node_tree
LANGUAGE c STABLE STRICT PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'seeme_parsed_condition';
COMMENT ON FUNCTION seeme.parsed_condition(regclass, text) IS
  'What CREATE POLICY would store for a condition on the rows of a table. For the extension''s own functions: only conditions that it wrote itself.';

CREATE FUNCTION seeme.condition_in_words(relation regclass, condition text) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN pg_get_expr(seeme.parsed_condition(relation, condition), relation);
EXCEPTION WHEN OTHERS THEN
  RETURN NULL;
END $$;
COMMENT ON FUNCTION seeme.condition_in_words(regclass, text) IS
  'A condition on the rows of a table as PostgreSQL would show it once it is a policy''s; null when it makes no sense there';

CREATE FUNCTION seeme.scope_columns_gone() RETURNS TABLE (relation regclass, name name)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT p.table_name, v.name
    FROM seeme.protected_tables p JOIN pg_class c ON c.oid = p.table_name,
         unnest(ARRAY[p.project_column, p.team_column, p.organization_column, p.resource_id_column, p.owner_column]) AS v (name)
   WHERE v.name IS NOT NULL
     AND NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = p.table_name AND a.attname = v.name AND NOT a.attisdropped AND a.atttypid = 'uuid'::regtype)
$$;
COMMENT ON FUNCTION seeme.scope_columns_gone() IS 'Columns that protected tables were said to have, and have not, or not of type uuid';

CREATE FUNCTION seeme.policies_of_protected_tables()
RETURNS TABLE (relation regclass, name name, command "char", condition text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT p.table_name, v.name, v.command, v.condition
    FROM seeme.protected_tables p JOIN pg_class c ON c.oid = p.table_name,
         LATERAL (VALUES ('seeme_select'::name, 'r'::"char", seeme.row_condition(p, p.resource || ':read', true)),
                         ('seeme_insert', 'a', seeme.insert_condition(p)),
                         ('seeme_update', 'w', seeme.row_condition(p, p.resource || ':update')),
                         ('seeme_delete', 'd', seeme.row_condition(p, p.resource || ':delete'))) AS v (name, command, condition)
$$;
COMMENT ON FUNCTION seeme.policies_of_protected_tables() IS 'The policies that seeme_protect makes, of every protected table that exists';

CREATE FUNCTION seeme.triggers_of_protected_tables() RETURNS TABLE (relation regclass, name name, function text, type integer)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  -- Types as in pg_trigger.tgtype: 1 for each row, 2 before, 8 DELETE, 16 UPDATE, 32 TRUNCATE.
  SELECT p.table_name, v.name, v.function, v.type
    FROM seeme.protected_tables p JOIN pg_class c ON c.oid = p.table_name,
         LATERAL (VALUES ('seeme_after_wait'::name, 'ask_after_wait', 1 + 2 + 8 + 16, true),
                         ('zz_seeme_check_moved_row', 'check_moved_row', 1 + 16 + CASE c.relkind WHEN 'p' THEN 2 ELSE 0 END, NOT seeme.has_one_scope(p)),
                         ('seeme_forget_resource', 'follow_resource', 1 + 8, p.id_column IS NOT NULL),
                         ('seeme_forget_resources', 'follow_resource', 32, p.id_column IS NOT NULL),
                         ('seeme_follow_resource', 'follow_resource', 1 + 16, p.id_column IS NOT NULL)) AS v (name, function, type, belongs)
   WHERE v.belongs
$$;
COMMENT ON FUNCTION seeme.triggers_of_protected_tables() IS 'The triggers that seeme_protect makes, of every protected table that exists';

CREATE FUNCTION seeme.protect_again(p seeme.protected_tables) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
-- In one statement, so that the table is never seen unprotected.
RETURN format('SELECT @extschema@.seeme_unprotect(%1$L), @extschema@.seeme_protect(%1$L, %2$L%3$s);', p.table_name, p.resource,
  concat(', project_column => ' || quote_literal(p.project_column), ', team_column => ' || quote_literal(p.team_column),
         ', organization_column => ' || quote_literal(p.organization_column), ', resource_id_column => ' || quote_literal(p.resource_id_column),
         ', owner_column => ' || quote_literal(p.owner_column),
         CASE WHEN p.resource_id_column IS NOT NULL OR p.holds_resource THEN ', resource_type => ' || quote_literal(p.resource_type) END,
         ', listing_columns => ' || quote_literal(p.listing_columns::text)));
COMMENT ON FUNCTION seeme.protect_again(seeme.protected_tables) IS 'The statement that protects a table anew, as it was told the first time';

-- The findings, a function a topic.

CREATE FUNCTION seeme.findings_on_protected_tables() RETURNS TABLE (severity text, object text, finding text, remedy text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT 'critical', c.oid::regclass::text,
         'row security is off: every policy of this table is ignored, and whoever is granted it sees all of its rows',
         format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY;', c.oid::regclass)
    FROM seeme.guarded_relations() g JOIN pg_class c ON c.oid = g.relation
   WHERE c.relkind IN ('r', 'p') AND NOT c.relrowsecurity
  UNION ALL
  SELECT 'high', c.oid::regclass::text,
         'row security is not forced: the policies do not hold for the owner of this table, nor for functions and views that run as the owner',
         format('ALTER TABLE %s FORCE ROW LEVEL SECURITY;', c.oid::regclass)
    FROM seeme.guarded_relations() g JOIN pg_class c ON c.oid = g.relation
   WHERE c.relkind IN ('r', 'p') AND NOT c.relforcerowsecurity
  UNION ALL
  SELECT 'critical', e.relation::text,
         format('policy was changed: %I is not what seeme_protect makes of this table, so that it may let through more than the model allows', e.name),
         format('%sCREATE POLICY %I ON %s FOR %s %s (%s);',
                CASE WHEN p.oid IS NOT NULL THEN format('DROP POLICY %I ON %s; ', e.name, e.relation) END, e.name, e.relation,
                CASE e.command WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE' ELSE 'DELETE' END,
                CASE e.command WHEN 'a' THEN 'WITH CHECK' ELSE 'USING' END, e.condition)
    FROM seeme.policies_of_protected_tables() e
    LEFT JOIN pg_policy p ON p.polrelid = e.relation AND p.polname = e.name,
         LATERAL (SELECT seeme.condition_in_words(e.relation, e.condition) AS condition) AS w
   WHERE NOT EXISTS (SELECT FROM seeme.scope_columns_gone() o WHERE o.relation = e.relation)
     AND NOT coalesce(p.polcmd = e.command AND p.polpermissive AND p.polroles = '{0}'
                      AND pg_get_expr(p.polqual, p.polrelid) IS NOT DISTINCT FROM CASE WHEN e.command <> 'a' THEN w.condition END
                      AND pg_get_expr(p.polwithcheck, p.polrelid) IS NOT DISTINCT FROM CASE WHEN e.command = 'a' THEN w.condition END, false)
  UNION ALL
  SELECT 'high', p.polrelid::regclass::text,
         format('additional permissive policy: %I lets through rows that the model does not; permissive policies are added to each other', p.polname),
         format('DROP POLICY %I ON %s;', p.polname, p.polrelid::regclass)
    FROM pg_policy p JOIN seeme.protected_tables t ON t.table_name = p.polrelid
   WHERE p.polpermissive AND p.polname NOT IN ('seeme_select', 'seeme_insert', 'seeme_update', 'seeme_delete')
  UNION ALL
  SELECT 'high', g.relation::text,
         format('scope column is gone: this table is protected by its column %I, which is no uuid column of it any more; moves of rows are refused, and rows may be decided by another column', g.name),
         format('-- SELECT seeme_unprotect(%L), seeme_protect(%1$L, ...) with the column that it has now, in one statement', g.relation)
    FROM seeme.scope_columns_gone() g
  UNION ALL
  SELECT 'high', e.relation::text,
         format('trigger is missing: without %I, a change that waited for a lock, or moves a row, is not decided anew, or assignments are not kept true', e.name),
         seeme.protect_again(p)
    FROM seeme.triggers_of_protected_tables() e JOIN seeme.protected_tables p ON p.table_name = e.relation
   WHERE NOT EXISTS (SELECT FROM pg_trigger t JOIN pg_proc f ON f.oid = t.tgfoid
                      WHERE t.tgrelid = e.relation AND t.tgname = e.name AND t.tgtype = e.type
                        AND f.proname = e.function AND f.pronamespace = 'seeme'::regnamespace)
  UNION ALL
  SELECT 'high', t.tgrelid::regclass::text,
         format('trigger is disabled: %I enforces a rule of the model, and does not fire', t.tgname),
         format('ALTER TABLE %s ENABLE TRIGGER %I;', t.tgrelid::regclass, t.tgname)
    FROM pg_trigger t JOIN seeme.guarded_relations() g ON g.relation = t.tgrelid
   WHERE t.tgenabled IN ('D', 'R') AND (g.is_own AND NOT t.tgisinternal
         OR EXISTS (SELECT FROM seeme.triggers_of_protected_tables() e WHERE e.relation = t.tgrelid AND e.name = t.tgname))
  UNION ALL
  SELECT 'critical', b.relation::text,
         format('partition is open: whoever is granted it walks around the policies of %s', p.table_name),
         concat(CASE WHEN y.oid IS NOT NULL THEN format('DROP POLICY seeme_closed ON %s; ', b.relation) END,
                CASE WHEN b.has_row_security THEN '' ELSE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY; ', b.relation) END,
                format('SELECT seeme.close_tables_below(%L);', p.table_name))
    FROM seeme.protected_tables p JOIN pg_class c ON c.oid = p.table_name AND c.relhassubclass,
         LATERAL seeme.tables_below(p.table_name) AS b
    LEFT JOIN pg_policy y ON y.polrelid = b.relation AND y.polname = 'seeme_closed'
   WHERE NOT EXISTS (SELECT FROM seeme.protected_tables o WHERE o.table_name = b.relation)
     AND (NOT b.has_row_security
          OR b.is_partition AND NOT coalesce(NOT y.polpermissive AND y.polcmd = '*' AND y.polroles = '{0}' AND pg_get_expr(y.polqual, y.polrelid) = 'false', false))
  UNION ALL
  SELECT 'low', p.table_name::text,
         format('scope column has no index: no index begins with %I, so that every query of somebody who sees little reads the whole table', v.name),
         format('CREATE INDEX ON %s (%I);', p.table_name, v.name)
    FROM seeme.protected_tables p JOIN pg_class c ON c.oid = p.table_name,
         unnest(ARRAY[p.project_column, p.team_column, p.organization_column, p.resource_id_column, p.owner_column]) AS v (name)
    JOIN pg_attribute a ON a.attname = v.name
   WHERE a.attrelid = p.table_name AND NOT a.attisdropped
     AND NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = p.table_name AND i.indkey[0] = a.attnum AND i.indisvalid AND i.indpred IS NULL)
  UNION ALL
  SELECT 'medium', p.table_name::text,
         format('resource id is not unique: two rows with the same %I are one resource, so that what one is assigned to shows the other', p.id_column),
         format('CREATE UNIQUE INDEX ON %s (%I);', p.table_name, p.id_column)
    FROM seeme.protected_tables p JOIN pg_class c ON c.oid = p.table_name AND c.relkind = 'r'
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = p.id_column AND NOT a.attisdropped
   WHERE p.holds_resource
     AND NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisunique AND i.indisvalid AND i.indpred IS NULL
                       AND i.indnkeyatts = 1 AND i.indkey[0] = a.attnum)
  UNION ALL
  SELECT 'medium', r.ev_class::regclass::text,
         format('rule on a protected table: what %I does runs with the rights of the table''s owner, and may carry rows elsewhere', r.rulename),
         format('DROP RULE %I ON %s;', r.rulename, r.ev_class::regclass)
    FROM pg_rewrite r JOIN seeme.guarded_relations() g ON g.relation = r.ev_class
   WHERE r.rulename <> '_RETURN'
  UNION ALL
  SELECT 'high', c.oid::regclass::text,
         format('listing view is no barrier: the owner of this view bypasses row security, so that a condition of the reader may be run on hidden rows of %s', p.table_name),
         format('ALTER VIEW %s SET (security_barrier = true);', c.oid::regclass)
    FROM seeme.protected_tables p JOIN pg_class c ON c.oid = p.listing_view
   WHERE NOT coalesce('security_barrier=true' = ANY (c.reloptions), false)
$$;
COMMENT ON FUNCTION seeme.findings_on_protected_tables() IS 'Part of the security report: the guards of protected tables and of the extension''s own';

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

CREATE FUNCTION seeme.findings_beside_protected_tables() RETURNS TABLE (severity text, object text, finding text, remedy text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  -- Tables that tell where their rows belong, and are left out.
  WITH candidate AS (
    SELECT c.oid, c.relname, c.relowner, c.relacl,
           CASE WHEN c.relname ~ '^[a-z][a-z0-9_]*$' AND c.relname NOT IN ('organizations', 'teams', 'projects', 'roles', 'permissions')
                THEN c.relname END AS resource
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't' AND NOT c.relispartition AND NOT c.relrowsecurity
       AND n.nspname NOT IN ('seeme', 'pg_catalog', 'information_schema') AND n.nspname !~ '^pg_'
       AND NOT EXISTS (SELECT FROM seeme.protected_tables p WHERE p.table_name = c.oid)
       AND NOT seeme.is_of_extension('pg_class', c.oid)
  ), told AS (
    -- the narrowest scope first: a project says which team and organization, too
    SELECT DISTINCT ON (c.oid) c.oid, v.parameter, a.attname
      FROM candidate c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.atttypid = 'uuid'::regtype,
           LATERAL (SELECT CASE WHEN f.target = 'seeme.projects'::regclass OR a.attname = 'project_id' THEN 'project_column'
                                WHEN f.target = 'seeme.teams'::regclass OR a.attname = 'team_id' THEN 'team_column'
                                WHEN f.target = 'seeme.organizations'::regclass OR a.attname = 'organization_id' THEN 'organization_column' END
                      FROM (SELECT (SELECT k.confrelid FROM pg_constraint k
                                     WHERE k.conrelid = c.oid AND k.contype = 'f' AND a.attnum = ANY (k.conkey)
                                       AND k.confrelid IN ('seeme.projects'::regclass, 'seeme.teams'::regclass, 'seeme.organizations'::regclass)
                                     LIMIT 1)) AS f (target)) AS v (parameter)
     WHERE v.parameter IS NOT NULL
     ORDER BY c.oid, CASE v.parameter WHEN 'project_column' THEN 1 WHEN 'team_column' THEN 2 ELSE 3 END, a.attnum
  ), referring AS (
    SELECT DISTINCT k.conrelid AS oid FROM pg_constraint k JOIN seeme.protected_tables p ON p.table_name = k.confrelid WHERE k.contype = 'f')
  SELECT CASE WHEN EXISTS (SELECT FROM aclexplode(c.relacl) AS a WHERE a.grantee <> c.relowner) THEN 'high' ELSE 'low' END,
         c.oid::regclass::text,
         format('table without row security: its rows belong to %s, and whoever is granted it sees them all',
                CASE WHEN t.oid IS NOT NULL THEN replace(t.parameter, '_column', 's') || format(' (%I)', t.attname) ELSE 'rows of a protected table' END),
         CASE WHEN t.oid IS NOT NULL AND c.resource IS NOT NULL
              THEN format('SELECT @extschema@.seeme_protect(%L, %L, %s => %L);', c.oid::regclass, c.resource, t.parameter, t.attname)
              ELSE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;', c.oid::regclass) END
    FROM candidate c LEFT JOIN told t ON t.oid = c.oid LEFT JOIN referring r ON r.oid = c.oid
   WHERE t.oid IS NOT NULL OR r.oid IS NOT NULL
$$;
COMMENT ON FUNCTION seeme.findings_beside_protected_tables() IS 'Part of the security report: tables that were forgotten';

CREATE FUNCTION seeme.findings_on_ways_around() RETURNS TABLE (severity text, object text, finding text, remedy text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  WITH guarded AS MATERIALIZED (
    SELECT g.relation, g.is_own, c.relname,
           '\m' || regexp_replace(CASE WHEN g.is_own THEN 'seeme.' ELSE '' END || c.relname, '([^a-zA-Z0-9_])', '\\\1', 'g') || '\M' AS word
      FROM seeme.guarded_relations() g JOIN pg_class c ON c.oid = g.relation
  ), definer AS MATERIALIZED (
    SELECT p.oid, p.prosrc, p.proowner, p.proconfig, p.prosqlbody, p.pronamespace
      FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
     WHERE p.prosecdef AND p.proowner IN (SELECT role FROM seeme.bypassing_roles())
       AND NOT seeme.is_of_extension('pg_proc', p.oid)
       AND (p.proacl IS NULL OR EXISTS (SELECT FROM aclexplode(p.proacl) AS a WHERE a.grantee <> p.proowner))
  )
  SELECT 'high', c.oid::regclass::text,
         format('view runs with its owner''s rights: it shows rows of protected tables, and its owner %s bypasses row security', c.relowner::regrole),
         format('ALTER VIEW %s SET (security_invoker = true);', c.oid::regclass)
    FROM seeme.views_over_guarded_relations() v JOIN pg_class c ON c.oid = v.relation AND c.relkind = 'v'
   WHERE c.relowner IN (SELECT role FROM seeme.bypassing_roles())
     AND NOT EXISTS (SELECT FROM unnest(c.reloptions) AS o WHERE o ~* '^security_invoker=(true|on|yes|1|t|y)$')
  UNION ALL
  SELECT 'high', c.oid::regclass::text,
         'materialized view holds rows: it keeps what its owner saw of protected tables, and knows no policies: whoever is granted it sees all of that',
         format('REVOKE ALL ON %s FROM %s;', c.oid::regclass, a.grantees)
    FROM seeme.views_over_guarded_relations() v JOIN pg_class c ON c.oid = v.relation AND c.relkind = 'm',
         LATERAL (SELECT string_agg(DISTINCT seeme.grantee_name(a.grantee), ', ') AS grantees FROM aclexplode(c.relacl) AS a WHERE a.grantee <> c.relowner) AS a
   WHERE a.grantees IS NOT NULL
  UNION ALL
  SELECT 'high', d.oid::regprocedure::text,
         format('SECURITY DEFINER function reads protected tables: others may call it, it names %s, and its owner %s bypasses row security', m.names, d.proowner::regrole),
         format('ALTER ROUTINE %s SECURITY INVOKER;', d.oid::regprocedure)
    FROM definer d,
         LATERAL (SELECT string_agg(g.relation::regclass::text, ', ' ORDER BY g.relation::regclass::text) AS names FROM guarded g
                   WHERE CASE WHEN d.prosqlbody IS NOT NULL
                              THEN EXISTS (SELECT FROM pg_depend p WHERE p.classid = 'pg_proc'::regclass AND p.objid = d.oid
                                             AND p.refclassid = 'pg_class'::regclass AND p.refobjid = g.relation)
                              WHEN strpos(lower(d.prosrc), lower(g.relname)) > 0 THEN d.prosrc ~* g.word ELSE false END) AS m
   WHERE m.names IS NOT NULL
  UNION ALL
  SELECT 'high', d.oid::regprocedure::text,
         format('SECURITY DEFINER function without a search_path: whoever calls it chooses which objects its names mean, and its owner %s bypasses row security', d.proowner::regrole),
         format('ALTER ROUTINE %s SET search_path = pg_catalog, %s, pg_temp;', d.oid::regprocedure, d.pronamespace::regnamespace)
    FROM definer d JOIN pg_proc p ON p.oid = d.oid JOIN pg_language l ON l.oid = p.prolang AND l.lanname NOT IN ('c', 'internal')
   WHERE d.prosqlbody IS NULL AND NOT EXISTS (SELECT FROM unnest(d.proconfig) AS s WHERE s ~ '^search_path=')
  UNION ALL
  SELECT 'medium', p.oid::regprocedure::text,
         'function is LEAKPROOF: PostgreSQL may call it with values of hidden rows, before the policies are asked; what it tells of them, in an error or a notice, leaks',
         format('ALTER FUNCTION %s NOT LEAKPROOF;', p.oid::regprocedure)
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
   WHERE p.proleakproof AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND NOT seeme.is_of_extension('pg_proc', p.oid)
  UNION ALL
  SELECT 'medium', format('publication %I', p.pubname),
         CASE WHEN p.puballtables THEN 'publication carries protected rows: it publishes all tables, and a subscriber gets every row, whatever the policies say'
              ELSE format('publication carries protected rows: a subscriber gets every row of %s, whatever the policies say', x.what) END,
         CASE WHEN p.puballtables THEN format('DROP PUBLICATION %I;', p.pubname)
              ELSE format('ALTER PUBLICATION %I DROP %s;', p.pubname, x.what) END
    FROM pg_publication p
    JOIN LATERAL (
         SELECT NULL::text AS what WHERE p.puballtables
         UNION ALL
         SELECT 'TABLE ' || r.prrelid::regclass FROM pg_publication_rel r JOIN guarded g ON g.relation = r.prrelid WHERE r.prpubid = p.oid
         UNION ALL
         SELECT 'TABLES IN SCHEMA ' || s.pnnspid::regnamespace FROM pg_publication_namespace s
          WHERE s.pnpubid = p.oid AND EXISTS (SELECT FROM guarded g JOIN pg_class c ON c.oid = g.relation AND c.relnamespace = s.pnnspid)) AS x ON true
$$;
COMMENT ON FUNCTION seeme.findings_on_ways_around() IS 'Part of the security report: what shows rows of protected tables to others without asking the policies';

CREATE FUNCTION seeme.findings_on_privileges() RETURNS TABLE (severity text, object text, finding text, remedy text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  WITH granted AS MATERIALIZED (SELECT * FROM seeme.grants_on_relations()),
  -- Whoever owns the extension, and superusers, are granted nothing by that.
  routine AS MATERIALIZED (
    SELECT p.oid, p.proname, p.pronamespace, a.grantee, a.is_grantable
      FROM pg_depend d JOIN pg_proc p ON d.classid = 'pg_proc'::regclass AND p.oid = d.objid, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) AS a
     WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e' AND a.grantee <> p.proowner
       AND d.refobjid = (SELECT e.oid FROM pg_extension e WHERE e.extname = 'seeme_rbac'))
  SELECT CASE g.privilege WHEN 'REFERENCES' THEN 'medium' ELSE 'high' END, g.relation::regclass::text,
         format('%s is granted: %s', g.privilege,
           CASE g.privilege
             WHEN 'TRUNCATE' THEN format('%s may empty the table, which no policy looks at', seeme.grantee_name(g.grantee))
             WHEN 'TRIGGER' THEN format('%s may hang code of theirs on the table that runs with the rights of whoever writes it', seeme.grantee_name(g.grantee))
             ELSE format('by a foreign key %s finds out which ids exist, and keeps rows from being deleted, which no policy looks at', seeme.grantee_name(g.grantee)) END),
         format('REVOKE %s ON %s FROM %s CASCADE;', g.privilege, g.relation::regclass, seeme.grantee_name(g.grantee))
    FROM (SELECT DISTINCT relation, grantee, privilege FROM granted) g
   WHERE g.privilege IN ('TRUNCATE', 'REFERENCES', 'TRIGGER')
  UNION ALL
  SELECT 'medium', g.relation::regclass::text,
         format('granted to PUBLIC: every role of the cluster holds %s on this table', string_agg(DISTINCT g.privilege, ', ' ORDER BY g.privilege)),
         format('REVOKE %s ON %s FROM PUBLIC;', string_agg(DISTINCT g.privilege, ', ' ORDER BY g.privilege), g.relation::regclass)
    FROM granted g WHERE g.grantee = 0 AND g.privilege IN ('SELECT', 'INSERT', 'UPDATE', 'DELETE') GROUP BY g.relation
  UNION ALL
  SELECT 'medium', g.relation::regclass::text,
         format('may be passed on: %s holds %s with the grant option, and decides who else gets it', seeme.grantee_name(g.grantee), string_agg(DISTINCT g.privilege, ', ' ORDER BY g.privilege)),
         format('REVOKE GRANT OPTION FOR %s ON %s FROM %s CASCADE;', string_agg(DISTINCT g.privilege, ', ' ORDER BY g.privilege), g.relation::regclass, seeme.grantee_name(g.grantee))
    FROM granted g WHERE g.grantable GROUP BY g.relation, g.grantee
  UNION ALL
  SELECT CASE WHEN r.proname = 'seeme_assume' THEN 'critical' ELSE 'medium' END, r.oid::regprocedure::text,
         format('may be passed on: %s holds EXECUTE with the grant option, and decides who else gets it', seeme.grantee_name(r.grantee)),
         format('REVOKE GRANT OPTION FOR EXECUTE ON FUNCTION %s FROM %s CASCADE;', r.oid::regprocedure, seeme.grantee_name(r.grantee))
    FROM routine r WHERE r.is_grantable
  UNION ALL
  SELECT 'high', g.relation::regclass::text,
         format('secret is readable: %s reads the column %I; what is kept of tokens and keys is for nobody to see', seeme.grantee_name(g.grantee), a.attname),
         CASE WHEN bool_or(g.column_name IS NULL)
              THEN format('REVOKE SELECT ON %1$s FROM %2$s; GRANT SELECT (%3$s) ON %1$s TO %2$s;', g.relation::regclass, seeme.grantee_name(g.grantee),
                          (SELECT string_agg(quote_ident(o.attname), ', ' ORDER BY o.attnum) FROM pg_attribute o
                            WHERE o.attrelid = g.relation AND o.attnum > 0 AND NOT o.attisdropped AND o.attname <> a.attname))
              ELSE format('REVOKE SELECT (%I) ON %s FROM %s;', a.attname, g.relation::regclass, seeme.grantee_name(g.grantee)) END
    FROM granted g JOIN pg_attribute a ON a.attrelid = g.relation AND a.attname IN ('token_hash', 'key_hash')
   WHERE g.is_own AND g.privilege = 'SELECT' AND (g.column_name IS NULL OR g.column_name = a.attname)
   GROUP BY g.relation, g.grantee, a.attname
  UNION ALL
  SELECT 'high', 'seeme.users',
         format('database_role is writable: whoever writes their own role into it becomes that person; a trigger alone keeps %s from it', seeme.grantee_name(g.grantee)),
         CASE WHEN bool_or(g.column_name IS NULL)
              THEN format('REVOKE %s ON seeme.users FROM %s; SELECT @extschema@.seeme_grant_provisioning(%L);', string_agg(DISTINCT g.privilege, ', '),
                          seeme.grantee_name(g.grantee), (SELECT r.rolname FROM pg_roles r WHERE r.oid = g.grantee))
              ELSE format('REVOKE %s ON seeme.users FROM %s;', string_agg(DISTINCT format('%s (database_role)', g.privilege), ', '), seeme.grantee_name(g.grantee)) END
    FROM granted g
   WHERE g.relation = 'seeme.users'::regclass AND g.privilege IN ('INSERT', 'UPDATE') AND g.grantee <> 0
     AND (g.column_name IS NULL OR g.column_name = 'database_role')
   GROUP BY g.grantee
  UNION ALL
  SELECT 'medium', g.relation::regclass::text,
         format('table of the extension is writable: %s holds %s on it, which seeme_grant_usage gives nobody; policies and triggers alone stand in the way',
                seeme.grantee_name(g.grantee), string_agg(DISTINCT g.privilege, ', ' ORDER BY g.privilege)),
         format('REVOKE %s ON %s FROM %s;', string_agg(DISTINCT g.privilege, ', ' ORDER BY g.privilege), g.relation::regclass, seeme.grantee_name(g.grantee))
    FROM granted g JOIN pg_class c ON c.oid = g.relation
   WHERE g.is_own AND g.grantee <> 0
     AND (c.relname IN ('audit_log', 'api_key_uses', 'protected_tables', 'released_resources', 'retired_ids', 'installed_guards')
            AND g.privilege IN ('INSERT', 'UPDATE', 'DELETE')
          OR c.relname IN ('api_keys', 'invitations') AND g.privilege IN ('INSERT', 'UPDATE')
          OR c.relname = 'project_resources' AND g.privilege = 'UPDATE')
   GROUP BY g.relation, g.grantee
  UNION ALL
  SELECT 'high', seeme.grantee_name(g.grantee),
         'application role provisions users: while nobody is identified it sees and writes every user, and so does SQL that is injected into it',
         format('REVOKE INSERT, UPDATE, DELETE ON seeme.users FROM %s;', seeme.grantee_name(g.grantee))
    FROM granted g
   WHERE g.relation = 'seeme.users'::regclass AND g.privilege = 'DELETE'
     AND g.grantee IN (SELECT r.grantee FROM routine r WHERE r.oid = '@extschema@.seeme_assume(uuid)'::regprocedure)
  UNION ALL
  SELECT CASE WHEN r.pronamespace = 'seeme'::regnamespace THEN 'high' ELSE 'medium' END, r.oid::regprocedure::text,
         'function is granted to PUBLIC: every role of the cluster may call it; seeme_grant_usage gives those that need it what they need',
         format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC;', r.oid::regprocedure)
    FROM routine r WHERE r.grantee = 0
  UNION ALL
  SELECT 'critical', r.oid::regprocedure::text,
         format('internal function is granted: it decides who asks, or looks at rows with the rights of their owner, and %s may call it', seeme.grantee_name(r.grantee)),
         format('REVOKE EXECUTE ON FUNCTION %s FROM %s;', r.oid::regprocedure, seeme.grantee_name(r.grantee))
    FROM routine r
   WHERE r.pronamespace = 'seeme'::regnamespace AND r.proname IN ('login_by_key', 'login_by_token', 'every_row', 'text_of_row', 'note_key_use', 'parsed_condition') AND r.grantee <> 0
  UNION ALL
  SELECT 'low', seeme.grantee_name(r.grantee),
         'seeme_assume is granted to a group: it works for a session_user that is granted it by name alone, so that this grant does nothing but mislead',
         format('REVOKE EXECUTE ON FUNCTION %s FROM %s;', r.oid::regprocedure, seeme.grantee_name(r.grantee))
    FROM routine r JOIN pg_roles g ON g.oid = r.grantee AND NOT g.rolcanlogin
   WHERE r.oid = '@extschema@.seeme_assume(uuid)'::regprocedure
  UNION ALL
  SELECT CASE WHEN n.nspname = 'seeme' THEN 'high' ELSE 'medium' END, 'schema ' || n.oid::regnamespace,
         format('CREATE is granted: %s may put objects beside those of the extension, which others then take for them', seeme.grantee_name(a.grantee)),
         format('REVOKE CREATE ON SCHEMA %s FROM %s;', n.oid::regnamespace, seeme.grantee_name(a.grantee))
    FROM pg_namespace n, aclexplode(n.nspacl) AS a
   WHERE n.oid IN ('seeme'::regnamespace, (SELECT e.extnamespace FROM pg_extension e WHERE e.extname = 'seeme_rbac'))
     AND a.privilege_type = 'CREATE' AND a.grantee <> n.nspowner
     AND (a.grantee = 0 OR n.nspname = 'seeme' OR a.grantee IN (SELECT role FROM seeme.application_roles()))
  UNION ALL
  SELECT 'low', 'schema seeme',
         'granted to PUBLIC: every role of the cluster may use the schema of the extension',
         'REVOKE USAGE ON SCHEMA seeme FROM PUBLIC;'
    FROM pg_namespace n, aclexplode(n.nspacl) AS a
   WHERE n.nspname = 'seeme' AND a.grantee = 0 AND a.privilege_type = 'USAGE'
  UNION ALL
  SELECT 'medium', format('default privileges of %s%s', d.defaclrole::regrole, ' in ' || nullif(d.defaclnamespace, 0)::regnamespace),
         format('new tables are open: whatever table is made is granted to %s at once (%s), before anybody can protect it',
                seeme.grantee_name(a.grantee), string_agg(a.privilege_type, ', ' ORDER BY a.privilege_type)),
         format('ALTER DEFAULT PRIVILEGES FOR ROLE %s%s REVOKE ALL ON TABLES FROM %s;', d.defaclrole::regrole,
                ' IN SCHEMA ' || nullif(d.defaclnamespace, 0)::regnamespace, seeme.grantee_name(a.grantee))
    FROM pg_default_acl d, aclexplode(d.defaclacl) AS a
   WHERE d.defaclobjtype = 'r' AND a.grantee <> d.defaclrole
     AND (a.grantee = 0 OR a.grantee IN (SELECT role FROM seeme.application_roles()))
   GROUP BY d.defaclrole, d.defaclnamespace, a.grantee
$$;
COMMENT ON FUNCTION seeme.findings_on_privileges() IS 'Part of the security report: who was granted what nobody needs';

-- Settings, wherever they are made. A setting that this version does not have is nowhere.
CREATE FUNCTION seeme.settings(wanted text) RETURNS TABLE (whom text, value text, remedy text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  WITH made AS (
    SELECT x.setrole, d.datname, substr(v.entry, strpos(v.entry, '=') + 1) AS value,
           CASE WHEN x.setrole = 0 AND x.setdatabase <> 0 THEN format('DATABASE %I', d.datname)
                ELSE concat('ROLE ', CASE x.setrole WHEN 0 THEN 'ALL' ELSE x.setrole::regrole::text END, ' IN DATABASE ' || quote_ident(d.datname)) END AS whom
      FROM pg_db_role_setting x LEFT JOIN pg_database d ON d.oid = x.setdatabase, unnest(x.setconfig) AS v (entry)
     WHERE lower(split_part(v.entry, '=', 1)) = wanted AND (x.setdatabase = 0 OR d.datname = current_database()))
  SELECT m.whom, m.value, format('ALTER %s RESET %s;', m.whom, wanted) FROM made m
  UNION ALL
  -- Of the configuration file one learns from what this session would go back to, unless something else says what that is.
  SELECT 'SYSTEM', s.reset_val, format('ALTER SYSTEM SET %s = %L; -- then SELECT pg_reload_conf();', s.name, s.boot_val)
    FROM pg_settings s
   WHERE s.name = wanted AND s.reset_val IS DISTINCT FROM s.boot_val AND s.source <> 'client'
     AND NOT EXISTS (SELECT FROM made m LEFT JOIN pg_roles r ON r.oid = m.setrole WHERE m.setrole = 0 OR r.rolname = session_user)
$$;
COMMENT ON FUNCTION seeme.settings(text) IS 'Where a setting is made, for a role, a database or the whole server, to what, and the statement that unmakes it';

CREATE FUNCTION seeme.is_on(value text) RETURNS boolean
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
-- as PostgreSQL reads a boolean setting: any beginning that is unambiguous
RETURN lower(value) IN ('1', 'on') OR value <> '' AND (starts_with('true', lower(value)) OR starts_with('yes', lower(value)));
COMMENT ON FUNCTION seeme.is_on(text) IS 'Whether a value of a boolean setting stands for on';

CREATE FUNCTION seeme.findings_on_roles() RETURNS TABLE (severity text, object text, finding text, remedy text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  WITH application AS MATERIALIZED (SELECT a.role FROM seeme.application_roles() a),
  bypassing AS MATERIALIZED (SELECT b.role FROM seeme.bypassing_roles() b),
  reach AS MATERIALIZED (SELECT * FROM seeme.memberships_of_roles())
  SELECT 'critical', r.oid::regrole::text,
         format('application role bypasses row security: %s, so that no policy applies to what the application does',
                CASE WHEN r.rolsuper THEN 'it is a superuser' ELSE 'it has BYPASSRLS' END),
         format('ALTER ROLE %s NOSUPERUSER NOBYPASSRLS;', r.oid::regrole)
    FROM pg_roles r JOIN application a ON a.role = r.oid WHERE r.rolsuper OR r.rolbypassrls
  UNION ALL
  SELECT 'critical', m.member::regrole::text,
         format('application role may become one that bypasses row security: SET ROLE %s is open to SQL that is injected into it', string_agg(DISTINCT m.reaches::regrole::text, ', ')),
         seeme.end_membership(m.through, m.member)
    FROM reach m JOIN application a ON a.role = m.member JOIN bypassing b ON b.role = m.reaches
   GROUP BY m.member, m.through
  UNION ALL
  SELECT 'medium', r.oid::regrole::text,
         'login role has BYPASSRLS: whoever connects as it sees every row of every table that it is granted',
         format('ALTER ROLE %s NOBYPASSRLS;', r.oid::regrole)
    FROM pg_roles r WHERE r.rolcanlogin AND r.rolbypassrls AND NOT r.rolsuper AND r.oid NOT IN (SELECT role FROM application)
  UNION ALL
  SELECT 'high', r.oid::regrole::text,
         'application role has CREATEROLE: it may give itself memberships and other roles passwords, and so get around what it was granted',
         format('ALTER ROLE %s NOCREATEROLE;', r.oid::regrole)
    FROM pg_roles r JOIN application a ON a.role = r.oid WHERE r.rolcreaterole AND NOT r.rolsuper
  UNION ALL
  SELECT 'high', r.oid::regrole::text,
         'application role has REPLICATION: it may copy the whole cluster, which no policy looks at',
         format('ALTER ROLE %s NOREPLICATION;', r.oid::regrole)
    FROM pg_roles r JOIN application a ON a.role = r.oid WHERE r.rolreplication AND NOT r.rolsuper
  UNION ALL
  SELECT CASE WHEN g.rolname IN ('pg_execute_server_program', 'pg_read_server_files', 'pg_write_server_files') THEN 'critical'
              WHEN g.rolname IN ('pg_read_all_data', 'pg_write_all_data', 'pg_maintain', 'pg_create_subscription') THEN 'high' ELSE 'low' END,
         m.member::regrole::text,
         format('application role is in a predefined role: %s %s', g.rolname,
                CASE WHEN g.rolname IN ('pg_execute_server_program', 'pg_read_server_files', 'pg_write_server_files')
                     THEN 'acts as the operating system''s user of the server, and reads or changes the files of every table'
                     WHEN g.rolname IN ('pg_read_all_data', 'pg_write_all_data', 'pg_maintain', 'pg_create_subscription')
                     THEN 'holds privileges on every table, those without row security and the hashes of keys included'
                     ELSE 'sees the queries of others, and with them keys that were not passed as parameters' END),
         seeme.end_membership(m.through, m.member)
    FROM reach m JOIN application a ON a.role = m.member JOIN pg_roles g ON g.oid = m.reaches
   WHERE g.rolname IN ('pg_execute_server_program', 'pg_read_server_files', 'pg_write_server_files', 'pg_read_all_data', 'pg_write_all_data',
                       'pg_maintain', 'pg_create_subscription', 'pg_monitor', 'pg_read_all_stats')
     -- a role that another one of these brings along is told with that one
     AND NOT EXISTS (SELECT FROM reach w JOIN pg_roles v ON v.oid = w.reaches AND v.rolname = 'pg_monitor'
                      WHERE w.member = m.member AND g.rolname = 'pg_read_all_stats')
  UNION ALL
  SELECT 'high', c.oid::regclass::text,
         format('application role owns a protected table: %s may drop its policies, or take the force out of them', o.role::regrole),
         CASE WHEN o.role = c.relowner
              THEN format('ALTER TABLE %1$s OWNER TO %2$s; GRANT SELECT, INSERT, UPDATE, DELETE ON %1$s TO %3$s;', c.oid::regclass, seeme.extension_owner()::regrole, o.role::regrole)
              ELSE seeme.end_membership(o.through, o.role) END
    FROM seeme.protected_tables p JOIN pg_class c ON c.oid = p.table_name
    JOIN (SELECT a.role, a.role AS owner, NULL::oid AS through FROM application a
          UNION ALL SELECT m.member, m.reaches, m.through FROM reach m JOIN application a ON a.role = m.member) AS o ON o.owner = c.relowner
   WHERE o.role NOT IN (SELECT role FROM bypassing) AND o.owner NOT IN (SELECT role FROM bypassing)
  UNION ALL
  SELECT 'high', 'database ' || quote_ident(d.datname),
         format('application role owns the database: %s may create schemas, and set for every session here what search_path or row_security is', d.datdba::regrole),
         format('ALTER DATABASE %I OWNER TO %s;', d.datname, seeme.extension_owner()::regrole)
    FROM pg_database d WHERE d.datname = current_database() AND d.datdba IN (SELECT role FROM application)
      AND d.datdba NOT IN (SELECT role FROM bypassing)
  UNION ALL
  SELECT 'high', s.whom,
         'row_security is off: queries that a policy applies to fail, and until somebody has been added, what a superuser writes is taken as a restored dump: neither checked nor logged',
         s.remedy
    FROM seeme.settings('row_security') s WHERE NOT seeme.is_on(s.value)
  UNION ALL
  SELECT 'critical', s.whom,
         'rows count as restored: with this seeme_rbac.restoring, what a superuser writes into the schema seeme is neither checked nor logged',
         s.remedy
    FROM seeme.settings('seeme_rbac.restoring') s WHERE seeme.is_on(s.value)
  UNION ALL
  SELECT 'high', s.whom,
         'triggers are switched off: with this session_replication_role no trigger of the model fires, nor does a foreign key hold',
         s.remedy
    FROM seeme.settings('session_replication_role') s WHERE lower(s.value) <> 'origin'
$$;
COMMENT ON FUNCTION seeme.findings_on_roles() IS 'Part of the security report: what database roles may do besides';

CREATE FUNCTION seeme.findings_on_people() RETURNS TABLE (severity text, object text, finding text, remedy text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT 'critical', format('seeme.users %s', u.id),
         format('person''s role bypasses row security: %s connects as the database role %I, to which no policy applies', coalesce(u.username, u.email, u.id::text), u.database_role),
         format('UPDATE seeme.users SET database_role = NULL WHERE id = %L;', u.id)
    FROM seeme.users u JOIN pg_roles r ON r.rolname = u.database_role
   WHERE r.oid IN (SELECT b.role FROM seeme.bypassing_roles() b)
  UNION ALL
  SELECT 'medium', format('seeme.users %s', u.id),
         format('person''s role does not exist: whoever may create the database role %I becomes %s', u.database_role, coalesce(u.username, u.email, u.id::text)),
         format('UPDATE seeme.users SET database_role = NULL WHERE id = %L;', u.id)
    FROM seeme.users u
   WHERE u.database_role IS NOT NULL AND NOT EXISTS (SELECT FROM pg_roles r WHERE r.rolname = u.database_role)
  UNION ALL
  SELECT 'low', format('seeme.api_keys %s', k.id),
         format('key never expires: %L is good for as long as nobody thinks of revoking it', k.name),
         format('UPDATE seeme.api_keys SET expires_at = now() + interval ''90 days'' WHERE id = %L;', k.id)
    FROM seeme.api_keys k WHERE k.expires_at IS NULL
  UNION ALL
  SELECT 'medium', format('seeme.api_keys %s', k.id),
         format('key holds everything: %L is as good as its user; whoever finds it may do all that the user may', k.name),
         format('DELETE FROM seeme.api_keys WHERE id = %L; -- and make one with the codes that it needs', k.id)
    FROM seeme.api_keys k WHERE '*' = ANY (k.permissions)
  UNION ALL
  SELECT 'medium', format('seeme.organizations %s', o.id),
         format('owner is disabled: nobody acts as the owner of %L until it is handed over', o.name),
         coalesce(
           (SELECT format('UPDATE seeme.organizations SET owner_id = %L WHERE id = %L; -- %s, %s', u.id, o.id, coalesce(u.username, u.email, 'a member'), coalesce(r.name, 'without a role'))
              FROM seeme.memberships m JOIN seeme.users u ON u.id = m.user_id LEFT JOIN seeme.roles r ON r.id = m.role_id
             WHERE m.organization_id = o.id AND m.team_id IS NULL AND m.project_id IS NULL AND m.user_id <> o.owner_id
               AND coalesce(m.valid_from <= clock_timestamp(), true) AND coalesce(clock_timestamp() < m.valid_until, true)
               AND (u.disabled_at IS NULL OR u.disabled_at > clock_timestamp())
             ORDER BY (r.is_system_role AND r.name = 'Admin') IS TRUE DESC, coalesce(cardinality(r.permissions), 0) DESC, m.created_at, m.id LIMIT 1),
           format('-- UPDATE seeme.organizations SET owner_id = ... WHERE id = %L: it has no other current member', o.id))
    FROM seeme.organizations o JOIN seeme.users u ON u.id = o.owner_id
   WHERE u.disabled_at <= clock_timestamp()
  UNION ALL
  SELECT 'info', format('seeme.roles %s', r.id),
         format('role holds everything: %L has the wildcard *, and with it every right that is ever registered, as an owner does', r.name),
         format('UPDATE seeme.roles SET permissions = array_remove(permissions, ''*'') WHERE id = %L;', r.id)
    FROM seeme.roles r WHERE r.organization_id IS NOT NULL AND '*' = ANY (r.permissions)
$$;
COMMENT ON FUNCTION seeme.findings_on_people() IS 'Part of the security report: what the rows of the model themselves allow';

-- Each is described at https://www.postgresql.org/support/security/CVE-.../ ; fixed_in is, per major version, the first minor
-- release without it. A major version that is not named was never released with it.
CREATE FUNCTION seeme.row_security_cves(version integer)
RETURNS TABLE (cve text, severity text, about text, fixed_in text)
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT k.cve, k.severity, k.about, f.fixed / 10000 || '.' || f.fixed % 10000
    FROM (VALUES
      ('CVE-2023-2455', 'medium', 'policies of another role apply after a function was inlined', '{150003}'::integer[]),
      ('CVE-2023-39418', 'high', 'MERGE updates rows that the policies of UPDATE and SELECT hide', '{150004}'),
      ('CVE-2024-4317', 'low', 'pg_stats_ext shows values of columns that one may not read', '{150007,160003}'),
      ('CVE-2024-10976', 'medium', 'policies of another role apply in subqueries of a plan that is used again', '{150009,160005,170001}'),
      ('CVE-2024-10978', 'medium', 'a session goes back to the wrong role after SET ROLE or SET SESSION AUTHORIZATION', '{150009,160005,170001}'),
      ('CVE-2025-8713', 'medium', 'the planner''s statistics show values of hidden rows of partitioned tables', '{150014,160010,170006}'),
      ('CVE-2026-14666', 'medium', 'plans go on with the policies of before a role was changed', '{150019,160015,170011,180006}'),
      ('CVE-2026-16237', 'high', 'INSERT ... ON CONFLICT on a view updates rows that the view hides', '{150020,160016,170012,180007}'),
      ('CVE-2026-116311', 'medium', 'DROP OWNED BY takes a role out of restrictive policies of tables of others', '{150020,160016,170012,180007}'),
      ('CVE-2026-120154', 'high', 'INSERT ... ON CONFLICT reads every row, whatever the policies say', '{150020,160016,170012,180007}')
    ) AS k (cve, severity, about, fixed), unnest(k.fixed) AS f (fixed)
   WHERE f.fixed / 10000 = version / 10000 AND version < f.fixed
$$;
COMMENT ON FUNCTION seeme.row_security_cves(integer) IS
  'The known vulnerabilities of row security in a version of PostgreSQL (as server_version_num has it), and the minor release that mends each';

CREATE FUNCTION seeme.findings_on_server(version integer) RETURNS TABLE (severity text, object text, finding text, remedy text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT v.severity, format('PostgreSQL %s.%s', version / 10000, version % 10000),
         format('server lacks a fix: %s, %s', v.cve, v.about),
         format('-- update the server to PostgreSQL %s or later, and restart it: https://www.postgresql.org/support/security/%s/', v.fixed_in, v.cve)
    FROM seeme.row_security_cves(version) v
$$;
COMMENT ON FUNCTION seeme.findings_on_server(integer) IS 'Part of the security report: what the minor release of the server lacks';

CREATE FUNCTION seeme.findings_on_identity() RETURNS TABLE (severity text, object text, finding text, remedy text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  keys regclass := to_regclass('seeme.token_keys');
BEGIN
  RETURN QUERY
  SELECT 'critical', s.whom,
         'request claims are trusted: who is asking is read from request.jwt.claims, which every client may set, so that injected SQL is whoever it likes',
         s.remedy
    FROM seeme.settings('seeme_rbac.trust_request_claims') s WHERE seeme.is_on(s.value)
  UNION ALL
  SELECT 'medium', s.whom,
         'session logins are allowed: an identity then outlives its transaction, and behind a pooler in transaction mode the next client has it',
         s.remedy
    FROM seeme.settings('seeme_rbac.session_login') s WHERE seeme.is_on(s.value)
  UNION ALL
  SELECT 'high', s.whom,
         format('weak method of authentication: %s proves nothing that a client could not claim; who connects by it is taken for a person', m.method),
         s.remedy
    FROM seeme.settings('seeme_rbac.system_user_methods') s, regexp_split_to_table(lower(s.value), '[\s,"]+') AS m (method)
   WHERE m.method IN ('trust', 'ident', 'password')
  UNION ALL
  SELECT 'low', s.whom,
         format('tokens are taken late: token_leeway is %s; clocks are kept closer than a minute, and a stolen token is good for that much longer', s.value),
         s.remedy
    FROM seeme.settings('seeme_rbac.token_leeway') s
   WHERE CASE WHEN s.value ~ '^ *[0-9]{1,9} *$' THEN s.value::integer > 60
              WHEN s.value ~ '^ *[0-9]{1,9} *(us|ms|s|min|h|d) *$' THEN s.value::interval > interval '1 minute' ELSE false END;

  IF keys IS NOT NULL THEN
    RETURN QUERY EXECUTE replace($query$
      SELECT 'low', format('seeme.token_keys %s', k.id),
             format('key both verifies and signs: %L is a shared secret (HS256), so that whoever reads it here makes tokens for anybody', k.kid),
             format('DELETE FROM seeme.token_keys WHERE id = %L; -- once the issuer signs with ES256 or RS256', k.id)
        FROM {keys} k WHERE k.algorithm LIKE 'HS%'
      UNION ALL
      SELECT 'info', format('seeme.token_keys %s', k.id),
             format('token key never expires: %L is taken for as long as nobody thinks of it', k.kid),
             format('UPDATE seeme.token_keys SET valid_until = now() + interval ''1 year'' WHERE id = %L;', k.id)
        FROM {keys} k WHERE k.valid_until IS NULL
      UNION ALL
      SELECT 'critical', 'seeme.token_keys',
             format('token keys are granted: %s holds %s on them; whoever writes a key makes tokens for anybody, and whoever reads a shared one, too',
                    seeme.grantee_name(g.grantee), string_agg(DISTINCT g.privilege, ', ' ORDER BY g.privilege)),
             format('REVOKE ALL ON seeme.token_keys FROM %s;', seeme.grantee_name(g.grantee))
        FROM seeme.grants_on_relations() g WHERE g.relation = '{keys}'::regclass GROUP BY g.grantee $query$, '{keys}', keys::text);
  END IF;
END $$;
COMMENT ON FUNCTION seeme.findings_on_identity() IS 'Part of the security report: how somebody comes to be the asking person';

CREATE FUNCTION @extschema@.seeme_security_report() RETURNS TABLE (severity text, object text, finding text, remedy text)
-- Compiling the queries would take longer than all of them.
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET jit = off AS $$
BEGIN
  -- It reads rows of everybody: under row security it would find little, and say so with a clear conscience.
  IF row_security_active('seeme.protected_tables') THEN
    RAISE EXCEPTION 'only a role that bypasses row security reports on it'
      USING ERRCODE = 'insufficient_privilege', HINT = 'Have a superuser call seeme_security_report.';
  END IF;
  RETURN QUERY
  SELECT f.severity, f.object, f.finding, f.remedy
    FROM (SELECT * FROM seeme.findings_on_protected_tables()
          UNION SELECT * FROM seeme.findings_on_own_tables()
          UNION SELECT * FROM seeme.findings_beside_protected_tables()
          UNION SELECT * FROM seeme.findings_on_ways_around()
          UNION SELECT * FROM seeme.findings_on_privileges()
          UNION SELECT * FROM seeme.findings_on_roles()
          UNION SELECT * FROM seeme.findings_on_people()
          UNION SELECT * FROM seeme.findings_on_identity()
          UNION SELECT * FROM seeme.findings_on_server(current_setting('server_version_num')::integer)) AS f
   ORDER BY array_position('{critical,high,medium,low,info}', f.severity), f.object COLLATE "C", f.finding COLLATE "C", f.remedy COLLATE "C";
END $$;
COMMENT ON FUNCTION @extschema@.seeme_security_report() IS
  'What is weak in this database: how bad (critical, high, medium, low, info), where, what and why (a name up to the colon, by which to filter), and the statement that mends it. For database administrators; it changes nothing.';
