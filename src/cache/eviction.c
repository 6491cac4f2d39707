/*
 * eviction.c: what the cache forgets, and when.
 *
 * Owns the generation that the cache was read under (seeme_cached_generation). Forgets only in
 * seeme_cache_evict(), when nobody holds a pointer into the cache. Must not read a table, nor
 * know who is asking: effective_permissions.c and preload.c fill the cache.
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "cache/cache.h"
#include "cache/parts.h"
#include "core/invalidation.h"

/* The limit of memory when the cache was last evicted. */
static Size bounded_by = 0;

/* The generations that the cache was read under, by kind. */
static uint64 generations[SEEME_NINVAL_KINDS];

/*
 * Forgetting places forgets the principals, too, and forgetting the vocabulary forgets
 * everything.
 */

static void
forget_places(void)
{
	seeme_principals_forget();
	seeme_places_forget();
}

static void
forget_everything(void)
{
	forget_places();
	seeme_users_forget();
	seeme_vocabulary_forget();
}

/*
 * Forgets what is out of date, and makes room. Pointers into the cache are valid until the next
 * call.
 */
void
seeme_cache_evict(void)
{
	seeme_cache_create_contexts();
	if (seeme_cached_generation != seeme_generation)
	{
		if (seeme_cached_generation != 0)
			seeme_cache_counters.resets++;
		if (generations[SEEME_INVAL_RIGHTS] != seeme_generations[SEEME_INVAL_RIGHTS])
			seeme_users_forget();
		if (generations[SEEME_INVAL_VOCABULARY] != seeme_generations[SEEME_INVAL_VOCABULARY])
			forget_everything();
		else if (generations[SEEME_INVAL_PLACES] != seeme_generations[SEEME_INVAL_PLACES])
			forget_places();
		else if (generations[SEEME_INVAL_RIGHTS] != seeme_generations[SEEME_INVAL_RIGHTS])
			seeme_principals_forget();
		else if (generations[SEEME_INVAL_ASSIGNMENTS] != seeme_generations[SEEME_INVAL_ASSIGNMENTS])
			seeme_resources_forget();
		/* Principals in an invalidated bucket are forgotten when they are looked up next. */
		memcpy(generations, seeme_generations, sizeof(generations));
		seeme_cached_generation = seeme_generation;
	}
	if ((seeme_cache_has_grown || bounded_by != seeme_cache_limit()) &&
		(seeme_cache_was_full || seeme_cache_bytes() > seeme_cache_limit() ||
		 seeme_cache_ran_out_of_code_sets()))
	{
		seeme_cache_counters.evictions++;
		/* Prefer to forget principals: places are shared by all of them. */
		if (!seeme_cache_ran_out_of_code_sets() &&
			MemoryContextMemAllocated(seeme_principals_context, true) > seeme_cache_limit() / 2)
			seeme_principals_forget();
		else
			forget_everything();
		/* The limit has been lowered. */
		if (seeme_cache_bytes() > seeme_cache_limit())
			forget_everything();
	}
	seeme_cache_has_grown = seeme_cache_was_full = false;
	bounded_by = seeme_cache_limit();
}
