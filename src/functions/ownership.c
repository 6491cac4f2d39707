/*
 * ownership.c: whether the ownership of a row counts.
 *
 * A protected table's owner column gives its person everything on a row, but only while they belong to where the row lies: are
 * the owner or a current member of every organization that its columns name and, where the row's resource is assigned, of at
 * least one of those that it is assigned in. Whose row it is the policy has compared before; this is asked of the asking
 * person's own rows alone. No role or code matters here.
 *
 * Decides through evaluator.c and effective_permissions.c. Owns no state but a call site's: what was found of an id, for the next rows.
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

/* What an id says: numbers of slots, so not 0, which is a free one. */
typedef enum Finding
{
	UNKNOWN,
	NOWHERE,					/* a resource that is assigned to no project */
	BELONGS,
	STRANGER,					/* not a member there; or there is no such place, which nobody belongs to */
} Finding;

#define NKINDS (SEEME_NPLACE_KINDS + 1)
#define RESOURCE SEEME_NPLACE_KINDS /* after the kinds of places */

/* The arguments, by kind, then the two others. */
#define ARG_TYPE NKINDS
#define ARG_ALONE (NKINDS + 1)

/* No more than these are remembered of a kind, so that memory has a bound. */
#define MAX_REMEMBERED 65536

/* After so many look-ups of resources it is considered whether to read all assignments. */
#define LOOKUPS_CONSIDERED 16

/*
 * A look-up costs as much as so many rows of a table that is read as a whole: so all assignments are read when there are not more
 * than these, and together the two cost at most twice what would have been best.
 */
#define ROWS_PER_LOOKUP 15

/* What is remembered from row to row: fn_extra. */
typedef struct Site
{
	uint64		moves;			/* 0: good for nothing */
	bool		asker_is_set;	/* so that they are the same as long as nothing moves */
	const SeemeIdentity *asker;
	TimestampTz next_change;	/* the first date at which something becomes untrue */
	int			lookups_of_resources;
	SeemeSlots	found[SEEME_NPLACE_KINDS];	/* the numbers are findings */
	SeemeResources *resources;	/* the same of resources, which the cache keeps: each row is another one */
} Site;

static bool
is_true(const Site *site)
{
	return site->moves == seeme_moves && (site->asker_is_set || site->asker == seeme_asker()) &&
		(site->next_change == DT_NOEND || !seeme_has_come(site->next_change));
}

static void
forget(Site *site)
{
	for (int kind = 0; kind < SEEME_NPLACE_KINDS; kind++)
		if (site->found[kind].slots != NULL)
			pfree(site->found[kind].slots);
	memset(site->found, 0, sizeof(site->found));
	site->resources = NULL;
	site->moves = 0;
	site->next_change = DT_NOEND;
}

/* What is known of an id. */
static Finding
recall_finding(const Site *site, int kind, const pg_uuid_t *id)
{
	const SeemeSlots *slots;
	SeemeSlot  *slot;

	if (kind == RESOURCE && site->resources == NULL)
		return UNKNOWN;
	slots = kind == RESOURCE ? &site->resources->slots : &site->found[kind];
	slot = seeme_slots_find(slots, id);
	if (slot != NULL)
		return slot->number;
	return kind == RESOURCE && site->resources->is_complete ? NOWHERE : UNKNOWN;
}

/*
 * What the findings on the ids that are given come to; false when one of them is not known. `counts` is already false where one
 * finding says so.
 */
static bool
recall(FunctionCallInfo fcinfo, const Site *site, bool *counts)
{
	bool		lies_somewhere = false;

	for (int kind = 0; kind < NKINDS; kind++)
	{
		Finding		finding;

		if (PG_ARGISNULL(kind))
			continue;
		finding = recall_finding(site, kind, PG_GETARG_UUID_P(kind));
		if (finding == UNKNOWN)
			return false;
		if (finding == STRANGER)
		{
			*counts = false;
			return true;
		}
		lies_somewhere = lies_somewhere || finding == BELONGS;
	}
	*counts = lies_somewhere || (!PG_ARGISNULL(ARG_ALONE) && PG_GETARG_BOOL(ARG_ALONE));
	return true;
}

static char *
resource_type(FunctionCallInfo fcinfo)
{
	return PG_ARGISNULL(ARG_TYPE) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(ARG_TYPE));
}

