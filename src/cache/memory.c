/*
 * memory.c: the memory of the cache: a context for each part, one limit for all, and counters.
 *
 * Must not know what a part keeps, or when it is forgotten: that is for the parts (vocabulary.c,
 * places.c, principals.c) and eviction.c. The limit holds within one call, too:
 * seeme_cache_fits() refuses what would exceed it, and the answer is then given without being
 * cached.
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
#include "core/version.h"

SeemeCacheCounters seeme_cache_counters;

static int	cache_memory = 16 * 1024;	/* kB */

/* The generation that the cache was read under. */
uint64		seeme_cached_generation = 0;

bool		seeme_cache_has_grown = false;
bool		seeme_cache_was_full = false;

/* Up to this size, a chunk comes out of a block that is allocated already. */
#define SMALL 1024

static MemoryContext cache_context = NULL;
MemoryContext seeme_vocabulary_context = NULL;
MemoryContext seeme_places_context = NULL;
MemoryContext seeme_users_context = NULL;
MemoryContext seeme_principals_context = NULL;

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

/* Whether the cache may grow by this much. */
bool
seeme_cache_fits(Size more)
{
	if (more == 0 || seeme_cache_bytes() + (more <= SMALL ? 0 : more) <= seeme_cache_limit())
		return true;
	seeme_cache_was_full = seeme_cache_has_grown = true;
	return false;
}

/* Small blocks. A large chunk gets a block of its own. */
static MemoryContext
create_context(const char *name)
{
	return AllocSetContextCreateInternal(cache_context, name, 0, 8 * 1024, 64 * 1024);
}

/* Creates the contexts that do not exist. */
void
seeme_cache_create_contexts(void)
{
	if (cache_context == NULL)
		cache_context = AllocSetContextCreate(TopMemoryContext, "seeme_rbac cache",
											  ALLOCSET_SMALL_SIZES);
	if (seeme_vocabulary_context == NULL)
		seeme_vocabulary_context = create_context("seeme_rbac vocabulary");
	if (seeme_places_context == NULL)
		seeme_places_context = create_context("seeme_rbac places");
	if (seeme_users_context == NULL)
		seeme_users_context = create_context("seeme_rbac people");
	if (seeme_principals_context == NULL)
		seeme_principals_context = create_context("seeme_rbac viewers");
}

/*
 * The generation of the last seeme_cache_evict(). The cache is valid while seeme_generation is
 * the same.
 */
uint64
seeme_cache_generation(void)
{
	return seeme_cached_generation;
}

/*
 * seeme.cache_counters() RETURNS TABLE (hits, probes, bulk_loads, evictions, resets, bypasses,
 * bytes bigint)
 */
SEEME_FUNCTION(seeme_cache_counters_of_backend, 0)
{
	const SeemeCacheCounters *c = &seeme_cache_counters;
	int64		values[] = {c->hits, c->probes, c->bulk_loads, c->evictions,
	c->resets, c->bypasses, seeme_cache_bytes()};
	Datum		datums[lengthof(values)];
	bool		nulls[lengthof(values)] = {false};
	TupleDesc	columns;

	if (get_call_result_type(fcinfo, NULL, &columns) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "the result is no row");
	for (int i = 0; i < lengthof(values); i++)
		datums[i] = Int64GetDatum(values[i]);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(columns), datums, nulls)));
}
