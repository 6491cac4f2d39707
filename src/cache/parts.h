/*
 * parts.h: what the files of the cache share with each other only.
 *
 * Calls go down: eviction.c calls the parts (principals.c, places.c, vocabulary.c), and these
 * call memory.c.
 */
#ifndef SEEME_CACHE_PARTS_H
#define SEEME_CACHE_PARTS_H

#include "postgres.h"

#include "cache/cache.h"

#pragma GCC visibility push(hidden)

/* The memory of each part. It is reset as a whole. */
extern MemoryContext seeme_vocabulary_context;
extern MemoryContext seeme_places_context;
extern MemoryContext seeme_users_context;
extern MemoryContext seeme_principals_context;

/* Whether anything was added since the last eviction; whether something did not fit. */
extern bool seeme_cache_has_grown;
extern bool seeme_cache_was_full;

/* The generation that the cache was read under. eviction.c sets it. */
extern uint64 seeme_cached_generation;

extern void seeme_cache_create_contexts(void);

extern void seeme_vocabulary_forget(void);
extern void seeme_places_forget(void);
extern void seeme_users_forget(void);
extern void seeme_principals_forget(void);
extern void seeme_resources_forget(void);

extern uint32 seeme_cache_places_size(void);
extern uint32 seeme_cache_number_of_type(const char *resource_type);

#pragma GCC visibility pop

#endif							/* SEEME_CACHE_PARTS_H */
