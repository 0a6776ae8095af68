/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Address space as Linux has it: contents that are forgotten, with frames and store locations free at once. See space.h, and space.c for
 * how an operation goes; there are no descriptors to change here.
 */
#include <errno.h>
#include <string.h>

#include "kernel/frame.h"
#include "kernel/kernel.h"
#include "kernel/paging.h"
#include "kernel/space.h"
#include "kernel/space_section.h"
#include "machine/mmu.h"

static void stretch_discard(uintptr_t addr, uintptr_t end)
{
	if (addr < end) {
		kmem_paging_forget(addr, end - addr);
		kmem_mmu_discard(addr, end - addr);
	}
}

static int discard(uintptr_t addr, size_t size)
{
	struct kmem_space_survey found;
	int ret = kmem_space_survey(addr, size, &found);

	if (ret == 0 && kmem_space_pinned_in(addr, size) != 0) {
		ret = -EINVAL;
	}
	if (ret == 0) {
		ret = KMEM_RELIEVED(kmem_mmu_conceal(addr, size));
	}
	if (ret != 0) {
		return ret;
	}
	stretch_discard(addr, addr + size);
	return found.has_holes ? -ENOMEM : 0;
}

/* The frames of pinned pages, to be written to: RAM that a fork froze is to be this process's own before. */
static int pinned_thaw(uintptr_t addr, uintptr_t end)
{
	int ret = 0;

	for (; ret == 0 && (addr = kmem_space_pinned_next(addr, end)) < end; addr += kmem_page_size()) {
		ret = kmem_mmu_page_thaw(kmem_frame_phys(kmem_paging_frame_of(addr)));
	}
	return ret;
}

/* Zeroes in a frame that keeps its page. The copy that the store may have of it is none any more. */
static void frame_clear(struct k_mem_page_frame *pf)
{
	uintptr_t location;

	if (k_mem_page_frame_is_backed(pf) && kmem_store_location_get(&kmem_kernel.store, pf, &location, true) == 0) {
		k_mem_page_frame_clear(pf, K_MEM_PAGE_FRAME_BACKED);
		kmem_store_location_free(&kmem_kernel.store, location);
	}
	memset(kmem_mmu_bytes((uintptr_t)k_mem_page_frame_to_virt(pf), kmem_frame_phys(pf)), 0, kmem_page_size());
}

/* The same where pages may be pinned: those are cleared where they are. */
static int discard_pinned(uintptr_t addr, size_t size)
{
	uintptr_t end = addr + size;
	uintptr_t at = addr;
	struct kmem_space_survey found;
	int ret = kmem_space_survey(addr, size, &found);

	if (ret == 0) {
		ret = pinned_thaw(addr, end);
	}
	if (ret == 0) {
		ret = KMEM_RELIEVED(kmem_mmu_conceal(addr, size));
	}
	if (ret != 0) {
		return ret;
	}
	while (at < end) {
		uintptr_t pinned = kmem_space_pinned_next(at, end);

		stretch_discard(at, pinned);
		if (pinned < end) {
			frame_clear(kmem_paging_frame_of(pinned));
		}
		at = pinned + kmem_page_size();
	}
	kmem_paging_pinned_expose(addr, size);
	return found.has_holes ? -ENOMEM : 0;
}

int kmem_space_discard(uintptr_t addr, size_t size)
{
	return kmem_space_range_do(addr, size, discard);
}

int kmem_space_discard_pinned(uintptr_t addr, size_t size)
{
	return kmem_space_range_do(addr, size, discard_pinned);
}
