/*
 * cache.h: what people hold where, remembered.
 */
#ifndef SEEME_CACHE_CACHE_H
#define SEEME_CACHE_CACHE_H

#include "postgres.h"

#include "port/pg_bitutils.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

#include "core/uuid_hash.h"
#include "core/store.h"

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

/* The ids of a level, and of a type if they are resources, at which a viewer holds one code. */
typedef struct SeemeHeldIds
{
	struct SeemeHeldIds *next;
	int			level;
	uint32		type;
	int			code;
	SeemeIds	ids;
} SeemeHeldIds;

/* The resources of one type, with their sets for one viewer. */
typedef struct SeemeResources
{
	struct SeemeResources *next;
	uint32		type;
	bool		is_complete;	/* every one of which anything is held is there */
	int			larger_than;	/* so many were read in vain in order to be complete */
	SeemeSlots	slots;			/* the numbers are sets */
} SeemeResources;

/* A current membership, as much of it as a decision takes. */
typedef struct SeemeKnownMembership
{
	bool		has_team;
	bool		has_project;
	bool		has_role;
	pg_uuid_t	scope_id;
	pg_uuid_t	role_id;
} SeemeKnownMembership;

/* What a viewer has in an organization. */
typedef struct SeemeKnownStanding
{
	pg_uuid_t	organization_id;
	bool		is_whole;		/* else they have more there, and the next to ask reads it */
	bool		is_large;		/* it was read, and there is no room for it */
	bool		is_owner;
	bool		is_member;
	int			nmemberships;	/* sorted, as those of a SeemeStanding are */
	SeemeKnownMembership memberships[FLEXIBLE_ARRAY_MEMBER];
} SeemeKnownStanding;

/* What is held in a place, by its number. */
typedef struct SeemePlaceSet
{
	uint32		place;			/* 0: a free slot */
	SeemeSet	set;
} SeemePlaceSet;

typedef struct SeemeViewer
{
	SeemeViewerKey key;
	uint64		read_under;		/* the number of changes that the first of this was read under */
	TimestampTz next_change;	/* the first moment at which a date makes any of this untrue */
	TimestampTz tokens_valid_from;	/* whoever came by a token issued before it is refused */
	bool		is_refused;		/* unknown, disabled, their key is of no use: holds nothing anywhere */
	bool		is_complete;	/* every project in which they hold anything is known, with its set */
	bool		is_flat;
	bool		key_has_organization;
	uint64	   *reached_by_key; /* codes, as the words of a set; NULL: they came by none */
	bool		has_creator;	/* a person made their key: */
	pg_uuid_t	creator_id;		/* what changes of that person changes it, too */
	/* The sets of places: of all of them, by number, or, as long as they are few, in a small hash table. */
	uint32		size;
	uint32		used;
	union
	{
		SeemeSet   *all;
		SeemePlaceSet *few;
	}			sets;
	int			larger_than;	/* so many places were read in vain in order to be complete */
	SeemeKnownStanding **standings;
	uint32		nstandings;
	uint32		standings_size;
	SeemeSlots	standing_numbers;	/* by organization, once there are many: the place among them, from 1 */
	SeemeResources *resources;
	SeemeHeldIds *ids;			/* one for each code that a wide statement asked */
	/* Whom the viewer sees: it depends on other people's memberships, and so on every change. */
	SeemeIds	people;
	uint64		people_read_under;	/* 0: not known */
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
	int64		evictions;		/* times that memory, or the numbers of sets, were short */
	int64		resets;			/* times that rights had changed */
	int64		bypasses;		/* decisions within a statement that changes rights */
} SeemeCacheCounters;

extern SeemeCacheCounters seeme_cache_counters;

extern void seeme_cache_init(void);
extern void seeme_cache_begin(void);
extern uint64 seeme_cache_read_under(void);
extern Size seeme_cache_bytes(void);
extern Size seeme_cache_limit(void);
extern bool seeme_cache_fits(Size more);

