\i test/include/prelude.psql
-- Rows that lie where the row of another table lies (parent_column), one level and two. What each
-- person reads, changes, moves, removes and adds is compared with plain SQL that knows the rules
-- and none of the extension's code.
BEGIN;
\i test/include/people.psql
\i test/include/asking.psql
\i test/include/oracle.psql
\i test/include/by_settings.psql
SELECT plan(34);
SET LOCAL max_parallel_workers_per_gather = 0;
SET LOCAL jit = off;
SELECT setseed(0.17) \g /dev/null

-- The tables. A folder is a parent with a uuid, an integer or a text as its key; pages and items
-- lie in folders, notes on pages and items. Items also have a project and an owner of their own.
-- Pages of folder_u are partitioned, and so is folder_i.
CREATE TABLE folder_u (n integer, id uuid PRIMARY KEY, project_id uuid, note text);
CREATE TABLE folder_i (n integer, id integer PRIMARY KEY, project_id uuid, team_id uuid,
  organization_id uuid, owner_id uuid, note text) PARTITION BY RANGE (id);
CREATE TABLE folder_i1 PARTITION OF folder_i FOR VALUES FROM (MINVALUE) TO (30);
CREATE TABLE folder_i2 (note text, owner_id uuid, n integer, id integer NOT NULL, project_id uuid,
  team_id uuid, organization_id uuid);
ALTER TABLE folder_i ATTACH PARTITION folder_i2 FOR VALUES FROM (30) TO (MAXVALUE);
CREATE TABLE folder_t (n integer, id text PRIMARY KEY, owner_id uuid, note text);
CREATE TABLE page_u (n integer, id integer, parent_id uuid REFERENCES folder_u ON DELETE CASCADE,
  note text, PRIMARY KEY (id)) PARTITION BY HASH (id);
CREATE TABLE page_u0 PARTITION OF page_u FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE page_u1 PARTITION OF page_u FOR VALUES WITH (MODULUS 2, REMAINDER 1);
CREATE TABLE page_i (n integer, id bigint PRIMARY KEY, note text,
  parent_id integer REFERENCES folder_i ON DELETE CASCADE);
CREATE TABLE page_t (n integer, id varchar(80) PRIMARY KEY, note text,
  parent_id text REFERENCES folder_t ON DELETE CASCADE);
CREATE TABLE item_i (n integer, id uuid PRIMARY KEY, project_id uuid, owner_id uuid, note text,
  parent_id bigint REFERENCES folder_i ON DELETE CASCADE);
CREATE TABLE note_u (n integer, parent_id integer REFERENCES page_u ON DELETE CASCADE, note text);
CREATE TABLE note_i (n integer, parent_id bigint REFERENCES page_i ON DELETE CASCADE, note text);
CREATE TABLE note_t (n integer, parent_id text REFERENCES page_t ON DELETE CASCADE, note text,
  owner_id uuid);
CREATE TABLE note_m (n integer, parent_id uuid REFERENCES item_i ON DELETE CASCADE, note text);

CREATE TEMP TABLE shape (tab text PRIMARY KEY, resource text, key text, parent text,
  parent_key text, columns text[], alone boolean);
INSERT INTO shape VALUES
  ('folder_u', 'folders', 'uuid', NULL, NULL, '{project_id}', true),
  ('folder_i', 'binders', 'integer', NULL, NULL,
   '{project_id,team_id,organization_id,owner_id}', true),
  ('folder_t', 'drawers', 'text', NULL, NULL, '{owner_id}', true),
  ('page_u', 'pages', 'integer', 'folder_u', 'uuid', '{}', true),
  ('page_i', 'pages', 'bigint', 'folder_i', 'integer', '{}', true),
  ('page_t', 'pages', 'text', 'folder_t', 'text', '{}', true),
  ('item_i', 'items', 'uuid', 'folder_i', 'integer', '{project_id,owner_id}', false),
  ('note_u', 'notes', NULL, 'page_u', 'integer', '{}', true),
  ('note_i', 'notes', NULL, 'page_i', 'integer', '{}', true),
  ('note_t', 'notes', NULL, 'page_t', 'text', '{owner_id}', true),
  ('note_m', 'notes', NULL, 'item_i', 'uuid', '{}', true);

