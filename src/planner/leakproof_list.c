/*
 * leakproof_list.c: the functions that tell nothing of a row but by their result, each with the
 * argument why.
 *
 * Owns the list, and what is remembered of functions and operators. Must not look at an expression.
 *
 * What PostgreSQL marks LEAKPROOF is not repeated. An argument is about stored values: values that
 * came through the type's input. It leaves out what any reading of a row can raise (a damaged page,
 * a cancelled query, no memory for a value of hundreds of megabytes), as PostgreSQL's own mark
 * does.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/transam.h"
#include "catalog/dependency.h"
#include "catalog/pg_language.h"
#include "catalog/pg_operator.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "commands/extension.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"
#include "utils/typcache.h"

#include "core/invalidation.h"
#include "core/trusted_functions.h"
#include "planner/leakproof.h"

/* PostgreSQL's own functions, by number. */
static SeemeLeak
leak_of_built_in(Oid function)
{
	switch (function)
	{
			/*
			 * numeric: cmp_numerics() compares digits; NaN and the infinities have a place in the
			 * order.
			 */
		case F_NUMERIC_EQ:
		case F_NUMERIC_NE:
		case F_NUMERIC_LT:
		case F_NUMERIC_LE:
		case F_NUMERIC_GT:
		case F_NUMERIC_GE:
		case F_NUMERIC_CMP:

			/*
			 * enum: equality compares numbers. The order looks odd numbers up in pg_enum, where
			 * each stored value has a row: values cannot be dropped, and one that is not
			 * committed yet cannot be stored.
			 */
		case F_ENUM_EQ:
		case F_ENUM_NE:
		case F_ENUM_LT:
		case F_ENUM_LE:
		case F_ENUM_GT:
		case F_ENUM_GE:
		case F_ENUM_CMP:

			/*
			 * date with timestamp, timestamp with timestamptz: what is out of the other type's
			 * range is taken for greater or smaller than everything
			 * (date2timestamptz_opt_overflow and its like).
			 */
		case F_DATE_EQ_TIMESTAMP:
		case F_DATE_NE_TIMESTAMP:
		case F_DATE_LT_TIMESTAMP:
		case F_DATE_LE_TIMESTAMP:
		case F_DATE_GT_TIMESTAMP:
		case F_DATE_GE_TIMESTAMP:
		case F_DATE_CMP_TIMESTAMP:
		case F_DATE_EQ_TIMESTAMPTZ:
		case F_DATE_NE_TIMESTAMPTZ:
		case F_DATE_LT_TIMESTAMPTZ:
		case F_DATE_LE_TIMESTAMPTZ:
		case F_DATE_GT_TIMESTAMPTZ:
		case F_DATE_GE_TIMESTAMPTZ:
		case F_DATE_CMP_TIMESTAMPTZ:
		case F_TIMESTAMP_EQ_DATE:
		case F_TIMESTAMP_NE_DATE:
		case F_TIMESTAMP_LT_DATE:
		case F_TIMESTAMP_LE_DATE:
		case F_TIMESTAMP_GT_DATE:
		case F_TIMESTAMP_GE_DATE:
		case F_TIMESTAMP_CMP_DATE:
		case F_TIMESTAMP_EQ_TIMESTAMPTZ:
		case F_TIMESTAMP_NE_TIMESTAMPTZ:
		case F_TIMESTAMP_LT_TIMESTAMPTZ:
		case F_TIMESTAMP_LE_TIMESTAMPTZ:
		case F_TIMESTAMP_GT_TIMESTAMPTZ:
		case F_TIMESTAMP_GE_TIMESTAMPTZ:
		case F_TIMESTAMP_CMP_TIMESTAMPTZ:
		case F_TIMESTAMPTZ_EQ_DATE:
		case F_TIMESTAMPTZ_NE_DATE:
		case F_TIMESTAMPTZ_LT_DATE:
		case F_TIMESTAMPTZ_LE_DATE:
		case F_TIMESTAMPTZ_GT_DATE:
		case F_TIMESTAMPTZ_GE_DATE:
		case F_TIMESTAMPTZ_CMP_DATE:
		case F_TIMESTAMPTZ_EQ_TIMESTAMP:
		case F_TIMESTAMPTZ_NE_TIMESTAMP:
		case F_TIMESTAMPTZ_LT_TIMESTAMP:
		case F_TIMESTAMPTZ_LE_TIMESTAMP:
		case F_TIMESTAMPTZ_GT_TIMESTAMP:
		case F_TIMESTAMPTZ_GE_TIMESTAMP:
		case F_TIMESTAMPTZ_CMP_TIMESTAMP:

			/*
			 * jsonb: compareJsonbContainers() walks both without recursion, and compares what is
			 * in them as numeric and as text by the database's collation.
			 */
		case F_JSONB_EQ:
		case F_JSONB_NE:
		case F_JSONB_LT:
		case F_JSONB_LE:
		case F_JSONB_GT:
		case F_JSONB_GE:
		case F_JSONB_CMP:
			/* tsvector: silly_cmp_tsvector() compares sizes, lexemes as bytes, and positions. */
		case F_TSVECTOR_EQ:
		case F_TSVECTOR_NE:
		case F_TSVECTOR_LT:
		case F_TSVECTOR_LE:
		case F_TSVECTOR_GT:
		case F_TSVECTOR_GE:
		case F_TSVECTOR_CMP:

			/*
			 * jsonb's parts: what is not there, or in a value of another kind, is null.
			 * Containers are put out without recursion. Those of json are left out: they parse
			 * the text.
			 */
		case F_JSONB_OBJECT_FIELD:
		case F_JSONB_OBJECT_FIELD_TEXT:
		case F_JSONB_ARRAY_ELEMENT:
		case F_JSONB_ARRAY_ELEMENT_TEXT:
			/* character(n) as text: without the blanks at its end. */
		case F_TEXT_BPCHAR:
			/* Output of types without a modifier, and input of text, which takes everything. */
		case F_INT2OUT:
		case F_INT4OUT:
		case F_INT8OUT:
		case F_FLOAT4OUT:
		case F_FLOAT8OUT:
		case F_NUMERIC_OUT:
		case F_UUID_OUT:
		case F_BOOLOUT:
		case F_TEXTOUT:
		case F_VARCHAROUT:
		case F_BPCHAROUT:
		case F_NAMEOUT:
		case F_TEXTIN:
			return SEEME_HARMLESS;

			/*
			 * Arrays, ranges and multiranges: they compare what they are made of by the type's
			 * own comparison, and what else they raise (types that do not match, no comparison)
			 * depends on the types alone. Nulls and empty ranges have a place in the order. The
			 * canonical function of a range type is not called. record is left out: its columns'
			 * types are known from row to row only.
			 */
		case F_ARRAY_EQ:
		case F_ARRAY_NE:
		case F_ARRAY_LT:
		case F_ARRAY_LE:
		case F_ARRAY_GT:
		case F_ARRAY_GE:
		case F_BTARRAYCMP:
		case F_RANGE_EQ:
		case F_RANGE_NE:
		case F_RANGE_LT:
		case F_RANGE_LE:
		case F_RANGE_GT:
		case F_RANGE_GE:
		case F_RANGE_CMP:
		case F_MULTIRANGE_EQ:
		case F_MULTIRANGE_NE:
		case F_MULTIRANGE_LT:
		case F_MULTIRANGE_LE:
		case F_MULTIRANGE_GT:
		case F_MULTIRANGE_GE:
		case F_MULTIRANGE_CMP:
			return SEEME_HARMLESS_BY_ELEMENT;

			/*
			 * Search operators of arrays, ranges and multiranges: the same. Nulls match nothing.
			 * `-|-` is left out, which calls the range type's canonical function, and so are
			 * distances.
			 */
		case F_ARRAYCONTAINS:
		case F_ARRAYCONTAINED:
		case F_ARRAYOVERLAP:
		case F_RANGE_CONTAINS:
		case F_RANGE_CONTAINS_ELEM:
		case F_RANGE_CONTAINED_BY:
		case F_ELEM_CONTAINED_BY_RANGE:
		case F_RANGE_OVERLAPS:
		case F_RANGE_BEFORE:
		case F_RANGE_AFTER:
		case F_RANGE_OVERLEFT:
		case F_RANGE_OVERRIGHT:
		case F_MULTIRANGE_CONTAINS_ELEM:
		case F_ELEM_CONTAINED_BY_MULTIRANGE:
		case F_MULTIRANGE_CONTAINS_RANGE:
		case F_MULTIRANGE_CONTAINS_MULTIRANGE:
		case F_MULTIRANGE_CONTAINED_BY_RANGE:
		case F_MULTIRANGE_CONTAINED_BY_MULTIRANGE:
		case F_RANGE_CONTAINS_MULTIRANGE:
		case F_RANGE_CONTAINED_BY_MULTIRANGE:
		case F_RANGE_OVERLAPS_MULTIRANGE:
		case F_MULTIRANGE_OVERLAPS_RANGE:
		case F_MULTIRANGE_OVERLAPS_MULTIRANGE:
		case F_RANGE_BEFORE_MULTIRANGE:
		case F_RANGE_AFTER_MULTIRANGE:
		case F_RANGE_OVERLEFT_MULTIRANGE:
		case F_RANGE_OVERRIGHT_MULTIRANGE:
		case F_MULTIRANGE_BEFORE_RANGE:
		case F_MULTIRANGE_BEFORE_MULTIRANGE:
		case F_MULTIRANGE_AFTER_RANGE:
		case F_MULTIRANGE_AFTER_MULTIRANGE:
		case F_MULTIRANGE_OVERLEFT_RANGE:
		case F_MULTIRANGE_OVERLEFT_MULTIRANGE:
		case F_MULTIRANGE_OVERRIGHT_RANGE:
		case F_MULTIRANGE_OVERRIGHT_MULTIRANGE:
			return SEEME_SEARCHES_BY_ELEMENT;

			/*
			 * Text search: looks the query's lexemes up in a sorted array. How deep it goes into
			 * the query may depend on the row: the query's size is bounded (leakproof_pattern.c).
			 * `text @@ ...` is left out: it parses the row.
			 */
		case F_TS_MATCH_VQ:
		case F_TS_MATCH_QV:

			/*
			 * jsonb: keys are looked up, scalars compared. How deep it goes is bounded by the
			 * pattern's depth.
			 */
		case F_JSONB_CONTAINS:
		case F_JSONB_CONTAINED:
		case F_JSONB_EXISTS:
		case F_JSONB_EXISTS_ANY:
		case F_JSONB_EXISTS_ALL:
			/* inet: families and bits are compared; those of different families do not match. */
		case F_NETWORK_SUB:
		case F_NETWORK_SUBEQ:
		case F_NETWORK_SUP:
		case F_NETWORK_SUPEQ:
		case F_NETWORK_OVERLAP:

			/*
			 * Points and boxes: coordinates are compared; NaN and the infinities have a place.
			 * What computes a distance may overflow, so circles and polygons are left out.
			 */
		case F_ON_PB:
		case F_BOX_CONTAIN_PT:
		case F_BOX_CONTAIN:
		case F_BOX_CONTAINED:
		case F_BOX_OVERLAP:
		case F_BOX_SAME:
		case F_BOX_LEFT:
		case F_BOX_OVERLEFT:
		case F_BOX_OVERRIGHT:
		case F_BOX_RIGHT:
		case F_BOX_BELOW:
		case F_BOX_OVERBELOW:
		case F_BOX_OVERABOVE:
		case F_BOX_ABOVE:
		case F_POINT_LEFT:
		case F_POINT_RIGHT:
		case F_POINT_BELOW:
		case F_POINT_ABOVE:
		case F_POINT_EQ:
			return SEEME_SEARCHES;

			/*
			 * LIKE and ILIKE: an error only where the pattern ends within an escape, a recursion
			 * for each % (both are seen to in leakproof_pattern.c), and a collation that is not
			 * deterministic.
			 */
		case F_TEXTLIKE:
		case F_TEXTNLIKE:
		case F_TEXTICLIKE:
		case F_TEXTICNLIKE:
		case F_BPCHARLIKE:
		case F_BPCHARNLIKE:
		case F_BPCHARICLIKE:
		case F_BPCHARICNLIKE:
		case F_NAMELIKE:
		case F_NAMENLIKE:
		case F_NAMEICLIKE:
		case F_NAMEICNLIKE:
			return SEEME_LIKE;
		default:
			return SEEME_LEAKS;
	}
}

