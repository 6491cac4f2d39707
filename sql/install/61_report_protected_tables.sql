-- The security report on protected tables: their policies, triggers, partitions and indexes.

-- What seeme_protect would make now, to compare.
CREATE FUNCTION seeme.parsed_condition(relation regclass, condition text) RETURNS pg_node_tree
LANGUAGE c STABLE STRICT PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'seeme_parsed_condition';
COMMENT ON FUNCTION seeme.parsed_condition(regclass, text) IS
  'The expression that CREATE POLICY would store for a condition on the rows of a table. Only for '
  'the extension''s own functions: they pass conditions that the extension wrote itself.';

CREATE FUNCTION seeme.condition_in_words(relation regclass, condition text) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN pg_get_expr(seeme.parsed_condition(relation, condition), relation);
EXCEPTION WHEN OTHERS THEN
  RETURN NULL;
END $$;
COMMENT ON FUNCTION seeme.condition_in_words(regclass, text) IS
  'A condition on the rows of a table, as PostgreSQL shows it once it is a policy''s; null if it '
  'cannot be parsed there';

CREATE FUNCTION seeme.scope_columns_gone() RETURNS TABLE (relation regclass, name name)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT p.table_name, v.name
    FROM seeme.protected_tables p JOIN pg_class c ON c.oid = p.table_name,
         LATERAL (VALUES (p.project_column, 'uuid'::regtype), (p.team_column, 'uuid'),
                         (p.organization_column, 'uuid'), (p.resource_id_column, 'uuid'),
                         (p.owner_column, 'uuid'), (p.public_column, 'boolean'),
                         (p.parent_column, NULL)) AS v (name, type)
   WHERE v.name IS NOT NULL
     AND NOT EXISTS (SELECT FROM pg_attribute a
                      WHERE a.attrelid = p.table_name AND a.attname = v.name
                        AND NOT a.attisdropped AND a.atttypid = coalesce(v.type, a.atttypid))
$$;
COMMENT ON FUNCTION seeme.scope_columns_gone() IS
  'Recorded columns of protected tables that no longer exist, or are not of type uuid (the public '
  'column: boolean; the parent column: any type)';