-- The rows of all tables, by number. A column is null, one of a few ids, or the id of nothing.
CREATE FUNCTION pg_temp.one_of(ids uuid[]) RETURNS uuid
  LANGUAGE sql VOLATILE AS $$ SELECT ids[1 + floor(random() * cardinality(ids))] $$;
CREATE FUNCTION pg_temp.key_of(tab text, n integer, kind text) RETURNS text
  LANGUAGE sql IMMUTABLE AS $$ SELECT CASE kind WHEN 'uuid' THEN md5(tab || n)::uuid::text
                    WHEN 'text' THEN 'key ' || n || repeat('x', n % 30) ELSE n::text END $$;
CREATE TEMP TABLE u AS
  SELECT s.tab, n,
         CASE WHEN 'project_id' = ANY (columns) AND random() < 0.8
              THEN pg_temp.one_of(ARRAY[:alpha, :beta, :gamma, :delta, :nobody_known]::uuid[]) END
           AS project_id,
         CASE WHEN 'team_id' = ANY (columns) AND random() < 0.3
              THEN pg_temp.one_of(ARRAY[:research, :sales, :labs]::uuid[]) END AS team_id,
         CASE WHEN 'organization_id' = ANY (columns) AND random() < 0.2
              THEN pg_temp.one_of(ARRAY[:acme, :globex]::uuid[]) END AS organization_id,
         CASE WHEN 'owner_id' = ANY (columns) AND random() < 0.7
              THEN pg_temp.one_of(ARRAY[:nora, :paul, :gina, :stan, :dora, :mike]::uuid[]) END
           AS owner_id,
         CASE WHEN parent IS NOT NULL AND n % 9 <> 0 THEN 1 + floor(random() * 60)::integer END
           AS pn
    FROM shape s, generate_series(1, 60) AS n;
SELECT format('INSERT INTO %I SELECT * FROM jsonb_populate_recordset(NULL::%1$I, %L)', s.tab,
              (SELECT jsonb_agg(to_jsonb(u) || jsonb_build_object('note', 'note',
                 'id', pg_temp.key_of(s.tab, u.n, s.key),
                 'parent_id', pg_temp.key_of(s.parent, u.pn, s.parent_key)))
                 FROM u WHERE u.tab = s.tab))
  FROM shape s ORDER BY s.parent IS NOT NULL, s.tab LIKE 'note%', s.tab \gexec
SELECT format('GRANT ALL ON %I TO t_app', tab) FROM shape \gexec
SELECT format('CREATE INDEX ON %I (%I)', tab, c)
  FROM shape, unnest(columns || CASE WHEN parent IS NOT NULL THEN 'parent_id' END) AS c
 WHERE c IS NOT NULL \gexec
SELECT format('ANALYZE %I', tab) FROM shape \gexec
SELECT seeme_protect(tab::regclass, resource,
         project_column => CASE WHEN 'project_id' = ANY (columns) THEN 'project_id' END,
         team_column => CASE WHEN 'team_id' = ANY (columns) THEN 'team_id' END,
         organization_column => CASE WHEN 'organization_id' = ANY (columns)
                                     THEN 'organization_id' END,
         owner_column => CASE WHEN 'owner_id' = ANY (columns) THEN 'owner_id' END,
         listing_columns => '{n}', parent_column => CASE WHEN parent IS NOT NULL
                                                         THEN 'parent_id' END, owner_alone => alone)
  FROM shape ORDER BY parent IS NOT NULL, tab LIKE 'note%', tab \g /dev/null

