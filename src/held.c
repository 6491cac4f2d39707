/*
 * held.c: what somebody holds somewhere, as decide.c says, remembered in the cache.
 *
 * The only one that puts decisions into the cache. Owns no state. Everything here is read in a store that was opened after
 * seeme_held_begin(): should anything change while it is read, the next seeme_held_begin() forgets it.
 */
#include "postgres.h"

#include <time.h>

#include "catalog/namespace.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "cache.h"
#include "changes.h"
#include "codes.h"
#include "decide.h"
#include "directory.h"
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
	static Oid	namespace = InvalidOid;
	static uint64 watched_under = 0;

	/* The tables that tell of changes are where they were, as long as none of ours has got another definition. */
	if (watched_under != seeme_changes_of[SEEME_CHANGE_OF_VOCABULARY])
	{
		uint64		changes = seeme_changes_of[SEEME_CHANGE_OF_VOCABULARY];

		namespace = get_namespace_oid("seeme", false);
		seeme_watch_changes(namespace);
		watched_under = changes;
	}
	seeme_store_open_in(store, namespace);
	seeme_cache_begin();
	/* One did meanwhile: until they are looked for again, nothing is to be relied on. */
	if (watched_under != seeme_changes_of[SEEME_CHANGE_OF_VOCABULARY])
		seeme_distrust();
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

static bool
has_code(SeemeSet set, int code)
{
	return (seeme_cache_set(set)[code / 64] >> (code % 64) & 1) != 0;
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
	{
		viewer->next_change = date;
		seeme_moves++;			/* call sites go by an earlier date now */
	}
}

static void
subject_of(SeemeStore *store, SeemeViewer *viewer, SeemeSubject *subject)
{
	static const pg_uuid_t none = {{0}};

	seeme_subject_init_known(subject, store, &viewer->key.user_id);
	if (!seeme_uuid_equal(&viewer->key.key_id, &none))
		seeme_subject_narrow(subject, &viewer->key.key_id);
}

static SeemeViewerKey
key_of(const SeemeIdentity *asker)
{
	SeemeViewerKey key = {asker->user_id};

	if (asker->has_key)
		key.key_id = asker->key_id;
	return key;
}

/*
 * The viewer that an asker is, without seeme_held_begin(): NULL when they are not remembered, or anything has changed that has
 * not been forgotten yet.
 */
SeemeViewer *
seeme_recall_viewer(const SeemeIdentity *asker)
{
	SeemeViewerKey key;
	SeemeViewer *viewer;

	if (seeme_cache_read_under() != seeme_changes)
		return NULL;
	key = key_of(asker);
	viewer = seeme_cache_find_viewer(&key);
	if (viewer != NULL && viewer->next_change != DT_NOEND && seeme_has_come(viewer->next_change))
		return NULL;
	return viewer;
}

/* The viewer that an asker is. Their token's expiry is not looked at: it is the identity's, not the person's. */
SeemeViewer *
seeme_viewer(SeemeStore *store, const SeemeIdentity *asker)
{
	SeemeViewerKey key = key_of(asker);
	SeemeViewer *viewer = seeme_cache_find_viewer(&key);
	SeemeSubject subject;
	SeemeSet	reached_by_key = SEEME_UNKNOWN_SET;

	if (viewer != NULL)
	{
		if (viewer->next_change == DT_NOEND || viewer->next_change > GetCurrentTimestamp())
			return viewer;
		seeme_cache_forget_viewer(viewer);
	}

	if (seeme_is_known_to_act(store, &asker->user_id))
		seeme_subject_init_known(&subject, store, &asker->user_id);
	else
		seeme_subject_init(&subject, store, &asker->user_id);
	if (asker->has_key)
		seeme_subject_narrow(&subject, &asker->key_id);
	/* Whatever may fail comes first: a viewer without the bounds of their key would hold too much. */
	if (subject.key != NULL)
		reached_by_key = covered_by(subject.key->ncodes, subject.key->codes);
	viewer = seeme_cache_add_viewer(&key);
	viewer->is_refused = subject.is_refused;
	viewer->reached_by_key = reached_by_key;
	note_date(viewer, subject.now, subject.person.disabled_at);
	if (subject.key != NULL)
	{
		note_date(viewer, subject.now, subject.key->expires_at);
		viewer->key_has_organization = subject.key->has_organization;
	}
	return viewer;
}

