/*
 * own_scopes.c: where a person holds something or is a member, and whom they see, as evaluator.c
 * says.
 *
 * The policies of the extension's own tables go by these lists: a row is visible if one of its
 * columns is in one of them. A list costs what is in it: it is read from the person's own
 * memberships, never from the whole of a table.
 *
 * Scopes are remembered with the viewer. The people whom a viewer sees are too, but only until
 * anything changes: they depend on other people's memberships. Knows nothing of tables' policies.
 */
#include "postgres.h"

#include <limits.h>

#include "miscadmin.h"
#include "utils/memutils.h"

#include "cache/effective_permissions.h"
#include "cache/own_scopes.h"

/* What is remembered of a viewer as ids that are held by no single code. */
#define HELD_BY_CODES (-3)
#define MEMBER_OF (-4)

/*
 * Of somebody with more memberships than very few, those outside of the viewer's organizations are
 * passed over. Somebody with many is looked up in these organizations, unless they are many, too.
 */
#define VERY_FEW_MEMBERSHIPS 8
#define FEW_MEMBERSHIPS 64
#define MANY_ORGANIZATIONS 1000

/* What shows an organization, team or project to its members. An API key must reach one of them. */
static char *const membership_codes[][2] = {
	[SEEME_ORGANIZATION] = {"organizations:list", "organizations:read"},
	[SEEME_TEAM] = {"teams:list", "teams:read"},
	[SEEME_PROJECT] = {"projects:list", "projects:read"},
};

/* Ids that are gathered. */
typedef struct Gathered
{
	pg_uuid_t  *ids;
	int			n;
	Size		size;
	MemoryContext context;
	SeemeSlots	seen;			/* each is taken once */
} Gathered;

static void
gather(Gathered *gathered, const pg_uuid_t *id)
{
	if (seeme_slots_find(&gathered->seen, id) != NULL)
		return;
	seeme_slots_add(gathered->context, &gathered->seen, id, 1);
	if ((Size) gathered->n >= gathered->size)
	{
		gathered->size = Max(gathered->size * 2, 64);
		gathered->ids = gathered->ids == NULL ?
			MemoryContextAlloc(gathered->context, sizeof(pg_uuid_t) * gathered->size) :
			repalloc_huge(gathered->ids, sizeof(pg_uuid_t) * gathered->size);
	}
	gathered->ids[gathered->n++] = *id;
}

static SeemePlace
organization_of(const SeemeStanding *standing)
{
	SeemePlace	place = {standing->organization_id};

	return place;
}

static bool
holds_any(SeemeSubject *subject, const SeemeStanding *standing, const SeemePlace *place,
		  const SeemeOwnScopes *scopes)
{
	return seeme_standing_holds_any(subject, standing, place, scopes->ncodes, scopes->codes);
}

static bool
key_shows_members(const SeemeSubject *subject, const pg_uuid_t *organization, SeemeLevel level)
{
	return seeme_key_reaches(subject, organization, membership_codes[level][0]) ||
		seeme_key_reaches(subject, organization, membership_codes[level][1]);
}

static SeemeLevel
level_of(const SeemeMembership *membership)
{
	return membership->has_project ? SEEME_PROJECT : membership->has_team ? SEEME_TEAM :
		SEEME_ORGANIZATION;
}

/* Whether a place is in a list, by the person's standing in its organization. */
bool
seeme_is_own_scope(SeemeSubject *subject, const SeemeStanding *standing, const SeemePlace *place,
				   const SeemeOwnScopes *scopes)
{
	SeemePlace	organization = organization_of(standing);
	SeemeMembership *reaching[SEEME_MAX_REACHING];
	int			nreaching;

	if (subject->is_refused)
		return false;
	if (scopes->by_codes)
	{
		bool		throughout = holds_any(subject, standing, &organization, scopes);

		return scopes->level == SEEME_ORGANIZATION ? throughout :
			!throughout && holds_any(subject, standing, place, scopes);
	}
	if (!key_shows_members(subject, &standing->organization_id, scopes->level))
		return false;
	if (scopes->level == SEEME_ORGANIZATION)
		return standing->is_owner || standing->is_member;
	if (!standing->is_member)
		return false;
	nreaching = seeme_reaching(standing, place, reaching);
	for (int i = 0; i < nreaching; i++)
		if (level_of(reaching[i]) == scopes->level && seeme_is_current(reaching[i], subject->now))
			return true;
	return false;
}

