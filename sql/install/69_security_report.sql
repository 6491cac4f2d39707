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
  RETURN QUERY
  SELECT f.severity, f.object, f.finding, f.remedy
    FROM (SELECT * FROM seeme.findings_on_protected_tables()
          UNION SELECT * FROM seeme.findings_on_own_tables()
          UNION SELECT * FROM seeme.findings_beside_protected_tables()
          UNION SELECT * FROM seeme.findings_on_ways_around()
          UNION SELECT * FROM seeme.findings_on_privileges()
          UNION SELECT * FROM seeme.findings_on_roles()
          UNION SELECT * FROM seeme.findings_on_people()
          UNION SELECT * FROM seeme.findings_on_identity()
          UNION SELECT * FROM seeme.findings_on_server(current_setting('server_version_num')::integer)) AS f
   ORDER BY array_position('{critical,high,medium,low,info}', f.severity), f.object COLLATE "C", f.finding COLLATE "C", f.remedy COLLATE "C";
END $$;
COMMENT ON FUNCTION @extschema@.seeme_security_report() IS
  'What is weak in this database: how bad (critical, high, medium, low, info), where, what and why (a name up to the colon, by which to filter), and the statement that mends it. For database administrators; it changes nothing.';
