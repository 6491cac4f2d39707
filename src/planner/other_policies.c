/*
 * other_policies.c: the permissive policies that stand beside one of this extension.
 *
 * PostgreSQL combines permissive policies with OR. A row that an application's own policy lets
 * through is let through, also where ours does not. The recheck trigger (recheck_trigger.c) asks
 * ours again once the row is locked. Where ours is false then, it asks the others here.
 *
 * A condition without a sub-select is an expression on the row. One with a sub-select is planned,
 * once in a statement, as the query `SELECT true WHERE condition`, in which the columns of the row
 * are parameters. PostgreSQL rewrites that query like any other. So the tables in the sub-select
 * are under their own policies, as they are when PostgreSQL evaluates the condition itself.
 *
 * All conditions see what was committed while the statement waited for the row. Nothing here is
 * prepared or asked for a row that our policy lets through.
 *
 * Must not decide about permissions, and must not let through what no policy lets through.
 */
#include "postgres.h"

#include "access/sysattr.h"
#include "catalog/partition.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "rewrite/rewriteHandler.h"
#include "rewrite/rewriteManip.h"
#include "rewrite/rowsecurity.h"
#include "tcop/dest.h"
#include "tcop/tcopprot.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/snapmgr.h"

#include "core/compat.h"
#include "core/generated_columns.h"
#include "planner/other_policies.h"
#include "planner/parent_rows.h"

typedef struct OtherPolicy
{
	SeemeGeneratedColumns *generated;	/* those that it reads; NULL: none */
	ExprState  *expression;		/* without a sub-select */
	EState	   *estate;
	PlannedStmt *plan;			/* with a sub-select */
	List	   *columns;		/* of Var *: those that are parameters of the plan */
} OtherPolicy;

struct SeemeOtherPolicies
{
	Oid			relid;			/* the relation of the rows */
	bool		of_new_row;
	int			natts;
	List	   *policies;		/* of OtherPolicy * */
};

/* Parameters are numbered like columns; behind them are the whole row and the system columns. */
static int
parameter_number(int natts, AttrNumber column)
{
	return column > 0 ? column : natts + 1 - column;
}

#define MAX_PARAMETERS(natts) ((natts) + 1 - FirstLowInvalidHeapAttributeNumber)

/* As PostgreSQL does: whether a policy is one for the current role. */
static bool
is_for_current_role(RowSecurityPolicy *policy)
{
	Oid		   *roles = (Oid *) ARR_DATA_PTR(policy->roles);

	for (int i = 0; i < ARR_DIMS(policy->roles)[0]; i++)
		if (roles[i] == ACL_ID_PUBLIC || has_privs_of_role(GetUserId(), roles[i]))
			return true;
	return false;
}

typedef struct Parameters
{
	int			natts;
	List	   *columns;
} Parameters;

static Node *
make_parameter(Var *column, replace_rte_variables_context * context)
{
	Parameters *parameters = context->callback_arg;
	Param	   *param = makeNode(Param);
	Var		   *plain = copyObject(column);

	plain->varlevelsup = 0;
	parameters->columns = lappend(parameters->columns, plain);
	param->paramkind = PARAM_EXTERN;
	param->paramid = parameter_number(parameters->natts, column->varattno);
	param->paramtype = column->vartype;
	param->paramtypmod = column->vartypmod;
	param->paramcollid = column->varcollid;
	param->location = -1;
	return (Node *) param;
}

static void
plan_sub_select(OtherPolicy *prepared, Expr *condition, int natts)
{
	Parameters	parameters = {.natts = natts};
	Query	   *query = makeNode(Query);
	bool		has_sub_links = true;
	Node	   *qual = replace_rte_variables((Node *) condition, 1, 0, make_parameter, &parameters,
											 &has_sub_links);

	query->commandType = CMD_SELECT;
	query->querySource = QSRC_ORIGINAL;
	query->canSetTag = true;
	query->hasSubLinks = true;
	query->targetList = list_make1(makeTargetEntry((Expr *) makeBoolConst(true, false), 1,
												   pstrdup("holds"), false));
	query->jointree = makeFromExpr(NIL, qual);
	AcquireRewriteLocks(query, true, false);
	prepared->plan = pg_plan_query(linitial_node(Query, QueryRewrite(query)), "", 0, NULL);
	prepared->columns = parameters.columns;
}

