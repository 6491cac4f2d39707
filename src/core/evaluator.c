/*
 * evaluator.c: the rule that decides whether a principal has a permission somewhere.
 *
 * Checks, lists, explanations, policies and the cache all decide by this file, so that they cannot
 * disagree. It must not know who is asking. It writes nothing and remembers nothing:
 * cache/effective_permissions.c remembers its answers.
 *
 * The rule: a user who exists and is not disabled has a permission in a place
 * - as the owner of the place's organization; or
 * - by a role that has the permission, through a current membership in the place or in what it lies
 *   in, if the user's membership in the organization is current, too.
 * A resource lies in every project that it is assigned to. Roles add up, and nothing subtracts. An
 * API key limits its user to the key's permissions, and to its organization. A key that a user made
 * counts only while that user could still make it (api_key.c).
 */
#include "postgres.h"

#include "miscadmin.h"

#include "core/evaluator.h"

/* The rule for one membership, among the grants of its organization. */
SeemeMembershipState
seeme_membership_state(const SeemePrincipal *principal, const SeemeGrants *grants,
					   const SeemeMembership *membership)
{
	if (principal->now < membership->valid_from)
		return SEEME_MEMBERSHIP_NOT_BEGUN;
	if (!seeme_is_current(membership, principal->now))
		return SEEME_MEMBERSHIP_ENDED;
	if (!grants->is_member)
		return SEEME_MEMBERSHIP_OF_NON_MEMBER;
	return membership->has_role ? SEEME_MEMBERSHIP_EFFECTIVE : SEEME_MEMBERSHIP_WITHOUT_ROLE;
}

static int
compare_scope_with(const void *scope, const void *membership)
{
	const SeemeMembership *m = membership;

	return seeme_compare_scope(scope, m->kind, &m->scope_id);
}

/*
 * The memberships in a place and in what it lies in, whether they have an effect or not. Returns
 * how many; there is room for SEEME_NCONTAINERS.
 */
int
seeme_memberships_at(const SeemeGrants *grants, const SeemePlace *place,
					 SeemeMembership **memberships)
{
	SeemeScope	scopes[SEEME_NCONTAINERS];
	int			nscopes = seeme_scopes_of_place(place, scopes);
	int			n = 0;

	for (int i = 0; i < nscopes && grants->nmemberships > 0; i++)
	{
		memberships[n] = bsearch(&scopes[i], grants->memberships, grants->nmemberships,
								 sizeof(SeemeMembership), compare_scope_with);
		if (memberships[n] != NULL)
			n++;
	}
	return n;
}

/*
 * What has an effect in a place: *everything for the owner of the organization; else the
 * memberships whose roles add up there. Returns how many; there is room for SEEME_NCONTAINERS.
 * The API key of the principal still limits what comes of them.
 */
int
seeme_effective_memberships(const SeemePrincipal *principal, const SeemeGrants *grants,
							const SeemePlace *place, SeemeMembership **memberships,
							bool *everything)
{
	SeemeMembership *there[SEEME_NCONTAINERS];
	int			nthere;
	int			n = 0;

	*everything = !principal->is_refused && grants->is_owner;
	if (principal->is_refused || grants->is_owner || !grants->is_member)
		return 0;
	nthere = seeme_memberships_at(grants, place, there);
	for (int i = 0; i < nthere; i++)
		if (seeme_membership_state(principal, grants, there[i]) == SEEME_MEMBERSHIP_EFFECTIVE)
			memberships[n++] = there[i];
	return n;
}

/* What seeme_evaluate() decides after the API key, by grants in the organization of the place. */
static bool
evaluate_grants(SeemePrincipal *principal, const SeemeGrants *grants, const SeemePlace *place,
				const char *code)
{
	bool		everything;
	SeemeMembership *memberships[SEEME_NCONTAINERS];
	int			nmemberships = seeme_effective_memberships(principal, grants, place, memberships,
														   &everything);

	if (everything)
		return true;
	for (int i = 0; i < nmemberships; i++)
	{
		SeemeRole  *role = seeme_get_role(principal, memberships[i]);

		if (role != NULL && seeme_covering_entry(role->ncodes, role->codes, code) != NULL)
			return true;
	}
	return false;
}

/*
 * Whether the principal has a code in a place. A wildcard is had through itself or a wider one
 * only, never through the codes that it covers today.
 */
bool
seeme_evaluate(SeemePrincipal *principal, const SeemePlace *place, const char *code)
{
	CHECK_FOR_INTERRUPTS();
	return seeme_api_key_allows(principal, seeme_place_organization(place), code) &&
		evaluate_grants(principal, seeme_get_grants_at(principal, place), place, code);
}

/*
 * Whether the principal has one of some codes in a place, by grants in its organization that the
 * caller has read.
 */
bool
seeme_evaluate_any(SeemePrincipal *principal, const SeemeGrants *grants, const SeemePlace *place,
				   int ncodes, const char *const *codes)
{
	for (int i = 0; i < ncodes; i++)
		if (seeme_api_key_allows(principal, seeme_place_organization(place), codes[i]) &&
			evaluate_grants(principal, grants, place, codes[i]))
			return true;
	return false;
}

