/*
 * prepared_statements.c: which user has prepared which statement of a session.
 *
 * A prepared statement is a leftover for the next user (leftovers.c). PostgreSQL does not know
 * which user prepared it, so SQL's PREPARE is noted here.
 *
 * Owns the names of the statements. Must not refuse anything.
 */
#include "postgres.h"

#include "commands/prepare.h"
#include "utils/hsearch.h"

#include "core/compat.h"
#include "core/store.h"
#include "identity/prepared_statements.h"

/*
 * A statement that SQL has prepared after the first user was named, or in the transaction that
 * named the user.
 */
typedef struct PreparedBySql
{
	char		name[NAMEDATALEN];	/* the key of the table; must be first */
	TimestampTz prepared_at;
	SeemeLeftoverOwner owner;
} PreparedBySql;

static HTAB *prepared = NULL;
static long prune_prepared_at = 64;

/*
 * Before the first user is named: the transaction that prepared the noted statements. They are
 * the first user's, if it is that transaction that names the user.
 */
static LocalTransactionId prepared_lxid = InvalidLocalTransactionId;

/*
 * Whether a noted statement still exists unchanged. Statements that a driver prepares by the
 * protocol are not noted.
 */
static bool
is_prepared(const PreparedBySql *noted)
{
	PreparedStatement *statement = FetchPreparedStatement(noted->name, false);

	return statement != NULL && statement->from_sql &&
		statement->prepare_time == noted->prepared_at;
}

static void
forget_prepared(void)
{
	if (prepared != NULL)
		hash_destroy(prepared);
	prepared = NULL;
	prune_prepared_at = 64;
}

/*
 * Takes note of a statement that SQL has prepared, for the user who was named last. NULL: nobody
 * was named in this session yet.
 */
void
seeme_keep_prepared(const char *name, const SeemeLeftoverOwner *owner)
{
	PreparedStatement *statement = FetchPreparedStatement(name, false);
	PreparedBySql *noted;

	if (statement == NULL)
		return;
	if (owner == NULL && prepared_lxid != seeme_local_xid())
	{
		forget_prepared();
		prepared_lxid = seeme_local_xid();
	}
	if (prepared == NULL)
	{
		HASHCTL		control = {.keysize = NAMEDATALEN, .entrysize = sizeof(PreparedBySql)};

		prepared = hash_create("seeme_rbac prepared statements", 64, &control,
							   HASH_ELEM | HASH_STRINGS);
	}

	/*
	 * A noted name costs memory. Remove those without a statement whenever their number has
	 * doubled.
	 */
	if (hash_get_num_entries(prepared) >= prune_prepared_at)
	{
		HASH_SEQ_STATUS status;
		PreparedBySql *old;

		hash_seq_init(&status, prepared);
		while ((old = hash_seq_search(&status)) != NULL)
			if (!is_prepared(old))
				hash_search(prepared, old->name, HASH_REMOVE, NULL);
		prune_prepared_at = Max(64, 2 * hash_get_num_entries(prepared));
	}
	noted = hash_search(prepared, statement->stmt_name, HASH_ENTER, NULL);
	noted->prepared_at = statement->prepare_time;
	if (owner != NULL)
		noted->owner = *owner;
}

/*
 * The first user is named. The statements that the same transaction has prepared are this user's.
 * Earlier ones are part of the baseline.
 */
void
seeme_claim_prepared(const SeemeLeftoverOwner *owner)
{
	HASH_SEQ_STATUS status;
	PreparedBySql *noted;

	if (prepared_lxid != seeme_local_xid())
		forget_prepared();
	if (prepared == NULL)
		return;
	hash_seq_init(&status, prepared);
	while ((noted = hash_seq_search(&status)) != NULL)
		noted->owner = *owner;
}

/*
 * A statement that another user has prepared and that still exists; NULL: there is none. With
 * `discard`, removes all such statements. A rollback neither removes a prepared statement nor
 * restores it, so each is noted with its user.
 */
const char *
seeme_find_prepared_by_other(const SeemeLeftoverOwner *owner, bool discard)
{
	HASH_SEQ_STATUS status;
	PreparedBySql *noted;
	const char *found = NULL;

	if (prepared == NULL || hash_get_num_entries(prepared) == 0)
		return NULL;
	hash_seq_init(&status, prepared);
	while ((noted = hash_seq_search(&status)) != NULL)
	{
		if (!is_prepared(noted))
			hash_search(prepared, noted->name, HASH_REMOVE, NULL);
		else if (seeme_same_leftover_owner(&noted->owner, owner))
			continue;
		else if (discard)
		{
			DropPreparedStatement(noted->name, false);
			hash_search(prepared, noted->name, HASH_REMOVE, NULL);
		}
		else
			found = noted->name;
	}
	return found;
}