-- Roles of which each has some of the codes, so that no two resources go together
INSERT INTO seeme.roles (id, organization_id, name, permissions) VALUES
  ('e0000000-0000-4000-8000-000000000e01', :acme, 'Reads', '{*:read,*:list}'),
  ('e0000000-0000-4000-8000-000000000e02', :acme, 'Pages', '{pages:*,folders:read}'),
  ('e0000000-0000-4000-8000-000000000e03', :acme, 'Notes', '{notes:*,items:read,items:update}'),
  ('e0000000-0000-4000-8000-000000000e04', :globex, 'Moves',
   '{*:read,*:update,pages:delete,items:create}'),
  ('e0000000-0000-4000-8000-000000000e05', :acme, 'Folders',
   '{folders:*,binders:*,drawers:*,pages:read,notes:read,notes:update}');
UPDATE seeme.memberships SET role_id = ('e0000000-0000-4000-8000-000000000e0' || CASE user_id
    WHEN :vera THEN 1 WHEN :nora THEN 2 WHEN :cora THEN 5 WHEN :mike THEN 3 WHEN :gina THEN 4 END
  )::uuid WHERE user_id IN (:vera, :nora, :cora, :mike, :gina);
INSERT INTO seeme.memberships (organization_id, project_id, user_id, role_id)
  VALUES (:acme, :gamma, :nora, 'e0000000-0000-4000-8000-000000000e03'),
         (:acme, :beta, :paul, 'e0000000-0000-4000-8000-000000000e02');
INSERT INTO seeme.memberships (organization_id, user_id, role_id)
  VALUES (:acme, :gina, 'e0000000-0000-4000-8000-000000000e03');
CREATE TEMP TABLE person AS SELECT u.id, u.username AS name FROM seeme.users u
  WHERE username = ANY ('{olga,adam,vera,nora,cora,mike,paul,gina,dora,stan,tess}');
INSERT INTO person VALUES (NULL, 'ghost');

-- The oracle: where a row lies, its parents' places included; who owns it or one of its parents.
CREATE TEMP TABLE above AS
  WITH RECURSIVE a AS (
    SELECT u.tab, u.n, u.tab AS atab, u.n AS an, u.pn FROM u
    UNION ALL
    SELECT a.tab, a.n, p.tab, p.n, p.pn
      FROM a JOIN shape s ON s.tab = a.atab JOIN u p ON p.tab = s.parent AND p.n = a.pn)
  SELECT tab, n, atab, an FROM a;
CREATE TEMP TABLE place_of AS
  SELECT p.id, p.organization_id AS org FROM seeme.projects p
  UNION ALL SELECT t.id, t.organization_id FROM seeme.teams t
  UNION ALL SELECT o.id, o.id FROM seeme.organizations o;
CREATE TEMP TABLE lies AS
  SELECT a.tab, a.n, l.id, p.org, a.atab <> a.tab AS by_parent
    FROM above a JOIN u ON u.tab = a.atab AND u.n = a.an,
         unnest(ARRAY[u.project_id, u.team_id, u.organization_id]) AS l (id)
    LEFT JOIN place_of p ON p.id = l.id
   WHERE l.id IS NOT NULL;
CREATE TEMP TABLE held AS SELECT p.name AS person, h.scope_id, h.code
  FROM person p, LATERAL pg_temp.held(p.name) h;
CREATE TEMP TABLE belongs AS
  SELECT p.name AS person, m.organization_id AS org
    FROM person p JOIN seeme.users u USING (id)
    JOIN pg_temp.current_membership m ON m.user_id = p.id
   WHERE u.disabled_at IS NULL AND m.team_id IS NULL AND m.project_id IS NULL
  UNION SELECT p.name, o.id FROM person p JOIN seeme.organizations o ON o.owner_id = p.id;
