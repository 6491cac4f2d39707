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
typedef enum SeemeInvalKind
{
	SEEME_INVAL_VOCABULARY,		/* codes, resource types, roles */
	SEEME_INVAL_PLACES,			/* organizations and their owners, teams, projects */
	SEEME_INVAL_RIGHTS,			/* people, memberships, keys */
	SEEME_INVAL_ASSIGNMENTS,	/* of resources to projects */
} SeemeInvalKind;
#define SEEME_NINVAL_KINDS 4

/*
 * Moves whenever something of that kind may have changed; the first moves with each of them. What was read before it moved
 * is no longer to be relied on.
 */
extern uint64 seeme_generation;
extern uint64 seeme_generations[SEEME_NINVAL_KINDS];

/*
 * What has changed of people one by one: each is in one of so many groups, and this is what seeme_generation was when something of
 * a group's changed last. Whoever notes seeme_generation before reading anything of a person can tell later, by a greater number
 * here, that it is no longer to be relied on. Changes of rights that are about no one person are in the array above.
 */
#define SEEME_NBUCKETS 1024
extern uint64 seeme_bucket_generations[SEEME_NBUCKETS];

/*
 * Moves with these, and with everything else that a call site relies on from row to row: who is asking, where things lie in
 * the cache, the dates that a viewer depends on. One comparison instead of four.
 */
extern uint64 seeme_site_generation;

/* The transaction that has changed rights itself, and the start of its last statement that did. */
extern LocalTransactionId seeme_rights_changed_lxid;
extern TimestampTz seeme_rights_changed_at;

/* The tables that something was read from: when one of them is rewritten, a snapshot from before finds it empty. */
#define SEEME_MAX_TABLES_READ 24
extern Oid	seeme_tables_read[SEEME_MAX_TABLES_READ];

/* Moves whenever a function, or what may be done with it, may have changed. */
extern uint64 seeme_function_generation;

/* The group that a person is in. */
static inline uint32
seeme_inval_bucket(const pg_uuid_t *user)
{
	uint64		halves[2];

	memcpy(halves, user->data, sizeof(halves));
	return ((halves[0] ^ halves[1]) * UINT64CONST(0x9E3779B97F4A7C15)) >> 54;
}

extern void seeme_inval_init(void);
extern bool seeme_find_proxies(Oid namespace);
extern void seeme_watch_proxies(Oid namespace);
extern void seeme_bump_generation(void);

/*
 * Takes notice of what others have committed, also in a statement that has all its locks, and tells whether what is
 * remembered may be used at all. It may not within a statement that is changing rights: of its rows some are written and
 * some are not, and no command counter tells between which of them a trigger runs.
 */
static inline bool
seeme_accept_invalidations(void)
{
	AcceptInvalidationMessages();
	return likely(seeme_rights_changed_lxid == InvalidLocalTransactionId) ||
		seeme_rights_changed_lxid != seeme_local_xid() ||
		seeme_rights_changed_at != GetCurrentStatementStartTimestamp();
}

#pragma GCC visibility pop

#endif							/* SEEME_CORE_INVALIDATION_H */
