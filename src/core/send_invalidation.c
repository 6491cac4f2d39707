/*
 * send_invalidation.c: the trigger by which a change tells every session about itself.
 *
 * Sends the messages that invalidation.c receives: a relcache invalidation for a proxy table, or
 * for the OID of a bucket of users. Must not read any table.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

#include "core/invalidation.h"
#include "core/version.h"

/*
 * The messages that one subtransaction has sent. PostgreSQL keeps each message until the end of the
 * transaction. So each message is sent once. After some number of buckets, one message about
 * everybody replaces all further ones. A rollback to a savepoint discards the messages of that
 * subtransaction, so these notes belong to one subtransaction.
 */
#define MAX_BUCKETS_SENT 128

typedef struct SentMessages
{
	LocalTransactionId transaction;
	SubTransactionId subtransaction;
	bool		of_kind[SEEME_NINVAL_KINDS];
	int			nbuckets;
	bool		of_bucket[SEEME_NBUCKETS];
} SentMessages;

static SentMessages sent;

/* Makes the notes those of the current subtransaction. */
static void
begin_sending(void)
{
	if (sent.transaction == seeme_local_xid() &&
		sent.subtransaction == GetCurrentSubTransactionId())
		return;
	memset(&sent, 0, sizeof(sent));
	sent.transaction = seeme_local_xid();
	sent.subtransaction = GetCurrentSubTransactionId();
}

/*
 * Invalidates a bucket of users in every session, at commit. PostgreSQL takes from a row of
 * pg_class only the OID, and whether the table is shared.
 */
static void
invalidate_bucket(uint32 bucket)
{
	HeapTupleData tuple = {0};

	tuple.t_len = MAXALIGN(SizeofHeapTupleHeader) + CLASS_TUPLE_SIZE;
	tuple.t_data = palloc0(tuple.t_len);
	tuple.t_data->t_hoff = MAXALIGN(SizeofHeapTupleHeader);
	((Form_pg_class) GETSTRUCT(&tuple))->oid = SEEME_FIRST_BUCKET_OID + bucket;
	CacheInvalidateRelcacheByTuple(&tuple);
	pfree(tuple.t_data);
}

/* Invalidates everything of a kind in every session, at commit. */
static void
invalidate_kind(SeemeInvalKind kind, Oid namespace)
{
	if (!sent.of_kind[kind])
	{
		Oid			relid = get_relname_relid(seeme_proxy_names[kind], namespace);

		if (OidIsValid(relid))
			CacheInvalidateRelcacheByRelid(relid);
		sent.of_kind[kind] = true;
	}
	seeme_kind_changed(kind);
}

static void
invalidate_user(const pg_uuid_t *user, Oid namespace)
{
	uint32		bucket = seeme_inval_bucket(user);

	if (!sent.of_kind[SEEME_INVAL_RIGHTS] && !sent.of_bucket[bucket])
	{
		if (++sent.nbuckets > MAX_BUCKETS_SENT)
			invalidate_kind(SEEME_INVAL_RIGHTS, namespace);
		else
			invalidate_bucket(bucket);
		sent.of_bucket[bucket] = true;
	}
	seeme_bucket_changed(bucket);
}

/* Invalidates the user whom a column of a row names; false: the column is null. */
static bool
invalidate_user_of_row(TriggerData *trigger, HeapTuple row)
{
	TupleDesc	columns = RelationGetDescr(trigger->tg_relation);
	int			column = SPI_fnumber(columns, trigger->tg_trigger->tgargs[1]);
	bool		isnull;
	Datum		user;

	if (column <= 0)
		elog(ERROR, "table %s has no column %s", RelationGetRelationName(trigger->tg_relation),
			 trigger->tg_trigger->tgargs[1]);
	if (TupleDescAttr(columns, column - 1)->atttypid != UUIDOID)
		elog(ERROR, "column %s of table %s is no uuid", trigger->tg_trigger->tgargs[1],
			 RelationGetRelationName(trigger->tg_relation));
	user = heap_getattr(row, column, columns, &isnull);
	if (!isnull)
		invalidate_user(DatumGetUUIDP(user), RelationGetNamespace(trigger->tg_relation));
	return !isnull;
}

/*
 * seeme.send_invalidation('changes_of_…', column) RETURNS trigger
 *
 * The column, a uuid, names the user whose rights a row is about; empty: the row concerns
 * everybody. Fires before a row is written, so that nothing is cached between the write and the
 * message; and after, before other triggers of the row.
 */
SEEME_FUNCTION(seeme_send_invalidation, 0)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;
	bool		is_sent = false;

	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("seeme.send_invalidation is a trigger function")));
	if (trigger->tg_trigger->tgnargs != 2)
		elog(ERROR, "seeme.send_invalidation takes two arguments");
	begin_sending();
	if (TRIGGER_FIRED_FOR_ROW(trigger->tg_event) && trigger->tg_trigger->tgargs[1][0] != '\0')
	{
		is_sent = invalidate_user_of_row(trigger, trigger->tg_trigtuple);
		if (TRIGGER_FIRED_BY_UPDATE(trigger->tg_event))
			is_sent = invalidate_user_of_row(trigger, trigger->tg_newtuple) && is_sent;
	}
	if (!is_sent)
	{
		int			kind;

		for (kind = 0; kind < SEEME_NINVAL_KINDS - 1; kind++)
			if (strcmp(trigger->tg_trigger->tgargs[0], seeme_proxy_names[kind]) == 0)
				break;
		invalidate_kind(kind, RelationGetNamespace(trigger->tg_relation));
	}
	seeme_rights_changed_lxid = seeme_local_xid();
	seeme_rights_changed_at = GetCurrentStatementStartTimestamp();
	if (TRIGGER_FIRED_BEFORE(trigger->tg_event) && TRIGGER_FIRED_FOR_ROW(trigger->tg_event))
		PG_RETURN_POINTER(TRIGGER_FIRED_BY_UPDATE(trigger->tg_event) ? trigger->tg_newtuple
						  : trigger->tg_trigtuple);
	PG_RETURN_POINTER(NULL);
}
