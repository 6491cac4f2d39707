/*
 * effective_permissions.c: the codes that a principal has in one place, or on one resource.
 *
 * Puts decisions into the cache. Must not decide: evaluator.c says which memberships have an
 * effect. Owns no state. Everything is read in a store that was opened by seeme_cache_open(). If
 * anything changes meanwhile, the next seeme_cache_open() forgets what was put here.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/memutils.h"

#include "cache/cache.h"
#include "cache/code_bits.h"
#include "cache/effective_permissions.h"
#include "cache/preload.h"
#include "core/codes.h"
#include "core/evaluator.h"
#include "core/store.h"

/*
 * A resource in more projects than FEW_ASSIGNMENTS has them decided one after the other, in memory
 * that is reused. Each project is cached only while at least 1/PART_FOR_PROJECTS of the cache's
 * memory is free.
 */
#define FEW_ASSIGNMENTS 8
#define PART_FOR_PROJECTS 2

/* The grants in one organization may take 1/PART_FOR_GRANTS of the cache's memory. */
#define PART_FOR_GRANTS 8

/* Adds the codes of a role. */
static void
add_role_codes(uint64 *words, SeemeStore *store, const pg_uuid_t *role_id)
{
	SeemeCodeSet set = seeme_cache_find_role(role_id);
	SeemeRole  *role;
	uint64	   *covered;

	if (set != SEEME_UNKNOWN_CODE_SET)
	{
		add_words(words, seeme_cache_code_set(set));
		return;
	}
	role = seeme_read_role(store, role_id);
	covered = seeme_empty_code_bits();
	if (role != NULL)
		add_covered_codes(covered, role->ncodes, role->codes);
	if (!seeme_cache_code_sets_are_scarce())
		set = seeme_cache_intern(covered);
	if (set != SEEME_UNKNOWN_CODE_SET)
		seeme_cache_add_role(role_id, set);
	add_words(words, covered);
	pfree(covered);
}

static int
compare_scope_with_cached(const void *scope, const void *membership)
{
	const SeemeCachedMembership *m = membership;

	return seeme_compare_scope(scope, m->kind, &m->scope_id);
}

/*
 * Expands cached grants into the evaluator's form, as far as they can apply to a place. All of them
 * are current: the cached principal is forgotten on the first date that changes one.
 */
static void
expand_grants(const SeemeCachedGrants *known, const SeemePlace *place,
			  SeemeExpandedGrants *expanded)
{
	SeemeGrants *grants = &expanded->grants;
	SeemeScope	scopes[SEEME_NCONTAINERS];
	int			nscopes = seeme_scopes_of_place(place, scopes);

	memset(grants, 0, sizeof(*grants));
	grants->organization_id = known->organization_id;
	grants->is_owner = known->is_owner;
	grants->is_member = known->is_member;
	grants->place = *place;
	grants->memberships = expanded->memberships;
	for (int i = 0; i < nscopes && known->nmemberships > 0; i++)
	{
		const SeemeCachedMembership *from =
		bsearch(&scopes[i], known->memberships, known->nmemberships,
				sizeof(SeemeCachedMembership), compare_scope_with_cached);
		SeemeMembership *to = &grants->memberships[grants->nmemberships];

		if (from == NULL)
			continue;
		memset(to, 0, sizeof(*to));
		to->organization_id = known->organization_id;
		to->kind = from->kind;
		to->scope_id = from->scope_id;
		to->has_role = true;
		to->role_id = from->role_id;
		to->valid_from = DT_NOBEGIN;
		to->valid_until = DT_NOEND;
		grants->nmemberships++;
	}
}

