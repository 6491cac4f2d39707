/*
 * expression.c: what PostgreSQL would store for the condition of a policy, without making one.
 *
 * The security report compares the policies of a table with those that belong there. Both sides have to come from the same
 * parser and go through the same deparser, or they differ by parentheses, casts and the version that stored them. Nothing is
 * executed here, nothing is written, and nothing is looked up but by the names in the text, which is the extension's own.
 */
#include "postgres.h"

#include "access/table.h"
#include "fmgr.h"
#include "nodes/nodes.h"
#include "nodes/parsenodes.h"
#include "parser/parse_clause.h"
#include "parser/parse_collate.h"
#include "parser/parse_node.h"
#include "parser/parse_relation.h"
#include "parser/parser.h"
#include "utils/builtins.h"
#include "utils/rel.h"

#include "version.h"

/* seeme.parsed_condition(relation regclass, condition text) RETURNS pg_node_tree, as CREATE POLICY does it. */
SEEME_FUNCTION(seeme_parsed_condition, 2)
{
	Oid			relid = PG_GETARG_OID(0);
	char	   *query = psprintf("SELECT %s", text_to_cstring(PG_GETARG_TEXT_PP(1)));
	List	   *statements = raw_parser(query, RAW_PARSE_DEFAULT);
	SelectStmt *statement;
	Relation	relation;
	ParseState *pstate;
	ParseNamespaceItem *item;
	Node	   *tree;

	statement = list_length(statements) == 1 ? (SelectStmt *) linitial_node(RawStmt, statements)->stmt : NULL;
	if (statement == NULL || !IsA(statement, SelectStmt) || list_length(statement->targetList) != 1)
		ereport(ERROR,
				(errcode(ERRCODE_SYNTAX_ERROR),
				 errmsg("not one condition: %s", query)));

	relation = table_open(relid, AccessShareLock);
	pstate = make_parsestate(NULL);
	pstate->p_sourcetext = query;
	item = addRangeTableEntryForRelation(pstate, relation, AccessShareLock, NULL, false, false);
	addNSItemToQuery(pstate, item, false, true, true);
	tree = transformWhereClause(pstate, linitial_node(ResTarget, statement->targetList)->val,
								EXPR_KIND_POLICY, "POLICY");
	assign_expr_collations(pstate, tree);
	free_parsestate(pstate);
	table_close(relation, AccessShareLock);

	PG_RETURN_TEXT_P(cstring_to_text(nodeToString(tree)));
}
