/*
 * parent_cache.c: the parents of protected tables, as the session knows them.
 *
 * A statement that looks at comments needs to know what the catalog says of tickets: the foreign
 * key, the index, the policy. Each call site gets a copy of what an earlier one has found, since it
 * prepares the condition for its own use.
 *
 * A description is valid while no table has been altered (seeme_relation_generation) and no
 * function (seeme_function_generation). The tables are locked before that is looked at, in the mode
 * that reading them takes. So nobody alters them until the transaction ends.
 *
 * Owns the descriptions. Must not keep a row of a table, a decision, or anything of an identity.
 */
#include "postgres.h"

#include "storage/lmgr.h"
#include "utils/memutils.h"

#include "core/invalidation.h"
#include "planner/parent_cache.h"

/* So many are kept: a table with a parent takes one for each code that is asked about. */
#define MAX_KNOWN_PARENTS 32

/* A parent with more partitions is described anew each time. */
#define MAX_LEAVES 64

typedef struct KnownParent
{
	MemoryContext context;		/* NULL: the entry is free */
	uint64		relations;		/* seeme_relation_generation when it was described */
	uint64		functions;		/* seeme_function_generation, likewise */
	char	   *code;
	SeemeParent *parent;		/* not prepared */
} KnownParent;

static KnownParent known_parents[MAX_KNOWN_PARENTS];
static int	next_entry = 0;		/* what is replaced next */

/* Copies a description, which is not prepared, into the current memory context. */
static SeemeParent *
copy_parent(const SeemeParent *parent)
{
	SeemeParent *copy = palloc(sizeof(SeemeParent));
	ListCell   *cell;

	*copy = *parent;
	copy->leaves = NIL;
	foreach(cell, parent->leaves)
	{
		SeemeParentLeaf *leaf = palloc(sizeof(SeemeParentLeaf));

		*leaf = *(SeemeParentLeaf *) lfirst(cell);
		leaf->calls = copyObject(leaf->calls);
		copy->leaves = lappend(copy->leaves, leaf);
	}
	return copy;
}

static inline bool
is_valid(const KnownParent *known)
{
	return known->relations == seeme_relation_generation &&
		known->functions == seeme_function_generation;
}

/* The entry about the parent of a table, which has only one; NULL: there is none. */
static KnownParent *
find_entry(Oid child, const char *code)
{
	for (int i = 0; i < MAX_KNOWN_PARENTS && known_parents[i].context != NULL; i++)
		if (known_parents[i].parent->child == child && strcmp(known_parents[i].code, code) == 0)
			return &known_parents[i];
	return NULL;
}

/* The same if it is valid. Then its tables are locked. */
static KnownParent *
find_valid_entry(Oid child, const char *code)
{
	KnownParent *known = find_entry(child, code);
	SeemeParent *parent;
	ListCell   *cell;

	if (known == NULL || !is_valid(known))
		return NULL;
	/* A lock that is taken lets messages in. They make the entry invalid, but do not free it. */
	parent = known->parent;
	LockRelationOid(child, AccessShareLock);
	if (parent->protected_child != child)
		LockRelationOid(parent->protected_child, AccessShareLock);
	LockRelationOid(parent->relid, AccessShareLock);
	foreach(cell, parent->leaves)
	{
		SeemeParentLeaf *leaf = lfirst(cell);

		if (leaf->relid != parent->relid)
			LockRelationOid(leaf->relid, AccessShareLock);
	}
	return is_valid(known) ? known : NULL;
}

/* Keeps a copy of a description. */
static void
remember_parent(const SeemeParent *parent, const char *code, uint64 relations, uint64 functions)
{
	KnownParent *known = find_entry(parent->child, code);
	KnownParent now = {.relations = relations, .functions = functions};
	MemoryContext old;

	if (list_length(parent->leaves) > MAX_LEAVES)
		return;
	now.context = AllocSetContextCreate(CurrentMemoryContext, "seeme_rbac known parent",
										ALLOCSET_SMALL_SIZES);
	old = MemoryContextSwitchTo(now.context);
	now.code = pstrdup(code);
	now.parent = copy_parent(parent);
	MemoryContextSwitchTo(old);
	MemoryContextSetParent(now.context, TopMemoryContext);
	if (known == NULL)
	{
		known = &known_parents[next_entry];
		next_entry = (next_entry + 1) % MAX_KNOWN_PARENTS;
	}
	if (known->context != NULL)
		MemoryContextDelete(known->context);
	*known = now;
}

/*
 * Finds the parent of a protected table, with its condition for a code. Allocates in the current
 * memory context. The tables stay locked until the transaction ends.
 */
SeemeParent *
seeme_find_parent(Oid child, Oid relid, const char *code)
{
	KnownParent *known = find_valid_entry(child, code);
	SeemeParent *parent;
	ListCell   *cell;

	if (known != NULL && known->parent->relid == relid)
		parent = copy_parent(known->parent);
	else
	{
		uint64		relations = seeme_relation_generation;
		uint64		functions = seeme_function_generation;

		parent = seeme_describe_parent(child, relid, code);
		remember_parent(parent, code, relations, functions);
	}
	foreach(cell, parent->leaves)
		seeme_prepare_parent_leaf(parent, lfirst(cell));
	return parent;
}

/*
 * Whether the parent of a table is known, and the code is one of the table's resource. False: that
 * has to be found out.
 */
bool
seeme_is_known_code_of_child(Oid child, const char *code)
{
	KnownParent *known = find_valid_entry(child, code);

	return known != NULL && known->parent->is_code_of_child;
}
