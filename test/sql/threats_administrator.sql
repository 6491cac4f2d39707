\i test/include/prelude.psql
-- What the owner of a protected table, who is no superuser, might bring about; and what careless
-- GRANTs open and must not.
BEGIN;
\i test/include/people.psql
\i test/include/asking.psql
SELECT plan(76);

-- attempt(person, statements…): runs them one after the other as that person; each that fails is
-- undone, the others stay. '1 row', '3 rows' or the SQLSTATE of each.
CREATE FUNCTION pg_temp.attempt(person text, VARIADIC statements text[]) RETURNS text[]
  LANGUAGE plpgsql AS $$
DECLARE
  n bigint;
  i integer;
  outcome text[] := '{}';
BEGIN
  FOR i IN 1 .. array_length(statements, 1) LOOP
    statements[i] := pg_temp.fill(statements[i]);
  END LOOP;
  PERFORM pg_temp.become(person);
  FOR i IN 1 .. array_length(statements, 1) LOOP
    BEGIN
      EXECUTE statements[i];
      GET DIAGNOSTICS n = ROW_COUNT;
      outcome := outcome || (n || CASE n WHEN 1 THEN ' row' ELSE ' rows' END);
    EXCEPTION WHEN OTHERS THEN
      outcome := outcome || SQLSTATE::text;
    END;
  END LOOP;
  PERFORM pg_temp.become(NULL);
  RETURN outcome;
END $$;

-- migrator owns tables of the application, and makes whatever they are made of. t_witness holds
-- with whose rights that ran.
CREATE ROLE t_migrator LOGIN;
GRANT CREATE, USAGE ON SCHEMA public TO t_migrator;
CREATE TABLE t_witness (what text, who text);
GRANT SELECT, INSERT ON t_witness TO PUBLIC;

INSERT INTO thing VALUES ('stanley', 'b0000000-0000-4000-8000-0000000000f1'),
  ('own', 'd0000000-0000-4000-8000-0000000000f1');
INSERT INTO thing SELECT 'row ' || n, ('99000000-0000-4000-8000-00000000000' || n)::uuid
  FROM generate_series(1, 5) AS n;
INSERT INTO seeme.organizations (id, name, slug, owner_id)
  VALUES (pg_temp.id('stanley'), 'Stanley', 'stanley', :stan);
INSERT INTO seeme.projects (id, organization_id, name)
  VALUES (pg_temp.id('own'), pg_temp.id('stanley'), 'Own');

-- The owner of a protected table has it run code: by a cast, an index, a check constraint
SELECT pg_temp.become('migrator') \g /dev/null
CREATE TABLE t_thing (id uuid PRIMARY KEY, name text, owner_id uuid);
GRANT SELECT, INSERT, UPDATE, DELETE ON t_thing TO t_app;
SELECT pg_temp.become(NULL) \g /dev/null
CREATE INDEX ON t_thing (owner_id);
SELECT seeme_protect('t_thing', 'models', resource_id_column => 'id', owner_column => 'owner_id')
  \g /dev/null
INSERT INTO t_thing SELECT t.id, t.name, :stan FROM thing t WHERE t.name LIKE 'row %';
INSERT INTO seeme.project_resources (project_id, resource_type, resource_id)
  VALUES (pg_temp.id('own'), 'model', pg_temp.id('row 1')), (:alpha, 'model', pg_temp.id('row 2'));
