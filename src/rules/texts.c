/*
 * texts.c: trims the texts that people type, and checks their length.
 */
#include "postgres.h"

#include "fmgr.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"

#include "core/version.h"
#include "rules/texts.h"

#define is_white(c) ((c) == ' ' || (c) == '\t' || (c) == '\r' || (c) == '\n')

/*
 * The value without surrounding white space, trimmed in place. Throws 22001 if it is too long. NULL
 * stays NULL.
 */
char *
seeme_checked_text(char *value, const char *column, int max_length)
{
	int			length;

	if (value == NULL)
		return NULL;
	length = strlen(value);
	if (length > max_length)
	{
		int			characters = pg_mbstrlen_with_len(value, length);

		if (characters > max_length)
			ereport(ERROR,
					(errcode(ERRCODE_STRING_DATA_RIGHT_TRUNCATION),
					 errmsg("%s is too long: %d characters", column, characters),
					 errhint("At most %d characters are kept.", max_length)));
	}
	while (length > 0 && is_white(value[length - 1]))
		value[--length] = '\0';
	while (is_white(*value))
		value++;
	return value;
}

/* The same for a name. Throws 23514 if it is empty. */
char *
seeme_checked_name(char *name, const char *kind)
{
	char	   *checked = seeme_checked_text(name, "name", 200);

	if (checked != NULL && *checked == '\0')
		ereport(ERROR,
				(errcode(ERRCODE_CHECK_VIOLATION),
				 errmsg("%s %s needs a name", strchr("aeiou", *kind) != NULL ? "an" : "a", kind),
				 errhint("It may not be empty.")));
	return checked;
}

/*
 * seeme.checked_text(value, column_name text, max_length int) RETURNS text
 */
SEEME_FUNCTION(seeme_checked_text_of, 3)
{
	char	   *value = text_to_cstring(PG_GETARG_TEXT_PP(0));

	PG_RETURN_TEXT_P(cstring_to_text(seeme_checked_text(value,
														text_to_cstring(PG_GETARG_TEXT_PP(1)),
														PG_GETARG_INT32(2))));
}

/*
 * seeme.checked_name(name, kind text) RETURNS text
 */
SEEME_FUNCTION(seeme_checked_name_of, 2)
{
	char	   *name = text_to_cstring(PG_GETARG_TEXT_PP(0));

	PG_RETURN_TEXT_P(cstring_to_text(seeme_checked_name(name,
														text_to_cstring(PG_GETARG_TEXT_PP(1)))));
}
