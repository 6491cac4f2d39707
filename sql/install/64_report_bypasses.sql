-- The security report on views, functions and publications that show rows of protected tables
-- although their policies would hide them.

-- The OIDs of PostgreSQL's own functions are the same in every version that has them. For a
-- function of a later version, which is not listed here, xmin decides: initdb wrote its row, and
-- ALTER FUNCTION would have written a new one.
CREATE FUNCTION seeme.is_leakproof_by_itself(function oid, written_by xid) RETURNS boolean
LANGUAGE sql IMMUTABLE
RETURN written_by = ANY ('{1,2}'::xid[]) OR function = ANY ('{
    56,57,60,61,62,63,64,65,66,67,68,69,70,72,73,74,84,144,145,146,147,148,149,150,151,157,158,
    159,160,161,162,163,164,165,166,167,168,169,184,185,235,236,240,241,242,243,244,245,246,247,
    248,249,250,251,252,253,287,288,289,290,291,292,293,294,295,296,297,298,299,300,301,302,303,
    304,305,306,307,308,309,310,311,313,316,318,350,351,354,355,356,358,359,360,377,404,406,407,
    409,458,459,467,468,469,470,471,472,474,475,476,477,478,479,481,482,619,652,655,656,657,658,
    659,677,678,679,680,681,716,717,740,741,742,743,754,830,831,832,833,834,835,836,842,852,853,
    854,855,856,857,888,889,890,891,892,893,920,921,922,923,924,925,926,999,1048,1049,1050,1051,
    1052,1053,1063,1064,1078,1086,1087,1088,1089,1090,1091,1092,1102,1103,1104,1105,1106,1107,
    1145,1152,1153,1154,1155,1156,1157,1162,1163,1164,1165,1166,1167,1246,1265,1288,1292,1314,
    1315,1319,1352,1353,1354,1355,1356,1357,1358,1370,1400,1401,1462,1463,1464,1465,1466,1467,
    1482,1483,1484,1485,1486,1581,1582,1592,1593,1594,1595,1596,1638,1639,1666,1667,1668,1669,
    1670,1671,1672,1691,1692,1693,1740,1742,1743,1781,1782,1850,1851,1852,1853,1854,1855,1856,
    1857,1858,1859,1860,1861,1948,1949,1950,1951,1952,1953,1954,2045,2052,2053,2054,2055,2056,
    2057,2160,2161,2163,2164,2166,2174,2175,2177,2178,2180,2188,2189,2190,2191,2192,2193,2194,
    2195,2311,2321,2557,2558,2790,2791,2792,2793,2794,2954,2955,2956,2957,2958,2959,2960,3231,
    3232,3233,3234,3235,3236,3251,3308,3309,3419,3420,3421,3422,3432,3696,4113,4114,4115,4116,
    4117,4118,4119,4123,5034,5035,5036,5037,5084,5085,5096,6342,6343,6364,6365,6367,6368,6369,
    6393,6394}'::oid[]);
COMMENT ON FUNCTION seeme.is_leakproof_by_itself(oid, xid) IS
  'Whether PostgreSQL itself marks this function of pg_catalog as LEAKPROOF: in versions 15 to 18 '
  'by its OID, else by the transaction that wrote its row';

