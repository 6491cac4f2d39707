/*
 * leftovers.c: what one user leaves in a session for the next.
 *
 * The rows in a temporary table or a cursor were visible to the user of that time. A temporary
 * type or view, a prepared statement or a role changes what the next user's statements do. So
 * naming another user is refused while such objects are there, or removes them
 * (seeme_rbac.leftovers).
 *
 * Temporary objects are found in the catalogs, not by watching statements: each has an entry in
 * pg_depend that refers to the temporary schema. The baseline is what was there before the first
 * user was named, as a pool's set-up. It is noted then, with a digest of the catalog rows.
 * Everything else in that schema is a leftover of the last user, and so is a part of the baseline
 * with another digest. The transaction that names the first user belongs to that user from its
 * start.
 *
 * An actor who acted for a user counts as another user than that one alone.
 *
 * Owns the baseline and the last user. Must not know who may ask: users are ids here.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/dependency.h"
#include "catalog/indexing.h"
#include "catalog/namespace.h"
#include "catalog/objectaddress.h"
#include "catalog/pg_attribute.h"
#include "catalog/pg_cast.h"
#include "catalog/pg_class.h"
#include "catalog/pg_depend.h"
#include "catalog/pg_enum.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "miscadmin.h"
#include "utils/fmgroids.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/portal.h"
#include "utils/rel.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

#include "identity/leftovers.h"
#include "identity/object_digest.h"
#include "identity/prepared_statements.h"
#include "core/store.h"

/* seeme_rbac.leftovers */
typedef enum
{
	REFUSE, DISCARD
} Action;

static const struct config_enum_entry actions[] = {
	{"refuse", REFUSE, false},
	{"discard", DISCARD, false},
	{NULL, 0, false}
};

static int	action = REFUSE;

/* A temporary object of the baseline, and its digest. */
typedef struct BaselineObject
{
	Oid			class;
	Oid			object;
	uint32		digest;
} BaselineObject;

/* A WITH HOLD cursor of the baseline. */
typedef struct BaselineCursor
{
	char		name[NAMEDATALEN];
	TimestampTz created_at;
} BaselineCursor;

/* The baseline, once the first user was named. The lists are in TopMemoryContext. */
static bool is_claimed = false;
static List *baseline_objects = NIL;
static List *baseline_cursors = NIL;
static Oid	baseline_role = InvalidOid;

/* The user who was named last, perhaps with an actor. */
static SeemeLeftoverOwner last_owner;

/*
 * The subtransaction that named the last user and removed leftovers of another one. After its
 * rollback these are there again, and it is unknown whose they are: then the next user is another
 * one in any case.
 */
static SubTransactionId claimed_subid = InvalidSubTransactionId;
static bool last_user_is_unknown = false;

/* The role at the start of the transaction, by SET ROLE; InvalidOid: none. */
LocalTransactionId seeme_last_transaction = InvalidLocalTransactionId;
static Oid	role_at_start = InvalidOid;

void
seeme_record_transaction_start(void)
{
	seeme_last_transaction = seeme_local_xid();
	role_at_start = GetCurrentRoleId();
	/* Once reset, a role that is set again is not the baseline any more. */
	if (is_claimed && role_at_start != baseline_role)
		baseline_role = InvalidOid;
}

static void
at_end_of_transaction(XactEvent event, void *arg)
{
	if (claimed_subid == InvalidSubTransactionId)
		return;
	if (event == XACT_EVENT_ABORT)
		last_user_is_unknown = true;
	if (event == XACT_EVENT_ABORT || event == XACT_EVENT_COMMIT || event == XACT_EVENT_PREPARE)
		claimed_subid = InvalidSubTransactionId;
}

static void
at_end_of_subtransaction(SubXactEvent event, SubTransactionId ended,
						 SubTransactionId parent, void *arg)
{
	if (claimed_subid != ended)
		return;
	if (event == SUBXACT_EVENT_COMMIT_SUB)
		claimed_subid = parent;
	else if (event == SUBXACT_EVENT_ABORT_SUB)
	{
		last_user_is_unknown = true;
		claimed_subid = InvalidSubTransactionId;
	}
}

void
seeme_leftovers_init(void)
{
	DefineCustomEnumVariable("seeme_rbac.leftovers",
							 "What happens when a person is named and the session keeps "
							 "something of another one.",
							 "refuse: naming them is an error. discard: what is left is removed.",
							 &action, REFUSE, actions, PGC_SUSET, GUC_NOT_IN_SAMPLE, NULL, NULL,
							 NULL);
	RegisterXactCallback(at_end_of_transaction, NULL);
	RegisterSubXactCallback(at_end_of_subtransaction, NULL);
}

