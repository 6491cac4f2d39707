/*
 * permitted_part.c: which part of a column's rows is permitted, by the column's statistics.
 *
 * One project has a fifth of all tickets, and a thousand others have ten tickets each. So a part of
 * the projects is not the same part of the tickets. ANALYZE collects the most common values of a
 * column with their frequencies. Those among them that are permitted are counted by their
 * frequency, and the other permitted ids by the average of the other values.
 *
 * Owns the last answers, because most statements ask about few tables. Must not do more with a
 * value of a column than look for it among the ids that the asking person is permitted.
 */
#include "postgres.h"

#include "catalog/pg_statistic.h"
#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/selfuncs.h"
#include "utils/syscache.h"
#include "utils/uuid.h"

#include "core/invalidation.h"
#include "functions/permitted.h"
#include "identity/identity.h"
#include "planner/check_expression.h"
#include "planner/permitted_part.h"
#include "planner/statement.h"

/*
 * A person with more ids sees much, by the number of ids. Looking for common values would make a
 * set of all of these ids.
 */
#define MAX_IDS 3000

/* Of how many values at least a person without any is expected to have a tenth of one. */
#define VALUES_FOR_NOBODY 1000

/* A part that was found, and what it was found for. */
typedef struct KnownPart
{
	uint64		sites;			/* seeme_site_generation */
	uint64		relations;		/* seeme_relation_generation: also moved by ANALYZE */
	Oid			table;
	AttrNumber	column;
	bool		inherits;
	int			scope;
	int			permitted;
	double		distinct;
	char		code[NAMEDATALEN];
	double		part;
} KnownPart;

static KnownPart known_parts[8];
static int	next_part = 0;

static char *
constant_text(Node *node)
{
	Const	   *constant = castNode(Const, node);

	return constant->constisnull ? NULL : TextDatumGetCString(constant->constvalue);
}

/* Whether a constant is this text, of this length. */
static bool
is_text(Node *node, const char *text, int length)
{
	Const	   *constant = castNode(Const, node);
	struct varlena *value = (struct varlena *) DatumGetPointer(constant->constvalue);

	return !constant->constisnull && !VARATT_IS_EXTENDED(value) &&
		VARSIZE(value) - VARHDRSZ == length && memcmp(VARDATA(value), text, length) == 0;
}

/*
 * The number of scopes in which the asking person holds the code of a call; -1: too many to count,
 * or not known. The last answer is remembered: it is the same for each index and each table of most
 * queries.
 */
static int
count_permitted(List *args, int scope)
{
	/* The last count. It is asked for several times while a query is planned. */
	static struct
	{
		bool		is_known;
		const SeemeIdentity *identity;
		uint64		generation;
		int			scope;
		char		code[NAMEDATALEN];
		int			length;
		int			count;
	}			last;
	char	   *code;
	char	   *type;
	const SeemeIdentity *identity;
	uint64		generation;
	int			count;

	if (!seeme_accept_invalidations())
		return -1;
	/* The generation tells that somebody else is asking once it was looked at who is asking. */
	identity = seeme_current_identity();
	generation = seeme_site_generation;
	if (last.is_known && last.identity == identity && last.generation == generation &&
		last.scope == scope && scope != SEEME_ARG_RESOURCE &&
		is_text(list_nth(args, SEEME_ARG_CODE), last.code, last.length))
		return last.count;
	code = constant_text(list_nth(args, SEEME_ARG_CODE));
	type = constant_text(list_nth(args, SEEME_ARG_RESOURCE_TYPE));
	if (code == NULL || type != NULL || strlen(code) >= sizeof(last.code))
		return seeme_count_permitted(scope, code, type, SEEME_PLACES_FOR_ESTIMATE);
	seeme_planner_counters.scopes_counted++;
	count = seeme_count_permitted(scope, code, NULL, SEEME_PLACES_FOR_ESTIMATE);
	last.is_known = true;
	last.identity = identity;
	last.generation = generation;
	last.scope = scope;
	last.length = strlcpy(last.code, code, sizeof(last.code));
	last.count = count;
	return count;
}

/* The number of scopes that a call with these arguments is about and lets through; -1: unknown. */
int
seeme_number_permitted(List *args)
{
	return count_permitted(args, seeme_only_scope(args));
}

/*
 * The part of ids among the distinct values. Few rows of no id at all are expected, not none: a
 * plan may be used for somebody else later. They are not the more the fewer values there are.
 */
