#if 0							/* a copy, which the next commits cut to its part */
/*
 * evaluator.h: the evaluator.
 */
#ifndef SEEME_CORE_EVALUATOR_H
#define SEEME_CORE_EVALUATOR_H

#include "postgres.h"

#include "nodes/pg_list.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

#include "core/codes.h"
#include "core/uuid_hash.h"
#include "core/store.h"

typedef enum SeemeScopeKind
{
	SEEME_NO_SCOPE,				/* a null scope */
	SEEME_SCOPE_ORGANIZATION,
	SEEME_SCOPE_TEAM,
	SEEME_SCOPE_PROJECT,
	SEEME_SCOPE_RESOURCE,
} SeemeScopeKind;

/* What a request is about. */
typedef struct SeemeScope
{
	SeemeScopeKind	level;
	pg_uuid_t	id;
	char	   *resource_type;	/* of a resource; NULL: of every type under that id */
} SeemeScope;

/* All that a person has in one organization. */
typedef struct SeemeGrants
{
	pg_uuid_t	organization_id;
	bool		is_owner;
	bool		is_member;		/* the membership in the organization itself is current */
	bool		is_whole;		/* else there are only the memberships that can count in one place */
	SeemePlace	place;			/* that one */
	int			nmemberships;
	SeemeMembership *memberships;	/* sorted: teams', projects', the organization's; each by id */
} SeemeGrants;

/* Of a person's memberships in an organization, so many at most count in one place: seeme_memberships_at(). */
#define SEEME_MAX_MEMBERSHIPS_AT 3

/* Roles read under one snapshot, each once. */
typedef struct SeemeRoles
{
	MemoryContext context;
	SeemeUuidHash	numbers;		/* by id: the place in the list, from 1 */
	List	   *roles;			/* of SeemeRole *; NULL: there is none */
} SeemeRoles;

/* A person under decision, at one instant of the wall clock. */
typedef struct SeemePrincipal
{
	SeemeStore *store;
	SeemeUser person;
	bool		is_known;
	bool		is_refused;		/* unknown or disabled: holds nothing */
	TimestampTz now;
	SeemeApiKey   *key;			/* the API key that they came by; NULL: none */
	MemoryContext context;		/* what has been looked up so far is kept here: */
	List	   *all_grants;		/* of SeemeGrants * */
	SeemeUuidHash	grants_numbers;	/* by organization, once there are many: the place in the list, from 1 */
	SeemeRoles *roles;			/* NULL: none yet; several people may share them */
	struct SeemePrincipal *creator;	/* who made it, if they were asked about */
	const SeemeUuidHash *without;	/* memberships in these organizations, teams and projects do not count; NULL: all do */
} SeemePrincipal;

/* Places, found by what somebody may have a membership in. */
typedef struct SeemePlaceIndex
{
	List	   *places;			/* of SeemePlace * */
	SeemeUuidHash	by_organization;	/* the place in the list, from 1, of the first one there */
	SeemeUuidHash	by_team;
	SeemeUuidHash	by_project;
} SeemePlaceIndex;

extern void seeme_init_principal(SeemePrincipal *principal, SeemeStore *store, const pg_uuid_t *user_id);
extern void seeme_init_active_principal(SeemePrincipal *principal, SeemeStore *store, const pg_uuid_t *user_id);
extern void seeme_limit_to_api_key(SeemePrincipal *principal, const pg_uuid_t *key_id);
extern void seeme_limit_to_valid_api_key(SeemePrincipal *principal, const pg_uuid_t *key_id);
extern const char *seeme_api_key_defect(SeemeStore *store, const SeemeApiKey *key, SeemePrincipal **creator);
extern bool seeme_is_membership_of(SeemeStore *store, const pg_uuid_t *id, const pg_uuid_t *organization, const pg_uuid_t *user);
extern bool seeme_api_key_allows(const SeemePrincipal *principal, const pg_uuid_t *organization_id, const char *code);
/* Whose an organization is; false when it does not exist: seeme_read_owner(), or what remembers that. */
typedef bool (*SeemeReadOwner) (SeemeStore *store, const pg_uuid_t *organization, pg_uuid_t *owner);

extern SeemeGrants *seeme_read_grants(SeemePrincipal *principal, const pg_uuid_t *organization_id, SeemeReadOwner read_owner, int limit);
extern SeemeGrants *seeme_read_grants_at(SeemePrincipal *principal, const SeemePlace *place, SeemeReadOwner read_owner);
extern SeemeGrants *seeme_get_grants(SeemePrincipal *principal, const pg_uuid_t *organization_id);
extern SeemeGrants *seeme_get_grants_at(SeemePrincipal *principal, const SeemePlace *place);
extern List *seeme_list_own_organizations(SeemePrincipal *principal);
extern List *seeme_find_places(SeemeStore *store, const SeemeScope *scope);
extern SeemePlace *seeme_place_of_project(const SeemeProject *project);
extern void seeme_put_place_of_project(SeemePlace *place, const SeemeProject *project);
extern SeemePlace *seeme_place_of_team(const SeemeTeam *team);
extern SeemePlace *seeme_place_of_organization(const pg_uuid_t *organization_id);
extern SeemeRole *seeme_get_role(SeemePrincipal *principal, const SeemeMembership *membership);
extern int	seeme_scopes_of_place(const SeemePlace *place, SeemeScope *scopes);
extern int	seeme_compare_scope(const SeemeScope *scope, bool has_team, bool has_project, const pg_uuid_t *scope_id);
extern int	seeme_memberships_at(const SeemeGrants *grants, const SeemePlace *place, SeemeMembership **memberships);
extern int	seeme_effective_memberships(SeemePrincipal *principal, const SeemeGrants *grants, const SeemePlace *place,
						   SeemeMembership **effective, bool *everything);
extern void seeme_index_places(SeemePlaceIndex *index, List *places);
extern List *seeme_distinct_places(SeemePrincipal *principal, const SeemePlaceIndex *index, const pg_uuid_t *organization_id);
extern List *seeme_list_effective_roles(SeemePrincipal *principal, List **memberships);
extern bool seeme_evaluate(SeemePrincipal *principal, const SeemePlace *place, const char *code);
extern bool seeme_evaluate_spec(SeemePrincipal *principal, List *places, const SeemePermissionSpec *spec);
extern bool seeme_may_manage_members(SeemePrincipal *principal, const SeemePlace *place);

#endif							/* SEEME_CORE_EVALUATOR_H */
#endif
