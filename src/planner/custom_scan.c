/*
 * custom_scan.c: a scan of a whole table that asks for each row whether it may be seen.
 *
 * It is a sequential scan whose filter is seeme_has_permission() on one of the table's columns. What a row by row filter
 * spends its time with, in a table of millions, is waiting for rows, and for the cache lines in which their ids are found; and
 * looking for news of other sessions. This one reads some rows of a page ahead, has those lines on their way, and has the rows
 * decided together, by the same call site as a filter's.
 *
 * Rows that were decided are good as long as nothing comes between; paths.c sees to that. What remains is a cursor,
 * between two FETCHes; each begins a run of the executor, and there what was decided in an earlier run is decided anew.
 *
 * Owns the executor's hook, the plan node and its execution. Knows nothing of permissions.
 */
#include "postgres.h"

#include "access/heapam.h"
#include "access/htup_details.h"
#include "access/tableam.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "nodes/extensible.h"
#include "storage/bufmgr.h"
#include "utils/rel.h"
#include "utils/ruleutils.h"
#include "utils/uuid.h"

#include "planner/check_expression.h"
#include "core/compat.h"
#include "planner/custom_scan.h"
#include "core/version.h"

/* So many rows are read ahead of the one that is decided. */
#define ROWS_AHEAD 16

StaticAssertDecl(ROWS_AHEAD <= SEEME_MAX_BATCH, "all rows that were read are decided in one call");

#define CACHE_LINE 64


/* Moves with each run of the executor, nested ones included. */
static uint64 runs = 0;

typedef struct PermissionScanState
{
	CustomScanState css;
	TableScanDesc scan;
	/* The check: as an expression for rows that come from elsewhere, and as a call, whose memory is the call site's. */
	ExprState  *check;
	SeemeCall	call;
	/* The rows read ahead, all on one page, which is pinned as long as they are; and the first one after them */
	HeapTupleData rows[ROWS_AHEAD];
	int			nrows;
	int			next;
	Buffer		page;
	HeapTuple	after;
	bool		is_at_end;		/* there is none after them */
	bool		is_past_end;	/* and that was said */
	/* Which of them are let through, and the run of the executor that this is good for */
	uint32		held;
	uint64		decided_in;
	/* The columns that the query takes, if it takes nothing else, and each lies where it lies in every row; else none */
	int			ncolumns;
	AttrNumber *columns;
} PermissionScanState;

static void begin_scan(CustomScanState *node, EState *estate, int flags);
static TupleTableSlot *next_tuple(CustomScanState *node);
static void end_scan(CustomScanState *node);
static void rescan(CustomScanState *node);
static Size estimate_shared(CustomScanState *node, ParallelContext *context);
static void initialize_shared(CustomScanState *node, ParallelContext *context, void *shared);
static void reinitialize_shared(CustomScanState *node, ParallelContext *context, void *shared);
static void join_shared(CustomScanState *node, shm_toc *toc, void *shared);
static void explain(CustomScanState *node, List *ancestors, ExplainState *es);

static const CustomExecMethods exec_methods = {
	.CustomName = SEEME_PERMISSION_SCAN,
	.BeginCustomScan = begin_scan,
	.ExecCustomScan = next_tuple,
	.EndCustomScan = end_scan,
	.ReScanCustomScan = rescan,
	.EstimateDSMCustomScan = estimate_shared,
	.InitializeDSMCustomScan = initialize_shared,
	.ReInitializeDSMCustomScan = reinitialize_shared,
	.InitializeWorkerCustomScan = join_shared,
	.ExplainCustomScan = explain,
};

static Node *
create_state(CustomScan *plan)
{
	PermissionScanState *state = (PermissionScanState *) newNode(sizeof(PermissionScanState), T_CustomScanState);

	state->css.methods = &exec_methods;
	return (Node *) state;
}

const CustomScanMethods seeme_permission_scan_methods = {
	.CustomName = SEEME_PERMISSION_SCAN,
	.CreateCustomScanState = create_state,
};

/* Whether a column lies in the same place in every row that has no nulls. */
static bool
has_one_place(TupleDesc row, AttrNumber column)
{
	for (AttrNumber i = 1; i < column; i++)
		if (TupleDescAttr(row, i - 1)->attlen <= 0)
			return false;
	return true;
}

/* What of a row is copied, so that nothing has to be computed and none of the columns before it be looked at. */
static void
take_columns(PermissionScanState *state)
{
	ScanState  *node = &state->css.ss;
	TupleDesc	row = RelationGetDescr(node->ss_currentRelation);
	List	   *targets = node->ps.plan->targetlist;
	AttrNumber *columns = palloc(sizeof(AttrNumber) * Max(list_length(targets), 1));
	ListCell   *cell;

	if (node->ps.ps_ProjInfo == NULL || node->ps.qual != NULL || node->ps.state->es_epq_active != NULL)
		return;
	foreach(cell, targets)
	{
		Var		   *column = (Var *) lfirst_node(TargetEntry, cell)->expr;

		if (!IsA(column, Var) || column->varattno <= 0 || !has_one_place(row, column->varattno))
			return;
		columns[foreach_current_index(cell)] = column->varattno;
	}
	state->columns = columns;
	state->ncolumns = list_length(targets);
}

