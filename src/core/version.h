/* version.h: whether this library and the extension in this database have the same version. */
#ifndef SEEME_CORE_VERSION_H
#define SEEME_CORE_VERSION_H

#include "postgres.h"

#include "fmgr.h"

#include "core/invalidation.h"

#pragma GCC visibility push(hidden)

/* The generation of the vocabulary under which the versions matched; 0: not checked yet. */
extern uint64 seeme_version_generation;

extern bool seeme_check_version_again(void);
extern void seeme_check_version(FunctionCallInfo fcinfo, int nargs);

/* Whether the versions match. For the planner: throws nothing. */
static inline bool
seeme_version_fits(void)
{
	return likely(seeme_version_generation == seeme_generations[SEEME_INVAL_VOCABULARY]) ||
		seeme_check_version_again();
}

/* Throws 55000 unless the versions match. With a call: also unless it passes all arguments. */
static inline void
seeme_require_version_of_call(FunctionCallInfo fcinfo, int nargs)
{
	if (unlikely(seeme_version_generation != seeme_generations[SEEME_INVAL_VOCABULARY]))
		seeme_check_version(fcinfo, nargs);
}

static inline void
seeme_require_version(void)
{
	seeme_require_version_of_call(NULL, 0);
}

/*
 * Begins an SQL function, which reads this many arguments and works only where the versions
 * match. The body follows.
 */
#define SEEME_FUNCTION(name, arguments) \
	static inline Datum name##_body(FunctionCallInfo fcinfo); \
	PG_FUNCTION_INFO_V1(name); \
	Datum \
	name(PG_FUNCTION_ARGS) \
	{ \
		seeme_require_version_of_call(fcinfo, arguments); \
		return name##_body(fcinfo); \
	} \
	static inline Datum \
	name##_body(FunctionCallInfo fcinfo)

/*
 * The same for a function that works with any version: event triggers, because DDL and ALTER
 * EXTENSION UPDATE must stay possible; what the planner calls; and what looks at the version
 * itself. Such a function reads no table unless seeme_version_fits().
 */
#define SEEME_FUNCTION_OF_ANY_VERSION(name) \
	PG_FUNCTION_INFO_V1(name); \
	Datum \
	name(PG_FUNCTION_ARGS)

#pragma GCC visibility pop

#endif							/* SEEME_CORE_VERSION_H */