/* Puts grants into the cache, with those memberships that have an effect now. */
static void
cache_grants(SeemePrincipal *principal, SeemeCachedPrincipal *cached, const SeemeGrants *grants)
{
	SeemeCachedGrants *known = NULL;
	int			n = 0;

	if (grants->is_whole)
		known = seeme_cached_add_grants(cached, &grants->organization_id, grants->nmemberships);
	if (known != NULL)
	{
		for (int i = 0; i < grants->nmemberships; i++)
		{
			const SeemeMembership *from = &grants->memberships[i];
			SeemeCachedMembership *to = &known->memberships[n];

			if (seeme_membership_state(principal, grants, from) != SEEME_MEMBERSHIP_EFFECTIVE)
				continue;
			to->kind = from->kind;
			to->scope_id = from->scope_id;
			to->role_id = from->role_id;
			n++;
		}
		known->is_whole = true;
	}
	else
		known = seeme_cached_add_grants(cached, &grants->organization_id, 0);
	if (known == NULL)
		return;
	known->is_large = grants->is_whole && !known->is_whole;
	known->is_owner = grants->is_owner;
	known->is_member = grants->is_member;
	known->nmemberships = n;
}

/* Adds the codes that some grants give in a place. */
static void
add_codes(SeemePrincipal *principal, SeemeCachedPrincipal *cached, const SeemePlace *place,
		  const SeemeGrants *grants, uint64 *words)
{
	bool		everything;
	SeemeMembership *memberships[SEEME_NCONTAINERS];
	int			nmemberships = seeme_effective_memberships(principal, grants, place, memberships,
														   &everything);

	if (everything)
		for (int i = 0; i < seeme_cache_ncodes(); i++)
			add_bit(words, i);
	for (int i = 0; i < nmemberships; i++)
		add_role_codes(words, principal->store, &memberships[i]->role_id);
	if (cached->key_codes != NULL)
		for (int i = 0; i < seeme_cache_nwords(); i++)
			words[i] &= cached->key_codes[i];
}

/* The most memberships in one organization that the cache takes. */
static int
max_memberships(void)
{
	return Min(seeme_cache_limit() / PART_FOR_GRANTS / sizeof(SeemeCachedMembership),
			   (Size) PG_INT32_MAX - 1);
}

/*
 * The grants in the organization of a place, as far as they can apply there: from the cache, put
 * into `expanded`, or read.
 *
 * A principal with many grants in an organization has them read for one place at first. When
 * another place is asked about, all of them are read, if they may be cached; else those for each
 * place.
 */
static const SeemeGrants *
grants_at(SeemePrincipal *principal, SeemeCachedPrincipal *cached, const SeemePlace *place,
		  SeemeExpandedGrants *expanded)
{
	const pg_uuid_t *organization_id = seeme_place_organization(place);
	SeemeCachedGrants *known = seeme_cached_find_grants(cached, organization_id);
	SeemeGrants *grants = NULL;

	if (known != NULL && known->is_whole)
	{
		expand_grants(known, place, expanded);
		return &expanded->grants;
	}
	if (known != NULL && !known->is_large)
	{
		/* cache_grants() corrects this. Without room for them they are not read again in vain. */
		known->is_large = true;
		grants = seeme_read_grants(principal, organization_id, seeme_look_up_owner,
								   max_memberships());
		if (grants != NULL)
			cache_grants(principal, cached, grants);
	}
	if (grants == NULL)
	{
		grants = seeme_read_grants_at(principal, place, seeme_look_up_owner);
		if (known == NULL)
			cache_grants(principal, cached, grants);
	}
	seeme_cached_note_dates_of_grants(cached, principal->now, grants);
	return grants;
}

/* Puts the codes in a place into the cache; false: there is no room. */
static bool
cache_codes(SeemeCachedPrincipal *cached, SeemeScopeKind kind, const pg_uuid_t *id,
			const SeemePlace *place, const uint64 *words)
{
	SeemeUuidHashEntry *entry = seeme_uuid_hash_find(&seeme_cache_places[kind], id);
	uint32		number = entry != NULL ? entry->number : seeme_cache_add_place(kind, id, place);
	SeemeCodeSet set = number != 0 ? seeme_cache_intern(words) : SEEME_UNKNOWN_CODE_SET;

	return set != SEEME_UNKNOWN_CODE_SET && seeme_cached_set_codes(cached, number, set);
}