CREATE TEMP TABLE owned AS  -- by whom a row may be owned, its parents' owners included
  SELECT DISTINCT a.tab, a.n, p.name AS person
    FROM above a JOIN u ON u.tab = a.atab AND u.n = a.an JOIN shape s ON s.tab = a.atab
    JOIN person p ON p.id = u.owner_id JOIN seeme.users x ON x.id = p.id AND x.disabled_at IS NULL
   WHERE NOT EXISTS (SELECT FROM lies l WHERE l.tab = a.atab AND l.n = a.an
                       AND NOT EXISTS (SELECT FROM belongs b WHERE b.person = p.name
                                          AND b.org = l.org))
     AND (s.alone OR EXISTS (SELECT FROM lies l WHERE l.tab = a.atab AND l.n = a.an))
     -- a row whose parent is missing belongs to nobody; here every parent exists
;
CREATE INDEX ON lies (tab, n); CREATE INDEX ON held (person, scope_id);
CREATE INDEX ON owned (tab, n);
ANALYZE lies; ANALYZE held; ANALYZE owned;
CREATE FUNCTION pg_temp.may(who text, ctab text, cn integer, wanted text) RETURNS boolean
  LANGUAGE sql STABLE AS $$
  SELECT EXISTS (SELECT FROM pg_temp.lies l JOIN pg_temp.held h ON h.scope_id = l.id
                  WHERE l.tab = ctab AND l.n = cn AND h.person = who AND h.code = wanted)
      OR EXISTS (SELECT FROM pg_temp.owned o WHERE o.tab = ctab AND o.n = cn AND o.person = who) $$;
CREATE TEMP TABLE fact AS
  SELECT p.name AS person, u.tab, u.n,
         pg_temp.may(p.name, u.tab, u.n, s.resource || ':read') AS r,
         pg_temp.may(p.name, u.tab, u.n, s.resource || ':update') AS w,
         pg_temp.may(p.name, u.tab, u.n, s.resource || ':delete') AS d,
         pg_temp.may(p.name, u.tab, u.n, s.resource || ':list') AS l
    FROM person p, u JOIN shape s USING (tab);
CREATE TEMP TABLE wanted AS
  SELECT tab, person,
         format('%s|%s', count(*) FILTER (WHERE r), sum(n) FILTER (WHERE r)) AS "read",
         format('%s|%s', count(*) FILTER (WHERE l), sum(n) FILTER (WHERE l)) AS listing,
         format('%s|%s', count(*) FILTER (WHERE r AND w), sum(n) FILTER (WHERE r AND w))
           AS "update",
         format('%s|%s', count(*) FILTER (WHERE r AND d), sum(n) FILTER (WHERE r AND d)) AS "delete"
    FROM fact GROUP BY 1, 2;
SELECT cmp_ok((SELECT count(DISTINCT "read") FROM wanted), '>', 40::bigint,
  'people and tables differ');

CREATE TEMP TABLE way (name text, settings jsonb);
INSERT INTO way VALUES
  ('as planned', '{}'),
  ('by scans', '{"enable_bitmapscan": "off", "enable_indexscan": "off"}'),
  ('by filters', '{"enable_bitmapscan": "off", "enable_indexscan": "off", '
                 '"seeme_rbac.enable_permission_scan": "off"}'),
  ('by indexes', '{"enable_seqscan": "off", "seeme_rbac.enable_permission_scan": "off"}'),
  ('by index scans', '{"enable_seqscan": "off", "enable_bitmapscan": "off", '
                     '"seeme_rbac.enable_permission_scan": "off"}'),
  ('with little memory', '{"work_mem": "64kB", "enable_indexscan": "off", '
                         '"enable_bitmapscan": "off"}'),
  ('by several processes', '{"max_parallel_workers_per_gather": "2", "parallel_setup_cost": "0", '
     '"parallel_tuple_cost": "0", "min_parallel_table_scan_size": "0"}');
