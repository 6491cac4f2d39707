/*
 * principal.c: the user about whom a decision is made, and what the tables grant to this user.
 *
 * Reads each organization's grants and each role once. Must not decide: evaluator.c does. Must not
 * know who is asking. Remembers nothing beyond the life of a principal.
 */
#include "postgres.h"

#include <limits.h>

#include "miscadmin.h"
#include "utils/memutils.h"

#include "core/codes.h"
#include "core/principal.h"

/* Up to this many grants are searched one by one. */
#define FEW_GRANTS 8

static void
init_principal(SeemePrincipal *principal, SeemeStore *store, const pg_uuid_t *user_id)
{
	memset(principal, 0, sizeof(*principal));
	principal->store = store;
	principal->context = CurrentMemoryContext;
	principal->now = GetCurrentTimestamp();
	principal->user.id = *user_id;
	principal->user.disabled_at = DT_NOEND;
	principal->user.tokens_valid_from = DT_NOBEGIN;
}

void
seeme_init_principal(SeemePrincipal *principal, SeemeStore *store, const pg_uuid_t *user_id)
{
	init_principal(principal, store, user_id);
	principal->is_refused = !seeme_read_user(store, user_id, &principal->user) ||
		principal->user.disabled_at <= principal->now;
}

/* The same for a user who is known to exist and not to be disabled. */
void
seeme_init_active_principal(SeemePrincipal *principal, SeemeStore *store, const pg_uuid_t *user_id)
{
	init_principal(principal, store, user_id);
}

/*
 * Refuses a principal when the actor, who acts for this user, does not exist or is disabled.
 * Returns the date on which the actor is disabled; DT_NOEND: never.
 */
TimestampTz
seeme_require_actor(SeemePrincipal *principal, const pg_uuid_t *actor_id)
{
	SeemeUser	actor;

	if (!seeme_read_user(principal->store, actor_id, &actor))
	{
		principal->is_refused = true;
		return DT_NOEND;
	}
	if (actor.disabled_at <= principal->now)
		principal->is_refused = true;
	return actor.disabled_at;
}

/*
 * Limits a principal to what an API key allows. Refuses the principal when the key does not exist,
 * has expired, or is another user's. The caller knows that its creator could make it now; else see
 * seeme_limit_to_api_key().
 */
void
seeme_limit_to_valid_api_key(SeemePrincipal *principal, const pg_uuid_t *key_id)
{
	principal->key = seeme_read_api_key(principal->store, key_id);
	if (principal->key == NULL || principal->key->expires_at <= principal->now ||
		!seeme_uuid_equal(&principal->key->user_id, &principal->user.id))
		principal->is_refused = true;
}

/*
 * Whether the principal's API key, if any, allows a code in an organization. With code NULL:
 * whether it allows anything there. With organization NULL: whether it allows the code
 * everywhere.
 */
bool
seeme_api_key_allows(const SeemePrincipal *principal, const pg_uuid_t *organization_id,
					 const char *code)
{
	const SeemeApiKey *key = principal->key;

	if (key == NULL)
		return true;
	if (key->has_organization &&
		(organization_id == NULL || !seeme_uuid_equal(&key->organization_id, organization_id)))
		return false;
	return code == NULL || seeme_covering_entry(key->ncodes, key->codes, code) != NULL;
}

/*
 * The order of memberships by scope: by kind with the organization last, then by id. The index that
 * they are read from has nearly the same order.
 */
int
seeme_compare_scope(const SeemeScope *scope, SeemeScopeKind kind, const pg_uuid_t *scope_id)
{
	int			a = scope->kind == SEEME_SCOPE_ORGANIZATION ? SEEME_NSCOPE_KINDS : scope->kind;
	int			b = kind == SEEME_SCOPE_ORGANIZATION ? SEEME_NSCOPE_KINDS : kind;

	return a != b ? a - b : memcmp(scope->id.data, scope_id->data, UUID_LEN);
}

static int
compare_memberships(const void *a, const void *b)
{
	const SeemeMembership *x = a;
	const SeemeMembership *y = b;
	SeemeScope	scope = {x->kind, x->scope_id};

	return seeme_compare_scope(&scope, y->kind, &y->scope_id);
}

static SeemeGrants *
new_grants(SeemePrincipal *principal, const pg_uuid_t *organization_id, SeemeReadOwner read_owner)
{
	SeemeGrants *grants = palloc0(sizeof(SeemeGrants));
	pg_uuid_t	owner;

	grants->organization_id = *organization_id;
	grants->is_whole = true;
	grants->is_live = seeme_api_key_allows(principal, organization_id, NULL) &&
		read_owner(principal->store, organization_id, &owner);
	grants->is_owner = grants->is_live && seeme_uuid_equal(&owner, &principal->user.id);
	return grants;
}

