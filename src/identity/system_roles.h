/*
 * system_roles.h: database roles for migrations and background jobs, which name nobody.
 */
#ifndef SEEME_IDENTITY_SYSTEM_ROLES_H
#define SEEME_IDENTITY_SYSTEM_ROLES_H

#include "postgres.h"

#include "miscadmin.h"

#pragma GCC visibility push(hidden)

/* A session_user that is known to be no system role; invalid: nothing is known. */
extern Oid	seeme_ordinary_session_user;

extern void seeme_system_roles_init(void);
extern bool seeme_look_up_system_session(void);
extern void seeme_refuse_system_session(void);

/* Whether session_user is a system role. current_user does not count: SET ROLE changes it. */
static inline bool
seeme_is_system_session(void)
{
	return unlikely(seeme_ordinary_session_user != GetSessionUserId()) &&
		seeme_look_up_system_session();
}

#pragma GCC visibility pop

#endif							/* SEEME_IDENTITY_SYSTEM_ROLES_H */
