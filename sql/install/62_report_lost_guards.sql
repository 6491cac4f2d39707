-- The security report on guards that were lost: event triggers and foreign keys should have kept
-- them.

-- PostgreSQL's versions show a view's query differently: the table's name before columns, line
-- breaks, brackets.
CREATE FUNCTION seeme.bare_query(query text, relation regclass) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN regexp_replace(replace(regexp_replace(query, '\sAS ("([^"]|"")+"|\w+)', '', 'g'),
                              (SELECT quote_ident(c.relname) FROM pg_class c WHERE c.oid = relation)
                              || '.', ''), '[\s()]', '', 'g');
COMMENT ON FUNCTION seeme.bare_query(text, regclass) IS
  'A query on one table as text that can be compared: without result names, and without spaces, '
  'brackets and the table''s name before columns';

CREATE FUNCTION seeme.listing_views_changed() RETURNS SETOF seeme.protected_tables
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT p.*
    FROM seeme.protected_tables p JOIN pg_class c ON c.oid = p.listing_view AND c.relkind = 'v'
   WHERE seeme.bare_query(pg_get_viewdef(c.oid), p.table_name)
         <> seeme.bare_query(
              format('SELECT %s FROM %s WHERE %s;',
                     (SELECT string_agg(quote_ident(l), ', ' ORDER BY n)
                        FROM unnest(p.listing_columns) WITH ORDINALITY AS u (l, n)),
                     p.table_name,
                     seeme.condition_in_words(
                       p.table_name, seeme.row_condition(p, p.resource || ':list'))),
              p.table_name)
$$;
COMMENT ON FUNCTION seeme.listing_views_changed() IS
  'Protected tables whose listing view does not have the query that seeme_protect gives it';

