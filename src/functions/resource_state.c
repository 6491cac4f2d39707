/*
 * resource_state.c: what is recorded of codes and resources, by what is committed now.
 *
 * Policies and triggers call it, because the snapshot of a transaction may be older. Must not
 * decide: evaluator.c does.
 */
#include "postgres.h"

#include "utils/builtins.h"

#include "core/codes.h"
#include "core/evaluator.h"
#include "core/store.h"
#include "core/version.h"
#include "functions/arguments.h"

/*
 * seeme.check_code(code text) RETURNS void
 */
SEEME_FUNCTION(seeme_check_code, 1)
{
	SeemeStore	store;
	SeemePermissionSpec spec;

	seeme_store_open(&store);
	seeme_parse_permission(&store, seeme_code_argument(fcinfo, 0), &spec);
	seeme_store_close(&store);
	PG_RETURN_VOID();
}

/*
 * seeme.is_assigned(resource_type text, resource_id uuid) RETURNS boolean
 */
SEEME_FUNCTION(seeme_is_assigned, 2)
{
	SeemeStore	store;
	bool		assigned;

	seeme_store_open(&store);
	assigned = seeme_list_assignments(&store, PG_GETARG_UUID_P(1),
									  text_to_cstring(PG_GETARG_TEXT_PP(0)), 1) != NIL;
	seeme_store_close(&store);
	PG_RETURN_BOOL(assigned);
}

/*
 * seeme.is_retired(id uuid) RETURNS boolean
 */
SEEME_FUNCTION(seeme_is_retired, 1)
{
	SeemeStore	store;
	bool		retired;

	seeme_store_open(&store);
	retired = seeme_read_retired(&store, PG_GETARG_UUID_P(0));
	seeme_store_close(&store);
	PG_RETURN_BOOL(retired);
}

/*
 * seeme.was_released(resource_type text, resource_id uuid) RETURNS boolean
 */
SEEME_FUNCTION(seeme_was_released, 2)
{
	SeemeStore	store;
	bool		released;

	seeme_store_open(&store);
	released = seeme_read_released(&store, text_to_cstring(PG_GETARG_TEXT_PP(0)),
								   PG_GETARG_UUID_P(1), NULL);
	seeme_store_close(&store);
	PG_RETURN_BOOL(released);
}

/*
 * seeme.had_row(resource_type text, resource_id uuid) RETURNS boolean
 */
SEEME_FUNCTION(seeme_had_row, 2)
{
	SeemeStore	store;
	char	   *type = text_to_cstring(PG_GETARG_TEXT_PP(0));
	bool		had_row;
	bool		known;

	seeme_store_open(&store);
	known = seeme_read_had_row(&store, type, PG_GETARG_UUID_P(1), &had_row) ||
		seeme_read_released(&store, type, PG_GETARG_UUID_P(1), &had_row);
	seeme_store_close(&store);
	if (!known)
		PG_RETURN_NULL();
	PG_RETURN_BOOL(had_row);
}

/*
 * seeme.may_claim(permission text, resource_type text, resource uuid) RETURNS boolean
 */
SEEME_FUNCTION(seeme_may_claim, 3)
{
	SeemeStore	store;
	SeemePermissionSpec spec;
	SeemeScope	scope = {SEEME_SCOPE_RESOURCE, *PG_GETARG_UUID_P(2),
	text_to_cstring(PG_GETARG_TEXT_PP(1))};
	SeemePrincipal asking;
	List	   *places;
	bool		may;

	seeme_store_open(&store);
	seeme_parse_permission(&store, text_to_cstring(PG_GETARG_TEXT_PP(0)), &spec);
	places = seeme_find_places(&store, &scope);
	seeme_init_asking(&asking, &store);
	may = !asking.is_refused &&
		(places == NIL || seeme_evaluate_spec(&asking, places, &spec));
	seeme_store_close(&store);
	PG_RETURN_BOOL(may);
}
