/*
 * policy_arms.c: the condition of a policy as a list of arms.
 *
 * A row may have several scopes: `has_permission(project) OR has_permission(team) OR
 * owns_row(owner)`. Each part is an arm: a call of one of this library's functions about columns of
 * the row, with constants as its other arguments; or the public column, a boolean. The condition of
 * a table with one scope has one arm.
 *
 * The planner asks here whether a condition has this form, and which columns it is about. A scan of
 * a whole table decides many rows here at once. Each arm is evaluated only for the rows that no arm
 * before it has accepted.
 *
 * Decides nothing itself, and knows nothing of plans. Everything special about a kind of arm is in
 * its entry of arm_kinds and in its support function (support_function.c).
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "nodes/nodeFuncs.h"
#include "utils/datum.h"

#include "core/invalidation.h"
#include "core/store.h"
#include "functions/check.h"
#include "functions/ownership.h"
#include "planner/check_expression.h"
#include "planner/policy_arms.h"

/* Whether an expression is a column of a table. */
static bool
is_column(Node *node, Index relid)
{
	Var		   *column = (Var *) node;

	return IsA(node, Var) && column->varno == relid && column->varattno > 0 &&
		column->varlevelsup == 0;
}

static bool
is_null(Node *node)
{
	return IsA(node, Const) && ((Const *) node)->constisnull;
}

static bool
is_known(Node *node)
{
	return IsA(node, Const) && !((Const *) node)->constisnull;
}

/* All rows of a block, as a set. */
static inline uint32
all_rows(const SeemeRows *rows)
{
	return rows->n == 32 ? PG_UINT32_MAX : (UINT32_C(1) << rows->n) - 1;
}

static inline pg_uuid_t *
id_in_row(SeemeRows *rows, int row, AttrNumber column)
{
	bool		isnull;
	Datum		id = heap_getattr(&rows->rows[row], column, rows->columns, &isnull);

	return isnull ? NULL : DatumGetUUIDP(id);
}

/* An arm that checks a permission: seeme_has_permission() about one column. */

static bool
is_permission_arm(FuncExpr *call, Index relid)
{
	return seeme_is_call((Node *) call, relid);
}

static void
prepare_permission_arm(SeemeArm *arm)
{
	seeme_call_init(&arm->check, arm->call);
}

static uint32
decide_by_permission(SeemeArm *arm, SeemeRows *rows, uint32 undecided)
{
	pg_uuid_t  *ids[SEEME_MAX_ROWS_AT_ONCE];
	uint8		row_of[SEEME_MAX_ROWS_AT_ONCE];
	int			n = 0;
	uint32		held;
	uint32		found = 0;

	for (uint32 left = undecided; left != 0;)
	{
		row_of[n] = seeme_take_row(&left);
		ids[n] = id_in_row(rows, row_of[n], arm->check.column);
		n++;
	}
	held = seeme_call(&arm->check, n, ids);
	if (n == rows->n)
		return held;
	while (held != 0)
		found |= UINT32_C(1) << row_of[seeme_take_row(&held)];
	return found;
}

static bool
is_exact_permission(FuncExpr *call)
{
	return true;
}

/* An arm that accepts the owner: seeme.owns_row(). */

static bool
is_owner_arm(FuncExpr *call, Index relid)
{
	if (!is_known(list_nth(call->args, SEEME_ARG_CODE)) ||
		!IsA(list_nth(call->args, SEEME_ARG_RESOURCE_TYPE), Const) ||
		!is_known(list_nth(call->args, SEEME_ARG_OWNER_ALONE)) ||
		!is_column(list_nth(call->args, SEEME_ARG_OWNER), relid))
		return false;
	for (int i = SEEME_ARG_CODE + 1; i <= SEEME_ARG_RESOURCE; i++)
		if (!is_null(list_nth(call->args, i)) && !is_column(list_nth(call->args, i), relid))
			return false;
	return true;
}

