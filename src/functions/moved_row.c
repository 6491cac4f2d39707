/*
 * moved_row.c: whether a row may leave the places where it lies.
 *
 * An UPDATE that changes a scope column takes the row out of a container. A person who may write
 * rows in both containers may not always do that: the row may leave an organization.
 *
 * Must not decide: evaluator.c does.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/builtins.h"

#include "core/evaluator.h"
#include "core/store.h"
#include "core/version.h"
#include "functions/arguments.h"
#include "functions/moved_row.h"
#include "functions/ownership.h"

static int
compare_organizations(const ListCell *a, const ListCell *b)
{
	return memcmp(seeme_place_organization(lfirst(a)), seeme_place_organization(lfirst(b)),
				  UUID_LEN);
}

/*
 * Whether a principal may move a row away from some places. The principal has to belong to each
 * of their organizations, and needs the permission in each one that the row leaves. Sorts both
 * lists, so that one pass is enough.
 */
static bool
may_leave(SeemePrincipal *principal, List *left, List *kept, const SeemePermissionSpec *spec)
{
	int			k = 0;

	list_sort(left, compare_organizations);
	list_sort(kept, compare_organizations);
	for (int i = 0, next; i < list_length(left); i = next)
	{
		SeemePlace *place = list_nth(left, i);
		List	   *there = NIL;

		CHECK_FOR_INTERRUPTS();
		for (next = i; next < list_length(left) &&
			 compare_organizations(list_nth_cell(left, i), list_nth_cell(left, next)) == 0; next++)
			there = lappend(there, list_nth(left, next));
		while (k < list_length(kept) &&
			   compare_organizations(list_nth_cell(kept, k), list_nth_cell(left, i)) < 0)
			k++;
		if (k < list_length(kept) &&
			compare_organizations(list_nth_cell(kept, k), list_nth_cell(left, i)) == 0)
		{
			if (!seeme_belongs_to(principal, place))
				return false;
		}
		else if (!seeme_evaluate_spec(principal, there, spec))
			return false;
	}
	return true;
}

/*
 * Whether whoever is asking may move a row. The call has the arguments of seeme.may_move_out();
 * the lists have further places that the row leaves, and that it keeps or gets.
 */
bool
seeme_may_leave_places(FunctionCallInfo fcinfo, SeemeStore *store, List *left, List *kept)
{
	SeemePermissionSpec spec;
	SeemePrincipal asking;
	SeemeScope	scope = {
		.resource_type = PG_ARGISNULL(1 + 2 * SEEME_NSCOPE_KINDS)
		? NULL
	: text_to_cstring(PG_GETARG_TEXT_PP(1 + 2 * SEEME_NSCOPE_KINDS))};
	bool		may;

	seeme_parse_permission(store, seeme_code_argument(fcinfo, 0), &spec);
	seeme_init_asking(&asking, store);
	may = !asking.is_refused;
	for (SeemeScopeKind kind = SEEME_NO_SCOPE + 1; kind <= SEEME_NSCOPE_KINDS && may; kind++)
	{
		int			old = kind;
		int			new = SEEME_NSCOPE_KINDS + kind;
		List	   *places;

		scope.kind = kind;
		if (!PG_ARGISNULL(new))
		{
			scope.id = *PG_GETARG_UUID_P(new);
			kept = list_concat(kept, seeme_find_places(store, &scope));
		}
		if (PG_ARGISNULL(old) || (!PG_ARGISNULL(new) &&
								  seeme_uuid_equal(PG_GETARG_UUID_P(old), PG_GETARG_UUID_P(new))))
			continue;
		scope.id = *PG_GETARG_UUID_P(old);
		places = seeme_find_places(store, &scope);
		/* A deleted container does not tell its organization. */
		if (places == NIL && kind != SEEME_SCOPE_RESOURCE)
			may = false;
		left = list_concat(left, places);
	}
	return may && may_leave(&asking, left, kept, &spec);
}

/*
 * seeme.may_move_out(permission text, organization, team, project, resource uuid,
 * new_organization, new_team, new_project, new_resource uuid, resource_type text) RETURNS boolean
 *
 * A column that keeps its value takes the row out of nothing. The answer tells nothing about
 * organizations to which whoever is asking does not belong.
 */
SEEME_FUNCTION(seeme_may_move_out, SEEME_MOVE_OUT_NARGS)
{
	SeemeStore	store;
	bool		may;

	seeme_store_open(&store);
	may = seeme_may_leave_places(fcinfo, &store, NIL, NIL);
	seeme_store_close(&store);
	PG_RETURN_BOOL(may);
}
