/*
 * parent_moves.c: children and parents that move, and owners of children.
 *
 * The trigger functions and policies of 40_moved_rows.sql and 39_row_conditions.sql call these. A
 * child's key comes as text from a trigger, which knows its row as jsonb.
 *
 * Whether a person owns a comment counts only while they belong to where its ticket lies. A comment
 * leaves an organization when it is moved to a ticket of another one. A ticket takes its comments
 * along.
 *
 * Must not decide: ownership.c, moved_row.c and the arms of the parent's policy do.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/uuid.h"

#include "core/evaluator.h"
#include "core/store.h"
#include "core/version.h"
#include "functions/arguments.h"
#include "functions/check.h"
#include "functions/moved_row.h"
#include "functions/ownership.h"
#include "planner/check_expression.h"
#include "planner/parent_rows.h"
#include "planner/parent_table.h"
#include "planner/policy_arms.h"
#include "planner/recheck_trigger.h"

/* Where the asking person stands to the places of a row. */
typedef enum Home
{
	NOWHERE,					/* the row has no place */
	MEMBER,
	NOT_A_MEMBER,				/* also if it has none any more */
} Home;

/* The value of an argument of a call in a policy; of a row of its table. */
static Datum
argument_of_row(SeemeParent *parent, Node *argument, TupleTableSlot *row, bool *isnull)
{
	ExprContext *context;

	if (IsA(argument, Const))
	{
		*isnull = ((Const *) argument)->constisnull;
		return ((Const *) argument)->constvalue;
	}
	if (IsA(argument, Var))
		return slot_getattr(row, ((Var *) argument)->varattno, isnull);
	if (parent->estate == NULL)
		parent->estate = CreateExecutorState();
	context = GetPerTupleExprContext(parent->estate);
	context->ecxt_scantuple = row;
	return ExecEvalExprSwitchContext(ExecPrepareExpr((Expr *) argument, parent->estate), context,
									 isnull);
}

/* A scope of a parent's row, or the key of the parent's own parent. */
typedef struct Place
{
	SeemeScope	scope;			/* of no kind: the key */
	FuncExpr   *call;
	Datum		key;
} Place;

/* Lists what the arms of a parent's policy say of a row: where it lies. */
static List *
list_places(SeemeParent *parent, SeemeParentLeaf *leaf, TupleTableSlot *row)
{
	List	   *places = NIL;
	ListCell   *cell;

	foreach(cell, leaf->calls)
	{
		FuncExpr   *call = lfirst(cell);
		int			nargs = IsA(call, FuncExpr) ? list_length(call->args) : 0;
		Place	   *place = palloc0(sizeof(Place));
		bool		isnull;

		place->call = call;
		if (nargs == SEEME_PARENT_NARGS &&
			seeme_is_function(call->funcid, seeme_parent_has_permission))
		{
			place->key = argument_of_row(parent, list_nth(call->args, SEEME_ARG_KEY), row,
										 &isnull);
			if (!isnull)
				places = lappend(places, place);
		}
		else if (nargs == SEEME_NARGS && seeme_is_function(call->funcid, seeme_has_permission))
		{
			place->scope.kind = seeme_only_scope(call->args);
			if (place->scope.kind == SEEME_NO_SCOPE)
				elog(ERROR, "the policy of a parent has another form");
			if (place->scope.kind == SEEME_SCOPE_RESOURCE)
				place->scope.resource_type =
					TextDatumGetCString(argument_of_row(parent,
														list_nth(call->args,
																 SEEME_ARG_RESOURCE_TYPE),
														row, &isnull));
			place->key = argument_of_row(parent, list_nth(call->args, place->scope.kind), row,
										 &isnull);
			if (!isnull)
			{
				place->scope.id = *DatumGetUUIDP(place->key);
				places = lappend(places, place);
			}
		}
	}
	return places;
}

/* The site of the parent of a parent. */
static SeemeParentSite *
next_site(const Place *place)
{
	Const	   *code = linitial(place->call->args);
	Const	   *child = list_nth(place->call->args, SEEME_ARG_CHILD);
	Const	   *parent = list_nth(place->call->args, SEEME_ARG_PARENT);

	return seeme_make_parent_site(CurrentMemoryContext, DatumGetObjectId(child->constvalue),
								  DatumGetObjectId(parent->constvalue),
								  TextDatumGetCString(code->constvalue));
}

