/*
 * paths.c: how a protected table is read without asking about each of its rows.
 *
 * Three ways, for queries that only read:
 * - the query names the scope (`project_id = $1`): the check is made once, a One-Time Filter;
 * - an index finds the rows of the permitted scopes: a bitmap scan does not check them again;
 * - the whole table is read: by a permission scan, a path beside the sequential scan's and a little
 *   cheaper.
 *
 * All three decide about several rows at once. That holds as long as nothing happens between two
 * rows, so a query that changes or locks rows, or calls a volatile function, has none of them.
 *
 * Whether the policy is a barrier or an ordinary condition is decided before (barrier.c). Each of
 * the three makes the check before all other conditions, so both are the same here.
 *
 * Owns the setting seeme_rbac.enable_permission_scan. Must not know what a permission is.
 */
#include "postgres.h"

#include "access/heapam.h"
#include "access/table.h"
#include "access/tableam.h"
#include "nodes/extensible.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "optimizer/pathnode.h"
#include "optimizer/paths.h"
#include "optimizer/restrictinfo.h"
#include "utils/guc.h"
#include "utils/rel.h"

#include "planner/barrier.h"
#include "planner/merged_check.h"
#include "planner/check_expression.h"
#include "planner/custom_scan.h"
#include "planner/nearest_rows.h"
#include "planner/only_reads.h"
#include "planner/paths.h"
#include "planner/policy_arms.h"
#include "planner/statement.h"
#include "planner/fixed_columns.h"
#include "planner/support_function.h"
#include "core/version.h"

/* A smaller table is in the processor's caches: reading ahead gains nothing. */
#define MIN_ROWS 1000

static bool enable_permission_scan = true;

/*
 * The check among a table's conditions, if nothing has to be evaluated before it. That of the
 * table's policy; on a table without a policy of ours, that of the query.
 */
static RestrictInfo *
find_check(RelOptInfo *rel, List **arms)
{
	RestrictInfo *of_query = NULL;
	bool		has_policy = false;
	ListCell   *cell;

	*arms = NIL;
	foreach(cell, rel->baserestrictinfo)
	{
		RestrictInfo *condition = lfirst(cell);
		bool		of_policy = seeme_has_policy_call((Node *) condition->clause);
		List	   *found;

		has_policy |= of_policy;
		if (condition->security_level > rel->baserestrict_min_security ||
			condition->pseudoconstant)
			continue;
		found = seeme_find_arms((Node *) condition->clause, rel->relid);
		if (found == NIL)
			continue;
		if (of_policy || of_query == NULL)
			*arms = found;
		if (of_policy)
			return condition;
		if (of_query == NULL)
			of_query = condition;
	}
	return has_policy ? NULL : of_query;
}

/* Whether a table has PostgreSQL's own access method: rows lie on pages and stay there. */
static bool
is_heap(Oid relid)
{
	Relation	relation = table_open(relid, NoLock);
	bool		is_heap = relation->rd_tableam == GetHeapamTableAmRoutine();

	table_close(relation, NoLock);
	return is_heap;
}

static Plan *make_plan(PlannerInfo *root, RelOptInfo *rel, CustomPath *path, List *targets,
					   List *conditions, List *plans);

static const CustomPathMethods path_methods = {
	.CustomName = SEEME_PERMISSION_SCAN,
	.PlanCustomPath = make_plan,
};

static Path *
make_path(PlannerInfo *root, RelOptInfo *rel, RestrictInfo *check, int workers)
{
	CustomPath *path = makeNode(CustomPath);

	/* It costs what a sequential scan costs, less half an operator a row for the check. */
	path->path = *create_seqscan_path(root, rel, NULL, workers);
	path->path.type = T_CustomPath;
	path->path.pathtype = T_CustomScan;
	path->path.total_cost -= cpu_operator_cost * rel->tuples / Max(workers + 1, 1) / 2;
	path->flags = CUSTOMPATH_SUPPORT_PROJECTION | CUSTOMPATH_SUPPORT_BACKWARD_SCAN;
	path->custom_private = list_make1(check);
	path->methods = &path_methods;
	return &path->path;
}

