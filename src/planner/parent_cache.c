/*
 * parent_cache.c: the parents of protected tables, as the session knows them.
 *
 * A statement that looks at comments needs to know what the catalog says of tickets: the foreign
 * key, the index, the policy. Each call site shares what an earlier one has found, and prepares the
 * condition for its own use.
 *
 * A description is valid while no table has been altered (seeme_relation_generation) and no
 * function (seeme_function_generation). The parent is locked before that is looked at, in the mode
 * that reading it takes. So nobody alters it until the transaction ends. The child is locked by
 * whoever reads it.
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
	MemoryContext context;		/* all of this is in it */
	int			users;			/* call sites that have a pointer to it */
	bool		is_replaced;	/* the last of them frees it */
	uint64		relations;		/* seeme_relation_generation when it was described */
	uint64		functions;		/* seeme_function_generation, likewise */
	char	   *code;
	SeemeParent *parent;		/* not prepared */
} KnownParent;

static KnownParent *known_parents[MAX_KNOWN_PARENTS];
static int	next_place = 0;		/* what is replaced next */

/* Copies a description, which is not prepared, into the current memory context. */
static SeemeParent *
copy_parent(const SeemeParent *parent, bool with_calls)
{
	SeemeParent *copy = palloc(sizeof(SeemeParent));
	ListCell   *cell;

	*copy = *parent;
	copy->leaves = NIL;
	foreach(cell, parent->leaves)
	{
		SeemeParentLeaf *leaf = palloc(sizeof(SeemeParentLeaf));

		*leaf = *(SeemeParentLeaf *) lfirst(cell);
		if (with_calls)
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

/* Where the parent of a table is, which has only one; NULL: it is not known. */
static KnownParent **
find_known(Oid child, const char *code)
{
	for (int i = 0; i < MAX_KNOWN_PARENTS && known_parents[i] != NULL; i++)
		if (known_parents[i]->parent->child == child && strcmp(known_parents[i]->code, code) == 0)
			return &known_parents[i];
	return NULL;
}

/* The same if it is valid. Then its tables are locked. */
static KnownParent *
find_valid(Oid child, const char *code)
{
	KnownParent **place = find_known(child, code);
	KnownParent *known;
	SeemeParent *parent;
	ListCell   *cell;

	if (place == NULL || !is_valid(*place))
		return NULL;
	/* A lock that is taken lets messages in. They only count. */
	known = *place;
	parent = known->parent;
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

/* Called when the memory of a call site is freed. */
static void
end_use(void *arg)
{
	KnownParent *known = arg;

	if (--known->users == 0 && known->is_replaced)
		MemoryContextDelete(known->context);
}

/* Shares a description, for as long as the current memory context lives. */
static SeemeParent *
share_parent(KnownParent *known)
{
	MemoryContextCallback *end = palloc(sizeof(MemoryContextCallback));

	end->func = end_use;
	end->arg = known;
	known->users++;
	MemoryContextRegisterResetCallback(CurrentMemoryContext, end);
	return copy_parent(known->parent, false);
}

/* Keeps a copy of a description. */
static void
remember_parent(const SeemeParent *parent, const char *code, uint64 relations, uint64 functions)
{
	KnownParent **place = find_known(parent->child, code);
	KnownParent *known;
	MemoryContext context;
	MemoryContext old;

	if (list_length(parent->leaves) > MAX_LEAVES)
		return;
	context = AllocSetContextCreate(CurrentMemoryContext, "seeme_rbac known parent",
									ALLOCSET_SMALL_SIZES);
	old = MemoryContextSwitchTo(context);
	known = palloc0(sizeof(KnownParent));
	known->context = context;
	known->relations = relations;
	known->functions = functions;
	known->code = pstrdup(code);
	known->parent = copy_parent(parent, true);
	MemoryContextSwitchTo(old);
	MemoryContextSetParent(context, TopMemoryContext);
	if (place == NULL)
	{
		place = &known_parents[next_place];
		next_place = (next_place + 1) % MAX_KNOWN_PARENTS;
	}
	if (*place != NULL)
	{
		(*place)->is_replaced = true;
		if ((*place)->users == 0)
			MemoryContextDelete((*place)->context);
	}
	*place = known;
}

/*
 * Finds the parent of a protected table, with its condition for a code. Allocates in the current
 * memory context. The parent stays locked until the transaction ends.
 */
SeemeParent *
seeme_find_parent(Oid child, Oid relid, const char *code)
{
	KnownParent *known = find_valid(child, code);
	SeemeParent *parent;
	ListCell   *cell;

	if (known != NULL && known->parent->relid == relid)
		parent = share_parent(known);
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
