-- The platform's own tables.

\echo '== The platform''s own tables'
\echo '# They are ordinary tables. A row may name a project, a team, an organization or a person.'
\echo '# Datasets name no project: they are assigned to projects.'
\set ECHO queries
CREATE TABLE models (
  id         uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  name       text NOT NULL,
  project_id uuid REFERENCES seeme.projects,
  owner_id   uuid REFERENCES seeme.users,
  weights    bytea
);
CREATE TABLE datasets (
  id         uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  name       text NOT NULL,
  owner_id   uuid REFERENCES seeme.users
);
CREATE TABLE dataset_items (
  id         uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  dataset_id uuid NOT NULL REFERENCES datasets ON DELETE CASCADE,
  filename   text NOT NULL,
  owner_id   uuid REFERENCES seeme.users
);
CREATE TABLE annotations (
  id         uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  dataset_id uuid NOT NULL REFERENCES datasets ON DELETE CASCADE,
  item_id    uuid NOT NULL REFERENCES dataset_items ON DELETE CASCADE,
  label      text NOT NULL
);
CREATE TABLE workflows (
  id         uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  name       text NOT NULL,
  project_id uuid REFERENCES seeme.projects,
  organization_id uuid NOT NULL REFERENCES seeme.organizations
);
CREATE TABLE graphs (
  id         uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  name       text NOT NULL,
  team_id    uuid NOT NULL REFERENCES seeme.teams
);
CREATE INDEX ON models (project_id);
CREATE INDEX ON models (owner_id);
CREATE INDEX ON datasets (owner_id);
CREATE INDEX ON dataset_items (dataset_id);
CREATE INDEX ON dataset_items (owner_id);
CREATE INDEX ON annotations (dataset_id);
CREATE INDEX ON annotations (item_id);
CREATE INDEX ON workflows (organization_id);
CREATE INDEX ON workflows (project_id);
\set ECHO none
