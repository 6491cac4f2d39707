/*
 * own_rows.c: what the policies of the extension's own tables ask about a row: whether one of its
 * columns is in a list of whoever is asking. And these lists as arrays, which the planner looks up
 * in an index in place of the calls (planner/own_tables_support.c).
 *
 * Owns the state of call sites (fn_extra). The first rows are decided one by one. Then a call site
 * gets the list, and each further row costs one look-up in a hash table. Must not decide:
 * evaluator.c does, or what the cache has of it.
 */
#include "postgres.h"

#include <limits.h>

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "nodes/primnodes.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "cache/effective_permissions.h"
#include "cache/own_scopes.h"
#include "core/evaluator.h"
#include "core/invalidation.h"
#include "core/store.h"
#include "core/version.h"
#include "functions/arguments.h"
#include "functions/creator_seats.h"
#include "functions/own_rows.h"
#include "identity/identity.h"
#include "identity/provisioning.h"

/* So many rows are decided one by one before a list is read. */
#define ROWS_BEFORE_LIST 16

/*
 * Nobody knows how many memberships have to be read to list the users that a principal sees. So
 * this is tried with a limit: some memberships for each row decided so far. After a failure, so
 * many times as many rows pass before the next attempt. All attempts together cost a few times as
 * much as these rows.
 */
#define MEMBERSHIPS_PER_ROW 64
#define ROWS_UNTIL_NEXT_ATTEMPT 4

/* What is kept of one call in a plan or expression, from row to row: fn_extra. */
typedef struct OwnRowSite
{
	/* While these match, the rest is valid: is_fresh(). */
	uint64		generation;		/* seeme_site_generation; 0: the site is not valid */
	bool		identity_is_set;	/* then a change of identity moves the generation, too */
	const SeemeIdentity *identity;
	TimestampTz next_change;	/* the first date on which an answer may change */

	bool		has_nothing;	/* every answer is no */
	const SeemeUuidSet *ids;	/* all ids for which the answer is yes; NULL: not read */
	bool		has_last;
	pg_uuid_t	last_id;
	bool		last_answer;

	/* A list for which the cache has no room. Valid as long as these match: list_of_site(). */
	SeemeUuidSet list;
	uint64		list_generation;	/* seeme_generation; 0: there is none */
	SeemeIdentity list_identity;
	TimestampTz list_next_change;

	uint64		rows;			/* decided one by one */
	uint64		rows_before_list;

	/* What the call asks about. Constant codes are taken apart once. */
	SeemeOwnScopes scopes;
	bool		codes_are_constant;
} OwnRowSite;

static OwnRowSite *
get_site(FunctionCallInfo fcinfo)
{
	OwnRowSite *site = fcinfo->flinfo->fn_extra;

	if (site == NULL)
	{
		site = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(OwnRowSite));
		site->rows_before_list = ROWS_BEFORE_LIST;
		fcinfo->flinfo->fn_extra = site;
	}
	return site;
}

/* Whether what a site keeps is still valid. */
static bool
is_fresh(const OwnRowSite *site)
{
	return (site->identity_is_set || site->identity == seeme_current_identity()) &&
		site->generation == seeme_site_generation &&
		(site->next_change == DT_NOEND || !seeme_has_passed(site->next_change));
}

/* The list that a site has for itself; NULL: none that is valid for this identity. */
static const SeemeUuidSet *
list_of_site(OwnRowSite *site, const SeemeIdentity *identity)
{
	if (site->list_generation != 0 && site->list_generation == seeme_generation &&
		seeme_same_identity(&site->list_identity, identity) &&
		site->list_identity.issued_at == identity->issued_at &&
		site->list_identity.expires_at == identity->expires_at &&
		!seeme_has_passed(site->list_next_change))
		return &site->list;
	site->list_generation = 0;
	if (site->list.memory != NULL)
		seeme_uuid_set_free(&site->list);
	return NULL;
}

