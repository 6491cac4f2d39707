\i test/include/prelude.psql
-- Rows that a public column opens to everybody. What each person reads, locks, changes, removes,
-- adds, moves and makes public is compared with plain SQL that knows the rules and none of the
-- extension's code.
BEGIN;
\i test/include/people.psql
\i test/include/asking.psql
\i test/include/oracle.psql
SELECT plan(37);
SET LOCAL max_parallel_workers_per_gather = 0;
SET LOCAL jit = off;

-- nora changes rows in Acme and reads none; ann may do everything in Alpha but share
SELECT pg_temp.hold('{models:update,models:delete}') \g /dev/null
UPDATE seeme.roles SET permissions =
  '{models:list,models:read,models:create,models:update,models:delete}' WHERE id = :annotator;

-- A row for each place, and for each value of the public column. The same rows in tables of each
-- kind: one scope, an owner, a resource without share, partitions, a table that inherits.
CREATE TABLE p_doc (id integer PRIMARY KEY, project_id uuid, is_public boolean, owner_id uuid,
  note text);
INSERT INTO p_doc
  SELECT row_number() OVER (ORDER BY p, v, o), project, visible, owner, 'n'
    FROM unnest(ARRAY[:alpha, :beta, :gamma, :delta, NULL]::uuid[])
           WITH ORDINALITY AS a (project, p),
         unnest(ARRAY[true, false, NULL]) WITH ORDINALITY AS b (visible, v),
         unnest(ARRAY[NULL, :vera, :oscar]::uuid[]) WITH ORDINALITY AS c (owner, o);
CREATE TABLE p_owned AS TABLE p_doc;
ALTER TABLE p_owned ADD PRIMARY KEY (id);
CREATE TABLE p_job AS TABLE p_doc;
ALTER TABLE p_job ADD PRIMARY KEY (id);
CREATE TABLE p_part (note text, id integer PRIMARY KEY, project_id uuid, owner_id uuid,
  is_public boolean) PARTITION BY LIST (id);
SELECT format('CREATE TABLE p_part_1 PARTITION OF p_part FOR VALUES IN (%s)',
              (SELECT string_agg(id::text, ',') FROM p_doc WHERE id % 2 = 0)) \gexec
CREATE TABLE p_part_2 (gone text, is_public boolean, id integer NOT NULL, note text,
  project_id uuid, owner_id uuid);
ALTER TABLE p_part_2 DROP COLUMN gone;
ALTER TABLE p_part ATTACH PARTITION p_part_2 DEFAULT;
INSERT INTO p_part SELECT note, id, project_id, owner_id, is_public FROM p_doc;
CREATE TABLE p_heir_of (LIKE p_doc);
CREATE TABLE p_heir (more text) INHERITS (p_heir_of);
INSERT INTO p_heir_of SELECT * FROM p_doc WHERE id % 2 = 0;
INSERT INTO p_heir SELECT * FROM p_doc WHERE id % 2 = 1;
SELECT seeme_protect(t, 'models', project_column => 'project_id', public_column => 'is_public')
  FROM unnest('{p_doc,p_part,p_heir_of}'::regclass[]) AS t \g /dev/null
SELECT seeme_protect('p_owned', 'models', project_column => 'project_id',
  owner_column => 'owner_id', public_column => 'is_public') \g /dev/null
SELECT seeme_protect('p_job', 'jobs', project_column => 'project_id',
  public_column => 'is_public', listing_columns => '{id,note}') \g /dev/null
GRANT ALL ON p_doc, p_owned, p_job, p_part, p_heir_of TO t_app;
GRANT SELECT ON p_job_listing TO t_app;

CREATE TEMP TABLE kind_of (rel text, resource text, owned boolean);
INSERT INTO kind_of VALUES ('p_doc', 'models', false), ('p_part', 'models', false),
  ('p_heir_of', 'models', false), ('p_owned', 'models', true), ('p_job', 'jobs', false);
CREATE TEMP TABLE person AS
  SELECT username AS name, id, disabled_at IS NULL AS is_active FROM seeme.users
   WHERE database_role LIKE 't\_%'
  UNION ALL SELECT 'ghost', NULL, false;

