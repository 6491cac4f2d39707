-- What decisions follow, and how every session learns that it has changed (src/core/invalidation.c); what is remembered (src/cache/cache.c).

-- Always empty. PostgreSQL tells every session when a table's definition changes; these stand for the rows of others.
-- Each has a key, since a publication of all tables refuses some statements on a table without one.
CREATE TABLE seeme.changes_of_vocabulary (id integer PRIMARY KEY);
CREATE TABLE seeme.changes_of_places (id integer PRIMARY KEY);
CREATE TABLE seeme.changes_of_rights (id integer PRIMARY KEY);
CREATE TABLE seeme.changes_of_assignments (id integer PRIMARY KEY);
COMMENT ON TABLE seeme.changes_of_vocabulary IS 'Empty: stands for the codes, resource types and roles when sessions are told that they have changed';
COMMENT ON TABLE seeme.changes_of_places IS 'Empty: stands for organizations, teams and projects when sessions are told that they have changed';
COMMENT ON TABLE seeme.changes_of_rights IS 'Empty: stands for people, memberships and keys when sessions are told that they have changed';
COMMENT ON TABLE seeme.changes_of_assignments IS 'Empty: stands for the assignments of resources to projects when sessions are told that they have changed';
COMMENT ON COLUMN seeme.changes_of_vocabulary.id IS 'Unused: every table has a key';
COMMENT ON COLUMN seeme.changes_of_places.id IS 'Unused: every table has a key';
COMMENT ON COLUMN seeme.changes_of_rights.id IS 'Unused: every table has a key';
COMMENT ON COLUMN seeme.changes_of_assignments.id IS 'Unused: every table has a key';
ALTER TABLE seeme.changes_of_vocabulary ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE seeme.changes_of_places ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE seeme.changes_of_rights ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE seeme.changes_of_assignments ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE FUNCTION seeme.send_invalidation() RETURNS trigger
LANGUAGE c AS 'MODULE_PATHNAME', 'seeme_send_invalidation';
COMMENT ON FUNCTION seeme.send_invalidation() IS 'Trigger: when this transaction commits, every session forgets what it remembers of what the table named by the first argument stands for; or, where the second names a column, of the person there alone';

-- Row triggers that always fire: logical replication fires no others.
CREATE FUNCTION seeme.watch(table_name regclass, changes text, person_column name DEFAULT '') RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  EXECUTE format('CREATE TRIGGER a_note_change BEFORE INSERT OR UPDATE OR DELETE ON %s FOR EACH ROW EXECUTE FUNCTION seeme.send_invalidation(%L, %L)', table_name, changes, person_column);
  EXECUTE format('CREATE TRIGGER a_note_change_made AFTER INSERT OR UPDATE OR DELETE ON %s FOR EACH ROW EXECUTE FUNCTION seeme.send_invalidation(%L, %L)', table_name, changes, person_column);
  EXECUTE format('CREATE TRIGGER a_note_truncate BEFORE TRUNCATE ON %s FOR EACH STATEMENT EXECUTE FUNCTION seeme.send_invalidation(%L, %L)', table_name, changes, person_column);
  EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER a_note_change, ENABLE ALWAYS TRIGGER a_note_change_made, ENABLE ALWAYS TRIGGER a_note_truncate', table_name);
END $$;
COMMENT ON FUNCTION seeme.watch(regclass, text, name) IS 'Has a table tell every session when its rows change; of one person, where a column (a uuid; empty: none) says whose rights a row is about';

-- Whether anybody has been added since CREATE EXTENSION. A restore into an extension in use has to say so (seeme.restoring()).
-- The rows are no part of a dump. There may be several: two sessions that add the first person do not wait for each other.
CREATE TABLE seeme.in_use (
  id    uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  since timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE seeme.in_use IS 'Has a row once people have been added other than by a restore: from then on a restore needs seeme_rbac.restoring. Never dumped.';
COMMENT ON COLUMN seeme.in_use.id IS 'Unique id';
COMMENT ON COLUMN seeme.in_use.since IS 'When somebody was added first, or changed first after a restore';
ALTER TABLE seeme.in_use ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE FUNCTION seeme.note_use() RETURNS trigger
LANGUAGE c SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'seeme_note_use';
COMMENT ON FUNCTION seeme.note_use() IS 'Trigger: marks the extension as used when people, or what belongs to them, change other than by a restore';

-- ALTER TABLE tells every session, at commit, that the table's definition has changed; it changes nothing here. No function
-- of the library is called: the one that this session has loaded may be another version's.
CREATE FUNCTION seeme.tell_every_session() RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  ALTER TABLE seeme.changes_of_vocabulary SET (autovacuum_enabled = false);
END $$;
COMMENT ON FUNCTION seeme.tell_every_session() IS
  'Has every session forget, at commit, what it remembers, and look at the versions of library and extension again';

CREATE FUNCTION seeme.cache_counters(
  OUT hits bigint, OUT probes bigint, OUT bulk_loads bigint, OUT evictions bigint, OUT resets bigint, OUT bypasses bigint, OUT bytes bigint)
LANGUAGE c VOLATILE PARALLEL RESTRICTED AS 'MODULE_PATHNAME', 'seeme_cache_counters_of_backend';
COMMENT ON FUNCTION seeme.cache_counters() IS 'What seeme.cache_statistics shows';

CREATE VIEW seeme.cache_statistics AS SELECT * FROM seeme.cache_counters();
COMMENT ON VIEW seeme.cache_statistics IS 'What this session''s backend remembers of rights, and how that served it';
COMMENT ON COLUMN seeme.cache_statistics.hits IS 'Checks answered from memory';
COMMENT ON COLUMN seeme.cache_statistics.probes IS 'Checks for which tables were read';
COMMENT ON COLUMN seeme.cache_statistics.bulk_loads IS 'Times that all that a person holds was read at once, because a statement turned out to be wide';
COMMENT ON COLUMN seeme.cache_statistics.evictions IS 'Times that seeme_rbac.cache_memory, or the numbers for different sets of codes, were used up, and something was forgotten';
COMMENT ON COLUMN seeme.cache_statistics.resets IS 'Times that something was forgotten because rights had changed';
COMMENT ON COLUMN seeme.cache_statistics.bypasses IS 'Checks within statements that were changing rights themselves, answered past the cache';
COMMENT ON COLUMN seeme.cache_statistics.bytes IS 'Memory in use';
