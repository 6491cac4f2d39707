/*
 * creator_seats.c: which membership rows are seats: rule 7.1 is not asked for them.
 *
 * Example: somebody with projects:create creates a project, and gets the membership in it that
 * organizations.creator_role_id says. They do not hold that role's permissions there yet. So rule
 * 7.1 would refuse the row.
 *
 * rules/creator_role.c decides about the seats and inserts them. While it does, they are listed
 * here. A row is a seat only if its user, role and container are those of the list, so that a
 * trigger that adds other memberships meanwhile gains nothing.
 */
#include "postgres.h"

#include "functions/creator_seats.h"

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
