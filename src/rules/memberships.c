/*
 * memberships.c: what a row of seeme.memberships must satisfy before it is written: rules 7.1, 7.3
 * and 7.10, and what of the owner's membership never changes.
 *
 * Asks evaluator.c (through the functions that SQL calls, too) and decides nothing itself. How it
 * may remember answers from row to row is rows.c's affair. What happens after the rows are written
 * (what goes with a membership, the log) is for SQL.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/executor.h"
#include "nodes/makefuncs.h"
#include "parser/parse_func.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"

#include "core/version.h"
#include "functions/arguments.h"
#include "rules/rows.h"

enum
{
	ID, ORGANIZATION_ID, TEAM_ID, PROJECT_ID, USER_ID, ROLE_ID, VALID_FROM, VALID_UNTIL, CREATED_BY,
		CREATED_AT, UPDATED_AT,
	NCOLUMNS
};

static const SeemeRowColumn columns[NCOLUMNS] = {
	[ID] = {"id", UUIDOID},
	[ORGANIZATION_ID] = {"organization_id", UUIDOID},
	[TEAM_ID] = {"team_id", UUIDOID},
	[PROJECT_ID] = {"project_id", UUIDOID},
	[USER_ID] = {"user_id", UUIDOID},
	[ROLE_ID] = {"role_id", UUIDOID},
	[VALID_FROM] = {"valid_from", TIMESTAMPTZOID},
	[VALID_UNTIL] = {"valid_until", TIMESTAMPTZOID},
	[CREATED_BY] = {"created_by", UUIDOID},
	[CREATED_AT] = {"created_at", TIMESTAMPTZOID},
	[UPDATED_AT] = {"updated_at", TIMESTAMPTZOID},
};

/* What the memo knows. */
enum
{
	MAY_ADD,					/* the asking person may add members there */
	HOLDS_ROLE,					/* the asking person holds all that this role holds there */
	ROLE_IS_OF,					/* the role may be given in this organization */
	/* the team or project lies in the organization that is the answer; none: there is no such */
	LIES_IN,
	/* the organization, locked, is owned by the answer; none: there is no such */
	OWNED_BY,
	/* the organization, team or project exists, where there is an answer */
	CONTAINER_EXISTS,
};

/* The built-in role Owner: seeme.owner_role(). */
static const pg_uuid_t owner_role = {{0, 0, 0, 0, 0, 0, 0x40, 0, 0x80, 0, 0, 0, 0, 0, 0, 1}};

/* A membership, as a row has it. */
typedef struct Member
{
	bool		has_organization;
	pg_uuid_t	organization_id;
	bool		has_team;
	pg_uuid_t	team_id;
	bool		has_project;
	pg_uuid_t	project_id;
	bool		has_user;
	pg_uuid_t	user_id;
	bool		has_role;
	pg_uuid_t	role_id;
	TimestampTz valid_from;		/* DT_NOBEGIN: unbounded */
	TimestampTz valid_until;	/* DT_NOEND: unbounded */
	bool		is_bounded;
} Member;

static void
get_member(const SeemeRowState *state, HeapTuple row, Member *member)
{
	member->has_organization = seeme_get_id(state, row, ORGANIZATION_ID, &member->organization_id);
	member->has_team = seeme_get_id(state, row, TEAM_ID, &member->team_id);
	member->has_project = seeme_get_id(state, row, PROJECT_ID, &member->project_id);
	member->has_user = seeme_get_id(state, row, USER_ID, &member->user_id);
	member->has_role = seeme_get_id(state, row, ROLE_ID, &member->role_id);
	member->valid_from = seeme_get_time(state, row, VALID_FROM, DT_NOBEGIN);
	member->valid_until = seeme_get_time(state, row, VALID_UNTIL, DT_NOEND);
	member->is_bounded = !heap_attisnull(row, state->columns[VALID_FROM],
										 RelationGetDescr(state->table)) ||
		!heap_attisnull(row, state->columns[VALID_UNTIL], RelationGetDescr(state->table));
}

static bool
is_of_organization(const Member *member)
{
	return !member->has_team && !member->has_project;
}

/* The scope that the membership is in. */
static SeemeLevel
level_of(const Member *member, const pg_uuid_t **id)
{
	*id = member->has_project ? &member->project_id : member->has_team ? &member->team_id :
		&member->organization_id;
	return member->has_project ? SEEME_PROJECT : member->has_team ? SEEME_TEAM :
		member->has_organization ? SEEME_ORGANIZATION : SEEME_NOWHERE;
}

