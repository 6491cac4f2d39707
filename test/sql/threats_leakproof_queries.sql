\i test/include/prelude.psql
-- Attacks by whole queries: each is asked twice by somebody who may not see a row, and the row has other values the second time. Rows, errors,
-- and the calls of the attacker's own functions have to be the same.
CREATE EXTENSION IF NOT EXISTS citext;
BEGIN;
\i test/include/people.psql
SELECT plan(13);
CREATE TABLE t_doc (id integer PRIMARY KEY, project_id uuid, amount numeric, title text, meta jsonb, tags text[], mail citext, words tsvector, at timestamptz DEFAULT now(), nr text);
INSERT INTO t_doc
SELECT n, CASE WHEN n % 2 = 0 THEN :alpha::uuid ELSE :gamma::uuid END, n % 100 + 100, 'seen ' || n, jsonb_build_object('n', n::text), ARRAY['seen'], 'seen' || n, to_tsvector('simple', 'seen w' || n), now(), n::text FROM generate_series(1, 2000) AS n;
CREATE INDEX ON t_doc (project_id);
CREATE INDEX ON t_doc (amount);
CREATE INDEX ON t_doc (mail);
CREATE INDEX ON t_doc (lower(title));
CREATE INDEX ON t_doc (title text_pattern_ops);
CREATE INDEX ON t_doc (((meta ->> 'n')::integer)) WHERE id <= 9000;
CREATE INDEX ON t_doc USING gin (meta);
CREATE INDEX ON t_doc USING gin (tags);
CREATE INDEX ON t_doc USING gin (words);
SELECT seeme_protect('t_doc', 'models', project_column => 'project_id') \g /dev/null
GRANT SELECT ON t_doc TO t_app;

