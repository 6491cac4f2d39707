/*
 * locks.c: locks that SQL cannot name, and refusing locks that keep all decisions waiting.
 *
 * A decision reads the extension's tables. It waits for every transaction that holds an ACCESS
 * EXCLUSIVE lock on one of them, or that waits for one in front of it. A revocation also waits
 * for SHARE and stronger locks. LOCK TABLE takes them with the privilege to UPDATE or DELETE, so
 * roles under row security are refused any mode above ROW EXCLUSIVE on guarded relations. They
 * are also refused the statements that lock first and check privileges afterwards.
 *
 * Guarded relations are the tables of the schema seeme, protected tables with their partitions
 * and children, mirrored tables with policies, the indexes of these, and PostgreSQL's catalogs.
 * Their owners may lock them, and so may superusers and BYPASSRLS roles.
 *
 * Owns no state. Must not decide. Works only where session_preload_libraries loads the library.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/relation.h"
#include "access/table.h"
#include "catalog/catalog.h"
#include "catalog/index.h"
#include "catalog/indexing.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "common/hashfn.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "nodes/parsenodes.h"
#include "rewrite/rewriteHandler.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "core/compat.h"
#include "guards/locks.h"
#include "core/version.h"

/*
 * seeme.lock(class regclass, key text) RETURNS void
 *
 * Excludes other transactions with the same class and key until the end of this one. The lock is
 * on an object of a class without such objects, so that no SQL statement can name it. Two keys in
 * 2^48 may share a lock, which costs some waiting.
 */
SEEME_FUNCTION(seeme_lock, 2)
{
	Oid			class = PG_GETARG_OID(0);
	text	   *key = PG_GETARG_TEXT_PP(1);
	uint64		hash = hash_bytes_extended((const unsigned char *) VARDATA_ANY(key),
										   VARSIZE_ANY_EXHDR(key), 0);

	LockDatabaseObject(class, (Oid) hash, (uint16) (hash >> 32), ExclusiveLock);
	PG_RETURN_VOID();
}

/*
 * Whether a list of tables in the schema seeme names a table, by what is committed now. flag: a
 * column that must be true of it; NULL: none.
 */
static bool
is_listed(Oid namespace, const char *list_name, const char *flag, Oid relid)
{
	Oid			list = get_relname_relid(list_name, namespace);
	Relation	table;
	ScanKeyData keys[2];
	SysScanDesc scan;
	bool		found;

	if (!OidIsValid(list))
		return false;
	table = table_open(list, AccessShareLock);
	ScanKeyInit(&keys[0], get_attnum(list, "table_name"), BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(relid));
	if (flag != NULL)
		ScanKeyInit(&keys[1], get_attnum(list, flag), BTEqualStrategyNumber, F_BOOLEQ,
					BoolGetDatum(true));
	/* A table scan is good enough: such statements are rare. */
	scan = systable_beginscan(table, InvalidOid, false, NULL, flag != NULL ? 2 : 1, keys);
	found = HeapTupleIsValid(systable_getnext(scan));
	systable_endscan(scan);
	table_close(table, AccessShareLock);
	return found;
}

static bool
is_protected(Oid namespace, Oid relid)
{
	return is_listed(namespace, "protected_tables", NULL, relid) ||
		is_listed(namespace, "mirrors", "protect", relid);
}

static bool
is_guarded(Oid relid)
{
	Oid			namespace = get_namespace_oid("seeme", true);
	Relation	inherits;
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;
	bool		found;

	check_stack_depth();
	if (!OidIsValid(relid))
		return false;
	if (get_rel_relkind(relid) == RELKIND_INDEX ||
		get_rel_relkind(relid) == RELKIND_PARTITIONED_INDEX)
		return is_guarded(IndexGetRelation(relid, true));
	if (IsCatalogRelationOid(relid))
		return true;
	if (!OidIsValid(namespace))
		return false;
	if (get_rel_namespace(relid) == namespace || is_protected(namespace, relid))
		return true;
	found = false;
	inherits = table_open(InheritsRelationId, AccessShareLock);
	ScanKeyInit(&key, Anum_pg_inherits_inhrelid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(relid));
	scan = systable_beginscan(inherits, InheritsRelidSeqnoIndexId, true, NULL, 1, &key);
	while (!found && HeapTupleIsValid(tuple = systable_getnext(scan)))
		found = is_guarded(((Form_pg_inherits) GETSTRUCT(tuple))->inhparent);
	systable_endscan(scan);
	table_close(inherits, AccessShareLock);
	return found;
}

/*
 * The relation that a statement names; InvalidOid: there is none. Takes no lock, because the role
 * may not be allowed to.
 */
static Oid
find_relation(const RangeVar *name)
{
	return name == NULL ? InvalidOid : RangeVarGetRelid(name, NoLock, true);
}

/* The message tells only the name that the statement gave. */
static void
refuse(const RangeVar *name, const char *hint)
{
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("permission denied to lock \"%s\" in this way", name->relname),
			 errhint("%s", hint)));
}

typedef struct LockedRelations
{
	List	   *seen;			/* of Oid */
	bool		are_guarded;	/* a guarded relation that the role does not own is among them */
} LockedRelations;

static bool look_at_query(Node *node, LockedRelations *locked);

