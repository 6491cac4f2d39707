\i test/include/prelude.psql
-- Keys that people make, for themselves and for services (rule 7.7); who says what is a service,
-- and what a changed address is worth.
BEGIN;
\i test/include/people.psql
\set bot     '''a0000000-0000-4000-8000-0000000000b0'''
\set far     '''a0000000-0000-4000-8000-0000000000b1'''
\set free    '''a0000000-0000-4000-8000-0000000000b2'''
\set keeper  '''e0000000-0000-4000-8000-0000000000f0'''
INSERT INTO seeme.users (id, username, is_service, service_organization_id)
  VALUES (:bot, 'bot', true, :acme), (:far, 'far', true, :globex), (:free, 'free', true, NULL);
INSERT INTO seeme.roles (id, organization_id, name, permissions)
  VALUES (:keeper, :acme, 'Keeper', '{organizations:manage_members,models:read,models:update}');
UPDATE seeme.memberships SET role_id = :keeper WHERE user_id = :mike;
INSERT INTO seeme.memberships (organization_id, user_id, role_id) SELECT :acme, s::uuid,
  pg_temp.builtin('Viewer') FROM unnest(ARRAY[:bot, :far, :free]) AS s;
SELECT plan(64);

-- Why a key does not count, by its name.
CREATE FUNCTION pg_temp.silent(key_name text) RETURNS text
  LANGUAGE sql AS $$ SELECT coalesce(seeme.api_key_invalid_reason(id), 'counts') FROM seeme.api_keys
    WHERE name = key_name $$;
