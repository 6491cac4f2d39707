/*
 * own_tables_support.c: what the planner is told of the functions in the policies of the
 * extension's own tables (functions/own_rows.c).
 *
 * Each function says whether a column is in a list of whoever is asking. So an index can look the
 * list up: seeme.is_member(organization => id) is id = ANY (seeme.member_organizations()). The
 * planner combines the parts of a policy in a BitmapOr, but only if each part has an index
 * condition. The support function also estimates how many rows a call lets through.
 *
 * As in support_function.c, estimates and the choice of a plan may depend on who is asking while it
 * is made. Nothing else may, because plans outlive identities. Throws nothing of its own.
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
#include "nodes/pathnodes.h"
#include "nodes/supportnodes.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/selfuncs.h"
#include "utils/syscache.h"

#include "core/compat.h"
#include "core/version.h"
#include "functions/own_rows.h"
#include "identity/provisioning.h"
#include "planner/check_expression.h"
#include "planner/fixed_columns.h"
#include "planner/support_function.h"

/* A list that covers more of a table is not looked up in an index: reading all of it is faster. */
#define MAX_PART 0.3

/*
 * To count the users that a principal sees, planning reads this many memberships at most, or as
 * many as the table has rows.
 */
#define MEMBERSHIPS_FOR_ESTIMATE 2000

/* An argument of a policy's function that is a column, and the list in which it is looked up. */
typedef struct ListedColumn
{
	const char *function;
	int			arg;
	bool		by_codes;		/* the first argument is the codes that are asked about */
	const char *list_function;
	SeemeOwnList list;
	SeemeScopeKind kind;
} ListedColumn;

static const ListedColumn listed_columns[] = {
	{"holds_throughout", 1, true, "organizations_held", SEEME_OWN_SCOPES, SEEME_SCOPE_ORGANIZATION},
	{"holds_below", 1, true, "teams_held", SEEME_OWN_SCOPES, SEEME_SCOPE_TEAM},
	{"holds_below", 2, true, "projects_held", SEEME_OWN_SCOPES, SEEME_SCOPE_PROJECT},
	{"is_member", 0, false, "member_organizations", SEEME_OWN_SCOPES, SEEME_SCOPE_ORGANIZATION},
	{"is_direct_member", 0, false, "member_teams", SEEME_OWN_SCOPES, SEEME_SCOPE_TEAM},
	{"is_direct_member", 1, false, "member_projects", SEEME_OWN_SCOPES, SEEME_SCOPE_PROJECT},
	{"has_effective_role", 0, false, "effective_roles", SEEME_OWN_ROLES, SEEME_NO_SCOPE},
	{"sees_user", 0, false, "users_seen", SEEME_OWN_USERS, SEEME_NO_SCOPE},
};

static bool
is_null(Node *node)
{
	return IsA(node, Const) && ((Const *) node)->constisnull;
}

static bool
is_function(Oid function, const char *wanted)
{
	char	   *name = get_func_name(function);

	return name != NULL && strcmp(name, wanted) == 0;
}

/* What a call looks up; NULL: its codes are not constant, or it names no scope, or two. */
static const ListedColumn *
listed_column(Oid function, List *args)
{
	char	   *name = get_func_name(function);
	const ListedColumn *found = NULL;

	if (name == NULL)
		return NULL;
	for (int i = 0; i < lengthof(listed_columns); i++)
	{
		const ListedColumn *listed = &listed_columns[i];

		if (strcmp(listed->function, name) != 0 || listed->arg >= list_length(args) ||
			is_null(list_nth(args, listed->arg)))
			continue;
		if (found != NULL ||
			(listed->by_codes && (!IsA(linitial(args), Const) || is_null(linitial(args)))))
			return NULL;
		found = listed;
	}
	return found;
}

/* The number of ids in the list; -1: unknown, or more than is worth counting. */
static int
count_listed(const ListedColumn *listed, List *args, double rows)
{
	SeemeOwnScopes scopes = {listed->kind, listed->by_codes};
	Datum	   *codes;
	bool	   *nulls;
	int			ncodes = 0;
	int			limit = Min(Max(rows, MEMBERSHIPS_FOR_ESTIMATE), PG_INT32_MAX);

	if (listed->by_codes)
		deconstruct_array(DatumGetArrayTypeP(((Const *) linitial(args))->constvalue), TEXTOID, -1,
						  false, TYPALIGN_INT, &codes, &nulls, &ncodes);
	scopes.codes = palloc(sizeof(char *) * Max(ncodes, 1));
	for (int i = 0; i < ncodes; i++)
		if (!nulls[i])
			scopes.codes[scopes.ncodes++] = TextDatumGetCString(codes[i]);
	return seeme_count_own(listed->list, &scopes, limit);
}

