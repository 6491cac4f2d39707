/*
 * compat.h: every difference between the supported versions of PostgreSQL (15 and later), with
 * its reason.
 *
 * No other file tests PG_VERSION_NUM.
 */
#ifndef SEEME_CORE_COMPAT_H
#define SEEME_CORE_COMPAT_H

#include "postgres.h"

#include "miscadmin.h"
#include "storage/proc.h"
#include "utils/acl.h"
#include "utils/guc.h"

/* 16: extra data of settings is allocated in guc.c's own memory context; before, by malloc. */
#if PG_VERSION_NUM < 160000
#include <stdlib.h>
#define guc_malloc(elevel, size) malloc(size)
#define guc_free(pointer) free(pointer)
#endif

/* 16: one function checks the privileges on objects of every class, and one their owner. */
#if PG_VERSION_NUM >= 160000
#include "catalog/pg_class.h"
#include "catalog/pg_proc.h"
#define seeme_may_execute(function)                                                              \
	(object_aclcheck(ProcedureRelationId, function, GetUserId(), ACL_EXECUTE) == ACLCHECK_OK)
#define seeme_owns_relation(relation) object_ownercheck(RelationRelationId, relation, GetUserId())
#else
#define seeme_may_execute(function)                                                              \
	(pg_proc_aclcheck(function, GetUserId(), ACL_EXECUTE) == ACLCHECK_OK)
#define seeme_owns_relation(relation) pg_class_ownercheck(relation, GetUserId())
#endif

/* 16: what names the file of a relation has another name itself. */
#if PG_VERSION_NUM >= 160000
#define seeme_locator(relation) ((relation)->rd_locator)
#else
#define seeme_locator(relation) ((relation)->rd_node)
#endif

/*
 * 16: the privileges that a statement needs are in a list of their own; before, in its range
 * table, where other entries than relations are, too. A view that was expanded has one in each.
 */
#if PG_VERSION_NUM >= 160000
#include "nodes/parsenodes.h"
typedef RTEPermissionInfo SeemePermissions;
#define seeme_permissions_of(plan) ((plan)->permInfos)
#define seeme_is_of_relation(permissions) true
#else
#include "nodes/parsenodes.h"
typedef RangeTblEntry SeemePermissions;
#define seeme_permissions_of(plan) ((plan)->rtable)
#define seeme_is_of_relation(permissions) ((permissions)->rtekind == RTE_RELATION)
#endif

/* 16: SYSTEM_USER, what a connection was authenticated as: METHOD:NAME. */
#if PG_VERSION_NUM >= 160000
#define SEEME_HAS_SYSTEM_USER true
#define seeme_system_user() GetSystemUser()
#else
#define SEEME_HAS_SYSTEM_USER false
#define seeme_system_user() ((const char *) NULL)
#endif

/*
 * 16: outer joins are among the tables of an expression. A condition about one table that is
 * evaluated where the table is scanned (required_relids) has none of them.
 */
#if PG_VERSION_NUM >= 160000
#define seeme_make_restrictinfo(root, clause, required_relids)                                   \
	make_restrictinfo(root, clause, true, false, false, false, 0, required_relids, NULL, NULL)
#else
#define seeme_make_restrictinfo(root, clause, required_relids)                                   \
	make_restrictinfo(root, clause, true, false, false, 0, required_relids, NULL, NULL)
#endif

/* 17: the local transaction id moved into the virtual transaction id of PGPROC. */
#if PG_VERSION_NUM >= 170000
#define seeme_local_xid() (MyProc->vxid.lxid)
#else
#define seeme_local_xid() (MyProc->lxid)
#endif

/*
 * 17: a B-tree scan keeps the index's order also with an array condition on a later column.
 * Before, the planner does not see an array condition that a support function made, and wrongly
 * believes that the order is kept.
 */
#define SEEME_LATER_ARRAYS_KEEP_ORDER (PG_VERSION_NUM >= 170000)

/*
 * 18: an index scan takes counters. 19: scans take options, and a slot can promise that NOT NULL
 * columns have no nulls.
 */