CREATE FUNCTION seeme.policies_of_protected_tables()
RETURNS TABLE (relation regclass, name name, command "char", condition text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT p.table_name, v.name, v.command, v.condition
    FROM seeme.protected_tables p JOIN pg_class c ON c.oid = p.table_name,
         LATERAL (VALUES
           ('seeme_select'::name, 'r'::"char", seeme.read_condition(p)),
           ('seeme_insert', 'a', seeme.insert_condition(p)),
           ('seeme_update', 'w', seeme.row_condition(p, p.resource || ':update')),
           ('seeme_delete', 'd', seeme.row_condition(p, p.resource || ':delete'))
         ) AS v (name, command, condition)
$$;
COMMENT ON FUNCTION seeme.policies_of_protected_tables() IS
  'The policies that seeme_protect makes, for every protected table that exists';

CREATE FUNCTION seeme.triggers_of_protected_tables()
RETURNS TABLE (relation regclass, name name, function text, type integer)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT p.table_name, t.name, t.function, t.type
    FROM seeme.protected_tables p JOIN pg_class c ON c.oid = p.table_name,
         LATERAL seeme.triggers_of_table(p) AS t
$$;
COMMENT ON FUNCTION seeme.triggers_of_protected_tables() IS
  'The triggers that seeme_protect makes, for every protected table that exists';

CREATE FUNCTION seeme.protect_again(p seeme.protected_tables) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
-- In one statement, so that the table is never seen unprotected.
RETURN format('SELECT @extschema@.seeme_unprotect(%L), %s;', p.table_name,
              seeme.protect_statement(p.table_name::text, seeme.protect_arguments(p)));
COMMENT ON FUNCTION seeme.protect_again(seeme.protected_tables) IS
  'The statement that protects a table again with the arguments of the first time';

CREATE FUNCTION seeme.findings_on_protected_tables()
RETURNS TABLE (severity text, object text, finding text, remedy text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  -- A mirrored table without it has lost a guard (62_report_mirrors.sql).
  SELECT 'critical', c.oid::regclass::text,
         'row security is off: every policy of this table is ignored, and whoever is granted it '
         'sees all of its rows',
         format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY;', c.oid::regclass)
    FROM seeme.guarded_relations() g JOIN pg_class c ON c.oid = g.relation
   WHERE c.relkind IN ('r', 'p') AND NOT c.relrowsecurity
     AND NOT EXISTS (SELECT FROM seeme.mirrors m WHERE m.table_name = c.oid AND m.protect)
  UNION ALL
  SELECT 'high', c.oid::regclass::text,
         'row security is not forced: the policies do not apply to the owner of this table, nor to '
         'functions and views that run as the owner',
         format('ALTER TABLE %s FORCE ROW LEVEL SECURITY;', c.oid::regclass)
    FROM seeme.guarded_relations() g JOIN pg_class c ON c.oid = g.relation
   WHERE c.relkind IN ('r', 'p') AND NOT c.relforcerowsecurity
     AND NOT EXISTS (SELECT FROM seeme.mirrors m WHERE m.table_name = c.oid AND m.protect)
  UNION ALL
  SELECT 'critical', e.relation::text,
         format('policy was changed: %I is not what seeme_protect makes of this table, so that it '
                'may let through more than the model allows', e.name),
         format('%sCREATE POLICY %I ON %s FOR %s %s (%s);',
                CASE WHEN p.oid IS NOT NULL
                     THEN format('DROP POLICY %I ON %s; ', e.name, e.relation) END,
                e.name, e.relation,
                CASE e.command WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT'
                               WHEN 'w' THEN 'UPDATE' ELSE 'DELETE' END,
                CASE e.command WHEN 'a' THEN 'WITH CHECK' ELSE 'USING' END, e.condition)
    FROM seeme.policies_of_protected_tables() e
    LEFT JOIN pg_policy p ON p.polrelid = e.relation AND p.polname = e.name,
         LATERAL (SELECT seeme.condition_in_words(e.relation, e.condition) AS condition) AS w
   WHERE NOT EXISTS (SELECT FROM seeme.scope_columns_gone() o WHERE o.relation = e.relation)
     AND NOT coalesce(
           p.polcmd = e.command AND p.polpermissive AND p.polroles = '{0}'
           AND pg_get_expr(p.polqual, p.polrelid)
               IS NOT DISTINCT FROM CASE WHEN e.command <> 'a' THEN w.condition END
           AND pg_get_expr(p.polwithcheck, p.polrelid)
               IS NOT DISTINCT FROM CASE WHEN e.command = 'a' THEN w.condition END, false)
  UNION ALL
  SELECT 'high', p.polrelid::regclass::text,
         format('additional permissive policy: %I lets through rows that the model does not; '
                'permissive policies are combined by OR', p.polname),
         format('DROP POLICY %I ON %s;', p.polname, p.polrelid::regclass)
    FROM pg_policy p JOIN seeme.protected_tables t ON t.table_name = p.polrelid
   WHERE p.polpermissive
     AND p.polname NOT IN ('seeme_select', 'seeme_insert', 'seeme_update', 'seeme_delete')
  UNION ALL
  SELECT 'high', g.relation::text,
         format('scope column is gone: the table is protected by its column %I, which does not '
                'exist any more or is of another type; moves of rows are refused, and rows may be '
                'decided by another column', g.name),
         format('-- SELECT seeme_unprotect(%L), seeme_protect(%1$L, ...) with the column that it '
                'has now, in one statement', g.relation)
    FROM seeme.scope_columns_gone() g
  UNION ALL
  SELECT 'high', p.table_name::text,
         format('scope column is not generated: %I was computed from other columns when the table '
                'was protected (DROP EXPRESSION); now whoever may update rows writes it, and the '
                'column that it was computed from does not tell any more where a row lies', w),
         format('-- SELECT seeme_unprotect(%L), make the column generated again, and '
                'seeme_protect(%1$L, ...), in one transaction', p.table_name)
    FROM seeme.protected_tables p JOIN pg_class c ON c.oid = p.table_name,
         LATERAL seeme.columns_written_now(p) AS w
  UNION ALL
  SELECT 'high', p.table_name::text,
         format('trigger watches another column: %I tells where a row lies, and %I does not fire '
                'when it changes (SET EXPRESSION)', w.column_name, w.trigger_name),
         seeme.protect_again(p)
    FROM seeme.protected_tables p JOIN pg_class c ON c.oid = p.table_name,
         LATERAL seeme.columns_not_watched(p) AS w
  UNION ALL
  SELECT 'high', e.relation::text,
         format('trigger is missing: without %I, a change that waited for a lock or moves a row is '
                'not checked again, or assignments do not follow changes of ids', e.name),
         seeme.protect_again(p)
    FROM seeme.triggers_of_protected_tables() e
    JOIN seeme.protected_tables p ON p.table_name = e.relation
   WHERE NOT EXISTS (SELECT FROM pg_trigger t JOIN pg_proc f ON f.oid = t.tgfoid
                      WHERE t.tgrelid = e.relation AND t.tgname = e.name AND t.tgtype = e.type
                        AND f.proname = e.function AND f.pronamespace = 'seeme'::regnamespace)
  UNION ALL
  SELECT 'high', t.tgrelid::regclass::text,
         format('trigger is disabled: %I enforces a rule of the model, and does not fire',
                t.tgname),
         format('ALTER TABLE %s ENABLE TRIGGER %I;', t.tgrelid::regclass, t.tgname)
    FROM pg_trigger t JOIN seeme.guarded_relations() g ON g.relation = t.tgrelid
   WHERE t.tgenabled IN ('D', 'R')
     AND (g.is_own AND NOT t.tgisinternal
          OR EXISTS (SELECT FROM seeme.triggers_of_protected_tables() e
                      WHERE e.relation = t.tgrelid AND e.name = t.tgname))
  UNION ALL
  SELECT 'critical', b.relation::text,
         format('partition is open: whoever is granted it gets around the policies of %s',
                p.table_name),
         concat(CASE WHEN y.oid IS NOT NULL
                     THEN format('DROP POLICY seeme_closed ON %s; ', b.relation) END,
                CASE WHEN NOT b.has_row_security
                     THEN format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL '
                                 'SECURITY; ',
                                 b.relation) END,
                format('SELECT seeme.close_tables_below(%L);', p.table_name))
    FROM seeme.protected_tables p JOIN pg_class c ON c.oid = p.table_name AND c.relhassubclass,
         LATERAL seeme.tables_below(p.table_name) AS b
    LEFT JOIN pg_policy y ON y.polrelid = b.relation AND y.polname = 'seeme_closed'
   WHERE NOT EXISTS (SELECT FROM seeme.protected_tables o WHERE o.table_name = b.relation)
     AND (NOT b.has_row_security
          OR b.is_partition AND NOT coalesce(
               NOT y.polpermissive AND y.polcmd = '*' AND y.polroles = '{0}'
               AND pg_get_expr(y.polqual, y.polrelid) = 'false', false))
  UNION ALL
  SELECT 'low', p.table_name::text,
         format('scope column has no index: no index begins with %I; the queries of a person who '
                'sees few rows read the whole table', v.name),
         format('CREATE INDEX ON %s (%I);', p.table_name, v.name)
    FROM seeme.protected_tables p JOIN pg_class c ON c.oid = p.table_name,
         unnest(ARRAY[p.project_column, p.team_column, p.organization_column, p.resource_id_column,
                      p.owner_column]) AS v (name)
    JOIN pg_attribute a ON a.attname = v.name
   WHERE a.attrelid = p.table_name AND NOT a.attisdropped
     AND NOT EXISTS (SELECT FROM pg_index i
                      WHERE i.indrelid = p.table_name AND i.indkey[0] = a.attnum
                        AND i.indisvalid AND i.indpred IS NULL)
  UNION ALL
  SELECT 'low', p.table_name::text,
         format('public column has no index: no index finds the rows whose %I is true; the queries '
                'of a person who sees few rows read the whole table', p.public_column),
         format('CREATE INDEX ON %s (%2$I) WHERE %2$I;', p.table_name, p.public_column)
    FROM seeme.protected_tables p JOIN pg_class c ON c.oid = p.table_name
   WHERE p.public_column IS NOT NULL
     AND NOT seeme.has_public_index(p.table_name, p.public_column)
     AND NOT EXISTS (SELECT FROM seeme.scope_columns_gone() g WHERE g.relation = p.table_name)
  UNION ALL
  SELECT 'medium', p.table_name::text,
         format('resource id is not unique: rows with the same %I are one resource; a project that '
                'one is assigned to shows the others, too', p.id_column),
         format('CREATE UNIQUE INDEX ON %s (%I);', p.table_name, p.id_column)
    FROM seeme.protected_tables p JOIN pg_class c ON c.oid = p.table_name AND c.relkind = 'r'
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = p.id_column AND NOT a.attisdropped
   WHERE p.holds_resource
     AND NOT EXISTS (SELECT FROM pg_index i
                      WHERE i.indrelid = c.oid AND i.indisunique AND i.indisvalid
                        AND i.indpred IS NULL AND i.indnkeyatts = 1 AND i.indkey[0] = a.attnum)
  UNION ALL
  SELECT 'medium', r.ev_class::regclass::text,
         format('rule on a protected table: the actions of %I run with the rights of the table''s '
                'owner, and may copy rows elsewhere', r.rulename),
         format('DROP RULE %I ON %s;', r.rulename, r.ev_class::regclass)
    FROM pg_rewrite r
   WHERE r.rulename <> '_RETURN'
     AND r.ev_class IN (SELECT g.relation FROM seeme.guarded_relations() g
                        UNION ALL
                        SELECT p.listing_view FROM seeme.protected_tables p)
  UNION ALL
  SELECT 'high', c.oid::regclass::text,
         format('listing view is no barrier: the owner of this view bypasses row security; without '
                'security_barrier a reader''s condition may run on hidden rows of %s',
                p.table_name),
         format('ALTER VIEW %s SET (security_barrier = true);', c.oid::regclass)
    FROM seeme.protected_tables p JOIN pg_class c ON c.oid = p.listing_view
   WHERE NOT coalesce('security_barrier=true' = ANY (c.reloptions), false)
$$;
COMMENT ON FUNCTION seeme.findings_on_protected_tables() IS
  'Part of the security report: the guards of protected tables and of the extension''s own tables';
