-- An application's own keys: the ids under which they are known here (src/functions/key_mapping.c).

-- A text literal is a text, and an integer an integer: seeme_uuid('user', '42') and
-- seeme_uuid('user', 42) are one id.
CREATE FUNCTION @extschema@.seeme_uuid(kind text, key text) RETURNS uuid
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'seeme_uuid_of_text';
COMMENT ON FUNCTION @extschema@.seeme_uuid(text, text) IS
  'The id under which an application''s own key is known here. A text that is an integer gives '
  'the integer''s id, one that is a uuid gives that uuid, other text a UUID of version 8 made by '
  'SHA-256 of kind and key. Kinds: user, organization, team, project, or a resource type.';

CREATE FUNCTION @extschema@.seeme_uuid(kind text, key bigint) RETURNS uuid
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'seeme_uuid_of_integer';
COMMENT ON FUNCTION @extschema@.seeme_uuid(text, bigint) IS
  'The id under which an application''s own integer key is known here: a UUID of version 8 with '
  'the integer in it. Kinds: user, organization, team, project, or a resource type.';

CREATE FUNCTION seeme.integer_of_uuid(kind text, id uuid) RETURNS bigint
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'seeme_integer_of_uuid';
COMMENT ON FUNCTION seeme.integer_of_uuid(text, uuid) IS
  'The integer key whose id seeme_uuid made of it; null for any other id';
