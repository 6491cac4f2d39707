/*
 * scope.c: organizations, teams and projects: what describes each kind, and where each one lies.
 *
 * Owns the descriptors of scopes. Reads under the snapshot of a store. Must not know who has a
 * permission.
 */
#include "postgres.h"

#include <limits.h>

#include "core/columns.h"
#include "core/scope.h"
#include "core/store.h"

const SeemeScopeDescriptor seeme_scope_descriptors[SEEME_NSCOPE_KINDS + 1] = {
	[SEEME_SCOPE_ORGANIZATION] = {
		.name = "organization",
		.list_function = "seeme_permitted_organizations",
		.table = SEEME_TABLE_organizations,
		.by_id = SEEME_ORGANIZATIONS_BY_ID,
		.archived = SEEME_ORGANIZATIONS_ARCHIVED,
		.columns = {
			[SEEME_SCOPE_ORGANIZATION] = Anum_organizations_id,
		},
		.by_container = {
			[SEEME_SCOPE_ORGANIZATION] = SEEME_ORGANIZATIONS_BY_ID,
			[SEEME_SCOPE_TEAM] = SEEME_NO_INDEX,
			[SEEME_SCOPE_PROJECT] = SEEME_NO_INDEX,
		},
		.membership_column = Anum_memberships_organization_id,
		.memberships = SEEME_MEMBERSHIPS_BY_ORGANIZATION,
		.list_permission = "organizations:list",
		.read_permission = "organizations:read",
		.manage_permission = "organizations:manage_members",
	},
	[SEEME_SCOPE_TEAM] = {
		.name = "team",
		.list_function = "seeme_permitted_teams",
		.table = SEEME_TABLE_teams,
		.by_id = SEEME_TEAMS_BY_ID,
		.archived = SEEME_TEAMS_ARCHIVED,
		.columns = {
			[SEEME_SCOPE_ORGANIZATION] = Anum_teams_organization_id,
			[SEEME_SCOPE_TEAM] = Anum_teams_id,
		},
		.by_container = {
			[SEEME_SCOPE_ORGANIZATION] = SEEME_TEAMS_BY_ORGANIZATION,
			[SEEME_SCOPE_TEAM] = SEEME_TEAMS_BY_ID,
			[SEEME_SCOPE_PROJECT] = SEEME_NO_INDEX,
		},
		.membership_column = Anum_memberships_team_id,
		.memberships = SEEME_MEMBERSHIPS_BY_TEAM,
		.list_permission = "teams:list",
		.read_permission = "teams:read",
		.manage_permission = "teams:update",
	},
	[SEEME_SCOPE_PROJECT] = {
		.name = "project",
		.list_function = "seeme_permitted_projects",
		.table = SEEME_TABLE_projects,
		.by_id = SEEME_PROJECTS_BY_ID,
		.archived = SEEME_PROJECTS_ARCHIVED,
		.columns = {
			[SEEME_SCOPE_ORGANIZATION] = Anum_projects_organization_id,
			[SEEME_SCOPE_TEAM] = Anum_projects_team_id,
			[SEEME_SCOPE_PROJECT] = Anum_projects_id,
		},
		.by_container = {
			[SEEME_SCOPE_ORGANIZATION] = SEEME_PROJECTS_BY_ORGANIZATION,
			[SEEME_SCOPE_TEAM] = SEEME_PROJECTS_BY_TEAM,
			[SEEME_SCOPE_PROJECT] = SEEME_PROJECTS_BY_ID,
		},
		.membership_column = Anum_memberships_project_id,
		.memberships = SEEME_MEMBERSHIPS_BY_PROJECT,
		.is_preloaded = true,
		.list_permission = "projects:list",
		.read_permission = "projects:read",
		.manage_permission = "projects:update",
	},
	[SEEME_SCOPE_RESOURCE] = {
		.name = "resource",
		.list_function = "seeme_permitted_resources",
		.table = SEEME_TABLE_project_resources,
		.by_id = SEEME_ASSIGNMENTS_BY_RESOURCE,
	},
};

/*
 * An archived container is read as if it did not exist, so that nobody has a permission there.
 * Future dates are never stored (seeme.authorize_archiving), so that cached places need no clock.
 */
static bool
is_archived(SeemeScan *scan, SeemeScopeKind kind)
{
	static const AttrNumber columns[] = {
		[SEEME_SCOPE_ORGANIZATION] = Anum_organizations_archived_at,
		[SEEME_SCOPE_TEAM] = Anum_teams_archived_at,
		[SEEME_SCOPE_PROJECT] = Anum_projects_archived_at,
	};
	bool		isnull;

	seeme_row_datum(scan, columns[kind], &isnull);
	return !isnull;
}

/* Organizations and their owners */

