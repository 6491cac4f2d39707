/*
 * foreign_keys.c: checking the rows of a protected table when a foreign key is added.
 *
 * ALTER TABLE ... ADD FOREIGN KEY checks the rows that are there with one query, as the role that
 * adds the key. For the owner of a protected table row security is forced, so that query would
 * find no rows: a key to a protected table would fail falsely, and a key from one would be called
 * valid although no row was checked. PostgreSQL's own triggers for foreign keys run without FORCE
 * (SECURITY_NOFORCE_RLS). So does this query here.
 *
 * This holds for a statement that does nothing else, so that no other expression of the role runs
 * without FORCE. A conversion between the types of the two columns runs under FORCE
 * (key_functions.c). The error hides the key, as theirs does under row security.
 *
 * Owns no state. Must not let any other statement past row security.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/namespace.h"
#include "catalog/pg_constraint.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "utils/memutils.h"
#include "utils/rls.h"
#include "utils/syscache.h"

#include "guards/foreign_keys.h"

/* The table that a constraint refers to; InvalidOid: it is no foreign key of that table. */
static Oid
referenced_table(Oid relid, const char *name)
{
	Oid			constraint = !OidIsValid(relid) || name == NULL ? InvalidOid :
	get_relation_constraint_oid(relid, name, true);
	HeapTuple	tuple;
	Oid			referenced = InvalidOid;

	if (!OidIsValid(constraint))
		return InvalidOid;
	tuple = SearchSysCache1(CONSTROID, ObjectIdGetDatum(constraint));
	if (!HeapTupleIsValid(tuple))
		return InvalidOid;
	if (((Form_pg_constraint) GETSTRUCT(tuple))->contype == CONSTRAINT_FOREIGN)
		referenced = ((Form_pg_constraint) GETSTRUCT(tuple))->confrelid;
	ReleaseSysCache(tuple);
	return referenced;
}

static bool
is_under_policies(Oid relid)
{
	return OidIsValid(relid) && check_enable_rls(relid, InvalidOid, true) == RLS_ENABLED;
}

/*
 * Whether a statement only adds or validates foreign keys, and policies apply to one of the
 * tables for the current role.
 */
static bool
checks_hidden_keys(const AlterTableStmt *alter)
{
	Oid			relid = RangeVarGetRelid(alter->relation, NoLock, true);
	bool		is_hidden = is_under_policies(relid);
	ListCell   *cell;

	foreach(cell, alter->cmds)
	{
		const AlterTableCmd *command = lfirst(cell);
		Oid			referenced = InvalidOid;

		if (command->subtype == AT_AddConstraint && command->def != NULL &&
			IsA(command->def, Constraint) &&
			((const Constraint *) command->def)->contype == CONSTR_FOREIGN)
		{
			const RangeVar *table = ((const Constraint *) command->def)->pktable;

			if (table != NULL)
				referenced = RangeVarGetRelid(table, NoLock, true);
		}
		else if (command->subtype == AT_ValidateConstraint)
			referenced = referenced_table(relid, command->name);
		if (!OidIsValid(referenced))
			return false;
		is_hidden = is_hidden || is_under_policies(referenced);
	}
	return is_hidden;
}

/* Call seeme_end_key_check() when the statement has ended. */
void
seeme_begin_key_check(Node *statement, SeemeKeyCheck *check)
{
	check->is_on = IsA(statement, AlterTableStmt) &&
		checks_hidden_keys((const AlterTableStmt *) statement);
	if (!check->is_on)
		return;
	GetUserIdAndSecContext(&check->user, &check->sec_context);
	SetUserIdAndSecContext(check->user, check->sec_context | SECURITY_NOFORCE_RLS);
}

void
seeme_end_key_check(const SeemeKeyCheck *check)
{
	if (check->is_on)
		SetUserIdAndSecContext(check->user, check->sec_context);
}

/* For PG_CATCH: if the error is a key that does not fit, throws the same without the key. */
void
seeme_conceal_key(const SeemeKeyCheck *check)
{
	ErrorData  *error;

	if (!check->is_on || geterrcode() != ERRCODE_FOREIGN_KEY_VIOLATION)
		return;
	MemoryContextSwitchTo(CurTransactionContext);
	error = CopyErrorData();
	FlushErrorState();
	error->detail = NULL;
	error->hint = pstrdup("The key is not shown, because row security may hide its row. A role "
						  "made by seeme_grant_system() sees it.");
	ReThrowError(error);
}
