/*
 * barrier.c: where the conditions of a policy stand among those of a query.
 *
 * Terms are those of PostgreSQL's planner (src/backend/optimizer/README, "Security-level
 * constraints on qual clauses").
 *
 * What PostgreSQL does. A policy arrives as rte->securityQuals, a list with an element for each
 * security level. Its clauses get the levels 0, 1, ...; the query's own get
 * root->qual_security_level, which is greater. A clause of a higher level is neither an index
 * condition nor part of an equivalence class, and reads no statistics, unless its functions are
 * marked LEAKPROOF: it could raise an error, or print, about a row that the policy hides. That is
 * the barrier.
 *
 * What is done here, for a table whose policy calls this library (any other table is left as it
 * is):
 *
 * 1. One level. All elements that come from policies become one. A RESTRICTIVE policy beside ours
 *    has an element of its own before it, and would keep our call from being an index condition.
 *    PostgreSQL does not promise an order among policies; all of them are the administrator's, and
 *    none is there to hide rows from another. Elements of security-barrier views that are updated
 *    through come after the policies' and stay as they are: a view's owner may be somebody else.
 *
 * 2. No barrier. If nothing in the whole statement may leak (leaky_statement.c), the barrier
 *    protects nothing. The policy becomes a qual of the query: its table in the join tree, a
 *    RangeTblRef, is replaced by a FromExpr of that RangeTblRef and the policy's clauses, as if the
 *    table were a view `SELECT * FROM t WHERE policy` that was pulled up. From there on everything
 *    is ordinary planning. It happens in get_relation_info_hook: preprocessing and pull-up are
 *    over, and deconstruct_jointree() has not begun. Safe, because
 *    - the rows are the same: the clauses are the same conjunction on the same scan, below the same
 *      outer joins;
 *    - a clause of the query that is now evaluated before the policy is harmless, and so is one
 *      that is an index condition, or is evaluated on most common values by an estimator;
 *    - EvalPlanQual evaluates the quals of a scan, index conditions included, again on the new
 *      version of a row. Which of them stood behind the barrier makes no difference. A row that was
 *      waited for and did not change is asked about by the recheck trigger (recheck_trigger.c),
 *      which knows no plans;
 *    - the checks of a new row (WithCheckOption) are not touched.
 *    Not done for MERGE, whose actions look at rows by more than one policy; for a policy that is
 *    volatile; and, where rows are changed or locked, for a policy with a clause without columns:
 *    PostgreSQL would evaluate it once for the statement, as a one-time filter, and a right that is
 *    revoked while the statement waits for a lock would still count (rule 7.4).
 *
 * 3. Exceptions to the barrier. Else the barrier stays. Single clauses that are harmless are marked
 *    leakproof (RestrictInfo.leakproof) when the paths of the table are made, and the index paths
 *    are made once more. A clause in baserestrictinfo may be evaluated when the table is scanned;
 *    outer joins were seen to when it got there. One in joininfo may become the condition of a
 *    parameterized index path, for which PostgreSQL has its own rules. So marked, a clause may go
 *    before the policy; what may leak still goes after it, since PostgreSQL sorts by level.
 *    Equivalence classes and estimates stay as they were. The other way round, a clause that
 *    PostgreSQL takes for leakproof is put behind the barrier where it may leak.
 *
 * Which clauses are the policy's is remembered by a mark on each call of this library in it
 * (check_expression.c), not by a level: with 2 there is none. Calls in the query itself have no
 * mark and are never taken for the policy.
 *
 * Owns the setting seeme_rbac.enable_policy_conditions. Anybody may set it: off is PostgreSQL's own
 * behaviour. Must not judge expressions (leakproof.c), and must not know what a permission is.
 */
#include "postgres.h"

#include "access/sysattr.h"
#include "catalog/pg_am.h"
#include "catalog/pg_class.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "optimizer/pathnode.h"
#include "optimizer/paths.h"
#include "parser/parsetree.h"
#include "rewrite/rowsecurity.h"
#include "utils/guc.h"

#include "planner/barrier.h"
#include "planner/check_expression.h"
#include "planner/leakproof.h"
#include "planner/nearest_rows.h"
#include "planner/leaky_statement.h"
#include "planner/policy_condition.h"
#include "core/version.h"

