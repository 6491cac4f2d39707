/*
 * leakproof.h: which expressions may be evaluated on rows that the asking person may not see.
 */
#ifndef SEEME_PLANNER_LEAKPROOF_H
#define SEEME_PLANNER_LEAKPROOF_H

#include "postgres.h"

#include "nodes/pathnodes.h"

#pragma GCC visibility push(hidden)

/*
 * Whether evaluating an expression on a row that the asking person may not see can tell anything
 * but by its result: by an error, a notice, output, or by what its estimators tell at plan time.
 *
 * The expression is one of the query at root, preprocessed (constants folded, sub-selects planned),
 * with Vars of that query. A condition, a target, HAVING, an ORDER BY: any of them, each conjunct
 * by itself. A SubPlan in it may leak. The Param of an InitPlan does not, once it is checked
 * (below). What a sub-select consists of the caller judges by that query's own root.
 *
 * root may be NULL: then no index is looked for.
 */
extern bool seeme_may_leak(PlannerInfo *root, Node *expression);

/*
 * The same, where the caller can have expressions evaluated once before any row is read.
 * `created_at > now() - $1` raises when $1 is out of range, but only once a row is compared: the
 * error tells that an earlier condition was true of a hidden row. Evaluated before the first row,
 * the error tells nothing.
 *
 * Appends to *checks what has to be evaluated so: boolean expressions without Vars, true whatever
 * they evaluate to. The caller adds them to the conditions of that query level's top FromExpr,
 * where they become a One-Time Filter of the whole level (pseudoconstant clauses: set
 * root->hasPseudoConstantQuals by way of deconstruct_jointree). It must not add them anywhere else.
 * The expression must be a condition (one conjunct) of that FromExpr or of an inner join's, not
 * under an outer join, nor a target: what is checked there would else be evaluated although the
 * query has no need to.
 */
extern bool seeme_may_leak_unless_checked(PlannerInfo *root, Node *expression, List **checks);

/* The setting seeme_rbac.search_operators. */
extern bool seeme_search_operators;

extern void seeme_leakproof_init(void);

/* What evaluating a function can tell, but by its result. */
typedef enum SeemeLeak
{
	SEEME_LEAKS,				/* anything, or nobody has shown that it does not */
	SEEME_HARMLESS,				/* nothing: marked LEAKPROOF, on the list, or trusted */
	SEEME_HARMLESS_BY_ELEMENT,	/* nothing, if comparing what an array, range or multirange is
								 * made of tells nothing */
	SEEME_SEARCHES,				/* a search operator; either argument may be the pattern */
	SEEME_SEARCHES_BY_ELEMENT,	/* both of these */
	SEEME_LIKE,					/* a search operator; the second argument is a pattern with
								 * escapes */
	SEEME_RAISES,				/* whether its arguments are valid, by an error; nothing else */
	SEEME_RAISES_BY_TYPE,		/* the same, if no argument's type is a user's or unknown */
} SeemeLeak;

/* leakproof_list.c */
extern SeemeLeak seeme_leak_of_function(Oid function);
extern bool seeme_operator_is_privileged(Oid operator);
extern bool seeme_comparison_is_harmless(Oid type);

/* leakproof_pattern.c */
extern bool seeme_pattern_fits(Const *pattern, bool is_like);
extern Oid	seeme_check_pattern_function(bool is_like);

/* leakproof_now.c */
extern bool seeme_is_near_now(Oid function, List *arguments);

/* leakproof_indexes.c */
extern bool seeme_is_indexed(PlannerInfo *root, Node *expression);

#pragma GCC visibility pop

#endif							/* SEEME_PLANNER_LEAKPROOF_H */
