-- What seeme_protect was told of each application table.

CREATE TABLE seeme.protected_tables (
  table_name          regclass PRIMARY KEY,
  resource            text NOT NULL,
  project_column      name,
  team_column         name,
  organization_column name,
  resource_id_column  name,
  owner_column        name,
  resource_type       text REFERENCES seeme.resource_types (name),
  holds_resource      boolean NOT NULL,
  id_column           name,
  name_column         name,
  listing_columns     name[],
  listing_view        regclass,
  had_row_security    boolean NOT NULL,
  had_force           boolean NOT NULL,
  closed_partitions   regclass[] NOT NULL DEFAULT '{}',
  registered_codes    text[] NOT NULL DEFAULT '{}',
  registered_type     boolean NOT NULL DEFAULT false,
  protected_at        timestamptz NOT NULL DEFAULT now(),
  owner_alone         boolean NOT NULL DEFAULT true,
  schema_name         name,
  relation_name       name
);
COMMENT ON TABLE seeme.protected_tables IS 'What seeme_protect was told of each application table, and what it found there';
COMMENT ON COLUMN seeme.protected_tables.table_name IS 'The protected table';
COMMENT ON COLUMN seeme.protected_tables.resource IS 'The resource of its permission codes';
COMMENT ON COLUMN seeme.protected_tables.project_column IS 'Column that holds a row''s project';
COMMENT ON COLUMN seeme.protected_tables.team_column IS 'Column that holds a row''s team';
COMMENT ON COLUMN seeme.protected_tables.organization_column IS 'Column that holds a row''s organization';
COMMENT ON COLUMN seeme.protected_tables.resource_id_column IS 'Column that holds the id by which the row''s resource is assigned to projects';
COMMENT ON COLUMN seeme.protected_tables.owner_column IS 'Column that holds the person who may do everything with a row';
COMMENT ON COLUMN seeme.protected_tables.resource_type IS 'The type by which its resource is assigned to projects';
COMMENT ON COLUMN seeme.protected_tables.holds_resource IS 'Whether a row is itself the resource of that type (and not a part of one)';
COMMENT ON COLUMN seeme.protected_tables.id_column IS 'Column that holds a row''s own id, where a row is a resource';
COMMENT ON COLUMN seeme.protected_tables.name_column IS 'Column that holds a row''s name, where a row is a resource: its name or title';
COMMENT ON COLUMN seeme.protected_tables.listing_columns IS 'The columns that the listing view shows';
COMMENT ON COLUMN seeme.protected_tables.listing_view IS 'The view that shows them';
COMMENT ON COLUMN seeme.protected_tables.had_row_security IS 'Whether row security was enabled before';
COMMENT ON COLUMN seeme.protected_tables.had_force IS 'Whether row security was forced before';
COMMENT ON COLUMN seeme.protected_tables.closed_partitions IS 'Partitions on which row security was enabled, so that they are reached through the table only';
COMMENT ON COLUMN seeme.protected_tables.registered_codes IS 'Permission codes registered for it';
COMMENT ON COLUMN seeme.protected_tables.registered_type IS 'Whether its resource type was registered for it';
COMMENT ON COLUMN seeme.protected_tables.protected_at IS 'Since when';
COMMENT ON COLUMN seeme.protected_tables.owner_alone IS 'Whether a row that lies nowhere, and is assigned nowhere, is its owner''s own';
COMMENT ON COLUMN seeme.protected_tables.schema_name IS 'The schema that it is in: once it is moved or dropped, the one that is remembered';
COMMENT ON COLUMN seeme.protected_tables.relation_name IS 'Its name there';

-- Without a policy: for database administrators alone.
ALTER TABLE seeme.protected_tables ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

SELECT pg_extension_config_dump('seeme.protected_tables', '');
