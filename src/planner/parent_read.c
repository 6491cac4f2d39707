/*
 * parent_read.c: reads the row of a parent by its key, and applies the parent's condition to it.
 *
 * Row security is not asked: the row tells where the child lies, and nobody gets to see it. Rows
 * are read under the active snapshot, so that a statement sees children and parents of one state.
 *
 * Owns the hints where rows were found. Must not keep a row, nor decide: the arms of the condition
 * do.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/heapam.h"
#include "access/htup_details.h"
#include "access/relscan.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/transam.h"
#include "access/xact.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "port/pg_bswap.h"
#include "storage/bufmgr.h"
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

#ifdef HAVE_INT128

/* A prime. Each chunk of a text is smaller, and so is each hash. */
#define MERSENNE_61 ((UINT64CONST(1) << 61) - 1)
#define BYTES_PER_CHUNK 7

/* (hash + chunk) * factor, modulo the prime */
static inline uint64
add_chunk(uint64 hash, uint64 chunk, uint64 factor)
{
	uint64		sum = hash + chunk;
	uint128		product = (uint128) (sum >= MERSENNE_61 ? sum - MERSENNE_61 : sum) * factor;

	sum = (uint64) (product & MERSENNE_61) + (uint64) (product >> 61);
	return sum >= MERSENNE_61 ? sum - MERSENNE_61 : sum;
}

/* Seven of eight bytes: the last ones or the first ones, by the byte order */
static inline uint64
read_chunk(const char *bytes)
{
	uint64		word;

	memcpy(&word, bytes, sizeof(word));
	return word >> 8;
}

/*
 * Packs a long text: two polynomials of its chunks, at two secret random places. For two texts that
 * were chosen without knowledge of these, both polynomials agree with a probability of less than
 * (chunks / 2^59)^2. So a million keys of 100 bytes hold such a pair with a probability below
 * 2^-70, whoever chose the keys. Nothing shows a hash to anybody.
 */
static bool
pack_long_text(const char *string, Size length, pg_uuid_t *packed)
{
	uint64		hashes[2];
	uint64		first;
	uint64		second;
	uint64		chunk;

	if (unlikely(seeme_hash_keys[0] == 0))
		seeme_hash_init();
	first = seeme_hash_keys[0] & MERSENNE_61;
	second = seeme_hash_keys[1] & MERSENNE_61;
	/* The chunks leave out the first byte or the last one. The last chunk may overlap another. */
	chunk = (uint64) length << 16 | (uint64) (unsigned char) string[0] << 8 |
		(unsigned char) string[length - 1];
	hashes[0] = add_chunk(0, chunk, first);
	hashes[1] = add_chunk(0, chunk, second);
	for (Size i = 0; i < length - sizeof(uint64); i += BYTES_PER_CHUNK)
	{
		chunk = read_chunk(string + i);
		hashes[0] = add_chunk(hashes[0], chunk, first);
		hashes[1] = add_chunk(hashes[1], chunk, second);
	}
	chunk = read_chunk(string + length - sizeof(uint64));
	hashes[0] = add_chunk(hashes[0], chunk, first);
	hashes[1] = add_chunk(hashes[1], chunk, second);
	/* The last byte of a short text is its length. The highest bits of a hash are free. */
	hashes[1] |= UINT64CONST(7) << 61;
#ifdef WORDS_BIGENDIAN
	hashes[1] = pg_bswap64(hashes[1]);
#endif
	memcpy(packed, hashes, sizeof(hashes));
	return true;
}

#else

static bool
pack_long_text(const char *string, Size length, pg_uuid_t *packed)
{
	return false;
}

#endif

/* The key as the key of a hash table; false: it is too long. */
bool
seeme_pack_parent_key(Oid type, Datum key, pg_uuid_t *packed)
{
	int64		integer;
	text	   *string;
	Size		length;

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
	length = VARSIZE_ANY_EXHDR(string);
	if (length >= UUID_LEN)
		return pack_long_text(VARDATA_ANY(string), length, packed);
	memcpy(packed, VARDATA_ANY(string), length);
	packed->data[UUID_LEN - 1] = length;
	return true;
}

/*
 * Where rows of a heap were found. The next look-up of a key tries this place before the index. It
 * is a mere hint. The page has to be in that buffer still, and a row there has to be visible to the
 * snapshot and have the key. Then the unique index has no other one.
 */
typedef struct RowHint
{
	Oid			relid;			/* invalid: the hint is free */
	AttrNumber	key_column;		/* children may refer to different ones */
	ItemPointerData tid;		/* that of the index entry */
	Buffer		buffer;
	pg_uuid_t	key;			/* packed */
} RowHint;

#define NHINTS 512

static RowHint hints[NHINTS];

/* The hint for a key, which may be about another one. */
static RowHint *
hint_for(SeemeParentLeaf *leaf, const pg_uuid_t *key)
{
	uint64		words[2];

	memcpy(words, key, sizeof(words));
	return &hints[seeme_hash_words(words[0], words[1] ^ leaf->relid) % NHINTS];
}

