/*
 * parent_rows.h: whether the asking person has a permission where a row's parent lies.
 */
#ifndef SEEME_PLANNER_PARENT_ROWS_H
#define SEEME_PLANNER_PARENT_ROWS_H

#include "postgres.h"

#include "fmgr.h"
#include "nodes/pg_list.h"
#include "nodes/primnodes.h"

#include "functions/ownership.h"
#include "planner/parent_table.h"

extern PGDLLEXPORT Datum seeme_parent_has_permission(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum seeme_owns_child(PG_FUNCTION_ARGS);

#pragma GCC visibility push(hidden)

/* The arguments of seeme.owns_child(): the parent, the row's scopes, and its owner. */
#define SEEME_OWNS_CHILD_SCOPES (SEEME_ARG_KEY + 1)
#define SEEME_OWNS_CHILD_OWNER (SEEME_OWNS_CHILD_SCOPES + SEEME_NSCOPE_KINDS + 1)
#define SEEME_OWNS_CHILD_ALONE (SEEME_OWNS_CHILD_OWNER + 1)
#define SEEME_OWNS_CHILD_NARGS (SEEME_OWNS_CHILD_ALONE + 1)

/* Which argument of seeme.owns_row() or seeme.owns_child() is the owner; -1: of neither. */
static inline int
seeme_owner_argument(const List *args)
{
	switch (list_length(args))
	{
		case SEEME_OWNS_ROW_NARGS:
			return SEEME_ARG_OWNER;
		case SEEME_OWNS_CHILD_NARGS:
			return SEEME_OWNS_CHILD_OWNER;
		default:
			return -1;
	}
}

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
extern bool seeme_is_owner_call(const FuncExpr *call);

#pragma GCC visibility pop

#endif							/* SEEME_PLANNER_PARENT_ROWS_H */
