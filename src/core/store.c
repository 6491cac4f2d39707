/*
 * store.c: what the extension's tables say.
 *
 * Owns the layout of the tables as C sees it (columns, and which index finds what) and nothing else: it knows neither
 * who is asking nor what a permission is, and writes nothing. How a row is found is index_scan.c's affair.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/stratnum.h"
#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/jsonb.h"

#include "core/index_scan.h"
#include "core/store.h"

/*
 * The columns that C reads, by number, with their types: COLUMN(table, name, number, type), as sql/install has them. An upgrade
 * adds columns at the end only. index_scan.c compares them with the table, by name and type, before it reads the first row of one.
 */
#define COLUMNS_OF_USERS(COLUMN) \
	COLUMN(users, id, 1, UUIDOID) \
	COLUMN(users, email, 3, TEXTOID) \
	COLUMN(users, database_role, 6, NAMEOID) \
	COLUMN(users, is_service, 7, BOOLOID) \
	COLUMN(users, disabled_at, 8, TIMESTAMPTZOID) \
	COLUMN(users, service_organization_id, 11, UUIDOID) \
	COLUMN(users, tokens_valid_from, 13, TIMESTAMPTZOID)

#define COLUMNS_OF_ORGANIZATIONS(COLUMN) \
	COLUMN(organizations, id, 1, UUIDOID) \
	COLUMN(organizations, owner_id, 6, UUIDOID) \
	COLUMN(organizations, archived_at, 10, TIMESTAMPTZOID)

#define COLUMNS_OF_TEAMS(COLUMN) \
	COLUMN(teams, id, 1, UUIDOID) \
	COLUMN(teams, organization_id, 2, UUIDOID) \
	COLUMN(teams, archived_at, 9, TIMESTAMPTZOID)

#define COLUMNS_OF_PROJECTS(COLUMN) \
	COLUMN(projects, id, 1, UUIDOID) \
	COLUMN(projects, organization_id, 2, UUIDOID) \
	COLUMN(projects, team_id, 3, UUIDOID) \
	COLUMN(projects, archived_at, 10, TIMESTAMPTZOID)

#define COLUMNS_OF_ROLES(COLUMN) \
	COLUMN(roles, id, 1, UUIDOID) \
	COLUMN(roles, name, 3, TEXTOID) \
	COLUMN(roles, permissions, 5, TEXTARRAYOID)

#define COLUMNS_OF_MEMBERSHIPS(COLUMN) \
	COLUMN(memberships, id, 1, UUIDOID) \
	COLUMN(memberships, organization_id, 2, UUIDOID) \
	COLUMN(memberships, team_id, 3, UUIDOID) \
	COLUMN(memberships, project_id, 4, UUIDOID) \
	COLUMN(memberships, user_id, 5, UUIDOID) \
	COLUMN(memberships, role_id, 6, UUIDOID) \
	COLUMN(memberships, valid_from, 7, TIMESTAMPTZOID) \
	COLUMN(memberships, valid_until, 8, TIMESTAMPTZOID)

#define COLUMNS_OF_PROJECT_RESOURCES(COLUMN) \
	COLUMN(project_resources, project_id, 2, UUIDOID) \
	COLUMN(project_resources, resource_type, 3, TEXTOID) \
	COLUMN(project_resources, resource_id, 4, UUIDOID) \
	COLUMN(project_resources, had_row, 9, BOOLOID)

#define COLUMNS_OF_PERMISSIONS(COLUMN) \
	COLUMN(permissions, name, 1, TEXTOID) \
	COLUMN(permissions, is_wildcard, 5, BOOLOID)

#define COLUMNS_OF_RESOURCE_TYPES(COLUMN) \
	COLUMN(resource_types, name, 1, TEXTOID) \
	COLUMN(resource_types, resource, 2, TEXTOID)

#define COLUMNS_OF_RELEASED_RESOURCES(COLUMN) \
	COLUMN(released_resources, resource_type, 1, TEXTOID) \
	COLUMN(released_resources, resource_id, 2, UUIDOID) \
	COLUMN(released_resources, had_row, 6, BOOLOID)

#define COLUMNS_OF_API_KEYS(COLUMN) \
	COLUMN(api_keys, id, 1, UUIDOID) \
	COLUMN(api_keys, user_id, 2, UUIDOID) \
	COLUMN(api_keys, organization_id, 3, UUIDOID) \
	COLUMN(api_keys, permissions, 4, TEXTARRAYOID) \
	COLUMN(api_keys, expires_at, 5, TIMESTAMPTZOID) \
	COLUMN(api_keys, created_by, 9, UUIDOID) \
	COLUMN(api_keys, creator_membership_id, 11, UUIDOID) \
	COLUMN(api_keys, bearer_membership_id, 12, UUIDOID)

#define COLUMNS_OF_RETIRED_IDS(COLUMN) \
	COLUMN(retired_ids, id, 1, UUIDOID)