-- What is true of each person and row, by the rules.
CREATE TEMP TABLE held AS
  SELECT p.name AS person, h.scope_id, h.code FROM person p, LATERAL pg_temp.held(p.name) h
   WHERE h.code LIKE 'models:%' OR h.code LIKE 'jobs:%';
CREATE INDEX ON held (person, scope_id, code);
ANALYZE held;
CREATE FUNCTION pg_temp.has(who text, wanted text, place uuid) RETURNS boolean
LANGUAGE sql STABLE AS $$
  SELECT EXISTS (SELECT FROM held WHERE person = who AND scope_id = place AND code = wanted) $$;
CREATE FUNCTION pg_temp.has_all(who text, resource_name text, place uuid) RETURNS boolean
LANGUAGE sql STABLE AS $$
  SELECT NOT EXISTS (SELECT FROM seeme.permissions p
                      WHERE p.resource = resource_name AND p.action <> '*'
                        AND NOT pg_temp.has(who, p.name, place)) $$;
CREATE TEMP TABLE fact AS
  SELECT k.rel, k.owned, w.name AS person, d.id, d.project_id, d.is_public IS TRUE AS was_public,
         pg_temp.has(w.name, k.resource || ':read', d.project_id) AS reads,
         pg_temp.has(w.name, k.resource || ':create', d.project_id) AS creates,
         pg_temp.has(w.name, k.resource || ':update', d.project_id) AS updates,
         pg_temp.has(w.name, k.resource || ':delete', d.project_id) AS deletes,
         -- there is no jobs:share: everything is needed
         CASE k.resource WHEN 'models' THEN pg_temp.has(w.name, 'models:share', d.project_id)
           ELSE pg_temp.has_all(w.name, 'jobs', d.project_id) END AS shares,
         pg_temp.has(w.name, k.resource || ':update', :gamma) AS updates_there,
         pg_temp.has(w.name, k.resource || ':read', :gamma) AS reads_there,
         CASE k.resource WHEN 'models' THEN pg_temp.has(w.name, 'models:share', :gamma)
           ELSE pg_temp.has_all(w.name, 'jobs', :gamma) END AS shares_there,
         pg_temp.has_all(w.name, 'models', d.project_id) AS holds_all,
         d.owner_id,
         k.owned AND w.is_active AND coalesce(d.owner_id = w.id, false)
           AND (d.project_id IS NULL
                OR EXISTS (SELECT FROM seeme.projects p
                             JOIN pg_temp.current_membership m USING (organization_id)
                            WHERE p.id = d.project_id AND m.user_id = w.id)) AS owns,
         w.id AS person_id, w.is_active
    FROM kind_of k, person w, p_doc d;

-- Each statement, and the outcome that the rules give it. {id} is the row.
CREATE FUNCTION pg_temp.publish_outcome(f pg_temp.fact) RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE WHEN NOT (f.was_public OR f.reads OR f.owns) OR NOT (f.updates OR f.owns)
              THEN '0 rows'
              WHEN f.was_public OR f.shares OR f.owns THEN '1 row' ELSE '42501' END $$;
