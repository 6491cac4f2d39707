/*
 * provisioning.h: whether the current role adds and deletes people while nobody is identified.
 */
#ifndef SEEME_IDENTITY_PROVISIONING_H
#define SEEME_IDENTITY_PROVISIONING_H

#include "postgres.h"

#pragma GCC visibility push(hidden)

extern bool seeme_provisions_users(void);

#pragma GCC visibility pop

#endif							/* SEEME_IDENTITY_PROVISIONING_H */
