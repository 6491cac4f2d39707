\i test/include/prelude.psql
-- What a connection was authenticated as names the person, where an administrator trusts the
-- method (PostgreSQL 16 and later). scripts/lib/suite.sh runs this on a server where the operating
-- system's user postgres is let in as any role, by method peer.
SET client_min_messages = error;
CREATE EXTENSION pgtap;
CREATE EXTENSION seeme_rbac;
CREATE ROLE s_app NOLOGIN;
SELECT seeme_grant_usage('s_app') \g /dev/null
CREATE ROLE s_door LOGIN IN ROLE s_app;
CREATE ROLE s_bob LOGIN IN ROLE s_app;
GRANT s_bob TO s_door;
GRANT EXECUTE ON FUNCTION seeme_assume(uuid) TO s_door;
\set ada  '''a5000000-0000-4000-8000-000000000001'''
\set bob  '''a5000000-0000-4000-8000-000000000002'''
INSERT INTO seeme.users (id, username, email, firstname, name, database_role) VALUES
  (:ada, 'ada', 'ada@example.com', 'Ada', 'System', NULL), (:bob, 'bob', 'bob@example.com', 'Bob', 'System', 's_bob');
INSERT INTO seeme.organizations (id, name, slug, owner_id) VALUES
  ('b5000000-0000-4000-8000-000000000001', 'Of Ada', 'of-ada', :ada), ('b5000000-0000-4000-8000-000000000002', 'Of Bob', 'of-bob', :bob);
