\i test/include/prelude.psql
-- What seeme_security_report() finds in how the sessions of application roles begin, and what
-- people may leave in them.
SET client_min_messages = error;
BEGIN;
\i test/include/security_report.psql
SELECT plan(45);

CREATE ROLE r_app LOGIN;
SELECT seeme_grant_usage('r_app') \g /dev/null
CREATE ROLE r_group;
CREATE ROLE r_other LOGIN;
SELECT seeme_grant_usage('r_group') \g /dev/null
GRANT r_group TO r_other;
CREATE ROLE r_bi LOGIN;
CREATE ROLE "r Odd ""one" LOGIN;
SELECT seeme_grant_usage('r Odd "one') \g /dev/null
CREATE ROLE r_etl BYPASSRLS;
SELECT format('DATABASE %I', current_database()) AS here, current_database() AS name,
  format('database %I', current_database()) AS object \gset

SELECT is(pg_temp.lines(), NULL, 'a database as it should be has no findings');

SELECT pg_temp.both_ways('application role may create temporary objects', 'low', :'object',
  'GRANT TEMPORARY ON ' || :'here' || ' TO PUBLIC', 'as PostgreSQL lets everybody');
SELECT pg_temp.both_ways('application role may create temporary objects', 'low', :'object',
  'GRANT TEMPORARY ON ' || :'here' || ' TO r_app', 'by a grant of its own');
SELECT pg_temp.both_ways('application role may create temporary objects', 'low', :'object',
  'GRANT TEMPORARY ON ' || :'here' || ' TO r_group', 'by a grant to what it is a member of');
SELECT pg_temp.both_ways('application role may create temporary objects', 'low', :'object',
  'GRANT TEMPORARY ON ' || :'here' || ' TO PUBLIC, r_app, "r Odd ""one"', 'by several');
SELECT is(pg_temp.found('GRANT TEMPORARY ON ' || :'here' || ' TO r_bi, r_etl'), NULL,
  'roles that do not use the extension, or bypass row security, may');
SELECT is(pg_temp.found('GRANT TEMPORARY ON ' || :'here' || ' TO r_app'),
          ARRAY['low | ' || :'object'
          || ' | application role may create temporary objects: while one person''s objects are '
             'left in a pooled connection, the next person is refused; r_app may by a grant to '
             'r_app'], 'who may, and by what, is said');
SELECT is(pg_temp.found('REVOKE ALL ON ' || :'here' || ' FROM PUBLIC'), NULL,
  'a database without any grant');

SELECT pg_temp.both_ways('library is not loaded when a session begins', 'medium', :'object',
  'ALTER ' || :'here' || ' RESET session_preload_libraries', 'nothing says that it is');
SELECT pg_temp.both_ways('library is not loaded when a session begins', 'medium', :'object',
  'ALTER ' || :'here' || ' SET session_preload_libraries = auto_explain, "$libdir/x"',
  'others are');
SELECT pg_temp.both_ways('library is not loaded when a session begins', 'medium', 'r_app',
  'ALTER ROLE r_app SET session_preload_libraries = auto_explain',
  'a role has a setting of its own');
SELECT pg_temp.both_ways('library is not loaded when a session begins', 'medium', 'r_app',
  'ALTER ROLE r_app SET session_preload_libraries = seeme_rbac; ALTER ROLE r_app IN ' || :'here'
  || ' SET session_preload_libraries = ''''', 'or one for this database');
SELECT pg_temp.both_ways('library is not loaded when a session begins', 'medium', '"r Odd ""one"',
  'ALTER ROLE "r Odd ""one" SET session_preload_libraries = ''''', 'a name that needs quoting');
SELECT is(pg_temp.found('ALTER ' || :'here' || ' SET session_preload_libraries = ' || value), NULL,
  'loaded: ' || value)
  FROM unnest(ARRAY['seeme_rbac', 'auto_explain, seeme_rbac', '"$libdir/seeme_rbac"',
  '''/usr/lib/seeme_rbac.so''']) AS value;
SELECT is(pg_temp.found('ALTER ROLE ALL SET session_preload_libraries = seeme_rbac; ALTER '
  || :'here' || ' RESET session_preload_libraries'), NULL, 'loaded for all roles of the server');
SELECT is(pg_temp.found(format(
  'ALTER %s RESET session_preload_libraries; ALTER ROLE r_app SET session_preload_libraries = '
  'seeme_rbac; ALTER ROLE %I SET session_preload_libraries = seeme_rbac; ALTER ROLE r_other SET '
  'session_preload_libraries = seeme_rbac', :'here', 'r Odd "one')), NULL,
          'loaded for each of the roles');
