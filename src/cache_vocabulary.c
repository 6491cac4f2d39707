/*
 * cache_vocabulary.c: the part of the cache that is the same for everybody and everywhere: the registered codes, sets of them,
 * what each role covers, the resource types.
 */
#include "postgres.h"

#include "utils/hsearch.h"
#include "utils/memutils.h"

#include "cache.h"
#include "cache_parts.h"
#include "changes.h"

/* More sets than this are looked for too long. */
#define MAX_SETS 4096

typedef struct CachedRole
{
	pg_uuid_t	id;
	SeemeSet	set;
} CachedRole;

/* In seeme_vocabulary_context */
static int	ncodes = 0;
static int	nwords = 0;
static char **codes = NULL;		/* sorted */
static uint64 *set_words = NULL;	/* nwords a set */
static uint32 nsets = 0;
static uint32 sets_size = 0;
static HTAB *roles = NULL;
static List *types = NIL;		/* of char *: names of resource types */

/* The codes that were looked for last, by a few of their characters: an application has few, and asks for them time and again. */
#define NRECENT_CODES 16
#define MAX_RECENT_LENGTH 44
static struct
{
	int			length;			/* 0: none */
	int			number;
	char		code[MAX_RECENT_LENGTH];
}			recent_codes[NRECENT_CODES];

void
seeme_vocabulary_forget(void)
{
	codes = NULL;
	ncodes = nwords = 0;
	memset(recent_codes, 0, sizeof(recent_codes));
	set_words = NULL;
	nsets = sets_size = 0;
	roles = NULL;
	types = NIL;
	MemoryContextReset(seeme_vocabulary_context);
}

/* Codes */

int
seeme_cache_ncodes(void)
{
	return ncodes;
}

int
seeme_cache_nwords(void)
{
	return nwords;
}

const char *
seeme_cache_code(int code)
{
	return codes[code];
}

/* The registered concrete codes, sorted. From then on there are sets; the empty one first. */
void
seeme_cache_set_codes(int n, char **sorted)
{
	MemoryContext old = MemoryContextSwitchTo(seeme_vocabulary_context);
	char	  **copy = palloc(sizeof(char *) * Max(n, 1));
	uint64	   *none;

	for (int i = 0; i < n; i++)
		copy[i] = pstrdup(sorted[i]);
	MemoryContextSwitchTo(old);
	codes = copy;
	ncodes = n;
	nwords = Max((n + 63) / 64, 1);
	nsets = 1;					/* number 0 is none */
	none = palloc0(sizeof(uint64) * nwords);
	(void) seeme_cache_intern(none);
	pfree(none);
}

static int
recent_place(const char *code, int length)
{
	return (length + code[0] * 3 + code[length / 2] * 5 + code[length - 1] * 7) % NRECENT_CODES;
}

/* The number of a code that was found not long ago; else -1. */
int
seeme_cache_recall_code(const char *code, int length)
{
	int			place;

	if (length <= 0 || length > MAX_RECENT_LENGTH)
		return -1;
	place = recent_place(code, length);
	return recent_codes[place].length == length && memcmp(recent_codes[place].code, code, length) == 0 ?
		recent_codes[place].number : -1;
}

/* The number of a code; -1 when it is not registered. */
int
seeme_cache_find_code(const char *code)
{
	int			low = 0;
	int			high = ncodes - 1;
	int			length = strlen(code);

	while (low <= high)
	{
		int			middle = (low + high) / 2;
		int			order = strcmp(code, codes[middle]);

		if (order == 0)
		{
			if (length > 0 && length <= MAX_RECENT_LENGTH)
			{
				int			place = recent_place(code, length);

				recent_codes[place].length = length;
				recent_codes[place].number = middle;
				memcpy(recent_codes[place].code, code, length);
			}
			return middle;
		}
		if (order < 0)
			high = middle - 1;
		else
			low = middle + 1;
	}
	return -1;
}

/* Sets. There are few: as many as there are combinations of roles. */

/* The words of all sets, nwords a set. */
const uint64 *
seeme_cache_words(void)
{
	return set_words;
}

const uint64 *
seeme_cache_set(SeemeSet set)
{
	return set_words + (Size) set * nwords;
}

/* Whoever adds many at once stops then: with every project's members under another role there is no end to them. */
bool
seeme_cache_has_too_many_sets(void)
{
	return nsets > MAX_SETS;
}

SeemeSet
seeme_cache_intern(const uint64 *words)
{
	for (uint32 i = 1; i < nsets; i++)
		if (memcmp(set_words + (Size) i * nwords, words, sizeof(uint64) * nwords) == 0)
			return i;
	if (nsets >= PG_UINT16_MAX)
		elog(ERROR, "too many sets of permission codes");
	if (nsets >= sets_size)
	{
		uint32		size = Max(sets_size * 2, 16);
		uint64	   *grown = MemoryContextAllocZero(seeme_vocabulary_context, sizeof(uint64) * nwords * size);

		if (set_words != NULL)
		{
			memcpy(grown, set_words, sizeof(uint64) * nwords * nsets);
			pfree(set_words);
		}
		set_words = grown;
		sets_size = size;
		seeme_moves++;	/* the words have moved */
	}
	seeme_cache_has_grown = true;
	memcpy(set_words + (Size) nsets * nwords, words, sizeof(uint64) * nwords);
	return nsets++;
}

/* Roles */

/* What a role's entries cover; SEEME_UNKNOWN_SET if that is not remembered. */
SeemeSet
seeme_cache_find_role(const pg_uuid_t *role_id)
{
	CachedRole *role = roles == NULL ? NULL : hash_search(roles, role_id, HASH_FIND, NULL);

	return role == NULL ? SEEME_UNKNOWN_SET : role->set;
}

void
seeme_cache_add_role(const pg_uuid_t *role_id, SeemeSet set)
{
	CachedRole *role;

	if (roles == NULL)
	{
		HASHCTL		control = {.keysize = sizeof(pg_uuid_t), .entrysize = sizeof(CachedRole), .hcxt = seeme_vocabulary_context};

		roles = hash_create("seeme_rbac roles", 32, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	}
	role = hash_search(roles, role_id, HASH_ENTER, NULL);
	role->set = set;
}

/* Resource types, numbered from 1 */
uint32
seeme_cache_number_of_type(const char *resource_type)
{
	MemoryContext old;
	ListCell   *cell;

	foreach(cell, types)
		if (strcmp(lfirst(cell), resource_type) == 0)
			return foreach_current_index(cell) + 1;
	old = MemoryContextSwitchTo(seeme_vocabulary_context);
	types = lappend(types, pstrdup(resource_type));
	MemoryContextSwitchTo(old);
	return list_length(types);
}
