-- System roles (seeme_grant_system): what a migration or a background job can do, and who must not
-- get there.
\i test/include/prelude.psql
BEGIN;
\i test/include/security_report.psql
\i test/include/people.psql
\i test/include/asking.psql
SELECT plan(75);

CREATE FUNCTION pg_temp.is_system(name) RETURNS boolean LANGUAGE sql
RETURN (SELECT r.rolbypassrls FROM pg_roles r WHERE r.rolname = $1)
   AND EXISTS (SELECT FROM seeme.system_roles() s WHERE s.role = (
     SELECT r.oid FROM pg_roles r WHERE r.rolname = $1));
-- The notices of a statement are not shown, so that the plan of the tests stays readable.
SET client_min_messages = error;
-- One person after another is named in this transaction.
SET LOCAL seeme_rbac.several_people = on;

-- Who is refused
CREATE ROLE t_job LOGIN;
CREATE ROLE t_gateway LOGIN IN ROLE t_app;
GRANT EXECUTE ON FUNCTION seeme_assume(uuid) TO t_gateway;
CREATE ROLE t_super SUPERUSER;
CREATE ROLE t_deputy LOGIN CREATEROLE IN ROLE t_app;
GRANT EXECUTE ON FUNCTION seeme_grant_system(name) TO t_deputy;
SELECT matches(pg_temp.complaint(NULL, $$SELECT seeme_grant_system('t_missing')$$),
  '^42704: role "t_missing" does not exist', 'a role that does not exist is refused');
SELECT matches(pg_temp.complaint(NULL, 'SELECT seeme_grant_system(NULL)'),
  '^42704: role "\(null\)" does not exist', 'null is no role');
SELECT matches(pg_temp.complaint(NULL, $$SELECT seeme_grant_system('public')$$),
  '^42704: ', 'PUBLIC is no role');
SELECT matches(pg_temp.complaint(NULL, $$SELECT seeme_grant_system('t_super')$$),
  '^22023: role "t_super" is a superuser', 'a superuser needs no such grant');
SELECT matches(pg_temp.complaint(NULL, $$SELECT seeme_grant_system('t_gateway')$$),
  '^22023: role "t_gateway" names people: it is granted (public\.)?seeme_assume\(uuid\)',
  'threat: the application''s own role is let past row security');
SELECT matches(pg_temp.complaint(NULL, $$SELECT seeme_grant_system('t_vera')$$),
  '^22023: role "t_vera" is the database role of a person',
  'threat: a person''s own role is let past row security');
SELECT matches(pg_temp.complaint('deputy', $$SELECT seeme_grant_system('t_job')$$),
  '^42501: only superusers',
  'threat: a role with CREATEROLE and EXECUTE on seeme_grant_system makes a system role');
SELECT is(pg_temp.try('ghost', $$SELECT seeme_grant_system('t_ghost')$$), '42501',
  'threat: the application makes itself a system role');
CREATE FUNCTION pg_temp.by_superuser() RETURNS void LANGUAGE sql SECURITY DEFINER
AS $$ SELECT seeme_grant_system('t_ghost') $$;
GRANT EXECUTE ON FUNCTION pg_temp.by_superuser() TO PUBLIC;
SELECT is(pg_temp.try('ghost', 'SELECT pg_temp.by_superuser()'), '42501',
  'threat: the application has a superuser''s SECURITY DEFINER function make it a system role');
SELECT is((SELECT array_agg(r.rolname ORDER BY r.rolname) FROM pg_roles r
            WHERE r.rolname ~ '^t_' AND r.rolbypassrls), NULL, 'a refusal leaves no BYPASSRLS');
SELECT is_empty('SELECT * FROM seeme.system_roles()', 'a refusal leaves no system role');

