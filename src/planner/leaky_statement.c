/*
 * leaky_statement.c: whether anything in a statement may tell of rows that the asking person may
 * not see.
 *
 * Asked while one table of the statement is planned, before its policy becomes an ordinary
 * condition (barrier.c). Not only the conditions on this table count. `HAVING max(x) <~ 'a'` or
 * `WHERE s.x <~ 'a'` above a sub-select has an estimator, which calls <~ with the most common
 * values of x, for PostgreSQL follows a column down to its table. So all levels of the statement
 * are looked at, from the top, whatever level the table is in.
 *
 * Which expressions can meet a hidden row, or its statistics, once a policy is no barrier:
 *
 * - Conditions: WHERE, ON, HAVING (PostgreSQL moves HAVING without aggregates to WHERE), VALUES
 *   lists (a single row is pulled up into the expressions that use it). Judged at every level.
 * - Targets of sub-selects, of CTEs and of members of a UNION ALL, and the expressions of joined
 *   columns and of GROUP BY: a condition of the level above may be pushed down or pulled up, and
 *   then the target is what it is about. Judged.
 * - Sub-selects in a condition: evaluated for each row. EXISTS, IN and ALL are let pass where
 *   nothing in the sub-select but its conditions does anything (is_silent()). `d.x = (SELECT ...)`
 *   raises an error if there are two rows: not let pass.
 * - Targets of the top level, RETURNING, SET, LIMIT, what INSERT and ON CONFLICT evaluate,
 *   functions in FROM, window frames: evaluated above a scan, on rows that have passed all its
 *   quals, the policy among them. Grouping, sorting and PlaceHolderVars put expressions into the
 *   target lists of lower nodes, down to the scan's, but a node evaluates its targets after its
 *   quals. No estimator is given a target: for GROUP BY, DISTINCT and ORDER BY distinct values are
 *   counted, and no function is called. So these are not judged; sub-selects in them are, as levels
 *   of their own. A function in SQL in FROM is inlined later, and becomes a sub-select: judged as a
 *   whole.
 * - Policies of other tables: evaluated on those tables' own rows. Sub-selects in them are levels
 *   of the statement. In a sub-select of a condition they are judged as conditions: what they do
 *   would tell that a row was found.
 * - Virtual generated columns (18) are replaced by their expressions when a level is preprocessed.
 *   A level in which that is still to come is not let pass.
 *
 * Levels are looked at in the form in which they are. What is preprocessed already hangs on
 * root->parse of the top level and of each SubPlan (glob->subroots). A sub-select in FROM is
 * planned from a copy; the original remains in rte->subquery, so its constants are folded here.
 * A member of a set operation is planned in place: while the next member is planned, the query of
 * the one before has SubPlans and pulled-up sub-selects in it.
 * Whatever PostgreSQL makes of a level later only recombines what is judged here.
 *
 * Must not judge an expression (leakproof.c).
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_class.h"
#include "catalog/pg_language.h"
#include "catalog/pg_proc.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "optimizer/tlist.h"
#include "utils/syscache.h"

#include "core/compat.h"
#include "planner/check_expression.h"
#include "planner/leakproof.h"
#include "planner/leaky_statement.h"
#include "planner/statement.h"

/* A query level. */
typedef struct Level
{
	PlannerInfo *root;			/* for the judge: its Vars are those of root->parse */
	bool		is_top;			/* its targets are what the statement returns */
	bool		is_preprocessed;
	bool		is_in_condition;	/* it is evaluated for rows that may be hidden */
	List	  **checks;			/* for what may be evaluated before the first row */
} Level;

typedef struct SplitContext
{
	Level	   *level;
	bool		in_policy;
	bool		leaks;
} SplitContext;

static bool level_may_leak(Query *query, Level *level);
static bool sublevel_may_leak(Query *query, bool is_in_condition);
static bool member_may_leak(Query *query, PlannerInfo *parent, bool is_top, bool is_in_condition);
static bool members_may_leak(PlannerInfo *root, Level *level);
static bool may_leak(Node *expression, Level *level, bool in_policy);

