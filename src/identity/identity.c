/*
 * identity.c: who is asking.
 *
 * Owns the identity of a transaction, the identity of a session, and the settings that show them.
 * Must not know permissions.
 *
 * A transaction's identity belongs to the savepoint in which it was named, and is rolled back
 * with it. The setting seeme_rbac.user_id shows it, and passes it to parallel workers. Only this
 * file can set it. The check hook refuses every other value, from superusers, too: by SET,
 * set_config, ALTER ROLE, ALTER SYSTEM, start-up options, and placeholders from before the
 * library was loaded. It is set only for plans with workers. Before PostgreSQL 16, a transaction
 * that has set anything looks at all settings at its end, which is 400 cache lines beside the
 * 4,800 of a point query.
 *
 * A second setting has the identity of a session, where an administrator allows logins for a
 * session.
 */
#include "postgres.h"

#include "access/parallel.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rls.h"
#include "utils/timestamp.h"
#include "utils/varlena.h"

#include "core/invalidation.h"
#include "core/compat.h"
#include "identity/identity.h"
#include "identity/identity_sources.h"
#include "identity/identity_text.h"
#include "identity/leftovers.h"
#include "identity/system_roles.h"
#include "core/store.h"
#include "core/version.h"

#define SEEME_USER_ID_SETTING "seeme_rbac.user_id"
#define SEEME_SESSION_USER_ID_SETTING "seeme_rbac.session_user_id"

/* The settings */
static char *user_id_setting = NULL;
static char *session_user_id_setting = NULL;
static char *current_organization_setting = NULL;
static bool session_login = false;
static bool several_people = false;

/* The values of the first two settings, as their check hook has parsed them; NULL: nobody. */
static const SeemeIdentity *leader_identity = NULL;
static const SeemeIdentity *session_identity = NULL;

/* An identity that was named in this transaction, its subtransaction, and the identity before. */
typedef struct TransactionIdentity
{
	SeemeIdentity identity;
	SubTransactionId subid;
	struct TransactionIdentity *outer;
} TransactionIdentity;

/*
 * The innermost one; NULL: none was named. The outermost is in `first_identity`; others are in
 * TopTransactionContext.
 */
static TransactionIdentity *transaction_identity = NULL;
static TransactionIdentity first_identity;

/* Set only while set_identity_setting() runs: the check hook accepts this value. */
static bool is_setting = false;
static const SeemeIdentity *new_identity = NULL;

/*
 * The first identity of this transaction. A rollback to a savepoint does not undo it: a
 * transaction speaks for one user. With seeme_rbac.several_people it is the last one.
 */
static LocalTransactionId named_lxid = InvalidLocalTransactionId;
static SeemeIdentity named_identity;

static bool
check_user_id(char **newval, void **extra, GucSource source)
{
	SeemeIdentity parsed;
	const SeemeIdentity *identity = new_identity;

	if (source <= PGC_S_DEFAULT && (*newval == NULL || **newval == '\0'))
		return true;
	if (!is_setting && !InitializingParallelWorker)
	{
		GUC_check_errcode(ERRCODE_INSUFFICIENT_PRIVILEGE);
		GUC_check_errmsg("the person who is asking cannot be set");
		GUC_check_errhint("A trusted application calls seeme_assume(), anybody else "
						  "seeme_login().");
		return false;
	}
	if (**newval == '\0')
		return true;			/* logged out */
	if (identity == NULL)
	{
		if (!seeme_parse_identity(*newval, &parsed))
			return false;
		identity = &parsed;
	}
	*extra = guc_malloc(LOG, sizeof(SeemeIdentity));
	if (*extra == NULL)
		return false;
	memcpy(*extra, identity, sizeof(SeemeIdentity));
	return true;
}

static void
assign_user_id(const char *newval, void *extra)
{
	leader_identity = (const SeemeIdentity *) extra;
	seeme_site_generation++;
}

/*
 * The identity that was named in this transaction; in a parallel worker, in its leader. NULL:
 * none.
 */
static const SeemeIdentity *
get_transaction_identity(void)
{
	if (transaction_identity != NULL)
		return &transaction_identity->identity;
	return IsParallelWorker() ? leader_identity : NULL;
}