#if PG_VERSION_NUM >= 190000
#define seeme_index_beginscan(table, index, snapshot, nkeys)                                     \
	index_beginscan(table, index, snapshot, NULL, nkeys, 0, SO_NONE)
#define seeme_table_beginscan(table, snapshot) table_beginscan(table, snapshot, 0, NULL, SO_NONE)
#define seeme_table_beginscan_parallel(table, shared)                                            \
	table_beginscan_parallel(table, shared, SO_NONE)
#define seeme_init_scan_slot(estate, scan, columns, operations)                                  \
	ExecInitScanTupleSlot(estate, scan, columns, operations, 0)
#else
#if PG_VERSION_NUM >= 180000
#define seeme_index_beginscan(table, index, snapshot, nkeys)                                     \
	index_beginscan(table, index, snapshot, NULL, nkeys, 0)
#else
#define seeme_index_beginscan(table, index, snapshot, nkeys)                                     \
	index_beginscan(table, index, snapshot, nkeys, 0)
#endif
#define seeme_table_beginscan(table, snapshot) table_beginscan(table, snapshot, 0, NULL)
#define seeme_table_beginscan_parallel(table, shared) table_beginscan_parallel(table, shared)
#define seeme_init_scan_slot(estate, scan, columns, operations)                                  \
	ExecInitScanTupleSlot(estate, scan, columns, operations)
#endif

/* 18: what EXPLAIN prints has its own headers. */
#if PG_VERSION_NUM >= 180000
#include "commands/explain_format.h"
#include "commands/explain_state.h"
#endif
#include "commands/explain.h"

/* 18: ExecutorRun lost the parameter execute_once. */
#if PG_VERSION_NUM >= 180000
#define SEEME_EXECUTOR_RUN_PARAMETERS QueryDesc *query, ScanDirection direction, uint64 count
#define SEEME_EXECUTOR_RUN_ARGUMENTS query, direction, count
#define seeme_executor_run(query) ExecutorRun(query, ForwardScanDirection, 0)
#else
#define SEEME_EXECUTOR_RUN_PARAMETERS                                                            \
	QueryDesc *query, ScanDirection direction, uint64 count, bool execute_once
#define SEEME_EXECUTOR_RUN_ARGUMENTS query, direction, count, execute_once
#define seeme_executor_run(query) ExecutorRun(query, ForwardScanDirection, 0, true)
#endif

/* 18: pg_noreturn stands before a declaration; pg_attribute_noreturn() stood behind it. */
#if PG_VERSION_NUM < 180000
#define pg_noreturn pg_attribute_noreturn()
#endif

/*
 * 18: virtual generated columns are computed when they are read, and the expressions of GROUP BY
 * have a range table entry of their own.
 */
#if PG_VERSION_NUM >= 180000
#include "access/table.h"
#include "nodes/parsenodes.h"
#include "rewrite/rewriteHandler.h"
#include "utils/rel.h"
#define seeme_expand_virtual_columns(condition, relation)                                        \
	((Expr *) expand_generated_columns_in_expr((Node *) (condition), relation, 1))
static inline bool
seeme_has_virtual_columns(Oid relid)
{
	Relation	relation = table_open(relid, NoLock);
	TupleConstr *constraints = RelationGetDescr(relation)->constr;
	bool		found = constraints != NULL && constraints->has_generated_virtual;

	table_close(relation, NoLock);
	return found;
}
#define seeme_group_expressions(rte) ((rte)->rtekind == RTE_GROUP ? (rte)->groupexprs : NIL)
#else
#define seeme_expand_virtual_columns(condition, relation) (condition)
#define seeme_has_virtual_columns(relid) false
#define seeme_group_expressions(rte) NIL
#endif

/* 18: a module tells its name and version. */
#ifdef PG_MODULE_MAGIC_EXT
#define SEEME_MODULE_MAGIC PG_MODULE_MAGIC_EXT(.name = "seeme_rbac", .version = SEEME_RBAC_VERSION)
#else
#define SEEME_MODULE_MAGIC PG_MODULE_MAGIC
#endif

#endif							/* SEEME_CORE_COMPAT_H */
