-- What a person might keep, or get back, after leaving; and what roles beside the application's
-- might take.
\i test/include/prelude.psql
BEGIN;
\i test/include/people.psql
SELECT plan(24);

-- A user with the nil id is a user like any other: no token becomes one.
INSERT INTO seeme.users (id, username) VALUES ('00000000-0000-0000-0000-000000000000', 'system');
INSERT INTO seeme.memberships (organization_id, user_id, role_id)
  VALUES (:acme, '00000000-0000-0000-0000-000000000000', pg_temp.builtin('Admin'));
SELECT throws_ok($$SELECT seeme_login('garbage')$$, '28000', NULL,
  'threat: a token that is no key becomes the user with the nil id');
SELECT throws_ok('SELECT seeme_login(NULL)', '28000', NULL, 'threat: so does none');
SELECT ok(seeme_user_id() IS NULL, 'nobody is identified by it');

-- Invitations for somebody who is taken out, and keys.
INSERT INTO seeme.users (id, username, is_service, service_organization_id)
  VALUES ('a0000000-0000-4000-8000-0000000000b0', 'bot', true, :acme);
INSERT INTO seeme.memberships (organization_id, user_id, role_id) VALUES
  (:acme, 'a0000000-0000-4000-8000-0000000000b0', pg_temp.builtin('Admin'));
SELECT pg_temp.become('olga') \g /dev/null
SELECT token AS for_mike FROM seeme_invite(
  'mike@example.com', project => :alpha, role_id => pg_temp.builtin('Admin')) \gset
SELECT pg_temp.become('adam') \g /dev/null
SELECT key AS bot_key FROM seeme_create_api_key(
  'bot', '{*:read}', organization => :acme, user_id => 'a0000000-0000-4000-8000-0000000000b0') \gset
SELECT key AS adam_key FROM seeme_create_api_key('mine', '{*}', organization => :acme) \gset
SELECT is((SELECT count(*) FROM seeme.api_keys), 2::bigint, 'Adam has made two keys');
SELECT pg_temp.become('olga') \g /dev/null
SELECT is((SELECT count(*) FROM seeme.pending_members WHERE email = 'mike@example.com'), 1::bigint,
  'and Mike is invited to a project');
DELETE FROM seeme.organization_members WHERE organization_id = :acme AND user_id IN (:mike, :adam);
SELECT is((SELECT count(*) FROM seeme.pending_members WHERE email = 'mike@example.com'), 0::bigint,
  'an invitation ends when the person is taken out of the organization');
SELECT pg_temp.become('mike') \g /dev/null
SELECT throws_ok(format('SELECT seeme_accept_invitation(%L)', :'for_mike'), '22023', NULL,
  'threat: coming back by an invitation from before');
SELECT pg_temp.become(NULL) \g /dev/null
SELECT throws_ok(format('SELECT seeme_login(%L)', :'bot_key'), '28000', NULL,
  'threat: a service''s key outlives the membership of who made it');
SELECT throws_ok(format('SELECT seeme_login(%L)', :'adam_key'), '28000', NULL,
  'threat: a key for an organization outlives the membership in it');

-- An invitation serves for one INSERT.
INSERT INTO seeme.roles (id, organization_id, name, permissions) VALUES
  ('e0000000-0000-4000-8000-0000000000f1', :acme, 'Lead', '{projects:read,projects:update}');
INSERT INTO seeme.memberships (organization_id, user_id, role_id)
  VALUES (:acme, :stan, 'e0000000-0000-4000-8000-0000000000f1');
SELECT pg_temp.become('olga') \g /dev/null
SELECT token AS for_stan FROM seeme_invite(
  'stan@example.com', project => :alpha, role_id => pg_temp.builtin('Editor')) \gset
SELECT pg_temp.become('stan') \g /dev/null
SELECT seeme_accept_invitation(:'for_stan') AS stans \gset
SELECT is((SELECT array_agg(role_name) FROM seeme.project_members WHERE id = :'stans'), '{Editor}',
  'an invitation is accepted');
SELECT pg_temp.become(NULL) \g /dev/null
SELECT is((SELECT created_by FROM seeme.memberships WHERE id = :'stans'), :olga::uuid,
  'and it is the inviter who added the member');
SELECT pg_temp.become('stan') \g /dev/null
DELETE FROM seeme.memberships WHERE id = :'stans';
SELECT throws_ok(
  format($$INSERT INTO seeme.memberships (id, organization_id, project_id, user_id, role_id)
    VALUES (%L, %L, %L, %L, '00000000-0000-4000-8000-000000000003')$$,
                        :'stans', :acme, :alpha, :stan), '42501', NULL,
                        'threat: using an accepted invitation again in the same transaction');
