/*
 * identity.c: who is asking.
 *
 * Owns the setting seeme_rbac.user_id and the record of whom this transaction has named. Knows the store (to find a
 * person), and nothing of permissions.
 *
 * The identity is a custom setting that is local to the transaction, so that rollback, savepoints, poolers and parallel
 * workers behave by themselves. Nobody but this file can set it, a superuser included: its check hook refuses every value
 * that does not come from here or, in a parallel worker, from the leader. That holds for SET, set_config, ALTER ROLE,
 * ALTER SYSTEM, start-up options, the SET clause of a function, and a placeholder made before the library was loaded.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/parallel.h"
#include "access/xact.h"
#include "catalog/pg_proc.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/rls.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "identity.h"
#include "store.h"

#define SEEME_USER_ID_SETTING "seeme_rbac.user_id"

/* The settings. */
static char *user_id_setting = NULL;
static char *current_organization_setting = NULL;

/* The value of user_id_setting, USER or USER/KEY, parsed by its check hook; NULL: nobody. */
static const SeemeIdentity *assumed = NULL;

/* True only while become() sets it. */
static bool setting_user_id = false;

/*
 * Whom this transaction named first. A rollback to a savepoint takes the setting back, but not this: a transaction speaks
 * for one person.
 */
static LocalTransactionId named_in = InvalidLocalTransactionId;
static SeemeIdentity named;

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

static bool
check_user_id(char **newval, void **extra, GucSource source)
{
	SeemeIdentity *identity;
	const char *rest;

	if (source <= PGC_S_DEFAULT && (*newval == NULL || **newval == '\0'))
		return true;
	if (!setting_user_id && !InitializingParallelWorker)
	{
		GUC_check_errcode(ERRCODE_INSUFFICIENT_PRIVILEGE);
		GUC_check_errmsg("parameter \"%s\" cannot be set", SEEME_USER_ID_SETTING);
		GUC_check_errhint("A trusted application calls seeme_assume().");
		return false;
	}
	identity = (SeemeIdentity *) guc_malloc(LOG, sizeof(SeemeIdentity));
	if (identity == NULL)
		return false;
	memset(identity, 0, sizeof(SeemeIdentity));
	rest = parse_uuid(*newval, &identity->user_id);
	if (rest != NULL && *rest == '/')
	{
		identity->has_key = true;
		rest = parse_uuid(rest + 1, &identity->key_id);
	}
	if (rest == NULL || *rest != '\0')
		return false;
	*extra = identity;
	return true;
}

static void
assign_user_id(const char *newval, void *extra)
{
	assumed = (const SeemeIdentity *) extra;
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

void
seeme_identity_init(void)
{
	DefineCustomStringVariable(SEEME_USER_ID_SETTING,
							   "The person who is asking in this transaction.",
							   "Set by seeme_assume() and seeme_login() alone; read it with seeme_user_id().",
							   &user_id_setting, "", PGC_SUSET,
							   GUC_NO_RESET_ALL | GUC_NOT_IN_SAMPLE | GUC_DISALLOW_IN_FILE,
							   check_user_id, assign_user_id, NULL);
	DefineCustomStringVariable("seeme_rbac.current_organization",
							   "The organization that the asking person works in.",
							   "For display and for narrowing one's own queries; it decides nothing.",
							   &current_organization_setting, "", PGC_USERSET, GUC_NOT_IN_SAMPLE,
							   check_current_organization, NULL, NULL);
}

/*
 * Whether anybody is identified, and who: the person assumed in this transaction, else the one whose database_role is
 * session_user. session_user, never current_user, which a SECURITY DEFINER function and SET ROLE change. The person need
 * not exist (any more), and may be disabled: that is for the decision to see.
 */
bool
seeme_identified(SeemeStore *store, SeemeIdentity *identity)
{
	char	   *role;

	if (assumed != NULL)
	{
		*identity = *assumed;
		return true;
	}
	memset(identity, 0, sizeof(*identity));
	role = GetUserNameFromId(GetSessionUserId(), true);
	return role != NULL && seeme_find_user_of_role(store, role, &identity->user_id);
}

static bool
same_identity(const SeemeIdentity *a, const SeemeIdentity *b)
{
	return seeme_uuid_equal(&a->user_id, &b->user_id) && a->has_key == b->has_key &&
		seeme_uuid_equal(&a->key_id, &b->key_id);
}

/*
 * Whether session_user was granted EXECUTE on a function, by name: neither through PUBLIC, which a careless GRANT reaches,
 * nor through a role that it is a member of.
 */
static bool
session_user_is_grantee(Oid function)
{
	Oid			session_user_id = GetSessionUserId();
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
			found = (ACLITEM_GET_PRIVS(items[i]) & ACL_EXECUTE) != 0 && items[i].ai_grantee == session_user_id;
	}
	ReleaseSysCache(tuple);
	return found || superuser_arg(session_user_id);
}

/* One and the same error, whatever is wrong with an identity. */
static void
refuse_identity(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION),
			 errmsg("this person cannot be identified here"),
			 errhint("A transaction speaks for one person, who exists and is not disabled.")));
}

