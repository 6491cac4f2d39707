\i test/include/prelude.psql
-- What seeme_security_report() finds in what may be looked up in indexes (doc/search.md), and the notice of seeme_protect.
SET client_min_messages = error;
CREATE EXTENSION IF NOT EXISTS citext;
BEGIN;
\i test/include/security_report.psql
SELECT plan(24);
CREATE ROLE r_app LOGIN;
SELECT seeme_grant_usage('r_app') \g /dev/null
SELECT format('DATABASE %I', current_database()) AS here \gset
CREATE SCHEMA r_own;
CREATE FUNCTION r_own.score(text) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT length($1)';

SELECT is(pg_temp.lines(), NULL, 'a database as it should be has no findings');
SELECT pg_temp.both_ways('function is LEAKPROOF', 'medium', 'textlike(text,text)', 'ALTER FUNCTION pg_catalog.textlike(text, text) LEAKPROOF', 'as is published, so that LIKE uses its index');
SELECT pg_temp.both_ways('function is LEAKPROOF', 'medium', 'public.citext_eq(public.citext,public.citext)', 'ALTER FUNCTION citext_eq(citext, citext) LEAKPROOF', 'of an extension');
SAVEPOINT marked;
ALTER FUNCTION pg_catalog.textlike(text, text) LEAKPROOF;
SELECT matches((SELECT remedy FROM pg_temp.report() WHERE object = 'textlike(text,text)'), 'search_operators', 'the remedy names what does the same for protected tables alone');
ROLLBACK TO marked;

SELECT is(pg_temp.found('SELECT seeme_trust_function(''r_own.score(text)'')'), NULL, 'a function that is trusted');
SELECT pg_temp.both_ways('trust has ended', 'low', 'r_own.score(pg_catalog.text)', 'SELECT seeme_trust_function(''r_own.score(text)''); CREATE OR REPLACE FUNCTION r_own.score(text) RETURNS integer LANGUAGE sql IMMUTABLE AS ''SELECT 1''', 'another body');
SELECT pg_temp.both_ways('trust has ended', 'low', 'r_own.score(pg_catalog.text)', 'SELECT seeme_trust_function(''r_own.score(text)''); ALTER FUNCTION r_own.score(text) OWNER TO r_app', 'another owner');
SELECT pg_temp.both_ways('trust has ended', 'low', 'r_own.score(pg_catalog.text)', 'SELECT seeme_trust_function(''r_own.score(text)''); ALTER FUNCTION r_own.score(text) VOLATILE', 'another volatility');
SELECT pg_temp.both_ways('trust has ended', 'low', 'r_own.score(pg_catalog.text)', 'SELECT seeme_trust_function(''r_own.score(text)''); DROP FUNCTION r_own.score(text)', 'dropped');
SELECT pg_temp.both_ways('trust has ended', 'low', 'r_own.score(pg_catalog.text)', 'SELECT seeme_trust_function(''r_own.score(text)''); CREATE OR REPLACE FUNCTION r_own.score(text) RETURNS integer LANGUAGE sql IMMUTABLE AS ''SELECT 1''', 'trusted again',
  'SELECT seeme_trust_function(''r_own.score(text)'')');

SELECT pg_temp.both_ways('search operators are looked up in indexes', 'low', :'here', 'ALTER ' || :'here' || ' SET seeme_rbac.search_operators = on', 'for the database');
SELECT pg_temp.both_ways('search operators are looked up in indexes', 'low', 'ROLE r_app', 'ALTER ROLE r_app SET seeme_rbac.search_operators = on', 'for a role');
SELECT is(pg_temp.found('ALTER ROLE r_app SET seeme_rbac.search_operators = off'), NULL, 'switched off');
SELECT pg_temp.both_ways('setting is granted', 'critical', 'parameter seeme_rbac.search_operators', 'GRANT SET ON PARAMETER seeme_rbac.search_operators TO r_app', 'the application may switch it on');

-- The notice
CREATE TABLE r_doc (id uuid, project_id uuid, title text, tags text[], at timestamptz, place point, meta jsonb);
CREATE INDEX ON r_doc (project_id);
CREATE INDEX ON r_doc (at);
SET LOCAL client_min_messages = notice;
\set VERBOSITY terse
\echo without:
SELECT seeme_protect('r_doc', 'models', project_column => 'project_id') \g /dev/null
SELECT seeme_unprotect('r_doc') \g /dev/null
CREATE INDEX r_by_tags ON r_doc USING gin (tags);
CREATE INDEX r_by_title ON r_doc (title text_pattern_ops);
CREATE INDEX r_by_place ON r_doc USING gist (place);
CREATE INDEX r_by_meta ON r_doc USING gin (meta);
\echo with:
SELECT seeme.note_search_indexes('r_doc') \g /dev/null
SELECT seeme_protect('r_doc', 'models', project_column => 'project_id') \g /dev/null
SELECT seeme_unprotect('r_doc') \g /dev/null
\echo on:
SET LOCAL seeme_rbac.search_operators = on;
SELECT seeme_protect('r_doc', 'models', project_column => 'project_id') \g /dev/null
\echo end

SELECT * FROM finish();
ROLLBACK;
DROP EXTENSION citext;
