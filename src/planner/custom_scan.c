/*
 * custom_scan.c: the permission scan, which reads a whole table and decides its rows in blocks.
 *
 * It takes the place of a sequential scan whose filter is the condition of a policy
 * (policy_arms.c). On a table of millions of rows, such a filter spends most of its time waiting
 * for memory: for the rows, and for the cache lines in which their ids are found. It also looks for
 * invalidations at each row. A permission scan reads up to 16 rows of a page ahead, prefetches
 * those lines, and decides the rows together.
 *
 * A decision holds as long as nothing comes between two rows of the query: paths.c makes sure of
 * that. A cursor is the exception. Each FETCH is another run of the executor, so decisions of an
 * earlier run are made again.
 *
 * Owns the plan node, its execution, and the count of the executor's runs. Knows nothing of
 * permissions.
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

#include "core/compat.h"
#include "core/version.h"
#include "planner/custom_scan.h"
#include "planner/policy_arms.h"

/* The most rows of a block. */
#define ROWS_AHEAD 16

StaticAssertDecl(ROWS_AHEAD <= SEEME_MAX_ROWS_AT_ONCE, "a block is decided in one call");

#define CACHE_LINE 64

/* The number of runs of the executor so far, nested ones included. */
static uint64 runs = 0;

typedef struct PermissionScanState
{
	CustomScanState css;
	TableScanDesc scan;
	/* The condition, as an expression for EvalPlanQual, and as arms */
	ExprState  *check;
	List	   *arms;
	/* The block: rows of one page, which is pinned; and the first row after them */
	HeapTupleData rows[ROWS_AHEAD];
	int			nrows;
	int			next;
	Buffer		page;
	HeapTuple	after;
	bool		is_at_end;		/* there is no row after them */
	bool		is_past_end;	/* and the end was returned */
	/* The rows that are let through, a bit each; and the run of the executor that decided them */
	uint32		held;
	uint64		decided_in;
	/*
	 * The columns that the query takes, if it takes nothing else and each of them has the same
	 * offset in every row; else NULL
	 */
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
	PermissionScanState *state;

	state = (PermissionScanState *) newNode(sizeof(PermissionScanState), T_CustomScanState);
	state->css.methods = &exec_methods;
	return (Node *) state;
}

const CustomScanMethods seeme_permission_scan_methods = {
	.CustomName = SEEME_PERMISSION_SCAN,
	.CreateCustomScanState = create_state,
};

/* Whether a column has the same offset in every row without nulls. */
static bool
has_one_place(TupleDesc row, AttrNumber column)
{
	for (AttrNumber i = 1; i < column; i++)
		if (TupleDescAttr(row, i - 1)->attlen <= 0)
			return false;
	return true;
}

/*
 * Finds the columns that can be copied from a row, without a projection and without deforming the
 * columns before them.
 */
static void
take_columns(PermissionScanState *state)
{
	ScanState  *node = &state->css.ss;
	TupleDesc	row = RelationGetDescr(node->ss_currentRelation);
	List	   *targets = node->ps.plan->targetlist;
	AttrNumber *columns = palloc(sizeof(AttrNumber) * Max(list_length(targets), 1));
	ListCell   *cell;

	if (node->ps.ps_ProjInfo == NULL || node->ps.qual != NULL ||
		node->ps.state->es_epq_active != NULL)
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
	Relation	relation = node->ss.ss_currentRelation;

	/* A plan may be older than the library, and a worker's library newer than the leader's. */
	if (!(flags & EXEC_FLAG_EXPLAIN_ONLY))
		seeme_require_version();

	/* PostgreSQL assumes virtual tuples in a custom scan. These are on a page. */
	seeme_init_scan_slot(estate, &node->ss, RelationGetDescr(relation), &TTSOpsBufferHeapTuple);
	ExecAssignScanProjectionInfo(&node->ss);
	node->ss.ps.qual = ExecInitQual(plan->scan.plan.qual, &node->ss.ps);

	take_columns(state);
	/* This also checks that the current user may execute the functions. */
	state->check = ExecInitQual(plan->custom_exprs, &node->ss.ps);
	state->arms = seeme_find_arms(linitial(plan->custom_exprs), plan->scan.scanrelid);
	if (state->arms == NIL)
		elog(ERROR, "permission scan without the condition of a policy");
	seeme_prepare_arms(state->arms);
}

