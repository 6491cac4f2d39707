/*
 * index_scan.c: reads tables by index or as a whole, under one snapshot of what is committed now.
 *
 * Owns where the extension's tables and indexes are. Must not know what a column means. Writes
 * nothing.
 *
 * A SeemeStore reads everything under one snapshot, the catalog snapshot, which it takes when it
 * opens its first table. It has the latest committed state, plus what this transaction has done.
 * So decisions follow the latest commit in every isolation level, never see two states at once,
 * and work in parallel workers and on standbys. Every function may throw; the resource owner then
 * cleans up.
 */
#include "postgres.h"

#include <limits.h>

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/stratnum.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/visibilitymap.h"
#include "catalog/namespace.h"
#include "catalog/pg_am.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "optimizer/plancat.h"
#include "storage/bufmgr.h"
#include "storage/predicate.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "core/invalidation.h"
#include "core/compat.h"
#include "core/index_scan.h"
#include "core/version.h"

StaticAssertDecl(SEEME_NTABLES <= SEEME_MAX_TABLES_READ, "every table has a place among those "
				 "that were read");

void
seeme_store_open_in(SeemeStore *store, Oid namespace)
{
	seeme_require_version();
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
	if (store->snapshot == NULL)
		return;
	for (int i = 0; i < SEEME_NTABLES; i++)
		if (store->tables[i] != NULL)
			table_close(store->tables[i], AccessShareLock);
	if (store->snapshot != SnapshotAny)
		UnregisterSnapshot(store->snapshot);
	memset(store, 0, sizeof(*store));
}

/* Each index: its table, its name, and whether it has all columns that C reads of a row. */
static const struct
{
	SeemeTable	table;
	const char *name;
	bool		covers;
}			indexes[SEEME_NINDEXES] = {
	[SEEME_USERS_BY_ID] = {SEEME_TABLE_users, "users_id_idx"},
	[SEEME_USERS_BY_DATABASE_ROLE] = {SEEME_TABLE_users, "users_database_role_key"},
	[SEEME_ORGANIZATIONS_BY_ID] = {SEEME_TABLE_organizations, "organizations_pkey"},
	[SEEME_ORGANIZATIONS_BY_OWNER] = {SEEME_TABLE_organizations, "organizations_owner_id_idx"},
	[SEEME_ORGANIZATIONS_ARCHIVED] = {SEEME_TABLE_organizations, "organizations_archived_idx"},
	[SEEME_TEAMS_BY_ID] = {SEEME_TABLE_teams, "teams_id_organization_id_key", true},
	[SEEME_TEAMS_BY_ORGANIZATION] = {SEEME_TABLE_teams, "teams_slug_key"},
	[SEEME_TEAMS_ARCHIVED] = {SEEME_TABLE_teams, "teams_archived_idx"},
	[SEEME_PROJECTS_BY_ID] = {SEEME_TABLE_projects, "projects_id_idx"},
	[SEEME_PROJECTS_BY_ORGANIZATION] = {SEEME_TABLE_projects, "projects_slug_key"},
	[SEEME_PROJECTS_BY_TEAM] = {SEEME_TABLE_projects, "projects_team_id_idx"},
	[SEEME_PROJECTS_ARCHIVED] = {SEEME_TABLE_projects, "projects_archived_idx"},
	[SEEME_ROLES_BY_ID] = {SEEME_TABLE_roles, "roles_pkey"},
	[SEEME_ROLES_BY_NAME] = {SEEME_TABLE_roles, "roles_name_key"},
	[SEEME_MEMBERSHIPS_BY_ID] = {SEEME_TABLE_memberships, "memberships_pkey"},
	[SEEME_MEMBERSHIPS_BY_USER] = {SEEME_TABLE_memberships, "memberships_person_and_scope_key",
	true},
	[SEEME_MEMBERSHIPS_BY_ORGANIZATION] = {SEEME_TABLE_memberships,
	"memberships_organization_id_idx", true},
	[SEEME_MEMBERSHIPS_BY_TEAM] = {SEEME_TABLE_memberships, "memberships_team_id_idx"},
	[SEEME_MEMBERSHIPS_BY_PROJECT] = {SEEME_TABLE_memberships, "memberships_project_id_idx"},
	[SEEME_ASSIGNMENTS_BY_RESOURCE] = {SEEME_TABLE_project_resources,
	"project_resources_resource_idx", true},
	[SEEME_ASSIGNMENTS_BY_PROJECT] = {SEEME_TABLE_project_resources,
	"project_resources_project_and_resource_key", true},
	[SEEME_PERMISSIONS_BY_NAME] = {SEEME_TABLE_permissions, "permissions_pkey"},
	[SEEME_RESOURCE_TYPES_BY_NAME] = {SEEME_TABLE_resource_types, "resource_types_pkey"},
	[SEEME_RESOURCE_TYPES_BY_RESOURCE] = {SEEME_TABLE_resource_types, "resource_types_resource_"
	"key"},
	[SEEME_RELEASED_RESOURCES_BY_ID] = {SEEME_TABLE_released_resources, "released_resources_"
	"pkey"},
	[SEEME_API_KEYS_BY_ID] = {SEEME_TABLE_api_keys, "api_keys_pkey"},
	[SEEME_RETIRED_IDS_BY_ID] = {SEEME_TABLE_retired_ids, "retired_ids_pkey"},
	[SEEME_TOKEN_KEYS_BY_ID] = {SEEME_TABLE_token_keys, "token_keys_pkey"},
	[SEEME_TOKEN_KEYS_BY_KID] = {SEEME_TABLE_token_keys, "token_keys_kid_idx"},
	[SEEME_EXTERNAL_IDENTITIES_BY_SUBJECT] = {SEEME_TABLE_external_identities, "external_"
	"identities_pkey"},
	[SEEME_TRUSTED_FUNCTIONS_BY_NAME] = {SEEME_TABLE_trusted_functions, "trusted_functions_pkey"},
};

