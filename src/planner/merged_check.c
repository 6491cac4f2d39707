/*
 * merged_check.c: two permissions in the same place, asked for by one call.
 *
 * An UPDATE goes by two policies: what may be read, and what may be updated; its new row by both again. PostgreSQL makes an
 * expression ready for each of these calls, and looks at the function's privileges, which takes ten times as long as a check.
 * Here is the call that asks both, and where the planner has it take the place of two. Nothing is asked more or less than by
 * the policies, nor at another time.
 *
 * Owns no state but which function that is. Decides nothing: it makes the two calls.
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
#include "planner/support_function.h"
#include "core/version.h"

/* The same arguments as those of seeme_has_permission, with one more code. */
#define NARGS (SEEME_NARGS + 1)

/*
 * seeme.has_both_permissions(permission text, other text, organization, team, project, resource uuid, resource_type text) RETURNS boolean
 *
 * What each of the two calls remembers is in fn_extra.
 */
SEEME_FUNCTION(seeme_has_both_permissions, 7)
{
	FmgrInfo   *functions = fcinfo->flinfo->fn_extra;
	LOCAL_FCINFO(call, SEEME_NARGS);
	bool		held = true;

	if (functions == NULL)
	{
		functions = MemoryContextAlloc(fcinfo->flinfo->fn_mcxt, 2 * sizeof(FmgrInfo));
		/* What is constant of this call is so of those. */
		functions[0] = functions[1] = *fcinfo->flinfo;
		fcinfo->flinfo->fn_extra = functions;
	}
	memcpy(&call->args[1], &fcinfo->args[2], sizeof(NullableDatum) * (SEEME_NARGS - 1));
	for (int i = 0; i < 2 && held; i++)
	{
		InitFunctionCallInfoData(*call, &functions[i], SEEME_NARGS, fcinfo->fncollation, NULL, NULL);
		call->args[SEEME_ARG_CODE] = fcinfo->args[i];
		held = DatumGetBool(seeme_has_permission(call));
	}
	PG_RETURN_BOOL(held);
}

/* The function above, in SQL; invalid if it is not there as it was made, or the current user may not call it. */
static Oid
find_has_both(void)
{
	static const Oid types[NARGS] = {TEXTOID, TEXTOID, UUIDOID, UUIDOID, UUIDOID, UUIDOID, TEXTOID};
	static Oid	known = InvalidOid;
	static uint64 known_under = 0;

	if (known_under != seeme_function_generation)
	{
		uint64		changes = seeme_function_generation;

		known = GetSysCacheOid3(PROCNAMEARGSNSP, Anum_pg_proc_oid, CStringGetDatum("has_both_permissions"),
								PointerGetDatum(buildoidvector(types, NARGS)),
								ObjectIdGetDatum(get_namespace_oid("seeme", true)));
		if (OidIsValid(known) && !seeme_is_function(known, seeme_has_both_permissions))
			known = InvalidOid;
		known_under = changes;
	}
	return OidIsValid(known) && seeme_may_execute(known) ? known : InvalidOid;
}

/* Two conditions as one, if both are calls about the same column; else NULL. */
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
	return (Expr *) makeFuncExpr(function, BOOLOID, lcons(linitial(call->args), list_copy(other->args)),
								 InvalidOid, call->inputcollid, COERCE_EXPLICIT_CALL);
}

/* A list of conditions in which one takes the place of two, if they are in it. */
static List *
with_both(List *conditions, RestrictInfo *first, RestrictInfo *second, RestrictInfo *both)
{
	if (!list_member_ptr(conditions, first) || !list_member_ptr(conditions, second))
		return conditions;
	return lcons(both, list_delete_ptr(list_delete_ptr(list_copy(conditions), first), second));
}

/*
 * The two calls that a table's policies begin with, if both may be made at once: nothing that a policy says comes before the
 * second one. A call of the query's own never takes part: it may tell by an error that there is a row, so policies come first.
 */
static bool
find_both(PlannerInfo *root, RelOptInfo *rel, RestrictInfo **first, RestrictInfo **second)
{
	ListCell   *cell;

	*first = *second = NULL;
	foreach(cell, rel->baserestrictinfo)
	{
		RestrictInfo *condition = lfirst(cell);

		if (condition->security_level >= root->qual_security_level)
			continue;
		if (*first == NULL || condition->security_level < (*first)->security_level)
		{
			*second = *first;
			*first = condition;
		}
		else if (*second == NULL || condition->security_level < (*second)->security_level)
			*second = condition;
	}
	return *second != NULL && !(*first)->pseudoconstant && !(*second)->pseudoconstant;
}

/*
 * Has two calls among a table's conditions made as one, where both are asked about each row that is found: not where an index
 * may do what one of them asks. Such a plan goes by who may call the function, and so by the role, as one with row security does.
 */
void
seeme_ask_for_both(PlannerInfo *root, RelOptInfo *rel)
{
	RestrictInfo *first;
	RestrictInfo *second;
	RestrictInfo *both;
	Expr	   *clause;
	ListCell   *cell;

	if (!root->parse->hasRowSecurity || !find_both(root, rel, &first, &second) ||
		!seeme_is_call((Node *) first->clause, rel->relid) ||
		!(seeme_is_fixed(rel, seeme_scope_column((FuncExpr *) first->clause)->varattno) || seeme_is_point_query(rel)))
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

/* The same for the checks of an UPDATE's new row, however the table is read: for two that come one after the other. */
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

		if (check->kind != WCO_RLS_UPDATE_CHECK || check->polname != NULL || list_length(condition) != 1 ||
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
