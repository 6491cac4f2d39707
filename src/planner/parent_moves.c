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

#include "access/htup_details.h"
#include "access/transam.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

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

/* Parents that move, get another owner, or are removed */

/* The first code of a trigger that the asking person does not hold where a row lies; NULL: none. */
static const char *
missing_code(TriggerData *trigger)
{
	const char *missing = NULL;

	seeme_push_latest_snapshot(false);
	for (int i = 0; i < trigger->tg_trigger->tgnargs && missing == NULL; i++)
	{
		const char *code = trigger->tg_trigger->tgargs[i];
		SeemeParent *parent = seeme_parent_by_itself(trigger->tg_relation, code);

		if (!seeme_row_holds(parent, linitial(parent->leaves), trigger->tg_trigslot))
			missing = code;
	}
	PopActiveSnapshot();
	return missing;
}

static void
refuse_to_take_along(TriggerData *trigger, const char *missing)
{
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("you do not hold %s where this row of \"%s\" lies", missing,
					RelationGetRelationName(trigger->tg_relation)),
			 errhint("A row that moves takes along the rows whose parent it is.")));
}

/*
 * seeme.check_moved_parent(code...) RETURNS trigger
 *
 * After UPDATE of a parent's scope columns, or of its owner: whoever moves it needs each of these
 * codes, those of its children and of their children, where it lay. It raises 42501.
 */
SEEME_FUNCTION(seeme_check_moved_parent, 0)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;
	const char *missing;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_FOR_ROW(trigger->tg_event) ||
		!TRIGGER_FIRED_BY_UPDATE(trigger->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("seeme.check_moved_parent is for triggers of UPDATE of a row")));
	if (seeme_row_security_is_active(trigger->tg_relation) &&
		(missing = missing_code(trigger)) != NULL)
		refuse_to_take_along(trigger, missing);
	PG_RETURN_POINTER(trigger->tg_newtuple);
}

/*
 * The columns of built-in types, as texts. Keys and scope columns are such. The functions of other
 * types could be anybody's, and are not called.
 */
static void
row_as_texts(TupleTableSlot *row, Datum *names, Datum *texts)
{
	TupleDesc	columns = row->tts_tupleDescriptor;
	ArrayBuildState *name_array = initArrayResult(TEXTOID, CurrentMemoryContext, false);
	ArrayBuildState *text_array = initArrayResult(TEXTOID, CurrentMemoryContext, false);

	for (int i = 0; i < columns->natts; i++)
	{
		Form_pg_attribute column = TupleDescAttr(columns, i);
		Oid			type = column->attisdropped ? InvalidOid : getBaseType(column->atttypid);
		Datum		value;
		bool		isnull;
		Oid			output;
		bool		is_varlena;

		if (!OidIsValid(type) || type >= FirstNormalObjectId)
			continue;
		value = slot_getattr(row, i + 1, &isnull);
		getTypeOutputInfo(type, &output, &is_varlena);
		(void) accumArrayResult(name_array, CStringGetTextDatum(NameStr(column->attname)), false,
								TEXTOID, CurrentMemoryContext);
		(void) accumArrayResult(text_array, isnull ? (Datum) 0 :
								CStringGetTextDatum(OidOutputFunctionCall(output, value)), isnull,
								TEXTOID, CurrentMemoryContext);
	}
	*names = makeArrayResult(name_array, CurrentMemoryContext);
	*texts = makeArrayResult(text_array, CurrentMemoryContext);
}

/* Asks seeme.leaves_children(), as the owner of the extension: the children may be hidden. */
static bool
leaves_children(TriggerData *trigger, Oid function)
{
	Oid			types[3] = {OIDOID, TEXTARRAYOID, TEXTARRAYOID};
	Datum		values[3];
	HeapTuple	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
	Oid			owner;
	Oid			user;
	int			sec_context;
	int			level = NewGUCNestLevel();
	bool		isnull;
	bool		leaves;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for function %u", function);
	owner = ((Form_pg_proc) GETSTRUCT(tuple))->proowner;
	ReleaseSysCache(tuple);
	(void) set_config_option("search_path", "pg_catalog, pg_temp", PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
	GetUserIdAndSecContext(&user, &sec_context);
	SetUserIdAndSecContext(owner, sec_context | SECURITY_LOCAL_USERID_CHANGE);
	/* In REPEATABLE READ, too: a child may have been committed after the transaction's snapshot. */
	CommandCounterIncrement();
	seeme_push_latest_snapshot(true);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	values[0] = ObjectIdGetDatum(RelationGetRelid(trigger->tg_relation));
	row_as_texts(trigger->tg_trigslot, &values[1], &values[2]);
	if (SPI_execute_with_args("SELECT seeme.leaves_children($1, jsonb_object($2, $3))", 3, types,
							  values, NULL, true, 1) != SPI_OK_SELECT || SPI_processed != 1)
		elog(ERROR, "seeme.leaves_children did not answer");
	leaves = DatumGetBool(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1,
										&isnull));
	SPI_finish();
	PopActiveSnapshot();
	SetUserIdAndSecContext(user, sec_context);
	AtEOXact_GUC(true, level);
	return leaves;
}

/*
 * seeme.check_left_children(code...) RETURNS trigger
 *
 * After DELETE of a parent, or an UPDATE of its key. If children still refer to that key, another
 * row has it or will have it, and takes them along: whoever does that needs each of these codes
 * where the parent lay. It raises 42501.
 */
SEEME_FUNCTION(seeme_check_left_children, 0)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;
	const char *missing;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_FOR_ROW(trigger->tg_event) ||
		!TRIGGER_FIRED_AFTER(trigger->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("seeme.check_left_children is for triggers after a row is changed")));
	if (seeme_row_security_is_active(trigger->tg_relation) &&
		(missing = missing_code(trigger)) != NULL &&
		leaves_children(trigger, fcinfo->flinfo->fn_oid))
		refuse_to_take_along(trigger, missing);
	PG_RETURN_POINTER(NULL);
}