/*
 * The OIDs of tables and indexes; 0: not looked up since a definition changed. seeme_tables_read
 * tells when a table that was read gets another definition.
 */
static Oid	table_oids[SEEME_NTABLES];
static Oid	index_oids[SEEME_NINDEXES];
static bool has_columns[SEEME_NTABLES]; /* its columns were checked */
static uint64 known_under = 0;
static Oid	known_in = InvalidOid;

static void
forget_oids(SeemeStore *store)
{
	if (known_under == seeme_generations[SEEME_INVAL_VOCABULARY] && known_in == store->namespace)
		return;
	memset(table_oids, 0, sizeof(table_oids));
	memset(index_oids, 0, sizeof(index_oids));
	memset(has_columns, 0, sizeof(has_columns));
	known_under = seeme_generations[SEEME_INVAL_VOCABULARY];
	known_in = store->namespace;
}

/* Throws 55000 unless each column that C reads by number has the expected name and type. */
static void
check_columns(Relation relation, SeemeTable table)
{
	TupleDesc	columns = RelationGetDescr(relation);

	for (int i = 0; i < seeme_ncolumns; i++)
	{
		const SeemeColumn *column = &seeme_columns[i];
		Form_pg_attribute attribute = column->number > columns->natts
		? NULL
		: TupleDescAttr(columns, column->number - 1);

		if (column->table != table)
			continue;
		if (attribute == NULL || attribute->attisdropped || attribute->atttypid != column->type ||
			strcmp(NameStr(attribute->attname), column->name) != 0)
			ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
							errmsg("column %d of table seeme.%s is not \"%s\" of type %s, as "
								   "library version %s has it",
								   column->number, seeme_table_names[table], column->name,
								   format_type_be(column->type), SEEME_RBAC_VERSION),
							errhint("The tables of the schema seeme are changed by ALTER "
									"EXTENSION seeme_rbac UPDATE alone.")));
	}
	has_columns[table] = true;
}

