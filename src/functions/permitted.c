/*
 * permitted.c: lists of where a permission is had, and by whom.
 *
 * Each list begins with candidates, and evaluator.c decides about each of them, so that no list
 * disagrees with a check. For a single code the cache has the answer; other permissions are
 * looked up in the tables.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/tuplestore.h"

#include "cache/cache.h"
#include "core/invalidation.h"
#include "core/codes.h"
#include "core/evaluator.h"
#include "cache/effective_permissions.h"
#include "identity/identity.h"
#include "core/uuid_hash.h"
#include "functions/permitted.h"
#include "functions/arguments.h"
#include "core/store.h"
#include "core/version.h"

/*
 * seeme_permissions(organization, team, project, resource uuid, resource_type text) RETURNS text[]
 */
SEEME_FUNCTION(seeme_permissions, 5)
{
	SeemeStore	store;
	SeemeScope	scope;
	SeemePrincipal asking;
	List	   *permitted = NIL;
	List	   *codes;
	bool	   *is_permitted;
	ListCell   *place;
	ListCell   *code;

	seeme_store_open(&store);
	seeme_scope_arguments(fcinfo, 0, &store, NULL, &scope);
	if (seeme_init_asking(&asking, &store))
	{
		codes = seeme_list_codes(&store);
		is_permitted = palloc0(Max(list_length(codes), 1));
		/* All codes for one place after the other: the grants of the place are at hand then. */
		foreach(place, seeme_find_places(&store, &scope))
		{
			foreach(code, codes)
			{
				int			i = foreach_current_index(code);

				is_permitted[i] = is_permitted[i] ||
					seeme_evaluate(&asking, lfirst(place), lfirst(code));
			}
		}
		foreach(code, codes)
		{
			if (is_permitted[foreach_current_index(code)])
				permitted = lappend(permitted, lfirst(code));
		}
	}
	seeme_store_close(&store);
	PG_RETURN_ARRAYTYPE_P(seeme_text_array(permitted));
}

/*
 * The cached principal who is asking. NULL: the cache cannot be used, nobody is identified, or
 * the identity does not count. Leaves the store open in each case.
 */
static SeemeCachedPrincipal *
open_cached_principal(SeemeStore *store, bool *use_cache)
{
	const SeemeIdentity *asker;

	*use_cache = seeme_accept_invalidations();
	if (!*use_cache)
	{
		seeme_store_open(store);
		return NULL;
	}
	asker = seeme_current_identity();
	seeme_cache_open(store);
	return asker == NULL ? NULL : seeme_get_cached_principal(store, asker);
}

/*
 * The number of scopes of a kind at which whoever is asking has a code. -1: unknown, or finding
 * out takes reading more than `limit` of them.
 */
int
seeme_count_permitted(SeemeScopeKind kind, const char *code, const char *resource_type, int limit)
{
	SeemeStore	store;
	bool		use_cache;
	SeemeCachedPrincipal *cached = open_cached_principal(&store, &use_cache);
	int			number = use_cache ? seeme_cache_find_code(code) : -1;
	int			n = -1;

	if (number >= 0 && kind == SEEME_SCOPE_RESOURCE)
	{
		if (resource_type == NULL)
			resource_type = seeme_find_type_of_resource(&store, seeme_resource_of_code(code));

		/* An unregistered type is an error. Planning must not raise it. */
		if (resource_type != NULL && seeme_read_resource_type(&store, resource_type))
			n = seeme_permitted_resource_ids(&store, cached, resource_type, number, limit, NULL);
	}
	else if (number >= 0)
		n = seeme_permitted_place_ids(&store, cached, kind, number, limit, NULL);
	seeme_store_close(&store);
	return n;
}

/*
 * At which of some scopes of a kind whoever is asking has a code. False: this is not known. Meant
 * for few permitted scopes, because a set of all of them is made.
 */
