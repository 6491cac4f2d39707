#if 0							/* a copy, which the next commits cut to its part */
/*
 * evaluator.c: the evaluator: whether a person holds a code somewhere.
 *
 * It knows the store and the codes, and not who is asking: everybody who asks, in whatever form, asks here, so that check,
 * list, explanation and the rows that a policy lets through cannot disagree. Writes nothing, remembers nothing: what is remembered of its answers
 * is for effective_permissions.c.
 *
 * The rule, whole: a person who exists and is not disabled holds a code in a place if they own its organization; or if
 * their membership in the organization is current, and so is a membership of theirs in the organization, in the place's
 * team or in its project, whose role has an entry that covers the code. A resource is in as many places as projects it is
 * assigned to. Roles add up, nothing subtracts. An API key narrows who came by it to its codes, and to its organization. A key
 * that a person made counts only while that person could make it (rule 7.7).
 */
#include "postgres.h"

#include <limits.h>

#include "miscadmin.h"
#include "utils/memutils.h"

#include "core/codes.h"
#include "core/evaluator.h"
#include "core/uuid_hash.h"
#include "core/store.h"

/* As long as a principal has not more grants than this, the one that is wanted is looked for one by one. */
#define FEW_GRANTS 8

void
seeme_init_principal(SeemePrincipal *principal, SeemeStore *store, const pg_uuid_t *user_id)
{
	memset(principal, 0, sizeof(*principal));
	principal->store = store;
	principal->context = CurrentMemoryContext;
	principal->now = GetCurrentTimestamp();
	principal->person.disabled_at = DT_NOEND;
	principal->person.tokens_valid_from = DT_NOBEGIN;
	principal->is_known = seeme_read_user(store, user_id, &principal->person);
	principal->person.id = *user_id;
	principal->is_refused = !principal->is_known || seeme_is_disabled(&principal->person, principal->now);
}

/* The same of a person who was found to exist and not to be disabled. */
void
seeme_init_active_principal(SeemePrincipal *principal, SeemeStore *store, const pg_uuid_t *user_id)
{
	memset(principal, 0, sizeof(*principal));
	principal->store = store;
	principal->context = CurrentMemoryContext;
	principal->now = GetCurrentTimestamp();
	principal->is_known = true;
	principal->person.id = *user_id;
	principal->person.disabled_at = DT_NOEND;
	principal->person.tokens_valid_from = DT_NOBEGIN;
}

/* Whether a membership is somebody's in an organization itself. One who left and came back has another. */
bool
seeme_is_membership_of(SeemeStore *store, const pg_uuid_t *id, const pg_uuid_t *organization, const pg_uuid_t *user)
{
	SeemeMembership membership;

	return seeme_read_membership(store, id, &membership) &&
		!membership.has_team && !membership.has_project &&
		seeme_uuid_equal(&membership.organization_id, organization) &&
		seeme_uuid_equal(&membership.user_id, user);
}

/*
 * Rule 7.7: why a key that a person made does not count now, in words for administrators; NULL if it counts. A key that
 * privileged code made, and one's own that is limited to no organization, depend on nobody. Any other counts while its creator
 * could make it: under the memberships that it was made under, so that an expulsion ends it for good, whichever of the two
 * commits first. *creator is set to whoever was asked about, with what was found of them.
 */
const char *
seeme_api_key_defect(SeemeStore *store, const SeemeApiKey *key, SeemePrincipal **creator)
{
	bool		is_own = key->has_creator && seeme_uuid_equal(&key->created_by, &key->user_id);
	SeemeGrants *grants;
	SeemePlace *place;
	pg_uuid_t	organization;

	if (!key->has_creator || (is_own && !key->has_organization))
		return NULL;
	if (!key->has_organization)
		return "it is for somebody else, and limited to no organization";
	*creator = palloc0(sizeof(SeemePrincipal));
	seeme_init_principal(*creator, store, &key->created_by);
	if ((*creator)->is_refused)
		return "its creator is unknown or disabled";
	if (!seeme_is_membership_of(store, &key->creator_membership_id, &key->organization_id, &key->created_by))
		return "its creator has left the organization since";
	grants = seeme_get_grants(*creator, &key->organization_id);
	if (!grants->is_owner && !grants->is_member)
		return "its creator's membership is not current";
	if (is_own)
		return NULL;
	if (!seeme_read_service(store, &key->user_id, &organization) || !seeme_uuid_equal(&organization, &key->organization_id))
		return "its user is no service of the organization";
	if (!seeme_is_membership_of(store, &key->bearer_membership_id, &key->organization_id, &key->user_id))
		return "its user has left the organization since";
	place = seeme_place_of_organization(&key->organization_id);
	if (!seeme_evaluate(*creator, place, "organizations:manage_members"))
		return "its creator does not manage the organization's members";
	for (int i = 0; i < key->ncodes; i++)
		if (!seeme_evaluate(*creator, place, key->codes[i]))
			return "its creator does not hold all of its permissions";
	return NULL;
}

