\i test/include/prelude.psql
-- Two rows of a mirrored table that would be one row here: a member with two roles, or a key that
-- is the same uuid in other letters. The first load refuses them, as a later INSERT does. Else the
-- row that is read last would win, in silence.
BEGIN;
\i test/include/people.psql
SELECT plan(12);
CREATE SCHEMA app;
CREATE TABLE app.seats (place uuid, person uuid, role text, ended_at timestamptz);
INSERT INTO app.seats VALUES (:acme, :stan, 'Viewer', NULL), (:acme, :stan, 'Admin', NULL),
  (:globex, :stan, 'Viewer', NULL);

CREATE FUNCTION pg_temp.refusal(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  code text;
  said text;
  more text;
BEGIN
  EXECUTE statement;
  RETURN 'done';
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, said = MESSAGE_TEXT, more = PG_EXCEPTION_DETAIL;
  RETURN concat_ws(': ', code, said, more);
END $$;
\set seats 'SELECT seeme_mirror(''app.seats'', ''organization_members'', ''{"organization_id": "place", "user_id": "person", "role_id": "role"}'''

SELECT is(pg_temp.refusal(:'seats' || ')'), '23505: several rows of table app.seats are one row of '
  'seeme.organization_members: Table app.seats, row place = ' || :acme || ', person = ' || :stan
  || '.', 'threat: a member with two roles gets the one that is read last');
SELECT is_empty('SELECT FROM seeme.mirrors', 'nothing is mirrored');
SELECT is_empty(format('SELECT FROM seeme.memberships WHERE user_id = %L', :stan),
  'and nobody is added');
SELECT is(pg_temp.refusal(:'seats' || ', protect => true)'), pg_temp.refusal(:'seats' || ')'),
  'with policies it is the same');

-- A row that does not count is none.
UPDATE app.seats SET ended_at = now() WHERE role = 'Admin';
SELECT is(pg_temp.refusal(:'seats' || ', condition => ''ended_at IS NULL'')'), 'done',
  'a member who left and came back has a row that counts');
SELECT is((SELECT role_name FROM seeme.organization_members
            WHERE organization_id = :acme AND user_id = :stan), 'Viewer', 'which says the role');
UPDATE app.seats SET ended_at = NULL WHERE place = :globex;
SELECT alike(pg_temp.refusal('UPDATE app.seats SET ended_at = NULL'), '23505: %',
  'a second one is an error later, too');

-- Users by texts that are uuids
CREATE TABLE app.people (id text PRIMARY KEY, email text);
INSERT INTO app.people VALUES ('d4000000-0000-4000-8000-00000000abcd', 'one@example.com'),
  ('D4000000-0000-4000-8000-00000000ABCD', 'two@example.com'), ('three', 'three@example.com');
\set people 'SELECT seeme_mirror(''app.people'', ''users'', ''{"id": "id", "email": "email"}'')'
SELECT matches(pg_temp.refusal(:'people'), '23505: several rows of table app\.people are one row '
  'of seeme\.users: Table app\.people, row id = d4.*abcd; id = D4.*ABCD|id = D4.*; id = d4',
  'threat: two people of the application are one person here');
SELECT is_empty($$SELECT FROM seeme.users WHERE email = 'three@example.com'$$, 'nothing is loaded');
DELETE FROM app.people WHERE email = 'two@example.com';
SELECT is(pg_temp.refusal(:'people'), 'done', 'with one of them the table is mirrored');
SELECT alike(pg_temp.refusal($$INSERT INTO app.people VALUES
    ('D4000000-0000-4000-8000-00000000ABCD', 'two@example.com')$$), '23505: %',
  'the other one is an error later, too');

-- More rows than are read at once
CREATE TABLE app.many (place uuid, person uuid, role text);
INSERT INTO seeme.users (id, username)
SELECT ('d5000000-0000-4000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, 'many' || n
  FROM generate_series(1, 6000) AS n;
INSERT INTO app.many SELECT :acme, id, NULL FROM seeme.users WHERE username LIKE 'many%';
INSERT INTO app.many SELECT * FROM app.many ORDER BY person LIMIT 1;
SELECT seeme_unmirror('app.seats') \g /dev/null
SELECT alike(pg_temp.refusal(replace(:'seats', 'app.seats', 'app.many') || ')'), '23505: %',
  'rows that are read one after the other are compared, too');

SELECT * FROM finish();
ROLLBACK;