bool
seeme_which_are_permitted(SeemeScopeKind kind, const char *code, const char *resource_type,
						  const pg_uuid_t *ids, int n, bool *is_permitted)
{
	SeemeStore	store;
	bool		use_cache;
	SeemeCachedPrincipal *cached = open_cached_principal(&store, &use_cache);
	int			number = use_cache ? seeme_cache_find_code(code) : -1;
	const SeemeUuidSet *set = NULL;

	if (number >= 0 && !seeme_is_powerless(cached))
	{
		if (kind != SEEME_SCOPE_RESOURCE)
			set = seeme_get_permitted_set(&store, cached, kind, NULL, number);
		else
		{
			if (resource_type == NULL)
				resource_type = seeme_find_type_of_resource(&store,
															seeme_resource_of_code(code));
			/* An unregistered type is an error. Planning must not raise it. */
			if (resource_type != NULL && seeme_read_resource_type(&store, resource_type))
				set = seeme_get_permitted_set(&store, cached, kind, resource_type, number);
		}
		for (int i = 0; i < n && set != NULL; i++)
			is_permitted[i] = seeme_uuid_set_contains(set, &ids[i]);
	}
	seeme_store_close(&store);
	return set != NULL;
}

static bool
is_permitted_at(SeemePrincipal *principal, SeemePlace *place, const SeemePermissionSpec *spec)
{
	return seeme_evaluate_spec(principal, list_make1(place), spec);
}

/*
 * The containers of a kind in which a principal has the permission of a spec: SeemePlace *. Where
 * the principal has it in an organization, that is so in everything that lies there. Elsewhere it
 * can only come of a membership.
 */
static List *
permitted_places(SeemePrincipal *principal, SeemeScopeKind kind, const SeemePermissionSpec *spec)
{
	SeemeStore *store = principal->store;
	List	   *permitted = NIL;
	ListCell   *organization;

	if (principal->is_refused)
		return NIL;
	foreach(organization, seeme_list_own_organizations(principal))
	{
		SeemePlace *whole = seeme_organization_place(lfirst(organization));
		bool		everywhere = is_permitted_at(principal, whole, spec);
		List	   *candidates = NIL;
		ListCell   *cell;

		if (kind == SEEME_SCOPE_ORGANIZATION)
		{
			if (everywhere)
				permitted = lappend(permitted, whole);
			continue;
		}
		if (everywhere)
			candidates = seeme_list_places(store, kind, SEEME_SCOPE_ORGANIZATION,
										   lfirst(organization), INT_MAX);
		else
		{
			SeemeGrants *grants = seeme_get_grants(principal, lfirst(organization));

			for (int i = 0; i < grants->nmemberships; i++)
			{
				SeemeMembership *membership = &grants->memberships[i];
				SeemePlace *place = palloc(sizeof(SeemePlace));

				if (membership->kind == SEEME_SCOPE_ORGANIZATION)
					continue;
				if (membership->kind != kind)
					candidates = list_concat(candidates,
											 seeme_list_places(store, kind, membership->kind,
															   &membership->scope_id, INT_MAX));
				else if (seeme_read_place(store, kind, &membership->scope_id, place))
					candidates = lappend(candidates, place);
			}
		}
		foreach(cell, candidates)
		{
			if (is_permitted_at(principal, lfirst(cell), spec))
				permitted = lappend(permitted, lfirst(cell));
		}
	}
	return permitted;
}

