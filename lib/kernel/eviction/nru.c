/* SPDX-License-Identifier: Apache-2.0 */
/*
 * NRU, not recently used: a tick takes ACCESSED off every page, and the victim is, from one after the previous victim
 * on, the first frame of the lowest class: neither accessed nor dirty, dirty, accessed, both. (Zephyr: eviction interface)
 *
 * There is no timer. A tick is due a period after the end of the previous one, and what is due is made up for in select
 * and accessed. Time counts from the first selection: before frames run out it is of no use to know what was accessed.
 * It counts from the end of a tick so that the page just accessed, which loses ACCESSED with the others, is accessed
 * again before the next one however long ticks take.
 *
 * Every class is a bitmap of frames. The flags of a page change in traps, which call accessed, and in ticks; but the
 * core may take ACCESSED off all pages without a word, when the host is short of mappings. Hence a candidate's flags
 * are read before it is returned, and if they have changed so are those of all frames, once.
 */
#include "kernel/eviction.h"

#include "host/clock.h"
#include "host/memory.h"

#define NS_PER_MS 1000000U
#define WORD_BITS 64U

/* Bits of a class, and the number of classes. */
#define CLASS_DIRTY 1U
#define CLASS_ACCESSED 2U
#define CLASSES 4U

struct nru {
	struct kmem_frames frames;
	size_t bytes; /* of this table */
	uint64_t period_ns;
	uint64_t tick_ns;       /* end of the last tick */
	bool has_begun;         /* the first selection was made */
	size_t next;            /* frame after the previous victim; may be the one after the last */
	size_t counts[CLASSES]; /* frames in a class */
	size_t words;           /* in a bitmap */
	uint64_t bits[];        /* a bitmap for each class, one after the other */
};

static int nru_init(void **state, const struct kmem_eviction_params *params)
{
	size_t words = (params->frames.count + WORD_BITS - 1) / WORD_BITS;
	size_t bytes = kmem_host_page_round(sizeof(struct nru) + CLASSES * words * sizeof(uint64_t));
	struct nru *nru;
	void *memory;
	int ret = kmem_host_memory_get(&memory, bytes);

	if (ret != 0) {
		return ret;
	}
	nru = memory;
	nru->frames = params->frames;
	nru->bytes = bytes;
	nru->period_ns = (uint64_t)(params->nru_period_ms > 0 ? params->nru_period_ms : 1) * NS_PER_MS;
	nru->words = words;
	*state = nru;
	return 0;
}

static void nru_finish(void *state)
{
	struct nru *nru = state;

	kmem_host_memory_free(nru, nru->bytes);
}

static size_t index_of(const struct nru *nru, const struct k_mem_page_frame *pf)
{
	return (size_t)(pf - nru->frames.first);
}

static unsigned int info_of(const struct nru *nru, size_t index)
{
	return kmem_page_info_get(k_mem_page_frame_to_virt(&nru->frames.first[index]), NULL, false);
}

static unsigned int class_of(unsigned int info)
{
	unsigned int class = (info & KMEM_PAGE_DIRTY) != 0 ? CLASS_DIRTY : 0;

	return (info & KMEM_PAGE_ACCESSED) != 0 ? class | CLASS_ACCESSED : class;
}

static uint64_t *bitmap_of(struct nru *nru, unsigned int class)
{
	return nru->bits + class * nru->words;
}

/* The class the frame is filed under; CLASSES if it was not added. */
static unsigned int class_filed(struct nru *nru, size_t index)
{
	unsigned int class = 0;

	while (class < CLASSES && (bitmap_of(nru, class)[index / WORD_BITS] >> index % WORD_BITS & 1) == 0) {
		class++;
	}
	return class;
}

static void file(struct nru *nru, size_t index)
{
	unsigned int class = class_of(info_of(nru, index));

	bitmap_of(nru, class)[index / WORD_BITS] |= UINT64_C(1) << index % WORD_BITS;
	nru->counts[class]++;
}

