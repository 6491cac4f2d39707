/*
 * policy_arms.h: the ways in which the condition of a policy lets a row through.
 */
#ifndef SEEME_PLANNER_POLICY_ARMS_H
#define SEEME_PLANNER_POLICY_ARMS_H

#include "postgres.h"

#include "access/htup.h"
#include "access/tupdesc.h"
#include "fmgr.h"
#include "nodes/bitmapset.h"
#include "nodes/pg_list.h"
#include "nodes/primnodes.h"
#include "port/pg_bitutils.h"

#include "planner/check_expression.h"

#pragma GCC visibility push(hidden)

/* The most rows that are decided at once: a bit each in a uint32. */
#define SEEME_MAX_ROWS_AT_ONCE SEEME_MAX_BATCH

/* The most arguments that the call of an arm has. */
#define SEEME_MAX_ARM_ARGS 11

typedef struct SeemeArm SeemeArm;

/* Rows of one table that are decided together. */
typedef struct SeemeRows
{
	int			n;
	HeapTupleData *rows;
	TupleDesc	columns;
} SeemeRows;

/*
 * A kind of arm. Another kind is another entry of the array in policy_arms.c. One whose decisions
 * need other arms is added by its file.
 */
typedef struct SeemeArmKind
{
	PGFunction	function;		/* which C function the arm calls */
	int			nargs;
	/* whether a call of that function about columns of a table is an arm */
	bool		(*is_arm) (FuncExpr *call, Index relid);
	/* prepares an arm for execution */
	void		(*prepare) (SeemeArm *arm);
	/* which of the undecided rows the arm lets through: a bit each */
	uint32		(*decide) (SeemeArm *arm, SeemeRows *rows, uint32 undecided);
	/* whether an index condition made of the arm finds just the rows that the arm lets through */
	bool		(*is_exact) (FuncExpr *call);
} SeemeArmKind;

/* An arm of one condition. */
struct SeemeArm
{
	const SeemeArmKind *kind;
	FuncExpr   *call;			/* NULL: the arm is a column */
	/* For execution */
	SeemeCall	check;			/* of a permission */
	/* of another kind: the call, and the columns of its arguments (0: a constant) or the column */
	FmgrInfo	function;
	FunctionCallInfo info;
	AttrNumber	columns[SEEME_MAX_ARM_ARGS];
	void	   *site;			/* what a kind of arm keeps from row to row */
};

/* Takes the lowest row out of a set of rows. */
static inline int
seeme_take_row(uint32 *rows)
{
	int			row = pg_rightmost_one_pos32(*rows);

	*rows &= *rows - 1;
	return row;
}

extern void seeme_add_arm_kind(const SeemeArmKind *kind);
extern List *seeme_find_arms(Node *condition, Index relid);
extern bool seeme_is_one_check(List *arms);
extern Bitmapset *seeme_columns_of_arms(List *arms);
extern bool seeme_arms_are_exact(List *arms);
extern void seeme_prepare_arms(List *arms);
extern uint32 seeme_decide_rows(List *arms, SeemeRows *rows);

#pragma GCC visibility pop

#endif							/* SEEME_PLANNER_POLICY_ARMS_H */
