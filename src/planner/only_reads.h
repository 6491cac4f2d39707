/*
 * only_reads.h: whether a statement does nothing but read.
 */
#ifndef SEEME_PLANNER_ONLY_READS_H
#define SEEME_PLANNER_ONLY_READS_H

#include "postgres.h"

#include "nodes/pathnodes.h"

#pragma GCC visibility push(hidden)

extern bool seeme_only_reads(PlannerInfo *root);

#pragma GCC visibility pop

#endif							/* SEEME_PLANNER_ONLY_READS_H */