#define COLUMNS_OF_TOKEN_KEYS(COLUMN) \
	COLUMN(token_keys, id, 1, UUIDOID) \
	COLUMN(token_keys, kid, 2, TEXTOID) \
	COLUMN(token_keys, issuer, 3, TEXTOID) \
	COLUMN(token_keys, audience, 4, TEXTOID) \
	COLUMN(token_keys, algorithm, 5, TEXTOID) \
	COLUMN(token_keys, jwk, 6, JSONBOID) \
	COLUMN(token_keys, subject_kind, 7, TEXTOID) \
	COLUMN(token_keys, valid_from, 8, TIMESTAMPTZOID) \
	COLUMN(token_keys, valid_until, 9, TIMESTAMPTZOID)

#define COLUMNS_OF_EXTERNAL_IDENTITIES(COLUMN) \
	COLUMN(external_identities, issuer, 1, TEXTOID) \
	COLUMN(external_identities, subject, 2, TEXTOID) \
	COLUMN(external_identities, user_id, 3, UUIDOID)

#define NUMBER(table, name, number, type) table##_##name = number,
#define ENTRY(table, name, number, type) {number, #name, type},
#define LIST(columns) (const SeemeColumn[]) {columns(ENTRY) {0}}

/* users_id and so on */
enum
{
	COLUMNS_OF_USERS(NUMBER)
	COLUMNS_OF_ORGANIZATIONS(NUMBER)
	COLUMNS_OF_TEAMS(NUMBER)
	COLUMNS_OF_PROJECTS(NUMBER)
	COLUMNS_OF_ROLES(NUMBER)
	COLUMNS_OF_MEMBERSHIPS(NUMBER)
	COLUMNS_OF_PROJECT_RESOURCES(NUMBER)
	COLUMNS_OF_PERMISSIONS(NUMBER)
	COLUMNS_OF_RESOURCE_TYPES(NUMBER)
	COLUMNS_OF_RELEASED_RESOURCES(NUMBER)
	COLUMNS_OF_API_KEYS(NUMBER)
	COLUMNS_OF_RETIRED_IDS(NUMBER)
	COLUMNS_OF_TOKEN_KEYS(NUMBER)
	COLUMNS_OF_EXTERNAL_IDENTITIES(NUMBER)
};

const SeemeColumn *const seeme_columns[SEEME_NTABLES] = {
	[SEEME_USERS] = LIST(COLUMNS_OF_USERS),
	[SEEME_ORGANIZATIONS] = LIST(COLUMNS_OF_ORGANIZATIONS),
	[SEEME_TEAMS] = LIST(COLUMNS_OF_TEAMS),
	[SEEME_PROJECTS] = LIST(COLUMNS_OF_PROJECTS),
	[SEEME_ROLES] = LIST(COLUMNS_OF_ROLES),
	[SEEME_MEMBERSHIPS] = LIST(COLUMNS_OF_MEMBERSHIPS),
	[SEEME_PROJECT_RESOURCES] = LIST(COLUMNS_OF_PROJECT_RESOURCES),
	[SEEME_PERMISSIONS] = LIST(COLUMNS_OF_PERMISSIONS),
	[SEEME_RESOURCE_TYPES] = LIST(COLUMNS_OF_RESOURCE_TYPES),
	[SEEME_RELEASED_RESOURCES] = LIST(COLUMNS_OF_RELEASED_RESOURCES),
	[SEEME_API_KEYS] = LIST(COLUMNS_OF_API_KEYS),
	[SEEME_RETIRED_IDS] = LIST(COLUMNS_OF_RETIRED_IDS),
	[SEEME_TOKEN_KEYS] = LIST(COLUMNS_OF_TOKEN_KEYS),
	[SEEME_EXTERNAL_IDENTITIES] = LIST(COLUMNS_OF_EXTERNAL_IDENTITIES),
};

/* Of an index's entries so many are looked at in vain before those that are wanted are looked up one by one. */
#define MAX_PASSED_OVER 64

/* Users */

static void
get_person(SeemeScan *scan, void *row)
{
	SeemePerson *person = row;

	seeme_row_uuid(scan, users_id, &person->id);
	person->disabled_at = seeme_row_time(scan, users_disabled_at, DT_NOEND);
	person->tokens_valid_from = seeme_row_time(scan, users_tokens_valid_from, DT_NOBEGIN);
}

bool
seeme_read_person(SeemeStore *store, const pg_uuid_t *id, SeemePerson *person)
{
	ScanKeyData key;

	seeme_uuid_key(&key, users_id, id);
	return seeme_read_row(store, SEEME_USERS_BY_ID, 1, &key, get_person, person);
}