/* Whether an object is of the baseline, and unchanged. */
static bool
is_baseline(HeapTuple entry)
{
	Form_pg_depend row = (Form_pg_depend) GETSTRUCT(entry);
	ListCell   *cell;

	foreach(cell, baseline_objects)
	{
		BaselineObject *known = lfirst(cell);
		bool		is_new;

		if (known->class == row->classid && known->object == row->objid)
			return known->digest == seeme_object_digest(entry, &is_new);
	}
	return false;
}

/*
 * Calls a function with the entry in pg_depend of each temporary object, until it returns false.
 */
static void
visit_temporary_objects(bool (*visit) (HeapTuple entry, void *context), void *context)
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
	ScanKeyInit(&keys[0], Anum_pg_depend_refclassid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(NamespaceRelationId));
	ScanKeyInit(&keys[1], Anum_pg_depend_refobjid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(namespace));
	scan = systable_beginscan(depend, DependReferenceIndexId, true, NULL, 2, keys);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)) && visit(tuple, context))
		;
	systable_endscan(scan);
	table_close(depend, AccessShareLock);
}

static bool
note_baseline_object(HeapTuple entry, void *context)
{
	Form_pg_depend row = (Form_pg_depend) GETSTRUCT(entry);
	bool		is_new;
	uint32		digest = seeme_object_digest(entry, &is_new);

	if (!is_new)
	{
		MemoryContext old = MemoryContextSwitchTo(TopMemoryContext);
		BaselineObject *noted = palloc(sizeof(BaselineObject));

		noted->class = row->classid;
		noted->object = row->objid;
		noted->digest = digest;
		baseline_objects = lappend(baseline_objects, noted);
		MemoryContextSwitchTo(old);
	}
	return true;
}

/* Adds a leftover to a list of ObjectAddress *. */
static bool
add_leftover_object(HeapTuple entry, void *context)
{
	List	  **list = context;

	if (!is_baseline(entry))
	{
		Form_pg_depend row = (Form_pg_depend) GETSTRUCT(entry);
		ObjectAddress *address = palloc(sizeof(ObjectAddress));

		ObjectAddressSet(*address, row->classid, row->objid);
		*list = lappend(*list, address);
	}
	return action == DISCARD || *list == NIL;
}

/*
 * The memory context above those of all portals, found by its name. It lives as long as the
 * session.
 */
static MemoryContext
portal_context(void)
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
 * The WITH HOLD cursor of a portal's context, as pg_cursors shows it, without a query; NULL:
 * there is none.
 */
static Portal
get_held_cursor(MemoryContext context)
{
	/* The identifier is the portal's name. An unnamed portal is no cursor. */
	Portal		portal = context->ident == NULL || *context->ident == '\0'
	? NULL
	: GetPortalByName(context->ident);

	return portal != NULL && portal->visible && (portal->cursorOptions & CURSOR_OPT_HOLD) != 0
		? portal
		: NULL;
}

static void
note_baseline_cursors(void)
{
	for (MemoryContext context = portal_context()->firstchild; context != NULL;
		 context = context->nextchild)
	{
		Portal		portal = get_held_cursor(context);

		if (portal != NULL && portal->createSubid == InvalidSubTransactionId)
		{
			MemoryContext old = MemoryContextSwitchTo(TopMemoryContext);
			BaselineCursor *noted = palloc(sizeof(BaselineCursor));

			strlcpy(noted->name, portal->name, NAMEDATALEN);
			noted->created_at = portal->creation_time;
			baseline_cursors = lappend(baseline_cursors, noted);
			MemoryContextSwitchTo(old);
		}
	}
}

/* A cursor that is not of the baseline; NULL: there is none. */
static Portal
find_leftover_cursor(void)
{
	for (MemoryContext context = portal_context()->firstchild; context != NULL;
		 context = context->nextchild)
	{
		Portal		portal = get_held_cursor(context);
		bool		is_baseline = false;
		ListCell   *cell;

		if (portal == NULL)
			continue;
		foreach(cell, baseline_cursors)
		{
			BaselineCursor *known = lfirst(cell);

			if (known->created_at == portal->creation_time &&
				strcmp(known->name, portal->name) == 0)
				is_baseline = true;
		}
		if (!is_baseline)
			return portal;
	}
	return NULL;
}

