/*
 * policy_condition.h: a policy of one call, as a condition of its table.
 */
#ifndef SEEME_PLANNER_POLICY_CONDITION_H
#define SEEME_PLANNER_POLICY_CONDITION_H

#include "postgres.h"

#include "nodes/pathnodes.h"

#pragma GCC visibility push(hidden)

extern void seeme_add_condition(PlannerInfo *root, RelOptInfo *rel, FuncExpr *call);

#pragma GCC visibility pop

#endif							/* SEEME_PLANNER_POLICY_CONDITION_H */
