#if 0							/* a copy, which the next commits cut to its part */
/*
 * check.c: seeme_has_permission and seeme_user_has_permission: yes or no; and seeme_user_id: who is asking, if anybody may.
 */
#include "postgres.h"

#include "nodes/primnodes.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "cache/cache.h"
#include "core/invalidation.h"
#include "functions/check.h"
#include "core/codes.h"
#include "core/evaluator.h"
#include "cache/effective_permissions.h"
#include "identity/identity.h"
#include "functions/arguments.h"
#include "core/store.h"
#include "core/version.h"

/*
 * The asking person, if they exist, are not disabled, and their API key (if they came by one) is good and reaches a code
 * (NULL: whatever it reaches) everywhere.
 */
static Datum
current_user_id(FunctionCallInfo fcinfo, const char *code)
{
	SeemeStore	store;
	SeemeAsker	asker;
	pg_uuid_t  *user_id = palloc(sizeof(pg_uuid_t));
	bool		known;

	if (seeme_accept_invalidations())
	{
		const SeemeIdentity *identity = seeme_current_identity();

		if (identity == NULL)
			PG_RETURN_NULL();
		*user_id = identity->user_id;
		seeme_cache_open(&store);
		known = seeme_cached_is_active(seeme_get_cached_principal(&store, identity), code);
		seeme_store_close(&store);
		if (!known)
			PG_RETURN_NULL();
		PG_RETURN_UUID_P(user_id);
	}

	seeme_store_open(&store);
	seeme_asker_init(&asker, &store);
	known = asker.is_identified && !asker.principal.is_refused &&
		(code == NULL || seeme_api_key_allows(&asker.principal, NULL, code));
	if (known)
		*user_id = asker.principal.person.id;
	seeme_store_close(&store);
	if (!known)
		PG_RETURN_NULL();
	PG_RETURN_UUID_P(user_id);
}

/*
 * seeme_user_id() RETURNS uuid
 */
SEEME_FUNCTION(seeme_user_id, 0)
{
	return current_user_id(fcinfo, NULL);
}

/*
 * seeme.user_for(permission text) RETURNS uuid
 */
SEEME_FUNCTION(seeme_user_for, 1)
{
	return current_user_id(fcinfo, seeme_code_argument(fcinfo, 0));
}

/* What is remembered of one call in a plan or expression, from row to row: fn_extra. */
typedef struct CheckSite
{
	/* What it is good for */
	uint64		generation;			/* 0: for nothing */
	bool		identity_is_set;	/* so that they are the same as long as nothing moves */
	const SeemeIdentity *asker;
	TimestampTz next_change;	/* the first date at which something becomes untrue */

	bool		was_called;
	/* What of the call is constant, once that is known */
	bool		constants_are_known;
	bool		code_is_constant;
	/* The number of the scope, if all other arguments are constants; else 0. The last answer, below, is then about that scope. */
	int			scope;
	/* If so, and it has been asked often: all ids for which the answer is yes. */
	const SeemeUuidSet *ids;

	/* Who asks for what */
	SeemeCachedPrincipal *cached;		/* NULL: nobody, or who is refused everything */
	int			code_length;
	char	   *code;
	uint64	   *mask;			/* all of these are needed */
	int			nwords;
	int			word;			/* of the one bit, if there is but one; else -1 */
	const uint64 *sets;
	SeemeCachedResources *resources;
	bool		has_resource_type;	/* given, or that of the code; without one a resource cannot be asked about */
	int			type_length;	/* of the resource type given; -1: none */
	char	   *type;

	/* The last answer */
	SeemeScopeKind	level;
	pg_uuid_t	id;
	bool		held;

	int			misses;
	int			calls;			/* answered from memory since the last look into a table */
	int			calls_before_ids;
} CheckSite;

/* So many decisions are read one by one before everything is read at once. */
#define MISSES_BEFORE_BULK 16

/*
 * So many more are, after everything was too much to be remembered: else somebody whom others have put into enough of their
 * own projects would have all of it read again, in vain, after every few.
 */
#define MISSES_AFTER_VAIN_BULK 10000

/*
 * Answers are put together from places and sets so many times, and half as often as there are places, before the ids
 * themselves are gathered.
 */
#define CALLS_BEFORE_IDS 64

static bool
same_text(text *value, const char *known, int length)
{
	return !VARATT_IS_EXTERNAL(value) && !VARATT_IS_COMPRESSED(value) &&
		VARSIZE_ANY_EXHDR(value) == length && memcmp(VARDATA_ANY(value), known, length) == 0;
}