static const char *
kind_of(const Member *member)
{
	return member->has_project ? "project" : member->has_team ? "team" : "organization";
}

/* For the DETAIL of an error: 0 unless the role may be told which row it is about. */
static int
row_detail(const Member *member)
{
	if (!seeme_names_rows())
		return 0;
	if (is_of_organization(member))
		return errdetail("The membership is of person %s in organization %s.",
						 seeme_id_text(&member->user_id), seeme_id_text(&member->organization_id));
	return errdetail("The membership is of person %s in %s %s.", seeme_id_text(&member->user_id),
					 kind_of(member),
					 seeme_id_text(member->has_project ? &member->project_id : &member->team_id));
}

static bool
may_add(const SeemeScope *scope)
{
	SeemeStore	store;
	SeemeAsker	asker;
	List	   *places;
	bool		may = false;

	seeme_store_open(&store);
	seeme_asker_init(&asker, &store);
	if (asker.is_identified && !asker.subject.is_refused && scope->level != SEEME_NOWHERE)
	{
		places = seeme_places(&store, scope);
		may = places != NIL && seeme_may_manage(&asker.subject, linitial(places));
	}
	seeme_store_close(&store);
	return may;
}

/*
 * Throws 42501 unless row security lets whoever runs the statement add this membership. Before
 * anything else is told.
 */
static void
require_may_add(SeemeRowState *state, const Member *member)
{
	const pg_uuid_t *id;
	SeemeScope	scope = {.level = level_of(member, &id)};
	bool		known;

	if (!state->asks_policies)
		return;
	scope.id = *id;
	(void) seeme_recall(state, MAY_ADD, scope.level, id, NULL, &known);
	if (known || may_add(&scope))
		return;
	CommandCounterIncrement();
	if (!may_add(&scope))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("you do not hold organizations:manage_members%s in this %s",
						member->has_project ? " or projects:update" :
							member->has_team ? " or teams:update" : "",
						kind_of(member))));
}

/*
 * What of a role the asking person does not hold where the membership is:
 * seeme.missing_permissions().
 */
static ArrayType *
missing_permissions(const Member *member)
{
	LOCAL_FCINFO(call, 5);
	FmgrInfo	flinfo = {.fn_mcxt = CurrentMemoryContext};

	InitFunctionCallInfoData(*call, &flinfo, 5, InvalidOid, NULL, NULL);
	call->args[0].isnull = true;
	call->args[1].isnull = !member->has_role;
	call->args[1].value = UUIDPGetDatum(&member->role_id);
	call->args[2].isnull = !member->has_organization;
	call->args[2].value = UUIDPGetDatum(&member->organization_id);
	call->args[3].isnull = !member->has_team;
	call->args[3].value = UUIDPGetDatum(&member->team_id);
	call->args[4].isnull = !member->has_project;
	call->args[4].value = UUIDPGetDatum(&member->project_id);
	return DatumGetArrayTypeP(seeme_missing_permissions(call));
}

static int
cardinality(ArrayType *array)
{
	return ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
}

static char *
join(ArrayType *texts)
{
	Datum	   *datums;
	int			n;
	StringInfoData joined;

	deconstruct_array(texts, TEXTOID, -1, false, TYPALIGN_INT, &datums, NULL, &n);
	initStringInfo(&joined);
	for (int i = 0; i < n; i++)
		appendStringInfo(&joined, "%s%s", i == 0 ? "" : ", ", TextDatumGetCString(datums[i]));
	return joined.data;
}

/*
 * Rule 7.1: throws 42501 unless the asking person holds all that the membership's role holds there.
 */
static void
require_role_held(SeemeRowState *state, const Member *member)
{
	const pg_uuid_t *id;
	SeemeLevel	level = level_of(member, &id);
	ArrayType  *missing;
	bool		known;

	if (!state->is_identified || !member->has_role)
		return;
	(void) seeme_recall(state, HOLDS_ROLE, level, id, &member->role_id, &known);
	if (known || cardinality(missing_permissions(member)) == 0)
		return;
	CommandCounterIncrement();
	missing = missing_permissions(member);
	if (cardinality(missing) > 0)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("you do not hold %s in this %s", join(missing), kind_of(member)),
				 row_detail(member),
				 errhint("A role can be given, changed or taken away only by who holds all of its permissions there.")));
}