static Relation
open_table(SeemeStore *store, SeemeTable table)
{
	if (store->tables[table] == NULL)
	{
		Oid			relid;

		forget_oids(store);
		relid = table_oids[table] = OidIsValid(table_oids[table]) ? table_oids[table] :
			get_relname_relid(seeme_table_names[table], store->namespace);
		if (!OidIsValid(relid))
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_TABLE),
					 errmsg("table seeme.%s does not exist", seeme_table_names[table]),
					 errhint("CREATE EXTENSION seeme_rbac first.")));

		/*
		 * Set this before waiting for the lock: if the table is rewritten meanwhile, what is read
		 * of it must not be cached.
		 */
		seeme_tables_read[table] = relid;
		store->tables[table] = table_open(relid, AccessShareLock);
		if (!has_columns[table])
			check_columns(store->tables[table], table);
		if (store->snapshot == NULL)
			store->snapshot = RegisterSnapshot(GetCatalogSnapshot(relid));
	}
	return store->tables[table];
}

/* Opens an index. Its table is locked, so that the index cannot go meanwhile. */
static Relation
open_index(SeemeStore *store, SeemeIndex index)
{
	Oid			relid;

	forget_oids(store);
	relid = index_oids[index] = OidIsValid(index_oids[index]) ? index_oids[index] :
		get_relname_relid(indexes[index].name, store->namespace);
	if (!OidIsValid(relid))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("index seeme.%s does not exist", indexes[index].name)));
	return index_open(relid, AccessShareLock);
}

/*
 * Begins a scan. The keys name columns of the table. They are changed to those of the index, in
 * its order.
 */
void
seeme_begin_scan(SeemeStore *store, SeemeScan *scan, SeemeIndex index, int nkeys, ScanKey keys)
{
	const int16 *columns;

	memset(scan, 0, sizeof(*scan));
	scan->table = open_table(store, indexes[index].table);
	scan->index = open_index(store, index);
	columns = scan->index->rd_index->indkey.values;
	for (int i = 0; i < nkeys; i++)
	{
		ScanKeyData key = keys[i];
		int			column = 0;
		int			place;

		while (column < scan->index->rd_index->indnkeyatts && columns[column] != key.sk_attno)
			column++;
		if (column == scan->index->rd_index->indnkeyatts)
			elog(ERROR, "column %d is not one of index %s", key.sk_attno, indexes[index].name);
		key.sk_attno = column + 1;
		if (scan->index->rd_rel->relam == HASH_AM_OID)
			key.sk_strategy = HTEqualStrategyNumber;
		for (place = i; place > 0 && keys[place - 1].sk_attno > key.sk_attno; place--)
			keys[place] = keys[place - 1];
		keys[place] = key;
	}
	scan->scan = seeme_index_beginscan(scan->table, scan->index, store->snapshot, nkeys);
	scan->scan->xs_want_itup = indexes[index].covers;
	index_rescan(scan->scan, keys, nkeys, NULL, 0);
}

/*
 * Moves to the next entry of the index, whether its row is visible or not. A covering index has
 * its columns ready then. Every long read comes through here and can be cancelled.
 */
bool
seeme_next_entry(SeemeScan *scan)
{
	CHECK_FOR_INTERRUPTS();
	scan->tuple = NULL;
	return index_getnext_tid(scan->scan, ForwardScanDirection) != NULL;
}

/* Whether the current row matches the keys. A hash index finds other values with the same hash. */
static bool
fits(SeemeScan *scan)
{
	for (int i = 0; i < scan->scan->numberOfKeys; i++)
	{
		ScanKey		key = &scan->scan->keyData[i];
		bool		isnull;
		Datum		value = heap_getattr(scan->tuple,
										 scan->index->rd_index->indkey.values[key->sk_attno - 1],
										 RelationGetDescr(scan->table), &isnull);

		if (isnull || !DatumGetBool(FunctionCall2Coll(&key->sk_func, key->sk_collation, value,
													  key->sk_argument)))
			return false;
	}
	return true;
}

static bool
fetch_row(SeemeScan *scan)
{
	bool		is_copy;

	if (scan->slot == NULL)
		scan->slot = table_slot_create(scan->table, NULL);
	if (!index_fetch_heap(scan->scan, scan->slot))
		return false;
	scan->tuple = ExecFetchSlotHeapTuple(scan->slot, false, &is_copy);
	return !scan->scan->xs_recheck || fits(scan);
}

