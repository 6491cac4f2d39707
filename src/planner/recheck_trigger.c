/*
 * recheck_trigger.c: checks a policy again once the row is locked.
 *
 * PostgreSQL evaluates the policy of an UPDATE or DELETE before it waits for a row lock. Afterwards
 * it evaluates the policy again only if the row was changed meanwhile (EvalPlanQual). But the right
 * may have been revoked although the row did not change (rule 7.4). A BEFORE trigger runs with the
 * lock held, and checks again.
 *
 * The condition is the policy's own, taken from the relation cache, so that the two cannot differ.
 * Where it is false, the other permissive policies are asked (other_policies.c): PostgreSQL
 * combines them with OR.
 *
 * A WHEN clause of the trigger would be parsed from its text in each statement, which costs more
 * than the check. The trigger does not depend on the plan: it checks the same, whether the policy
 * was a barrier or an ordinary condition there (barrier.c).
 *
 * Decides nothing itself.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/indexing.h"
#include "catalog/partition.h"
#include "catalog/pg_inherits.h"
#include "commands/trigger.h"
#include "executor/executor.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "rewrite/rowsecurity.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/rls.h"
#include "utils/snapmgr.h"

#include "planner/check_expression.h"
#include "planner/other_policies.h"
#include "planner/parent_rows.h"
#include "planner/parent_table.h"
#include "planner/recheck_trigger.h"
#include "core/generated_columns.h"
#include "core/version.h"

/* The condition of a policy. Most conditions are a single call. NOTHING accepts no row. */
typedef struct Condition
{
	enum
	{
		NOTHING, CALL, PARENT, EXPRESSION
	}			kind;
	SeemeCall	call;
	ExprState  *expression;
	EState	   *estate;
	SeemeGeneratedColumns *generated;	/* those that it reads; NULL: none */
	bool		reads_parents;	/* it depends on rows of another table */
	/* of a condition that is the call of seeme.parent_has_permission() */
	SeemeParentSite *parent;
	AttrNumber	key;
	bool		key_is_by_value;
	int16		key_length;
	/* The table of the policy, and the permissive policies beside it; NULL: not asked yet. */
	Oid			table;
	const char *name;
	SeemeOtherPolicies *others_of_old;
	SeemeOtherPolicies *others_of_new;
} Condition;

/* The conditions of one trigger in one statement, for UPDATE or for DELETE. */
typedef struct Conditions
{
	bool		are_asked;		/* row security is active for the role that runs the statement */
	bool		own_was_true;	/* of the last row, before it changed */
	Condition	own;			/* the command's policy */
	Condition	of_move;		/* UPDATE's: it moves a row by deleting it */
} Conditions;

/*
 * In fn_extra, for one table or partition that a statement changes. A MERGE may update some rows
 * and delete others, and calls the same trigger for both. So does an UPDATE that moves a row to
 * another partition: it deletes the row right after its trigger for UPDATE. A DELETE of its own in
 * the same statement has an fn_extra of its own.
 */
typedef struct ConditionsOfStatement
{
	/* NULL: not asked yet */
	Conditions *of_update;
	Conditions *of_delete;
	/* The row of a partition that is being updated */
	bool		is_updating;
	ItemPointerData updated;
	MemoryContextCallback ends_update;
} ConditionsOfStatement;

static void
end_update(void *both)
{
	((ConditionsOfStatement *) both)->is_updating = false;
}

/*
 * Notes that a row of a partition is being updated, until the executor comes to its next row: then
 * it resets the memory context that a trigger runs in. Another trigger may stop the UPDATE, and a
 * MERGE may come to the same row again and delete it. That is no move.
 */
static void
note_update(ConditionsOfStatement *both, ItemPointerData row)
{
	both->updated = row;
	if (both->is_updating)
		return;
	both->is_updating = true;
	both->ends_update.func = end_update;
	both->ends_update.arg = both;
	MemoryContextRegisterResetCallback(CurrentMemoryContext, &both->ends_update);
}

/* The condition of the policy of that name, or NULL. It belongs to the relation cache. */
static Expr *
find_condition(Relation table, const char *name)
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
					 errmsg("policy %s of table \"%s\" has a sub-select", name,
							RelationGetRelationName(table)),
					 errhint("seeme_security_report() shows the policy that belongs there.")));
		return policy->qual;
	}
	return NULL;
}

/*
 * Takes the condition of a table's policy for rows of a relation: the table itself or a descendant.
 */
