-- seeme_mirror and its like, told what makes no sense: a clear error, and nothing changed.
\i test/include/prelude.psql
BEGIN;
\i test/include/people.psql
\i test/include/app_tables.psql
SELECT plan(43);

CREATE VIEW app.people AS SELECT * FROM app.users;
CREATE MATERIALIZED VIEW app.people_then AS SELECT * FROM app.users;
CREATE TABLE app.parted (id bigint, email text) PARTITION BY LIST (id);
CREATE TABLE app.part PARTITION OF app.parted DEFAULT;
CREATE TABLE app.parent (id bigint, email text);
CREATE TABLE app.child () INHERITS (app.parent);
CREATE TYPE app.pair AS (a text, b text);
CREATE DOMAIN app.address AS text;
CREATE TABLE app.odd (id uuid, pair app.pair, address app.address, amount numeric, at timestamptz);

CREATE FUNCTION pg_temp.refuses(call text, state text, message text, what text) RETURNS text
  LANGUAGE sql AS $$
  SELECT throws_ok('SELECT seeme_mirror(' || call || ')', state, message, what) $$;
SELECT pg_temp.refuses($$'app.people', 'users', '{"id": "id"}'$$, '42809',
  'app.people is not a table that can be mirrored', 'a view');
SELECT pg_temp.refuses($$'app.people_then', 'users', '{"id": "id"}'$$, '42809', NULL,
  'a materialized view');
SELECT pg_temp.refuses($$'app.parted', 'users', '{"id": "id"}'$$, '42809', NULL,
  'a partitioned table, whose partitions can be written past its triggers');
SELECT pg_temp.refuses($$'app.part', 'users', '{"id": "id"}'$$, '42809', NULL, 'a partition');
SELECT pg_temp.refuses($$'app.parent', 'users', '{"id": "id"}'$$, '42809', NULL,
  'a table that others inherit from');
SELECT pg_temp.refuses($$'app.child', 'users', '{"id": "id"}'$$, '42809', NULL,
  'one that inherits');
SELECT pg_temp.refuses($$'seeme.users', 'users', '{"id": "id"}'$$, '42809', NULL,
  'a table of the extension''s');
SELECT pg_temp.refuses($$'app.users', 'people', '{"id": "id"}'$$, '22023',
  '"people" is not a kind of mirror', 'a kind that there is not');
SELECT pg_temp.refuses($$'app.users', 'users', '["id"]'$$, '22023',
  'columns is no object of column names', 'columns that are no object');
SELECT pg_temp.refuses($$'app.users', 'users', '{"id": 1}'$$, '22023', NULL, 'or of no names');
SELECT pg_temp.refuses($$'app.users', 'users', NULL$$, '22004', NULL, 'no columns at all');
SELECT pg_temp.refuses($$'app.users', 'users', '{"email": "email"}'$$, '22023',
  'a mirror of kind users needs the column id', 'a column that is needed');
SELECT pg_temp.refuses($$'app.workspaces', 'organizations', '{"id": "id", "name": "title"}'$$,
  '22023', 'a mirror of kind organizations needs the column owner_id', 'the owner''s');
SELECT pg_temp.refuses($$'app.users', 'users', '{"id": "id", "is_service": "email"}'$$, '22023',
  'a mirror of kind users has no column is_service', 'a column that mirrors have not');
SELECT pg_temp.refuses($$'app.users', 'users', '{"id": "id", "database_role": "email"}'$$, '22023',
  NULL, 'threat: a database role');
SELECT pg_temp.refuses($$'app.users', 'users', '{"id": "uid"}'$$, '42703',
  'table app.users has no column "uid"', 'a missing column');
SELECT pg_temp.refuses($$'app.odd', 'users', '{"id": "amount"}'$$, '42804',
  'column "amount" of table app.odd cannot be mirrored as id', 'a key of a type that is none');
SELECT pg_temp.refuses($$'app.odd', 'users', '{"id": "id", "username": "pair"}'$$, '42804', NULL,
  'a composite type, whose parts somebody may cast');
SELECT pg_temp.refuses($$'app.odd', 'users', '{"id": "id", "username": "address"}'$$, '42804', NULL,
  'a domain');
SELECT pg_temp.refuses($$'app.odd', 'users', '{"id": "id", "disabled_at": "address"}'$$, '42804',
  NULL, 'a time that is none');
SELECT pg_temp.refuses($$'app.users', 'users', '{"id": "id"}', condition => 'deleted IS NULL'$$,
  '42703', 'column "deleted" does not exist', 'a condition on a column that there is not');
SELECT pg_temp.refuses($$'app.users', 'users', '{"id": "id"}', condition => '1'$$, '42804', NULL,
  'one that is no condition');
SELECT pg_temp.refuses(
  $$'app.users', 'users', '{"id": "id"}',
    condition => 'true) AS c; DROP TABLE app.users; SELECT (true'$$,
  '42601', NULL, 'more than a condition');
SELECT pg_temp.refuses($$'app.users', 'users', '{"id": "id"}', roles => '{"x": "Admin"}'$$, '22023',
  NULL, 'roles of what has none');
