/*
 * permitted.c: what may be done, where, and by whom: the question of check.c, listed.
 *
 * Each list is made of candidates, and each candidate is decided by evaluator.c: so that no list can say what a check does not.
 * Where a single code is held is remembered (effective_permissions.c); other questions are put to the tables.
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
	SeemeAsker	asker;
	List	   *held = NIL;
	List	   *codes;
	bool	   *is_held;
	ListCell   *place;
	ListCell   *code;

	seeme_store_open(&store);
	seeme_scope_arguments(fcinfo, 0, &store, NULL, &scope);
	seeme_asker_init(&asker, &store);
	if (asker.is_identified)
	{
		codes = seeme_list_codes(&store);
		is_held = palloc0(Max(list_length(codes), 1));
		/* All codes in one place after the other: what is known of a place is at hand then. */
		foreach(place, seeme_places(&store, &scope))
		{
			foreach(code, codes)
			{
				int			i = foreach_current_index(code);

				is_held[i] = is_held[i] || seeme_holds(&asker.subject, lfirst(place), lfirst(code));
			}
		}
		foreach(code, codes)
		{
			if (is_held[foreach_current_index(code)])
				held = lappend(held, lfirst(code));
		}
	}
	seeme_store_close(&store);
	PG_RETURN_ARRAYTYPE_P(seeme_text_array(held));
}

/*
 * What is remembered of who asks, if it can be used; NULL if not, or if nobody asks or they hold nothing. Leaves the store
 * open in any case.
 */
static SeemeViewer *
remembered_asker(SeemeStore *store, bool *may_remember)
{
	const SeemeIdentity *asker;

	*may_remember = seeme_accept_changes();
	if (!*may_remember)
	{
		seeme_store_open(store);
		return NULL;
	}
	asker = seeme_asker();
	seeme_held_begin(store);
	return asker == NULL ? NULL : seeme_viewer(store, asker);
}

/*
 * At how many scopes of a level the asking person holds a code; -1 if that is not known, or would take reading more than
 * so many.
 */
int
seeme_count_permitted(SeemeLevel level, const char *code, const char *resource_type, int limit)
{
	SeemeStore	store;
	bool		may_remember;
	SeemeViewer *viewer = remembered_asker(&store, &may_remember);
	int			number = may_remember ? seeme_cache_find_code(code) : -1;
	int			n = -1;

	if (number >= 0 && level == SEEME_RESOURCE)
	{
		if (resource_type == NULL)
			resource_type = seeme_find_type_of_resource(&store, seeme_resource_of_code(code));
		/* Of a type that is not registered the list is an error, which is not for planning to raise. */
		if (resource_type != NULL && seeme_read_resource_type(&store, resource_type))
			n = seeme_resources_held(&store, viewer, resource_type, number, limit, NULL);
	}
	else if (number >= 0)
		n = seeme_places_held(&store, viewer, level, number, limit, NULL);
	seeme_store_close(&store);
	return n;
}

static bool
holds_in(SeemeSubject *subject, SeemePlace *place, const SeemeQuestion *question)
{
	return seeme_answer(subject, list_make1(place), question);
}

/*
 * The places of one level at which a subject holds what is asked. A question that is answered for a whole organization is
 * so for everything in it; otherwise only where the person has a membership can anything be held.
 */
