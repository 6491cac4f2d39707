/*
 * parent_list.c: the parents where the asking person has a permission, many at once.
 *
 * Either the whole parent table is read, and its rows are decided in blocks. Or its own indexes
 * find the rows: those on its scope columns, by the lists of permitted ids. A parent that has a
 * parent of its own is found by the list of these.
 *
 * Reads under the active snapshot. Each row is decided by the arms of the policy, also those that
 * an index finds.
 *
 * Must not decide, and keeps nothing.
 */
#include "postgres.h"

#include "access/heapam.h"
#include "access/htup_details.h"
#include "access/relscan.h"
#include "access/table.h"
#include "access/tableam.h"
#include "catalog/pg_am.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "optimizer/plancat.h"
#include "storage/bufmgr.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/uuid.h"

#include "core/compat.h"
#include "functions/check.h"
#include "functions/ownership.h"
#include "planner/check_expression.h"
#include "planner/parent_cache.h"
#include "planner/parent_list.h"
#include "planner/parent_read.h"
#include "planner/policy_arms.h"
#include "planner/support_function.h"

/* A list of keys */
typedef struct Keys
{
	SeemeParent *parent;
	Datum	   *values;
	int			n;
	int			size;
	bool		is_by_value;
	int16		length;
} Keys;

/* The rows of a heap that are decided together: they are on one page, which is pinned. */
typedef struct RowBlock
{
	HeapTupleData rows[SEEME_MAX_ROWS_AT_ONCE];
	int			n;
	Buffer		page;
} RowBlock;

/* Decides the rows of a block, and visits those that are permitted. */
static bool
decide_block(SeemeParentLeaf *leaf, RowBlock *block, TupleDesc columns, MemoryContext scratch,
			 SeemeVisitParent visit, void *context)
{
	SeemeRows	rows = {block->n, block->rows, columns};
	MemoryContext old = MemoryContextSwitchTo(scratch);
	uint32		held = seeme_decide_rows(leaf->arms, &rows);
	bool		goes_on = true;

	MemoryContextSwitchTo(old);
	MemoryContextReset(scratch);
	while (held != 0 && goes_on)
	{
		bool		isnull;
		Datum		key = heap_getattr(&block->rows[seeme_take_row(&held)], leaf->key, columns,
									   &isnull);

		if (!isnull)
			goes_on = visit(key, context);
	}
	ReleaseBuffer(block->page);
	block->n = 0;
	return goes_on;
}

static bool
visit_heap(SeemeParentLeaf *leaf, Relation table, SeemeVisitParent visit, void *context)
{
	TableScanDesc scan = seeme_table_beginscan(table, GetActiveSnapshot());
	TupleDesc	columns = RelationGetDescr(table);
	MemoryContext scratch = AllocSetContextCreate(CurrentMemoryContext, "seeme_rbac parents",
												  ALLOCSET_SMALL_SIZES);
	RowBlock   *block = palloc0(sizeof(RowBlock));
	BlockNumber page = InvalidBlockNumber;
	HeapTuple	row;
	bool		goes_on = true;

	while (goes_on && (row = heap_getnext(scan, ForwardScanDirection)) != NULL)
	{
		CHECK_FOR_INTERRUPTS();
		if (block->n > 0 && (block->n == SEEME_MAX_ROWS_AT_ONCE ||
							 ItemPointerGetBlockNumber(&row->t_self) != page))
			goes_on = decide_block(leaf, block, columns, scratch, visit, context);
		if (!goes_on)
			break;
		if (block->n == 0)
		{
			block->page = ((HeapScanDesc) scan)->rs_cbuf;
			IncrBufferRefCount(block->page);
			page = ItemPointerGetBlockNumber(&row->t_self);
		}
		block->rows[block->n++] = *row;
	}
	if (goes_on && block->n > 0)
		goes_on = decide_block(leaf, block, columns, scratch, visit, context);
	table_endscan(scan);
	pfree(block);
	MemoryContextDelete(scratch);
	return goes_on;
}

/* Visits a row that was found, if it is permitted. An index may have proved that. */
static bool
visit_row(SeemeParent *parent, SeemeParentLeaf *leaf, TupleTableSlot *slot, bool is_permitted,
		  SeemeVisitParent visit, void *context)
{
	bool		isnull;
	Datum		key;

	CHECK_FOR_INTERRUPTS();
	if (!is_permitted && !seeme_row_holds(parent, leaf, slot))
		return true;
	key = slot_getattr(slot, leaf->key, &isnull);
	return isnull || visit(key, context);
}

