/*
 * merged_check.h: two permissions in the same place, asked for by one call.
 */
#ifndef SEEME_PLANNER_MERGED_CHECK_H
#define SEEME_PLANNER_MERGED_CHECK_H

#include "postgres.h"

#include "nodes/pathnodes.h"

#pragma GCC visibility push(hidden)

extern bool seeme_has_two_checks(RelOptInfo *rel);
extern void seeme_ask_for_both(PlannerInfo *root, RelOptInfo *rel);
extern void seeme_check_both(PlannerInfo *root, Index relid);

#pragma GCC visibility pop

#endif							/* SEEME_PLANNER_MERGED_CHECK_H */
