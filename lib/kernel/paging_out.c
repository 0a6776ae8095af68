/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Paging out: how a page leaves its frame, and how whoever needs a frame gets one. See paging.c for the rest.
 *
 * Theory of operation. To send one out: the store gives a location, the entry becomes BUSY_OUT and is concealed, the policy is
 * told (remove), the bytes are written if the page is dirty or the store has no copy, and the entry becomes OUT.
 *
 * Victims. The policy chooses; if the store cannot take the page, another is chosen, VICTIMS_MAX times, and then any page
 * that is clean and BACKED, which needs nothing of the store. If the store has no location while other threads have transits
 * under way, their end may free one: wait. A thread that waits holds no frame, so the last of them to wait is woken by one
 * that does not, and if none has a frame in transit nobody waits: no deadlock.
 */
#include <errno.h>

#include "host/thread.h"
#include "kernel/frame.h"
#include "kernel/kernel.h"
#include "kernel/ondemand.h"
#include "kernel/paging.h"
#include "kernel/paging_section.h"
#include "kernel/stats.h"
#include "machine/mmu.h"

/* How many victims that the store refuses are tried: enough to pass over bad spots, few enough to end. */
#define VICTIMS_MAX 8

const char kmem_paging_store_full[] = "the backing store is full";

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
		return refuse(kmem_paging_store_full, ret);
	}
	ret = KMEM_RELIEVED(kmem_mmu_page_out_begin(addr));
	if (ret != 0) {
		(void)refuse("the host refuses to conceal a page", ret);
		goto give_back;
	}
	kmem_paging_policy_remove(pf);
	/* From here the location is this transit's; a store must not take it for a copy that can be stolen. */
	k_mem_page_frame_clear(pf, K_MEM_PAGE_FRAME_BACKED);
	kmem_paging_transit_begin(pf);
	if (is_dirty) {
		ret = kmem_paging_store_io(false, location, kmem_mmu_bytes(addr, kmem_frame_phys(pf)));
	}
	if (ret != 0) {
		(void)refuse("the backing store fails to write", ret);
		kmem_mmu_page_out_undo(addr);
		kmem_paging_transit_end(pf);
		if (was_backed) {
			k_mem_page_frame_set(pf, K_MEM_PAGE_FRAME_BACKED);
		}
		if (!was_pinned) {
			kmem_paging_policy_add(pf);
		}
		goto give_back;
	}
	kmem_mmu_page_out_end(addr, location);
	pf->va_and_flags = K_MEM_PAGE_FRAME_BUSY;
	kmem_paging_change_wake();
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

/* Memory for a frame in transit that nobody else has (after a fork: lib/machine/ram_files.c); the frame is free again if there is none. */
static int frame_prepare(struct k_mem_page_frame *pf, uintptr_t addr, uint32_t flags)
{
	int ret = kmem_mmu_page_back(addr, kmem_frame_phys(pf), flags);

	if (ret != 0) {
		kmem_paging_frame_put(pf);
		return refuse("the host has no memory for a frame", ret);
	}
	return 0;
}

/* A free frame with memory behind it; *error tells why a free one cannot be used. */
static struct k_mem_page_frame *free_frame(uintptr_t addr, uint32_t flags, int *error)
{
	struct k_mem_page_frame *pf = kmem_frame_get();
	int ret;

	if (pf == NULL) {
		return NULL;
	}
	ret = kmem_mmu_page_back(addr, kmem_frame_phys(pf), flags);
	if (ret != 0) {
		kmem_frame_put(pf);
		*error = refuse("the host has no memory for a frame", ret);
		return NULL;
	}
	kmem_paging_transit_begin(pf);
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

int kmem_paging_frame_get(bool is_fault, uintptr_t addr, uint32_t flags, struct k_mem_page_frame **pf)
{
	unsigned int refusals = 0;
	int error = refuse("no page can go out: all are pinned or mapped otherwise", -ENOMEM);

	for (;;) {
		bool no_location;
		bool dirty = false;
		int ret;

		*pf = free_frame(addr, flags, &error);
		if (*pf != NULL) {
			return 0;
		}
		if (!kmem_kernel.settings.demand_paging) {
			return error;
		}
		*pf = refusals < VICTIMS_MAX ? select_victim(is_fault, &dirty) : clean_victim();
		if (*pf == NULL) {
			if (kmem_paging_has_transit() && refusals == 0) {
				kmem_paging_transit_wait();
				continue;
			}
			return error;
		}
		ret = evict(*pf, is_fault, &no_location);
		if (ret == 0) {
			if (is_fault) {
				kmem_stats_eviction(dirty);
			}
			return frame_prepare(*pf, addr, flags);
		}
		if (no_location && !is_fault) {
			return ret;
		}
		if (no_location && kmem_paging_has_transit()) {
			kmem_paging_transit_wait();
			continue;
		}
		if (refusals >= VICTIMS_MAX) {
			return ret; /* not even the clean one: it is the host that refuses */
		}
		error = ret;
		refusals = no_location ? VICTIMS_MAX : refusals + 1;
	}
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
