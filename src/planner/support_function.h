/*
 * support_function.h: what support functions and paths ask about a query's conditions.
 */
#ifndef SEEME_PLANNER_SUPPORT_FUNCTION_H
#define SEEME_PLANNER_SUPPORT_FUNCTION_H

#include "postgres.h"

#include "nodes/pathnodes.h"

#pragma GCC visibility push(hidden)

extern Oid	seeme_list_function(Oid has_permission, int scope);
extern RelOptInfo *seeme_table_of(PlannerInfo *root, Var *column);
extern Selectivity seeme_estimate_check(PlannerInfo *root, List *args, Var *column,
										bool *may_use_index);
extern bool seeme_is_later_list(IndexOptInfo *index, FuncExpr *call, int argument);
extern bool seeme_ask_once_about(PlannerInfo *root, RestrictInfo *check, OpExpr *equality,
								 Node *value);
extern void seeme_trust_index(RestrictInfo *check);
extern bool seeme_ask_once(PlannerInfo *root, RelOptInfo *rel, RestrictInfo *check);

#pragma GCC visibility pop

#endif							/* SEEME_PLANNER_SUPPORT_FUNCTION_H */
