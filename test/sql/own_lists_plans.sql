-- A list of the extension's own rows costs what is in it: plans, and work counted in rows and
-- buffers. No clocks.
\i test/include/prelude.psql
BEGIN;
SELECT plan(22);

CREATE ROLE t_reader;
SELECT seeme_grant_usage('t_reader') \g /dev/null
CREATE FUNCTION pg_temp.id(kind text, n bigint) RETURNS uuid
  LANGUAGE sql IMMUTABLE RETURN md5(kind || n)::uuid;

-- Organizations from `first` to `last`, each with 6 members, 2 teams and 8 projects; loaded as a
-- restore would be.
CREATE FUNCTION pg_temp.add_organizations(first int, last int) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  SET LOCAL session_replication_role = replica;
  INSERT INTO seeme.users (id, username, email)
  SELECT pg_temp.id('user', n), 'user ' || n,
    'user' || n || '@example.com' FROM generate_series(6 * first, 6 * last + 5) AS n;
  INSERT INTO seeme.organizations (id, name, slug, owner_id)
  SELECT pg_temp.id('organization', n), 'Organization ' || n, 'o-' || n,
    pg_temp.id('user', 6 * n) FROM generate_series(first, last) AS n;
  INSERT INTO seeme.teams (id, organization_id, name, slug)
  SELECT pg_temp.id('team', 2 * n + t), pg_temp.id('organization', n), 'Team ' || t, 'team-' || t
    FROM generate_series(first, last) AS n, generate_series(0, 1) AS t;
  INSERT INTO seeme.projects (id, organization_id, team_id, name, slug)
  SELECT pg_temp.id('project', 8 * n + p), pg_temp.id('organization', n),
    pg_temp.id('team', 2 * n + p % 2), 'Project ' || p, 'project-' || p
    FROM generate_series(first, last) AS n, generate_series(0, 7) AS p;
  INSERT INTO seeme.memberships (organization_id, user_id, role_id)
  SELECT pg_temp.id('organization', n), pg_temp.id('user', 6 * n + u),
         (SELECT r.id FROM seeme.roles r WHERE r.is_system_role AND r.name = CASE u WHEN 0
         THEN 'Owner' ELSE 'Member' END)
    FROM generate_series(first, last) AS n, generate_series(0, 5) AS u;
  INSERT INTO seeme.memberships (organization_id, project_id, user_id)
  SELECT pg_temp.id('organization', n), pg_temp.id('project', 8 * n + p),
    pg_temp.id('user', 6 * n + 1 + p % 5)
    FROM generate_series(first, last) AS n, generate_series(0, 7) AS p;
  SET LOCAL session_replication_role = origin;
END $$;

CREATE FUNCTION pg_temp.explained(query text, options text = 'COSTS OFF') RETURNS text
  LANGUAGE plpgsql AS $$
DECLARE
  line text;
  lines text := '';
BEGIN
  FOR line IN EXECUTE format('EXPLAIN (%s) %s', options, query) LOOP
    lines := lines || line || E'\n';
  END LOOP;
  RETURN lines;
END $$;

