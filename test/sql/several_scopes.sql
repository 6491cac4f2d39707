\i test/include/prelude.psql
-- Rows whose scope is told by several columns: a project, a team, an organization, an assignment,
-- an owner. Each combination of columns is a protected table. What each person reads, changes,
-- removes and adds is compared with plain SQL that knows the rules and none of the extension's
-- code. Each table is read by each shape of plan.
BEGIN;
\i test/include/people.psql
\i test/include/asking.psql
\i test/include/oracle.psql
\i test/include/by_settings.psql
SELECT plan(34);
SET LOCAL max_parallel_workers_per_gather = 0;
SET LOCAL jit = off;
SELECT setseed(0.16) \g /dev/null

-- 80 more projects in each organization, so that a person who holds a few of them is a narrow one
INSERT INTO seeme.projects (id, organization_id, team_id, name, slug)
  SELECT ('d1000000-0000-4000-8000-' || lpad(to_hex(n), 12, '0'))::uuid,
         CASE WHEN n <= 80 THEN :acme ELSE :globex END::uuid,
         CASE WHEN n % 8 = 0 AND n <= 80 THEN :research::uuid WHEN n % 8 = 1 AND n <= 80
         THEN :sales::uuid END,
         'P' || n, 'p-' || n
    FROM generate_series(1, 160) AS n;
INSERT INTO seeme.memberships (organization_id, project_id, user_id, role_id)
  SELECT :acme, id, :nora, pg_temp.id('Editor') FROM seeme.projects WHERE slug IN ('p-3', 'p-30');
-- gina is a member of both organizations, and mike is one of Globex until now
INSERT INTO seeme.memberships (organization_id, user_id, valid_until) VALUES (:acme, :gina, NULL),
  (:globex, :mike, now());

CREATE TEMP TABLE person AS SELECT u.id, u.username AS name FROM seeme.users u
  WHERE username = ANY ('{olga,adam,edith,nora,tess,paul,mike,dora,gina,stan}');
INSERT INTO person VALUES (NULL, 'ghost');

-- The rows: each column is null, one of many ids, or the id of nothing
CREATE TEMP TABLE place AS SELECT
  ARRAY(SELECT id FROM seeme.projects ORDER BY slug)
  || ARRAY[:nobody_known, NULL]::uuid[] AS projects,
  ARRAY[:research, :sales, :labs, :nobody_known, NULL, NULL]::uuid[] AS teams,
  ARRAY[:acme, :globex, :nobody_known, NULL, NULL]::uuid[] AS organizations,
  ARRAY(SELECT ('91000000-0000-4000-8000-' || lpad(to_hex(n), 12, '0'))::uuid
  FROM generate_series(1, 90) AS n) || ARRAY[NULL, NULL]::uuid[] AS resources,
  ARRAY(SELECT id FROM seeme.users WHERE database_role LIKE 't\_%' ORDER BY username)
  || ARRAY[:nobody_known, NULL, NULL]::uuid[] AS owners;
CREATE FUNCTION pg_temp.one_of(ids uuid[]) RETURNS uuid
  LANGUAGE sql VOLATILE AS $$ SELECT ids[1 + floor(random() * cardinality(ids))] $$;
CREATE TABLE t_doc (n integer NOT NULL, gap text, project_id uuid, team_id uuid,
  organization_id uuid, resource_id uuid, owner_id uuid, note text);
INSERT INTO t_doc
  SELECT n, CASE WHEN n % 3 = 0 THEN 'gap' END,
         CASE WHEN random() < 0.7 THEN pg_temp.one_of(projects) END,
         CASE WHEN random() < 0.5 THEN pg_temp.one_of(teams) END,
         CASE WHEN random() < 0.5 THEN pg_temp.one_of(organizations) END,
         CASE WHEN random() < 0.6 THEN pg_temp.one_of(resources) END,
         pg_temp.one_of(owners), 'note'
    FROM place, generate_series(1, 1500) AS n;
-- Of the resources two thirds are assigned, some of them in both organizations
INSERT INTO seeme.project_resources (project_id, resource_type, resource_id, resource_name)
  SELECT DISTINCT ('d1000000-0000-4000-8000-' || lpad(to_hex(1 + (n * 37) % 160), 12, '0'))::uuid,
    'dataset',
         ('91000000-0000-4000-8000-' || lpad(to_hex(1 + n % 60), 12, '0'))::uuid, 'r'
    FROM generate_series(1, 80) AS n;

