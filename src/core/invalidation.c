/*
 * invalidation.c: notices that something has changed on which decisions depend, here or in
 * another session.
 *
 * Row triggers send a relcache invalidation for one of four empty proxy tables. PostgreSQL
 * delivers such messages to every session at commit, replays them on standbys, and discards them
 * on rollback. The callback here only counts: it may run where no catalog can be read. Queries
 * never use the proxy tables, because each invalidation would make sessions plan anew.
 *
 * A change that concerns one user only should not make sessions forget all others. Its message
 * names no proxy table. It names one of 1,024 buckets of users, by the OIDs 8192 to 9215, which
 * no release assigns. A session finds no table with that OID in its relcache, and calls back
 * here.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/transam.h"
#include "access/xact.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

#include "core/invalidation.h"
#include "core/version.h"

static const char *const proxy_names[SEEME_NINVAL_KINDS] = {
	[SEEME_INVAL_VOCABULARY] = "changes_of_vocabulary",
	[SEEME_INVAL_PLACES] = "changes_of_places",
	[SEEME_INVAL_RIGHTS] = "changes_of_rights",
	[SEEME_INVAL_ASSIGNMENTS] = "changes_of_assignments",
};

uint64		seeme_generation = 1;
uint64		seeme_generations[SEEME_NINVAL_KINDS] = {1, 1, 1, 1};
uint64		seeme_bucket_generations[SEEME_NBUCKETS];
uint64		seeme_site_generation = 1;
uint64		seeme_function_generation = 1;
LocalTransactionId seeme_rights_changed_lxid = InvalidLocalTransactionId;
TimestampTz seeme_rights_changed_at = 0;
Oid			seeme_tables_read[SEEME_MAX_TABLES_READ];

/* The proxy tables; invalid as long as nothing was cached. */
static Oid	proxies[SEEME_NINVAL_KINDS];

/* The OIDs that stand for buckets of users begin here. */
#define FIRST_BUCKET_OID ((Oid) 8192)
StaticAssertDecl(FIRST_BUCKET_OID + SEEME_NBUCKETS <= FirstGenbkiObjectId, "no table has the "
				 "number of a group");

/*
 * The messages that one subtransaction has sent. PostgreSQL keeps each message until the end of the
 * transaction. So a message is sent once, and beyond some number of buckets one message about
 * everybody takes the place of all that would follow. A rollback to a savepoint takes back the
 * messages of that subtransaction alone: hence the notes are of one subtransaction.
 */
#define MAX_BUCKETS_SENT 128

static struct
{
	LocalTransactionId transaction;
	SubTransactionId subtransaction;
	bool		of_kind[SEEME_NINVAL_KINDS];
	int			nbuckets;
	bool		of_bucket[SEEME_NBUCKETS];
}			sent;

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

static void
kind_changed(SeemeInvalKind kind)
{
	seeme_generations[kind]++;
	seeme_generation++;
	seeme_site_generation++;
}

static void
bucket_changed(uint32 bucket)
{
	seeme_bucket_generations[bucket] = ++seeme_generation;
	seeme_site_generation++;
}

/*
 * An invalid OID stands for every table: messages were lost. Messages for the tables that were
 * read come of ALTER TABLE, VACUUM and ANALYZE, not of changed rows.
 */
static void
relation_changed(Datum arg, Oid relid)
{
	if (relid - FIRST_BUCKET_OID < SEEME_NBUCKETS)
	{
		bucket_changed(relid - FIRST_BUCKET_OID);
		return;
	}
	for (int kind = 0; kind < SEEME_NINVAL_KINDS; kind++)
		if (relid == proxies[kind] || !OidIsValid(relid))
			kind_changed(kind);
	for (int i = 0; i < SEEME_MAX_TABLES_READ && OidIsValid(relid); i++)
		if (relid == seeme_tables_read[i])
			kind_changed(SEEME_INVAL_VOCABULARY);
}

/* A database role may have got another name, or be a superuser no more, whose functions were trusted. */
static void
role_changed(Datum arg, int cacheid, uint32 hashvalue)
{
	kind_changed(SEEME_INVAL_RIGHTS);
	seeme_function_generation++;
}

static void
function_changed(Datum arg, int cacheid, uint32 hashvalue)
{
	seeme_function_generation++;
}

void
seeme_inval_init(void)
{
	CacheRegisterSyscacheCallback(PROCOID, function_changed, (Datum) 0);
	CacheRegisterRelcacheCallback(relation_changed, (Datum) 0);
	CacheRegisterSyscacheCallback(AUTHOID, role_changed, (Datum) 0);
}

/* Looks up the proxy tables; false: one does not exist. */
bool
seeme_find_proxies(Oid namespace)
{
	for (int kind = 0; kind < SEEME_NINVAL_KINDS; kind++)
	{
		Oid			relid = get_relname_relid(proxy_names[kind], namespace);

		if (!OidIsValid(relid))
			return false;
		if (relid != proxies[kind])
		{
			proxies[kind] = relid;
			kind_changed(kind);
		}
	}
	return true;
}

/*
 * Looks up the proxy tables. Call it before noting a generation and before reading what will be
 * cached. May throw.
 */
void
seeme_watch_proxies(Oid namespace)
{
	if (!seeme_find_proxies(namespace))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("a table of seeme_rbac that stands for changes does not exist"),
				 errhint("CREATE EXTENSION seeme_rbac first.")));
}

/* Makes sure that what is being read now is not relied on later. */
void
seeme_bump_generation(void)
{
	seeme_generation++;
	seeme_site_generation++;
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
	((Form_pg_class) GETSTRUCT(&tuple))->oid = FIRST_BUCKET_OID + bucket;
	CacheInvalidateRelcacheByTuple(&tuple);
	pfree(tuple.t_data);
}

/* Invalidates everything of a kind in every session, at commit. */
static void
invalidate_kind(SeemeInvalKind kind, Oid namespace)
{
	if (!sent.of_kind[kind])
	{
		Oid			relid = get_relname_relid(proxy_names[kind], namespace);

		if (OidIsValid(relid))
			CacheInvalidateRelcacheByRelid(relid);
		sent.of_kind[kind] = true;
	}
	kind_changed(kind);
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
	bucket_changed(bucket);
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
			if (strcmp(trigger->tg_trigger->tgargs[0], proxy_names[kind]) == 0)
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