typedef struct Owner
{
	pg_uuid_t	id;
	bool		is_archived;
} Owner;

static void
get_owner(SeemeScan *scan, void *row)
{
	Owner	   *owner = row;

	seeme_row_uuid(scan, Anum_organizations_owner_id, &owner->id);
	owner->is_archived = is_archived(scan, SEEME_SCOPE_ORGANIZATION);
}

static void
get_organization_id(SeemeScan *scan, void *row)
{
	seeme_row_uuid(scan, Anum_organizations_id, row);
}

static bool
read_owner(SeemeStore *store, const pg_uuid_t *organization, Owner *owner)
{
	ScanKeyData key;

	seeme_uuid_key(&key, Anum_organizations_id, organization);
	return seeme_read_row(store, SEEME_ORGANIZATIONS_BY_ID, 1, &key, get_owner, owner);
}

/* The owner of an organization; false when the organization does not exist, or is archived. */
bool
seeme_read_owner(SeemeStore *store, const pg_uuid_t *organization, pg_uuid_t *owner)
{
	Owner		found;

	if (!read_owner(store, organization, &found))
		return false;
	*owner = found.id;
	return !found.is_archived;
}

/* The same, also of an archived organization. */
bool
seeme_read_owner_of_archived(SeemeStore *store, const pg_uuid_t *organization, pg_uuid_t *owner)
{
	Owner		found;

	if (!read_owner(store, organization, &found))
		return false;
	*owner = found.id;
	return true;
}

/* The organizations that a user owns: pg_uuid_t *. */
List *
seeme_list_organizations_of_owner(SeemeStore *store, const pg_uuid_t *owner)
{
	ScanKeyData key;

	seeme_uuid_key(&key, Anum_organizations_owner_id, owner);
	return seeme_list_rows(store, SEEME_ORGANIZATIONS_BY_OWNER, 1, &key,
						   get_organization_id, sizeof(pg_uuid_t));
}

/* Calls a function for at most `limit` organizations. */
void
seeme_visit_organizations(SeemeStore *store, int limit,
						  void (*visit) (void *context, const pg_uuid_t *organization,
										 const pg_uuid_t *owner), void *context)
{
	SeemeScan	scan;
	pg_uuid_t	organization;
	Owner		owner;

	seeme_begin_table_scan(store, &scan, SEEME_TABLE_organizations);
	while (limit-- > 0 && seeme_next_table_row(&scan))
	{
		get_organization_id(&scan, &organization);
		get_owner(&scan, &owner);
		if (!owner.is_archived)
			visit(context, &organization, &owner.id);
	}
	seeme_end_scan(&scan);
}

/* Places */

/* The place of the current row, given the kind of container that the row is. */
static void
get_place(SeemeScan *scan, SeemeScopeKind kind, SeemePlace *place)
{
	const AttrNumber *columns = seeme_scope_descriptors[kind].columns;

	memset(place, 0, sizeof(*place));
	for (SeemeScopeKind outer = SEEME_SCOPE_ORGANIZATION; outer <= kind; outer++)
	{
		pg_uuid_t	id;

		if (columns[outer] != 0 && seeme_row_uuid(scan, columns[outer], &id))
			seeme_set_place_id(place, outer, &id);
	}
}

/*
 * The place of a container; all zeroes and false when there is none with this id, or it is
 * archived.
 */
bool
seeme_read_place(SeemeStore *store, SeemeScopeKind kind, const pg_uuid_t *id, SeemePlace *place)
{
	bool		container_is_archived;

	if (seeme_read_place_of_archived(store, kind, id, place, &container_is_archived) &&
		!container_is_archived)
		return true;
	memset(place, 0, sizeof(*place));
	return false;
}

/* The same, also of an archived container; and whether the container is archived. */
bool
seeme_read_place_of_archived(SeemeStore *store, SeemeScopeKind kind, const pg_uuid_t *id,
							 SeemePlace *place, bool *container_is_archived)
{
	ScanKeyData key;
	SeemeScan	scan;
	bool		found;

	memset(place, 0, sizeof(*place));
	*container_is_archived = false;
	seeme_uuid_key(&key, seeme_scope_descriptors[kind].columns[kind], id);
	seeme_begin_scan(store, &scan, seeme_scope_descriptors[kind].by_id, 1, &key);
	found = seeme_next_row(&scan);
	if (found)
	{
		get_place(&scan, kind, place);
		*container_is_archived = is_archived(&scan, kind);
	}
	seeme_end_scan(&scan);
	return found;
}

/*
 * Whether any container of a kind is archived. As a rule none is. An empty index tells so, once for
 * all that is asked of a store.
 */
