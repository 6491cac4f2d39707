/*
 * identity_sources.c: who a connection is, where nobody was named: by trusted claims, by how it
 * was authenticated, or by its database role.
 *
 * Owns the settings that say which sources an administrator trusts, and the leeway of clocks.
 * Must not know permissions.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"
#include "utils/varlena.h"

#include "core/compat.h"
#include "core/invalidation.h"
#include "core/store.h"
#include "identity/identity_sources.h"
#include "identity/identity_text.h"
#include "identity/jwt.h"

#define SEEME_MAX_LEEWAY 300	/* seconds */

/* The settings */
static bool trust_request_claims = false;
static char *system_user_methods = NULL;
static int	token_leeway = 30;

/* Whether the method of this connection is trusted. */
static enum
{
	UNKNOWN, YES, NO
}			system_user_is_trusted = UNKNOWN;

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
	seeme_generation++;			/* another user may be asking now */
}

void
seeme_identity_sources_init(void)
{
	DefineCustomBoolVariable("seeme_rbac.trust_request_claims",
							 "Believes the setting request.jwt.claims about who is asking, as "
							 "PostgREST writes it.",
							 "Every client can write it: whoever can run SQL is whom they like.",
							 &trust_request_claims, false, PGC_SUSET, GUC_NOT_IN_SAMPLE, NULL,
							 NULL, NULL);
	DefineCustomStringVariable("seeme_rbac.system_user_methods",
							   "The authentication methods whose SYSTEM_USER names the person.",
							   "A list, as cert, ldap, gss, oauth; seeme.external_identities "
							   "says who that is.",
							   &system_user_methods, "", PGC_SUSET,
							   GUC_NOT_IN_SAMPLE | GUC_LIST_INPUT, check_system_user_methods,
							   assign_system_user_methods, NULL);
	DefineCustomIntVariable("seeme_rbac.token_leeway",
							"By how much the clock of a token's issuer may differ.",
							"Added to a token's expiry, and taken from its beginning.",
							&token_leeway, 30, 0, SEEME_MAX_LEEWAY, PGC_SUSET,
							GUC_UNIT_S | GUC_NOT_IN_SAMPLE, NULL, NULL, NULL);
}

bool
seeme_trusts_request_claims(void)
{
	return trust_request_claims;
}

/* A time by another clock, moved later (+1) or earlier (-1) by the leeway. */
TimestampTz
seeme_with_leeway(TimestampTz time, int direction)
{
	if (TIMESTAMP_NOT_FINITE(time))
		return time;
	return time + direction * token_leeway * USECS_PER_SEC;
}

/*
 * Whether a token claims to be issued in the future, beyond the leeway. Such a token would outlive
 * every "sign out everywhere" until then. tokens_valid_from is compared without leeway.
 */
bool
seeme_is_in_future(TimestampTz issued_at)
{
	return seeme_with_leeway(issued_at, -1) > GetCurrentTimestamp();
}

/*
 * The user that a token's subject names: by the user's own id, or as an external identity of the
 * issuer.
 */
static bool
find_user_of_subject(SeemeStore *store, const char *issuer, const char *subject, pg_uuid_t *user_id)
{
	return seeme_parse_user_id(subject, user_id) ||
		seeme_find_external_identity(store, issuer, subject, user_id);
}

/*
 * The identity in the setting request.jwt.claims. False: the setting is empty. *is_known is false
 * when the claims name no known user; no other source is asked then. The last claims are kept,
 * because a statement asks for every row.
 */
static bool
identity_of_claims(SeemeStore *store, SeemeIdentity *identity, bool *is_known)
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
	*is_known = last_fits && last.subject[0] != '\0' &&
		find_user_of_subject(store, last.issuer, last.subject, &identity->user_id);
	*is_known = *is_known && !seeme_is_in_future(last.issued_at);
	if (*is_known && last.expires_at != DT_NOEND)
		identity->expires_at = seeme_with_leeway(last.expires_at, +1);
	identity->issued_at = last_fits ? last.issued_at : DT_NOBEGIN;
	return true;
}

/*
 * The identity that the connection was authenticated as (SYSTEM_USER, PostgreSQL 16 and later).
 * False: the administrator does not trust its method. *is_known as above.
 */
static bool
identity_of_system_user(SeemeStore *store, SeemeIdentity *identity, bool *is_known)
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
		{
			foreach(cell, methods)
			{
				if (strcmp(lfirst(cell), method) == 0)
					system_user_is_trusted = YES;
			}
		}
		if (system_user_is_trusted == NO)
			return false;
	}
	*is_known = seeme_find_external_identity(store, psprintf("system_user:%s", method), name + 1,
											 &identity->user_id);
	return true;
}

/*
 * The identity of a connection in which nobody was named. The first source counts that is there:
 * request.jwt.claims and SYSTEM_USER, where an administrator trusts them; then the user whose
 * database_role is session_user. A source that is there but names no known user identifies
 * nobody, and the next one is not asked. current_user does not count: SET ROLE and SECURITY
 * DEFINER change it. The user may be disabled or deleted meanwhile; decisions look at that.
 */
bool
seeme_identity_of_connection(SeemeIdentity *identity)
{
	SeemeStore	store;
	bool		is_known;
	char	   *role;

	memset(identity, 0, sizeof(*identity));
	identity->expires_at = DT_NOEND;
	identity->issued_at = DT_NOEND;
	seeme_store_open(&store);
	if (!(trust_request_claims && identity_of_claims(&store, identity, &is_known)) &&
		!identity_of_system_user(&store, identity, &is_known))
	{
		role = GetUserNameFromId(GetSessionUserId(), true);
		is_known = role != NULL && seeme_find_user_of_role(&store, role, &identity->user_id);
	}
	seeme_store_close(&store);
	return is_known;
}