/* The number of the one scope that is asked about; 0 if there is none, -1 if there are more. */
static inline int
only_scope_argument(FunctionCallInfo fcinfo)
{
	int			scope = 0;

	for (int i = 1; i <= 4; i++)
		if (!PG_ARGISNULL(i))
			scope = scope == 0 ? i : -1;
	return scope;
}

static inline bool
words_have_codes(const CheckSite *site, const uint64 *words)
{
	if (likely(site->word >= 0))
		return (words[site->word] & site->mask[site->word]) != 0;
	for (int i = 0; i < site->nwords; i++)
		if ((words[i] & site->mask[i]) != site->mask[i])
			return false;
	return true;
}

static inline bool
set_has_codes(const CheckSite *site, SeemeCodeSet set)
{
	return words_have_codes(site, site->sets + (Size) set * site->nwords);
}

/* Whether what a site remembers is still true. */
static inline bool
is_fresh(const CheckSite *site)
{
	return (likely(site->identity_is_set) || site->asker == seeme_current_identity()) &&
		likely(site->generation == seeme_site_generation) &&
		(likely(site->next_change == DT_NOEND) || !seeme_has_passed(site->next_change));
}

/* What a principal holds in a place, as far as it is remembered. */
static inline SeemeCodeSet
cached_codes(const SeemeCachedPrincipal *cached, SeemeScopeKind level, const pg_uuid_t *id)
{
	SeemeUuidHashEntry  *entry = seeme_uuid_hash_find(&seeme_cache_places[level - SEEME_SCOPE_ORGANIZATION], id);
	SeemeCodeSet	set = entry != NULL ? seeme_cached_codes(cached, entry->number) : SEEME_UNKNOWN_CODE_SET;

	return set == SEEME_UNKNOWN_CODE_SET && cached->is_complete ? SEEME_EMPTY_CODE_SET : set;
}

/* Answers from memory alone; false if that cannot be done. */
static bool
check_cached(FunctionCallInfo fcinfo, CheckSite *site, bool *held)
{
	int			scope;
	SeemeScopeKind	level;
	pg_uuid_t  *id;
	SeemeUuidHashEntry  *entry;
	SeemeCodeSet	set;

	if (!site->code_is_constant &&
		(PG_ARGISNULL(0) || !same_text((text *) DatumGetPointer(PG_GETARG_DATUM(0)), site->code, site->code_length)))
		return false;
	if (site->scope == 0 &&
		(PG_ARGISNULL(5) ? site->type_length >= 0 :
		 site->type_length < 0 || !same_text((text *) DatumGetPointer(PG_GETARG_DATUM(5)), site->type, site->type_length)))
		return false;
	scope = only_scope_argument(fcinfo);
	if (scope <= 0)
	{
		*held = false;
		return scope == 0;
	}
	level = SEEME_SCOPE_ORGANIZATION + scope - 1;
	if (level == SEEME_SCOPE_RESOURCE && !site->has_resource_type)
		return false;
	id = PG_GETARG_UUID_P(scope);
	if (level == site->level && seeme_uuid_equal(id, &site->id))
	{
		*held = site->held;
		return true;
	}
	site->level = level;
	site->id = *id;
	*held = site->held = false;
	if (site->cached == NULL)
		return true;
	if (level == SEEME_SCOPE_RESOURCE)
	{
		if (site->resources == NULL)
			return false;
		entry = seeme_uuid_hash_find(&site->resources->entries, id);
		set = entry != NULL ? entry->number : site->resources->is_complete ? SEEME_EMPTY_CODE_SET : SEEME_UNKNOWN_CODE_SET;
	}
	else
		set = cached_codes(site->cached, level, id);
	if (set == SEEME_UNKNOWN_CODE_SET || ++site->calls == site->calls_before_ids)
		return false;
	*held = site->held = set_has_codes(site, set);
	return true;
}

/* A site at which one request was asked; what was needed for the answer was not kept. */
static CheckSite called_once = {.was_called = true};

/*
 * The first call at a site is the only one in most statements. Answers it from memory, without making anything ready for the
 * next, if it is as simple as most: false if it is not.
 */
