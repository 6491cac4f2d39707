\i test/include/prelude.psql
-- What is remembered of people, whoever asks (src/cache/preload.c). Naming many people takes many
-- transactions: who is named is committed, and removed at the end.
SET client_min_messages = error;
DROP SCHEMA IF EXISTS t_directory CASCADE;
CREATE SCHEMA t_directory;
GRANT USAGE ON SCHEMA t_directory TO PUBLIC;
CREATE PROCEDURE t_directory.clean() LANGUAGE plpgsql AS $$
DECLARE r name;
BEGIN
  DELETE FROM seeme.organizations WHERE slug LIKE 't-directory%';
  DELETE FROM seeme.users WHERE username LIKE 't\_directory\_%';
  FOR r IN SELECT rolname FROM pg_roles WHERE rolname IN ('t_directory_app', 't_directory_door')
    ORDER BY rolname LOOP
    EXECUTE format('DROP OWNED BY %I', r);
    EXECUTE format('DROP ROLE %I', r);
  END LOOP;
END $$;
CALL t_directory.clean();
SELECT plan(30);

-- 200 people of one organization, who come by seeme_assume
CREATE ROLE t_directory_app NOLOGIN;
SELECT seeme_grant_usage('t_directory_app') \g /dev/null
CREATE ROLE t_directory_door LOGIN IN ROLE t_directory_app;
GRANT EXECUTE ON FUNCTION seeme_assume(uuid) TO t_directory_door;
CREATE FUNCTION t_directory.person(n integer) RETURNS uuid
  LANGUAGE sql IMMUTABLE AS $$ SELECT ('a6000000-0000-4000-8000-' || lpad(to_hex(n), 12, '0'))::uuid
    $$;
INSERT INTO seeme.users (id, username, email, firstname, name) SELECT t_directory.person(n),
  't_directory_' || n, 't_directory_' || n || '@example.com', 'T',
  'Directory' FROM generate_series(1, 200) AS n;
INSERT INTO seeme.organizations (id, name, slug, owner_id)
  VALUES ('b6000000-0000-4000-8000-000000000001', 'Of the directory', 't-directory',
    t_directory.person(1));
INSERT INTO seeme.memberships (organization_id, user_id, role_id)
  SELECT 'b6000000-0000-4000-8000-000000000001', t_directory.person(n),
    (SELECT id FROM seeme.roles WHERE organization_id IS NULL AND name = 'Viewer')
    FROM generate_series(3, 199, 2) AS n;
-- A login in a transaction of its own: whether models may be read then, or the SQLSTATE
CREATE TABLE t_directory.answer (n integer, answer text);
GRANT SELECT, INSERT, DELETE ON t_directory.answer TO t_directory_door;
CREATE FUNCTION t_directory.comes(n integer) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  IF seeme_assume(t_directory.person(n)) IS DISTINCT FROM t_directory.person(n)
    OR seeme_user_id() IS DISTINCT FROM t_directory.person(n) THEN RETURN 'somebody else'; END IF;
  RETURN seeme_has_permission('models:read', organization
    => 'b6000000-0000-4000-8000-000000000001');
EXCEPTION WHEN OTHERS THEN RETURN SQLSTATE;
END $$;
CREATE PROCEDURE t_directory.come(VARIADIC people integer[]) LANGUAGE plpgsql AS $$
DECLARE n integer;
BEGIN
  DELETE FROM t_directory.answer;
  FOREACH n IN ARRAY people LOOP
    INSERT INTO t_directory.answer SELECT n, t_directory.comes(n);
    COMMIT;
  END LOOP;
END $$;
CREATE FUNCTION t_directory.first(n integer) RETURNS integer[]
  LANGUAGE sql IMMUTABLE AS $$ SELECT array_agg(i) FROM generate_series(1, n) AS i $$;
