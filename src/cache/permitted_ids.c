/*
 * permitted_ids.c: the ids at which a principal has a code, as lists and as sets for wide scans.
 *
 * Owns no state. Must not decide: what it lists was put into the cache by bulk_load.c.
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "cache/cache.h"
#include "cache/code_bits.h"
#include "cache/effective_permissions.h"
#include "core/codes.h"
#include "core/evaluator.h"

/* Up to this many ids become a set as soon as they are listed or counted. */
#define FEW_IDS 1000

/*
 * Where more places than this lie in the principal's organizations, the ids are found by the
 * memberships if these are few. Otherwise all places are read.
 */
#define MANY_PLACES 5000
#define FEW_MEMBERSHIPS 3000

/* Sets of ids that belong to no kind of scope are cached under these in place of a code. */
#define IDS_OF_ROLES (-1)
#define IDS_OF_ORGANIZATIONS (-2)

static bool
has_code(SeemeCodeSet set, int code)
{
	return has_bit(seeme_cache_code_set(set), code);
}

/* The distinct ids of a list (pg_uuid_t *). Returns how many. */
static int
distinct_ids(List *list, pg_uuid_t **ids)
{
	SeemeUuidHash seen = {0};
	int			n = 0;
	ListCell   *cell;

	*ids = palloc_extended(sizeof(pg_uuid_t) * Max(list_length(list), 1), MCXT_ALLOC_HUGE);
	foreach(cell, list)
	{
		if (seeme_uuid_hash_find(&seen, lfirst(cell)) != NULL)
			continue;
		seeme_uuid_hash_insert(CurrentMemoryContext, &seen, lfirst(cell), 1);
		(*ids)[n++] = *(pg_uuid_t *) lfirst(cell);
	}
	return n;
}

/*
 * The roles that have an effect for a principal anywhere; NULL: none. Without room in the cache the
 * set is put into `otherwise`, in `context`: else all memberships would be read for each role that
 * is asked about.
 */
const SeemeUuidSet *
seeme_cached_role_ids(SeemeStore *store, SeemeCachedPrincipal *cached, MemoryContext context,
					  SeemeUuidSet *otherwise)
{
	const SeemeUuidSet *set;
	SeemePrincipal principal;
	List	   *memberships;
	List	   *roles;
	pg_uuid_t  *ids;
	int			n;
	ListCell   *cell;

	if (seeme_is_powerless(cached))
		return NULL;
	set = seeme_cached_find_ids(cached, SEEME_NO_SCOPE, 0, IDS_OF_ROLES);
	if (set != NULL)
		return set;
	seeme_init_from_cache(&principal, store, cached);
	roles = seeme_list_effective_roles(&principal, &memberships);
	foreach(cell, memberships)
	{
		seeme_cached_note_dates(cached, principal.now, lfirst(cell));
	}
	n = distinct_ids(roles, &ids);
	set = seeme_cached_add_ids(cached, SEEME_NO_SCOPE, 0, IDS_OF_ROLES, ids, n);
	if (set != NULL)
		return set;
	seeme_uuid_set_fill(context, otherwise, ids, n);
	return otherwise;
}

/* The organizations that a principal owns or is a member of; NULL: there is no room for them. */
const SeemeUuidSet *
seeme_cached_organization_ids(SeemeStore *store, SeemeCachedPrincipal *cached)
{
	const SeemeUuidSet *set = seeme_cached_find_ids(cached, SEEME_NO_SCOPE, 0,
													IDS_OF_ORGANIZATIONS);
	SeemePrincipal principal;
	pg_uuid_t  *ids;
	int			n;

	if (set != NULL)
		return set;
	seeme_init_from_cache(&principal, store, cached);
	n = distinct_ids(seeme_list_own_organizations(&principal), &ids);
	return seeme_cached_add_ids(cached, SEEME_NO_SCOPE, 0, IDS_OF_ORGANIZATIONS, ids, n);
}

/* Lists a set, unless ids is NULL. Returns how many ids it has. */
static int
list_set(const SeemeUuidSet *set, pg_uuid_t **ids)
{
	if (ids == NULL)
		return set->n;
	*ids = palloc_extended(sizeof(pg_uuid_t) * Max(set->n, 1), MCXT_ALLOC_HUGE);
	return seeme_uuid_set_list(set, *ids);
}

/*
 * The same as below for a principal with few memberships in large organizations; -1: the principal
 * is none. The answer is cached, however many ids there are, because it is not in the cache
 * otherwise.
 */