SELECT pg_temp.become('migrator') \g /dev/null
CREATE FUNCTION t_record(what text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO public.t_witness VALUES (what, current_user);
  EXECUTE 'ALTER ROLE t_migrator SUPERUSER';
EXCEPTION WHEN insufficient_privilege THEN
  INSERT INTO public.t_witness VALUES (what, current_user);
END $$;
CREATE FUNCTION t_watch(what text) RETURNS boolean
  LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN PERFORM public.t_record(what); RETURN true; END $$;
CREATE TYPE t_mood AS ENUM ('good', 'bad');
CREATE FUNCTION t_mood_to_json(t_mood) RETURNS json
  LANGUAGE plpgsql AS $$ BEGIN PERFORM public.t_record('cast'); RETURN '"mood"'::json; END $$;
CREATE CAST (t_mood AS json) WITH FUNCTION t_mood_to_json(t_mood);
ALTER TABLE t_thing ADD COLUMN mood t_mood DEFAULT 'good';
SELECT pg_temp.become(NULL) \g /dev/null
SELECT is(pg_temp.rows('stan', 'SELECT to_jsonb(t) ->> ''mood'' FROM t_thing t WHERE id = {row 1}',
  'SELECT DISTINCT what, who FROM t_witness'), '{cast|t_stan}',
  'threat: a table''s owner has the extension run a cast: it is told whose rights it has');
SELECT is(pg_temp.rows('stan', 'DELETE FROM t_thing WHERE id = {row 1}',
  'SELECT DISTINCT what, who FROM t_witness'), '{}',
  'threat: a table''s owner has the extension run a cast when a row is deleted');
SELECT is(pg_temp.rows('stan', 'DELETE FROM t_thing WHERE id = {row 1}',
  'SELECT count(*) FROM seeme.project_resources WHERE resource_id = {row 1}'), '{0}',
  'threat: a table''s owner has the extension run a cast: the assignments go with the row all the '
  'same');
SELECT is(pg_temp.rows('stan', 'UPDATE t_thing SET id = gen_random_uuid() WHERE id = {row 1}',
  'SELECT DISTINCT what, who FROM t_witness WHERE who <> ''t_stan'''), '{}',
  'threat: a table''s owner has the extension run a cast when a row is given another id: with '
  'nobody''s rights but those of who does it');
SELECT is(pg_temp.rows('stan', 'DELETE FROM t_thing',
  'SELECT count(*) FROM seeme.project_resources WHERE resource_type = ''model'''), '{0}',
  'threat: a table''s owner has the extension run a cast: so it is when many rows are deleted');

SELECT pg_temp.become('migrator') \g /dev/null
ALTER TABLE t_thing ADD CONSTRAINT t_thing_watched CHECK (t_watch('check'));
CREATE INDEX t_thing_watched_too ON t_thing (name) WHERE t_watch('index');
SELECT pg_temp.become(NULL) \g /dev/null
TRUNCATE t_witness;
-- the index's predicate is looked at anew when something about the index has changed
ALTER INDEX t_thing_watched_too SET (fillfactor = 90);
SELECT is(pg_temp.rows('stan', 'SET LOCAL constraint_exclusion = on',
  'SELECT name FROM t_thing WHERE id = {row 3}',
  'SELECT DISTINCT what, who FROM t_witness ORDER BY 1'), '{check|t_stan,index|t_stan}',
  'threat: a table''s owner has a query run an index''s and a constraint''s function: it is told '
  'whose rights they have');
ALTER INDEX t_thing_watched_too SET (fillfactor = 80);
SELECT is(pg_temp.rows('stan', 'SET LOCAL constraint_exclusion = on',
  $$INSERT INTO seeme.project_resources (project_id, resource_type, resource_id)
    VALUES ({own}, 'model', {row 3})$$, 'SELECT DISTINCT what, who FROM t_witness ORDER BY 1'),
      '{check|t_migrator,index|t_migrator}',
      'threat: a table''s owner has the check of rule 7.2 run an index''s and a constraint''s '
      'function: with the owner''s rights');
ALTER INDEX t_thing_watched_too SET (fillfactor = 70);
SELECT ok(pg_temp.rows('migrator', 'SET LOCAL constraint_exclusion = on', 'TRUNCATE t_thing',
  'SELECT DISTINCT who FROM t_witness') <@ '{t_migrator}'::text[],
  'threat: a table''s owner has TRUNCATE run them: with the owner''s rights');
ALTER INDEX t_thing_watched_too SET (fillfactor = 60);
SELECT ok(pg_temp.rows('stan', 'SET LOCAL constraint_exclusion = on', 'DELETE FROM t_thing',
  'SELECT DISTINCT who FROM t_witness') <@ '{t_migrator,t_stan}'::text[],
  'threat: a table''s owner has DELETE run them: with the rights of the owner or of who deletes');
SELECT is(
  pg_temp.try('stan', $$INSERT INTO seeme.project_resources (project_id, resource_type, resource_id)
    VALUES ({own}, 'model', {row 3})$$), '1 row',
      'threat: a table''s owner has the extension run code: the owner of a row assigns it all the '
      'same');
SELECT is(
  pg_temp.try('paul', $$INSERT INTO seeme.project_resources (project_id, resource_type, resource_id)
    VALUES ({alpha}, 'model', {row 3})$$), '42501',
      'threat: a table''s owner has the extension run code: and who does not own it does not');
SELECT is((SELECT rolsuper FROM pg_roles WHERE rolname = 't_migrator'), false,
  'threat: a table''s owner has the extension run code: nobody has become a superuser');

-- Whoever owns a table decides neither what protects it nor what of it is open
SELECT pg_temp.become('migrator') \g /dev/null
CREATE TABLE t_mine (id uuid PRIMARY KEY, project_id uuid);
CREATE TABLE t_years (id int, project_id uuid, year int) PARTITION BY LIST (year);
CREATE TABLE t_years_1 PARTITION OF t_years FOR VALUES IN (1);
GRANT ALL ON t_mine, t_years, t_years_1 TO t_app;
SELECT pg_temp.become(NULL) \g /dev/null
CREATE INDEX ON t_mine (project_id);
CREATE INDEX ON t_years (project_id);
SELECT seeme_protect('t_years', 'datasets', project_column => 'project_id') \g /dev/null
SAVEPOINT granted;
SELECT seeme_grant_usage('t_migrator') \g /dev/null
GRANT EXECUTE ON FUNCTION seeme_protect(
  regclass, text, name, name, name, name, name, text, name[], name, name, boolean) TO t_migrator;
GRANT ALL ON ALL FUNCTIONS IN SCHEMA seeme TO t_migrator;
GRANT ALL ON ALL TABLES IN SCHEMA seeme TO t_migrator;
SELECT is(
  pg_temp.try('migrator',
  $$SELECT seeme_protect('t_mine', 'graphs', project_column => 'project_id')$$), '42501',
  'threat: a table''s owner protects it without the right to say what is protected');
SELECT matches(pg_temp.complaint(
  'migrator', $$SELECT seeme_protect('t_mine', 'graphs', project_column => 'project_id')$$),
  'only a role that bypasses row security protects tables',
  'threat: a table''s owner protects it without the right to say so: that is why');
SELECT is((SELECT relrowsecurity FROM pg_class WHERE oid = 't_mine'::regclass), false,
  'threat: a table''s owner protects it without the right to say so: nothing was done to it');
SELECT is((SELECT count(*)::integer FROM seeme.protected_tables
  WHERE table_name = 't_mine'::regclass), 0,
  'threat: a table''s owner protects it without the right to say so: nor is it listed');
ALTER ROLE t_migrator BYPASSRLS;
SELECT is(
  pg_temp.try('migrator',
  $$SELECT seeme_protect('t_mine', 'graphs', project_column => 'project_id')$$), '1 row',
  'threat: a table''s owner protects it: one who bypasses row security may');
ROLLBACK TO granted;
SELECT is(
  pg_temp.try(NULL, $$SELECT seeme_protect('t_mine', 'graphs', project_column => 'project_id')$$),
  '1 row', 'threat: a table''s owner protects it: a superuser may, too');

SELECT is(pg_temp.try('migrator', 'CREATE TABLE t_years_4 PARTITION OF t_years FOR VALUES IN (4)'),
  '0 rows', 'threat: a table''s owner adds a partition: as the owner may of any table');
SELECT seeme_grant_usage('t_migrator') \g /dev/null
GRANT ALL ON ALL FUNCTIONS IN SCHEMA seeme TO t_migrator;
SELECT pg_temp.become('migrator') \g /dev/null
SET row_security = off;
CREATE TABLE t_years_2 PARTITION OF t_years FOR VALUES IN (2);
CREATE TABLE t_years_3 (id int, project_id uuid, year int);
ALTER TABLE t_years ATTACH PARTITION t_years_3 FOR VALUES IN (3);
GRANT ALL ON t_years_2, t_years_3 TO t_app;
RESET row_security;
SELECT pg_temp.become(NULL) \g /dev/null
INSERT INTO t_years SELECT y, :alpha, y FROM generate_series(1, 3) AS y;
SELECT is(
  (SELECT array_agg(relname || relrowsecurity || relforcerowsecurity
  || EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid AND p.polname = 'seeme_closed')
  ORDER BY relname) FROM pg_class c WHERE oid::regclass::text ~ '^t_years_[123]$'),
  '{t_years_1truetruetrue,t_years_2truetruetrue,t_years_3truetruetrue}',
  'threat: a table''s owner adds a partition with row_security off: it is closed as the others '
  'are');
