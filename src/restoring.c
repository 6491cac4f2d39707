/*
 * restoring.c: whether this session loads a dump, whose rows are taken as they are.
 *
 * Owns the setting by which a superuser says so. Knows the store (whether anybody has been added yet) and whether somebody is
 * identified; changes nothing, and leaves foreign keys and triggers to PostgreSQL.
 */
#include "postgres.h"

#include "fmgr.h"
#include "miscadmin.h"
#include "utils/guc.h"
#include "utils/rls.h"

#include "identity.h"
#include "restoring.h"
#include "store.h"
#include "version.h"

/* The setting. */
static bool restoring = false;

/* Whether the server's log knows of it: once for a session, and again when the setting changes. */
static bool is_noted = false;

static void
assign_restoring(bool newval, void *extra)
{
	if (newval != restoring)
		is_noted = false;
}

void
seeme_restoring_init(void)
{
	DefineCustomBoolVariable("seeme_rbac.restoring",
							 "Takes the rows of a dump as they are.",
							 "For a superuser who loads a dump into an extension in use: nothing is derived from rows of the schema seeme, checked against who may write them, or logged in seeme.audit_log.",
							 &restoring, false, PGC_SUSET, GUC_NOT_IN_SAMPLE | GUC_DISALLOW_IN_FILE,
							 NULL, assign_restoring, NULL);
}

/* Whether people have been added, or changed, other than by a restore. */
static bool
is_in_use(void)
{
	SeemeStore	store;
	bool		in_use;

	seeme_store_open(&store);
	in_use = seeme_read_in_use(&store);
	seeme_store_close(&store);
	return in_use;
}

/*
 * seeme.restoring() RETURNS boolean
 *
 * A dump's script sets row_security = off. That says enough as long as nobody has been added; afterwards it does not, since
 * administrators' sessions have it off for other reasons. The role that is asked about is the one outside of any SECURITY
 * DEFINER function: row_security = off alone is for everybody to set.
 *
 * Event triggers call it. Where the versions do not belong together it answers no, and whatever writes a row is refused by
 * the triggers of that table.
 */
SEEME_FUNCTION_OF_ANY_VERSION(seeme_restoring)
{
	if ((row_security && !restoring) || !superuser_arg(GetOuterUserId()) || !seeme_version_fits())
		PG_RETURN_BOOL(false);
	if (seeme_asker() != NULL || (!restoring && is_in_use()))
		PG_RETURN_BOOL(false);
	if (!is_noted)
		ereport(LOG_SERVER_ONLY,
				(errmsg("rows of the schema seeme are taken as a dump has them, neither checked against rules nor logged in seeme.audit_log"),
				 errdetail(restoring ? "seeme_rbac.restoring is on." : "row_security is off, and nobody has been added yet.")));
	is_noted = true;
	PG_RETURN_BOOL(true);
}