static bool
check_first_call(FunctionCallInfo fcinfo, bool *held)
{
	const SeemeIdentity *asker = seeme_current_identity();
	int			scope = only_scope_argument(fcinfo);
	text	   *code = (text *) DatumGetPointer(PG_GETARG_DATUM(0));
	SeemeCachedPrincipal *cached;
	SeemeCodeSet	set;
	int			bit;

	if (asker == NULL || asker->expires_at != DT_NOEND || scope <= 0 || scope == SEEME_SCOPE_RESOURCE || !PG_ARGISNULL(5) ||
		PG_ARGISNULL(0) || VARATT_IS_EXTERNAL(code) || VARATT_IS_COMPRESSED(code))
		return false;
	cached = seeme_find_cached_principal(asker);
	bit = seeme_cache_find_recent_code(VARDATA_ANY(code), VARSIZE_ANY_EXHDR(code));
	if (cached == NULL || bit < 0 || cached->is_refused)
		return false;
	set = cached_codes(cached, SEEME_SCOPE_ORGANIZATION + scope - 1, PG_GETARG_UUID_P(scope));
	if (set == SEEME_UNKNOWN_CODE_SET)
		return false;
	*held = (seeme_cache_code_set(set)[bit / 64] >> (bit % 64) & 1) != 0;
	return true;
}

/* Takes a text argument down into a site. */
static int
copy_text(FunctionCallInfo fcinfo, int arg, char **copy)
{
	text	   *value;

	if (*copy != NULL)
		pfree(*copy);
	*copy = NULL;
	if (PG_ARGISNULL(arg))
		return -1;
	value = PG_GETARG_TEXT_PP(arg);
	*copy = MemoryContextAlloc(fcinfo->flinfo->fn_mcxt, VARSIZE_ANY_EXHDR(value) + 1);
	memcpy(*copy, VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value));
	return VARSIZE_ANY_EXHDR(value);
}

/*
 * What of a call is constant: of one that is no part of an expression, nothing. One that asks for two permissions (merged_check.c) has a
 * code more.
 */
static void
learn_constant_arguments(CheckSite *site, Node *call)
{
	site->constants_are_known = true;
	if (call != NULL && IsA(call, FuncExpr))
	{
		List	   *args = ((FuncExpr *) call)->args;
		int			more_codes = list_length(args) - 6;
		bool		others_are_constant = IsA(llast(args), Const);
		int			scope = 0;

		site->code_is_constant = IsA(linitial(args), Const) && IsA(list_nth(args, more_codes), Const);
		for (int i = 1; i <= 4; i++)
		{
			Const	   *argument = list_nth(args, i + more_codes);

			if (IsA(argument, Const) && argument->constisnull)
				continue;
			others_are_constant = others_are_constant && scope == 0;
			scope = i;
		}
		if (site->code_is_constant && others_are_constant)
			site->scope = scope;
	}
}

/*
 * Gets a call ready that is no part of an expression: the argument `scope` is an id, the others will always be the same. What
 * is remembered of it is in fn_mcxt.
 */
void
seeme_init_check_site(FmgrInfo *function, int scope)
{
	CheckSite	   *site = MemoryContextAllocZero(function->fn_mcxt, sizeof(CheckSite));

	site->constants_are_known = true;
	site->code_is_constant = true;
	site->scope = scope;
	function->fn_extra = site;
}

/* What is asked, as bits. False when a code is younger than what is remembered. */
static bool
set_mask(FunctionCallInfo fcinfo, CheckSite *site, SeemeStore *store, const char *code)
{
	int			bit;

	if (site->nwords != seeme_cache_nwords())
	{
		site->nwords = seeme_cache_nwords();
		site->mask = MemoryContextAlloc(fcinfo->flinfo->fn_mcxt, sizeof(uint64) * site->nwords);
	}
	memset(site->mask, 0, sizeof(uint64) * site->nwords);
	bit = seeme_cache_find_code(code);
	if (bit >= 0)
	{
		site->word = bit / 64;
		site->mask[site->word] = UINT64CONST(1) << (bit % 64);
	}
	else
	{
		SeemePermissionSpec spec;
		ListCell   *cell;

		site->word = -1;
		seeme_parse_permission(store, code, &spec);
		foreach(cell, spec.concrete)
		{
			bit = seeme_cache_find_code(lfirst(cell));
			if (bit < 0)
				return false;
			site->mask[bit / 64] |= UINT64CONST(1) << (bit % 64);
		}
	}
	if (!site->constants_are_known)
		learn_constant_arguments(site, fcinfo->flinfo->fn_expr);
	/* What is constant is not compared. */
	site->code_length = site->code_is_constant ? 0 : copy_text(fcinfo, 0, &site->code);
	site->type_length = site->scope > 0 ? 0 : copy_text(fcinfo, 5, &site->type);
	return true;
}

