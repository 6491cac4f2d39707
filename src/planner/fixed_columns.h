/*
 * fixed_columns.h: the columns of a table that a query compares with a known value.
 */
#ifndef SEEME_PLANNER_FIXED_COLUMNS_H
#define SEEME_PLANNER_FIXED_COLUMNS_H

#include "postgres.h"

#include "nodes/pathnodes.h"

#pragma GCC visibility push(hidden)

extern RestrictInfo *seeme_fixing_condition(RelOptInfo *rel, int column, Node **value);
extern bool seeme_has_fixed_base(PlannerInfo *root, RelOptInfo *rel, int column);
extern bool seeme_is_fixed(RelOptInfo *rel, int column);
extern bool seeme_is_point_query(PlannerInfo *root, RelOptInfo *rel);
extern bool seeme_is_equality_operator(Oid operator);
extern void seeme_note_fixed_columns(PlannerInfo *root, RelOptInfo *rel, int column,
									 Bitmapset *fixed, bool has_key);

#pragma GCC visibility pop

#endif							/* SEEME_PLANNER_FIXED_COLUMNS_H */
