/*
 * invalidation.c: notices that something has changed on which decisions depend, here or in
 * another session.
 *
 * Row triggers send a relcache invalidation for one of four empty proxy tables
 * (send_invalidation.c). PostgreSQL
 * delivers such messages to every session at commit, replays them on standbys, and discards them
 * on rollback. The callback here only counts: it may run where no catalog can be read. Queries
 * never use the proxy tables, because each invalidation would make sessions plan anew.
 *
 * A change that concerns one user only should not make sessions forget all others. Its message
 * names no proxy table. It names one of 1,024 buckets of users, by the OIDs 8192 to 9215, which
 * no release assigns. A session finds no table with that OID in its relcache, and calls back
 * here.
 */
#include "postgres.h"

#include "access/transam.h"
#include "access/xact.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#include "core/invalidation.h"

const char *const seeme_proxy_names[SEEME_NINVAL_KINDS] = {
	[SEEME_INVAL_VOCABULARY] = "changes_of_vocabulary",
	[SEEME_INVAL_PLACES] = "changes_of_places",
	[SEEME_INVAL_RIGHTS] = "changes_of_rights",
	[SEEME_INVAL_ASSIGNMENTS] = "changes_of_assignments",
};

uint64		seeme_generation = 1;
uint64		seeme_generations[SEEME_NINVAL_KINDS] = {1, 1, 1, 1};
uint64		seeme_bucket_generations[SEEME_NBUCKETS];
uint64		seeme_site_generation = 1;
uint64		seeme_function_generation = 1;
uint64		seeme_relation_generation = 1;
LocalTransactionId seeme_rights_changed_lxid = InvalidLocalTransactionId;
TimestampTz seeme_rights_changed_at = 0;
Oid			seeme_tables_read[SEEME_MAX_TABLES_READ];

/* The proxy tables; invalid as long as nothing was cached. */
static Oid	proxies[SEEME_NINVAL_KINDS];

StaticAssertDecl(SEEME_FIRST_BUCKET_OID + SEEME_NBUCKETS <= FirstGenbkiObjectId, "no table has the "
				 "number of a group");

void
seeme_kind_changed(SeemeInvalKind kind)
{
	seeme_generations[kind]++;
	seeme_generation++;
	seeme_site_generation++;
}

void
seeme_bucket_changed(uint32 bucket)
{
	seeme_bucket_generations[bucket] = ++seeme_generation;
	seeme_site_generation++;
}

/*
 * An invalid OID stands for every table: messages were lost. Messages for the tables that were
 * read come of ALTER TABLE, VACUUM and ANALYZE, not of changed rows.
 */
static void
relation_changed(Datum arg, Oid relid)
{
	bool		is_proxy = false;

	if (relid - SEEME_FIRST_BUCKET_OID < SEEME_NBUCKETS)
	{
		seeme_bucket_changed(relid - SEEME_FIRST_BUCKET_OID);
		return;
	}
	for (int kind = 0; kind < SEEME_NINVAL_KINDS; kind++)
		if (relid == proxies[kind] || !OidIsValid(relid))
		{
			seeme_kind_changed(kind);
			is_proxy = OidIsValid(relid);
		}
	if (!is_proxy)
		seeme_relation_generation++;
	for (int i = 0; i < SEEME_MAX_TABLES_READ && OidIsValid(relid); i++)
		if (relid == seeme_tables_read[i])
			seeme_kind_changed(SEEME_INVAL_VOCABULARY);
}

/* A role was renamed, or it owns trusted functions and is no superuser any more. */
static void
role_changed(Datum arg, int cacheid, uint32 hashvalue)
{
	seeme_kind_changed(SEEME_INVAL_RIGHTS);
	seeme_function_generation++;
}

/* Also called when privileges may have changed otherwise: by a membership in a role. */
static void
function_changed(Datum arg, int cacheid, uint32 hashvalue)
{
	seeme_function_generation++;
}

/* ANALYZE tells nothing of a table whose size is the same as before. */
static void
statistics_changed(Datum arg, int cacheid, uint32 hashvalue)
{
	seeme_relation_generation++;
}

void
seeme_inval_init(void)
{
	CacheRegisterSyscacheCallback(PROCOID, function_changed, (Datum) 0);
	CacheRegisterSyscacheCallback(AUTHMEMROLEMEM, function_changed, (Datum) 0);
	/* Its owner is a member of pg_database_owner. */
	CacheRegisterSyscacheCallback(DATABASEOID, function_changed, (Datum) 0);
	CacheRegisterRelcacheCallback(relation_changed, (Datum) 0);
	CacheRegisterSyscacheCallback(STATRELATTINH, statistics_changed, (Datum) 0);
	CacheRegisterSyscacheCallback(AUTHOID, role_changed, (Datum) 0);
}

/* Looks up the proxy tables; false: one does not exist. */
bool
seeme_find_proxies(Oid namespace)
{
	for (int kind = 0; kind < SEEME_NINVAL_KINDS; kind++)
	{
		Oid			relid = get_relname_relid(seeme_proxy_names[kind], namespace);

		if (!OidIsValid(relid))
			return false;
		if (relid != proxies[kind])
		{
			proxies[kind] = relid;
			seeme_kind_changed(kind);
		}
	}
	return true;
}

/*
 * Looks up the proxy tables. Call it before noting a generation and before reading what will be
 * cached. May throw.
 */
void
seeme_watch_proxies(Oid namespace)
{
	if (!seeme_find_proxies(namespace))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("a table of seeme_rbac that stands for changes does not exist"),
				 errhint("CREATE EXTENSION seeme_rbac first.")));
}

/* Makes sure that what is being read now is not relied on later. */
void
seeme_bump_generation(void)
{
	seeme_generation++;
	seeme_site_generation++;
}
