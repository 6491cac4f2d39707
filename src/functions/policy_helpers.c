/*
 * policy_helpers.c: what policies and triggers ask about memberships besides seeme_has_permission.
 *
 * What the policies of the extension's own tables ask is in own_rows.c. Must not decide:
 * evaluator.c does.
 */
#include "postgres.h"

#include "utils/builtins.h"

#include "cache/effective_permissions.h"
#include "core/codes.h"
#include "core/evaluator.h"
#include "core/invalidation.h"
#include "core/store.h"
#include "core/uuid_hash.h"
#include "core/version.h"
#include "functions/arguments.h"
#include "identity/identity.h"

/*
 * seeme.own_organizations() RETURNS uuid[]
 */
SEEME_FUNCTION(seeme_own_organizations, 0)
{
	SeemeStore	store;
	SeemePrincipal asking;
	List	   *reached = NIL;
	ListCell   *cell;

	seeme_store_open(&store);
	seeme_init_asking(&asking, &store);
	if (!asking.is_refused)
	{
		foreach(cell, seeme_list_own_organizations(&asking))
		{
			if (seeme_api_key_allows(&asking, lfirst(cell), NULL))
				reached = lappend(reached, lfirst(cell));
		}
	}
	seeme_store_close(&store);
	PG_RETURN_ARRAYTYPE_P(seeme_uuid_array(reached));
}

/*
 * seeme.lies_in(organization, team, project uuid) RETURNS boolean
 *
 * Whether the narrowest of these lies in all the others, at least one of them. Tells this only to
 * those who belong to its organization.
 */
SEEME_FUNCTION(seeme_lies_in, 3)
{
	SeemeStore	store;
	SeemePrincipal asking;
	SeemeScope	scope;
	SeemePlace	place;
	int			ngiven = 0;
	bool		lies_in;

	for (SeemeScopeKind kind = SEEME_NO_SCOPE + 1; kind <= SEEME_NCONTAINERS; kind++)
		ngiven += PG_ARGISNULL(kind - 1) ? 0 : 1;
	if (ngiven < 2)
		PG_RETURN_BOOL(false);
	seeme_container_argument(fcinfo, 0, &scope);
	seeme_store_open(&store);
	lies_in = seeme_read_place(&store, scope.kind, &scope.id, &place);
	for (SeemeScopeKind kind = SEEME_NO_SCOPE + 1; kind < scope.kind && lies_in; kind++)
	{
		const pg_uuid_t *id = seeme_place_id(&place, kind);

		lies_in = PG_ARGISNULL(kind - 1) ||
			(id != NULL && seeme_uuid_equal(id, PG_GETARG_UUID_P(kind - 1)));
	}
	if (lies_in)
	{
		seeme_init_asking(&asking, &store);
		seeme_set_organization_place(&place, seeme_place_organization(&place));
		lies_in = !asking.is_refused && seeme_belongs(seeme_get_grants_at(&asking, &place));
	}
	seeme_store_close(&store);
	PG_RETURN_BOOL(lies_in);
}

/*
 * seeme.has_memberships(organization, user_id uuid) RETURNS boolean
 */
SEEME_FUNCTION(seeme_has_memberships, 2)
{
	SeemeStore	store;
	bool		has;

	seeme_store_open(&store);
	has = seeme_has_memberships_in(&store, PG_GETARG_UUID_P(0), PG_GETARG_UUID_P(1));
	seeme_store_close(&store);
	PG_RETURN_BOOL(has);
}
