/*
 * codes.c: permission codes: what a wildcard covers, and which codes are registered.
 *
 * A code is `resource:action`. A wildcard is `*`, `resource:*` or `*:action`. Must not know users
 * or scopes.
 */
#include "postgres.h"

#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/varlena.h"

#include "core/codes.h"
#include "core/store.h"

/* A suggestion is at most this many edits away. */
#define SEEME_NEAR_ENOUGH 5

/*
 * Whether an entry of a role covers a code or wildcard: both are equal, or the entry covers all
 * that the other covers. Compares texts only, whatever is registered.
 */
bool
seeme_code_covers(const char *held, const char *asked)
{
	const char *held_action;
	const char *asked_action;

	if (strcmp(held, "*") == 0 || strcmp(held, asked) == 0)
		return true;
	held_action = strchr(held, ':');
	asked_action = strchr(asked, ':');
	if (held_action == NULL || asked_action == NULL)
		return false;
	if (strcmp(held_action, ":*") == 0)
		return held_action - held == asked_action - asked &&
			strncmp(held, asked, held_action - held) == 0;
	if (strncmp(held, "*:", 2) == 0)
		return strcmp(held_action, asked_action) == 0;
	return false;
}

/* The entry of a role or key that covers a code; NULL: none. */
const char *
seeme_covering_entry(int ncodes, char **codes, const char *asked)
{
	for (int i = 0; i < ncodes; i++)
		if (seeme_code_covers(codes[i], asked))
			return codes[i];
	return NULL;
}

char *
seeme_resource_of_code(const char *code)
{
	const char *colon = strchr(code, ':');

	return colon == NULL ? pstrdup(code) : pnstrdup(code, colon - code);
}

/* The text that is nearest to what was written, and how far away it is; NULL: none is near. */
static const char *
nearest(List *texts, const char *written, int *distance_of_best)
{
	const char *best = NULL;
	int			best_distance = SEEME_NEAR_ENOUGH + 1;
	ListCell   *cell;

	if (strlen(written) > 100)
		return NULL;			/* longer than any code */
	foreach(cell, texts)
	{
		const char *candidate = lfirst(cell);
		int			length = strlen(candidate);
		int			distance = varstr_levenshtein_less_equal(candidate, length, written,
															 strlen(written), 1, 1, 1,
															 best_distance - 1, true);

		if (distance < best_distance)
		{
			best = candidate;
			best_distance = distance;
		}
	}
	*distance_of_best = best_distance;
	return best;
}

/* What was written, short enough for a message. */
static char *
clipped(const char *written)
{
	return pnstrdup(written, pg_mbcliplen(written, strlen(written), 100));
}

/*
 * Whether it has the form resource:action of a code that could be registered, or resource:* of a
 * wildcard that would cover it.
 */
static bool
is_well_formed(const char *code)
{
	const char *colon = strchr(code, ':');

	if (colon != NULL && strcmp(colon, ":*") == 0)
		return is_well_formed(psprintf("%.*s:read", (int) Min(colon - code, 100), code));
	if (colon == NULL || strlen(code) > 100 || !islower((unsigned char) code[0]) ||
		!islower((unsigned char) colon[1]))
		return false;
	return strspn(code, "abcdefghijklmnopqrstuvwxyz0123456789_") == colon - code &&
		strspn(colon + 1, "abcdefghijklmnopqrstuvwxyz0123456789_") == strlen(colon + 1);
}

/* Whether any code of the same resource is registered. */
static bool
has_known_resource(List *registered, const char *code)
{
	size_t		length = strcspn(code, ":") + 1;
	ListCell   *cell;

	foreach(cell, registered)
		if (strncmp(lfirst(cell), code, length) == 0)
		return true;
	return false;
}

/* How an administrator registers a code, for example before its table is protected. */
static char *
registering(const char *code)
{
	return psprintf("INSERT INTO seeme.permissions (name, grouped_by_projects) "
					"VALUES ('%.*s%s', true);", (int) strcspn(code, "*"), code,
					strchr(code, '*') == NULL ? "" : "read");
}

static void
raise_unknown_code(List *registered, const char *code)
{
	List	   *candidates = registered;
	const char *meant;
	int			distance;

	if (strchr(code, '*') != NULL)
	{
		ListCell   *cell;

		candidates = list_make1("*");
		foreach(cell, registered)
		{
			candidates = lappend(candidates,
								 psprintf("%s:*", seeme_resource_of_code(lfirst(cell))));
			candidates = lappend(candidates, psprintf("*%s", strchr(lfirst(cell), ':')));
		}
	}
	meant = nearest(candidates, code, &distance);

	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					errmsg("permission \"%s\" is not registered", clipped(code)),
					meant != NULL && (distance == 1 || !is_well_formed(code) ||
									  has_known_resource(registered, code))
					? errhint("Perhaps you mean \"%s\".", meant)
					: meant != NULL
					? errhint("Perhaps you mean \"%s\". Or it is a code of a table that is not "
							  "protected yet: seeme_protect registers it, or you do: %s", meant,
							  registering(code))
					: is_well_formed(code)
					? errhint("seeme_protect registers the codes of a table. To use one before, "
							  "register it: %s", registering(code))
					: errhint("A permission is resource:action, and "
							  "seeme.permissions lists them; wildcards are *, "
							  "resource:* and *:action.")));
}

/*
 * Parses a permission. Throws 22023, with the nearest code as a hint, unless it is registered or
 * a wildcard that covers a registered code.
 */
void
seeme_parse_permission(SeemeStore *store, const char *code, SeemePermissionSpec *spec)
{
	List	   *registered;
	ListCell   *cell;

	spec->code = pstrdup(code);
	spec->concrete = NIL;
	if (strchr(code, '*') == NULL)
	{
		if (!seeme_read_code(store, code))
			raise_unknown_code(seeme_list_codes(store), code);
		spec->concrete = list_make1(spec->code);
		return;
	}
	registered = seeme_list_codes(store);
	if (strcmp(code, "*:*") != 0)
	{
		foreach(cell, registered)
		{
			if (seeme_code_covers(code, lfirst(cell)))
				spec->concrete = lappend(spec->concrete, lfirst(cell));
		}
	}
	if (spec->concrete == NIL)
		raise_unknown_code(registered, code);
}

/* Throws 22023, with the registered types as a hint, unless a type is registered. */
void
seeme_require_resource_type(SeemeStore *store, const char *type)
{
	StringInfoData names;
	ListCell   *cell;

	if (seeme_read_resource_type(store, type))
		return;
	initStringInfo(&names);
	foreach(cell, seeme_list_resource_types(store))
	{
		appendStringInfo(&names, "%s%s", names.len > 0 ? ", " : "", *(char **) lfirst(cell));
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("resource type \"%s\" is not registered", clipped(type)),
			 errhint("Registered are: %s.", names.data)));
}
