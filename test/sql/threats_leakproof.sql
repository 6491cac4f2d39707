\i test/include/prelude.psql
-- Attacks by conditions on rows that the asking person may not see: by what is left out of the lists on purpose, by indexes that do not
-- have every row, by what looks like something that is listed, and by trust that ended. See leakproof_operators.sql for the operators.
CREATE EXTENSION IF NOT EXISTS citext;
-- An index that could not be built stays, invalid.
CREATE TABLE t_doc (id integer PRIMARY KEY, project_id uuid, amount numeric, title text, meta jsonb, tags text[], mail citext, at timestamptz DEFAULT now());
INSERT INTO t_doc VALUES (-1, NULL, 1, 'twice', '{"n": "1"}'), (-2, NULL, 1, 'twice', '{"n": "1"}');
\set ON_ERROR_STOP false
SET client_min_messages = error;
CREATE UNIQUE INDEX CONCURRENTLY t_doc_invalid ON t_doc ((title::integer + 0));
CREATE UNIQUE INDEX CONCURRENTLY t_doc_twice ON t_doc ((length(title)));
SET client_min_messages = warning;
\set ON_ERROR_STOP true
BEGIN;
\i test/include/people.psql
SELECT plan(58);
DELETE FROM t_doc;
INSERT INTO t_doc (id, project_id, amount, title, meta, tags, mail)
SELECT n, :alpha, n, 'seen ' || n, jsonb_build_object('n', n::text), ARRAY['seen'], 'seen' || n FROM generate_series(1, 50) AS n;
-- The hidden row
INSERT INTO t_doc VALUES (1000, :delta, 42.5, 'secret', '{"n": "no number"}', '{secret}', 'Secret@example.com');
CREATE INDEX t_doc_on_partial ON t_doc (((meta ->> 'n')::integer)) WHERE id < 1000;
CREATE INDEX t_doc_on_lower ON t_doc (lower(title));
CREATE INDEX t_doc_on_amount ON t_doc (amount);
CREATE INDEX t_doc_on_words ON t_doc USING gin (to_tsvector('english', title));
CREATE INDEX t_doc_on_substring ON t_doc (substring(title FROM '[a-z]+'));
SELECT seeme_protect('t_doc', 'models', project_column => 'project_id') \g /dev/null
GRANT SELECT, UPDATE, DELETE ON t_doc TO t_app;

CREATE FUNCTION pg_temp.leak(condition text, search boolean = false, relation regclass = 't_doc') RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  PERFORM set_config('seeme_rbac.search_operators', search::text, true);
  RETURN seeme.leak_of_condition(relation, condition);
END $$;

-- Indexes
SELECT is(pg_temp.leak('lower(title) = ''x'''), 'none', 'an expression of an index, whose only fault is an error that no stored row raises');
SELECT is(pg_temp.leak('upper(title) = ''X'''), 'unknown', 'one of no index');
SELECT is(pg_temp.leak('(meta ->> ''n'')::integer = 1'), 'unknown', 'threat: an expression of a partial index fails for the rows outside it');
SELECT is(pg_temp.leak('length(title) = 5'), 'unknown', 'threat: an expression of an index that could not be built fails for the row because of which');
SELECT is(pg_temp.leak('to_tsvector(''english'', title) @@ ''x''::tsquery', true), 'unknown', 'threat: to_tsvector tells by a notice of each row with a very long word');
SELECT is(pg_temp.leak('substring(title FROM ''[a-z]+'') = ''x'''), 'unknown', 'regular expressions are left out, in indexes, too');
CREATE TABLE t_parent (id integer, title text);
CREATE TABLE t_child () INHERITS (t_parent);
CREATE INDEX ON t_parent ((title::integer));
SELECT is(pg_temp.leak('title::integer = 1', relation => 't_parent'), 'unknown', 'threat: the rows of a child are not in its parent''s index');
SELECT is(pg_temp.leak('title::integer = 1', relation => 't_child'), 'unknown', 'nor are they in one of their own');
CREATE TABLE t_parts (id integer, title text) PARTITION BY RANGE (id);
CREATE TABLE t_part PARTITION OF t_parts FOR VALUES FROM (0) TO (10);
CREATE INDEX t_on_part ON t_part ((title::integer));
SELECT is(pg_temp.leak('title::integer = 1', relation => 't_parts'), 'unknown', 'threat: an index of one partition has not the rows of the others');
CREATE INDEX ON t_parts ((title::integer));
SELECT is(pg_temp.leak('title::integer = 1', relation => 't_parts'), 'none', 'an index of the partitioned table has');
CREATE FOREIGN DATA WRAPPER t_fdw;
CREATE SERVER t_server FOREIGN DATA WRAPPER t_fdw;
CREATE FOREIGN TABLE t_far PARTITION OF t_parts FOR VALUES FROM (10) TO (20) SERVER t_server;
SELECT is(pg_temp.leak('title::integer = 1', relation => 't_parts'), 'unknown', 'threat: but not those of a partition that is a foreign table');