void
seeme_visit_people(SeemeStore *store, int limit, void (*visit) (void *context, const SeemePerson *person), void *context)
{
	SeemeScan	scan;
	SeemePerson person;

	seeme_begin_table_scan(store, &scan, SEEME_USERS);
	while (limit-- > 0 && seeme_next_table_row(&scan))
	{
		get_person(&scan, &person);
		visit(context, &person);
	}
	seeme_end_scan(&scan);
}

bool
seeme_find_user_of_role(SeemeStore *store, const char *role, pg_uuid_t *id)
{
	ScanKeyData key;
	NameData	name;
	SeemePerson person;

	namestrcpy(&name, role);
	ScanKeyInit(&key, users_database_role, BTEqualStrategyNumber, F_NAMEEQ, NameGetDatum(&name));
	if (!seeme_read_row(store, SEEME_USERS_BY_DATABASE_ROLE, 1, &key, get_person, &person))
		return false;
	*id = person.id;
	return true;
}

static void
get_service(SeemeScan *scan, void *row)
{
	bool		isnull;

	/* Left as it is, all zeroes, for a person. */
	if (DatumGetBool(seeme_row_datum(scan, users_is_service, &isnull)))
		seeme_row_uuid(scan, users_service_organization_id, row);
}

/* The organization that a service belongs to; false when it belongs to none, or is no service. */
bool
seeme_read_service(SeemeStore *store, const pg_uuid_t *id, pg_uuid_t *organization)
{
	static const pg_uuid_t none = {{0}};
	ScanKeyData key;

	*organization = none;
	seeme_uuid_key(&key, users_id, id);
	return seeme_read_row(store, SEEME_USERS_BY_ID, 1, &key, get_service, organization) &&
		!seeme_uuid_equal(organization, &none);
}

static void
get_email(SeemeScan *scan, void *row)
{
	*(char **) row = seeme_row_text(scan, users_email);
}

/* NULL when there is none. */
char *
seeme_read_email(SeemeStore *store, const pg_uuid_t *id)
{
	ScanKeyData key;
	char	   *email = NULL;

	seeme_uuid_key(&key, users_id, id);
	seeme_read_row(store, SEEME_USERS_BY_ID, 1, &key, get_email, &email);
	return email;
}

/* Organizations, teams, projects */

/*
 * What is archived is read as if it did not exist: nobody holds anything there. Dates that are to come are never stored
 * (seeme.authorize_archive), so that what is remembered of places needs no clock.
 */
static bool
is_archived(SeemeScan *scan, AttrNumber column)
{
	bool		isnull;

	seeme_row_datum(scan, column, &isnull);
	return !isnull;
}

typedef struct Owner
{
	pg_uuid_t	id;
	bool		is_archived;
} Owner;

static void
get_owner(SeemeScan *scan, void *row)
{
	Owner	   *owner = row;

	seeme_row_uuid(scan, organizations_owner_id, &owner->id);
	owner->is_archived = is_archived(scan, organizations_archived_at);
}

static void
get_organization_id(SeemeScan *scan, void *row)
{
	seeme_row_uuid(scan, organizations_id, row);
}

bool
seeme_read_owner(SeemeStore *store, const pg_uuid_t *organization, pg_uuid_t *owner)
{
	ScanKeyData key;
	Owner		found;

	seeme_uuid_key(&key, organizations_id, organization);
	if (!seeme_read_row(store, SEEME_ORGANIZATIONS_BY_ID, 1, &key, get_owner, &found))
		return false;
	*owner = found.id;
	return !found.is_archived;
}

/* The same, also of one that is archived. */
bool
seeme_read_owner_of_archived(SeemeStore *store, const pg_uuid_t *organization, pg_uuid_t *owner)
{
	ScanKeyData key;
	Owner		found;

	seeme_uuid_key(&key, organizations_id, organization);
	if (!seeme_read_row(store, SEEME_ORGANIZATIONS_BY_ID, 1, &key, get_owner, &found))
		return false;
	*owner = found.id;
	return true;
}

void
seeme_visit_organizations(SeemeStore *store, int limit,
						  void (*visit) (void *context, const pg_uuid_t *organization, const pg_uuid_t *owner), void *context)
{
	SeemeScan	scan;
	pg_uuid_t	organization;
	Owner		owner;

	seeme_begin_table_scan(store, &scan, SEEME_ORGANIZATIONS);
	while (limit-- > 0 && seeme_next_table_row(&scan))
	{
		get_organization_id(&scan, &organization);
		get_owner(&scan, &owner);
		if (!owner.is_archived)
			visit(context, &organization, &owner.id);
	}
	seeme_end_scan(&scan);
}

List *
seeme_list_organizations_of_owner(SeemeStore *store, const pg_uuid_t *owner)
{
	ScanKeyData key;

	seeme_uuid_key(&key, organizations_owner_id, owner);
	return seeme_list_rows(store, SEEME_ORGANIZATIONS_BY_OWNER, 1, &key,
					 get_organization_id, sizeof(pg_uuid_t));
}

