-- One call for each table, and the database roles that will connect.

\echo '== One call for each table'
\echo '# Models lie in a project and belong to a person. A view without the weights is for people'
\echo '# who may only list them.'
\set ECHO queries
SELECT seeme_protect('models', 'models', project_column => 'project_id', owner_column => 'owner_id',
                     listing_columns => '{id,name,project_id}') \g /dev/null
\echo '# Datasets lie in the projects to which they are assigned. Items and annotations are parts'
\echo '# of a dataset.'
SELECT seeme_protect('datasets', 'datasets', resource_id_column => 'id',
  owner_column => 'owner_id') \g /dev/null
SELECT seeme_protect('dataset_items', 'dataset_items', resource_id_column => 'dataset_id',
                     resource_type => 'dataset', owner_column => 'owner_id') \g /dev/null
SELECT seeme_protect('annotations', 'annotations', resource_id_column => 'dataset_id',
                     resource_type => 'dataset') \g /dev/null
\echo '# A workflow belongs to an organization, and perhaps to a project. A graph belongs to a'
\echo '# team.'
SELECT seeme_protect('workflows', 'workflows', organization_column => 'organization_id',
                     project_column => 'project_id') \g /dev/null
SELECT seeme_protect('graphs', 'graphs', team_column => 'team_id') \g /dev/null
\echo '# The NOTICE said that an index is missing, and gave this statement:'
CREATE INDEX ON graphs (team_id);

\echo '# The application connects as one database role. It may name the principal, and use the'
\echo '# tables.'
CREATE ROLE app LOGIN;
SELECT seeme_grant_usage('app') \g /dev/null
GRANT EXECUTE ON FUNCTION seeme_assume TO app;
GRANT SELECT, INSERT, UPDATE, DELETE
   ON models, datasets, dataset_items, annotations, workflows, graphs TO app;
GRANT SELECT ON models_listing TO app;

\echo '# Some people also connect directly, from psql or a notebook, each with a login of their'
\echo '# own. They share these grants, but cannot name somebody else.'
CREATE ROLE people;
SELECT seeme_grant_usage('people') \g /dev/null
GRANT SELECT, INSERT, UPDATE, DELETE
   ON models, datasets, dataset_items, annotations, workflows, graphs TO people;
GRANT SELECT ON models_listing TO people;
CREATE ROLE ravi LOGIN IN ROLE people;
UPDATE seeme.users SET database_role = 'ravi' WHERE username = 'ravi';
\set ECHO none
-- The others too, for a reader who plays on.
SELECT format('CREATE ROLE %I LOGIN IN ROLE people', username) FROM seeme.users
  WHERE username <> 'ravi' \gexec
UPDATE seeme.users SET database_role = username WHERE username <> 'ravi';