CREATE FUNCTION seeme.findings_on_ways_around()
RETURNS TABLE (severity text, object text, finding text, remedy text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  WITH guarded AS MATERIALIZED (
    SELECT g.relation, g.is_own, c.relname,
           '\m' || regexp_replace(CASE WHEN g.is_own THEN 'seeme.' ELSE '' END || c.relname,
                                  '([^a-zA-Z0-9_])', '\\\1', 'g') || '\M' AS word
      FROM seeme.guarded_relations() g JOIN pg_class c ON c.oid = g.relation
  ), definer AS MATERIALIZED (
    SELECT p.oid, p.prosrc, p.proowner, p.proconfig, p.prosqlbody, p.pronamespace
      FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
     WHERE p.prosecdef AND p.proowner IN (SELECT role FROM seeme.bypassing_roles())
       AND NOT seeme.is_of_extension('pg_proc', p.oid)
       AND (p.proacl IS NULL
            OR EXISTS (SELECT FROM aclexplode(p.proacl) AS a WHERE a.grantee <> p.proowner))
  )
  SELECT 'high', c.oid::regclass::text,
         format('view runs with its owner''s rights: it shows rows of protected tables, and its '
                'owner %s bypasses row security', c.relowner::regrole),
         format('ALTER VIEW %s SET (security_invoker = true);', c.oid::regclass)
    FROM seeme.views_over_guarded_relations() v
    JOIN pg_class c ON c.oid = v.relation AND c.relkind = 'v'
   WHERE c.relowner IN (SELECT role FROM seeme.bypassing_roles())
     AND NOT EXISTS (SELECT FROM unnest(c.reloptions) AS o
                      WHERE o COLLATE "C" ~* '^security_invoker=(true|on|yes|1|t|y)$')
  UNION ALL
  SELECT 'high', c.oid::regclass::text,
         'materialized view holds rows: it stores rows of protected tables that its owner saw, and '
         'has no policies; whoever is granted it sees them all',
         format('REVOKE ALL ON %s FROM %s;', c.oid::regclass, a.grantees)
    FROM seeme.views_over_guarded_relations() v
    JOIN pg_class c ON c.oid = v.relation AND c.relkind = 'm',
         LATERAL (SELECT string_agg(DISTINCT seeme.grantee_name(a.grantee), ', ') AS grantees
                    FROM aclexplode(c.relacl) AS a WHERE a.grantee <> c.relowner) AS a
   WHERE a.grantees IS NOT NULL
  UNION ALL
  SELECT 'high', d.oid::regprocedure::text,
         format('SECURITY DEFINER function reads protected tables: other roles may call it, it '
                'names %s, and its owner %s bypasses row security', m.names, d.proowner::regrole),
         format('ALTER ROUTINE %s SECURITY INVOKER;', d.oid::regprocedure)
    FROM definer d,
         LATERAL (
           SELECT string_agg(g.relation::regclass::text, ', '
                             ORDER BY g.relation::regclass::text) AS names
             FROM guarded g
            WHERE CASE WHEN d.prosqlbody IS NOT NULL
                       THEN EXISTS (SELECT FROM pg_depend p
                                     WHERE p.classid = 'pg_proc'::regclass AND p.objid = d.oid
                                       AND p.refclassid = 'pg_class'::regclass
                                       AND p.refobjid = g.relation)
                       WHEN strpos(lower(d.prosrc COLLATE "C"), lower(g.relname COLLATE "C")) > 0
                       THEN d.prosrc COLLATE "C" ~* g.word ELSE false END) AS m
   WHERE m.names IS NOT NULL
  UNION ALL
  SELECT 'high', d.oid::regprocedure::text,
         format('SECURITY DEFINER function without a search_path: its caller chooses which objects '
                'its names mean, and its owner %s bypasses row security', d.proowner::regrole),
         format('ALTER ROUTINE %s SET search_path = pg_catalog, %s, pg_temp;',
                d.oid::regprocedure, d.pronamespace::regnamespace)
    FROM definer d JOIN pg_proc p ON p.oid = d.oid
    JOIN pg_language l ON l.oid = p.prolang AND l.lanname NOT IN ('c', 'internal')
   WHERE d.prosqlbody IS NULL
     AND NOT EXISTS (SELECT FROM unnest(d.proconfig) AS s WHERE s ~ '^search_path=')
  UNION ALL
  SELECT 'medium', p.oid::regprocedure::text,
         'function is LEAKPROOF: PostgreSQL may call it with values of hidden rows, before the '
         'policies are evaluated; an error or a notice of it may show these values',
         -- Somebody marks it, as a rule, because an index goes unused.
         format('ALTER FUNCTION %s NOT LEAKPROOF; -- its index is used by search_operators = on '
                || 'or seeme_trust_function (doc/search.md)', p.oid::regprocedure)
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
   -- functions of this extension are compared with the installed ones instead
   WHERE p.proleakproof AND p.oid NOT IN (SELECT seeme.own_objects('pg_proc'))
     AND NOT (n.nspname IN ('pg_catalog', 'information_schema')
              AND seeme.is_leakproof_by_itself(p.oid, p.xmin))
  UNION ALL
  SELECT 'medium', format('publication %I', p.pubname),
         CASE WHEN p.puballtables
              THEN 'publication carries protected rows: it publishes all tables, and a subscriber '
                   'gets '
                   'every row, whatever the policies say'
              ELSE format('publication carries protected rows: a subscriber gets every row of %s, '
                          'whatever the policies say', x.what) END,
         CASE WHEN p.puballtables THEN format('DROP PUBLICATION %I;', p.pubname)
              ELSE format('ALTER PUBLICATION %I DROP %s;', p.pubname, x.what) END
    FROM pg_publication p
    JOIN LATERAL (
         SELECT NULL::text AS what WHERE p.puballtables
         UNION ALL
         SELECT 'TABLE ' || r.prrelid::regclass
           FROM pg_publication_rel r JOIN guarded g ON g.relation = r.prrelid
          WHERE r.prpubid = p.oid
         UNION ALL
         SELECT 'TABLES IN SCHEMA ' || s.pnnspid::regnamespace FROM pg_publication_namespace s
          WHERE s.pnpubid = p.oid
            AND EXISTS (SELECT FROM guarded g
                          JOIN pg_class c ON c.oid = g.relation AND c.relnamespace = s.pnnspid)
         ) AS x ON true
$$;
COMMENT ON FUNCTION seeme.findings_on_ways_around() IS
  'Part of the security report: views, functions and publications that show rows of protected '
  'tables although their policies would hide them';
