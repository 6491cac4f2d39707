/*
 * seeme_rbac.c: the start of the library.
 *
 * Calls the start of each room, and defines the settings that only SQL reads.
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/guc.h"

#include "cache/cache.h"
#include "core/invalidation.h"
#include "core/compat.h"
#include "functions/mirror.h"
#include "hooks.h"
#include "identity/identity.h"
#include "identity/leftovers.h"
#include "planner/barrier.h"
#include "planner/custom_scan.h"
#include "planner/parent_rows.h"
#include "planner/leakproof.h"
#include "planner/nearest_rows.h"
#include "planner/paths.h"
#include "guards/restoring.h"
#include "guards/unidentified.h"
#include "rules/names.h"

SEEME_MODULE_MAGIC;

/* The largest logo, in kB. seeme.enforce_logo_rules() reads it. */
static int	max_logo_size = 1024;

extern PGDLLEXPORT void _PG_init(void);

void
_PG_init(void)
{
	seeme_identity_init();
	seeme_restoring_init();
	seeme_unidentified_init();
	seeme_leftovers_init();
	seeme_inval_init();
	seeme_names_init();
	seeme_cache_init();
	seeme_mirror_init();
	seeme_leakproof_init();
	seeme_barrier_init();
	seeme_permission_path_init();
	seeme_parent_arm_init();
	seeme_child_owner_arm_init();
	seeme_permission_scan_init();
	seeme_nearest_rows_init();
	seeme_hooks_init();
	DefineCustomIntVariable("seeme_rbac.max_logo_size",
							"The largest logo of an organization, team or project.",
							NULL, &max_logo_size, 1024, 1, 1024 * 1024, PGC_SUSET, GUC_UNIT_KB,
							NULL, NULL, NULL);
	MarkGUCPrefixReserved("seeme_rbac");
}
