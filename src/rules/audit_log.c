/*
 * audit_log.c: the triggers that write the audit log, and the one that notes that the extension is
 * in use. Each runs once for a statement, whatever the number of its rows.
 *
 * The rows of a statement, and of its cascades, come as transition tables. One INSERT ... SELECT
 * writes an entry for each row. It is SQL, so that the defaults of the columns say who, when and
 * from where. This file makes the text of that INSERT from the columns of the table. It decides
 * nothing.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/rel.h"
#include "utils/tuplestore.h"

#include "core/store.h"
#include "core/version.h"
#include "guards/restoring.h"
#include "identity/identity.h"
#include "rules/rows.h"

/* The parameters of a statement that logs */
enum
{
	PERSON, ACTOR, API_KEY, NPARAMETERS
};

/* The plan that logs one command on one table. */
typedef struct LogPlanKey
{
	Oid			relid;
	int			command;		/* TRIGGER_EVENT_... */
} LogPlanKey;

typedef struct LogPlan
{
	LogPlanKey	key;
	SPIPlanPtr	plan;
} LogPlan;

static HTAB *plans = NULL;

/* Columns that the log never shows. */
static const char *const secrets[] = {"token_hash", "key_hash", "content", "jwk"};

/* The first of these columns that a table has identifies its rows. */
static const char *const identifiers[] = {"id", "name", "table_name", "subject"};

static bool
has_column(TupleDesc columns, const char *name)
{
	return SPI_fnumber(columns, name) > 0;
}

/* The JSON of a row of a transition table, without secrets. */
static char *
shown(TupleDesc columns, const char *alias)
{
	StringInfoData text;

	initStringInfo(&text);
	appendStringInfo(&text, "to_jsonb(%s)", alias);
	for (int i = 0; i < lengthof(secrets); i++)
		if (has_column(columns, secrets[i]))
			appendStringInfo(&text, " - '%s'", secrets[i]);
	return text.data;
}

/*
 * The INSERT that logs all rows of the transition tables. Its parameters are the asking person, the
 * actor and the API key.
 */
static char *
make_query(Relation table, TriggerEvent event)
{
	TupleDesc	columns = RelationGetDescr(table);
	const char *name = RelationGetRelationName(table);
	const char *subject = TRIGGER_FIRED_BY_DELETE(event) ? "o" : "n";
	const char *organization = strcmp(name, "organizations") == 0 ? "id" :
	has_column(columns, "organization_id") ? "organization_id" : NULL;
	const char *identifier = NULL;
	StringInfoData query;

	for (int i = 0; i < lengthof(identifiers) && identifier == NULL; i++)
		if (has_column(columns, identifiers[i]))
			identifier = identifiers[i];
	if (identifier == NULL)
		elog(ERROR, "table %s has no column that identifies a row", name);

	initStringInfo(&query);
	appendStringInfo(&query,
					 "INSERT INTO seeme.audit_log "
					 "(organization_id, user_id, table_name, command, row_id, before, after, "
					 "actor_id, api_key_id) "
					 "SELECT %s, $1, %s, '%s', ((%s).%s)::text, %s, %s, $2, $3 ",
					 organization == NULL ? "NULL" : psprintf("(%s).%s", subject, organization),
					 quote_literal_cstr(name),
					 TRIGGER_FIRED_BY_INSERT(event) ? "INSERT" :
					 TRIGGER_FIRED_BY_DELETE(event) ? "DELETE" : "UPDATE",
					 subject, identifier,
					 TRIGGER_FIRED_BY_INSERT(event) ? "NULL" : shown(columns, "o"),
					 TRIGGER_FIRED_BY_DELETE(event) ? "NULL" : shown(columns, "n"));
	if (TRIGGER_FIRED_BY_INSERT(event))
		appendStringInfoString(&query, "FROM added n");
	else if (TRIGGER_FIRED_BY_DELETE(event))
		appendStringInfoString(&query, "FROM removed o");
	else

		/*
		 * Both tables have the rows in one order. What is secret counts here, though the log does
		 * not show it.
		 */
		appendStringInfoString(&query,
							   "FROM (SELECT r AS o, row_number() OVER () AS number "
							   "FROM removed r) AS former "
							   "JOIN (SELECT a AS n, row_number() OVER () AS number "
							   "FROM added a) AS latter USING (number) "
							   "WHERE to_jsonb(o) - 'updated_at' <> to_jsonb(n) - 'updated_at' "
							   "ORDER BY number");
	return query.data;
}

/*
 * The plan for a trigger's table and command. The transition tables are registered with SPI
 * already.
 */
static SPIPlanPtr
get_plan(TriggerData *trigger)
{
	LogPlanKey	key = {RelationGetRelid(trigger->tg_relation),
	trigger->tg_event & TRIGGER_EVENT_OPMASK};
	LogPlan    *entry;
	Oid			arguments[NPARAMETERS] = {UUIDOID, UUIDOID, UUIDOID};
	bool		found;

	if (plans == NULL)
	{
		HASHCTL		control = {.keysize = sizeof(LogPlanKey), .entrysize = sizeof(LogPlan)};

		plans = hash_create("seeme_rbac plans of the audit log", 32, &control,
							HASH_ELEM | HASH_BLOBS);
	}
	entry = hash_search(plans, &key, HASH_ENTER, &found);
	if (!found)
		entry->plan = NULL;
	if (entry->plan == NULL)
	{
		SPIPlanPtr	plan = SPI_prepare(make_query(trigger->tg_relation, trigger->tg_event),
									   NPARAMETERS, arguments);

		if (plan == NULL)
			elog(ERROR, "SPI_prepare failed: %s", SPI_result_code_string(SPI_result));
		SPI_keepplan(plan);
		entry->plan = plan;
	}
	return entry->plan;
}

