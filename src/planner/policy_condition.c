/*
 * policy_condition.c: a policy of one call, as a condition of its table.
 *
 * Most policies are one call about one column: seeme_has_permission('models:read', project =>
 * project_id). Where the policy is no barrier (barrier.c), PostgreSQL could distribute the call
 * like the query's own conditions. That takes a tenth of the planning of a short query, and its
 * result is known: a RestrictInfo among the table's conditions. So it is made here at once. It is
 * the same RestrictInfo: the call is about this table alone, so it is evaluated where the table is
 * scanned, whatever outer joins are above.
 *
 * What PostgreSQL would ask the support function is filled in, too:
 *
 * - the cost;
 * - the selectivity;
 * - that there is no index condition. PostgreSQL compares each of the seven arguments with each
 *   column of each index, and does not with a condition of a higher security level. The call has
 *   such a level until the table's paths are made (paths.c puts it back).
 * - If the query names the scope (`project_id = $1`), the call is about that value and is made
 *   once.
 *
 * All but the cost depend on the query's conditions on the table. They are not distributed yet. So
 * this is done only where they are seen at a glance: in a query level of one table, with values
 * that are constants or parameters. Elsewhere PostgreSQL asks.
 *
 * Owns this RestrictInfo. Must not decide whether the policy is a barrier, nor keep anything.
 */
#include "postgres.h"

#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "optimizer/restrictinfo.h"
#include "parser/parsetree.h"
#include "utils/lsyscache.h"

#include "core/compat.h"
#include "planner/check_expression.h"
#include "planner/only_reads.h"
#include "planner/policy_condition.h"
#include "planner/statement.h"
#include "planner/fixed_columns.h"
#include "planner/support_function.h"

/* The column of a table that an operand is; 0: it is none. */
static AttrNumber
column_of(RelOptInfo *rel, Node *operand)
{
	Var		   *column;

	while (IsA(operand, RelabelType))
		operand = (Node *) ((RelabelType *) operand)->arg;
	column = (Var *) operand;
	return IsA(column, Var) && column->varno == rel->relid && column->varlevelsup == 0 ?
		column->varattno : 0;
}

static bool
is_value(Node *operand)
{
	while (IsA(operand, RelabelType))
		operand = (Node *) ((RelabelType *) operand)->arg;
	return IsA(operand, Const) || IsA(operand, Param);
}

/*
 * The columns that the conditions of a query compare with a value that is known before the table
 * is read; and the condition for one column. False: this is not seen at a glance.
 */
static bool
find_fixed_columns(RelOptInfo *rel, List *conditions, AttrNumber wanted, Bitmapset **columns,
				   OpExpr **fixes_wanted)
{
	ListCell   *cell;

	*columns = NULL;
	*fixes_wanted = NULL;
	foreach(cell, conditions)
	{
		OpExpr	   *condition = lfirst(cell);
		AttrNumber	left;
		AttrNumber	right;
		AttrNumber	column = 0;

		/* No other expression is an equality. */
		if (!IsA(condition, OpExpr) || list_length(condition->args) != 2 ||
			!seeme_is_equality_operator(condition->opno))
			continue;
		left = column_of(rel, linitial(condition->args));
		right = column_of(rel, lsecond(condition->args));
		if (left > 0 && is_value(lsecond(condition->args)))
			column = left;
		else if (right > 0 && is_value(linitial(condition->args)))
			column = right;
		if (column == 0)
			return false;
		*columns = bms_add_member(*columns, column);
		if (column == wanted && *fixes_wanted == NULL)
			*fixes_wanted = condition;
	}
	return true;
}

/* Whether a unique key is among these columns. */
static bool
has_key(RelOptInfo *rel, Bitmapset *columns)
{
	ListCell   *cell;

	foreach(cell, rel->indexlist)
	{
		IndexOptInfo *index = lfirst(cell);
		bool		fixed = index->unique && index->immediate && index->indpred == NIL;

		for (int i = 0; i < index->nkeycolumns && fixed; i++)
			fixed = index->indexkeys[i] > 0 && bms_is_member(index->indexkeys[i], columns);
		if (fixed)
			return true;
	}
	return false;
}

/* Whether an index has this column. */
static bool
has_index(RelOptInfo *rel, AttrNumber column)
{
	ListCell   *cell;

	foreach(cell, rel->indexlist)
	{
		IndexOptInfo *index = lfirst(cell);

		for (int i = 0; i < index->nkeycolumns; i++)
			if (index->indexkeys[i] == column)
				return true;
	}
	return false;
}

/* The value with which a condition compares its column. */
static Node *
value_of(RelOptInfo *rel, OpExpr *condition)
{
	return column_of(rel, linitial(condition->args)) > 0 ? lsecond(condition->args)
		: linitial(condition->args);
}

/*
 * Fills in what the support function would say, for a query level of this table alone. The
 * columns that are fixed are handed on to it: it may be asked about other calls.
 */
static void
fill_in(PlannerInfo *root, RelOptInfo *rel, RestrictInfo *check, FuncExpr *call, Var *column)
{
	SeemeStatement *statement = seeme_statement(root);
	Bitmapset  *fixed;
	OpExpr	   *fixes_column;
	bool		is_point;
	bool		may_use_index = false;

	if (!find_fixed_columns(rel, (List *) root->parse->jointree->quals, column->varattno, &fixed,
							&fixes_column))
		return;
	is_point = fixed != NULL && has_key(rel, fixed);
	seeme_note_fixed_columns(root, rel, column->varattno, fixed, is_point);
	statement->policy_of = rel;
	statement->policy = check;
	statement->policy_is_fixed = fixes_column != NULL;
	if (fixes_column != NULL && seeme_only_reads(root) &&
		seeme_ask_once_about(root, check, fixes_column, value_of(rel, fixes_column)))
	{
		check->eval_cost.startup = check->eval_cost.per_tuple;
		check->eval_cost.per_tuple = 0;
		return;
	}
	if (is_point || fixes_column != NULL || statement->has_fixed_base)
		check->norm_selec = 1.0;
	else
		check->norm_selec = seeme_estimate_check(root, call->args, column, &may_use_index);
	if (!may_use_index || !has_index(rel, column->varattno))
	{
		check->security_level = 1;
		rel->baserestrict_min_security = 0;
	}
}

/*
 * Adds the only call of a table's policy to the conditions of the table. It is the first of them.
 * Called before the query's conditions are distributed.
 */
void
seeme_add_condition(PlannerInfo *root, RelOptInfo *rel, FuncExpr *call)
{
	Var		   *column = seeme_scope_column(call);

	/*
	 * Made of the column, which is quicker to look through than the call: both have the same
	 * tables.
	 */
	RestrictInfo *check = seeme_make_restrictinfo(root, (Expr *) column, rel->relids);

	check->clause = (Expr *) call;
	check->eval_cost.startup = 0;
	check->eval_cost.per_tuple = seeme_cost_of(call->funcid) * cpu_operator_cost;
	rel->baserestrictinfo = lappend(rel->baserestrictinfo, check);
	rel->baserestrict_min_security = Min(rel->baserestrict_min_security, check->security_level);
	if (list_length(root->parse->jointree->fromlist) == 1 &&
		IsA(linitial(root->parse->jointree->fromlist), RangeTblRef) &&
		linitial_node(RangeTblRef, root->parse->jointree->fromlist)->rtindex == rel->relid)
		fill_in(root, rel, check, call, column);
}