/* Reads the row where the hint for a key says; false: it is not there. */
static bool
read_by_hint(SeemeParent *parent, SeemeParentLeaf *leaf, Relation table, const pg_uuid_t *key,
			 TupleTableSlot *slot)
{
	RowHint    *hint = hint_for(leaf, key);
	HeapTuple	row = &((BufferHeapTupleTableSlot *) slot)->base.tupdata;
	ItemPointerData tid = hint->tid;
	bool		is_there;
	bool		isnull;
	Datum		found;
	pg_uuid_t	packed;

	/* A relation whose file was replaced has none of its former pages in the buffers. */
	if (hint->relid != leaf->relid || hint->key_column != leaf->key ||
		!seeme_uuid_equal(&hint->key, key) ||
		!ReadRecentBuffer(seeme_locator(table), MAIN_FORKNUM, ItemPointerGetBlockNumber(&tid),
						  hint->buffer))
		return false;
	LockBuffer(hint->buffer, BUFFER_LOCK_SHARE);
	is_there = heap_hot_search_buffer(&tid, table, hint->buffer, GetActiveSnapshot(), row, NULL,
									  true);
	LockBuffer(hint->buffer, BUFFER_LOCK_UNLOCK);
	if (!is_there)
	{
		ReleaseBuffer(hint->buffer);
		return false;
	}
	ExecStorePinnedBufferHeapTuple(row, slot, hint->buffer);
	found = slot_getattr(slot, leaf->key, &isnull);
	if (!isnull && seeme_pack_parent_key(parent->own_key_type, found, &packed) &&
		seeme_uuid_equal(&packed, key))
		return true;
	ExecClearTuple(slot);
	return false;
}

/* Notes where a row was found. */
static void
set_hint(SeemeParentLeaf *leaf, Relation table, const pg_uuid_t *key, const ItemPointerData *tid,
		 TupleTableSlot *slot)
{
	RowHint    *hint = hint_for(leaf, key);

	if (table->rd_tableam != GetHeapamTableAmRoutine())
		return;
	hint->relid = leaf->relid;
	hint->key_column = leaf->key;
	hint->tid = *tid;
	hint->buffer = ((BufferHeapTupleTableSlot *) slot)->buffer;
	hint->key = *key;
}

/*
 * Whether the active snapshot may be older than an index that was built over rows with another key
 * (indcheckxmin). The index would lead it to such a row.
 */
static inline bool
is_too_new(Relation index)
{
	return unlikely(index->rd_index->indcheckxmin) &&
		!TransactionIdPrecedes(HeapTupleHeaderGetXmin(index->rd_indextuple->t_data),
							   TransactionXmin);
}

/* Finds the row of a key without an index. */
static bool
read_by_scan(SeemeParentLeaf *leaf, Relation table, Relation index, FmgrInfo *equal, Datum key,
			 TupleTableSlot *slot)
{
	TableScanDesc scan = seeme_table_beginscan(table, GetActiveSnapshot());
	bool		found = false;

	while (!found && table_scan_getnextslot(scan, ForwardScanDirection, slot))
	{
		bool		isnull;
		Datum		own = slot_getattr(slot, leaf->key, &isnull);

		CHECK_FOR_INTERRUPTS();
		found = !isnull &&
			DatumGetBool(FunctionCall2Coll(equal, index->rd_indcollation[0], own, key));
	}
	/* The row belongs to the scan. */
	if (found)
		ExecMaterializeSlot(slot);
	table_endscan(scan);
	return found;
}

/* Finds the row of a key by the index. */
static bool
read_by_index(SeemeParent *parent, SeemeParentLeaf *leaf, Relation table, Datum key,
			  const pg_uuid_t *packed, TupleTableSlot *slot)
{
	Relation	index = index_open(leaf->index, AccessShareLock);
	IndexScanDesc scan;
	ScanKeyData scan_key;
	ItemPointer tid;
	Oid			left;
	Oid			right;
	bool		found = false;

	op_input_types(parent->equal, &left, &right);
	ScanKeyEntryInitialize(&scan_key, 0, 1, BTEqualStrategyNumber, right,
						   index->rd_indcollation[0], get_opcode(parent->equal), key);
	if (is_too_new(index))
	{
		found = read_by_scan(leaf, table, index, &scan_key.sk_func, key, slot);
		index_close(index, NoLock);
		return found;
	}
	scan = seeme_index_beginscan(table, index, GetActiveSnapshot(), 1);
	index_rescan(scan, &scan_key, 1, NULL, 0);
	while (!found && (tid = index_getnext_tid(scan, ForwardScanDirection)) != NULL)
	{
		/* Fetching the row moves this to the row's version. */
		ItemPointerData entry = *tid;

		found = index_fetch_heap(scan, slot);
		if (found && packed != NULL)
			set_hint(leaf, table, packed, &entry, slot);
	}
	index_endscan(scan);
	index_close(index, NoLock);
	return found;
}

/* Does something with the row of this key, if the table has it. */
static bool
use_row(SeemeParent *parent, SeemeParentLeaf *leaf, Datum key, SeemeUseParent use, void *context,
		bool *found)
{
	pg_uuid_t	packed;
	bool		is_packed = seeme_pack_parent_key(parent->key_type, key, &packed);
	Relation	table = table_open(leaf->relid, NoLock);
	TupleTableSlot *slot = table_slot_create(table, NULL);
	bool		result = false;

	*found = (is_packed && read_by_hint(parent, leaf, table, &packed, slot)) ||
		read_by_index(parent, leaf, table, key, is_packed ? &packed : NULL, slot);
	if (*found)
		result = use(leaf, slot, context);
	ExecDropSingleTupleTableSlot(slot);
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
