/*
 * cache.h: what people hold where, remembered.
 */
#ifndef SEEME_CACHE_H
#define SEEME_CACHE_H

#include "postgres.h"

#include "port/pg_bitutils.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

#include "store.h"

#pragma GCC visibility push(hidden)

/* A set of codes: bits, shared by all that hold the same. */
typedef uint16 SeemeSet;
#define SEEME_UNKNOWN_SET 0
#define SEEME_EMPTY_SET 1

/* Who asks: a person, perhaps by an API key. */
typedef struct SeemeViewerKey
{
	pg_uuid_t	user_id;
	pg_uuid_t	key_id;			/* all zeroes: none */
} SeemeViewerKey;

/* A uuid, and the number that goes with it; 0: a free slot. */
typedef struct SeemeSlot
{
	pg_uuid_t	id;
	uint32		number;
} SeemeSlot;

/* Open addressing, linear probing; never more than two thirds full. */
typedef struct SeemeSlots
{
	SeemeSlot  *slots;
	int			shift;			/* 64 - log2 of their number */
	uint32		mask;
	uint32		used;
} SeemeSlots;

/*
 * Ids, and nothing else: what a wide scan asks for each row. Four to a cache line, which is all that a look-up touches;
 * a line whose last place is free has no overflow.
 */
typedef struct SeemeIds
{
	struct SeemeIds *next;
	int			level;			/* what they are, */
	uint32		type;			/* of which type, */
	int			code;			/* and which code is held there */
	bool		has_zero;		/* all zeroes are a free place, and perhaps an id */
	uint32		nlines;
	uint64	   *lines;
} SeemeIds;

#define SEEME_IDS_PER_LINE 4
#define SEEME_WORDS_PER_LINE (SEEME_IDS_PER_LINE * 2)

/* The resources of one type, with their sets for one viewer. */
typedef struct SeemeResources
{
	struct SeemeResources *next;
	uint32		type;
	bool		is_complete;	/* every one of which anything is held is there */
	int			larger_than;	/* so many were read in vain in order to be complete */
	SeemeSlots	slots;			/* the numbers are sets */
} SeemeResources;

typedef struct SeemeViewer
{
	SeemeViewerKey key;
	bool		is_refused;		/* unknown, disabled, their key is of no use: holds nothing anywhere */
	bool		is_complete;	/* every project in which they hold anything is known, with its set */
	TimestampTz next_change;	/* the first moment at which a date makes any of this untrue */
	int			larger_than;	/* so many places were read in vain in order to be complete */
	SeemeSet	reached_by_key; /* SEEME_UNKNOWN_SET: they came by none */
	bool		key_has_organization;
	SeemeResources *resources;
	SeemeIds   *ids;			/* one for each code that a wide statement asked */
	/* The sets of places, by the number of the place: all of them, or, as long as they are few, a small hash table. */
	bool		is_flat;
	uint32		size;
	uint32		used;
	SeemeSet   *sets;
	uint32	   *places;
} SeemeViewer;

typedef enum SeemePlaceKind
{
	SEEME_PLACE_ORGANIZATION,
	SEEME_PLACE_TEAM,
	SEEME_PLACE_PROJECT,
} SeemePlaceKind;
#define SEEME_NPLACE_KINDS 3

/* How often what happened in this backend, for seeme.cache_statistics and the tests. */
typedef struct SeemeCacheCounters
{
	int64		hits;			/* decisions made without reading a table */
	int64		probes;			/* decisions for which one was read */
	int64		bulk_loads;		/* times that all that a person holds was read at once */
	int64		evictions;		/* times that memory was short */
	int64		resets;			/* times that rights had changed */
	int64		bypasses;		/* decisions within a statement that changes rights */
} SeemeCacheCounters;

extern SeemeCacheCounters seeme_cache_counters;

/* Random, so that nobody can choose ids that collide. */
extern uint64 seeme_hash_factors[2];

extern void seeme_cache_init(void);
extern void seeme_cache_begin(void);
extern uint64 seeme_cache_read_under(void);
extern Size seeme_cache_bytes(void);
extern Size seeme_cache_limit(void);

extern int	seeme_cache_ncodes(void);
extern void seeme_cache_set_codes(int ncodes, char **codes);
extern int	seeme_cache_find_code(const char *code);
extern const char *seeme_cache_code(int code);
extern int	seeme_cache_nwords(void);
extern const uint64 *seeme_cache_words(void);
extern SeemeSet seeme_cache_intern(const uint64 *words);
extern bool seeme_cache_has_too_many_sets(void);
extern const uint64 *seeme_cache_set(SeemeSet set);

