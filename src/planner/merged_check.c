/*
 * merged_check.c: one call that checks two permissions in the same scope.
 *
 * An UPDATE needs two policies: one for reading a row, one for changing it. Both are checked again
 * for the new row. PostgreSQL prepares an expression for each of these calls and checks the
 * function's privileges. That takes ten times as long as a check. Here the planner replaces two
 * calls by one, seeme.has_both_permissions(). It checks what the two policies check, at the same
 * time.
 *
 * Only calls that policies make are merged (seeme_is_marked()). All policies of a table share one
 * security level (barrier.c), so their order does not matter.
 *
 * Owns what it keeps about that function. Decides nothing: it makes the two calls.
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "utils/builtins.h"
#include "utils/syscache.h"

#include "planner/merged_check.h"
#include "planner/check_expression.h"
#include "core/invalidation.h"
#include "core/compat.h"
#include "planner/fixed_columns.h"
#include "planner/support_function.h"
#include "core/version.h"

/* The same arguments as those of seeme_has_permission, with one more code. */
#define NARGS (SEEME_NARGS + 1)

/*
 * seeme.has_both_permissions(permission text, other text, organization, team, project,
 * resource uuid, resource_type text) RETURNS boolean
 *
 * fn_extra has the state of both call sites.
 */
SEEME_FUNCTION(seeme_has_both_permissions, 7)
{
	FmgrInfo   *functions = fcinfo->flinfo->fn_extra;

	LOCAL_FCINFO(call, SEEME_NARGS);
	bool		held = true;

	if (functions == NULL)
	{
		functions = MemoryContextAlloc(fcinfo->flinfo->fn_mcxt, 2 * sizeof(FmgrInfo));
		/* An argument that is constant in this call is constant in both. */
		functions[0] = functions[1] = *fcinfo->flinfo;
		fcinfo->flinfo->fn_extra = functions;
	}
	memcpy(&call->args[1], &fcinfo->args[2], sizeof(NullableDatum) * (SEEME_NARGS - 1));
	for (int i = 0; i < 2 && held; i++)
	{
		InitFunctionCallInfoData(*call, &functions[i], SEEME_NARGS, fcinfo->fncollation, NULL,
								 NULL);
		call->args[SEEME_ARG_CODE] = fcinfo->args[i];
		held = DatumGetBool(seeme_has_permission(call));
	}
	PG_RETURN_BOOL(held);
}

/*
 * The function above, in SQL. Invalid if it was dropped or altered, or if the current user may not
 * execute it.
 */
static Oid
find_has_both(void)
{
	static const Oid types[NARGS] = {TEXTOID, TEXTOID, UUIDOID, UUIDOID, UUIDOID, UUIDOID, TEXTOID};
	static Oid	known = InvalidOid;
	static uint64 known_under = 0;

	if (known_under != seeme_function_generation)
	{
		uint64		changes = seeme_function_generation;

		known = GetSysCacheOid3(PROCNAMEARGSNSP, Anum_pg_proc_oid,
								CStringGetDatum("has_both_permissions"),
								PointerGetDatum(buildoidvector(types, NARGS)),
								ObjectIdGetDatum(get_namespace_oid("seeme", true)));
		if (OidIsValid(known) && !seeme_is_function(known, seeme_has_both_permissions))
			known = InvalidOid;
		known_under = changes;
	}
	return OidIsValid(known) && seeme_user_may_execute(known) ? known : InvalidOid;
}

/* The call that replaces two calls, if both are about the same column; else NULL. */
static Expr *
as_one(Node *first, Node *second, Index relid)
{
	FuncExpr   *call = (FuncExpr *) first;
	FuncExpr   *other = (FuncExpr *) second;
	Oid			function;

	if (!seeme_is_call(first, relid) || !seeme_is_call(second, relid))
		return NULL;
	for (int i = SEEME_ARG_CODE + 1; i < SEEME_NARGS; i++)
		if (!equal(list_nth(call->args, i), list_nth(other->args, i)))
			return NULL;
	function = find_has_both();
	if (!OidIsValid(function))
		return NULL;
	return (Expr *) makeFuncExpr(function, BOOLOID,
								 lcons(linitial(call->args), list_copy(other->args)),
								 InvalidOid, call->inputcollid, COERCE_EXPLICIT_CALL);
}

