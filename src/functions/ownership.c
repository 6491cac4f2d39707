/*
 * ownership.c: whether the ownership of a row counts.
 *
 * The owner column of a protected table gives a user every permission on a row while the user
 * belongs to where the row lies: to each organization that the row's columns name and, if its
 * resource is assigned, to at least one organization that it is assigned in. The policy has
 * compared the owner before. Roles and codes do not matter here, except where a row leaves an
 * organization.
 *
 * Owns the state of its call sites. Must not know whose row it is. Must not decide: evaluator.c
 * and the cache say who belongs where.
 */
#include "postgres.h"

#include "access/xact.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "cache/cache.h"
#include "core/invalidation.h"
#include "core/codes.h"
#include "core/evaluator.h"
#include "cache/effective_permissions.h"
#include "identity/identity.h"
#include "functions/arguments.h"
#include "functions/ownership.h"
#include "core/store.h"
#include "core/version.h"

/* What is known of an id. These are numbers of hash entries, where 0 is a free entry. */
typedef enum Finding
{
	UNKNOWN,
	NOWHERE,					/* a resource that is assigned to no project */
	MEMBER,
	NOT_A_MEMBER,				/* also where there is no such container */
} Finding;


/* The arguments: one for each kind of scope, then the two others. */
#define ARG(kind) ((kind) - 1)
#define ARG_TYPE SEEME_NSCOPE_KINDS
#define ARG_IF_NOWHERE (SEEME_NSCOPE_KINDS + 1)

/* The most findings that a site keeps for each kind. */
#define MAX_REMEMBERED 65536

/* Preloading all assignments is considered after every so many look-ups of resources. */
#define LOOKUPS_CONSIDERED 16

/*
 * One look-up costs as much as this many rows of a table scan. So all assignments are read when
 * they are no more, and both together cost at most twice the cheaper of the two.
 */
#define ROWS_PER_LOOKUP 15

/* What is kept from row to row: fn_extra. */
typedef struct OwnershipSite
{
	uint64		generation;		/* seeme_site_generation; 0: the site is not valid */
	bool		identity_is_set;	/* then a change of identity moves the generation, too */
	const SeemeIdentity *asker;
	TimestampTz next_change;	/* the first date on which an answer may change */
	int			lookups_of_resources;
	SeemeUuidHash found[SEEME_NCONTAINERS + 1]; /* the numbers are findings */
	SeemeCachedResources *resources;	/* in the cache, because nearly every row has another
										 * resource; the numbers are findings */
} OwnershipSite;

static bool
is_fresh(const OwnershipSite *site)
{
	return site->generation == seeme_site_generation &&
		(site->identity_is_set || site->asker == seeme_current_identity()) &&
		(site->next_change == DT_NOEND || !seeme_has_passed(site->next_change));
}

static void
forget(OwnershipSite *site)
{
	for (SeemeScopeKind kind = SEEME_NO_SCOPE + 1; kind <= SEEME_NCONTAINERS; kind++)
		if (site->found[kind].entries != NULL)
			pfree(site->found[kind].entries);
	memset(site->found, 0, sizeof(site->found));
	site->resources = NULL;
	site->generation = 0;
	site->next_change = DT_NOEND;
}

/* The finding for an id. */
static Finding
find_finding(const OwnershipSite *site, SeemeScopeKind kind, const pg_uuid_t *id)
{
	const SeemeUuidHash *entries;
	SeemeUuidHashEntry *entry;

	if (kind == SEEME_SCOPE_RESOURCE && site->resources == NULL)
		return UNKNOWN;
	entries = kind == SEEME_SCOPE_RESOURCE ? &site->resources->entries : &site->found[kind];
	entry = seeme_uuid_hash_find(entries, id);
	if (entry != NULL)
		return entry->number;
	return kind == SEEME_SCOPE_RESOURCE && site->resources->is_complete ? NOWHERE : UNKNOWN;
}

/*
 * Combines the findings for the given ids; false: one is unknown. A single NOT_A_MEMBER is enough
 * for *counts to be false.
 */
