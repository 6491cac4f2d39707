/*
 * places.c: the part of the cache that all principals share: where containers lie, who owns the
 * organizations, and which users are active.
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "cache/cache.h"
#include "cache/parts.h"
#include "core/invalidation.h"

typedef struct CachedOwner
{
	bool		exists;
	pg_uuid_t	owner;
} CachedOwner;

SeemeUuidHash seeme_cache_places[SEEME_NCONTAINERS + 1];

/* In seeme_places_context */
static SeemeUuidHash owner_numbers; /* by organization: the position in `owners`, from 1 */
static CachedOwner *owners = NULL;
static uint32 owners_size = 0;
static SeemePlace *places = NULL;	/* by number */
static uint32 nplaces = 0;
static uint32 places_size = 0;

/* In seeme_users_context: the users who exist and have no date on which they are disabled */
static SeemeUuidSet active_users = {0};
static uint64 users_generation = 0;

/* The tables that were read as a whole. */
static bool is_preloaded[SEEME_NTABLES];

void
seeme_places_forget(void)
{
	is_preloaded[SEEME_TABLE_organizations] = false;
	for (SeemeScopeKind kind = SEEME_SCOPE_ORGANIZATION; kind <= SEEME_NCONTAINERS; kind++)
		is_preloaded[seeme_scope_descriptors[kind].table] = false;
	places = NULL;
	memset(&owner_numbers, 0, sizeof(owner_numbers));
	owners = NULL;
	owners_size = 0;
	nplaces = places_size = 0;
	memset(seeme_cache_places, 0, sizeof(seeme_cache_places));
	MemoryContextReset(seeme_places_context);
}

void
seeme_users_forget(void)
{
	is_preloaded[SEEME_TABLE_users] = false;
	memset(&active_users, 0, sizeof(active_users));
	MemoryContextReset(seeme_users_context);
}

/* Places, numbered from 1 */

/* Adds a place. Returns its number; 0: there is no room. */
uint32
seeme_cache_add_place(SeemeScopeKind kind, const pg_uuid_t *id, const SeemePlace *place)
{
	bool		grows = nplaces + 1 >= places_size;
	Size		size = !grows ? places_size : Max((Size) places_size * 2, 64);

	if (size > PG_INT32_MAX ||
		!seeme_cache_fits((grows ? sizeof(SeemePlace) * size : 0) +
						  seeme_uuid_hash_growth(&seeme_cache_places[kind])))
		return 0;
	if (grows)
	{
		SeemePlace *grown = MemoryContextAllocExtended(seeme_places_context,
													   sizeof(SeemePlace) * size,
													   MCXT_ALLOC_HUGE);

		if (places != NULL)
		{
			memcpy(grown, places, sizeof(SeemePlace) * (nplaces + 1));
			pfree(places);
		}
		places = grown;
		places_size = size;
	}
	seeme_uuid_hash_insert(seeme_places_context, &seeme_cache_places[kind], id, nplaces + 1);
	seeme_cache_has_grown = true;
	nplaces++;
	places[nplaces] = *place;
	return nplaces;
}

const SeemePlace *
seeme_cache_place(uint32 number)
{
	return &places[number];
}

uint32
seeme_cache_nplaces(void)
{
	return nplaces;
}

/* The number of places that there is memory for. */
uint32
seeme_cache_places_size(void)
{
	return places_size;
}

/* The owner of an organization, and whether it exists; false: the cache does not know. */
bool
seeme_cache_find_owner(const pg_uuid_t *organization, bool *exists, pg_uuid_t *owner)
{
	SeemeUuidHashEntry *entry = seeme_uuid_hash_find(&owner_numbers, organization);

	if (entry == NULL)
		return false;
	*exists = owners[entry->number - 1].exists;
	*owner = owners[entry->number - 1].owner;
	return true;
}

void
seeme_cache_add_owner(const pg_uuid_t *organization, bool exists, const pg_uuid_t *owner)
{
	SeemeUuidHashEntry *entry = seeme_uuid_hash_find(&owner_numbers, organization);
	uint32		number = entry != NULL ? entry->number : owner_numbers.used + 1;
	bool		grows = number > owners_size;
	Size		size = !grows ? owners_size : Max((Size) owners_size * 2, 32);
	CachedOwner *owner_entry;

	if (entry == NULL && !seeme_cache_fits((grows ? sizeof(CachedOwner) * size : 0) +
										   seeme_uuid_hash_growth(&owner_numbers)))
		return;
	if (grows)
	{
		CachedOwner *grown = MemoryContextAllocExtended(seeme_places_context,
														sizeof(CachedOwner) * size,
														MCXT_ALLOC_HUGE);

		if (owners != NULL)
		{
			memcpy(grown, owners, sizeof(CachedOwner) * owners_size);
			pfree(owners);
		}
		owners = grown;
		owners_size = size;
	}
	if (entry == NULL)
		seeme_uuid_hash_insert(seeme_places_context, &owner_numbers, organization, number);
	seeme_cache_has_grown = true;
	owner_entry = &owners[number - 1];
	memset(owner_entry, 0, sizeof(*owner_entry));
	owner_entry->exists = exists;
	if (exists)
		owner_entry->owner = *owner;
}

uint32
seeme_cache_nowners(void)
{
	return owner_numbers.used;
}

bool
seeme_cache_is_preloaded(SeemeTable table)
{
	return is_preloaded[table];
}

void
seeme_cache_set_preloaded(SeemeTable table)
{
	is_preloaded[table] = true;
}

/* Users */

/* Whether a user is known to be active. False means unknown, not no. */
bool
seeme_cache_find_user(const pg_uuid_t *user)
{
	return active_users.lines != NULL &&
		seeme_bucket_generations[seeme_inval_bucket(user)] <= users_generation &&
		seeme_uuid_set_contains(&active_users, user);
}

/* Takes all active users, as they were read since seeme_cache_evict(). */
void
seeme_cache_set_users(const pg_uuid_t *ids, int n)
{
	seeme_users_forget();
	seeme_uuid_set_fill(seeme_users_context, &active_users, ids, n);
	users_generation = seeme_cache_generation();
	seeme_cache_has_grown = true;
}
