/*
 * cache.h: the cached permissions of principals, and the vocabulary and places that they refer
 * to.
 *
 * Each backend has its own cache. seeme_cache_open() (effective_permissions.h) opens it.
 */
#ifndef SEEME_CACHE_CACHE_H
#define SEEME_CACHE_CACHE_H

#include "postgres.h"

#include "port/pg_bitutils.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

#include "core/uuid_hash.h"
#include "core/store.h"

#pragma GCC visibility push(hidden)

/* A set of codes, as bits. Equal sets have one number. */
typedef uint16 SeemeCodeSet;
#define SEEME_UNKNOWN_CODE_SET 0
#define SEEME_EMPTY_CODE_SET 1

/* With what a user is asking. */
typedef enum SeemePrincipalKind
{
	SEEME_PLAIN_USER,
	SEEME_USER_WITH_KEY,
	SEEME_USER_WITH_ACTOR,
} SeemePrincipalKind;

/* A user, perhaps with an API key or an actor. It is hashed as it is, so it has no padding. */
typedef struct SeemePrincipalKey
{
	pg_uuid_t	user_id;
	pg_uuid_t	other_id;		/* of the key or actor; all zeroes for a plain user */
	uint8		kind;			/* a SeemePrincipalKind */
} SeemePrincipalKey;

static inline bool
seeme_same_principal_key(const SeemePrincipalKey *a, const SeemePrincipalKey *b)
{
	return seeme_uuid_equal(&a->user_id, &b->user_id) && a->kind == b->kind &&
		(a->kind == SEEME_PLAIN_USER || seeme_uuid_equal(&a->other_id, &b->other_id));
}

/* The ids at which a principal has one code. */
typedef struct SeemeCachedIds
{
	struct SeemeCachedIds *next;
	SeemeScopeKind kind;
	uint32		type;
	int			code;
	SeemeUuidSet ids;
} SeemeCachedIds;

/* The resources of one type, with the codes that one principal has on each. */
typedef struct SeemeCachedResources
{
	struct SeemeCachedResources *next;
	uint32		type;
	bool		is_complete;	/* a resource that is not here has no code */
	int			larger_than;	/* the limit at which a bulk load failed last */
	SeemeUuidHash entries;		/* the numbers are code sets */
} SeemeCachedResources;

/* An effective membership: see evaluator.c. */
typedef struct SeemeCachedMembership
{
	uint8		kind;			/* of its container: a SeemeScopeKind */
	pg_uuid_t	scope_id;
	pg_uuid_t	role_id;
} SeemeCachedMembership;

/* The grants of a principal in an organization. */
typedef struct SeemeCachedGrants
{
	pg_uuid_t	organization_id;
	bool		is_whole;		/* false: there are more memberships; the next call for another
								 * place reads them */
	bool		is_large;		/* all of them were read, and there is no room for them */
	bool		is_owner;
	bool		is_member;
	int			nmemberships;	/* sorted, as in SeemeGrants */
	SeemeCachedMembership memberships[FLEXIBLE_ARRAY_MEMBER];
} SeemeCachedGrants;

/* The codes of a principal in a place, by the number of the place. */
typedef struct SeemePlaceCodes
{
	uint32		place;			/* 0: a free entry */
	SeemeCodeSet set;
} SeemePlaceCodes;

typedef struct SeemeCachedPrincipal
{
	SeemePrincipalKey key;
	uint64		generation;		/* seeme_generation before the first read */
	TimestampTz next_change;	/* the first date on which any of this may change */
	TimestampTz tokens_valid_from;	/* older tokens are refused */
	/* unknown, disabled, or with an invalid key or actor: has no permission */
	bool		is_refused;
	bool		is_complete;	/* a place that is not here has no code */
	bool		is_flat;
	bool		key_has_organization;
	uint64	   *key_codes;		/* the codes of the API key; NULL: no key */
	/* What changes about another user changes this, too: the creator of the key, or the actor. */
	bool		depends_on_other;
	pg_uuid_t	other_user_id;

	/* Code sets by place: a small hash table as long as there are few places, then a flat array. */
	uint32		size;
	uint32		used;
	union
	{
		SeemeCodeSet *all;
		SeemePlaceCodes *few;
	}			sets;
	int			larger_than;	/* the limit at which a bulk load failed last */
	/* By kind: they have too many grants to find permitted ids by them. */
	bool		has_many_grants[SEEME_NCONTAINERS + 1];
	SeemeCachedGrants **all_grants;
	uint32		ngrants;
	uint32		grants_size;
	SeemeUuidHash grants_numbers;	/* by organization, once there are many: the position from 1 */
	SeemeCachedResources *resources;
	SeemeCachedIds *ids;		/* one for each code that a wide statement asked about */

	/* The users that the principal sees. They depend on other users' memberships. */
	SeemeUuidSet users_seen;
	uint64		users_seen_generation;	/* seeme_generation before they were read; 0: unknown */
} SeemeCachedPrincipal;

/* An invalid token (NULL), an unknown or a disabled user: has no permission anywhere. */
static inline bool
seeme_is_powerless(const SeemeCachedPrincipal *cached)
{
	return cached == NULL || cached->is_refused;
}

/* Counters of this backend, for seeme.cache_statistics and the tests. */
typedef struct SeemeCacheCounters
{
	int64		hits;			/* decisions without reading a table */
	int64		probes;			/* decisions that read a table */
	int64		bulk_loads;		/* times that all permissions of a principal were read at once */
	int64		evictions;		/* times that memory, or numbers for code sets, ran short */
	int64		resets;			/* times that rights had changed */
	int64		bypasses;		/* decisions within a statement that changes rights */
} SeemeCacheCounters;