SELECT pg_temp.become(NULL) \g /dev/null

-- A role that bypasses row security is no superuser.
CREATE ROLE t_etl BYPASSRLS;
GRANT USAGE ON SCHEMA seeme TO t_etl;
GRANT ALL ON ALL TABLES IN SCHEMA seeme TO t_etl;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA seeme TO t_etl;
SET LOCAL ROLE t_etl;
SET LOCAL row_security = off;
INSERT INTO seeme.users (username) VALUES ('tmp');
SELECT is(current_setting('session_replication_role'), 'origin',
  'threat: row_security = off is a restore for superusers alone');
SELECT throws_ok('DELETE FROM seeme.audit_log', '42501', NULL,
  'threat: editing the log under row_security = off');
SELECT throws_ok(
  format($$INSERT INTO seeme.memberships (organization_id, user_id, role_id)
    VALUES (%L, %L, '00000000-0000-4000-8000-000000000001')$$, :globex, :nora),
                 '23514', NULL, 'threat: a second Owner under row_security = off');
RESET row_security;
CREATE FUNCTION pg_temp.up() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
SELECT throws_ok(
  'CREATE TRIGGER zz AFTER INSERT ON seeme.memberships FOR EACH ROW EXECUTE FUNCTION pg_temp.up()',
  '42501', NULL,
                 'threat: a trigger of one''s own on a table that the extension writes with its '
                 'owner''s rights');
RESET ROLE;
CREATE SCHEMA t_etl AUTHORIZATION t_etl;
SELECT format('GRANT CREATE ON DATABASE %I TO t_etl', current_database()) \gexec
CREATE TYPE t_etl.u AS ENUM ('x');
CREATE TABLE t_etl.plain (o t_etl.u);
ALTER TABLE t_etl.plain OWNER TO t_etl;
CREATE FUNCTION t_etl.c(t_etl.u) RETURNS uuid LANGUAGE sql AS 'SELECT gen_random_uuid()';
CREATE CAST (t_etl.u AS uuid) WITH FUNCTION t_etl.c(t_etl.u) AS IMPLICIT;
SET LOCAL ROLE t_etl;
SELECT throws_ok('CREATE TABLE t_etl.f (o t_etl.u REFERENCES seeme.organizations (id))', '42804',
  NULL,
                 'threat: a foreign key whose conversion runs with the rights of the owner of the '
                 'extension''s tables');
SELECT throws_ok('ALTER TABLE t_etl.plain ADD FOREIGN KEY (o) REFERENCES seeme.organizations (id)',
  '42804', NULL, 'threat: one that is added');
SELECT throws_ok(
  'CREATE SCHEMA t_etl2 CREATE TABLE f (o t_etl.u REFERENCES seeme.organizations (id))', '42804',
  NULL, 'threat: one made on the way');
SELECT lives_ok('CREATE TABLE t_etl.g (o uuid REFERENCES seeme.organizations (id))',
  'while an ordinary one is well');
RESET ROLE;

-- A partition made on the way.
CREATE TABLE t_parts (id int, project_id uuid) PARTITION BY LIST (id);
SELECT seeme_protect('t_parts', 'jobs', project_column => 'project_id') \g /dev/null
CREATE SCHEMA t_schema CREATE TABLE part1 PARTITION OF public.t_parts DEFAULT;
INSERT INTO t_parts VALUES (1, :delta);
GRANT USAGE ON SCHEMA t_schema TO t_app;
GRANT SELECT ON t_schema.part1, t_parts TO t_app;
SELECT pg_temp.become('stan') \g /dev/null
SELECT is((SELECT count(*) FROM t_schema.part1), 0::bigint,
  'threat: reading a partition that CREATE SCHEMA made');
SELECT pg_temp.become(NULL) \g /dev/null

-- Ids of what is gone, for who looks at them by an old snapshot or before the deletion is
-- committed: see the isolation spec.
SELECT pg_temp.become('olga') \g /dev/null
DELETE FROM seeme.projects WHERE id = :gamma;
SELECT throws_ok(
  format('INSERT INTO seeme.projects (id, organization_id, name) VALUES (%L, %L, %L)', :gamma,
  :acme, 'Again'), '23505', NULL,
                 'threat: taking the id of a deleted project');
SELECT pg_temp.become(NULL) \g /dev/null
SELECT lives_ok(format('INSERT INTO seeme.projects (id, organization_id, name) VALUES (%L, %L, %L)',
  :gamma, :acme, 'Again'),
                'which privileged code may');
SELECT is((SELECT count(*) FROM seeme.retired_ids WHERE id = :gamma), 0::bigint,
  'and then it is in use again');

SELECT * FROM finish();
ROLLBACK;
