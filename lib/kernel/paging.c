/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Paging: the one sequence by which pages come in and go out; here what happens at the ends of both. How pages come in is in paging_in.c,
 * how they go out in paging_out.c, and where frames come from in paging_frame.c.
 *
 * Theory of operation. Pages are moved in vectors: all of them BUSY first, the host called once for all, if it can be, and the store, and
 * then each entry written. Where read-ahead and cleaner are off a vector has one page. What fails is undone to the state before, page by
 * page: one that cannot be written stays in (its next access traps and finds it), one that cannot be read stays out, and locations and
 * frames go back where they came from.
 *
 * Store I/O runs with the kernel lock released, and so do the host calls, where the engine allows it; BUSY keeps the page. Whoever finds a
 * page BUSY, or no frame while others have some in transit, waits for `changed`, which is woken at the end of every transit.
 *
 * Host mappings. Where the host has no mapping left to expose a page, others are concealed, which gives some back, and the call is
 * repeated (relief.c); for neighbours that are read ahead it is not worth more than that: they are left out then.
 *
 * Invariants: P1 `transit` is the number of frames with BUSY. P2 a frame with the policy is evictable. P3 an evictable frame
 * is with the policy.
 */
#include "kernel/paging.h"

#include <errno.h>
#include <string.h>

#include "host/assert.h"
#include "kernel/fork.h"
#include "kernel/frame.h"
#include "kernel/kernel.h"
#include "kernel/ondemand.h"
#include "kernel/paging_section.h"
#include "kernel/readahead.h"
#include "kernel/stats.h"
#include "machine/mmu.h"

static struct {
	/* constant while booted */
	size_t batch; /* pages that a fault sends out at once */

	/* guarded by the kernel lock */
	size_t transit;            /* frames in transit */
	size_t arrivals;           /* pages that are BUSY_IN, with a frame in transit or without one yet */
	struct kmem_waitq changed; /* a transit ended */
} paging;

/* Pages that go out together: as many as share the price of an interrupt to other processors well, and of all frames one in so many. */
#define BATCH_PAGES 16U
#define BATCH_SHARE 16U
/* Pages that come in together are no more than one in so many. */
#define WINDOW_SHARE 8U

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

void kmem_paging_init(void)
{
	const struct kmem_settings *settings = &kmem_kernel.settings;
	size_t frames = kmem_frame_all()->count;
	size_t window = least(settings->readahead, frames / WINDOW_SHARE);
	/* Zephyr's modules see a page at a time. */
	bool is_single = kmem_kernel.is_paging_programs || (settings->readahead <= 1 && settings->cleaner_frames == 0);

	memset(&paging, 0, sizeof(paging));
	paging.batch = is_single || frames < 2 * BATCH_SHARE ? 1 : least(BATCH_PAGES, frames / BATCH_SHARE);
	kmem_readahead_init(kmem_page_size(), is_single || window < 2 ? 1 : window);
}

size_t kmem_paging_batch(void)
{
	return paging.batch;
}

bool kmem_paging_is_anon_location(uint64_t location)
{
	return location == KMEM_LOCATION_ANON_ZERO || location == KMEM_LOCATION_ANON_UNINIT;
}

void kmem_paging_transit_wait(void)
{
	kmem_stats_wait();
	kmem_paging_change_wait();
}

void kmem_paging_transit_begin(struct k_mem_page_frame *pf)
{
	k_mem_page_frame_set(pf, K_MEM_PAGE_FRAME_BUSY);
	paging.transit++;
}

void kmem_paging_transit_end(struct k_mem_page_frame *pf)
{
	k_mem_page_frame_clear(pf, K_MEM_PAGE_FRAME_BUSY);
	paging.transit--;
	kmem_waitq_wake(&paging.changed);
}

bool kmem_paging_has_transit(void)
{
	return paging.transit > 0;
}

void kmem_paging_arrival_begin(uintptr_t addr)
{
	kmem_mmu_page_in_begin(addr);
	paging.arrivals++;
}

void kmem_paging_arrival_end(void)
{
	paging.arrivals--;
	kmem_waitq_wake(&paging.changed);
}

void kmem_paging_unlock(bool *is_locked)
{
	if (*is_locked && !kmem_fork_is_window()) {
		kmem_lock_release(&kmem_kernel.lock);
		*is_locked = false;
	}
}

void kmem_paging_lock(bool *is_locked)
{
	if (!*is_locked) {
		kmem_lock_acquire(&kmem_kernel.lock);
		*is_locked = true;
	}
}

