#if 0							/* a copy, which the next commits cut to its part */
/*
 * effective_permissions.c: what somebody holds somewhere, as evaluator.c says, remembered in the cache.
 *
 * The only one that puts decisions into the cache. Owns no state. Everything here is read in a store that was opened after
 * seeme_cache_open(): should anything change while it is read, the next seeme_cache_open() forgets it.
 */
#include "postgres.h"

#include <time.h>

#include "catalog/namespace.h"
#include "miscadmin.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "cache/cache.h"
#include "core/invalidation.h"
#include "core/codes.h"
#include "core/evaluator.h"
#include "cache/preload.h"
#include "cache/effective_permissions.h"
#include "identity/identity.h"
#include "core/store.h"

/*
 * A resource in more projects than this has them decided one after the other in memory that is used again; and what is held in
 * each is remembered only as long as this part of the cache's memory is free.
 */
#define FEW_ASSIGNMENTS 8
#define PART_FOR_PROJECTS 2

/* All that somebody has in an organization is remembered only if it takes no more than this part of the cache's memory. */
#define PART_FOR_GRANTS 8

/* By so much, in µs, a coarse clock may be behind. */
#define COARSE_CLOCK_ERROR (20 * 1000)

/*
 * Whether a date has come. The coarse clock costs a fifth of the exact one, which is asked only when it is close.
 */
bool
seeme_has_passed(TimestampTz date)
{
#ifdef CLOCK_REALTIME_COARSE
	struct timespec now;

	if (clock_gettime(CLOCK_REALTIME_COARSE, &now) == 0 &&
		((int64) now.tv_sec - SECS_PER_DAY * (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE)) * USECS_PER_SEC +
		now.tv_nsec / 1000 + COARSE_CLOCK_ERROR < date)
		return false;
#endif
	return date <= GetCurrentTimestamp();
}

/*
 * Opens a store, and makes the cache fit for what is read in it. From here on, until the next call, pointers into the cache
 * are good; what they point to, and what is found in the store, is as true as what was committed when this was called.
 */
void
seeme_cache_open(SeemeStore *store)
{
	static Oid	namespace = InvalidOid;
	static uint64 watched_generation = 0;

	/* The tables that tell of changes are where they were, as long as none of ours has got another definition. */
	if (watched_generation != seeme_generations[SEEME_INVAL_VOCABULARY])
	{
		uint64		changes = seeme_generations[SEEME_INVAL_VOCABULARY];

		namespace = get_namespace_oid("seeme", false);
		seeme_watch_proxies(namespace);
		watched_generation = changes;
	}
	seeme_store_open_in(store, namespace);
	seeme_cache_evict();
	/* One did meanwhile: until they are looked for again, nothing is to be relied on. */
	if (watched_generation != seeme_generations[SEEME_INVAL_VOCABULARY])
		seeme_bump_generation();
	if (!seeme_cache_has_codes())
	{
		List	   *registered = seeme_list_codes(store);
		char	  **codes = palloc_extended(sizeof(char *) * Max(list_length(registered), 1), MCXT_ALLOC_HUGE);
		ListCell   *cell;

		foreach(cell, registered)
			codes[foreach_current_index(cell)] = lfirst(cell);
		seeme_cache_set_codes(list_length(registered), codes);
	}
}

/* Codes as words of bits. */

static bool
has_bit(const uint64 *words, int bit)
{
	return (words[bit / 64] >> (bit % 64) & 1) != 0;
}

static void
add_bit(uint64 *words, int bit)
{
	words[bit / 64] |= UINT64CONST(1) << (bit % 64);
}

static void
add_words(uint64 *words, const uint64 *added)
{
	for (int i = 0; i < seeme_cache_nwords(); i++)
		words[i] |= added[i];
}

/* None of them. */
uint64 *
seeme_empty_code_bits(void)
{
	return palloc0(sizeof(uint64) * seeme_cache_nwords());
}

static bool
has_code(SeemeCodeSet set, int code)
{
	return has_bit(seeme_cache_code_set(set), code);
}

/* Adds the registered codes that some entries, of a role or key, cover. */
static void
add_covered_codes(uint64 *words, int nentries, char **entries)
{
	for (int i = 0; i < seeme_cache_ncodes(); i++)
		if (seeme_covering_entry(nentries, entries, seeme_cache_code(i)) != NULL)
			add_bit(words, i);
}

