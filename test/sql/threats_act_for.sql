-- What somebody might try around seeme_act_for: to act without the grant, as another actor or with
-- more rights, to do what only the user may do, or to leave no trace.
\i test/include/prelude.psql
\i test/include/support.psql

CREATE ROLE s_walker LOGIN NOINHERIT IN ROLE s_app;
GRANT s_desk TO s_walker;
CREATE ROLE s_below LOGIN IN ROLE s_desk;
CREATE ROLE s_stranger LOGIN IN ROLE s_app;
CREATE FUNCTION s_test.act_as_desk(uuid, uuid) RETURNS uuid
  LANGUAGE sql SECURITY DEFINER AS $$ SELECT seeme_act_for($1, $2) $$;
ALTER FUNCTION s_test.act_as_desk(uuid, uuid) OWNER TO s_desk;
CREATE FUNCTION s_test.act_as_superuser(uuid, uuid) RETURNS uuid
  LANGUAGE sql SECURITY DEFINER AS $$ SELECT seeme_act_for($1, $2) $$;
-- What careless functions of an administrator's do for their callers
CREATE FUNCTION s_test.set_owner(uuid) RETURNS void LANGUAGE sql SECURITY DEFINER AS $$
  UPDATE seeme.organizations SET owner_id = $1 WHERE slug = 's-acme-test' $$;
CREATE FUNCTION s_test.add_key() RETURNS void LANGUAGE sql SECURITY DEFINER AS $$
  INSERT INTO seeme.api_keys (user_id, permissions, name, key_prefix, key_hash)
  VALUES ('a3000000-0000-4000-8000-000000000001', '{*}', 'x', 'x', sha256('x')) $$;
CREATE FUNCTION s_test.disable(uuid) RETURNS void LANGUAGE sql SECURITY DEFINER AS $$
  UPDATE seeme.users SET disabled_at = clock_timestamp() WHERE id = $1 $$;

-- Without the grant
SET SESSION AUTHORIZATION s_door;
SELECT s_test.try('SELECT seeme_act_for({uma}, {sam})') AS door_acts,
       s_test.try('SELECT s_test.act_as_desk({uma}, {sam})') AS door_through_desk,
       s_test.try('SELECT s_test.act_as_superuser({uma}, {sam})') AS door_through_superuser \gset
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION s_desk;
SELECT s_test.try('SELECT seeme_assume({uma})') AS desk_assumes,
       s_test.try('SELECT s_test.act_as_desk({uma}, {sam})') AS desk_through_itself,
       s_test.try('SELECT s_test.act_as_superuser({uma}, {sam})') AS desk_through_superuser \gset
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION s_walker;
SET ROLE s_desk;
SELECT s_test.try('SELECT seeme_act_for({uma}, {sam})') AS walker_acts \gset
RESET ROLE;
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION s_below;
SELECT s_test.try('SELECT seeme_act_for({uma}, {sam})') AS below_acts \gset
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION s_vera;
SELECT s_test.try('SELECT seeme_act_for({uma}, {vera})') AS member_acts \gset
RESET SESSION AUTHORIZATION;
-- Careless grants: to PUBLIC, and of the other function. What the session knows of one function's
-- grant is not taken for the other's, in either order.
GRANT EXECUTE ON FUNCTION seeme_act_for(uuid, uuid) TO PUBLIC;
SET SESSION AUTHORIZATION s_stranger;
SELECT s_test.try('SELECT seeme_act_for({uma}, {sam})') AS public_acts \gset
RESET SESSION AUTHORIZATION;
GRANT EXECUTE ON FUNCTION seeme_assume(uuid) TO PUBLIC;
SET client_min_messages = error;
SET SESSION AUTHORIZATION s_door;
SELECT concat_ws(' ', s_test.try('SELECT seeme_assume({uma}) = {uma}'),
                 s_test.try('SELECT seeme_act_for({uma}, {sam})')) AS door_then_desk \gset
SELECT s_test.try('SELECT seeme_act_for({uma}, {sam})') AS door_alone \gset
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION s_desk;
SELECT concat_ws(' ', s_test.try('SELECT seeme_act_for({uma}, {sam}) = {uma}'),
                 s_test.try('SELECT seeme_assume({uma})')) AS desk_then_door \gset
SELECT s_test.try('SELECT seeme_assume({uma})') AS desk_alone,
       s_test.try('SELECT seeme_act_for({uma}, {sam}) = {uma}') AS desk_acts \gset
