/*
 * parent_read.c: reads the row of a parent by its key, and applies the parent's condition to it.
 *
 * Row security is not asked: the row tells where the child lies, and nobody gets to see it. Rows
 * are read under the active snapshot, so that a statement sees children and parents of one state.
 *
 * Owns the row that was read last. Must not keep it for longer than a snapshot shows it. Must not
 * decide: the arms of the condition do.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/relscan.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "executor/executor.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "core/compat.h"
#include "core/uuid_hash.h"
#include "planner/parent_read.h"
#include "planner/policy_arms.h"

/* Describes what the active snapshot shows. */
void
seeme_describe_snapshot(SeemeSnapshotState *state)
{
	Snapshot	snapshot = GetActiveSnapshot();

	memset(state, 0, sizeof(*state));
	state->transaction = seeme_local_xid();
	state->subtransaction = GetCurrentSubTransactionId();
	state->command = snapshot->curcid;
	state->xmin = snapshot->xmin;
	state->xmax = snapshot->xmax;
	state->xcnt = snapshot->xcnt;
	state->subxcnt = snapshot->subxcnt;
}

/* The key as the key of a hash table; false: it is too long. */
bool
seeme_pack_parent_key(Oid type, Datum key, pg_uuid_t *packed)
{
	int64		integer;
	text	   *string;

	if (type == UUIDOID)
	{
		*packed = *DatumGetUUIDP(key);
		return true;
	}
	memset(packed, 0, sizeof(*packed));
	if (seeme_integer_of_key(type, key, &integer))
	{
		memcpy(packed, &integer, sizeof(integer));
		return true;
	}
	string = DatumGetTextPP(key);
	if (VARSIZE_ANY_EXHDR(string) >= UUID_LEN)
		return false;
	memcpy(packed, VARDATA_ANY(string), VARSIZE_ANY_EXHDR(string));
	packed->data[UUID_LEN - 1] = VARSIZE_ANY_EXHDR(string);
	return true;
}

/*
 * The row that was read last, while the same snapshot would show it. An UPDATE asks for the same
 * parent several times: for each policy, for the new row, and once the row is locked.
 */
typedef struct LastRow
{
	bool		is_known;
	SeemeSnapshotState snapshot;
	Oid			relid;
	AttrNumber	key_column;		/* children may refer to different ones */
	Oid			key_type;
	pg_uuid_t	key;
	HeapTuple	row;
} LastRow;

static LastRow last_row;

/* Whether what the snapshot shows stays the same while its description does. */
static bool
is_stable(const SeemeSnapshotState *state)
{
	/* Not if it shows what the running command itself does: seeme_push_latest_snapshot(). */
	return state->command <= GetCurrentCommandId(false) && !IsInParallelMode();
}

static void
remember_row(const SeemeSnapshotState *state, SeemeParentLeaf *leaf, Oid key_type,
			 const pg_uuid_t *key, TupleTableSlot *slot)
{
	MemoryContext old = MemoryContextSwitchTo(TopMemoryContext);

	last_row.is_known = false;
	if (last_row.row != NULL)
		heap_freetuple(last_row.row);
	last_row.row = NULL;
	last_row.row = ExecCopySlotHeapTuple(slot);
	MemoryContextSwitchTo(old);
	last_row.snapshot = *state;
	last_row.relid = leaf->relid;
	last_row.key_column = leaf->key;
	last_row.key_type = key_type;
	last_row.key = *key;
	last_row.is_known = true;
}

/* Does something with the row that was read last. */
static bool
use_last_row(SeemeParentLeaf *leaf, SeemeUseParent use, void *context)
{
	Relation	table = table_open(leaf->relid, AccessShareLock);
	TupleTableSlot *slot = MakeSingleTupleTableSlot(RelationGetDescr(table), &TTSOpsHeapTuple);
	HeapTuple	row = heap_copytuple(last_row.row);
	bool		result;

	ExecStoreHeapTuple(row, slot, false);
	result = use(leaf, slot, context);
	ExecDropSingleTupleTableSlot(slot);
	table_close(table, NoLock);
	return result;
}

