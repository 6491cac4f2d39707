/*
 * stored_expression.c: what PostgreSQL would store for a condition or a query, without creating
 * it.
 *
 * The security report compares policies, triggers, views and functions with what they should be.
 * Both sides have to come through the same parser and deparser. Otherwise they differ by
 * parentheses, casts, and the version that stored them.
 *
 * Must not run anything. Must not parse what is stored, but only deparse it: the text that it
 * parses is the extension's own.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/relation.h"
#include "access/sysattr.h"
#include "access/table.h"
#include "catalog/pg_class.h"
#include "catalog/pg_proc.h"
#include "executor/functions.h"
#include "fmgr.h"
#include "nodes/makefuncs.h"
#include "nodes/nodes.h"
#include "nodes/parsenodes.h"
#include "optimizer/clauses.h"
#include "optimizer/optimizer.h"
#include "parser/analyze.h"
#include "parser/parse_clause.h"
#include "parser/parse_collate.h"
#include "parser/parse_node.h"
#include "parser/parse_relation.h"
#include "parser/parser.h"
#include "rewrite/rewriteHandler.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/ruleutils.h"
#include "utils/syscache.h"

#include "core/version.h"

/* Parses a text that is one statement. */
static Node *
only_statement(const char *text)
{
	List	   *statements = raw_parser(text, RAW_PARSE_DEFAULT);

	if (list_length(statements) != 1)
		ereport(ERROR,
				(errcode(ERRCODE_SYNTAX_ERROR),
				 errmsg("not one statement: %s", text)));
	return linitial_node(RawStmt, statements)->stmt;
}

/* Parses a text that is SELECT and one condition. */
static Node *
only_condition(const char *query)
{
	SelectStmt *statement = (SelectStmt *) only_statement(query);

	if (!IsA(statement, SelectStmt) || list_length(statement->targetList) != 1)
		ereport(ERROR,
				(errcode(ERRCODE_SYNTAX_ERROR),
				 errmsg("not one condition: %s", query)));
	return linitial_node(ResTarget, statement->targetList)->val;
}

/*
 * seeme.parsed_condition(relation regclass, condition text) RETURNS pg_node_tree
 *
 * The condition as CREATE POLICY stores it.
 */
SEEME_FUNCTION(seeme_parsed_condition, 2)
{
	Oid			relid = PG_GETARG_OID(0);
	char	   *query = psprintf("SELECT %s", text_to_cstring(PG_GETARG_TEXT_PP(1)));
	Node	   *condition = only_condition(query);
	Relation	relation;
	ParseState *pstate;
	ParseNamespaceItem *item;
	Node	   *tree;

	relation = table_open(relid, AccessShareLock);
	pstate = make_parsestate(NULL);
	pstate->p_sourcetext = query;
	item = addRangeTableEntryForRelation(pstate, relation, AccessShareLock, NULL, false, false);
	addNSItemToQuery(pstate, item, false, true, true);
	tree = transformWhereClause(pstate, condition, EXPR_KIND_POLICY, "POLICY");
	assign_expr_collations(pstate, tree);
	free_parsestate(pstate);
	table_close(relation, AccessShareLock);

	PG_RETURN_TEXT_P(cstring_to_text(nodeToString(tree)));
}

/* Whether a relation has a virtual generated column (18 and later). */
static bool
has_virtual_column(Oid relid)
{
	Relation	relation = relation_open(relid, AccessShareLock);
	TupleDesc	columns = RelationGetDescr(relation);
	bool		found = false;

	for (int i = 0; i < columns->natts && !found; i++)
		found = TupleDescAttr(columns, i)->attgenerated == 'v';
	relation_close(relation, AccessShareLock);
	return found;
}

/*
 * seeme.depends_on_row_alone(relation regclass, condition pg_node_tree) RETURNS boolean
 *
 * Whether a condition has the same answer as long as the row is the same: whatever the time is,
 * who asks, and what is in other tables. In a trigger's rows there are no system columns, and
 * virtual generated ones (18 and later) are null there.
 */
SEEME_FUNCTION(seeme_depends_on_row_alone, 2)
{
	Oid			relid = PG_GETARG_OID(0);
	Node	   *tree = stringToNode(TextDatumGetCString(PG_GETARG_DATUM(1)));
	Bitmapset  *columns = NULL;
	int			member = -1;

	if (contain_mutable_functions(tree) || contain_subplans(tree))
		PG_RETURN_BOOL(false);
	pull_varattnos(tree, 1, &columns);
	while ((member = bms_next_member(columns, member)) >= 0)
	{
		AttrNumber	column = member + FirstLowInvalidHeapAttributeNumber;

		/* The whole row, as in `is_live(members)`, has all columns. */
		if (column < 0 || (column > 0 ? get_attgenerated(relid, column) == 'v'
						   : has_virtual_column(relid)))
			PG_RETURN_BOOL(false);
	}
	PG_RETURN_BOOL(true);
}

/*
 * seeme.is_condition_of_trigger(relation regclass, stored pg_node_tree, condition text) RETURNS
 * boolean
 *
 * Whether CREATE TRIGGER would store this for WHEN (condition). PostgreSQL deparses the condition
 * of a trigger only with the whole trigger, so the trees are compared.
 */