CREATE TEMP TABLE wanted AS
  SELECT f.rel, f.person, f.id, c.command, replace(replace(c.statement, '{id}', f.id::text),
                                                   '{rel}', f.rel) AS statement, c.outcome
    FROM fact f,
         LATERAL (SELECT f.was_public OR f.reads OR f.owns AS sees,
                         f.updates OR f.owns AS changes) AS a,
         LATERAL (VALUES
    ('reads', 'SELECT FROM {rel} WHERE id = {id}',
     CASE WHEN a.sees THEN '1 row' ELSE '0 rows' END),
    ('locks', 'SELECT FROM {rel} WHERE id = {id} FOR UPDATE',
     CASE WHEN a.sees AND a.changes THEN '1 row' ELSE '0 rows' END),
    ('locks for others', 'SELECT FROM {rel} WHERE id = {id} FOR KEY SHARE',
     CASE WHEN a.sees AND a.changes THEN '1 row' ELSE '0 rows' END),
    ('changes', $$UPDATE {rel} SET note = 'x' WHERE id = {id}$$,
     CASE WHEN a.sees AND a.changes THEN '1 row' ELSE '0 rows' END),
    ('removes', 'DELETE FROM {rel} WHERE id = {id}',
     CASE WHEN a.sees AND (f.deletes OR f.owns) THEN '1 row' ELSE '0 rows' END),
    ('makes public', 'UPDATE {rel} SET is_public = true WHERE id = {id}',
     pg_temp.publish_outcome(f)),
    ('makes public by MERGE',
     'MERGE INTO {rel} d USING (SELECT {id} AS id) s ON s.id = d.id '
     'WHEN MATCHED THEN UPDATE SET is_public = true',
     -- a row that MERGE sees and may not update is an error
     CASE WHEN a.sees AND NOT a.changes THEN '42501' ELSE pg_temp.publish_outcome(f) END),
    -- who does not read the row otherwise would lose sight of it
    ('takes back', 'UPDATE {rel} SET is_public = false WHERE id = {id}',
     CASE WHEN NOT (a.sees AND a.changes) THEN '0 rows'
          WHEN f.reads OR f.owns THEN '1 row' ELSE '42501' END),
    ('moves to Gamma', 'UPDATE {rel} SET project_id = {gamma} WHERE id = {id}',
     CASE WHEN NOT (a.sees AND a.changes) THEN '0 rows'
          WHEN f.project_id IS NOT DISTINCT FROM :gamma THEN '1 row'
          WHEN f.updates_there AND (NOT f.was_public OR f.shares_there)
               AND (f.was_public OR f.reads_there) THEN '1 row' ELSE '42501' END),
    ('moves to Gamma and makes public',
     'UPDATE {rel} SET project_id = {gamma}, is_public = true WHERE id = {id}',
     CASE WHEN NOT (a.sees AND a.changes) THEN '0 rows'
          WHEN f.project_id IS NOT DISTINCT FROM :gamma THEN pg_temp.publish_outcome(f)
          WHEN f.updates_there AND f.shares_there THEN '1 row' ELSE '42501' END),
    ('adds', 'INSERT INTO {rel} (id, project_id, owner_id, is_public) '
             'SELECT id + 1000, project_id, owner_id, is_public FROM p_copy WHERE id = {id}',
     CASE WHEN (f.creates OR f.owns AND f.project_id IS NULL)
               AND (NOT f.owned OR f.owner_id IS NULL OR f.owns OR f.holds_all)
               AND (NOT f.was_public OR f.shares OR f.owns) THEN '1 row' ELSE '42501' END),
    ('makes public by ON CONFLICT',
     'INSERT INTO {rel} (id, project_id, owner_id, is_public) '
     'SELECT id, project_id, owner_id, false FROM p_copy WHERE id = {id} '
     'ON CONFLICT (id) DO UPDATE SET is_public = true',
     CASE WHEN NOT ((f.creates OR f.owns AND f.project_id IS NULL)
                    AND (NOT f.owned OR f.owner_id IS NULL OR f.owns OR f.holds_all)) THEN '42501'
          -- an existing row that one may not read or update is an error
          WHEN pg_temp.publish_outcome(f) = '0 rows' THEN '42501'
          WHEN NOT (f.reads OR f.owns) THEN '42501'
          ELSE pg_temp.publish_outcome(f) END)) AS c (command, statement, outcome)
   WHERE NOT (f.rel = 'p_heir_of' AND c.command LIKE '%ON CONFLICT')
     -- moves of owned rows out of an organization have rules of their own
     AND NOT (f.owned AND c.command LIKE 'moves%');
CREATE TEMP TABLE p_copy AS TABLE p_doc;
GRANT SELECT ON p_copy TO PUBLIC;
SELECT cmp_ok((SELECT count(DISTINCT (rel, command, outcome)) FROM wanted), '>', 110::bigint,
  'the outcomes differ');
SELECT is((SELECT string_agg(format('%s %s row %s of %s: %s, not %s', person, command, id, rel, got,
                                    outcome), E'\n')
             FROM (SELECT w.*, pg_temp.try(w.person, w.statement) AS got FROM wanted w
                    WHERE w.command = c.command) AS w WHERE got <> outcome), NULL,
          'each person and row, in each table: who ' || command)
  FROM (SELECT DISTINCT command FROM wanted) AS c ORDER BY command COLLATE "C";

