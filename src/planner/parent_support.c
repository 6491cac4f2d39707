/*
 * parent_support.c: the planner's support function of seeme.parent_has_permission().
 *
 * For a call about an indexed column, the index condition is `parent_id = ANY (
 * seeme.permitted_parents(code, child, parent))`, if that list is short. It also has a selectivity.
 * Both rest on how many scopes the asking person is permitted, and on the statistics of the
 * parent's scope columns: a part of the parents is a like part of the children.
 *
 * Owns the list, and its call sites. Throws nothing of its own where it plans, as
 * support_function.c, and makes no more of a plan depend on who is asking.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/stratnum.h"
#include "access/table.h"
#include "catalog/pg_am.h"
#include "catalog/pg_class.h"
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
#include "storage/bufmgr.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/syscache.h"

#include "core/compat.h"
#include "core/invalidation.h"
#include "core/version.h"
#include "functions/arguments.h"
#include "functions/check.h"
#include "functions/ownership.h"
#include "functions/permitted.h"
#include "identity/identity.h"
#include "planner/check_expression.h"
#include "planner/column_statistics.h"
#include "planner/index_cost.h"
#include "planner/parent_list.h"
#include "planner/parent_rows.h"
#include "planner/fixed_columns.h"
#include "planner/permitted_part.h"
#include "planner/support_function.h"

/* The rows on a page of a table that was never analyzed */
#define ROWS_PER_PAGE 50

/*
 * With more keys than this, or a larger part of the table, there is no index condition: see
 * support_function.c.
 */
#define MAX_KEYS_FOR_A_FEW_ROWS 1000
#define MAX_KEYS 3000
#define MAX_PART_FOR_A_FEW_ROWS 0.05
#define MAX_PART 0.15

/*
 * The form of a call of the list in a plan. No query can have it, since the grammar gives it to
 * functions of pg_catalog alone. So nobody can list parents that they may not see.
 */
#define CALL_OF_PLAN COERCE_SQL_SYNTAX

/* What is estimated of a parent: the part of its rows that is permitted, and their number. */
typedef struct Estimate
{
	double		part;
	double		rows;
	bool		has_indexes;	/* for all of its scopes */
	bool		is_by_pages;	/* never analyzed: its size counts, which changes silently */
} Estimate;

static void estimate_parent(Oid child, Oid parent, const char *code, Estimate *estimate);

/* The distinct values of a column, by its statistics, and the part of rows that are not null. */
static double
distinct_values(Relation table, AttrNumber column, double rows, double *part)
{
	HeapTuple	tuple = NULL;
	double		distinct = 200;

	*part = 1;
	for (int inherited = 0; inherited < 2 && !HeapTupleIsValid(tuple); inherited++)
		tuple = SearchSysCache3(STATRELATTINH, ObjectIdGetDatum(RelationGetRelid(table)),
								Int16GetDatum(column), BoolGetDatum(inherited == 1));
	if (HeapTupleIsValid(tuple))
	{
		Form_pg_statistic statistics = (Form_pg_statistic) GETSTRUCT(tuple);

		*part = 1 - statistics->stanullfrac;
		if (statistics->stadistinct > 0)
			distinct = statistics->stadistinct;
		else if (statistics->stadistinct < 0)
			distinct = -statistics->stadistinct * rows;
		ReleaseSysCache(tuple);
	}
	return Max(distinct, 1);
}

/* Adds what an arm of the parent's policy lets through. */
static void
estimate_arm(Relation table, FuncExpr *call, Estimate *estimate)
{
	int			nargs = IsA(call, FuncExpr) ? list_length(call->args) : 0;
	double		part = 0;
	double		distinct;
	Var		   *column = NULL;
	double		number = -1;

	if (nargs == SEEME_NARGS && seeme_is_call((Node *) call, 1))
	{
		int			scope = seeme_only_scope(call->args);
		Const	   *code = linitial(call->args);
		Const	   *type = list_nth(call->args, SEEME_ARG_RESOURCE_TYPE);

		column = list_nth(call->args, scope);
		number = seeme_count_permitted(scope, TextDatumGetCString(code->constvalue),
									   type->constisnull ? NULL
									   : TextDatumGetCString(type->constvalue),
									   SEEME_PLACES_FOR_ESTIMATE);
	}
	else if (nargs > 0 && seeme_is_owner_call(call))
	{
		column = list_nth(call->args, seeme_owner_argument(call->args));
		number = 1;
	}
	else if (nargs == SEEME_PARENT_NARGS && seeme_is_function(call->funcid, seeme_parent_function))
	{
		Const	   *code = linitial(call->args);
		Const	   *child = list_nth(call->args, SEEME_ARG_CHILD);
		Const	   *parent = list_nth(call->args, SEEME_ARG_PARENT);
		Estimate	above = {.has_indexes = true};

		column = list_nth(call->args, SEEME_ARG_KEY);
		estimate_parent(DatumGetObjectId(child->constvalue), DatumGetObjectId(parent->constvalue),
						TextDatumGetCString(code->constvalue), &above);
		estimate->part += above.part;
		estimate->is_by_pages = estimate->is_by_pages || above.is_by_pages;
		if (!above.has_indexes || !IsA(column, Var) ||
			!OidIsValid(seeme_find_scope_index(table, column->varattno)))
			estimate->has_indexes = false;
		return;
	}
	if (column == NULL || !IsA(column, Var) ||
		!OidIsValid(seeme_find_scope_index(table, column->varattno)))
		estimate->has_indexes = false;
	if (number < 0 || !IsA(column, Var))
		estimate->part += 0.5;
	else
	{
		distinct = distinct_values(table, column->varattno, estimate->rows, &part);
		estimate->part += part *
			(nargs == SEEME_NARGS ?
			 seeme_permitted_part(RelationGetRelid(table), column->varattno,
								  table->rd_rel->relkind == RELKIND_PARTITIONED_TABLE,
								  call->args, (int) number, distinct, 1 - part) :
			 Min((number + 0.1) / distinct, 1));
	}
}

