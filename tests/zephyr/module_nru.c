/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An eviction algorithm as a Zephyr module brings it: not recently used. A timer forgets accesses; a victim is clean
 * rather than dirty, and above all not accessed. Linked with a program, it replaces the built-in algorithm.
 */
#include <zephyr/kernel.h>
#include <mmu.h>
#include <kernel_arch_interface.h>
#include <zephyr/init.h>
#include <zephyr/kernel/mm/demand_paging.h>

/* Classes, the best victims first. */
#define CLASS_DIRTY 1U
#define CLASS_ACCESSED 2U
#define CLASS_NONE 4U

/* For the tests: how often each function was called. */
unsigned long module_nru_ticks;
unsigned long module_nru_selects;
unsigned long module_nru_inits;

static struct k_timer tick_timer;

static void forget_accesses(struct k_timer *timer)
{
	uintptr_t phys;
	struct k_mem_page_frame *pf;
	unsigned int key = irq_lock();

	ARG_UNUSED(timer);
	module_nru_ticks++;
	K_MEM_PAGE_FRAME_FOREACH(phys, pf)
	{
		if (!k_mem_page_frame_is_evictable(pf)) {
			continue;
		}
		(void)arch_page_info_get(k_mem_page_frame_to_virt(pf), NULL, true);
	}
	irq_unlock(key);
}

static unsigned int class_of(struct k_mem_page_frame *pf)
{
	uintptr_t flags = arch_page_info_get(k_mem_page_frame_to_virt(pf), NULL, false);
	unsigned int class = 0;

	__ASSERT((flags & ARCH_DATA_PAGE_LOADED) != 0U, "frame 0x%lx is evictable, and its page %p is not in",
		 k_mem_page_frame_to_phys(pf), k_mem_page_frame_to_virt(pf));
	if ((flags & ARCH_DATA_PAGE_DIRTY) != 0U) {
		class |= CLASS_DIRTY;
	}
	if ((flags & ARCH_DATA_PAGE_ACCESSED) != 0U) {
		class |= CLASS_ACCESSED;
	}
	return class;
}

struct k_mem_page_frame *k_mem_paging_eviction_select(bool *dirty)
{
	static size_t hand; /* the latest victim */
	struct k_mem_page_frame *victim = NULL;
	unsigned int best = CLASS_NONE;

	module_nru_selects++;
	for (size_t step = 1; step <= K_MEM_NUM_PAGE_FRAMES && best != 0U; step++) {
		struct k_mem_page_frame *pf = &k_mem_page_frames[(hand + step) % K_MEM_NUM_PAGE_FRAMES];
		unsigned int class;

		if (!k_mem_page_frame_is_evictable(pf)) {
			continue;
		}
		class = class_of(pf);
		if (class < best) {
			best = class;
			victim = pf;
		}
	}
	__ASSERT(victim != NULL, "no page to evict");
	hand = (size_t)(victim - k_mem_page_frames);
	*dirty = (best & CLASS_DIRTY) != 0U;
	return victim;
}

void k_mem_paging_eviction_init(void)
{
	module_nru_inits++;
	k_timer_init(&tick_timer, forget_accesses, NULL);
	k_timer_start(&tick_timer, K_NO_WAIT, K_MSEC(CONFIG_EVICTION_NRU_PERIOD));
}

#ifdef CONFIG_EVICTION_TRACKING
/* This algorithm keeps no list. */
void k_mem_paging_eviction_add(struct k_mem_page_frame *pf)
{
	ARG_UNUSED(pf);
}

void k_mem_paging_eviction_remove(struct k_mem_page_frame *pf)
{
	ARG_UNUSED(pf);
}

void k_mem_paging_eviction_accessed(uintptr_t phys)
{
	ARG_UNUSED(phys);
}
#endif