SEEME_FUNCTION(seeme_is_condition_of_trigger, 3)
{
	Oid			relid = PG_GETARG_OID(0);
	Node	   *stored = stringToNode(TextDatumGetCString(PG_GETARG_DATUM(1)));
	char	   *query = psprintf("SELECT %s", text_to_cstring(PG_GETARG_TEXT_PP(2)));
	Node	   *condition = only_condition(query);
	Relation	relation;
	ParseState *pstate;
	ParseNamespaceItem *item;
	Node	   *tree;

	relation = relation_open(relid, AccessShareLock);
	pstate = make_parsestate(NULL);
	pstate->p_sourcetext = query;
	/* The rows of a trigger have these names, in this order. */
	item = addRangeTableEntryForRelation(pstate, relation, AccessShareLock, makeAlias("old", NIL),
										 false, false);
	addNSItemToQuery(pstate, item, false, true, true);
	item = addRangeTableEntryForRelation(pstate, relation, AccessShareLock, makeAlias("new", NIL),
										 false, false);
	addNSItemToQuery(pstate, item, false, true, true);
	tree = transformWhereClause(pstate, condition, EXPR_KIND_TRIGGER_WHEN, "WHEN");
	assign_expr_collations(pstate, tree);
	free_parsestate(pstate);
	relation_close(relation, AccessShareLock);

	PG_RETURN_BOOL(equal(tree, stored));
}

/* Analyses a statement, within a function if that is given. */
static Query *
analysed(Node *statement, const char *source, SQLFunctionParseInfoPtr function)
{
	ParseState *pstate = make_parsestate(NULL);
	Query	   *query;

	pstate->p_sourcetext = source;
	if (function != NULL)
		sql_fn_parser_setup(pstate, function);
	query = transformStmt(pstate, statement);
	free_parsestate(pstate);
	return query;
}

/*
 * The SQL body of a function, deparsed: RETURN, or BEGIN ATOMIC and END; NULL: the function has a
 * string as its body.
 */
static char *
body_in_words(Oid function, const char *body)
{
	HeapTuple	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
	List	   *queries;
	Node	   *tree;
	StringInfoData words;
	ListCell   *cell;
	bool		is_block;

	if (!HeapTupleIsValid(tuple))
		return NULL;
	if (body == NULL)
	{
		bool		isnull;
		Datum		stored = SysCacheGetAttr(PROCOID, tuple, Anum_pg_proc_prosqlbody, &isnull);

		if (isnull)
		{
			ReleaseSysCache(tuple);
			return NULL;
		}
		tree = stringToNode(TextDatumGetCString(stored));
	}
	else
	{
		char	   *source = psprintf("CREATE FUNCTION f() RETURNS integer LANGUAGE sql %s", body);
		CreateFunctionStmt *statement = (CreateFunctionStmt *) only_statement(source);

		if (!IsA(statement, CreateFunctionStmt) || statement->sql_body == NULL)
			ereport(ERROR,
					(errcode(ERRCODE_SYNTAX_ERROR),
					 errmsg("not the body of a function: %s", body)));
		tree = statement->sql_body;
	}

	/* A block is a list that has one list of statements. */
	is_block = IsA(tree, List);
	queries = is_block ? linitial_node(List, (List *) tree) : list_make1(tree);
	initStringInfo(&words);
	if (is_block)
		appendStringInfoString(&words, "BEGIN ATOMIC");
	foreach(cell, queries)
	{
		Query	   *query = (Query *) lfirst(cell);

		if (body != NULL)
			query = analysed((Node *) query, body,
							 prepare_sql_fn_parse_info(tuple, NULL, InvalidOid));
		appendStringInfo(&words, is_block ? " %s;" : "%s", pg_get_querydef(query, false));
	}
	if (is_block)
		appendStringInfoString(&words, " END");
	ReleaseSysCache(tuple);
	return words.data;
}

/*
 * Before 16 a view has two more relations, old and new, and with several relations the deparser
 * qualifies every column. One more relation on both sides makes it always do so.
 */
static char *
query_of_view_in_words(Query *query)
{
	RangeTblEntry *entry = makeNode(RangeTblEntry);

	entry->rtekind = RTE_RESULT;
	entry->eref = makeAlias("*RESULT*", NIL);
	query->rtable = lappend(query->rtable, entry);
	return pg_get_querydef(query, false);
}

/* The query of a view, deparsed. */
static char *
view_in_words(Oid view, const char *query_text)
{
	Relation	relation;
	Query	   *query;
	char	   *words;

	if (query_text != NULL)
		return query_of_view_in_words(analysed(only_statement(query_text), query_text, NULL));
	relation = relation_open(view, AccessShareLock);
	if (relation->rd_rel->relkind != RELKIND_VIEW)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s\" is not a view", RelationGetRelationName(relation))));
	query = copyObject(get_view_query(relation));
	words = query_of_view_in_words(query);
	relation_close(relation, AccessShareLock);
	return words;
}

/*
 * seeme.deparsed_query(class regclass, object oid, words text) RETURNS text
 *
 * The query of a view (pg_class) or the body of a function (pg_proc), as this server deparses it:
 * of `words`, if that is given; else of what is stored.
 */
SEEME_FUNCTION(seeme_deparsed_query, 3)
{
	char	   *given = PG_ARGISNULL(2) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(2));
	char	   *words;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();
	words = PG_GETARG_OID(0) == ProcedureRelationId ? body_in_words(PG_GETARG_OID(1), given) :
		view_in_words(PG_GETARG_OID(1), given);
	if (words == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(words));
}
