/*
 * people.c: what triggers and views need of memberships, API keys and users, by what is committed
 * now.
 *
 * The snapshot of a transaction may be older. Must not decide: core/api_key.c says why a key does
 * not count.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/sysattr.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "nodes/bitmapset.h"
#include "utils/builtins.h"
#include "utils/rel.h"

#include "core/api_key.h"
#include "functions/arguments.h"
#include "core/store.h"
#include "core/version.h"

/*
 * seeme.membership_in(organization, user_id uuid) RETURNS uuid
 */
SEEME_FUNCTION(seeme_membership_in, 2)
{
	SeemeStore	store;
	pg_uuid_t  *id = palloc(sizeof(pg_uuid_t));
	bool		found;

	seeme_store_open(&store);
	found = seeme_find_membership(&store, PG_GETARG_UUID_P(0), PG_GETARG_UUID_P(1), id);
	seeme_store_close(&store);
	if (!found)
		PG_RETURN_NULL();
	PG_RETURN_UUID_P(id);
}

/*
 * seeme.api_key_invalid_reason(key_id uuid) RETURNS text
 */
SEEME_FUNCTION(seeme_api_key_invalid_reason, 1)
{
	SeemeStore	store;
	SeemeApiKey *key;
	SeemePrincipal *creator = NULL;
	const char *why = NULL;

	seeme_store_open(&store);
	key = seeme_read_api_key(&store, PG_GETARG_UUID_P(0));
	if (key != NULL)
		why = seeme_api_key_defect(&store, key, &creator);
	seeme_store_close(&store);
	if (why == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(why));
}

static bool
same_text(TupleDesc columns, int column, HeapTuple a, HeapTuple b)
{
	bool		a_is_null;
	bool		b_is_null;
	Datum		of_a = heap_getattr(a, column, columns, &a_is_null);
	Datum		of_b = heap_getattr(b, column, columns, &b_is_null);

	if (a_is_null || b_is_null)
		return a_is_null && b_is_null;
	return strcmp(TextDatumGetCString(of_a), TextDatumGetCString(of_b)) == 0;
}

/*
 * seeme.forget_verification() RETURNS trigger
 *
 * PL/pgSQL does not tell which columns a statement sets. A statement that sets email_verified_at
 * keeps its value, even an unchanged one.
 */
SEEME_FUNCTION(seeme_forget_verification, 0)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;
	HeapTuple	row;
	TupleDesc	columns;
	int			email;
	int			verified;
	Datum		value = (Datum) 0;
	bool		isnull = true;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_BEFORE(trigger->tg_event) ||
		!TRIGGER_FIRED_FOR_ROW(trigger->tg_event) || !TRIGGER_FIRED_BY_UPDATE(trigger->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("seeme.forget_verification is a trigger function for UPDATE")));
	row = trigger->tg_newtuple;
	columns = RelationGetDescr(trigger->tg_relation);
	email = SPI_fnumber(columns, "email");
	verified = SPI_fnumber(columns, "email_verified_at");
	if (email <= 0 || verified <= 0 || TupleDescAttr(columns, email - 1)->atttypid != TEXTOID)
		elog(ERROR, "table %s is not seeme.users", RelationGetRelationName(trigger->tg_relation));
	if (!bms_is_member(verified - FirstLowInvalidHeapAttributeNumber, trigger->tg_updatedcols) &&
		!same_text(columns, email, trigger->tg_trigtuple, row))
		row = heap_modify_tuple_by_cols(row, columns, 1, &verified, &value, &isnull);
	return PointerGetDatum(row);
}
