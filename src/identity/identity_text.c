#if 0							/* a copy, which the next commits cut to its part */
/*
 * identity.c: who is asking.
 *
 * Owns the settings that hold an identity, those that say which sources of one an administrator trusts, and the record of
 * whom this transaction has named. Knows the store (to find a person), and nothing of permissions.
 *
 * The identity is one of the transaction, or of the savepoint in it that it was named in: it ends and is rolled back with that.
 * A custom setting shows it, and hands it to parallel workers. Nobody but this file can set that, a superuser included: its check
 * hook refuses every value that does not come from here or, in a parallel worker, from the leader. That holds for SET, set_config,
 * ALTER ROLE, ALTER SYSTEM, start-up options, the SET clause of a function, and a placeholder made before the library was loaded.
 * It is set only where there are going to be workers: before PostgreSQL 16, a transaction that has set anything looks through all
 * settings when it ends, which is 400 cache lines beside a point query's 4,800.
 * A second such setting holds whom a session has logged in as for longer, where an administrator allows that.
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
#include "identity/jwt.h"
#include "identity/leftovers.h"
#include "core/store.h"
#include "core/version.h"

#define SEEME_USER_ID_SETTING "seeme_rbac.user_id"
#define SEEME_SESSION_USER_ID_SETTING "seeme_rbac.session_user_id"
#define SEEME_IDENTITY_LENGTH 128
#define SEEME_MAX_LEEWAY 300	/* seconds */

/* The settings. */
static char *user_id_setting = NULL;
static char *session_user_id_setting = NULL;
static char *current_organization_setting = NULL;
static bool session_login = false;
static bool trust_request_claims = false;
static char *system_user_methods = NULL;
static int	token_leeway = 30;

/* The values of the first two, USER, USER/KEY or USER@EXPIRY@ISSUED, as their check hook has read them; NULL: nobody. */
static const SeemeIdentity *leader_identity = NULL;
static const SeemeIdentity *session_identity = NULL;

/* Somebody named in this transaction: in which subtransaction, and whom that took the place of. */
typedef struct TransactionIdentity
{
	SeemeIdentity identity;
	SubTransactionId subid;
	struct TransactionIdentity *outer;
} TransactionIdentity;

/* The last of them, at most one of a subtransaction; NULL: nobody. The first is in `first`, others are the transaction's. */
static TransactionIdentity *transaction_identity = NULL;
static TransactionIdentity first_identity;

/* True only while set_identity() sets one of them, and what it means by it. */
static bool is_setting = false;
static const SeemeIdentity *new_identity = NULL;

/*
 * Whom this transaction named first. A rollback to a savepoint takes the setting back, but not this: a transaction speaks
 * for one person.
 */
static LocalTransactionId named_lxid = InvalidLocalTransactionId;
static SeemeIdentity named_identity;

/* Whether what this connection was authenticated as names the person; unknown until it is asked. */
static enum
{
	UNKNOWN, YES, NO
}			system_user_is_trusted = UNKNOWN;

/* Reads a uuid in its canonical form from the beginning of a text; where it ends, or NULL. */
static const char *
parse_uuid(const char *text, pg_uuid_t *uuid)
{
	memset(uuid, 0, sizeof(*uuid));
	for (int i = 0; i < 36; i++, text++)
	{
		int			digit;

		if (i == 8 || i == 13 || i == 18 || i == 23)
		{
			if (*text != '-')
				return NULL;
			continue;
		}
		if (*text >= '0' && *text <= '9')
			digit = *text - '0';
		else if (*text >= 'a' && *text <= 'f')
			digit = *text - 'a' + 10;
		else if (*text >= 'A' && *text <= 'F')
			digit = *text - 'A' + 10;
		else
			return NULL;
		/* The hyphens take 0, 1, 2, 3, 4 places before the digit. */
		uuid->data[(i - (i > 8) - (i > 13) - (i > 18) - (i > 23)) / 2] <<= 4;
		uuid->data[(i - (i > 8) - (i > 13) - (i > 18) - (i > 23)) / 2] |= digit;
	}
	return text;
}

/* Whether a text is a uuid and nothing else. */
bool
seeme_parse_user_id(const char *text, pg_uuid_t *user_id)
{
	const char *rest = parse_uuid(text, user_id);

	return rest != NULL && *rest == '\0';
}