static void
prepare_owner_arm(SeemeArm *arm)
{
	/* The function is in this library, so nothing has to be looked up. */
	memset(&arm->function, 0, sizeof(arm->function));
	arm->function.fn_addr = seeme_owns_row;
	arm->function.fn_oid = arm->call->funcid;
	arm->function.fn_nargs = SEEME_OWNS_ROW_NARGS;
	arm->function.fn_mcxt = CurrentMemoryContext;
	arm->info = palloc0(SizeForFunctionCallInfo(SEEME_OWNS_ROW_NARGS));
	InitFunctionCallInfoData(*arm->info, &arm->function, SEEME_OWNS_ROW_NARGS,
							 arm->call->inputcollid, NULL, NULL);
	for (int i = 0; i < SEEME_OWNS_ROW_NARGS; i++)
	{
		Const	   *argument = list_nth(arm->call->args, i);

		arm->columns[i] = IsA(argument, Const) ? 0 : ((Var *) argument)->varattno;
		arm->info->args[i].isnull = arm->columns[i] != 0 || argument->constisnull;
		if (!arm->info->args[i].isnull)
			arm->info->args[i].value = datumCopy(argument->constvalue, argument->constbyval,
												 argument->constlen);
	}
	seeme_prepare_owner_site(&arm->function);
}

/* Decides only the rows of the asking person. Most rows are somebody else's. */
static uint32
decide_by_owner(SeemeArm *arm, SeemeRows *rows, uint32 undecided)
{
	const pg_uuid_t *person = seeme_possible_owner(arm->info);
	uint32		own = 0;
	uint32		found = 0;

	if (person == NULL)
		return 0;
	while (undecided != 0)
	{
		int			row = seeme_take_row(&undecided);
		pg_uuid_t  *owner = id_in_row(rows, row, arm->columns[SEEME_ARG_OWNER]);

		if (owner != NULL && seeme_uuid_equal(owner, person))
			own |= UINT32_C(1) << row;
	}
	while (own != 0)
	{
		int			row = seeme_take_row(&own);

		for (int i = 0; i < SEEME_OWNS_ROW_NARGS; i++)
			if (arm->columns[i] != 0)
			{
				pg_uuid_t  *id = id_in_row(rows, row, arm->columns[i]);

				arm->info->args[i].isnull = id == NULL;
				arm->info->args[i].value = UUIDPGetDatum(id);
			}
		if (DatumGetBool(seeme_owns_row(arm->info)))
			found |= UINT32_C(1) << row;
	}
	return found;
}

/* Exact, if a row has no other scope: then ownership of it always counts. */
static bool
is_exact_owner(FuncExpr *call)
{
	for (int i = SEEME_ARG_CODE + 1; i <= SEEME_ARG_RESOURCE; i++)
		if (!is_null(list_nth(call->args, i)))
			return false;
	return DatumGetBool(((Const *) list_nth(call->args, SEEME_ARG_OWNER_ALONE))->constvalue);
}

/* The arm that accepts public rows: a boolean column. It is no call, and has no entry below. */

static void
prepare_public_arm(SeemeArm *arm)
{
}

static uint32
decide_by_public_column(SeemeArm *arm, SeemeRows *rows, uint32 undecided)
{
	uint32		found = 0;

	while (undecided != 0)
	{
		int			row = seeme_take_row(&undecided);
		bool		isnull;
		Datum		value = heap_getattr(&rows->rows[row], arm->columns[0], rows->columns, &isnull);

		if (!isnull && DatumGetBool(value))
			found |= UINT32_C(1) << row;
	}
	return found;
}

static bool
is_exact_public(FuncExpr *call)
{
	return true;
}

static const SeemeArmKind public_arm_kind = {
	.prepare = prepare_public_arm,
	.decide = decide_by_public_column,
	.is_exact = is_exact_public,
};

static const SeemeArmKind arm_kinds[] = {
	{
		.function = seeme_has_permission,
		.nargs = SEEME_NARGS,
		.is_arm = is_permission_arm,
		.prepare = prepare_permission_arm,
		.decide = decide_by_permission,
		.is_exact = is_exact_permission,
	},
	{
		.function = seeme_owns_row,
		.nargs = SEEME_OWNS_ROW_NARGS,
		.is_arm = is_owner_arm,
		.prepare = prepare_owner_arm,
		.decide = decide_by_owner,
		.is_exact = is_exact_owner,
	},
};

/* The kinds that other files have added. */
#define MAX_ADDED_KINDS 2

static const SeemeArmKind *added_kinds[MAX_ADDED_KINDS];
static int	nadded_kinds = 0;

void
seeme_add_arm_kind(const SeemeArmKind *kind)
{
	Assert(nadded_kinds < MAX_ADDED_KINDS);
	added_kinds[nadded_kinds++] = kind;
}

static inline const SeemeArmKind *
arm_kind(int number)
{
	return number < lengthof(arm_kinds) ? &arm_kinds[number]
		: added_kinds[number - lengthof(arm_kinds)];
}