/* Looks at what LOCK TABLE locks along with a relation: children, and what a view reads. */
static void
look_at_relation(Oid relid, bool with_children, LockedRelations *locked)
{
	char		relkind;

	check_stack_depth();
	if (list_member_oid(locked->seen, relid) || locked->are_guarded)
		return;
	locked->seen = lappend_oid(locked->seen, relid);
	if (is_guarded(relid) && !seeme_owns_relation(relid))
	{
		locked->are_guarded = true;
		return;
	}
	relkind = get_rel_relkind(relid);
	if (relkind == RELKIND_VIEW)
	{
		/*
		 * Released at once: two transactions that keep it could not both upgrade to a stronger
		 * lock.
		 */
		Relation	view = try_relation_open(relid, AccessShareLock);

		if (view == NULL)
			return;
		if (view->rd_rel->relkind == RELKIND_VIEW)
			(void) look_at_query((Node *) get_view_query(view), locked);
		relation_close(view, AccessShareLock);
	}
	else if (with_children && (relkind == RELKIND_RELATION || relkind == RELKIND_PARTITIONED_TABLE))
	{
		ListCell   *cell;

		foreach(cell, find_all_inheritors(relid, NoLock, NULL))
		{
			look_at_relation(lfirst_oid(cell), false, locked);
		}
	}
}

static bool
look_at_query(Node *node, LockedRelations *locked)
{
	if (node == NULL || locked->are_guarded)
		return false;
	if (IsA(node, Query))
	{
		ListCell   *cell;

		foreach(cell, ((Query *) node)->rtable)
		{
			RangeTblEntry *entry = lfirst(cell);

			if (OidIsValid(entry->relid))
				look_at_relation(entry->relid, true, locked);
		}
		return query_tree_walker((Query *) node, look_at_query, (void *) locked,
								 QTW_IGNORE_JOINALIASES);
	}
	return expression_tree_walker(node, look_at_query, (void *) locked);
}

static void
guard_lock_table(LockStmt *lock)
{
	ListCell   *cell;

	if (lock->mode <= RowExclusiveLock)
		return;
	foreach(cell, lock->relations)
	{
		RangeVar   *name = lfirst(cell);
		Oid			relid = find_relation(name);
		LockedRelations locked = {NIL, false};

		if (OidIsValid(relid))
			look_at_relation(relid, name->inh, &locked);
		if (locked.are_guarded)
			refuse(name, "Statements lock what they need by themselves; SELECT ... FOR UPDATE "
				   "locks rows. "
				   "To have one worker at a time, lock a table of your own.");
	}
}

/*
 * Guards a relation that a statement locks before it refuses roles that neither own it nor have a
 * privilege (0: no privilege is enough).
 */
static void
guard_relation(const RangeVar *name, AclMode privilege)
{
	Oid			relid = find_relation(name);

	if (!OidIsValid(relid) || !is_guarded(relid) || seeme_owns_relation(relid))
		return;
	if (privilege != 0 &&
		(pg_class_aclcheck(relid, GetUserId(), privilege) == ACLCHECK_OK ||
		 (privilege == ACL_REFERENCES &&
		  pg_attribute_aclcheck_all(relid, GetUserId(), privilege, ACLMASK_ANY) == ACLCHECK_OK)))
		return;
	refuse(name, "Only its owner may.");
}

static void
guard_foreign_keys(List *constraints)
{
	ListCell   *cell;

	foreach(cell, constraints)
	{
		Constraint *constraint = lfirst(cell);

		if (IsA(constraint, Constraint) && constraint->contype == CONSTR_FOREIGN)
			guard_relation(constraint->pktable, ACL_REFERENCES);
	}
}

static void
guard_alter_table(AlterTableStmt *alter)
{
	ListCell   *cell;

	foreach(cell, alter->cmds)
	{
		AlterTableCmd *command = lfirst(cell);

		switch (command->subtype)
		{
			case AT_AttachPartition:
			case AT_DetachPartition:
				guard_relation(((PartitionCmd *) command->def)->name, 0);
				break;
			case AT_AddConstraint:
				guard_foreign_keys(list_make1(command->def));
				break;
			case AT_AddColumn:
				guard_foreign_keys(((ColumnDef *) command->def)->constraints);
				break;
			default:
				break;
		}
	}
}

/*
 * Throws 42501 where a role under row security would lock a guarded relation so that others wait.
 */
void
seeme_guard_locks(Node *statement)
{
	switch (nodeTag(statement))
	{
		case T_LockStmt:
		case T_RuleStmt:
		case T_CreateTrigStmt:
		case T_CreateStmt:
		case T_CreateForeignTableStmt:
		case T_AlterTableStmt:
		case T_AlterObjectDependsStmt:
			break;
		default:
			return;
	}
	if (has_bypassrls_privilege(GetUserId()))
		return;
	if (IsA(statement, LockStmt))
		guard_lock_table((LockStmt *) statement);
	else if (IsA(statement, RuleStmt))
		guard_relation(((RuleStmt *) statement)->relation, 0);
	else if (IsA(statement, CreateTrigStmt))
		guard_relation(((CreateTrigStmt *) statement)->relation, ACL_TRIGGER);
	else if (IsA(statement, AlterTableStmt))
		guard_alter_table((AlterTableStmt *) statement);
	else if (IsA(statement, AlterObjectDependsStmt))
		guard_relation(((AlterObjectDependsStmt *) statement)->relation, 0);
	else
	{
		/* The node of a foreign table begins with that of a table. */
		CreateStmt *create = (CreateStmt *) statement;
		ListCell   *cell;

		if (create->partbound != NULL)
		{
			foreach(cell, create->inhRelations)
			{
				guard_relation(lfirst(cell), 0);
			}
		}
	}
}
