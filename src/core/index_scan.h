/* index_scan.h: reads tables by index or as a whole. */
#ifndef SEEME_CORE_INDEX_SCAN_H
#define SEEME_CORE_INDEX_SCAN_H

#include "postgres.h"

#include "access/genam.h"
#include "access/relscan.h"
#include "access/skey.h"
#include "executor/tuptable.h"
#include "storage/buf.h"
#include "nodes/pg_list.h"
#include "utils/relcache.h"
#include "utils/snapshot.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

#include "core/columns.h"

#pragma GCC visibility push(hidden)

/* The tables under one snapshot of what is committed now. Each is opened on first use. */
typedef struct SeemeStore
{
	Oid			namespace;
	Snapshot	snapshot;
	Relation	tables[SEEME_NTABLES];

	/* Bits by the kind of a container: whether any is archived, and whether that is known. */
	uint8		knows_archived;
	uint8		has_archived;
} SeemeStore;

typedef enum SeemeIndex
{
	SEEME_USERS_BY_ID,
	SEEME_USERS_BY_DATABASE_ROLE,
	SEEME_ORGANIZATIONS_BY_ID,
	SEEME_ORGANIZATIONS_BY_OWNER,
	SEEME_ORGANIZATIONS_ARCHIVED,
	SEEME_TEAMS_BY_ID,
	SEEME_TEAMS_BY_ORGANIZATION,
	SEEME_TEAMS_ARCHIVED,
	SEEME_PROJECTS_BY_ID,
	SEEME_PROJECTS_BY_ORGANIZATION,
	SEEME_PROJECTS_BY_TEAM,
	SEEME_PROJECTS_ARCHIVED,
	SEEME_ROLES_BY_ID,
	SEEME_ROLES_BY_NAME,
	SEEME_MEMBERSHIPS_BY_ID,
	SEEME_MEMBERSHIPS_BY_USER,
	SEEME_MEMBERSHIPS_BY_ORGANIZATION,
	SEEME_MEMBERSHIPS_BY_TEAM,
	SEEME_MEMBERSHIPS_BY_PROJECT,
	SEEME_ASSIGNMENTS_BY_RESOURCE,
	SEEME_ASSIGNMENTS_BY_PROJECT,
	SEEME_PERMISSIONS_BY_NAME,
	SEEME_RESOURCE_TYPES_BY_NAME,
	SEEME_RESOURCE_TYPES_BY_RESOURCE,
	SEEME_RELEASED_RESOURCES_BY_ID,
	SEEME_API_KEYS_BY_ID,
	SEEME_RETIRED_IDS_BY_ID,
	SEEME_TOKEN_KEYS_BY_ID,
	SEEME_TOKEN_KEYS_BY_KID,
	SEEME_EXTERNAL_IDENTITIES_BY_SUBJECT,
	SEEME_TRUSTED_FUNCTIONS_BY_NAME,
} SeemeIndex;
#define SEEME_NINDEXES (SEEME_TRUSTED_FUNCTIONS_BY_NAME + 1)

/* A scan of one table, by an index or as a whole. */
typedef struct SeemeScan
{
	Relation	table;
	Relation	index;			/* NULL: a scan of the whole table */
	IndexScanDesc scan;
	TableScanDesc table_scan;
	TupleTableSlot *slot;		/* NULL until the first row is fetched */
	HeapTuple	tuple;			/* the current row; NULL: only its index entry was read */
	Buffer		visibility;		/* the last page of the visibility map */
} SeemeScan;

extern void seeme_store_open(SeemeStore *store);
extern void seeme_store_open_in(SeemeStore *store, Oid namespace);
extern void seeme_store_close(SeemeStore *store);
extern double seeme_estimate_rows(SeemeStore *store, SeemeTable table);

/* Whether anything was read since the store was opened. */
static inline bool
seeme_store_was_read(const SeemeStore *store)
{
	return store->snapshot != NULL;
}

/* Copies what is needed of the current row to `row`. */
typedef void (*SeemeGetRow) (SeemeScan *scan, void *row);

extern void seeme_begin_scan(SeemeStore *store, SeemeScan *scan, SeemeIndex index, int nkeys,
							 ScanKey keys);
extern bool seeme_next_entry(SeemeScan *scan);
extern bool seeme_entry_is_visible(SeemeScan *scan);
extern bool seeme_next_row(SeemeScan *scan);
extern bool seeme_next_version(SeemeScan *scan);
extern void seeme_begin_table_scan(SeemeStore *store, SeemeScan *scan, SeemeTable table);
extern bool seeme_next_table_row(SeemeScan *scan);
extern void seeme_end_scan(SeemeScan *scan);
extern void seeme_uuid_key(ScanKey key, AttrNumber column, const pg_uuid_t *value);
extern void seeme_text_key(ScanKey key, AttrNumber column, const char *value);
extern Datum seeme_row_datum(SeemeScan *scan, AttrNumber column, bool *isnull);
extern bool seeme_row_uuid(SeemeScan *scan, AttrNumber column, pg_uuid_t *value);
extern TimestampTz seeme_row_time(SeemeScan *scan, AttrNumber column, TimestampTz if_null);
extern char *seeme_row_text(SeemeScan *scan, AttrNumber column);
extern int	seeme_row_texts(SeemeScan *scan, AttrNumber column, char ***texts);
extern bool seeme_read_row(SeemeStore *store, SeemeIndex index, int nkeys, ScanKey keys,
						   SeemeGetRow get, void *row);
extern List *seeme_list_some_rows(SeemeStore *store, SeemeIndex index, int nkeys, ScanKey keys,
								  SeemeGetRow get, Size size, int limit);
extern List *seeme_list_rows(SeemeStore *store, SeemeIndex index, int nkeys, ScanKey keys,
							 SeemeGetRow get, Size size);

#pragma GCC visibility pop

#endif							/* SEEME_CORE_INDEX_SCAN_H */
