/*
 * names.c: what two sessions must not make at once: the same slug, the first assignment of the same
 * resource.
 *
 * Whoever makes one looks at rows that are not committed yet, too. Between the look and the row's
 * entry in the index, a lock on the name keeps others from looking. It is released at the next row,
 * or once the row is there: a transaction holds one such lock at most, however many rows it adds,
 * and nobody waits for its end. SQL cannot name such a lock.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/stratnum.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_collation.h"
#include "commands/trigger.h"
#include "common/hashfn.h"
#include "fmgr.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/resowner.h"
#include "utils/snapmgr.h"

#include "core/compat.h"
#include "core/version.h"
#include "rules/names.h"
#include "rules/rows.h"

/* The lock that this backend holds on a name, if any. */
static struct
{
	bool		is_held;
	LocalTransactionId transaction;
	Oid			table;
	uint64		hash;
}			name_lock;

/*
 * The lock is the transaction's, not the statement's: so it can be released from anywhere in the
 * transaction, and after an error by the rollback to a savepoint.
 */
static void
set_lock(Oid table, uint64 hash, bool acquire)
{
	ResourceOwner owner = CurrentResourceOwner;

	CurrentResourceOwner = TopTransactionResourceOwner;
	PG_TRY();
	{
		if (acquire)
			LockDatabaseObject(table, (Oid) hash, (uint16) (hash >> 32), ExclusiveLock);
		else
			UnlockDatabaseObject(table, (Oid) hash, (uint16) (hash >> 32), ExclusiveLock);
	}
	PG_FINALLY();
	{
		CurrentResourceOwner = owner;
	}
	PG_END_TRY();
}

void
seeme_release_name(void)
{
	if (name_lock.is_held && name_lock.transaction == seeme_local_xid())
		set_lock(name_lock.table, name_lock.hash, false);
	name_lock.is_held = false;
}

static void
at_end_of_subtransaction(SubXactEvent event, SubTransactionId ended, SubTransactionId parent,
						 void *arg)
{
	if (event == SUBXACT_EVENT_ABORT_SUB)
		seeme_release_name();
}

void
seeme_names_init(void)
{
	RegisterSubXactCallback(at_end_of_subtransaction, NULL);
}

/*
 * Nobody else gets past this with the same name in the same scope (NULL: everywhere) until it is
 * released.
 */
void
seeme_lock_name(Oid table, const pg_uuid_t *scope, const char *name)
{
	uint64		hash = hash_bytes_extended((const unsigned char *) name, strlen(name), 0);

	if (scope != NULL)
		hash ^= hash_bytes_extended(scope->data, UUID_LEN, 1);
	seeme_release_name();
	set_lock(table, hash, true);
	name_lock.is_held = true;
	name_lock.transaction = seeme_local_xid();
	name_lock.table = table;
	name_lock.hash = hash;
}

/*
 * Whether a resource is assigned; the transaction that is about to assign it or to take it away, if
 * any, is what to wait for.
 */
static bool
look_for_assignment(Relation assignments, text *type, const pg_uuid_t *resource,
					TransactionId *wait_for)
{
	Oid			relid = RelationGetRelid(assignments);
	Oid			index = get_relname_relid("project_resources_resource_idx",
										  RelationGetNamespace(assignments));
	ScanKeyData keys[2];
	SnapshotData snapshot;
	SysScanDesc scan;
	bool		is_assigned = false;

	*wait_for = InvalidTransactionId;
	ScanKeyInit(&keys[0], get_attnum(relid, "resource_id"), BTEqualStrategyNumber, F_UUID_EQ,
				UUIDPGetDatum(resource));
	ScanKeyEntryInitialize(&keys[1], 0, get_attnum(relid, "resource_type"), BTEqualStrategyNumber,
						   InvalidOid,
						   DEFAULT_COLLATION_OID, F_TEXTEQ, PointerGetDatum(type));
	InitDirtySnapshot(snapshot);
	scan = systable_beginscan(assignments, index, true, &snapshot, 2, keys);
	while (!is_assigned && HeapTupleIsValid(systable_getnext(scan)))
	{
		if (TransactionIdIsValid(snapshot.xmin))
			*wait_for = snapshot.xmin;
		else
			is_assigned = true;
	}
	systable_endscan(scan);
	return is_assigned;
}

/*
 * seeme.is_assigned_by_now(resource_type text, resource_id uuid) RETURNS boolean
 *
 * Whether a resource is assigned, by what is committed now. It waits for whoever is assigning the
 * resource; nobody else assigns it for the first time before the row of this statement is there.
 */
SEEME_FUNCTION(seeme_is_assigned_by_now, 2)
{
	text	   *type = PG_GETARG_TEXT_PP(0);
	pg_uuid_t  *resource = PG_GETARG_UUID_P(1);
	Oid			relid = get_relname_relid("project_resources", get_namespace_oid("seeme", false));
	Relation	assignments = table_open(relid, AccessShareLock);
	bool		is_assigned;

	for (;;)
	{
		TransactionId wait_for;

		seeme_lock_name(relid, resource, text_to_cstring(type));
		is_assigned = look_for_assignment(assignments, type, resource, &wait_for);
		if (is_assigned || !TransactionIdIsValid(wait_for))
			break;
		seeme_release_name();
		XactLockTableWait(wait_for, assignments, NULL, XLTW_None);
	}
	table_close(assignments, AccessShareLock);
	PG_RETURN_BOOL(is_assigned);
}

/*
 * seeme.release_name() RETURNS trigger
 */
SEEME_FUNCTION(seeme_release_name_after, 0)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;

	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("seeme.release_name is a trigger function")));
	seeme_require_own_table(trigger->tg_relation);
	if (!TRIGGER_FIRED_AFTER(trigger->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("seeme.release_name is for triggers after a statement or a row")));
	seeme_release_name();
	PG_RETURN_POINTER(NULL);
}
