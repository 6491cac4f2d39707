/*
 * parent_read.h: the row of a parent.
 */
#ifndef SEEME_PLANNER_PARENT_READ_H
#define SEEME_PLANNER_PARENT_READ_H

#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/tuptable.h"
#include "utils/uuid.h"

#include "planner/parent_table.h"

#pragma GCC visibility push(hidden)

/*
 * What tells that a snapshot shows the same as an earlier one. While no transaction with a later id
 * has ended (xmax), those in progress can only become fewer. What a subtransaction did may be
 * undone, so decisions are kept within one.
 */
typedef struct SeemeSnapshotState
{
	LocalTransactionId transaction;
	SubTransactionId subtransaction;
	CommandId	command;
	TransactionId xmin;
	TransactionId xmax;
	uint32		xcnt;
	int32		subxcnt;
} SeemeSnapshotState;

/* What is done with a parent's row. */
typedef bool (*SeemeUseParent) (SeemeParentLeaf *leaf, TupleTableSlot *row, void *context);

/* The value of a key of an integer type; false: it is of another type. */
static inline bool
seeme_integer_of_key(Oid type, Datum key, int64 *integer)
{
	switch (type)
	{
		case INT2OID:
			*integer = DatumGetInt16(key);
			return true;
		case INT4OID:
			*integer = DatumGetInt32(key);
			return true;
		case INT8OID:
			*integer = DatumGetInt64(key);
			return true;
		default:
			return false;
	}
}

extern bool seeme_use_parent(SeemeParent *parent, Datum key, SeemeUseParent use, void *context);
extern bool seeme_row_holds(SeemeParent *parent, SeemeParentLeaf *leaf, TupleTableSlot *row);
extern bool seeme_convert_parent_key(SeemeParent *parent, Datum *key);
extern void seeme_describe_snapshot(SeemeSnapshotState *state);
extern bool seeme_pack_parent_key(Oid type, Datum key, pg_uuid_t *packed);

#pragma GCC visibility pop

#endif							/* SEEME_PLANNER_PARENT_READ_H */
