/*
 * identity.h: who is asking.
 */
#ifndef SEEME_IDENTITY_H
#define SEEME_IDENTITY_H

#include "postgres.h"

#include "utils/uuid.h"

#include "store.h"

extern void seeme_identity_init(void);
/* Somebody, perhaps by an API key. */
typedef struct SeemeIdentity
{
	pg_uuid_t	user_id;
	bool		has_key;
	pg_uuid_t	key_id;
} SeemeIdentity;

extern bool seeme_identified(SeemeStore *store, SeemeIdentity *identity);

#endif							/* SEEME_IDENTITY_H */
