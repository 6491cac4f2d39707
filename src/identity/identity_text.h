/*
 * identity_text.h: an identity as the value of a setting.
 */
#ifndef SEEME_IDENTITY_IDENTITY_TEXT_H
#define SEEME_IDENTITY_IDENTITY_TEXT_H

#include "postgres.h"

#include "identity/identity.h"

#pragma GCC visibility push(hidden)

/* Room for the longest value, with its end */
#define SEEME_IDENTITY_LENGTH 128

extern bool seeme_parse_user_id(const char *text, pg_uuid_t *user_id);
extern bool seeme_parse_identity(const char *text, SeemeIdentity *identity);
extern void seeme_put_identity(char text[SEEME_IDENTITY_LENGTH], const SeemeIdentity *identity);

#pragma GCC visibility pop

#endif							/* SEEME_IDENTITY_IDENTITY_TEXT_H */
