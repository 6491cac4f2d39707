/* preload.h: places, owners and active users, from the cache or read into it. */
#ifndef SEEME_CACHE_PRELOAD_H
#define SEEME_CACHE_PRELOAD_H

#include "postgres.h"

#include "cache/cache.h"
#include "core/store.h"

#pragma GCC visibility push(hidden)

extern void seeme_look_up_place(SeemeStore *store, SeemeScopeKind kind, const pg_uuid_t *id,
								SeemePlace *place);
extern bool seeme_look_up_owner(SeemeStore *store, const pg_uuid_t *organization, pg_uuid_t *owner);
extern bool seeme_is_known_active(SeemeStore *store, const pg_uuid_t *user);

#pragma GCC visibility pop

#endif							/* SEEME_CACHE_PRELOAD_H */
