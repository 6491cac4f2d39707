/*
 * members.h: what the rules about memberships ask.
 */
#ifndef SEEME_RULES_MEMBERS_H
#define SEEME_RULES_MEMBERS_H

#include "postgres.h"

#include "rules/rows.h"

#pragma GCC visibility push(hidden)

/* The columns of seeme.memberships, by their place in the state of a trigger. */
enum
{
	MEMBER_ID, MEMBER_ORGANIZATION_ID, MEMBER_TEAM_ID, MEMBER_PROJECT_ID, MEMBER_USER_ID,
		MEMBER_ROLE_ID, MEMBER_VALID_FROM, MEMBER_VALID_UNTIL, MEMBER_CREATED_BY,
		MEMBER_CREATED_AT, MEMBER_UPDATED_AT,
	MEMBER_NCOLUMNS
};

extern const SeemeRowColumn seeme_member_columns[MEMBER_NCOLUMNS];

/* A membership, as a row has it. */
typedef struct SeemeMember
{
	bool		has_organization;
	pg_uuid_t	organization_id;
	bool		has_team;
	pg_uuid_t	team_id;
	bool		has_project;
	pg_uuid_t	project_id;
	bool		has_user;
	pg_uuid_t	user_id;
	bool		has_role;
	pg_uuid_t	role_id;
	TimestampTz valid_from;		/* DT_NOBEGIN: unbounded */
	TimestampTz valid_until;	/* DT_NOEND: unbounded */
	bool		is_bounded;
} SeemeMember;

extern void seeme_get_member(const SeemeRowState *state, HeapTuple row, SeemeMember *member);
extern bool seeme_is_of_organization(const SeemeMember *member);
extern int seeme_member_detail(const SeemeMember *member);
extern void seeme_require_may_add(SeemeRowState *state, const SeemeMember *member);
extern void seeme_require_role_held(SeemeRowState *state, const SeemeMember *member);
extern void seeme_require_role_of(SeemeRowState *state, const SeemeMember *member);
extern void seeme_require_held_below(const SeemeMember *member);
extern void seeme_settle_organization(SeemeRowState *state, SeemeMember *member);
extern bool seeme_is_of_owner(SeemeRowState *state, const SeemeMember *member);
extern bool seeme_lock_membership_of_organization(const SeemeMember *member);
extern bool seeme_has_membership_of_organization(const SeemeMember *member);
extern bool seeme_is_by_invitation(SeemeRowState *state, HeapTuple row, const SeemeMember *member,
								   bool *serves_role, bool *has_inviter, pg_uuid_t *inviter);
extern bool seeme_container_exists(SeemeRowState *state, const SeemeMember *member);

#pragma GCC visibility pop

#endif							/* SEEME_RULES_MEMBERS_H */
