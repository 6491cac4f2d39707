/*
 * store.c: what the extension's tables say, read by index, whatever row security and snapshots say.
 *
 * Owns the layout of the tables as C sees it (names of tables and indexes, column numbers) and nothing else: it knows
 * neither who is asking nor what a permission is, and writes nothing.
 *
 * A SeemeStore reads everything under one snapshot, taken when it is opened, of what is committed at that moment plus what
 * this transaction has done so far: the one that PostgreSQL's own catalogs are read with. So a decision follows the latest
 * committed state in every isolation level, never sees two states at once, and works in parallel workers and on standbys.
 * Every function may throw; whatever is open then is cleaned up by the resource owner.
 */
#include "postgres.h"

#include <limits.h>

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/stratnum.h"
#include "access/table.h"
#include "catalog/namespace.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "changes.h"
#include "store.h"

StaticAssertDecl(SEEME_NTABLES <= SEEME_MAX_TABLES_READ, "every table has a place among those that were read");

static const char *const table_names[SEEME_NTABLES] = {
	[SEEME_USERS] = "users",
	[SEEME_ORGANIZATIONS] = "organizations",
	[SEEME_TEAMS] = "teams",
	[SEEME_PROJECTS] = "projects",
	[SEEME_ROLES] = "roles",
	[SEEME_MEMBERSHIPS] = "memberships",
	[SEEME_PROJECT_RESOURCES] = "project_resources",
	[SEEME_PERMISSIONS] = "permissions",
	[SEEME_RESOURCE_TYPES] = "resource_types",
	[SEEME_RELEASED_RESOURCES] = "released_resources",
	[SEEME_API_KEYS] = "api_keys",
	[SEEME_RETIRED_IDS] = "retired_ids",
	[SEEME_TOKEN_KEYS] = "token_keys",
	[SEEME_EXTERNAL_IDENTITIES] = "external_identities",
};

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

/* So many memberships of a person are read one after the other rather than looked up. */
#define FEW_MEMBERSHIPS 6

/* A scan of one table by one of its indexes. */
typedef struct Scan
{
	TupleDesc	columns;
	SysScanDesc scan;
	HeapTuple	tuple;			/* the current row */
} Scan;

void
seeme_store_open_in(SeemeStore *store, Oid namespace)
{
	memset(store, 0, sizeof(*store));
	store->namespace = namespace;
}

void
seeme_store_open(SeemeStore *store)
{
	seeme_store_open_in(store, get_namespace_oid("seeme", false));
}

void
seeme_store_close(SeemeStore *store)
{
	for (int i = 0; i < SEEME_NTABLES; i++)
		if (store->tables[i] != NULL)
			table_close(store->tables[i], AccessShareLock);
	if (store->snapshot != NULL)
		UnregisterSnapshot(store->snapshot);
	memset(store, 0, sizeof(*store));
}

static Relation
open_table(SeemeStore *store, SeemeTable table)
{
	if (store->tables[table] == NULL)
	{
		Oid			relid = get_relname_relid(table_names[table], store->namespace);

		if (!OidIsValid(relid))
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_TABLE),
					 errmsg("table seeme.%s does not exist", table_names[table]),
					 errhint("CREATE EXTENSION seeme_rbac first.")));
		/* Before it is waited for: what is read of a table that was rewritten meanwhile is not to be remembered. */
		seeme_tables_read[table] = relid;
		store->tables[table] = table_open(relid, AccessShareLock);
		if (store->snapshot == NULL)
			store->snapshot = RegisterSnapshot(GetCatalogSnapshot(relid));
	}
	return store->tables[table];
}

static void
begin_scan(SeemeStore *store, Scan *scan, SeemeTable table, const char *index, int nkeys, ScanKey keys)
{
	Relation	relation = open_table(store, table);
	Oid			index_oid = get_relname_relid(index, store->namespace);

	if (!OidIsValid(index_oid))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("index seeme.%s does not exist", index)));
	scan->columns = RelationGetDescr(relation);
	scan->scan = systable_beginscan(relation, index_oid, true, store->snapshot, nkeys, keys);
	scan->tuple = NULL;
}

