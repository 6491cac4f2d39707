-- Which functions and operators may be looked up in the indexes of a protected table
-- (doc/search.md): those that a superuser trusts,
-- besides the list in src/planner/leakproof_list.c.

CREATE TABLE seeme.trusted_functions (
  name       text PRIMARY KEY,
  digest     text NOT NULL,
  trusted_at timestamptz NOT NULL DEFAULT now(),
  trusted_by name NOT NULL DEFAULT current_user
);
COMMENT ON TABLE seeme.trusted_functions IS
  'Functions that a superuser said tell nothing of a row but by their result. For database '
  'administrators: seeme_trust_function adds one.';
COMMENT ON COLUMN seeme.trusted_functions.name IS
  'The function, with its schema and the types of its arguments';
COMMENT ON COLUMN seeme.trusted_functions.digest IS
  'SHA-256 of its definition, its owner included. Once these are others, it is trusted no more.';
COMMENT ON COLUMN seeme.trusted_functions.trusted_at IS 'Since when';
COMMENT ON COLUMN seeme.trusted_functions.trusted_by IS 'The database role that trusted it';

-- Without a policy: for database administrators alone.
ALTER TABLE seeme.trusted_functions ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
SELECT pg_extension_config_dump('seeme.trusted_functions', '');

CREATE FUNCTION seeme.note_trust() RETURNS trigger
LANGUAGE c AS 'MODULE_PATHNAME', 'seeme_note_trust';
COMMENT ON FUNCTION seeme.note_trust() IS
  'Trigger: when this transaction commits, every session plans its statements anew, by the '
  'functions that are trusted then';
CREATE TRIGGER note_trust AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON seeme.trusted_functions
  FOR EACH STATEMENT EXECUTE FUNCTION seeme.note_trust();
ALTER TABLE seeme.trusted_functions ENABLE ALWAYS TRIGGER note_trust;

CREATE FUNCTION seeme.name_of_function(function oid) RETURNS text
LANGUAGE c STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'seeme_name_of_function';
COMMENT ON FUNCTION seeme.name_of_function(oid) IS
  'A function''s name with its schema and the types of its arguments, whatever the search path';

CREATE FUNCTION seeme.digest_of_function(function oid) RETURNS text
LANGUAGE c STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'seeme_digest_of_function';
COMMENT ON FUNCTION seeme.digest_of_function(oid) IS
  'SHA-256 of a function''s definition and owner, which trust is bound to';

CREATE FUNCTION seeme.require_superuser_for_trust() RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF NOT (SELECT r.rolsuper FROM pg_roles r WHERE r.rolname = current_user) THEN
    RAISE EXCEPTION 'only superusers say which functions are trusted'
      USING ERRCODE = 'insufficient_privilege',
            HINT = 'A trusted function is called on rows that the asking person may not see.';
  END IF;
END $$;
COMMENT ON FUNCTION seeme.require_superuser_for_trust() IS
  'Raises 42501 unless the current role is a superuser';

CREATE FUNCTION @extschema@.seeme_trust_function(function regprocedure) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  p       pg_proc;
  defect  text;
  language name;
BEGIN
  PERFORM seeme.require_superuser_for_trust();
  SELECT * INTO p FROM pg_proc f WHERE f.oid = function;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'function % does not exist', coalesce(function::oid::text,
        '(null)') USING ERRCODE = 'undefined_function';
  END IF;
  SELECT l.lanname INTO language FROM pg_language l WHERE l.oid = p.prolang;
  defect := CASE WHEN NOT EXISTS (SELECT FROM pg_roles r WHERE r.oid = p.proowner AND r.rolsuper)
                 THEN format('its owner, %s, is no superuser and may replace it',
                     p.proowner::regrole)
                 WHEN p.prokind <> 'f' OR p.proretset
                 THEN 'it is not a function of one row that returns one value'
                 WHEN p.provolatile = 'v' THEN 'it is volatile, so that it may do anything'
                 WHEN p.prosecdef
                 THEN 'it is SECURITY DEFINER, so that it runs with the rights of its owner' END;
  IF defect IS NOT NULL THEN
    RAISE EXCEPTION 'function % cannot be trusted: %', function, defect
      USING ERRCODE = 'object_not_in_prerequisite_state',
            HINT = 'A superuser owns it; it is immutable or stable, and tells nothing by an error, '
                   'a notice or otherwise.';
  END IF;
  IF language NOT IN ('c', 'internal') THEN
    RAISE NOTICE 'function % calls others, which are not looked at', function
      USING HINT = 'Trust in it ends when it is changed, and not when one that it calls is. '
                   'See that superusers own these, too.';
  END IF;
  INSERT INTO seeme.trusted_functions (name, digest) VALUES (seeme.name_of_function(function),
      seeme.digest_of_function(function))
  ON CONFLICT ON CONSTRAINT trusted_functions_pkey
  DO UPDATE SET digest = excluded.digest, trusted_at = excluded.trusted_at,
      trusted_by = excluded.trusted_by;