-- A table for each combination of columns, and with an owner for each owner_alone
CREATE TEMP TABLE shape_of AS
  SELECT 't_' || row_number() OVER (ORDER BY c, alone) AS rel, c & 1 > 0 AS p, c & 2 > 0 AS t,
    c & 4 > 0 AS o, c & 8 > 0 AS r, c & 16 > 0 AS w, alone
    FROM generate_series(1, 31) AS c, unnest(ARRAY[true, false]) AS alone
   WHERE c & 16 > 0 OR alone;
SELECT format(
  'CREATE TABLE %I AS TABLE t_doc; CREATE INDEX ON %1$I (project_id); CREATE INDEX ON %1$I '
  '(team_id); '
              'CREATE INDEX ON %1$I (organization_id); CREATE INDEX ON %1$I (resource_id); CREATE '
              'INDEX ON %1$I (owner_id); '
              'CREATE INDEX ON %1$I (n); ANALYZE %1$I; GRANT ALL ON %1$I TO t_app', rel)
              FROM shape_of \gexec
SELECT seeme_protect(rel::regclass, 'dataset_items', CASE WHEN p THEN 'project_id' END,
  CASE WHEN t THEN 'team_id' END,
                     CASE WHEN o THEN 'organization_id' END, CASE WHEN r THEN 'resource_id' END,
                     CASE WHEN w THEN 'owner_id' END,
                     'dataset', '{n,note}', owner_alone => alone) FROM shape_of \g /dev/null

-- What is true of each person and row: the codes held by each column, by their first letters, and
-- whether the person belongs to where the column says that the row lies (null: it says nothing).
CREATE TEMP TABLE held AS
  SELECT p.name AS person, h.scope_id, string_agg(
    left(split_part(h.code, ':', 2), 1), '' ORDER BY h.code) AS codes
    FROM person p, LATERAL pg_temp.held(p.name) h
   WHERE h.code IN ('dataset_items:list', 'dataset_items:read', 'dataset_items:create',
   'dataset_items:update', 'dataset_items:delete')
   GROUP BY 1, 2;
CREATE TEMP TABLE own_organization AS
  SELECT p.name AS person, m.organization_id FROM person p
    JOIN pg_temp.current_membership m ON m.user_id = p.id AND m.team_id IS NULL
    AND m.project_id IS NULL
    JOIN seeme.users u ON u.id = p.id AND u.disabled_at IS NULL
  UNION SELECT p.name, o.id FROM person p JOIN seeme.organizations o ON o.owner_id = p.id
  JOIN seeme.users u ON u.id = p.id AND u.disabled_at IS NULL;
ANALYZE held; ANALYZE own_organization;
CREATE FUNCTION pg_temp.belongs(who text, organization uuid) RETURNS boolean
  LANGUAGE sql STABLE AS $$
  SELECT EXISTS (SELECT FROM pg_temp.own_organization w WHERE w.person = who
    AND w.organization_id = organization) $$;
CREATE TEMP TABLE fact AS
  SELECT w.name AS person, d.n,
         (SELECT codes FROM held h WHERE h.person = w.name AND h.scope_id = d.project_id) AS p,
         (SELECT codes FROM held h WHERE h.person = w.name AND h.scope_id = d.team_id) AS t,
         (SELECT codes FROM held h WHERE h.person = w.name AND h.scope_id = d.organization_id) AS o,
         (SELECT string_agg(codes, '') FROM held h
         JOIN seeme.project_resources r ON r.project_id = h.scope_id
           WHERE h.person = w.name AND r.resource_type = 'dataset'
           AND r.resource_id = d.resource_id) AS r,
         CASE WHEN d.project_id IS NOT NULL THEN
         pg_temp.belongs(w.name, (
         SELECT organization_id FROM seeme.projects x WHERE x.id = d.project_id)) END AS bp,
         CASE WHEN d.team_id IS NOT NULL THEN
         pg_temp.belongs(w.name, (SELECT organization_id FROM seeme.teams x WHERE x.id = d.team_id))
         END AS bt,
         CASE WHEN d.organization_id IS NOT NULL THEN pg_temp.belongs(w.name, d.organization_id)
         END AS bo,
         (SELECT bool_or(pg_temp.belongs(w.name, x.organization_id)) FROM seeme.project_resources r
         JOIN seeme.projects x ON x.id = r.project_id
           WHERE r.resource_type = 'dataset' AND r.resource_id = d.resource_id) AS br,
         coalesce(d.owner_id = u.id AND u.disabled_at IS NULL, false) AS mine
    FROM person w LEFT JOIN seeme.users u ON u.id = w.id, t_doc d;
