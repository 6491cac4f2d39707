/*
 * seeme_rbac.c: the library's start. It calls each module's own start and owns nothing else.
 */
#include "postgres.h"

#include "fmgr.h"

#include "compat.h"
#include "identity.h"

SEEME_MODULE_MAGIC;

extern PGDLLEXPORT void _PG_init(void);

void
_PG_init(void)
{
	seeme_identity_init();
	MarkGUCPrefixReserved("seeme_rbac");
}
