/*
 * alter_table.c: drops a trigger of the extension that is in the way of ALTER TABLE.
 *
 * PostgreSQL changes the type of no column that a trigger names, and drops none. The trigger that follows the names of a protected
 * table's rows names two. It goes when a statement begins that changes one of them; an event trigger at the statement's end
 * (sql/install/40_followed_resources.sql) makes it again. Both happen in the statement's transaction, under the lock that it takes anyway.
 *
 * Owns the list of tables whose trigger was dropped. Reads the catalogs only, so that it works
 * with every version of the extension's tables. Must not decide who may alter a table.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/dependency.h"
#include "catalog/namespace.h"
#include "catalog/objectaddress.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_trigger.h"
#include "catalog/pg_type.h"
#include "commands/event_trigger.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#include "core/compat.h"
#include "core/version.h"

#define TRIGGER_NAME "zzz_seeme_follow_resource"

/* Tables whose trigger was dropped. After a rollback some have it again, which does no harm. */
static List *made_way = NIL;

/*
 * Finds the follow trigger of a table itself, not of its partitioned parent; false: there is
 * none.
 */
static bool
find_trigger(Oid relid, Oid *trigger, int *ncolumns, AttrNumber columns[2])
{
	Relation	triggers = table_open(TriggerRelationId, AccessShareLock);
	NameData	name;
	ScanKeyData keys[2];
	SysScanDesc scan;
	HeapTuple	tuple;
	bool		found = false;

	namestrcpy(&name, TRIGGER_NAME);
	ScanKeyInit(&keys[0], Anum_pg_trigger_tgrelid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(relid));
	ScanKeyInit(&keys[1], Anum_pg_trigger_tgname, BTEqualStrategyNumber, F_NAMEEQ,
				NameGetDatum(&name));
	scan = systable_beginscan(triggers, TriggerRelidNameIndexId, true, NULL, 2, keys);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
	{
		Form_pg_trigger form = (Form_pg_trigger) GETSTRUCT(tuple);
		char	   *function = get_func_name(form->tgfoid);

		found = !OidIsValid(form->tgparentid) && function != NULL &&
			strcmp(function, "follow_resource") == 0 &&
			get_func_namespace(form->tgfoid) == get_namespace_oid("seeme", true);
		*trigger = form->oid;
		*ncolumns = Min(form->tgattr.dim1, 2);
		for (int i = 0; i < *ncolumns; i++)
			columns[i] = form->tgattr.values[i];
	}
	systable_endscan(scan);
	table_close(triggers, AccessShareLock);
	return found;
}

/* An internal deletion fires no event triggers: no user dropped this. */
static void
drop_trigger(Oid trigger)
{
	ObjectAddress address;

	ObjectAddressSet(address, TriggerRelationId, trigger);
	performDeletion(&address, DROP_RESTRICT, PERFORM_DELETION_INTERNAL);
}

/*
 * Whether some commands of ALTER TABLE cannot be done while a trigger names these columns. The
 * first is the column of the ids, which cannot be dropped.
 */
static bool
stands_in_the_way(List *commands, Oid relid, int ncolumns, const AttrNumber *columns)
{
	ListCell   *cell;

	foreach(cell, commands)
	{
		AlterTableCmd *command = (AlterTableCmd *) lfirst(cell);
		AttrNumber	column;

		if (!IsA(command, AlterTableCmd) || command->name == NULL ||
			(command->subtype != AT_AlterColumnType && command->subtype != AT_DropColumn))
			continue;
		column = get_attnum(relid, command->name);
		for (int i = 0; i < ncolumns; i++)
			if (column == columns[i] && (i > 0 || command->subtype == AT_AlterColumnType))
				return true;
	}
	return false;
}

/*
 * seeme.drop_trigger_in_way() RETURNS event_trigger
 */
SEEME_FUNCTION_OF_ANY_VERSION(seeme_drop_trigger_in_way)
{
	AlterTableStmt *statement;
	Oid			relid;
	List	   *relids;
	ListCell   *cell;

	if (!CALLED_AS_EVENT_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("seeme.drop_trigger_in_way is an event trigger function")));
	statement = (AlterTableStmt *) ((EventTriggerData *) fcinfo->context)->parsetree;
	if (!IsA(statement, AlterTableStmt) || statement->relation == NULL)
		PG_RETURN_NULL();
	relid = RangeVarGetRelid(statement->relation, NoLock, true);
	/* ALTER TABLE refuses other roles itself, without waiting for a lock. */
	if (!OidIsValid(relid) || !seeme_owns_relation(relid))
		PG_RETURN_NULL();
	relids = statement->relation->inh && has_subclass(relid)
		? find_all_inheritors(relid, NoLock, NULL)
		: list_make1_oid(relid);
	foreach(cell, relids)
	{
		Oid			trigger;
		int			ncolumns;
		AttrNumber	columns[2];

		if (find_trigger(lfirst_oid(cell), &trigger, &ncolumns, columns) &&
			stands_in_the_way(statement->cmds, lfirst_oid(cell), ncolumns, columns))
		{
			MemoryContext old = MemoryContextSwitchTo(TopMemoryContext);

			made_way = list_append_unique_oid(made_way, lfirst_oid(cell));
			MemoryContextSwitchTo(old);
			drop_trigger(trigger);
		}
	}
	PG_RETURN_NULL();
}

/*
 * seeme.tables_with_dropped_trigger() RETURNS regclass[]
 */
SEEME_FUNCTION_OF_ANY_VERSION(seeme_tables_with_dropped_trigger)
{
	Datum	   *tables = palloc(sizeof(Datum) * Max(list_length(made_way), 1));
	int			n = list_length(made_way);
	ListCell   *cell;

	foreach(cell, made_way)
	{
		tables[foreach_current_index(cell)] = ObjectIdGetDatum(lfirst_oid(cell));
	}
	list_free(made_way);
	made_way = NIL;
	PG_RETURN_ARRAYTYPE_P(construct_array(tables, n, REGCLASSOID, sizeof(Oid), true, TYPALIGN_INT));
}

/*
 * seeme.drop_follow_trigger(relation regclass) RETURNS void
 */
SEEME_FUNCTION(seeme_drop_follow_trigger, 1)
{
	Oid			trigger;
	int			ncolumns;
	AttrNumber	columns[2];

	if (!superuser())
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied for function drop_follow_trigger")));
	if (find_trigger(PG_GETARG_OID(0), &trigger, &ncolumns, columns))
		drop_trigger(trigger);
	PG_RETURN_VOID();
}