ANALYZE fact;
CREATE FUNCTION pg_temp.allowed(s pg_temp.shape_of, f pg_temp.fact, code text) RETURNS boolean
  LANGUAGE sql IMMUTABLE AS $$
  SELECT coalesce(s.p AND f.p LIKE code, false) OR coalesce(s.t AND f.t LIKE code, false)
    OR coalesce(s.o AND f.o LIKE code, false)
      OR coalesce(s.r AND f.r LIKE code, false)
      OR s.w AND f.mine
         AND NOT (s.p AND coalesce(NOT f.bp, false)) AND NOT (s.t AND coalesce(NOT f.bt, false))
         AND NOT (s.o AND coalesce(NOT f.bo, false)) AND NOT (s.r AND coalesce(NOT f.br, false))
         AND (s.alone OR s.p AND f.bp IS NOT NULL OR s.t AND f.bt IS NOT NULL OR s.o
         AND f.bo IS NOT NULL OR s.r AND f.br IS NOT NULL) $$;
CREATE TEMP TABLE wanted AS
  SELECT s.rel, f.person, format('%s|%s', count(*) FILTER (WHERE l.r), sum(f.n) FILTER (WHERE l.r))
    AS "read",
         format('%s|%s', count(*) FILTER (WHERE l.r AND l.u), sum(f.n) FILTER (WHERE l.r AND l.u))
         AS "update",
         format('%s|%s', count(*) FILTER (WHERE l.r AND l.d), sum(f.n) FILTER (WHERE l.r AND l.d))
         AS "delete",
         format('%s|%s', count(*) FILTER (WHERE l.l), sum(f.n) FILTER (WHERE l.l)) AS listing
    FROM shape_of s, fact f,
         LATERAL (SELECT pg_temp.allowed(s, f, '%r%') AS r, pg_temp.allowed(s, f, '%u%') AS u,
         pg_temp.allowed(s, f, '%d%') AS d,
                         pg_temp.allowed(s, f, '%l%') AS l) AS l
   GROUP BY 1, 2;
SELECT cmp_ok((SELECT count(DISTINCT "read") FROM wanted), '>', 150::bigint,
  'people and tables differ');

-- What is: as somebody, by a plan of some shape. Whatever it changes is undone.
CREATE TEMP TABLE way (name text, settings jsonb);
INSERT INTO way VALUES
  ('as planned', '{}'),
  ('by permission scans', '{"enable_bitmapscan": "off", "enable_indexscan": "off"}'),
  ('by filters',
  '{"enable_bitmapscan": "off", "enable_indexscan": "off", "seeme_rbac.enable_permission_scan": '
  '"off"}'),
  ('by indexes', '{"enable_seqscan": "off", "seeme_rbac.enable_permission_scan": "off"}'),
  ('by index scans',
  '{"enable_seqscan": "off", "enable_bitmapscan": "off", "seeme_rbac.enable_permission_scan": '
  '"off"}'),
  ('by several processes',
  '{"max_parallel_workers_per_gather": "2", "parallel_setup_cost": "0", "parallel_tuple_cost": "0",'
  ' "min_parallel_table_scan_size": "0"}'),
  ('by several processes and filters',
  '{"max_parallel_workers_per_gather": "2", "parallel_setup_cost": "0", "parallel_tuple_cost": "0",'
  ' "min_parallel_table_scan_size": "0", "seeme_rbac.enable_permission_scan": "off"}'),
  ('compiled',
  '{"jit": "on", "jit_above_cost": "0", "jit_inline_above_cost": "0", "jit_optimize_above_cost": '
  '"0", "seeme_rbac.enable_permission_scan": "off"}');