static void
begin_scan(CustomScanState *node, EState *estate, int flags)
{
	PermissionScanState *state = (PermissionScanState *) node;
	CustomScan *plan = (CustomScan *) node->ss.ps.plan;
	FuncExpr   *check = linitial_node(FuncExpr, plan->custom_exprs);
	Relation	relation = node->ss.ss_currentRelation;

	/* A plan may be older than the library, and a parallel worker's library newer than the leader's. */
	if (!(flags & EXEC_FLAG_EXPLAIN_ONLY))
		seeme_require_version();

	/* What was made for it on the assumption that its rows are virtual ones is made anew. */
	seeme_init_scan_slot(estate, &node->ss, RelationGetDescr(relation), &TTSOpsBufferHeapTuple);
	ExecAssignScanProjectionInfo(&node->ss);
	node->ss.ps.qual = ExecInitQual(plan->scan.plan.qual, &node->ss.ps);

	take_columns(state);
	/* Also checks that whoever runs this may execute the function. */
	state->check = ExecInitQual(plan->custom_exprs, &node->ss.ps);
	seeme_call_init(&state->call, check);
}

/* Decides the rows that were read. */
static void
decide(PermissionScanState *state)
{
	ScanState  *node = &state->css.ss;
	TupleDesc	columns = RelationGetDescr(node->ss_currentRelation);
	pg_uuid_t  *ids[ROWS_AHEAD];
	MemoryContext old;

	for (int i = 0; i < state->nrows; i++)
	{
		bool		isnull;
		Datum		id = heap_getattr(&state->rows[i], state->call.column, columns, &isnull);

		ids[i] = isnull ? NULL : DatumGetUUIDP(id);
	}
	ResetExprContext(node->ps.ps_ExprContext);
	old = MemoryContextSwitchTo(node->ps.ps_ExprContext->ecxt_per_tuple_memory);
	state->held = seeme_call(&state->call, state->nrows, ids);
	state->decided_in = runs;
	MemoryContextSwitchTo(old);
}

static void
forget_rows(PermissionScanState *state)
{
	if (BufferIsValid(state->page))
		ReleaseBuffer(state->page);
	state->page = InvalidBuffer;
	state->next = state->nrows = 0;
}

static HeapTuple
read_row(PermissionScanState *state, ScanDirection direction)
{
	ScanState  *node = &state->css.ss;

	if (state->scan == NULL)
		state->scan = seeme_table_beginscan(node->ss_currentRelation, node->ps.state->es_snapshot);
	return heap_getnext(state->scan, direction);
}

/* Keeps a row that was read just now, and its page. */
static void
keep_row(PermissionScanState *state, HeapTuple row)
{
	if (state->nrows == 0)
	{
		/* The scan leaves the page before the last of its rows is returned. */
		state->page = ((HeapScanDesc) state->scan)->rs_cbuf;
		IncrBufferRefCount(state->page);
	}
	/* Of all rows the beginning is on its way before the first is looked at. */
	__builtin_prefetch(row->t_data);
	__builtin_prefetch((char *) row->t_data + CACHE_LINE);
	state->rows[state->nrows++] = *row;
}

/* Reads some rows of one page, and decides them; false at the end of the table. */
static bool
read_ahead(PermissionScanState *state)
{
	BlockNumber block;

	CHECK_FOR_INTERRUPTS();
	forget_rows(state);
	if (state->after == NULL && !state->is_at_end)
		state->after = read_row(state, ForwardScanDirection);
	if (state->after == NULL)
	{
		state->is_at_end = state->is_past_end = true;
		return false;
	}
	block = ItemPointerGetBlockNumber(&state->after->t_self);
	do
	{
		keep_row(state, state->after);
		state->after = read_row(state, ForwardScanDirection);
	} while (state->after != NULL && state->nrows < ROWS_AHEAD && ItemPointerGetBlockNumber(&state->after->t_self) == block);
	state->is_at_end = state->after == NULL;
	decide(state);
	return true;
}

/* Reads the row before the one that was returned last, and decides it; false at the beginning of the table. */
static bool
read_back(PermissionScanState *state)
{
	HeapTuple	row;

	CHECK_FOR_INTERRUPTS();
	/*
	 * The scan stands at the row after those that were kept, or at the end: back over those that were not returned, and over the
	 * one that was; unless the end was returned after it. After a step back it stands at the row that was returned.
	 */
	if ((state->after != NULL || state->is_at_end) && !state->is_past_end)
		for (int i = state->nrows - state->next + 1; i > 0; i--)
			(void) read_row(state, BackwardScanDirection);
	forget_rows(state);
	state->after = NULL;
	state->is_at_end = state->is_past_end = false;
	row = read_row(state, BackwardScanDirection);
	if (row == NULL)
		return false;
	keep_row(state, row);
	decide(state);
	return true;
}

