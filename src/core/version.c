/*
 * version.c: whether this library and the extension in this database belong together.
 *
 * The library may be newer than what ALTER EXTENSION UPDATE has made of the database yet, or older, in a session that loaded
 * it before. It would read arguments that the older SQL does not give, or leave out a rule of the newer one. So everything that
 * SQL calls asks here first, and works only where pg_extension has the version that the library was built with.
 *
 * The answer is remembered until the vocabulary's number of changes moves. It does so when seeme.tell_every_session() changes the
 * definition of that table, which every upgrade does, in its own session and (at commit) in every other one.
 *
 * Owns that answer and its words. Reads pg_extension alone, and throws only where it says so.
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

/* The extension's version in this database, as it was read last; empty: there is none. */
static char installed[MAX_VERSION_LENGTH] = "";
static bool in_its_script = false;

/* As for seeme_version_generation, when they were last found not to. */
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
	ScanKeyInit(&key, Anum_pg_extension_extname, BTEqualStrategyNumber, F_NAMEEQ, CStringGetDatum(EXTENSION_NAME));
	scan = systable_beginscan(extensions, ExtensionNameIndexId, true, NULL, 1, &key);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
	{
		bool		isnull;
		Datum		version = heap_getattr(tuple, Anum_pg_extension_extversion, RelationGetDescr(extensions), &isnull);

		if (!isnull)
			strlcpy(installed, TextDatumGetCString(version), sizeof(installed));
		in_its_script = creating_extension && CurrentExtensionObject == ((Form_pg_extension) GETSTRUCT(tuple))->oid;
	}
	systable_endscan(scan);
	table_close(extensions, AccessShareLock);
}

/*
 * Whether they belong together. Within the extension's own script they do not yet, and the script has to be able to run: that
 * counts as fitting, and is not remembered.
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
	/* What tells of an upgrade is known before the version is read. */
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

/* Whether a version is older than another: their numbers decide, one after the other. */
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

/* Throws unless they belong together, and the function (NULL: none) is given what it reads. */
void
seeme_check_version(FunctionCallInfo fcinfo, int nargs)
{
	if (!seeme_check_version_again())
	{
		/* What was remembered may be of another time. */
		read_version();
		if (installed[0] == '\0')
			ereport(ERROR,
					(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					 errmsg("extension seeme_rbac is not there in this database"),
					 errhint("CREATE EXTENSION seeme_rbac first.")));
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("the library of seeme_rbac is version %s, and the extension in this database is version %s",
						SEEME_RBAC_VERSION, installed),
				 is_older(installed, SEEME_RBAC_VERSION) ?
				 errhint("The library is newer: run ALTER EXTENSION seeme_rbac UPDATE in this database.") :
				 errhint("The extension is newer: install the library of version %s, and reconnect. Restart the server if it preloads the library.",
						 installed)));
	}
	if (fcinfo != NULL && fcinfo->nargs < nargs)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("this function of seeme_rbac takes %d arguments in library version %s, and is called with %d",
						nargs, SEEME_RBAC_VERSION, fcinfo->nargs),
				 errhint("ALTER EXTENSION seeme_rbac UPDATE declares it as the library has it.")));
}

/*
 * seeme.is_of_this_version() RETURNS boolean
 */
SEEME_FUNCTION_OF_ANY_VERSION(seeme_is_of_this_version)
{
	PG_RETURN_BOOL(seeme_version_fits());
}
