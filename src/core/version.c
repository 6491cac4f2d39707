/*
 * version.c: whether this library and the extension in this database have the same version.
 *
 * The library may be newer than the database, before ALTER EXTENSION UPDATE, or older, in a
 * session that loaded it before. It would read arguments that the SQL does not pass, or miss a
 * rule of the newer SQL. So every SQL function checks first, and works only where pg_extension
 * has the library's version.
 *
 * The answer is valid until the generation of the vocabulary changes. Every upgrade changes it,
 * in its own session and, at commit, in all others: seeme.tell_every_session() alters the proxy
 * table.
 *
 * Owns the answer and its words. Reads pg_extension only, and throws only where it says so.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/indexing.h"
#include "catalog/namespace.h"
#include "catalog/pg_extension.h"
#include "commands/extension.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/inval.h"
#include "utils/rel.h"

#include "core/invalidation.h"
#include "core/version.h"

#define EXTENSION_NAME "seeme_rbac"
#define MAX_VERSION_LENGTH 64

uint64		seeme_version_generation = 0;

/* The version of the extension in this database; empty: there is none. */
static char installed[MAX_VERSION_LENGTH] = "";
static bool in_its_script = false;

/* The generation under which the versions were found to differ. */
static uint64 misfits_under = 0;

/* Reads the extension's version, and whether its own script is running. */
static void
read_version(void)
{
	Relation	extensions = table_open(ExtensionRelationId, AccessShareLock);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;

	installed[0] = '\0';
	in_its_script = false;
	ScanKeyInit(&key, Anum_pg_extension_extname, BTEqualStrategyNumber, F_NAMEEQ,
				CStringGetDatum(EXTENSION_NAME));
	scan = systable_beginscan(extensions, ExtensionNameIndexId, true, NULL, 1, &key);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
	{
		bool		isnull;
		Datum		version = heap_getattr(tuple, Anum_pg_extension_extversion,
										   RelationGetDescr(extensions), &isnull);

		if (!isnull)
			strlcpy(installed, TextDatumGetCString(version), sizeof(installed));
		in_its_script = creating_extension &&
			CurrentExtensionObject == ((Form_pg_extension) GETSTRUCT(tuple))->oid;
	}
	systable_endscan(scan);
	table_close(extensions, AccessShareLock);
}

/*
 * Whether the versions match. While the extension's own script runs they do not match yet, and
 * the script has to work: the answer is yes then, and is not kept.
 */
bool
seeme_check_version_again(void)
{
	Oid			namespace;
	uint64		changes;

	if (!IsTransactionState())
		return false;
	AcceptInvalidationMessages();
	if (seeme_version_generation == seeme_generations[SEEME_INVAL_VOCABULARY])
		return true;
	if (misfits_under == seeme_generations[SEEME_INVAL_VOCABULARY] && !creating_extension)
		return false;
	namespace = get_namespace_oid("seeme", true);
	if (!OidIsValid(namespace))
		return false;
	/* Look up the proxy tables before reading: they tell of the next upgrade. */
	if (!seeme_find_proxies(namespace))
	{
		read_version();
		return in_its_script;
	}
	changes = seeme_generations[SEEME_INVAL_VOCABULARY];
	read_version();
	if (in_its_script)
		return true;
	if (strcmp(installed, SEEME_RBAC_VERSION) != 0)
	{
		misfits_under = changes;
		return false;
	}
	seeme_version_generation = changes;
	return true;
}

/* Whether a version is older than another, number by number. */
static bool
is_older(const char *version, const char *other)
{
	while (*version != '\0' && *other != '\0')
	{
		char	   *end;
		char	   *other_end;
		unsigned long number = strtoul(version, &end, 10);
		unsigned long other_number = strtoul(other, &other_end, 10);

		if (number != other_number)
			return number < other_number;
		if (end == version || other_end == other)
			return strcmp(version, other) < 0;
		version = end + (*end == '.');
		other = other_end + (*other_end == '.');
	}
	return *version == '\0' && *other != '\0';
}

/*
 * Throws unless the versions match and the function (NULL: none) gets the arguments that it
 * reads.
 */
void
seeme_check_version(FunctionCallInfo fcinfo, int nargs)
{
	if (!seeme_check_version_again())
	{
		/* The kept answer may be out of date. */
		read_version();
		if (installed[0] == '\0')
			ereport(ERROR,
					(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					 errmsg("extension seeme_rbac is not there in this database"),
					 errhint("CREATE EXTENSION seeme_rbac first.")));
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						errmsg("the library of seeme_rbac is version %s, and the extension in "
							   "this database is version %s",
							   SEEME_RBAC_VERSION, installed),
						is_older(installed, SEEME_RBAC_VERSION) ? errhint("The library is newer: "
																		  "run ALTER EXTENSION "
																		  "seeme_rbac UPDATE in "
																		  "this database.")
						: errhint("The extension is "
								  "newer: install the "
								  "library of version "
								  "%s, and reconnect. "
								  "Restart the server if "
								  "it preloads the "
								  "library.",
								  installed)));
	}
	if (fcinfo != NULL && fcinfo->nargs < nargs)
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						errmsg("this function of seeme_rbac takes %d arguments in library "
							   "version %s, and is called with %d",
							   nargs, SEEME_RBAC_VERSION, fcinfo->nargs),
						errhint("ALTER EXTENSION seeme_rbac UPDATE declares it as the library "
								"has it.")));
}

/*
 * seeme.is_of_this_version() RETURNS boolean
 */
SEEME_FUNCTION_OF_ANY_VERSION(seeme_is_of_this_version)
{
	PG_RETURN_BOOL(seeme_version_fits());
}
