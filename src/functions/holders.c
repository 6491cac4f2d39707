/*
 * holders.c: every user who has a permission in a scope, with all that they have there: the rows of
 * the permission matrix.
 *
 * Tells the same as seeme_permitted_users (permitted.c) would for each code, to the same people,
 * but decides about each user once. Owns nothing. Must not decide otherwise than by evaluator.c.
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

/* The codes, and which of them each role covers: read once for all users. */
typedef struct Matrix
{
	SeemeStore *store;
	MemoryContext context;
	int			ncodes;
	char	  **codes;
	Datum	   *texts;			/* the same codes */
	SeemeRoleCache roles;
	SeemeUuidHash numbers;		/* by role id: the position in the list, from 1 */
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
covered_by(Matrix *matrix, SeemePrincipal *principal, const SeemeMembership *membership)
{
	SeemeUuidHashEntry *entry = seeme_uuid_hash_find(&matrix->numbers, &membership->role_id);
	SeemeRole  *role;
	bool	   *covered;
	MemoryContext old;

	if (entry != NULL)
		return list_nth(matrix->covered, entry->number - 1);
	old = MemoryContextSwitchTo(matrix->context);
	role = seeme_get_role(principal, membership);
	covered = palloc0(Max(matrix->ncodes, 1));
	for (int i = 0; i < matrix->ncodes && role != NULL; i++)
		covered[i] = seeme_covering_entry(role->ncodes, role->codes, matrix->codes[i]) != NULL;
	matrix->covered = lappend(matrix->covered, covered);
	seeme_uuid_hash_insert(matrix->context, &matrix->numbers, &membership->role_id,
						   list_length(matrix->covered));
	MemoryContextSwitchTo(old);
	return covered;
}

/* Adds the codes that a principal has in some places. */
static void
add_codes(Matrix *matrix, SeemePrincipal *principal, List *places, bool *has_code)
{
	ListCell   *cell;

	foreach(cell, places)
	{
		const SeemePlace *place = lfirst(cell);
		SeemeMembership *memberships[SEEME_NCONTAINERS];
		bool		everything;
		int			n = seeme_effective_memberships(principal,
													seeme_get_grants_at(principal, place), place,
													memberships, &everything);

		CHECK_FOR_INTERRUPTS();
		for (int i = 0; i < matrix->ncodes; i++)
		{
			bool		is_covered = everything;

			for (int j = 0; j < n && !is_covered && !has_code[i]; j++)
				is_covered = covered_by(matrix, principal, memberships[j])[i];
			has_code[i] = has_code[i] ||
				(is_covered && seeme_api_key_allows(principal, seeme_place_organization(place),
													matrix->codes[i]));
		}
	}
}

/* Returns the row of a user, unless the user has no code. */
static void
put_row(Matrix *matrix, const pg_uuid_t *user_id, const bool *has_code)
{
	Datum	   *texts = palloc(sizeof(Datum) * Max(matrix->ncodes, 1));
	Datum		values[2];
	bool		nulls[2] = {false, false};
	int			n = 0;

	for (int i = 0; i < matrix->ncodes; i++)
		if (has_code[i])
			texts[n++] = matrix->texts[i];
	if (n == 0)
		return;
	values[0] = UUIDPGetDatum(user_id);
	values[1] = PointerGetDatum(construct_array(texts, n, TEXTOID, -1, false, TYPALIGN_INT));
	tuplestore_putvalues(matrix->result->setResult, matrix->result->setDesc, values, nulls);
}

/* The visit of all candidates */
typedef struct Visit
{
	Matrix	   *matrix;
	SeemePrincipal *asking;
	bool		is_identified;
	List	   *places;			/* that are asked about */
	bool		saw_asking;
} Visit;

static void
visit_candidate(SeemePrincipal *principal, List *places, void *context)
{
	Visit	   *visit = context;
	bool	   *has_code = palloc0(Max(visit->matrix->ncodes, 1));

	add_codes(visit->matrix, principal, places, has_code);
	if (visit->is_identified &&
		seeme_uuid_equal(&principal->user.id, &visit->asking->user.id))
	{
		visit->saw_asking = true;
		add_codes(visit->matrix, visit->asking, visit->places, has_code);
	}
	put_row(visit->matrix, &principal->user.id, has_code);
}

/*
 * seeme.holders(organization, team, project, resource uuid, resource_type text)
 * RETURNS TABLE (user_id uuid, permissions text[])
 */
SEEME_FUNCTION(seeme_holders, 5)
{
	SeemeStore	store;
	SeemeScope	scope;
	SeemePrincipal asking;
	Matrix		matrix = {&store, CurrentMemoryContext};
	Visit		visit = {&matrix, &asking};

	InitMaterializedSRF(fcinfo, 0);
	matrix.result = (ReturnSetInfo *) fcinfo->resultinfo;
	matrix.roles.context = CurrentMemoryContext;
	seeme_store_open(&store);
	seeme_scope_arguments(fcinfo, 0, &store, NULL, &scope);
	visit.is_identified = seeme_init_asking(&asking, &store);
	asking.roles = &matrix.roles;
	visit.places = seeme_find_places(&store, &scope);
	read_codes(&matrix);
	seeme_visit_candidates(&store, seeme_visible_places(&asking, NULL, visit.places),
						   &matrix.roles, visit_candidate, &visit);
	/* Everybody is told about oneself. */
	if (visit.is_identified && !visit.saw_asking)
	{
		bool	   *has_code = palloc0(Max(matrix.ncodes, 1));

		add_codes(&matrix, &asking, visit.places, has_code);
		put_row(&matrix, &asking.user.id, has_code);
	}
	seeme_store_close(&store);
	return (Datum) 0;
}