/* Whether somebody exists, is not disabled, and came by nothing that is gone or has expired: by what is committed now. */
bool
seeme_may_act(const SeemeIdentity *identity)
{
	SeemeStore	store;
	SeemeSubject subject;
	bool		refused;

	if (seeme_has_come(identity->expires_at))
		return false;
	if (seeme_accept_changes())
	{
		SeemeViewer *viewer = seeme_recall_viewer(identity);

		if (viewer != NULL)
			return !viewer->is_refused;
		seeme_held_begin(&store);
		refused = seeme_viewer(&store, identity)->is_refused;
	}
	else
	{
		seeme_store_open(&store);
		seeme_subject_init(&subject, &store, &identity->user_id);
		if (identity->has_key)
			seeme_subject_narrow(&subject, &identity->key_id);
		refused = subject.is_refused;
	}
	seeme_store_close(&store);
	return !refused;
}

/* Whether a viewer may do anything, or (code not NULL) what takes no role: by a key only if it reaches the code everywhere. */
bool
seeme_viewer_acts(const SeemeViewer *viewer, const char *code)
{
	int			number;

	if (viewer->is_refused)
		return false;
	if (code == NULL || viewer->reached_by_key == SEEME_UNKNOWN_SET)
		return true;
	number = seeme_cache_find_code(code);
	return number >= 0 && !viewer->key_has_organization && has_code(viewer->reached_by_key, number);
}

static void
note_dates(SeemeViewer *viewer, TimestampTz now, const SeemeStanding *standing)
{
	ListCell   *cell;

	foreach(cell, standing->holdings)
	{
		SeemeMembership *membership = ((SeemeHolding *) lfirst(cell))->membership;

		note_date(viewer, now, membership->valid_from);
		note_date(viewer, now, membership->valid_until);
	}
}

/* What was remembered of a standing, as decide.c takes it. Its dates are the viewer's: none of them has come. */
static SeemeStanding *
recalled_standing(const SeemeKnownStanding *known)
{
	SeemeStanding *standing = palloc0(sizeof(SeemeStanding));
	SeemeHolding *holdings = palloc0(sizeof(SeemeHolding) * Max(known->nmemberships, 1));
	SeemeMembership *memberships = palloc0(sizeof(SeemeMembership) * Max(known->nmemberships, 1));

	standing->organization_id = known->organization_id;
	standing->is_owner = known->is_owner;
	standing->is_member = known->is_member;
	for (int i = 0; i < known->nmemberships; i++)
	{
		const SeemeKnownMembership *from = &known->memberships[i];

		memberships[i].has_team = from->has_team;
		memberships[i].has_project = from->has_project;
		memberships[i].has_role = from->has_role;
		memberships[i].scope_id = from->scope_id;
		memberships[i].role_id = from->role_id;
		memberships[i].valid_from = DT_NOBEGIN;
		memberships[i].valid_until = DT_NOEND;
		holdings[i].membership = &memberships[i];
		standing->holdings = lappend(standing->holdings, &holdings[i]);
	}
	return standing;
}

/* Remembers a standing: those of its memberships that are current, for the viewer is forgotten when the first date comes. */
static void
remember_standing(SeemeSubject *subject, SeemeViewer *viewer, const SeemeStanding *standing, bool is_whole)
{
	SeemeKnownStanding *known;
	int			n = 0;
	ListCell   *cell;

	known = seeme_viewer_add_standing(viewer, &standing->organization_id, is_whole ? list_length(standing->holdings) : 0);
	known->is_owner = standing->is_owner;
	known->is_member = standing->is_member;
	if (is_whole)
		foreach(cell, standing->holdings)
		{
			SeemeMembership *from = ((SeemeHolding *) lfirst(cell))->membership;
			SeemeKnownMembership *to = &known->memberships[n];

			if (!seeme_is_current(from, subject->now))
				continue;
			to->has_team = from->has_team;
			to->has_project = from->has_project;
			to->has_role = from->has_role;
			to->scope_id = from->scope_id;
			if (from->has_role)
				to->role_id = from->role_id;
			n++;
		}
	known->nmemberships = n;
	known->is_whole = is_whole;
}

