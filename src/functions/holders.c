/*
 * holders.c: everybody who holds something in a scope, and all that they hold there: the permission
 * matrix. It is the question of seeme_permitted_users (permitted.c), asked of each person once for
 * all codes, and answered to the same people. evaluator.c decides.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/tuplestore.h"

#include "core/codes.h"
#include "core/evaluator.h"
#include "core/store.h"
#include "core/uuid_hash.h"
#include "core/version.h"
#include "functions/arguments.h"
#include "functions/permitted.h"

/* The codes, and what each role covers of them: read once for everybody. */
typedef struct Matrix
{
	SeemeStore *store;
	MemoryContext context;
	int			ncodes;
	char	  **codes;
	Datum	   *texts;			/* the same codes */
	SeemeRoles	roles;
	SeemeSlots	numbers;		/* by role id: the place in the list, from 1 */
	List	   *covered;		/* of bool *, by code */
	ReturnSetInfo *result;
} Matrix;

static void
read_codes(Matrix *matrix)
{
	List	   *codes = seeme_list_codes(matrix->store);
	ListCell   *cell;

	matrix->codes = palloc(sizeof(char *) * Max(list_length(codes), 1));
	matrix->texts = palloc(sizeof(Datum) * Max(list_length(codes), 1));
	foreach(cell, codes)
	{
		matrix->codes[matrix->ncodes] = lfirst(cell);
		matrix->texts[matrix->ncodes++] = CStringGetTextDatum(lfirst(cell));
	}
}

/* Which codes the role of a membership covers. */
static const bool *
covered_by(Matrix *matrix, SeemeSubject *subject, const SeemeMembership *membership)
{
	SeemeSlot  *slot = seeme_slots_find(&matrix->numbers, &membership->role_id);
	SeemeRole  *role;
	bool	   *covered;
	MemoryContext old;

	if (slot != NULL)
		return list_nth(matrix->covered, slot->number - 1);
	old = MemoryContextSwitchTo(matrix->context);
	role = seeme_role_of(subject, membership);
	covered = palloc0(Max(matrix->ncodes, 1));
	for (int i = 0; i < matrix->ncodes && role != NULL; i++)
		covered[i] = seeme_covering_entry(role->ncodes, role->codes, matrix->codes[i]) != NULL;
	matrix->covered = lappend(matrix->covered, covered);
	seeme_slots_add(matrix->context, &matrix->numbers, &membership->role_id,
					list_length(matrix->covered));
	MemoryContextSwitchTo(old);
	return covered;
}

/* Adds what a subject holds in some places. An API key narrows it to its codes. */
static void
add_held(Matrix *matrix, SeemeSubject *subject, List *places, bool *held)
{
	ListCell   *cell;

	foreach(cell, places)
	{
		const SeemePlace *place = lfirst(cell);
		SeemeMembership *counting[SEEME_MAX_REACHING];
		bool		everything;
		int			n = seeme_counting(subject, seeme_standing_at(subject, place), place, counting,
									   &everything);

		CHECK_FOR_INTERRUPTS();
		for (int i = 0; i < matrix->ncodes; i++)
		{
			bool		holds = everything;

			for (int j = 0; j < n && !holds && !held[i]; j++)
				holds = covered_by(matrix, subject, counting[j])[i];
			held[i] = held[i] ||
				(holds && seeme_key_reaches(subject, &place->organization_id, matrix->codes[i]));
		}
	}
}

/* Returns one person, with what they hold; nobody who holds nothing. */
static void
put_holder(Matrix *matrix, const pg_uuid_t *user_id, const bool *held)
{
	Datum	   *texts = palloc(sizeof(Datum) * Max(matrix->ncodes, 1));
	Datum		values[2];
	bool		nulls[2] = {false, false};
	int			n = 0;

	for (int i = 0; i < matrix->ncodes; i++)
		if (held[i])
			texts[n++] = matrix->texts[i];
	if (n == 0)
		return;
	values[0] = UUIDPGetDatum(user_id);
	values[1] = PointerGetDatum(construct_array(texts, n, TEXTOID, -1, false, TYPALIGN_INT));
	tuplestore_putvalues(matrix->result->setResult, matrix->result->setDesc, values, nulls);
}

/* What the visit of candidates needs. */
typedef struct Visit
{
	Matrix	   *matrix;
	SeemeAsker *asker;
	List	   *asked;			/* the places that are asked about */
	bool		saw_asker;
} Visit;

static bool
is_asker(const Visit *visit, const pg_uuid_t *user_id)
{
	return visit->asker->is_identified &&
		seeme_uuid_equal(user_id, &visit->asker->subject.person.id);
}

static void
visit_candidate(void *context, SeemeSubject *subject, List *places)
{
	Visit	   *visit = context;
	bool	   *held = palloc0(Max(visit->matrix->ncodes, 1));

	add_held(visit->matrix, subject, places, held);
	if (is_asker(visit, &subject->person.id))
	{
		visit->saw_asker = true;
		add_held(visit->matrix, &visit->asker->subject, visit->asked, held);
	}
	put_holder(visit->matrix, &subject->person.id, held);
}

/*
 * seeme.holders(organization, team, project, resource uuid, resource_type text)
 * RETURNS TABLE (user_id uuid, permissions text[])
 */
SEEME_FUNCTION(seeme_holders, 5)
{
	SeemeStore	store;
	SeemeScope	scope;
	SeemeAsker	asker;
	Matrix		matrix = {&store, CurrentMemoryContext};
	Visit		visit = {&matrix, &asker};

	InitMaterializedSRF(fcinfo, 0);
	matrix.result = (ReturnSetInfo *) fcinfo->resultinfo;
	matrix.roles.context = CurrentMemoryContext;
	seeme_store_open(&store);
	seeme_scope_arguments(fcinfo, 0, &store, NULL, &scope);
	seeme_asker_init(&asker, &store);
	if (asker.is_identified)
		asker.subject.roles = &matrix.roles;
	visit.asked = seeme_places(&store, &scope);
	read_codes(&matrix);
	seeme_visit_candidates(&store, seeme_places_told(&asker, NULL, visit.asked), &matrix.roles,
						   visit_candidate, &visit);
	/* About oneself one is always told. */
	if (asker.is_identified && !visit.saw_asker)
	{
		bool	   *held = palloc0(Max(matrix.ncodes, 1));

		add_held(&matrix, &asker.subject, visit.asked, held);
		put_holder(&matrix, &asker.subject.person.id, held);
	}
	seeme_store_close(&store);
	return (Datum) 0;
}
