/*
 * trusted_functions.c: the functions that a superuser said tell nothing of a row but by their
 * result (seeme_trust_function).
 *
 * Trust is of a definition: the table has a function's name with its arguments, and a digest of
 * what it was. Whatever of that is changed ends it: another body, owner, library, setting or
 * volatility. So does dropping the function; and one that is made under its name is trusted only if
 * it is the same in all of that.
 *
 * Owns the digest. Whoever remembers an answer forgets it with seeme_function_generation: a change
 * of the table is told to every session as a change of functions, and every plan that has one of
 * the extension's is made anew.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/pg_proc.h"
#include "commands/trigger.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/fmgrprotos.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/regproc.h"
#include "utils/syscache.h"

#include "core/store.h"
#include "core/trusted_functions.h"
#include "core/version.h"

/* A part of a definition, with its length before it: no two definitions are the same text. */
static void
add(StringInfo definition, const char *part)
{
	if (part == NULL)
		appendStringInfoString(definition, "-;");
	else
		appendStringInfo(definition, "%zu:%s;", strlen(part), part);
}

/* A column of the function's row, as text: of an array, a list or a tree what its type puts out. */
static void
add_column(StringInfo definition, HeapTuple function, int column, Oid output)
{
	bool		isnull;
	Datum		value = SysCacheGetAttr(PROCOID, function, column, &isnull);

	add(definition, isnull ? NULL : OidOutputFunctionCall(output, value));
}

static char *
name_of(Oid function)
{
	return format_procedure_extended(function,
									 FORMAT_PROC_INVALID_AS_NULL | FORMAT_PROC_FORCE_QUALIFY);
}

static char *
digest_of(HeapTuple function)
{
	Form_pg_proc row = (Form_pg_proc) GETSTRUCT(function);
	StringInfoData definition;
	Datum		digest;

	initStringInfo(&definition);
	/* By name, since numbers are others in a restored database. */
	add(&definition, GetUserNameFromId(row->proowner, true));
	add(&definition, get_language_name(row->prolang, true));
	add(&definition, format_type_extended(row->prorettype, -1, FORMAT_TYPE_FORCE_QUALIFY));
	add(&definition, OidIsValid(row->prosupport) ? name_of(row->prosupport) : NULL);
	appendStringInfo(&definition, "%c%c%c%c%c%c;", row->prokind, row->provolatile,
					 row->prosecdef ? 't' : 'f', row->proleakproof ? 't' : 'f',
					 row->proisstrict ? 't' : 'f', row->proretset ? 't' : 'f');
	add_column(&definition, function, Anum_pg_proc_prosrc, F_TEXTOUT);
	add_column(&definition, function, Anum_pg_proc_probin, F_TEXTOUT);
	add_column(&definition, function, Anum_pg_proc_proconfig, F_ARRAY_OUT);
	add_column(&definition, function, Anum_pg_proc_prosqlbody, F_PG_NODE_TREE_OUT);
	digest = DirectFunctionCall1(
		sha256_bytea, PointerGetDatum(cstring_to_text_with_len(definition.data, definition.len)));
	digest = DirectFunctionCall2(binary_encode, digest, CStringGetTextDatum("hex"));
	pfree(definition.data);
	return TextDatumGetCString(digest);
}

/* Whether a function is one that is trusted, as it was then. */
bool
seeme_is_trusted(HeapTuple function)
{
	Form_pg_proc row = (Form_pg_proc) GETSTRUCT(function);
	SeemeStore	store;
	char	   *digest;
	char	   *name;

	if (row->prokind != PROKIND_FUNCTION || row->provolatile == PROVOLATILE_VOLATILE ||
		row->proretset || !superuser_arg(row->proowner) || !seeme_version_fits())
		return false;
	name = name_of(row->oid);
	if (name == NULL)
		return false;
	seeme_store_open(&store);
	digest = seeme_read_trusted_function(&store, name);
	seeme_store_close(&store);
	return digest != NULL && strcmp(digest, digest_of(function)) == 0;
}

/*
 * seeme.name_of_function(function oid) RETURNS text: with its schema and the types of its
 * arguments; null when there is none
 */
SEEME_FUNCTION(seeme_name_of_function, 1)
{
	char	   *name = name_of(PG_GETARG_OID(0));

	if (name == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(name));
}

/*
 * seeme.digest_of_function(function oid) RETURNS text: of what trust is bound to; null when there
 * is none
 */
SEEME_FUNCTION(seeme_digest_of_function, 1)
{
	HeapTuple	function = SearchSysCache1(PROCOID, ObjectIdGetDatum(PG_GETARG_OID(0)));
	char	   *digest;

	if (!HeapTupleIsValid(function))
		PG_RETURN_NULL();
	digest = digest_of(function);
	ReleaseSysCache(function);
	PG_RETURN_TEXT_P(cstring_to_text(digest));
}

/*
 * seeme.note_trust() RETURNS trigger: tells every session, at commit, that functions have changed.
 * PostgreSQL plans anew then what calls any, and what is remembered of them is forgotten.
 */
SEEME_FUNCTION_OF_ANY_VERSION(seeme_note_trust)
{
	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("seeme.note_trust is a trigger function")));
	CacheInvalidateCatalog(ProcedureRelationId);

	/*
	 * This session is told when a command ends that has changed something. Another trigger may have
	 * ended the one that changed the table. What is told is taken back by a rollback.
	 */
	(void) GetCurrentCommandId(true);
	CommandCounterIncrement();
	PG_RETURN_POINTER(NULL);
}
