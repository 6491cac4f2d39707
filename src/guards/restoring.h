/*
 * restoring.h: whether this session loads a dump.
 */
#ifndef SEEME_GUARDS_RESTORING_H
#define SEEME_GUARDS_RESTORING_H

#pragma GCC visibility push(hidden)

extern void seeme_restoring_init(void);
extern bool seeme_is_restoring(void);

#pragma GCC visibility pop

#endif							/* SEEME_GUARDS_RESTORING_H */
