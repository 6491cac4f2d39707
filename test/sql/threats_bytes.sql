-- Odd bytes in every argument that is a text: letters outside ASCII, control characters, nothing at
-- all, a megabyte, forms of wildcards. Whatever the application's role may execute is called with
-- them, by a person, and so is each C function by a superuser: an error, if any, is one that says
-- what is wrong with the argument, and none is an internal one.
\i test/include/prelude.psql
BEGIN;
\i test/include/people.psql
SELECT plan(9);

CREATE TEMP TABLE odd (n serial, value text);
INSERT INTO odd (value) VALUES
  (''), (' '), ('ÿ'), ('ÿÿÿ'), ('ÿÿÿ:ÿÿÿ'), (E'\x01'), (E'\x7f\x1b[31m'), (E'a\nb:c\td'), ('😀😀😀😀'),
  (repeat('ÿ', 22)), (repeat('ÿ', 23)),
  (repeat('x', 44)), (repeat('x', 45)), (repeat('x', 1000000)), (repeat('ÿ', 500000) || ':read'),
  ('models:' || repeat('*', 1000)),
  ('*'), ('*:'), (':*'), (':'), ('::'), ('*:*'), ('**'), ('models:*:*'), ('*models:read'),
  ('models:read:'), ('models'), ('%s%n'), ('''"\'), ('$1'), ('NULL'),
  ('2000-01-01'), ('{}'), ('{"a":1}'), (repeat('a.', 2) || 'a'), ('seeme_key_' || repeat('ÿ', 32)),
  (repeat('é', 63));
GRANT SELECT ON odd TO PUBLIC;

-- What is called: each function with a text argument, and a statement that calls it with `$1` for
-- all of these and something plain for the others. Not those that name who is asking, or act on the
-- server's files or the application's tables.
CREATE TEMP TABLE callable AS
SELECT p.oid, p.oid::regprocedure::text AS name, l.lanname = 'c' AS is_c,
  p.pronamespace = 'public'::regnamespace AND p.proname LIKE 'seeme\_%'
  OR p.pronamespace = 'seeme'::regnamespace AS ours,
       has_function_privilege('t_app', p.oid, 'EXECUTE') AS is_the_application_s,
       format('SELECT count(*) FROM (SELECT %s(%s) OFFSET 0) AS result', p.oid::regproc,
              string_agg(CASE WHEN t.typname IN ('text', 'name', 'varchar', 'cstring')
              THEN '$1::' || t.typname
                              WHEN t.typname = '_text' THEN 'ARRAY[$1, NULL, $1]'
                              WHEN t.typname = 'uuid' AND a.name = 'project'
                              THEN format('%L::uuid', :alpha)
                              WHEN t.typname = 'uuid' AND a.name IN ('user_id', 'member', 'inviter')
                              THEN format('%L::uuid', :vera)
                              WHEN t.typname = 'interval' THEN '''1 day''::interval'
                              ELSE 'NULL::' || a.type::regtype END, ', ' ORDER BY a.n)) AS call
  FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang,
       unnest(p.proargtypes::oid[], p.proargnames[1:p.pronargs])
       WITH ORDINALITY AS a (type, name, n) JOIN pg_type t ON t.oid = a.type
 WHERE (p.pronamespace = 'seeme'::regnamespace OR p.pronamespace = 'public'::regnamespace
 AND p.proname LIKE 'seeme\_%') AND p.prokind = 'f'
   AND p.oid IN (SELECT objid FROM pg_depend WHERE classid = 'pg_proc'::regclass AND deptype = 'e'
   AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'seeme_rbac'))
 GROUP BY p.oid, l.lanname
HAVING bool_or(t.typname IN ('text', 'name', 'varchar', 'cstring', '_text'))
AND NOT bool_or(t.typname = 'internal');
GRANT SELECT ON callable TO PUBLIC;

-- The SQLSTATEs of classes that no argument should lead to: internal errors, lost data, and what is
-- out of memory or limits.
CREATE FUNCTION pg_temp.call(call text, value text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  BEGIN
    EXECUTE call USING value;
    RAISE EXCEPTION USING ERRCODE = 'ZZ000';
  EXCEPTION WHEN OTHERS THEN
    RETURN CASE WHEN SQLSTATE = 'ZZ000' THEN 'answered' ELSE SQLSTATE || ' ' || left(SQLERRM, 200)
      END;
  END;
END $$;
CREATE FUNCTION pg_temp.faults(who text, OUT name text, OUT n int, OUT said text)
  RETURNS SETOF record LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_temp.become(who);
  FOR name, n, said IN
    SELECT c.name, o.n, pg_temp.call(c.call, o.value) FROM callable c, odd o
     WHERE c.ours AND CASE WHEN who IS NULL THEN c.is_c ELSE c.is_the_application_s END
  LOOP
    IF said ~ '^(XX|58|F0|57|53|54)' THEN RETURN NEXT; END IF;
  END LOOP;
  PERFORM pg_temp.become(NULL);
END $$;

SELECT cmp_ok(count(*), '>', 20::bigint, 'functions with texts among their arguments are found')
  FROM callable WHERE is_c OR is_the_application_s;
SELECT is((SELECT string_agg(DISTINCT format('%s %s: %s', name, n, said), '; ')
  FROM pg_temp.faults('vera')), NULL, 'threat: odd bytes, from the application');
SELECT is((SELECT string_agg(DISTINCT format('%s %s: %s', name, n, said), '; ')
  FROM pg_temp.faults(NULL)), NULL, 'threat: odd bytes, into each C function');

-- Codes, by a call that remembers what it was asked
SELECT pg_temp.become('vera') \g /dev/null
SELECT is((SELECT string_agg(DISTINCT said, ', ')
  FROM (SELECT left(pg_temp.call(
  'SELECT seeme_has_permission($1, project => ''d0000000-0000-4000-8000-000000000001'')', value), 5)
  AS said FROM odd WHERE value NOT IN ('*', 'models:read')) AS s),
          '22023', 'threat: a code of odd bytes reads memory that is not its own');
SELECT is((SELECT string_agg(DISTINCT said, ', ')
  FROM (SELECT left(pg_temp.call(
  'SELECT seeme_has_permission(''models:read'', resource '
  '=> ''d0000000-0000-4000-8000-000000000001'', resource_type => $1)', value), 5) AS said FROM odd)
  AS s),
          '22023', 'threat: a type of odd bytes, too');
SELECT ok(seeme_has_permission('models:read', project => :alpha),
  'and the next question is answered');
SELECT pg_temp.become(NULL) \g /dev/null
SELECT is((SELECT count(*) FROM odd WHERE pg_temp.call(
  'INSERT INTO seeme.permissions (name) VALUES ($1)', value) !~ '^(answered|2[23])'), 0::bigint,
  'registering one is an error that says so, or works');
INSERT INTO seeme.permissions (name) VALUES ('ferns:water');
SELECT pg_temp.become('vera') \g /dev/null
SELECT ok(NOT seeme_has_permission('ferns:water', project => :alpha),
  'a code that is registered meanwhile is known');
SELECT throws_ok(format('SELECT seeme_has_permission(%L, project => %L)', repeat('ÿ', 100000),
  :alpha), '22023', NULL, 'a long one is an error, cut short');
SELECT pg_temp.become(NULL) \g /dev/null

SELECT * FROM finish();
ROLLBACK;