CREATE FUNCTION pg_temp.differences_of(settings jsonb, statement text, kind text)
  RETURNS text LANGUAGE sql AS $$
  SELECT string_agg(format('%s as %s: %s, not %s', d.tab, d.person, d.got, d.wanted), E'\n')
    FROM (SELECT w.tab, w.person, pg_temp.got(w.person, format(statement, w.tab), settings) AS got,
                 to_jsonb(w) ->> kind AS wanted
            FROM pg_temp.wanted w) AS d
   WHERE d.got IS DISTINCT FROM d.wanted $$;
SELECT is(pg_temp.differences_of(settings,
  'SELECT format(''%%s|%%s'', count(*), sum(n)) FROM %I', 'read'), NULL,
  'everybody''s rows of each table, ' || name) FROM way;
SELECT is(pg_temp.differences_of('{}',
  'SELECT format(''%%s|%%s'', count(*), sum(n)) FROM %I_listing', 'listing'), NULL,
  'and of each listing view');
SELECT is(pg_temp.differences_of(settings,
  'WITH x AS (UPDATE %I SET note = ''changed'' RETURNING n) '
  'SELECT format(''%%s|%%s'', count(*), sum(n)) FROM x', 'update'), NULL,
  'the rows that everybody changes, ' || name) FROM way WHERE name IN ('as planned', 'by indexes');
SELECT is(pg_temp.differences_of(settings,
  'WITH x AS (DELETE FROM %I RETURNING n) SELECT format(''%%s|%%s'', count(*), sum(n)) FROM x',
  'delete'), NULL, 'and removes, ' || name) FROM way WHERE name IN ('as planned', 'by indexes');

-- Point queries, joins and prepared statements
CREATE FUNCTION pg_temp.points() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  f record; found integer; wrong text;
BEGIN
  FOR f IN SELECT * FROM fact WHERE n % 7 = 0 ORDER BY person, tab, n LOOP
    PERFORM pg_temp.become(f.person);
    EXECUTE format('SELECT count(*) FROM %I WHERE n = $1', f.tab) INTO found USING f.n;
    PERFORM pg_temp.become(NULL);
    IF (found = 1) <> f.r THEN
      wrong := concat_ws(E'\n', wrong, format('%s as %s: %s', f.tab, f.person, f.n));
    END IF;
  END LOOP;
  RETURN wrong;
END $$;
SELECT is(pg_temp.points(), NULL, 'single rows');
SELECT is(pg_temp.differences_of('{}',
  'SELECT format(''%%s|%%s'', count(*), sum(a.n)) FROM %I a '
  'JOIN generate_series(1, 60) AS b (n) USING (n)',
  'read'), NULL, 'in a join');
SELECT is(pg_temp.differences_of('{}',
  'SELECT format(''%%s|%%s'', count(*), sum(n)) FROM (SELECT n FROM %I ORDER BY n LIMIT 999) x',
  'read'), NULL, 'below a limit');

