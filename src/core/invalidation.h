/* invalidation.h: generations, which count the changes on which decisions depend. */
#ifndef SEEME_CORE_INVALIDATION_H
#define SEEME_CORE_INVALIDATION_H

#include "postgres.h"

#include "access/xact.h"
#include "utils/inval.h"
#include "utils/uuid.h"

#include "core/compat.h"

#pragma GCC visibility push(hidden)

/* The kinds of changes. Each has an empty proxy table. */
typedef enum SeemeInvalKind
{
	SEEME_INVAL_VOCABULARY,		/* codes, resource types, roles */
	SEEME_INVAL_PLACES,			/* organizations with their owners, teams, projects */
	SEEME_INVAL_RIGHTS,			/* users, memberships, keys */
	SEEME_INVAL_ASSIGNMENTS,	/* resources and their projects */
} SeemeInvalKind;
#define SEEME_NINVAL_KINDS 4
extern const char *const seeme_proxy_names[SEEME_NINVAL_KINDS];

/*
 * Incremented whenever something of a kind may have changed; the first, with each of them. What
 * was read under an older generation is not valid any more.
 */
extern uint64 seeme_generation;
extern uint64 seeme_generations[SEEME_NINVAL_KINDS];

/*
 * Each user is in one of 1,024 buckets. This is what seeme_generation was when something about a
 * user of the bucket changed last. Note seeme_generation before reading anything of a user: a
 * larger number here later means that it is not valid any more. Changes of rights that concern no
 * single user count above.
 */
#define SEEME_NBUCKETS 1024
extern uint64 seeme_bucket_generations[SEEME_NBUCKETS];

/* The OIDs that stand for buckets of users begin here. */
#define SEEME_FIRST_BUCKET_OID ((Oid) 8192)

/*
 * Incremented with the generations above, and whenever anything else changes on which call sites
 * rely from row to row: the identity, the addresses in the cache, the dates of a principal. So a
 * call site makes one comparison instead of four.
 */
extern uint64 seeme_site_generation;

/* The transaction that has changed rights itself, and the start of its last such statement. */
extern LocalTransactionId seeme_rights_changed_lxid;
extern TimestampTz seeme_rights_changed_at;

/* The tables that were read. A snapshot from before finds a rewritten table empty. */
#define SEEME_MAX_TABLES_READ 24
extern Oid	seeme_tables_read[SEEME_MAX_TABLES_READ];

/* Incremented whenever a function, or a privilege on one, may have changed. */
extern uint64 seeme_function_generation;

/* Incremented whenever any table or index may have been altered. */
extern uint64 seeme_relation_generation;

/* The bucket of a user. */
static inline uint32
seeme_inval_bucket(const pg_uuid_t *user)
{
	uint64		halves[2];

	memcpy(halves, user->data, sizeof(halves));
	return ((halves[0] ^ halves[1]) * UINT64CONST(0x9E3779B97F4A7C15)) >> 54;
}

extern void seeme_inval_init(void);
extern void seeme_kind_changed(SeemeInvalKind kind);
extern void seeme_bucket_changed(uint32 bucket);
extern bool seeme_find_proxies(Oid namespace);
extern void seeme_watch_proxies(Oid namespace);
extern void seeme_bump_generation(void);

/*
 * Receives the invalidations of other sessions, also within a statement that has all its locks.
 * Returns whether the cache may be used. It may not in a statement that is changing rights: a
 * trigger runs between its rows, and no command counter tells which of them are written.
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
