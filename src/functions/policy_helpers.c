/*
 * policy_helpers.c: what the extension's own policies and triggers ask besides seeme_has_permission: memberships, rule 7.1, and
 * what is committed now whatever snapshot a transaction has.
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

#include "core/invalidation.h"
#include "core/codes.h"
#include "core/evaluator.h"
#include "cache/effective_permissions.h"
#include "identity/identity.h"
#include "core/uuid_hash.h"
#include "functions/arguments.h"
#include "core/store.h"
#include "core/version.h"

/* The narrowest of three arguments organization, team, project, from number `first` on; false when all are null. */
static bool
narrowest_scope(FunctionCallInfo fcinfo, int first, SeemeScope *scope)
{
	memset(scope, 0, sizeof(*scope));
	for (int i = 0; i < 3; i++)
		if (!PG_ARGISNULL(first + i))
		{
			scope->level = SEEME_ORGANIZATION + i;
			scope->id = *PG_GETARG_UUID_P(first + i);
		}
	return scope->level != SEEME_NOWHERE;
}

/*
 * seeme.own_organizations() RETURNS uuid[]
 */
SEEME_FUNCTION(seeme_own_organizations, 0)
{
	SeemeStore	store;
	SeemeAsker	asker;
	List	   *reached = NIL;
	ListCell   *cell;

	seeme_store_open(&store);
	seeme_asker_init(&asker, &store);
	if (asker.is_identified && !asker.subject.is_refused)
		foreach(cell, seeme_organizations_of(&asker.subject))
		{
			if (seeme_key_reaches(&asker.subject, lfirst(cell), NULL))
				reached = lappend(reached, lfirst(cell));
		}
	seeme_store_close(&store);
	PG_RETURN_ARRAYTYPE_P(seeme_uuid_array(reached));
}

/*
 * Rule 7.1: adds to `missing` what of some codes the subject does not hold in a place (NULL: nowhere). A wildcard is held through
 * itself or a wider one only, never through the codes of today: so this asks seeme_holds() of each entry as it stands.
 */
static List *
add_missing(List *missing, SeemeSubject *subject, const SeemePlace *place, int ncodes, char **codes)
{
	for (int i = 0; i < ncodes; i++)
		if (place == NULL || !seeme_holds(subject, place, codes[i]))
			missing = lappend(missing, codes[i]);
	return missing;
}

static List *
add_missing_of_role(List *missing, SeemeSubject *subject, const SeemePlace *place, const pg_uuid_t *role_id)
{
	SeemeMembership membership = {.has_role = true, .role_id = *role_id};
	SeemeRole  *role = seeme_role_of(subject, &membership);

	return role == NULL ? missing : add_missing(missing, subject, place, role->ncodes, role->codes);
}

/* A text and its number in a list. */
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

/* The texts of a list, each once, where it came first. */
static List *
each_once(List *texts)
{
	NumberedText *numbered;
	int			n = 0;
	List	   *once = NIL;
	ListCell   *cell;

	if (list_length(texts) < 2)
		return texts;
	numbered = palloc_extended(sizeof(NumberedText) * list_length(texts), MCXT_ALLOC_HUGE);
	foreach(cell, texts)
		numbered[foreach_current_index(cell)] = (NumberedText) {lfirst(cell), foreach_current_index(cell)};
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
	SeemeAsker	asker;
	SeemePlace *place = NULL;
	List	   *places;
	List	   *missing = NIL;

	seeme_store_open(&store);
	seeme_asker_init(&asker, &store);
	if (asker.is_identified)
	{
		narrowest_scope(fcinfo, 2, &scope);
		places = seeme_places(&store, &scope);
		if (places != NIL)
			place = linitial(places);
		if (!PG_ARGISNULL(0))
		{
			Datum	   *datums;
			bool	   *nulls;
			int			n;

			deconstruct_array(PG_GETARG_ARRAYTYPE_P(0), TEXTOID, -1, false, TYPALIGN_INT, &datums, &nulls, &n);
			for (int i = 0; i < n; i++)
				if (!nulls[i])
				{
					char	   *code = TextDatumGetCString(datums[i]);

					missing = add_missing(missing, &asker.subject, place, 1, &code);
				}
		}
		if (!PG_ARGISNULL(1))
			missing = add_missing_of_role(missing, &asker.subject, place, PG_GETARG_UUID_P(1));
	}
	seeme_store_close(&store);
	PG_RETURN_ARRAYTYPE_P(seeme_text_array(each_once(missing)));
}

