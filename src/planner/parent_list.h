/*
 * parent_list.h: the parents where the asking person has a permission.
 */
#ifndef SEEME_PLANNER_PARENT_LIST_H
#define SEEME_PLANNER_PARENT_LIST_H

#include "postgres.h"

#include "utils/array.h"

#include "planner/parent_table.h"

#pragma GCC visibility push(hidden)

/* Gets the key of a parent. False ends the visit. */
typedef bool (*SeemeVisitParent) (Datum key, void *context);

extern bool seeme_visit_whole_parent(SeemeParent *parent, SeemeVisitParent visit, void *context);
extern bool seeme_visit_parents(SeemeParent *parent, SeemeVisitParent visit, void *context);
extern ArrayType *seeme_list_parents(SeemeParent *parent);
extern double seeme_estimate_parents(SeemeParent *parent);
extern Oid	seeme_find_scope_index(Relation table, AttrNumber column);

#pragma GCC visibility pop

#endif							/* SEEME_PLANNER_PARENT_LIST_H */
