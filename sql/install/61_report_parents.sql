-- The security report on tables whose rows lie where the rows of another table lie.

CREATE FUNCTION seeme.findings_on_parents()
RETURNS TABLE (severity text, object text, finding text, remedy text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT 'critical', p.table_name::text,
         format('parent is gone: %s, so that nothing tells where the rows lie, and every statement '
                'on the table is an error',
                CASE WHEN c.oid IS NULL THEN 'the table that it referred to was dropped'
                     WHEN t.table_name IS NULL THEN format('%s is not protected', p.parent_table)
                     ELSE format('its column %I has no foreign key to %s', p.parent_column,
                                 p.parent_table) END),
         CASE WHEN c.oid IS NULL OR t.table_name IS NULL
              THEN format('-- SELECT seeme_unprotect(%L), and seeme_protect with other columns',
                          p.table_name)
              ELSE format('ALTER TABLE %s ADD FOREIGN KEY (%I) REFERENCES %s;', p.table_name,
                          p.parent_column, p.parent_table) END
    FROM seeme.protected_tables p LEFT JOIN pg_class c ON c.oid = p.parent_table
    LEFT JOIN seeme.protected_tables t ON t.table_name = p.parent_table
   WHERE p.parent_column IS NOT NULL
     AND (c.oid IS NULL OR t.table_name IS NULL OR NOT seeme.has_parent_key(p))
  UNION ALL
  SELECT 'high', p.table_name::text,
         format('parent has several keys: column %I refers to %s, which tells where the rows lie, '
                'and by %I to %s; a dump may restore the foreign keys in another order, and then '
                'other people see the rows', p.parent_column, used.key, k.constraint_name, k.key),
         format('ALTER TABLE %s DROP CONSTRAINT %I;', p.table_name, k.constraint_name)
    FROM seeme.protected_tables p JOIN pg_class c ON c.oid = p.table_name,
         LATERAL (SELECT k.key
                    FROM seeme.parent_keys(p.table_name, p.parent_column, p.parent_table) k
                   ORDER BY k.constraint_id LIMIT 1) AS used,
         LATERAL seeme.parent_keys(p.table_name, p.parent_column, p.parent_table) AS k
   WHERE p.parent_table IS NOT NULL AND k.key <> used.key
$$;
COMMENT ON FUNCTION seeme.findings_on_parents() IS
  'Part of the security report: protected tables whose parent_column leads to no protected table, '
  'or to several keys of one';