/* The list with `both` in the place of `first` and `second`, if it has these. */
static List *
with_both(List *conditions, RestrictInfo *first, RestrictInfo *second, RestrictInfo *both)
{
	if (!list_member_ptr(conditions, first) || !list_member_ptr(conditions, second))
		return conditions;
	return lcons(both, list_delete_ptr(list_delete_ptr(list_copy(conditions), first), second));
}

/*
 * Finds two calls of the table's policies that need not wait for other conditions. A call in the
 * query itself is never merged: its error would reveal that there is a row.
 */
static bool
find_both(RelOptInfo *rel, RestrictInfo **first, RestrictInfo **second)
{
	ListCell   *cell;

	*first = *second = NULL;
	foreach(cell, rel->baserestrictinfo)
	{
		RestrictInfo *condition = lfirst(cell);

		if (condition->security_level > rel->baserestrict_min_security ||
			condition->pseudoconstant ||
			!seeme_is_call((Node *) condition->clause, rel->relid) ||
			!seeme_is_marked((FuncExpr *) condition->clause))
			continue;
		if (*first == NULL)
			*first = condition;
		else if (*second == NULL)
			*second = condition;
	}
	return *second != NULL;
}

/* Whether there are two calls among a table's conditions that may be merged. */
bool
seeme_has_two_checks(RelOptInfo *rel)
{
	RestrictInfo *first;
	RestrictInfo *second;

	return list_length(rel->baserestrictinfo) > 1 && find_both(rel, &first, &second);
}

/*
 * Merges two calls among a table's conditions, unless an index may be used for one of them. The
 * plan depends on the role, because the role must be allowed to execute the function. Every plan
 * with row security depends on the role.
 */
void
seeme_ask_for_both(PlannerInfo *root, RelOptInfo *rel)
{
	RestrictInfo *first;
	RestrictInfo *second;
	RestrictInfo *both;
	Expr	   *clause;
	ListCell   *cell;

	if (!find_both(rel, &first, &second) ||
		!(seeme_is_fixed(rel, seeme_scope_column((FuncExpr *) first->clause)->varattno) ||
		  seeme_is_point_query(root, rel)))
		return;
	clause = as_one((Node *) first->clause, (Node *) second->clause, rel->relid);
	if (clause == NULL)
		return;
	both = makeNode(RestrictInfo);
	*both = *first;
	both->clause = clause;
	rel->baserestrictinfo = with_both(rel->baserestrictinfo, first, second, both);
	foreach(cell, rel->indexlist)
	{
		IndexOptInfo *index = lfirst(cell);

		index->indrestrictinfo = with_both(index->indrestrictinfo, first, second, both);
	}
}

/* Merges two checks of an UPDATE's new row, if one follows the other. */
void
seeme_check_both(PlannerInfo *root, Index relid)
{
	WithCheckOption *first = NULL;
	ListCell   *cell;

	foreach(cell, root->parse->withCheckOptions)
	{
		WithCheckOption *check = lfirst_node(WithCheckOption, cell);
		List	   *condition = (List *) check->qual;
		Expr	   *both;

		if (check->kind != WCO_RLS_UPDATE_CHECK || check->polname != NULL ||
			list_length(condition) != 1 ||
			!seeme_is_call(linitial(condition), relid))
		{
			first = NULL;
			continue;
		}
		if (first == NULL)
		{
			first = check;
			continue;
		}
		both = as_one(linitial((List *) first->qual), linitial(condition), relid);
		if (both == NULL)
			return;
		first->qual = (Node *) list_make1(both);
		root->parse->withCheckOptions = list_delete_cell(root->parse->withCheckOptions, cell);
		return;
	}
}
