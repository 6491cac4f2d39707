/*
 * store.c: what the extension's tables say.
 *
 * Owns the layout of the tables as C sees it (column numbers, and which index finds what) and nothing else: it knows neither
 * who is asking nor what a permission is, and writes nothing. How a row is found is scan.c's affair.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/stratnum.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/jsonb.h"

#include "scan.h"
#include "store.h"

/* Column numbers, as sql/install has the columns. An upgrade adds columns at the end only. */
enum
{
	users_id = 1,
	users_database_role = 6,
	users_disabled_at = 8,

	organizations_id = 1,
	organizations_owner_id = 6,

	teams_id = 1,
	teams_organization_id = 2,

	projects_id = 1,
	projects_organization_id = 2,
	projects_team_id = 3,

	roles_id = 1,
	roles_name = 3,
	roles_permissions = 5,

	memberships_organization_id = 2,
	memberships_team_id = 3,
	memberships_project_id = 4,
	memberships_user_id = 5,
	memberships_role_id = 6,
	memberships_valid_from = 7,
	memberships_valid_until = 8,

	project_resources_project_id = 2,
	project_resources_resource_type = 3,
	project_resources_resource_id = 4,

	permissions_name = 1,
	permissions_is_wildcard = 5,

	resource_types_name = 1,
	resource_types_resource = 2,

	released_resources_resource_type = 1,
	released_resources_resource_id = 2,

	api_keys_id = 1,
	api_keys_user_id = 2,
	api_keys_organization_id = 3,
	api_keys_permissions = 4,
	api_keys_expires_at = 5,

	retired_ids_id = 1,

	token_keys_id = 1,
	token_keys_kid = 2,
	token_keys_issuer = 3,
	token_keys_audience = 4,
	token_keys_algorithm = 5,
	token_keys_jwk = 6,
	token_keys_subject_kind = 7,
	token_keys_valid_from = 8,
	token_keys_valid_until = 9,

	external_identities_issuer = 1,
	external_identities_subject = 2,
	external_identities_user_id = 3,
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

/* Organizations, teams, projects */

static void
get_owner(SeemeScan *scan, void *row)
{
	seeme_row_uuid(scan, organizations_owner_id, row);
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

	seeme_uuid_key(&key, organizations_id, organization);
	return seeme_read_row(store, SEEME_ORGANIZATIONS_BY_ID, 1, &key, get_owner, owner);
}

void
seeme_visit_organizations(SeemeStore *store, int limit,
						  void (*visit) (void *context, const pg_uuid_t *organization, const pg_uuid_t *owner), void *context)
{
	SeemeScan	scan;
	pg_uuid_t	organization;
	pg_uuid_t	owner;

	seeme_begin_table_scan(store, &scan, SEEME_ORGANIZATIONS);
	while (limit-- > 0 && seeme_next_table_row(&scan))
	{
		get_organization_id(&scan, &organization);
		get_owner(&scan, &owner);
		visit(context, &organization, &owner);
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
}

bool
seeme_read_team(SeemeStore *store, const pg_uuid_t *id, SeemeTeam *team)
{
	ScanKeyData key;

	seeme_uuid_key(&key, teams_id, id);
	return seeme_read_row(store, SEEME_TEAMS_BY_ID, 1, &key, get_team, team);
}

List *
seeme_list_teams(SeemeStore *store, const pg_uuid_t *organization, int limit)
{
	ScanKeyData key;

	seeme_uuid_key(&key, teams_organization_id, organization);
	return seeme_list_some_rows(store, SEEME_TEAMS_BY_ORGANIZATION, 1, &key, get_team, sizeof(SeemeTeam), limit);
}

static void
get_project(SeemeScan *scan, void *row)
{
	SeemeProject *project = row;

	seeme_row_uuid(scan, projects_id, &project->id);
	seeme_row_uuid(scan, projects_organization_id, &project->organization_id);
	project->has_team = seeme_row_uuid(scan, projects_team_id, &project->team_id);
}

bool
seeme_read_project(SeemeStore *store, const pg_uuid_t *id, SeemeProject *project)
{
	ScanKeyData key;

	seeme_uuid_key(&key, projects_id, id);
	return seeme_read_row(store, SEEME_PROJECTS_BY_ID, 1, &key, get_project, project);
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
		visit(context, &project);
	}
	seeme_end_scan(&scan);
}

List *
seeme_list_projects(SeemeStore *store, const pg_uuid_t *organization, int limit)
{
	ScanKeyData key;

	seeme_uuid_key(&key, projects_organization_id, organization);
	return seeme_list_some_rows(store, SEEME_PROJECTS_BY_ORGANIZATION, 1, &key, get_project, sizeof(SeemeProject), limit);
}

List *
seeme_list_projects_of_team(SeemeStore *store, const pg_uuid_t *team)
{
	ScanKeyData key;

	seeme_uuid_key(&key, projects_team_id, team);
	return seeme_list_rows(store, SEEME_PROJECTS_BY_TEAM, 1, &key, get_project, sizeof(SeemeProject));
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

/* Whether an id was that of something deleted. */
bool
seeme_read_retired(SeemeStore *store, const pg_uuid_t *id)
{
	ScanKeyData key;

	seeme_uuid_key(&key, retired_ids_id, id);
	return seeme_read_row(store, SEEME_RETIRED_IDS_BY_ID, 1, &key, NULL, NULL);
}

/* Whether a resource was assigned once and is not any more. */
bool
seeme_read_released(SeemeStore *store, const char *type, const pg_uuid_t *resource)
{
	ScanKeyData keys[2];

	seeme_text_key(&keys[0], released_resources_resource_type, type);
	seeme_uuid_key(&keys[1], released_resources_resource_id, resource);
	return seeme_read_row(store, SEEME_RELEASED_RESOURCES_BY_ID, 2, keys, NULL, NULL);
}
