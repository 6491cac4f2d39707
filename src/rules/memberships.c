/*
 * memberships.c: what a row of seeme.memberships must satisfy before it is written: rules 7.1, 7.3
 * and 7.10, and what of the owner's membership never changes.
 *
 * The order of the rules is the order in which their errors come. What each asks is in members.c.
 * What happens after the rows are written (what goes with a membership, the log) is for SQL.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "commands/trigger.h"
#include "utils/timestamp.h"

#include "core/version.h"
#include "rules/members.h"

/* The built-in role Owner: seeme.owner_role(). */
static const pg_uuid_t owner_role = {{0, 0, 0, 0, 0, 0, 0x40, 0, 0x80, 0, 0, 0, 0, 0, 0, 1}};

/* The rules for what a membership gives, new or changed. */
static void
check_given(SeemeRowState *state, const SeemeMember *member, bool of_owner, bool asks_for_role)
{
	seeme_require_role_of(state, member);
	if (asks_for_role)
		seeme_require_role_held(state, member);
	if (member->has_role && seeme_uuid_equal(&member->role_id, &owner_role) && !of_owner)
		ereport(ERROR,
				(errcode(ERRCODE_CHECK_VIOLATION),
				 errmsg("the role Owner is on the owner's membership of the organization and on no other"),
				 seeme_member_detail(member),
				 errhint("The owner can call seeme_transfer_ownership().")));
}

static void
refuse_owners(const SeemeMember *member)
{
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("the owner of an organization stays its member, in the role Owner"),
			 seeme_member_detail(member),
			 errhint("The owner can call seeme_transfer_ownership() first.")));
}

static bool
is_owners(const SeemeMember *member)
{
	return member->has_role && seeme_uuid_equal(&member->role_id, &owner_role) &&
		!member->is_bounded;
}

static void
check_validity(const SeemeMember *member, bool from_is_null, bool until_is_null)
{
	if (!from_is_null && !until_is_null && member->valid_from >= member->valid_until)
		ereport(ERROR,
				(errcode(ERRCODE_CHECK_VIOLATION),
				 errmsg("a membership ends after it begins"),
				 seeme_member_detail(member),
				 errhint("valid_from lies before valid_until; null means unbounded.")));
}

static HeapTuple
before_insert(SeemeRowState *state, HeapTuple row)
{
	TupleDesc	tupdesc = RelationGetDescr(state->table);
	SeemeMember		member;
	bool		by_invitation;
	bool		serves_role = false;
	bool		has_inviter;
	pg_uuid_t	inviter;
	int			changed[4] = {state->columns[MEMBER_ORGANIZATION_ID],
							  state->columns[MEMBER_CREATED_BY],
							  state->columns[MEMBER_VALID_FROM],
		state->columns[MEMBER_VALID_UNTIL]};
	Datum		values[4];
	bool		nulls[4] = {false, false, true, true};
	bool		of_owner;

	seeme_get_member(state, row, &member);
	seeme_require_may_add(state, &member);
	if (seeme_takes_as_is(state))
		return row;

	seeme_settle_organization(state, &member);
	by_invitation = seeme_is_by_invitation(state, row, &member, &serves_role, &has_inviter,
										   &inviter);
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
	seeme_get_member(state, row, &member);

	of_owner = seeme_is_of_owner(state, &member);
	if (of_owner && !is_owners(&member))
	{
		/*
		 * Where the owner's membership is there, the row is not added: ON CONFLICT passes over it,
		 * or else the key is taken, as that of any other member.
		 */
		if (seeme_has_membership_of_organization(&member))
			return row;
		refuse_owners(&member);
	}
	check_given(state, &member, of_owner, !serves_role);
	check_validity(&member, heap_attisnull(row, changed[2], tupdesc),
				   heap_attisnull(row, changed[3], tupdesc));
	if (!seeme_is_of_organization(&member) && !(member.has_user &&
										  seeme_lock_membership_of_organization(&member)))
		ereport(ERROR,
				(errcode(ERRCODE_FOREIGN_KEY_VIOLATION),
				 errmsg("this person is not a member of the organization"),
				 seeme_member_detail(&member),
				 errhint("Add them to the organization first.")));
	return row;
}

