/*
 * cache.c: what people hold where, remembered: per backend, shared by everybody for whom it asks, and bounded.
 *
 * Owns the memory and how things are found in it. Knows neither who is asking nor what a permission means, and reads no
 * table: held.c and directory.c fill it. Four memory contexts: the vocabulary (codes, sets of codes, roles), the places, the
 * people, and what is one viewer's. Pointers into them are good as long as seeme_moves is the same: when rights have changed, or memory is short,
 * a whole context goes at once.
 *
 * Whoever publishes something noted seeme_changes before reading it, and does so only if that has not moved since.
 */
#include "postgres.h"

#include <limits.h>

#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"

#include "cache.h"
#include "changes.h"

/* As long as a viewer has not more places than this, they are in a hash table. */
#define FEW_PLACES 256

/* More sets than this are looked for too long. */
#define MAX_SETS 4096

SeemeCacheCounters seeme_cache_counters;
SeemeSlots	seeme_cache_places[SEEME_NPLACE_KINDS];

static int	cache_memory = 16 * 1024;	/* kB */

/* The changes that all of this was read under. */
static uint64 read_under = 0;
static uint64 read_under_each[SEEME_NCHANGES];

/* Whether anything was added since memory was last looked at. */
static bool has_grown = false;

static MemoryContext cache_context = NULL;
static MemoryContext vocabulary_context = NULL;
static MemoryContext places_context = NULL;
static MemoryContext people_context = NULL;
static MemoryContext viewers_context = NULL;

typedef struct CachedRole
{
	pg_uuid_t	id;
	SeemeSet	set;
} CachedRole;

typedef struct CachedOwner
{
	pg_uuid_t	organization;
	bool		exists;
	pg_uuid_t	owner;
} CachedOwner;

/* In vocabulary_context */
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

/* In places_context */
static HTAB *owners = NULL;
static SeemePlace *places = NULL;	/* by number */
static uint32 nplaces = 0;
static uint32 places_size = 0;

/* In people_context: who exists and will not be disabled */
static SeemeIds people = {0};
static uint64 people_read_under = 0;

/* In viewers_context */
static HTAB *viewers = NULL;
static SeemeViewer *last_viewer = NULL; /* the one asked for last */

void
seeme_cache_init(void)
{
	DefineCustomIntVariable("seeme_rbac.cache_memory",
							"How much memory a backend uses to remember what people hold.",
							"When it is used up, what was remembered is forgotten and read again.",
							&cache_memory, 16 * 1024, 64, INT_MAX, PGC_SUSET, GUC_UNIT_KB,
							NULL, NULL, NULL);
}

Size
seeme_cache_limit(void)
{
	return (Size) cache_memory * 1024;
}

Size
seeme_cache_bytes(void)
{
	return cache_context == NULL ? 0 : MemoryContextMemAllocated(cache_context, true);
}

static void
forget_viewers(void)
{
	viewers = NULL;
	last_viewer = NULL;
	MemoryContextReset(viewers_context);
	seeme_moves++;
}

static void
forget_places(void)
{
	forget_viewers();
	places = NULL;
	owners = NULL;
	nplaces = places_size = 0;
	memset(seeme_cache_places, 0, sizeof(seeme_cache_places));
	MemoryContextReset(places_context);
}

static void
forget_people(void)
{
	memset(&people, 0, sizeof(people));
	MemoryContextReset(people_context);
}

static void
forget_everything(void)
{
	forget_places();
	forget_people();
	codes = NULL;
	ncodes = nwords = 0;
	memset(recent_codes, 0, sizeof(recent_codes));
	set_words = NULL;
	nsets = sets_size = 0;
	roles = NULL;
	types = NIL;
	MemoryContextReset(vocabulary_context);
}

static void
forget_ids(SeemeViewer *viewer)
{
	for (SeemeHeldIds *held = viewer->ids, *next; held != NULL; held = next)
	{
		next = held->next;
		seeme_ids_free(&held->ids);
		pfree(held);
	}
	viewer->ids = NULL;
}