static List *
permitted_places(SeemeSubject *subject, SeemeLevel level, const SeemeQuestion *question)
{
	SeemeStore *store = subject->store;
	List	   *permitted = NIL;
	ListCell   *organization;

	if (subject->is_refused)
		return NIL;
	foreach(organization, seeme_organizations_of(subject))
	{
		SeemePlace *whole = seeme_place_of_organization(lfirst(organization));
		bool		everywhere = holds_in(subject, whole, question);
		List	   *candidates = NIL;
		List	   *teams = NIL;
		List	   *projects = NIL;
		ListCell   *cell;

		if (level == SEEME_ORGANIZATION)
		{
			if (everywhere)
				permitted = lappend(permitted, whole);
			continue;
		}
		if (everywhere)
		{
			if (level == SEEME_TEAM)
				teams = seeme_list_teams(store, lfirst(organization), INT_MAX);
			else
				projects = seeme_list_projects(store, lfirst(organization), INT_MAX);
		}
		else
		{
			SeemeStanding *standing = seeme_standing(subject, lfirst(organization));

			for (int i = 0; i < standing->nmemberships; i++)
			{
				SeemeMembership *membership = &standing->memberships[i];
				SeemeTeam  *team = palloc(sizeof(SeemeTeam));
				SeemeProject *project = palloc(sizeof(SeemeProject));

				if (membership->has_team && level == SEEME_TEAM && seeme_read_team(store, &membership->scope_id, team))
					teams = lappend(teams, team);
				else if (membership->has_team && level == SEEME_PROJECT)
					projects = list_concat(projects, seeme_list_projects_of_team(store, &membership->scope_id));
				else if (membership->has_project && level == SEEME_PROJECT &&
						 seeme_read_project(store, &membership->scope_id, project))
					projects = lappend(projects, project);
			}
		}
		foreach(cell, teams)
			candidates = lappend(candidates, seeme_place_of_team(lfirst(cell)));
		foreach(cell, projects)
			candidates = lappend(candidates, seeme_place_of_project(lfirst(cell)));
		foreach(cell, candidates)
		{
			if (holds_in(subject, lfirst(cell), question))
				permitted = lappend(permitted, lfirst(cell));
		}
	}
	return permitted;
}

static Datum
permitted_containers(FunctionCallInfo fcinfo, SeemeLevel level)
{
	SeemeStore	store;
	SeemeViewer *viewer;
	bool		may_remember;
	char	   *code;
	int			number;
	pg_uuid_t  *found = NULL;
	int			n;
	SeemeQuestion question;
	SeemeAsker	asker;
	List	   *ids = NIL;
	ListCell   *cell;

	viewer = remembered_asker(&store, &may_remember);
	code = seeme_code_argument(fcinfo, 0);
	if (may_remember && (number = seeme_cache_find_code(code)) >= 0 &&
		(n = seeme_places_held(&store, viewer, level, number, INT_MAX, &found)) >= 0)
	{
		seeme_store_close(&store);
		PG_RETURN_ARRAYTYPE_P(seeme_sorted_array(found, n));
	}
	seeme_ask(&store, code, &question);
	seeme_asker_init(&asker, &store);
	if (asker.is_identified)
		foreach(cell, permitted_places(&asker.subject, level, &question))
		{
			SeemePlace *place = lfirst(cell);

			ids = lappend(ids, level == SEEME_ORGANIZATION ? &place->organization_id :
						  level == SEEME_TEAM ? &place->team_id : &place->project_id);
		}
	seeme_store_close(&store);
	PG_RETURN_ARRAYTYPE_P(seeme_uuid_array(ids));
}

/*
 * seeme_permitted_organizations(permission text) RETURNS uuid[]
 */
SEEME_FUNCTION(seeme_permitted_organizations, 1)
{
	return permitted_containers(fcinfo, SEEME_ORGANIZATION);
}

/*
 * seeme_permitted_teams(permission text) RETURNS uuid[]
 */
SEEME_FUNCTION(seeme_permitted_teams, 1)
{
	return permitted_containers(fcinfo, SEEME_TEAM);
}

/*
 * seeme_permitted_projects(permission text) RETURNS uuid[]
 */
SEEME_FUNCTION(seeme_permitted_projects, 1)
{
	return permitted_containers(fcinfo, SEEME_PROJECT);
}

/*
 * seeme_permitted_resources(permission text, resource_type text) RETURNS uuid[]
 *
 * A wildcard may be held in pieces, by one resource in several projects; so every resource of every project in which the
 * person holds its first piece is decided by itself.
 */