extern int	seeme_cache_ncodes(void);
extern bool seeme_cache_has_codes(void);
extern void seeme_cache_set_codes(int ncodes, char **codes);
extern int	seeme_cache_find_code(const char *code);
extern int	seeme_cache_recall_code(const char *code, int length);
extern const char *seeme_cache_code(int code);
extern int	seeme_cache_nwords(void);
extern const uint64 *seeme_cache_words(void);
extern SeemeSet seeme_cache_intern(const uint64 *words);
extern bool seeme_cache_has_run_out_of_sets(void);
extern bool seeme_cache_sets_are_scarce(void);
extern const uint64 *seeme_cache_set(SeemeSet set);

extern SeemeSlots seeme_cache_places[SEEME_NPLACE_KINDS];
extern uint32 seeme_cache_add_place(SeemePlaceKind kind, const pg_uuid_t *id, const SeemePlace *place);
extern const SeemePlace *seeme_cache_place(uint32 number);
extern uint32 seeme_cache_nplaces(void);

extern bool seeme_cache_find_owner(const pg_uuid_t *organization, bool *exists, pg_uuid_t *owner);
extern void seeme_cache_add_owner(const pg_uuid_t *organization, bool exists, const pg_uuid_t *owner);

extern uint32 seeme_cache_nowners(void);

extern bool seeme_cache_is_whole(SeemeTable table);
extern void seeme_cache_set_whole(SeemeTable table);

extern bool seeme_cache_find_person(const pg_uuid_t *person);
extern void seeme_cache_set_people(const pg_uuid_t *ids, int n);

extern SeemeSet seeme_cache_find_role(const pg_uuid_t *role_id);
extern void seeme_cache_add_role(const pg_uuid_t *role_id, SeemeSet set);

extern uint32 seeme_cache_nviewers(void);
extern SeemeViewer *seeme_cache_find_viewer(const SeemeViewerKey *key);
extern SeemeViewer *seeme_cache_add_viewer(const SeemeViewerKey *key);
extern void seeme_cache_forget_viewer(SeemeViewer *viewer);
extern SeemeKnownStanding *seeme_viewer_find_standing(SeemeViewer *viewer, const pg_uuid_t *organization_id);
extern SeemeKnownStanding *seeme_viewer_add_standing(SeemeViewer *viewer, const pg_uuid_t *organization_id, int nmemberships);
extern bool seeme_viewer_remember(SeemeViewer *viewer, uint32 place, SeemeSet set);
extern void seeme_viewer_set_reached_by_key(SeemeViewer *viewer, const uint64 *words);
extern uint32 seeme_viewer_next_place(const SeemeViewer *viewer, uint32 *position, SeemeSet *set);
extern SeemeResources *seeme_viewer_resources(SeemeViewer *viewer, const char *resource_type);
extern const SeemeIds *seeme_viewer_find_ids(SeemeViewer *viewer, int level, uint32 type, int code);
extern const SeemeIds *seeme_viewer_add_ids(SeemeViewer *viewer, int level, uint32 type, int code, const pg_uuid_t *ids, int n);
extern const SeemeIds *seeme_viewer_find_people(SeemeViewer *viewer);
extern const SeemeIds *seeme_viewer_set_people(SeemeViewer *viewer, const pg_uuid_t *ids, int n);
extern void seeme_resources_add(SeemeResources *resources, const pg_uuid_t *id, SeemeSet set);
extern bool seeme_resources_complete(SeemeResources *resources, const SeemeSlots *loaded);

/* Of about how many places it is remembered what a viewer holds there. */
static inline int
seeme_viewer_nplaces(const SeemeViewer *viewer)
{
	return viewer->is_flat ? viewer->size : viewer->used;
}

/* What a viewer holds in a place; SEEME_UNKNOWN_SET if that is not remembered. */
static inline SeemeSet
seeme_viewer_recall(const SeemeViewer *viewer, uint32 place)
{
	uint32		i;

	if (viewer->is_flat)
		return place < viewer->size ? viewer->sets.all[place] : SEEME_UNKNOWN_SET;
	if (viewer->size == 0)
		return SEEME_UNKNOWN_SET;
	for (i = (place * 2654435769u) & (viewer->size - 1); viewer->sets.few[i].place != 0; i = (i + 1) & (viewer->size - 1))
		if (viewer->sets.few[i].place == place)
			return viewer->sets.few[i].set;
	return SEEME_UNKNOWN_SET;
}

#pragma GCC visibility pop

#endif							/* SEEME_CACHE_CACHE_H */
