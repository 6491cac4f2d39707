-- The ids of an application's own keys.
\i test/include/prelude.psql
BEGIN;
\i test/include/people.psql
SELECT plan(25);

-- The same in SQL: 48 bits of SHA-256 over the kind, ten zeros and 64 bits; or 122 bits of SHA-256
-- over kind, a zero byte, and key.
CREATE FUNCTION pg_temp.with_version(b bytea) RETURNS uuid LANGUAGE sql AS $$
  SELECT encode(set_byte(set_byte(b, 6, get_byte(b, 6) & 15 | 128), 8, get_byte(b, 8) & 63 | 128),
    'hex')::uuid $$;
CREATE FUNCTION pg_temp.id_of_text(kind text, key text) RETURNS uuid LANGUAGE sql AS $$
  SELECT pg_temp.with_version(substr(
    sha256(convert_to(kind, 'UTF8') || '\x00'::bytea || convert_to(key, 'UTF8')), 1, 16)) $$;
CREATE FUNCTION pg_temp.id_of_integer(kind text, key bigint) RETURNS uuid LANGUAGE sql AS $$
  SELECT pg_temp.with_version(substr(sha256(convert_to(kind, 'UTF8')), 1, 6) || '\x00'::bytea
                              || set_byte('\x00'::bytea, 0, (key >> 62 & 3)::integer)
                              || int8send(key)) $$;

SELECT is(seeme_uuid('user', 'abc'), pg_temp.id_of_text('user', 'abc'), 'a text');
SELECT is(seeme_uuid('user', ''), pg_temp.id_of_text('user', ''), 'an empty text');
SELECT is(seeme_uuid('organization', 'Bücher & Söhne'),
  pg_temp.id_of_text('organization', 'Bücher & Söhne'), 'letters of any alphabet');
SELECT is(seeme_uuid('project', repeat('x', 100000)),
  pg_temp.id_of_text('project', repeat('x', 100000)), 'a long one');
SELECT is((SELECT count(*) FROM generate_series(1, 1000) g
  WHERE seeme_uuid('team', 'k' || g) <> pg_temp.id_of_text('team', 'k' || g)), 0::bigint,
  'and a thousand');
SELECT is(seeme_uuid('user', 42), pg_temp.id_of_integer('user', 42), 'an integer');
SELECT is(seeme_uuid('user', 42)::text LIKE '________-____-8000-8000-00000000002a', true,
  'whose id shows it');
SELECT is((SELECT count(*) FROM unnest(
  '{0,1,-1,4611686018427387904,-4611686018427387905,9223372036854775807,'
  '-9223372036854775808}'::bigint[]) AS k
            WHERE seeme_uuid('project', k) <> pg_temp.id_of_integer('project', k)
            OR seeme.integer_of_uuid('project', seeme_uuid('project', k)) <> k
               OR seeme_uuid('project', k::text) <> seeme_uuid('project', k)), 0::bigint,
               'the integer comes back out, at the ends of its range, too, and its text gives the '
               'same id');
SELECT is(seeme_uuid('user', 42::smallint), seeme_uuid('user', 42::bigint),
  'of every integer type');
SELECT is((SELECT count(*) FROM unnest(
  '{042,+42,-0," 42","42 ",4.2,9223372036854775808,-9223372036854775809,99999999999999999999,-,'
  '4२}'::text[]) AS k
            WHERE seeme_uuid('user', k) <> pg_temp.id_of_text('user', k)), 0::bigint,
            'what is not written as an integer is, is a text');
SELECT is(seeme_uuid('user', :olga), :olga::uuid, 'a uuid is itself');
SELECT is(seeme_uuid('user', upper(:olga)), :olga::uuid, 'in letters of either case');
SELECT is(seeme_uuid('user', replace(:olga, '-', '')),
  pg_temp.id_of_text('user', replace(:olga, '-', '')), 'in its standard form only');
SELECT is(seeme_uuid('user', '{' || :olga || '}'), pg_temp.id_of_text('user', '{' || :olga || '}'),
  'and not in brackets');
SELECT isnt(seeme_uuid('user', 42), seeme_uuid('team', 42),
  'kinds have ids of their own: integers');
SELECT isnt(seeme_uuid('user', 'x'), seeme_uuid('team', 'x'), 'and texts');
SELECT is(seeme.integer_of_uuid('team', seeme_uuid('user', 42)), NULL,
  'what is an integer''s id of another kind is none of this one');
SELECT is(seeme.integer_of_uuid('user', :olga), NULL, 'nor is another uuid');
SELECT throws_ok($$SELECT seeme_uuid('users', 42)$$, '22023', '"users" is not a kind of key',
  'a wrong kind is an error');
SELECT throws_ok($$SELECT seeme_uuid('', 'x')$$, '22023', NULL, 'so is an empty one');
SELECT is(seeme_uuid('model', 7), pg_temp.id_of_integer('model', 7), 'a resource type is a kind');
SELECT is(seeme_uuid('user', NULL::text), NULL, 'null gives null');
CREATE TABLE pg_temp.things (id bigint PRIMARY KEY);
SELECT lives_ok($$CREATE INDEX ON pg_temp.things (seeme_uuid('project', id))$$,
  'it can stand in an index');
SELECT is((SELECT string_agg(concat(p.provolatile, p.proparallel, p.proisstrict), ' ')
  FROM pg_proc p WHERE p.proname = 'seeme_uuid'), 'ist ist', 'immutable, parallel safe, strict');
SELECT pg_temp.become('olga') \g /dev/null
SELECT is(seeme_uuid('user', 42), pg_temp.id_of_integer('user', 42),
  'an application''s role may call it');
SELECT pg_temp.become(NULL) \g /dev/null
SELECT * FROM finish();
ROLLBACK;
