/*
 * effective_permissions.c: what somebody holds somewhere, as evaluator.c says, remembered in the cache.
 *
 * The only one that puts decisions into the cache. Owns no state. Everything here is read in a store that was opened after
 * seeme_held_begin(): should anything change while it is read, the next seeme_held_begin() forgets it.
 */
#include "postgres.h"

#include <time.h>

#include "catalog/namespace.h"
#include "miscadmin.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "cache/cache.h"
#include "core/invalidation.h"
#include "core/codes.h"
#include "core/evaluator.h"
#include "cache/preload.h"
#include "cache/effective_permissions.h"
#include "identity/identity.h"
#include "core/store.h"

/*
 * A resource in more projects than this has them decided one after the other in memory that is used again; and what is held in
 * each is remembered only as long as this part of the cache's memory is free.
 */
#define FEW_ASSIGNMENTS 8
#define PART_FOR_PROJECTS 2

/* All that somebody has in an organization is remembered only if it takes no more than this part of the cache's memory. */
#define PART_FOR_STANDING 8

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
	if (!seeme_cache_has_codes())
	{
		List	   *registered = seeme_list_codes(store);
		char	  **codes = palloc_extended(sizeof(char *) * Max(list_length(registered), 1), MCXT_ALLOC_HUGE);
		ListCell   *cell;

		foreach(cell, registered)
			codes[foreach_current_index(cell)] = lfirst(cell);
		seeme_cache_set_codes(list_length(registered), codes);
	}
}

/* Codes as words of bits. */

static bool
has_bit(const uint64 *words, int bit)
{
	return (words[bit / 64] >> (bit % 64) & 1) != 0;
}

static void
add_bit(uint64 *words, int bit)
{
	words[bit / 64] |= UINT64CONST(1) << (bit % 64);
}

static void
add_words(uint64 *words, const uint64 *added)
{
	for (int i = 0; i < seeme_cache_nwords(); i++)
		words[i] |= added[i];
}

/* None of them. */
uint64 *
seeme_no_codes(void)
{
	return palloc0(sizeof(uint64) * seeme_cache_nwords());
}

static bool
has_code(SeemeSet set, int code)
{
	return has_bit(seeme_cache_set(set), code);
}

/* Adds the registered codes that some entries, of a role or key, cover. */
static void
add_covered(uint64 *words, int nentries, char **entries)
{
	for (int i = 0; i < seeme_cache_ncodes(); i++)
		if (seeme_covering_entry(nentries, entries, seeme_cache_code(i)) != NULL)
			add_bit(words, i);
}