/* Whether the frame was filed at all. */
static bool unfile(struct nru *nru, size_t index)
{
	unsigned int class = class_filed(nru, index);

	if (class == CLASSES) {
		return false;
	}
	bitmap_of(nru, class)[index / WORD_BITS] &= ~(UINT64_C(1) << index % WORD_BITS);
	nru->counts[class]--;
	return true;
}

/* The first frame of a bitmap from `from` on; SIZE_MAX if there is none. */
static size_t bitmap_find(const uint64_t *bits, size_t words, size_t from)
{
	uint64_t mask = UINT64_MAX << from % WORD_BITS;

	for (size_t i = from / WORD_BITS; i < words; i++) {
		uint64_t word = bits[i] & mask;

		if (word != 0) {
			return i * WORD_BITS + (size_t)__builtin_ctzll(word);
		}
		mask = UINT64_MAX;
	}
	return SIZE_MAX;
}

/* The first frame of the lowest class, going round; SIZE_MAX if there are no frames. */
static size_t candidate_find(struct nru *nru)
{
	unsigned int class = 0;
	size_t index;

	while (class < CLASSES && nru->counts[class] == 0) {
		class++;
	}
	if (class == CLASSES) {
		return SIZE_MAX;
	}
	index = bitmap_find(bitmap_of(nru, class), nru->words, nru->next);
	return index != SIZE_MAX ? index : bitmap_find(bitmap_of(nru, class), nru->words, 0);
}

/* File every frame anew. */
static void refile(struct nru *nru)
{
	for (size_t i = 0; i < nru->frames.count; i++) {
		if (unfile(nru, i)) {
			file(nru, i);
		}
	}
}

/* Add one class to another. */
static void merge(struct nru *nru, unsigned int from, unsigned int to)
{
	uint64_t *source = bitmap_of(nru, from);
	uint64_t *target = bitmap_of(nru, to);

	for (size_t i = 0; i < nru->words; i++) {
		target[i] |= source[i];
		source[i] = 0;
	}
	nru->counts[to] += nru->counts[from];
	nru->counts[from] = 0;
}

static void tick_if_due(struct nru *nru)
{
	if (!nru->has_begun || kmem_clock_ns() - nru->tick_ns < nru->period_ns) {
		return;
	}
	kmem_page_accessed_clear_all();
	merge(nru, CLASS_ACCESSED, 0);
	merge(nru, CLASS_ACCESSED | CLASS_DIRTY, CLASS_DIRTY);
	nru->tick_ns = kmem_clock_ns();
}

static void nru_add(void *state, struct k_mem_page_frame *pf)
{
	struct nru *nru = state;

	file(nru, index_of(nru, pf));
}

static void nru_remove(void *state, struct k_mem_page_frame *pf)
{
	struct nru *nru = state;

	(void)unfile(nru, index_of(nru, pf));
}

static void nru_accessed(void *state, struct k_mem_page_frame *pf)
{
	struct nru *nru = state;
	size_t index = index_of(nru, pf);

	tick_if_due(nru);
	if (unfile(nru, index)) {
		file(nru, index);
	}
}

static struct k_mem_page_frame *nru_select(void *state, bool *dirty)
{
	struct nru *nru = state;
	unsigned int info;
	size_t index;

	if (!nru->has_begun) {
		nru->has_begun = true;
		nru->tick_ns = kmem_clock_ns();
	}
	tick_if_due(nru);
	index = candidate_find(nru);
	if (index == SIZE_MAX) {
		return NULL;
	}
	info = info_of(nru, index);
	if (class_of(info) != class_filed(nru, index)) {
		refile(nru);
		index = candidate_find(nru);
		info = info_of(nru, index);
	}
	nru->next = index + 1;
	*dirty = (info & KMEM_PAGE_DIRTY) != 0;
	return &nru->frames.first[index];
}

const struct kmem_eviction_ops kmem_eviction_nru = {
	.version = KMEM_EVICTION_VERSION,
	.name = "nru",
	.init = nru_init,
	.finish = nru_finish,
	.select = nru_select,
	.add = nru_add,
	.remove = nru_remove,
	.accessed = nru_accessed,
};