/* Does something with the row of this key, if the table has it. */
static bool
use_row(SeemeParent *parent, SeemeParentLeaf *leaf, Datum key, SeemeUseParent use, void *context,
		bool *found)
{
	SeemeSnapshotState state;
	pg_uuid_t	packed;
	bool		is_kept;
	Relation	table;
	Relation	index;
	TupleTableSlot *slot;
	IndexScanDesc scan;
	ScanKeyData scan_key;
	Oid			left;
	Oid			right;
	bool		result = false;

	seeme_describe_snapshot(&state);
	is_kept = is_stable(&state) && seeme_pack_parent_key(parent->key_type, key, &packed);
	if (is_kept && last_row.is_known && last_row.relid == leaf->relid &&
		last_row.key_column == leaf->key && last_row.key_type == parent->key_type &&
		seeme_uuid_equal(&last_row.key, &packed) &&
		memcmp(&last_row.snapshot, &state, sizeof(state)) == 0)
	{
		*found = true;
		return use_last_row(leaf, use, context);
	}
	table = table_open(leaf->relid, AccessShareLock);
	index = index_open(leaf->index, AccessShareLock);
	slot = table_slot_create(table, NULL);
	op_input_types(parent->equal, &left, &right);
	ScanKeyEntryInitialize(&scan_key, 0, 1, BTEqualStrategyNumber, right,
						   index->rd_indcollation[0], get_opcode(parent->equal), key);
	scan = seeme_index_beginscan(table, index, GetActiveSnapshot(), 1);
	index_rescan(scan, &scan_key, 1, NULL, 0);
	*found = index_getnext_slot(scan, ForwardScanDirection, slot);
	if (*found)
	{
		if (is_kept)
			remember_row(&state, leaf, parent->key_type, &packed, slot);
		result = use(leaf, slot, context);
	}
	index_endscan(scan);
	ExecDropSingleTupleTableSlot(slot);
	index_close(index, NoLock);
	table_close(table, NoLock);
	return result;
}

/*
 * Does something with the parent's row of this key, and returns what came of it; false: there is no
 * such row. Leaves memory behind.
 */
bool
seeme_use_parent(SeemeParent *parent, Datum key, SeemeUseParent use, void *context)
{
	ListCell   *cell;

	foreach(cell, parent->leaves)
	{
		bool		found;
		bool		result = use_row(parent, lfirst(cell), key, use, context, &found);

		if (found)
			return result;
	}
	return false;
}

/* Whether the condition of a parent is true of its row. */
bool
seeme_row_holds(SeemeParent *parent, SeemeParentLeaf *leaf, TupleTableSlot *slot)
{
	bool		is_copy;
	HeapTuple	tuple = ExecFetchSlotHeapTuple(slot, false, &is_copy);
	SeemeRows	rows = {1, tuple, slot->tts_tupleDescriptor};
	ExprContext *context;
	bool		held;
	ListCell   *cell;

	held = leaf->arms != NIL && seeme_decide_rows(leaf->arms, &rows) != 0;
	if (held || leaf->others == NIL)
		return held;
	context = GetPerTupleExprContext(parent->estate);
	context->ecxt_scantuple = slot;
	foreach(cell, leaf->others)
	{
		bool		isnull;
		Datum		value = ExecEvalExprSwitchContext(lfirst(cell), context, &isnull);

		if (!isnull && DatumGetBool(value))
		{
			held = true;
			break;
		}
	}
	ResetExprContext(context);
	return held;
}

/* Converts a key of the parent to the type of its children; false: no child can have it. */
bool
seeme_convert_parent_key(SeemeParent *parent, Datum *key)
{
	int64		integer;

	if (parent->own_key_type == parent->key_type ||
		!seeme_integer_of_key(parent->own_key_type, *key, &integer))
		return true;
	switch (parent->key_type)
	{
		case INT2OID:
			*key = Int16GetDatum((int16) integer);
			return integer >= PG_INT16_MIN && integer <= PG_INT16_MAX;
		case INT4OID:
			*key = Int32GetDatum((int32) integer);
			return integer >= PG_INT32_MIN && integer <= PG_INT32_MAX;
		default:
			*key = Int64GetDatum(integer);
			return true;
	}
}
