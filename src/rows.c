/*
 * rows.c: the rows of an application's own tables, looked at with the rights of the table's owner.
 *
 * The extension's own triggers run as a superuser. What a query of an application's table may run on the way (a cast, an
 * index expression, a check constraint that the planner simplifies) is the work of that table's owner, and must not run as
 * anybody else: so this does as PostgreSQL's referential integrity triggers do. Knows nothing of permissions; the condition
 * that it is given may ask for some.
 */
#include "postgres.h"

#include "access/relation.h"
#include "catalog/pg_attribute.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/uuid.h"

/*
 * Whether a table has rows with an id, and the condition is true of every one of them, by what is committed now. False for
 * what is no table (any more), and when its id column is none.
 */
static bool
every_row(Oid relid, const char *id_column, Datum id, const char *condition)
{
	Relation	relation = try_relation_open(relid, AccessShareLock);
	AttrNumber	attnum;
	char	   *query;
	Oid			save_userid;
	int			save_sec_context;
	Oid			argtype = UUIDOID;
	SPIPlanPtr	plan;
	bool		isnull = true;
	bool		every = false;

	if (relation == NULL)
		return false;
	attnum = get_attnum(relid, id_column);
	if ((relation->rd_rel->relkind != RELKIND_RELATION && relation->rd_rel->relkind != RELKIND_PARTITIONED_TABLE) ||
		attnum <= 0 || get_atttype(relid, attnum) != UUIDOID)
	{
		relation_close(relation, AccessShareLock);
		return false;
	}

	query = psprintf("SELECT pg_catalog.bool_and(%s) FROM %s WHERE %s OPERATOR(pg_catalog.=) $1",
					 condition,
					 quote_qualified_identifier(get_namespace_name(RelationGetNamespace(relation)),
												RelationGetRelationName(relation)),
					 quote_identifier(id_column));
	GetUserIdAndSecContext(&save_userid, &save_sec_context);
	SetUserIdAndSecContext(relation->rd_rel->relowner,
						   save_sec_context | SECURITY_LOCAL_USERID_CHANGE | SECURITY_RESTRICTED_OPERATION |
						   SECURITY_NOFORCE_RLS);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	plan = SPI_prepare(query, 1, &argtype);
	if (plan == NULL)
		elog(ERROR, "SPI_prepare failed: %s", SPI_result_code_string(SPI_result));
	if (SPI_execute_snapshot(plan, &id, NULL, GetLatestSnapshot(), InvalidSnapshot, false, false, 0) != SPI_OK_SELECT)
		elog(ERROR, "SPI_execute_snapshot failed");
	if (SPI_processed == 1)
		every = DatumGetBool(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
	every = every && !isnull;
	SPI_finish();
	SetUserIdAndSecContext(save_userid, save_sec_context);
	relation_close(relation, NoLock);
	return every;
}

/*
 * seeme.every_row(relation regclass, id_column name, id uuid, condition text) RETURNS boolean
 */
PG_FUNCTION_INFO_V1(seeme_every_row);
Datum
seeme_every_row(PG_FUNCTION_ARGS)
{
	/* The condition runs as the owner of whatever table is named: this is for the extension's own functions to call. */
	if (!superuser())
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied for function every_row")));
	for (int i = 0; i < 4; i++)
		if (PG_ARGISNULL(i))
			PG_RETURN_BOOL(false);
	PG_RETURN_BOOL(every_row(PG_GETARG_OID(0), NameStr(*PG_GETARG_NAME(1)), PG_GETARG_DATUM(2),
							 text_to_cstring(PG_GETARG_TEXT_PP(3))));
}
