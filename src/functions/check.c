/*
 * check.c: seeme_has_permission: whether the identity that is asking has a permission.
 *
 * Policies call it for every row, so it answers from the call site or the cache where it can.
 * Owns the state of call sites (fn_extra). Must not decide: evaluator.c does, or what the cache
 * has of it.
 */
#include "postgres.h"

#include "nodes/primnodes.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "cache/cache.h"
#include "cache/effective_permissions.h"
#include "core/codes.h"
#include "core/evaluator.h"
#include "core/invalidation.h"
#include "core/store.h"
#include "core/version.h"
#include "functions/arguments.h"
#include "functions/check.h"
#include "identity/identity.h"

/* After this many misses, a call site has everything loaded at once. */
#define MISSES_BEFORE_BULK 16

/*
 * Where everything was too much to be cached, so many more misses pass before the next attempt.
 * Otherwise a user in very many projects would have them all loaded in vain every few calls.
 */
#define MISSES_AFTER_VAIN_BULK 10000

/*
 * A call site answers this many calls by places and code sets, plus one call for every two places,
 * before it gets the set of permitted ids.
 */
#define CALLS_BEFORE_IDS 64

/* The arguments that are a scope, more than one of them */
#define SEVERAL_SCOPES (-1)

/* What is kept of one call in a plan or expression, from row to row: fn_extra. */
typedef struct CheckSite
{
	/* While these match, the rest is valid: is_fresh(). */
	uint64		generation;		/* seeme_site_generation; 0: the site is not valid */
	bool		identity_is_set;	/* then a change of identity moves the generation, too */
	const SeemeIdentity *identity;
	TimestampTz next_change;	/* the first date on which an answer may change */

	bool		was_called;
	bool		constants_are_known;	/* whether the next two are */
	bool		code_is_constant;
	/* The kind of the scope, if all other arguments are constants; else SEEME_NO_SCOPE. */
	int			kind;
	/* If so, and after many calls: all ids for which the answer is yes. */
	const SeemeUuidSet *ids;

	/* The principal, and the permission that is asked about */
	SeemeCachedPrincipal *cached;	/* NULL: has no permission anywhere */
	int			code_length;
	char	   *code;
	uint64	   *mask;			/* the codes as bits: all of them are needed */
	int			nwords;
	int			word;			/* the word of the only bit; -1: there are several bits */
	const uint64 *sets;
	SeemeCachedResources *resources;
	bool		has_resource_type;	/* by argument or code; a resource needs one */
	int			type_length;	/* of the argument; -1: null */
	char	   *type;

	/* The last answer. If `kind` is set it is about a scope of that kind. */
	SeemeScopeKind last_kind;
	pg_uuid_t	last_id;
	bool		last_answer;

	int			misses;
	int			calls;			/* answered from the cache since the last miss */
	int			calls_before_ids;
} CheckSite;

/* The state of a site that was called once and answered from the cache. Nothing else was kept. */
static CheckSite called_once = {.was_called = true};

static bool
same_text(text *value, const char *known, int length)
{
	return !VARATT_IS_EXTERNAL(value) && !VARATT_IS_COMPRESSED(value) &&
		VARSIZE_ANY_EXHDR(value) == length && memcmp(VARDATA_ANY(value), known, length) == 0;
}

/* The kind of the only scope argument that is not null; SEEME_NO_SCOPE or SEVERAL_SCOPES else. */
static inline int
only_scope_argument(FunctionCallInfo fcinfo)
{
	int			kind = SEEME_NO_SCOPE;

	for (int i = SEEME_NO_SCOPE + 1; i <= SEEME_NSCOPE_KINDS; i++)
		if (!PG_ARGISNULL(i))
			kind = kind == SEEME_NO_SCOPE ? i : SEVERAL_SCOPES;
	return kind;
}

/* Whether some words have all codes that the site asks about. */
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

/* Whether what a site keeps is still valid. */
static inline bool
is_fresh(const CheckSite *site)
{
	return (likely(site->identity_is_set) || site->identity == seeme_current_identity()) &&
		likely(site->generation == seeme_site_generation) &&
		(likely(site->next_change == DT_NOEND) || !seeme_has_passed(site->next_change));
}

/* The codes that a principal has in a container, from the cache. */
static inline SeemeCodeSet
cached_codes(const SeemeCachedPrincipal *cached, int kind, const pg_uuid_t *id)
{
	SeemeUuidHashEntry *entry = seeme_uuid_hash_find(&seeme_cache_places[kind], id);
	SeemeCodeSet set = entry != NULL ? seeme_cached_codes(cached, entry->number) :
	SEEME_UNKNOWN_CODE_SET;

	return set == SEEME_UNKNOWN_CODE_SET && cached->is_complete ? SEEME_EMPTY_CODE_SET : set;
}

