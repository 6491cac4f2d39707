/*
 * permission_scan.c: a scan of a whole table that asks for each row whether it may be seen.
 *
 * It is a sequential scan whose filter is seeme_has_permission() on one of the table's columns. What a row by row filter
 * spends its time with, in a table of millions, is waiting for rows, and for the cache lines in which their ids are found; and
 * looking for news of other sessions. This one reads some rows of a page ahead, has those lines on their way, and has the rows
 * decided together, by the same call site as a filter's.
 *
 * Rows that were decided are good as long as nothing comes between: it is planned for queries that only read, lock no row,
 * and call nothing volatile. What remains is a cursor, between two FETCHes; each begins a run of the executor, and there
 * what was decided in an earlier run is decided anew.
 *
 * Owns the planner's hook, the executor's, the plan node and its execution. Knows nothing of permissions.
 */
#include "postgres.h"

#include "access/heapam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/tableam.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "nodes/extensible.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "optimizer/pathnode.h"
#include "optimizer/paths.h"
#include "optimizer/restrictinfo.h"
#include "storage/bufmgr.h"
#include "utils/guc.h"
#include "utils/rel.h"
#include "utils/ruleutils.h"
#include "utils/uuid.h"

#include "check.h"
#include "compat.h"
#include "permission_scan.h"
#include "planner.h"

/* So many rows are read ahead of the one that is decided. */
#define ROWS_AHEAD 16

#define CACHE_LINE 64

/* Of smaller tables all that could be waited for is near anyway. */
#define MIN_ROWS 1000

static bool enable_permission_scan = true;
static set_rel_pathlist_hook_type next_pathlist_hook = NULL;
static ExecutorRun_hook_type next_run_hook = NULL;

/* Moves with each run of the executor, nested ones included. */
static uint64 runs = 0;

/* Planning */

/* The argument of a call that tells the scope. */
static Var *
scope_column(FuncExpr *call)
{
	return (Var *) list_nth(call->args, seeme_only_scope(call->args));
}

/* A call of seeme_has_permission about a column of this table, its other arguments constants. */
static bool
is_check(Node *clause, Index relid)
{
	FuncExpr   *call = (FuncExpr *) clause;
	FmgrInfo	function;
	Var		   *column;

	if (!IsA(clause, FuncExpr) || seeme_only_scope(call->args) == 0)
		return false;
	column = scope_column(call);
	if (!IsA(column, Var) || column->varno != relid || column->varattno <= 0 || column->varlevelsup != 0)
		return false;
	/* It may be called otherwise, and lie in another schema. */
	fmgr_info(call->funcid, &function);
	return function.fn_addr == seeme_has_permission;
}

/*
 * The check among a table's conditions, if there is one and it may be asked first: conditions of a higher security level
 * wait for those below.
 */
static RestrictInfo *
find_check(RelOptInfo *rel)
{
	ListCell   *cell;

	foreach(cell, rel->baserestrictinfo)
	{
		RestrictInfo *condition = lfirst(cell);

		if (condition->security_level == rel->baserestrict_min_security && !condition->pseudoconstant &&
			is_check((Node *) condition->clause, rel->relid))
			return condition;
	}
	return NULL;
}

/* Whether a table is kept as PostgreSQL keeps them by itself: rows lie on pages and stay there. */
static bool
is_heap(Oid relid)
{
	Relation	relation = table_open(relid, NoLock);
	bool		is_heap = relation->rd_tableam == GetHeapamTableAmRoutine();

	table_close(relation, NoLock);
	return is_heap;
}

static Plan *make_plan(PlannerInfo *root, RelOptInfo *rel, CustomPath *path, List *targets, List *conditions, List *plans);

static const CustomPathMethods path_methods = {
	.CustomName = "Permission Scan",
	.PlanCustomPath = make_plan,
};

static Path *
make_path(PlannerInfo *root, RelOptInfo *rel, RestrictInfo *check, int workers)
{
	CustomPath *path = makeNode(CustomPath);

	/* In all but the check it is a sequential scan. */
	path->path = *create_seqscan_path(root, rel, NULL, workers);
	path->path.type = T_CustomPath;
	path->path.pathtype = T_CustomScan;
	path->path.total_cost -= cpu_operator_cost * rel->tuples / Max(workers + 1, 1) / 2;
	path->flags = CUSTOMPATH_SUPPORT_PROJECTION | CUSTOMPATH_SUPPORT_BACKWARD_SCAN;
	path->custom_private = list_make1(check);
	path->methods = &path_methods;
	return &path->path;
}

/* Whether a query, or one inside it, changes or locks rows. */
static bool
takes_rows(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if (IsA(node, Query))
		return ((Query *) node)->commandType != CMD_SELECT || ((Query *) node)->rowMarks != NIL ||
			query_tree_walker((Query *) node, takes_rows, context, 0);
	return expression_tree_walker(node, takes_rows, context);
}

static bool
query_only_reads(Query *query)
{
	return !takes_rows((Node *) query, NULL) && !contain_volatile_functions((Node *) query);
}

/*
 * Whether nothing comes between two rows of a query but the beginning of another run: no lock, no change, no other person.
 * Sub-selects in its expressions that are planned already have queries of their own.
 */
static bool
only_reads(PlannerInfo *root)
{
	ListCell   *cell;

	while (root->parent_root != NULL)
		root = root->parent_root;
	foreach(cell, root->glob->subroots)
		if (!query_only_reads(lfirst_node(PlannerInfo, cell)->parse))
			return false;
	return query_only_reads(root->parse);
}

