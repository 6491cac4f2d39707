/*
 * effective_permissions.h: what an identity may do, from memory where possible.
 *
 * Every call is between seeme_cache_open() and seeme_store_close(), unless it says otherwise.
 */
#ifndef SEEME_CACHE_EFFECTIVE_PERMISSIONS_H
#define SEEME_CACHE_EFFECTIVE_PERMISSIONS_H

#include "postgres.h"

#include <limits.h>

#include "cache/cache.h"
#include "core/evaluator.h"
#include "identity/identity.h"
#include "core/store.h"

#pragma GCC visibility push(hidden)

#define SEEME_NO_LIMIT INT_MAX

/* Grants expanded from the cache for one place, with room for their memberships. */
typedef struct SeemeExpandedGrants
{
	SeemeGrants grants;
	SeemeMembership memberships[SEEME_NCONTAINERS];
} SeemeExpandedGrants;

/* identity_lookup.c: the cached principal of an identity */
extern bool seeme_has_passed(TimestampTz date);
extern void seeme_cache_open(SeemeStore *store);
extern SeemeCachedPrincipal *seeme_find_cached_principal(const SeemeIdentity *identity);
extern SeemeCachedPrincipal *seeme_get_cached_principal(SeemeStore *store,
														const SeemeIdentity *identity);
extern void seeme_init_from_cache(SeemePrincipal *principal, SeemeStore *store,
								  const SeemeCachedPrincipal *cached);
extern bool seeme_is_valid_identity(const SeemeIdentity *identity);
extern bool seeme_cached_is_active(const SeemeCachedPrincipal *cached, const char *code);
extern void seeme_cached_note_dates(SeemeCachedPrincipal *cached, TimestampTz now,
									const SeemeMembership *membership);
extern void seeme_cached_note_dates_of_grants(SeemeCachedPrincipal *cached, TimestampTz now,
											  const SeemeGrants *grants);

/* effective_permissions.c: codes in one place, or on one resource */
extern const SeemeGrants *seeme_cached_grants_at(SeemePrincipal *principal,
												 SeemeCachedPrincipal *cached,
												 SeemeScopeKind kind, const pg_uuid_t *id,
												 SeemePlace *place,
												 SeemeExpandedGrants *expanded);
extern bool seeme_cached_is_member(SeemeStore *store, SeemeCachedPrincipal *cached,
								   SeemeScopeKind kind, const pg_uuid_t *id);
extern void seeme_add_codes_in_place(SeemeStore *store, SeemeCachedPrincipal *cached,
									 SeemeScopeKind kind, const pg_uuid_t *id, uint64 *words);
extern void seeme_add_codes_on_resource(SeemeStore *store, SeemeCachedPrincipal *cached,
										const char *resource_type, const pg_uuid_t *resource,
										uint64 *words);
extern bool seeme_cached_has_code_number(SeemeStore *store, SeemeCachedPrincipal *cached,
										 SeemeScopeKind kind, const pg_uuid_t *id, int number);
extern bool seeme_cached_has_code(SeemeStore *store, SeemeCachedPrincipal *cached,
								  SeemeScopeKind kind, const pg_uuid_t *id, const char *code);
extern bool seeme_cache_place_codes(SeemePrincipal *principal, SeemeCachedPrincipal *cached,
									SeemeScopeKind kind, const SeemePlace *place,
									const SeemeGrants *grants, uint64 *words);

/* bulk_load.c: all permissions of a principal at once */
extern bool seeme_load_all_places(SeemeStore *store, SeemeCachedPrincipal *cached, int limit);
extern bool seeme_load_all_resources(SeemeStore *store, SeemeCachedPrincipal *cached,
									 const char *resource_type, int limit);

/* permitted_by_grants.c: the same ids as permitted_ids.c, found by the principal's memberships */
extern int	seeme_permitted_by_grants(SeemeStore *store, SeemeCachedPrincipal *cached,
									  const SeemeUuidSet *organizations, SeemeScopeKind kind,
									  int code, int limit, pg_uuid_t **ids);

/* permitted_ids.c: the ids at which a principal has a code */
extern int	seeme_permitted_place_ids(SeemeStore *store, SeemeCachedPrincipal *cached,
									  SeemeScopeKind kind, int code, int limit, pg_uuid_t **ids);
extern int	seeme_permitted_resource_ids(SeemeStore *store, SeemeCachedPrincipal *cached,
										 const char *resource_type, int code, int limit,
										 pg_uuid_t **ids);
extern const SeemeUuidSet *seeme_find_permitted_set(SeemeCachedPrincipal *cached,
													SeemeScopeKind kind,
													const char *resource_type, int code);
extern const SeemeUuidSet *seeme_get_permitted_set(SeemeStore *store,
												   SeemeCachedPrincipal *cached,
												   SeemeScopeKind kind,
												   const char *resource_type, int code);
extern const SeemeUuidSet *seeme_cached_role_ids(SeemeStore *store, SeemeCachedPrincipal *cached,
												 MemoryContext context, SeemeUuidSet *otherwise);
extern const SeemeUuidSet *seeme_cached_organization_ids(SeemeStore *store,
														 SeemeCachedPrincipal *cached);

#pragma GCC visibility pop

#endif							/* SEEME_CACHE_EFFECTIVE_PERMISSIONS_H */
