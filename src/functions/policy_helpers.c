/*
 * policy_helpers.c: what policies ask about memberships besides seeme_has_permission.
 *
 * Owns the state of the call sites of seeme.has_effective_role(). Must not decide: evaluator.c
 * does.
 */
#include "postgres.h"

#include "utils/builtins.h"

#include "cache/effective_permissions.h"
#include "core/codes.h"
#include "core/evaluator.h"
#include "core/invalidation.h"
#include "core/store.h"
#include "core/uuid_hash.h"
#include "core/version.h"
#include "functions/arguments.h"
#include "identity/identity.h"

/*
 * seeme.is_member(organization, team, project uuid) RETURNS boolean
 */
SEEME_FUNCTION(seeme_is_member, 3)
{
	SeemeStore	store;
	SeemeScope	scope;
	SeemePrincipal asking;
	bool		is_member = false;

	seeme_store_open(&store);
	seeme_init_asking(&asking, &store);
	if (!asking.is_refused && seeme_container_argument(fcinfo, 0, &scope))
	{
		const SeemeScopeDescriptor *descriptor = &seeme_scope_descriptors[scope.kind];
		SeemePlace	place;

		/* An API key shows what it may list or read, although a membership needs no permission. */
		is_member = seeme_read_place(&store, scope.kind, &scope.id, &place) &&
			(seeme_api_key_allows(&asking, seeme_place_organization(&place),
								  descriptor->list_permission) ||
			 seeme_api_key_allows(&asking, seeme_place_organization(&place),
								  descriptor->read_permission)) &&
			seeme_is_member_of(&asking, &place);
	}
	seeme_store_close(&store);
	PG_RETURN_BOOL(is_member);
}

/*
 * seeme.own_organizations() RETURNS uuid[]
 */
SEEME_FUNCTION(seeme_own_organizations, 0)
{
	SeemeStore	store;
	SeemePrincipal asking;
	List	   *reached = NIL;
	ListCell   *cell;

	seeme_store_open(&store);
	seeme_init_asking(&asking, &store);
	if (!asking.is_refused)
	{
		foreach(cell, seeme_list_own_organizations(&asking))
		{
			if (seeme_api_key_allows(&asking, lfirst(cell), NULL))
				reached = lappend(reached, lfirst(cell));
		}
	}
	seeme_store_close(&store);
	PG_RETURN_ARRAYTYPE_P(seeme_uuid_array(reached));
}

/*
 * The roles of a principal, while the cache has no room for them. Kept from row to row: fn_extra.
 */
typedef struct RolesSite
{
	uint64		generation;		/* 0: the site is not valid */
	SeemeIdentity identity;
	TimestampTz next_change;	/* the first date on which the roles may change */
	SeemeUuidSet roles;
} RolesSite;

static bool
is_fresh_for(const RolesSite *site, const SeemeIdentity *identity)
{
	return site->generation == seeme_generation &&
		seeme_same_identity(&site->identity, identity) &&
		site->identity.issued_at == identity->issued_at &&
		site->identity.expires_at == identity->expires_at &&
		!seeme_has_passed(site->next_change);
}

/* Whether a role has an effect for an identity anywhere, by the cache. */
static bool
has_cached_role(FunctionCallInfo fcinfo, const SeemeIdentity *identity, const pg_uuid_t *role_id)
{
	RolesSite  *site = fcinfo->flinfo->fn_extra;
	SeemeStore	store;
	SeemeCachedPrincipal *cached;
	const SeemeUuidSet *roles;
	uint64		generation;

	if (site != NULL && is_fresh_for(site, identity))
		return seeme_uuid_set_contains(&site->roles, role_id);
	if (site == NULL)
		site = fcinfo->flinfo->fn_extra = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt,
																 sizeof(RolesSite));
	site->generation = 0;
	if (site->roles.memory != NULL)
		seeme_uuid_set_free(&site->roles);
	seeme_cache_open(&store);
	generation = seeme_cache_generation();
	cached = seeme_get_cached_principal(&store, identity);
	roles = seeme_cached_role_ids(&store, cached, fcinfo->flinfo->fn_mcxt, &site->roles);
	if (roles == &site->roles)
	{
		site->identity = *identity;
		site->next_change = Min(identity->expires_at, cached->next_change);
		site->generation = generation;
	}
	seeme_store_close(&store);
	return roles != NULL && seeme_uuid_set_contains(roles, role_id);
}

/*
 * seeme.has_effective_role(role_id uuid) RETURNS boolean
 */
