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
 * Finds the asking person. False if nobody is identified, or the person does not exist or is disabled,
 * or came by an API key that is not good or does not reach a code (NULL: any code) everywhere.
 */
bool
seeme_asking_person(const char *code, pg_uuid_t *user_id)
{
	SeemeStore	store;
	SeemeAsker	asker;
	bool		known;

	if (seeme_accept_changes())
	{
		const SeemeIdentity *identity = seeme_asker();

		if (identity == NULL)
			return false;
		*user_id = identity->user_id;
		seeme_held_begin(&store);
		known = seeme_viewer_acts(seeme_viewer(&store, identity), code);
		seeme_store_close(&store);
		return known;
	}

	seeme_store_open(&store);
	seeme_asker_init(&asker, &store);
	known = asker.is_identified && !asker.subject.is_refused &&
		(code == NULL || seeme_key_reaches(&asker.subject, NULL, code));
	if (known)
		*user_id = asker.subject.person.id;
	seeme_store_close(&store);
	return known;
}

static Datum
asking_person(FunctionCallInfo fcinfo, const char *code)
{
	pg_uuid_t  *user_id = palloc(sizeof(pg_uuid_t));

	if (!seeme_asking_person(code, user_id))
		PG_RETURN_NULL();
	PG_RETURN_UUID_P(user_id);
}

/*
 * seeme_user_id() RETURNS uuid
 */
SEEME_FUNCTION(seeme_user_id, 0)
{
	return asking_person(fcinfo, NULL);
}

/*
 * seeme.user_for(permission text) RETURNS uuid
 */
SEEME_FUNCTION(seeme_user_for, 1)
{
	return asking_person(fcinfo, seeme_code_argument(fcinfo, 0));
}

/* What is remembered of one call in a plan or expression, from row to row: fn_extra. */
typedef struct Site
{
	/* What it is good for */
	uint64		moves;			/* 0: for nothing */
	bool		asker_is_set;	/* so that they are the same as long as nothing moves */
	const SeemeIdentity *asker;
	TimestampTz next_change;	/* the first date at which something becomes untrue */

	bool		was_asked;
	/* What of the call is constant, once that is known */
	bool		shape_is_known;
	bool		code_is_constant;
	/* The number of the scope, if all other arguments are constants; else 0. The last answer, below, is then about that scope. */
	int			scope;
	/* If so, and it has been asked often: all ids for which the answer is yes. */
	const SeemeIds *ids;

	/* Who asks for what */
	SeemeViewer *viewer;		/* NULL: nobody, or who is refused everything */
	int			code_length;
	char	   *code;
	uint64	   *mask;			/* all of these are needed */
	int			nwords;
	int			word;			/* of the one bit, if there is but one; else -1 */
	const uint64 *sets;
	SeemeResources *resources;
	bool		has_resource_type;	/* given, or that of the code; without one a resource cannot be asked about */
	int			type_length;	/* of the resource type given; -1: none */
	char	   *type;

	/* The last answer */
	SeemeLevel	level;
	pg_uuid_t	id;
	bool		held;

	int			misses;
	int			calls;			/* answered from memory since the last look into a table */
	int			calls_before_ids;
} Site;

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
only_scope(FunctionCallInfo fcinfo)
{
	int			scope = 0;

	for (int i = 1; i <= 4; i++)
		if (!PG_ARGISNULL(i))
			scope = scope == 0 ? i : -1;
	return scope;
}

static inline bool
are_in(const Site *site, const uint64 *words)
{
	if (likely(site->word >= 0))
		return (words[site->word] & site->mask[site->word]) != 0;
	for (int i = 0; i < site->nwords; i++)
		if ((words[i] & site->mask[i]) != site->mask[i])
			return false;
	return true;
}

static inline bool
contains(const Site *site, SeemeSet set)
{
	return are_in(site, site->sets + (Size) set * site->nwords);
}

/* Whether what a site remembers is still true. */
static inline bool
is_true(const Site *site)
{
	return (likely(site->asker_is_set) || site->asker == seeme_asker()) &&
		likely(site->moves == seeme_moves) &&
		(likely(site->next_change == DT_NOEND) || !seeme_has_come(site->next_change));
}

