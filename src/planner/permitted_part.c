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
