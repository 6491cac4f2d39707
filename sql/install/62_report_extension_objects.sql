-- The security report on the extension itself: its objects, compared with those that were
-- installed.
--
-- After pg_upgrade, what one major version of PostgreSQL recorded is compared on another one. The
-- properties in "parts" are written the same way by every version. Conditions and queries are not:
-- the server that compares parses the recorded ones and shows them in its own way.

CREATE TABLE seeme.installed_guards (
  kind            text NOT NULL,
  object          text NOT NULL,
  name            text NOT NULL,
  statement       text NOT NULL,
  parts           jsonb NOT NULL,
  condition       text,
  check_condition text,
  PRIMARY KEY (kind, object, name)
);
COMMENT ON TABLE seeme.installed_guards IS
  'What the extension consists of, as it was installed, for the security report to compare: the '
  'policies, triggers, columns, constraints and indexes of its tables, its views, functions and '
  'event triggers';
COMMENT ON COLUMN seeme.installed_guards.kind IS
  'policy, trigger, view, function, column, constraint, index or event trigger';
COMMENT ON COLUMN seeme.installed_guards.object IS
  'The table that it belongs to, or the object itself, as it is written in a statement';
COMMENT ON COLUMN seeme.installed_guards.name IS
  'Its name on the table; empty for an object that belongs to no table';
COMMENT ON COLUMN seeme.installed_guards.statement IS
  'The statement that makes it; for a column: the action of ALTER COLUMN that restores its default';
COMMENT ON COLUMN seeme.installed_guards.parts IS
  'Its properties that every version of PostgreSQL describes in the same words';
COMMENT ON COLUMN seeme.installed_guards.condition IS
  'The USING condition of a policy, the WHEN of a trigger, the condition of a CHECK, the query of '
  'a view or the parsed body of a function, as the server on which it was installed showed it';
COMMENT ON COLUMN seeme.installed_guards.check_condition IS
  'The WITH CHECK condition of a policy, shown likewise';
-- Without a policy: for database administrators alone.
ALTER TABLE seeme.installed_guards ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE TRIGGER guard_truncate BEFORE TRUNCATE ON seeme.installed_guards
  FOR EACH STATEMENT EXECUTE FUNCTION seeme.guard_truncate();

CREATE FUNCTION seeme.is_condition_of_trigger(
  relation regclass, stored pg_node_tree, condition text) RETURNS boolean
LANGUAGE c STABLE STRICT PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'seeme_is_condition_of_trigger';
COMMENT ON FUNCTION seeme.is_condition_of_trigger(regclass, pg_node_tree, text) IS
  'Whether CREATE TRIGGER on a table would store this expression for WHEN (condition). Only for '
  'the extension''s own functions: they pass conditions that the extension wrote itself.';

CREATE FUNCTION seeme.deparsed_query(class regclass, object oid, words text = NULL) RETURNS text
LANGUAGE c STABLE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'seeme_deparsed_query';
COMMENT ON FUNCTION seeme.deparsed_query(regclass, oid, text) IS
  'The query of a view or the parsed body of a function, as this server shows it: the stored one, '
  'or one that is given as text. Only for the extension''s own functions: they pass texts that the '
  'extension wrote itself.';

CREATE FUNCTION seeme.policy_statement(policy pg_policy) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN format('CREATE POLICY %I ON %s AS %s FOR %s TO %s%s%s',
  (policy).polname, (policy).polrelid::regclass,
  CASE WHEN (policy).polpermissive THEN 'PERMISSIVE' ELSE 'RESTRICTIVE' END,
  CASE (policy).polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE'
                       WHEN 'd' THEN 'DELETE' ELSE 'ALL' END,
  (SELECT string_agg(CASE role WHEN 0 THEN 'PUBLIC' ELSE role::regrole::text END, ', '
                     ORDER BY role) FROM unnest((policy).polroles) AS role),
  ' USING (' || pg_get_expr((policy).polqual, (policy).polrelid) || ')',
  ' WITH CHECK (' || pg_get_expr((policy).polwithcheck, (policy).polrelid) || ')');
COMMENT ON FUNCTION seeme.policy_statement(pg_policy) IS 'The statement that makes a policy';