/*
 * seeme.missing_in_team(team, project uuid) RETURNS text[]
 */
SEEME_FUNCTION(seeme_missing_in_team, 2)
{
	SeemeStore	store;
	SeemeAsker	asker;
	SeemeProject project;
	List	   *missing = NIL;
	ListCell   *cell;

	seeme_store_open(&store);
	seeme_asker_init(&asker, &store);
	if (asker.is_identified && !PG_ARGISNULL(0) && !PG_ARGISNULL(1) &&
		seeme_read_project(&store, PG_GETARG_UUID_P(1), &project))
	{
		SeemePlace *place = seeme_place_of_project(&project);
		SeemeSlots	seen = {0};

		foreach(cell, seeme_list_memberships_in_team(&store, PG_GETARG_UUID_P(0)))
		{
			SeemeMembership *membership = lfirst(cell);

			if (!membership->has_role || !seeme_uuid_equal(&membership->organization_id, &project.organization_id) ||
				seeme_slots_find(&seen, &membership->role_id) != NULL)
				continue;
			seeme_slots_add(CurrentMemoryContext, &seen, &membership->role_id, 1);
			missing = add_missing_of_role(missing, &asker.subject, place, &membership->role_id);
		}
	}
	seeme_store_close(&store);
	PG_RETURN_ARRAYTYPE_P(seeme_text_array(each_once(missing)));
}

/*
 * seeme.missing_below(organization, user_id uuid) RETURNS text[]
 */
SEEME_FUNCTION(seeme_missing_below, 2)
{
	SeemeStore	store;
	SeemeAsker	asker;
	List	   *missing = NIL;
	ListCell   *cell;

	seeme_store_open(&store);
	seeme_asker_init(&asker, &store);
	if (asker.is_identified)
		foreach(cell, seeme_list_memberships(&store, PG_GETARG_UUID_P(0), PG_GETARG_UUID_P(1), INT_MAX))
		{
			SeemeMembership *membership = lfirst(cell);
			SeemeScope	scope = {membership->has_project ? SEEME_PROJECT : SEEME_TEAM, membership->scope_id};
			List	   *places;

			if (!membership->has_role || !(membership->has_team || membership->has_project))
				continue;
			places = seeme_places(&store, &scope);
			missing = add_missing_of_role(missing, &asker.subject, places == NIL ? NULL : linitial(places),
										  &membership->role_id);
		}
	seeme_store_close(&store);
	PG_RETURN_ARRAYTYPE_P(seeme_text_array(each_once(missing)));
}

/*
 * seeme.lies_in(organization, team, project uuid) RETURNS boolean
 */
