/*
 * support_function.c: the planner's support function of seeme_has_permission().
 *
 * For a call about an indexed column, the index condition is
 * `column = ANY (seeme_permitted_projects(code))`. It also has a selectivity.
 *
 * A plan may serve other people than the one for whom it was made. So estimates, and the shape of a
 * plan, may depend on the asking person; nothing else in a plan does.
 *
 * Throws nothing of its own and loads nothing large: the planner calls this for each index of each
 * query.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/stratnum.h"
#include "catalog/pg_am.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_statistic.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "nodes/pathnodes.h"
#include "nodes/supportnodes.h"
#include "optimizer/optimizer.h"
#include "optimizer/pathnode.h"
#include "optimizer/plancat.h"
#include "parser/parsetree.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/selfuncs.h"
#include "utils/syscache.h"

#include "cache/effective_permissions.h"
#include "core/compat.h"
#include "core/invalidation.h"
#include "core/version.h"
#include "functions/permitted.h"
#include "identity/identity.h"
#include "planner/check_expression.h"
#include "planner/column_statistics.h"
#include "planner/fixed_columns.h"
#include "planner/index_cost.h"
#include "planner/permitted_part.h"
#include "planner/statement.h"
#include "planner/support_function.h"

/* PostgreSQL's B-tree operators for UUIDs: uuid_ops, and its operator =. */
#define UUID_FAMILY 2968
#define UUID_EQUAL 2972

/*
 * With more ids than this there is no index condition: a scan of the table is faster, or a filter
 * if a query has a LIMIT. What fewer ids cost is in index_cost.c.
 */
#define MAX_IDS_FOR_A_FEW_ROWS 1000
#define MAX_IDS 3000

/* If a person sees a larger part of a table than this, a scan of the table is faster. */
#define MAX_PART_FOR_A_FEW_ROWS 0.05
#define MAX_PART 0.15

/* The table of a column; NULL: it is none of this query level. */
RelOptInfo *
seeme_table_of(PlannerInfo *root, Var *column)
{
	return column->varno < root->simple_rel_array_size ?
		root->simple_rel_array[column->varno] : NULL;
}

/*
 * The part of rows that a call about a column lets through, where the query does not fix the
 * column; and whether an index condition is faster than a filter.
 */
Selectivity
seeme_estimate_check(PlannerInfo *root, List *args, Var *column, bool *may_use_index)
{
	bool		few = root->limit_tuples > 0;
	int			permitted = seeme_number_permitted(args);
	double		null_part;
	double		distinct = seeme_distinct_values(root, column, &null_part);
	RangeTblEntry *rte = planner_rt_fetch(column->varno, root);
	double		part;

	*may_use_index = false;
	if (permitted < 0)
		return 0.5 * (1 - null_part);
	if (rte->rtekind == RTE_RELATION)
		part = seeme_permitted_part(rte->relid, column->varattno, rte->inh, args, permitted,
									distinct, null_part);
	else
		part = seeme_part_by_number(permitted, distinct);
	*may_use_index = permitted <= (few ? MAX_IDS_FOR_A_FEW_ROWS : MAX_IDS) &&
		(permitted <= 1 ||
		 permitted <= distinct * (few ? MAX_PART_FOR_A_FEW_ROWS : MAX_PART));
	return part * (1 - null_part);
}

/*
 * Whether an earlier condition of the table is a call about the same column. Whoever may update a
 * row may read it, as a rule: the two parts are not independent.
 */
static bool
is_later_call(RelOptInfo *rel, List *args, Node *column)
{
	ListCell   *cell;

	foreach(cell, rel->baserestrictinfo)
	{
		FuncExpr   *earlier = (FuncExpr *) lfirst_node(RestrictInfo, cell)->clause;

		if (!IsA(earlier, FuncExpr))
			continue;
		if (earlier->args == args)
			return false;
		if (seeme_is_call((Node *) earlier, rel->relid) &&
			equal(seeme_scope_column(earlier), column))
			return true;
	}
	return false;
}

