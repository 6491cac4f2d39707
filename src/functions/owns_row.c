/*
 * owns_row.c: whether the asking person owns a row, and their ownership counts there.
 *
 * This is the arm of a policy for the owner column. Most rows are somebody else's, so the owner is
 * compared first, with the person that the call site remembers. Only for the person's own rows does
 * ownership.c look at where the row lies.
 *
 * Owns what a call site remembers: the asking person, and whether an API key lets them own
 * anything. Decides through current_user.c (who asks) and ownership.c (whether ownership counts).
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "cache/cache.h"
#include "cache/effective_permissions.h"
#include "core/invalidation.h"
#include "core/store.h"
#include "core/version.h"
#include "functions/arguments.h"
#include "functions/check.h"
#include "functions/current_user.h"
#include "functions/ownership.h"
#include "identity/identity.h"

/* seeme.ownership_counts() takes the scopes and the type, then whether a row may lie nowhere. */
#define NSCOPE_ARGS SEEME_ARG_RESOURCE_TYPE
#define COUNTS_NARGS (NSCOPE_ARGS + 1)

/* What is remembered from row to row: fn_extra. */
typedef struct Site
{
	uint64		generation;		/* seeme_site_generation; 0: the person below is not known */
	bool		asker_is_set;	/* true: the asker stays the same while the generation stays */
	const SeemeIdentity *asker;
	TimestampTz next_change;	/* the first date at which this becomes untrue */
	bool		may_own;		/* false: nobody asks, or whoever asks owns nothing */
	pg_uuid_t	person;

	bool		code_is_constant;
	bool		type_is_constant;
	FmgrInfo	ownership;		/* the call site of ownership.c */
} Site;

static Site *
make_site(FmgrInfo *function, bool code_is_constant, bool type_is_constant)
{
	Site	   *site = MemoryContextAllocZero(function->fn_mcxt, sizeof(Site));

	site->code_is_constant = code_is_constant;
	site->type_is_constant = type_is_constant;
	site->ownership.fn_mcxt = function->fn_mcxt;
	site->ownership.fn_nargs = COUNTS_NARGS;
	function->fn_extra = site;
	return site;
}

/* Prepares a call that is no part of an expression. Its code and its resource type never change. */
void
seeme_prepare_owner_site(FmgrInfo *function)
{
	(void) make_site(function, true, true);
}

static Site *
site_of(FunctionCallInfo fcinfo)
{
	FmgrInfo   *function = fcinfo->flinfo;

	if (likely(function->fn_extra != NULL))
		return function->fn_extra;
	return make_site(function, get_fn_expr_arg_stable(function, SEEME_ARG_CODE),
					 get_fn_expr_arg_stable(function, SEEME_ARG_RESOURCE_TYPE));
}

static inline bool
is_fresh(const Site *site)
{
	return likely(site->generation == seeme_site_generation) &&
		(likely(site->asker_is_set) || site->asker == seeme_current_identity()) &&
		(likely(site->next_change == DT_NOEND) || !seeme_has_passed(site->next_change));
}

/* Finds the asking person, and remembers them while the generation stays. */
static pg_noinline void
find_person(FunctionCallInfo fcinfo, Site *site)
{
	char	   *code = seeme_code_argument(fcinfo, SEEME_ARG_CODE);
	const SeemeIdentity *asker = seeme_current_identity();
	SeemeStore	store;
	uint64		changes;

	site->generation = 0;			/* should what follows fail */
	site->may_own = false;
	site->next_change = DT_NOEND;
	seeme_cache_open(&store);
	changes = seeme_cache_generation();
	if (asker != NULL)
	{
		SeemeCachedPrincipal *cached = seeme_get_cached_principal(&store, asker);

		site->may_own = seeme_cached_is_active(cached, code);
		site->person = asker->user_id;
		site->next_change = asker->expires_at;
		if (cached != NULL)
			site->next_change = Min(site->next_change, cached->next_change);
	}
	seeme_store_close(&store);
	site->asker = asker;
	site->asker_is_set = seeme_identity_is_set();
	/* If something has changed since the reading began, the next row asks again. */
	if (site->code_is_constant && changes == seeme_generation)
		site->generation = seeme_site_generation;
}

/*
 * The person whose rows a call can be true of; NULL: of none. It is good until the next call. The
 * owner in the arguments is not looked at.
 */
const pg_uuid_t *
seeme_possible_owner(FunctionCallInfo call)
{
	Site	   *site = site_of(call);

	if (unlikely(!seeme_accept_invalidations()))
	{
		site->generation = 0;
		site->may_own = seeme_find_current_user(seeme_code_argument(call, SEEME_ARG_CODE),
											&site->person);
	}
	else if (unlikely(!is_fresh(site)))
		find_person(call, site);
	return site->may_own ? &site->person : NULL;
}

/*
 * seeme.owns_row(permission text, organization, team, project, resource uuid, resource_type text,
 * owner uuid, owner_alone boolean) RETURNS boolean
 */
SEEME_FUNCTION(seeme_owns_row, SEEME_OWNS_ROW_NARGS)
{
	LOCAL_FCINFO(counts, COUNTS_NARGS);
	const pg_uuid_t *person;
	Site	   *site;

	if (PG_ARGISNULL(SEEME_ARG_OWNER))
		PG_RETURN_BOOL(false);
	person = seeme_possible_owner(fcinfo);
	if (person == NULL || !seeme_uuid_equal(person, PG_GETARG_UUID_P(SEEME_ARG_OWNER)))
		PG_RETURN_BOOL(false);
	site = fcinfo->flinfo->fn_extra;
	InitFunctionCallInfoData(*counts, &site->ownership, COUNTS_NARGS, InvalidOid, NULL, NULL);
	memcpy(counts->args, &fcinfo->args[SEEME_ARG_CODE + 1], sizeof(NullableDatum) * NSCOPE_ARGS);
	counts->args[NSCOPE_ARGS] = fcinfo->args[SEEME_ARG_OWNER_ALONE];
	PG_RETURN_BOOL(seeme_ownership_of(counts, site->type_is_constant));
}
