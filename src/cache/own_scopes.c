/*
 * own_scopes.c: the organizations, teams and projects in which a principal has a permission or is a
 * member, for the policies of the extension's own tables.
 *
 * A row is visible if one of its columns is in one of these lists. A list costs what is in it: it
 * is read from the principal's own memberships, never from a whole table. The cache keeps it with
 * the principal. Must not decide: evaluator.c does. Must not know the policy of a table.
 */
#include "postgres.h"

#include <limits.h>

#include "utils/memutils.h"

#include "cache/code_bits.h"
#include "cache/effective_permissions.h"
#include "cache/own_scopes.h"

/* These sets of ids are cached under the number of a code set, and these in place of a code. */
#define IDS_BY_CODES (-3)
#define IDS_OF_MEMBER (-4)

static bool
has_any_code(SeemePrincipal *principal, const SeemeGrants *grants, const SeemePlace *place,
			 const SeemeOwnScopes *scopes)
{
	return seeme_evaluate_any(principal, grants, place, scopes->ncodes, scopes->codes);
}

/* Whether an API key shows containers of a kind to a member: it must allow to list or read them. */
static bool
key_shows_containers(const SeemePrincipal *principal, const pg_uuid_t *organization_id,
					 SeemeScopeKind kind)
{
	const SeemeScopeDescriptor *descriptor = &seeme_scope_descriptors[kind];

	return seeme_api_key_allows(principal, organization_id, descriptor->list_permission) ||
		seeme_api_key_allows(principal, organization_id, descriptor->read_permission);
}

/* Whether a place is in a list, by the principal's grants in its organization. */
bool
seeme_is_own_scope(SeemePrincipal *principal, const SeemeGrants *grants, const SeemePlace *place,
				   const SeemeOwnScopes *scopes)
{
	SeemePlace	organization;
	bool		everywhere;

	if (principal->is_refused)
		return false;
	if (!scopes->by_codes)
		return key_shows_containers(principal, &grants->organization_id, scopes->kind) &&
			seeme_is_direct_member(principal, grants, place);
	seeme_set_organization_place(&organization, &grants->organization_id);
	everywhere = has_any_code(principal, grants, &organization, scopes);
	if (scopes->kind == SEEME_SCOPE_ORGANIZATION)
		return everywhere;
	return !everywhere && has_any_code(principal, grants, place, scopes);
}

/* What a visit of a principal's grants collects. */
typedef struct Visit
{
	const SeemeOwnScopes *scopes;
	SeemeCachedPrincipal *cached;	/* takes note of dates; NULL: nobody does */
	MemoryContext context;
	SeemeUuidHash found;
} Visit;

static void
collect(Visit *visit, const pg_uuid_t *id)
{
	seeme_uuid_hash_add(visit->context, &visit->found, id);
}

/* The containers in an organization that the principal is a member of. */
static void
collect_memberships(SeemePrincipal *principal, const SeemeGrants *grants, Visit *visit)
{
	SeemeScopeKind kind = visit->scopes->kind;

	if (!key_shows_containers(principal, &grants->organization_id, kind))
		return;
	if (kind == SEEME_SCOPE_ORGANIZATION)
	{
		if (seeme_belongs(grants))
			collect(visit, &grants->organization_id);
		return;
	}
	for (int i = 0; i < grants->nmemberships && grants->is_member; i++)
		if (grants->memberships[i].kind == kind &&
			seeme_is_current(&grants->memberships[i], principal->now))
			collect(visit, &grants->memberships[i].scope_id);
}

/*
 * The teams or projects in which a membership gives one of the codes. Whoever has a code in a team
 * has it in the team's projects.
 */
static void
collect_below(SeemePrincipal *principal, const SeemeGrants *grants,
			  const SeemeMembership *membership, Visit *visit)
{
	SeemeScopeKind kind = visit->scopes->kind;
	SeemePlace	place;
	ListCell   *cell;

	if (membership->kind == SEEME_SCOPE_ORGANIZATION || membership->kind > kind ||
		seeme_membership_state(principal, grants, membership) != SEEME_MEMBERSHIP_EFFECTIVE)
		return;
	/* A project's team is left out: the membership there is visited by itself. */
	seeme_set_organization_place(&place, &grants->organization_id);
	seeme_set_place_id(&place, membership->kind, &membership->scope_id);
	if (!has_any_code(principal, grants, &place, visit->scopes))
		return;
	if (membership->kind == kind)
	{
		collect(visit, &membership->scope_id);
		return;
	}
	foreach(cell, seeme_list_places(principal->store, kind, membership->kind,
									&membership->scope_id, INT_MAX))
	{
		collect(visit, seeme_place_id(lfirst(cell), kind));
	}
}

static void
visit_grants(SeemePrincipal *principal, const SeemeGrants *grants, void *context)
{
	Visit	   *visit = context;
	SeemePlace	organization;

	if (visit->cached != NULL)
		seeme_cached_note_dates_of_grants(visit->cached, principal->now, grants);
	if (!visit->scopes->by_codes)
	{
		collect_memberships(principal, grants, visit);
		return;
	}
	seeme_set_organization_place(&organization, &grants->organization_id);
	if (has_any_code(principal, grants, &organization, visit->scopes))
	{
		if (visit->scopes->kind == SEEME_SCOPE_ORGANIZATION)
			collect(visit, &grants->organization_id);
		return;
	}
	for (int i = 0; i < grants->nmemberships; i++)
		collect_below(principal, grants, &grants->memberships[i], visit);
}

