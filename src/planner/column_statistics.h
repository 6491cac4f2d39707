/* column_statistics.h: the statistics of a column, found once for each statement. */
#ifndef SEEME_PLANNER_COLUMN_STATISTICS_H
#define SEEME_PLANNER_COLUMN_STATISTICS_H

#include "postgres.h"

#include "nodes/pathnodes.h"

#pragma GCC visibility push(hidden)

extern double seeme_distinct_values(PlannerInfo *root, Var *column, double *null_part);

#pragma GCC visibility pop

#endif							/* SEEME_PLANNER_COLUMN_STATISTICS_H */
