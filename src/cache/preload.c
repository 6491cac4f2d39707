/*
 * preload.c: what decisions take of places and people, whoever asks: where a project is, whose an organization is, and
 * whether a person exists and is not disabled.
 *
 * It is looked up one by one, as it is asked for. A session that has asked for many by then reads the table as a whole: a row
 * costs a fifteenth of a look-up so, and together the two cost at most twice what would have been best. That is what a pooled
 * connection comes to, and comes to again whenever a new project makes it forget where all of them are.
 *
 * Keeps what it finds in the cache; owns no state. Like effective_permissions.c it reads in a store that was opened after seeme_cache_open().
 */
#include "postgres.h"

#include "access/xact.h"

#include "cache/cache.h"
#include "core/invalidation.h"
#include "core/evaluator.h"
#include "cache/preload.h"
#include "core/store.h"

/* A look-up costs as much as so many rows of a table that is read as a whole. */
#define ROWS_PER_LOOKUP 15

/* It is thought about after so many look-ups, and again after each as many. */
#define LOOKUPS_BETWEEN 64

/* No more of the cache's memory than this part goes to a table. */
#define PART_OF_MEMORY 4

/*
 * Whether a table is to be read as a whole now, and if so at most how many rows of it. Not twice: what is not found then does not
 * exist, or has changed since. Not in a serializable transaction, in
 * which that would be taken for an interest in each of its rows.
 */
static int
rows_to_read(SeemeStore *store, SeemeTable table, uint32 looked_up, Size bytes_per_row)
{
	double		most = Min((double) seeme_cache_limit() / PART_OF_MEMORY / bytes_per_row, (double) PG_INT32_MAX);
	double		rows;

	if (looked_up == 0 || looked_up % LOOKUPS_BETWEEN != 0 || seeme_cache_is_preloaded(table) || IsolationIsSerializable())
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

/* Whose an organization is; false when it does not exist. */
bool
seeme_look_up_owner(SeemeStore *store, const pg_uuid_t *organization, pg_uuid_t *owner)
{
	bool		exists;
	int			rows;

	if (seeme_cache_find_owner(organization, &exists, owner))
		return exists;
	rows = rows_to_read(store, SEEME_TABLE_organizations, seeme_cache_nowners(), 4 * sizeof(pg_uuid_t));
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

typedef struct People
{
	pg_uuid_t  *ids;
	int			n;
	int			size;
} People;

static void
add_person(void *context, const SeemeUser *person)
{
	People	   *people = context;

	if (person->disabled_at != DT_NOEND || person->tokens_valid_from != DT_NOBEGIN)
		return;
	if (people->n >= people->size)
		people->ids = repalloc_huge(people->ids, sizeof(pg_uuid_t) * (people->size *= 2));
	people->ids[people->n++] = person->id;
}

/*
 * Whether it is remembered that a person exists, and has no date from which they are disabled, or tokens count. False means
 * unknown, not no.
 */
bool
seeme_is_known_active(SeemeStore *store, const pg_uuid_t *person)
{
	int			rows;

	if (seeme_cache_find_user(person))
		return true;
	rows = rows_to_read(store, SEEME_TABLE_users, seeme_cache_nprincipals(), 2 * sizeof(pg_uuid_t));
	if (rows > 0)
	{
		People		people = {palloc(sizeof(pg_uuid_t) * LOOKUPS_BETWEEN), 0, LOOKUPS_BETWEEN};

		seeme_visit_users(store, rows, add_person, &people);
		seeme_cache_set_users(people.ids, people.n);
		seeme_cache_set_preloaded(SEEME_TABLE_users);
		pfree(people.ids);
	}
	return seeme_cache_find_user(person);
}
