/*
 * login.c: the ways to identify oneself: a trusted application (seeme_assume), support staff
 * (seeme_act_for), an API key or a signed token (seeme_login).
 *
 * Owns the verified tokens of this backend. Must not say whether an identity counts: that is for
 * cache/identity_lookup.c. identity.c keeps it, and jwt.c reads tokens.
 */
#include "postgres.h"

#include "catalog/pg_proc.h"
#include "common/cryptohash.h"
#include "common/sha2.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

#include "core/invalidation.h"
#include "cache/effective_permissions.h"
#include "identity/identity.h"
#include "identity/identity_text.h"
#include "identity/jwt.h"
#include "identity/system_roles.h"
#include "core/store.h"
#include "core/version.h"

/*
 * About as many as a pooled connection sees in the lifetime of a token; some 200 kB. When the
 * table is full, all tokens are forgotten.
 */
#define MAX_VERIFIED_TOKENS 1024

typedef struct Digest
{
	uint8		bytes[PG_SHA256_DIGEST_LENGTH];
} Digest;

/* A token with a valid signature, by its SHA-256, and the key that verified it. */
typedef struct VerifiedToken
{
	Digest		digest;			/* the key of the table; must be first */
	pg_uuid_t	key_id;
	Digest		key_digest;
	TimestampTz not_before;
	TimestampTz issued_at;
	TimestampTz expires_at;
	char	   *subject;
} VerifiedToken;

static HTAB *verified = NULL;
static MemoryContext verified_context = NULL;

/* Whether a role itself was granted EXECUTE on a function. */
static bool
is_grantee(Oid role, Oid function)
{
	HeapTuple	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
	Datum		datum;
	bool		isnull;
	bool		found = false;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for function %u", function);
	datum = SysCacheGetAttr(PROCOID, tuple, Anum_pg_proc_proacl, &isnull);
	if (!isnull)
	{
		Acl		   *acl = DatumGetAclPCopy(datum);
		AclItem    *items = ACL_DAT(acl);

		for (int i = 0; i < ACL_NUM(acl) && !found; i++)
			found = (ACLITEM_GET_PRIVS(items[i]) & ACL_EXECUTE) != 0 && items[i].ai_grantee == role;
	}
	ReleaseSysCache(tuple);
	return found;
}

/* Whether a role was granted EXECUTE on a function. Kept for each function that names people. */
typedef struct KnownGrantee
{
	Oid			function;
	Oid			role;
	uint64		generation;		/* seeme_function_generation; 0: nothing is known */
	bool		is_grantee;
} KnownGrantee;

/*
 * Whether session_user itself was granted EXECUTE on a function. A grant to PUBLIC does not
 * count, because a careless GRANT makes one. Nor does a grant to a role of which it is a member.
 * The answer is kept until a function changes.
 */
static pg_attribute_always_inline bool
session_user_is_grantee(Oid function, KnownGrantee *known)
{
	Oid			role = GetSessionUserId();

	(void) seeme_accept_invalidations();
	if (known->generation != seeme_function_generation || known->function != function ||
		known->role != role)
	{
		uint64		generation = seeme_function_generation;

		known->generation = 0;
		known->is_grantee = is_grantee(role, function);
		known->function = function;
		known->role = role;
		known->generation = generation;
	}
	return known->is_grantee || superuser_arg(role);
}

/*
 * Whether this runs in a SECURITY DEFINER function, or where PostgreSQL runs one role's code for
 * another.
 */
static bool
in_foreign_context(void)
{
	Oid			user_id;
	int			context;

	GetUserIdAndSecContext(&user_id, &context);
	return (context & (SECURITY_LOCAL_USERID_CHANGE | SECURITY_RESTRICTED_OPERATION)) != 0;
}

/*
 * Assumes an identity. The error is the same whether the user, actor, key or token is unknown,
 * disabled or expired, or the session speaks for another user. A session of a system role assumes
 * none.
 */
static void
identify(const SeemeIdentity *identity, bool for_session)
{
	seeme_refuse_system_session();
	if (!seeme_is_valid_identity(identity))
		seeme_refuse_identity("the person, actor, key or token is unknown, disabled, signed out, "
							  "or has expired; or who made the key could not make it now");
	seeme_assume_identity(identity, for_session);
}

/* A grant of one function that names people is no grant of another one. */
static pg_attribute_always_inline void
require_grantee(FunctionCallInfo fcinfo, const char *function, KnownGrantee *known)
{
	if (!session_user_is_grantee(fcinfo->flinfo->fn_oid, known) || in_foreign_context())
		ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
						errmsg("permission denied for function %s", function),
						errdetail("It is for the database role that connected (session_user), if "
								  "that was granted it, and not to be called from SECURITY "
								  "DEFINER functions.")));
}

static inline pg_uuid_t
user_argument(FunctionCallInfo fcinfo, int arg, const char *name)
{
	if (PG_ARGISNULL(arg))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("%s is null", name)));
	return *PG_GETARG_UUID_P(arg);
}

/*
 * seeme_assume(user_id uuid) RETURNS uuid
 */