static bool
count_cached(FunctionCallInfo fcinfo, const OwnershipSite *site, bool *counts)
{
	bool		lies_somewhere = false;

	for (SeemeScopeKind kind = SEEME_NO_SCOPE + 1; kind <= SEEME_NSCOPE_KINDS; kind++)
	{
		Finding		finding;

		if (PG_ARGISNULL(ARG(kind)))
			continue;
		finding = find_finding(site, kind, PG_GETARG_UUID_P(ARG(kind)));
		if (finding == UNKNOWN)
			return false;
		if (finding == NOT_A_MEMBER)
		{
			*counts = false;
			return true;
		}
		lies_somewhere = lies_somewhere || finding == MEMBER;
	}
	*counts = lies_somewhere || (!PG_ARGISNULL(ARG_IF_NOWHERE) && PG_GETARG_BOOL(ARG_IF_NOWHERE));
	return true;
}

static char *
resource_type(FunctionCallInfo fcinfo)
{
	return PG_ARGISNULL(ARG_TYPE) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(ARG_TYPE));
}

/* The state while all assignments are read. */
typedef struct Reading
{
	SeemeStore *store;
	SeemeCachedPrincipal *cached;
	SeemeUuidHash found;		/* the numbers are findings */
} Reading;

static void
add_assignment(void *context, const SeemeAssignment *assignment)
{
	Reading    *reading = context;
	SeemeUuidHashEntry *entry = seeme_uuid_hash_find(&reading->found, &assignment->resource_id);
	Finding		finding;

	CHECK_FOR_INTERRUPTS();
	if (entry != NULL && entry->number == MEMBER)
		return;
	finding = seeme_cached_is_member(reading->store, reading->cached, SEEME_SCOPE_PROJECT,
									 &assignment->project_id)
		? MEMBER
		: NOT_A_MEMBER;
	if (entry == NULL)
		seeme_uuid_hash_insert(CurrentMemoryContext, &reading->found, &assignment->resource_id,
							   finding);
	else
		entry->number = finding;
}

/*
 * Preloads all assignments of the type after enough look-ups. A resource that is missing then is
 * assigned nowhere, so either all of them are kept or none is.
 */