extern SeemeCacheCounters seeme_cache_counters;

extern void seeme_cache_init(void);
extern void seeme_cache_evict(void);
extern uint64 seeme_cache_generation(void);
extern Size seeme_cache_bytes(void);
extern Size seeme_cache_limit(void);
extern bool seeme_cache_fits(Size more);

extern int	seeme_cache_ncodes(void);
extern bool seeme_cache_has_codes(void);
extern void seeme_cache_set_codes(int ncodes, char **codes);
extern int	seeme_cache_find_code(const char *code);
extern int	seeme_cache_find_recent_code(const char *code, int length);
extern const char *seeme_cache_code(int code);
extern int	seeme_cache_nwords(void);
extern const uint64 *seeme_cache_code_set_words(void);
extern SeemeCodeSet seeme_cache_intern(const uint64 *words);
extern bool seeme_cache_ran_out_of_code_sets(void);
extern bool seeme_cache_code_sets_are_scarce(void);
extern const uint64 *seeme_cache_code_set(SeemeCodeSet set);

extern SeemeUuidHash seeme_cache_places[SEEME_NCONTAINERS + 1];
extern uint32 seeme_cache_add_place(SeemeScopeKind kind, const pg_uuid_t *id,
									const SeemePlace *place);
extern const SeemePlace *seeme_cache_place(uint32 number);
extern uint32 seeme_cache_nplaces(void);

extern bool seeme_cache_find_owner(const pg_uuid_t *organization, bool *exists, pg_uuid_t *owner);
extern void seeme_cache_add_owner(const pg_uuid_t *organization, bool exists,
								  const pg_uuid_t *owner);

extern uint32 seeme_cache_nowners(void);

extern bool seeme_cache_is_preloaded(SeemeTable table);
extern void seeme_cache_set_preloaded(SeemeTable table);

extern bool seeme_cache_find_user(const pg_uuid_t *user);
extern void seeme_cache_set_users(const pg_uuid_t *ids, int n);

extern SeemeCodeSet seeme_cache_find_role(const pg_uuid_t *role_id);
extern void seeme_cache_add_role(const pg_uuid_t *role_id, SeemeCodeSet set);

extern uint32 seeme_cache_nprincipals(void);
extern SeemeCachedPrincipal *seeme_cache_find_principal(const SeemePrincipalKey *key);
extern SeemeCachedPrincipal *seeme_cache_add_principal(const SeemePrincipalKey *key);
extern void seeme_cache_forget_principal(SeemeCachedPrincipal *cached);
extern SeemeCachedGrants *seeme_cached_find_grants(SeemeCachedPrincipal *cached,
												   const pg_uuid_t *organization_id);
extern SeemeCachedGrants *seeme_cached_add_grants(SeemeCachedPrincipal *cached,
												  const pg_uuid_t *organization_id,
												  int nmemberships);
extern bool seeme_cached_set_codes(SeemeCachedPrincipal *cached, uint32 place, SeemeCodeSet set);
extern void seeme_cached_set_key_codes(SeemeCachedPrincipal *cached, const uint64 *words);
extern uint32 seeme_cached_next_place(const SeemeCachedPrincipal *cached, uint32 *position,
									  SeemeCodeSet *set);
extern SeemeCachedResources *seeme_cached_resources(SeemeCachedPrincipal *cached,
													const char *resource_type);
extern const SeemeUuidSet *seeme_cached_find_ids(SeemeCachedPrincipal *cached,
												 SeemeScopeKind kind, uint32 type, int code);
extern const SeemeUuidSet *seeme_cached_add_ids(SeemeCachedPrincipal *cached, SeemeScopeKind kind,
												uint32 type, int code, const pg_uuid_t *ids,
												int n);
extern const SeemeUuidSet *seeme_cached_find_users_seen(const SeemeCachedPrincipal *cached);
extern const SeemeUuidSet *seeme_cached_set_users_seen(SeemeCachedPrincipal *cached,
													   const pg_uuid_t *ids, int n);
extern void seeme_cached_resources_add(SeemeCachedResources *resources, const pg_uuid_t *id,
									   SeemeCodeSet set);
extern bool seeme_cached_resources_set_complete(SeemeCachedResources *resources,
												const SeemeUuidHash *loaded);

/* About how many places the cache knows of a principal. */
static inline int
seeme_cached_nplaces(const SeemeCachedPrincipal *cached)
{
	return cached->is_flat ? cached->size : cached->used;
}

/* The codes of a principal in a place; SEEME_UNKNOWN_CODE_SET: the cache does not know. */
static inline SeemeCodeSet
seeme_cached_codes(const SeemeCachedPrincipal *cached, uint32 place)
{
	uint32		i;

	if (cached->is_flat)
		return place < cached->size ? cached->sets.all[place] : SEEME_UNKNOWN_CODE_SET;
	if (cached->size == 0)
		return SEEME_UNKNOWN_CODE_SET;
	for (i = (place * 2654435769u) & (cached->size - 1); cached->sets.few[i].place != 0;
		 i = (i + 1) & (cached->size - 1))
		if (cached->sets.few[i].place == place)
			return cached->sets.few[i].set;
	return SEEME_UNKNOWN_CODE_SET;
}

#pragma GCC visibility pop

#endif							/* SEEME_CACHE_CACHE_H */