SEEME_FUNCTION(seeme_lies_in, 3)
{
	bool		has_organization = !PG_ARGISNULL(0);
	bool		has_team = !PG_ARGISNULL(1);
	bool		has_project = !PG_ARGISNULL(2);
	SeemeStore	store;
	SeemeAsker	asker;
	SeemeStanding *standing;
	SeemeProject project;
	SeemeTeam	team;
	bool		lies = false;

	if (has_organization + has_team + has_project < 2)
		PG_RETURN_BOOL(false);
	seeme_store_open(&store);
	if (has_project)
		lies = seeme_read_project(&store, PG_GETARG_UUID_P(2), &project) &&
			(!has_organization || seeme_uuid_equal(&project.organization_id, PG_GETARG_UUID_P(0))) &&
			(!has_team || (project.has_team && seeme_uuid_equal(&project.team_id, PG_GETARG_UUID_P(1))));
	else
		lies = seeme_read_team(&store, PG_GETARG_UUID_P(1), &team) &&
			seeme_uuid_equal(&team.organization_id, PG_GETARG_UUID_P(0));
	if (lies)
	{
		seeme_asker_init(&asker, &store);
		lies = asker.is_identified && !asker.subject.is_refused;
		if (lies)
		{
			standing = seeme_standing_at(&asker.subject,
										 seeme_place_of_organization(has_project ? &project.organization_id : &team.organization_id));
			lies = standing->is_owner || standing->is_member;
		}
	}
	seeme_store_close(&store);
	PG_RETURN_BOOL(lies);
}

/*
 * seeme.check_code(code text) RETURNS void
 */
SEEME_FUNCTION(seeme_check_code, 1)
{
	SeemeStore	store;
	SeemeQuestion question;

	seeme_store_open(&store);
	seeme_ask(&store, seeme_code_argument(fcinfo, 0), &question);
	seeme_store_close(&store);
	PG_RETURN_VOID();
}

/*
 * seeme.is_assigned(resource_type text, resource_id uuid) RETURNS boolean
 */
SEEME_FUNCTION(seeme_is_assigned, 2)
{
	SeemeStore	store;
	bool		assigned;

	seeme_store_open(&store);
	assigned = seeme_list_assignments(&store, PG_GETARG_UUID_P(1), text_to_cstring(PG_GETARG_TEXT_PP(0)), 1) != NIL;
	seeme_store_close(&store);
	PG_RETURN_BOOL(assigned);
}

/*
 * seeme.is_retired(id uuid) RETURNS boolean
 */
SEEME_FUNCTION(seeme_is_retired, 1)
{
	SeemeStore	store;
	bool		retired;

	seeme_store_open(&store);
	retired = seeme_read_retired(&store, PG_GETARG_UUID_P(0));
	seeme_store_close(&store);
	PG_RETURN_BOOL(retired);
}

/*
 * seeme.was_released(resource_type text, resource_id uuid) RETURNS boolean
 */
SEEME_FUNCTION(seeme_was_released, 2)
{
	SeemeStore	store;
	bool		released;

	seeme_store_open(&store);
	released = seeme_read_released(&store, text_to_cstring(PG_GETARG_TEXT_PP(0)), PG_GETARG_UUID_P(1), NULL);
	seeme_store_close(&store);
	PG_RETURN_BOOL(released);
}

/*
 * seeme.had_row(resource_type text, resource_id uuid) RETURNS boolean
 */
SEEME_FUNCTION(seeme_had_row, 2)
{
	SeemeStore	store;
	char	   *type = text_to_cstring(PG_GETARG_TEXT_PP(0));
	bool		had_row;
	bool		known;

	seeme_store_open(&store);
	known = seeme_read_had_row(&store, type, PG_GETARG_UUID_P(1), &had_row) ||
		seeme_read_released(&store, type, PG_GETARG_UUID_P(1), &had_row);
	seeme_store_close(&store);
	if (!known)
		PG_RETURN_NULL();
	PG_RETURN_BOOL(had_row);
}

/*
 * seeme.may_claim(permission text, resource_type text, resource uuid) RETURNS boolean
 */
