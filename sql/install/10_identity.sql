-- Who is asking (src/identity/identity.c).

CREATE FUNCTION @extschema@.seeme_user_id() RETURNS uuid
LANGUAGE c STABLE PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'seeme_user_id';
COMMENT ON FUNCTION @extschema@.seeme_user_id() IS
  'The person who is asking: the one named in this transaction by seeme_assume or seeme_login, else the one logged in for the session, else whom a source that an administrator trusts names (seeme_rbac.trust_request_claims, seeme_rbac.system_user_methods), else the one whose database_role is session_user. NULL if nobody is identified, or the person is unknown or disabled.';

CREATE FUNCTION @extschema@.seeme_assume(user_id uuid) RETURNS uuid
LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'seeme_assume';
COMMENT ON FUNCTION @extschema@.seeme_assume(uuid) IS
  'For a trusted application server: from now until the end of this transaction, user_id is asking. Needs EXECUTE granted to session_user, and is not called from SECURITY DEFINER functions (42501 otherwise). Once per transaction: another person is an error, as is one who is unknown or disabled (28000).';

CREATE FUNCTION seeme.is_narrowed() RETURNS boolean
LANGUAGE c STABLE PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'seeme_is_narrowed';
COMMENT ON FUNCTION seeme.is_narrowed() IS 'Whether the asking person came by an API key';

CREATE FUNCTION seeme.user_for(permission text) RETURNS uuid
LANGUAGE c STABLE STRICT PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'seeme_user_for';
COMMENT ON FUNCTION seeme.user_for(text) IS
  'seeme_user_id(), for what a person may do without a role, as the owner of a row: null when they came by an API key that does not reach the code everywhere';

CREATE FUNCTION seeme.nobody_asks() RETURNS boolean
LANGUAGE c STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'seeme_nobody_asks';
COMMENT ON FUNCTION seeme.nobody_asks() IS
  'True when no person at all is identified (a person who is disabled meanwhile is identified)';

CREATE FUNCTION seeme.is_of_this_version() RETURNS boolean
LANGUAGE c STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'seeme_is_of_this_version';
COMMENT ON FUNCTION seeme.is_of_this_version() IS
  'Whether the library and the extension in this database are of the same version; other functions of the library refuse to work while they are not (55000)';

CREATE FUNCTION seeme.restoring() RETURNS boolean
LANGUAGE c STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'seeme_restoring';
COMMENT ON FUNCTION seeme.restoring() IS
  'True in a superuser''s session that restores a dump, while nobody is identified: seeme_rbac.restoring is on; or row_security is off, as a dump''s script has it, and seeme.in_use has no row. Rows are then taken as they are: nothing is derived, checked against rule 7 or logged. The built-in roles still follow the registered codes, and foreign keys are checked.';