/*
 * Whether the row of an entry is visible. For a covering index the row is not fetched where the
 * visibility map says that the page is all-visible, as in an index-only scan.
 */
bool
seeme_entry_is_visible(SeemeScan *scan)
{
	BlockNumber page = ItemPointerGetBlockNumber(&scan->scan->xs_heaptid);

	if (!scan->scan->xs_want_itup || !VM_ALL_VISIBLE(scan->table, page, &scan->visibility))
		return fetch_row(scan);
	PredicateLockPage(scan->table, page, scan->scan->xs_snapshot);
	return true;
}

bool
seeme_next_row(SeemeScan *scan)
{
	while (seeme_next_entry(scan))
		if (seeme_entry_is_visible(scan))
			return true;
	return false;
}

/*
 * Moves to the next version of a row, visible or not, in a store whose snapshot is SnapshotAny. The
 * keys are not compared where the index does not compare them.
 */
bool
seeme_next_version(SeemeScan *scan)
{
	bool		is_copy;

	CHECK_FOR_INTERRUPTS();
	if (scan->slot == NULL)
		scan->slot = table_slot_create(scan->table, NULL);
	if (!index_getnext_slot(scan->scan, ForwardScanDirection, scan->slot))
		return false;
	scan->tuple = ExecFetchSlotHeapTuple(scan->slot, false, &is_copy);
	return true;
}

/* Begins a scan of a whole table. */
void
seeme_begin_table_scan(SeemeStore *store, SeemeScan *scan, SeemeTable table)
{
	memset(scan, 0, sizeof(*scan));
	scan->table = open_table(store, table);
	scan->slot = table_slot_create(scan->table, NULL);
	scan->table_scan = seeme_table_beginscan(scan->table, store->snapshot);
}

bool
seeme_next_table_row(SeemeScan *scan)
{
	bool		is_copy;

	CHECK_FOR_INTERRUPTS();
	if (!table_scan_getnextslot(scan->table_scan, ForwardScanDirection, scan->slot))
		return false;
	scan->tuple = ExecFetchSlotHeapTuple(scan->slot, false, &is_copy);
	return true;
}

/* The estimated number of rows of a table. */
double
seeme_estimate_rows(SeemeStore *store, SeemeTable table)
{
	Relation	relation = open_table(store, table);
	BlockNumber pages;
	double		rows;
	double		visible;

	estimate_rel_size(relation, NULL, &pages, &rows, &visible);
	return rows;
}

void
seeme_end_scan(SeemeScan *scan)
{
	if (scan->index != NULL)
	{
		index_endscan(scan->scan);
		index_close(scan->index, AccessShareLock);
	}
	else
		table_endscan(scan->table_scan);
	if (scan->slot != NULL)
		ExecDropSingleTupleTableSlot(scan->slot);
	if (BufferIsValid(scan->visibility))
		ReleaseBuffer(scan->visibility);
}

void
seeme_uuid_key(ScanKey key, AttrNumber column, const pg_uuid_t *value)
{
	ScanKeyInit(key, column, BTEqualStrategyNumber, F_UUID_EQ, UUIDPGetDatum(value));
}

/* The columns have the database's collation, so that applications can compare them directly. */
void
seeme_text_key(ScanKey key, AttrNumber column, const char *value)
{
	ScanKeyEntryInitialize(key, 0, column, BTEqualStrategyNumber, InvalidOid,
						   DEFAULT_COLLATION_OID, F_TEXTEQ, CStringGetTextDatum(value));
}

/*
 * A column of the current index entry. index_getattr() walks all columns anew where an earlier
 * one is null. Most entries of memberships have nulls, and all their columns have a fixed length.
 */