static bool
next_row(Scan *scan)
{
	scan->tuple = systable_getnext(scan->scan);
	return HeapTupleIsValid(scan->tuple);
}

static void
end_scan(Scan *scan)
{
	systable_endscan(scan->scan);
}

static void
uuid_key(ScanKey key, AttrNumber column, const pg_uuid_t *value)
{
	ScanKeyInit(key, column, BTEqualStrategyNumber, F_UUID_EQ, UUIDPGetDatum(value));
}

/* The columns have the database's collation, so that they compare with an application's without further ado. */
static void
text_key(ScanKey key, AttrNumber column, const char *value)
{
	ScanKeyEntryInitialize(key, 0, column, BTEqualStrategyNumber, InvalidOid, DEFAULT_COLLATION_OID, F_TEXTEQ,
						   CStringGetTextDatum(value));
}

static bool
get_uuid(Scan *scan, AttrNumber column, pg_uuid_t *value)
{
	bool		isnull;
	Datum		datum = heap_getattr(scan->tuple, column, scan->columns, &isnull);

	if (isnull)
		memset(value, 0, sizeof(*value));
	else
		*value = *DatumGetUUIDP(datum);
	return !isnull;
}

static TimestampTz
get_time(Scan *scan, AttrNumber column, TimestampTz if_null)
{
	bool		isnull;
	Datum		datum = heap_getattr(scan->tuple, column, scan->columns, &isnull);

	return isnull ? if_null : DatumGetTimestampTz(datum);
}

static char *
get_text(Scan *scan, AttrNumber column)
{
	bool		isnull;
	Datum		datum = heap_getattr(scan->tuple, column, scan->columns, &isnull);

	return isnull ? NULL : TextDatumGetCString(datum);
}

/* The elements of an array of texts, without nulls; how many. */
static int
get_texts(Scan *scan, AttrNumber column, char ***texts)
{
	bool		isnull;
	Datum		array = heap_getattr(scan->tuple, column, scan->columns, &isnull);
	Datum	   *elements;
	bool	   *nulls;
	int			n;
	int			kept = 0;

	*texts = NULL;
	if (isnull)
		return 0;
	deconstruct_array(DatumGetArrayTypeP(array), TEXTOID, -1, false, TYPALIGN_INT, &elements, &nulls, &n);
	*texts = palloc(sizeof(char *) * Max(n, 1));
	for (int i = 0; i < n; i++)
		if (!nulls[i])
			(*texts)[kept++] = TextDatumGetCString(elements[i]);
	return kept;
}

/* What a row says, put where `row` points to. */
typedef void (*GetRow) (Scan *scan, void *row);

/* The first row that the keys find, if any. */
static bool
read_row(SeemeStore *store, SeemeTable table, const char *index, int nkeys, ScanKey keys, GetRow get, void *row)
{
	Scan		scan;
	bool		found;

	begin_scan(store, &scan, table, index, nkeys, keys);
	found = next_row(&scan);
	if (found && get != NULL)
		get(&scan, row);
	end_scan(&scan);
	return found;
}

/* The rows that the keys find, at most so many, in the order of the index, each palloc'd with a size. */
static List *
list_some_rows(SeemeStore *store, SeemeTable table, const char *index, int nkeys, ScanKey keys, GetRow get, Size size, int limit)
{
	Scan		scan;
	List	   *rows = NIL;

	begin_scan(store, &scan, table, index, nkeys, keys);
	while (limit-- > 0 && next_row(&scan))
	{
		void	   *row = palloc0(size);

		get(&scan, row);
		rows = lappend(rows, row);
	}
	end_scan(&scan);
	return rows;
}

static List *
list_rows(SeemeStore *store, SeemeTable table, const char *index, int nkeys, ScanKey keys, GetRow get, Size size)
{
	return list_some_rows(store, table, index, nkeys, keys, get, size, INT_MAX);
}

/* Users */

static void
get_person(Scan *scan, void *row)
{
	SeemePerson *person = row;

	get_uuid(scan, users_id, &person->id);
	person->disabled_at = get_time(scan, users_disabled_at, DT_NOEND);
}