/* Whether a LIMIT or OFFSET raises no error. A negative one does, once a row is asked for. */
static bool
is_good_limit(Node *count)
{
	return count == NULL ||
		(IsA(count, Const) && (((Const *) count)->constisnull ||
							   DatumGetInt64(((Const *) count)->constvalue) >= 0));
}

/*
 * Whether sorting or grouping by these clauses raises no error. Records are compared column by
 * column, and a column may be of a type that cannot be compared.
 */
static bool
is_good_order(Query *query, List *clauses)
{
	ListCell   *cell;

	foreach(cell, clauses)
	{
		SortGroupClause *clause = lfirst_node(SortGroupClause, cell);
		Node	   *column = get_sortgroupclause_expr(clause, query->targetList);

		if (!seeme_operator_is_privileged(clause->eqop) ||
			!seeme_comparison_is_harmless(exprType(column)))
			return false;
	}
	return true;
}

/*
 * Whether nothing in a sub-select can be noticed but its conditions, which are judged. Its targets
 * and its order are dropped or compared; it locks nothing, asks no other server, and raises no
 * error by what it returns, by how many rows, or by their order.
 */
static bool
is_silent(Query *query)
{
	ListCell   *cell;

	if (query->commandType != CMD_SELECT || query->hasAggs || query->hasWindowFuncs ||
		query->hasTargetSRFs || query->setOperations != NULL || query->rowMarks != NIL ||
		query->cteList != NIL || query->groupingSets != NIL ||
		!is_good_limit(query->limitCount) || !is_good_limit(query->limitOffset) ||
		!is_good_order(query, query->sortClause) || !is_good_order(query, query->groupClause) ||
		!is_good_order(query, query->distinctClause))
		return false;
	foreach(cell, query->rtable)
	{
		RangeTblEntry *rte = lfirst_node(RangeTblEntry, cell);

		if (!((rte->rtekind == RTE_RELATION && rte->relkind != RELKIND_FOREIGN_TABLE &&
			   rte->tablesample == NULL) ||
			  (rte->rtekind == RTE_SUBQUERY &&
			   (rte->subquery == NULL || is_silent(rte->subquery))) ||
			  rte->rtekind == RTE_JOIN || rte->rtekind == RTE_RESULT))
			return false;
	}
	return true;
}

static bool
is_own_call(Node *node, bool in_policy)
{
	return IsA(node, FuncExpr) &&
		(in_policy ? seeme_is_own_function(((FuncExpr *) node)->funcid) :
		 seeme_is_marked((FuncExpr *) node));
}

/* Whether there is something in an expression that the judge of expressions does not look at. */
static bool
needs_split(Node *node, void *in_policy)
{
	if (node == NULL)
		return false;
	switch (nodeTag(node))
	{
		case T_Var:
		case T_Const:
			return false;
		case T_SubLink:
		case T_SubPlan:
		case T_AlternativeSubPlan:
			return true;
		default:
			return is_own_call(node, *(bool *) in_policy) ||
				(!seeme_is_simple(node) &&
				 expression_tree_walker(node, needs_split, in_policy));
	}
}

static bool
passes_as_condition(SubLinkType type, Query *query)
{
	return (type == EXISTS_SUBLINK || type == ANY_SUBLINK || type == ALL_SUBLINK) &&
		is_silent(query);
}

