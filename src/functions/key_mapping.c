/*
 * key_mapping.c: seeme_uuid: the ids under which an application's own keys are known here.
 *
 * Owns the layout of these ids, and its inverse for integers. Reads no table: the functions are
 * immutable. Must not know who asks.
 *
 * They are UUIDs of version 8 (RFC 9562), which no generator of random ids makes. Of the 122 bits
 * that are free there
 *
 *   - an integer has 48 bits of SHA-256 over its kind, ten zeros, and the integer's own 64 bits:
 *     42 of a kind ends in 8000-800000000002a, with a hyphen elsewhere;
 *   - other text has 122 bits of SHA-256 over the kind, a zero byte, and the text.
 *
 * A kind has no zero byte, so that no two pairs of kind and text are hashed alike.
 */
#include "postgres.h"

#include "common/cryptohash.h"
#include "common/sha2.h"
#include "mb/pg_wchar.h"
#include "port/pg_bswap.h"
#include "utils/builtins.h"
#include "utils/uuid.h"

#include "core/uuid_hash.h"
#include "core/version.h"

/* The bytes of a UUID that hold its version and its variant. */
#define VERSION_BYTE 6
#define VARIANT_BYTE 8

#define UUID_TEXT_LENGTH 36

/* Somebody who writes one of these means its singular. */
static const char *const plurals[] = {"users", "organizations", "teams", "projects"};

/*
 * Generated columns and indexes call this function: while a dump is loaded, before a resource type
 * is registered, and after seeme_unprotect took the type away. So any name that a resource type can
 * have is a kind, and no table is asked. seeme_protect compares a column's kind with its parameter.
 */
static bool
is_kind(const char *name, int length)
{
	if (length < 1 || length >= NAMEDATALEN || name[0] < 'a' || name[0] > 'z')
		return false;
	for (int i = 1; i < length; i++)
		if (!((name[i] >= 'a' && name[i] <= 'z') || (name[i] >= '0' && name[i] <= '9') ||
			  name[i] == '_'))
			return false;
	for (int i = 0; i < lengthof(plurals); i++)
		if (strlen(plurals[i]) == length && memcmp(plurals[i], name, length) == 0)
			return false;
	return true;
}

static void
check_kind(text *kind)
{
	const char *name = VARDATA_ANY(kind);
	int			length = VARSIZE_ANY_EXHDR(kind);

	if (is_kind(name, length))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("\"%s\" is not a kind of key", pnstrdup(name, pg_mbcliplen(name, length, 100))),
			 errhint("Kinds are user, organization, team, project, and the resource types in "
					 "seeme.resource_types.")));
}

/* SHA-256 over the kind, and, where there is one, a zero byte and a key. */
static void
hash(text *kind, const char *key, int length, uint8 *digest)
{
	static const uint8 separator = 0;
	pg_cryptohash_ctx *context = pg_cryptohash_create(PG_SHA256);

	if (pg_cryptohash_init(context) < 0 ||
		pg_cryptohash_update(context, (const uint8 *) VARDATA_ANY(kind),
							 VARSIZE_ANY_EXHDR(kind)) < 0 ||
		(key != NULL && (pg_cryptohash_update(context, &separator, 1) < 0 ||
						 pg_cryptohash_update(context, (const uint8 *) key, length) < 0)) ||
		pg_cryptohash_final(context, digest, PG_SHA256_DIGEST_LENGTH) < 0)
		elog(ERROR, "could not compute SHA-256: %s", pg_cryptohash_error(context));
	pg_cryptohash_free(context);
}

static void
set_version(pg_uuid_t *id)
{
	id->data[VERSION_BYTE] = (id->data[VERSION_BYTE] & 0x0f) | 0x80;
	id->data[VARIANT_BYTE] = (id->data[VARIANT_BYTE] & 0x3f) | 0x80;
}

/*
 * The first six bytes of the ids that integers of a kind have. Kinds are few, and asked for one
 * after another.
 */
static const uint8 *
prefix_of(text *kind)
{
	static char last[64];
	static int	last_length = -1;
	static uint8 digest[PG_SHA256_DIGEST_LENGTH];
	int			length = VARSIZE_ANY_EXHDR(kind);

	if (length == last_length && memcmp(last, VARDATA_ANY(kind), length) == 0)
		return digest;
	last_length = -1;
	hash(kind, NULL, 0, digest);
	if (length <= sizeof(last))
	{
		memcpy(last, VARDATA_ANY(kind), length);
		last_length = length;
	}
	return digest;
}

