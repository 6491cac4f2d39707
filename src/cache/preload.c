/*
 * preload.c: places, owners and active users: looked up one by one, or read as a whole table.
 *
 * A session that has looked up many rows reads the table as a whole. A row then costs a fifteenth
 * of a look-up, so that both together cost at most twice the cheaper of the two. A pooled
 * connection gets there soon, and again whenever a new project makes it forget all places.
 *
 * Owns no state: what it finds goes into the cache. It reads in a store that was opened by
 * seeme_cache_open().
 */
#include "postgres.h"

#include "access/xact.h"

#include "cache/cache.h"
#include "core/invalidation.h"
#include "core/evaluator.h"
#include "cache/preload.h"
#include "core/store.h"

/* One look-up costs as much as this many rows of a table scan. */
#define ROWS_PER_LOOKUP 15

/* Preloading is considered after every so many look-ups. */
#define LOOKUPS_BETWEEN 64

/* A table may take 1/PART_OF_MEMORY of the cache's memory. */
#define PART_OF_MEMORY 4

/*
 * The most rows to read if a table is to be preloaded now; else 0. A table is preloaded once: a
 * row that is missing then does not exist, or has changed since. A serializable transaction never
 * preloads, because a table scan would conflict with every writer.
 */
static int
rows_to_read(SeemeStore *store, SeemeTable table, uint32 looked_up, Size bytes_per_row)
{
	double		most = Min((double) seeme_cache_limit() / PART_OF_MEMORY / bytes_per_row,
						   (double) PG_INT32_MAX);
	double		rows;

	if (looked_up == 0 || looked_up % LOOKUPS_BETWEEN != 0 || seeme_cache_is_preloaded(table) ||
		IsolationIsSerializable())
		return 0;
	rows = seeme_estimate_rows(store, table);
	return rows > most || rows > (double) looked_up * ROWS_PER_LOOKUP ? 0 : (int) most;
}

static void
add_place(void *context, const SeemePlace *place)
{
	SeemeScopeKind kind = *(SeemeScopeKind *) context;
	const pg_uuid_t *id = seeme_place_id(place, kind);

	if (seeme_uuid_hash_find(&seeme_cache_places[kind], id) == NULL)
		(void) seeme_cache_add_place(kind, id, place);
}

static void
add_organization(void *context, const pg_uuid_t *organization, const pg_uuid_t *owner)
{
	seeme_cache_add_owner(organization, true, owner);
}

/* The place of a container; all zeroes when it does not exist. */
void
seeme_look_up_place(SeemeStore *store, SeemeScopeKind kind, const pg_uuid_t *id, SeemePlace *place)
{
	if (seeme_scope_descriptors[kind].is_preloaded)
	{
		SeemeTable	table = seeme_scope_descriptors[kind].table;
		int			rows = rows_to_read(store, table, seeme_cache_nplaces(),
										sizeof(SeemePlace) + 2 * sizeof(SeemeUuidHashEntry));
		SeemeUuidHashEntry *entry;

		if (rows > 0)
		{
			seeme_visit_places(store, kind, rows, add_place, &kind);
			seeme_cache_set_preloaded(table);
		}
		entry = seeme_uuid_hash_find(&seeme_cache_places[kind], id);
		if (entry != NULL)
		{
			*place = *seeme_cache_place(entry->number);
			return;
		}
	}
	(void) seeme_read_place(store, kind, id, place);
}

/* The owner of an organization; false when it does not exist. */
bool
seeme_look_up_owner(SeemeStore *store, const pg_uuid_t *organization, pg_uuid_t *owner)
{
	bool		exists;
	int			rows;

	if (seeme_cache_find_owner(organization, &exists, owner))
		return exists;
	rows = rows_to_read(store, SEEME_TABLE_organizations, seeme_cache_nowners(),
						4 * sizeof(pg_uuid_t));
	if (rows > 0)
	{
		seeme_visit_organizations(store, rows, add_organization, NULL);
		seeme_cache_set_preloaded(SEEME_TABLE_organizations);
	}
	if (seeme_cache_find_owner(organization, &exists, owner))
		return exists;
	exists = seeme_read_owner(store, organization, owner);
	seeme_cache_add_owner(organization, exists, owner);
	return exists;
}

typedef struct ActiveUsers
{
	pg_uuid_t  *ids;
	int			n;
	int			size;
} ActiveUsers;

static void
add_user(void *context, const SeemeUser *user)
{
	ActiveUsers *users = context;

	if (user->disabled_at != DT_NOEND || user->tokens_valid_from != DT_NOBEGIN)
		return;
	if (users->n >= users->size)
		users->ids = repalloc_huge(users->ids, sizeof(pg_uuid_t) * (users->size *= 2));
	users->ids[users->n++] = user->id;
}

/*
 * Whether a user is known to exist, and to have no date on which they are disabled or from which
 * tokens count. False means unknown, not no.
 */
bool
seeme_is_known_active(SeemeStore *store, const pg_uuid_t *user)
{
	int			rows;

	if (seeme_cache_find_user(user))
		return true;
	rows = rows_to_read(store, SEEME_TABLE_users, seeme_cache_nprincipals(), 2 * sizeof(pg_uuid_t));
	if (rows > 0)
	{
		ActiveUsers users = {palloc(sizeof(pg_uuid_t) * LOOKUPS_BETWEEN), 0, LOOKUPS_BETWEEN};

		seeme_visit_users(store, rows, add_user, &users);
		seeme_cache_set_users(users.ids, users.n);
		seeme_cache_set_preloaded(SEEME_TABLE_users);
		pfree(users.ids);
	}
	return seeme_cache_find_user(user);
}
