/* uuid_hash.h: hash tables and hash sets of UUIDs. */
#ifndef SEEME_CORE_UUID_HASH_H
#define SEEME_CORE_UUID_HASH_H

#include "postgres.h"

#include "utils/uuid.h"

static inline bool
seeme_uuid_equal(const pg_uuid_t *a, const pg_uuid_t *b)
{
	return memcmp(a->data, b->data, UUID_LEN) == 0;
}

#pragma GCC visibility push(hidden)

/* Random, so that nobody can choose ids that collide; 0 until the first insertion. */
extern uint64 seeme_hash_keys[2];

/* A UUID with a number; number 0: a free entry. */
typedef struct SeemeUuidHashEntry
{
	pg_uuid_t	id;
	uint32		number;
} SeemeUuidHashEntry;

/* Open addressing with linear probing, at most two thirds full. */
typedef struct SeemeUuidHash
{
	SeemeUuidHashEntry *entries;
	int			shift;			/* 64 - log2 of the size */
	uint32		mask;
	uint32		used;
} SeemeUuidHash;

/*
 * A set of ids, for wide scans. Four ids share a cache line, and most look-ups touch one line
 * only. If the last place of a line is free, no id has overflowed into the next line.
 */
typedef struct SeemeUuidSet
{
	int			n;
	bool		has_zero;		/* the id of zeroes, which also marks free places, is in the set */
	uint32		nlines;
	uint64	   *lines;
	void	   *memory;			/* the lines begin here, at the next multiple of their size */
} SeemeUuidSet;

#define SEEME_UUIDS_PER_LINE 4
#define SEEME_WORDS_PER_LINE (SEEME_UUIDS_PER_LINE * 2)

extern void seeme_hash_init(void);
extern Size seeme_uuid_hash_growth(const SeemeUuidHash *table);
extern void seeme_uuid_hash_insert(MemoryContext context, SeemeUuidHash *table,
								   const pg_uuid_t *id, uint32 number);
extern void seeme_uuid_hash_add(MemoryContext context, SeemeUuidHash *table,
								const pg_uuid_t *id);
extern int	seeme_uuid_hash_list(const SeemeUuidHash *table, pg_uuid_t **ids);
extern Size seeme_uuid_set_size(int n);
extern void seeme_uuid_set_fill(MemoryContext context, SeemeUuidSet *ids, const pg_uuid_t *values,
								int n);
extern void seeme_uuid_set_free(SeemeUuidSet *ids);
extern int	seeme_uuid_set_list(const SeemeUuidSet *ids, pg_uuid_t *values);

/*
 * Hashes two words: their product under secret keys, folded. A sum of products would be weak: for
 * words that differ only in their highest bits, products with any factor differ only there, and
 * ids can be chosen so.
 */
static inline uint64
seeme_hash_words(uint64 a, uint64 b)
{
#ifdef HAVE_INT128
	uint128		product = (uint128) (a ^ seeme_hash_keys[0]) * (b ^ seeme_hash_keys[1]);

	return (uint64) (product >> 64) ^ (uint64) product;
#else
	uint64		hash = (a ^ seeme_hash_keys[0]) * UINT64CONST(0x9E3779B97F4A7C15);

	hash = (hash ^ (hash >> 32) ^ b) * (seeme_hash_keys[1] | 1);
	return (hash ^ (hash >> 32)) * UINT64CONST(0x9E3779B97F4A7C15);
#endif
}

/* Finds an id; NULL: it is not there. */
static inline SeemeUuidHashEntry *
seeme_uuid_hash_find(const SeemeUuidHash *table, const pg_uuid_t *id)
{
	uint64		words[2];
	uint32		i;

	if (table->entries == NULL)
		return NULL;
	memcpy(words, id, sizeof(words));
	i = seeme_hash_words(words[0], words[1]) >> table->shift;
	for (;;)
	{
		SeemeUuidHashEntry *entry = &table->entries[i];
		uint64		found[2];

		if (entry->number == 0)
			return NULL;
		memcpy(found, &entry->id, sizeof(found));
		if (found[0] == words[0] && found[1] == words[1])
			return entry;
		i = (i + 1) & table->mask;
	}
}

/* The line where the search for an id begins. */
static inline uint64
seeme_uuid_set_line(const SeemeUuidSet *ids, uint64 a, uint64 b)
{
	return (seeme_hash_words(a, b) >> 32) * ids->nlines >> 32;
}

/* Prefetches the line of an id. */
static inline void
seeme_uuid_set_prefetch(const SeemeUuidSet *ids, const pg_uuid_t *id)
{
	uint64		words[2];

	memcpy(words, id, sizeof(words));
	__builtin_prefetch(ids->lines +
					   seeme_uuid_set_line(ids, words[0], words[1]) * SEEME_WORDS_PER_LINE);
}

/* Whether an id is in the set. */
static inline bool
seeme_uuid_set_contains(const SeemeUuidSet *ids, const pg_uuid_t *id)
{
	uint64		words[2];
	uint64		a;
	uint64		b;
	uint64		i;

	memcpy(words, id, sizeof(words));
	a = words[0];
	b = words[1];
	if (unlikely((a | b) == 0))
		return ids->has_zero;
	i = seeme_uuid_set_line(ids, a, b);
	for (;;)
	{
		const uint64 *line = ids->lines + i * SEEME_WORDS_PER_LINE;

		/* Nobody can predict the place in the line, so all four are compared with one branch. */
		if ((((line[0] ^ a) | (line[1] ^ b)) == 0) | (((line[2] ^ a) | (line[3] ^ b)) == 0) |
			(((line[4] ^ a) | (line[5] ^ b)) == 0) | (((line[6] ^ a) | (line[7] ^ b)) == 0))
			return true;
		if ((line[6] | line[7]) == 0)
			return false;
		if (++i == ids->nlines)
			i = 0;
	}
}

#pragma GCC visibility pop

#endif							/* SEEME_CORE_UUID_HASH_H */
