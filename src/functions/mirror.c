/*
 * mirror.c: what a mirrored table's triggers need that SQL cannot do.
 *
 * Owns three changes of role: the rows of a mirrored table are read with the rights of its owner;
 * the extension's functions prepare the changes of seeme.* with the extension's rights; and these
 * changes are made with the rights of whoever is asking. Owns the list of profiles that are written
 * when the transaction commits. Must not know kinds of mirrors or columns
 * (sql/install/42_mirror_*.sql), and decides nothing.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/pg_class.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/rls.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

#include "core/store.h"
#include "core/version.h"
#include "functions/mirror.h"
#include "identity/identity.h"

/* The statement whose rows are mirrored just now, and with whose rights. */
typedef struct Mirroring
{
	Oid			acting;			/* the role */
	int			sec_context;
	bool		is_writing;		/* a change of seeme.* is being made */
} Mirroring;

static Mirroring *mirroring = NULL;

/* Profiles that an identified person changed in this transaction. */
typedef struct Profile
{
	Oid			relid;
	Oid			extension_owner;
	char	   *key;
	pg_uuid_t	user_id;
} Profile;

static List *profiles = NIL;

/* The tables of which the client's statement was mirrored already, and when that began. */
static List *mirrored_relids = NIL;
static TimestampTz mirrored_since = 0;

static Oid
owner_of_function(Oid function)
{
	HeapTuple	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
	Oid			owner;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for function %u", function);
	owner = ((Form_pg_proc) GETSTRUCT(tuple))->proowner;
	ReleaseSysCache(tuple);
	return owner;
}

static Oid
owner_of_table(Oid relid)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));
	Oid			owner;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for relation %u", relid);
	owner = ((Form_pg_class) GETSTRUCT(tuple))->relowner;
	ReleaseSysCache(tuple);
	return owner;
}

/*
 * Nothing here is looked up in a schema of the session's choice. To be undone by AtEOXact_GUC(true,
 * level).
 */
static int
pin_search_path(void)
{
	int			level = NewGUCNestLevel();

	set_config_option("search_path", "pg_catalog, pg_temp", PGC_USERSET, PGC_S_SESSION,
					  GUC_ACTION_SAVE, true, 0, false);
	return level;
}

static void
become_extension_owner(Oid owner, int sec_context)
{
	SetUserIdAndSecContext(owner, sec_context | SECURITY_LOCAL_USERID_CHANGE);
}

static void
become_table_owner(Oid relid, int sec_context)
{
	SetUserIdAndSecContext(owner_of_table(relid), sec_context | SECURITY_LOCAL_USERID_CHANGE |
						   SECURITY_RESTRICTED_OPERATION | SECURITY_NOFORCE_RLS);
}

static void
require_superuser(const char *function)
{
	if (!superuser())
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied for function %s", function)));
}

/*
 * With whose rights the change of a statement is made in seeme.*. While somebody is identified, row
 * security is to be asked: a SECURITY DEFINER function of a role that bypasses it lends nobody its
 * rights, and the outer role counts. With nobody identified the rights are those of the statement,
 * as for a direct write; those of a referential action are of whoever caused it.
 */
static void
choose_acting_role(Mirroring *state, Oid user, int sec_context)
{
	Oid			outer = GetOuterUserId();

	state->acting = user;
	state->sec_context = sec_context;
	if (outer == user)
		return;
	if (seeme_current_identity() != NULL ?
		!has_bypassrls_privilege(outer) || has_bypassrls_privilege(user) :
		(sec_context & SECURITY_NOFORCE_RLS) != 0)
		state->acting = outer;
	state->sec_context = (sec_context | SECURITY_LOCAL_USERID_CHANGE) & ~SECURITY_NOFORCE_RLS;
}

static const char *
name_of_event(TriggerEvent event)
{
	return TRIGGER_FIRED_BY_INSERT(event) ? "INSERT" :
		TRIGGER_FIRED_BY_DELETE(event) ? "DELETE" : "UPDATE";
}

/*
 * Which query finds the rows of an UPDATE. Whoever may archive a row passes the policy, too. Where
 * row security is asked, the rows are read that this person may not change otherwise.
 */