/* Answers from a fresh site and the cache; false: they do not know. */
static bool
check_cached(FunctionCallInfo fcinfo, CheckSite *site, bool *answer)
{
	int			kind;
	pg_uuid_t  *id;
	SeemeUuidHashEntry *entry;
	SeemeCodeSet set;

	if (!site->code_is_constant &&
		(PG_ARGISNULL(SEEME_ARG_CODE) ||
		 !same_text((text *) DatumGetPointer(PG_GETARG_DATUM(SEEME_ARG_CODE)),
					site->code, site->code_length)))
		return false;
	if (site->kind == SEEME_NO_SCOPE &&
		(PG_ARGISNULL(SEEME_ARG_RESOURCE_TYPE) ? site->type_length >= 0 :
		 site->type_length < 0 ||
		 !same_text((text *) DatumGetPointer(PG_GETARG_DATUM(SEEME_ARG_RESOURCE_TYPE)),
					site->type, site->type_length)))
		return false;
	kind = only_scope_argument(fcinfo);
	if (kind <= SEEME_NO_SCOPE)
	{
		*answer = false;
		return kind == SEEME_NO_SCOPE;
	}
	if (kind == SEEME_SCOPE_RESOURCE && !site->has_resource_type)
		return false;
	id = PG_GETARG_UUID_P(kind);
	if (kind == site->last_kind && seeme_uuid_equal(id, &site->last_id))
	{
		*answer = site->last_answer;
		return true;
	}
	site->last_kind = kind;
	site->last_id = *id;
	*answer = site->last_answer = false;
	if (site->cached == NULL)
		return true;
	if (kind == SEEME_SCOPE_RESOURCE)
	{
		if (site->resources == NULL)
			return false;
		entry = seeme_uuid_hash_find(&site->resources->entries, id);
		set = entry != NULL ? entry->number :
			site->resources->is_complete ? SEEME_EMPTY_CODE_SET : SEEME_UNKNOWN_CODE_SET;
	}
	else
		set = cached_codes(site->cached, kind, id);
	if (set == SEEME_UNKNOWN_CODE_SET || ++site->calls == site->calls_before_ids)
		return false;
	*answer = site->last_answer = set_has_codes(site, set);
	return true;
}

/*
 * Answers the first call at a site from the cache, if it is as simple as most calls are; false: it
 * is not. Most statements make no second call, so nothing is prepared for one.
 */
static bool
check_first_call(FunctionCallInfo fcinfo, bool *answer)
{
	const SeemeIdentity *identity = seeme_current_identity();
	int			kind = only_scope_argument(fcinfo);
	text	   *code = (text *) DatumGetPointer(PG_GETARG_DATUM(SEEME_ARG_CODE));
	SeemeCachedPrincipal *cached;
	SeemeCodeSet set;
	int			bit;

	if (identity == NULL || identity->expires_at != DT_NOEND ||
		kind <= SEEME_NO_SCOPE || kind == SEEME_SCOPE_RESOURCE ||
		!PG_ARGISNULL(SEEME_ARG_RESOURCE_TYPE) || PG_ARGISNULL(SEEME_ARG_CODE) ||
		VARATT_IS_EXTERNAL(code) || VARATT_IS_COMPRESSED(code))
		return false;
	cached = seeme_find_cached_principal(identity);
	bit = seeme_cache_find_recent_code(VARDATA_ANY(code), VARSIZE_ANY_EXHDR(code));
	if (cached == NULL || bit < 0 || cached->is_refused)
		return false;
	set = cached_codes(cached, kind, PG_GETARG_UUID_P(kind));
	if (set == SEEME_UNKNOWN_CODE_SET)
		return false;
	*answer = (seeme_cache_code_set(set)[bit / 64] >> (bit % 64) & 1) != 0;
	return true;
}

/* Copies a text argument into memory that lives as long as the site. Returns its length; -1:
 * null. */
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
 * Learns which arguments are constants. Without an expression none is. A merged check
 * (planner/merged_check.c) has a second code before the scopes.
 */
static void
learn_constant_arguments(CheckSite *site, Node *call)
{
	List	   *args;
	int			more_codes;
	bool		others_are_constant;
	int			kind = SEEME_NO_SCOPE;

	site->constants_are_known = true;
	if (call == NULL || !IsA(call, FuncExpr))
		return;
	args = ((FuncExpr *) call)->args;
	more_codes = list_length(args) - SEEME_NARGS;
	others_are_constant = IsA(llast(args), Const);
	site->code_is_constant = IsA(linitial(args), Const) && IsA(list_nth(args, more_codes), Const);
	for (int i = SEEME_NO_SCOPE + 1; i <= SEEME_NSCOPE_KINDS; i++)
	{
		Const	   *argument = list_nth(args, i + more_codes);

		if (IsA(argument, Const) && argument->constisnull)
			continue;
		others_are_constant = others_are_constant && kind == SEEME_NO_SCOPE;
		kind = i;
	}
	if (site->code_is_constant && others_are_constant)
		site->kind = kind;
}

