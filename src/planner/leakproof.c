/*
 * leakproof.c: which expressions may be evaluated on rows that the asking person may not see.
 *
 * PostgreSQL asks this of functions (contain_leaked_vars), and lets anything pass that has no Var
 * below it. Here an expression is judged as a whole, and what has no Var below it as well:
 * `amount = 42.5 OR 1 / $1 = 1` raises for those rows alone whose amount is another.
 *
 * Owns the judgement of expressions, and the setting. What a single function tells is
 * leakproof_list.c's affair.
 */
#include "postgres.h"

#include "access/transam.h"
#include "catalog/pg_type.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "nodes/pathnodes.h"
#include "optimizer/optimizer.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/plancache.h"

#include "planner/leakproof.h"

bool		seeme_search_operators = false;

/* What is known of an expression: the worst that it does, and whether it depends on a row. */
typedef enum Fault
{
	NONE,						/* it tells nothing but by its result */
	RAISES,						/* it has no Var, and may raise: for all rows or for none */
	LEAKS,
} Fault;

typedef struct Judged
{
	Fault		fault;
	bool		has_vars;
} Judged;

typedef struct Context
{
	PlannerInfo *root;
	List	  **checks;			/* NULL: nothing can be checked beforehand */
	bool		is_conditional; /* it depends on an earlier part whether this one is evaluated */
} Context;

static Judged judge(Node *node, Context *context);

/* An expression that is true, once what is in it has been evaluated. */
static Node *
make_check(Node *expression)
{
	NullTest   *is_null = makeNode(NullTest);
	NullTest   *check = makeNode(NullTest);

	is_null->arg = (Expr *) copyObject(expression);
	is_null->nulltesttype = IS_NULL;
	is_null->argisrow = false;
	is_null->location = -1;
	check->arg = (Expr *) is_null;
	check->nulltesttype = IS_NOT_NULL;
	check->argisrow = false;
	check->location = -1;
	return (Node *) check;
}

/*
 * A part without Vars that may raise, in an expression with Vars: it is good if it is evaluated
 * before the first row.
 */
static Fault
check_first(Node *part, Context *context)
{
	if (context->checks == NULL || context->is_conditional)
		return LEAKS;
	part = make_check(part);
	if (!list_member(*context->checks, part))
		*context->checks = lappend(*context->checks, part);
	return NONE;
}

/*
 * What is known of an expression of these parts, in which they are evaluated all, or none. If one
 * has Vars, those without have to be good before the first row is read.
 */
static Judged
judge_parts(List *parts, Context *context)
{
	Judged		all = {NONE, false};
	List	   *raise = NIL;
	ListCell   *cell;

	foreach(cell, parts)
	{
		Judged		part = judge(lfirst(cell), context);

		if (part.fault == LEAKS)
			return part;
		if (part.fault == RAISES)
			raise = lappend(raise, lfirst(cell));
		all.has_vars |= part.has_vars;
	}
	if (raise != NIL && !all.has_vars)
		all.fault = RAISES;
	else
		foreach(cell, raise)
		if (check_first(lfirst(cell), context) == LEAKS)
		all.fault = LEAKS;
	list_free(raise);
	return all;
}

/* The same, where it depends on the first part whether the others are evaluated. */
static Judged
judge_conditional_parts(List *parts, Context *context)
{
	bool		outer = context->is_conditional;
	Judged		all = {NONE, false};
	ListCell   *cell;

	foreach(cell, parts)
	{
		Judged		part = judge(lfirst(cell), context);

		all.has_vars |= part.has_vars;
		all.fault = Max(all.fault, part.fault);

		/*
		 * What may raise is not evaluated beforehand: the query does not evaluate it itself,
		 * perhaps.
		 */
		context->is_conditional = true;
	}
	context->is_conditional = outer;
	if (all.fault == RAISES && all.has_vars)
		all.fault = LEAKS;
	return all;
}

/* An InitPlan's result, or the column of a row of an outer query. */
static Judged
judge_parameter(Param *param, Context *context)
{
	if (param->paramkind == PARAM_EXTERN)
		return (Judged)
	{
		NONE, false
	};
	if (param->paramkind == PARAM_EXEC)
		for (PlannerInfo *root = context->root; root != NULL; root = root->parent_root)
		{
			ListCell   *cell;

			/*
			 * It is computed when it is first asked for: what goes wrong in it tells that it was.
			 */
			foreach(cell, root->init_plans)
				if (list_member_int(((SubPlan *) lfirst(cell))->setParam, param->paramid))
				return (Judged)
			{
				RAISES, false
			};
		}
	return (Judged)
	{
		param->paramkind == PARAM_EXEC ? NONE : LEAKS, true
	};
}

