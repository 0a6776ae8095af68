/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A set of small numbers, as bits: see frame_set.h.
 */
#include "kernel/frame_set.h"

#include <string.h>

#include "host/memory.h"

#define WORD KMEM_FRAME_SET_WORD

static size_t words_of(size_t bits)
{
	return (bits + WORD - 1) / WORD;
}

/* Words of all levels. */
static size_t words_total(size_t size)
{
	size_t words = words_of(size);
	size_t total = words;

	while (words > 1) {
		words = words_of(words);
		total += words;
	}
	return total;
}

static size_t bytes(size_t size)
{
	return kmem_host_page_round(words_total(size) * sizeof(uint64_t));
}

int kmem_frame_set_init(struct kmem_frame_set *set, size_t size)
{
	size_t words = words_of(size);
	void *memory;
	uint64_t *at;
	int ret = kmem_host_memory_get(&memory, bytes(size));

	if (ret != 0) {
		return ret;
	}
	at = memory;
	*set = (struct kmem_frame_set){.size = size};
	for (;;) {
		set->level[set->levels++] = at;
		if (words == 1) {
			return 0;
		}
		at += words;
		words = words_of(words);
	}
}

void kmem_frame_set_finish(struct kmem_frame_set *set)
{
	if (set->levels != 0) {
		kmem_host_memory_free(set->level[0], bytes(set->size));
	}
	memset(set, 0, sizeof(*set));
}

void kmem_frame_set_add(struct kmem_frame_set *set, size_t number)
{
	for (unsigned int i = 0; i < set->levels; i++) {
		uint64_t *word = &set->level[i][number / WORD];
		bool was_empty = *word == 0;

		*word |= 1ULL << (number % WORD);
		if (!was_empty) {
			return;
		}
		number /= WORD;
	}
}

void kmem_frame_set_remove(struct kmem_frame_set *set, size_t number)
{
	for (unsigned int i = 0; i < set->levels; i++) {
		uint64_t *word = &set->level[i][number / WORD];

		*word &= ~(1ULL << (number % WORD));
		if (*word != 0) {
			return;
		}
		number /= WORD;
	}
}

/* The smallest number below bit `bit` of a level. */
static size_t descend(const struct kmem_frame_set *set, unsigned int level, size_t bit)
{
	while (level > 0) {
		level--;
		bit = bit * WORD + (size_t)__builtin_ctzll(set->level[level][bit]);
	}
	return bit;
}

size_t kmem_frame_set_next(const struct kmem_frame_set *set, size_t from)
{
	size_t bits = set->size;

	for (unsigned int i = 0; i < set->levels && from < bits; i++) {
		uint64_t word = set->level[i][from / WORD] >> (from % WORD);

		if (word != 0) {
			return descend(set, i, from + (size_t)__builtin_ctzll(word));
		}
		/* Nothing in this word: look from the next one on, a level above. */
		from = from / WORD + 1;
		bits = words_of(bits);
	}
	return set->size;
}

bool kmem_frame_set_is_valid(const struct kmem_frame_set *set)
{
	size_t words = words_of(set->size);

	for (unsigned int i = 0; i + 1 < set->levels; i++) {
		for (size_t n = 0; n < words; n++) {
			bool is_told = (set->level[i + 1][n / WORD] >> (n % WORD) & 1) != 0;

			if (is_told != (set->level[i][n] != 0)) {
				return false;
			}
		}
		words = words_of(words);
	}
	return true;
}
