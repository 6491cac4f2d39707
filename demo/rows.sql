-- Some thousands of rows for these tables. Run silently; the sums are shown.

\set ECHO none
SELECT setseed(0.42) \g /dev/null

-- Models: many in each project, and drafts in no project, which only their owners see.
INSERT INTO models (name, project_id, owner_id, weights)
SELECT p.slug || '-v' || n, p.id, u.id, sha256(n::text::bytea)
  FROM (VALUES ('street-scenes', 420, '{tess,edith}'::text[]), ('night-driving', 260,
    '{tess,olga,edith}'),
               ('route-planner', 310, '{ravi,adam}'), ('moonshot', 45, '{olga}'),
               ('lung-ct', 380, '{gina}'), ('triage', 90, '{gina,oscar}')) AS v (slug, number,
                 owners)
  JOIN seeme.projects p USING (slug), generate_series(1, v.number) AS n
  JOIN seeme.users u ON true
 WHERE u.username = v.owners[1 + n % cardinality(v.owners)];
INSERT INTO models (name, owner_id, weights)
SELECT u.username || '-draft-' || n, u.id, sha256(n::text::bytea)
  FROM (VALUES ('tess', 7), ('ravi', 4), ('gina', 9)) AS v (username, number)
  JOIN seeme.users u USING (username), generate_series(1, v.number) AS n;

-- Datasets: assigned to projects, one of them to two. Ravi keeps one to himself.
CREATE TEMP TABLE plan (name text, items int, projects text[], owner text);
INSERT INTO plan VALUES
  ('Dashcam 2025',      900, '{street-scenes,night-driving}', 'tess'),
  ('Crossings',         600, '{street-scenes}', 'tess'),
  ('Headlights',        450, '{night-driving}', 'edith'),
  ('Freight routes',    500, '{route-planner}', 'ravi'),
  ('Lidar prototype',   120, '{moonshot}', 'olga'),
  ('Ravi''s scratchpad', 30, '{}', 'ravi'),
  ('Chest scans',       800, '{lung-ct}', 'gina'),
  ('Referral letters',  350, '{triage}', 'gina');
INSERT INTO datasets (name, owner_id)
SELECT v.name, u.id FROM plan v JOIN seeme.users u ON u.username = v.owner;
INSERT INTO seeme.project_resources (project_id, resource_type, resource_id, resource_name)
SELECT p.id, 'dataset', d.id, d.name
  FROM plan v JOIN datasets d USING (name) JOIN seeme.projects p ON p.slug = ANY (v.projects);
INSERT INTO dataset_items (dataset_id, owner_id, filename)
SELECT d.id, d.owner_id, format('%s.png', n)
  FROM plan v JOIN datasets d USING (name), generate_series(1, v.items) AS n;
INSERT INTO annotations (dataset_id, item_id, label)
SELECT i.dataset_id, i.id, (ARRAY['car', 'person', 'sign'])[k]
  FROM dataset_items i, generate_series(1, 3) AS k
 WHERE random() < 0.6
   AND EXISTS (SELECT FROM seeme.project_resources r WHERE r.resource_id = i.dataset_id);

-- Workflows: of an organization, and some of one project. Graphs: of a team.
INSERT INTO workflows (name, organization_id, project_id)
SELECT 'nightly-' || n, o.id, NULL FROM seeme.organizations o, generate_series(1, 25) AS n
UNION ALL
SELECT p.slug || '-' || n, p.organization_id, p.id
  FROM seeme.projects p, generate_series(1, length(p.slug)) AS n;
INSERT INTO graphs (name, team_id)
SELECT t.slug || '-' || n, t.id
  FROM seeme.teams t, generate_series(1, 40 + 3 * length(t.slug)) AS n;
DROP TABLE plan;
ANALYZE;

\echo '# The tables now have this many rows:'
\set ECHO queries
SELECT (SELECT count(*) FROM models) AS models,       (SELECT count(*) FROM datasets) AS datasets,
       (SELECT count(*) FROM dataset_items) AS items, (SELECT count(*)
         FROM annotations) AS annotations,
       (SELECT count(*) FROM workflows) AS workflows, (SELECT count(*) FROM graphs) AS graphs;
\set ECHO none
