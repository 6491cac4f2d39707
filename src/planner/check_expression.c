/*
 * check_expression.c: a call of seeme_has_permission in an expression: whether it is one, what it asks about, and the same call made
 * without the executor, for those who ask about many rows at once, or about one row in each of many statements.
 *
 * Owns no state but which function it was that it has seen last.
 */
#include "postgres.h"

#include "pgstat.h"
#include "utils/datum.h"

#include "planner/check_expression.h"
#include "core/invalidation.h"
#include "functions/check.h"

static bool
is_null(Node *node)
{
	return IsA(node, Const) && ((Const *) node)->constisnull;
}

/* The number of the one scope that a call asks about, if its other arguments are constants; else 0. */
int
seeme_only_scope(List *args)
{
	int			scope = 0;
	Node	   *code;

	if (list_length(args) != SEEME_NARGS)
		return 0;
	code = list_nth(args, SEEME_ARG_CODE);
	if (!IsA(code, Const) || is_null(code))
		return 0;
	for (int i = 1; i <= SEEME_ARG_RESOURCE; i++)
		if (!is_null(list_nth(args, i)))
		{
			if (scope != 0)
				return 0;
			scope = i;
		}
	if (!IsA(list_nth(args, SEEME_ARG_RESOURCE_TYPE), Const) ||
		(scope != SEEME_ARG_RESOURCE && !is_null(list_nth(args, SEEME_ARG_RESOURCE_TYPE))))
		return 0;
	return scope;
}

/* The argument of a call that tells the scope, which is a column if the planner or an execution asks. */
Var *
seeme_scope_column(FuncExpr *call)
{
	return (Var *) list_nth(call->args, seeme_only_scope(call->args));
}

/* Whether an SQL function is one of this library's, and as it was made: not with other rights, or settings. */
bool
seeme_is_function(Oid function, PGFunction implementation)
{
	FmgrInfo	found;

	fmgr_info(function, &found);
	return found.fn_addr == implementation;
}

/* It may be called otherwise, and lie in another schema. */
static bool
is_has_permission(Oid function)
{
	static Oid	known = InvalidOid;
	static uint64 known_under = 0;

	if (function == known && known_under == seeme_function_generation)
		return true;
	known = InvalidOid;
	known_under = seeme_function_generation;
	if (!seeme_is_function(function, seeme_has_permission))
		return false;
	known = function;
	return true;
}

/* Whether an expression is such a call about a column of a table, its other arguments constants. */
bool
seeme_is_call(Node *expression, Index relid)
{
	FuncExpr   *call = (FuncExpr *) expression;
	Var		   *column;

	if (!IsA(expression, FuncExpr) || seeme_only_scope(call->args) == 0)
		return false;
	column = seeme_scope_column(call);
	return IsA(column, Var) && column->varno == relid && column->varattno > 0 && column->varlevelsup == 0 &&
		is_has_permission(call->funcid);
}

/* Gets ready to make such a call. Nothing of the expression is kept; what is made is in the current memory context. */
void
seeme_call_init(SeemeCall *call, FuncExpr *expression)
{
	call->scope = seeme_only_scope(expression->args);
	call->column = seeme_scope_column(expression)->varattno;
	/* The function is this library's: there is nothing to look up. */
	memset(&call->function, 0, sizeof(call->function));
	call->function.fn_addr = seeme_has_permission;
	call->function.fn_oid = expression->funcid;
	call->function.fn_nargs = SEEME_NARGS;
	call->function.fn_stats = TRACK_FUNC_ALL;
	call->function.fn_mcxt = CurrentMemoryContext;
	call->info = palloc0(SizeForFunctionCallInfo(SEEME_NARGS));
	InitFunctionCallInfoData(*call->info, &call->function, SEEME_NARGS, expression->inputcollid, NULL, NULL);
	for (int i = 0; i < SEEME_NARGS; i++)
		if (i != call->scope)
		{
			Const	   *argument = list_nth_node(Const, expression->args, i);

			call->info->args[i].isnull = argument->constisnull;
			if (!argument->constisnull)
				call->info->args[i].value = datumCopy(argument->constvalue, argument->constbyval, argument->constlen);
		}
	seeme_init_check_site(&call->function, call->scope);
}