CREATE FUNCTION pg_temp.differences_of(settings jsonb, statement text, kind text, tables text = '%')
  RETURNS text LANGUAGE sql AS $$
  SELECT string_agg(format('%s as %s: %s, not %s', d.rel, d.person, d.got, d.wanted), E'\n')
    FROM (SELECT w.rel, w.person, pg_temp.got(w.person, format(statement, w.rel), settings) AS got,
    to_jsonb(w) ->> kind AS wanted
            FROM pg_temp.wanted w WHERE w.rel LIKE tables) AS d
   WHERE d.got IS DISTINCT FROM d.wanted $$;
SELECT is(pg_temp.differences_of(
  settings, 'SELECT format(''%%s|%%s'', count(*), sum(n)) FROM %I', 'read',
  CASE WHEN name = 'compiled' THEN 't\_%1' WHEN name LIKE 'by several%' THEN 't\_%3' ELSE '%' END),
          NULL, 'everybody''s rows of each table, ' || name) FROM way;
SELECT is(pg_temp.differences_of(
  '{}', 'SELECT format(''%%s|%%s'', count(*), sum(n)) FROM %I_listing', 'listing'), NULL,
  'and of each listing view');
SELECT is(pg_temp.differences_of(
  settings,
  'WITH x AS (UPDATE %I SET note = ''changed'' RETURNING n) SELECT format(''%%s|%%s'', count(*), '
  'sum(n)) FROM x', 'update'), NULL, 'the rows that everybody changes, ' || name)
  FROM way WHERE name IN ('as planned', 'by indexes');
SELECT is(pg_temp.differences_of(
  settings,
  'WITH x AS (DELETE FROM %I RETURNING n) SELECT format(''%%s|%%s'', count(*), sum(n)) FROM x',
  'delete'), NULL, 'and removes, ' || name)
  FROM way WHERE name IN ('as planned', 'by indexes');
GRANT SELECT ON t_doc TO t_app;
-- In joins, below a limit, of a part of the rows
SELECT is(pg_temp.differences_of(
  settings, 'SELECT format(''%%s|%%s'', count(*), sum(a.n)) FROM %I a JOIN t_doc b USING (n)',
  'read', 't\_%7'), NULL, 'in a join, ' || name) FROM way
  WHERE name IN ('as planned', 'by indexes');
SELECT is(pg_temp.differences_of(
  settings,
  'SELECT format(''%%s|%%s'', count(*), sum(n)) FROM (SELECT n FROM %I ORDER BY n LIMIT 10000) x',
  'read', 't\_%7'), NULL, 'below a limit, ' || name) FROM way
  WHERE name IN ('as planned', 'by index scans');

-- One generic plan for all people: the role is the same, and the person is who logged in
SELECT format('PREPARE q_%s AS SELECT format(''%%s|%%s'', count(*), sum(n)) FROM %s', rel, rel)
  FROM shape_of \gexec
CREATE FUNCTION pg_temp.executed(settings jsonb) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  r record; s record; got text; wrong text;
BEGIN
  FOR s IN SELECT * FROM jsonb_each_text(settings) LOOP PERFORM set_config(s.key, s.value, true);
    END LOOP;
  FOR r IN SELECT * FROM pg_temp.wanted w ORDER BY w.rel, md5(w.person) LOOP
    PERFORM pg_temp.become(r.person);
    SET ROLE t_app;
    EXECUTE format('EXECUTE q_%s', r.rel) INTO got;
    RESET ROLE;
    PERFORM pg_temp.become(NULL);
    IF got IS DISTINCT FROM r."read" THEN wrong :=
      concat_ws(E'\n', wrong, format('%s as %s: %s, not %s', r.rel, r.person, got, r."read"));
      END IF;
  END LOOP;
  FOR s IN SELECT * FROM jsonb_each_text(settings) LOOP
    EXECUTE format('SET LOCAL %s TO DEFAULT', s.key); END LOOP;
  RETURN wrong;
END $$;
SELECT is(pg_temp.executed('{}'), NULL, 'a prepared statement serves one person after the other');
SELECT is((SELECT sum(generic_plans) FROM pg_prepared_statements WHERE name LIKE 'q\_%'),
  (SELECT count(*) FROM wanted)::numeric, 'by generic plans');
DEALLOCATE ALL;
SELECT format('PREPARE q_%s AS SELECT format(''%%s|%%s'', count(*), sum(n)) FROM %s', rel, rel)
  FROM shape_of \gexec
