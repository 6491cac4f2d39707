/*
 * parent_places.h: the places where the row of a parent lies.
 */
#ifndef SEEME_PLANNER_PARENT_PLACES_H
#define SEEME_PLANNER_PARENT_PLACES_H

#include "postgres.h"

#include "nodes/primnodes.h"

#include "core/scope.h"
#include "planner/parent_read.h"
#include "planner/parent_rows.h"

#pragma GCC visibility push(hidden)

/* A scope of a parent's row, or the key of the parent's own parent. */
typedef struct SeemeParentPlace
{
	SeemeScope	scope;			/* of no kind: the key */
	FuncExpr   *call;
	Datum		key;
} SeemeParentPlace;

extern List *seeme_list_parent_places(SeemeParent *parent, SeemeParentLeaf *leaf,
									  TupleTableSlot *row);
extern SeemeParentSite *seeme_parent_site_above(const SeemeParentPlace *place);
extern SeemeParentSite *seeme_parent_site_of_table(FunctionCallInfo fcinfo, Oid table,
												   const char *code, int key_argument, Datum *key);

#pragma GCC visibility pop

#endif							/* SEEME_PLANNER_PARENT_PLACES_H */
