/*
 * parent_rows.h: whether the asking person has a permission where a row's parent lies.
 */
#ifndef SEEME_PLANNER_PARENT_ROWS_H
#define SEEME_PLANNER_PARENT_ROWS_H

#include "postgres.h"

#include "fmgr.h"

#include "planner/parent_table.h"

extern PGDLLEXPORT Datum seeme_parent_has_permission(PG_FUNCTION_ARGS);

#pragma GCC visibility push(hidden)

/* What a call site keeps for as long as it sees one state of the tables. */
typedef struct SeemeParentSite SeemeParentSite;

extern SeemeParentSite *seeme_make_parent_site(MemoryContext context, Oid child, Oid parent,
											   const char *code);
extern SeemeParent *seeme_open_parent_site(SeemeParentSite *site);
extern SeemeParent *seeme_open_parent_site_of_call(SeemeParentSite *site);
extern bool seeme_refresh_parent_site(SeemeParentSite *site);
extern bool seeme_parent_holds(SeemeParentSite *site, Datum key);
extern char *seeme_parent_code_argument(FunctionCallInfo fcinfo, Oid child);
extern bool seeme_is_parent_call(Node *expression, Index relid);
extern void seeme_push_latest_snapshot(bool own_changes);
extern void seeme_parent_arm_init(void);
extern void seeme_child_owner_arm_init(void);

#pragma GCC visibility pop

#endif							/* SEEME_PLANNER_PARENT_ROWS_H */
