/*
 * extension_drop.c: only DROP EXTENSION drops the extension.
 *
 * DROP SCHEMA public CASCADE (as in scripts that reset a database) and DROP OWNED would delete
 * all memberships and the audit log. hooks.c reports every dropped object. Owns the state of the
 * statement in hand. Must not know tables or users: sql/install/42_refused_statements.sql guards
 * tables.
 *
 * A session may not have loaded the library yet. An event trigger loads it before a statement
 * that might drop the extension. The hooks then see what this statement drops, but did not see it
 * begin.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_extension.h"
#include "commands/extension.h"
#include "fmgr.h"
#include "nodes/parsenodes.h"
#include "tcop/pquery.h"
#include "tcop/utility.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "core/compat.h"
#include "guards/extension_drop.h"
#include "core/version.h"

#define EXTENSION_NAME "seeme_rbac"

/* The depth of nested DROP statements, and whether the innermost one names the extension. */
static int	statements = 0;
static bool is_named = false;

/*
 * The statement that loaded the library: its transaction, its start, and whether it drops the
 * extension by name.
 */
static LocalTransactionId loaded_in = InvalidLocalTransactionId;
static TimestampTz loaded_at = 0;
static bool is_named_by_loader = false;

static bool
names_extension(Node *statement)
{
	ListCell   *cell;

	if (statement == NULL || !IsA(statement, DropStmt) ||
		((DropStmt *) statement)->removeType != OBJECT_EXTENSION)
		return false;
	foreach(cell, ((DropStmt *) statement)->objects)
	{
		if (strcmp(strVal(lfirst(cell)), EXTENSION_NAME) == 0)
			return true;
	}
	return false;
}

/*
 * A utility statement begins. Pass the result to seeme_leave_statement(), which must be called
 * however the statement ends.
 */
bool
seeme_enter_statement(Node *statement)
{
	bool		was_named = is_named;

	statements++;
	is_named = names_extension(statement);
	return was_named;
}

void
seeme_leave_statement(bool was_named)
{
	statements--;
	is_named = was_named;
}

static bool
is_meant(void)
{
	if (statements > 0)
		return is_named;
	return is_named_by_loader && loaded_in == seeme_local_xid() &&
		loaded_at == GetCurrentStatementStartTimestamp();
}

/*
 * An object is about to be dropped. Throws 2BP01 if it is the extension and the statement in hand
 * does not name it.
 */
void
seeme_guard_drop(Oid class, Oid object)
{
	if (class == ExtensionRelationId && !is_meant())
	{
		char	   *name = get_extension_name(object);

		if (name != NULL && strcmp(name, EXTENSION_NAME) == 0)
			ereport(ERROR,
					(errcode(ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST),
					 errmsg("extension %s is not dropped along with something else", name),
					 errdetail("All memberships, roles and the audit log would go with it."),
					 errhint("DROP EXTENSION %s drops it, if that is what you want. "
							 "To empty a schema, drop its tables.", name)));
	}
}

/*
 * seeme.watch_drop(tag text) RETURNS void
 *
 * An event trigger passes the tag of the statement that begins. If this call loaded the library,
 * the hooks did not see the statement.
 */
SEEME_FUNCTION_OF_ANY_VERSION(seeme_watch_drop)
{
	char	   *tag = text_to_cstring(PG_GETARG_TEXT_PP(0));
	bool		is_seen = false;
	ListCell   *cell;

	/* The hook has seen it. */
	if (statements > 0)
		PG_RETURN_VOID();
	loaded_in = seeme_local_xid();
	loaded_at = GetCurrentStatementStartTimestamp();
	is_named_by_loader = false;
	if (strcmp(tag, "DROP EXTENSION") == 0)
	{
		/* In a function, the portal has the statement that called it. Then the tag is enough. */
		if (ActivePortal != NULL)
		{
			foreach(cell, ActivePortal->stmts)
			{
				Node	   *statement = lfirst_node(PlannedStmt, cell)->utilityStmt;

				if (statement != NULL && IsA(statement, DropStmt))
				{
					is_seen = true;
					is_named_by_loader = is_named_by_loader || names_extension(statement);
				}
			}
		}
		is_named_by_loader = is_named_by_loader || !is_seen;
	}
	PG_RETURN_VOID();
}
