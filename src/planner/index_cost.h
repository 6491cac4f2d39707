/*
 * index_cost.h: what an index scan by a list of permitted ids costs.
 */
#ifndef SEEME_INDEX_COST_H
#define SEEME_INDEX_COST_H

#include "nodes/pathnodes.h"

/* Has scans of an index costed by the number of ids that the asking person has. */
extern void seeme_cost_by_ids(IndexOptInfo *index);

#endif							/* SEEME_INDEX_COST_H */