bool
seeme_has_archived(SeemeStore *store, SeemeScopeKind kind)
{
	uint8		bit = 1 << kind;
	SeemeScan	scan;

	if ((store->knows_archived & bit) == 0)
	{
		seeme_begin_scan(store, &scan, seeme_scope_descriptors[kind].archived, 0, NULL);
		if (seeme_next_row(&scan))
			store->has_archived |= bit;
		seeme_end_scan(&scan);
		store->knows_archived |= bit;
	}
	return (store->has_archived & bit) != 0;
}

/* Whether a container is archived itself. */
bool
seeme_is_archived(SeemeStore *store, SeemeScopeKind kind, const pg_uuid_t *id)
{
	SeemePlace	place;

	return seeme_has_archived(store, kind) && !seeme_read_place(store, kind, id, &place);
}

/* The place of an organization, whether it exists or not. */
void
seeme_set_organization_place(SeemePlace *place, const pg_uuid_t *organization)
{
	pg_uuid_t	id = *organization; /* which may be part of the place */

	memset(place, 0, sizeof(*place));
	seeme_set_place_id(place, SEEME_SCOPE_ORGANIZATION, &id);
}

/* The same, palloc'd. */
SeemePlace *
seeme_organization_place(const pg_uuid_t *organization)
{
	SeemePlace *place = palloc(sizeof(SeemePlace));

	seeme_set_organization_place(place, organization);
	return place;
}

/*
 * The containers of a kind that lie in a container of another kind: SeemePlace *, at most `limit`.
 * Empty where none can lie.
 */
List *
seeme_list_places(SeemeStore *store, SeemeScopeKind kind, SeemeScopeKind container,
				  const pg_uuid_t *id, int limit)
{
	const SeemeScopeDescriptor *descriptor = &seeme_scope_descriptors[kind];
	ScanKeyData key;
	SeemeScan	scan;
	List	   *places = NIL;

	if (descriptor->by_container[container] == SEEME_NO_INDEX)
		return NIL;
	seeme_uuid_key(&key, descriptor->columns[container], id);
	seeme_begin_scan(store, &scan, descriptor->by_container[container], 1, &key);
	while (limit > 0 && seeme_next_row(&scan))
	{
		SeemePlace *place;

		if (is_archived(&scan, kind))
			continue;
		place = palloc(sizeof(SeemePlace));
		get_place(&scan, kind, place);
		places = lappend(places, place);
		limit--;
	}
	seeme_end_scan(&scan);
	return places;
}

/* Calls a function for at most `limit` containers of a kind. */
void
seeme_visit_places(SeemeStore *store, SeemeScopeKind kind, int limit,
				   void (*visit) (void *context, const SeemePlace *place), void *context)
{
	SeemeScan	scan;
	SeemePlace	place;

	seeme_begin_table_scan(store, &scan, seeme_scope_descriptors[kind].table);
	while (limit-- > 0 && seeme_next_table_row(&scan))
	{
		if (is_archived(&scan, kind))
			continue;
		get_place(&scan, kind, &place);
		visit(context, &place);
	}
	seeme_end_scan(&scan);
}

/*
 * The places that a scope lies in: SeemePlace *. Empty when the scope does not exist. A resource
 * lies in every project that it is assigned to.
 */
List *
seeme_find_places(SeemeStore *store, const SeemeScope *scope)
{
	List	   *places = NIL;
	ListCell   *cell;

	if (scope->kind == SEEME_SCOPE_RESOURCE)
	{
		foreach(cell, seeme_list_assignments(store, &scope->id, scope->resource_type, INT_MAX))
		{
			SeemeAssignment *assignment = lfirst(cell);
			SeemePlace *place = palloc(sizeof(SeemePlace));

			if (seeme_read_place(store, SEEME_SCOPE_PROJECT, &assignment->project_id, place))
				places = lappend(places, place);
		}
	}
	else if (scope->kind != SEEME_NO_SCOPE)
	{
		SeemePlace *place = palloc(sizeof(SeemePlace));

		if (seeme_read_place(store, scope->kind, &scope->id, place))
			places = list_make1(place);
	}
	return places;
}

/*
 * The scopes in which a membership can apply to a place: the place itself and what it lies in, the
 * organization last. Returns how many; there is room for SEEME_NCONTAINERS.
 */
int
seeme_scopes_of_place(const SeemePlace *place, SeemeScope *scopes)
{
	int			n = 0;

	memset(scopes, 0, sizeof(SeemeScope) * SEEME_NCONTAINERS);
	for (int i = 1; i <= SEEME_NCONTAINERS; i++)
	{
		/* The organization comes last. */
		SeemeScopeKind kind = i == SEEME_NCONTAINERS ? SEEME_SCOPE_ORGANIZATION : i + 1;
		const pg_uuid_t *id = seeme_place_id(place, kind);

		if (id == NULL)
			continue;
		scopes[n].kind = kind;
		scopes[n++].id = *id;
	}
	return n;
}
