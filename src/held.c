/*
 * held.c: what somebody holds somewhere, as decide.c says, remembered in the cache.
 *
 * The only one that puts decisions into the cache. Owns no state. Everything here is read in a store that was opened after
 * seeme_held_begin(): should anything change while it is read, the next seeme_held_begin() forgets it.
 */
#include "postgres.h"

#include <time.h>

#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "cache.h"
#include "changes.h"
#include "codes.h"
#include "decide.h"
#include "held.h"
#include "identity.h"
#include "store.h"

/* By so much, in µs, a coarse clock may be behind. */
#define COARSE_CLOCK_ERROR (20 * 1000)

/*
 * Whether a date has come. The coarse clock costs a fifth of the exact one, which is asked only when it is close.
 */
bool
seeme_has_come(TimestampTz date)
{
#ifdef CLOCK_REALTIME_COARSE
	struct timespec now;

	if (clock_gettime(CLOCK_REALTIME_COARSE, &now) == 0 &&
		((int64) now.tv_sec - SECS_PER_DAY * (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE)) * USECS_PER_SEC +
		now.tv_nsec / 1000 + COARSE_CLOCK_ERROR < date)
		return false;
#endif
	return date <= GetCurrentTimestamp();
}

/*
 * Opens a store, and makes the cache fit for what is read in it. From here on, until the next call, pointers into the cache
 * are good; what they point to, and what is found in the store, is as true as what was committed when this was called.
 */
void
seeme_held_begin(SeemeStore *store)
{
	seeme_store_open(store);
	seeme_watch_changes(store->namespace);
	seeme_cache_begin();
	if (seeme_cache_ncodes() == 0)
	{
		List	   *registered = seeme_list_codes(store);
		char	  **codes = palloc(sizeof(char *) * Max(list_length(registered), 1));
		ListCell   *cell;

		foreach(cell, registered)
			codes[foreach_current_index(cell)] = lfirst(cell);
		seeme_cache_set_codes(list_length(registered), codes);
	}
}

static void
add_bit(uint64 *words, int bit)
{
	words[bit / 64] |= UINT64CONST(1) << (bit % 64);
}

/* The registered codes that some entries, of a role or key, cover. */
static SeemeSet
covered_by(int nentries, char **entries)
{
	uint64	   *words = palloc0(sizeof(uint64) * seeme_cache_nwords());
	SeemeSet	set;

	for (int i = 0; i < seeme_cache_ncodes(); i++)
		if (seeme_covering_entry(nentries, entries, seeme_cache_code(i)) != NULL)
			add_bit(words, i);
	set = seeme_cache_intern(words);
	pfree(words);
	return set;
}

static SeemeSet
covered_by_role(SeemeSubject *subject, SeemeHolding *holding)
{
	SeemeSet	set = seeme_cache_find_role(&holding->membership->role_id);

	if (set == SEEME_UNKNOWN_SET)
	{
		SeemeRole  *role = seeme_role_of(subject, holding);

		set = role == NULL ? SEEME_EMPTY_SET : covered_by(role->ncodes, role->codes);
		seeme_cache_add_role(&holding->membership->role_id, set);
	}
	return set;
}

static void
add_set(uint64 *words, SeemeSet set)
{
	const uint64 *added = seeme_cache_set(set);

	for (int i = 0; i < seeme_cache_nwords(); i++)
		words[i] |= added[i];
}

/* A date on which something about a viewer changes, if it is to come. */
static void
note_date(SeemeViewer *viewer, TimestampTz now, TimestampTz date)
{
	if (date > now && date < viewer->next_change)
		viewer->next_change = date;
}

static void
subject_of(SeemeStore *store, SeemeViewer *viewer, SeemeSubject *subject)
{
	static const pg_uuid_t none = {{0}};

	seeme_subject_init_known(subject, store, &viewer->key.user_id);
	if (!seeme_uuid_equal(&viewer->key.key_id, &none))
		seeme_subject_narrow(subject, &viewer->key.key_id);
}

/* The viewer that an asker is. Their token's expiry is not looked at: it is the identity's, not the person's. */
SeemeViewer *
seeme_viewer(SeemeStore *store, const SeemeIdentity *asker)
{
	SeemeViewerKey key;
	SeemeViewer *viewer;
	SeemeSubject subject;

	memset(&key, 0, sizeof(key));
	key.user_id = asker->user_id;
	if (asker->has_key)
		key.key_id = asker->key_id;
	viewer = seeme_cache_find_viewer(&key);
	if (viewer != NULL)
	{
		if (viewer->next_change == DT_NOEND || viewer->next_change > GetCurrentTimestamp())
			return viewer;
		seeme_cache_forget_viewer(viewer);
	}

	seeme_subject_init(&subject, store, &asker->user_id);
	if (asker->has_key)
		seeme_subject_narrow(&subject, &asker->key_id);
	viewer = seeme_cache_add_viewer(&key);
	viewer->is_refused = subject.is_refused;
	note_date(viewer, subject.now, subject.person.disabled_at);
	if (subject.key != NULL)
	{
		note_date(viewer, subject.now, subject.key->expires_at);
		viewer->reached_by_key = covered_by(subject.key->ncodes, subject.key->codes);
	}
	return viewer;
}