static bool enable_policy_conditions = true;

/*
 * Whether the query goes through a view to the table that it changes. The view stays in the range
 * table, for its privileges.
 */
static bool
is_changed_through_view(Query *query)
{
	ListCell   *cell;

	foreach(cell, query->rtable)
	{
		RangeTblEntry *rte = lfirst_node(RangeTblEntry, cell);

		if (rte->rtekind == RTE_RELATION && rte->relkind == RELKIND_VIEW)
			return true;
	}
	return false;
}

/*
 * How many of the elements of securityQuals come from policies. They come first. Only the table
 * that a statement changes through an updatable view has others; for that one PostgreSQL is asked
 * for the policies again.
 */
static int
count_policy_elements(PlannerInfo *root, Index rti, RangeTblEntry *rte)
{
	List	   *quals;
	List	   *checks;
	bool		has_row_security;
	bool		has_sublinks;

	if (rti != root->parse->resultRelation || !is_changed_through_view(root->parse))
		return list_length(rte->securityQuals);
	get_row_security_policies(root->parse, rte, rti, &quals, &checks, &has_row_security,
							  &has_sublinks);
	return Min(list_length(quals), list_length(rte->securityQuals));
}

/* The security level of the query's own clauses, as subquery_planner() computes it. */
static void
recompute_qual_security_level(PlannerInfo *root)
{
	ListCell   *cell;

	root->qual_security_level = 0;
	foreach(cell, root->parse->rtable)
	{
		RangeTblEntry *rte = lfirst_node(RangeTblEntry, cell);

		root->qual_security_level = Max(root->qual_security_level,
										list_length(rte->securityQuals));
	}
}

/* Whether a policy may be a qual like any other, once nothing in the statement may leak. */
static bool
may_be_ordinary(PlannerInfo *root, List *policy)
{
	bool		only_reads = root->parse->commandType == CMD_SELECT && root->parse->rowMarks == NIL;
	ListCell   *cell;

	if (seeme_has_volatile_function((Node *) policy, NULL))
		return false;
	if (only_reads)
		return true;
	foreach(cell, policy)
		if (!contain_var_clause(lfirst(cell)))
		return false;
	return true;
}

/* Puts quals beside a table in the join tree; false if it is not there. */
static bool
add_quals(Node **tree, Index rti, List *quals)
{
	ListCell   *cell;

	if (IsA(*tree, RangeTblRef))
	{
		if (((RangeTblRef *) * tree)->rtindex != rti)
			return false;
		*tree = (Node *) makeFromExpr(list_make1(*tree), (Node *) quals);
		return true;
	}
	if (IsA(*tree, JoinExpr))
		return add_quals(&((JoinExpr *) * tree)->larg, rti, quals) ||
			add_quals(&((JoinExpr *) * tree)->rarg, rti, quals);
	foreach(cell, castNode(FromExpr, *tree)->fromlist)
		if (add_quals((Node **) &lfirst(cell), rti, quals))
		return true;
	return false;
}

/*
 * Before the clauses of a query are distributed: decides where the policy of one of its tables
 * stands. rel is not complete yet, nor are those of the tables that come after it.
 */
