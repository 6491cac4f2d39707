/*
 * cache_viewers.c: the part of the cache that is each viewer's own: what they have where.
 */
#include "postgres.h"

#include "utils/hsearch.h"
#include "utils/memutils.h"

#include "cache.h"
#include "cache_parts.h"
#include "changes.h"

/* As long as a viewer has not more places than this, they are in a hash table. */
#define FEW_PLACES 256

/* In seeme_viewers_context */
static HTAB *viewers = NULL;
static SeemeViewer *last_viewer = NULL; /* the one asked for last */

void
seeme_viewers_forget(void)
{
	viewers = NULL;
	last_viewer = NULL;
	MemoryContextReset(seeme_viewers_context);
	seeme_moves++;
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

/* Of everybody. */
void
seeme_resources_forget(void)
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
		HASHCTL		control = {.keysize = sizeof(SeemeViewerKey), .entrysize = sizeof(SeemeViewer), .hcxt = seeme_viewers_context};

		viewers = hash_create("seeme_rbac viewers", 64, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	}
	seeme_cache_has_grown = true;
	viewer = hash_search(viewers, key, HASH_ENTER, NULL);
	memset((char *) viewer + sizeof(SeemeViewerKey), 0, sizeof(SeemeViewer) - sizeof(SeemeViewerKey));
	viewer->read_under = seeme_cache_read_under();
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
	uint32		size = flat ? Max(seeme_cache_places_size(), place + 1) : Max(old_size * 2, 4);
	SeemeSet   *sets = MemoryContextAllocExtended(seeme_viewers_context, sizeof(SeemeSet) * size, MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	uint32	   *new_places = flat ? NULL : MemoryContextAllocZero(seeme_viewers_context, sizeof(uint32) * size);

	seeme_cache_has_grown = true;
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
	SeemeKnownStanding *standing = MemoryContextAllocZero(seeme_viewers_context, offsetof(SeemeKnownStanding, memberships) +
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
	seeme_cache_has_grown = true;
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

/* What is remembered for a viewer of the resources of a type. */
SeemeResources *
seeme_viewer_resources(SeemeViewer *viewer, const char *resource_type)
{
	uint32		type = seeme_cache_number_of_type(resource_type);
	SeemeResources *resources;

	for (resources = viewer->resources; resources != NULL; resources = resources->next)
		if (resources->type == type)
			return resources;
	resources = MemoryContextAllocZero(seeme_viewers_context, sizeof(SeemeResources));
	resources->type = type;
	resources->next = viewer->resources;
	viewer->resources = resources;
	return resources;
}

void
seeme_resources_add(SeemeResources *resources, const pg_uuid_t *id, SeemeSet set)
{
	seeme_slots_add(seeme_viewers_context, &resources->slots, id, set);
	seeme_cache_has_grown = true;
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
	SeemeHeldIds *held = MemoryContextAllocZero(seeme_viewers_context, sizeof(SeemeHeldIds));

	held->level = level;
	held->type = type;
	held->code = code;
	seeme_ids_fill(seeme_viewers_context, &held->ids, values, n);
	seeme_cache_has_grown = true;
	held->next = viewer->ids;
	viewer->ids = held;
	return &held->ids;
}