/* What a viewer holds in a place, as decide.c says. */
static SeemeSet
read_held(SeemeSubject *subject, SeemeViewer *viewer, const SeemePlace *place)
{
	uint64	   *words = palloc0(sizeof(uint64) * seeme_cache_nwords());
	bool		everything;
	List	   *counting = seeme_counting(subject, place, &everything);
	SeemeSet	set;
	ListCell   *cell;

	if (everything)
		for (int i = 0; i < seeme_cache_ncodes(); i++)
			add_bit(words, i);
	foreach(cell, counting)
		add_set(words, covered_by_role(subject, lfirst(cell)));
	foreach(cell, seeme_standing(subject, &place->organization_id)->holdings)
	{
		SeemeMembership *membership = ((SeemeHolding *) lfirst(cell))->membership;

		note_date(viewer, subject->now, membership->valid_from);
		note_date(viewer, subject->now, membership->valid_until);
	}
	if (viewer->reached_by_key != SEEME_UNKNOWN_SET)
	{
		const uint64 *reached = seeme_cache_set(viewer->reached_by_key);

		for (int i = 0; i < seeme_cache_nwords(); i++)
			words[i] &= reached[i];
	}
	set = seeme_cache_intern(words);
	list_free(counting);
	pfree(words);
	return set;
}

static SeemeSet
remember_held(SeemeSubject *subject, SeemeViewer *viewer, SeemePlaceKind kind, const pg_uuid_t *id, const SeemePlace *place)
{
	SeemeSlot  *slot = seeme_slots_find(&seeme_cache_places[kind], id);
	uint32		number = slot != NULL ? slot->number : seeme_cache_add_place(kind, id, place);
	SeemeSet	set = read_held(subject, viewer, place);

	seeme_viewer_remember(viewer, number, set);
	return set;
}

/* Where an organization, team or project is. What does not exist is in an organization that nobody belongs to. */
static void
read_place(SeemeStore *store, SeemePlaceKind kind, const pg_uuid_t *id, SeemePlace *place)
{
	SeemeScope	scope = {SEEME_ORGANIZATION + (int) kind, *id};
	List	   *places = seeme_places(store, &scope);

	if (places != NIL)
		*place = *(SeemePlace *) linitial(places);
	else
		memset(place, 0, sizeof(*place));
}

/* What a viewer holds in an organization, team or project. */
SeemeSet
seeme_held_in(SeemeStore *store, SeemeViewer *viewer, SeemePlaceKind kind, const pg_uuid_t *id)
{
	SeemeSlot  *slot;
	SeemeSet	set = SEEME_UNKNOWN_SET;
	SeemeSubject subject;
	SeemePlace	place;

	if (viewer->is_refused)
		return SEEME_EMPTY_SET;
	slot = seeme_slots_find(&seeme_cache_places[kind], id);
	if (slot != NULL)
		set = seeme_viewer_recall(viewer, slot->number);
	if (set != SEEME_UNKNOWN_SET)
		return set;
	if (viewer->is_complete)
		return SEEME_EMPTY_SET;
	if (slot != NULL)
		place = *seeme_cache_place(slot->number);
	else
		read_place(store, kind, id, &place);
	subject_of(store, viewer, &subject);
	return remember_held(&subject, viewer, kind, id, &place);
}

/* What a viewer holds on a resource: the same in any project that it is assigned to. */
SeemeSet
seeme_held_on(SeemeStore *store, SeemeViewer *viewer, const char *resource_type, const pg_uuid_t *resource)
{
	SeemeResources *resources;
	SeemeSlot  *slot;
	uint64	   *words;
	SeemeSet	set;
	ListCell   *cell;

	if (viewer->is_refused)
		return SEEME_EMPTY_SET;
	resources = seeme_viewer_resources(viewer, resource_type);
	slot = seeme_slots_find(&resources->slots, resource);
	if (slot != NULL)
		return slot->number;
	if (resources->is_complete)
		return SEEME_EMPTY_SET;
	words = palloc0(sizeof(uint64) * seeme_cache_nwords());
	foreach(cell, seeme_list_assignments(store, resource, resource_type))
		add_set(words, seeme_held_in(store, viewer, SEEME_PLACE_PROJECT, &((SeemeAssignment *) lfirst(cell))->project_id));
	set = seeme_cache_intern(words);
	seeme_resources_add(resources, resource, set);
	return set;
}

