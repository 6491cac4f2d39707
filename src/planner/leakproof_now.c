/*
 * leakproof_now.c: whether an expression without columns is a time near the present, which raises
 * nothing.
 *
 * Owns that question alone.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "nodes/primnodes.h"
#include "utils/fmgroids.h"
#include "utils/timestamp.h"

#include "planner/leakproof.h"

/* Whether an interval is so small that no date in our time is out of range by it. */
static bool
is_small(Node *node)
{
	Interval   *interval;

	if (!IsA(node, Const) || ((Const *) node)->constisnull)
		return false;
	if (((Const *) node)->consttype == INT4OID)
		return abs(DatumGetInt32(((Const *) node)->constvalue) / 2) < DAYS_PER_YEAR * 500;
	if (((Const *) node)->consttype != INTERVALOID)
		return false;
	interval = DatumGetIntervalP(((Const *) node)->constvalue);
	return abs(interval->month / 2) < MONTHS_PER_YEAR * 500 &&
		abs(interval->day / 2) < DAYS_PER_YEAR * 500 &&
		interval->time < USECS_PER_DAY * INT64CONST(365000) &&
		interval->time > -USECS_PER_DAY * INT64CONST(365000);
}

/*
 * Whether an expression is a time not far from now: now(), CURRENT_DATE - 7, now() - interval '1
 * month'. It cannot be out of range, and is written in so many queries that they are spared the
 * check.
 */
bool
seeme_is_near_now(Oid function, List *arguments)
{
	Node	   *first = arguments == NIL ? NULL : linitial(arguments);

	switch (function)
	{
		case F_NOW:
		case F_TRANSACTION_TIMESTAMP:
		case F_STATEMENT_TIMESTAMP:
			return true;
		case F_TIMESTAMPTZ_PL_INTERVAL:
		case F_TIMESTAMPTZ_MI_INTERVAL:
		case F_TIMESTAMP_PL_INTERVAL:
		case F_TIMESTAMP_MI_INTERVAL:
		case F_DATE_PL_INTERVAL:
		case F_DATE_MI_INTERVAL:
		case F_DATE_PLI:
		case F_DATE_MII:
			return is_small(lsecond(arguments)) &&
				   (IsA(first, SQLValueFunction) ||
					(IsA(first, FuncExpr) && ((FuncExpr *) first)->args == NIL &&
					 seeme_is_near_now(((FuncExpr *) first)->funcid, NIL)));
		default:
			return false;
	}
}
