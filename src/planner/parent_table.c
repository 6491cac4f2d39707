/*
 * parent_table.c: the table that the parent_column of a protected table refers to.
 *
 * A comment lies wherever its ticket lies. The places of a ticket are the arms of the ticket's own
 * policy: `has_permission('tickets:delete', project_id) OR owns_row(...)`. So the condition for a
 * comment is this policy with the comment's code in the place of the ticket's. It is the policy of
 * DELETE: what lets everybody read a ticket (public_column) says nothing about its comments.
 *
 * The foreign key tells the parent's key, and the unique index that finds its row.
 *
 * Owns how a parent is found in the catalog. Must not decide; reads no row (parent_read.c), and
 * keeps nothing (parent_cache.c).
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/indexing.h"
#include "catalog/partition.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "nodes/nodeFuncs.h"
#include "rewrite/rowsecurity.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "planner/check_expression.h"
#include "planner/parent_table.h"
#include "planner/policy_arms.h"

/* Codes of the policy of DELETE end in this. */
#define DELETE_ACTION ":delete"


/* What seeme.parent_has_permission() is in C: parent_rows.c says so. */
PGFunction	seeme_parent_function = NULL;

/* The function seeme.owns_child(), likewise. */
PGFunction	seeme_child_owner_function = NULL;

/* Whether a call asks for the owner of a row, with a parent or without. */
bool
seeme_is_owner_call(const FuncExpr *call)
{
	switch (seeme_owner_argument(call->args))
	{
		case SEEME_ARG_OWNER:
			return seeme_is_function(call->funcid, seeme_owns_row);
		case SEEME_OWNS_CHILD_OWNER:
			return seeme_is_function(call->funcid, seeme_child_owner_function);
		default:
			return false;
	}
}

/* All tables that a table is a partition of, or inherits from. */
List *
seeme_ancestors_of(Oid relid)
{
	Relation	inherits = table_open(InheritsRelationId, AccessShareLock);
	List	   *ancestors = list_make1_oid(relid);
	ListCell   *cell;

	foreach(cell, ancestors)
	{
		ScanKeyData key;
		SysScanDesc scan;
		HeapTuple	tuple;

		ScanKeyInit(&key, Anum_pg_inherits_inhrelid, BTEqualStrategyNumber, F_OIDEQ,
					ObjectIdGetDatum(lfirst_oid(cell)));
		scan = systable_beginscan(inherits, InheritsRelidSeqnoIndexId, true, NULL, 1, &key);
		while (HeapTupleIsValid(tuple = systable_getnext(scan)))
			ancestors = list_append_unique_oid(ancestors,
											   ((Form_pg_inherits) GETSTRUCT(tuple))->inhparent);
		systable_endscan(scan);
	}
	table_close(inherits, AccessShareLock);
	return list_delete_first(ancestors);
}

/* The condition of the policy of that name; NULL: there is none. It belongs to the relation. */
static Expr *
policy_condition(Relation table, const char *name)
{
	ListCell   *cell;

	if (table->rd_rsdesc == NULL)
		return NULL;
	foreach(cell, table->rd_rsdesc->policies)
	{
		RowSecurityPolicy *policy = lfirst(cell);

		if (strcmp(policy->policy_name, name) == 0 && !policy->hassublinks)
			return policy->qual;
	}
	return NULL;
}

static Datum
constant_argument(FuncExpr *call, int number)
{
	Const	   *argument = list_nth(call->args, number);

	if (!IsA(argument, Const) || argument->constisnull)
		elog(ERROR, "a policy calls parent_has_permission without a constant");
	return argument->constvalue;
}

/* Finds the first call of seeme.parent_has_permission() in a condition. */
bool
seeme_find_parent_call(Node *node, void *found)
{
	FuncExpr   *call = (FuncExpr *) node;

	if (node == NULL)
		return false;
	if (IsA(node, FuncExpr) && list_length(call->args) == SEEME_PARENT_NARGS &&
		seeme_is_own_function(call->funcid) &&
		seeme_is_function(call->funcid, seeme_parent_function))
	{
		*(FuncExpr **) found = call;
		return true;
	}
	return expression_tree_walker(node, seeme_find_parent_call, found);
}

