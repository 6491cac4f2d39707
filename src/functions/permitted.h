/*
 * permitted.h: how many scopes are permitted.
 */
#ifndef SEEME_FUNCTIONS_PERMITTED_H
#define SEEME_FUNCTIONS_PERMITTED_H

#include "postgres.h"

#include "core/evaluator.h"

typedef void (*SeemeVisitCandidate) (void *context, SeemeSubject *subject, List *places);
extern void seeme_visit_candidates(SeemeStore *store, List *places, SeemeRoles *roles,
								   SeemeVisitCandidate visit, void *context);
extern int	seeme_count_permitted(SeemeLevel level, const char *code, const char *resource_type, int limit);

#endif							/* SEEME_FUNCTIONS_PERMITTED_H */
