/*
 * decide.c: the evaluator: whether a person holds a code somewhere.
 *
 * It knows the store and the codes, and not who is asking: everybody who asks, in whatever form, asks here, so that check,
 * list, explanation and the rows that a policy lets through cannot disagree. Writes nothing, remembers nothing: what is remembered of its answers
 * is for held.c.
 *
 * The rule, whole: a person who exists and is not disabled holds a code in a place if they own its organization; or if
 * their membership in the organization is current, and so is a membership of theirs in the organization, in the place's
 * team or in its project, whose role has an entry that covers the code. A resource is in as many places as projects it is
 * assigned to. Roles add up, nothing subtracts. An API key narrows who came by it to its codes, and to its organization. A key
 * that a person made counts only while that person could make it (rule 7.7).
 */
#include "postgres.h"

#include "codes.h"
#include "decide.h"
#include "store.h"

void
seeme_subject_init(SeemeSubject *subject, SeemeStore *store, const pg_uuid_t *user_id)
{
	subject->store = store;
	subject->now = GetCurrentTimestamp();
	memset(&subject->person, 0, sizeof(subject->person));
	subject->person.disabled_at = DT_NOEND;
	subject->person.tokens_valid_from = DT_NOBEGIN;
	subject->is_known = seeme_read_person(store, user_id, &subject->person);
	subject->person.id = *user_id;
	subject->is_refused = !subject->is_known || seeme_is_disabled(&subject->person, subject->now);
	subject->key = NULL;
	subject->creator = NULL;
	subject->standings = NIL;
}

