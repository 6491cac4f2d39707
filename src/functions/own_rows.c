/*
 * own_rows.c: what the policies of the extension's own tables ask about a row: whether one of its
 * columns is in one of the asking person's lists (own_scopes.c). And the lists themselves, which an
 * index looks up in place of the calls (planner/own_tables_support.c).
 *
 * A call is asked row by row. The first rows are decided one by one. Then the list is read, and each
 * further row costs one look-up in a hash table.
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "nodes/primnodes.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#include "cache/effective_permissions.h"
#include "cache/own_scopes.h"
#include "core/evaluator.h"
#include "core/invalidation.h"
#include "core/store.h"
#include "core/version.h"
#include "functions/arguments.h"
#include "functions/own_rows.h"
#include "identity/identity.h"

/* So many rows are decided one by one before a list of scopes is read. */
#define ROWS_BEFORE_LIST 16

/*
 * To list the people whom somebody sees takes reading an unknown number of memberships. So the list
 * is tried with a limit, a number of memberships for each row decided so far. When it fails it is
 * tried again after four times as many rows. All tries together cost a few times what deciding these
 * rows has cost.
 */
#define MEMBERSHIPS_PER_ROW 64
#define ROWS_UNTIL_NEXT_TRY 4

/* What is remembered of one call in a plan, from row to row: fn_extra. */
typedef struct Site
{
	uint64		moves;			/* 0: good for nothing */
	const SeemeIdentity *asker;
	bool		asker_is_set;
	TimestampTz next_change;	/* the first date at which any of this becomes untrue */
	bool		holds_nothing;
	const SeemeIds *ids;		/* all for which the answer is yes; NULL: not read yet */
	bool		has_last;
	pg_uuid_t	last;
	bool		last_answer;
	/* A list for which the cache has no room: good as long as nothing changes */
	SeemeIds	here;
	uint64		here_under;		/* 0: none */
	SeemeIdentity here_of;
	TimestampTz here_until;
	/* Rows that were decided one by one, and how many of them until a list is read */
	uint64		rows;
	uint64		rows_before_list;
	/* Which list it is, once that is known to be constant */
	SeemeOwnScopes scopes;
} Site;

static bool
is_true(const Site *site)
{
	return (site->asker_is_set || site->asker == seeme_asker()) && site->moves == seeme_moves &&
		(site->next_change == DT_NOEND || !seeme_has_come(site->next_change));
}

static bool
is_same_asker(const SeemeIdentity *a, const SeemeIdentity *b)
{
	return seeme_uuid_equal(&a->user_id, &b->user_id) && a->has_key == b->has_key &&
		(!a->has_key || seeme_uuid_equal(&a->key_id, &b->key_id)) &&
		a->issued_at == b->issued_at && a->expires_at == b->expires_at;
}

/* What a call is about. */
typedef enum Kind
{
	SCOPES,
	ROLES,
	PEOPLE,
} Kind;

static Site *
site_of(FunctionCallInfo fcinfo)
{
	Site	   *site = fcinfo->flinfo->fn_extra;

	if (site == NULL)
	{
		site = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(Site));
		site->rows_before_list = ROWS_BEFORE_LIST;
		fcinfo->flinfo->fn_extra = site;
	}
	return site;
}

/* The list of a call, if it is known or (read) is to be read; NULL if not. */
static const SeemeIds *
find_list(FunctionCallInfo fcinfo, Site *site, Kind kind, const SeemeOwnScopes *scopes,
		  SeemeStore *store, SeemeViewer *viewer, bool read)
{
	const SeemeIds *ids = NULL;

	if (site->here_under == seeme_changes && site->here_under != 0 &&
		is_same_asker(&site->here_of, seeme_asker()) && !seeme_has_come(site->here_until))
		return &site->here;
	site->here_under = 0;
	if (site->here.memory != NULL)
		seeme_ids_free(&site->here);
	switch (kind)
	{
		case SCOPES:
			ids = seeme_viewer_own_scopes(store, viewer, scopes, read, fcinfo->flinfo->fn_mcxt,
										  &site->here);
			break;
		case ROLES:
			ids = seeme_viewer_roles(store, viewer, fcinfo->flinfo->fn_mcxt, &site->here);
			break;
		case PEOPLE:
			ids = seeme_viewer_people(store, viewer,
									  !read ? 0 :
									  (int) Min(site->rows * MEMBERSHIPS_PER_ROW, INT_MAX),
									  fcinfo->flinfo->fn_mcxt, &site->here);
			break;
	}
	if (ids == &site->here)
	{
		site->here_under = seeme_cache_read_under();
		site->here_of = *seeme_asker();
		site->here_until = Min(seeme_asker()->expires_at, viewer->next_change);
	}
	return ids;
}

