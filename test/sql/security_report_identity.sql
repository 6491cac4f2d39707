\i test/include/prelude.psql
-- Findings of seeme_security_report() about how somebody comes to be the asking person: settings,
-- and the keys of signed tokens.
SET client_min_messages = error;
BEGIN;
\i test/include/security_report.psql
CREATE ROLE r_app LOGIN;
SELECT seeme_grant_usage('r_app') \g /dev/null
SELECT plan(31);

SELECT pg_temp.both_ways(c.name, c.severity, c.object, c.weakness, c.why) FROM (VALUES
  (1, 'request claims are trusted', 'critical', 'ROLE r_app',
  $$ALTER ROLE r_app SET seeme_rbac.trust_request_claims = on$$, 'for a role'),
  (2, 'request claims are trusted', 'critical', format('DATABASE %I', current_database()),
  format('ALTER DATABASE %I SET seeme_rbac.trust_request_claims = yes', current_database()),
  'for this database'),
  (3, 'session logins are allowed', 'medium', 'ROLE r_app',
  $$ALTER ROLE r_app SET seeme_rbac.session_login = on$$, 'for a role'),
  (4, 'several people are named', 'critical', 'ROLE r_app',
  $$ALTER ROLE r_app SET seeme_rbac.several_people = on$$, 'for a role'),
  (5, 'several people are named', 'critical', format('DATABASE %I', current_database()),
  format('ALTER DATABASE %I SET seeme_rbac.several_people = on', current_database()),
  'for this database'),
  (6, 'tokens are taken late', 'low', 'ROLE r_app',
  $$ALTER ROLE r_app SET seeme_rbac.token_leeway = 61$$, 'by more than a minute'),
  (7, 'tokens are taken late', 'low', 'ROLE r_app',
  $$ALTER ROLE r_app SET seeme_rbac.token_leeway = '2min'$$, 'said in minutes'),
  (8, 'key both verifies and signs', 'low', 'seeme.token_keys f2000000-0000-4000-8000-000000000001',
   $$INSERT INTO seeme.token_keys (
     id, kid, issuer, audience, algorithm, jwk, subject_kind, valid_from, valid_until)
     VALUES ('f2000000-0000-4000-8000-000000000001', 'k1', 'https://id.example', 'seeme', 'HS256',
       '{"kty":"oct","k":"c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3JldDE"}', 'user_id', now(),
       now() + interval '1 day')$$, 'a shared secret'),
  (9, 'token key never expires', 'info', 'seeme.token_keys f2000000-0000-4000-8000-000000000001',
   $$INSERT INTO seeme.token_keys (
     id, kid, issuer, audience, algorithm, jwk, subject_kind, valid_from, valid_until)
     VALUES ('f2000000-0000-4000-8000-000000000001', 'k1', 'https://id.example', 'seeme', 'ES256',
       '{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",'
       '"y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}', 'user_id', now(), NULL)$$,
       'a key for good'),
  (10, 'token keys are granted', 'critical', 'seeme.token_keys',
  $$GRANT SELECT (jwk) ON seeme.token_keys TO r_app$$, 'to the application'),
  (11, 'setting is granted', 'critical', 'parameter seeme_rbac.several_people',
  $$GRANT SET ON PARAMETER seeme_rbac.several_people TO r_app$$, 'that of several people')
) AS c (n, name, severity, object, weakness, why) ORDER BY c.n;

-- What is not a weakness
SELECT is(pg_temp.found('ALTER ROLE r_app SET seeme_rbac.' || s), NULL, 'no finding: ' || s)
  FROM unnest(ARRAY['trust_request_claims = off', 'session_login = off',
    'several_people = off', 'token_leeway = 60']) AS s;

-- What a connection was authenticated as is known from PostgreSQL 16 on; before, the setting is
-- refused.
SELECT current_setting('server_version_num')::int >= 160000 AS has_system_user \gset
\if :has_system_user
SELECT pg_temp.both_ways(c.name, c.severity, c.object, c.weakness, c.why) FROM (VALUES
  (1, 'weak method of authentication', 'high', 'ROLE r_app',
  $$ALTER ROLE r_app SET seeme_rbac.system_user_methods = 'cert, ident'$$, 'ident'),
  (2, 'weak method of authentication', 'high', 'ROLE r_app',
  $$ALTER ROLE r_app SET seeme_rbac.system_user_methods = 'trust'$$, 'trust')
) AS c (n, name, severity, object, weakness, why) ORDER BY c.n;
SELECT is(pg_temp.found($$ALTER ROLE r_app SET seeme_rbac.system_user_methods = 'cert, gss'$$),
  NULL, 'no finding: strong methods');
\else
SELECT t FROM (VALUES ('cert, ident', 'ident'), ('trust', 'trust')) AS m (methods, name),
  LATERAL (SELECT ok(pg_temp.found(
  format('ALTER ROLE r_app SET seeme_rbac.system_user_methods = %L', methods))::text ~ '22023',
  'weak method of authentication: ' || name)
           UNION ALL SELECT ok(
           pg_temp.found('SELECT') IS NULL,
           'weak method of authentication: and its remedy leaves nothing to be found')) AS u (t);
SELECT ok(pg_temp.found($$ALTER ROLE r_app SET seeme_rbac.system_user_methods = 'cert, gss'$$)::text
  ~ '22023', 'no finding: strong methods');
\endif

SELECT * FROM finish();
ROLLBACK;