/* The same of a person who was found to exist and not to be disabled. */
void
seeme_subject_init_known(SeemeSubject *subject, SeemeStore *store, const pg_uuid_t *user_id)
{
	memset(subject, 0, sizeof(*subject));
	subject->store = store;
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

static SeemeStanding *
known_standing(SeemeSubject *subject, const pg_uuid_t *organization_id)
{
	ListCell   *cell;

	foreach(cell, subject->standings)
	{
		SeemeStanding *standing = lfirst(cell);

		if (seeme_uuid_equal(&standing->organization_id, organization_id))
			return standing;
	}
	return NULL;
}

static SeemeStanding *
new_standing(SeemeSubject *subject, const pg_uuid_t *organization_id, SeemeReadOwner read_owner)
{
	SeemeStanding *standing = palloc0(sizeof(SeemeStanding));
	pg_uuid_t	owner;

	standing->organization_id = *organization_id;
	standing->is_owner = seeme_key_reaches(subject, organization_id, NULL) &&
		read_owner(subject->store, organization_id, &owner) && seeme_uuid_equal(&owner, &subject->person.id);
	return standing;
}

static void
add_holdings(SeemeSubject *subject, SeemeStanding *standing, List *memberships)
{
	ListCell   *cell;

	foreach(cell, memberships)
	{
		SeemeHolding *holding = palloc0(sizeof(SeemeHolding));

		holding->membership = lfirst(cell);
		standing->holdings = lappend(standing->holdings, holding);
		if (!holding->membership->has_team && !holding->membership->has_project)
			standing->is_member = seeme_is_current(holding->membership, subject->now);
	}
}

/* What the subject has in an organization; empty where it has nothing. */
SeemeStanding *
seeme_standing(SeemeSubject *subject, const pg_uuid_t *organization_id)
{
	return seeme_standing_under(subject, organization_id, seeme_read_owner);
}

/* The same, where the owner may be known otherwise than from the store. */
SeemeStanding *
seeme_standing_under(SeemeSubject *subject, const pg_uuid_t *organization_id, SeemeReadOwner read_owner)
{
	SeemeStanding *standing = known_standing(subject, organization_id);

	if (standing != NULL)
		return standing;
	standing = new_standing(subject, organization_id, read_owner);
	/* Who asks once about an organization does so again soon. */
	subject->standings = lcons(standing, subject->standings);
	if (seeme_key_reaches(subject, organization_id, NULL))
		add_holdings(subject, standing, seeme_list_memberships(subject->store, organization_id, &subject->person.id));
	return standing;
}

/* As much of it as counts in one place; all of it, if that is known already or little. */
SeemeStanding *
seeme_standing_at(SeemeSubject *subject, const SeemePlace *place, SeemeReadOwner read_owner, bool *is_whole)
{
	SeemeStanding *standing = known_standing(subject, &place->organization_id);

	*is_whole = true;
	if (standing != NULL)
		return standing;
	standing = new_standing(subject, &place->organization_id, read_owner);
	if (seeme_key_reaches(subject, &place->organization_id, NULL))
		add_holdings(subject, standing, seeme_list_memberships_at(subject->store, place, &subject->person.id, is_whole));
	return standing;
}

static bool
has_uuid(List *uuids, const pg_uuid_t *uuid)
{
	ListCell   *cell;

	foreach(cell, uuids)
		if (seeme_uuid_equal(lfirst(cell), uuid))
			return true;
	return false;
}

/* The organizations in which a subject has anything: pg_uuid_t *, each once. */
List *
seeme_organizations_of(SeemeSubject *subject)
{
	List	   *owned = seeme_list_organizations_of_owner(subject->store, &subject->person.id);
	List	   *organizations = list_copy(owned);
	ListCell   *cell;

	foreach(cell, seeme_list_memberships_of_user(subject->store, &subject->person.id))
	{
		SeemeMembership *membership = lfirst(cell);

		if (!membership->has_team && !membership->has_project && !has_uuid(owned, &membership->organization_id))
			organizations = lappend(organizations, &membership->organization_id);
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

SeemePlace *
seeme_place_of_project(const SeemeProject *project)
{
	SeemePlace *place = seeme_place_of_organization(&project->organization_id);

	place->has_team = project->has_team;
	place->team_id = project->team_id;
	place->has_project = true;
	place->project_id = project->id;
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
			foreach(cell, seeme_list_assignments(store, &scope->id, scope->resource_type))
			{
				SeemeAssignment *assignment = lfirst(cell);

				if (seeme_read_project(store, &assignment->project_id, &project))
					places = lappend(places, seeme_place_of_project(&project));
			}
			break;
	}
	return places;
}

/* Whether a membership in the place's organization is one in the organization, in its team, or in its project. */
bool
seeme_reaches(const SeemeMembership *membership, const SeemePlace *place)
{
	if (membership->has_project)
		return place->has_project && seeme_uuid_equal(&membership->scope_id, &place->project_id);
	if (membership->has_team)
		return place->has_team && seeme_uuid_equal(&membership->scope_id, &place->team_id);
	return true;
}

/* The role of a holding; NULL: none. */
SeemeRole *
seeme_role_of(SeemeSubject *subject, SeemeHolding *holding)
{
	if (holding->role == NULL && holding->membership->has_role)
		holding->role = seeme_read_role(subject->store, &holding->membership->role_id);
	return holding->role;
}

/*
 * What counts for a subject in a place: everything, for the owner; or the holdings (SeemeHolding *) whose roles add up
 * there. An API key narrows what comes of it to its codes.
 */
List *
seeme_counting(SeemeSubject *subject, const SeemeStanding *standing, const SeemePlace *place, bool *everything)
{
	List	   *counting = NIL;
	ListCell   *cell;

	*everything = false;
	if (subject->is_refused)
		return NIL;
	*everything = standing->is_owner;
	if (standing->is_owner || !standing->is_member)
		return NIL;
	foreach(cell, standing->holdings)
	{
		SeemeHolding *holding = lfirst(cell);

		if (holding->membership->has_role &&
			seeme_reaches(holding->membership, place) &&
			seeme_is_current(holding->membership, subject->now))
			counting = lappend(counting, holding);
	}
	return counting;
}

/* Whether the subject holds, through one entry of one role or as the owner, a code or wildcard in a place. */
bool
seeme_holds(SeemeSubject *subject, const SeemePlace *place, const char *code)
{
	bool		everything;
	List	   *counting;
	ListCell   *cell;

	if (!seeme_key_reaches(subject, &place->organization_id, code))
		return false;
	counting = seeme_counting(subject, seeme_standing(subject, &place->organization_id), place, &everything);
	if (everything)
		return true;
	foreach(cell, counting)
	{
		SeemeRole  *role = seeme_role_of(subject, lfirst(cell));

		if (role != NULL && seeme_covering_entry(role->ncodes, role->codes, code) != NULL)
			return true;
	}
	return false;
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
