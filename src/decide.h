/*
 * decide.h: the evaluator.
 */
#ifndef SEEME_DECIDE_H
#define SEEME_DECIDE_H

#include "postgres.h"

#include "nodes/pg_list.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

#include "codes.h"
#include "store.h"

typedef enum SeemeLevel
{
	SEEME_NOWHERE,				/* a null scope */
	SEEME_ORGANIZATION,
	SEEME_TEAM,
	SEEME_PROJECT,
	SEEME_RESOURCE,
} SeemeLevel;

/* What a question is about. */
typedef struct SeemeScope
{
	SeemeLevel	level;
	pg_uuid_t	id;
	char	   *resource_type;	/* of a resource; NULL: of every type under that id */
} SeemeScope;

/* A membership and its role, if any, once somebody has asked for it (seeme_role_of()). */
typedef struct SeemeHolding
{
	SeemeMembership *membership;
	SeemeRole  *role;
} SeemeHolding;

/* All that a person has in one organization. */
typedef struct SeemeStanding
{
	pg_uuid_t	organization_id;
	bool		is_owner;
	bool		is_member;		/* the membership in the organization itself is current */
	List	   *holdings;		/* of SeemeHolding *; or those that can count in the place that was asked about */
} SeemeStanding;

/* A person under decision, at one instant of the wall clock. */
typedef struct SeemeSubject
{
	SeemeStore *store;
	SeemePerson person;
	bool		is_known;
	bool		is_refused;		/* unknown or disabled: holds nothing */
	TimestampTz now;
	SeemeKey   *key;			/* the API key that they came by; NULL: none */
	struct SeemeSubject *creator;	/* who made it, if they were asked about */
	List	   *standings;		/* those looked up so far */
} SeemeSubject;

extern void seeme_subject_init(SeemeSubject *subject, SeemeStore *store, const pg_uuid_t *user_id);
extern void seeme_subject_init_known(SeemeSubject *subject, SeemeStore *store, const pg_uuid_t *user_id);
extern void seeme_subject_narrow(SeemeSubject *subject, const pg_uuid_t *key_id);
extern void seeme_subject_narrow_known(SeemeSubject *subject, const pg_uuid_t *key_id);
extern const char *seeme_why_silenced(SeemeStore *store, const SeemeKey *key, SeemeSubject **creator);
extern bool seeme_is_membership_of(SeemeStore *store, const pg_uuid_t *id, const pg_uuid_t *organization, const pg_uuid_t *user);
extern bool seeme_key_reaches(const SeemeSubject *subject, const pg_uuid_t *organization_id, const char *code);
/* Whose an organization is; false when it does not exist: seeme_read_owner(), or what remembers that. */
typedef bool (*SeemeReadOwner) (SeemeStore *store, const pg_uuid_t *organization, pg_uuid_t *owner);

extern SeemeStanding *seeme_standing_under(SeemeSubject *subject, const pg_uuid_t *organization_id, SeemeReadOwner read_owner);
extern SeemeStanding *seeme_standing(SeemeSubject *subject, const pg_uuid_t *organization_id);
extern List *seeme_organizations_of(SeemeSubject *subject);
extern List *seeme_places(SeemeStore *store, const SeemeScope *scope);
extern SeemePlace *seeme_place_of_project(const SeemeProject *project);
extern SeemePlace *seeme_place_of_team(const SeemeTeam *team);
extern SeemePlace *seeme_place_of_organization(const pg_uuid_t *organization_id);
extern SeemeRole *seeme_role_of(SeemeSubject *subject, SeemeHolding *holding);
extern SeemeStanding *seeme_standing_at(SeemeSubject *subject, const SeemePlace *place, SeemeReadOwner read_owner, bool *is_whole);
extern List *seeme_counting(SeemeSubject *subject, const SeemeStanding *standing, const SeemePlace *place, bool *everything);
extern bool seeme_reaches(const SeemeMembership *membership, const SeemePlace *place);
extern bool seeme_holds(SeemeSubject *subject, const SeemePlace *place, const char *code);
extern bool seeme_answer(SeemeSubject *subject, List *places, const SeemeQuestion *question);
extern bool seeme_may_manage(SeemeSubject *subject, const SeemePlace *place);

#endif							/* SEEME_DECIDE_H */
