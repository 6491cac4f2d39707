/*
 * statement.h: what is remembered of a statement while it is planned.
 */
#ifndef SEEME_PLANNER_STATEMENT_H
#define SEEME_PLANNER_STATEMENT_H

#include "postgres.h"

#include "nodes/pathnodes.h"

#pragma GCC visibility push(hidden)

/* How much work planning took in this session, for tests. */
typedef struct SeemePlannerCounters
{
	int64		statements_judged;	/* walks of a whole statement for what may leak */
	int64		statements_walked;	/* walks of a whole statement for what does more than read */
	int64		columns_examined;	/* look-ups of a scope column's statistics */
	int64		scopes_counted; /* counts of the scopes that a person is permitted */
	int64		indexes_opened; /* indexes that were opened for their expressions */
} SeemePlannerCounters;

extern SeemePlannerCounters seeme_planner_counters;

/* The statistics of a column: of which table (NULL: none), and the estimates made of them. */
typedef struct SeemeColumnStatistics
{
	RelOptInfo *rel;
	AttrNumber	column;
	double		distinct;
	double		null_part;
} SeemeColumnStatistics;

/* Of so many columns statistics are remembered. */
#define SEEME_KNOWN_COLUMNS 8

/* The statement that is being planned. What is not known is NULL. */
typedef struct SeemeStatement
{
	PlannerInfo *top;			/* the root of the top level */
	bool		is_harmless;	/* nothing in it may leak */
	PlannerInfo *leaky;			/* something may leak, as long as this level is planned */
	PlannerInfo *walked;		/* the level that is planned when only_reads was found out */
	bool		only_reads;
	RelOptInfo *rel;			/* the table that is_point_query is about */
	bool		is_point_query;
	RelOptInfo *generated_in;	/* the table that has_fixed_base is about, and the column */
	AttrNumber	generated_column;
	bool		has_fixed_base;
	RelOptInfo *policy_of;		/* a table with a policy of one call, and the condition of it */
	RestrictInfo *policy;
	bool		policy_is_fixed;	/* the query names its scope */
	SeemeColumnStatistics statistics[SEEME_KNOWN_COLUMNS];
	int			next;			/* the place in statistics that is overwritten next */
} SeemeStatement;

extern SeemeStatement *seeme_statement(PlannerInfo *root);

#pragma GCC visibility pop

#endif							/* SEEME_PLANNER_STATEMENT_H */