static void
get_team(SeemeScan *scan, void *row)
{
	SeemeTeam  *team = row;

	seeme_row_uuid(scan, teams_id, &team->id);
	seeme_row_uuid(scan, teams_organization_id, &team->organization_id);
	team->is_archived = is_archived(scan, teams_archived_at);
}

bool
seeme_read_team(SeemeStore *store, const pg_uuid_t *id, SeemeTeam *team)
{
	ScanKeyData key;

	seeme_uuid_key(&key, teams_id, id);
	return seeme_read_row(store, SEEME_TEAMS_BY_ID, 1, &key, get_team, team) && !team->is_archived;
}

/* Whether a team is archived. As a rule none is, which an empty index tells once for all that is asked of a store. */
bool
seeme_is_archived_team(SeemeStore *store, const pg_uuid_t *id)
{
	SeemeTeam	team;
	SeemeScan	scan;

	if (!store->knows_archived_teams)
	{
		seeme_begin_scan(store, &scan, SEEME_TEAMS_ARCHIVED, 0, NULL);
		store->has_archived_teams = seeme_next_row(&scan);
		seeme_end_scan(&scan);
		store->knows_archived_teams = true;
	}
	return store->has_archived_teams && !seeme_read_team(store, id, &team);
}

List *
seeme_list_teams(SeemeStore *store, const pg_uuid_t *organization, int limit)
{
	ScanKeyData key;
	SeemeScan	scan;
	List	   *teams = NIL;

	seeme_uuid_key(&key, teams_organization_id, organization);
	seeme_begin_scan(store, &scan, SEEME_TEAMS_BY_ORGANIZATION, 1, &key);
	while (list_length(teams) < limit && seeme_next_row(&scan))
	{
		SeemeTeam  *team = palloc0(sizeof(SeemeTeam));

		get_team(&scan, team);
		if (!team->is_archived)
			teams = lappend(teams, team);
	}
	seeme_end_scan(&scan);
	return teams;
}

static void
get_project(SeemeScan *scan, void *row)
{
	SeemeProject *project = row;

	seeme_row_uuid(scan, projects_id, &project->id);
	seeme_row_uuid(scan, projects_organization_id, &project->organization_id);
	project->has_team = seeme_row_uuid(scan, projects_team_id, &project->team_id);
	project->is_archived = is_archived(scan, projects_archived_at);
}

/* Those that an index finds, at most so many, but for archived ones. */
static List *
list_projects(SeemeStore *store, SeemeIndex index, ScanKey key, int limit)
{
	SeemeScan	scan;
	List	   *projects = NIL;

	seeme_begin_scan(store, &scan, index, 1, key);
	while (list_length(projects) < limit && seeme_next_row(&scan))
	{
		SeemeProject *project = palloc0(sizeof(SeemeProject));

		get_project(&scan, project);
		if (!project->is_archived)
			projects = lappend(projects, project);
	}
	seeme_end_scan(&scan);
	return projects;
}

bool
seeme_read_project(SeemeStore *store, const pg_uuid_t *id, SeemeProject *project)
{
	ScanKeyData key;

	seeme_uuid_key(&key, projects_id, id);
	return seeme_read_row(store, SEEME_PROJECTS_BY_ID, 1, &key, get_project, project) && !project->is_archived;
}

void
seeme_visit_projects(SeemeStore *store, int limit, void (*visit) (void *context, const SeemeProject *project), void *context)
{
	SeemeScan	scan;
	SeemeProject project;

	seeme_begin_table_scan(store, &scan, SEEME_PROJECTS);
	while (limit-- > 0 && seeme_next_table_row(&scan))
	{
		get_project(&scan, &project);
		if (!project.is_archived)
			visit(context, &project);
	}
	seeme_end_scan(&scan);
}

List *
seeme_list_projects(SeemeStore *store, const pg_uuid_t *organization, int limit)
{
	ScanKeyData key;

	seeme_uuid_key(&key, projects_organization_id, organization);
	return list_projects(store, SEEME_PROJECTS_BY_ORGANIZATION, &key, limit);
}

List *
seeme_list_projects_of_team(SeemeStore *store, const pg_uuid_t *team)
{
	ScanKeyData key;

	seeme_uuid_key(&key, projects_team_id, team);
	return list_projects(store, SEEME_PROJECTS_BY_TEAM, &key, INT_MAX);
}

/* Roles and API keys */

static void
get_role(SeemeScan *scan, void *row)
{
	SeemeRole  *role = row;

	seeme_row_uuid(scan, roles_id, &role->id);
	role->name = seeme_row_text(scan, roles_name);
	role->ncodes = seeme_row_texts(scan, roles_permissions, &role->codes);
}

