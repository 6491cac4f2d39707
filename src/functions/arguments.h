/*
 * arguments.h: the arguments of the SQL functions, and the person who asks.
 */
#ifndef SEEME_FUNCTIONS_ARGUMENTS_H
#define SEEME_FUNCTIONS_ARGUMENTS_H

#include "postgres.h"

#include "fmgr.h"
#include "utils/array.h"

#include "core/codes.h"
#include "core/evaluator.h"
#include "core/store.h"

/* Who asks a request, and what they may be told. */
typedef struct SeemeAsker
{
	SeemeStore *store;
	bool		is_identified;
	bool		is_privileged;	/* nobody is identified, and the current user bypasses row security */
	SeemePrincipal principal;		/* if identified */
} SeemeAsker;

extern void seeme_asker_init(SeemeAsker *asker, SeemeStore *store);
extern List *seeme_visible_places(SeemeAsker *asker, const pg_uuid_t *about, List *places);
extern char *seeme_code_argument(FunctionCallInfo fcinfo, int arg);
extern void seeme_scope_arguments(FunctionCallInfo fcinfo, int first, SeemeStore *store, const char *code, SeemeScope *scope);
extern ArrayType *seeme_uuid_array(List *uuids);
extern ArrayType *seeme_sorted_array(pg_uuid_t *uuids, int n);
extern ArrayType *seeme_text_array(List *texts);

#endif							/* SEEME_FUNCTIONS_ARGUMENTS_H */
