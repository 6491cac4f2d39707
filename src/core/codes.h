/* codes.h: permission codes. */
#ifndef SEEME_CORE_CODES_H
#define SEEME_CORE_CODES_H

#include "postgres.h"

#include "nodes/pg_list.h"

#include "core/store.h"

/*
 * A permission that is asked about, and the codes that it stands for: itself, or those that a
 * wildcard covers.
 */
typedef struct SeemePermissionSpec
{
	char	   *code;
	List	   *concrete;		/* of char *; never empty */
} SeemePermissionSpec;

extern bool seeme_code_covers(const char *held, const char *asked);
extern const char *seeme_covering_entry(int ncodes, char **codes, const char *asked);
extern void seeme_parse_permission(SeemeStore *store, const char *code, SeemePermissionSpec *spec);
extern char *seeme_resource_of_code(const char *code);
extern void seeme_require_resource_type(SeemeStore *store, const char *type);

#endif							/* SEEME_CORE_CODES_H */