END $$;
COMMENT ON FUNCTION @extschema@.seeme_trust_function(regprocedure) IS
  'Says that a function tells nothing of a row but by its result, so that conditions by it may be '
  'looked up in an index of a protected table, before anybody asks who may see the row. For '
  'superusers. Until its definition or its owner changes.';

CREATE FUNCTION @extschema@.seeme_distrust_function(function regprocedure) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM seeme.require_superuser_for_trust();
  DELETE FROM seeme.trusted_functions t
      WHERE t.name = seeme.name_of_function(seeme_distrust_function.function);
END $$;
COMMENT ON FUNCTION @extschema@.seeme_distrust_function(regprocedure) IS
  'Ends what seeme_trust_function said of a function. For superusers. Every session plans its '
  'statements anew.';

-- What the planner has a parameter checked by. EXECUTE is granted to application roles
-- (90_grants.sql).
CREATE FUNCTION seeme.check_like_pattern(pattern "any") RETURNS boolean
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'seeme_check_like_pattern';
COMMENT ON FUNCTION seeme.check_like_pattern("any") IS
  'True. Raises 22025 when a pattern of LIKE ends within an escape, and 54001 when it has too '
  'many wildcards: either would be an error for those rows alone that match as far as there.';

CREATE FUNCTION seeme.check_search_pattern(pattern "any") RETURNS boolean
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'seeme_check_search_pattern';
COMMENT ON FUNCTION seeme.check_search_pattern("any") IS
  'True. Raises 54001 when a jsonb or tsquery to search for is nested too deeply.';

CREATE FUNCTION seeme.note_search_indexes(table_name regclass) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  indexes text;
BEGIN
  -- The setting is what it is for the application's sessions: of this database, or of all.
  IF lower(coalesce(current_setting('seeme_rbac.search_operators', true), 'off')) IN ('on',
      'true', 'yes', '1')
     OR EXISTS (SELECT FROM pg_db_role_setting s
         JOIN pg_database d ON d.datname = current_database() AND s.setdatabase IN (0, d.oid),
                       unnest(s.setconfig) AS v (entry)
                 WHERE v.entry ~* '^seeme_rbac\.search_operators=(on|t|y|1)') THEN
    RETURN;
  END IF;
  SELECT string_agg(i.indexrelid::regclass::text,
      ', ' ORDER BY i.indexrelid::regclass::text COLLATE "C") INTO indexes
    FROM pg_index i
   WHERE i.indrelid = table_name AND i.indisvalid
     AND EXISTS (SELECT FROM unnest(i.indclass) AS k (opclass)
         JOIN pg_opclass c ON c.oid = k.opclass JOIN pg_am m ON m.oid = c.opcmethod
                  WHERE m.amname IN ('gin', 'gist', 'spgist')
                    AND EXISTS (SELECT FROM pg_amop a JOIN pg_operator o ON o.oid = a.amopopr
                                 WHERE a.amopfamily = c.opcfamily AND a.amoppurpose = 's'
                                   AND o.oprname IN ('@@', '@>', '<@', '&&', '?', '?|', '?&', '%',
                                       '~~', '~~*', '<<', '>>', '<<=', '>>='))
                     OR m.amname = 'btree' AND c.opcname IN ('text_pattern_ops',
                         'varchar_pattern_ops', 'bpchar_pattern_ops'));
  IF indexes IS NOT NULL THEN
    RAISE NOTICE 'searches by LIKE, @@, @> and the like do not use the indexes of %: %',
        table_name, indexes
      USING HINT = format('ALTER DATABASE %I SET seeme_rbac.search_operators = on; their speed '
                          'then tells whether hidden rows match (doc/search.md).', current_database());
  END IF;
END $$;
COMMENT ON FUNCTION seeme.note_search_indexes(regclass) IS
  'A NOTICE when a table has an index that search operators would use, and '
  'seeme_rbac.search_operators is off';
