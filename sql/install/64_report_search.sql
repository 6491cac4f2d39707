-- The security report on what may be looked up in indexes (doc/search.md), and what an administrator asks of one condition.

CREATE FUNCTION seeme.leak_of_parsed_condition(relation regclass, tree pg_node_tree) RETURNS text
LANGUAGE c STABLE STRICT PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'seeme_leak_of_condition';
COMMENT ON FUNCTION seeme.leak_of_parsed_condition(regclass, pg_node_tree) IS 'As seeme.leak_of_condition, of a condition that was parsed';

CREATE FUNCTION seeme.leak_of_condition(relation regclass, condition text) RETURNS text
LANGUAGE sql STABLE STRICT
RETURN seeme.leak_of_parsed_condition(relation, seeme.parsed_condition(relation, condition));
COMMENT ON FUNCTION seeme.leak_of_condition(regclass, text) IS
  'Whether a condition on the rows of a table tells anything of a row but by its result: none, so that an index may be used; none once checked, where what has no column in it is evaluated before the first row; or unknown. For superusers: names in it are looked up in the search path.';
