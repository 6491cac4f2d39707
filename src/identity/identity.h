/* identity.h: who is asking. */
#ifndef SEEME_IDENTITY_IDENTITY_H
#define SEEME_IDENTITY_IDENTITY_H

#include "postgres.h"

#include "utils/timestamp.h"
#include "utils/uuid.h"

#include "executor/execdesc.h"

#include "core/compat.h"
#include "core/store.h"

#pragma GCC visibility push(hidden)

/*
 * Who is asking: a user, perhaps with an API key, or with a token that has dates, or with an actor,
 * who is somebody of the support staff and acts for the user.
 */
typedef struct SeemeIdentity
{
	pg_uuid_t	user_id;
	bool		has_key;
	pg_uuid_t	key_id;
	bool		has_actor;
	pg_uuid_t	actor_id;
	TimestampTz expires_at;		/* nothing is permitted from then on; DT_NOEND: never */
	TimestampTz issued_at;		/* of the token; DT_NOBEGIN: the token does not say; DT_NOEND: no
								 * token */
} SeemeIdentity;

extern bool seeme_same_identity(const SeemeIdentity *a, const SeemeIdentity *b);
extern void seeme_identity_init(void);
extern void seeme_hand_to_workers(QueryDesc *query);
extern const SeemeIdentity *seeme_current_identity(void);
extern bool seeme_identity_is_set(void);
extern const pg_uuid_t *seeme_current_key(void);
extern const pg_uuid_t *seeme_current_actor(void);
extern void seeme_require_no_actor(const char *action);
extern void seeme_assume_identity(const SeemeIdentity *identity, bool for_session);
extern void seeme_end_session_login(void);
extern bool seeme_trusts_session_login(void);
extern TimestampTz seeme_with_leeway(TimestampTz time, int direction);
extern bool seeme_is_in_future(TimestampTz issued_at);
pg_noreturn extern void seeme_refuse_identity(const char *reason);

#pragma GCC visibility pop

#endif							/* SEEME_IDENTITY_IDENTITY_H */