static Datum
permitted_place_ids(FunctionCallInfo fcinfo, SeemeScopeKind kind)
{
	SeemeStore	store;
	SeemeCachedPrincipal *cached;
	bool		use_cache;
	char	   *code;
	int			number;
	pg_uuid_t  *found = NULL;
	int			n;
	SeemePermissionSpec spec;
	SeemePrincipal asking;
	List	   *ids = NIL;
	ListCell   *cell;

	cached = open_cached_principal(&store, &use_cache);
	code = seeme_code_argument(fcinfo, 0);
	if (use_cache && (number = seeme_cache_find_code(code)) >= 0 &&
		(n = seeme_permitted_place_ids(&store, cached, kind, number, INT_MAX, &found)) >= 0)
	{
		seeme_store_close(&store);
		PG_RETURN_ARRAYTYPE_P(seeme_sorted_array(found, n));
	}
	seeme_parse_permission(&store, code, &spec);
	if (seeme_init_asking(&asking, &store))
	{
		foreach(cell, permitted_places(&asking, kind, &spec))
		{
			ids = lappend(ids, unconstify(pg_uuid_t *, seeme_place_id(lfirst(cell), kind)));
		}
	}
	seeme_store_close(&store);
	PG_RETURN_ARRAYTYPE_P(seeme_uuid_array(ids));
}

/*
 * seeme_permitted_organizations(permission text) RETURNS uuid[]
 */
SEEME_FUNCTION(seeme_permitted_organizations, 1)
{
	return permitted_place_ids(fcinfo, SEEME_SCOPE_ORGANIZATION);
}

/*
 * seeme_permitted_teams(permission text) RETURNS uuid[]
 */
SEEME_FUNCTION(seeme_permitted_teams, 1)
{
	return permitted_place_ids(fcinfo, SEEME_SCOPE_TEAM);
}

/*
 * seeme_permitted_projects(permission text) RETURNS uuid[]
 */
SEEME_FUNCTION(seeme_permitted_projects, 1)
{
	return permitted_place_ids(fcinfo, SEEME_SCOPE_PROJECT);
}

/*
 * seeme_permitted_resources(permission text, resource_type text) RETURNS uuid[]
 *
 * A resource in several projects may get one code of a wildcard in each. So every resource in the
 * projects with the first code is a candidate.
 */
SEEME_FUNCTION(seeme_permitted_resources, 2)
{
	char	   *code = seeme_code_argument(fcinfo, 0);
	SeemeStore	store;
	SeemeCachedPrincipal *cached;
	bool		use_cache;
	int			number;
	pg_uuid_t  *found = NULL;
	int			n;
	SeemePermissionSpec spec;
	SeemeScope	scope = {SEEME_SCOPE_RESOURCE};
	SeemePrincipal asking;
	List	   *ids = NIL;
	ListCell   *place;
	ListCell   *cell;

	cached = open_cached_principal(&store, &use_cache);
	seeme_parse_permission(&store, code, &spec);
	if (!PG_ARGISNULL(1))
	{
		scope.resource_type = text_to_cstring(PG_GETARG_TEXT_PP(1));
		seeme_require_resource_type(&store, scope.resource_type);
	}
	else
		scope.resource_type = seeme_type_of_code(&store, code);
	if (use_cache && (number = seeme_cache_find_code(code)) >= 0 &&
		(n = seeme_permitted_resource_ids(&store, cached, scope.resource_type, number, INT_MAX,
										  &found)) >= 0)
	{
		seeme_store_close(&store);
		PG_RETURN_ARRAYTYPE_P(seeme_sorted_array(found, n));
	}
	if (seeme_init_asking(&asking, &store))
	{
		/* Without the first code of a wildcard there is no wildcard. */
		SeemePermissionSpec part = {linitial(spec.concrete), list_make1(linitial(spec.concrete))};
		List	   *candidates = NIL;
		SeemeUuidHash seen = {0};	/* each resource once, in however many of the projects it is */
		MemoryContext per_user = AllocSetContextCreate(CurrentMemoryContext,
													   "seeme_rbac places of a resource",
													   ALLOCSET_DEFAULT_SIZES);

		foreach(place, permitted_places(&asking, SEEME_SCOPE_PROJECT, &part))
		{
			const pg_uuid_t *project = seeme_place_id(lfirst(place), SEEME_SCOPE_PROJECT);

			foreach(cell, seeme_list_assignments_to(&store, project, scope.resource_type,
													INT_MAX))
			{
				pg_uuid_t  *id = &((SeemeAssignment *) lfirst(cell))->resource_id;

				if (seeme_uuid_hash_find(&seen, id) != NULL)
					continue;
				seeme_uuid_hash_insert(CurrentMemoryContext, &seen, id, 1);
				candidates = lappend(candidates, id);
			}
		}
		foreach(cell, candidates)
		{
			MemoryContext old = MemoryContextSwitchTo(per_user);
			bool		permitted;

			CHECK_FOR_INTERRUPTS();
			scope.id = *(pg_uuid_t *) lfirst(cell);
			permitted = list_length(spec.concrete) == 1 ||
				seeme_evaluate_spec(&asking, seeme_find_places(&store, &scope), &spec);
			MemoryContextSwitchTo(old);
			MemoryContextReset(per_user);
			if (permitted)
				ids = lappend(ids, lfirst(cell));
		}
	}
	seeme_store_close(&store);
	PG_RETURN_ARRAYTYPE_P(seeme_uuid_array(ids));
}