static void
add_paths(PlannerInfo *root, RelOptInfo *rel, Index rti, RangeTblEntry *rte)
{
	RestrictInfo *check;

	if (next_pathlist_hook != NULL)
		next_pathlist_hook(root, rel, rti, rte);
	if (!enable_permission_scan || rte->rtekind != RTE_RELATION || rte->inh || rte->tablesample != NULL ||
		(rte->relkind != RELKIND_RELATION && rte->relkind != RELKIND_MATVIEW) ||
		rel->tuples < MIN_ROWS || rel->lateral_relids != NULL || seeme_is_point_query(rel))
		return;
	check = find_check(rel);
	if (check == NULL || seeme_is_fixed(rel, scope_column((FuncExpr *) check->clause)->varattno) ||
		!is_heap(rte->relid) || !only_reads(root))
		return;
	add_path(rel, make_path(root, rel, check, 0));
	if (rel->consider_parallel)
	{
		int			workers = compute_parallel_worker(rel, rel->pages, -1, max_parallel_workers_per_gather);

		if (workers > 0)
			add_partial_path(rel, make_path(root, rel, check, workers));
	}
}

static Node *create_state(CustomScan *plan);

static const CustomScanMethods scan_methods = {
	.CustomName = "Permission Scan",
	.CreateCustomScanState = create_state,
};

static Plan *
make_plan(PlannerInfo *root, RelOptInfo *rel, CustomPath *path, List *targets, List *conditions, List *plans)
{
	CustomScan *scan = makeNode(CustomScan);
	RestrictInfo *check = linitial(path->custom_private);

	scan->scan.plan.targetlist = targets;
	scan->scan.plan.qual = extract_actual_clauses(list_difference_ptr(conditions, list_make1(check)), false);
	scan->scan.scanrelid = rel->relid;
	scan->flags = path->flags;
	scan->custom_exprs = list_make1(check->clause);
	scan->methods = &scan_methods;
	return &scan->scan.plan;
}

/* Execution */

typedef struct PermissionScanState
{
	CustomScanState css;
	TableScanDesc scan;
	/* The check: as an expression for rows that come from elsewhere, and as a call, whose memory is the call site's. */
	ExprState  *check;
	AttrNumber	column;
	int			scope;			/* the number of the argument that the column is */
	FmgrInfo	function;
	FunctionCallInfo call;
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
	.CustomName = "Permission Scan",
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

	/* What was made for it on the assumption that its rows are virtual ones is made anew. */
	ExecInitScanTupleSlot(estate, &node->ss, RelationGetDescr(relation), &TTSOpsBufferHeapTuple);
	ExecAssignScanProjectionInfo(&node->ss);
	node->ss.ps.qual = ExecInitQual(plan->scan.plan.qual, &node->ss.ps);

	take_columns(state);
	/* Also checks that whoever runs this may execute the function. */
	state->check = ExecInitQual(plan->custom_exprs, &node->ss.ps);
	state->scope = seeme_only_scope(check->args);
	state->column = scope_column(check)->varattno;
	fmgr_info(check->funcid, &state->function);
	fmgr_info_set_expr((Node *) check, &state->function);
	state->call = palloc0(SizeForFunctionCallInfo(list_length(check->args)));
	InitFunctionCallInfoData(*state->call, &state->function, list_length(check->args), check->inputcollid, NULL, NULL);
	for (int i = 0; i < list_length(check->args); i++)
		if (i != state->scope)
		{
			Const	   *argument = list_nth_node(Const, check->args, i);

			state->call->args[i].value = argument->constvalue;
			state->call->args[i].isnull = argument->constisnull;
		}
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
		Datum		id = heap_getattr(&state->rows[i], state->column, columns, &isnull);

		ids[i] = isnull ? NULL : DatumGetUUIDP(id);
	}
	ResetExprContext(node->ps.ps_ExprContext);
	old = MemoryContextSwitchTo(node->ps.ps_ExprContext->ecxt_per_tuple_memory);
	state->held = seeme_have_permission(state->call, state->scope, state->nrows, ids);
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
		state->scan = table_beginscan(node->ss_currentRelation, node->ps.state->es_snapshot, 0, NULL);
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
	((PermissionScanState *) node)->scan = table_beginscan_parallel(node->ss.ss_currentRelation, shared);
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

static void
note_run(SEEME_EXECUTOR_RUN_PARAMETERS)
{
	runs++;
	if (next_run_hook != NULL)
		next_run_hook(SEEME_EXECUTOR_RUN_ARGUMENTS);
	else
		standard_ExecutorRun(SEEME_EXECUTOR_RUN_ARGUMENTS);
}

void
seeme_permission_scan_init(void)
{
	RegisterCustomScanMethods(&scan_methods);
	DefineCustomBoolVariable("seeme_rbac.enable_permission_scan",
							 "Enables the planner's use of permission scans.",
							 "A sequential scan that has some rows at a time decided, instead of a filter.",
							 &enable_permission_scan, true, PGC_USERSET, GUC_NOT_IN_SAMPLE | GUC_EXPLAIN, NULL, NULL, NULL);
	next_pathlist_hook = set_rel_pathlist_hook;
	set_rel_pathlist_hook = add_paths;
	next_run_hook = ExecutorRun_hook;
	ExecutorRun_hook = note_run;
}
