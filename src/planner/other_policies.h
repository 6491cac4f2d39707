/*
 * other_policies.h: the permissive policies that stand beside one of this extension.
 */
#ifndef SEEME_PLANNER_OTHER_POLICIES_H
#define SEEME_PLANNER_OTHER_POLICIES_H

#include "postgres.h"

#include "executor/tuptable.h"
#include "utils/rel.h"

#pragma GCC visibility push(hidden)

typedef struct SeemeOtherPolicies SeemeOtherPolicies;

extern SeemeOtherPolicies *seeme_other_policies(Relation table, Relation relation,
												const char *own_name, char command,
												bool of_new_row);
extern bool seeme_other_policies_hold(SeemeOtherPolicies *policies, TupleTableSlot *row);

#pragma GCC visibility pop

#endif							/* SEEME_PLANNER_OTHER_POLICIES_H */