/* An expression with what is judged here, and found harmless, taken out of it. */
static Node *
split(Node *node, void *arg)
{
	SplitContext *context = arg;

	if (node == NULL || context->leaks)
		return node;
	switch (nodeTag(node))
	{
		case T_Param:
			/* What a sub-select returns is a value that is compared, like any column. */
			if (((Param *) node)->paramkind == PARAM_SUBLINK)
			{
				Param	   *result = copyObject((Param *) node);

				result->paramkind = PARAM_EXEC;
				result->paramid = -1;
				return (Node *) result;
			}
			return node;
		case T_SubLink:
			{
				SubLink    *sublink = (SubLink *) node;
				Query	   *query = castNode(Query, sublink->subselect);

				context->leaks = !passes_as_condition(sublink->subLinkType, query) ||
					sublevel_may_leak(query, true) ||
					may_leak(sublink->testexpr, context->level, context->in_policy);
				break;
			}
		case T_SubPlan:
			{
				SubPlan    *plan = (SubPlan *) node;
				PlannerInfo *root = list_nth_node(PlannerInfo, context->level->root->glob->subroots,
												  plan->plan_id - 1);
				Level		level = {root, false, true, true, NULL};

				context->leaks = !passes_as_condition(plan->subLinkType, root->parse) ||
					level_may_leak(root->parse, &level) ||
					may_leak((Node *) plan->args, context->level, context->in_policy) ||
					may_leak(plan->testexpr, context->level, context->in_policy);
				break;
			}
		case T_AlternativeSubPlan:
			split(linitial(((AlternativeSubPlan *) node)->subplans), context);
			break;
		default:
			if (!is_own_call(node, context->in_policy))
				return expression_tree_mutator(node, split, context);
			context->leaks = may_leak((Node *) ((FuncExpr *) node)->args, context->level,
									  context->in_policy);
			break;
	}
	return (Node *) makeNullConst(exprType(node), -1, InvalidOid);
}

/* Whether evaluating an expression, or a list of them, may leak. */
static bool
may_leak(Node *expression, Level *level, bool in_policy)
{
	if (expression == NULL)
		return false;
	if (needs_split(expression, &in_policy))
	{
		SplitContext context = {level, in_policy, false};

		expression = split(expression, &context);
		if (context.leaks)
			return true;
	}
	if (level->checks != NULL)
		return seeme_may_leak_unless_checked(level->root, expression, level->checks);
	return seeme_may_leak(level->root, expression);
}

/* The same of what is not preprocessed, perhaps. */
static bool
raw_may_leak(Node *expression, Level *level, bool in_policy)
{
	if (expression != NULL && !level->is_preprocessed)
		expression = eval_const_expressions(NULL, expression);
	return may_leak(expression, level, in_policy);
}

/* Conditions: each by itself */
static bool
quals_may_leak(Node *quals, Level *level)
{
	ListCell   *cell;

	if (quals == NULL)
		return false;
	if (!level->is_preprocessed)
		quals = (Node *) make_ands_implicit((Expr *) eval_const_expressions(NULL, quals));
	/* NIL: nothing but true. */
	if (quals == NULL)
		return false;
	if (!IsA(quals, List))
		return may_leak(quals, level, false);
	foreach(cell, (List *) quals)
		if (may_leak(lfirst(cell), level, false))
		return true;
	return false;
}

static bool
join_tree_may_leak(Node *tree, Level *level)
{
	ListCell   *cell;

	if (tree == NULL || IsA(tree, RangeTblRef))
		return false;
	if (IsA(tree, JoinExpr))
	{
		JoinExpr   *join = (JoinExpr *) tree;
		Level		inside = *level;

		/* What an outer join or a semijoin asks for, it asks for some rows only. */
		if (join->jointype != JOIN_INNER)
			inside.checks = NULL;
		return quals_may_leak(join->quals, &inside) || join_tree_may_leak(join->larg, &inside) ||
			join_tree_may_leak(join->rarg, &inside);
	}
	if (quals_may_leak(castNode(FromExpr, tree)->quals, level))
		return true;
	foreach(cell, castNode(FromExpr, tree)->fromlist)
		if (join_tree_may_leak(lfirst(cell), level))
		return true;
	return false;
}

/*
 * Looks for sub-selects in what is evaluated on rows that were seen. Those that are planned already
 * are looked at elsewhere.
 */
static bool
sublinks_may_leak(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if (IsA(node, Query))
		return sublevel_may_leak((Query *) node, false);
	if (seeme_is_simple(node))
		return false;
	return expression_tree_walker(node, sublinks_may_leak, context);
}

/* Whether a function is written in SQL, and may become a sub-select. */
static bool
may_be_inlined(Node *function)
{
	HeapTuple	tuple;
	bool		is_sql;

	if (!IsA(function, FuncExpr))
		return false;
	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(((FuncExpr *) function)->funcid));
	is_sql = HeapTupleIsValid(tuple) && ((Form_pg_proc) GETSTRUCT(tuple))->prolang == SQLlanguageId;
	if (HeapTupleIsValid(tuple))
		ReleaseSysCache(tuple);
	return is_sql;
}