/* A user who may have a permission in an organization. */
typedef struct Candidate
{
	pg_uuid_t	user_id;
	const pg_uuid_t *organization_id;
} Candidate;

typedef struct Candidates
{
	Candidate  *list;
	Size		n;
	Size		size;
} Candidates;

static void
add_candidate(Candidates *candidates, const pg_uuid_t *user_id, const pg_uuid_t *organization_id)
{
	if (candidates->n >= candidates->size)
	{
		candidates->size = Max(candidates->size * 2, 64);
		candidates->list = candidates->list == NULL ? palloc(sizeof(Candidate) * candidates->size) :
			repalloc_huge(candidates->list, sizeof(Candidate) * candidates->size);
	}
	candidates->list[candidates->n].user_id = *user_id;
	candidates->list[candidates->n++].organization_id = organization_id;
}

static int
compare_candidates(const void *a, const void *b)
{
	return memcmp(((const Candidate *) a)->user_id.data, ((const Candidate *) b)->user_id.data,
				  UUID_LEN);
}

/* The owners and members of the organizations of some places, sorted by user. */
static void
find_candidates(SeemeStore *store, List *places, Candidates *candidates)
{
	SeemeUuidHash seen = {0};
	ListCell   *cell;
	ListCell   *member;

	foreach(cell, places)
	{
		const pg_uuid_t *organization_id = seeme_place_organization(lfirst(cell));
		pg_uuid_t	owner;

		if (seeme_uuid_hash_find(&seen, organization_id) != NULL)
			continue;
		seeme_uuid_hash_insert(CurrentMemoryContext, &seen, organization_id, 1);
		if (seeme_read_owner(store, organization_id, &owner))
			add_candidate(candidates, &owner, organization_id);
		foreach(member, seeme_list_members(store, organization_id))
		{
			add_candidate(candidates, lfirst(member), organization_id);
		}
	}
	if (candidates->n > 0)
		qsort(candidates->list, candidates->n, sizeof(Candidate), compare_candidates);
}

/* Up to this many places are all looked at; of more, only those that differ for a user. */
#define FEW_PLACES 8

/* Adds the places in a candidate's organization that can differ for the principal. */
static List *
add_distinct_places(List *places, SeemePrincipal *principal, const SeemePlaceIndex *index,
					const Candidate *candidate)
{
	return list_concat(places,
					   seeme_distinct_places(principal, index, candidate->organization_id));
}

/*
 * Calls a function for each user who may have a permission in at least one of the places, once for
 * each, with the places that matter for that user. What it allocates is freed when it returns.
 */
