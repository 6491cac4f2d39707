/*
 * scan.h: reading a table by an index.
 */
#ifndef SEEME_SCAN_H
#define SEEME_SCAN_H

#include "postgres.h"

#include "access/genam.h"
#include "access/relscan.h"
#include "access/skey.h"
#include "executor/tuptable.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

#include "store.h"

/* A scan of one table by one of its indexes. */
typedef struct SeemeScan
{
	TupleDesc	columns;
	SysScanDesc scan;
	HeapTuple	tuple;			/* the current row */
} SeemeScan;

/* A scan of an index's entries, of which only those that are wanted have their row fetched. */
typedef struct SeemeEntries
{
	SeemeScan	row;			/* the one fetched last */
	Relation	index;
	IndexScanDesc scan;
	TupleTableSlot *slot;
} SeemeEntries;

/* What a row says, put where `row` points to. */
typedef void (*SeemeGetRow) (SeemeScan *scan, void *row);

extern void seeme_begin_scan(SeemeStore *store, SeemeScan *scan, SeemeTable table, const char *index, int nkeys, ScanKey keys);
extern bool seeme_next_row(SeemeScan *scan);
extern void seeme_end_scan(SeemeScan *scan);
extern void seeme_begin_entries(SeemeStore *store, SeemeEntries *entries, SeemeTable table, const char *index, int nkeys, ScanKey keys);
extern bool seeme_next_entry(SeemeEntries *entries);
extern bool seeme_entry_uuid(SeemeEntries *entries, AttrNumber column, pg_uuid_t *value);
extern bool seeme_fetch_row(SeemeEntries *entries);
extern void seeme_end_entries(SeemeEntries *entries);
extern void seeme_uuid_key(ScanKey key, AttrNumber column, const pg_uuid_t *value);
extern void seeme_text_key(ScanKey key, AttrNumber column, const char *value);
extern bool seeme_row_uuid(SeemeScan *scan, AttrNumber column, pg_uuid_t *value);
extern TimestampTz seeme_row_time(SeemeScan *scan, AttrNumber column, TimestampTz if_null);
extern char *seeme_row_text(SeemeScan *scan, AttrNumber column);
extern int seeme_row_texts(SeemeScan *scan, AttrNumber column, char ***texts);
extern bool seeme_read_row(SeemeStore *store, SeemeTable table, const char *index, int nkeys, ScanKey keys,
						   SeemeGetRow get, void *row);
extern List *seeme_list_some_rows(SeemeStore *store, SeemeTable table, const char *index, int nkeys, ScanKey keys,
								  SeemeGetRow get, Size size, int limit);
extern List *seeme_list_rows(SeemeStore *store, SeemeTable table, const char *index, int nkeys, ScanKey keys,
							 SeemeGetRow get, Size size);

#endif							/* SEEME_SCAN_H */
