/*
 * delegation.c: rule 7.1: nobody hands out a permission that they do not have.
 *
 * The triggers and policies of memberships, roles and invitations call it. Must not decide:
 * evaluator.c does.
 */
#include "postgres.h"

#include <limits.h>

#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "executor/tuptable.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/rel.h"
#include "utils/rls.h"
#include "utils/tuplestore.h"

#include "core/api_key.h"
#include "core/evaluator.h"
#include "core/store.h"
#include "core/uuid_hash.h"
#include "core/version.h"
#include "functions/arguments.h"
#include "functions/creator_seats.h"
#include "identity/identity.h"

/*
 * Adds to `missing` those of some codes that a principal does not have in a place (NULL:
 * nowhere). A wildcard is had through itself or a wider one only, never through the codes that it
 * covers today.
 */
static List *
add_missing(List *missing, SeemePrincipal *principal, const SeemePlace *place,
			int ncodes, char **codes)
{
	for (int i = 0; i < ncodes; i++)
		if (place == NULL || !seeme_evaluate(principal, place, codes[i]))
			missing = lappend(missing, codes[i]);
	return missing;
}

static List *
add_missing_of_role(List *missing, SeemePrincipal *principal,
					const SeemePlace *place, const pg_uuid_t *role_id)
{
	SeemeMembership membership = {.has_role = true, .role_id = *role_id};
	SeemeRole  *role = seeme_get_role(principal, &membership);

	return role == NULL ? missing
		: add_missing(missing, principal, place, role->ncodes, role->codes);
}

/* A text and its position in a list. */
typedef struct NumberedText
{
	char	   *text;
	int			number;
} NumberedText;

static int
compare_texts(const void *a, const void *b)
{
	const NumberedText *x = a;
	const NumberedText *y = b;
	int			order = strcmp(x->text, y->text);

	return order != 0 ? order : x->number < y->number ? -1 : 1;
}

static int
compare_numbers(const void *a, const void *b)
{
	return ((const NumberedText *) a)->number < ((const NumberedText *) b)->number ? -1 : 1;
}

/* The distinct texts of a list, in the order of their first positions. */
static List *
distinct_texts(List *texts)
{
	NumberedText *numbered;
	int			n = 0;
	List	   *once = NIL;
	ListCell   *cell;

	if (list_length(texts) < 2)
		return texts;
	numbered = palloc_extended(sizeof(NumberedText) * list_length(texts), MCXT_ALLOC_HUGE);
	foreach(cell, texts)
	{
		NumberedText *added = &numbered[foreach_current_index(cell)];

		added->text = lfirst(cell);
		added->number = foreach_current_index(cell);
	}
	qsort(numbered, list_length(texts), sizeof(NumberedText), compare_texts);
	for (int i = 0; i < list_length(texts); i++)
		if (n == 0 || strcmp(numbered[n - 1].text, numbered[i].text) != 0)
			numbered[n++] = numbered[i];
	qsort(numbered, n, sizeof(NumberedText), compare_numbers);
	for (int i = 0; i < n; i++)
		once = lappend(once, numbered[i].text);
	pfree(numbered);
	return once;
}

/*
 * seeme.missing_permissions(codes text[], role_id, organization, team, project uuid) RETURNS text[]
 */
SEEME_FUNCTION(seeme_missing_permissions, 5)
{
	SeemeStore	store;
	SeemeScope	scope;
	SeemePrincipal asking;
	SeemePlace *place = NULL;
	List	   *places;
	List	   *missing = NIL;

	seeme_store_open(&store);
	if (seeme_init_asking(&asking, &store))
	{
		seeme_container_argument(fcinfo, 2, &scope);
		places = seeme_find_places(&store, &scope);
		if (places != NIL)
			place = linitial(places);
		if (!PG_ARGISNULL(0))
		{
			Datum	   *datums;
			bool	   *nulls;
			int			n;

			deconstruct_array(PG_GETARG_ARRAYTYPE_P(0), TEXTOID, -1, false, TYPALIGN_INT, &datums,
							  &nulls, &n);
			for (int i = 0; i < n; i++)
				if (!nulls[i])
				{
					char	   *code = TextDatumGetCString(datums[i]);

					missing = add_missing(missing, &asking, place, 1, &code);
				}
		}
		if (!PG_ARGISNULL(1))
			missing = add_missing_of_role(missing, &asking, place, PG_GETARG_UUID_P(1));
	}
	seeme_store_close(&store);
	PG_RETURN_ARRAYTYPE_P(seeme_text_array(distinct_texts(missing)));
}

