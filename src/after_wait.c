/*
 * after_wait.c: a policy asked again, once a row is locked.
 *
 * PostgreSQL evaluates the policy of an UPDATE or DELETE before it waits for a row lock, and again afterwards only if the
 * row was changed meanwhile. A right may be gone by then although the row was not touched (rule 7.4). A BEFORE trigger runs
 * with the lock in hand. It takes the condition from the policy itself, so that the two cannot differ, and as the relation
 * cache has it: a WHEN clause of the trigger would be read from its text in every statement, which costs more than the check.
 *
 * Owns nothing; decides nothing itself.
 */
#include "postgres.h"

#include "access/table.h"
#include "catalog/partition.h"
#include "commands/trigger.h"
#include "executor/executor.h"
#include "fmgr.h"
#include "nodes/makefuncs.h"
#include "rewrite/rowsecurity.h"
#include "utils/rel.h"
#include "utils/rls.h"

/* The conditions of one trigger in one statement, in fn_extra. */
typedef struct Conditions
{
	EState	   *estate;
	List	   *any;			/* of ExprState *: one of them has to be true of the row */
} Conditions;

/* The condition of a policy of ours, as it is about the rows of a relation that is the table or a partition of it. */
static Expr *
find_condition(Relation table, Relation relation, const char *name)
{
	ListCell   *cell;

	if (table->rd_rsdesc == NULL)
		return NULL;
	foreach(cell, table->rd_rsdesc->policies)
	{
		RowSecurityPolicy *policy = lfirst(cell);

		if (strcmp(policy->policy_name, name) != 0 || policy->qual == NULL)
			continue;
		if (policy->hassublinks)
			ereport(ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("policy %s of table \"%s\" has a sub-select", name, RelationGetRelationName(table)),
					 errhint("seeme_security_report() shows the policy that belongs there.")));
		return table == relation ? copyObject(policy->qual) :
			(Expr *) linitial(map_partition_varattnos(list_make1(copyObject(policy->qual)), 1, relation, table));
	}
	return NULL;
}

static void
add_condition(Conditions *conditions, Relation relation, List *ancestors, const char *name)
{
	Expr	   *condition = find_condition(relation, relation, name);
	ListCell   *cell;

	foreach(cell, ancestors)
	{
		Relation	table;

		if (condition != NULL)
			break;
		table = table_open(lfirst_oid(cell), AccessShareLock);
		condition = find_condition(table, relation, name);
		table_close(table, NoLock);
	}
	if (condition != NULL)
		conditions->any = lappend(conditions->any, ExecPrepareExpr(condition, conditions->estate));
}

static List *
ancestors_of(Relation relation)
{
	return relation->rd_rel->relispartition ? get_partition_ancestors(RelationGetRelid(relation)) : NIL;
}

static Conditions *
prepare(TriggerData *trigger, MemoryContext context)
{
	MemoryContext old = MemoryContextSwitchTo(context);
	Conditions *conditions = palloc0(sizeof(Conditions));
	List	   *ancestors = ancestors_of(trigger->tg_relation);

	conditions->estate = CreateExecutorState();
	if (TRIGGER_FIRED_BY_UPDATE(trigger->tg_event))
		add_condition(conditions, trigger->tg_relation, ancestors, "seeme_update");
	else
	{
		add_condition(conditions, trigger->tg_relation, ancestors, "seeme_delete");
		/* An UPDATE that moves a row to another partition deletes it from the first. */
		if (ancestors != NIL)
			add_condition(conditions, trigger->tg_relation, ancestors, "seeme_update");
	}
	MemoryContextSwitchTo(old);
	return conditions;
}

static bool
is_let_through(Conditions *conditions, TupleTableSlot *row)
{
	ExprContext *context = GetPerTupleExprContext(conditions->estate);
	bool		held = false;
	ListCell   *cell;

	context->ecxt_scantuple = row;
	foreach(cell, conditions->any)
	{
		bool		isnull;

		held = DatumGetBool(ExecEvalExprSwitchContext(lfirst(cell), context, &isnull)) && !isnull;
		if (held)
			break;
	}
	ResetExprContext(context);
	return held;
}

static bool
row_security_is_active(Relation relation)
{
	ListCell   *cell;

	if (check_enable_rls(RelationGetRelid(relation), InvalidOid, true) == RLS_ENABLED)
		return true;
	foreach(cell, ancestors_of(relation))
		if (check_enable_rls(lfirst_oid(cell), InvalidOid, true) == RLS_ENABLED)
			return true;
	return false;
}

/*
 * seeme.ask_after_wait() RETURNS trigger
 *
 * Before UPDATE or DELETE of a row: leaves a row alone whose right was lost while the statement waited for it, as row
 * security does. The policy's functions are called as whoever runs the statement, as those of the policy are.
 */
PG_FUNCTION_INFO_V1(seeme_ask_after_wait);
Datum
seeme_ask_after_wait(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;
	Conditions *conditions = fcinfo->flinfo->fn_extra;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_BEFORE(trigger->tg_event) || !TRIGGER_FIRED_FOR_ROW(trigger->tg_event) ||
		!(TRIGGER_FIRED_BY_UPDATE(trigger->tg_event) || TRIGGER_FIRED_BY_DELETE(trigger->tg_event)))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("seeme.ask_after_wait is for triggers before UPDATE or DELETE of a row")));
	if (conditions == NULL)
		fcinfo->flinfo->fn_extra = conditions = prepare(trigger, fcinfo->flinfo->fn_mcxt);
	if (!is_let_through(conditions, trigger->tg_trigslot) && row_security_is_active(trigger->tg_relation))
		PG_RETURN_POINTER(NULL);
	PG_RETURN_POINTER(TRIGGER_FIRED_BY_UPDATE(trigger->tg_event) ? trigger->tg_newtuple : trigger->tg_trigtuple);
}