static void
estimate_parent(Oid child, Oid parent, const char *code, Estimate *estimate)
{
	Relation	table = table_open(parent, AccessShareLock);
	List	   *calls = seeme_conditions_of_parent(table, code);
	ListCell   *cell;

	estimate->rows = table->rd_rel->reltuples;
	if (estimate->rows < 0)
	{
		estimate->is_by_pages = true;
		if (table->rd_rel->relkind == RELKIND_RELATION)
			estimate->rows = ROWS_PER_PAGE * (double) RelationGetNumberOfBlocks(table);
	}
	estimate->rows = Max(estimate->rows, 1);
	/* The indexes of partitions are not looked at. Their statistics are. */
	if (table->rd_rel->relkind != RELKIND_RELATION)
		estimate->has_indexes = false;
	foreach(cell, calls)
		estimate_arm(table, lfirst(cell), estimate);
	estimate->part = Min(estimate->part, 1);
	table_close(table, NoLock);
}

/*
 * The last estimates: each is asked for once for each index of a query. A query may join several
 * tables with parents.
 */
typedef struct KnownEstimate
{
	uint64		sites;			/* seeme_site_generation */
	uint64		relations;		/* seeme_relation_generation: also moved by ANALYZE */
	uint64		functions;		/* seeme_function_generation */
	LocalTransactionId transaction; /* where it has to be of the same one; else invalid */
	Oid			child;
	Oid			parent;
	char		code[NAMEDATALEN];
	Estimate	estimate;
} KnownEstimate;

static KnownEstimate known_estimates[4];
static int	next_estimate = 0;

/* The estimate of a call; NULL: there is none. */
static const Estimate *
estimate_call(List *args)
{
	Const	   *code = linitial(args);
	Const	   *child = list_nth(args, SEEME_ARG_CHILD);
	Const	   *parent = list_nth(args, SEEME_ARG_PARENT);
	static Estimate of_long_code;
	KnownEstimate now = {0};
	Estimate   *estimate;
	char	   *wanted;

	if (!IsA(code, Const) || !IsA(child, Const) || !IsA(parent, Const) || code->constisnull ||
		child->constisnull || parent->constisnull || !seeme_accept_invalidations())
		return NULL;
	wanted = TextDatumGetCString(code->constvalue);
	/* The generation tells that somebody else is asking once it was looked at who is asking. */
	(void) seeme_current_identity();
	now.sites = seeme_site_generation;
	now.relations = seeme_relation_generation;
	now.functions = seeme_function_generation;
	now.child = DatumGetObjectId(child->constvalue);
	now.parent = DatumGetObjectId(parent->constvalue);
	for (int i = 0; i < lengthof(known_estimates); i++)
	{
		KnownEstimate *known = &known_estimates[i];

		if (known->sites == now.sites && known->relations == now.relations &&
			known->functions == now.functions && known->child == now.child &&
			known->parent == now.parent && strcmp(known->code, wanted) == 0 &&
			(known->transaction == InvalidLocalTransactionId ||
			 known->transaction == seeme_local_xid()))
			return &known->estimate;
	}
	/* A query may name any table here. */
	if (seeme_parent_of(now.child, NULL, NULL, NULL) != now.parent)
		return NULL;
	now.estimate.has_indexes = true;
	estimate_parent(now.child, now.parent, wanted, &now.estimate);
	if (now.estimate.is_by_pages)
		now.transaction = seeme_local_xid();
	if (strlcpy(now.code, wanted, sizeof(now.code)) < sizeof(now.code))
	{
		known_estimates[next_estimate] = now;
		estimate = &known_estimates[next_estimate].estimate;
		next_estimate = (next_estimate + 1) % lengthof(known_estimates);
		return estimate;
	}
	of_long_code = now.estimate;
	return &of_long_code;
}