/* Whether an SQL function is that of a kind of arm. The last such OID of each kind is kept. */
static bool
calls(int kind, Oid function)
{
	static Oid	known[lengthof(arm_kinds) + MAX_ADDED_KINDS];
	static uint64 known_under = 0;

	if (known_under != seeme_function_generation)
	{
		memset(known, 0, sizeof(known));
		known_under = seeme_function_generation;
	}
	if (known[kind] != function)
	{
		uint64		changes = seeme_function_generation;
		bool		found = seeme_is_function(function, arm_kind(kind)->function);

		if (!found || changes != seeme_function_generation)
			return found;
		known[kind] = function;
	}
	return true;
}

/* The kind of arm that an expression is; NULL: it is none. */
static const SeemeArmKind *
kind_of(Node *expression, Index relid)
{
	FuncExpr   *call = (FuncExpr *) expression;

	if (is_column(expression, relid) && ((Var *) expression)->vartype == BOOLOID)
		return &public_arm_kind;
	if (!IsA(expression, FuncExpr))
		return NULL;
	for (int kind = 0; kind < lengthof(arm_kinds) + nadded_kinds; kind++)
		if (list_length(call->args) == arm_kind(kind)->nargs &&
			arm_kind(kind)->is_arm(call, relid) && calls(kind, call->funcid))
			return arm_kind(kind);
	return NULL;
}

/* Adds an expression to a list of arms; false: it is no arm. */
static bool
add_arm(List **arms, Node *expression, Index relid)
{
	const SeemeArmKind *kind = kind_of(expression, relid);
	SeemeArm   *arm;

	if (kind == NULL)
		return false;
	arm = palloc0(sizeof(SeemeArm));
	arm->kind = kind;
	if (kind == &public_arm_kind)
		arm->columns[0] = ((Var *) expression)->varattno;
	else
		arm->call = (FuncExpr *) expression;
	*arms = lappend(*arms, arm);
	return true;
}

/*
 * The arms of a condition on a table. The condition is one arm, or arms with OR between them; NIL:
 * it has another form. Calls keep their order. A column comes after them: whoever reads a whole
 * table holds the permission on most rows, and then the column is not looked at.
 */
List *
seeme_find_arms(Node *condition, Index relid)
{
	List	   *parts = list_make1(condition);
	List	   *calls = NIL;
	List	   *columns = NIL;
	ListCell   *cell;

	if (is_orclause(condition))
		parts = ((BoolExpr *) condition)->args;
	foreach(cell, parts)
		if (!add_arm(IsA(lfirst(cell), Var) ? &columns : &calls, lfirst(cell), relid))
		return NIL;
	/* Columns alone are a condition of the query. */
	return calls == NIL ? NIL : list_concat(calls, columns);
}

/* Whether there is one arm, and it checks a permission. */
bool
seeme_is_one_check(List *arms)
{
	return list_length(arms) == 1 &&
		((SeemeArm *) linitial(arms))->kind->function == seeme_has_permission;
}

/* The numbers of the columns that the calls of the arms are about. */
Bitmapset *
seeme_columns_of_arms(List *arms)
{
	Bitmapset  *columns = NULL;
	ListCell   *cell;
	ListCell   *argument;

	foreach(cell, arms)
	{
		SeemeArm   *arm = lfirst(cell);

		if (arm->call == NULL)
			continue;
		foreach(argument, arm->call->args)
			if (IsA(lfirst(argument), Var))
			columns = bms_add_member(columns, ((Var *) lfirst(argument))->varattno);
	}
	return columns;
}

/* Whether the index conditions of the arms find exactly the rows that the arms accept. */
bool
seeme_arms_are_exact(List *arms)
{
	ListCell   *cell;

	foreach(cell, arms)
	{
		SeemeArm   *arm = lfirst(cell);

		if (!arm->kind->is_exact(arm->call))
			return false;
	}
	return arms != NIL;
}

/* Prepares arms for execution. Allocates in the current memory context. */
void
seeme_prepare_arms(List *arms)
{
	ListCell   *cell;

	foreach(cell, arms)
	{
		SeemeArm   *arm = lfirst(cell);

		arm->kind->prepare(arm);
	}
}

/* The rows that the arms accept, a bit for each. May throw, and does not free its memory. */
uint32
seeme_decide_rows(List *arms, SeemeRows *rows)
{
	uint32		undecided = all_rows(rows);
	uint32		held = 0;
	ListCell   *cell;

	foreach(cell, arms)
	{
		SeemeArm   *arm = lfirst(cell);
		uint32		found = arm->kind->decide(arm, rows, undecided);

		held |= found;
		undecided &= ~found;
		if (undecided == 0)
			break;
	}
	return held;
}