/* The part of rows that a call of seeme_has_permission() lets through. */
static Selectivity
selectivity(PlannerInfo *root, List *args)
{
	int			scope = seeme_only_scope(args);
	Node	   *column;
	RelOptInfo *rel;
	bool		may_use_index;

	if (scope == 0)
		return 0.5;
	column = list_nth(args, scope);
	while (IsA(column, RelabelType))
		column = (Node *) ((RelabelType *) column)->arg;
	if (!IsA(column, Var) || ((Var *) column)->varlevelsup != 0)
		return 0.5;
	rel = seeme_table_of(root, (Var *) column);
	if (rel == NULL)
		return 0.5;
	/* A person who names a project, or a row, is likely to see it. Counting costs time. */
	if (seeme_is_point_query(root, rel) || seeme_is_fixed(rel, ((Var *) column)->varattno) ||
		seeme_has_fixed_base(root, rel, ((Var *) column)->varattno))
		return 1.0;
	if (is_later_call(rel, args, column))
		return 1.0;
	return seeme_estimate_check(root, args, (Var *) column, &may_use_index);
}

/* The function that lists the permitted ids of a scope; invalid: there is none. */
Oid
seeme_list_function(Oid has_permission, int scope)
{
	static struct
	{
		Oid			has_permission;
		Oid			list;
	}			known[SEEME_ARG_RESOURCE + 1];
	static uint64 known_under = 0;
	Oid			types[2] = {TEXTOID, TEXTOID};

	if (known_under != seeme_function_generation)
	{
		memset(known, 0, sizeof(known));
		known_under = seeme_function_generation;
	}
	if (known[scope].has_permission != has_permission)
	{
		uint64		changes = seeme_function_generation;
		oidvector  *vector = buildoidvector(types, scope == SEEME_ARG_RESOURCE ? 2 : 1);
		Oid			found;

		found = GetSysCacheOid3(PROCNAMEARGSNSP, Anum_pg_proc_oid,
								CStringGetDatum(seeme_scope_descriptors[scope].list_function),
								PointerGetDatum(vector),
								ObjectIdGetDatum(get_func_namespace(has_permission)));
		if (changes != seeme_function_generation)
			return found;
		known[scope].has_permission = has_permission;
		known[scope].list = found;
	}
	return known[scope].list;
}

/*
 * The operator of a family of B-tree operators that compares two UUIDs for equality. That of
 * PostgreSQL's own family is known: nobody can drop it.
 */
static Oid
equality_operator(Oid family)
{
	return family == UUID_FAMILY ? UUID_EQUAL
		: get_opfamily_member(family, UUIDOID, UUIDOID, BTEqualStrategyNumber);
}

/*
 * Whether an earlier condition of the table has a list of ids for the same column. UPDATE and
 * DELETE have two conditions: that of their own policy, and that of the policy of SELECT. Before
 * 17, PostgreSQL searches an index for each pair of the elements of two arrays.
 */
bool
seeme_is_later_list(IndexOptInfo *index, FuncExpr *call, int argument)
{
	ListCell   *cell;

	foreach(cell, index->rel->baserestrictinfo)
	{
		FuncExpr   *earlier = (FuncExpr *) lfirst_node(RestrictInfo, cell)->clause;

		if (earlier == call)
			return false;
		if (IsA(earlier, FuncExpr) && earlier->funcid == call->funcid &&
			equal(list_nth(earlier->args, argument), list_nth(call->args, argument)))
			return true;
	}
	return false;
}

/*
 * The index condition of a call of seeme_has_permission(); NIL if there is none, or a filter would
 * be faster.
 */
static List *
index_condition(SupportRequestIndexCondition *request)
{
	List	   *args = IsA(request->node, FuncExpr) ? ((FuncExpr *) request->node)->args : NIL;
	int			scope = seeme_only_scope(args);
	IndexOptInfo *index = request->index;
	Var		   *column;
	Oid			equal;
	Oid			function;
	bool		may_use_index;
	List	   *list_args;
	ScalarArrayOpExpr *condition;

	if (scope == 0 || request->indexarg != scope || index->relam != BTREE_AM_OID ||
		!index->amsearcharray || index->indexkeys[request->indexcol] == 0)
		return NIL;
	if (request->indexcol > 0 && !SEEME_LATER_ARRAYS_KEEP_ORDER)
		return NIL;
	column = list_nth(args, scope);
	while (IsA(column, RelabelType))
		column = (Var *) ((RelabelType *) column)->arg;
	if (!IsA(column, Var))
		return NIL;
	if (seeme_is_point_query(request->root, index->rel) ||
		seeme_is_fixed(index->rel, index->indexkeys[request->indexcol]) ||
		seeme_has_fixed_base(request->root, index->rel, index->indexkeys[request->indexcol]) ||
		seeme_is_later_list(index, (FuncExpr *) request->node, scope))
		return NIL;
	equal = equality_operator(index->opfamily[request->indexcol]);
	if (!OidIsValid(equal))
		return NIL;
	seeme_estimate_check(request->root, args, column, &may_use_index);
	if (!may_use_index)
		return NIL;
	function = seeme_list_function(request->funcid, scope);
	if (!OidIsValid(function) || !seeme_user_may_execute(function))
		return NIL;

	list_args = list_make1(copyObject(list_nth(args, SEEME_ARG_CODE)));
	if (scope == SEEME_ARG_RESOURCE)
		list_args = lappend(list_args, copyObject(list_nth(args, SEEME_ARG_RESOURCE_TYPE)));
	condition = makeNode(ScalarArrayOpExpr);
	condition->opno = equal;
	condition->opfuncid = equal == UUID_EQUAL ? F_UUID_EQ : get_opcode(equal);
	condition->useOr = true;
	condition->args = list_make2(list_nth(args, scope),
								 makeFuncExpr(function, UUIDARRAYOID, list_args, InvalidOid,
											  DEFAULT_COLLATION_OID, COERCE_EXPLICIT_CALL));
	condition->location = -1;

	/*
	 * No parallel scan of this index. Its processes share their position: the page, and from 17
	 * on the element of the array, too. Their arrays differ if rights change between two of them,
	 * and rows would be missed.
	 */
	index->amcanparallel = false;
	seeme_cost_by_ids(index);
	request->lossy = false;
	return list_make1(condition);
}