/* What is needed while all assignments are read. */
typedef struct Reading
{
	SeemeStore *store;
	SeemeViewer *viewer;
	SeemeSlots	found;			/* the numbers are findings */
} Reading;

static void
add_assignment(void *context, const SeemeAssignment *assignment)
{
	Reading    *reading = context;
	SeemeSlot  *slot = seeme_slots_find(&reading->found, &assignment->resource_id);
	Finding		finding;

	CHECK_FOR_INTERRUPTS();
	if (slot != NULL && slot->number == BELONGS)
		return;
	finding = seeme_belongs(reading->store, reading->viewer, SEEME_PLACE_PROJECT, &assignment->project_id) ? BELONGS : STRANGER;
	if (slot == NULL)
		seeme_slots_add(CurrentMemoryContext, &reading->found, &assignment->resource_id, finding);
	else
		slot->number = finding;
}

/*
 * Reads all assignments of the type, where enough of them have been looked up one by one. What is not known then is assigned
 * nowhere: so either all of them are remembered, or nothing of this is.
 */
static void
read_assignments(FunctionCallInfo fcinfo, Site *site, SeemeStore *store, SeemeViewer *viewer)
{
	Reading		reading = {store, viewer};
	double		rows;
	int			most;
	MemoryContext context;
	MemoryContext old;

	site->lookups_of_resources++;
	/* In a serializable transaction that would be taken for an interest in each row. */
	if (site->resources->is_complete || site->resources->larger_than > 0 ||
		site->lookups_of_resources % LOOKUPS_CONSIDERED != 0 || IsolationIsSerializable())
		return;
	most = Min((int64) site->lookups_of_resources * ROWS_PER_LOOKUP, MAX_REMEMBERED);
	rows = seeme_estimate_rows(store, SEEME_PROJECT_RESOURCES);
	if (rows > (double) most)
		return;
	context = AllocSetContextCreate(CurrentMemoryContext, "seeme_rbac assignments", ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(context);
	/* The estimate may be of another time: what was read in vain is not read again. */
	if (!seeme_visit_assignments(store, resource_type(fcinfo), 2 * most, add_assignment, &reading) ||
		!seeme_resources_complete(site->resources, &reading.found))
		site->resources->larger_than = most;
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
}

/* The cache's resources of the type, apart from those with what is held on them: their numbers are findings. */
static SeemeResources *
resources_of(FunctionCallInfo fcinfo, SeemeStore *store, SeemeViewer *viewer)
{
	char	   *type = resource_type(fcinfo);

	seeme_require_resource_type(store, type);
	return seeme_viewer_resources(viewer, psprintf("owned %s", type));
}

/* From memory where possible. */
static Finding
look_up(FunctionCallInfo fcinfo, Site *site, SeemeStore *store, SeemeViewer *viewer, int kind)
{
	pg_uuid_t  *id = PG_GETARG_UUID_P(kind);
	Finding		found;
	ListCell   *cell;

	if (kind != RESOURCE)
		return seeme_belongs(store, viewer, kind, id) ? BELONGS : STRANGER;
	read_assignments(fcinfo, site, store, viewer);
	found = recall_finding(site, kind, id);
	if (found != UNKNOWN)
		return found;
	found = NOWHERE;
	foreach(cell, seeme_list_assignments(store, id, resource_type(fcinfo), INT_MAX))
	{
		CHECK_FOR_INTERRUPTS();
		found = STRANGER;
		if (seeme_belongs(store, viewer, SEEME_PLACE_PROJECT, &((SeemeAssignment *) lfirst(cell))->project_id))
			return BELONGS;
	}
	return found;
}

static void
remember(FunctionCallInfo fcinfo, Site *site, int kind, const pg_uuid_t *id, Finding finding)
{
	SeemeSlots *slots = kind == RESOURCE ? &site->resources->slots : &site->found[kind];

	if (kind == RESOURCE)
	{
		if (!site->resources->is_complete && slots->used < MAX_REMEMBERED)
			seeme_resources_add(site->resources, id, finding);
		return;
	}
	if (slots->used >= MAX_REMEMBERED)
	{
		pfree(slots->slots);
		memset(slots, 0, sizeof(*slots));
	}
	seeme_slots_add(fcinfo->flinfo->fn_mcxt, slots, id, finding);
}

/* Looks up what is not known, and remembers it. */
static pg_noinline bool
read_and_remember(FunctionCallInfo fcinfo)
{
	Site	   *site = fcinfo->flinfo->fn_extra;
	const SeemeIdentity *asker = seeme_asker();
	SeemeStore	store;
	SeemeViewer *viewer = NULL;
	uint64		changes;
	uint64		moves;
	bool		lies_somewhere = false;
	bool		counts = false;

	if (site == NULL)
		site = fcinfo->flinfo->fn_extra = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(Site));
	if (!is_true(site))
		forget(site);
	seeme_held_begin(&store);
	changes = seeme_cache_read_under();
	if (site->moves != seeme_moves)
		forget(site);
	moves = site->moves;
	site->moves = 0;			/* should what follows fail */
	if (asker != NULL)
		viewer = seeme_viewer(&store, asker);
	if (viewer != NULL && !viewer->is_refused)
	{
		/* The type is looked up once: it is the same as long as nothing moves. */
		if (moves != seeme_moves)
			site->resources = NULL;
		if (!PG_ARGISNULL(RESOURCE) && site->resources == NULL)
			site->resources = resources_of(fcinfo, &store, viewer);
		counts = true;
		for (int kind = 0; kind < NKINDS && counts; kind++)
		{
			Finding		finding;

			if (PG_ARGISNULL(kind))
				continue;
			finding = recall_finding(site, kind, PG_GETARG_UUID_P(kind));
			if (finding == UNKNOWN)
			{
				finding = look_up(fcinfo, site, &store, viewer, kind);
				remember(fcinfo, site, kind, PG_GETARG_UUID_P(kind), finding);
			}
			counts = finding != STRANGER;
			lies_somewhere = lies_somewhere || finding == BELONGS;
		}
		if (counts && !lies_somewhere)
			counts = !PG_ARGISNULL(ARG_ALONE) && PG_GETARG_BOOL(ARG_ALONE);
		site->next_change = Min(asker->expires_at, viewer->next_change);
		site->asker = asker;
		site->asker_is_set = seeme_asker_is_set();
		/* Unless something has changed since what was read was read. */
		site->moves = changes == seeme_changes ? seeme_moves : 0;
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

/* Where a row lies by its columns, and by the assignment of its resource. */
typedef struct Whereabouts
{
	List	   *places;			/* of SeemePlace * */
	List	   *assigned;		/* the same */
	bool		is_lost;		/* a column names what does not exist */
} Whereabouts;

static void
find_whereabouts(FunctionCallInfo fcinfo, SeemeStore *store, Whereabouts *whereabouts)
{
	memset(whereabouts, 0, sizeof(*whereabouts));
	for (int kind = 0; kind < NKINDS; kind++)
		if (!PG_ARGISNULL(kind))
		{
			SeemeScope	scope = {SEEME_ORGANIZATION + kind, *PG_GETARG_UUID_P(kind), resource_type(fcinfo)};
			List	   *places = seeme_places(store, &scope);

			if (kind == RESOURCE)
				whereabouts->assigned = places;
			else if (places == NIL)
				whereabouts->is_lost = true;
			else
				whereabouts->places = list_concat(whereabouts->places, places);
		}
}

static bool
belongs_to(SeemeSubject *subject, const SeemePlace *place)
{
	SeemeStanding *standing = seeme_standing(subject, &place->organization_id);

	CHECK_FOR_INTERRUPTS();
	return standing->is_owner || standing->is_member;
}

/* Answers from the tables, past all that is remembered. */
static pg_noinline bool
read_only(FunctionCallInfo fcinfo)
{
	SeemeStore	store;
	SeemeAsker	asker;
	Whereabouts row;
	ListCell   *cell;
	bool		counts;

	seeme_store_open(&store);
	find_whereabouts(fcinfo, &store, &row);
	seeme_asker_init(&asker, &store);
	counts = asker.is_identified && !asker.subject.is_refused && !row.is_lost;
	if (counts)
	{
		foreach(cell, row.places)
			counts = counts && belongs_to(&asker.subject, lfirst(cell));
		if (row.assigned != NIL)
		{
			bool		belongs = false;

			foreach(cell, row.assigned)
				belongs = belongs || belongs_to(&asker.subject, lfirst(cell));
			counts = counts && belongs;
		}
		else if (row.places == NIL)
			counts = !PG_ARGISNULL(ARG_ALONE) && PG_GETARG_BOOL(ARG_ALONE);
	}
	seeme_store_close(&store);
	seeme_cache_counters.bypasses++;
	return counts;
}

/*
 * Whether ownership counts. The arguments are those of seeme.ownership_counts(); fn_extra is ours.
 * What is remembered of resources is of one type, so the type must be the same in all calls.
 */
bool
seeme_ownership_of(FunctionCallInfo fcinfo, bool type_is_constant)
{
	Site	   *site = fcinfo->flinfo->fn_extra;
	bool		counts;

	if (!seeme_accept_changes() || (!type_is_constant && !PG_ARGISNULL(RESOURCE)))
		return read_only(fcinfo);
	if (site != NULL && is_true(site) && recall(fcinfo, site, &counts))
	{
		seeme_cache_counters.hits++;
		return counts;
	}
	return read_and_remember(fcinfo);
}

/*
 * seeme.ownership_counts(organization, team, project, resource uuid, resource_type text,
 * alone boolean) RETURNS boolean
 */
SEEME_FUNCTION(seeme_ownership_counts, 6)
{
	PG_RETURN_BOOL(seeme_ownership_of(fcinfo, PG_ARGISNULL(RESOURCE) ||
									  get_fn_expr_arg_stable(fcinfo->flinfo, ARG_TYPE)));
}

static int
compare_organizations(const ListCell *a, const ListCell *b)
{
	return memcmp(&((SeemePlace *) lfirst(a))->organization_id, &((SeemePlace *) lfirst(b))->organization_id, UUID_LEN);
}

/*
 * Whether a subject may take a row out of where it lies: belongs to each organization, and holds what is asked in each that is
 * not among those where the row stays. Sorts both lists, of SeemePlace *, so that it is done in one pass.
 */
static bool
may_leave(SeemeSubject *subject, List *left, List *kept, const SeemeQuestion *question)
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
		while (k < list_length(kept) && compare_organizations(list_nth_cell(kept, k), list_nth_cell(left, i)) < 0)
			k++;
		if (k < list_length(kept) && compare_organizations(list_nth_cell(kept, k), list_nth_cell(left, i)) == 0)
		{
			if (!belongs_to(subject, place))
				return false;
		}
		else if (!seeme_answer(subject, there, question))
			return false;
	}
	return true;
}