/* Whether the principal has every code of a permission spec, each in at least one of the places. */
bool
seeme_evaluate_spec(SeemePrincipal *principal, List *places, const SeemePermissionSpec *spec)
{
	ListCell   *code;
	ListCell   *place;

	foreach(code, spec->concrete)
	{
		bool		has_code = false;

		foreach(place, places)
		{
			has_code = seeme_evaluate(principal, lfirst(place), lfirst(code));
			if (has_code)
				break;
		}
		if (!has_code)
			return false;
	}
	return true;
}

/* Whether the principal may manage the members of a place, and is therefore told about them. */
bool
seeme_may_manage_members(SeemePrincipal *principal, const SeemePlace *place)
{
	SeemeScopeKind kind = seeme_place_kind(place);
	const char *of_organization =
	seeme_scope_descriptors[SEEME_SCOPE_ORGANIZATION].manage_permission;

	return seeme_evaluate(principal, place, of_organization) ||
		(kind != SEEME_SCOPE_ORGANIZATION &&
		 seeme_evaluate(principal, place, seeme_scope_descriptors[kind].manage_permission));
}

/*
 * Whether the principal is a current member of a place itself and of its organization, by grants
 * there. No role is needed. The owner of an organization is a member of it, and of no team or
 * project.
 */
bool
seeme_is_direct_member(const SeemePrincipal *principal, const SeemeGrants *grants,
					   const SeemePlace *place)
{
	SeemeMembership *memberships[SEEME_NCONTAINERS];
	int			nmemberships;

	if (seeme_place_kind(place) == SEEME_SCOPE_ORGANIZATION || !grants->is_member)
		return seeme_place_kind(place) == SEEME_SCOPE_ORGANIZATION && seeme_belongs(grants);
	nmemberships = seeme_memberships_at(grants, place, memberships);
	for (int i = 0; i < nmemberships; i++)
		if (memberships[i]->kind == seeme_place_kind(place) &&
			seeme_is_current(memberships[i], principal->now))
			return true;
	return false;
}

/*
 * The roles that have an effect for the principal anywhere: pg_uuid_t *, perhaps repeated. All
 * memberships that were read for this go to *memberships, unless that is NULL.
 */
List *
seeme_list_effective_roles(SeemePrincipal *principal, List **memberships)
{
	List	   *all = seeme_list_memberships_of_user(principal->store, &principal->user.id);
	List	   *roles = NIL;
	ListCell   *cell;

	foreach(cell, all)
	{
		SeemeMembership *membership = lfirst(cell);
		SeemePlace	place;

		if (!membership->has_role || !seeme_is_current(membership, principal->now) ||
			seeme_is_archived(principal->store, membership->kind, &membership->scope_id))
			continue;
		seeme_set_organization_place(&place, &membership->organization_id);
		if (seeme_membership_state(principal, seeme_get_grants_at(principal, &place), membership) ==
			SEEME_MEMBERSHIP_EFFECTIVE)
			roles = lappend(roles, &membership->role_id);
	}
	if (memberships != NULL)
		*memberships = all;
	return roles;
}

void
seeme_index_places(SeemePlaceIndex *index, List *places)
{
	ListCell   *cell;

	memset(index, 0, sizeof(*index));
	index->places = places;
	foreach(cell, places)
	{
		for (SeemeScopeKind kind = SEEME_SCOPE_ORGANIZATION; kind <= SEEME_NCONTAINERS; kind++)
		{
			const pg_uuid_t *id = seeme_place_id(lfirst(cell), kind);
			SeemeUuidHash *hash = &index->by_container[kind];

			if (id != NULL && seeme_uuid_hash_find(hash, id) == NULL)
				seeme_uuid_hash_insert(CurrentMemoryContext, hash, id,
									   foreach_current_index(cell) + 1);
		}
	}
}

/*
 * Enough of the indexed places in an organization to find every permission that the principal has
 * in any of them: one place for each container in which the principal has a membership.
 */
List *
seeme_distinct_places(SeemePrincipal *principal, const SeemePlaceIndex *index,
					  const pg_uuid_t *organization_id)
{
	SeemeUuidHashEntry *entry =
	seeme_uuid_hash_find(&index->by_container[SEEME_SCOPE_ORGANIZATION], organization_id);
	SeemeGrants *grants;
	List	   *places;

	if (entry == NULL)
		return NIL;
	places = list_make1(list_nth(index->places, entry->number - 1));
	grants = seeme_get_grants(principal, organization_id);
	for (int i = 0; i < grants->nmemberships; i++)
	{
		const SeemeMembership *membership = &grants->memberships[i];

		if (membership->kind == SEEME_SCOPE_ORGANIZATION)
			continue;
		entry = seeme_uuid_hash_find(&index->by_container[membership->kind], &membership->scope_id);
		if (entry != NULL)
			places = lappend(places, list_nth(index->places, entry->number - 1));
	}
	return places;
}
