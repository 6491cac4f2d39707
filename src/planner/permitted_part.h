/* permitted_part.h: which part of a column's rows is permitted, by the column's statistics. */
#ifndef SEEME_PLANNER_PERMITTED_PART_H
#define SEEME_PLANNER_PERMITTED_PART_H

#include "postgres.h"

#include "nodes/pg_list.h"

#pragma GCC visibility push(hidden)

/* An estimate reads at most this many places. A person with more of them has many. */
#define SEEME_PLACES_FOR_ESTIMATE 5000

extern int	seeme_number_permitted(List *args);
extern double seeme_part_by_number(int permitted, double distinct);
extern double seeme_permitted_part(Oid table, AttrNumber column, bool inherits, List *args,
								   int permitted, double distinct, double null_part);

#pragma GCC visibility pop

#endif							/* SEEME_PLANNER_PERMITTED_PART_H */
