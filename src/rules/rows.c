/*
 * rows.c: what the rules about rows of the extension's own tables have in common.
 *
 * A rule runs before each row. Most rows of a statement ask the same questions: may this person add
 * members here, which organization has this project. So each answer is looked up once and kept in a
 * memo, which lasts for one statement at most.
 *
 * When is the memo valid? A statement of 100,000 rows takes a while and may wait for locks. It must
 * notice a revocation that commits meanwhile. So each row first accepts invalidations. The memo is
 * discarded after a change of anything that the answers depend on: roles, organizations, teams,
 * projects, the rights of everybody, or those of the asking person. It is kept after changes of
 * other people's rights, which are mostly the statement's own rows. Dates pass, too: no answer is
 * older than 100 ms.
 *
 * Only a yes is kept. These triggers run no SQL, so a decision reads the tables as they were before
 * the statement. Before a no raises an error, it is looked up again, with the statement's own rows:
 * a statement may add somebody to an organization and to one of its projects.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/fmgrprotos.h"
#include "utils/memutils.h"
#include "utils/rls.h"
#include "utils/snapmgr.h"

#include "core/version.h"
#include "functions/arguments.h"
#include "guards/restoring.h"
#include "rules/rows.h"

/* How long an answer is kept, in microseconds. */
#define MEMO_TIME INT64CONST(100000)

/* How many answers are kept. */
#define MEMO_SIZE 10000

/* A trigger function that writes tables of the extension works on tables of the extension only. */
void
seeme_require_own_table(Relation table)
{
	if (RelationGetNamespace(table) != get_namespace_oid("seeme", true))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("this trigger is for tables of the schema seeme")));
}

static SeemeRowState *
make_state(FunctionCallInfo fcinfo, const SeemeRowColumn *columns, int ncolumns)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;
	Relation	table = trigger->tg_relation;
	SeemeRowState *state = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(SeemeRowState));

	Assert(ncolumns <= SEEME_MAX_ROW_COLUMNS);
	seeme_require_own_table(table);
	state->context = fcinfo->flinfo->fn_mcxt;
	state->table = table;
	for (int i = 0; i < ncolumns; i++)
	{
		int			number = SPI_fnumber(RelationGetDescr(table), columns[i].name);

		if (number <= 0 || TupleDescAttr(RelationGetDescr(table),
										 number - 1)->atttypid != columns[i].type)
			elog(ERROR, "table %s has no column %s of the type that trigger %s is for",
				 RelationGetRelationName(table),
				 columns[i].name, trigger->tg_trigger->tgname);
		state->columns[i] = number;
	}
	state->asks_policies = check_enable_rls(RelationGetRelid(table), InvalidOid,
											true) == RLS_ENABLED;
	state->may_restore = seeme_is_restoring();
	fcinfo->flinfo->fn_extra = state;
	return state;
}

static uint64
changes_of(const SeemeIdentity *asker)
{
	/* An API key also depends on the user who made it, and whoever is acted for on the actor. */
	return asker->has_key || asker->has_actor ? seeme_generation :
		seeme_bucket_generations[seeme_inval_bucket(&asker->user_id)];
}

static bool
memo_is_good(const SeemeRowState *state, const SeemeIdentity *asker, TimestampTz now)
{
	if (now > state->good_until || state->is_identified != (asker != NULL) ||
		memcmp(state->changes, seeme_generations, sizeof(state->changes)) != 0)
		return false;
	return asker == NULL ||
		(seeme_same_identity(&state->asker, asker) &&
		 state->asker.issued_at == asker->issued_at &&
		 state->asker.expires_at == asker->expires_at &&
		 state->changes_of_asker == changes_of(asker));
}

static void
forget_all(SeemeRowState *state)
{
	state->memo = NULL;
	if (state->memo_context != NULL)
		MemoryContextReset(state->memo_context);
}

/*
 * Begins a row. Returns the state of the trigger in this statement, with a memo that is valid now.
 * Called before anything else, for each row.
 */