/* What a visit of a person's standings gathers. */
typedef struct Visit
{
	const SeemeOwnScopes *scopes;
	Gathered	gathered;
	SeemeViewer *viewer;		/* to be told of dates; NULL: nobody is */
	/* Of people: */
	int			limit;
	bool		is_complete;
} Visit;

static void
note_dates_of(Visit *visit, SeemeSubject *subject, const SeemeStanding *standing)
{
	if (visit->viewer != NULL)
		seeme_note_dates(visit->viewer, subject->now, standing);
}

static void
gather_members_of(SeemeSubject *subject, const SeemeStanding *standing, Visit *visit)
{
	SeemeLevel	level = visit->scopes->level;

	if (!key_shows_members(subject, &standing->organization_id, level))
		return;
	if (level == SEEME_ORGANIZATION)
	{
		if (standing->is_owner || standing->is_member)
			gather(&visit->gathered, &standing->organization_id);
		return;
	}
	for (int i = 0; i < standing->nmemberships && standing->is_member; i++)
		if (level_of(&standing->memberships[i]) == level &&
			seeme_is_current(&standing->memberships[i], subject->now))
			gather(&visit->gathered, &standing->memberships[i].scope_id);
}

static void
gather_project(SeemeSubject *subject, const SeemeStanding *standing,
			   const SeemeProject *project, Visit *visit)
{
	SeemePlace	place;

	seeme_put_place_of_project(&place, project);
	if (holds_any(subject, standing, &place, visit->scopes))
		gather(&visit->gathered, &project->id);
}

static void
visit_scopes(SeemeSubject *subject, const SeemeStanding *standing, void *context)
{
	Visit	   *visit = context;
	SeemePlace	organization = organization_of(standing);
	SeemeLevel	level = visit->scopes->level;
	bool		throughout;

	note_dates_of(visit, subject, standing);
	if (!visit->scopes->by_codes)
	{
		gather_members_of(subject, standing, visit);
		return;
	}
	throughout = holds_any(subject, standing, &organization, visit->scopes);
	if (level == SEEME_ORGANIZATION && throughout)
		gather(&visit->gathered, &standing->organization_id);
	if (level == SEEME_ORGANIZATION || throughout || !standing->is_member)
		return;
	/* Only where there is a membership with a role can more be held than in the organization. */
	for (int i = 0; i < standing->nmemberships; i++)
	{
		const SeemeMembership *membership = &standing->memberships[i];
		SeemePlace	place = organization;
		SeemeProject project;
		ListCell   *cell;

		if (!membership->has_role || !seeme_is_current(membership, subject->now))
			continue;
		if (membership->has_team)
		{
			place.has_team = true;
			place.team_id = membership->scope_id;
			if (!holds_any(subject, standing, &place, visit->scopes))
				continue;
			if (level == SEEME_TEAM)
				gather(&visit->gathered, &membership->scope_id);
			else
				foreach(cell, seeme_list_projects_of_team(subject->store, &membership->scope_id))
					gather_project(subject, standing, lfirst(cell), visit);
		}
		else if (membership->has_project && level == SEEME_PROJECT &&
				 seeme_read_project(subject->store, &membership->scope_id, &project))
			gather_project(subject, standing, &project, visit);
	}
}

static void
visit_all(SeemeSubject *subject, Visit *visit, SeemeVisitStanding what)
{
	visit->gathered.context = CurrentMemoryContext;
	if (!subject->is_refused)
		seeme_visit_standings(subject, what, visit);
}

