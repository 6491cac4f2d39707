/*
 * user_check.c: seeme_user_has_permission: whether another user has a permission.
 *
 * Answers from the tables, not from the cache. Must not decide: evaluator.c does.
 */
#include "postgres.h"

#include "core/codes.h"
#include "core/evaluator.h"
#include "core/store.h"
#include "core/version.h"
#include "functions/arguments.h"

/*
 * seeme_user_has_permission(user_id uuid, permission text, organization, team, project,
 * resource uuid, resource_type text) RETURNS boolean
 */
SEEME_FUNCTION(seeme_user_has_permission, 7)
{
	char	   *code = seeme_code_argument(fcinfo, 1);
	SeemeStore	store;
	SeemePermissionSpec spec;
	SeemeScope	scope;
	SeemePrincipal asking;
	SeemePrincipal other;
	List	   *places;
	bool		answer = false;

	seeme_store_open(&store);
	seeme_parse_permission(&store, code, &spec);
	seeme_scope_arguments(fcinfo, 2, &store, code, &scope);
	if (!PG_ARGISNULL(0))
	{
		const pg_uuid_t *user_id = PG_GETARG_UUID_P(0);
		bool		is_identified = seeme_init_asking(&asking, &store);

		places = seeme_visible_places(&asking, user_id, seeme_find_places(&store, &scope));
		/* Oneself has the limits of one's API key. */
		if (places != NIL && is_identified && seeme_uuid_equal(user_id, &asking.user.id))
			answer = seeme_evaluate_spec(&asking, places, &spec);
		else if (places != NIL)
		{
			seeme_init_principal(&other, &store, user_id);
			answer = seeme_evaluate_spec(&other, places, &spec);
		}
	}
	seeme_store_close(&store);
	PG_RETURN_BOOL(answer);
}
