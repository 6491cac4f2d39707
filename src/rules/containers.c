/*
 * containers.c: what a row of seeme.organizations, seeme.teams or seeme.projects must satisfy
 * before it is written, and once more when an INSERT has waited.
 *
 * Asks evaluator.c and decides nothing itself. SQL does what follows a row: the owner's membership,
 * the audit log.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"
#include "parser/parse_func.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "core/version.h"
#include "functions/arguments.h"
#include "functions/creator_seats.h"
#include "rules/creator_role.h"
#include "rules/names.h"
#include "rules/rows.h"
#include "rules/slug.h"
#include "rules/texts.h"

/*
 * The columns of all three tables, by their place in the state. Those that a table does not have
 * are not looked up.
 */
enum
{
	ID, NAME, DESCRIPTION, SLUG, HAS_LOGO, CREATED_AT, UPDATED_AT, ARCHIVED_AT,
	/* organizations */
	WEBSITE,
	OWNER_ID,
	CREATOR_ROLE_ID,
	/* teams and projects */
	ORGANIZATION_ID = WEBSITE,
	/* projects */
	TEAM_ID = OWNER_ID,
	MAX_COLUMNS = CREATOR_ROLE_ID + 1
};

#define SHARED_COLUMNS \
	{"id", UUIDOID}, {"name", TEXTOID}, {"description", TEXTOID}, {"slug", TEXTOID}, \
	{"has_logo", BOOLOID}, {"created_at", TIMESTAMPTZOID}, {"updated_at", TIMESTAMPTZOID}, \
	{"archived_at", TIMESTAMPTZOID}

/* One of the tables. */
typedef struct Kind
{
	const char *table;
	const char *name;
	const char *slug_index;
	const char *create_code;	/* NULL: anybody signed in adds one */
	SeemeRowColumn columns[MAX_COLUMNS];
	int			ncolumns;

	/*
	 * What an UPDATE may change. Has_logo, created_at and updated_at get the right value anyway,
	 * and seeme.authorize_archiving() decides about archived_at.
	 */
	int			may_change[MAX_COLUMNS];
	int			nmay_change;
} Kind;

#define SHARED_MAY_CHANGE NAME, DESCRIPTION, SLUG, HAS_LOGO, CREATED_AT, UPDATED_AT, ARCHIVED_AT

static const Kind kinds[] = {
	{"organizations", "organization", "organizations_slug_key", NULL,
		{SHARED_COLUMNS, {"website", TEXTOID}, {"owner_id", UUIDOID},
		{"creator_role_id", UUIDOID}}, 11,
		/* owner_id: see seeme.authorize_owner() */
	{SHARED_MAY_CHANGE, WEBSITE, OWNER_ID, CREATOR_ROLE_ID}, 10},
	{"teams", "team", "teams_slug_key", "teams:create",
		{SHARED_COLUMNS, {"organization_id", UUIDOID}}, 9,
	{SHARED_MAY_CHANGE}, 7},
	{"projects", "project", "projects_slug_key", "projects:create",
		{SHARED_COLUMNS, {"organization_id", UUIDOID}, {"team_id", UUIDOID}}, 10,
	{SHARED_MAY_CHANGE, TEAM_ID}, 8},
};

#define is_organizations(kind) ((kind) == &kinds[0])
#define is_projects(kind) ((kind) == &kinds[2])

/* What the memo knows. */
enum
{
	/* the asking person may add such a thing in this team of this organization */
	MAY_CREATE,
	TEAM_LIES_IN,				/* the team lies in this organization */
	TEAM_ORGANIZATION,			/* the answer is the team's organization */
};

static const Kind *
kind_of(Relation table)
{
	seeme_require_own_table(table);
	for (int i = 0; i < lengthof(kinds); i++)
		if (strcmp(RelationGetRelationName(table), kinds[i].table) == 0)
			return &kinds[i];
	elog(ERROR, "table %s is neither seeme.organizations, seeme.teams nor seeme.projects",
		 RelationGetRelationName(table));
}

/* For the DETAIL of an error: 0 unless the role may be told which row it is about. */
static int
row_detail(const SeemeRowState *state, const Kind *kind, HeapTuple row)
{
	pg_uuid_t	id;
	pg_uuid_t	organization;
	char	   *name;

	if (!seeme_names_rows())
		return 0;
	seeme_get_id(state, row, ID, &id);
	name = seeme_get_text(state, row, NAME);
	if (name != NULL)
		name = pnstrdup(name, pg_mbcharcliplen(name, strlen(name), 100));
	if (is_organizations(kind) || !seeme_get_id(state, row, ORGANIZATION_ID, &organization))
		return errdetail("The %s is %s, \"%s\".", kind->name, seeme_id_text(&id),
						 name == NULL ? "" : name);
	return errdetail("The %s is %s, \"%s\", of organization %s.", kind->name, seeme_id_text(&id),
					 name == NULL ? "" : name,
					 seeme_id_text(&organization));
}