CREATE FUNCTION seeme.column_names(relation oid, numbers smallint[]) RETURNS name[]
LANGUAGE sql STABLE
RETURN (SELECT array_agg(a.attname ORDER BY k.n)
          FROM unnest(numbers) WITH ORDINALITY AS k (number, n)
          LEFT JOIN pg_attribute a ON a.attnum = k.number AND a.attrelid = relation);
COMMENT ON FUNCTION seeme.column_names(oid, smallint[]) IS
  'The names of columns of a relation, in the given order; null for an expression';

CREATE FUNCTION seeme.own_objects(class regclass) RETURNS SETOF oid
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT d.objid
    FROM pg_depend d
    JOIN pg_extension e ON d.refclassid = 'pg_extension'::regclass AND e.oid = d.refobjid
   WHERE d.classid = class AND d.objsubid = 0 AND d.deptype = 'e' AND e.extname = 'seeme_rbac'
$$;
COMMENT ON FUNCTION seeme.own_objects(regclass) IS
  'The objects of this extension that are rows of the given catalog';

CREATE FUNCTION seeme.guards()
RETURNS TABLE (kind text, object text, name text, statement text, parts jsonb,
               condition text, check_condition text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT 'policy', c.oid::regclass::text, p.polname::text, seeme.policy_statement(p),
         jsonb_build_object('command', p.polcmd, 'permissive', p.polpermissive,
                            'roles', (SELECT jsonb_agg(seeme.grantee_name(role)
                                                       ORDER BY seeme.grantee_name(role))
                                        FROM unnest(p.polroles) AS role)),
         pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid)
    FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid
   WHERE c.relnamespace = 'seeme'::regnamespace
  UNION ALL
  -- Whether a trigger is enabled is not compared here: that is a finding of its own.
  SELECT 'trigger', c.oid::regclass::text, t.tgname::text,
         pg_get_triggerdef(t.oid)
         || CASE t.tgenabled WHEN 'A' THEN format('; ALTER TABLE %s ENABLE ALWAYS TRIGGER %I',
                                                  c.oid::regclass, t.tgname) ELSE '' END,
         jsonb_build_object('function', t.tgfoid::regproc::text, 'type', t.tgtype,
                            'columns', seeme.column_names(t.tgrelid, t.tgattr::smallint[]),
                            'arguments', encode(t.tgargs, 'escape'),
                            'constraint', t.tgconstraint <> 0, 'deferrable', t.tgdeferrable,
                            'deferred', t.tginitdeferred,
                            'old table', t.tgoldtable, 'new table', t.tgnewtable),
         CASE WHEN t.tgqual IS NOT NULL
              THEN substring(pg_get_triggerdef(t.oid) FROM ' WHEN \((.*)\) EXECUTE FUNCTION ') END,
         NULL
    FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
   WHERE c.relnamespace = 'seeme'::regnamespace AND NOT t.tgisinternal
  UNION ALL
  SELECT 'view', c.oid::regclass::text, '',
         format('CREATE %s VIEW %s%s AS %s', 'OR' || ' REPLACE', c.oid::regclass,
                ' WITH (' || array_to_string(c.reloptions, ', ') || ')',
                rtrim(pg_get_viewdef(c.oid), ';')),
         jsonb_build_object('options', (SELECT jsonb_agg(o ORDER BY o)
                                          FROM unnest(c.reloptions) AS o)),
         seeme.deparsed_query('pg_class', c.oid), NULL
    FROM pg_class c WHERE c.relkind = 'v' AND c.oid IN (SELECT seeme.own_objects('pg_class'))
  UNION ALL
  SELECT 'function', p.oid::regprocedure::text, '', btrim(pg_get_functiondef(p.oid), E' \n'),
         jsonb_build_object('language', l.lanname,
                            'source', CASE WHEN p.prosqlbody IS NULL THEN p.prosrc END,
                            'library', p.probin, 'result', pg_get_function_result(p.oid),
                            'kind', p.prokind, 'definer', p.prosecdef, 'leakproof', p.proleakproof,
                            'strict', p.proisstrict, 'volatility', p.provolatile,
                            'parallel', p.proparallel, 'support', p.prosupport::text,
                            'arguments', p.proargnames, 'modes', p.proargmodes,
                            'defaults', p.pronargdefaults, 'settings', p.proconfig),
         seeme.deparsed_query('pg_proc', p.oid), NULL
    FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
   WHERE p.prokind IN ('f', 'p') AND p.oid IN (SELECT seeme.own_objects('pg_proc'))
  UNION ALL
  -- Of a default only its presence is compared: a mistake removes it.
  SELECT 'column', c.oid::regclass::text, a.attname::text,
         CASE WHEN a.attgenerated <> '' OR a.attidentity <> '' THEN ''
              ELSE coalesce('SET DEFAULT ' || pg_get_expr(d.adbin, d.adrelid), 'DROP DEFAULT') END,
         jsonb_build_object('number', a.attnum, 'type', format_type(a.atttypid, a.atttypmod),
                            'not null', a.attnotnull, 'default', a.atthasdef,
                            'generated', a.attgenerated, 'identity', a.attidentity),
         NULL, NULL
    FROM pg_class c
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
   WHERE c.relkind IN ('r', 'p') AND c.oid IN (SELECT seeme.own_objects('pg_class'))
  UNION ALL
  -- From PostgreSQL 18 on NOT NULL is a constraint, too. It is left out here: the column has it.
  SELECT 'constraint', c.oid::regclass::text, k.conname::text,
         format('ALTER TABLE %s ADD CONSTRAINT %I %s', c.oid::regclass, k.conname,
                replace(pg_get_constraintdef(k.oid), ' NOT VALID', '')),
         jsonb_build_object('type', k.contype, 'valid', k.convalidated,
                            'deferrable', k.condeferrable, 'deferred', k.condeferred,
                            'columns', seeme.column_names(k.conrelid, k.conkey),
                            'to', nullif(k.confrelid, 0)::regclass::text,
                            'to columns', seeme.column_names(k.confrelid, k.confkey),
                            'on update', k.confupdtype, 'on delete', k.confdeltype,
                            'set', seeme.column_names(k.conrelid, k.confdelsetcols),
                            'match', k.confmatchtype,
                            'unique nulls', (SELECT i.indnullsnotdistinct FROM pg_index i
                                              WHERE i.indexrelid = k.conindid AND k.contype = 'u'),
                            'indexed', (SELECT i.indisvalid AND i.indisready FROM pg_index i
                                         WHERE i.indexrelid = k.conindid
                                           AND k.contype IN ('p', 'u'))),
         pg_get_expr(k.conbin, k.conrelid), NULL
    FROM pg_class c JOIN pg_constraint k ON k.conrelid = c.oid AND k.contype IN ('p', 'u', 'f', 'c')
   WHERE c.relkind IN ('r', 'p') AND c.oid IN (SELECT seeme.own_objects('pg_class'))
  UNION ALL
  SELECT 'index', c.oid::regclass::text, x.relname::text, pg_get_indexdef(x.oid),
         jsonb_build_object('method', m.amname, 'unique', i.indisunique,
                            'nulls', i.indnullsnotdistinct,
                            'valid', i.indisvalid AND i.indisready,
                            'columns', seeme.column_names(c.oid, i.indkey::smallint[]),
                            'key columns', i.indnkeyatts, 'partial', i.indpred IS NOT NULL,
                            'classes', (SELECT jsonb_agg(o.opcname ORDER BY n)
                                          FROM unnest(i.indclass::oid[])
                                               WITH ORDINALITY AS k (class, n)
                                          JOIN pg_opclass o ON o.oid = k.class)),
         NULL, NULL
    FROM pg_class c JOIN pg_index i ON i.indrelid = c.oid
    JOIN pg_class x ON x.oid = i.indexrelid JOIN pg_am m ON m.oid = x.relam
   WHERE c.relkind IN ('r', 'p') AND c.oid IN (SELECT seeme.own_objects('pg_class'))
     AND NOT EXISTS (SELECT FROM pg_constraint k
                      WHERE k.conindid = x.oid AND k.conrelid = c.oid AND k.contype IN ('p', 'u'))
  UNION ALL
  SELECT 'event trigger', quote_ident(t.evtname), '',
         format('CREATE EVENT TRIGGER %I ON %s%s EXECUTE FUNCTION %s()', t.evtname, t.evtevent,
                (SELECT format(' WHEN TAG IN (%s)', string_agg(quote_literal(tag), ', '))
                   FROM unnest(t.evttags) AS tag HAVING count(*) > 0), t.evtfoid::regproc),
         jsonb_build_object('event', t.evtevent, 'tags', t.evttags,
                            'function', t.evtfoid::regproc::text),
         NULL, NULL
    FROM pg_event_trigger t WHERE t.oid IN (SELECT seeme.own_objects('pg_event_trigger'))