RESET SESSION AUTHORIZATION;
REVOKE EXECUTE ON FUNCTION seeme_act_for(uuid, uuid) FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION seeme_assume(uuid) FROM PUBLIC;
SET client_min_messages = warning;

-- A forged actor
SET SESSION AUTHORIZATION s_desk;
SELECT s_test.try(format('SELECT set_config(''seeme_rbac.user_id'', %L, false)',
                         :uma || '+' || :sam)) AS forged,
       s_test.asking() AS forged_asking \gset
BEGIN;
SELECT seeme_act_for(:uma, :sam) AS p \gset
SELECT s_test.try(format('SELECT set_config(''seeme_rbac.user_id'', %L, true)',
                         :uma || '+' || :sid)) AS forged_actor,
       s_test.try(format('SELECT set_config(''seeme_rbac.user_id'', %L, true)', :uma))
         AS forged_none,
       s_test.try('RESET seeme_rbac.user_id') AS forged_reset,
       s_test.try(format(
         'SELECT count(*) FROM (WITH x AS MATERIALIZED (SELECT set_config(''seeme_rbac.user_id'', '
         '%L, true)) SELECT FROM x) AS q, s_note', :uma || '+' || :sid)) AS forged_inside,
       s_test.try('INSERT INTO seeme.audit_log (table_name, command, row_id, actor_id) '
                  'VALUES (''users'', ''UPDATE'', ''x'', {sid})') AS forged_entry,
       s_test.try('UPDATE seeme.audit_log SET actor_id = NULL') AS forged_change \gset
RESET ALL;
DISCARD PLANS;
UPDATE seeme.projects SET description = 'forged' WHERE id = :alpha;
SELECT s_test.asking() AS still_asking,
       (SELECT s_test.name(actor_id) FROM seeme.audit_log WHERE after ->> 'description' = 'forged')
         AS still_logged \gset
COMMIT;
RESET SESSION AUTHORIZATION;
\i test/include/prelude.psql

-- An API key whose id is the actor's: neither is taken for the other, whichever comes first.
INSERT INTO seeme.api_keys (id, user_id, permissions, name, key_prefix, key_hash)
  VALUES (:sam, :uma, '{notes:list}', 'x', 'x',
          sha256(convert_to('seeme_key_' || repeat('x', 43), 'UTF8')));
\set key '''seeme_key_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx'''
SET SESSION AUTHORIZATION s_desk;
BEGIN;
SELECT seeme_login(:key) AS p \gset
SELECT concat_ws(' ', (:asking), (:count),
                 seeme_permissions(organization => :acme)) AS by_key \gset
COMMIT;
BEGIN;
SELECT seeme_act_for(:uma, :sam) AS p \gset
SELECT (:count) AS acted_count, s_test.try(format('SELECT seeme_login(%L)', :key)) AS key_second,
       cardinality(seeme_permissions(organization => :acme)) > 50 AS acted_with_all \gset
COMMIT;
BEGIN;
SELECT seeme_login(:key) AS p \gset
SELECT concat_ws(' ', (:asking), (:count),
                 seeme_permissions(organization => :acme)) AS by_key_again,
       s_test.try('SELECT seeme_act_for({uma}, {sam})') AS act_second \gset
COMMIT;
RESET SESSION AUTHORIZATION;
DELETE FROM seeme.api_keys WHERE id = :sam;

-- What only the user does
SET SESSION AUTHORIZATION s_vera;
SELECT s_test.try('SELECT 1') AS p \gset
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION s_door;
BEGIN;
SELECT seeme_assume(:uma) AS p \gset
SELECT id AS invitation, token FROM seeme_invite('s_stan@example.com', organization => :acme) \gset
COMMIT;
RESET SESSION AUTHORIZATION;
UPDATE seeme.users SET email_verified_at = now() WHERE id = :stan;
CREATE TABLE s_test.workspace (id uuid PRIMARY KEY, title text, owner uuid);
GRANT SELECT, UPDATE ON s_test.workspace TO s_app;
INSERT INTO s_test.workspace VALUES ('b3000000-0000-4000-8000-000000000003', 's-own-test', :uma);
SELECT seeme_mirror('s_test.workspace', 'organizations',
  columns => '{"id": "id", "name": "title", "slug": "title", "owner_id": "owner"}') \g /dev/null
INSERT INTO seeme.memberships (organization_id, user_id)
  VALUES ('b3000000-0000-4000-8000-000000000003', :vera);