SEEME_FUNCTION(seeme_permitted_resources, 2)
{
	char	   *code = seeme_code_argument(fcinfo, 0);
	SeemeStore	store;
	SeemeViewer *viewer;
	bool		may_remember;
	int			number;
	pg_uuid_t  *found = NULL;
	int			n;
	SeemeQuestion question;
	SeemeScope	scope = {SEEME_RESOURCE};
	SeemeAsker	asker;
	List	   *ids = NIL;
	ListCell   *place;
	ListCell   *cell;

	viewer = remembered_asker(&store, &may_remember);
	seeme_ask(&store, code, &question);
	if (!PG_ARGISNULL(1))
	{
		scope.resource_type = text_to_cstring(PG_GETARG_TEXT_PP(1));
		seeme_require_resource_type(&store, scope.resource_type);
	}
	else
		scope.resource_type = seeme_find_type_of_resource(&store, seeme_resource_of_code(code));
	if (scope.resource_type == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("permission \"%s\" is tied to no resource type", code),
				 errhint("Say which: resource_type => 'dataset', for example.")));
	if (may_remember && (number = seeme_cache_find_code(code)) >= 0 &&
		(n = seeme_resources_held(&store, viewer, scope.resource_type, number, INT_MAX, &found)) >= 0)
	{
		seeme_store_close(&store);
		PG_RETURN_ARRAYTYPE_P(seeme_sorted_array(found, n));
	}
	seeme_asker_init(&asker, &store);
	if (asker.is_identified)
	{
		/* Who does not hold the first piece of a wildcard anywhere does not hold the whole. */
		SeemeQuestion part = {linitial(question.concrete), list_make1(linitial(question.concrete))};
		List	   *candidates = NIL;
		SeemeSlots	seen = {0};	/* a resource is decided once, in however many of these projects it is */
		MemoryContext in_turn = AllocSetContextCreate(CurrentMemoryContext, "seeme_rbac places of a resource",
													  ALLOCSET_DEFAULT_SIZES);

		foreach(place, permitted_places(&asker.subject, SEEME_PROJECT, &part))
		{
			foreach(cell, seeme_list_assignments_to(&store, &((SeemePlace *) lfirst(place))->project_id,
													scope.resource_type, INT_MAX))
			{
				pg_uuid_t  *id = &((SeemeAssignment *) lfirst(cell))->resource_id;

				if (seeme_slots_find(&seen, id) != NULL)
					continue;
				seeme_slots_add(CurrentMemoryContext, &seen, id, 1);
				candidates = lappend(candidates, id);
			}
		}
		foreach(cell, candidates)
		{
			MemoryContext old = MemoryContextSwitchTo(in_turn);
			bool		permitted;

			CHECK_FOR_INTERRUPTS();
			scope.id = *(pg_uuid_t *) lfirst(cell);
			permitted = list_length(question.concrete) == 1 ||
				seeme_answer(&asker.subject, seeme_places(&store, &scope), &question);
			MemoryContextSwitchTo(old);
			MemoryContextReset(in_turn);
			if (permitted)
				ids = lappend(ids, lfirst(cell));
		}
	}
	seeme_store_close(&store);
	PG_RETURN_ARRAYTYPE_P(seeme_uuid_array(ids));
}

/* Somebody who may hold something in an organization. */
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
	return memcmp(((const Candidate *) a)->user_id.data, ((const Candidate *) b)->user_id.data, UUID_LEN);
}

/* The owners and members of the organizations in which some places are, those of one person together. */
static void
find_candidates(SeemeStore *store, List *places, Candidates *candidates)
{
	SeemeSlots	seen = {0};
	ListCell   *cell;
	ListCell   *member;

	foreach(cell, places)
	{
		const pg_uuid_t *organization_id = &((SeemePlace *) lfirst(cell))->organization_id;
		pg_uuid_t	owner;

		if (seeme_slots_find(&seen, organization_id) != NULL)
			continue;
		seeme_slots_add(CurrentMemoryContext, &seen, organization_id, 1);
		if (seeme_read_owner(store, organization_id, &owner))
			add_candidate(candidates, &owner, organization_id);
		foreach(member, seeme_list_members(store, organization_id))
			add_candidate(candidates, lfirst(member), organization_id);
	}
	if (candidates->n > 0)
		qsort(candidates->list, candidates->n, sizeof(Candidate), compare_candidates);
}

