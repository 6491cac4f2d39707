/*
 * slug.c: what a name is as a slug, and which slug a new row gets.
 *
 * A slug is unique: among a table's rows in one organization, or everywhere (organizations). One
 * that is not given is made from the name, with a number when taken.
 *
 * Two sessions may make the same one at once. Whoever makes a slug looks at rows that are not
 * committed yet, too, and takes the next number: nobody waits for another transaction (names.c). A
 * transaction that rolls back leaves a number unused.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/stratnum.h"
#include "catalog/namespace.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "common/unicode_norm.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "core/version.h"
#include "rules/names.h"
#include "rules/rows.h"
#include "rules/slug.h"

/* A made slug is at most so long, without its number; a given one with all it has. */
#define MAX_BASE 50
#define MAX_SLUG 63

/* Letters without their accents: decomposed, and the marks left out. */
static char *
without_accents(const char *name)
{
	int			length = strlen(name);
	pg_wchar   *wide = palloc(sizeof(pg_wchar) * (length + 1));
	pg_wchar   *normal;
	char	   *ascii;
	int			n = 0;

	pg_mb2wchar_with_len(name, wide, length);
	normal = unicode_normalize(UNICODE_NFKD, wide);
	for (length = 0; normal[length] != 0; length++)
		;
	ascii = palloc(length + 1);
	for (int i = 0; i < length; i++)
		if (normal[i] < 0x300 || normal[i] > 0x36F)
			ascii[n++] = normal[i] < 0x80 ? (char) normal[i] : ' ';
	ascii[n] = '\0';
	return ascii;
}

/*
 * A name as a slug: lower-case letters without accents, digits, and single hyphens, at most 50; the
 * fallback when nothing is left.
 */
char *
seeme_slug_base(const char *name, const char *fallback)
{
	char	   *slug = palloc(MAX_BASE + 1);
	int			n = 0;
	bool		is_ascii = true;

	for (const char *c = name; *c != '\0' && is_ascii; c++)
		is_ascii = !IS_HIGHBIT_SET(*c);
	if (!is_ascii && GetDatabaseEncoding() == PG_UTF8)
		name = without_accents(name);
	for (const char *c = name; *c != '\0' && n < MAX_BASE; c++)
	{
		if (*c >= 'A' && *c <= 'Z')
			slug[n++] = *c - 'A' + 'a';
		else if ((*c >= 'a' && *c <= 'z') || (*c >= '0' && *c <= '9'))
			slug[n++] = *c;
		else if (n > 0 && slug[n - 1] != '-')
			slug[n++] = '-';
	}
	while (n > 0 && slug[n - 1] == '-')
		n--;
	slug[n] = '\0';
	return n > 0 ? slug : fallback == NULL ? NULL : pstrdup(fallback);
}

/*
 * seeme.slug_base(name, fallback text) RETURNS text
 */
SEEME_FUNCTION(seeme_slug_base_of, 2)
{
	char	   *fallback = PG_ARGISNULL(1) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(1));
	char	   *slug = PG_ARGISNULL(0) ? fallback :
		seeme_slug_base(text_to_cstring(PG_GETARG_TEXT_PP(0)), fallback);

	if (slug == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(slug));
}

static bool
is_slug(const char *text)
{
	bool		after_hyphen = true;
	int			n = 0;

	for (; text[n] != '\0'; n++)
	{
		if (text[n] == '-' && after_hyphen)
			return false;
		after_hyphen = text[n] == '-';
		if (!after_hyphen && !(text[n] >= 'a' && text[n] <= 'z') &&
			!(text[n] >= '0' && text[n] <= '9'))
			return false;
	}
	return n > 0 && n <= MAX_SLUG && !after_hyphen;
}

/*
 * Whether another row has a slug. One that is only being added counts where `uncommitted` says so.
 */