static bool
role_is_of(const Member *member)
{
	SeemeStore	store;
	SeemeRole  *role;
	bool		is_of;

	seeme_store_open(&store);
	role = seeme_read_role(&store, &member->role_id);
	is_of = role != NULL &&
		(!role->has_organization || seeme_uuid_equal(&role->organization_id,
													 &member->organization_id));
	seeme_store_close(&store);
	return is_of;
}

/* Rule 7.3. */
static void
require_role_of(SeemeRowState *state, const Member *member)
{
	bool		known;

	if (!member->has_role)
		return;
	(void) seeme_recall(state, ROLE_IS_OF, SEEME_ORGANIZATION, &member->organization_id,
						&member->role_id, &known);
	if (known || role_is_of(member))
		return;
	CommandCounterIncrement();
	if (!role_is_of(member))
		ereport(ERROR,
				(errcode(ERRCODE_FOREIGN_KEY_VIOLATION),
				 errmsg("there is no such role in this organization"),
				 row_detail(member),
				 errhint("Take a built-in role, or one of the organization's own.")));
}

/* The organization of a team or project; false: there is no such. */
static bool
read_container(SeemeLevel level, const pg_uuid_t *id, pg_uuid_t *organization)
{
	SeemeStore	store;
	bool		found;

	seeme_store_open(&store);
	if (level == SEEME_PROJECT)
	{
		SeemeProject project;

		found = seeme_read_project(&store, id, &project);
		if (found)
			*organization = project.organization_id;
	}
	else if (level == SEEME_TEAM)
	{
		SeemeTeam	team;

		found = seeme_read_team(&store, id, &team);
		if (found)
			*organization = team.organization_id;
	}
	else
	{
		pg_uuid_t	owner;

		found = seeme_read_owner(&store, id, &owner);
		if (found)
			*organization = *id;
	}
	seeme_store_close(&store);
	return found;
}

/*
 * Fills in the organization of a team's or project's member; throws 23503 where there is no such
 * team or project in it.
 */
static void
settle_organization(SeemeRowState *state, Member *member)
{
	const pg_uuid_t *id;
	SeemeLevel	level = level_of(member, &id);
	bool		found = false;

	if (member->has_team || member->has_project)
	{
		bool		known;
		SeemeMemoEntry *entry = seeme_recall(state, LIES_IN, level, id, NULL, &known);

		if (!known)
		{
			entry->has_answer = read_container(level, id, &entry->answer);
			if (!entry->has_answer)
			{
				CommandCounterIncrement();
				entry->has_answer = read_container(level, id, &entry->answer);
			}
		}
		found = entry->has_answer &&
			(!member->has_organization || seeme_uuid_equal(&member->organization_id,
														   &entry->answer));
		if (found)
		{
			member->has_organization = true;
			member->organization_id = entry->answer;
		}
	}
	if (!found && (member->has_team || member->has_project || !member->has_organization))
		ereport(ERROR,
				(errcode(ERRCODE_FOREIGN_KEY_VIOLATION),
				 errmsg("there is no such team or project in this organization"),
				 row_detail(member),
				 errhint("Leave organization_id out: it is that of the team or project.")));
}

/*
 * Whether the membership is that of the organization's owner. The organization's row is locked
 * first, once for a statement: ownership does not move meanwhile (seeme.authorize_owner). No more
 * than FOR KEY SHARE: whoever may change the organization's other columns does not hold up the end
 * of a membership with it.
 */
static bool
is_of_owner(SeemeRowState *state, const Member *member)
{
	SeemeMemoEntry *entry;
	bool		known;

	if (!is_of_organization(member))
		return false;
	entry = seeme_recall(state, OWNED_BY, SEEME_ORGANIZATION, &member->organization_id, NULL,
						 &known);
	if (!known)
	{
		ScanKeyData key;
		HeapTuple	row;

		seeme_uuid_key(&key, 1, &member->organization_id);
		row = seeme_lock_row(SEEME_ORGANIZATIONS_BY_ID, 1, &key, NULL);
		/* NULL, too, while the organization itself is being deleted */
		entry->has_answer = row != NULL;
		if (row != NULL)
		{
			Relation	organizations = table_open(row->t_tableOid, AccessShareLock);
			bool		isnull;

			entry->answer = *DatumGetUUIDP(heap_getattr(row,
														get_attnum(row->t_tableOid, "owner_id"),
														RelationGetDescr(organizations), &isnull));
			table_close(organizations, AccessShareLock);
		}
	}
	return entry->has_answer && member->has_user &&
		seeme_uuid_equal(&entry->answer, &member->user_id);
}

