/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Paging: the one sequence by which pages come in and go out.
 *
 * Theory of operation. To bring a page in: its entry becomes BUSY_IN; a frame is had, free or from a victim; the frame is
 * filled through the direct map, where no program sees it; the page is exposed with its final permission; the store is told
 * (page_finalize), the policy is told (add), and whoever waited is woken. To send one out: the store gives a location, the
 * entry becomes BUSY_OUT and is concealed, the policy is told (remove), the bytes are written if the page is dirty or the
 * store has no copy, and the entry becomes OUT.
 *
 * What fails is undone to the state before: a page that cannot be written stays in (its next access traps and finds it), one
 * that cannot be read stays out, and locations and frames go back where they came from.
 *
 * Store I/O runs with the kernel lock released; BUSY keeps the page. Whoever finds a page BUSY, or no frame while others have
 * some in transit, waits for `changed`, which is woken at the end of every transit.
 *
 * Victims. The policy chooses; if the store cannot take the page, another is chosen, VICTIMS_MAX times, and then any page
 * that is clean and BACKED, which needs nothing of the store. If the store has no location while other threads have transits
 * under way, their end may free one: wait. A thread that waits holds no frame, so the last of them to wait is woken by one
 * that does not, and if none has a frame in transit nobody waits: no deadlock.
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
#include "host/thread.h"
#include "kernel/frame.h"
#include "kernel/kernel.h"
#include "kernel/ondemand.h"
#include "kernel/stats.h"
#include "machine/mmu.h"
#include "machine/ram.h"

/* How many victims that the store refuses are tried: enough to pass over bad spots, few enough to end. */
#define VICTIMS_MAX 8

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

/* Wait for the end of somebody's transit. Drops the lock. */
static void wait_changed(void)
{
	kmem_stats_wait();
	kmem_paging_change_wait();
}

static void transit_begin(struct k_mem_page_frame *pf)
{
	k_mem_page_frame_set(pf, K_MEM_PAGE_FRAME_BUSY);
	paging.transit++;
}

static void transit_end(struct k_mem_page_frame *pf)
{
	k_mem_page_frame_clear(pf, K_MEM_PAGE_FRAME_BUSY);
	paging.transit--;
	kmem_waitq_wake(&paging.changed);
}