static bool
visit_whole_leaf(SeemeParent *parent, SeemeParentLeaf *leaf, SeemeVisitParent visit, void *context)
{
	Relation	table = table_open(leaf->relid, AccessShareLock);
	bool		goes_on = true;

	if (table->rd_tableam == GetHeapamTableAmRoutine() && leaf->others == NIL)
		goes_on = visit_heap(leaf, table, visit, context);
	else
	{
		TableScanDesc scan = seeme_table_beginscan(table, GetActiveSnapshot());
		TupleTableSlot *slot = table_slot_create(table, NULL);

		while (goes_on && table_scan_getnextslot(scan, ForwardScanDirection, slot))
			goes_on = visit_row(parent, leaf, slot, false, visit, context);
		ExecDropSingleTupleTableSlot(slot);
		table_endscan(scan);
	}
	table_close(table, NoLock);
	return goes_on;
}

/*
 * Reads a parent as a whole, and visits the keys of the rows that are permitted; false: a visit
 * ended it. May leave memory behind.
 */
bool
seeme_visit_whole_parent(SeemeParent *parent, SeemeVisitParent visit, void *context)
{
	ListCell   *cell;

	foreach(cell, parent->leaves)
		if (!visit_whole_leaf(parent, lfirst(cell), visit, context))
		return false;
	return true;
}

/* The estimated number of rows of a parent. */
double
seeme_estimate_parents(SeemeParent *parent)
{
	double		sum = 0;
	ListCell   *cell;

	foreach(cell, parent->leaves)
	{
		Relation	table = table_open(((SeemeParentLeaf *) lfirst(cell))->relid, AccessShareLock);
		BlockNumber pages;
		double		rows;
		double		visible;

		estimate_rel_size(table, NULL, &pages, &rows, &visible);
		sum += rows;
		table_close(table, NoLock);
	}
	return sum;
}

/* A B-tree index that begins with a column and has all rows; invalid: there is none. */
Oid
seeme_find_scope_index(Relation table, AttrNumber column)
{
	ListCell   *cell;
	Oid			found = InvalidOid;

	foreach(cell, RelationGetIndexList(table))
	{
		Relation	index = index_open(lfirst_oid(cell), AccessShareLock);
		Form_pg_index form = index->rd_index;

		if (index->rd_rel->relam == BTREE_AM_OID && form->indisvalid && form->indisready &&
			!form->indcheckxmin && form->indkey.values[0] == column &&
			heap_attisnull(index->rd_indextuple, Anum_pg_index_indpred, NULL))
			found = lfirst_oid(cell);
		index_close(index, NoLock);
		if (OidIsValid(found))
			break;
	}
	return found;
}

static bool
add_key(Datum key, void *context)
{
	Keys	   *keys = context;

	/* A parent that the children's type cannot name has no children. */
	if (!seeme_convert_parent_key(keys->parent, &key))
		return true;
	if (keys->n == keys->size)
	{
		keys->size *= 2;
		keys->values = repalloc_huge(keys->values, sizeof(Datum) * keys->size);
	}
	keys->values[keys->n++] = datumCopy(key, keys->is_by_value, keys->length);
	return true;
}

/* The permitted values of the column of an arm; NULL: the arm has another form. */
static ArrayType *
permitted_values(FuncExpr *call, AttrNumber *column)
{
	int			nargs = IsA(call, FuncExpr) ? list_length(call->args) : 0;
	Var		   *var;

	if (nargs == SEEME_NARGS && seeme_is_call((Node *) call, 1))
	{
		int			scope = seeme_only_scope(call->args);
		Oid			list = seeme_list_function(call->funcid, scope);
		Datum		code = ((Const *) linitial(call->args))->constvalue;
		Const	   *type;

		var = list_nth(call->args, scope);
		*column = var->varattno;
		if (!OidIsValid(list))
			return NULL;
		if (scope != SEEME_ARG_RESOURCE)
			return DatumGetArrayTypeP(OidFunctionCall1(list, code));
		type = list_nth(call->args, SEEME_ARG_RESOURCE_TYPE);
		return DatumGetArrayTypeP(OidFunctionCall2(list, code, type->constvalue));
	}
	if (nargs > 0 && seeme_is_owner_call(call) &&
		IsA(list_nth(call->args, seeme_owner_argument(call->args)), Var))
	{
		LOCAL_FCINFO(owns, SEEME_OWNS_ROW_NARGS);
		FmgrInfo	function = {.fn_mcxt = CurrentMemoryContext, .fn_nargs = SEEME_OWNS_ROW_NARGS};
		const pg_uuid_t *person;
		Datum		id;

		InitFunctionCallInfoData(*owns, &function, SEEME_OWNS_ROW_NARGS, InvalidOid, NULL, NULL);
		owns->args[SEEME_ARG_CODE].value = ((Const *) linitial(call->args))->constvalue;
		owns->args[SEEME_ARG_CODE].isnull = false;
		seeme_prepare_owner_site(&function);
		person = seeme_possible_owner(owns);
		id = UUIDPGetDatum(person);
		var = list_nth(call->args, seeme_owner_argument(call->args));
		*column = var->varattno;
		return construct_array(&id, person == NULL ? 0 : 1, UUIDOID, UUID_LEN, false,
							   TYPALIGN_CHAR);
	}
	if (nargs == SEEME_PARENT_NARGS && seeme_is_function(call->funcid, seeme_parent_function) &&
		IsA(list_nth(call->args, SEEME_ARG_KEY), Var))
	{
		Const	   *code = linitial(call->args);
		Const	   *child = list_nth(call->args, SEEME_ARG_CHILD);
		Const	   *above = list_nth(call->args, SEEME_ARG_PARENT);
		SeemeParent *parent = seeme_find_parent(DatumGetObjectId(child->constvalue),
												DatumGetObjectId(above->constvalue),
												TextDatumGetCString(code->constvalue));

		var = list_nth(call->args, SEEME_ARG_KEY);
		*column = var->varattno;
		return seeme_list_parents(parent);
	}
	return NULL;
}