/* USER, USER/KEY or USER@EXPIRY@ISSUED */
static bool
parse_identity(const char *text, SeemeIdentity *identity)
{
	const char *rest;

	memset(identity, 0, sizeof(*identity));
	identity->expires_at = DT_NOEND;
	identity->issued_at = DT_NOEND;
	rest = parse_uuid(text, &identity->user_id);
	if (rest != NULL && *rest == '/')
	{
		identity->has_key = true;
		rest = parse_uuid(rest + 1, &identity->key_id);
	}
	else if (rest != NULL && *rest == '@')
	{
		char	   *end;

		identity->expires_at = strtoll(rest + 1, &end, 10);
		if (*end != '@')
			return false;
		identity->issued_at = strtoll(end + 1, &end, 10);
		rest = end;
	}
	return rest != NULL && *rest == '\0';
}

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
		GUC_check_errhint("A trusted application calls seeme_assume(), anybody else seeme_login().");
		return false;
	}
	if (**newval == '\0')
		return true;			/* logged out */
	if (identity == NULL)
	{
		if (!parse_identity(*newval, &parsed))
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

/* Whom this transaction has named; in a parallel worker, whom its leader has. NULL: nobody. */
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
	/* Who logs out in a transaction has spoken in it, whether or not they come back with a rollback to a savepoint. */
	if (session_identity != NULL && LocalTransactionIdIsValid(seeme_local_xid()))
	{
		named_lxid = seeme_local_xid();
		named_identity = *session_identity;
	}
	session_identity = (const SeemeIdentity *) extra;
	seeme_site_generation++;
}

static bool
check_system_user_methods(char **newval, void **extra, GucSource source)
{
	char	   *list = pstrdup(*newval == NULL ? "" : *newval);
	List	   *methods;
	bool		fits = SplitIdentifierString(list, ',', &methods);

	if (!fits)
		GUC_check_errdetail("It is a list of authentication methods, as pg_hba.conf names them.");
	if (fits && methods != NIL && !SEEME_HAS_SYSTEM_USER)
	{
		GUC_check_errdetail("SYSTEM_USER came with PostgreSQL 16.");
		fits = false;
	}
	pfree(list);
	list_free(methods);
	return fits;
}

static void
assign_system_user_methods(const char *newval, void *extra)
{
	system_user_is_trusted = UNKNOWN;
	seeme_generation++;				/* somebody else may be asking now */
}

static bool
check_current_organization(char **newval, void **extra, GucSource source)
{
	pg_uuid_t	uuid;
	const char *rest;

	if (*newval == NULL || **newval == '\0')
		return true;
	rest = parse_uuid(*newval, &uuid);
	if (rest != NULL && *rest == '\0')
		return true;
	GUC_check_errdetail("It is the id of an organization, or empty.");
	return false;
}

/* Appends a uuid in its canonical form; where it ends. */
static char *
put_uuid(char *text, const pg_uuid_t *uuid)
{
	static const char digits[] = "0123456789abcdef";

	for (int i = 0; i < UUID_LEN; i++)
	{
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*text++ = '-';
		*text++ = digits[uuid->data[i] >> 4];
		*text++ = digits[uuid->data[i] & 15];
	}
	*text = '\0';
	return text;
}

/* The value of a setting that holds an identity (NULL: nobody). */
static void
put_identity(char text[SEEME_IDENTITY_LENGTH], const SeemeIdentity *identity)
{
	char	   *end = text;

	*text = '\0';
	if (identity == NULL)
		return;
	end = put_uuid(text, &identity->user_id);
	if (identity->has_key)
	{
		*end++ = '/';
		put_uuid(end, &identity->key_id);
	}
	else if (identity->expires_at != DT_NOEND || identity->issued_at != DT_NOEND)
		snprintf(end, text + SEEME_IDENTITY_LENGTH - end, "@" INT64_FORMAT "@" INT64_FORMAT,
				 identity->expires_at, identity->issued_at);
}

static const char *
show_user_id(void)
{
	static char text[SEEME_IDENTITY_LENGTH];

	put_identity(text, get_transaction_identity());
	return text;
}