static bool
function_may_leak(RangeTblEntry *rte, Level *level)
{
	ListCell   *cell;

	foreach(cell, rte->functions)
	{
		Node	   *function = lfirst_node(RangeTblFunction, cell)->funcexpr;

		if (sublinks_may_leak(function, NULL) ||
			(may_be_inlined(function) && raw_may_leak(function, level, false)))
			return true;
	}
	return false;
}

static bool
policies_may_leak(List *elements, Level *level)
{
	ListCell   *cell;

	if (!level->is_in_condition)
		return sublinks_may_leak((Node *) elements, NULL);
	foreach(cell, elements)
		if (raw_may_leak(lfirst(cell), level, true))
		return true;
	return false;
}

static bool
entry_may_leak(RangeTblEntry *rte, Query *query, Level *level)
{
	if (rte->securityQuals != NIL && policies_may_leak(rte->securityQuals, level))
		return true;
	switch (rte->rtekind)
	{
		case RTE_RELATION:
			return (!level->is_preprocessed && seeme_has_virtual_columns(rte->relid)) ||
				sublinks_may_leak((Node *) rte->tablesample, NULL);
		case RTE_SUBQUERY:
			if (rte->subquery == NULL)
				return false;

			/*
			 * What a member of a UNION returns the statement returns: nothing above has a
			 * condition on it.
			 */
			if (query->setOperations != NULL)
				return member_may_leak(rte->subquery, level->root, level->is_top,
									   level->is_in_condition);
			return sublevel_may_leak(rte->subquery, level->is_in_condition);
		case RTE_FUNCTION:
			return function_may_leak(rte, level);
		case RTE_TABLEFUNC:
			return sublinks_may_leak((Node *) rte->tablefunc, NULL);
		case RTE_VALUES:
			return raw_may_leak((Node *) rte->values_lists, level, false);
		case RTE_JOIN:
			return raw_may_leak((Node *) rte->joinaliasvars, level, false);
		default:
			/* Preprocessing puts the expressions of GROUP BY where they are used. */
			return !level->is_preprocessed && (!level->is_top || query->havingQual != NULL) &&
				raw_may_leak((Node *) seeme_group_expressions(rte), level, false);
	}
}

/*
 * The parts of a query that are evaluated on rows that were seen, if the level above has no
 * condition on them.
 */
static bool
results_may_leak(Query *query, Level *level)
{
	if (!level->is_top)
		return raw_may_leak((Node *) query->targetList, level, false) ||
			raw_may_leak((Node *) query->returningList, level, false) ||
			sublinks_may_leak((Node *) query->onConflict, NULL) ||
			sublinks_may_leak((Node *) query->withCheckOptions, NULL) ||
			sublinks_may_leak((Node *) query->windowClause, NULL) ||
			sublinks_may_leak(query->limitOffset, NULL) ||
			sublinks_may_leak(query->limitCount, NULL);
	/* Without sub-selects there is nothing to look for. */
	if (!query->hasSubLinks)
		return false;
	return sublinks_may_leak((Node *) query->targetList, NULL) ||
		sublinks_may_leak((Node *) query->returningList, NULL) ||
		sublinks_may_leak((Node *) query->onConflict, NULL) ||
		sublinks_may_leak((Node *) query->withCheckOptions, NULL) ||
		sublinks_may_leak((Node *) query->windowClause, NULL) ||
		sublinks_may_leak(query->limitOffset, NULL) || sublinks_may_leak(query->limitCount, NULL);
}

static bool
level_may_leak(Query *query, Level *level)
{
	Level		without_checks = *level;
	ListCell   *cell;

	check_stack_depth();
	without_checks.checks = NULL;
	if (query->commandType == CMD_MERGE || query->commandType == CMD_UTILITY)
		return true;
	if (join_tree_may_leak((Node *) query->jointree, level) ||
		quals_may_leak(query->havingQual, &without_checks) ||
		results_may_leak(query, &without_checks))
		return true;
	foreach(cell, query->rtable)
		if (entry_may_leak(lfirst_node(RangeTblEntry, cell), query, &without_checks))
		return true;
	foreach(cell, query->cteList)
		if (sublevel_may_leak(castNode(Query, lfirst_node(CommonTableExpr, cell)->ctequery), false))
		return true;
	return false;
}