/*
 * A search operator's pattern, without Vars: a constant is looked at now, another before the first
 * row is read.
 */
static Fault
judge_pattern(Node *pattern, bool is_like, bool is_array, Context *context)
{
	Oid			type = exprType(pattern);
	Oid			check;

	type = getBaseType(is_array ? get_element_type(type) : type);
	if (IsA(pattern, RelabelType))
		pattern = (Node *) ((RelabelType *) pattern)->arg;
	if (IsA(pattern, Const))
		return seeme_pattern_fits((Const *) pattern, is_like) ? NONE : LEAKS;
	if (!is_like && type != JSONBOID && type != TSQUERYOID)
		return NONE;
	check = seeme_check_pattern_function(is_like);
	if (is_array || context->checks == NULL || !OidIsValid(check))
		return LEAKS;
	return check_first((Node *) makeFuncExpr(check, BOOLOID, list_make1(copyObject(pattern)),
											 InvalidOid, InvalidOid, COERCE_EXPLICIT_CALL),
					   context);
}

/* Whether the comparison of what the arguments are made of is harmless. */
static bool
are_elements_harmless(List *arguments)
{
	ListCell   *cell;

	foreach(cell, arguments)
		if (!seeme_comparison_is_harmless(exprType(lfirst(cell))))
		return false;
	return true;
}

/* Whether the types of all arguments are PostgreSQL's own. A record may have columns of others. */
static bool
are_built_in_types(List *arguments)
{
	ListCell   *cell;

	foreach(cell, arguments)
	{
		Oid			type = exprType(lfirst(cell));

		if (type >= FirstUnpinnedObjectId || type == RECORDOID || type == RECORDARRAYOID)
			return false;
	}
	return true;
}

static Judged
judge_search(SeemeLeak leak, Oid collation, List *arguments, bool is_array, Judged all,
			 Context *context)
{
	bool		is_like = leak == SEEME_LIKE;
	Node	   *pattern = NULL;

	if (!seeme_search_operators || list_length(arguments) != 2 ||
		(is_like && OidIsValid(collation) && !get_collation_isdeterministic(collation)) ||
		(leak == SEEME_SEARCHES_BY_ELEMENT && !are_elements_harmless(arguments)))
		all.fault = LEAKS;
	else if (!judge(lsecond(arguments), context).has_vars)
		pattern = lsecond(arguments);
	else if (!is_like && !is_array && !judge(linitial(arguments), context).has_vars)
		pattern = linitial(arguments);
	if (pattern == NULL)
		all.fault = LEAKS;
	else
		all.fault = judge_pattern(pattern, is_like, is_array, context);
	return all;
}

static Judged
judge_function(Oid function, Oid collation, List *arguments, bool is_array, Context *context)
{
	Judged		all = judge_parts(arguments, context);
	SeemeLeak	leak;

	if (all.fault == LEAKS)
		return all;
	leak = seeme_leak_of_function(function);
	if (leak == SEEME_HARMLESS ||
		(leak == SEEME_HARMLESS_BY_ELEMENT && are_elements_harmless(arguments)))
		return all;
	if (!all.has_vars && seeme_is_near_now(function, arguments))
		return all;
	if (!all.has_vars && leak != SEEME_LEAKS &&
		(leak != SEEME_RAISES_BY_TYPE || are_built_in_types(arguments)))
		all.fault = RAISES;
	else if (leak == SEEME_SEARCHES || leak == SEEME_SEARCHES_BY_ELEMENT || leak == SEEME_LIKE)
		return judge_search(leak, collation, arguments, is_array, all, context);
	else
		all.fault = LEAKS;
	return all;
}

static Judged
judge_operator(Oid operator, Oid function, Oid collation, List *arguments, bool is_array,
			   Context *context)
{
	if (!OidIsValid(function))
		function = get_opcode(operator);
	if (!seeme_operator_is_privileged(operator))
		return (Judged)
	{
		LEAKS, true
	};
	return judge_function(function, collation, arguments, is_array, context);
}

