/*
 * protected_tables.h: which protected and mirrored tables show nothing while nobody is identified.
 */
#ifndef SEEME_GUARDS_PROTECTED_TABLES_H
#define SEEME_GUARDS_PROTECTED_TABLES_H

#include "postgres.h"

#pragma GCC visibility push(hidden)

extern bool seeme_needs_identity(Oid relid);

#pragma GCC visibility pop

#endif							/* SEEME_GUARDS_PROTECTED_TABLES_H */