/*
 * Narrows a principal to what an API key of theirs reaches; to nothing when it is gone, expired, or somebody else's. For a principal
 * of whom it is known that the key counts.
 */
void
seeme_limit_to_valid_api_key(SeemePrincipal *principal, const pg_uuid_t *key_id)
{
	principal->key = seeme_read_key(principal->store, key_id);
	if (principal->key == NULL || principal->key->expires_at <= principal->now ||
		!seeme_uuid_equal(&principal->key->user_id, &principal->person.id))
		principal->is_refused = true;
}

/* The same; to nothing, too, when the key's creator could not make it now. */
void
seeme_limit_to_api_key(SeemePrincipal *principal, const pg_uuid_t *key_id)
{
	seeme_limit_to_valid_api_key(principal, key_id);
	if (!principal->is_refused && seeme_api_key_defect(principal->store, principal->key, &principal->creator) != NULL)
		principal->is_refused = true;
}

/* Whether the key, if any, reaches a code (NULL: whatever it reaches) in an organization (NULL: in all of them). */
bool
seeme_api_key_allows(const SeemePrincipal *principal, const pg_uuid_t *organization_id, const char *code)
{
	const SeemeApiKey *key = principal->key;

	if (key == NULL)
		return true;
	if (key->has_organization &&
		(organization_id == NULL || !seeme_uuid_equal(&key->organization_id, organization_id)))
		return false;
	return code == NULL || seeme_covering_entry(key->ncodes, key->codes, code) != NULL;
}

/* Where a scope of memberships stands among others: teams, projects, organizations, each by id. */
int
seeme_compare_scope(const SeemeScope *scope, bool has_team, bool has_project, const pg_uuid_t *scope_id)
{
	int			place = scope->level == SEEME_SCOPE_TEAM ? 0 : scope->level == SEEME_SCOPE_PROJECT ? 1 : 2;
	int			other = has_team ? 0 : has_project ? 1 : 2;

	return place != other ? place - other : memcmp(scope->id.data, scope_id->data, UUID_LEN);
}

static int
compare_scope_with(const void *scope, const void *membership)
{
	const SeemeMembership *m = membership;

	return seeme_compare_scope(scope, m->has_team, m->has_project, &m->scope_id);
}

static int
compare_memberships(const void *a, const void *b)
{
	const SeemeMembership *m = a;
	SeemeScope	scope = {m->has_team ? SEEME_SCOPE_TEAM : m->has_project ? SEEME_SCOPE_PROJECT : SEEME_SCOPE_ORGANIZATION, m->scope_id};

	return compare_scope_with(&scope, b);
}

static SeemeGrants *
new_grants(SeemePrincipal *principal, const pg_uuid_t *organization_id, SeemeReadOwner read_owner)
{
	SeemeGrants *grants = palloc0(sizeof(SeemeGrants));
	pg_uuid_t	owner;

	grants->organization_id = *organization_id;
	grants->is_whole = true;
	grants->is_owner = seeme_api_key_allows(principal, organization_id, NULL) &&
		read_owner(principal->store, organization_id, &owner) && seeme_uuid_equal(&owner, &principal->person.id);
	return grants;
}

static void
add_memberships(SeemePrincipal *principal, SeemeGrants *grants, List *memberships)
{
	ListCell   *cell;

	grants->memberships = palloc_extended(sizeof(SeemeMembership) * Max(list_length(memberships), 1), MCXT_ALLOC_HUGE);
	foreach(cell, memberships)
	{
		SeemeMembership *membership = lfirst(cell);

		if (principal->without != NULL && seeme_uuid_hash_find(principal->without, &membership->scope_id) != NULL)
			continue;
		grants->memberships[grants->nmemberships++] = *membership;
		if (!membership->has_team && !membership->has_project)
			grants->is_member = seeme_is_current(membership, principal->now);
	}
	list_free_deep(memberships);
	/* They come from an index in that order as a rule. */
	qsort(grants->memberships, grants->nmemberships, sizeof(SeemeMembership), compare_memberships);
}

/*
 * What the principal has in an organization, empty where it has nothing: read anew. NULL when there are more memberships than so
 * many, which are not read then.
 */
