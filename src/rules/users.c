/*
 * users.c: what a row of seeme.users must satisfy before it is written.
 *
 * Two addresses are the same when the unique index on them says so: this file looks a new address
 * up in that index, by the index's own expression, and has no idea of its own. It decides nothing;
 * what goes with a person who is removed is for SQL.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/stratnum.h"
#include "access/xact.h"
#include "catalog/index.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "nodes/execnodes.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"

#include "core/version.h"
#include "rules/rows.h"
#include "rules/texts.h"

enum
{
	ID, USERNAME, EMAIL, FIRSTNAME, NAME, DATABASE_ROLE, IS_SERVICE, CREATED_AT, UPDATED_AT,
		SERVICE_ORGANIZATION_ID,
	NCOLUMNS
};

static const SeemeRowColumn columns[NCOLUMNS] = {
	[ID] = {"id", UUIDOID},
	[USERNAME] = {"username", TEXTOID},
	[EMAIL] = {"email", TEXTOID},
	[FIRSTNAME] = {"firstname", TEXTOID},
	[NAME] = {"name", TEXTOID},
	[DATABASE_ROLE] = {"database_role", NAMEOID},
	[IS_SERVICE] = {"is_service", BOOLOID},
	[CREATED_AT] = {"created_at", TIMESTAMPTZOID},
	[UPDATED_AT] = {"updated_at", TIMESTAMPTZOID},
	[SERVICE_ORGANIZATION_ID] = {"service_organization_id", UUIDOID},
};

/* The texts, and how long they may be. */
static const struct
{
	int			column;
	int			max_length;
}			texts[] = {{USERNAME, 200}, {EMAIL, 320}, {FIRSTNAME, 200}, {NAME, 200}};

/* What is needed to look an address up, made once for a statement. */
typedef struct AddressIndex
{
	Oid			relid;
	IndexInfo  *info;
	EState	   *estate;
	TupleTableSlot *slot;
} AddressIndex;

static int
row_detail(const SeemeRowState *state, HeapTuple row)
{
	pg_uuid_t	id;
	char	   *email = seeme_get_text(state, row, EMAIL);

	seeme_get_id(state, row, ID, &id);
	return !seeme_names_rows() ? 0 : errdetail("The user is %s, %s.", seeme_id_text(&id),
											   email == NULL ? "without an address" : email);
}

/*
 * Whoever writes database_role becomes the person, and whoever makes keys for a service becomes the
 * service.
 */
static void
require_administrator(SeemeRowState *state, HeapTuple old, HeapTuple row)
{
	TupleDesc	tupdesc = RelationGetDescr(state->table);
	pg_uuid_t	organization;
	bool		isnull;

	if (!state->asks_policies)
		return;
	if (old == NULL ? !heap_attisnull(row, state->columns[DATABASE_ROLE], tupdesc) :
		!seeme_is_same(state, old, row, DATABASE_ROLE))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("only an administrator says by which database role a person connects")));
	if (old == NULL ?
		DatumGetBool(heap_getattr(row, state->columns[IS_SERVICE], tupdesc, &isnull)) ||
		seeme_get_id(state, row, SERVICE_ORGANIZATION_ID, &organization) :
		!seeme_is_same(state, old, row, IS_SERVICE) ||
			!seeme_is_same(state, old, row, SERVICE_ORGANIZATION_ID))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("only an administrator says what is a service, and which organization it belongs to")));
}

static AddressIndex *
get_index(SeemeRowState *state)
{
	AddressIndex *index = state->more;
	MemoryContext caller;
	Relation	relation;

	if (index != NULL)
		return index;
	caller = MemoryContextSwitchTo(state->context);
	index = palloc(sizeof(AddressIndex));
	index->relid = get_relname_relid("users_email_key", RelationGetNamespace(state->table));
	relation = index_open(index->relid, AccessShareLock);
	index->info = BuildIndexInfo(relation);
	index_close(relation, AccessShareLock);
	index->estate = CreateExecutorState();
	index->slot = MakeSingleTupleTableSlot(CreateTupleDescCopy(RelationGetDescr(state->table)),
										   &TTSOpsHeapTuple);
	MemoryContextSwitchTo(caller);
	if (index->info->ii_NumIndexKeyAttrs != 1)
		elog(ERROR, "index users_email_key has not one column");
	state->more = index;
	return index;
}

/* Whether another user has the address of this row. */
static bool
address_is_taken(SeemeRowState *state, HeapTuple row, const pg_uuid_t *id)
{
	AddressIndex *index = get_index(state);
	Datum		values[INDEX_MAX_KEYS];
	bool		nulls[INDEX_MAX_KEYS];
	Relation	relation;
	IndexScanDesc scan;
	TupleTableSlot *found;
	ScanKeyData key;
	Snapshot	snapshot;
	bool		taken = false;

	if (heap_attisnull(row, state->columns[EMAIL], RelationGetDescr(state->table)))
		return false;
	ResetPerTupleExprContext(index->estate);
	ExecStoreHeapTuple(row, index->slot, false);
	GetPerTupleExprContext(index->estate)->ecxt_scantuple = index->slot;
	FormIndexDatum(index->info, index->slot, index->estate, values, nulls);
	if (nulls[0])
		return false;

	relation = index_open(index->relid, AccessShareLock);
	ScanKeyEntryInitialize(&key, 0, 1, BTEqualStrategyNumber, InvalidOid,
						   relation->rd_indcollation[0], F_TEXTEQ, values[0]);
	snapshot = RegisterSnapshot(GetLatestSnapshot());
	scan = seeme_index_beginscan(state->table, relation, snapshot, 1);
	index_rescan(scan, &key, 1, NULL, 0);
	found = table_slot_create(state->table, NULL);
	while (!taken && index_getnext_slot(scan, ForwardScanDirection, found))
	{
		bool		isnull;
		Datum		other = slot_getattr(found, state->columns[ID], &isnull);

		taken = isnull || !seeme_uuid_equal(DatumGetUUIDP(other), id);
	}
	ExecDropSingleTupleTableSlot(found);
	index_endscan(scan);
	UnregisterSnapshot(snapshot);
	index_close(relation, AccessShareLock);
	return taken;
}