bool
seeme_read_person(SeemeStore *store, const pg_uuid_t *id, SeemePerson *person)
{
	ScanKeyData key;

	uuid_key(&key, users_id, id);
	return read_row(store, SEEME_USERS, "users_pkey", 1, &key, get_person, person);
}

bool
seeme_find_user_of_role(SeemeStore *store, const char *role, pg_uuid_t *id)
{
	ScanKeyData key;
	NameData	name;
	SeemePerson person;

	namestrcpy(&name, role);
	ScanKeyInit(&key, users_database_role, BTEqualStrategyNumber, F_NAMEEQ, NameGetDatum(&name));
	if (!read_row(store, SEEME_USERS, "users_database_role_key", 1, &key, get_person, &person))
		return false;
	*id = person.id;
	return true;
}

/* Organizations, teams, projects */

static void
get_owner(Scan *scan, void *row)
{
	get_uuid(scan, organizations_owner_id, row);
}

static void
get_organization_id(Scan *scan, void *row)
{
	get_uuid(scan, organizations_id, row);
}

bool
seeme_read_owner(SeemeStore *store, const pg_uuid_t *organization, pg_uuid_t *owner)
{
	ScanKeyData key;

	uuid_key(&key, organizations_id, organization);
	return read_row(store, SEEME_ORGANIZATIONS, "organizations_pkey", 1, &key, get_owner, owner);
}

List *
seeme_list_organizations_of_owner(SeemeStore *store, const pg_uuid_t *owner)
{
	ScanKeyData key;

	uuid_key(&key, organizations_owner_id, owner);
	return list_rows(store, SEEME_ORGANIZATIONS, "organizations_owner_id_idx", 1, &key,
					 get_organization_id, sizeof(pg_uuid_t));
}

static void
get_team(Scan *scan, void *row)
{
	SeemeTeam  *team = row;

	get_uuid(scan, teams_id, &team->id);
	get_uuid(scan, teams_organization_id, &team->organization_id);
}

bool
seeme_read_team(SeemeStore *store, const pg_uuid_t *id, SeemeTeam *team)
{
	ScanKeyData key;

	uuid_key(&key, teams_id, id);
	return read_row(store, SEEME_TEAMS, "teams_pkey", 1, &key, get_team, team);
}

List *
seeme_list_teams(SeemeStore *store, const pg_uuid_t *organization, int limit)
{
	ScanKeyData key;

	uuid_key(&key, teams_organization_id, organization);
	return list_some_rows(store, SEEME_TEAMS, "teams_slug_key", 1, &key, get_team, sizeof(SeemeTeam), limit);
}

static void
get_project(Scan *scan, void *row)
{
	SeemeProject *project = row;

	get_uuid(scan, projects_id, &project->id);
	get_uuid(scan, projects_organization_id, &project->organization_id);
	project->has_team = get_uuid(scan, projects_team_id, &project->team_id);
}

bool
seeme_read_project(SeemeStore *store, const pg_uuid_t *id, SeemeProject *project)
{
	ScanKeyData key;

	uuid_key(&key, projects_id, id);
	return read_row(store, SEEME_PROJECTS, "projects_pkey", 1, &key, get_project, project);
}

List *
seeme_list_projects(SeemeStore *store, const pg_uuid_t *organization, int limit)
{
	ScanKeyData key;

	uuid_key(&key, projects_organization_id, organization);
	return list_some_rows(store, SEEME_PROJECTS, "projects_slug_key", 1, &key, get_project, sizeof(SeemeProject), limit);
}

List *
seeme_list_projects_of_team(SeemeStore *store, const pg_uuid_t *team)
{
	ScanKeyData key;

	uuid_key(&key, projects_team_id, team);
	return list_rows(store, SEEME_PROJECTS, "projects_team_id_idx", 1, &key, get_project, sizeof(SeemeProject));
}

/* Roles and API keys */

