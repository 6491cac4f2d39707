/*
 * code_bits.h: registered permission codes as bits: bit n stands for the code with number n.
 *
 * The number of words is seeme_cache_nwords(). It changes only when the vocabulary is forgotten.
 */
#ifndef SEEME_CACHE_CODE_BITS_H
#define SEEME_CACHE_CODE_BITS_H

#include "postgres.h"

#include "cache/cache.h"
#include "core/codes.h"

static inline bool
has_bit(const uint64 *words, int bit)
{
	return (words[bit / 64] >> (bit % 64) & 1) != 0;
}

static inline void
add_bit(uint64 *words, int bit)
{
	words[bit / 64] |= UINT64CONST(1) << (bit % 64);
}

static inline void
add_words(uint64 *words, const uint64 *added)
{
	for (int i = 0; i < seeme_cache_nwords(); i++)
		words[i] |= added[i];
}

/* Adds the registered codes that some entries of a role or key cover. */
static inline void
add_covered_codes(uint64 *words, int nentries, char **entries)
{
	for (int i = 0; i < seeme_cache_ncodes(); i++)
		if (seeme_covering_entry(nentries, entries, seeme_cache_code(i)) != NULL)
			add_bit(words, i);
}

#endif							/* SEEME_CACHE_CODE_BITS_H */
