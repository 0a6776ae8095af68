/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A backing store as a Zephyr module brings it: slots of a slab in RAM. A token is the slot's distance from the
 * first one. A page that came in gives its slot back, so no frame is ever backed. Linked with a program, it replaces
 * the built-in store.
 */
#include <errno.h>
#include <string.h>

#include <zephyr/kernel.h>
#include <mmu.h>
#include <kernel_arch_interface.h>
#include <zephyr/kernel/mm/demand_paging.h>
#include <zephyr/sys/util.h>

#define PAGE CONFIG_MMU_PAGE_SIZE

/* For the tests: how often each function was called. */
unsigned long module_ram_store_inits;
unsigned long module_ram_store_page_outs;
unsigned long module_ram_store_page_ins;
unsigned long module_ram_store_finalized;
unsigned long module_ram_store_freed;

static char slots[PAGE * CONFIG_BACKING_STORE_RAM_PAGES] __aligned(sizeof(void *));
static struct k_mem_slab slab;
static unsigned int free_slots;

static void *slot_of(uintptr_t token)
{
	__ASSERT(token % PAGE == 0U, "token 0x%lx is not page-aligned", token);
	__ASSERT(token < sizeof(slots), "token 0x%lx is none of this store's", token);
	return &slots[token];
}

static void give_back(uintptr_t token)
{
	k_mem_slab_free(&slab, slot_of(token));
	free_slots++;
}

int k_mem_paging_backing_store_location_get(struct k_mem_page_frame *pf, uintptr_t *location, bool page_fault)
{
	/* The last slot is for faults. */
	unsigned int needed = page_fault ? 1U : 2U;
	void *slot;
	int ret;

	ARG_UNUSED(pf);
	__ASSERT(!k_mem_page_frame_is_backed(pf), "this store backs no frame");
	if (free_slots < needed) {
		return -ENOMEM;
	}
	ret = k_mem_slab_alloc(&slab, &slot, K_NO_WAIT);
	__ASSERT(ret == 0, "no slot, and %u should be free", free_slots);
	if (ret != 0) {
		return ret;
	}
	*location = (uintptr_t)((char *)slot - slots);
	free_slots--;
	return 0;
}

void k_mem_paging_backing_store_location_free(uintptr_t location)
{
	module_ram_store_freed++;
	give_back(location);
}

void k_mem_paging_backing_store_page_out(uintptr_t location)
{
	module_ram_store_page_outs++;
	(void)memcpy(slot_of(location), K_MEM_SCRATCH_PAGE, PAGE);
}

void k_mem_paging_backing_store_page_in(uintptr_t location)
{
	module_ram_store_page_ins++;
	(void)memcpy(K_MEM_SCRATCH_PAGE, slot_of(location), PAGE);
}

void k_mem_paging_backing_store_page_finalize(struct k_mem_page_frame *pf, uintptr_t location)
{
	ARG_UNUSED(pf);
	module_ram_store_finalized++;
#ifdef CONFIG_DEMAND_MAPPING
	/* Pages that were never touched come from nowhere. */
	if (location == ARCH_UNPAGED_ANON_ZERO || location == ARCH_UNPAGED_ANON_UNINIT) {
		return;
	}
#endif
	give_back(location);
}

void k_mem_paging_backing_store_init(void)
{
	module_ram_store_inits++;
	(void)k_mem_slab_init(&slab, slots, PAGE, CONFIG_BACKING_STORE_RAM_PAGES);
	free_slots = CONFIG_BACKING_STORE_RAM_PAGES;
}
