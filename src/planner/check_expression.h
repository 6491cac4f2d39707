/*
 * check_expression.h: a call of seeme_has_permission in an expression.
 */
#ifndef SEEME_PLANNER_CHECK_EXPRESSION_H
#define SEEME_PLANNER_CHECK_EXPRESSION_H

#include "postgres.h"

#include "fmgr.h"
#include "nodes/pg_list.h"
#include "nodes/primnodes.h"
#include "utils/uuid.h"

#include "functions/check.h"

#pragma GCC visibility push(hidden)

/* A call about one column, its other arguments constants, made without an expression. */
typedef struct SeemeCall
{
	AttrNumber	column;
	int			scope;			/* the number of the argument that the column is */
	FmgrInfo	function;
	FunctionCallInfo info;
} SeemeCall;

/* Whether an expression has no parts. */
static inline bool
seeme_is_leaf(Node *node)
{
	return node == NULL || IsA(node, Var) || IsA(node, Const) || IsA(node, Param);
}

/*
 * Whether an expression has no parts but arguments without parts. Most have not, and walking them
 * takes longer than to look.
 */
static inline bool
seeme_is_simple(Node *node)
{
	List	   *arguments;
	ListCell   *cell;

	if (seeme_is_leaf(node))
		return true;
	if (IsA(node, FuncExpr))
		arguments = ((FuncExpr *) node)->args;
	else if (IsA(node, OpExpr))
		arguments = ((OpExpr *) node)->args;
	else
		return false;
	foreach(cell, arguments)
		if (!seeme_is_leaf(lfirst(cell)))
		return false;
	return true;
}

extern int	seeme_only_scope(List *args);
extern Var *seeme_scope_column(FuncExpr *call);
extern bool seeme_is_function(Oid function, PGFunction implementation);
extern bool seeme_is_own_function(Oid function);
extern bool seeme_is_volatile(Oid function, void *context);
extern double seeme_cost_of(Oid function);
extern bool seeme_user_may_execute(Oid function);
extern bool seeme_has_volatile_function(Node *node, void *context);
extern bool seeme_is_call(Node *expression, Index relid);
extern bool seeme_mark_policy_calls(Node *policy);
extern bool seeme_is_marked(FuncExpr *call);
extern bool seeme_has_policy_call(Node *expression);
extern void seeme_call_init(SeemeCall *call, FuncExpr *expression);

/* What the call would say of several rows, whose columns these are (NULL: a null): a bit each. */
static inline uint32
seeme_call(SeemeCall *call, int n, pg_uuid_t *const *ids)
{
	return seeme_has_permission_batch(call->info, call->scope, n, ids);
}

#pragma GCC visibility pop

#endif							/* SEEME_PLANNER_CHECK_EXPRESSION_H */
