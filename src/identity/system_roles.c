/*
 * system_roles.c: database roles for migrations and background jobs (seeme_grant_system).
 *
 * A system role is granted USAGE on the type seeme.system_role. A session of such a role names
 * nobody. A grant has what such a mark needs: it follows the role when that is renamed, is dumped
 * with the role's name, and is revoked like any other. A type is not granted by accident: GRANT
 * ... ON ALL FUNCTIONS or ALL TABLES IN SCHEMA seeme leaves it alone.
 *
 * Owns what is remembered of session_user. Must not know who is asking.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "utils/acl.h"
#include "utils/inval.h"
#include "utils/syscache.h"

#include "core/compat.h"
#include "core/invalidation.h"
#include "identity/system_roles.h"

#define SEEME_SYSTEM_ROLE_TYPE "system_role"

Oid			seeme_ordinary_session_user = InvalidOid;

/* A session_user that is known to be a system role; invalid: nothing is known. */
static Oid	system_session_user = InvalidOid;

/* The type that was looked at, as its invalidations name it; 0: there was none. */
static uint32 type_hash = 0;

/* Incremented whenever the type, or a grant on it, may have changed. */
static uint64 type_generation = 1;

static void
type_changed(Datum arg, int cacheid, uint32 hashvalue)
{
	/* Every CREATE TABLE makes a type; 0 stands for all types. */
	if (hashvalue != 0 && type_hash != 0 && hashvalue != type_hash)
		return;
	type_generation++;
	seeme_ordinary_session_user = InvalidOid;
	system_session_user = InvalidOid;
	seeme_site_generation++;
}

void
seeme_system_roles_init(void)
{
	CacheRegisterSyscacheCallback(TYPEOID, type_changed, (Datum) 0);
}

/*
 * Whether a role itself was granted USAGE on the type. A grant to PUBLIC does not count, nor one
 * to a role of which it is a member, nor what the type's owner has as its owner.
 */
static bool
is_system_role(Oid role)
{
	Oid			namespace = get_namespace_oid("seeme", true);
	Oid			type = !OidIsValid(namespace) ? InvalidOid :
	GetSysCacheOid2(TYPENAMENSP, Anum_pg_type_oid, CStringGetDatum(SEEME_SYSTEM_ROLE_TYPE),
					ObjectIdGetDatum(namespace));
	HeapTuple	tuple;
	Datum		datum;
	bool		isnull;
	bool		found = false;

	type_hash = 0;
	if (!OidIsValid(type))
		return false;
	type_hash = GetSysCacheHashValue1(TYPEOID, ObjectIdGetDatum(type));
	tuple = SearchSysCache1(TYPEOID, ObjectIdGetDatum(type));
	if (!HeapTupleIsValid(tuple))
		return false;
	datum = SysCacheGetAttr(TYPEOID, tuple, Anum_pg_type_typacl, &isnull);
	if (!isnull && ((Form_pg_type) GETSTRUCT(tuple))->typowner != role)
	{
		Acl		   *acl = DatumGetAclPCopy(datum);
		AclItem    *items = ACL_DAT(acl);

		for (int i = 0; i < ACL_NUM(acl) && !found; i++)
			found = (ACLITEM_GET_PRIVS(items[i]) & ACL_USAGE) != 0 && items[i].ai_grantee == role;
	}
	ReleaseSysCache(tuple);
	return found;
}

/* seeme_is_system_session(), for a session_user that is not known to be an ordinary role. */
bool
seeme_look_up_system_session(void)
{
	Oid			role = GetSessionUserId();
	uint64		generation;
	bool		found;

	if (role == system_session_user)
		return true;
	generation = type_generation;
	found = is_system_role(role);
	/* Call sites answer for whoever was asking in the session of another role. */
	seeme_site_generation++;
	seeme_ordinary_session_user = InvalidOid;
	system_session_user = InvalidOid;
	if (generation == type_generation)
	{
		if (found)
			system_session_user = role;
		else
			seeme_ordinary_session_user = role;
	}
	return found;
}

/* Throws 42501 in a session of a system role. */
void
seeme_refuse_system_session(void)
{
	AcceptInvalidationMessages();
	if (!seeme_is_system_session())
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("a session of role \"%s\" names nobody",
					GetUserNameFromId(GetSessionUserId(), false)),
			 errdetail("It is a system role (seeme_grant_system), for migrations and background "
					   "jobs: row security does not apply to it."),
			 errhint("Connect as the application's role to act for a person.")));
}