static void
forget_resources(void)
{
	HASH_SEQ_STATUS all;
	SeemeViewer *viewer;

	if (viewers == NULL)
		return;
	hash_seq_init(&all, viewers);
	while ((viewer = hash_seq_search(&all)) != NULL)
	{
		forget_ids(viewer);
		for (SeemeResources *resources = viewer->resources; resources != NULL; resources = resources->next)
		{
			if (resources->slots.slots != NULL)
				pfree(resources->slots.slots);
			memset(&resources->slots, 0, sizeof(resources->slots));
			resources->is_complete = false;
			resources->larger_than = 0;
		}
	}
	seeme_moves++;
}

/* Small first blocks, and small ones later: what is large gets blocks of its own. */
static MemoryContext
create_context(const char *name)
{
	return AllocSetContextCreateInternal(cache_context, name, 0, 8 * 1024, 64 * 1024);
}

/*
 * Before anything is looked up in order to be added to: forgets what is not true any more, and makes room. From here on to
 * the next call pointers into the cache are good.
 */
void
seeme_cache_begin(void)
{
	if (cache_context == NULL)
	{
		seeme_ids_init();
		cache_context = AllocSetContextCreate(TopMemoryContext, "seeme_rbac cache", ALLOCSET_SMALL_SIZES);
	}
	if (vocabulary_context == NULL)
		vocabulary_context = create_context("seeme_rbac vocabulary");
	if (places_context == NULL)
		places_context = create_context("seeme_rbac places");
	if (people_context == NULL)
		people_context = create_context("seeme_rbac people");
	if (viewers_context == NULL)
		viewers_context = create_context("seeme_rbac viewers");

	if (read_under != seeme_changes)
	{
		if (read_under != 0)
			seeme_cache_counters.resets++;
		if (read_under_each[SEEME_CHANGE_OF_RIGHTS] != seeme_changes_of[SEEME_CHANGE_OF_RIGHTS])
			forget_people();
		if (read_under_each[SEEME_CHANGE_OF_VOCABULARY] != seeme_changes_of[SEEME_CHANGE_OF_VOCABULARY])
			forget_everything();
		else if (read_under_each[SEEME_CHANGE_OF_PLACES] != seeme_changes_of[SEEME_CHANGE_OF_PLACES])
			forget_places();
		else if (read_under_each[SEEME_CHANGE_OF_RIGHTS] != seeme_changes_of[SEEME_CHANGE_OF_RIGHTS])
			forget_viewers();
		else if (read_under_each[SEEME_CHANGE_OF_ASSIGNMENTS] != seeme_changes_of[SEEME_CHANGE_OF_ASSIGNMENTS])
			forget_resources();
		/* Of a person whose group has changed, it is forgotten when they ask. */
		memcpy(read_under_each, seeme_changes_of, sizeof(read_under_each));
		read_under = seeme_changes;
	}
	if (has_grown && (seeme_cache_bytes() > seeme_cache_limit() || seeme_cache_has_too_many_sets()))
	{
		seeme_cache_counters.evictions++;
		/* Who asks changes more often than where. */
		if (!seeme_cache_has_too_many_sets() && MemoryContextMemAllocated(viewers_context, true) > seeme_cache_limit() / 2)
			forget_viewers();
		else
			forget_everything();
	}
	has_grown = false;
}

/* The number of changes at the last seeme_cache_begin(): while seeme_changes is the same, what is remembered is true. */
uint64
seeme_cache_read_under(void)
{
	return read_under;
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
	MemoryContext old = MemoryContextSwitchTo(vocabulary_context);
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
		uint64	   *grown = MemoryContextAllocZero(vocabulary_context, sizeof(uint64) * nwords * size);

		if (set_words != NULL)
		{
			memcpy(grown, set_words, sizeof(uint64) * nwords * nsets);
			pfree(set_words);
		}
		set_words = grown;
		sets_size = size;
		seeme_moves++;	/* the words have moved */
	}
	has_grown = true;
	memcpy(set_words + (Size) nsets * nwords, words, sizeof(uint64) * nwords);
	return nsets++;
}

/* Places, numbered from 1 */