$$;
COMMENT ON FUNCTION seeme.guards() IS
  'What the extension consists of now, in the form of seeme.installed_guards; also policies and '
  'triggers that others made on its tables';

CREATE FUNCTION seeme.remember_guards() RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
  DELETE FROM seeme.installed_guards;
  INSERT INTO seeme.installed_guards (kind, object, name, statement, parts,
                                      condition, check_condition)
  SELECT g.kind, g.object, g.name, g.statement, g.parts, g.condition, g.check_condition
    FROM seeme.guards() g;
  DELETE FROM seeme.always_triggers;
  INSERT INTO seeme.always_triggers (relation, name)
  SELECT t.tgrelid, t.tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
   WHERE c.relnamespace = 'seeme'::regnamespace AND t.tgenabled = 'A' AND NOT t.tgisinternal;
$$;
COMMENT ON FUNCTION seeme.remember_guards() IS
  'Records what the extension consists of now as what was installed. For install and upgrade '
  'scripts.';

-- Only recorded texts are parsed. What is stored now never is: another role may have written it.
CREATE FUNCTION seeme.recorded_in_words(kind text, object text, words text) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN CASE kind WHEN 'view' THEN seeme.deparsed_query('pg_class', to_regclass(object), words)
                   WHEN 'function'
                     THEN seeme.deparsed_query('pg_proc', to_regprocedure(object), words)
                   ELSE seeme.condition_in_words(to_regclass(object), words) END;