/*
 * Everything that a viewer holds, at once: from then on what is not known is not held. False when that would be more than so
 * many places, or take too much memory. Whatever lies in an organization counts only for its owner and its members.
 */
bool
seeme_hold_all(SeemeStore *store, SeemeViewer *viewer, int limit)
{
	SeemeSubject subject;
	MemoryContext context;
	MemoryContext old;
	List	   *teams;
	List	   *projects;
	int			places = 0;
	ListCell   *organization;
	ListCell   *cell;

	if (viewer->is_complete || viewer->is_refused)
		return true;
	if (viewer->larger_than >= limit)
		return false;
	context = AllocSetContextCreate(CurrentMemoryContext, "seeme_rbac bulk load", ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(context);
	subject_of(store, viewer, &subject);
	viewer->is_complete = true;
	foreach(organization, seeme_organizations_of(&subject))
	{
		pg_uuid_t  *id = lfirst(organization);
		SeemeStanding *standing = seeme_standing(&subject, id);

		remember_held(&subject, viewer, SEEME_PLACE_ORGANIZATION, id, seeme_place_of_organization(id));
		places++;
		if (!standing->is_owner && !standing->is_member)
			continue;
		teams = seeme_list_teams(store, id, limit - places);
		projects = seeme_list_projects(store, id, limit - places);
		foreach(cell, teams)
		{
			SeemeTeam  *team = lfirst(cell);

			remember_held(&subject, viewer, SEEME_PLACE_TEAM, &team->id, seeme_place_of_team(team));
		}
		foreach(cell, projects)
		{
			SeemeProject *project = lfirst(cell);

			remember_held(&subject, viewer, SEEME_PLACE_PROJECT, &project->id, seeme_place_of_project(project));
		}
		places += list_length(teams) + list_length(projects);
		if (places >= limit || seeme_cache_bytes() > seeme_cache_limit())
		{
			viewer->is_complete = false;
			viewer->larger_than = places >= limit ? limit : INT_MAX;
			break;
		}
	}
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
	seeme_cache_counters.bulk_loads++;
	return viewer->is_complete;
}

/* Every resource of a type on which a viewer holds anything, at once. False as above. */
bool
seeme_hold_all_resources(SeemeStore *store, SeemeViewer *viewer, const char *resource_type, int limit)
{
	SeemeResources *resources;
	uint32		position = 0;
	uint32		number;
	int			read = 0;
	SeemeSet	set;
	MemoryContext context;
	MemoryContext old;
	uint64	   *words;

	if (!seeme_hold_all(store, viewer, limit))
		return false;
	resources = seeme_viewer_resources(viewer, resource_type);
	if (resources->is_complete || viewer->is_refused)
		return true;
	if (resources->larger_than >= limit)
		return false;
	context = AllocSetContextCreate(CurrentMemoryContext, "seeme_rbac bulk load", ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(context);
	words = palloc(sizeof(uint64) * seeme_cache_nwords());
	resources->is_complete = true;
	/* Those that were read one by one are known whole; adding to them changes nothing. */
	while ((number = seeme_viewer_next_place(viewer, &position, &set)) != 0)
	{
		const SeemePlace *place = seeme_cache_place(number);
		List	   *assignments;
		ListCell   *cell;

		if (set == SEEME_EMPTY_SET || !place->has_project)
			continue;
		assignments = seeme_list_assignments_to(store, &place->project_id, resource_type, limit - read);
		foreach(cell, assignments)
		{
			pg_uuid_t  *id = &((SeemeAssignment *) lfirst(cell))->resource_id;
			SeemeSlot  *slot = seeme_slots_find(&resources->slots, id);

			if (slot == NULL)
				seeme_resources_add(resources, id, set);
			else if (slot->number != set)
			{
				memset(words, 0, sizeof(uint64) * seeme_cache_nwords());
				add_set(words, set);
				add_set(words, slot->number);
				slot->number = seeme_cache_intern(words);
			}
		}
		read += 1 + list_length(assignments);
		if (read >= limit || seeme_cache_bytes() > seeme_cache_limit())
		{
			resources->is_complete = false;
			resources->larger_than = read >= limit ? limit : INT_MAX;
			break;
		}
	}
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
	seeme_cache_counters.bulk_loads++;
	return resources->is_complete;
}