SELECT pg_temp.refuses(
  $$'app.workspace_users', 'organization_members', '{"organization_id": "workspace_id",
    "user_id": "user_id",
    "role_id": "role"}',
                        roles => '{"guest": "Wizard"}'$$, '22023', 'there is no role ''Wizard''',
                        'a role that there is not');
SELECT pg_temp.refuses(
  $$'app.workspaces', 'organizations', '{"id": "id", "name": "title", "owner_id": "owner"}'$$,
  '23503', NULL, 'an owner who is unknown');
SELECT pg_temp.refuses(
  $$'app.workspace_users', 'organization_members',
    '{"organization_id": "workspace_id", "user_id": "user_id"}'$$,
  '23503', NULL, 'members of what is not mirrored');
INSERT INTO seeme.users (email) VALUES ('BEN@app.example');
SELECT pg_temp.refuses($$'app.users', 'users', '{"id": "id", "email": "email"}'$$, '23505',
  'there is a user with this e-mail address already', 'a duplicate e-mail address');
SELECT is((SELECT count(*) FROM seeme.users WHERE email LIKE '%@app.example'), 1::bigint,
  'nothing was loaded');
SELECT is((SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'seeme_mirror%'), 0::bigint,
  'and there are no triggers');
SELECT is((SELECT count(*) FROM seeme.mirrors) + (SELECT count(*) FROM seeme.mirrored_rows),
  0::bigint, 'nor is anything remembered');

DELETE FROM seeme.users WHERE email = 'BEN@app.example';
SELECT seeme_mirror('app.users', 'users', '{"id": "id", "email": "email"}') \g /dev/null
SELECT pg_temp.refuses($$'app.users', 'users', '{"id": "id"}'$$, '42710',
  'table app.users is mirrored already', 'a table twice');
CREATE TABLE app.users_too (id bigint PRIMARY KEY, email text);
SELECT pg_temp.refuses($$'app.users_too', 'users', '{"id": "id"}'$$, '42710',
  'table app.users is the mirror of kind users', 'two tables as one kind');
SELECT throws_ok($$INSERT INTO app.users (id, email) VALUES (20, 'new@app.example'),
    (21, 'no address')$$, '23514', NULL, 'a row that cannot be mirrored');
DO $$
DECLARE
  detail text;
BEGIN
  INSERT INTO app.users (id, email) VALUES (20, 'new@app.example'), (21, 'no address');
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
  PERFORM set_config('test.detail', detail, true);
END $$;
SELECT matches(current_setting('test.detail'), 'Table app.users, row id = 21\.$',
  'is named, among others');
SELECT throws_ok($$SELECT seeme_unmirror('app.users_too')$$, '55000',
  'table app.users_too is not mirrored', 'what is not mirrored cannot be ended');
SELECT throws_ok($$SELECT * FROM seeme_mirror_differences('app.users_too')$$, '55000', NULL,
  'nor compared');
DROP TABLE app.users CASCADE;
SELECT is((SELECT count(*) FROM seeme.mirrors), 0::bigint,
  'a table that is dropped is no mirror any more');
SELECT results_eq(
  $$SELECT object, split_part(finding, ':', 1) FROM seeme_security_report()
     WHERE finding LIKE '%mirror%'$$, $$VALUES ('seeme.users', 'mirror has ended')$$,
  'and the report says that what it made follows no table');

-- Who makes a mirror
CREATE ROLE t_bypass BYPASSRLS;
CREATE ROLE t_plain;
GRANT USAGE ON SCHEMA app TO t_bypass, t_plain;
GRANT EXECUTE ON FUNCTION seeme_mirror, seeme_unmirror, seeme_mirror_differences TO t_bypass,
  t_plain;
CREATE TABLE app.mine (id bigint PRIMARY KEY, nick text);
INSERT INTO app.mine VALUES (50, 'Nick');
ALTER TABLE app.mine OWNER TO t_plain;
SET LOCAL ROLE t_plain;
SELECT pg_temp.refuses($$'app.mine', 'users', '{"id": "id", "username": "nick"}'$$, '42501', NULL,
  'threat: an owner who does not bypass row security');
RESET ROLE;
SET LOCAL ROLE t_bypass;
SELECT pg_temp.refuses($$'app.mine', 'users', '{"id": "id", "username": "nick"}'$$, '42501', NULL,
  'threat: a role that bypasses it, with somebody else''s table');
RESET ROLE;
ALTER TABLE app.mine OWNER TO t_bypass;
SET LOCAL ROLE t_bypass;
SELECT lives_ok($$SELECT seeme_mirror('app.mine', 'users', '{"id": "id", "username": "nick"}')$$,
  'an owner with BYPASSRLS makes one');
SELECT is((SELECT count(*) FROM seeme_mirror_differences('app.mine')
  WHERE difference <> 'not in the table'), 0::bigint, 'and compares it');
RESET ROLE;

SELECT * FROM finish();
ROLLBACK;