static bool
decide(Kind kind, const SeemeOwnScopes *scopes, SeemeStore *store, SeemeViewer *viewer,
	   const pg_uuid_t *id)
{
	return kind == PEOPLE ? seeme_viewer_sees_person(store, viewer, id) :
		seeme_viewer_has_own_scope(store, viewer, scopes, id);
}

/* Answers from the tables, past all that is remembered. */
static bool
decide_uncached(Kind kind, const SeemeOwnScopes *scopes, const pg_uuid_t *id)
{
	SeemeStore	store;
	SeemeAsker	asker;
	SeemeScope	scope = {0};
	ListCell   *cell;
	bool		answer = false;

	seeme_store_open(&store);
	seeme_asker_init(&asker, &store);
	if (asker.is_identified && !asker.subject.is_refused)
	{
		if (kind == PEOPLE)
			answer = seeme_sees_person(&asker.subject, id);
		else if (kind == ROLES)
			foreach(cell, seeme_roles_held(&asker.subject, NULL))
				answer = answer || seeme_uuid_equal(lfirst(cell), id);
		else
		{
			scope.level = scopes->level;
			scope.id = *id;
			foreach(cell, seeme_places(&store, &scope))
				answer = seeme_is_own_scope(&asker.subject,
											seeme_standing_at(&asker.subject, lfirst(cell)),
											lfirst(cell), scopes);
		}
	}
	seeme_store_close(&store);
	return answer;
}

/* Decides a row where the site does not tell, and takes down what it will be able to tell. */
static pg_noinline bool
answer_anew(FunctionCallInfo fcinfo, Site *site, Kind kind, const SeemeOwnScopes *scopes,
			const pg_uuid_t *id)
{
	const SeemeIdentity *asker = seeme_asker();
	SeemeStore	store;
	SeemeViewer *viewer = NULL;
	uint64		changes;
	bool		answer = false;

	site->moves = 0;
	site->ids = NULL;
	site->holds_nothing = true;
	site->next_change = DT_NOEND;
	seeme_held_begin(&store);
	changes = seeme_cache_read_under();
	if (asker != NULL)
		viewer = seeme_viewer(&store, asker);
	if (viewer != NULL && !viewer->is_refused)
	{
		bool		read = kind == ROLES || ++site->rows > site->rows_before_list;

		site->holds_nothing = false;
		site->ids = find_list(fcinfo, site, kind, scopes, &store, viewer, read);
		if (read && site->ids == NULL)
			site->rows_before_list = site->rows * ROWS_UNTIL_NEXT_TRY;
		answer = site->ids != NULL ? seeme_ids_contain(site->ids, id) :
			decide(kind, scopes, &store, viewer, id);
	}
	if (viewer != NULL)
		site->next_change = Min(asker->expires_at, viewer->next_change);
	seeme_store_close(&store);
	site->asker = asker;
	site->asker_is_set = seeme_asker_is_set();
	site->last = *id;
	site->last_answer = answer;
	site->has_last = true;
	/* Unless something has changed since what was read was read. */
	site->moves = changes == seeme_changes ? seeme_moves : 0;
	return answer;
}