static int
few_in_large_organizations(SeemeStore *store, SeemeCachedPrincipal *cached, SeemeScopeKind kind,
						   int code, pg_uuid_t **ids)
{
	const SeemeUuidSet *organizations;
	MemoryContext in_turn;
	MemoryContext old;
	pg_uuid_t  *found;
	int			n;

	if (kind == SEEME_SCOPE_ORGANIZATION ||
		(organizations = seeme_cached_organization_ids(store, cached)) == NULL)
		return -1;
	in_turn = AllocSetContextCreate(CurrentMemoryContext, "seeme_rbac permitted by grants",
									ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(in_turn);
	n = seeme_permitted_by_grants(store, cached, organizations, kind, code, FEW_MEMBERSHIPS,
								  &found);
	if (n >= 0)
		(void) seeme_cached_add_ids(cached, kind, 0, code, found, n);
	MemoryContextSwitchTo(old);
	if (n >= 0 && ids != NULL)
		*ids = memcpy(palloc(sizeof(pg_uuid_t) * Max(n, 1)), found, sizeof(pg_uuid_t) * n);
	MemoryContextDelete(in_turn);
	return n;
}

/*
 * Lists the containers of a kind in which a principal has a code; with ids NULL, only counts them.
 * Returns how many; -1: there are more than `limit` places to look at.
 */
int
seeme_permitted_place_ids(SeemeStore *store, SeemeCachedPrincipal *cached, SeemeScopeKind kind,
						  int code, int limit, pg_uuid_t **ids)
{
	uint32		position = 0;
	uint32		number;
	SeemeCodeSet set;
	int			n = 0;
	int			size = 64;
	pg_uuid_t  *found;
	const SeemeUuidSet *known;

	if (seeme_is_powerless(cached))
		return 0;
	known = seeme_find_permitted_set(cached, kind, NULL, code);
	if (known != NULL)
		return list_set(known, ids);
	if (!seeme_load_all_places(store, cached, Min(limit, MANY_PLACES)))
	{
		n = few_in_large_organizations(store, cached, kind, code, ids);
		if (n >= 0)
			return n;
		n = 0;
		if (limit <= MANY_PLACES || !seeme_load_all_places(store, cached, limit))
			return -1;
	}
	found = palloc(sizeof(pg_uuid_t) * size);
	while ((number = seeme_cached_next_place(cached, &position, &set)) != 0)
	{
		const SeemePlace *place = seeme_cache_place(number);

		if (!has_code(set, code) || kind != seeme_place_kind(place))
			continue;
		if (n >= size)
			found = repalloc_huge(found, sizeof(pg_uuid_t) * (size *= 2));
		found[n++] = *seeme_place_id(place, kind);
	}
	if (n <= FEW_IDS)
		(void) seeme_cached_add_ids(cached, kind, 0, code, found, n);
	if (ids != NULL)
		*ids = found;
	else
		pfree(found);
	return n;
}

/* The same for resources of a type. */
int
seeme_permitted_resource_ids(SeemeStore *store, SeemeCachedPrincipal *cached,
							 const char *resource_type, int code, int limit, pg_uuid_t **ids)
{
	const SeemeUuidHash *hash;
	const SeemeUuidSet *known;
	int			n = 0;

	if (seeme_is_powerless(cached))
		return 0;
	known = seeme_find_permitted_set(cached, SEEME_SCOPE_RESOURCE, resource_type, code);
	if (known != NULL)
		return list_set(known, ids);
	if (!seeme_load_all_resources(store, cached, resource_type, limit))
		return -1;
	hash = &seeme_cached_resources(cached, resource_type)->entries;
	if (ids != NULL)
		*ids = palloc_extended(sizeof(pg_uuid_t) * Max(hash->used, 1), MCXT_ALLOC_HUGE);
	for (uint32 i = 0; hash->entries != NULL && i <= hash->mask; i++)
		if (hash->entries[i].number != 0 && has_code(hash->entries[i].number, code))
		{
			if (ids != NULL)
				(*ids)[n] = hash->entries[i].id;
			n++;
		}
	return n;
}

/* The number of a resource type in the cache; 0 for containers. */
static uint32
type_number(SeemeCachedPrincipal *cached, SeemeScopeKind kind, const char *resource_type)
{
	return kind == SEEME_SCOPE_RESOURCE ? seeme_cached_resources(cached, resource_type)->type : 0;
}

/* The ids at which a principal has a code, as a set; NULL: the set was not made. */
const SeemeUuidSet *
seeme_find_permitted_set(SeemeCachedPrincipal *cached, SeemeScopeKind kind,
						 const char *resource_type, int code)
{
	return seeme_cached_find_ids(cached, kind, type_number(cached, kind, resource_type), code);
}

/* The same, made if need be; NULL: there are too many ids. */
const SeemeUuidSet *
seeme_get_permitted_set(SeemeStore *store, SeemeCachedPrincipal *cached, SeemeScopeKind kind,
						const char *resource_type, int code)
{
	uint32		type = type_number(cached, kind, resource_type);
	const SeemeUuidSet *set = seeme_cached_find_ids(cached, kind, type, code);
	pg_uuid_t  *ids = NULL;
	int			n;

	if (set != NULL)
		return set;
	if (kind == SEEME_SCOPE_RESOURCE)
		n = seeme_permitted_resource_ids(store, cached, resource_type, code, SEEME_NO_LIMIT, &ids);
	else
		n = seeme_permitted_place_ids(store, cached, kind, code, SEEME_NO_LIMIT, &ids);
	set = seeme_cached_find_ids(cached, kind, type, code);	/* made on the way if they are few */
	if (n < 0 ||
		seeme_cache_bytes() + sizeof(pg_uuid_t) * 2 * (Size) n > seeme_cache_limit())
		return set;
	if (set == NULL)
		set = seeme_cached_add_ids(cached, kind, type, code, ids, n);
	if (ids != NULL)
		pfree(ids);
	return set;
}