/* NULL when there is none. */
SeemeRole *
seeme_read_role(SeemeStore *store, const pg_uuid_t *id)
{
	ScanKeyData key;
	SeemeRole  *role = palloc0(sizeof(SeemeRole));

	seeme_uuid_key(&key, roles_id, id);
	return seeme_read_row(store, SEEME_ROLES_BY_ID, 1, &key, get_role, role) ? role : NULL;
}

static void
get_key(SeemeScan *scan, void *row)
{
	SeemeKey   *key = row;

	seeme_row_uuid(scan, api_keys_user_id, &key->user_id);
	key->has_organization = seeme_row_uuid(scan, api_keys_organization_id, &key->organization_id);
	key->expires_at = seeme_row_time(scan, api_keys_expires_at, DT_NOEND);
	key->ncodes = seeme_row_texts(scan, api_keys_permissions, &key->codes);
	key->has_creator = seeme_row_uuid(scan, api_keys_created_by, &key->created_by);
	seeme_row_uuid(scan, api_keys_creator_membership_id, &key->creator_membership_id);
	seeme_row_uuid(scan, api_keys_bearer_membership_id, &key->bearer_membership_id);
}

/* NULL when there is none. */
SeemeKey *
seeme_read_key(SeemeStore *store, const pg_uuid_t *id)
{
	ScanKeyData key;
	SeemeKey   *found = palloc0(sizeof(SeemeKey));

	seeme_uuid_key(&key, api_keys_id, id);
	return seeme_read_row(store, SEEME_API_KEYS_BY_ID, 1, &key, get_key, found) ? found : NULL;
}

/* Keys that tokens are verified with, and people as others name them */

static void
get_token_key(SeemeScan *scan, void *row)
{
	SeemeTokenKey *key = row;
	bool		isnull;

	seeme_row_uuid(scan, token_keys_id, &key->id);
	key->kid = seeme_row_text(scan, token_keys_kid);
	key->issuer = seeme_row_text(scan, token_keys_issuer);
	key->audience = seeme_row_text(scan, token_keys_audience);
	key->algorithm = seeme_row_text(scan, token_keys_algorithm);
	key->jwk = DatumGetCString(DirectFunctionCall1(jsonb_out, seeme_row_datum(scan, token_keys_jwk, &isnull)));
	key->names_user_id = strcmp(seeme_row_text(scan, token_keys_subject_kind), "user_id") == 0;
	key->valid_from = seeme_row_time(scan, token_keys_valid_from, DT_NOBEGIN);
	key->valid_until = seeme_row_time(scan, token_keys_valid_until, DT_NOEND);
}

/* NULL when there is none. */
SeemeTokenKey *
seeme_read_token_key(SeemeStore *store, const pg_uuid_t *id)
{
	ScanKeyData key;
	SeemeTokenKey *found = palloc0(sizeof(SeemeTokenKey));

	seeme_uuid_key(&key, token_keys_id, id);
	return seeme_read_row(store, SEEME_TOKEN_KEYS_BY_ID, 1, &key, get_token_key, found) ? found : NULL;
}

/* Those of a kid, which several issuers may use. */
List *
seeme_list_token_keys(SeemeStore *store, const char *kid)
{
	ScanKeyData key;

	seeme_text_key(&key, token_keys_kid, kid);
	return seeme_list_rows(store, SEEME_TOKEN_KEYS_BY_KID, 1, &key, get_token_key, sizeof(SeemeTokenKey));
}

static void
get_user_of_external_identity(SeemeScan *scan, void *row)
{
	seeme_row_uuid(scan, external_identities_user_id, row);
}

bool
seeme_find_external_identity(SeemeStore *store, const char *issuer, const char *subject, pg_uuid_t *user_id)
{
	ScanKeyData keys[2];

	seeme_text_key(&keys[0], external_identities_issuer, issuer);
	seeme_text_key(&keys[1], external_identities_subject, subject);
	return seeme_read_row(store, SEEME_EXTERNAL_IDENTITIES_BY_SUBJECT, 2, keys, get_user_of_external_identity, user_id);
}

/* Permission codes and resource types */

/* Whether a code is registered as it stands. */
bool
seeme_read_code(SeemeStore *store, const char *code)
{
	ScanKeyData key;

	seeme_text_key(&key, permissions_name, code);
	return seeme_read_row(store, SEEME_PERMISSIONS_BY_NAME, 1, &key, NULL, NULL);
}

static int
compare_texts(const ListCell *a, const ListCell *b)
{
	return strcmp(lfirst(a), lfirst(b));
}

List *
seeme_list_codes(SeemeStore *store)
{
	SeemeScan	scan;
	List	   *codes = NIL;

	seeme_begin_scan(store, &scan, SEEME_PERMISSIONS_BY_NAME, 0, NULL);
	while (seeme_next_row(&scan))
	{
		bool		isnull;

		if (!DatumGetBool(seeme_row_datum(&scan, permissions_is_wildcard, &isnull)))
			codes = lappend(codes, seeme_row_text(&scan, permissions_name));
	}
	seeme_end_scan(&scan);
	list_sort(codes, compare_texts);
	return codes;
}