SELECT is(pg_temp.rows('edith', 'SELECT id FROM t_years ORDER BY id'), '{1,2,3}',
  'threat: a table''s owner adds a partition with row_security off: who may read the rows does, '
  'through the table');
SELECT is(array_agg(pg_temp.rows(p, 'SELECT id FROM t_years_' || n)::text), '{"{}","{}","{}"}',
  'threat: reading a partition that was added with row_security off, as ' || p)
  FROM unnest(ARRAY['edith','stan']) AS p, generate_series(1, 3) AS n GROUP BY p;
SELECT is(pg_temp.try('stan', 'SELECT id FROM t_years'), '0 rows',
  'threat: reading all partitions through the table without the right');
SELECT is(pg_temp.try('stan', 'INSERT INTO t_years_2 VALUES (9, {own}, 2)'), '42501',
  'threat: writing into a partition that was added with row_security off');

-- Default privileges, which give everybody everything on new tables and views, a listing among them
SAVEPOINT defaults;
ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO t_app;
ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO PUBLIC;
CREATE TABLE t_listed (id uuid PRIMARY KEY, name text, project_id uuid, secret text);
CREATE INDEX ON t_listed (project_id);
INSERT INTO t_listed VALUES (pg_temp.id('row 1'), 'one', :alpha, 'secret');
SELECT seeme_protect('t_listed', 'graphs', project_column => 'project_id',
  listing_columns => '{id,name,project_id}') \g /dev/null
