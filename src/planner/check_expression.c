/*
 * check_expression.c: a call of seeme_has_permission in an expression.
 *
 * Tells whether an expression is such a call, what it asks about, and whether a policy makes it.
 * Makes the same call without the executor, for callers that ask about many rows at once, or about
 * one row in each of many statements.
 *
 * Owns what it remembers of the functions that it was asked about.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_language.h"
#include "catalog/pg_proc.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "pgstat.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/syscache.h"

#include "planner/check_expression.h"
#include "core/compat.h"
#include "core/invalidation.h"
#include "functions/check.h"

/*
 * The location of a call that a policy makes. The parser gives calls in a query a location from 0
 * on, and a stored expression is read with -1. Copying a tree, translating it to a partition and
 * simplifying it keep the location; equal() ignores it; after planning nobody reads it.
 */
#define POLICY_LOCATION (-0x5EE)

/* How CREATE EXTENSION writes the library's file name (seeme_rbac.control). */
#define LIBRARY "$libdir/seeme_rbac"

static bool
is_null(Node *node)
{
	return IsA(node, Const) && ((Const *) node)->constisnull;
}

/*
 * The number of the one scope that a call asks about, if its other arguments are constants; else 0.
 */
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

/* The scope's argument. It is a Var where seeme_is_call() says so. */
Var *
seeme_scope_column(FuncExpr *call)
{
	return (Var *) list_nth(call->args, seeme_only_scope(call->args));
}

/*
 * Whether an SQL function is the given C function. False for one that was altered to run with other
 * rights or settings.
 */
bool
seeme_is_function(Oid function, PGFunction implementation)
{
	FmgrInfo	found;

	fmgr_info(function, &found);
	return found.fn_addr == implementation;
}

/* The function may have another name, or lie in another schema. */
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

/* What is remembered of a function. */
typedef struct Properties
{
	Oid			function;
	bool		is_own;			/* it is this library's */
	bool		is_volatile;
	float4		cost;			/* in units of cpu_operator_cost */
} Properties;

static Properties
look_up_properties(Oid function)
{
	HeapTuple	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
	Properties	found = {function, false, true, 1};
	Form_pg_proc proc;

	if (!HeapTupleIsValid(tuple))
		return found;
	proc = (Form_pg_proc) GETSTRUCT(tuple);
	found.is_volatile = proc->provolatile == PROVOLATILE_VOLATILE;
	found.cost = proc->procost;
	if (proc->prolang == ClanguageId)
	{
		bool		isnull;
		Datum		library = SysCacheGetAttr(PROCOID, tuple, Anum_pg_proc_probin, &isnull);

		found.is_own = !isnull && strcmp(TextDatumGetCString(library), LIBRARY) == 0;
	}
	ReleaseSysCache(tuple);
	return found;
}

/* The functions that were asked about last are remembered: they are the same in most queries. */
static const Properties *
properties_of(Oid function)
{
	static Properties known[64];
	static uint64 known_under = 0;
	static Properties found;
	Properties *place = &known[function % lengthof(known)];

	if (known_under != seeme_function_generation)
	{
		memset(known, 0, sizeof(known));
		known_under = seeme_function_generation;
	}
	if (place->function != function)
	{
		uint64		changes = seeme_function_generation;

		found = look_up_properties(function);
		if (changes != seeme_function_generation)
			return &found;
		*place = found;
	}
	return place;
}

/* Whether a function is one of this library's. Only superusers make such functions. */
bool
seeme_is_own_function(Oid function)
{
	return properties_of(function)->is_own;
}

/* Whether a function is volatile; for check_functions_in_node(). */
bool
seeme_is_volatile(Oid function, void *context)
{
	return properties_of(function)->is_volatile;
}

/* What a call of a function costs, in units of cpu_operator_cost. */
double
seeme_cost_of(Oid function)
{
	return properties_of(function)->cost;
}

/*
 * Whether the current user may execute a function. The last answers are remembered: to find one
 * out, the memberships of the user in roles are looked through.
 */
bool
seeme_user_may_execute(Oid function)
{
	static struct
	{
		Oid			function;
		Oid			user;
		bool		may;
	}			known[16];
	static uint64 known_under = 0;
	int			place = function % lengthof(known);
	Oid			user = GetUserId();
	bool		may;
	uint64		changes;

	if (known_under != seeme_function_generation)
	{
		memset(known, 0, sizeof(known));
		known_under = seeme_function_generation;
	}
	if (known[place].function == function && known[place].user == user)
		return known[place].may;
	changes = seeme_function_generation;
	may = seeme_may_execute(function);
	if (changes == seeme_function_generation)
	{
		known[place].function = function;
		known[place].user = user;
		known[place].may = may;
	}
	return may;
}

/* Whether a function in an expression is volatile. */
bool
seeme_has_volatile_function(Node *node, void *context)
{
	if (seeme_is_leaf(node))
		return false;
	if (IsA(node, FuncExpr) ? seeme_is_volatile(((FuncExpr *) node)->funcid, NULL)
		: check_functions_in_node(node, seeme_is_volatile, NULL) || IsA(node, NextValueExpr))
		return true;
	return !seeme_is_simple(node) &&
		expression_tree_walker(node, seeme_has_volatile_function, context);
}

/* Whether an expression is a call about a column of a table, its other arguments constants. */
bool
seeme_is_call(Node *expression, Index relid)
{
	FuncExpr   *call = (FuncExpr *) expression;
	Var		   *column;

	if (!IsA(expression, FuncExpr) || seeme_only_scope(call->args) == 0)
		return false;
	column = seeme_scope_column(call);
	return IsA(column, Var) && column->varno == relid && column->varattno > 0 &&
		column->varlevelsup == 0 && is_has_permission(call->funcid);
}

static bool
mark_calls(Node *node, void *found)
{
	if (node == NULL)
		return false;
	if (IsA(node, FuncExpr) && seeme_is_own_function(((FuncExpr *) node)->funcid))
	{
		((FuncExpr *) node)->location = POLICY_LOCATION;
		*(bool *) found = true;
	}
	return !seeme_is_simple(node) && expression_tree_walker(node, mark_calls, found);
}

/* Marks the calls of this library that a policy makes; false if it makes none. */
bool
seeme_mark_policy_calls(Node *policy)
{
	bool		found = false;

	mark_calls(policy, &found);
	return found;
}

bool
seeme_is_marked(FuncExpr *call)
{
	return call->location == POLICY_LOCATION;
}

static bool
has_marked_call(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if (IsA(node, FuncExpr) && seeme_is_marked((FuncExpr *) node))
		return true;
	return !seeme_is_simple(node) && expression_tree_walker(node, has_marked_call, context);
}

/* Whether a policy's call is in an expression. */
bool
seeme_has_policy_call(Node *expression)
{
	return has_marked_call(expression, NULL);
}

/*
 * Gets ready to make such a call. Keeps nothing of the expression. What it makes is in the current
 * memory context.
 */
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
	InitFunctionCallInfoData(*call->info, &call->function, SEEME_NARGS, expression->inputcollid,
							 NULL, NULL);
	for (int i = 0; i < SEEME_NARGS; i++)
		if (i != call->scope)
		{
			Const	   *argument = list_nth_node(Const, expression->args, i);

			call->info->args[i].isnull = argument->constisnull;
			if (!argument->constisnull)
				call->info->args[i].value = datumCopy(argument->constvalue, argument->constbyval,
													  argument->constlen);
		}
	seeme_init_check_site(&call->function, call->scope);
}
