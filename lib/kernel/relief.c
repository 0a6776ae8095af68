/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Relief: giving mappings of the host's back where they run out.
 *
 * Theory of operation. The host keeps a limit of mappings, and scattered pages take one or two each. A call that would pass the mark
 * below that limit (mappings.h), or that the host itself refuses, fails with -ENOMEM; then evictable pages are concealed, which stay in
 * their frames and trap once more, and the call is repeated. What is concealed is all that is evictable in a piece of the address space,
 * since one page between others that stay gives nothing back. A hand goes round the space, so that the pieces that were left alone
 * longest are next, and a working set that is a little too large loses a small part of itself at a time.
 *
 * A relief has rounds, as long as the call fails: the first gives back a small share, the second half of all, the last one everything, and
 * lets the host alone decide. Where the host refused below the mark, somebody else has taken the mappings; past its limit it refuses every
 * call that maps, also one that gives some back, so the spare mappings (mmu_range.c) go first then.
 */
#include "kernel/relief.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "host/log.h"
#include "kernel/frame.h"
#include "kernel/kernel.h"
#include "kernel/stats.h"
#include "machine/mappings.h"
#include "machine/mmu.h"

/* Pages concealed between looks at the count: enough for one host call to be shared, few beside what is given back. */
#define PIECE_PAGES 256

/* What share of the mappings each round gives back. */
static const size_t round_parts[] = {KMEM_MAPPINGS_RELIEF_PARTS, 2, 1};

#define ROUNDS (sizeof(round_parts) / sizeof(round_parts[0]))

/* Guarded by the kernel lock. */
static struct {
	uintptr_t hand; /* where the next relief begins */
	bool is_told;
} state;

void kmem_relief_init(void)
{
	memset(&state, 0, sizeof(state));
}

static bool is_evictable(uintptr_t phys)
{
	struct k_mem_page_frame *pf = kmem_frame_at(phys);

	return pf != NULL && k_mem_page_frame_is_evictable(pf);
}

static bool is_reached(size_t goal)
{
	return kmem_mappings_is_counting() && kmem_mappings_count() <= goal;
}

/* Conceal in [addr, end), piece by piece, until there are no more mappings than the goal: true then, and the hand is behind it. */
static bool part_relieve(uintptr_t addr, uintptr_t end, size_t goal)
{
	size_t piece = PIECE_PAGES * kmem_page_size();

	for (addr = kmem_pte_held_next(addr, end); addr < end; addr = kmem_pte_held_next(addr, end)) {
		size_t size = end - addr < piece ? end - addr : piece;

		(void)kmem_mmu_accessed_clear(addr, size, is_evictable);
		addr += size;
		if (is_reached(goal)) {
			state.hand = addr;
			return true;
		}
	}
	return false;
}

static bool is_paged(const struct kmem_region *region)
{
	return region->kind == KMEM_REGION_ANON || region->kind == KMEM_REGION_UNPAGED;
}

/* Whether nothing but the guards of both lies between two regions, so that their pages may be concealed in one call. */
static bool is_next_to(const struct kmem_region *region, const struct kmem_region *next)
{
	return is_paged(region) && is_paged(next) && region->guarded && next->guarded &&
	       next->addr - (region->addr + region->size) == 2 * kmem_page_size();
}

/* The last of regions that lie next to each other and are small; *next: the one behind it. */
static const struct kmem_region *last_together(const struct kmem_region *region, const struct kmem_region **next)
{
	uintptr_t start = region->addr;

	for (;;) {
		*next = kmem_region_index_from(&kmem_kernel.index, region->addr + region->size);
		if (*next == NULL || !is_next_to(region, *next) ||
		    (*next)->addr + (*next)->size - start > PIECE_PAGES * kmem_page_size()) {
			return region;
		}
		region = *next;
	}
}

/* The same for the regions in [from, to). */
static bool regions_relieve(uintptr_t from, uintptr_t to, size_t goal)
{
	const struct kmem_region *region = kmem_region_index_from(&kmem_kernel.index, from);

	while (region != NULL && region->addr < to) {
		uintptr_t addr = region->addr > from ? region->addr : from;
		const struct kmem_region *next;
		const struct kmem_region *last = last_together(region, &next);
		uintptr_t end = last->addr + last->size;

		if (is_paged(region) && part_relieve(addr, end < to ? end : to, goal)) {
			return true;
		}
		region = next;
	}
	return false;
}

static void tell(void)
{
	if (state.is_told || !kmem_mappings_is_counting()) {
		return;
	}
	state.is_told = true;
	kmem_log(KMEM_LOG_WARNING,
		 "pages take %zu of the %zu mappings that the host allows a process (vm.max_map_count)%s: some are made to trap again, "
		 "now and whenever it comes to that. Raise vm.max_map_count, or take another engine (KMEM_ENGINE)",
		 kmem_mappings_count(), kmem_mappings_limit(),
		 kmem_mappings_is_at_mark() ? "" : ", and the program takes the rest");
}

bool kmem_relief_next(struct kmem_relief *relief)
{
	size_t goal;

	/* Without a count there is no share of it. */
	if (relief->round == 0 && !kmem_mappings_is_counting()) {
		relief->round = ROUNDS - 1;
	}
	if (relief->round == ROUNDS) {
		return false;
	}
	if (relief->round == 0 || !kmem_mappings_is_counting()) {
		kmem_stats_relief();
		tell();
	}
	if (!relief->has_spare && (relief->round != 0 || !kmem_mappings_is_at_mark())) {
		relief->has_spare = true;
		kmem_mmu_relief_begin();
	}
	goal = kmem_mappings_goal(round_parts[relief->round++]);
	if (!regions_relieve(state.hand, UINTPTR_MAX, goal)) {
		(void)regions_relieve(0, state.hand, goal);
	}
	kmem_mappings_mark_set();
	if (relief->round == ROUNDS) {
		kmem_mappings_mark_lift();
	}
	return true;
}

void kmem_relief_end(struct kmem_relief *relief)
{
	if (relief->has_spare) {
		kmem_mmu_relief_end();
	}
	if (relief->round == ROUNDS) {
		kmem_mappings_mark_set();
	}
}