-- The same while a statement is done, and undone.
CREATE FUNCTION pg_temp.silent_by(key_name text, statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE answer text;
BEGIN
  BEGIN
    EXECUTE statement;
    answer := pg_temp.silent(key_name);
    RAISE EXCEPTION USING ERRCODE = 'UNDO0', MESSAGE = 'undo';
  EXCEPTION WHEN SQLSTATE 'UNDO0' THEN NULL;
  END;
  RETURN answer;
END $$;
CREATE FUNCTION pg_temp.fill(statement text) RETURNS text LANGUAGE sql AS $$
  SELECT replace(replace(replace(
    replace(replace(replace(replace(statement, '{acme}',
      quote_literal('b0000000-0000-4000-8000-000000000001')), '{globex}',
      quote_literal('b0000000-0000-4000-8000-000000000002')),
    '{bot}', quote_literal('a0000000-0000-4000-8000-0000000000b0')), '{far}',
    quote_literal('a0000000-0000-4000-8000-0000000000b1')), '{free}',
    quote_literal('a0000000-0000-4000-8000-0000000000b2')),
    '{mike}', quote_literal('a0000000-0000-4000-8000-000000000006')), '{olga}',
    quote_literal('a0000000-0000-4000-8000-000000000001')) $$;

-- Whose services people make keys for
SELECT pg_temp.become('mike') \g /dev/null
SELECT lives_ok(
  pg_temp.fill($$SELECT seeme_create_api_key(
    'of bot', '{models:read}', organization => {acme}, user_id => {bot})$$),
    'who manages the members makes a key of their organization''s service');
SELECT throws_ok(pg_temp.fill(format(
  $$SELECT seeme_create_api_key('x', '{models:read}', organization => {acme}, user_id => {%s})$$,
  s)), '42501', NULL,
                 format('threat: somebody''s service is added to one''s own organization, and '
                        'becomes one''s own by a key: %s', s))
                        FROM unnest(ARRAY['far', 'free', 'olga']) AS s;
SELECT lives_ok(pg_temp.fill($$SELECT seeme_create_api_key('own', '{*}', organization => {acme})$$),
  'a key of one''s own for an organization');
SELECT lives_ok(pg_temp.fill($$SELECT seeme_create_api_key('mine', '{*}')$$), 'and for everywhere');
SELECT pg_temp.become('olga') \g /dev/null
SELECT lives_ok(
  pg_temp.fill($$SELECT seeme_create_api_key(
    'by owner', '{*}', organization => {acme}, user_id => {bot})$$),
    'the owner makes one of everything');
SELECT pg_temp.become('oscar') \g /dev/null
INSERT INTO seeme.organization_members (organization_id, user_id) VALUES (:globex, :bot);
SELECT throws_ok(
  pg_temp.fill($$SELECT seeme_create_api_key(
    'x', '{*}', organization => {globex}, user_id => {bot})$$), '42501', NULL,
    'threat: an owner, and another organization''s service that they added');
SELECT pg_temp.become(NULL) \g /dev/null
SELECT lives_ok(
  pg_temp.fill($$SELECT seeme_create_api_key('by administrator', '{*}', user_id => {free})$$),
  'an administrator makes one of any service');
SELECT is(pg_temp.silent(k), 'counts', 'it counts: ' || k)
  FROM unnest(ARRAY['of bot', 'own', 'mine', 'by owner', 'by administrator']) AS k;

-- What silences a key, and ends it
SELECT is(pg_temp.silent_by('of bot', pg_temp.fill(s)), why,
  'threat: a service''s key outlives ' || name) FROM (VALUES
  (1, $$UPDATE seeme.memberships SET role_id = NULL WHERE user_id = {mike}$$,
  'its creator does not manage the organization''s members', 'the role of its maker'),
  (2, $$UPDATE seeme.roles SET permissions = '{organizations:manage_members,models:update}'
    WHERE name = 'Keeper'$$, 'its creator does not hold all of its permissions',
    'one of the codes of its maker'),
  (3, $$UPDATE seeme.roles SET permissions = '{organizations:read,models:read}'
    WHERE name = 'Keeper'$$, 'its creator does not manage the organization''s members',
    'the right to manage members'),
  (4, $$UPDATE seeme.users SET disabled_at = clock_timestamp() WHERE id = {mike}$$,
  'its creator is unknown or disabled', 'its maker, who is disabled'),
  (5, $$UPDATE seeme.memberships SET valid_until = clock_timestamp() WHERE user_id = {mike}$$,
  'its creator''s membership is not current', 'the dates of its maker''s membership'),
  (6, $$UPDATE seeme.users SET service_organization_id = NULL WHERE id = {bot}$$,
  'its user is no service of the organization', 'the service''s belonging there'),
  (7, $$UPDATE seeme.users SET service_organization_id = {globex} WHERE id = {bot}$$,
  'its user is no service of the organization', 'the service''s move to another organization'),
  (8, $$UPDATE seeme.users SET service_organization_id = NULL,
    is_service = false WHERE id = {bot}$$, 'its user is no service of the organization',
    'the service, which is a person now'),
  (9, $$UPDATE seeme.api_keys SET organization_id = NULL WHERE name = 'of bot'$$,
  'it is for somebody else, and limited to no organization', 'its limit'),
  (10, $$UPDATE seeme.api_keys SET permissions = '{*}' WHERE name = 'of bot'$$,
  'its creator does not hold all of its permissions',
  'what it was made for, by an administrator''s mistake'),
  (11, $$UPDATE seeme.api_keys SET created_by = gen_random_uuid() WHERE name = 'of bot'$$,
  'its creator is unknown or disabled', 'its maker, who is deleted')) AS v (n, s, why, name)
  ORDER BY n;
SELECT is(pg_temp.silent_by('by owner', pg_temp.fill(
  $$UPDATE seeme.organizations SET owner_id = {mike} WHERE id = {acme}$$)),
  'its creator does not hold all of its permissions',
  'threat: a key of everything outlives the ownership of its maker');
SELECT is(pg_temp.silent_by('by administrator',
  pg_temp.fill($$DELETE FROM seeme.memberships WHERE user_id = {free}$$)), 'counts',
  'an administrator''s depends on nobody');
SELECT is(pg_temp.silent_by(k, pg_temp.fill(
  $$DELETE FROM seeme.memberships WHERE user_id = {mike}$$)), NULL, 'expulsion deletes it: ' || k)
  FROM unnest(ARRAY['of bot', 'own']) AS k;
SELECT is(pg_temp.silent_by('mine', pg_temp.fill(
  $$DELETE FROM seeme.memberships WHERE user_id = {mike}$$)), 'counts',
  'and not one for everywhere');
SELECT is(pg_temp.silent_by('own', pg_temp.fill(
  $$UPDATE seeme.memberships SET valid_until = clock_timestamp() WHERE user_id = {mike}$$)),
  'its creator''s membership is not current',
  'one''s own key for an organization, and the dates there');
SELECT is(pg_temp.silent_by('own', pg_temp.fill(
  $$UPDATE seeme.memberships SET role_id = NULL WHERE user_id = {mike}$$)), 'counts',
  'while one without a role is a member');

-- Written by an administrator, and restored: the memberships are those of that moment.
INSERT INTO seeme.api_keys (user_id, organization_id, permissions, name, key_prefix, key_hash,
  created_by) VALUES
  (:bot, :acme, '{models:read}', 'inserted', 'x', sha256('i1'), :mike),
  (:bot, :acme, '{models:delete}', 'inserted with more', 'x', sha256('i2'), :mike),
  (:bot, NULL, '{models:read}', 'inserted for everywhere', 'x', sha256('i3'), :mike),
  (:stan, :acme, '{models:read}', 'inserted for a person', 'x', sha256('i4'), :mike),
  (:bot, :acme, '{*}', 'inserted for nobody', 'x', sha256('i5'), NULL),
  (:mike, :globex, '{*}', 'inserted elsewhere', 'x', sha256('i6'), :mike);
SELECT is(pg_temp.silent(k), why, 'a row that an administrator writes means what it says: ' || k)
  FROM (VALUES
  (1, 'inserted', 'counts'), (2, 'inserted with more',
  'its creator does not hold all of its permissions'),
  (3, 'inserted for everywhere', 'it is for somebody else, and limited to no organization'),
  (4, 'inserted for a person', 'its user is no service of the organization'),
  (5, 'inserted for nobody', 'counts'), (
  6, 'inserted elsewhere', 'its creator has left the organization since')) AS v (n, k, why)
  ORDER BY n;
CREATE TEMP TABLE dumped AS SELECT * FROM seeme.api_keys WHERE name = 'inserted';
DELETE FROM seeme.memberships WHERE user_id = :mike;
INSERT INTO seeme.memberships (organization_id, user_id, role_id) VALUES (:acme, :mike, :keeper);
INSERT INTO seeme.api_keys SELECT * FROM dumped;
SELECT is(pg_temp.silent('inserted'), 'its creator has left the organization since',
  'threat: a row of before the expulsion is written back after the return');
DELETE FROM seeme.api_keys WHERE name LIKE 'inserted%';
SELECT is((SELECT count(*) FROM seeme.audit_log WHERE table_name = 'api_keys'
  AND (before ? 'key_hash' OR after ? 'key_hash')), 0::bigint, 'the log has no hash of a key');

-- Who says what is a service, and verifies addresses
CREATE ROLE t_scim LOGIN;
SELECT seeme_grant_provisioning('t_scim');
CREATE ROLE t_all LOGIN;
SELECT seeme_grant_provisioning('t_all');
GRANT INSERT, UPDATE ON seeme.users TO t_all;
SET SESSION AUTHORIZATION t_scim;
SELECT throws_ok(s, '42501', NULL, 'threat: a provisioning role says what is a service: ' || s)
  FROM unnest(ARRAY[
  $$INSERT INTO seeme.users (username, is_service) VALUES ('x', true)$$,
  $$INSERT INTO seeme.users (username, service_organization_id) VALUES ('x', NULL)$$,
  $$UPDATE seeme.users SET is_service = true WHERE username = 'stan'$$,
  $$UPDATE seeme.users SET service_organization_id = 'b0000000-0000-4000-8000-000000000001'
    WHERE username = 'bot'$$]) AS s;
SET SESSION AUTHORIZATION t_all;
SELECT throws_ok(s, '42501',
  'only an administrator says what is a service, and which organization it belongs to',
  'threat: one that was granted every column: ' || s) FROM unnest(ARRAY[
  $$INSERT INTO seeme.users (username, is_service) VALUES ('x', true)$$,
  $$UPDATE seeme.users SET is_service = true WHERE username = 'stan'$$,
  $$UPDATE seeme.users SET is_service = false WHERE username = 'free'$$,
  $$UPDATE seeme.users SET service_organization_id = 'b0000000-0000-4000-8000-000000000002'
    WHERE username = 'bot'$$, $$UPDATE seeme.users SET service_organization_id = NULL
    WHERE username = 'bot'$$]) AS s;
SELECT lives_ok($$INSERT INTO seeme.users (username, email, is_service, service_organization_id)
    VALUES ('zoe', 'zoe@example.com', false, NULL)$$, 'while a person is a person');
SET SESSION AUTHORIZATION t_scim;
SELECT lives_ok($$UPDATE seeme.users SET email_verified_at = '2026-01-01' WHERE username = 'zoe'$$,
  'it verifies an address');
UPDATE seeme.users SET firstname = 'Zoe', email = ' zoe@example.com ' WHERE username = 'zoe';
SELECT is((SELECT email_verified_at FROM seeme.users WHERE username = 'zoe'),
  '2026-01-01'::timestamptz, 'which stays so while the address does');
UPDATE seeme.users SET email = 'olga2@example.com' WHERE username = 'zoe';
SELECT is((SELECT email_verified_at FROM seeme.users WHERE username = 'zoe'), NULL,
  'threat: a changed address is verified because the former one was');
UPDATE seeme.users SET email = 'zoe@example.com',
  email_verified_at = '2026-01-02' WHERE username = 'zoe';
UPDATE seeme.users SET email = 'zoe2@example.com',
  email_verified_at = '2026-01-02' WHERE username = 'zoe';
SELECT is((SELECT email_verified_at FROM seeme.users WHERE username = 'zoe'),
  '2026-01-02'::timestamptz, 'unless the same statement says so, be it with the same date');
INSERT INTO seeme.users (id, email) SELECT id,
  'zoe3@example.com' FROM seeme.users WHERE username = 'zoe' ON CONFLICT (id) DO UPDATE
  SET email = excluded.email;
SELECT is((SELECT email_verified_at FROM seeme.users WHERE username = 'zoe'), NULL,
  'threat: by INSERT … ON CONFLICT');
UPDATE seeme.users SET email_verified_at = '2026-01-03' WHERE username = 'zoe';
UPDATE seeme.users SET email = NULL WHERE username = 'zoe';
SELECT is((SELECT email_verified_at FROM seeme.users WHERE username = 'zoe'), NULL,
  'threat: no address is verified');
SET SESSION AUTHORIZATION DEFAULT;
SELECT throws_ok($$INSERT INTO seeme.users (username, is_service, service_organization_id)
    VALUES ('x', true, 'f0000000-0000-4000-8000-00000000ffff')$$, '23503', NULL,
      'a service of an organization that there is none');
SELECT throws_ok($$INSERT INTO seeme.users (username, service_organization_id)
    VALUES ('x', 'b0000000-0000-4000-8000-000000000001')$$, '23514', NULL,
      'a person belongs to no organization as a service does');
SELECT throws_ok($$UPDATE seeme.users SET is_service = false WHERE username = 'bot'$$, '23514',
  NULL, 'nor does a service that becomes one');
SELECT is((SELECT after ->> 'service_organization_id' FROM seeme.audit_log
  WHERE table_name = 'users' AND row_id = :far AND command = 'INSERT'), :globex,
  'it is in the audit log');

-- The key itself, from memory: what changes of its maker is noticed, dates included.
SELECT key AS bot_key FROM seeme_create_api_key(
  'warm', '{models:read}', organization => :acme, user_id => :bot) \gset
UPDATE seeme.api_keys SET created_by = :mike,
  creator_membership_id = seeme.membership_in(:acme, :mike) WHERE name = 'warm';
UPDATE seeme.memberships SET valid_until = clock_timestamp() + interval '400 ms'
  WHERE user_id = :mike;
CREATE FUNCTION pg_temp.reads() RETURNS boolean
  LANGUAGE plpgsql AS $$ BEGIN RETURN seeme_has_permission(
    'models:read', project => 'd0000000-0000-4000-8000-000000000001'); END $$;
SELECT seeme_login(:'bot_key') \g /dev/null
SELECT is(array_agg(DISTINCT pg_temp.reads()), '{t}', 'the service reads')
  FROM generate_series(1, 100);
SELECT pg_sleep(0.45) \g /dev/null
SELECT is(array_agg(DISTINCT pg_temp.reads()), '{f}',
  'threat: a service reads on when the membership of its key''s maker has ended by its date')
  FROM generate_series(1, 100);
SELECT is(seeme_user_id(), NULL, 'and is nobody');
SELECT throws_ok(format('SELECT seeme_login(%L)', :'bot_key'), '28000',
  'this person cannot be identified here', 'with the one error');

SELECT * FROM finish();
ROLLBACK;