/* A list, each scope once; how many. */
int
seeme_list_own_scopes(SeemeSubject *subject, const SeemeOwnScopes *scopes, pg_uuid_t **ids)
{
	Visit		visit = {.scopes = scopes};

	visit_all(subject, &visit, visit_scopes);
	*ids = visit.gathered.ids;
	return visit.gathered.n;
}

/* Some codes as words of a set; NULL: one of them is not known. */
static uint64 *
words_of(const SeemeOwnScopes *scopes)
{
	uint64	   *words = seeme_no_codes();

	for (int i = 0; i < scopes->ncodes; i++)
	{
		int			bit = seeme_cache_find_code(scopes->codes[i]);

		if (bit < 0)
			return NULL;
		words[bit / 64] |= UINT64CONST(1) << (bit % 64);
	}
	return words;
}

static bool
holds_any_of(SeemeStore *store, SeemeViewer *viewer, SeemePlaceKind kind, const pg_uuid_t *id,
			 const uint64 *words)
{
	uint64	   *held = seeme_no_codes();
	bool		any = false;

	seeme_add_held_in(store, viewer, kind, id, held);
	for (int i = 0; i < seeme_cache_nwords(); i++)
		any = any || (held[i] & words[i]) != 0;
	pfree(held);
	return any;
}

/* Whether a scope is in a viewer's list, without reading the list. */
bool
seeme_viewer_has_own_scope(SeemeStore *store, SeemeViewer *viewer, const SeemeOwnScopes *scopes,
						   const pg_uuid_t *id)
{
	SeemePlaceKind kind = scopes->level - SEEME_ORGANIZATION;
	SeemeSubject subject;
	SeemePlace	place;
	SeemeRecalledStanding recalled;
	const SeemeStanding *standing;
	SeemeSlot  *slot;
	uint64	   *words;

	if (scopes->by_codes && (words = words_of(scopes)) != NULL)
	{
		if (!holds_any_of(store, viewer, kind, id, words))
			return false;
		if (scopes->level == SEEME_ORGANIZATION)
			return true;
		/* Where the place is, is remembered by now as a rule. */
		slot = seeme_slots_find(&seeme_cache_places[kind], id);
		if (slot != NULL)
			return !holds_any_of(store, viewer, SEEME_PLACE_ORGANIZATION,
								 &seeme_cache_place(slot->number)->organization_id, words);
	}
	seeme_subject_of_viewer(store, viewer, &subject);
	standing = seeme_viewer_standing(&subject, viewer, kind, id, &place, &recalled);
	return standing != NULL && seeme_is_own_scope(&subject, standing, &place, scopes);
}

/* The number under which a list is remembered; 0: it cannot be. */
static uint32
number_of(const SeemeOwnScopes *scopes)
{
	uint64	   *words;

	if (!scopes->by_codes)
		return 1;
	words = words_of(scopes);
	return words == NULL ? 0 : seeme_cache_intern(words);
}

/*
 * A viewer's list. Without room for it in the cache it is put where the caller says. NULL: it has
 * not been read, and is not to be.
 */
