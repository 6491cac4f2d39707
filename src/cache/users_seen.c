/*
 * users_seen.c: the users that a principal sees: those with a membership that the principal may
 * read.
 *
 * The cache keeps the set only until anything changes, for it depends on other users' memberships.
 * Must not decide: evaluator.c does. Must not know the policy of a table.
 */
#include "postgres.h"

#include <limits.h>

#include "utils/memutils.h"

#include "cache/effective_permissions.h"
#include "cache/own_scopes.h"

/*
 * Of a user with more memberships than FEW_MEMBERSHIPS, those outside of the principal's
 * organizations are skipped. A user with more than MANY_MEMBERSHIPS is looked up in each of these
 * organizations, unless there are more than MANY_ORGANIZATIONS.
 */
#define FEW_MEMBERSHIPS 8
#define MANY_MEMBERSHIPS 64
#define MANY_ORGANIZATIONS 1000

/* Whether the principal may read memberships in containers of a kind, in a place. */
static bool
may_read(SeemePrincipal *principal, const SeemeGrants *grants, const SeemePlace *place,
		 SeemeScopeKind kind)
{
	return seeme_evaluate_any(principal, grants, place, 1,
							  &seeme_scope_descriptors[kind].read_permission);
}

/* What a visit of a principal's grants collects. */
typedef struct Visit
{
	SeemeCachedPrincipal *cached;	/* takes note of dates; NULL: nobody does */
	MemoryContext context;
	SeemeUuidHash users;
	int			limit;			/* so many rows may still be read */
	bool		is_complete;
} Visit;

static void
collect_user(void *context, const pg_uuid_t *user)
{
	Visit	   *visit = context;

	seeme_uuid_hash_add(visit->context, &visit->users, user);
}

static void
collect_members(SeemePrincipal *principal, Visit *visit, SeemeScopeKind kind,
				const pg_uuid_t *id, const bool *kinds)
{
	if (visit->is_complete &&
		!seeme_visit_members(principal->store, kind, id, kinds, &visit->limit, collect_user,
							 visit))
		visit->is_complete = false;
}

/* The members of what a membership in a team or project lets the principal read. */
static void
collect_below(SeemePrincipal *principal, const SeemeGrants *grants,
			  const SeemeMembership *membership, const bool *everywhere, Visit *visit)
{
	SeemePlace	place;

	seeme_set_organization_place(&place, &grants->organization_id);
	seeme_set_place_id(&place, membership->kind, &membership->scope_id);
	for (SeemeScopeKind kind = membership->kind; kind <= SEEME_NCONTAINERS; kind++)
	{
		ListCell   *cell;

		if (everywhere[kind] || !may_read(principal, grants, &place, kind))
			continue;
		if (kind == membership->kind)
		{
			collect_members(principal, visit, kind, &membership->scope_id, NULL);
			continue;
		}
		/* One more than may be read: then the limit is passed. */
		foreach(cell, seeme_list_places(principal->store, kind, membership->kind,
										&membership->scope_id,
										visit->limit == INT_MAX ? INT_MAX : visit->limit + 1))
		{
			visit->limit--;
			collect_members(principal, visit, kind, seeme_place_id(lfirst(cell), kind), NULL);
		}
	}
}

static void
visit_grants(SeemePrincipal *principal, const SeemeGrants *grants, void *context)
{
	Visit	   *visit = context;
	SeemePlace	organization;
	bool		everywhere[SEEME_NCONTAINERS + 1] = {false};
	bool		anywhere = false;

	/* Also when the limit is passed: the answers for single users depend on the dates, too. */
	if (visit->cached != NULL)
		seeme_cached_note_dates_of_grants(visit->cached, principal->now, grants);
	if (!visit->is_complete)
		return;
	seeme_set_organization_place(&organization, &grants->organization_id);
	for (SeemeScopeKind kind = SEEME_SCOPE_ORGANIZATION; kind <= SEEME_NCONTAINERS; kind++)
	{
		everywhere[kind] = may_read(principal, grants, &organization, kind);
		anywhere = anywhere || everywhere[kind];
	}
	if (anywhere)
		collect_members(principal, visit, SEEME_SCOPE_ORGANIZATION, &grants->organization_id,
						everywhere);
	for (int i = 0; i < grants->nmemberships && visit->is_complete; i++)
	{
		const SeemeMembership *membership = &grants->memberships[i];

		visit->limit--;
		if (membership->kind != SEEME_SCOPE_ORGANIZATION &&
			seeme_membership_state(principal, grants, membership) == SEEME_MEMBERSHIP_EFFECTIVE)
			collect_below(principal, grants, membership, everywhere, visit);
		if (visit->limit < 0)
			visit->is_complete = false;
	}
}

