-- Who is asking, by a secret of theirs: an API key or a signed token (src/functions/login.c).

CREATE FUNCTION seeme.login_by_key(user_id uuid, key_id uuid, for_session boolean) RETURNS void
LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'seeme_login_by_key';
COMMENT ON FUNCTION seeme.login_by_key(uuid, uuid, boolean) IS
  'From now until the end of this transaction (or session), user_id is asking, narrowed by an API key. For the extension''s own functions.';

CREATE FUNCTION seeme.login_by_token(token text, for_session boolean) RETURNS uuid
LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'seeme_login_by_token';
COMMENT ON FUNCTION seeme.login_by_token(text, boolean) IS
  'From now until the end of this transaction (or session), the subject of a signed token is asking. For the extension''s own functions.';

-- Two functions, and no default: a function of one argument that somebody else made would be the better match.
CREATE FUNCTION @extschema@.seeme_login(token text, for_session boolean) RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  key seeme.api_keys;
BEGIN
  IF NOT starts_with(token, 'seeme_key_') THEN
    RETURN seeme.login_by_token(token, coalesce(for_session, false));
  END IF;
  SELECT k.* INTO key FROM seeme.api_keys k
   WHERE k.key_hash = sha256(convert_to(seeme_login.token, 'UTF8')) AND coalesce(clock_timestamp() < k.expires_at, true);
  -- An unknown key goes to nobody, and so to the same error.
  PERFORM seeme.login_by_key(key.user_id, key.id, coalesce(for_session, false));
  PERFORM seeme.note_key_use(key.id);
  RETURN key.user_id;
END $$;
COMMENT ON FUNCTION @extschema@.seeme_login(text, boolean) IS
  'As seeme_login(token); with for_session until the session ends, where seeme_rbac.session_login allows that (42501 otherwise).';

CREATE FUNCTION @extschema@.seeme_login(token text) RETURNS uuid
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
RETURN @extschema@.seeme_login(token, false);
COMMENT ON FUNCTION @extschema@.seeme_login(text) IS
  'From now until the end of this transaction the person whom a signed token, or an API key (as far as it goes), names is asking. Once per transaction; whatever is wrong with the token, key or person, and a second identity, are the same error (28000). Give the token as a bind parameter: query texts can be read in pg_stat_activity.';

CREATE FUNCTION @extschema@.seeme_logout() RETURNS void
LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'seeme_logout';
COMMENT ON FUNCTION @extschema@.seeme_logout() IS
  'Ends a login for the session. DISCARD ALL and RESET ALL do, too. An identity of the transaction goes on to its end.';
