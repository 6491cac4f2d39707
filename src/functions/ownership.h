/*
 * ownership.h: whether the ownership of a row counts, and whether the asking person owns a row.
 */
#ifndef SEEME_FUNCTIONS_OWNERSHIP_H
#define SEEME_FUNCTIONS_OWNERSHIP_H

#include "postgres.h"

#include "fmgr.h"
#include "utils/uuid.h"

/* The arguments of seeme.owns_row(): those of seeme_has_permission(), and two more. */
#define SEEME_ARG_OWNER 6
#define SEEME_ARG_OWNER_ALONE 7
#define SEEME_OWNS_ROW_NARGS 8

extern PGDLLEXPORT Datum seeme_owns_row(PG_FUNCTION_ARGS);

#pragma GCC visibility push(hidden)

extern bool seeme_ownership_of(FunctionCallInfo fcinfo, bool type_is_constant);
extern void seeme_prepare_owner_site(FmgrInfo *function);
extern const pg_uuid_t *seeme_possible_owner(FunctionCallInfo call);

#pragma GCC visibility pop

#endif							/* SEEME_FUNCTIONS_OWNERSHIP_H */
