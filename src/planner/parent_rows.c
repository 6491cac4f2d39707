/*
 * parent_rows.c: whether the asking person has a permission where a row's parent lies.
 *
 * This is the arm of a policy for the parent_column of seeme_protect. `parent_has_permission(
 * 'comments:read', comments, tickets, ticket_id)` is true if the ticket's own policy would be true
 * of it with the code comments:read. That policy may have such an arm again: the ticket's parent.
 *
 * The decisions of a call site are kept while nothing changes that they rest on: the snapshot, that
 * is what the tables look like to the statement; and the asking person's permissions, as at other
 * call sites (check.c). A parent's place is never kept for longer than that. Where many parents are
 * asked about, the whole parent table is read once.
 *
 * Owns the call sites, and their kind of arm. Decides nothing itself: the arms of the parent's
 * policy do.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "nodes/execnodes.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

#include "cache/cache.h"
#include "cache/effective_permissions.h"
#include "core/compat.h"
#include "core/invalidation.h"
#include "core/store.h"
#include "core/uuid_hash.h"
#include "core/version.h"
#include "functions/arguments.h"
#include "identity/identity.h"
#include "planner/parent_cache.h"
#include "planner/parent_list.h"
#include "planner/parent_read.h"
#include "planner/parent_rows.h"
#include "planner/policy_arms.h"

/* What is known of a parent. These are numbers of hash entries, where 0 is a free entry. */
#define HELD 1
#define NOT_HELD 2

/* Reading the whole parent is considered after every so many look-ups. */
#define LOOKUPS_CONSIDERED 16

/* One look-up costs as much as this many rows of a scan that decides them in blocks. */
#define ROWS_PER_LOOKUP 12

/* A scan that decides many rows at once is likely to come to most parents. */
#define ROWS_PER_LOOKUP_OF_SCAN 300

/* What an entry of the decisions takes at most, with the room that a hash table leaves free. */
#define BYTES_PER_DECISION (3 * sizeof(SeemeUuidHashEntry))

struct SeemeParentSite
{
	Oid			child;
	Oid			relid;
	char	   *code;

	/* What follows is of one snapshot, and lives in this memory context. */
	MemoryContext context;
	MemoryContext scratch;
	SeemeSnapshotState snapshot;
	SeemeParent *parent;		/* NULL: the site is not open */

	/* The decisions; while these match, they are valid: is_fresh(). */
	uint64		generation;		/* seeme_site_generation; 0: none is valid */
	bool		identity_is_set;
	const SeemeIdentity *identity;
	TimestampTz next_change;	/* the first date on which a decision may change */
	MemoryContext decisions_context;
	SeemeUuidHash decisions;
	uint32		nlookups;
	double		larger_than;	/* reading the whole parent failed at this many rows */
	bool		is_of_scan;		/* many rows are decided at once */
	bool		is_complete;	/* the permitted parents are known, as a set: */
	SeemeUuidSet permitted;
	uint64	   *bits;			/* or, of integer keys from 0 on, as a bit each */
	uint64		nbits;
};

/* Makes a call site. It lives in the memory context. */
SeemeParentSite *
seeme_make_parent_site(MemoryContext context, Oid child, Oid parent, const char *code)
{
	SeemeParentSite *site = MemoryContextAllocZero(context, sizeof(SeemeParentSite));

	site->child = child;
	site->relid = parent;
	site->code = MemoryContextStrdup(context, code);
	site->context = AllocSetContextCreate(context, "seeme_rbac parent", ALLOCSET_SMALL_SIZES);
	return site;
}

/* Opens a site, if it is not open for the snapshot that is active now. */
SeemeParent *
seeme_open_parent_site(SeemeParentSite *site)
{
	SeemeSnapshotState now;
	MemoryContext old;

	seeme_describe_snapshot(&now);
	if (site->parent != NULL && memcmp(&now, &site->snapshot, sizeof(now)) == 0)
		return site->parent;
	site->parent = NULL;
	site->generation = 0;
	site->scratch = site->decisions_context = NULL;
	MemoryContextReset(site->context);
	old = MemoryContextSwitchTo(site->context);
	site->nlookups = 0;
	check_stack_depth();
	site->parent = seeme_find_parent(site->child, site->relid, site->code);
	MemoryContextSwitchTo(old);
	site->snapshot = now;
	return site->parent;
}