-- Rows that are public are nothing that one holds.
SELECT is(pg_temp.rows('stan', 'SELECT seeme_has_permission(''models:read'', project => {alpha})'),
  '{false}', 'seeme_has_permission does not know public rows');
SELECT is(pg_temp.rows('stan', 'SELECT seeme_permitted_projects(''models:read'')'), '{[]}',
  'nor do the permitted lists');
SELECT is(pg_temp.rows('stan', 'SELECT count(*) FROM p_job_listing'), '{0}',
  'a listing view shows the rows on which list is held');
SELECT is(pg_temp.rows('ghost', 'SELECT count(*) FROM p_doc'),
  ARRAY[(SELECT count(*)::text FROM p_doc WHERE is_public)],
  'with nobody identified there are the public rows');

-- Plans: little is visible, much, nothing but public rows.
CREATE FUNCTION pg_temp.plan(person text, statement text, settings jsonb = '{}') RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
  line text; plan text := ''; s record;
BEGIN
  FOR s IN SELECT * FROM jsonb_each_text(settings) LOOP
    PERFORM set_config(s.key, s.value, true);
  END LOOP;
  PERFORM pg_temp.become(person);
  FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || statement LOOP
    plan := plan || line || E'\n';
  END LOOP;
  PERFORM pg_temp.become(NULL);
  FOR s IN SELECT * FROM jsonb_each_text(settings) LOOP
    EXECUTE format('SET LOCAL %s TO DEFAULT', s.key);
  END LOOP;
  RETURN plan;