/* Functions of extensions, by the extension and the C function. */
static const struct
{
	const char *extension;
	const char *symbol;
	SeemeLeak	leak;
}			of_extensions[] = {

	/* Our own. Those with a code raise for one that is not registered. */
	{"seeme_rbac", "seeme_user_id", SEEME_HARMLESS},
	{"seeme_rbac", "seeme_permitted_organizations", SEEME_RAISES},
	{"seeme_rbac", "seeme_permitted_teams", SEEME_RAISES},
	{"seeme_rbac", "seeme_permitted_projects", SEEME_RAISES},
	{"seeme_rbac", "seeme_permitted_resources", SEEME_RAISES},
	/* Both are lowered by the database's collation, and compared as text. */
	{"citext", "citext_eq", SEEME_HARMLESS},
	{"citext", "citext_ne", SEEME_HARMLESS},
	{"citext", "citext_lt", SEEME_HARMLESS},
	{"citext", "citext_le", SEEME_HARMLESS},
	{"citext", "citext_gt", SEEME_HARMLESS},
	{"citext", "citext_ge", SEEME_HARMLESS},
	{"citext", "citext_cmp", SEEME_HARMLESS},
	{"citext", "citext_pattern_lt", SEEME_HARMLESS},
	{"citext", "citext_pattern_le", SEEME_HARMLESS},
	{"citext", "citext_pattern_gt", SEEME_HARMLESS},
	{"citext", "citext_pattern_ge", SEEME_HARMLESS},
	{"citext", "citext_pattern_cmp", SEEME_HARMLESS},
	/* As LIKE and ILIKE of text, which they are. */
	{"citext", "texticlike", SEEME_LIKE},
	{"citext", "texticnlike", SEEME_LIKE},
	/* Bytes of keys and values are compared, and their numbers. */
	{"hstore", "hstore_eq", SEEME_HARMLESS},
	{"hstore", "hstore_ne", SEEME_HARMLESS},
	{"hstore", "hstore_lt", SEEME_HARMLESS},
	{"hstore", "hstore_le", SEEME_HARMLESS},
	{"hstore", "hstore_gt", SEEME_HARMLESS},
	{"hstore", "hstore_ge", SEEME_HARMLESS},
	{"hstore", "hstore_cmp", SEEME_HARMLESS},
	/* Keys are looked up by a binary search, and values compared. */
	{"hstore", "hstore_fetchval", SEEME_HARMLESS},
	{"hstore", "hstore_exists", SEEME_SEARCHES},
	{"hstore", "hstore_exists_any", SEEME_SEARCHES},
	{"hstore", "hstore_exists_all", SEEME_SEARCHES},
	{"hstore", "hstore_contains", SEEME_SEARCHES},
	{"hstore", "hstore_contained", SEEME_SEARCHES},

	/*
	 * Levels are compared as bytes, and counted. Patterns (~, ?, @) are left out, and so are
	 * arrays, which may have nulls.
	 */
	{"ltree", "ltree_eq", SEEME_HARMLESS},
	{"ltree", "ltree_ne", SEEME_HARMLESS},
	{"ltree", "ltree_lt", SEEME_HARMLESS},
	{"ltree", "ltree_le", SEEME_HARMLESS},
	{"ltree", "ltree_gt", SEEME_HARMLESS},
	{"ltree", "ltree_ge", SEEME_HARMLESS},
	{"ltree", "ltree_cmp", SEEME_HARMLESS},
	{"ltree", "ltree_isparent", SEEME_SEARCHES},
	{"ltree", "ltree_risparent", SEEME_SEARCHES},
	/* Sets of trigrams are compared. The threshold is a setting. */
	{"pg_trgm", "similarity_op", SEEME_SEARCHES},
	{"pg_trgm", "word_similarity_op", SEEME_SEARCHES},
	{"pg_trgm", "word_similarity_commutator_op", SEEME_SEARCHES},
	{"pg_trgm", "strict_word_similarity_op", SEEME_SEARCHES},
	{"pg_trgm", "strict_word_similarity_commutator_op", SEEME_SEARCHES},
};