static void
get_resource_type(SeemeScan *scan, void *row)
{
	*(char **) row = seeme_row_text(scan, resource_types_name);
}

/* NULL when the resource is tied to none. */
char *
seeme_find_type_of_resource(SeemeStore *store, const char *resource)
{
	ScanKeyData key;
	char	   *type = NULL;

	seeme_text_key(&key, resource_types_resource, resource);
	seeme_read_row(store, SEEME_RESOURCE_TYPES_BY_RESOURCE, 1, &key, get_resource_type, &type);
	return type;
}

bool
seeme_read_resource_type(SeemeStore *store, const char *type)
{
	ScanKeyData key;

	seeme_text_key(&key, resource_types_name, type);
	return seeme_read_row(store, SEEME_RESOURCE_TYPES_BY_NAME, 1, &key, NULL, NULL);
}

List *
seeme_list_resource_types(SeemeStore *store)
{
	return seeme_list_rows(store, SEEME_RESOURCE_TYPES_BY_NAME, 0, NULL, get_resource_type, sizeof(char *));
}

/* Memberships */

static void
get_membership(SeemeScan *scan, void *row)
{
	SeemeMembership *m = row;

	seeme_row_uuid(scan, memberships_organization_id, &m->organization_id);
	m->has_team = seeme_row_uuid(scan, memberships_team_id, &m->scope_id);
	if (!m->has_team)
	{
		m->has_project = seeme_row_uuid(scan, memberships_project_id, &m->scope_id);
		if (!m->has_project)
			m->scope_id = m->organization_id;
	}
	seeme_row_uuid(scan, memberships_user_id, &m->user_id);
	m->has_role = seeme_row_uuid(scan, memberships_role_id, &m->role_id);
	m->valid_from = seeme_row_time(scan, memberships_valid_from, DT_NOBEGIN);
	m->valid_until = seeme_row_time(scan, memberships_valid_until, DT_NOEND);
}

/* Of one person in an organization, at most so many. */
List *
seeme_list_memberships(SeemeStore *store, const pg_uuid_t *organization, const pg_uuid_t *user, int limit)
{
	ScanKeyData keys[2];

	seeme_uuid_key(&keys[0], memberships_organization_id, organization);
	seeme_uuid_key(&keys[1], memberships_user_id, user);
	return seeme_list_some_rows(store, SEEME_MEMBERSHIPS_BY_USER, 2, keys, get_membership, sizeof(SeemeMembership), limit);
}

/* Whether a person has any in an organization. */
bool
seeme_has_memberships_in(SeemeStore *store, const pg_uuid_t *organization, const pg_uuid_t *user)
{
	ScanKeyData keys[2];

	seeme_uuid_key(&keys[0], memberships_organization_id, organization);
	seeme_uuid_key(&keys[1], memberships_user_id, user);
	return seeme_read_row(store, SEEME_MEMBERSHIPS_BY_USER, 2, keys, NULL, NULL);
}

List *
seeme_list_memberships_in_team(SeemeStore *store, const pg_uuid_t *team)
{
	ScanKeyData key;

	seeme_uuid_key(&key, memberships_team_id, team);
	return seeme_list_rows(store, SEEME_MEMBERSHIPS_BY_TEAM, 1, &key, get_membership, sizeof(SeemeMembership));
}

/* The values that a column has in the rows that the keys find, in the index's order, each once: equal ones come together. */
static List *
list_different(SeemeStore *store, SeemeIndex index, int nkeys, ScanKey keys, AttrNumber column, bool below_too)
{
	SeemeScan	scan;
	List	   *values = NIL;
	pg_uuid_t	last = {{0}};
	pg_uuid_t	value;

	seeme_begin_scan(store, &scan, index, nkeys, keys);
	while (seeme_next_row(&scan))
	{
		pg_uuid_t	lower;

		seeme_row_uuid(&scan, column, &value);
		if (values != NIL && seeme_uuid_equal(&value, &last))
			continue;
		if (!below_too && (seeme_row_uuid(&scan, memberships_team_id, &lower) || seeme_row_uuid(&scan, memberships_project_id, &lower)))
			continue;
		last = value;
		values = lappend(values, memcpy(palloc(sizeof(pg_uuid_t)), &value, sizeof(pg_uuid_t)));
	}
	seeme_end_scan(&scan);
	return values;
}

/* Of which a person is a member; not those of whose teams and projects alone. */
List *
seeme_list_organizations_of_member(SeemeStore *store, const pg_uuid_t *user)
{
	ScanKeyData key;

	seeme_uuid_key(&key, memberships_user_id, user);
	return list_different(store, SEEME_MEMBERSHIPS_BY_USER, 1, &key, memberships_organization_id, false);
}

