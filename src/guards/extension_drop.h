/*
 * extension_drop.h: what keeps the extension from being dropped by accident.
 */
#ifndef SEEME_GUARDS_EXTENSION_DROP_H
#define SEEME_GUARDS_EXTENSION_DROP_H

extern void seeme_guards_init(void);

#endif							/* SEEME_GUARDS_EXTENSION_DROP_H */
