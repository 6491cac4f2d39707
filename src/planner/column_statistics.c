/*
 * column_statistics.c: the statistics of a column, found once for each statement (statement.c).
 *
 * Must not look at values of a column.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_statistic.h"
#include "optimizer/optimizer.h"
#include "optimizer/pathnode.h"
#include "optimizer/plancat.h"
#include "parser/parsetree.h"
#include "utils/selfuncs.h"
#include "utils/syscache.h"

#include "planner/column_statistics.h"
#include "planner/statement.h"

/*
 * Finds the statistics of a column. examine_variable() also finds out whether the current role may
 * see values of the column, by its privileges on the table. Here no value is looked at, so that is
 * not needed.
 */
static void
find_statistics(PlannerInfo *root, RelOptInfo *rel, Var *column, VariableStatData *variable)
{
	RangeTblEntry *rte = planner_rt_fetch(rel->relid, root);

	seeme_planner_counters.columns_examined++;
	if (rte->rtekind != RTE_RELATION || get_relation_stats_hook != NULL)
	{
		examine_variable(root, (Node *) column, 0, variable);
		return;
	}
	memset(variable, 0, sizeof(*variable));
	variable->var = (Node *) column;
	variable->rel = rel;
	variable->vartype = variable->atttype = column->vartype;
	variable->atttypmod = column->vartypmod;
	variable->isunique = has_unique_index(rel, column->varattno);
	variable->statsTuple = SearchSysCache3(STATRELATTINH, ObjectIdGetDatum(rte->relid),
										   Int16GetDatum(column->varattno),
										   BoolGetDatum(rte->inh));
	variable->freefunc = ReleaseSysCache;
}

/* The number of distinct values of a column, by statistics; and the part of nulls. */
double
seeme_distinct_values(PlannerInfo *root, Var *column, double *null_part)
{
	RelOptInfo *rel = find_base_rel(root, column->varno);
	SeemeStatement *statement = seeme_statement(root);
	SeemeColumnStatistics *known = statement->statistics;
	VariableStatData variable;
	bool		is_default;

	for (int i = 0; i < SEEME_KNOWN_COLUMNS; i++)
		if (known[i].rel == rel && known[i].column == column->varattno)
		{
			*null_part = known[i].null_part;
			return known[i].distinct;
		}
	known += statement->next;
	statement->next = (statement->next + 1) % SEEME_KNOWN_COLUMNS;
	find_statistics(root, rel, column, &variable);
	known->rel = rel;
	known->column = column->varattno;
	known->distinct = Max(get_variable_numdistinct(&variable, &is_default), 1);
	known->null_part = HeapTupleIsValid(variable.statsTuple) ?
		((Form_pg_statistic) GETSTRUCT(variable.statsTuple))->stanullfrac : 0;
	ReleaseVariableStats(variable);
	*null_part = known->null_part;
	return known->distinct;
}
