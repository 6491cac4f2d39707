-- A direct login, a refusal, a revocation.

\echo '== Ravi, by a login of his own'
\echo '# He leads the project Route Planner, and connects without the application: the database knows him by his login. As'
\echo '# a Member he knows of Aurora''s other projects, too, but not of what is in them.'
\connect - ravi
\set ECHO queries
SELECT p.name AS project, count(m.id) AS models
  FROM seeme.projects p LEFT JOIN models m ON m.project_id = p.id
 GROUP BY p.name ORDER BY p.name;
\set who ravi_
\ir note.sql

\echo '# He may add people to his project. Mike, who wants to look around, shall be a Viewer there:'
\set ECHO queries
\set ON_ERROR_STOP off
INSERT INTO seeme.project_members (project_id, user_id, role_id)
SELECT p.id, u.id, r.id
  FROM seeme.projects p, seeme.users u, seeme.roles r
 WHERE p.slug = 'route-planner' AND u.username = 'mike' AND r.name = 'Viewer';
\set ON_ERROR_STOP on
\set ravi_sqlstate :SQLSTATE
\echo '# Refused: a Viewer may read everything, jobs and graphs included, and Ravi may not. Nobody hands out what they do'
\echo '# not hold. What he holds himself, he may give:'
\set QUIET off
INSERT INTO seeme.project_members (project_id, user_id, role_id)
SELECT p.id, u.id, r.id
  FROM seeme.projects p, seeme.users u, seeme.roles r
 WHERE p.slug = 'route-planner' AND u.username = 'mike' AND r.name = 'Browser';
\set ravi_added :ROW_COUNT
\set QUIET on
\echo '# But he is Ravi and stays Ravi:'
\set ON_ERROR_STOP off
SELECT seeme_assume(:'olga');
\set ON_ERROR_STOP on
\set ravi_assumed :SQLSTATE
\set ECHO none

\echo '== Mike, who may list and not read'
\echo '# As a Browser he finds the models of Route Planner in the listing, without their weights, and not in the table.'
\connect - mike
\set ECHO queries
SELECT p.name AS project, count(*) AS listed
  FROM models_listing m JOIN seeme.projects p ON p.id = m.project_id GROUP BY p.name;
SELECT count(*) AS readable FROM models;
\set ECHO none
SELECT (SELECT count(*) FROM models_listing) AS listed, (SELECT count(*) FROM models) AS read \gset mike_

\echo '== Sam is taken out, in the middle of a transaction'
\echo '# Sam is a consultant to both organizations. His transaction is REPEATABLE READ: for everything else, it does not'
\echo '# see what others commit meanwhile.'
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
\echo '# It stays open. On a second connection, Adam, an Admin, takes him out of Aurora, with one DELETE:'
\setenv ADAM :adam
\! psql -X -q --no-password -U app -v ON_ERROR_STOP=1 -v adam="$ADAM" -f "$DEMO/revoke.sql"
\echo '# And back on the first connection, in the same transaction, the next statement:'
\set ECHO queries
EXECUTE models_by_project;
\set who sam_after_
\ir note.sql
\set ECHO queries
COMMIT;

\echo '# Adam can look up what happened. It was one DELETE, and what Sam was in the project went with it.'
BEGIN;
SELECT seeme_assume(:'adam') \g /dev/null
SELECT u.username AS by, a.command, a.table_name, coalesce(p.name, 'Aurora') AS "where", row ->> 'user_id' AS whose
  FROM seeme.audit_log a
 CROSS JOIN coalesce(a.after, a.before) AS row
  JOIN seeme.users u ON u.id = a.user_id
  LEFT JOIN seeme.projects p ON p.id = (row ->> 'project_id')::uuid
 ORDER BY a.id;
\echo '# And he can ask why somebody may do something, and why somebody else may not.'
SELECT u.username AS person, e.granted, e.source, e.role_name, e.matched, e.detail
  FROM seeme.projects p, seeme.users u, seeme_explain_permission(u.id, 'models:update', project => p.id) AS e
 WHERE p.slug = 'street-scenes' AND u.username IN ('tess', 'ann', 'kurt') ORDER BY u.username, e.granted DESC;
COMMIT;
\set ECHO none
