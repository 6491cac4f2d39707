/*
 * slug.h: what a name is as a slug, and which slug a row gets.
 */
#ifndef SEEME_RULES_SLUG_H
#define SEEME_RULES_SLUG_H

#include "postgres.h"

#include "utils/hsearch.h"
#include "utils/rel.h"
#include "utils/uuid.h"

#pragma GCC visibility push(hidden)

/* Where a slug is unique. */
typedef struct SeemeSlugPlace
{
	Relation	table;
	Oid			index;			/* on the organization, if any, and the slug */
	int			id_column;
	int			organization_column;
	int			slug_column;
	const pg_uuid_t *organization;	/* NULL: everywhere */
	const pg_uuid_t *id;		/* the row's own; NULL: it has none */
	MemoryContext context;		/* of the statement */
	HTAB	   *numbered;		/* how far the numbers of names have come; NULL: none was needed */
} SeemeSlugPlace;

extern char *seeme_slug_base(const char *name, const char *fallback);
extern char *seeme_settle_slug(SeemeSlugPlace *place, const char *kind, const char *name,
							   char *given, char *former);

#pragma GCC visibility pop

#endif							/* SEEME_RULES_SLUG_H */