/* Call the store with the kernel lock released. */
static int store_io(bool is_read, uintptr_t location, struct k_mem_page_frame *pf)
{
	void *bytes = kmem_ram_bytes(kmem_frame_phys(pf));
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

static void policy_add(struct k_mem_page_frame *pf)
{
	if (kmem_kernel.settings.demand_paging) {
		kmem_eviction_add(&kmem_kernel.eviction, pf);
	}
}

static void policy_remove(struct k_mem_page_frame *pf)
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

/* Remember, for the explanation of a fatal error, why there is no frame. */
static int refuse(const char *why, int error)
{
	kmem_thread_self()->refusal = why;
	return error;
}

/*
 * Send the page in pf out and leave the frame in transit, empty. *no_location tells a store that is full from one that
 * fails. Drops the lock where the page is written.
 */
static int evict(struct k_mem_page_frame *pf, bool is_fault, bool *no_location)
{
	uintptr_t addr = (uintptr_t)k_mem_page_frame_to_virt(pf);
	bool was_backed = k_mem_page_frame_is_backed(pf);
	bool was_pinned = k_mem_page_frame_is_pinned(pf);
	bool was_written = (kmem_pte_get(addr) & KMEM_PTE_DIRTY) != 0;
	uintptr_t location = 0;
	bool is_ondemand = !was_written && !was_backed && kmem_ondemand_has(addr, &location);
	bool is_dirty = !is_ondemand && (!was_backed || was_written);
	int ret = 0;

	*no_location = false;
	if (!is_ondemand) {
		ret = kmem_store_location_get(&kmem_kernel.store, pf, &location, is_fault);
	}
	if (ret != 0) {
		*no_location = true;
		return refuse("the backing store is full", ret);
	}
	ret = KMEM_RELIEVED(kmem_mmu_page_out_begin(addr));
	if (ret != 0) {
		(void)refuse("the host refuses to conceal a page", ret);
		goto give_back;
	}
	policy_remove(pf);
	/* From here the location is this transit's; a store must not take it for a copy that can be stolen. */
	k_mem_page_frame_clear(pf, K_MEM_PAGE_FRAME_BACKED);
	transit_begin(pf);
	if (is_dirty) {
		ret = store_io(false, location, pf);
	}
	if (ret != 0) {
		(void)refuse("the backing store fails to write", ret);
		kmem_mmu_page_out_undo(addr);
		transit_end(pf);
		if (was_backed) {
			k_mem_page_frame_set(pf, K_MEM_PAGE_FRAME_BACKED);
		}
		if (!was_pinned) {
			policy_add(pf);
		}
		goto give_back;
	}
	kmem_mmu_page_out_end(addr, location);
	pf->va_and_flags = K_MEM_PAGE_FRAME_BUSY;
	kmem_waitq_wake(&paging.changed);
	return 0;

give_back:
	if (!was_backed && !is_ondemand) {
		kmem_store_location_free(&kmem_kernel.store, location);
	}
	return ret;
}

/* Whether a page can go out without the store: clean, with a copy kept there or in the program's file. */
static bool is_clean(struct k_mem_page_frame *pf)
{
	uintptr_t addr = (uintptr_t)k_mem_page_frame_to_virt(pf);
	uint64_t location;

	return (kmem_pte_get(addr) & KMEM_PTE_DIRTY) == 0 &&
	       (k_mem_page_frame_is_backed(pf) || kmem_ondemand_has(addr, &location));
}

/* A victim that asks nothing of the store. */
static struct k_mem_page_frame *clean_victim(void)
{
	const struct kmem_frames *all = kmem_frame_all();

	for (size_t i = 0; i < all->count; i++) {
		struct k_mem_page_frame *pf = &all->first[i];

		if (k_mem_page_frame_is_evictable(pf) && is_clean(pf)) {
			return pf;
		}
	}
	return NULL;
}

/* A free frame with memory behind it; *error tells why a free one cannot be used. */
static struct k_mem_page_frame *free_frame(int *error)
{
	struct k_mem_page_frame *pf = kmem_frame_get();
	int ret;

	if (pf == NULL) {
		return NULL;
	}
	ret = kmem_ram_populate(kmem_frame_phys(pf));
	if (ret != 0) {
		kmem_frame_put(pf);
		*error = refuse("the host has no memory for a frame", ret);
		return NULL;
	}
	transit_begin(pf);
	return pf;
}

/* Ask the policy, timed in a fault. */
static struct k_mem_page_frame *select_victim(bool is_fault, bool *dirty)
{
	uint64_t since = kmem_stats_clock();
	struct k_mem_page_frame *pf = kmem_eviction_select(&kmem_kernel.eviction, dirty);

	if (is_fault && pf != NULL) {
		kmem_stats_select(since);
	}
	return pf;
}

int kmem_paging_frame_get(bool is_fault, struct k_mem_page_frame **pf)
{
	unsigned int refusals = 0;
	int error = refuse("no page can go out: all are pinned or mapped otherwise", -ENOMEM);

	for (;;) {
		bool no_location;
		bool dirty = false;
		int ret;

		*pf = free_frame(&error);
		if (*pf != NULL) {
			return 0;
		}
		if (!kmem_kernel.settings.demand_paging) {
			return error;
		}
		*pf = refusals < VICTIMS_MAX ? select_victim(is_fault, &dirty) : clean_victim();
		if (*pf == NULL) {
			if (paging.transit > 0 && refusals == 0) {
				wait_changed();
				continue;
			}
			return error;
		}
		ret = evict(*pf, is_fault, &no_location);
		if (ret == 0) {
			if (is_fault) {
				kmem_stats_eviction(dirty);
			}
			return 0;
		}
		if (no_location && !is_fault) {
			return ret;
		}
		if (no_location && paging.transit > 0) {
			wait_changed();
			continue;
		}
		if (refusals >= VICTIMS_MAX) {
			return ret; /* not even the clean one: it is the host that refuses */
		}
		error = ret;
		refusals = no_location ? VICTIMS_MAX : refusals + 1;
	}
}

void kmem_paging_frame_put(struct k_mem_page_frame *pf)
{
	kmem_assert(pf->va_and_flags == K_MEM_PAGE_FRAME_BUSY);
	transit_end(pf);
	kmem_frame_put(pf);
}

void kmem_paging_frame_hold(struct k_mem_page_frame *pf, uintptr_t addr, bool pinned)
{
	kmem_assert(pf->va_and_flags == K_MEM_PAGE_FRAME_BUSY);
	pf->va_and_flags |= addr | K_MEM_PAGE_FRAME_MAPPED | (pinned ? K_MEM_PAGE_FRAME_PINNED : 0);
	transit_end(pf);
	if (!pinned) {
		policy_add(pf);
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

	policy_remove(pf);
	if (k_mem_page_frame_is_backed(pf) &&
	    kmem_store_location_get(&kmem_kernel.store, pf, &location, true) == 0 && location != named) {
		kmem_store_location_free(&kmem_kernel.store, location);
	}
	pf->va_and_flags = 0;
	kmem_frame_put(pf);
	/* Whoever found no frame may have one now. */
	kmem_waitq_wake(&paging.changed);
}

void kmem_paging_unpin(struct k_mem_page_frame *pf)
{
	k_mem_page_frame_clear(pf, K_MEM_PAGE_FRAME_PINNED);
	policy_add(pf);
	kmem_waitq_wake(&paging.changed);
}

int kmem_paging_page_out(struct k_mem_page_frame *pf)
{
	bool no_location;
	int ret = evict(pf, false, &no_location);

	if (ret == 0) {
		kmem_paging_frame_put(pf);
	}
	return ret;
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
		policy_remove(pf);
		k_mem_page_frame_set(pf, K_MEM_PAGE_FRAME_PINNED);
	} else if (kmem_pte_get(request->addr) != pte && kmem_kernel.settings.demand_paging) {
		kmem_eviction_accessed(&kmem_kernel.eviction, pf);
	}
	return 0;
}

/* Fill a frame with what the location stands for. Drops the lock for store I/O. */
static int fill(struct k_mem_page_frame *pf, uint64_t location)
{
	if (location == KMEM_LOCATION_ANON_UNINIT) {
		return 0;
	}
	if (location == KMEM_LOCATION_ANON_ZERO) {
		memset(kmem_ram_bytes(kmem_frame_phys(pf)), 0, kmem_page_size());
		return 0;
	}
	if (kmem_ondemand_is_location(location)) {
		return kmem_ondemand_read(location, kmem_ram_bytes(kmem_frame_phys(pf)));
	}
	return store_io(true, location, pf);
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
	ret = kmem_paging_frame_get(true, &pf);
	if (ret != 0) {
		request->kind = KMEM_FAULT_NO_MEMORY;
		goto undo;
	}
	ret = fill(pf, location);
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
	transit_end(pf);
	if (request->is_pin) {
		k_mem_page_frame_set(pf, K_MEM_PAGE_FRAME_PINNED);
	} else {
		policy_add(pf);
	}
	kmem_stats_pagefault();
	return 0;

put:
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
			wait_changed();
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

void kmem_paging_settle(uintptr_t addr, size_t size)
{
	uintptr_t page = addr;

	while (page < addr + size) {
		if (kmem_pte_is_busy(kmem_pte_get(page))) {
			kmem_paging_change_wait();
			page = addr;
			continue;
		}
		page += kmem_page_size();
	}
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