struct k_mem_page_frame *kmem_paging_frame_of(uintptr_t addr)
{
	kmem_pte pte = kmem_pte_get(addr);
	struct k_mem_page_frame *pf;

	if (kmem_pte_state(pte) != KMEM_PTE_IN) {
		return NULL;
	}
	pf = kmem_frame_at(kmem_pte_addr(pte));
	if (pf == NULL || k_mem_page_frame_is_free(pf) || !k_mem_page_frame_is_mapped(pf) ||
	    (uintptr_t)k_mem_page_frame_to_virt(pf) != addr) {
		return NULL;
	}
	return pf;
}

void kmem_paging_policy_add(struct k_mem_page_frame *pf)
{
	if (kmem_kernel.settings.demand_paging) {
		kmem_eviction_add(&kmem_kernel.eviction, pf);
	}
}

void kmem_paging_policy_remove(struct k_mem_page_frame *pf)
{
	if (kmem_kernel.settings.demand_paging && kmem_eviction_has(&kmem_kernel.eviction, pf)) {
		kmem_eviction_remove(&kmem_kernel.eviction, pf);
	}
}

static bool is_evictable_phys(uintptr_t phys)
{
	struct k_mem_page_frame *pf = kmem_frame_at(phys);

	return pf != NULL && k_mem_page_frame_is_evictable(pf);
}

/* From one region with exposed pages to the next: most have none where the VM is much larger than RAM. */
void kmem_page_accessed_clear_all(void)
{
	uintptr_t end = kmem_kernel.settings.vm_base + kmem_kernel.settings.vm_size;
	uintptr_t addr = kmem_kernel.settings.vm_base;

	while ((addr = kmem_pte_exposed_next(addr, end)) < end) {
		const struct kmem_region *region = kmem_region_index_from(&kmem_kernel.index, addr);

		if (region == NULL) {
			return;
		}
		if (region->kind == KMEM_REGION_ANON || region->kind == KMEM_REGION_UNPAGED) {
			(void)kmem_mmu_accessed_clear(region->addr, region->size, is_evictable_phys);
		}
		addr = region->addr + region->size;
	}
}

void kmem_paging_frame_put(struct k_mem_page_frame *pf)
{
	kmem_assert(pf->va_and_flags == K_MEM_PAGE_FRAME_BUSY);
	kmem_paging_transit_end(pf);
	kmem_frame_put(pf);
}

void kmem_paging_frame_hold(struct k_mem_page_frame *pf, uintptr_t addr, bool pinned)
{
	kmem_assert(pf->va_and_flags == K_MEM_PAGE_FRAME_BUSY);
	pf->va_and_flags |= addr | K_MEM_PAGE_FRAME_MAPPED | (pinned ? K_MEM_PAGE_FRAME_PINNED : 0);
	kmem_paging_transit_end(pf);
	if (!pinned) {
		kmem_paging_policy_add(pf);
	}
}

void kmem_paging_location_forget(uint64_t location)
{
	if (!kmem_paging_is_anon_location(location) && !kmem_ondemand_is_location(location)) {
		kmem_store_location_free(&kmem_kernel.store, location);
	}
}

void kmem_paging_frame_forget(struct k_mem_page_frame *pf, uint64_t named)
{
	uintptr_t location;

	kmem_paging_policy_remove(pf);
	if (k_mem_page_frame_is_backed(pf) &&
	    kmem_store_location_get(&kmem_kernel.store, pf, &location, true) == 0 && location != named) {
		kmem_store_location_free(&kmem_kernel.store, location);
	}
	pf->va_and_flags = 0;
	kmem_frame_put(pf);
	/* Whoever found no frame may have one now. */
	kmem_waitq_wake(&paging.changed);
}

void kmem_paging_forget(uintptr_t addr, size_t size)
{
	uintptr_t end = addr + size;

	for (addr = kmem_pte_held_next(addr, end); addr < end; addr = kmem_pte_held_next(addr + kmem_page_size(), end)) {
		struct k_mem_page_frame *pf = kmem_paging_frame_of(addr);

		if (pf != NULL) {
			kmem_paging_frame_forget(pf, KMEM_LOCATION_ANON_ZERO);
		} else if (kmem_pte_state(kmem_pte_get(addr)) == KMEM_PTE_OUT) {
			kmem_paging_location_forget(kmem_pte_addr(kmem_pte_get(addr)));
		}
	}
}

