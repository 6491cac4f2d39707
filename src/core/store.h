/*
 * store.h: what the extension's tables say, read by index, whatever row security and snapshots say.
 */
#ifndef SEEME_CORE_STORE_H
#define SEEME_CORE_STORE_H

#include "postgres.h"

#include "nodes/pg_list.h"
#include "utils/relcache.h"
#include "utils/snapshot.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

typedef enum SeemeTable
{
	SEEME_USERS,
	SEEME_ORGANIZATIONS,
	SEEME_TEAMS,
	SEEME_PROJECTS,
	SEEME_ROLES,
	SEEME_MEMBERSHIPS,
	SEEME_PROJECT_RESOURCES,
	SEEME_PERMISSIONS,
	SEEME_RESOURCE_TYPES,
	SEEME_RELEASED_RESOURCES,
	SEEME_API_KEYS,
	SEEME_RETIRED_IDS,
	SEEME_TOKEN_KEYS,
	SEEME_EXTERNAL_IDENTITIES,
	SEEME_IN_USE,
} SeemeTable;
#define SEEME_NTABLES (SEEME_IN_USE + 1)

/* The tables as one snapshot of what is committed now shows them, opened as they are needed. */
typedef struct SeemeStore
{
	Oid			namespace;
	Snapshot	snapshot;
	Relation	tables[SEEME_NTABLES];
	bool		knows_archived_teams;	/* whether the next one was looked up */
	bool		has_archived_teams;
} SeemeStore;

/* A column of a table that C reads by its number. */
typedef struct SeemeColumn
{
	int			number;
	const char *name;
	Oid			type;
} SeemeColumn;

extern const SeemeColumn *const seeme_columns[SEEME_NTABLES];

typedef struct SeemePerson
{
	pg_uuid_t	id;
	TimestampTz disabled_at;	/* DT_NOEND: never */
	TimestampTz tokens_valid_from;	/* tokens issued before it are refused; DT_NOBEGIN: none for that */
} SeemePerson;

typedef struct SeemeTeam
{
	pg_uuid_t	id;
	pg_uuid_t	organization_id;
	bool		is_archived;	/* never of one that is read: it does not count */
} SeemeTeam;

typedef struct SeemeProject
{
	pg_uuid_t	id;
	pg_uuid_t	organization_id;
	bool		has_team;
	pg_uuid_t	team_id;
	bool		is_archived;	/* the same */
} SeemeProject;

/* Where memberships count: an organization, in it perhaps a team, in it perhaps a project (with its team, if any). */
typedef struct SeemePlace
{
	pg_uuid_t	organization_id;
	bool		has_team;
	pg_uuid_t	team_id;
	bool		has_project;
	pg_uuid_t	project_id;
} SeemePlace;

typedef struct SeemeRole
{
	pg_uuid_t	id;
	char	   *name;
	int			ncodes;
	char	  **codes;
} SeemeRole;

typedef struct SeemeMembership
{
	pg_uuid_t	organization_id;
	bool		has_team;
	bool		has_project;
	pg_uuid_t	scope_id;		/* the project's, team's or organization's id */
	pg_uuid_t	user_id;
	bool		has_role;
	pg_uuid_t	role_id;
	TimestampTz valid_from;		/* DT_NOBEGIN: unbounded */
	TimestampTz valid_until;	/* DT_NOEND: unbounded */
} SeemeMembership;

/* What an API key narrows its user to. */
typedef struct SeemeKey
{
	pg_uuid_t	user_id;
	bool		has_organization;
	pg_uuid_t	organization_id;
	TimestampTz expires_at;		/* DT_NOEND: never */
	int			ncodes;
	char	  **codes;
	bool		has_creator;	/* a person made it; else privileged code */
	pg_uuid_t	created_by;
	/* The memberships in its organization under which it was made; all zeroes: none. */
	pg_uuid_t	creator_membership_id;
	pg_uuid_t	bearer_membership_id;
} SeemeKey;

/* A key that tokens are verified with. */
typedef struct SeemeTokenKey
{
	pg_uuid_t	id;
	char	   *kid;
	char	   *issuer;
	char	   *audience;
	char	   *algorithm;
	char	   *jwk;			/* JSON */
	bool		names_user_id;	/* the subject is a user's id; else an external identity's */
	TimestampTz valid_from;
	TimestampTz valid_until;
} SeemeTokenKey;

typedef struct SeemeAssignment
{
	pg_uuid_t	project_id;
	pg_uuid_t	resource_id;
} SeemeAssignment;

extern void seeme_store_open(SeemeStore *store);
extern void seeme_store_open_in(SeemeStore *store, Oid namespace);
extern void seeme_store_close(SeemeStore *store);

