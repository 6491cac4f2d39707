/*
 * identity_lookup.c: the cached principal of an identity: who it is, and whether it may act.
 *
 * Opens the cache for reading. Owns no state but where the extension's schema is. Must not decide:
 * it takes validity from core/principal.c and core/api_key.c.
 */
#include "postgres.h"

#include <time.h>

#include "catalog/namespace.h"
#include "utils/timestamp.h"

#include "cache/cache.h"
#include "cache/code_bits.h"
#include "cache/effective_permissions.h"
#include "cache/preload.h"
#include "core/api_key.h"
#include "core/codes.h"
#include "core/invalidation.h"
#include "identity/identity.h"

/* The coarse clock may lag by this many microseconds. */
#define COARSE_CLOCK_ERROR (20 * 1000)

/*
 * Whether a date has passed. The coarse clock costs a fifth of the exact one, which is read only
 * when the date is close.
 */
bool
seeme_has_passed(TimestampTz date)
{
#ifdef CLOCK_REALTIME_COARSE
	struct timespec now;

	if (clock_gettime(CLOCK_REALTIME_COARSE, &now) == 0 &&
		((int64) now.tv_sec - SECS_PER_DAY * (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE)) *
		USECS_PER_SEC + now.tv_nsec / 1000 + COARSE_CLOCK_ERROR < date)
		return false;
#endif
	return date <= GetCurrentTimestamp();
}

/*
 * Opens a store, and removes from the cache what is out of date. Pointers into the cache stay valid
 * until the next call. Store and cache then reflect at least everything that was committed before
 * this call.
 */
void
seeme_cache_open(SeemeStore *store)
{
	static Oid	namespace = InvalidOid;
	static uint64 watched_generation = 0;
	uint64		generation = seeme_generations[SEEME_INVAL_VOCABULARY];

	/* The proxy tables stay where they are as long as no definition changes. */
	if (watched_generation != generation)
	{
		namespace = get_namespace_oid("seeme", false);
		seeme_watch_proxies(namespace);
		watched_generation = generation;
	}
	seeme_store_open_in(store, namespace);
	seeme_cache_evict();
	/* A definition changed meanwhile. Trust nothing until the proxy tables are looked up again. */
	if (watched_generation != seeme_generations[SEEME_INVAL_VOCABULARY])
		seeme_bump_generation();
	if (!seeme_cache_has_codes())
	{
		List	   *registered = seeme_list_codes(store);
		char	  **codes = palloc_extended(sizeof(char *) * Max(list_length(registered), 1),
											MCXT_ALLOC_HUGE);
		ListCell   *cell;

		foreach(cell, registered)
		{
			codes[foreach_current_index(cell)] = lfirst(cell);
		}
		seeme_cache_set_codes(list_length(registered), codes);
	}
}

/* Takes note of a future date on which something about a principal changes. */
static void
note_date(SeemeCachedPrincipal *cached, TimestampTz now, TimestampTz date)
{
	if (date > now && date < cached->next_change)
	{
		cached->next_change = date;
		seeme_site_generation++;	/* call sites have to learn the earlier date */
	}
}

void
seeme_cached_note_dates(SeemeCachedPrincipal *cached, TimestampTz now,
						const SeemeMembership *membership)
{
	note_date(cached, now, membership->valid_from);
	note_date(cached, now, membership->valid_until);
}

void
seeme_cached_note_dates_of_grants(SeemeCachedPrincipal *cached, TimestampTz now,
								  const SeemeGrants *grants)
{
	for (int i = 0; i < grants->nmemberships; i++)
		seeme_cached_note_dates(cached, now, &grants->memberships[i]);
}

/* Sets up a principal for the evaluator. The cache knows that user, key and actor are valid. */
void
seeme_init_from_cache(SeemePrincipal *principal, SeemeStore *store,
					  const SeemeCachedPrincipal *cached)
{
	seeme_init_active_principal(principal, store, &cached->key.user_id);
	if (cached->key.kind == SEEME_USER_WITH_KEY)
		seeme_limit_to_valid_api_key(principal, &cached->key.other_id);
}

static SeemePrincipalKey
key_of(const SeemeIdentity *identity)
{
	SeemePrincipalKey key = {identity->user_id};

	if (identity->has_key)
	{
		key.other_id = identity->key_id;
		key.kind = SEEME_USER_WITH_KEY;
	}
	else if (identity->has_actor)
	{
		key.other_id = identity->actor_id;
		key.kind = SEEME_USER_WITH_ACTOR;
	}
	return key;
}

/*
 * Finds the cached principal of an identity. Works without seeme_cache_open(). NULL: there is none,
 * it may be out of date, or the identity's token does not count.
 */
SeemeCachedPrincipal *
seeme_find_cached_principal(const SeemeIdentity *identity)
{
	SeemePrincipalKey key;
	SeemeCachedPrincipal *cached;

	if (seeme_cache_generation() != seeme_generation)
		return NULL;
	key = key_of(identity);
	cached = seeme_cache_find_principal(&key);
	if (cached == NULL ||
		(cached->next_change != DT_NOEND && seeme_has_passed(cached->next_change)) ||
		!seeme_token_counts(identity->issued_at, cached->tokens_valid_from))
		return NULL;
	return cached;
}