SET SESSION AUTHORIZATION s_desk;
BEGIN;
SELECT seeme_act_for(:uma, :sam) AS p \gset
SELECT s_test.message('SELECT seeme_create_api_key(''x'', ''{notes:read}'')') AS own_key,
       s_test.message('SELECT seeme_create_api_key(''x'', ''{notes:read}'', '
                      'organization => {acme}, user_id => {bot})') AS service_key,
       s_test.try('SELECT s_test.add_key()') AS careless_key,
       s_test.message('SELECT seeme_transfer_ownership({acme}, {vera})') AS transferred,
       s_test.message('SELECT seeme_transfer_ownership({unknown}, {vera})') AS transferred_unknown,
       s_test.try('UPDATE seeme.organizations SET owner_id = {vera} WHERE id = {acme}')
         AS owner_updated,
       s_test.message('SELECT s_test.set_owner({vera})') AS careless_owner,
       s_test.try('UPDATE s_test.workspace SET owner = {vera}') AS mirrored_owner,
       s_test.try('UPDATE s_test.workspace SET title = ''s-new-test'' RETURNING title')
         AS mirrored_title \gset
COMMIT;
BEGIN;
SELECT seeme_act_for(:stan, :sam) AS p \gset
SELECT (SELECT count(*) FROM seeme.pending_members) AS stan_invited,
       s_test.message(format('SELECT seeme_accept_invitation(%L)', :'token')) AS accepted,
       s_test.message('SELECT seeme_accept_invitation(''seeme_invitation_x'')') AS accepted_unknown,
       s_test.message('SELECT seeme_accept_invitation(NULL)') AS accepted_null,
       s_test.message(format('SELECT seeme_accept_invitation_by_id(%L)', :'invitation'))
         AS accepted_by_id,
       s_test.message('SELECT seeme_accept_invitation_by_id({unknown})') AS accepted_by_unknown_id
  \gset
COMMIT;
RESET SESSION AUTHORIZATION;
SELECT (SELECT count(*) FROM seeme.api_keys WHERE user_id IN (:uma, :bot)) AS keys_made,
       (SELECT string_agg(DISTINCT s_test.name(owner_id), ' ') FROM seeme.organizations
         WHERE slug LIKE 's-%-test' AND id <> :globex) AS owners,
       (SELECT count(*) FROM seeme.memberships WHERE user_id = :stan) AS memberships_made,
       (SELECT count(*) FROM seeme.invitations WHERE id = :'invitation' AND accepted_at IS NULL)
         AS open_invitations \gset
-- The user does all of this.
SET SESSION AUTHORIZATION s_door;
BEGIN;
SELECT seeme_assume(:uma) AS p \gset
SELECT s_test.try('SELECT (seeme_create_api_key(''x'', ''{notes:read}'')).name') AS user_key,
       s_test.try('SELECT seeme_transfer_ownership({acme}, {vera}) IS NOT NULL') AS user_transfers
  \gset
ROLLBACK;
BEGIN;
SELECT seeme_assume(:stan) AS p \gset
SELECT s_test.try(format('SELECT seeme_accept_invitation(%L) IS NOT NULL', :'token'))
         AS user_accepts \gset
ROLLBACK;
RESET SESSION AUTHORIZATION;
SELECT seeme_unmirror('s_test.workspace') \g /dev/null

-- What one leaves in a session. The user is another one than the user by an actor.
GRANT EXECUTE ON FUNCTION seeme_assume(uuid) TO s_desk;
\c -
\i test/include/prelude.psql
SET SESSION AUTHORIZATION s_desk;
BEGIN;
SELECT seeme_act_for(:uma, :sam) AS p \gset
CREATE TEMP TABLE s_left AS SELECT 1 AS one;
COMMIT;
SELECT concat_ws(' ', s_test.try('SELECT seeme_assume({uma})'),
                 s_test.try('SELECT seeme_assume({sam})'),
                 s_test.try('SELECT seeme_act_for({uma}, {sid})'),
                 s_test.try('SELECT seeme_act_for({vera}, {sam})')) AS table_of_actor \gset