SeemeRowState *
seeme_begin_row(FunctionCallInfo fcinfo, const SeemeRowColumn *columns, int ncolumns)
{
	SeemeRowState *state = fcinfo->flinfo->fn_extra;
	const SeemeIdentity *asker;
	TimestampTz now = GetCurrentTimestamp();

	if (state == NULL)
		state = make_state(fcinfo, columns, ncolumns);
	AcceptInvalidationMessages();
	asker = seeme_current_identity();
	if (memo_is_good(state, asker, now))
		return state;

	forget_all(state);
	memcpy(state->changes, seeme_generations, sizeof(state->changes));
	state->good_until = now + MEMO_TIME;
	state->is_identified = asker != NULL;
	state->acts = false;
	if (asker != NULL)
	{
		LOCAL_FCINFO(call, 0);

		state->asker = *asker;
		state->changes_of_asker = changes_of(asker);
		InitFunctionCallInfoData(*call, NULL, 0, InvalidOid, NULL, NULL);
		(void) seeme_user_id(call);
		state->acts = !call->isnull;
	}
	return state;
}

/* Whether the rows are accepted as a dump has them. */
bool
seeme_takes_as_is(const SeemeRowState *state)
{
	return state->may_restore && !state->is_identified;
}

/*
 * Looks a question up in the memo. If the answer is not known yet, the caller finds it and fills in
 * the entry, or throws: an error ends the statement and its memo.
 */
SeemeMemoEntry *
seeme_recall(SeemeRowState *state, int question, SeemeScopeKind level, const pg_uuid_t *scope,
			 const pg_uuid_t *other, bool *known)
{
	SeemeMemoKey key;
	SeemeMemoEntry *entry;

	if (state->memo != NULL && hash_get_num_entries(state->memo) > MEMO_SIZE)
		forget_all(state);
	if (state->memo == NULL)
	{
		HASHCTL		control = {.keysize = sizeof(SeemeMemoKey),
		.entrysize = sizeof(SeemeMemoEntry)};

		if (state->memo_context == NULL)
			state->memo_context = AllocSetContextCreate(state->context,
														"seeme_rbac memo of a statement",
														ALLOCSET_SMALL_SIZES);
		control.hcxt = state->memo_context;
		state->memo = hash_create("seeme_rbac memo of a statement", 16, &control,
								  HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	}
	memset(&key, 0, sizeof(key));
	key.question = question;
	key.level = level;
	if (scope != NULL)
		key.scope = *scope;
	if (other != NULL)
		key.other = *other;
	entry = hash_search(state->memo, &key, HASH_ENTER, known);
	if (!*known)
	{
		entry->has_answer = false;
		memset(&entry->answer, 0, sizeof(entry->answer));
	}
	return entry;
}

/* The columns of a row. `column` is an index into the list that the state was made with. */

/* False: the column is null. */
bool
seeme_get_id(const SeemeRowState *state, HeapTuple row, int column, pg_uuid_t *id)
{
	bool		isnull;
	Datum		value = heap_getattr(row, state->columns[column], RelationGetDescr(state->table),
									 &isnull);

	if (isnull)
		memset(id, 0, sizeof(*id));
	else
		*id = *DatumGetUUIDP(value);
	return !isnull;
}

TimestampTz
seeme_get_time(const SeemeRowState *state, HeapTuple row, int column, TimestampTz if_null)
{
	bool		isnull;
	Datum		value = heap_getattr(row, state->columns[column], RelationGetDescr(state->table),
									 &isnull);

	return isnull ? if_null : DatumGetTimestampTz(value);
}

/* NULL: the column is null. */
char *
seeme_get_text(const SeemeRowState *state, HeapTuple row, int column)
{
	bool		isnull;
	Datum		value = heap_getattr(row, state->columns[column], RelationGetDescr(state->table),
									 &isnull);

	return isnull ? NULL : TextDatumGetCString(value);
}

static bool
is_same(TupleDesc tupdesc, HeapTuple a, HeapTuple b, int number)
{
	Form_pg_attribute attribute = TupleDescAttr(tupdesc, number - 1);
	bool		a_is_null;
	bool		b_is_null;
	Datum		of_a = heap_getattr(a, number, tupdesc, &a_is_null);
	Datum		of_b = heap_getattr(b, number, tupdesc, &b_is_null);

	if (a_is_null || b_is_null)
		return a_is_null && b_is_null;
	return datum_image_eq(of_a, of_b, attribute->attbyval, attribute->attlen);
}

bool
seeme_is_same(const SeemeRowState *state, HeapTuple a, HeapTuple b, int column)
{
	return is_same(RelationGetDescr(state->table), a, b, state->columns[column]);
}

/*
 * The first column that an UPDATE changes although it is not in the list of those that may change.
 * NULL: there is none. A column that is added to the table is protected until its rule lists it.
 * Generated columns follow the others.
 */
const char *
seeme_changed_column(const SeemeRowState *state, HeapTuple old, HeapTuple row,
					 const int *may_change, int nmay_change)
{
	TupleDesc	tupdesc = RelationGetDescr(state->table);

	for (int number = 1; number <= tupdesc->natts; number++)
	{
		Form_pg_attribute attribute = TupleDescAttr(tupdesc, number - 1);
		bool		may = attribute->attisdropped || attribute->attgenerated != '\0';

		for (int i = 0; i < nmay_change && !may; i++)
			may = state->columns[may_change[i]] == number;
		if (!may && !is_same(tupdesc, old, row, number))
			return NameStr(attribute->attname);
	}
	return NULL;
}

/* A row that changes again and again is not waited for for ever. */
#define MAX_LOCK_ATTEMPTS 100

/*
 * Finds the row with these keys: as it is committed now, or (`old`) as the transaction's own
 * snapshot shows it. If several rows have the keys, `is_wanted` chooses one. Returns the table, or
 * InvalidOid if there is no such row.
 */
static Oid
find_row(SeemeIndex index, int nkeys, const ScanKeyData *keys, bool (*is_wanted) (SeemeScan *scan),
		 bool old, ItemPointer tid)
{
	ScanKeyData keys_of_scan[2];
	SeemeStore	store;
	SeemeScan	scan;
	Oid			relid = InvalidOid;

	Assert(nkeys <= lengthof(keys_of_scan));
	memcpy(keys_of_scan, keys, sizeof(ScanKeyData) * nkeys);
	seeme_store_open(&store);
	if (old)
		store.snapshot = RegisterSnapshot(GetTransactionSnapshot());
	seeme_begin_scan(&store, &scan, index, nkeys, keys_of_scan);
	while (!OidIsValid(relid) && seeme_next_row(&scan))
		if (is_wanted == NULL || is_wanted(&scan))
		{
			relid = RelationGetRelid(scan.table);
			*tid = scan.tuple->t_self;
		}
	seeme_end_scan(&scan);
	seeme_store_close(&store);
	return relid;
}

static void
refuse_to_serialize(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
			 errmsg("could not serialize access due to concurrent update")));
}