/*
 * seeme.missing_permissions_in_team(team, project uuid) RETURNS text[]
 */
SEEME_FUNCTION(seeme_missing_permissions_in_team, 2)
{
	SeemeStore	store;
	SeemePrincipal asking;
	SeemePlace	place;
	List	   *missing = NIL;
	ListCell   *cell;

	seeme_store_open(&store);
	if (seeme_init_asking(&asking, &store) && !PG_ARGISNULL(0) && !PG_ARGISNULL(1) &&
		seeme_read_place(&store, SEEME_SCOPE_PROJECT, PG_GETARG_UUID_P(1), &place))
	{
		SeemeUuidHash seen = {0};

		foreach(cell, seeme_list_memberships_in_team(&store, PG_GETARG_UUID_P(0)))
		{
			SeemeMembership *membership = lfirst(cell);

			if (!membership->has_role ||
				!seeme_uuid_equal(&membership->organization_id,
								  seeme_place_organization(&place)) ||
				seeme_uuid_hash_find(&seen, &membership->role_id) != NULL)
				continue;
			seeme_uuid_hash_insert(CurrentMemoryContext, &seen, &membership->role_id, 1);
			missing = add_missing_of_role(missing, &asking, &place, &membership->role_id);
		}
	}
	seeme_store_close(&store);
	PG_RETURN_ARRAYTYPE_P(seeme_text_array(distinct_texts(missing)));
}

/*
 * seeme.missing_permissions_below(organization, user_id uuid) RETURNS text[]
 */
SEEME_FUNCTION(seeme_missing_permissions_below, 2)
{
	SeemeStore	store;
	SeemePrincipal asking;
	List	   *missing = NIL;
	ListCell   *cell;

	seeme_store_open(&store);
	if (seeme_init_asking(&asking, &store))
	{
		foreach(cell, seeme_list_memberships(&store, PG_GETARG_UUID_P(0), PG_GETARG_UUID_P(1),
											 INT_MAX))
		{
			SeemeMembership *membership = lfirst(cell);
			SeemePlace	place;
			bool		exists;

			if (!membership->has_role || membership->kind == SEEME_SCOPE_ORGANIZATION)
				continue;
			exists = seeme_read_place(&store, membership->kind, &membership->scope_id, &place);
			missing = add_missing_of_role(missing, &asking, exists ? &place : NULL,
										  &membership->role_id);
		}
	}
	seeme_store_close(&store);
	PG_RETURN_ARRAYTYPE_P(seeme_text_array(distinct_texts(missing)));
}

/*
 * seeme.could_invite(inviter, inviter_membership_id, role_id, organization, team, project uuid,
 * outsider boolean) RETURNS boolean
 */
SEEME_FUNCTION(seeme_could_invite, 7)
{
	SeemeStore	store;
	SeemePrincipal inviter;
	SeemeScope	scope;
	List	   *places = NIL;
	bool		could = false;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || PG_ARGISNULL(6))
		PG_RETURN_BOOL(false);
	seeme_store_open(&store);
	if (seeme_container_argument(fcinfo, 3, &scope))
		places = seeme_find_places(&store, &scope);
	if (places != NIL)
	{
		SeemePlace *place = linitial(places);

		seeme_init_principal(&inviter, &store, PG_GETARG_UUID_P(0));
		could = seeme_is_organization_membership(&store, PG_GETARG_UUID_P(1),
												 seeme_place_organization(place),
												 PG_GETARG_UUID_P(0)) &&
			seeme_may_manage_members(&inviter, place) &&
			(!PG_GETARG_BOOL(6) ||
			 seeme_evaluate(&inviter,
							seeme_organization_place(seeme_place_organization(place)),
							"organizations:manage_members")) &&
			(PG_ARGISNULL(2) ||
			 add_missing_of_role(NIL, &inviter, place, PG_GETARG_UUID_P(2)) == NIL);
	}
	seeme_store_close(&store);
	PG_RETURN_BOOL(could);
}