SELECT is(pg_temp.executed(settings), NULL, 'also ' || name) FROM way WHERE name = 'by indexes';
DEALLOCATE ALL;

-- New rows: the code is held in each place that the row names, or it lies in one where it is held;
-- an owner is the person, or the person holds everything there
CREATE TEMP TABLE added AS SELECT d.* FROM t_doc d WHERE d.n % 50 = 0;
GRANT SELECT ON added TO PUBLIC;
ALTER TABLE fact ADD COLUMN everything_p boolean, ADD COLUMN everything_t boolean,
  ADD COLUMN everything_o boolean, ADD COLUMN everything_r boolean, ADD COLUMN t_by_p boolean,
  ADD COLUMN o_by_tp boolean, ADD COLUMN o_by_t boolean, ADD COLUMN o_by_p boolean;
DELETE FROM fact WHERE n % 50 <> 0;
CREATE TEMP TABLE held_all AS SELECT p.name AS person, h.* FROM person p,
  LATERAL pg_temp.held(p.name) h WHERE h.code LIKE 'dataset\_items:%';
CREATE INDEX ON held_all (person, scope_id, code); ANALYZE held_all;
CREATE FUNCTION pg_temp.everything(who text, scope uuid) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT NOT EXISTS (SELECT FROM seeme.permissions p WHERE p.name LIKE 'dataset\_items:%'
    AND p.name NOT LIKE '%*%'
                        AND NOT EXISTS (
                        SELECT FROM pg_temp.held_all h WHERE h.person = who AND h.scope_id = scope
                          AND h.code = p.name)) $$;
UPDATE fact f SET everything_p = pg_temp.everything(f.person, d.project_id),
  everything_t = pg_temp.everything(f.person, d.team_id),
  everything_o = pg_temp.everything(f.person, d.organization_id),
    everything_r = NOT EXISTS (
    SELECT FROM seeme.permissions p WHERE p.name LIKE 'dataset\_items:%' AND p.name NOT LIKE '%*%'
                        AND NOT EXISTS (
                        SELECT FROM seeme.project_resources r
                          JOIN held_all h ON h.scope_id = r.project_id
                          WHERE r.resource_type = 'dataset' AND r.resource_id = d.resource_id
                          AND h.person = f.person AND h.code = p.name)),
    t_by_p = f.bp AND EXISTS (SELECT FROM seeme.projects x WHERE x.id = d.project_id
    AND x.team_id = d.team_id),
    o_by_p = f.bp AND EXISTS (SELECT FROM seeme.projects x WHERE x.id = d.project_id
    AND x.organization_id = d.organization_id),
    o_by_t = f.bt AND EXISTS (SELECT FROM seeme.teams x WHERE x.id = d.team_id
    AND x.organization_id = d.organization_id),
    o_by_tp = f.bp AND EXISTS (
    SELECT FROM seeme.projects x WHERE x.id = d.project_id AND x.organization_id = d.organization_id
      AND (d.team_id IS NULL OR x.team_id = d.team_id))
  FROM t_doc d WHERE d.n = f.n;
CREATE FUNCTION pg_temp.may_add(s pg_temp.shape_of, f pg_temp.fact, d t_doc) RETURNS boolean
  LANGUAGE sql STABLE AS $$
  SELECT CASE WHEN s.p::int + s.t::int + s.o::int + s.r::int = 1 AND NOT s.w
    THEN pg_temp.allowed(s, f, '%c%') ELSE
         (s.p AND d.project_id IS NOT NULL OR s.t AND d.team_id IS NOT NULL OR s.o
         AND d.organization_id IS NOT NULL OR s.r AND d.resource_id IS NOT NULL
          OR s.w AND pg_temp.allowed(
          (s.rel, s.p, s.t, s.o, s.r, s.w, s.alone)::pg_temp.shape_of, f, '%~%'))
     AND (NOT s.p OR d.project_id IS NULL OR coalesce(f.p LIKE '%c%', false))
     AND (NOT s.t OR d.team_id IS NULL OR coalesce(f.t LIKE '%c%', false) OR s.p
     AND coalesce(f.t_by_p, false))
     AND (NOT s.o OR d.organization_id IS NULL OR coalesce(f.o LIKE '%c%', false)
          OR CASE WHEN s.p AND d.project_id IS NOT NULL THEN CASE WHEN s.t THEN f.o_by_tp
          ELSE f.o_by_p END WHEN s.t THEN coalesce(f.o_by_t, false) ELSE false END)
     AND (NOT s.r OR d.resource_id IS NULL OR coalesce(f.r LIKE '%c%', false))
     AND (NOT s.w OR d.owner_id IS NULL OR f.mine OR s.p AND f.everything_p OR s.t
     AND f.everything_t OR s.o AND f.everything_o OR s.r AND f.everything_r) END $$;