SELECT is(
  pg_temp.found(
  'ALTER ROLE r_bi SET session_preload_libraries = auto_explain; ALTER ROLE r_etl SET '
  'session_preload_libraries = auto_explain'), NULL, 'what other roles have does not matter');
SELECT is(pg_temp.found('ALTER ' || :'here' ||
  ' SET session_preload_libraries = not_seeme_rbac, seeme_rbac2'),
  ARRAY['medium | ' || :'object'
  || ' | library is not loaded when a session begins: until a person is named in the session, LOCK '
     'TABLE by "r Odd ""one", r_app, r_other may make all decisions wait'],
     'a library of a similar name is another one');

SELECT 'GRANT TEMPORARY ON ' || :'here' || ' ' AS temporary \gset
-- A foreign key runs functions of a role that makes tables, or triggers on tables of others
SELECT pg_temp.both_ways('library is not loaded when a session begins', 'high', :'object',
  'ALTER ' || :'here' || ' RESET session_preload_libraries; ' || statement, why,
  'ALTER ' || :'here' || ' SET session_preload_libraries = seeme_rbac; ' || undone)
  FROM (VALUES
    ('CREATE SCHEMA r_of_theirs; GRANT CREATE ON SCHEMA r_of_theirs TO PUBLIC',
     'DROP SCHEMA r_of_theirs',
     'threat: a foreign key runs a function of somebody who makes tables'),
    ('GRANT CREATE ON ' || :'here' || ' TO PUBLIC', 'REVOKE CREATE ON ' || :'here'
     || ' FROM PUBLIC', 'threat: a foreign key runs a function of somebody who makes schemas'),
    ('CREATE TABLE r_a (id integer PRIMARY KEY, a integer REFERENCES r_a); GRANT TRIGGER ON r_a '
     'TO PUBLIC; ' || :'temporary' || 'TO PUBLIC', 'DROP TABLE r_a; REVOKE TEMPORARY ON '
     || :'here' || ' FROM PUBLIC',
     'threat: a foreign key runs a trigger that somebody adds to a table'),
    ('CREATE TABLE r_a (); ALTER TABLE r_a OWNER TO r_app; GRANT r_app TO r_other, "r Odd ""one"; '
     || :'temporary' || 'TO r_app', 'DROP TABLE r_a; REVOKE TEMPORARY ON ' || :'here'
     || ' FROM r_app', 'threat: a foreign key runs a trigger of somebody who owns a table')
  ) AS v (statement, undone, why);
SELECT pg_temp.both_ways('library is not loaded when a session begins', 'high, medium', :'object',
  'ALTER ' || :'here' || ' RESET session_preload_libraries; CREATE SCHEMA r_of_theirs; '
  'GRANT CREATE ON SCHEMA r_of_theirs TO r_group', 'a member of a group that may make tables',
  'ALTER ' || :'here' || ' SET session_preload_libraries = seeme_rbac');
SELECT pg_temp.both_ways('library is not loaded when a session begins', 'high', 'r_app',
  'ALTER ROLE r_app SET session_preload_libraries = ''''; CREATE SCHEMA r_of_theirs; '
  'GRANT CREATE ON SCHEMA r_of_theirs TO r_app', 'a role with a setting of its own');
SELECT pg_temp.both_ways('library is not loaded when a session begins', 'medium', :'object',
  'ALTER ' || :'here' || ' RESET session_preload_libraries; CREATE TABLE r_a (id integer); '
  'GRANT ALL ON r_a TO PUBLIC; ' || :'temporary' || 'TO PUBLIC',
  'temporary tables load the library, and a table without a foreign key runs nothing',
  'ALTER ' || :'here' || ' SET session_preload_libraries = seeme_rbac; REVOKE TEMPORARY ON '
  || :'here' || ' FROM PUBLIC; DROP TABLE IF EXISTS r_a');
SELECT is(pg_temp.found('ALTER ' || :'here' || ' RESET session_preload_libraries; '
  'CREATE SCHEMA r_of_theirs; GRANT CREATE ON SCHEMA r_of_theirs TO r_group'),
  ARRAY['high | ' || :'object' || ' | library is not loaded when a session begins: until a person '
     'is named in the session, functions that a foreign key runs may read every row of protected '
     'tables, and LOCK TABLE by r_other may make all decisions wait',
    'medium | ' || :'object' || ' | library is not loaded when a session begins: until a person is '
     'named in the session, LOCK TABLE by "r Odd ""one", r_app may make all decisions wait'],
  'the finding names the roles that may make tables, and the others');

SELECT * FROM finish();
ROLLBACK;
