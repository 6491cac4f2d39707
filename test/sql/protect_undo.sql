\i test/include/prelude.psql
-- What seeme_protect refuses, what it tells, and that seeme_unprotect undoes exactly what it did.
-- The notices are looked at in a session of their own, before anything else is locked here.
\set told `psql -XAtq -h :'HOST' -p :PORT -U :USER -d :DBNAME -f test/include/protect_notice.psql 2>&1`
BEGIN;
\i test/include/people.psql
\i test/include/asking.psql
SELECT plan(64);

CREATE TEMP TABLE told AS SELECT split_part(split_part(:'told', 'without:', 2), 'with:', 1)
  AS without, split_part(split_part(:'told', 'with:', 2), 'end', 1) AS with_;
SELECT ok(:'told' LIKE '%without:%with:%end%', 'the session of the notices came to its end');
SELECT matches((SELECT without FROM told), 'NOTICE:.*project_id',
  'a scope column without an index is told of in a notice');
SELECT matches((SELECT without FROM told), 'CREATE INDEX.*t_without_index.*project_id',
  'which gives the statement to run');
SELECT doesnt_match((SELECT without FROM told), 'CREATE INDEX.*t_without_index.*team_id',
  'and says nothing of a column with an index');
SELECT doesnt_match((SELECT with_ FROM told), 'CREATE INDEX', 'nor anything where there is one');

-- Everything about a table that protecting it might touch
CREATE FUNCTION pg_temp.state(rel text) RETURNS text LANGUAGE sql AS $$
  SELECT concat_ws(E'\n', c.relrowsecurity, c.relforcerowsecurity, c.relacl::text, c.relowner,
    c.reloptions::text, c.relhasindex,
    (SELECT string_agg(p.polname || p.polcmd::text || p.polpermissive
    || pg_get_expr(p.polqual, p.polrelid) || coalesce(pg_get_expr(p.polwithcheck, p.polrelid), ''),
    ',' ORDER BY p.polname) FROM pg_policy p WHERE p.polrelid = c.oid),
    (SELECT string_agg(pg_get_triggerdef(t.oid), ',' ORDER BY t.tgname) FROM pg_trigger t
    WHERE t.tgrelid = c.oid),
    (SELECT string_agg(pg_get_constraintdef(o.oid), ',' ORDER BY o.conname) FROM pg_constraint o
    WHERE o.conrelid = c.oid),
    (SELECT string_agg(a.attname || a.attnotnull || coalesce(a.attacl::text, ''),
    ',' ORDER BY a.attnum) FROM pg_attribute a WHERE a.attrelid = c.oid),
    (SELECT string_agg(i.indexrelid::regclass::text, ',' ORDER BY 1) FROM pg_index i
    WHERE i.indrelid = c.oid),
    (SELECT string_agg(v.relname, ',' ORDER BY v.relname) FROM pg_class v
    WHERE v.relnamespace = c.relnamespace AND v.relname LIKE c.relname || '%'))
    FROM pg_class c WHERE c.oid = to_regclass(rel)
$$;
CREATE TABLE t_plain (id uuid PRIMARY KEY, name text, project_id uuid, owner_id uuid);
CREATE TABLE t_guarded (id uuid PRIMARY KEY, name text, project_id uuid);
CREATE TABLE t_forced (id uuid PRIMARY KEY, name text, team_id uuid);
GRANT SELECT, INSERT, UPDATE, DELETE ON t_plain, t_guarded, t_forced TO t_app;
ALTER TABLE t_guarded ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON t_guarded AS RESTRICTIVE FOR SELECT USING (name <> 'hidden');
CREATE FUNCTION pg_temp.nothing() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
CREATE TRIGGER own AFTER DELETE ON t_guarded FOR EACH ROW EXECUTE FUNCTION pg_temp.nothing();
ALTER TABLE t_forced ENABLE ROW LEVEL SECURITY;
ALTER TABLE t_forced FORCE ROW LEVEL SECURITY;
CREATE TEMP TABLE before AS SELECT t, pg_temp.state(t)
  FROM unnest(ARRAY['t_plain','t_guarded','t_forced']) AS t;
INSERT INTO t_plain VALUES (gen_random_uuid(), 'in alpha', :alpha, NULL),
  (gen_random_uuid(), 'in delta', :delta, NULL);
