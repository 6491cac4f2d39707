/*
 * jwt.c: verifies one signed token (RFC 7519, in the compact form of RFC 7515) with one key (RFC
 * 7517).
 *
 * libcjose verifies signatures, and libjansson parses JSON. The rules of RFC 8725 are here: the
 * algorithm is the key's and never the token's, critical extensions are refused, no name occurs
 * twice, and everything has a maximum length.
 *
 * Owns no state. Must not read tables. Must not call what may throw in PostgreSQL while a library
 * holds memory, because the error would leak it.
 */
#include "postgres.h"

#include "common/string.h"
#include "fmgr.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/timestamp.h"

#include "identity/jwt.h"
#include "core/version.h"

/*
 * Include these after PostgreSQL's headers, which declare other things by the same names. The
 * server exports a json_object(), which libjansson's own callers would get. Neither this file nor
 * the functions of libcjose that it uses call that function.
 */
#define json_object jansson_json_object
#include <cjose/cjose.h>
#include <jansson.h>
#undef json_object

/* The last second of the year 9999, which a timestamp can hold. */
#define LAST_UNIX_TIME 253402300799.0

/* Shorter keys can be guessed or factored one day (RFC 7518, 3.2 and 3.3). */
#define MIN_RSA_BITS 2048
#define MIN_SECRET_BITS 256

/*
 * An ES256 signature is two numbers of 32 bytes (RFC 7518, 3.4). libcjose ignores what surrounds
 * them.
 */
#define ES256_SIGNATURE_LENGTH 86	/* digits of base64url */

/*
 * Whether a text from JSON, which is UTF-8, has the same bytes in this database. In another
 * encoding the bytes mean another text, perhaps the name of another user.
 */
static bool
is_same_here(const char *text)
{
	return GetDatabaseEncoding() == PG_UTF8 || GetDatabaseEncoding() == PG_SQL_ASCII ||
		pg_is_ascii(text);
}

/*
 * Reads the text of a member; *text is empty when it is absent. False: it is no text, is too
 * long, or would be another text in this database.
 */
static bool
get_text(json_t *object, const char *name, char *text, size_t size)
{
	json_t	   *member = json_object_get(object, name);
	size_t		length;

	text[		0] = '\0';

	if (member == NULL)
		return true;
	if (!json_is_string(member))
		return false;
	length = json_string_length(member);
	if (length == 0 || length >= size || !is_same_here(json_string_value(member)))
		return false;
	memcpy(text, json_string_value(member), length + 1);
	return true;
}

/* Reads a date: seconds since 1970, with fractions. False: it is there and is no date. */
static bool
get_time(json_t *object, const char *name, TimestampTz *time, TimestampTz if_absent)
{
	json_t	   *member = json_object_get(object, name);
	double		seconds;

	*time = if_absent;
	if (member == NULL)
		return true;
	if (!json_is_number(member))
		return false;
	seconds = json_number_value(member);
	if (!(seconds >= 0 && seconds <= LAST_UNIX_TIME))
		return false;
	*time = (TimestampTz) ((seconds -
							(double) (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * SECS_PER_DAY) *
						   USECS_PER_SEC);
	return true;
}

static bool
is_type_of_token(const char *type)
{
	if (pg_strncasecmp(type, "application/", 12) == 0)
		type += 12;
	return *type == '\0' || pg_strcasecmp(type, "JWT") == 0 || pg_strcasecmp(type, "at+jwt") == 0;
}

/*
 * Whether a text is base64url in its only canonical form (RFC 4648, 3.5): without padding or
 * stray bits.
 */
static bool
is_base64url(const char *text, size_t length)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	const int	stray_bits[] = {0, -1, 0xf, 0x3};	/* of the last digit */
	size_t		last = 0;

	for (size_t i = 0; i < length; i++)
	{
		const char *digit = text[i] == '\0' ? NULL : strchr(digits, text[i]);

		if (digit == NULL)
			return false;
		last = digit - digits;
	}
	return length > 0 && length % 4 != 1 && (last & stray_bits[length % 4]) == 0;
}

/*
 * Reads the header of a token, which nothing has verified yet. False: no key could verify the
 * token. It is malformed, unsigned, of another kind, or has critical extensions.
 */