static char *
uuid_text(const pg_uuid_t *uuid)
{
	return DatumGetCString(DirectFunctionCall1(uuid_out, UUIDPGetDatum(uuid)));
}

/*
 * From now until the end of the transaction this person is asking. Throws, always with the same error, when the
 * transaction has spoken for somebody else (or for the same person by another key), or the person is unknown or disabled.
 */
static void
become(const SeemeIdentity *identity)
{
	SeemeStore	store;
	SeemePerson person;
	SeemeIdentity already;
	bool		fits;
	char	   *text;

	seeme_store_open(&store);
	fits = seeme_read_person(&store, &identity->user_id, &person) &&
		!seeme_is_disabled(&person, GetCurrentTimestamp());
	if (fits && identity->has_key)
	{
		/* By what is committed now: whoever found the key may have looked at an older snapshot. */
		SeemeKey   *key = seeme_read_key(&store, &identity->key_id);

		fits = key != NULL && seeme_uuid_equal(&key->user_id, &identity->user_id) &&
			key->expires_at > GetCurrentTimestamp();
	}
	if (fits && seeme_identified(&store, &already))
		fits = same_identity(&already, identity);
	seeme_store_close(&store);
	if (fits && named_in == seeme_local_xid())
		fits = same_identity(&named, identity);
	if (!fits)
		refuse_identity();

	if (!IsTransactionBlock())
		ereport(WARNING,
				(errcode(ERRCODE_NO_ACTIVE_SQL_TRANSACTION),
				 errmsg("the identity ends with this statement"),
				 errhint("Call it inside a transaction block.")));

	named_in = seeme_local_xid();
	named = *identity;
	text = uuid_text(&identity->user_id);
	if (identity->has_key)
		text = psprintf("%s/%s", text, uuid_text(&identity->key_id));
	setting_user_id = true;
	PG_TRY();
	{
		(void) set_config_option(SEEME_USER_ID_SETTING, text, PGC_SUSET, PGC_S_SESSION,
								 GUC_ACTION_LOCAL, true, 0, false);
	}
	PG_FINALLY();
	{
		setting_user_id = false;
	}
	PG_END_TRY();
}

/*
 * seeme_assume(user_id uuid) RETURNS uuid
 */
PG_FUNCTION_INFO_V1(seeme_assume);
Datum
seeme_assume(PG_FUNCTION_ARGS)
{
	SeemeIdentity identity = {0};

	if (!session_user_is_grantee(fcinfo->flinfo->fn_oid))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied for function seeme_assume"),
				 errdetail("It is for the database role that connected (session_user), if that was granted it.")));
	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("user_id is null")));
	identity.user_id = *PG_GETARG_UUID_P(0);
	become(&identity);
	PG_RETURN_DATUM(PG_GETARG_DATUM(0));
}

/*
 * seeme.become(user_id, key_id uuid) RETURNS void
 *
 * Null arguments are nobody's, and get the same error as an unknown person. For SECURITY DEFINER functions of the extension:
 * whoever else may execute it by somebody's mistake is refused.
 */
PG_FUNCTION_INFO_V1(seeme_become);
Datum
seeme_become(PG_FUNCTION_ARGS)
{
	SeemeIdentity identity = {0};

	if (!superuser())
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied for function become")));
	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		refuse_identity();
	identity.user_id = *PG_GETARG_UUID_P(0);
	identity.has_key = true;
	identity.key_id = *PG_GETARG_UUID_P(1);
	become(&identity);
	PG_RETURN_VOID();
}

/*
 * seeme.nobody_asks() RETURNS boolean
 */
PG_FUNCTION_INFO_V1(seeme_nobody_asks);
Datum
seeme_nobody_asks(PG_FUNCTION_ARGS)
{
	SeemeStore	store;
	SeemeIdentity identity;
	bool		nobody;

	seeme_store_open(&store);
	nobody = !seeme_identified(&store, &identity);
	seeme_store_close(&store);
	PG_RETURN_BOOL(nobody);
}

/*
 * seeme.is_narrowed() RETURNS boolean
 */
PG_FUNCTION_INFO_V1(seeme_is_narrowed);
Datum
seeme_is_narrowed(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(assumed != NULL && assumed->has_key);
}

/*
 * seeme.is_superuser() RETURNS boolean
 */
PG_FUNCTION_INFO_V1(seeme_is_superuser);
Datum
seeme_is_superuser(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(superuser_arg(GetOuterUserId()));
}

/*
 * seeme.bypasses_row_security() RETURNS boolean
 */
PG_FUNCTION_INFO_V1(seeme_bypasses_row_security);
Datum
seeme_bypasses_row_security(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(has_bypassrls_privilege(GetOuterUserId()));
}

/*
 * seeme.restoring() RETURNS boolean
 *
 * The role that is asked about is the one outside of any SECURITY DEFINER function: row_security = off alone is for everybody
 * to set.
 */
PG_FUNCTION_INFO_V1(seeme_restoring);
Datum
seeme_restoring(PG_FUNCTION_ARGS)
{
	if (row_security || !superuser_arg(GetOuterUserId()))
		PG_RETURN_BOOL(false);
	return seeme_nobody_asks(fcinfo);
}
