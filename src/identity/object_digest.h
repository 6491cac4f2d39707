/*
 * object_digest.h: a digest of the catalog rows that describe an object.
 */
#ifndef SEEME_IDENTITY_OBJECT_DIGEST_H
#define SEEME_IDENTITY_OBJECT_DIGEST_H

#include "postgres.h"

#include "access/htup.h"

#pragma GCC visibility push(hidden)

extern uint32 seeme_object_digest(HeapTuple entry, bool *is_new);

#pragma GCC visibility pop

#endif							/* SEEME_IDENTITY_OBJECT_DIGEST_H */
