/*
 * nearest_rows.c: indexes that find the nearest rows, or most of them.
 *
 * `ORDER BY embedding <-> $1 LIMIT 10` with an HNSW index finds some forty candidates. The policy
 * then hides the rows that the person may not see. A person who sees 1 % of the table gets no row,
 * although thousands are visible. GiST and SP-GiST go on until the LIMIT is reached. Other access
 * methods may stop earlier. So on a protected table
 *
 * - the planner does not see that such an index can order rows. It sorts the visible rows;
 * - if enough rows are visible, it also gets the path of a Nearest Rows scan. This scan uses the
 *   index first and keeps the rows that it finds. If they are as many as the LIMIT, they are the
 *   result. If not, the scan drops them and sorts the visible rows.
 *
 * So the query gets as many rows as it asked for, in the right order, also if its plan was made for
 * another person. Owns this scan. Knows nothing of permissions.
 */
#include "postgres.h"

#include "access/amapi.h"
#include "catalog/pg_am.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "nodes/extensible.h"
#include "nodes/makefuncs.h"
#include "optimizer/optimizer.h"
#include "optimizer/pathnode.h"
#include "optimizer/paths.h"
#include "optimizer/planner.h"
#include "parser/parsetree.h"
#include "utils/guc.h"
#include "utils/tuplestore.h"

#include "core/compat.h"
#include "planner/check_expression.h"
#include "planner/nearest_rows.h"

/* Candidates are kept in memory. More rows than these are sorted at once. */
#define MAX_ASKED 1000

/* The candidates of an index that does not say how many there are: as many as pgvector's. */
#define USUAL_CANDIDATES 40

typedef struct NearestRowsState
{
	CustomScanState css;
	int64		asked;
	PlanState  *by_index;
	PlanState  *by_sort;
	/* The rows that the index found, if they were enough; else, and before the scan, NULL */
	Tuplestorestate *found;
	TupleTableSlot *found_slot;
	bool		is_decided;
} NearestRowsState;

/* ---------------------------------------------------------------------- planning */

/* Whether a scan of an index in order of a distance may end before all rows were found. */
static bool
may_be_incomplete(IndexOptInfo *index)
{
	return index->relam != GIST_AM_OID && index->relam != SPGIST_AM_OID;
}

/* Whether a table's policy, or that of the table that it is a partition of, is ours. */
static bool
parent_is_protected(PlannerInfo *root, RelOptInfo *rel)
{
	while (rel->reloptkind == RELOPT_OTHER_MEMBER_REL && root->append_rel_array != NULL &&
		   root->append_rel_array[rel->relid] != NULL)
	{
		ListCell   *cell;

		rel = root->simple_rel_array[root->append_rel_array[rel->relid]->parent_relid];
		if (rel == NULL)
			return false;
		foreach(cell, rel->baserestrictinfo)
		{
			if (seeme_has_policy_call((Node *) lfirst_node(RestrictInfo, cell)->clause))
				return true;
		}
	}
	return false;
}

/* Called before paths are made. On a protected table, these indexes order no rows. */
void
seeme_hide_ordering_indexes(PlannerInfo *root, RelOptInfo *rel, bool is_protected)
{
	ListCell   *cell;

	foreach(cell, rel->indexlist)
	{
		IndexOptInfo *index = lfirst(cell);

		if (index->amcanorderbyop && may_be_incomplete(index) &&
			(is_protected || parent_is_protected(root, rel)))
			index->amcanorderbyop = false;
	}
}

/* The number of rows that a query asks for; 0: not known, or it needs more than the first rows. */
static int64
rows_asked_for(PlannerInfo *root)
{
	Query	   *query = root->parse;
	int64		asked;

	if (root->limit_tuples <= 0 || query->limitOption != LIMIT_OPTION_COUNT ||
		query->limitCount == NULL || !IsA(query->limitCount, Const) ||
		((Const *) query->limitCount)->constisnull || query->hasTargetSRFs ||
		query->setOperations != NULL || query->commandType != CMD_SELECT ||
		query->rowMarks != NIL || root->sort_pathkeys == NIL ||
		bms_membership(root->all_baserels) != BMS_SINGLETON)
		return 0;
	asked = DatumGetInt64(((Const *) query->limitCount)->constvalue);
	if (query->limitOffset != NULL)
	{
		Const	   *offset = (Const *) query->limitOffset;

		if (!IsA(offset, Const))
			return 0;
		if (!offset->constisnull)
			asked += Max(DatumGetInt64(offset->constvalue), 0);
	}
	return asked > 0 && asked <= MAX_ASKED ? asked : 0;
}

