/*
 * creator_seats.h: the memberships that an INSERT of teams or projects gives to their creator.
 */
#ifndef SEEME_FUNCTIONS_CREATOR_SEATS_H
#define SEEME_FUNCTIONS_CREATOR_SEATS_H

#include "postgres.h"

#include "utils/uuid.h"

#include "core/scope.h"
#include "core/uuid_hash.h"

#pragma GCC visibility push(hidden)

/* Seats of one user in the teams, or the projects, that one statement created. */
typedef struct SeemeCreatorSeats
{
	pg_uuid_t	user_id;
	SeemeScopeKind kind;		/* team or project */
	SeemeUuidHash numbers;		/* by the id of the team or project: its number, from 1 */
	pg_uuid_t  *roles;			/* by number - 1 */
} SeemeCreatorSeats;

extern SeemeCreatorSeats *seeme_set_creator_seats(SeemeCreatorSeats *seats);
extern bool seeme_is_creator_seat(const SeemeScope *scope, const pg_uuid_t *user_id,
								  const pg_uuid_t *role_id);

#pragma GCC visibility pop

#endif							/* SEEME_FUNCTIONS_CREATOR_SEATS_H */
