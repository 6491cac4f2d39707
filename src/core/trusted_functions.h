/*
 * trusted_functions.h: the functions that a superuser said tell nothing of a row but by their
 * result.
 */
#ifndef SEEME_CORE_TRUSTED_FUNCTIONS_H
#define SEEME_CORE_TRUSTED_FUNCTIONS_H

#include "postgres.h"

#include "access/htup.h"

#pragma GCC visibility push(hidden)

extern bool seeme_is_trusted(HeapTuple function);

#pragma GCC visibility pop

#endif							/* SEEME_CORE_TRUSTED_FUNCTIONS_H */