/* The list that the cache has, or reads if need be. See seeme_cached_users_seen() for the limit. */
static const SeemeUuidSet *
get_list(SeemeOwnList list, const SeemeOwnScopes *scopes, SeemeStore *store,
		 SeemeCachedPrincipal *cached, int limit, MemoryContext context, SeemeUuidSet *otherwise)
{
	switch (list)
	{
		case SEEME_OWN_SCOPES:
			return seeme_cached_own_scopes(store, cached, scopes, context, otherwise);
		case SEEME_OWN_ROLES:
			return seeme_cached_role_ids(store, cached, context, otherwise);
		case SEEME_OWN_USERS:
			return seeme_cached_users_seen(store, cached, limit, context, otherwise);
	}
	pg_unreachable();
}

/* The list for a site. Reads it only when enough rows were decided; NULL: it was not read. */
static const SeemeUuidSet *
get_list_for_site(FunctionCallInfo fcinfo, OwnRowSite *site, SeemeOwnList list,
				  const SeemeOwnScopes *scopes, SeemeStore *store, SeemeCachedPrincipal *cached)
{
	const SeemeIdentity *identity = seeme_current_identity();
	bool		is_due = ++site->rows > site->rows_before_list || list == SEEME_OWN_ROLES;
	const SeemeUuidSet *ids = list_of_site(site, identity);

	if (ids != NULL)
		return ids;
	if (is_due)
		ids = get_list(list, scopes, store, cached,
					   (int) Min(site->rows * MEMBERSHIPS_PER_ROW, INT_MAX),
					   fcinfo->flinfo->fn_mcxt, &site->list);
	else if (list == SEEME_OWN_SCOPES)
		ids = seeme_find_own_scopes(cached, scopes);
	else
		ids = seeme_cached_find_users_seen(cached);
	if (ids != NULL && ids == &site->list)
	{
		site->list_generation = seeme_cache_generation();
		site->list_identity = *identity;
		site->list_next_change = Min(identity->expires_at, cached->next_change);
	}
	if (is_due && ids == NULL)
		site->rows_before_list = site->rows * ROWS_UNTIL_NEXT_ATTEMPT;
	return ids;
}

/* Decides about a row for which the site has no answer, and prepares the site for the next one. */
static pg_noinline bool
decide(FunctionCallInfo fcinfo, OwnRowSite *site, SeemeOwnList list,
	   const SeemeOwnScopes *scopes, const pg_uuid_t *id)
{
	const SeemeIdentity *identity = seeme_current_identity();
	SeemeStore	store;
	SeemeCachedPrincipal *cached = NULL;
	uint64		generation;
	bool		answer = false;

	site->generation = 0;
	site->ids = NULL;
	site->has_nothing = true;
	site->next_change = DT_NOEND;
	seeme_cache_open(&store);
	generation = seeme_cache_generation();
	if (identity != NULL)
		cached = seeme_get_cached_principal(&store, identity);
	if (!seeme_is_powerless(cached))
	{
		site->has_nothing = false;
		site->ids = get_list_for_site(fcinfo, site, list, scopes, &store, cached);
		answer = site->ids != NULL ? seeme_uuid_set_contains(site->ids, id) :
			list == SEEME_OWN_USERS ? seeme_cached_is_user_seen(&store, cached, id) :
			seeme_cached_is_own_scope(&store, cached, scopes, id);
	}
	if (cached != NULL)
		site->next_change = Min(identity->expires_at, cached->next_change);
	seeme_store_close(&store);
	site->identity = identity;
	site->identity_is_set = seeme_identity_is_set();
	site->last_id = *id;
	site->last_answer = answer;
	site->has_last = true;
	/* Unless something has changed since it was read. */
	site->generation = generation == seeme_generation ? seeme_site_generation : 0;
	return answer;
}

/* The same without the cache. */
static bool
decide_uncached(SeemeOwnList list, const SeemeOwnScopes *scopes, const pg_uuid_t *id)
{
	SeemeStore	store;
	SeemePrincipal asking;
	SeemePlace	place;
	ListCell   *cell;
	bool		answer = false;

	seeme_store_open(&store);
	seeme_init_asking(&asking, &store);
	if (!asking.is_refused && list == SEEME_OWN_USERS)
		answer = seeme_is_user_seen(&asking, id);
	else if (!asking.is_refused && list == SEEME_OWN_ROLES)
	{
		foreach(cell, seeme_list_effective_roles(&asking, NULL))
		{
			answer = answer || seeme_uuid_equal(lfirst(cell), id);
		}
	}
	else if (!asking.is_refused && seeme_read_place(&store, scopes->kind, id, &place))
		answer = seeme_is_own_scope(&asking, seeme_get_grants_at(&asking, &place), &place, scopes);
	seeme_store_close(&store);
	return answer;
}