CREATE FUNCTION t_directory.answers() RETURNS text
  LANGUAGE sql AS $$ SELECT string_agg(n || ' ' || answer, ', ' ORDER BY n)
    FROM t_directory.answer $$;
-- Each of the statements alone, by default and with as little memory as there can be, where no
-- table is read as a whole
CREATE TABLE t_directory.step (n integer GENERATED ALWAYS AS IDENTITY, statement text);
INSERT INTO t_directory.step (statement) VALUES
  ('SET seeme_rbac.cache_memory = {memory}'),
  ('SET SESSION AUTHORIZATION t_directory_door'),
  ('CALL t_directory.come(VARIADIC t_directory.first(120))'),
  ('CALL t_directory.come(VARIADIC t_directory.first(160))'),
  ('RESET SESSION AUTHORIZATION'),
  ($$SELECT is((SELECT string_agg(n::text, ' ' ORDER BY n) FROM t_directory.answer
    WHERE answer <> CASE WHEN n % 2 = 1 THEN 'true' ELSE 'false' END), NULL,
    '160 people, each in a transaction of their own, may what they may: {mode}')$$),
  ('UPDATE seeme.users SET disabled_at = clock_timestamp() WHERE id IN (t_directory.person(11), '
   't_directory.person(171))'),
  ('DELETE FROM seeme.users WHERE id IN (t_directory.person(13), t_directory.person(173))'),
  ('UPDATE seeme.users SET disabled_at = clock_timestamp() + interval ''1.5 s'' WHERE id IN '
   '(t_directory.person(15), t_directory.person(175))'),
  ('INSERT INTO seeme.users (id, username, email) SELECT '
   't_directory.person(n), ''t_directory_'' || n, ''t_directory_'' || n || ''@example.com'' FROM '
   'generate_series(301, 303, 2) AS n'),
  ('INSERT INTO seeme.memberships (organization_id, user_id, role_id) '
   'SELECT ''b6000000-0000-4000-8000-000000000001'', t_directory.person(301), id FROM seeme.roles '
   'WHERE organization_id IS NULL AND name = ''Viewer'''),
  ('SET SESSION AUTHORIZATION t_directory_door'),
  ('CALL t_directory.come(9, 11, 13, 15, 16, 17, 171, 173, 175, 177, 301, 303, 305)'),
  ('RESET SESSION AUTHORIZATION'),
  ($$SELECT is((SELECT answer FROM t_directory.answer WHERE n = v.n), v.wanted,
    v.what || ': {mode}') FROM (
    VALUES (11, '28000', 'threat: who was disabled is refused'),
      (171, '28000', 'and who was never asked for before'),
      (13, '28000', 'threat: who was deleted is refused'),
      (173, '28000', 'and who was never asked for'),
     (15, 'true', 'who is to be disabled later is not yet'),
     (175, 'true', 'nor who was never asked for'), (301, 'true', 'who was created is known'),
     (303, 'false', 'also without any right'), (305, '28000', 'who there never was is refused'),
     (17, 'true', 'others are who they were')) AS v (n, wanted, what)$$),
  ('DO ''BEGIN PERFORM pg_sleep(1.7); END'''),
  ('SET SESSION AUTHORIZATION t_directory_door'),
  ('CALL t_directory.come(15, 175, 17, 177, 301)'),
  ('RESET SESSION AUTHORIZATION'),
  ($$SELECT is(t_directory.answers(), '15 28000, 17 true, 175 28000, 177 true, 301 true',
    'threat: a date at which somebody is disabled counts when it has passed, although nothing '
    'tells of it: {mode}')$$),
  ('UPDATE seeme.users SET disabled_at = NULL WHERE id IN (t_directory.person(11), '
   't_directory.person(15))'),
  ('INSERT INTO seeme.users (id, username, email) VALUES '
   '(t_directory.person(13), ''t_directory_13'', ''t_directory_13@example.com'')'),
  ('DELETE FROM seeme.users WHERE id = t_directory.person(301)'),
  ('SET SESSION AUTHORIZATION t_directory_door'),
  ('CALL t_directory.come(11, 13, 15, 175, 301)'),
  ('RESET SESSION AUTHORIZATION'),
  ($$SELECT is(t_directory.answers(), '11 true, 13 false, 15 true, 175 28000, 301 28000',
    'who is enabled again is let in again, who was deleted and comes anew has no right of before, '
    'who came last can go: {mode}')$$),
  -- What is undone in the transaction in which somebody comes
  ('BEGIN'), ('SAVEPOINT undone'),
  ('UPDATE seeme.users SET disabled_at = clock_timestamp() WHERE id = t_directory.person(21)'),
  ('DELETE FROM seeme.users WHERE id = t_directory.person(23)'),
  ('SET SESSION AUTHORIZATION t_directory_door'),
  ('INSERT INTO t_directory.answer SELECT n, t_directory.comes(n) FROM generate_series(21, 23, 2) '
   'AS n'),
  ('ROLLBACK TO undone'),
  ('SET SESSION AUTHORIZATION t_directory_door'),
  ('DELETE FROM t_directory.answer'),
  ('INSERT INTO t_directory.answer SELECT n, t_directory.comes(n) FROM generate_series(21, 23, 2) '
   'AS n'),
  ('COMMIT'),
  ('RESET SESSION AUTHORIZATION'),
  ($$SELECT is(t_directory.answers(), '21 true, 23 28000',
    'who was disabled and is not, that being undone, comes; and nobody else besides in this '
    'transaction: {mode}')$$),
  ('BEGIN'),
  ('UPDATE seeme.users SET disabled_at = clock_timestamp() WHERE id = t_directory.person(23)'),
  ('DELETE FROM t_directory.answer'),
  ('SET SESSION AUTHORIZATION t_directory_door'),
  ('INSERT INTO t_directory.answer SELECT 23, t_directory.comes(23)'),
  ('RESET SESSION AUTHORIZATION'),
  ('UPDATE seeme.users SET disabled_at = NULL WHERE id = t_directory.person(23)'),
  ('SET SESSION AUTHORIZATION t_directory_door'),
  ('INSERT INTO t_directory.answer SELECT 24, t_directory.comes(23)'),
  ('COMMIT'),
  ('RESET SESSION AUTHORIZATION'),
  ($$SELECT is(t_directory.answers(), '23 28000, 24 true',
    'who disables somebody finds them disabled before that is committed, and enables them again: '
    '{mode}')$$),
  -- As it was
  ('DELETE FROM seeme.users WHERE id IN (t_directory.person(13), t_directory.person(303))'),
  ('INSERT INTO seeme.users (id, username, email) SELECT '
   't_directory.person(n), ''t_directory_'' || n, ''t_directory_'' || n || ''@example.com'' FROM '
   'unnest(ARRAY[13, 173]) AS n'),
  ('INSERT INTO seeme.memberships (organization_id, user_id, role_id) '
   'SELECT ''b6000000-0000-4000-8000-000000000001'', t_directory.person(n), id FROM '
   'unnest(ARRAY[13, 173]) AS n, seeme.roles WHERE organization_id IS NULL AND name = ''Viewer'''),
  ('UPDATE seeme.users SET disabled_at = NULL WHERE id IN (SELECT t_directory.person(n) FROM '
   'generate_series(1, 200) AS n)');
SELECT replace(replace(statement, '{mode}', mode), '{memory}', memory)
  FROM (VALUES (1, 'with the memory that there is by default', 'DEFAULT'),
  (2, 'with 64 kB', '''64kB''')) AS m (m, mode, memory), t_directory.step
 ORDER BY m, n \gexec
RESET seeme_rbac.cache_memory;
CALL t_directory.clean();

SELECT * FROM finish();
SET client_min_messages = error;
DROP SCHEMA t_directory CASCADE;