/*
 * seeme.may_take_out(permission text, organization, team, project, resource uuid, new_organization, new_team, new_project,
 * new_resource uuid, resource_type text) RETURNS boolean
 *
 * What stays as it is takes the row out of nothing. Of organizations that the asking person is no member of, nothing is told.
 */
SEEME_FUNCTION(seeme_may_take_out, 10)
{
	SeemeStore	store;
	SeemeQuestion question;
	SeemeAsker	asker;
	SeemeScope	scope = {.resource_type = PG_ARGISNULL(1 + 2 * NKINDS) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(1 + 2 * NKINDS))};
	List	   *left = NIL;
	List	   *kept = NIL;
	bool		may;

	seeme_store_open(&store);
	seeme_ask(&store, seeme_code_argument(fcinfo, 0), &question);
	seeme_asker_init(&asker, &store);
	may = asker.is_identified && !asker.subject.is_refused;
	for (int kind = 0; kind < NKINDS && may; kind++)
	{
		int			old = 1 + kind;
		int			new = 1 + NKINDS + kind;
		List	   *places;

		scope.level = SEEME_ORGANIZATION + kind;
		if (!PG_ARGISNULL(new))
		{
			scope.id = *PG_GETARG_UUID_P(new);
			kept = list_concat(kept, seeme_places(&store, &scope));
		}
		if (PG_ARGISNULL(old) || (!PG_ARGISNULL(new) && seeme_uuid_equal(PG_GETARG_UUID_P(old), PG_GETARG_UUID_P(new))))
			continue;
		scope.id = *PG_GETARG_UUID_P(old);
		places = seeme_places(&store, &scope);
		/* Nobody knows which organization it was that something is gone from. */
		if (places == NIL && kind != RESOURCE)
			may = false;
		left = list_concat(left, places);
	}
	may = may && may_leave(&asker.subject, left, kept, &question);
	seeme_store_close(&store);
	PG_RETURN_BOOL(may);
}