/* Owners */

/* The arguments of seeme.ownership_counts() */
#define COUNTS_NARGS (SEEME_NSCOPE_KINDS + 2)
#define COUNTS_TYPE SEEME_NSCOPE_KINDS
#define COUNTS_ALONE (SEEME_NSCOPE_KINDS + 1)

typedef struct Homing
{
	SeemeParent *parent;
	Home		home;
} Homing;

static Home find_home(SeemeParentSite *site, Datum key);

static bool
find_home_of_row(SeemeParentLeaf *leaf, TupleTableSlot *row, void *context)
{
	LOCAL_FCINFO(counts, COUNTS_NARGS);
	Homing	   *homing = context;
	FmgrInfo	function = {.fn_mcxt = CurrentMemoryContext, .fn_nargs = COUNTS_NARGS};
	ListCell   *cell;
	Home		home = NOWHERE;

	InitFunctionCallInfoData(*counts, &function, COUNTS_NARGS, InvalidOid, NULL, NULL);
	for (int i = 0; i < COUNTS_NARGS; i++)
		counts->args[i].isnull = true;
	foreach(cell, list_places(homing->parent, leaf, row))
	{
		Place	   *place = lfirst(cell);

		if (place->scope.kind == SEEME_NO_SCOPE)
		{
			Home		above = find_home(next_site(place), place->key);

			if (above == NOT_A_MEMBER)
			{
				homing->home = NOT_A_MEMBER;
				return true;
			}
			home = Max(home, above);
			continue;
		}
		counts->args[place->scope.kind - 1].value = place->key;
		counts->args[place->scope.kind - 1].isnull = false;
		if (place->scope.kind == SEEME_SCOPE_RESOURCE)
		{
			counts->args[COUNTS_TYPE].value = CStringGetTextDatum(place->scope.resource_type);
			counts->args[COUNTS_TYPE].isnull = false;
		}
	}
	counts->args[COUNTS_ALONE].isnull = false;
	counts->args[COUNTS_ALONE].value = BoolGetDatum(true);
	if (!seeme_ownership_of(counts, true))
		home = NOT_A_MEMBER;
	else
	{
		counts->args[COUNTS_ALONE].value = BoolGetDatum(false);
		if (seeme_ownership_of(counts, true))
			home = MEMBER;
	}
	homing->home = home;
	return true;
}

/* Where the asking person stands to the places of the parent with this key. */
static Home
find_home(SeemeParentSite *site, Datum key)
{
	Homing		homing = {seeme_open_parent_site(site), NOT_A_MEMBER};

	(void) seeme_use_parent(homing.parent, key, find_home_of_row, &homing);
	return homing.home;
}

/* Whether a person who owns a child's row belongs to its places. */
static bool
ownership_counts(Home home, FunctionCallInfo own, bool owner_alone)
{
	if (home == NOT_A_MEMBER)
		return false;
	own->args[COUNTS_ALONE].isnull = false;
	own->args[COUNTS_ALONE].value = BoolGetDatum(home == MEMBER || owner_alone);
	return seeme_ownership_of(own, true);
}

/* The arguments of seeme.owns_child() */
#define OWNS_CHILD_SCOPES (SEEME_ARG_KEY + 1)
#define OWNS_CHILD_OWNER (OWNS_CHILD_SCOPES + SEEME_NSCOPE_KINDS + 1)
#define OWNS_CHILD_ALONE (OWNS_CHILD_OWNER + 1)
#define OWNS_CHILD_NARGS (OWNS_CHILD_ALONE + 1)

typedef struct OwnsChildSite
{
	FmgrInfo	owns_row;
	FunctionCallInfo owns;		/* the call of seeme.owns_row() */
	SeemeParentSite *parent;
	MemoryContext scratch;
} OwnsChildSite;

