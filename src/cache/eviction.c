/*
 * eviction.c: what is forgotten of all that is remembered, and when.
 *
 * Sets the label of what is remembered (seeme_cache_label). Pointers into what is remembered are good as long as seeme_moves is the
 * same: room is made at the next seeme_cache_begin() only, when nobody holds one. Knows neither who is asking nor what a
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
static uint64 read_under_each[SEEME_NCHANGES];

/* Each part takes along what follows it. */

static void
forget_places(void)
{
	seeme_viewers_forget();
	seeme_places_forget();
}

static void
forget_everything(void)
{
	forget_places();
	seeme_people_forget();
	seeme_vocabulary_forget();
}

/*
 * Before anything is looked up in order to be added to: forgets what is not true any more, and makes room. From here on to
 * the next call pointers into the cache are good.
 */
void
seeme_cache_begin(void)
{
	seeme_cache_create_contexts();
	if (seeme_cache_label != seeme_changes)
	{
		if (seeme_cache_label != 0)
			seeme_cache_counters.resets++;
		if (read_under_each[SEEME_CHANGE_OF_RIGHTS] != seeme_changes_of[SEEME_CHANGE_OF_RIGHTS])
			seeme_people_forget();
		if (read_under_each[SEEME_CHANGE_OF_VOCABULARY] != seeme_changes_of[SEEME_CHANGE_OF_VOCABULARY])
			forget_everything();
		else if (read_under_each[SEEME_CHANGE_OF_PLACES] != seeme_changes_of[SEEME_CHANGE_OF_PLACES])
			forget_places();
		else if (read_under_each[SEEME_CHANGE_OF_RIGHTS] != seeme_changes_of[SEEME_CHANGE_OF_RIGHTS])
			seeme_viewers_forget();
		else if (read_under_each[SEEME_CHANGE_OF_ASSIGNMENTS] != seeme_changes_of[SEEME_CHANGE_OF_ASSIGNMENTS])
			seeme_resources_forget();
		/* Of a person whose group has changed, it is forgotten when they ask. */
		memcpy(read_under_each, seeme_changes_of, sizeof(read_under_each));
		seeme_cache_label = seeme_changes;
	}
	if ((seeme_cache_has_grown || bounded_by != seeme_cache_limit()) &&
		(seeme_cache_was_full || seeme_cache_bytes() > seeme_cache_limit() || seeme_cache_has_run_out_of_sets()))
	{
		seeme_cache_counters.evictions++;
		/* Who asks changes more often than where. */
		if (!seeme_cache_has_run_out_of_sets() &&
			MemoryContextMemAllocated(seeme_viewers_context, true) > seeme_cache_limit() / 2)
			seeme_viewers_forget();
		else
			forget_everything();
		/* The bound has been lowered. */
		if (seeme_cache_bytes() > seeme_cache_limit())
			forget_everything();
	}
	seeme_cache_has_grown = seeme_cache_was_full = false;
	bounded_by = seeme_cache_limit();
}
