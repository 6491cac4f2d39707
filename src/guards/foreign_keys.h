/*
 * foreign_keys.h: checking the rows of a protected table when a foreign key is added.
 */
#ifndef SEEME_GUARDS_FOREIGN_KEYS_H
#define SEEME_GUARDS_FOREIGN_KEYS_H

#include "postgres.h"

#include "nodes/nodes.h"

#pragma GCC visibility push(hidden)

/* A statement that only adds or validates foreign keys. */
typedef struct SeemeKeyCheck
{
	bool		is_on;			/* whether the rest is set */
	Oid			user;			/* as before the statement */
	int			sec_context;
} SeemeKeyCheck;

extern void seeme_begin_key_check(Node *statement, SeemeKeyCheck *check);
extern void seeme_end_key_check(const SeemeKeyCheck *check);
extern void seeme_conceal_key(const SeemeKeyCheck *check);

#pragma GCC visibility pop

#endif							/* SEEME_GUARDS_FOREIGN_KEYS_H */
