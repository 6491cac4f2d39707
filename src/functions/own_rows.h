/*
 * own_rows.h: how long the lists are that the policies of the extension's own tables go by.
 */
#ifndef SEEME_FUNCTIONS_OWN_ROWS_H
#define SEEME_FUNCTIONS_OWN_ROWS_H

#include "postgres.h"

#pragma GCC visibility push(hidden)

/* Of scopes: in the order of their levels. */
typedef enum SeemeOwnList
{
	SEEME_OWN_ORGANIZATIONS,
	SEEME_OWN_TEAMS,
	SEEME_OWN_PROJECTS,
	SEEME_OWN_ROLES,
	SEEME_OWN_PEOPLE,
} SeemeOwnList;

extern int	seeme_count_own(SeemeOwnList what, int ncodes, char **codes, int limit);
extern bool seeme_provisions(void);

#pragma GCC visibility pop

#endif							/* SEEME_FUNCTIONS_OWN_ROWS_H */
