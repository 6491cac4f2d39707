/*
 * leakproof_condition.c: what a database administrator, and a test, asks of a condition: whether an
 * index may be used for it.
 *
 * Owns the function that SQL calls. Nothing is executed but what the planner executes itself: calls
 * of immutable functions whose arguments are constants.
 */
#include "postgres.h"

#include "access/table.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "fmgr.h"
#include "nodes/makefuncs.h"
#include "nodes/pathnodes.h"
#include "optimizer/optimizer.h"
#include "optimizer/prep.h"
#include "parser/parse_relation.h"
#include "parser/parsetree.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "core/version.h"
#include "planner/leakproof.h"

/* A query that reads one table, as far as the judge of expressions looks at it. */
static PlannerInfo *
make_root(Oid relid)
{
	PlannerInfo *root = makeNode(PlannerInfo);
	RangeTblEntry *rte = makeNode(RangeTblEntry);

	rte->rtekind = RTE_RELATION;
	rte->relid = relid;
	rte->relkind = get_rel_relkind(relid);
	rte->rellockmode = AccessShareLock;
	rte->inh = rte->relkind == RELKIND_PARTITIONED_TABLE || has_subclass(relid);
	root->glob = makeNode(PlannerGlobal);
	root->parse = makeNode(Query);
	root->parse->commandType = CMD_SELECT;
	root->parse->rtable = list_make1(rte);
	return root;
}

/*
 * seeme.leak_of_condition(relation regclass, tree pg_node_tree) RETURNS text: 'none', 'none once
 * checked' (what has no column in it is evaluated before the first row), or 'unknown'
 */
SEEME_FUNCTION(seeme_leak_of_condition, 2)
{
	Oid			relid = PG_GETARG_OID(0);
	Node	   *tree = stringToNode(TextDatumGetCString(PG_GETARG_DATUM(1)));
	Relation	relation = table_open(relid, AccessShareLock);
	PlannerInfo *root = make_root(relid);
	List	   *checks = NIL;
	bool		may_leak = false;
	ListCell   *cell;

	tree = eval_const_expressions(root, tree);
	tree = (Node *) canonicalize_qual((Expr *) tree, false);
	foreach(cell, make_ands_implicit((Expr *) tree))
		may_leak |= seeme_may_leak_unless_checked(root, lfirst(cell), &checks);
	table_close(relation, NoLock);
	PG_RETURN_TEXT_P(cstring_to_text(may_leak		 ? "unknown"
									 : checks != NIL ? "none once checked"
													 : "none"));
}
