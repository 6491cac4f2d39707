/*
 * explain.c: seeme_explain_permission: why a person holds a code somewhere, or why not.
 *
 * Walks the same grants and asks the same questions of them as evaluator.c, and adds words.
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
put_path(ReturnSetInfo *result, bool granted, const char *source, const pg_uuid_t *scope_id, const SeemeRole *role,
		 const char *matched, const char *detail)
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

/*
 * What a role has of a request: the entries that cover it, and whether they cover all of it.
 */
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
			appendStringInfo(&text, "%s%s", text.len > 0 ? ", " : "", (char *) lfirst(cell));
		*matched = text.data;
	}
	if (lacking != NIL)
	{
		initStringInfo(&text);
		foreach(cell, lacking)
			appendStringInfo(&text, "%s%s", text.len > 0 ? ", " : "the role does not hold ", (char *) lfirst(cell));
		*missing = text.data;
	}
	return lacking == NIL;
}

static bool
key_reaches(const SeemePrincipal *principal, const SeemePlace *place, const SeemePermissionSpec *spec)
{
	ListCell   *cell;

	foreach(cell, spec->concrete)
	{
		if (!seeme_api_key_allows(principal, &place->organization_id, lfirst(cell)))
			return false;
	}
	return true;
}

/* The paths through one place; how many there are. */
static int
explain_place(ReturnSetInfo *result, SeemePrincipal *principal, const SeemePlace *place, const SeemePermissionSpec *spec)
{
	SeemeGrants *grants = seeme_get_grants_at(principal, place);
	SeemeMembership *memberships[SEEME_MAX_MEMBERSHIPS_AT];
	int			nmemberships = seeme_memberships_at(grants, place, memberships);
	const char *refused = principal->is_refused ? "the person is disabled" :
		!key_reaches(principal, place, spec) ? "the API key does not reach it" : NULL;
	int			paths = 0;

	if (grants->is_owner)
	{
		put_path(result, refused == NULL, "owner", &place->organization_id, NULL, refused == NULL ? "*" : NULL,
				 refused != NULL ? refused : "owns the organization");
		paths++;
	}
	for (int i = 0; i < nmemberships; i++)
	{
		SeemeMembership *membership = memberships[i];
		const char *source = membership->has_project ? "project" : membership->has_team ? "team" : "organization";
		SeemeRole  *role = seeme_get_role(principal, membership);
		const char *obstacle = NULL;
		char	   *matched = NULL;
		char	   *missing = NULL;

		if (refused != NULL)
			obstacle = refused;
		else if (membership->valid_from > principal->now)
			obstacle = psprintf("the membership begins at %s", timestamptz_to_str(membership->valid_from));
		else if (membership->valid_until <= principal->now)
			obstacle = psprintf("the membership ended at %s", timestamptz_to_str(membership->valid_until));
		else if (!grants->is_member)
			obstacle = "the membership in the organization is not current";
		else if (role == NULL)
			obstacle = "the membership has no role";
		if (role != NULL && !covers(role, spec, &matched, &missing) && obstacle == NULL)
			obstacle = missing;
		put_path(result, obstacle == NULL, source, &membership->scope_id, role, matched, obstacle);
		paths++;
	}
	return paths;
}

/*
 * seeme_explain_permission(user_id uuid, permission text, organization, team, project, resource uuid, resource_type text)
 * RETURNS TABLE (granted boolean, source text, scope_id uuid, role_id uuid, role_name text, matched text, detail text)
 */
SEEME_FUNCTION(seeme_explain_permission, 7)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	char	   *code = seeme_code_argument(fcinfo, 1);
	SeemeStore	store;
	SeemePermissionSpec spec;
	SeemeScope	scope;
	SeemeAsker	asker;
	SeemePrincipal other;
	SeemePrincipal *principal = &other;
	List	   *told;
	ListCell   *cell;
	MemoryContext in_turn = AllocSetContextCreate(CurrentMemoryContext, "seeme_rbac explained place", ALLOCSET_DEFAULT_SIZES);
	int			paths = 0;

	InitMaterializedSRF(fcinfo, 0);
	seeme_store_open(&store);
	seeme_parse_permission(&store, code, &spec);
	seeme_scope_arguments(fcinfo, 2, &store, code, &scope);
	seeme_asker_init(&asker, &store);
	if (!PG_ARGISNULL(0) && (asker.is_identified || asker.is_privileged))
	{
		const pg_uuid_t *about = PG_GETARG_UUID_P(0);
		bool		oneself = asker.is_identified && !asker.principal.is_refused &&
			seeme_uuid_equal(about, &asker.principal.person.id);

		if (oneself)
			principal = &asker.principal;
		else
			seeme_init_principal(principal, &store, about);
		told = seeme_visible_places(&asker, about, seeme_find_places(&store, &scope));
		foreach(cell, told)
		{
			MemoryContext old = MemoryContextSwitchTo(in_turn);

			paths += explain_place(result, principal, lfirst(cell), &spec);
			MemoryContextSwitchTo(old);
			MemoryContextReset(in_turn);
		}
		/* The same whether the scope exists or not, unless one manages it. */
		if (paths == 0 && (told != NIL || oneself || asker.is_privileged))
			put_path(result, false, "none", scope.level == SEEME_NO_SCOPE ? NULL : &scope.id, NULL, NULL,
					 scope.level == SEEME_NO_SCOPE ? "no scope is given" : "no membership reaches this scope");
	}
	seeme_store_close(&store);
	return (Datum) 0;
}
