/*
 * bench_empty.c: a C function that does nothing, with the arguments of seeme_has_permission.
 */
#include "postgres.h"

#include "fmgr.h"

PG_MODULE_MAGIC;

PG_FUNCTION_INFO_V1(bench_empty);
Datum
bench_empty(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(true);
}
