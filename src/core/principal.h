/*
 * principal.h: a principal, which is the user about whom a decision is made, and the principal's
 * grants.
 *
 * Who is asking is another matter: that is a SeemeIdentity (identity/identity.h).
 */
#ifndef SEEME_CORE_PRINCIPAL_H
#define SEEME_CORE_PRINCIPAL_H

#include "postgres.h"

#include "nodes/pg_list.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

#include "core/scope.h"
#include "core/store.h"
#include "core/uuid_hash.h"

#pragma GCC visibility push(hidden)

/* All that a principal has in one organization: the ownership, and memberships. */
typedef struct SeemeGrants
{
	pg_uuid_t	organization_id;
	bool		is_live;		/* the organization exists, and is not archived */
	bool		is_owner;
	bool		is_member;		/* the membership in the organization itself is current */
	bool		is_whole;		/* else only the memberships that can apply to `place` are here */
	SeemePlace	place;
	int			nmemberships;
	SeemeMembership *memberships;	/* sorted by seeme_compare_scope() */
} SeemeGrants;

/* Roles, each read once. Several principals may share them. */
typedef struct SeemeRoleCache
{
	MemoryContext context;
	SeemeUuidHash numbers;		/* by id: the position in the list, from 1 */
	List	   *roles;			/* of SeemeRole *; NULL: the role does not exist */
} SeemeRoleCache;

/* A user, perhaps limited by an API key, at one instant of the wall clock. */
typedef struct SeemePrincipal
{
	SeemeStore *store;
	SeemeUser	user;
	/* unknown, disabled, or with an invalid key or actor: has no permission */
	bool		is_refused;
	TimestampTz now;
	SeemeApiKey *key;			/* NULL: none */
	struct SeemePrincipal *creator; /* of the key, if the creator was looked at */
	MemoryContext context;		/* keeps what was looked up so far: */
	List	   *all_grants;		/* of SeemeGrants * */
	SeemeUuidHash grants_numbers;	/* by organization, once there are many: the position from 1 */
	SeemeRoleCache *roles;		/* NULL: none was read */
	const SeemeUuidHash *excluded_scopes;	/* memberships in these do not count; NULL: all count */
} SeemePrincipal;

/* Finds the owner of an organization: seeme_read_owner(), or the same from the cache. */
typedef bool (*SeemeReadOwner) (SeemeStore *store, const pg_uuid_t *organization,
								pg_uuid_t *owner);

typedef void (*SeemeVisitGrants) (SeemePrincipal *principal, const SeemeGrants *grants,
								  void *context);

extern void seeme_init_principal(SeemePrincipal *principal, SeemeStore *store,
								 const pg_uuid_t *user_id);
extern void seeme_init_active_principal(SeemePrincipal *principal, SeemeStore *store,
										const pg_uuid_t *user_id);
extern TimestampTz seeme_require_actor(SeemePrincipal *principal, const pg_uuid_t *actor_id);
extern void seeme_limit_to_valid_api_key(SeemePrincipal *principal, const pg_uuid_t *key_id);
extern bool seeme_api_key_allows(const SeemePrincipal *principal,
								 const pg_uuid_t *organization_id, const char *code);
extern int	seeme_compare_scope(const SeemeScope *scope, SeemeScopeKind kind,
								const pg_uuid_t *scope_id);
extern SeemeGrants *seeme_read_grants(SeemePrincipal *principal, const pg_uuid_t *organization_id,
									  SeemeReadOwner read_owner, int limit);
extern SeemeGrants *seeme_read_grants_at(SeemePrincipal *principal, const SeemePlace *place,
										 SeemeReadOwner read_owner);
extern SeemeGrants *seeme_get_grants(SeemePrincipal *principal, const pg_uuid_t *organization_id);
extern SeemeGrants *seeme_get_grants_at(SeemePrincipal *principal, const SeemePlace *place);
extern List *seeme_list_own_organizations(SeemePrincipal *principal);
extern void seeme_visit_grants(SeemePrincipal *principal, SeemeVisitGrants visit, void *context);
extern SeemeRole *seeme_get_role(SeemePrincipal *principal, const SeemeMembership *membership);

/* Whether a principal belongs to the organization of some grants. */
static inline bool
seeme_belongs(const SeemeGrants *grants)
{
	return grants->is_owner || grants->is_member;
}

static inline bool
seeme_is_current(const SeemeMembership *membership, TimestampTz now)
{
	return membership->valid_from <= now && now < membership->valid_until;
}

/* Whether a token counts, given the user's tokens_valid_from. */
static inline bool
seeme_token_counts(TimestampTz issued_at, TimestampTz tokens_valid_from)
{
	return issued_at >= tokens_valid_from;
}

#pragma GCC visibility pop

#endif							/* SEEME_CORE_PRINCIPAL_H */
