-- Who is asking (src/identity.c).

CREATE FUNCTION @extschema@.seeme_user_id() RETURNS uuid
LANGUAGE c STABLE PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'seeme_user_id';
COMMENT ON FUNCTION @extschema@.seeme_user_id() IS
  'The person who is asking: the one assumed in this transaction, else the one whose database_role is session_user. NULL if nobody is identified, or the person is unknown or disabled.';

CREATE FUNCTION @extschema@.seeme_assume(user_id uuid) RETURNS uuid
LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'seeme_assume';
COMMENT ON FUNCTION @extschema@.seeme_assume(uuid) IS
  'For a trusted application server: from now until the end of this transaction, user_id is asking. Needs EXECUTE granted to session_user (42501 otherwise). Once per transaction: another person is an error, as is one who is unknown or disabled (28000).';

CREATE FUNCTION seeme.nobody_asks() RETURNS boolean
LANGUAGE c STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'seeme_nobody_asks';
COMMENT ON FUNCTION seeme.nobody_asks() IS
  'True when no person at all is identified (a person who is disabled meanwhile is identified)';

CREATE FUNCTION seeme.restoring() RETURNS boolean
LANGUAGE c STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'seeme_restoring';
COMMENT ON FUNCTION seeme.restoring() IS
  'True in a session that restores a dump: row_security is off and nobody is identified. Rows are then taken as they are: nothing is derived, checked against rule 7 or logged.';