/* Everybody who has a membership in an organization, or in anything there. */
List *
seeme_list_members(SeemeStore *store, const pg_uuid_t *organization)
{
	ScanKeyData key;

	seeme_uuid_key(&key, memberships_organization_id, organization);
	return list_different(store, SEEME_MEMBERSHIPS_BY_ORGANIZATION, 1, &key, memberships_user_id, true);
}

/* A scan key that finds nulls, or (value not NULL) a uuid. */
static void
uuid_or_null_key(ScanKey key, AttrNumber column, const pg_uuid_t *value)
{
	if (value != NULL)
		seeme_uuid_key(key, column, value);
	else
		ScanKeyEntryInitialize(key, SK_ISNULL | SK_SEARCHNULL, column, InvalidStrategy, InvalidOid, InvalidOid, InvalidOid, (Datum) 0);
}

/*
 * Adds those that can count in a place, among the memberships of one person in its organization that the keys find: all of
 * them (nkeys 2), or those in one team and project (4). Entries of the index tell most apart, whose rows are not looked at;
 * how many, or more than MAX_PASSED_OVER when there was no end to them.
 */
static int
add_memberships(SeemeStore *store, const SeemePlace *place, const pg_uuid_t *user, int nkeys, const pg_uuid_t *team,
				const pg_uuid_t *project, List **memberships)
{
	ScanKeyData keys[4];
	SeemeScan	scan;
	int			passed_over = 0;

	seeme_uuid_key(&keys[0], memberships_organization_id, &place->organization_id);
	seeme_uuid_key(&keys[1], memberships_user_id, user);
	uuid_or_null_key(&keys[2], memberships_team_id, team);
	uuid_or_null_key(&keys[3], memberships_project_id, project);
	seeme_begin_scan(store, &scan, SEEME_MEMBERSHIPS_BY_USER, nkeys, keys);
	while (passed_over <= MAX_PASSED_OVER && seeme_next_entry(&scan))
	{
		pg_uuid_t	id;
		bool		counts = true;

		if (seeme_row_uuid(&scan, memberships_team_id, &id))
			counts = place->has_team && seeme_uuid_equal(&id, &place->team_id);
		else if (seeme_row_uuid(&scan, memberships_project_id, &id))
			counts = place->has_project && seeme_uuid_equal(&id, &place->project_id);
		if (!counts)
			passed_over++;
		else if (seeme_entry_is_visible(&scan))
		{
			SeemeMembership *membership = palloc0(sizeof(SeemeMembership));

			get_membership(&scan, membership);
			*memberships = lappend(*memberships, membership);
		}
	}
	seeme_end_scan(&scan);
	return passed_over;
}

/* Of one person in an organization, those that can count in a place there; whether these are all that the person has. */
List *
seeme_list_memberships_at(SeemeStore *store, const SeemePlace *place, const pg_uuid_t *user, bool *are_all)
{
	List	   *memberships = NIL;
	int			passed_over = add_memberships(store, place, user, 2, NULL, NULL, &memberships);

	*are_all = passed_over == 0;
	if (passed_over <= MAX_PASSED_OVER)
		return memberships;
	/* Who has many there: the few that are wanted, one by one. */
	memberships = NIL;
	add_memberships(store, place, user, 4, NULL, NULL, &memberships);
	if (place->has_team)
		add_memberships(store, place, user, 4, &place->team_id, NULL, &memberships);
	if (place->has_project)
		add_memberships(store, place, user, 4, NULL, &place->project_id, &memberships);
	return memberships;
}

List *
seeme_list_memberships_of_user(SeemeStore *store, const pg_uuid_t *user)
{
	ScanKeyData key;

	seeme_uuid_key(&key, memberships_user_id, user);
	return seeme_list_rows(store, SEEME_MEMBERSHIPS_BY_USER, 1, &key, get_membership, sizeof(SeemeMembership));
}

bool
seeme_read_membership(SeemeStore *store, const pg_uuid_t *id, SeemeMembership *membership)
{
	ScanKeyData key;

	memset(membership, 0, sizeof(*membership));
	seeme_uuid_key(&key, memberships_id, id);
	return seeme_read_row(store, SEEME_MEMBERSHIPS_BY_ID, 1, &key, get_membership, membership);
}

static void
get_membership_id(SeemeScan *scan, void *row)
{
	seeme_row_uuid(scan, memberships_id, row);
}

/* The membership of somebody in an organization itself; false when there is none. */
bool
seeme_find_membership(SeemeStore *store, const pg_uuid_t *organization, const pg_uuid_t *user, pg_uuid_t *id)
{
	ScanKeyData keys[4];

	seeme_uuid_key(&keys[0], memberships_organization_id, organization);
	seeme_uuid_key(&keys[1], memberships_user_id, user);
	uuid_or_null_key(&keys[2], memberships_team_id, NULL);
	uuid_or_null_key(&keys[3], memberships_project_id, NULL);
	return seeme_read_row(store, SEEME_MEMBERSHIPS_BY_USER, 4, keys, get_membership_id, id);
}