-- How many pages the execution of a query looks at, when everything is remembered.
CREATE FUNCTION pg_temp.pages(query text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  plan json;
BEGIN
  EXECUTE format('EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON) %s', query) INTO plan;
  EXECUTE format('EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON) %s', query) INTO plan;
  RETURN (plan -> 0 -> 'Plan' ->> 'Shared Hit Blocks')::bigint +
    (plan -> 0 -> 'Plan' ->> 'Shared Read Blocks')::bigint;
END $$;

CREATE TEMP TABLE lists (query text, small bigint, large bigint);
INSERT INTO lists (query) VALUES
  ('SELECT * FROM seeme.organizations'), ('SELECT * FROM seeme.teams'),
  ('SELECT * FROM seeme.projects'),
  ('SELECT * FROM seeme.memberships'), ('SELECT * FROM seeme.organization_members'),
  ('SELECT * FROM seeme.team_members'),
  ('SELECT * FROM seeme.project_members'), ('SELECT * FROM seeme.users'),
  ('SELECT count(*) FROM seeme.projects'), ('SELECT * FROM seeme.projects ORDER BY name LIMIT 20'),
  ('SELECT o.name, p.name FROM seeme.organizations o JOIN seeme.projects p ON p.organization_id = '
   'o.id'),
  ('SELECT * FROM seeme_review()'), ('SELECT seeme_current_user_context()');
GRANT ALL ON lists TO t_reader;

SELECT pg_temp.add_organizations(1, 400) \g /dev/null
-- A stranger's victim: they are in every organization.
INSERT INTO seeme.users (id, username) VALUES (pg_temp.id('victim', 1), 'victim');
ANALYZE seeme.users, seeme.organizations, seeme.teams, seeme.projects, seeme.memberships,
seeme.roles;
UPDATE seeme.users SET database_role = current_user WHERE id = pg_temp.id('user', 6 * 7 + 2);
SET LOCAL ROLE t_reader;
SELECT is(seeme_user_id(), pg_temp.id('user', 6 * 7 + 2), 'a member of one organization of 400');
UPDATE lists SET small = pg_temp.pages(query);
SELECT unalike(pg_temp.explained(query), '%Seq Scan on ' || CASE WHEN query ~ 'review|context'
  THEN 'nothing' ELSE substring(query FROM 'seeme\.(\w+)') END || '%',
              'no whole table: ' || query) FROM lists
              WHERE query !~ 'review|context|JOIN|organizations|teams' ORDER BY query COLLATE "C";
SELECT matches(pg_temp.explained('SELECT * FROM seeme.projects'),
  'BitmapOr.*Bitmap Index Scan.*Bitmap Index Scan.*Bitmap Index Scan',
               'an index for each arm of the policy');
SELECT is((SELECT count(*) FROM seeme.projects), 8::bigint, 'they see their 8 projects');
SELECT is((SELECT count(*) FROM seeme.users), 6::bigint, 'and 6 people');
RESET ROLE;

-- Four times as many others.
SELECT pg_temp.add_organizations(401, 1600) \g /dev/null
ANALYZE seeme.users, seeme.organizations, seeme.teams, seeme.projects, seeme.memberships;
SET LOCAL ROLE t_reader;
UPDATE lists SET large = pg_temp.pages(query);
SELECT is((SELECT string_agg(format('%s: %s pages, %s before', query, large, small), '; ')
  FROM lists WHERE large > 1.5 * small + 20), NULL,
          'what other tenants have costs nothing');
RESET ROLE;

-- Somebody is put into every organization by strangers. Whoever lists them reads one membership
-- more.
SET LOCAL session_replication_role = replica;
INSERT INTO seeme.memberships (organization_id, user_id) SELECT o.id,
  pg_temp.id('victim', 1) FROM seeme.organizations o;
SET LOCAL session_replication_role = origin;
ANALYZE seeme.memberships;
SET LOCAL ROLE t_reader;
SELECT is((SELECT count(*) FROM seeme.users WHERE username = 'victim'), 1::bigint,
  'the victim is seen');
SELECT cmp_ok(pg_temp.pages('SELECT * FROM seeme.users WHERE id = md5(''victim1'')::uuid'), '<',
  60::bigint,
              'threat: somebody with many memberships slows down everybody who looks at them');
UPDATE lists SET large = pg_temp.pages(query);
SELECT is((SELECT string_agg(format('%s: %s pages, %s before', query, large, small), '; ')
  FROM lists WHERE large > 1.5 * small + 40), NULL,
          'threat: or who lists them');

-- Others archive much.
RESET ROLE;
UPDATE seeme.projects SET archived_at = now() WHERE organization_id IN
  (SELECT pg_temp.id('organization', n) FROM generate_series(1, 1500) AS n WHERE n % 7 <> 0)
  AND slug IN ('project-0', 'project-1');
UPDATE seeme.teams SET archived_at = now() WHERE organization_id IN
  (SELECT pg_temp.id('organization', n) FROM generate_series(1, 1500) AS n WHERE n % 7 <> 0)
  AND slug = 'team-1';
ANALYZE seeme.teams, seeme.projects;
SET LOCAL ROLE t_reader;
SELECT matches(pg_temp.explained('SELECT * FROM seeme.projects'),
  'BitmapOr.*Bitmap Index Scan.*Bitmap Index Scan.*Bitmap Index Scan',
               'with archived projects there is an index for each arm of the policy still');
SELECT is((SELECT count(*) FROM seeme.users), 7::bigint, 'and they see the same 7 people');
UPDATE lists SET large = pg_temp.pages(query);
SELECT is((SELECT string_agg(format('%s: %s pages, %s before', query, large, small), '; ')
  FROM lists WHERE large > 1.5 * small + 60), NULL,
          'what other tenants have archived costs nothing');
RESET ROLE;
UPDATE seeme.projects SET archived_at = NULL WHERE archived_at IS NOT NULL;
UPDATE seeme.teams SET archived_at = NULL WHERE archived_at IS NOT NULL;
ANALYZE seeme.teams, seeme.projects;
SET LOCAL ROLE t_reader;

-- Nothing of the person is in the plan.
SELECT unalike(pg_temp.explained('SELECT * FROM seeme.users', 'VERBOSE'),
  '%' || pg_temp.id('user', 6 * 7 + 3) || '%', 'no id is folded into a plan');
RESET ROLE;

-- Whoever sees all reads the table, and each row costs one look-up.
UPDATE seeme.users SET database_role = NULL WHERE database_role IS NOT NULL;
SET LOCAL session_replication_role = replica;
UPDATE seeme.memberships SET role_id = (
  SELECT r.id FROM seeme.roles r WHERE r.is_system_role AND r.name = 'Viewer')
    WHERE user_id = pg_temp.id('victim', 1);
SET LOCAL session_replication_role = origin;
UPDATE seeme.users SET database_role = current_user WHERE id = pg_temp.id('victim', 1);
SET LOCAL ROLE t_reader;
SELECT is((SELECT count(*) FROM seeme.projects), 12800::bigint, 'somebody who sees everything');
SELECT cmp_ok(pg_temp.pages('SELECT * FROM seeme.projects'), '<', 2000::bigint, 'reads it once');
RESET ROLE;
SELECT * FROM finish();
ROLLBACK;
