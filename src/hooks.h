/* hooks.h: the hooks through which PostgreSQL calls this library. */
#ifndef SEEME_HOOKS_H
#define SEEME_HOOKS_H

extern void seeme_hooks_init(void);

#endif							/* SEEME_HOOKS_H */
