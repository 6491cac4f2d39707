/*
 * object_digest.c: a digest of the catalog rows that describe an object.
 *
 * The digest changes whenever the object is altered or replaced. Owns nothing. Must not know why
 * anybody wants to find out.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/indexing.h"
#include "catalog/objectaddress.h"
#include "catalog/pg_attribute.h"
#include "catalog/pg_cast.h"
#include "catalog/pg_class.h"
#include "catalog/pg_depend.h"
#include "catalog/pg_enum.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "utils/fmgroids.h"
#include "utils/syscache.h"

#include "identity/object_digest.h"

/* A catalog row changes with every transaction that updates it. */
static void
digest_row(HeapTuple tuple, uint32 *digest, bool *is_new)
{
	*digest = hash_combine(*digest, hash_bytes_uint32(HeapTupleHeaderGetRawXmin(tuple->t_data)));
	if (TransactionIdIsCurrentTransactionId(HeapTupleHeaderGetXmin(tuple->t_data)))
		*is_new = true;
}

/*
 * The row of a relation in pg_class changes with its storage, too: by TRUNCATE, for example, which
 * everybody may do. So its digest is made of what the relation is.
 */
static void
digest_relation(HeapTuple tuple, uint32 *digest)
{
	Form_pg_class row = (Form_pg_class) GETSTRUCT(tuple);
	uint32		flags = row->relnatts << 8 | row->relchecks << 5 | row->relhasrules << 4 |
	row->relhastriggers << 3 | row->relrowsecurity << 2 |
	row->relforcerowsecurity << 1 | row->relispartition;
	const char *rest = (const char *) row + CLASS_TUPLE_SIZE;
	int			rest_length = (const char *) tuple->t_data + tuple->t_len - rest;

	*digest = hash_combine(*digest, hash_bytes((const unsigned char *) NameStr(row->relname),
											   strlen(NameStr(row->relname))));
	*digest = hash_combine(*digest, hash_bytes_uint32(row->relowner));
	*digest = hash_combine(*digest, hash_bytes_uint32(row->relkind));
	*digest = hash_combine(*digest, hash_bytes_uint32(flags));
	/* privileges and options */
	if (rest_length > 0)
		*digest = hash_combine(*digest, hash_bytes((const unsigned char *) rest, rest_length));
}

/* The rows of a catalog in which a column has a value, in the order of an index. */
static void
digest_rows(Oid catalog, Oid index, AttrNumber column, Oid value, uint32 *digest, bool *is_new)
{
	Relation	table = table_open(catalog, AccessShareLock);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;

	ScanKeyInit(&key, column, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(value));
	scan = systable_beginscan(table, index, true, NULL, 1, &key);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
		digest_row(tuple, digest, is_new);
	systable_endscan(scan);
	table_close(table, AccessShareLock);
}

/* The row of an object in its catalog. */
static void
digest_object(Oid class, Oid object, uint32 *digest, bool *is_new)
{
	Relation	catalog;
	HeapTuple	tuple;

	if (!is_objectclass_supported(class))
		return;
	catalog = table_open(class, AccessShareLock);
	tuple = get_catalog_object_by_oid(catalog, get_object_attnum_oid(class), object);
	if (HeapTupleIsValid(tuple))
		digest_row(tuple, digest, is_new);
	table_close(catalog, AccessShareLock);
}

/*
 * The parts of an object: rules, triggers, constraints, defaults, indexes, members of an operator
 * family. Also casts, which belong to two types.
 */
static void
digest_parts(Oid class, Oid object, uint32 *digest, bool *is_new)
{
	Relation	depend = table_open(DependRelationId, AccessShareLock);
	ScanKeyData keys[2];
	SysScanDesc scan;
	HeapTuple	tuple;

	ScanKeyInit(&keys[0], Anum_pg_depend_refclassid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(class));
	ScanKeyInit(&keys[1], Anum_pg_depend_refobjid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(object));
	scan = systable_beginscan(depend, DependReferenceIndexId, true, NULL, 2, keys);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_depend row = (Form_pg_depend) GETSTRUCT(tuple);
		uint32		part = 0;

		if (row->deptype == DEPENDENCY_NORMAL && row->classid != CastRelationId)
			continue;
		digest_row(tuple, &part, is_new);

		/*
		 * A part keeps its entry when it is disabled or renamed. For relations:
		 * digest_relation().
		 */
		if (row->classid != RelationRelationId)
			digest_object(row->classid, row->objid, &part, is_new);
		/* A sum, because equal entries have no order in the index. */
		*digest += hash_combine(hash_bytes_uint32(row->objid), part);
	}
	systable_endscan(scan);
	table_close(depend, AccessShareLock);
}

/*
 * The digest of an object, given its entry in pg_depend. *is_new: this transaction has written at
 * least one of the rows.
 */
uint32
seeme_object_digest(HeapTuple entry, bool *is_new)
{
	Form_pg_depend row = (Form_pg_depend) GETSTRUCT(entry);
	uint32		digest = 0;
	Oid			columns_of = InvalidOid;

	*is_new = false;
	digest_row(entry, &digest, is_new);
	if (is_objectclass_supported(row->classid))
	{
		Relation	catalog = table_open(row->classid, AccessShareLock);
		HeapTuple	tuple = get_catalog_object_by_oid(catalog, get_object_attnum_oid(row->classid),
													  row->objid);

		if (HeapTupleIsValid(tuple))
		{
			if (row->classid == RelationRelationId)
			{
				digest_relation(tuple, &digest);
				columns_of = row->objid;
				if (((Form_pg_class) GETSTRUCT(tuple))->relkind == RELKIND_SEQUENCE)
				{
					HeapTuple	sequence = SearchSysCache1(SEQRELID, ObjectIdGetDatum(row->objid));

					if (HeapTupleIsValid(sequence))
					{
						digest_row(sequence, &digest, is_new);
						ReleaseSysCache(sequence);
					}
				}
			}
			else
				digest_row(tuple, &digest, is_new);
			if (row->classid == TypeRelationId)
			{
				columns_of = ((Form_pg_type) GETSTRUCT(tuple))->typrelid;
				if (((Form_pg_type) GETSTRUCT(tuple))->typtype == TYPTYPE_ENUM)
					digest_rows(EnumRelationId, EnumTypIdLabelIndexId, Anum_pg_enum_enumtypid,
								row->objid, &digest, is_new);
			}
		}
		table_close(catalog, AccessShareLock);
	}
	if (OidIsValid(columns_of))
		digest_rows(AttributeRelationId, AttributeRelidNumIndexId, Anum_pg_attribute_attrelid,
					columns_of, &digest, is_new);
	digest_parts(row->classid, row->objid, &digest, is_new);
	return digest;
}