static bool
answer(FunctionCallInfo fcinfo, Kind kind, const SeemeOwnScopes *scopes, const pg_uuid_t *id)
{
	Site	   *site = site_of(fcinfo);

	if (!seeme_accept_changes())
		return decide_uncached(kind, scopes, id);
	if (is_true(site))
	{
		if (site->holds_nothing)
			return false;
		if (site->ids != NULL)
			return seeme_ids_contain(site->ids, id);
		if (site->has_last && seeme_uuid_equal(&site->last, id))
			return site->last_answer;
	}
	return answer_anew(fcinfo, site, kind, scopes, id);
}

/* A list as an array: of scopes, roles or people. */
static Datum
list(Kind kind, const SeemeOwnScopes *scopes)
{
	SeemeStore	store;
	SeemeViewer *viewer;
	SeemeAsker	asker;
	SeemeIds	here = {0};
	const SeemeIds *ids = NULL;
	pg_uuid_t  *found = NULL;
	ListCell   *cell;
	int			n = 0;

	if (seeme_accept_changes())
	{
		seeme_held_begin(&store);
		viewer = seeme_asker() == NULL ? NULL : seeme_viewer(&store, seeme_asker());
		if (viewer != NULL && !viewer->is_refused)
			ids = kind == PEOPLE ?
				seeme_viewer_people(&store, viewer, INT_MAX, CurrentMemoryContext, &here) :
				kind == ROLES ? seeme_viewer_roles(&store, viewer, CurrentMemoryContext, &here) :
				seeme_viewer_own_scopes(&store, viewer, scopes, true, CurrentMemoryContext, &here);
		if (ids != NULL)
		{
			found = palloc_extended(sizeof(pg_uuid_t) * Max(ids->n, 1), MCXT_ALLOC_HUGE);
			n = seeme_ids_list(ids, found);
		}
	}
	else
	{
		seeme_store_open(&store);
		seeme_asker_init(&asker, &store);
		if (asker.is_identified && !asker.subject.is_refused)
		{
			if (kind == PEOPLE)
				(void) seeme_list_people_seen(&asker.subject, INT_MAX, &found, &n);
			else if (kind == SCOPES)
				n = seeme_list_own_scopes(&asker.subject, scopes, &found);
			else
			{
				List	   *roles = seeme_roles_held(&asker.subject, NULL);

				found = palloc_extended(sizeof(pg_uuid_t) * Max(list_length(roles), 1),
										MCXT_ALLOC_HUGE);
				foreach(cell, roles)
					found[n++] = *(pg_uuid_t *) lfirst(cell);
			}
		}
	}
	seeme_store_close(&store);
	PG_RETURN_ARRAYTYPE_P(seeme_sorted_array(found, n));
}

/*
 * How long a list is, for the planner: -1 if that is not known, or (of people) takes reading more
 * than so many memberships.
 */
int
seeme_count_own(SeemeOwnList what, int ncodes, char **codes, int limit)
{
	SeemeOwnScopes scopes = {.by_codes = ncodes > 0, .ncodes = ncodes, .codes = codes};
	SeemeStore	store;
	SeemeViewer *viewer;
	SeemeIds	here = {0};
	const SeemeIds *ids = NULL;
	int			n = 0;

	if (!seeme_accept_changes())
		return -1;
	seeme_held_begin(&store);
	viewer = seeme_asker() == NULL ? NULL : seeme_viewer(&store, seeme_asker());
	if (viewer != NULL && !viewer->is_refused)
	{
		if (what == SEEME_OWN_PEOPLE)
			ids = seeme_viewer_people(&store, viewer, limit, CurrentMemoryContext, &here);
		else if (what == SEEME_OWN_ROLES)
			ids = seeme_viewer_roles(&store, viewer, CurrentMemoryContext, &here);
		else
		{
			scopes.level = SEEME_ORGANIZATION + (what - SEEME_OWN_ORGANIZATIONS);
			ids = seeme_viewer_own_scopes(&store, viewer, &scopes, true, CurrentMemoryContext,
										  &here);
		}
		n = ids == NULL ? -1 : ids->n;
	}
	seeme_store_close(&store);
	return n;
}

