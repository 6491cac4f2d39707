/*
 * own_scopes.h: where a person holds something or is a member, and whom they see: the lists for the
 * policies of the extension's own tables.
 */
#ifndef SEEME_CACHE_OWN_SCOPES_H
#define SEEME_CACHE_OWN_SCOPES_H

#include "postgres.h"

#include "cache/cache.h"
#include "core/evaluator.h"

#pragma GCC visibility push(hidden)

/*
 * One list of scopes.
 *
 * With codes: the organizations in which a person holds one of them; or the teams or projects in
 * which they hold one, and not in the whole organization. So nothing is in two lists.
 *
 * Without codes: the organizations that a person owns or is a current member of; or the teams or
 * projects of which they have a current membership themselves.
 */
typedef struct SeemeOwnScopes
{
	SeemeLevel	level;
	bool		by_codes;
	int			ncodes;
	char	  **codes;
} SeemeOwnScopes;

extern bool seeme_is_own_scope(SeemeSubject *subject, const SeemeStanding *standing,
							   const SeemePlace *place, const SeemeOwnScopes *scopes);
extern int	seeme_list_own_scopes(SeemeSubject *subject, const SeemeOwnScopes *scopes,
								  pg_uuid_t **ids);
extern bool seeme_viewer_has_own_scope(SeemeStore *store, SeemeViewer *viewer,
									   const SeemeOwnScopes *scopes, const pg_uuid_t *id);
extern const SeemeIds *seeme_viewer_own_scopes(SeemeStore *store, SeemeViewer *viewer,
											   const SeemeOwnScopes *scopes, bool read,
											   MemoryContext context, SeemeIds *otherwise);

extern bool seeme_list_people_seen(SeemeSubject *subject, int limit, pg_uuid_t **ids, int *n);
extern bool seeme_viewer_sees_person(SeemeStore *store, SeemeViewer *viewer, const pg_uuid_t *user);
extern bool seeme_sees_person(SeemeSubject *subject, const pg_uuid_t *user);
extern const SeemeIds *seeme_viewer_people(SeemeStore *store, SeemeViewer *viewer, int limit,
										   MemoryContext context, SeemeIds *otherwise);

#pragma GCC visibility pop

#endif							/* SEEME_CACHE_OWN_SCOPES_H */
