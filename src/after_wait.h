/*
 * after_wait.h: the trigger that asks a policy again.
 */
#ifndef SEEME_AFTER_WAIT_H
#define SEEME_AFTER_WAIT_H

#include "postgres.h"

#include "fmgr.h"

extern PGDLLEXPORT Datum seeme_ask_after_wait(PG_FUNCTION_ARGS);

#endif							/* SEEME_AFTER_WAIT_H */