/* Where users were added, and with which role. */
typedef struct AddedMembership
{
	SeemeScope	scope;
	bool		has_role;
	pg_uuid_t	role_id;
} AddedMembership;

/* The columns of seeme.memberships that a trigger reads, as numbers in its table. */
typedef struct MembershipColumns
{
	int			scopes[SEEME_NCONTAINERS + 1];
	int			user_id;
	int			role_id;
	int			created_by;
} MembershipColumns;

static int
find_uuid_column(TriggerData *trigger, const char *name)
{
	TupleDesc	columns = RelationGetDescr(trigger->tg_relation);
	int			number = SPI_fnumber(columns, name);

	if (number <= 0 || TupleDescAttr(columns, number - 1)->atttypid != UUIDOID)
		elog(ERROR, "table %s is not seeme.memberships",
			 RelationGetRelationName(trigger->tg_relation));
	return number;
}

static void
find_columns(TriggerData *trigger, MembershipColumns *columns)
{
	for (SeemeScopeKind kind = SEEME_NO_SCOPE + 1; kind <= SEEME_NCONTAINERS; kind++)
		columns->scopes[kind] =
			find_uuid_column(trigger, psprintf("%s_id", seeme_scope_descriptors[kind].name));
	columns->user_id = find_uuid_column(trigger, "user_id");
	columns->role_id = find_uuid_column(trigger, "role_id");
	columns->created_by = find_uuid_column(trigger, "created_by");
}

/* False: the column is null. */
static bool
get_uuid(TupleTableSlot *row, int column, pg_uuid_t *id)
{
	bool		isnull;
	Datum		value = slot_getattr(row, column, &isnull);

	if (!isnull)
		*id = *DatumGetUUIDP(value);
	return !isnull;
}

/*
 * Throws 42501 unless the asking principal may add a membership now. The messages are those of the
 * triggers that check each row.
 */
static void
require_permission_to_add(SeemePrincipal *asking, const AddedMembership *added,
						  bool row_security)
{
	const SeemeScopeDescriptor *descriptor = &seeme_scope_descriptors[added->scope.kind];
	List	   *places = seeme_find_places(asking->store, &added->scope);
	SeemePlace *place = places == NIL ? NULL : linitial(places);
	List	   *missing = NIL;

	if (row_security && (place == NULL || !seeme_may_manage_members(asking, place)))
	{
		bool		is_organization = added->scope.kind == SEEME_SCOPE_ORGANIZATION;

		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("you do not hold organizations:manage_members%s%s in this %s",
						is_organization ? "" : " or ",
						is_organization ? "" : descriptor->manage_permission,
						descriptor->name)));
	}
	if (added->has_role)
		missing = distinct_texts(add_missing_of_role(NIL, asking, place, &added->role_id));
	if (missing != NIL)
	{
		StringInfoData codes;
		ListCell   *cell;

		initStringInfo(&codes);
		foreach(cell, missing)
		{
			appendStringInfo(&codes, "%s%s", foreach_current_index(cell) == 0 ? "" : ", ",
							 (char *) lfirst(cell));
		}
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("you do not hold %s in this %s", codes.data, descriptor->name),
				 errhint("A role can be given, changed or taken away only by who holds all of "
						 "its permissions there.")));
	}
}