/* The part of the rows whose parent is permitted. */
static Selectivity
selectivity(PlannerInfo *root, List *args)
{
	Var		   *key = list_nth(args, SEEME_ARG_KEY);
	RelOptInfo *rel;
	const Estimate *estimate;
	double		null_part;

	if (!IsA(key, Var) || key->varlevelsup != 0)
		return 0.5;
	rel = seeme_table_of(root, key);
	if (rel == NULL)
		return 0.5;
	if (seeme_is_point_query(root, rel) || seeme_is_fixed(rel, key->varattno))
		return 1.0;
	estimate = estimate_call(args);
	if (estimate == NULL)
		return 0.5;
	(void) seeme_distinct_values(root, key, &null_part);
	return estimate->part * (1 - null_part);
}

/* The function seeme.permitted_parents(), in the schema of the other one. */
static Oid
list_function(Oid parent_has_permission)
{
	static Oid	known = InvalidOid;
	static Oid	known_of = InvalidOid;
	static uint64 known_under = 0;

	if (known_under != seeme_function_generation || known_of != parent_has_permission)
	{
		Oid			types[] = {TEXTOID, REGCLASSOID, REGCLASSOID, ANYELEMENTOID};
		uint64		changes = seeme_function_generation;

		known = GetSysCacheOid3(PROCNAMEARGSNSP, Anum_pg_proc_oid,
								CStringGetDatum("permitted_parents"),
								PointerGetDatum(buildoidvector(types, lengthof(types))),
								ObjectIdGetDatum(get_func_namespace(parent_has_permission)));
		known_of = parent_has_permission;
		known_under = changes;
	}
	return OidIsValid(known) && seeme_user_may_execute(known) ? known : InvalidOid;
}

static List *
index_condition(SupportRequestIndexCondition *request)
{
	FuncExpr   *call = (FuncExpr *) request->node;
	IndexOptInfo *index = request->index;
	bool		few = request->root->limit_tuples > 0;
	Var		   *key;
	Oid			type;
	Oid			array_type;
	Oid			equal;
	Oid			function;
	const Estimate *estimate;
	ScalarArrayOpExpr *condition;
	FuncExpr   *list;

	if (!IsA(call, FuncExpr) || list_length(call->args) != SEEME_PARENT_NARGS ||
		request->indexarg != SEEME_ARG_KEY || index->relam != BTREE_AM_OID ||
		!index->amsearcharray || index->indexkeys[request->indexcol] == 0 ||
		(request->indexcol > 0 && !SEEME_LATER_ARRAYS_KEEP_ORDER))
		return NIL;
	key = list_nth(call->args, SEEME_ARG_KEY);
	if (!IsA(key, Var) || seeme_is_point_query(request->root, index->rel) ||
		seeme_is_fixed(index->rel, index->indexkeys[request->indexcol]) ||
		seeme_is_later_list(index, call, SEEME_ARG_KEY))
		return NIL;
	type = key->vartype == VARCHAROID ? TEXTOID : key->vartype;
	array_type = get_array_type(key->vartype);
	equal = get_opfamily_member(index->opfamily[request->indexcol], type, type,
								BTEqualStrategyNumber);
	estimate = estimate_call(call->args);
	function = list_function(request->funcid);
	/* A column of a domain has no operators of its own. */
	if (!OidIsValid(array_type) || !OidIsValid(equal) || !OidIsValid(function) ||
		estimate == NULL || !estimate->has_indexes ||
		estimate->part * estimate->rows > (few ? MAX_KEYS_FOR_A_FEW_ROWS : MAX_KEYS) ||
		(estimate->part > (few ? MAX_PART_FOR_A_FEW_ROWS : MAX_PART) &&
		 estimate->part * estimate->rows > 1))
		return NIL;

	condition = makeNode(ScalarArrayOpExpr);
	condition->opno = equal;
	condition->opfuncid = get_opcode(equal);
	condition->useOr = true;
	condition->inputcollid = index->indexcollations[request->indexcol];
	list = makeFuncExpr(function, array_type,
						list_make4(copyObject(linitial(call->args)),
								   copyObject(lsecond(call->args)),
								   copyObject(lthird(call->args)),
								   makeNullConst(key->vartype, -1, key->varcollid)),
						key->varcollid, DEFAULT_COLLATION_OID, CALL_OF_PLAN);
	condition->args = list_make2(list_nth(call->args, SEEME_ARG_KEY), list);
	condition->location = -1;
	if (type != key->vartype)
	{
		/* varchar: compared as text */
		linitial(condition->args) = makeRelabelType(linitial(condition->args), type, -1,
													key->varcollid, COERCE_IMPLICIT_CAST);
		lsecond(condition->args) = makeRelabelType(lsecond(condition->args), get_array_type(type),
												   -1, key->varcollid, COERCE_IMPLICIT_CAST);
	}
	/* As in support_function.c: processes would have different arrays. */
	index->amcanparallel = false;
	seeme_cost_by_ids(index);
	request->lossy = false;
	return list_make1(condition);
}

