/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Advice: what a program says of how it will use its memory. See <kmem/kmem.h>.
 *
 * Theory of operation. Advice that stays (NORMAL, SEQUENTIAL, RANDOM) is kept in the entries of the pages, so that any part of a region may
 * have its own, it costs no memory, and it goes with the mapping; a fault finds it where it looks anyhow. Advice that is to be followed at
 * once is followed for the regions in a range one after the other, in vectors of pages. Nobody waits for a page that is BUSY: its
 * thread needs it, or has it sent out.
 */
#include <errno.h>

#include "host/stack.h"
#include "kernel/frame.h"
#include "kernel/kernel.h"
#include "kernel/paging.h"
#include "kernel/stats.h"
#include "machine/mmu.h"

/* Of all frames, those for which other pages may go out when a range will be needed. */
#define NEED_SHARE 8U

/* Advice on its way through a range. */
struct advising {
	enum kmem_advice advice;
	size_t room; /* pages that may still be brought in */
};

/* What is done to a part of a region; lock held. 0 or -errno. Drops. */
typedef int (*adviser)(uintptr_t addr, size_t size, struct advising *advising);

static int keep(uintptr_t addr, size_t size, struct advising *advising)
{
	kmem_pte kept = 0;

	if (advising->advice == KMEM_ADVICE_SEQUENTIAL) {
		kept = KMEM_PTE_SEQUENTIAL;
	} else if (advising->advice == KMEM_ADVICE_RANDOM) {
		kept = KMEM_PTE_RANDOM;
	}
	kmem_pte_change(addr, size, KMEM_PTE_SEQUENTIAL | KMEM_PTE_RANDOM, kept);
	return 0;
}

/* Whether a page that was in RAM once can be brought in. */
static bool is_wanted(kmem_pte pte)
{
	return kmem_pte_state(pte) == KMEM_PTE_OUT && (pte & KMEM_PTE_NO_ACCESS) == 0;
}

/* As far as there is room. What cannot be read is nobody's affair before it is touched. */
static int need(uintptr_t addr, size_t size, struct advising *advising)
{
	uintptr_t end = addr + size;

	for (addr = kmem_pte_held_next(addr, end); addr < end; addr = kmem_pte_held_next(addr + kmem_page_size(), end)) {
		struct kmem_paging_request request = {.addr = addr, .is_ahead = true};
		size_t before = advising->room;

		if (!is_wanted(kmem_pte_get(addr))) {
			continue;
		}
		if (before == 0) {
			return 0;
		}
		request.more = (before - 1) * kmem_page_size() < end - addr ? (before - 1) * kmem_page_size()
									  : end - addr - kmem_page_size();
		(void)kmem_paging_page_in(&request);
		if (request.kind == KMEM_FAULT_NO_MEMORY || request.kind == KMEM_FAULT_HOST) {
			advising->room = 0;
			return 0;
		}
		advising->room -= request.brought < before ? request.brought : before;
	}
	return 0;
}

/* Send pages out that can go. Pages that cannot be written stay in; what became of the first of them is told. */
static int need_not(uintptr_t addr, size_t size, struct advising *advising)
{
	struct k_mem_page_frame *pfs[KMEM_PAGING_VECTOR];
	uintptr_t end = addr + size;
	int ret = 0;

	(void)advising;
	while ((addr = kmem_pte_held_next(addr, end)) < end) {
		size_t count = 0;
		int failed = 0;

		for (; addr < end && count < KMEM_PAGING_VECTOR; addr = kmem_pte_held_next(addr + kmem_page_size(), end)) {
			struct k_mem_page_frame *pf = kmem_paging_frame_of(addr);

			if (pf != NULL && k_mem_page_frame_is_evictable(pf)) {
				pfs[count++] = pf;
			}
		}
		if (count > 0) {
			failed = kmem_paging_pages_out(pfs, count, false);
		}
		ret = ret == 0 ? failed : ret;
	}
	return ret;
}

static bool is_evictable(uintptr_t phys)
{
	struct k_mem_page_frame *pf = kmem_frame_at(phys);

	return pf != NULL && k_mem_page_frame_is_evictable(pf);
}

static int cool(uintptr_t addr, size_t size, struct advising *advising)
{
	(void)advising;
	return kmem_mmu_accessed_clear(addr, size, is_evictable);
}

static adviser adviser_of(enum kmem_advice advice)
{
	switch (advice) {
	case KMEM_ADVICE_NORMAL:
	case KMEM_ADVICE_SEQUENTIAL:
	case KMEM_ADVICE_RANDOM:
		return keep;
	case KMEM_ADVICE_WILL_NEED:
		return need;
	case KMEM_ADVICE_WILL_NOT_NEED:
		return need_not;
	case KMEM_ADVICE_COLD:
		return cool;
	default:
		return NULL;
	}
}

/* Advise every part of a range that is mapped. 0, or the first error; -ENOMEM if that is not all of it. Drops. */
static int advise(uintptr_t addr, size_t size, adviser visit, struct advising *advising)
{
	uintptr_t end = addr + size;
	const struct kmem_region *region;
	bool has_holes = false;
	int ret = 0;

	while (addr < end && (region = kmem_region_index_from(&kmem_kernel.index, addr)) != NULL && region->addr < end) {
		uintptr_t part = region->addr > addr ? region->addr : addr;
		uintptr_t part_end = region->addr + region->size < end ? region->addr + region->size : end;
		int failed;

		has_holes = has_holes || part > addr;
		failed = visit(part, part_end - part, advising);
		ret = ret == 0 ? failed : ret;
		addr = part_end;
	}
	if (ret != 0) {
		return ret;
	}
	return has_holes || addr < end ? -ENOMEM : 0;
}

/* The range of whole pages; false if it is none of the VM's. */
static bool range_round(uintptr_t addr, size_t *size)
{
	const struct kmem_layout *layout = &kmem_kernel.layout;
	size_t page_size = kmem_page_size();

	if (addr % page_size != 0 || addr < layout->virt_ram_start || addr > layout->virt_ram_end ||
	    *size > layout->virt_ram_end - addr) {
		return false;
	}
	*size = (*size + page_size - 1) / page_size * page_size;
	return *size <= layout->virt_ram_end - addr;
}

struct advise_call {
	uintptr_t addr;
	size_t size;
	adviser visit;
	struct advising advising;
};

static long advise_call(void *argument)
{
	struct advise_call call = *(const struct advise_call *)argument;
	kmem_sigmask saved;
	uint64_t since;
	int ret;

	kmem_kernel_lock(&saved);
	since = kmem_stats_clock();
	call.advising.room = kmem_frame_free_count() + kmem_frame_all()->count / NEED_SHARE;
	ret = advise(call.addr, call.size, call.visit, &call.advising);
	kmem_stats_paging(since);
	kmem_kernel_unlock(&saved);
	return ret;
}

int kmem_advise(void *addr, size_t size, enum kmem_advice advice)
{
	struct advise_call call = {.addr = (uintptr_t)addr, .size = size, .visit = adviser_of(advice), .advising.advice = advice};

	if (kmem_kernel_ready() != 0) {
		return -ENODEV;
	}
	if (call.visit == NULL || !range_round(call.addr, &call.size)) {
		return -EINVAL;
	}
	if (!kmem_kernel.settings.demand_paging || call.size == 0) {
		return 0;
	}
	return (int)kmem_stack_call(advise_call, &call);
}