static bool
organization_exists(const pg_uuid_t *id)
{
	SeemeStore	store;
	pg_uuid_t	owner;
	bool		exists;

	seeme_store_open(&store);
	exists = seeme_read_owner(&store, id, &owner);
	seeme_store_close(&store);
	return exists;
}

static HeapTuple
check_row(SeemeRowState *state, HeapTuple old, HeapTuple row)
{
	TupleDesc	tupdesc = RelationGetDescr(state->table);
	int			changed[lengthof(texts) + 2];
	Datum		values[lengthof(texts) + 2];
	bool		nulls[lengthof(texts) + 2];
	int			n;
	pg_uuid_t	id;
	pg_uuid_t	organization;
	bool		isnull;

	require_administrator(state, old, row);
	if (seeme_takes_as_is(state))
		return row;
	for (n = 0; n < lengthof(texts); n++)
	{
		char	   *value = seeme_checked_text(seeme_get_text(state, row, texts[n].column),
											   columns[texts[n].column].name,
											   texts[n].max_length);

		changed[n] = state->columns[texts[n].column];
		nulls[n] = value == NULL;
		values[n] = value == NULL ? (Datum) 0 : CStringGetTextDatum(value);
	}
	if (old != NULL)
	{
		changed[n] = state->columns[CREATED_AT];
		values[n] = heap_getattr(old, changed[n], tupdesc, &nulls[n]);
		n++;
		changed[n] = state->columns[UPDATED_AT];
		values[n] = TimestampTzGetDatum(GetCurrentTransactionStartTimestamp());
		nulls[n++] = false;
	}
	row = heap_modify_tuple_by_cols(row, tupdesc, n, changed, values, nulls);

	seeme_get_id(state, row, ID, &id);
	if (address_is_taken(state, row, &id))
		ereport(ERROR,
				(errcode(ERRCODE_UNIQUE_VIOLATION),
				 errmsg("there is a user with this e-mail address already"),
				 row_detail(state, row),
				 errhint("E-mail addresses are compared without regard to case."),
				 err_generic_string(PG_DIAG_SCHEMA_NAME, "seeme"),
				 err_generic_string(PG_DIAG_TABLE_NAME, "users"),
				 err_generic_string(PG_DIAG_CONSTRAINT_NAME, "users_email_key")));
	if (seeme_get_id(state, row, SERVICE_ORGANIZATION_ID, &organization))
	{
		if (!DatumGetBool(heap_getattr(row, state->columns[IS_SERVICE], tupdesc, &isnull)))
			ereport(ERROR,
					(errcode(ERRCODE_CHECK_VIOLATION),
					 errmsg("only a service belongs to an organization"),
					 row_detail(state, row),
					 errhint("Set is_service, too.")));
		if ((old == NULL || !seeme_is_same(state, old, row, SERVICE_ORGANIZATION_ID)) &&
			!organization_exists(&organization))
		{
			CommandCounterIncrement();	/* the statement itself may have made it */
			if (!organization_exists(&organization))
				ereport(ERROR,
						(errcode(ERRCODE_FOREIGN_KEY_VIOLATION),
						 errmsg("there is no such organization"),
						 row_detail(state, row),
						 errhint("A service belongs to an organization, or (null) to the database administrator.")));
		}
	}
	if (old != NULL && !seeme_is_same(state, old, row, ID))
		ereport(ERROR,
				(errcode(ERRCODE_CHECK_VIOLATION),
				 errmsg("a user's id never changes"),
				 row_detail(state, old)));
	return row;
}

/*
 * seeme.enforce_user_rules() RETURNS trigger
 */
SEEME_FUNCTION(seeme_enforce_user_rules, 0)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;
	SeemeRowState *state;

	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("seeme.enforce_user_rules is a trigger function")));
	seeme_require_own_table(trigger->tg_relation);
	if (!TRIGGER_FIRED_BEFORE(trigger->tg_event) || !TRIGGER_FIRED_FOR_ROW(trigger->tg_event) ||
		TRIGGER_FIRED_BY_DELETE(trigger->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("seeme.enforce_user_rules is for triggers before INSERT or UPDATE of a row")));
	state = seeme_begin_row(fcinfo, columns, NCOLUMNS);
	if (TRIGGER_FIRED_BY_INSERT(trigger->tg_event))
		return PointerGetDatum(check_row(state, NULL, trigger->tg_trigtuple));
	return PointerGetDatum(check_row(state, trigger->tg_trigtuple, trigger->tg_newtuple));
}