static Oid
find_function(const char *name, int nargs)
{
	static const Oid types[] = {UUIDOID, UUIDOID, UUIDOID};

	return LookupFuncName(list_make2(makeString("seeme"), makeString(pstrdup(name))), nargs, types,
						  false);
}

/* Who may add */

static bool
may_create(const char *code, const pg_uuid_t *organization, const pg_uuid_t *team)
{
	const pg_uuid_t *ids[] = {team, organization};
	SeemeStore	store;
	SeemePrincipal asking;
	bool		is_identified;
	bool		may = false;

	seeme_store_open(&store);
	is_identified = seeme_init_asking(&asking, &store);
	for (int i = 0; i < lengthof(ids) && is_identified && !asking.is_refused && !may;
		 i++)
		if (ids[i] != NULL)
		{
			SeemeScope	scope = {.id = *ids[i]};
			List	   *places;

			scope.kind = i == 0 ? SEEME_SCOPE_TEAM : SEEME_SCOPE_ORGANIZATION;
			places = seeme_find_places(&store, &scope);
			may = places != NIL && seeme_evaluate(&asking, linitial(places), code);
		}
	seeme_store_close(&store);
	return may;
}

/*
 * Throws 42501 unless row security lets the statement add this row. The INSERT policy says the
 * same, but PostgreSQL checks it later. Checked first, no other error (a slug is taken) tells an
 * outsider anything, and the message names the missing permission.
 */
static void
require_may_create(SeemeRowState *state, const Kind *kind, const pg_uuid_t *organization,
				   const pg_uuid_t *team)
{
	bool		known;

	if (!state->asks_policies)
		return;
	if (is_organizations(kind))
	{
		if (!state->acts)
			ereport(ERROR,
					(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
					 errmsg("nobody is identified who could own this organization"),
					 errhint("Assume a person, or connect with that person's database role.")));
		return;
	}
	(void) seeme_recall(state, MAY_CREATE, SEEME_SCOPE_ORGANIZATION, organization, team, &known);
	if (known || may_create(kind->create_code, organization, team))
		return;
	CommandCounterIncrement();
	if (!may_create(kind->create_code, organization, team))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("you do not hold %s in this %s", kind->create_code,
						team != NULL ? "team" : "organization")));
}

/* The rules for the values */

static bool
read_team(const pg_uuid_t *id, pg_uuid_t *organization)
{
	SeemeStore	store;
	SeemePlace	place;
	bool		found;

	seeme_store_open(&store);
	found = seeme_read_place(&store, SEEME_SCOPE_TEAM, id, &place);
	seeme_store_close(&store);
	if (found)
		*organization = *seeme_place_organization(&place);
	return found;
}

/* False: there is no such team. */
static bool
organization_of_team(SeemeRowState *state, const pg_uuid_t *team, pg_uuid_t *organization)
{
	bool		known;
	SeemeMemoEntry *entry = seeme_recall(state, TEAM_ORGANIZATION, SEEME_SCOPE_TEAM, team, NULL,
										 &known);

	if (!known)
	{
		entry->has_answer = read_team(team, &entry->answer);
		if (!entry->has_answer)
		{
			CommandCounterIncrement();	/* the statement itself may have made it */
			entry->has_answer = read_team(team, &entry->answer);
		}
	}
	*organization = entry->answer;
	return entry->has_answer;
}

static bool
is_retired(const pg_uuid_t *id)
{
	SeemeStore	store;
	bool		retired;

	seeme_store_open(&store);
	retired = seeme_read_retired(&store, id);
	seeme_store_close(&store);
	return retired;
}

static void
refuse_id(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_UNIQUE_VIOLATION),
			 errmsg("this id is taken"),
			 errhint("Leave it out to have one made.")));
}

/* A row in the making: its columns are changed one by one. */
typedef struct Values
{
	int			n;
	int			columns[MAX_COLUMNS];
	Datum		values[MAX_COLUMNS];
	bool		nulls[MAX_COLUMNS];
} Values;

static void
set_value(const SeemeRowState *state, Values *values, int column, Datum value, bool isnull)
{
	values->columns[values->n] = state->columns[column];
	values->values[values->n] = value;
	values->nulls[values->n++] = isnull;
}

