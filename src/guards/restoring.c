/*
 * restoring.c: whether this session restores a dump, whose rows are taken unchanged.
 *
 * Owns the setting by which a superuser says so. Must not touch anything but the statement in
 * hand.
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

/* The setting */
static bool restoring = false;

/*
 * Whether the server's log has been told: once in a session, and again after a change of the
 * setting.
 */
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
	DefineCustomBoolVariable("seeme_rbac.restoring", "Takes the rows of a dump as they are.",
							 "For a superuser who loads a dump into an extension in use: nothing "
							 "is derived from rows of the schema seeme, checked against who may "
							 "write them, or logged in seeme.audit_log.",
							 &restoring, false, PGC_SUSET,
							 GUC_NOT_IN_SAMPLE | GUC_DISALLOW_IN_FILE, NULL, assign_restoring,
							 NULL);
}

/* Whether users were added or changed other than by a restore. Looked up once for a statement. */
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
 * The script of a dump sets row_security = off. That is enough as long as no user was added.
 * Later, administrators' sessions have it off for other reasons. The role that counts is the one
 * outside of SECURITY DEFINER functions, because everybody may set row_security = off.
 */
static bool
loads_a_dump(void)
{
	if ((row_security && !restoring) || !superuser_arg(GetOuterUserId()) || !seeme_version_fits())
		return false;
	if (seeme_current_identity() != NULL || (!restoring && is_in_use()))
		return false;
	if (!is_noted)
		ereport(LOG_SERVER_ONLY, (errmsg("rows of the schema seeme are taken as a dump has them, "
										 "neither checked against rules nor logged in "
										 "seeme.audit_log"),
								  errdetail(restoring ? "seeme_rbac.restoring is on."
											: "row_security is off, and nobody has "
											"been added yet.")));
	is_noted = true;
	return true;
}

bool
seeme_is_restoring(void)
{
	return loads_a_dump();
}

/*
 * seeme.restoring() RETURNS boolean
 *
 * Event triggers call it. With different versions the answer is no; the triggers of a table then
 * refuse its rows.
 */
SEEME_FUNCTION_OF_ANY_VERSION(seeme_restoring)
{
	PG_RETURN_BOOL(loads_a_dump());
}

/*
 * seeme.skip_restored_foreign_keys() RETURNS trigger
 *
 * Before INSERT or COPY, for each statement: skips the foreign keys among the extension's own
 * tables. pg_restore --jobs loads the tables in any order, while these keys exist already; in the
 * dump they held. Other statements and other tables keep their checks, unlike with
 * session_replication_role.
 *
 * The executor has a copy of the table's triggers for each statement, in the order of the
 * relation cache. This function changes that copy.
 */
SEEME_FUNCTION(seeme_skip_restored_foreign_keys, 0)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;
	TriggerDesc *known;
	Trigger    *triggers;
	int			place = 0;

	if (CALLED_AS_TRIGGER(fcinfo) &&
		RelationGetNamespace(trigger->tg_relation) != get_namespace_oid("seeme", false))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("this trigger is for tables of the schema seeme")));
	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_BEFORE(trigger->tg_event) ||
		!TRIGGER_FIRED_FOR_STATEMENT(trigger->tg_event) ||
		!TRIGGER_FIRED_BY_INSERT(trigger->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("seeme.skip_restored_foreign_keys is for triggers before INSERT, for each statement")));
	if (!loads_a_dump())
		PG_RETURN_POINTER(NULL);

	known = trigger->tg_relation->trigdesc;
	while (place < known->numtriggers && known->triggers[place].tgoid != trigger->tg_trigger->tgoid)
		place++;
	/* If this is not the executor's copy, all keys are checked. */
	if (place == known->numtriggers || trigger->tg_trigger == &known->triggers[place])
		PG_RETURN_POINTER(NULL);
	triggers = trigger->tg_trigger - place;
	for (int i = 0; i < known->numtriggers; i++)
		if (known->triggers[i].tgfoid == F_RI_FKEY_CHECK_INS &&
			triggers[i].tgoid == known->triggers[i].tgoid &&
			get_rel_namespace(triggers[i].tgconstrrelid) ==
			RelationGetNamespace(trigger->tg_relation))
			triggers[i].tgenabled = TRIGGER_DISABLED;
	PG_RETURN_POINTER(NULL);
}