/* Decisions */

static bool
is_fresh(const SeemeParentSite *site)
{
	return likely(site->generation == seeme_site_generation) &&
		(likely(site->identity_is_set) || site->identity == seeme_current_identity()) &&
		(likely(site->next_change == DT_NOEND) || !seeme_has_passed(site->next_change));
}

/* Forgets all decisions, and notes for how long the next ones are valid. */
static void
forget_decisions(SeemeParentSite *site)
{
	const SeemeIdentity *identity = seeme_current_identity();
	SeemeStore	store;
	uint64		generation;

	site->generation = 0;
	memset(&site->decisions, 0, sizeof(site->decisions));
	memset(&site->permitted, 0, sizeof(site->permitted));
	site->bits = NULL;
	site->is_complete = false;
	site->larger_than = 0;
	if (site->decisions_context == NULL)
		site->decisions_context = AllocSetContextCreate(site->context, "seeme_rbac decisions",
														ALLOCSET_DEFAULT_SIZES);
	MemoryContextReset(site->decisions_context);
	site->next_change = DT_NOEND;
	seeme_cache_open(&store);
	generation = seeme_cache_generation();
	if (identity != NULL)
	{
		SeemeCachedPrincipal *cached = seeme_get_cached_principal(&store, identity);

		site->next_change = identity->expires_at;
		if (cached != NULL)
			site->next_change = Min(site->next_change, cached->next_change);
	}
	seeme_store_close(&store);
	site->identity = identity;
	site->identity_is_set = seeme_identity_is_set();
	/* The dates of a principal that are found later move this generation. */
	site->generation = generation == seeme_generation ? seeme_site_generation : 0;
}

static bool
use_row(SeemeParentLeaf *leaf, TupleTableSlot *row, void *parent)
{
	return seeme_row_holds(parent, leaf, row);
}

/* Reads the row of a parent, and decides by it. */
static bool
look_up(SeemeParentSite *site, Datum key)
{
	MemoryContext old;
	bool		held;

	if (site->scratch == NULL)
		site->scratch = AllocSetContextCreate(site->context, "seeme_rbac parent row",
											  ALLOCSET_SMALL_SIZES);
	old = MemoryContextSwitchTo(site->scratch);
	held = seeme_use_parent(site->parent, key, use_row, site->parent);
	MemoryContextSwitchTo(old);
	MemoryContextReset(site->scratch);
	return held;
}

/* The permitted keys while the whole parent is read */
typedef struct Reading
{
	Oid			type;			/* of the parent's own key */
	Size		limit;			/* the memory that they may take */
	bool		is_whole;		/* false: there was no room for one of them */
	/* as ids */
	pg_uuid_t  *ids;
	Size		n;
	Size		size;
	/* or as bits */
	uint64	   *bits;
	Size		nwords;
} Reading;

/* The memory of an id: in the list that is read, and in the set that is made of it. */
#define BYTES_PER_ID (sizeof(pg_uuid_t) + sizeof(pg_uuid_t) * 3 / 2)

static bool
add_id(Datum key, void *context)
{
	Reading    *reading = context;

	reading->is_whole = (reading->n + 1) * BYTES_PER_ID <= reading->limit &&
		seeme_pack_parent_key(reading->type, key, &reading->ids[reading->n]);
	if (reading->is_whole && ++reading->n == reading->size)
	{
		reading->size *= 2;
		reading->ids = repalloc_huge(reading->ids, reading->size * sizeof(pg_uuid_t));
	}
	return reading->is_whole;
}

static bool
add_bit(Datum key, void *context)
{
	Reading    *reading = context;
	int64		integer;
	Size		word;

	if (!seeme_integer_of_key(reading->type, key, &integer) || integer < 0 ||
		(uint64) integer / 64 >= reading->limit / sizeof(uint64))
		return reading->is_whole = false;
	word = integer / 64;
	if (word >= reading->nwords)
	{
		Size		nwords = Min(Max(2 * reading->nwords, word + 1),
								 reading->limit / sizeof(uint64));

		reading->bits = repalloc_huge(reading->bits, nwords * sizeof(uint64));
		memset(reading->bits + reading->nwords, 0, (nwords - reading->nwords) * sizeof(uint64));
		reading->nwords = nwords;
	}
	reading->bits[word] |= UINT64CONST(1) << (integer % 64);
	return true;
}

