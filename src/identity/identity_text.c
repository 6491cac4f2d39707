/*
 * identity_text.c: an identity as the value of a setting: USER, USER/KEY, USER+ACTOR or
 * USER@EXPIRY@ISSUED.
 *
 * Owns nothing, and calls nothing that throws: check hooks of settings use it.
 */
#include "postgres.h"

#include "utils/timestamp.h"
#include "utils/uuid.h"

#include "identity/identity_text.h"

/* Reads a uuid in its canonical form from the start of a text. Returns its end, or NULL. */
static const char *
parse_uuid(const char *text, pg_uuid_t *uuid)
{
	memset(uuid, 0, sizeof(*uuid));
	for (int i = 0; i < 36; i++, text ++)
	{
		int			digit;

		if (i == 8 || i == 13 || i == 18 || i == 23)
		{
			if (*text !='-')
				return NULL;
			continue;
		}
		if (*text >='0' && *text <='9')
			digit = *text -'0';
		else if (*text >='a' && *text <='f')
			digit = *text -'a' + 10;
		else if (*text >='A' && *text <='F')
			digit = *text -'A' + 10;
		else
			return NULL;
		/* Subtract the hyphens before the digit. */
		uuid->data[(i - (i > 8) - (i > 13) - (i > 18) - (i > 23)) / 2] <<= 4;
		uuid->data[(i - (i > 8) - (i > 13) - (i > 18) - (i > 23)) / 2] |= digit;
	}
	return text;
}

/* Reads a text that is a uuid and nothing else; false: it is not. */
bool
seeme_parse_user_id(const char *text, pg_uuid_t *user_id)
{
	const char *rest = parse_uuid(text, user_id);

	return rest != NULL && *rest == '\0';
}

/* Reads the value of a setting. False: it is malformed. */
bool
seeme_parse_identity(const char *text, SeemeIdentity *identity)
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
	else if (rest != NULL && *rest == '+')
	{
		identity->has_actor = true;
		rest = parse_uuid(rest + 1, &identity->actor_id);
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

/* Writes a uuid in its canonical form. Returns its end. */
static char *
put_uuid(char *text, const pg_uuid_t *uuid)
{
	static const char digits[] = "0123456789abcdef";

	for (int i = 0; i < UUID_LEN; i++)
	{
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*text ++= '-';
		*text ++= digits[uuid->data[i] >> 4];
		*text ++= digits[uuid->data[i] & 15];
	}
	*text = '\0';
	return text;
}

/* Writes an identity as the value of a setting; nobody (NULL) is the empty string. */
void
seeme_put_identity(char text[SEEME_IDENTITY_LENGTH], const SeemeIdentity *identity)
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
	else if (identity->has_actor)
	{
		*end++ = '+';
		put_uuid(end, &identity->actor_id);
	}
	else if (identity->expires_at != DT_NOEND || identity->issued_at != DT_NOEND)
		snprintf(end, text +SEEME_IDENTITY_LENGTH - end, "@" INT64_FORMAT "@" INT64_FORMAT,
				 identity->expires_at, identity->issued_at);
}
