/*
 * parent_cache.h: the parents of protected tables, as the session knows them.
 */
#ifndef SEEME_PLANNER_PARENT_CACHE_H
#define SEEME_PLANNER_PARENT_CACHE_H

#include "postgres.h"

#include "planner/parent_table.h"

#pragma GCC visibility push(hidden)

extern SeemeParent *seeme_find_parent(Oid child, Oid parent, const char *code);

#pragma GCC visibility pop

#endif							/* SEEME_PLANNER_PARENT_CACHE_H */