uint32
seeme_cache_add_place(SeemePlaceKind kind, const pg_uuid_t *id, const SeemePlace *place)
{
	if (nplaces + 1 >= places_size)
	{
		uint32		size = Max(places_size * 2, 64);
		SeemePlace *grown = MemoryContextAllocExtended(places_context, sizeof(SeemePlace) * size, MCXT_ALLOC_HUGE);

		if (places != NULL)
		{
			memcpy(grown, places, sizeof(SeemePlace) * (nplaces + 1));
			pfree(places);
		}
		places = grown;
		places_size = size;
	}
	seeme_slots_add(places_context, &seeme_cache_places[kind], id, nplaces + 1);
	has_grown = true;
	nplaces++;
	places[nplaces] = *place;
	return nplaces;
}

const SeemePlace *
seeme_cache_place(uint32 number)
{
	return &places[number];
}

uint32
seeme_cache_nplaces(void)
{
	return nplaces;
}

/* Whose an organization is, and whether it exists at all; false if that is not remembered. */
bool
seeme_cache_find_owner(const pg_uuid_t *organization, bool *exists, pg_uuid_t *owner)
{
	CachedOwner *found = owners == NULL ? NULL : hash_search(owners, organization, HASH_FIND, NULL);

	if (found == NULL)
		return false;
	*exists = found->exists;
	*owner = found->owner;
	return true;
}

