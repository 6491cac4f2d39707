/*
 * columns.c: the names of the extension's tables, and of the columns that C reads by number.
 */
#include "postgres.h"

#include "catalog/pg_type.h"

#include "core/columns.h"

const char *const seeme_table_names[SEEME_NTABLES] = {
	[SEEME_TABLE_users] = "users",
	[SEEME_TABLE_organizations] = "organizations",
	[SEEME_TABLE_teams] = "teams",
	[SEEME_TABLE_projects] = "projects",
	[SEEME_TABLE_roles] = "roles",
	[SEEME_TABLE_memberships] = "memberships",
	[SEEME_TABLE_project_resources] = "project_resources",
	[SEEME_TABLE_permissions] = "permissions",
	[SEEME_TABLE_resource_types] = "resource_types",
	[SEEME_TABLE_released_resources] = "released_resources",
	[SEEME_TABLE_api_keys] = "api_keys",
	[SEEME_TABLE_retired_ids] = "retired_ids",
	[SEEME_TABLE_token_keys] = "token_keys",
	[SEEME_TABLE_external_identities] = "external_identities",
	[SEEME_TABLE_in_use] = "in_use",
	[SEEME_TABLE_trusted_functions] = "trusted_functions",
	[SEEME_TABLE_mirrors] = "mirrors",
};

const SeemeColumn seeme_columns[] = {
#define COLUMN(table, name, number, type) {SEEME_TABLE_##table, number, #name, type},
#include "core/columnlist.h"
#undef COLUMN
};

const int	seeme_ncolumns = lengthof(seeme_columns);
