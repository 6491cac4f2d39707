/*
 * scan.c: reading a table by an index, under one snapshot of what is committed now.
 *
 * Owns how the extension's tables are found and read, whatever row security and snapshots say; what their columns mean is
 * for store.c. Writes nothing.
 *
 * A SeemeStore reads everything under one snapshot, taken when its first table is opened, of what is committed at that
 * moment plus what this transaction has done so far: the one that PostgreSQL's own catalogs are read with. So a decision
 * follows the latest committed state in every isolation level, never sees two states at once, and works in parallel workers
 * and on standbys. Every function may throw; whatever is open then is cleaned up by the resource owner.
 */
#include "postgres.h"

#include <limits.h>

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/stratnum.h"
#include "access/table.h"
#include "access/tableam.h"
#include "catalog/namespace.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "changes.h"
#include "compat.h"
#include "scan.h"
#include "store.h"

StaticAssertDecl(SEEME_NTABLES <= SEEME_MAX_TABLES_READ, "every table has a place among those that were read");

static const char *const table_names[SEEME_NTABLES] = {
	[SEEME_USERS] = "users",
	[SEEME_ORGANIZATIONS] = "organizations",
	[SEEME_TEAMS] = "teams",
	[SEEME_PROJECTS] = "projects",
	[SEEME_ROLES] = "roles",
	[SEEME_MEMBERSHIPS] = "memberships",
	[SEEME_PROJECT_RESOURCES] = "project_resources",
	[SEEME_PERMISSIONS] = "permissions",
	[SEEME_RESOURCE_TYPES] = "resource_types",
	[SEEME_RELEASED_RESOURCES] = "released_resources",
	[SEEME_API_KEYS] = "api_keys",
	[SEEME_RETIRED_IDS] = "retired_ids",
	[SEEME_TOKEN_KEYS] = "token_keys",
	[SEEME_EXTERNAL_IDENTITIES] = "external_identities",
};

void
seeme_store_open_in(SeemeStore *store, Oid namespace)
{
	memset(store, 0, sizeof(*store));
	store->namespace = namespace;
}

void
seeme_store_open(SeemeStore *store)
{
	seeme_store_open_in(store, get_namespace_oid("seeme", false));
}

void
seeme_store_close(SeemeStore *store)
{
	for (int i = 0; i < SEEME_NTABLES; i++)
		if (store->tables[i] != NULL)
			table_close(store->tables[i], AccessShareLock);
	if (store->snapshot != NULL)
		UnregisterSnapshot(store->snapshot);
	memset(store, 0, sizeof(*store));
}

static Relation
open_table(SeemeStore *store, SeemeTable table)
{
	if (store->tables[table] == NULL)
	{
		Oid			relid = get_relname_relid(table_names[table], store->namespace);

		if (!OidIsValid(relid))
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_TABLE),
					 errmsg("table seeme.%s does not exist", table_names[table]),
					 errhint("CREATE EXTENSION seeme_rbac first.")));
		/* Before it is waited for: what is read of a table that was rewritten meanwhile is not to be remembered. */
		seeme_tables_read[table] = relid;
		store->tables[table] = table_open(relid, AccessShareLock);
		if (store->snapshot == NULL)
			store->snapshot = RegisterSnapshot(GetCatalogSnapshot(relid));
	}
	return store->tables[table];
}

static Oid
find_index(SeemeStore *store, const char *index)
{
	Oid			index_oid = get_relname_relid(index, store->namespace);

	if (!OidIsValid(index_oid))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("index seeme.%s does not exist", index)));
	return index_oid;
}

void
seeme_begin_scan(SeemeStore *store, SeemeScan *scan, SeemeTable table, const char *index, int nkeys, ScanKey keys)
{
	Relation	relation = open_table(store, table);

	scan->columns = RelationGetDescr(relation);
	scan->scan = systable_beginscan(relation, find_index(store, index), true, store->snapshot, nkeys, keys);
	scan->tuple = NULL;
}

bool
seeme_next_row(SeemeScan *scan)
{
	scan->tuple = systable_getnext(scan->scan);
	return HeapTupleIsValid(scan->tuple);
}

void
seeme_end_scan(SeemeScan *scan)
{
	systable_endscan(scan->scan);
}

/* The keys are on columns of the index. */
void
seeme_begin_entries(SeemeStore *store, SeemeEntries *entries, SeemeTable table, const char *index, int nkeys, ScanKey keys)
{
	Relation	relation = open_table(store, table);

	entries->row.columns = RelationGetDescr(relation);
	entries->row.tuple = NULL;
	entries->slot = table_slot_create(relation, NULL);
	entries->index = index_open(find_index(store, index), AccessShareLock);
	entries->scan = seeme_index_beginscan(relation, entries->index, store->snapshot, nkeys);
	entries->scan->xs_want_itup = true;
	index_rescan(entries->scan, keys, nkeys, NULL, 0);
}

