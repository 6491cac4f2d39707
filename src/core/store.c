/*
 * store.c: the rows of roles and memberships.
 *
 * Must not know who is asking, or which memberships count. Writes nothing. How a row is found is
 * for index_scan.c.
 */
#include "postgres.h"

#include <limits.h>

#include "access/stratnum.h"
#include "catalog/pg_type.h"
#include "utils/builtins.h"

#include "core/columns.h"
#include "core/store.h"

/*
 * A scan that has skipped this many entries of an index in vain is given up. Targeted look-ups take
 * its place.
 */
#define MAX_SKIPPED 64

static void
get_role(SeemeScan *scan, void *row)
{
	SeemeRole  *role = row;

	seeme_row_uuid(scan, Anum_roles_id, &role->id);
	role->has_organization = seeme_row_uuid(scan, Anum_roles_organization_id,
											&role->organization_id);
	role->name = seeme_row_text(scan, Anum_roles_name);
	role->ncodes = seeme_row_texts(scan, Anum_roles_permissions, &role->codes);
}

/* NULL when there is none. */
SeemeRole *
seeme_read_role(SeemeStore *store, const pg_uuid_t *id)
{
	ScanKeyData key;
	SeemeRole  *role = palloc0(sizeof(SeemeRole));

	seeme_uuid_key(&key, Anum_roles_id, id);
	return seeme_read_row(store, SEEME_ROLES_BY_ID, 1, &key, get_role, role) ? role : NULL;
}

/* Memberships */

/* The kind and the id of the container that the current row is a membership in. */
static SeemeScopeKind
membership_kind(SeemeScan *scan, pg_uuid_t *id)
{
	for (SeemeScopeKind kind = SEEME_SCOPE_ORGANIZATION + 1; kind <= SEEME_NCONTAINERS; kind++)
		if (seeme_row_uuid(scan, seeme_scope_descriptors[kind].membership_column, id))
			return kind;
	seeme_row_uuid(scan, Anum_memberships_organization_id, id);
	return SEEME_SCOPE_ORGANIZATION;
}

static void
get_membership(SeemeScan *scan, void *row)
{
	SeemeMembership *m = row;

	seeme_row_uuid(scan, Anum_memberships_organization_id, &m->organization_id);
	m->kind = membership_kind(scan, &m->scope_id);
	seeme_row_uuid(scan, Anum_memberships_user_id, &m->user_id);
	m->has_role = seeme_row_uuid(scan, Anum_memberships_role_id, &m->role_id);
	m->valid_from = seeme_row_time(scan, Anum_memberships_valid_from, DT_NOBEGIN);
	m->valid_until = seeme_row_time(scan, Anum_memberships_valid_until, DT_NOEND);
}

/* Keys for the memberships of a user in an organization, and in everything that lies there. */
static void
user_keys(ScanKeyData keys[2], const pg_uuid_t *organization, const pg_uuid_t *user)
{
	seeme_uuid_key(&keys[0], Anum_memberships_organization_id, organization);
	seeme_uuid_key(&keys[1], Anum_memberships_user_id, user);
}

/* The number of keys that name one scope of a user's memberships. */
#define NSCOPE_KEYS (1 + SEEME_NCONTAINERS)

/*
 * The same for one scope: the column of its kind has the id, and the columns of other kinds are
 * null. For the organization itself all of them are null.
 */
static void
scope_keys(ScanKeyData keys[NSCOPE_KEYS], const pg_uuid_t *organization, const pg_uuid_t *user,
		   SeemeScopeKind kind, const pg_uuid_t *id)
{
	int			n = 2;

	user_keys(keys, organization, user);
	for (SeemeScopeKind other = SEEME_SCOPE_ORGANIZATION + 1; other <= SEEME_NCONTAINERS; other++)
	{
		AttrNumber	column = seeme_scope_descriptors[other].membership_column;

		if (other == kind)
			seeme_uuid_key(&keys[n++], column, id);
		else
			ScanKeyEntryInitialize(&keys[n++], SK_ISNULL | SK_SEARCHNULL, column, InvalidStrategy,
								   InvalidOid, InvalidOid, InvalidOid, (Datum) 0);
	}
}

/* A user's memberships in an organization and in everything that lies there, at most `limit`. */
List *
seeme_list_memberships(SeemeStore *store, const pg_uuid_t *organization, const pg_uuid_t *user,
					   int limit)
{
	ScanKeyData keys[2];

	user_keys(keys, organization, user);
	return seeme_list_some_rows(store, SEEME_MEMBERSHIPS_BY_USER, 2, keys, get_membership,
								sizeof(SeemeMembership), limit);
}

