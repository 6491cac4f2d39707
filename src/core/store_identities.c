/*
 * store_identities.c: the rows of users, external identities, API keys and keys for tokens.
 *
 * Must not know who is asking, or what a permission is. Writes nothing.
 */
#include "postgres.h"

#include "access/stratnum.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/jsonb.h"

#include "core/columns.h"
#include "core/store.h"

/* Users */

static void
get_user(SeemeScan *scan, void *row)
{
	SeemeUser  *user = row;

	seeme_row_uuid(scan, Anum_users_id, &user->id);
	user->disabled_at = seeme_row_time(scan, Anum_users_disabled_at, DT_NOEND);
	user->tokens_valid_from = seeme_row_time(scan, Anum_users_tokens_valid_from, DT_NOBEGIN);
}

bool
seeme_read_user(SeemeStore *store, const pg_uuid_t *id, SeemeUser *user)
{
	ScanKeyData key;

	seeme_uuid_key(&key, Anum_users_id, id);
	return seeme_read_row(store, SEEME_USERS_BY_ID, 1, &key, get_user, user);
}

void
seeme_visit_users(SeemeStore *store, int limit,
				  void (*visit) (void *context, const SeemeUser *user), void *context)
{
	SeemeScan	scan;
	SeemeUser	user;

	seeme_begin_table_scan(store, &scan, SEEME_TABLE_users);
	while (limit-- > 0 && seeme_next_table_row(&scan))
	{
		get_user(&scan, &user);
		visit(context, &user);
	}
	seeme_end_scan(&scan);
}

bool
seeme_find_user_of_role(SeemeStore *store, const char *role, pg_uuid_t *id)
{
	ScanKeyData key;
	NameData	name;
	SeemeUser	user;

	namestrcpy(&name, role);
	ScanKeyInit(&key, Anum_users_database_role, BTEqualStrategyNumber, F_NAMEEQ,
				NameGetDatum(&name));
	if (!seeme_read_row(store, SEEME_USERS_BY_DATABASE_ROLE, 1, &key, get_user, &user))
		return false;
	*id = user.id;
	return true;
}

static void
get_service(SeemeScan *scan, void *row)
{
	bool		isnull;

	/* Stays all zeroes for a user who is no service. */
	if (DatumGetBool(seeme_row_datum(scan, Anum_users_is_service, &isnull)))
		seeme_row_uuid(scan, Anum_users_service_organization_id, row);
}

/* The organization of a service; false: the user is no service, or belongs to no organization. */
bool
seeme_read_service(SeemeStore *store, const pg_uuid_t *id, pg_uuid_t *organization)
{
	static const pg_uuid_t none = {{0}};
	ScanKeyData key;

	*organization = none;
	seeme_uuid_key(&key, Anum_users_id, id);
	return seeme_read_row(store, SEEME_USERS_BY_ID, 1, &key, get_service, organization) &&
		!seeme_uuid_equal(organization, &none);
}

/* A user's e-mail address. Both are read from one version of the row. */
typedef struct
{
	char	   *email;
	bool		is_verified;
} SeemeEmail;

static void
get_email(SeemeScan *scan, void *row)
{
	SeemeEmail *email = row;
	bool		isnull;

	email->email = seeme_row_text(scan, Anum_users_email);
	seeme_row_datum(scan, Anum_users_email_verified_at, &isnull);
	email->is_verified = !isnull;
}

/* NULL: there is none. is_verified: whether email_verified_at is set. */
char *
seeme_read_email(SeemeStore *store, const pg_uuid_t *id, bool *is_verified)
{
	ScanKeyData key;
	SeemeEmail	email = {0};

	seeme_uuid_key(&key, Anum_users_id, id);
	seeme_read_row(store, SEEME_USERS_BY_ID, 1, &key, get_email, &email);
	*is_verified = email.is_verified;
	return email.email;
}

/* API keys */