static SeemeLeak
leak_of_extension(Oid function, const char *symbol)
{
	Oid			extension = InvalidOid;
	char	   *name = NULL;

	for (int i = 0; i < lengthof(of_extensions); i++)
	{
		if (strcmp(of_extensions[i].symbol, symbol) != 0)
			continue;
		if (name == NULL)
		{
			extension = getExtensionOfObject(ProcedureRelationId, function);
			name = OidIsValid(extension) ? get_extension_name(extension) : NULL;
			if (name == NULL)
				return SEEME_LEAKS;
		}
		if (strcmp(of_extensions[i].extension, name) == 0)
			return of_extensions[i].leak;
	}
	return SEEME_LEAKS;
}

/*
 * Built-in functions that may tell more than whether their arguments are valid, by the beginning of
 * their C functions' names. They give notices (words that are too long or too common, XML), read
 * tables, or go as deep as a value is nested, and fail where the stack ends, which depends on the
 * query. Nor are regular expressions told apart from those that take for ever.
 */
static bool
tells_more_than_errors(const char *symbol)
{
	static const char *const beginnings[] = {"to_tsvector",
		"to_tsquery",
		"plainto_tsquery",
		"phraseto_tsquery",
		"websearch_to_tsquery",
		"json_to_tsvector",
		"jsonb_to_tsvector",
		"json_string_to_tsvector",
		"jsonb_string_to_tsvector",
		"ts_",
		"tsq",
		"tt_",
		"xml",
		"xpath",
		"query_to",
		"table_to",
		"schema_to",
		"database_to",
		"cursor_to",
		"text_to_xml",
		"regexp",
		"textregex",
		"texticregex",
		"nameregex",
		"nameicregex",
		"bpcharregex",
		"bpcharicregex",
		"json_",
		"jsonb_in",
		"jsonb_recv",
		"jsonb_path",
		"jsonpath",
		"record",
		"pg_",
		"has_",
		"be_lo",
		"row_security",
		"current_query",
		"domain",
		"array_in",
		"array_recv",
		"range_in",
		"range_recv",
		"multirange_in",
		"multirange_recv",
		"anyarray",
		"path_in",
	"poly_in"};

	for (int i = 0; i < lengthof(beginnings); i++)
		if (strncmp(symbol, beginnings[i], strlen(beginnings[i])) == 0)
			return true;
	return false;
}