/* Answers from the tables, past all that is remembered. */
static pg_noinline bool
check_uncached(FunctionCallInfo fcinfo)
{
	char	   *code = seeme_code_argument(fcinfo, 0);
	SeemeStore	store;
	SeemePermissionSpec spec;
	SeemeScope	scope;
	SeemeAsker	asker;
	bool		held = false;

	seeme_store_open(&store);
	seeme_parse_permission(&store, code, &spec);
	seeme_scope_arguments(fcinfo, 1, &store, code, &scope);
	if (scope.level != SEEME_NO_SCOPE)
	{
		seeme_asker_init(&asker, &store);
		held = asker.is_identified && !asker.principal.is_refused &&
			seeme_evaluate_spec(&asker.principal, seeme_find_places(&store, &scope), &spec);
	}
	seeme_store_close(&store);
	seeme_cache_counters.bypasses++;
	return held;
}

/* Answers from the tables where memory does not, and remembers the answer. */
static pg_noinline bool
check_and_cache(FunctionCallInfo fcinfo)
{
	CheckSite	   *site = fcinfo->flinfo->fn_extra;
	char	   *code = seeme_code_argument(fcinfo, 0);
	SeemeStore	store;
	SeemeScope	scope;
	uint64		changes;
	SeemeCachedPrincipal *cached = NULL;
	uint64	   *words;
	const SeemeIdentity *asker = seeme_current_identity();
	bool		wide;
	bool		held;

	if (site == NULL || site == &called_once)
		site = fcinfo->flinfo->fn_extra = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(CheckSite));
	site->was_called = true;
	wide = ++site->misses > MISSES_BEFORE_BULK;
	site->generation = 0;
	seeme_cache_open(&store);
	changes = seeme_cache_generation();
	if (!set_mask(fcinfo, site, &store, code))
	{
		seeme_store_close(&store);
		return check_uncached(fcinfo);
	}
	seeme_scope_arguments(fcinfo, 1, &store, code, &scope);
	site->has_resource_type = scope.resource_type != NULL;
	site->resources = NULL;
	site->level = SEEME_NO_SCOPE;
	site->next_change = DT_NOEND;
	if (asker != NULL)
		cached = seeme_get_cached_principal(&store, asker);
	if (cached != NULL)
		site->next_change = asker->expires_at;
	site->ids = NULL;
	words = seeme_empty_code_bits();
	if (cached != NULL && scope.level != SEEME_NO_SCOPE && !cached->is_refused)
	{
		if (site->word >= 0 && site->scope > 0)
		{
			int			code = site->word * 64 + pg_rightmost_one_pos64(site->mask[site->word]);

			/* Those that somebody has gathered before are of use at once. */
			site->ids = site->calls > 0 && site->calls == site->calls_before_ids ?
				seeme_get_permitted_set(&store, cached, scope.level, scope.resource_type, code) :
				seeme_find_permitted_set(cached, scope.level, scope.resource_type, code);
		}
		site->calls = 0;
		site->calls_before_ids = CALLS_BEFORE_IDS + seeme_cached_nplaces(cached) / 2;
		if (wide)
		{
			bool		whole = scope.level == SEEME_SCOPE_RESOURCE ?
				seeme_load_all_resources(&store, cached, scope.resource_type, SEEME_NO_LIMIT) :
				seeme_load_all_places(&store, cached, SEEME_NO_LIMIT);

			site->misses = whole ? 0 : -MISSES_AFTER_VAIN_BULK;
		}
		if (scope.level == SEEME_SCOPE_RESOURCE)
		{
			seeme_add_codes_on_resource(&store, cached, scope.resource_type, &scope.id, words);
			site->resources = seeme_cached_resources(cached, scope.resource_type);
		}
		else
			seeme_add_codes_in_place(&store, cached, scope.level - SEEME_SCOPE_ORGANIZATION, &scope.id, words);
	}
	if (seeme_store_was_read(&store))
		seeme_cache_counters.probes++;
	else
		seeme_cache_counters.hits++;
	seeme_store_close(&store);

	site->sets = seeme_cache_code_set_words();
	site->cached = cached == NULL || cached->is_refused ? NULL : cached;
	if (cached != NULL && cached->next_change < site->next_change)
		site->next_change = cached->next_change;
	site->asker = asker;
	site->identity_is_set = seeme_identity_is_set();
	/* Unless something has changed since what was read was read. */
	site->generation = changes == seeme_generation ? seeme_site_generation : 0;
	held = scope.level != SEEME_NO_SCOPE && words_have_codes(site, words);
	pfree(words);
	site->level = scope.level;
	site->id = scope.id;
	site->held = held;
	return held;
}

/*
 * seeme_has_permission(permission text, organization, team, project, resource uuid, resource_type text) RETURNS boolean
 */
