/*
 * effective_permissions.h: what somebody holds somewhere, from memory where possible.
 */
#ifndef SEEME_CACHE_EFFECTIVE_PERMISSIONS_H
#define SEEME_CACHE_EFFECTIVE_PERMISSIONS_H

#include "postgres.h"

#include <limits.h>

#include "cache/cache.h"
#include "core/evaluator.h"
#include "identity/identity.h"
#include "core/store.h"

#pragma GCC visibility push(hidden)

extern void seeme_held_begin(SeemeStore *store);
extern SeemeViewer *seeme_recall_viewer(const SeemeIdentity *asker);
extern SeemeViewer *seeme_viewer(SeemeStore *store, const SeemeIdentity *asker);
extern bool seeme_may_act(const SeemeIdentity *identity);
extern bool seeme_viewer_acts(const SeemeViewer *viewer, const char *code);
extern uint64 *seeme_no_codes(void);
extern void seeme_add_held_in(SeemeStore *store, SeemeViewer *viewer, SeemePlaceKind kind, const pg_uuid_t *id, uint64 *words);
extern void seeme_add_held_on(SeemeStore *store, SeemeViewer *viewer, const char *resource_type, const pg_uuid_t *resource,
							  uint64 *words);
extern bool seeme_viewer_holds(SeemeStore *store, SeemeViewer *viewer, SeemePlaceKind kind, const pg_uuid_t *id, const char *code);
extern const SeemeIds *seeme_viewer_roles(SeemeStore *store, SeemeViewer *viewer, MemoryContext context, SeemeIds *otherwise);
extern bool seeme_belongs(SeemeStore *store, SeemeViewer *viewer, SeemePlaceKind kind, const pg_uuid_t *id);
extern const SeemeIds *seeme_viewer_organizations(SeemeStore *store, SeemeViewer *viewer);
#define SEEME_NO_LIMIT INT_MAX
extern bool seeme_hold_all(SeemeStore *store, SeemeViewer *viewer, int limit);
extern bool seeme_hold_all_resources(SeemeStore *store, SeemeViewer *viewer, const char *resource_type, int limit);
extern int	seeme_places_held(SeemeStore *store, SeemeViewer *viewer, SeemeLevel level, int code, int limit, pg_uuid_t **ids);
extern int	seeme_resources_held(SeemeStore *store, SeemeViewer *viewer, const char *resource_type, int code, int limit,
								 pg_uuid_t **ids);
extern const SeemeIds *seeme_ids_known(SeemeViewer *viewer, SeemeLevel level, const char *resource_type, int code);
extern const SeemeIds *seeme_ids_held(SeemeStore *store, SeemeViewer *viewer, SeemeLevel level, const char *resource_type, int code);
extern bool seeme_has_come(TimestampTz date);

/* What is remembered of a standing, for one place, made into one. */
typedef struct SeemeRecalledStanding
{
	SeemeStanding standing;
	SeemeMembership memberships[SEEME_MAX_REACHING];
} SeemeRecalledStanding;

/* For own_scopes.c. */
extern void seeme_subject_of_viewer(SeemeStore *store, SeemeViewer *viewer, SeemeSubject *subject);
extern void seeme_note_dates(SeemeViewer *viewer, TimestampTz now, const SeemeStanding *standing);
extern const SeemeStanding *seeme_viewer_standing(SeemeSubject *subject, SeemeViewer *viewer,
												  SeemePlaceKind kind, const pg_uuid_t *id,
												  SeemePlace *place, SeemeRecalledStanding *recalled);

#pragma GCC visibility pop

#endif							/* SEEME_CACHE_EFFECTIVE_PERMISSIONS_H */
