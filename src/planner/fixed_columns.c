/*
 * fixed_columns.c: the columns of a table that a query compares with a known value.
 *
 * `WHERE id = 7`: at most one row is read. `WHERE project_id = $1`: all rows are of one project.
 * Estimates and paths are others then.
 *
 * Remembers answers for the statement (statement.c). Must not know what a permission is.
 */
#include "postgres.h"

#include "access/table.h"
#include "access/transam.h"
#include "nodes/nodeFuncs.h"
#include "nodes/pathnodes.h"
#include "optimizer/optimizer.h"
#include "parser/parsetree.h"
#include "utils/lsyscache.h"

#include "core/generated_columns.h"
#include "planner/fixed_columns.h"
#include "planner/statement.h"

/*
 * Whether a condition on a table is an equality. The conditions of a partition are copies, and
 * their mergeopfamilies are not set.
 */
static bool
is_equality(RelOptInfo *rel, RestrictInfo *condition)
{
	OpExpr	   *clause = (OpExpr *) condition->clause;

	return IsA(clause, OpExpr) && list_length(clause->args) == 2 &&
		(condition->mergeopfamilies != NIL ||
		 (IS_OTHER_REL(rel) && get_mergejoin_opfamilies(clause->opno) != NIL));
}

/* Whether an operator is an equality by which rows can be merged. The last answers are kept. */
bool
seeme_is_equality_operator(Oid operator)
{
	static struct
	{
		Oid			operator;
		bool		is_equality;
	}			known[32];
	int			place = operator % lengthof(known);

	/* Those of PostgreSQL's own operator families are there for ever. */
	if (operator >= FirstUnpinnedObjectId)
		return get_mergejoin_opfamilies(operator) != NIL;
	if (known[place].operator != operator)
	{
		known[place].is_equality = get_mergejoin_opfamilies(operator) != NIL;
		known[place].operator = operator;
	}
	return known[place].is_equality;
}

/*
 * The condition `column = value`, if the value is known before the table is read; NULL: there is
 * none.
 */
RestrictInfo *
seeme_fixing_condition(RelOptInfo *rel, int column, Node **value)
{
	ListCell   *cell;

	foreach(cell, rel->baserestrictinfo)
	{
		RestrictInfo *condition = lfirst(cell);
		OpExpr	   *clause = (OpExpr *) condition->clause;

		if (!is_equality(rel, condition))
			continue;
		for (int side = 0; side < 2; side++)
		{
			Node	   *var = list_nth(clause->args, side);

			while (IsA(var, RelabelType))
				var = (Node *) ((RelabelType *) var)->arg;
			if (IsA(var, Var) && ((Var *) var)->varno == rel->relid &&
				((Var *) var)->varattno == column &&
				!contain_var_clause(list_nth(clause->args, 1 - side)))
			{
				*value = list_nth(clause->args, 1 - side);
				return condition;
			}
		}
	}
	return NULL;
}

/* Whether a query compares a column with a value that is known before the table is read. */
bool
seeme_is_fixed(RelOptInfo *rel, int column)
{
	Node	   *value;

	return seeme_fixing_condition(rel, column, &value) != NULL;
}

/*
 * Whether a query compares the columns from which a generated column is computed with such values:
 * `project_id = 7`, where project_uuid is generated from project_id. Then all of its rows have one
 * value there.
 */
bool
seeme_has_fixed_base(PlannerInfo *root, RelOptInfo *rel, int column)
{
	SeemeStatement *statement = seeme_statement(root);
	RangeTblEntry *rte = planner_rt_fetch(rel->relid, root);
	Relation	relation;
	Bitmapset  *base;
	int			number = -1;

	if (rte->rtekind != RTE_RELATION)
		return false;
	if (statement->generated_in == rel && statement->generated_column == column)
		return statement->has_fixed_base;
	/* The planner holds a lock on it. */
	relation = table_open(rte->relid, NoLock);
	base = seeme_base_columns(relation, column);
	table_close(relation, NoLock);
	statement->generated_in = rel;
	statement->generated_column = column;
	statement->has_fixed_base = base != NULL;
	while (statement->has_fixed_base && (number = bms_next_member(base, number)) >= 0)
		statement->has_fixed_base = seeme_is_fixed(rel, number);
	return statement->has_fixed_base;
}

static bool
is_point_query(RelOptInfo *rel)
{
	ListCell   *cell;

	if (rel->baserestrictinfo == NIL)
		return false;
	foreach(cell, rel->indexlist)
	{
		IndexOptInfo *index = lfirst(cell);
		bool		fixed = index->unique && index->immediate && index->indpred == NIL;

		for (int i = 0; i < index->nkeycolumns && fixed; i++)
			fixed = index->indexkeys[i] != 0 && seeme_is_fixed(rel, index->indexkeys[i]);
		if (fixed)
			return true;
	}
	return false;
}

/* Whether a query looks for at most one row, by a unique key. Once its conditions are there. */
bool
seeme_is_point_query(PlannerInfo *root, RelOptInfo *rel)
{
	SeemeStatement *statement = seeme_statement(root);

	if (statement->rel != rel)
	{
		statement->is_point_query = is_point_query(rel);
		statement->rel = rel;
	}
	return statement->is_point_query;
}

/*
 * Notes what is known of the columns of a table that the query fixes, before its conditions are
 * distributed: whether a unique key is among them, and whether they fix a generated column.
 */
void
seeme_note_fixed_columns(PlannerInfo *root, RelOptInfo *rel, int column, Bitmapset *fixed,
						 bool has_key)
{
	SeemeStatement *statement = seeme_statement(root);

	statement->rel = rel;
	statement->is_point_query = has_key;
	statement->generated_in = rel;
	statement->generated_column = column;
	statement->has_fixed_base = false;
	if (fixed != NULL && !has_key && !bms_is_member(column, fixed))
	{
		Relation	relation = table_open(planner_rt_fetch(rel->relid, root)->relid, NoLock);
		Bitmapset  *base = seeme_base_columns(relation, column);

		table_close(relation, NoLock);
		statement->has_fixed_base = base != NULL && bms_is_subset(base, fixed);
	}
}