void
seeme_visit_candidates(SeemeStore *store, List *places, SeemeRoleCache *roles,
					   SeemeVisitCandidate visit, void *context)
{
	Candidates	candidates = {0};
	SeemePlaceIndex index;
	MemoryContext per_user = AllocSetContextCreate(CurrentMemoryContext, "seeme_rbac candidate",
												   ALLOCSET_DEFAULT_SIZES);
	bool		are_many = list_length(places) > FEW_PLACES;

	find_candidates(store, places, &candidates);
	if (are_many)
		seeme_index_places(&index, places);
	for (Size i = 0, next; i < candidates.n; i = next)
	{
		pg_uuid_t  *user_id = &candidates.list[i].user_id;
		MemoryContext old = MemoryContextSwitchTo(per_user);
		SeemePrincipal principal;
		List	   *places_of_user = are_many ? NIL : places;

		CHECK_FOR_INTERRUPTS();
		seeme_init_principal(&principal, store, user_id);
		principal.roles = roles;
		for (next = i;
			 next < candidates.n && seeme_uuid_equal(&candidates.list[next].user_id, user_id);
			 next++)
			if (are_many)
				places_of_user = add_distinct_places(places_of_user, &principal, &index,
													 &candidates.list[next]);
		visit(&principal, places_of_user, context);
		MemoryContextSwitchTo(old);
		MemoryContextReset(per_user);
	}
	MemoryContextDelete(per_user);
}

/* The users who have the permission of a spec. */
typedef struct Permitted
{
	const SeemePermissionSpec *spec;
	MemoryContext context;
	List	   *users;			/* of pg_uuid_t * */
} Permitted;

static void
add_permitted(SeemePrincipal *principal, List *places, void *context)
{
	Permitted  *permitted = context;
	MemoryContext old;

	if (!seeme_evaluate_spec(principal, places, permitted->spec))
		return;
	old = MemoryContextSwitchTo(permitted->context);
	permitted->users = lappend(permitted->users,
							   memcpy(palloc(sizeof(pg_uuid_t)), &principal->user.id,
									  sizeof(pg_uuid_t)));
	MemoryContextSwitchTo(old);
}

/* The users with a permission in at least one of the places: pg_uuid_t *. */
static List *
permitted_principals(SeemeStore *store, List *places, const SeemePermissionSpec *spec)
{
	SeemeRoleCache roles = {CurrentMemoryContext};
	Permitted	permitted = {spec, CurrentMemoryContext};

	seeme_visit_candidates(store, places, &roles, add_permitted, &permitted);
	return permitted.users;
}

/*
 * seeme_permitted_users(permission text, organization, team, project, resource uuid,
 * resource_type text) RETURNS SETOF uuid
 */
SEEME_FUNCTION(seeme_permitted_users, 6)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	char	   *code = seeme_code_argument(fcinfo, 0);
	SeemeStore	store;
	SeemePermissionSpec spec;
	SeemeScope	scope;
	SeemePrincipal asking;
	List	   *places;
	ArrayType  *users;
	Datum	   *datums;
	int			n;
	List	   *permitted;

	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	seeme_store_open(&store);
	seeme_parse_permission(&store, code, &spec);
	seeme_scope_arguments(fcinfo, 1, &store, code, &scope);
	seeme_init_asking(&asking, &store);
	places = seeme_find_places(&store, &scope);
	permitted = permitted_principals(&store, seeme_visible_places(&asking, NULL, places), &spec);
	/* Everybody is told about oneself. */
	if (!asking.is_refused && seeme_evaluate_spec(&asking, places, &spec))
		permitted = lappend(permitted, &asking.user.id);
	seeme_store_close(&store);

	users = seeme_uuid_array(permitted);
	deconstruct_array(users, UUIDOID, UUID_LEN, false, TYPALIGN_CHAR, &datums, NULL, &n);
	for (int i = 0; i < n; i++)
	{
		bool		isnull = false;

		tuplestore_putvalues(result->setResult, result->setDesc, &datums[i], &isnull);
	}
	return (Datum) 0;
}
