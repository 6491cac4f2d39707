/*
 * cache.c: what people hold where, remembered: per backend, shared by everybody for whom it asks, and bounded.
 *
 * Owns the memory, its bound, and what is forgotten when. Knows neither who is asking nor what a permission means, and reads no
 * table: effective_permissions.c and preload.c fill it. It has four parts, a memory context each: the vocabulary (codes, sets of codes, roles), the
 * places and people (places.c), and the viewers. Pointers into them are good as long as seeme_moves is the same.
 *
 * The bound holds within one question, too: what would grow beyond it is not added (seeme_cache_fits()), and the question is
 * answered without being remembered. Room is made at the next seeme_cache_begin(), when nobody holds a pointer.
 */
#include "postgres.h"

#include <limits.h>

#include "access/htup_details.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/memutils.h"

#include "cache/cache.h"
#include "cache/parts.h"
#include "core/invalidation.h"
#include "core/version.h"

SeemeCacheCounters seeme_cache_counters;

static int	cache_memory = 16 * 1024;	/* kB */
static int	bounded_by = 0;		/* what it was when room was last made */

/* The changes that all of this was read under. */
static uint64 read_under = 0;
static uint64 read_under_each[SEEME_NCHANGES];

bool		seeme_cache_has_grown = false;
static bool was_full = false;	/* something did not fit since room was last made */

/* What is not larger than this fits as long as the bound is not passed: memory comes in blocks. */
#define SMALL 1024

static MemoryContext cache_context = NULL;
MemoryContext seeme_vocabulary_context = NULL;
MemoryContext seeme_places_context = NULL;
MemoryContext seeme_people_context = NULL;
MemoryContext seeme_viewers_context = NULL;

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

/* Whether so much more may be added. */
bool
seeme_cache_fits(Size more)
{
	if (more == 0 || seeme_cache_bytes() + (more <= SMALL ? 0 : more) <= seeme_cache_limit())
		return true;
	was_full = seeme_cache_has_grown = true;
	return false;
}

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
		cache_context = AllocSetContextCreate(TopMemoryContext, "seeme_rbac cache", ALLOCSET_SMALL_SIZES);
	}
	if (seeme_vocabulary_context == NULL)
		seeme_vocabulary_context = create_context("seeme_rbac vocabulary");
	if (seeme_places_context == NULL)
		seeme_places_context = create_context("seeme_rbac places");
	if (seeme_people_context == NULL)
		seeme_people_context = create_context("seeme_rbac people");
	if (seeme_viewers_context == NULL)
		seeme_viewers_context = create_context("seeme_rbac viewers");

	if (read_under != seeme_changes)
	{
		if (read_under != 0)
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
		read_under = seeme_changes;
	}
	if ((seeme_cache_has_grown || bounded_by != cache_memory) &&
		(was_full || seeme_cache_bytes() > seeme_cache_limit() || seeme_cache_has_run_out_of_sets()))
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
	seeme_cache_has_grown = was_full = false;
	bounded_by = cache_memory;
}

/* The number of changes at the last seeme_cache_begin(): while seeme_changes is the same, what is remembered is true. */
uint64
seeme_cache_read_under(void)
{
	return read_under;
}

/*
 * seeme.cache_counters() RETURNS TABLE (hits, probes, bulk_loads, evictions, resets, bypasses, bytes bigint)
 */
SEEME_FUNCTION(seeme_cache_counters_of_backend, 0)
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