/*
 * Built-in functions that PostgreSQL marks LEAKPROOF although they raise: comparing the areas of
 * circles, or the lengths of line segments, overflows for some.
 */
static bool
raises_nonetheless(Oid function, const char *symbol)
{
	return function < FirstUnpinnedObjectId &&
		(strncmp(symbol, "circle_", 7) == 0 || strncmp(symbol, "lseg_", 5) == 0);
}

/*
 * Whether a built-in function takes arguments of any type. It may then call a function that belongs
 * to the type: to_jsonb() calls a cast to json, and jsonb_populate_record() the constraints of
 * domains. Casts and constraints are written by whoever owns the type. Functions of enums only read
 * the labels.
 */
static bool
takes_any_type(Form_pg_proc function)
{
	for (int i = 0; i < function->pronargs; i++)
	{
		Oid			type = function->proargtypes.values[i];

		if (type == ANYOID || type == RECORDOID || type == RECORDARRAYOID ||
			(IsPolymorphicType(type) && type != ANYENUMOID))
			return true;
	}
	return false;
}

static SeemeLeak
look_up_function(Oid function)
{
	HeapTuple	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
	Form_pg_proc row;
	SeemeLeak	leak = SEEME_LEAKS;
	Datum		source;
	bool		isnull;
	char	   *symbol;

	if (!HeapTupleIsValid(tuple))
		return SEEME_LEAKS;
	row = (Form_pg_proc) GETSTRUCT(tuple);
	source = SysCacheGetAttr(PROCOID, tuple, Anum_pg_proc_prosrc, &isnull);
	symbol = isnull ? "" : TextDatumGetCString(source);
	if (row->proleakproof && !raises_nonetheless(function, symbol))
		leak = SEEME_HARMLESS;
	else if (function < FirstUnpinnedObjectId && row->prolang == INTERNALlanguageId)
	{
		leak = leak_of_built_in(function);
		if (leak == SEEME_LEAKS && row->provolatile != PROVOLATILE_VOLATILE &&
			row->prokind == PROKIND_FUNCTION && !row->proretset && !tells_more_than_errors(symbol))
			leak = takes_any_type(row) ? SEEME_RAISES_BY_TYPE : SEEME_RAISES;
	}
	else if ((row->prolang == ClanguageId || row->prolang == INTERNALlanguageId) &&
			 superuser_arg(row->proowner))
		leak = leak_of_extension(function, symbol);
	if ((leak == SEEME_LEAKS || leak == SEEME_RAISES || leak == SEEME_RAISES_BY_TYPE) &&
		seeme_is_trusted(tuple))
		leak = SEEME_HARMLESS;
	ReleaseSysCache(tuple);
	return leak;
}