/* NULL: nobody. */
static void
set_identity_setting(const char *setting, const SeemeIdentity *identity, GucAction action)
{
	char		text[SEEME_IDENTITY_LENGTH];

	put_identity(text, identity);
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

static bool
same_identity(const SeemeIdentity *a, const SeemeIdentity *b)
{
	return seeme_uuid_equal(&a->user_id, &b->user_id) && a->has_key == b->has_key &&
		seeme_uuid_equal(&a->key_id, &b->key_id);
}

/* From now until the end of the subtransaction, and of the one around it if that commits, this person is asking. */
static void
set_transaction_identity(const SeemeIdentity *identity)
{
	SubTransactionId current = GetCurrentSubTransactionId();

	if (transaction_identity == NULL || transaction_identity->subid != current)
	{
		TransactionIdentity    *added = transaction_identity == NULL ? &first_identity : MemoryContextAlloc(TopTransactionContext, sizeof(TransactionIdentity));

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
	if (transaction_identity == NULL || (event != XACT_EVENT_COMMIT && event != XACT_EVENT_ABORT && event != XACT_EVENT_PREPARE))
		return;
	transaction_identity = NULL;
	seeme_site_generation++;
}

static void
at_end_of_subtransaction(SubXactEvent event, SubTransactionId ended, SubTransactionId parent, void *arg)
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
		/* The one around it has named somebody, too: the same person, for another time. */
		TransactionIdentity    *later = transaction_identity;

		transaction_identity = later->outer;
		transaction_identity->identity = later->identity;
		pfree(later);
	}
	seeme_site_generation++;
}

/* Before a plan is run that may have parallel workers: they are going to be told who is asking. */
void
seeme_hand_to_workers(QueryDesc *query)
{
	if (query->plannedstmt->parallelModeNeeded && !IsInParallelMode() && transaction_identity != NULL &&
		seeme_version_fits() &&
		(leader_identity == NULL || !same_identity(leader_identity, &transaction_identity->identity) ||
		 leader_identity->expires_at != transaction_identity->identity.expires_at || leader_identity->issued_at != transaction_identity->identity.issued_at))
		set_identity_setting(SEEME_USER_ID_SETTING, &transaction_identity->identity, GUC_ACTION_LOCAL);
}

void
seeme_identity_init(void)
{
	DefineCustomStringVariable(SEEME_USER_ID_SETTING,
							   "The person who is asking in this transaction.",
							   "Set by seeme_assume() and seeme_login() alone; read it with seeme_user_id().",
							   &user_id_setting, "", PGC_SUSET,
							   GUC_NO_RESET_ALL | GUC_NOT_IN_SAMPLE | GUC_DISALLOW_IN_FILE,
							   check_user_id, assign_user_id, show_user_id);
	/* Reset by RESET ALL and DISCARD ALL, for whoever hands a connection on says one of them. */
	DefineCustomStringVariable(SEEME_SESSION_USER_ID_SETTING,
							   "The person who has logged in for the session.",
							   "Set by seeme_login() alone; read it with seeme_user_id().",
							   &session_user_id_setting, "", PGC_SUSET,
							   GUC_NOT_IN_SAMPLE | GUC_DISALLOW_IN_FILE,
							   check_user_id, assign_session_user_id, NULL);
	DefineCustomBoolVariable("seeme_rbac.session_login",
							 "Lets seeme_login() name a person for the whole session.",
							 "For roles that connect directly: behind a pool the next client would be that person.",
							 &session_login, false, PGC_SUSET, GUC_NOT_IN_SAMPLE, NULL, NULL, NULL);
	DefineCustomBoolVariable("seeme_rbac.trust_request_claims",
							 "Believes the setting request.jwt.claims about who is asking, as PostgREST writes it.",
							 "Every client can write it: whoever can run SQL is whom they like.",
							 &trust_request_claims, false, PGC_SUSET, GUC_NOT_IN_SAMPLE, NULL, NULL, NULL);
	DefineCustomStringVariable("seeme_rbac.system_user_methods",
							   "The authentication methods whose SYSTEM_USER names the person.",
							   "A list, as cert, ldap, gss, oauth; seeme.external_identities says who that is.",
							   &system_user_methods, "", PGC_SUSET, GUC_NOT_IN_SAMPLE | GUC_LIST_INPUT,
							   check_system_user_methods, assign_system_user_methods, NULL);
	DefineCustomIntVariable("seeme_rbac.token_leeway",
							"By how much the clock of a token's issuer may differ.",
							"Added to a token's expiry, and taken from its beginning.",
							&token_leeway, 30, 0, SEEME_MAX_LEEWAY, PGC_SUSET, GUC_UNIT_S | GUC_NOT_IN_SAMPLE,
							NULL, NULL, NULL);
	DefineCustomStringVariable("seeme_rbac.current_organization",
							   "The organization that the asking person works in.",
							   "For display and for narrowing one's own queries; it decides nothing.",
							   &current_organization_setting, "", PGC_USERSET, GUC_NOT_IN_SAMPLE,
							   check_current_organization, NULL, NULL);
	RegisterXactCallback(at_end_of_transaction, NULL);
	RegisterSubXactCallback(at_end_of_subtransaction, NULL);
}