/* What a viewer holds in a place, as far as it is remembered. */
static inline SeemeSet
recall_set(const SeemeViewer *viewer, SeemeLevel level, const pg_uuid_t *id)
{
	SeemeSlot  *slot = seeme_slots_find(&seeme_cache_places[level - SEEME_ORGANIZATION], id);
	SeemeSet	set = slot != NULL ? seeme_viewer_recall(viewer, slot->number) : SEEME_UNKNOWN_SET;

	return set == SEEME_UNKNOWN_SET && viewer->is_complete ? SEEME_EMPTY_SET : set;
}

/* Answers from memory alone; false if that cannot be done. */
static bool
recall(FunctionCallInfo fcinfo, Site *site, bool *held)
{
	int			scope;
	SeemeLevel	level;
	pg_uuid_t  *id;
	SeemeSlot  *slot;
	SeemeSet	set;

	if (!site->code_is_constant &&
		(PG_ARGISNULL(0) || !same_text((text *) DatumGetPointer(PG_GETARG_DATUM(0)), site->code, site->code_length)))
		return false;
	if (site->scope == 0 &&
		(PG_ARGISNULL(5) ? site->type_length >= 0 :
		 site->type_length < 0 || !same_text((text *) DatumGetPointer(PG_GETARG_DATUM(5)), site->type, site->type_length)))
		return false;
	scope = only_scope(fcinfo);
	if (scope <= 0)
	{
		*held = false;
		return scope == 0;
	}
	level = SEEME_ORGANIZATION + scope - 1;
	if (level == SEEME_RESOURCE && !site->has_resource_type)
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
	if (site->viewer == NULL)
		return true;
	if (level == SEEME_RESOURCE)
	{
		if (site->resources == NULL)
			return false;
		slot = seeme_slots_find(&site->resources->slots, id);
		set = slot != NULL ? slot->number : site->resources->is_complete ? SEEME_EMPTY_SET : SEEME_UNKNOWN_SET;
	}
	else
		set = recall_set(site->viewer, level, id);
	if (set == SEEME_UNKNOWN_SET || ++site->calls == site->calls_before_ids)
		return false;
	*held = site->held = contains(site, set);
	return true;
}

/* A site at which one question was asked; what was needed for the answer was not kept. */
static Site asked_once = {.was_asked = true};

/*
 * The first call at a site is the only one in most statements. Answers it from memory, without making anything ready for the
 * next, if it is as simple as most: false if it is not.
 */
static bool
recall_at_once(FunctionCallInfo fcinfo, bool *held)
{
	const SeemeIdentity *asker = seeme_asker();
	int			scope = only_scope(fcinfo);
	text	   *code = (text *) DatumGetPointer(PG_GETARG_DATUM(0));
	SeemeViewer *viewer;
	SeemeSet	set;
	int			bit;

	if (asker == NULL || asker->expires_at != DT_NOEND || scope <= 0 || scope == SEEME_RESOURCE || !PG_ARGISNULL(5) ||
		PG_ARGISNULL(0) || VARATT_IS_EXTERNAL(code) || VARATT_IS_COMPRESSED(code))
		return false;
	viewer = seeme_recall_viewer(asker);
	bit = seeme_cache_recall_code(VARDATA_ANY(code), VARSIZE_ANY_EXHDR(code));
	if (viewer == NULL || bit < 0 || viewer->is_refused)
		return false;
	set = recall_set(viewer, SEEME_ORGANIZATION + scope - 1, PG_GETARG_UUID_P(scope));
	if (set == SEEME_UNKNOWN_SET)
		return false;
	*held = (seeme_cache_set(set)[bit / 64] >> (bit % 64) & 1) != 0;
	return true;
}

/* Takes a text argument down into a site. */
static int
take_text(FunctionCallInfo fcinfo, int arg, char **copy)
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
learn_shape(Site *site, Node *call)
{
	site->shape_is_known = true;
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
seeme_prepare_site(FmgrInfo *function, int scope)
{
	Site	   *site = MemoryContextAllocZero(function->fn_mcxt, sizeof(Site));

	site->shape_is_known = true;
	site->code_is_constant = true;
	site->scope = scope;
	function->fn_extra = site;
}

/* What is asked, as bits. False when a code is younger than what is remembered. */
static bool
take_question(FunctionCallInfo fcinfo, Site *site, SeemeStore *store, const char *code)
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
		SeemeQuestion question;
		ListCell   *cell;

		site->word = -1;
		seeme_ask(store, code, &question);
		foreach(cell, question.concrete)
		{
			bit = seeme_cache_find_code(lfirst(cell));
			if (bit < 0)
				return false;
			site->mask[bit / 64] |= UINT64CONST(1) << (bit % 64);
		}
	}
	if (!site->shape_is_known)
		learn_shape(site, fcinfo->flinfo->fn_expr);
	/* What is constant is not compared. */
	site->code_length = site->code_is_constant ? 0 : take_text(fcinfo, 0, &site->code);
	site->type_length = site->scope > 0 ? 0 : take_text(fcinfo, 5, &site->type);
	return true;
}