/* Whether a query compares one of these columns with something known. */
static bool
any_is_fixed(RelOptInfo *rel, Bitmapset *columns)
{
	int			column = -1;

	while ((column = bms_next_member(columns, column)) >= 0)
		if (seeme_is_fixed(rel, column))
			return true;
	return false;
}

static void
add_scan(PlannerInfo *root, RelOptInfo *rel, RangeTblEntry *rte, RestrictInfo *check)
{
	if (!enable_permission_scan || rte->tablesample != NULL || rel->tuples < MIN_ROWS ||
		rel->lateral_relids != NULL || !is_heap(rte->relid))
		return;
	add_path(rel, make_path(root, rel, check, 0));
	if (rel->consider_parallel)
	{
		int			workers = compute_parallel_worker(rel, rel->pages, -1,
													  max_parallel_workers_per_gather);

		if (workers > 0)
			add_partial_path(rel, make_path(root, rel, check, workers));
	}
}

/*
 * The same as below for a table that a query reads alone and whose policy is one call
 * (policy_condition.c).
 */
static void
add_paths_by_policy(PlannerInfo *root, RelOptInfo *rel, RangeTblEntry *rte,
					SeemeStatement *statement)
{
	RestrictInfo *check = statement->policy;

	check->security_level = 0;
	if (!check->pseudoconstant)
	{
		if (statement->is_point_query || !seeme_only_reads(root))
			return;
		seeme_trust_index(check);
		if (!statement->policy_is_fixed)
			add_scan(root, rel, rte, check);
	}
	seeme_add_nearest_rows(root, rel);
}

/* Called when PostgreSQL has made the paths of a table. Throws nothing. */
void
seeme_add_paths(PlannerInfo *root, RelOptInfo *rel, Index rti, RangeTblEntry *rte)
{
	RestrictInfo *check;
	List	   *arms;
	bool		is_point;
	bool		is_fixed;

	if (!seeme_version_fits())
		return;
	if (rti == root->parse->resultRelation)
		seeme_check_both(root, rti);
	if (rte->rtekind != RTE_RELATION || rte->inh ||
		(rte->relkind != RELKIND_RELATION && rte->relkind != RELKIND_MATVIEW))
		return;
	if (seeme_statement(root)->policy_of == rel)
	{
		add_paths_by_policy(root, rel, rte, seeme_statement(root));
		return;
	}
	seeme_promote_conditions(root, rel);
	check = find_check(rel, &arms);
	if (check == NULL)
		return;
	is_point = seeme_is_point_query(root, rel);
	is_fixed = any_is_fixed(rel, seeme_columns_of_arms(arms));
	/* One row, found by its key: none of the three ways gains anything. */
	if (is_point && !is_fixed && !seeme_has_two_checks(rel))
		return;
	if (!seeme_only_reads(root))
	{
		seeme_ask_for_both(root, rel);
		return;
	}
	if (!is_fixed || !seeme_is_one_check(arms) || !seeme_ask_once(root, rel, check))
	{
		if (list_length(arms) == 1 && seeme_arms_are_exact(arms))
			seeme_trust_index(check);
		if (!is_point && !is_fixed)
			add_scan(root, rel, rte, check);
	}
	seeme_add_nearest_rows(root, rel);
}

static Plan *
make_plan(PlannerInfo *root, RelOptInfo *rel, CustomPath *path, List *targets, List *conditions,
		  List *plans)
{
	CustomScan *scan = makeNode(CustomScan);
	RestrictInfo *check = linitial(path->custom_private);

	scan->scan.plan.targetlist = targets;
	scan->scan.plan.qual = extract_actual_clauses(list_difference_ptr(conditions,
																	  list_make1(check)), false);
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
							 "A sequential scan that decides some rows at a time.",
							 &enable_permission_scan, true, PGC_USERSET,
							 GUC_NOT_IN_SAMPLE | GUC_EXPLAIN, NULL, NULL, NULL);
}
