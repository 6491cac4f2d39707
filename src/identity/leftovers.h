/* leftovers.h: what one user leaves in a session for the next. */
#ifndef SEEME_IDENTITY_LEFTOVERS_H
#define SEEME_IDENTITY_LEFTOVERS_H

#include "postgres.h"

#include "core/compat.h"
#include "identity/prepared_statements.h"

/* The transaction whose start was recorded last. */
extern LocalTransactionId seeme_last_transaction;

extern void seeme_leftovers_init(void);
extern void seeme_note_prepared(const char *name);
extern void seeme_claim_session(const SeemeLeftoverOwner *owner, bool share);
extern void seeme_record_transaction_start(void);

/*
 * Call this before anything is executed: the state at a transaction's start is known only until
 * its first statement runs.
 */
static inline void
seeme_note_transaction_start(void)
{
	if (seeme_last_transaction != seeme_local_xid())
		seeme_record_transaction_start();
}

#endif							/* SEEME_IDENTITY_LEFTOVERS_H */
