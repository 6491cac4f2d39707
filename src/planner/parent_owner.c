/*
 * parent_owner.c: whether the ownership of a row with a parent counts.
 *
 * A person owns a comment only while they belong to where its ticket lies, and to where the
 * ticket's own parent lies. ownership.c says so of the places of one row; here the parents' are
 * added.
 *
 * Owns the call sites of seeme.owns_child(), and their kind of arm. Must not decide: ownership.c
 * does.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "core/store.h"
#include "core/uuid_hash.h"
#include "core/version.h"
#include "functions/arguments.h"
#include "functions/ownership.h"
#include "planner/parent_places.h"
#include "planner/parent_read.h"
#include "planner/parent_rows.h"
#include "planner/policy_arms.h"

/* Where the asking person stands to the places of a row. */
typedef enum Home
{
	NOWHERE,					/* the row has no place */
	MEMBER,
	NOT_A_MEMBER,				/* also if it has none any more */
} Home;

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
	foreach(cell, seeme_list_parent_places(homing->parent, leaf, row))
	{
		SeemeParentPlace *place = lfirst(cell);

		if (place->scope.kind == SEEME_NO_SCOPE)
		{
			Home		above = find_home(seeme_parent_site_above(place), place->key);

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

typedef struct OwnsChildSite
{
	FmgrInfo	owns_row;
	FunctionCallInfo owns;		/* the call of seeme.owns_row() */
	SeemeParentSite *parent;
	MemoryContext scratch;
	char	   *code;			/* NULL: it is a constant */
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
	bool		owner_alone = !args[SEEME_OWNS_CHILD_ALONE].isnull &&
	DatumGetBool(args[SEEME_OWNS_CHILD_ALONE].value);
	MemoryContext old;
	Home		home;

	/* Most rows are somebody else's: seeme.owns_row() compares the owner first. */
	owns->args[SEEME_ARG_CODE] = args[0];
	memcpy(&owns->args[SEEME_ARG_CODE + 1], &args[SEEME_OWNS_CHILD_SCOPES],
		   sizeof(NullableDatum) * (SEEME_NSCOPE_KINDS + 1));
	owns->args[SEEME_ARG_OWNER] = args[SEEME_OWNS_CHILD_OWNER];
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
 * ids are constants; the code may be the one that making a row public takes, which is looked up.
 */
SEEME_FUNCTION(seeme_owns_child, SEEME_OWNS_CHILD_NARGS)
{
	OwnsChildSite *site = fcinfo->flinfo->fn_extra;
	text	   *code;

	if (PG_ARGISNULL(SEEME_OWNS_CHILD_OWNER) || PG_ARGISNULL(0) || PG_ARGISNULL(SEEME_ARG_CHILD) ||
		PG_ARGISNULL(SEEME_ARG_PARENT))
		PG_RETURN_BOOL(false);
	code = PG_GETARG_TEXT_PP(0);
	if (site == NULL ||
		(site->code != NULL && (strlen(site->code) != VARSIZE_ANY_EXHDR(code) ||
								memcmp(site->code, VARDATA_ANY(code), strlen(site->code)) != 0)))
	{
		Oid			child = PG_GETARG_OID(SEEME_ARG_CHILD);

		site = make_owns_child_site(fcinfo->flinfo->fn_mcxt, fcinfo->flinfo->fn_oid, child,
									PG_GETARG_OID(SEEME_ARG_PARENT),
									seeme_code_argument(fcinfo, 0));
		seeme_prepare_owner_site(&site->owns_row);
		if (getBaseType(get_fn_expr_argtype(fcinfo->flinfo, SEEME_ARG_KEY)) !=
			seeme_open_parent_site_of_call(site->parent)->key_type ||
			!get_fn_expr_arg_stable(fcinfo->flinfo, SEEME_ARG_CHILD) ||
			!get_fn_expr_arg_stable(fcinfo->flinfo, SEEME_ARG_PARENT) ||
			!get_fn_expr_arg_stable(fcinfo->flinfo, SEEME_OWNS_CHILD_OWNER - 1))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("seeme.owns_child is for policies")));
		if (!get_fn_expr_arg_stable(fcinfo->flinfo, 0))
			site->code = MemoryContextStrdup(fcinfo->flinfo->fn_mcxt, text_to_cstring(code));
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
	for (int i = 0; i < SEEME_OWNS_CHILD_NARGS; i++)
	{
		Const	   *argument = list_nth(call->args, i);
		bool		may_be_null = i >= SEEME_OWNS_CHILD_SCOPES && i < SEEME_OWNS_CHILD_OWNER;

		if (IsA(argument, Const) ? argument->constisnull && !may_be_null
			: !is_column((Node *) argument, relid))
			return false;
	}
	return IsA(linitial(call->args), Const) &&
		IsA(list_nth(call->args, SEEME_ARG_CHILD), Const) &&
		IsA(list_nth(call->args, SEEME_ARG_PARENT), Const) &&
		IsA(list_nth(call->args, SEEME_OWNS_CHILD_OWNER - 1), Const) &&
		is_column(list_nth(call->args, SEEME_OWNS_CHILD_OWNER), relid);
}

static void
prepare_child_owner_arm(SeemeArm *arm)
{
	OwnsChildSite *site;
	Const	   *code = linitial(arm->call->args);
	Const	   *child = list_nth(arm->call->args, SEEME_ARG_CHILD);
	Const	   *parent = list_nth(arm->call->args, SEEME_ARG_PARENT);

	arm->info = palloc0(SizeForFunctionCallInfo(SEEME_OWNS_CHILD_NARGS));
	for (int i = 0; i < SEEME_OWNS_CHILD_NARGS; i++)
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
		Datum		owner = heap_getattr(&rows->rows[row], arm->columns[SEEME_OWNS_CHILD_OWNER],
										 rows->columns, &isnull);

		if (isnull || !seeme_uuid_equal(DatumGetUUIDP(owner), person))
			continue;
		for (int i = 0; i < SEEME_OWNS_CHILD_NARGS; i++)
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
	.nargs = SEEME_OWNS_CHILD_NARGS,
	.is_arm = is_child_owner_arm,
	.prepare = prepare_child_owner_arm,
	.decide = decide_by_child_owner,
	.is_exact = is_exact_child_owner,
};

void
seeme_child_owner_arm_init(void)
{
	seeme_child_owner_function = seeme_owns_child;
	seeme_add_arm_kind(&child_owner_arm);
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
		SeemeParentSite *site;
		Datum		key = 0;

		seeme_push_latest_snapshot(false);
		site = seeme_parent_site_of_table(fcinfo, PG_GETARG_OID(0), "", 1, &key);
		home = find_home(site, key);
		PopActiveSnapshot();
	}
	InitFunctionCallInfoData(*counts, &function, COUNTS_NARGS, InvalidOid, NULL, NULL);
	memcpy(counts->args, &fcinfo->args[2], sizeof(NullableDatum) * COUNTS_NARGS);
	PG_RETURN_BOOL(ownership_counts(home, counts, !PG_ARGISNULL(7) && PG_GETARG_BOOL(7)));
}
