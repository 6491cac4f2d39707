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
#include "cache/code_bits.h"
#include "cache/effective_permissions.h"
#include "core/evaluator.h"

/* What a visit of a principal's grants collects. */
typedef struct Candidates
{
	SeemeCachedPrincipal *cached;	/* takes note of dates */
	SeemeScopeKind kind;
	MemoryContext context;
	SeemeUuidHash places;
} Candidates;

static void
collect(SeemePrincipal *principal, const SeemeGrants *grants, void *context)
{
	Candidates *candidates = context;
	ListCell   *cell;

	seeme_cached_note_dates_of_grants(candidates->cached, principal->now, grants);
	for (int i = 0; i < grants->nmemberships; i++)
	{
		const SeemeMembership *membership = &grants->memberships[i];

		if (membership->kind == candidates->kind)
			seeme_uuid_hash_add(candidates->context, &candidates->places, &membership->scope_id);
		else if (membership->kind != SEEME_SCOPE_ORGANIZATION &&
				 membership->kind < candidates->kind)
			foreach(cell, seeme_list_places(principal->store, candidates->kind, membership->kind,
											&membership->scope_id, INT_MAX))
				seeme_uuid_hash_add(candidates->context, &candidates->places,
									seeme_place_id(lfirst(cell), candidates->kind));
	}
}

static bool
has_code_in(SeemeStore *store, SeemeCachedPrincipal *cached, SeemeScopeKind kind,
			const pg_uuid_t *id, int code)
{
	uint64	   *words = seeme_empty_code_bits();
	bool		has_code;

	seeme_add_codes_in_place(store, cached, kind, id, words);
	has_code = has_bit(words, code);
	pfree(words);
	return has_code;
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
	Candidates	candidates = {.cached = cached, .kind = kind, .context = CurrentMemoryContext};
	SeemePrincipal principal;
	pg_uuid_t  *ids_of_organizations;
	pg_uuid_t  *places;
	int			norganizations;
	int			nplaces;
	int			n = 0;

	if (cached->has_many_grants)
		return -1;
	ids_of_organizations = palloc(sizeof(pg_uuid_t) * Max(organizations->n, 1));
	norganizations = seeme_uuid_set_list(organizations, ids_of_organizations);
	for (int i = 0; i < norganizations; i++)
		if (has_code_in(store, cached, SEEME_SCOPE_ORGANIZATION, &ids_of_organizations[i], code))
			return -1;
	seeme_init_from_cache(&principal, store, cached);
	seeme_visit_grants(&principal, collect, &candidates);
	nplaces = seeme_uuid_hash_list(&candidates.places, &places);
	if (nplaces > limit)
	{
		cached->has_many_grants = true;
		return -1;
	}
	for (int i = 0; i < nplaces; i++)
		if (has_code_in(store, cached, kind, &places[i], code))
			places[n++] = places[i];
	*ids = places;
	return n;
}
