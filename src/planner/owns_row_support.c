/*
 * owns_row_support.c: the planner's support function of seeme.owns_row() and seeme.owns_child().
 *
 * For a call about an indexed column, the index condition is `owner = seeme.own_user_id(code)`. It
 * also has a selectivity.
 *
 * Throws nothing of its own, as support_function.c, and makes no more of a plan depend on who is
 * asking.
 */
#include "postgres.h"

#include "access/stratnum.h"
#include "catalog/pg_am.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "nodes/pathnodes.h"
#include "nodes/supportnodes.h"
#include "optimizer/optimizer.h"
#include "optimizer/plancat.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/selfuncs.h"
#include "utils/syscache.h"
#include "utils/typcache.h"

#include "core/compat.h"
#include "core/version.h"
#include "functions/ownership.h"
#include "planner/policy_arms.h"
#include "planner/check_expression.h"
#include "planner/fixed_columns.h"
#include "planner/parent_table.h"
#include "planner/support_function.h"

/*
 * The function seeme.own_user_id(text), in the schema of seeme.owns_row(); invalid: it is not
 * there, or the current user may not execute it.
 */
static Oid
own_user_id_function(Oid owns_row)
{
	Oid			types[1] = {TEXTOID};
	Oid			function;

	function = GetSysCacheOid3(PROCNAMEARGSNSP, Anum_pg_proc_oid, CStringGetDatum("own_user_id"),
							   PointerGetDatum(buildoidvector(types, 1)),
							   ObjectIdGetDatum(get_func_namespace(owns_row)));
	return OidIsValid(function) && seeme_user_may_execute(function) ? function : InvalidOid;
}

/* The condition `owner = seeme.own_user_id(code)`; NULL: it cannot be made. */
static OpExpr *
owner_comparison(Oid owns_row, List *args, Oid equal)
{
	Oid			function = own_user_id_function(owns_row);
	FuncExpr   *person;

	if (!OidIsValid(function))
		return NULL;
	person = makeFuncExpr(function, UUIDOID, list_make1(copyObject(list_nth(args, SEEME_ARG_CODE))),
						  InvalidOid, DEFAULT_COLLATION_OID, COERCE_EXPLICIT_CALL);
	return (OpExpr *) make_opclause(equal, BOOLOID, false,
									list_nth(args, seeme_owner_argument(args)),
									(Expr *) person, InvalidOid, InvalidOid);
}

/*
 * The index condition of a call. It is lossy where a row may lie somewhere, as each child may:
 * then the call stays as a filter, since the index does not know whether the owner belongs there.
 *
 * Unlike an array it needs no limits. It is one value, whose frequency the planner knows.
 */
static List *
owner_index_condition(SupportRequestIndexCondition *request)
{
	FuncExpr   *call = (FuncExpr *) request->node;
	IndexOptInfo *index = request->index;
	Oid			equal;
	OpExpr	   *condition;

	if (!IsA(call, FuncExpr) || seeme_owner_argument(call->args) < 0 ||
		request->indexarg != seeme_owner_argument(call->args) ||
		!IsA(list_nth(call->args, SEEME_ARG_CODE), Const) || index->relam != BTREE_AM_OID ||
		index->indexkeys[request->indexcol] == 0)
		return NIL;
	if (seeme_is_point_query(request->root, index->rel) ||
		seeme_is_fixed(index->rel, index->indexkeys[request->indexcol]))
		return NIL;
	equal = get_opfamily_member(index->opfamily[request->indexcol], UUIDOID, UUIDOID,
								BTEqualStrategyNumber);
	if (!OidIsValid(equal))
		return NIL;
	condition = owner_comparison(request->funcid, call->args, equal);
	if (condition == NULL)
		return NIL;
	set_opfuncid(condition);
	request->lossy = !seeme_arms_are_exact(seeme_find_arms((Node *) call, index->rel->relid));
	return list_make1(condition);
}

/*
 * The part of rows that the asking person owns: the frequency of this owner in the column. Owners
 * belong to where their rows lie, as a rule.
 */
static Selectivity
owner_selectivity(SupportRequestSelectivity *request)
{
	Node	   *owner = list_nth(request->args, seeme_owner_argument(request->args));
	OpExpr	   *condition;

	if (!IsA(list_nth(request->args, SEEME_ARG_CODE), Const))
		return DEFAULT_EQ_SEL;
	if (IsA(owner, Var) && ((Var *) owner)->varlevelsup == 0)
	{
		RelOptInfo *rel = seeme_table_of(request->root, (Var *) owner);

		if (rel != NULL && (seeme_is_point_query(request->root, rel) ||
							seeme_is_fixed(rel, ((Var *) owner)->varattno)))
			return 1.0;
	}
	condition = owner_comparison(request->funcid, request->args,
								 lookup_type_cache(UUIDOID, TYPECACHE_EQ_OPR)->eq_opr);
	if (condition == NULL)
		return DEFAULT_EQ_SEL;
	return restriction_selectivity(request->root, condition->opno, condition->args, InvalidOid,
								   request->varRelid);
}

/*
 * seeme.plan_owns_row(internal) RETURNS internal
 *
 * Both functions have it.
 */
SEEME_FUNCTION_OF_ANY_VERSION(seeme_plan_owns_row)
{
	Node	   *request = (Node *) PG_GETARG_POINTER(0);

	if (!seeme_version_fits())
		PG_RETURN_POINTER(NULL);
	if (IsA(request, SupportRequestIndexCondition))
		PG_RETURN_POINTER(owner_index_condition((SupportRequestIndexCondition *) request));
	if (IsA(request, SupportRequestSelectivity) &&
		!((SupportRequestSelectivity *) request)->is_join)
	{
		SupportRequestSelectivity *wanted = (SupportRequestSelectivity *) request;

		if (seeme_owner_argument(wanted->args) < 0)
			PG_RETURN_POINTER(NULL);
		wanted->selectivity = owner_selectivity(wanted);
		PG_RETURN_POINTER(wanted);
	}
	PG_RETURN_POINTER(NULL);
}
