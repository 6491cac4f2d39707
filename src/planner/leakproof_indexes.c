/*
 * leakproof_indexes.c: whether an expression has been evaluated for each row of a table already, by
 * an index of it.
 *
 * An index on `lower(email)` or `(data ->> 'size')::integer` has the value of each row that anybody
 * can see: a row for which the expression raises an error cannot be written, nor can the index be
 * made while there is one. So the error tells nothing.
 *
 * That holds of an index which every row has an entry in. Not of a partial index, of one that is
 * being built or that could not be built (indisvalid, indisready), of one that leaves out old
 * versions of rows which an old snapshot may still see (indcheckxmin), or of a parent's, where rows
 * of children are read too. A partitioned index stands for one of each partition, but for those
 * that are foreign tables.
 *
 * Owns that question alone. What else evaluating a function tells (a notice, a deeper recursion) is
 * leakproof_list.c's affair.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/transam.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_index.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "parser/parsetree.h"
#include "rewrite/rewriteManip.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/relcache.h"
#include "utils/snapmgr.h"

#include "planner/leakproof.h"

static bool
tells_more(Oid function, void *context)
{
	return seeme_leak_of_function(function) == SEEME_LEAKS;
}

/* Whether an expression has a part that may tell more than by an error. */
static bool
tells_more_than_errors(Node *node, void *context)
{
	if (node == NULL)
		return false;
	switch (nodeTag(node))
	{
		case T_Var:
		case T_Const:
		case T_FuncExpr:
		case T_BoolExpr:
		case T_CoerceViaIO:
		case T_RelabelType:
		case T_CollateExpr:
		case T_CaseExpr:
		case T_CaseWhen:
		case T_CaseTestExpr:
		case T_CoalesceExpr:
		case T_NullTest:
		case T_BooleanTest:
		case T_ArrayExpr:
		case T_List:
			break;
		case T_OpExpr:
		case T_DistinctExpr:
		case T_NullIfExpr:
			if (!seeme_operator_is_privileged(((OpExpr *) node)->opno))
				return true;
			break;
		case T_ScalarArrayOpExpr:
			if (!seeme_operator_is_privileged(((ScalarArrayOpExpr *) node)->opno))
				return true;
			break;
		default:
			return true;
	}
	return check_functions_in_node(node, tells_more, NULL) ||
		   expression_tree_walker(node, tells_more_than_errors, context);
}

/* The one table that an expression is about: its number in the query, or 0. */
static bool
find_table(Node *node, Index *rti)
{
	if (node == NULL)
		return false;
	if (IsA(node, Var))
	{
		Var		   *var = (Var *) node;

		if (var->varlevelsup != 0 || (*rti != 0 && *rti != var->varno))
			return true;
		*rti = var->varno;
		return false;
	}
	return expression_tree_walker(node, find_table, rti);
}

/* Whether a table's index says something of each of the rows that reading the table finds. */
static bool
indexes_cover(Relation table, bool with_children)
{
	List	   *children;
	ListCell   *cell;
	bool		cover = true;

	if (table->rd_rel->relkind == RELKIND_RELATION || table->rd_rel->relkind == RELKIND_MATVIEW)
		return !with_children;
	if (table->rd_rel->relkind != RELKIND_PARTITIONED_TABLE)
		return false;
	children = find_all_inheritors(RelationGetRelid(table), NoLock, NULL);
	foreach(cell, children)
	{
		char		kind = get_rel_relkind(lfirst_oid(cell));

		if (kind != RELKIND_RELATION && kind != RELKIND_PARTITIONED_TABLE)
			cover = false;
	}
	list_free(children);
	return cover;
}

/* Whether an index has an entry of each row that any snapshot of this transaction sees. */
static bool
is_complete(Relation index)
{
	return index->rd_index->indisvalid && index->rd_index->indisready &&
		   index->rd_index->indislive &&
		   heap_attisnull(index->rd_indextuple, Anum_pg_index_indpred, NULL) &&
		   !(index->rd_index->indcheckxmin &&
			 !TransactionIdPrecedes(HeapTupleHeaderGetXmin(index->rd_indextuple->t_data),
									TransactionXmin));
}

static bool
is_in_index(Relation index, Node *expression, Index rti)
{
	List	   *indexed;
	ListCell   *cell;

	if (heap_attisnull(index->rd_indextuple, Anum_pg_index_indexprs, NULL) || !is_complete(index))
		return false;
	indexed = RelationGetIndexExpressions(index);
	if (rti != 1)
		ChangeVarNodes((Node *) indexed, 1, rti, 0);
	foreach(cell, indexed)
	{
		Node	   *other = lfirst(cell);

		if (IsA(other, RelabelType))
			other = (Node *) ((RelabelType *) other)->arg;
		if (equal(other, expression))
			return true;
	}
	return false;
}

bool
seeme_is_indexed(PlannerInfo *root, Node *expression)
{
	Index		rti = 0;
	RangeTblEntry *rte;
	Relation	table;
	bool		found = false;

	if (find_table(expression, &rti) || rti == 0 || IS_SPECIAL_VARNO(rti))
		return false;
	rte = planner_rt_fetch(rti, root);
	if (rte->rtekind != RTE_RELATION || tells_more_than_errors(expression, NULL))
		return false;
	table = table_open(rte->relid, NoLock);
	if (table->rd_rel->relhasindex && indexes_cover(table, rte->inh))
	{
		List	   *indexes = RelationGetIndexList(table);
		ListCell   *cell;

		foreach(cell, indexes)
		{
			Relation	index = index_open(lfirst_oid(cell), AccessShareLock);

			found = is_in_index(index, expression, rti);
			index_close(index, NoLock);
			if (found)
				break;
		}
		list_free(indexes);
	}
	table_close(table, NoLock);
	return found;
}
