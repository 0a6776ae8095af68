/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inspection: what runs, what is mapped, how RAM and store are used. Reads everything, changes nothing.
 */
#include <errno.h>

#include "host/log.h"
#include "kernel/frame.h"
#include "kernel/kernel.h"
#include "kernel/paging.h"
#include "kernel/stats.h"
#include "machine/mappings.h"
#include "machine/mmu.h"

int kmem_setup_get(struct kmem_setup *setup)
{
	if (!kmem_is_booted()) {
		return -ENODEV;
	}
	*setup = (struct kmem_setup){
		.engine = kmem_kernel.engine_name,
		.engine_reason = kmem_kernel.engine_reason,
		.policy = "none",
		.store = "none",
	};
	if (kmem_kernel.settings.demand_paging) {
		setup->policy = kmem_kernel.settings.policy_ops->name;
		setup->store = kmem_kernel.settings.store_ops->name;
	}
	return 0;
}

int kmem_region_walk(int (*visit)(const struct kmem_region_info *region, void *arg), void *arg)
{
	if (!kmem_is_booted()) {
		return -ENODEV;
	}
	return kmem_region_index_walk(&kmem_kernel.index, visit, arg);
}

static enum kmem_page_state state_of(kmem_pte pte)
{
	switch (kmem_pte_state(pte)) {
	case KMEM_PTE_GUARD:
		return KMEM_PAGE_STATE_GUARD;
	case KMEM_PTE_OUT:
		return KMEM_PAGE_STATE_OUT;
	case KMEM_PTE_IN:
		return KMEM_PAGE_STATE_IN;
	case KMEM_PTE_BUSY_IN:
	case KMEM_PTE_BUSY_OUT:
		return KMEM_PAGE_STATE_BUSY;
	default:
		return KMEM_PAGE_STATE_UNMAPPED;
	}
}

/* Whether the page has a frame of its own that is pinned. The frame's word is read once: it may change meanwhile. */
static bool is_pinned(uintptr_t page, uintptr_t phys)
{
	struct k_mem_page_frame *pf = kmem_frame_at(phys);
	struct k_mem_page_frame copy;

	if (pf == NULL) {
		return false;
	}
	copy.va_and_flags = __atomic_load_n(&pf->va_and_flags, __ATOMIC_RELAXED);
	return !k_mem_page_frame_is_free(&copy) && k_mem_page_frame_is_mapped(&copy) &&
	       (uintptr_t)k_mem_page_frame_to_virt(&copy) == page && k_mem_page_frame_is_pinned(&copy);
}

int kmem_page_status_get(const void *addr, struct kmem_page_status *status)
{
	uintptr_t page;
	kmem_pte pte;

	if (!kmem_is_booted()) {
		return -ENODEV;
	}
	if (!kmem_page_table_covers((uintptr_t)addr)) {
		return -EFAULT;
	}
	page = kmem_page_floor((uintptr_t)addr);
	pte = kmem_pte_get(page);
	*status = (struct kmem_page_status){.state = state_of(pte), .flags = kmem_pte_flags(pte)};
	if (status->state == KMEM_PAGE_STATE_OUT) {
		status->location = kmem_pte_addr(pte);
	}
	if (status->state == KMEM_PAGE_STATE_IN) {
		status->phys = kmem_pte_addr(pte);
		status->accessed = (pte & KMEM_PTE_ACCESSED) != 0;
		status->dirty = (pte & KMEM_PTE_DIRTY) != 0;
		status->pinned = is_pinned(page, status->phys);
	}
	return 0;
}

static void frames_count(struct kmem_usage *usage)
{
	const struct kmem_frames *all = kmem_frame_all();

	usage->frames = all->count;
	usage->frames_free = kmem_frame_free_count();
	for (size_t i = 0; i < all->count; i++) {
		struct k_mem_page_frame *pf = &all->first[i];

		if (k_mem_page_frame_is_free(pf)) {
			continue;
		}
		usage->frames_reserved += k_mem_page_frame_is_reserved(pf) ? 1 : 0;
		usage->frames_mapped += k_mem_page_frame_is_mapped(pf) ? 1 : 0;
		usage->frames_pinned += k_mem_page_frame_is_mapped(pf) && k_mem_page_frame_is_pinned(pf) ? 1 : 0;
	}
}

