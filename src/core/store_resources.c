/*
 * store_resources.c: the rows of permission codes, resource types and resources.
 *
 * A resource is a row of an application's table. It is assigned to projects, and released when
 * its last assignment ends. A retired id was one of a deleted thing. Must not know who is asking.
 * Writes nothing.
 */
#include "postgres.h"

#include "utils/builtins.h"

#include "core/columns.h"
#include "core/store.h"

/* Permission codes and resource types */

/* Whether a code or wildcard is registered. */
bool
seeme_read_code(SeemeStore *store, const char *code)
{
	ScanKeyData key;

	seeme_text_key(&key, Anum_permissions_name, code);
	return seeme_read_row(store, SEEME_PERMISSIONS_BY_NAME, 1, &key, NULL, NULL);
}

static int
compare_texts(const ListCell *a, const ListCell *b)
{
	return strcmp(lfirst(a), lfirst(b));
}

List *
seeme_list_codes(SeemeStore *store)
{
	SeemeScan	scan;
	List	   *codes = NIL;

	seeme_begin_scan(store, &scan, SEEME_PERMISSIONS_BY_NAME, 0, NULL);
	while (seeme_next_row(&scan))
	{
		bool		isnull;

		if (!DatumGetBool(seeme_row_datum(&scan, Anum_permissions_is_wildcard, &isnull)))
			codes = lappend(codes, seeme_row_text(&scan, Anum_permissions_name));
	}
	seeme_end_scan(&scan);
	list_sort(codes, compare_texts);
	return codes;
}

static void
get_resource_type(SeemeScan *scan, void *row)
{
	*(char **) row = seeme_row_text(scan, Anum_resource_types_name);
}

/* The type that a resource name of codes is tied to; NULL: none. */
char *
seeme_find_type_of_resource(SeemeStore *store, const char *resource)
{
	ScanKeyData key;
	char	   *type = NULL;

	seeme_text_key(&key, Anum_resource_types_resource, resource);
	seeme_read_row(store, SEEME_RESOURCE_TYPES_BY_RESOURCE, 1, &key, get_resource_type, &type);
	return type;
}

bool
seeme_read_resource_type(SeemeStore *store, const char *type)
{
	ScanKeyData key;

	seeme_text_key(&key, Anum_resource_types_name, type);
	return seeme_read_row(store, SEEME_RESOURCE_TYPES_BY_NAME, 1, &key, NULL, NULL);
}

List *
seeme_list_resource_types(SeemeStore *store)
{
	return seeme_list_rows(store, SEEME_RESOURCE_TYPES_BY_NAME, 0, NULL, get_resource_type,
						   sizeof(char *));
}

/* Assignments of resources to projects */

static void
get_assignment(SeemeScan *scan, void *row)
{
	SeemeAssignment *assignment = row;

	seeme_row_uuid(scan, Anum_project_resources_project_id, &assignment->project_id);
	seeme_row_uuid(scan, Anum_project_resources_resource_id, &assignment->resource_id);
}

/* The assignments of a resource, at most `limit`; with type NULL, of every type under that id. */
List *
seeme_list_assignments(SeemeStore *store, const pg_uuid_t *resource, const char *type, int limit)
{
	ScanKeyData keys[2];

	seeme_uuid_key(&keys[0], Anum_project_resources_resource_id, resource);
	if (type != NULL)
		seeme_text_key(&keys[1], Anum_project_resources_resource_type, type);
	return seeme_list_some_rows(store, SEEME_ASSIGNMENTS_BY_RESOURCE, type != NULL ? 2 : 1, keys,
								get_assignment, sizeof(SeemeAssignment), limit);
}

/* The assignments of a type to a project, at most `limit`. */
List *
seeme_list_assignments_to(SeemeStore *store, const pg_uuid_t *project, const char *type, int limit)
{
	ScanKeyData keys[2];

	seeme_uuid_key(&keys[0], Anum_project_resources_project_id, project);
	seeme_text_key(&keys[1], Anum_project_resources_resource_type, type);
	return seeme_list_some_rows(store, SEEME_ASSIGNMENTS_BY_PROJECT, 2, keys,
								get_assignment, sizeof(SeemeAssignment), limit);
}