static void
get_role(Scan *scan, void *row)
{
	SeemeRole  *role = row;

	get_uuid(scan, roles_id, &role->id);
	role->name = get_text(scan, roles_name);
	role->ncodes = get_texts(scan, roles_permissions, &role->codes);
}

/* NULL when there is none. */
SeemeRole *
seeme_read_role(SeemeStore *store, const pg_uuid_t *id)
{
	ScanKeyData key;
	SeemeRole  *role = palloc0(sizeof(SeemeRole));

	uuid_key(&key, roles_id, id);
	return read_row(store, SEEME_ROLES, "roles_pkey", 1, &key, get_role, role) ? role : NULL;
}

static void
get_key(Scan *scan, void *row)
{
	SeemeKey   *key = row;

	get_uuid(scan, api_keys_user_id, &key->user_id);
	key->has_organization = get_uuid(scan, api_keys_organization_id, &key->organization_id);
	key->expires_at = get_time(scan, api_keys_expires_at, DT_NOEND);
	key->ncodes = get_texts(scan, api_keys_permissions, &key->codes);
}

/* NULL when there is none. */
SeemeKey *
seeme_read_key(SeemeStore *store, const pg_uuid_t *id)
{
	ScanKeyData key;
	SeemeKey   *found = palloc0(sizeof(SeemeKey));

	uuid_key(&key, api_keys_id, id);
	return read_row(store, SEEME_API_KEYS, "api_keys_pkey", 1, &key, get_key, found) ? found : NULL;
}

/* Keys that tokens are verified with, and people as others name them */

static void
get_token_key(Scan *scan, void *row)
{
	SeemeTokenKey *key = row;
	bool		isnull;

	get_uuid(scan, token_keys_id, &key->id);
	key->kid = get_text(scan, token_keys_kid);
	key->issuer = get_text(scan, token_keys_issuer);
	key->audience = get_text(scan, token_keys_audience);
	key->algorithm = get_text(scan, token_keys_algorithm);
	key->jwk = DatumGetCString(DirectFunctionCall1(jsonb_out, heap_getattr(scan->tuple, token_keys_jwk, scan->columns, &isnull)));
	key->names_user_id = strcmp(get_text(scan, token_keys_subject_kind), "user_id") == 0;
	key->valid_from = get_time(scan, token_keys_valid_from, DT_NOBEGIN);
	key->valid_until = get_time(scan, token_keys_valid_until, DT_NOEND);
}

/* NULL when there is none. */
SeemeTokenKey *
seeme_read_token_key(SeemeStore *store, const pg_uuid_t *id)
{
	ScanKeyData key;
	SeemeTokenKey *found = palloc0(sizeof(SeemeTokenKey));

	uuid_key(&key, token_keys_id, id);
	return read_row(store, SEEME_TOKEN_KEYS, "token_keys_pkey", 1, &key, get_token_key, found) ? found : NULL;
}

/* Those of a kid, which several issuers may use. */
List *
seeme_list_token_keys(SeemeStore *store, const char *kid)
{
	ScanKeyData key;

	text_key(&key, token_keys_kid, kid);
	return list_rows(store, SEEME_TOKEN_KEYS, "token_keys_kid_idx", 1, &key, get_token_key, sizeof(SeemeTokenKey));
}

static void
get_user_of_external_identity(Scan *scan, void *row)
{
	get_uuid(scan, external_identities_user_id, row);
}

bool
seeme_find_external_identity(SeemeStore *store, const char *issuer, const char *subject, pg_uuid_t *user_id)
{
	ScanKeyData keys[2];

	text_key(&keys[0], external_identities_issuer, issuer);
	text_key(&keys[1], external_identities_subject, subject);
	return read_row(store, SEEME_EXTERNAL_IDENTITIES, "external_identities_pkey", 2, keys, get_user_of_external_identity, user_id);
}

/* Permission codes and resource types */

/* Whether a code is registered as it stands. */
bool
seeme_read_code(SeemeStore *store, const char *code)
{
	ScanKeyData key;

	text_key(&key, permissions_name, code);
	return read_row(store, SEEME_PERMISSIONS, "permissions_pkey", 1, &key, NULL, NULL);
}

