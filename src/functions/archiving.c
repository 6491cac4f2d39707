/*
 * archiving.c: who may archive an organization, a team or a project, and who brings it back.
 *
 * What an archived one does to decisions is scope.c's affair. Decides by evaluator.c alone, but for
 * the owner of what is archived, whom the evaluator does not know any more.
 */
#include "postgres.h"

#include "core/evaluator.h"
#include "core/store.h"
#include "core/version.h"
#include "functions/arguments.h"

/* Whether somebody owns an organization, archived or not, as far as their key reaches a code. */
static bool
owns(SeemeStore *store, const SeemePrincipal *asking, const pg_uuid_t *organization,
	 const char *code)
{
	pg_uuid_t	owner;

	return !asking->is_refused && seeme_api_key_allows(asking, organization, code) &&
		seeme_read_owner_of_archived(store, organization, &owner) &&
		seeme_uuid_equal(&owner, &asking->user.id);
}

/*
 * seeme.may_bring_back(organization uuid) RETURNS boolean
 */
SEEME_FUNCTION(seeme_may_bring_back, 1)
{
	SeemeStore	store;
	SeemePrincipal asking;
	bool		may;

	seeme_store_open(&store);
	may = seeme_init_asking(&asking, &store) &&
		owns(&store, &asking, PG_GETARG_UUID_P(0), "organizations:update");
	seeme_store_close(&store);
	PG_RETURN_BOOL(may);
}

/*
 * seeme.may_archive(organization, team, project uuid, archived_at timestamptz) RETURNS boolean
 */
SEEME_FUNCTION(seeme_may_archive, 4)
{
	bool		is_archived = !PG_ARGISNULL(3);
	const char *code = "organizations:delete";
	SeemeScope	scope = {SEEME_SCOPE_ORGANIZATION};
	SeemeStore	store;
	SeemePrincipal asking;
	List	   *places;
	bool		is_identified;
	bool		may;

	if (PG_ARGISNULL(0))
		PG_RETURN_BOOL(false);
	scope.id = *PG_GETARG_UUID_P(0);
	if (!PG_ARGISNULL(1))
	{
		scope = (SeemeScope) {SEEME_SCOPE_TEAM, *PG_GETARG_UUID_P(1)};
		code = "teams:delete";
	}
	else if (!PG_ARGISNULL(2))
	{
		scope = (SeemeScope) {SEEME_SCOPE_PROJECT, *PG_GETARG_UUID_P(2)};
		code = "projects:delete";
	}
	seeme_store_open(&store);
	is_identified = seeme_init_asking(&asking, &store) && !asking.is_refused;
	may = is_identified && is_archived && owns(&store, &asking, PG_GETARG_UUID_P(0), code);
	/*
	 * Of what this very statement archives, the evaluator does not know yet: its new row may be
	 * seen.
	 */
	if (!may && is_identified)
	{
		places = seeme_find_places(&store, &scope);
		may = places != NIL && seeme_evaluate(&asking, linitial(places), code);
	}
	seeme_store_close(&store);
	PG_RETURN_BOOL(may);
}
