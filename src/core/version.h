/*
 * version.h: whether this library and the extension in this database belong together.
 */
#ifndef SEEME_CORE_VERSION_H
#define SEEME_CORE_VERSION_H

#include "postgres.h"

#include "fmgr.h"

#include "core/invalidation.h"

#pragma GCC visibility push(hidden)

/* What the vocabulary's number of changes was when they were last found to belong together; 0: not yet. */
extern uint64 seeme_version_generation;

extern bool seeme_check_version_again(void);
extern void seeme_check_version(FunctionCallInfo fcinfo, int nargs);

/* Whether they belong together, for what the planner calls: throws nothing. */
static inline bool
seeme_version_fits(void)
{
	return likely(seeme_version_generation == seeme_generations[SEEME_INVAL_VOCABULARY]) || seeme_check_version_again();
}

/* Throws 55000 unless they do, and a call (NULL: none) is given the arguments that its function reads. */
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
 * Begins a function that SQL calls: it reads so many arguments, and runs only where the versions belong together. Its body
 * follows.
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
 * The same for one that runs whatever the versions are: what event triggers call, so that DDL and ALTER EXTENSION UPDATE stay
 * possible, what the planner calls, and what looks at the version itself. It reads no table unless seeme_version_fits().
 */
#define SEEME_FUNCTION_OF_ANY_VERSION(name) \
	PG_FUNCTION_INFO_V1(name); \
	Datum \
	name(PG_FUNCTION_ARGS)

#pragma GCC visibility pop

#endif							/* SEEME_CORE_VERSION_H */