static void
set_parameter(const pg_uuid_t *id, Datum *value, char *null)
{
	if (id == NULL)
		return;
	*value = UUIDPGetDatum(id);
	*null = ' ';
}

/*
 * The asking person, the actor and the API key, or nulls. The last two are also those of an
 * identity that does not count any more. While library and extension have different versions, there
 * is no person: only DDL writes rows then.
 */
static void
get_parameters(Datum *values, char *nulls)
{
	LOCAL_FCINFO(call, 0);

	memset(values, 0, sizeof(Datum) * NPARAMETERS);
	memset(nulls, 'n', NPARAMETERS);
	if (!seeme_version_fits())
		return;
	InitFunctionCallInfoData(*call, NULL, 0, InvalidOid, NULL, NULL);
	values[PERSON] = seeme_user_id(call);
	nulls[PERSON] = call->isnull ? 'n' : ' ';
	set_parameter(seeme_current_actor(), &values[ACTOR], &nulls[ACTOR]);
	set_parameter(seeme_current_key(), &values[API_KEY], &nulls[API_KEY]);
}

static void
log_truncate(Relation table, const Datum *parameters, const char *null_parameters)
{
	Oid			types[NPARAMETERS + 1] = {UUIDOID, UUIDOID, UUIDOID, TEXTOID};
	Datum		values[NPARAMETERS + 1];
	char		nulls[NPARAMETERS + 1];

	memcpy(values, parameters, sizeof(Datum) * NPARAMETERS);
	memcpy(nulls, null_parameters, NPARAMETERS);
	values[NPARAMETERS] = CStringGetTextDatum(RelationGetRelationName(table));
	nulls[NPARAMETERS] = ' ';
	if (SPI_execute_with_args("INSERT INTO seeme.audit_log (user_id, actor_id, api_key_id, "
							  "table_name, command, row_id) "
							  "VALUES ($1, $2, $3, $4, 'TRUNCATE', '*')",
							  NPARAMETERS + 1, types, values, nulls, false, 0) != SPI_OK_INSERT)
		elog(ERROR, "the audit log was not written");
}

/*
 * seeme.write_audit_log() RETURNS trigger
 */
SEEME_FUNCTION_OF_ANY_VERSION(seeme_write_audit_log)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;
	Datum		parameters[NPARAMETERS];
	char		nulls[NPARAMETERS];

	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("seeme.write_audit_log is a trigger function")));
	seeme_require_own_table(trigger->tg_relation);
	if (!TRIGGER_FIRED_AFTER(trigger->tg_event) || !TRIGGER_FIRED_FOR_STATEMENT(trigger->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("seeme.write_audit_log is for triggers after a statement")));
	if (!TRIGGER_FIRED_BY_TRUNCATE(trigger->tg_event))
	{
		Tuplestorestate *rows = TRIGGER_FIRED_BY_DELETE(trigger->tg_event) ? trigger->tg_oldtable :
		trigger->tg_newtable;

		if (rows == NULL)
			elog(ERROR, "trigger %s has no transition table", trigger->tg_trigger->tgname);
		if (tuplestore_tuple_count(rows) == 0)
			PG_RETURN_POINTER(NULL);
	}
	if (seeme_is_restoring())
		PG_RETURN_POINTER(NULL);

	get_parameters(parameters, nulls);
	if (SPI_connect() != SPI_OK_CONNECT || SPI_register_trigger_data(trigger) < 0)
		elog(ERROR, "SPI_connect failed");
	if (TRIGGER_FIRED_BY_TRUNCATE(trigger->tg_event))
		log_truncate(trigger->tg_relation, parameters, nulls);
	else if (SPI_execute_plan(get_plan(trigger), parameters, nulls, false, 0) != SPI_OK_INSERT)
		elog(ERROR, "the audit log was not written");
	SPI_finish();
	PG_RETURN_POINTER(NULL);
}

/*
 * seeme.note_use() RETURNS trigger
 *
 * Several rows may say so, because two sessions that add the first person do not wait for each
 * other.
 */
SEEME_FUNCTION(seeme_note_use, 0)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;
	SeemeStore	store;
	bool		in_use;

	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("seeme.note_use is a trigger function")));
	seeme_require_own_table(trigger->tg_relation);
	seeme_store_open(&store);
	in_use = seeme_read_in_use(&store);
	seeme_store_close(&store);
	if (in_use || seeme_is_restoring())
		PG_RETURN_POINTER(NULL);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	if (SPI_execute("INSERT INTO seeme.in_use SELECT WHERE EXISTS (SELECT FROM seeme.users)", false,
					0) != SPI_OK_INSERT)
		elog(ERROR, "seeme.in_use was not written");
	SPI_finish();
	PG_RETURN_POINTER(NULL);
}
