-- seeme_security_report(): all findings, the worst first.

CREATE FUNCTION seeme.all_findings()
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
  SELECT DISTINCT f.severity, f.object, f.finding, f.remedy
    FROM jsonb_to_recordset(findings)
         AS f (severity text, object text, finding text, remedy text);
END $$;
COMMENT ON FUNCTION seeme.all_findings() IS
  'The findings of the security report, accepted ones included, in no order';

CREATE FUNCTION @extschema@.seeme_security_report()
RETURNS TABLE (severity text, object text, finding text, remedy text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET jit = off AS $$
BEGIN
  RETURN QUERY
  SELECT u.severity, u.object, u.finding, u.remedy
    FROM (SELECT CASE WHEN a.id IS NULL THEN f.severity ELSE 'accepted' END AS severity,
                 f.object, f.finding,
                 CASE WHEN a.id IS NULL THEN f.remedy ELSE
                   -- on one line: the remedy is a statement, and this its comment
                   concat(f.remedy,
                          format(' -- %s, accepted by %s on %s: %s', a.severity, a.accepted_by,
                                 to_char(a.accepted_at AT TIME ZONE 'UTC', 'YYYY-MM-DD'),
                                 regexp_replace(a.reason, '\s+', ' ', 'g'))) END AS remedy
            FROM seeme.all_findings() f
            LEFT JOIN seeme.accepted_findings a
                   ON (a.object, a.finding, a.severity) = (f.object, f.finding, f.severity)
                  AND a.digest = seeme.digest_of_finding(f.object, f.remedy)) AS u
   ORDER BY array_position('{critical,high,medium,low,info,accepted}', u.severity),
            u.object COLLATE "C", u.finding COLLATE "C", u.remedy COLLATE "C";
END $$;
COMMENT ON FUNCTION @extschema@.seeme_security_report() IS
  'The weak points of this database: the severity (critical, high, medium, low, info, accepted), '
  'the object, the finding (its name, a colon, the explanation) and the statement that mends it. '
  'For database administrators. It changes nothing.';

CREATE FUNCTION @extschema@.seeme_accept_finding(finding text, object text, reason text)
RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET jit = off AS $$
#variable_conflict use_variable
DECLARE
  match    record;
  others   text;
BEGIN
  IF NOT (SELECT r.rolsuper FROM pg_roles r WHERE r.rolname = current_user) THEN
    RAISE EXCEPTION 'only superusers accept findings of the security report'
      USING ERRCODE = 'insufficient_privilege';
  END IF;
  IF num_nulls(finding, object, reason) > 0 THEN
    RAISE EXCEPTION 'seeme_accept_finding needs a finding, its object and a reason'
      USING ERRCODE = 'null_value_not_allowed',
            HINT = 'SELECT seeme_accept_finding(''additional permissive policy'', '
                   '''public.notes'', ''shared notes are for all who work here'');';
  END IF;
  IF reason !~ '\S' THEN
    RAISE EXCEPTION 'a finding is accepted for a reason'
      USING ERRCODE = 'invalid_parameter_value',
            HINT = 'The report shows it to whoever reads the finding next.';
  END IF;
  -- The whole text of a finding, or its name.
  SELECT count(*) OVER () AS n, f.* INTO match
    FROM seeme.all_findings() f
   WHERE f.object = object AND finding IN (f.finding, split_part(f.finding, ':', 1))
   LIMIT 1;
  IF NOT FOUND THEN
    SELECT string_agg(DISTINCT quote_literal(split_part(f.finding, ':', 1)), ', ') INTO others
      FROM seeme.all_findings() f WHERE f.object = object;
    RAISE EXCEPTION 'the security report has no finding "%" about %', finding, object
      USING ERRCODE = 'undefined_object',
            HINT = coalesce('What it has about this object is ' || others || '.',
                            'It has none about this object. SELECT object, finding FROM '
                            'seeme_security_report() shows all.');
  END IF;
  IF match.n > 1 THEN
    RAISE EXCEPTION 'the security report has % findings "%" about %', match.n, finding, object
      USING ERRCODE = 'cardinality_violation',
            HINT = 'Give the whole text of one of them, as the report''s column finding has it.';
  END IF;
  DELETE FROM seeme.accepted_findings a
   WHERE a.object = match.object AND a.finding = match.finding;
  INSERT INTO seeme.accepted_findings (object, finding, severity, reason, digest)
  VALUES (match.object, match.finding, match.severity, reason,
          seeme.digest_of_finding(match.object, match.remedy));
END $$;
COMMENT ON FUNCTION @extschema@.seeme_accept_finding(text, text, text) IS
  'Accepts a finding of seeme_security_report(), by its name or its whole text, about an object, '
  'for a reason. The report goes on showing it, with the severity accepted, until the object is '
  'dropped or its definition changes. For superusers. DELETE FROM seeme.accepted_findings takes '
  'it back.';
