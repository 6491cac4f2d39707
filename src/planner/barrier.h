/*
 * barrier.h: where the conditions of a policy stand among those of a query.
 */
#ifndef SEEME_PLANNER_BARRIER_H
#define SEEME_PLANNER_BARRIER_H

#include "postgres.h"

#include "nodes/pathnodes.h"

#pragma GCC visibility push(hidden)

extern void seeme_barrier_init(void);
extern void seeme_place_policy(PlannerInfo *root, RelOptInfo *rel);
extern void seeme_promote_conditions(PlannerInfo *root, RelOptInfo *rel);

#pragma GCC visibility pop

#endif							/* SEEME_PLANNER_BARRIER_H */
