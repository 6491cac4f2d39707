\i test/include/prelude.psql
-- Who is asking: that it is set as documented and no other way, for one transaction, and holds in
-- parallel workers. It needs several transactions, so its people are committed, have names of their
-- own, and are removed at the end.
\set edith    '''a1000000-0000-4000-8000-000000000001'''
\set vera     '''a1000000-0000-4000-8000-000000000002'''
\set dora     '''a1000000-0000-4000-8000-000000000003'''
\set owner    '''a1000000-0000-4000-8000-000000000004'''
\set acme     '''b1000000-0000-4000-8000-000000000001'''
\set alpha    '''d1000000-0000-4000-8000-000000000001'''
\set beta     '''d1000000-0000-4000-8000-000000000002'''
\set unknown  '''f0000000-0000-4000-8000-00000000ffff'''
\i test/include/identity_cleanup.psql

CREATE ROLE i_app NOLOGIN;
SELECT seeme_grant_usage('i_app') \g /dev/null
CREATE ROLE i_gateway LOGIN IN ROLE i_app;
GRANT EXECUTE ON FUNCTION seeme_assume(uuid) TO i_gateway;
CREATE ROLE i_edith LOGIN IN ROLE i_app;
CREATE ROLE i_vera LOGIN IN ROLE i_app;
CREATE ROLE i_nobody LOGIN IN ROLE i_app;
CREATE ROLE i_below LOGIN IN ROLE i_gateway;
CREATE ROLE i_walker LOGIN NOINHERIT IN ROLE i_app;
GRANT i_gateway TO i_walker;
GRANT i_vera TO i_edith;
GRANT i_gateway TO i_edith;
INSERT INTO seeme.users (id, username, email, firstname, name, database_role, disabled_at) VALUES
  (:edith, 'i_edith', 'i_edith@example.com', 'Edith', 'Identity', 'i_edith', NULL),
  (:vera, 'i_vera', 'i_vera@example.com', 'Vera', 'Identity', 'i_vera', NULL),
  (:dora, 'i_dora', 'i_dora@example.com', 'Dora', 'Identity', NULL, '2020-01-01'),
  (:owner, 'i_owner', 'i_owner@example.com', 'Owner', 'Identity', NULL, NULL);
INSERT INTO seeme.organizations (id, name, slug, owner_id)
  VALUES (:acme, 'Identity test', 'identity-test', :owner);
INSERT INTO seeme.projects (id, organization_id, name, slug)
  VALUES (:alpha, :acme, 'Alpha', 'alpha'), (:beta, :acme, 'Beta', 'beta');
INSERT INTO seeme.memberships (organization_id, user_id, role_id)
  VALUES (:acme, :edith, (SELECT id FROM seeme.roles WHERE organization_id IS NULL
    AND name = 'Editor')), (:acme, :vera, NULL);
INSERT INTO seeme.memberships (organization_id, project_id, user_id, role_id)
  VALUES (:acme, :alpha, :vera, (
    SELECT id FROM seeme.roles WHERE organization_id IS NULL AND name = 'Viewer'));
CREATE TABLE i_model (id integer PRIMARY KEY, project_id uuid, filler text);
INSERT INTO i_model SELECT n, CASE WHEN n % 2 = 0 THEN :alpha::uuid ELSE :beta::uuid END,
  repeat('x', 100) FROM generate_series(1, 20000) AS n;
CREATE INDEX ON i_model (project_id);
GRANT SELECT, UPDATE ON i_model TO i_app;
SELECT seeme_protect('i_model', 'models', project_column => 'project_id') \g /dev/null
ANALYZE i_model;

