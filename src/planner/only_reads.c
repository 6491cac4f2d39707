/*
 * only_reads.c: whether a statement does nothing but read.
 *
 * Then nothing happens between two rows, and several of them can be decided at once (paths.c).
 *
 * Remembers the answer for the statement (statement.c). Must not know what a permission is.
 */
#include "postgres.h"

#include "nodes/nodeFuncs.h"
#include "nodes/pathnodes.h"

#include "planner/check_expression.h"
#include "planner/only_reads.h"
#include "planner/statement.h"

/*
 * Whether the expressions of a query that reads are all in its targets, conditions and limits, as
 * those of most queries are.
 */
static bool
has_tables_only(Query *query)
{
	ListCell   *cell;

	if (query->cteList != NIL || query->setOperations != NULL || query->windowClause != NIL)
		return false;
	foreach(cell, query->rtable)
	{
		RangeTblEntry *rte = lfirst_node(RangeTblEntry, cell);

		if (rte->rtekind != RTE_RELATION || rte->tablesample != NULL || rte->securityQuals != NIL)
			return false;
	}
	return true;
}

/* Whether a query, or a query in it, changes or locks rows, or calls a volatile function. */
static bool
does_more_than_read(Node *node, void *context)
{
	ListCell   *cell;

	if (node == NULL)
		return false;
	switch (nodeTag(node))
	{
			/* The most frequent nodes */
		case T_Var:
		case T_Const:
		case T_Param:
		case T_RangeTblRef:
			return false;
		case T_List:
			foreach(cell, (List *) node)
			{
				Node	   *element = lfirst(cell);

				if (element != NULL && IsA(element, TargetEntry))
					element = (Node *) ((TargetEntry *) element)->expr;
				if (!seeme_is_leaf(element) && does_more_than_read(element, context))
					return true;
			}
			return false;
		case T_FromExpr:
			return does_more_than_read((Node *) ((FromExpr *) node)->fromlist, context) ||
				does_more_than_read(((FromExpr *) node)->quals, context);
		case T_FuncExpr:
			return seeme_is_volatile(((FuncExpr *) node)->funcid, NULL) ||
				does_more_than_read((Node *) ((FuncExpr *) node)->args, context);
		case T_Query:
			if (((Query *) node)->commandType != CMD_SELECT || ((Query *) node)->rowMarks != NIL)
				return true;
			if (has_tables_only((Query *) node))
				return does_more_than_read((Node *) ((Query *) node)->targetList, context) ||
					does_more_than_read((Node *) ((Query *) node)->jointree, context) ||
					does_more_than_read(((Query *) node)->havingQual, context) ||
					does_more_than_read(((Query *) node)->limitOffset, context) ||
					does_more_than_read(((Query *) node)->limitCount, context);
			return query_tree_walker((Query *) node, does_more_than_read, context, 0);
		default:
			break;
	}
	return check_functions_in_node(node, seeme_is_volatile, NULL) || IsA(node, NextValueExpr) ||
		expression_tree_walker(node, does_more_than_read, context);
}

static bool
any_does_more_than_read(PlannerInfo *top)
{
	ListCell   *cell;

	foreach(cell, top->glob->subroots)
		if (does_more_than_read((Node *) lfirst_node(PlannerInfo, cell)->parse, NULL))
		return true;
	return does_more_than_read((Node *) top->parse, NULL);
}

/*
 * Whether nothing happens between two rows of a query but the start of another run of the executor
 * (a cursor's next FETCH). Sub-selects in expressions that are planned already have a root of their
 * own.
 */
bool
seeme_only_reads(PlannerInfo *root)
{
	SeemeStatement *statement = seeme_statement(root);

	/* Between two tables of a query level nothing of this changes. */
	if (statement->walked != root)
	{
		seeme_planner_counters.statements_walked++;
		statement->only_reads = !any_does_more_than_read(statement->top);
		statement->walked = root;
	}
	return statement->only_reads;
}
