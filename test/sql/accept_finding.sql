\i test/include/prelude.psql
-- Findings of the security report that a superuser accepts: what is shown then, what ends it, and
-- who may not do it. The case is a policy of one's own for shared rows beside those of
-- seeme_protect.
BEGIN;
\i test/include/security_report.psql
\i test/include/people.psql
\i test/include/asking.psql
SELECT plan(69);
SET LOCAL jit = off;

CREATE ROLE t_migrator;
CREATE ROLE t_heir;
GRANT CREATE ON SCHEMA public TO t_migrator, t_heir;
SET LOCAL ROLE t_migrator;
CREATE TABLE t_note (id integer PRIMARY KEY, project_id uuid, is_template boolean, body text);
CREATE TABLE t_shared (note_id integer);
CREATE VIEW t_now AS SELECT note_id FROM t_shared;
CREATE FUNCTION t_inner(integer) RETURNS boolean LANGUAGE sql STABLE
  AS 'SELECT $1 < 0';
CREATE FUNCTION t_outer(integer) RETURNS boolean LANGUAGE sql STABLE RETURN t_inner($1);
RESET ROLE;
CREATE INDEX ON t_note (project_id);
SELECT seeme_protect('t_note', 'models', project_column => 'project_id') \g /dev/null
GRANT SELECT, UPDATE ON t_note TO t_app;
INSERT INTO t_note VALUES (1, :alpha, false, 'a'), (2, :alpha, true, 'b'), (-3, :delta, false, 'c');
SELECT is(pg_temp.lines(), NULL, 'nothing is found on a protected table');
CREATE POLICY templates ON t_note FOR SELECT USING (is_template OR t_outer(id));
CREATE TEMP TABLE found AS SELECT * FROM pg_temp.report();
SELECT is((SELECT string_agg(severity || ': ' || split_part(finding, ':', 1), ' ') FROM found),
  'high: additional permissive policy', 'a policy of one''s own is found');
SELECT is(pg_temp.rows('stan', 'SELECT id FROM t_note ORDER BY id'), '{-3,2}', 'it works as meant');

CREATE FUNCTION pg_temp.state() RETURNS text LANGUAGE sql AS $$
  SELECT string_agg(severity, ' ') FROM pg_temp.report()
   WHERE finding LIKE 'additional permissive policy: templates %' $$;

-- Accepted
SELECT lives_ok($$SELECT seeme_accept_finding('additional permissive policy', 'public.t_note',
  E'templates are for all\n who work here; see #12')$$, 'a superuser accepts it');
SELECT is(pg_temp.state(), 'accepted', 'its severity is accepted');
SELECT is((SELECT r.finding FROM pg_temp.report() r), (SELECT finding FROM found),
  'the finding stays');