/* Adds what a role covers. */
static void
add_role(uint64 *words, SeemeStore *store, const pg_uuid_t *role_id)
{
	SeemeSet	set = seeme_cache_find_role(role_id);
	SeemeRole  *role;
	uint64	   *covered;

	if (set != SEEME_UNKNOWN_SET)
	{
		add_words(words, seeme_cache_set(set));
		return;
	}
	role = seeme_read_role(store, role_id);
	covered = seeme_no_codes();
	if (role != NULL)
		add_covered(covered, role->ncodes, role->codes);
	if (!seeme_cache_sets_are_scarce())
		set = seeme_cache_intern(covered);
	if (set != SEEME_UNKNOWN_SET)
		seeme_cache_add_role(role_id, set);
	add_words(words, covered);
	pfree(covered);
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

/* Whom a viewer is, for the evaluator. */
void
seeme_subject_of_viewer(SeemeStore *store, SeemeViewer *viewer, SeemeSubject *subject)
{
	static const pg_uuid_t none = {{0}};

	seeme_subject_init_known(subject, store, &viewer->key.user_id);
	if (!seeme_uuid_equal(&viewer->key.key_id, &none))
		seeme_subject_narrow_known(subject, &viewer->key.key_id);
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
	if (viewer != NULL && asker->issued_at < viewer->tokens_valid_from)
		return NULL;
	return viewer;
}

/* The viewer that an asker is, whatever token they came by. */
static SeemeViewer *
viewer_of(SeemeStore *store, const SeemeIdentity *asker)
{
	SeemeViewerKey key = key_of(asker);
	SeemeViewer *viewer = seeme_cache_find_viewer(&key);
	SeemeSubject subject;
	uint64	   *reached_by_key = NULL;

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
	{
		reached_by_key = seeme_no_codes();
		add_covered(reached_by_key, subject.key->ncodes, subject.key->codes);
	}
	viewer = seeme_cache_add_viewer(&key);
	viewer->is_refused = true;	/* until their bounds are there, too */
	if (reached_by_key != NULL)
		seeme_viewer_set_reached_by_key(viewer, reached_by_key);
	viewer->is_refused = subject.is_refused;
	viewer->tokens_valid_from = subject.person.tokens_valid_from;
	note_date(viewer, subject.now, subject.person.disabled_at);
	if (subject.key != NULL)
	{
		note_date(viewer, subject.now, subject.key->expires_at);
		viewer->key_has_organization = subject.key->has_organization;
		viewer->has_creator = subject.key->has_creator;
		viewer->creator_id = subject.key->created_by;
	}
	if (subject.creator != NULL)
	{
		ListCell   *cell;

		note_date(viewer, subject.now, subject.creator->person.disabled_at);
		foreach(cell, subject.creator->standings)
			seeme_note_dates(viewer, subject.now, lfirst(cell));
	}
	return viewer;
}

/*
 * The viewer that an asker is; NULL when the token that they came by has expired, or was issued before the person's tokens
 * count. Neither is the viewer's: another token names the same one.
 */
SeemeViewer *
seeme_viewer(SeemeStore *store, const SeemeIdentity *asker)
{
	SeemeViewer *viewer;

	if (seeme_has_come(asker->expires_at))
		return NULL;
	viewer = viewer_of(store, asker);
	return asker->issued_at < viewer->tokens_valid_from ? NULL : viewer;
}

/* Whether somebody exists, is not disabled, and came by nothing that is gone, has expired or does not count: by what is committed now. */
bool
seeme_may_act(const SeemeIdentity *identity)
{
	SeemeStore	store;
	SeemeSubject subject;
	bool		acts;

	if (seeme_has_come(identity->expires_at))
		return false;
	if (seeme_accept_changes())
	{
		SeemeViewer *viewer = seeme_recall_viewer(identity);

		if (viewer != NULL)
			return !viewer->is_refused;
		seeme_held_begin(&store);
		viewer = seeme_viewer(&store, identity);
		acts = viewer != NULL && !viewer->is_refused;
	}
	else
	{
		seeme_store_open(&store);
		seeme_subject_init(&subject, &store, &identity->user_id);
		if (identity->has_key)
			seeme_subject_narrow(&subject, &identity->key_id);
		acts = !subject.is_refused && identity->issued_at >= subject.person.tokens_valid_from;
	}
	seeme_store_close(&store);
	return acts;
}

/*
 * Nobody, as seeme_viewer() says of a token that does not count any more, and who is refused hold nothing. Everything below that
 * is asked about a viewer takes both.
 */
static inline bool
holds_nothing(const SeemeViewer *viewer)
{
	return viewer == NULL || viewer->is_refused;
}

/* Whether a viewer may do anything, or (code not NULL) what takes no role: by a key only if it reaches the code everywhere. */
bool
seeme_viewer_acts(const SeemeViewer *viewer, const char *code)
{
	int			number;

	if (holds_nothing(viewer))
		return false;
	if (code == NULL || viewer->reached_by_key == NULL)
		return true;
	number = seeme_cache_find_code(code);
	return number >= 0 && !viewer->key_has_organization && has_bit(viewer->reached_by_key, number);
}

/* The dates on which a standing changes: the viewer is forgotten when the first of them comes. */
void
seeme_note_dates(SeemeViewer *viewer, TimestampTz now, const SeemeStanding *standing)
{
	for (int i = 0; i < standing->nmemberships; i++)
	{
		note_date(viewer, now, standing->memberships[i].valid_from);
		note_date(viewer, now, standing->memberships[i].valid_until);
	}
}

static int
compare_scope_with_known(const void *scope, const void *membership)
{
	const SeemeKnownMembership *m = membership;

	return seeme_compare_scope(scope, m->has_team, m->has_project, &m->scope_id);
}

/*
 * What was remembered of a standing, as evaluator.c takes it, as far as it reaches a place. Its dates are the viewer's: none of them
 * has come.
 */
static void
recall_standing(const SeemeKnownStanding *known, const SeemePlace *place, SeemeStanding *standing, SeemeMembership *memberships)
{
	SeemeScope	scopes[SEEME_MAX_REACHING];
	int			nscopes = seeme_scopes_reaching(place, scopes);

	memset(standing, 0, sizeof(*standing));
	standing->organization_id = known->organization_id;
	standing->is_owner = known->is_owner;
	standing->is_member = known->is_member;
	standing->place = *place;
	standing->memberships = memberships;
	for (int i = 0; i < nscopes && known->nmemberships > 0; i++)
	{
		const SeemeKnownMembership *from = bsearch(&scopes[i], known->memberships, known->nmemberships,
												   sizeof(SeemeKnownMembership), compare_scope_with_known);
		SeemeMembership *to = &memberships[standing->nmemberships];

		if (from == NULL)
			continue;
		memset(to, 0, sizeof(*to));
		to->has_team = from->has_team;
		to->has_project = from->has_project;
		to->has_role = from->has_role;
		to->scope_id = from->scope_id;
		to->role_id = from->role_id;
		to->valid_from = DT_NOBEGIN;
		to->valid_until = DT_NOEND;
		standing->nmemberships++;
	}
}

/* Remembers a standing: those of its memberships that are current, for the viewer is forgotten when the first date comes. */
static void
remember_standing(SeemeSubject *subject, SeemeViewer *viewer, const SeemeStanding *standing)
{
	SeemeKnownStanding *known = NULL;
	int			n = 0;

	if (standing->is_whole)
		known = seeme_viewer_add_standing(viewer, &standing->organization_id, standing->nmemberships);
	if (known != NULL)
	{
		for (int i = 0; i < standing->nmemberships; i++)
		{
			const SeemeMembership *from = &standing->memberships[i];
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
		known->is_whole = true;
	}
	else
		known = seeme_viewer_add_standing(viewer, &standing->organization_id, 0);
	if (known == NULL)
		return;
	known->is_large = standing->is_whole && !known->is_whole;
	known->is_owner = standing->is_owner;
	known->is_member = standing->is_member;
	known->nmemberships = n;
}

/* What a viewer holds in a place, as evaluator.c says of a standing. */
static void
add_held(SeemeSubject *subject, SeemeViewer *viewer, const SeemePlace *place, const SeemeStanding *standing, uint64 *words)
{
	bool		everything;
	SeemeMembership *counting[SEEME_MAX_REACHING];
	int			ncounting = seeme_counting(subject, standing, place, counting, &everything);

	if (everything)
		for (int i = 0; i < seeme_cache_ncodes(); i++)
			add_bit(words, i);
	for (int i = 0; i < ncounting; i++)
		add_role(words, subject->store, &counting[i]->role_id);
	if (viewer->reached_by_key != NULL)
		for (int i = 0; i < seeme_cache_nwords(); i++)
			words[i] &= viewer->reached_by_key[i];
}

/* Of so many memberships a standing may be remembered. */
static int
most_memberships(void)
{
	return Min(seeme_cache_limit() / PART_FOR_STANDING / sizeof(SeemeKnownMembership), (Size) PG_INT32_MAX - 1);
}

/*
 * What a viewer has in the organization of a place, as far as it counts there: remembered (then put into `recalled`) or read.
 * Who has much there is read for the one place at first, and as a whole when they ask about another one; unless that is more
 * than may be remembered, when it is read for each place by itself.
 */
static const SeemeStanding *
standing_at(SeemeSubject *subject, SeemeViewer *viewer, const SeemePlace *place, SeemeRecalledStanding *recalled)
{
	SeemeKnownStanding *known = seeme_viewer_find_standing(viewer, &place->organization_id);
	SeemeStanding *standing = NULL;

	if (known != NULL && known->is_whole)
	{
		recall_standing(known, place, &recalled->standing, recalled->memberships);
		return &recalled->standing;
	}
	if (known != NULL && !known->is_large)
	{
		/* Unless there turns out to be room for it: else it would be read again for each place that is asked about. */
		known->is_large = true;
		standing = seeme_read_standing(subject, &place->organization_id, seeme_look_up_owner, most_memberships());
		if (standing != NULL)
			remember_standing(subject, viewer, standing);
	}
	if (standing == NULL)
	{
		standing = seeme_read_standing_at(subject, place, seeme_look_up_owner);
		if (known == NULL)
			remember_standing(subject, viewer, standing);
	}
	seeme_note_dates(viewer, subject->now, standing);
	return standing;
}

/* The same as add_held(), of what a viewer has in the place's organization. */
static void
add_held_at(SeemeSubject *subject, SeemeViewer *viewer, const SeemePlace *place, uint64 *words)
{
	SeemeRecalledStanding recalled;

	add_held(subject, viewer, place, standing_at(subject, viewer, place, &recalled), words);
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

/* Remembers what is held in a place; false: there is no room for it. */
static bool
remember_held(SeemeViewer *viewer, SeemePlaceKind kind, const pg_uuid_t *id, const SeemePlace *place, const uint64 *words)
{
	SeemeSlot  *slot = seeme_slots_find(&seeme_cache_places[kind], id);
	uint32		number = slot != NULL ? slot->number : seeme_cache_add_place(kind, id, place);
	SeemeSet	set = number != 0 ? seeme_cache_intern(words) : SEEME_UNKNOWN_SET;

	return set != SEEME_UNKNOWN_SET && seeme_viewer_remember(viewer, number, set);
}

/* Adds what a viewer holds in an organization, team or project, if that is remembered; false if not. */
static bool
recall_held(SeemeViewer *viewer, SeemePlaceKind kind, const pg_uuid_t *id, uint64 *words)
{
	SeemeSlot  *slot = seeme_slots_find(&seeme_cache_places[kind], id);
	SeemeSet	set = slot == NULL ? SEEME_UNKNOWN_SET : seeme_viewer_recall(viewer, slot->number);

	if (set != SEEME_UNKNOWN_SET)
		add_words(words, seeme_cache_set(set));
	return set != SEEME_UNKNOWN_SET || viewer->is_complete;
}

/* The same, read where it is not; and remembered then, if it may. */
static void
read_held(SeemeSubject *subject, SeemeViewer *viewer, SeemePlaceKind kind, const pg_uuid_t *id, bool may_remember, uint64 *words)
{
	SeemeSlot  *slot;
	SeemePlace	place;
	uint64	   *held;

	if (recall_held(viewer, kind, id, words))
		return;
	slot = seeme_slots_find(&seeme_cache_places[kind], id);
	if (slot != NULL)
		place = *seeme_cache_place(slot->number);
	else
		seeme_look_up_place(subject->store, kind, id, &place);
	held = seeme_no_codes();
	if (exists(kind, id, &place))
		add_held_at(subject, viewer, &place, held);
	if (may_remember)
		(void) remember_held(viewer, kind, id, &place, held);
	add_words(words, held);
	pfree(held);
}

/*
 * What a viewer (subject) has in the organization that an organization, team or project lies in, as
 * far as it counts there, and that place; NULL: there is no such place.
 */
const SeemeStanding *
seeme_viewer_standing(SeemeSubject *subject, SeemeViewer *viewer, SeemePlaceKind kind,
					  const pg_uuid_t *id, SeemePlace *place, SeemeRecalledStanding *recalled)
{
	SeemeSlot  *slot = seeme_slots_find(&seeme_cache_places[kind], id);

	if (slot != NULL)
		*place = *seeme_cache_place(slot->number);
	else
	{
		seeme_look_up_place(subject->store, kind, id, place);
		/* That may have read all of them. */
		if (seeme_slots_find(&seeme_cache_places[kind], id) == NULL)
			(void) seeme_cache_add_place(kind, id, place);
	}
	if (!exists(kind, id, place))
		return NULL;
	return standing_at(subject, viewer, place, recalled);
}

/*
 * Whether a viewer owns the organization that an organization, team or project lies in, or is a current member of it; false when
 * there is no such place.
 */
bool
seeme_belongs(SeemeStore *store, SeemeViewer *viewer, SeemePlaceKind kind, const pg_uuid_t *id)
{
	SeemeSubject subject;
	const SeemeStanding *standing;
	SeemeRecalledStanding recalled;
	SeemePlace	place;

	if (holds_nothing(viewer))
		return false;
	seeme_subject_of_viewer(store, viewer, &subject);
	standing = seeme_viewer_standing(&subject, viewer, kind, id, &place, &recalled);
	return standing != NULL && (standing->is_owner || standing->is_member);
}

/* Adds what a viewer holds in an organization, team or project to some words (seeme_no_codes()). */
void
seeme_add_held_in(SeemeStore *store, SeemeViewer *viewer, SeemePlaceKind kind, const pg_uuid_t *id, uint64 *words)
{
	SeemeSubject subject;

	if (holds_nothing(viewer) || recall_held(viewer, kind, id, words))
		return;
	seeme_subject_of_viewer(store, viewer, &subject);
	read_held(&subject, viewer, kind, id, true, words);
}

/* Whether they hold a registered code there. */
bool
seeme_viewer_holds(SeemeStore *store, SeemeViewer *viewer, SeemePlaceKind kind, const pg_uuid_t *id, const char *code)
{
	int			number = seeme_cache_find_code(code);
	uint64	   *words;
	bool		holds;

	if (number < 0)
		return false;
	words = seeme_no_codes();
	seeme_add_held_in(store, viewer, kind, id, words);
	holds = has_bit(words, number);
	pfree(words);
	return holds;
}

/* What is remembered of a viewer as the ids of no level. */
#define ROLES_HELD (-1)
#define OWN_ORGANIZATIONS (-2)

/* The ids of a list (pg_uuid_t *), each once; how many. */
static int
each_id_once(List *list, pg_uuid_t **ids)
{
	SeemeSlots	seen = {0};
	int			n = 0;
	ListCell   *cell;

	*ids = palloc_extended(sizeof(pg_uuid_t) * Max(list_length(list), 1), MCXT_ALLOC_HUGE);
	foreach(cell, list)
	{
		if (seeme_slots_find(&seen, lfirst(cell)) != NULL)
			continue;
		seeme_slots_add(CurrentMemoryContext, &seen, lfirst(cell), 1);
		(*ids)[n++] = *(pg_uuid_t *) lfirst(cell);
	}
	return n;
}

/*
 * The roles that a viewer holds at any level; NULL: none. Without room for them in the cache they are put where the caller says, for
 * otherwise all memberships would be read again for each role that is asked about.
 */
const SeemeIds *
seeme_viewer_roles(SeemeStore *store, SeemeViewer *viewer, MemoryContext context, SeemeIds *otherwise)
{
	const SeemeIds *held;
	SeemeSubject subject;
	List	   *memberships;
	List	   *roles;
	pg_uuid_t  *ids;
	int			n;
	ListCell   *cell;

	if (holds_nothing(viewer))
		return NULL;
	held = seeme_viewer_find_ids(viewer, SEEME_NOWHERE, 0, ROLES_HELD);
	if (held != NULL)
		return held;
	seeme_subject_of_viewer(store, viewer, &subject);
	roles = seeme_roles_held(&subject, &memberships);
	foreach(cell, memberships)
	{
		note_date(viewer, subject.now, ((SeemeMembership *) lfirst(cell))->valid_from);
		note_date(viewer, subject.now, ((SeemeMembership *) lfirst(cell))->valid_until);
	}
	n = each_id_once(roles, &ids);
	held = seeme_viewer_add_ids(viewer, SEEME_NOWHERE, 0, ROLES_HELD, ids, n);
	if (held != NULL)
		return held;
	seeme_ids_fill(context, otherwise, ids, n);
	return otherwise;
}

/* The organizations in which a viewer has anything, and outside of which they hold nothing; NULL: there is no room for them. */
const SeemeIds *
seeme_viewer_organizations(SeemeStore *store, SeemeViewer *viewer)
{
	const SeemeIds *known = seeme_viewer_find_ids(viewer, SEEME_NOWHERE, 0, OWN_ORGANIZATIONS);
	SeemeSubject subject;
	pg_uuid_t  *ids;
	int			n;

	if (known != NULL)
		return known;
	seeme_subject_of_viewer(store, viewer, &subject);
	n = each_id_once(seeme_organizations_of(&subject), &ids);
	return seeme_viewer_add_ids(viewer, SEEME_NOWHERE, 0, OWN_ORGANIZATIONS, ids, n);
}

/* Adds what a viewer holds on a resource: what they hold in any project that it is assigned to. */
void
seeme_add_held_on(SeemeStore *store, SeemeViewer *viewer, const char *resource_type, const pg_uuid_t *resource, uint64 *words)
{
	SeemeResources *resources;
	SeemeSlot  *slot;
	SeemeSubject subject;
	List	   *assignments;
	bool		many;
	MemoryContext context = NULL;
	uint64	   *held;
	SeemeSet	set;
	ListCell   *cell;

	if (holds_nothing(viewer))
		return;
	resources = seeme_viewer_resources(viewer, resource_type);
	slot = seeme_slots_find(&resources->slots, resource);
	if (slot != NULL)
		add_words(words, seeme_cache_set(slot->number));
	if (slot != NULL || resources->is_complete)
		return;
	held = seeme_no_codes();
	seeme_subject_of_viewer(store, viewer, &subject);
	assignments = seeme_list_assignments(store, resource, resource_type, INT_MAX);
	many = list_length(assignments) > FEW_ASSIGNMENTS;
	if (many)
		context = AllocSetContextCreate(CurrentMemoryContext, "seeme_rbac projects of a resource", ALLOCSET_DEFAULT_SIZES);
	foreach(cell, assignments)
	{
		MemoryContext old = many ? MemoryContextSwitchTo(context) : NULL;

		CHECK_FOR_INTERRUPTS();
		read_held(&subject, viewer, SEEME_PLACE_PROJECT, &((SeemeAssignment *) lfirst(cell))->project_id,
				  !many || (!seeme_cache_sets_are_scarce() &&
							seeme_cache_bytes() < seeme_cache_limit() / PART_FOR_PROJECTS), held);
		if (many)
		{
			MemoryContextSwitchTo(old);
			MemoryContextReset(context);
		}
	}
	if (many)
		MemoryContextDelete(context);
	list_free_deep(assignments);
	set = seeme_cache_intern(held);
	if (set != SEEME_UNKNOWN_SET)
		seeme_resources_add(resources, resource, set);
	add_words(words, held);
	pfree(held);
}

static bool
is_memory_used_up(void)
{
	return seeme_cache_bytes() > seeme_cache_limit() || seeme_cache_has_run_out_of_sets();
}

/* What a viewer holds in a place, by all that they have in its organization; false: it cannot be remembered. */
static bool
load_place(SeemeSubject *subject, SeemeViewer *viewer, SeemePlaceKind kind, const pg_uuid_t *id, const SeemePlace *place,
		   const SeemeStanding *standing, uint64 *words)
{
	CHECK_FOR_INTERRUPTS();
	memset(words, 0, sizeof(uint64) * seeme_cache_nwords());
	add_held(subject, viewer, place, standing, words);
	return remember_held(viewer, kind, id, place, words);
}

/*
 * The same in an organization and, for its owner and its members, in everything that lies there; no more than so many places. How
 * many there were; -1: not all can be remembered.
 */
static int64
load_organization(SeemeSubject *subject, SeemeViewer *viewer, const pg_uuid_t *id, int limit)
{
	SeemeStanding *standing = seeme_read_standing(subject, id, seeme_look_up_owner, INT_MAX);
	SeemePlace	place = *seeme_place_of_organization(id);
	uint64	   *words = seeme_no_codes();
	List	   *teams;
	List	   *projects;
	ListCell   *cell;

	seeme_note_dates(viewer, subject->now, standing);
	if (!load_place(subject, viewer, SEEME_PLACE_ORGANIZATION, id, &place, standing, words))
		return -1;
	if (!standing->is_owner && !standing->is_member)
		return 1;
	teams = seeme_list_teams(subject->store, id, limit);
	projects = seeme_list_projects(subject->store, id, limit);
	foreach(cell, teams)
	{
		const SeemeTeam *team = lfirst(cell);

		place.has_team = true;
		place.team_id = team->id;
		if (!load_place(subject, viewer, SEEME_PLACE_TEAM, &team->id, &place, standing, words))
			return -1;
	}
	foreach(cell, projects)
	{
		const SeemeProject *project = lfirst(cell);

		seeme_put_place_of_project(&place, project);
		if (!load_place(subject, viewer, SEEME_PLACE_PROJECT, &project->id, &place, standing, words))
			return -1;
	}
	return 1 + (int64) list_length(teams) + list_length(projects);
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
	MemoryContext in_turn;
	int64		places = 0;
	bool		complete = true;
	ListCell   *organization;

	if (holds_nothing(viewer) || viewer->is_complete)
		return true;
	if (viewer->larger_than >= limit)
		return false;
	context = AllocSetContextCreate(CurrentMemoryContext, "seeme_rbac bulk load", ALLOCSET_DEFAULT_SIZES);
	in_turn = AllocSetContextCreate(context, "seeme_rbac bulk load of an organization", ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(context);
	seeme_subject_of_viewer(store, viewer, &subject);
	foreach(organization, seeme_organizations_of(&subject))
	{
		int64		read;

		MemoryContextSwitchTo(in_turn);
		read = load_organization(&subject, viewer, lfirst(organization), (int) (limit - places));
		MemoryContextSwitchTo(context);
		MemoryContextReset(in_turn);
		places += Max(read, 1);
		if (read < 0 || places >= limit || is_memory_used_up())
		{
			complete = false;
			viewer->larger_than = read >= 0 && places >= limit ? limit : INT_MAX;
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

/* What is read of the resources of a type: by the number of a slot, from 1, as words. */
typedef struct LoadedResources
{
	SeemeSlots	numbers;
	uint64	   *words;
	Size		size;
} LoadedResources;

static void
add_loaded(LoadedResources *loaded, const pg_uuid_t *id, SeemeSet set)
{
	Size		nwords = seeme_cache_nwords();
	SeemeSlot  *slot = seeme_slots_find(&loaded->numbers, id);
	uint32		number = slot != NULL ? slot->number : loaded->numbers.used + 1;

	if (number > loaded->size)
	{
		Size		size = Max(loaded->size * 2, 64);

		loaded->words = loaded->words == NULL ? palloc_extended(sizeof(uint64) * nwords * size, MCXT_ALLOC_HUGE) :
			repalloc_huge(loaded->words, sizeof(uint64) * nwords * size);
		loaded->size = size;
	}
	if (slot == NULL)
	{
		seeme_slots_add(CurrentMemoryContext, &loaded->numbers, id, number);
		memset(loaded->words + nwords * (number - 1), 0, sizeof(uint64) * nwords);
	}
	add_words(loaded->words + nwords * (number - 1), seeme_cache_set(set));
}

/* Puts their sets in the place of their numbers; false: there are too many of them. */
static bool
intern_loaded(LoadedResources *loaded)
{
	for (Size i = 0; loaded->numbers.slots != NULL && i <= loaded->numbers.mask; i++)
	{
		SeemeSlot  *slot = &loaded->numbers.slots[i];

		if (slot->number == 0)
			continue;
		slot->number = seeme_cache_intern(loaded->words + (Size) seeme_cache_nwords() * (slot->number - 1));
		if (slot->number == SEEME_UNKNOWN_SET)
			return false;
	}
	return true;
}

/* Every resource of a type on which a viewer holds anything, at once. False as above. */
bool
seeme_hold_all_resources(SeemeStore *store, SeemeViewer *viewer, const char *resource_type, int limit)
{
	SeemeResources *resources;
	LoadedResources loaded = {0};
	uint32		position = 0;
	uint32		number;
	int64		read = 0;
	bool		complete = true;
	SeemeSet	set;
	MemoryContext context;
	MemoryContext old;

	if (holds_nothing(viewer))
		return true;
	if (!seeme_hold_all(store, viewer, limit))
		return false;
	resources = seeme_viewer_resources(viewer, resource_type);
	if (resources->is_complete)
		return true;
	if (resources->larger_than >= limit)
		return false;
	context = AllocSetContextCreate(CurrentMemoryContext, "seeme_rbac bulk load", ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(context);
	/* Apart from those that were read one by one: until all is read, what is known of a resource here may be a part. */
	while (complete && (number = seeme_viewer_next_place(viewer, &position, &set)) != 0)
	{
		const SeemePlace *place = seeme_cache_place(number);
		List	   *assignments;
		ListCell   *cell;

		if (set == SEEME_EMPTY_SET || !place->has_project)
			continue;
		assignments = seeme_list_assignments_to(store, &place->project_id, resource_type, (int) (limit - read));
		foreach(cell, assignments)
			add_loaded(&loaded, &((SeemeAssignment *) lfirst(cell))->resource_id, set);
		read += 1 + list_length(assignments);
		list_free_deep(assignments);
		/* What could not be remembered in the end is not read to the end. */
		complete = read < limit &&
			seeme_cache_bytes() + sizeof(SeemeSlot) * ((Size) loaded.numbers.mask + 1) <= seeme_cache_limit();
	}
	complete = complete && intern_loaded(&loaded) && seeme_resources_complete(resources, &loaded.numbers);
	if (!complete)
		resources->larger_than = read >= limit ? limit : INT_MAX;
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
	seeme_cache_counters.bulk_loads++;
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

	if (holds_nothing(viewer))
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

	if (holds_nothing(viewer))
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