static void
read_assignments(FunctionCallInfo fcinfo, OwnershipSite *site, SeemeStore *store,
				 SeemeCachedPrincipal *cached)
{
	Reading		reading = {store, cached};
	double		rows;
	int			most;
	MemoryContext context;
	MemoryContext old;

	site->lookups_of_resources++;
	/* A serializable transaction does not preload: a table scan conflicts with every writer. */
	if (site->resources->is_complete || site->resources->larger_than > 0 ||
		site->lookups_of_resources % LOOKUPS_CONSIDERED != 0 || IsolationIsSerializable())
		return;
	most = Min((int64) site->lookups_of_resources * ROWS_PER_LOOKUP, MAX_REMEMBERED);
	rows = seeme_estimate_rows(store, SEEME_TABLE_project_resources);
	if (rows > (double) most)
		return;
	context = AllocSetContextCreate(CurrentMemoryContext, "seeme_rbac assignments",
									ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(context);
	/* The estimate may be out of date. Do not read again what was read in vain. */
	if (!seeme_visit_assignments(store, resource_type(fcinfo), 2 * most, add_assignment,
								 &reading) ||
		!seeme_cached_resources_set_complete(site->resources, &reading.found))
		site->resources->larger_than = most;
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
}

/* The cached resources of a type with findings as numbers, apart from those with code sets. */
static SeemeCachedResources *
resources_of(FunctionCallInfo fcinfo, SeemeStore *store, SeemeCachedPrincipal *cached)
{
	char	   *type = resource_type(fcinfo);

	seeme_require_resource_type(store, type);
	return seeme_cached_resources(cached, psprintf("owned %s", type));
}

/* Finds out about one id, from the cache where possible. */
static Finding
look_up(FunctionCallInfo fcinfo, OwnershipSite *site, SeemeStore *store,
		SeemeCachedPrincipal *cached, SeemeScopeKind kind)
{
	pg_uuid_t  *id = PG_GETARG_UUID_P(ARG(kind));
	Finding		found;
	ListCell   *cell;

	if (kind != SEEME_SCOPE_RESOURCE)
		return seeme_cached_is_member(store, cached, kind, id) ? MEMBER : NOT_A_MEMBER;
	read_assignments(fcinfo, site, store, cached);
	found = find_finding(site, kind, id);
	if (found != UNKNOWN)
		return found;
	found = NOWHERE;
	foreach(cell, seeme_list_assignments(store, id, resource_type(fcinfo), INT_MAX))
	{
		CHECK_FOR_INTERRUPTS();
		found = NOT_A_MEMBER;
		if (seeme_cached_is_member(store, cached, SEEME_SCOPE_PROJECT,
								   &((SeemeAssignment *) lfirst(cell))->project_id))
			return MEMBER;
	}
	return found;
}

static void
cache_finding(FunctionCallInfo fcinfo, OwnershipSite *site, SeemeScopeKind kind,
			  const pg_uuid_t *id, Finding finding)
{
	SeemeUuidHash *entries = kind == SEEME_SCOPE_RESOURCE ? &site->resources->entries
	: &site->found[kind];

	if (kind == SEEME_SCOPE_RESOURCE)
	{
		if (!site->resources->is_complete && entries->used < MAX_REMEMBERED)
			seeme_cached_resources_add(site->resources, id, finding);
		return;
	}
	if (entries->used >= MAX_REMEMBERED)
	{
		pfree(entries->entries);
		memset(entries, 0, sizeof(*entries));
	}
	seeme_uuid_hash_insert(fcinfo->flinfo->fn_mcxt, entries, id, finding);
}

/* Looks up the ids that are unknown, and keeps the findings. */
static pg_noinline bool
count_and_cache(FunctionCallInfo fcinfo)
{
	OwnershipSite *site = fcinfo->flinfo->fn_extra;
	const SeemeIdentity *asker = seeme_current_identity();
	SeemeStore	store;
	SeemeCachedPrincipal *cached = NULL;
	uint64		generation;
	uint64		site_generation;
	bool		lies_somewhere = false;
	bool		counts = false;

	if (site == NULL)
		site = fcinfo->flinfo->fn_extra = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt,
																 sizeof(OwnershipSite));
	if (!is_fresh(site))
		forget(site);
	seeme_cache_open(&store);
	generation = seeme_cache_generation();
	if (site->generation != seeme_site_generation)
		forget(site);
	site_generation = site->generation;
	site->generation = 0;		/* in case of an error */
	if (asker != NULL)
		cached = seeme_get_cached_principal(&store, asker);
	if (cached != NULL && !cached->is_refused)
	{
		/* The type is looked up once: it is valid for this generation. */
		if (site_generation != seeme_site_generation)
			site->resources = NULL;
		if (!PG_ARGISNULL(ARG(SEEME_SCOPE_RESOURCE)) && site->resources == NULL)
			site->resources = resources_of(fcinfo, &store, cached);
		counts = true;
		for (SeemeScopeKind kind = SEEME_NO_SCOPE + 1; kind <= SEEME_NSCOPE_KINDS && counts; kind++)
		{
			Finding		finding;

			if (PG_ARGISNULL(ARG(kind)))
				continue;
			finding = find_finding(site, kind, PG_GETARG_UUID_P(ARG(kind)));
			if (finding == UNKNOWN)
			{
				finding = look_up(fcinfo, site, &store, cached, kind);
				cache_finding(fcinfo, site, kind, PG_GETARG_UUID_P(ARG(kind)), finding);
			}
			counts = finding != NOT_A_MEMBER;
			lies_somewhere = lies_somewhere || finding == MEMBER;
		}
		if (counts && !lies_somewhere)
			counts = !PG_ARGISNULL(ARG_IF_NOWHERE) && PG_GETARG_BOOL(ARG_IF_NOWHERE);
		site->next_change = Min(asker->expires_at, cached->next_change);
		site->asker = asker;
		site->identity_is_set = seeme_identity_is_set();
		/* If anything has changed since it was read, the site is not valid for the next call. */
		site->generation = generation == seeme_generation ? seeme_site_generation : 0;
	}
	else
		forget(site);
	if (seeme_store_was_read(&store))
		seeme_cache_counters.probes++;
	else
		seeme_cache_counters.hits++;
	seeme_store_close(&store);
	return counts;
}

