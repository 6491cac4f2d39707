/*
 * random_secret.c: random secrets: 256 bits of PostgreSQL's strong random source.
 *
 * Must not keep one: the tables have a hash, which SQL computes.
 */
#include "postgres.h"

#include "fmgr.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"

#include "core/version.h"

#define SEEME_TOKEN_BYTES 32

/*
 * seeme.random_token(prefix text) RETURNS text
 */
SEEME_FUNCTION(seeme_random_token, 1)
{
	unsigned char bits[SEEME_TOKEN_BYTES];
	StringInfoData token;

	if (!pg_strong_random(bits, sizeof(bits)))
		ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR),
				 errmsg("could not generate random bits")));
	initStringInfo(&token);
	appendStringInfoString(&token, text_to_cstring(PG_GETARG_TEXT_PP(0)));
	for (int i = 0; i < SEEME_TOKEN_BYTES; i++)
		appendStringInfo(&token, "%02x", bits[i]);
	PG_RETURN_TEXT_P(cstring_to_text_with_len(token.data, token.len));
}
