/*
 * hooks.c: where PostgreSQL calls this library, and whom each call is for.
 *
 * Owns the hooks, and calls whoever had them before. Must not do anything itself.
 */
#include "postgres.h"

#include "tcop/utility.h"

#include "hooks.h"
#include "identity/leftovers.h"
#include "guards/locks.h"

static ProcessUtility_hook_type next_process_utility = NULL;

static void
process_utility(PlannedStmt *statement, const char *query, bool is_read_only_tree, ProcessUtilityContext context,
				ParamListInfo parameters, QueryEnvironment *environment, DestReceiver *destination,
				QueryCompletion *completion)
{
	/* The tree may be gone afterwards: COMMIT and the like end what holds it. */
	PrepareStmt *prepare = IsA(statement->utilityStmt, PrepareStmt) ? (PrepareStmt *) statement->utilityStmt : NULL;

	seeme_see_transaction();
	seeme_guard_locks(statement->utilityStmt);
	if (next_process_utility != NULL)
		next_process_utility(statement, query, is_read_only_tree, context, parameters, environment, destination, completion);
	else
		standard_ProcessUtility(statement, query, is_read_only_tree, context, parameters, environment, destination, completion);
	if (prepare != NULL)
		seeme_note_prepared(prepare->name);
}

void
seeme_hooks_init(void)
{
	next_process_utility = ProcessUtility_hook;
	ProcessUtility_hook = process_utility;
}