static OwnsChildSite *
make_owns_child_site(MemoryContext context, Oid function, Oid child, Oid parent, const char *code)
{
	OwnsChildSite *site = MemoryContextAllocZero(context, sizeof(OwnsChildSite));

	site->owns_row.fn_mcxt = context;
	site->owns_row.fn_nargs = SEEME_OWNS_ROW_NARGS;
	site->owns_row.fn_oid = function;
	site->owns = MemoryContextAllocZero(context, SizeForFunctionCallInfo(SEEME_OWNS_ROW_NARGS));
	InitFunctionCallInfoData(*site->owns, &site->owns_row, SEEME_OWNS_ROW_NARGS, InvalidOid, NULL,
							 NULL);
	site->parent = seeme_make_parent_site(context, child, parent, code);
	site->scratch = AllocSetContextCreate(context, "seeme_rbac owner of a child",
										  ALLOCSET_SMALL_SIZES);
	return site;
}

/* Whether the asking person owns a row. The arguments are those of seeme.owns_child(). */
static bool
owns_child(OwnsChildSite *site, NullableDatum *args)
{
	FunctionCallInfo owns = site->owns;
	bool		has_parent = !args[SEEME_ARG_KEY].isnull;
	bool		owner_alone = !args[OWNS_CHILD_ALONE].isnull &&
		DatumGetBool(args[OWNS_CHILD_ALONE].value);
	MemoryContext old;
	Home		home;

	/* Most rows are somebody else's: seeme.owns_row() compares the owner first. */
	owns->args[SEEME_ARG_CODE] = args[0];
	memcpy(&owns->args[SEEME_ARG_CODE + 1], &args[OWNS_CHILD_SCOPES],
		   sizeof(NullableDatum) * (SEEME_NSCOPE_KINDS + 1));
	owns->args[SEEME_ARG_OWNER] = args[OWNS_CHILD_OWNER];
	owns->args[SEEME_ARG_OWNER_ALONE].isnull = false;
	owns->args[SEEME_ARG_OWNER_ALONE].value = BoolGetDatum(has_parent || owner_alone);
	if (!DatumGetBool(seeme_owns_row(owns)))
		return false;
	if (!has_parent)
		return true;
	old = MemoryContextSwitchTo(site->scratch);
	home = find_home(site->parent, args[SEEME_ARG_KEY].value);
	MemoryContextSwitchTo(old);
	MemoryContextReset(site->scratch);
	if (home != NOWHERE || owner_alone)
		return home != NOT_A_MEMBER;
	owns->args[SEEME_ARG_OWNER_ALONE].value = BoolGetDatum(false);
	return DatumGetBool(seeme_owns_row(owns));
}

/*
 * seeme.owns_child(permission text, child, parent regclass, key anyelement, organization, team,
 * project, resource uuid, resource_type text, owner uuid, owner_alone boolean) RETURNS boolean
 *
 * As seeme.owns_row(), of a row with a parent. Only policies call it, so all of its arguments but
 * ids are constants.
 */
SEEME_FUNCTION(seeme_owns_child, OWNS_CHILD_NARGS)
{
	OwnsChildSite *site = fcinfo->flinfo->fn_extra;

	if (PG_ARGISNULL(OWNS_CHILD_OWNER) || PG_ARGISNULL(0) || PG_ARGISNULL(SEEME_ARG_CHILD) ||
		PG_ARGISNULL(SEEME_ARG_PARENT))
		PG_RETURN_BOOL(false);
	if (site == NULL)
	{
		Oid			child = PG_GETARG_OID(SEEME_ARG_CHILD);

		site = make_owns_child_site(fcinfo->flinfo->fn_mcxt, fcinfo->flinfo->fn_oid, child,
									PG_GETARG_OID(SEEME_ARG_PARENT),
									seeme_parent_code_argument(fcinfo, child));
		seeme_prepare_owner_site(&site->owns_row);
		if (getBaseType(get_fn_expr_argtype(fcinfo->flinfo, SEEME_ARG_KEY)) !=
			seeme_open_parent_site(site->parent)->key_type ||
			!get_fn_expr_arg_stable(fcinfo->flinfo, 0) ||
			!get_fn_expr_arg_stable(fcinfo->flinfo, SEEME_ARG_CHILD) ||
			!get_fn_expr_arg_stable(fcinfo->flinfo, SEEME_ARG_PARENT) ||
			!get_fn_expr_arg_stable(fcinfo->flinfo, OWNS_CHILD_OWNER - 1))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("seeme.owns_child is for policies")));
		fcinfo->flinfo->fn_extra = site;
	}
	PG_RETURN_BOOL(owns_child(site, fcinfo->args));
}

