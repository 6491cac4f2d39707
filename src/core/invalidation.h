/*
 * invalidation.h: whether what decisions follow has changed.
 */
#ifndef SEEME_CORE_INVALIDATION_H
#define SEEME_CORE_INVALIDATION_H

#include "postgres.h"

#include "access/xact.h"
#include "utils/inval.h"
#include "utils/uuid.h"

#include "core/compat.h"

#pragma GCC visibility push(hidden)

/* What can change. Each kind has an empty table that stands for it. */
typedef enum SeemeChange
{
	SEEME_CHANGE_OF_VOCABULARY, /* codes, resource types, roles */
	SEEME_CHANGE_OF_PLACES,		/* organizations and their owners, teams, projects */
	SEEME_CHANGE_OF_RIGHTS,		/* people, memberships, keys */
	SEEME_CHANGE_OF_ASSIGNMENTS,	/* of resources to projects */
} SeemeChange;
#define SEEME_NCHANGES 4

/*
 * Moves whenever something of that kind may have changed; the first moves with each of them. What was read before it moved
 * is no longer to be relied on.
 */
extern uint64 seeme_changes;
extern uint64 seeme_changes_of[SEEME_NCHANGES];

/*
 * What has changed of people one by one: each is in one of so many groups, and this is what seeme_changes was when something of
 * a group's changed last. Whoever notes seeme_changes before reading anything of a person can tell later, by a greater number
 * here, that it is no longer to be relied on. Changes of rights that are about no one person are in the array above.
 */
#define SEEME_NGROUPS 1024
extern uint64 seeme_group_changed_at[SEEME_NGROUPS];

/*
 * Moves with these, and with everything else that a call site relies on from row to row: who is asking, where things lie in
 * the cache, the dates that a viewer depends on. One comparison instead of four.
 */
extern uint64 seeme_moves;

/* The transaction that has changed rights itself, and the start of its last statement that did. */
extern LocalTransactionId seeme_changed_in;
extern TimestampTz seeme_changed_at;

/* The tables that something was read from: when one of them is rewritten, a snapshot from before finds it empty. */
#define SEEME_MAX_TABLES_READ 24
extern Oid	seeme_tables_read[SEEME_MAX_TABLES_READ];

/* Moves whenever a function, or what may be done with it, may have changed. */
extern uint64 seeme_changes_of_functions;

/* The group that a person is in. */
static inline uint32
seeme_group_of(const pg_uuid_t *person)
{
	uint64		halves[2];

	memcpy(halves, person->data, sizeof(halves));
	return ((halves[0] ^ halves[1]) * UINT64CONST(0x9E3779B97F4A7C15)) >> 54;
}

extern void seeme_changes_init(void);
extern bool seeme_find_proxies(Oid namespace);
extern void seeme_watch_changes(Oid namespace);
extern void seeme_distrust(void);

/*
 * Takes notice of what others have committed, also in a statement that has all its locks, and tells whether what is
 * remembered may be used at all. It may not within a statement that is changing rights: of its rows some are written and
 * some are not, and no command counter tells between which of them a trigger runs.
 */
static inline bool
seeme_accept_changes(void)
{
	AcceptInvalidationMessages();
	return likely(seeme_changed_in == InvalidLocalTransactionId) ||
		seeme_changed_in != seeme_local_xid() ||
		seeme_changed_at != GetCurrentStatementStartTimestamp();
}

#pragma GCC visibility pop

#endif							/* SEEME_CORE_INVALIDATION_H */