static void
set_text(const SeemeRowState *state, Values *values, int column, const char *value)
{
	set_value(state, values, column, value == NULL ? (Datum) 0 : CStringGetTextDatum(value),
			  value == NULL);
}

static void
settle_owner(SeemeRowState *state, HeapTuple row, Values *values)
{
	pg_uuid_t	owner;
	bool		has_owner = seeme_get_id(state, row, OWNER_ID, &owner);

	if (!state->is_identified)
	{
		if (!has_owner)
			ereport(ERROR,
					(errcode(ERRCODE_NOT_NULL_VIOLATION),
					 errmsg("an organization needs an owner"),
					 row_detail(state, &kinds[0], row),
					 errhint("Nobody is identified, so say owner_id.")));
		return;
	}
	if (has_owner && !(state->acts && seeme_uuid_equal(&owner, &state->asker.user_id)))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("who creates an organization owns it"),
				 row_detail(state, &kinds[0], row),
				 errhint("Leave owner_id out, and call seeme_transfer_ownership() later.")));
	set_value(state, values, OWNER_ID, UUIDPGetDatum(&state->asker.user_id), !state->acts);
}

/* What is needed for a table's rows, made once for a statement. */
typedef struct ContainerState
{
	SeemeSlugPlace place;
	FmgrInfo	has_logo;		/* seeme.has_logo(organization, team, project) */
} ContainerState;

static ContainerState *
get_more(SeemeRowState *state, const Kind *kind)
{
	ContainerState *more = state->more;

	if (more != NULL)
		return more;
	more = state->more = MemoryContextAllocZero(state->context, sizeof(ContainerState));
	more->place.table = state->table;
	more->place.index = get_relname_relid(kind->slug_index, RelationGetNamespace(state->table));
	more->place.id_column = state->columns[ID];
	if (!is_organizations(kind))
		more->place.organization_column = state->columns[ORGANIZATION_ID];
	more->place.slug_column = state->columns[SLUG];
	more->place.context = state->context;
	return more;
}

static bool
has_logo(SeemeRowState *state, const Kind *kind, const pg_uuid_t *id, const pg_uuid_t *organization)
{
	LOCAL_FCINFO(call, 3);
	FmgrInfo   *function = &get_more(state, kind)->has_logo;

	if (!OidIsValid(function->fn_oid))
		fmgr_info_cxt(find_function("has_logo", 3), function, state->context);
	InitFunctionCallInfoData(*call, function, 3, InvalidOid, NULL, NULL);
	call->args[0].value = UUIDPGetDatum(is_organizations(kind) ? id : organization);
	call->args[0].isnull = false;
	call->args[1].value = call->args[2].value = UUIDPGetDatum(id);
	call->args[1].isnull = is_organizations(kind) || is_projects(kind);
	call->args[2].isnull = !is_projects(kind);
	return DatumGetBool(FunctionCallInvoke(call));
}

/* Rule 7.1 for a project's team: seeme.require_team_move(). */
static void
require_team_move(SeemeRowState *state, const pg_uuid_t *project, const pg_uuid_t *former,
				  const pg_uuid_t *team)
{
	LOCAL_FCINFO(call, 3);
	FmgrInfo	function;

	if (!state->is_identified)
		return;
	fmgr_info(find_function("require_team_move", 3), &function);
	InitFunctionCallInfoData(*call, &function, 3, InvalidOid, NULL, NULL);
	call->args[0].value = UUIDPGetDatum(project);
	call->args[0].isnull = false;
	call->args[1].value = UUIDPGetDatum(former);
	call->args[1].isnull = former == NULL;
	call->args[2].value = UUIDPGetDatum(team);
	call->args[2].isnull = team == NULL;
	(void) FunctionCallInvoke(call);
}

/* Name, texts and slug. They come last, because making the slug locks the name. */
static void
settle_texts(SeemeRowState *state, const Kind *kind, HeapTuple row, HeapTuple old,
			 const pg_uuid_t *id,
			 const pg_uuid_t *organization, Values *values)
{
	char	   *name = seeme_checked_name(seeme_get_text(state, row, NAME), kind->name);
	SeemeSlugPlace *place;

	set_text(state, values, NAME, name);
	set_text(state, values, DESCRIPTION, seeme_checked_text(seeme_get_text(state, row, DESCRIPTION),
															"description", 10000));
	if (is_organizations(kind))
		set_text(state, values, WEBSITE, seeme_checked_text(seeme_get_text(state, row, WEBSITE),
															"website", 2000));
	else if (organization == NULL)
		return;					/* a null that the table refuses */

	place = &get_more(state, kind)->place;
	place->organization = is_organizations(kind) ? NULL : organization;
	place->id = id;
	set_text(state, values, SLUG,
			 seeme_settle_slug(place, kind->name, name, seeme_get_text(state, row, SLUG),
							   old == NULL ? NULL : seeme_get_text(state, old, SLUG)));
}