void
seeme_cache_add_owner(const pg_uuid_t *organization, bool exists, const pg_uuid_t *owner)
{
	CachedOwner *entry;

	if (owners == NULL)
	{
		HASHCTL		control = {.keysize = sizeof(pg_uuid_t), .entrysize = sizeof(CachedOwner), .hcxt = places_context};

		owners = hash_create("seeme_rbac owners", 32, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	}
	has_grown = true;
	entry = hash_search(owners, organization, HASH_ENTER, NULL);
	entry->exists = exists;
	if (exists)
		entry->owner = *owner;
	else
		memset(&entry->owner, 0, sizeof(entry->owner));
}

uint32
seeme_cache_nowners(void)
{
	return owners == NULL ? 0 : hash_get_num_entries(owners);
}

/* People */

/* Whether it is remembered that a person exists and has no date from which they are disabled. */
bool
seeme_cache_find_person(const pg_uuid_t *person)
{
	return people.lines != NULL && seeme_group_changed_at[seeme_group_of(person)] <= people_read_under &&
		seeme_ids_contain(&people, person);
}

/* All of them, as they were read since seeme_cache_begin(). */
void
seeme_cache_set_people(const pg_uuid_t *ids, int n)
{
	forget_people();
	seeme_ids_fill(people_context, &people, ids, n);
	people_read_under = read_under;
	has_grown = true;
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
		HASHCTL		control = {.keysize = sizeof(pg_uuid_t), .entrysize = sizeof(CachedRole), .hcxt = vocabulary_context};

		roles = hash_create("seeme_rbac roles", 32, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	}
	role = hash_search(roles, role_id, HASH_ENTER, NULL);
	role->set = set;
}

/* Viewers */

uint32
seeme_cache_nviewers(void)
{
	return viewers == NULL ? 0 : hash_get_num_entries(viewers);
}

/* NULL: nothing is remembered of them, or not any more, for something about them has changed. */
SeemeViewer *
seeme_cache_find_viewer(const SeemeViewerKey *key)
{
	SeemeViewer *viewer = last_viewer;

	if (viewer == NULL || memcmp(&viewer->key, key, sizeof(SeemeViewerKey)) != 0)
		viewer = last_viewer = viewers == NULL ? NULL : hash_search(viewers, key, HASH_FIND, NULL);
	if (viewer == NULL || seeme_group_changed_at[seeme_group_of(&key->user_id)] <= viewer->read_under)
		return viewer;
	seeme_cache_forget_viewer(viewer);
	return NULL;
}

/* Of whom nothing was read before seeme_cache_begin(). */
SeemeViewer *
seeme_cache_add_viewer(const SeemeViewerKey *key)
{
	SeemeViewer *viewer;

	if (viewers == NULL)
	{
		HASHCTL		control = {.keysize = sizeof(SeemeViewerKey), .entrysize = sizeof(SeemeViewer), .hcxt = viewers_context};

		viewers = hash_create("seeme_rbac viewers", 64, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	}
	has_grown = true;
	viewer = hash_search(viewers, key, HASH_ENTER, NULL);
	memset((char *) viewer + sizeof(SeemeViewerKey), 0, sizeof(SeemeViewer) - sizeof(SeemeViewerKey));
	viewer->read_under = read_under;
	viewer->next_change = DT_NOEND;
	return viewer;
}

/* What is remembered of a viewer is not true any more: a date has passed, or something about them has changed. */
void
seeme_cache_forget_viewer(SeemeViewer *viewer)
{
	for (SeemeKnownStanding *standing = viewer->standings, *next; standing != NULL; standing = next)
	{
		next = standing->next;
		pfree(standing);
	}
	for (SeemeResources *resources = viewer->resources, *next; resources != NULL; resources = next)
	{
		next = resources->next;
		if (resources->slots.slots != NULL)
			pfree(resources->slots.slots);
		pfree(resources);
	}
	forget_ids(viewer);
	if (viewer->sets != NULL)
		pfree(viewer->sets);
	if (viewer->places != NULL)
		pfree(viewer->places);
	last_viewer = NULL;
	hash_search(viewers, &viewer->key, HASH_REMOVE, NULL);
	seeme_moves++;
}

static void
put_place(SeemeViewer *viewer, uint32 place, SeemeSet set)
{
	uint32		i = (place * 2654435769u) & (viewer->size - 1);

	while (viewer->places[i] != 0 && viewer->places[i] != place)
		i = (i + 1) & (viewer->size - 1);
	if (viewer->places[i] == 0)
		viewer->used++;
	viewer->places[i] = place;
	viewer->sets[i] = set;
}

/* Gives a viewer room for places up to a number: a hash table of twice the size, or an array. */
static void
grow_viewer(SeemeViewer *viewer, uint32 place)
{
	uint32		old_size = viewer->size;
	uint32	   *old_places = viewer->places;
	SeemeSet   *old_sets = viewer->sets;
	bool		was_flat = viewer->is_flat;
	bool		flat = was_flat || viewer->used >= FEW_PLACES;
	uint32		size = flat ? Max(places_size, place + 1) : Max(old_size * 2, 4);
	SeemeSet   *sets = MemoryContextAllocExtended(viewers_context, sizeof(SeemeSet) * size, MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	uint32	   *new_places = flat ? NULL : MemoryContextAllocZero(viewers_context, sizeof(uint32) * size);

	has_grown = true;
	viewer->sets = sets;
	viewer->places = new_places;
	viewer->size = size;
	viewer->is_flat = flat;
	if (old_sets == NULL)
		return;
	if (was_flat)
		memcpy(sets, old_sets, sizeof(SeemeSet) * old_size);
	else
	{
		viewer->used = 0;
		for (uint32 i = 0; i < old_size; i++)
		{
			if (old_places[i] == 0)
				continue;
			if (flat)
				sets[old_places[i]] = old_sets[i];
			else
				put_place(viewer, old_places[i], old_sets[i]);
		}
		pfree(old_places);
	}
	pfree(old_sets);
}

void
seeme_viewer_remember(SeemeViewer *viewer, uint32 place, SeemeSet set)
{
	if (viewer->is_flat ? place >= viewer->size : (viewer->used + 1) * 2 > viewer->size)
		grow_viewer(viewer, place);
	if (viewer->is_flat)
		viewer->sets[place] = set;
	else
		put_place(viewer, place, set);
}

/* NULL: it is not known. */
SeemeKnownStanding *
seeme_viewer_find_standing(SeemeViewer *viewer, const pg_uuid_t *organization_id)
{
	SeemeKnownStanding **link;

	for (link = &viewer->standings; *link != NULL; link = &(*link)->next)
		if (memcmp(&(*link)->organization_id, organization_id, sizeof(pg_uuid_t)) == 0)
		{
			SeemeKnownStanding *found = *link;

			*link = found->next;
			found->next = viewer->standings;
			viewer->standings = found;
			return found;
		}
	return NULL;
}

/* All of it empty, to be filled by the caller. One that was there before goes. */
SeemeKnownStanding *
seeme_viewer_add_standing(SeemeViewer *viewer, const pg_uuid_t *organization_id, int nmemberships)
{
	SeemeKnownStanding *old = seeme_viewer_find_standing(viewer, organization_id);
	SeemeKnownStanding *standing = MemoryContextAllocZero(viewers_context, offsetof(SeemeKnownStanding, memberships) +
														   sizeof(SeemeKnownMembership) * nmemberships);

	if (old != NULL)
	{
		viewer->standings = old->next;
		pfree(old);
	}
	standing->organization_id = *organization_id;
	standing->nmemberships = nmemberships;
	standing->next = viewer->standings;
	viewer->standings = standing;
	has_grown = true;
	return standing;
}

/*
 * The next place of which is known what a viewer holds there, and that; 0 after the last one. The position is 0 at first.
 */
uint32
seeme_viewer_next_place(const SeemeViewer *viewer, uint32 *position, SeemeSet *set)
{
	while (*position < viewer->size)
	{
		uint32		i = (*position)++;

		*set = viewer->sets[i];
		if (*set != SEEME_UNKNOWN_SET)
			return viewer->is_flat ? i : viewer->places[i];
	}
	return 0;
}

/* Resources */

/* Resource types, numbered from 1 */
static uint32
number_of_type(const char *resource_type)
{
	MemoryContext old;
	ListCell   *cell;

	foreach(cell, types)
		if (strcmp(lfirst(cell), resource_type) == 0)
			return foreach_current_index(cell) + 1;
	old = MemoryContextSwitchTo(vocabulary_context);
	types = lappend(types, pstrdup(resource_type));
	MemoryContextSwitchTo(old);
	return list_length(types);
}

/* What is remembered for a viewer of the resources of a type. */
SeemeResources *
seeme_viewer_resources(SeemeViewer *viewer, const char *resource_type)
{
	uint32		type = number_of_type(resource_type);
	SeemeResources *resources;

	for (resources = viewer->resources; resources != NULL; resources = resources->next)
		if (resources->type == type)
			return resources;
	resources = MemoryContextAllocZero(viewers_context, sizeof(SeemeResources));
	resources->type = type;
	resources->next = viewer->resources;
	viewer->resources = resources;
	return resources;
}

void
seeme_resources_add(SeemeResources *resources, const pg_uuid_t *id, SeemeSet set)
{
	seeme_slots_add(viewers_context, &resources->slots, id, set);
	has_grown = true;
}

/* Ids of which one code is held */

const SeemeIds *
seeme_viewer_find_ids(SeemeViewer *viewer, int level, uint32 type, int code)
{
	SeemeHeldIds *held;

	for (held = viewer->ids; held != NULL; held = held->next)
		if (held->level == level && held->type == type && held->code == code)
			return &held->ids;
	return NULL;
}

const SeemeIds *
seeme_viewer_add_ids(SeemeViewer *viewer, int level, uint32 type, int code, const pg_uuid_t *values, int n)
{
	SeemeHeldIds *held = MemoryContextAllocZero(viewers_context, sizeof(SeemeHeldIds));

	held->level = level;
	held->type = type;
	held->code = code;
	seeme_ids_fill(viewers_context, &held->ids, values, n);
	has_grown = true;
	held->next = viewer->ids;
	viewer->ids = held;
	return &held->ids;
}

/*
 * seeme.cache_counters() RETURNS TABLE (hits, probes, bulk_loads, evictions, resets, bypasses, bytes bigint)
 */
PG_FUNCTION_INFO_V1(seeme_cache_counters_of_backend);
Datum
seeme_cache_counters_of_backend(PG_FUNCTION_ARGS)
{
	const SeemeCacheCounters *c = &seeme_cache_counters;
	int64		values[] = {c->hits, c->probes, c->bulk_loads, c->evictions, c->resets, c->bypasses, seeme_cache_bytes()};
	Datum		datums[lengthof(values)];
	bool		nulls[lengthof(values)] = {false};
	TupleDesc	columns;

	if (get_call_result_type(fcinfo, NULL, &columns) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "the result is no row");
	for (int i = 0; i < lengthof(values); i++)
		datums[i] = Int64GetDatum(values[i]);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(columns), datums, nulls)));
}