/*
 * Keeps a bitmap scan from re-evaluating a call on rows that an index already proved. A dummy
 * EquivalenceClass makes the planner treat the filter as implied by the index condition. An index
 * scan needs no such help. Only for a call whose index condition is exact.
 *
 * The call stays the recheck condition, for pages of which the bitmap has lost the rows.
 */
void
seeme_trust_index(RestrictInfo *check)
{
	if (check->parent_ec == NULL)
		check->parent_ec = makeNode(EquivalenceClass);
}

/*
 * Makes the call once, about the value with which an equality of the query compares the scope's
 * column. False: the operator is another, or the value is not known before the query runs.
 *
 * The equality then keeps hidden rows from the query's own conditions, which may leak. So it must
 * not be evaluated after them.
 */
bool
seeme_ask_once_about(PlannerInfo *root, RestrictInfo *check, OpExpr *equality, Node *value)
{
	FuncExpr   *call = (FuncExpr *) check->clause;
	FuncExpr   *once;

	/* This operator compares all bits, and is leakproof. */
	if ((equality->opfuncid != F_UUID_EQ && get_opcode(equality->opno) != F_UUID_EQ) ||
		!(IsA(value, Const) || (IsA(value, Param) && ((Param *) value)->paramkind == PARAM_EXTERN)))
		return false;
	once = makeNode(FuncExpr);
	*once = *call;
	once->args = list_copy(call->args);
	lfirst(list_nth_cell(once->args, seeme_only_scope(call->args))) = value;
	check->clause = (Expr *) once;
	check->pseudoconstant = true;
	root->hasPseudoConstantQuals = true;
	return true;
}

/*
 * With `project_id = $1` in the query, the call is made once, about $1, and not for each row. False
 * if the query has no such condition. The equality takes the security level of the call.
 */
bool
seeme_ask_once(PlannerInfo *root, RelOptInfo *rel, RestrictInfo *check)
{
	FuncExpr   *call = (FuncExpr *) check->clause;
	Node	   *value;
	RestrictInfo *equality = seeme_fixing_condition(rel, seeme_scope_column(call)->varattno,
													&value);

	if (equality == NULL ||
		!seeme_ask_once_about(root, check, (OpExpr *) equality->clause, value))
		return false;
	equality->security_level = check->security_level;
	return true;
}

/*
 * seeme.plan_has_permission(internal) RETURNS internal
 */
SEEME_FUNCTION_OF_ANY_VERSION(seeme_plan_has_permission)
{
	Node	   *request = (Node *) PG_GETARG_POINTER(0);

	if (!seeme_version_fits())
		PG_RETURN_POINTER(NULL);
	if (IsA(request, SupportRequestIndexCondition))
		PG_RETURN_POINTER(index_condition((SupportRequestIndexCondition *) request));
	if (IsA(request, SupportRequestSelectivity) &&
		!((SupportRequestSelectivity *) request)->is_join)
	{
		SupportRequestSelectivity *wanted = (SupportRequestSelectivity *) request;

		wanted->selectivity = selectivity(wanted->root, wanted->args);
		PG_RETURN_POINTER(wanted);
	}
	PG_RETURN_POINTER(NULL);
}