SEEME_FUNCTION(seeme_has_effective_role, 1)
{
	SeemeStore	store;
	SeemePrincipal asking;
	ListCell   *cell;
	bool		has_role = false;

	if (PG_ARGISNULL(0))
		PG_RETURN_BOOL(false);
	if (seeme_accept_invalidations())
	{
		const SeemeIdentity *identity = seeme_current_identity();

		PG_RETURN_BOOL(identity != NULL &&
					   has_cached_role(fcinfo, identity, PG_GETARG_UUID_P(0)));
	}
	seeme_store_open(&store);
	seeme_init_asking(&asking, &store);
	if (!asking.is_refused)
	{
		foreach(cell, seeme_list_effective_roles(&asking, NULL))
		{
			has_role = has_role || seeme_uuid_equal(lfirst(cell), PG_GETARG_UUID_P(0));
		}
	}
	seeme_store_close(&store);
	PG_RETURN_BOOL(has_role);
}

/* Every membership of a user with up to this many is looked at. */
#define FEW_MEMBERSHIPS 8

/*
 * seeme.sees_user(user_id uuid) RETURNS boolean
 *
 * Whether whoever is asking sees at least one membership of a user, by the policy of memberships.
 */
SEEME_FUNCTION(seeme_sees_user, 1)
{
	SeemeStore	store;
	SeemePrincipal asking;
	SeemeCachedPrincipal *cached = NULL;
	bool		use_cache = seeme_accept_invalidations();
	List	   *memberships = NIL;
	const SeemeUuidSet *own = NULL;
	ListCell   *cell;
	bool		is_seen = false;

	if (use_cache)
		seeme_cache_open(&store);
	else
		seeme_store_open(&store);
	seeme_init_asking(&asking, &store);
	if (!asking.is_refused)
	{
		if (use_cache)
			cached = seeme_get_cached_principal(&store, seeme_current_identity());
		memberships = seeme_list_memberships_of_user(&store, PG_GETARG_UUID_P(0));
	}

	/*
	 * If the user has many memberships, skip those in organizations foreign to whoever is asking.
	 */
	if (cached != NULL && list_length(memberships) > FEW_MEMBERSHIPS)
		own = seeme_cached_organization_ids(&store, cached);
	foreach(cell, memberships)
	{
		const SeemeMembership *membership = lfirst(cell);
		const char *code = seeme_scope_descriptors[membership->kind].read_permission;
		SeemePlace	place;

		if (own != NULL && !seeme_uuid_set_contains(own, &membership->organization_id))
			continue;
		if (cached != NULL)
			is_seen = seeme_cached_has_code(&store, cached, membership->kind,
											&membership->scope_id, code);
		else
			is_seen = seeme_read_place(&store, membership->kind, &membership->scope_id, &place) &&
				seeme_evaluate(&asking, &place, code);
		if (is_seen)
			break;
	}
	seeme_store_close(&store);
	PG_RETURN_BOOL(is_seen);
}

/*
 * seeme.lies_in(organization, team, project uuid) RETURNS boolean
 *
 * Whether the narrowest of these lies in all the others, at least one of them. Tells this only to
 * those who belong to its organization.
 */
SEEME_FUNCTION(seeme_lies_in, 3)
{
	SeemeStore	store;
	SeemePrincipal asking;
	SeemeScope	scope;
	SeemePlace	place;
	int			ngiven = 0;
	bool		lies_in;

	for (SeemeScopeKind kind = SEEME_NO_SCOPE + 1; kind <= SEEME_NCONTAINERS; kind++)
		ngiven += PG_ARGISNULL(kind - 1) ? 0 : 1;
	if (ngiven < 2)
		PG_RETURN_BOOL(false);
	seeme_container_argument(fcinfo, 0, &scope);
	seeme_store_open(&store);
	lies_in = seeme_read_place(&store, scope.kind, &scope.id, &place);
	for (SeemeScopeKind kind = SEEME_NO_SCOPE + 1; kind < scope.kind && lies_in; kind++)
	{
		const pg_uuid_t *id = seeme_place_id(&place, kind);

		lies_in = PG_ARGISNULL(kind - 1) ||
			(id != NULL && seeme_uuid_equal(id, PG_GETARG_UUID_P(kind - 1)));
	}
	if (lies_in)
	{
		seeme_init_asking(&asking, &store);
		seeme_set_organization_place(&place, seeme_place_organization(&place));
		lies_in = !asking.is_refused && seeme_belongs(seeme_get_grants_at(&asking, &place));
	}
	seeme_store_close(&store);
	PG_RETURN_BOOL(lies_in);
}

/*
 * seeme.has_memberships(organization, user_id uuid) RETURNS boolean
 */
SEEME_FUNCTION(seeme_has_memberships, 2)
{
	SeemeStore	store;
	bool		has;

	seeme_store_open(&store);
	has = seeme_has_memberships_in(&store, PG_GETARG_UUID_P(0), PG_GETARG_UUID_P(1));
	seeme_store_close(&store);
	PG_RETURN_BOOL(has);
}
