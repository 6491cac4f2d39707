/*
 * parts.h: what cache.c shares with its parts, and with nobody else.
 */
#ifndef SEEME_CACHE_PARTS_H
#define SEEME_CACHE_PARTS_H

#include "postgres.h"

#include "cache/cache.h"

#pragma GCC visibility push(hidden)

/* The memory of each part; it goes as a whole. */
extern MemoryContext seeme_vocabulary_context;
extern MemoryContext seeme_places_context;
extern MemoryContext seeme_people_context;
extern MemoryContext seeme_viewers_context;

/* Whether anything was added since memory was last looked at, or could not be. */
extern bool seeme_cache_has_grown;

extern void seeme_vocabulary_forget(void);
extern void seeme_places_forget(void);
extern void seeme_people_forget(void);
extern void seeme_viewers_forget(void);
extern void seeme_resources_forget(void);

extern uint32 seeme_cache_places_size(void);
extern uint32 seeme_cache_number_of_type(const char *resource_type);

#pragma GCC visibility pop

#endif							/* SEEME_CACHE_PARTS_H */
