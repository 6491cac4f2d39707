/*
 * permitted_by_grants.c: the ids at which a principal has a code, found by their memberships.
 *
 * A member of an organization with 20,000 projects may be permitted three of them. Reading the
 * whole organization to find these would cost what is in it. Here it costs what the principal
 * holds.
 *
 * Owns no state. Must not decide: what the memberships name is a candidate, and the cache (that is,
 * evaluator.c) decides about it.
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "cache/cache.h"
#include "cache/effective_permissions.h"
#include "core/evaluator.h"

/* What a visit of a principal's grants collects. */
typedef struct Candidates
{
	SeemeCachedPrincipal *cached;	/* takes note of dates */
	SeemeScopeKind kind;
	MemoryContext context;
	int			limit;
	bool		are_too_many;	/* more than `limit` */
	SeemeUuidHash places;
} Candidates;

static void
add_candidate(Candidates *candidates, const pg_uuid_t *id)
{
	seeme_uuid_hash_add(candidates->context, &candidates->places, id);
	candidates->are_too_many = candidates->places.used > (uint32) candidates->limit;
}

/* A team may have very many projects: no more of them are read than tell that they are too many. */
static void
collect_below(Candidates *candidates, SeemeStore *store, const SeemeMembership *membership)
{
	List	   *below = seeme_list_places(store, candidates->kind, membership->kind,
										  &membership->scope_id, candidates->limit + 1);
	ListCell   *cell;

	foreach(cell, below)
		add_candidate(candidates, seeme_place_id(lfirst(cell), candidates->kind));
	/* Some of them may have been candidates before. */
	if (list_length(below) > candidates->limit)
		candidates->are_too_many = true;
}

static void
collect(SeemePrincipal *principal, const SeemeGrants *grants, void *context)
{
	Candidates *candidates = context;

	seeme_cached_note_dates_of_grants(candidates->cached, principal->now, grants);
	for (int i = 0; i < grants->nmemberships && !candidates->are_too_many; i++)
	{
		const SeemeMembership *membership = &grants->memberships[i];

		if (membership->kind == candidates->kind)
			add_candidate(candidates, &membership->scope_id);
		else if (membership->kind != SEEME_SCOPE_ORGANIZATION &&
				 membership->kind < candidates->kind)
			collect_below(candidates, principal->store, membership);
	}
}

/*
 * Lists the teams or projects in which a principal has a code, given the organizations that they
 * own or are a member of. Returns how many; -1: the principal has it in a whole organization, or
 * there are more than `limit` candidates.
 */
int
seeme_permitted_by_grants(SeemeStore *store, SeemeCachedPrincipal *cached,
						  const SeemeUuidSet *organizations, SeemeScopeKind kind, int code,
						  int limit, pg_uuid_t **ids)
{
	Candidates	candidates = {.cached = cached, .kind = kind, .context = CurrentMemoryContext,
	.limit = limit};
	SeemePrincipal principal;
	pg_uuid_t  *ids_of_organizations;
	pg_uuid_t  *places;
	int			norganizations;
	int			nplaces;
	int			n = 0;

	if (cached->has_many_grants[kind])
		return -1;
	ids_of_organizations = palloc(sizeof(pg_uuid_t) * Max(organizations->n, 1));
	norganizations = seeme_uuid_set_list(organizations, ids_of_organizations);
	for (int i = 0; i < norganizations; i++)
		if (seeme_cached_has_code_number(store, cached, SEEME_SCOPE_ORGANIZATION,
										 &ids_of_organizations[i], code))
			return -1;
	seeme_init_from_cache(&principal, store, cached);
	seeme_visit_grants(&principal, collect, &candidates);
	if (candidates.are_too_many)
	{
		cached->has_many_grants[kind] = true;
		return -1;
	}
	nplaces = seeme_uuid_hash_list(&candidates.places, &places);
	for (int i = 0; i < nplaces; i++)
		if (seeme_cached_has_code_number(store, cached, kind, &places[i], code))
			places[n++] = places[i];
	*ids = places;
	return n;
}
