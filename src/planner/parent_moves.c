/*
 * parent_moves.c: children and parents that are added or move.
 *
 * The trigger functions and policies of 40_moved_rows.sql and 39_row_conditions.sql call these. A
 * child's key comes as text from a trigger, which knows its row as jsonb.
 *
 * A comment leaves an organization when it is moved to a ticket of another one. A ticket takes its
 * comments along.
 *
 * Must not decide: moved_row.c and the arms of the parent's policy do.
 */
#include "postgres.h"

#include "commands/trigger.h"
#include "utils/builtins.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "core/store.h"
#include "core/version.h"
#include "functions/moved_row.h"
#include "planner/parent_places.h"
#include "planner/parent_read.h"
#include "planner/parent_rows.h"
#include "planner/parent_table.h"
#include "planner/recheck_trigger.h"

/* Calls of triggers, and of the policy of INSERT */

/*
 * seeme.may_hang_on(permission text, child regclass, key anyelement) RETURNS boolean
 *
 * By the latest state of the parent, with what the running statement has done itself: it may have
 * added the parent.
 */
SEEME_FUNCTION(seeme_may_hang_on, 3)
{
	SeemeParentSite *site;
	char	   *code;
	Datum		key = 0;
	bool		held;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || PG_ARGISNULL(2))
		PG_RETURN_BOOL(false);
	seeme_push_latest_snapshot(true);
	code = seeme_parent_code_argument(fcinfo, PG_GETARG_OID(1));
	site = seeme_parent_site_of_table(fcinfo, PG_GETARG_OID(1), code, 2, &key);
	held = seeme_parent_holds(site, key);
	PopActiveSnapshot();
	PG_RETURN_BOOL(held);
}

/* Rows that leave an organization */

typedef struct Gathering
{
	SeemeParent *parent;
	SeemeStore *store;
	List	   *places;			/* of SeemePlace * */
	bool		is_whole;		/* false: one of them does not exist any more */
} Gathering;

static void gather_places(SeemeParentSite *site, Datum key, Gathering *gathering);

static bool
gather_places_of_row(SeemeParentLeaf *leaf, TupleTableSlot *row, void *context)
{
	Gathering  *gathering = context;
	ListCell   *cell;

	foreach(cell, seeme_list_parent_places(gathering->parent, leaf, row))
	{
		SeemeParentPlace *place = lfirst(cell);
		List	   *found;

		if (place->scope.kind == SEEME_NO_SCOPE)
		{
			Gathering	above = {.store = gathering->store};

			gather_places(seeme_parent_site_above(place), place->key, &above);
			gathering->places = list_concat(gathering->places, above.places);
			gathering->is_whole = gathering->is_whole && above.is_whole;
			continue;
		}
		found = seeme_find_places(gathering->store, &place->scope);
		if (found == NIL && place->scope.kind != SEEME_SCOPE_RESOURCE)
			gathering->is_whole = false;
		gathering->places = list_concat(gathering->places, found);
	}
	return true;
}

/* Finds the places where a parent lies. */
static void
gather_places(SeemeParentSite *site, Datum key, Gathering *gathering)
{
	gathering->parent = seeme_open_parent_site(site);
	gathering->is_whole = true;
	if (!seeme_use_parent(gathering->parent, key, gather_places_of_row, gathering))
		gathering->is_whole = false;
}

/*
 * seeme.may_move_child_out(permission text, child regclass, key, new_key text, organization, team,
 * project, resource uuid, new_organization, new_team, new_project, new_resource uuid,
 * resource_type text) RETURNS boolean
 *
 * As seeme.may_move_out(), of a row with a parent before or after.
 */
SEEME_FUNCTION(seeme_may_move_child_out, 13)
{
	LOCAL_FCINFO(move, SEEME_MOVE_OUT_NARGS);
	SeemeStore	store;
	Gathering	before = {.store = &store, .is_whole = true};
	Gathering	after = {.store = &store, .is_whole = true};
	bool		is_same = !PG_ARGISNULL(2) && !PG_ARGISNULL(3) &&
	strcmp(TextDatumGetCString(PG_GETARG_DATUM(2)),
		   TextDatumGetCString(PG_GETARG_DATUM(3))) == 0;
	SeemeParentSite *site;
	Datum		key = 0;
	bool		may;

	if (PG_ARGISNULL(1))
		PG_RETURN_BOOL(false);
	(void) seeme_parent_code_argument(fcinfo, PG_GETARG_OID(1));
	seeme_push_latest_snapshot(true);
	seeme_store_open(&store);
	if (!PG_ARGISNULL(2) && !is_same)
	{
		site = seeme_parent_site_of_table(fcinfo, PG_GETARG_OID(1), "", 2, &key);
		gather_places(site, key, &before);
	}
	if (!PG_ARGISNULL(3))
	{
		site = seeme_parent_site_of_table(fcinfo, PG_GETARG_OID(1), "", 3, &key);
		gather_places(site, key, &after);
	}
	InitFunctionCallInfoData(*move, fcinfo->flinfo, SEEME_MOVE_OUT_NARGS, InvalidOid, NULL, NULL);
	move->args[0] = fcinfo->args[0];
	memcpy(&move->args[1], &fcinfo->args[4],
		   sizeof(NullableDatum) * (SEEME_MOVE_OUT_NARGS - 1));
	may = before.is_whole && seeme_may_leave_places(move, &store, before.places, after.places);
	seeme_store_close(&store);
	PopActiveSnapshot();
	PG_RETURN_BOOL(may);
}

/* Parents that move */

/*
 * seeme.check_moved_parent(code...) RETURNS trigger
 *
 * After UPDATE of a parent's scope columns: whoever moves it needs each of these codes, the update
 * of its children and of their children, where it lay. It raises 42501.
 */
SEEME_FUNCTION(seeme_check_moved_parent, 0)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;
	TupleTableSlot *row;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_FOR_ROW(trigger->tg_event) ||
		!TRIGGER_FIRED_BY_UPDATE(trigger->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("seeme.check_moved_parent is for triggers of UPDATE of a row")));
	row = trigger->tg_trigslot;
	if (seeme_row_security_is_active(trigger->tg_relation))
	{
		seeme_push_latest_snapshot(false);
		for (int i = 0; i < trigger->tg_trigger->tgnargs; i++)
		{
			const char *code = trigger->tg_trigger->tgargs[i];
			SeemeParent *parent = seeme_parent_by_itself(trigger->tg_relation, code);

			if (!seeme_row_holds(parent, linitial(parent->leaves), row))
				ereport(ERROR,
						(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
						 errmsg("you do not hold %s where this row of \"%s\" lies", code,
								RelationGetRelationName(trigger->tg_relation)),
						 errhint("A row that moves takes along the rows whose parent it is.")));
		}
		PopActiveSnapshot();
	}
	PG_RETURN_POINTER(trigger->tg_newtuple);
}
