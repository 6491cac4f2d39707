-- The security report on the ways in which a session names its asking person, and on fixes that the
-- server lacks.

CREATE FUNCTION seeme.findings_on_identity()
RETURNS TABLE (severity text, object text, finding text, remedy text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  keys regclass := to_regclass('seeme.token_keys');
BEGIN
  RETURN QUERY
  SELECT 'critical', s.whom,
         'request claims are trusted: the asking person is read from request.jwt.claims, which '
         'every client may set; injected SQL can be anybody',
         s.remedy
    FROM seeme.settings('seeme_rbac.trust_request_claims') s WHERE seeme.is_on(s.value)
  UNION ALL
  SELECT 'medium', s.whom,
         'session logins are allowed: an identity then outlives its transaction; behind a pooler '
         'in transaction mode the next client takes it over',
         s.remedy
    FROM seeme.settings('seeme_rbac.session_login') s WHERE seeme.is_on(s.value)
  UNION ALL
  SELECT 'critical', s.whom,
         'several people are named: a transaction may name one person after another, which is for '
         'tests; injected SQL can be anybody',
         s.remedy
    FROM seeme.settings('seeme_rbac.several_people') s WHERE seeme.is_on(s.value)
  UNION ALL
  SELECT 'high', s.whom,
         format('weak method of authentication: %s proves nothing that a client could not claim; a '
                'connection by it is still taken for a person', m.method),
         s.remedy
    FROM seeme.settings('seeme_rbac.system_user_methods') s,
         regexp_split_to_table(lower(s.value COLLATE "C"), '[\s,"]+') AS m (method)
   WHERE m.method IN ('trust', 'ident', 'password')
  UNION ALL
  SELECT 'low', s.whom,
         format('tokens are taken late: token_leeway is %s; clocks agree to within a minute, and a '
                'stolen token is valid for that much longer', s.value),
         s.remedy
    FROM seeme.settings('seeme_rbac.token_leeway') s
   WHERE CASE WHEN s.value ~ '^ *[0-9]{1,9} *$' THEN s.value::integer > 60
              WHEN s.value ~ '^ *[0-9]{1,9} *(us|ms|s|min|h|d) *$'
              THEN s.value::interval > interval '1 minute' ELSE false END;

  IF keys IS NOT NULL THEN
    RETURN QUERY EXECUTE replace($query$
      SELECT 'low', format('seeme.token_keys %s', k.id),
             format('key both verifies and signs: %L is a shared secret (HS256); whoever reads it '
                    'here can make tokens for anybody', k.kid),
             format('DELETE FROM seeme.token_keys WHERE id = %L; '
                    '-- once the issuer signs with ES256 or RS256', k.id)
        FROM {keys} k WHERE k.algorithm LIKE 'HS%'
      UNION ALL
      SELECT 'info', format('seeme.token_keys %s', k.id),
             format('token key never expires: %L is accepted until somebody removes it', k.kid),
             format('UPDATE seeme.token_keys SET valid_until = now() + interval ''1 year'' WHERE '
                    'id = %L;',
                    k.id)
        FROM {keys} k WHERE k.valid_until IS NULL
      UNION ALL
      SELECT 'critical', 'seeme.token_keys',
             format('token keys are granted: %s holds %s on them; a role that can write a key, or '
                    'read '
                    'a shared one, can make tokens for anybody',
                    seeme.grantee_name(g.grantee),
                    string_agg(DISTINCT g.privilege, ', ' ORDER BY g.privilege)),
             format('REVOKE ALL ON seeme.token_keys FROM %s;', seeme.grantee_name(g.grantee))
        FROM seeme.grants_on_relations() g
       WHERE g.relation = '{keys}'::regclass GROUP BY g.grantee $query$, '{keys}', keys::text);
  END IF;
END $$;
COMMENT ON FUNCTION seeme.findings_on_identity() IS
  'Part of the security report: the ways in which a session names its asking person';

-- Each is described at https://www.postgresql.org/support/security/CVE-.../ . The numbers are, for
-- each major version, the first minor release with the fix. A major version without a number never
-- had the fault in a release.
CREATE FUNCTION seeme.row_security_cves(version integer)
RETURNS TABLE (cve text, severity text, about text, fixed_in text)
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT k.cve, k.severity, k.about, f.fixed / 10000 || '.' || f.fixed % 10000
    FROM (VALUES
      ('CVE-2023-2455', 'medium', 'policies of another role apply after a function was inlined',
       '{150003}'::integer[]),
      ('CVE-2023-39418', 'high', 'MERGE updates rows that the policies of UPDATE and SELECT hide',
       '{150004}'),
      ('CVE-2024-4317', 'low', 'pg_stats_ext shows values of columns that one may not read',
       '{150007,160003}'),
      ('CVE-2024-10976', 'medium',
       'policies of another role apply in subqueries of a plan that is used again',
       '{150009,160005,170001}'),
      ('CVE-2024-10978', 'medium',
       'a session goes back to the wrong role after SET ROLE or SET SESSION AUTHORIZATION',
       '{150009,160005,170001}'),
      ('CVE-2025-8713', 'medium',
       'the planner''s statistics show values of hidden rows of partitioned tables',
       '{150014,160010,170006}'),
      ('CVE-2026-14666', 'medium', 'plans keep the policies from before a role was changed',
       '{150019,160015,170011,180006}'),
      ('CVE-2026-16237', 'high', 'INSERT ... ON CONFLICT on a view updates rows that the view '
                                 'hides',
       '{150020,160016,170012,180007}'),
      ('CVE-2026-116311', 'medium',
       'DROP OWNED BY takes a role out of restrictive policies of tables of others',
       '{150020,160016,170012,180007}'),
      ('CVE-2026-120154', 'high', 'INSERT ... ON CONFLICT reads every row, whatever the policies '
                                  'say',
       '{150020,160016,170012,180007}')
    ) AS k (cve, severity, about, fixed), unnest(k.fixed) AS f (fixed)
   WHERE f.fixed / 10000 = version / 10000 AND version < f.fixed
$$;
COMMENT ON FUNCTION seeme.row_security_cves(integer) IS
  'The known vulnerabilities of row security in a version of PostgreSQL (in the form of '
  'server_version_num), and the minor release that fixes each';

CREATE FUNCTION seeme.findings_on_server(
  version integer = current_setting('server_version_num')::integer)
RETURNS TABLE (severity text, object text, finding text, remedy text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT v.severity, format('PostgreSQL %s.%s', version / 10000, version % 10000),
         format('server lacks a fix: %s, %s', v.cve, v.about),
         format('-- update the server to PostgreSQL %s or later, and restart it: '
                'https://www.postgresql.org/support/security/%s/', v.fixed_in, v.cve)
    FROM seeme.row_security_cves(version) v
$$;
COMMENT ON FUNCTION seeme.findings_on_server(integer) IS
  'Part of the security report: fixes that the server''s minor release lacks';
