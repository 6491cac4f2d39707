\i test/include/prelude.psql
-- A person changes, in their own row of a mirrored table of users, every column that is not
-- mirrored: the flag of administrators, the hash of a password, a plan. The security report names
-- the roles that may, and its remedy leaves the names.
BEGIN;
\i test/include/people.psql
SELECT plan(32);

CREATE SCHEMA app;
GRANT USAGE ON SCHEMA app TO t_app;
CREATE TABLE app."Users" (
  id text PRIMARY KEY, email text NOT NULL UNIQUE, "firstName" text, "lastName" text,
  "isAdmin" boolean NOT NULL DEFAULT false, password_hash text, plan text NOT NULL DEFAULT 'free',
  status text NOT NULL DEFAULT 'active', gone text,
  user_uuid uuid GENERATED ALWAYS AS (seeme_uuid('user', id)) STORED,
  full_name text GENERATED ALWAYS AS ("firstName" || "lastName") STORED);
ALTER TABLE app."Users" DROP COLUMN gone;
INSERT INTO app."Users" (id, email, "firstName") VALUES ('a', 'a@app.example', 'A'),
  ('b', 'b@app.example', 'B');
CREATE FUNCTION pg_temp.mirror(id text, names text, protect boolean) RETURNS void LANGUAGE sql
AS $$
  SELECT seeme_mirror('app."Users"', 'users',
    (format('{"id": "%s", "email": "email"', id) || names || '}')::jsonb,
    condition => $c$status IN ('active', 'trial')$c$, protect => protect) $$;
CREATE FUNCTION pg_temp.again(id text, names text, protect boolean) RETURNS void LANGUAGE sql AS $$
  SELECT seeme_unmirror('app."Users"'), pg_temp.mirror(id, names, protect) $$;
CREATE VIEW pg_temp.found AS
  SELECT r.severity, r.object, r.finding, r.remedy FROM seeme_security_report() r
   WHERE r.finding LIKE 'people change columns that are not mirrored:%';
CREATE FUNCTION pg_temp.mend() RETURNS void LANGUAGE plpgsql AS $$
DECLARE remedy text;
BEGIN
  FOR remedy IN SELECT f.remedy FROM pg_temp.found f LOOP
    EXECUTE remedy;
  END LOOP;
END $$;
CREATE FUNCTION pg_temp.writable(role name) RETURNS text LANGUAGE sql AS $$
  SELECT string_agg(a.attname, ', ' ORDER BY a.attnum) FROM pg_attribute a
   WHERE a.attrelid = 'app."Users"'::regclass AND a.attnum > 0 AND NOT a.attisdropped
     AND has_column_privilege(role, a.attrelid, a.attnum, 'UPDATE') $$;

SELECT pg_temp.mirror('id', ', "firstname": "firstName", "name": "lastName"', true);
SELECT is_empty('SELECT FROM pg_temp.found', 'without a grant nothing is found');
GRANT SELECT, INSERT, DELETE ON app."Users" TO t_app;
SELECT is_empty('SELECT FROM pg_temp.found', 'and nothing without UPDATE');

GRANT UPDATE ON app."Users" TO t_app;
UPDATE seeme.users SET database_role = NULL WHERE database_role = 't_stan';
UPDATE seeme.users SET database_role = 't_stan' WHERE id = seeme_uuid('user', 'a');
SELECT pg_temp.become('stan') \g /dev/null
UPDATE app."Users" SET "isAdmin" = true;
SELECT throws_ok($$UPDATE app."Users" SET email = 'x@app.example'$$, '42501', NULL,
  'a mirrored column is refused');
SELECT pg_temp.become(NULL) \g /dev/null
SELECT results_eq('SELECT id FROM app."Users" WHERE "isAdmin"', '{a}'::text[],
  'threat: a person makes themself an administrator of the application');
SELECT results_eq('SELECT severity, object, finding FROM pg_temp.found', $$VALUES ('high',
  'app."Users"', 'people change columns that are not mirrored: t_app may update "isAdmin", '
  'password_hash, plan, status in the row of the person who asks; nobody checks what is written '
  'there')$$, 'the report names the role and the columns');
SELECT ok(remedy !~ E'\n', 'the remedy is one line') FROM pg_temp.found;
SELECT lives_ok('SELECT pg_temp.mend()', 'it runs');
SELECT is(pg_temp.writable('t_app'), 'firstName, lastName', 'names remain');
SELECT is_empty('SELECT FROM pg_temp.found', 'and nothing is found');
SELECT pg_temp.become('stan') \g /dev/null
SELECT lives_ok($$UPDATE app."Users" SET "firstName" = 'Stan'$$, 'people change their names');
SELECT throws_ok($$UPDATE app."Users" SET "isAdmin" = true$$, '42501', NULL,
  'and make nobody an administrator');
