/*
 * recheck_trigger.h: whether row security is active where a trigger fires.
 */
#ifndef SEEME_PLANNER_RECHECK_TRIGGER_H
#define SEEME_PLANNER_RECHECK_TRIGGER_H

#include "postgres.h"

#include "utils/relcache.h"

#pragma GCC visibility push(hidden)

extern bool seeme_row_security_is_active(Relation relation);

#pragma GCC visibility pop

#endif							/* SEEME_PLANNER_RECHECK_TRIGGER_H */