/* The expected number of candidates of an index scan. */
static double
candidates(void)
{
	const char *setting = GetConfigOption("hnsw.iterative_scan", true, false);
	const char *number;

	number = GetConfigOption(setting != NULL && strcmp(setting, "off") != 0 ?
							 "hnsw.max_scan_tuples" : "hnsw.ef_search", true, false);
	return number != NULL ? Max(strtod(number, NULL), 1) : USUAL_CANDIDATES;
}

/* A scan of one of these indexes in the order that the query wants; NULL: there is none. */
static Path *
path_by_index(PlannerInfo *root, RelOptInfo *rel)
{
	Path	   *best = NULL;
	ListCell   *cell;

	foreach(cell, rel->indexlist)
	{
		IndexOptInfo *index = lfirst(cell);
		RelOptInfo	alone = *rel;
		ListCell   *path_cell;

		if (index->amcanorderbyop || !may_be_incomplete(index) || index->hypothetical ||
			!GetIndexAmRoutineByAmId(index->relam, false)->amcanorderbyop)
			continue;
		alone.pathlist = alone.partial_pathlist = NIL;
		alone.consider_parallel = false;
		alone.indexlist = list_make1(index);
		index->amcanorderbyop = true;
		create_index_paths(root, &alone);
		index->amcanorderbyop = false;
		foreach(path_cell, alone.pathlist)
		{
			Path	   *path = lfirst(path_cell);

			path->parent = rel;
			if (IsA(path, IndexPath) && ((IndexPath *) path)->indexorderbys != NIL &&
				path->param_info == NULL &&
				pathkeys_contained_in(root->sort_pathkeys, path->pathkeys) &&
				(best == NULL || path->total_cost < best->total_cost))
				best = path;
		}
	}
	return best;
}

static Plan *make_plan(PlannerInfo *root, RelOptInfo *rel, CustomPath *path, List *targets,
					   List *conditions, List *plans);

static const CustomPathMethods path_methods = {
	.CustomName = SEEME_NEAREST_ROWS,
	.PlanCustomPath = make_plan,
};

/* Called once the paths of a protected table were made. Does not throw. */
void
seeme_add_nearest_rows(PlannerInfo *root, RelOptInfo *rel)
{
	int64		asked;
	Path	   *by_index;
	Path	   *cheapest = NULL;
	CustomPath *path;
	ListCell   *cell;

	/* An index would find rows that are not in the sample. */
	if (rel->reloptkind != RELOPT_BASEREL || rel->lateral_relids != NULL || rel->tuples < 1 ||
		planner_rt_fetch(rel->relid, root)->tablesample != NULL)
		return;
	asked = rows_asked_for(root);
	if (asked == 0 || candidates() * rel->rows / rel->tuples < 2 * asked)
		return;
	by_index = path_by_index(root, rel);
	foreach(cell, rel->pathlist)
	{
		Path	   *other = lfirst(cell);

		if (other->param_info == NULL &&
			(cheapest == NULL || other->total_cost < cheapest->total_cost))
			cheapest = other;
	}
	if (by_index == NULL || cheapest == NULL)
		return;

	path = makeNode(CustomPath);
	path->path.pathtype = T_CustomScan;
	path->path.parent = rel;
	path->path.pathtarget = rel->reltarget;
	path->path.rows = rel->rows;
	/* When the first row is there, all are. The cost assumes that no sort is needed. */
	path->path.startup_cost = by_index->startup_cost +
		(by_index->total_cost - by_index->startup_cost) * Min(asked / Max(by_index->rows, 1), 1);
	path->path.total_cost = path->path.startup_cost + cpu_tuple_cost * asked;
	path->path.pathkeys = by_index->pathkeys;
	path->flags = CUSTOMPATH_SUPPORT_PROJECTION;
	path->custom_paths = list_make2(by_index,
									create_sort_path(root, rel, cheapest, by_index->pathkeys,
													 asked));
	path->custom_private = list_make1(makeInteger((int) asked));
	path->methods = &path_methods;
	add_path(rel, &path->path);
}

static Node *create_state(CustomScan *plan);

static const CustomScanMethods scan_methods = {
	.CustomName = SEEME_NEAREST_ROWS,
	.CreateCustomScanState = create_state,
};

/*
 * Both plans return the table's columns that the query needs, in the same order. The sorted plan
 * may return more columns after them.
 */
static Plan *
make_plan(PlannerInfo *root, RelOptInfo *rel, CustomPath *path, List *targets, List *conditions,
		  List *plans)
{
	CustomScan *scan = makeNode(CustomScan);
	Plan	   *by_index = linitial(plans);
	ListCell   *cell;

	scan->scan.plan.targetlist = targets;
	scan->scan.plan.qual = NIL;
	scan->scan.scanrelid = 0;
	scan->flags = path->flags;
	scan->custom_plans = plans;
	scan->custom_private = path->custom_private;
	foreach(cell, by_index->targetlist)
	{
		TargetEntry *entry = lfirst_node(TargetEntry, cell);

		scan->custom_scan_tlist = lappend(scan->custom_scan_tlist,
										  makeTargetEntry(copyObject(entry->expr), entry->resno,
														  NULL, false));
	}
	scan->methods = &scan_methods;
	return &scan->scan.plan;
}