/* The places of a row, by its columns and by the assignment of its resource. */
typedef struct RowPlaces
{
	List	   *places;			/* of SeemePlace * */
	List	   *assigned;		/* of SeemePlace * */
	bool		is_missing;		/* a column names something that does not exist */
} RowPlaces;

static void
find_row_places(FunctionCallInfo fcinfo, SeemeStore *store, RowPlaces *row_places)
{
	memset(row_places, 0, sizeof(*row_places));
	for (SeemeScopeKind kind = SEEME_NO_SCOPE + 1; kind <= SEEME_NSCOPE_KINDS; kind++)
		if (!PG_ARGISNULL(ARG(kind)))
		{
			SeemeScope	scope = {kind, *PG_GETARG_UUID_P(ARG(kind)), resource_type(fcinfo)};
			List	   *places = seeme_find_places(store, &scope);

			if (kind == SEEME_SCOPE_RESOURCE)
				row_places->assigned = places;
			else if (places == NIL)
				row_places->is_missing = true;
			else
				row_places->places = list_concat(row_places->places, places);
		}
}

static bool
belongs_to(SeemePrincipal *principal, const SeemePlace *place)
{
	SeemeGrants *grants = seeme_get_grants(principal, seeme_place_organization(place));

	CHECK_FOR_INTERRUPTS();
	return seeme_belongs(grants);
}

/* Answers from the tables alone, past the cache. */
static pg_noinline bool
count_uncached(FunctionCallInfo fcinfo)
{
	SeemeStore	store;
	SeemePrincipal asking;
	RowPlaces	row;
	ListCell   *cell;
	bool		counts;

	seeme_store_open(&store);
	find_row_places(fcinfo, &store, &row);
	seeme_init_asking(&asking, &store);
	counts = !asking.is_refused && !row.is_missing;
	if (counts)
	{
		foreach(cell, row.places)
		{
			counts = counts && belongs_to(&asking, lfirst(cell));
		}
		if (row.assigned != NIL)
		{
			bool		belongs = false;

			foreach(cell, row.assigned)
			{
				belongs = belongs || belongs_to(&asking, lfirst(cell));
			}
			counts = counts && belongs;
		}
		else if (row.places == NIL)
			counts = !PG_ARGISNULL(ARG_IF_NOWHERE) && PG_GETARG_BOOL(ARG_IF_NOWHERE);
	}
	seeme_store_close(&store);
	seeme_cache_counters.bypasses++;
	return counts;
}

/*
 * Whether ownership counts. The arguments are those of seeme.ownership_counts(), and fn_extra is
 * ours. The resources of a site are of one type, so the type must be the same in all calls.
 */
bool
seeme_ownership_of(FunctionCallInfo fcinfo, bool type_is_constant)
{
	OwnershipSite *site = fcinfo->flinfo->fn_extra;
	bool		counts;

	if (!seeme_accept_invalidations() ||
		(!type_is_constant && !PG_ARGISNULL(ARG(SEEME_SCOPE_RESOURCE))))
		return count_uncached(fcinfo);
	if (site != NULL && is_fresh(site) && count_cached(fcinfo, site, &counts))
	{
		seeme_cache_counters.hits++;
		return counts;
	}
	return count_and_cache(fcinfo);
}

/*
 * seeme.ownership_counts(organization, team, project, resource uuid, resource_type text, alone
 * boolean) RETURNS boolean
 */
