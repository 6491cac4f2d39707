/*
 * explain.c: seeme_explain_permission: why a user has a permission somewhere, or why not.
 *
 * Puts the evaluator's findings into words. Must not restate the rule: validity, membership and
 * role come from seeme_membership_state().
 */
#include "postgres.h"

#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

#include "core/codes.h"
#include "core/evaluator.h"
#include "functions/arguments.h"
#include "core/store.h"
#include "core/version.h"

static void
put_path(ReturnSetInfo *result, bool granted, const char *source,
		 const pg_uuid_t *scope_id, const SeemeRole *role, const char *matched,
		 const char *detail)
{
	Datum		values[7];
	bool		nulls[7] = {false};

	values[0] = BoolGetDatum(granted);
	values[1] = CStringGetTextDatum(source);
	nulls[2] = scope_id == NULL;
	values[2] = UUIDPGetDatum(scope_id);
	nulls[3] = nulls[4] = role == NULL;
	values[3] = role == NULL ? (Datum) 0 : UUIDPGetDatum(&role->id);
	values[4] = role == NULL ? (Datum) 0 : CStringGetTextDatum(role->name);
	nulls[5] = matched == NULL;
	values[5] = matched == NULL ? (Datum) 0 : CStringGetTextDatum(matched);
	nulls[6] = detail == NULL;
	values[6] = detail == NULL ? (Datum) 0 : CStringGetTextDatum(detail);
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

/* The entries of a role that cover a permission spec, and whether they cover all of it. */
static bool
covers(const SeemeRole *role, const SeemePermissionSpec *spec, char **matched, char **missing)
{
	List	   *entries = NIL;
	List	   *lacking = NIL;
	ListCell   *cell;
	StringInfoData text;

	foreach(cell, spec->concrete)
	{
		const char *entry;

		CHECK_FOR_INTERRUPTS();
		entry = seeme_covering_entry(role->ncodes, role->codes, lfirst(cell));

		if (entry == NULL)
			lacking = lappend(lacking, lfirst(cell));
		else if (!list_member_ptr(entries, entry))
			entries = lappend(entries, unconstify(char *, entry));
	}
	*matched = *missing = NULL;
	if (entries != NIL)
	{
		initStringInfo(&text);
		foreach(cell, entries)
		{
			appendStringInfo(&text, "%s%s", text.len > 0 ? ", " : "", (char *) lfirst(cell));
		}
		*matched = text.data;
	}
	if (lacking != NIL)
	{
		initStringInfo(&text);
		foreach(cell, lacking)
		{
			appendStringInfo(&text, "%s%s", text.len > 0 ? ", " : "the role does not hold ",
							 (char *) lfirst(cell));
		}
		*missing = text.data;
	}
	return lacking == NIL;
}

static bool
api_key_allows(const SeemePrincipal *principal, const SeemePlace *place,
			   const SeemePermissionSpec *spec)
{
	ListCell   *cell;

	foreach(cell, spec->concrete)
	{
		if (!seeme_api_key_allows(principal, seeme_place_organization(place), lfirst(cell)))
			return false;
	}
	return true;
}

/* The state of a membership in words; NULL: it has an effect. */
static const char *
describe_state(SeemeMembershipState state, const SeemeMembership *membership)
{
	switch (state)
	{
		case SEEME_MEMBERSHIP_EFFECTIVE:
			break;
		case SEEME_MEMBERSHIP_NOT_BEGUN:
			return psprintf("the membership begins at %s",
							timestamptz_to_str(membership->valid_from));
		case SEEME_MEMBERSHIP_ENDED:
			return psprintf("the membership ended at %s",
							timestamptz_to_str(membership->valid_until));
		case SEEME_MEMBERSHIP_OF_NON_MEMBER:
			return "the membership in the organization is not current";
		case SEEME_MEMBERSHIP_WITHOUT_ROLE:
			return "the membership has no role";
	}
	return NULL;
}

/* Adds the paths through one place to the result. Returns how many there are. */
static int
explain_place(ReturnSetInfo *result, SeemePrincipal *principal, const SeemePlace *place,
			  const SeemePermissionSpec *spec)
{
	SeemeGrants *grants = seeme_get_grants_at(principal, place);
	SeemeMembership *memberships[SEEME_NCONTAINERS];
	int			nmemberships = seeme_memberships_at(grants, place, memberships);
	const char *refused = principal->is_refused ? "the person is disabled" :
	!api_key_allows(principal, place, spec) ? "the API key does not reach it" : NULL;
	int			paths = 0;

	if (grants->is_owner)
	{
		put_path(result, refused == NULL, "owner", seeme_place_organization(place), NULL,
				 refused == NULL ? "*" : NULL,
				 refused != NULL ? refused : "owns the organization");
		paths++;
	}
	for (int i = 0; i < nmemberships; i++)
	{
		SeemeMembership *membership = memberships[i];
		SeemeMembershipState state = seeme_membership_state(principal, grants, membership);
		SeemeRole  *role = seeme_get_role(principal, membership);
		const char *obstacle = refused;
		char	   *matched = NULL;
		char	   *missing = NULL;

		if (role == NULL && state == SEEME_MEMBERSHIP_EFFECTIVE)
			state = SEEME_MEMBERSHIP_WITHOUT_ROLE;
		if (obstacle == NULL)
			obstacle = describe_state(state, membership);
		if (role != NULL && !covers(role, spec, &matched, &missing) && obstacle == NULL)
			obstacle = missing;
		put_path(result, obstacle == NULL, seeme_scope_descriptors[membership->kind].name,
				 &membership->scope_id, role, matched, obstacle);
		paths++;
	}
	return paths;
}

/*
 * seeme_explain_permission(user_id uuid, permission text, organization, team, project,
 * resource uuid, resource_type text)
 * RETURNS TABLE (granted boolean, source text, scope_id uuid, role_id uuid, role_name text,
 * matched text, detail text)
 */
SEEME_FUNCTION(seeme_explain_permission, 7)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	char	   *code = seeme_code_argument(fcinfo, 1);
	SeemeStore	store;
	SeemePermissionSpec spec;
	SeemeScope	scope;
	SeemePrincipal asking;
	SeemePrincipal other;
	SeemePrincipal *principal = &other;
	bool		is_identified;
	List	   *visible;
	ListCell   *cell;
	MemoryContext per_place = AllocSetContextCreate(CurrentMemoryContext,
													"seeme_rbac explained place",
													ALLOCSET_DEFAULT_SIZES);
	int			paths = 0;

	InitMaterializedSRF(fcinfo, 0);
	seeme_store_open(&store);
	seeme_parse_permission(&store, code, &spec);
	seeme_scope_arguments(fcinfo, 2, &store, code, &scope);
	is_identified = seeme_init_asking(&asking, &store);
	if (!PG_ARGISNULL(0) && (is_identified || seeme_is_privileged()))
	{
		const pg_uuid_t *about = PG_GETARG_UUID_P(0);
		bool		is_oneself = !asking.is_refused && seeme_uuid_equal(about, &asking.user.id);

		if (is_oneself)
			principal = &asking;
		else
			seeme_init_principal(principal, &store, about);
		visible = seeme_visible_places(&asking, about, seeme_find_places(&store, &scope));
		foreach(cell, visible)
		{
			MemoryContext old = MemoryContextSwitchTo(per_place);

			paths += explain_place(result, principal, lfirst(cell), &spec);
			MemoryContextSwitchTo(old);
			MemoryContextReset(per_place);
		}
		/* The answer does not tell whether the scope exists, except to those who manage it. */
		if (paths == 0 && (visible != NIL || is_oneself || seeme_is_privileged()))
			put_path(result, false, "none", scope.kind == SEEME_NO_SCOPE ? NULL : &scope.id, NULL,
					 NULL, scope.kind == SEEME_NO_SCOPE ? "no scope is given" :
					 "no membership reaches this scope");
	}
	seeme_store_close(&store);
	return (Datum) 0;
}