/* The same of the policy of a table, which has to be open. */
static FuncExpr *
parent_call_of(Relation table)
{
	Expr	   *condition = policy_condition(table, "seeme_update");
	FuncExpr   *call = NULL;

	(void) seeme_find_parent_call((Node *) condition, &call);
	return call;
}

/*
 * The parent of a protected table, of its partition, or of a table that inherits from it; invalid:
 * it has none. Also the child's resource, the number of the column in the protected table, and that
 * table. Any of them may be NULL.
 */
Oid
seeme_parent_of(Oid child, char **resource, AttrNumber *column, Oid *relation)
{
	Oid			parent = InvalidOid;
	ListCell   *cell;
	List	   *tables = list_make1_oid(child);

	for (int i = 0; i < 2 && !OidIsValid(parent); i++)
	{
		/* Most tables are neither. */
		if (i == 1)
			tables = seeme_ancestors_of(child);
		foreach(cell, tables)
		{
			Relation	table = try_table_open(lfirst_oid(cell), AccessShareLock);
			FuncExpr   *call = table == NULL ? NULL : parent_call_of(table);

			if (call != NULL)
			{
				Var		   *var = list_nth(call->args, SEEME_ARG_KEY);
				char	   *code = TextDatumGetCString(constant_argument(call, 0));

				while (IsA(var, RelabelType))
					var = (Var *) ((RelabelType *) var)->arg;
				if (!IsA(var, Var) || strchr(code, ':') == NULL)
					elog(ERROR, "the policy of a table has another form");
				parent = DatumGetObjectId(constant_argument(call, SEEME_ARG_PARENT));
				if (resource != NULL)
					*resource = pnstrdup(code, strchr(code, ':') - code);
				if (column != NULL)
					*column = var->varattno;
				if (relation != NULL)
					*relation = RelationGetRelid(table);
			}
			if (table != NULL)
				table_close(table, NoLock);
			if (OidIsValid(parent))
				break;
		}
	}
	return parent;
}

/* Whether a permission is one on a resource. */
bool
seeme_is_code_of(const char *code, const char *resource)
{
	int			length = strlen(resource);

	return strncmp(code, resource, length) == 0 && code[length] == ':';
}

/* Puts another code into the calls of a copied policy of DELETE. */
static bool
replace_code(Node *node, char *code)
{
	if (node == NULL)
		return false;
	if (IsA(node, FuncExpr) && seeme_is_own_function(((FuncExpr *) node)->funcid))
	{
		FuncExpr   *call = (FuncExpr *) node;
		Const	   *first = call->args == NIL ? NULL : linitial(call->args);

		if (first != NULL && IsA(first, Const) && first->consttype == TEXTOID &&
			!first->constisnull)
		{
			char	   *old = TextDatumGetCString(first->constvalue);
			int			length = strlen(old);

			if (length > strlen(DELETE_ACTION) &&
				strcmp(old + length - strlen(DELETE_ACTION), DELETE_ACTION) == 0)
				first->constvalue = CStringGetTextDatum(code);
		}
	}
	return expression_tree_walker(node, replace_code, code);
}

/* A unique index on a column alone that the operator can search; invalid: there is none. */
static Oid
find_unique_index(Relation table, AttrNumber column, Oid equal)
{
	ListCell   *cell;
	Oid			found = InvalidOid;

	foreach(cell, RelationGetIndexList(table))
	{
		Relation	index = index_open(lfirst_oid(cell), AccessShareLock);
		Form_pg_index form = index->rd_index;

		if (form->indisunique && form->indisvalid && form->indisready && form->indimmediate &&
			form->indnkeyatts == 1 && form->indkey.values[0] == column &&
			heap_attisnull(index->rd_indextuple, Anum_pg_index_indpred, NULL) &&
			get_op_opfamily_strategy(equal, index->rd_opfamily[0]) == BTEqualStrategyNumber)
			found = lfirst_oid(cell);
		index_close(index, NoLock);
		if (OidIsValid(found))
			break;
	}
	return found;
}