extern SeemeSlots seeme_cache_places[SEEME_NPLACE_KINDS];
extern uint32 seeme_cache_add_place(SeemePlaceKind kind, const pg_uuid_t *id, const SeemePlace *place);
extern const SeemePlace *seeme_cache_place(uint32 number);

extern bool seeme_cache_find_owner(const pg_uuid_t *organization, bool *exists, pg_uuid_t *owner);
extern void seeme_cache_add_owner(const pg_uuid_t *organization, bool exists, const pg_uuid_t *owner);

extern SeemeSet seeme_cache_find_role(const pg_uuid_t *role_id);
extern void seeme_cache_add_role(const pg_uuid_t *role_id, SeemeSet set);

extern SeemeViewer *seeme_cache_find_viewer(const SeemeViewerKey *key);
extern SeemeViewer *seeme_cache_add_viewer(const SeemeViewerKey *key);
extern void seeme_cache_forget_viewer(SeemeViewer *viewer);
extern void seeme_viewer_remember(SeemeViewer *viewer, uint32 place, SeemeSet set);
extern uint32 seeme_viewer_next_place(const SeemeViewer *viewer, uint32 *position, SeemeSet *set);
extern SeemeResources *seeme_viewer_resources(SeemeViewer *viewer, const char *resource_type);
extern SeemeIds *seeme_viewer_find_ids(SeemeViewer *viewer, int level, uint32 type, int code);
extern SeemeIds *seeme_viewer_add_ids(SeemeViewer *viewer, int level, uint32 type, int code, const pg_uuid_t *ids, int n);
extern void seeme_resources_add(SeemeResources *resources, const pg_uuid_t *id, SeemeSet set);

/* Where an id is; NULL: it is not there. */
static inline SeemeSlot *
seeme_slots_find(const SeemeSlots *table, const pg_uuid_t *id)
{
	uint64		words[2];
	uint32		i;

	if (table->slots == NULL)
		return NULL;
	memcpy(words, id, sizeof(words));
	i = (words[0] * seeme_hash_factors[0] + words[1] * seeme_hash_factors[1]) >> table->shift;
	for (;;)
	{
		SeemeSlot  *slot = &table->slots[i];
		uint64		found[2];

		if (slot->number == 0)
			return NULL;
		memcpy(found, &slot->id, sizeof(found));
		if (found[0] == words[0] && found[1] == words[1])
			return slot;
		i = (i + 1) & table->mask;
	}
}

/* What a viewer holds in a place; SEEME_UNKNOWN_SET if that is not remembered. */
static inline SeemeSet
seeme_viewer_recall(const SeemeViewer *viewer, uint32 place)
{
	uint32		i;

	if (viewer->is_flat)
		return place < viewer->size ? viewer->sets[place] : SEEME_UNKNOWN_SET;
	if (viewer->size == 0)
		return SEEME_UNKNOWN_SET;
	for (i = (place * 2654435769u) & (viewer->size - 1); viewer->places[i] != 0; i = (i + 1) & (viewer->size - 1))
		if (viewer->places[i] == place)
			return viewer->sets[i];
	return SEEME_UNKNOWN_SET;
}

/* Whether an id is among some. */
static inline bool
seeme_ids_contain(const SeemeIds *ids, const pg_uuid_t *id)
{
	uint64		a;
	uint64		b;
	uint64		i;

	memcpy(&a, id, sizeof(a));
	memcpy(&b, (const char *) id + sizeof(a), sizeof(b));
	if (unlikely((a | b) == 0))
		return ids->has_zero;
	i = ((a * seeme_hash_factors[0] + b * seeme_hash_factors[1]) >> 32) * ids->nlines >> 32;
	for (;;)
	{
		const uint64 *line = ids->lines + i * SEEME_WORDS_PER_LINE;

		if (((line[0] ^ a) | (line[1] ^ b)) == 0 || ((line[2] ^ a) | (line[3] ^ b)) == 0 ||
			((line[4] ^ a) | (line[5] ^ b)) == 0 || ((line[6] ^ a) | (line[7] ^ b)) == 0)
			return true;
		if ((line[6] | line[7]) == 0)
			return false;
		if (++i == ids->nlines)
			i = 0;
	}
}

#pragma GCC visibility pop

#endif							/* SEEME_CACHE_H */
