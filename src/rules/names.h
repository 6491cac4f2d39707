/*
 * names.h: what two sessions must not make at once.
 */
#ifndef SEEME_RULES_NAMES_H
#define SEEME_RULES_NAMES_H

#include "postgres.h"

#include "utils/uuid.h"

#pragma GCC visibility push(hidden)

extern void seeme_names_init(void);
extern void seeme_lock_name(Oid table, const pg_uuid_t *scope, const char *name);
extern void seeme_release_name(void);

#pragma GCC visibility pop

#endif							/* SEEME_RULES_NAMES_H */