/*
 * Visits all assignments of a type. False: the table has more than `limit` rows, and the rest was
 * not read.
 */
bool
seeme_visit_assignments(SeemeStore *store, const char *type, int limit,
						void (*visit) (void *context, const SeemeAssignment *assignment),
						void *context)
{
	SeemeScan	scan;
	SeemeAssignment assignment;
	bool		is_over = false;

	seeme_begin_table_scan(store, &scan, SEEME_TABLE_project_resources);
	for (int n = 0; seeme_next_table_row(&scan); n++)
	{
		is_over = n >= limit;
		if (is_over)
			break;
		if (strcmp(seeme_row_text(&scan, Anum_project_resources_resource_type), type) != 0)
			continue;
		get_assignment(&scan, &assignment);
		visit(context, &assignment);
	}
	seeme_end_scan(&scan);
	return !is_over;
}

/* Whether an id was that of something deleted. */
bool
seeme_read_retired(SeemeStore *store, const pg_uuid_t *id)
{
	ScanKeyData key;

	seeme_uuid_key(&key, Anum_retired_ids_id, id);
	return seeme_read_row(store, SEEME_RETIRED_IDS_BY_ID, 1, &key, NULL, NULL);
}

static void
get_had_row(SeemeScan *scan, void *row)
{
	bool		isnull;

	*(bool *) row =
		DatumGetBool(seeme_row_datum(scan, Anum_project_resources_had_row, &isnull)) && !isnull;
}

/* Whether a resource is assigned. *had_row: a protected table had its row at the last look. */
bool
seeme_read_had_row(SeemeStore *store, const char *type, const pg_uuid_t *resource, bool *had_row)
{
	ScanKeyData keys[2];
	List	   *rows;
	ListCell   *cell;

	seeme_uuid_key(&keys[0], Anum_project_resources_resource_id, resource);
	seeme_text_key(&keys[1], Anum_project_resources_resource_type, type);
	rows = seeme_list_rows(store, SEEME_ASSIGNMENTS_BY_RESOURCE, 2, keys, get_had_row,
						   sizeof(bool));
	*had_row = false;
	foreach(cell, rows)
	{
		*had_row = *had_row || *(bool *) lfirst(cell);
	}
	return rows != NIL;
}

static void
get_released_had_row(SeemeScan *scan, void *row)
{
	bool		isnull;

	*(bool *) row =
		DatumGetBool(seeme_row_datum(scan, Anum_released_resources_had_row, &isnull)) && !isnull;
}

/*
 * Whether a resource was assigned and is not any more. *had_row, unless NULL: it had its row
 * then.
 */
bool
seeme_read_released(SeemeStore *store, const char *type, const pg_uuid_t *resource, bool *had_row)
{
	ScanKeyData keys[2];

	seeme_text_key(&keys[0], Anum_released_resources_resource_type, type);
	seeme_uuid_key(&keys[1], Anum_released_resources_resource_id, resource);
	return seeme_read_row(store, SEEME_RELEASED_RESOURCES_BY_ID, 2, keys,
						  had_row == NULL ? NULL : get_released_had_row, had_row);
}

/* Whether users were added or changed other than by a restore. */
bool
seeme_read_in_use(SeemeStore *store)
{
	SeemeScan	scan;
	bool		in_use;

	seeme_begin_table_scan(store, &scan, SEEME_TABLE_in_use);
	in_use = seeme_next_table_row(&scan);
	seeme_end_scan(&scan);
	return in_use;
}

/* Whether an application's table is mirrored as this kind. There are at most a handful. */
bool
seeme_is_mirrored(SeemeStore *store, const char *kind)
{
	SeemeScan	scan;
	bool		is_found = false;

	seeme_begin_table_scan(store, &scan, SEEME_TABLE_mirrors);
	while (!is_found && seeme_next_table_row(&scan))
		is_found = strcmp(seeme_row_text(&scan, Anum_mirrors_kind), kind) == 0;
	seeme_end_scan(&scan);
	return is_found;
}