/* Adds a principal to the cache. */
static SeemeCachedPrincipal *
add_cached(SeemeStore *store, const SeemeIdentity *identity, const SeemePrincipalKey *key)
{
	SeemeCachedPrincipal *cached;
	SeemePrincipal principal;
	uint64	   *key_codes = NULL;
	TimestampTz actor_disabled_at = DT_NOEND;

	if (seeme_is_known_active(store, &identity->user_id))
		seeme_init_active_principal(&principal, store, &identity->user_id);
	else
		seeme_init_principal(&principal, store, &identity->user_id);
	if (identity->has_key)
		seeme_limit_to_api_key(&principal, &identity->key_id);
	if (identity->has_actor)
		actor_disabled_at = seeme_require_actor(&principal, &identity->actor_id);
	/* Do first what may fail: a cached principal without the limits of its key has too much. */
	if (principal.key != NULL)
	{
		key_codes = seeme_empty_code_bits();
		add_covered_codes(key_codes, principal.key->ncodes, principal.key->codes);
	}
	cached = seeme_cache_add_principal(key);
	cached->is_refused = true;	/* until the limits are there, too */
	if (key_codes != NULL)
		seeme_cached_set_key_codes(cached, key_codes);
	cached->is_refused = principal.is_refused;
	cached->tokens_valid_from = principal.user.tokens_valid_from;
	note_date(cached, principal.now, principal.user.disabled_at);
	if (principal.key != NULL)
	{
		note_date(cached, principal.now, principal.key->expires_at);
		cached->key_has_organization = principal.key->has_organization;
		cached->depends_on_other = principal.key->has_creator;
		cached->other_user_id = principal.key->created_by;
	}
	if (identity->has_actor)
	{
		note_date(cached, principal.now, actor_disabled_at);
		cached->depends_on_other = true;
		cached->other_user_id = identity->actor_id;
	}
	if (principal.creator != NULL)
	{
		ListCell   *cell;

		note_date(cached, principal.now, principal.creator->user.disabled_at);
		foreach(cell, principal.creator->all_grants)
		{
			seeme_cached_note_dates_of_grants(cached, principal.now, lfirst(cell));
		}
	}
	return cached;
}

/*
 * Gets the cached principal of an identity, adding it if need be. NULL when the identity's token
 * has expired or does not count. A principal has no token: several tokens may name the same one.
 */
SeemeCachedPrincipal *
seeme_get_cached_principal(SeemeStore *store, const SeemeIdentity *identity)
{
	SeemePrincipalKey key;
	SeemeCachedPrincipal *cached;

	if (seeme_has_passed(identity->expires_at))
		return NULL;
	key = key_of(identity);
	cached = seeme_cache_find_principal(&key);
	if (cached != NULL && cached->next_change != DT_NOEND &&
		cached->next_change <= GetCurrentTimestamp())
	{
		seeme_cache_forget_principal(cached);
		cached = NULL;
	}
	if (cached == NULL)
		cached = add_cached(store, identity, &key);
	return seeme_token_counts(identity->issued_at, cached->tokens_valid_from) ? cached : NULL;
}

/*
 * Whether an identity's user, and actor, if any, exist and are not disabled, and its key or token
 * counts, by what is committed now. Opens the cache itself.
 */
bool
seeme_is_valid_identity(const SeemeIdentity *identity)
{
	SeemeStore	store;
	SeemePrincipal principal;
	bool		is_valid;

	if (seeme_has_passed(identity->expires_at))
		return false;
	if (seeme_accept_invalidations())
	{
		SeemeCachedPrincipal *cached = seeme_find_cached_principal(identity);

		if (cached != NULL)
			return !cached->is_refused;
		seeme_cache_open(&store);
		is_valid = !seeme_is_powerless(seeme_get_cached_principal(&store, identity));
	}
	else
	{
		seeme_store_open(&store);
		seeme_init_principal(&principal, &store, &identity->user_id);
		if (identity->has_key)
			seeme_limit_to_api_key(&principal, &identity->key_id);
		if (identity->has_actor)
			(void) seeme_require_actor(&principal, &identity->actor_id);
		is_valid = !principal.is_refused &&
			seeme_token_counts(identity->issued_at, principal.user.tokens_valid_from);
	}
	seeme_store_close(&store);
	return is_valid;
}

/*
 * Whether a principal may act at all. With a code: whether also its API key, if any, allows the
 * code everywhere, as what needs no role requires.
 */
bool
seeme_cached_is_active(const SeemeCachedPrincipal *cached, const char *code)
{
	int			number;

	if (seeme_is_powerless(cached))
		return false;
	if (code == NULL || cached->key_codes == NULL)
		return true;
	number = seeme_cache_find_code(code);
	return number >= 0 && !cached->key_has_organization && has_bit(cached->key_codes, number);
}