static OtherPolicy *
prepare_policy(Relation table, Relation relation, Expr *found)
{
	OtherPolicy *prepared = palloc0(sizeof(OtherPolicy));
	Expr	   *condition = copyObject(found);

	if (table != relation)
		condition = linitial(map_partition_varattnos(list_make1(condition), 1, relation, table));
	condition = seeme_expand_virtual_columns(condition, relation);
	if (checkExprHasSubLink((Node *) condition))
	{
		plan_sub_select(prepared, condition, RelationGetDescr(relation)->natts);
		prepared->generated = seeme_generated_columns(relation, (Expr *) prepared->columns);
	}
	else
	{
		prepared->generated = seeme_generated_columns(relation, condition);
		prepared->estate = CreateExecutorState();
		prepared->expression = ExecPrepareExpr(condition, prepared->estate);
	}
	return prepared;
}

/*
 * The permissive policies of a table for a command ('w': UPDATE, 'd': DELETE) and the current role,
 * except the one of that name, in the current memory context. They are asked about rows of a
 * relation: the table itself or a descendant.
 */
SeemeOtherPolicies *
seeme_other_policies(Relation table, Relation relation, const char *own_name, char command,
					 bool of_new_row)
{
	SeemeOtherPolicies *others = palloc0(sizeof(SeemeOtherPolicies));
	List	   *conditions = NIL;
	ListCell   *cell;

	others->relid = RelationGetRelid(relation);
	others->of_new_row = of_new_row;
	others->natts = RelationGetDescr(relation)->natts;
	if (table->rd_rsdesc == NULL)
		return others;
	/* Copies first: planning may make PostgreSQL read the table's policies anew. */
	foreach(cell, table->rd_rsdesc->policies)
	{
		RowSecurityPolicy *policy = lfirst(cell);
		Expr	   *condition = of_new_row && policy->with_check_qual != NULL ?
		policy->with_check_qual : policy->qual;

		if (policy->permissive && (policy->polcmd == '*' || policy->polcmd == command) &&
			condition != NULL && strcmp(policy->policy_name, own_name) != 0 &&
			is_for_current_role(policy))
			conditions = lappend(conditions, copyObject(condition));
	}
	foreach(cell, conditions)
		others->policies = lappend(others->policies,
								   prepare_policy(table, relation, lfirst(cell)));
	return others;
}

static ParamListInfo
make_parameters(List *columns, int natts, TupleTableSlot *row)
{
	ParamListInfo parameters = makeParamList(MAX_PARAMETERS(natts));
	ListCell   *cell;

	for (int i = 0; i < parameters->numParams; i++)
		parameters->params[i] = (ParamExternData)
	{
		.isnull = true
	};
	foreach(cell, columns)
	{
		Var		   *column = lfirst(cell);
		ParamExternData *parameter =
		&parameters->params[parameter_number(natts, column->varattno) - 1];

		parameter->ptype = column->vartype;
		if (column->varattno > 0)
			parameter->value = slot_getattr(row, column->varattno, &parameter->isnull);
		else if (column->varattno < 0)
			parameter->value = slot_getsysattr(row, column->varattno, &parameter->isnull);
		else
		{
			parameter->value = ExecFetchSlotHeapTupleDatum(row);
			parameter->isnull = false;
		}
	}
	return parameters;
}

static bool
sub_select_holds(OtherPolicy *policy, int natts, TupleTableSlot *row)
{
	QueryDesc  *query = CreateQueryDesc(policy->plan, "", GetActiveSnapshot(), InvalidSnapshot,
										None_Receiver, make_parameters(policy->columns, natts, row),
										NULL, 0);
	bool		holds;

	ExecutorStart(query, 0);
	seeme_executor_run(query);
	holds = query->estate->es_processed > 0;
	ExecutorFinish(query);
	ExecutorEnd(query);
	FreeQueryDesc(query);
	return holds;
}

static bool
expression_holds(OtherPolicy *policy, TupleTableSlot *row)
{
	ExprContext *context = GetPerTupleExprContext(policy->estate);
	bool		isnull;
	bool		holds;

	context->ecxt_scantuple = row;
	holds = DatumGetBool(ExecEvalExprSwitchContext(policy->expression, context, &isnull)) &&
		!isnull;
	ResetExprContext(context);
	return holds;
}

/* Whether one of the policies lets a row through. */
bool
seeme_other_policies_hold(SeemeOtherPolicies *others, TupleTableSlot *row)
{
	bool		holds = false;
	ListCell   *cell;

	if (others->policies == NIL)
		return false;
	/* PostgreSQL fills in the tableoid of a new row after the BEFORE triggers. */
	if (others->of_new_row)
		row->tts_tableOid = others->relid;
	seeme_push_latest_snapshot(false);
	foreach(cell, others->policies)
	{
		OtherPolicy *policy = lfirst(cell);
		TupleTableSlot *complete = others->of_new_row ?
		seeme_compute_generated(policy->generated, row) : row;

		holds = policy->plan != NULL ? sub_select_holds(policy, others->natts, complete) :
			expression_holds(policy, complete);
		if (holds)
			break;
	}
	PopActiveSnapshot();
	return holds;
}
