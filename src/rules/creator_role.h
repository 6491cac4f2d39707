/*
 * creator_role.h: the rules for organizations.creator_role_id.
 */
#ifndef SEEME_RULES_CREATOR_ROLE_H
#define SEEME_RULES_CREATOR_ROLE_H

#include "postgres.h"

#include "rules/rows.h"

#pragma GCC visibility push(hidden)

extern void seeme_check_creator_role(SeemeRowState *state, const pg_uuid_t *organization,
									 const pg_uuid_t *former, const pg_uuid_t *role);

#pragma GCC visibility pop

#endif							/* SEEME_RULES_CREATOR_ROLE_H */
