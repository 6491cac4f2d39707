/*
 * vocabulary.c: the part of the cache that is the same for all principals and places: registered
 * codes, sets of codes, the codes of roles, and resource types.
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "cache/cache.h"
#include "cache/parts.h"
#include "core/invalidation.h"
#include "core/uuid_hash.h"

/* The numbers have 16 bits, and 0 is not used. */
#define MAX_SETS PG_UINT16_MAX

/* In seeme_vocabulary_context */
static int	ncodes = 0;
static int	nwords = 0;
static char **codes = NULL;		/* sorted */
static uint64 *set_words = NULL;	/* nwords for each set */
static uint32 nsets = 0;
static uint32 sets_size = 0;
static SeemeCodeSet *set_numbers = NULL;	/* by the hash of the words; twice sets_size of them;
											 * 0: free */
static bool ran_out_of_sets = false;
static SeemeUuidHash roles;		/* the numbers are code sets */
static List *types = NIL;		/* of char *: names of resource types */

/*
 * Recently found codes, by some of their characters. An application has few, and uses them again
 * and again.
 */
#define NRECENT_CODES 16
#define MAX_RECENT_LENGTH 44
static struct
{
	int			length;			/* 0: free */
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
	set_numbers = NULL;
	ran_out_of_sets = false;
	memset(&roles, 0, sizeof(roles));
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

/* Whether the codes were set. There may be none registered. */
bool
seeme_cache_has_codes(void)
{
	return nsets > SEEME_EMPTY_CODE_SET;
}

static void grow_sets(void);
static SeemeCodeSet add_set(const uint64 *words, uint64 hash);
static uint64 hash_of(const uint64 *words);

/* Sets the registered codes, without wildcards, sorted. Creates the empty code set. */
void
seeme_cache_set_codes(int n, char **sorted)
{
	MemoryContext old = MemoryContextSwitchTo(seeme_vocabulary_context);
	char	  **copy = palloc_extended(sizeof(char *) * Max(n, 1), MCXT_ALLOC_HUGE);
	uint64	   *none;

	for (int i = 0; i < n; i++)
		copy[i] = pstrdup(sorted[i]);
	none = palloc0(sizeof(uint64) * Max((n + 63) / 64, 1));
	MemoryContextSwitchTo(old);
	seeme_hash_init();
	codes = copy;
	ncodes = n;
	nwords = Max((n + 63) / 64, 1);
	nsets = 1;					/* number 0 is not used */
	grow_sets();
	(void) add_set(none, hash_of(none));
	pfree(none);
}

/* Characters may be any bytes; without a sign they index safely. */
static int
recent_place(const char *code, int length)
{
	const unsigned char *bytes = (const unsigned char *) code;

	return (length + bytes[0] * 3 + bytes[length / 2] * 5 + bytes[length - 1] * 7) % NRECENT_CODES;
}

/* The number of a recently found code; -1: it is not among them. */
int
seeme_cache_find_recent_code(const char *code, int length)
{
	int			place;

	if (length <= 0 || length > MAX_RECENT_LENGTH)
		return -1;
	place = recent_place(code, length);
	return recent_codes[place].length == length &&
		memcmp(recent_codes[place].code, code, length) == 0
		? recent_codes[place].number
		: -1;
}

/* The number of a code; -1: it is not registered. */
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

/* Code sets. There are about as many as combinations of roles. */

/* The words of all sets, nwords for each. */
const uint64 *
seeme_cache_code_set_words(void)
{
	return set_words;
}

const uint64 *
seeme_cache_code_set(SeemeCodeSet set)
{
	return set_words + (Size) set * nwords;
}

/* Whether a set could not be added. Many roles in many combinations use up the numbers. */
bool
seeme_cache_ran_out_of_code_sets(void)
{
	return ran_out_of_sets;
}

/* Whether most numbers are used. What can be answered without one then takes none. */
bool
seeme_cache_code_sets_are_scarce(void)
{
	return nsets > MAX_SETS / 2;
}

static uint64
hash_of(const uint64 *words)
{
	uint64		hash = nwords;

	for (int i = 0; i < nwords; i++)
		hash = seeme_hash_words(hash, words[i]);
	return hash;
}

/* The number of sets that there is room for after growing. */
static uint32
grown_size(void)
{
	return Max(sets_size * 2, 16);
}

static void
grow_sets(void)
{
	uint32		size = grown_size();
	uint32		mask = size * 2 - 1;
	uint64	   *grown = MemoryContextAllocExtended(seeme_vocabulary_context,
												   sizeof(uint64) * nwords * size,
												   MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	SeemeCodeSet *numbers = MemoryContextAllocZero(seeme_vocabulary_context,
												   sizeof(SeemeCodeSet) * size * 2);

	if (set_words != NULL)
	{
		memcpy(grown, set_words, sizeof(uint64) * nwords * nsets);
		pfree(set_words);
		pfree(set_numbers);
	}
	set_words = grown;
	set_numbers = numbers;
	sets_size = size;
	for (uint32 set = 1; set < nsets; set++)
	{
		uint32		i = hash_of(seeme_cache_code_set(set)) & mask;

		while (set_numbers[i] != 0)
			i = (i + 1) & mask;
		set_numbers[i] = set;
	}
	seeme_site_generation++;	/* the words have moved */
}

/* Adds a set that is not there yet. There is room for it. */
static SeemeCodeSet
add_set(const uint64 *words, uint64 hash)
{
	uint32		mask = sets_size * 2 - 1;
	uint32		i = hash & mask;

	while (set_numbers[i] != 0)
		i = (i + 1) & mask;
	memcpy(set_words + (Size) nsets * nwords, words, sizeof(uint64) * nwords);
	set_numbers[i] = nsets;
	seeme_cache_has_grown = true;
	return nsets++;
}

/* The set with these words; SEEME_UNKNOWN_CODE_SET: there is no room for a new one. */
SeemeCodeSet
seeme_cache_intern(const uint64 *words)
{
	uint64		hash = hash_of(words);
	uint32		mask = sets_size * 2 - 1;

	for (uint32 i = hash & mask; set_numbers[i] != 0; i = (i + 1) & mask)
		if (memcmp(seeme_cache_code_set(set_numbers[i]), words, sizeof(uint64) * nwords) == 0)
			return set_numbers[i];
	if (nsets >= MAX_SETS ||
		(nsets >= sets_size &&
		 !seeme_cache_fits((sizeof(uint64) * nwords + sizeof(SeemeCodeSet) * 2) * grown_size())))
	{
		ran_out_of_sets = seeme_cache_has_grown = true;
		return SEEME_UNKNOWN_CODE_SET;
	}
	if (nsets >= sets_size)
		grow_sets();
	return add_set(words, hash);
}

/* Roles */

/* The codes of a role; SEEME_UNKNOWN_CODE_SET: the cache does not know. */
SeemeCodeSet
seeme_cache_find_role(const pg_uuid_t *role_id)
{
	SeemeUuidHashEntry *entry = seeme_uuid_hash_find(&roles, role_id);

	return entry == NULL ? SEEME_UNKNOWN_CODE_SET : entry->number;
}

/* Adds a role that is not there yet. */
void
seeme_cache_add_role(const pg_uuid_t *role_id, SeemeCodeSet set)
{
	if (!seeme_cache_fits(seeme_uuid_hash_growth(&roles)))
		return;
	seeme_uuid_hash_insert(seeme_vocabulary_context, &roles, role_id, set);
	seeme_cache_has_grown = true;
}

/* Resource types, numbered from 1 */
uint32
seeme_cache_number_of_type(const char *resource_type)
{
	MemoryContext old;
	ListCell   *cell;

	foreach(cell, types)
	{
		if (strcmp(lfirst(cell), resource_type) == 0)
			return foreach_current_index(cell) + 1;
	}
	old = MemoryContextSwitchTo(seeme_vocabulary_context);
	types = lappend(types, pstrdup(resource_type));
	MemoryContextSwitchTo(old);
	return list_length(types);
}
