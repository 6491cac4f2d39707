/*
 * own_scopes.h: where a principal has a permission or is a member, and which users they see: the
 * lists for the policies of the extension's own tables.
 */
#ifndef SEEME_CACHE_OWN_SCOPES_H
#define SEEME_CACHE_OWN_SCOPES_H

#include "postgres.h"

#include "cache/cache.h"
#include "core/evaluator.h"

#pragma GCC visibility push(hidden)

/*
 * One list of containers of a kind.
 *
 * With codes: the organizations in which a principal has one of them; or the teams or projects in
 * which they have one, but not in the whole organization. Nothing is in two lists.
 *
 * Without codes: the organizations that a principal owns or is a current member of; or the teams or
 * projects that they are a current member of themselves.
 */
typedef struct SeemeOwnScopes
{
	SeemeScopeKind kind;
	bool		by_codes;
	int			ncodes;
	const char **codes;
} SeemeOwnScopes;

/* own_scopes.c */
extern bool seeme_is_own_scope(SeemePrincipal *principal, const SeemeGrants *grants,
							   const SeemePlace *place, const SeemeOwnScopes *scopes);
extern int	seeme_list_own_scopes(SeemePrincipal *principal, const SeemeOwnScopes *scopes,
								  pg_uuid_t **ids);
extern bool seeme_cached_is_own_scope(SeemeStore *store, SeemeCachedPrincipal *cached,
									  const SeemeOwnScopes *scopes, const pg_uuid_t *id);
extern const SeemeUuidSet *seeme_find_own_scopes(SeemeCachedPrincipal *cached,
												 const SeemeOwnScopes *scopes);
extern const SeemeUuidSet *seeme_cached_own_scopes(SeemeStore *store,
												   SeemeCachedPrincipal *cached,
												   const SeemeOwnScopes *scopes,
												   MemoryContext context,
												   SeemeUuidSet *otherwise);

/* users_seen.c */
extern bool seeme_is_user_seen(SeemePrincipal *principal, const pg_uuid_t *user);
extern int	seeme_list_users_seen(SeemePrincipal *principal, pg_uuid_t **ids);
extern bool seeme_cached_is_user_seen(SeemeStore *store, SeemeCachedPrincipal *cached,
									  const pg_uuid_t *user);
extern const SeemeUuidSet *seeme_cached_users_seen(SeemeStore *store,
												   SeemeCachedPrincipal *cached, int limit,
												   MemoryContext context,
												   SeemeUuidSet *otherwise);

#pragma GCC visibility pop

#endif							/* SEEME_CACHE_OWN_SCOPES_H */