/* A user's id as a subject has it; else the person whom an issuer calls so. */
static bool
find_user_of_subject(SeemeStore *store, const char *issuer, const char *subject, pg_uuid_t *user_id)
{
	return seeme_parse_user_id(subject, user_id) || seeme_find_external_identity(store, issuer, subject, user_id);
}

/*
 * The compatibility mode: whom request.jwt.claims names. False when there are no claims at all; who cannot be read from
 * them is nobody, and nobody else. The last claims are kept: a statement asks for every row.
 */
static bool
identity_of_claims(SeemeStore *store, SeemeIdentity *identity, bool *is_somebody)
{
	static char *last_text = NULL;
	static SeemeRequestClaims last;
	static bool last_fits;
	const char *text = GetConfigOption("request.jwt.claims", true, false);

	if (text == NULL || *text == '\0')
		return false;
	if (last_text == NULL || strcmp(last_text, text) != 0)
	{
		if (last_text != NULL)
			pfree(last_text);
		last_text = NULL;
		last_fits = seeme_jwt_read_foreign_claims(text, &last);
		last_text = MemoryContextStrdup(TopMemoryContext, text);
	}
	*is_somebody = last_fits && last.subject[0] != '\0' && find_user_of_subject(store, last.issuer, last.subject, &identity->user_id);
	*is_somebody = *is_somebody && !seeme_is_in_future(last.issued_at);
	if (*is_somebody && last.expires_at != DT_NOEND)
		identity->expires_at = seeme_with_leeway(last.expires_at, +1);
	identity->issued_at = last_fits ? last.issued_at : DT_NOBEGIN;
	return true;
}

/*
 * What the connection was authenticated as (PostgreSQL 16 and later), where an administrator trusts the method. False when
 * it does not count; who is not known by it is nobody, and nobody else.
 */
static bool
identity_of_system_user(SeemeStore *store, SeemeIdentity *identity, bool *is_somebody)
{
	const char *system_user = seeme_system_user();
	const char *name = system_user == NULL ? NULL : strchr(system_user, ':');
	char	   *method;

	if (name == NULL || system_user_is_trusted == NO || *system_user_methods == '\0')
		return false;
	method = pnstrdup(system_user, name - system_user);
	if (system_user_is_trusted == UNKNOWN)
	{
		List	   *methods;
		ListCell   *cell;

		system_user_is_trusted = NO;
		if (SplitIdentifierString(pstrdup(system_user_methods), ',', &methods))
			foreach(cell, methods)
			{
				if (strcmp(lfirst(cell), method) == 0)
					system_user_is_trusted = YES;
			}
		if (system_user_is_trusted == NO)
			return false;
	}
	*is_somebody = seeme_find_external_identity(store, psprintf("system_user:%s", method), name + 1, &identity->user_id);
	return true;
}

/*
 * Whether anybody is identified, and who: the person named in this transaction; else the one who has logged in for the
 * session; else, where an administrator trusts them, whom request.jwt.claims names, or what the connection was
 * authenticated as; else the one whose database_role is session_user. session_user, never current_user, which a SECURITY
 * DEFINER function and SET ROLE change. A source that is there but names nobody is not passed over. The person need not
 * exist (any more), and may be disabled: that is for the decision to see.
 */
static bool
identity_of_connection(SeemeIdentity *identity)
{
	SeemeStore	store;
	bool		is_somebody;
	char	   *role;

	memset(identity, 0, sizeof(*identity));
	identity->expires_at = DT_NOEND;
	identity->issued_at = DT_NOEND;
	seeme_store_open(&store);
	if (!(trust_request_claims && identity_of_claims(&store, identity, &is_somebody)) &&
		!identity_of_system_user(&store, identity, &is_somebody))
	{
		role = GetUserNameFromId(GetSessionUserId(), true);
		is_somebody = role != NULL && seeme_find_user_of_role(&store, role, &identity->user_id);
	}
	seeme_store_close(&store);
	return is_somebody;
}

