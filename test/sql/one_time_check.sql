\i test/include/prelude.psql
-- Where a policy is asked once for all rows of a query, or not again for rows that an index found
-- (src/planner/paths.c): that it is where the query says so, nowhere else, and that the rows are
-- always those of seeme_user_has_permission(), which is asked for each row of a table without
-- policies.
BEGIN;
\i test/include/people.psql
\i test/include/asking.psql
\i test/include/explain.psql
SELECT plan(269);
SET LOCAL max_parallel_workers_per_gather = 0;
SET LOCAL jit = off;

-- 40 projects in Acme besides, of research (1 to 4), of sales (5 to 8), of no team. nora reads
-- three, paul alpha alone.
INSERT INTO seeme.projects (id, organization_id, team_id, name, slug)
  SELECT ('d1000000-0000-4000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, :acme,
    CASE WHEN n <= 4 THEN :research::uuid WHEN n <= 8 THEN :sales::uuid END, 'P' || n,
    'p-' || n FROM generate_series(1, 40) AS n;
INSERT INTO seeme.memberships (organization_id, project_id, user_id, role_id) SELECT :acme, id,
  :nora, pg_temp.id('Editor') FROM seeme.projects WHERE slug IN ('p-3', 'p-20', 'p-21');
INSERT INTO thing SELECT slug, id FROM seeme.projects WHERE slug LIKE 'p-%';

CREATE TABLE t_copy (id integer PRIMARY KEY, n integer NOT NULL, project_id uuid, other_id uuid,
  team_id uuid, organization_id uuid, note text);
INSERT INTO t_copy
  SELECT n, n, CASE n % 50 WHEN 0 THEN NULL WHEN 1 THEN :alpha::uuid WHEN 2 THEN :beta::uuid WHEN 3
    THEN :gamma::uuid WHEN 4 THEN :delta::uuid WHEN 5 THEN :nobody_known::uuid WHEN 6
    THEN '00000000-0000-0000-0000-000000000000'
           WHEN 47 THEN :alpha WHEN 48 THEN :beta WHEN 49 THEN :delta
           ELSE ('d1000000-0000-4000-8000-' || lpad(to_hex(n % 50 - 6), 12, '0'))::uuid END,
         CASE n % 3 WHEN 0 THEN :alpha::uuid WHEN 1 THEN :beta::uuid
         ELSE ('d1000000-0000-4000-8000-' || lpad(to_hex(1 + n % 40), 12, '0'))::uuid END,
         CASE n % 7 WHEN 0 THEN NULL WHEN 1 THEN :research::uuid WHEN 2 THEN :sales::uuid WHEN 3
         THEN :labs::uuid ELSE :nobody_known::uuid END,
         CASE n % 4 WHEN 0 THEN NULL WHEN 1 THEN :acme::uuid WHEN 2 THEN :globex::uuid
         ELSE :nobody_known::uuid END, 'a note'
    FROM generate_series(1, 6000) AS n;
CREATE DOMAIN t_project AS uuid;
CREATE TABLE t_doc AS SELECT * FROM t_copy;
CREATE TABLE t_bare AS SELECT * FROM t_copy;
CREATE TABLE t_of_team AS SELECT * FROM t_copy;
CREATE TABLE t_of_organization AS SELECT * FROM t_copy;
CREATE TABLE t_several AS SELECT * FROM t_copy;
CREATE TABLE t_domain AS SELECT id, n, project_id::t_project, other_id, team_id, organization_id,
  note FROM t_copy;
CREATE TABLE t_part (LIKE t_copy) PARTITION BY HASH (id);
CREATE TABLE t_part_0 PARTITION OF t_part FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE t_part_1 (note text, organization_id uuid, team_id uuid, other_id uuid,
  project_id uuid, n integer NOT NULL, id integer NOT NULL);
ALTER TABLE t_part ATTACH PARTITION t_part_1 FOR VALUES WITH (MODULUS 2, REMAINDER 1);
CREATE TABLE t_by_project (LIKE t_copy) PARTITION BY HASH (project_id);
CREATE TABLE t_by_project_0 PARTITION OF t_by_project FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE t_by_project_1 PARTITION OF t_by_project FOR VALUES WITH (MODULUS 2, REMAINDER 1);
CREATE TABLE t_parent (LIKE t_copy);
CREATE TABLE t_child (more text) INHERITS (t_parent);
INSERT INTO t_part SELECT * FROM t_copy;
INSERT INTO t_by_project SELECT * FROM t_copy;
INSERT INTO t_parent SELECT * FROM t_copy WHERE n % 2 = 0;
INSERT INTO t_child SELECT * FROM t_copy WHERE n % 2 = 1;
CREATE INDEX ON t_doc (project_id); CREATE UNIQUE INDEX ON t_doc (id); CREATE INDEX ON t_doc (n);
CREATE INDEX ON t_of_team (team_id); CREATE INDEX ON t_of_organization (organization_id); CREATE
  INDEX ON t_several (project_id); CREATE INDEX ON t_several (team_id); CREATE INDEX ON t_several
  (organization_id);
CREATE INDEX ON t_domain (project_id); CREATE INDEX ON t_part (project_id); CREATE INDEX ON
  t_by_project (project_id); CREATE INDEX ON t_parent (project_id); CREATE INDEX ON t_child
  (project_id);
SELECT seeme_protect(t, 'models', project_column => 'project_id')
  FROM unnest(ARRAY['t_doc', 't_bare', 't_part', 't_by_project', 't_parent']::regclass[]) AS t
  \g /dev/null
-- A policy by hand: seeme_protect takes no domain
CREATE POLICY by_hand ON t_domain FOR SELECT USING
  (seeme_has_permission('models:read', project => project_id));
ALTER TABLE t_domain ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
SELECT seeme_protect('t_of_team', 'models', team_column => 'team_id') \g /dev/null
SELECT seeme_protect('t_of_organization', 'models', organization_column => 'organization_id')
  \g /dev/null
SELECT seeme_protect('t_several', 'models', project_column => 'project_id',
  team_column => 'team_id', organization_column => 'organization_id') \g /dev/null
ANALYZE t_copy; ANALYZE t_doc; ANALYZE t_bare; ANALYZE t_of_team; ANALYZE t_of_organization; ANALYZE
t_several; ANALYZE t_domain; ANALYZE t_part; ANALYZE t_by_project; ANALYZE t_parent; ANALYZE
t_child;
GRANT SELECT, INSERT, UPDATE, DELETE ON t_doc, t_bare, t_of_team, t_of_organization, t_several,
  t_domain, t_part, t_by_project, t_parent TO t_app;
CREATE TABLE t_free AS SELECT n, project_id, other_id FROM t_copy WHERE n <= 200;
CREATE INDEX ON t_free (n);
ANALYZE t_free;
GRANT SELECT, UPDATE ON t_free TO t_app;

-- Each person's scopes, by the form of the question that is about somebody and reads the tables
CREATE TEMP TABLE person (name text);
INSERT INTO person SELECT unnest(ARRAY['adam','nora','dora','tess','paul','oscar','ghost']);
CREATE TEMP TABLE visible (person text, id uuid);
CREATE TEMP TABLE scope_of AS SELECT DISTINCT 'project' AS level,
  project_id AS id FROM t_copy UNION SELECT DISTINCT 'team',
  team_id FROM t_copy UNION SELECT DISTINCT 'organization', organization_id FROM t_copy;
GRANT SELECT ON scope_of TO PUBLIC;
CREATE FUNCTION pg_temp.look() RETURNS void LANGUAGE plpgsql AS $$
DECLARE p text; ids uuid[];
BEGIN
  DELETE FROM pg_temp.visible;
  FOR p IN SELECT name FROM pg_temp.person WHERE name <> 'ghost' LOOP
    PERFORM pg_temp.become(p);
    ids := ARRAY(SELECT id FROM pg_temp.scope_of
    WHERE seeme_user_has_permission(
    seeme_user_id(), 'models:read', project => CASE level WHEN 'project' THEN id END)
    AND level = 'project'
                 UNION ALL SELECT id FROM pg_temp.scope_of WHERE level = 'team'
                 AND seeme_user_has_permission(
                 seeme_user_id(), 'models:read', team => CASE level WHEN 'team' THEN id END)
                 UNION ALL SELECT id FROM pg_temp.scope_of WHERE level = 'organization'
                 AND seeme_user_has_permission(
                 seeme_user_id(), 'models:read',
                 organization => CASE level WHEN 'organization' THEN id END));
    PERFORM pg_temp.become(NULL);
    INSERT INTO pg_temp.visible SELECT p, unnest(ids);
  END LOOP;
END $$;
SELECT pg_temp.look() \g /dev/null
SELECT is((SELECT string_agg(person || ' ' || n, ', ' ORDER BY person)
  FROM (SELECT person, count(*) AS n FROM visible GROUP BY person) AS v),
  'adam 46, nora 3, oscar 3, paul 1, tess 6', 'who sees how many projects, teams, organizations');

-- How a plan asks: once, for each row (by whatever means), both, or not at all
CREATE FUNCTION pg_temp.asks(person text, statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  plan text := pg_temp.plan(person, statement);
  once boolean := plan ~ 'One-Time Filter: [^\n]*seeme_has_permission\(';
  each boolean := regexp_replace(plan, 'One-Time Filter: [^\n]*', '', 'g') ~
  'seeme_(has_permission|permitted)';
BEGIN
  RETURN CASE WHEN once AND each THEN 'both' WHEN once THEN 'once' WHEN each THEN 'each row'
    ELSE 'not at all' END;
END $$;
-- The rows that a query gives somebody, in no order, or the SQLSTATE
CREATE FUNCTION pg_temp.got(person text, statement text) RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE got text[]; filled text := pg_temp.fill(statement); r record;
BEGIN
  PERFORM pg_temp.become(person);
  got := '{}';
  FOR r IN EXECUTE filled LOOP got := got || r::text; END LOOP;
  PERFORM pg_temp.become(NULL);
  RETURN ARRAY(SELECT g FROM unnest(got) AS g ORDER BY g);
EXCEPTION WHEN OTHERS THEN
  RETURN ARRAY[SQLSTATE || ' ' || SQLERRM];
END $$;
-- What the person that the setting t.person names may see of the copy
CREATE TEMP VIEW o_doc AS SELECT * FROM t_copy
  WHERE project_id IN (SELECT v.id FROM pg_temp.visible v
  WHERE v.person = current_setting('t.person'));
CREATE TEMP VIEW o_bare AS SELECT * FROM o_doc;
CREATE TEMP VIEW o_domain AS SELECT * FROM o_doc;
CREATE TEMP VIEW o_part AS SELECT * FROM o_doc;
CREATE TEMP VIEW o_by_project AS SELECT * FROM o_doc;
CREATE TEMP VIEW o_parent AS SELECT * FROM o_doc;
CREATE TEMP VIEW o_of_team AS SELECT * FROM t_copy
  WHERE team_id IN (SELECT v.id FROM pg_temp.visible v
  WHERE v.person = current_setting('t.person'));
CREATE TEMP VIEW o_of_organization AS SELECT * FROM t_copy
  WHERE organization_id IN (SELECT v.id FROM pg_temp.visible v
  WHERE v.person = current_setting('t.person'));
CREATE TEMP VIEW o_several AS SELECT c.* FROM t_copy c
  WHERE EXISTS (SELECT FROM pg_temp.visible v WHERE v.person = current_setting('t.person')
  AND v.id IN (c.project_id, c.team_id, c.organization_id));
-- Whether everybody gets of a query over protected tables what it gives over what they may see of
-- the copy: 'same', or who does not; 'none' if nobody gets a row
CREATE FUNCTION pg_temp.rows_of(statement text, said text = NULL) RETURNS text
  LANGUAGE plpgsql AS $$
DECLARE p text; oracle text := regexp_replace(
  coalesce(said, statement),
  '\mt_(doc|bare|domain|part|by_project|parent|of_team|of_organization|several)\M', 'o_\1', 'g');
  got text[]; wanted text[]; wrong text := ''; n bigint := 0;
BEGIN
  FOR p IN SELECT name FROM pg_temp.person LOOP
    PERFORM set_config('t.person', p, true);
    wanted := pg_temp.got(NULL, oracle);
    got := pg_temp.got(p, statement);
    n := n + cardinality(got);
    IF got IS DISTINCT FROM wanted THEN wrong := wrong
      || format(' %s gets %s rows for %s (%s)', p, cardinality(got), cardinality(wanted),
      left(got[1] || ' for ' || wanted[1], 200)); END IF;
  END LOOP;
  RETURN CASE WHEN wrong <> '' THEN 'not the same:' || wrong WHEN n = 0 THEN 'none' ELSE 'same' END;
END $$;

-- Once
SELECT is(pg_temp.asks(p, 'SELECT * FROM ' || v.q), 'once', format('%s asks once: %s', p, v.q))
  FROM unnest(ARRAY['adam', 'paul', 'stan', 'ghost']) AS p,
  (VALUES ('t_doc WHERE project_id = {alpha}'), ('t_bare WHERE {alpha} = project_id AND n > 5'),
  ('t_of_team WHERE team_id = {research}'), ('t_of_organization WHERE organization_id = {acme}'))
  AS v (q);
SELECT is(pg_temp.asks('paul', 'SELECT * FROM ' || v.q), 'once', 'it is asked once: ' || v.q)
  FROM (VALUES ('t_part WHERE project_id = {alpha}'), ('t_by_project WHERE project_id = {alpha}'),
  ('t_parent WHERE project_id = {alpha}')) AS v (q);
SELECT is(pg_temp.asks('paul', q), 'once', 'it is asked once: ' || q)
  FROM unnest(ARRAY['SELECT count(*) FROM t_doc WHERE project_id = {alpha} GROUP BY n % 3',
  'SELECT * FROM t_doc WHERE project_id = {alpha} ORDER BY n LIMIT 3',
    'SELECT f.n FROM t_free f WHERE EXISTS (SELECT FROM t_doc d WHERE d.project_id = {alpha} AND '
    'd.n = 1)', 'SELECT * FROM t_bare WHERE project_id = {alpha} AND n < 10',
    'SELECT * FROM t_bare WHERE project_id = {alpha} UNION ALL SELECT * FROM t_bare WHERE '
    'project_id = {beta}']) AS q;
SELECT is(pg_temp.rows_of('SELECT n FROM ' || t || ' WHERE ' || w), 'same',
  'everybody sees their rows: ' || t || ' WHERE ' || w)
  FROM unnest(ARRAY['t_doc', 't_bare', 't_domain', 't_part', 't_by_project', 't_parent',
  't_several']) AS t, unnest(ARRAY['project_id = {alpha}', '{p-3} = project_id AND n % 2 = 1'])
  AS w;
SELECT is(pg_temp.rows_of('SELECT n FROM ' || q), 'same', 'everybody sees their rows: ' || q)
  FROM unnest(ARRAY['t_of_team WHERE team_id = {research}', 't_of_team WHERE team_id = {labs}',
  't_of_organization WHERE organization_id = {acme}',
  't_of_organization WHERE organization_id = {globex} AND n < 1000',
  't_several WHERE team_id = {research}',
  't_several WHERE organization_id = {globex} AND team_id = {sales}',
    't_several WHERE project_id = {alpha} AND team_id = {research} AND organization_id = {acme}',
    't_several WHERE project_id = {delta} AND team_id = {sales}']) AS q;
SELECT is(cardinality(pg_temp.got(v.person, q)), v.n,
  format('%s sees all or nothing: %s: %s', v.person, v.n, q))
  FROM (VALUES ('paul', 240), ('tess', 240), ('adam', 240), ('nora', 0), ('stan', 0), ('dora', 0),
  ('ghost', 0)) AS v (person, n), unnest(ARRAY['SELECT n FROM t_doc WHERE project_id = {alpha}'])
  AS q;
SELECT is(pg_temp.rows_of('SELECT n FROM t_doc WHERE project_id = ' || v.id), 'none',
  'nobody sees anything: project_id = ' || v.id)
  FROM (VALUES ('{nobody_known}'), ('''00000000-0000-0000-0000-000000000000''')) AS v (id);

-- Not once
SELECT isnt(pg_temp.asks('paul', q), 'once', 'it is not asked once: ' || q)
  FROM unnest(ARRAY['SELECT * FROM t_doc WHERE project_id IN ({alpha}, {beta})',
  'SELECT * FROM t_doc WHERE project_id = {alpha} OR project_id = {beta}',
  'SELECT * FROM t_doc WHERE project_id = other_id',
  'SELECT * FROM t_doc WHERE project_id = (SELECT f.project_id FROM t_free f WHERE f.n = 1)',
  'SELECT * FROM t_doc WHERE project_id IS NOT DISTINCT FROM {alpha} OR n = 1',
  'SELECT * FROM t_doc WHERE other_id = {alpha}',
  'SELECT * FROM t_doc WHERE NOT project_id = {alpha}',
  'SELECT * FROM t_doc WHERE project_id <> {alpha}',
  'SELECT * FROM t_doc WHERE (project_id = {alpha}) IS NOT TRUE',
  'SELECT * FROM t_doc WHERE project_id = {alpha} OR n > 0']) AS q;
SELECT doesnt_match(pg_temp.plan('adam', q), 'One-Time Filter: [^\n]*seeme_has_permission',
  'nor where something may come between two rows: ' || q)
  FROM unnest(ARRAY['SELECT * FROM t_doc WHERE project_id = {alpha} FOR UPDATE',
  'SELECT * FROM t_doc WHERE project_id = {alpha} FOR KEY SHARE',
  'SELECT * FROM (SELECT * FROM t_doc WHERE project_id = {alpha} FOR SHARE) AS d',
  'UPDATE t_doc SET note = ''x'' WHERE project_id = {alpha}',
  'DELETE FROM t_doc WHERE project_id = {alpha}',
    'SELECT n, random() FROM t_doc WHERE project_id = {alpha}',
    'SELECT n FROM t_doc WHERE project_id = {alpha} AND pg_sleep(0) IS NOT NULL',
    'WITH u AS (UPDATE t_doc SET note = ''x'' WHERE n = 1 RETURNING n) SELECT * FROM t_doc WHERE '
    'project_id = {alpha}',
    'SELECT n, (SELECT f.n FROM t_free f WHERE f.n = d.n FOR UPDATE) FROM t_doc d WHERE project_id '
    '= {alpha}',
    'INSERT INTO t_bare SELECT * FROM t_doc WHERE project_id = {alpha}',
    'MERGE INTO t_bare b USING t_doc d ON b.id = d.id AND d.project_id = {alpha} WHEN MATCHED THEN '
    'UPDATE SET note = ''x''']) AS q;
SELECT is(pg_temp.try(p, s), n || ' rows', format('%s: %s', p, s))
  FROM (VALUES ('adam', 'UPDATE t_doc SET note = ''x'' WHERE project_id = {alpha}', 240),
  ('paul', 'UPDATE t_doc SET note = ''x'' WHERE project_id = {alpha}', 0),
  ('paul', 'SELECT * FROM t_doc WHERE project_id = {alpha} FOR UPDATE', 0),
  ('adam', 'DELETE FROM t_doc WHERE project_id = {alpha}', 240),
  ('tess', 'DELETE FROM t_doc WHERE project_id = {alpha}', 0),
  ('stan', 'DELETE FROM t_doc WHERE project_id = {alpha}', 0),
    ('nora', 'UPDATE t_doc SET note = ''x'' WHERE project_id = {p-3}', 120),
    ('stan', 'SELECT * FROM t_doc WHERE project_id = {alpha} FOR SHARE', 0)) AS v (p, s, n);

-- What looks like it and says nothing of the rows
CREATE SCHEMA t_own;
GRANT USAGE ON SCHEMA t_own TO PUBLIC;
CREATE FUNCTION t_own.always(uuid, uuid) RETURNS boolean LANGUAGE sql IMMUTABLE RETURN true;
CREATE OPERATOR t_own.= (FUNCTION = t_own.always, LEFTARG = uuid, RIGHTARG = uuid,
  COMMUTATOR = OPERATOR(t_own.=));
CREATE FUNCTION t_own.tell(integer) RETURNS boolean
  LANGUAGE plpgsql STABLE COST 0.0001 AS $$ BEGIN IF $1 IS NOT NULL THEN RAISE 'saw a row'
    USING ERRCODE = 'T0001'; END IF; RETURN true; END $$;
SELECT is(cardinality(pg_temp.got(
  v.p, 'SELECT n FROM t_doc WHERE project_id OPERATOR(t_own.=) {alpha}')), v.n,
  'threat: an equality of one''s own says nothing of a row''s project: ' || v.p)
  FROM (VALUES ('paul', 240), ('nora', 360), ('stan', 0)) AS v (p, n);
SELECT is(cardinality(pg_temp.got(
  p, 'SELECT n FROM t_doc WHERE project_id = {alpha} AND t_own.tell(n)')), 0,
  'threat: a cheap function of one''s own is shown no row of a project that one does not see: '
  || p) FROM unnest(ARRAY['stan', 'nora', 'ghost']) AS p;
SET LOCAL cpu_operator_cost = 0;
SELECT is(cardinality(pg_temp.got(
  'paul', format(
  'SELECT n FROM %s WHERE 1 / (project_id = {alpha})::int = 1 AND project_id = {alpha}', t))),
  (SELECT count(*)::int FROM t_copy WHERE project_id = :alpha),
          'threat: nor is a condition that fails for such rows, where the planner is told that '
          'operators cost nothing: ' || t)
  FROM unnest(ARRAY['t_doc', 't_bare', 't_part', 't_by_project', 't_parent']) AS t;
RESET cpu_operator_cost;
SELECT matches(
  (pg_temp.got('paul', 'SELECT n FROM t_doc WHERE project_id = {alpha} AND t_own.tell(n)'))[1],
  '^T0001', 'and those of one that one sees');
SELECT is(pg_temp.rows_of(q), 'same',
  'threat: a condition that does not hold for all rows says nothing of them: ' || q)
  FROM unnest(ARRAY['SELECT n FROM t_doc WHERE project_id = {alpha} OR n % 2 = 0',
  'SELECT n FROM t_doc WHERE (project_id = {alpha}) IS NOT TRUE',
  'SELECT n FROM t_doc WHERE NOT project_id = {alpha}',
  'SELECT n FROM t_doc WHERE CASE WHEN n % 2 = 0 THEN project_id = {alpha} ELSE true END',
  'SELECT n FROM t_doc WHERE (project_id = {alpha}) = (n > 0)',
  'SELECT n FROM t_doc WHERE coalesce(project_id = {alpha}, true)',
    'SELECT d.n, f.n FROM t_doc d LEFT JOIN t_free f ON d.project_id = {alpha} AND f.n = d.n',
    'SELECT d.n, f.n FROM t_free f RIGHT JOIN t_doc d ON d.project_id = {alpha} AND f.n = d.n',
    'SELECT d.n, b.n FROM t_doc d FULL JOIN t_bare b ON d.n = b.n AND d.project_id = b.project_id '
    'AND d.project_id = {alpha}',
    'SELECT count(*), count(*) FILTER (WHERE project_id = {alpha}) FROM t_doc',
    'SELECT n % 5, count(*) FROM t_doc GROUP BY 1, project_id HAVING project_id = {alpha} OR '
    'count(*) > 10', 'SELECT n FROM t_doc WHERE {alpha} = ANY (ARRAY[project_id, other_id])',
    'SELECT n FROM t_doc WHERE (project_id, n) >= ({alpha}, 100)',
    'SELECT n FROM t_doc WHERE coalesce(project_id, other_id) = {alpha}',
    'SELECT n FROM t_doc WHERE nullif(other_id, {beta}) = {alpha}',
    'SELECT d.n FROM t_doc d WHERE other_id = {alpha}',
    'SELECT d.n FROM t_doc d JOIN t_free f ON f.project_id = {alpha} AND f.n = d.n',
    'SELECT d.n FROM t_doc d WHERE NOT EXISTS (SELECT FROM t_free f WHERE d.project_id = {alpha} '
    'AND f.n > 0)']) AS q;

-- Rows, whatever is said of the project
SELECT is(pg_temp.rows_of(q), 'same', 'everybody gets their rows: ' || q)
  FROM unnest(ARRAY['SELECT n FROM t_doc WHERE project_id IN ({alpha}, {p-3})',
  'SELECT n FROM t_doc WHERE project_id = {alpha} OR project_id = {p-3}',
  'SELECT n FROM t_doc WHERE project_id = other_id',
  'SELECT n FROM t_doc WHERE project_id = (SELECT f.project_id FROM t_free f WHERE f.n = 1)',
  'SELECT n FROM t_doc WHERE project_id = ANY (ARRAY[{alpha}])',
  'SELECT n FROM t_doc WHERE project_id IS NOT DISTINCT FROM {alpha}',
    'SELECT n FROM t_doc WHERE project_id >= {alpha} AND project_id <= {alpha}',
    'SELECT n FROM t_doc WHERE (project_id, n % 2) = ({alpha}, 1)',
    'SELECT n FROM t_doc WHERE project_id::text = {alpha}::text',
    'SELECT n FROM t_doc WHERE project_id = {alpha} AND project_id = other_id',
    'SELECT n FROM t_doc WHERE other_id = {alpha} AND other_id = project_id',
    'SELECT n FROM t_doc WHERE project_id = {alpha} AND n IN (1, 47, 48, 51)',
    'SELECT n FROM t_doc WHERE id = 51 AND project_id = {alpha}',
    'SELECT n, random() < 2 FROM t_doc WHERE project_id = {alpha}',
    'SELECT n FROM t_doc WHERE project_id = (SELECT {alpha})',
    'SELECT DISTINCT project_id FROM t_doc WHERE project_id = {alpha}',
    'SELECT max(n) FROM t_doc WHERE project_id = {alpha} HAVING count(*) > 0',
    'SELECT n FROM t_doc WHERE project_id = {alpha} ORDER BY n DESC LIMIT 7',
    'SELECT d FROM t_doc d WHERE project_id = {alpha}',
    'SELECT n, project_id FROM t_doc WHERE project_id = {alpha} AND n > 5900',
    'SELECT count(*) FROM t_doc WHERE project_id = {alpha} AND project_id = {p-3} HAVING count(*) '
    '= 0']) AS q;
SELECT is(pg_temp.rows_of('SELECT n FROM t_doc WHERE ' || q), 'none', 'nobody gets a row: ' || q)
  FROM unnest(ARRAY['project_id = {alpha} AND project_id = {beta}', 'project_id = NULL',
  'project_id IS NULL', 'project_id = {alpha} AND false',
  'project_id = {alpha} AND project_id IS NULL']) AS q;

-- Queries of several tables
CREATE VIEW t_invoker WITH (security_invoker = true) AS SELECT * FROM t_doc;
CREATE VIEW t_barrier WITH (security_invoker = true, security_barrier = true) AS SELECT * FROM t_doc
  WHERE n % 3 = 0;
CREATE VIEW t_alphas WITH (security_invoker = true) AS SELECT * FROM t_doc
  WHERE project_id = 'd0000000-0000-4000-8000-000000000001';
GRANT SELECT ON t_invoker, t_barrier, t_alphas TO t_app;
CREATE TEMP TABLE query (n integer GENERATED ALWAYS AS IDENTITY, q text, oracle text);
INSERT INTO query (q) SELECT unnest(ARRAY[
  'SELECT d.n, f.n FROM t_doc d JOIN t_free f USING (n) WHERE d.project_id = {alpha}',
  'SELECT d.n, f.n FROM t_doc d JOIN t_free f USING (project_id) WHERE f.project_id = {alpha} AND '
  'd.n < 500',
  'SELECT d.n, f.n FROM t_doc d JOIN t_free f ON d.project_id = f.other_id AND f.n < 20',
  'SELECT f.n, d.n FROM t_free f LEFT JOIN t_doc d ON d.n = f.n AND d.project_id = {alpha}',
  'SELECT f.n, d.n, d IS NULL FROM t_free f LEFT JOIN t_doc d ON d.project_id = {alpha} AND '
  'd.project_id = f.project_id',
  'SELECT f.n, d.n FROM t_doc d LEFT JOIN t_free f ON d.n = f.n WHERE d.project_id = {alpha}',
  'SELECT f.n, d.n FROM t_free f LEFT JOIN t_doc d ON d.n = f.n WHERE d.project_id = {alpha} OR '
  'd.n IS NULL',
  'SELECT f.n, d.n FROM t_free f FULL JOIN (SELECT * FROM t_doc WHERE project_id = {alpha}) d ON '
  'd.n = f.n',
  'SELECT f.n, l.n FROM t_free f, LATERAL (SELECT d.n FROM t_doc d WHERE d.project_id = '
  'f.project_id ORDER BY d.n LIMIT 2) l',
  'SELECT f.n, l.n FROM t_free f LEFT JOIN LATERAL (SELECT count(*) AS n FROM t_doc d WHERE '
  'd.project_id = f.other_id AND d.n < f.n) l ON true',
  'SELECT f.n, l.n FROM t_free f LEFT JOIN LATERAL (SELECT d.n FROM t_doc d WHERE d.project_id = '
  '{alpha} AND d.n = f.n) l ON f.n > 100',
  'SELECT n FROM t_doc WHERE project_id = {alpha} UNION ALL SELECT n FROM t_bare WHERE project_id '
  '= {p-3}',
  'SELECT n FROM (SELECT n, project_id FROM t_doc UNION ALL SELECT n, project_id FROM t_bare) AS u '
  'WHERE project_id = {alpha}',
  'SELECT n FROM (SELECT n, project_id FROM t_doc UNION ALL SELECT n, other_id FROM t_bare) AS u '
  'WHERE project_id = {alpha}',
  'SELECT n FROM (SELECT n, project_id FROM t_free UNION ALL SELECT n, project_id FROM t_part) AS '
  'u WHERE project_id = {alpha}',
  'SELECT n FROM t_doc WHERE project_id = {alpha} EXCEPT SELECT n FROM t_bare WHERE project_id = '
  '{p-3}',
  'SELECT n FROM t_doc WHERE project_id = {p-20} INTERSECT SELECT n FROM t_bare WHERE project_id = '
  '{p-20} AND n < 3000',
  'SELECT f.n FROM t_free f WHERE EXISTS (SELECT FROM t_doc d WHERE d.project_id = f.project_id)',
  'SELECT f.n FROM t_free f WHERE EXISTS (SELECT FROM t_doc d WHERE d.project_id = {alpha})',
  'SELECT f.n FROM t_free f WHERE NOT EXISTS (SELECT FROM t_doc d WHERE d.project_id = {alpha} AND '
  'd.n = f.n)',
  'SELECT f.n FROM t_free f WHERE NOT EXISTS (SELECT FROM t_doc d WHERE d.project_id = {alpha})',
  'SELECT f.n FROM t_free f WHERE f.n IN (SELECT d.n FROM t_doc d WHERE d.project_id = {alpha})',
  'SELECT f.n FROM t_free f WHERE f.n NOT IN (SELECT d.n FROM t_doc d WHERE d.project_id = '
  '{alpha})',
  'SELECT f.n, (SELECT count(*) FROM t_doc d WHERE d.project_id = f.project_id) FROM t_free f',
  'SELECT f.n, (SELECT min(d.n) FROM t_doc d WHERE d.project_id = {alpha} AND d.n > f.n) FROM '
  't_free f',
  'SELECT d.n FROM t_doc d WHERE d.project_id = {alpha} AND d.n > (SELECT avg(b.n) FROM t_bare b '
  'WHERE b.project_id = {p-3})',
  'WITH c AS MATERIALIZED (SELECT * FROM t_doc) SELECT n FROM c WHERE project_id = {alpha}',
  'WITH c AS NOT MATERIALIZED (SELECT * FROM t_doc) SELECT a.n, b.n FROM c a JOIN c b USING (n) '
  'WHERE a.project_id = {alpha} AND b.project_id = {alpha}',
  'WITH c AS (SELECT * FROM t_doc WHERE project_id = {alpha}) SELECT count(*) FROM c UNION ALL '
  'SELECT sum(n) FROM c WHERE n > 100',
  'WITH RECURSIVE r AS (SELECT n FROM t_doc WHERE project_id = {alpha} AND n < 100 UNION ALL '
  'SELECT d.n FROM r JOIN t_doc d ON d.n = r.n + 100 WHERE d.project_id = {alpha}) SELECT * FROM r',
  'SELECT a.n, b.n FROM t_doc a JOIN t_doc b ON (a.n + 8) % 50 = b.n % 50 WHERE a.project_id = '
  '{alpha} AND b.project_id = {p-3} AND a.n < 300',
  'SELECT a.n, b.n FROM t_doc a JOIN t_doc b ON a.n + 1 = b.n WHERE a.project_id = {alpha} AND '
  'b.project_id = {beta}',
  'SELECT a.n, b.n FROM t_doc a LEFT JOIN t_doc b ON a.n + 1 = b.n AND b.project_id = {beta} WHERE '
  'a.project_id = {alpha}',
  'SELECT a.n, b.n, c.n FROM t_doc a JOIN t_part b USING (n) JOIN t_parent c USING (n) WHERE '
  'a.project_id = {alpha} AND b.project_id = {alpha} AND c.project_id = {alpha}',
  'SELECT a.n FROM t_doc a JOIN t_of_team b USING (n) JOIN t_of_organization c USING (n) JOIN '
  't_several s USING (n) WHERE a.project_id = {alpha} AND b.team_id = {research} AND '
  'c.organization_id = {acme}',
  'SELECT p.n, d.n FROM (SELECT DISTINCT project_id, project_id::text AS n FROM t_free) p JOIN '
  't_doc d ON d.project_id = p.project_id WHERE d.n < 2000',
  'SELECT p, count(d.n) FROM unnest(ARRAY[{alpha}, {beta}, {gamma}, {delta}, {p-1}, {p-3}, {p-20}, '
  '{alpha}, NULL, {nobody_known}]) AS p LEFT JOIN t_doc d ON d.project_id = p GROUP BY p']);
INSERT INTO query (q, oracle) VALUES
  ('SELECT n FROM t_invoker WHERE project_id = {alpha}',
  'SELECT n FROM t_doc WHERE project_id = {alpha}'),
  ('SELECT v.n, f.n FROM t_invoker v LEFT JOIN t_free f USING (n) WHERE v.project_id = {p-3}',
  'SELECT v.n, f.n FROM t_doc v LEFT JOIN t_free f USING (n) WHERE v.project_id = {p-3}'),
  ('SELECT n FROM t_barrier WHERE project_id = {alpha} AND n > 50',
  'SELECT n FROM t_doc WHERE project_id = {alpha} AND n > 50 AND n % 3 = 0'),
  ('SELECT n FROM t_alphas', 'SELECT n FROM t_doc WHERE project_id = {alpha}'),
  ('SELECT f.n, a.n FROM t_free f LEFT JOIN t_alphas a ON a.n = f.n',
  'SELECT f.n, a.n FROM t_free f LEFT JOIN t_doc a ON a.n = f.n AND a.project_id = {alpha}'),
  ('SELECT n FROM t_alphas WHERE project_id = {p-3} OR n > 5',
  'SELECT n FROM t_doc WHERE project_id = {alpha} AND n > 5');
SELECT is(pg_temp.rows_of(q, oracle), 'same', 'everybody gets their rows: ' || q) FROM query
  ORDER BY n;
SET LOCAL enable_hashjoin = off;
SET LOCAL enable_mergejoin = off;
SET LOCAL enable_material = off;
SELECT is(pg_temp.rows_of(q, oracle), 'same', 'by nested loops, too: ' || q) FROM query
  WHERE q ~ 'unnest|DISTINCT|LATERAL|t_doc a (LEFT )?JOIN t_doc|t_free f USING \(project_id\)'
  ORDER BY n;
RESET enable_hashjoin; RESET enable_mergejoin; RESET enable_material;

-- Prepared: one role of an application, for which request.jwt.claims say who is asking, so that a
-- plan stays from one person to the next
CREATE FUNCTION pg_temp.claimed(person text, statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE got text; filled text := pg_temp.fill(statement);
BEGIN
  PERFORM set_config('request.jwt.claims', CASE WHEN person <> 'ghost'
    THEN json_build_object('sub', pg_temp.id(person))::text ELSE '' END, true);
  PERFORM pg_temp.become('ghost');
  EXECUTE filled INTO got;
  PERFORM pg_temp.become(NULL);
  PERFORM set_config('request.jwt.claims', '', true);
  RETURN got;
EXCEPTION WHEN OTHERS THEN RETURN SQLSTATE || ' ' || SQLERRM;
END $$;
SET LOCAL seeme_rbac.trust_request_claims = on;
PREPARE t_of (uuid) AS SELECT count(*) FROM t_doc WHERE project_id = $1;
PREPARE t_of_alpha AS SELECT count(*) FROM t_doc
  WHERE project_id = 'd0000000-0000-4000-8000-000000000001';
PREPARE t_of_both (uuid, uuid) AS SELECT count(*) FROM t_bare a JOIN t_doc b ON b.n = a.n + 1
  WHERE a.project_id = $1 AND b.project_id = $2;
PREPARE t_parts (uuid) AS SELECT count(*) FROM t_part WHERE project_id = $1;
CREATE FUNCTION pg_temp.count_of(project uuid) RETURNS bigint
  LANGUAGE plpgsql AS $$ BEGIN RETURN (SELECT count(*) FROM t_doc WHERE project_id = project);
    END $$;
CREATE FUNCTION pg_temp.count_in_sql(project uuid) RETURNS bigint
  LANGUAGE sql STABLE AS 'SELECT count(*) FROM t_doc WHERE project_id = project';
CREATE TEMP TABLE in_turn (mode text, person text, stage text, statement text, got text,
  wanted text);
-- Everybody in turn; wanted: whether alpha, and p-3, are seen
CREATE FUNCTION pg_temp.take_turns(this_stage text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE p text; s text; alpha boolean; p3 boolean;
BEGIN
  PERFORM pg_temp.look();
  FOR p IN SELECT name FROM generate_series(1, 2),
    unnest(ARRAY['paul', 'ghost', 'adam', 'nora', 'tess', 'dora', 'paul']) AS u (name) LOOP
    alpha := EXISTS (SELECT FROM pg_temp.visible v WHERE v.person = p
    AND v.id = pg_temp.id('alpha'));
    p3 := EXISTS (SELECT FROM pg_temp.visible v WHERE v.person = p AND v.id = pg_temp.id('p-3'));
    INSERT INTO in_turn SELECT current_setting('plan_cache_mode'), p, this_stage, v.s,
      pg_temp.claimed(p, v.s), CASE WHEN v.seen THEN v.n ELSE 0 END
      FROM (VALUES ('EXECUTE t_of ({alpha})', 240, alpha), ('EXECUTE t_of ({p-3})', 120, p3),
      ('EXECUTE t_of (NULL)', 0, true), ('EXECUTE t_of_alpha', 240, alpha),
      ('EXECUTE t_of_both ({alpha}, {beta})', 240,
      alpha AND EXISTS (SELECT FROM pg_temp.visible v WHERE v.person = p
      AND v.id = pg_temp.id('beta'))), ('EXECUTE t_parts ({alpha})', 240, alpha),
                   ('SELECT pg_temp.count_of({alpha})', 240, alpha),
                   ('SELECT pg_temp.count_of({p-3})', 120, p3),
                   ('SELECT pg_temp.count_in_sql({alpha})', 240, alpha)) AS v (s, n, seen);
  END LOOP;
END $$;
SELECT pg_temp.fill(replace(replace(s, '{mode}', mode), '{turn}',
  'DO $do$ BEGIN PERFORM pg_temp.take_turns(''' || j || '''); END $do$'))
  FROM unnest(ARRAY['force_generic_plan', 'force_custom_plan', 'auto'])
  WITH ORDINALITY AS m (mode, i),
       unnest(ARRAY['SET LOCAL plan_cache_mode = {mode}', '{turn}',
         'INSERT INTO seeme.memberships (organization_id, project_id, user_id, role_id) VALUES '
         '({acme}, {p-3}, {paul}, {Viewer})',
         'DELETE FROM seeme.memberships WHERE user_id = {paul} AND project_id = {alpha} OR user_id '
         '= {nora} AND project_id = {p-3}',
         'UPDATE seeme.projects SET team_id = {sales} WHERE id = {alpha}', '{turn}',
         'DELETE FROM seeme.memberships WHERE user_id = {paul} AND project_id = {p-3}',
         'INSERT INTO seeme.memberships (organization_id, project_id, user_id, role_id) VALUES '
         '({acme}, {alpha}, {paul}, {Viewer}), ({acme}, {p-3}, {nora}, {Editor})',
         'UPDATE seeme.projects SET team_id = {research} WHERE id = {alpha}', '{turn}'])
         WITH ORDINALITY AS u (s, j)
 ORDER BY i, j \gexec
SELECT is(
  (SELECT array_agg(DISTINCT format(
  '%s (%s): %s: %s for %s', person, stage, statement, got, wanted)) FROM in_turn t WHERE t.mode = m
  AND got IS DISTINCT FROM wanted), NULL,
  'a prepared statement follows who is asking, and what they may by now: ' || m)
  FROM unnest(ARRAY['force_generic_plan', 'force_custom_plan', 'auto']) AS m;
SELECT is((SELECT string_agg(DISTINCT stage || ' ' || got, ', ' ORDER BY stage || ' ' || got)
  FROM in_turn WHERE person = v.p AND statement = v.s), v.wanted,
  format('before, when it was revoked, and when it was given again: %s: %s', v.p, v.s))
  FROM (VALUES ('paul', 'EXECUTE t_of ({alpha})', '10 240, 2 240, 6 0'),
  ('paul', 'EXECUTE t_of ({p-3})', '10 0, 2 0, 6 120'),
  ('tess', 'EXECUTE t_of_alpha', '10 240, 2 240, 6 0'),
  ('nora', 'SELECT pg_temp.count_of({p-3})', '10 120, 2 120, 6 0'),
  ('adam', 'EXECUTE t_of ({alpha})', '10 240, 2 240, 6 240'),
  ('ghost', 'EXECUTE t_of ({alpha})', '10 0, 2 0, 6 0')) AS v (p, s, wanted);
SELECT ok((SELECT generic_plans > 0 AND custom_plans > 0 FROM pg_prepared_statements
  WHERE name = 't_of'), 'there were plans for any project, and for one');
SET LOCAL plan_cache_mode = force_generic_plan;
SELECT is(pg_temp.asks(p, 'EXECUTE ' || s), 'once',
  format('a generic plan asks once: %s: %s', p, s)) FROM unnest(ARRAY['adam', 'stan']) AS p,
  unnest(ARRAY['t_of ({alpha})', 't_of (NULL)', 't_of_alpha', 't_of_both ({alpha}, {beta})']) AS s;
SELECT matches(pg_temp.plan('adam', 'EXECUTE t_of ({alpha})'),
  'One-Time Filter: [^\n]*seeme_has_permission\([^\n]*\$1',
  'and for whichever project it is given');
SET LOCAL plan_cache_mode = force_custom_plan;
SELECT is(pg_temp.asks(p, 'EXECUTE ' || s), 'once', format('a custom plan asks once: %s: %s', p, s))
  FROM unnest(ARRAY['adam', 'stan']) AS p, unnest(
  ARRAY['t_of ({alpha})', 't_of_alpha', 't_of_both ({alpha}, {beta})']) AS s;
SET LOCAL plan_cache_mode = auto;
SELECT pg_temp.look() \g /dev/null
DEALLOCATE t_of; DEALLOCATE t_of_alpha; DEALLOCATE t_of_both; DEALLOCATE t_parts;
SET LOCAL seeme_rbac.trust_request_claims = off;

-- A cursor is one statement; one that is declared after a revocation acts on it
CREATE FUNCTION pg_temp.fetch(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE r record; got text[] := '{}';
BEGIN
  FOR r IN EXECUTE statement LOOP got := got || r::text; END LOOP;
  RETURN translate(array_to_string(got, ' '), '()', '');
EXCEPTION WHEN OTHERS THEN RETURN SQLSTATE;
END $$;
SAVEPOINT revoked;
SELECT pg_temp.become('paul') \g /dev/null
DECLARE before CURSOR FOR SELECT n FROM t_bare
  WHERE project_id = 'd0000000-0000-4000-8000-000000000001';
DECLARE never CURSOR FOR SELECT n FROM t_bare
  WHERE project_id = 'd0000000-0000-4000-8000-000000000001';
SELECT pg_temp.fetch('FETCH 3 FROM before') AS before \gset cursor_
SELECT pg_temp.become(NULL) \g /dev/null
DELETE FROM seeme.memberships WHERE user_id = :paul AND project_id = :alpha;
SELECT pg_temp.become('paul') \g /dev/null
DECLARE after CURSOR FOR SELECT n FROM t_bare
  WHERE project_id = 'd0000000-0000-4000-8000-000000000001';
SELECT pg_temp.fetch('FETCH 3 FROM never') AS never,
  pg_temp.fetch('FETCH 3 FROM after') AS after \gset cursor_
SELECT pg_temp.become(NULL) \g /dev/null
ROLLBACK TO revoked;
SELECT is(:'cursor_before'::text, '1 47 51', 'a cursor gives rows of a project that is seen');
SELECT is(:'cursor_never'::text, '',
  'threat: one of which nothing was read before the right went gives none');
SELECT is(:'cursor_after'::text, '', 'threat: nor does one that is declared after that');

-- By a bitmap
SET LOCAL enable_indexscan = off; SET LOCAL enable_seqscan = off;
  SET LOCAL enable_indexonlyscan = off; SET LOCAL seeme_rbac.enable_permission_scan = off;
SELECT matches(pg_temp.plan(p, 'SELECT n FROM t_doc'),
  'Bitmap Heap Scan on t_doc[^\n]*\n *Recheck Cond: seeme_has_permission\(',
  'a bitmap scan asks only where the bitmap does not tell rows apart: ' || p)
  FROM unnest(ARRAY['paul', 'nora']) AS p;
SELECT doesnt_match(pg_temp.plan(p, 'SELECT n FROM t_doc'), 'Filter:', 'and has no filter: ' || p)
  FROM unnest(ARRAY['paul', 'nora']) AS p;
SELECT matches(pg_temp.plan('nora', 'SELECT n FROM t_doc WHERE n % 2 = 0'),
  'Recheck Cond: seeme_has_permission\([^\n]*\n *Filter: \(\(n % 2\) = 0\)\n',
  'another condition is all of the filter');
SELECT matches(pg_temp.plan('nora', q), 'Filter: [^\n]*seeme_has_permission\(',
  'it has where something may come between two rows: ' || q)
  FROM unnest(ARRAY['SELECT n FROM t_doc FOR UPDATE', 'SELECT n FROM t_doc FOR SHARE',
  'UPDATE t_doc SET note = ''x''', 'DELETE FROM t_doc', 'SELECT n, random() FROM t_doc',
  'WITH u AS (UPDATE t_free SET n = n WHERE n = 1 RETURNING n) SELECT n FROM t_doc',
  'SELECT n, (SELECT f.n FROM t_free f WHERE f.n = d.n FOR UPDATE) FROM t_doc d']) AS q;
SELECT is(pg_temp.rows_of(q), 'same', 'everybody gets their rows by a bitmap: ' || q)
  FROM unnest(ARRAY['SELECT n FROM t_doc', 'SELECT n FROM t_doc WHERE n < 900',
  'SELECT n FROM t_doc WHERE n < 900 OR project_id = {p-20}',
  'SELECT n FROM t_doc WHERE other_id = {alpha}', 'SELECT n FROM t_part', 'SELECT n FROM t_parent',
  'SELECT n FROM t_domain', 'SELECT n FROM t_of_team', 'SELECT n FROM t_of_organization',
  'SELECT n FROM t_several', 'SELECT d.n, f.n FROM t_free f LEFT JOIN t_doc d ON d.n = f.n']) AS q;
SELECT is(pg_temp.try(v.p, v.s), v.n || ' rows',
  format('rows that are locked or changed by a bitmap: %s: %s', v.p, v.s))
  FROM (VALUES ('nora', 'UPDATE t_doc SET note = ''x''', 360),
  ('paul', 'UPDATE t_doc SET note = ''x''', 0), ('nora', 'SELECT * FROM t_doc FOR UPDATE', 360),
  ('stan', 'SELECT * FROM t_doc FOR UPDATE', 0), ('nora', 'DELETE FROM t_doc', 0)) AS v (p, s, n);

-- By one that is too large to tell rows apart: 40,000 rows, a dozen on each page
CREATE TABLE t_wide (n integer NOT NULL, project_id uuid, other integer) WITH (fillfactor = 10);
INSERT INTO t_wide SELECT n, ('d1000000-0000-4000-8000-'
  || lpad(to_hex(1 + n % 40), 12, '0'))::uuid, n % 7 FROM generate_series(1, 40000) AS n;
CREATE INDEX ON t_wide (project_id);
CREATE INDEX ON t_wide (other);
ANALYZE t_wide;
SELECT seeme_protect('t_wide', 'models', project_column => 'project_id') \g /dev/null
GRANT SELECT, UPDATE ON t_wide TO t_app;
CREATE TABLE t_wide_copy AS SELECT n, project_id, other FROM t_wide;
CREATE FUNCTION pg_temp.of_wide(p text, condition text = 'true') RETURNS text[]
  LANGUAGE plpgsql AS $$
BEGIN
  RETURN pg_temp.got(NULL, format(
    'SELECT n FROM t_wide_copy WHERE project_id IN (SELECT v.id FROM pg_temp.visible v WHERE '
    'v.person = %L) AND (%s)', p, condition));
END $$;
SET LOCAL work_mem = '64kB';
SELECT matches(pg_temp.plan('nora', 'SELECT n FROM t_wide',
  'ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF'),
  'Recheck Cond: seeme_has_permission\((.|\n)*Heap Blocks: [^\n]*lossy=[1-9]',
  'a bitmap of little memory does not tell rows apart');
SELECT matches(pg_temp.plan('nora', 'SELECT n FROM t_wide',
  'ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF'),
  'actual rows=3000(\.00)? loops=1\)\n(.|\n)*Rows Removed by Index Recheck: [1-9]',
  'and its rows are asked about');
SELECT is(pg_temp.got(p, 'SELECT n FROM t_wide'), pg_temp.of_wide(p),
  'exactly the right rows come: ' || p) FROM unnest(
  ARRAY['nora', 'tess', 'paul', 'adam', 'dora', 'ghost']) AS p;
SELECT is(pg_temp.got(p, 'SELECT n FROM t_wide WHERE ' || c), pg_temp.of_wide(p, c),
  format('with other conditions: %s: %s', p, c)) FROM unnest(ARRAY['nora', 'tess', 'ghost']) AS p,
  unnest(ARRAY['other = 3', 'other IN (1, 2) OR n < 1000', 'n % 3 = 1']) AS c;
SELECT is(pg_temp.try('nora', 'SELECT n FROM t_wide FOR UPDATE'), '3000 rows',
  'so do they that are locked');
SELECT is(pg_temp.try('nora', 'UPDATE t_wide SET other = 0 WHERE other = 3'),
  cardinality(pg_temp.of_wide('nora', 'other = 3')) || ' rows', 'and changed');
DELETE FROM seeme.memberships WHERE user_id = :nora AND project_id IS NOT NULL;
SELECT is(pg_temp.got('nora', 'SELECT n FROM t_wide'), '{}',
  'threat: none come once the right is gone');

SELECT * FROM finish();
ROLLBACK;