/* The arm of a policy that accepts the owner of a child */

static bool
is_column(Node *node, Index relid)
{
	Var		   *column = (Var *) node;

	return IsA(node, Var) && column->varno == relid && column->varattno > 0 &&
		column->varlevelsup == 0;
}

static bool
is_child_owner_arm(FuncExpr *call, Index relid)
{
	for (int i = 0; i < OWNS_CHILD_NARGS; i++)
	{
		Const	   *argument = list_nth(call->args, i);
		bool		may_be_null = i >= OWNS_CHILD_SCOPES && i < OWNS_CHILD_OWNER;

		if (IsA(argument, Const) ? argument->constisnull && !may_be_null
			: !is_column((Node *) argument, relid))
			return false;
	}
	return IsA(linitial(call->args), Const) &&
		IsA(list_nth(call->args, SEEME_ARG_CHILD), Const) &&
		IsA(list_nth(call->args, SEEME_ARG_PARENT), Const) &&
		IsA(list_nth(call->args, OWNS_CHILD_OWNER - 1), Const) &&
		is_column(list_nth(call->args, OWNS_CHILD_OWNER), relid);
}

static void
prepare_child_owner_arm(SeemeArm *arm)
{
	OwnsChildSite *site;
	Const	   *code = linitial(arm->call->args);
	Const	   *child = list_nth(arm->call->args, SEEME_ARG_CHILD);
	Const	   *parent = list_nth(arm->call->args, SEEME_ARG_PARENT);

	arm->info = palloc0(SizeForFunctionCallInfo(OWNS_CHILD_NARGS));
	for (int i = 0; i < OWNS_CHILD_NARGS; i++)
	{
		Const	   *argument = list_nth(arm->call->args, i);

		arm->columns[i] = IsA(argument, Const) ? 0 : ((Var *) argument)->varattno;
		arm->info->args[i].isnull = arm->columns[i] != 0 || argument->constisnull;
		if (!arm->info->args[i].isnull)
			arm->info->args[i].value = datumCopy(argument->constvalue, argument->constbyval,
												 argument->constlen);
	}
	arm->site = site = make_owns_child_site(CurrentMemoryContext, arm->call->funcid,
											DatumGetObjectId(child->constvalue),
											DatumGetObjectId(parent->constvalue),
											TextDatumGetCString(code->constvalue));
	seeme_prepare_owner_site(&site->owns_row);
	site->owns->args[SEEME_ARG_CODE] = arm->info->args[0];
}

static uint32
decide_by_child_owner(SeemeArm *arm, SeemeRows *rows, uint32 undecided)
{
	OwnsChildSite *site = arm->site;
	const pg_uuid_t *person = seeme_possible_owner(site->owns);
	uint32		found = 0;

	if (person == NULL)
		return 0;
	while (undecided != 0)
	{
		int			row = seeme_take_row(&undecided);
		bool		isnull;
		Datum		owner = heap_getattr(&rows->rows[row], arm->columns[OWNS_CHILD_OWNER],
										 rows->columns, &isnull);

		if (isnull || !seeme_uuid_equal(DatumGetUUIDP(owner), person))
			continue;
		for (int i = 0; i < OWNS_CHILD_NARGS; i++)
			if (arm->columns[i] != 0)
				arm->info->args[i].value = heap_getattr(&rows->rows[row], arm->columns[i],
														rows->columns,
														&arm->info->args[i].isnull);
		if (owns_child(site, arm->info->args))
			found |= UINT32_C(1) << row;
		/* The person is remembered until the next call. */
		person = seeme_possible_owner(site->owns);
		if (person == NULL)
			break;
	}
	return found;
}

static bool
is_exact_child_owner(FuncExpr *call)
{
	return false;
}

static const SeemeArmKind child_owner_arm = {
	.function = seeme_owns_child,
	.nargs = OWNS_CHILD_NARGS,
	.is_arm = is_child_owner_arm,
	.prepare = prepare_child_owner_arm,
	.decide = decide_by_child_owner,
	.is_exact = is_exact_child_owner,
};

void
seeme_child_owner_arm_init(void)
{
	seeme_add_arm_kind(&child_owner_arm);
}

/* Calls of triggers, and of the policy of INSERT */

