-- A direct login, a refusal, a revocation.

\echo '== Ravi, by a login of his own'
\echo '# He leads the project Route Planner. He connects without the application, and the'
\echo '# database knows him by his login. As a Member he sees the names of Aurora''s other'
\echo '# projects, but no models in them.'
\connect - ravi
\set ECHO queries
SELECT p.name AS project, count(m.id) AS models
  FROM seeme.projects p LEFT JOIN models m ON m.project_id = p.id
 GROUP BY p.name ORDER BY p.name;
\set who ravi_
\ir note.sql

\echo '# He may add people to his project. He tries to make Mike a Viewer there:'
\set ECHO queries
\set ON_ERROR_STOP off
INSERT INTO seeme.project_members (project_id, user_id, role_id)
SELECT p.id, u.id, r.id
  FROM seeme.projects p, seeme.users u, seeme.roles r
 WHERE p.slug = 'route-planner' AND u.username = 'mike' AND r.name = 'Viewer';
\set ON_ERROR_STOP on
\set ravi_sqlstate :SQLSTATE
\echo '# Refused. A Viewer may read everything, jobs and graphs included, and Ravi may not. You'
\echo '# hand out only what you hold. Ravi holds all that a Browser does, so he may give that'
\echo '# role:'
\set QUIET off
INSERT INTO seeme.project_members (project_id, user_id, role_id)
SELECT p.id, u.id, r.id
  FROM seeme.projects p, seeme.users u, seeme.roles r
 WHERE p.slug = 'route-planner' AND u.username = 'mike' AND r.name = 'Browser';
\set ravi_added :ROW_COUNT
\set QUIET on
\echo '# He cannot become somebody else:'
\set ON_ERROR_STOP off
SELECT seeme_assume(:'olga');
\set ON_ERROR_STOP on
\set ravi_assumed :SQLSTATE
\set ECHO none

\echo '== Mike, who may list and not read'
\echo '# As a Browser he finds the models of Route Planner in the listing, without their weights.'
\echo '# He finds none in the table.'
\connect - mike
\set ECHO queries
SELECT p.name AS project, count(*) AS listed
  FROM models_listing m JOIN seeme.projects p ON p.id = m.project_id GROUP BY p.name;
SELECT count(*) AS readable FROM models;
\set ECHO none
SELECT (SELECT count(*) FROM models_listing) AS listed, (SELECT count(*)
  FROM models) AS read \gset mike_

\echo '== Sam is taken out, in the middle of a transaction'
\echo '# Sam is a consultant to both organizations. His transaction is REPEATABLE READ: it does'
\echo '# not see the rows that others commit meanwhile.'
\connect - app
PREPARE models_by_project AS
  SELECT coalesce(p.name, '(in no project)') AS project, count(*) AS models
    FROM models m LEFT JOIN seeme.projects p ON p.id = m.project_id
   GROUP BY p.name ORDER BY p.name;
\set ECHO queries
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT seeme_assume(:'sam') \g /dev/null
EXECUTE models_by_project;
\set who sam_before_
\ir note.sql
\echo '# The transaction stays open. On a second connection, Adam, an Admin, takes Sam out of'
\echo '# Aurora with one DELETE:'
\setenv ADAM :adam
\! psql -X -q --no-password -U app -v ON_ERROR_STOP=1 -v adam="$ADAM" -f "$DEMO/revoke.sql"
\echo '# Back on the first connection, in the same transaction, this is the next statement:'
\set ECHO queries
EXECUTE models_by_project;
\set who sam_after_
\ir note.sql
\set ECHO queries
COMMIT;

\echo '# Adam can look up what happened. It was one DELETE. Sam''s membership in the project went'
\echo '# with it.'
BEGIN;
SELECT seeme_assume(:'adam') \g /dev/null
SELECT u.username AS by, a.command, a.table_name, coalesce(p.name, 'Aurora') AS "where",
  row ->> 'user_id' AS whose
  FROM seeme.audit_log a
 CROSS JOIN coalesce(a.after, a.before) AS row
  JOIN seeme.users u ON u.id = a.user_id
  LEFT JOIN seeme.projects p ON p.id = (row ->> 'project_id')::uuid
 ORDER BY a.id;
\echo '# Adam can also ask why one person may do something, and another may not.'
SELECT u.username AS person, e.granted, e.source, e.role_name, e.matched, e.detail
  FROM seeme.projects p, seeme.users u, seeme_explain_permission(u.id, 'models:update',
    project => p.id) AS e
 WHERE p.slug = 'street-scenes' AND u.username IN ('tess', 'ann', 'kurt')
 ORDER BY u.username, e.granted DESC;
COMMIT;
\set ECHO none
