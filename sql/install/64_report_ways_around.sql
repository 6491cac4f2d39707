-- The security report on what shows rows of protected tables to others without asking the policies.

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