static void
assign_session_user_id(const char *newval, void *extra)
{
	/* A transaction that logs out has spoken for the user, even if a savepoint is rolled back. */
	if (session_identity != NULL && LocalTransactionIdIsValid(seeme_local_xid()))
	{
		named_lxid = seeme_local_xid();
		named_identity = *session_identity;
	}
	session_identity = (const SeemeIdentity *) extra;
	seeme_site_generation++;
}

static bool
check_current_organization(char **newval, void **extra, GucSource source)
{
	pg_uuid_t	uuid;

	if (*newval == NULL || **newval == '\0' || seeme_parse_user_id(*newval, &uuid))
		return true;
	GUC_check_errdetail("It is the id of an organization, or empty.");
	return false;
}

static const char *
show_user_id(void)
{
	static char text[SEEME_IDENTITY_LENGTH];

	seeme_put_identity(text, get_transaction_identity());
	return text;
}

/* Sets a setting to an identity; NULL: nobody. */
static void
set_identity_setting(const char *setting, const SeemeIdentity *identity, GucAction action)
{
	char text[	SEEME_IDENTITY_LENGTH];

	seeme_put_identity(text, identity);
	is_setting = true;
	new_identity = identity;
	PG_TRY();
	{
		(void) set_config_option(setting, text, PGC_SUSET, PGC_S_SESSION, action, true, 0, false);
	}
	PG_FINALLY();
	{
		is_setting = false;
		new_identity = NULL;
	}
	PG_END_TRY();
}

bool
seeme_same_identity(const SeemeIdentity *a, const SeemeIdentity *b)
{
	return seeme_uuid_equal(&a->user_id, &b->user_id) && a->has_key == b->has_key &&
		seeme_uuid_equal(&a->key_id, &b->key_id) && a->has_actor == b->has_actor &&
		seeme_uuid_equal(&a->actor_id, &b->actor_id);
}

/*
 * Names an identity until the end of the subtransaction, or of the outer one if this one commits.
 */
static void
set_transaction_identity(const SeemeIdentity *identity)
{
	SubTransactionId current = GetCurrentSubTransactionId();

	if (transaction_identity == NULL || transaction_identity->subid != current)
	{
		TransactionIdentity *added = transaction_identity == NULL
		? &first_identity
		: MemoryContextAlloc(TopTransactionContext,
							 sizeof(TransactionIdentity));

		added->subid = current;
		added->outer = transaction_identity;
		transaction_identity = added;
	}
	transaction_identity->identity = *identity;
	seeme_site_generation++;
}

static void
at_end_of_transaction(XactEvent event, void *arg)
{
	if (transaction_identity == NULL ||
		(event != XACT_EVENT_COMMIT && event != XACT_EVENT_ABORT && event != XACT_EVENT_PREPARE))
		return;
	transaction_identity = NULL;
	seeme_site_generation++;
}

static void
at_end_of_subtransaction(SubXactEvent event, SubTransactionId ended,
						 SubTransactionId parent, void *arg)
{
	if (transaction_identity == NULL || transaction_identity->subid != ended)
		return;
	if (event == SUBXACT_EVENT_ABORT_SUB)
		transaction_identity = transaction_identity->outer;
	else if (event != SUBXACT_EVENT_COMMIT_SUB)
		return;
	else if (transaction_identity->outer == NULL || transaction_identity->outer->subid != parent)
		transaction_identity->subid = parent;
	else
	{
		/* The outer one has named the same user, with other dates; or see several_people. */
		TransactionIdentity *later = transaction_identity;

		transaction_identity = later->outer;
		transaction_identity->identity = later->identity;
		pfree(later);
	}
	seeme_site_generation++;
}

/* Passes the identity to parallel workers, before a plan runs that may have some. */
void
seeme_hand_to_workers(QueryDesc *query)
{
	if (query->plannedstmt->parallelModeNeeded && !IsInParallelMode() &&
		transaction_identity != NULL && seeme_version_fits() &&
		(leader_identity == NULL ||
		 !seeme_same_identity(leader_identity, &transaction_identity->identity) ||
		 leader_identity->expires_at != transaction_identity->identity.expires_at ||
		 leader_identity->issued_at != transaction_identity->identity.issued_at))
		set_identity_setting(SEEME_USER_ID_SETTING, &transaction_identity->identity,
							 GUC_ACTION_LOCAL);
}

