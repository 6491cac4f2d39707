/*
 * leftovers.c: what one person leaves in a session for the next: temporary tables and WITH HOLD cursors.
 *
 * Rows in them were let through for who asked then, and nothing checks them again. So whoever is named after somebody else
 * is refused while such things are there. Owns the list of temporary tables that were made while somebody was asking; knows
 * nobody but by id.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/dependency.h"
#include "catalog/indexing.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_depend.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/portal.h"
#include "utils/rel.h"
#include "utils/resowner.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "leftovers.h"

/* A temporary table, and the person who asked when it was made. */
typedef struct Leftover
{
	Oid			table;
	pg_uuid_t	person;
} Leftover;

static List *leftovers = NIL;	/* in TopMemoryContext */

/* Whom the session has logged in as, who speaks in every transaction of it. */
static bool is_logged_in = false;
static pg_uuid_t logged_in;

/* Who was named last, in the transaction that began then, which is the one with this local id. */
static bool spoke = false;
static pg_uuid_t speaker;
static TimestampTz spoke_since;
static LocalTransactionId spoke_in = InvalidLocalTransactionId;

/* Notes the temporary tables that this transaction has made. */
static void
note_temporary_tables(void)
{
	Oid			namespace;
	Oid			toast_namespace;
	Relation	depend;
	ScanKeyData keys[2];
	SysScanDesc scan;
	HeapTuple	tuple;

	GetTempNamespaceState(&namespace, &toast_namespace);
	if (!OidIsValid(namespace))
		return;
	depend = table_open(DependRelationId, AccessShareLock);
	ScanKeyInit(&keys[0], Anum_pg_depend_refclassid, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(NamespaceRelationId));
	ScanKeyInit(&keys[1], Anum_pg_depend_refobjid, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(namespace));
	scan = systable_beginscan(depend, DependReferenceIndexId, true, NULL, 2, keys);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_depend row = (Form_pg_depend) GETSTRUCT(tuple);

		/* Its entry in pg_depend is made with the table, and not touched when the table is altered. */
		if (row->classid == RelationRelationId &&
			get_rel_relkind(row->objid) == RELKIND_RELATION &&
			TransactionIdIsCurrentTransactionId(HeapTupleHeaderGetXmin(tuple->t_data)))
		{
			MemoryContext old = MemoryContextSwitchTo(TopMemoryContext);
			Leftover   *leftover = palloc(sizeof(Leftover));

			leftover->table = row->objid;
			leftover->person = speaker;
			leftovers = lappend(leftovers, leftover);
			MemoryContextSwitchTo(old);
		}
	}
	systable_endscan(scan);
	table_close(depend, AccessShareLock);
}

static void
at_end_of_transaction(XactEvent event, void *arg)
{
	if (event != XACT_EVENT_PRE_COMMIT || (MyXactFlags & XACT_FLAGS_ACCESSEDTEMPNAMESPACE) == 0)
		return;
	/* It may be that parallel workers alone have asked for them. */
	if (is_logged_in)
		seeme_note_speaker(&logged_in);
	if (spoke && spoke_in == seeme_local_xid())
		note_temporary_tables();
}

void
seeme_leftovers_init(void)
{
	RegisterXactCallback(at_end_of_transaction, NULL);
}

/* In this transaction the session speaks for a person. */
void
seeme_note_speaker(const pg_uuid_t *person)
{
	/* As long as it is one and the same person, what they made at first counts, too. */
	if (!spoke || memcmp(&speaker, person, sizeof(speaker)) != 0)
	{
		speaker = *person;
		/* In a procedure that commits, transactions begin later than the statement, which cursors take their time from. */
		spoke_since = Min(GetCurrentTransactionStartTimestamp(), GetCurrentStatementStartTimestamp());
		spoke = true;
	}
	spoke_in = seeme_local_xid();
}

/* The session has logged in as a person; NULL: as nobody any more. */
void
seeme_session_logged_in(const pg_uuid_t *person)
{
	is_logged_in = person != NULL;
	if (is_logged_in)
		logged_in = *person;
}

/* Whether a table that somebody else than this person made is there. Forgets those that are gone. */
static bool
table_is_left(const pg_uuid_t *person)
{
	Oid			namespace;
	Oid			toast_namespace;
	bool		found = false;
	ListCell   *cell;

	GetTempNamespaceState(&namespace, &toast_namespace);
	foreach(cell, leftovers)
	{
		Leftover   *leftover = lfirst(cell);

		if (OidIsValid(namespace) && get_rel_namespace(leftover->table) == namespace)
			found = found || memcmp(&leftover->person, person, sizeof(*person)) != 0;
		else if (!TransactionIdIsValid(GetTopTransactionIdIfAny()))
		{
			/* Gone for good: this transaction has changed nothing, so that its rollback brings nothing back. */
			leftovers = foreach_delete_current(leftovers, cell);
			pfree(leftover);
		}
	}
	return found;
}

/* The memory context that every portal has its own under, by its name; it lives as long as the session. */
static MemoryContext
portals(void)
{
	static MemoryContext found = NULL;

	if (found == NULL)
		for (found = TopMemoryContext->firstchild; found != NULL; found = found->nextchild)
			if (strcmp(found->name, "TopPortalContext") == 0)
				break;
	if (found == NULL)
		elog(ERROR, "could not look at the open cursors");
	return found;
}

/*
 * Whether a cursor is open that outlived the transaction of the last person. What pg_cursors shows, without a query: it is
 * asked at each change of person.
 */
static bool
cursor_is_left(void)
{
	for (MemoryContext context = portals()->firstchild; context != NULL; context = context->nextchild)
	{
		/* The identifier is the portal's name; an unnamed one is no cursor. */
		Portal		portal = context->ident == NULL || *context->ident == '\0' ? NULL : GetPortalByName(context->ident);

		if (portal != NULL && portal->visible && (portal->cursorOptions & CURSOR_OPT_HOLD) != 0 &&
			portal->creation_time >= spoke_since)
			return true;
	}
	return false;
}

/* Throws 55006 when something is left in the session that somebody else than this person let in. */
void
seeme_refuse_leftovers(const pg_uuid_t *person)
{
	if (table_is_left(person))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_IN_USE),
				 errmsg("a temporary table of the person who asked before is still there"),
				 errhint("DISCARD TEMP, or DISCARD ALL, before somebody else asks in this session.")));
	if (spoke && memcmp(&speaker, person, sizeof(speaker)) != 0 && cursor_is_left())
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_IN_USE),
				 errmsg("a cursor of the person who asked before is still open"),
				 errhint("CLOSE ALL, or DISCARD ALL, before somebody else asks in this session.")));
}
