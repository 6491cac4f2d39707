-- How every session learns that the data which decisions depend on has changed
-- (src/core/invalidation.c), and what a session's cache counts (src/cache/memory.c).

-- These tables are always empty. PostgreSQL tells every session when the definition of a table
-- changes. Each of them stands for the rows of other tables. Each has a primary key, because a
-- publication of all tables refuses some statements on a table without one.
CREATE TABLE seeme.changes_of_vocabulary (id integer PRIMARY KEY);
CREATE TABLE seeme.changes_of_places (id integer PRIMARY KEY);
CREATE TABLE seeme.changes_of_rights (id integer PRIMARY KEY);
CREATE TABLE seeme.changes_of_assignments (id integer PRIMARY KEY);
COMMENT ON TABLE seeme.changes_of_vocabulary IS
  'Empty. Stands for permission codes, resource types and roles: sessions are told here that they '
  'have changed.';
COMMENT ON TABLE seeme.changes_of_places IS
  'Empty. Stands for organizations, teams and projects: sessions are told here that they have '
  'changed.';
COMMENT ON TABLE seeme.changes_of_rights IS
  'Empty. Stands for users, memberships and API keys: sessions are told here that they have '
  'changed.';
COMMENT ON TABLE seeme.changes_of_assignments IS
  'Empty. Stands for the assignments of resources to projects: sessions are told here that they '
  'have changed.';
COMMENT ON COLUMN seeme.changes_of_vocabulary.id IS 'Unused: the table has a primary key';
COMMENT ON COLUMN seeme.changes_of_places.id IS 'Unused: the table has a primary key';
COMMENT ON COLUMN seeme.changes_of_rights.id IS 'Unused: the table has a primary key';
COMMENT ON COLUMN seeme.changes_of_assignments.id IS 'Unused: the table has a primary key';
ALTER TABLE seeme.changes_of_vocabulary ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE seeme.changes_of_places ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE seeme.changes_of_rights ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE seeme.changes_of_assignments ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE FUNCTION seeme.send_invalidation() RETURNS trigger
LANGUAGE c AS 'MODULE_PATHNAME', 'seeme_send_invalidation';
COMMENT ON FUNCTION seeme.send_invalidation() IS
  'Trigger: when this transaction commits, every session discards what it has cached. The first '
  'argument is the changes_of_ table that says what kind of data. If the second argument names a '
  'column, sessions discard only the data of the user whose id is in that column.';

-- Row triggers that always fire: logical replication fires no others.
CREATE FUNCTION seeme.watch(table_name regclass, changes text, person_column name DEFAULT '')
RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  EXECUTE format(
    'CREATE TRIGGER a_note_change BEFORE INSERT OR UPDATE OR DELETE ON %s
       FOR EACH ROW EXECUTE FUNCTION seeme.send_invalidation(%L, %L)',
    table_name, changes, person_column);
  EXECUTE format(
    'CREATE TRIGGER a_note_change_made AFTER INSERT OR UPDATE OR DELETE ON %s
       FOR EACH ROW EXECUTE FUNCTION seeme.send_invalidation(%L, %L)',
    table_name, changes, person_column);
  EXECUTE format(
    'CREATE TRIGGER a_note_truncate BEFORE TRUNCATE ON %s
       FOR EACH STATEMENT EXECUTE FUNCTION seeme.send_invalidation(%L, %L)',
    table_name, changes, person_column);
  EXECUTE format(
    'ALTER TABLE %s ENABLE ALWAYS TRIGGER a_note_change,
       ENABLE ALWAYS TRIGGER a_note_change_made, ENABLE ALWAYS TRIGGER a_note_truncate',
    table_name);
END $$;
COMMENT ON FUNCTION seeme.watch(regclass, text, name) IS
  'Creates the triggers by which a table tells every session that its rows have changed. If the '
  'rights of one user depend on a row, person_column names the uuid column with that user; '
  'otherwise it is empty.';

-- Whether any user was added since CREATE EXTENSION. If so, a restore has to announce itself
-- (seeme.restoring()). The rows are not part of a dump. There may be several rows, because two
-- sessions that add the first user do not wait for each other.
CREATE TABLE seeme.in_use (
  id    uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  since timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE seeme.in_use IS
  'Has a row once users were added other than by a restore. From then on a restore needs '
  'seeme_rbac.restoring. Never dumped.';
COMMENT ON COLUMN seeme.in_use.id IS 'Unique id';
COMMENT ON COLUMN seeme.in_use.since IS
  'When the first user was added, or first changed after a restore';
ALTER TABLE seeme.in_use ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE FUNCTION seeme.note_use() RETURNS trigger
LANGUAGE c SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'seeme_note_use';
COMMENT ON FUNCTION seeme.note_use() IS
  'Trigger: marks the extension as used when users, or their data, change other than by a restore';

-- At commit, ALTER TABLE tells every session that the definition of the table has changed. This one
-- changes nothing that matters. It calls no function of the library, because this session may have
-- loaded another version of the library.
CREATE FUNCTION seeme.tell_every_session() RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  ALTER TABLE seeme.changes_of_vocabulary SET (autovacuum_enabled = false);
END $$;
COMMENT ON FUNCTION seeme.tell_every_session() IS
  'At commit, every session discards its cache and compares the versions of library and extension '
  'again';

CREATE FUNCTION seeme.cache_counters(
  OUT hits bigint, OUT probes bigint, OUT bulk_loads bigint, OUT evictions bigint,
  OUT resets bigint, OUT bypasses bigint, OUT bytes bigint)
LANGUAGE c VOLATILE PARALLEL RESTRICTED AS 'MODULE_PATHNAME', 'seeme_cache_counters_of_backend';
COMMENT ON FUNCTION seeme.cache_counters() IS 'The row of seeme.cache_statistics';

CREATE VIEW seeme.cache_statistics AS SELECT * FROM seeme.cache_counters();
COMMENT ON VIEW seeme.cache_statistics IS
  'The cache of effective permissions in this session''s backend, and how often it was used';
COMMENT ON COLUMN seeme.cache_statistics.hits IS 'Checks that the cache answered';
COMMENT ON COLUMN seeme.cache_statistics.probes IS 'Checks that read tables';
COMMENT ON COLUMN seeme.cache_statistics.bulk_loads IS
  'How often all permissions of a user were loaded at once, because a statement made many checks';
COMMENT ON COLUMN seeme.cache_statistics.evictions IS
  'How often something was discarded because the cache was full: seeme_rbac.cache_memory, or the '
  'numbers for distinct sets of permission codes, were used up';
COMMENT ON COLUMN seeme.cache_statistics.resets IS
  'How often something was discarded because rights had changed';
COMMENT ON COLUMN seeme.cache_statistics.bypasses IS
  'Checks that did not use the cache, because their statement was changing rights itself';
COMMENT ON COLUMN seeme.cache_statistics.bytes IS 'Memory in use';
