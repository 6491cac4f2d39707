-- The security report on foreign keys that set a scope column to null or to its default. A row
-- without a scope belongs to its owner alone: it leaves the organization, and nobody has moved it.

CREATE FUNCTION seeme.findings_on_owner_columns()
RETURNS TABLE (severity text, object text, finding text, remedy text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT 'medium', k.conrelid::regclass::text,
         format('row is left to its owner: when what %I refers to is deleted, %s, and a row that '
                'lies '
                'nowhere else is its owner''s own, whoever has left the organization included',
                k.conname,
                CASE k.confdeltype WHEN 'n' THEN 'it is set to null'
                                   ELSE 'it is set to its default' END),
         format('ALTER TABLE %s DROP CONSTRAINT %I, ADD CONSTRAINT %2$I %s;',
                k.conrelid::regclass, k.conname,
                regexp_replace(pg_get_constraintdef(k.oid),
                               ' ON DELETE SET (NULL|DEFAULT)( \([^)]*\))?', ' ON DELETE RESTRICT'))
    FROM seeme.protected_tables p JOIN pg_constraint k ON k.conrelid = p.table_name
   WHERE p.owner_column IS NOT NULL AND p.owner_alone
     AND k.contype = 'f' AND k.confdeltype IN ('n', 'd') AND k.conparentid = 0
     -- ON DELETE SET NULL (columns) sets some of the key's columns only
     AND EXISTS (SELECT FROM unnest(coalesce(k.confdelsetcols, k.conkey)) AS c (number)
                   JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = c.number
                   JOIN unnest(ARRAY[p.project_column, p.team_column, p.organization_column,
                                     p.resource_id_column, p.parent_column]) AS s (name)
                     -- a generated column is null when its base column is
                     ON a.attname = ANY (seeme.base_columns(p.table_name, s.name)))
$$;
COMMENT ON FUNCTION seeme.findings_on_owner_columns() IS
  'Part of the security report: foreign keys that may leave a row to its owner alone';