/*
 * Puts the codes that some grants give in a place into the cache, using `words` for them; false:
 * there is no room.
 */
bool
seeme_cache_place_codes(SeemePrincipal *principal, SeemeCachedPrincipal *cached,
						SeemeScopeKind kind, const SeemePlace *place, const SeemeGrants *grants,
						uint64 *words)
{
	CHECK_FOR_INTERRUPTS();
	memset(words, 0, sizeof(uint64) * seeme_cache_nwords());
	add_codes(principal, cached, place, grants, words);
	return cache_codes(cached, kind, seeme_place_id(place, kind), place, words);
}

/* Adds the codes in a container from the cache; false: they are not there. */
static bool
find_codes(SeemeCachedPrincipal *cached, SeemeScopeKind kind, const pg_uuid_t *id, uint64 *words)
{
	SeemeUuidHashEntry *entry = seeme_uuid_hash_find(&seeme_cache_places[kind], id);
	SeemeCodeSet set = entry == NULL ? SEEME_UNKNOWN_CODE_SET :
	seeme_cached_codes(cached, entry->number);

	if (set != SEEME_UNKNOWN_CODE_SET)
		add_words(words, seeme_cache_code_set(set));
	return set != SEEME_UNKNOWN_CODE_SET || cached->is_complete;
}

/* The place of a container, from the cache or read; all zeroes when it does not exist. */
static void
find_place(SeemeStore *store, SeemeScopeKind kind, const pg_uuid_t *id, SeemePlace *place)
{
	SeemeUuidHashEntry *entry = seeme_uuid_hash_find(&seeme_cache_places[kind], id);

	if (entry != NULL)
		*place = *seeme_cache_place(entry->number);
	else
		seeme_look_up_place(store, kind, id, place);
}

/* Adds the codes in a container, from the cache or read. Caches what was read if `use_cache`. */
static void
read_codes(SeemePrincipal *principal, SeemeCachedPrincipal *cached, SeemeScopeKind kind,
		   const pg_uuid_t *id, bool use_cache, uint64 *words)
{
	SeemeExpandedGrants expanded;
	SeemePlace	place;
	uint64	   *read;

	if (find_codes(cached, kind, id, words))
		return;
	find_place(principal->store, kind, id, &place);
	read = seeme_empty_code_bits();
	if (seeme_place_id(&place, kind) != NULL)
		add_codes(principal, cached, &place, grants_at(principal, cached, &place, &expanded), read);
	if (use_cache)
		(void) cache_codes(cached, kind, id, &place, read);
	add_words(words, read);
	pfree(read);
}

/*
 * The place of a container, and the grants that can apply there: from the cache, put into
 * `expanded`, or read. NULL: there is no such container.
 */
const SeemeGrants *
seeme_cached_grants_at(SeemePrincipal *principal, SeemeCachedPrincipal *cached,
					   SeemeScopeKind kind, const pg_uuid_t *id, SeemePlace *place,
					   SeemeExpandedGrants *expanded)
{
	find_place(principal->store, kind, id, place);
	/* Look again: finding it may have preloaded the table. */
	if (seeme_uuid_hash_find(&seeme_cache_places[kind], id) == NULL)
		(void) seeme_cache_add_place(kind, id, place);
	if (seeme_place_id(place, kind) == NULL)
		return NULL;
	return grants_at(principal, cached, place, expanded);
}

/*
 * Whether a principal owns the organization that a container lies in, or is a current member of it;
 * false when there is no such container.
 */
bool
seeme_cached_is_member(SeemeStore *store, SeemeCachedPrincipal *cached, SeemeScopeKind kind,
					   const pg_uuid_t *id)
{
	SeemePrincipal principal;
	const SeemeGrants *grants;
	SeemeExpandedGrants expanded;
	SeemePlace	place;

	if (seeme_is_powerless(cached))
		return false;
	seeme_init_from_cache(&principal, store, cached);
	grants = seeme_cached_grants_at(&principal, cached, kind, id, &place, &expanded);
	return grants != NULL && seeme_belongs(grants);
}