static const char *
name_of_query(TriggerEvent event, Oid relid, Oid user)
{
	if (TRIGGER_FIRED_BY_UPDATE(event) && check_enable_rls(relid, user, true) == RLS_ENABLED)
		return "UPDATE_ASKED";
	return name_of_event(event);
}

/*
 * Whether a statement on this table was mirrored already since the client sent what it is waiting
 * for. Then it may have run within the statement that is mirrored now, and have changed the same
 * rows after it.
 */
static bool
is_mirrored_again(Oid relid)
{
	return mirrored_since == GetCurrentStatementStartTimestamp() &&
		list_member_oid(mirrored_relids, relid);
}

static void
note_mirrored(Oid relid)
{
	MemoryContext old = MemoryContextSwitchTo(TopTransactionContext);

	if (mirrored_since != GetCurrentStatementStartTimestamp())
	{
		list_free(mirrored_relids);
		mirrored_relids = NIL;
		mirrored_since = GetCurrentStatementStartTimestamp();
	}
	mirrored_relids = list_append_unique_oid(mirrored_relids, relid);
	MemoryContextSwitchTo(old);
}

/* One value of the only row that a statement answers with; NULL: null. */
static char *
ask_for_text(const char *statement, int nargs, Oid *types, Datum *values)
{
	if (SPI_execute_with_args(statement, nargs, types, values, NULL, false, 0) != SPI_OK_SELECT ||
		SPI_processed != 1)
		elog(ERROR, "unexpected answer to: %s", statement);
	return SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1);
}

/* The batches of rows that a query finds, read with the rights of the table's owner. */
static SPITupleTable *
read_rows(Oid relid, const char *query, Oid extension_owner, int sec_context)
{
	become_table_owner(relid, sec_context);
	if (SPI_execute(query, false, 0) != SPI_OK_SELECT)
		elog(ERROR, "not a query: %s", query);
	become_extension_owner(extension_owner, sec_context);
	return SPI_tuptable;
}

/*
 * seeme.mirror_statement() RETURNS trigger
 */
SEEME_FUNCTION(seeme_mirror_statement, 0)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;
	Mirroring	state = {0};
	Mirroring  *outer = mirroring;
	Oid			relid;
	Oid			user;
	int			sec_context;
	Oid			extension_owner;
	Oid			types[3] = {OIDOID, TEXTOID, JSONBOID};
	Datum		values[3];
	char	   *query;
	SPITupleTable *batches;
	int			level;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_AFTER(trigger->tg_event) ||
		TRIGGER_FIRED_FOR_ROW(trigger->tg_event) ||
		TRIGGER_FIRED_BY_TRUNCATE(trigger->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("seeme.mirror_statement is a trigger function for statements")));
	relid = RelationGetRelid(trigger->tg_relation);
	extension_owner = owner_of_function(fcinfo->flinfo->fn_oid);
	GetUserIdAndSecContext(&user, &sec_context);
	choose_acting_role(&state, user, sec_context);
	level = pin_search_path();
	become_extension_owner(extension_owner, sec_context);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	values[0] = ObjectIdGetDatum(relid);
	values[1] = CStringGetTextDatum(name_of_query(trigger->tg_event, relid, user));
	query = ask_for_text(is_mirrored_again(relid) ? "SELECT seeme.mirror_query($1, $2, true)" :
						 "SELECT seeme.mirror_query($1, $2)", 2, types, values);
	if (query != NULL)
	{
		values[1] = CStringGetTextDatum(name_of_event(trigger->tg_event));
		if (SPI_register_trigger_data(trigger) != SPI_OK_TD_REGISTER)
			elog(ERROR, "SPI_register_trigger_data failed");
		batches = read_rows(relid, query, extension_owner, sec_context);
		mirroring = &state;
		PG_TRY();
		{
			for (uint64 i = 0; i < batches->numvals; i++)
			{
				bool		isnull;

				CHECK_FOR_INTERRUPTS();
				values[2] = SPI_getbinval(batches->vals[i], batches->tupdesc, 1, &isnull);
				if (!isnull)
					ask_for_text("SELECT seeme.apply_mirror($1, $2, $3)", 3, types, values);
			}
		}
		PG_FINALLY();
		{
			mirroring = outer;
		}
		PG_END_TRY();
	}
	SPI_finish();
	note_mirrored(relid);
	SetUserIdAndSecContext(user, sec_context);
	AtEOXact_GUC(true, level);
	return PointerGetDatum(NULL);
}