/* Reads the permitted keys of the whole parent, as bits where that is possible. */
static void
read_whole_parent(SeemeParentSite *site, Reading *reading)
{
	int64		unused;

	reading->type = site->parent->own_key_type;
	reading->limit = get_hash_memory_limit();
	if (seeme_integer_of_key(reading->type, (Datum) 0, &unused))
	{
		reading->nwords = 1024;
		reading->bits = MemoryContextAllocZero(site->decisions_context,
											   reading->nwords * sizeof(uint64));
		reading->is_whole = true;
		(void) seeme_visit_whole_parent(site->parent, add_bit, reading);
		if (reading->is_whole)
			return;
		pfree(reading->bits);
		reading->bits = NULL;
	}
	reading->size = 1024;
	reading->ids = palloc(reading->size * sizeof(pg_uuid_t));
	reading->is_whole = true;
	(void) seeme_visit_whole_parent(site->parent, add_id, reading);
}

/*
 * Reads the whole parent, once that costs no more than the look-ups so far, or than those that a
 * scan of the children is going to make. In a serializable transaction it would conflict with every
 * writer of the parent.
 */
static void
consider_whole_parent(SeemeParentSite *site)
{
	Reading		reading = {0};
	double		rows;
	MemoryContext old;

	if (site->larger_than > 0 || IsolationIsSerializable())
		return;
	rows = seeme_estimate_parents(site->parent);
	if (rows > (double) site->nlookups * (site->is_of_scan ? ROWS_PER_LOOKUP_OF_SCAN
										  : ROWS_PER_LOOKUP))
		return;
	old = MemoryContextSwitchTo(site->scratch);
	read_whole_parent(site, &reading);
	if (!reading.is_whole)
		site->larger_than = rows;
	/* A right that changed meanwhile counts for the next row. */
	else if (site->generation == seeme_site_generation)
	{
		site->bits = reading.bits;
		site->nbits = reading.nwords * 64;
		if (reading.bits == NULL)
			seeme_uuid_set_fill(site->decisions_context, &site->permitted, reading.ids, reading.n);
		site->is_complete = true;
	}
	MemoryContextSwitchTo(old);
	MemoryContextReset(site->scratch);
}

/* Whether a key is one of the permitted ones, which are all known. */
static inline bool
is_permitted(const SeemeParentSite *site, Datum key, const pg_uuid_t *packed)
{
	int64		integer;

	if (site->bits == NULL)
		return seeme_uuid_set_contains(&site->permitted, packed);
	return seeme_integer_of_key(site->parent->key_type, key, &integer) &&
		(uint64) integer < site->nbits &&
		(site->bits[integer / 64] >> (integer % 64) & 1) != 0;
}

/* Whether the permitted parents are known as a set, or as single decisions; and are valid. */
bool
seeme_refresh_parent_site(SeemeParentSite *site)
{
	(void) seeme_open_parent_site(site);
	if (likely(is_fresh(site)))
		return true;
	forget_decisions(site);
	return false;
}

/* Decides by the row of a parent, and keeps the decision. */
static pg_noinline bool
look_up_and_keep(SeemeParentSite *site, Datum key, const pg_uuid_t *packed)
{
	bool		held = look_up(site, key);

	/* A right that changed meanwhile makes the decision too new for the others. */
	if (site->generation != seeme_site_generation)
		return held;
	if ((site->decisions.used + 1) * BYTES_PER_DECISION > get_hash_memory_limit())
	{
		memset(&site->decisions, 0, sizeof(site->decisions));
		MemoryContextReset(site->decisions_context);
	}
	seeme_uuid_hash_insert(site->decisions_context, &site->decisions, packed,
						   held ? HELD : NOT_HELD);
	if (++site->nlookups % LOOKUPS_CONSIDERED == 0)
		consider_whole_parent(site);
	return held;
}

