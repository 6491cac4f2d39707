/*
 * leakproof_pattern.c: whether a search operator's pattern lets it fail for some rows and not for
 * others.
 *
 * A pattern of LIKE that ends within an escape is an error for the rows alone that match as far as
 * there: `LIKE '%secret\'` tells which rows have the word. And where an operator goes deeper the
 * more of the pattern a row matches, it may run out of stack for that row alone. So escapes have to
 * be whole, and depths are bounded, far above what anybody writes and far below what a stack holds.
 *
 * A constant is looked at when the query is planned. A parameter is known only when it is run: then
 * the planner has it checked once, before any row is read.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "nodes/pg_list.h"
#include "parser/parse_func.h"
#include "nodes/value.h"
#include "tsearch/ts_type.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"

#include "core/compat.h"
#include "core/invalidation.h"
#include "core/version.h"
#include "planner/leakproof.h"

#define MAX_WILDCARDS 200
#define MAX_NESTING 100
#define MAX_OPERANDS 1000

static bool
ends_within_escape(text *pattern)
{
	const char *data = VARDATA_ANY(pattern);
	int			length = VARSIZE_ANY_EXHDR(pattern);

	/* No encoding of a server has a backslash as a later byte of a character. */
	for (int i = 0; i < length; i++)
		if (data[i] == '\\' && ++i == length)
			return true;
	return false;
}

static int
count_wildcards(text *pattern)
{
	const char *data = VARDATA_ANY(pattern);
	int			length = VARSIZE_ANY_EXHDR(pattern);
	int			count = 0;

	for (int i = 0; i < length; i++)
		if (data[i] == '%')
			count++;
	return count;
}

static int
nesting_of(Jsonb *pattern)
{
	JsonbIterator *iterator = JsonbIteratorInit(&pattern->root);
	JsonbIteratorToken token;
	JsonbValue	value;
	int			depth = 0;
	int			deepest = 0;

	while ((token = JsonbIteratorNext(&iterator, &value, false)) != WJB_DONE)
	{
		if (token == WJB_BEGIN_ARRAY || token == WJB_BEGIN_OBJECT)
			deepest = Max(deepest, ++depth);
		else if (token == WJB_END_ARRAY || token == WJB_END_OBJECT)
			depth--;
	}
	return deepest;
}

static bool
is_shallow(Datum pattern, Oid type, bool is_like)
{
	if (is_like)
		return count_wildcards(DatumGetTextPP(pattern)) <= MAX_WILDCARDS;
	if (type == JSONBOID)
		return nesting_of(DatumGetJsonbP(pattern)) <= MAX_NESTING;
	if (type == TSQUERYOID)
		return DatumGetTSQuery(pattern)->size <= MAX_OPERANDS;
	return true;
}

static bool
fits(Datum pattern, Oid type, bool is_like)
{
	return !(is_like && ends_within_escape(DatumGetTextPP(pattern))) &&
		is_shallow(pattern, getBaseType(type), is_like);
}

/* Whether a pattern, or each of an array of them (LIKE ANY), is good for every row. */
bool
seeme_pattern_fits(Const *pattern, bool is_like)
{
	Oid			type = get_element_type(pattern->consttype);
	ArrayType  *array;
	int16		length;
	bool		by_value;
	char		align;
	Datum	   *patterns;
	bool	   *nulls;
	int			count;

	if (pattern->constisnull)
		return true;
	if (!OidIsValid(type))
		return fits(pattern->constvalue, pattern->consttype, is_like);
	if (!is_like && type != JSONBOID && type != TSQUERYOID)
		return true;
	array = DatumGetArrayTypeP(pattern->constvalue);
	get_typlenbyvalalign(type, &length, &by_value, &align);
	deconstruct_array(array, type, length, by_value, align, &patterns, &nulls, &count);
	for (int i = 0; i < count; i++)
		if (!nulls[i] && !fits(patterns[i], type, is_like))
			return false;
	return true;
}

/* The function that checks a parameter, by what it is a pattern of; invalid if it is not there. */
Oid
seeme_check_pattern_function(bool is_like)
{
	static Oid	functions[2] = {InvalidOid, InvalidOid};
	static uint64 known_under = 0;

	if (known_under != seeme_function_generation)
	{
		static const char *const names[2] = {"check_search_pattern", "check_like_pattern"};
		Oid			type = ANYOID;

		known_under = seeme_function_generation;
		for (int i = 0; i < 2; i++)
			functions[i] = LookupFuncName(list_make2(makeString("seeme"), makeString(pstrdup(names[i]))),
										  1, &type, true);
	}
	return functions[is_like];
}

static void
check_pattern(FunctionCallInfo fcinfo, bool is_like)
{
	Oid			type = get_fn_expr_argtype(fcinfo->flinfo, 0);
	Datum		pattern = PG_GETARG_DATUM(0);

	if (OidIsValid(type))
		type = getBaseType(type);
	if (is_like && ends_within_escape(DatumGetTextPP(pattern)))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_ESCAPE_SEQUENCE),
				 errmsg("LIKE pattern must not end with escape character")));
	if (!is_shallow(pattern, type, is_like))
		ereport(ERROR,
				(errcode(ERRCODE_STATEMENT_TOO_COMPLEX),
				 errmsg("search pattern is too complex"),
				 errdetail("LIKE takes at most %d wildcards, jsonb %d levels, a text search %d "
						   "operands and operators.",
						   MAX_WILDCARDS, MAX_NESTING, MAX_OPERANDS)));
}

/*
 * seeme.check_like_pattern(pattern "any") RETURNS boolean: true; raises unless the pattern is good
 * for every row
 */
SEEME_FUNCTION_OF_ANY_VERSION(seeme_check_like_pattern)
{
	check_pattern(fcinfo, true);
	PG_RETURN_BOOL(true);
}

/*
 * seeme.check_search_pattern(pattern "any") RETURNS boolean: the same, of what is no pattern of
 * LIKE
 */
SEEME_FUNCTION_OF_ANY_VERSION(seeme_check_search_pattern)
{
	check_pattern(fcinfo, false);
	PG_RETURN_BOOL(true);
}
