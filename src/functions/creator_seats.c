/*
 * creator_seats.c: the membership, or seat, that the creator of a team or project gets there.
 *
 * Example: somebody with projects:create creates a project, and gets the membership in it that
 * organizations.creator_role_id says. They do not hold that role's permissions there yet. So rule
 * 7.1 would refuse the row, and INSERT ... RETURNING would not show the project.
 *
 * Says who gets a seat, which row of seeme.memberships is one, and whether a row that is about to
 * be inserted will have one. rules/creator_role.c inserts the seats. Asks evaluator.c and decides
 * nothing else.
 */
#include "postgres.h"

#include "utils/snapmgr.h"

#include "core/evaluator.h"
#include "functions/arguments.h"
#include "functions/creator_seats.h"
#include "identity/identity.h"

/* Whether the creator holds every permission of the role there already. */
static bool
holds_all(SeemePrincipal *creator, const SeemeCreated *created, SeemeRole *role)
{
	SeemeScope	scope = {.kind = created->has_team ? SEEME_SCOPE_TEAM : SEEME_SCOPE_ORGANIZATION,
	.id = created->has_team ? created->team_id : created->organization_id};
	List	   *places = seeme_find_places(creator->store, &scope);

	if (places == NIL)
		return false;
	for (int i = 0; i < role->ncodes; i++)
		if (!seeme_evaluate(creator, linitial(places), role->codes[i]))
			return false;
	return true;
}

/*
 * Whether the creator gets a seat, and with which role. Not where an application's own table of
 * members is mirrored: that table says who is one.
 */
bool
seeme_creator_gets_seat(SeemePrincipal *creator, const SeemeCreated *created, pg_uuid_t *role_id)
{
	SeemeMembership wanted = {.has_role = true};
	SeemeRole  *role;
	pg_uuid_t	membership;

	if (creator->is_refused ||
		!seeme_read_creator_role(creator->store, &created->organization_id, &wanted.role_id) ||
		!seeme_find_membership(creator->store, &created->organization_id, &creator->user.id,
							   &membership) ||
		seeme_is_mirrored(creator->store, created->kind == SEEME_SCOPE_PROJECT ?
						  "project_members" : "team_members"))
		return false;
	role = seeme_get_role(creator, &wanted);
	if (role == NULL || holds_all(creator, created, role))
		return false;
	*role_id = wanted.role_id;
	return true;
}

/* Seats that are being inserted */

static SeemeCreatorSeats *being_inserted = NULL;

/*
 * Lists the seats that are about to be inserted; NULL: none. Returns the former list. The caller
 * puts it back, also after an error.
 */
SeemeCreatorSeats *
seeme_set_creator_seats(SeemeCreatorSeats *seats)
{
	SeemeCreatorSeats *former = being_inserted;

	being_inserted = seats;
	return former;
}

/*
 * Whether a membership is a seat that is being inserted: rule 7.1 is not asked for it. Its user,
 * role and container are those of the list. So a trigger that adds other memberships meanwhile
 * gains nothing.
 */
bool
seeme_is_creator_seat(const SeemeScope *scope, const pg_uuid_t *user_id, const pg_uuid_t *role_id)
{
	SeemeUuidHashEntry *entry;

	if (being_inserted == NULL || scope->kind != being_inserted->kind ||
		!seeme_uuid_equal(user_id, &being_inserted->user_id))
		return false;
	entry = seeme_uuid_hash_find(&being_inserted->numbers, &scope->id);
	return entry != NULL && seeme_uuid_equal(role_id, &being_inserted->roles[entry->number - 1]);
}

/* The team or project that is being created */

/* The last one; kind: SEEME_NO_SCOPE when there was none. */
static SeemeCreated created_last = {SEEME_NO_SCOPE};
static pg_uuid_t created_id;
static pg_uuid_t created_by;

/* Notes what is about to be inserted (team NULL: not in a team). Called before each row. */
void
seeme_note_created(SeemeScopeKind kind, const pg_uuid_t *id, const pg_uuid_t *organization,
				   const pg_uuid_t *team)
{
	const SeemeIdentity *identity = seeme_current_identity();

	created_last.kind = SEEME_NO_SCOPE;
	/* A person who is acted for gets no seat. */
	if (identity == NULL || identity->has_actor)
		return;
	created_last.kind = kind;
	created_last.organization_id = *organization;
	created_last.has_team = team != NULL;
	if (team != NULL)
		created_last.team_id = *team;
	created_id = *id;
	created_by = identity->user_id;
}

/*
 * Whether any version of a row has this id, committed or not, deleted or not. An index forgets only
 * versions that no snapshot can see any more.
 */
static bool
any_version_exists(SeemeScopeKind kind, const pg_uuid_t *id)
{
	AttrNumber	column = seeme_scope_descriptors[kind].columns[kind];
	SeemeStore	store;
	SeemeScan	scan;
	ScanKeyData key;
	pg_uuid_t	found;
	bool		exists = false;

	seeme_store_open(&store);
	store.snapshot = SnapshotAny;
	seeme_uuid_key(&key, column, id);
	seeme_begin_scan(&store, &scan, seeme_scope_descriptors[kind].by_id, 1, &key);
	/* A hash index does not compare the whole id. */
	while (!exists && seeme_next_version(&scan))
		exists = seeme_row_uuid(&scan, column, &found) && seeme_uuid_equal(&found, id);
	seeme_end_scan(&scan);
	seeme_store_close(&store);
	return exists;
}

/*
 * Whether this is the id of a team or project that the asking person is inserting at this moment,
 * and will have a seat in. For INSERT ... RETURNING: PostgreSQL asks the SELECT policy before the
 * row is written, and so before the seat is there. No row that a query can read has this id.
 */
bool
seeme_is_created_now(SeemeScopeKind kind, const pg_uuid_t *id)
{
	const SeemeIdentity *identity;
	SeemeStore	store;
	SeemePrincipal asking;
	SeemePrincipal creator;
	pg_uuid_t	role_id;
	bool		gets_seat = false;

	if (likely(created_last.kind != kind || !seeme_uuid_equal(&created_id, id)))
		return false;
	identity = seeme_current_identity();
	if (identity == NULL || identity->has_actor ||
		!seeme_uuid_equal(&identity->user_id, &created_by) ||
		any_version_exists(kind, id))
		return false;
	seeme_store_open(&store);
	if (seeme_init_asking(&asking, &store) && !asking.is_refused &&
		seeme_api_key_allows(&asking, &created_last.organization_id, NULL))
	{
		seeme_init_principal(&creator, &store, &created_by);
		gets_seat = seeme_creator_gets_seat(&creator, &created_last, &role_id);
	}
	seeme_store_close(&store);
	return gets_seat;
}