/* Whether the asking person has the permission where the parent with this key lies. */
bool
seeme_parent_holds(SeemeParentSite *site, Datum key)
{
	bool		use_cache = seeme_accept_invalidations();
	SeemeUuidHashEntry *entry;
	pg_uuid_t	packed;

	(void) seeme_open_parent_site(site);

	/* Most statements ask once: nothing is prepared for another time, and memory is freed later. */
	if (site->nlookups == 0)
	{
		MemoryContext old = MemoryContextSwitchTo(site->context);
		bool		held = seeme_use_parent(site->parent, key, use_row, site->parent);

		MemoryContextSwitchTo(old);
		site->nlookups = 1;
		return held;
	}
	if (!use_cache || !seeme_pack_parent_key(site->parent->key_type, key, &packed))
		return look_up(site, key);
	if (unlikely(!is_fresh(site)))
		forget_decisions(site);
	if (site->is_complete)
		return is_permitted(site, key, &packed);
	entry = seeme_uuid_hash_find(&site->decisions, &packed);
	if (entry != NULL)
		return entry->number == HELD;
	return look_up_and_keep(site, key, &packed);
}

/* The SQL functions */

static void
refuse_code(const char *code)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("\"%s\" is not a permission on the rows of this table", code)));
}

/*
 * The code that a call asks for. It has to be one of the child's resource, since the answer tells
 * where a row of the parent lies.
 */
char *
seeme_parent_code_argument(FunctionCallInfo fcinfo, Oid child)
{
	char	   *code = seeme_code_argument(fcinfo, 0);
	char	   *resource = NULL;

	if (!OidIsValid(seeme_parent_of(child, &resource, NULL, NULL)) ||
		!seeme_is_code_of(code, resource))
		refuse_code(code);
	return code;
}

/* Opens the site of a call that anybody may make, for whom the same is true. */
SeemeParent *
seeme_open_parent_site_of_call(SeemeParentSite *site)
{
	SeemeParent *parent = seeme_open_parent_site(site);

	if (!parent->is_code_of_child)
		refuse_code(site->code);
	return parent;
}

/* The site of a call. The arguments of a policy's call are constants. */
static SeemeParentSite *
site_of(FunctionCallInfo fcinfo)
{
	SeemeParentSite *site = fcinfo->flinfo->fn_extra;
	Oid			child = PG_GETARG_OID(SEEME_ARG_CHILD);
	Oid			parent = PG_GETARG_OID(SEEME_ARG_PARENT);
	text	   *code = PG_GETARG_TEXT_PP(0);

	if (site == NULL || site->child != child || site->relid != parent ||
		strlen(site->code) != VARSIZE_ANY_EXHDR(code) ||
		memcmp(site->code, VARDATA_ANY(code), VARSIZE_ANY_EXHDR(code)) != 0)
		site = fcinfo->flinfo->fn_extra =
			seeme_make_parent_site(fcinfo->flinfo->fn_mcxt, child, parent,
								   seeme_code_argument(fcinfo, 0));
	return site;
}

/*
 * seeme.parent_has_permission(permission text, child regclass, parent regclass, key anyelement)
 * RETURNS boolean
 */
SEEME_FUNCTION(seeme_parent_has_permission, SEEME_PARENT_NARGS)
{
	SeemeParentSite *site;

	for (int i = 0; i < SEEME_PARENT_NARGS; i++)
		if (PG_ARGISNULL(i))
			PG_RETURN_BOOL(false);
	site = site_of(fcinfo);
	if (getBaseType(get_fn_expr_argtype(fcinfo->flinfo, SEEME_ARG_KEY)) !=
		seeme_open_parent_site_of_call(site)->key_type)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("the key is of type %s",
						format_type_be(site->parent->key_type))));
	PG_RETURN_BOOL(seeme_parent_holds(site, PG_GETARG_DATUM(SEEME_ARG_KEY)));
}

/*
 * Makes the latest state of all tables the active snapshot, with what the running statement itself
 * has done so far, where that is wanted. PopActiveSnapshot() ends it.
 */
void
seeme_push_latest_snapshot(bool own_changes)
{
	PushCopiedSnapshot(GetLatestSnapshot());
	if (own_changes)
		GetActiveSnapshot()->curcid = GetCurrentCommandId(false) + 1;
}

/* The arm of a policy */