static bool
take_condition(Condition *condition, Relation table, Relation relation, const char *name)
{
	Expr	   *found = find_condition(table, name);

	if (found == NULL)
		return false;
	condition->table = RelationGetRelid(table);
	condition->name = name;
	if (table != relation)
		found = linitial(map_partition_varattnos(list_make1(copyObject(found)), 1, relation,
												 table));
	condition->generated = seeme_generated_columns(relation, found);
	if (seeme_is_call((Node *) found, 1))
	{
		condition->kind = CALL;
		seeme_call_init(&condition->call, (FuncExpr *) found);
	}
	else if (seeme_is_parent_call((Node *) found, 1))
	{
		FuncExpr   *call = (FuncExpr *) found;
		Const	   *code = linitial(call->args);
		Const	   *child = list_nth(call->args, SEEME_ARG_CHILD);
		Const	   *parent = list_nth(call->args, SEEME_ARG_PARENT);

		condition->kind = PARENT;
		condition->key = ((Var *) list_nth(call->args, SEEME_ARG_KEY))->varattno;
		get_typlenbyval(((Var *) list_nth(call->args, SEEME_ARG_KEY))->vartype,
						&condition->key_length, &condition->key_is_by_value);
		condition->parent =
			seeme_make_parent_site(CurrentMemoryContext, DatumGetObjectId(child->constvalue),
								   DatumGetObjectId(parent->constvalue),
								   TextDatumGetCString(code->constvalue));
	}
	else
	{
		FuncExpr   *parent_call;

		condition->kind = EXPRESSION;
		condition->reads_parents = seeme_find_parent_call((Node *) found, &parent_call);
		condition->estate = CreateExecutorState();
		condition->expression = ExecPrepareExpr(copyObject(found), condition->estate);
	}
	return true;
}

static void
prepare_condition(Condition *condition, Relation relation, const char *name)
{
	ListCell   *cell;

	if (take_condition(condition, relation, relation, name))
		return;
	foreach(cell, seeme_ancestors_of(RelationGetRelid(relation)))
	{
		Relation	table = table_open(lfirst_oid(cell), AccessShareLock);
		bool		found = take_condition(condition, table, relation, name);

		table_close(table, NoLock);
		if (found)
			return;
	}
}

/*
 * Whether row security is active for a table, or for one above it by which its rows were reached.
 */
bool
seeme_row_security_is_active(Relation relation)
{
	ListCell   *cell;

	/* check_enable_rls() says the same of such a table, but takes longer. */
	if (relation->rd_rel->relrowsecurity && relation->rd_rel->relforcerowsecurity &&
		!InNoForceRLSOperation())
	{
		if (!has_bypassrls_privilege(GetUserId()))
			return true;
	}
	else if (check_enable_rls(RelationGetRelid(relation), InvalidOid, true) == RLS_ENABLED)
		return true;
	foreach(cell, seeme_ancestors_of(RelationGetRelid(relation)))
		if (check_enable_rls(lfirst_oid(cell), InvalidOid, true) == RLS_ENABLED)
		return true;
	return false;
}

static Conditions *
prepare(TriggerData *trigger, MemoryContext context)
{
	MemoryContext old = MemoryContextSwitchTo(context);
	Conditions *conditions = palloc0(sizeof(Conditions));
	Relation	relation = trigger->tg_relation;
	bool		is_update = TRIGGER_FIRED_BY_UPDATE(trigger->tg_event);

	conditions->are_asked = seeme_row_security_is_active(relation);
	if (conditions->are_asked)
	{
		prepare_condition(&conditions->own, relation, is_update ? "seeme_update" : "seeme_delete");
		if (!is_update && relation->rd_rel->relispartition)
			prepare_condition(&conditions->of_move, relation, "seeme_update");
	}
	MemoryContextSwitchTo(old);
	return conditions;
}

/* What is kept of a trigger in a statement. */
static ConditionsOfStatement *
conditions_of_statement(FmgrInfo *function)
{
	if (function->fn_extra == NULL)
		function->fn_extra = MemoryContextAllocZero(function->fn_mcxt,
													sizeof(ConditionsOfStatement));
	return function->fn_extra;
}

static bool
is_true_of(Condition *condition, TupleTableSlot *row)
{
	ExprContext *context;
	pg_uuid_t  *id;
	Datum		value;
	bool		isnull;
	bool		held;

	switch (condition->kind)
	{
		case NOTHING:
			return false;
		case CALL:
			value = slot_getattr(row, condition->call.column, &isnull);
			id = isnull ? NULL : DatumGetUUIDP(value);
			return seeme_call(&condition->call, 1, &id) != 0;
		case PARENT:
			value = slot_getattr(row, condition->key, &isnull);
			if (isnull)
				return false;
			/* The parent may have moved while the statement waited for the child. */
			seeme_push_latest_snapshot(false);
			held = seeme_parent_holds(condition->parent, value);
			PopActiveSnapshot();
			return held;
		case EXPRESSION:
			break;
	}
	if (condition->reads_parents)
		seeme_push_latest_snapshot(false);
	context = GetPerTupleExprContext(condition->estate);
	context->ecxt_scantuple = row;
	held = DatumGetBool(ExecEvalExprSwitchContext(condition->expression, context, &isnull)) &&
		!isnull;
	if (condition->reads_parents)
		PopActiveSnapshot();
	ResetExprContext(context);
	return held;
}

