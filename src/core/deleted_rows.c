/*
 * deleted_rows.c: the rows that the running transaction deleted.
 *
 * Triggers after a DELETE note what is gone: seeme.retired_ids, seeme.released_resources. They fire
 * when the whole statement is done. Until then a row that another part of the statement adds, or a
 * function that the statement calls, would find nothing noted. The deleted rows themselves tell: no
 * vacuum removes them before the transaction ends. Must not decide.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "utils/snapmgr.h"

#include "core/store.h"

/* After a DELETE the row refers to itself, after an UPDATE to the new row. */
static bool
is_deleted_here(HeapTuple tuple)
{
	HeapTupleHeader row = tuple->t_data;

	if ((row->t_infomask & HEAP_XMAX_INVALID) != 0 ||
		HEAP_XMAX_IS_LOCKED_ONLY(row->t_infomask) ||
		!ItemPointerEquals(&tuple->t_self, &row->t_ctid))
		return false;
	return TransactionIdIsCurrentTransactionId(HeapTupleHeaderGetUpdateXid(row));
}

/*
 * Opens the tables under a snapshot that sees every version of every row. False: this transaction
 * has written nothing.
 */
static bool
open_all_versions(SeemeStore *store)
{
	if (!TransactionIdIsValid(GetTopTransactionIdIfAny()))
		return false;
	seeme_store_open(store);
	store->snapshot = SnapshotAny;
	return true;
}

/*
 * Moves to the next row that this transaction deleted. The keys may find others, too: a hash index
 * does not compare.
 */
static bool
next_deleted_row(SeemeScan *scan)
{
	while (seeme_next_version(scan))
		if (is_deleted_here(scan->tuple))
			return true;
	return false;
}

static bool
was_deleted_from(SeemeStore *store, SeemeIndex index, AttrNumber column, const pg_uuid_t *id)
{
	ScanKeyData key;
	SeemeScan	scan;
	pg_uuid_t	found;
	bool		deleted = false;

	seeme_uuid_key(&key, column, id);
	seeme_begin_scan(store, &scan, index, 1, &key);
	while (!deleted && next_deleted_row(&scan))
		deleted = seeme_row_uuid(&scan, column, &found) && seeme_uuid_equal(&found, id);
	seeme_end_scan(&scan);
	return deleted;
}

/* Whether this transaction deleted an organization, team or project of this id. */
bool
seeme_read_deleted_container(const pg_uuid_t *id)
{
	SeemeStore	store;
	bool		deleted;

	if (!open_all_versions(&store))
		return false;
	deleted = was_deleted_from(&store, SEEME_PROJECTS_BY_ID, Anum_projects_id, id) ||
		was_deleted_from(&store, SEEME_TEAMS_BY_ID, Anum_teams_id, id) ||
		was_deleted_from(&store, SEEME_ORGANIZATIONS_BY_ID, Anum_organizations_id, id);
	seeme_store_close(&store);
	return deleted;
}

/* Whether this transaction deleted a role of this id. */
bool
seeme_read_deleted_role(const pg_uuid_t *id)
{
	SeemeStore	store;
	bool		deleted;

	if (!open_all_versions(&store))
		return false;
	deleted = was_deleted_from(&store, SEEME_ROLES_BY_ID, Anum_roles_id, id);
	seeme_store_close(&store);
	return deleted;
}

/*
 * Lists the projects (pg_uuid_t *) that this transaction took a resource out of. *had_row: a
 * protected table had its row at the last look.
 */
List *
seeme_list_projects_left(const char *type, const pg_uuid_t *resource, bool *had_row)
{
	SeemeStore	store;
	SeemeScan	scan;
	ScanKeyData keys[2];
	List	   *projects = NIL;

	*had_row = false;
	if (!open_all_versions(&store))
		return NIL;
	seeme_uuid_key(&keys[0], Anum_project_resources_resource_id, resource);
	seeme_text_key(&keys[1], Anum_project_resources_resource_type, type);
	seeme_begin_scan(&store, &scan, SEEME_ASSIGNMENTS_BY_RESOURCE, 2, keys);
	while (next_deleted_row(&scan))
	{
		pg_uuid_t  *project = palloc(sizeof(pg_uuid_t));
		bool		isnull;

		if (seeme_row_uuid(&scan, Anum_project_resources_project_id, project))
			projects = lappend(projects, project);
		*had_row = *had_row ||
			(DatumGetBool(seeme_row_datum(&scan, Anum_project_resources_had_row, &isnull)) &&
			 !isnull);
	}
	seeme_end_scan(&scan);
	seeme_store_close(&store);
	return projects;
}