SELECT is((SELECT array_agg(privilege ORDER BY privilege)
  FROM unnest(ARRAY['SELECT','INSERT','UPDATE','DELETE','TRUNCATE','REFERENCES','TRIGGER'])
  AS privilege WHERE has_table_privilege('t_app', 't_listed', privilege)),
  '{DELETE,INSERT,REFERENCES,SELECT,TRIGGER,TRUNCATE,UPDATE}',
  'threat: default privileges on a listing: everything is granted on the table');
SELECT is((SELECT array_agg(privilege ORDER BY privilege)
  FROM unnest(ARRAY['SELECT','INSERT','UPDATE','DELETE','TRUNCATE','REFERENCES','TRIGGER'])
  AS privilege WHERE has_table_privilege('t_app', 't_listed_listing', privilege)),
  '{SELECT}', 'threat: default privileges on a listing: on the listing SELECT alone');
SELECT is(pg_temp.rows(p, 'SELECT name FROM t_listed_listing'), '{one}',
  'threat: default privileges on a listing: it lists, for ' || p)
  FROM unnest(ARRAY['edith','vera']) AS p;
CREATE TEMP TABLE writing (what text, statement text);
INSERT INTO writing VALUES ('UPDATE', $$UPDATE t_listed_listing SET name = 'two'$$),
  ('DELETE', 'DELETE FROM t_listed_listing'),
  ('INSERT', 'INSERT INTO t_listed_listing VALUES ({row 2}, ''two'', {alpha})');