/* Comparing several columns at once, or one with all of an array */
static Judged
judge_row_comparison(RowCompareExpr * comparison, Context *context)
{
	Judged		all = {NONE, false};
	ListCell   *operator;
	ListCell   *left;
	ListCell   *right;
	bool		outer = context->is_conditional;

	forthree(operator, comparison->opnos, left, comparison->largs, right, comparison->rargs)
	{
		Judged		part = judge_operator(lfirst_oid(operator), InvalidOid, InvalidOid,
										  list_make2(lfirst(left), lfirst(right)), false, context);

		all.fault = Max(all.fault, part.fault);
		all.has_vars |= part.has_vars;
		context->is_conditional = true;
	}
	context->is_conditional = outer;
	if (all.fault == RAISES && all.has_vars)
		all.fault = LEAKS;
	return all;
}

static Judged
judge_case(CaseExpr * expression, Context *context)
{
	List	   *parts = expression->arg == NULL ? NIL : list_make1(expression->arg);
	ListCell   *cell;

	foreach(cell, expression->args)
	{
		parts = lappend(parts, ((CaseWhen *) lfirst(cell))->expr);
		parts = lappend(parts, ((CaseWhen *) lfirst(cell))->result);
	}
	if (expression->defresult != NULL)
		parts = lappend(parts, expression->defresult);
	return judge_conditional_parts(parts, context);
}

/* Through text: what the one type puts out, the other has to take in. */
static Judged
judge_coercion(CoerceViaIO * coercion, Context *context)
{
	Judged		all = judge((Node *) coercion->arg, context);
	Oid			output;
	Oid			input;
	Oid			parameter;
	bool		is_varlena;

	if (all.fault == LEAKS)
		return all;
	getTypeOutputInfo(exprType((Node *) coercion->arg), &output, &is_varlena);
	getTypeInputInfo(coercion->resulttype, &input, &parameter);
	if (seeme_leak_of_function(output) == SEEME_HARMLESS &&
		seeme_leak_of_function(input) == SEEME_HARMLESS)
		return all;
	if (!all.has_vars && seeme_leak_of_function(output) != SEEME_LEAKS &&
		seeme_leak_of_function(input) != SEEME_LEAKS)
		all.fault = RAISES;
	else
		all.fault = LEAKS;
	return all;
}

static Judged
judge_node(Node *node, Context *context)
{
	const Judged unknown = {LEAKS, true};

	if (node == NULL)
		return (Judged)
	{
		NONE, false
	};
	switch (nodeTag(node))
	{
		case T_Var:
			return (Judged)
			{
				NONE, true
			};
		case T_Const:
		case T_SQLValueFunction:
			return (Judged)
			{
				NONE, false
			};
		case T_CaseTestExpr:
			return (Judged)
			{
				NONE, true
			};
		case T_Param:
			return judge_parameter((Param *) node, context);
			/* What was computed of rows that were seen: nothing in it meets another. */
		case T_Aggref:
		case T_WindowFunc:
		case T_GroupingFunc:
			return (Judged)
			{
				NONE, true
			};
		case T_List:
			return judge_conditional_parts((List *) node, context);
		case T_FuncExpr:
			return judge_function(((FuncExpr *) node)->funcid, ((FuncExpr *) node)->inputcollid,
								  ((FuncExpr *) node)->args, false, context);
		case T_OpExpr:
		case T_DistinctExpr:
		case T_NullIfExpr:
			{
				OpExpr	   *expression = (OpExpr *) node;

				return judge_operator(expression->opno, expression->opfuncid,
									  expression->inputcollid, expression->args, false, context);
			}
		case T_ScalarArrayOpExpr:
			{
				ScalarArrayOpExpr *expression = (ScalarArrayOpExpr *) node;

				return judge_operator(expression->opno, expression->opfuncid,
									  expression->inputcollid, expression->args, true, context);
			}
		case T_RowCompareExpr:
			return judge_row_comparison((RowCompareExpr *) node, context);
		case T_BoolExpr:
			return judge_conditional_parts(((BoolExpr *) node)->args, context);
		case T_CoalesceExpr:
			return judge_conditional_parts(((CoalesceExpr *) node)->args, context);
		case T_CaseExpr:
			return judge_case((CaseExpr *) node, context);
		case T_MinMaxExpr:
			{
				Judged		all = judge_parts(((MinMaxExpr *) node)->args, context);

				if (all.fault != LEAKS &&
					!seeme_comparison_is_harmless(((MinMaxExpr *) node)->minmaxtype))
					all.fault = LEAKS;
				return all;
			}
		case T_ArrayExpr:
			/* Arrays of arrays may not fit together. */
			if (((ArrayExpr *) node)->multidims)
				return unknown;
			return judge_parts(((ArrayExpr *) node)->elements, context);
		case T_RowExpr:
			return judge_parts(((RowExpr *) node)->args, context);
		case T_NullTest:
			return judge((Node *) ((NullTest *) node)->arg, context);
		case T_BooleanTest:
			return judge((Node *) ((BooleanTest *) node)->arg, context);
		case T_RelabelType:
			return judge((Node *) ((RelabelType *) node)->arg, context);
		case T_CollateExpr:
			return judge((Node *) ((CollateExpr *) node)->arg, context);
		case T_NamedArgExpr:
			return judge((Node *) ((NamedArgExpr *) node)->arg, context);
		case T_CoerceViaIO:
			return judge_coercion((CoerceViaIO *) node, context);
		case T_ArrayCoerceExpr:
			{
				ArrayCoerceExpr *coercion = (ArrayCoerceExpr *) node;

				return judge_conditional_parts(list_make2(coercion->arg, coercion->elemexpr),
											   context);
			}
		case T_SubscriptingRef:
			{
				SubscriptingRef *element = (SubscriptingRef *) node;

				/*
				 * An element of an array: null where there is none. Slices, and what other types
				 * do, are left out.
				 */
				if (element->refassgnexpr != NULL || element->reflowerindexpr != NIL ||
					!OidIsValid(get_element_type(element->refcontainertype)))
					return unknown;
				return judge_parts(lcons(element->refexpr, list_copy(element->refupperindexpr)),
								   context);
			}
		case T_PlaceHolderVar:
			return judge((Node *) ((PlaceHolderVar *) node)->phexpr, context);
		case T_RestrictInfo:
			return judge((Node *) ((RestrictInfo *) node)->clause, context);
		case T_TargetEntry:
			return judge((Node *) ((TargetEntry *) node)->expr, context);
		default:
			return unknown;
	}
}

