/*
 * view_query.c: another query for a view that is there already.
 *
 * An upgrade changes the query of listing views. The view is named by its oid and keeps its grants,
 * its triggers and the views over it. SQL's own way looks the view up by its name, and makes it if
 * it is gone.
 *
 * Must not be reachable by anybody but the extension's own functions: the text is parsed as it is.
 */
#include "postgres.h"

#include "catalog/pg_class.h"
#include "commands/view.h"
#include "fmgr.h"
#include "parser/analyze.h"
#include "parser/parser.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "core/version.h"

/*
 * seeme.set_view_query(view regclass, query text) RETURNS void
 *
 * ALTER EXTENSION UPDATE calls it, also in a session with the library of another version. It reads none of the extension's tables.
 *
 * The query has the columns that the view has. PostgreSQL checks that, and that the current user
 * owns the view.
 */
SEEME_FUNCTION_OF_ANY_VERSION(seeme_set_view_query)
{
	Oid			view = PG_GETARG_OID(0);
	char	   *sql = text_to_cstring(PG_GETARG_TEXT_PP(1));
	List	   *statements = raw_parser(sql, RAW_PARSE_DEFAULT);
	Query	   *query;

	if (get_rel_relkind(view) != RELKIND_VIEW)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("relation %u is not a view", view)));
	if (list_length(statements) != 1)
		ereport(ERROR,
				(errcode(ERRCODE_SYNTAX_ERROR),
				 errmsg("not one statement: %s", sql)));
	query = parse_analyze_fixedparams(linitial_node(RawStmt, statements), sql, NULL, 0, NULL);
	if (query->commandType != CMD_SELECT)
		ereport(ERROR,
				(errcode(ERRCODE_SYNTAX_ERROR),
				 errmsg("not a query: %s", sql)));
	StoreViewQuery(view, query, true);
	PG_RETURN_VOID();
}