static void
add_memberships(SeemePrincipal *principal, SeemeGrants *grants, List *memberships)
{
	ListCell   *cell;

	grants->memberships = palloc_extended(sizeof(SeemeMembership) *
										  Max(list_length(memberships), 1), MCXT_ALLOC_HUGE);
	foreach(cell, memberships)
	{
		SeemeMembership *membership = lfirst(cell);

		if (principal->excluded_scopes != NULL &&
			seeme_uuid_hash_find(principal->excluded_scopes, &membership->scope_id) != NULL)
			continue;
		if (membership->kind == SEEME_SCOPE_TEAM &&
			seeme_is_archived(principal->store, SEEME_SCOPE_TEAM, &membership->scope_id))
			continue;
		grants->memberships[grants->nmemberships++] = *membership;
		if (membership->kind == SEEME_SCOPE_ORGANIZATION)
			grants->is_member = grants->is_live && seeme_is_current(membership, principal->now);
	}
	list_free_deep(memberships);
	qsort(grants->memberships, grants->nmemberships, sizeof(SeemeMembership), compare_memberships);
}

/*
 * Reads the principal's grants in an organization, empty where there are none. Returns NULL when
 * there are more than `limit` memberships, and reads no more of them then.
 */
SeemeGrants *
seeme_read_grants(SeemePrincipal *principal, const pg_uuid_t *organization_id,
				  SeemeReadOwner read_owner, int limit)
{
	SeemeGrants *grants = new_grants(principal, organization_id, read_owner);
	List	   *memberships = NIL;

	if (seeme_api_key_allows(principal, organization_id, NULL))
		memberships = seeme_list_memberships(principal->store, organization_id,
											 &principal->user.id,
											 limit == INT_MAX ? limit : limit + 1);
	if (list_length(memberships) > limit)
		return NULL;
	add_memberships(principal, grants, memberships);
	return grants;
}

/* Reads the grants that can apply to one place; all in its organization if they are few. */
SeemeGrants *
seeme_read_grants_at(SeemePrincipal *principal, const SeemePlace *place, SeemeReadOwner read_owner)
{
	const pg_uuid_t *organization_id = seeme_place_organization(place);
	SeemeGrants *grants = new_grants(principal, organization_id, read_owner);

	grants->place = *place;
	if (seeme_api_key_allows(principal, organization_id, NULL))
		add_memberships(principal, grants,
						seeme_list_memberships_at(principal->store, place, &principal->user.id,
												  &grants->is_whole));
	return grants;
}

/* Where an organization's grants are among those that were looked up; NULL: they were not. */
static ListCell *
find_grants(const SeemePrincipal *principal, const pg_uuid_t *organization_id)
{
	SeemeUuidHashEntry *entry;
	ListCell   *cell;

	if (list_length(principal->all_grants) > FEW_GRANTS)
	{
		entry = seeme_uuid_hash_find(&principal->grants_numbers, organization_id);
		return entry == NULL ? NULL : list_nth_cell(principal->all_grants, entry->number - 1);
	}
	foreach(cell, principal->all_grants)
	{
		if (seeme_uuid_equal(&((SeemeGrants *) lfirst(cell))->organization_id, organization_id))
			return cell;
	}
	return NULL;
}

static void
keep_grants(SeemePrincipal *principal, SeemeGrants *grants)
{
	int			number;

	principal->all_grants = lappend(principal->all_grants, grants);
	number = list_length(principal->all_grants);
	if (number > FEW_GRANTS)
		for (int i = number == FEW_GRANTS + 1 ? 1 : number; i <= number; i++)
		{
			SeemeGrants *added = list_nth(principal->all_grants, i - 1);

			seeme_uuid_hash_insert(principal->context, &principal->grants_numbers,
								   &added->organization_id, i);
		}
}

/*
 * Looks up the grants in an organization, as far as they can apply to a place (NULL: all of them),
 * and keeps them. The first look-up in an organization reads for the one place. When another place
 * is asked about, all grants in the organization are read.
 */
static SeemeGrants *
look_up_grants(SeemePrincipal *principal, const pg_uuid_t *organization_id,
			   const SeemePlace *place)
{
	ListCell   *known = find_grants(principal, organization_id);
	SeemeGrants *grants = known == NULL ? NULL : lfirst(known);
	MemoryContext old;

	if (grants != NULL &&
		(grants->is_whole ||
		 (place != NULL && memcmp(&grants->place, place, sizeof(SeemePlace)) == 0)))
		return grants;
	old = MemoryContextSwitchTo(principal->context);
	if (known == NULL && place != NULL)
		grants = seeme_read_grants_at(principal, place, seeme_read_owner);
	else
		grants = seeme_read_grants(principal, organization_id, seeme_read_owner, INT_MAX);
	if (known == NULL)
		keep_grants(principal, grants);
	else
		lfirst(known) = grants;
	MemoryContextSwitchTo(old);
	return grants;
}

/* The principal's grants in an organization; empty where there are none. */
SeemeGrants *
seeme_get_grants(SeemePrincipal *principal, const pg_uuid_t *organization_id)
{
	return look_up_grants(principal, organization_id, NULL);
}

/* Those of them that can apply to a place, and perhaps more. */
SeemeGrants *
seeme_get_grants_at(SeemePrincipal *principal, const SeemePlace *place)
{
	return look_up_grants(principal, seeme_place_organization(place), place);
}

