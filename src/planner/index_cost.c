/*
 * index_cost.c: what an index scan by a list of permitted ids costs.
 *
 * In `project_id = ANY (seeme_permitted_projects('models:read'))`, the planner does not know the
 * length of the array. It assumes ten elements. Somebody with 200 projects causes 200 descents of
 * the index, so the scan looks far too cheap, and is combined with other indexes (BitmapAnd) where a
 * filter is faster. For its estimate of the rows, the planner runs the function and estimates each
 * id by itself, which takes longer than all the rest of planning. Both are known already: the
 * selectivity of seeme_has_permission() is the part of the rows, and the number of ids follows from
 * it.
 *
 * Owns the cost estimator of such an index. Must not change what a plan does, only what it is taken
 * to cost; nothing of what is made here becomes part of a plan.
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "catalog/pg_statistic.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "utils/array.h"
#include "utils/index_selfuncs.h"
#include "utils/lsyscache.h"
#include "utils/selfuncs.h"

#include "planner/index_cost.h"

/* Whether an index condition is `column = ANY (function)`, made by a support function of a call. */
static bool
is_list_of_ids(IndexClause *clause, RestrictInfo *condition)
{
	ScalarArrayOpExpr *any = (ScalarArrayOpExpr *) condition->clause;

	return clause->rinfo != condition && IsA(clause->rinfo->clause, FuncExpr) &&
		IsA(any, ScalarArrayOpExpr) && IsA(lsecond(any->args), FuncExpr);
}

/* The number of ids, given the part of the rows that they let through. */
static double
number_of_ids(PlannerInfo *root, Node *column, Selectivity part)
{
	VariableStatData variable;
	double		distinct;
	double		null_part = 0;
	bool		is_default;

	examine_variable(root, column, 0, &variable);
	distinct = get_variable_numdistinct(&variable, &is_default);
	if (HeapTupleIsValid(variable.statsTuple))
		null_part = ((Form_pg_statistic) GETSTRUCT(variable.statsTuple))->stanullfrac;
	ReleaseVariableStats(variable);
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
	double		ids = number_of_ids(root, linitial(any->args), part);
	Oid			array_type = exprType(lsecond(any->args));
	ScalarArrayOpExpr *known = makeNode(ScalarArrayOpExpr);
	RestrictInfo *result = makeNode(RestrictInfo);

	*known = *any;
	known->args = list_make2(linitial(any->args),
							 array_of_length(array_type, get_element_type(array_type),
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
