/*
 * creator_seats.h: the memberships that the creator of teams or projects gets there.
 */
#ifndef SEEME_FUNCTIONS_CREATOR_SEATS_H
#define SEEME_FUNCTIONS_CREATOR_SEATS_H

#include "postgres.h"

#include "utils/uuid.h"

#include "core/principal.h"
#include "core/scope.h"
#include "core/uuid_hash.h"

#pragma GCC visibility push(hidden)

/* What was created, as far as it matters for a seat: all that is equal gets the same. */
typedef struct SeemeCreated
{
	SeemeScopeKind kind;		/* team or project */
	bool		has_team;		/* a project in a team */
	pg_uuid_t	organization_id;
	pg_uuid_t	team_id;
} SeemeCreated;

/* Seats of one user in the teams, or the projects, that one statement created. */
typedef struct SeemeCreatorSeats
{
	pg_uuid_t	user_id;
	SeemeScopeKind kind;		/* team or project */
	SeemeUuidHash numbers;		/* by the id of the team or project: its number, from 1 */
	pg_uuid_t  *roles;			/* by number - 1 */
} SeemeCreatorSeats;

extern bool seeme_creator_gets_seat(SeemePrincipal *creator, const SeemeCreated *created,
									pg_uuid_t *role_id);
extern SeemeCreatorSeats *seeme_set_creator_seats(SeemeCreatorSeats *seats);
extern bool seeme_is_creator_seat(const SeemeScope *scope, const pg_uuid_t *user_id,
								  const pg_uuid_t *role_id);
extern void seeme_note_created(SeemeScopeKind kind, const pg_uuid_t *id,
							   const pg_uuid_t *organization, const pg_uuid_t *team);
extern bool seeme_is_created_now(SeemeScopeKind kind, const pg_uuid_t *id);

#pragma GCC visibility pop

#endif							/* SEEME_FUNCTIONS_CREATOR_SEATS_H */