static Judged
judge(Node *node, Context *context)
{
	Judged		found = judge_node(node, context);

	/* What an index has of each row has raised nothing for any. */
	if (found.fault == LEAKS && context->root != NULL && seeme_is_indexed(context->root, node))
		found.fault = NONE;
	return found;
}

/*
 * Whether a query is a sub-select of the top level that reads nothing and is evaluated once:
 * (SELECT to_tsquery($1)). Nothing in it meets a row. When it is evaluated tells something; that is
 * for the expression with its result (judge_parameter()).
 */
static bool
meets_no_row(PlannerInfo *root)
{
	ListCell   *cell;

	if (root == NULL || root->parent_root == NULL || root->parent_root->parent_root != NULL)
		return false;
	foreach(cell, root->parse->rtable)
		if (lfirst_node(RangeTblEntry, cell)->rtekind != RTE_RESULT)
		return false;
	foreach(cell, root->parent_root->init_plans)
	{
		SubPlan    *plan = lfirst(cell);

		if (list_nth(root->glob->subroots, plan->plan_id - 1) == root)
			return true;
	}
	return false;
}

bool
seeme_may_leak(PlannerInfo *root, Node *expression)
{
	Context		context = {root, NULL, true};

	return !meets_no_row(root) && judge(expression, &context).fault != NONE;
}

bool
seeme_may_leak_unless_checked(PlannerInfo *root, Node *expression, List **checks)
{
	Context		context = {root, checks, false};
	Judged		found;

	if (meets_no_row(root))
		return false;
	found = judge(expression, &context);
	return found.fault != NONE &&
		!(found.fault == RAISES && check_first(expression, &context) == NONE);
}

/* A plan that was made under the one value is not to be run under the other. */
static void
plan_anew(bool value, void *extra)
{
	if (value != seeme_search_operators)
		ResetPlanCache();
}

void
seeme_leakproof_init(void)
{
	DefineCustomBoolVariable(
							 "seeme_rbac.search_operators",
							 "Looks conditions by search operators up in the indexes of "
							 "protected tables.",
							 "Their speed then tells whether rows match that the asking person "
							 "may not see.",
							 &seeme_search_operators, false, PGC_SUSET, GUC_EXPLAIN, NULL,
							 plan_anew,
							 NULL);
}
