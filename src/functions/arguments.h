/*
 * arguments.h: the arguments and results of the SQL functions, and the principal who is asking.
 */
#ifndef SEEME_FUNCTIONS_ARGUMENTS_H
#define SEEME_FUNCTIONS_ARGUMENTS_H

#include "postgres.h"

#include "fmgr.h"
#include "utils/array.h"

#include "core/codes.h"
#include "core/evaluator.h"
#include "core/store.h"

#pragma GCC visibility push(hidden)

extern bool seeme_init_asking(SeemePrincipal *asking, SeemeStore *store);
extern bool seeme_is_privileged(void);
extern List *seeme_visible_places(SeemePrincipal *asking, const pg_uuid_t *about, List *places);
extern char *seeme_code_argument(FunctionCallInfo fcinfo, int arg);
extern void seeme_scope_arguments(FunctionCallInfo fcinfo, int first, SeemeStore *store,
								  const char *code, SeemeScope *scope);
extern bool seeme_container_argument(FunctionCallInfo fcinfo, int first, SeemeScope *scope);
extern char *seeme_type_of_code(SeemeStore *store, const char *code);
extern ArrayType *seeme_uuid_array(List *uuids);
extern ArrayType *seeme_sorted_array(pg_uuid_t *uuids, int n);
extern ArrayType *seeme_text_array(List *texts);

#pragma GCC visibility pop

#endif							/* SEEME_FUNCTIONS_ARGUMENTS_H */
