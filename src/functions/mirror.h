/*
 * mirror.h: the changes of mirrored tables.
 */
#ifndef SEEME_FUNCTIONS_MIRROR_H
#define SEEME_FUNCTIONS_MIRROR_H

#include "postgres.h"

#pragma GCC visibility push(hidden)

extern void seeme_mirror_init(void);

#pragma GCC visibility pop

#endif							/* SEEME_FUNCTIONS_MIRROR_H */
