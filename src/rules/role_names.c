/*
 * role_names.c: whether a role has a name. A system role's name is taken in every organization.
 *
 * No index says so: the unique key of seeme.roles has the organization. Whoever adds or renames a
 * system role locks the table first (seeme.enforce_role_rules). So nobody adds a role of that name
 * meanwhile. Answers follow what is committed now, also in a transaction with an old snapshot.
 */
#include "postgres.h"

#include "utils/builtins.h"

#include "core/store.h"
#include "core/version.h"

/* By index: asked for each role that is added. */
static bool
system_role_is_named(SeemeStore *store, const char *name)
{
	ScanKeyData keys[2];
	SeemeScan	scan;
	bool		is_found;

	ScanKeyEntryInitialize(&keys[0], SK_ISNULL | SK_SEARCHNULL, Anum_roles_organization_id,
						   InvalidStrategy, InvalidOid, InvalidOid, InvalidOid, (Datum) 0);
	seeme_text_key(&keys[1], Anum_roles_name, name);
	seeme_begin_scan(store, &scan, SEEME_ROLES_BY_NAME, 2, keys);
	is_found = seeme_next_row(&scan);
	seeme_end_scan(&scan);
	return is_found;
}

/* Reads the whole table: administrators ask, and rarely. */
static bool
organizations_role_is_named(SeemeStore *store, const char *name)
{
	SeemeScan	scan;
	bool		is_found = false;

	seeme_begin_table_scan(store, &scan, SEEME_TABLE_roles);
	while (!is_found && seeme_next_table_row(&scan))
	{
		pg_uuid_t	organization;

		is_found = seeme_row_uuid(&scan, Anum_roles_organization_id, &organization) &&
			strcmp(seeme_row_text(&scan, Anum_roles_name), name) == 0;
	}
	seeme_end_scan(&scan);
	return is_found;
}

/*
 * seeme.role_is_named(name text, of_organization boolean) RETURNS boolean
 */
SEEME_FUNCTION(seeme_role_is_named, 2)
{
	SeemeStore	store;
	char	   *name;
	bool		is_named;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_BOOL(false);
	name = text_to_cstring(PG_GETARG_TEXT_PP(0));
	seeme_store_open(&store);
	is_named = PG_GETARG_BOOL(1) ? organizations_role_is_named(&store, name) :
		system_role_is_named(&store, name);
	seeme_store_close(&store);
	PG_RETURN_BOOL(is_named);
}
