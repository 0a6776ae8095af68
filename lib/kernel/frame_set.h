/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A set of small numbers, as bits: put in, take out and look up in constant time, find the next one in the time of a few words.
 *
 * Level 0 has a bit for each number, every level above a bit for each word of the one below: whether there is anything in it. The topmost
 * one is a single word. A number costs 1 + 1/64 + 1/4096 + ... bits. Not locked.
 */
#ifndef KMEM_KERNEL_FRAME_SET_H
#define KMEM_KERNEL_FRAME_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KMEM_FRAME_SET_WORD 64

/* 64 to the power of this is more than any address space has pages. */
#define KMEM_FRAME_SET_LEVELS 9

struct kmem_frame_set {
	size_t size; /* numbers are below */
	unsigned int levels;
	uint64_t *level[KMEM_FRAME_SET_LEVELS];
};

/* An empty set of numbers below size, which is not 0. 0 or -errno. A zeroed set may be finished. */
int kmem_frame_set_init(struct kmem_frame_set *set, size_t size);
void kmem_frame_set_finish(struct kmem_frame_set *set);

void kmem_frame_set_add(struct kmem_frame_set *set, size_t number);
void kmem_frame_set_remove(struct kmem_frame_set *set, size_t number);

static inline bool kmem_frame_set_has(const struct kmem_frame_set *set, size_t number)
{
	return (set->level[0][number / KMEM_FRAME_SET_WORD] >> (number % KMEM_FRAME_SET_WORD) & 1) != 0;
}

/* The bits of 64 numbers from `word` times 64 on. */
static inline uint64_t kmem_frame_set_word(const struct kmem_frame_set *set, size_t word)
{
	return set->level[0][word];
}

/* The smallest number in the set that is not below `from`; size if there is none. */
size_t kmem_frame_set_next(const struct kmem_frame_set *set, size_t from);

/* Whether the levels say the same. */
bool kmem_frame_set_is_valid(const struct kmem_frame_set *set);

#endif /* KMEM_KERNEL_FRAME_SET_H */