/* One row by its key: false when there is none. */
extern bool seeme_read_person(SeemeStore *store, const pg_uuid_t *id, SeemePerson *person);
extern bool seeme_find_user_of_role(SeemeStore *store, const char *role, pg_uuid_t *id);
extern bool seeme_read_service(SeemeStore *store, const pg_uuid_t *id, pg_uuid_t *organization);
extern char *seeme_read_email(SeemeStore *store, const pg_uuid_t *id);
extern bool seeme_read_membership(SeemeStore *store, const pg_uuid_t *id, SeemeMembership *membership);
extern bool seeme_find_membership(SeemeStore *store, const pg_uuid_t *organization, const pg_uuid_t *user, pg_uuid_t *id);
extern bool seeme_read_owner(SeemeStore *store, const pg_uuid_t *organization, pg_uuid_t *owner);
extern bool seeme_read_owner_of_archived(SeemeStore *store, const pg_uuid_t *organization, pg_uuid_t *owner);
extern bool seeme_read_team(SeemeStore *store, const pg_uuid_t *id, SeemeTeam *team);
extern bool seeme_is_archived_team(SeemeStore *store, const pg_uuid_t *id);
extern bool seeme_read_project(SeemeStore *store, const pg_uuid_t *id, SeemeProject *project);
extern SeemeRole *seeme_read_role(SeemeStore *store, const pg_uuid_t *id);
extern SeemeKey *seeme_read_key(SeemeStore *store, const pg_uuid_t *id);
extern SeemeTokenKey *seeme_read_token_key(SeemeStore *store, const pg_uuid_t *id);
extern bool seeme_find_external_identity(SeemeStore *store, const char *issuer, const char *subject, pg_uuid_t *user_id);
extern bool seeme_read_code(SeemeStore *store, const char *code);
extern char *seeme_find_type_of_resource(SeemeStore *store, const char *resource);
extern bool seeme_read_resource_type(SeemeStore *store, const char *type);
extern bool seeme_read_retired(SeemeStore *store, const pg_uuid_t *id);
extern bool seeme_read_had_row(SeemeStore *store, const char *type, const pg_uuid_t *resource, bool *had_row);
extern bool seeme_read_released(SeemeStore *store, const char *type, const pg_uuid_t *resource, bool *had_row);

extern bool seeme_read_in_use(SeemeStore *store);

/* Lists, palloc'd in the current memory context. */
extern List *seeme_list_codes(SeemeStore *store);	/* of char *: the concrete ones, sorted */
extern List *seeme_list_resource_types(SeemeStore *store);	/* of char **: names */
extern List *seeme_list_token_keys(SeemeStore *store, const char *kid);	/* of SeemeTokenKey * */
extern List *seeme_list_memberships(SeemeStore *store, const pg_uuid_t *organization, const pg_uuid_t *user, int limit);
extern List *seeme_list_memberships_at(SeemeStore *store, const SeemePlace *place, const pg_uuid_t *user, bool *are_all);
extern List *seeme_list_memberships_of_user(SeemeStore *store, const pg_uuid_t *user);
extern List *seeme_list_memberships_in_team(SeemeStore *store, const pg_uuid_t *team);
extern List *seeme_list_organizations_of_member(SeemeStore *store, const pg_uuid_t *user);	/* of pg_uuid_t * */
extern List *seeme_list_members(SeemeStore *store, const pg_uuid_t *organization);	/* of pg_uuid_t * */
extern bool seeme_has_memberships_in(SeemeStore *store, const pg_uuid_t *organization, const pg_uuid_t *user);
extern List *seeme_list_organizations_of_owner(SeemeStore *store, const pg_uuid_t *owner);	/* of pg_uuid_t * */
extern List *seeme_list_teams(SeemeStore *store, const pg_uuid_t *organization, int limit);	/* of SeemeTeam * */
extern List *seeme_list_projects(SeemeStore *store, const pg_uuid_t *organization, int limit); /* of SeemeProject * */
extern List *seeme_list_projects_of_team(SeemeStore *store, const pg_uuid_t *team);
extern List *seeme_list_assignments(SeemeStore *store, const pg_uuid_t *resource, const char *type, int limit);
extern List *seeme_list_assignments_to(SeemeStore *store, const pg_uuid_t *project, const char *type, int limit);

/* A table as a whole, but at most so many rows of it; assignments of one type, all of them. */
extern double seeme_estimate_rows(SeemeStore *store, SeemeTable table);
extern void seeme_visit_people(SeemeStore *store, int limit, void (*visit) (void *context, const SeemePerson *person), void *context);
extern void seeme_visit_organizations(SeemeStore *store, int limit,
									  void (*visit) (void *context, const pg_uuid_t *organization, const pg_uuid_t *owner), void *context);
extern bool seeme_visit_assignments(SeemeStore *store, const char *type, int limit,
									void (*visit) (void *context, const SeemeAssignment *assignment), void *context);
extern void seeme_visit_projects(SeemeStore *store, int limit, void (*visit) (void *context, const SeemeProject *project), void *context);

/* Whether anything was looked at since it was opened. */
static inline bool
seeme_store_was_read(const SeemeStore *store)
{
	return store->snapshot != NULL;
}

static inline bool
seeme_uuid_equal(const pg_uuid_t *a, const pg_uuid_t *b)
{
	return memcmp(a->data, b->data, UUID_LEN) == 0;
}

/* disabled_at takes effect when it passes. */
static inline bool
seeme_is_disabled(const SeemePerson *person, TimestampTz now)
{
	return person->disabled_at <= now;
}

static inline bool
seeme_is_current(const SeemeMembership *membership, TimestampTz now)
{
	return membership->valid_from <= now && now < membership->valid_until;
}

#endif							/* SEEME_CORE_STORE_H */