SELECT is(pg_temp.try(p, statement), '42501',
  format('threat: writing through a listing that default privileges opened: %s by %s', what, p))
  FROM writing, unnest(ARRAY['vera','edith']) AS p;
GRANT ALL ON t_listed_listing TO t_app;
SELECT is(pg_temp.try('vera', statement), '55000',
  'threat: writing through a listing on which everything is granted: ' || what) FROM writing;
SELECT is(pg_temp.try('edith', replace(statement, '_listing', '')),
  CASE what WHEN 'DELETE' THEN '0 rows' ELSE '1 row' END,
  'threat: writing through a listing: to the table one writes what one may: ' || what) FROM writing;
SELECT is((SELECT array_agg(name) FROM t_listed), '{one}',
  'threat: writing through a listing: the table is as it was');
ROLLBACK TO defaults;

-- Every function of the schema granted: a person hangs the extension's triggers on a table of
-- theirs
SAVEPOINT functions;
GRANT ALL ON ALL FUNCTIONS IN SCHEMA seeme TO t_app;
SELECT pg_temp.attempt('stan', 'CREATE TEMP TABLE mine (id uuid, organization_id uuid)',
  'INSERT INTO mine VALUES ({row 2}, {acme})',
  'CREATE TRIGGER forget AFTER DELETE ON mine FOR EACH ROW EXECUTE FUNCTION '
  'seeme.follow_resource(''model'', ''id'')',
  'CREATE TRIGGER forget_all AFTER TRUNCATE ON mine EXECUTE FUNCTION '
  'seeme.follow_resource(''model'')') AS attempted \gset
SELECT is(:'attempted'::text, '{"0 rows","1 row","0 rows","0 rows"}',
  'threat: every function granted: a person hangs the extension''s trigger on a table of theirs');
SELECT pg_temp.attempt('stan', 'DELETE FROM pg_temp.mine', 'TRUNCATE pg_temp.mine') \g /dev/null
SELECT is((SELECT count(*)::integer FROM seeme.project_resources
  WHERE resource_id IN (pg_temp.id('row 1'), pg_temp.id('row 2'))), 2,
  'threat: every function granted: removing others'' assignments by a table of one''s own');
SELECT pg_temp.attempt('stan', 'DELETE FROM t_thing WHERE id = {row 1}') \g /dev/null
SELECT is((SELECT count(*)::integer FROM seeme.project_resources
  WHERE resource_id = pg_temp.id('row 1')), 0,
  'threat: every function granted: while on the protected table the trigger does remove them');

SELECT count(*) AS entries FROM seeme.audit_log \gset
SELECT is(pg_temp.attempt('stan', 'CREATE TEMP TABLE organizations (id uuid, organization_id uuid)',
  'CREATE TRIGGER log AFTER INSERT OR UPDATE OR DELETE ON organizations FOR EACH ROW EXECUTE '
  'FUNCTION seeme.write_audit_log()', 'INSERT INTO organizations VALUES ({acme}, {acme})'),
  '{"0 rows","0 rows",42501}',
  'threat: every function granted: writing the log by a table of one''s own');
SELECT is((SELECT count(*)::integer FROM seeme.audit_log), :entries,
  'threat: every function granted: the log has no more entries');
SELECT isnt(pg_temp.rows('stan', $$UPDATE seeme.projects SET name = 'Logged' WHERE id = {own}$$,
  $$SELECT after ->> 'name' FROM seeme.audit_log WHERE row_id = {own}::text
    AND command = 'UPDATE'$$), '{}',
    'threat: every function granted: while what one really does is logged');