/*
 * The site of a call about a table, one of its partitions, or a table that inherits from it; and
 * its key. A key of the type text is one in the form of its own type.
 */
static SeemeParentSite *
site_of_table(FunctionCallInfo fcinfo, Oid table, const char *code, int key_argument, Datum *key)
{
	Oid			child;
	Oid			parent = seeme_parent_of(table, NULL, NULL, &child);
	Oid			given = getBaseType(get_fn_expr_argtype(fcinfo->flinfo, key_argument));
	SeemeParentSite *site;
	Oid			type;

	if (!OidIsValid(parent))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("table \"%s\" is not protected by a parent_column", get_rel_name(table)),
				 errhint("Call seeme_unprotect and seeme_protect again.")));
	site = seeme_make_parent_site(CurrentMemoryContext, child, parent, code);
	type = seeme_open_parent_site(site)->key_type;
	*key = PG_GETARG_DATUM(key_argument);
	if (given == TEXTOID && type != TEXTOID && type != VARCHAROID)
	{
		Oid			input;
		Oid			parameter;

		getTypeInputInfo(type, &input, &parameter);
		*key = OidInputFunctionCall(input, TextDatumGetCString(*key), parameter, -1);
	}
	else if (given != type)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("the key is of type %s", format_type_be(type))));
	return site;
}

/*
 * seeme.may_hang_on(permission text, child regclass, key anyelement) RETURNS boolean
 *
 * By the latest state of the parent, with what the running statement has done itself: it may have
 * added the parent.
 */
SEEME_FUNCTION(seeme_may_hang_on, 3)
{
	SeemeParentSite *site;
	Datum		key = 0;
	bool		held;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || PG_ARGISNULL(2))
		PG_RETURN_BOOL(false);
	seeme_push_latest_snapshot(true);
	site = site_of_table(fcinfo, PG_GETARG_OID(1),
						 seeme_parent_code_argument(fcinfo, PG_GETARG_OID(1)), 2, &key);
	held = seeme_parent_holds(site, key);
	PopActiveSnapshot();
	PG_RETURN_BOOL(held);
}

/*
 * seeme.child_ownership_counts(child regclass, key text, organization, team, project, resource
 * uuid, resource_type text, owner_alone boolean) RETURNS boolean
 *
 * As seeme.ownership_counts(), of a row with a parent.
 */
SEEME_FUNCTION(seeme_child_ownership_counts, 8)
{
	LOCAL_FCINFO(counts, COUNTS_NARGS);
	FmgrInfo	function = {.fn_mcxt = CurrentMemoryContext, .fn_nargs = COUNTS_NARGS};
	Home		home = NOWHERE;

	if (PG_ARGISNULL(0))
		PG_RETURN_BOOL(false);
	if (!PG_ARGISNULL(1))
	{
		Datum		key = 0;

		seeme_push_latest_snapshot(false);
		home = find_home(site_of_table(fcinfo, PG_GETARG_OID(0), "", 1, &key), key);
		PopActiveSnapshot();
	}
	InitFunctionCallInfoData(*counts, &function, COUNTS_NARGS, InvalidOid, NULL, NULL);
	memcpy(counts->args, &fcinfo->args[2], sizeof(NullableDatum) * COUNTS_NARGS);
	PG_RETURN_BOOL(ownership_counts(home, counts, !PG_ARGISNULL(7) && PG_GETARG_BOOL(7)));
}

/* Rows that leave an organization */

typedef struct Gathering
{
	SeemeParent *parent;
	SeemeStore *store;
	List	   *places;			/* of SeemePlace * */
	bool		is_whole;		/* false: one of them does not exist any more */
} Gathering;

static void gather_places(SeemeParentSite *site, Datum key, Gathering *gathering);

static bool
gather_places_of_row(SeemeParentLeaf *leaf, TupleTableSlot *row, void *context)
{
	Gathering  *gathering = context;
	ListCell   *cell;

	foreach(cell, list_places(gathering->parent, leaf, row))
	{
		Place	   *place = lfirst(cell);
		List	   *found;

		if (place->scope.kind == SEEME_NO_SCOPE)
		{
			Gathering	above = {.store = gathering->store};

			gather_places(next_site(place), place->key, &above);
			gathering->places = list_concat(gathering->places, above.places);
			gathering->is_whole = gathering->is_whole && above.is_whole;
			continue;
		}
		found = seeme_find_places(gathering->store, &place->scope);
		if (found == NIL && place->scope.kind != SEEME_SCOPE_RESOURCE)
			gathering->is_whole = false;
		gathering->places = list_concat(gathering->places, found);
	}
	return true;
}

