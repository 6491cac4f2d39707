\i test/include/prelude.psql
-- Conditions that may be evaluated on rows which the asking person may not see: what each operator does with the most hostile values
-- that a row can have. The operators are those of the server under test: a later version's new ones are met here, too.
CREATE EXTENSION IF NOT EXISTS citext;
CREATE EXTENSION IF NOT EXISTS hstore;
CREATE EXTENSION IF NOT EXISTS ltree;
CREATE EXTENSION IF NOT EXISTS pg_trgm;
-- Committed before it is used: a value of its own, out of order.
CREATE TYPE t_mood AS ENUM ('sad', 'happy');
ALTER TYPE t_mood ADD VALUE 'calm' BEFORE 'happy';
BEGIN;
SELECT plan(9);

CREATE TEMP TABLE hostile (type text, value text);
INSERT INTO hostile
SELECT type, unnest(values) FROM (VALUES
  ('numeric', ARRAY['NaN', 'Infinity', '-Infinity', '0', '-0.0', '1e131071', '-1e131071', '1e-16383', repeat('9', 5000), '42.5']),
  ('smallint', ARRAY['-32768', '32767', '0']),
  ('integer', ARRAY['-2147483648', '2147483647', '0', '7']),
  ('bigint', ARRAY['-9223372036854775808', '9223372036854775807', '0']),
  ('real', ARRAY['NaN', 'Infinity', '-Infinity', '3.4e38', '1e-45', '-0']),
  ('double precision', ARRAY['NaN', 'Infinity', '-Infinity', '1.7e308', '-1.7e308', '5e-324', '-0']),
  ('boolean', ARRAY['t', 'f']),
  ('text', ARRAY['', '%', '_', E'\\', E'a\\', E'\\\\', 'secret', 'SECRET', repeat('a', 3000), repeat('ab ', 1000), U&'\+10FFFF', U&'e\0301', 'ß', 'İ', E'\t\n', '((', 'a & b', '{', '%' || repeat('a%', 150)]),
  ('character varying', ARRAY['', E'a\\', 'secret', repeat('x', 5000)]),
  ('character', ARRAY['', ' ', 'x']),
  ('name', ARRAY['', E'a\\', 'secret', repeat('n', 63)]),
  ('citext', ARRAY['', E'a\\', 'Secret', 'İSTANBUL', repeat('A', 3000)]),
  ('"char"', ARRAY['', 'a', E'\\377']),
  ('bytea', ARRAY['', E'\\x00', E'\\xff5c', E'\\x5c']),
  ('t_mood', ARRAY['sad', 'happy', 'calm']),
  ('date', ARRAY['infinity', '-infinity', '4713-01-01 BC', '5874897-12-31', '294277-01-01', '2020-02-29']),
  ('timestamp without time zone', ARRAY['infinity', '-infinity', '4713-01-01 BC', '294276-12-31 23:59:59.999999', '2020-02-29 12:00']),
  ('timestamp with time zone', ARRAY['infinity', '-infinity', '4713-01-03 BC', '294276-12-31 00:00:00+00', '2020-02-29 12:00+00']),
  ('time without time zone', ARRAY['00:00', '24:00', '23:59:59.999999']),
  ('time with time zone', ARRAY['00:00+15:59', '24:00-15:59']),
  ('interval', ARRAY['178000000 years', '-178000000 years', '2147483647 days', '-2562047788:00:54.775807', '0', '1 month -30 days']),
  ('money', ARRAY['-92233720368547758.08', '92233720368547758.07', '0']),
  ('inet', ARRAY['0.0.0.0/0', '::/0', '10.0.0.1/8', '255.255.255.255', 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', '::ffff:10.0.0.1']),
  ('cidr', ARRAY['0.0.0.0/0', '::/0', '10.0.0.0/8']),
  ('macaddr', ARRAY['00:00:00:00:00:00', 'ff:ff:ff:ff:ff:ff']),
  ('macaddr8', ARRAY['00:00:00:00:00:00:00:00', 'ff:ff:ff:ff:ff:ff:ff:ff']),
  ('bit', ARRAY['0', '1']),
  ('bit varying', ARRAY['', '1', repeat('10', 3000)]),
  ('uuid', ARRAY['00000000-0000-0000-0000-000000000000', 'ffffffff-ffff-ffff-ffff-ffffffffffff']),
  ('oid', ARRAY['0', '4294967295']),
  ('pg_lsn', ARRAY['0/0', 'FFFFFFFF/FFFFFFFF']),
  ('jsonb', ARRAY['null', '""', '0', '1e1000', '{}', '[]', '[[]]', '[null]', '{"a": {"b": [1, {"c": "x"}]}}', '{"a": 1, "b": null}', '["a", "b"]', '{"": ""}', '"secret"',
                  repeat('[', 2000) || repeat(']', 2000), repeat('{"a":', 2000) || '1' || repeat('}', 2000), to_jsonb(array_fill(1, ARRAY[5000]))::text]),
  ('tsvector', ARRAY['', 'secret', 'a:1A,2B b:16383', 'b:1 a', (SELECT string_agg('w' || n, ' ') FROM generate_series(1, 3000) n)]),
  ('tsquery', ARRAY['', 'secret', '!secret', 'a <16384> b', 'a:*AB & !b', 's:*', (SELECT string_agg('w' || n, ' & ') FROM generate_series(1, 100) n)]),
  ('integer[]', ARRAY['{}', '{NULL}', '{1,NULL,2}', '{{1,2},{3,4}}', '[-5:-4]={1,2}', array_fill(7, ARRAY[5000])::text]),
  ('text[]', ARRAY['{}', '{NULL}', '{a,NULL}', '{{a},{b}}', '{secret}']),
  ('numeric[]', ARRAY['{}', '{NaN,Infinity,NULL}', '{1e131071}']),
  ('citext[]', ARRAY['{}', '{NULL,Secret}']),
  ('t_mood[]', ARRAY['{}', '{NULL,calm}']),
  ('uuid[]', ARRAY['{}', '{NULL,ffffffff-ffff-ffff-ffff-ffffffffffff}']),
  ('int4range', ARRAY['empty', '(,)', '[2147483646,2147483647)', '[-2147483648,)', '[1,2)']),
  ('int8range', ARRAY['empty', '(,)', '[9223372036854775806,9223372036854775807)']),
  ('numrange', ARRAY['empty', '(,)', '[NaN,NaN]', '[-Infinity,Infinity]', '(1,2]']),
  ('daterange', ARRAY['empty', '(,)', '[-infinity,infinity]', '[4713-01-01 BC,5874897-12-31)']),
  ('tsrange', ARRAY['empty', '(,)', '[-infinity,infinity]', '[2020-01-01,2020-01-02)']),
  ('tstzrange', ARRAY['empty', '(,)', '[-infinity,infinity]', '["2020-01-01 00:00+00","2020-01-02 00:00+00")']),
  ('int4multirange', ARRAY['{}', '{(,)}', '{[1,2),[5,6)}']),
  ('nummultirange', ARRAY['{}', '{[NaN,NaN]}', '{(-Infinity,1),(2,)}']),
  ('point', ARRAY['(NaN,NaN)', '(Infinity,-Infinity)', '(1e308,-1e308)', '(0,0)']),
  ('box', ARRAY['(NaN,NaN),(0,0)', '(Infinity,Infinity),(-Infinity,-Infinity)', '(1e308,1e308),(-1e308,-1e308)', '(1,1),(0,0)']),
  ('circle', ARRAY['<(0,0),0>', '<(1e308,-1e308),1e308>', '<(NaN,0),1>', '<(0,0),Infinity>']),
  ('polygon', ARRAY['((0,0))', '((1e308,1e308),(-1e308,-1e308),(0,1))', '((NaN,0),(1,1))']),
  ('lseg', ARRAY['[(0,0),(0,0)]', '[(1e308,0),(-1e308,1)]']),
  ('line', ARRAY['{1,0,0}', '{1e308,-1e308,0}']),
  ('path', ARRAY['[(0,0)]', '((1e308,0),(-1e308,1))']),
  ('hstore', ARRAY['', 'a=>1', 'a=>NULL', '""=>""', 'secret=>x', (SELECT string_agg(format('k%s=>v', n), ',') FROM generate_series(1, 2000) n)]),
  ('ltree', ARRAY['', 'a', 'a.b.c', repeat('a.', 500) || 'z']),
  ('lquery', ARRAY['*', '*.secret', 'a.*{2}.b|c']),
  ('jsonpath', ARRAY['$', '$.a.b[*] ? (@ like_regex "x")', 'strict $.a'])
) AS v (type, values);

-- A table a type, with each value in a row of its own, and null in one
DO $$
DECLARE
  t record;
BEGIN
  FOR t IN SELECT type, 't_' || dense_rank() OVER (ORDER BY type) AS name, array_agg(value) AS values FROM hostile GROUP BY type LOOP
    EXECUTE format('CREATE TABLE %I (v %s)', t.name, t.type);
    EXECUTE format('INSERT INTO %I SELECT u::%s FROM unnest($1) AS u UNION ALL SELECT NULL', t.name, t.type) USING t.values;
  END LOOP;
END $$;
CREATE TEMP TABLE place AS SELECT DISTINCT type, type::regtype AS id, ('t_' || dense_rank() OVER (ORDER BY type))::regclass AS relation FROM hostile;

-- Each operator that gives a boolean, with the types above in the place of those that stand for many
CREATE TEMP TABLE operator AS
SELECT DISTINCT o.oid AS id, o.oprname AS name, format('OPERATOR(%I.%s)', n.nspname, o.oprname) AS operator, l.type AS "left", r.type AS "right", l.relation AS left_table, r.relation AS right_table
  FROM pg_operator o JOIN pg_namespace n ON n.oid = o.oprnamespace
  JOIN place l ON l.id = o.oprleft OR (SELECT CASE o.oprleft WHEN 'anyarray'::regtype THEN t.typcategory = 'A' AND t.typtype = 'b' WHEN 'anyrange'::regtype THEN t.typtype = 'r' WHEN 'anymultirange'::regtype THEN t.typtype = 'm'
                                              WHEN 'anyenum'::regtype THEN t.typtype = 'e' WHEN 'anyelement'::regtype THEN true WHEN 'anycompatiblearray'::regtype THEN t.typcategory = 'A' END FROM pg_type t WHERE t.oid = l.id)
  JOIN place r ON r.id = o.oprright OR (SELECT CASE o.oprright WHEN 'anyarray'::regtype THEN t.typcategory = 'A' AND t.typtype = 'b' WHEN 'anyrange'::regtype THEN t.typtype = 'r' WHEN 'anymultirange'::regtype THEN t.typtype = 'm'
                                              WHEN 'anyenum'::regtype THEN t.typtype = 'e' WHEN 'anyelement'::regtype THEN true WHEN 'anycompatiblearray'::regtype THEN t.typcategory = 'A' END FROM pg_type t WHERE t.oid = r.id)
 WHERE o.oprkind = 'b' AND o.oprresult = 'boolean'::regtype;

-- What is said of a condition; null when it makes no sense, since the types do not go together
CREATE FUNCTION pg_temp.leak(relation regclass, condition text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  RETURN seeme.leak_of_condition(relation, condition);
EXCEPTION WHEN undefined_function OR datatype_mismatch OR indeterminate_collation OR feature_not_supported THEN
  RETURN NULL;
END $$;

-- An empty tsquery is a notice where it is read, which is no row's.
-- Each operator between a column and each hostile value, on either side
CREATE TEMP TABLE condition AS
SELECT o.*, true AS column_first, o.left_table AS relation, format('v %s %L::%s', o.operator, h.value, o."right") AS condition, h.value AS pattern FROM operator o JOIN hostile h ON h.type = o."right" AND (h.type, h.value) <> ('tsquery', '')
UNION ALL
SELECT o.*, false, o.right_table, format('%L::%s %s v', h.value, o."left", o.operator), h.value FROM operator o JOIN hostile h ON h.type = o."left" AND (h.type, h.value) <> ('tsquery', '');
ALTER TABLE condition ADD off text, ADD "on" text;
UPDATE condition SET off = pg_temp.leak(relation, condition);
SET LOCAL seeme_rbac.search_operators = on;
UPDATE condition SET "on" = pg_temp.leak(relation, condition);

CREATE FUNCTION pg_temp.fails(relation regclass, condition text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('SELECT count(*) FROM %s WHERE %s', relation, condition);
  RETURN NULL;
EXCEPTION WHEN OTHERS THEN
  RETURN SQLERRM;
END $$;

-- A notice would be in this script's output.
SET LOCAL client_min_messages = notice;
SELECT is((SELECT string_agg(format('%s: %s', left(c.condition, 100), f.error), E'\n') FROM condition c, pg_temp.fails(c.relation, c.condition) AS f (error) WHERE c."on" = 'none' AND f.error IS NOT NULL), NULL,
          'threat: a hidden row of any type makes a condition fail that an index may be used for');
SET LOCAL client_min_messages = warning;
SELECT cmp_ok((SELECT count(DISTINCT id) FROM condition WHERE "on" = 'none' AND off <> 'none'), '>', 60::bigint, 'which was asked of all search operators');
SELECT cmp_ok((SELECT count(DISTINCT id) FROM condition WHERE off = 'none'), '>', 250::bigint, 'and of all comparisons');
SELECT is((SELECT string_agg(format('%s: %s', left(c.condition, 100), c.off), E'\n') FROM condition c WHERE c."on" IS DISTINCT FROM c.off AND c."on" <> 'none'), NULL,
          'the setting only adds to what an index may be used for');

-- What is on neither list is there on purpose. A later version's new operators are met by these two.
SELECT is((SELECT string_agg(DISTINCT format('%s %s %s', "left", name, "right"), ', ' ORDER BY format('%s %s %s', "left", name, "right")) FROM condition c
            WHERE c.off = 'unknown' AND c.id IN (SELECT a.amopopr FROM pg_amop a JOIN pg_am m ON m.oid = a.amopmethod WHERE m.amname IN ('btree', 'hash') AND a.amoppurpose = 's')),
          'tsquery < tsquery, tsquery <= tsquery, tsquery = tsquery, tsquery > tsquery, tsquery >= tsquery',
          'each comparison operator of an index is listed, but for those of record and tsquery');
SELECT is((SELECT string_agg(line, E'\n' ORDER BY line COLLATE "C") FROM (SELECT DISTINCT format('%s %s %s', format_type(o.oprleft, NULL), o.oprname, format_type(o.oprright, NULL)) AS line
             FROM pg_operator o JOIN (SELECT id FROM condition GROUP BY id HAVING NOT bool_or("on" = 'none')) c ON c.id = o.oid
             JOIN pg_amop a ON a.amopopr = o.oid JOIN pg_am m ON m.oid = a.amopmethod WHERE m.amname IN ('gin', 'gist', 'spgist', 'brin') AND a.amoppurpose = 's'
            -- what computes distances, calls a canonical function, or has patterns of its own
            AND NOT (format('%s %s', format_type(o.oprleft, NULL), format_type(o.oprright, NULL)) ~ 'circle|polygon|jsonpath|lquery' OR o.oprname IN ('-|-', '~', '~*'))) AS l),
          E'tsquery <@ tsquery\ntsquery @> tsquery', 'each search operator of an index is listed, or left out on purpose');
SELECT is((SELECT string_agg(DISTINCT left(condition, 60), E'\n') FROM condition WHERE "on" = 'none' AND name IN ('~~', '!~~', '~~*', '!~~*') AND column_first AND pattern ~ '\\$' AND pattern !~ '\\\\$'), NULL,
          'threat: a pattern of LIKE that ends within an escape tells by an error what a hidden row begins with');
SELECT is((SELECT count(*) FROM condition WHERE name IN ('~', '!~', '~*', '!~*') AND "on" = 'none' AND "left" IN ('text', 'name', 'citext', 'character')), 0::bigint, 'regular expressions are not on the list');

-- Functions of one argument: those that are harmless by themselves, and those that are so in an index, where an error tells nothing
CREATE TEMP TABLE function AS
SELECT p.oid AS id, l.relation, l.type, p.oid::regproc::text || '(v)' AS call,
       pg_temp.leak(l.relation, format('%s(v) IS NULL', p.oid::regproc)) AS of_row,
       pg_temp.leak(l.relation, format('%s(coalesce(current_setting(''a.b'', true))::%s) IS NULL', p.oid::regproc, l.type)) AS of_none
  FROM pg_proc p JOIN place l ON p.proargtypes = ARRAY[l.id::oid]::oidvector
 WHERE p.prokind = 'f' AND NOT p.proretset AND p.prorettype NOT IN (SELECT t.oid FROM pg_type t WHERE t.typtype = 'p') AND p.provolatile <> 'v' AND p.pronamespace = 'pg_catalog'::regnamespace;
SET LOCAL client_min_messages = notice;
SELECT is((SELECT string_agg(format('%s: %s', f.call, e.error), E'\n') FROM function f, pg_temp.fails(f.relation, f.call || ' IS NULL') AS e (error) WHERE f.of_row = 'none' AND e.error IS NOT NULL), NULL,
          'threat: a function that is marked LEAKPROOF, or listed, fails for a hidden row');
-- A notice would be in this script's output.
SELECT count(*) > 150 AS many FROM function f, hostile h, LATERAL pg_temp.fails(f.relation, format('v = %L::%s AND %s IS NULL', h.value, h.type, f.call)) AS e (error)
 WHERE f.of_none = 'none once checked' AND f.of_row = 'unknown' AND h.type = f.type AND f.type NOT IN ('point', 'polygon', 'lquery', 'jsonpath', 'tsquery');
SET LOCAL client_min_messages = warning;

SELECT * FROM finish();
ROLLBACK;
DROP TYPE t_mood;
DROP EXTENSION citext, hstore, ltree, pg_trgm;
