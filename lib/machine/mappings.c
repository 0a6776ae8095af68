/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mappings of the host's, counted.
 *
 * Theory of operation. A bit for each page says whether there is a cut before it. Whoever makes a host call tells the range and whether
 * the host joins its ends to what is beside them; the cuts inside go, those at the ends are set anew, and the count follows. Where it is
 * not known that two things join, a cut is assumed: the count is an upper bound, and wrong only until the next call at that place.
 */
#include "machine/mappings.h"

#include <string.h>

#include "host/mappings.h"
#include "host/memory.h"

#define WORD 64

/* The share of the limit that is left to the program: see mappings.h. */
#define RESERVE_PARTS 8

static struct {
	/* constant after init */
	uintptr_t base;
	size_t pages;
	size_t page_size; /* 0: not counting */
	size_t limit;     /* the host's */
	size_t high;      /* what the range may have of it */

	/* guarded by the kernel lock */
	uint64_t *cuts; /* a bit for every page */
	size_t count;
	size_t mark;
} mappings;

static size_t cuts_bytes(void)
{
	return kmem_host_page_round((mappings.pages + WORD - 1) / WORD * sizeof(*mappings.cuts));
}

int kmem_mappings_init(uintptr_t base, size_t size, size_t page_size)
{
	void *memory;
	int ret;

	mappings.base = base;
	mappings.pages = size / page_size;
	ret = kmem_host_memory_get(&memory, cuts_bytes());
	if (ret != 0) {
		return ret;
	}
	mappings.cuts = memory;
	mappings.page_size = page_size;
	mappings.limit = kmem_host_mappings_limit();
	mappings.high = mappings.limit - mappings.limit / RESERVE_PARTS;
	mappings.mark = mappings.high;
	mappings.count = 0;
	return 0;
}

void kmem_mappings_finish(void)
{
	if (mappings.page_size != 0) {
		kmem_host_memory_free(mappings.cuts, cuts_bytes());
	}
	memset(&mappings, 0, sizeof(mappings));
}

bool kmem_mappings_is_counting(void)
{
	return mappings.page_size != 0;
}

static size_t index_of(uintptr_t addr)
{
	return (addr - mappings.base) / mappings.page_size;
}

/* Whether [addr, addr + size) is counted: what lies beside the range is the process's own affair. */
static bool is_counted(const struct kmem_mappings_change *change)
{
	return mappings.page_size != 0 && change->addr - mappings.base < mappings.pages * mappings.page_size;
}

/* Behind the range begins what is not ours. */
static bool is_cut(size_t index)
{
	return index < mappings.pages && (mappings.cuts[index / WORD] >> (index % WORD) & 1) != 0;
}

/* The bits of a word that stand for [first, last), some of which are in it. */
static uint64_t word_mask(size_t word, size_t first, size_t last)
{
	uint64_t mask = ~0ULL;

	if (first > word * WORD) {
		mask &= ~0ULL << (first - word * WORD);
	}
	if (last < (word + 1) * WORD) {
		mask &= ~0ULL >> ((word + 1) * WORD - last);
	}
	return mask;
}

/* How many cuts there are before the pages [first, last); they go if asked. */
static size_t cuts_within(size_t first, size_t last, bool clear)
{
	size_t found = 0;

	for (size_t word = first / WORD; word * WORD < last; word++) {
		uint64_t cuts = mappings.cuts[word] & word_mask(word, first, last);

		/* Memory for bits that were never set is not touched. */
		if (cuts != 0) {
			found += (size_t)__builtin_popcountll(cuts);
			mappings.cuts[word] &= clear ? ~cuts : ~0ULL;
		}
	}
	return found;
}

static void cut_set(size_t index, bool cut)
{
	uint64_t bit = 1ULL << (index % WORD);

	if (index < mappings.pages && is_cut(index) != cut) {
		mappings.cuts[index / WORD] ^= bit;
		mappings.count += cut ? 1 : (size_t)-1;
	}
}

bool kmem_mappings_allow(const struct kmem_mappings_change *change)
{
	size_t first;
	size_t last;
	size_t more;
	size_t less;

	/* Two more at most: nothing to look at while there are plenty. */
	if (!is_counted(change) || mappings.count + 2 <= mappings.mark) {
		return true;
	}
	first = index_of(change->addr);
	last = index_of(change->addr + change->size);
	more = (change->joins_before ? 0 : 1) + (change->joins_behind || last == mappings.pages ? 0 : 1);
	less = (is_cut(first) ? 1 : 0) + (is_cut(last) ? 1 : 0);
	less += change->is_partial ? 0 : cuts_within(first + 1, last, false);
	return more <= less || mappings.count + more - less <= mappings.mark;
}

void kmem_mappings_changed(const struct kmem_mappings_change *change)
{
	size_t first;
	size_t last;

	if (!is_counted(change)) {
		return;
	}
	first = index_of(change->addr);
	last = index_of(change->addr + change->size);
	if (!change->is_partial) {
		mappings.count -= cuts_within(first + 1, last, true);
	}
	cut_set(first, !change->joins_before);
	cut_set(last, !change->joins_behind);
}

size_t kmem_mappings_count(void)
{
	return mappings.count;
}

bool kmem_mappings_is_at_mark(void)
{
	return mappings.page_size != 0 && mappings.count + 2 > mappings.mark;
}

size_t kmem_mappings_limit(void)
{
	return mappings.limit;
}

size_t kmem_mappings_goal(size_t parts)
{
	size_t from = mappings.count < mappings.high ? mappings.count : mappings.high;

	return from - from / parts;
}

void kmem_mappings_mark_lift(void)
{
	mappings.mark = SIZE_MAX;
}

void kmem_mappings_mark_set(void)
{
	size_t above = mappings.count + mappings.high / KMEM_MAPPINGS_RELIEF_PARTS;

	mappings.mark = above > mappings.high ? above : mappings.high;
}

bool kmem_mappings_is_valid(void)
{
	return mappings.page_size == 0 || cuts_within(0, mappings.pages, false) == mappings.count;
}
