-- One call a table, and the database roles that will ask.

\echo '== One call a table'
\echo '# Models lie in a project and belong to a person. Who may only list them gets a view without the weights.'
\set ECHO queries
SELECT seeme_protect('models', 'models', project_column => 'project_id', owner_column => 'owner_id',
                     listing_columns => '{id,name,project_id}') \g /dev/null
\echo '# Datasets lie in the projects that they are assigned to. Items and annotations are parts of a dataset.'
SELECT seeme_protect('datasets', 'datasets', resource_id_column => 'id', owner_column => 'owner_id') \g /dev/null
SELECT seeme_protect('dataset_items', 'dataset_items', resource_id_column => 'dataset_id', resource_type => 'dataset',
                     owner_column => 'owner_id') \g /dev/null
SELECT seeme_protect('annotations', 'annotations', resource_id_column => 'dataset_id', resource_type => 'dataset') \g /dev/null
\echo '# Workflows are an organization''s, and perhaps a project''s. Graphs are a team''s.'
SELECT seeme_protect('workflows', 'workflows', organization_column => 'organization_id', project_column => 'project_id') \g /dev/null
SELECT seeme_protect('graphs', 'graphs', team_column => 'team_id') \g /dev/null
\echo '# An index was missing there, and we were told. Done as told:'
CREATE INDEX ON graphs (team_id);

\echo '# The application connects as one database role. It may say who is asking, and use the tables.'
CREATE ROLE app LOGIN;
SELECT seeme_grant_usage('app') \g /dev/null
GRANT EXECUTE ON FUNCTION seeme_assume TO app;
GRANT SELECT, INSERT, UPDATE, DELETE ON models, datasets, dataset_items, annotations, workflows, graphs TO app;
GRANT SELECT ON models_listing TO app;

\echo '# Some people also connect by themselves, from psql or a notebook, each with a login of their own. They share'
\echo '# these grants, but cannot say that they are somebody else.'
CREATE ROLE people;
SELECT seeme_grant_usage('people') \g /dev/null
GRANT SELECT, INSERT, UPDATE, DELETE ON models, datasets, dataset_items, annotations, workflows, graphs TO people;
GRANT SELECT ON models_listing TO people;
CREATE ROLE ravi LOGIN IN ROLE people;
UPDATE seeme.users SET database_role = 'ravi' WHERE username = 'ravi';
\set ECHO none
-- The others, too, for whoever plays on.
SELECT format('CREATE ROLE %I LOGIN IN ROLE people', username) FROM seeme.users WHERE username <> 'ravi' \gexec
UPDATE seeme.users SET database_role = username WHERE username <> 'ravi';