INSERT INTO t_guarded VALUES (gen_random_uuid(), 'shown', :alpha),
  (gen_random_uuid(), 'hidden', :alpha);
SELECT is(pg_temp.rows('tess', 'SELECT name FROM t_plain ORDER BY name'), '{in alpha,in delta}',
  'a table that is not protected shows everything');
SELECT seeme_protect('t_plain', 'models', project_column => 'project_id',
  resource_id_column => 'id', owner_column => 'owner_id', listing_columns => '{id,name}')
  \g /dev/null
SELECT seeme_protect('t_guarded', 'datasets', project_column => 'project_id') \g /dev/null
SELECT seeme_protect('t_forced', 'workflows', team_column => 'team_id') \g /dev/null
SELECT is(pg_temp.rows('tess', 'SELECT name FROM t_plain'), '{in alpha}',
  'a protected one what may be read');
SELECT is(pg_temp.rows('tess', 'SELECT name FROM t_guarded'), '{shown}',
  'a restrictive policy of the application''s own goes on restricting');
SELECT is((SELECT count(*)::integer FROM seeme.protected_tables), 3,
  'the protected tables are listed');
SELECT is_empty($$SELECT t FROM before WHERE state = pg_temp.state(t)$$,
  'protecting does change the tables');
SELECT seeme_unprotect(t::regclass) FROM before \g /dev/null
SELECT is_empty($$SELECT t, state, pg_temp.state(t) FROM before WHERE state IS DISTINCT
    FROM pg_temp.state(t)$$, 'unprotecting leaves the tables exactly as they were');
SELECT is((SELECT count(*)::integer FROM seeme.protected_tables), 0, 'and none of them listed');
SELECT hasnt_view('public', 't_plain_listing', 'the listing is gone');
SELECT is(pg_temp.rows('tess', 'SELECT name FROM t_plain ORDER BY name'), '{in alpha,in delta}',
  'a table that is not protected any more shows everything again');
SELECT is(pg_temp.rows('tess', 'SELECT name FROM t_guarded'), '{}',
  'and one with row security of its own goes by its own policies');
SELECT seeme_protect('t_plain', 'datasets', project_column => 'project_id') \g /dev/null
SELECT is(pg_temp.rows('ann', 'SELECT name FROM t_plain'), '{in alpha}',
  'it may be protected again, otherwise');
SELECT seeme_unprotect('t_plain') \g /dev/null
SELECT is((SELECT pg_temp.state('t_plain') = state FROM before WHERE t = 't_plain'), true,
  'and unprotected again');

-- Partitions: closed while their table is protected, and only those that were open are opened again
CREATE TABLE t_run (id uuid, kind text, project_id uuid) PARTITION BY LIST (kind);
CREATE TABLE t_run_a PARTITION OF t_run FOR VALUES IN ('a');
CREATE TABLE t_run_b PARTITION OF t_run FOR VALUES IN ('b');
ALTER TABLE t_run_b ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON t_run_b AS RESTRICTIVE USING (kind = 'b');
CREATE TEMP TABLE before_run AS SELECT t, pg_temp.state(t)
  FROM unnest(ARRAY['t_run','t_run_a','t_run_b']) AS t;
GRANT SELECT ON t_run, t_run_a, t_run_b TO t_app;
INSERT INTO t_run VALUES (gen_random_uuid(), 'a', :delta), (gen_random_uuid(), 'b', :delta);
SELECT seeme_protect('t_run', 'jobs', project_column => 'project_id') \g /dev/null
SELECT is(
  pg_temp.rows('vera',
  'SELECT kind FROM t_run UNION ALL SELECT kind FROM t_run_a UNION ALL SELECT kind FROM t_run_b'),
  '{}', 'a partition, with row security of its own or without, is closed while its table is '
        'protected');
SELECT seeme_unprotect('t_run') \g /dev/null
REVOKE SELECT ON t_run, t_run_a, t_run_b FROM t_app;
SELECT is_empty($$SELECT t, regexp_replace(state, '\{.*\}', ''), pg_temp.state(t) FROM before_run
    WHERE regexp_replace(state, E'\n\{[^\n]*\}', '') IS DISTINCT
    FROM regexp_replace(pg_temp.state(t), E'\n\{[^\n]*\}', '')$$,
    'and unprotecting leaves every partition as it was');