/* Finds the places where a parent lies. */
static void
gather_places(SeemeParentSite *site, Datum key, Gathering *gathering)
{
	gathering->parent = seeme_open_parent_site(site);
	gathering->is_whole = true;
	if (!seeme_use_parent(gathering->parent, key, gather_places_of_row, gathering))
		gathering->is_whole = false;
}

/*
 * seeme.may_move_child_out(permission text, child regclass, key, new_key text, organization, team,
 * project, resource uuid, new_organization, new_team, new_project, new_resource uuid,
 * resource_type text) RETURNS boolean
 *
 * As seeme.may_move_out(), of a row with a parent before or after.
 */
SEEME_FUNCTION(seeme_may_move_child_out, 13)
{
	LOCAL_FCINFO(move, SEEME_MOVE_OUT_NARGS);
	SeemeStore	store;
	Gathering	before = {.store = &store, .is_whole = true};
	Gathering	after = {.store = &store, .is_whole = true};
	bool		is_same = !PG_ARGISNULL(2) && !PG_ARGISNULL(3) &&
		strcmp(TextDatumGetCString(PG_GETARG_DATUM(2)),
			   TextDatumGetCString(PG_GETARG_DATUM(3))) == 0;
	SeemeParentSite *site;
	Datum		key = 0;
	bool		may;

	if (PG_ARGISNULL(1))
		PG_RETURN_BOOL(false);
	(void) seeme_parent_code_argument(fcinfo, PG_GETARG_OID(1));
	seeme_push_latest_snapshot(true);
	seeme_store_open(&store);
	if (!PG_ARGISNULL(2) && !is_same)
	{
		site = site_of_table(fcinfo, PG_GETARG_OID(1), "", 2, &key);
		gather_places(site, key, &before);
	}
	if (!PG_ARGISNULL(3))
	{
		site = site_of_table(fcinfo, PG_GETARG_OID(1), "", 3, &key);
		gather_places(site, key, &after);
	}
	InitFunctionCallInfoData(*move, fcinfo->flinfo, SEEME_MOVE_OUT_NARGS, InvalidOid, NULL, NULL);
	move->args[0] = fcinfo->args[0];
	memcpy(&move->args[1], &fcinfo->args[4],
		   sizeof(NullableDatum) * (SEEME_MOVE_OUT_NARGS - 1));
	may = before.is_whole && seeme_may_leave_places(move, &store, before.places, after.places);
	seeme_store_close(&store);
	PopActiveSnapshot();
	PG_RETURN_BOOL(may);
}

/* Parents that move */

/*
 * seeme.check_moved_parent(code...) RETURNS trigger
 *
 * After UPDATE of a parent's scope columns: whoever moves it needs each of these codes, the update
 * of its children and of their children, where it lay. It raises 42501.
 */
SEEME_FUNCTION(seeme_check_moved_parent, 0)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;
	TupleTableSlot *row;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_FOR_ROW(trigger->tg_event) ||
		!TRIGGER_FIRED_BY_UPDATE(trigger->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("seeme.check_moved_parent is for triggers of UPDATE of a row")));
	row = trigger->tg_trigslot;
	if (seeme_row_security_is_active(trigger->tg_relation))
	{
		seeme_push_latest_snapshot(false);
		for (int i = 0; i < trigger->tg_trigger->tgnargs; i++)
		{
			const char *code = trigger->tg_trigger->tgargs[i];
			SeemeParent *parent = seeme_parent_by_itself(trigger->tg_relation, code);

			if (!seeme_row_holds(parent, linitial(parent->leaves), row))
				ereport(ERROR,
						(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
						 errmsg("you do not hold %s where this row of \"%s\" lies", code,
								RelationGetRelationName(trigger->tg_relation)),
						 errhint("A row that moves takes along the rows whose parent it is.")));
		}
		PopActiveSnapshot();
	}
	PG_RETURN_POINTER(trigger->tg_newtuple);
}
