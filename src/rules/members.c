/*
 * members.c: what the rules about memberships ask: who may add one, whether the asking person holds
 * what a role holds, and how things lie. In the words of the errors that follow from a no.
 *
 * Asks evaluator.c (through the functions that SQL calls,
					 too) and decides nothing itself. How it may
 * remember answers from row to row is rows.c's affair.
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
#include "functions/creator_seats.h"
#include "identity/identity.h"
#include "rules/members.h"

const SeemeRowColumn seeme_member_columns[MEMBER_NCOLUMNS] = {
	[MEMBER_ID] = {"id", UUIDOID},
	[MEMBER_ORGANIZATION_ID] = {"organization_id", UUIDOID},
	[MEMBER_TEAM_ID] = {"team_id", UUIDOID},
	[MEMBER_PROJECT_ID] = {"project_id", UUIDOID},
	[MEMBER_USER_ID] = {"user_id", UUIDOID},
	[MEMBER_ROLE_ID] = {"role_id", UUIDOID},
	[MEMBER_VALID_FROM] = {"valid_from", TIMESTAMPTZOID},
	[MEMBER_VALID_UNTIL] = {"valid_until", TIMESTAMPTZOID},
	[MEMBER_CREATED_BY] = {"created_by", UUIDOID},
	[MEMBER_CREATED_AT] = {"created_at", TIMESTAMPTZOID},
	[MEMBER_UPDATED_AT] = {"updated_at", TIMESTAMPTZOID},
};

/* What the memo knows. */
enum
{
	MAY_ADD,					/* the asking person may add members there */
	HOLDS_ROLE,					/* the asking person holds all permissions of this role there */
	ROLE_IS_OF,					/* the role may be given in this organization */
	/* the team or project lies in the organization that is the answer; none: there is no such */
	LIES_IN,
	/* the organization, locked, is owned by the answer; none: there is no such */
	OWNED_BY,
	/* the organization, team or project exists, where there is an answer */
	CONTAINER_EXISTS,
};

void
seeme_get_member(const SeemeRowState *state, HeapTuple row, SeemeMember *member)
{
	member->has_organization = seeme_get_id(state, row, MEMBER_ORGANIZATION_ID,
											&member->organization_id);
	member->has_team = seeme_get_id(state, row, MEMBER_TEAM_ID, &member->team_id);
	member->has_project = seeme_get_id(state, row, MEMBER_PROJECT_ID, &member->project_id);
	member->has_user = seeme_get_id(state, row, MEMBER_USER_ID, &member->user_id);
	member->has_role = seeme_get_id(state, row, MEMBER_ROLE_ID, &member->role_id);
	member->valid_from = seeme_get_time(state, row, MEMBER_VALID_FROM, DT_NOBEGIN);
	member->valid_until = seeme_get_time(state, row, MEMBER_VALID_UNTIL, DT_NOEND);
	member->is_bounded = !heap_attisnull(row, state->columns[MEMBER_VALID_FROM],
										 RelationGetDescr(state->table)) ||
		!heap_attisnull(row, state->columns[MEMBER_VALID_UNTIL], RelationGetDescr(state->table));
}

bool
seeme_is_of_organization(const SeemeMember *member)
{
	return !member->has_team && !member->has_project;
}

/* The scope that the membership is in. */
static SeemeScopeKind
level_of(const SeemeMember *member, const pg_uuid_t **id)
{
	*id = member->has_project ? &member->project_id : member->has_team ? &member->team_id :
		&member->organization_id;
	return member->has_project ? SEEME_SCOPE_PROJECT : member->has_team ? SEEME_SCOPE_TEAM :
		member->has_organization ? SEEME_SCOPE_ORGANIZATION : SEEME_NO_SCOPE;
}

static const char *
kind_of(const SeemeMember *member)
{
	return member->has_project ? "project" : member->has_team ? "team" : "organization";
}

/* For the DETAIL of an error: 0 unless the role may be told which row it is about. */
int
seeme_member_detail(const SeemeMember *member)
{
	if (!seeme_names_rows())
		return 0;
	if (seeme_is_of_organization(member))
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
	SeemePrincipal asking;
	bool		is_identified;
	List	   *places;
	bool		may = false;

	seeme_store_open(&store);
	is_identified = seeme_init_asking(&asking, &store);
	if (is_identified && !asking.is_refused && scope->kind != SEEME_NO_SCOPE)
	{
		places = seeme_find_places(&store, scope);
		may = places != NIL && seeme_may_manage_members(&asking, linitial(places));
	}
	seeme_store_close(&store);
	return may;
}

/*
 * Throws 42501 unless row security lets the statement add this membership. Comes first, so that no
 * other error tells an outsider anything.
 */
void
seeme_require_may_add(SeemeRowState *state, const SeemeMember *member)
{
	const pg_uuid_t *id;
	SeemeScope	scope = {.kind = level_of(member, &id)};
	bool		known;

	if (!state->asks_policies)
		return;
	scope.id = *id;
	(void) seeme_recall(state, MAY_ADD, scope.kind, id, NULL, &known);
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
 * The permissions of the membership's role that the asking person does not hold in its scope:
 * seeme.missing_permissions().
 */
static ArrayType *
missing_permissions(const SeemeMember *member)
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
 * Rule 7.1: throws 42501 unless the asking person holds every permission of the membership's role
 * in its scope.
 */
void
seeme_require_role_held(SeemeRowState *state, const SeemeMember *member)
{
	const pg_uuid_t *id;
	SeemeScopeKind level = level_of(member, &id);
	SeemeScope	scope = {.kind = level};
	ArrayType  *missing;
	bool		known;

	if (!state->is_identified || !member->has_role)
		return;
	scope.id = *id;
	if (member->has_user && seeme_is_creator_seat(&scope, &member->user_id, &member->role_id))
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
				 seeme_member_detail(member),
				 errhint("You can give, change or take away only a role of which you hold all "
						 "permissions there.")));
}

