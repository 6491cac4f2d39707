/*
 * invalidation.c: whether what decisions follow has changed, here or in another session.
 *
 * Row triggers on the tables that decisions are made from send an invalidation of an empty table, one of four. PostgreSQL
 * delivers such messages to every session when the transaction commits, replays them on standbys, and takes them back
 * when it is rolled back. What receives them here only moves a number: it may run where no catalog can be read.
 *
 * Never a table that queries use: each of its invalidations would make every session plan anew.
 *
 * What changes of one person (a membership, a key) is to be forgotten of few others. There are no thousand tables for that:
 * the message names one that does not exist, by a number that PostgreSQL keeps for its development and no release gives away.
 * Sessions look for it among what they have cached, find nothing, and tell this module.
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

static const char *const proxy_names[SEEME_NCHANGES] = {
	[SEEME_CHANGE_OF_VOCABULARY] = "changes_of_vocabulary",
	[SEEME_CHANGE_OF_PLACES] = "changes_of_places",
	[SEEME_CHANGE_OF_RIGHTS] = "changes_of_rights",
	[SEEME_CHANGE_OF_ASSIGNMENTS] = "changes_of_assignments",
};

uint64		seeme_changes = 1;
uint64		seeme_changes_of[SEEME_NCHANGES] = {1, 1, 1, 1};
uint64		seeme_group_changed_at[SEEME_NGROUPS];
uint64		seeme_moves = 1;
uint64		seeme_changes_of_functions = 1;
LocalTransactionId seeme_changed_in = InvalidLocalTransactionId;
TimestampTz seeme_changed_at = 0;
Oid			seeme_tables_read[SEEME_MAX_TABLES_READ];

/* The tables whose invalidations count; invalid as long as nobody relies on anything. */
static Oid	proxies[SEEME_NCHANGES];

/* The numbers that stand for groups of people, from here on. */
#define FIRST_GROUP ((Oid) 8192)
StaticAssertDecl(FIRST_GROUP + SEEME_NGROUPS <= FirstGenbkiObjectId, "no table has the number of a group");

/*
 * The messages that one subtransaction has sent. PostgreSQL keeps each message until the end of the transaction. So a message is
 * sent once, and beyond some number of groups one message about everybody takes the place of all that would follow. A rollback
 * to a savepoint takes back the messages of that subtransaction alone: hence the notes are of one subtransaction.
 */
#define MAX_GROUPS_TOLD 128

static struct
{
	LocalTransactionId transaction;
	SubTransactionId subtransaction;
	bool		of_kind[SEEME_NCHANGES];
	int			ngroups;
	bool		of_group[SEEME_NGROUPS];
}			told;

/* Makes the notes those of the current subtransaction. */
static void
begin_telling(void)
{
	if (told.transaction == seeme_local_xid() && told.subtransaction == GetCurrentSubTransactionId())
		return;
	memset(&told, 0, sizeof(told));
	told.transaction = seeme_local_xid();
	told.subtransaction = GetCurrentSubTransactionId();
}

static void
changed(SeemeChange kind)
{
	seeme_changes_of[kind]++;
	seeme_changes++;
	seeme_moves++;
}

static void
group_changed(uint32 group)
{
	seeme_group_changed_at[group] = ++seeme_changes;
	seeme_moves++;
}

/*
 * An invalid relid stands for every table: messages were lost. A message about a table that was read, not its rows, is rare:
 * ALTER TABLE, VACUUM, ANALYZE.
 */
static void
relation_changed(Datum arg, Oid relid)
{
	if (relid - FIRST_GROUP < SEEME_NGROUPS)
	{
		group_changed(relid - FIRST_GROUP);
		return;
	}
	for (int kind = 0; kind < SEEME_NCHANGES; kind++)
		if (relid == proxies[kind] || !OidIsValid(relid))
			changed(kind);
	for (int i = 0; i < SEEME_MAX_TABLES_READ && OidIsValid(relid); i++)
		if (relid == seeme_tables_read[i])
			changed(SEEME_CHANGE_OF_VOCABULARY);
}

/* Database roles: one may have got another's name. */
static void
role_changed(Datum arg, int cacheid, uint32 hashvalue)
{
	changed(SEEME_CHANGE_OF_RIGHTS);
}

static void
function_changed(Datum arg, int cacheid, uint32 hashvalue)
{
	seeme_changes_of_functions++;
}

void
seeme_changes_init(void)
{
	CacheRegisterSyscacheCallback(PROCOID, function_changed, (Datum) 0);
	CacheRegisterRelcacheCallback(relation_changed, (Datum) 0);
	CacheRegisterSyscacheCallback(AUTHOID, role_changed, (Datum) 0);
}

/* Looks for the tables that stand for changes; false when one is not there. */
bool
seeme_find_proxies(Oid namespace)
{
	for (int kind = 0; kind < SEEME_NCHANGES; kind++)
	{
		Oid			relid = get_relname_relid(proxy_names[kind], namespace);

		if (!OidIsValid(relid))
			return false;
		if (relid != proxies[kind])
		{
			proxies[kind] = relid;
			changed(kind);
		}
	}
	return true;
}