-- The arguments of seeme_protect, read from the policies and triggers that it made. This is for
-- partial restores. If a dump leaves out one protected table, no row of seeme.protected_tables can
-- be restored, because one of them names the missing table. A dump of one table alone does not
-- have these rows.
CREATE FUNCTION seeme.guards_without_record() RETURNS TABLE (relation regclass, arguments jsonb)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT c.oid::regclass,
         jsonb_strip_nulls(jsonb_build_object(
           'resource', coalesce(s.resource, o.parts[1], h.parts[1]),
           'project_column', s.project_column,
           'team_column', s.team_column, 'organization_column', s.organization_column,
           'resource_id_column', s.resource_id_column,
           'owner_column', (parse_ident(o.parts[2]))[1],
           'parent_column', (parse_ident(h.parts[2]))[1],
           'owner_alone', CASE o.parts[3] WHEN 'false' THEN false END,
           'public_column',
             (SELECT (parse_ident(substring(pg_get_expr(r.polqual, r.polrelid)
                                            FROM '^\(([a-z_][a-z0-9_]*|"(?:[^"]|"")+") OR ')))[1]
                FROM pg_policy r WHERE r.polrelid = c.oid AND r.polname = 'seeme_select'),
           'resource_type', coalesce(
             s.resource_type,
             (SELECT split_part(encode(t.tgargs, 'escape'), '\000', 1) FROM pg_trigger t
               WHERE t.tgrelid = c.oid AND t.tgname = 'seeme_forget_resource')),
           'listing_columns',
             (SELECT jsonb_agg(a.attname ORDER BY a.attnum)
                FROM pg_trigger t JOIN pg_attribute a ON a.attrelid = t.tgrelid AND a.attnum > 0
                JOIN pg_attribute k ON k.attrelid = c.oid AND k.attname = a.attname
                                       AND NOT k.attisdropped
               WHERE t.tgrelid = to_regclass(format('%I.%I', n.nspname, c.relname || '_listing'))
                 AND t.tgname = 'seeme_read_only')))
    FROM pg_policy y
    JOIN pg_class c ON c.oid = y.polrelid JOIN pg_namespace n ON n.oid = c.relnamespace,
         LATERAL (SELECT pg_get_expr(y.polqual, y.polrelid) AS condition) AS e,
         LATERAL (SELECT regexp_match(
                    e.condition,
                    'seeme\.owns_(?:row|child)\(''([a-z0-9_]+):update''::text, .*, '
                    '([a-z_][a-z0-9_]*|"(?:[^"]|"")+"), (true|false)\)'
                  ) AS parts) AS o,
         LATERAL (SELECT regexp_match(
                    e.condition,
                    'seeme\.parent_has_permission\(''([a-z0-9_]+):update''::text, '
                    '''(?:[^'']|'''')+''::regclass, ''(?:[^'']|'''')+''::regclass, '
                    '([a-z_][a-z0-9_]*|"(?:[^"]|"")+")\)'
                  ) AS parts) AS h,
         LATERAL (
           SELECT max(m.parts[1]) AS resource,
                  max((parse_ident(m.parts[2]))[1])
                    FILTER (WHERE m.parts[2] <> 'NULL::uuid') AS organization_column,
                  max((parse_ident(m.parts[3]))[1])
                    FILTER (WHERE m.parts[3] <> 'NULL::uuid') AS team_column,
                  max((parse_ident(m.parts[4]))[1])
                    FILTER (WHERE m.parts[4] <> 'NULL::uuid') AS project_column,
                  max((parse_ident(m.parts[5]))[1])
                    FILTER (WHERE m.parts[5] <> 'NULL::uuid') AS resource_id_column,
                  max(m.parts[6]) AS resource_type
             FROM (SELECT regexp_matches(
                     e.condition,
                     replace('seeme_has_permission\(''([a-z0-9_]+):update''::text, #, #, #, #, '
                             '(?:''([^'']+)''|NULL)::text\)',
                             '#', '(NULL::uuid|[a-z_][a-z0-9_]*|"(?:[^"]|"")+")'),
                     'g') AS parts) AS m) AS s
   WHERE y.polname = 'seeme_update' AND n.nspname <> 'seeme'
     AND coalesce(s.resource, o.parts[1], h.parts[1]) IS NOT NULL
     AND NOT EXISTS (SELECT FROM seeme.protected_tables p WHERE p.table_name = c.oid)
     AND NOT EXISTS (SELECT FROM seeme.mirrors m WHERE m.table_name = c.oid)
     AND NOT EXISTS (SELECT FROM seeme.tables_made_again() m WHERE m.relation = c.oid)
$$;
COMMENT ON FUNCTION seeme.guards_without_record() IS
  'Tables that have the policies of seeme_protect but no row in seeme.protected_tables, for '
  'example after a partial restore; with the arguments that can be read from the policies';

CREATE FUNCTION seeme.findings_on_guards()
RETURNS TABLE (severity text, object text, finding text, remedy text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT 'critical', m.relation::text,
         'table was protected before: a table of this name was protected, then dropped, renamed or '
         'moved; this one is not, and '
         || CASE WHEN c.relrowsecurity THEN 'nothing keeps the policies that it has'
                 ELSE 'whoever is granted it sees all of its rows' END,
         format('SELECT %s;', m.statement)
    FROM seeme.tables_made_again() m JOIN pg_class c ON c.oid = m.relation
  UNION ALL
  SELECT 'high', g.relation::text,
         'table is not known to be protected: it has the policies of seeme_protect, for example '
         'after a partial restore, but nothing keeps them',
         format('SELECT %s;', seeme.protect_statement(g.relation::text, g.arguments))
    FROM seeme.guards_without_record() g
  UNION ALL
  SELECT 'critical', d.relation::text,
         format('rows are reached from above: this table shows the rows of %s and is not '
                'protected, so that the policies there do not apply', p.table_name),
         CASE WHEN c.relispartition
              THEN format('ALTER TABLE %s DETACH PARTITION %s;', d.relation, p.table_name)
              ELSE format('ALTER TABLE %s NO INHERIT %s;', p.table_name, i.inhparent::regclass) END
    FROM seeme.protected_tables p JOIN pg_class c ON c.oid = p.table_name
    JOIN pg_inherits i ON i.inhrelid = p.table_name,
         LATERAL (SELECT i.inhparent::regclass) AS d (relation)
   WHERE NOT EXISTS (SELECT FROM seeme.protected_tables o WHERE o.table_name = i.inhparent)
  UNION ALL
  SELECT 'high', t.tgrelid::regclass::text,
         format('trigger is demoted: %I has to fire always; while rows are replicated or restored '
                'it does not, and sessions keep deciding by cached rows', t.tgname),
         format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I;', t.tgrelid::regclass, t.tgname)
    FROM seeme.always_triggers a
    JOIN pg_trigger t ON t.tgrelid = a.relation AND t.tgname = a.name
   WHERE t.tgenabled = 'O'
  UNION ALL
  SELECT 'high', k.conrelid::regclass::text,
         format('foreign key is not enforced: the triggers of %I are disabled, and rows may refer '
                'to rows that do not exist', k.conname),
         format('ALTER TABLE %s ENABLE TRIGGER ALL;', t.tgrelid::regclass)
    FROM pg_trigger t JOIN seeme.guarded_relations() g ON g.relation = t.tgrelid
    JOIN pg_constraint k ON k.oid = t.tgconstraint AND k.contype = 'f'
   WHERE t.tgisinternal AND t.tgenabled NOT IN ('O', 'A')
  UNION ALL
  SELECT 'high', t.tgrelid::regclass::text,
         format('trigger is disabled: %I enforces a rule of the model, and does not fire',
                t.tgname),
         format('ALTER TABLE %s ENABLE TRIGGER %I;', t.tgrelid::regclass, t.tgname)
    FROM seeme.protected_tables p JOIN pg_class c ON c.oid = p.table_name AND c.relhassubclass,
         LATERAL seeme.tables_below(p.table_name) AS b
    JOIN pg_trigger t ON t.tgrelid = b.relation AND seeme.is_guard(t.tgname)
   WHERE t.tgenabled NOT IN ('O', 'A')
     AND NOT EXISTS (SELECT FROM seeme.protected_tables o WHERE o.table_name = b.relation)
  UNION ALL
  SELECT 'critical', p.listing_view::text,
         format('listing view was changed: its query is not the one that seeme_protect made, and '
                'its owner bypasses row security; it may show any row of %s', p.table_name),
         seeme.protect_again(p)
    FROM seeme.listing_views_changed() p
   WHERE NOT EXISTS (SELECT FROM seeme.scope_columns_gone() g WHERE g.relation = p.table_name)
  UNION ALL
  SELECT 'high', d.relation::text,
         format('trigger is missing: without %s a row of this table, reached through %s, is not '
                'checked again after a wait, or when it moves', substr(d.guard, 9), p.table_name),
         format('SELECT seeme.inherit_triggers(%L);', d.relation)
    FROM seeme.protected_tables p JOIN pg_class c ON c.oid = p.table_name AND c.relhassubclass,
         LATERAL seeme.guards_down(p) AS d
   WHERE d.relation IN (SELECT seeme.heirs(p)) AND d.guard LIKE 'trigger %'
     AND NOT EXISTS (SELECT FROM pg_trigger t
                      WHERE t.tgrelid = d.relation AND format('trigger %I', t.tgname) = d.guard)
  UNION ALL
  SELECT 'high', p.listing_view::text,
         format('listing view is writable: without its trigger, changes go to %s with the rights '
                'of the view''s owner', p.table_name),
         format('CREATE TRIGGER seeme_read_only INSTEAD OF INSERT OR UPDATE OR DELETE ON %s FOR '
                'EACH ROW EXECUTE FUNCTION seeme.refuse_write();', p.listing_view)
    FROM seeme.protected_tables p JOIN pg_class c ON c.oid = p.listing_view
   WHERE NOT EXISTS (SELECT FROM pg_trigger t
                      WHERE t.tgrelid = c.oid AND t.tgname = 'seeme_read_only')
  UNION ALL
  SELECT 'medium', p.table_name::text,
         format('owner may not call the guards: the new owner %s lacks EXECUTE; every statement of '
                'theirs on it is refused, and every new partition', c.relowner::regrole),
         format('SELECT seeme.grant_to_owner(p) FROM seeme.protected_tables p WHERE p.table_name = '
                '%L::regclass;', p.table_name)
    FROM seeme.protected_tables p JOIN pg_class c ON c.oid = p.table_name
   -- No other grant than this one includes the triggers.
   WHERE NOT has_function_privilege(c.relowner, 'seeme.check_moved_row()', 'EXECUTE')
  UNION ALL
  SELECT 'high', quote_ident(t.evtname),
         'event trigger is demoted: in a session with session_replication_role = replica it does '
         'not fire, and guards may be lost',
         format('ALTER EVENT TRIGGER %I ENABLE ALWAYS;', t.evtname)
    FROM pg_event_trigger t
    JOIN pg_proc f ON f.oid = t.evtfoid AND f.pronamespace = 'seeme'::regnamespace
   WHERE t.evtenabled = 'O'
  UNION ALL
  SELECT 'high', s.whom,
         'event triggers are off: the policies of protected tables can be dropped, and new '
         'partitions stay open',
         s.remedy
    FROM seeme.settings('event_triggers') s WHERE NOT seeme.is_on(s.value)
$$;
COMMENT ON FUNCTION seeme.findings_on_guards() IS
  'Part of the security report: guards of protected tables that were lost, or not made again';
