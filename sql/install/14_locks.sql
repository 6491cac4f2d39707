-- Locks that SQL cannot name (src/guards/locks.c). pg_advisory_lock() is for everybody: whoever took one of ours would keep others waiting.

CREATE FUNCTION seeme.lock(class regclass, key text) RETURNS void
LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'seeme_lock';
COMMENT ON FUNCTION seeme.lock(regclass, text) IS
  'Until the end of the transaction nobody else gets past this call with the same class and key; the class is the table that the key is about';