-- New kinds of resource
CREATE TABLE t_satellite (id uuid PRIMARY KEY, project_id uuid);
GRANT SELECT, INSERT ON t_satellite TO t_app;
SELECT seeme_protect('t_satellite', 'satellites', project_column => 'project_id',
  resource_id_column => 'id', resource_type => 'satellite') \g /dev/null
SELECT is_empty($$SELECT a FROM unnest(ARRAY['read','create','update','delete']) AS a
    WHERE NOT EXISTS (SELECT FROM seeme.permissions WHERE name = 'satellites:' || a
    AND description <> '')$$,
  'protecting a new kind of resource registers its codes');
SELECT is((SELECT resource FROM seeme.resource_types WHERE name = 'satellite'), 'satellites',
  'and its type');
INSERT INTO t_satellite VALUES ('99000000-0000-4000-8000-000000000001', :gamma),
  ('99000000-0000-4000-8000-000000000002', NULL);
SELECT is(pg_temp.who('SELECT FROM t_satellite'), 'adam cora edith olga vera',
  'which owner, Admin, Viewer, and the Editors of what a project groups may read at once');
SELECT is(pg_temp.who('INSERT INTO t_satellite VALUES (gen_random_uuid(), {gamma})'),
  'adam cora edith olga', 'and all but the Viewer create');
SELECT is(pg_temp.who('DELETE FROM t_satellite WHERE project_id = {gamma}'), NULL,
  'without leave to delete nobody deletes');
GRANT DELETE ON t_satellite TO t_app;
SELECT is(pg_temp.who('DELETE FROM t_satellite WHERE project_id = {gamma}'), 'adam olga',
  'and with it owner and Admin');
INSERT INTO seeme.project_resources (project_id, resource_type, resource_id)
  VALUES (:alpha, 'satellite', '99000000-0000-4000-8000-000000000002');
SELECT is(pg_temp.who('SELECT FROM t_satellite'), 'adam cora edith olga paul tess vera',
  'by assignment, too');
SELECT is(
  pg_temp.rows('adam',
  $$SELECT seeme_has_permission(
    'satellites:update', resource => '99000000-0000-4000-8000-000000000002')$$), '{true}',
    'and of which the single question may be asked');

-- Refused, and nothing changed
CREATE TABLE t_bad (id uuid PRIMARY KEY, name text, project_id uuid, project_name text);
CREATE TABLE t_of_adam (id uuid, project_id uuid);
ALTER TABLE t_of_adam OWNER TO t_adam;
CREATE VIEW t_view AS SELECT * FROM t_bad;
CREATE MATERIALIZED VIEW t_stored AS SELECT * FROM t_bad;
CREATE SEQUENCE t_numbers;
SELECT seeme_protect('t_forced', 'workflows', team_column => 'team_id') \g /dev/null
CREATE TEMP TABLE refused (code text, what text, statement text);
INSERT INTO refused VALUES
  ('42809', 'a view', $$seeme_protect('t_view', 'models', project_column => 'project_id')$$),
  ('42809', 'a materialized view',
  $$seeme_protect('t_stored', 'models', project_column => 'project_id')$$),
  ('42809', 'a sequence', $$seeme_protect('t_numbers', 'models', project_column => 'project_id')$$),
  ('42809', 'an index', $$seeme_protect('t_bad_pkey', 'models', project_column => 'project_id')$$),
  ('42P01', 'a table that does not exist',
  $$seeme_protect('t_missing', 'models', project_column => 'project_id')$$),
  ('42703', 'a project column that does not exist',
  $$seeme_protect('t_bad', 'models', project_column => 'project')$$),
  ('42703', 'a team column that does not exist',
  $$seeme_protect('t_bad', 'models', team_column => 'team')$$),
  ('42703', 'an organization column that does not exist',
  $$seeme_protect('t_bad', 'models', organization_column => 'organization')$$),
  ('42703', 'an owner column that does not exist',
  $$seeme_protect('t_bad', 'models', owner_column => 'owner')$$),
  ('42703', 'a resource id column that does not exist',
  $$seeme_protect('t_bad', 'models', resource_id_column => 'model_id')$$),
  ('42703', 'a listing column that does not exist',
  $$seeme_protect('t_bad', 'models', project_column => 'project_id', listing_columns => '{id,title}')$$),
  ('42804', 'a project column that is no uuid',
  $$seeme_protect('t_bad', 'models', project_column => 'project_name')$$),
  ('42804', 'an owner column that is no uuid',
  $$seeme_protect('t_bad', 'models', owner_column => 'name')$$),
  ('42804', 'a resource id column that is no uuid',
  $$seeme_protect('t_bad', 'models', resource_id_column => 'name')$$),
  ('22023', 'no column at all', $$seeme_protect('t_bad', 'models')$$),
  ('22023', 'listing columns alone',
  $$seeme_protect('t_bad', 'models', listing_columns => '{id,name}')$$),
  ('42710', 'a table protected already',
  $$seeme_protect('t_forced', 'workflows', team_column => 'team_id')$$),
  ('55000', 'unprotecting a table that is not protected', $$seeme_unprotect('t_bad')$$);
