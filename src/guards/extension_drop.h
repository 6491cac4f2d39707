/* extension_drop.h: only DROP EXTENSION drops the extension. */
#ifndef SEEME_GUARDS_EXTENSION_DROP_H
#define SEEME_GUARDS_EXTENSION_DROP_H

#include "postgres.h"

#include "nodes/nodes.h"

extern bool seeme_enter_statement(Node *statement);
extern void seeme_leave_statement(bool was_named);
extern void seeme_guard_drop(Oid class, Oid object);

#endif							/* SEEME_GUARDS_EXTENSION_DROP_H */