-- What looks like something that is listed
CREATE SCHEMA t_evil;
CREATE FUNCTION t_evil.lower(text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RAISE NOTICE '%', $1; RETURN $1; END $$;
CREATE INDEX t_doc_on_evil ON t_doc (t_evil.lower(title));
SELECT is(pg_temp.leak('t_evil.lower(title) = ''x'''), 'unknown', 'threat: a user''s function named as one of PostgreSQL''s, in an index');
DROP INDEX t_doc_on_evil;
CREATE FUNCTION t_evil.citext_eq(citext, citext) RETURNS boolean LANGUAGE c IMMUTABLE STRICT AS '$libdir/citext', 'citext_eq';
SELECT is(pg_temp.leak('t_evil.citext_eq(mail, ''x'')'), 'unknown', 'threat: a function that is like an extension''s, and does not belong to it');
ALTER FUNCTION citext_eq(citext, citext) OWNER TO t_adam;
SELECT is(pg_temp.leak('mail = ''x'''), 'unknown', 'threat: an extension''s function that was given to somebody who may replace it');
ALTER FUNCTION citext_eq(citext, citext) OWNER TO CURRENT_USER;
SELECT is(pg_temp.leak('mail = ''x'''), 'none', 'until it is taken back');
CREATE OPERATOR t_evil.=== (FUNCTION = numeric_eq, LEFTARG = numeric, RIGHTARG = numeric, RESTRICT = eqsel);
SELECT is(pg_temp.leak('amount OPERATOR(t_evil.===) 1'), 'none', 'an operator that a superuser made of a listed function');
ALTER OPERATOR t_evil.=== (numeric, numeric) OWNER TO t_adam;
SELECT is(pg_temp.leak('amount OPERATOR(t_evil.===) 1'), 'unknown', 'threat: one of somebody else, who says by what it is estimated and commuted');
-- A type, compared by whoever made it
CREATE TYPE t_pair AS (a integer, b integer);
CREATE FUNCTION t_evil.compare(t_pair, t_pair) RETURNS integer LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RAISE NOTICE '% %', $1, $2; RETURN 0; END $$;
CREATE FUNCTION t_evil.equal(t_pair, t_pair) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RAISE NOTICE '% %', $1, $2; RETURN true; END $$;
CREATE OPERATOR t_evil.= (FUNCTION = t_evil.equal, LEFTARG = t_pair, RIGHTARG = t_pair);
CREATE OPERATOR CLASS t_evil.pair_ops DEFAULT FOR TYPE t_pair USING btree AS OPERATOR 3 t_evil.=, FUNCTION 1 t_evil.compare(t_pair, t_pair);
CREATE TYPE t_pairs AS RANGE (subtype = t_pair);
CREATE TABLE t_made (id integer, pair t_pair, pairs t_pair[], span t_pairs, mood jsonb[]);
SELECT is(pg_temp.leak('pair = pair', relation => 't_made'), 'unknown', 'records are left out');
SELECT is(pg_temp.leak('pairs = pairs', relation => 't_made'), 'unknown', 'threat: an array of what a user''s operators compare');
SELECT is(pg_temp.leak('span = span', relation => 't_made'), 'unknown', 'threat: a range of it');
SELECT is(pg_temp.leak('mood = mood', relation => 't_made'), 'none', 'an array of what is listed is listed');

-- What has no column in it
SELECT is(pg_temp.leak('amount = 42.5 OR 1 / current_setting(''a.zero'')::integer = 1'), 'unknown', 'threat: whether the second is evaluated depends on the row''s first');
SELECT is(pg_temp.leak('CASE WHEN amount = 42.5 THEN 1 / current_setting(''a.zero'')::integer ELSE 1 END = 1'), 'unknown', 'threat: or on a condition of CASE');
SELECT is(pg_temp.leak('coalesce(amount, current_setting(''a.zero'')::numeric) = 1'), 'unknown', 'threat: or on whether a column is null');
SELECT is(pg_temp.leak('(amount, id) = (42.5, current_setting(''a.zero'')::integer)'), 'none once checked', 'which is evaluated beforehand where it is a condition by itself');
SELECT is(pg_temp.leak('(amount, id) < (42.5, current_setting(''a.zero'')::integer)'), 'unknown', 'threat: or on whether the first columns of a row comparison are equal');
SELECT is(pg_temp.leak('tags @> ARRAY[to_tsquery(current_setting(''a.words''))::text]', true), 'unknown', 'threat: to_tsquery tells by notices how often it was called');
SELECT is(pg_temp.leak('title LIKE ''x\'' ', true), 'unknown', 'threat: a pattern that ends within an escape');
SELECT is(pg_temp.leak('title LIKE ''x|'' ESCAPE ''|''', true), 'unknown', 'threat: in another''s escape, too');
SELECT is(pg_temp.leak('title LIKE ''x\'' ESCAPE ''''', true), 'none', 'where there is no escape, a backslash is one');
SELECT is(pg_temp.leak('title LIKE current_setting(''a.pattern'')', true), 'none once checked', 'a pattern that is not known yet is checked');
SELECT throws_ok('SELECT seeme.check_like_pattern(''x\''::text)', '22025', 'LIKE pattern must not end with escape character', 'which raises, whatever the rows');
SELECT throws_ok('SELECT seeme.check_like_pattern(repeat(''a%'', 5000))', '54001', NULL, 'threat: a pattern so deep that the stack ends for a row that matches it');
SELECT throws_ok('SELECT seeme.check_search_pattern((repeat(''['', 1000) || repeat('']'', 1000))::jsonb)', '54001', NULL, 'a jsonb, too');
SELECT is(seeme.check_search_pattern('{"a": 1}'::jsonb) AND seeme.check_search_pattern('a & b'::tsquery), true, 'others are good');
SELECT is(pg_temp.leak('title LIKE ' || quote_literal(repeat('a%', 5000)), true), 'unknown', 'and one that is known is not taken');
SELECT is(pg_temp.leak('tags && ARRAY[title]', true), 'unknown', 'what is searched for is not of the row');

SELECT is(pg_temp.leak('tags[1] = ''x'' AND project_id = seeme_user_id()'), 'none', 'an element, and who is asking');
SELECT is(pg_temp.leak('tags[1:2] = ''{x}'''), 'unknown', 'no slice');

-- The setting
SELECT pg_temp.become('vera');
SELECT throws_ok('SET seeme_rbac.search_operators = on', '42501', NULL, 'threat: the application switches search operators on');
SELECT throws_ok('SELECT seeme_trust_function(''lower(text)'')', '42501', NULL, 'threat: or trusts a function');
SELECT throws_ok('SELECT seeme.leak_of_condition(''t_doc'', ''true'')', '42501', NULL, 'nor does it ask');
SELECT pg_temp.become(NULL);

-- Trust
CREATE FUNCTION t_evil.score(text) RETURNS integer LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN length($1); END';
CREATE FUNCTION pg_temp.trusted() RETURNS text LANGUAGE sql AS $$ SELECT pg_temp.leak('t_evil.score(title) = 6') $$;
SELECT is(pg_temp.trusted(), 'unknown', 'a function that nobody trusts');
SET LOCAL client_min_messages = error;
SELECT seeme_trust_function('t_evil.score(text)') \g /dev/null
SELECT is(pg_temp.trusted(), 'none', 'one that a superuser trusts');
SELECT is((SELECT command FROM seeme.audit_log WHERE table_name = 'trusted_functions' AND row_id = 't_evil.score(pg_catalog.text)'), 'INSERT', 'which the log says');
SAVEPOINT before;
CREATE OR REPLACE FUNCTION t_evil.score(text) RETURNS integer LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RAISE NOTICE ''%'', $1; RETURN 1; END';
SELECT is(pg_temp.trusted(), 'unknown', 'threat: it is replaced by one that tells');
ROLLBACK TO before;
SELECT is(pg_temp.trusted(), 'none', '(as it was)');
ALTER FUNCTION t_evil.score(text) OWNER TO t_adam;
SELECT is(pg_temp.trusted(), 'unknown', 'threat: it is given to somebody who may replace it');
ROLLBACK TO before;
ALTER FUNCTION t_evil.score(text) SET search_path = t_evil;
SELECT is(pg_temp.trusted(), 'unknown', 'threat: it is told to look for what it calls elsewhere');
ROLLBACK TO before;
DROP FUNCTION t_evil.score(text);
CREATE FUNCTION t_evil.score(text) RETURNS integer LANGUAGE plpgsql STABLE AS 'BEGIN RETURN length($1); END';
SELECT is(pg_temp.trusted(), 'unknown', 'threat: it is dropped, and another made under its name');
ROLLBACK TO before;
CREATE ROLE t_super SUPERUSER;
ALTER FUNCTION t_evil.score(text) OWNER TO t_super;
SELECT seeme_trust_function('t_evil.score(text)') \g /dev/null
SELECT is(pg_temp.trusted(), 'none', 'one of another superuser');
ALTER ROLE t_super NOSUPERUSER;
SELECT is(pg_temp.trusted(), 'unknown', 'threat: its owner is a superuser no more');
ROLLBACK TO before;
SELECT seeme_distrust_function('t_evil.score(text)') \g /dev/null
SELECT is(pg_temp.trusted(), 'unknown', 'trust that was taken back');
ROLLBACK TO before;
DELETE FROM seeme.trusted_functions;
SELECT is(pg_temp.trusted(), 'unknown', 'or removed by hand');
SELECT is((SELECT count(*) FROM seeme.trusted_functions), 0::bigint, 'there is no other list of it');
SELECT throws_like('SELECT seeme_trust_function(''random()'')', '%it is volatile%', 'what is volatile cannot be trusted');
SELECT throws_like('SELECT seeme_trust_function(''count(*)'')', '%', 'nor an aggregate');
ALTER FUNCTION t_evil.score(text) OWNER TO t_adam;
SELECT throws_like('SELECT seeme_trust_function(''t_evil.score(text)'')', '%is no superuser and may replace it%', 'nor what is not a superuser''s');

SELECT * FROM finish();
ROLLBACK;
DROP TABLE t_doc;
DROP EXTENSION citext;
