-- Locks that SQL cannot name (src/guards/locks.c). Every role may call pg_advisory_lock(): with one
-- of our locks in reach of SQL, any session could take it and make others wait.

CREATE FUNCTION seeme.lock(class regclass, key text) RETURNS void
LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'seeme_lock';
COMMENT ON FUNCTION seeme.lock(regclass, text) IS
  'Locks a key of a class until the transaction ends: a second transaction waits here for the same '
  'class and key. The class is the table that the key is about.';