static HeapTuple
before_insert(SeemeRowState *state, const Kind *kind, HeapTuple row)
{
	Values		values = {0};
	pg_uuid_t	id;
	pg_uuid_t	organization;
	pg_uuid_t	team;
	bool		has_id = seeme_get_id(state, row, ID, &id);
	bool		has_organization = !is_organizations(kind) &&
	seeme_get_id(state, row, ORGANIZATION_ID, &organization);
	bool		has_team = is_projects(kind) && seeme_get_id(state, row, TEAM_ID, &team);

	require_may_create(state, kind, has_organization ? &organization : NULL,
					   has_team ? &team : NULL);
	if (seeme_takes_as_is(state))
		return row;
	/* Throws 23505, unless privileged code uses a deleted row's id again. */
	if (has_id && is_retired(&id))
		(void) OidFunctionCall1(find_function("revive_id", 1), UUIDPGetDatum(&id));
	/* What the same statement deletes is retired only when the statement is done. */
	if (has_id && state->is_identified && seeme_read_deleted_container(&id))
		refuse_id();
	set_value(state, &values, HAS_LOGO, BoolGetDatum(false), false);
	if (is_organizations(kind))
	{
		pg_uuid_t	role;

		settle_owner(state, row, &values);
		if (seeme_get_id(state, row, CREATOR_ROLE_ID, &role))
			seeme_check_creator_role(state, NULL, NULL, &role);
	}
	if (has_team)
	{
		pg_uuid_t	of_team;
		bool		found = organization_of_team(state, &team, &of_team);

		if (!has_organization && found)
		{
			organization = of_team;
			has_organization = true;
			set_value(state, &values, ORGANIZATION_ID, UUIDPGetDatum(&organization), false);
		}
		if (!found || !seeme_uuid_equal(&of_team, &organization))
			ereport(ERROR,
					(errcode(ERRCODE_FOREIGN_KEY_VIOLATION),
					 errmsg("there is no such team in this organization"),
					 row_detail(state, kind, row),
					 errhint("A project's team is one of its own organization.")));
	}
	if (!is_organizations(kind) && has_id && has_organization)
		seeme_note_created(is_projects(kind) ? SEEME_SCOPE_PROJECT : SEEME_SCOPE_TEAM, &id,
						   &organization, has_team ? &team : NULL);
	settle_texts(state, kind, row, NULL, has_id ? &id : NULL,
				 has_organization ? &organization : NULL, &values);
	return heap_modify_tuple_by_cols(row, RelationGetDescr(state->table), values.n, values.columns,
									 values.values, values.nulls);
}

static void
refuse_fixed_columns(const SeemeRowState *state, const Kind *kind, HeapTuple old, HeapTuple row)
{
	const char *column = seeme_changed_column(state, old, row, kind->may_change,
											  kind->nmay_change);

	if (column == NULL)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_CHECK_VIOLATION),
			 strcmp(column, "id") != 0 && strcmp(column, "organization_id") != 0 ?
			 errmsg("column \"%s\" of seeme.%s never changes", column, kind->table) :
			 is_organizations(kind) ? errmsg("the id of an organization never changes") :
			 errmsg("the id and the organization of a %s never change", kind->name),
			 row_detail(state, kind, old)));
}