SeemeGrants *
seeme_read_grants(SeemePrincipal *principal, const pg_uuid_t *organization_id, SeemeReadOwner read_owner, int limit)
{
	SeemeGrants *grants = new_grants(principal, organization_id, read_owner);
	List	   *memberships = NIL;

	if (seeme_api_key_allows(principal, organization_id, NULL))
		memberships = seeme_list_memberships(principal->store, organization_id, &principal->person.id,
											 limit == INT_MAX ? limit : limit + 1);
	if (list_length(memberships) > limit)
		return NULL;
	add_memberships(principal, grants, memberships);
	return grants;
}

/* As much of it as counts in one place; all of it, if that is little. */
SeemeGrants *
seeme_read_grants_at(SeemePrincipal *principal, const SeemePlace *place, SeemeReadOwner read_owner)
{
	SeemeGrants *grants = new_grants(principal, &place->organization_id, read_owner);

	grants->place = *place;
	if (seeme_api_key_allows(principal, &place->organization_id, NULL))
		add_memberships(principal, grants,
						seeme_list_memberships_at(principal->store, place, &principal->person.id, &grants->is_whole));
	return grants;
}

/* Where a grants is, or is to be, among those that were looked up; NULL: it was not. */
static ListCell *
find_grants(const SeemePrincipal *principal, const pg_uuid_t *organization_id)
{
	SeemeUuidHashEntry  *entry;
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
			seeme_uuid_hash_insert(principal->context, &principal->grants_numbers,
							&((SeemeGrants *) list_nth(principal->all_grants, i - 1))->organization_id, i);
}

static bool
same_place(const SeemePlace *a, const SeemePlace *b)
{
	return seeme_uuid_equal(&a->organization_id, &b->organization_id) &&
		a->has_team == b->has_team && (!a->has_team || seeme_uuid_equal(&a->team_id, &b->team_id)) &&
		a->has_project == b->has_project && (!a->has_project || seeme_uuid_equal(&a->project_id, &b->project_id));
}

/*
 * What the principal has in an organization, as far as it counts in a place (NULL: all of it), looked up once. Who has much there
 * is read for the one place at first, and as a whole when another one is asked about.
 */
