/*
 * support_function.c: what the planner is told of seeme_has_permission.
 *
 * Where a scope is an indexed column: that the call is the same as column = ANY (seeme_permitted_projects(code)), so that an
 * index can find the rows; and how many rows it will let through. Estimates, and with them the shape of a plan, may depend on
 * who is asking while it is made. Nothing else in a plan does, for plans outlive identities.
 *
 * Throws nothing of its own, and loads nothing large: it is called for each index of each query that is planned.
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
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/selfuncs.h"
#include "utils/syscache.h"

#include "planner/check_expression.h"
#include "core/invalidation.h"
#include "core/compat.h"
#include "cache/effective_permissions.h"
#include "functions/permitted.h"
#include "planner/support_function.h"
#include "core/version.h"

/* So many places are read for an estimate; who has more is taken to have many. */
#define PLACES_FOR_ESTIMATE 5000

/*
 * The planner estimates each id by itself, which takes a millisecond for a thousand or so. That is much for a query that
 * wants but a few rows, and finds them soon where a person sees much; and little for one that reads many.
 */
#define MAX_IDS_FOR_A_FEW_ROWS 1000
#define MAX_IDS 3000

/* A larger part of a table than this is read faster as a whole. */
#define MAX_PART_FOR_A_FEW_ROWS 0.05
#define MAX_PART 0.15

static char *
constant_text(Node *node)
{
	Const	   *constant = castNode(Const, node);

	return constant->constisnull ? NULL : TextDatumGetCString(constant->constvalue);
}

/* In how many scopes the asking person holds what a call asks; -1: too many to count, or not known. */
static int
count_permitted(List *args, int scope)
{
	if (!seeme_accept_invalidations())
		return -1;
	return seeme_count_permitted(scope, constant_text(list_nth(args, SEEME_ARG_CODE)),
								 constant_text(list_nth(args, SEEME_ARG_RESOURCE_TYPE)), PLACES_FOR_ESTIMATE);
}

/* Whether a condition on a table is an equality. That of a partition is a copy without what the planner knows of the table's. */
static bool
is_equality(RelOptInfo *rel, RestrictInfo *condition)
{
	OpExpr	   *clause = (OpExpr *) condition->clause;

	return IsA(clause, OpExpr) && list_length(clause->args) == 2 &&
		(condition->mergeopfamilies != NIL || (IS_OTHER_REL(rel) && get_mergejoin_opfamilies(clause->opno) != NIL));
}

/* The condition that says what a table's column is equal to, if that is known before the table is read; and the value. */
static RestrictInfo *
fixing_condition(RelOptInfo *rel, int column, Node **value)
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
			if (IsA(var, Var) && ((Var *) var)->varno == rel->relid && ((Var *) var)->varattno == column &&
				!contain_var_clause(list_nth(clause->args, 1 - side)))
			{
				*value = list_nth(clause->args, 1 - side);
				return condition;
			}
		}
	}
	return NULL;
}

bool
seeme_is_fixed(RelOptInfo *rel, int column)
{
	Node	   *value;

	return fixing_condition(rel, column, &value) != NULL;
}

