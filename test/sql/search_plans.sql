\i test/include/prelude.psql
-- Which indexes are used for what a query on a protected table asks, by somebody who sees most of it; and that plans end with what they were
-- made by: the setting, trust in a function, an index.
CREATE EXTENSION IF NOT EXISTS citext;
CREATE EXTENSION IF NOT EXISTS pg_trgm;
BEGIN;
\i test/include/people.psql
SELECT plan(39);
CREATE TYPE t_mood AS ENUM ('sad', 'calm', 'happy');
CREATE TABLE t_doc (id integer PRIMARY KEY, project_id uuid NOT NULL, amount numeric, mood t_mood, title text, mail citext, meta jsonb, tags text[], span int4range, ip inet, words tsvector, at timestamptz, place point, body text);
INSERT INTO t_doc
SELECT n, CASE n % 4 WHEN 0 THEN :delta::uuid WHEN 1 THEN :alpha ELSE :gamma END, n, CASE WHEN n % 5000 = 1 THEN 'calm' ELSE 'sad' END::t_mood, 'title ' || md5(n::text), 'mail' || n, jsonb_build_object('n', n, 'k', 'v' || n),
       ARRAY['tag' || n], int4range(n, n + 2), '10.0.0.0'::inet + n, to_tsvector('simple', 'word' || n), '2020-01-01Z'::timestamptz + n * interval '1 hour', point(n, n), 'word' || n
  FROM generate_series(1, 20000) AS n;
CREATE INDEX t_doc_project ON t_doc (project_id);
CREATE INDEX i_amount ON t_doc (amount);
CREATE INDEX i_mood ON t_doc (mood);
CREATE INDEX i_mail ON t_doc (mail);
CREATE INDEX i_lower ON t_doc (lower(title));
CREATE INDEX i_pattern ON t_doc (title text_pattern_ops);
CREATE INDEX i_trigram ON t_doc USING gin (title gin_trgm_ops);
CREATE INDEX i_key ON t_doc ((meta ->> 'k'));
CREATE INDEX i_number ON t_doc (((meta ->> 'n')::integer));
CREATE INDEX i_meta ON t_doc USING gin (meta);
CREATE INDEX i_tags ON t_doc USING gin (tags);
CREATE INDEX i_span ON t_doc USING gist (span);
CREATE INDEX i_ip ON t_doc USING gist (ip inet_ops);
CREATE INDEX i_words ON t_doc USING gin (words);
CREATE INDEX i_at ON t_doc (at);
CREATE INDEX i_place ON t_doc USING gist (place);
CREATE INDEX i_body ON t_doc USING gin (to_tsvector('simple', body));
ANALYZE t_doc;
SET LOCAL client_min_messages = error;
SELECT seeme_protect('t_doc', 'models', project_column => 'project_id') \g /dev/null
SET LOCAL client_min_messages = warning;
GRANT SELECT ON t_doc TO t_app;

