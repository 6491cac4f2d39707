/*
 * check.c: seeme_has_permission and seeme_user_has_permission: yes or no; and seeme_user_id: who is asking, if anybody may.
 */
#include "postgres.h"

#include "codes.h"
#include "decide.h"
#include "question.h"
#include "store.h"

/*
 * The asking person, if they exist, are not disabled, and their API key (if they came by one) is good and reaches a code
 * (NULL: whatever it reaches) everywhere.
 */
static Datum
asking_person(FunctionCallInfo fcinfo, const char *code)
{
	SeemeStore	store;
	SeemeAsker	asker;
	pg_uuid_t  *user_id = palloc(sizeof(pg_uuid_t));
	bool		known;

	seeme_store_open(&store);
	seeme_asker_init(&asker, &store);
	known = asker.is_identified && !asker.subject.is_refused &&
		(code == NULL || seeme_key_reaches(&asker.subject, NULL, code));
	if (known)
		*user_id = asker.subject.person.id;
	seeme_store_close(&store);
	if (!known)
		PG_RETURN_NULL();
	PG_RETURN_UUID_P(user_id);
}

/*
 * seeme_user_id() RETURNS uuid
 */
PG_FUNCTION_INFO_V1(seeme_user_id);
Datum
seeme_user_id(PG_FUNCTION_ARGS)
{
	return asking_person(fcinfo, NULL);
}

/*
 * seeme.user_for(permission text) RETURNS uuid
 */
PG_FUNCTION_INFO_V1(seeme_user_for);
Datum
seeme_user_for(PG_FUNCTION_ARGS)
{
	return asking_person(fcinfo, seeme_code_argument(fcinfo, 0));
}

/*
 * seeme_has_permission(permission text, organization, team, project, resource uuid, resource_type text) RETURNS boolean
 */
PG_FUNCTION_INFO_V1(seeme_has_permission);
Datum
seeme_has_permission(PG_FUNCTION_ARGS)
{
	char	   *code = seeme_code_argument(fcinfo, 0);
	SeemeStore	store;
	SeemeQuestion question;
	SeemeScope	scope;
	SeemeAsker	asker;
	bool		held = false;

	seeme_store_open(&store);
	seeme_ask(&store, code, &question);
	seeme_scope_arguments(fcinfo, 1, &store, code, &scope);
	if (scope.level != SEEME_NOWHERE)
	{
		seeme_asker_init(&asker, &store);
		held = asker.is_identified && !asker.subject.is_refused &&
			seeme_answer(&asker.subject, seeme_places(&store, &scope), &question);
	}
	seeme_store_close(&store);
	PG_RETURN_BOOL(held);
}

/*
 * seeme_user_has_permission(user_id uuid, permission text, organization, team, project, resource uuid, resource_type text)
 * RETURNS boolean
 */
PG_FUNCTION_INFO_V1(seeme_user_has_permission);
Datum
seeme_user_has_permission(PG_FUNCTION_ARGS)
{
	char	   *code = seeme_code_argument(fcinfo, 1);
	SeemeStore	store;
	SeemeQuestion question;
	SeemeScope	scope;
	SeemeAsker	asker;
	SeemeSubject subject;
	List	   *places;
	bool		held = false;

	seeme_store_open(&store);
	seeme_ask(&store, code, &question);
	seeme_scope_arguments(fcinfo, 2, &store, code, &scope);
	if (!PG_ARGISNULL(0))
	{
		seeme_asker_init(&asker, &store);
		places = seeme_places_told(&asker, PG_GETARG_UUID_P(0), seeme_places(&store, &scope));
		if (places != NIL)
		{
			/* About oneself: as one is here, perhaps narrowed by a key. */
			if (asker.is_identified && seeme_uuid_equal(PG_GETARG_UUID_P(0), &asker.subject.person.id))
				subject = asker.subject;
			else
				seeme_subject_init(&subject, &store, PG_GETARG_UUID_P(0));
			held = seeme_answer(&subject, places, &question);
		}
	}
	seeme_store_close(&store);
	PG_RETURN_BOOL(held);
}
