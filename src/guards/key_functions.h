/*
 * key_functions.h: functions that run inside a check or an action of a foreign key.
 */
#ifndef SEEME_GUARDS_KEY_FUNCTIONS_H
#define SEEME_GUARDS_KEY_FUNCTIONS_H

#pragma GCC visibility push(hidden)

extern void seeme_key_functions_init(void);

#pragma GCC visibility pop

#endif							/* SEEME_GUARDS_KEY_FUNCTIONS_H */