SELECT is((SELECT r.remedy FROM pg_temp.report() r),
  (SELECT format('%s -- high, accepted by %s on %s: templates are for all who work here; see #12',
                 remedy, session_user, to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD')) FROM found),
  'and so does the remedy, with the former severity, who, when and why, on one line');
SELECT is((SELECT array_agg(k ORDER BY n)
             FROM (SELECT row_to_json(r) AS j FROM pg_temp.report() r) x,
             json_object_keys(x.j) WITH ORDINALITY AS u (k, n)),
  '{severity,object,finding,remedy}', 'the report has the columns that it had');
SELECT is((SELECT severity FROM seeme_security_report() WITH ORDINALITY r ORDER BY ordinality DESC
            LIMIT 1), 'accepted', 'accepted findings are the last');
SELECT is((SELECT (accepted_by, severity, reason) = (session_user::name, 'high',
             E'templates are for all\n who work here; see #12') AND accepted_at = now()
             FROM seeme.accepted_findings), true, 'who, when and why are in a table');
SELECT is((SELECT count(*) FROM seeme.audit_log WHERE table_name = 'accepted_findings'), 1::bigint,
  'and in the audit log');

-- What ends it. Each statement is undone. The whole report would take long for each of them, so
-- this looks at what the report compares.
CREATE FUNCTION pg_temp.compared() RETURNS text LANGUAGE sql AS $$
  SELECT CASE WHEN a.digest = seeme.digest_of_finding(f.object, f.remedy) THEN 'accepted'
              ELSE f.severity END
    FROM seeme.accepted_findings a JOIN pg_temp.found f USING (object, finding) $$;
CREATE FUNCTION pg_temp.then(VARIADIC statements text[]) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  s text;
BEGIN
  FOREACH s IN ARRAY statements LOOP
    EXECUTE s;
  END LOOP;
  RAISE EXCEPTION USING ERRCODE = 'UNDO0', MESSAGE = pg_temp.compared();
EXCEPTION WHEN SQLSTATE 'UNDO0' THEN
  RETURN SQLERRM;
END $$;
CREATE FUNCTION pg_temp.after(VARIADIC statements text[]) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  s text;
BEGIN
  FOREACH s IN ARRAY statements LOOP
    EXECUTE s;
  END LOOP;
  RAISE EXCEPTION USING ERRCODE = 'UNDO0', MESSAGE = coalesce(pg_temp.state(), 'none');
EXCEPTION WHEN SQLSTATE 'UNDO0' THEN
  RETURN SQLERRM;
END $$;
SELECT is(pg_temp.then(VARIADIC s), 'high', 'threat: an acceptance that outlives ' || s[1])
  FROM (VALUES
    (ARRAY['ALTER POLICY templates ON t_note USING (true)']),
    (ARRAY['ALTER POLICY templates ON t_note TO t_app']),
    (ARRAY['DROP POLICY templates ON t_note',
           'CREATE POLICY templates ON t_note USING (is_template OR t_outer(id))']),
    (ARRAY['CREATE POLICY another ON t_note FOR SELECT USING (true)']),
    (ARRAY['CREATE OR REPLACE FUNCTION t_outer(integer) RETURNS boolean LANGUAGE sql STABLE '
           'RETURN $1 > 0']),
    (ARRAY['CREATE OR REPLACE FUNCTION t_inner(integer) RETURNS boolean LANGUAGE sql STABLE '
           'AS ''SELECT true''']),
    (ARRAY['ALTER FUNCTION t_inner(integer) OWNER TO t_heir']),
    (ARRAY['ALTER FUNCTION t_outer(integer) SECURITY DEFINER']),
    (ARRAY['ALTER TABLE t_note OWNER TO t_heir']),
    (ARRAY['GRANT DELETE ON t_note TO t_app']),
    (ARRAY['GRANT SELECT (body) ON t_note TO t_heir']),
    (ARRAY['ALTER TABLE t_note ADD salary integer']),
    (ARRAY['ALTER TABLE t_note ALTER is_template SET DEFAULT true']),
    (ARRAY['CREATE TRIGGER t BEFORE UPDATE ON t_note FOR EACH ROW '
           'EXECUTE FUNCTION suppress_redundant_updates_trigger()']),
    (ARRAY['ALTER TABLE t_note ADD CHECK (id <> 0)']),
    (ARRAY['ALTER TABLE t_note NO FORCE ROW LEVEL SECURITY'])) AS v (s);
SELECT is(pg_temp.after('DROP TABLE t_note',
    'CREATE TABLE t_note (id integer PRIMARY KEY, project_id uuid, is_template boolean, body text)',
    'ALTER TABLE t_note OWNER TO t_migrator', 'CREATE INDEX ON t_note (project_id)',
    'SELECT seeme_protect(''t_note'', ''models'', project_column => ''project_id'')',
    'GRANT SELECT, UPDATE ON t_note TO t_app',
    'CREATE POLICY templates ON t_note FOR SELECT USING (is_template OR t_outer(id))'), 'high',
  'threat: a table that was dropped and made again, the same in all');
SELECT is(pg_temp.after(
    'ALTER POLICY templates ON t_note USING (EXISTS (SELECT FROM t_now WHERE note_id = id))',
    'SELECT seeme_accept_finding(''additional permissive policy'', ''public.t_note'', ''x'')', s),
  outcome, 'a policy that reads a view: ' || s)
  FROM (VALUES ('INSERT INTO t_shared VALUES (1)', 'accepted'),
               ('CREATE OR REPLACE VIEW t_now AS SELECT id AS note_id FROM t_note', 'high'))
       AS v (s, outcome);

-- What does not
SELECT is(pg_temp.then(s), 'accepted', 'it holds after ' || s)
  FROM unnest(ARRAY['INSERT INTO t_note VALUES (9, NULL, true)', 'ANALYZE t_note',
                    'CREATE INDEX ON t_note (is_template)', 'TRUNCATE t_note',
                    'COMMENT ON TABLE t_note IS ''notes''',
                    'SELECT seeme.renew_protection(''t_note'')',
                    'SET LOCAL search_path = public, seeme']) AS s;
SELECT is(pg_temp.after('ALTER POLICY templates ON t_note USING (true)',
  'ALTER POLICY templates ON t_note USING (is_template OR t_outer(id))'), 'accepted',
  'it is about a definition: that one again is accepted again');
SELECT is(pg_temp.after((SELECT remedy FROM pg_temp.report())), 'none',
  'the remedy, comment and all, is still the statement that mends it');

-- Taken back, and accepted anew
SELECT is(pg_temp.after($$DELETE FROM seeme.accepted_findings WHERE object = 'public.t_note'$$),
  'high', 'DELETE takes it back');
SELECT is(pg_temp.after('ALTER POLICY templates ON t_note USING (true)', format(
  'SELECT seeme_accept_finding(%L, ''public.t_note'', ''looked at again'')', finding)), 'accepted',
  'a change is accepted anew, by the whole text') FROM found;
SELECT seeme_accept_finding('additional permissive policy', 'public.t_note', 'for another reason')
  \g /dev/null
SELECT is((SELECT array_agg(reason) FROM seeme.accepted_findings), '{for another reason}',
  'what is accepted twice is there once');

-- Other kinds of objects: a role, a function, a row, the database
CREATE ROLE t_worker BYPASSRLS IN ROLE t_app;
SELECT seeme_accept_finding(split_part(f.finding, ':', 1), f.object, 'the nightly job')
  FROM pg_temp.report() f WHERE f.object = 't_worker' \g /dev/null
SELECT is((SELECT string_agg(severity || ' ' || substring(remedy FROM '-- (\w+), accepted'), ', ')
             FROM pg_temp.report() WHERE object = 't_worker'), 'accepted critical',
  'a critical finding, about a role, is accepted as such');
SAVEPOINT worker;
ALTER ROLE t_worker LOGIN;
SELECT is((SELECT string_agg(severity, ', ') FROM pg_temp.report() WHERE object = 't_worker'),
  'critical', 'threat: the role is another one now');
ROLLBACK TO worker;
GRANT t_worker TO t_heir;
SELECT is((SELECT string_agg(severity, ', ') FROM pg_temp.report() WHERE object = 't_worker'),
  'critical', 'threat: the role has another member now');
ROLLBACK TO worker;
DROP ROLE t_worker;
CREATE ROLE t_worker BYPASSRLS IN ROLE t_app;
SELECT is((SELECT string_agg(severity, ', ') FROM pg_temp.report() WHERE object = 't_worker'),
  'critical', 'threat: a role of that name');
ROLLBACK TO worker;
DROP ROLE t_worker;
SELECT is((SELECT count(DISTINCT seeme.digest_of_finding(o, '')) FROM unnest(ARRAY[
    'public.t_note', 'public.t_now', 't_heir', 'public.t_outer(integer)', 'schema seeme',
    'database ' || quote_ident(current_database()),
    'seeme.users a0000000-0000-4000-8000-000000000001',
    'seeme.users a0000000-0000-4000-8000-000000000002', 'templates on public.t_note',
    (SELECT quote_ident(evtname) FROM pg_event_trigger ORDER BY evtname LIMIT 1)]) AS o), 9::bigint,
  'each kind of object has a definition of its own');
SELECT isnt(seeme.digest_of_finding(o, ''), NULL, 'a text that names nothing: ' || o)
  FROM unnest(ARRAY['a b(c', 'x.y.z.w', '"', 'role "t x" in database d', '']) AS o;
SELECT is(seeme.digest_of_finding('seeme.nothing 00000000-0000-4000-8000-000000000000', ''), NULL,
  'a table that is not there: nothing is accepted about it');

-- Errors
CREATE POLICY second ON t_note FOR SELECT USING (false);
SELECT throws_ok(s, code, message, message) FROM (VALUES
  ($$SELECT seeme_accept_finding('no such thing', 'public.t_note', 'r')$$, '42704',
   'the security report has no finding "no such thing" about public.t_note'),
  ($$SELECT seeme_accept_finding('additional permissive policy', 't_note', 'r')$$, '42704',
   'the security report has no finding "additional permissive policy" about t_note'),
  ($$SELECT seeme_accept_finding('additional permissive policy', 'public.t_note', 'r')$$, '21000',
   'the security report has 2 findings "additional permissive policy" about public.t_note'),
  ($$SELECT seeme_accept_finding('additional permissive policy', 'public.t_note', E' \n')$$,
   '22023', 'a finding is accepted for a reason'),
  ($$SELECT seeme_accept_finding('additional permissive policy', 'public.t_note', NULL)$$,
   '22004', 'seeme_accept_finding needs a finding, its object and a reason'))
  AS bad (s, code, message);
SELECT alike(pg_temp.complaint(NULL,
  $$SELECT seeme_accept_finding('no such thing', 'public.t_note', 'r')$$),
  '%| What it has about this object is ''additional permissive policy''.',
  'the hint says what there is');
SELECT alike(pg_temp.complaint(NULL,
  $$SELECT seeme_accept_finding('additional permissive policy', 't_note', 'r')$$),
  '%| It has none about this object. SELECT object, finding FROM %',
  'or that there is nothing about an object of this name');
DROP POLICY second ON t_note;
CREATE ROLE t_admin BYPASSRLS;
GRANT USAGE ON SCHEMA seeme TO t_admin;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA seeme, public TO t_admin;
SET LOCAL ROLE t_admin;
SELECT throws_ok($$SELECT seeme_accept_finding('additional permissive policy', 'public.t_note',
  'r')$$, '42501', 'only superusers accept findings of the security report',
  'threat: a role that bypasses row security accepts a finding');
RESET ROLE;
SELECT is(pg_temp.try('olga', s), '42501', 'threat: a person does so: ' || s)
  FROM unnest(ARRAY[$$SELECT seeme_accept_finding('x', 'y', 'z')$$,
    'SELECT FROM seeme.accepted_findings',
    $$INSERT INTO seeme.accepted_findings (object, finding, severity, reason, digest)
      VALUES ('x', 'y', 'high', 'z', 'd')$$, 'DELETE FROM seeme.accepted_findings']) AS s;

-- Settings are found where they are set: the object is ROLE name or DATABASE name.
CREATE ROLE "t Set";
ALTER ROLE "t Set" SET seeme_rbac.several_people = on;
SELECT lives_ok($$SELECT seeme_accept_finding('several people are named', 'ROLE "t Set"',
  'tests')$$, 'a setting of a role is accepted');
CREATE TEMP TABLE digests AS
  SELECT o AS object, seeme.digest_of_finding(o, 'r') AS digest
    FROM unnest(ARRAY['ROLE "t Set"', 'ROLE "t Set" IN DATABASE ' || current_database(),
                      'DATABASE ' || current_database()]) AS o;
DROP ROLE "t Set";
CREATE ROLE "t Set";
ALTER ROLE "t Set" SET seeme_rbac.several_people = on;
DO $$ BEGIN
  EXECUTE format('GRANT CREATE ON DATABASE %I TO "t Set"', current_database());
END $$;
SELECT is((SELECT r.severity FROM seeme_security_report() r WHERE r.object = 'ROLE "t Set"'),
  'critical', 'threat: another role of that name');
SELECT is_empty($$SELECT object FROM digests WHERE digest = seeme.digest_of_finding(object, 'r')$$,
  'each of them has the definition of its role or database');
SELECT is((SELECT count(*) FROM digests), 3::bigint, 'there are three forms');
SELECT * FROM finish();
ROLLBACK;