static bool
is_organizations(SeemeScan *scan)
{
	bool		in_team;
	bool		in_project;

	(void) seeme_row_datum(scan, 3, &in_team);
	(void) seeme_row_datum(scan, 4, &in_project);
	return in_team && in_project;
}

/*
 * The membership of a person in an organization itself, locked so that it is not removed before
 * this one is seen.
 */
static bool
lock_membership_of_organization(const Member *member)
{
	ScanKeyData keys[2];

	seeme_uuid_key(&keys[0], 2, &member->organization_id);
	seeme_uuid_key(&keys[1], 5, &member->user_id);
	return seeme_lock_row(SEEME_MEMBERSHIPS_BY_ORGANIZATION, 2, keys, is_organizations) != NULL;
}

static bool
has_membership_of_organization(const Member *member)
{
	SeemeStore	store;
	pg_uuid_t	id;
	bool		has;

	seeme_store_open(&store);
	has = seeme_find_membership(&store, &member->organization_id, &member->user_id, &id);
	seeme_store_close(&store);
	return has;
}

/*
 * A function of the schema seeme that is written in SQL. Called rarely, never for each row of a
 * bulk statement.
 */
static Oid
find_function(const char *name, int nargs, const Oid *types)
{
	return LookupFuncName(list_make2(makeString("seeme"), makeString(pstrdup(name))), nargs, types,
						  false);
}

/*
 * Whether the row is made by an invitation that seeme_accept_invitation is accepting:
 * seeme.serve_invitation(). Then the inviter hands the role out, and was asked. Such rows are the
 * asking person's own.
 */
static bool
is_by_invitation(SeemeRowState *state, HeapTuple row, const Member *member, bool *serves_role,
				 bool *has_inviter, pg_uuid_t *inviter)
{
	static const Oid types[] = {UUIDOID, UUIDOID, UUIDOID, UUIDOID, UUIDOID};
	LOCAL_FCINFO(call, 5);
	FmgrInfo	function;
	pg_uuid_t	id;
	Datum		answer;
	bool		isnull;

	if (!state->acts || !member->has_user ||
		!seeme_uuid_equal(&member->user_id, &state->asker.user_id))
		return false;
	fmgr_info(find_function("serve_invitation", 5, types), &function);
	InitFunctionCallInfoData(*call, &function, 5, InvalidOid, NULL, NULL);
	call->args[0].isnull = !seeme_get_id(state, row, ID, &id);
	call->args[0].value = UUIDPGetDatum(&id);
	call->args[1].isnull = !member->has_role;
	call->args[1].value = UUIDPGetDatum(&member->role_id);
	call->args[2].isnull = false;
	call->args[2].value = UUIDPGetDatum(&member->organization_id);
	call->args[3].isnull = !member->has_team;
	call->args[3].value = UUIDPGetDatum(&member->team_id);
	call->args[4].isnull = !member->has_project;
	call->args[4].value = UUIDPGetDatum(&member->project_id);
	answer = FunctionCallInvoke(call);
	if (call->isnull)
		return false;
	*serves_role = DatumGetBool(GetAttributeByNum(DatumGetHeapTupleHeader(answer), 1, &isnull));
	if (isnull)
		return false;
	answer = GetAttributeByNum(DatumGetHeapTupleHeader(answer), 2, has_inviter);
	*has_inviter = !*has_inviter;
	if (*has_inviter)
		*inviter = *DatumGetUUIDP(answer);
	return true;
}

/* The rules for what a membership gives, new or changed. */
static void
check_given(SeemeRowState *state, const Member *member, bool of_owner, bool asks_for_role)
{
	require_role_of(state, member);
	if (asks_for_role)
		require_role_held(state, member);
	if (member->has_role && seeme_uuid_equal(&member->role_id, &owner_role) && !of_owner)
		ereport(ERROR,
				(errcode(ERRCODE_CHECK_VIOLATION),
				 errmsg("the role Owner is on the owner's membership of the organization and on no other"),
				 row_detail(member),
				 errhint("The owner can call seeme_transfer_ownership().")));
}