static HeapTuple
before_update(SeemeRowState *state, HeapTuple old, HeapTuple row)
{
	static const int fixed[] = {MEMBER_ID, MEMBER_ORGANIZATION_ID, MEMBER_TEAM_ID,
								MEMBER_PROJECT_ID, MEMBER_USER_ID, MEMBER_CREATED_BY};
	TupleDesc	tupdesc = RelationGetDescr(state->table);
	int			changed[2] = {state->columns[MEMBER_CREATED_AT], state->columns[MEMBER_UPDATED_AT]};
	Datum		values[2];
	bool		nulls[2] = {false, false};
	SeemeMember		former;
	SeemeMember		member;
	bool		of_owner;
	bool		is_own;
	bool		dates_change;

	if (seeme_takes_as_is(state))
		return row;
	seeme_get_member(state, old, &former);
	seeme_get_member(state, row, &member);
	for (int i = 0; i < lengthof(fixed); i++)
		if (!seeme_is_same(state, old, row, fixed[i]))
			ereport(ERROR,
					(errcode(ERRCODE_CHECK_VIOLATION),
					 errmsg("only the role and the validity of a membership change"),
					 seeme_member_detail(&former),
					 errhint("Remove the member, and add the other one.")));
	values[0] = heap_getattr(old, changed[0], tupdesc, &nulls[0]);
	values[1] = TimestampTzGetDatum(GetCurrentTransactionStartTimestamp());
	row = heap_modify_tuple_by_cols(row, tupdesc, 2, changed, values, nulls);

	of_owner = seeme_is_of_owner(state, &member);
	if (of_owner && !is_owners(&member))
		refuse_owners(&member);
	dates_change = !seeme_is_same(state, old, row, MEMBER_VALID_FROM) ||
		!seeme_is_same(state, old, row, MEMBER_VALID_UNTIL);
	if (dates_change || !seeme_is_same(state, old, row, MEMBER_ROLE_ID))
	{
		is_own = state->acts && seeme_uuid_equal(&former.user_id, &state->asker.user_id);
		seeme_require_role_held(state, &former);
		if (is_own && (member.valid_from < former.valid_from ||
					   member.valid_until > former.valid_until))
			ereport(ERROR,
					(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
					 errmsg("nobody extends their own membership"),
					 seeme_member_detail(&former)));
		if (seeme_is_of_organization(&former) && !is_own && dates_change && state->is_identified)
			seeme_require_held_below(&former);
		check_given(state, &member, of_owner, true);
	}
	else if (member.has_role && seeme_uuid_equal(&member.role_id, &owner_role) && !of_owner)
		check_given(state, &member, of_owner, false);
	check_validity(&member, heap_attisnull(row, state->columns[MEMBER_VALID_FROM], tupdesc),
				   heap_attisnull(row, state->columns[MEMBER_VALID_UNTIL], tupdesc));
	return row;
}

static void
before_delete(SeemeRowState *state, HeapTuple old)
{
	SeemeMember		member;

	if (seeme_takes_as_is(state))
		return;
	seeme_get_member(state, old, &member);
	if (seeme_is_of_owner(state, &member))
		refuse_owners(&member);
	if (!state->is_identified || (state->acts &&
								  seeme_uuid_equal(&member.user_id, &state->asker.user_id)))
		return;
	/* Leaving is free; so is what goes with its container, whose own deletion was asked about. */
	if (seeme_container_exists(state, &member))
		seeme_require_role_held(state, &member);
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
	state = seeme_begin_row(fcinfo, seeme_member_columns, MEMBER_NCOLUMNS);
	if (TRIGGER_FIRED_BY_INSERT(trigger->tg_event))
		return PointerGetDatum(before_insert(state, trigger->tg_trigtuple));
	if (TRIGGER_FIRED_BY_UPDATE(trigger->tg_event))
		return PointerGetDatum(before_update(state, trigger->tg_trigtuple, trigger->tg_newtuple));
	before_delete(state, trigger->tg_trigtuple);
	return PointerGetDatum(trigger->tg_trigtuple);
}