/* Whether at most one row is looked for. */
bool
seeme_is_point_query(RelOptInfo *rel)
{
	ListCell   *cell;

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

/* The number of distinct values of a column, as far as statistics tell. */
static double
distinct_values(PlannerInfo *root, Node *column, int varRelid, double *null_part)
{
	VariableStatData variable;
	double		distinct;
	bool		is_default;

	examine_variable(root, column, varRelid, &variable);
	distinct = get_variable_numdistinct(&variable, &is_default);
	*null_part = HeapTupleIsValid(variable.statsTuple) ?
		((Form_pg_statistic) GETSTRUCT(variable.statsTuple))->stanullfrac : 0;
	ReleaseVariableStats(variable);
	return Max(distinct, 1);
}

/* The part of rows that a call lets through. */
static Selectivity
selectivity(PlannerInfo *root, List *args, int varRelid)
{
	int			scope = seeme_only_scope(args);
	Node	   *column;
	int			permitted;
	double		distinct;
	double		null_part;

	if (scope == 0)
		return 0.5;
	column = list_nth(args, scope);
	while (IsA(column, RelabelType))
		column = (Node *) ((RelabelType *) column)->arg;
	if (!IsA(column, Var) || ((Var *) column)->varlevelsup != 0)
		return 0.5;
	if (((Var *) column)->varno < root->simple_rel_array_size)
	{
		RelOptInfo *rel = root->simple_rel_array[((Var *) column)->varno];

		/* Who names a project, or a row, is likely to see it; and has not to be counted for. */
		if (rel != NULL && (seeme_is_fixed(rel, ((Var *) column)->varattno) || seeme_is_point_query(rel)))
			return 1.0;
	}
	permitted = count_permitted(args, scope);
	distinct = distinct_values(root, column, varRelid, &null_part);
	if (permitted < 0)
		return 0.5 * (1 - null_part);
	return Min((permitted + 0.1) / distinct, 1.0) * (1 - null_part);
}

/* The list function of a scope, in the schema of seeme_has_permission; invalid if there is none. */
static Oid
list_function(Oid has_permission, int scope)
{
	Oid			types[2] = {TEXTOID, TEXTOID};
	oidvector  *vector = buildoidvector(types, scope == SEEME_ARG_RESOURCE ? 2 : 1);

	return GetSysCacheOid3(PROCNAMEARGSNSP, Anum_pg_proc_oid, CStringGetDatum(seeme_scope_descriptors[scope].list_function),
						   PointerGetDatum(vector), ObjectIdGetDatum(get_func_namespace(has_permission)));
}

/* What an index can look up in place of a call; NIL if that would be wrong, or slower than asking for each row. */
static List *
index_condition(SupportRequestIndexCondition *request)
{
	List	   *args = IsA(request->node, FuncExpr) ? ((FuncExpr *) request->node)->args : NIL;
	int			scope = seeme_only_scope(args);
	IndexOptInfo *index = request->index;
	Oid			equal;
	Oid			function;
	int			permitted;
	double		distinct;
	double		null_part;
	bool		few = request->root->limit_tuples > 0;
	List	   *list_args;
	ScalarArrayOpExpr *condition;

	if (scope == 0 || request->indexarg != scope || index->relam != BTREE_AM_OID || !index->amsearcharray ||
		index->indexkeys[request->indexcol] == 0)
		return NIL;
	if (request->indexcol > 0 && !SEEME_LATER_ARRAYS_KEEP_ORDER)
		return NIL;
	if (seeme_is_fixed(index->rel, index->indexkeys[request->indexcol]) || seeme_is_point_query(index->rel))
		return NIL;
	equal = get_opfamily_member(index->opfamily[request->indexcol], UUIDOID, UUIDOID, BTEqualStrategyNumber);
	if (!OidIsValid(equal))
		return NIL;
	permitted = count_permitted(args, scope);
	if (permitted < 0 || permitted > (few ? MAX_IDS_FOR_A_FEW_ROWS : MAX_IDS))
		return NIL;
	distinct = distinct_values(request->root, list_nth(args, scope), 0, &null_part);
	if (permitted > distinct * (few ? MAX_PART_FOR_A_FEW_ROWS : MAX_PART) && permitted > 1)
		return NIL;
	function = list_function(request->funcid, scope);
	if (!OidIsValid(function) || !seeme_may_execute(function))
		return NIL;

	list_args = list_make1(copyObject(list_nth(args, SEEME_ARG_CODE)));
	if (scope == SEEME_ARG_RESOURCE)
		list_args = lappend(list_args, copyObject(list_nth(args, SEEME_ARG_RESOURCE_TYPE)));
	condition = makeNode(ScalarArrayOpExpr);
	condition->opno = equal;
	condition->opfuncid = get_opcode(equal);
	condition->useOr = true;
	condition->args = list_make2(list_nth(args, scope),
								 makeFuncExpr(function, UUIDARRAYOID, list_args, InvalidOid, DEFAULT_COLLATION_OID,
											  COERCE_EXPLICIT_CALL));
	condition->location = -1;

	/*
	 * The processes of a parallel scan of an index share their place in it: pages, before 17, and elements of their arrays from
	 * then on. One whose array is another passes over rows that its leader left to it; and it would be, if rights changed between.
	 */
	index->amcanparallel = false;
	request->lossy = false;
	return list_make1(condition);
}

/*
 * Has a row that an index found not asked about again by a bitmap scan's filter. An index scan leaves the filter out by itself,
 * for the condition is exact; a bitmap scan looks for the call among the conditions that the index was given, where it is not,
 * and then for one of the same equivalence class. So the call is in a class of its own, which is in no list and has no members.
 * It stays what is checked where the bitmap tells no more than the page.
 */
void
seeme_trust_index(RestrictInfo *check)
{
	if (check->parent_ec == NULL)
		check->parent_ec = makeNode(EquivalenceClass);
}

/*
 * Where a query says which scope its rows are of, has the call made once, about that scope, and not for each row. False where it
 * does not say so plainly.
 *
 * What kept rows of other scopes from the query's own conditions, which may tell what they see, is then the equality: so it is
 * asked before them, as the call was.
 */
bool
seeme_ask_once(PlannerInfo *root, RelOptInfo *rel, RestrictInfo *check)
{
	FuncExpr   *call = (FuncExpr *) check->clause;
	FuncExpr   *once;
	int			scope = seeme_only_scope(call->args);
	Node	   *value;
	RestrictInfo *equality = fixing_condition(rel, seeme_scope_column(call)->varattno, &value);

	/* Nothing but this operator says that the column is the value, bit by bit, and tells nothing. */
	if (equality == NULL || get_opcode(((OpExpr *) equality->clause)->opno) != F_UUID_EQ ||
		!(IsA(value, Const) || (IsA(value, Param) && ((Param *) value)->paramkind == PARAM_EXTERN)))
		return false;
	equality->security_level = check->security_level;
	once = makeNode(FuncExpr);
	*once = *call;
	once->args = list_copy(call->args);
	lfirst(list_nth_cell(once->args, scope)) = value;
	check->clause = (Expr *) once;
	check->pseudoconstant = true;
	root->hasPseudoConstantQuals = true;
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
	if (IsA(request, SupportRequestSelectivity) && !((SupportRequestSelectivity *) request)->is_join)
	{
		SupportRequestSelectivity *wanted = (SupportRequestSelectivity *) request;

		wanted->selectivity = selectivity(wanted->root, wanted->args, wanted->varRelid);
		PG_RETURN_POINTER(wanted);
	}
	PG_RETURN_POINTER(NULL);
}
