/*
 * ids.c: ids and what goes with them, found fast: hash tables with open addressing.
 *
 * Owns nothing but the random factors of the hash; whose memory it is, says the caller.
 */
#include "postgres.h"

#include "port/pg_bitutils.h"
#include "utils/memutils.h"

#include "ids.h"

uint64		seeme_hash_factors[2];

/* Before the first of them is made. */
void
seeme_ids_init(void)
{
	if (!pg_strong_random(seeme_hash_factors, sizeof(seeme_hash_factors)))
		ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR),
				 errmsg("could not generate random bits")));
	seeme_hash_factors[0] |= 1;
	seeme_hash_factors[1] |= 1;
}

static void
put_slot(SeemeSlots *table, const pg_uuid_t *id, uint32 number)
{
	uint64		words[2];
	uint32		i;

	memcpy(words, id, sizeof(words));
	i = (words[0] * seeme_hash_factors[0] + words[1] * seeme_hash_factors[1]) >> table->shift;
	while (table->slots[i].number != 0)
		i = (i + 1) & table->mask;
	table->slots[i].id = *id;
	table->slots[i].number = number;
}

/* Adds an id that is not there yet. */
void
seeme_slots_add(MemoryContext context, SeemeSlots *table, const pg_uuid_t *id, uint32 number)
{
	if (table->slots == NULL || (table->used + 1) * 3 > (table->mask + 1) * 2)
	{
		SeemeSlots	grown = *table;
		uint32		size = table->slots == NULL ? 16 : (table->mask + 1) * 2;

		grown.slots = MemoryContextAllocExtended(context, sizeof(SeemeSlot) * size, MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
		grown.mask = size - 1;
		grown.shift = 64 - pg_leftmost_one_pos32(size);
		if (table->slots != NULL)
		{
			for (uint32 i = 0; i <= table->mask; i++)
				if (table->slots[i].number != 0)
					put_slot(&grown, &table->slots[i].id, table->slots[i].number);
			pfree(table->slots);
		}
		*table = grown;
	}
	put_slot(table, id, number);
	table->used++;
}

static void
put_id(SeemeIds *ids, const pg_uuid_t *id)
{
	uint64		words[2];
	uint64		i;

	memcpy(words, id, sizeof(words));
	if ((words[0] | words[1]) == 0)
	{
		ids->has_zero = true;
		return;
	}
	i = seeme_ids_line(ids, words[0], words[1]);
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

/* Two thirds full. */
void
seeme_ids_fill(MemoryContext context, SeemeIds *ids, const pg_uuid_t *values, int n)
{
	Size		line_size = sizeof(uint64) * SEEME_WORDS_PER_LINE;

	ids->n = n;
	ids->has_zero = false;
	ids->nlines = (uint32) ((int64) n * 3 / (SEEME_IDS_PER_LINE * 2)) + 1;
	ids->memory = MemoryContextAllocExtended(context, line_size * ((Size) ids->nlines + 1), MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	ids->lines = (uint64 *) TYPEALIGN(line_size, ids->memory);
	for (int i = 0; i < n; i++)
		put_id(ids, &values[i]);
}

void
seeme_ids_free(SeemeIds *ids)
{
	pfree(ids->memory);
	memset(ids, 0, sizeof(*ids));
}

/* All of them, in no order, put where there is room for as many; how many. */
int
seeme_ids_list(const SeemeIds *ids, pg_uuid_t *values)
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
