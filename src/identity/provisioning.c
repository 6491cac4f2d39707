/*
 * provisioning.c: whether the current role adds and deletes people while nobody is identified.
 *
 * seeme_grant_provisioning() gives a role DELETE on seeme.users. Nothing else does.
 *
 * Owns this rule. Must not keep its answer: privileges change.
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/lsyscache.h"

#include "identity/identity.h"
#include "identity/provisioning.h"

bool
seeme_provisions_users(void)
{
	Oid			namespace;
	Oid			users;

	if (seeme_current_identity() != NULL)
		return false;
	namespace = get_namespace_oid("seeme", true);
	users = OidIsValid(namespace) ? get_relname_relid("users", namespace) : InvalidOid;
	return OidIsValid(users) &&
		pg_class_aclcheck(users, GetUserId(), ACL_DELETE) == ACLCHECK_OK;
}