/* Lists the users that a principal sees, in no order. Returns how many; -1: the limit is passed. */
static int
list_users(SeemePrincipal *principal, SeemeCachedPrincipal *cached, int limit, pg_uuid_t **ids)
{
	Visit		visit = {.cached = cached, .context = CurrentMemoryContext, .limit = limit,
	.is_complete = true};

	if (!principal->is_refused)
		seeme_visit_grants(principal, visit_grants, &visit);
	return visit.is_complete ? seeme_uuid_hash_list(&visit.users, ids) : -1;
}

int
seeme_list_users_seen(SeemePrincipal *principal, pg_uuid_t **ids)
{
	return list_users(principal, NULL, INT_MAX, ids);
}

/*
 * The users that a principal sees. Without room in the cache the set is put into `otherwise`, in
 * `context`. NULL: it is not in the cache, and reading it takes more than `limit` rows.
 */
const SeemeUuidSet *
seeme_cached_users_seen(SeemeStore *store, SeemeCachedPrincipal *cached, int limit,
						MemoryContext context, SeemeUuidSet *otherwise)
{
	const SeemeUuidSet *known = seeme_cached_find_users_seen(cached);
	SeemePrincipal principal;
	MemoryContext in_turn;
	MemoryContext old;
	pg_uuid_t  *ids;
	int			n;

	if (known != NULL || limit <= 0)
		return known;
	in_turn = AllocSetContextCreate(CurrentMemoryContext, "seeme_rbac users seen",
									ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(in_turn);
	seeme_init_from_cache(&principal, store, cached);
	n = list_users(&principal, cached, limit, &ids);
	if (n >= 0)
	{
		known = seeme_cached_set_users_seen(cached, ids, n);
		if (known == NULL)
		{
			seeme_uuid_set_fill(context, otherwise, ids, n);
			known = otherwise;
		}
	}
	MemoryContextSwitchTo(old);
	MemoryContextDelete(in_turn);
	return known;
}

/*
 * Whether a principal sees one of some memberships. Skips those outside of the principal's own
 * organizations (NULL: unknown). Memberships in organizations themselves come first: they cost
 * least, and are seen most often.
 */
static bool
sees_any(SeemeStore *store, SeemeCachedPrincipal *cached, const SeemeUuidSet *own,
		 List *memberships)
{
	for (int below = 0; below < 2; below++)
	{
		ListCell   *cell;

		foreach(cell, memberships)
		{
			const SeemeMembership *membership = lfirst(cell);

			if ((membership->kind != SEEME_SCOPE_ORGANIZATION) == (below != 0) &&
				(own == NULL || seeme_uuid_set_contains(own, &membership->organization_id)) &&
				seeme_cached_has_code(store, cached, membership->kind, &membership->scope_id,
									  seeme_scope_descriptors[membership->kind].read_permission))
				return true;
		}
	}
	return false;
}

/*
 * Whether a principal sees a user, without reading all users that they see. What strangers add to a
 * user who has many memberships costs the principal nothing: only those in the principal's own
 * organizations are read.
 */
bool
seeme_cached_is_user_seen(SeemeStore *store, SeemeCachedPrincipal *cached, const pg_uuid_t *user)
{
	List	   *memberships = seeme_list_some_memberships_of_user(store, user,
																  MANY_MEMBERSHIPS + 1);
	const SeemeUuidSet *own = NULL;
	pg_uuid_t  *organizations;
	bool		is_seen = false;
	int			n;

	if (list_length(memberships) > FEW_MEMBERSHIPS)
		own = seeme_cached_organization_ids(store, cached);
	if (list_length(memberships) <= MANY_MEMBERSHIPS)
		return sees_any(store, cached, own, memberships);
	if (own == NULL || own->n > MANY_ORGANIZATIONS)
		return sees_any(store, cached, own, seeme_list_memberships_of_user(store, user));
	organizations = palloc(sizeof(pg_uuid_t) * Max(own->n, 1));
	n = seeme_uuid_set_list(own, organizations);
	for (int i = 0; i < n && !is_seen; i++)
		is_seen = sees_any(store, cached, own,
						   seeme_list_memberships(store, &organizations[i], user, INT_MAX));
	pfree(organizations);
	return is_seen;
}

/* The same without the cache. */
bool
seeme_is_user_seen(SeemePrincipal *principal, const pg_uuid_t *user)
{
	ListCell   *cell;

	if (principal->is_refused)
		return false;
	foreach(cell, seeme_list_memberships_of_user(principal->store, user))
	{
		const SeemeMembership *membership = lfirst(cell);
		SeemePlace	place;

		if (seeme_read_place(principal->store, membership->kind, &membership->scope_id, &place) &&
			seeme_evaluate(principal, &place,
						   seeme_scope_descriptors[membership->kind].read_permission))
			return true;
	}
	return false;
}
