/*
 * permitted.h: the number of scopes at which a permission is had, and the users who may have one.
 */
#ifndef SEEME_FUNCTIONS_PERMITTED_H
#define SEEME_FUNCTIONS_PERMITTED_H

#include "postgres.h"

#include "core/evaluator.h"

typedef void (*SeemeVisitCandidate) (SeemePrincipal *principal, List *places, void *context);
extern void seeme_visit_candidates(SeemeStore *store, List *places, SeemeRoleCache *roles,
								   SeemeVisitCandidate visit, void *context);
extern int	seeme_count_permitted(SeemeScopeKind level, const char *code,
								  const char *resource_type, int limit);
extern bool seeme_which_are_permitted(SeemeScopeKind kind, const char *code,
									  const char *resource_type, const pg_uuid_t *ids, int n,
									  bool *is_permitted);

#endif							/* SEEME_FUNCTIONS_PERMITTED_H */