SEEME_FUNCTION(seeme_may_claim, 3)
{
	SeemeStore	store;
	SeemeQuestion question;
	SeemeScope	scope = {SEEME_RESOURCE, *PG_GETARG_UUID_P(2), text_to_cstring(PG_GETARG_TEXT_PP(1))};
	SeemeAsker	asker;
	List	   *places;
	bool		may;

	seeme_store_open(&store);
	seeme_ask(&store, text_to_cstring(PG_GETARG_TEXT_PP(0)), &question);
	places = seeme_places(&store, &scope);
	seeme_asker_init(&asker, &store);
	may = asker.is_identified && !asker.subject.is_refused &&
		(places == NIL || seeme_answer(&asker.subject, places, &question));
	seeme_store_close(&store);
	PG_RETURN_BOOL(may);
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

/*
 * seeme.could_invite(inviter, inviter_membership_id, role_id, organization, team, project uuid, outsider boolean) RETURNS boolean
 */
SEEME_FUNCTION(seeme_could_invite, 7)
{
	SeemeStore	store;
	SeemeSubject inviter;
	SeemeScope	scope;
	List	   *places = NIL;
	bool		could = false;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || PG_ARGISNULL(6))
		PG_RETURN_BOOL(false);
	seeme_store_open(&store);
	if (narrowest_scope(fcinfo, 3, &scope))
		places = seeme_places(&store, &scope);
	if (places != NIL)
	{
		SeemePlace *place = linitial(places);

		seeme_subject_init(&inviter, &store, PG_GETARG_UUID_P(0));
		could = seeme_is_membership_of(&store, PG_GETARG_UUID_P(1), &place->organization_id, PG_GETARG_UUID_P(0)) &&
			seeme_may_manage(&inviter, place) &&
			(!PG_GETARG_BOOL(6) ||
			 seeme_holds(&inviter, seeme_place_of_organization(&place->organization_id), "organizations:manage_members")) &&
			(PG_ARGISNULL(2) || add_missing_of_role(NIL, &inviter, place, PG_GETARG_UUID_P(2)) == NIL);
	}
	seeme_store_close(&store);
	PG_RETURN_BOOL(could);
}

/* Where somebody was added, and in which role. */
typedef struct Addition
{
	SeemeScope	scope;
	bool		has_role;
	pg_uuid_t	role_id;
} Addition;

/* The columns of seeme.memberships that say so, by number. */
enum
{
	ORGANIZATION_ID, TEAM_ID, PROJECT_ID, USER_ID, ROLE_ID, CREATED_BY, NADDITION_COLUMNS
};

static const char *const addition_columns[NADDITION_COLUMNS] = {
	"organization_id", "team_id", "project_id", "user_id", "role_id", "created_by"
};

/* False: the column is null. */
static bool
get_id(TupleTableSlot *row, const int *columns, int column, pg_uuid_t *id)
{
	bool		isnull;
	Datum		value = slot_getattr(row, columns[column], &isnull);

	if (!isnull)
		*id = *DatumGetUUIDP(value);
	return !isnull;
}

/* Throws 42501 unless the asker may add this now; in the words of the triggers that asked before. */
static void
require_addition(SeemeAsker *asker, const Addition *addition, bool asks_policies)
{
	List	   *places = seeme_places(asker->store, &addition->scope);
	SeemePlace *place = places == NIL ? NULL : linitial(places);
	bool		in_project = addition->scope.level == SEEME_PROJECT;
	bool		in_team = addition->scope.level == SEEME_TEAM;
	const char *kind = in_project ? "project" : in_team ? "team" : "organization";
	List	   *missing = NIL;

	if (asks_policies && (place == NULL || !seeme_may_manage(&asker->subject, place)))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("you do not hold organizations:manage_members%s in this %s",
						in_project ? " or projects:update" : in_team ? " or teams:update" : "", kind)));
	if (addition->has_role)
		missing = each_once(add_missing_of_role(NIL, &asker->subject, place, &addition->role_id));
	if (missing != NIL)
	{
		StringInfoData codes;
		ListCell   *cell;

		initStringInfo(&codes);
		foreach(cell, missing)
			appendStringInfo(&codes, "%s%s", foreach_current_index(cell) == 0 ? "" : ", ", (char *) lfirst(cell));
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("you do not hold %s in this %s", codes.data, kind),
				 errhint("A role can be given, changed or taken away only by who holds all of its permissions there.")));
	}
}