static void
refuse_owners(const Member *member)
{
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("the owner of an organization stays its member, in the role Owner"),
			 row_detail(member),
			 errhint("The owner can call seeme_transfer_ownership() first.")));
}

static bool
is_owners(const Member *member)
{
	return member->has_role && seeme_uuid_equal(&member->role_id, &owner_role) &&
		!member->is_bounded;
}

static void
check_validity(const Member *member, bool from_is_null, bool until_is_null)
{
	if (!from_is_null && !until_is_null && member->valid_from >= member->valid_until)
		ereport(ERROR,
				(errcode(ERRCODE_CHECK_VIOLATION),
				 errmsg("a membership ends after it begins"),
				 row_detail(member),
				 errhint("valid_from lies before valid_until; null means unbounded.")));
}

static HeapTuple
before_insert(SeemeRowState *state, HeapTuple row)
{
	TupleDesc	tupdesc = RelationGetDescr(state->table);
	Member		member;
	bool		by_invitation;
	bool		serves_role = false;
	bool		has_inviter;
	pg_uuid_t	inviter;
	int			changed[4] = {state->columns[ORGANIZATION_ID], state->columns[CREATED_BY],
							  state->columns[VALID_FROM],
		state->columns[VALID_UNTIL]};
	Datum		values[4];
	bool		nulls[4] = {false, false, true, true};
	bool		of_owner;

	get_member(state, row, &member);
	require_may_add(state, &member);
	if (seeme_takes_as_is(state))
		return row;

	settle_organization(state, &member);
	by_invitation = is_by_invitation(state, row, &member, &serves_role, &has_inviter, &inviter);
	values[0] = UUIDPGetDatum(&member.organization_id);
	if (by_invitation)
	{
		nulls[1] = !has_inviter;
		values[1] = UUIDPGetDatum(&inviter);
	}
	else if (state->is_identified)
	{
		nulls[1] = !state->acts;
		values[1] = UUIDPGetDatum(&state->asker.user_id);
	}
	else
		values[1] = heap_getattr(row, changed[1], tupdesc, &nulls[1]);
	row = heap_modify_tuple_by_cols(row, tupdesc, serves_role ? 4 : 2, changed, values, nulls);
	get_member(state, row, &member);

	of_owner = is_of_owner(state, &member);
	if (of_owner && !is_owners(&member))
	{
		/*
		 * Where the owner's membership is there, the row is not added: ON CONFLICT passes over it,
		 * or else the key is taken, as that of any other member.
		 */
		if (has_membership_of_organization(&member))
			return row;
		refuse_owners(&member);
	}
	check_given(state, &member, of_owner, !serves_role);
	check_validity(&member, heap_attisnull(row, changed[2], tupdesc),
				   heap_attisnull(row, changed[3], tupdesc));
	if (!is_of_organization(&member) && !(member.has_user &&
										  lock_membership_of_organization(&member)))
		ereport(ERROR,
				(errcode(ERRCODE_FOREIGN_KEY_VIOLATION),
				 errmsg("this person is not a member of the organization"),
				 row_detail(&member),
				 errhint("Add them to the organization first.")));
	return row;
}

/*
 * What lies below an organization counts while the membership there does: its dates give and take
 * that, too.
 */
static void
require_held_below(const Member *member)
{
	LOCAL_FCINFO(call, 2);
	FmgrInfo	flinfo = {.fn_mcxt = CurrentMemoryContext};
	ArrayType  *missing;

	InitFunctionCallInfoData(*call, &flinfo, 2, InvalidOid, NULL, NULL);
	call->args[0].value = UUIDPGetDatum(&member->organization_id);
	call->args[0].isnull = false;
	call->args[1].value = UUIDPGetDatum(&member->user_id);
	call->args[1].isnull = false;
	missing = DatumGetArrayTypeP(seeme_missing_below(call));
	if (cardinality(missing) > 0)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("you do not hold %s where this person does", join(missing)),
				 row_detail(member),
				 errhint("The dates of a membership in an organization give and take what the person holds in its teams and projects.")));
}