/*
 * Good until something else is called here. While it returns the same pointer and seeme_site_generation does not move, it is the same
 * identity.
 */
const SeemeIdentity *
seeme_current_identity(void)
{
	static bool is_known = false;
	static uint64 known_under;
	static Oid	known_role;
	static bool is_somebody;
	static SeemeIdentity identity;
	const SeemeIdentity *person = get_transaction_identity();
	bool		may_remember;

	if (person != NULL)
		return person;
	if (session_identity != NULL)
	{
		/* Whoever asks for one person in a transaction does not ask for another later in it. */
		if (named_lxid != seeme_local_xid())
		{
			named_lxid = seeme_local_xid();
			named_identity = *session_identity;
		}
		return session_identity;
	}
	may_remember = seeme_accept_invalidations() && !trust_request_claims;
	if (!is_known || !may_remember || known_under != seeme_generation || known_role != GetSessionUserId())
	{
		uint64		changes;

		is_known = false;
		seeme_watch_proxies(get_namespace_oid("seeme", false));
		changes = seeme_generation;
		is_somebody = identity_of_connection(&identity);
		seeme_site_generation++;
		is_known = may_remember && changes == seeme_generation;
		known_under = changes;
		known_role = GetSessionUserId();
	}
	return is_somebody ? &identity : NULL;
}

/* Whether that is by a setting, and so the same as long as seeme_site_generation is. */
bool
seeme_identity_is_set(void)
{
	return get_transaction_identity() != NULL || session_identity != NULL;
}

/* Whether an administrator lets this role log in for the session. */
bool
seeme_trusts_session_login(void)
{
	return session_login;
}

/* A time that another clock has told, later (+1) or earlier (-1) by what clocks may differ. */
TimestampTz
seeme_with_leeway(TimestampTz time, int direction)
{
	if (TIMESTAMP_NOT_FINITE(time))
		return time;
	return time + direction * token_leeway * USECS_PER_SEC;
}

/*
 * Whether a token was issued later than clocks may differ: it would outlive every "sign out everywhere" until then. When tokens
 * count is compared exactly; no leeway is given there.
 */
bool
seeme_is_in_future(TimestampTz issued_at)
{
	return seeme_with_leeway(issued_at, -1) > GetCurrentTimestamp();
}

/* One and the same error, whatever is wrong with an identity. The reason goes to the server's log alone. */
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
 * From now until the end of the transaction (or of the session) this person is asking, of whom the caller knows that they may
 * act. Throws, with the error of seeme_refuse_identity(), when the transaction has spoken for somebody else (or for the same
 * person by another key); 55006 when the session still holds what somebody else was shown; 25000 in a parallel operation.
 */
void
seeme_assume_identity(const SeemeIdentity *identity, bool for_session)
{
	const SeemeIdentity *already;

	/* As a setting would be: other processes of the transaction could not be told. */
	if (IsInParallelMode())
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TRANSACTION_STATE),
				 errmsg("a person cannot be named during a parallel operation")));
	already = seeme_current_identity();
	if ((already != NULL && !same_identity(already, identity)) ||
		(named_lxid == seeme_local_xid() && !same_identity(&named_identity, identity)))
		seeme_refuse_identity("the transaction or session speaks for somebody else");
	seeme_claim_session(&identity->user_id);

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

/* Nobody is logged in for the session any more. Who was named in this transaction goes on asking. */
void
seeme_end_session_login(void)
{
	set_identity_setting(SEEME_SESSION_USER_ID_SETTING, NULL, GUC_ACTION_SET);
}

/*
 * seeme.nobody_asks() RETURNS boolean
 */
SEEME_FUNCTION(seeme_nobody_asks, 0)
{
	PG_RETURN_BOOL(seeme_current_identity() == NULL);
}

/*
 * seeme.is_narrowed() RETURNS boolean
 */
SEEME_FUNCTION(seeme_is_narrowed, 0)
{
	const SeemeIdentity *identity = get_transaction_identity() != NULL ? get_transaction_identity() : session_identity;

	PG_RETURN_BOOL(identity != NULL && identity->has_key);
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
#endif