/* Whether an id is in a list of whoever is asking. */
static bool
is_in_own_list(FunctionCallInfo fcinfo, SeemeOwnList list, const SeemeOwnScopes *scopes,
			   const pg_uuid_t *id)
{
	OwnRowSite *site = get_site(fcinfo);

	if (!seeme_accept_invalidations())
		return decide_uncached(list, scopes, id);
	if (is_fresh(site))
	{
		if (site->has_nothing)
			return false;
		if (site->ids != NULL)
			return seeme_uuid_set_contains(site->ids, id);
		if (site->has_last && seeme_uuid_equal(&site->last_id, id))
			return site->last_answer;
	}
	return decide(fcinfo, site, list, scopes, id);
}

/* A list without the cache, in no order. Returns how many ids it has. */
static int
list_uncached(SeemeOwnList list, const SeemeOwnScopes *scopes, SeemeStore *store, pg_uuid_t **ids)
{
	SeemePrincipal asking;
	SeemeUuidHash roles = {0};
	ListCell   *cell;

	if (!seeme_init_asking(&asking, store) || asking.is_refused)
		return 0;
	if (list == SEEME_OWN_SCOPES)
		return seeme_list_own_scopes(&asking, scopes, ids);
	if (list == SEEME_OWN_USERS)
		return seeme_list_users_seen(&asking, ids);
	foreach(cell, seeme_list_effective_roles(&asking, NULL))
	{
		seeme_uuid_hash_add(CurrentMemoryContext, &roles, lfirst(cell));
	}
	return seeme_uuid_hash_list(&roles, ids);
}

/*
 * The list of whoever is asking, from an open cache. NULL and *n = 0: they have nothing. NULL and
 * *n = -1: the limit is passed.
 */
static const SeemeUuidSet *
list_cached(SeemeOwnList list, const SeemeOwnScopes *scopes, SeemeStore *store, int limit,
			SeemeUuidSet *otherwise, int *n)
{
	const SeemeIdentity *identity = seeme_current_identity();
	SeemeCachedPrincipal *cached =
	identity == NULL ? NULL : seeme_get_cached_principal(store, identity);
	const SeemeUuidSet *ids = NULL;

	*n = 0;
	if (seeme_is_powerless(cached))
		return NULL;
	ids = get_list(list, scopes, store, cached, limit, CurrentMemoryContext, otherwise);
	*n = ids == NULL ? -1 : ids->n;
	return ids;
}

/* A list of whoever is asking as an array. */
static Datum
own_list(SeemeOwnList list, const SeemeOwnScopes *scopes)
{
	SeemeStore	store;
	pg_uuid_t  *ids = NULL;
	int			n = 0;

	if (seeme_accept_invalidations())
	{
		SeemeUuidSet otherwise = {0};
		const SeemeUuidSet *set;

		seeme_cache_open(&store);
		set = list_cached(list, scopes, &store, INT_MAX, &otherwise, &n);
		if (set != NULL)
		{
			ids = palloc_extended(sizeof(pg_uuid_t) * Max(n, 1), MCXT_ALLOC_HUGE);
			n = seeme_uuid_set_list(set, ids);
		}
	}
	else
	{
		seeme_store_open(&store);
		n = list_uncached(list, scopes, &store, &ids);
	}
	seeme_store_close(&store);
	PG_RETURN_ARRAYTYPE_P(seeme_sorted_array(ids, Max(n, 0)));
}

/*
 * The number of ids in a list of whoever is asking, for the planner. -1: unknown, or finding out
 * takes reading more than `limit` memberships of others.
 */