/*
 * seeme.authorize_added() RETURNS trigger
 *
 * After an INSERT of memberships, a statement: asks again whether the asking person may add them. An INSERT of the key of a
 * membership that somebody is removing waits for them: whoever is being expelled would add themselves anew, or others. What the
 * statement gave to the asking person does not count for that. Who came by an invitation was added by the inviter, of whom
 * seeme_accept_invitation() asks.
 */
SEEME_FUNCTION(seeme_authorize_added, 0)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;
	SeemeStore	store;
	SeemeAsker	asker;
	TupleTableSlot *row;
	int			columns[NADDITION_COLUMNS];
	int			pointer;
	SeemeSlots	own = {0};
	HASHCTL		control = {.keysize = sizeof(Addition), .entrysize = sizeof(Addition), .hcxt = CurrentMemoryContext};
	HTAB	   *additions;
	HASH_SEQ_STATUS all;
	Addition   *addition;
	bool		asks_policies;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_AFTER(trigger->tg_event) ||
		!TRIGGER_FIRED_FOR_STATEMENT(trigger->tg_event) || trigger->tg_newtable == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("seeme.authorize_added is for triggers after INSERT, for each statement, with the new rows")));
	if (seeme_asker() == NULL)
		PG_RETURN_POINTER(NULL);

	for (int i = 0; i < NADDITION_COLUMNS; i++)
	{
		columns[i] = SPI_fnumber(RelationGetDescr(trigger->tg_relation), addition_columns[i]);
		if (columns[i] <= 0 || TupleDescAttr(RelationGetDescr(trigger->tg_relation), columns[i] - 1)->atttypid != UUIDOID)
			elog(ERROR, "table %s is not seeme.memberships", RelationGetRelationName(trigger->tg_relation));
	}
	seeme_store_open(&store);
	seeme_asker_init(&asker, &store);
	additions = hash_create("seeme_rbac memberships added", 64, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	row = MakeSingleTupleTableSlot(RelationGetDescr(trigger->tg_relation), &TTSOpsMinimalTuple);
	pointer = tuplestore_alloc_read_pointer(trigger->tg_newtable, EXEC_FLAG_REWIND);
	tuplestore_select_read_pointer(trigger->tg_newtable, pointer);
	tuplestore_rescan(trigger->tg_newtable);
	while (tuplestore_gettupleslot(trigger->tg_newtable, true, false, row))
	{
		Addition	key;
		pg_uuid_t	id;

		CHECK_FOR_INTERRUPTS();
		memset(&key, 0, sizeof(key));
		for (int i = ORGANIZATION_ID; i <= PROJECT_ID; i++)
			if (get_id(row, columns, i, &key.scope.id))
				key.scope.level = SEEME_ORGANIZATION + i;
		if (get_id(row, columns, USER_ID, &id) && seeme_uuid_equal(&id, &asker.subject.person.id) &&
			seeme_slots_find(&own, &key.scope.id) == NULL)
			seeme_slots_add(CurrentMemoryContext, &own, &key.scope.id, 1);
		if (!get_id(row, columns, CREATED_BY, &id) || !seeme_uuid_equal(&id, &asker.subject.person.id))
			continue;
		key.has_role = get_id(row, columns, ROLE_ID, &key.role_id);
		(void) hash_search(additions, &key, HASH_ENTER, NULL);
	}
	ExecDropSingleTupleTableSlot(row);

	asker.subject.without = &own;
	asks_policies = check_enable_rls(RelationGetRelid(trigger->tg_relation), InvalidOid, true) == RLS_ENABLED;
	hash_seq_init(&all, additions);
	while ((addition = hash_seq_search(&all)) != NULL)
		require_addition(&asker, addition, asks_policies);
	seeme_store_close(&store);
	PG_RETURN_POINTER(NULL);
}
