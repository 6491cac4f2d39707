/*
 * creator_role.c: organizations.creator_role_id: which role it may name, and the membership with
 * that role that whoever creates a team or project gets there.
 *
 * Asks evaluator.c and decides nothing itself. The column has no foreign key: organizations and
 * roles would refer to each other, and pg_dump could not order them. Instead the role's row is
 * locked when it is named, and seeme.enforce_role_rules() does not delete a role that is named.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/tuplestore.h"

#include "core/version.h"
#include "functions/creator_seats.h"
#include "rules/creator_role.h"

/* The built-in roles Owner and Admin: seeme.owner_role() and seeme.admin_role(). */
static const pg_uuid_t owner_role = {{0, 0, 0, 0, 0, 0, 0x40, 0, 0x80, 0, 0, 0, 0, 0, 0, 1}};
static const pg_uuid_t admin_role = {{0, 0, 0, 0, 0, 0, 0x40, 0, 0x80, 0, 0, 0, 0, 0, 0, 2}};

/*
 * Throws unless an organization (NULL: one that is being created) may have this role as its
 * creator_role_id. Locks the role's row FOR KEY SHARE, so that nobody deletes it meanwhile.
 */
static void
require_creator_role(const pg_uuid_t *organization, const pg_uuid_t *role)
{
	ScanKeyData key;
	HeapTuple	row;
	bool		is_of = false;

	if (seeme_uuid_equal(role, &owner_role))
		ereport(ERROR,
				(errcode(ERRCODE_CHECK_VIOLATION),
				 errmsg("the creator of a team or project does not get the role Owner there"),
				 errhint("The role Owner is on the owner's membership of the organization and on "
						 "no other. Take Admin, or a role of the organization's own.")));
	if (seeme_uuid_equal(role, &admin_role))
		return;					/* the default, which is always there */

	seeme_uuid_key(&key, Anum_roles_id, role);
	row = seeme_lock_row(SEEME_ROLES_BY_ID, 1, &key, NULL);
	if (row != NULL)
	{
		Relation	roles = table_open(row->t_tableOid, AccessShareLock);
		bool		isnull;
		Datum		of = heap_getattr(row, Anum_roles_organization_id, RelationGetDescr(roles),
									  &isnull);

		is_of = isnull ||
			(organization != NULL && seeme_uuid_equal(DatumGetUUIDP(of), organization));
		table_close(roles, AccessShareLock);
	}
	if (!is_of)
		ereport(ERROR,
				(errcode(ERRCODE_FOREIGN_KEY_VIOLATION),
				 errmsg("there is no such role in this organization"),
				 errhint("Take a built-in role, or one of the organization's own.")));
}

/*
 * Rule 7.1 for the setting: throws 42501 unless the asking person holds every permission of the
 * role in the organization.
 */
static void
require_role_held(const pg_uuid_t *organization, const pg_uuid_t *role)
{
	LOCAL_FCINFO(call, 5);
	FmgrInfo	flinfo = {.fn_mcxt = CurrentMemoryContext};
	ArrayType  *missing;
	Datum	   *codes;
	int			ncodes;
	StringInfoData joined;

	InitFunctionCallInfoData(*call, &flinfo, 5, InvalidOid, NULL, NULL);
	for (int i = 0; i < 5; i++)
		call->args[i].isnull = true;
	call->args[1].value = UUIDPGetDatum(role);
	call->args[1].isnull = false;
	call->args[2].value = UUIDPGetDatum(organization);
	call->args[2].isnull = false;
	missing = DatumGetArrayTypeP(seeme_missing_permissions(call));
	deconstruct_array(missing, TEXTOID, -1, false, TYPALIGN_INT, &codes, NULL, &ncodes);
	if (ncodes == 0)
		return;
	initStringInfo(&joined);
	for (int i = 0; i < ncodes; i++)
		appendStringInfo(&joined, "%s%s", i == 0 ? "" : ", ", TextDatumGetCString(codes[i]));
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("you do not hold %s in this organization", joined.data),
			 errhint("You can choose or replace only a role of which you hold all permissions in "
					 "the organization.")));
}

/*
 * Checks the change of an organization's creator_role_id from one role to another; NULL: none. The
 * creator of an organization (organization NULL) owns it, and holds everything.
 */
