/*
 * protected_tables.c: which protected tables show nothing while nobody is identified, by what is
 * committed now.
 *
 * Owns nothing. Must not be asked for every statement: it reads the whole table
 * seeme.protected_tables.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/namespace.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "guards/protected_tables.h"

/* The value of a column that an extension of another version may lack; 0: null, or no column. */
static Oid
oid_column(HeapTuple tuple, Relation table, const char *column)
{
	AttrNumber	number = get_attnum(RelationGetRelid(table), column);
	bool		isnull;
	Datum		value;

	if (number == InvalidAttrNumber)
		return InvalidOid;
	value = heap_getattr(tuple, number, RelationGetDescr(table), &isnull);
	return isnull ? InvalidOid : DatumGetObjectId(value);
}

static bool
has_column(HeapTuple tuple, Relation table, const char *column)
{
	AttrNumber	number = get_attnum(RelationGetRelid(table), column);

	return number != InvalidAttrNumber &&
		!heap_attisnull(tuple, number, RelationGetDescr(table));
}

/*
 * Whether a relation shows no rows at all while nobody is identified: a protected table without a
 * public column, or a listing view.
 */
bool
seeme_needs_identity(Oid relid)
{
	Oid			namespace = get_namespace_oid("seeme", true);
	Oid			list = !OidIsValid(namespace) ? InvalidOid :
	get_relname_relid("protected_tables", namespace);
	Relation	table;
	SysScanDesc scan;
	HeapTuple	tuple;
	bool		found = false;

	if (!OidIsValid(list))
		return false;
	table = table_open(list, AccessShareLock);
	scan = systable_beginscan(table, InvalidOid, false, NULL, 0, NULL);
	while (!found && HeapTupleIsValid(tuple = systable_getnext(scan)))
		found = (oid_column(tuple, table, "table_name") == relid &&
				 !has_column(tuple, table, "public_column")) ||
			oid_column(tuple, table, "listing_view") == relid;
	systable_endscan(scan);
	table_close(table, AccessShareLock);
	return found;
}
