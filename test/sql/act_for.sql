-- seeme_act_for: support staff act for somebody. The rights are the user's. The actor shows in
-- seeme_actor_id() and in the audit log. An identity is set for one transaction, as by
-- seeme_assume.
\i test/include/prelude.psql
\i test/include/support.psql

CREATE FUNCTION s_test.launched(query text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE line text;
BEGIN
  FOR line IN EXECUTE 'EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) ' || query LOOP
    IF line ~ 'Workers Launched: [1-9]' THEN
      RETURN true;
    END IF;
  END LOOP;
  RETURN false;
END $$;

-- What each transaction answers is kept until the assertions at the end.
SET SESSION AUTHORIZATION s_desk;
SELECT (:asking) AS before, (:count) AS before_count \gset
BEGIN;
SELECT seeme_act_for(:uma, :sam) AS acted \gset
SELECT (:asking) AS acted_asking, (:count) AS acted_count,
       seeme_permissions(organization => :acme)::text AS acted_permissions,
       seeme_current_user_context()::text AS acted_context,
       (SELECT count(*) FROM seeme.organizations) AS acted_organizations,
       (SELECT count(*) FROM seeme.projects) AS acted_projects,
       current_setting('seeme_rbac.user_id') AS acted_setting \gset
SELECT seeme_act_for(user_id => :uma, actor_id => :sam) AS acted_again \gset
SELECT s_test.try('SELECT seeme_act_for({uma}, {sid})') AS other_actor,
       s_test.try('SELECT seeme_act_for({vera}, {sam})') AS other_user,
       s_test.try('SELECT seeme_act_for({sam}, {uma})') AS other_way_round,
       (:asking) AS after_others \gset
COMMIT;
SELECT (:asking) AS after_commit, (:count) AS after_commit_count \gset
BEGIN;
SELECT seeme_act_for(:vera, :sam) AS p \gset
SELECT (:asking) AS vera_asking, (:count) AS vera_count,
       seeme_permissions(organization => :acme)::text AS vera_permissions \gset
ROLLBACK;
SELECT (:asking) AS after_rollback \gset
BEGIN;
SELECT seeme_act_for(:stan, :sam) AS p \gset
SELECT (:asking) AS stan_asking, (:count) AS stan_count,
       (SELECT count(*) FROM seeme.projects) AS stan_projects \gset
COMMIT;

-- Savepoints
BEGIN;
SAVEPOINT s;
SELECT seeme_act_for(:uma, :sam) AS p \gset
SELECT (:asking) AS in_savepoint \gset
ROLLBACK TO SAVEPOINT s;
SELECT (:asking) AS after_savepoint, (:count) AS after_savepoint_count,
       s_test.try('SELECT seeme_act_for({uma}, {sid})') AS after_savepoint_other,
       s_test.try('SELECT seeme_act_for({uma}, {sam})') AS after_savepoint_same \gset
COMMIT;
BEGIN;
SAVEPOINT one;
SAVEPOINT two;
SELECT seeme_act_for(:uma, :sam) AS p \gset
RELEASE two;
SELECT (:asking) AS released \gset
ROLLBACK TO SAVEPOINT one;
SELECT (:asking) AS released_and_undone \gset
COMMIT;

-- What is refused
SELECT s_test.message('SELECT seeme_act_for({unknown}, {sam})') AS unknown_user,
       s_test.message('SELECT seeme_act_for({uma}, {unknown})') AS unknown_actor,
       s_test.message('SELECT seeme_act_for({dora}, {sam})') AS disabled_user,
       s_test.message('SELECT seeme_act_for({uma}, {dora})') AS disabled_actor,
       s_test.message('SELECT seeme_act_for(NULL, {sam})') AS null_user,
       s_test.message('SELECT seeme_act_for({uma}, NULL)') AS null_actor,
       s_test.message('SELECT seeme_act_for({uma}, {uma})') AS same_person,
       s_test.message('SELECT seeme_act_for({unknown}, {unknown})') AS same_unknown \gset
SET client_min_messages = error;
SELECT seeme_act_for(:uma, :sam) AS alone \gset
SET client_min_messages = warning;
SELECT (:asking) AS after_alone \gset

-- Parallel workers, and no leader to do their work
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET min_parallel_index_scan_size = 0;
SET max_parallel_workers_per_gather = 2;
SET parallel_leader_participation = off;
BEGIN;
SELECT seeme_act_for(:vera, :sam) AS p \gset
SELECT s_test.launched('SELECT count(seeme_actor_id()) FROM s_note WHERE body <> ''y''')
  AS parallel_launched \gset
SELECT count(*) AS parallel_count, min(seeme_user_id()::text) AS parallel_user,
       min(seeme_actor_id()::text) AS parallel_actor, count(seeme_actor_id()) AS parallel_actors
  FROM s_note WHERE body <> 'y' \gset
COMMIT;
BEGIN;
SELECT seeme_act_for(:uma, :sid) AS p \gset
SELECT count(*) AS parallel_next_count, min(seeme_actor_id()::text) AS parallel_next_actor
  FROM s_note WHERE body <> 'y' \gset
COMMIT;
SELECT count(*) AS parallel_nobody FROM s_note WHERE body <> 'y' \gset
RESET SESSION AUTHORIZATION;
RESET ALL;
\i test/include/prelude.psql

-- The same people by seeme_assume, and by a plan that everybody shares
\c -
\i test/include/prelude.psql
SET SESSION AUTHORIZATION s_door;
PREPARE counted AS SELECT count(*) FROM s_note;
BEGIN;
SELECT seeme_assume(:uma) AS p \gset
SELECT (:asking) AS assumed_asking, (:count) AS assumed_count,
       seeme_permissions(organization => :acme)::text AS assumed_permissions,
       seeme_current_user_context()::text AS assumed_context,
       (SELECT count(*) FROM seeme.organizations) AS assumed_organizations,
       (SELECT count(*) FROM seeme.projects) AS assumed_projects \gset
COMMIT;
BEGIN;
SELECT seeme_assume(:vera) AS p \gset
SELECT seeme_permissions(organization => :acme)::text AS assumed_vera_permissions,
       (:count) AS assumed_vera_count \gset
COMMIT;
RESET SESSION AUTHORIZATION;
GRANT EXECUTE ON FUNCTION seeme_act_for(uuid, uuid) TO s_door;
SET SESSION AUTHORIZATION s_door;
BEGIN;
SELECT seeme_assume(:uma) AS p \gset
SELECT s_test.try('SELECT seeme_act_for({uma}, {sam})') AS act_after_assume,
       (:asking) AS asking_after_assume \gset
COMMIT;
BEGIN;
SELECT seeme_act_for(:uma, :sam) AS p \gset
SELECT s_test.try('SELECT seeme_assume({uma})') AS assume_after_act,
       s_test.try('SELECT seeme_assume({sam})') AS assume_actor_after_act \gset
EXECUTE counted \gset shared_plan_acted_
COMMIT;
BEGIN;
SELECT seeme_act_for(:stan, :uma) AS p \gset
EXECUTE counted \gset shared_plan_stan_
COMMIT;
RESET SESSION AUTHORIZATION;
REVOKE EXECUTE ON FUNCTION seeme_act_for(uuid, uuid) FROM s_door;

DEALLOCATE counted;

-- Direct login
SET SESSION AUTHORIZATION s_vera;
SELECT (:asking) AS direct \gset
RESET SESSION AUTHORIZATION;

-- A user with the nil id is an actor like any other.
INSERT INTO seeme.users (id, username)
  VALUES ('00000000-0000-0000-0000-000000000000', 's_nil');
SET SESSION AUTHORIZATION s_desk;
BEGIN;
SELECT seeme_act_for(:uma, '00000000-0000-0000-0000-000000000000') AS p \gset
SELECT (:asking) AS nil_asking, (:count) AS nil_count \gset
SELECT s_test.try('SELECT seeme_act_for({uma}, {sam})') AS nil_other \gset
COMMIT;

-- Changes, and what the log says of them
BEGIN;
SELECT seeme_act_for(:uma, :sam) AS p \gset
UPDATE seeme.projects SET description = 'one' WHERE id IN (:alpha, :beta);
UPDATE s_note SET body = 'by support' WHERE id = 0;
INSERT INTO seeme.organization_members (organization_id, user_id) VALUES (:acme, :stan);
COMMIT;
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION s_door;
BEGIN;
SELECT seeme_assume(:uma) AS p \gset
UPDATE seeme.projects SET description = 'two' WHERE id = :alpha;
SELECT key AS uma_key, id AS uma_key_id
  FROM seeme_create_api_key('all', '{*}', organization => :acme) \gset
COMMIT;
BEGIN;
SELECT seeme_login(:'uma_key') AS p \gset
SELECT (:asking) AS key_asking \gset
UPDATE seeme.projects SET description = 'three' WHERE id = :alpha;
COMMIT;
BEGIN;
SELECT seeme_assume(:uma) AS p \gset
SELECT string_agg(concat_ws(' ', after ->> 'description', s_test.name(user_id),
                            'actor ' || s_test.name(actor_id),
                            CASE WHEN api_key_id = :'uma_key_id' THEN 'with the key' END),
                  ', ' ORDER BY id) AS log
  FROM seeme.audit_log
 WHERE organization_id = :acme AND table_name = 'projects' AND command = 'UPDATE' \gset
COMMIT;
RESET SESSION AUTHORIZATION;
UPDATE seeme.projects SET description = 'four' WHERE id = :alpha;
SELECT concat_ws(' ', s_test.name(l.user_id), s_test.name(l.actor_id), l.api_key_id) AS log_admin
  FROM seeme.audit_log l WHERE l.after ->> 'description' = 'four' \gset
SELECT concat_ws(' ', s_test.name(l.user_id), s_test.name(l.actor_id)) AS log_member
  FROM seeme.audit_log l
 WHERE l.table_name = 'memberships' AND l.command = 'INSERT' AND l.after ->> 'user_id' = :stan \gset
SELECT s_test.name(created_by) AS added_by FROM seeme.memberships WHERE user_id = :stan \gset
SELECT body AS changed FROM s_note WHERE id = 0 \gset

-- The read-only form: a key that a user makes for support. vera owns a row, too.
CREATE TABLE s_test.draft (id integer PRIMARY KEY, owner_id uuid, body text);
INSERT INTO s_test.draft VALUES (1, :vera, 'mine');
GRANT ALL ON s_test.draft TO s_app;
SELECT seeme_protect('s_test.draft', 'drafts', owner_column => 'owner_id') \g /dev/null
SET SESSION AUTHORIZATION s_door;
BEGIN;
SELECT seeme_assume(:uma) AS p \gset
SELECT key AS uma_reads
  FROM seeme_create_api_key('support', '{*:list,*:read}', valid_for => '1 day') \gset
COMMIT;
BEGIN;
SELECT seeme_assume(:vera) AS p \gset
SELECT key AS vera_reads
  FROM seeme_create_api_key('support', '{*:list,*:read}', valid_for => '1 day') \gset
SELECT (SELECT count(*) FROM s_test.draft) AS own_draft,
       s_test.try('UPDATE s_test.draft SET body = ''x'' RETURNING body') AS own_update \gset
ROLLBACK;
BEGIN;
SELECT seeme_assume(:vera) AS p \gset
SELECT key AS vera_reads
  FROM seeme_create_api_key('support', '{*:list,*:read}', valid_for => '1 day') \gset
COMMIT;
BEGIN;
SELECT seeme_login(:'uma_reads') AS p \gset
SELECT concat_ws(' ', (:asking), (:count), (SELECT count(*) FROM seeme.projects),
                 (SELECT count(*) FROM seeme.organizations)) AS reads,
       concat_ws(' ',
         s_test.try('UPDATE s_note SET body = ''x'' RETURNING body'),
         s_test.try('DELETE FROM s_note RETURNING body'),
         s_test.try('INSERT INTO s_note VALUES (-1, ''d3000000-0000-4000-8000-000000000001'')'),
         s_test.try('UPDATE seeme.projects SET description = ''x'' RETURNING description'),
         s_test.try('DELETE FROM seeme.organizations RETURNING name'),
         s_test.try('INSERT INTO seeme.organizations (name) VALUES (''s-x-test'')'),
         s_test.try('DELETE FROM seeme.memberships RETURNING id'),
         s_test.try('DELETE FROM seeme.api_keys RETURNING id'),
         s_test.try('SELECT seeme_invite(''x@example.com'', organization => {acme})'),
         s_test.try('SELECT seeme_create_api_key(''x'', ''{*:read}'')'),
         s_test.try('SELECT seeme_transfer_ownership({acme}, {vera})')) AS read_only_writes \gset
COMMIT;
BEGIN;
SELECT seeme_login(:'vera_reads') AS p \gset
SELECT concat_ws(' ', (:asking), (:count), (SELECT count(*) FROM s_test.draft)) AS vera_sees,
       concat_ws(' ', s_test.try('UPDATE s_test.draft SET body = ''x'' RETURNING body'),
                 s_test.try('DELETE FROM s_test.draft RETURNING body'),
                 s_test.try('DELETE FROM seeme.memberships RETURNING id')) AS vera_writes \gset
COMMIT;
RESET SESSION AUTHORIZATION;
SELECT seeme_unprotect('s_test.draft') \g /dev/null

-- In tests of an application: one after the other, and back
GRANT EXECUTE ON FUNCTION seeme_assume(uuid) TO s_desk;
BEGIN;
SET LOCAL seeme_rbac.several_people = on;
SET LOCAL SESSION AUTHORIZATION s_desk;
SELECT seeme_act_for(:uma, :sam) AS p \gset
SELECT (:asking) AS several_one, (:count) AS several_one_count \gset
SELECT seeme_act_for(:stan, :sam) AS p \gset
SELECT (:asking) AS several_two, (:count) AS several_two_count \gset
SELECT seeme_assume(:stan) AS p \gset
SELECT (:asking) AS several_three \gset
SELECT seeme_act_for(:uma, :sid) AS p \gset
SELECT (:asking) AS several_four, (:count) AS several_four_count \gset
COMMIT;

SELECT plan(64);
SELECT is(concat_ws(' ', :'before', :'before_count'), 'nobody by nobody 0',
  'the support tool is nobody by itself');
SELECT is(:'acted'::text, :uma, 'seeme_act_for returns the user who is asking now');
SELECT is(:'acted_asking'::text, 'uma by sam',
  'seeme_user_id is the user, seeme_actor_id the actor');
SELECT is(:'acted_count'::text, '10000', 'the rows are those that the user sees');
SELECT is(:'acted_count'::text, :'assumed_count'::text, 'as many as by seeme_assume');
SELECT is(:'acted_permissions'::text, :'assumed_permissions'::text,
  'the permissions are the user''s');
SELECT is(:'acted_context'::text, :'assumed_context'::text,
  'the context is the user''s, and has no further field');
SELECT is(concat_ws(' ', :'acted_organizations', :'acted_projects'),
  concat_ws(' ', :'assumed_organizations', :'assumed_projects'),
  'so are the organizations and projects: the actor''s own are not added');
SELECT is(:'acted_organizations'::text, '1', 'the actor''s organization is not among them');
SELECT is(:'acted_setting'::text, :uma || '+' || :sam, 'the setting shows both');
SELECT is(:'acted_again'::text, :uma, 'the same two may be named again in the transaction');
SELECT is(:'other_actor'::text, '28000', 'another actor for the same user is a second identity');
SELECT is(:'other_user'::text, '28000', 'another user of the same actor is a second identity');
SELECT is(:'other_way_round'::text, '28000', 'and so are the two with their roles exchanged');
SELECT is(:'after_others'::text, 'uma by sam', 'after refused ones the first identity stays');
SELECT is(concat_ws(' ', :'after_commit', :'after_commit_count'), 'nobody by nobody 0',
  'the identity ends with COMMIT');
SELECT is(:'after_rollback'::text, 'nobody by nobody', 'the identity ends with ROLLBACK');
SELECT is(:'vera_asking'::text, 'vera by sam',
  'the next transaction of the connection may be about another user');
SELECT is(concat_ws(' ', :'vera_count', :'vera_permissions'),
  concat_ws(' ', :'assumed_vera_count', :'assumed_vera_permissions'),
  'whose rows and permissions are those by seeme_assume');
SELECT is(concat_ws(' ', :'stan_asking', :'stan_count', :'stan_projects'), 'stan by sam 0 0',
  'acting for somebody without rights gives none, whatever the actor has');
SELECT is(:'in_savepoint'::text, 'uma by sam', 'both may be named within a savepoint');
SELECT is(concat_ws(' ', :'after_savepoint', :'after_savepoint_count'), 'nobody by nobody 0',
  'ROLLBACK TO SAVEPOINT takes them back');
SELECT is(:'after_savepoint_other'::text, '28000', 'another actor is a second identity even then');
SELECT is(:'after_savepoint_same'::text, :uma, 'the same two may be named again');
SELECT is(:'released'::text, 'uma by sam', 'RELEASE keeps them');
SELECT is(:'released_and_undone'::text, 'nobody by nobody', 'until an outer savepoint is undone');
SELECT matches(:'unknown_user'::text, '^28000 ', 'an unknown user is an error');
SELECT is(:'unknown_actor'::text, :'unknown_user'::text, 'an unknown actor is the same error');
SELECT is(:'disabled_user'::text, :'unknown_user'::text, 'a disabled user is the same error');
SELECT is(:'disabled_actor'::text, :'unknown_user'::text, 'a disabled actor is the same error');
SELECT is(:'null_user'::text, '22004 | user_id is null', 'the user is not null');
SELECT is(:'null_actor'::text, '22004 | actor_id is null', 'the actor is not null');
SELECT is(:'same_person'::text, '22023 | user and actor are the same person'
  ' | Call seeme_assume() for somebody who acts as themselves.', 'nobody acts for themselves');
SELECT is(:'same_unknown'::text, :'same_person'::text,
  'which tells nothing about whether somebody is known');
SELECT is(:'alone'::text, :uma, 'outside a transaction block it is for its own statement');
SELECT is(:'after_alone'::text, 'nobody by nobody', 'and not for the next one');
SELECT ok(:'parallel_launched', 'parallel workers do the work');
SELECT is(:'parallel_count'::text, '10000', 'parallel workers see the user''s rows');
SELECT is(concat_ws(' ', :'parallel_user', :'parallel_actor'), concat_ws(' ', :vera, :sam),
  'parallel workers know the user and the actor');
SELECT is(:'parallel_actors'::text, '10000', 'on every row');
SELECT is(concat_ws(' ', :'parallel_next_count', :'parallel_next_actor'), '10000 ' || :sid,
  'the workers of the next transaction know the next actor');
SELECT is(:'parallel_nobody'::text, '0', 'and those of the one after it know nobody');
SELECT is(:'assumed_asking'::text, 'uma by nobody', 'by seeme_assume there is no actor');
SELECT is(:'act_after_assume'::text, '28000',
  'acting for the same user after seeme_assume is a second identity');
SELECT is(:'asking_after_assume'::text, 'uma by nobody', 'after which nobody acts for the user');
SELECT is(:'assume_after_act'::text, '28000', 'so is seeme_assume after acting for the user');
SELECT is(:'assume_actor_after_act'::text, '28000', 'and seeme_assume of the actor');
SELECT is(concat_ws(' ', :'shared_plan_acted_count', :'shared_plan_stan_count'), '10000 0',
  'a plan from before is everybody''s, with the rows of each user');
SELECT is(:'direct'::text, 'vera by nobody', 'a direct login has no actor');
SELECT is(concat_ws(' ', :'nil_asking', :'nil_count', :'nil_other'), 'uma by nil 10000 28000',
  'a user with the nil id is an actor like any other');
SELECT is(:'log'::text, 'one uma actor sam, one uma actor sam, two uma actor nobody, '
  'three uma actor nobody with the key',
  'the log has user, actor and API key, for each row, and the organization sees them');
SELECT is(:'key_asking'::text, 'uma by nobody', 'a login by key has no actor');
SELECT is(:'log_admin'::text, 'nobody nobody', 'what an administrator changes has neither');
SELECT is(:'log_member'::text, 'uma sam', 'a membership that is added has both in the log');
SELECT is(:'added_by'::text, 'uma', 'and the user in created_by');
SELECT is(:'changed'::text, 'by support', 'rows of a protected table are changed as by the user');
SELECT is(:'reads'::text, 'uma by nobody 10000 2 1',
  'by a key with read codes, support sees what the user sees');
SELECT is(:'read_only_writes'::text, 'null null 42501 null null 42501 null null 42501 42501 42501',
  'and changes nothing');
SELECT is(concat_ws(' ', :'own_draft', :'own_update'), '1 x', 'the owner of a row changes it');
SELECT is(:'vera_sees'::text, 'vera by nobody 10000 1', 'by the key the row is seen');
SELECT is(:'vera_writes'::text, 'null null null', 'and neither changed nor left');
SELECT is(concat_ws(', ', :'several_one', :'several_two', :'several_three', :'several_four'),
  'uma by sam, stan by sam, stan by nobody, uma by sid',
  'seeme_rbac.several_people lets a test name one after another');
SELECT is(concat_ws(' ', :'several_one_count', :'several_two_count', :'several_four_count'),
  '10000 0 10000', 'each time with the rows of the user');
SELECT ok(NOT has_function_privilege('s_app', 'seeme_act_for(uuid, uuid)', 'EXECUTE')
  AND has_function_privilege('s_app', 'seeme_actor_id()', 'EXECUTE'),
  'seeme_grant_usage grants seeme_actor_id, and not seeme_act_for');
SELECT * FROM finish();
\i test/include/support_cleanup.psql
