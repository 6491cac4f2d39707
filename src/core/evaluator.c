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

/* As long as a subject has not more standings than this, the one that is wanted is looked for one by one. */
#define FEW_STANDINGS 8

void
seeme_subject_init(SeemeSubject *subject, SeemeStore *store, const pg_uuid_t *user_id)
{
	memset(subject, 0, sizeof(*subject));
	subject->store = store;
	subject->context = CurrentMemoryContext;
	subject->now = GetCurrentTimestamp();
	subject->person.disabled_at = DT_NOEND;
	subject->person.tokens_valid_from = DT_NOBEGIN;
	subject->is_known = seeme_read_person(store, user_id, &subject->person);
	subject->person.id = *user_id;
	subject->is_refused = !subject->is_known || seeme_is_disabled(&subject->person, subject->now);
}

/* The same of a person who was found to exist and not to be disabled. */
void
seeme_subject_init_known(SeemeSubject *subject, SeemeStore *store, const pg_uuid_t *user_id)
{
	memset(subject, 0, sizeof(*subject));
	subject->store = store;
	subject->context = CurrentMemoryContext;
	subject->now = GetCurrentTimestamp();
	subject->is_known = true;
	subject->person.id = *user_id;
	subject->person.disabled_at = DT_NOEND;
	subject->person.tokens_valid_from = DT_NOBEGIN;
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
seeme_why_silenced(SeemeStore *store, const SeemeKey *key, SeemeSubject **creator)
{
	bool		is_own = key->has_creator && seeme_uuid_equal(&key->created_by, &key->user_id);
	SeemeStanding *standing;
	SeemePlace *place;
	pg_uuid_t	organization;

	if (!key->has_creator || (is_own && !key->has_organization))
		return NULL;
	if (!key->has_organization)
		return "it is for somebody else, and limited to no organization";
	*creator = palloc0(sizeof(SeemeSubject));
	seeme_subject_init(*creator, store, &key->created_by);
	if ((*creator)->is_refused)
		return "its creator is unknown or disabled";
	if (!seeme_is_membership_of(store, &key->creator_membership_id, &key->organization_id, &key->created_by))
		return "its creator has left the organization since";
	standing = seeme_standing(*creator, &key->organization_id);
	if (!standing->is_owner && !standing->is_member)
		return "its creator's membership is not current";
	if (is_own)
		return NULL;
	if (!seeme_read_service(store, &key->user_id, &organization) || !seeme_uuid_equal(&organization, &key->organization_id))
		return "its user is no service of the organization";
	if (!seeme_is_membership_of(store, &key->bearer_membership_id, &key->organization_id, &key->user_id))
		return "its user has left the organization since";
	place = seeme_place_of_organization(&key->organization_id);
	if (!seeme_holds(*creator, place, "organizations:manage_members"))
		return "its creator does not manage the organization's members";
	for (int i = 0; i < key->ncodes; i++)
		if (!seeme_holds(*creator, place, key->codes[i]))
			return "its creator does not hold all of its permissions";
	return NULL;
}

/*
 * Narrows a subject to what an API key of theirs reaches; to nothing when it is gone, expired, or somebody else's. For a subject
 * of whom it is known that the key counts.
 */
void
seeme_subject_narrow_known(SeemeSubject *subject, const pg_uuid_t *key_id)
{
	subject->key = seeme_read_key(subject->store, key_id);
	if (subject->key == NULL || subject->key->expires_at <= subject->now ||
		!seeme_uuid_equal(&subject->key->user_id, &subject->person.id))
		subject->is_refused = true;
}

/* The same; to nothing, too, when the key's creator could not make it now. */
void
seeme_subject_narrow(SeemeSubject *subject, const pg_uuid_t *key_id)
{
	seeme_subject_narrow_known(subject, key_id);
	if (!subject->is_refused && seeme_why_silenced(subject->store, subject->key, &subject->creator) != NULL)
		subject->is_refused = true;
}

/* Whether the key, if any, reaches a code (NULL: whatever it reaches) in an organization (NULL: in all of them). */
bool
seeme_key_reaches(const SeemeSubject *subject, const pg_uuid_t *organization_id, const char *code)
{
	const SeemeKey *key = subject->key;

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
	int			place = scope->level == SEEME_TEAM ? 0 : scope->level == SEEME_PROJECT ? 1 : 2;
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
	SeemeScope	scope = {m->has_team ? SEEME_TEAM : m->has_project ? SEEME_PROJECT : SEEME_ORGANIZATION, m->scope_id};

	return compare_scope_with(&scope, b);
}

static SeemeStanding *
new_standing(SeemeSubject *subject, const pg_uuid_t *organization_id, SeemeReadOwner read_owner)
{
	SeemeStanding *standing = palloc0(sizeof(SeemeStanding));
	pg_uuid_t	owner;

	standing->organization_id = *organization_id;
	standing->is_whole = true;
	standing->is_live = seeme_key_reaches(subject, organization_id, NULL) &&
		read_owner(subject->store, organization_id, &owner);
	standing->is_owner = standing->is_live && seeme_uuid_equal(&owner, &subject->person.id);
	return standing;
}

static void
add_memberships(SeemeSubject *subject, SeemeStanding *standing, List *memberships)
{
	ListCell   *cell;

	standing->memberships = palloc_extended(sizeof(SeemeMembership) * Max(list_length(memberships), 1), MCXT_ALLOC_HUGE);
	foreach(cell, memberships)
	{
		SeemeMembership *membership = lfirst(cell);

		if (subject->without != NULL && seeme_slots_find(subject->without, &membership->scope_id) != NULL)
			continue;
		if (membership->has_team && seeme_is_archived_team(subject->store, &membership->scope_id))
			continue;
		standing->memberships[standing->nmemberships++] = *membership;
		if (!membership->has_team && !membership->has_project)
			standing->is_member = standing->is_live && seeme_is_current(membership, subject->now);
	}
	list_free_deep(memberships);
	/* They come from an index in that order as a rule. */
	qsort(standing->memberships, standing->nmemberships, sizeof(SeemeMembership), compare_memberships);
}

/*
 * What the subject has in an organization, empty where it has nothing: read anew. NULL when there are more memberships than so
 * many, which are not read then.
 */
SeemeStanding *
seeme_read_standing(SeemeSubject *subject, const pg_uuid_t *organization_id, SeemeReadOwner read_owner, int limit)
{
	SeemeStanding *standing = new_standing(subject, organization_id, read_owner);
	List	   *memberships = NIL;

	if (seeme_key_reaches(subject, organization_id, NULL))
		memberships = seeme_list_memberships(subject->store, organization_id, &subject->person.id,
											 limit == INT_MAX ? limit : limit + 1);
	if (list_length(memberships) > limit)
		return NULL;
	add_memberships(subject, standing, memberships);
	return standing;
}

/* As much of it as counts in one place; all of it, if that is little. */
SeemeStanding *
seeme_read_standing_at(SeemeSubject *subject, const SeemePlace *place, SeemeReadOwner read_owner)
{
	SeemeStanding *standing = new_standing(subject, &place->organization_id, read_owner);

	standing->place = *place;
	if (seeme_key_reaches(subject, &place->organization_id, NULL))
		add_memberships(subject, standing,
						seeme_list_memberships_at(subject->store, place, &subject->person.id, &standing->is_whole));
	return standing;
}

/* Where a standing is, or is to be, among those that were looked up; NULL: it was not. */
static ListCell *
known_standing(const SeemeSubject *subject, const pg_uuid_t *organization_id)
{
	SeemeSlot  *slot;
	ListCell   *cell;

	if (list_length(subject->standings) > FEW_STANDINGS)
	{
		slot = seeme_slots_find(&subject->standing_numbers, organization_id);
		return slot == NULL ? NULL : list_nth_cell(subject->standings, slot->number - 1);
	}
	foreach(cell, subject->standings)
	{
		if (seeme_uuid_equal(&((SeemeStanding *) lfirst(cell))->organization_id, organization_id))
			return cell;
	}
	return NULL;
}

static void
keep_standing(SeemeSubject *subject, SeemeStanding *standing)
{
	int			number;

	subject->standings = lappend(subject->standings, standing);
	number = list_length(subject->standings);
	if (number > FEW_STANDINGS)
		for (int i = number == FEW_STANDINGS + 1 ? 1 : number; i <= number; i++)
			seeme_slots_add(subject->context, &subject->standing_numbers,
							&((SeemeStanding *) list_nth(subject->standings, i - 1))->organization_id, i);
}

static bool
same_place(const SeemePlace *a, const SeemePlace *b)
{
	return seeme_uuid_equal(&a->organization_id, &b->organization_id) &&
		a->has_team == b->has_team && (!a->has_team || seeme_uuid_equal(&a->team_id, &b->team_id)) &&
		a->has_project == b->has_project && (!a->has_project || seeme_uuid_equal(&a->project_id, &b->project_id));
}

/*
 * What the subject has in an organization, as far as it counts in a place (NULL: all of it), looked up once. Who has much there
 * is read for the one place at first, and as a whole when another one is asked about.
 */
static SeemeStanding *
look_up_standing(SeemeSubject *subject, const pg_uuid_t *organization_id, const SeemePlace *place)
{
	ListCell   *known = known_standing(subject, organization_id);
	SeemeStanding *standing = known == NULL ? NULL : lfirst(known);
	MemoryContext old;

	if (standing != NULL && (standing->is_whole || (place != NULL && same_place(&standing->place, place))))
		return standing;
	old = MemoryContextSwitchTo(subject->context);
	if (known == NULL && place != NULL)
		standing = seeme_read_standing_at(subject, place, seeme_read_owner);
	else
		standing = seeme_read_standing(subject, organization_id, seeme_read_owner, INT_MAX);
	if (known == NULL)
		keep_standing(subject, standing);
	else
		lfirst(known) = standing;
	MemoryContextSwitchTo(old);
	return standing;
}

/* What the subject has in an organization; empty where it has nothing. */
SeemeStanding *
seeme_standing(SeemeSubject *subject, const pg_uuid_t *organization_id)
{
	return look_up_standing(subject, organization_id, NULL);
}

/* As much of it as counts in a place. */
SeemeStanding *
seeme_standing_at(SeemeSubject *subject, const SeemePlace *place)
{
	return look_up_standing(subject, &place->organization_id, place);
}

/* The organizations in which a subject has anything: pg_uuid_t *, each once. */
List *
seeme_organizations_of(SeemeSubject *subject)
{
	List	   *owned = seeme_list_organizations_of_owner(subject->store, &subject->person.id);
	List	   *organizations = list_copy(owned);
	SeemeSlots	is_owned = {0};
	ListCell   *cell;

	foreach(cell, owned)
		seeme_slots_add(CurrentMemoryContext, &is_owned, lfirst(cell), 1);
	foreach(cell, seeme_list_organizations_of_member(subject->store, &subject->person.id))
	{
		if (seeme_slots_find(&is_owned, lfirst(cell)) == NULL)
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
seeme_places(SeemeStore *store, const SeemeScope *scope)
{
	SeemeTeam	team;
	SeemeProject project;
	pg_uuid_t	owner;
	List	   *places = NIL;
	ListCell   *cell;

	switch (scope->level)
	{
		case SEEME_NOWHERE:
			break;
		case SEEME_ORGANIZATION:
			if (seeme_read_owner(store, &scope->id, &owner))
				places = list_make1(seeme_place_of_organization(&scope->id));
			break;
		case SEEME_TEAM:
			if (seeme_read_team(store, &scope->id, &team))
				places = list_make1(seeme_place_of_team(&team));
			break;
		case SEEME_PROJECT:
			if (seeme_read_project(store, &scope->id, &project))
				places = list_make1(seeme_place_of_project(&project));
			break;
		case SEEME_RESOURCE:
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
 * SEEME_MAX_REACHING.
 */
int
seeme_scopes_reaching(const SeemePlace *place, SeemeScope *scopes)
{
	int			n = 0;

	if (place->has_team)
		scopes[n++] = (SeemeScope) {SEEME_TEAM, place->team_id};
	if (place->has_project)
		scopes[n++] = (SeemeScope) {SEEME_PROJECT, place->project_id};
	scopes[n++] = (SeemeScope) {SEEME_ORGANIZATION, place->organization_id};
	return n;
}

/* The memberships of a standing in the place's organization, its team and its project; how many. */
int
seeme_reaching(const SeemeStanding *standing, const SeemePlace *place, SeemeMembership **memberships)
{
	SeemeScope	scopes[SEEME_MAX_REACHING];
	int			nscopes = seeme_scopes_reaching(place, scopes);
	int			n = 0;

	for (int i = 0; i < nscopes && standing->nmemberships > 0; i++)
	{
		memberships[n] = bsearch(&scopes[i], standing->memberships, standing->nmemberships, sizeof(SeemeMembership),
								 compare_scope_with);
		if (memberships[n] != NULL)
			n++;
	}
	return n;
}

/* The role of a membership; NULL: none. Each is read once. */
SeemeRole *
seeme_role_of(SeemeSubject *subject, const SeemeMembership *membership)
{
	SeemeRoles *roles = subject->roles;
	SeemeSlot  *slot;
	SeemeRole  *role;
	MemoryContext old;

	if (!membership->has_role)
		return NULL;
	if (roles == NULL)
	{
		roles = subject->roles = MemoryContextAllocZero(subject->context, sizeof(SeemeRoles));
		roles->context = subject->context;
	}
	slot = seeme_slots_find(&roles->numbers, &membership->role_id);
	if (slot != NULL)
		return list_nth(roles->roles, slot->number - 1);
	old = MemoryContextSwitchTo(roles->context);
	role = seeme_read_role(subject->store, &membership->role_id);
	roles->roles = lappend(roles->roles, role);
	seeme_slots_add(roles->context, &roles->numbers, &membership->role_id, list_length(roles->roles));
	MemoryContextSwitchTo(old);
	return role;
}

/*
 * What counts for a subject in a place: everything, for the owner; or the memberships whose roles add up there, for which there
 * is room for SEEME_MAX_REACHING; how many. An API key narrows what comes of it to its codes.
 */
int
seeme_counting(SeemeSubject *subject, const SeemeStanding *standing, const SeemePlace *place, SeemeMembership **counting,
			   bool *everything)
{
	SeemeMembership *reaching[SEEME_MAX_REACHING];
	int			nreaching;
	int			n = 0;

	*everything = false;
	if (subject->is_refused)
		return 0;
	*everything = standing->is_owner;
	if (standing->is_owner || !standing->is_member)
		return 0;
	nreaching = seeme_reaching(standing, place, reaching);
	for (int i = 0; i < nreaching; i++)
		if (reaching[i]->has_role && seeme_is_current(reaching[i], subject->now))
			counting[n++] = reaching[i];
	return n;
}

/* Whether the subject holds, through one entry of one role or as the owner, a code or wildcard in a place. */
bool
seeme_holds(SeemeSubject *subject, const SeemePlace *place, const char *code)
{
	bool		everything;
	SeemeMembership *counting[SEEME_MAX_REACHING];
	int			ncounting;

	CHECK_FOR_INTERRUPTS();
	if (!seeme_key_reaches(subject, &place->organization_id, code))
		return false;
	ncounting = seeme_counting(subject, seeme_standing_at(subject, place), place, counting, &everything);
	if (everything)
		return true;
	for (int i = 0; i < ncounting; i++)
	{
		SeemeRole  *role = seeme_role_of(subject, counting[i]);

		if (role != NULL && seeme_covering_entry(role->ncodes, role->codes, code) != NULL)
			return true;
	}
	return false;
}

/*
 * The roles that the subject holds at any level (pg_uuid_t *), as often as it does; and the memberships that this was read from
 * (NULL: they are not wanted).
 */
List *
seeme_roles_held(SeemeSubject *subject, List **memberships)
{
	List	   *all = seeme_list_memberships_of_user(subject->store, &subject->person.id);
	List	   *roles = NIL;
	ListCell   *cell;

	foreach(cell, all)
	{
		SeemeMembership *membership = lfirst(cell);

		if (membership->has_role && seeme_is_current(membership, subject->now) &&
			seeme_standing_at(subject, seeme_place_of_organization(&membership->organization_id))->is_member)
			roles = lappend(roles, &membership->role_id);
	}
	if (memberships != NULL)
		*memberships = all;
	return roles;
}

/* Whether the subject holds every concrete code of a question in some of the places. */
bool
seeme_answer(SeemeSubject *subject, List *places, const SeemeQuestion *question)
{
	ListCell   *code;
	ListCell   *place;

	foreach(code, question->concrete)
	{
		bool		held = false;

		foreach(place, places)
		{
			held = seeme_holds(subject, lfirst(place), lfirst(code));
			if (held)
				break;
		}
		if (!held)
			return false;
	}
	return true;
}

/* Whether the subject may manage the members of a place, and so be told about others there. */
bool
seeme_may_manage(SeemeSubject *subject, const SeemePlace *place)
{
	return seeme_holds(subject, place, "organizations:manage_members") ||
		(place->has_project && seeme_holds(subject, place, "projects:update")) ||
		(place->has_team && !place->has_project && seeme_holds(subject, place, "teams:update"));
}

static void
index_place(SeemeSlots *slots, const pg_uuid_t *id, int number)
{
	if (seeme_slots_find(slots, id) == NULL)
		seeme_slots_add(CurrentMemoryContext, slots, id, number);
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
 * Of the places in an organization, as many as tell what a subject holds in any of them: one for each of the subject's memberships
 * there. Nothing is held in the others that is not held in one of these.
 */
List *
seeme_places_that_differ(SeemeSubject *subject, const SeemePlaceIndex *index, const pg_uuid_t *organization_id)
{
	SeemeSlot  *slot = seeme_slots_find(&index->by_organization, organization_id);
	SeemeStanding *standing;
	List	   *places;

	if (slot == NULL)
		return NIL;
	places = list_make1(list_nth(index->places, slot->number - 1));
	standing = seeme_standing(subject, organization_id);
	for (int i = 0; i < standing->nmemberships; i++)
	{
		const SeemeMembership *membership = &standing->memberships[i];

		if (!membership->has_team && !membership->has_project)
			continue;
		slot = seeme_slots_find(membership->has_team ? &index->by_team : &index->by_project, &membership->scope_id);
		if (slot != NULL)
			places = lappend(places, list_nth(index->places, slot->number - 1));
	}
	return places;
}