void
seeme_identity_init(void)
{
	DefineCustomStringVariable(SEEME_USER_ID_SETTING,
							   "The person who is asking in this transaction.",
							   "Set by seeme_assume() and seeme_login() alone; read it with "
							   "seeme_user_id().",
							   &user_id_setting, "", PGC_SUSET,
							   GUC_NO_RESET_ALL | GUC_NOT_IN_SAMPLE | GUC_DISALLOW_IN_FILE,
							   check_user_id, assign_user_id, show_user_id);
	/* RESET ALL and DISCARD ALL reset it: a pool says one of them before the next client. */
	DefineCustomStringVariable(SEEME_SESSION_USER_ID_SETTING,
							   "The person who has logged in for the session.",
							   "Set by seeme_login() alone; read it with seeme_user_id().",
							   &session_user_id_setting, "", PGC_SUSET,
							   GUC_NOT_IN_SAMPLE | GUC_DISALLOW_IN_FILE,
							   check_user_id, assign_session_user_id, NULL);
	DefineCustomBoolVariable("seeme_rbac.session_login",
							 "Lets seeme_login() name a person for the whole session.",
							 "For roles that connect directly: behind a pool the next client "
							 "would be that person.",
							 &session_login, false, PGC_SUSET, GUC_NOT_IN_SAMPLE, NULL, NULL,
							 NULL);
	DefineCustomBoolVariable("seeme_rbac.several_people",
							 "Lets a transaction name one person after another.",
							 "For tests of an application. Injected SQL could name anybody.",
							 &several_people, false, PGC_SUSET, GUC_NOT_IN_SAMPLE, NULL, NULL,
							 NULL);
	DefineCustomStringVariable("seeme_rbac.current_organization",
							   "The organization that the asking person works in.",
							   "For display and for narrowing one's own queries; it decides "
							   "nothing.",
							   &current_organization_setting, "", PGC_USERSET, GUC_NOT_IN_SAMPLE,
							   check_current_organization, NULL, NULL);
	seeme_identity_sources_init();
	seeme_system_roles_init();
	RegisterXactCallback(at_end_of_transaction, NULL);
	RegisterSubXactCallback(at_end_of_subtransaction, NULL);
}

/*
 * The identity that is asking: the one named in this transaction, else that of the session, else
 * that of the connection. NULL: nobody. The pointer is valid until the next call. While the
 * pointer and seeme_site_generation stay the same, so does the identity.
 *
 * In a session of a system role nobody is asking, also if somebody was named before the role
 * became one.
 */
const SeemeIdentity *
seeme_current_identity(void)
{
	static bool is_known = false;
	static uint64 known_generation;
	static Oid	known_role;
	static bool is_identified;
	static SeemeIdentity identity;
	const SeemeIdentity *named = get_transaction_identity();
	bool		use_known;

	if (seeme_is_system_session())
		return NULL;
	if (named != NULL)
		return named;
	if (session_identity != NULL)
	{
		/* From here on the transaction speaks for this user. */
		if (named_lxid != seeme_local_xid())
		{
			named_lxid = seeme_local_xid();
			named_identity = *session_identity;
		}
		return session_identity;
	}
	use_known = seeme_accept_invalidations() && !seeme_trusts_request_claims();
	if (!is_known || !use_known || known_generation != seeme_generation ||
		known_role != GetSessionUserId())
	{
		uint64		generation;

		is_known = false;
		seeme_watch_proxies(get_namespace_oid("seeme", false));
		generation = seeme_generation;
		is_identified = seeme_identity_of_connection(&identity);
		seeme_site_generation++;
		is_known = use_known && generation == seeme_generation;
		known_generation = generation;
		known_role = GetSessionUserId();
	}
	return is_identified ? &identity : NULL;
}

/* Whether the identity was named, so that it changes only with seeme_site_generation. */
bool
seeme_identity_is_set(void)
{
	return get_transaction_identity() != NULL || session_identity != NULL;
}

/* Whether an administrator allows this role to log in for a session. */
bool
seeme_trusts_session_login(void)
{
	return session_login;
}

/*
 * Raises the one error for everything that is wrong with an identity. Only the server's log has
 * the reason.
 */
void
seeme_refuse_identity(const char *reason)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION),
			 errmsg("this person cannot be identified here"),
			 errdetail_log("Reason: %s.", reason),
			 errhint("A transaction speaks for one person, who exists and is not disabled. "
					 "The server's log has the reason.")));
}