static HeapTuple
before_update(SeemeRowState *state, HeapTuple old, HeapTuple row)
{
	static const int fixed[] = {ID, ORGANIZATION_ID, TEAM_ID, PROJECT_ID, USER_ID, CREATED_BY};
	TupleDesc	tupdesc = RelationGetDescr(state->table);
	int			changed[2] = {state->columns[CREATED_AT], state->columns[UPDATED_AT]};
	Datum		values[2];
	bool		nulls[2] = {false, false};
	Member		former;
	Member		member;
	bool		of_owner;
	bool		is_own;
	bool		dates_change;

	if (seeme_takes_as_is(state))
		return row;
	get_member(state, old, &former);
	get_member(state, row, &member);
	for (int i = 0; i < lengthof(fixed); i++)
		if (!seeme_is_same(state, old, row, fixed[i]))
			ereport(ERROR,
					(errcode(ERRCODE_CHECK_VIOLATION),
					 errmsg("only the role and the validity of a membership change"),
					 row_detail(&former),
					 errhint("Remove the member, and add the other one.")));
	values[0] = heap_getattr(old, changed[0], tupdesc, &nulls[0]);
	values[1] = TimestampTzGetDatum(GetCurrentTransactionStartTimestamp());
	row = heap_modify_tuple_by_cols(row, tupdesc, 2, changed, values, nulls);

	of_owner = is_of_owner(state, &member);
	if (of_owner && !is_owners(&member))
		refuse_owners(&member);
	dates_change = !seeme_is_same(state, old, row, VALID_FROM) ||
		!seeme_is_same(state, old, row, VALID_UNTIL);
	if (dates_change || !seeme_is_same(state, old, row, ROLE_ID))
	{
		is_own = state->acts && seeme_uuid_equal(&former.user_id, &state->asker.user_id);
		require_role_held(state, &former);
		if (is_own && (member.valid_from < former.valid_from ||
					   member.valid_until > former.valid_until))
			ereport(ERROR,
					(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
					 errmsg("nobody extends their own membership"),
					 row_detail(&former)));
		if (is_of_organization(&former) && !is_own && dates_change && state->is_identified)
			require_held_below(&former);
		check_given(state, &member, of_owner, true);
	}
	else if (member.has_role && seeme_uuid_equal(&member.role_id, &owner_role) && !of_owner)
		check_given(state, &member, of_owner, false);
	check_validity(&member, heap_attisnull(row, state->columns[VALID_FROM], tupdesc),
				   heap_attisnull(row, state->columns[VALID_UNTIL], tupdesc));
	return row;
}

/* Whether the organization, team or project that a membership is in exists (still). */
static bool
container_exists(SeemeRowState *state, const Member *member)
{
	const pg_uuid_t *id;
	SeemeLevel	level = level_of(member, &id);
	bool		known;
	SeemeMemoEntry *entry = seeme_recall(state, CONTAINER_EXISTS, level, id, NULL, &known);

	if (!known)
		entry->has_answer = read_container(level, id, &entry->answer);
	return entry->has_answer;
}

static void
before_delete(SeemeRowState *state, HeapTuple old)
{
	Member		member;

	if (seeme_takes_as_is(state))
		return;
	get_member(state, old, &member);
	if (is_of_owner(state, &member))
		refuse_owners(&member);
	if (!state->is_identified || (state->acts &&
								  seeme_uuid_equal(&member.user_id, &state->asker.user_id)))
		return;
	/* Leaving is free; so is what goes with its container, whose own deletion was asked about. */
	if (container_exists(state, &member))
		require_role_held(state, &member);
}

/*
 * seeme.enforce_membership_rules() RETURNS trigger
 */
SEEME_FUNCTION(seeme_enforce_membership_rules, 0)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;
	SeemeRowState *state;

	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("seeme.enforce_membership_rules is a trigger function")));
	seeme_require_own_table(trigger->tg_relation);
	if (!TRIGGER_FIRED_BEFORE(trigger->tg_event) || !TRIGGER_FIRED_FOR_ROW(trigger->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("seeme.enforce_membership_rules is for triggers before a row")));
	state = seeme_begin_row(fcinfo, columns, NCOLUMNS);
	if (TRIGGER_FIRED_BY_INSERT(trigger->tg_event))
		return PointerGetDatum(before_insert(state, trigger->tg_trigtuple));
	if (TRIGGER_FIRED_BY_UPDATE(trigger->tg_event))
		return PointerGetDatum(before_update(state, trigger->tg_trigtuple, trigger->tg_newtuple));
	before_delete(state, trigger->tg_trigtuple);
	return PointerGetDatum(trigger->tg_trigtuple);
}
