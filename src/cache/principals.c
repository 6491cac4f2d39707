/*
 * principals.c: the part of the cache that each principal has for itself: the codes at places and
 * resources, and the grants.
 */
#include "postgres.h"

#include "utils/hsearch.h"
#include "utils/memutils.h"

#include "cache/cache.h"
#include "cache/parts.h"
#include "core/invalidation.h"

/* Up to this many places of a principal are in a hash table. */
#define FEW_PLACES 256

/* Up to this many grants of a principal are searched one by one. */
#define FEW_GRANTS 8

/*
 * In seeme_principals_context: the principals with an API key or an actor, and the others by the
 * user's number. A number stays when its principal is forgotten.
 */
static HTAB *with_other = NULL;
static SeemeUuidHash numbers;
static SeemeCachedPrincipal **by_number = NULL;
static uint32 by_number_size = 0;
static SeemeCachedPrincipal *last_principal = NULL; /* the last one that was looked up */

void
seeme_principals_forget(void)
{
	with_other = NULL;
	memset(&numbers, 0, sizeof(numbers));
	by_number = NULL;
	by_number_size = 0;
	last_principal = NULL;
	MemoryContextReset(seeme_principals_context);
	seeme_site_generation++;
}

static void
forget_users_seen(SeemeCachedPrincipal *cached)
{
	if (cached->users_seen.memory != NULL)
		seeme_uuid_set_free(&cached->users_seen);
	memset(&cached->users_seen, 0, sizeof(cached->users_seen));
	cached->users_seen_generation = 0;
}

static void
forget_ids(SeemeCachedPrincipal *cached)
{
	for (SeemeCachedIds *known = cached->ids, *next; known != NULL; known = next)
	{
		next = known->next;
		seeme_uuid_set_free(&known->ids);
		pfree(known);
	}
	cached->ids = NULL;
	forget_users_seen(cached);
}

static void
forget_resources_of(SeemeCachedPrincipal *cached)
{
	forget_ids(cached);
	for (SeemeCachedResources *resources = cached->resources; resources != NULL;
		 resources = resources->next)
	{
		if (resources->entries.entries != NULL)
			pfree(resources->entries.entries);
		memset(&resources->entries, 0, sizeof(resources->entries));
		resources->is_complete = false;
		resources->larger_than = 0;
	}
}

/* Forgets the resources of all principals. */
void
seeme_resources_forget(void)
{
	HASH_SEQ_STATUS all;
	SeemeCachedPrincipal *cached;

	for (uint32 i = 1; i <= numbers.used; i++)
		if (by_number[i] != NULL)
			forget_resources_of(by_number[i]);
	if (with_other != NULL)
	{
		hash_seq_init(&all, with_other);
		while ((cached = hash_seq_search(&all)) != NULL)
			forget_resources_of(cached);
	}
	seeme_site_generation++;
}

/* How many principals were added since all were forgotten. */
uint32
seeme_cache_nprincipals(void)
{
	return numbers.used + (with_other == NULL ? 0 : hash_get_num_entries(with_other));
}

static SeemeCachedPrincipal *
find_principal(const SeemePrincipalKey *key)
{
	SeemeUuidHashEntry *entry;

	if (key->kind != SEEME_PLAIN_USER)
		return with_other == NULL ? NULL : hash_search(with_other, key, HASH_FIND, NULL);
	entry = seeme_uuid_hash_find(&numbers, &key->user_id);
	return entry == NULL ? NULL : by_number[entry->number];
}

/* Finds a principal; NULL: it is not cached, or not valid any more. */
SeemeCachedPrincipal *
seeme_cache_find_principal(const SeemePrincipalKey *key)
{
	SeemeCachedPrincipal *cached = last_principal;

	if (cached == NULL || !seeme_same_principal_key(&cached->key, key))
		cached = last_principal = find_principal(key);
	if (cached == NULL ||
		(seeme_bucket_generations[seeme_inval_bucket(&key->user_id)] <= cached->generation &&
		 (!cached->depends_on_other ||
		  seeme_bucket_generations[seeme_inval_bucket(&cached->other_user_id)] <=
		  cached->generation)))
		return cached;
	seeme_cache_forget_principal(cached);
	return NULL;
}

