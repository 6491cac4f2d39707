/*
 * nearest_rows.h: indexes that find the nearest rows, or most of them.
 */
#ifndef SEEME_NEAREST_ROWS_H
#define SEEME_NEAREST_ROWS_H

#include "nodes/pathnodes.h"

#define SEEME_NEAREST_ROWS "Nearest Rows"

extern void seeme_hide_ordering_indexes(PlannerInfo *root, RelOptInfo *rel, bool is_protected);
extern void seeme_add_nearest_rows(PlannerInfo *root, RelOptInfo *rel);
extern void seeme_nearest_rows_init(void);

#endif							/* SEEME_NEAREST_ROWS_H */
