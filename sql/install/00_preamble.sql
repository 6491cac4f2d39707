-- seeme_rbac: access control that the database itself enforces.
-- Assembled from the files of sql/install, one for each topic, in the order of their names.
\echo Use "CREATE EXTENSION seeme_rbac" to load this file. \quit

-- No name here may resolve to an object that another role planted: a name is either qualified, or
-- pg_catalog's.
SET LOCAL search_path = pg_catalog, pg_temp;

CREATE SCHEMA seeme;
REVOKE ALL ON SCHEMA seeme FROM PUBLIC;
COMMENT ON SCHEMA seeme IS
  'The SeeMe organizations model: organizations, teams, projects, members, roles, permissions '
  '(seeme_rbac)';
