-- Signed tokens (JWT): the keys that verify them, and the users that their subjects stand for.
-- src/functions/login.c reads both tables.

CREATE TABLE seeme.token_keys (
  id           uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  kid          text NOT NULL DEFAULT '',
  issuer       text NOT NULL CHECK (issuer <> ''),
  audience     text NOT NULL CHECK (audience <> ''),
  algorithm    text NOT NULL,
  jwk          jsonb NOT NULL,
  subject_kind text NOT NULL DEFAULT 'user_id'
    CHECK (subject_kind IN ('user_id', 'external_identity')),
  valid_from   timestamptz,
  valid_until  timestamptz,
  created_at   timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT token_keys_from_before_until CHECK (valid_from < valid_until),
  CONSTRAINT token_keys_issuer_audience_kid_key UNIQUE (issuer, audience, kid)
);
CREATE INDEX token_keys_kid_idx ON seeme.token_keys (kid);
COMMENT ON TABLE seeme.token_keys IS
  'The keys that seeme_login verifies signed tokens with. Only the extension''s owner may write '
  'it: a role that can write it can be anybody.';
COMMENT ON COLUMN seeme.token_keys.id IS 'Unique id';
COMMENT ON COLUMN seeme.token_keys.kid IS
  'The key''s id, as the header of a token names it; empty: for tokens that name none';
COMMENT ON COLUMN seeme.token_keys.issuer IS 'What a token''s iss has to be';
COMMENT ON COLUMN seeme.token_keys.audience IS 'What a token''s aud has to be, or to contain';
COMMENT ON COLUMN seeme.token_keys.algorithm IS
  'ES256, RS256 or HS256. The key''s algorithm decides, not the one that a token names.';
COMMENT ON COLUMN seeme.token_keys.jwk IS
  'The key as a JSON Web Key (RFC 7517): the public half, or the shared secret of HS256';
COMMENT ON COLUMN seeme.token_keys.subject_kind IS
  'What a token''s sub is: user_id (the id of a user), or external_identity (looked up with the '
  'issuer in seeme.external_identities)';
COMMENT ON COLUMN seeme.token_keys.valid_from IS
  'The first instant at which it counts; null: since ever';
COMMENT ON COLUMN seeme.token_keys.valid_until IS
  'The first instant at which it no longer counts; null: never';
COMMENT ON COLUMN seeme.token_keys.created_at IS 'When it was added';

CREATE FUNCTION seeme.key_defect(algorithm text, jwk jsonb) RETURNS text
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'seeme_key_defect';
COMMENT ON FUNCTION seeme.key_defect(text, jsonb) IS
  'Why a JSON Web Key cannot be used with an algorithm; null if it can';

CREATE FUNCTION seeme.check_token_key() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  defect text;
BEGIN
  IF NEW.algorithm NOT IN ('ES256', 'RS256', 'HS256') THEN
    RAISE EXCEPTION 'algorithm "%" is not supported', left(NEW.algorithm, 20)
      USING ERRCODE = 'invalid_parameter_value', HINT = 'It is one of ES256, RS256 and HS256.';
  END IF;
  defect := seeme.key_defect(NEW.algorithm, NEW.jwk);
  IF defect IS NOT NULL THEN
    RAISE EXCEPTION 'this key cannot verify tokens: %', defect
      USING ERRCODE = 'invalid_parameter_value';
  END IF;
  RETURN NEW;
END $$;
COMMENT ON FUNCTION seeme.check_token_key() IS
  'Trigger: a key fits its algorithm, is long enough and is not a private key';
CREATE TRIGGER check_key BEFORE INSERT OR UPDATE ON seeme.token_keys
  FOR EACH ROW EXECUTE FUNCTION seeme.check_token_key();

CREATE TABLE seeme.external_identities (
  issuer     text NOT NULL CHECK (issuer <> ''),
  subject    text NOT NULL CHECK (subject <> '' AND octet_length(subject) <= 255),
  user_id    uuid NOT NULL REFERENCES seeme.users (id) ON DELETE CASCADE,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (issuer, subject)
);
CREATE INDEX external_identities_user_id_idx ON seeme.external_identities (user_id);
COMMENT ON TABLE seeme.external_identities IS
  'Which user an issuer means by a subject. Only the extension''s owner may write it, and the '
  'roles that the owner grants this to: a role that can write it can be anybody.';
COMMENT ON COLUMN seeme.external_identities.issuer IS
  'Who names the person: the iss of tokens, or system_user:METHOD for connections that pg_hba.conf '
  'authenticates by that method';