/* Pages with frames of their own, in anonymous and unpaged regions. */
static int region_count(const struct kmem_region *region, void *arg)
{
	struct kmem_usage *usage = arg;

	usage->regions++;
	usage->region_bytes += region->size;
	if (region->kind == KMEM_REGION_ANON || region->kind == KMEM_REGION_UNPAGED) {
		uintptr_t end = region->addr + region->size;

		for (uintptr_t page = kmem_pte_held_next(region->addr, end); page < end;
		     page = kmem_pte_held_next(page + kmem_page_size(), end)) {
			usage->pages_in += kmem_pte_state(kmem_pte_get(page)) == KMEM_PTE_IN ? 1 : 0;
		}
	}
	return 0;
}

/* The results below are copied with no lock held, since the caller's memory may be paged. */

int kmem_usage_get(struct kmem_usage *usage)
{
	struct kmem_usage copy = {.frames = 0};
	kmem_sigmask saved;

	if (!kmem_is_booted()) {
		return -ENODEV;
	}
	kmem_kernel_lock(&saved);
	frames_count(&copy);
	kmem_region_index_each(&kmem_kernel.index, region_count, &copy);
	if (kmem_kernel.settings.demand_paging) {
		kmem_store_usage_get(&kmem_kernel.store, &copy.store);
	}
	kmem_kernel_unlock(&saved);
	*usage = copy;
	return 0;
}

size_t k_mem_free_get(void)
{
	size_t reserve;
	size_t free_frames;
	kmem_sigmask saved;

	if (kmem_kernel_ready() != 0) {
		return 0;
	}
	reserve = kmem_kernel.settings.demand_paging ? kmem_kernel.settings.frames_reserve : 0;
	kmem_kernel_lock(&saved);
	free_frames = kmem_frame_free_count();
	kmem_kernel_unlock(&saved);
	return free_frames > reserve ? (free_frames - reserve) * kmem_page_size() : 0;
}

int kmem_stats_get(struct kmem_stats *stats)
{
	struct kmem_stats copy;
	kmem_sigmask saved;

	if (!kmem_is_booted()) {
		return -ENODEV;
	}
	if (!kmem_kernel.settings.stats) {
		return -ENOTSUP;
	}
	kmem_kernel_lock(&saved);
	copy = *kmem_stats_all();
	kmem_kernel_unlock(&saved);
	*stats = copy;
	return 0;
}

int kmem_histogram_get(enum kmem_histogram_kind kind, struct kmem_histogram *histogram)
{
	struct kmem_histogram copy;
	kmem_sigmask saved;

	if (!kmem_is_booted()) {
		return -ENODEV;
	}
	if ((unsigned int)kind > KMEM_HISTOGRAM_PAGE_OUT) {
		return -EINVAL;
	}
	if (!kmem_kernel.settings.timing) {
		return -ENOTSUP;
	}
	kmem_kernel_lock(&saved);
	copy = *kmem_stats_histogram(kind);
	kmem_kernel_unlock(&saved);
	*histogram = copy;
	return 0;
}

static int region_check(const struct kmem_region *region, void *arg)
{
	(void)arg;
	return kmem_mmu_is_valid(region->addr, region->size, true) ? 0 : -EINVAL;
}

static bool check(bool is_valid, const char *what)
{
	if (!is_valid) {
		kmem_log(KMEM_LOG_ERROR, "invariants of the %s do not hold", what);
	}
	return is_valid;
}

bool kmem_is_valid(void)
{
	kmem_sigmask saved;
	bool is_valid;

	if (!kmem_is_booted()) {
		return true;
	}
	kmem_kernel_lock(&saved);
	is_valid = check(kmem_region_map_is_valid(&kmem_kernel.map), "region map") &&
		   check(kmem_region_index_is_valid(&kmem_kernel.index), "region index") &&
		   check(kmem_region_index_each(&kmem_kernel.index, region_check, NULL) == 0, "page table") &&
		   check(kmem_frame_is_valid(), "frame database") && check(kmem_paging_is_valid(), "paging") &&
		   check(kmem_mappings_is_valid(), "host mappings");
	if (is_valid && kmem_kernel.settings.demand_paging) {
		is_valid = check(kmem_eviction_is_valid(&kmem_kernel.eviction), "eviction policy");
	}
	kmem_kernel_unlock(&saved);
	return is_valid;
}