/*
 * seeme.read_as_owner(relation regclass, query text) RETURNS SETOF jsonb
 */
SEEME_FUNCTION(seeme_read_as_owner, 2)
{
	ReturnSetInfo *result;
	Oid			user;
	int			sec_context;
	int			level;
	SPITupleTable *rows;

	require_superuser("read_as_owner");
	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	result = (ReturnSetInfo *) fcinfo->resultinfo;
	GetUserIdAndSecContext(&user, &sec_context);
	level = pin_search_path();
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	rows = read_rows(PG_GETARG_OID(0), text_to_cstring(PG_GETARG_TEXT_PP(1)), user, sec_context);
	for (uint64 i = 0; i < rows->numvals; i++)
	{
		bool		isnull;
		Datum		value = SPI_getbinval(rows->vals[i], rows->tupdesc, 1, &isnull);

		tuplestore_putvalues(result->setResult, result->setDesc, &value, &isnull);
	}
	SPI_finish();
	SetUserIdAndSecContext(user, sec_context);
	AtEOXact_GUC(true, level);
	PG_RETURN_NULL();
}

/*
 * seeme.mirror_execute(statement text, rows jsonb, as_extension boolean) RETURNS bigint
 *
 * Makes a change of seeme.*, of rows that are its parameter $1, as whoever is asking or with the
 * extension's rights. How many rows it changed.
 */
SEEME_FUNCTION(seeme_mirror_execute, 3)
{
	bool		as_extension = PG_GETARG_BOOL(2);
	Oid			type = JSONBOID;
	Datum		rows = PG_GETARG_DATUM(1);
	Mirroring	state = {0};
	Mirroring  *outer = mirroring;
	bool		was_writing;
	Oid			user;
	int			sec_context;
	int			result;
	uint64		changed;

	require_superuser("mirror_execute");
	GetUserIdAndSecContext(&user, &sec_context);
	/* What is loaded first is no statement of anybody's. */
	if (mirroring == NULL)
	{
		state.acting = user;
		state.sec_context = sec_context;
		mirroring = &state;
	}
	was_writing = mirroring->is_writing;
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	if (!as_extension)
		SetUserIdAndSecContext(mirroring->acting, mirroring->sec_context);
	mirroring->is_writing = true;
	PG_TRY();
	{
		result = SPI_execute_with_args(text_to_cstring(PG_GETARG_TEXT_PP(0)), 1, &type, &rows, NULL,
									   false, 0);
		if (result < 0)
			elog(ERROR, "SPI_execute_with_args failed: %s", SPI_result_code_string(result));
		changed = SPI_processed;
	}
	PG_FINALLY();
	{
		mirroring->is_writing = was_writing;
		mirroring = outer;
	}
	PG_END_TRY();
	SetUserIdAndSecContext(user, sec_context);
	SPI_finish();
	PG_RETURN_INT64(changed);
}

/*
 * seeme.acting_role() RETURNS oid
 */
SEEME_FUNCTION(seeme_acting_role, 0)
{
	PG_RETURN_OID(mirroring == NULL ? GetUserId() : mirroring->acting);
}

/*
 * seeme.check_new_id() RETURNS trigger
 *
 * An id of version 8 is that of an application's key. Who could use one would be there before the
 * application's own row is.
 */
