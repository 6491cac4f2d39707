/*
 * store.h: the rows of the extension's tables, as decisions need them.
 *
 * All functions read under the snapshot of a store (index_scan.h), whatever row security says.
 * Lists are palloc'd in the current memory context.
 */
#ifndef SEEME_CORE_STORE_H
#define SEEME_CORE_STORE_H

#include "postgres.h"

#include "nodes/pg_list.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

#include "core/index_scan.h"
#include "core/scope.h"
#include "core/uuid_hash.h"

/* A row of seeme.users. */
typedef struct SeemeUser
{
	pg_uuid_t	id;
	TimestampTz disabled_at;	/* DT_NOEND: never */
	TimestampTz tokens_valid_from;	/* older tokens are refused; DT_NOBEGIN: none is */
} SeemeUser;

typedef struct SeemeRole
{
	pg_uuid_t	id;
	char	   *name;
	int			ncodes;
	char	  **codes;
	bool		has_organization;	/* else a system role */
	pg_uuid_t	organization_id;
} SeemeRole;

typedef struct SeemeMembership
{
	pg_uuid_t	organization_id;
	SeemeScopeKind kind;		/* of the container that the membership is in */
	pg_uuid_t	scope_id;		/* that container */
	pg_uuid_t	user_id;
	bool		has_role;
	pg_uuid_t	role_id;
	TimestampTz valid_from;		/* DT_NOBEGIN: unbounded */
	TimestampTz valid_until;	/* DT_NOEND: unbounded */
} SeemeMembership;

/* An API key limits its user to some codes, and perhaps to one organization. */
typedef struct SeemeApiKey
{
	pg_uuid_t	user_id;
	bool		has_organization;
	pg_uuid_t	organization_id;
	TimestampTz expires_at;		/* DT_NOEND: never */
	int			ncodes;
	char	  **codes;
	bool		has_creator;	/* a user made the key; else privileged code did */
	pg_uuid_t	created_by;
	/* The memberships in its organization under which it was made; all zeroes: none. */
	pg_uuid_t	creator_membership_id;
	pg_uuid_t	bearer_membership_id;
} SeemeApiKey;

/* A key that verifies tokens. */
typedef struct SeemeTokenKey
{
	pg_uuid_t	id;
	char	   *kid;
	char	   *issuer;
	char	   *audience;
	char	   *algorithm;
	char	   *jwk;			/* JSON */
	bool		names_user_id;	/* "sub" is the id of a user; else of an external identity */
	TimestampTz valid_from;
	TimestampTz valid_until;
} SeemeTokenKey;

/* A resource that is assigned to a project. */
typedef struct SeemeAssignment
{
	pg_uuid_t	project_id;
	pg_uuid_t	resource_id;
} SeemeAssignment;

/* store_identities.c: users, and what they prove who they are with */
extern bool seeme_read_user(SeemeStore *store, const pg_uuid_t *id, SeemeUser *user);
extern void seeme_visit_users(SeemeStore *store, int limit,
							  void (*visit) (void *context, const SeemeUser *user), void *context);
extern bool seeme_find_user_of_role(SeemeStore *store, const char *role, pg_uuid_t *id);
extern bool seeme_read_service(SeemeStore *store, const pg_uuid_t *id, pg_uuid_t *organization);
extern char *seeme_read_email(SeemeStore *store, const pg_uuid_t *id, bool *is_verified);
extern SeemeApiKey *seeme_read_api_key(SeemeStore *store, const pg_uuid_t *id);
extern SeemeTokenKey *seeme_read_token_key(SeemeStore *store, const pg_uuid_t *id);
extern List *seeme_list_token_keys(SeemeStore *store, const char *kid); /* SeemeTokenKey * */
extern bool seeme_find_external_identity(SeemeStore *store, const char *issuer,
										 const char *subject, pg_uuid_t *user_id);

/* store.c: roles and memberships */
extern SeemeRole *seeme_read_role(SeemeStore *store, const pg_uuid_t *id);
extern bool seeme_read_membership(SeemeStore *store, const pg_uuid_t *id,
								  SeemeMembership *membership);
extern bool seeme_find_membership(SeemeStore *store, const pg_uuid_t *organization,
								  const pg_uuid_t *user, pg_uuid_t *id);
extern bool seeme_has_memberships_in(SeemeStore *store, const pg_uuid_t *organization,
									 const pg_uuid_t *user);
extern List *seeme_list_memberships(SeemeStore *store, const pg_uuid_t *organization,
									const pg_uuid_t *user, int limit);
extern List *seeme_list_memberships_at(SeemeStore *store, const SeemePlace *place,
									   const pg_uuid_t *user, bool *are_all);
extern List *seeme_list_memberships_of_user(SeemeStore *store, const pg_uuid_t *user);
extern List *seeme_list_some_memberships_of_user(SeemeStore *store, const pg_uuid_t *user,
												 int limit);
extern List *seeme_list_memberships_in_team(SeemeStore *store, const pg_uuid_t *team);
extern List *seeme_list_organizations_of_member(SeemeStore *store, const pg_uuid_t *user);
extern List *seeme_list_members(SeemeStore *store, const pg_uuid_t *organization);
typedef void (*SeemeVisitMember) (void *context, const pg_uuid_t *user);
extern bool seeme_visit_members(SeemeStore *store, SeemeScopeKind container, const pg_uuid_t *id,
								const bool *kinds, int *limit, SeemeVisitMember visit,
								void *context);

/* store_resources.c: permission codes, resource types and resources */
extern bool seeme_read_code(SeemeStore *store, const char *code);
extern List *seeme_list_codes(SeemeStore *store);	/* of char *, without wildcards, sorted */
extern char *seeme_find_type_of_resource(SeemeStore *store, const char *resource);
extern bool seeme_read_resource_type(SeemeStore *store, const char *type);
extern List *seeme_list_resource_types(SeemeStore *store);	/* of char **: names */
extern List *seeme_list_assignments(SeemeStore *store, const pg_uuid_t *resource,
									const char *type, int limit);
extern List *seeme_list_assignments_to(SeemeStore *store, const pg_uuid_t *project,
									   const char *type, int limit);
extern bool seeme_visit_assignments(SeemeStore *store, const char *type, int limit,
									void (*visit) (void *context,
												   const SeemeAssignment *assignment),
									void *context);
extern bool seeme_read_retired(SeemeStore *store, const pg_uuid_t *id);
extern bool seeme_read_had_row(SeemeStore *store, const char *type, const pg_uuid_t *resource,
							   bool *had_row);
extern bool seeme_read_released(SeemeStore *store, const char *type, const pg_uuid_t *resource,
								bool *had_row);
extern bool seeme_read_in_use(SeemeStore *store);

/* deleted_rows.c: what the running transaction deleted */
extern bool seeme_read_deleted_container(const pg_uuid_t *id);
extern bool seeme_read_deleted_role(const pg_uuid_t *id);
extern List *seeme_list_projects_left(const char *type, const pg_uuid_t *resource, bool *had_row);

/* store.c: trusted functions */
extern char *seeme_read_trusted_function(SeemeStore *store, const char *name);

#endif							/* SEEME_CORE_STORE_H */