/* --------------------------------------------------------------------- execution */

static void
begin_scan(CustomScanState *node, EState *estate, int flags)
{
	NearestRowsState *state = (NearestRowsState *) node;
	CustomScan *plan = (CustomScan *) node->ss.ps.plan;

	state->asked = intVal(linitial(plan->custom_private));
	flags &= ~(EXEC_FLAG_BACKWARD | EXEC_FLAG_MARK);
	state->by_index = ExecInitNode(linitial(plan->custom_plans), estate, flags);
	state->by_sort = ExecInitNode(lsecond(plan->custom_plans), estate, flags);
	node->custom_ps = list_make2(state->by_index, state->by_sort);
	state->found_slot = MakeSingleTupleTableSlot(ExecGetResultType(state->by_index),
												 &TTSOpsMinimalTuple);
}

/* Scans the index. Keeps its rows if they are as many as the query wants. */
static void
decide(NearestRowsState *state)
{
	Tuplestorestate *found = tuplestore_begin_heap(false, false, work_mem);
	int64		number = 0;

	while (number < state->asked)
	{
		TupleTableSlot *slot = ExecProcNode(state->by_index);

		if (TupIsNull(slot))
			break;
		tuplestore_puttupleslot(found, slot);
		number++;
	}
	if (number < state->asked)
		tuplestore_end(found);
	else
		state->found = found;
	state->is_decided = true;
}

static TupleTableSlot *
next_row(ScanState *node)
{
	NearestRowsState *state = (NearestRowsState *) node;
	TupleTableSlot *scan_slot = node->ss_ScanTupleSlot;
	TupleTableSlot *slot;
	int			natts = scan_slot->tts_tupleDescriptor->natts;

	if (!state->is_decided)
		decide(state);
	ExecClearTuple(scan_slot);
	if (state->found != NULL)
	{
		slot = state->found_slot;
		if (!tuplestore_gettupleslot(state->found, true, false, slot))
			return scan_slot;
	}
	else
	{
		slot = ExecProcNode(state->by_sort);
		if (TupIsNull(slot))
			return scan_slot;
	}
	slot_getsomeattrs(slot, natts);
	memcpy(scan_slot->tts_values, slot->tts_values, natts * sizeof(Datum));
	memcpy(scan_slot->tts_isnull, slot->tts_isnull, natts * sizeof(bool));
	return ExecStoreVirtualTuple(scan_slot);
}

/* Never called after a lock wait: queries that lock rows get no such plan. */
static bool
recheck(ScanState *node, TupleTableSlot *slot)
{
	return true;
}

static TupleTableSlot *
next_tuple(CustomScanState *node)
{
	return ExecScan(&node->ss, next_row, recheck);
}

static void
forget_rows(NearestRowsState *state)
{
	ExecClearTuple(state->found_slot);
	if (state->found != NULL)
		tuplestore_end(state->found);
	state->found = NULL;
	state->is_decided = false;
}

static void
end_scan(CustomScanState *node)
{
	NearestRowsState *state = (NearestRowsState *) node;

	forget_rows(state);
	ExecDropSingleTupleTableSlot(state->found_slot);
	ExecEndNode(state->by_index);
	ExecEndNode(state->by_sort);
}

static void
rescan(CustomScanState *node)
{
	NearestRowsState *state = (NearestRowsState *) node;
	ListCell   *cell;

	forget_rows(state);
	ExecScanReScan(&node->ss);
	foreach(cell, node->custom_ps)
	{
		PlanState  *child = lfirst(cell);

		if (node->ss.ps.chgParam != NULL)
			UpdateChangedParamSet(child, node->ss.ps.chgParam);
		ExecReScan(child);
	}
}

static const CustomExecMethods exec_methods = {
	.CustomName = SEEME_NEAREST_ROWS,
	.BeginCustomScan = begin_scan,
	.ExecCustomScan = next_tuple,
	.EndCustomScan = end_scan,
	.ReScanCustomScan = rescan,
};

static Node *
create_state(CustomScan *plan)
{
	NearestRowsState *state;

	state = (NearestRowsState *) newNode(sizeof(NearestRowsState), T_CustomScanState);
	state->css.methods = &exec_methods;
	return (Node *) state;
}

void
seeme_nearest_rows_init(void)
{
	RegisterCustomScanMethods(&scan_methods);
}