END $$;
INSERT INTO seeme.projects (id, organization_id, name, slug)
  SELECT ('d1000000-0000-4000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, :acme, 'P' || n, 'p-' || n
    FROM generate_series(1, 200) AS n;
CREATE TABLE p_big (n integer PRIMARY KEY, project_id uuid, filler text, is_public boolean);
INSERT INTO p_big
  SELECT n, ('d1000000-0000-4000-8000-' || lpad(to_hex(1 + n * 37 % 200), 12, '0'))::uuid,
         repeat('x', 100), CASE WHEN n % 500 = 0 THEN true WHEN n % 3 = 0 THEN false END
    FROM generate_series(1, 20000) AS n;
INSERT INTO seeme.memberships (organization_id, project_id, user_id, role_id)
  SELECT :acme, id, :paul, pg_temp.id('Viewer') FROM seeme.projects WHERE slug IN ('p-3', 'p-30');
CREATE INDEX p_big_project ON p_big (project_id);
CREATE INDEX p_big_public ON p_big (is_public) WHERE is_public;
CREATE TABLE p_parts (LIKE p_big) PARTITION BY RANGE (n);
CREATE TABLE p_parts_1 PARTITION OF p_parts FOR VALUES FROM (0) TO (10000);
CREATE TABLE p_parts_2 (is_public boolean, gone text, n integer NOT NULL, filler text,
  project_id uuid);
ALTER TABLE p_parts_2 DROP COLUMN gone;
ALTER TABLE p_parts ATTACH PARTITION p_parts_2 FOR VALUES FROM (10000) TO (30000);
INSERT INTO p_parts TABLE p_big;
CREATE INDEX ON p_parts (project_id);
CREATE INDEX ON p_parts (n) WHERE is_public;
ANALYZE p_big, p_parts;
SELECT seeme_protect(t, 'models', project_column => 'project_id', public_column => 'is_public')
  FROM unnest('{p_big,p_parts}'::regclass[]) AS t \g /dev/null
GRANT SELECT, UPDATE ON p_big, p_parts TO t_app;

SELECT matches(pg_temp.plan('paul', 'SELECT filler FROM p_big'),
  '^Bitmap Heap Scan on p_big\n.*\n.*\n'
  '  ->  BitmapOr\n        ->  Bitmap Index Scan on p_big_public\n'
  '              Index Cond: \(is_public = true\)\n        ->  Bitmap Index Scan on p_big_project\n'
  '              Index Cond: '
  '\(project_id = ANY \(seeme_permitted_projects\(''models:read''::text\)\)\)\n$',
  'who sees little: the index of the public rows, and that of the scope');
SELECT matches(pg_temp.plan('adam', 'SELECT filler FROM p_big'),
  '^Custom Scan \(Permission Scan\) on p_big\n'
  '  Permission: \(is_public OR seeme_has_permission\([^()]*\)\)\n$',
  'who sees much: a permission scan');
SELECT alike(pg_temp.plan(p, 'SELECT filler FROM p_big'), '%BitmapOr%p_big_public%p_big_project%',
  'who sees public rows alone: the indexes: ' || p) FROM unnest('{ghost,stan}'::text[]) AS p;
SELECT matches(pg_temp.plan('paul', 'SELECT filler FROM p_parts'),
  'Append(.|\n)*BitmapOr(.|\n)*p_parts_1_n_idx(.|\n)*BitmapOr(.|\n)*p_parts_2_n_idx',
  'each partition by its indexes; a partial index of another column does, too');
SELECT matches(pg_temp.plan('adam', 'SELECT filler FROM p_parts'),
  'Append(.|\n)*Permission Scan\) on p_parts_1(.|\n)*Permission Scan\) on p_parts_2',
  'or by a permission scan');
CREATE TABLE p_flags AS SELECT n, n % 2 = 0 AS flag, n % 3 = 0 AS other FROM p_big;
GRANT SELECT ON p_flags TO t_app;
SELECT unalike(pg_temp.plan('adam', 'SELECT n FROM p_flags WHERE ' || c), '%Permission%',
  'boolean columns of a query are no policy: ' || c)
  FROM unnest('{flag,flag OR other}'::text[]) AS c;

-- The rows are the same by each plan, and for one person after the other by one generic plan.
CREATE FUNCTION pg_temp.count_as(person text, statement text, settings jsonb) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
  got text; s record;
BEGIN
  FOR s IN SELECT * FROM jsonb_each_text(settings) LOOP
    PERFORM set_config(s.key, s.value, true);
  END LOOP;
  PERFORM pg_temp.become(person);
  SET ROLE t_app;
  EXECUTE statement INTO got;
  RESET ROLE;
  PERFORM pg_temp.become(NULL);
  FOR s IN SELECT * FROM jsonb_each_text(settings) LOOP
    EXECUTE format('SET LOCAL %s TO DEFAULT', s.key);
  END LOOP;
  RETURN got;
END $$;
CREATE TEMP TABLE visible AS
  SELECT p.name AS person, count(*) || '|' || sum(n) AS rows
    FROM unnest('{adam,paul,stan,ghost,olga,oscar}'::text[]) AS p (name), p_big b
   WHERE b.is_public OR (p.name IN ('adam', 'olga'))
      OR p.name = 'paul' AND b.project_id IN (SELECT id FROM seeme.projects
                                               WHERE slug IN ('p-3', 'p-30'))
   GROUP BY 1;
PREPARE of_big AS SELECT count(*) || '|' || sum(n) FROM p_big;
PREPARE of_parts AS SELECT count(*) || '|' || sum(n) FROM p_parts;
SELECT is((SELECT string_agg(format('%s: %s, not %s', v.person, x.got, v.rows), E'\n')
             FROM visible v, LATERAL (SELECT pg_temp.count_as(v.person, w.statement, s.settings)) AS
                  x (got)
            WHERE x.got IS DISTINCT FROM v.rows), NULL,
          format('the rows of each person: %s, %s', w.statement, s.name))
  FROM (VALUES ('SELECT count(*) || ''|'' || sum(n) FROM p_big'), ('EXECUTE of_big'),
               ('EXECUTE of_parts')) AS w (statement),
       (VALUES ('as planned', '{}'::jsonb),
               ('by permission scans', '{"enable_bitmapscan": "off", "enable_indexscan": "off"}'),
               ('by filters', '{"enable_bitmapscan": "off", "enable_indexscan": "off",
                 "seeme_rbac.enable_permission_scan": "off"}'),
               ('by indexes', '{"enable_seqscan": "off",
                 "seeme_rbac.enable_permission_scan": "off"}')) AS s (name, settings)
 ORDER BY w.statement COLLATE "C", s.name COLLATE "C";
DEALLOCATE ALL;
SELECT * FROM finish();
ROLLBACK;
