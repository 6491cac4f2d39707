/*
 * current_user.h: the user who is asking.
 */
#ifndef SEEME_FUNCTIONS_CURRENT_USER_H
#define SEEME_FUNCTIONS_CURRENT_USER_H

#include "postgres.h"

#include "utils/uuid.h"

#pragma GCC visibility push(hidden)

extern bool seeme_find_current_user(const char *code, pg_uuid_t *user_id);

#pragma GCC visibility pop

#endif							/* SEEME_FUNCTIONS_CURRENT_USER_H */
