/*
 * viewers.c: the part of the cache that is each viewer's own: what they have where.
 */
#include "postgres.h"

#include "utils/hsearch.h"
#include "utils/memutils.h"

#include "cache/cache.h"
#include "cache/parts.h"
#include "core/invalidation.h"

/* As long as a viewer has not more places than this, they are in a hash table. */
#define FEW_PLACES 256

/* As long as there is something of a viewer in no more organizations than this, the one that is wanted is looked for one by one. */
#define FEW_STANDINGS 8

/* In seeme_viewers_context: those who came by an API key; and the others, by the person's number, which stays when they are forgotten */
static HTAB *by_key = NULL;
static SeemeSlots numbers;
static SeemeViewer **by_number = NULL;
static uint32 by_number_size = 0;
static SeemeViewer *last_viewer = NULL; /* the one asked for last */

void
seeme_viewers_forget(void)
{
	by_key = NULL;
	memset(&numbers, 0, sizeof(numbers));
	by_number = NULL;
	by_number_size = 0;
	last_viewer = NULL;
	MemoryContextReset(seeme_viewers_context);
	seeme_moves++;
}

static bool
came_by_key(const SeemeViewerKey *key)
{
	static const pg_uuid_t none = {{0}};

	return !seeme_uuid_equal(&key->key_id, &none);
}

static void
forget_people(SeemeViewer *viewer)
{
	if (viewer->people.memory != NULL)
		seeme_ids_free(&viewer->people);
	memset(&viewer->people, 0, sizeof(viewer->people));
	viewer->people_read_under = 0;
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
	forget_people(viewer);
}

static void
forget_resources_of(SeemeViewer *viewer)
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

/* Of everybody. */
void
seeme_resources_forget(void)
{
	HASH_SEQ_STATUS all;
	SeemeViewer *viewer;

	for (uint32 i = 1; i <= numbers.used; i++)
		if (by_number[i] != NULL)
			forget_resources_of(by_number[i]);
	if (by_key != NULL)
	{
		hash_seq_init(&all, by_key);
		while ((viewer = hash_seq_search(&all)) != NULL)
			forget_resources_of(viewer);
	}
	seeme_moves++;
}

/* Of how many anything was remembered since all were forgotten. */
uint32
seeme_cache_nviewers(void)
{
	return numbers.used + (by_key == NULL ? 0 : hash_get_num_entries(by_key));
}

static SeemeViewer *
find_viewer(const SeemeViewerKey *key)
{
	SeemeSlot  *slot;

	if (came_by_key(key))
		return by_key == NULL ? NULL : hash_search(by_key, key, HASH_FIND, NULL);
	slot = seeme_slots_find(&numbers, &key->user_id);
	return slot == NULL ? NULL : by_number[slot->number];
}

/* NULL: nothing is remembered of them, or not any more, for something about them has changed. */
SeemeViewer *
seeme_cache_find_viewer(const SeemeViewerKey *key)
{
	SeemeViewer *viewer = last_viewer;

	if (viewer == NULL || memcmp(&viewer->key, key, sizeof(SeemeViewerKey)) != 0)
		viewer = last_viewer = find_viewer(key);
	if (viewer == NULL ||
		(seeme_group_changed_at[seeme_group_of(&key->user_id)] <= viewer->read_under &&
		 (!viewer->has_creator || seeme_group_changed_at[seeme_group_of(&viewer->creator_id)] <= viewer->read_under)))
		return viewer;
	seeme_cache_forget_viewer(viewer);
	return NULL;
}