BEGIN;
SELECT seeme_act_for(:uma, :sam) = :uma AS own_table_of_actor \gset
DROP TABLE s_left;
PREPARE s_left AS SELECT 1;
COMMIT;
SELECT s_test.try('SELECT seeme_assume({uma})') AS statement_of_actor \gset
DEALLOCATE s_left;
BEGIN;
SELECT seeme_assume(:uma) AS p \gset
CREATE TEMP TABLE s_left AS SELECT 1 AS one;
DECLARE s_cursor CURSOR WITH HOLD FOR SELECT 1;
COMMIT;
SELECT s_test.try('SELECT seeme_act_for({uma}, {sam})') AS table_of_user \gset
DROP TABLE s_left;
SELECT s_test.try('SELECT seeme_act_for({uma}, {sam})') AS cursor_of_user \gset
CLOSE ALL;
BEGIN;
SELECT seeme_act_for(:uma, :sam) = :uma AS nothing_left \gset
COMMIT;
RESET SESSION AUTHORIZATION;
ALTER ROLE s_desk SET seeme_rbac.leftovers = discard;
SET seeme_rbac.leftovers = discard;
SET SESSION AUTHORIZATION s_desk;
BEGIN;
SELECT seeme_act_for(:uma, :sam) AS p \gset
CREATE TEMP TABLE s_left AS SELECT 1 AS one;
PREPARE s_left AS SELECT 1;
COMMIT;
BEGIN;
SELECT seeme_assume(:uma) AS p \gset
SELECT concat_ws(' ', to_regclass('s_left') IS NULL,
                 NOT EXISTS (SELECT FROM pg_prepared_statements WHERE name = 's_left'))
         AS discarded \gset
COMMIT;
RESET SESSION AUTHORIZATION;
RESET seeme_rbac.leftovers;
REVOKE EXECUTE ON FUNCTION seeme_assume(uuid) FROM s_desk;

-- An actor who is disabled in the middle of a transaction: by the clock. A row is uma's own.
CREATE TABLE s_test.draft (id integer PRIMARY KEY, owner_id uuid, body text);
INSERT INTO s_test.draft VALUES (1, :uma, 'mine');
GRANT ALL ON s_test.draft TO s_app;
SELECT seeme_protect('s_test.draft', 'drafts', owner_column => 'owner_id') \g /dev/null
UPDATE seeme.users SET disabled_at = clock_timestamp() + interval '1 second' WHERE id = :sid;
SET SESSION AUTHORIZATION s_desk;
BEGIN;
SELECT seeme_act_for(:uma, :sid) AS p \gset
SELECT concat_ws(' ', (:asking), (:count), (SELECT count(*) FROM s_test.draft)) AS before_date \gset
PREPARE s_rows AS SELECT count(*) FROM s_note;
EXECUTE s_rows \gset before_
SELECT pg_sleep(1.2) \g /dev/null
EXECUTE s_rows \gset after_
SELECT concat_ws(' ', (:asking), (:count),
                 seeme_has_permission('notes:read', project => :alpha),
                 coalesce(cardinality(seeme_permissions(organization => :acme)), 0),
                 cardinality(seeme_permitted_projects('notes:read')),
                 (SELECT count(*) FROM seeme.organizations),
                 (SELECT count(*) FROM seeme.users), (SELECT count(*) FROM s_test.draft),
                 s_test.try('UPDATE s_test.draft SET body = ''x'' RETURNING id')) AS after_date,
       s_test.try('INSERT INTO s_note VALUES (-1, {b1}, ''x'')') AS after_insert,
       s_test.try('INSERT INTO seeme.projects (organization_id, name) VALUES ({acme}, ''x'')')
         AS after_project,
       s_test.try('SELECT count(*) FROM seeme_invite(''x@example.com'', organization => {acme})')
         AS after_invite,
       s_test.try('INSERT INTO seeme.organizations (name) VALUES (''s-x-test'')') AS after_create,
       s_test.try('SELECT seeme_create_api_key(''x'', ''{notes:read}'')') AS after_key,
       s_test.try('SELECT seeme_act_for({uma}, {sid})') AS after_again \gset
COMMIT;
DEALLOCATE s_rows;
SELECT s_test.try('SELECT seeme_act_for({uma}, {sid})') AS date_passed \gset
RESET SESSION AUTHORIZATION;
UPDATE seeme.users SET disabled_at = NULL WHERE id = :sid;
-- By a statement of the same transaction, whose own entry in the log still names the actor
SET SESSION AUTHORIZATION s_desk;
BEGIN;
SELECT seeme_act_for(:uma, :sid) AS p \gset
SELECT (:count) AS before_statement \gset
SELECT s_test.disable(:sid) \g /dev/null
SELECT concat_ws(' ', (:asking), (:count)) AS after_statement \gset
COMMIT;
RESET SESSION AUTHORIZATION;
SELECT s_test.name(actor_id) AS logged_actor FROM seeme.audit_log
 WHERE table_name = 'users' AND row_id = :sid ORDER BY id DESC LIMIT 1 \gset
