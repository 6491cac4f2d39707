\i test/include/prelude.psql
-- Signed tokens, as far as no key pair is needed (test/t/006_tokens.pl has the rest): who may have
-- which key, key sets, logins for a transaction and for a session, one person after another,
-- claims. It needs several transactions, so its people are committed, have names of their own, and
-- are removed at the end.
SET client_min_messages = error;
DROP SCHEMA IF EXISTS w_test CASCADE;
CREATE SCHEMA w_test;
GRANT USAGE ON SCHEMA w_test TO PUBLIC;
CREATE PROCEDURE w_test.clean() LANGUAGE plpgsql AS $$
DECLARE r name;
BEGIN
  IF EXISTS (SELECT FROM pg_policy WHERE polrelid = to_regclass('w_model')) THEN
    PERFORM seeme_unprotect('w_model');
  END IF;
  DROP TABLE IF EXISTS w_model;
  DELETE FROM seeme.token_keys WHERE issuer LIKE 'https://w%.example';
  DELETE FROM seeme.external_identities WHERE user_id IN
    (SELECT id FROM seeme.users WHERE username LIKE 'w\_%');
  DELETE FROM seeme.organizations WHERE slug LIKE 'w-%-test';
  DELETE FROM seeme.users WHERE username LIKE 'w\_%';
  FOR r IN SELECT rolname FROM pg_roles WHERE rolname IN ('w_app', 'w_door', 'w_bob', 'w_provision')
    ORDER BY rolname = 'w_app' LOOP
    EXECUTE format('DROP OWNED BY %I', r);
    EXECUTE format('DROP ROLE %I', r);
  END LOOP;
END $$;
CALL w_test.clean();

CREATE ROLE w_app NOLOGIN;
SELECT seeme_grant_usage('w_app') \g /dev/null
CREATE ROLE w_door LOGIN IN ROLE w_app;
CREATE ROLE w_bob LOGIN IN ROLE w_app;
CREATE ROLE w_provision LOGIN;
SELECT seeme_grant_provisioning('w_provision') \g /dev/null
GRANT EXECUTE ON FUNCTION seeme_assume(uuid) TO w_door, w_bob;

\set ada  '''a4000000-0000-4000-8000-000000000001'''
\set bob  '''a4000000-0000-4000-8000-000000000002'''
\set dora '''a4000000-0000-4000-8000-000000000003'''
INSERT INTO seeme.users (id, username, email, firstname, name, disabled_at) VALUES
  (:ada, 'w_ada', 'w_ada@example.com', 'Ada', 'Token', NULL),
  (:bob, 'w_bob', 'w_bob@example.com', 'Bob', 'Token', NULL),
  (:dora, 'w_dora', 'w_dora@example.com', 'Dora', 'Token', '2020-01-01');
INSERT INTO seeme.organizations (id, name, slug, owner_id) VALUES
  ('b4000000-0000-4000-8000-000000000001', 'Of Ada', 'w-ada-test', :ada),
  ('b4000000-0000-4000-8000-000000000002', 'Of Bob', 'w-bob-test', :bob);
CREATE TABLE w_model (id integer PRIMARY KEY, organization_id uuid,
  filler text DEFAULT repeat('x', 200));
INSERT INTO w_model (id, organization_id) SELECT n,
  CASE WHEN n <= 300 THEN 'b4000000-0000-4000-8000-000000000001'
  ELSE 'b4000000-0000-4000-8000-000000000002' END::uuid FROM generate_series(1, 800) AS n;
SELECT seeme_protect('w_model', 'models', organization_column => 'organization_id') \g /dev/null
GRANT SELECT ON w_model TO w_app;
ANALYZE w_model;

CREATE FUNCTION w_test.base64url(bytes bytea) RETURNS text LANGUAGE sql IMMUTABLE
RETURN rtrim(translate(encode(bytes, 'base64'), E'+/\n', '-_'), '=');
-- HMAC with SHA-256 (RFC 2104), for keys of at most 64 bytes
CREATE FUNCTION w_test.hmac(key bytea, message bytea) RETURNS bytea LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
  inner_pad bytea := key || decode(repeat('00', 64 - length(key)), 'hex');
  outer_pad bytea := inner_pad;