static int
compare_texts(const ListCell *a, const ListCell *b)
{
	return strcmp(lfirst(a), lfirst(b));
}

List *
seeme_list_codes(SeemeStore *store)
{
	Scan		scan;
	List	   *codes = NIL;

	begin_scan(store, &scan, SEEME_PERMISSIONS, "permissions_pkey", 0, NULL);
	while (next_row(&scan))
	{
		bool		isnull;

		if (!DatumGetBool(heap_getattr(scan.tuple, permissions_is_wildcard, scan.columns, &isnull)))
			codes = lappend(codes, get_text(&scan, permissions_name));
	}
	end_scan(&scan);
	list_sort(codes, compare_texts);
	return codes;
}

static void
get_resource_type(Scan *scan, void *row)
{
	*(char **) row = get_text(scan, resource_types_name);
}

/* NULL when the resource is tied to none. */
char *
seeme_find_type_of_resource(SeemeStore *store, const char *resource)
{
	ScanKeyData key;
	char	   *type = NULL;

	text_key(&key, resource_types_resource, resource);
	read_row(store, SEEME_RESOURCE_TYPES, "resource_types_resource_key", 1, &key, get_resource_type, &type);
	return type;
}

bool
seeme_read_resource_type(SeemeStore *store, const char *type)
{
	ScanKeyData key;

	text_key(&key, resource_types_name, type);
	return read_row(store, SEEME_RESOURCE_TYPES, "resource_types_pkey", 1, &key, NULL, NULL);
}

List *
seeme_list_resource_types(SeemeStore *store)
{
	return list_rows(store, SEEME_RESOURCE_TYPES, "resource_types_pkey", 0, NULL, get_resource_type, sizeof(char *));
}

/* Memberships */

static void
get_membership(Scan *scan, void *row)
{
	SeemeMembership *m = row;

	get_uuid(scan, memberships_organization_id, &m->organization_id);
	m->has_team = get_uuid(scan, memberships_team_id, &m->scope_id);
	if (!m->has_team)
	{
		m->has_project = get_uuid(scan, memberships_project_id, &m->scope_id);
		if (!m->has_project)
			m->scope_id = m->organization_id;
	}
	get_uuid(scan, memberships_user_id, &m->user_id);
	m->has_role = get_uuid(scan, memberships_role_id, &m->role_id);
	m->valid_from = get_time(scan, memberships_valid_from, DT_NOBEGIN);
	m->valid_until = get_time(scan, memberships_valid_until, DT_NOEND);
}

/* Of one person in an organization, or (user NULL) of everybody there, those of one person together. */
List *
seeme_list_memberships(SeemeStore *store, const pg_uuid_t *organization, const pg_uuid_t *user)
{
	ScanKeyData keys[2];

	uuid_key(&keys[0], memberships_organization_id, organization);
	if (user != NULL)
		uuid_key(&keys[1], memberships_user_id, user);
	return list_rows(store, SEEME_MEMBERSHIPS, "memberships_person_and_scope_key", user != NULL ? 2 : 1, keys,
					 get_membership, sizeof(SeemeMembership));
}

/* A scan key that finds nulls, or (value not NULL) a uuid. */
static void
uuid_or_null_key(ScanKey key, AttrNumber column, const pg_uuid_t *value)
{
	if (value != NULL)
		uuid_key(key, column, value);
	else
		ScanKeyEntryInitialize(key, SK_ISNULL | SK_SEARCHNULL, column, InvalidStrategy, InvalidOid, InvalidOid, InvalidOid, (Datum) 0);
}

static List *
list_membership_in(SeemeStore *store, const pg_uuid_t *organization, const pg_uuid_t *user, const pg_uuid_t *team,
				   const pg_uuid_t *project)
{
	ScanKeyData keys[4];

	uuid_key(&keys[0], memberships_organization_id, organization);
	uuid_key(&keys[1], memberships_user_id, user);
	uuid_or_null_key(&keys[2], memberships_team_id, team);
	uuid_or_null_key(&keys[3], memberships_project_id, project);
	return list_rows(store, SEEME_MEMBERSHIPS, "memberships_person_and_scope_key", 4, keys, get_membership, sizeof(SeemeMembership));
}