/* The codes that an argument names. They are constants in policies, and taken apart once. */
static void
take_codes(FunctionCallInfo fcinfo, int arg, SeemeLevel level, SeemeOwnScopes *scopes)
{
	Datum	   *datums;
	bool	   *nulls;
	int			n;

	memset(scopes, 0, sizeof(*scopes));
	scopes->level = level;
	scopes->by_codes = true;
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(arg), TEXTOID, -1, false, TYPALIGN_INT, &datums, &nulls,
					  &n);
	scopes->codes = palloc(sizeof(char *) * Max(n, 1));
	for (int i = 0; i < n; i++)
		if (!nulls[i])
			scopes->codes[scopes->ncodes++] = TextDatumGetCString(datums[i]);
}

static const SeemeOwnScopes *
codes_of_site(FunctionCallInfo fcinfo, SeemeLevel level, SeemeOwnScopes *anew)
{
	Site	   *site = site_of(fcinfo);
	FuncExpr   *call = (FuncExpr *) fcinfo->flinfo->fn_expr;
	MemoryContext old;

	if (site->scopes.level == level)
		return &site->scopes;
	/* Not a parameter: an expression of PL/pgSQL lives longer than its value. */
	if (call == NULL || !IsA(call, FuncExpr) || !IsA(linitial(call->args), Const))
	{
		take_codes(fcinfo, 0, level, anew);
		site->moves = 0;		/* what it remembers is about other codes */
		site->here_under = 0;
		return anew;
	}
	old = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);
	take_codes(fcinfo, 0, level, &site->scopes);
	MemoryContextSwitchTo(old);
	return &site->scopes;
}

/*
 * seeme.holds_throughout(permissions text[], organization uuid) RETURNS boolean
 */
SEEME_FUNCTION(seeme_holds_throughout, 2)
{
	SeemeOwnScopes anew;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_BOOL(false);
	PG_RETURN_BOOL(answer(fcinfo, SCOPES, codes_of_site(fcinfo, SEEME_ORGANIZATION, &anew),
						  PG_GETARG_UUID_P(1)));
}

/*
 * seeme.holds_below(permissions text[], team, project uuid) RETURNS boolean
 */
SEEME_FUNCTION(seeme_holds_below, 3)
{
	SeemeOwnScopes anew;
	int			arg = PG_ARGISNULL(1) ? 2 : 1;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1) == PG_ARGISNULL(2))
		PG_RETURN_BOOL(false);
	PG_RETURN_BOOL(answer(fcinfo, SCOPES, codes_of_site(fcinfo, SEEME_ORGANIZATION + arg, &anew),
						  PG_GETARG_UUID_P(arg)));
}

/*
 * seeme.is_member(organization uuid) RETURNS boolean
 */
SEEME_FUNCTION(seeme_is_member, 1)
{
	static const SeemeOwnScopes scopes = {.level = SEEME_ORGANIZATION};

	PG_RETURN_BOOL(!PG_ARGISNULL(0) && answer(fcinfo, SCOPES, &scopes, PG_GETARG_UUID_P(0)));
}

/*
 * seeme.is_direct_member(team, project uuid) RETURNS boolean
 */
SEEME_FUNCTION(seeme_is_direct_member, 2)
{
	static const SeemeOwnScopes teams = {.level = SEEME_TEAM};
	static const SeemeOwnScopes projects = {.level = SEEME_PROJECT};
	int			arg = PG_ARGISNULL(0) ? 1 : 0;

	if (PG_ARGISNULL(0) == PG_ARGISNULL(1))
		PG_RETURN_BOOL(false);
	PG_RETURN_BOOL(answer(fcinfo, SCOPES, arg == 0 ? &teams : &projects, PG_GETARG_UUID_P(arg)));
}

/*
 * seeme.holds_role(role_id uuid) RETURNS boolean
 */
SEEME_FUNCTION(seeme_holds_role, 1)
{
	PG_RETURN_BOOL(!PG_ARGISNULL(0) && answer(fcinfo, ROLES, NULL, PG_GETARG_UUID_P(0)));
}

