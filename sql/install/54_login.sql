-- Logins by a secret: an API key or a signed token (src/functions/login.c).

CREATE FUNCTION seeme.login_by_key(user_id uuid, key_id uuid, for_session boolean) RETURNS void
LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'seeme_login_by_key';
COMMENT ON FUNCTION seeme.login_by_key(uuid, uuid, boolean) IS
  'Names user_id as the asking person, limited to an API key, until the transaction (or the '
  'session) ends. Only for the extension''s own functions.';

CREATE FUNCTION seeme.login_by_token(token text, for_session boolean) RETURNS uuid
LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'seeme_login_by_token';
COMMENT ON FUNCTION seeme.login_by_token(text, boolean) IS
  'Names the subject of a signed token as the asking person until the transaction (or the session) '
  'ends. Only for the extension''s own functions.';

-- Two functions, not one with a default: for a call with one argument, another role's function of
-- exactly one argument would be the better match.
CREATE FUNCTION @extschema@.seeme_login(token text, for_session boolean) RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  key seeme.api_keys;
BEGIN
  IF NOT starts_with(token, 'seeme_key_') THEN
    RETURN seeme.login_by_token(token, coalesce(for_session, false));
  END IF;
  SELECT k.* INTO key FROM seeme.api_keys k
   WHERE k.key_hash = sha256(convert_to(seeme_login.token, 'UTF8'))
     AND coalesce(clock_timestamp() < k.expires_at, true);
  -- For an unknown key the ids are null: login_by_key raises the same error as for a disabled
  -- person.
  PERFORM seeme.login_by_key(key.user_id, key.id, coalesce(for_session, false));
  PERFORM seeme.note_key_use(key.id);
  RETURN key.user_id;
END $$;
COMMENT ON FUNCTION @extschema@.seeme_login(text, boolean) IS
  'As seeme_login(token). With for_session the login lasts until the session ends, if '
  'seeme_rbac.session_login allows that (42501 otherwise).';

CREATE FUNCTION @extschema@.seeme_login(token text) RETURNS uuid
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
RETURN @extschema@.seeme_login(token, false);
COMMENT ON FUNCTION @extschema@.seeme_login(text) IS
  'Names the asking person until the transaction ends, by a signed token or an API key. An API key '
  'also limits what they may do. A transaction names one person. A second one is an error, and so '
  'is anything wrong with the token, the key or the person: always the same error (28000). Give '
  'the token as a bind parameter: query texts can be read in pg_stat_activity.';

CREATE FUNCTION @extschema@.seeme_logout() RETURNS void
LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'seeme_logout';
COMMENT ON FUNCTION @extschema@.seeme_logout() IS
  'Ends a login for the session, as DISCARD ALL and RESET ALL do. An identity of the transaction '
  'stays until the transaction ends.';