/*
 * Of one person in an organization, those that can count in a place there; others, too, where they are few: finding the next
 * row costs a quarter of looking one up.
 */
List *
seeme_list_memberships_at(SeemeStore *store, const SeemePlace *place, const pg_uuid_t *user)
{
	ScanKeyData keys[2];
	List	   *memberships;

	uuid_key(&keys[0], memberships_organization_id, &place->organization_id);
	uuid_key(&keys[1], memberships_user_id, user);
	memberships = list_some_rows(store, SEEME_MEMBERSHIPS, "memberships_person_and_scope_key", 2, keys,
								 get_membership, sizeof(SeemeMembership), FEW_MEMBERSHIPS + 1);
	if (list_length(memberships) <= FEW_MEMBERSHIPS)
		return memberships;
	/* Without indexes (every client can start so) PostgreSQL compares one row after the other, and no null is equal to a null. */
	if (IgnoreSystemIndexes)
		return seeme_list_memberships(store, &place->organization_id, user);
	memberships = list_membership_in(store, &place->organization_id, user, NULL, NULL);
	if (place->has_team)
		memberships = list_concat(memberships, list_membership_in(store, &place->organization_id, user, &place->team_id, NULL));
	if (place->has_project)
		memberships = list_concat(memberships, list_membership_in(store, &place->organization_id, user, NULL, &place->project_id));
	return memberships;
}

List *
seeme_list_memberships_of_user(SeemeStore *store, const pg_uuid_t *user)
{
	ScanKeyData key;

	uuid_key(&key, memberships_user_id, user);
	return list_rows(store, SEEME_MEMBERSHIPS, "memberships_user_id_idx", 1, &key, get_membership, sizeof(SeemeMembership));
}

/* Assignments of resources to projects */

static void
get_assignment(Scan *scan, void *row)
{
	SeemeAssignment *assignment = row;

	get_uuid(scan, project_resources_project_id, &assignment->project_id);
	get_uuid(scan, project_resources_resource_id, &assignment->resource_id);
}

/* Of a resource to any project; of every type under that id when type is NULL. */
List *
seeme_list_assignments(SeemeStore *store, const pg_uuid_t *resource, const char *type)
{
	ScanKeyData keys[2];

	uuid_key(&keys[0], project_resources_resource_id, resource);
	if (type != NULL)
		text_key(&keys[1], project_resources_resource_type, type);
	return list_rows(store, SEEME_PROJECT_RESOURCES, "project_resources_resource_idx", type != NULL ? 2 : 1, keys,
					 get_assignment, sizeof(SeemeAssignment));
}

/* Of resources of a type to one project. */
List *
seeme_list_assignments_to(SeemeStore *store, const pg_uuid_t *project, const char *type, int limit)
{
	ScanKeyData keys[2];

	uuid_key(&keys[0], project_resources_project_id, project);
	text_key(&keys[1], project_resources_resource_type, type);
	return list_some_rows(store, SEEME_PROJECT_RESOURCES, "project_resources_project_and_resource_key", 2, keys,
						  get_assignment, sizeof(SeemeAssignment), limit);
}

/* Whether an id was that of something deleted. */
bool
seeme_read_retired(SeemeStore *store, const pg_uuid_t *id)
{
	ScanKeyData key;

	uuid_key(&key, retired_ids_id, id);
	return read_row(store, SEEME_RETIRED_IDS, "retired_ids_pkey", 1, &key, NULL, NULL);
}

/* Whether a resource was assigned once and is not any more. */
bool
seeme_read_released(SeemeStore *store, const char *type, const pg_uuid_t *resource)
{
	ScanKeyData keys[2];

	text_key(&keys[0], released_resources_resource_type, type);
	uuid_key(&keys[1], released_resources_resource_id, resource);
	return read_row(store, SEEME_RELEASED_RESOURCES, "released_resources_pkey", 2, keys, NULL, NULL);
}