/* A level that is not preprocessed yet */
static bool
sublevel_may_leak(Query *query, bool is_in_condition)
{
	PlannerInfo root = {.type = T_PlannerInfo, .parse = query};
	Level		level = {&root, false, false, is_in_condition, NULL};

	return level_may_leak(query, &level);
}

/* The planned form of a member of a set operation; NULL before it is planned. */
static PlannerInfo *
planned_member(PlannerInfo *parent, Query *query)
{
	for (int i = 1; parent->simple_rel_array != NULL && i < parent->simple_rel_array_size; i++)
	{
		RelOptInfo *rel = parent->simple_rel_array[i];

		if (rel != NULL && rel->subroot != NULL && rel->subroot->parse == query)
			return rel->subroot;
	}
	return NULL;
}

/*
 * A member of a set operation. It may be planned, not planned yet, or in between: while one of its
 * own tables or sub-selects is planned. So a SubPlan in it must be found, by glob.
 */
static bool
member_may_leak(Query *query, PlannerInfo *parent, bool is_top, bool is_in_condition)
{
	PlannerInfo root = {.type = T_PlannerInfo, .parse = query, .glob = parent->glob};
	PlannerInfo *planned = planned_member(parent, query);
	Level		level = {&root, is_top, false, is_in_condition, NULL};

	if (planned == NULL)
		return level_may_leak(query, &level);
	level.root = planned;
	level.is_preprocessed = true;
	return level_may_leak(query, &level) || members_may_leak(planned, &level);
}

/*
 * Targets of the members of a UNION ALL that were pulled up: what conditions on the whole are
 * about.
 */
static bool
members_may_leak(PlannerInfo *root, Level *level)
{
	FromExpr   *tree = root->parse->jointree;
	ListCell   *cell;

	/* There are no conditions. */
	if (level->is_top && tree->quals == NULL && list_length(tree->fromlist) == 1 &&
		IsA(linitial(tree->fromlist), RangeTblRef))
		return false;
	foreach(cell, root->append_rel_list)
		if (may_leak((Node *) lfirst_node(AppendRelInfo, cell)->translated_vars, level, false))
		return true;
	return false;
}

static bool
statement_may_leak(PlannerInfo *top, bool is_preprocessed, List **checks)
{
	Level		level = {top, true, is_preprocessed, false, checks};
	ListCell   *cell;

	if (level_may_leak(top->parse, &level))
		return true;
	level.checks = NULL;
	if (members_may_leak(top, &level))
		return true;
	foreach(cell, top->glob->subroots)
	{
		PlannerInfo *subroot = lfirst_node(PlannerInfo, cell);

		level = (Level)
		{
			subroot, false, true, false, NULL
		};
		if (level_may_leak(subroot->parse, &level) || members_may_leak(subroot, &level))
			return true;
	}
	return false;
}

/*
 * Whether anything in the statement that root is part of may leak.
 *
 * Appends to *checks what is harmless only if it is evaluated once, before the first row of root is
 * read (seeme_may_leak_unless_checked()). There are such if root is the top level. A sub-select in
 * FROM, which is planned later, is below these checks, too.
 */
bool
seeme_statement_may_leak(PlannerInfo *root, List **checks)
{
	SeemeStatement *statement = seeme_statement(root);
	PlannerInfo *top = statement->top;

	if (statement->is_harmless)
		return false;

	/*
	 * A statement that may leak may not, once more of it is preprocessed: before another level is
	 * planned. Between two tables of a level nothing changes.
	 */
	if (statement->leaky == root)
		return true;
	seeme_planner_counters.statements_judged++;
	/* While a CTE or a sub-select of an expression is planned, the top is not preprocessed. */
	if (statement_may_leak(top, top == root, top == root ? checks : NULL))
	{
		/* Judging may plan other statements: it evaluates constants. */
		seeme_statement(root)->leaky = root;
		return true;
	}
	seeme_statement(root)->is_harmless = true;
	return false;
}
