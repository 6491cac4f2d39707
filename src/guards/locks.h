/* locks.h: which statements may lock which relations. */
#ifndef SEEME_GUARDS_LOCKS_H
#define SEEME_GUARDS_LOCKS_H

#include "postgres.h"

#include "nodes/nodes.h"

extern void seeme_guard_locks(Node *statement);

#endif							/* SEEME_GUARDS_LOCKS_H */