int
seeme_count_own(SeemeOwnList list, const SeemeOwnScopes *scopes, int limit)
{
	SeemeStore	store;
	SeemeUuidSet otherwise = {0};
	int			n;

	if (!seeme_accept_invalidations())
		return -1;
	seeme_cache_open(&store);
	(void) list_cached(list, scopes, &store, limit, &otherwise, &n);
	if (otherwise.memory != NULL)
		seeme_uuid_set_free(&otherwise);
	seeme_store_close(&store);
	return n;
}

/* Takes the codes of an argument apart. */
static void
parse_codes(FunctionCallInfo fcinfo, int arg, SeemeOwnScopes *scopes)
{
	Datum	   *datums;
	bool	   *nulls;
	int			n;

	deconstruct_array(PG_GETARG_ARRAYTYPE_P(arg), TEXTOID, -1, false, TYPALIGN_INT, &datums, &nulls,
					  &n);
	scopes->by_codes = true;
	scopes->ncodes = 0;
	scopes->codes = palloc(sizeof(char *) * Max(n, 1));
	for (int i = 0; i < n; i++)
		if (!nulls[i])
			scopes->codes[scopes->ncodes++] = TextDatumGetCString(datums[i]);
}

/*
 * What a call asks about, given the kind of its only scope, and with codes whether the first
 * argument is the codes. Kept with the site as long as the next call asks the same; else the site
 * forgets its answers, which are about other scopes.
 */
static const SeemeOwnScopes *
scopes_of_call(FunctionCallInfo fcinfo, SeemeScopeKind kind, bool by_codes)
{
	OwnRowSite *site = get_site(fcinfo);
	FuncExpr   *call = (FuncExpr *) fcinfo->flinfo->fn_expr;
	MemoryContext old;

	if (site->scopes.kind == kind && (!by_codes || site->codes_are_constant))
		return &site->scopes;
	site->generation = 0;
	site->list_generation = 0;
	site->scopes.kind = kind;
	if (!by_codes || site->codes_are_constant)
		return &site->scopes;
	/* An argument that is a parameter may change, as in an expression of PL/pgSQL. */
	site->codes_are_constant = call != NULL && IsA(call, FuncExpr) &&
		IsA(linitial(call->args), Const);
	old = CurrentMemoryContext;
	if (site->codes_are_constant)
		MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);
	parse_codes(fcinfo, 0, &site->scopes);
	MemoryContextSwitchTo(old);
	return &site->scopes;
}

/* Whether a container is in a list; false unless exactly one argument from `first` on names it. */
static Datum
is_in_own_scopes(FunctionCallInfo fcinfo, bool by_codes, int first, SeemeScopeKind first_kind,
				 int nkinds)
{
	int			found = -1;

	if (by_codes && PG_ARGISNULL(0))
		PG_RETURN_BOOL(false);
	for (int i = 0; i < nkinds; i++)
	{
		if (PG_ARGISNULL(first + i))
			continue;
		if (found >= 0)
			PG_RETURN_BOOL(false);
		found = i;
	}
	PG_RETURN_BOOL(found >= 0 &&
				   is_in_own_list(fcinfo, SEEME_OWN_SCOPES,
								  scopes_of_call(fcinfo, first_kind + found, by_codes),
								  PG_GETARG_UUID_P(first + found)));
}

/*
 * seeme.holds_throughout(permissions text[], organization uuid) RETURNS boolean
 */
SEEME_FUNCTION(seeme_holds_throughout, 2)
{
	return is_in_own_scopes(fcinfo, true, 1, SEEME_SCOPE_ORGANIZATION, 1);
}

/*
 * seeme.holds_below(permissions text[], team, project uuid) RETURNS boolean
 */
SEEME_FUNCTION(seeme_holds_below, 3)
{
	return is_in_own_scopes(fcinfo, true, 1, SEEME_SCOPE_TEAM, 2);
}

/*
 * seeme.is_member(organization uuid) RETURNS boolean
 */
SEEME_FUNCTION(seeme_is_member, 1)
{
	return is_in_own_scopes(fcinfo, false, 0, SEEME_SCOPE_ORGANIZATION, 1);
}

/*
 * seeme.is_direct_member(team, project uuid) RETURNS boolean
 */