SEEME_FUNCTION(seeme_ownership_counts, 6)
{
	PG_RETURN_BOOL(seeme_ownership_of(fcinfo, PG_ARGISNULL(ARG(SEEME_SCOPE_RESOURCE)) ||
									  get_fn_expr_arg_stable(fcinfo->flinfo, ARG_TYPE)));
}

static int
compare_organizations(const ListCell *a, const ListCell *b)
{
	return memcmp(seeme_place_organization(lfirst(a)), seeme_place_organization(lfirst(b)),
				  UUID_LEN);
}

/*
 * Whether a principal may move a row away from some places. The principal has to belong to each
 * of their organizations, and needs the permission in each one that the row leaves. Sorts both
 * lists, so that one pass is enough.
 */
static bool
may_leave(SeemePrincipal *principal, List *left, List *kept, const SeemePermissionSpec *spec)
{
	int			k = 0;

	list_sort(left, compare_organizations);
	list_sort(kept, compare_organizations);
	for (int i = 0, next; i < list_length(left); i = next)
	{
		SeemePlace *place = list_nth(left, i);
		List	   *there = NIL;

		CHECK_FOR_INTERRUPTS();
		for (next = i; next < list_length(left) &&
			 compare_organizations(list_nth_cell(left, i), list_nth_cell(left, next)) == 0; next++)
			there = lappend(there, list_nth(left, next));
		while (k < list_length(kept) &&
			   compare_organizations(list_nth_cell(kept, k), list_nth_cell(left, i)) < 0)
			k++;
		if (k < list_length(kept) &&
			compare_organizations(list_nth_cell(kept, k), list_nth_cell(left, i)) == 0)
		{
			if (!belongs_to(principal, place))
				return false;
		}
		else if (!seeme_evaluate_spec(principal, there, spec))
			return false;
	}
	return true;
}

/*
 * seeme.may_move_out(permission text, organization, team, project, resource uuid,
 * new_organization, new_team, new_project, new_resource uuid, resource_type text) RETURNS boolean
 *
 * A column that keeps its value takes the row out of nothing. The answer tells nothing about
 * organizations to which whoever is asking does not belong.
 */
SEEME_FUNCTION(seeme_may_move_out, 10)
{
	SeemeStore	store;
	SeemePermissionSpec spec;
	SeemePrincipal asking;
	SeemeScope	scope = {
		.resource_type = PG_ARGISNULL(1 + 2 * SEEME_NSCOPE_KINDS)
		? NULL
	: text_to_cstring(PG_GETARG_TEXT_PP(1 + 2 * SEEME_NSCOPE_KINDS))};
	List	   *left = NIL;
	List	   *kept = NIL;
	bool		may;

	seeme_store_open(&store);
	seeme_parse_permission(&store, seeme_code_argument(fcinfo, 0), &spec);
	seeme_init_asking(&asking, &store);
	may = !asking.is_refused;
	for (SeemeScopeKind kind = SEEME_NO_SCOPE + 1; kind <= SEEME_NSCOPE_KINDS && may; kind++)
	{
		int			old = kind;
		int			new = SEEME_NSCOPE_KINDS + kind;
		List	   *places;

		scope.kind = kind;
		if (!PG_ARGISNULL(new))
		{
			scope.id = *PG_GETARG_UUID_P(new);
			kept = list_concat(kept, seeme_find_places(&store, &scope));
		}
		if (PG_ARGISNULL(old) || (!PG_ARGISNULL(new) &&
								  seeme_uuid_equal(PG_GETARG_UUID_P(old), PG_GETARG_UUID_P(new))))
			continue;
		scope.id = *PG_GETARG_UUID_P(old);
		places = seeme_find_places(&store, &scope);
		/* A deleted container does not tell its organization. */
		if (places == NIL && kind != SEEME_SCOPE_RESOURCE)
			may = false;
		left = list_concat(left, places);
	}
	may = may && may_leave(&asking, left, kept, &spec);
	seeme_store_close(&store);
	PG_RETURN_BOOL(may);
}