/*
 * Prepares a call that is not part of an expression. Only the argument with the number of `kind`
 * will change from call to call. The state lives in fn_mcxt.
 */
void
seeme_init_check_site(FmgrInfo *function, int kind)
{
	CheckSite  *site = MemoryContextAllocZero(function->fn_mcxt, sizeof(CheckSite));

	site->constants_are_known = true;
	site->code_is_constant = true;
	site->kind = kind;
	function->fn_extra = site;
}

/* Sets the mask of a site to the codes of a permission; false: the cache does not have one of
 * them. */
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
	/* Constants are not compared from call to call. */
	site->code_length = site->code_is_constant ? 0 :
		copy_text(fcinfo, SEEME_ARG_CODE, &site->code);
	site->type_length = site->kind > SEEME_NO_SCOPE ? 0 :
		copy_text(fcinfo, SEEME_ARG_RESOURCE_TYPE, &site->type);
	return true;
}

/* Answers from the tables alone, past the cache. */
static pg_noinline bool
check_uncached(FunctionCallInfo fcinfo)
{
	char	   *code = seeme_code_argument(fcinfo, SEEME_ARG_CODE);
	SeemeStore	store;
	SeemePermissionSpec spec;
	SeemeScope	scope;
	SeemePrincipal asking;
	bool		answer = false;

	seeme_store_open(&store);
	seeme_parse_permission(&store, code, &spec);
	seeme_scope_arguments(fcinfo, SEEME_NO_SCOPE + 1, &store, code, &scope);
	if (scope.kind != SEEME_NO_SCOPE)
	{
		seeme_init_asking(&asking, &store);
		answer = !asking.is_refused &&
			seeme_evaluate_spec(&asking, seeme_find_places(&store, &scope), &spec);
	}
	seeme_store_close(&store);
	seeme_cache_counters.bypasses++;
	return answer;
}

/* Answers from the tables where the cache does not know, and caches the answer. */
static pg_noinline bool
check_and_cache(FunctionCallInfo fcinfo)
{
	CheckSite  *site = fcinfo->flinfo->fn_extra;
	char	   *code = seeme_code_argument(fcinfo, SEEME_ARG_CODE);
	SeemeStore	store;
	SeemeScope	scope;
	uint64		generation;
	SeemeCachedPrincipal *cached = NULL;
	uint64	   *words;
	const SeemeIdentity *identity = seeme_current_identity();
	bool		load_all;
	bool		answer;

	if (site == NULL || site == &called_once)
		site = fcinfo->flinfo->fn_extra = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt,
																 sizeof(CheckSite));
	site->was_called = true;
	load_all = ++site->misses > MISSES_BEFORE_BULK;
	site->generation = 0;
	seeme_cache_open(&store);
	generation = seeme_cache_generation();
	if (!set_mask(fcinfo, site, &store, code))
	{
		seeme_store_close(&store);
		return check_uncached(fcinfo);
	}
	seeme_scope_arguments(fcinfo, SEEME_NO_SCOPE + 1, &store, code, &scope);
	site->has_resource_type = scope.resource_type != NULL;
	site->resources = NULL;
	site->last_kind = SEEME_NO_SCOPE;
	site->next_change = DT_NOEND;
	if (identity != NULL)
		cached = seeme_get_cached_principal(&store, identity);
	if (cached != NULL)
		site->next_change = identity->expires_at;
	site->ids = NULL;
	words = seeme_empty_code_bits();
	if (scope.kind != SEEME_NO_SCOPE && !seeme_is_powerless(cached))
	{
		if (site->word >= 0 && site->kind > SEEME_NO_SCOPE)
		{
			int			bit = site->word * 64 + pg_rightmost_one_pos64(site->mask[site->word]);

			/* A set that another site had made is used at once. */
			site->ids = site->calls > 0 && site->calls == site->calls_before_ids ?
				seeme_get_permitted_set(&store, cached, scope.kind, scope.resource_type, bit) :
				seeme_find_permitted_set(cached, scope.kind, scope.resource_type, bit);
		}
		site->calls = 0;
		site->calls_before_ids = CALLS_BEFORE_IDS + seeme_cached_nplaces(cached) / 2;
		if (load_all)
		{
			bool		all_fit = scope.kind == SEEME_SCOPE_RESOURCE ?
			seeme_load_all_resources(&store, cached, scope.resource_type, SEEME_NO_LIMIT) :
			seeme_load_all_places(&store, cached, SEEME_NO_LIMIT);

			site->misses = all_fit ? 0 : -MISSES_AFTER_VAIN_BULK;
		}
		if (scope.kind == SEEME_SCOPE_RESOURCE)
		{
			seeme_add_codes_on_resource(&store, cached, scope.resource_type, &scope.id, words);
			site->resources = seeme_cached_resources(cached, scope.resource_type);
		}
		else
			seeme_add_codes_in_place(&store, cached, scope.kind, &scope.id, words);
	}
	if (seeme_store_was_read(&store))
		seeme_cache_counters.probes++;
	else
		seeme_cache_counters.hits++;
	seeme_store_close(&store);

	site->sets = seeme_cache_code_set_words();
	site->cached = seeme_is_powerless(cached) ? NULL : cached;
	if (cached != NULL && cached->next_change < site->next_change)
		site->next_change = cached->next_change;
	site->identity = identity;
	site->identity_is_set = seeme_identity_is_set();
	/* If anything has changed since it was read, the site is not valid for the next call. */
	site->generation = generation == seeme_generation ? seeme_site_generation : 0;
	answer = scope.kind != SEEME_NO_SCOPE && words_have_codes(site, words);
	pfree(words);
	site->last_kind = scope.kind;
	site->last_id = scope.id;
	site->last_answer = answer;
	return answer;
}