/* Whether a user has any membership in an organization, or in anything that lies there. */
bool
seeme_has_memberships_in(SeemeStore *store, const pg_uuid_t *organization, const pg_uuid_t *user)
{
	ScanKeyData keys[2];

	user_keys(keys, organization, user);
	return seeme_read_row(store, SEEME_MEMBERSHIPS_BY_USER, 2, keys, NULL, NULL);
}

List *
seeme_list_memberships_in_team(SeemeStore *store, const pg_uuid_t *team)
{
	ScanKeyData key;

	seeme_uuid_key(&key, Anum_memberships_team_id, team);
	return seeme_list_rows(store, SEEME_MEMBERSHIPS_BY_TEAM, 1, &key, get_membership,
						   sizeof(SeemeMembership));
}

/*
 * The distinct values of a column among the memberships that a key finds: pg_uuid_t *. The index
 * has equal values together. Memberships in teams and projects are skipped unless `all_kinds`.
 */
static List *
list_distinct(SeemeStore *store, SeemeIndex index, ScanKey key, AttrNumber column, bool all_kinds)
{
	SeemeScan	scan;
	List	   *values = NIL;
	pg_uuid_t	last = {{0}};
	pg_uuid_t	value;

	seeme_begin_scan(store, &scan, index, 1, key);
	while (seeme_next_row(&scan))
	{
		bool		is_skipped = false;

		seeme_row_uuid(&scan, column, &value);
		if (values != NIL && seeme_uuid_equal(&value, &last))
			continue;
		for (SeemeScopeKind kind = SEEME_SCOPE_ORGANIZATION + 1;
			 !all_kinds && !is_skipped && kind <= SEEME_NCONTAINERS; kind++)
		{
			pg_uuid_t	id;

			is_skipped = seeme_row_uuid(&scan, seeme_scope_descriptors[kind].membership_column,
										&id);
		}
		if (is_skipped)
			continue;
		last = value;
		values = lappend(values, memcpy(palloc(sizeof(pg_uuid_t)), &value, sizeof(pg_uuid_t)));
	}
	seeme_end_scan(&scan);
	return values;
}

/* The organizations that a user is a member of. A membership in a team or project is not enough. */
List *
seeme_list_organizations_of_member(SeemeStore *store, const pg_uuid_t *user)
{
	ScanKeyData key;

	seeme_uuid_key(&key, Anum_memberships_user_id, user);
	return list_distinct(store, SEEME_MEMBERSHIPS_BY_USER, &key, Anum_memberships_organization_id,
						 false);
}

/* The users with a membership in an organization, or in anything that lies there. */
List *
seeme_list_members(SeemeStore *store, const pg_uuid_t *organization)
{
	ScanKeyData key;

	seeme_uuid_key(&key, Anum_memberships_organization_id, organization);
	return list_distinct(store, SEEME_MEMBERSHIPS_BY_ORGANIZATION, &key, Anum_memberships_user_id,
						 true);
}

/*
 * Calls a function for the users who have memberships in a container, perhaps several times for one
 * user. Of an organization these are also the members of what lies there and is not archived;
 * `kinds` (NULL: all) says which kinds of containers count, by kind. Reads at most *limit
 * memberships, and counts *limit down; false: there are more.
 */
bool
seeme_visit_members(SeemeStore *store, SeemeScopeKind container, const pg_uuid_t *id,
					const bool *kinds, int *limit, SeemeVisitMember visit, void *context)
{
	SeemeScan	scan;
	ScanKeyData key;
	pg_uuid_t	last;
	bool		has_last = false;
	bool		is_complete = true;

	seeme_uuid_key(&key, seeme_scope_descriptors[container].membership_column, id);
	seeme_begin_scan(store, &scan, seeme_scope_descriptors[container].memberships, 1, &key);
	while (seeme_next_row(&scan))
	{
		SeemeScopeKind kind;
		pg_uuid_t	user;
		pg_uuid_t	scope_id;

		if ((*limit)-- <= 0)
		{
			is_complete = false;
			break;
		}
		seeme_row_uuid(&scan, Anum_memberships_user_id, &user);
		if (has_last && seeme_uuid_equal(&user, &last))
			continue;
		kind = membership_kind(&scan, &scope_id);
		if ((kinds != NULL && !kinds[kind]) ||
			(kind != container && seeme_is_archived(store, kind, &scope_id)))
			continue;
		last = user;
		has_last = true;
		visit(context, &user);
	}
	seeme_end_scan(&scan);
	return is_complete;
}

/* Whether the current entry of an index is a membership in one of the place's containers. */
static bool
entry_applies(SeemeScan *scan, const SeemePlace *place)
{
	for (SeemeScopeKind kind = SEEME_SCOPE_ORGANIZATION + 1; kind <= SEEME_NCONTAINERS; kind++)
	{
		const pg_uuid_t *wanted = seeme_place_id(place, kind);
		pg_uuid_t	id;

		if (seeme_row_uuid(scan, seeme_scope_descriptors[kind].membership_column, &id))
			return wanted != NULL && seeme_uuid_equal(&id, wanted);
	}
	return true;
}

