/*
 * generated_columns.c: the values of generated columns in a BEFORE trigger.
 *
 * PostgreSQL computes stored generated columns after the BEFORE triggers. Until then the new row of
 * an UPDATE has the old values there. A check of the scope must not read those: `UPDATE models SET
 * project_id = 7` would look like a row that stays in its project.
 *
 * Evaluates the expressions that PostgreSQL evaluates later, and changes no row. Must not know what
 * a column means.
 */
#include "postgres.h"

#include "access/sysattr.h"
#include "access/tupdesc.h"
#include "executor/executor.h"
#include "optimizer/optimizer.h"
#include "rewrite/rewriteHandler.h"

#include "core/generated_columns.h"

struct SeemeGeneratedColumns
{
	EState	   *estate;
	TupleTableSlot *row;
	int			ncolumns;
	struct
	{
		AttrNumber	number;
		ExprState  *expression;
	}			columns[FLEXIBLE_ARRAY_MEMBER];
};

/*
 * Prepares the stored generated columns that a condition on a relation reads, in the current memory
 * context. NULL: it reads none.
 */
SeemeGeneratedColumns *
seeme_generated_columns(Relation relation, Expr *condition)
{
	TupleDesc	descriptor = RelationGetDescr(relation);
	Bitmapset  *read = NULL;
	bool		reads_all;
	SeemeGeneratedColumns *found = NULL;

	if (descriptor->constr == NULL || !descriptor->constr->has_generated_stored)
		return NULL;
	pull_varattnos((Node *) condition, 1, &read);
	/* The whole row, as in `may_see(models)`, has all columns. */
	reads_all = bms_is_member(InvalidAttrNumber - FirstLowInvalidHeapAttributeNumber, read);
	for (int number = 1; number <= descriptor->natts; number++)
	{
		if (TupleDescAttr(descriptor, number - 1)->attgenerated != ATTRIBUTE_GENERATED_STORED ||
			!(reads_all || bms_is_member(number - FirstLowInvalidHeapAttributeNumber, read)))
			continue;
		if (found == NULL)
		{
			found = palloc0(offsetof(SeemeGeneratedColumns, columns) +
							descriptor->natts * sizeof(found->columns[0]));
			found->estate = CreateExecutorState();
			/* A copy: the original is counted, and belongs to the statement. */
			found->row = MakeSingleTupleTableSlot(CreateTupleDescCopy(descriptor),
												  &TTSOpsVirtual);
		}
		found->columns[found->ncolumns].number = number;
		found->columns[found->ncolumns++].expression =
			ExecPrepareExpr((Expr *) build_column_default(relation, number), found->estate);
	}
	return found;
}

/* The columns from which a stored generated column is computed. NULL for any other column. */
Bitmapset *
seeme_base_columns(Relation relation, AttrNumber column)
{
	TupleDesc	descriptor = RelationGetDescr(relation);
	Bitmapset  *read = NULL;
	Bitmapset  *columns = NULL;
	int			number = -1;

	if (descriptor->constr == NULL || !descriptor->constr->has_generated_stored || column < 1 ||
		TupleDescAttr(descriptor, column - 1)->attgenerated != ATTRIBUTE_GENERATED_STORED)
		return NULL;
	pull_varattnos(build_column_default(relation, column), 1, &read);
	while ((number = bms_next_member(read, number)) >= 0)
		if (number + FirstLowInvalidHeapAttributeNumber > 0)
			columns = bms_add_member(columns, number + FirstLowInvalidHeapAttributeNumber);
	return columns;
}

/* A row with the values that its generated columns will have. Valid until the next call. */
TupleTableSlot *
seeme_compute_generated(SeemeGeneratedColumns *columns, TupleTableSlot *row)
{
	ExprContext *context;
	TupleTableSlot *computed;

	if (columns == NULL)
		return row;
	computed = columns->row;
	context = GetPerTupleExprContext(columns->estate);
	ResetExprContext(context);
	ExecClearTuple(computed);
	slot_getallattrs(row);
	memcpy(computed->tts_values, row->tts_values, row->tts_nvalid * sizeof(Datum));
	memcpy(computed->tts_isnull, row->tts_isnull, row->tts_nvalid * sizeof(bool));
	computed->tts_tableOid = row->tts_tableOid;
	context->ecxt_scantuple = row;
	for (int i = 0; i < columns->ncolumns; i++)
	{
		int			column = columns->columns[i].number - 1;

		computed->tts_values[column] =
			ExecEvalExprSwitchContext(columns->columns[i].expression, context,
									  &computed->tts_isnull[column]);
	}
	return ExecStoreVirtualTuple(computed);
}