/* Whether an expression is a policy's call of seeme.parent_has_permission() about a column. */
bool
seeme_is_parent_call(Node *expression, Index relid)
{
	List	   *arms;

	if (!IsA(expression, FuncExpr) ||
		list_length(((FuncExpr *) expression)->args) != SEEME_PARENT_NARGS)
		return false;
	arms = seeme_find_arms(expression, relid);
	return arms != NIL &&
		((SeemeArm *) linitial(arms))->kind->function == seeme_parent_has_permission;
}

static bool
is_parent_arm(FuncExpr *call, Index relid)
{
	Var		   *key = list_nth(call->args, SEEME_ARG_KEY);

	for (int i = 0; i < SEEME_ARG_KEY; i++)
	{
		Const	   *argument = list_nth(call->args, i);

		if (!IsA(argument, Const) || argument->constisnull)
			return false;
	}
	return IsA(key, Var) && key->varno == relid && key->varattno > 0 && key->varlevelsup == 0;
}

static void
prepare_parent_arm(SeemeArm *arm)
{
	Const	   *code = linitial(arm->call->args);
	Const	   *child = list_nth(arm->call->args, SEEME_ARG_CHILD);
	Const	   *parent = list_nth(arm->call->args, SEEME_ARG_PARENT);
	Var		   *key = list_nth(arm->call->args, SEEME_ARG_KEY);

	arm->columns[SEEME_ARG_KEY] = key->varattno;
	arm->site = seeme_make_parent_site(CurrentMemoryContext, DatumGetObjectId(child->constvalue),
									   DatumGetObjectId(parent->constvalue),
									   TextDatumGetCString(code->constvalue));
}

/* The same where the permitted parents are known. Fetches all cache lines before the first. */
static uint32
decide_by_set(SeemeArm *arm, SeemeRows *rows, uint32 undecided)
{
	SeemeParentSite *site = arm->site;
	pg_uuid_t	ids[SEEME_MAX_ROWS_AT_ONCE];
	uint8		row_of[SEEME_MAX_ROWS_AT_ONCE];
	int			n = 0;
	uint32		found = 0;

	while (undecided != 0)
	{
		int			row = seeme_take_row(&undecided);
		bool		isnull;
		Datum		key = heap_getattr(&rows->rows[row], arm->columns[SEEME_ARG_KEY],
									   rows->columns, &isnull);

		/* A key that cannot be packed is none of a parent: all of these could. */
		if (isnull)
			continue;
		if (site->bits != NULL)
		{
			found |= (uint32) is_permitted(site, key, NULL) << row;
			continue;
		}
		if (!seeme_pack_parent_key(site->parent->key_type, key, &ids[n]))
			continue;
		seeme_uuid_set_prefetch(&site->permitted, &ids[n]);
		row_of[n++] = row;
	}
	for (int i = 0; i < n; i++)
		found |= (uint32) seeme_uuid_set_contains(&site->permitted, &ids[i]) << row_of[i];
	return found;
}

static uint32
decide_by_parent(SeemeArm *arm, SeemeRows *rows, uint32 undecided)
{
	SeemeParentSite *site = arm->site;
	uint32		found = 0;

	if (rows->n > 1)
	{
		site->is_of_scan = true;
		if (seeme_accept_invalidations() && seeme_refresh_parent_site(site) && site->is_complete)
			return decide_by_set(arm, rows, undecided);
	}
	while (undecided != 0)
	{
		int			row = seeme_take_row(&undecided);
		bool		isnull;
		Datum		key = heap_getattr(&rows->rows[row], arm->columns[SEEME_ARG_KEY],
									   rows->columns, &isnull);

		if (!isnull && seeme_parent_holds(arm->site, key))
			found |= UINT32_C(1) << row;
	}
	return found;
}

static bool
is_exact_parent(FuncExpr *call)
{
	return true;
}

static const SeemeArmKind parent_arm = {
	.function = seeme_parent_has_permission,
	.nargs = SEEME_PARENT_NARGS,
	.is_arm = is_parent_arm,
	.prepare = prepare_parent_arm,
	.decide = decide_by_parent,
	.is_exact = is_exact_parent,
};

void
seeme_parent_arm_init(void)
{
	seeme_parent_function = seeme_parent_has_permission;
	seeme_add_arm_kind(&parent_arm);
}
