-- The security report on the columns of a mirrored table of users.

-- The mirror refuses what a person changes of the mirrored columns of their own row, except names.
-- Any other column is the application's: nobody checks what a person writes there.
CREATE FUNCTION seeme.findings_on_mirrored_users()
RETURNS TABLE (severity text, object text, finding text, remedy text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  WITH mirror AS (
    SELECT m.table_name,
           -- A name may be a generated column: then people write the columns that it is made of.
           ARRAY(SELECT b FROM seeme.mirror_columns(m.kind) c,
                               unnest(seeme.base_columns(m.table_name,
                                                         (m.columns ->> c.name)::name)) AS b
                  WHERE m.columns ? c.name
                    AND c.name IN ('username', 'firstname', 'name')) AS names,
           ARRAY(SELECT k FROM seeme.mirror_columns(m.kind) c,
                               unnest(ARRAY[(m.columns ->> c.name)::name,
                                            seeme.mirrored_column(m, c.name)]) AS k
                  WHERE m.columns ? c.name) AS mirrored
      FROM seeme.mirrors m WHERE m.kind = 'users' AND m.protect),
  writable AS (
    SELECT DISTINCT m.table_name, g.grantee, a.attnum, a.attname,
           a.attname = ANY (m.names) AS is_name,
           a.attname = ANY (m.names || m.mirrored) AS is_harmless
      FROM mirror m
      JOIN seeme.grants_on_relations() g ON g.relation = m.table_name AND g.privilege = 'UPDATE'
      JOIN pg_attribute a ON a.attrelid = m.table_name AND a.attnum > 0 AND NOT a.attisdropped
                         AND a.attgenerated = '' AND a.attname = coalesce(g.column_name, a.attname)
     WHERE g.grantee NOT IN (SELECT b.role FROM seeme.bypassing_roles() b)
       AND NOT seeme.provisions(g.grantee))
  SELECT 'high', w.table_name::text,
         format('people change columns that are not mirrored: %s may update %s%s in the row of '
                'the person who asks; nobody checks what is written there',
                seeme.grantee_name(w.grantee), array_to_string(o.columns[1:5], ', '),
                CASE WHEN cardinality(o.columns) > 5
                     THEN format(' and %s more columns', cardinality(o.columns) - 5) END),
         concat(format('REVOKE UPDATE ON %s FROM %s CASCADE;', w.table_name,
                       seeme.grantee_name(w.grantee)),
                CASE WHEN o.names IS NOT NULL
                     THEN format(' GRANT UPDATE (%s) ON %s TO %s;', o.names, w.table_name,
                                 seeme.grantee_name(w.grantee)) END,
                ' -- or, where people may write them, grant these columns by name, and SELECT ',
                format('@extschema@.seeme_accept_finding(''people change columns that are not '
                       'mirrored'', %L, ''why'')', w.table_name))
    FROM (SELECT DISTINCT table_name, grantee FROM writable WHERE NOT is_harmless) w,
         LATERAL (SELECT array_agg(quote_ident(x.attname) ORDER BY x.attnum)
                           FILTER (WHERE NOT x.is_harmless) AS columns,
                         string_agg(quote_ident(x.attname), ', ' ORDER BY x.attnum)
                           FILTER (WHERE x.is_name) AS names
                    FROM writable x
                   WHERE x.table_name = w.table_name AND x.grantee = w.grantee) AS o
$$;
COMMENT ON FUNCTION seeme.findings_on_mirrored_users() IS
  'Part of the security report: columns of a mirrored table of users that people change in their '
  'own row, and that nobody checks';
