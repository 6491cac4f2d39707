/*
 * hooks.c: the hooks through which PostgreSQL calls this library.
 *
 * Owns every hook that the library installs, and calls the previous one. Must not do anything
 * itself.
 */
#include "postgres.h"

#include "catalog/objectaccess.h"
#include "executor/executor.h"
#include "optimizer/paths.h"
#include "optimizer/plancat.h"
#include "tcop/utility.h"

#include "core/compat.h"
#include "guards/extension_drop.h"
#include "guards/foreign_keys.h"
#include "guards/key_functions.h"
#include "guards/locks.h"
#include "guards/unidentified.h"
#include "hooks.h"
#include "identity/identity.h"
#include "identity/leftovers.h"
#include "planner/barrier.h"
#include "planner/custom_scan.h"
#include "planner/paths.h"

static get_relation_info_hook_type next_get_relation_info = NULL;
static set_rel_pathlist_hook_type next_set_rel_pathlist = NULL;
static ExecutorStart_hook_type next_executor_start = NULL;
static ExecutorRun_hook_type next_executor_run = NULL;
static ProcessUtility_hook_type next_process_utility = NULL;
static object_access_hook_type next_object_access = NULL;

static void
place_policy(PlannerInfo *root, Oid relid, bool is_parent, RelOptInfo *rel)
{
	if (next_get_relation_info != NULL)
		next_get_relation_info(root, relid, is_parent, rel);
	seeme_place_policy(root, rel);
}

static void
set_rel_pathlist(PlannerInfo *root, RelOptInfo *rel, Index rti, RangeTblEntry *rte)
{
	if (next_set_rel_pathlist != NULL)
		next_set_rel_pathlist(root, rel, rti, rte);
	seeme_add_paths(root, rel, rti, rte);
}

static void
executor_start(QueryDesc *query, int eflags)
{
	if (next_executor_start != NULL)
		next_executor_start(query, eflags);
	else
		standard_ExecutorStart(query, eflags);
	seeme_note_statement_start(query, eflags);
}

static void
executor_run(SEEME_EXECUTOR_RUN_PARAMETERS)
{
	seeme_begin_run();
	seeme_note_transaction_start();
	seeme_hand_to_workers(query);
	if (next_executor_run != NULL)
		next_executor_run(SEEME_EXECUTOR_RUN_ARGUMENTS);
	else
		standard_ExecutorRun(SEEME_EXECUTOR_RUN_ARGUMENTS);
}

static void
process_utility(PlannedStmt *statement, const char *query, bool is_read_only_tree,
				ProcessUtilityContext context, ParamListInfo parameters,
				QueryEnvironment *environment, DestReceiver *destination,
				QueryCompletion *completion)
{
	/* Look now: COMMIT and its like free the tree. */
	PrepareStmt *prepare = IsA(statement->utilityStmt, PrepareStmt)
	? (PrepareStmt *) statement->utilityStmt
	: NULL;
	bool		outer;
	SeemeKeyCheck key_check = {0};

	seeme_note_transaction_start();
	outer = seeme_enter_statement(statement->utilityStmt);
	PG_TRY();
	{
		seeme_guard_locks(statement->utilityStmt);
		seeme_begin_key_check(statement->utilityStmt, &key_check);
		if (next_process_utility != NULL)
			next_process_utility(statement, query, is_read_only_tree, context, parameters,
								 environment, destination, completion);
		else
			standard_ProcessUtility(statement, query, is_read_only_tree, context, parameters,
									environment, destination, completion);
	}
	PG_CATCH();
	{
		seeme_end_key_check(&key_check);
		seeme_leave_statement(outer);
		seeme_conceal_key(&key_check);
		PG_RE_THROW();
	}
	PG_END_TRY();
	seeme_end_key_check(&key_check);
	seeme_leave_statement(outer);
	if (prepare != NULL)
		seeme_note_prepared(prepare->name);
}

static void
object_access(ObjectAccessType access, Oid class, Oid object, int part, void *arg)
{
	if (next_object_access != NULL)
		next_object_access(access, class, object, part, arg);
	if (access == OAT_DROP)
		seeme_guard_drop(class, object);
}

void
seeme_hooks_init(void)
{
	next_get_relation_info = get_relation_info_hook;
	get_relation_info_hook = place_policy;
	next_set_rel_pathlist = set_rel_pathlist_hook;
	set_rel_pathlist_hook = set_rel_pathlist;
	next_executor_start = ExecutorStart_hook;
	ExecutorStart_hook = executor_start;
	next_executor_run = ExecutorRun_hook;
	ExecutorRun_hook = executor_run;
	next_process_utility = ProcessUtility_hook;
	ProcessUtility_hook = process_utility;
	next_object_access = object_access_hook;
	object_access_hook = object_access;
	seeme_key_functions_init();
}