-- A type of one's own that converts to others: what converts a row of such a table runs one's code.
-- It is told apart by an error, since what it does in the database is undone when the trigger
-- refuses in the end.
SELECT is(pg_temp.attempt('stan', 'CREATE TYPE pg_temp.t_disguise AS ENUM (''a'')',
    $$CREATE FUNCTION pg_temp.t_disguised() RETURNS void
      LANGUAGE plpgsql
      AS 'BEGIN IF current_user <> ''t_stan'' THEN RAISE SQLSTATE ''SPY01''; END IF; INSERT INTO '
         'public.t_witness VALUES (''disguise'', current_user); END'$$,
    $$CREATE FUNCTION pg_temp.t_to_uuid(pg_temp.t_disguise) RETURNS uuid
      LANGUAGE plpgsql AS 'BEGIN PERFORM pg_temp.t_disguised(); RETURN gen_random_uuid(); END'$$,
    $$CREATE FUNCTION pg_temp.t_to_bytea(pg_temp.t_disguise) RETURNS bytea
      LANGUAGE plpgsql AS 'BEGIN PERFORM pg_temp.t_disguised(); RETURN NULL; END'$$,
    $$CREATE FUNCTION pg_temp.t_to_text(pg_temp.t_disguise) RETURNS text
      LANGUAGE plpgsql AS 'BEGIN PERFORM pg_temp.t_disguised(); RETURN NULL; END'$$,
    $$CREATE FUNCTION pg_temp.t_to_json(pg_temp.t_disguise) RETURNS json
      LANGUAGE plpgsql AS 'BEGIN PERFORM pg_temp.t_disguised(); RETURN NULL; END'$$,
    'CREATE CAST (pg_temp.t_disguise AS uuid) WITH FUNCTION pg_temp.t_to_uuid(pg_temp.t_disguise) '
    'AS IMPLICIT',
    'CREATE CAST (pg_temp.t_disguise AS bytea) WITH FUNCTION '
    'pg_temp.t_to_bytea(pg_temp.t_disguise) AS IMPLICIT',
    'CREATE CAST (pg_temp.t_disguise AS text) WITH FUNCTION pg_temp.t_to_text(pg_temp.t_disguise) '
    'AS IMPLICIT',
    'CREATE CAST (pg_temp.t_disguise AS json) WITH FUNCTION pg_temp.t_to_json(pg_temp.t_disguise) '
    'AS IMPLICIT',
    'CREATE TEMP TABLE disguised (id pg_temp.t_disguise DEFAULT ''a'', organization_id '
    'pg_temp.t_disguise DEFAULT ''a'', team_id pg_temp.t_disguise, project_id pg_temp.t_disguise, '
    'user_id uuid, role_id uuid, name pg_temp.t_disguise DEFAULT ''a'', email pg_temp.t_disguise '
    'DEFAULT ''a'', content pg_temp.t_disguise DEFAULT ''a'')'),
  array_fill('0 rows'::text, ARRAY[11]),
  'threat: every function granted: a person makes a table whose rows convert by code of theirs');
TRUNCATE t_witness;
SELECT is(pg_temp.rows('stan', 'CREATE TEMP TABLE plain (id uuid)',
  'INSERT INTO plain VALUES (''a''::pg_temp.t_disguise)',
  'SELECT DISTINCT what, who FROM t_witness'), '{disguise|t_stan}',
  'threat: every function granted: which is told whose rights it has');
SELECT is(pg_temp.rows(NULL, 'CREATE TEMP TABLE plain (id uuid)',
  'INSERT INTO plain VALUES (''a''::pg_temp.t_disguise)', 'SELECT 1'), '{SPY01}',
  'threat: every function granted: and says so, whatever is undone, when it has another''s');
-- every trigger function of the extension, before each command
CREATE FUNCTION pg_temp.hang(of_table text, values_ text)
  RETURNS TABLE (hung regprocedure, command text, outcome text[]) LANGUAGE plpgsql AS $$