/* Adds what a role covers. */
static void
add_role_codes(uint64 *words, SeemeStore *store, const pg_uuid_t *role_id)
{
	SeemeCodeSet	set = seeme_cache_find_role(role_id);
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

/* A date on which something about a principal changes, if it is to come. */
static void
note_date(SeemeCachedPrincipal *cached, TimestampTz now, TimestampTz date)
{
	if (date > now && date < cached->next_change)
	{
		cached->next_change = date;
		seeme_site_generation++;			/* call sites go by an earlier date now */
	}
}

static void
principal_of(SeemeStore *store, SeemeCachedPrincipal *cached, SeemePrincipal *principal)
{
	static const pg_uuid_t none = {{0}};

	seeme_init_active_principal(principal, store, &cached->key.user_id);
	if (!seeme_uuid_equal(&cached->key.key_id, &none))
		seeme_limit_to_valid_api_key(principal, &cached->key.key_id);
}

static SeemePrincipalKey
key_of(const SeemeIdentity *asker)
{
	SeemePrincipalKey key = {asker->user_id};

	if (asker->has_key)
		key.key_id = asker->key_id;
	return key;
}

/*
 * The principal that an asker is, without seeme_cache_open(): NULL when they are not remembered, or anything has changed that has
 * not been forgotten yet.
 */
SeemeCachedPrincipal *
seeme_find_cached_principal(const SeemeIdentity *asker)
{
	SeemePrincipalKey key;
	SeemeCachedPrincipal *cached;

	if (seeme_cache_generation() != seeme_generation)
		return NULL;
	key = key_of(asker);
	cached = seeme_cache_find_principal(&key);
	if (cached != NULL && cached->next_change != DT_NOEND && seeme_has_passed(cached->next_change))
		return NULL;
	if (cached != NULL && asker->issued_at < cached->tokens_valid_from)
		return NULL;
	return cached;
}

static void note_dates(SeemeCachedPrincipal *cached, TimestampTz now, const SeemeGrants *grants);

/* The principal that an asker is, whatever token they came by. */
static SeemeCachedPrincipal *
get_cached(SeemeStore *store, const SeemeIdentity *asker)
{
	SeemePrincipalKey key = key_of(asker);
	SeemeCachedPrincipal *cached = seeme_cache_find_principal(&key);
	SeemePrincipal principal;
	uint64	   *key_codes = NULL;

	if (cached != NULL)
	{
		if (cached->next_change == DT_NOEND || cached->next_change > GetCurrentTimestamp())
			return cached;
		seeme_cache_forget_principal(cached);
	}

	if (seeme_is_known_active(store, &asker->user_id))
		seeme_init_active_principal(&principal, store, &asker->user_id);
	else
		seeme_init_principal(&principal, store, &asker->user_id);
	if (asker->has_key)
		seeme_limit_to_api_key(&principal, &asker->key_id);
	/* Whatever may fail comes first: a principal without the bounds of their key would hold too much. */
	if (principal.key != NULL)
	{
		key_codes = seeme_empty_code_bits();
		add_covered_codes(key_codes, principal.key->ncodes, principal.key->codes);
	}
	cached = seeme_cache_add_principal(&key);
	cached->is_refused = true;	/* until their bounds are there, too */
	if (key_codes != NULL)
		seeme_cached_set_key_codes(cached, key_codes);
	cached->is_refused = principal.is_refused;
	cached->tokens_valid_from = principal.person.tokens_valid_from;
	note_date(cached, principal.now, principal.person.disabled_at);
	if (principal.key != NULL)
	{
		note_date(cached, principal.now, principal.key->expires_at);
		cached->key_has_organization = principal.key->has_organization;
		cached->has_creator = principal.key->has_creator;
		cached->creator_id = principal.key->created_by;
	}
	if (principal.creator != NULL)
	{
		ListCell   *cell;

		note_date(cached, principal.now, principal.creator->person.disabled_at);
		foreach(cell, principal.creator->all_grants)
			note_dates(cached, principal.now, lfirst(cell));
	}
	return cached;
}

/*
 * The principal that an asker is; NULL when the token that they came by has expired, or was issued before the person's tokens
 * count. Neither is the principal's: another token names the same one.
 */
SeemeCachedPrincipal *
seeme_get_cached_principal(SeemeStore *store, const SeemeIdentity *asker)
{
	SeemeCachedPrincipal *cached;

	if (seeme_has_passed(asker->expires_at))
		return NULL;
	cached = get_cached(store, asker);
	return asker->issued_at < cached->tokens_valid_from ? NULL : cached;
}

/* Whether somebody exists, is not disabled, and came by nothing that is gone, has expired or does not count: by what is committed now. */
bool
seeme_is_valid_identity(const SeemeIdentity *identity)
{
	SeemeStore	store;
	SeemePrincipal principal;
	bool		acts;

	if (seeme_has_passed(identity->expires_at))
		return false;
	if (seeme_accept_invalidations())
	{
		SeemeCachedPrincipal *cached = seeme_find_cached_principal(identity);

		if (cached != NULL)
			return !cached->is_refused;
		seeme_cache_open(&store);
		cached = seeme_get_cached_principal(&store, identity);
		acts = cached != NULL && !cached->is_refused;
	}
	else
	{
		seeme_store_open(&store);
		seeme_init_principal(&principal, &store, &identity->user_id);
		if (identity->has_key)
			seeme_limit_to_api_key(&principal, &identity->key_id);
		acts = !principal.is_refused && identity->issued_at >= principal.person.tokens_valid_from;
	}
	seeme_store_close(&store);
	return acts;
}

/*
 * Nobody, as seeme_get_cached_principal() says of a token that does not count any more, and who is refused hold nothing. Everything below that
 * is asked about a principal takes both.
 */
static inline bool
is_powerless(const SeemeCachedPrincipal *cached)
{
	return cached == NULL || cached->is_refused;
}

/* Whether a principal may do anything, or (code not NULL) what takes no role: by a key only if it reaches the code everywhere. */
bool
seeme_cached_is_active(const SeemeCachedPrincipal *cached, const char *code)
{
	int			number;

	if (is_powerless(cached))
		return false;
	if (code == NULL || cached->key_codes == NULL)
		return true;
	number = seeme_cache_find_code(code);
	return number >= 0 && !cached->key_has_organization && has_bit(cached->key_codes, number);
}

static void
note_dates(SeemeCachedPrincipal *cached, TimestampTz now, const SeemeGrants *grants)
{
	for (int i = 0; i < grants->nmemberships; i++)
	{
		note_date(cached, now, grants->memberships[i].valid_from);
		note_date(cached, now, grants->memberships[i].valid_until);
	}
}

static int
compare_scope_with_cached(const void *scope, const void *membership)
{
	const SeemeCachedMembership *m = membership;

	return seeme_compare_scope(scope, m->has_team, m->has_project, &m->scope_id);
}

/*
 * What was remembered of a grants, as evaluator.c takes it, as far as it reaches a place. Its dates are the principal's: none of them
 * has come.
 */
static void
expand_grants(const SeemeCachedGrants *known, const SeemePlace *place, SeemeGrants *grants, SeemeMembership *memberships)
{
	SeemeScope	scopes[SEEME_MAX_MEMBERSHIPS_AT];
	int			nscopes = seeme_scopes_of_place(place, scopes);

	memset(grants, 0, sizeof(*grants));
	grants->organization_id = known->organization_id;
	grants->is_owner = known->is_owner;
	grants->is_member = known->is_member;
	grants->place = *place;
	grants->memberships = memberships;
	for (int i = 0; i < nscopes && known->nmemberships > 0; i++)
	{
		const SeemeCachedMembership *from = bsearch(&scopes[i], known->memberships, known->nmemberships,
												   sizeof(SeemeCachedMembership), compare_scope_with_cached);
		SeemeMembership *to = &memberships[grants->nmemberships];

		if (from == NULL)
			continue;
		memset(to, 0, sizeof(*to));
		to->has_team = from->has_team;
		to->has_project = from->has_project;
		to->has_role = from->has_role;
		to->scope_id = from->scope_id;
		to->role_id = from->role_id;
		to->valid_from = DT_NOBEGIN;
		to->valid_until = DT_NOEND;
		grants->nmemberships++;
	}
}

/* Remembers a grants: those of its memberships that are current, for the principal is forgotten when the first date comes. */
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

			if (!seeme_is_current(from, principal->now))
				continue;
			to->has_team = from->has_team;
			to->has_project = from->has_project;
			to->has_role = from->has_role;
			to->scope_id = from->scope_id;
			if (from->has_role)
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

/* What a principal holds in a place, as evaluator.c says of a grants. */
static void
add_codes(SeemePrincipal *principal, SeemeCachedPrincipal *cached, const SeemePlace *place, const SeemeGrants *grants, uint64 *words)
{
	bool		everything;
	SeemeMembership *effective[SEEME_MAX_MEMBERSHIPS_AT];
	int			neffective = seeme_effective_memberships(principal, grants, place, effective, &everything);

	if (everything)
		for (int i = 0; i < seeme_cache_ncodes(); i++)
			add_bit(words, i);
	for (int i = 0; i < neffective; i++)
		add_role_codes(words, principal->store, &effective[i]->role_id);
	if (cached->key_codes != NULL)
		for (int i = 0; i < seeme_cache_nwords(); i++)
			words[i] &= cached->key_codes[i];
}

/* Of so many memberships a grants may be remembered. */
static int
max_memberships(void)
{
	return Min(seeme_cache_limit() / PART_FOR_GRANTS / sizeof(SeemeCachedMembership), (Size) PG_INT32_MAX - 1);
}

/* What is remembered of a grants, for one place, made into one. */
typedef struct ExpandedGrants
{
	SeemeGrants grants;
	SeemeMembership memberships[SEEME_MAX_MEMBERSHIPS_AT];
} ExpandedGrants;

/*
 * What a principal has in the organization of a place, as far as it counts there: remembered (then put into `recalled`) or read.
 * Who has much there is read for the one place at first, and as a whole when they ask about another one; unless that is more
 * than may be remembered, when it is read for each place by itself.
 */
static const SeemeGrants *
grants_at(SeemePrincipal *principal, SeemeCachedPrincipal *cached, const SeemePlace *place, ExpandedGrants *expanded)
{
	SeemeCachedGrants *known = seeme_cached_find_grants(cached, &place->organization_id);
	SeemeGrants *grants = NULL;

	if (known != NULL && known->is_whole)
	{
		expand_grants(known, place, &expanded->grants, expanded->memberships);
		return &expanded->grants;
	}
	if (known != NULL && !known->is_large)
	{
		/* Unless there turns out to be room for it: else it would be read again for each place that is asked about. */
		known->is_large = true;
		grants = seeme_read_grants(principal, &place->organization_id, seeme_look_up_owner, max_memberships());
		if (grants != NULL)
			cache_grants(principal, cached, grants);
	}
	if (grants == NULL)
	{
		grants = seeme_read_grants_at(principal, place, seeme_look_up_owner);
		if (known == NULL)
			cache_grants(principal, cached, grants);
	}
	note_dates(cached, principal->now, grants);
	return grants;
}

/* The same as add_held(), of what a principal has in the place's organization. */
static void
add_codes_at(SeemePrincipal *principal, SeemeCachedPrincipal *cached, const SeemePlace *place, uint64 *words)
{
	ExpandedGrants expanded;

	add_codes(principal, cached, place, grants_at(principal, cached, place, &expanded), words);
}

/* Whether there is such a thing; if not, its place is all zeroes, which an organization may have chosen for its id. */
static bool
exists(SeemePlaceKind kind, const pg_uuid_t *id, const SeemePlace *place)
{
	switch (kind)
	{
		case SEEME_PLACE_ORGANIZATION:
			return seeme_uuid_equal(&place->organization_id, id);
		case SEEME_PLACE_TEAM:
			return place->has_team;
		case SEEME_PLACE_PROJECT:
			return place->has_project;
	}
	return false;
}

/* Remembers what is held in a place; false: there is no room for it. */
static bool
cache_codes(SeemeCachedPrincipal *cached, SeemePlaceKind kind, const pg_uuid_t *id, const SeemePlace *place, const uint64 *words)
{
	SeemeUuidHashEntry  *entry = seeme_uuid_hash_find(&seeme_cache_places[kind], id);
	uint32		number = entry != NULL ? entry->number : seeme_cache_add_place(kind, id, place);
	SeemeCodeSet	set = number != 0 ? seeme_cache_intern(words) : SEEME_UNKNOWN_CODE_SET;

	return set != SEEME_UNKNOWN_CODE_SET && seeme_cached_set_codes(cached, number, set);
}

/* Adds what a principal holds in an organization, team or project, if that is remembered; false if not. */
static bool
find_codes(SeemeCachedPrincipal *cached, SeemePlaceKind kind, const pg_uuid_t *id, uint64 *words)
{
	SeemeUuidHashEntry  *entry = seeme_uuid_hash_find(&seeme_cache_places[kind], id);
	SeemeCodeSet	set = entry == NULL ? SEEME_UNKNOWN_CODE_SET : seeme_cached_codes(cached, entry->number);

	if (set != SEEME_UNKNOWN_CODE_SET)
		add_words(words, seeme_cache_code_set(set));
	return set != SEEME_UNKNOWN_CODE_SET || cached->is_complete;
}

/* The same, read where it is not; and remembered then, if it may. */
static void
read_codes(SeemePrincipal *principal, SeemeCachedPrincipal *cached, SeemePlaceKind kind, const pg_uuid_t *id, bool use_cache, uint64 *words)
{
	SeemeUuidHashEntry  *entry;
	SeemePlace	place;
	uint64	   *held;

	if (find_codes(cached, kind, id, words))
		return;
	entry = seeme_uuid_hash_find(&seeme_cache_places[kind], id);
	if (entry != NULL)
		place = *seeme_cache_place(entry->number);
	else
		seeme_look_up_place(principal->store, kind, id, &place);
	held = seeme_empty_code_bits();
	if (exists(kind, id, &place))
		add_codes_at(principal, cached, &place, held);
	if (use_cache)
		(void) cache_codes(cached, kind, id, &place, held);
	add_words(words, held);
	pfree(held);
}

/*
 * Whether a principal owns the organization that an organization, team or project lies in, or is a current member of it; false when
 * there is no such place.
 */
bool
seeme_cached_is_member(SeemeStore *store, SeemeCachedPrincipal *cached, SeemePlaceKind kind, const pg_uuid_t *id)
{
	SeemeUuidHashEntry  *entry;
	SeemePrincipal principal;
	const SeemeGrants *grants;
	ExpandedGrants expanded;
	SeemePlace	place;

	if (is_powerless(cached))
		return false;
	entry = seeme_uuid_hash_find(&seeme_cache_places[kind], id);
	if (entry != NULL)
		place = *seeme_cache_place(entry->number);
	else
	{
		seeme_look_up_place(store, kind, id, &place);
		/* That may have read all of them. */
		if (seeme_uuid_hash_find(&seeme_cache_places[kind], id) == NULL)
			(void) seeme_cache_add_place(kind, id, &place);
	}
	if (!exists(kind, id, &place))
		return false;
	principal_of(store, cached, &principal);
	grants = grants_at(&principal, cached, &place, &expanded);
	return grants->is_owner || grants->is_member;
}

/* Adds what a principal holds in an organization, team or project to some words (seeme_empty_code_bits()). */
void
seeme_add_codes_in_place(SeemeStore *store, SeemeCachedPrincipal *cached, SeemePlaceKind kind, const pg_uuid_t *id, uint64 *words)
{
	SeemePrincipal principal;

	if (is_powerless(cached) || find_codes(cached, kind, id, words))
		return;
	principal_of(store, cached, &principal);
	read_codes(&principal, cached, kind, id, true, words);
}

/* Whether they hold a registered code there. */
bool
seeme_cached_has_code(SeemeStore *store, SeemeCachedPrincipal *cached, SeemePlaceKind kind, const pg_uuid_t *id, const char *code)
{
	int			number = seeme_cache_find_code(code);
	uint64	   *words;
	bool		holds;

	if (number < 0)
		return false;
	words = seeme_empty_code_bits();
	seeme_add_codes_in_place(store, cached, kind, id, words);
	holds = has_bit(words, number);
	pfree(words);
	return holds;
}

/* What is remembered of a principal as the ids of no level. */
#define IDS_OF_ROLES (-1)
#define IDS_OF_ORGANIZATIONS (-2)

/* The ids of a list (pg_uuid_t *), each once; how many. */
static int
distinct_ids(List *list, pg_uuid_t **ids)
{
	SeemeUuidHash	seen = {0};
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
 * The roles that a principal holds at any level; NULL: none. Without room for them in the cache they are put where the caller says, for
 * otherwise all memberships would be read again for each role that is asked about.
 */
const SeemeUuidSet *
seeme_cached_role_ids(SeemeStore *store, SeemeCachedPrincipal *cached, MemoryContext context, SeemeUuidSet *otherwise)
{
	const SeemeUuidSet *held;
	SeemePrincipal principal;
	List	   *memberships;
	List	   *roles;
	pg_uuid_t  *ids;
	int			n;
	ListCell   *cell;

	if (is_powerless(cached))
		return NULL;
	held = seeme_cached_find_ids(cached, SEEME_NO_SCOPE, 0, IDS_OF_ROLES);
	if (held != NULL)
		return held;
	principal_of(store, cached, &principal);
	roles = seeme_list_effective_roles(&principal, &memberships);
	foreach(cell, memberships)
	{
		note_date(cached, principal.now, ((SeemeMembership *) lfirst(cell))->valid_from);
		note_date(cached, principal.now, ((SeemeMembership *) lfirst(cell))->valid_until);
	}
	n = distinct_ids(roles, &ids);
	held = seeme_cached_add_ids(cached, SEEME_NO_SCOPE, 0, IDS_OF_ROLES, ids, n);
	if (held != NULL)
		return held;
	seeme_uuid_set_fill(context, otherwise, ids, n);
	return otherwise;
}

/* The organizations in which a principal has anything, and outside of which they hold nothing; NULL: there is no room for them. */
const SeemeUuidSet *
seeme_cached_organization_ids(SeemeStore *store, SeemeCachedPrincipal *cached)
{
	const SeemeUuidSet *known = seeme_cached_find_ids(cached, SEEME_NO_SCOPE, 0, IDS_OF_ORGANIZATIONS);
	SeemePrincipal principal;
	pg_uuid_t  *ids;
	int			n;

	if (known != NULL)
		return known;
	principal_of(store, cached, &principal);
	n = distinct_ids(seeme_list_own_organizations(&principal), &ids);
	return seeme_cached_add_ids(cached, SEEME_NO_SCOPE, 0, IDS_OF_ORGANIZATIONS, ids, n);
}

/* Adds what a principal holds on a resource: what they hold in any project that it is assigned to. */
void
seeme_add_codes_on_resource(SeemeStore *store, SeemeCachedPrincipal *cached, const char *resource_type, const pg_uuid_t *resource, uint64 *words)
{
	SeemeCachedResources *resources;
	SeemeUuidHashEntry  *entry;
	SeemePrincipal principal;
	List	   *assignments;
	bool		many;
	MemoryContext context = NULL;
	uint64	   *held;
	SeemeCodeSet	set;
	ListCell   *cell;

	if (is_powerless(cached))
		return;
	resources = seeme_cached_resources(cached, resource_type);
	entry = seeme_uuid_hash_find(&resources->entries, resource);
	if (entry != NULL)
		add_words(words, seeme_cache_code_set(entry->number));
	if (entry != NULL || resources->is_complete)
		return;
	held = seeme_empty_code_bits();
	principal_of(store, cached, &principal);
	assignments = seeme_list_assignments(store, resource, resource_type, INT_MAX);
	many = list_length(assignments) > FEW_ASSIGNMENTS;
	if (many)
		context = AllocSetContextCreate(CurrentMemoryContext, "seeme_rbac projects of a resource", ALLOCSET_DEFAULT_SIZES);
	foreach(cell, assignments)
	{
		MemoryContext old = many ? MemoryContextSwitchTo(context) : NULL;

		CHECK_FOR_INTERRUPTS();
		read_codes(&principal, cached, SEEME_PLACE_PROJECT, &((SeemeAssignment *) lfirst(cell))->project_id,
				  !many || (!seeme_cache_code_sets_are_scarce() &&
							seeme_cache_bytes() < seeme_cache_limit() / PART_FOR_PROJECTS), held);
		if (many)
		{
			MemoryContextSwitchTo(old);
			MemoryContextReset(context);
		}
	}
	if (many)
		MemoryContextDelete(context);
	list_free_deep(assignments);
	set = seeme_cache_intern(held);
	if (set != SEEME_UNKNOWN_CODE_SET)
		seeme_cached_resources_add(resources, resource, set);
	add_words(words, held);
	pfree(held);
}

static bool
is_memory_used_up(void)
{
	return seeme_cache_bytes() > seeme_cache_limit() || seeme_cache_ran_out_of_code_sets();
}

/* What a principal holds in a place, by all that they have in its organization; false: it cannot be remembered. */
static bool
load_place(SeemePrincipal *principal, SeemeCachedPrincipal *cached, SeemePlaceKind kind, const pg_uuid_t *id, const SeemePlace *place,
		   const SeemeGrants *grants, uint64 *words)
{
	CHECK_FOR_INTERRUPTS();
	memset(words, 0, sizeof(uint64) * seeme_cache_nwords());
	add_codes(principal, cached, place, grants, words);
	return cache_codes(cached, kind, id, place, words);
}

/*
 * The same in an organization and, for its owner and its members, in everything that lies there; no more than so many places. How
 * many there were; -1: not all can be remembered.
 */
static int64
load_organization(SeemePrincipal *principal, SeemeCachedPrincipal *cached, const pg_uuid_t *id, int limit)
{
	SeemeGrants *grants = seeme_read_grants(principal, id, seeme_look_up_owner, INT_MAX);
	SeemePlace	place = *seeme_place_of_organization(id);
	uint64	   *words = seeme_empty_code_bits();
	List	   *teams;
	List	   *projects;
	ListCell   *cell;

	note_dates(cached, principal->now, grants);
	if (!load_place(principal, cached, SEEME_PLACE_ORGANIZATION, id, &place, grants, words))
		return -1;
	if (!grants->is_owner && !grants->is_member)
		return 1;
	teams = seeme_list_teams(principal->store, id, limit);
	projects = seeme_list_projects(principal->store, id, limit);
	foreach(cell, teams)
	{
		const SeemeTeam *team = lfirst(cell);

		place.has_team = true;
		place.team_id = team->id;
		if (!load_place(principal, cached, SEEME_PLACE_TEAM, &team->id, &place, grants, words))
			return -1;
	}
	foreach(cell, projects)
	{
		const SeemeProject *project = lfirst(cell);

		seeme_put_place_of_project(&place, project);
		if (!load_place(principal, cached, SEEME_PLACE_PROJECT, &project->id, &place, grants, words))
			return -1;
	}
	return 1 + (int64) list_length(teams) + list_length(projects);
}

/*
 * Everything that a principal holds, at once: from then on what is not known is not held. False when that would be more than so
 * many places, or take too much memory. Whatever lies in an organization counts only for its owner and its members.
 */
bool
seeme_load_all_places(SeemeStore *store, SeemeCachedPrincipal *cached, int limit)
{
	SeemePrincipal principal;
	MemoryContext context;
	MemoryContext old;
	MemoryContext in_turn;
	int64		places = 0;
	bool		complete = true;
	ListCell   *organization;

	if (is_powerless(cached) || cached->is_complete)
		return true;
	if (cached->larger_than >= limit)
		return false;
	context = AllocSetContextCreate(CurrentMemoryContext, "seeme_rbac bulk load", ALLOCSET_DEFAULT_SIZES);
	in_turn = AllocSetContextCreate(context, "seeme_rbac bulk load of an organization", ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(context);
	principal_of(store, cached, &principal);
	foreach(organization, seeme_list_own_organizations(&principal))
	{
		int64		read;

		MemoryContextSwitchTo(in_turn);
		read = load_organization(&principal, cached, lfirst(organization), (int) (limit - places));
		MemoryContextSwitchTo(context);
		MemoryContextReset(in_turn);
		places += Max(read, 1);
		if (read < 0 || places >= limit || is_memory_used_up())
		{
			complete = false;
			cached->larger_than = read >= 0 && places >= limit ? limit : INT_MAX;
			break;
		}
	}
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
	seeme_cache_counters.bulk_loads++;
	/* Not before: what is cut short by an error has not read everything. */
	cached->is_complete = complete;
	return complete;
}

/* What is read of the resources of a type: by the number of a entry, from 1, as words. */
typedef struct LoadedResources
{
	SeemeUuidHash	numbers;
	uint64	   *words;
	Size		size;
} LoadedResources;

static void
add_loaded(LoadedResources *loaded, const pg_uuid_t *id, SeemeCodeSet set)
{
	Size		nwords = seeme_cache_nwords();
	SeemeUuidHashEntry  *entry = seeme_uuid_hash_find(&loaded->numbers, id);
	uint32		number = entry != NULL ? entry->number : loaded->numbers.used + 1;

	if (number > loaded->size)
	{
		Size		size = Max(loaded->size * 2, 64);

		loaded->words = loaded->words == NULL ? palloc_extended(sizeof(uint64) * nwords * size, MCXT_ALLOC_HUGE) :
			repalloc_huge(loaded->words, sizeof(uint64) * nwords * size);
		loaded->size = size;
	}
	if (entry == NULL)
	{
		seeme_uuid_hash_insert(CurrentMemoryContext, &loaded->numbers, id, number);
		memset(loaded->words + nwords * (number - 1), 0, sizeof(uint64) * nwords);
	}
	add_words(loaded->words + nwords * (number - 1), seeme_cache_code_set(set));
}

/* Puts their sets in the place of their numbers; false: there are too many of them. */
static bool
intern_loaded(LoadedResources *loaded)
{
	for (Size i = 0; loaded->numbers.entries != NULL && i <= loaded->numbers.mask; i++)
	{
		SeemeUuidHashEntry  *entry = &loaded->numbers.entries[i];

		if (entry->number == 0)
			continue;
		entry->number = seeme_cache_intern(loaded->words + (Size) seeme_cache_nwords() * (entry->number - 1));
		if (entry->number == SEEME_UNKNOWN_CODE_SET)
			return false;
	}
	return true;
}

/* Every resource of a type on which a principal holds anything, at once. False as above. */
bool
seeme_load_all_resources(SeemeStore *store, SeemeCachedPrincipal *cached, const char *resource_type, int limit)
{
	SeemeCachedResources *resources;
	LoadedResources loaded = {0};
	uint32		position = 0;
	uint32		number;
	int64		read = 0;
	bool		complete = true;
	SeemeCodeSet	set;
	MemoryContext context;
	MemoryContext old;

	if (is_powerless(cached))
		return true;
	if (!seeme_load_all_places(store, cached, limit))
		return false;
	resources = seeme_cached_resources(cached, resource_type);
	if (resources->is_complete)
		return true;
	if (resources->larger_than >= limit)
		return false;
	context = AllocSetContextCreate(CurrentMemoryContext, "seeme_rbac bulk load", ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(context);
	/* Apart from those that were read one by one: until all is read, what is known of a resource here may be a part. */
	while (complete && (number = seeme_cached_next_place(cached, &position, &set)) != 0)
	{
		const SeemePlace *place = seeme_cache_place(number);
		List	   *assignments;
		ListCell   *cell;

		if (set == SEEME_EMPTY_CODE_SET || !place->has_project)
			continue;
		assignments = seeme_list_assignments_to(store, &place->project_id, resource_type, (int) (limit - read));
		foreach(cell, assignments)
			add_loaded(&loaded, &((SeemeAssignment *) lfirst(cell))->resource_id, set);
		read += 1 + list_length(assignments);
		list_free_deep(assignments);
		/* What could not be remembered in the end is not read to the end. */
		complete = read < limit &&
			seeme_cache_bytes() + sizeof(SeemeUuidHashEntry) * ((Size) loaded.numbers.mask + 1) <= seeme_cache_limit();
	}
	complete = complete && intern_loaded(&loaded) && seeme_cached_resources_set_complete(resources, &loaded.numbers);
	if (!complete)
		resources->larger_than = read >= limit ? limit : INT_MAX;
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
	seeme_cache_counters.bulk_loads++;
	return complete;
}

/* Not more ids than these are gathered as soon as they are listed or counted: who is asked for them once will be again. */
#define FEW_IDS 1000

/* Those gathered, listed if they are wanted; how many. */
static int
list_set(const SeemeUuidSet *gathered, pg_uuid_t **ids)
{
	if (ids == NULL)
		return gathered->n;
	*ids = palloc_extended(sizeof(pg_uuid_t) * Max(gathered->n, 1), MCXT_ALLOC_HUGE);
	return seeme_uuid_set_list(gathered, *ids);
}

/*
 * The places of a level (pg_uuid_t) at which a principal holds a code, or with ids NULL only their number; -1 if there are
 * more than so many to look at.
 */
int
seeme_permitted_place_ids(SeemeStore *store, SeemeCachedPrincipal *cached, SeemeScopeKind level, int code, int limit, pg_uuid_t **ids)
{
	uint32		position = 0;
	uint32		number;
	SeemeCodeSet	set;
	int			n = 0;
	int			size = 64;
	pg_uuid_t  *found;
	const SeemeUuidSet *gathered;

	if (is_powerless(cached))
		return 0;
	gathered = seeme_find_permitted_set(cached, level, NULL, code);
	if (gathered != NULL)
		return list_set(gathered, ids);
	if (!seeme_load_all_places(store, cached, limit))
		return -1;
	found = palloc(sizeof(pg_uuid_t) * size);
	while ((number = seeme_cached_next_place(cached, &position, &set)) != 0)
	{
		const SeemePlace *place = seeme_cache_place(number);

		if (!has_code(set, code) ||
			level != (place->has_project ? SEEME_SCOPE_PROJECT : place->has_team ? SEEME_SCOPE_TEAM : SEEME_SCOPE_ORGANIZATION))
			continue;
		if (n >= size)
			found = repalloc_huge(found, sizeof(pg_uuid_t) * (size *= 2));
		found[n++] = level == SEEME_SCOPE_PROJECT ? place->project_id : level == SEEME_SCOPE_TEAM ? place->team_id : place->organization_id;
	}
	if (n <= FEW_IDS)
		(void) seeme_cached_add_ids(cached, level, 0, code, found, n);
	if (ids != NULL)
		*ids = found;
	else
		pfree(found);
	return n;
}

/* The same of resources of a type. */
int
seeme_permitted_resource_ids(SeemeStore *store, SeemeCachedPrincipal *cached, const char *resource_type, int code, int limit, pg_uuid_t **ids)
{
	const SeemeUuidHash *table;
	const SeemeUuidSet *gathered;
	int			n = 0;

	if (is_powerless(cached))
		return 0;
	gathered = seeme_find_permitted_set(cached, SEEME_SCOPE_RESOURCE, resource_type, code);
	if (gathered != NULL)
		return list_set(gathered, ids);
	if (!seeme_load_all_resources(store, cached, resource_type, limit))
		return -1;
	table = &seeme_cached_resources(cached, resource_type)->entries;
	if (ids != NULL)
		*ids = palloc_extended(sizeof(pg_uuid_t) * Max(table->used, 1), MCXT_ALLOC_HUGE);
	for (uint32 i = 0; table->entries != NULL && i <= table->mask; i++)
		if (table->entries[i].number != 0 && has_code(table->entries[i].number, code))
		{
			if (ids != NULL)
				(*ids)[n] = table->entries[i].id;
			n++;
		}
	return n;
}

/* The same ids, as a wide scan asks for them row by row; NULL if they have not been gathered. */
const SeemeUuidSet *
seeme_find_permitted_set(SeemeCachedPrincipal *cached, SeemeScopeKind level, const char *resource_type, int code)
{
	uint32		type = level == SEEME_SCOPE_RESOURCE ? seeme_cached_resources(cached, resource_type)->type : 0;

	return seeme_cached_find_ids(cached, level, type, code);
}

/* The same, gathered; NULL when they are too many. */
const SeemeUuidSet *
seeme_get_permitted_set(SeemeStore *store, SeemeCachedPrincipal *cached, SeemeScopeKind level, const char *resource_type, int code)
{
	uint32		type = level == SEEME_SCOPE_RESOURCE ? seeme_cached_resources(cached, resource_type)->type : 0;
	const SeemeUuidSet *ids = seeme_cached_find_ids(cached, level, type, code);
	pg_uuid_t  *values = NULL;
	int			n;

	if (ids != NULL)
		return ids;
	if (level == SEEME_SCOPE_RESOURCE)
		n = seeme_permitted_resource_ids(store, cached, resource_type, code, SEEME_NO_LIMIT, &values);
	else
		n = seeme_permitted_place_ids(store, cached, level, code, SEEME_NO_LIMIT, &values);
	ids = seeme_cached_find_ids(cached, level, type, code); /* few, and gathered on the way */
	if (n < 0 || seeme_cache_bytes() + sizeof(pg_uuid_t) * 2 * (Size) n > seeme_cache_limit())
		return ids;
	if (ids == NULL)
		ids = seeme_cached_add_ids(cached, level, type, code, values, n);
	if (values != NULL)
		pfree(values);
	return ids;
}
#endif