double
seeme_part_by_number(int permitted, double distinct)
{
	return permitted <= 0 ? 0.1 / Max(distinct, VALUES_FOR_NOBODY)
		: Min((permitted + 0.1) / distinct, 1.0);
}

/* The part of the rows that are not null; negative: the common values are not known. */
static double
part_by_common_values(HeapTuple statistics, int scope, const char *code, const char *type,
					  int permitted, double distinct, double null_part)
{
	AttStatsSlot common;
	pg_uuid_t  *ids;
	bool	   *is_permitted;
	double		part = 0;
	double		others = 1 - null_part;
	int			others_permitted = permitted;
	double		result = -1;

	if (!get_attstatsslot(&common, statistics, STATISTIC_KIND_MCV, InvalidOid,
						  ATTSTATSSLOT_VALUES | ATTSTATSSLOT_NUMBERS))
		return -1;
	ids = palloc(sizeof(pg_uuid_t) * Max(common.nvalues, 1));
	is_permitted = palloc(sizeof(bool) * Max(common.nvalues, 1));
	if (common.valuetype == UUIDOID && common.nvalues == common.nnumbers)
	{
		for (int i = 0; i < common.nvalues; i++)
			ids[i] = *DatumGetUUIDP(common.values[i]);
		if (seeme_which_are_permitted(scope, code, type, ids, common.nvalues, is_permitted))
		{
			for (int i = 0; i < common.nvalues; i++)
			{
				others -= common.numbers[i];
				if (is_permitted[i])
				{
					part += common.numbers[i];
					others_permitted--;
				}
			}
			part += Max(others, 0) *
				Min((Max(others_permitted, 0) + 0.1) / Max(distinct - common.nvalues, 1), 1.0);
			result = Min(part / (1 - null_part), 1.0);
		}
	}
	pfree(ids);
	pfree(is_permitted);
	free_attstatsslot(&common);
	return result;
}

/*
 * The part of a column's rows, nulls left out, that a call with these arguments lets through:
 * `permitted` ids are, of `distinct` values of the column.
 */
double
seeme_permitted_part(Oid table, AttrNumber column, bool inherits, List *args, int permitted,
					 double distinct, double null_part)
{
	double		by_number = seeme_part_by_number(permitted, distinct);
	Const	   *code = linitial(args);
	Const	   *type = list_nth(args, SEEME_ARG_RESOURCE_TYPE);
	char	   *wanted;
	HeapTuple	statistics;
	KnownPart	now = {0};
	double		part;

	if (permitted <= 0 || permitted > MAX_IDS || null_part >= 1 ||
		get_relation_stats_hook != NULL || code->constisnull || !seeme_accept_invalidations())
		return by_number;
	wanted = TextDatumGetCString(code->constvalue);
	if (strlcpy(now.code, wanted, sizeof(now.code)) >= sizeof(now.code))
		return by_number;
	/* The generation tells that somebody else is asking once it was looked at who is asking. */
	(void) seeme_current_identity();
	now.sites = seeme_site_generation;
	now.relations = seeme_relation_generation;
	now.table = table;
	now.column = column;
	now.inherits = inherits;
	now.scope = seeme_only_scope(args);
	now.permitted = permitted;
	now.distinct = distinct;
	for (int i = 0; i < lengthof(known_parts); i++)
	{
		KnownPart  *known = &known_parts[i];

		if (known->sites == now.sites && known->relations == now.relations &&
			known->table == table && known->column == column && known->inherits == inherits &&
			known->scope == now.scope && known->permitted == permitted &&
			known->distinct == distinct && strcmp(known->code, now.code) == 0)
			return known->part;
	}
	statistics = SearchSysCache3(STATRELATTINH, ObjectIdGetDatum(table), Int16GetDatum(column),
								 BoolGetDatum(inherits));
	if (!HeapTupleIsValid(statistics))
		return by_number;
	part = part_by_common_values(statistics, now.scope, now.code,
								 type->constisnull ? NULL : TextDatumGetCString(type->constvalue),
								 permitted, distinct, null_part);
	ReleaseSysCache(statistics);
	now.part = part < 0 ? by_number : part;
	/* A resource's type is no part of what was noted. */
	if (now.scope != SEEME_ARG_RESOURCE)
	{
		known_parts[next_part] = now;
		next_part = (next_part + 1) % lengthof(known_parts);
	}
	return now.part;
}
