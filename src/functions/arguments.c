/*
 * arguments.c: what the SQL functions share: their arguments, who is asking, and arrays as results.
 *
 * Owns nothing. Must not decide, but tells who may be told about others.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "cache/effective_permissions.h"
#include "core/api_key.h"
#include "core/codes.h"
#include "core/evaluator.h"
#include "core/invalidation.h"
#include "core/store.h"
#include "functions/arguments.h"
#include "identity/identity.h"

/* Sets up the principal who is asking. False, and a refused principal: nobody is identified. */
bool
seeme_init_asking(SeemePrincipal *asking, SeemeStore *store)
{
	const SeemeIdentity *identity = seeme_current_identity();

	if (identity == NULL)
	{
		memset(asking, 0, sizeof(*asking));
		asking->store = store;
		asking->context = CurrentMemoryContext;
		asking->is_refused = true;
		return false;
	}
	seeme_init_principal(asking, store, &identity->user_id);
	if (identity->has_key)
	{
		SeemeCachedPrincipal *cached =
		seeme_accept_invalidations() ? seeme_find_cached_principal(identity) : NULL;

		/* To find out whether a key counts takes several reads, and a policy asks for each row. */
		if (cached != NULL && !cached->is_refused)
			seeme_limit_to_valid_api_key(asking, &identity->key_id);
		else
			seeme_limit_to_api_key(asking, &identity->key_id);
	}
	if (identity->has_actor)
		(void) seeme_require_actor(asking, &identity->actor_id);
	if (identity->expires_at <= asking->now ||
		!seeme_token_counts(identity->issued_at, asking->user.tokens_valid_from))
		asking->is_refused = true;
	return true;
}

/* Whether nobody is identified and the database role bypasses row security. */
bool
seeme_is_privileged(void)
{
	return seeme_current_identity() == NULL && has_bypassrls_privilege(GetUserId());
}

/*
 * Those of some places at which the asking principal is told what a user (NULL: any user) may do:
 * all of them about oneself, and for a privileged role, which can read every table; else those
 * whose members the principal may manage.
 */
List *
seeme_visible_places(SeemePrincipal *asking, const pg_uuid_t *about, List *places)
{
	List	   *visible = NIL;
	ListCell   *cell;

	if (seeme_is_privileged())
		return places;
	if (asking->is_refused)
		return NIL;
	if (about != NULL && seeme_uuid_equal(about, &asking->user.id))
		return places;
	foreach(cell, places)
	{
		if (seeme_may_manage_members(asking, lfirst(cell)))
			visible = lappend(visible, lfirst(cell));
	}
	return visible;
}

char *
seeme_code_argument(FunctionCallInfo fcinfo, int arg)
{
	if (PG_ARGISNULL(arg))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("permission is null"),
				 errhint("A permission is resource:action, for example models:read.")));
	return text_to_cstring(PG_GETARG_TEXT_PP(arg));
}

/* The resource type that a code is tied to. Throws 22023 when it is tied to none. */
char *
seeme_type_of_code(SeemeStore *store, const char *code)
{
	char	   *type = seeme_find_type_of_resource(store, seeme_resource_of_code(code));

	if (type == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("permission \"%s\" is tied to no resource type", code),
				 errhint("Say which: resource_type => 'dataset', for example.")));
	return type;
}

/*
 * Reads one argument for each kind of scope, and the resource type after them, from number `first`
 * on. The code (NULL: none) gives a resource its type where the type is null. Throws 22023 for two
 * scopes, an unknown type, and a code that is tied to no type.
 */