static Datum
entry_datum(SeemeScan *scan, int column, bool *isnull)
{
	IndexTuple	entry = scan->scan->xs_itup;
	TupleDesc	columns = scan->scan->xs_itupdesc;
	uint8	   *present = (uint8 *) ((char *) entry + sizeof(IndexTupleData));
	Size		offset = 0;

	if (!IndexTupleHasNulls(entry))
		return index_getattr(entry, column + 1, columns, isnull);
	*isnull = att_isnull(column, present);
	if (*isnull)
		return (Datum) 0;
	for (int i = 0; i < column; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(columns, i);

		if (attribute->attlen <= 0)
			return index_getattr(entry, column + 1, columns, isnull);
		if (!att_isnull(i, present))
			offset = att_align_nominal(offset, attribute->attalign) + attribute->attlen;
	}
	offset = att_align_nominal(offset, TupleDescAttr(columns, column)->attalign);
	return fetchatt(TupleDescAttr(columns, column),
					(char *) entry + IndexInfoFindDataOffset(entry->t_info) + offset);
}

/* A column of the current row, or of the index entry. The row is fetched if the entry lacks it. */
Datum
seeme_row_datum(SeemeScan *scan, AttrNumber column, bool *isnull)
{
	if (scan->tuple == NULL)
	{
		const int16 *columns = scan->index->rd_index->indkey.values;

		for (int i = 0; i < scan->index->rd_index->indnatts; i++)
			if (columns[i] == column)
				return entry_datum(scan, i, isnull);
		if (!fetch_row(scan))
			elog(ERROR, "a row of table %s is not there", RelationGetRelationName(scan->table));
	}
	return heap_getattr(scan->tuple, column, RelationGetDescr(scan->table), isnull);
}

bool
seeme_row_uuid(SeemeScan *scan, AttrNumber column, pg_uuid_t *value)
{
	bool		isnull;
	Datum		datum = seeme_row_datum(scan, column, &isnull);

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
	Datum		datum = seeme_row_datum(scan, column, &isnull);

	return isnull ? if_null : DatumGetTimestampTz(datum);
}

char *
seeme_row_text(SeemeScan *scan, AttrNumber column)
{
	bool		isnull;
	Datum		datum = seeme_row_datum(scan, column, &isnull);

	return isnull ? NULL : TextDatumGetCString(datum);
}

/* The elements of a text array, without nulls. Returns how many. */
int
seeme_row_texts(SeemeScan *scan, AttrNumber column, char ***texts)
{
	bool		isnull;
	Datum		array = seeme_row_datum(scan, column, &isnull);
	Datum	   *elements;
	bool	   *nulls;
	int			n;
	int			kept = 0;

	*texts = NULL;
	if (isnull)
		return 0;
	deconstruct_array(DatumGetArrayTypeP(array), TEXTOID, -1, false, TYPALIGN_INT, &elements,
					  &nulls, &n);
	*texts = palloc(sizeof(char *) * Max(n, 1));
	for (int i = 0; i < n; i++)
		if (!nulls[i])
			(*texts)[kept++] = TextDatumGetCString(elements[i]);
	return kept;
}

/* Reads the first row that the keys find; false: there is none. */
bool
seeme_read_row(SeemeStore *store, SeemeIndex index, int nkeys, ScanKey keys, SeemeGetRow get,
			   void *row)
{
	SeemeScan	scan;
	bool		found;

	seeme_begin_scan(store, &scan, index, nkeys, keys);
	found = seeme_next_row(&scan);
	if (found && get != NULL)
		get(&scan, row);
	seeme_end_scan(&scan);
	return found;
}

/*
 * Lists the rows that the keys find, at most `limit`, in the order of the index. Each is palloc'd
 * with `size` bytes.
 */
List *
seeme_list_some_rows(SeemeStore *store, SeemeIndex index, int nkeys, ScanKey keys,
					 SeemeGetRow get, Size size, int limit)
{
	SeemeScan	scan;
	List	   *rows = NIL;

	seeme_begin_scan(store, &scan, index, nkeys, keys);
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
seeme_list_rows(SeemeStore *store, SeemeIndex index, int nkeys, ScanKey keys,
				SeemeGetRow get, Size size)
{
	return seeme_list_some_rows(store, index, nkeys, keys, get, size, INT_MAX);
}