/* Answers from the tables, past all that is remembered. */
static pg_noinline bool
read_only(FunctionCallInfo fcinfo)
{
	char	   *code = seeme_code_argument(fcinfo, 0);
	SeemeStore	store;
	SeemeQuestion question;
	SeemeScope	scope;
	SeemeAsker	asker;
	bool		held = false;

	seeme_store_open(&store);
	seeme_ask(&store, code, &question);
	seeme_scope_arguments(fcinfo, 1, &store, code, &scope);
	if (scope.level != SEEME_NOWHERE)
	{
		seeme_asker_init(&asker, &store);
		held = asker.is_identified && !asker.subject.is_refused &&
			seeme_answer(&asker.subject, seeme_places(&store, &scope), &question);
	}
	seeme_store_close(&store);
	seeme_cache_counters.bypasses++;
	return held;
}

/* Answers from the tables where memory does not, and remembers the answer. */
static pg_noinline bool
read_and_remember(FunctionCallInfo fcinfo)
{
	Site	   *site = fcinfo->flinfo->fn_extra;
	char	   *code = seeme_code_argument(fcinfo, 0);
	SeemeStore	store;
	SeemeScope	scope;
	uint64		changes;
	SeemeViewer *viewer = NULL;
	uint64	   *words;
	const SeemeIdentity *asker = seeme_asker();
	bool		wide;
	bool		held;

	if (site == NULL || site == &asked_once)
		site = fcinfo->flinfo->fn_extra = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(Site));
	site->was_asked = true;
	wide = ++site->misses > MISSES_BEFORE_BULK;
	site->moves = 0;
	seeme_held_begin(&store);
	changes = seeme_cache_read_under();
	if (!take_question(fcinfo, site, &store, code))
	{
		seeme_store_close(&store);
		return read_only(fcinfo);
	}
	seeme_scope_arguments(fcinfo, 1, &store, code, &scope);
	site->has_resource_type = scope.resource_type != NULL;
	site->resources = NULL;
	site->level = SEEME_NOWHERE;
	site->next_change = DT_NOEND;
	if (asker != NULL)
		viewer = seeme_viewer(&store, asker);
	if (viewer != NULL)
		site->next_change = asker->expires_at;
	site->ids = NULL;
	words = seeme_no_codes();
	if (viewer != NULL && scope.level != SEEME_NOWHERE && !viewer->is_refused)
	{
		if (site->word >= 0 && site->scope > 0)
		{
			int			code = site->word * 64 + pg_rightmost_one_pos64(site->mask[site->word]);

			/* Those that somebody has gathered before are of use at once. */
			site->ids = site->calls > 0 && site->calls == site->calls_before_ids ?
				seeme_ids_held(&store, viewer, scope.level, scope.resource_type, code) :
				seeme_ids_known(viewer, scope.level, scope.resource_type, code);
		}
		site->calls = 0;
		site->calls_before_ids = CALLS_BEFORE_IDS + seeme_viewer_nplaces(viewer) / 2;
		if (wide)
		{
			bool		whole = scope.level == SEEME_RESOURCE ?
				seeme_hold_all_resources(&store, viewer, scope.resource_type, SEEME_NO_LIMIT) :
				seeme_hold_all(&store, viewer, SEEME_NO_LIMIT);

			site->misses = whole ? 0 : -MISSES_AFTER_VAIN_BULK;
		}
		if (scope.level == SEEME_RESOURCE)
		{
			seeme_add_held_on(&store, viewer, scope.resource_type, &scope.id, words);
			site->resources = seeme_viewer_resources(viewer, scope.resource_type);
		}
		else
			seeme_add_held_in(&store, viewer, scope.level - SEEME_ORGANIZATION, &scope.id, words);
	}
	if (seeme_store_was_read(&store))
		seeme_cache_counters.probes++;
	else
		seeme_cache_counters.hits++;
	seeme_store_close(&store);

	site->sets = seeme_cache_words();
	site->viewer = viewer == NULL || viewer->is_refused ? NULL : viewer;
	if (viewer != NULL && viewer->next_change < site->next_change)
		site->next_change = viewer->next_change;
	site->asker = asker;
	site->asker_is_set = seeme_asker_is_set();
	/* Unless something has changed since what was read was read. */
	site->moves = changes == seeme_changes ? seeme_moves : 0;
	held = scope.level != SEEME_NOWHERE && are_in(site, words);
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
	Site	   *site = fcinfo->flinfo->fn_extra;
	bool		may_remember = seeme_accept_changes();
	bool		held;

	if (likely(site != NULL) && likely(may_remember) && likely(is_true(site)))
	{
		if (likely(site->ids != NULL))
		{
			seeme_cache_counters.hits++;
			PG_RETURN_BOOL(!PG_ARGISNULL(site->scope) && seeme_ids_contain(site->ids, PG_GETARG_UUID_P(site->scope)));
		}
		/* Rows of one project often come together. */
		if (site->scope > 0 && site->level != SEEME_NOWHERE && !PG_ARGISNULL(site->scope) &&
			seeme_uuid_equal(PG_GETARG_UUID_P(site->scope), &site->id))
		{
			seeme_cache_counters.hits++;
			PG_RETURN_BOOL(site->held);
		}
		if (recall(fcinfo, site, &held))
		{
			seeme_cache_counters.hits++;
			PG_RETURN_BOOL(held);
		}
	}
	else
	{
		/* What a site remembers is good as long as nothing moves, the version included. */
		seeme_require_version_of_call(fcinfo, SEEME_NARGS);
		if ((site == NULL || !site->was_asked) && may_remember && recall_at_once(fcinfo, &held))
		{
			if (site == NULL)
				fcinfo->flinfo->fn_extra = &asked_once;
			else
				site->was_asked = true;
			seeme_cache_counters.hits++;
			PG_RETURN_BOOL(held);
		}
	}
	PG_RETURN_BOOL(may_remember ? read_and_remember(fcinfo) : read_only(fcinfo));
}

