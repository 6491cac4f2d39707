/*
 * unidentified.h: statements on protected tables while nobody is identified.
 */
#ifndef SEEME_GUARDS_UNIDENTIFIED_H
#define SEEME_GUARDS_UNIDENTIFIED_H

#include "postgres.h"

#include "executor/execdesc.h"

#pragma GCC visibility push(hidden)

/* The values of seeme_rbac.when_nobody_asks */
#define SEEME_NOBODY_SILENT 0

extern int	seeme_when_nobody_asks;

extern void seeme_unidentified_init(void);
extern void seeme_check_tables(QueryDesc *query, int eflags);

/* Looks at a statement that is about to be executed. Costs nothing while the setting is silent. */
static inline void
seeme_note_statement_start(QueryDesc *query, int eflags)
{
	if (unlikely(seeme_when_nobody_asks != SEEME_NOBODY_SILENT))
		seeme_check_tables(query, eflags);
}

#pragma GCC visibility pop

#endif							/* SEEME_GUARDS_UNIDENTIFIED_H */