static bool
is_taken(const SeemeSlugPlace *place, const char *slug, bool uncommitted)
{
	ScanKeyData keys[2];
	int			nkeys = 0;
	SnapshotData snapshot;
	SysScanDesc scan;
	HeapTuple	row;
	bool		taken = false;

	if (place->organization != NULL)
		ScanKeyInit(&keys[nkeys++], place->organization_column, BTEqualStrategyNumber, F_UUID_EQ,
					UUIDPGetDatum(place->organization));
	ScanKeyEntryInitialize(&keys[nkeys++], 0, place->slug_column, BTEqualStrategyNumber, InvalidOid,
						   DEFAULT_COLLATION_OID,
						   F_TEXTEQ, CStringGetTextDatum(slug));
	InitDirtySnapshot(snapshot);
	scan = systable_beginscan(place->table, place->index, true, &snapshot, nkeys, keys);
	while (!taken && HeapTupleIsValid(row = systable_getnext(scan)))
	{
		bool		isnull;
		Datum		id = heap_getattr(row, place->id_column, RelationGetDescr(place->table),
									  &isnull);

		taken = (uncommitted || !TransactionIdIsValid(snapshot.xmin)) &&
			(place->id == NULL || !seeme_uuid_equal(DatumGetUUIDP(id), place->id));
	}
	systable_endscan(scan);
	return taken;
}

/* How far the numbers of a name have come in this statement. */
typedef struct NumberedName
{
	struct
	{
		pg_uuid_t	organization;
		char		base[MAX_SLUG + 1];
	}			key;
	int			number;
} NumberedName;

#define MAX_NUMBERED_NAMES 10000

static NumberedName *
find_numbered(SeemeSlugPlace *place, const char *base, HASHACTION action)
{
	NumberedName key;

	if (place->numbered == NULL || (action == HASH_ENTER &&
									hash_get_num_entries(place->numbered) > MAX_NUMBERED_NAMES))
	{
		HASHCTL		control = {.keysize = sizeof(key.key), .entrysize = sizeof(NumberedName),
							   .hcxt = place->context};

		if (action == HASH_FIND)
			return NULL;
		if (place->numbered != NULL)
			hash_destroy(place->numbered);
		place->numbered = hash_create("seeme_rbac numbered names", 64, &control,
									  HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	}
	memset(&key, 0, sizeof(key));
	if (place->organization != NULL)
		key.key.organization = *place->organization;
	strlcpy(key.key.base, base, sizeof(key.key.base));
	return hash_search(place->numbered, &key.key, action, NULL);
}

/* A slug made from the name: the name's own, or the first one with a number that is free. */
static char *
make_slug(SeemeSlugPlace *place, const char *base)
{
	const NumberedName *known;
	int			number = 1;
	char	   *slug = pstrdup(base);

	seeme_lock_name(RelationGetRelid(place->table), place->organization, base);
	known = find_numbered(place, base, HASH_FIND);
	if (known != NULL)
	{
		number = known->number + 1;
		slug = psprintf("%s-%d", base, number);
	}
	while (is_taken(place, slug, true))
	{
		CHECK_FOR_INTERRUPTS();
		pfree(slug);
		slug = psprintf("%s-%d", base, ++number);
	}
	if (number > 1)
		find_numbered(place, base, HASH_ENTER)->number = number;
	return slug;
}

/*
 * The slug of a row: the one given (NULL: none), else as it was (NULL: a new row), else made from
 * the name. Throws 23514 for one that is not valid, 23505 for one that is taken.
 */
char *
seeme_settle_slug(SeemeSlugPlace *place, const char *kind, const char *name, char *given,
				  char *former)
{
	const char *table = RelationGetRelationName(place->table);

	if (given == NULL || name == NULL || (former != NULL && strcmp(given, former) == 0))
	{
		if (given != NULL || former != NULL)
			return given != NULL ? given : former;
		return name == NULL ? pstrdup(kind) : make_slug(place, seeme_slug_base(name, kind));
	}
	if (!is_slug(given))
		ereport(ERROR,
				(errcode(ERRCODE_CHECK_VIOLATION),
				 errmsg("\"%s\" is not a slug",
						pnstrdup(given, pg_mbcharcliplen(given, strlen(given), 100))),
				 errhint("Lower-case letters, digits and single hyphens, at most 63: \"%s\".",
						 seeme_slug_base(given, kind))));
	if (is_taken(place, given, false))
		ereport(ERROR,
				(errcode(ERRCODE_UNIQUE_VIOLATION),
				 errmsg("the slug \"%s\" is taken", given),
				 errhint("Choose another, or leave it out to have one made from the name."),
				 err_generic_string(PG_DIAG_SCHEMA_NAME, "seeme"),
				 err_generic_string(PG_DIAG_TABLE_NAME, table),
				 err_generic_string(PG_DIAG_CONSTRAINT_NAME, psprintf("%s_slug_key", table))));
	return given;
}
