/*
 * owner_rows.c: looks at rows of an application's table with the rights of the table's owner.
 *
 * The extension's triggers run as a superuser. A query of an application's table may run the
 * owner's code: a cast, an index expression, a check constraint. It must not run as anybody else,
 * so this file does as PostgreSQL's referential integrity triggers do. Must not be reachable by
 * anybody but the extension's own functions. Must not know permissions; the condition that it
 * gets may ask for some.
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
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/uuid.h"

#include "core/version.h"

/* Whether a table has a column with this name and type. */
static bool
has_column(Oid relid, const char *column, Oid type)
{
	AttrNumber	attnum = get_attnum(relid, column);

	return attnum > 0 && get_atttype(relid, attnum) == type;
}

/*
 * The value, as text, of an aggregate over the rows of a table with an id, by what is committed
 * now. NULL: it is not a table any more, or the id column does not exist.
 */
static char *
read_as_owner(Oid relid, const char *id_column, Datum id, const char *expression)
{
	Relation	relation = try_relation_open(relid, AccessShareLock);
	MemoryContext caller = CurrentMemoryContext;
	char	   *query;
	Oid			save_userid;
	int			save_sec_context;
	Oid			argtype = UUIDOID;
	SPIPlanPtr	plan;
	char	   *value = NULL;

	if (relation == NULL)
		return NULL;
	if ((relation->rd_rel->relkind != RELKIND_RELATION &&
		 relation->rd_rel->relkind != RELKIND_PARTITIONED_TABLE) ||
		!has_column(relid, id_column, UUIDOID))
	{
		relation_close(relation, AccessShareLock);
		return NULL;
	}

	query = psprintf("SELECT %s FROM %s WHERE %s OPERATOR(pg_catalog.=) $1",
					 expression,
					 quote_qualified_identifier(get_namespace_name(RelationGetNamespace(relation)),
												RelationGetRelationName(relation)),
					 quote_identifier(id_column));
	GetUserIdAndSecContext(&save_userid, &save_sec_context);
	SetUserIdAndSecContext(relation->rd_rel->relowner,
						   save_sec_context | SECURITY_LOCAL_USERID_CHANGE |
						   SECURITY_RESTRICTED_OPERATION | SECURITY_NOFORCE_RLS);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	plan = SPI_prepare(query, 1, &argtype);
	if (plan == NULL)
		elog(ERROR, "SPI_prepare failed: %s", SPI_result_code_string(SPI_result));
	if (SPI_execute_snapshot(plan, &id, NULL, GetLatestSnapshot(), InvalidSnapshot, false, false,
							 0) != SPI_OK_SELECT)
		elog(ERROR, "SPI_execute_snapshot failed");
	if (SPI_processed == 1)
		value = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1);
	if (value != NULL)
		value = MemoryContextStrdup(caller, value);
	SPI_finish();
	SetUserIdAndSecContext(save_userid, save_sec_context);
	relation_close(relation, NoLock);
	return value;
}

/* For the extension's own functions only: expressions run as the owner of any table. */
static void
require_superuser(const char *function)
{
	if (!superuser())
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied for function %s", function)));
}

/*
 * seeme.every_row(relation regclass, id_column name, id uuid, condition text) RETURNS boolean
 */
SEEME_FUNCTION(seeme_every_row, 4)
{
	char	   *expression;
	char	   *every;

	require_superuser("every_row");
	for (int i = 0; i < 4; i++)
		if (PG_ARGISNULL(i))
			PG_RETURN_BOOL(false);
	/* bool_and() skips nulls, but a null is not true. */
	expression = psprintf("pg_catalog.bool_and((%s) IS TRUE)",
						  text_to_cstring(PG_GETARG_TEXT_PP(3)));
	every = read_as_owner(PG_GETARG_OID(0), NameStr(*PG_GETARG_NAME(1)), PG_GETARG_DATUM(2),
						  expression);
	PG_RETURN_BOOL(every != NULL && strcmp(every, "t") == 0);
}

/*
 * seeme.text_of_row(relation regclass, id_column name, id uuid, text_column name) RETURNS text
 */
SEEME_FUNCTION(seeme_text_of_row, 4)
{
	char	   *column;
	char	   *text;

	require_superuser("text_of_row");
	for (int i = 0; i < 4; i++)
		if (PG_ARGISNULL(i))
			PG_RETURN_NULL();
	column = NameStr(*PG_GETARG_NAME(3));
	if (!has_column(PG_GETARG_OID(0), column, TEXTOID) &&
		!has_column(PG_GETARG_OID(0), column, VARCHAROID))
		PG_RETURN_NULL();
	text = read_as_owner(PG_GETARG_OID(0), NameStr(*PG_GETARG_NAME(1)), PG_GETARG_DATUM(2),
						 psprintf("pg_catalog.min(%s)", quote_identifier(column)));

	if (text == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(text));
}