EXCEPTION WHEN OTHERS THEN
  RETURN NULL;
END $$;
COMMENT ON FUNCTION seeme.recorded_in_words(text, text, text) IS
  'A recorded condition, query or body as this server shows it; null if it cannot be parsed here';

CREATE FUNCTION seeme.is_as_recorded(
  kind text, object text, name text, now_words text, recorded text) RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  words text := recorded;
BEGIN
  IF now_words IS NOT DISTINCT FROM recorded THEN
    RETURN true;
  ELSIF num_nulls(now_words, recorded) = 1 THEN
    RETURN false;
  ELSIF kind = 'trigger' THEN
    RETURN (SELECT seeme.is_condition_of_trigger(t.tgrelid, t.tgqual, recorded)
              FROM pg_trigger t
             WHERE t.tgrelid = to_regclass(object) AND t.tgname = is_as_recorded.name);
  END IF;
  -- Up to two rounds: pg_upgrade, too, has shown the stored expression as text and parsed that
  -- again.
  FOR round IN 1 .. 2 LOOP
    words := seeme.recorded_in_words(kind, object, words);
    IF words IS NULL THEN
      RETURN NULL;
    ELSIF words = now_words THEN
      RETURN true;
    END IF;
  END LOOP;
  RETURN false;
EXCEPTION WHEN OTHERS THEN
  RETURN NULL;
END $$;
COMMENT ON FUNCTION seeme.is_as_recorded(text, text, text, text, text) IS
  'Whether a condition, query or body is the recorded one, whichever version of PostgreSQL '
  'recorded it; null if the recorded one cannot be parsed here';