/* Adds the codes that a principal has in a container to some bits (seeme_empty_code_bits()). */
void
seeme_add_codes_in_place(SeemeStore *store, SeemeCachedPrincipal *cached, SeemeScopeKind kind,
						 const pg_uuid_t *id, uint64 *words)
{
	SeemePrincipal principal;

	if (seeme_is_powerless(cached) || find_codes(cached, kind, id, words))
		return;
	seeme_init_from_cache(&principal, store, cached);
	read_codes(&principal, cached, kind, id, true, words);
}

/* Whether a principal has a code in a container, by the code's number in the cache. */
bool
seeme_cached_has_code_number(SeemeStore *store, SeemeCachedPrincipal *cached, SeemeScopeKind kind,
							 const pg_uuid_t *id, int number)
{
	uint64	   *words = seeme_empty_code_bits();
	bool		has_code;

	seeme_add_codes_in_place(store, cached, kind, id, words);
	has_code = has_bit(words, number);
	pfree(words);
	return has_code;
}

/* Whether a principal has a registered code in a container. */
bool
seeme_cached_has_code(SeemeStore *store, SeemeCachedPrincipal *cached, SeemeScopeKind kind,
					  const pg_uuid_t *id, const char *code)
{
	int			number = seeme_cache_find_code(code);

	return number >= 0 && seeme_cached_has_code_number(store, cached, kind, id, number);
}

/*
 * Adds the codes that a principal has on a resource: those in any project that it is assigned to.
 */
void
seeme_add_codes_on_resource(SeemeStore *store, SeemeCachedPrincipal *cached,
							const char *resource_type, const pg_uuid_t *resource, uint64 *words)
{
	SeemeCachedResources *resources;
	SeemeUuidHashEntry *entry;
	SeemePrincipal principal;
	List	   *assignments;
	bool		are_many;
	MemoryContext context = NULL;
	uint64	   *read;
	SeemeCodeSet set;
	ListCell   *cell;

	if (seeme_is_powerless(cached))
		return;
	resources = seeme_cached_resources(cached, resource_type);
	entry = seeme_uuid_hash_find(&resources->entries, resource);
	if (entry != NULL)
		add_words(words, seeme_cache_code_set(entry->number));
	if (entry != NULL || resources->is_complete)
		return;
	read = seeme_empty_code_bits();
	seeme_init_from_cache(&principal, store, cached);
	assignments = seeme_list_assignments(store, resource, resource_type, INT_MAX);
	are_many = list_length(assignments) > FEW_ASSIGNMENTS;
	if (are_many)
		context = AllocSetContextCreate(CurrentMemoryContext, "seeme_rbac projects of a resource",
										ALLOCSET_DEFAULT_SIZES);
	foreach(cell, assignments)
	{
		const SeemeAssignment *assignment = lfirst(cell);
		MemoryContext old = are_many ? MemoryContextSwitchTo(context) : NULL;
		bool		use_cache = !are_many ||
		(!seeme_cache_code_sets_are_scarce() &&
		 seeme_cache_bytes() < seeme_cache_limit() / PART_FOR_PROJECTS);

		CHECK_FOR_INTERRUPTS();
		read_codes(&principal, cached, SEEME_SCOPE_PROJECT, &assignment->project_id, use_cache,
				   read);
		if (are_many)
		{
			MemoryContextSwitchTo(old);
			MemoryContextReset(context);
		}
	}
	if (are_many)
		MemoryContextDelete(context);
	list_free_deep(assignments);
	set = seeme_cache_intern(read);
	if (set != SEEME_UNKNOWN_CODE_SET)
		seeme_cached_resources_add(resources, resource, set);
	add_words(words, read);
	pfree(read);
}
