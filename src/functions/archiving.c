/*
 * archiving.c: who may archive an organization, a team or a project, and who brings it back.
 *
 * What an archived one does to decisions is scope.c's affair. Decides by evaluator.c alone, but for
 * the owner of what is archived, whom the evaluator does not know any more.
 */
#include "postgres.h"

#include "cache/effective_permissions.h"
#include "core/evaluator.h"
#include "core/invalidation.h"
#include "core/store.h"
#include "core/version.h"
#include "functions/arguments.h"
#include "identity/identity.h"

/* Whether somebody owns an organization, archived or not, as far as their key reaches a code. */
static bool
owns(SeemeStore *store, const SeemePrincipal *asking, const pg_uuid_t *organization,
	 const char *code)
{
	pg_uuid_t	owner;

	return !asking->is_refused && seeme_api_key_allows(asking, organization, code) &&
		seeme_read_owner_of_archived(store, organization, &owner) &&
		seeme_uuid_equal(&owner, &asking->user.id);
}

/*
 * seeme.may_bring_back(organization uuid) RETURNS boolean
 */
SEEME_FUNCTION(seeme_may_bring_back, 1)
{
	SeemeStore	store;
	SeemePrincipal asking;
	bool		may;

	seeme_store_open(&store);
	may = seeme_init_asking(&asking, &store) &&
		owns(&store, &asking, PG_GETARG_UUID_P(0), "organizations:update");
	seeme_store_close(&store);
	PG_RETURN_BOOL(may);
}

/* What is archived or brought back: the first arguments, of which the organization is not null. */
static SeemeScope
scope_argument(FunctionCallInfo fcinfo)
{
	SeemeScope	scope = {SEEME_SCOPE_ORGANIZATION};

	if (!PG_ARGISNULL(1))
		scope.kind = SEEME_SCOPE_TEAM;
	else if (!PG_ARGISNULL(2))
		scope.kind = SEEME_SCOPE_PROJECT;
	scope.id = *PG_GETARG_UUID_P(scope.kind - SEEME_SCOPE_ORGANIZATION);
	return scope;
}

static bool
may_archive(SeemeStore *store, const pg_uuid_t *organization, const SeemeScope *scope,
			bool is_archived)
{
	static const char *const codes[] = {
		[SEEME_SCOPE_ORGANIZATION] = "organizations:delete",
		[SEEME_SCOPE_TEAM] = "teams:delete",
		[SEEME_SCOPE_PROJECT] = "projects:delete",
	};
	const char *code = codes[scope->kind];
	SeemePrincipal asking;
	List	   *places;

	if (!seeme_init_asking(&asking, store) || asking.is_refused)
		return false;
	if (is_archived && owns(store, &asking, organization, code))
		return true;

	/*
	 * Of what this very statement archives, the evaluator does not know yet: its new row may be
	 * seen.
	 */
	places = seeme_find_places(store, scope);
	return places != NIL && seeme_evaluate(&asking, linitial(places), code);
}

/*
 * seeme.may_archive(organization, team, project uuid, archived_at timestamptz) RETURNS boolean
 */
SEEME_FUNCTION(seeme_may_archive, 4)
{
	SeemeStore	store;
	SeemeScope	scope;
	bool		may;

	if (PG_ARGISNULL(0))
		PG_RETURN_BOOL(false);
	scope = scope_argument(fcinfo);
	seeme_store_open(&store);
	may = may_archive(&store, PG_GETARG_UUID_P(0), &scope, !PG_ARGISNULL(3));
	seeme_store_close(&store);
	PG_RETURN_BOOL(may);
}

/*
 * seeme.may_archive_row(organization, team, project uuid) RETURNS boolean
 *
 * The same, for a row elsewhere that mirrors the one here: archived_at is read. False where the row
 * is not here, or lies in another organization.
 */
SEEME_FUNCTION(seeme_may_archive_row, 3)
{
	SeemeStore	store;
	SeemeScope	scope;
	SeemePlace	place;
	bool		is_archived;
	bool		may;

	if (PG_ARGISNULL(0))
		PG_RETURN_BOOL(false);
	scope = scope_argument(fcinfo);
	seeme_store_open(&store);
	may = seeme_read_place_of_archived(&store, scope.kind, &scope.id, &place, &is_archived) &&
		seeme_uuid_equal(seeme_place_organization(&place), PG_GETARG_UUID_P(0)) &&
		may_archive(&store, PG_GETARG_UUID_P(0), &scope, is_archived);
	seeme_store_close(&store);
	PG_RETURN_BOOL(may);
}

/*
 * seeme.sees_unused(organization, team, project uuid) RETURNS boolean
 *
 * What seeme.is_in_use does not answer of a row elsewhere that mirrors the one here. A row that is
 * being added there is not here yet. Members of its organization alone are told that it is not. Of
 * an organization: whether they own the one here, if there is one. Of a project with a team:
 * whether the one here, if there is one, lies in that team.
 */
