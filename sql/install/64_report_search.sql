-- The security report on what may be looked up in indexes (doc/search.md), and what an
-- administrator asks of one condition.

CREATE FUNCTION seeme.leak_of_parsed_condition(relation regclass, tree pg_node_tree) RETURNS text
LANGUAGE c STABLE STRICT PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'seeme_leak_of_condition';
COMMENT ON FUNCTION seeme.leak_of_parsed_condition(regclass, pg_node_tree) IS
  'As seeme.leak_of_condition, of a condition that was parsed';

CREATE FUNCTION seeme.leak_of_condition(relation regclass, condition text) RETURNS text
LANGUAGE sql STABLE STRICT
RETURN seeme.leak_of_parsed_condition(relation, seeme.parsed_condition(relation, condition));
COMMENT ON FUNCTION seeme.leak_of_condition(regclass, text) IS
  'Whether a condition on the rows of a table tells anything of a row but by its result: none, so '
  'that an index may be used; none once checked, where what has no column in it is evaluated '
  'before the first row; or unknown. For superusers: names in it are looked up in the search '
  'path.';

CREATE FUNCTION seeme.findings_on_search() RETURNS TABLE (severity text, object text,
    finding text, remedy text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT 'low', t.name,
         format('trust has ended: %s',
             CASE WHEN p.oid IS NULL THEN 'the function is gone, or has another name'
           WHEN NOT r.rolsuper THEN format('the function belongs to %s, who is no superuser',
               p.proowner::regrole)
           ELSE format('the function is not the one that %s trusted',
               quote_ident(t.trusted_by)) END),
         format('DELETE FROM seeme.trusted_functions WHERE name = %L;%s', t.name,
                CASE WHEN r.rolsuper
                     THEN format(' -- or, once it is read again, SELECT seeme_trust_function(%L)',
                                 t.name)
                     ELSE '' END)
    FROM seeme.trusted_functions t
    LEFT JOIN pg_proc p ON p.oid = to_regprocedure(t.name)
    LEFT JOIN pg_roles r ON r.oid = p.proowner
   WHERE p.oid IS NULL OR NOT r.rolsuper OR p.provolatile = 'v'
      OR seeme.digest_of_function(p.oid) <> t.digest
  UNION ALL
  SELECT 'low', s.whom,
         'search operators are looked up in indexes: whoever measures time, or runs EXPLAIN '
         'ANALYZE, can tell whether a hidden row matches a pattern',
         s.remedy
    FROM seeme.settings('seeme_rbac.search_operators') s WHERE seeme.is_on(s.value)
$$;
COMMENT ON FUNCTION seeme.findings_on_search() IS
  'Part of the security report: what may be looked up in indexes before anybody asks who may see '
  'the row';