bool
seeme_jwt_read_header(const char *token, size_t length, SeemeTokenHeader *header)
{
	const char *first;
	const char *second;
	uint8_t    *decoded = NULL;
	size_t		decoded_length;
	json_t	   *object;
	char		type[64];
	bool		fits;
	cjose_err	error;

	if (length > SEEME_MAX_TOKEN_LENGTH)
		return false;
	first = memchr(token, '.', length);
	second = first == NULL ? NULL : memchr(first + 1, '.', token + length - first - 1);

	/*
	 * Three parts, none of them empty. Without the third there is no signature, and with a fourth
	 * it is no JWS.
	 */
	if (second == NULL || !is_base64url(token, first - token) ||
		!is_base64url(first + 1, second - first - 1) ||
		!is_base64url(second + 1, token + length - second - 1))
		return false;

	if (!cjose_base64url_decode(token, first - token, &decoded, &decoded_length, &error))
		return false;
	object = json_loadb((const char *) decoded, decoded_length, JSON_REJECT_DUPLICATES, NULL);
	cjose_get_dealloc() (decoded);
	fits = json_is_object(object) &&
		get_text(object, "alg", header->algorithm, sizeof(header->algorithm)) &&
		get_text(object, "kid", header->kid, sizeof(header->kid)) &&
		get_text(object, "typ", type, sizeof(type)) &&
		is_type_of_token(type) &&
		json_object_get(object, "crit") == NULL &&
		json_object_get(object, "b64") == NULL &&
		json_object_get(object, "zip") == NULL;
	json_decref(object);
	return fits;
}

/* Whether a token is for an audience: its claim is this audience, or a list that has it. */
static bool
is_for(json_t *payload, const char *audience)
{
	json_t	   *member = json_object_get(payload, "aud");
	json_t	   *element;
	size_t		i;
	bool		found = false;

	if (json_is_string(member))
		return strcmp(json_string_value(member), audience) == 0;
	if (!json_is_array(member))
		return false;
	json_array_foreach(member, i, element)
	{
		if (!json_is_string(element))
			return false;
		found = found || strcmp(json_string_value(element), audience) == 0;
	}
	return found;
}

/*
 * Reads the claims of a verified payload. Returns what is wrong with it, or NULL. The caller
 * compares dates.
 */
static const char *
read_claims(json_t *payload, const SeemeTokenKey *key, SeemeClaims *claims)
{
	json_t	   *issuer;

	if (!json_is_object(payload))
		return "payload";
	issuer = json_object_get(payload, "iss");
	if (!json_is_string(issuer) || strcmp(json_string_value(issuer), key->issuer) != 0)
		return "issuer";
	if (!is_for(payload, key->audience))
		return "audience";
	if (!get_text(payload, "sub", claims->subject, sizeof(claims->subject)) ||
		claims->subject[0] == '\0')
		return "subject";
	if (!get_time(payload, "exp", &claims->expires_at, DT_NOBEGIN) ||
		claims->expires_at == DT_NOBEGIN)
		return "expiry";
	if (!get_time(payload, "nbf", &claims->not_before, DT_NOBEGIN))
		return "not before";
	/* An invalid "iat" counts as none. Only tokens_valid_from is compared with it. */
	(void) get_time(payload, "iat", &claims->issued_at, DT_NOBEGIN);
	return NULL;
}

/*
 * Verifies a token whose header seeme_jwt_read_header() accepted. Returns NULL and the claims; or
 * what is wrong with the token, in a word for the server's log.
 */
const char *
seeme_jwt_verify(const char *token, size_t length, const SeemeTokenKey *key, SeemeClaims *claims)
{
	cjose_err	error;
	cjose_jwk_t *jwk;
	cjose_jws_t *jws;
	uint8_t    *plaintext;
	size_t		plaintext_length;
	const char *wrong = "signature";
	const char *first = memchr(token, '.', length);
	const char *second = memchr(first + 1, '.', token + length - first - 1);

	if (strcmp(key->algorithm, CJOSE_HDR_ALG_ES256) == 0 &&
		token + length - second - 1 != ES256_SIGNATURE_LENGTH)
		return wrong;
	jwk = cjose_jwk_import(key->jwk, strlen(key->jwk), &error);
	if (jwk == NULL)
		return "key";
	jws = cjose_jws_import(token, length, &error);
	if (jws == NULL)
	{
		cjose_jwk_release(jwk);
		return "form";
	}
	if (cjose_jws_verify(jws, jwk, &error) &&
		cjose_jws_get_plaintext(jws, &plaintext, &plaintext_length, &error))
	{
		json_t	   *payload = json_loadb((const char *) plaintext, plaintext_length,
										 JSON_REJECT_DUPLICATES, NULL);

		wrong = read_claims(payload, key, claims);
		json_decref(payload);
	}
	cjose_jws_release(jws);
	cjose_jwk_release(jwk);
	return wrong;
}