CREATE FUNCTION pg_temp.add(person text, rel text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE d t_doc; got text := ''; BEGIN
  PERFORM pg_temp.become(person);
  FOR d IN SELECT * FROM pg_temp.added ORDER BY n LOOP
    BEGIN
      EXECUTE format(
        'INSERT INTO %I VALUES (($1).n, ($1).gap, ($1).project_id, ($1).team_id, '
        '($1).organization_id, ($1).resource_id, ($1).owner_id, ($1).note)', rel) USING d;
      got := got || ' ' || d.n;
      RAISE EXCEPTION USING ERRCODE = 'UNDO0', MESSAGE = 'undo';
    EXCEPTION WHEN SQLSTATE 'UNDO0' THEN NULL; WHEN insufficient_privilege THEN NULL;
    END;
  END LOOP;
  PERFORM pg_temp.become(NULL);
  RETURN got;
END $$;
SELECT is(
  (SELECT string_agg(format('%s as %s: %s, not %s', x.rel, x.person, x.got, x.wanted), E'\n')
             FROM (SELECT s.rel, w.name AS person, pg_temp.add(w.name, s.rel) AS got,
                          coalesce(
                          (SELECT string_agg(' ' || f.n, '' ORDER BY f.n) FROM fact f JOIN t_doc d
                          USING (n) WHERE f.person = w.name AND pg_temp.may_add(s, f, d)), '')
                          AS wanted
                     FROM shape_of s, person w) AS x WHERE x.got <> x.wanted), NULL,
                     'the rows that everybody adds');

-- The shapes of plans. nora sees two projects and her own rows, adam sees Acme.
CREATE FUNCTION pg_temp.plan(person text, statement text, settings jsonb = '{}') RETURNS text
  LANGUAGE plpgsql AS $$
DECLARE
  line text; plan text := ''; s record;
BEGIN
  FOR s IN SELECT * FROM jsonb_each_text(settings) LOOP PERFORM set_config(s.key, s.value, true);
    END LOOP;
  PERFORM pg_temp.become(person);
  FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || statement LOOP plan := plan || line || E'\n';
    END LOOP;
  PERFORM pg_temp.become(NULL);
  RETURN plan;
END $$;
CREATE TABLE t_big (n integer PRIMARY KEY, project_id uuid, owner_id uuid, at timestamptz,
  filler text);
INSERT INTO t_big SELECT n, pg_temp.one_of(projects),
  pg_temp.one_of(owners || ARRAY(SELECT md5(i::text)::uuid FROM generate_series(1, 80) AS i)),
       now() - n * interval '1 minute', repeat('x', 100) FROM place, generate_series(1, 20000) AS n;
CREATE INDEX t_big_project ON t_big (project_id); CREATE INDEX t_big_owner ON t_big (owner_id);
  CREATE INDEX t_big_at ON t_big (at);
CREATE TABLE t_parted (LIKE t_big) PARTITION BY RANGE (n);
CREATE TABLE t_parted_1 PARTITION OF t_parted FOR VALUES FROM (0) TO (10000);
CREATE TABLE t_parted_2 (filler text, gone integer, owner_id uuid, at timestamptz, project_id uuid,
  n integer NOT NULL);
ALTER TABLE t_parted_2 DROP COLUMN gone;
ALTER TABLE t_parted ATTACH PARTITION t_parted_2 FOR VALUES FROM (10000) TO (30000);
INSERT INTO t_parted TABLE t_big;
CREATE INDEX ON t_parted (project_id); CREATE INDEX ON t_parted (owner_id);
CREATE TABLE t_base (LIKE t_big);
CREATE TABLE t_heir (more text) INHERITS (t_base);
INSERT INTO t_base SELECT * FROM t_big WHERE n <= 10000; INSERT INTO t_heir SELECT * FROM t_big
  WHERE n > 10000;
CREATE INDEX ON t_base (project_id); CREATE INDEX ON t_base (owner_id); CREATE INDEX ON t_heir
  (project_id); CREATE INDEX ON t_heir (owner_id);
ANALYZE t_big; ANALYZE t_parted; ANALYZE t_base; ANALYZE t_heir;
GRANT SELECT, UPDATE ON t_big, t_parted, t_base TO t_app;
SELECT seeme_protect(rel, 'models', project_column => 'project_id', owner_column => 'owner_id')
  FROM unnest('{t_big,t_parted,t_base}'::regclass[]) AS rel \g /dev/null

SELECT is(pg_temp.plan('nora', 'SELECT filler FROM t_big'), $$Bitmap Heap Scan on t_big
  Recheck Cond: (seeme_has_permission('models:read'::text, NULL::uuid, NULL::uuid, project_id, NULL::uuid, NULL::text) OR seeme.owns_row('models:read'::text, NULL::uuid, NULL::uuid, project_id, NULL::uuid, NULL::text, owner_id, true))
  Filter: (seeme_has_permission('models:read'::text, NULL::uuid, NULL::uuid, project_id, NULL::uuid, NULL::text) OR seeme.owns_row('models:read'::text, NULL::uuid, NULL::uuid, project_id, NULL::uuid, NULL::text, owner_id, true))
  ->  BitmapOr
        ->  Bitmap Index Scan on t_big_project
              Index Cond: (project_id = ANY (seeme_permitted_projects('models:read'::text)))
        ->  Bitmap Index Scan on t_big_owner
              Index Cond: (owner_id = seeme.own_user_id('models:read'::text))
$$, 'who sees little: each arm by its index, and EXPLAIN shows nothing of an identity');
SELECT is(pg_temp.plan('adam', 'SELECT filler FROM t_big'), $$Custom Scan (Permission Scan) on t_big
  Permission: (seeme_has_permission('models:read'::text, NULL::uuid, NULL::uuid, project_id, NULL::uuid, NULL::text) OR seeme.owns_row('models:read'::text, NULL::uuid, NULL::uuid, project_id, NULL::uuid, NULL::text, owner_id, true))
$$, 'who sees much: a permission scan of both arms');
SELECT alike(pg_temp.plan('adam', 'SELECT filler FROM t_big ORDER BY at DESC LIMIT 10'),
  '%Index Scan Backward using t_big_at%Filter:%', 'a few of many in an order: the order''s index');
SELECT alike(pg_temp.plan('nora', 'SELECT d.gap FROM t_big b JOIN t_doc d ON d.n = b.n'),
  '%BitmapOr%', 'a join of who sees little begins with the indexes');
SELECT matches(pg_temp.plan('nora', 'SELECT filler FROM t_parted'),
  'Append(.|\n)*BitmapOr(.|\n)*t_parted_1_project(.|\n)*t_parted_1_owner(.|\n)*'
  'BitmapOr(.|\n)*t_parted_2_project(.|\n)*t_parted_2_owner', 'each partition by its indexes');
SELECT matches(pg_temp.plan('adam', 'SELECT filler FROM t_parted'),
  'Append(.|\n)*Permission Scan\) on t_parted_1(.|\n)*Permission Scan\) on t_parted_2',
  'or by a permission scan');
SELECT matches(pg_temp.plan('adam', 'SELECT filler FROM t_base'),
  'Append(.|\n)*Permission Scan\) on t_base(.|\n)*Permission Scan\) on t_heir',
  'a table that inherits, too');
SELECT matches(pg_temp.plan('nora', 'UPDATE t_big SET filler = filler'), 'BitmapOr',
  'an UPDATE finds its rows by the indexes');
SELECT is(pg_temp.got(p, format('SELECT format(''%%s|%%s'', count(*), sum(n)) FROM %s', rel), '{}'),
  pg_temp.got(p, 'SELECT format(''%s|%s'', count(*), sum(n)) FROM t_big',
  (SELECT settings FROM way WHERE name = 'by filters')), format('the rows of %s for %s', rel, p))
  FROM unnest('{adam,nora}'::text[]) AS p, unnest('{t_parted,t_base}'::text[]) AS rel;
SELECT * FROM finish();
ROLLBACK;
