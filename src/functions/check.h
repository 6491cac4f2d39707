/*
 * check.h: the check, for callers within the library.
 */
#ifndef SEEME_FUNCTIONS_CHECK_H
#define SEEME_FUNCTIONS_CHECK_H

#include "postgres.h"

#include "fmgr.h"
#include "utils/uuid.h"

/* Arguments of seeme_has_permission */
#define SEEME_ARG_CODE 0
#define SEEME_ARG_RESOURCE 4
#define SEEME_ARG_RESOURCE_TYPE 5
#define SEEME_NARGS 6

/* As many ids as seeme_have_permission() can be asked about at once. */
#define SEEME_MAX_IDS_AT_ONCE 32

extern PGDLLEXPORT Datum seeme_has_permission(PG_FUNCTION_ARGS);

#pragma GCC visibility push(hidden)

extern bool seeme_asking_person(const char *code, pg_uuid_t *user_id);
extern void seeme_prepare_site(FmgrInfo *function, int scope);
extern uint32 seeme_have_permission(FunctionCallInfo call, int scope, int n, pg_uuid_t *const *ids);

#pragma GCC visibility pop

#endif							/* SEEME_FUNCTIONS_CHECK_H */
