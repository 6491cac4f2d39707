/*
 * rows.h: what the rules about rows of the extension's own tables have in common.
 */
#ifndef SEEME_RULES_ROWS_H
#define SEEME_RULES_ROWS_H

#include "postgres.h"

#include "access/htup.h"
#include "commands/trigger.h"
#include "fmgr.h"
#include "utils/hsearch.h"
#include "utils/rel.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

#include "core/evaluator.h"
#include "core/index_scan.h"
#include "core/invalidation.h"
#include "core/store.h"
#include "identity/identity.h"

#pragma GCC visibility push(hidden)

/* A column of the table that a trigger is on. */
typedef struct SeemeRowColumn
{
	const char *name;
	Oid			type;
} SeemeRowColumn;

#define SEEME_MAX_ROW_COLUMNS 16

/* What is known of what a statement needs, until something of it changes: see seeme_begin_row(). */
typedef struct SeemeMemoKey
{
	int			question;		/* the caller's own numbers */
	SeemeScopeKind	level;
	pg_uuid_t	scope;
	pg_uuid_t	other;			/* all zeroes: none */
} SeemeMemoKey;

typedef struct SeemeMemoEntry
{
	SeemeMemoKey key;
	pg_uuid_t	answer;			/* if the question has one besides yes */
	bool		has_answer;
} SeemeMemoEntry;

/* The state of a trigger of a statement, from row to row: fn_extra. */
typedef struct SeemeRowState
{
	MemoryContext context;
	Relation	table;
	int			columns[SEEME_MAX_ROW_COLUMNS]; /* the numbers of the columns asked for */
	bool		asks_policies;	/* row security applies to whoever runs the statement */
	/* the rows may be those of a dump, as long as nobody is identified */
	bool		may_restore;

	/* Who is asking, and under what the memo is good */
	bool		is_identified;
	bool		acts;			/* identified, known, and not refused */
	SeemeIdentity asker;
	uint64		changes[SEEME_NINVAL_KINDS];
	uint64		changes_of_asker;
	TimestampTz good_until;
	MemoryContext memo_context;
	HTAB	   *memo;			/* NULL: nothing is known yet */

	void	   *more;			/* what else the trigger keeps from row to row */
} SeemeRowState;

extern void seeme_require_own_table(Relation table);
extern SeemeRowState *seeme_begin_row(FunctionCallInfo fcinfo, const SeemeRowColumn *columns,
									  int ncolumns);
extern bool seeme_takes_as_is(const SeemeRowState *state);
extern SeemeMemoEntry *seeme_recall(SeemeRowState *state, int question, SeemeScopeKind level,
									const pg_uuid_t *scope,
									const pg_uuid_t *other, bool *known);
extern bool seeme_get_id(const SeemeRowState *state, HeapTuple row, int column, pg_uuid_t *id);
extern TimestampTz seeme_get_time(const SeemeRowState *state, HeapTuple row, int column,
								  TimestampTz if_null);
extern char *seeme_get_text(const SeemeRowState *state, HeapTuple row, int column);
extern bool seeme_is_same(const SeemeRowState *state, HeapTuple a, HeapTuple b, int column);
extern HeapTuple seeme_lock_row(SeemeIndex index, int nkeys, ScanKey keys,
								bool (*is_wanted) (SeemeScan *scan));
extern bool seeme_names_rows(void);
extern char *seeme_id_text(const pg_uuid_t *id);

#pragma GCC visibility pop

/* What SQL calls, called here, too. */
extern Datum seeme_user_id(PG_FUNCTION_ARGS);
extern Datum seeme_missing_permissions(PG_FUNCTION_ARGS);
extern Datum seeme_missing_permissions_below(PG_FUNCTION_ARGS);

#endif							/* SEEME_RULES_ROWS_H */