/* Prepares the condition of a parent for the rows of one of its tables. */
void
seeme_prepare_parent_leaf(SeemeParent *parent, SeemeParentLeaf *leaf)
{
	ListCell   *cell;

	foreach(cell, leaf->calls)
	{
		List	   *arms = seeme_find_arms(lfirst(cell), 1);

		seeme_prepare_arms(arms);
		leaf->arms = list_concat(leaf->arms, arms);
		if (arms != NIL)
			continue;
		if (parent->estate == NULL)
			parent->estate = CreateExecutorState();
		leaf->others = lappend(leaf->others,
							   ExecPrepareExpr(lfirst(cell), parent->estate));
	}
}

/* The arms of a condition. */
static List *
calls_of(Expr *condition)
{
	return is_orclause(condition) ? ((BoolExpr *) condition)->args : list_make1(condition);
}

/* The condition of a parent for a code, for the rows of the parent or of a table below it. */
static Expr *
condition_for(Relation root, Relation table, const char *code)
{
	Expr	   *condition = policy_condition(root, "seeme_delete");

	if (condition == NULL)
		return NULL;
	condition = copyObject(condition);
	replace_code((Node *) condition, unconstify(char *, code));
	if (table != root)
		condition = linitial(map_partition_varattnos(list_make1(condition), 1, table, root));
	return condition;
}

/*
 * The arms of the condition of a parent, which is open, for a code; NIL: it is not protected. For
 * estimates.
 */
List *
seeme_conditions_of_parent(Relation table, const char *code)
{
	Expr	   *condition = condition_for(table, table, code);

	if (condition == NULL)
		return NIL;
	return calls_of(condition);
}

/* Adds a table with rows of the parent, if it has any. */
static void
add_leaf(SeemeParent *parent, Relation root, Oid relid, AttrNumber key, const char *code)
{
	Relation	table = table_open(relid, AccessShareLock);
	SeemeParentLeaf *leaf;

	if (table->rd_rel->relkind != RELKIND_RELATION)
	{
		table_close(table, NoLock);
		return;
	}
	leaf = palloc0(sizeof(SeemeParentLeaf));
	leaf->relid = relid;
	leaf->key = table == root ? key :
		get_attnum(relid, get_attname(RelationGetRelid(root), key, false));
	leaf->index = find_unique_index(table, leaf->key, parent->equal);
	if (!OidIsValid(leaf->index))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("table \"%s\" has no unique index on the key that its children refer to",
						RelationGetRelationName(table)),
				 errhint("SELECT * FROM seeme_security_report() as an administrator.")));
	leaf->calls = calls_of(condition_for(root, table, code));
	parent->leaves = lappend(parent->leaves, leaf);
	table_close(table, NoLock);
}

/*
 * Whether keys of a foreign key can be read, and compared with others by their bytes. seeme_protect
 * says so of the first foreign key. Whoever owns the table may exchange it.
 */
static bool
has_usable_keys(const SeemeParent *parent, Oid collation)
{
	Oid			types[2];

	op_input_types(parent->equal, &types[0], &types[1]);
	for (int i = 0; i < lengthof(types); i++)
		if (types[i] != UUIDOID && types[i] != INT2OID && types[i] != INT4OID &&
			types[i] != INT8OID && types[i] != TEXTOID)
			return false;
	return types[1] == (parent->key_type == VARCHAROID ? TEXTOID : parent->key_type) &&
		(!OidIsValid(collation) || get_collation_isdeterministic(collation));
}