void
seeme_place_policy(PlannerInfo *root, RelOptInfo *rel)
{
	RangeTblEntry *rte = planner_rt_fetch(rel->relid, root);
	int			nelements;
	bool		is_ours = false;
	bool		is_one_call;
	List	   *policy = NIL;
	List	   *others;
	List	   *checks = NIL;
	Node	   *tree = (Node *) root->parse->jointree;

	if (!seeme_version_fits())
		return;
	if (rte->securityQuals == NIL)
	{
		seeme_hide_ordering_indexes(root, rel, false);
		return;
	}
	nelements = count_policy_elements(root, rel->relid, rte);
	for (int i = 0; i < nelements; i++)
		is_ours |= seeme_mark_policy_calls(list_nth(rte->securityQuals, i));
	seeme_hide_ordering_indexes(root, rel, is_ours);
	if (!is_ours || !enable_policy_conditions)
		return;

	/*
	 * PostgreSQL does so itself once this hook is done. Until then its indexes are asked about.
	 */
	root->simple_rel_array[rel->relid] = rel;
	for (int i = 0; i < nelements; i++)
		policy = list_concat(policy, list_nth(rte->securityQuals, i));
	others = list_copy_tail(rte->securityQuals, nelements);

	/*
	 * A member of a UNION ALL gets its clauses from securityQuals alone, and after those of its
	 * parent were distributed.
	 */
	if (rel->reloptkind != RELOPT_BASEREL)
	{
		rte->securityQuals = lcons(policy, others);
		return;
	}
	is_one_call = !rte->inh && list_length(policy) == 1 &&
		seeme_is_call(linitial(policy), rel->relid);
	if (others == NIL &&
		(is_one_call ? !seeme_is_volatile(((FuncExpr *) linitial(policy))->funcid, NULL)
		 : may_be_ordinary(root, policy)) &&
		!seeme_statement_may_leak(root, &checks) &&
		(is_one_call || add_quals(&tree, rel->relid, policy)))
	{
		rte->securityQuals = NIL;

		/*
		 * Evaluated once, before any row is read: what of the query can raise an error whatever
		 * the rows are.
		 */
		root->parse->jointree->quals = (Node *)
			list_concat(castNode(List, root->parse->jointree->quals), checks);
		if (is_one_call)
			seeme_add_condition(root, rel, linitial(policy));
	}
	else
		rte->securityQuals = lcons(policy, others);
	recompute_qual_security_level(root);
}

/*
 * Whether an index may be about a column of a clause: only then is anything gained by another round
 * of index paths.
 */
static bool
may_have_index(RelOptInfo *rel, Node *clause)
{
	Bitmapset  *columns = NULL;
	bool		found = false;
	ListCell   *cell;

	pull_varattnos(clause, rel->relid, &columns);
	foreach(cell, rel->indexlist)
	{
		IndexOptInfo *index = lfirst(cell);

		found |= index->indexprs != NIL || index->indpred != NIL;
		for (int i = 0; i < index->nkeycolumns && !found; i++)
			found = bms_is_member(index->indexkeys[i] - FirstLowInvalidHeapAttributeNumber,
								  columns);
		if (found)
			break;
	}
	bms_free(columns);
	return found;
}

/* Whether a clause may go before the policy although it stands behind it. */
static bool
is_promotable(PlannerInfo *root, RestrictInfo *clause)
{
	return !clause->pseudoconstant && !seeme_may_leak(root, (Node *) clause->clause);
}

static void
mark_leakproof(Node *node, bool leakproof)
{
	if (node == NULL)
		return;
	if (IsA(node, RestrictInfo))
	{
		((RestrictInfo *) node)->leakproof = leakproof;
		/* The arms of an OR are asked for by themselves where indexes are combined. */
		mark_leakproof((Node *) ((RestrictInfo *) node)->orclause, leakproof);
	}
	else if (IsA(node, BoolExpr))
	{
		ListCell   *cell;

		foreach(cell, ((BoolExpr *) node)->args)
			mark_leakproof(lfirst(cell), leakproof);
	}
}

/* Marks the harmless ones of these clauses. Whether an index may be used for one of them. */
static bool
promote(PlannerInfo *root, RelOptInfo *rel, List *clauses)
{
	bool		found = false;
	ListCell   *cell;

	foreach(cell, clauses)
	{
		RestrictInfo *clause = lfirst_node(RestrictInfo, cell);

		if (clause->security_level > rel->baserestrict_min_security && !clause->leakproof &&
			is_promotable(root, clause))
		{
			mark_leakproof((Node *) clause, true);
			found = found || may_have_index(rel, (Node *) clause->clause);
		}
	}
	return found;
}

/*
 * The clauses that PostgreSQL takes for leakproof although they may raise an error, or call a
 * function, in a part that has no Var. `title = (SELECT 1 / 0)` raises when the first row is
 * compared, so the error tells that earlier conditions were true of one. A clause in joininfo may
 * be a filter of a parameterized path: `d.id = f.k AND (d.n < f.k OR count_calls())`. CURRENT OF
 * tells nothing.
 */
