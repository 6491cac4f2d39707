-- Every table has a key, so that any publication can take it; and columns that C knows by number
-- are what it takes them for.
\i test/include/prelude.psql
BEGIN;

SELECT plan(20);

CREATE FUNCTION pg_temp.refused_for_its_key(relation regclass) RETURNS boolean
  LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('UPDATE %1$s SET %2$I = %2$I WHERE false', relation,
    (SELECT a.attname FROM pg_attribute a WHERE a.attrelid = relation AND a.attnum > 0
    AND NOT a.attisdropped AND a.attgenerated = '' AND a.attidentity = '' LIMIT 1));
  EXECUTE format('DELETE FROM %s WHERE false', relation);
  RETURN false;
EXCEPTION WHEN object_not_in_prerequisite_state THEN
  RETURN true;
END $$;

SELECT is((SELECT array_agg(c.oid::regclass::text ORDER BY c.relname) FROM pg_class c
            WHERE c.relnamespace = 'seeme'::regnamespace AND c.relkind IN ('r', 'p')
              AND NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary
              AND i.indisvalid)),
          NULL, 'every table of the extension has a primary key');
SELECT is((SELECT array_agg(c.oid::regclass::text ORDER BY c.relname) FROM pg_class c
            WHERE c.relnamespace = 'seeme'::regnamespace AND c.relkind IN ('r', 'p')
            AND c.relreplident <> 'd'),
          NULL, 'which is what it is known by where it is replicated');

-- PostgreSQL refuses UPDATE and DELETE of a published table without a key, whatever wal_level is.
SET client_min_messages = error;  -- wal_level
CREATE PUBLICATION t_everything FOR ALL TABLES;
SET client_min_messages = warning;
CREATE TABLE t_without (id int);
INSERT INTO t_without VALUES (1);
SELECT throws_ok('UPDATE t_without SET id = 2', '55000', NULL,
  'of a table without one, a published row cannot be changed');

INSERT INTO seeme.users (id, username, email)
  VALUES ('a0000000-0000-4000-8000-000000000001', 'one', 'one@x.test'),
    ('a0000000-0000-4000-8000-000000000002', 'two', 'two@x.test');
INSERT INTO seeme.organizations (id, name, owner_id)
  VALUES ('b0000000-0000-4000-8000-000000000001', 'Org', 'a0000000-0000-4000-8000-000000000001');
CREATE TEMP TABLE made AS SELECT (
  seeme_create_api_key('t_nightly', '{*}', user_id => 'a0000000-0000-4000-8000-000000000001')).key;

-- The threat: one CREATE PUBLICATION, and nobody logs in by a key any more.
SAVEPOINT login;
SELECT lives_ok('SELECT seeme_login((SELECT key FROM made))',
  'threat: a publication of all tables: a login by key');
UPDATE seeme.api_key_uses SET used_at = used_at - interval '1 hour';
SELECT lives_ok('SELECT seeme_login((SELECT key FROM made))',
  'threat: a publication of all tables: a second login, which removes what was noted of the first');
SELECT is((SELECT count(*) FROM seeme.api_key_uses u JOIN seeme.api_keys k ON k.id = u.key_id
  WHERE k.name = 't_nightly'), 1::bigint, 'its use is noted');
ROLLBACK TO login;

-- Every table that a row can be changed in
SELECT lives_ok($$UPDATE seeme.users SET firstname = 'One' WHERE username = 'one'$$,
  'threat: a publication of all tables: people are changed');
SELECT lives_ok($$INSERT INTO seeme.memberships (organization_id, user_id, role_id)
    VALUES ('b0000000-0000-4000-8000-000000000001', 'a0000000-0000-4000-8000-000000000002',
      '00000000-0000-4000-8000-000000000005')$$,
      'threat: a publication of all tables: somebody is added');
SELECT lives_ok($$UPDATE seeme.memberships SET role_id = '00000000-0000-4000-8000-000000000006'
    WHERE user_id = 'a0000000-0000-4000-8000-000000000002'$$,
    'threat: a publication of all tables: and given another role');
SELECT is((SELECT array_agg(c.relname ORDER BY c.relname) FROM pg_class c,
  LATERAL (SELECT pg_temp.refused_for_its_key(c.oid::regclass) AS refused) AS r
            WHERE c.relnamespace = 'seeme'::regnamespace AND c.relkind IN ('r', 'p') AND r.refused),
            NULL, 'threat: a publication of all tables: no table refuses UPDATE or DELETE for want '
                  'of a key');
SELECT lives_ok($$DELETE FROM seeme.organizations
    WHERE id = 'b0000000-0000-4000-8000-000000000001'$$,
    'threat: a publication of all tables: an organization is deleted');
SELECT lives_ok($$DELETE FROM seeme.users WHERE id = 'a0000000-0000-4000-8000-000000000001'$$,
  'threat: a publication of all tables: people are removed');
SELECT ok(pg_temp.refused_for_its_key('t_without'), 'as one without a key would');
DROP TABLE t_without;
DROP PUBLICATION t_everything;

-- A column that is not what C takes it for: words, and no garbage.
INSERT INTO seeme.users (id, username) VALUES ('a0000000-0000-4000-8000-000000000001', 'one');
SAVEPOINT changed;
ALTER TABLE seeme.users RENAME COLUMN disabled_at TO left_at;
SELECT throws_like($$SELECT seeme_user_has_permission(
    'a0000000-0000-4000-8000-000000000001', 'projects:read', project => gen_random_uuid())$$,
  'column 8 of table seeme.users is not "disabled_at" of type timestamp with time zone, as library '
  'version % has it', 'accident: a column of the extension''s tables is renamed');
ROLLBACK TO changed;
SAVEPOINT changed;
ALTER TABLE seeme.users ALTER COLUMN database_role TYPE text;
SELECT throws_ok($$SELECT seeme_user_id()$$, '55000', NULL, 'accident: one is of another type');
ROLLBACK TO changed;
SAVEPOINT changed;
SET LOCAL client_min_messages = error;
ALTER TABLE seeme.users DROP COLUMN disabled_at CASCADE;
SELECT throws_ok($$SELECT seeme_user_has_permission(
    'a0000000-0000-4000-8000-000000000001', 'projects:read', project => gen_random_uuid())$$,
    '55000', NULL, 'accident: one is dropped');
ROLLBACK TO changed;
SELECT lives_ok('SELECT seeme_user_id()', 'as they were, they are read again');

-- In another order than the library's: of the same name and type, or none.
UPDATE pg_extension SET extversion = '99.1' WHERE extname = 'seeme_rbac';
SELECT seeme.tell_every_session() \g /dev/null
SELECT throws_ok('SELECT seeme_user_id()', '55000', NULL,
  'a version that is not the library''s is refused');
SELECT ok(NOT seeme.is_of_this_version(), 'and told by seeme.is_of_this_version()');
UPDATE pg_extension SET extversion = (
  SELECT default_version FROM pg_available_extensions WHERE name = 'seeme_rbac')
    WHERE extname = 'seeme_rbac';
SELECT seeme.tell_every_session() \g /dev/null
SELECT ok(seeme.is_of_this_version(), 'the library''s own fits');

SELECT * FROM finish();
ROLLBACK;