SEEME_FUNCTION(seeme_is_direct_member_of, 2)
{
	Datum		is_member = is_in_own_scopes(fcinfo, false, 0, SEEME_SCOPE_TEAM, 2);
	int			argument = PG_ARGISNULL(0) ? 1 : 0;

	if (DatumGetBool(is_member) || PG_ARGISNULL(argument) || !PG_ARGISNULL(1 - argument))
		return is_member;
	PG_RETURN_BOOL(seeme_is_created_now(argument == 0 ? SEEME_SCOPE_TEAM : SEEME_SCOPE_PROJECT,
										PG_GETARG_UUID_P(argument)));
}

/*
 * seeme.has_effective_role(role_id uuid) RETURNS boolean
 */
SEEME_FUNCTION(seeme_has_effective_role, 1)
{
	PG_RETURN_BOOL(!PG_ARGISNULL(0) &&
				   is_in_own_list(fcinfo, SEEME_OWN_ROLES, NULL, PG_GETARG_UUID_P(0)));
}

/*
 * seeme.sees_user(user_id uuid) RETURNS boolean
 */
SEEME_FUNCTION(seeme_sees_user, 1)
{
	if (PG_ARGISNULL(0))
		PG_RETURN_BOOL(false);
	if (unlikely(seeme_current_identity() == NULL))
		PG_RETURN_BOOL(seeme_provisions_users());
	PG_RETURN_BOOL(is_in_own_list(fcinfo, SEEME_OWN_USERS, NULL, PG_GETARG_UUID_P(0)));
}

static Datum
own_scopes(FunctionCallInfo fcinfo, bool by_codes, SeemeScopeKind kind)
{
	SeemeOwnScopes scopes = {kind};

	if (by_codes)
		parse_codes(fcinfo, 0, &scopes);
	return own_list(SEEME_OWN_SCOPES, &scopes);
}

/*
 * seeme.organizations_held(permissions text[]) RETURNS uuid[]
 */
SEEME_FUNCTION(seeme_organizations_held, 1)
{
	return own_scopes(fcinfo, true, SEEME_SCOPE_ORGANIZATION);
}

/*
 * seeme.teams_held(permissions text[]) RETURNS uuid[]
 */
SEEME_FUNCTION(seeme_teams_held, 1)
{
	return own_scopes(fcinfo, true, SEEME_SCOPE_TEAM);
}

/*
 * seeme.projects_held(permissions text[]) RETURNS uuid[]
 */
SEEME_FUNCTION(seeme_projects_held, 1)
{
	return own_scopes(fcinfo, true, SEEME_SCOPE_PROJECT);
}

/*
 * seeme.member_organizations() RETURNS uuid[]
 */
SEEME_FUNCTION(seeme_member_organizations, 0)
{
	return own_scopes(fcinfo, false, SEEME_SCOPE_ORGANIZATION);
}

/*
 * seeme.member_teams() RETURNS uuid[]
 */
SEEME_FUNCTION(seeme_member_teams, 0)
{
	return own_scopes(fcinfo, false, SEEME_SCOPE_TEAM);
}

/*
 * seeme.member_projects() RETURNS uuid[]
 */
SEEME_FUNCTION(seeme_member_projects, 0)
{
	return own_scopes(fcinfo, false, SEEME_SCOPE_PROJECT);
}

/*
 * seeme.effective_roles() RETURNS uuid[]
 */
SEEME_FUNCTION(seeme_effective_roles, 0)
{
	return own_list(SEEME_OWN_ROLES, NULL);
}

static void
add_user(void *context, const SeemeUser *user)
{
	seeme_uuid_hash_add(CurrentMemoryContext, context, &user->id);
}

/*
 * seeme.users_seen() RETURNS uuid[]
 */
SEEME_FUNCTION(seeme_users_seen, 0)
{
	SeemeStore	store;
	SeemeUuidHash users = {0};
	pg_uuid_t  *ids;
	int			n;

	if (!seeme_provisions_users())
		return own_list(SEEME_OWN_USERS, NULL);
	seeme_store_open(&store);
	seeme_visit_users(&store, INT_MAX, add_user, &users);
	n = seeme_uuid_hash_list(&users, &ids);
	seeme_store_close(&store);
	PG_RETURN_ARRAYTYPE_P(seeme_sorted_array(ids, n));
}
