/*
 * current_user.c: the id and the e-mail address of the user who is asking.
 *
 * Must not decide: evaluator.c and the cache say whether the identity counts.
 */
#include "postgres.h"

#include "utils/builtins.h"

#include "cache/effective_permissions.h"
#include "core/evaluator.h"
#include "core/invalidation.h"
#include "core/store.h"
#include "core/version.h"
#include "functions/arguments.h"
#include "functions/current_user.h"
#include "identity/identity.h"

/*
 * Finds the user who is asking. False: nobody is identified, the identity does not count, or its
 * API key, if any, does not allow a code (NULL: any code) everywhere.
 */
bool
seeme_find_current_user(const char *code, pg_uuid_t *user_id)
{
	SeemeStore	store;
	SeemePrincipal asking;
	bool		is_active;

	if (seeme_accept_invalidations())
	{
		const SeemeIdentity *identity = seeme_current_identity();

		if (identity == NULL)
			return false;
		*user_id = identity->user_id;
		seeme_cache_open(&store);
		is_active = seeme_cached_is_active(seeme_get_cached_principal(&store, identity), code);
	}
	else
	{
		seeme_store_open(&store);
		seeme_init_asking(&asking, &store);
		*user_id = asking.user.id;
		is_active = !asking.is_refused &&
			(code == NULL || seeme_api_key_allows(&asking, NULL, code));
	}
	seeme_store_close(&store);
	return is_active;
}

static Datum
current_user_id(FunctionCallInfo fcinfo, const char *code)
{
	pg_uuid_t  *user_id = palloc(sizeof(pg_uuid_t));

	if (!seeme_find_current_user(code, user_id))
		PG_RETURN_NULL();
	PG_RETURN_UUID_P(user_id);
}

/*
 * seeme_user_id() RETURNS uuid
 */
SEEME_FUNCTION(seeme_user_id, 0)
{
	return current_user_id(fcinfo, NULL);
}

/*
 * seeme.own_user_id(permission text) RETURNS uuid
 */
SEEME_FUNCTION(seeme_own_user_id, 1)
{
	return current_user_id(fcinfo, seeme_code_argument(fcinfo, 0));
}

/* The e-mail address, under the same conditions as the id. */
static Datum
own_email(FunctionCallInfo fcinfo, bool must_be_verified)
{
	char	   *code = text_to_cstring(PG_GETARG_TEXT_PP(0));
	SeemeStore	store;
	SeemePrincipal asking;
	char	   *email = NULL;
	bool		is_verified = false;

	seeme_store_open(&store);
	seeme_init_asking(&asking, &store);
	if (!asking.is_refused && seeme_api_key_allows(&asking, NULL, code))
		email = seeme_read_email(&store, &asking.user.id, &is_verified);
	seeme_store_close(&store);
	if (email == NULL || (must_be_verified && !is_verified))
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(email));
}

/*
 * seeme.own_email(permission text) RETURNS text
 */
SEEME_FUNCTION(seeme_own_email, 1)
{
	return own_email(fcinfo, false);
}

/*
 * seeme.own_verified_email(permission text) RETURNS text
 */
SEEME_FUNCTION(seeme_own_verified_email, 1)
{
	return own_email(fcinfo, true);
}
