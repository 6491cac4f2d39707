/*
 * protected_tables.c: which protected and mirrored tables show nothing while nobody is
 * identified, by what is committed now.
 *
 * Owns nothing. Must not be asked for every statement: it reads the whole tables
 * seeme.protected_tables and seeme.mirrors.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/namespace.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "guards/protected_tables.h"
#include "identity/provisioning.h"

/* The value of a column; NULL: it is null, or an extension of another version lacks it. */
static const Datum *
value_of(HeapTuple tuple, Relation table, const char *column)
{
	static Datum value;
	AttrNumber	number = get_attnum(RelationGetRelid(table), column);
	bool		isnull = true;

	if (number != InvalidAttrNumber)
		value = heap_getattr(tuple, number, RelationGetDescr(table), &isnull);
	return isnull ? NULL : &value;
}

static bool
is_relation(const Datum *value, Oid relid)
{
	return value != NULL && DatumGetObjectId(*value) == relid;
}

/* Of seeme.protected_tables: a table without a public column, or a listing view. */
static bool
is_protected(HeapTuple row, Relation table, Oid relid)
{
	return (is_relation(value_of(row, table, "table_name"), relid) &&
			value_of(row, table, "public_column") == NULL) ||
		is_relation(value_of(row, table, "listing_view"), relid);
}

/*
 * Of seeme.mirrors: a table that has policies. A role that provisions users adds, sees and deletes
 * those while nobody is identified.
 */
static bool
is_protected_mirror(HeapTuple row, Relation table, Oid relid)
{
	const Datum *value;

	if (!is_relation(value_of(row, table, "table_name"), relid))
		return false;
	value = value_of(row, table, "protect");
	if (value == NULL || !DatumGetBool(*value))
		return false;
	value = value_of(row, table, "kind");
	return value != NULL &&
		(strcmp(TextDatumGetCString(*value), "users") != 0 || !seeme_provisions_users());
}

/* Whether a row of one of the extension's tables says so of a relation. */
static bool
is_listed(const char *name, bool (*says_so) (HeapTuple, Relation, Oid), Oid relid)
{
	Oid			namespace = get_namespace_oid("seeme", true);
	Oid			list = !OidIsValid(namespace) ? InvalidOid : get_relname_relid(name, namespace);
	Relation	table;
	SysScanDesc scan;
	HeapTuple	row;
	bool		found = false;

	if (!OidIsValid(list))
		return false;
	table = table_open(list, AccessShareLock);
	scan = systable_beginscan(table, InvalidOid, false, NULL, 0, NULL);
	while (!found && HeapTupleIsValid(row = systable_getnext(scan)))
		found = says_so(row, table, relid);
	systable_endscan(scan);
	table_close(table, AccessShareLock);
	return found;
}

/*
 * Whether a relation shows no rows at all while nobody is identified.
 */
bool
seeme_needs_identity(Oid relid)
{
	return is_listed("protected_tables", is_protected, relid) ||
		is_listed("mirrors", is_protected_mirror, relid);
}