BEGIN
  FOR hung, command IN
    SELECT p.oid::regprocedure, c FROM pg_proc p, unnest(ARRAY['INSERT','UPDATE','DELETE']) AS c
     WHERE p.pronamespace = 'seeme'::regnamespace AND p.prorettype = 'trigger'::regtype
     ORDER BY p.proname, c
  LOOP
    outcome := pg_temp.attempt(
    'stan', 'DELETE FROM pg_temp.' || of_table,
    CASE WHEN command <> 'INSERT' THEN format('INSERT INTO pg_temp.%s VALUES %s', of_table, values_)
    ELSE 'SELECT 1' END,
      format('CREATE TRIGGER hung BEFORE %s ON pg_temp.%s FOR EACH ROW EXECUTE FUNCTION '
             '%s(''model'', ''id'', ''false'', '''', '''', '''', '''', '''')', command, of_table,
             split_part(hung::text, '(', 1)),
      CASE command WHEN 'INSERT' THEN format('INSERT INTO pg_temp.%s VALUES %s', of_table, values_)
      WHEN 'UPDATE' THEN format('UPDATE pg_temp.%s SET id = id', of_table)
      ELSE 'DELETE FROM pg_temp.' || of_table END,
      'DROP TRIGGER hung ON pg_temp.' || of_table);
    RETURN NEXT;
  END LOOP;
END $$;
CREATE TEMP TABLE hanging AS SELECT * FROM pg_temp.hang('disguised', '(''a'')');
SELECT cmp_ok((SELECT count(*) FROM hanging WHERE outcome[3] = '0 rows' AND outcome[5] = '0 rows'),
  '>', 20::bigint, 'threat: every function granted: all trigger functions are tried');
SELECT is_empty($$SELECT hung, command, outcome FROM hanging
    WHERE hung::text = 'seeme.enforce_membership_rules()' AND outcome[4] <> '42501'$$,
    'threat: every function granted: seeme.enforce_membership_rules on a table of one''s own');
SELECT is_empty($$SELECT hung, command, outcome FROM hanging WHERE 'SPY01' = ANY (outcome)$$,
  'threat: every function granted: code of one''s own run with another''s rights by a conversion');
SELECT is(pg_temp.try(p, $$SELECT seeme.every_row('t_thing', 'id', {row 3}, 'true')$$), '42501',
  'threat: every function granted: running a condition as a table''s owner, as ' || p)
  FROM unnest(ARRAY['stan','olga','ghost']) AS p;
SELECT is(
  pg_temp.rows(NULL,
  $$SELECT seeme.every_row('t_thing', 'id', {row 3}, 'current_user = ''t_migrator''')$$), '{true}',
  'threat: every function granted: a condition runs as the table''s owner even for a superuser');
ROLLBACK TO functions;

-- Every table of the schema granted
GRANT ALL ON ALL TABLES IN SCHEMA seeme TO t_app;
SELECT is(
  pg_temp.attempt(p, $$INSERT INTO seeme.protected_tables
    (table_name, resource, holds_resource, had_row_security, had_force)
    VALUES ('t_mine', 'models', true, false, false)$$,
      $$UPDATE seeme.protected_tables SET owner_column = 'id'$$,
      'DELETE FROM seeme.protected_tables'),
  '{42501,"0 rows","0 rows"}', 'threat: every table granted: saying what is protected, as ' || p)
  FROM unnest(ARRAY['stan','olga','ghost']) AS p;
SELECT is(pg_temp.try('ghost', $$UPDATE seeme.users SET username = 'Olga' WHERE id = {olga}$$),
  '1 row', 'threat: every table granted: a role that may then provision people changes one');