static SeemeGrants *
look_up_grants(SeemePrincipal *principal, const pg_uuid_t *organization_id, const SeemePlace *place)
{
	ListCell   *known = find_grants(principal, organization_id);
	SeemeGrants *grants = known == NULL ? NULL : lfirst(known);
	MemoryContext old;

	if (grants != NULL && (grants->is_whole || (place != NULL && same_place(&grants->place, place))))
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

/* What the principal has in an organization; empty where it has nothing. */
SeemeGrants *
seeme_get_grants(SeemePrincipal *principal, const pg_uuid_t *organization_id)
{
	return look_up_grants(principal, organization_id, NULL);
}

/* As much of it as counts in a place. */
SeemeGrants *
seeme_get_grants_at(SeemePrincipal *principal, const SeemePlace *place)
{
	return look_up_grants(principal, &place->organization_id, place);
}

/* The organizations in which a principal has anything: pg_uuid_t *, each once. */
List *
seeme_list_own_organizations(SeemePrincipal *principal)
{
	List	   *owned = seeme_list_organizations_of_owner(principal->store, &principal->person.id);
	List	   *organizations = list_copy(owned);
	SeemeUuidHash	is_owned = {0};
	ListCell   *cell;

	foreach(cell, owned)
		seeme_uuid_hash_insert(CurrentMemoryContext, &is_owned, lfirst(cell), 1);
	foreach(cell, seeme_list_organizations_of_member(principal->store, &principal->person.id))
	{
		if (seeme_uuid_hash_find(&is_owned, lfirst(cell)) == NULL)
			organizations = lappend(organizations, lfirst(cell));
	}
	return organizations;
}

SeemePlace *
seeme_place_of_organization(const pg_uuid_t *organization_id)
{
	SeemePlace *place = palloc0(sizeof(SeemePlace));

	place->organization_id = *organization_id;
	return place;
}

SeemePlace *
seeme_place_of_team(const SeemeTeam *team)
{
	SeemePlace *place = seeme_place_of_organization(&team->organization_id);

	place->has_team = true;
	place->team_id = team->id;
	return place;
}

void
seeme_put_place_of_project(SeemePlace *place, const SeemeProject *project)
{
	memset(place, 0, sizeof(*place));
	place->organization_id = project->organization_id;
	place->has_team = project->has_team;
	place->team_id = project->team_id;
	place->has_project = true;
	place->project_id = project->id;
}

SeemePlace *
seeme_place_of_project(const SeemeProject *project)
{
	SeemePlace *place = palloc(sizeof(SeemePlace));

	seeme_put_place_of_project(place, project);
	return place;
}

/* Where a scope is: nowhere if it does not exist; a resource in every project that it is assigned to. */
List *
seeme_find_places(SeemeStore *store, const SeemeScope *scope)
{
	SeemeTeam	team;
	SeemeProject project;
	pg_uuid_t	owner;
	List	   *places = NIL;
	ListCell   *cell;

	switch (scope->level)
	{
		case SEEME_NO_SCOPE:
			break;
		case SEEME_SCOPE_ORGANIZATION:
			if (seeme_read_owner(store, &scope->id, &owner))
				places = list_make1(seeme_place_of_organization(&scope->id));
			break;
		case SEEME_SCOPE_TEAM:
			if (seeme_read_team(store, &scope->id, &team))
				places = list_make1(seeme_place_of_team(&team));
			break;
		case SEEME_SCOPE_PROJECT:
			if (seeme_read_project(store, &scope->id, &project))
				places = list_make1(seeme_place_of_project(&project));
			break;
		case SEEME_SCOPE_RESOURCE:
			foreach(cell, seeme_list_assignments(store, &scope->id, scope->resource_type, INT_MAX))
			{
				SeemeAssignment *assignment = lfirst(cell);

				if (seeme_read_project(store, &assignment->project_id, &project))
					places = lappend(places, seeme_place_of_project(&project));
			}
			break;
	}
	return places;
}

/*
 * The scopes of which a membership counts in a place: its team, its project, its organization. How many; there is room for
 * SEEME_MAX_MEMBERSHIPS_AT.
 */
int
seeme_scopes_of_place(const SeemePlace *place, SeemeScope *scopes)
{
	int			n = 0;

	if (place->has_team)
		scopes[n++] = (SeemeScope) {SEEME_SCOPE_TEAM, place->team_id};
	if (place->has_project)
		scopes[n++] = (SeemeScope) {SEEME_SCOPE_PROJECT, place->project_id};
	scopes[n++] = (SeemeScope) {SEEME_SCOPE_ORGANIZATION, place->organization_id};
	return n;
}

/* The memberships of a grants in the place's organization, its team and its project; how many. */
int
seeme_memberships_at(const SeemeGrants *grants, const SeemePlace *place, SeemeMembership **memberships)
{
	SeemeScope	scopes[SEEME_MAX_MEMBERSHIPS_AT];
	int			nscopes = seeme_scopes_of_place(place, scopes);
	int			n = 0;

	for (int i = 0; i < nscopes && grants->nmemberships > 0; i++)
	{
		memberships[n] = bsearch(&scopes[i], grants->memberships, grants->nmemberships, sizeof(SeemeMembership),
								 compare_scope_with);
		if (memberships[n] != NULL)
			n++;
	}
	return n;
}

/* The role of a membership; NULL: none. Each is read once. */
SeemeRole *
seeme_get_role(SeemePrincipal *principal, const SeemeMembership *membership)
{
	SeemeRoles *roles = principal->roles;
	SeemeUuidHashEntry  *entry;
	SeemeRole  *role;
	MemoryContext old;

	if (!membership->has_role)
		return NULL;
	if (roles == NULL)
	{
		roles = principal->roles = MemoryContextAllocZero(principal->context, sizeof(SeemeRoles));
		roles->context = principal->context;
	}
	entry = seeme_uuid_hash_find(&roles->numbers, &membership->role_id);
	if (entry != NULL)
		return list_nth(roles->roles, entry->number - 1);
	old = MemoryContextSwitchTo(roles->context);
	role = seeme_read_role(principal->store, &membership->role_id);
	roles->roles = lappend(roles->roles, role);
	seeme_uuid_hash_insert(roles->context, &roles->numbers, &membership->role_id, list_length(roles->roles));
	MemoryContextSwitchTo(old);
	return role;
}

/*
 * What counts for a principal in a place: everything, for the owner; or the memberships whose roles add up there, for which there
 * is room for SEEME_MAX_MEMBERSHIPS_AT; how many. An API key narrows what comes of it to its codes.
 */
int
seeme_effective_memberships(SeemePrincipal *principal, const SeemeGrants *grants, const SeemePlace *place, SeemeMembership **effective,
			   bool *everything)
{
	SeemeMembership *memberships[SEEME_MAX_MEMBERSHIPS_AT];
	int			nmemberships;
	int			n = 0;

	*everything = false;
	if (principal->is_refused)
		return 0;
	*everything = grants->is_owner;
	if (grants->is_owner || !grants->is_member)
		return 0;
	nmemberships = seeme_memberships_at(grants, place, memberships);
	for (int i = 0; i < nmemberships; i++)
		if (memberships[i]->has_role && seeme_is_current(memberships[i], principal->now))
			effective[n++] = memberships[i];
	return n;
}

/* Whether the principal holds, through one entry of one role or as the owner, a code or wildcard in a place. */
bool
seeme_evaluate(SeemePrincipal *principal, const SeemePlace *place, const char *code)
{
	bool		everything;
	SeemeMembership *effective[SEEME_MAX_MEMBERSHIPS_AT];
	int			neffective;

	CHECK_FOR_INTERRUPTS();
	if (!seeme_api_key_allows(principal, &place->organization_id, code))
		return false;
	neffective = seeme_effective_memberships(principal, seeme_get_grants_at(principal, place), place, effective, &everything);
	if (everything)
		return true;
	for (int i = 0; i < neffective; i++)
	{
		SeemeRole  *role = seeme_get_role(principal, effective[i]);

		if (role != NULL && seeme_covering_entry(role->ncodes, role->codes, code) != NULL)
			return true;
	}
	return false;
}

/*
 * The roles that the principal holds at any level (pg_uuid_t *), as often as it does; and the memberships that this was read from
 * (NULL: they are not wanted).
 */
List *
seeme_list_effective_roles(SeemePrincipal *principal, List **memberships)
{
	List	   *all = seeme_list_memberships_of_user(principal->store, &principal->person.id);
	List	   *roles = NIL;
	ListCell   *cell;

	foreach(cell, all)
	{
		SeemeMembership *membership = lfirst(cell);

		if (membership->has_role && seeme_is_current(membership, principal->now) &&
			seeme_get_grants_at(principal, seeme_place_of_organization(&membership->organization_id))->is_member)
			roles = lappend(roles, &membership->role_id);
	}
	if (memberships != NULL)
		*memberships = all;
	return roles;
}

/* Whether the principal holds every concrete code of a request in some of the places. */
bool
seeme_evaluate_spec(SeemePrincipal *principal, List *places, const SeemePermissionSpec *spec)
{
	ListCell   *code;
	ListCell   *place;

	foreach(code, spec->concrete)
	{
		bool		held = false;

		foreach(place, places)
		{
			held = seeme_evaluate(principal, lfirst(place), lfirst(code));
			if (held)
				break;
		}
		if (!held)
			return false;
	}
	return true;
}

/* Whether the principal may manage the members of a place, and so be told about others there. */
bool
seeme_may_manage_members(SeemePrincipal *principal, const SeemePlace *place)
{
	return seeme_evaluate(principal, place, "organizations:manage_members") ||
		(place->has_project && seeme_evaluate(principal, place, "projects:update")) ||
		(place->has_team && !place->has_project && seeme_evaluate(principal, place, "teams:update"));
}

static void
index_place(SeemeUuidHash *entries, const pg_uuid_t *id, int number)
{
	if (seeme_uuid_hash_find(entries, id) == NULL)
		seeme_uuid_hash_insert(CurrentMemoryContext, entries, id, number);
}

void
seeme_index_places(SeemePlaceIndex *index, List *places)
{
	ListCell   *cell;

	memset(index, 0, sizeof(*index));
	index->places = places;
	foreach(cell, places)
	{
		const SeemePlace *place = lfirst(cell);
		int			number = foreach_current_index(cell) + 1;

		index_place(&index->by_organization, &place->organization_id, number);
		if (place->has_team)
			index_place(&index->by_team, &place->team_id, number);
		if (place->has_project)
			index_place(&index->by_project, &place->project_id, number);
	}
}

/*
 * Of the places in an organization, as many as tell what a principal holds in any of them: one for each of the principal's memberships
 * there. Nothing is held in the others that is not held in one of these.
 */
List *
seeme_distinct_places(SeemePrincipal *principal, const SeemePlaceIndex *index, const pg_uuid_t *organization_id)
{
	SeemeUuidHashEntry  *entry = seeme_uuid_hash_find(&index->by_organization, organization_id);
	SeemeGrants *grants;
	List	   *places;

	if (entry == NULL)
		return NIL;
	places = list_make1(list_nth(index->places, entry->number - 1));
	grants = seeme_get_grants(principal, organization_id);
	for (int i = 0; i < grants->nmemberships; i++)
	{
		const SeemeMembership *membership = &grants->memberships[i];

		if (!membership->has_team && !membership->has_project)
			continue;
		entry = seeme_uuid_hash_find(membership->has_team ? &index->by_team : &index->by_project, &membership->scope_id);
		if (entry != NULL)
			places = lappend(places, list_nth(index->places, entry->number - 1));
	}
	return places;
}
#endif
