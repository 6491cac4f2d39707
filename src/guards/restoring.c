/*
 * restoring.c: whether this session loads a dump, whose rows are taken as they are.
 *
 * Owns the setting by which a superuser says so, and what of a statement's triggers is left out then. Knows the store (whether
 * anybody has been added yet) and whether somebody is identified. Changes nothing but the statement in hand.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_trigger.h"
#include "commands/trigger.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/fmgroids.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/rls.h"

#include "core/compat.h"
#include "identity/identity.h"
#include "guards/restoring.h"
#include "core/store.h"
#include "core/version.h"

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

/* Whether people have been added, or changed, other than by a restore; looked up once for a statement, whose rows may be many. */
static bool
is_in_use(void)
{
	static LocalTransactionId known_in = InvalidLocalTransactionId;
	static TimestampTz known_at = 0;
	static bool in_use;

	if (known_in != seeme_local_xid() || known_at != GetCurrentStatementStartTimestamp())
	{
		SeemeStore	store;

		seeme_store_open(&store);
		in_use = seeme_read_in_use(&store);
		seeme_store_close(&store);
		known_in = seeme_local_xid();
		known_at = GetCurrentStatementStartTimestamp();
	}
	return in_use;
}

/*
 * A dump's script sets row_security = off. That says enough as long as nobody has been added; afterwards it does not, since
 * administrators' sessions have it off for other reasons. The role that is asked about is the one outside of any SECURITY
 * DEFINER function: row_security = off alone is for everybody to set.
 */
static bool
loads_a_dump(void)
{
	if ((row_security && !restoring) || !superuser_arg(GetOuterUserId()) || !seeme_version_fits())
		return false;
	if (seeme_current_identity() != NULL || (!restoring && is_in_use()))
		return false;
	if (!is_noted)
		ereport(LOG_SERVER_ONLY,
				(errmsg("rows of the schema seeme are taken as a dump has them, neither checked against rules nor logged in seeme.audit_log"),
				 errdetail(restoring ? "seeme_rbac.restoring is on." : "row_security is off, and nobody has been added yet.")));
	is_noted = true;
	return true;
}

/*
 * seeme.restoring() RETURNS boolean
 *
 * Event triggers call it. Where the versions do not belong together it answers no, and whatever writes a row is refused by
 * the triggers of that table.
 */
SEEME_FUNCTION_OF_ANY_VERSION(seeme_restoring)
{
	PG_RETURN_BOOL(loads_a_dump());
}

/*
 * seeme.take_restored_rows() RETURNS trigger
 *
 * Before INSERT or COPY, for each statement. pg_restore --jobs loads the tables in any order, while the foreign keys among the
 * extension's own exist already; in the dump they held. So the rows of this statement are not looked up in the tables that they
 * refer to. Nothing else is left out: not for another statement, nor for a table that is not the extension's, as it would be
 * by session_replication_role.
 *
 * A statement has a copy of its table's triggers, made when it starts and thrown away when it ends, however it ends. The
 * executor hands out the entry of that copy, which has the order of the relation cache's.
 */
SEEME_FUNCTION(seeme_take_restored_rows, 0)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;
	TriggerDesc *known;
	Trigger    *triggers;
	int			place = 0;

	if (CALLED_AS_TRIGGER(fcinfo) && RelationGetNamespace(trigger->tg_relation) != get_namespace_oid("seeme", false))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("this trigger is for tables of the schema seeme")));
	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_BEFORE(trigger->tg_event) || !TRIGGER_FIRED_FOR_STATEMENT(trigger->tg_event) ||
		!TRIGGER_FIRED_BY_INSERT(trigger->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("seeme.take_restored_rows is for triggers before INSERT, for each statement")));
	if (!loads_a_dump())
		PG_RETURN_POINTER(NULL);

	known = trigger->tg_relation->trigdesc;
	while (place < known->numtriggers && known->triggers[place].tgoid != trigger->tg_trigger->tgoid)
		place++;
	/* Should it be the relation cache's own, or another's, all keys are checked. */
	if (place == known->numtriggers || trigger->tg_trigger == &known->triggers[place])
		PG_RETURN_POINTER(NULL);
	triggers = trigger->tg_trigger - place;
	for (int i = 0; i < known->numtriggers; i++)
		if (known->triggers[i].tgfoid == F_RI_FKEY_CHECK_INS && triggers[i].tgoid == known->triggers[i].tgoid &&
			get_rel_namespace(triggers[i].tgconstrrelid) == RelationGetNamespace(trigger->tg_relation))
			triggers[i].tgenabled = TRIGGER_DISABLED;
	PG_RETURN_POINTER(NULL);
}