static bool
role_is_of(const SeemeMember *member)
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
void
seeme_require_role_of(SeemeRowState *state, const SeemeMember *member)
{
	bool		known;

	if (!member->has_role)
		return;
	(void) seeme_recall(state, ROLE_IS_OF, SEEME_SCOPE_ORGANIZATION, &member->organization_id,
						&member->role_id, &known);
	if (known || role_is_of(member))
		return;
	CommandCounterIncrement();
	if (!role_is_of(member))
		ereport(ERROR,
				(errcode(ERRCODE_FOREIGN_KEY_VIOLATION),
				 errmsg("there is no such role in this organization"),
				 seeme_member_detail(member),
				 errhint("Take a built-in role, or one of the organization's own.")));
}

/* The organization of a team or project; false: there is no such. */
static bool
read_container(SeemeScopeKind level, const pg_uuid_t *id, pg_uuid_t *organization)
{
	SeemeStore	store;
	SeemePlace	place;
	bool		found;

	seeme_store_open(&store);
	if (level == SEEME_SCOPE_ORGANIZATION)
	{
		pg_uuid_t	owner;

		found = seeme_read_owner(&store, id, &owner);
		if (found)
			*organization = *id;
	}
	else
	{
		bool		is_archived;

		/*
		 * People hold nothing in what is archived, and are not told that it is there. An
		 * administrator, or a mirror that is loaded, puts members there.
		 */
		found = seeme_read_place_of_archived(&store, level, id, &place, &is_archived) &&
			(!is_archived || seeme_current_identity() == NULL);
		if (found)
			*organization = *seeme_place_organization(&place);
	}
	seeme_store_close(&store);
	return found;
}

/*
 * Fills in the organization of a team's or project's member. Throws 23503 if there is no such team
 * or project, or if it lies in another organization.
 */
void
seeme_settle_organization(SeemeRowState *state, SeemeMember *member)
{
	const pg_uuid_t *id;
	SeemeScopeKind level = level_of(member, &id);
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
				 seeme_member_detail(member),
				 errhint("Leave organization_id out: it is that of the team or project.")));
}

/*
 * Whether the membership is that of the organization's owner. The organization's row is locked
 * first, once for a statement, so that ownership does not move meanwhile (seeme.authorize_owner).
 * The lock is FOR KEY SHARE: a transaction that changes other columns of the organization must not
 * delay the end of a membership.
 */
bool
seeme_is_of_owner(SeemeRowState *state, const SeemeMember *member)
{
	SeemeMemoEntry *entry;
	bool		known;

	if (!seeme_is_of_organization(member))
		return false;
	entry = seeme_recall(state, OWNED_BY, SEEME_SCOPE_ORGANIZATION, &member->organization_id, NULL,
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
 * Locks the person's membership of the organization itself, so that nobody removes it before the
 * new one is visible. False: there is none.
 */
bool
seeme_lock_membership_of_organization(const SeemeMember *member)
{
	ScanKeyData keys[2];

	seeme_uuid_key(&keys[0], 2, &member->organization_id);
	seeme_uuid_key(&keys[1], 5, &member->user_id);
	return seeme_lock_row(SEEME_MEMBERSHIPS_BY_ORGANIZATION, 2, keys, is_organizations) != NULL;
}

bool
seeme_has_membership_of_organization(const SeemeMember *member)
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
 * A function of the schema seeme that is written in SQL. Such calls are rare: a bulk statement
 * makes none for each row.
 */
static Oid
find_function(const char *name, int nargs, const Oid *types)
{
	return LookupFuncName(list_make2(makeString("seeme"), makeString(pstrdup(name))), nargs, types,
						  false);
}

/*
 * Whether seeme_accept_invitation() adds this row: seeme.serve_invitation(). Then the inviter gives
 * the role, and rule 7.1 was checked for the inviter. Such a row is a membership of the asking
 * person.
 */
bool
seeme_is_by_invitation(SeemeRowState *state, HeapTuple row, const SeemeMember *member,
					   bool *serves_role,
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
	call->args[0].isnull = !seeme_get_id(state, row, MEMBER_ID, &id);
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

/*
 * Memberships in teams and projects count only while the membership in the organization does. So a
 * change of its dates also changes what the person holds there.
 */
void
seeme_require_held_below(const SeemeMember *member)
{
	LOCAL_FCINFO(call, 2);
	FmgrInfo	flinfo = {.fn_mcxt = CurrentMemoryContext};
	ArrayType  *missing;

	InitFunctionCallInfoData(*call, &flinfo, 2, InvalidOid, NULL, NULL);
	call->args[0].value = UUIDPGetDatum(&member->organization_id);
	call->args[0].isnull = false;
	call->args[1].value = UUIDPGetDatum(&member->user_id);
	call->args[1].isnull = false;
	missing = DatumGetArrayTypeP(seeme_missing_permissions_below(call));
	if (cardinality(missing) > 0)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("you do not hold %s where this person does", join(missing)),
				 seeme_member_detail(member),
				 errhint("The dates of a membership in an organization also apply to what the "
						 "person holds in its teams and projects.")));
}

/* Whether the organization, team or project of a membership still exists. */
bool
seeme_container_exists(SeemeRowState *state, const SeemeMember *member)
{
	const pg_uuid_t *id;
	SeemeScopeKind level = level_of(member, &id);
	bool		known;
	SeemeMemoEntry *entry = seeme_recall(state, CONTAINER_EXISTS, level, id, NULL, &known);

	if (!known)
		entry->has_answer = read_container(level, id, &entry->answer);
	return entry->has_answer;
}