SELECT pg_temp.become(NULL) \g /dev/null

-- Grants of columns
GRANT UPDATE (plan, email, "lastName") ON app."Users" TO t_app;
SELECT matches(finding, 't_app may update plan in', 'threat: a grant of one column') FROM
  pg_temp.found;
SELECT lives_ok($$SELECT seeme_accept_finding('people change columns that are not mirrored',
  'app."Users"', 'a plan is a wish')$$, 'the finding is accepted');
SELECT is(severity, 'accepted', 'and shown as such') FROM pg_temp.found;
GRANT UPDATE ("isAdmin") ON app."Users" TO t_app;
SELECT is(severity, 'high', 'threat: one more column than was accepted') FROM pg_temp.found;
SELECT pg_temp.mend();
SELECT is(pg_temp.writable('t_app'), 'firstName, lastName', 'mended: the names that it had');
CREATE ROLE t_few;
GRANT UPDATE (plan, "lastName") ON app."Users" TO t_few;
SELECT pg_temp.mend();
SELECT is(pg_temp.writable('t_few'), 'lastName', 'the remedy gives no column that was not there');
GRANT UPDATE (plan) ON app."Users" TO t_few;
SELECT pg_temp.mend();
GRANT UPDATE (plan) ON app."Users" TO t_few, PUBLIC;
REVOKE UPDATE ("lastName") ON app."Users" FROM t_few;
SELECT is(count(*), 2::bigint, 'threat: PUBLIC, too') FROM pg_temp.found;
SELECT pg_temp.mend();
SELECT is_empty('SELECT FROM pg_temp.found', 'mended');
SELECT is(pg_temp.writable('t_few'), NULL, 'where there was no name, none remains');
GRANT UPDATE (email, id) ON app."Users" TO t_few;
SELECT is_empty('SELECT FROM pg_temp.found', 'mirrored columns, which the mirror refuses');
ALTER TABLE app."Users" ADD a1 int, ADD a2 int, ADD a3 int, ADD a4 int;
GRANT UPDATE ON app."Users" TO t_few;
SELECT matches(finding, 'status, a1 and 3 more columns in', 'of many columns it names five')
  FROM pg_temp.found;
ALTER TABLE app."Users" DROP a1, DROP a2, DROP a3, DROP a4;
SELECT pg_temp.mend();

-- Generated columns
SELECT pg_temp.again('user_uuid', ', "name": "full_name"', true);
SELECT is_empty('SELECT FROM pg_temp.found',
  'the key of a generated column is mirrored, and a name is written by what it is made of');
GRANT UPDATE ON app."Users" TO t_app;
SELECT pg_temp.mend();
SELECT is(pg_temp.writable('t_app'), 'firstName, lastName', 'this remains');
SELECT is_empty('SELECT FROM pg_temp.found', 'and nothing is found');
SELECT pg_temp.again('user_uuid', '', true);
SELECT matches(finding, 't_app may update "firstName", "lastName" in',
  'a name that is not mirrored is the application''s') FROM pg_temp.found WHERE finding ~ 't_app';
SELECT pg_temp.mend();
SELECT is_empty('SELECT FROM pg_temp.found', 'mended');
SELECT is(pg_temp.writable('t_app'), NULL, 'without a name no column remains');

-- Roles that provision users, bypass row security or own the table; and a table without policies
GRANT UPDATE ON app."Users" TO t_app;
CREATE ROLE t_signup;
SELECT seeme_grant_provisioning('t_signup') \g /dev/null
CREATE ROLE t_bypass BYPASSRLS;
CREATE ROLE t_owner;
GRANT USAGE, CREATE ON SCHEMA app TO t_owner;
GRANT UPDATE ON app."Users" TO t_signup, t_bypass, t_owner;
SELECT ok(count(*) = 1 AND bool_and(finding ~ 't_app'),
  'no provisioning role, and none without row security') FROM pg_temp.found
 WHERE finding !~ 't_owner';
ALTER TABLE app."Users" OWNER TO t_owner;
SELECT is(count(*), 1::bigint, 'nor the owner') FROM pg_temp.found;
SELECT pg_temp.again('user_uuid', '', false);
SELECT is_empty('SELECT FROM pg_temp.found', 'without protect this is not found');
SELECT is(count(*), 1::bigint, 'because all is open') FROM seeme_security_report()
 WHERE finding LIKE 'mirrored table is open:%' AND object = 'app."Users"';
SELECT * FROM finish();
ROLLBACK;