void
seeme_scope_arguments(FunctionCallInfo fcinfo, int first, SeemeStore *store, const char *code,
					  SeemeScope *scope)
{
	int			type = first + SEEME_NSCOPE_KINDS;

	scope->kind = SEEME_NO_SCOPE;
	scope->resource_type = NULL;
	for (SeemeScopeKind kind = SEEME_NO_SCOPE + 1; kind <= SEEME_NSCOPE_KINDS; kind++)
	{
		int			arg = first + kind - 1;

		if (PG_ARGISNULL(arg))
			continue;
		if (scope->kind != SEEME_NO_SCOPE)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("more than one scope is given"),
					 errhint("Give one of organization, team, project and resource: "
							 "the narrowest says it all.")));
		scope->kind = kind;
		scope->id = *PG_GETARG_UUID_P(arg);
	}
	if (!PG_ARGISNULL(type))
	{
		scope->resource_type = text_to_cstring(PG_GETARG_TEXT_PP(type));
		seeme_require_resource_type(store, scope->resource_type);
	}
	else if (scope->kind == SEEME_SCOPE_RESOURCE && code != NULL)
		scope->resource_type = seeme_type_of_code(store, code);
}

/*
 * Reads one argument for each kind of container, from number `first` on, and takes the narrowest.
 * False: all are null.
 */
bool
seeme_container_argument(FunctionCallInfo fcinfo, int first, SeemeScope *scope)
{
	memset(scope, 0, sizeof(*scope));
	for (SeemeScopeKind kind = SEEME_NO_SCOPE + 1; kind <= SEEME_NCONTAINERS; kind++)
		if (!PG_ARGISNULL(first + kind - 1))
		{
			scope->kind = kind;
			scope->id = *PG_GETARG_UUID_P(first + kind - 1);
		}
	return scope->kind != SEEME_NO_SCOPE;
}

static int
compare_uuids(const ListCell *a, const ListCell *b)
{
	return memcmp(((pg_uuid_t *) lfirst(a))->data, ((pg_uuid_t *) lfirst(b))->data, UUID_LEN);
}

/* An array of distinct uuids, sorted, from a list of pg_uuid_t *. */
ArrayType *
seeme_uuid_array(List *uuids)
{
	Datum	   *datums = palloc(sizeof(Datum) * Max(list_length(uuids), 1));
	int			n = 0;
	ListCell   *cell;

	list_sort(uuids, compare_uuids);
	foreach(cell, uuids)
	{
		if (n == 0 || !seeme_uuid_equal(DatumGetUUIDP(datums[n - 1]), lfirst(cell)))
			datums[n++] = UUIDPGetDatum((pg_uuid_t *) lfirst(cell));
	}
	return construct_array(datums, n, UUIDOID, UUID_LEN, false, TYPALIGN_CHAR);
}

static int
compare_uuid_values(const void *a, const void *b)
{
	return memcmp(a, b, UUID_LEN);
}

/* An array of n distinct uuids, which this sorts in place. */
ArrayType *
seeme_sorted_array(pg_uuid_t *uuids, int n)
{
	Size		size = ARR_OVERHEAD_NONULLS(1) + sizeof(pg_uuid_t) * n;
	ArrayType  *array;

	if (n == 0)
		return construct_empty_array(UUIDOID);
	if (!AllocSizeIsValid(size))
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("%d ids are too many for one array", n),
				 errhint("Ask about them row by row, with seeme_has_permission().")));
	qsort(uuids, n, sizeof(pg_uuid_t), compare_uuid_values);
	array = palloc(size);
	SET_VARSIZE(array, size);
	array->ndim = 1;
	array->dataoffset = 0;
	array->elemtype = UUIDOID;
	ARR_DIMS(array)[0] = n;
	ARR_LBOUND(array)[0] = 1;
	memcpy(ARR_DATA_PTR(array), uuids, sizeof(pg_uuid_t) * n);
	return array;
}

/* An array of texts, from a list of char *. */
ArrayType *
seeme_text_array(List *texts)
{
	Datum	   *datums = palloc(sizeof(Datum) * Max(list_length(texts), 1));
	int			n = 0;
	ListCell   *cell;

	foreach(cell, texts)
	{
		datums[n++] = CStringGetTextDatum((char *) lfirst(cell));
	}
	return construct_array(datums, n, TEXTOID, -1, false, TYPALIGN_INT);
}