/*
 * seeme_has_permission(permission text, organization, team, project, resource uuid,
 * resource_type text) RETURNS boolean
 */
SEEME_FUNCTION_OF_ANY_VERSION(seeme_has_permission)
{
	CheckSite  *site = fcinfo->flinfo->fn_extra;
	bool		use_cache = seeme_accept_invalidations();
	bool		answer;

	if (likely(site != NULL) && likely(use_cache) && likely(is_fresh(site)))
	{
		if (likely(site->ids != NULL))
		{
			seeme_cache_counters.hits++;
			PG_RETURN_BOOL(!PG_ARGISNULL(site->kind) &&
						   seeme_uuid_set_contains(site->ids, PG_GETARG_UUID_P(site->kind)));
		}
		/* Rows of one project often come together. */
		if (site->kind > SEEME_NO_SCOPE && site->last_kind != SEEME_NO_SCOPE &&
			!PG_ARGISNULL(site->kind) &&
			seeme_uuid_equal(PG_GETARG_UUID_P(site->kind), &site->last_id))
		{
			seeme_cache_counters.hits++;
			PG_RETURN_BOOL(site->last_answer);
		}
		if (check_cached(fcinfo, site, &answer))
		{
			seeme_cache_counters.hits++;
			PG_RETURN_BOOL(answer);
		}
	}
	else
	{
		/* A fresh site needs no look at the version: a change of it moves the generation. */
		seeme_require_version_of_call(fcinfo, SEEME_NARGS);
		if ((site == NULL || !site->was_called) && use_cache && check_first_call(fcinfo, &answer))
		{
			if (site == NULL)
				fcinfo->flinfo->fn_extra = &called_once;
			else
				site->was_called = true;
			seeme_cache_counters.hits++;
			PG_RETURN_BOOL(answer);
		}
	}
	PG_RETURN_BOOL(use_cache ? check_and_cache(fcinfo) : check_uncached(fcinfo));
}

/*
 * Makes the same call for several ids (NULL: a null), which become the argument with the number of
 * `kind`. The caller has set the other arguments. Returns a bit for each id. May throw, and leaves
 * memory behind.
 */
uint32
seeme_has_permission_batch(FunctionCallInfo call, int kind, int n, pg_uuid_t *const *ids)
{
	CheckSite  *site = call->flinfo->fn_extra;
	uint32		answers = 0;

	if (likely(site != NULL) && likely(seeme_accept_invalidations()) && likely(is_fresh(site)) &&
		likely(site->ids != NULL))
	{
		/* Fetch all cache lines of the set before the first is needed. */
		for (int i = 0; i < n; i++)
			if (ids[i] != NULL)
				seeme_uuid_set_prefetch(site->ids, ids[i]);
		for (int i = 0; i < n; i++)
			answers |= (uint32) (ids[i] != NULL &&
								 seeme_uuid_set_contains(site->ids, ids[i])) << i;
		seeme_cache_counters.hits += n;
		return answers;
	}
	for (int i = 0; i < n; i++)
	{
		/* Rows of one project often lie together. */
		if (i > 0 && ids[i] != NULL && ids[i - 1] != NULL && seeme_uuid_equal(ids[i], ids[i - 1]))
		{
			answers |= (answers >> (i - 1) & 1) << i;
			seeme_cache_counters.hits++;
			continue;
		}
		call->args[kind].value = PointerGetDatum(ids[i]);
		call->args[kind].isnull = ids[i] == NULL;
		answers |= (uint32) DatumGetBool(seeme_has_permission(call)) << i;
	}
	return answers;
}