void kmem_paging_frame_move(struct k_mem_page_frame *pf, uintptr_t addr)
{
	bool was_evictable = k_mem_page_frame_is_evictable(pf);

	/* A policy may know frames by the addresses of their pages. */
	kmem_paging_policy_remove(pf);
	pf->va_and_flags = addr | (pf->va_and_flags & KMEM_FRAME_FLAG_MASK);
	if (was_evictable) {
		kmem_paging_policy_add(pf);
	}
}

void kmem_paging_pinned_expose(uintptr_t addr, size_t size)
{
	uintptr_t end = addr + size;

	for (addr = kmem_pte_held_next(addr, end); addr < end; addr = kmem_pte_held_next(addr + kmem_page_size(), end)) {
		struct k_mem_page_frame *pf = kmem_paging_frame_of(addr);

		if (pf != NULL && k_mem_page_frame_is_pinned(pf)) {
			(void)KMEM_RELIEVED(kmem_mmu_page_access(addr, (kmem_pte_get(addr) & K_MEM_PERM_RW) != 0));
		}
	}
}

void kmem_paging_unpin(struct k_mem_page_frame *pf)
{
	k_mem_page_frame_clear(pf, K_MEM_PAGE_FRAME_PINNED);
	kmem_paging_policy_add(pf);
	kmem_waitq_wake(&paging.changed);
}

bool kmem_paging_settle(uintptr_t addr, size_t size)
{
	uintptr_t end = addr + size;
	uintptr_t page = kmem_pte_held_next(addr, end);
	bool has_waited = false;

	while (page < end) {
		if (kmem_pte_is_busy(kmem_pte_get(page))) {
			kmem_paging_change_wait();
			page = kmem_pte_held_next(addr, end);
			has_waited = true;
			continue;
		}
		page = kmem_pte_held_next(page + kmem_page_size(), end);
	}
	return has_waited;
}

void kmem_paging_change_wait(void)
{
	kmem_waitq_wait(&paging.changed, &kmem_kernel.lock);
}

void kmem_paging_quiesce(void)
{
	while (paging.transit > 0 || paging.arrivals > 0) {
		kmem_paging_change_wait();
	}
}

unsigned int kmem_page_info_get(void *addr, uintptr_t *location, bool clear_accessed)
{
	uintptr_t page = (uintptr_t)addr;
	kmem_pte pte = kmem_page_table_covers(page) ? kmem_pte_get(page) : KMEM_PTE_UNMAPPED;
	unsigned int info = KMEM_PAGE_LOADED;

	switch (kmem_pte_state(pte)) {
	case KMEM_PTE_UNMAPPED:
	case KMEM_PTE_GUARD:
		return KMEM_PAGE_NOT_MAPPED;
	case KMEM_PTE_OUT:
	case KMEM_PTE_BUSY_IN:
		info = 0;
		break;
	default:
		info |= (pte & KMEM_PTE_ACCESSED) != 0 ? KMEM_PAGE_ACCESSED : 0;
		info |= (pte & KMEM_PTE_DIRTY) != 0 ? KMEM_PAGE_DIRTY : 0;
		break;
	}
	if (location != NULL) {
		*location = kmem_pte_addr(pte);
	}
	if (clear_accessed && (info & KMEM_PAGE_ACCESSED) != 0 && is_evictable_phys(kmem_pte_addr(pte))) {
		(void)kmem_mmu_page_accessed_clear(page);
	}
	return info;
}

/* F3, P2 and P3 of one frame. */
static bool frame_is_valid(struct k_mem_page_frame *pf)
{
	if (k_mem_page_frame_is_free(pf) || k_mem_page_frame_is_reserved(pf)) {
		return true;
	}
	if (k_mem_page_frame_is_mapped(pf) && !k_mem_page_frame_is_busy(pf)) {
		kmem_pte pte = kmem_pte_get((uintptr_t)k_mem_page_frame_to_virt(pf));

		if (kmem_pte_state(pte) != KMEM_PTE_IN || kmem_pte_addr(pte) != kmem_frame_phys(pf)) {
			return false; /* F3 */
		}
	}
	return !kmem_kernel.settings.demand_paging ||
	       k_mem_page_frame_is_evictable(pf) == kmem_eviction_has(&kmem_kernel.eviction, pf); /* P2, P3 */
}

bool kmem_paging_is_valid(void)
{
	const struct kmem_frames *all = kmem_frame_all();
	size_t busy = 0;

	for (size_t i = 0; i < all->count; i++) {
		struct k_mem_page_frame *pf = &all->first[i];

		if (!frame_is_valid(pf)) {
			return false;
		}
		busy += !k_mem_page_frame_is_free(pf) && k_mem_page_frame_is_busy(pf) ? 1 : 0;
	}
	return busy == paging.transit; /* P1 */
}