SEEME_FUNCTION(seeme_assume, 1)
{
	static KnownGrantee known;
	SeemeIdentity identity = {.expires_at = DT_NOEND, .issued_at = DT_NOEND};

	require_grantee(fcinfo, "seeme_assume", &known);
	identity.user_id = user_argument(fcinfo, 0, "user_id");
	identify(&identity, false);
	PG_RETURN_DATUM(PG_GETARG_DATUM(0));
}

/*
 * Writes a call of seeme_act_for to the server's log, which a rollback does not change. If the call
 * is refused, the error follows in the log. The line is never sent to the client. It leaves the
 * statement out, which may have secrets.
 */
static void
log_act_for(const SeemeIdentity *identity)
{
	char	   *user = DatumGetCString(DirectFunctionCall1(uuid_out,
														   UUIDPGetDatum(&identity->user_id)));
	char	   *actor = DatumGetCString(DirectFunctionCall1(uuid_out,
															UUIDPGetDatum(&identity->actor_id)));

	ereport(LOG_SERVER_ONLY,
			(errmsg("seeme_act_for is called: user %s, actor %s, database role \"%s\"",
					user, actor, GetUserNameFromId(GetSessionUserId(), false)),
			 errhidestmt(true), errhidecontext(true)));
}

/*
 * seeme_act_for(user_id, actor_id uuid) RETURNS uuid
 */
SEEME_FUNCTION(seeme_act_for, 2)
{
	static KnownGrantee known;
	SeemeIdentity identity = {.expires_at = DT_NOEND, .issued_at = DT_NOEND, .has_actor = true};

	require_grantee(fcinfo, "seeme_act_for", &known);
	identity.user_id = user_argument(fcinfo, 0, "user_id");
	identity.actor_id = user_argument(fcinfo, 1, "actor_id");
	if (seeme_uuid_equal(&identity.user_id, &identity.actor_id))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("user and actor are the same person"),
				 errhint("Call seeme_assume() for somebody who acts as themselves.")));
	log_act_for(&identity);
	identify(&identity, false);
	PG_RETURN_DATUM(PG_GETARG_DATUM(0));
}

/*
 * For SECURITY DEFINER functions of the extension: other callers are refused, even with EXECUTE.
 */
static void
require_extension(const char *function)
{
	if (!superuser())
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied for function %s", function)));
}

static void
require_session_login(bool for_session)
{
	if (for_session && !seeme_trusts_session_login())
		ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
						errmsg("nobody logs in for a whole session here"),
						errhint("An administrator can allow it to a role that connects directly: "
								"ALTER ROLE ... SET seeme_rbac.session_login = on.")));
}

/*
 * seeme.login_by_key(user_id, key_id uuid, for_session boolean) RETURNS void
 *
 * Null arguments get the same error as an unknown user.
 */
SEEME_FUNCTION(seeme_login_by_key, 3)
{
	SeemeIdentity identity = {.expires_at = DT_NOEND, .issued_at = DT_NOEND};

	require_extension("login_by_key");
	seeme_refuse_system_session();
	require_session_login(PG_GETARG_BOOL(2));
	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		seeme_refuse_identity("the key is unknown or has expired");
	identity.user_id = *PG_GETARG_UUID_P(0);
	identity.has_key = true;
	identity.key_id = *PG_GETARG_UUID_P(1);
	identify(&identity, PG_GETARG_BOOL(2));
	PG_RETURN_VOID();
}

/* SHA-256 of some texts, each preceded by its length. */
static void
digest_texts(int ntexts, const char *const *texts, Digest *digest)
{
	pg_cryptohash_ctx *hash = pg_cryptohash_create(PG_SHA256);
	bool		done = hash != NULL && pg_cryptohash_init(hash) >= 0;

	for (int i = 0; i < ntexts && done; i++)
	{
		uint64		length = strlen(texts[i]);

		done = pg_cryptohash_update(hash, (const uint8 *) &length, sizeof(length)) >= 0 &&
			pg_cryptohash_update(hash, (const uint8 *) texts[i], length) >= 0;
	}
	done = done && pg_cryptohash_final(hash, digest->bytes, sizeof(digest->bytes)) >= 0;
	pg_cryptohash_free(hash);
	if (!done)
		elog(ERROR, "could not compute a SHA-256 digest");
}

static void
digest_key(const SeemeTokenKey *key, Digest *digest)
{
	const char *texts[] = {key->kid, key->issuer, key->audience, key->algorithm, key->jwk};

	digest_texts(lengthof(texts), texts, digest);
}

