-- The same three queries as different people, over one connection of the application.

\echo '== Three queries, whoever asks'
\echo '# From here on we are the application, on one connection. It prepares three queries. They'
\echo '# say nothing about permissions.'
\connect - app
\set ECHO queries
PREPARE models_by_project AS
  SELECT coalesce(p.name, '(in no project)') AS project, count(*) AS models
    FROM models m LEFT JOIN seeme.projects p ON p.id = m.project_id
   GROUP BY p.name ORDER BY p.name;
PREPARE datasets_and_parts AS
  SELECT d.name AS dataset,
         (SELECT count(*) FROM dataset_items i WHERE i.dataset_id = d.id) AS items,
         (SELECT count(*) FROM annotations a WHERE a.dataset_id = d.id) AS annotations
    FROM datasets d ORDER BY d.name;
PREPARE workflows_and_graphs AS
  SELECT 'workflows' AS kind, coalesce(p.name, '(' || o.name || ')') AS "where", count(*)
    FROM workflows w JOIN seeme.organizations o ON o.id = w.organization_id
                     LEFT JOIN seeme.projects p ON p.id = w.project_id
   GROUP BY 1, 2
  UNION ALL
  SELECT 'graphs', 'team ' || t.name, count(*) FROM graphs g JOIN seeme.teams t ON t.id = g.team_id
   GROUP BY 1, 2
   ORDER BY 1 DESC, 2;

\echo '# No principal has been named yet, so there are no rows:'
EXECUTE models_by_project;
\set who nobody_
\ir note.sql

\echo '== Vera, Viewer of the whole of Aurora'
\echo '# The application names Vera, for this transaction only. She sees all rows of Aurora, and'
\echo '# none of Borealis.'
\set ECHO queries
BEGIN;
SELECT seeme_assume(:'vera') \g /dev/null
EXECUTE models_by_project;
EXECUTE datasets_and_parts;
EXECUTE workflows_and_graphs;
\set who vera_
\ir note.sql
\echo '# She may only look. An UPDATE finds no row that she may change:'
\set ECHO queries
\set QUIET off
UPDATE models SET name = 'mine' WHERE name = 'moonshot-v1';
\set vera_updated :ROW_COUNT
\set QUIET on
COMMIT;

\echo '== Tess, Editor in the team Perception'
\echo '# The same connection, the same prepared statements, another person. She sees the two'
\echo '# projects of her team, and her own drafts.'
BEGIN;
SELECT seeme_assume(:'tess') \g /dev/null
EXECUTE models_by_project;
EXECUTE datasets_and_parts;
EXECUTE workflows_and_graphs;
\set who tess_
\ir note.sql
\echo '# She may change these rows:'
\set ECHO queries
\set QUIET off
UPDATE models SET name = 'crossing-spotter' WHERE name = 'street-scenes-v7';
\set tess_updated :ROW_COUNT
\set QUIET on
COMMIT;

\echo '== Ann, Annotator in one project'
\echo '# She sees no models, but the two datasets of Street Scenes, with all their parts.'
BEGIN;
SELECT seeme_assume(:'ann') \g /dev/null
EXECUTE models_by_project;
EXECUTE datasets_and_parts;
EXECUTE workflows_and_graphs;
\set who ann_
\ir note.sql
\set ECHO queries
COMMIT;

\echo '== Oscar, owner of Borealis'
\echo '# He owns the other organization, and sees not one row that Vera sees. Gina''s drafts are'
\echo '# in no project, so they are hers alone.'
BEGIN;
SELECT seeme_assume(:'oscar') \g /dev/null
EXECUTE models_by_project;
EXECUTE datasets_and_parts;
EXECUTE workflows_and_graphs;
\set who oscar_
\ir note.sql
\set ECHO queries
COMMIT;

\echo '== Kurt, whose contract is over'
\echo '# Nobody had to remove him. His membership ended by its date.'
BEGIN;
SELECT seeme_assume(:'kurt') \g /dev/null
EXECUTE models_by_project;
\set who kurt_
\ir note.sql
\set ECHO queries
COMMIT;
\set ECHO none
