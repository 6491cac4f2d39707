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
  relation_name       name,
  parent_column       name,
  parent_table        regclass,
  public_column       name,
  generated_columns   name[] NOT NULL DEFAULT '{}'
);
COMMENT ON TABLE seeme.protected_tables IS
  'The arguments of seeme_protect for each application table, and what it found there';
COMMENT ON COLUMN seeme.protected_tables.table_name IS 'The protected table';
COMMENT ON COLUMN seeme.protected_tables.resource IS 'The resource in its permission codes';
COMMENT ON COLUMN seeme.protected_tables.project_column IS 'Column with a row''s project';
COMMENT ON COLUMN seeme.protected_tables.team_column IS 'Column with a row''s team';
COMMENT ON COLUMN seeme.protected_tables.organization_column IS 'Column with a row''s organization';
COMMENT ON COLUMN seeme.protected_tables.resource_id_column IS
  'Column with the id of the resource that is assigned to projects';
COMMENT ON COLUMN seeme.protected_tables.owner_column IS
  'Column with the owner, who may do everything with a row';
COMMENT ON COLUMN seeme.protected_tables.resource_type IS
  'The type of the resource that is assigned to projects';
COMMENT ON COLUMN seeme.protected_tables.holds_resource IS
  'Whether a row is itself a resource of that type, not a part of one';
COMMENT ON COLUMN seeme.protected_tables.id_column IS
  'Column with a row''s own id, where a row is a resource';
COMMENT ON COLUMN seeme.protected_tables.name_column IS
  'Column with a row''s name or title, where a row is a resource';
COMMENT ON COLUMN seeme.protected_tables.listing_columns IS 'The columns of the listing view';
COMMENT ON COLUMN seeme.protected_tables.listing_view IS 'The listing view';
COMMENT ON COLUMN seeme.protected_tables.had_row_security IS
  'Whether row security was enabled before';
COMMENT ON COLUMN seeme.protected_tables.had_force IS 'Whether row security was forced before';
COMMENT ON COLUMN seeme.protected_tables.closed_partitions IS
  'Partitions on which row security was enabled, so that only the table leads to them';
COMMENT ON COLUMN seeme.protected_tables.registered_codes IS
  'Permission codes that were registered for it';
COMMENT ON COLUMN seeme.protected_tables.registered_type IS
  'Whether its resource type was registered for it';
COMMENT ON COLUMN seeme.protected_tables.protected_at IS 'When it was protected';
COMMENT ON COLUMN seeme.protected_tables.owner_alone IS
  'Whether a row belongs to its owner while it lies nowhere and is assigned nowhere';
COMMENT ON COLUMN seeme.protected_tables.schema_name IS
  'Its schema. After it is dropped or moved, the schema that it was in';
COMMENT ON COLUMN seeme.protected_tables.relation_name IS 'Its name there';
COMMENT ON COLUMN seeme.protected_tables.parent_column IS
  'Column with a foreign key to a protected table: the row lies where that table''s row lies';
COMMENT ON COLUMN seeme.protected_tables.parent_table IS 'The table that parent_column refers to';
COMMENT ON COLUMN seeme.protected_tables.public_column IS
  'Boolean column. Everybody may read the rows in which it is true';
COMMENT ON COLUMN seeme.protected_tables.generated_columns IS
  'Those of these columns that were generated columns when the table was protected';

-- There is no policy: only database administrators read and write it.
ALTER TABLE seeme.protected_tables ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

SELECT pg_extension_config_dump('seeme.protected_tables', '');