/* The place for a pointer to the viewer whom a person is without a key. */
static SeemeViewer **
place_for(const pg_uuid_t *person)
{
	SeemeSlot  *slot = seeme_slots_find(&numbers, person);

	if (slot != NULL)
		return &by_number[slot->number];
	if (numbers.used + 1 >= by_number_size)
	{
		uint32		size = Max(by_number_size * 2, 64);
		SeemeViewer **grown = MemoryContextAllocExtended(seeme_viewers_context, sizeof(SeemeViewer *) * size,
														 MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);

		if (by_number != NULL)
		{
			memcpy(grown, by_number, sizeof(SeemeViewer *) * by_number_size);
			pfree(by_number);
		}
		by_number = grown;
		by_number_size = size;
	}
	seeme_slots_add(seeme_viewers_context, &numbers, person, numbers.used + 1);
	return &by_number[numbers.used];
}

/* Of whom nothing was read before seeme_cache_begin(). */
SeemeViewer *
seeme_cache_add_viewer(const SeemeViewerKey *key)
{
	SeemeViewer *viewer;

	if (came_by_key(key))
	{
		if (by_key == NULL)
		{
			HASHCTL		control = {.keysize = sizeof(SeemeViewerKey), .entrysize = sizeof(SeemeViewer), .hcxt = seeme_viewers_context};

			by_key = hash_create("seeme_rbac viewers", 64, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
		}
		viewer = hash_search(by_key, key, HASH_ENTER, NULL);
	}
	else
	{
		SeemeViewer **place = place_for(&key->user_id);

		viewer = *place = MemoryContextAlloc(seeme_viewers_context, sizeof(SeemeViewer));
	}
	memset(viewer, 0, sizeof(SeemeViewer));
	viewer->key = *key;
	viewer->read_under = seeme_cache_read_under();
	viewer->next_change = DT_NOEND;
	viewer->tokens_valid_from = DT_NOBEGIN;
	seeme_cache_has_grown = true;
	return viewer;
}

/* What is remembered of a viewer is not true any more: a date has passed, or something about them has changed. */
void
seeme_cache_forget_viewer(SeemeViewer *viewer)
{
	for (uint32 i = 0; i < viewer->nstandings; i++)
		pfree(viewer->standings[i]);
	if (viewer->standings != NULL)
		pfree(viewer->standings);
	if (viewer->standing_numbers.slots != NULL)
		pfree(viewer->standing_numbers.slots);
	if (viewer->reached_by_key != NULL)
		pfree(viewer->reached_by_key);
	for (SeemeResources *resources = viewer->resources, *next; resources != NULL; resources = next)
	{
		next = resources->next;
		if (resources->slots.slots != NULL)
			pfree(resources->slots.slots);
		pfree(resources);
	}
	forget_ids(viewer);
	if (viewer->sets.all != NULL)
		pfree(viewer->sets.all);
	last_viewer = NULL;
	if (came_by_key(&viewer->key))
		hash_search(by_key, &viewer->key, HASH_REMOVE, NULL);
	else
	{
		*place_for(&viewer->key.user_id) = NULL;
		pfree(viewer);
	}
	seeme_moves++;
}

static void
put_few(SeemeViewer *viewer, uint32 place, SeemeSet set)
{
	SeemePlaceSet *few = viewer->sets.few;
	uint32		i = (place * 2654435769u) & (viewer->size - 1);

	while (few[i].place != 0 && few[i].place != place)
		i = (i + 1) & (viewer->size - 1);
	if (few[i].place == 0)
		viewer->used++;
	few[i].place = place;
	few[i].set = set;
}

/* A hash table of twice the size. */
static void
grow_few(SeemeViewer *viewer)
{
	SeemePlaceSet *old = viewer->sets.few;
	uint32		old_size = viewer->size;
	uint32		size = Max(old_size * 2, 4);

	viewer->sets.few = MemoryContextAllocZero(seeme_viewers_context, sizeof(SeemePlaceSet) * size);
	viewer->size = size;
	viewer->used = 0;
	for (uint32 i = 0; i < old_size; i++)
		if (old[i].place != 0)
			put_few(viewer, old[i].place, old[i].set);
	if (old != NULL)
		pfree(old);
}

/* An array with room for places up to a number. */
static void
make_flat(SeemeViewer *viewer, uint32 place)
{
	uint32		size = Max(seeme_cache_places_size(), place + 1);
	SeemeSet   *all = MemoryContextAllocExtended(seeme_viewers_context, sizeof(SeemeSet) * size, MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);

	if (viewer->is_flat)
		memcpy(all, viewer->sets.all, sizeof(SeemeSet) * viewer->size);
	else
		for (uint32 i = 0; i < viewer->size; i++)
			all[viewer->sets.few[i].place] = viewer->sets.few[i].set;
	if (viewer->sets.all != NULL)
		pfree(viewer->sets.all);
	viewer->sets.all = all;
	viewer->size = size;
	viewer->is_flat = true;
}

/* False: there is no room for it. */
bool
seeme_viewer_remember(SeemeViewer *viewer, uint32 place, SeemeSet set)
{
	if (viewer->is_flat ? place >= viewer->size : (viewer->used + 1) * 2 > viewer->size)
	{
		if (!viewer->is_flat && viewer->used < FEW_PLACES)
			grow_few(viewer);
		else if (seeme_cache_fits(sizeof(SeemeSet) * Max(seeme_cache_places_size(), (Size) place + 1)))
			make_flat(viewer, place);
		else
			return false;
	}
	seeme_cache_has_grown = true;
	if (viewer->is_flat)
		viewer->sets.all[place] = set;
	else
		put_few(viewer, place, set);
	return true;
}

/* What the API key reaches that a viewer came by. */
void
seeme_viewer_set_reached_by_key(SeemeViewer *viewer, const uint64 *words)
{
	Size		size = sizeof(uint64) * seeme_cache_nwords();

	viewer->reached_by_key = memcpy(MemoryContextAlloc(seeme_viewers_context, size), words, size);
}

/* Where a standing is among a viewer's, from 1; 0: it is not known. */
static uint32
number_of_standing(const SeemeViewer *viewer, const pg_uuid_t *organization_id)
{
	SeemeSlot  *slot;

	if (viewer->nstandings > FEW_STANDINGS)
	{
		slot = seeme_slots_find(&viewer->standing_numbers, organization_id);
		return slot == NULL ? 0 : slot->number;
	}
	for (uint32 i = viewer->nstandings; i > 0; i--)
		if (seeme_uuid_equal(&viewer->standings[i - 1]->organization_id, organization_id))
			return i;
	return 0;
}

/* NULL: it is not known. */
SeemeKnownStanding *
seeme_viewer_find_standing(SeemeViewer *viewer, const pg_uuid_t *organization_id)
{
	uint32		number = number_of_standing(viewer, organization_id);

	return number == 0 ? NULL : viewer->standings[number - 1];
}

/* With room for one more. */
static void
grow_standings(SeemeViewer *viewer)
{
	Size		size = Max((Size) viewer->standings_size * 2, 4);
	SeemeKnownStanding **grown = MemoryContextAllocExtended(seeme_viewers_context, sizeof(SeemeKnownStanding *) * size,
															MCXT_ALLOC_HUGE);

	if (viewer->standings != NULL)
	{
		memcpy(grown, viewer->standings, sizeof(SeemeKnownStanding *) * viewer->nstandings);
		pfree(viewer->standings);
	}
	viewer->standings = grown;
	viewer->standings_size = size;
}

/* All of it empty, to be filled by the caller. One that was there before goes. NULL: there is no room for it. */
SeemeKnownStanding *
seeme_viewer_add_standing(SeemeViewer *viewer, const pg_uuid_t *organization_id, int nmemberships)
{
	uint32		number = number_of_standing(viewer, organization_id);
	Size		size = offsetof(SeemeKnownStanding, memberships) + sizeof(SeemeKnownMembership) * nmemberships;
	bool		grows = number == 0 && viewer->nstandings >= viewer->standings_size;
	SeemeKnownStanding *standing;

	if (!seeme_cache_fits(size +
						  (grows ? sizeof(SeemeKnownStanding *) * 2 * viewer->standings_size : 0) +
						  (number == 0 && viewer->nstandings >= FEW_STANDINGS ? seeme_slots_growth(&viewer->standing_numbers) : 0)))
		return NULL;
	standing = MemoryContextAllocExtended(seeme_viewers_context, size, MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	standing->organization_id = *organization_id;
	standing->nmemberships = nmemberships;
	if (number != 0)
	{
		pfree(viewer->standings[number - 1]);
		viewer->standings[number - 1] = standing;
	}
	else
	{
		if (grows)
			grow_standings(viewer);
		viewer->standings[viewer->nstandings++] = standing;
		if (viewer->nstandings > FEW_STANDINGS)
			for (uint32 i = viewer->nstandings == FEW_STANDINGS + 1 ? 1 : viewer->nstandings; i <= viewer->nstandings; i++)
				seeme_slots_add(seeme_viewers_context, &viewer->standing_numbers, &viewer->standings[i - 1]->organization_id, i);
	}
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

		*set = viewer->is_flat ? viewer->sets.all[i] : viewer->sets.few[i].set;
		if (*set != SEEME_UNKNOWN_SET)
			return viewer->is_flat ? i : viewer->sets.few[i].place;
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

/* One that is not there yet, if there is room for it. */
void
seeme_resources_add(SeemeResources *resources, const pg_uuid_t *id, SeemeSet set)
{
	if (!seeme_cache_fits(seeme_slots_growth(&resources->slots)))
		return;
	seeme_slots_add(seeme_viewers_context, &resources->slots, id, set);
	seeme_cache_has_grown = true;
}

/* Takes in all of which anything is held, instead of those there are; false: there is no room for them. */
bool
seeme_resources_complete(SeemeResources *resources, const SeemeSlots *loaded)
{
	Size		size = loaded->slots == NULL ? 0 : sizeof(SeemeSlot) * ((Size) loaded->mask + 1);
	SeemeSlots	copy = *loaded;

	if (!seeme_cache_fits(size))
		return false;
	if (size > 0)
		copy.slots = memcpy(MemoryContextAllocExtended(seeme_viewers_context, size, MCXT_ALLOC_HUGE), loaded->slots, size);
	if (resources->slots.slots != NULL)
		pfree(resources->slots.slots);
	resources->slots = copy;
	resources->is_complete = true;
	seeme_cache_has_grown = true;
	return true;
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

/* NULL: there is no room for them. */
const SeemeIds *
seeme_viewer_add_ids(SeemeViewer *viewer, int level, uint32 type, int code, const pg_uuid_t *values, int n)
{
	SeemeHeldIds *held;

	if (!seeme_cache_fits(seeme_ids_size(n)))
		return NULL;
	held = MemoryContextAllocZero(seeme_viewers_context, sizeof(SeemeHeldIds));
	held->level = level;
	held->type = type;
	held->code = code;
	seeme_ids_fill(seeme_viewers_context, &held->ids, values, n);
	seeme_cache_has_grown = true;
	held->next = viewer->ids;
	viewer->ids = held;
	return &held->ids;
}

/* The people whom a viewer sees; NULL: that is not known, or something has changed since. */
const SeemeIds *
seeme_viewer_find_people(SeemeViewer *viewer)
{
	return viewer->people_read_under != 0 && viewer->people_read_under == seeme_cache_label ?
		&viewer->people : NULL;
}

/*
 * Those who were read since the last seeme_cache_begin(). Whoever points to former ones has seen
 * seeme_moves move since. NULL: there is no room for them.
 */
const SeemeIds *
seeme_viewer_set_people(SeemeViewer *viewer, const pg_uuid_t *ids, int n)
{
	forget_people(viewer);
	if (!seeme_cache_fits(seeme_ids_size(n)))
		return NULL;
	seeme_ids_fill(seeme_viewers_context, &viewer->people, ids, n);
	seeme_cache_has_grown = true;
	viewer->people_read_under = seeme_cache_label;
	return &viewer->people;
}
