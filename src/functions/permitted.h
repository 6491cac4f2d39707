/* permitted.h: the number of scopes at which a permission is had. */
#ifndef SEEME_FUNCTIONS_PERMITTED_H
#define SEEME_FUNCTIONS_PERMITTED_H

#include "postgres.h"

#include "core/evaluator.h"

extern int	seeme_count_permitted(SeemeScopeKind level, const char *code,
								  const char *resource_type, int limit);

#endif							/* SEEME_FUNCTIONS_PERMITTED_H */
