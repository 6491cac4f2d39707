/*
 * uuid_hash.c: hash tables and hash sets of UUIDs, with open addressing.
 *
 * Owns the random keys of the hash. Memory belongs to the caller.
 */
#include "postgres.h"

#include "port/pg_bitutils.h"
#include "utils/memutils.h"

#include "core/uuid_hash.h"

uint64		seeme_hash_keys[2] = {0};

/* Call this before adding to a new table. */
void
seeme_hash_init(void)
{
	uint64		keys[2];

	if (likely(seeme_hash_keys[0] != 0))
		return;
	if (!pg_strong_random(keys, sizeof(keys)))
		ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR),
				 errmsg("could not generate random bits")));
	seeme_hash_keys[0] = keys[0] | 1;
	seeme_hash_keys[1] = keys[1] | 1;
}

static void
put_entry(SeemeUuidHash *table, const pg_uuid_t *id, uint32 number)
{
	uint64		words[2];
	uint32		i;

	memcpy(words, id, sizeof(words));
	i = seeme_hash_words(words[0], words[1]) >> table->shift;
	while (table->entries[i].number != 0)
		i = (i + 1) & table->mask;
	table->entries[i].id = *id;
	table->entries[i].number = number;
}

/* The size of a table after one more insertion. */
static Size
size_after_next(const SeemeUuidHash *table)
{
	if (table->entries == NULL)
		return 16;
	return ((uint64) table->used + 1) * 3 > ((uint64) table->mask + 1) * 2
		? ((Size) table->mask + 1) * 2
		: (Size) table->mask + 1;
}

/* How much memory the next insertion takes; 0 for most of them. */
Size
seeme_uuid_hash_growth(const SeemeUuidHash *table)
{
	Size		size = size_after_next(table);

	return table->entries != NULL && size == (Size) table->mask + 1
		? 0
		: sizeof(SeemeUuidHashEntry) * size;
}

/* Inserts an id that is not there yet. */
void
seeme_uuid_hash_insert(MemoryContext context, SeemeUuidHash *table, const pg_uuid_t *id,
					   uint32 number)
{
	if (seeme_uuid_hash_growth(table) > 0)
	{
		SeemeUuidHash grown = *table;
		Size		size = size_after_next(table);

		if (size > (Size) PG_UINT32_MAX / 2)
			ereport(ERROR,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("too many ids for one table in memory")));
		seeme_hash_init();
		grown.entries = MemoryContextAllocExtended(context, sizeof(SeemeUuidHashEntry) * size,
												   MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
		grown.mask = size - 1;
		grown.shift = 64 - pg_leftmost_one_pos32((uint32) size);
		if (table->entries != NULL)
		{
			for (uint32 i = 0; i <= table->mask; i++)
				if (table->entries[i].number != 0)
					put_entry(&grown, &table->entries[i].id, table->entries[i].number);
			pfree(table->entries);
		}
		*table = grown;
	}
	put_entry(table, id, number);
	table->used++;
}

/* Inserts an id unless it is there, for a table that is a set: the numbers mean nothing. */
void
seeme_uuid_hash_add(MemoryContext context, SeemeUuidHash *table, const pg_uuid_t *id)
{
	if (seeme_uuid_hash_find(table, id) == NULL)
		seeme_uuid_hash_insert(context, table, id, 1);
}

/* Lists all ids, in no order, palloc'd. Returns how many. */
int
seeme_uuid_hash_list(const SeemeUuidHash *table, pg_uuid_t **ids)
{
	int			n = 0;

	*ids = palloc_extended(sizeof(pg_uuid_t) * Max((Size) table->used, 1), MCXT_ALLOC_HUGE);
	for (uint32 i = 0; table->entries != NULL && i <= table->mask; i++)
		if (table->entries[i].number != 0)
			(*ids)[n++] = table->entries[i].id;
	return n;
}

static void
put_id(SeemeUuidSet *ids, const pg_uuid_t *id)
{
	uint64		words[2];
	uint64		i;

	memcpy(words, id, sizeof(words));
	if ((words[0] | words[1]) == 0)
	{
		ids->has_zero = true;
		return;
	}
	i = seeme_uuid_set_line(ids, words[0], words[1]);
	for (;; i = i + 1 == ids->nlines ? 0 : i + 1)
	{
		uint64	   *line = ids->lines + i * SEEME_WORDS_PER_LINE;

		for (int place = 0; place < SEEME_WORDS_PER_LINE; place += 2)
			if ((line[place] | line[place + 1]) == 0)
			{
				memcpy(line + place, words, sizeof(words));
				return;
			}
	}
}

/* At most two thirds full. */
static uint32
lines_of(int n)
{
	return (uint32) ((int64) n * 3 / (SEEME_UUIDS_PER_LINE * 2)) + 1;
}

/* How much memory a set of n ids takes. */
Size
seeme_uuid_set_size(int n)
{
	return sizeof(uint64) * SEEME_WORDS_PER_LINE * ((Size) lines_of(n) + 1);
}

void
seeme_uuid_set_fill(MemoryContext context, SeemeUuidSet *ids, const pg_uuid_t *values, int n)
{
	Size		line_size = sizeof(uint64) * SEEME_WORDS_PER_LINE;

	seeme_hash_init();
	ids->n = n;
	ids->has_zero = false;
	ids->nlines = lines_of(n);
	ids->memory = MemoryContextAllocExtended(context, seeme_uuid_set_size(n),
											 MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	ids->lines = (uint64 *) TYPEALIGN(line_size, ids->memory);
	for (int i = 0; i < n; i++)
		put_id(ids, &values[i]);
}

void
seeme_uuid_set_free(SeemeUuidSet *ids)
{
	pfree(ids->memory);
	memset(ids, 0, sizeof(*ids));
}

/* Lists all ids, in no order, into an array with room for them. Returns how many. */
int
seeme_uuid_set_list(const SeemeUuidSet *ids, pg_uuid_t *values)
{
	static const pg_uuid_t zero = {{0}};
	int			n = 0;

	if (ids->has_zero)
		values[n++] = zero;
	for (Size place = 0; place < (Size) ids->nlines * SEEME_WORDS_PER_LINE; place += 2)
		if ((ids->lines[place] | ids->lines[place + 1]) != 0)
			memcpy(&values[n++], &ids->lines[place], sizeof(pg_uuid_t));
	return n;
}
