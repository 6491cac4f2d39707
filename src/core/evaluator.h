/*
 * evaluator.h: whether a principal has a permission somewhere.
 */
#ifndef SEEME_CORE_EVALUATOR_H
#define SEEME_CORE_EVALUATOR_H

#include "postgres.h"

#include "nodes/pg_list.h"
#include "utils/uuid.h"

#include "core/codes.h"
#include "core/principal.h"
#include "core/scope.h"
#include "core/uuid_hash.h"

#pragma GCC visibility push(hidden)

/*
 * Whether a membership has an effect, and if not, what is the first thing that keeps it from one.
 */
typedef enum SeemeMembershipState
{
	SEEME_MEMBERSHIP_EFFECTIVE,
	SEEME_MEMBERSHIP_NOT_BEGUN,
	SEEME_MEMBERSHIP_ENDED,
	SEEME_MEMBERSHIP_OF_NON_MEMBER, /* the one in the organization itself is not current */
	SEEME_MEMBERSHIP_WITHOUT_ROLE,
} SeemeMembershipState;

/* Places, found by the containers that a user may have a membership in. */
typedef struct SeemePlaceIndex
{
	List	   *places;			/* of SeemePlace * */
	/* By kind and id: the position in the list, from 1, of the first place there. */
	SeemeUuidHash by_container[SEEME_NCONTAINERS + 1];
} SeemePlaceIndex;

extern SeemeMembershipState seeme_membership_state(const SeemePrincipal *principal,
												   const SeemeGrants *grants,
												   const SeemeMembership *membership);
extern int	seeme_memberships_at(const SeemeGrants *grants, const SeemePlace *place,
								 SeemeMembership **memberships);
extern int	seeme_effective_memberships(const SeemePrincipal *principal,
										const SeemeGrants *grants, const SeemePlace *place,
										SeemeMembership **memberships, bool *everything);
extern bool seeme_evaluate(SeemePrincipal *principal, const SeemePlace *place, const char *code);
extern bool seeme_evaluate_any(SeemePrincipal *principal, const SeemeGrants *grants,
							   const SeemePlace *place, int ncodes, const char *const *codes);
extern bool seeme_evaluate_spec(SeemePrincipal *principal, List *places,
								const SeemePermissionSpec *spec);
extern bool seeme_may_manage_members(SeemePrincipal *principal, const SeemePlace *place);
extern bool seeme_is_direct_member(const SeemePrincipal *principal, const SeemeGrants *grants,
								   const SeemePlace *place);
extern List *seeme_list_effective_roles(SeemePrincipal *principal, List **memberships);
extern void seeme_index_places(SeemePlaceIndex *index, List *places);
extern List *seeme_distinct_places(SeemePrincipal *principal, const SeemePlaceIndex *index,
								   const pg_uuid_t *organization_id);

#pragma GCC visibility pop

#endif							/* SEEME_CORE_EVALUATOR_H */