void
seeme_check_creator_role(SeemeRowState *state, const pg_uuid_t *organization,
						 const pg_uuid_t *former, const pg_uuid_t *role)
{
	if (role != NULL)
		require_creator_role(organization, role);
	if (organization == NULL || !state->is_identified)
		return;
	if (former != NULL)
		require_role_held(organization, former);
	if (role != NULL)
		require_role_held(organization, role);
}

/*
 * seeme.is_creator_role(role_id, organization uuid) RETURNS boolean
 *
 * Follows the latest committed state, also in a transaction with an old snapshot.
 */
SEEME_FUNCTION(seeme_is_creator_role_of, 2)
{
	SeemeStore	store;
	pg_uuid_t	found;
	bool		is_creator_role;

	if (PG_ARGISNULL(0))
		PG_RETURN_BOOL(false);
	seeme_store_open(&store);
	if (PG_ARGISNULL(1))
		is_creator_role = seeme_is_creator_role(&store, PG_GETARG_UUID_P(0));
	else
		is_creator_role = seeme_read_creator_role(&store, PG_GETARG_UUID_P(1), &found) &&
			seeme_uuid_equal(&found, PG_GETARG_UUID_P(0));
	seeme_store_close(&store);
	PG_RETURN_BOOL(is_creator_role);
}

/* The seats */

/* The answer for everything that is equal in what matters. */
typedef struct SeatAnswer
{
	SeemeCreated created;		/* the key */
	bool		has_seat;
	pg_uuid_t	role_id;
} SeatAnswer;

/* Rows to insert, as three arrays of one length. */
typedef struct SeatRows
{
	int			n;
	int			size;
	Datum	   *organizations;
	Datum	   *containers;
	Datum	   *roles;
	SeemeCreatorSeats seats;
} SeatRows;

static void
add_seat(SeatRows *rows, const SeatAnswer *answer, const pg_uuid_t *container)
{
	pg_uuid_t  *ids;

	if (rows->n == rows->size)
	{
		Size		size = rows->size = rows->size == 0 ? 8 : rows->size * 2;

#define GROW(array, type) \
	(array) = (array) == NULL ? palloc_extended(size * sizeof(type), MCXT_ALLOC_HUGE) : \
		repalloc_huge((array), size * sizeof(type))
		GROW(rows->organizations, Datum);
		GROW(rows->containers, Datum);
		GROW(rows->roles, Datum);
		GROW(rows->seats.roles, pg_uuid_t);
#undef GROW
	}
	ids = palloc(sizeof(pg_uuid_t) * 3);
	ids[0] = answer->created.organization_id;
	ids[1] = *container;
	ids[2] = answer->role_id;
	rows->organizations[rows->n] = UUIDPGetDatum(&ids[0]);
	rows->containers[rows->n] = UUIDPGetDatum(&ids[1]);
	rows->roles[rows->n] = UUIDPGetDatum(&ids[2]);
	rows->seats.roles[rows->n++] = answer->role_id;
	seeme_uuid_hash_insert(CurrentMemoryContext, &rows->seats.numbers, container, rows->n);
}

static bool
get_uuid(TupleTableSlot *row, const char *column, pg_uuid_t *id)
{
	int			number = SPI_fnumber(row->tts_tupleDescriptor, column);
	bool		isnull;
	Datum		value;

	if (number <= 0)
		elog(ERROR, "there is no column %s", column);
	value = slot_getattr(row, number, &isnull);
	if (!isnull)
		*id = *DatumGetUUIDP(value);
	return !isnull;
}