CREATE TABLE model (id integer PRIMARY KEY, organization_id uuid);
INSERT INTO model SELECT n, CASE WHEN n <= 3000 THEN 'b5000000-0000-4000-8000-000000000001' ELSE 'b5000000-0000-4000-8000-000000000002' END::uuid FROM generate_series(1, 8000) AS n;
SELECT seeme_protect('model', 'models', organization_column => 'organization_id') \g /dev/null
GRANT SELECT ON model TO s_app;
ANALYZE model;
CREATE FUNCTION try(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE answer text;
BEGIN
  EXECUTE statement INTO answer;
  RETURN coalesce(answer, 'null');
EXCEPTION WHEN OTHERS THEN RETURN SQLSTATE;
END $$;
CREATE FUNCTION state() RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  RETURN CASE seeme_user_id() WHEN 'a5000000-0000-4000-8000-000000000001' THEN 'ada ' WHEN 'a5000000-0000-4000-8000-000000000002' THEN 'bob ' ELSE coalesce(seeme_user_id() || ' ', 'nobody ') END || (SELECT count(*) FROM model);
END $$;
CREATE FUNCTION definer()
RETURNS text LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN RETURN seeme_user_id(); END $$;
-- How many workers a query's plan started
CREATE FUNCTION workers(query text) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
  line text;
  launched integer := 0;
BEGIN
  FOR line IN EXECUTE 'EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) ' || query LOOP
    launched := launched + coalesce((regexp_match(line, 'Workers Launched: ([0-9]+)'))[1]::integer, 0);
  END LOOP;
  RETURN launched;
END $$;

-- Known, but nobody trusts the method
INSERT INTO seeme.external_identities (issuer, subject, user_id) VALUES ('system_user:peer', 'postgres', :ada);
\c - s_door
SELECT system_user AS a_system_user, state() AS a_state \gset
\c - s_bob
SELECT state() AS a_bob \gset
\c - postgres
ALTER DATABASE :DBNAME SET seeme_rbac.system_user_methods = 'cert, scram-sha-256';
\c - s_door
SELECT state() AS a_other_methods \gset
SELECT try('SET seeme_rbac.system_user_methods = peer') AS a_set, try('SELECT set_config(''seeme_rbac.system_user_methods'', ''peer'', false)') AS a_set_config, state() AS a_still \gset
\c - s_door
SET seeme_rbac.system_user_methods = 'peer';
SELECT state() AS a_before_library \gset
\c - s_bob
SELECT state() AS a_other_methods_bob \gset

-- Trusted
\c - postgres
ALTER DATABASE :DBNAME SET seeme_rbac.system_user_methods = 'cert, Peer';
\c - s_door
SELECT state() AS b_state, definer() AS b_definer \gset
SET ROLE s_bob;
SELECT state() AS b_role \gset
RESET ROLE;
BEGIN;
SELECT try(format('SELECT seeme_assume(%L)', :bob)) AS b_assume, try(format('SELECT seeme_assume(%L)', :ada)) = :ada AS b_assume_same, state() AS b_after \gset
ROLLBACK;
BEGIN READ ONLY;
SELECT state() AS b_read_only \gset
COMMIT;
DISCARD ALL;
SELECT state() AS b_discarded \gset
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET max_parallel_workers_per_gather = 2;
SET parallel_leader_participation = off;
SELECT workers('SELECT count(*), min(seeme_user_id()::text), '
               'count(seeme_user_id()) FROM model') AS b_workers \gset
SELECT count(*) AS b_count, min(seeme_user_id()::text) AS b_id, count(seeme_user_id()) AS b_ids FROM model \gset
\c - s_bob
SELECT state() AS b_bob \gset
\c - postgres
SELECT seeme_user_id() AS b_superuser \gset

-- Trusted, and not known (any more)
\c - s_door
PREPARE seen AS SELECT count(*) FROM model;
EXECUTE seen \gset c_before_
\setenv SEEME_RBAC_CHANGE 'DELETE FROM seeme.external_identities'
\! psql -XqAt -U postgres -c "$SEEME_RBAC_CHANGE"
SELECT state() AS c_state \gset
EXECUTE seen \gset c_after_
SELECT try(format('SELECT seeme_assume(%L)', :bob)) AS c_assume \gset
\c - s_bob
SELECT state() AS c_bob \gset
\c - postgres
INSERT INTO seeme.external_identities (issuer, subject, user_id) VALUES ('system_user:cert', 'postgres', :ada), ('peer', 'postgres', :ada), ('system_user:peer', 'Postgres', :ada), ('system_user:peer', 'peer:postgres', :ada), ('system_user:peer', 's_door', :ada);
\c - s_door
SELECT state() AS c_alike \gset
\c - postgres
DELETE FROM seeme.external_identities;
INSERT INTO seeme.external_identities (issuer, subject, user_id) VALUES ('system_user:peer', 'postgres', :ada);
UPDATE seeme.users SET disabled_at = now() WHERE username = 'ada';
\c - s_door
SELECT state() AS c_disabled \gset
\c - postgres
\i test/include/prelude.psql
UPDATE seeme.users SET disabled_at = NULL WHERE username = 'ada';

SELECT plan(24);
SELECT is(:'a_system_user'::text, 'peer:postgres', 'the connection was authenticated as somebody else than its role');
SELECT is(:'a_state'::text, 'nobody 0', 'which counts for nothing unless an administrator trusts '
                                        'the method');
SELECT is(:'a_bob'::text, 'bob 5000', 'a role that is a person''s is that person');
SELECT is(:'a_other_methods'::text, 'nobody 0', 'it counts for nothing where other methods are '
                                                'trusted');
SELECT is(:'a_other_methods_bob'::text, 'bob 5000', 'and a role that is a person''s is that person still');
SELECT is(:'a_set'::text || ' ' || :'a_set_config' || ', ' || :'a_still', '42501 42501, nobody 0', 'threat: an ordinary role trusts a method');
SELECT is(:'a_before_library'::text, 'nobody 0', 'threat: and does so before the library is loaded');
SELECT is(:'b_state'::text, 'ada 3000', 'where the method is trusted, the connection is the person '
                                        'who was authenticated');
SELECT is(:'b_definer'::text, :ada, 'in a SECURITY DEFINER function, too');
SELECT is(:'b_role'::text, 'ada 3000', 'SET ROLE changes nothing');
SELECT is(:'b_assume'::text || ', ' || :'b_assume_same' || ', ' || :'b_after', '28000, t, ada 3000', 'threat: seeme_assume of somebody else by an authenticated person who was granted it');
SELECT is(:'b_read_only'::text || ', ' || :'b_discarded', 'ada 3000, ada 3000', 'neither READ ONLY nor DISCARD ALL changes it');
SELECT cmp_ok(:b_workers::integer, '>', 0, 'a query runs in parallel workers');
SELECT is(:'b_count'::text, '3000', 'which see the person''s rows');
SELECT is(:'b_id'::text || ' ' || :'b_ids', :ada || ' 3000', 'and know who it is, for every row');
SELECT is(:'b_bob'::text, 'ada 3000', 'what the connection was authenticated as goes before what '
                                      'its role is');
SELECT is(:'b_superuser'::text, :ada, 'for a superuser, too');
SELECT is(:'c_before_count'::text, '3000', 'a prepared statement');
SELECT is(:'c_after_count'::text || ', ' || :'c_state', '0, nobody 0', 'shows nothing once the person is no longer known by it');
SELECT is(:'c_assume'::text, :bob, 'somebody unknown is nobody, and so may be given a person');
SELECT is(:'c_bob'::text, 'nobody 0', 'threat: somebody unknown connects with a role that is a '
                                      'person''s');
SELECT is(:'c_alike'::text, 'nobody 0', 'threat: the same name by another method, in other '
                                        'letters, or with something more');
SELECT is(:'c_disabled'::text, 'nobody 0', 'threat: somebody disabled');
SELECT is(current_setting('seeme_rbac.system_user_methods'), 'cert, Peer', 'methods are compared without regard to case');
SELECT * FROM finish();