SELECT is(pg_temp.try(NULL, 'SELECT ' || statement), code, 'refused: ' || what) FROM refused;
SELECT isnt(pg_temp.try(NULL, format(
  'SELECT seeme_protect(''t_bad'', %L, project_column => ''project_id'')', r)), '1 row',
  'refused: a resource called "' || coalesce(r, 'null') || '"')
  FROM unnest(ARRAY['', 'models:read', '*', 'Mo dels', 'models;', NULL]) AS r;
SELECT isnt(
  pg_temp.try(NULL, $$SELECT seeme_protect(t, 'models', organization_column => 'organization_id')
    FROM unnest(ARRAY['seeme.teams'::regclass]) AS t$$), '1 row',
    'refused: a table of the extension itself');
SELECT is(
  pg_temp.try('adam',
  'SELECT seeme_protect(''t_bad'', ''models'', project_column => ''project_id'')'), '42501',
  'refused: a table that one does not own');
SELECT is(pg_temp.try('adam', 'SELECT seeme_unprotect(''t_forced'')'), '42501',
  'refused: unprotecting a table that one does not own');
SELECT ok(c LIKE '42703: %projects%' , 'a missing column is named')
  FROM pg_temp.complaint(NULL,
  $$SELECT seeme_protect('t_bad', 'models', project_column => 'projects')$$) AS c;
SELECT is((SELECT relrowsecurity FROM pg_class WHERE oid = 't_bad'::regclass), false,
  'nothing of the refused table changed');
SELECT is((SELECT count(*)::integer FROM seeme.protected_tables), 2, 'nor was it listed');
SELECT is(
  pg_temp.try(NULL, $$SELECT seeme_protect('t_bad', 'workflows', project_column => 'project_id'),
    seeme_protect('t_of_adam', 'workflows', project_column => 'project_id')$$), '1 row',
  'several tables may go by the codes of one resource');
SELECT lives_ok($$DROP TABLE t_forced$$, 'a protected table may be dropped');
SELECT lives_ok($$CREATE TABLE t_forced (id uuid, team_id uuid)$$, 'and made anew');
SELECT lives_ok($$SELECT seeme_protect('t_forced', 'workflows', team_column => 'team_id')$$,
  'and protected anew');

-- Names that need quoting
CREATE SCHEMA "T Odd";
CREATE TABLE "T Odd"."Models of ""mine""" ("Id" uuid, "Na me" text, "Project Id" uuid);
GRANT USAGE ON SCHEMA "T Odd" TO t_app;
GRANT SELECT ON "T Odd"."Models of ""mine""" TO t_app;
INSERT INTO "T Odd"."Models of ""mine""" VALUES (gen_random_uuid(), 'odd', :alpha),
  (gen_random_uuid(), 'even', :delta);
SELECT lives_ok($$SELECT seeme_protect(
    '"T Odd"."Models of ""mine"""', 'models', project_column => 'Project Id',
    listing_columns => '{Id,Na me}')$$, 'a table whose names need quoting is protected');
SELECT is(pg_temp.rows('tess', 'SELECT "Na me" FROM "T Odd"."Models of ""mine"""'), '{odd}',
  'and shows what may be read');
SELECT lives_ok($$SELECT seeme_unprotect('"T Odd"."Models of ""mine"""')$$, 'and is unprotected');

SELECT * FROM finish();
ROLLBACK;
