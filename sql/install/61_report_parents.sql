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
$$;
COMMENT ON FUNCTION seeme.findings_on_parents() IS
  'Part of the security report: protected tables whose parent_column leads to no protected table';