static int
list_scopes(SeemePrincipal *principal, Visit *visit, pg_uuid_t **ids)
{
	visit->context = CurrentMemoryContext;
	if (!principal->is_refused)
		seeme_visit_grants(principal, visit_grants, visit);
	return seeme_uuid_hash_list(&visit->found, ids);
}

/* Lists the ids of a list, in no order. Returns how many. */
int
seeme_list_own_scopes(SeemePrincipal *principal, const SeemeOwnScopes *scopes, pg_uuid_t **ids)
{
	Visit		visit = {.scopes = scopes};

	return list_scopes(principal, &visit, ids);
}

/* The codes of a list as bits; NULL: one of them is not registered. */
static uint64 *
code_bits(const SeemeOwnScopes *scopes)
{
	uint64	   *words = seeme_empty_code_bits();

	for (int i = 0; i < scopes->ncodes; i++)
	{
		int			code = seeme_cache_find_code(scopes->codes[i]);

		if (code < 0)
			return NULL;
		add_bit(words, code);
	}
	return words;
}

/* Whether a principal has one of some codes in a container. */
static bool
has_any_bit_in(SeemeStore *store, SeemeCachedPrincipal *cached, SeemeScopeKind kind,
			   const pg_uuid_t *id, const uint64 *words)
{
	uint64	   *permitted = seeme_empty_code_bits();
	bool		has_any = false;

	seeme_add_codes_in_place(store, cached, kind, id, permitted);
	for (int i = 0; i < seeme_cache_nwords(); i++)
		has_any = has_any || (permitted[i] & words[i]) != 0;
	pfree(permitted);
	return has_any;
}

/* Whether a container is in a list, without reading the list. */
bool
seeme_cached_is_own_scope(SeemeStore *store, SeemeCachedPrincipal *cached,
						  const SeemeOwnScopes *scopes, const pg_uuid_t *id)
{
	SeemePrincipal principal;
	const SeemeGrants *grants = NULL;
	SeemeExpandedGrants expanded;
	SeemePlace	place;
	uint64	   *words;

	if (seeme_is_powerless(cached))
		return false;
	if (scopes->by_codes && (words = code_bits(scopes)) != NULL)
	{
		SeemeUuidHashEntry *entry;

		if (!has_any_bit_in(store, cached, scopes->kind, id, words))
			return false;
		if (scopes->kind == SEEME_SCOPE_ORGANIZATION)
			return true;
		/* As a rule the place is in the cache by now. */
		entry = seeme_uuid_hash_find(&seeme_cache_places[scopes->kind], id);
		if (entry != NULL)
			return !has_any_bit_in(store, cached, SEEME_SCOPE_ORGANIZATION,
								   seeme_place_organization(seeme_cache_place(entry->number)),
								   words);
	}
	seeme_init_from_cache(&principal, store, cached);
	if (scopes->by_codes || scopes->kind == SEEME_SCOPE_ORGANIZATION)
		grants = seeme_cached_grants_at(&principal, cached, scopes->kind, id, &place, &expanded);
	else if (seeme_read_place(store, scopes->kind, id, &place))
	{
		/* Read them: the cache keeps no memberships without a role. */
		grants = seeme_get_grants_at(&principal, &place);
		seeme_cached_note_dates_of_grants(cached, principal.now, grants);
	}
	return grants != NULL && seeme_is_own_scope(&principal, grants, &place, scopes);
}

/* The number under which a list is cached; 0: it cannot be. */
static uint32
number_of(const SeemeOwnScopes *scopes)
{
	uint64	   *words;

	if (!scopes->by_codes)
		return 1;
	words = code_bits(scopes);
	return words == NULL || seeme_cache_code_sets_are_scarce() ? 0 : seeme_cache_intern(words);
}

static const SeemeUuidSet *
find_list(SeemeCachedPrincipal *cached, const SeemeOwnScopes *scopes, uint32 number)
{
	if (number == 0)
		return NULL;
	return seeme_cached_find_ids(cached, scopes->kind, number,
								 scopes->by_codes ? IDS_BY_CODES : IDS_OF_MEMBER);
}

/* A principal's list from the cache; NULL: it is not there. */
const SeemeUuidSet *
seeme_find_own_scopes(SeemeCachedPrincipal *cached, const SeemeOwnScopes *scopes)
{
	return find_list(cached, scopes, number_of(scopes));
}

/* The same, read if need be. Without room in the cache it is put into `otherwise`, in `context`. */
const SeemeUuidSet *
seeme_cached_own_scopes(SeemeStore *store, SeemeCachedPrincipal *cached,
						const SeemeOwnScopes *scopes, MemoryContext context,
						SeemeUuidSet *otherwise)
{
	uint32		number = number_of(scopes);
	const SeemeUuidSet *known = find_list(cached, scopes, number);
	Visit		visit = {.scopes = scopes, .cached = cached};
	SeemePrincipal principal;
	MemoryContext in_turn;
	MemoryContext old;
	pg_uuid_t  *ids;
	int			n;

	if (known != NULL)
		return known;
	in_turn = AllocSetContextCreate(CurrentMemoryContext, "seeme_rbac own scopes",
									ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(in_turn);
	seeme_init_from_cache(&principal, store, cached);
	n = list_scopes(&principal, &visit, &ids);
	if (number != 0)
		known = seeme_cached_add_ids(cached, scopes->kind, number,
									 scopes->by_codes ? IDS_BY_CODES : IDS_OF_MEMBER, ids, n);
	if (known == NULL)
	{
		seeme_uuid_set_fill(context, otherwise, ids, n);
		known = otherwise;
	}
	MemoryContextSwitchTo(old);
	MemoryContextDelete(in_turn);
	return known;
}