static List *
falsely_leakproof(PlannerInfo *root, RelOptInfo *rel, List *clauses)
{
	List	   *found = NIL;
	ListCell   *cell;

	foreach(cell, clauses)
	{
		RestrictInfo *clause = lfirst_node(RestrictInfo, cell);

		if (clause->security_level > rel->baserestrict_min_security && clause->leakproof &&
			!IsA(clause->clause, CurrentOfExpr) &&
			seeme_may_leak(root, (Node *) clause->clause))
			found = lappend(found, clause);
	}
	return found;
}

/* Puts clauses behind the barrier. Whether an index may be used for one of them. */
static bool
demote(RelOptInfo *rel, List *clauses)
{
	bool		found = false;
	ListCell   *cell;

	foreach(cell, clauses)
	{
		RestrictInfo *clause = lfirst_node(RestrictInfo, cell);

		mark_leakproof((Node *) clause, false);
		found = found || may_have_index(rel, (Node *) clause->clause);
	}
	return found;
}

/*
 * Makes the paths of a table again, as set_plain_rel_pathlist() does. Paths that other extensions
 * have added are lost. A bitmap scan would check a demoted clause again on each row of a page,
 * before the policy: where the bitmap has lost the rows, and always with BRIN. So only plain scans
 * of a B-tree may use one: they evaluate the value once for a scan.
 */
static void
remake_paths(PlannerInfo *root, RelOptInfo *rel, List *demoted)
{
	List	   *indexes = rel->indexlist;
	ListCell   *cell;

	rel->pathlist = rel->partial_pathlist = NIL;
	add_path(rel, create_seqscan_path(root, rel, rel->lateral_relids, 0));
	if (rel->consider_parallel && rel->lateral_relids == NULL)
	{
		int			workers = compute_parallel_worker(rel, rel->pages, -1,
													  max_parallel_workers_per_gather);

		if (workers > 0)
			add_partial_path(rel, create_seqscan_path(root, rel, NULL, workers));
	}
	create_index_paths(root, rel);
	create_tidscan_paths(root, rel);

	foreach(cell, demoted)
		mark_leakproof(lfirst(cell), true);
	rel->indexlist = NIL;
	foreach(cell, indexes)
	{
		IndexOptInfo *index = lfirst(cell);

		if (index->relam != BTREE_AM_OID)
			continue;
		index->amhasgetbitmap = false;
		rel->indexlist = lappend(rel->indexlist, index);
	}
	create_index_paths(root, rel);
	foreach(cell, rel->indexlist)
		((IndexOptInfo *) lfirst(cell))->amhasgetbitmap = true;
	rel->indexlist = indexes;
	foreach(cell, demoted)
		mark_leakproof(lfirst(cell), false);
}

/*
 * Once the paths of a table are made: where a barrier stayed, makes those that harmless clauses
 * bring besides.
 */
void
seeme_promote_conditions(PlannerInfo *root, RelOptInfo *rel)
{
	bool		promoted;
	bool		remake;
	List	   *demoted;
	ListCell   *cell;

	if (!enable_policy_conditions || root->qual_security_level == 0)
		return;
	foreach(cell, rel->baserestrictinfo)
	{
		RestrictInfo *clause = lfirst_node(RestrictInfo, cell);

		if (clause->security_level == rel->baserestrict_min_security &&
			seeme_has_policy_call((Node *) clause->clause))
			break;
	}
	if (cell == NULL)
		return;
	promoted = promote(root, rel, rel->baserestrictinfo);
	promoted |= promote(root, rel, rel->joininfo);
	demoted = list_concat(falsely_leakproof(root, rel, rel->baserestrictinfo),
						  falsely_leakproof(root, rel, rel->joininfo));
	remake = demote(rel, demoted);
	/* An index would find rows that are not in the sample. */
	if (planner_rt_fetch(rel->relid, root)->tablesample != NULL)
		return;
	if (remake)
		remake_paths(root, rel, demoted);
	else if (promoted && rel->indexlist != NIL)
		create_index_paths(root, rel);
}

void
seeme_barrier_init(void)
{
	DefineCustomBoolVariable("seeme_rbac.enable_policy_conditions",
							 "Enables the planner's use of a policy as a condition like any other.",
							 "Where nothing in the statement may tell of a row but by the result.",
							 &enable_policy_conditions, true, PGC_USERSET,
							 GUC_NOT_IN_SAMPLE | GUC_EXPLAIN,
							 NULL, NULL, NULL);
}