COMMENT ON COLUMN seeme.external_identities.subject IS
  'How the issuer names the person: the sub of tokens, or the name in SYSTEM_USER';
COMMENT ON COLUMN seeme.external_identities.user_id IS 'The person';
COMMENT ON COLUMN seeme.external_identities.created_at IS 'When it was added';

-- An identified person neither sees nor writes these tables. A provisioning role uses its
-- privileges on seeme.external_identities while nobody is identified.
ALTER TABLE seeme.token_keys ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE seeme.external_identities ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY seeme_provision ON seeme.external_identities FOR ALL
  USING (seeme.is_unidentified()) WITH CHECK (seeme.is_unidentified());

CREATE FUNCTION @extschema@.seeme_import_jwks(
  jwks jsonb, issuer text, audience text, algorithm text = NULL, subject_kind text = 'user_id',
  valid_from timestamptz = NULL, valid_until timestamptz = NULL)
RETURNS integer
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
<<import>>
DECLARE
  jwk   jsonb;
  name  text;
  type  text;
  kids  text[] := ARRAY[]::text[];
BEGIN
  IF issuer IS NULL OR audience IS NULL
     OR jsonb_typeof(jwks -> 'keys') IS DISTINCT FROM 'array' THEN
    RAISE EXCEPTION 'a key set has an issuer, an audience and a list of keys'
      USING ERRCODE = 'invalid_parameter_value', HINT = 'A JSON Web Key Set is {"keys": [...]}.';
  END IF;
  FOR jwk IN SELECT k.value FROM jsonb_array_elements(jwks -> 'keys') AS k (value) LOOP
    CONTINUE WHEN coalesce(jwk ->> 'use', 'sig') <> 'sig';
    name := coalesce(jwk ->> 'kid', '');
    type := coalesce(jwk ->> 'alg', seeme_import_jwks.algorithm,
                     CASE jwk ->> 'kty'
                       WHEN 'EC' THEN CASE jwk ->> 'crv' WHEN 'P-256' THEN 'ES256' END
                       WHEN 'RSA' THEN 'RS256' END);
    IF type IS NULL OR type NOT IN ('ES256', 'RS256', 'HS256') THEN
      RAISE NOTICE 'key "%" is left out: its algorithm is not supported', left(name, 100)
        USING HINT = 'Supported are ES256, RS256 and HS256.';
      CONTINUE;
    END IF;
    IF name = ANY (kids) THEN
      RAISE EXCEPTION 'two keys have the kid "%"', left(name, 100)
        USING ERRCODE = 'unique_violation';
    END IF;
    kids := kids || name;
    INSERT INTO seeme.token_keys (kid, issuer, audience, algorithm, jwk, subject_kind,
                                  valid_from, valid_until)
    VALUES (name, seeme_import_jwks.issuer, seeme_import_jwks.audience, type, import.jwk,
            seeme_import_jwks.subject_kind, seeme_import_jwks.valid_from,
            seeme_import_jwks.valid_until)
    ON CONFLICT ON CONSTRAINT token_keys_issuer_audience_kid_key DO UPDATE
      SET algorithm = excluded.algorithm, jwk = excluded.jwk, subject_kind = excluded.subject_kind,
          valid_from = excluded.valid_from, valid_until = excluded.valid_until;
  END LOOP;
  IF cardinality(kids) = 0 THEN
    RAISE EXCEPTION 'the set has no key that tokens could be verified with'
      USING ERRCODE = 'invalid_parameter_value',
            HINT = 'The present keys stay. To distrust an issuer, delete its keys from '
                   'seeme.token_keys.';
  END IF;
  DELETE FROM seeme.token_keys k
   WHERE k.issuer = seeme_import_jwks.issuer AND k.audience = seeme_import_jwks.audience
     AND k.kid <> ALL (kids);
  RETURN cardinality(kids);
END $$;
COMMENT ON FUNCTION @extschema@.seeme_import_jwks(
  jsonb, text, text, text, text, timestamptz, timestamptz) IS
  'Replaces the keys of an issuer and audience by the signing keys of a JSON Web Key Set: adds and '
  'updates those in the set, and removes the others. A key''s algorithm is its alg, else the '
  'argument, else the one that its type implies. Returns the number of keys. Only for the '
  'extension''s owner. Raises 22023 for a set or a key that cannot verify tokens.';

SELECT pg_extension_config_dump('seeme.token_keys', '');
SELECT pg_extension_config_dump('seeme.external_identities', '');
