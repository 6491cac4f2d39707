/*
 * protected_tables.h: which tables seeme_protect protects.
 */
#ifndef SEEME_GUARDS_PROTECTED_TABLES_H
#define SEEME_GUARDS_PROTECTED_TABLES_H

#include "postgres.h"

#pragma GCC visibility push(hidden)

extern bool seeme_is_protected(Oid relid);
extern bool seeme_needs_identity(Oid relid);

#pragma GCC visibility pop

#endif							/* SEEME_GUARDS_PROTECTED_TABLES_H */
