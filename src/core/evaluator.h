/*
 * evaluator.h: the evaluator.
 */
#ifndef SEEME_CORE_EVALUATOR_H
#define SEEME_CORE_EVALUATOR_H

#include "postgres.h"

#include "nodes/pg_list.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

#include "core/codes.h"
#include "core/uuid_hash.h"
#include "core/store.h"

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

/* All that a person has in one organization. */
typedef struct SeemeStanding
{
	pg_uuid_t	organization_id;
	bool		is_live;		/* the organization exists, and is not archived */
	bool		is_owner;
	bool		is_member;		/* the membership in the organization itself is current */
	bool		is_whole;		/* else there are only the memberships that can count in one place */
	SeemePlace	place;			/* that one */
	int			nmemberships;
	SeemeMembership *memberships;	/* sorted: teams', projects', the organization's; each by id */
} SeemeStanding;

/* Of a person's memberships in an organization, so many at most count in one place: seeme_reaching(). */
#define SEEME_MAX_REACHING 3

/* Roles read under one snapshot, each once. */
typedef struct SeemeRoles
{
	MemoryContext context;
	SeemeSlots	numbers;		/* by id: the place in the list, from 1 */
	List	   *roles;			/* of SeemeRole *; NULL: there is none */
} SeemeRoles;

/* A person under decision, at one instant of the wall clock. */
typedef struct SeemeSubject
{
	SeemeStore *store;
	SeemePerson person;
	bool		is_known;
	bool		is_refused;		/* unknown or disabled: holds nothing */
	TimestampTz now;
	SeemeKey   *key;			/* the API key that they came by; NULL: none */
	MemoryContext context;		/* what has been looked up so far is kept here: */
	List	   *standings;		/* of SeemeStanding * */
	SeemeSlots	standing_numbers;	/* by organization, once there are many: the place in the list, from 1 */
	SeemeRoles *roles;			/* NULL: none yet; several people may share them */
	struct SeemeSubject *creator;	/* who made it, if they were asked about */
	const SeemeSlots *without;	/* memberships in these organizations, teams and projects do not count; NULL: all do */
} SeemeSubject;

/* Places, found by what somebody may have a membership in. */
typedef struct SeemePlaceIndex
{
	List	   *places;			/* of SeemePlace * */
	SeemeSlots	by_organization;	/* the place in the list, from 1, of the first one there */
	SeemeSlots	by_team;
	SeemeSlots	by_project;
} SeemePlaceIndex;

extern void seeme_subject_init(SeemeSubject *subject, SeemeStore *store, const pg_uuid_t *user_id);
extern void seeme_subject_init_known(SeemeSubject *subject, SeemeStore *store, const pg_uuid_t *user_id);
extern void seeme_subject_narrow(SeemeSubject *subject, const pg_uuid_t *key_id);
extern void seeme_subject_narrow_known(SeemeSubject *subject, const pg_uuid_t *key_id);
extern const char *seeme_why_silenced(SeemeStore *store, const SeemeKey *key, SeemeSubject **creator);
extern bool seeme_is_membership_of(SeemeStore *store, const pg_uuid_t *id, const pg_uuid_t *organization, const pg_uuid_t *user);
extern bool seeme_key_reaches(const SeemeSubject *subject, const pg_uuid_t *organization_id, const char *code);
/* Whose an organization is; false when it does not exist: seeme_read_owner(), or what remembers that. */
typedef bool (*SeemeReadOwner) (SeemeStore *store, const pg_uuid_t *organization, pg_uuid_t *owner);

extern SeemeStanding *seeme_read_standing(SeemeSubject *subject, const pg_uuid_t *organization_id, SeemeReadOwner read_owner, int limit);
extern SeemeStanding *seeme_read_standing_at(SeemeSubject *subject, const SeemePlace *place, SeemeReadOwner read_owner);
extern SeemeStanding *seeme_standing(SeemeSubject *subject, const pg_uuid_t *organization_id);
extern SeemeStanding *seeme_standing_at(SeemeSubject *subject, const SeemePlace *place);
extern List *seeme_organizations_of(SeemeSubject *subject);
extern List *seeme_places(SeemeStore *store, const SeemeScope *scope);
extern SeemePlace *seeme_place_of_project(const SeemeProject *project);
extern void seeme_put_place_of_project(SeemePlace *place, const SeemeProject *project);
extern SeemePlace *seeme_place_of_team(const SeemeTeam *team);
extern SeemePlace *seeme_place_of_organization(const pg_uuid_t *organization_id);
extern SeemeRole *seeme_role_of(SeemeSubject *subject, const SeemeMembership *membership);
extern int	seeme_scopes_reaching(const SeemePlace *place, SeemeScope *scopes);
extern int	seeme_compare_scope(const SeemeScope *scope, bool has_team, bool has_project, const pg_uuid_t *scope_id);
extern int	seeme_reaching(const SeemeStanding *standing, const SeemePlace *place, SeemeMembership **memberships);
extern int	seeme_counting(SeemeSubject *subject, const SeemeStanding *standing, const SeemePlace *place,
						   SeemeMembership **counting, bool *everything);
extern void seeme_index_places(SeemePlaceIndex *index, List *places);
extern List *seeme_places_that_differ(SeemeSubject *subject, const SeemePlaceIndex *index, const pg_uuid_t *organization_id);
extern List *seeme_roles_held(SeemeSubject *subject, List **memberships);
extern bool seeme_holds(SeemeSubject *subject, const SeemePlace *place, const char *code);
extern bool seeme_answer(SeemeSubject *subject, List *places, const SeemeQuestion *question);
extern bool seeme_may_manage(SeemeSubject *subject, const SeemePlace *place);

#endif							/* SEEME_CORE_EVALUATOR_H */