/*
 * Names an identity until the end of the transaction or session. The caller has found it valid.
 * Throws 42501 in a session of a system role. Throws the error of seeme_refuse_identity() if the
 * transaction has spoken for another user, or for the same user with another key or actor; 55006 if
 * the session still has objects of another user; 25000 in a parallel operation. With
 * seeme_rbac.several_people, the second and third are no errors.
 */
void
seeme_assume_identity(const SeemeIdentity *identity, bool for_session)
{
	SeemeLeftoverOwner owner = {.user_id = identity->user_id, .has_actor = identity->has_actor,
	.actor_id = identity->actor_id};

	seeme_refuse_system_session();
	/* The workers that are running could not be told. */
	if (IsInParallelMode())
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TRANSACTION_STATE),
				 errmsg("a person cannot be named during a parallel operation")));
	if (!several_people)
	{
		const SeemeIdentity *already = seeme_current_identity();

		if ((already != NULL && !seeme_same_identity(already, identity)) ||
			(named_lxid == seeme_local_xid() && !seeme_same_identity(&named_identity, identity)))
			seeme_refuse_identity("the transaction or session speaks for somebody else");
	}
	seeme_claim_session(&owner, several_people);

	if (!for_session && !IsTransactionBlock())
		ereport(WARNING,
				(errcode(ERRCODE_NO_ACTIVE_SQL_TRANSACTION),
				 errmsg("the identity ends with this statement"),
				 errhint("Call it inside a transaction block.")));

	named_lxid = seeme_local_xid();
	named_identity = *identity;
	if (for_session)
		set_identity_setting(SEEME_SESSION_USER_ID_SETTING, identity, GUC_ACTION_SET);
	else
		set_transaction_identity(identity);
}

/* Ends the login of a session. An identity that was named in this transaction stays. */
void
seeme_end_session_login(void)
{
	set_identity_setting(SEEME_SESSION_USER_ID_SETTING, NULL, GUC_ACTION_SET);
}

/*
 * seeme.is_unidentified() RETURNS boolean
 */
SEEME_FUNCTION(seeme_is_unidentified, 0)
{
	PG_RETURN_BOOL(seeme_current_identity() == NULL);
}

/*
 * The identity that was named, also if it does not count any more; NULL: nobody was named, or
 * nobody is asking in a session of a system role.
 */
static const SeemeIdentity *
get_named_identity(void)
{
	if (seeme_is_system_session())
		return NULL;
	return get_transaction_identity() != NULL ? get_transaction_identity() : session_identity;
}

/* The API key of whoever is asking; NULL: none was used. */
const pg_uuid_t *
seeme_current_key(void)
{
	const SeemeIdentity *identity = get_named_identity();

	return identity != NULL && identity->has_key ? &identity->key_id : NULL;
}

/* The person who acts for whoever is asking; NULL: nobody does. */
const pg_uuid_t *
seeme_current_actor(void)
{
	const SeemeIdentity *identity = get_named_identity();

	return identity != NULL && identity->has_actor ? &identity->actor_id : NULL;
}

/* Refuses what people do for themselves only. The action is a verb phrase. */
void
seeme_require_no_actor(const char *action)
{
	if (seeme_current_actor() != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("you cannot %s while you act for somebody", action),
				 errhint("This is for the person themselves.")));
}

/*
 * seeme.uses_api_key() RETURNS boolean
 */
SEEME_FUNCTION(seeme_uses_api_key, 0)
{
	PG_RETURN_BOOL(seeme_current_key() != NULL);
}


/*
 * seeme.require_no_actor(action text) RETURNS void
 */
SEEME_FUNCTION(seeme_require_no_actor_for, 1)
{
	seeme_require_no_actor(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	PG_RETURN_VOID();
}

/*
 * seeme.is_superuser() RETURNS boolean
 */
SEEME_FUNCTION_OF_ANY_VERSION(seeme_is_superuser)
{
	PG_RETURN_BOOL(superuser_arg(GetOuterUserId()));
}

/*
 * seeme.bypasses_row_security() RETURNS boolean
 */
SEEME_FUNCTION_OF_ANY_VERSION(seeme_bypasses_row_security)
{
	PG_RETURN_BOOL(has_bypassrls_privilege(GetOuterUserId()));
}