-- What the attacker makes: functions that count their calls, cheap and said to be immutable, and operators of them
CREATE SCHEMA t_own AUTHORIZATION t_vera;
CREATE SEQUENCE t_own.calls;
ALTER SEQUENCE t_own.calls OWNER TO t_vera;
SELECT pg_temp.become('vera');
CREATE FUNCTION t_own.peek(text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE COST 0.0001 AS $$ BEGIN IF $1 LIKE 'secret%' THEN PERFORM nextval('t_own.calls'); END IF; RETURN true; END $$;
CREATE FUNCTION t_own.count() RETURNS boolean LANGUAGE plpgsql STABLE COST 0.0001 AS $$ BEGIN PERFORM nextval('t_own.calls'); RETURN true; END $$;
CREATE FUNCTION t_own.same(text, text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE COST 0.0001 AS $$ BEGIN IF $1 LIKE 'secret%' OR $2 LIKE 'secret%' THEN PERFORM nextval('t_own.calls'); END IF; RETURN $1 = $2; END $$;
CREATE FUNCTION t_own.same(numeric, numeric) RETURNS boolean LANGUAGE plpgsql IMMUTABLE COST 0.0001 AS $$ BEGIN IF 42.5 IN ($1, $2) THEN PERFORM nextval('t_own.calls'); END IF; RETURN $1 = $2; END $$;
CREATE OPERATOR t_own.=== (FUNCTION = t_own.same, LEFTARG = text, RIGHTARG = text, RESTRICT = eqsel, JOIN = eqjoinsel);
CREATE OPERATOR t_own.=== (FUNCTION = t_own.same, LEFTARG = numeric, RIGHTARG = numeric, RESTRICT = eqsel, JOIN = eqjoinsel);
CREATE OPERATOR t_own.<<< (FUNCTION = t_own.same, LEFTARG = numeric, RIGHTARG = numeric, RESTRICT = scalarltsel, JOIN = scalarltjoinsel);
SELECT pg_temp.become(NULL);

CREATE TEMP TABLE attack (n serial, statement text);
INSERT INTO attack (statement) VALUES
  -- patterns
  ('SELECT count(*) FROM t_doc WHERE title LIKE ''secret\'''),
  ('SELECT count(*) FROM t_doc WHERE title LIKE ''%cret\'''),
  ('SELECT count(*) FROM t_doc WHERE title ILIKE ''SEC%\'''),
  ('SELECT count(*) FROM t_doc WHERE title NOT LIKE ''secret\'''),
  ('SELECT count(*) FROM t_doc WHERE title LIKE ANY (''{a%,secret\\}'')'),
  ('SELECT count(*) FROM t_doc WHERE title LIKE (SELECT ''secret\'')'),
  ('SELECT count(*) FROM t_doc WHERE mail LIKE ''secret\'''),
  ('SELECT count(*) FROM t_doc WHERE title LIKE current_setting(''a.pattern'')'),
  ('SELECT count(*) FROM t_doc, (VALUES (''secret\'')) AS p (p) WHERE title LIKE p'),
  ('SELECT count(*) FROM t_doc WHERE title SIMILAR TO ''secret('''),
  ('SELECT count(*) FROM t_doc WHERE title ~ ''secret'' AND amount = 42.5'),
  -- conditions that fail for one row
  ('SELECT count(*) FROM t_doc WHERE 1 / (amount - 42.5) > 0'),
  ('SELECT count(*) FROM t_doc WHERE (meta ->> ''n'')::integer = 1'),
  ('SELECT count(*) FROM t_doc WHERE nr::integer = 1'),
  ('SELECT count(*) FROM t_doc WHERE amount = 1 OR nr::integer = 5'),
  -- what fails for all rows, where it depends on a row whether it is evaluated
  ('SELECT count(*) FROM t_doc WHERE amount = 42.5 AND 1 / (SELECT 0) = 1'),
  ('SELECT count(*) FROM t_doc WHERE amount = 42.5 AND id = 1 / (SELECT 0)'),
  ('SELECT count(*) FROM t_doc WHERE amount = 42.5 AND id = 1 / current_setting(''a.zero'')::integer'),
  ('SELECT count(*) FROM t_doc WHERE amount <> 42.5 OR id = 1 / current_setting(''a.zero'')::integer'),
  ('SELECT count(*) FROM t_doc WHERE CASE WHEN amount = 42.5 THEN 1 / (SELECT 0) ELSE 1 END = 2'),
  ('SELECT count(*) FROM t_doc WHERE CASE WHEN amount = 42.5 THEN 1 / current_setting(''a.zero'')::integer ELSE 1 END = 2'),
  ('SELECT count(*) FROM t_doc WHERE coalesce(nullif(amount, 42.5), 1 / current_setting(''a.zero'')::integer) = 2'),
  ('SELECT count(*) FROM t_doc WHERE (amount, id) < (42.5, 1 / current_setting(''a.zero'')::integer)'),
  ('SELECT count(*) FROM t_doc WHERE amount = 42.5 AND at > now() - current_setting(''a.long'')::interval'),
  ('SELECT count(*) FROM t_doc WHERE mail = ''secret@example.com'' AND title LIKE current_setting(''a.pattern'')'),
  ('SELECT count(*) FROM t_doc WHERE meta @> ''{"secret": 1}'' AND at > now() - current_setting(''a.long'')::interval'),
  ('SELECT count(*) FROM t_doc WHERE tags @> ''{secret}'' AND title = (SELECT (1 / count(*) * 0)::text FROM generate_series(1, 0))'),
  ('SELECT count(*) FROM t_doc d WHERE amount = 42.5 AND EXISTS (SELECT FROM generate_series(1, 2) g WHERE 1 / (g - 1) = d.id)'),
  ('SELECT count(*) FROM t_doc d WHERE amount = 42.5 AND id = (SELECT g FROM generate_series(1, 1 + (d.id > 5000)::integer) g)'),
  ('SELECT count(*) FROM t_doc d WHERE id = (SELECT 1 FROM generate_series(1, CASE WHEN d.amount = 42.5 THEN 2 ELSE 1 END))'),
  ('SELECT (SELECT max(1 / (d.amount - 42.5)) FROM t_doc d)'),
  ('SELECT count(*) FROM (SELECT 1 / (amount - 42.5) AS y FROM t_doc GROUP BY 1) AS s WHERE y = 1'),
  ('SELECT count(*) FROM (SELECT DISTINCT nr::integer AS y FROM t_doc) AS s WHERE y = 1'),
  ('SELECT count(*) FROM t_doc a JOIN t_doc b ON a.id = b.nr::integer WHERE a.amount = 100'),
  ('SELECT count(*) FROM t_doc a LEFT JOIN t_doc b ON a.amount = b.amount AND 1 / (b.amount - 42.5) > 0 WHERE a.id < 10'),
  ('SELECT count(*) FROM generate_series(1, 3) g LEFT JOIN t_doc d ON d.amount = 42.5 + g * 0 AND g = 1 / current_setting(''a.zero'')::integer'),
  ('SELECT amount, count(*) FROM t_doc GROUP BY amount HAVING 1 / (amount - 42.5) > 100'),
  -- functions and operators of the attacker's own
  ('SELECT count(*) FROM t_doc WHERE t_own.peek(title)'),
  ('SELECT count(*) FROM t_doc WHERE amount = 42.5 AND t_own.peek(title)'),
  ('SELECT count(*) FROM t_doc WHERE amount = 42.5 AND t_own.count()'),
  ('SELECT count(*) FROM t_doc WHERE amount <> 42.5 OR t_own.count()'),
  ('SELECT count(*) FROM t_doc WHERE mail = ''secret@example.com'' AND t_own.count()'),
  ('SELECT count(*) FROM t_doc WHERE tags @> ''{secret}'' AND t_own.count() IS NOT NULL'),
  ('SELECT count(*) FROM t_doc WHERE amount = 42.5 AND (SELECT t_own.count())'),
  ('SELECT count(*) FROM t_doc WHERE amount <> 42.5 OR (SELECT t_own.count())'),
  ('SELECT count(*) FROM t_doc WHERE amount = 42.5 AND EXISTS (SELECT WHERE t_own.count())'),
  ('SELECT count(*) FROM t_doc WHERE amount = 42.5 AND id IN (SELECT t_own.count()::integer)'),
  ('SELECT count(*) FROM t_doc WHERE amount = 42.5 AND (id = 5 OR id IN (SELECT t_own.count()::integer))'),
  ('SELECT count(*) FROM t_doc d WHERE amount = 42.5 AND (SELECT t_own.peek(d.title))'),
  ('SELECT count(*) FROM t_doc d, (SELECT t_own.count() AS y OFFSET 0) s WHERE amount = 42.5 AND s.y'),
  ('SELECT count(*) FROM t_doc d, LATERAL (SELECT t_own.peek(d.title) AS y OFFSET 0) s WHERE amount = 42.5 AND s.y'),
  ('SELECT count(*) FROM t_doc WHERE title OPERATOR(t_own.===) ''x'''),
  ('SELECT count(*) FROM t_doc WHERE amount OPERATOR(t_own.===) 1'),
  ('SELECT count(*) FROM t_doc WHERE amount OPERATOR(t_own.<<<) 1'),
  ('SELECT count(*) FROM t_doc WHERE amount = 42.5 AND title OPERATOR(t_own.===) ''x'''),
  ('SELECT count(*) FROM t_doc a JOIN t_doc b ON a.amount OPERATOR(t_own.===) b.amount WHERE a.id < 3 AND b.id < 3'),
  ('SELECT amount FROM t_doc GROUP BY amount HAVING amount OPERATOR(t_own.===) 1'),
  ('SELECT count(*) FROM (SELECT amount FROM t_doc GROUP BY amount) AS s WHERE amount OPERATOR(t_own.===) 1'),
  ('SELECT count(*) FROM (SELECT amount FROM t_doc LIMIT 5000) AS s WHERE amount OPERATOR(t_own.<<<) 1'),
  ('SELECT count(*) FROM (SELECT amount FROM t_doc OFFSET 0) AS s WHERE amount OPERATOR(t_own.<<<) 1'),
  ('WITH s AS MATERIALIZED (SELECT amount FROM t_doc) SELECT count(*) FROM s WHERE amount OPERATOR(t_own.===) 1'),
  ('SELECT count(*) FROM t_doc WHERE (SELECT amount OPERATOR(t_own.===) 1)'),
  ('SELECT (SELECT count(*) FROM t_doc WHERE amount OPERATOR(t_own.===) 1) + (SELECT count(*) FROM t_doc WHERE amount = 1)'),
  ('SELECT count(*) FILTER (WHERE amount OPERATOR(t_own.===) 1) FROM t_doc'),
  ('SELECT count(*) FROM (SELECT title FROM t_doc UNION SELECT ''x'') AS s WHERE t_own.peek(title)'),
  ('SELECT id FROM t_doc WHERE amount = 42.5 ORDER BY t_own.peek(title)');

-- What somebody sees of a statement: its rows or error, and the calls of their functions
CREATE FUNCTION pg_temp.seen(statement text, plan_only boolean) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  seen   text;
  before bigint := nextval('t_own.calls');
BEGIN
  PERFORM pg_temp.become('vera');
  BEGIN
    IF plan_only THEN
      EXECUTE 'EXPLAIN (COSTS OFF) ' || statement;
    ELSE
      EXECUTE format('SELECT string_agg(s::text, ''; '') FROM (%s) AS s', statement) INTO seen;
    END IF;
  EXCEPTION WHEN OTHERS THEN
    seen := SQLSTATE || ' ' || SQLERRM;
  END;
  PERFORM pg_temp.become(NULL);
  RETURN format('%s (%s calls)', seen, nextval('t_own.calls') - before - 1);
END $$;

CREATE FUNCTION pg_temp.hide(secret boolean) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM t_doc WHERE id > 9000;
  INSERT INTO t_doc SELECT n, 'd0000000-0000-4000-8000-000000000004', CASE WHEN secret THEN 42.5 ELSE 150 END, CASE WHEN secret THEN 'secret' ELSE 'seen 9' END,
                           CASE WHEN secret THEN '{"secret": 1, "n": "no number"}' ELSE '{"n": "1"}' END::jsonb, CASE WHEN secret THEN '{secret}' ELSE '{seen}' END::text[],
                           CASE WHEN secret THEN 'Secret@example.com' ELSE 'seen9' END, CASE WHEN secret THEN 'secret' ELSE 'seen' END::tsvector, now(), CASE WHEN secret THEN 'no number' ELSE '1' END
    FROM generate_series(9001, 9300) AS n;
  ANALYZE t_doc;
END $$;
SET LOCAL a.zero = '0';
SET LOCAL a.pattern = 'secret\';
SET LOCAL a.long = '100000000 years';
SET LOCAL seeme_rbac.search_operators = on;
CREATE TEMP TABLE answer (settings text, n integer, secret boolean, plan_only boolean, seen text);
CREATE FUNCTION pg_temp.ask(settings text, secret boolean) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  name text;
BEGIN
  FOREACH name IN ARRAY string_to_array(settings, ', ') LOOP
    PERFORM set_config(split_part(name, ' = ', 1), split_part(name, ' = ', 2), true);
  END LOOP;
  INSERT INTO answer SELECT settings, a.n, secret, p, pg_temp.seen(a.statement, p) FROM attack a, unnest('{f,t}'::boolean[]) AS p;
  FOREACH name IN ARRAY string_to_array(settings, ', ') LOOP
    EXECUTE format('RESET %s', split_part(name, ' = ', 1));
  END LOOP;
  SET LOCAL seeme_rbac.search_operators = on;
END $$;
CREATE TEMP TABLE setting AS SELECT unnest(ARRAY['geqo = on', 'enable_seqscan = off', 'enable_indexscan = off, enable_bitmapscan = off', 'enable_bitmapscan = off', 'seeme_rbac.enable_permission_scan = off', 'seeme_rbac.search_operators = off']) AS settings;
SELECT pg_temp.hide(true) \g /dev/null
SELECT pg_temp.ask(settings, true) FROM setting \g /dev/null
SELECT pg_temp.hide(false) \g /dev/null
SELECT pg_temp.ask(settings, false) FROM setting \g /dev/null

CREATE FUNCTION pg_temp.told(settings text, plan_only boolean) RETURNS text LANGUAGE sql AS $$
  SELECT string_agg(format('%s: %s, or %s', k.statement, a.seen, b.seen), E'\n' ORDER BY a.n)
    FROM answer a JOIN answer b USING (settings, n, plan_only) JOIN attack k USING (n)
   WHERE a.secret AND NOT b.secret AND a.seen <> b.seen AND a.settings = told.settings AND plan_only = told.plan_only
$$;
SELECT is(pg_temp.told(settings, false), NULL, 'threat: a query tells of rows that are hidden, with ' || settings) FROM setting;
SELECT is(pg_temp.told(settings, true), NULL, 'threat: planning it does, with ' || settings) FROM setting;
SELECT cmp_ok((SELECT count(*) FROM answer WHERE seen LIKE '22%'), '>', 50::bigint, 'some fail, for everybody or for rows that are seen');

SELECT * FROM finish();
ROLLBACK;
DROP EXTENSION citext;
