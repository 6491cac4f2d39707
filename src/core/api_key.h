/*
 * api_key.h: whether an API key counts now.
 */
#ifndef SEEME_CORE_API_KEY_H
#define SEEME_CORE_API_KEY_H

#include "postgres.h"

#include "utils/uuid.h"

#include "core/principal.h"

#pragma GCC visibility push(hidden)

extern bool seeme_is_organization_membership(SeemeStore *store, const pg_uuid_t *id,
											 const pg_uuid_t *organization,
											 const pg_uuid_t *user);
extern const char *seeme_api_key_defect(SeemeStore *store, const SeemeApiKey *key,
										SeemePrincipal **creator);
extern void seeme_limit_to_api_key(SeemePrincipal *principal, const pg_uuid_t *key_id);

#pragma GCC visibility pop

#endif							/* SEEME_CORE_API_KEY_H */
