-- seeme_security_report(): all findings, the worst first.

CREATE FUNCTION @extschema@.seeme_security_report()
RETURNS TABLE (severity text, object text, finding text, remedy text)
-- jit = off: compiling the queries would take longer than running them all.
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET jit = off AS $$
DECLARE
  topic    name;
  of_topic jsonb;
  findings jsonb := '[]';
BEGIN
  -- The report reads everybody's rows. Under row security it would miss findings without saying so.
  IF row_security_active('seeme.protected_tables') THEN
    RAISE EXCEPTION 'only a role that bypasses row security reports on it'
      USING ERRCODE = 'insufficient_privilege',
            HINT = 'Have a superuser call seeme_security_report.';
  END IF;
  -- Every function seeme.findings_...() of the extension is a topic: no list names them. Functions
  -- that are not the extension's own are not run. A topic may fail, if something of the extension
  -- is gone: that is a finding, and the other topics still run.
  FOR topic IN
    SELECT p.proname FROM pg_proc p
     WHERE p.pronamespace = 'seeme'::regnamespace AND p.proname LIKE 'findings\_%'
       AND p.pronargs = p.pronargdefaults
       AND p.oid IN (SELECT seeme.own_objects('pg_proc'))
     ORDER BY p.proname
  LOOP
    BEGIN
      EXECUTE format('SELECT jsonb_agg(t) FROM seeme.%I() AS t', topic) INTO of_topic;
    EXCEPTION WHEN OTHERS THEN
      of_topic := jsonb_build_array(jsonb_build_object(
        'severity', 'critical', 'object', format('seeme.%I()', topic),
        'finding', format('report is incomplete: this part of it fails, and finds nothing: %s',
                          SQLERRM),
        'remedy', '-- mend what the error and the other findings name, and ask again'));
    END;
    findings := findings || coalesce(of_topic, '[]');
  END LOOP;
  RETURN QUERY
  SELECT u.severity, u.object, u.finding, u.remedy
    FROM (SELECT DISTINCT f.severity, f.object, f.finding, f.remedy
            FROM jsonb_to_recordset(findings)
                 AS f (severity text, object text, finding text, remedy text)) AS u
   ORDER BY array_position('{critical,high,medium,low,info}', u.severity),
            u.object COLLATE "C", u.finding COLLATE "C", u.remedy COLLATE "C";
END $$;
COMMENT ON FUNCTION @extschema@.seeme_security_report() IS
  'The weak points of this database: the severity (critical, high, medium, low, info), the object, '
  'the finding (its name, a colon, the explanation) and the statement that mends it. For database '
  'administrators. It changes nothing.';