/*
 * What evaluating a function can tell. What is remembered is forgotten whenever any function
 * changes.
 */
SeemeLeak
seeme_leak_of_function(Oid function)
{
	static struct
	{
		Oid			function;
		SeemeLeak	leak;
	}			known[256];
	static uint64 known_under = 0;
	int			place = function % lengthof(known);

	if (known_under != seeme_function_generation)
	{
		memset(known, 0, sizeof(known));
		known_under = seeme_function_generation;
	}
	if (known[place].function != function)
	{
		uint64		changes = seeme_function_generation;
		SeemeLeak	found = look_up_function(function);

		if (changes != seeme_function_generation)
			return found;
		known[place].function = function;
		known[place].leak = found;
	}
	return known[place].leak;
}

/*
 * Whether an operator is a superuser's. Another's may have an estimator, commutator or negator that
 * does not go with its function, and the planner may put these in its place.
 */
bool
seeme_operator_is_privileged(Oid operator)
{
	HeapTuple	tuple;
	bool		is_privileged;

	if (operator < FirstUnpinnedObjectId)
		return true;
	tuple = SearchSysCache1(OPEROID, ObjectIdGetDatum(operator));
	if (!HeapTupleIsValid(tuple))
		return false;
	is_privileged = superuser_arg(((Form_pg_operator) GETSTRUCT(tuple))->oprowner);
	ReleaseSysCache(tuple);
	return is_privileged;
}

/*
 * Whether values of a type are compared by functions that tell nothing; of an array, range or
 * multirange, what it is made of.
 */
bool
seeme_comparison_is_harmless(Oid type)
{
	TypeCacheEntry *entry;
	Oid			element;

	type = getBaseType(type);
	check_stack_depth();
	element = get_element_type(type);
	if (OidIsValid(element))
		return seeme_comparison_is_harmless(element);
	if (type_is_multirange(type))
		type = get_multirange_range(type);
	if (type_is_range(type))
	{
		entry = lookup_type_cache(type, TYPECACHE_RANGE_INFO);
		return seeme_leak_of_function(entry->rng_cmp_proc_finfo.fn_oid) == SEEME_HARMLESS;
	}
	entry = lookup_type_cache(type, TYPECACHE_EQ_OPR | TYPECACHE_CMP_PROC);
	return OidIsValid(entry->eq_opr) && OidIsValid(entry->cmp_proc) &&
		seeme_leak_of_function(get_opcode(entry->eq_opr)) == SEEME_HARMLESS &&
		seeme_leak_of_function(entry->cmp_proc) == SEEME_HARMLESS;
}
