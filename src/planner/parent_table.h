/*
 * parent_table.h: the protected table that a child's parent_column refers to.
 */
#ifndef SEEME_PLANNER_PARENT_TABLE_H
#define SEEME_PLANNER_PARENT_TABLE_H

#include "postgres.h"

#include "fmgr.h"
#include "nodes/execnodes.h"
#include "nodes/pg_list.h"
#include "nodes/primnodes.h"
#include "utils/relcache.h"

#include "functions/ownership.h"

/* The arguments of seeme.parent_has_permission(): code, child, parent, key. */
#define SEEME_PARENT_NARGS 4
#define SEEME_ARG_CHILD 1
#define SEEME_ARG_PARENT 2
#define SEEME_ARG_KEY 3

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

#pragma GCC visibility push(hidden)

extern PGFunction seeme_parent_function;
extern PGFunction seeme_child_owner_function;

/* A table with rows of the parent: the parent itself, or one of its partitions. */
typedef struct SeemeParentLeaf
{
	Oid			relid;
	Oid			index;			/* the unique index of the key */
	AttrNumber	key;			/* the column that children refer to */
	List	   *calls;			/* of FuncExpr *: the arms of the condition */
	List	   *arms;			/* those that policy_arms.c knows */
	List	   *others;			/* of ExprState *: the others */
} SeemeParentLeaf;

/* A parent, with the condition under which its rows let a child's row through. */
typedef struct SeemeParent
{
	Oid			relid;
	Oid			child;			/* a protected table, its partition, or what inherits from it */
	Oid			protected_child;	/* that protected table */
	bool		is_code_of_child;	/* whether the code is one of the child's resource */
	Oid			key_type;		/* of the child's column; a domain's base type */
	Oid			own_key_type;	/* of the parent's own column, likewise */
	Oid			equal;			/* the foreign key's: parent's key = child's column */
	EState	   *estate;			/* for other conditions than arms */
	List	   *leaves;			/* of SeemeParentLeaf * */
} SeemeParent;

extern bool seeme_is_owner_call(const FuncExpr *call);
extern bool seeme_find_parent_call(Node *node, void *found);
extern SeemeParent *seeme_describe_parent(Oid child, Oid parent, const char *code);
extern void seeme_prepare_parent_leaf(SeemeParent *parent, SeemeParentLeaf *leaf);
extern bool seeme_is_code_of(const char *code, const char *resource);
extern List *seeme_conditions_of_parent(Relation table, const char *code);
extern SeemeParent *seeme_parent_by_itself(Relation relation, const char *code);
extern Oid	seeme_parent_of(Oid child, char **resource, AttrNumber *column, Oid *relation);
extern List *seeme_ancestors_of(Oid relid);

#pragma GCC visibility pop

#endif							/* SEEME_PLANNER_PARENT_TABLE_H */
