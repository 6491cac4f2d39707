/*
 * planner.h: what the planner's side has in common.
 */
#ifndef SEEME_PLANNER_H
#define SEEME_PLANNER_H

#include "postgres.h"

#include "nodes/pathnodes.h"

#pragma GCC visibility push(hidden)

extern int	seeme_only_scope(List *args);
extern Var *seeme_scope_column(FuncExpr *call);
extern bool seeme_is_fixed(RelOptInfo *rel, int column);
extern bool seeme_is_point_query(RelOptInfo *rel);

#pragma GCC visibility pop

#endif							/* SEEME_PLANNER_H */
