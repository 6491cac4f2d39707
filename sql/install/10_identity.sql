-- Who is asking (src/identity/identity.c).

CREATE FUNCTION @extschema@.seeme_user_id() RETURNS uuid
LANGUAGE c STABLE PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'seeme_user_id';
COMMENT ON FUNCTION @extschema@.seeme_user_id() IS
  'The asking person: the one named in this transaction by seeme_assume, seeme_act_for or '
  'seeme_login, else the one logged in for the session, else the one that a source trusted by an '
  'administrator names '
  '(seeme_rbac.trust_request_claims, seeme_rbac.system_user_methods), else the one whose '
  'database_role is session_user. NULL if nobody is identified, or if the person is unknown or '
  'disabled.';

CREATE FUNCTION @extschema@.seeme_assume(user_id uuid) RETURNS uuid
LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'seeme_assume';
COMMENT ON FUNCTION @extschema@.seeme_assume(uuid) IS
  'For a trusted application server: names user_id as the asking person until the transaction '
  'ends. session_user needs EXECUTE on it; a call from a SECURITY DEFINER function is refused '
  '(42501). A transaction names one person: a second one is an error, and so is a person who is '
  'unknown or disabled (28000).';

CREATE FUNCTION @extschema@.seeme_act_for(user_id uuid, actor_id uuid) RETURNS uuid
LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'seeme_act_for';
COMMENT ON FUNCTION @extschema@.seeme_act_for(uuid, uuid) IS
  'For the tool of support staff: names user_id as the asking person until the transaction ends, '
  'with actor_id as the person who acts for them. The rights are the user''s. The audit log has '
  'both. session_user needs EXECUTE on it; a grant of seeme_assume is not enough (42501). A user '
  'or actor who is unknown or disabled is an error (28000), as is a second identity in a '
  'transaction. API keys, transfers of an organization and accepted invitations are refused under '
  'it (42501). Each call writes a line to the server''s log.';

CREATE FUNCTION @extschema@.seeme_actor_id() RETURNS uuid
LANGUAGE c STABLE PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'seeme_actor_id';
COMMENT ON FUNCTION @extschema@.seeme_actor_id() IS
  'The person who acts for the asking person (seeme_act_for). NULL if nobody does, or if nobody is '
  'identified.';

CREATE FUNCTION seeme.require_no_actor(action text) RETURNS void
LANGUAGE c STABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'seeme_require_no_actor_for';
COMMENT ON FUNCTION seeme.require_no_actor(text) IS
  'Raises 42501 while somebody acts for the asking person. The action is for the message.';

CREATE FUNCTION seeme.uses_api_key() RETURNS boolean
LANGUAGE c STABLE PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'seeme_uses_api_key';
COMMENT ON FUNCTION seeme.uses_api_key() IS 'Whether the asking person is identified by an API key';

CREATE FUNCTION seeme.own_user_id(permission text) RETURNS uuid
LANGUAGE c STABLE STRICT PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'seeme_own_user_id';
COMMENT ON FUNCTION seeme.own_user_id(text) IS
  'seeme_user_id() where a person needs no role, for example as the owner of a row. NULL if the '
  'person is identified by an API key that does not hold the code in every organization.';

CREATE FUNCTION seeme.is_unidentified() RETURNS boolean
LANGUAGE c STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'seeme_is_unidentified';
COMMENT ON FUNCTION seeme.is_unidentified() IS
  'True if no person is identified. A person who was disabled after being identified still counts '
  'as identified.';

CREATE FUNCTION seeme.is_of_this_version() RETURNS boolean
LANGUAGE c STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'seeme_is_of_this_version';
COMMENT ON FUNCTION seeme.is_of_this_version() IS
  'Whether the library and the extension in this database have the same version. Until they do, '
  'the other functions of the library raise 55000.';

CREATE FUNCTION seeme.restoring() RETURNS boolean
LANGUAGE c STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'seeme_restoring';
COMMENT ON FUNCTION seeme.restoring() IS
  'True in a superuser''s session that restores a dump, while nobody is identified: either '
  'seeme_rbac.restoring is on, or row_security is off (as in the script of a dump) and '
  'seeme.in_use has no row. Rows are then taken as they are: nothing is derived, checked against '
  'rule 7 or logged. The built-in roles still follow the registered codes, and foreign keys are '
  'checked.';