-- The user is disabled.
UPDATE seeme.users SET disabled_at = NULL WHERE id = :sid;
SET SESSION AUTHORIZATION s_desk;
BEGIN;
SELECT seeme_act_for(:vera, :sid) AS p \gset
SELECT s_test.disable(:vera) \g /dev/null
SELECT concat_ws(' ', (:asking), (:count)) AS after_user \gset
ROLLBACK;
-- While many rows are changed by one statement
BEGIN;
SELECT seeme_act_for(:uma, :sid) AS p \gset
SELECT s_test.try($$WITH d AS MATERIALIZED (SELECT s_test.disable({sid}))
  UPDATE s_note SET body = 'z' FROM d RETURNING 1$$) AS within_statement \gset
ROLLBACK;
RESET SESSION AUTHORIZATION;

SELECT seeme_unprotect('s_test.draft') \g /dev/null

-- Who sees in the log that somebody acted for a user: those who manage the members
SET SESSION AUTHORIZATION s_door;
BEGIN;
SELECT seeme_assume(:uma) AS p \gset
SELECT count(*) > 0 AS owner_sees FROM seeme.audit_log WHERE actor_id IS NOT NULL \gset
COMMIT;
BEGIN;
SELECT seeme_assume(:vera) AS p \gset
SELECT count(*) AS viewer_sees FROM seeme.audit_log WHERE actor_id IS NOT NULL \gset
COMMIT;
BEGIN;
SELECT seeme_assume(:sam) AS p \gset
SELECT count(*) AS actor_sees FROM seeme.audit_log WHERE actor_id IS NOT NULL \gset
COMMIT;
RESET SESSION AUTHORIZATION;

SELECT plan(57);
SELECT is(:'door_acts'::text, '42501', 'threat: a grant of seeme_assume lets act for somebody');
SELECT is(concat_ws(' ', :'door_through_desk', :'door_through_superuser'), '42501 42501',
  'threat: through a SECURITY DEFINER function of the support tool, or of a superuser');
SELECT is(:'desk_assumes'::text, '42501',
  'threat: a grant of seeme_act_for lets be somebody, without an actor');
SELECT is(concat_ws(' ', :'desk_through_itself', :'desk_through_superuser'), '42501 42501',
  'threat: the support tool calls it where others'' code runs');
SELECT is(concat_ws(' ', :'walker_acts', :'below_acts'), '42501 42501',
  'threat: SET ROLE to the support tool''s role, or a role below it');
SELECT is(:'member_acts'::text, '42501', 'threat: a member acts for their owner');
SELECT is(:'public_acts'::text, '42501', 'threat: a grant to PUBLIC');
SELECT is(:'door_then_desk'::text, 'true 42501',
  'threat: after seeme_assume, what is known of its grant is taken for the other one''s');
SELECT is(:'door_alone'::text, '42501', 'in a statement of its own, too');
SELECT is(:'desk_then_door'::text, 'true 42501', 'threat: the reverse');
SELECT is(concat_ws(' ', :'desk_alone', :'desk_acts'), '42501 true', 'and again');
SELECT is(:'forged'::text, '42501', 'threat: user and actor are set by set_config');
SELECT is(:'forged_asking'::text, 'nobody by nobody', 'which identifies nobody');
SELECT is(:'forged_actor'::text, '42501', 'threat: another actor is set by set_config');
SELECT is(:'forged_none'::text, '42501', 'threat: the actor is removed by set_config');
SELECT is(:'forged_reset'::text, '42501', 'threat: RESET of the setting');
SELECT is(:'forged_inside'::text, '42501', 'threat: set_config inside a SELECT');
SELECT is(concat_ws(' ', :'forged_entry', :'forged_change'), '42501 42501',
  'threat: an entry of one''s own in the log, or a changed one');
SELECT is(concat_ws(' ', :'still_asking', :'still_logged'), 'uma by sam sam',
  'after all of these, and RESET ALL, the actor is still the one in the log');
SELECT is(:'by_key'::text, 'uma by nobody 0 {notes:list}',
  'an API key whose id is the actor''s limits the user');
SELECT is(concat_ws(' ', :'acted_count', :'acted_with_all'), '10000 t',
  'which does not limit the user by that actor');
SELECT is(:'by_key_again'::text, :'by_key'::text,
  'threat: the key has what was known of the user by the actor');