/*
 * Adds the memberships that the keys find and that can apply to a place. The entries of the index
 * tell most of the others apart, so that their rows are not read. Returns how many entries were
 * skipped; the scan is given up after MAX_SKIPPED of them.
 */
static int
add_memberships(SeemeStore *store, const SeemePlace *place, int nkeys, ScanKey keys,
				List **memberships)
{
	SeemeScan	scan;
	int			skipped = 0;

	seeme_begin_scan(store, &scan, SEEME_MEMBERSHIPS_BY_USER, nkeys, keys);
	while (skipped <= MAX_SKIPPED && seeme_next_entry(&scan))
	{
		if (!entry_applies(&scan, place))
			skipped++;
		else if (seeme_entry_is_visible(&scan))
		{
			SeemeMembership *membership = palloc0(sizeof(SeemeMembership));

			get_membership(&scan, membership);
			*memberships = lappend(*memberships, membership);
		}
	}
	seeme_end_scan(&scan);
	return skipped;
}

/*
 * A user's memberships that can apply to a place. *are_all: the user has no others in the
 * organization.
 */
List *
seeme_list_memberships_at(SeemeStore *store, const SeemePlace *place, const pg_uuid_t *user,
						  bool *are_all)
{
	const pg_uuid_t *organization = seeme_place_organization(place);
	ScanKeyData keys[NSCOPE_KEYS];
	List	   *memberships = NIL;
	int			skipped;

	user_keys(keys, organization, user);
	skipped = add_memberships(store, place, 2, keys, &memberships);
	*are_all = skipped == 0;
	if (skipped <= MAX_SKIPPED)
		return memberships;

	/* The user has many memberships in this organization. Look up the few that are needed. */
	memberships = NIL;
	for (SeemeScopeKind kind = SEEME_SCOPE_ORGANIZATION; kind <= SEEME_NCONTAINERS; kind++)
	{
		const pg_uuid_t *id = seeme_place_id(place, kind);

		if (id == NULL)
			continue;
		scope_keys(keys, organization, user, kind, id);
		add_memberships(store, place, NSCOPE_KEYS, keys, &memberships);
	}
	return memberships;
}

/* A user's memberships in the order of the organizations' ids, at most `limit`. */
List *
seeme_list_some_memberships_of_user(SeemeStore *store, const pg_uuid_t *user, int limit)
{
	ScanKeyData key;

	seeme_uuid_key(&key, Anum_memberships_user_id, user);
	return seeme_list_some_rows(store, SEEME_MEMBERSHIPS_BY_USER, 1, &key, get_membership,
								sizeof(SeemeMembership), limit);
}

List *
seeme_list_memberships_of_user(SeemeStore *store, const pg_uuid_t *user)
{
	return seeme_list_some_memberships_of_user(store, user, INT_MAX);
}

bool
seeme_read_membership(SeemeStore *store, const pg_uuid_t *id, SeemeMembership *membership)
{
	ScanKeyData key;

	memset(membership, 0, sizeof(*membership));
	seeme_uuid_key(&key, Anum_memberships_id, id);
	return seeme_read_row(store, SEEME_MEMBERSHIPS_BY_ID, 1, &key, get_membership, membership);
}

static void
get_membership_id(SeemeScan *scan, void *row)
{
	seeme_row_uuid(scan, Anum_memberships_id, row);
}

/* The id of a user's membership in an organization itself; false when there is none. */
bool
seeme_find_membership(SeemeStore *store, const pg_uuid_t *organization, const pg_uuid_t *user,
					  pg_uuid_t *id)
{
	ScanKeyData keys[NSCOPE_KEYS];

	scope_keys(keys, organization, user, SEEME_SCOPE_ORGANIZATION, NULL);
	return seeme_read_row(store, SEEME_MEMBERSHIPS_BY_USER, NSCOPE_KEYS, keys, get_membership_id,
						  id);
}

/* Trusted functions */

static void
get_digest(SeemeScan *scan, void *row)
{
	*(char **) row = seeme_row_text(scan, Anum_trusted_functions_digest);
}

/* What a function was when it was trusted; NULL if it is not. */
char *
seeme_read_trusted_function(SeemeStore *store, const char *name)
{
	ScanKeyData key;
	char	   *digest = NULL;

	seeme_text_key(&key, Anum_trusted_functions_name, name);
	seeme_read_row(store, SEEME_TRUSTED_FUNCTIONS_BY_NAME, 1, &key, get_digest, &digest);
	return digest;
}