/* Finds the seats in what the statement inserted. */
static void
collect_seats(TriggerData *trigger, SeemePrincipal *creator, SeatRows *rows)
{
	HASHCTL		control = {.keysize = sizeof(SeemeCreated), .entrysize = sizeof(SeatAnswer),
	.hcxt = CurrentMemoryContext};
	HTAB	   *answers = hash_create("seeme_rbac seats of a creator", 16, &control,
									  HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	TupleTableSlot *row = MakeSingleTupleTableSlot(RelationGetDescr(trigger->tg_relation),
												   &TTSOpsMinimalTuple);
	int			pointer = tuplestore_alloc_read_pointer(trigger->tg_newtable, EXEC_FLAG_REWIND);

	tuplestore_select_read_pointer(trigger->tg_newtable, pointer);
	tuplestore_rescan(trigger->tg_newtable);
	while (tuplestore_gettupleslot(trigger->tg_newtable, true, false, row))
	{
		SeemeCreated created;
		SeatAnswer *answer;
		pg_uuid_t	id;
		bool		found;

		CHECK_FOR_INTERRUPTS();
		/* The whole structure is the key of the table, padding included. */
		memset(&created, 0, sizeof(created));
		created.kind = rows->seats.kind;
		get_uuid(row, "id", &id);
		get_uuid(row, "organization_id", &created.organization_id);
		if (created.kind == SEEME_SCOPE_PROJECT)
			created.has_team = get_uuid(row, "team_id", &created.team_id);
		answer = hash_search(answers, &created, HASH_ENTER, &found);
		if (!found)
			answer->has_seat = seeme_creator_gets_seat(creator, &created, &answer->role_id);
		if (answer->has_seat)
			add_seat(rows, answer, &id);
	}
	ExecDropSingleTupleTableSlot(row);
}

static void
insert_seats(SeatRows *rows)
{
	const char *level = rows->seats.kind == SEEME_SCOPE_PROJECT ? "project" : "team";
	Oid			types[] = {UUIDOID, UUIDARRAYOID, UUIDARRAYOID, UUIDARRAYOID};
	Datum		values[] = {
		UUIDPGetDatum(&rows->seats.user_id),
		PointerGetDatum(construct_array(rows->organizations, rows->n, UUIDOID, UUID_LEN, false,
										TYPALIGN_CHAR)),
		PointerGetDatum(construct_array(rows->containers, rows->n, UUIDOID, UUID_LEN, false,
										TYPALIGN_CHAR)),
		PointerGetDatum(construct_array(rows->roles, rows->n, UUIDOID, UUID_LEN, false,
										TYPALIGN_CHAR))};
	char	   *query = psprintf("INSERT INTO seeme.memberships "
								 "(organization_id, %s_id, user_id, role_id) "
								 "SELECT s.organization_id, s.id, $1, s.role_id "
								 "FROM unnest($2, $3, $4) AS s (organization_id, id, role_id) "
								 "ON CONFLICT ON CONSTRAINT memberships_person_and_scope_key "
								 "DO NOTHING", level);
	SeemeCreatorSeats *former;

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	former = seeme_set_creator_seats(&rows->seats);
	PG_TRY();
	{
		if (SPI_execute_with_args(query, 4, types, values, NULL, false, 0) != SPI_OK_INSERT)
			elog(ERROR, "the creator did not get a membership");
	}
	PG_FINALLY();
	{
		(void) seeme_set_creator_seats(former);
	}
	PG_END_TRY();
	SPI_finish();
}

/*
 * seeme.seat_creator() RETURNS trigger
 *
 * After an INSERT into seeme.teams or seeme.projects, for each statement. The creator counts
 * without an API key: the membership is the user's, and the key limits what it is used for.
 */
SEEME_FUNCTION(seeme_seat_creator, 0)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;
	SeemeStore	store;
	SeemePrincipal creator;
	SeatRows	rows = {0};

	LOCAL_FCINFO(call, 0);
	Datum		user_id;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_AFTER(trigger->tg_event) ||
		!TRIGGER_FIRED_FOR_STATEMENT(trigger->tg_event) || trigger->tg_newtable == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("seeme.seat_creator is for triggers after INSERT, for each statement, "
						"with the new rows")));
	seeme_require_own_table(trigger->tg_relation);
	if (seeme_current_identity() == NULL || seeme_current_actor() != NULL ||
		tuplestore_tuple_count(trigger->tg_newtable) == 0)
		PG_RETURN_POINTER(NULL);
	InitFunctionCallInfoData(*call, NULL, 0, InvalidOid, NULL, NULL);
	user_id = seeme_user_id(call);
	if (call->isnull)
		PG_RETURN_POINTER(NULL);

	rows.seats.user_id = *DatumGetUUIDP(user_id);
	rows.seats.kind = strcmp(RelationGetRelationName(trigger->tg_relation), "projects") == 0 ?
		SEEME_SCOPE_PROJECT : SEEME_SCOPE_TEAM;
	CommandCounterIncrement();	/* the statement itself may have made the team */
	seeme_store_open(&store);
	seeme_init_principal(&creator, &store, &rows.seats.user_id);
	collect_seats(trigger, &creator, &rows);
	seeme_store_close(&store);
	if (rows.n > 0)
		insert_seats(&rows);
	PG_RETURN_POINTER(NULL);
}