static void
get_api_key(SeemeScan *scan, void *row)
{
	SeemeApiKey *key = row;

	seeme_row_uuid(scan, Anum_api_keys_user_id, &key->user_id);
	key->has_organization = seeme_row_uuid(scan, Anum_api_keys_organization_id,
										   &key->organization_id);
	key->expires_at = seeme_row_time(scan, Anum_api_keys_expires_at, DT_NOEND);
	key->ncodes = seeme_row_texts(scan, Anum_api_keys_permissions, &key->codes);
	key->has_creator = seeme_row_uuid(scan, Anum_api_keys_created_by, &key->created_by);
	seeme_row_uuid(scan, Anum_api_keys_creator_membership_id, &key->creator_membership_id);
	seeme_row_uuid(scan, Anum_api_keys_bearer_membership_id, &key->bearer_membership_id);
}

/* NULL: there is none. */
SeemeApiKey *
seeme_read_api_key(SeemeStore *store, const pg_uuid_t *id)
{
	ScanKeyData key;
	SeemeApiKey *found = palloc0(sizeof(SeemeApiKey));

	seeme_uuid_key(&key, Anum_api_keys_id, id);
	return seeme_read_row(store, SEEME_API_KEYS_BY_ID, 1, &key, get_api_key, found) ? found : NULL;
}

/* Keys for tokens, and external identities */

static void
get_token_key(SeemeScan *scan, void *row)
{
	SeemeTokenKey *key = row;
	Datum		jwk;
	bool		isnull;

	seeme_row_uuid(scan, Anum_token_keys_id, &key->id);
	key->kid = seeme_row_text(scan, Anum_token_keys_kid);
	key->issuer = seeme_row_text(scan, Anum_token_keys_issuer);
	key->audience = seeme_row_text(scan, Anum_token_keys_audience);
	key->algorithm = seeme_row_text(scan, Anum_token_keys_algorithm);
	jwk = seeme_row_datum(scan, Anum_token_keys_jwk, &isnull);
	key->jwk = DatumGetCString(DirectFunctionCall1(jsonb_out, jwk));
	key->names_user_id = strcmp(seeme_row_text(scan, Anum_token_keys_subject_kind), "user_id") == 0;
	key->valid_from = seeme_row_time(scan, Anum_token_keys_valid_from, DT_NOBEGIN);
	key->valid_until = seeme_row_time(scan, Anum_token_keys_valid_until, DT_NOEND);
}

/* NULL: there is none. */
SeemeTokenKey *
seeme_read_token_key(SeemeStore *store, const pg_uuid_t *id)
{
	ScanKeyData key;
	SeemeTokenKey *found = palloc0(sizeof(SeemeTokenKey));

	seeme_uuid_key(&key, Anum_token_keys_id, id);
	return seeme_read_row(store, SEEME_TOKEN_KEYS_BY_ID, 1, &key, get_token_key, found) ? found
		: NULL;
}

/* The keys with a kid. Several issuers may use the same one. */
List *
seeme_list_token_keys(SeemeStore *store, const char *kid)
{
	ScanKeyData key;

	seeme_text_key(&key, Anum_token_keys_kid, kid);
	return seeme_list_rows(store, SEEME_TOKEN_KEYS_BY_KID, 1, &key, get_token_key,
						   sizeof(SeemeTokenKey));
}

static void
get_user_of_external_identity(SeemeScan *scan, void *row)
{
	seeme_row_uuid(scan, Anum_external_identities_user_id, row);
}

bool
seeme_find_external_identity(SeemeStore *store, const char *issuer, const char *subject,
							 pg_uuid_t *user_id)
{
	ScanKeyData keys[2];

	seeme_text_key(&keys[0], Anum_external_identities_issuer, issuer);
	seeme_text_key(&keys[1], Anum_external_identities_subject, subject);
	return seeme_read_row(store, SEEME_EXTERNAL_IDENTITIES_BY_SUBJECT, 2, keys,
						  get_user_of_external_identity, user_id);
}