/* Finds the key of the parent, and the operator, by the child's foreign key. */
static AttrNumber
find_key(SeemeParent *parent, Oid child, AttrNumber column)
{
	Relation	table = table_open(child, AccessShareLock);
	AttrNumber	key = InvalidAttrNumber;
	Oid			first = InvalidOid;
	Oid			type;
	Oid			collation;
	int32		typmod;
	ListCell   *cell;

	foreach(cell, RelationGetFKeyList(table))
	{
		ForeignKeyCacheInfo *found = lfirst(cell);

		/* The first one: whoever owns the table may add others, also by other keys. */
		if (found->confrelid != parent->relid || found->nkeys != 1 ||
			found->conkey[0] != column ||
			(key != InvalidAttrNumber && found->conoid > first))
			continue;
		first = found->conoid;
		key = found->confkey[0];
		parent->equal = found->conpfeqop[0];
		parent->key_type = getBaseType(TupleDescAttr(RelationGetDescr(table),
													 column - 1)->atttypid);
	}
	if (key == InvalidAttrNumber)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("table \"%s\" is protected by a foreign key that it does not have any more",
						RelationGetRelationName(table)),
				 errhint("Add the foreign key of its parent_column again, or call seeme_unprotect "
						 "and seeme_protect.")));
	get_atttypetypmodcoll(parent->relid, key, &type, &typmod, &collation);
	parent->own_key_type = getBaseType(type);
	if (!has_usable_keys(parent, collation))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("the foreign key of table \"%s\" refers to a key of another type",
						RelationGetRelationName(table)),
				 errhint("The parent_column of a protected table refers to a key of type uuid, "
						 "integer, bigint or text, as the column is.")));
	table_close(table, NoLock);
	return key;
}

/*
 * Describes the parent of a protected table, with its condition for a code, which is not prepared.
 * Allocates in the current memory context. The tables stay locked until the transaction ends.
 */
SeemeParent *
seeme_describe_parent(Oid child, Oid relid, const char *code)
{
	SeemeParent *parent = palloc0(sizeof(SeemeParent));
	char	   *resource = NULL;
	AttrNumber	column = InvalidAttrNumber;
	AttrNumber	key;
	Relation	table;

	parent->child = child;
	if (seeme_parent_of(child, &resource, &column, &parent->protected_child) != relid)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("this table is not the parent of that one")));
	parent->relid = relid;
	parent->is_code_of_child = seeme_is_code_of(code, resource);
	key = find_key(parent, parent->protected_child, column);
	table = table_open(relid, AccessShareLock);
	if (policy_condition(table, "seeme_delete") == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("the parent of a protected table, \"%s\", is not protected",
						RelationGetRelationName(table)),
				 errhint("SELECT * FROM seeme_security_report() as an administrator.")));
	if (table->rd_rel->relkind == RELKIND_PARTITIONED_TABLE)
	{
		ListCell   *cell;

		foreach(cell, find_all_inheritors(relid, AccessShareLock, NULL))
			add_leaf(parent, table, lfirst_oid(cell), key, code);
	}
	else
		add_leaf(parent, table, relid, key, code);
	table_close(table, NoLock);
	return parent;
}

/*
 * A parent for rows that are at hand: those of a table that is protected, of its partition, or of a
 * table that inherits from it.
 */
SeemeParent *
seeme_parent_by_itself(Relation relation, const char *code)
{
	SeemeParent *parent = palloc0(sizeof(SeemeParent));
	SeemeParentLeaf *leaf = palloc0(sizeof(SeemeParentLeaf));
	Expr	   *condition = condition_for(relation, relation, code);

	parent->relid = leaf->relid = RelationGetRelid(relation);
	if (condition == NULL)
	{
		ListCell   *cell;

		foreach(cell, seeme_ancestors_of(RelationGetRelid(relation)))
		{
			Relation	root = table_open(lfirst_oid(cell), AccessShareLock);

			condition = condition_for(root, relation, code);
			table_close(root, NoLock);
			if (condition != NULL)
				break;
		}
	}
	if (condition == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("table \"%s\" is not protected", RelationGetRelationName(relation)),
				 errhint("SELECT * FROM seeme_security_report() as an administrator.")));
	leaf->calls = calls_of(condition);
	parent->leaves = list_make1(leaf);
	seeme_prepare_parent_leaf(parent, leaf);
	return parent;
}
