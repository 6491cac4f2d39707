-- seeme_rbac: access control that the database itself enforces.
-- Assembled from sql/install/*.sql, a file per topic, in the order of their numbers.
\echo Use "CREATE EXTENSION seeme_rbac" to load this file. \quit

-- Nothing here may find an object that somebody planted: every name is either qualified or pg_catalog's.
SET LOCAL search_path = pg_catalog, pg_temp;

CREATE SCHEMA seeme;
REVOKE ALL ON SCHEMA seeme FROM PUBLIC;
COMMENT ON SCHEMA seeme IS
  'The SeeMe organizations model: organizations, teams, projects, members, roles, permissions (seeme_rbac)';