static void
forget_verified_tokens(void)
{
	HASHCTL		control = {.keysize = sizeof(Digest), .entrysize = sizeof(VerifiedToken)};

	verified = NULL;
	if (verified_context == NULL)
		verified_context = AllocSetContextCreate(TopMemoryContext, "seeme_rbac verified tokens",
												 ALLOCSET_DEFAULT_SIZES);
	else
		MemoryContextReset(verified_context);
	control.hcxt = verified_context;
	verified = hash_create("seeme_rbac verified tokens", 64, &control,
						   HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

static void
remember_token(const Digest *digest, const SeemeTokenKey *key, const SeemeClaims *claims)
{
	VerifiedToken *token;
	char	   *subject;
	Digest		key_digest;

	if (verified == NULL || hash_get_num_entries(verified) >= MAX_VERIFIED_TOKENS)
		forget_verified_tokens();
	digest_key(key, &key_digest);
	subject = MemoryContextStrdup(verified_context, claims->subject);
	token = hash_search(verified, digest, HASH_ENTER, NULL);
	token->key_id = key->id;
	token->key_digest = key_digest;
	token->not_before = claims->not_before;
	token->issued_at = claims->issued_at;
	token->expires_at = claims->expires_at;
	token->subject = subject;
}

/* The key that verified a token before, if it is still the same key; else NULL. */
static SeemeTokenKey *
recall_token(SeemeStore *store, const Digest *digest, SeemeClaims *claims)
{
	VerifiedToken *token = verified == NULL ? NULL : hash_search(verified, digest, HASH_FIND, NULL);
	SeemeTokenKey *key = token == NULL ? NULL : seeme_read_token_key(store, &token->key_id);
	Digest		key_digest;

	if (key == NULL)
		return NULL;
	digest_key(key, &key_digest);
	if (memcmp(&key_digest, &token->key_digest, sizeof(key_digest)) != 0)
		return NULL;
	claims->not_before = token->not_before;
	claims->issued_at = token->issued_at;
	claims->expires_at = token->expires_at;
	strlcpy(claims->subject, token->subject, sizeof(claims->subject));
	return key;
}

static bool
key_is_current(const SeemeTokenKey *key, TimestampTz now)
{
	return key->valid_from <= now && now < key->valid_until;
}

/*
 * The key that verifies a token, and the token's claims. NULL: there is none, and *wrong is the
 * reason.
 */
static SeemeTokenKey *
verify_token(SeemeStore *store, const char *token, SeemeClaims *claims, const char **wrong)
{
	SeemeTokenHeader header;
	size_t		length = strlen(token);
	TimestampTz now = GetCurrentTimestamp();
	SeemeTokenKey *key;
	Digest		digest;
	ListCell   *cell;

	*wrong = "the token has another form";
	if (length > SEEME_MAX_TOKEN_LENGTH)
		return NULL;
	digest_texts(1, &token, &digest);
	key = recall_token(store, &digest, claims);
	/* If that key is not current any more, another one may verify the token. */
	if (key != NULL && key_is_current(key, now))
		return key;
	if (!seeme_jwt_read_header(token, length, &header))
		return NULL;
	*wrong = "no key of its kid is valid now";
	foreach(cell, seeme_list_token_keys(store, header.kid))
	{
		key = lfirst(cell);
		if (!key_is_current(key, now))
			continue;
		if (strcmp(key->algorithm, header.algorithm) != 0)
		{
			*wrong = "algorithm";
			continue;
		}
		*wrong = seeme_jwt_verify(token, length, key, claims);
		if (*wrong == NULL)
		{
			remember_token(&digest, key, claims);
			return key;
		}
	}
	return NULL;
}

/*
 * seeme.login_by_token(token text, for_session boolean) RETURNS uuid
 */
SEEME_FUNCTION(seeme_login_by_token, 2)
{
	char	   *token = text_to_cstring(PG_GETARG_TEXT_PP(0));
	SeemeIdentity identity = {.expires_at = DT_NOEND, .issued_at = DT_NOEND};
	SeemeStore	store;
	SeemeTokenKey *key;
	SeemeClaims claims;
	const char *wrong;
	pg_uuid_t  *user_id = palloc(sizeof(pg_uuid_t));

	require_extension("login_by_token");
	seeme_refuse_system_session();
	require_session_login(PG_GETARG_BOOL(1));
	seeme_store_open(&store);
	key = verify_token(&store, token, &claims, &wrong);
	if (key != NULL && seeme_with_leeway(claims.not_before, -1) > GetCurrentTimestamp())
	{
		key = NULL;
		wrong = "the token is not valid yet";
	}
	if (key != NULL && seeme_is_in_future(claims.issued_at))
	{
		key = NULL;
		wrong = "the token is issued in the future";
	}
	if (key != NULL &&
		!(key->names_user_id ? seeme_parse_user_id(claims.subject, &identity.user_id)
		  : seeme_find_external_identity(&store, key->issuer, claims.subject,
										 &identity.user_id)))
	{
		key = NULL;
		wrong = "the subject is unknown";
	}
	seeme_store_close(&store);
	if (key == NULL)
		seeme_refuse_identity(wrong);
	identity.expires_at = seeme_with_leeway(claims.expires_at, +1);
	identity.issued_at = claims.issued_at;
	identify(&identity, PG_GETARG_BOOL(1));
	*user_id = identity.user_id;
	PG_RETURN_UUID_P(user_id);
}

/*
 * seeme_logout() RETURNS void
 */
SEEME_FUNCTION(seeme_logout, 0)
{
	seeme_end_session_login();
	PG_RETURN_VOID();
}
