/* moved_row.h: whether a row may leave the places where it lies, for callers in C. */
#ifndef SEEME_FUNCTIONS_MOVED_ROW_H
#define SEEME_FUNCTIONS_MOVED_ROW_H

#include "postgres.h"

#include "fmgr.h"

#include "core/scope.h"
#include "core/store.h"

/* The arguments of seeme.may_move_out() */
#define SEEME_MOVE_OUT_NARGS (2 + 2 * SEEME_NSCOPE_KINDS)

#pragma GCC visibility push(hidden)

extern bool seeme_may_leave_places(FunctionCallInfo fcinfo, SeemeStore *store, List *left,
								   List *kept);

#pragma GCC visibility pop

#endif							/* SEEME_FUNCTIONS_MOVED_ROW_H */