/* Visits the permitted rows that an index on one of its scope columns finds. */
static bool
visit_by_index(SeemeParent *parent, SeemeParentLeaf *leaf, Relation table, Oid index_oid,
			   ArrayType *values, bool is_exact, SeemeVisitParent visit, void *context)
{
	Relation	index = index_open(index_oid, AccessShareLock);
	Oid			type = ARR_ELEMTYPE(values) == VARCHAROID ? TEXTOID : ARR_ELEMTYPE(values);
	Oid			equal = get_opfamily_member(index->rd_opfamily[0], index->rd_opcintype[0], type,
											BTEqualStrategyNumber);
	TupleTableSlot *slot = table_slot_create(table, NULL);
	IndexScanDesc scan;
	ScanKeyData key;
	bool		goes_on = true;

	if (!OidIsValid(equal))
		elog(ERROR, "index %s cannot be searched", RelationGetRelationName(index));
	ScanKeyEntryInitialize(&key, SK_SEARCHARRAY, 1, BTEqualStrategyNumber, type,
						   index->rd_indcollation[0], get_opcode(equal), PointerGetDatum(values));
	scan = seeme_index_beginscan(table, index, GetActiveSnapshot(), 1);
	index_rescan(scan, &key, 1, NULL, 0);
	while (goes_on && index_getnext_slot(scan, ForwardScanDirection, slot))
		goes_on = visit_row(parent, leaf, slot, is_exact, visit, context);
	index_endscan(scan);
	ExecDropSingleTupleTableSlot(slot);
	index_close(index, NoLock);
	return goes_on;
}

static bool
visit_leaf(SeemeParent *parent, SeemeParentLeaf *leaf, SeemeVisitParent visit, void *context)
{
	Relation	table = table_open(leaf->relid, AccessShareLock);
	int			n = list_length(leaf->calls);
	Oid		   *indexes = palloc0(sizeof(Oid) * n);
	ArrayType **values = palloc0(sizeof(ArrayType *) * n);
	bool		goes_on = true;

	for (int i = 0; i < n; i++)
	{
		AttrNumber	column = InvalidAttrNumber;

		values[i] = permitted_values(list_nth(leaf->calls, i), &column);
		if (values[i] != NULL)
			indexes[i] = seeme_find_scope_index(table, column);
		if (!OidIsValid(indexes[i]))
		{
			goes_on = visit_whole_leaf(parent, leaf, visit, context);
			n = 0;
		}
	}
	for (int i = 0; i < n && goes_on; i++)
		goes_on = visit_by_index(parent, leaf, table, indexes[i], values[i],
								 !seeme_is_owner_call(list_nth(leaf->calls, i)), visit, context);
	table_close(table, NoLock);
	return goes_on;
}

/*
 * Visits the keys of the permitted parents, found by indexes where there are any for all scopes. A
 * parent with several scopes may be visited more than once. False: a visit ended it.
 */
bool
seeme_visit_parents(SeemeParent *parent, SeemeVisitParent visit, void *context)
{
	ListCell   *cell;

	foreach(cell, parent->leaves)
		if (!visit_leaf(parent, lfirst(cell), visit, context))
		return false;
	return true;
}

/* The permitted keys of a parent, as an array of the type of its children's column. */
ArrayType *
seeme_list_parents(SeemeParent *parent)
{
	Keys		keys = {.size = 64, .parent = parent};
	char		alignment;

	get_typlenbyvalalign(parent->key_type, &keys.length, &keys.is_by_value, &alignment);
	keys.values = palloc(sizeof(Datum) * keys.size);
	(void) seeme_visit_parents(parent, add_key, &keys);
	return construct_array(keys.values, keys.n, parent->key_type, keys.length, keys.is_by_value,
						   alignment);
}