/* The column that a call is about; NULL: it is about something else. */
static Var *
column_of(const ListedColumn *listed, List *args)
{
	Node	   *column = list_nth(args, listed->arg);

	while (IsA(column, RelabelType))
		column = (Node *) ((RelabelType *) column)->arg;
	return IsA(column, Var) && ((Var *) column)->varlevelsup == 0 ? (Var *) column : NULL;
}

static RelOptInfo *
relation_of(PlannerInfo *root, Var *column)
{
	return column->varno < root->simple_rel_array_size ?
		root->simple_rel_array[column->varno] : NULL;
}

/* The number of distinct values of a column, and the part of rows in which it is null. */
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
selectivity(SupportRequestSelectivity *request)
{
	const ListedColumn *listed = listed_column(request->funcid, request->args);
	Var		   *column = listed == NULL ? NULL : column_of(listed, request->args);
	RelOptInfo *rel = column == NULL ? NULL : relation_of(request->root, column);
	double		distinct;
	double		null_part;
	int			n;

	/* What is archived is the exception. */
	if (listed == NULL && is_function(request->funcid, "is_in_use"))
		return 1.0;
	if (column == NULL)
		return 0.5;
	/* People mostly name a project, or a row, that they see. */
	if (rel != NULL && (seeme_is_fixed(rel, column->varattno) ||
						seeme_is_point_query(request->root, rel)))
		return 1.0;
	distinct = distinct_values(request->root, (Node *) column, request->varRelid, &null_part);
	n = count_listed(listed, request->args, rel == NULL ? 0 : rel->tuples);
	if (n < 0)
		return 0.5 * (1 - null_part);
	return Min((n + 0.1) / distinct, 1.0) * (1 - null_part);
}

/* The list function, in the schema of the function whose list it is; invalid if there is none. */
static Oid
list_function(const ListedColumn *listed, Oid function)
{
	Oid			types[1] = {TEXTARRAYOID};
	oidvector  *vector = buildoidvector(types, listed->by_codes ? 1 : 0);

	return GetSysCacheOid3(PROCNAMEARGSNSP, Anum_pg_proc_oid,
						   CStringGetDatum(listed->list_function), PointerGetDatum(vector),
						   ObjectIdGetDatum(get_func_namespace(function)));
}

/* What an index looks up in place of a call; NIL if that is not possible, or slower. */
static List *
index_condition(SupportRequestIndexCondition *request)
{
	List	   *args = IsA(request->node, FuncExpr) ? ((FuncExpr *) request->node)->args : NIL;
	IndexOptInfo *index = request->index;
	const ListedColumn *listed = args == NIL ? NULL : listed_column(request->funcid, args);
	ScalarArrayOpExpr *condition;
	List	   *list_args = NIL;
	double		distinct;
	double		null_part;
	Oid			equal;
	Oid			function;
	int			n;

	if (listed == NULL || request->indexarg != listed->arg || index->relam != BTREE_AM_OID ||
		!index->amsearcharray || index->indexkeys[request->indexcol] == 0)
		return NIL;
	/* The planner would believe that rows still come in the index's order. */
	if (request->indexcol > 0 && !SEEME_LATER_ARRAYS_KEEP_ORDER)
		return NIL;
	if (seeme_is_fixed(index->rel, index->indexkeys[request->indexcol]) ||
		seeme_is_point_query(request->root, index->rel))
		return NIL;
	equal = get_opfamily_member(index->opfamily[request->indexcol], UUIDOID, UUIDOID,
								BTEqualStrategyNumber);
	if (!OidIsValid(equal))
		return NIL;
	/* A role that provisions users sees every row. */
	if (listed->list == SEEME_OWN_USERS && seeme_provisions_users())
		return NIL;
	distinct = distinct_values(request->root, list_nth(args, listed->arg), 0, &null_part);
	n = count_listed(listed, args, index->rel->tuples);
	if (n < 0 || (n > distinct * MAX_PART && n > 1))
		return NIL;
	function = list_function(listed, request->funcid);
	if (!OidIsValid(function) || !seeme_user_may_execute(function))
		return NIL;

	if (listed->by_codes)
		list_args = list_make1(copyObject(linitial(args)));
	condition = makeNode(ScalarArrayOpExpr);
	condition->opno = equal;
	condition->opfuncid = get_opcode(equal);
	condition->useOr = true;
	condition->args = list_make2(list_nth(args, listed->arg),
								 makeFuncExpr(function, UUIDARRAYOID, list_args, InvalidOid,
											  InvalidOid, COERCE_EXPLICIT_CALL));
	condition->location = -1;
	/* Its processes could have different arrays: see support_function.c. */
	index->amcanparallel = false;
	request->lossy = false;
	return list_make1(condition);
}

/*
 * seeme.plan_own_rows(internal) RETURNS internal
 */
SEEME_FUNCTION_OF_ANY_VERSION(seeme_plan_own_rows)
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

		wanted->selectivity = selectivity(wanted);
		PG_RETURN_POINTER(wanted);
	}
	PG_RETURN_POINTER(NULL);
}
