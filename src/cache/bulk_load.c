/*
 * bulk_load.c: all permissions of a principal, read at once.
 *
 * From then on, what the cache does not know of the principal is not permitted. Owns no state. Must
 * not decide: it puts each place into the cache by effective_permissions.c.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/memutils.h"

#include "cache/cache.h"
#include "cache/code_bits.h"
#include "cache/effective_permissions.h"
#include "cache/preload.h"
#include "core/codes.h"
#include "core/evaluator.h"
#include "core/store.h"

static bool
is_memory_used_up(void)
{
	return seeme_cache_bytes() > seeme_cache_limit() || seeme_cache_ran_out_of_code_sets();
}

/*
 * Loads the codes in an organization and, for its owner and members, in every container that lies
 * there, but at most `limit` of each kind. Returns how many places there were; -1: not all of them
 * can be cached.
 */
static int64
load_organization(SeemePrincipal *principal, SeemeCachedPrincipal *cached, const pg_uuid_t *id,
				  int limit)
{
	SeemeGrants *grants = seeme_read_grants(principal, id, seeme_look_up_owner, INT_MAX);
	SeemePlace	place;
	uint64	   *words = seeme_empty_code_bits();
	int64		nplaces = 1;

	seeme_cached_note_dates_of_grants(cached, principal->now, grants);
	seeme_set_organization_place(&place, id);
	if (!seeme_cache_place_codes(principal, cached, SEEME_SCOPE_ORGANIZATION, &place, grants,
								 words))
		return -1;
	if (!seeme_belongs(grants))
		return 1;
	for (SeemeScopeKind kind = SEEME_SCOPE_ORGANIZATION + 1; kind <= SEEME_NCONTAINERS; kind++)
	{
		List	   *places = seeme_list_places(principal->store, kind, SEEME_SCOPE_ORGANIZATION, id,
											   limit);
		ListCell   *cell;

		foreach(cell, places)
		{
			if (!seeme_cache_place_codes(principal, cached, kind, lfirst(cell), grants, words))
				return -1;
		}
		nplaces += list_length(places);
	}
	return nplaces;
}

/*
 * Loads all containers in which a principal has any code. False: there are more than `limit` of
 * them, or they take too much memory. Outside of the principal's own organizations there is nothing
 * to load.
 */