static pg_uuid_t *
map_integer(text *kind, int64 key)
{
	pg_uuid_t  *id = palloc(sizeof(pg_uuid_t));
	uint64		low = pg_hton64((uint64) key);

	memcpy(id->data, prefix_of(kind), VERSION_BYTE);
	id->data[VERSION_BYTE] = 0;
	id->data[VERSION_BYTE + 1] = (uint8) ((uint64) key >> 62);
	memcpy(id->data + VARIANT_BYTE, &low, sizeof(low));
	set_version(id);
	return id;
}

/*
 * Whether a text is an integer as PostgreSQL writes it, and which: no sign but a minus, no leading
 * zero, no space.
 */
static bool
is_integer(const char *key, int length, int64 *integer)
{
	bool		is_negative = length > 0 && key[0] == '-';
	const char *digits = key + is_negative;
	int			ndigits = length - is_negative;
	uint64		value = 0;
	uint64		limit = (uint64) PG_INT64_MAX + is_negative;

	if (ndigits < 1 || ndigits > 19 || (digits[0] == '0' && (ndigits > 1 || is_negative)))
		return false;
	for (int i = 0; i < ndigits; i++)
	{
		if (digits[i] < '0' || digits[i] > '9')
			return false;
		value = value * 10 + (digits[i] - '0');
	}
	if (value > limit)
		return false;
	*integer = is_negative ? (int64) (0 - value) : (int64) value;
	return true;
}

/* Whether a text is a UUID in its standard form, in letters of either case, and which. */
static bool
is_uuid(const char *key, int length, pg_uuid_t *id)
{
	int			n = 0;

	if (length != UUID_TEXT_LENGTH)
		return false;
	for (int i = 0; i < length; i++)
	{
		char		c = key[i];
		int			digit;

		if (i == 8 || i == 13 || i == 18 || i == 23)
		{
			if (c != '-')
				return false;
			continue;
		}
		if (c >= '0' && c <= '9')
			digit = c - '0';
		else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
			digit = (c | 0x20) - 'a' + 10;
		else
			return false;
		if (n % 2 == 0)
			id->data[n / 2] = digit << 4;
		else
			id->data[n / 2] |= digit;
		n++;
	}
	return true;
}

/*
 * seeme_uuid(kind text, key bigint) RETURNS uuid
 */
SEEME_FUNCTION(seeme_uuid_of_integer, 2)
{
	text	   *kind = PG_GETARG_TEXT_PP(0);

	check_kind(kind);
	PG_RETURN_UUID_P(map_integer(kind, PG_GETARG_INT64(1)));
}

/*
 * seeme_uuid(kind, key text) RETURNS uuid
 */
SEEME_FUNCTION(seeme_uuid_of_text, 2)
{
	text	   *kind = PG_GETARG_TEXT_PP(0);
	text	   *key = PG_GETARG_TEXT_PP(1);
	const char *chars = VARDATA_ANY(key);
	int			length = VARSIZE_ANY_EXHDR(key);
	uint8		digest[PG_SHA256_DIGEST_LENGTH];
	pg_uuid_t  *id;
	int64		integer;

	check_kind(kind);
	if (is_integer(chars, length, &integer))
		PG_RETURN_UUID_P(map_integer(kind, integer));
	id = palloc(sizeof(pg_uuid_t));
	if (!is_uuid(chars, length, id))
	{
		hash(kind, chars, length, digest);
		memcpy(id->data, digest, UUID_LEN);
		set_version(id);
	}
	PG_RETURN_UUID_P(id);
}

/*
 * seeme.integer_of_uuid(kind text, id uuid) RETURNS bigint
 *
 * NULL for what is no id of an integer of that kind.
 */
SEEME_FUNCTION(seeme_integer_of_uuid, 2)
{
	text	   *kind = PG_GETARG_TEXT_PP(0);
	pg_uuid_t  *id = PG_GETARG_UUID_P(1);
	uint64		low;
	int64		key;

	check_kind(kind);
	memcpy(&low, id->data + VARIANT_BYTE, sizeof(low));
	low = (pg_ntoh64(low) & ~(UINT64CONST(3) << 62)) |
		((uint64) (id->data[VERSION_BYTE + 1] & 3) << 62);
	key = (int64) low;
	if (!seeme_uuid_equal(map_integer(kind, key), id))
		PG_RETURN_NULL();
	PG_RETURN_INT64(key);
}