/*
 * Locks the row with these keys FOR KEY SHARE and returns it as it is committed now. NULL: there is
 * none. Like SELECT ... FOR KEY SHARE, it waits for a transaction that is deleting the row, and
 * throws 40001 if the transaction's own snapshot still shows a row that is gone.
 */
HeapTuple
seeme_lock_row(SeemeIndex index, int nkeys, ScanKey keys, bool (*is_wanted) (SeemeScan *scan))
{
	for (int attempt = 0; attempt < MAX_LOCK_ATTEMPTS; attempt++)
	{
		ItemPointerData tid;
		Oid			relid = find_row(index, nkeys, keys, is_wanted, false, &tid);
		Relation	table;
		TupleTableSlot *slot;
		TM_FailureData failure;
		TM_Result	result;
		HeapTuple	row = NULL;

		if (!OidIsValid(relid) && attempt > 0)
		{
			if (IsolationUsesXactSnapshot() &&
				OidIsValid(find_row(index, nkeys, keys, is_wanted, true, &tid)))
				refuse_to_serialize();
			return NULL;
		}
		if (OidIsValid(relid))
		{
			table = table_open(relid, RowShareLock);
			slot = table_slot_create(table, NULL);
			result = table_tuple_lock(table, &tid, GetActiveSnapshot(), slot,
									  GetCurrentCommandId(true), LockTupleKeyShare,
									  LockWaitBlock, TUPLE_LOCK_FLAG_FIND_LAST_VERSION, &failure);
			if (result == TM_Ok)
				row = ExecCopySlotHeapTuple(slot);
			ExecDropSingleTupleTableSlot(slot);
			table_close(table, NoLock);
			if (row != NULL)
				return row;
		}
		/* The statement itself made or changed it, or it was deleted meanwhile: look again. */
		CommandCounterIncrement();
	}
	refuse_to_serialize();
	return NULL;
}

/* Whether errors name the row. They do for a role that could read the whole table anyway. */
bool
seeme_names_rows(void)
{
	return has_bypassrls_privilege(GetOuterUserId());
}

char *
seeme_id_text(const pg_uuid_t *id)
{
	return DatumGetCString(DirectFunctionCall1(uuid_out, UUIDPGetDatum(id)));
}