bool
seeme_load_all_places(SeemeStore *store, SeemeCachedPrincipal *cached, int limit)
{
	SeemePrincipal principal;
	MemoryContext context;
	MemoryContext old;
	MemoryContext per_organization;
	int64		nplaces = 0;
	bool		is_complete = true;
	ListCell   *organization;

	if (seeme_is_powerless(cached) || cached->is_complete)
		return true;
	if (cached->larger_than >= limit)
		return false;
	context = AllocSetContextCreate(CurrentMemoryContext, "seeme_rbac bulk load",
									ALLOCSET_DEFAULT_SIZES);
	per_organization = AllocSetContextCreate(context, "seeme_rbac bulk load of an organization",
											 ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(context);
	seeme_init_from_cache(&principal, store, cached);
	foreach(organization, seeme_list_own_organizations(&principal))
	{
		int64		read;

		MemoryContextSwitchTo(per_organization);
		read = load_organization(&principal, cached, lfirst(organization), (int) (limit - nplaces));
		MemoryContextSwitchTo(context);
		MemoryContextReset(per_organization);
		nplaces += Max(read, 1);
		if (read < 0 || nplaces >= limit || is_memory_used_up())
		{
			is_complete = false;
			cached->larger_than = read >= 0 && nplaces >= limit ? limit : INT_MAX;
			break;
		}
	}
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
	seeme_cache_counters.bulk_loads++;
	/* Set this last: an error on the way leaves the principal incomplete. */
	cached->is_complete = is_complete;
	return is_complete;
}

/* Resources while they are loaded. The number of an entry, from 1, is the position of its words. */
typedef struct LoadedResources
{
	SeemeUuidHash numbers;
	uint64	   *words;
	Size		size;
} LoadedResources;

static void
add_loaded(LoadedResources *loaded, const pg_uuid_t *id, SeemeCodeSet set)
{
	Size		nwords = seeme_cache_nwords();
	SeemeUuidHashEntry *entry = seeme_uuid_hash_find(&loaded->numbers, id);
	uint32		number = entry != NULL ? entry->number : loaded->numbers.used + 1;

	if (number > loaded->size)
	{
		Size		size = Max(loaded->size * 2, 64);

		loaded->words = loaded->words == NULL ?
			palloc_extended(sizeof(uint64) * nwords * size, MCXT_ALLOC_HUGE) :
			repalloc_huge(loaded->words, sizeof(uint64) * nwords * size);
		loaded->size = size;
	}
	if (entry == NULL)
	{
		seeme_uuid_hash_insert(CurrentMemoryContext, &loaded->numbers, id, number);
		memset(loaded->words + nwords * (number - 1), 0, sizeof(uint64) * nwords);
	}
	add_words(loaded->words + nwords * (number - 1), seeme_cache_code_set(set));
}

/* Replaces the positions of words by code sets; false: there is no room for all of these. */
static bool
intern_loaded(LoadedResources *loaded)
{
	for (Size i = 0; loaded->numbers.entries != NULL && i <= loaded->numbers.mask; i++)
	{
		SeemeUuidHashEntry *entry = &loaded->numbers.entries[i];

		if (entry->number == 0)
			continue;
		entry->number = seeme_cache_intern(loaded->words +
										   (Size) seeme_cache_nwords() * (entry->number - 1));
		if (entry->number == SEEME_UNKNOWN_CODE_SET)
			return false;
	}
	return true;
}

/*
 * Loads all resources of a type on which a principal has any code. False: as for
 * seeme_load_all_places().
 */
bool
seeme_load_all_resources(SeemeStore *store, SeemeCachedPrincipal *cached,
						 const char *resource_type, int limit)
{
	SeemeCachedResources *resources;
	LoadedResources loaded = {0};
	uint32		position = 0;
	uint32		number;
	int64		nread = 0;
	bool		is_complete = true;
	SeemeCodeSet set;
	MemoryContext context;
	MemoryContext old;

	if (seeme_is_powerless(cached))
		return true;
	if (!seeme_load_all_places(store, cached, limit))
		return false;
	resources = seeme_cached_resources(cached, resource_type);
	if (resources->is_complete)
		return true;
	if (resources->larger_than >= limit)
		return false;
	context = AllocSetContextCreate(CurrentMemoryContext, "seeme_rbac bulk load",
									ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(context);

	/*
	 * Kept apart from the cached ones: until the end, a resource may lack codes of some projects.
	 */
	while (is_complete &&
		   (number = seeme_cached_next_place(cached, &position, &set)) != 0)
	{
		const pg_uuid_t *project = seeme_place_id(seeme_cache_place(number), SEEME_SCOPE_PROJECT);
		List	   *assignments;
		ListCell   *cell;

		if (set == SEEME_EMPTY_CODE_SET || project == NULL)
			continue;
		assignments = seeme_list_assignments_to(store, project, resource_type,
												(int) (limit - nread));
		foreach(cell, assignments)
		{
			add_loaded(&loaded, &((SeemeAssignment *) lfirst(cell))->resource_id, set);
		}
		nread += 1 + list_length(assignments);
		list_free_deep(assignments);
		/* Stop as soon as the result cannot be cached any more. */
		is_complete = nread < limit &&
			seeme_cache_bytes() + sizeof(SeemeUuidHashEntry) * ((Size) loaded.numbers.mask + 1) <=
			seeme_cache_limit();
	}
	is_complete = is_complete && intern_loaded(&loaded) &&
		seeme_cached_resources_set_complete(resources, &loaded.numbers);
	if (!is_complete)
		resources->larger_than = nread >= limit ? limit : INT_MAX;
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
	seeme_cache_counters.bulk_loads++;
	return is_complete;
}
