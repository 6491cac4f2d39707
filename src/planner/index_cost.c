/*
 * index_cost.c: what an index scan by a list of permitted ids costs.
 *
 * In `project_id = ANY (seeme_permitted_projects('models:read'))`, the planner does not know the
 * length of the array. It assumes ten elements. A person with 200 projects causes 200 descents of
 * the index. So the scan looks far too cheap, and PostgreSQL combines it with other indexes
 * (BitmapAnd) although a filter is faster. To estimate the number of rows, the planner would run
 * the function and estimate each id by itself, which takes longer than the rest of planning. Both
 * numbers are known already: the selectivity of seeme_has_permission() gives the rows, and the ids
 * were counted for it.
 *
 * Owns the cost estimator of such an index. Must not change what a plan does, only its estimated
 * cost. No node that is made here becomes part of a plan.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "utils/array.h"
#include "utils/index_selfuncs.h"
#include "utils/lsyscache.h"

#include "planner/check_expression.h"
#include "planner/column_statistics.h"
#include "planner/index_cost.h"
#include "planner/permitted_part.h"

/* Whether an index condition is `column = ANY (function)`, made by a support function of a call. */
static bool
is_list_of_ids(IndexClause *clause, RestrictInfo *condition)
{
	ScalarArrayOpExpr *any = (ScalarArrayOpExpr *) condition->clause;
	Node	   *list;

	if (clause->rinfo == condition || !IsA(clause->rinfo->clause, FuncExpr) ||
		!IsA(any, ScalarArrayOpExpr))
		return false;
	list = lsecond(any->args);
	/* A list of varchar is compared as one of text. */
	if (IsA(list, RelabelType))
		list = (Node *) ((RelabelType *) list)->arg;
	return IsA(list, FuncExpr);
}

/*
 * The number of ids. That of a call of seeme_has_permission() was counted. Elsewhere it follows
 * from the part of the rows that the ids let through.
 */
static double
number_of_ids(PlannerInfo *root, Node *call, Node *column, Selectivity part)
{
	double		distinct;
	double		null_part;
	int			counted;

	while (IsA(column, RelabelType))
		column = (Node *) ((RelabelType *) column)->arg;
	if (seeme_is_call(call, castNode(Var, column)->varno) &&
		(counted = seeme_number_permitted(((FuncExpr *) call)->args)) >= 0)
		return counted;
	distinct = seeme_distinct_values(root, castNode(Var, column), &null_part);
	return null_part < 1 ? rint(part / (1 - null_part) * distinct) : 0;
}

/* An array of nulls. The planner looks at its length alone. */
static Const *
array_of_length(Oid array_type, Oid element_type, int length)
{
	Size		size = ARR_OVERHEAD_WITHNULLS(1, length);
	ArrayType  *array = palloc0(size);

	SET_VARSIZE(array, size);
	array->ndim = 1;
	array->dataoffset = size;
	array->elemtype = element_type;
	ARR_DIMS(array)[0] = length;
	ARR_LBOUND(array)[0] = 1;
	return makeConst(array_type, -1, InvalidOid, -1, PointerGetDatum(array), false, false);
}

/* The same condition with an array of known length, and with a known selectivity. */
static RestrictInfo *
with_known_length(PlannerInfo *root, IndexClause *clause, RestrictInfo *condition)
{
	ScalarArrayOpExpr *any = (ScalarArrayOpExpr *) condition->clause;
	Selectivity part = clause_selectivity(root, (Node *) clause->rinfo, 0, JOIN_INNER, NULL);
	double		ids = number_of_ids(root, (Node *) clause->rinfo->clause,
									linitial(any->args), part);
	Oid			array_type = exprType(lsecond(any->args));
	ScalarArrayOpExpr *known = makeNode(ScalarArrayOpExpr);
	RestrictInfo *result = makeNode(RestrictInfo);

	*known = *any;
	known->args = list_make2(linitial(any->args),
							 array_of_length(array_type, array_type == UUIDARRAYOID ? UUIDOID
											 : get_element_type(array_type),
											 (int) Min(Max(ids, 1), 1000000)));
	*result = *condition;
	result->clause = (Expr *) known;
	result->norm_selec = result->outer_selec = part;
	return result;
}

static void
cost_estimate(PlannerInfo *root, IndexPath *path, double loop_count, Cost *startup_cost,
			  Cost *total_cost, Selectivity *selectivity, double *correlation, double *pages)
{
	IndexPath	known = *path;
	ListCell   *clause_cell;

	known.indexclauses = NIL;
	foreach(clause_cell, path->indexclauses)
	{
		IndexClause *clause = lfirst(clause_cell);
		IndexClause *copy = makeNode(IndexClause);
		ListCell   *condition_cell;

		*copy = *clause;
		copy->indexquals = NIL;
		foreach(condition_cell, clause->indexquals)
		{
			RestrictInfo *condition = lfirst(condition_cell);

			copy->indexquals = lappend(copy->indexquals,
									   is_list_of_ids(clause, condition) ?
									   with_known_length(root, clause, condition) : condition);
		}
		known.indexclauses = lappend(known.indexclauses, copy);
	}
	btcostestimate(root, &known, loop_count, startup_cost, total_cost, selectivity, correlation,
				   pages);
}

void
seeme_cost_by_ids(IndexOptInfo *index)
{
	if (index->amcostestimate == btcostestimate)
		index->amcostestimate = cost_estimate;
}