SEEME_FUNCTION(seeme_check_new_id, 0)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;
	TupleDesc	columns;
	bool		isnull;
	int			column;
	pg_uuid_t  *id;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_BEFORE(trigger->tg_event) ||
		!TRIGGER_FIRED_FOR_ROW(trigger->tg_event) ||
		!TRIGGER_FIRED_BY_INSERT(trigger->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("seeme.check_new_id is a trigger function for INSERT")));
	columns = RelationGetDescr(trigger->tg_relation);
	column = SPI_fnumber(columns, "id");
	if (column <= 0 || TupleDescAttr(columns, column - 1)->atttypid != UUIDOID)
		elog(ERROR, "table %s has no id", RelationGetRelationName(trigger->tg_relation));
	id = DatumGetUUIDP(heap_getattr(trigger->tg_trigtuple, column, columns, &isnull));
	if (!isnull && (id->data[6] & 0xf0) == 0x80 && seeme_current_identity() != NULL &&
		(mirroring == NULL || !mirroring->is_writing))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("ids of version 8 are those of an application's own keys"),
				 errhint("Leave the id out, or insert into the mirrored table.")));
	return PointerGetDatum(trigger->tg_trigtuple);
}

/*
 * seeme.write_profile_at_commit(relation regclass, key text) RETURNS void
 */
SEEME_FUNCTION(seeme_write_profile_at_commit, 2)
{
	const SeemeIdentity *identity = seeme_current_identity();
	MemoryContext old;
	Profile    *profile;
	char	   *key = text_to_cstring(PG_GETARG_TEXT_PP(1));
	ListCell   *cell;

	require_superuser("write_profile_at_commit");
	if (identity == NULL)
		elog(ERROR, "nobody is identified");
	foreach(cell, profiles)
	{
		profile = lfirst(cell);
		if (profile->relid == PG_GETARG_OID(0) && strcmp(profile->key, key) == 0)
			PG_RETURN_VOID();
	}
	old = MemoryContextSwitchTo(TopTransactionContext);
	profile = palloc(sizeof(Profile));
	profile->relid = PG_GETARG_OID(0);
	profile->extension_owner = GetUserId();
	profile->key = pstrdup(key);
	profile->user_id = identity->user_id;
	profiles = lappend(profiles, profile);
	MemoryContextSwitchTo(old);
	PG_RETURN_VOID();
}

/*
 * The row is read again: what a savepoint undid is not written. Until here no row of seeme.users
 * was locked, so that an open transaction of a person's keeps nobody from disabling them (rule
 * 7.8).
 */
static void
write_profiles(void)
{
	while (profiles != NIL)
	{
		Profile    *profile = linitial(profiles);
		Oid			types[3] = {OIDOID, TEXTOID, UUIDOID};
		Datum		values[3] = {
			ObjectIdGetDatum(profile->relid),
			CStringGetTextDatum(profile->key),
			UUIDPGetDatum(&profile->user_id),
		};
		Oid			user;
		int			sec_context;
		int			level;

		profiles = list_delete_first(profiles);
		PushActiveSnapshot(GetTransactionSnapshot());
		GetUserIdAndSecContext(&user, &sec_context);
		level = pin_search_path();
		become_extension_owner(profile->extension_owner, sec_context);
		if (SPI_connect() != SPI_OK_CONNECT)
			elog(ERROR, "SPI_connect failed");
		ask_for_text("SELECT seeme.write_profile($1, $2, $3)", 3, types, values);
		SPI_finish();
		SetUserIdAndSecContext(user, sec_context);
		AtEOXact_GUC(true, level);
		PopActiveSnapshot();
	}
}

static void
at_end_of_transaction(XactEvent event, void *arg)
{
	/* They lie in the transaction's memory. */
	if (event != XACT_EVENT_PRE_COMMIT && event != XACT_EVENT_PRE_PREPARE)
	{
		mirrored_relids = NIL;
		mirrored_since = 0;
	}
	if (profiles == NIL)
		return;
	switch (event)
	{
		case XACT_EVENT_PRE_COMMIT:
			write_profiles();
			break;
		case XACT_EVENT_PRE_PREPARE:
			ereport(ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("a transaction that changed a mirrored profile cannot be prepared")));
			break;
		default:
			profiles = NIL;
			break;
	}
}

void
seeme_mirror_init(void)
{
	RegisterXactCallback(at_end_of_transaction, NULL);
}
