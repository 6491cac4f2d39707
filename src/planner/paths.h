/*
 * paths.h: how a table is read without asking for each row.
 */
#ifndef SEEME_PLANNER_PATHS_H
#define SEEME_PLANNER_PATHS_H

#include "postgres.h"

#include "nodes/pathnodes.h"

#pragma GCC visibility push(hidden)

extern void seeme_permission_path_init(void);
extern void seeme_add_paths(PlannerInfo *root, RelOptInfo *rel, Index rti, RangeTblEntry *rte);

#pragma GCC visibility pop

#endif							/* SEEME_PLANNER_PATHS_H */
