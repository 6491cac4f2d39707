/*
 * scope.h: the kinds of scopes that a permission is asked about, and where each scope lies.
 *
 * A further kind of scope is an enumerator here and a descriptor in scope.c. The lists of columns
 * and indexes (columnlist.h, index_scan.h) name what it reads.
 */
#ifndef SEEME_CORE_SCOPE_H
#define SEEME_CORE_SCOPE_H

#include "postgres.h"

#include "access/attnum.h"
#include "nodes/pg_list.h"
#include "utils/uuid.h"

#include "core/index_scan.h"

#pragma GCC visibility push(hidden)

/*
 * The number of a kind is also the number of its argument of seeme_has_permission(). Containers
 * come first: users have memberships in them. A container may lie in containers of lower number; an
 * organization lies in none, and every other scope lies in one organization.
 */
typedef enum SeemeScopeKind
{
	SEEME_NO_SCOPE,
	SEEME_SCOPE_ORGANIZATION,
	SEEME_SCOPE_TEAM,
	SEEME_SCOPE_PROJECT,
	SEEME_SCOPE_RESOURCE,
} SeemeScopeKind;
#define SEEME_NCONTAINERS SEEME_SCOPE_PROJECT
#define SEEME_NSCOPE_KINDS SEEME_SCOPE_RESOURCE

/* Indexes that find nothing have this number. */
#define SEEME_NO_INDEX SEEME_NINDEXES

typedef struct SeemeScopeDescriptor
{
	const char *name;			/* for messages; also the name of the argument */
	const char *list_function;	/* lists the ids of this kind at which a permission is held */
	SeemeTable	table;			/* has a row for each; for a resource, one for each assignment */
	SeemeIndex	by_id;

	/* Containers only. By kind of the container around it, itself included; 0: it lies in none. */
	AttrNumber	columns[SEEME_NCONTAINERS + 1];
	SeemeIndex	by_container[SEEME_NCONTAINERS + 1];
	AttrNumber	membership_column;	/* of seeme.memberships */
	SeemeIndex	memberships;	/* by that column */
	SeemeIndex	archived;		/* those that are archived */
	bool		is_preloaded;	/* a busy session reads the table as a whole */
	const char *list_permission;	/* either of these shows it to others than its members */
	const char *read_permission;
	const char *manage_permission;	/* besides organizations:manage_members */
} SeemeScopeDescriptor;

extern const SeemeScopeDescriptor seeme_scope_descriptors[SEEME_NSCOPE_KINDS + 1];

/* What a permission is asked about. */
typedef struct SeemeScope
{
	SeemeScopeKind kind;
	pg_uuid_t	id;
	char	   *resource_type;	/* of a resource; NULL: of every type under that id */
} SeemeScope;

/* A container, and the containers that it lies in. All zeroes: it does not exist. */
typedef struct SeemePlace
{
	uint8		kinds;			/* a bit for each kind of container that has an id here */
	pg_uuid_t	ids[SEEME_NCONTAINERS];
} SeemePlace;

extern bool seeme_read_owner(SeemeStore *store, const pg_uuid_t *organization, pg_uuid_t *owner);
extern bool seeme_read_owner_of_archived(SeemeStore *store, const pg_uuid_t *organization,
										 pg_uuid_t *owner);
extern bool seeme_has_archived(SeemeStore *store, SeemeScopeKind kind);
extern bool seeme_is_archived(SeemeStore *store, SeemeScopeKind kind, const pg_uuid_t *id);
extern List *seeme_list_organizations_of_owner(SeemeStore *store, const pg_uuid_t *owner);
extern void seeme_visit_organizations(SeemeStore *store, int limit,
									  void (*visit) (void *context, const pg_uuid_t *organization,
													 const pg_uuid_t *owner), void *context);
extern bool seeme_read_place(SeemeStore *store, SeemeScopeKind kind, const pg_uuid_t *id,
							 SeemePlace *place);
extern bool seeme_read_place_of_archived(SeemeStore *store, SeemeScopeKind kind,
										 const pg_uuid_t *id, SeemePlace *place,
										 bool *container_is_archived);
extern void seeme_set_organization_place(SeemePlace *place, const pg_uuid_t *organization);
extern SeemePlace *seeme_organization_place(const pg_uuid_t *organization);
extern List *seeme_list_places(SeemeStore *store, SeemeScopeKind kind, SeemeScopeKind container,
							   const pg_uuid_t *id, int limit);
extern void seeme_visit_places(SeemeStore *store, SeemeScopeKind kind, int limit,
							   void (*visit) (void *context, const SeemePlace *place),
							   void *context);
extern List *seeme_find_places(SeemeStore *store, const SeemeScope *scope);
extern int	seeme_scopes_of_place(const SeemePlace *place, SeemeScope *scopes);

/* The container of a kind that a place is or lies in; NULL: none. */
static inline const pg_uuid_t *
seeme_place_id(const SeemePlace *place, SeemeScopeKind kind)
{
	return (place->kinds & (1 << kind)) != 0 ? &place->ids[kind - 1] : NULL;
}

static inline const pg_uuid_t *
seeme_place_organization(const SeemePlace *place)
{
	return &place->ids[SEEME_SCOPE_ORGANIZATION - 1];
}

static inline void
seeme_set_place_id(SeemePlace *place, SeemeScopeKind kind, const pg_uuid_t *id)
{
	place->kinds |= 1 << kind;
	place->ids[kind - 1] = *id;
}

/* The kind of the place itself, which is the last one that has an id. */
static inline SeemeScopeKind
seeme_place_kind(const SeemePlace *place)
{
	SeemeScopeKind kind = SEEME_NCONTAINERS;

	while (kind > SEEME_NO_SCOPE && (place->kinds & (1 << kind)) == 0)
		kind--;
	return kind;
}

#pragma GCC visibility pop

#endif							/* SEEME_CORE_SCOPE_H */