/* Of more places than this, only those are looked at that may differ for a person. */
#define FEW_PLACES 8

/*
 * Visits everybody who may hold something in some places, each person once, with the places that
 * tell what they hold in any of them. What a visit allocates is gone after it.
 */
void
seeme_visit_candidates(SeemeStore *store, List *places, SeemeRoles *roles,
					   SeemeVisitCandidate visit, void *context)
{
	Candidates	candidates = {0};
	SeemePlaceIndex index;
	MemoryContext in_turn = AllocSetContextCreate(CurrentMemoryContext, "seeme_rbac candidate",
												  ALLOCSET_DEFAULT_SIZES);
	bool		many = list_length(places) > FEW_PLACES;

	find_candidates(store, places, &candidates);
	if (many)
		seeme_index_places(&index, places);
	for (Size i = 0, next; i < candidates.n; i = next)
	{
		pg_uuid_t  *user_id = &candidates.list[i].user_id;
		MemoryContext old = MemoryContextSwitchTo(in_turn);
		SeemeSubject subject;
		List	   *theirs = many ? NIL : places;

		CHECK_FOR_INTERRUPTS();
		seeme_subject_init(&subject, store, user_id);
		subject.roles = roles;
		for (next = i; next < candidates.n &&
			 seeme_uuid_equal(&candidates.list[next].user_id, user_id); next++)
			if (many)
				theirs = list_concat(theirs,
									 seeme_places_that_differ(&subject, &index,
															  candidates.list[next].organization_id));
		visit(context, &subject, theirs);
		MemoryContextSwitchTo(old);
		MemoryContextReset(in_turn);
	}
	MemoryContextDelete(in_turn);
}

/* Who holds what is asked. */
typedef struct Holders
{
	const SeemeQuestion *question;
	MemoryContext context;
	List	   *users;			/* of pg_uuid_t * */
} Holders;

static void
add_holder(void *context, SeemeSubject *subject, List *places)
{
	Holders    *holders = context;
	MemoryContext old;

	if (!seeme_answer(subject, places, holders->question))
		return;
	old = MemoryContextSwitchTo(holders->context);
	holders->users = lappend(holders->users, memcpy(palloc(sizeof(pg_uuid_t)), &subject->person.id,
													sizeof(pg_uuid_t)));
	MemoryContextSwitchTo(old);
}

/* Those who hold what is asked in some of the places: of pg_uuid_t *. */
static List *
who_holds(SeemeStore *store, List *places, const SeemeQuestion *question)
{
	SeemeRoles	roles = {CurrentMemoryContext};
	Holders		holders = {question, CurrentMemoryContext};

	seeme_visit_candidates(store, places, &roles, add_holder, &holders);
	return holders.users;
}

/*
 * seeme_permitted_users(permission text, organization, team, project, resource uuid, resource_type text) RETURNS SETOF uuid
 */
SEEME_FUNCTION(seeme_permitted_users, 6)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	char	   *code = seeme_code_argument(fcinfo, 0);
	SeemeStore	store;
	SeemeQuestion question;
	SeemeScope	scope;
	SeemeAsker	asker;
	List	   *places;
	ArrayType  *users;
	Datum	   *datums;
	int			n;
	List	   *permitted;

	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	seeme_store_open(&store);
	seeme_ask(&store, code, &question);
	seeme_scope_arguments(fcinfo, 1, &store, code, &scope);
	seeme_asker_init(&asker, &store);
	places = seeme_places(&store, &scope);
	permitted = who_holds(&store, seeme_places_told(&asker, NULL, places), &question);
	/* About oneself one is always told. */
	if (asker.is_identified && seeme_answer(&asker.subject, places, &question))
		permitted = lappend(permitted, &asker.subject.person.id);
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
