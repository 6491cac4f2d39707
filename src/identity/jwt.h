/* jwt.h: verifies one signed token with one key. */
#ifndef SEEME_IDENTITY_JWT_H
#define SEEME_IDENTITY_JWT_H

#include "postgres.h"

#include "utils/timestamp.h"

#include "core/store.h"

#define SEEME_MAX_TOKEN_LENGTH 8192 /* bytes */
#define SEEME_MAX_NAME_LENGTH 255	/* of a kid or subject, in bytes */

/* What the header of a token says to find its key. */
typedef struct SeemeTokenHeader
{
	char		algorithm[16];
	char		kid[SEEME_MAX_NAME_LENGTH + 1]; /* empty: none */
} SeemeTokenHeader;

/* The claims of a verified token. */
typedef struct SeemeClaims
{
	char		subject[SEEME_MAX_NAME_LENGTH + 1];
	TimestampTz not_before;		/* DT_NOBEGIN: none */
	TimestampTz issued_at;		/* DT_NOBEGIN: none */
	TimestampTz expires_at;
} SeemeClaims;

/* Claims that another program has verified. */
typedef struct SeemeRequestClaims
{
	char		issuer[SEEME_MAX_NAME_LENGTH + 1];	/* empty: none */
	char		subject[SEEME_MAX_NAME_LENGTH + 1]; /* empty: none */
	TimestampTz issued_at;		/* DT_NOBEGIN: none */
	TimestampTz expires_at;		/* DT_NOEND: none */
} SeemeRequestClaims;

extern bool seeme_jwt_read_header(const char *token, size_t length, SeemeTokenHeader *header);
extern const char *seeme_jwt_verify(const char *token, size_t length, const SeemeTokenKey *key,
									SeemeClaims *claims);
extern bool seeme_jwt_read_foreign_claims(const char *json, SeemeRequestClaims *claims);

#endif							/* SEEME_IDENTITY_JWT_H */
