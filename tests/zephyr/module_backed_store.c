/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A backing store as a Zephyr module brings it, one that keeps the copy of a page that came in: the frame is BACKED
 * until the copy's slot is needed for another page. So a page that was only read goes out without being written.
 */
#include <errno.h>
#include <string.h>

#include <zephyr/kernel.h>
#include <mmu.h>
#include <kernel_arch_interface.h>
#include <zephyr/kernel/mm/demand_paging.h>
#include <zephyr/sys/util.h>

#define PAGE CONFIG_MMU_PAGE_SIZE
#define SLOTS CONFIG_BACKING_STORE_RAM_PAGES

enum use {
	FREE,
	CACHED, /* the page is in, too */
	OUT,
};

/* For the tests: how often each function was called. */
unsigned long module_backed_store_page_outs;
unsigned long module_backed_store_page_ins;

static char bytes[SLOTS][PAGE];
static struct {
	enum use use;
	struct k_mem_page_frame *pf; /* CACHED: where the page is, */
	void *virt;                  /* and which one it was */
} slots[SLOTS];

static unsigned int count_of(enum use use)
{
	unsigned int count = 0;

	for (size_t i = 0; i < SLOTS; i++) {
		count += slots[i].use == use ? 1U : 0U;
	}
	return count;
}

/* Nobody says that a page that is in was unmapped: the frame may hold something else by now. */
static bool is_current(size_t i)
{
	return !k_mem_page_frame_is_free(slots[i].pf) && k_mem_page_frame_is_mapped(slots[i].pf) &&
	       k_mem_page_frame_is_backed(slots[i].pf) && k_mem_page_frame_to_virt(slots[i].pf) == slots[i].virt;
}

static size_t find_slot(enum use use)
{
	for (size_t i = 0; i < SLOTS; i++) {
		if (slots[i].use == use) {
			return i;
		}
	}
	return SLOTS;
}

static size_t cached_for(const struct k_mem_page_frame *pf)
{
	for (size_t i = 0; i < SLOTS; i++) {
		if (slots[i].use == CACHED && slots[i].pf == pf) {
			return i;
		}
	}
	return SLOTS;
}

static size_t steal_slot(void)
{
	size_t i = find_slot(CACHED);

	__ASSERT_NO_MSG(i < SLOTS);
	if (is_current(i)) {
		k_mem_page_frame_clear(slots[i].pf, K_MEM_PAGE_FRAME_BACKED);
	}
	return i;
}

int k_mem_paging_backing_store_location_get(struct k_mem_page_frame *pf, uintptr_t *location, bool page_fault)
{
	unsigned int needed = page_fault ? 1U : 2U;
	size_t i = SLOTS;

	if (k_mem_page_frame_is_backed(pf)) {
		i = cached_for(pf);
		__ASSERT(i < SLOTS, "frame 0x%lx is backed by nothing", k_mem_page_frame_to_phys(pf));
	} else if (count_of(FREE) + count_of(CACHED) < needed) {
		return -ENOMEM;
	}
	if (i == SLOTS) {
		i = find_slot(FREE);
	}
	if (i == SLOTS) {
		i = steal_slot();
	}
	slots[i].use = OUT;
	*location = i * PAGE;
	return 0;
}

void k_mem_paging_backing_store_location_free(uintptr_t location)
{
	slots[location / PAGE].use = FREE;
}

void k_mem_paging_backing_store_page_out(uintptr_t location)
{
	module_backed_store_page_outs++;
	(void)memcpy(bytes[location / PAGE], K_MEM_SCRATCH_PAGE, PAGE);
}

void k_mem_paging_backing_store_page_in(uintptr_t location)
{
	module_backed_store_page_ins++;
	(void)memcpy(K_MEM_SCRATCH_PAGE, bytes[location / PAGE], PAGE);
}

void k_mem_paging_backing_store_page_finalize(struct k_mem_page_frame *pf, uintptr_t location)
{
	size_t stale = cached_for(pf);

	if (stale < SLOTS) {
		slots[stale].use = FREE;
	}
#ifdef CONFIG_DEMAND_MAPPING
	/* Pages that were never touched come from nowhere. The flag may be of the frame's page before. */
	if (location == ARCH_UNPAGED_ANON_ZERO || location == ARCH_UNPAGED_ANON_UNINIT) {
		k_mem_page_frame_clear(pf, K_MEM_PAGE_FRAME_BACKED);
		return;
	}
#endif
	slots[location / PAGE].use = CACHED;
	slots[location / PAGE].pf = pf;
	slots[location / PAGE].virt = k_mem_page_frame_to_virt(pf);
	k_mem_page_frame_set(pf, K_MEM_PAGE_FRAME_BACKED);
}

void k_mem_paging_backing_store_init(void)
{
	__ASSERT_NO_MSG(count_of(FREE) == SLOTS);
}
