/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which free frame a page gets.
 *
 * Theory of operation. Pages that are neighbours, on neighbouring frames, are one mapping of the host's, and exposed, concealed and read
 * in one call; so a page shall stand to the pages around it as its frame does to theirs. Those at hand are the *mates*: the mapped pages
 * around it without a gap, in the same aligned block of as many pages as a chunk has frames; then the page before and the page behind,
 * where they belong to the next block. Any of them in RAM says which frame would be right, and if that is free it is taken, the nearest's
 * first. A page that finds nothing gets a frame with as many free ones around it as its mates need, a whole chunk for a block that is
 * mapped all over: so they find their place in whatever order they come, and streams that run side by side keep out of each other's way.
 *
 * Pages on their way in do not stand in the page table with their frames yet: the last one that was given a frame is remembered.
 */
#include "kernel/frame_place.h"

#include <stdbool.h>

#include "kernel/frame.h"
#include "machine/page_table.h"

/* Guarded by the kernel lock. A wrong one costs nothing but a bad choice. */
static struct {
	uintptr_t addr; /* of the page that was given a frame last; 0: none */
	size_t index;   /* the frame */
} last;

/* The frame of a page, if it is in one that is RAM's, or was given one last. */
static bool index_of(uintptr_t addr, size_t *index)
{
	kmem_pte pte = kmem_page_table_covers(addr) ? kmem_pte_get(addr) : KMEM_PTE_UNMAPPED;
	struct k_mem_page_frame *pf;

	if (addr == last.addr && last.addr != 0) {
		*index = last.index;
		return true;
	}
	pf = kmem_pte_state(pte) == KMEM_PTE_IN ? kmem_frame_at(kmem_pte_addr(pte)) : NULL;
	if (pf != NULL) {
		*index = (size_t)(pf - kmem_frame_all()->first);
	}
	return pf != NULL;
}

/* The frame that another page says is right for one that is so many pages behind it (before it: less than 0). */
static struct k_mem_page_frame *get_by(uintptr_t addr, ptrdiff_t distance)
{
	size_t index;

	/* An index below 0 is one beyond all. */
	return index_of(addr, &index) ? kmem_frame_get_at(index + (size_t)distance) : NULL;
}

static bool is_mapped(uintptr_t addr)
{
	return kmem_page_table_covers(addr) && kmem_pte_state(kmem_pte_get(addr)) > KMEM_PTE_GUARD;
}

/* The mates of a page: how many there are before it, and with it. */
struct mates {
	size_t before;
	size_t count;
};

static struct mates mates_of(uintptr_t addr)
{
	size_t page_size = kmem_page_table_page_size();
	size_t place = addr / page_size % KMEM_FRAME_CHUNK;
	size_t before = 0;
	size_t behind = 0;

	while (before < place && is_mapped(addr - (before + 1) * page_size)) {
		before++;
	}
	while (place + behind + 1 < KMEM_FRAME_CHUNK && is_mapped(addr + (behind + 1) * page_size)) {
		behind++;
	}
	return (struct mates){.before = before, .count = before + 1 + behind};
}

/* The frame that the mates say is right. */
static struct k_mem_page_frame *get_by_mates(uintptr_t addr, const struct mates *mates)
{
	size_t page_size = kmem_page_table_page_size();
	size_t behind = mates->count - 1 - mates->before;

	for (size_t distance = 1; distance <= mates->before || distance <= behind; distance++) {
		struct k_mem_page_frame *pf = NULL;

		if (distance <= mates->before) {
			pf = get_by(addr - distance * page_size, (ptrdiff_t)distance);
		}
		if (pf == NULL && distance <= behind) {
			pf = get_by(addr + distance * page_size, -(ptrdiff_t)distance);
		}
		if (pf != NULL) {
			return pf;
		}
	}
	return NULL;
}

/* The frame that the pages before and behind say is right, which may be of other blocks. */
static struct k_mem_page_frame *get_by_neighbours(uintptr_t addr)
{
	size_t page_size = kmem_page_table_page_size();
	struct k_mem_page_frame *pf = get_by(addr - page_size, 1);

	return pf != NULL ? pf : get_by(addr + page_size, -1);
}

struct k_mem_page_frame *kmem_frame_get_for(uintptr_t addr)
{
	struct k_mem_page_frame *pf;
	struct mates mates;

	/* With one frame left there is nothing to choose. */
	if (kmem_frame_free_count() < 2) {
		return kmem_frame_get();
	}
	mates = mates_of(addr);
	pf = get_by_mates(addr, &mates);
	if (pf == NULL) {
		pf = get_by_neighbours(addr);
	}
	if (pf == NULL) {
		pf = kmem_frame_get_apart(mates.before, mates.count);
	}
	last.addr = addr;
	last.index = (size_t)(pf - kmem_frame_all()->first);
	return pf;
}

void kmem_frame_run_prepare_around(uintptr_t addr, size_t before, size_t count)
{
	size_t index;

	if (count > 1 && kmem_frame_run_find(count, &index)) {
		last.addr = addr - kmem_page_table_page_size();
		last.index = index + before - 1;
	}
}

void kmem_frame_run_prepare(uintptr_t addr, size_t count)
{
	kmem_frame_run_prepare_around(addr, 0, count);
}