static HeapTuple
before_update(SeemeRowState *state, const Kind *kind, HeapTuple old, HeapTuple row)
{
	TupleDesc	columns = RelationGetDescr(state->table);
	Values		values = {0};
	pg_uuid_t	id;
	pg_uuid_t	organization;
	Datum		created_at;
	bool		isnull;

	if (seeme_takes_as_is(state))
		return row;
	refuse_fixed_columns(state, kind, old, row);
	if (is_organizations(kind) && !seeme_is_same(state, old, row, OWNER_ID))
		seeme_require_no_actor("transfer an organization");
	seeme_get_id(state, row, ID, &id);
	if (!is_organizations(kind))
		seeme_get_id(state, row, ORGANIZATION_ID, &organization);
	set_value(state, &values, HAS_LOGO, BoolGetDatum(has_logo(state, kind, &id, &organization)),
			  false);
	created_at = heap_getattr(old, state->columns[CREATED_AT], columns, &isnull);
	set_value(state, &values, CREATED_AT, created_at, isnull);
	set_value(state, &values, UPDATED_AT,
			  TimestampTzGetDatum(GetCurrentTransactionStartTimestamp()), false);
	if (is_organizations(kind) && !seeme_is_same(state, old, row, CREATOR_ROLE_ID))
	{
		pg_uuid_t	former;
		pg_uuid_t	role;
		bool		had_role = seeme_get_id(state, old, CREATOR_ROLE_ID, &former);
		bool		has_role = seeme_get_id(state, row, CREATOR_ROLE_ID, &role);

		seeme_check_creator_role(state, &id, had_role ? &former : NULL, has_role ? &role : NULL);
	}
	if (is_projects(kind) && !seeme_is_same(state, old, row, TEAM_ID))
	{
		pg_uuid_t	former;
		pg_uuid_t	team;
		pg_uuid_t	of_team;
		bool		had_team = seeme_get_id(state, old, TEAM_ID, &former);
		bool		has_team = seeme_get_id(state, row, TEAM_ID, &team);

		if (has_team && !(organization_of_team(state, &team, &of_team) &&
						  seeme_uuid_equal(&of_team, &organization)))
			ereport(ERROR,
					(errcode(ERRCODE_FOREIGN_KEY_VIOLATION),
					 errmsg("there is no such team in this organization"),
					 row_detail(state, kind, row),
					 errhint("A project's team is one of its own organization.")));
		require_team_move(state, &id, had_team ? &former : NULL, has_team ? &team : NULL);
	}
	settle_texts(state, kind, row, old, &id, is_organizations(kind) ? NULL : &organization,
				 &values);
	return heap_modify_tuple_by_cols(row, columns, values.n, values.columns, values.values,
									 values.nulls);
}

/*
 * seeme.enforce_container_rules() RETURNS trigger
 */
SEEME_FUNCTION(seeme_enforce_container_rules, 0)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;
	const Kind *kind;
	SeemeRowState *state;

	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("seeme.enforce_container_rules is a trigger function")));
	kind = kind_of(trigger->tg_relation);
	if (!TRIGGER_FIRED_BEFORE(trigger->tg_event) || !TRIGGER_FIRED_FOR_ROW(trigger->tg_event) ||
		TRIGGER_FIRED_BY_DELETE(trigger->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("seeme.enforce_container_rules is for triggers before INSERT or UPDATE "
						"of a row")));
	state = seeme_begin_row(fcinfo, kind->columns, kind->ncolumns);
	if (TRIGGER_FIRED_BY_INSERT(trigger->tg_event))
		return PointerGetDatum(before_insert(state, kind, trigger->tg_trigtuple));
	return PointerGetDatum(before_update(state, kind, trigger->tg_trigtuple, trigger->tg_newtuple));
}

/*
 * seeme.check_added_container() RETURNS trigger
 *
 * After an INSERT. The INSERT may have waited for another transaction that deleted a row with the
 * same id, or added one with the same slug. A person whose right was revoked meanwhile adds
 * nothing.
 */
SEEME_FUNCTION(seeme_check_added_container, 0)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;
	HeapTuple	row = CALLED_AS_TRIGGER(fcinfo) ? trigger->tg_trigtuple : NULL;
	const Kind *kind;
	SeemeRowState *state;
	pg_uuid_t	id;
	pg_uuid_t	organization;
	pg_uuid_t	team;
	bool		has_organization;
	bool		has_team;

	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("seeme.check_added_container is a trigger function")));
	kind = kind_of(trigger->tg_relation);
	if (!TRIGGER_FIRED_AFTER(trigger->tg_event) || !TRIGGER_FIRED_FOR_ROW(trigger->tg_event) ||
		!TRIGGER_FIRED_BY_INSERT(trigger->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("seeme.check_added_container is for triggers after INSERT of a row")));
	seeme_release_name();
	state = seeme_begin_row(fcinfo, kind->columns, kind->ncolumns);
	has_organization = !is_organizations(kind) &&
		seeme_get_id(state, row, ORGANIZATION_ID, &organization);
	has_team = is_projects(kind) && seeme_get_id(state, row, TEAM_ID, &team);
	require_may_create(state, kind, has_organization ? &organization : NULL,
					   has_team ? &team : NULL);
	seeme_get_id(state, row, ID, &id);
	if (state->is_identified && is_retired(&id))
		refuse_id();
	PG_RETURN_POINTER(NULL);
}