SELECT is(concat_ws(' ', :'key_second', :'act_second'), '28000 28000',
  'one after the other in a transaction is a second identity');
SELECT is(:'own_key'::text, '42501 | you cannot make API keys while you act for somebody'
  ' | This is for the person themselves.', 'threat: an API key, to be the user later');
SELECT is(:'service_key'::text, :'own_key'::text, 'threat: an API key for a service');
SELECT is(:'careless_key'::text, '42501', 'threat: a key by an administrator''s function');
SELECT is(:'transferred'::text, '42501 | you cannot transfer an organization while you act for '
  'somebody | This is for the person themselves.', 'threat: the organization is transferred');
SELECT is(:'transferred_unknown'::text, :'transferred'::text, 'as is one that nobody knows');
SELECT is(:'owner_updated'::text, '42501', 'threat: the owner is changed by UPDATE');
SELECT is(:'careless_owner'::text, :'transferred'::text,
  'threat: the owner is changed by an administrator''s function');
SELECT is(:'mirrored_owner'::text, '42501', 'threat: the owner is changed in a mirrored table');
SELECT is(:'mirrored_title'::text, 's-new-test', 'where other columns are changed as by the user');
SELECT is(:'stan_invited'::text, '1', 'a user''s invitations are seen');
SELECT is(:'accepted'::text, '42501 | you cannot accept invitations while you act for somebody'
  ' | This is for the person themselves.', 'threat: an invitation is accepted by its token');
SELECT is(concat_ws(' ', :'accepted_unknown', :'accepted_null'),
  concat_ws(' ', :'accepted', :'accepted'), 'the same error as without an invitation');
SELECT is(:'accepted_by_id'::text, :'accepted'::text,
  'threat: an invitation is accepted by its id');
SELECT is(:'accepted_by_unknown_id'::text, :'accepted'::text, 'the same error for an unknown id');
SELECT is(concat_ws(' ', :'keys_made', :'owners', :'memberships_made', :'open_invitations'),
  '0 uma 0 1', 'none of this has had an effect');
SELECT is(concat_ws(' ', :'user_key', :'user_transfers', :'user_accepts'), 'x true true',
  'the users do all of this themselves');
SELECT is(:'table_of_actor'::text, '55006 55006 55006 55006',
  'threat: what an actor left is met by the user, the actor, another actor, or for another user');
SELECT ok(:'own_table_of_actor', 'the actor meets it again when acting for the same user');
SELECT is(:'statement_of_actor'::text, '55006', 'threat: a prepared statement of the actor''s');
SELECT is(concat_ws(' ', :'table_of_user', :'cursor_of_user'), '55006 55006',
  'threat: what the user left is met by the actor');
SELECT ok(:'nothing_left', 'once it is removed, the actor may act');
SELECT is(:'discarded'::text, 't t', 'or it is removed, where the setting says so');
SELECT is(concat_ws(' ', :'before_date', :'before_count'), 'uma by sid 10000 1 10000',
  'until the actor''s date, the actor acts');
SELECT is(:'after_count'::text, '0', 'threat: a prepared statement outlives the actor''s date');
SELECT is(:'after_date'::text, 'nobody by nobody 0 f 0 0 0 0 0 null',
  'from the actor''s date on, nobody is asking and nothing is seen or permitted');
SELECT is(concat_ws(' ', :'after_insert', :'after_project', :'after_invite', :'after_create',
                    :'after_key'), '42501 42501 42501 42501 42501', 'and nothing is added');
SELECT is(concat_ws(' ', :'after_again', :'date_passed'), '28000 28000',
  'and the actor is not named again');
SELECT is(:'before_statement'::text, '10000', 'while the actor is not disabled, the rows are seen');
SELECT is(:'after_statement'::text, 'nobody by nobody 0',
  'once a statement of the transaction has disabled the actor, none are');
SELECT is(:'logged_actor'::text, 'sid', 'that statement''s entry has the actor');
SELECT is(:'after_user'::text, 'nobody by nobody 0', 'a user who is disabled is not acted for');
SELECT is(:'within_statement'::text, 'null',
  'threat: rows are changed by the statement that disabled the actor');
SELECT ok(:'owner_sees', 'who manages the members sees who has acted for them');
SELECT is(concat_ws(' ', :'viewer_sees', :'actor_sees'), '0 0',
  'other members do not, nor does the actor');
SELECT * FROM finish();
\i test/include/support_cleanup.psql
