/*
 * key_functions.c: functions that run inside a check or an action of a foreign key.
 *
 * PostgreSQL checks foreign keys, and makes their ON DELETE and ON UPDATE actions, without FORCE
 * ROW LEVEL SECURITY (SECURITY_NOFORCE_RLS). Without this file, that would hold for every function
 * called inside, too: a trigger on the referencing rows, a conversion between the two columns.
 * Example: a person makes two temporary tables with a foreign key ON DELETE CASCADE and a trigger.
 * The trigger reads a view of the owner of a protected table, and would see every row.
 *
 * So such a function runs under FORCE again. The query of the foreign key itself does not.
 * Functions in C or built into PostgreSQL are left alone: superusers made them, and the triggers
 * of this extension look whether a foreign key is at work.
 *
 * PostgreSQL checks a key as the owner of the table that is referred to. So whoever may refer to a
 * table (REFERENCES) runs a conversion of their own as its owner, and the schema seeme is a
 * superuser's. Such a function is refused where that owner is not bound by row security.
 *
 * Owns the function manager's hook. Must not change anything outside of a foreign key's queries.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/pg_language_d.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_range.h"
#include "catalog/pg_type_d.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#include "core/invalidation.h"
#include "guards/key_functions.h"

/* A call that is running. The same FmgrInfo may be called again meanwhile. */
typedef struct RunningCall
{
	struct RunningCall *outer;
	bool		without_force;	/* whether the caller runs without FORCE */
	Datum		next_arg;		/* of the next hook */
} RunningCall;

static needs_fmgr_hook_type next_needs_hook = NULL;
static fmgr_hook_type next_hook = NULL;

static bool
needs_force(Oid function)
{
	HeapTuple	tuple;
	bool		needs = false;

	if (likely(!InNoForceRLSOperation()))
		return false;
	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
	if (HeapTupleIsValid(tuple))
	{
		Oid			language = ((Form_pg_proc) GETSTRUCT(tuple))->prolang;

		needs = language != INTERNALlanguageId && language != ClanguageId;
		ReleaseSysCache(tuple);
	}
	return needs;
}

/*
 * Refuses a function of somebody else that would run with the rights of a role that row security
 * does not bind. Triggers are left alone: they run as the owner of the table that has them, who
 * lets others make triggers or not.
 */
static void
refuse_borrowed_rights(Oid function)
{
	HeapTuple	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
	Oid			owner;
	bool		is_trigger;

	if (!HeapTupleIsValid(tuple))
		return;
	owner = ((Form_pg_proc) GETSTRUCT(tuple))->proowner;
	is_trigger = ((Form_pg_proc) GETSTRUCT(tuple))->prorettype == TRIGGEROID;
	ReleaseSysCache(tuple);
	if (!is_trigger && owner != GetUserId() && has_bypassrls_privilege(GetUserId()) &&
		!superuser_arg(owner))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("the check of a foreign key does not run function \"%s\"",
						get_func_name(function)),
				 errdetail("It would run with the rights of another role."),
				 errhint("Give both columns of the foreign key the same type.")));
}

/*
 * Whether a function is the subtype_diff of a range type. PostgreSQL prepares its calls once for
 * the session, and GiST indexes make them: perhaps first outside of a foreign key's query, and
 * later inside of one.
 */
static bool
is_difference_of_range(Oid function)
{
	/* Functions that have not the form of one. */
	static Oid	others[64];
	static uint64 known_under = 0;
	uint64		changes = seeme_function_generation;
	HeapTuple	tuple;
	Form_pg_proc form;
	bool		is_one;
	Relation	ranges;
	SysScanDesc scan;

	if (unlikely(known_under != changes))
	{
		memset(others, 0, sizeof(others));
		known_under = changes;
	}
	if (likely(others[function % lengthof(others)] == function))
		return false;
	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
	if (!HeapTupleIsValid(tuple))
		return false;
	form = (Form_pg_proc) GETSTRUCT(tuple);
	is_one = form->prorettype == FLOAT8OID && form->pronargs == 2 &&
		form->prolang != INTERNALlanguageId && form->prolang != ClanguageId;
	ReleaseSysCache(tuple);
	if (likely(!is_one))
	{
		if (changes == seeme_function_generation)
			others[function % lengthof(others)] = function;
		return false;
	}
	is_one = false;
	ranges = table_open(RangeRelationId, AccessShareLock);
	/* It has no index by this column, and few rows. */
	scan = systable_beginscan(ranges, InvalidOid, false, NULL, 0, NULL);
	while (!is_one && HeapTupleIsValid(tuple = systable_getnext(scan)))
		is_one = ((Form_pg_range) GETSTRUCT(tuple))->rngsubdiff == function;
	systable_endscan(scan);
	table_close(ranges, AccessShareLock);
	return is_one;
}

/*
 * Decided when a call is prepared. For a foreign key's query that is while it runs, but for the
 * subtype_diff of range types.
 */
static bool
needs_hook(Oid function)
{
	return needs_force(function) || is_difference_of_range(function) ||
		(next_needs_hook != NULL && next_needs_hook(function));
}

static void
set_without_force(bool without_force)
{
	Oid			user;
	int			sec_context;

	GetUserIdAndSecContext(&user, &sec_context);
	SetUserIdAndSecContext(user, without_force ? sec_context | SECURITY_NOFORCE_RLS
						   : sec_context & ~SECURITY_NOFORCE_RLS);
}

static void
around_call(FmgrHookEventType event, FmgrInfo *function, Datum *arg)
{
	RunningCall *call = (RunningCall *) DatumGetPointer(*arg);

	/* Called for every SECURITY DEFINER function, too. */
	if (next_hook == NULL && (event == FHET_START ? !InNoForceRLSOperation() : call == NULL))
		return;
	if (event == FHET_START)
	{
		RunningCall *outer = call;

		call = MemoryContextAllocZero(function->fn_mcxt, sizeof(RunningCall));
		call->outer = outer;
		call->without_force = needs_force(function->fn_oid);
		*arg = PointerGetDatum(call);
		if (next_hook != NULL)
			next_hook(event, function, &call->next_arg);
		if (call->without_force)
		{
			set_without_force(false);
			refuse_borrowed_rights(function->fn_oid);
		}
		return;
	}
	if (next_hook != NULL)
		next_hook(event, function, &call->next_arg);
	/* After an error, the end of the (sub)transaction puts the context back. */
	if (event == FHET_END && call->without_force)
		set_without_force(true);
	*arg = PointerGetDatum(call->outer);
	pfree(call);
}

void
seeme_key_functions_init(void)
{
	next_needs_hook = needs_fmgr_hook;
	needs_fmgr_hook = needs_hook;
	next_hook = fmgr_hook;
	fmgr_hook = around_call;
}