-- What it is told
CREATE FUNCTION pg_temp.notices(statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE statement;
  RETURN 'works';
END $$;
SELECT seeme_grant_system('t_job') \g /dev/null
SELECT ok(pg_temp.is_system('t_job'), 'seeme_grant_system makes a system role');
SELECT lives_ok($$SELECT seeme_grant_system('t_job')$$, 'once more changes nothing');

-- What a migration does: tables of the role's own, protected; and of others, granted
GRANT CREATE, USAGE ON SCHEMA public TO t_job;
GRANT CREATE ON SCHEMA public TO t_app;
SELECT pg_temp.become('job') \g /dev/null
CREATE TABLE t_paper (id uuid PRIMARY KEY, project_id uuid, title text, state text);
CREATE TABLE t_note (id integer PRIMARY KEY, project_id uuid, paper_id uuid);
INSERT INTO t_paper SELECT gen_random_uuid(), p.id, p.name FROM seeme.projects p;
SELECT pg_temp.become(NULL) \g /dev/null
GRANT SELECT, INSERT, UPDATE, DELETE ON t_paper, t_note TO t_app;
CREATE INDEX ON t_paper (project_id);
CREATE INDEX ON t_note (project_id);
SELECT seeme_protect('t_paper', 'datasets', project_column => 'project_id') \g /dev/null
SELECT seeme_protect('t_note', 'datasets', project_column => 'project_id') \g /dev/null
CREATE TABLE t_foreign (id integer PRIMARY KEY, project_id uuid);
CREATE INDEX ON t_foreign (project_id);
SELECT seeme_protect('t_foreign', 'datasets', project_column => 'project_id') \g /dev/null
INSERT INTO t_foreign SELECT 1, :alpha;
GRANT SELECT, UPDATE, INSERT, DELETE ON t_foreign TO t_job;
SELECT is(pg_temp.try('job', 'SELECT * FROM t_paper'), '4 rows',
  'a job sees every row of a protected table that it owns');
SELECT is(pg_temp.try('job', $$UPDATE t_paper SET state = 'open'$$), '4 rows',
  'a backfill by UPDATE changes every row');
SELECT is(pg_temp.rows('job', 'CREATE TABLE t_copy AS SELECT * FROM t_paper',
  'SELECT count(*) FROM t_copy'), '{4}', 'CREATE TABLE AS copies every row');
SELECT is(pg_temp.try('job', 'INSERT INTO t_paper SELECT gen_random_uuid(), project_id, title '
  'FROM t_paper'), '4 rows', 'INSERT … SELECT adds every row');
SELECT is(pg_temp.try('job', 'DELETE FROM t_paper'), '4 rows', 'DELETE removes every row');
SELECT is(pg_temp.try('job', 'UPDATE t_foreign SET project_id = {beta}'), '1 row',
  'a protected table of another owner that it is granted is changed, too');
INSERT INTO t_note SELECT 1, :alpha, id FROM t_paper WHERE project_id = :alpha;
SELECT is(pg_temp.rows('job',
  'ALTER TABLE t_note ADD FOREIGN KEY (paper_id) REFERENCES t_paper (id)',
  'SELECT count(*) FROM pg_constraint WHERE conrelid = ''t_note''::regclass AND contype = ''f'''),
  '{1}', 'ADD FOREIGN KEY between protected tables accepts rows that fit');
SELECT is(pg_temp.rows('job', 'UPDATE t_note SET paper_id = gen_random_uuid()',
  'ALTER TABLE t_note ADD FOREIGN KEY (paper_id) REFERENCES t_paper (id)', 'SELECT 1'), '{23503}',
  'ADD FOREIGN KEY between protected tables finds a row that does not fit');
SELECT is(pg_temp.rows('job', 'UPDATE seeme.projects SET name = ''x''',
  'SELECT count(*) FROM seeme.projects WHERE name = ''x'''),
  ARRAY[(SELECT count(*)::text FROM seeme.projects)],
  'a job changes rows of the extension, with nobody identified');
SELECT is(pg_temp.try('job', $$INSERT INTO seeme.memberships (organization_id, user_id, role_id)
    VALUES ({acme}, {stan}, {Owner})$$), '23514',
  'the integrity rules hold for a job, too: Owner is the owner''s role');
SELECT is(pg_temp.rows('job', 'INSERT INTO seeme.users (username) VALUES (''imported'')',
  'UPDATE seeme.users SET firstname = ''I'' WHERE username = ''imported''',
  'SELECT firstname FROM seeme.users WHERE username = ''imported'''), '{I}',
  'a job imports people');
SELECT pg_temp.become('job') \g /dev/null
CREATE TABLE t_account (id integer PRIMARY KEY, mail text);
INSERT INTO t_account VALUES (1, 'one@example.com');
SELECT pg_temp.become(NULL) \g /dev/null
SELECT seeme_mirror('t_account', 'users', '{"id": "id", "email": "mail"}') \g /dev/null
SELECT is(pg_temp.rows('job', 'UPDATE t_account SET mail = ''x'' || mail',
  'INSERT INTO t_account VALUES (2, ''two@example.com'')', 'SET CONSTRAINTS ALL IMMEDIATE',
  'SELECT email FROM seeme.users WHERE id = ANY (ARRAY[seeme_uuid(''user'', 1), '
  'seeme_uuid(''user'', 2)]) ORDER BY 1'), '{two@example.com,xone@example.com}',
  'a job changes a mirrored table of users');
SELECT seeme_unmirror('t_account') \g /dev/null
SELECT is(pg_temp.try('job', 'SELECT token_hash FROM seeme.invitations'), '42501',
  'threat: a job reads the hashes of tokens');
SELECT is(pg_temp.try('job', 'SELECT key_hash FROM seeme.api_keys'), '42501',
  'threat: a job reads the hashes of keys');
SELECT is(pg_temp.try('job', 'UPDATE seeme.users SET database_role = ''t_job'''), '42501',
  'threat: a job makes itself a person');

-- Who a job is: nobody, whatever somebody grants it later
GRANT EXECUTE ON FUNCTION seeme_assume(uuid) TO t_job;
SELECT matches(pg_temp.complaint('job', 'SELECT seeme_assume({olga})'),
  '^42501: a session of role "t_job" names nobody', 'a system role assumes nobody');
SELECT is(pg_temp.try('job', 'SELECT seeme_assume({nobody_known})'), '42501',
  'threat: a system role learns by the error which people exist');
SELECT pg_temp.become('olga') \g /dev/null
SELECT key AS olgas_key FROM seeme_create_api_key('mine', '{*}') \gset
SELECT pg_temp.become(NULL) \g /dev/null
SELECT is(pg_temp.try('job', format('SELECT seeme_login(%L)', :'olgas_key')), '42501',
  'a system role logs in by no key');
SELECT is(pg_temp.try('job', $$SELECT seeme_login('x.y.z')$$), '42501',
  'a system role logs in by no token');
SELECT is(pg_temp.try('job', $$SELECT seeme_create_api_key('x', '{*}', user_id => {olga})$$),
  '42501', 'threat: a job makes a key of a person, and logs in by it elsewhere');
INSERT INTO seeme.users (id, username, is_service)
  VALUES ('a0000000-0000-4000-8000-0000000000c1', 'ci', true);
SELECT is(pg_temp.try('job', $$SELECT seeme_create_api_key('x', '{models:read}',
  user_id => 'a0000000-0000-4000-8000-0000000000c1')$$), '1 row', 'a job makes a service''s key');
SELECT is(pg_temp.rows('job', 'SELECT seeme_user_id() IS NULL, seeme.is_unidentified()'),
  '{true|true}', 'nobody is identified in the session of a system role');
UPDATE seeme.users SET database_role = 't_job' WHERE id = :stan;
SELECT is(pg_temp.rows('job', 'SELECT seeme_user_id() IS NULL, seeme.is_unidentified()'),
  '{true|true}', 'the database role of a person, that is a system role, identifies nobody');
SELECT is(pg_temp.rows('job', 'SELECT seeme_has_permission(''datasets:read'', project => {alpha})'),
  '{false}', 'nobody holds nothing');
UPDATE seeme.users SET database_role = 't_stan' WHERE id = :stan;
SET seeme_rbac.trust_request_claims = on;
SELECT set_config('request.jwt.claims', json_build_object('sub', :olga)::text, true) \g /dev/null
SELECT is(pg_temp.rows('ghost', 'SELECT seeme_user_id()'), ARRAY[:olga], 'claims are believed …');
SELECT is(pg_temp.rows('job', 'SELECT seeme_user_id()'), '{"null"}',
  '… and identify nobody in the session of a system role');
SELECT set_config('request.jwt.claims', '', true) \g /dev/null
RESET seeme_rbac.trust_request_claims;
-- session_user decides, by what it itself was granted
CREATE FUNCTION pg_temp.of_job() RETURNS uuid LANGUAGE sql SECURITY DEFINER
RETURN seeme_user_id();
ALTER FUNCTION pg_temp.of_job() OWNER TO t_job;
GRANT EXECUTE ON FUNCTION pg_temp.of_job() TO PUBLIC;
SELECT is(pg_temp.rows('olga', 'SELECT pg_temp.of_job()'), ARRAY[:olga],
  'in a SECURITY DEFINER function of a system role the session still speaks for its person');
GRANT t_job TO t_vera;
SELECT is(pg_temp.rows('vera', 'SELECT seeme_user_id()'), ARRAY[:vera],
  'a member of a system role is no system role');
SELECT is(pg_temp.rows('vera', 'SET LOCAL ROLE t_job', 'SELECT seeme_user_id()'), ARRAY[:vera],
  'SET ROLE makes no session of a system role');
REVOKE t_job FROM t_vera;
GRANT USAGE ON TYPE seeme.system_role TO PUBLIC;
SELECT is(pg_temp.rows('vera', 'SELECT seeme_user_id()'), ARRAY[:vera],
  'threat: a careless grant to PUBLIC: everybody is nobody');
REVOKE USAGE ON TYPE seeme.system_role FROM PUBLIC;
GRANT ALL ON ALL TABLES IN SCHEMA seeme TO t_gateway;
GRANT ALL ON ALL ROUTINES IN SCHEMA seeme TO t_gateway;
GRANT ALL ON SCHEMA seeme TO t_gateway;
SELECT is(pg_temp.rows('gateway', 'SELECT seeme_assume({olga})'), ARRAY[:olga],
  'threat: careless grants on the schema make the application a system role');
ALTER ROLE t_job RENAME TO t_worker;
SELECT is(pg_temp.try('worker', 'SELECT seeme_assume({olga})'), '42501',
  'threat: a renamed system role names people');
ALTER ROLE t_worker RENAME TO t_job;
SELECT throws_ok('DROP ROLE t_job', '2BP01', NULL,
  'a system role is dropped as any role with grants: after DROP OWNED');

-- A session that speaks for somebody when its role becomes a system role
CREATE FUNCTION pg_temp.who_asks() RETURNS uuid LANGUAGE plpgsql AS $$
BEGIN
  RETURN seeme_user_id();
END $$;
GRANT EXECUTE ON FUNCTION pg_temp.who_asks() TO PUBLIC;
-- mark(): by the grant, as a superuser, in the session of the role
CREATE FUNCTION pg_temp.mark(role_name name) RETURNS void LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
  EXECUTE format('GRANT USAGE ON TYPE seeme.system_role TO %I', role_name);
END $$;
SELECT is(pg_temp.rows('vera', 'SELECT pg_temp.who_asks()', 'SELECT pg_temp.mark(''t_vera'')',
  'SELECT pg_temp.who_asks(), seeme_has_permission(''datasets:read'', project => {alpha})'),
  '{null|false}',
  'threat: who connected as a person keeps that identity when the role becomes a system role');
SELECT is(pg_temp.rows('ghost', format('SELECT seeme_login(%L)', :'olgas_key'),
  'SELECT pg_temp.mark(''t_ghost'')',
  'SELECT pg_temp.who_asks(), seeme_user_id(), seeme.uses_api_key(), seeme.is_unidentified(), '
  'seeme_has_permission(''datasets:read'', project => {alpha})'),
  '{null|null|false|true|false}',
  'threat: who logged in keeps that identity when the role becomes a system role');
SELECT is(pg_temp.rows('gateway', 'SELECT seeme_assume({olga})',
  'SELECT pg_temp.mark(''t_gateway'')', 'SELECT count(*) FROM t_paper'), '{0}',
  'threat: who assumed somebody keeps those rows when the role becomes a system role');
SELECT is(pg_temp.rows('gateway', 'SELECT seeme_assume({olga})',
  'SELECT pg_temp.mark(''t_gateway'')', 'SELECT seeme_assume({olga})'), '{42501}',
  'threat: the person who spoke before is named once more');
SELECT is(pg_temp.rows('gateway', 'SELECT seeme_assume({olga})',
  'DO $$BEGIN PERFORM pg_temp.who_asks(), pg_temp.mark(''t_gateway'');
     EXCEPTION WHEN division_by_zero THEN END$$',
  'SELECT seeme_user_id()'), '{"null"}',
  'threat: the mark in a savepoint that is kept is overlooked');
SET seeme_rbac.session_login = on;
SELECT is(pg_temp.rows('ghost', format('SELECT seeme_login(%L, for_session => true)', :'olgas_key'),
  'SELECT pg_temp.who_asks()', 'SELECT pg_temp.mark(''t_ghost'')', 'SELECT pg_temp.who_asks()'),
  '{"null"}', 'threat: a login for the session outlives the mark');
SELECT is(pg_temp.rows('ghost', 'SELECT pg_temp.mark(''t_ghost'')',
  format('SELECT seeme_login(%L, for_session => true)', :'olgas_key')), '{42501}',
  'a system role logs in for no session');
RESET seeme_rbac.session_login;
SELECT is(pg_temp.rows('ghost', format('SELECT seeme_login(%L)', :'olgas_key'),
  'SELECT seeme_user_id()'), ARRAY[:olga], 'undone, the role names people again');

-- Taking it back
ALTER ROLE t_job NOBYPASSRLS;
SELECT is(pg_temp.rows('job', 'SELECT count(*) FROM t_paper'), '{0}',
  'without BYPASSRLS a system role sees no rows');
SELECT is(pg_temp.try('job', 'SELECT seeme_assume({olga})'), '42501',
  'threat: without BYPASSRLS a system role names people');
REVOKE USAGE ON TYPE seeme.system_role FROM t_job;
SELECT is(pg_temp.rows('job', 'SELECT seeme_assume({olga})', 'SELECT count(*) FROM t_paper'),
  '{3}', 'taken back, the role is what its other grants make of it');
REVOKE EXECUTE ON FUNCTION seeme_assume(uuid) FROM t_job;

-- The log
SELECT seeme_grant_system('t_job') \g /dev/null
SELECT is(pg_temp.rows('job', 'UPDATE seeme.projects SET name = ''Renamed'' WHERE id = {alpha}',
  'SELECT user_id, database_role FROM seeme.audit_log WHERE row_id = {alpha}::text
     ORDER BY id DESC LIMIT 1'), '{null|t_job}',
  'the log has the role, and nobody, for what a job changed');

-- The report
DROP OWNED BY t_job, t_deputy, t_gateway, t_super;
DROP ROLE t_job, t_deputy, t_gateway, t_super;
RESET seeme_rbac.several_people;
TRUNCATE found_before;
INSERT INTO found_before SELECT * FROM seeme_security_report();
CREATE ROLE t_worker LOGIN;
CREATE ROLE t_mate LOGIN;
CREATE ROLE t_mates_mate LOGIN;
CREATE ROLE t_chief SUPERUSER;
SELECT is(pg_temp.found($$SELECT seeme_grant_system('t_worker')$$), NULL,
  'the report finds nothing about a system role');
SELECT is(pg_temp.found($$ALTER ROLE t_worker BYPASSRLS$$),
  ARRAY['medium | t_worker | login role has BYPASSRLS: a session of this role sees every row of '
        'every table that it is granted'],
  'the report finds the same role without seeme_grant_system');
SELECT seeme_grant_system('t_worker') \g /dev/null
SELECT is(pg_temp.found('GRANT t_worker TO t_chief'), NULL,
  'the report does not name superusers that can SET ROLE to a system role');
SELECT pg_temp.both_ways('role may become a system role', 'medium', 't_mate',
  'GRANT t_worker TO t_mate', 'a member of a system role');
GRANT t_mate TO t_mates_mate;
SELECT is(pg_temp.found('GRANT t_worker TO t_mate'),
  ARRAY['medium | t_mate | role may become a system role: it can SET ROLE t_worker, and row '
        'security does not apply to it then',
        'medium | t_mates_mate | role may become a system role: it can SET ROLE t_worker, and row '
        'security does not apply to it then'],
  'the report names the members of members');
SELECT pg_temp.both_ways('application role may become one that bypasses row security', 'critical',
  't_ghost', 'GRANT t_worker TO t_ghost', 'by a system role');
SELECT pg_temp.both_ways('person''s role may become one that bypasses row security', 'critical',
  't_free', $$CREATE ROLE t_free LOGIN IN ROLE t_worker;
              UPDATE seeme.users SET database_role = 't_free' WHERE username = 'vera'$$,
  'by a system role');
SELECT pg_temp.both_ways('system role has no BYPASSRLS', 'low', 't_worker',
  'ALTER ROLE t_worker NOBYPASSRLS', 'it was taken back by half');
SELECT pg_temp.both_ways('system role was to name people', 'medium', 't_worker',
  'GRANT EXECUTE ON FUNCTION seeme_assume(uuid) TO t_worker', 'seeme_assume was granted later');
SELECT pg_temp.both_ways('system role is a person''s', 'medium', 't_worker',
  $$UPDATE seeme.users SET database_role = 't_worker' WHERE username = 'vera'$$,
  'database_role was set later');
SELECT CASE WHEN current_setting('server_version_num')::integer < 160000
  THEN is(pg_temp.found('ALTER ROLE t_mate CREATEROLE'),
    ARRAY['medium | t_mate | role may become a system role: it has CREATEROLE, and so may make '
          'itself a member of t_worker'], 'before PostgreSQL 16, CREATEROLE is membership')
  ELSE is(pg_temp.found('ALTER ROLE t_mate CREATEROLE'), NULL,
    'before PostgreSQL 16, CREATEROLE is membership') END;
SELECT finish();
ROLLBACK;