/* Assignments of resources to projects */

static void
get_assignment(SeemeScan *scan, void *row)
{
	SeemeAssignment *assignment = row;

	seeme_row_uuid(scan, project_resources_project_id, &assignment->project_id);
	seeme_row_uuid(scan, project_resources_resource_id, &assignment->resource_id);
}

/* Of a resource to any project, at most so many; of every type under that id when type is NULL. */
List *
seeme_list_assignments(SeemeStore *store, const pg_uuid_t *resource, const char *type, int limit)
{
	ScanKeyData keys[2];

	seeme_uuid_key(&keys[0], project_resources_resource_id, resource);
	if (type != NULL)
		seeme_text_key(&keys[1], project_resources_resource_type, type);
	return seeme_list_some_rows(store, SEEME_ASSIGNMENTS_BY_RESOURCE, type != NULL ? 2 : 1, keys,
								get_assignment, sizeof(SeemeAssignment), limit);
}

/* Of resources of a type to one project. */
List *
seeme_list_assignments_to(SeemeStore *store, const pg_uuid_t *project, const char *type, int limit)
{
	ScanKeyData keys[2];

	seeme_uuid_key(&keys[0], project_resources_project_id, project);
	seeme_text_key(&keys[1], project_resources_resource_type, type);
	return seeme_list_some_rows(store, SEEME_ASSIGNMENTS_BY_PROJECT, 2, keys,
						  get_assignment, sizeof(SeemeAssignment), limit);
}

/* All assignments of a type; false: the table has more rows than so many, and the rest was not read. */
bool
seeme_visit_assignments(SeemeStore *store, const char *type, int limit,
						void (*visit) (void *context, const SeemeAssignment *assignment), void *context)
{
	SeemeScan	scan;
	SeemeAssignment assignment;
	bool		is_over = false;

	seeme_begin_table_scan(store, &scan, SEEME_PROJECT_RESOURCES);
	for (int n = 0; seeme_next_table_row(&scan); n++)
	{
		is_over = n >= limit;
		if (is_over)
			break;
		if (strcmp(seeme_row_text(&scan, project_resources_resource_type), type) != 0)
			continue;
		get_assignment(&scan, &assignment);
		visit(context, &assignment);
	}
	seeme_end_scan(&scan);
	return !is_over;
}

/* Whether an id was that of something deleted. */
bool
seeme_read_retired(SeemeStore *store, const pg_uuid_t *id)
{
	ScanKeyData key;

	seeme_uuid_key(&key, retired_ids_id, id);
	return seeme_read_row(store, SEEME_RETIRED_IDS_BY_ID, 1, &key, NULL, NULL);
}

static void
get_had_row(SeemeScan *scan, void *row)
{
	bool		isnull;

	*(bool *) row = DatumGetBool(seeme_row_datum(scan, project_resources_had_row, &isnull)) && !isnull;
}

/* Whether a resource is assigned, and if so whether a protected table had its row when that was looked for last. */
bool
seeme_read_had_row(SeemeStore *store, const char *type, const pg_uuid_t *resource, bool *had_row)
{
	ScanKeyData keys[2];
	List	   *rows;
	ListCell   *cell;

	seeme_uuid_key(&keys[0], project_resources_resource_id, resource);
	seeme_text_key(&keys[1], project_resources_resource_type, type);
	rows = seeme_list_rows(store, SEEME_ASSIGNMENTS_BY_RESOURCE, 2, keys, get_had_row, sizeof(bool));
	*had_row = false;
	foreach(cell, rows)
		*had_row = *had_row || *(bool *) lfirst(cell);
	return rows != NIL;
}

static void
get_released_had_row(SeemeScan *scan, void *row)
{
	bool		isnull;

	*(bool *) row = DatumGetBool(seeme_row_datum(scan, released_resources_had_row, &isnull)) && !isnull;
}

/* Whether a resource was assigned once and is not any more; and if so (had_row not NULL) whether it had its row then. */
bool
seeme_read_released(SeemeStore *store, const char *type, const pg_uuid_t *resource, bool *had_row)
{
	ScanKeyData keys[2];

	seeme_text_key(&keys[0], released_resources_resource_type, type);
	seeme_uuid_key(&keys[1], released_resources_resource_id, resource);
	return seeme_read_row(store, SEEME_RELEASED_RESOURCES_BY_ID, 2, keys, had_row == NULL ? NULL : get_released_had_row, had_row);
}

/* Whether people have been added, or changed, other than by a restore. */
bool
seeme_read_in_use(SeemeStore *store)
{
	SeemeScan	scan;
	bool		in_use;

	seeme_begin_table_scan(store, &scan, SEEME_IN_USE);
	in_use = seeme_next_table_row(&scan);
	seeme_end_scan(&scan);
	return in_use;
}
