/*
 * eviction.c: what is forgotten of all that is remembered, and when.
 *
 * Sets the label of what is remembered (seeme_cached_generation). Pointers into what is remembered are good as long as seeme_site_generation is the
 * same: room is made at the next seeme_cache_evict() only, when nobody holds one. Knows neither who is asking nor what a
 * permission means, and reads no table: effective_permissions.c and preload.c fill the parts.
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "cache/cache.h"
#include "cache/parts.h"
#include "core/invalidation.h"

/* The bound when room was last made. */
static Size bounded_by = 0;

/* The changes that all of this was read under, by kind. */
static uint64 generations[SEEME_NINVAL_KINDS];

/* Each part takes along what follows it. */

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
 * Before anything is looked up in order to be added to: forgets what is not true any more, and makes room. From here on to
 * the next call pointers into the cache are good.
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
		/* Of a person whose group has changed, it is forgotten when they ask. */
		memcpy(generations, seeme_generations, sizeof(generations));
		seeme_cached_generation = seeme_generation;
	}
	if ((seeme_cache_has_grown || bounded_by != seeme_cache_limit()) &&
		(seeme_cache_was_full || seeme_cache_bytes() > seeme_cache_limit() || seeme_cache_ran_out_of_code_sets()))
	{
		seeme_cache_counters.evictions++;
		/* Who asks changes more often than where. */
		if (!seeme_cache_ran_out_of_code_sets() &&
			MemoryContextMemAllocated(seeme_principals_context, true) > seeme_cache_limit() / 2)
			seeme_principals_forget();
		else
			forget_everything();
		/* The bound has been lowered. */
		if (seeme_cache_bytes() > seeme_cache_limit())
			forget_everything();
	}
	seeme_cache_has_grown = seeme_cache_was_full = false;
	bounded_by = seeme_cache_limit();
}
