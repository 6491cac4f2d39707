/*
 * effective_permissions.h: what somebody holds somewhere, from memory where possible.
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

extern void seeme_cache_open(SeemeStore *store);
extern SeemeCachedPrincipal *seeme_find_cached_principal(const SeemeIdentity *asker);
extern SeemeCachedPrincipal *seeme_get_cached_principal(SeemeStore *store, const SeemeIdentity *asker);
extern bool seeme_is_valid_identity(const SeemeIdentity *identity);
extern bool seeme_cached_is_active(const SeemeCachedPrincipal *cached, const char *code);
extern uint64 *seeme_empty_code_bits(void);
extern void seeme_add_codes_in_place(SeemeStore *store, SeemeCachedPrincipal *cached, SeemePlaceKind kind, const pg_uuid_t *id, uint64 *words);
extern void seeme_add_codes_on_resource(SeemeStore *store, SeemeCachedPrincipal *cached, const char *resource_type, const pg_uuid_t *resource,
							  uint64 *words);
extern bool seeme_cached_has_code(SeemeStore *store, SeemeCachedPrincipal *cached, SeemePlaceKind kind, const pg_uuid_t *id, const char *code);
extern const SeemeUuidSet *seeme_cached_role_ids(SeemeStore *store, SeemeCachedPrincipal *cached, MemoryContext context, SeemeUuidSet *otherwise);
extern bool seeme_cached_is_member(SeemeStore *store, SeemeCachedPrincipal *cached, SeemePlaceKind kind, const pg_uuid_t *id);
extern const SeemeUuidSet *seeme_cached_organization_ids(SeemeStore *store, SeemeCachedPrincipal *cached);
#define SEEME_NO_LIMIT INT_MAX
extern bool seeme_load_all_places(SeemeStore *store, SeemeCachedPrincipal *cached, int limit);
extern bool seeme_load_all_resources(SeemeStore *store, SeemeCachedPrincipal *cached, const char *resource_type, int limit);
extern int	seeme_permitted_place_ids(SeemeStore *store, SeemeCachedPrincipal *cached, SeemeScopeKind level, int code, int limit, pg_uuid_t **ids);
extern int	seeme_permitted_resource_ids(SeemeStore *store, SeemeCachedPrincipal *cached, const char *resource_type, int code, int limit,
								 pg_uuid_t **ids);
extern const SeemeUuidSet *seeme_find_permitted_set(SeemeCachedPrincipal *cached, SeemeScopeKind level, const char *resource_type, int code);
extern const SeemeUuidSet *seeme_get_permitted_set(SeemeStore *store, SeemeCachedPrincipal *cached, SeemeScopeKind level, const char *resource_type, int code);
extern bool seeme_has_passed(TimestampTz date);

#pragma GCC visibility pop

#endif							/* SEEME_CACHE_EFFECTIVE_PERMISSIONS_H */