/*
 * Whether nobody is identified and the current role provisions users: it may delete them.
 */
bool
seeme_provisions(void)
{
	Oid			users;

	if (seeme_asker() != NULL)
		return false;
	users = get_relname_relid("users", get_namespace_oid("seeme", false));
	return OidIsValid(users) &&
		pg_class_aclcheck(users, GetUserId(), ACL_DELETE) == ACLCHECK_OK;
}

/*
 * seeme.sees_user(user_id uuid) RETURNS boolean
 */
SEEME_FUNCTION(seeme_sees_user, 1)
{
	if (PG_ARGISNULL(0))
		PG_RETURN_BOOL(false);
	if (unlikely(seeme_asker() == NULL))
		PG_RETURN_BOOL(seeme_provisions());
	PG_RETURN_BOOL(answer(fcinfo, PEOPLE, NULL, PG_GETARG_UUID_P(0)));
}

/*
 * seeme.organizations_held(permissions text[]) RETURNS uuid[]
 */
SEEME_FUNCTION(seeme_organizations_held, 1)
{
	SeemeOwnScopes scopes;

	take_codes(fcinfo, 0, SEEME_ORGANIZATION, &scopes);
	return list(SCOPES, &scopes);
}

/*
 * seeme.teams_held(permissions text[]) RETURNS uuid[]
 */
SEEME_FUNCTION(seeme_teams_held, 1)
{
	SeemeOwnScopes scopes;

	take_codes(fcinfo, 0, SEEME_TEAM, &scopes);
	return list(SCOPES, &scopes);
}

/*
 * seeme.projects_held(permissions text[]) RETURNS uuid[]
 */
SEEME_FUNCTION(seeme_projects_held, 1)
{
	SeemeOwnScopes scopes;

	take_codes(fcinfo, 0, SEEME_PROJECT, &scopes);
	return list(SCOPES, &scopes);
}

/*
 * seeme.member_organizations() RETURNS uuid[]
 */
SEEME_FUNCTION(seeme_member_organizations, 0)
{
	static const SeemeOwnScopes scopes = {.level = SEEME_ORGANIZATION};

	return list(SCOPES, &scopes);
}

/*
 * seeme.member_teams() RETURNS uuid[]
 */
SEEME_FUNCTION(seeme_member_teams, 0)
{
	static const SeemeOwnScopes scopes = {.level = SEEME_TEAM};

	return list(SCOPES, &scopes);
}

/*
 * seeme.member_projects() RETURNS uuid[]
 */
SEEME_FUNCTION(seeme_member_projects, 0)
{
	static const SeemeOwnScopes scopes = {.level = SEEME_PROJECT};

	return list(SCOPES, &scopes);
}

/*
 * seeme.roles_held() RETURNS uuid[]
 */
SEEME_FUNCTION(seeme_list_roles_held, 0)
{
	return list(ROLES, NULL);
}

typedef struct EveryId
{
	pg_uuid_t  *ids;
	int			n;
	int			size;
} EveryId;

static void
add_person(void *context, const SeemePerson *person)
{
	EveryId    *every = context;

	if (every->n >= every->size)
	{
		every->size = Max(every->size * 2, 64);
		every->ids = every->ids == NULL ? palloc(sizeof(pg_uuid_t) * every->size) :
			repalloc_huge(every->ids, sizeof(pg_uuid_t) * every->size);
	}
	every->ids[every->n++] = person->id;
}

/*
 * seeme.people_seen() RETURNS uuid[]
 */
SEEME_FUNCTION(seeme_people_seen, 0)
{
	SeemeStore	store;
	EveryId		every = {0};

	if (seeme_asker() != NULL || !seeme_provisions())
		return list(PEOPLE, NULL);
	seeme_store_open(&store);
	seeme_visit_people(&store, INT_MAX, add_person, &every);
	seeme_store_close(&store);
	PG_RETURN_ARRAYTYPE_P(seeme_sorted_array(every.ids, every.n));
}
