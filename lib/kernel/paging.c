/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Paging: the one sequence by which pages come in and go out; here how they come in, and what happens at the ends of both.
 *
 * Theory of operation. To bring a page in: its entry becomes BUSY_IN; a frame is had, free or from a victim; the frame is
 * filled through the direct map, where no program sees it; the page is exposed with its final permission; the store is told
 * (page_finalize), the policy is told (add), and whoever waited is woken. How one goes out, and where frames come
 * from, is in paging_out.c.
 *
 * What fails is undone to the state before: a page that cannot be written stays in (its next access traps and finds it), one
 * that cannot be read stays out, and locations and frames go back where they came from.
 *
 * Store I/O runs with the kernel lock released; BUSY keeps the page. Whoever finds a page BUSY, or no frame while others have
 * some in transit, waits for `changed`, which is woken at the end of every transit.
 *
 * Host mappings. Where the host has no mapping left to expose a page, everything evictable is concealed, which merges
 * mappings by the thousand, and the call is repeated.
 *
 * Invariants: P1 `transit` is the number of frames with BUSY. P2 a frame with the policy is evictable. P3 an evictable frame
 * is with the policy.
 */
#include "kernel/paging.h"

#include <errno.h>
#include <string.h>

#include "host/assert.h"
#include "kernel/frame.h"
#include "kernel/kernel.h"
#include "kernel/ondemand.h"
#include "kernel/paging_section.h"
#include "kernel/stats.h"
#include "machine/mmu.h"

static struct {
	/* guarded by the kernel lock */
	size_t transit;            /* frames in transit */
	struct kmem_waitq changed; /* a transit ended */
} paging;

void kmem_paging_init(void)
{
	memset(&paging, 0, sizeof(paging));
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

void kmem_paging_change_wake(void)
{
	kmem_waitq_wake(&paging.changed);
}

int kmem_paging_store_io(bool is_read, uintptr_t location, void *bytes)
{
	uint64_t since;
	int ret;

	kmem_lock_release(&kmem_kernel.lock);
	since = kmem_stats_clock();
	ret = is_read ? kmem_store_page_in(&kmem_kernel.store, location, bytes)
		      : kmem_store_page_out(&kmem_kernel.store, location, bytes);
	kmem_lock_acquire(&kmem_kernel.lock);
	kmem_stats_store(is_read, since, ret);
	return ret;
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

/* Conceal the evictable pages of one region. */
static int region_relieve(const struct kmem_region *region, void *arg)
{
	(void)arg;
	if (region->kind == KMEM_REGION_ANON || region->kind == KMEM_REGION_UNPAGED) {
		(void)kmem_mmu_accessed_clear(region->addr, region->size, is_evictable_phys);
	}
	return 0;
}

void kmem_page_accessed_clear_all(void)
{
	kmem_region_index_each(&kmem_kernel.index, region_relieve, NULL);
}

void kmem_paging_relieve(void)
{
	kmem_mmu_relief_begin();
	kmem_page_accessed_clear_all();
	kmem_mmu_relief_end();
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

/* Let an access to a resident page through, and pin it if asked. */
static int page_resident(struct kmem_paging_request *request, kmem_pte pte)
{
	struct k_mem_page_frame *pf = kmem_paging_frame_of(request->addr);
	bool is_write = (request->is_write || request->is_pin) && (pte & K_MEM_PERM_RW) != 0;
	int ret;

	request->was_in = true;
	if ((pte & KMEM_PTE_PRIVATE) != 0) {
		return 0; /* the program's: resident, and pinned */
	}
	ret = KMEM_RELIEVED(kmem_mmu_page_access(request->addr, is_write));
	if (ret != 0) {
		request->kind = KMEM_FAULT_HOST;
		return ret;
	}
	if (pf == NULL) {
		return 0;
	}
	if (request->is_pin) {
		kmem_paging_policy_remove(pf);
		k_mem_page_frame_set(pf, K_MEM_PAGE_FRAME_PINNED);
	} else if (kmem_pte_get(request->addr) != pte && kmem_kernel.settings.demand_paging) {
		kmem_eviction_accessed(&kmem_kernel.eviction, pf);
	}
	return 0;
}

/* Fill the bytes of a page with what the location stands for. Drops the lock for store I/O. */
static int fill(void *bytes, uint64_t location)
{
	if (location == KMEM_LOCATION_ANON_UNINIT) {
		return 0;
	}
	if (location == KMEM_LOCATION_ANON_ZERO) {
		memset(bytes, 0, kmem_page_size());
		return 0;
	}
	if (kmem_ondemand_is_location(location)) {
		return kmem_ondemand_read(location, bytes);
	}
	return kmem_paging_store_io(true, location, bytes);
}

/* The page that is OUT comes in. */
static int page_fetch(struct kmem_paging_request *request, kmem_pte pte)
{
	uint64_t location = kmem_pte_addr(pte);
	bool is_anon = kmem_paging_is_anon_location(location);
	/* A page that was never out is dirty: nothing holds its bytes but the frame. */
	bool is_dirty = is_anon || request->is_write || (request->is_pin && (pte & K_MEM_PERM_RW) != 0);
	struct k_mem_page_frame *pf;
	int ret;

	kmem_mmu_page_in_begin(request->addr);
	ret = kmem_paging_frame_get(true, request->addr, kmem_pte_flags(pte), &pf);
	if (ret != 0) {
		request->kind = KMEM_FAULT_NO_MEMORY;
		goto undo;
	}
	ret = fill(kmem_mmu_bytes(request->addr, kmem_frame_phys(pf)), location);
	if (ret != 0) {
		request->kind = KMEM_FAULT_STORE;
		goto put;
	}
	ret = KMEM_RELIEVED(kmem_mmu_page_in_end(request->addr, kmem_frame_phys(pf), is_dirty));
	if (ret != 0) {
		request->kind = KMEM_FAULT_HOST;
		goto put;
	}
	pf->va_and_flags |= request->addr | K_MEM_PAGE_FRAME_MAPPED;
	if (!is_anon && !kmem_ondemand_is_location(location)) {
		kmem_store_page_finalize(&kmem_kernel.store, pf, location);
	}
	kmem_paging_transit_end(pf);
	if (request->is_pin) {
		k_mem_page_frame_set(pf, K_MEM_PAGE_FRAME_PINNED);
	} else {
		kmem_paging_policy_add(pf);
	}
	kmem_stats_pagefault();
	return 0;

put:
	kmem_mmu_page_drop(request->addr, kmem_frame_phys(pf));
	kmem_paging_frame_put(pf);
undo:
	kmem_mmu_page_in_undo(request->addr);
	kmem_waitq_wake(&paging.changed);
	return ret;
}

int kmem_paging_page_in(struct kmem_paging_request *request)
{
	request->was_in = false;
	request->kind = KMEM_FAULT_NONE;
	for (;;) {
		kmem_pte pte = kmem_pte_get(request->addr);

		switch (kmem_pte_state(pte)) {
		case KMEM_PTE_IN:
			return page_resident(request, pte);
		case KMEM_PTE_OUT:
			return page_fetch(request, pte);
		case KMEM_PTE_BUSY_IN:
		case KMEM_PTE_BUSY_OUT:
			kmem_paging_transit_wait();
			break;
		case KMEM_PTE_GUARD:
			request->kind = KMEM_FAULT_GUARD;
			return -EFAULT;
		case KMEM_PTE_UNMAPPED:
		default:
			request->kind = KMEM_FAULT_UNMAPPED;
			return -EFAULT;
		}
	}
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
	while (paging.transit > 0) {
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