SEEME_FUNCTION_OF_ANY_VERSION(seeme_has_permission)
{
	CheckSite	   *site = fcinfo->flinfo->fn_extra;
	bool		use_cache = seeme_accept_invalidations();
	bool		held;

	if (likely(site != NULL) && likely(use_cache) && likely(is_fresh(site)))
	{
		if (likely(site->ids != NULL))
		{
			seeme_cache_counters.hits++;
			PG_RETURN_BOOL(!PG_ARGISNULL(site->scope) && seeme_uuid_set_contains(site->ids, PG_GETARG_UUID_P(site->scope)));
		}
		/* Rows of one project often come together. */
		if (site->scope > 0 && site->level != SEEME_NO_SCOPE && !PG_ARGISNULL(site->scope) &&
			seeme_uuid_equal(PG_GETARG_UUID_P(site->scope), &site->id))
		{
			seeme_cache_counters.hits++;
			PG_RETURN_BOOL(site->held);
		}
		if (check_cached(fcinfo, site, &held))
		{
			seeme_cache_counters.hits++;
			PG_RETURN_BOOL(held);
		}
	}
	else
	{
		/* What a site remembers is good as long as nothing moves, the version included. */
		seeme_require_version_of_call(fcinfo, SEEME_NARGS);
		if ((site == NULL || !site->was_called) && use_cache && check_first_call(fcinfo, &held))
		{
			if (site == NULL)
				fcinfo->flinfo->fn_extra = &called_once;
			else
				site->was_called = true;
			seeme_cache_counters.hits++;
			PG_RETURN_BOOL(held);
		}
	}
	PG_RETURN_BOOL(use_cache ? check_and_cache(fcinfo) : check_uncached(fcinfo));
}

/*
 * What calls of seeme_has_permission() would say of several ids (NULL: a null), one after the other in the same place: a bit
 * each. The argument `scope` of the call is theirs, the others are filled in. May throw, and leaves memory behind.
 */
uint32
seeme_has_permission_batch(FunctionCallInfo call, int scope, int n, pg_uuid_t *const *ids)
{
	CheckSite	   *site = call->flinfo->fn_extra;
	uint32		held = 0;

	if (likely(site != NULL) && likely(seeme_accept_invalidations()) && likely(is_fresh(site)) && likely(site->ids != NULL))
	{
		/* All the lines are on their way before the first is looked at. */
		for (int i = 0; i < n; i++)
			if (ids[i] != NULL)
				seeme_uuid_set_prefetch(site->ids, ids[i]);
		for (int i = 0; i < n; i++)
			held |= (uint32) (ids[i] != NULL && seeme_uuid_set_contains(site->ids, ids[i])) << i;
		seeme_cache_counters.hits += n;
		return held;
	}
	for (int i = 0; i < n; i++)
	{
		/* Rows of one project often lie together. */
		if (i > 0 && ids[i] != NULL && ids[i - 1] != NULL && seeme_uuid_equal(ids[i], ids[i - 1]))
		{
			held |= (held >> (i - 1) & 1) << i;
			seeme_cache_counters.hits++;
			continue;
		}
		call->args[scope].value = PointerGetDatum(ids[i]);
		call->args[scope].isnull = ids[i] == NULL;
		held |= (uint32) DatumGetBool(seeme_has_permission(call)) << i;
	}
	return held;
}

/*
 * seeme_user_has_permission(user_id uuid, permission text, organization, team, project, resource uuid, resource_type text)
 * RETURNS boolean
 */
SEEME_FUNCTION(seeme_user_has_permission, 7)
{
	char	   *code = seeme_code_argument(fcinfo, 1);
	SeemeStore	store;
	SeemePermissionSpec spec;
	SeemeScope	scope;
	SeemeAsker	asker;
	SeemePrincipal other;
	SeemePrincipal *principal = &other;
	List	   *places;
	bool		held = false;

	seeme_store_open(&store);
	seeme_parse_permission(&store, code, &spec);
	seeme_scope_arguments(fcinfo, 2, &store, code, &scope);
	if (!PG_ARGISNULL(0))
	{
		seeme_asker_init(&asker, &store);
		places = seeme_visible_places(&asker, PG_GETARG_UUID_P(0), seeme_find_places(&store, &scope));
		if (places != NIL)
		{
			/* About oneself: as one is here, perhaps narrowed by a key. */
			if (asker.is_identified && seeme_uuid_equal(PG_GETARG_UUID_P(0), &asker.principal.person.id))
				principal = &asker.principal;
			else
				seeme_init_principal(principal, &store, PG_GETARG_UUID_P(0));
			held = seeme_evaluate_spec(principal, places, &spec);
		}
	}
	seeme_store_close(&store);
	PG_RETURN_BOOL(held);
}
#endif