const SeemeIds *
seeme_viewer_own_scopes(SeemeStore *store, SeemeViewer *viewer, const SeemeOwnScopes *scopes,
						bool read, MemoryContext context, SeemeIds *otherwise)
{
	uint32		number = number_of(scopes);
	int			code = scopes->by_codes ? HELD_BY_CODES : MEMBER_OF;
	const SeemeIds *known = NULL;
	Visit		visit = {.scopes = scopes, .viewer = viewer};
	SeemeSubject subject;
	MemoryContext in_turn;
	MemoryContext old;

	if (number != 0)
		known = seeme_viewer_find_ids(viewer, scopes->level, number, code);
	if (known != NULL || !read)
		return known;
	in_turn = AllocSetContextCreate(CurrentMemoryContext, "seeme_rbac own scopes",
									ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(in_turn);
	seeme_subject_of_viewer(store, viewer, &subject);
	visit_all(&subject, &visit, visit_scopes);
	if (number != 0)
		known = seeme_viewer_add_ids(viewer, scopes->level, number, code, visit.gathered.ids,
									 visit.gathered.n);
	if (known == NULL)
	{
		seeme_ids_fill(context, otherwise, visit.gathered.ids, visit.gathered.n);
		known = otherwise;
	}
	MemoryContextSwitchTo(old);
	MemoryContextDelete(in_turn);
	return known;
}

/* People */

static const char *const reading_codes[] = {"organizations:read", "teams:read", "projects:read"};

static bool
may_read(SeemeSubject *subject, const SeemeStanding *standing, const SeemePlace *place, int level)
{
	char	   *code = (char *) reading_codes[level - SEEME_ORGANIZATION];

	return seeme_standing_holds_any(subject, standing, place, 1, &code);
}

static void
gather_member(void *context, const pg_uuid_t *user)
{
	gather(context, user);
}

static void
gather_members(SeemeSubject *subject, Visit *visit, SeemeTable container, const pg_uuid_t *id,
			   const bool *levels)
{
	if (visit->is_complete &&
		!seeme_visit_members(subject->store, container, id, levels, &visit->limit, gather_member,
							 &visit->gathered))
		visit->is_complete = false;
}

/* The people of whom the person sees a membership there, as the policy of memberships has it. */
static void
visit_people(SeemeSubject *subject, const SeemeStanding *standing, void *context)
{
	Visit	   *visit = context;
	SeemePlace	organization = organization_of(standing);
	bool		levels[3];

	note_dates_of(visit, subject, standing);
	if (!visit->is_complete)
		return;
	for (int i = 0; i < 3; i++)
		levels[i] = may_read(subject, standing, &organization, SEEME_ORGANIZATION + i);
	if (levels[0] || levels[1] || levels[2])
		gather_members(subject, visit, SEEME_ORGANIZATIONS, &standing->organization_id, levels);
	if (!standing->is_member)
		return;
	for (int i = 0; i < standing->nmemberships && visit->is_complete; i++)
	{
		const SeemeMembership *membership = &standing->memberships[i];
		SeemePlace	place = organization;
		SeemeProject project;
		ListCell   *cell;

		visit->limit--;
		if (!membership->has_role || !seeme_is_current(membership, subject->now))
			continue;
		if (membership->has_team)
		{
			place.has_team = true;
			place.team_id = membership->scope_id;
			if (!levels[1] && may_read(subject, standing, &place, SEEME_TEAM))
				gather_members(subject, visit, SEEME_TEAMS, &membership->scope_id, NULL);
			if (!levels[2] && may_read(subject, standing, &place, SEEME_PROJECT))
				foreach(cell, seeme_list_projects_of_team(subject->store, &membership->scope_id))
				{
					visit->limit--;
					gather_members(subject, visit, SEEME_PROJECTS,
								   &((SeemeProject *) lfirst(cell))->id, NULL);
				}
		}
		else if (membership->has_project && !levels[2] &&
				 seeme_read_project(subject->store, &membership->scope_id, &project))
		{
			seeme_put_place_of_project(&place, &project);
			if (may_read(subject, standing, &place, SEEME_PROJECT))
				gather_members(subject, visit, SEEME_PROJECTS, &project.id, NULL);
		}
	}
}

/* The people whom a person sees, each once; false: there are more than `limit` memberships to read. */
bool
seeme_list_people_seen(SeemeSubject *subject, int limit, pg_uuid_t **ids, int *n)
{
	Visit		visit = {.limit = limit, .is_complete = true};

	visit_all(subject, &visit, visit_people);
	*ids = visit.gathered.ids;
	*n = visit.gathered.n;
	return visit.is_complete;
}

/*
 * Those whom a viewer sees. Without room for them in the cache they are put where the caller says.
 * NULL: that takes reading more than so many memberships.
 */
const SeemeIds *
seeme_viewer_people(SeemeStore *store, SeemeViewer *viewer, int limit, MemoryContext context,
					SeemeIds *otherwise)
{
	const SeemeIds *known = seeme_viewer_find_people(viewer);
	Visit		visit = {.viewer = viewer, .limit = limit, .is_complete = true};
	SeemeSubject subject;
	MemoryContext in_turn;
	MemoryContext old;

	if (known != NULL || limit <= 0)
		return known;
	in_turn = AllocSetContextCreate(CurrentMemoryContext, "seeme_rbac people",
									ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(in_turn);
	seeme_subject_of_viewer(store, viewer, &subject);
	visit_all(&subject, &visit, visit_people);
	if (visit.is_complete)
	{
		known = seeme_viewer_set_people(viewer, visit.gathered.ids, visit.gathered.n);
		if (known == NULL && otherwise != NULL)
		{
			seeme_ids_fill(context, otherwise, visit.gathered.ids, visit.gathered.n);
			known = otherwise;
		}
	}
	MemoryContextSwitchTo(old);
	MemoryContextDelete(in_turn);
	return known;
}

/* Where a membership is, and the code that shows it to others. */
static const char *
scope_of(const SeemeMembership *membership, SeemeScope *scope)
{
	memset(scope, 0, sizeof(*scope));
	scope->level = level_of(membership);
	scope->id = membership->scope_id;
	return reading_codes[scope->level - SEEME_ORGANIZATION];
}

/*
 * Whether a viewer sees one of some memberships. Those outside of the viewer's organizations (NULL:
 * these are not known) cost nothing, and those of organizations themselves come first: they cost
 * least, and are seen most often.
 */
static bool
viewer_sees_any(SeemeStore *store, SeemeViewer *viewer, const SeemeIds *own, List *memberships)
{
	for (int below = 0; below < 2; below++)
	{
		ListCell   *cell;

		foreach(cell, memberships)
		{
			const SeemeMembership *membership = lfirst(cell);
			SeemeScope	scope;
			const char *code = scope_of(membership, &scope);

			if ((scope.level != SEEME_ORGANIZATION) == (below != 0) &&
				(own == NULL || seeme_ids_contain(own, &membership->organization_id)) &&
				seeme_viewer_holds(store, viewer, scope.level - SEEME_ORGANIZATION, &scope.id,
								   code))
				return true;
		}
	}
	return false;
}

/*
 * Whether a viewer sees a person, without reading all whom they see. Of a person with many
 * memberships, and a viewer with fewer organizations, only those in these are read: what strangers
 * add to the one costs the other nothing.
 */
bool
seeme_viewer_sees_person(SeemeStore *store, SeemeViewer *viewer, const pg_uuid_t *user)
{
	List	   *memberships = seeme_list_some_memberships_of_user(store, user, FEW_MEMBERSHIPS + 1);
	const SeemeIds *own = NULL;
	pg_uuid_t  *organizations;
	bool		seen = false;
	int			n;

	if (list_length(memberships) > VERY_FEW_MEMBERSHIPS)
		own = seeme_viewer_organizations(store, viewer);
	if (list_length(memberships) <= FEW_MEMBERSHIPS)
		return viewer_sees_any(store, viewer, own, memberships);
	if (own == NULL || own->n > MANY_ORGANIZATIONS)
		return viewer_sees_any(store, viewer, own, seeme_list_memberships_of_user(store, user));
	organizations = palloc_extended(sizeof(pg_uuid_t) * Max(own->n, 1), MCXT_ALLOC_HUGE);
	n = seeme_ids_list(own, organizations);
	for (int i = 0; i < n && !seen; i++)
		seen = viewer_sees_any(store, viewer, own,
							   seeme_list_memberships(store, &organizations[i], user, INT_MAX));
	pfree(organizations);
	return seen;
}

/* The same of a person under decision, past all that is remembered. */
bool
seeme_sees_person(SeemeSubject *subject, const pg_uuid_t *user)
{
	ListCell   *cell;

	if (subject->is_refused)
		return false;
	foreach(cell, seeme_list_memberships_of_user(subject->store, user))
	{
		SeemeScope	scope;
		const char *code = scope_of(lfirst(cell), &scope);
		List	   *places = seeme_places(subject->store, &scope);

		if (places != NIL && seeme_holds(subject, linitial(places), code))
			return true;
	}
	return false;
}