/*
 * Collects the distinct memberships that the asking principal added with a statement, and the
 * scopes in which the statement gave a membership to the principal.
 */
static HTAB *
collect_added(TriggerData *trigger, const pg_uuid_t *user_id, SeemeUuidHash *own)
{
	HASHCTL		control = {.keysize = sizeof(AddedMembership),
	.entrysize = sizeof(AddedMembership), .hcxt = CurrentMemoryContext};
	HTAB	   *all = hash_create("seeme_rbac memberships added", 64, &control,
								  HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	TupleTableSlot *row = MakeSingleTupleTableSlot(RelationGetDescr(trigger->tg_relation),
												   &TTSOpsMinimalTuple);
	MembershipColumns columns;
	int			pointer;

	find_columns(trigger, &columns);
	pointer = tuplestore_alloc_read_pointer(trigger->tg_newtable, EXEC_FLAG_REWIND);
	tuplestore_select_read_pointer(trigger->tg_newtable, pointer);
	tuplestore_rescan(trigger->tg_newtable);
	while (tuplestore_gettupleslot(trigger->tg_newtable, true, false, row))
	{
		AddedMembership added;
		pg_uuid_t	id;

		CHECK_FOR_INTERRUPTS();
		/* The whole structure is the key of the table, padding included. */
		memset(&added, 0, sizeof(added));
		for (SeemeScopeKind kind = SEEME_NO_SCOPE + 1; kind <= SEEME_NCONTAINERS; kind++)
			if (get_uuid(row, columns.scopes[kind], &added.scope.id))
				added.scope.kind = kind;
		if (get_uuid(row, columns.user_id, &id) && seeme_uuid_equal(&id, user_id) &&
			seeme_uuid_hash_find(own, &added.scope.id) == NULL)
			seeme_uuid_hash_insert(CurrentMemoryContext, own, &added.scope.id, 1);
		if (!get_uuid(row, columns.created_by, &id) || !seeme_uuid_equal(&id, user_id))
			continue;
		added.has_role = get_uuid(row, columns.role_id, &added.role_id);
		if (added.has_role && get_uuid(row, columns.user_id, &id) &&
			seeme_is_creator_seat(&added.scope, &id, &added.role_id))
			continue;
		(void) hash_search(all, &added, HASH_ENTER, NULL);
	}
	ExecDropSingleTupleTableSlot(row);
	return all;
}

/*
 * seeme.authorize_added() RETURNS trigger
 *
 * After an INSERT into seeme.memberships, for each statement: checks again that whoever is asking
 * may add these memberships. An INSERT may wait for a transaction that removes the inserted key:
 * then the user who is being expelled would add themselves anew, or others. The memberships that
 * the statement gave to that user do not count. An invited user was added by the inviter, whom
 * seeme_accept_invitation() checks.
 */
SEEME_FUNCTION(seeme_authorize_added, 0)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;
	SeemeStore	store;
	SeemePrincipal asking;
	SeemeUuidHash own = {0};
	HTAB	   *all;
	HASH_SEQ_STATUS status;
	AddedMembership *added;
	bool		row_security;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_AFTER(trigger->tg_event) ||
		!TRIGGER_FIRED_FOR_STATEMENT(trigger->tg_event) || trigger->tg_newtable == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("seeme.authorize_added is for triggers after INSERT, for each statement, "
						"with the new rows")));
	if (seeme_current_identity() == NULL)
		PG_RETURN_POINTER(NULL);

	seeme_store_open(&store);
	seeme_init_asking(&asking, &store);
	all = collect_added(trigger, &asking.user.id, &own);
	asking.excluded_scopes = &own;
	row_security = check_enable_rls(RelationGetRelid(trigger->tg_relation), InvalidOid, true) ==
		RLS_ENABLED;
	hash_seq_init(&status, all);
	while ((added = hash_seq_search(&status)) != NULL)
		require_permission_to_add(&asking, added, row_security);
	seeme_store_close(&store);
	PG_RETURN_POINTER(NULL);
}