SEEME_FUNCTION(seeme_sees_unused, 3)
{
	SeemeStore	store;
	SeemeScope	scope;
	SeemePlace	place;
	SeemePrincipal asking;
	pg_uuid_t	owner;
	const pg_uuid_t *team;
	bool		is_archived;
	bool		sees;

	if (PG_ARGISNULL(0))
		PG_RETURN_BOOL(false);
	scope = scope_argument(fcinfo);
	seeme_store_open(&store);
	if (scope.kind == SEEME_SCOPE_ORGANIZATION)
		sees = seeme_init_asking(&asking, &store) && !asking.is_refused &&
			(!seeme_read_owner_of_archived(&store, &scope.id, &owner) ||
			 seeme_uuid_equal(&owner, &asking.user.id));
	else if (!PG_ARGISNULL(1) && !PG_ARGISNULL(2) &&
			 seeme_read_place_of_archived(&store, SEEME_SCOPE_PROJECT, PG_GETARG_UUID_P(2), &place,
										  &is_archived))
	{
		team = seeme_place_id(&place, SEEME_SCOPE_TEAM);
		sees = team != NULL && seeme_uuid_equal(team, PG_GETARG_UUID_P(1)) &&
			seeme_uuid_equal(seeme_place_organization(&place), PG_GETARG_UUID_P(0));
	}
	else if (PG_ARGISNULL(1) != PG_ARGISNULL(2) &&
			 seeme_read_place_of_archived(&store, scope.kind, &scope.id, &place, &is_archived) &&
			 is_archived && seeme_uuid_equal(seeme_place_organization(&place), PG_GETARG_UUID_P(0)))
		sees = may_archive(&store, PG_GETARG_UUID_P(0), &scope, true);
	else
	{
		seeme_set_organization_place(&place, PG_GETARG_UUID_P(0));
		sees = seeme_init_asking(&asking, &store) && !asking.is_refused &&
			seeme_belongs(seeme_get_grants_at(&asking, &place));
	}
	seeme_store_close(&store);
	PG_RETURN_BOOL(sees);
}

/* Whether a team or project lies in an organization that the principal belongs to. */
static bool
is_in_own_organization(const SeemeGrants *grants, const SeemePlace *place,
					   const pg_uuid_t *organization)
{
	return seeme_uuid_equal(seeme_place_organization(place), organization) &&
		seeme_belongs(grants);
}

static bool
is_in_use_uncached(SeemeScopeKind kind, const pg_uuid_t *id, const pg_uuid_t *organization)
{
	SeemeStore	store;
	SeemePrincipal asking;
	SeemePlace	place;
	bool		is_in_use;

	seeme_store_open(&store);
	is_in_use = !seeme_has_archived(&store, kind) ||
		(seeme_init_asking(&asking, &store) && !asking.is_refused &&
		 seeme_read_place(&store, kind, id, &place) &&
		 is_in_own_organization(seeme_get_grants_at(&asking, &place), &place, organization));
	seeme_store_close(&store);
	return is_in_use;
}

/* What is kept of one call from row to row: fn_extra. By kind. */
typedef struct InUseSite
{
	/* While it is seeme_site_generation, nothing of the kind is archived; 0: unknown. */
	uint64		generation[SEEME_NCONTAINERS + 1];
} InUseSite;

static bool
is_in_use(InUseSite *site, SeemeScopeKind kind, const pg_uuid_t *id, const pg_uuid_t *organization)
{
	const SeemeIdentity *identity = seeme_current_identity();
	SeemeCachedPrincipal *cached;
	SeemePrincipal principal;
	SeemeExpandedGrants expanded;
	SeemePlace	place;
	SeemeStore	store;
	const SeemeGrants *grants;
	uint64		generation;
	bool		answer = false;

	seeme_cache_open(&store);
	generation = seeme_cache_generation();
	if (!seeme_has_archived(&store, kind))
	{
		seeme_store_close(&store);
		/* Unless something has changed since it was read. */
		site->generation[kind] = generation == seeme_generation ? seeme_site_generation : 0;
		return true;
	}
	cached = identity == NULL ? NULL : seeme_get_cached_principal(&store, identity);
	if (!seeme_is_powerless(cached))
	{
		seeme_init_from_cache(&principal, &store, cached);
		grants = seeme_cached_grants_at(&principal, cached, kind, id, &place, &expanded);
		answer = grants != NULL && is_in_own_organization(grants, &place, organization);
	}
	seeme_store_close(&store);
	return answer;
}

/*
 * seeme.is_in_use(organization, team, project uuid) RETURNS boolean
 *
 * As a rule nothing is archived. Then this is true of everything, and tells nothing. Else it tells
 * about an organization only to those who belong to it.
 */
SEEME_FUNCTION(seeme_is_in_use, 3)
{
	SeemeScopeKind kind = !PG_ARGISNULL(2) ? SEEME_SCOPE_PROJECT : SEEME_SCOPE_TEAM;
	const pg_uuid_t *id;
	InUseSite  *site = fcinfo->flinfo->fn_extra;

	if (PG_ARGISNULL(1) == PG_ARGISNULL(2))
		PG_RETURN_BOOL(PG_ARGISNULL(1));
	if (PG_ARGISNULL(0))
		PG_RETURN_BOOL(false);
	id = PG_GETARG_UUID_P(kind - 1);
	if (!seeme_accept_invalidations())
		PG_RETURN_BOOL(is_in_use_uncached(kind, id, PG_GETARG_UUID_P(0)));
	if (site == NULL)
	{
		site = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(InUseSite));
		fcinfo->flinfo->fn_extra = site;
	}
	PG_RETURN_BOOL(site->generation[kind] == seeme_site_generation ||
				   is_in_use(site, kind, id, PG_GETARG_UUID_P(0)));
}