/*
 * What calls of seeme_has_permission() would say of several ids (NULL: a null), one after the other in the same place: a bit
 * each. The argument `scope` of the call is theirs, the others are filled in. May throw, and leaves memory behind.
 */
uint32
seeme_have_permission(FunctionCallInfo call, int scope, int n, pg_uuid_t *const *ids)
{
	Site	   *site = call->flinfo->fn_extra;
	uint32		held = 0;

	if (likely(site != NULL) && likely(seeme_accept_changes()) && likely(is_true(site)) && likely(site->ids != NULL))
	{
		/* All the lines are on their way before the first is looked at. */
		for (int i = 0; i < n; i++)
			if (ids[i] != NULL)
				seeme_ids_prefetch(site->ids, ids[i]);
		for (int i = 0; i < n; i++)
			held |= (uint32) (ids[i] != NULL && seeme_ids_contain(site->ids, ids[i])) << i;
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
	SeemeQuestion question;
	SeemeScope	scope;
	SeemeAsker	asker;
	SeemeSubject other;
	SeemeSubject *subject = &other;
	List	   *places;
	bool		held = false;

	seeme_store_open(&store);
	seeme_ask(&store, code, &question);
	seeme_scope_arguments(fcinfo, 2, &store, code, &scope);
	if (!PG_ARGISNULL(0))
	{
		seeme_asker_init(&asker, &store);
		places = seeme_places_told(&asker, PG_GETARG_UUID_P(0), seeme_places(&store, &scope));
		if (places != NIL)
		{
			/* About oneself: as one is here, perhaps narrowed by a key. */
			if (asker.is_identified && seeme_uuid_equal(PG_GETARG_UUID_P(0), &asker.subject.person.id))
				subject = &asker.subject;
			else
				seeme_subject_init(subject, &store, PG_GETARG_UUID_P(0));
			held = seeme_answer(subject, places, &question);
		}
	}
	seeme_store_close(&store);
	PG_RETURN_BOOL(held);
}
