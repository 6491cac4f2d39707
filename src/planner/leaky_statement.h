/*
 * leaky_statement.h: whether anything in a statement may tell of rows that the asking person may
 * not see.
 */
#ifndef SEEME_PLANNER_LEAKY_STATEMENT_H
#define SEEME_PLANNER_LEAKY_STATEMENT_H

#include "postgres.h"

#include "nodes/pathnodes.h"

#pragma GCC visibility push(hidden)

extern bool seeme_statement_may_leak(PlannerInfo *root, List **checks);

#pragma GCC visibility pop

#endif							/* SEEME_PLANNER_LEAKY_STATEMENT_H */