/* The next entry, whether or not its row is there to be seen. */
bool
seeme_next_entry(SeemeEntries *entries)
{
	return index_getnext_tid(entries->scan, ForwardScanDirection) != NULL;
}

/* A column of the entry; false when it is null. */
bool
seeme_entry_uuid(SeemeEntries *entries, AttrNumber column, pg_uuid_t *value)
{
	bool		isnull;
	Datum		datum = index_getattr(entries->scan->xs_itup, column, entries->scan->xs_itupdesc, &isnull);

	if (!isnull)
		*value = *DatumGetUUIDP(datum);
	return !isnull;
}

/* The entry's row, if it is there to be seen: entries->row, until the next one. */
bool
seeme_fetch_row(SeemeEntries *entries)
{
	bool		is_copy;

	if (!index_fetch_heap(entries->scan, entries->slot))
		return false;
	entries->row.tuple = ExecFetchSlotHeapTuple(entries->slot, false, &is_copy);
	return true;
}

void
seeme_end_entries(SeemeEntries *entries)
{
	index_endscan(entries->scan);
	index_close(entries->index, AccessShareLock);
	ExecDropSingleTupleTableSlot(entries->slot);
}

void
seeme_uuid_key(ScanKey key, AttrNumber column, const pg_uuid_t *value)
{
	ScanKeyInit(key, column, BTEqualStrategyNumber, F_UUID_EQ, UUIDPGetDatum(value));
}

/* The columns have the database's collation, so that they compare with an application's without further ado. */
void
seeme_text_key(ScanKey key, AttrNumber column, const char *value)
{
	ScanKeyEntryInitialize(key, 0, column, BTEqualStrategyNumber, InvalidOid, DEFAULT_COLLATION_OID, F_TEXTEQ,
						   CStringGetTextDatum(value));
}

bool
seeme_row_uuid(SeemeScan *scan, AttrNumber column, pg_uuid_t *value)
{
	bool		isnull;
	Datum		datum = heap_getattr(scan->tuple, column, scan->columns, &isnull);

	if (isnull)
		memset(value, 0, sizeof(*value));
	else
		*value = *DatumGetUUIDP(datum);
	return !isnull;
}

TimestampTz
seeme_row_time(SeemeScan *scan, AttrNumber column, TimestampTz if_null)
{
	bool		isnull;
	Datum		datum = heap_getattr(scan->tuple, column, scan->columns, &isnull);

	return isnull ? if_null : DatumGetTimestampTz(datum);
}

char *
seeme_row_text(SeemeScan *scan, AttrNumber column)
{
	bool		isnull;
	Datum		datum = heap_getattr(scan->tuple, column, scan->columns, &isnull);

	return isnull ? NULL : TextDatumGetCString(datum);
}

/* The elements of an array of texts, without nulls; how many. */
int
seeme_row_texts(SeemeScan *scan, AttrNumber column, char ***texts)
{
	bool		isnull;
	Datum		array = heap_getattr(scan->tuple, column, scan->columns, &isnull);
	Datum	   *elements;
	bool	   *nulls;
	int			n;
	int			kept = 0;

	*texts = NULL;
	if (isnull)
		return 0;
	deconstruct_array(DatumGetArrayTypeP(array), TEXTOID, -1, false, TYPALIGN_INT, &elements, &nulls, &n);
	*texts = palloc(sizeof(char *) * Max(n, 1));
	for (int i = 0; i < n; i++)
		if (!nulls[i])
			(*texts)[kept++] = TextDatumGetCString(elements[i]);
	return kept;
}

/* The first row that the keys find, if any. */
bool
seeme_read_row(SeemeStore *store, SeemeTable table, const char *index, int nkeys, ScanKey keys, SeemeGetRow get, void *row)
{
	SeemeScan		scan;
	bool		found;

	seeme_begin_scan(store, &scan, table, index, nkeys, keys);
	found = seeme_next_row(&scan);
	if (found && get != NULL)
		get(&scan, row);
	seeme_end_scan(&scan);
	return found;
}

/* The rows that the keys find, at most so many, in the order of the index, each palloc'd with a size. */
List *
seeme_list_some_rows(SeemeStore *store, SeemeTable table, const char *index, int nkeys, ScanKey keys, SeemeGetRow get, Size size, int limit)
{
	SeemeScan		scan;
	List	   *rows = NIL;

	seeme_begin_scan(store, &scan, table, index, nkeys, keys);
	while (limit-- > 0 && seeme_next_row(&scan))
	{
		void	   *row = palloc0(size);

		get(&scan, row);
		rows = lappend(rows, row);
	}
	seeme_end_scan(&scan);
	return rows;
}

List *
seeme_list_rows(SeemeStore *store, SeemeTable table, const char *index, int nkeys, ScanKey keys, SeemeGetRow get, Size size)
{
	return seeme_list_some_rows(store, table, index, nkeys, keys, get, size, INT_MAX);
}