/* The next row that is let through. */
static TupleTableSlot *
next_row(ScanState *node)
{
	PermissionScanState *state = (PermissionScanState *) node;
	bool		is_forward = ScanDirectionIsForward(node->ps.state->es_direction);

	for (;;)
	{
		int			row;

		if (unlikely(!is_forward))
		{
			if (!read_back(state))
				break;
		}
		else if (state->next == state->nrows)
		{
			if (!read_ahead(state))
				break;
		}
		else if (unlikely(state->decided_in != runs))
			decide(state);
		row = state->next++;
		if (likely((state->held >> row & 1) != 0))
			return ExecStoreBufferHeapTuple(&state->rows[row], node->ss_ScanTupleSlot, state->page);
		InstrCountFiltered2(node, 1);
	}
	return ExecClearTuple(node->ss_ScanTupleSlot);
}

/* A row that was waited for is asked about as it is now. */
static bool
recheck(ScanState *node, TupleTableSlot *row)
{
	ExprContext *context = node->ps.ps_ExprContext;

	context->ecxt_scantuple = row;
	return ExecQual(((PermissionScanState *) node)->check, context);
}

static TupleTableSlot *
next_tuple(CustomScanState *node)
{
	PermissionScanState *state = (PermissionScanState *) node;
	TupleDesc	row = RelationGetDescr(node->ss.ss_currentRelation);
	TupleTableSlot *copy = node->ss.ps.ps_ResultTupleSlot;
	TupleTableSlot *found;

	if (state->columns == NULL)
		return ExecScan(&node->ss, next_row, recheck);
	ExecClearTuple(copy);
	found = next_row(&node->ss);
	if (TupIsNull(found))
		return copy;
	/* What is not copied but pointed to lies on the page, which is pinned until the next row is asked for. */
	for (int i = 0; i < state->ncolumns; i++)
		copy->tts_values[i] = heap_getattr(&state->rows[state->next - 1], state->columns[i], row, &copy->tts_isnull[i]);
	return ExecStoreVirtualTuple(copy);
}

static void
rescan(CustomScanState *node)
{
	PermissionScanState *state = (PermissionScanState *) node;

	forget_rows(state);
	state->after = NULL;
	state->is_at_end = state->is_past_end = false;
	if (state->scan != NULL)
		table_rescan(state->scan, NULL);
	ExecScanReScan(&node->ss);
}

static void
end_scan(CustomScanState *node)
{
	PermissionScanState *state = (PermissionScanState *) node;

	forget_rows(state);
	if (state->scan != NULL)
		table_endscan(state->scan);
}

/* Several processes share the pages; each decides its rows by itself. */

static Size
estimate_shared(CustomScanState *node, ParallelContext *context)
{
	return table_parallelscan_estimate(node->ss.ss_currentRelation, node->ss.ps.state->es_snapshot);
}

static void
initialize_shared(CustomScanState *node, ParallelContext *context, void *shared)
{
	table_parallelscan_initialize(node->ss.ss_currentRelation, shared, node->ss.ps.state->es_snapshot);
	join_shared(node, NULL, shared);
}

static void
reinitialize_shared(CustomScanState *node, ParallelContext *context, void *shared)
{
	table_parallelscan_reinitialize(node->ss.ss_currentRelation, shared);
}

static void
join_shared(CustomScanState *node, shm_toc *toc, void *shared)
{
	((PermissionScanState *) node)->scan = seeme_table_beginscan_parallel(node->ss.ss_currentRelation, shared);
}

static void
explain(CustomScanState *node, List *ancestors, ExplainState *es)
{
	CustomScan *plan = (CustomScan *) node->ss.ps.plan;
	bool		with_table = list_length(es->rtable) > 1 || es->verbose;
	List	   *context = set_deparse_context_plan(es->deparse_cxt, &plan->scan.plan, ancestors);

	ExplainPropertyText("Permission", deparse_expression(linitial(plan->custom_exprs), context, with_table, false), es);
	if (es->analyze && node->ss.ps.instrument != NULL && (es->format != EXPLAIN_FORMAT_TEXT || node->ss.ps.instrument->nfiltered2 > 0))
		ExplainPropertyFloat("Rows Removed by Permission", NULL,
							 node->ss.ps.instrument->nfiltered2 / Max(node->ss.ps.instrument->nloops, 1), 0, es);
}

/* Before the executor runs: what was decided in an earlier run of a cursor is decided again. */
void
seeme_begin_run(void)
{
	runs++;
}

void
seeme_permission_scan_init(void)
{
	RegisterCustomScanMethods(&seeme_permission_scan_methods);
}