/* To be called before anything is read that will be relied on, and before the number of changes is noted. May throw. */
void
seeme_watch_changes(Oid namespace)
{
	if (!seeme_find_proxies(namespace))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("a table of seeme_rbac that stands for changes does not exist"),
				 errhint("CREATE EXTENSION seeme_rbac first.")));
}

/* What is being read is not to be relied on afterwards without another look at whether anything has changed. */
void
seeme_distrust(void)
{
	seeme_changes++;
	seeme_moves++;
}

/*
 * Tells every session, at commit, that something about a group of people has changed. PostgreSQL takes two things from a row of
 * pg_class: the number, and whether the table is shared by all databases.
 */
static void
tell_of_group(uint32 group)
{
	HeapTupleData tuple = {0};

	tuple.t_len = MAXALIGN(SizeofHeapTupleHeader) + CLASS_TUPLE_SIZE;
	tuple.t_data = palloc0(tuple.t_len);
	tuple.t_data->t_hoff = MAXALIGN(SizeofHeapTupleHeader);
	((Form_pg_class) GETSTRUCT(&tuple))->oid = FIRST_GROUP + group;
	CacheInvalidateRelcacheByTuple(&tuple);
	pfree(tuple.t_data);
}

/* Tells every session, at commit, that something of a kind has changed. */
static void
tell_of_kind(SeemeChange kind, Oid namespace)
{
	Oid			relid;

	if (!told.of_kind[kind])
	{
		relid = get_relname_relid(proxy_names[kind], namespace);
		if (OidIsValid(relid))
			CacheInvalidateRelcacheByRelid(relid);
		told.of_kind[kind] = true;
	}
	changed(kind);
}

static void
tell_of_person(const pg_uuid_t *person, Oid namespace)
{
	uint32		group = seeme_group_of(person);

	if (!told.of_kind[SEEME_CHANGE_OF_RIGHTS] && !told.of_group[group])
	{
		if (++told.ngroups > MAX_GROUPS_TOLD)
			tell_of_kind(SEEME_CHANGE_OF_RIGHTS, namespace);
		else
			tell_of_group(group);
		told.of_group[group] = true;
	}
	group_changed(group);
}

/* Whether the row says whose it is; if so, tells of that person. */
static bool
tell_of_row(TriggerData *trigger, HeapTuple row)
{
	TupleDesc	columns = RelationGetDescr(trigger->tg_relation);
	int			column = SPI_fnumber(columns, trigger->tg_trigger->tgargs[1]);
	bool		isnull;
	Datum		person;

	if (column <= 0)
		elog(ERROR, "table %s has no column %s", RelationGetRelationName(trigger->tg_relation), trigger->tg_trigger->tgargs[1]);
	if (TupleDescAttr(columns, column - 1)->atttypid != UUIDOID)
		elog(ERROR, "column %s of table %s is no uuid", trigger->tg_trigger->tgargs[1], RelationGetRelationName(trigger->tg_relation));
	person = heap_getattr(row, column, columns, &isnull);
	if (!isnull)
		tell_of_person(DatumGetUUIDP(person), RelationGetNamespace(trigger->tg_relation));
	return !isnull;
}

/*
 * seeme.note_change('changes_of_…', column) RETURNS trigger
 *
 * The column, a uuid, says whose rights a row is about; empty: everybody's. Before a row is written, so that nothing is
 * remembered between its writing and the message; and after, before the other triggers of that row.
 */
SEEME_FUNCTION(seeme_note_change, 0)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;
	bool		is_told = false;

	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("seeme.note_change is a trigger function")));
	if (trigger->tg_trigger->tgnargs != 2)
		elog(ERROR, "seeme.note_change takes two arguments");
	begin_telling();
	if (TRIGGER_FIRED_FOR_ROW(trigger->tg_event) && trigger->tg_trigger->tgargs[1][0] != '\0')
	{
		is_told = tell_of_row(trigger, trigger->tg_trigtuple);
		if (TRIGGER_FIRED_BY_UPDATE(trigger->tg_event))
			is_told = tell_of_row(trigger, trigger->tg_newtuple) && is_told;
	}
	if (!is_told)
	{
		int			kind;

		for (kind = 0; kind < SEEME_NCHANGES - 1; kind++)
			if (strcmp(trigger->tg_trigger->tgargs[0], proxy_names[kind]) == 0)
				break;
		tell_of_kind(kind, RelationGetNamespace(trigger->tg_relation));
	}
	seeme_changed_in = seeme_local_xid();
	seeme_changed_at = GetCurrentStatementStartTimestamp();
	if (TRIGGER_FIRED_BEFORE(trigger->tg_event) && TRIGGER_FIRED_FOR_ROW(trigger->tg_event))
		PG_RETURN_POINTER(TRIGGER_FIRED_BY_UPDATE(trigger->tg_event) ? trigger->tg_newtuple : trigger->tg_trigtuple);
	PG_RETURN_POINTER(NULL);
}