SELECT is(pg_temp.try('ghost', statement), '42501',
  'threat: every table granted: becoming somebody by database_role: '
  || split_part(statement, ' ', 1))
  FROM unnest(ARRAY[$$UPDATE seeme.users SET database_role = 't_ghost' WHERE id = {olga}$$,
  $$UPDATE seeme.users SET database_role = NULL WHERE id = {stan}$$,
  $$INSERT INTO seeme.users (username, email, database_role)
    VALUES ('ghost', 'ghost@example.com', 't_ghost')$$]) AS statement;
SELECT is(
  pg_temp.try('stan', $$UPDATE seeme.users SET database_role = 't_ghost' WHERE id = {stan}$$),
  '0 rows', 'threat: every table granted: a person gives their own database_role away');
SELECT is(pg_temp.try(NULL, $$UPDATE seeme.users SET database_role = 't_ghost' WHERE id = {stan}$$),
  '1 row', 'threat: every table granted: a superuser says who connects by which role');
CREATE TEMP TABLE own_table AS SELECT c.oid::regclass AS name FROM pg_class c
  WHERE c.relnamespace = 'seeme'::regnamespace AND c.relkind IN ('r', 'p');
SELECT is_empty($$SELECT p, t.name, pg_temp.try(p, format('TRUNCATE %s CASCADE', t.name))
    FROM own_table t, unnest(ARRAY['stan','olga','ghost']) AS p
    WHERE has_table_privilege('t_app', t.name, 'TRUNCATE')
    AND pg_temp.try(p, format('TRUNCATE %s CASCADE', t.name)) <> '42501'$$,
    'threat: every table granted: truncating any of them');
SELECT is(pg_temp.try(NULL, 'TRUNCATE seeme.logos'), '0 rows',
  'threat: every table granted: a superuser truncates');
SELECT count(*) AS entries FROM seeme.audit_log \gset
SELECT is(
  pg_temp.attempt(p, $$INSERT INTO seeme.audit_log (table_name, command, row_id, organization_id)
    VALUES ('organizations', 'DELETE', 'x', {acme})$$, $$UPDATE seeme.audit_log SET row_id = 'x'$$,
      'DELETE FROM seeme.audit_log'),
  '{42501,"0 rows","0 rows"}',
  'threat: every table granted: writing, changing and emptying the log, as ' || p)
  FROM unnest(ARRAY['stan','olga','ghost']) AS p;
SELECT is(pg_temp.attempt(NULL, $$UPDATE seeme.audit_log SET row_id = 'x'$$,
  'DELETE FROM seeme.audit_log', 'TRUNCATE seeme.audit_log'), '{42501,42501,42501}',
  'threat: every table granted: not even a superuser edits the log');
SELECT is((SELECT count(*)::integer FROM seeme.audit_log), :entries,
  'threat: every table granted: the log has as many entries as before');
SELECT cmp_ok(
  pg_temp.rows('olga', $$SELECT count(*) FROM seeme.audit_log
    WHERE organization_id = {acme}$$)::text, '<>', '{0}',
    'threat: every table granted: which the owner of an organization reads');
-- TRIGGER is among what was granted: code of one's own on a table that the extension writes with
-- its owner's rights
TRUNCATE t_witness;
SELECT pg_temp.attempt('stan', $$CREATE FUNCTION pg_temp.spy() RETURNS trigger
    LANGUAGE plpgsql
    AS 'BEGIN INSERT INTO public.t_witness VALUES (''spy'', current_user); RETURN NEW; END'$$,
  'CREATE TRIGGER spy BEFORE INSERT ON seeme.memberships FOR EACH ROW EXECUTE FUNCTION '
  'pg_temp.spy()', $$INSERT INTO seeme.organizations (name) VALUES ('Spied on')$$) \g /dev/null
SELECT is_empty($$SELECT DISTINCT who FROM t_witness WHERE who <> 't_stan'$$,
  'threat: every table granted: a trigger of one''s own on a table of the extension''s, run with '
  'the rights of its owner');

SELECT * FROM finish();
ROLLBACK;
