/*
 * new_row.c: a policy's check of a new row, left out where it cannot say anything else than it said of the old one.
 *
 * An UPDATE asks its policies of the row that it finds, and again of what it makes of it. Where the scope's column is none that
 * the command sets, and nothing else can change it on the way, that is the same question; each costs as much as a tenth of a
 * point update. Should the right be lost in between, the trigger of after_wait.c asks with the row locked, as always.
 *
 * Owns the planner's hook for whole statements. Leaves everything that it does not know as it is.
 */
#include "postgres.h"

#include "access/table.h"
#include "catalog/pg_trigger.h"
#include "commands/trigger.h"
#include "optimizer/planner.h"
#include "parser/parsetree.h"
#include "utils/rel.h"

#include "after_wait.h"
#include "call.h"
#include "compat.h"
#include "new_row.h"

static planner_hook_type next_planner_hook = NULL;

/* Whether something but the command's SET may change a column: a trigger, an expression, or the way to another table. */
static bool
may_change_by_itself(Oid relid, AttrNumber column)
{
	static SeemeKnownFunction asks_only;
	Relation	table = table_open(relid, NoLock);
	TriggerDesc *triggers = table->trigdesc;
	bool		may_change = table->rd_rel->relhassubclass ||
		TupleDescAttr(RelationGetDescr(table), column - 1)->attgenerated != '\0';

	for (int i = 0; triggers != NULL && i < triggers->numtriggers && !may_change; i++)
	{
		Trigger    *trigger = &triggers->triggers[i];

		if (TRIGGER_FOR_ROW(trigger->tgtype) && TRIGGER_FOR_BEFORE(trigger->tgtype) && TRIGGER_FOR_UPDATE(trigger->tgtype) &&
			trigger->tgenabled != TRIGGER_DISABLED)
			may_change = !seeme_is_function(&asks_only, trigger->tgfoid, seeme_ask_after_wait);
	}
	table_close(table, NoLock);
	return may_change;
}

static bool
is_set(Query *update, AttrNumber column)
{
	ListCell   *cell;

	foreach(cell, update->targetList)
		if (!lfirst_node(TargetEntry, cell)->resjunk && lfirst_node(TargetEntry, cell)->resno == column)
			return true;
	return false;
}

static bool
was_asked_of_old_row(Query *update, WithCheckOption *check)
{
	RangeTblEntry *target = rt_fetch(update->resultRelation, update->rtable);
	AttrNumber	column;

	if (check->kind != WCO_RLS_UPDATE_CHECK || target->rtekind != RTE_RELATION ||
		!seeme_is_call(check->qual, update->resultRelation) || !list_member(target->securityQuals, check->qual))
		return false;
	column = seeme_scope_column((FuncExpr *) check->qual)->varattno;
	return !is_set(update, column) && !may_change_by_itself(target->relid, column);
}

static PlannedStmt *
plan(SEEME_PLANNER_PARAMETERS)
{
	ListCell   *cell;

	if (query->commandType == CMD_UPDATE)
		foreach(cell, query->withCheckOptions)
			if (was_asked_of_old_row(query, lfirst_node(WithCheckOption, cell)))
				query->withCheckOptions = foreach_delete_current(query->withCheckOptions, cell);
	if (next_planner_hook != NULL)
		return next_planner_hook(SEEME_PLANNER_ARGUMENTS);
	return standard_planner(SEEME_PLANNER_ARGUMENTS);
}

void
seeme_new_row_init(void)
{
	next_planner_hook = planner_hook;
	planner_hook = plan;
}