-- The indexes in somebody's plan
CREATE FUNCTION pg_temp.indexes(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  plan jsonb;
BEGIN
  PERFORM pg_temp.become('vera');
  EXECUTE 'EXPLAIN (FORMAT json, COSTS OFF) ' || statement INTO plan;
  PERFORM pg_temp.become(NULL);
  RETURN (SELECT string_agg(DISTINCT i #>> '{}', ', ') FROM jsonb_path_query(plan, '$.**."Index Name"') AS i WHERE i #>> '{}' LIKE 'i\_%');
END $$;
CREATE FUNCTION pg_temp.rows(statement text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  n bigint;
BEGIN
  PERFORM pg_temp.become('vera');
  EXECUTE statement INTO n;
  PERFORM pg_temp.become(NULL);
  RETURN n;
END $$;

CREATE TEMP TABLE question (n serial, condition text, index text, searches boolean);
INSERT INTO question (condition, index, searches) VALUES
  ('amount = 4001', 'i_amount', false), ('amount BETWEEN 100 AND 120', 'i_amount', false), ('mood = ''calm''', 'i_mood', false), ('mail = ''MAIL77''', 'i_mail', false),
  ('lower(title) = lower(''TITLE c4ca4238a0b923820dcc509a6f75849b'')', 'i_lower', false), ('meta ->> ''k'' = ''v77''', 'i_key', false), ('(meta ->> ''n'')::integer = 77', 'i_number', false),
  ('at >= ''2020-01-05''::date AND at < ''2020-01-06''::date', 'i_at', false),
  ('title LIKE ''title c4ca4%''', 'i_pattern', true), ('title ILIKE ''%C4CA4238%''', 'i_trigram', true), ('meta @> ''{"n": 77}''', 'i_meta', true), ('tags @> ''{tag77}''', 'i_tags', true), ('tags && ''{tag77,tag81}''', 'i_tags', true),
  ('span && int4range(77, 79)', 'i_span', true), ('ip << ''10.0.0.64/27''', 'i_ip', true), ('words @@ to_tsquery(''simple'', ''word77'')', 'i_words', true), ('place <@ box(point(70, 70), point(80, 80))', 'i_place', true);

SELECT is(pg_temp.indexes('SELECT * FROM t_doc WHERE ' || condition), CASE WHEN searches THEN NULL ELSE index END, format('%s: %s', condition, CASE WHEN searches THEN 'only where a superuser says so' ELSE 'by its index' END)) FROM question ORDER BY n;
SET LOCAL seeme_rbac.search_operators = on;
SELECT is(pg_temp.indexes('SELECT * FROM t_doc WHERE ' || condition), index, condition || ': by its index, with search operators on') FROM question WHERE searches ORDER BY n;
CREATE FUNCTION pg_temp.all_rows(statement text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  n bigint;
BEGIN
  EXECUTE statement INTO n;
  RETURN n;
END $$;
SELECT is((SELECT string_agg(condition, ', ') FROM question WHERE pg_temp.rows('SELECT count(*) FROM t_doc WHERE ' || condition)
             <> pg_temp.all_rows(format('SELECT count(*) FROM t_doc WHERE project_id <> ''d0000000-0000-4000-8000-000000000004'' AND (%s)', condition))), NULL,
          'and what is found is what is seen');

-- Plans end with what they were made by
SET LOCAL plan_cache_mode = force_generic_plan;
PREPARE by_pattern (text) AS SELECT count(*) FROM t_doc WHERE title LIKE $1;
PREPARE by_tag AS SELECT count(*) FROM t_doc WHERE tags @> '{tag77}';
PREPARE by_number AS SELECT count(*) FROM t_doc WHERE (meta ->> 'n')::integer = 77;
PREPARE by_body AS SELECT count(*) FROM t_doc WHERE to_tsvector('simple', body) @@ 'word77'::tsquery;
SELECT is(pg_temp.indexes('EXECUTE by_tag'), 'i_tags', 'a prepared statement');
SELECT matches(pg_temp.indexes('EXECUTE by_pattern (''title c4ca4%'')'), 'i_trigram|i_pattern', 'one with a pattern that is not known when it is planned');
SELECT is(pg_temp.rows('EXECUTE by_pattern (''title c4ca4%'')'), 1::bigint, 'which finds what is seen');
SELECT throws_ok('SELECT pg_temp.rows(''EXECUTE by_pattern (''''title c4\'''')'')', '22025', 'LIKE pattern must not end with escape character', 'threat: a pattern that ends within an escape, in a plan that was made for any');
SELECT throws_ok('SELECT pg_temp.rows(''EXECUTE by_pattern (''''nothing\'''')'')', '22025', 'LIKE pattern must not end with escape character', 'whatever the rows');
RESET seeme_rbac.search_operators;
SELECT is(pg_temp.indexes('EXECUTE by_tag'), NULL, 'threat: a plan outlives the setting that it was made under');
SELECT is(pg_temp.indexes('EXECUTE by_body'), NULL, 'to_tsvector is not trusted by itself');
SET LOCAL seeme_rbac.search_operators = on;
SELECT is(pg_temp.indexes('EXECUTE by_body'), NULL, 'nor with search operators on');
SELECT seeme_trust_function('to_tsvector(regconfig,text)') \g /dev/null
SELECT is(pg_temp.indexes('EXECUTE by_body'), 'i_body', 'but by a superuser who says so');
SELECT seeme_distrust_function('to_tsvector(regconfig,text)') \g /dev/null
SELECT is(pg_temp.indexes('EXECUTE by_body'), NULL, 'threat: a plan outlives the trust that it was made under');
SELECT is(pg_temp.indexes('EXECUTE by_number'), 'i_number', 'a plan by an expression of an index');
DROP INDEX i_number;
INSERT INTO t_doc VALUES (20004, :delta, 1, 'sad', 'secret', 'x', '{"n": "no number"}');
SELECT is(pg_temp.rows('EXECUTE by_number'), 1::bigint, 'threat: a plan outlives the index, and fails for a hidden row');

SELECT * FROM finish();
ROLLBACK;
DROP EXTENSION citext, pg_trgm;