/*
 * Reads claims that a trusted program in front of the database has put into a setting; false:
 * they are malformed.
 */
bool
seeme_jwt_read_foreign_claims(const char *json, SeemeRequestClaims *claims)
{
	json_t	   *object = json_loads(json, JSON_REJECT_DUPLICATES, NULL);
	bool		fits;

	fits = json_is_object(object) &&
		get_text(object, "iss", claims->issuer, sizeof(claims->issuer)) &&
		get_text(object, "sub", claims->subject, sizeof(claims->subject)) &&
		get_time(object, "exp", &claims->expires_at, DT_NOEND);
	if (fits)
		(void) get_time(object, "iat", &claims->issued_at, DT_NOBEGIN);
	json_decref(object);
	return fits;
}

/* Whether a JSON Web Key has a private part (RFC 7518, 6.2.2 and 6.3.2). */
static bool
has_private_part(json_t *key)
{
	const char *const names[] = {"d", "p", "q", "dp", "dq", "qi", "oth"};

	for (int i = 0; i < lengthof(names); i++)
		if (json_object_get(key, names[i]) != NULL)
			return true;
	return false;
}

/*
 * Whether the public exponent of an RSA key is odd and not 1. With exponent 1 every message is
 * its own signature.
 */
static bool
has_exponent(json_t *key)
{
	const char *text = json_string_value(json_object_get(key, "e"));
	uint8_t    *bytes = NULL;
	size_t		length;
	bool		fits = false;
	cjose_err	error;

	if (text == NULL || !cjose_base64url_decode(text, strlen(text), &bytes, &length, &error))
		return false;
	for (size_t i = 0; i < length; i++)
		fits = fits || bytes[i] > (i + 1 == length ? 1 : 0);
	fits = fits && bytes[length - 1] % 2 == 1;
	cjose_get_dealloc() (bytes);
	return fits;
}

/* What is wrong with a key for an algorithm, or NULL. */
static const char *
key_defect(const char *algorithm, const char *json)
{
	cjose_err	error;
	json_t	   *object = json_loads(json, JSON_REJECT_DUPLICATES, NULL);
	bool		is_private = has_private_part(object);
	bool		is_rsa = has_exponent(object);
	cjose_jwk_t *jwk;
	const char *defect = NULL;

	json_decref(object);
	if (is_private)
		return "it holds a private key, which belongs to the issuer alone";
	jwk = cjose_jwk_import(json, strlen(json), &error);
	if (jwk == NULL)
		return "it is no JSON Web Key";
	switch (cjose_jwk_get_kty(jwk, &error))
	{
		case CJOSE_JWK_KTY_EC:
			if (strcmp(algorithm, CJOSE_HDR_ALG_ES256) != 0 ||
				cjose_jwk_EC_get_curve(jwk, &error) != CJOSE_JWK_EC_P_256)
				defect = "ES256 takes a key of type EC on the curve P-256";
			break;
		case CJOSE_JWK_KTY_RSA:
			if (strcmp(algorithm, CJOSE_HDR_ALG_RS256) != 0 ||
				cjose_jwk_get_keysize(jwk, &error) < MIN_RSA_BITS)
				defect = "RS256 takes a key of type RSA of at least 2048 bits";
			else if (!is_rsa)
				defect = "its exponent is even or 1";
			break;
		case CJOSE_JWK_KTY_OCT:
			if (strcmp(algorithm, CJOSE_HDR_ALG_HS256) != 0 ||
				cjose_jwk_get_keysize(jwk, &error) < MIN_SECRET_BITS)
				defect = "HS256 takes a key of type oct of at least 256 bits";
			break;
		default:
			defect = "a key is of type EC, RSA or oct";
	}
	cjose_jwk_release(jwk);
	return defect;
}

/*
 * seeme.key_defect(algorithm text, jwk jsonb) RETURNS text
 */
SEEME_FUNCTION(seeme_key_defect, 2)
{
	char	   *algorithm = text_to_cstring(PG_GETARG_TEXT_PP(0));
	char	   *json = DatumGetCString(DirectFunctionCall1(jsonb_out, PG_GETARG_DATUM(1)));
	const char *defect = key_defect(algorithm, json);

	if (defect == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(defect));
}