/* Takes note of a statement that SQL has prepared. */
void
seeme_note_prepared(const char *name)
{
	seeme_keep_prepared(name, is_claimed ? &last_owner : NULL);
}

/* SET LOCAL ROLE ends with its transaction, and is not there at the start of the next. */
static bool
has_leftover_role(void)
{
	Oid			role = GetCurrentRoleId();

	return OidIsValid(role) && role == role_at_start && role != baseline_role;
}

/* Only the server's log has the name, because another user chose it. */
static void
refuse_leftover(const char *message, const char *what, const char *hint)
{
	ereport(ERROR, (errcode(ERRCODE_OBJECT_IN_USE), errmsg("%s", message),
					errdetail_log("It is %s.", what),
					errhint("%s before somebody else asks in this session. "
							"An administrator can have that done: seeme_rbac.leftovers = "
							"discard.",
							hint)));
}

/* Removes all leftovers. Cursors come first: they may read what is removed next. */
static void
discard_leftovers(List *temporary_objects)
{
	Portal		portal;

	while ((portal = find_leftover_cursor()) != NULL)
		PortalDrop(portal, false);
	if (temporary_objects != NIL)
	{
		ObjectAddresses *addresses = new_object_addresses();
		ListCell   *cell;

		foreach(cell, temporary_objects)
		{
			add_exact_object_address(lfirst(cell), addresses);
		}
		/* As DISCARD TEMP does. */
		performMultipleDeletions(addresses, DROP_CASCADE,
								 PERFORM_DELETION_INTERNAL | PERFORM_DELETION_QUIETLY |
								 PERFORM_DELETION_SKIP_EXTENSIONS);
		free_object_addresses(addresses);
	}
	if (has_leftover_role())
		SetPGVariable("role", NIL, false);
}

/* Notes the baseline when the first user is named. If naming the user fails, it is noted again. */
static void
note_baseline(const SeemeLeftoverOwner *owner)
{
	seeme_claim_prepared(owner);
	list_free_deep(baseline_objects);
	list_free_deep(baseline_cursors);
	baseline_objects = baseline_cursors = NIL;
	baseline_role = role_at_start;
	visit_temporary_objects(note_baseline_object, NULL);
	note_baseline_cursors();
}

/*
 * Throws 55006 when the session has leftovers of another user, or removes them, as the setting
 * says.
 */
static void
remove_leftovers(void)
{
	List	   *temporary_objects = NIL;
	Portal		cursor;

	visit_temporary_objects(add_leftover_object, &temporary_objects);
	if (action == DISCARD)
		discard_leftovers(temporary_objects);
	else if (temporary_objects != NIL)
		refuse_leftover("a temporary object of the person who asked before is still there",
						getObjectDescription(linitial(temporary_objects), true),
						"DISCARD TEMP, or DISCARD ALL,");
	else if ((cursor = find_leftover_cursor()) != NULL)
		refuse_leftover("a cursor of the person who asked before is still open", cursor->name,
						"CLOSE ALL, or DISCARD ALL,");
	else if (has_leftover_role())
		refuse_leftover("a role that the person who asked before has set is still in force",
						GetUserNameFromId(GetCurrentRoleId(), false),
						"RESET ROLE, or DISCARD ALL,");
}

/*
 * Claims the session for a user, if it has no leftovers of another: see remove_leftovers(). With
 * `share`, leftovers stay, and it becomes unknown whose they are.
 */
void
seeme_claim_session(const SeemeLeftoverOwner *owner, bool share)
{
	seeme_note_transaction_start();
	if (!is_claimed)
		note_baseline(owner);
	else if (!share)
	{
		const char *statement = seeme_find_prepared_by_other(owner, action == DISCARD);

		if (statement != NULL)
			refuse_leftover("a statement that the person who asked before has prepared is still "
							"there",
							statement, "DEALLOCATE it, or DISCARD ALL,");
		if (!last_user_is_unknown && seeme_same_leftover_owner(&last_owner, owner))
			return;
		remove_leftovers();

		/*
		 * Without a transaction id, nothing was removed from the catalogs. RESET ROLE takes none.
		 */
		if (TransactionIdIsValid(GetTopTransactionIdIfAny()) || role_at_start != baseline_role)
			claimed_subid = GetCurrentSubTransactionId();
	}
	is_claimed = true;
	last_owner = *owner;
	last_user_is_unknown = share;
}