-- New children: the code is held where each of the row's places lies
CREATE FUNCTION pg_temp.outcome(person text, statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE n bigint;
BEGIN
  PERFORM pg_temp.become(person);
  EXECUTE statement;
  GET DIAGNOSTICS n = ROW_COUNT;
  SET CONSTRAINTS ALL IMMEDIATE;
  RAISE EXCEPTION USING ERRCODE = 'UNDO0', MESSAGE = n::text;
EXCEPTION
  WHEN SQLSTATE 'UNDO0' THEN RETURN SQLERRM;
  WHEN OTHERS THEN RETURN SQLSTATE;
END $$;
CREATE TEMP TABLE added AS
  SELECT p.name AS person, s.tab, m.n AS pn, q.id AS project_id,
         CASE WHEN (m.n IS NULL OR pg_temp.may(p.name, s.parent, m.n, s.resource || ':create'))
                   AND (q.id IS NULL OR EXISTS (SELECT FROM held h
                          WHERE h.person = p.name AND h.scope_id = q.id
                            AND h.code = s.resource || ':create'))
                   AND (m.n IS NOT NULL OR q.id IS NOT NULL)
              THEN '1' ELSE '42501' END AS wanted
    FROM person p, shape s,
         (VALUES (NULL), (3), (7), (11), (12), (20), (26), (31), (40), (47), (99)) AS m (n),
         (VALUES (NULL), (:alpha::uuid), (:delta::uuid)) AS q (id)
   WHERE s.parent IS NOT NULL AND (q.id IS NULL OR s.tab = 'item_i');
SELECT is(count(*) > 100 AND count(*) FILTER (WHERE wanted = '1') > 30, true,
  'many children are tried') FROM added;
CREATE FUNCTION pg_temp.insertion(a added) RETURNS text LANGUAGE sql AS $$
  SELECT format('INSERT INTO %I SELECT * FROM jsonb_populate_record(NULL::%1$I, %L)', a.tab,
                jsonb_build_object('n', 100, 'id', pg_temp.key_of(a.tab, 100, s.key),
                  'parent_id', pg_temp.key_of(s.parent, a.pn, s.parent_key),
                  'project_id', a.project_id))
    FROM shape s WHERE s.tab = a.tab $$;
SELECT is((SELECT string_agg(format('%s as %s under %s: %s, not %s', tab, person, pn, got, wanted),
                             E'\n')
             FROM (SELECT a.*, pg_temp.outcome(person, pg_temp.insertion(a)) AS got FROM added a) x
            WHERE got IS DISTINCT FROM wanted), NULL,
  'and each is added or refused as it should be');

-- What lies below a table
CREATE TEMP TABLE below AS
  WITH RECURSIVE b AS (
    SELECT tab AS top, tab, resource FROM shape
    UNION ALL SELECT b.top, s.tab, s.resource FROM b JOIN shape s ON s.parent = b.tab)
  SELECT DISTINCT top, resource FROM b WHERE top <> tab;

-- Children that move to another parent
CREATE FUNCTION pg_temp.may_leave(who text, code text, old_tab text, old_n integer, new_tab text,
  new_n integer) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT NOT EXISTS (
    SELECT FROM (SELECT DISTINCT l.org FROM pg_temp.lies l WHERE l.tab = old_tab AND l.n = old_n) o
     WHERE o.org IS NULL
        OR CASE WHEN EXISTS (SELECT FROM pg_temp.lies k
                              WHERE k.tab = new_tab AND k.n = new_n AND k.org = o.org)
                THEN NOT EXISTS (SELECT FROM pg_temp.belongs b
                                  WHERE b.person = who AND b.org = o.org)
                ELSE NOT EXISTS (SELECT FROM pg_temp.lies l JOIN pg_temp.held h ON h.scope_id = l.id
                                  WHERE l.tab = old_tab AND l.n = old_n AND l.org = o.org
                                    AND h.person = who AND h.code = may_leave.code) END) $$;
CREATE TEMP TABLE moved AS
  SELECT p.name AS person, s.tab, u.n, u.pn, m.n AS to_n, s.resource,
         CASE WHEN NOT (f.r AND f.w) THEN '0'
              WHEN pg_temp.may(p.name, s.parent, m.n, s.resource || ':update')
                   AND pg_temp.may(p.name, s.parent, m.n, s.resource || ':read')
                   AND (pg_temp.may_leave(p.name, s.resource || ':delete', s.parent, u.pn,
                                          s.parent, m.n)
                        OR pg_temp.may_leave(p.name, s.resource || ':update', s.parent, u.pn,
                                             s.parent, m.n))
                   -- a page takes its notes along
                   AND NOT EXISTS (SELECT FROM below b WHERE b.top = s.tab
                                      AND NOT pg_temp.may(p.name, u.tab, u.n,
                                                          b.resource || ':update'))
              THEN '1' ELSE '42501' END AS wanted
    FROM person p, shape s JOIN u USING (tab),
         (VALUES (3), (7), (12), (20), (26), (40), (99)) AS m (n), fact f
   WHERE s.parent IS NOT NULL AND s.columns = '{}' AND u.n % 6 = 1 AND u.pn IS NOT NULL
     AND u.pn <> m.n AND f.person = p.name AND f.tab = u.tab AND f.n = u.n;
SELECT is((SELECT string_agg(w || ':' || (n > 5), ' ' ORDER BY w) FROM (
             SELECT wanted AS w, count(*) AS n FROM moved GROUP BY 1) x),
  '0:true 1:true 42501:true', 'children are moved, refused and not found');
SELECT is((SELECT string_agg(format('%s %s as %s from %s to %s: %s, not %s', tab, n, person, pn,
                                    to_n, got, wanted), E'\n')
             FROM (SELECT a.*, pg_temp.outcome(person,
                     format('UPDATE %I SET parent_id = %L WHERE n = %s', tab,
                            pg_temp.key_of(s.parent, to_n, s.parent_key), n)) AS got
                     FROM moved a JOIN shape s USING (tab, resource)) x
            WHERE got IS DISTINCT FROM wanted), NULL,
  'and each needs the right at both parents, and in the organization that it leaves');

-- Parents that move take their children along
CREATE TEMP TABLE moved_parent AS
  SELECT p.name AS person, u.tab, u.n, q.id AS to_project,
         CASE WHEN NOT (f.r AND f.w) THEN '0'
              WHEN EXISTS (SELECT FROM held h WHERE h.person = p.name AND h.scope_id = q.id
                              AND h.code = 'folders:update')
                   AND EXISTS (SELECT FROM held h WHERE h.person = p.name AND h.scope_id = q.id
                                  AND h.code = 'folders:read')
                   AND NOT EXISTS (SELECT FROM below b WHERE b.top = u.tab
                                      AND NOT pg_temp.may(p.name, u.tab, u.n,
                                                          b.resource || ':update'))
              THEN '1' ELSE '42501' END AS wanted
    FROM person p, u, (VALUES (:alpha::uuid), (:beta::uuid)) AS q (id), fact f
   WHERE u.tab = 'folder_u' AND u.project_id <> q.id
     AND f.person = p.name AND f.tab = u.tab AND f.n = u.n;
SELECT is((SELECT string_agg(w || ':' || (n > 5), ' ' ORDER BY w) FROM (
             SELECT wanted AS w, count(*) AS n FROM moved_parent GROUP BY 1) x),
  '0:true 1:true 42501:true', 'parents are moved, refused and not found');
SELECT is((SELECT string_agg(format('%s %s as %s to %s: %s, not %s', tab, n, person, to_project,
                                    got, wanted), E'\n')
             FROM (SELECT m.*, pg_temp.outcome(person,
                     format('UPDATE %I SET project_id = %L WHERE n = %s', tab, to_project, n))
                     AS got FROM moved_parent m) x
            WHERE got IS DISTINCT FROM wanted), NULL,
  'whoever moves a parent may also update its children and their children');

-- What a statement itself does counts
SELECT is(pg_temp.try('olga', $$WITH f AS (INSERT INTO folder_u VALUES
    (900, '90000000-0000-4000-8000-000000000900', {alpha}) RETURNING id)
  INSERT INTO page_u SELECT 900, 900, id FROM f$$), '1 row',
  'a parent and its child in one statement');
SELECT is(pg_temp.rows('olga', $$INSERT INTO folder_u VALUES
    (900, '90000000-0000-4000-8000-000000000900', {alpha})$$,
  $$INSERT INTO page_u VALUES (900, 900, '90000000-0000-4000-8000-000000000900')$$,
  $$INSERT INTO note_u VALUES (900, 900)$$, 'SELECT n FROM note_u WHERE n = 900'), '{900}',
  'and in three statements, two levels deep');
SELECT is(pg_temp.try('nora', $$WITH f AS (UPDATE folder_u SET project_id = {gamma} RETURNING id)
  INSERT INTO note_u VALUES (900, 12)$$),
  pg_temp.try('nora', 'INSERT INTO note_u VALUES (900, 12)'),
  'a parent that the statement may not move does not count as moved');

-- A transaction sees its own moves, and what is undone is undone
SELECT is(pg_temp.rows('vera', 'SELECT count(*) FROM page_u'),
  ARRAY[(SELECT count(*)::text FROM fact WHERE person = 'vera' AND tab = 'page_u' AND r)],
  'Vera reads the pages of Acme');
UPDATE folder_u SET project_id = :delta;
SELECT is(pg_temp.rows('vera', 'SELECT count(*) FROM page_u'), '{0}',
  'and none once all folders are moved to Globex');
SAVEPOINT moved;
UPDATE folder_u SET project_id = :alpha;
SELECT is(pg_temp.rows('vera', 'SELECT count(*) FROM page_u'),
  ARRAY[(SELECT count(*)::text FROM page_u WHERE parent_id IS NOT NULL)], 'then all');
ROLLBACK TO moved;
SELECT is(pg_temp.rows('vera', 'SELECT count(*) FROM page_u'), '{0}', 'and none after a rollback');

-- A function keeps its expressions from call to call, but not where a parent lies
CREATE FUNCTION pg_temp.move_all(project uuid) RETURNS void LANGUAGE sql SECURITY DEFINER AS
  'UPDATE public.folder_u SET project_id = project';
CREATE FUNCTION pg_temp.asked() RETURNS boolean[] LANGUAGE plpgsql AS $$
DECLARE
  key integer := 1;
  answers boolean[];
BEGIN
  FOR i IN 1 .. 4 LOOP
    BEGIN
      answers := answers || seeme.parent_has_permission('notes:read', 'note_u', 'page_u', key);
      PERFORM pg_temp.move_all(CASE i % 2 WHEN 1 THEN pg_temp.id('alpha')
                                          ELSE pg_temp.id('delta') END);
      answers := answers || seeme.parent_has_permission('notes:read', 'note_u', 'page_u', key);
      IF i > 2 THEN
        RAISE EXCEPTION 'undone';
      END IF;
    EXCEPTION WHEN raise_exception THEN NULL;
    END;
  END LOOP;
  RETURN answers || seeme.parent_has_permission('notes:read', 'note_u', 'page_u', key);
END $$;
GRANT EXECUTE ON FUNCTION pg_temp.move_all(uuid), pg_temp.asked() TO PUBLIC;
SELECT is(pg_temp.rows('vera', 'SELECT pg_temp.asked()'), 
  '{"[false,true,true,false,false,true,false,false,false]"}',
  'an expression of a function sees each move, and each that is undone');

-- The shapes of answers that are errors or nothing
SELECT is(pg_temp.rows('vera', $$SELECT seeme.parent_has_permission('notes:read', 'note_u',
  'page_u', NULL::integer)$$), '{false}', 'a row without a parent lies nowhere');
SELECT is(pg_temp.try('vera', $$SELECT seeme.parent_has_permission('pages:read', 'note_u',
  'page_u', 1)$$), '22023', 'threat: asking with another table''s code where a row lies');
SELECT is(pg_temp.try('vera', $$SELECT seeme.parent_has_permission('notes:read', 'note_u',
  'folder_u', 1)$$), '22023', 'threat: asking where the rows of another table lie');
SELECT is(pg_temp.try('vera', $$SELECT seeme.parent_has_permission('notes:read', 'note_u',
  'page_u', 1::bigint)$$), '42804', 'threat: a key of another type');
SELECT * FROM finish();
ROLLBACK;