CREATE FUNCTION seeme.findings_on_own_parts()
RETURNS TABLE (severity text, object text, finding text, remedy text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  WITH now AS MATERIALIZED (SELECT * FROM seeme.guards()),
  part (kind, object, is_own) AS MATERIALIZED (
    SELECT 'relation', c.oid::regclass::text, c.oid IN (SELECT seeme.own_objects('pg_class'))
      FROM pg_class c
     WHERE c.relnamespace = 'seeme'::regnamespace AND c.relkind IN ('r', 'p', 'v')
    UNION ALL
    SELECT 'function', p.oid::regprocedure::text, p.oid IN (SELECT seeme.own_objects('pg_proc'))
      FROM pg_proc p
     WHERE p.pronamespace IN (
             'seeme'::regnamespace,
             (SELECT e.extnamespace FROM pg_extension e WHERE e.extname = 'seeme_rbac'))
    UNION ALL
    SELECT 'event trigger', quote_ident(t.evtname),
           t.oid IN (SELECT seeme.own_objects('pg_event_trigger'))
      FROM pg_event_trigger t),
  installed AS MATERIALIZED (
    SELECT i.*, p.object IS NULL AND i.kind NOT IN ('function', 'event trigger') AS is_lost,
           p.is_own IS FALSE AS has_left
      FROM seeme.installed_guards i
      LEFT JOIN part p ON p.object = i.object
           AND p.kind = CASE WHEN i.kind IN ('function', 'event trigger') THEN i.kind
                             ELSE 'relation' END),
  compared AS MATERIALIZED (
    SELECT i.*, n.kind IS NULL AS is_gone,
           CASE WHEN n.kind IS NULL OR n.parts <> i.parts THEN false
                WHEN (n.condition, n.check_condition)
                     IS NOT DISTINCT FROM (i.condition, i.check_condition) THEN true
                ELSE seeme.is_as_recorded(i.kind, i.object, i.name, n.condition, i.condition)
                 AND seeme.is_as_recorded(i.kind, i.object, i.name,
                                          n.check_condition, i.check_condition) END AS is_same,
           n.parts AS now_parts
      FROM installed i LEFT JOIN now n ON (n.kind, n.object, n.name) = (i.kind, i.object, i.name)
     WHERE NOT i.is_lost AND NOT i.has_left),
  unrecorded AS (
    SELECT n.kind, n.object FROM now n
     WHERE n.kind IN ('view', 'function', 'event trigger')
       AND NOT EXISTS (SELECT FROM installed i WHERE (i.kind, i.object) = (n.kind, n.object))
    UNION
    SELECT 'table', n.object FROM now n
     WHERE n.kind = 'column'
       AND NOT EXISTS (SELECT FROM installed i WHERE (i.kind, i.object) = (n.kind, n.object)))
  SELECT 'critical', c.object,
         format('guard was changed: the %s %I is not the one that the extension installed%s',
                c.kind, c.name, CASE WHEN c.is_gone THEN ': it is gone' END),
         concat(CASE WHEN NOT c.is_gone
                     THEN format('DROP %s %I ON %s; ',
                                 upper(c.kind COLLATE "C"), c.name, c.object) END,
                c.statement, ';')
    FROM compared c WHERE c.kind IN ('policy', 'trigger') AND NOT c.is_same
  UNION ALL
  SELECT 'critical', c.object,
         format('guard was changed: this event trigger is not the one that the extension '
                'installed%s',
                CASE WHEN c.is_gone THEN ': it is gone' END),
         concat(CASE WHEN NOT c.is_gone
                     THEN format('ALTER EXTENSION seeme_rbac DROP EVENT TRIGGER %1$s; '
                                 'DROP EVENT TRIGGER %1$s; ', c.object) END,
                c.statement,
                format('; ALTER EVENT TRIGGER %1$s ENABLE ALWAYS; '
                       'ALTER EXTENSION seeme_rbac ADD EVENT TRIGGER %1$s;', c.object))
    FROM compared c WHERE c.kind = 'event trigger' AND NOT c.is_same
  UNION ALL
  SELECT 'critical', c.object,
         format('function was changed: it is not the one that the extension installed, and may '
                'decide '
                'otherwise%s', CASE WHEN c.is_gone THEN ': it is gone' END),
         concat(c.statement, ';',
                CASE WHEN c.is_gone
                     THEN format(' REVOKE ALL ON FUNCTION %1$s FROM PUBLIC; '
                                 'ALTER EXTENSION seeme_rbac ADD FUNCTION %1$s; '
                                 '-- and seeme_grant_usage for each application role',
                                 c.object) END)
    FROM compared c WHERE c.kind = 'function' AND NOT c.is_same
  UNION ALL
  SELECT 'critical', c.object,
         'view was changed: it is not the one that the extension installed, and may show what the '
         'policies hide',
         c.statement || ';'
    FROM compared c WHERE c.kind = 'view' AND NOT c.is_same
  UNION ALL
  SELECT 'high', c.object,
         format('column was changed: %I is not as the extension installed it; the library reads '
                'columns '
                'by their number and type%s', c.name,
                CASE WHEN c.is_gone THEN ': it is gone' END),
         CASE WHEN c.now_parts -> 'number' = c.parts -> 'number'
              THEN format('ALTER TABLE %s %s;', c.object, concat_ws(', ',
                     CASE WHEN c.now_parts -> 'type' <> c.parts -> 'type'
                          THEN format('ALTER COLUMN %1$I TYPE %2$s USING %1$I::%2$s',
                                      c.name, c.parts ->> 'type') END,
                     CASE WHEN c.now_parts -> 'not null' <> c.parts -> 'not null'
                          THEN format('ALTER COLUMN %I %s NOT NULL', c.name,
                                      CASE WHEN (c.parts ->> 'not null')::boolean THEN 'SET'
                                           ELSE 'DROP' END) END,
                     CASE WHEN c.now_parts -> 'default' <> c.parts -> 'default'
                               AND c.statement <> ''
                          THEN format('ALTER COLUMN %I %s', c.name, c.statement) END))
              ELSE format('-- restore the database from a backup: the column %I of %s is gone, and '
                          'another one would not take its place', c.name, c.object) END
    FROM compared c WHERE c.kind = 'column' AND NOT c.is_same
  UNION ALL
  SELECT 'high', c.object,
         format('constraint was changed: %I is not the one that the extension installed, or is not '
                'valid, so that rows may contradict each other%s', c.name,
                CASE WHEN c.is_gone THEN ': it is gone' END),
         concat(CASE WHEN NOT c.is_gone
                     THEN format('ALTER TABLE %s DROP CONSTRAINT %I; ', c.object, c.name) END,
                c.statement, ';')
    FROM compared c WHERE c.kind = 'constraint' AND NOT c.is_same
  UNION ALL
  SELECT 'high', c.object,
         format('index was changed: %I is not the one that the extension installed, or is not '
                'valid; the '
                'library uses indexes by their names, and fails without one%s',
                c.name, CASE WHEN c.is_gone THEN ': it is gone' END),
         concat(CASE WHEN NOT c.is_gone THEN format('DROP INDEX seeme.%I; ', c.name) END,
                c.statement, ';')
    FROM compared c WHERE c.kind = 'index' AND NOT c.is_same
  UNION ALL
  SELECT DISTINCT 'critical', l.object,
         'table of the extension is gone: it was dropped, renamed or moved, with all its guards',
         format('-- restore the database from a backup: %s is gone', l.object)
    FROM installed l WHERE l.is_lost
  UNION ALL
  SELECT DISTINCT 'high', l.object,
         'no part of the extension any more: it was removed from the extension; dumps, upgrades '
         'and this '
         'report treat it as another owner''s object',
         format('ALTER EXTENSION seeme_rbac ADD %s %s;',
                CASE WHEN l.kind IN ('function', 'event trigger', 'view')
                     THEN upper(l.kind COLLATE "C") ELSE 'TABLE' END, l.object)
    FROM installed l WHERE l.has_left
     AND (l.kind IN ('function', 'event trigger', 'view', 'column'))
  UNION ALL
  SELECT 'high', coalesce(c.object, 'seeme.installed_guards'),
         format('guard cannot be compared: the recorded %s %s cannot be parsed here, because '
                'something that it names is gone', c.kind, nullif(c.name, '')),
         '-- compare the definition with that of a new database; where they agree: SELECT '
         'seeme.remember_guards();'
    FROM compared c WHERE c.is_same IS NULL
  UNION ALL
  SELECT 'high', u.object,
         format('guard cannot be compared: nothing is recorded of this %s; a change of it would '
                'not be found', u.kind),
         '-- compare the definition with that of a new database; where they agree: SELECT '
         'seeme.remember_guards();'
    FROM unrecorded u WHERE EXISTS (SELECT FROM installed)
  UNION ALL
  SELECT 'high', 'seeme.installed_guards',
         'guard cannot be compared: nothing at all is recorded; a change of the extension would '
         'not be found',
         '-- compare the definitions with those of a new database; where they agree: SELECT '
         'seeme.remember_guards();'
   WHERE NOT EXISTS (SELECT FROM installed)
  UNION ALL
  SELECT CASE n.kind WHEN 'policy' THEN 'critical' ELSE 'medium' END, n.object,
         CASE n.kind WHEN 'policy'
                     THEN format('additional policy: %I was added to this table of the extension; '
                                 'it '
                                 'shows or hides other rows than the model does', n.name)
                     ELSE format('additional trigger: %I was added to this table of the extension, '
                                 'and '
                                 'runs with the rights of the extension''s owner; a dump does not '
                                 'keep it',
                                 n.name) END,
         format('DROP %s %I ON %s;', upper(n.kind COLLATE "C"), n.name, n.object)
    FROM now n
   WHERE CASE WHEN n.kind IN ('policy', 'trigger')
              THEN seeme.is_of_extension('pg_class', to_regclass(n.object)) ELSE false END
     AND EXISTS (SELECT FROM installed i WHERE i.object = n.object)
     AND NOT EXISTS (SELECT FROM installed i
                      WHERE (i.kind, i.object, i.name) = (n.kind, n.object, n.name))
$$;
COMMENT ON FUNCTION seeme.findings_on_own_parts() IS
  'Part of the security report: what the extension consists of, compared with what was installed';

CREATE FUNCTION seeme.findings_on_own_tables()
RETURNS TABLE (severity text, object text, finding text, remedy text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT 'high', quote_ident(t.evtname),
         'event trigger is disabled: new partitions of protected tables stay open, dropped tables '
         'stay listed, or other roles can add triggers to the extension''s tables',
         format('ALTER EVENT TRIGGER %I ENABLE ALWAYS;', t.evtname)
    FROM pg_event_trigger t
    JOIN pg_proc f ON f.oid = t.evtfoid AND f.pronamespace = 'seeme'::regnamespace
   WHERE t.evtenabled IN ('D', 'R')
  UNION ALL
  SELECT 'medium', c.oid::regclass::text,
         'not the extension''s: somebody put this into the schema seeme, where it passes for a '
         'part of the model',
         format('ALTER %s %s SET SCHEMA public;',
                CASE c.relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW'
                               WHEN 'f' THEN 'FOREIGN TABLE' ELSE 'TABLE' END, c.oid::regclass)
    FROM pg_class c
   WHERE c.relnamespace = 'seeme'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
     AND NOT seeme.is_of_extension('pg_class', c.oid)
     AND NOT EXISTS (SELECT FROM seeme.installed_guards i WHERE i.object = c.oid::regclass::text)
  UNION ALL
  SELECT 'medium', p.oid::regprocedure::text,
         'not the extension''s: somebody put this into the schema seeme, where it passes for a '
         'part of the model',
         format('ALTER ROUTINE %s SET SCHEMA public;', p.oid::regprocedure)
    FROM pg_proc p
   WHERE p.pronamespace = 'seeme'::regnamespace AND p.prokind <> 'a'
     AND NOT seeme.is_of_extension('pg_proc', p.oid)
     AND NOT EXISTS (SELECT FROM seeme.installed_guards i
                      WHERE (i.kind, i.object) = ('function', p.oid::regprocedure::text))
  UNION ALL
  SELECT 'high', t.identity,
         format('owner was changed: this belongs to %s and not to the owner of the extension; that '
                'role can change its definition, and it runs with the rights of that role',
                t.owner::regrole),
         format('ALTER %s %s OWNER TO %s;', t.kind, t.identity, seeme.extension_owner()::regrole)
    FROM (SELECT CASE c.relkind WHEN 'v' THEN 'VIEW' WHEN 'S' THEN 'SEQUENCE'
                                ELSE 'TABLE' END AS kind,
                 c.oid::regclass::text AS identity, c.relowner AS owner
            FROM pg_class c
           WHERE c.relkind IN ('r', 'p', 'v', 'S')
             AND c.oid IN (SELECT seeme.own_objects('pg_class'))
          UNION ALL
          SELECT 'ROUTINE', p.oid::regprocedure::text, p.proowner
            FROM pg_proc p WHERE p.oid IN (SELECT seeme.own_objects('pg_proc'))
          UNION ALL
          SELECT 'SCHEMA', n.oid::regnamespace::text, n.nspowner
            FROM pg_namespace n WHERE n.nspname = 'seeme'
          UNION ALL
          SELECT 'EVENT TRIGGER', quote_ident(e.evtname), e.evtowner
            FROM pg_event_trigger e
           WHERE e.oid IN (SELECT seeme.own_objects('pg_event_trigger'))) AS t
   WHERE t.owner <> seeme.extension_owner()
  UNION ALL
  SELECT 'high', r.oid::regrole::text,
         'extension''s owner is no superuser: its triggers and functions run with the rights of '
         'this role; under row security they fail or see nothing',
         format('ALTER ROLE %s SUPERUSER;', r.oid::regrole)
    FROM pg_roles r WHERE r.oid = seeme.extension_owner() AND NOT r.rolsuper
$$;
COMMENT ON FUNCTION seeme.findings_on_own_tables() IS
  'Part of the security report: disabled event triggers, foreign objects in the schema seeme, and '
  'owners of the extension''s objects';
