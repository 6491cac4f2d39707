/*
 * identity_sources.h: who a connection is, where nobody was named.
 */
#ifndef SEEME_IDENTITY_IDENTITY_SOURCES_H
#define SEEME_IDENTITY_IDENTITY_SOURCES_H

#include "postgres.h"

#include "identity/identity.h"

#pragma GCC visibility push(hidden)

extern void seeme_identity_sources_init(void);
extern bool seeme_trusts_request_claims(void);
extern bool seeme_identity_of_connection(SeemeIdentity *identity);

#pragma GCC visibility pop

#endif							/* SEEME_IDENTITY_IDENTITY_SOURCES_H */
