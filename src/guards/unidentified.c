/*
 * unidentified.c: what a statement gets that uses a protected table while nobody is identified.
 *
 * Row security then hides every row. A backfill says UPDATE 0, and its tool reports success. The
 * setting seeme_rbac.when_nobody_asks makes such a statement a warning or an error. It is no
 * protection: anybody may set it. It is decided when the statement begins, by the tables that the
 * statement names. No row is looked at, so nothing is told of any.
 *
 * Only tables count on which row security is active for this statement. So superusers, roles with
 * BYPASSRLS and PostgreSQL's checks of foreign keys are left alone.
 *
 * Owns the setting. Must not hide or show any row.
 */
#include "postgres.h"

#include "access/parallel.h"
#include "catalog/pg_class.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "nodes/plannodes.h"
#include "utils/acl.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/rls.h"

#include "core/compat.h"
#include "core/invalidation.h"
#include "core/version.h"
#include "guards/protected_tables.h"
#include "guards/unidentified.h"
#include "identity/identity.h"

static const struct config_enum_entry when_nobody_asks_values[] = {
	{"silent", SEEME_NOBODY_SILENT, false},
	{"warning", WARNING, false},
	{"error", ERROR, false},
	{NULL, 0, false}
};

/* The setting: silent, or the level of the report. */
int			seeme_when_nobody_asks = SEEME_NOBODY_SILENT;

void
seeme_unidentified_init(void)
{
	DefineCustomEnumVariable("seeme_rbac.when_nobody_asks",
							 "What a statement gets that uses a protected table while nobody is "
							 "identified.",
							 "The table shows it no row. This is no protection: it makes "
							 "migrations and jobs notice.",
							 &seeme_when_nobody_asks, SEEME_NOBODY_SILENT,
							 when_nobody_asks_values, PGC_USERSET, GUC_NOT_IN_SAMPLE, NULL, NULL,
							 NULL);
}

/* Whether policies apply to a relation for a role; 0: the current one. */
static bool
is_under_policies(Oid relid, Oid role)
{
	/* The owner of a listing view bypasses row security. Its reader is who asks. */
	if (get_rel_relkind(relid) == RELKIND_VIEW)
		return !has_bypassrls_privilege(OidIsValid(role) ? role : GetUserId());
	return check_enable_rls(relid, role, true) == RLS_ENABLED;
}

/* Looks at the tables of a statement. Call it when the privileges on them have been checked. */
void
seeme_check_tables(QueryDesc *query, int eflags)
{
	ListCell   *cell;

	if ((eflags & EXEC_FLAG_EXPLAIN_ONLY) != 0 || IsParallelWorker() || !seeme_version_fits())
		return;
	foreach(cell, seeme_permissions_of(query->plannedstmt))
	{
		SeemePermissions *permissions = lfirst(cell);

		if (!seeme_is_of_relation(permissions) || permissions->requiredPerms == 0 ||
			!is_under_policies(permissions->relid, permissions->checkAsUser))
			continue;
		(void) seeme_accept_invalidations();
		if (seeme_current_identity() != NULL)
			return;
		if (!seeme_needs_identity(permissions->relid))
			continue;
		ereport(seeme_when_nobody_asks,
				(errcode(seeme_when_nobody_asks == ERROR ? ERRCODE_INSUFFICIENT_PRIVILEGE
						 : ERRCODE_WARNING),
				 errmsg("nobody is identified, and table \"%s\" is protected",
						get_rel_name(permissions->relid)),
				 errdetail("This statement sees none of its rows, and can add none."),
				 errhint("Call seeme_assume() or seeme_login() first, in the same transaction. "
						 "For migrations and background jobs, use a role made by "
						 "seeme_grant_system().")));
		return;
	}
}