BEGIN
  FOR i IN 0 .. 63 LOOP
    inner_pad := set_byte(inner_pad, i, get_byte(inner_pad, i) # 54);
    outer_pad := set_byte(outer_pad, i, get_byte(outer_pad, i) # 92);
  END LOOP;
  RETURN sha256(outer_pad || sha256(inner_pad || message));
END $$;
\set secret 'decode(repeat(''5e'', 32), ''hex'')'
CREATE FUNCTION w_test.token(subject text, claims jsonb = '{}', secret bytea = :secret,
  header jsonb = '{"alg": "HS256", "kid": "w"}') RETURNS text LANGUAGE plpgsql AS $$
DECLARE input text;
BEGIN
  input := w_test.base64url(convert_to(header::text, 'UTF8')) || '.'
  || w_test.base64url(convert_to((jsonb_build_object(
    'iss', 'https://w.example', 'aud', 'w', 'sub', subject, 'exp',
    floor(extract(epoch FROM clock_timestamp())) + 600) || claims)::text, 'UTF8'));
  RETURN input || '.' || w_test.base64url(w_test.hmac(secret, convert_to(input, 'UTF8')));
END $$;
CREATE FUNCTION w_test.jwk(kid text, secret bytea = :secret) RETURNS jsonb
  LANGUAGE sql AS $$ SELECT jsonb_build_object(
    'kty', 'oct', 'alg', 'HS256', 'kid', kid, 'k', w_test.base64url(secret)) $$;
-- What a statement comes to, its error included
CREATE FUNCTION w_test.try(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE answer text;
BEGIN
  EXECUTE statement INTO answer;
  RETURN coalesce(answer, 'null');
EXCEPTION WHEN OTHERS THEN RETURN SQLSTATE;
END $$;
CREATE FUNCTION w_test.complaint(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  message text;
  detail text;
  hint text;
BEGIN
  EXECUTE statement;
  RETURN NULL;
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL,
  hint = PG_EXCEPTION_HINT;
  RETURN SQLSTATE || ': ' || message || ' | ' || detail || ' | ' || hint;
END $$;
-- How many workers a query's plan started
CREATE FUNCTION w_test.workers(query text) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
  line text;
  launched integer := 0;
BEGIN
  FOR line IN EXECUTE 'EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) ' || query LOOP
    launched := launched + coalesce(
    (regexp_match(line, 'Workers Launched: ([0-9]+)'))[1]::integer, 0);
  END LOOP;
  RETURN launched;
END $$;
-- Who is asking, and what they see
CREATE FUNCTION w_test.state() RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  RETURN CASE seeme_user_id() WHEN 'a4000000-0000-4000-8000-000000000001' THEN 'ada '
    WHEN 'a4000000-0000-4000-8000-000000000002' THEN 'bob '
    ELSE coalesce(seeme_user_id() || ' ', 'nobody ') END
    || (SELECT count(*) FROM w_model);
END $$;
-- A login, and who is asking then; or the SQLSTATE
CREATE FUNCTION w_test.login(person text, for_session boolean = false) RETURNS text
  LANGUAGE plpgsql AS $$
BEGIN
  PERFORM seeme_login(w_test.token(
    CASE person WHEN 'ada' THEN 'a4000000-0000-4000-8000-000000000001' WHEN 'bob'
    THEN 'a4000000-0000-4000-8000-000000000002' ELSE person END), for_session);
  RETURN w_test.state();
EXCEPTION WHEN OTHERS THEN RETURN SQLSTATE;
END $$;
CREATE FUNCTION w_test.definer(statement text) RETURNS text
  LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN RETURN w_test.try(statement); END $$;
-- Logs in until so many seconds after the beginning of the transaction; and until when that is, in
-- hundreds of seconds, as the setting shows it
CREATE FUNCTION w_test.extend(seconds integer) RETURNS integer LANGUAGE plpgsql AS $$
BEGIN
  PERFORM seeme_login(w_test.token(
    'a4000000-0000-4000-8000-000000000001', jsonb_build_object(
    'exp', floor(extract(epoch FROM now())) + seconds)));
  RETURN w_test.expiry();
END $$;
CREATE FUNCTION w_test.expiry() RETURNS integer LANGUAGE sql AS $$
  SELECT floor((split_part(current_setting('seeme_rbac.user_id'), '@', 2)::numeric / 1000000 -
    extract(epoch FROM now() - timestamptz '2000-01-01 00:00:00+00')) / 100) * 100
$$;
SELECT seeme_import_jwks(jsonb_build_object('keys', jsonb_build_array(w_test.jwk('w'))),
  'https://w.example', 'w') \g /dev/null

-- A login is for the transaction
SET SESSION AUTHORIZATION w_door;
BEGIN;
SELECT w_test.login('ada') AS a_login \gset
SELECT w_test.state() AS a_state, w_test.login('ada') AS a_again, w_test.login('bob') AS a_other,
  w_test.state() AS a_kept \gset
COMMIT;
SELECT w_test.state() AS a_after, w_test.login('ada') AS a_alone \gset
SELECT w_test.state() AS a_after_alone \gset
BEGIN;
SAVEPOINT s;
SELECT w_test.login('ada') AS a_in_savepoint \gset
ROLLBACK TO s;
SELECT w_test.state() AS a_rolled_back, w_test.login('bob') AS a_savepoint_other,
  w_test.login('ada') AS a_savepoint_same \gset
ROLLBACK;
BEGIN;
SELECT w_test.login('nobody') AS a_refused, w_test.login('a4000000-0000-4000-8000-000000000003')
  AS a_disabled, w_test.state() AS a_refused_state, w_test.login('bob') AS a_refused_next \gset
ROLLBACK;
BEGIN;
SELECT w_test.login('ada') AS p \gset
RESET ALL;
SELECT w_test.state() AS a_reset, w_test.login('bob') AS a_reset_other \gset
COMMIT AND CHAIN;
SELECT w_test.state() AS a_chained, w_test.login('bob') AS a_chained_other \gset
ROLLBACK;

-- A later expiry, learned of in savepoints
BEGIN;
SELECT w_test.extend(100) AS e_first \gset
SAVEPOINT one;
SELECT w_test.extend(300) AS e_one \gset
SAVEPOINT two;
SELECT w_test.extend(500) AS e_two, w_test.extend(600) AS e_two_again \gset
ROLLBACK TO two;
SELECT w_test.expiry() AS e_back_to_one \gset
SELECT w_test.extend(700) AS e_two_anew \gset
RELEASE two;
SELECT w_test.expiry() AS e_released \gset
ROLLBACK TO one;
SELECT w_test.expiry() AS e_back_to_first \gset
SELECT w_test.extend(800) AS e_last \gset
RELEASE one;
SELECT w_test.expiry() AS e_kept \gset
COMMIT;
SELECT w_test.state() || ' ' || (current_setting('seeme_rbac.user_id') = '') AS e_over \gset
BEGIN;
SAVEPOINT one;
SELECT w_test.extend(100) AS p \gset
SAVEPOINT two;
SAVEPOINT three;
SELECT w_test.extend(300) AS p \gset
SAVEPOINT four;
SELECT w_test.extend(500) AS p \gset
RELEASE four;
SELECT w_test.expiry() AS e_fourth \gset
RELEASE three;
SELECT w_test.expiry() AS e_third \gset
ROLLBACK TO two;
SELECT w_test.expiry() AS e_second \gset
ROLLBACK TO one;
SELECT w_test.state() AS e_none \gset
COMMIT;
-- Many of them leave nothing behind
BEGIN;
DO $$ BEGIN PERFORM w_test.login('ada'); END $$;
DO $$
BEGIN
  FOR i IN 1 .. 3000 LOOP
    BEGIN PERFORM w_test.login('ada'); EXCEPTION WHEN division_by_zero THEN NULL; END;
  END LOOP;
END $$;
RESET SESSION AUTHORIZATION;
SELECT sum(total_bytes) < 100000 AS e_memory FROM pg_backend_memory_contexts
  WHERE name = 'TopTransactionContext' \gset
COMMIT;
SET SESSION AUTHORIZATION w_door;

-- With seeme_assume, an API key, and inside SECURITY DEFINER functions
BEGIN;
SELECT w_test.login('ada') AS p \gset
SELECT w_test.try(format('SELECT seeme_assume(%L)', :bob)) AS b_assume_other,
  w_test.state() AS b_state \gset
ROLLBACK;
BEGIN;
SELECT w_test.try(format('SELECT seeme_assume(%L)', :bob)) = :bob AS b_assumed,
  w_test.login('ada') AS b_login_other, w_test.login('bob') AS b_login_same,
  w_test.login('ada') AS b_login_other_still \gset
ROLLBACK;
BEGIN;
SAVEPOINT s;
SELECT w_test.login('ada') AS p \gset
ROLLBACK TO s;
SELECT w_test.try(format('SELECT seeme_assume(%L)', :bob)) AS b_assume_after_savepoint \gset
ROLLBACK;
BEGIN;
SELECT w_test.login('ada') AS p \gset
SELECT key AS b_key FROM seeme_create_api_key('w', '{models:list,models:read}') \gset
COMMIT;
BEGIN;
SELECT w_test.try(format('SELECT seeme_login(%L)', :'b_key')) = :ada AS b_by_key,
  w_test.login('ada') AS b_key_then_token, w_test.state() AS b_key_state \gset
ROLLBACK;
BEGIN;
SELECT w_test.login('ada') AS p \gset
SELECT w_test.try(format('SELECT seeme_login(%L)', :'b_key')) AS b_token_then_key \gset
ROLLBACK;
BEGIN;
SELECT w_test.definer(format('SELECT seeme_assume(%L)', :ada)) AS b_definer_assume,
  w_test.state() AS b_definer_assume_state \gset
SELECT w_test.definer('SELECT w_test.login(''ada'')') AS b_definer_login,
  w_test.state() AS b_definer_state \gset
ROLLBACK;
RESET SESSION AUTHORIZATION;
UPDATE seeme.users SET database_role = 'w_bob' WHERE id = :bob;
SET SESSION AUTHORIZATION w_bob;
BEGIN;
SELECT w_test.state() AS b_direct, w_test.login('ada') AS b_direct_other,
  w_test.try(format('SELECT seeme_assume(%L)', :ada)) AS b_direct_assume,
  w_test.login('bob') AS b_direct_same \gset
ROLLBACK;
RESET SESSION AUTHORIZATION;
UPDATE seeme.users SET database_role = NULL WHERE id = :bob;

-- For the session
SET SESSION AUTHORIZATION w_door;
SELECT w_test.login('ada', true) AS c_refused, w_test.state() AS c_refused_state \gset
SELECT w_test.try(format('SELECT seeme_login(%L, true)', :'b_key')) AS c_refused_key,
  w_test.try('SET seeme_rbac.session_login = on') AS c_set,
       w_test.try('SELECT set_config(''seeme_rbac.session_login'', ''on'', true)') AS c_set_config,
       w_test.try('SET seeme_rbac.session_user_id = ''a4000000-0000-4000-8000-000000000001''')
       AS c_forged,
       w_test.try('RESET seeme_rbac.session_login') AS c_reset \gset
RESET SESSION AUTHORIZATION;
SELECT w_test.try('SET seeme_rbac.session_user_id = ''a4000000-0000-4000-8000-000000000001''')
  AS c_super_forged, w_test.try(
  'ALTER ROLE w_door SET seeme_rbac.session_user_id = ''a4000000-0000-4000-8000-000000000001''')
  AS c_super_role \gset
SET seeme_rbac.session_login = on;
SET SESSION AUTHORIZATION w_door;
SELECT w_test.login('ada', true) AS c_login \gset
SELECT w_test.state() AS c_state, w_test.login('bob', true) AS c_other,
  w_test.login('bob') AS c_other_transaction,
  w_test.try(format('SELECT seeme_assume(%L)', :bob)) AS c_other_assume,
       w_test.try(format('SELECT seeme_login(%L)', :'b_key')) AS c_same_by_key,
       w_test.login('ada') AS c_same \gset
BEGIN;
SELECT w_test.login('ada') AS p \gset
ROLLBACK;
SELECT w_test.state() AS c_after_rollback \gset
SELECT seeme_logout() AS p \gset
SELECT w_test.state() AS c_logged_out, w_test.login('bob', true) AS c_next \gset
SELECT seeme_logout() AS p \gset
BEGIN;
SELECT w_test.login('ada', true) AS p \gset
ROLLBACK;
SELECT w_test.state() AS c_login_rolled_back \gset
BEGIN;
SAVEPOINT s;
SELECT w_test.login('ada', true) AS p \gset
ROLLBACK TO s;
SELECT w_test.state() AS c_login_in_savepoint,
  w_test.login('bob', true) AS c_login_in_savepoint_other \gset
ROLLBACK;
SELECT w_test.login('ada', true) AS p \gset
BEGIN;
SELECT seeme_logout() AS p \gset
ROLLBACK;
SELECT w_test.state() AS c_logout_rolled_back \gset
BEGIN;
SAVEPOINT s;
SELECT seeme_logout() AS p \gset
SELECT w_test.login('bob') AS c_within_logout,
  w_test.try(format('SELECT seeme_assume(%L)', :bob)) AS c_within_logout_assume \gset
ROLLBACK TO s;
SELECT w_test.state() AS c_back, w_test.login('bob') AS c_back_other \gset
COMMIT;
BEGIN;
SAVEPOINT s;
RESET ALL;
SELECT w_test.login('bob') AS c_within_reset \gset
ROLLBACK TO s;
SELECT w_test.state() AS c_reset_back \gset
COMMIT;
RESET ALL;
SELECT w_test.state() AS c_reset_all \gset
RESET SESSION AUTHORIZATION;
SET seeme_rbac.session_login = on;
SET SESSION AUTHORIZATION w_door;
SELECT w_test.login('ada', true) AS p \gset
DISCARD ALL;
SET SESSION AUTHORIZATION w_door;
SELECT w_test.state() AS c_discarded, w_test.login('ada', true) AS c_discarded_login \gset
RESET SESSION AUTHORIZATION;
\i test/include/prelude.psql

-- What one person leaves for the next. Each time: what ada leaves, what bob is told, what ada is.
SET SESSION AUTHORIZATION w_door;
BEGIN; SELECT w_test.login('ada') AS p \gset
DECLARE held CURSOR WITH HOLD FOR SELECT id FROM w_model;
COMMIT;
SELECT w_test.login('bob') AS d_cursor, w_test.try(format('SELECT seeme_assume(%L)', :bob))
  AS d_cursor_assume, w_test.login('ada') AS d_cursor_same \gset
BEGIN; SELECT w_test.login('ada') AS p \gset
COMMIT;
SELECT w_test.login('bob') AS d_cursor_later \gset
BEGIN;
SAVEPOINT s;
CLOSE held;
ROLLBACK TO s;
SELECT w_test.login('bob') AS d_cursor_closed, w_test.try('FETCH FROM held') AS d_cursor_gone \gset
ROLLBACK;
BEGIN; SELECT w_test.login('ada') AS p \gset
DECLARE passing CURSOR FOR SELECT id FROM w_model;
COMMIT;
SELECT w_test.login('bob') AS d_no_hold \gset
BEGIN; SELECT w_test.login('ada') AS p \gset
PREPARE counted AS SELECT count(*) FROM w_model;
COMMIT;
SELECT w_test.login('bob') AS d_prepared, w_test.login('ada') AS d_prepared_same \gset
DEALLOCATE counted;
SELECT w_test.login('bob') AS d_deallocated \gset
-- In a session that nobody has asked in
RESET SESSION AUTHORIZATION;
\c -
\i test/include/prelude.psql
SET SESSION AUTHORIZATION w_door;
DECLARE of_nobody CURSOR WITH HOLD FOR SELECT n FROM generate_series(1, 3) AS n;
SELECT pg_sleep(0.01) AS p \gset
SELECT w_test.login('ada') AS d_cursor_of_nobody_ada, pg_sleep(0.01) AS p \gset
SELECT w_test.login('bob') AS d_cursor_of_nobody_bob \gset
FETCH 1 FROM of_nobody \gset of_nobody_
CLOSE of_nobody;
-- Made by a transaction that began later than the statement
DO $$
BEGIN
  PERFORM pg_sleep(0.01);
  COMMIT;
  PERFORM w_test.login('ada');
  EXECUTE 'DECLARE held CURSOR WITH HOLD FOR SELECT id FROM w_model';
  COMMIT;
END $$;
SELECT w_test.login('bob') AS d_cursor_of_procedure \gset
CLOSE held;

BEGIN; SELECT w_test.login('ada') AS p \gset
CREATE TEMP TABLE kept AS SELECT id FROM w_model;
COMMIT;
SELECT w_test.complaint(format('SELECT seeme_login(%L)', w_test.token(:bob))) AS d_table,
  w_test.login('ada') AS d_table_same \gset
BEGIN;
SAVEPOINT s;
DROP TABLE kept;
SELECT w_test.login('bob') AS d_table_dropped \gset
ROLLBACK TO s;
SELECT w_test.login('bob') AS d_table_back \gset
ROLLBACK;
SELECT w_test.login('bob') AS d_table_back_later \gset
BEGIN;
DISCARD TEMP;
SELECT w_test.login('bob') AS d_table_discarded \gset
ROLLBACK;
SELECT w_test.login('bob') AS d_table_not_discarded \gset
ALTER TABLE kept ADD COLUMN more integer;
ALTER TABLE kept RENAME TO renamed;
CREATE TEMP TABLE bystander (a integer);
SELECT w_test.login('bob') AS d_table_altered \gset
DROP TABLE renamed, bystander;
SELECT w_test.login('bob') AS d_table_gone \gset
SELECT w_test.login('ada') AS p \gset

CREATE TEMP TABLE made_by_nobody (a integer);
SELECT w_test.login('bob') AS d_table_of_nobody \gset
SELECT w_test.login('ada') AS d_table_of_nobody_ada \gset
DROP TABLE made_by_nobody;
BEGIN; SELECT w_test.login('ada') AS p \gset
CREATE TEMP TABLE brief ON COMMIT DROP AS SELECT id FROM w_model;
COMMIT;
SELECT w_test.login('bob') AS d_on_commit_drop \gset
BEGIN; SELECT w_test.login('ada') AS p \gset
SAVEPOINT s;
CREATE TEMP TABLE undone AS SELECT id FROM w_model;
ROLLBACK TO s;
COMMIT;
SELECT w_test.login('bob') AS d_undone_in_savepoint \gset
BEGIN; SELECT w_test.login('ada') AS p \gset
CREATE TEMP TABLE undone AS SELECT id FROM w_model;
ROLLBACK;
SELECT w_test.login('bob') AS d_undone \gset
BEGIN; SELECT w_test.login('ada') AS p \gset
SAVEPOINT s;
CREATE TEMP TABLE released AS SELECT id FROM w_model;
RELEASE s;
COMMIT;
SELECT w_test.login('bob') AS d_released \gset
DROP TABLE released;
BEGIN;
CREATE TEMP TABLE earlier (id integer);
SELECT w_test.login('ada') AS p \gset
INSERT INTO earlier SELECT id FROM w_model;
COMMIT;
SELECT w_test.login('bob') AS d_earlier_in_transaction \gset
DROP TABLE earlier;
BEGIN; SELECT w_test.login('ada') AS p \gset
CREATE TEMP TABLE parted (id integer) PARTITION BY RANGE (id);
CREATE TEMP TABLE part PARTITION OF parted DEFAULT;
INSERT INTO parted SELECT id FROM w_model;
COMMIT;
SELECT w_test.login('bob') AS d_partitions \gset
DROP TABLE parted;
BEGIN; SELECT w_test.login('ada') AS p \gset
CREATE TEMP VIEW seen_by AS SELECT id FROM w_model;
CREATE TEMP SEQUENCE counter;
COMMIT;
SELECT w_test.login('bob') AS d_view_and_sequence \gset
DROP VIEW seen_by;
DROP SEQUENCE counter;
-- Somebody who has refused to go leaves nothing by trying.
BEGIN; SELECT w_test.login('ada') AS p \gset
CREATE TEMP TABLE kept AS SELECT id FROM w_model;
COMMIT;
BEGIN;
SELECT w_test.login('bob') AS p \gset
SELECT w_test.state() AS d_refused_state, w_test.login('ada') AS d_refused_same \gset
ROLLBACK;
DROP TABLE kept;
RESET SESSION AUTHORIZATION;

-- Under a login for the session, by rows that parallel workers alone have looked at
SET seeme_rbac.session_login = on;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET max_parallel_workers_per_gather = 2;
SET parallel_leader_participation = off;
SET SESSION AUTHORIZATION w_door;
SELECT w_test.login('ada', true) AS p \gset
PREPARE everything AS SELECT id FROM w_model;
CREATE TEMP TABLE kept AS EXECUTE everything;
DROP TABLE kept;
CREATE TEMP TABLE kept AS EXECUTE everything;
SELECT count(*) AS e_rows, w_test.workers('EXECUTE everything') AS e_workers FROM kept \gset
SELECT seeme_logout() AS p \gset
SELECT w_test.login('bob') AS e_table \gset
DROP TABLE kept;
SELECT w_test.login('ada', true) AS p \gset
BEGIN;
DECLARE held CURSOR WITH HOLD FOR SELECT id FROM w_model;
COMMIT;
SELECT seeme_logout() AS p \gset
SELECT w_test.login('bob') AS e_cursor \gset
CLOSE held;
DEALLOCATE everything;
SELECT w_test.login('bob') AS e_free \gset
SELECT w_test.login('ada', true) AS p \gset
BEGIN;
CREATE TEMP TABLE kept AS SELECT id FROM w_model;
SELECT seeme_logout() AS p \gset
COMMIT;
SELECT w_test.login('bob') AS e_logged_out_within \gset
DROP TABLE kept;
RESET SESSION AUTHORIZATION;
RESET ALL;
\i test/include/prelude.psql

-- request.jwt.claims
SET SESSION AUTHORIZATION w_door;
SELECT set_config('request.jwt.claims', json_build_object('sub', :ada)::text, false) AS p \gset
SELECT w_test.state() AS f_ignored, w_test.try('SET seeme_rbac.trust_request_claims = on') AS f_set,
  w_test.try('SELECT set_config(''seeme_rbac.trust_request_claims'', ''on'', true)')
  AS f_set_config, w_test.state() AS f_still_ignored \gset
RESET SESSION AUTHORIZATION;
INSERT INTO seeme.external_identities (issuer, subject, user_id)
  VALUES ('https://w.example', 'bob@w', :bob);
SET seeme_rbac.trust_request_claims = on;
SET SESSION AUTHORIZATION w_door;
SELECT w_test.state() AS f_believed \gset
CREATE TEMP TABLE claimed (n integer, claims text, state text);
SET client_min_messages = warning;
DO $$
DECLARE
  ada text := 'a4000000-0000-4000-8000-000000000001';
  now numeric := floor(extract(epoch FROM clock_timestamp()));
  texts text[] := ARRAY['{"iss": "https://w.example", "sub": "bob@w"}',
  format('{"sub": "%s", "exp": %s}', ada, now + 100),
  format('{"sub": "%s", "exp": %s}', ada, now - 10),
    '', '{', 'null', '[]', '"x"', '{}', '{"sub": ""}', '{"sub": null}', '{"sub": 1}',
    '{"sub": "nobody"}', '{"sub": "bob@w"}', '{"iss": "https://x.example", "sub": "bob@w"}',
    format('{"sub": "%s", "exp": %s}', ada, now - 100),
    format('{"sub": "%s", "exp": "%s"}', ada, now + 100),
    format('{"sub": "%s", "exp": 1e999}', ada), format('{"sub": "%s", "sub": "%s"}', ada, ada),
    '{"sub": "a4000000-0000-4000-8000-000000000003"}',
    '{"sub": "f0000000-0000-4000-8000-00000000ffff"}', repeat('[', 100000),
    format('{"sub": "%s"} x', ada), format('{"sub": "%s ", "role": "postgres"}', ada)];
BEGIN
  FOR i IN 1 .. cardinality(texts) LOOP
    PERFORM set_config('request.jwt.claims', texts[i], true);
    INSERT INTO claimed VALUES (i, left(texts[i], 60), w_test.try('SELECT w_test.state()'));
  END LOOP;
END $$;
SELECT string_agg(state, ', ' ORDER BY n) FILTER (WHERE n <= 3) AS f_good,
  string_agg(DISTINCT replace(state, 'a4000000-0000-4000-8000-000000000003', 'nobody'), ', ') FILTER
  (WHERE n > 3) AS f_bad, count(*) AS f_count FROM claimed \gset
DROP TABLE claimed;
BEGIN;
SELECT set_config('request.jwt.claims', '{"iss": "https://w.example", "sub": "bob@w"}', true) AS p
  \gset
SELECT w_test.state() AS f_local, w_test.login('ada') AS f_login_other,
  w_test.login('bob') AS f_login_same \gset
SELECT set_config('request.jwt.claims', json_build_object('sub', :ada)::text, true) AS p \gset
SELECT w_test.state() AS f_login_first \gset
ROLLBACK;
SELECT w_test.state() AS f_after \gset
RESET SESSION AUTHORIZATION;
RESET ALL;
\i test/include/prelude.psql

SELECT w_test.try('SELECT set_config(''seeme_rbac.system_user_methods'', ''cert, ldap'', false)')
  AS g_methods,
  w_test.try('SELECT set_config(''seeme_rbac.system_user_methods'', ''cert,,'', false)')
  AS g_no_list,
  w_test.try('SELECT set_config(''seeme_rbac.system_user_methods'', '''', false) = ''''') AS g_none,
       w_test.try('SET seeme_rbac.token_leeway = 301') AS g_leeway,
       current_setting('server_version_num')::integer >= 160000 AS g_has_system_user \gset
RESET ALL;
\i test/include/prelude.psql

-- pgTAP has temporary tables of its own: in a session that nobody has asked in.
\c -
\i test/include/prelude.psql
SELECT plan(199);
SELECT is(:'a_login'::text, 'ada 300',
  'seeme_login with a token names its person, who sees their rows');
SELECT is(:'a_state'::text, 'ada 300', 'for the rest of the transaction');
SELECT is(:'a_again'::text, 'ada 300', 'the same person may log in again');
SELECT is(:'a_other'::text, '28000', 'threat: a second person in one transaction');
SELECT is(:'a_kept'::text, 'ada 300', 'after which the first is still the one');
SELECT is(:'a_after'::text, 'nobody 0', 'COMMIT ends a login');
SELECT is(:'a_alone'::text || ', ' || :'a_after_alone', 'ada 300, nobody 0',
  'a login outside of a transaction block is for its statement');
SELECT is(:'a_in_savepoint'::text || ', ' || :'a_rolled_back', 'ada 300, nobody 0',
  'ROLLBACK TO SAVEPOINT takes a login back');
SELECT is(:'a_savepoint_other'::text, '28000', 'threat: somebody else after that');
SELECT is(:'a_savepoint_same'::text, 'ada 300', 'the same person again');
SELECT is(:'a_refused'::text || ' ' || :'a_disabled', '28000 28000',
  'somebody unknown and somebody disabled do not log in');
SELECT is(:'a_refused_state'::text || ', ' || :'a_refused_next', 'nobody 0, bob 500',
  'a refused login names nobody, and stands in nobody''s way');
SELECT is(:'a_reset'::text || ', ' || :'a_reset_other', 'ada 300, 28000',
  'threat: RESET ALL in order to log in as another');
SELECT is(:'a_chained'::text || ', ' || :'a_chained_other', 'nobody 0, bob 500',
  'COMMIT AND CHAIN ends a login');

SELECT is(:'b_assume_other'::text || ', ' || :'b_state', '28000, ada 300',
  'threat: seeme_assume of somebody else after seeme_login');
SELECT is(:'b_assumed'::text || ', ' || :'b_login_other' || ', ' || :'b_login_same' || ', '
  || :'b_login_other_still', 't, 28000, bob 500, 28000',
  'threat: seeme_login of somebody else after seeme_assume');
SELECT is(:'b_assume_after_savepoint'::text, '28000',
  'threat: seeme_assume of somebody else after a login that was rolled back to a savepoint');
SELECT is(:'b_by_key'::text || ', ' || :'b_key_then_token', 't, 28000',
  'threat: an API key, then a token of the same person');
SELECT is(:'b_key_state'::text, 'ada 300', 'the key goes on');
SELECT is(:'b_token_then_key'::text, '28000', 'nor the other way round');
SELECT is(:'b_definer_assume'::text || ', ' || :'b_definer_assume_state', '42501, nobody 0',
  'threat: seeme_assume inside a SECURITY DEFINER function of a superuser''s');
SELECT is(:'b_definer_state'::text, 'ada 300',
  'seeme_login inside one works, and goes on after it');
SELECT is(:'b_direct'::text || ', ' || :'b_direct_other' || ', ' || :'b_direct_assume' || ', '
  || :'b_direct_same', 'bob 500, 28000, 28000, bob 500',
  'threat: somebody with a database role of their own logs in as another');

SELECT is(concat_ws(' ', :'e_first', :'e_one', :'e_two', :'e_two_again', :'e_back_to_one',
  :'e_two_anew', :'e_released', :'e_back_to_first', :'e_last', :'e_kept'),
  '100 300 500 600 300 700 700 100 800 800',
  'threat: a later expiry outlives the savepoint that it was learned of in');
SELECT is(concat_ws(' ', :'e_fourth', :'e_third', :'e_second', :'e_none'), '500 500 100 nobody 0',
  'threat: nor one of two savepoints that are released into one which is rolled back');
SELECT is(:'e_memory'::text, 't', 'thousands of logins in a transaction leave nothing in memory');
SELECT is(:'e_over'::text, 'nobody 0 true', 'nor does any outlive the transaction');

SELECT is(:'c_refused'::text || ', ' || :'c_refused_state', '42501, nobody 0',
  'a login for the session is refused where nobody allows it');
SELECT is(:'c_refused_key'::text, '42501', 'by API key, too');
SELECT is(:'c_set'::text || ' ' || :'c_set_config' || ' ' || :'c_reset', '42501 42501 42501',
  'threat: an ordinary role allows it itself');
SELECT is(:'c_forged'::text || ' ' || :'c_super_forged' || ' ' || :'c_super_role',
  '42501 42501 42501',
  'threat: who has logged in for the session is set by hand, a superuser''s included');
SELECT is(:'c_login'::text || ', ' || :'c_state', 'ada 300, ada 300',
  'where it is allowed, it lasts');
SELECT is(:'c_other'::text || ' ' || :'c_other_transaction' || ' ' || :'c_other_assume' || ' '
  || :'c_same_by_key', '28000 28000 28000 28000',
  'threat: somebody else, or the same by an API key, before it has ended');
SELECT is(:'c_same'::text || ', ' || :'c_after_rollback', 'ada 300, ada 300',
  'the same person may log in for a transaction, which is over with it');
SELECT is(:'c_logged_out'::text || ', ' || :'c_next', 'nobody 0, bob 500',
  'seeme_logout ends it, and the next may log in');
SELECT is(:'c_login_rolled_back'::text, 'nobody 0', 'ROLLBACK takes a login for the session back');
SELECT is(:'c_login_in_savepoint'::text || ', ' || :'c_login_in_savepoint_other', 'nobody 0, 28000',
  'so does ROLLBACK TO SAVEPOINT, and the transaction has spoken for the person');
SELECT is(:'c_logout_rolled_back'::text, 'ada 300', 'ROLLBACK takes a logout back');
SELECT is(:'c_within_logout'::text || ' ' || :'c_within_logout_assume', '28000 28000',
  'threat: log out and log in as another within a savepoint');
SELECT is(:'c_back'::text || ', ' || :'c_back_other', 'ada 300, 28000',
  'threat: in order to come back by its rollback');
SELECT is(:'c_within_reset'::text || ', ' || :'c_reset_back', '28000, ada 300',
  'threat: the same by RESET ALL');
SELECT is(:'c_reset_all'::text, 'nobody 0', 'RESET ALL ends it');
SELECT is(:'c_discarded'::text || ', ' || :'c_discarded_login', 'nobody 0, 42501',
  'DISCARD ALL ends it, and what a SET had allowed');

SELECT is(:'d_cursor'::text || ' ' || :'d_cursor_assume', '55006 55006',
  'threat: a WITH HOLD cursor of the person before');
SELECT is(:'d_cursor_same'::text || ', ' || :'d_cursor_later', 'ada 300, 55006',
  'the same person may go on, and is still in the way');
SELECT is(:'d_cursor_closed'::text || ', ' || :'d_cursor_gone', 'bob 500, 34000',
  'once it is closed the next may come: a cursor is not opened again by a rollback');
SELECT is(:'d_no_hold'::text, 'bob 500', 'a cursor without HOLD is in nobody''s way');
SELECT is(:'d_prepared'::text || ', ' || :'d_prepared_same' || ', ' || :'d_deallocated',
  '55006, ada 300, bob 500', 'threat: a statement that the person before has prepared');
SELECT is(:'d_cursor_of_nobody_ada'::text || ', ' || :'d_cursor_of_nobody_bob' || ', '
  || :'of_nobody_n', 'ada 300, bob 500, 1', 'nor is a WITH HOLD cursor from before anybody asked');
SELECT is(:'d_cursor_of_procedure'::text, '55006',
  'threat: a WITH HOLD cursor from a transaction within a procedure');
SELECT is(:'d_table'::text,
  '55006: a temporary object of the person who asked before is still there |  | DISCARD TEMP, or '
  'DISCARD ALL, before somebody else asks in this session. An administrator can have that done: '
  'seeme_rbac.leftovers = discard.', 'threat: a temporary table of the person before');
SELECT is(:'d_table_same'::text, 'ada 300', 'the same person may go on');
SELECT is(:'d_table_dropped'::text || ', ' || :'d_table_back' || ', ' || :'d_table_back_later',
  'bob 500, 55006, 55006', 'threat: drop it, log in, and roll the drop back');
SELECT is(:'d_table_discarded'::text || ', ' || :'d_table_not_discarded', 'bob 500, 55006',
  'threat: the same by DISCARD TEMP');
SELECT is(:'d_table_altered'::text || ', ' || :'d_table_gone', '55006, bob 500',
  'one that was renamed and altered is still theirs, until it is dropped');
SELECT is(:'d_table_of_nobody'::text || ', ' || :'d_table_of_nobody_ada', '55006, ada 300',
  'threat: a table that nobody made after somebody had asked');
SELECT is(:'d_on_commit_drop'::text || ', ' || :'d_undone_in_savepoint' || ', ' || :'d_undone',
  'bob 500, bob 500, bob 500', 'in nobody''s way: ON COMMIT DROP, and what is rolled back');
SELECT is(:'d_view_and_sequence'::text, '55006', 'threat: temporary views and sequences');
SELECT is(:'d_released'::text || ' ' || :'d_earlier_in_transaction' || ' ' || :'d_partitions',
  '55006 55006 55006',
  'threat: one from a savepoint that was released, from before the login in its transaction, and a '
  'partition');
SELECT is(:'d_refused_state'::text || ', ' || :'d_refused_same', 'nobody 0, ada 300',
  'who is refused for that reason has not spoken');

SELECT cmp_ok(:e_workers::integer, '>', 0, 'a query runs in parallel workers');
SELECT is(:'e_rows'::text, '300',
  'rows that parallel workers have looked at, under a login for the session');
SELECT is(:'e_table'::text || ', ' || :'e_cursor' || ', ' || :'e_free', '55006, 55006, bob 500',
  'threat: are left for the next in a temporary table or cursor');
SELECT is(:'e_logged_out_within'::text, '55006',
  'threat: and the person logs out in the same transaction');

SELECT is(:'f_ignored'::text, 'nobody 0', 'request.jwt.claims are nobody');
SELECT is(:'f_set'::text || ' ' || :'f_set_config' || ', ' || :'f_still_ignored',
  '42501 42501, nobody 0', 'threat: an ordinary role has them believed');
SELECT is(:'f_believed'::text, 'ada 300', 'where a superuser says so, they are believed');
SELECT is(:'f_good'::text, 'bob 500, ada 300, ada 300',
  'by issuer and subject, before their expiry, and within the leeway of it');
SELECT is(:'f_bad'::text || ' of ' || :'f_count', 'nobody 0 of 24',
  'what cannot be read, has expired, or names somebody unknown or disabled, is nobody and no '
  'error');
SELECT is(:'f_local'::text || ', ' || :'f_login_other' || ', ' || :'f_login_same' || ', '
  || :'f_login_first', 'bob 500, 28000, bob 500, bob 500',
  'a login goes before claims, and is of the same person');
SELECT is(:'f_after'::text, 'ada 300', 'claims of a transaction end with it');

SELECT is(:'g_methods'::text, CASE WHEN :'g_has_system_user' THEN 'cert, ldap' ELSE '22023' END,
  'authentication methods can be trusted where there is SYSTEM_USER, from PostgreSQL 16 on');
SELECT is(:'g_no_list'::text || ' ' || :'g_none', '22023 true',
  'what is no list of methods is refused, and none is the default');
SELECT is(:'g_leeway'::text, '22023', 'the leeway is bounded');

-- The keys: what may stand in the table, and who sees it
BEGIN;
CREATE FUNCTION w_test.add(algorithm text, jwk jsonb, more text = '''w''') RETURNS text
  LANGUAGE sql AS $$
  SELECT w_test.complaint(format(
    'INSERT INTO seeme.token_keys (issuer, audience, algorithm, jwk, kid) VALUES '
    '(''https://w2.example'', ''w'', %L, %L, %s)', algorithm, jwk, more)) $$;
\set ec '''{"kty": "EC", "crv": "P-256", "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4", "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"}'''
SELECT 'rsa' AS p, format('{"kty": "RSA", "e": "AQAB", "n": "%s"}',
  w_test.base64url(decode(repeat('c5', 256), 'hex'))) AS rsa,
  format('{"kty": "RSA", "e": "AQAB", "n": "%s"}',
  w_test.base64url(decode(repeat('c5', 255), 'hex'))) AS weak_rsa \gset
SELECT is(w_test.add('HS256', w_test.jwk('x')), NULL, 'a secret of 256 bits');
SELECT is(w_test.add('ES256', :ec, '''e'''), NULL, 'an EC key on P-256');
SELECT is(w_test.add('RS256', :'rsa', '''r'''), NULL, 'an RSA key of 2048 bits');
-- Newer versions of libcjose know of none that is shorter.
SELECT matches(w_test.add('RS256', :'weak_rsa', '''x'''),
  '^22023: this key cannot verify tokens: (RS256 takes a key of type RSA of at least 2048 bits|it '
  'is no JSON Web Key) ', 'an RSA key of 2040 bits is refused');
SELECT is(w_test.add('HS256', w_test.jwk('x', decode(repeat('5e', 31), 'hex')), '''x'''),
  '22023: this key cannot verify tokens: HS256 takes a key of type oct of at least 256 bits |  | ',
  'a secret of 248 bits is refused');
SELECT is(w_test.add('RS256', :'rsa'::jsonb || format('{"e": "%s"}', e)::jsonb, '''x'''),
  '22023: this key cannot verify tokens: its exponent is even or 1 |  | ',
  'threat: an RSA key under which everybody signs, e ' || e)
  FROM unnest(ARRAY['AQ', 'AAAB', 'Ag']) AS e;
SELECT is(w_test.add('RS256', :'rsa'::jsonb || format('{"%s": "AQAB"}', part)::jsonb, '''x'''),
  '22023: this key cannot verify tokens: it holds a private key, which belongs to the issuer alone '
  '|  | ', 'a key with its private ' || part || ' is refused')
  FROM unnest(ARRAY['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth']) AS part;
SELECT is(w_test.add('ES256', :ec::jsonb || '{"d": "870MB6gfuTJ4HtUnUvYMyJpr5eUZNP4Bk43bVdj3eAE"}',
  '''x'''),
  '22023: this key cannot verify tokens: it holds a private key, which belongs to the issuer alone '
  '|  | ', 'an EC key with its private half is refused');
SELECT matches(w_test.add(algorithm, jwk::jsonb, '''x'''),
  '^22023: this key cannot verify tokens: ', 'threat: algorithm confusion, ' || what
  || ' is refused')
  FROM (VALUES ('HS256', :'rsa', 'an RSA key for HS256'), ('HS256', :ec, 'an EC key for HS256'),
  ('RS256', :ec, 'an EC key for RS256'), ('ES256', :'rsa', 'an RSA key for ES256'),
  ('ES256', w_test.jwk('x')::text, 'a secret for ES256'),
  ('RS256', w_test.jwk('x')::text, 'a secret for RS256')) AS v (algorithm, jwk, what);
SELECT matches(w_test.add('ES256', jwk::jsonb, '''x'''), '^22023: this key cannot verify tokens: ',
  what || ' is refused')
  FROM (VALUES ('{}', 'an empty key'), ('[]', 'a list'), ('null', 'null'), ('"x"', 'a string'),
  ('{"kty": "EC"}', 'an EC key without a point'),
  ('{"kty": "EC", "crv": "P-384", "x": "AA", "y": "AA"}', 'another curve'),
  ('{"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}',
  'an Ed25519 key'),
    ('{"kty": "EC", "crv": "P-256", "x": "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE", "y": '
     '"AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE"}', 'a point that is not on the curve'),
     ('{"kty": 1}', 'a type that is no text')) AS v (jwk, what);
SELECT is(w_test.add(algorithm, w_test.jwk('x'), '''x'''),
  format('22023: algorithm "%s" is not supported |  | It is one of ES256, RS256 and HS256.',
  left(algorithm, 20)), 'the algorithm "' || left(algorithm, 20) || '" is refused')
  FROM unnest(ARRAY['none', 'None', '', 'HS512', 'ES384', 'PS256', 'EdDSA', 'hs256',
  repeat('x', 100)]) AS algorithm;
SELECT is(
  w_test.try(
  'UPDATE seeme.token_keys SET algorithm = ''RS256'' WHERE kid = ''w'' AND issuer '
  '= ''https://w2.example'''), '22023', 'threat: a key is changed to another algorithm');
SELECT is(w_test.try(statement), state, what)
  FROM (VALUES
  ('INSERT INTO seeme.token_keys (issuer, audience, algorithm, jwk, kid) VALUES '
   '(''https://w2.example'', ''w'', ''HS256'', w_test.jwk(''x''), ''w'')', '23505',
   'an issuer has one key of a kid and audience'),
    ('UPDATE seeme.token_keys SET issuer = '''' WHERE issuer = ''https://w2.example''', '23514',
    'an issuer has a name'),
    ('UPDATE seeme.token_keys SET audience = '''' WHERE issuer = ''https://w2.example''', '23514',
    'an audience has a name'),
    ('UPDATE seeme.token_keys SET subject_kind = ''email'' WHERE issuer = ''https://w2.example''',
    '23514', 'subjects are ids or external identities'),
    ('UPDATE seeme.token_keys SET valid_from = now(), valid_until = now() WHERE issuer '
     '= ''https://w2.example''', '23514', 'a key begins before it ends'),
    ('INSERT INTO seeme.external_identities SELECT ''https://w.example'', repeat(''x'', 256), id '
     'FROM seeme.users WHERE username = ''w_ada''', '23514', 'a subject is of at most 255 bytes'),
    ('INSERT INTO seeme.external_identities SELECT ''https://w.example'', ''bob@w'', id FROM '
     'seeme.users WHERE username = ''w_ada''', '23505', 'a subject of an issuer is one person'))
     AS v (statement, state, what);
SELECT is(
  w_test.try(format('SELECT seeme_user_id() FROM (SELECT seeme_login(%L)) AS l',
  w_test.token(:ada, '{"iss": "https://w2.example"}'))), :ada,
  'the kid of two issuers serves both');
COMMIT;

BEGIN;
SELECT is(w_test.try(format('SELECT count(*) FROM (%s) AS s', statement)), '42501',
  'threat: ' || role || ': ' || statement)
  FROM unnest(ARRAY['w_door', 'w_provision']) AS role,
  unnest(ARRAY['SELECT 1 FROM seeme.token_keys', 'SELECT 1 FROM seeme.external_identities'])
  AS statement, set_config('role', role, true);
SELECT is(w_test.try(statement), '42501', 'threat: ' || role || ': ' || left(statement, 45))
  FROM unnest(ARRAY['w_door', 'w_provision']) AS role,
  unnest(ARRAY['INSERT INTO seeme.token_keys (issuer, audience, algorithm, jwk) VALUES '
               '(''i'', ''a'', ''HS256'', ''{}'')', 'UPDATE seeme.token_keys SET kid = ''x''',
               'DELETE FROM seeme.token_keys', 'TRUNCATE seeme.token_keys',
    'INSERT INTO seeme.external_identities (issuer, subject, user_id) VALUES '
    '(''i'', ''s'', ''a4000000-0000-4000-8000-000000000001'')',
    'UPDATE seeme.external_identities SET subject = ''x''', 'DELETE FROM seeme.external_identities',
    'SELECT seeme_import_jwks(''{"keys": []}'', ''i'', ''a'')',
    'SELECT seeme.login_by_token(''x'', false)', 'SELECT seeme.login_by_key(NULL, NULL, false)',
    'SELECT seeme.key_defect(''HS256'', ''{}'')']) AS statement, set_config('role', role, true);
RESET ROLE;
-- A careless administrator
GRANT ALL ON seeme.token_keys, seeme.external_identities TO w_app;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA seeme TO w_app;
SET LOCAL ROLE w_door;
SELECT is(w_test.try('SELECT count(*) FROM seeme.token_keys'), '0',
  'threat: with a careless GRANT there is nothing to see of the keys');
SELECT is(
  w_test.try(
  'INSERT INTO seeme.token_keys (issuer, audience, algorithm, jwk) VALUES '
  '(''i'', ''a'', ''HS256'', w_test.jwk(''x''))'), '42501', 'threat: nor to add to them');
SELECT is(
  w_test.try(
  'SELECT seeme.login_by_token(w_test.token(''a4000000-0000-4000-8000-000000000001''), false)'),
  '42501', 'threat: nor is there a way around seeme_login');
SELECT is(
  w_test.try('SELECT seeme.login_by_key(''a4000000-0000-4000-8000-000000000001'', NULL, false)'),
  '42501', 'threat: of whichever kind');
RESET ROLE;
SELECT is(w_test.try(format('SELECT seeme_assume(%L)', :ada)), :ada, 'somebody is asking');
SET LOCAL ROLE w_door;
SELECT is(w_test.try('SELECT count(*) FROM seeme.external_identities'), '0',
  'threat: who asks sees no identities of others');
SELECT is(
  w_test.try(
  format('INSERT INTO seeme.external_identities (issuer, subject, user_id) VALUES '
         '(''https://w.example'', ''mallory'', %L)', :bob)), '42501',
         'threat: nor adds one of their own to somebody');
COMMIT;

-- Key sets
BEGIN;
CREATE FUNCTION w_test.keys() RETURNS text LANGUAGE sql AS $$
  SELECT string_agg(concat_ws(' ', kid, algorithm, subject_kind,
    to_char(valid_until AT TIME ZONE 'UTC', 'YYYY-MM-DD')), ', ' ORDER BY kid) FROM seeme.token_keys
    WHERE issuer = 'https://w3.example' AND audience = 'w' $$;
CREATE FUNCTION w_test.import(keys jsonb, more text = '') RETURNS text LANGUAGE sql AS $$
  SELECT w_test.try(format('SELECT seeme_import_jwks(%L, ''https://w3.example'', ''w''%s)',
    jsonb_build_object('keys', keys), more)) $$;
SELECT is(w_test.import(jsonb_build_array(
  w_test.jwk('a'), w_test.jwk('b'), :ec::jsonb || '{"kid": "e"}', :'rsa'::jsonb || '{"kid": "r"}')),
  '4', 'a key set is imported');
SELECT is(w_test.keys(), 'a HS256 user_id, b HS256 user_id, e ES256 user_id, r RS256 user_id',
  'each key for its alg, or its type');
SELECT set_config('w_test.id', (
  SELECT id::text FROM seeme.token_keys WHERE issuer = 'https://w3.example' AND kid = 'b'), true)
    AS p \gset
SELECT is(w_test.import(jsonb_build_array(w_test.jwk('b', sha256('new')), w_test.jwk('c')),
  ', subject_kind => ''external_identity'', valid_until => ''2100-01-01 00:00+00'''), '2',
  'the next set');
SELECT matches(w_test.keys(),
  '^b HS256 external_identity 2100-01-01, c HS256 external_identity 2100-01-01$',
  'replaces, adds and removes');
SELECT is((SELECT count(*) FROM seeme.token_keys WHERE id = current_setting('w_test.id')::uuid
  AND jwk = w_test.jwk('b', sha256('new'))), 1::bigint, 'a key that stays is the same row');
SELECT is((SELECT count(*) FROM seeme.token_keys WHERE issuer = 'https://w.example'), 1::bigint,
  'the keys of other issuers stay');
SELECT is(w_test.import(jsonb_build_array(
  :ec::jsonb || '{"kid": "enc", "use": "enc"}', w_test.jwk('p') || '{"alg": "HS512"}',
  :ec::jsonb || '{"kid": "o", "crv": "P-521"}', '{"kty": "OKP", "kid": "ed"}', '7',
  w_test.jwk('d'))), '1', 'keys for encryption and of other algorithms are left out');
SELECT is(w_test.keys(), 'd HS256 user_id', 'and the others taken');
SELECT is(w_test.import(jsonb_build_array(w_test.jwk('x'), w_test.jwk('x'))), '23505',
  'one kid twice in a set is refused');
SELECT is(w_test.import(jsonb_build_array(w_test.jwk('x') - 'kid', :ec::jsonb)), '23505',
  'as are two keys without one');
SELECT is(w_test.import(jsonb_build_array(w_test.jwk('x') - 'alg')), '22023',
  'a secret whose algorithm nobody tells is left out');
SELECT is(w_test.import(jsonb_build_array(w_test.jwk('d') - 'alg'), ', algorithm => ''HS256'''),
  '1', 'and taken where the caller does');
SELECT is(w_test.import(keys::jsonb), '22023', 'a set is refused: ' || keys)
  FROM unnest(ARRAY['[]', '{}', 'null', '"x"', '[{}]', '[null]', '[{"kty": "EC", "use": "enc"}]'])
  AS keys;
SELECT is(w_test.try(format('SELECT seeme_import_jwks(%s)', arguments)), '22023',
  'a set is refused: ' || arguments) FROM unnest(
  ARRAY['NULL, ''i'', ''a''', '''{}'', ''i'', ''a''', '''[]'', ''i'', ''a''',
  '''{"keys": []}'', NULL, ''a''', '''{"keys": []}'', ''i'', NULL']) AS arguments;
SELECT is(w_test.import(jsonb_build_array(
  w_test.jwk('x'), :ec::jsonb || '{"kid": "y", "d": "AAAA"}')), '22023',
  'a set with a private key is refused as a whole');
SELECT is(w_test.import(jsonb_build_array(w_test.jwk('x')), ', subject_kind => ''email'''), '23514',
  'so is another kind of subjects');
SELECT is(w_test.keys(), 'd HS256 user_id', 'after all of which the keys are as they were');
SELECT is((SELECT count(*) FROM seeme.audit_log WHERE table_name = 'token_keys'
  AND (before ? 'jwk' OR after ? 'jwk' OR concat(before, after) LIKE '%'
  || w_test.base64url(:secret) || '%')), 0::bigint, 'the audit log never has a key');
SELECT is(
  (SELECT string_agg(DISTINCT command || ' ' || database_role,
  ', ' ORDER BY command || ' ' || database_role) FROM seeme.audit_log
  WHERE table_name = 'token_keys' AND transaction_id = pg_current_xact_id()),
  'DELETE ' || session_user || ', INSERT ' || session_user || ', UPDATE ' || session_user,
  'but who added, replaced and removed it');
SELECT is((SELECT count(*) FROM seeme.audit_log WHERE table_name = 'token_keys'
  AND command = 'UPDATE' AND row_id = current_setting('w_test.id')), 1::bigint,
  'also where nothing but the key is another');
SELECT is((SELECT count(*) FROM seeme.audit_log WHERE table_name = 'external_identities'
  AND command = 'INSERT' AND after ->> 'subject' = 'bob@w') > 0, true,
  'and who said whom an issuer means');
COMMIT;

-- The error is one, and has nothing of the token
BEGIN;
SELECT is(
  (SELECT string_agg(DISTINCT w_test.complaint(format('SELECT seeme_login(%L)', token)), ', ')
             FROM unnest(ARRAY[NULL, '', 'x', 'a.b.c', repeat('x', 9000), 'seeme_key_unknown',
             w_test.token(:dora), w_test.token('x'), w_test.token(:ada, '{"aud": "x"}'),
             w_test.token(:ada, '{"iss": "x"}'), w_test.token(:ada, '{"exp": 1}'),
             w_test.token(:ada, '{"nbf": 9999999999}'),
               w_test.token(:ada, '{}', sha256('x')),
               w_test.token(:ada, '{}', :secret, '{"alg": "none", "kid": "w"}'),
               w_test.token(:ada, '{}', :secret, '{"alg": "HS256", "kid": "x"}'),
               w_test.token(:ada, '{}', :secret, '{"alg": "HS256", "kid": "w", "crit": ["exp"]}')])
               AS token),
          '28000: this person cannot be identified here |  | A transaction speaks for one person, '
          'who exists and is not disabled. The server''s log has the reason.',
          'whatever is wrong with a token, or a key, is one and the same error');
COMMIT;
-- People by what an issuer calls them
BEGIN;
SELECT is(w_test.try(format('SELECT seeme_login(%L)', w_test.token('bob@w'))), '28000',
  'a subject is an id, unless the key says otherwise');
UPDATE seeme.token_keys SET subject_kind = 'external_identity' WHERE issuer = 'https://w.example';
SELECT is(w_test.try(format('SELECT seeme_login(%L)', w_test.token(:ada))), '28000',
  'where it does, an id is none');
SELECT is(w_test.try(format('SELECT seeme_login(%L)', w_test.token(subject))), '28000',
  'nor is ' || subject) FROM unnest(ARRAY['BOB@W', 'bob@w ', 'bob@', '%', 'bob@w''; --'])
  AS subject;
SELECT is(w_test.try(format('SELECT seeme_login(%L)', w_test.token('bob@w'))), :bob,
  'but what the issuer calls somebody');
COMMIT;
BEGIN;
INSERT INTO seeme.external_identities (issuer, subject, user_id)
  VALUES ('https://w.example', 'dora@w', :dora);
SELECT is(w_test.try(format('SELECT seeme_login(%L)', w_test.token('dora@w'))), '28000',
  'somebody disabled does not log in by it');
SELECT is((SELECT count(*) FROM seeme.external_identities WHERE user_id = :dora), 1::bigint,
  'though they are known');
DELETE FROM seeme.users WHERE id = :dora;
SELECT is((SELECT count(*) FROM seeme.external_identities WHERE user_id = :dora), 0::bigint,
  'who is gone is not');
COMMIT;

SELECT * FROM finish();
CALL w_test.clean();
SET client_min_messages = error;
DROP SCHEMA w_test CASCADE;
