/*
 * statement.c: what is remembered of a statement while it is planned.
 *
 * The planner asks the same for each table, each index and each clause of a statement. Most of it
 * has one answer for the whole statement, or for one table.
 *
 * Owns the memory of the last statement. It ends with the memory in which that statement is
 * planned: no pointer here is older. Must not find anything out by itself.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "fmgr.h"
#include "funcapi.h"
#include "utils/memutils.h"

#include "core/version.h"
#include "planner/statement.h"

SeemePlannerCounters seeme_planner_counters;

static SeemeStatement statement;

static void
forget(void *arg)
{
	memset(&statement, 0, sizeof(statement));
}

/*
 * The statement of which root is a part. Planning one statement may plan another in between; then
 * what was known of the first is found out again.
 */
SeemeStatement *
seeme_statement(PlannerInfo *root)
{
	MemoryContextCallback *callback;

	while (root->parent_root != NULL)
		root = root->parent_root;
	if (likely(statement.top == root))
		return &statement;
	/* A PlannerInfo lives as long as its memory context: nothing frees one by itself. */
	callback = MemoryContextAllocZero(root->planner_cxt, sizeof(MemoryContextCallback));
	callback->func = forget;
	MemoryContextRegisterResetCallback(root->planner_cxt, callback);
	memset(&statement, 0, sizeof(statement));
	statement.top = root;
	return &statement;
}

/*
 * seeme.planner_counters() RETURNS TABLE (statements_judged, statements_walked, columns_examined,
 * scopes_counted, indexes_opened bigint)
 */
SEEME_FUNCTION(seeme_planner_counters_of_backend, 0)
{
	const SeemePlannerCounters *c = &seeme_planner_counters;
	int64		values[] = {c->statements_judged, c->statements_walked, c->columns_examined,
	c->scopes_counted, c->indexes_opened};
	Datum		datums[lengthof(values)];
	bool		nulls[lengthof(values)] = {false};
	TupleDesc	columns;

	if (get_call_result_type(fcinfo, NULL, &columns) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "the result is no row");
	for (int i = 0; i < lengthof(values); i++)
		datums[i] = Int64GetDatum(values[i]);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(columns), datums, nulls)));
}