/* Decides the rows of the block. */
static void
decide(PermissionScanState *state)
{
	ScanState  *node = &state->css.ss;
	SeemeRows	rows = {state->nrows, state->rows, RelationGetDescr(node->ss_currentRelation)};
	MemoryContext old;

	ResetExprContext(node->ps.ps_ExprContext);
	old = MemoryContextSwitchTo(node->ps.ps_ExprContext->ecxt_per_tuple_memory);
	state->held = seeme_decide_rows(state->arms, &rows);
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

/* Adds the row that was read last to the block, and pins its page. */
static void
keep_row(PermissionScanState *state, HeapTuple row)
{
	if (state->nrows == 0)
	{
		/* The scan leaves the page before the last row of the block is returned. */
		state->page = ((HeapScanDesc) state->scan)->rs_cbuf;
		IncrBufferRefCount(state->page);
	}
	/* The beginning of each row is fetched before the first row is looked at. */
	__builtin_prefetch(row->t_data);
	__builtin_prefetch((char *) row->t_data + CACHE_LINE);
	state->rows[state->nrows++] = *row;
}

/* Reads a block and decides its rows; false at the end of the table. */
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
	} while (state->after != NULL && state->nrows < ROWS_AHEAD &&
			 ItemPointerGetBlockNumber(&state->after->t_self) == block);
	state->is_at_end = state->after == NULL;
	decide(state);
	return true;
}

/*
 * Reads the row before the one that was returned last, and decides it; false at the beginning of
 * the table.
 */
static bool
read_back(PermissionScanState *state)
{
	HeapTuple	row;

	CHECK_FOR_INTERRUPTS();
	/*
	 * After reading forward, the scan stands behind the block. It goes back over the rows that were
	 * not returned, and over the last one that was, unless the end was returned after that. After
	 * reading backward, it stands at the row that was returned.
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

/* EvalPlanQual: a row that changed during a lock wait is checked as it is now. */
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
	/* Values by reference point into the page, which is pinned until the next row is asked for. */
	for (int i = 0; i < state->ncolumns; i++)
		copy->tts_values[i] = heap_getattr(&state->rows[state->next - 1], state->columns[i], row,
										   &copy->tts_isnull[i]);
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

/* Parallel processes share the pages. Each decides its rows by itself. */

static Size
estimate_shared(CustomScanState *node, ParallelContext *context)
{
	return table_parallelscan_estimate(node->ss.ss_currentRelation, node->ss.ps.state->es_snapshot);
}

static void
initialize_shared(CustomScanState *node, ParallelContext *context, void *shared)
{
	table_parallelscan_initialize(node->ss.ss_currentRelation, shared,
								  node->ss.ps.state->es_snapshot);
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
	((PermissionScanState *) node)->scan =
		seeme_table_beginscan_parallel(node->ss.ss_currentRelation, shared);
}

static void
explain(CustomScanState *node, List *ancestors, ExplainState *es)
{
	CustomScan *plan = (CustomScan *) node->ss.ps.plan;
	Instrumentation *counts = node->ss.ps.instrument;
	bool		with_table = list_length(es->rtable) > 1 || es->verbose;
	List	   *context = set_deparse_context_plan(es->deparse_cxt, &plan->scan.plan, ancestors);

	ExplainPropertyText("Permission",
						deparse_expression(linitial(plan->custom_exprs), context, with_table,
										   false), es);
	if (es->analyze && counts != NULL &&
		(es->format != EXPLAIN_FORMAT_TEXT || counts->nfiltered2 > 0))
		ExplainPropertyFloat("Rows Removed by Permission", NULL,
							 counts->nfiltered2 / Max(counts->nloops, 1), 0, es);
}

/* Before each run of the executor: a cursor makes the decisions of earlier runs again. */
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
