/*
 * parent_places.c: the places where the row of a parent lies, as the arms of its policy say.
 *
 * For the functions that ask about more than a permission: who belongs there, and whether a row
 * leaves an organization. Must not decide.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "functions/check.h"
#include "planner/check_expression.h"
#include "planner/parent_places.h"

/* The value of an argument of a call in a policy; of a row of its table. */
static Datum
argument_of_row(SeemeParent *parent, Node *argument, TupleTableSlot *row, bool *isnull)
{
	ExprContext *context;

	if (IsA(argument, Const))
	{
		*isnull = ((Const *) argument)->constisnull;
		return ((Const *) argument)->constvalue;
	}
	if (IsA(argument, Var))
		return slot_getattr(row, ((Var *) argument)->varattno, isnull);
	if (parent->estate == NULL)
		parent->estate = CreateExecutorState();
	context = GetPerTupleExprContext(parent->estate);
	context->ecxt_scantuple = row;
	return ExecEvalExprSwitchContext(ExecPrepareExpr((Expr *) argument, parent->estate), context,
									 isnull);
}

/* Lists what the arms of a parent's policy say of a row: where it lies. */
List *
seeme_list_parent_places(SeemeParent *parent, SeemeParentLeaf *leaf, TupleTableSlot *row)
{
	List	   *places = NIL;
	ListCell   *cell;

	foreach(cell, leaf->calls)
	{
		FuncExpr   *call = lfirst(cell);
		int			nargs = IsA(call, FuncExpr) ? list_length(call->args) : 0;
		SeemeParentPlace *place = palloc0(sizeof(SeemeParentPlace));
		bool		isnull;

		place->call = call;
		if (nargs == SEEME_PARENT_NARGS &&
			seeme_is_function(call->funcid, seeme_parent_has_permission))
		{
			place->key = argument_of_row(parent, list_nth(call->args, SEEME_ARG_KEY), row,
										 &isnull);
			if (!isnull)
				places = lappend(places, place);
		}
		else if (nargs == SEEME_NARGS && seeme_is_function(call->funcid, seeme_has_permission))
		{
			place->scope.kind = seeme_only_scope(call->args);
			if (place->scope.kind == SEEME_NO_SCOPE)
				elog(ERROR, "the policy of a parent has another form");
			if (place->scope.kind == SEEME_SCOPE_RESOURCE)
				place->scope.resource_type =
					TextDatumGetCString(argument_of_row(parent,
														list_nth(call->args,
																 SEEME_ARG_RESOURCE_TYPE),
														row, &isnull));
			place->key = argument_of_row(parent, list_nth(call->args, place->scope.kind), row,
										 &isnull);
			if (!isnull)
			{
				place->scope.id = *DatumGetUUIDP(place->key);
				places = lappend(places, place);
			}
		}
	}
	return places;
}

/* The site of the parent of a parent. */
SeemeParentSite *
seeme_parent_site_above(const SeemeParentPlace *place)
{
	Const	   *code = linitial(place->call->args);
	Const	   *child = list_nth(place->call->args, SEEME_ARG_CHILD);
	Const	   *parent = list_nth(place->call->args, SEEME_ARG_PARENT);

	return seeme_make_parent_site(CurrentMemoryContext, DatumGetObjectId(child->constvalue),
								  DatumGetObjectId(parent->constvalue),
								  TextDatumGetCString(code->constvalue));
}

/*
 * The site of a call about a table, one of its partitions, or a table that inherits from it; and
 * its key. A key of the type text is one in the form of its own type.
 */
SeemeParentSite *
seeme_parent_site_of_table(FunctionCallInfo fcinfo, Oid table, const char *code,
						   int key_argument, Datum *key)
{
	Oid			child;
	Oid			parent = seeme_parent_of(table, NULL, NULL, &child);
	Oid			given = getBaseType(get_fn_expr_argtype(fcinfo->flinfo, key_argument));
	SeemeParentSite *site;
	Oid			type;

	if (!OidIsValid(parent))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("table \"%s\" is not protected by a parent_column", get_rel_name(table)),
				 errhint("Call seeme_unprotect and seeme_protect again.")));
	site = seeme_make_parent_site(CurrentMemoryContext, child, parent, code);
	type = seeme_open_parent_site(site)->key_type;
	*key = PG_GETARG_DATUM(key_argument);
	if (given == TEXTOID && type != TEXTOID && type != VARCHAROID)
	{
		Oid			input;
		Oid			parameter;

		getTypeInputInfo(type, &input, &parameter);
		*key = OidInputFunctionCall(input, TextDatumGetCString(*key), parameter, -1);
	}
	/* The bytes of text and varchar are the same. */
	else if (given != type && (given != TEXTOID || type != VARCHAROID))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("the key is of type %s", format_type_be(type))));
	return site;
}