/* Whether another permissive policy of the same command is true of a row. */
static bool
others_are_true_of(Condition *condition, TriggerData *trigger, MemoryContext context,
				   bool of_new_row, TupleTableSlot *row)
{
	SeemeOtherPolicies **others = of_new_row ? &condition->others_of_new :
	&condition->others_of_old;

	/* Without our policy nothing is let through. */
	if (condition->kind == NOTHING)
		return false;
	if (*others == NULL)
	{
		MemoryContext old = MemoryContextSwitchTo(context);
		Relation	table = table_open(condition->table, AccessShareLock);
		bool		is_update = strcmp(condition->name, "seeme_update") == 0;

		*others = seeme_other_policies(table, trigger->tg_relation, condition->name,
									   is_update ? ACL_UPDATE_CHR : ACL_DELETE_CHR, of_new_row);
		table_close(table, NoLock);
		MemoryContextSwitchTo(old);
	}
	return seeme_other_policies_hold(*others, row);
}

/* Whether both rows have the same scope, so that the policy has the same result for both. */
static bool
says_the_same(Condition *condition, TupleTableSlot *before, TupleTableSlot *after)
{
	Datum		ids[2];
	bool		nulls[2];

	if (condition->kind == PARENT)
	{
		ids[0] = slot_getattr(before, condition->key, &nulls[0]);
		ids[1] = slot_getattr(after, condition->key, &nulls[1]);
		return !nulls[0] && !nulls[1] &&
			datumIsEqual(ids[0], ids[1], condition->key_is_by_value, condition->key_length);
	}
	if (condition->kind != CALL)
		return false;
	ids[0] = slot_getattr(before, condition->call.column, &nulls[0]);
	ids[1] = slot_getattr(after, condition->call.column, &nulls[1]);
	return !nulls[0] && !nulls[1] &&
		memcmp(DatumGetUUIDP(ids[0]), DatumGetUUIDP(ids[1]), UUID_LEN) == 0;
}

/*
 * Whether an UPDATE deletes the row that it was about to update, because it moves it to another
 * partition. The rows of a foreign table have no place. No MERGE changes them.
 */
static bool
is_moving(ConditionsOfStatement *both, TriggerData *trigger)
{
	ItemPointer row = &trigger->tg_trigslot->tts_tid;

	return both->is_updating &&
		(!ItemPointerIsValid(row) || ItemPointerEquals(row, &both->updated));
}

static bool
is_let_through(Conditions *conditions, TriggerData *trigger, MemoryContext context, bool moves)
{
	TupleTableSlot *row = trigger->tg_trigslot;

	return !conditions->are_asked ||
		(conditions->own_was_true = is_true_of(&conditions->own, row)) ||
		others_are_true_of(&conditions->own, trigger, context, false, row) ||
		(conditions->of_move.kind != NOTHING && moves &&
		 (is_true_of(&conditions->of_move, row) ||
		  others_are_true_of(&conditions->of_move, trigger, context, false, row)));
}

/* Whether a policy is true of the new row of an UPDATE. */
static bool
may_become(Conditions *conditions, TriggerData *trigger, MemoryContext context)
{
	TupleTableSlot *new_row = seeme_compute_generated(conditions->own.generated,
													  trigger->tg_newslot);

	return (conditions->own_was_true &&
			says_the_same(&conditions->own, trigger->tg_trigslot, new_row)) ||
		is_true_of(&conditions->own, new_row) ||
		others_are_true_of(&conditions->own, trigger, context, true, trigger->tg_newslot);
}

/*
 * seeme.recheck_after_lock() RETURNS trigger
 *
 * Before UPDATE or DELETE of a row. If the right was revoked while the statement waited for the
 * lock, skips the row, as row security does. Functions run as the role that runs the statement,
 * like those of a policy.
 *
 * With an argument, it also checks the new row, and raises 42501. That covers an UPDATE through a
 * view whose owner bypasses row security.
 */
SEEME_FUNCTION(seeme_recheck_after_lock, 0)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;
	MemoryContext context = fcinfo->flinfo->fn_mcxt;
	ConditionsOfStatement *both;
	Conditions **place;
	Conditions *conditions;
	bool		is_update;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_BEFORE(trigger->tg_event) ||
		!TRIGGER_FIRED_FOR_ROW(trigger->tg_event) ||
		!(TRIGGER_FIRED_BY_UPDATE(trigger->tg_event) || TRIGGER_FIRED_BY_DELETE(trigger->tg_event)))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("seeme.recheck_after_lock is for triggers before UPDATE or DELETE of a "
						"row")));
	is_update = TRIGGER_FIRED_BY_UPDATE(trigger->tg_event);
	both = conditions_of_statement(fcinfo->flinfo);
	place = is_update ? &both->of_update : &both->of_delete;
	if (*place == NULL)
		*place = prepare(trigger, context);
	conditions = *place;
	if (!is_let_through(conditions, trigger, context, !is_update && is_moving(both, trigger)))
		PG_RETURN_POINTER(NULL);
	if (!is_update)
		PG_RETURN_POINTER(trigger->tg_trigtuple);
	if (conditions->are_asked && trigger->tg_trigger->tgnargs > 0 &&
		!may_become(conditions, trigger, context))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("new row violates row-level security policy for table \"%s\"",
						RelationGetRelationName(trigger->tg_relation))));
	if (conditions->are_asked && trigger->tg_relation->rd_rel->relispartition)
		note_update(both, trigger->tg_trigslot->tts_tid);
	PG_RETURN_POINTER(trigger->tg_newtuple);
}
