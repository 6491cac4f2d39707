/* prepared_statements.h: which user has prepared which statement of a session. */
#ifndef SEEME_IDENTITY_PREPARED_STATEMENTS_H
#define SEEME_IDENTITY_PREPARED_STATEMENTS_H

#include "postgres.h"

#include "utils/uuid.h"

#pragma GCC visibility push(hidden)

extern void seeme_keep_prepared(const char *name, const pg_uuid_t *user);
extern void seeme_claim_prepared(const pg_uuid_t *user);
extern const char *seeme_find_prepared_by_other(const pg_uuid_t *user, bool discard);

#pragma GCC visibility pop

#endif							/* SEEME_IDENTITY_PREPARED_STATEMENTS_H */
