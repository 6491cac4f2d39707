/*
 * follow_resource.c: the trigger by which assignments follow the rows of a protected table.
 *
 * Most rows that are deleted or renamed are assigned to no project, and never were. Two look-ups
 * tell. For the others, seeme.follow_assigned_resource() does the work, in PL/pgSQL.
 *
 * Must not decide, nor write.
 */
#include "postgres.h"

#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/tuptable.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"
#include "utils/uuid.h"

#include "core/store.h"
#include "core/version.h"

/* The trigger of UPDATE OF the id and the name. The table's owner may make others, not this one. */
#define FOLLOW_TRIGGER "zzz_seeme_follow_resource"

/* The column with the ids of resources, by that trigger; InvalidAttrNumber: there is none. */
static AttrNumber
id_column(Relation table, Oid function)
{
	for (int i = 0; i < table->trigdesc->numtriggers; i++)
	{
		Trigger    *trigger = &table->trigdesc->triggers[i];

		if (trigger->tgfoid == function && strcmp(trigger->tgname, FOLLOW_TRIGGER) == 0 &&
			trigger->tgnattr > 0 && trigger->tgattr[0] > 0 &&
			TupleDescAttr(RelationGetDescr(table), trigger->tgattr[0] - 1)->atttypid == UUIDOID)
			return trigger->tgattr[0];
	}
	return InvalidAttrNumber;
}

/* Whether the resource of a row is assigned to a project, or was. */
static bool
is_or_was_assigned(SeemeStore *store, const char *type, TupleTableSlot *row, AttrNumber column)
{
	bool		isnull;
	Datum		id = slot_getattr(row, column, &isnull);

	return !isnull &&
		(seeme_list_assignments(store, DatumGetUUIDP(id), type, 1) != NIL ||
		 seeme_read_released(store, type, DatumGetUUIDP(id), NULL));
}

/* Whether there is anything to do for the rows of a trigger's event. */
static bool
has_to_follow(TriggerData *trigger, Oid function)
{
	SeemeStore	store;
	AttrNumber	column;
	bool		found;

	if (TRIGGER_FIRED_FOR_STATEMENT(trigger->tg_event) || trigger->tg_trigger->tgnargs < 1)
		return true;
	column = id_column(trigger->tg_relation, function);
	if (column == InvalidAttrNumber)
		return true;
	seeme_store_open(&store);
	found = is_or_was_assigned(&store, trigger->tg_trigger->tgargs[0], trigger->tg_trigslot,
							   column) ||
		(TRIGGER_FIRED_BY_UPDATE(trigger->tg_event) &&
		 is_or_was_assigned(&store, trigger->tg_trigger->tgargs[0], trigger->tg_newslot, column));
	seeme_store_close(&store);
	return found;
}

/* The function that does the work, in the schema of this one. */
static FmgrInfo *
find_follower(FmgrInfo *function)
{
	FmgrInfo   *follower = function->fn_extra;

	if (follower == NULL)
	{
		Oid			oid = GetSysCacheOid3(PROCNAMEARGSNSP, Anum_pg_proc_oid,
										  CStringGetDatum("follow_assigned_resource"),
										  PointerGetDatum(buildoidvector(NULL, 0)),
										  ObjectIdGetDatum(get_func_namespace(function->fn_oid)));

		follower = MemoryContextAlloc(function->fn_mcxt, sizeof(FmgrInfo));
		fmgr_info_cxt(oid, follower, function->fn_mcxt);
		function->fn_extra = follower;
	}
	return follower;
}

/*
 * seeme.follow_resource() RETURNS trigger
 */
SEEME_FUNCTION(seeme_follow_resource, 0)
{
	LOCAL_FCINFO(call, 0);

	if (!CALLED_AS_TRIGGER(fcinfo) ||
		!TRIGGER_FIRED_AFTER(((TriggerData *) fcinfo->context)->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("seeme.follow_resource is a function for triggers after a change")));
	if (!has_to_follow((TriggerData *) fcinfo->context, fcinfo->flinfo->fn_oid))
		return PointerGetDatum(NULL);
	InitFunctionCallInfoData(*call, find_follower(fcinfo->flinfo), 0, InvalidOid, fcinfo->context,
							 NULL);
	return FunctionCallInvoke(call);
}
