-- seeme_security_report(): all findings, the worst first.

CREATE FUNCTION @extschema@.seeme_security_report() RETURNS TABLE (severity text, object text, finding text, remedy text)
-- Compiling the queries would take longer than all of them.
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET jit = off AS $$
BEGIN
  -- It reads rows of everybody: under row security it would find little, and say so with a clear conscience.
  IF row_security_active('seeme.protected_tables') THEN
    RAISE EXCEPTION 'only a role that bypasses row security reports on it'
      USING ERRCODE = 'insufficient_privilege', HINT = 'Have a superuser call seeme_security_report.';
  END IF;
  -- A topic is a function seeme.findings_...() of the extension, and needs no other mention. What somebody else put into the
  -- schema is not run.
  RETURN QUERY EXECUTE format($query$
    SELECT f.severity, f.object, f.finding, f.remedy FROM (%s) AS f
     ORDER BY array_position('{critical,high,medium,low,info}', f.severity), f.object COLLATE "C", f.finding COLLATE "C", f.remedy COLLATE "C" $query$,
    (SELECT string_agg(format('SELECT t.severity, t.object, t.finding, t.remedy FROM seeme.%I() AS t', p.proname), ' UNION ')
       FROM pg_proc p JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid
      WHERE p.pronamespace = 'seeme'::regnamespace AND p.proname LIKE 'findings\_%' AND p.pronargs = p.pronargdefaults
        AND d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'
        AND d.refobjid = (SELECT e.oid FROM pg_extension e WHERE e.extname = 'seeme_rbac')));
END $$;
COMMENT ON FUNCTION @extschema@.seeme_security_report() IS
  'What is weak in this database: how bad (critical, high, medium, low, info), where, what and why (a name up to the colon, by which to filter), and the statement that mends it. For database administrators; it changes nothing.';