/* Where the pointer to the principal of a user without a key is. */
static SeemeCachedPrincipal **
pointer_of_user(const pg_uuid_t *user)
{
	SeemeUuidHashEntry *entry = seeme_uuid_hash_find(&numbers, user);

	if (entry != NULL)
		return &by_number[entry->number];
	if (numbers.used + 1 >= by_number_size)
	{
		uint32		size = Max(by_number_size * 2, 64);
		SeemeCachedPrincipal **grown =
		MemoryContextAllocExtended(seeme_principals_context,
								   sizeof(SeemeCachedPrincipal *) * size,
								   MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);

		if (by_number != NULL)
		{
			memcpy(grown, by_number, sizeof(SeemeCachedPrincipal *) * by_number_size);
			pfree(by_number);
		}
		by_number = grown;
		by_number_size = size;
	}
	seeme_uuid_hash_insert(seeme_principals_context, &numbers, user, numbers.used + 1);
	return &by_number[numbers.used];
}

/* Adds a principal, of which nothing may have been read before seeme_cache_evict(). */
SeemeCachedPrincipal *
seeme_cache_add_principal(const SeemePrincipalKey *key)
{
	SeemeCachedPrincipal *cached;

	if (key->kind != SEEME_PLAIN_USER)
	{
		if (with_other == NULL)
		{
			HASHCTL		control = {.keysize = sizeof(SeemePrincipalKey),
				.entrysize = sizeof(SeemeCachedPrincipal),
			.hcxt = seeme_principals_context};

			with_other = hash_create("seeme_rbac viewers", 64, &control,
									 HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
		}
		cached = hash_search(with_other, key, HASH_ENTER, NULL);
	}
	else
	{
		SeemeCachedPrincipal **place = pointer_of_user(&key->user_id);

		cached = *place = MemoryContextAlloc(seeme_principals_context,
											 sizeof(SeemeCachedPrincipal));
	}
	memset(cached, 0, sizeof(SeemeCachedPrincipal));
	cached->key = *key;
	cached->generation = seeme_cache_generation();
	cached->next_change = DT_NOEND;
	cached->tokens_valid_from = DT_NOBEGIN;
	seeme_cache_has_grown = true;
	return cached;
}

/* Forgets a principal: a date has passed, or something about it has changed. */
void
seeme_cache_forget_principal(SeemeCachedPrincipal *cached)
{
	for (uint32 i = 0; i < cached->ngrants; i++)
		pfree(cached->all_grants[i]);
	if (cached->all_grants != NULL)
		pfree(cached->all_grants);
	if (cached->grants_numbers.entries != NULL)
		pfree(cached->grants_numbers.entries);
	if (cached->key_codes != NULL)
		pfree(cached->key_codes);
	for (SeemeCachedResources *resources = cached->resources, *next; resources != NULL;
		 resources = next)
	{
		next = resources->next;
		if (resources->entries.entries != NULL)
			pfree(resources->entries.entries);
		pfree(resources);
	}
	forget_ids(cached);
	if (cached->sets.all != NULL)
		pfree(cached->sets.all);
	last_principal = NULL;
	if (cached->key.kind != SEEME_PLAIN_USER)
		hash_search(with_other, &cached->key, HASH_REMOVE, NULL);
	else
	{
		*pointer_of_user(&cached->key.user_id) = NULL;
		pfree(cached);
	}
	seeme_site_generation++;
}

static void
put_few(SeemeCachedPrincipal *cached, uint32 place, SeemeCodeSet set)
{
	SeemePlaceCodes *few = cached->sets.few;
	uint32		i = (place * 2654435769u) & (cached->size - 1);

	while (few[i].place != 0 && few[i].place != place)
		i = (i + 1) & (cached->size - 1);
	if (few[i].place == 0)
		cached->used++;
	few[i].place = place;
	few[i].set = set;
}

/* Doubles the hash table. */
static void
grow_few(SeemeCachedPrincipal *cached)
{
	SeemePlaceCodes *old = cached->sets.few;
	uint32		old_size = cached->size;
	uint32		size = Max(old_size * 2, 4);

	cached->sets.few = MemoryContextAllocZero(seeme_principals_context,
											  sizeof(SeemePlaceCodes) * size);
	cached->size = size;
	cached->used = 0;
	for (uint32 i = 0; i < old_size; i++)
		if (old[i].place != 0)
			put_few(cached, old[i].place, old[i].set);
	if (old != NULL)
		pfree(old);
}

/* Makes an array with room for the place with this number. */
static void
make_flat(SeemeCachedPrincipal *cached, uint32 place)
{
	uint32		size = Max(seeme_cache_places_size(), place + 1);
	SeemeCodeSet *all = MemoryContextAllocExtended(seeme_principals_context,
												   sizeof(SeemeCodeSet) * size,
												   MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);

	if (cached->is_flat)
		memcpy(all, cached->sets.all, sizeof(SeemeCodeSet) * cached->size);
	else
		for (uint32 i = 0; i < cached->size; i++)
			all[cached->sets.few[i].place] = cached->sets.few[i].set;
	if (cached->sets.all != NULL)
		pfree(cached->sets.all);
	cached->sets.all = all;
	cached->size = size;
	cached->is_flat = true;
}

/* Sets the codes in a place; false: there is no room. */
bool
seeme_cached_set_codes(SeemeCachedPrincipal *cached, uint32 place, SeemeCodeSet set)
{
	if (cached->is_flat ? place >= cached->size : (cached->used + 1) * 2 > cached->size)
	{
		if (!cached->is_flat && cached->used < FEW_PLACES)
			grow_few(cached);
		else if (seeme_cache_fits(sizeof(SeemeCodeSet) *
								  Max(seeme_cache_places_size(), (Size) place + 1)))
			make_flat(cached, place);
		else
			return false;
	}
	seeme_cache_has_grown = true;
	if (cached->is_flat)
		cached->sets.all[place] = set;
	else
		put_few(cached, place, set);
	return true;
}

/* Sets the codes that the API key allows. */
void
seeme_cached_set_key_codes(SeemeCachedPrincipal *cached, const uint64 *words)
{
	Size		size = sizeof(uint64) * seeme_cache_nwords();

	cached->key_codes = memcpy(MemoryContextAlloc(seeme_principals_context, size), words, size);
}

/* The position of an organization's grants, from 1; 0: they are not cached. */
static uint32
number_of_grants(const SeemeCachedPrincipal *cached, const pg_uuid_t *organization_id)
{
	SeemeUuidHashEntry *entry;

	if (cached->ngrants > FEW_GRANTS)
	{
		entry = seeme_uuid_hash_find(&cached->grants_numbers, organization_id);
		return entry == NULL ? 0 : entry->number;
	}
	for (uint32 i = cached->ngrants; i > 0; i--)
		if (seeme_uuid_equal(&cached->all_grants[i - 1]->organization_id, organization_id))
			return i;
	return 0;
}

/* NULL: they are not cached. */
SeemeCachedGrants *
seeme_cached_find_grants(SeemeCachedPrincipal *cached, const pg_uuid_t *organization_id)
{
	uint32		number = number_of_grants(cached, organization_id);

	return number == 0 ? NULL : cached->all_grants[number - 1];
}

/* Makes room for one more. */
static void
grow_grants(SeemeCachedPrincipal *cached)
{
	Size		size = Max((Size) cached->grants_size * 2, 4);
	SeemeCachedGrants **grown = MemoryContextAllocExtended(seeme_principals_context,
														   sizeof(SeemeCachedGrants *) * size,
														   MCXT_ALLOC_HUGE);

	if (cached->all_grants != NULL)
	{
		memcpy(grown, cached->all_grants, sizeof(SeemeCachedGrants *) * cached->ngrants);
		pfree(cached->all_grants);
	}
	cached->all_grants = grown;
	cached->grants_size = size;
}

/* Adds empty grants, which replace older ones, for the caller to fill; NULL: there is no room. */
SeemeCachedGrants *
seeme_cached_add_grants(SeemeCachedPrincipal *cached,
						const pg_uuid_t *organization_id, int nmemberships)
{
	uint32		number = number_of_grants(cached, organization_id);
	Size		size = offsetof(SeemeCachedGrants, memberships) +
	sizeof(SeemeCachedMembership) * nmemberships;
	bool		grows = number == 0 && cached->ngrants >= cached->grants_size;
	SeemeCachedGrants *grants;

	if (!seeme_cache_fits(size +
						  (grows ? sizeof(SeemeCachedGrants *) * 2 * cached->grants_size : 0) +
						  (number == 0 && cached->ngrants >= FEW_GRANTS
						   ? seeme_uuid_hash_growth(&cached->grants_numbers)
						   : 0)))
		return NULL;
	grants = MemoryContextAllocExtended(seeme_principals_context, size,
										MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	grants->organization_id = *organization_id;
	grants->nmemberships = nmemberships;
	if (number != 0)
	{
		pfree(cached->all_grants[number - 1]);
		cached->all_grants[number - 1] = grants;
	}
	else
	{
		if (grows)
			grow_grants(cached);
		cached->all_grants[cached->ngrants++] = grants;
		if (cached->ngrants > FEW_GRANTS)
			for (uint32 i = cached->ngrants == FEW_GRANTS + 1 ? 1 : cached->ngrants;
				 i <= cached->ngrants; i++)
				seeme_uuid_hash_insert(seeme_principals_context, &cached->grants_numbers,
									   &cached->all_grants[i - 1]->organization_id, i);
	}
	seeme_cache_has_grown = true;
	return grants;
}

/*
 * The next place whose codes are known, and the codes; 0 after the last one. *position is 0 at
 * first.
 */
uint32
seeme_cached_next_place(const SeemeCachedPrincipal *cached, uint32 *position, SeemeCodeSet *set)
{
	while (*position < cached->size)
	{
		uint32		i = (*position)++;

		*set = cached->is_flat ? cached->sets.all[i] : cached->sets.few[i].set;
		if (*set != SEEME_UNKNOWN_CODE_SET)
			return cached->is_flat ? i : cached->sets.few[i].place;
	}
	return 0;
}

/* Resources */

/* The cached resources of a type. */
SeemeCachedResources *
seeme_cached_resources(SeemeCachedPrincipal *cached, const char *resource_type)
{
	uint32		type = seeme_cache_number_of_type(resource_type);
	SeemeCachedResources *resources;

	for (resources = cached->resources; resources != NULL; resources = resources->next)
		if (resources->type == type)
			return resources;
	resources = MemoryContextAllocZero(seeme_principals_context, sizeof(SeemeCachedResources));
	resources->type = type;
	resources->next = cached->resources;
	cached->resources = resources;
	return resources;
}

/* Adds a resource that is not there yet, if there is room. */
void
seeme_cached_resources_add(SeemeCachedResources *resources, const pg_uuid_t *id, SeemeCodeSet set)
{
	if (!seeme_cache_fits(seeme_uuid_hash_growth(&resources->entries)))
		return;
	seeme_uuid_hash_insert(seeme_principals_context, &resources->entries, id, set);
	seeme_cache_has_grown = true;
}

/* Replaces the resources by the complete list; false: there is no room. */
bool
seeme_cached_resources_set_complete(SeemeCachedResources *resources, const SeemeUuidHash *loaded)
{
	Size		size = loaded->entries == NULL ? 0
	: sizeof(SeemeUuidHashEntry) * ((Size) loaded->mask + 1);
	SeemeUuidHash copy = *loaded;

	if (!seeme_cache_fits(size))
		return false;
	if (size > 0)
	{
		copy.entries = MemoryContextAllocExtended(seeme_principals_context, size, MCXT_ALLOC_HUGE);
		memcpy(copy.entries, loaded->entries, size);
	}
	if (resources->entries.entries != NULL)
		pfree(resources->entries.entries);
	resources->entries = copy;
	resources->is_complete = true;
	seeme_cache_has_grown = true;
	return true;
}

/* Ids at which a principal has one code */

const SeemeUuidSet *
seeme_cached_find_ids(SeemeCachedPrincipal *cached, SeemeScopeKind kind, uint32 type, int code)
{
	SeemeCachedIds *known;

	for (known = cached->ids; known != NULL; known = known->next)
		if (known->kind == kind && known->type == type && known->code == code)
			return &known->ids;
	return NULL;
}

/* NULL: there is no room. */
const SeemeUuidSet *
seeme_cached_add_ids(SeemeCachedPrincipal *cached, SeemeScopeKind kind,
					 uint32 type, int code, const pg_uuid_t *values, int n)
{
	SeemeCachedIds *known;

	if (!seeme_cache_fits(seeme_uuid_set_size(n)))
		return NULL;
	known = MemoryContextAllocZero(seeme_principals_context, sizeof(SeemeCachedIds));
	known->kind = kind;
	known->type = type;
	known->code = code;
	seeme_uuid_set_fill(seeme_principals_context, &known->ids, values, n);
	seeme_cache_has_grown = true;
	known->next = cached->ids;
	cached->ids = known;
	return &known->ids;
}

/* The users that a principal sees; NULL: unknown, or something has changed since. */
const SeemeUuidSet *
seeme_cached_find_users_seen(const SeemeCachedPrincipal *cached)
{
	return cached->users_seen_generation != 0 &&
		cached->users_seen_generation == seeme_cache_generation() ? &cached->users_seen : NULL;
}

/*
 * Sets the users that a principal sees, as read since the last seeme_cache_open(). Older ones are
 * freed: seeme_site_generation has moved since a call site could point to them. NULL: there is no
 * room.
 */
const SeemeUuidSet *
seeme_cached_set_users_seen(SeemeCachedPrincipal *cached, const pg_uuid_t *ids, int n)
{
	forget_users_seen(cached);
	if (!seeme_cache_fits(seeme_uuid_set_size(n)))
		return NULL;
	seeme_uuid_set_fill(seeme_principals_context, &cached->users_seen, ids, n);
	seeme_cache_has_grown = true;
	cached->users_seen_generation = seeme_cache_generation();
	return &cached->users_seen;
}
