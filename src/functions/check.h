/* check.h: the check, for callers in C. */
#ifndef SEEME_FUNCTIONS_CHECK_H
#define SEEME_FUNCTIONS_CHECK_H

#include "postgres.h"

#include "fmgr.h"
#include "utils/uuid.h"

#include "core/scope.h"

/* The arguments of seeme_has_permission */
#define SEEME_ARG_CODE 0
/* the scopes follow, in the order of SeemeScopeKind */
#define SEEME_ARG_RESOURCE SEEME_SCOPE_RESOURCE
#define SEEME_ARG_RESOURCE_TYPE (SEEME_NSCOPE_KINDS + 1)
#define SEEME_NARGS (SEEME_NSCOPE_KINDS + 2)

/* The most ids for seeme_has_permission_batch() */
#define SEEME_MAX_BATCH 32

extern PGDLLEXPORT Datum seeme_has_permission(PG_FUNCTION_ARGS);

#pragma GCC visibility push(hidden)

extern void seeme_init_check_site(FmgrInfo *function, int kind);
extern uint32 seeme_has_permission_batch(FunctionCallInfo call, int kind, int n,
										 pg_uuid_t *const *ids);

#pragma GCC visibility pop

#endif							/* SEEME_FUNCTIONS_CHECK_H */