/*
 * What a viewer has in an organization, as far as it counts in a place there. Who has much there is read for the one place
 * at first, and as a whole when they ask about another one.
 */
static SeemeStanding *
standing_at(SeemeSubject *subject, SeemeViewer *viewer, const SeemePlace *place)
{
	SeemeKnownStanding *known = seeme_viewer_find_standing(viewer, &place->organization_id);
	SeemeStanding *standing;
	bool		is_whole = true;

	if (known != NULL && known->is_whole)
		return recalled_standing(known);
	if (known != NULL)
		standing = seeme_standing_under(subject, &place->organization_id, seeme_look_up_owner);
	else
		standing = seeme_standing_at(subject, place, seeme_look_up_owner, &is_whole);
	note_dates(viewer, subject->now, standing);
	remember_standing(subject, viewer, standing, is_whole);
	return standing;
}

/* What a viewer holds in a place, as decide.c says. */
static SeemeSet
read_held(SeemeSubject *subject, SeemeViewer *viewer, const SeemePlace *place, const SeemeStanding *standing)
{
	uint64	   *words = palloc0(sizeof(uint64) * seeme_cache_nwords());
	bool		everything;
	List	   *counting = seeme_counting(subject, standing, place, &everything);
	SeemeSet	set;
	ListCell   *cell;

	if (everything)
		for (int i = 0; i < seeme_cache_ncodes(); i++)
			add_bit(words, i);
	foreach(cell, counting)
		add_set(words, covered_by_role(subject, lfirst(cell)));
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

/* Whether there is such a thing; if not, its place is all zeroes, which an organization may have chosen for its id. */
static bool
exists(SeemePlaceKind kind, const pg_uuid_t *id, const SeemePlace *place)
{
	switch (kind)
	{
		case SEEME_PLACE_ORGANIZATION:
			return seeme_uuid_equal(&place->organization_id, id);
		case SEEME_PLACE_TEAM:
			return place->has_team;
		case SEEME_PLACE_PROJECT:
			return place->has_project;
	}
	return false;
}

static SeemeSet
remember_held(SeemeSubject *subject, SeemeViewer *viewer, SeemePlaceKind kind, const pg_uuid_t *id, const SeemePlace *place,
			  const SeemeStanding *standing)
{
	SeemeSlot  *slot = seeme_slots_find(&seeme_cache_places[kind], id);
	uint32		number = slot != NULL ? slot->number : seeme_cache_add_place(kind, id, place);
	SeemeSet	set = SEEME_EMPTY_SET;

	if (exists(kind, id, place))
		set = read_held(subject, viewer, place, standing != NULL ? standing : standing_at(subject, viewer, place));
	seeme_viewer_remember(viewer, number, set);
	return set;
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
		seeme_look_up_place(store, kind, id, &place);
	subject_of(store, viewer, &subject);
	return remember_held(&subject, viewer, kind, id, &place, NULL);
}

/*
 * Whether a viewer owns the organization that an organization, team or project lies in, or is a current member of it; false when
 * there is no such place. What they have there is remembered only if the caller says so: the list of what is remembered
 * is searched from its beginning, so that a statement about very many organizations had better read.
 */
bool
seeme_belongs(SeemeStore *store, SeemeViewer *viewer, SeemePlaceKind kind, const pg_uuid_t *id, bool remember)
{
	SeemeSlot  *slot;
	SeemeSubject subject;
	SeemeStanding *standing;
	SeemePlace	place;
	bool		is_whole;

	if (viewer->is_refused)
		return false;
	slot = seeme_slots_find(&seeme_cache_places[kind], id);
	if (slot != NULL)
		place = *seeme_cache_place(slot->number);
	else
	{
		seeme_look_up_place(store, kind, id, &place);
		/* That may have read all of them. */
		if (seeme_slots_find(&seeme_cache_places[kind], id) == NULL)
			seeme_cache_add_place(kind, id, &place);
	}
	if (!exists(kind, id, &place))
		return false;
	subject_of(store, viewer, &subject);
	if (remember)
		standing = standing_at(&subject, viewer, &place);
	else
	{
		standing = seeme_standing_at(&subject, &place, seeme_look_up_owner, &is_whole);
		note_dates(viewer, subject.now, standing);
	}
	return standing->is_owner || standing->is_member;
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

static bool
is_memory_used_up(void)
{
	return seeme_cache_bytes() > seeme_cache_limit() || seeme_cache_has_too_many_sets();
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
	bool		complete = true;
	ListCell   *organization;
	ListCell   *cell;

	if (viewer->is_complete || viewer->is_refused)
		return true;
	if (viewer->larger_than >= limit)
		return false;
	context = AllocSetContextCreate(CurrentMemoryContext, "seeme_rbac bulk load", ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(context);
	subject_of(store, viewer, &subject);
	foreach(organization, seeme_organizations_of(&subject))
	{
		pg_uuid_t  *id = lfirst(organization);
		SeemeStanding *standing = seeme_standing_under(&subject, id, seeme_look_up_owner);

		note_dates(viewer, subject.now, standing);
		remember_held(&subject, viewer, SEEME_PLACE_ORGANIZATION, id, seeme_place_of_organization(id), standing);
		places++;
		if (!standing->is_owner && !standing->is_member)
			continue;
		teams = seeme_list_teams(store, id, limit - places);
		projects = seeme_list_projects(store, id, limit - places);
		foreach(cell, teams)
		{
			SeemeTeam  *team = lfirst(cell);

			if (seeme_cache_has_too_many_sets())
				break;
			remember_held(&subject, viewer, SEEME_PLACE_TEAM, &team->id, seeme_place_of_team(team), standing);
		}
		foreach(cell, projects)
		{
			SeemeProject *project = lfirst(cell);

			if (seeme_cache_has_too_many_sets())
				break;
			remember_held(&subject, viewer, SEEME_PLACE_PROJECT, &project->id, seeme_place_of_project(project), standing);
		}
		places += list_length(teams) + list_length(projects);
		if (places >= limit || is_memory_used_up())
		{
			complete = false;
			viewer->larger_than = places >= limit ? limit : INT_MAX;
			break;
		}
	}
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
	seeme_cache_counters.bulk_loads++;
	/* Not before: what is cut short by an error has not read everything. */
	viewer->is_complete = complete;
	return complete;
}

/* Every resource of a type on which a viewer holds anything, at once. False as above. */
bool
seeme_hold_all_resources(SeemeStore *store, SeemeViewer *viewer, const char *resource_type, int limit)
{
	SeemeResources *resources;
	SeemeResources loaded = {0};
	uint32		position = 0;
	uint32		number;
	int			read = 0;
	bool		complete = true;
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
	/* Apart from those that were read one by one: until all is read, what is known of a resource here may be a part. */
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
			SeemeSlot  *slot = seeme_slots_find(&loaded.slots, id);

			if (seeme_cache_has_too_many_sets())
				break;
			if (slot == NULL)
				seeme_resources_add(&loaded, id, set);
			else if (slot->number != set)
			{
				memset(words, 0, sizeof(uint64) * seeme_cache_nwords());
				add_set(words, set);
				add_set(words, slot->number);
				slot->number = seeme_cache_intern(words);
			}
		}
		read += 1 + list_length(assignments);
		if (read >= limit || is_memory_used_up())
		{
			complete = false;
			resources->larger_than = read >= limit ? limit : INT_MAX;
			break;
		}
	}
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
	seeme_cache_counters.bulk_loads++;
	if (complete)
	{
		SeemeSlots	one_by_one = resources->slots;

		resources->slots = loaded.slots;
		loaded.slots = one_by_one;
	}
	if (loaded.slots.slots != NULL)
		pfree(loaded.slots.slots);
	resources->is_complete = complete;
	return complete;
}

/* Not more ids than these are gathered as soon as they are listed or counted: who is asked for them once will be again. */
#define FEW_IDS 1000

/* Those gathered, listed if they are wanted; how many. */
static int
list_gathered(const SeemeIds *gathered, pg_uuid_t **ids)
{
	if (ids == NULL)
		return gathered->n;
	*ids = palloc_extended(sizeof(pg_uuid_t) * Max(gathered->n, 1), MCXT_ALLOC_HUGE);
	return seeme_ids_list(gathered, *ids);
}

/*
 * The places of a level (pg_uuid_t) at which a viewer holds a code, or with ids NULL only their number; -1 if there are
 * more than so many to look at.
 */
int
seeme_places_held(SeemeStore *store, SeemeViewer *viewer, SeemeLevel level, int code, int limit, pg_uuid_t **ids)
{
	uint32		position = 0;
	uint32		number;
	SeemeSet	set;
	int			n = 0;
	int			size = 64;
	pg_uuid_t  *found;
	const SeemeIds *gathered;

	if (viewer == NULL || viewer->is_refused)
		return 0;
	gathered = seeme_ids_known(viewer, level, NULL, code);
	if (gathered != NULL)
		return list_gathered(gathered, ids);
	if (!seeme_hold_all(store, viewer, limit))
		return -1;
	found = palloc(sizeof(pg_uuid_t) * size);
	while ((number = seeme_viewer_next_place(viewer, &position, &set)) != 0)
	{
		const SeemePlace *place = seeme_cache_place(number);

		if (!has_code(set, code) ||
			level != (place->has_project ? SEEME_PROJECT : place->has_team ? SEEME_TEAM : SEEME_ORGANIZATION))
			continue;
		if (n >= size)
			found = repalloc_huge(found, sizeof(pg_uuid_t) * (size *= 2));
		found[n++] = level == SEEME_PROJECT ? place->project_id : level == SEEME_TEAM ? place->team_id : place->organization_id;
	}
	if (n <= FEW_IDS)
		(void) seeme_viewer_add_ids(viewer, level, 0, code, found, n);
	if (ids != NULL)
		*ids = found;
	else
		pfree(found);
	return n;
}

/* The same of resources of a type. */
int
seeme_resources_held(SeemeStore *store, SeemeViewer *viewer, const char *resource_type, int code, int limit, pg_uuid_t **ids)
{
	const SeemeSlots *table;
	const SeemeIds *gathered;
	int			n = 0;

	if (viewer == NULL || viewer->is_refused)
		return 0;
	gathered = seeme_ids_known(viewer, SEEME_RESOURCE, resource_type, code);
	if (gathered != NULL)
		return list_gathered(gathered, ids);
	if (!seeme_hold_all_resources(store, viewer, resource_type, limit))
		return -1;
	table = &seeme_viewer_resources(viewer, resource_type)->slots;
	if (ids != NULL)
		*ids = palloc_extended(sizeof(pg_uuid_t) * Max(table->used, 1), MCXT_ALLOC_HUGE);
	for (uint32 i = 0; table->slots != NULL && i <= table->mask; i++)
		if (table->slots[i].number != 0 && has_code(table->slots[i].number, code))
		{
			if (ids != NULL)
				(*ids)[n] = table->slots[i].id;
			n++;
		}
	return n;
}

/* The same ids, as a wide scan asks for them row by row; NULL if they have not been gathered. */
const SeemeIds *
seeme_ids_known(SeemeViewer *viewer, SeemeLevel level, const char *resource_type, int code)
{
	uint32		type = level == SEEME_RESOURCE ? seeme_viewer_resources(viewer, resource_type)->type : 0;

	return seeme_viewer_find_ids(viewer, level, type, code);
}

/* The same, gathered; NULL when they are too many. */
const SeemeIds *
seeme_ids_held(SeemeStore *store, SeemeViewer *viewer, SeemeLevel level, const char *resource_type, int code)
{
	uint32		type = level == SEEME_RESOURCE ? seeme_viewer_resources(viewer, resource_type)->type : 0;
	const SeemeIds *ids = seeme_viewer_find_ids(viewer, level, type, code);
	pg_uuid_t  *values = NULL;
	int			n;

	if (ids != NULL)
		return ids;
	if (level == SEEME_RESOURCE)
		n = seeme_resources_held(store, viewer, resource_type, code, SEEME_NO_LIMIT, &values);
	else
		n = seeme_places_held(store, viewer, level, code, SEEME_NO_LIMIT, &values);
	ids = seeme_viewer_find_ids(viewer, level, type, code); /* few, and gathered on the way */
	if (n < 0 || seeme_cache_bytes() + sizeof(pg_uuid_t) * 2 * (Size) n > seeme_cache_limit())
		return ids;
	if (ids == NULL)
		ids = seeme_viewer_add_ids(viewer, level, type, code, values, n);
	if (values != NULL)
		pfree(values);
	return ids;
}
