/*
 * identity.h: who is asking.
 */
#ifndef SEEME_IDENTITY_H
#define SEEME_IDENTITY_H

#include "postgres.h"

#include "utils/uuid.h"

#include "store.h"

extern void seeme_identity_init(void);
extern bool seeme_identified(SeemeStore *store, pg_uuid_t *user_id);

#endif							/* SEEME_IDENTITY_H */
