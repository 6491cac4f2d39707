/*
 * columns.h: the extension's tables, and the numbers of their columns, as C knows them.
 *
 * Owns names and numbers only. Must not read anything: index_scan.h does.
 */
#ifndef SEEME_CORE_COLUMNS_H
#define SEEME_CORE_COLUMNS_H

#include "postgres.h"

#pragma GCC visibility push(hidden)

/* The tables that C reads, under their names in the schema seeme. */
typedef enum SeemeTable
{
	SEEME_TABLE_users,
	SEEME_TABLE_organizations,
	SEEME_TABLE_teams,
	SEEME_TABLE_projects,
	SEEME_TABLE_roles,
	SEEME_TABLE_memberships,
	SEEME_TABLE_project_resources,
	SEEME_TABLE_permissions,
	SEEME_TABLE_resource_types,
	SEEME_TABLE_released_resources,
	SEEME_TABLE_api_keys,
	SEEME_TABLE_retired_ids,
	SEEME_TABLE_token_keys,
	SEEME_TABLE_external_identities,
	SEEME_TABLE_in_use,
	SEEME_TABLE_trusted_functions,
	SEEME_TABLE_mirrors,
} SeemeTable;
#define SEEME_NTABLES (SEEME_TABLE_mirrors + 1)

/* Anum_users_id and so on, as in PostgreSQL's own catalogs */
enum
{
#define COLUMN(table, name, number, type) Anum_##table##_##name = (number),
#include "core/columnlist.h"
#undef COLUMN
};

typedef struct SeemeColumn
{
	SeemeTable	table;
	int			number;
	const char *name;
	Oid			type;
} SeemeColumn;

extern const char *const seeme_table_names[SEEME_NTABLES];
extern const SeemeColumn seeme_columns[];
extern const int seeme_ncolumns;

#pragma GCC visibility pop

#endif							/* SEEME_CORE_COLUMNS_H */