-- What a statement comes to, its error included. A function of its own schema: DISCARD ALL drops
-- temporary ones.
CREATE SCHEMA i_test;
GRANT USAGE ON SCHEMA i_test TO PUBLIC;
CREATE FUNCTION i_test.try(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE answer text;
BEGIN
  EXECUTE statement INTO answer;
  RETURN coalesce(answer, 'null');
EXCEPTION WHEN OTHERS THEN RETURN SQLSTATE;
END $$;
CREATE FUNCTION i_test.message(statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE statement;
  RETURN NULL;
EXCEPTION WHEN OTHERS THEN RETURN SQLSTATE || ' '
|| regexp_replace(SQLERRM, '[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}', '<id>', 'g');
END $$;
-- Whether a query's plan has parallel workers, and of those whether any were started
CREATE FUNCTION i_test.workers(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  line text;
  planned boolean := false;
  launched boolean := false;
BEGIN
  FOR line IN EXECUTE 'EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) ' || query LOOP
    planned := planned OR line ~ 'Workers Planned: [1-9]';
    launched := launched OR line ~ 'Workers Launched: [1-9]';
  END LOOP;
  RETURN concat_ws(', ', CASE WHEN planned THEN 'planned' ELSE 'not planned' END,
    CASE WHEN launched THEN 'launched' ELSE 'not launched' END);
END $$;
-- Other ways of asking, each as somebody else
CREATE FUNCTION i_test.as_vera() RETURNS uuid
  LANGUAGE sql SECURITY DEFINER AS $$ SELECT seeme_user_id() $$;
CREATE FUNCTION i_test.count_as_vera() RETURNS bigint
  LANGUAGE sql SECURITY DEFINER AS $$ SELECT count(*) FROM i_model $$;
CREATE FUNCTION i_test.assume_as_gateway(uuid) RETURNS uuid
  LANGUAGE sql SECURITY DEFINER AS $$ SELECT seeme_assume($1) $$;
ALTER FUNCTION i_test.as_vera() OWNER TO i_vera;
ALTER FUNCTION i_test.count_as_vera() OWNER TO i_vera;
ALTER FUNCTION i_test.assume_as_gateway(uuid) OWNER TO i_gateway;

-- What each transaction answered is kept here until the assertions at the end: some of the
-- transactions roll back, and DISCARD ALL would forget the plan.
\set count 'SELECT count(*) FROM i_model'

-- Direct login
SET SESSION AUTHORIZATION i_edith;
SELECT seeme_user_id() AS direct_id, (:count) AS direct_count \gset
SET ROLE i_vera;
SELECT seeme_user_id() AS role_id, (:count) AS role_count \gset
RESET ROLE;
SELECT i_test.as_vera() AS definer_id, i_test.count_as_vera() AS definer_count \gset
SET ROLE i_gateway;
SELECT i_test.try(format('SELECT seeme_assume(%L)', :vera)) AS role_assume \gset
RESET ROLE;
SELECT i_test.try(format('SELECT seeme_assume(%L)', :vera)) AS inherited_assume,
  i_test.try(format('SELECT i_test.assume_as_gateway(%L)', :vera)) AS definer_assume,
  seeme_user_id() AS still_direct_id \gset
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION i_nobody;
SELECT coalesce(seeme_user_id()::text, 'null') AS nobody_id, (:count) AS nobody_count,
  i_test.try(format('SELECT seeme_assume(%L)', :vera)) AS nobody_assume,
  i_test.try(format('SELECT i_test.assume_as_gateway(%L)', :vera)) AS nobody_definer_assume \gset
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION i_walker;
SET ROLE i_gateway;
SELECT i_test.try(format('SELECT seeme_assume(%L)', :vera)) AS walker_assume \gset
RESET ROLE;
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION i_below;
SELECT i_test.try(format('SELECT seeme_assume(%L)', :vera)) AS below_assume \gset
RESET SESSION AUTHORIZATION;

-- The gateway: one connection, several people in turn
SET SESSION AUTHORIZATION i_gateway;
SELECT coalesce(seeme_user_id()::text, 'null') AS gateway_id, (:count) AS gateway_count \gset
BEGIN;
SELECT seeme_assume(:edith) AS assumed, seeme_user_id() AS assumed_id \gset
SELECT (:count) AS assumed_count \gset
SELECT seeme_assume(:edith) AS assumed_again \gset
SELECT i_test.try(format('SELECT seeme_assume(%L)', :vera)) AS assumed_second,
  seeme_user_id() AS assumed_after_second \gset
COMMIT;
SELECT coalesce(seeme_user_id()::text, 'null') AS after_commit_id,
  (:count) AS after_commit_count \gset
BEGIN;
SELECT seeme_assume(:vera) AS next_assumed \gset
SELECT (:count) AS next_count \gset
ROLLBACK;
SELECT coalesce(seeme_user_id()::text, 'null') AS after_rollback_id,
  (:count) AS after_rollback_count \gset
SET client_min_messages = error;
SELECT seeme_assume(:vera) AS alone \gset
SET client_min_messages = warning;
SELECT coalesce(seeme_user_id()::text, 'null') AS after_alone_id \gset
BEGIN;
SAVEPOINT s;
SELECT seeme_assume(:edith) AS in_savepoint \gset
ROLLBACK TO SAVEPOINT s;
SELECT coalesce(seeme_user_id()::text, 'null') AS after_savepoint_id,
  (:count) AS after_savepoint_count \gset
SELECT i_test.try(format('SELECT seeme_assume(%L)', :edith)) AS after_savepoint_assume \gset
COMMIT;
BEGIN;
SELECT seeme_assume(:edith) AS outside_savepoint \gset
SAVEPOINT s;
SELECT 1 AS nothing \gset
ROLLBACK TO SAVEPOINT s;
SELECT seeme_user_id() AS kept_over_savepoint \gset
RELEASE SAVEPOINT s;
SELECT seeme_user_id() AS kept_over_release \gset
COMMIT;
BEGIN;
SAVEPOINT one; SAVEPOINT two;
SELECT seeme_assume(:edith) AS p \gset
SAVEPOINT three;
SELECT seeme_assume(:edith) AS p \gset
RELEASE three; RELEASE two;
SELECT seeme_user_id() AS released_twice \gset
ROLLBACK TO SAVEPOINT one;
SELECT coalesce(seeme_user_id()::text, 'null') AS undone_at_once,
  (:count) AS undone_at_once_count \gset
DO $$
BEGIN
  BEGIN
    PERFORM seeme_assume('a1000000-0000-4000-8000-000000000001');
    BEGIN
      PERFORM seeme_assume('a1000000-0000-4000-8000-000000000001');
    EXCEPTION WHEN OTHERS THEN NULL;
    END;
  EXCEPTION WHEN OTHERS THEN NULL;
  END;
  RAISE EXCEPTION 'undone';
EXCEPTION WHEN raise_exception THEN NULL;
END $$;
SELECT coalesce(seeme_user_id()::text, 'null') AS undone_in_blocks \gset
COMMIT;
SELECT i_test.message(format('SELECT seeme_assume(%L)', :unknown)) AS unknown_message,
  i_test.message(format('SELECT seeme_assume(%L)', :dora)) AS disabled_message,
       i_test.try('SELECT seeme_assume(NULL)') AS null_assume \gset
BEGIN;
SELECT i_test.try(format('SELECT seeme_assume(%L)', :unknown)) AS refused_assume,
  coalesce(seeme_user_id()::text, 'null') AS after_refused_id, (:count) AS after_refused_count \gset
COMMIT;

-- What somebody might try in order to be somebody else
SELECT i_test.try(format('SELECT set_config(''seeme_rbac.user_id'', %L, false)', :edith))
  AS forged_session, coalesce(seeme_user_id()::text, 'null') AS forged_session_id \gset
BEGIN;
SELECT seeme_assume(:vera) AS victim \gset
SELECT i_test.try(format('SELECT set_config(''seeme_rbac.user_id'', %L, true)', :edith))
  AS forged_local, seeme_user_id() AS forged_local_id \gset
SELECT i_test.try(
  format('SELECT count(*) FROM (WITH x AS MATERIALIZED (SELECT set_config(''seeme_rbac.user_id'', '
         '%L, true)) SELECT * FROM x) AS q, i_model', :edith)) AS forged_inside \gset
SELECT i_test.try('SET LOCAL seeme_rbac.user_id TO ''a1000000-0000-4000-8000-000000000001''')
  AS forged_set, i_test.try('RESET seeme_rbac.user_id') AS forged_reset,
  seeme_user_id() AS after_forged_id, (:count) AS after_forged_count \gset
RESET ALL;
SELECT coalesce(seeme_user_id()::text, 'null') AS after_reset_all_id,
  i_test.try(format('SELECT seeme_assume(%L)', :edith)) AS after_reset_all_assume \gset
COMMIT;
RESET SESSION AUTHORIZATION;
\i test/include/prelude.psql

SELECT i_test.try(format('SELECT set_config(''seeme_rbac.user_id'', %L, false)', :edith))
  AS super_session, i_test.try(
  format('SELECT set_config(''seeme_rbac.user_id'', %L, true)', :edith)) AS super_local,
       i_test.try('SET seeme_rbac.user_id TO ''a1000000-0000-4000-8000-000000000001''')
       AS super_set, coalesce(seeme_user_id()::text, 'null') AS super_id \gset
SELECT i_test.try(
  'CREATE FUNCTION i_test.forger() RETURNS uuid LANGUAGE sql SET seeme_rbac.user_id '
  '= ''a1000000-0000-4000-8000-000000000001'' RETURN seeme_user_id()') AS super_function \gset
SELECT i_test.try('GRANT SET ON PARAMETER seeme_rbac.user_id TO i_nobody') AS granted_set \gset
SELECT i_test.try('SELECT i_test.forger()') AS super_forger \gset
SET SESSION AUTHORIZATION i_nobody;
SELECT i_test.try(format('SELECT set_config(''seeme_rbac.user_id'', %L, false)', :edith))
  AS granted_forged, coalesce(seeme_user_id()::text, 'null') AS granted_forged_id,
  (:count) AS granted_forged_count \gset
RESET SESSION AUTHORIZATION;
SELECT i_test.try('REVOKE SET ON PARAMETER seeme_rbac.user_id FROM i_nobody') AS revoked_set \gset

-- In a new session, before the extension's library has been loaded
\c -
\set QUIET 1
SET client_min_messages = error;
SET seeme_rbac.user_id = 'a1000000-0000-4000-8000-000000000001';
SET SESSION AUTHORIZATION i_nobody;
SET seeme_rbac.user_id = 'a1000000-0000-4000-8000-000000000001';
SELECT coalesce(seeme_user_id()::text, 'null') AS placeholder_id \gset
SELECT (:count) AS placeholder_count \gset
RESET SESSION AUTHORIZATION;
\c -
\set QUIET 1
SET client_min_messages = error;
SET seeme_rbac.user_id = 'a1000000-0000-4000-8000-000000000001';
SELECT coalesce(seeme_user_id()::text, 'null') AS super_placeholder_id \gset
\c -
\i test/include/prelude.psql

-- DISCARD ALL
SET SESSION AUTHORIZATION i_edith;
SELECT seeme_user_id() AS before_discard_id \gset
DISCARD ALL;
SELECT coalesce(seeme_user_id()::text, 'null') AS after_discard_id \gset
SET SESSION AUTHORIZATION i_gateway;
BEGIN;
SELECT seeme_assume(:edith) AS assumed_before_discard \gset
COMMIT;
DISCARD ALL;
SET SESSION AUTHORIZATION i_gateway;
SELECT coalesce(seeme_user_id()::text, 'null') AS gateway_after_discard_id,
  (:count) AS gateway_after_discard_count \gset
RESET SESSION AUTHORIZATION;
\i test/include/prelude.psql

-- Parallel workers, and no leader to do their work
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET min_parallel_index_scan_size = 0;
SET max_parallel_workers_per_gather = 2;
SET parallel_leader_participation = off;
SET SESSION AUTHORIZATION i_edith;
SELECT i_test.workers('SELECT count(*) FROM i_model WHERE filler <> ''y''') AS edith_workers \gset
SELECT count(*) AS edith_count FROM i_model WHERE filler <> 'y' \gset
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION i_gateway;
BEGIN;
SELECT seeme_assume(:edith) AS parallel_assumed \gset
SELECT i_test.workers('SELECT count(*) FROM i_model WHERE filler <> ''y''') AS assumed_workers \gset
SELECT count(*) AS parallel_count, min(seeme_user_id()::text) AS parallel_id,
  count(seeme_user_id()) AS parallel_id_count FROM i_model WHERE filler <> 'y' \gset
COMMIT;
BEGIN;
SELECT seeme_assume(:vera) AS parallel_next \gset
SELECT count(*) AS parallel_next_count FROM i_model WHERE filler <> 'y' \gset
COMMIT;
SELECT count(*) AS parallel_nobody_count FROM i_model WHERE filler <> 'y' \gset
-- Named in a savepoint, where workers are told; rolled back; named again by a function whose error
-- is caught; and around a savepoint
BEGIN;
SAVEPOINT s;
SELECT seeme_assume(:edith) AS p \gset
SELECT count(*) AS parallel_in_savepoint FROM i_model WHERE filler <> 'y' \gset
ROLLBACK TO SAVEPOINT s;
SELECT count(*) AS parallel_rolled_back, count(seeme_user_id()) AS parallel_rolled_back_id
  FROM i_model WHERE filler <> 'y' \gset
DO $$
BEGIN
  PERFORM seeme_assume('a1000000-0000-4000-8000-000000000001');
  PERFORM count(*) FROM i_model WHERE filler <> 'y';
  RAISE EXCEPTION 'undone';
EXCEPTION WHEN raise_exception THEN NULL;
END $$;
SELECT count(*) AS parallel_caught FROM i_model WHERE filler <> 'y' \gset
SELECT seeme_assume(:edith) AS p \gset
SAVEPOINT s;
SELECT count(*) AS parallel_within FROM i_model WHERE filler <> 'y' \gset
ROLLBACK TO SAVEPOINT s;
SELECT count(*) AS parallel_after_within FROM i_model WHERE filler <> 'y' \gset
SELECT current_setting('seeme_rbac.user_id') AS shown \gset
COMMIT;
SELECT current_setting('seeme_rbac.user_id') AS shown_after \gset
-- Functions that pass for safe in parallel workers name people there, or in the leader meanwhile
RESET SESSION AUTHORIZATION;
CREATE FUNCTION i_test.in_worker(person uuid) RETURNS boolean
  LANGUAGE plpgsql PARALLEL SAFE AS $$ BEGIN RETURN seeme_assume(person) IS NOT NULL; END $$;
CREATE FUNCTION i_test.in_leader(person uuid) RETURNS boolean
  LANGUAGE plpgsql PARALLEL RESTRICTED AS $$ BEGIN RETURN seeme_assume(person) IS NOT NULL; END $$;
SET SESSION AUTHORIZATION i_gateway;
SELECT i_test.try(format('SELECT count(*) FROM pg_proc WHERE oid > 0 AND i_test.in_worker(%L)',
  :edith)) AS in_worker,
       i_test.try(
       format('SELECT i_test.in_leader(%L) FROM (SELECT count(*) AS n FROM pg_proc WHERE oid > 0) '
              'AS c WHERE n > 0', :edith)) AS in_leader,
              coalesce(seeme_user_id()::text, 'null') AS in_leader_id \gset
-- A superuser takes back what workers were told; the person goes on asking
RESET SESSION AUTHORIZATION;
BEGIN;
SET LOCAL SESSION AUTHORIZATION i_gateway;
SELECT seeme_assume(:edith) AS p \gset
SELECT count(*) AS parallel_before_reset FROM i_model WHERE filler <> 'y' \gset
RESET SESSION AUTHORIZATION;
RESET seeme_rbac.user_id;
SET LOCAL SESSION AUTHORIZATION i_gateway;
SELECT count(*) AS parallel_after_reset, min(seeme_user_id()::text) AS reset_id FROM i_model
  WHERE filler <> 'y' \gset
COMMIT;
RESET SESSION AUTHORIZATION;
RESET ALL;
\i test/include/prelude.psql

-- A prepared statement that was there before anybody, and a revocation between two transactions
\c -
\i test/include/prelude.psql
SET SESSION AUTHORIZATION i_gateway;
PREPARE counted AS SELECT count(*) FROM i_model;
BEGIN;
SELECT seeme_assume(:edith) AS p \gset
EXECUTE counted \gset prepared_edith_
COMMIT;
BEGIN;
SELECT seeme_assume(:vera) AS p \gset
EXECUTE counted \gset prepared_vera_
COMMIT;
EXECUTE counted \gset prepared_nobody_
RESET SESSION AUTHORIZATION;
UPDATE seeme.memberships SET role_id = NULL WHERE user_id = :vera;
SET SESSION AUTHORIZATION i_gateway;
BEGIN;
SELECT seeme_assume(:vera) AS p \gset
EXECUTE counted \gset prepared_revoked_
COMMIT;
DEALLOCATE counted;
RESET SESSION AUTHORIZATION;
UPDATE seeme.users SET disabled_at = now() WHERE id = :vera;
SET SESSION AUTHORIZATION i_vera;
SELECT coalesce(seeme_user_id()::text, 'null') AS disabled_direct_id,
  i_test.try('SELECT count(*) FROM seeme.roles') AS disabled_direct_count \gset
RESET SESSION AUTHORIZATION;
REVOKE EXECUTE ON FUNCTION seeme_assume(uuid) FROM i_gateway;
SET SESSION AUTHORIZATION i_gateway;
SELECT i_test.try(format('SELECT seeme_assume(%L)', :edith)) AS revoked_assume \gset
RESET SESSION AUTHORIZATION;

SELECT plan(90);
SELECT is(:'direct_id'::text, :edith,
  'somebody who connects with their own database role is that person');
SELECT is(:'direct_count'::text, '20000', 'and sees their rows');
SELECT is(:'role_id'::text, :edith, 'SET ROLE does not change who is asking');
SELECT is(:'role_count'::text, '20000', 'nor what they see');
SELECT is(:'definer_id'::text, :edith, 'a SECURITY DEFINER function does not change who is asking');
SELECT is(:'definer_count'::text, '20000', 'nor what they see');
SELECT is(:'walker_assume'::text, '42501', 'threat: SET ROLE to the gateway, then seeme_assume');
SELECT is(:'nobody_definer_assume'::text, '42501',
  'threat: seeme_assume through a SECURITY DEFINER function of the gateway''s');
SELECT ok(:'role_assume' IN ('42501', '28000') AND :'inherited_assume' IN ('42501', '28000')
  AND :'definer_assume' IN ('42501', '28000'),
  'threat: somebody with a database role of their own assumes another by any of these ways');
SELECT is(:'still_direct_id'::text, :edith, 'and is still who they were');
SELECT is(:'below_assume'::text, '42501',
  'seeme_assume is for the grantee, not for what is granted the grantee''s role');
SELECT is(:'nobody_id'::text, 'null', 'a database role that belongs to nobody is nobody');
SELECT is(:'nobody_count'::text, '0', 'and sees nothing');
SELECT is(:'nobody_assume'::text, '42501', 'and may not call seeme_assume');
SELECT is(:'gateway_id'::text, 'null', 'a gateway is nobody by itself');
SELECT is(:'gateway_count'::text, '0', 'and sees nothing');
SELECT is(:'assumed'::text, :edith, 'seeme_assume answers with who is asking now');
SELECT is(:'assumed_id'::text, :edith, 'as does seeme_user_id');
SELECT is(:'assumed_count'::text, '20000', 'whose rows are seen');
SELECT is(:'assumed_again'::text, :edith, 'the same person may be assumed again');
SELECT is(:'assumed_second'::text, '28000',
  'threat: a second, different person in one transaction');
SELECT is(:'assumed_after_second'::text, :edith, 'after which the first is still the one');
SELECT is(:'after_commit_id'::text, 'null', 'the identity ends with the transaction');
SELECT is(:'after_commit_count'::text, '0', 'and so do the rows');
SELECT is(:'next_assumed'::text, :vera,
  'the next transaction of a pooled connection may be another person''s');
SELECT is(:'next_count'::text, '10000', 'who sees their own rows');
SELECT is(:'after_rollback_id'::text, 'null', 'the identity ends with ROLLBACK');
SELECT is(:'after_rollback_count'::text, '0', 'and so do the rows');
SELECT is(:'alone'::text, :vera,
  'outside a transaction block seeme_assume is for its own statement');
SELECT is(:'after_alone_id'::text, 'null', 'and no longer');
SELECT is(:'in_savepoint'::text, :edith, 'a person may be assumed within a savepoint');
SELECT is(:'after_savepoint_id'::text, 'null', 'ROLLBACK TO SAVEPOINT takes that back');
SELECT is(:'after_savepoint_count'::text, '0', 'and the rows with it');
SELECT is(:'after_savepoint_assume'::text, :edith, 'and the same person may be assumed again');
SELECT is(:'kept_over_savepoint'::text, :edith,
  'ROLLBACK TO SAVEPOINT leaves an identity that was there before');
SELECT is(:'kept_over_release'::text, :edith, 'so does RELEASE');
SELECT is(:'released_twice'::text, :edith,
  'an identity goes on through RELEASE of savepoints, one in another');
SELECT is(concat_ws(' ', :'undone_at_once', :'undone_at_once_count'), 'null 0',
  'threat: one that was given in two of them outlives the rollback of both');
SELECT is(:'undone_in_blocks'::text, 'null', 'threat: or that of a function''s blocks');
SELECT matches(:'unknown_message'::text, '^28000 ', 'assuming somebody unknown is an error');
SELECT is(:'disabled_message'::text, :'unknown_message',
  'assuming somebody disabled is the same error');
SELECT ok(:'null_assume' IN ('22004', '28000'), 'assuming nobody is an error');
SELECT is(:'refused_assume'::text, '28000', 'a refused seeme_assume');
SELECT is(:'after_refused_id'::text, 'null', 'leaves nobody');
SELECT is(:'after_refused_count'::text, '0', 'and nothing to see');
SELECT matches(:'forged_session'::text, '^[0-9A-Z]{5}$',
  'threat: setting the identity for the session');
SELECT is(:'forged_session_id'::text, 'null', 'does not make one that person');
SELECT matches(:'forged_local'::text, '^[0-9A-Z]{5}$',
  'threat: setting another identity within the transaction');
SELECT is(:'forged_local_id'::text, :vera, 'leaves who was there');
SELECT matches(:'forged_inside'::text, '^[0-9A-Z]{5}$', 'threat: setting it inside a SELECT');
SELECT matches(:'forged_set'::text, '^[0-9A-Z]{5}$', 'threat: SET LOCAL');
SELECT matches(:'forged_reset'::text, '^[0-9A-Z]{5}$', 'threat: RESET');
SELECT is(:'after_forged_id'::text, :vera, 'leave who was there');
SELECT is(:'after_forged_count'::text, '10000', 'and what they see');
SELECT is(:'after_reset_all_id'::text, :vera, 'threat: RESET ALL in order to assume another');
SELECT is(:'after_reset_all_assume'::text, '28000', 'which is refused as ever');
SELECT matches(:'super_session' || ' ' || :'super_local' || ' ' || :'super_set',
  '^[0-9A-Z]{5} [0-9A-Z]{5} [0-9A-Z]{5}$', 'a superuser cannot set it either');
SELECT is(:'super_id'::text, 'null', 'and remains nobody');
SELECT isnt(:'super_forger'::text, :edith, 'not by a function with a setting of its own');
SELECT matches(:'granted_forged'::text, '^[0-9A-Z]{5}$', 'threat: GRANT SET ON PARAMETER');
SELECT is(:'granted_forged_id'::text, 'null', 'makes nobody somebody');
SELECT is(:'granted_forged_count'::text, '0', 'and shows nothing');
SELECT is(:'placeholder_id'::text, 'null', 'threat: setting it before the library is loaded');
SELECT is(:'placeholder_count'::text, '0', 'shows nothing');
SELECT is(:'super_placeholder_id'::text, 'null', 'not as a superuser either');
SELECT is(:'before_discard_id'::text, :edith, 'before DISCARD ALL a direct login is that person');
SELECT is(:'after_discard_id'::text, 'null', 'after DISCARD ALL it is whoever connected');
SELECT is(:'assumed_before_discard'::text, :edith, 'a pooled connection that served somebody');
SELECT is(:'gateway_after_discard_id'::text, 'null', 'serves nobody after DISCARD ALL');
SELECT is(:'gateway_after_discard_count'::text, '0', 'and shows nothing');
SELECT is(:'edith_workers'::text, 'planned, launched',
  'a scan by direct login runs in parallel workers');
SELECT is(:'edith_count'::text, '20000', 'and they see the person''s rows');
SELECT is(:'assumed_workers'::text, 'planned, launched',
  'a scan by somebody assumed runs in parallel workers');
SELECT is(:'parallel_count'::text, '20000', 'and they see that person''s rows');
SELECT is(:'parallel_id'::text, :edith, 'and know who it is');
SELECT is(:'parallel_id_count'::text, '20000', 'for every row');
SELECT is(:'parallel_in_savepoint'::text, '20000', 'also of somebody named in a savepoint');
SELECT is(concat_ws(' ', :'parallel_rolled_back', :'parallel_rolled_back_id'), '0 0',
  'threat: workers that go on being told of somebody whose savepoint was rolled back');
SELECT is(:'parallel_caught'::text, '0', 'threat: or whose block of a function was');
SELECT is(concat_ws(' ', :'parallel_within', :'parallel_after_within'), '20000 20000',
  'a rollback to a savepoint inside does not make them forget');
SELECT is(concat_ws(', ', :'shown', :'shown_after'), :edith || ', ',
  'the setting shows who is asking, and nobody afterwards');
SELECT is(:'in_worker'::text, '25000',
  'threat: a parallel worker names somebody, and another one somebody else');
SELECT is(concat_ws(' ', :'in_leader', :'in_leader_id'), '25000 null',
  'threat: the leader does, of whom its workers know nothing');
SELECT is(concat_ws(' ', :'parallel_before_reset', :'parallel_after_reset', :'reset_id'),
  '20000 20000 ' || :edith,
  'RESET of the setting changes neither who is asking nor what workers know');
SELECT is(:'parallel_next_count'::text, '10000', 'and the next person''s in the next transaction');
SELECT is(:'parallel_nobody_count'::text, '0', 'and nobody''s where there is nobody');
SELECT is(:'prepared_edith_count' || ' ' || :'prepared_vera_count' || ' '
  || :'prepared_nobody_count', '20000 10000 0',
  'a prepared statement serves one person after the other');
SELECT is(:'prepared_revoked_count'::text, '0', 'and knows of a revocation since');
SELECT is(:'disabled_direct_count'::text, '0',
  'somebody disabled who connects with their own database role sees nothing');
SELECT is(:'revoked_assume'::text, '42501', 'a gateway whose grant is revoked assumes nobody');
SELECT * FROM finish();

\i test/include/identity_cleanup.psql