/*
 * The organizations that the principal owns or is a member of: pg_uuid_t *, each once. Archived
 * ones are left out.
 */
List *
seeme_list_own_organizations(SeemePrincipal *principal)
{
	List	   *owned = seeme_list_organizations_of_owner(principal->store, &principal->user.id);
	List	   *all = list_copy(owned);
	List	   *organizations = NIL;
	SeemeUuidHash is_owned = {0};
	ListCell   *cell;

	foreach(cell, owned)
	{
		seeme_uuid_hash_insert(CurrentMemoryContext, &is_owned, lfirst(cell), 1);
	}
	foreach(cell, seeme_list_organizations_of_member(principal->store, &principal->user.id))
	{
		if (seeme_uuid_hash_find(&is_owned, lfirst(cell)) == NULL)
			all = lappend(all, lfirst(cell));
	}
	foreach(cell, all)
	{
		if (!seeme_is_archived(principal->store, SEEME_SCOPE_ORGANIZATION, lfirst(cell)))
			organizations = lappend(organizations, lfirst(cell));
	}
	return organizations;
}

/*
 * Calls a function with the grants in each organization in which the principal has any. Reads all
 * memberships in one scan of the index, which has those of one organization together. Memberships
 * in what is archived are left out: the caller need not look up their teams and projects. Grants
 * are gone when the function returns.
 */
void
seeme_visit_grants(SeemePrincipal *principal, SeemeVisitGrants visit, void *context)
{
	List	   *owned = seeme_list_organizations_of_owner(principal->store, &principal->user.id);
	List	   *memberships = seeme_list_memberships_of_user(principal->store,
															 &principal->user.id);
	MemoryContext per_organization = AllocSetContextCreate(CurrentMemoryContext,
														   "seeme_rbac grants",
														   ALLOCSET_DEFAULT_SIZES);
	SeemeUuidHash is_owned = {0};
	SeemeUuidHash was_visited = {0};
	ListCell   *cell;

	foreach(cell, owned)
	{
		seeme_uuid_hash_insert(CurrentMemoryContext, &is_owned, lfirst(cell), 1);
	}
	for (int i = 0; i < list_length(memberships);)
	{
		const pg_uuid_t organization_id =
		((SeemeMembership *) list_nth(memberships, i))->organization_id;
		bool		is_allowed = seeme_api_key_allows(principal, &organization_id, NULL);
		MemoryContext old = MemoryContextSwitchTo(per_organization);
		SeemeGrants *grants = new_grants(principal, &organization_id, seeme_read_owner);
		List	   *here = NIL;

		CHECK_FOR_INTERRUPTS();
		for (; i < list_length(memberships); i++)
		{
			SeemeMembership *membership = list_nth(memberships, i);

			if (!seeme_uuid_equal(&membership->organization_id, &organization_id))
				break;
			if (is_allowed && (membership->kind != SEEME_SCOPE_PROJECT ||
							   !seeme_is_archived(principal->store, SEEME_SCOPE_PROJECT,
												  &membership->scope_id)))
				here = lappend(here, memcpy(palloc(sizeof(SeemeMembership)), membership,
											sizeof(SeemeMembership)));
		}
		add_memberships(principal, grants, here);
		visit(principal, grants, context);
		MemoryContextSwitchTo(old);
		MemoryContextReset(per_organization);
		if (seeme_uuid_hash_find(&is_owned, &organization_id) != NULL)
			seeme_uuid_hash_insert(CurrentMemoryContext, &was_visited, &organization_id, 1);
	}
	/* An owner is a member as well, except in the middle of a restore. */
	foreach(cell, owned)
	{
		if (seeme_uuid_hash_find(&was_visited, lfirst(cell)) == NULL)
			visit(principal, new_grants(principal, lfirst(cell), seeme_read_owner), context);
	}
	MemoryContextDelete(per_organization);
}

/* The role of a membership; NULL: it has none. Each role is read once. */
SeemeRole *
seeme_get_role(SeemePrincipal *principal, const SeemeMembership *membership)
{
	SeemeRoleCache *roles = principal->roles;
	SeemeUuidHashEntry *entry;
	SeemeRole  *role;
	MemoryContext old;

	if (!membership->has_role)
		return NULL;
	if (roles == NULL)
	{
		roles = MemoryContextAllocZero(principal->context, sizeof(SeemeRoleCache));
		roles->context = principal->context;
		principal->roles = roles;
	}
	entry = seeme_uuid_hash_find(&roles->numbers, &membership->role_id);
	if (entry != NULL)
		return list_nth(roles->roles, entry->number - 1);
	old = MemoryContextSwitchTo(roles->context);
	role = seeme_read_role(principal->store, &membership->role_id);
	roles->roles = lappend(roles->roles, role);
	seeme_uuid_hash_insert(roles->context, &roles->numbers, &membership->role_id,
						   list_length(roles->roles));
	MemoryContextSwitchTo(old);
	return role;
}
