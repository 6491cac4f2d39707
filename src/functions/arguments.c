/*
 * arguments.c: what the SQL functions have in common: their arguments, who asks, and the arrays they answer with.
 *
 * Sits between the SQL functions and the identity, codes and decision; owns nothing.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "core/invalidation.h"
#include "core/codes.h"
#include "core/evaluator.h"
#include "cache/effective_permissions.h"
#include "identity/identity.h"
#include "functions/arguments.h"
#include "core/store.h"

void
seeme_asker_init(SeemeAsker *asker, SeemeStore *store)
{
	const SeemeIdentity *identity = seeme_current_identity();

	memset(asker, 0, sizeof(*asker));
	asker->store = store;
	asker->is_identified = identity != NULL;
	if (asker->is_identified)
	{
		seeme_init_principal(&asker->principal, store, &identity->user_id);
		if (identity->has_key)
		{
			SeemeCachedPrincipal *cached = seeme_accept_invalidations() ? seeme_find_cached_principal(identity) : NULL;

			/* Whether the key counts takes some reading, and a policy asks for each row. */
			if (cached != NULL && !cached->is_refused)
				seeme_limit_to_valid_api_key(&asker->principal, &identity->key_id);
			else
				seeme_limit_to_api_key(&asker->principal, &identity->key_id);
		}
		if (identity->expires_at <= asker->principal.now || identity->issued_at < asker->principal.person.tokens_valid_from)
			asker->principal.is_refused = true;
	}
	else
		asker->is_privileged = has_bypassrls_privilege(GetUserId());
}

/*
 * The places of which the asker is told what a person (NULL: anybody) may do there: all of them about oneself, and to a
 * database role that may read every table anyway; else those whose members the asker may manage.
 */
List *
seeme_visible_places(SeemeAsker *asker, const pg_uuid_t *about, List *places)
{
	List	   *told = NIL;
	ListCell   *cell;

	if (asker->is_privileged)
		return places;
	if (!asker->is_identified || asker->principal.is_refused)
		return NIL;
	if (about != NULL && seeme_uuid_equal(about, &asker->principal.person.id))
		return places;
	/* Each costs no more than a few seeme_evaluate(), which can be cancelled. */
	foreach(cell, places)
	{
		if (seeme_may_manage_members(&asker->principal, lfirst(cell)))
			told = lappend(told, lfirst(cell));
	}
	return told;
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

/*
 * The five arguments organization, team, project, resource, resource_type, from number `first` on. The code (NULL: none)
 * tells the type of a resource that comes without one. Throws 22023 for two scopes, an unknown type, and a code that is
 * tied to no type.
 */
void
seeme_scope_arguments(FunctionCallInfo fcinfo, int first, SeemeStore *store, const char *code, SeemeScope *scope)
{
	scope->level = SEEME_NO_SCOPE;
	scope->resource_type = NULL;
	for (int i = 0; i < 4; i++)
	{
		if (PG_ARGISNULL(first + i))
			continue;
		if (scope->level != SEEME_NO_SCOPE)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("more than one scope is given"),
					 errhint("Give one of organization, team, project and resource: the narrowest says it all.")));
		scope->level = SEEME_SCOPE_ORGANIZATION + i;
		scope->id = *PG_GETARG_UUID_P(first + i);
	}
	if (!PG_ARGISNULL(first + 4))
	{
		scope->resource_type = text_to_cstring(PG_GETARG_TEXT_PP(first + 4));
		seeme_require_resource_type(store, scope->resource_type);
	}
	else if (scope->level == SEEME_SCOPE_RESOURCE && code != NULL)
	{
		scope->resource_type = seeme_find_type_of_resource(store, seeme_resource_of_code(code));
		if (scope->resource_type == NULL)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("permission \"%s\" is tied to no resource type", code),
					 errhint("Say which: resource_type => 'dataset', for example.")));
	}
}

/* An array of uuids (pg_uuid_t *), sorted and each once. */
static int
compare_uuids(const ListCell *a, const ListCell *b)
{
	return memcmp(((pg_uuid_t *) lfirst(a))->data, ((pg_uuid_t *) lfirst(b))->data, UUID_LEN);
}

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

/* An array of n different uuids, which are sorted where they are. */
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

ArrayType *
seeme_text_array(List *texts)
{
	Datum	   *datums = palloc(sizeof(Datum) * Max(list_length(texts), 1));
	int			n = 0;
	ListCell   *cell;

	foreach(cell, texts)
		datums[n++] = CStringGetTextDatum((char *) lfirst(cell));
	return construct_array(datums, n, TEXTOID, -1, false, TYPALIGN_INT);
}
