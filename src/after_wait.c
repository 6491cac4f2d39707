/*
 * after_wait.c: a policy asked again, once a row is locked.
 *
 * PostgreSQL evaluates the policy of an UPDATE or DELETE before it waits for a row lock, and again afterwards only if the
 * row was changed meanwhile. A right may be gone by then although the row was not touched (rule 7.4). A BEFORE trigger runs
 * with the lock in hand. It takes the condition from the policy itself, so that the two cannot differ, and as the relation
 * cache has it: a WHEN clause of the trigger would be read from its text in every statement, which costs more than the check.
 *
 * Owns the notes of rows that an UPDATE may move; decides nothing itself.
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
#include "nodes/makefuncs.h"
#include "rewrite/rowsecurity.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"
#include "utils/rls.h"
#include "utils/snapmgr.h"

#include "compat.h"

/* The conditions of one trigger in one statement, in fn_extra. */
typedef struct Conditions
{
	bool		are_asked;		/* row security is active for whoever runs the statement */
	EState	   *estate;
	ExprState  *own;			/* that of the command; NULL: there is none, and nothing is let through */
	ExprState  *of_move;		/* that of an UPDATE, which moves a row out of its partition by deleting it there */
} Conditions;

/*
 * Rows of partitions that an UPDATE may move: the one that it has come to, of each UPDATE that is under way. A nested one has a
 * later command than the one that it is nested in; one that has ended leaves nothing that counts.
 */
typedef struct Moving
{
	CommandId	command;
	Oid			partition;
	ItemPointerData row;
} Moving;

#define MAX_MOVING 32

static Moving moving[MAX_MOVING];
static int	nmoving = 0;
static LocalTransactionId moving_in = InvalidLocalTransactionId;

/* The condition of a policy of ours, as it is about the rows of a relation that is the table, a partition of it, or inherits. */
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

/* The tables that a relation is a partition of, or inherits from, directly and indirectly. */
static List *
ancestors_of(Relation relation)
{
	Relation	inherits = table_open(InheritsRelationId, AccessShareLock);
	List	   *ancestors = list_make1_oid(RelationGetRelid(relation));
	ListCell   *cell;

	foreach(cell, ancestors)
	{
		ScanKeyData key;
		SysScanDesc scan;
		HeapTuple	tuple;

		ScanKeyInit(&key, Anum_pg_inherits_inhrelid, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(lfirst_oid(cell)));
		scan = systable_beginscan(inherits, InheritsRelidSeqnoIndexId, true, NULL, 1, &key);
		while (HeapTupleIsValid(tuple = systable_getnext(scan)))
			ancestors = list_append_unique_oid(ancestors, ((Form_pg_inherits) GETSTRUCT(tuple))->inhparent);
		systable_endscan(scan);
	}
	table_close(inherits, AccessShareLock);
	return list_delete_first(ancestors);
}

static ExprState *
prepare_condition(EState *estate, Relation relation, const char *name)
{
	Expr	   *condition = find_condition(relation, relation, name);
	ListCell   *cell;

	if (condition == NULL)
		foreach(cell, ancestors_of(relation))
		{
			Relation	table = table_open(lfirst_oid(cell), AccessShareLock);

			condition = find_condition(table, relation, name);
			table_close(table, NoLock);
			if (condition != NULL)
				break;
		}
	return condition == NULL ? NULL : ExecPrepareExpr(condition, estate);
}

/* Of a table, or of one above it, by which its rows were reached. */
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

static Conditions *
prepare(TriggerData *trigger, MemoryContext context)
{
	MemoryContext old = MemoryContextSwitchTo(context);
	Conditions *conditions = palloc0(sizeof(Conditions));
	Relation	relation = trigger->tg_relation;
	bool		is_update = TRIGGER_FIRED_BY_UPDATE(trigger->tg_event);

	conditions->are_asked = row_security_is_active(relation);
	if (conditions->are_asked)
	{
		conditions->estate = CreateExecutorState();
		conditions->own = prepare_condition(conditions->estate, relation, is_update ? "seeme_update" : "seeme_delete");
		if (!is_update && relation->rd_rel->relispartition)
			conditions->of_move = prepare_condition(conditions->estate, relation, "seeme_update");
	}
	MemoryContextSwitchTo(old);
	return conditions;
}

static bool
is_true_of(ExprState *condition, EState *estate, TupleTableSlot *row)
{
	ExprContext *context = GetPerTupleExprContext(estate);
	bool		isnull;
	bool		held;

	context->ecxt_scantuple = row;
	held = DatumGetBool(ExecEvalExprSwitchContext(condition, context, &isnull)) && !isnull;
	ResetExprContext(context);
	return held;
}

/* Forgets the rows of commands that have ended: of this one and later ones, or only of later ones. */
static CommandId
forget_moving(bool later_only)
{
	CommandId	command = GetActiveSnapshot()->curcid;

	if (moving_in != seeme_local_xid())
		nmoving = 0;
	moving_in = seeme_local_xid();
	while (nmoving > 0 && (later_only ? moving[nmoving - 1].command > command : moving[nmoving - 1].command >= command))
		nmoving--;
	return command;
}

/* Nested more deeply than that, a move takes the right to delete. */
static void
note_moving(TriggerData *trigger)
{
	CommandId	command = forget_moving(false);

	if (nmoving < MAX_MOVING)
		moving[nmoving++] = (Moving) {command, RelationGetRelid(trigger->tg_relation), trigger->tg_trigslot->tts_tid};
}

/* Whether this command has asked, just before, to UPDATE the row that it deletes now. */
static bool
is_moving(TriggerData *trigger)
{
	CommandId	command = forget_moving(true);
	Moving	   *last = nmoving > 0 ? &moving[nmoving - 1] : NULL;

	return last != NULL && last->command == command && last->partition == RelationGetRelid(trigger->tg_relation) &&
		ItemPointerEquals(&last->row, &trigger->tg_trigslot->tts_tid);
}

static bool
is_let_through(Conditions *conditions, TriggerData *trigger)
{
	TupleTableSlot *row = trigger->tg_trigslot;

	return !conditions->are_asked ||
		(conditions->own != NULL && is_true_of(conditions->own, conditions->estate, row)) ||
		(conditions->of_move != NULL && is_moving(trigger) && is_true_of(conditions->of_move, conditions->estate, row));
}

/*
 * seeme.ask_after_wait() RETURNS trigger
 *
 * Before UPDATE or DELETE of a row: leaves a row alone whose right was lost while the statement waited for it, as row
 * security does. The policy's functions are called as whoever runs the statement, as those of the policy are.
 *
 * With an argument, it asks of the new row, too (42501): where the policy says all that there is to say of a row that moves, it
 * does so also for who comes by a view whose owner bypasses row security.
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
	if (!is_let_through(conditions, trigger))
		PG_RETURN_POINTER(NULL);
	if (TRIGGER_FIRED_BY_DELETE(trigger->tg_event))
		PG_RETURN_POINTER(trigger->tg_trigtuple);
	if (conditions->are_asked && trigger->tg_trigger->tgnargs > 0 &&
		(conditions->own == NULL || !is_true_of(conditions->own, conditions->estate, trigger->tg_newslot)))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("new row violates row-level security policy for table \"%s\"", RelationGetRelationName(trigger->tg_relation))));
	if (trigger->tg_relation->rd_rel->relispartition)
		note_moving(trigger);
	PG_RETURN_POINTER(trigger->tg_newtuple);
}
