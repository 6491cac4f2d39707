/* own_rows.h: how long the lists are by which the extension's own tables are read. */
#ifndef SEEME_FUNCTIONS_OWN_ROWS_H
#define SEEME_FUNCTIONS_OWN_ROWS_H

#include "postgres.h"

#include "cache/own_scopes.h"

#pragma GCC visibility push(hidden)

/* What is in a list of whoever is asking. */
typedef enum SeemeOwnList
{
	SEEME_OWN_SCOPES,
	SEEME_OWN_ROLES,
	SEEME_OWN_USERS,
} SeemeOwnList;

extern int	seeme_count_own(SeemeOwnList list, const SeemeOwnScopes *scopes, int limit);

#pragma GCC visibility pop

#endif							/* SEEME_FUNCTIONS_OWN_ROWS_H */
