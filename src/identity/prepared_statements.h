/* prepared_statements.h: which user has prepared which statement of a session. */
#ifndef SEEME_IDENTITY_PREPARED_STATEMENTS_H
#define SEEME_IDENTITY_PREPARED_STATEMENTS_H

#include "postgres.h"

#include "utils/uuid.h"

#include "core/store.h"

#pragma GCC visibility push(hidden)

/*
 * Whose something in a session is: a user's, or of an actor who acted for the user. The user does
 * not meet what an actor has left, nor the reverse.
 */
typedef struct SeemeLeftoverOwner
{
	pg_uuid_t	user_id;
	bool		has_actor;
	pg_uuid_t	actor_id;
} SeemeLeftoverOwner;

static inline bool
seeme_same_leftover_owner(const SeemeLeftoverOwner *a, const SeemeLeftoverOwner *b)
{
	return seeme_uuid_equal(&a->user_id, &b->user_id) && a->has_actor == b->has_actor &&
		seeme_uuid_equal(&a->actor_id, &b->actor_id);
}

extern void seeme_keep_prepared(const char *name, const SeemeLeftoverOwner *owner);
extern void seeme_claim_prepared(const SeemeLeftoverOwner *owner);
extern const char *seeme_find_prepared_by_other(const SeemeLeftoverOwner *owner,
												bool discard);

#pragma GCC visibility pop

#endif							/* SEEME_IDENTITY_PREPARED_STATEMENTS_H */