/*
 * seeme.plan_parent_has_permission(internal) RETURNS internal
 */
SEEME_FUNCTION_OF_ANY_VERSION(seeme_plan_parent_has_permission)
{
	Node	   *request = (Node *) PG_GETARG_POINTER(0);

	if (!seeme_version_fits())
		PG_RETURN_POINTER(NULL);
	if (IsA(request, SupportRequestIndexCondition))
		PG_RETURN_POINTER(index_condition((SupportRequestIndexCondition *) request));
	if (IsA(request, SupportRequestSelectivity) &&
		!((SupportRequestSelectivity *) request)->is_join &&
		list_length(((SupportRequestSelectivity *) request)->args) == SEEME_PARENT_NARGS)
	{
		SupportRequestSelectivity *wanted = (SupportRequestSelectivity *) request;

		wanted->selectivity = selectivity(wanted->root, wanted->args);
		PG_RETURN_POINTER(wanted);
	}
	PG_RETURN_POINTER(NULL);
}

/* What a call of the list keeps: a scan that is repeated in a join asks again and again. */
typedef struct ListSite
{
	SeemeParentSite *parent;
	ArrayType  *keys;
	MemoryContext scratch;
	MemoryContext context;		/* of the keys */
} ListSite;

/*
 * seeme.permitted_parents(permission text, child regclass, parent regclass, key anyelement)
 * RETURNS anyarray
 *
 * The key is null: it tells the type.
 */
SEEME_FUNCTION(seeme_permitted_parents, SEEME_PARENT_NARGS)
{
	ListSite   *site = fcinfo->flinfo->fn_extra;
	MemoryContext context = fcinfo->flinfo->fn_mcxt;
	Oid			child;
	MemoryContext old;
	SeemeParent *parent;
	bool		use_cache;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(SEEME_ARG_CHILD) || PG_ARGISNULL(SEEME_ARG_PARENT))
		PG_RETURN_NULL();
	if (fcinfo->flinfo->fn_expr == NULL || !IsA(fcinfo->flinfo->fn_expr, FuncExpr) ||
		((FuncExpr *) fcinfo->flinfo->fn_expr)->funcformat != CALL_OF_PLAN)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("seeme.permitted_parents is for index conditions of the planner")));
	child = PG_GETARG_OID(SEEME_ARG_CHILD);
	use_cache = seeme_accept_invalidations();
	if (site == NULL || !get_fn_expr_arg_stable(fcinfo->flinfo, 0) ||
		!get_fn_expr_arg_stable(fcinfo->flinfo, SEEME_ARG_CHILD) ||
		!get_fn_expr_arg_stable(fcinfo->flinfo, SEEME_ARG_PARENT))
	{
		site = MemoryContextAllocZero(context, sizeof(ListSite));
		site->parent = seeme_make_parent_site(context, child, PG_GETARG_OID(SEEME_ARG_PARENT),
											  seeme_code_argument(fcinfo, 0));
		site->scratch = AllocSetContextCreate(context, "seeme_rbac list of parents",
											  ALLOCSET_SMALL_SIZES);
		site->context = AllocSetContextCreate(context, "seeme_rbac permitted parents",
											  ALLOCSET_SMALL_SIZES);
		fcinfo->flinfo->fn_extra = site;
	}
	parent = seeme_open_parent_site_of_call(site->parent);
	if (getBaseType(get_fn_expr_argtype(fcinfo->flinfo, SEEME_ARG_KEY)) != parent->key_type)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("the key is of type %s", format_type_be(parent->key_type))));
	if (seeme_refresh_parent_site(site->parent) && use_cache && site->keys != NULL)
		PG_RETURN_ARRAYTYPE_P(site->keys);
	site->keys = NULL;
	MemoryContextReset(site->context);
	old = MemoryContextSwitchTo(site->scratch);
	{
		ArrayType  *keys = seeme_list_parents(parent);

		MemoryContextSwitchTo(site->context);
		site->keys = DatumGetArrayTypePCopy(PointerGetDatum(keys));
	}
	MemoryContextSwitchTo(old);
	MemoryContextReset(site->scratch);
	PG_RETURN_ARRAYTYPE_P(site->keys);
}
