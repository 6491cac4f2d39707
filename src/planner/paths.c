/*
 * paths.c: how a table is read without asking about each of its rows.
 *
 * Where the query says which scope its rows are of, by asking once; where an index finds the rows, by asking no more; where a
 * whole table is read, by a permission scan: a path beside that of the sequential scan, a little cheaper. Whatever is decided
 * for several rows at once is good as long as nothing comes between them, so all of this is for queries that only read, lock no
 * row, and call nothing volatile.
 *
 * Owns the planner's hook and its setting. Knows nothing of permissions.
 */
#include "postgres.h"

#include "access/heapam.h"
#include "access/table.h"
#include "access/tableam.h"
#include "catalog/pg_proc.h"
#include "nodes/extensible.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "optimizer/pathnode.h"
#include "optimizer/paths.h"
#include "optimizer/restrictinfo.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "planner/merged_check.h"
#include "planner/check_expression.h"
#include "core/invalidation.h"
#include "planner/custom_scan.h"
#include "planner/paths.h"
#include "planner/support_function.h"
#include "core/version.h"

/* Of smaller tables all that could be waited for is near anyway. */
#define MIN_ROWS 1000

static bool enable_permission_scan = true;
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
			seeme_is_call((Node *) condition->clause, rel->relid))
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
	.CustomName = SEEME_PERMISSION_SCAN,
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

/* Whether a function may do anything; of those asked about last that is remembered, for they are the same in most queries. */
static bool
is_volatile(Oid function, void *context)
{
	static struct
	{
		Oid			function;
		bool		is_volatile;
	}			known[64];
	static uint64 known_under = 0;
	int			place = function % lengthof(known);

	if (known_under != seeme_function_generation)
	{
		memset(known, 0, sizeof(known));
		known_under = seeme_function_generation;
	}
	if (known[place].function != function)
	{
		uint64		changes = seeme_function_generation;
		bool		found = func_volatile(function) == PROVOLATILE_VOLATILE;

		if (changes != seeme_function_generation)
			return found;
		known[place].function = function;
		known[place].is_volatile = found;
	}
	return known[place].is_volatile;
}

/* Whether a query, or one inside it, changes or locks rows, or calls what may do anything. */
static bool
does_more_than_read(Node *node, void *context)
{
	ListCell   *cell;

	if (node == NULL)
		return false;
	switch (nodeTag(node))
	{
		/* What queries have most of */
		case T_Var:
		case T_Const:
		case T_Param:
			return false;
		case T_TargetEntry:
			return does_more_than_read((Node *) ((TargetEntry *) node)->expr, context);
		case T_List:
			foreach(cell, (List *) node)
				if (does_more_than_read(lfirst(cell), context))
					return true;
			return false;
		case T_Query:
			return ((Query *) node)->commandType != CMD_SELECT || ((Query *) node)->rowMarks != NIL ||
				query_tree_walker((Query *) node, does_more_than_read, context, 0);
		default:
			break;
	}
	return check_functions_in_node(node, is_volatile, NULL) || IsA(node, NextValueExpr) ||
		expression_tree_walker(node, does_more_than_read, context);
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
		if (does_more_than_read((Node *) lfirst_node(PlannerInfo, cell)->parse, NULL))
			return false;
	return !does_more_than_read((Node *) root->parse, NULL);
}

static void
add_scan(PlannerInfo *root, RelOptInfo *rel, RangeTblEntry *rte, RestrictInfo *check)
{
	if (!enable_permission_scan || rte->tablesample != NULL || rel->tuples < MIN_ROWS || rel->lateral_relids != NULL ||
		seeme_is_point_query(rel) || seeme_is_fixed(rel, seeme_scope_column((FuncExpr *) check->clause)->varattno) ||
		!is_heap(rte->relid))
		return;
	add_path(rel, make_path(root, rel, check, 0));
	if (rel->consider_parallel)
	{
		int			workers = compute_parallel_worker(rel, rel->pages, -1, max_parallel_workers_per_gather);

		if (workers > 0)
			add_partial_path(rel, make_path(root, rel, check, workers));
	}
}

/* Once PostgreSQL has made the paths of a relation. Throws nothing. */
void
seeme_add_paths(PlannerInfo *root, RelOptInfo *rel, Index rti, RangeTblEntry *rte)
{
	RestrictInfo *check;

	if (!seeme_version_fits())
		return;
	if (rti == root->parse->resultRelation)
		seeme_check_both(root, rti);
	if (rte->rtekind != RTE_RELATION || rte->inh ||
		(rte->relkind != RELKIND_RELATION && rte->relkind != RELKIND_MATVIEW))
		return;
	check = find_check(rel);
	if (check == NULL)
		return;
	if (!only_reads(root))
	{
		seeme_ask_for_both(root, rel);
		return;
	}
	if (!seeme_ask_once(root, rel, check))
	{
		seeme_trust_index(check);
		add_scan(root, rel, rte, check);
	}
}

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
	scan->methods = &seeme_permission_scan_methods;
	return &scan->scan.plan;
}

void
seeme_permission_path_init(void)
{
	DefineCustomBoolVariable("seeme_rbac.enable_permission_scan",
							 "Enables the planner's use of permission scans.",
							 "A sequential scan that has some rows at a time decided, instead of a filter.",
							 &enable_permission_scan, true, PGC_USERSET, GUC_NOT_IN_SAMPLE | GUC_EXPLAIN, NULL, NULL, NULL);
}
