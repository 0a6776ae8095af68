/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The MMU: where the bytes of pages lie. See mmu.h, and home.h for the states of a frame.
 *
 * Where the bytes of a frame lie is chosen when a page comes into it: with the engine if it can be, in the RAM file if the page is
 * executable, or in a hole of the range. A page that becomes so later, or is shown by its physical address, *settles* in the file.
 */
#include <string.h>

#include "host/memory.h"
#include "machine/home.h"
#include "machine/mmu_host.h"
#include "machine/mmu_range.h"
#include "machine/ram.h"

void *kmem_mmu_bytes(uintptr_t addr, uintptr_t phys)
{
	return kmem_home_is_own(phys) ? kmem_mmu.engine->bytes(addr, phys) : kmem_ram_bytes(phys);
}

int kmem_mmu_page_back(uintptr_t addr, uintptr_t phys, uint32_t flags)
{
	bool can_be_own = (flags & K_MEM_PERM_EXEC) == 0 && !kmem_mmu_is_in_hole(addr);

	if (can_be_own && kmem_home_take(phys)) {
		return kmem_mmu.engine->back(addr, phys);
	}
	kmem_home_leave(phys);
	return kmem_ram_populate(phys);
}

void kmem_mmu_page_drop(uintptr_t addr, uintptr_t phys)
{
	if (kmem_home_is_own(phys)) {
		kmem_mmu.engine->drop(addr, phys);
	}
}

int kmem_mmu_page_thaw(uintptr_t phys)
{
	return kmem_home_is_own(phys) ? 0 : kmem_ram_populate(phys);
}

void kmem_mmu_range_drop(uintptr_t addr, size_t size)
{
	uintptr_t end = addr + size;

	if (!kmem_mmu_has_own()) {
		return;
	}
	for (addr = kmem_pte_held_next(addr, end); addr < end; addr = kmem_pte_held_next(addr + kmem_mmu.page_size, end)) {
		kmem_pte pte = kmem_pte_get(addr);

		if (kmem_pte_state(pte) == KMEM_PTE_IN) {
			kmem_mmu_page_drop(addr, kmem_pte_addr(pte));
		}
	}
}

/* The bytes of a page that is IN, in an own frame, go to the file. */
static int settle(uintptr_t addr, kmem_pte pte)
{
	struct kmem_run run = kmem_mmu_run_of(addr, pte);
	int ret = kmem_ram_populate(run.phys);

	if (ret == 0 && run.prot != KMEM_PROT_NONE) {
		ret = kmem_mmu_host_conceal(&run, 1);
	}
	if (ret != 0) {
		return ret;
	}
	memcpy(kmem_ram_bytes(run.phys), kmem_mmu.engine->bytes(addr, run.phys), kmem_mmu.page_size);
	kmem_mmu.engine->drop(addr, run.phys);
	kmem_home_leave(run.phys);
	if (run.prot != KMEM_PROT_NONE && kmem_mmu_host_expose(&run, 1) != 0) {
		kmem_pte_set(addr, pte & ~KMEM_PTE_ACCESSED);
	}
	return 0;
}

int kmem_mmu_range_settle(uintptr_t addr, size_t size)
{
	uintptr_t end = addr + size;
	int ret = 0;

	if (!kmem_mmu_has_own()) {
		return 0;
	}
	for (addr = kmem_pte_held_next(addr, end); addr < end && ret == 0;
	     addr = kmem_pte_held_next(addr + kmem_mmu.page_size, end)) {
		kmem_pte pte = kmem_pte_get(addr);

		if (kmem_pte_state(pte) == KMEM_PTE_IN && kmem_home_is_own(kmem_pte_addr(pte))) {
			ret = settle(addr, pte);
		}
	}
	return ret;
}

int kmem_mmu_frame_share(uintptr_t phys, uintptr_t addr)
{
	bool has_page = kmem_home_is_own(phys) && addr != 0;
	int ret = has_page ? settle(addr, kmem_pte_get(addr)) : kmem_ram_populate(phys);

	if (ret == 0) {
		kmem_home_leave(phys);
		kmem_home_share(phys, kmem_mmu.page_size);
	}
	return ret;
}
