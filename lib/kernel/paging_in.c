/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Paging in: how pages come into their frames. See paging.c for the rest.
 *
 * Theory of operation. A page that is wanted brings others along, if it belongs to a stream (readahead.c) or its caller knows of more: its
 * *neighbours*, which are the pages at the steps of the stream, in the same region, that are OUT and allow access. The entry of the page
 * becomes BUSY_IN; a frame is had, free or from a victim; each neighbour then becomes BUSY_IN, too, as long as there are free frames. The
 * bytes are read from the store together, or made zeroes, where no program sees them; the pages are exposed together, each with its final
 * permission; the store is told (page_finalize), the policy is told (add), and whoever waited is woken.
 *
 * Frames for the neighbours are asked for together with the page's own: as many victims go out as there are too few free frames. For
 * a neighbour nobody waits, and whatever fails for it undoes it alone: it stays OUT, and faults in its time.
 *
 * A neighbour is exposed for writing where the stream has been seen to write; for it the trap that would record the first write is spared.
 */
#include <errno.h>
#include <string.h>

#include "host/thread.h"
#include "kernel/frame.h"
#include "kernel/kernel.h"
#include "kernel/ondemand.h"
#include "kernel/paging.h"
#include "kernel/paging_section.h"
#include "kernel/readahead.h"
#include "kernel/stats.h"
#include "machine/mmu.h"

/* A page on its way in. */
struct arrival {
	struct k_mem_page_frame *pf;
	uint64_t location;
	bool is_asked; /* the page that was asked for */
	int error;     /* why it cannot be read */
};

/* Pages that come in together, in ascending order; those that cannot be read are put behind the others. */
struct arrivals {
	size_t count;
	size_t good;
	struct kmem_mmu_page pages[KMEM_PAGING_VECTOR];
	struct arrival items[KMEM_PAGING_VECTOR]; /* the same pages */

	/* What the store was asked for. */
	uint64_t ns;
	size_t reads, failures;
};

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
	if (is_write && request->is_trap && kmem_readahead_is_on()) {
		kmem_readahead_written(&kmem_thread_self()->streams, request->addr);
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

/* Whether a location is the store's. */
static bool is_stored(uint64_t location)
{
	return !kmem_paging_is_anon_location(location) && !kmem_ondemand_is_location(location);
}

/* The frame is in transit for the page, which is BUSY_IN. */
static void arrival_add(struct arrivals *arrivals, uintptr_t addr, const struct arrival *arrival, bool is_dirty)
{
	arrivals->pages[arrivals->count] = (struct kmem_mmu_page){
		.addr = addr,
		.phys = kmem_frame_phys(arrival->pf),
		.is_dirty = is_dirty,
		.is_exposed = true,
	};
	arrivals->items[arrivals->count] = *arrival;
	arrivals->count++;
}

/* Whether a page may be brought along. */
static bool is_neighbour(uintptr_t addr, bool may_be_new)
{
	kmem_pte pte = kmem_pte_get(addr);

	return kmem_pte_state(pte) == KMEM_PTE_OUT && (pte & KMEM_PTE_NO_ACCESS) == 0 &&
	       (may_be_new || !kmem_paging_is_anon_location(kmem_pte_addr(pte))) && !kmem_ondemand_is_location(kmem_pte_addr(pte));
}

/* What comes along with a page, from the nearest on. */
struct neighbours {
	bool is_write;   /* they will be written to */
	bool may_be_new; /* pages that were never touched may be among them */
	size_t count;
	uintptr_t addrs[KMEM_PAGING_VECTOR];
};

static void neighbours_find(struct neighbours *neighbours, const struct kmem_paging_request *request, const struct kmem_readahead *ahead)
{
	const struct kmem_region *region = ahead->pages > 1 ? kmem_region_index_find(&kmem_kernel.index, request->addr) : NULL;

	neighbours->is_write = ahead->is_write;
	neighbours->may_be_new = !request->is_ahead;
	neighbours->count = 0;
	for (size_t i = 1; region != NULL && i < ahead->pages; i++) {
		uintptr_t addr = request->addr + (uintptr_t)((intptr_t)i * ahead->step);

		/* Below the region it is far above, as a number. */
		if (addr - region->addr >= region->size) {
			return;
		}
		if (is_neighbour(addr, neighbours->may_be_new)) {
			neighbours->addrs[neighbours->count++] = addr;
		}
	}
}

/* Bring a neighbour along. False if there is no frame for it. Does not drop. */
static bool neighbour_add(struct arrivals *arrivals, uintptr_t addr, bool is_write)
{
	kmem_pte pte = kmem_pte_get(addr);
	struct arrival arrival = {.location = kmem_pte_addr(pte)};

	arrival.pf = kmem_paging_frame_free(addr, kmem_pte_flags(pte));
	if (arrival.pf == NULL) {
		return false;
	}
	kmem_paging_arrival_begin(addr);
	arrival_add(arrivals, addr, &arrival,
		    kmem_paging_is_anon_location(arrival.location) || (is_write && (pte & K_MEM_PERM_RW) != 0));
	return true;
}

static void reverse(struct arrivals *arrivals)
{
	for (size_t i = 0, j = arrivals->count - 1; i < j; i++, j--) {
		struct kmem_mmu_page page = arrivals->pages[i];
		struct arrival item = arrivals->items[i];

		arrivals->pages[i] = arrivals->pages[j];
		arrivals->items[i] = arrivals->items[j];
		arrivals->pages[j] = page;
		arrivals->items[j] = item;
	}
}

/* Bring as many along as there are free frames for. The lock may have been dropped since they were found. */
static void neighbours_add(struct arrivals *arrivals, const struct neighbours *neighbours)
{
	for (size_t i = 0; i < neighbours->count; i++) {
		if (is_neighbour(neighbours->addrs[i], neighbours->may_be_new) &&
		    !neighbour_add(arrivals, neighbours->addrs[i], neighbours->is_write)) {
			break;
		}
	}
	if (arrivals->count > 1 && arrivals->pages[0].addr > arrivals->pages[1].addr) {
		reverse(arrivals);
	}
}

/* Read pages from the store; those that cannot be read have an error then. */
static void stored_read(struct arrivals *arrivals, const struct kmem_store_io *io, const size_t *places, size_t count)
{
	uint64_t since = kmem_stats_clock();

	for (size_t next = 0; next < count; next++) {
		int error;
		size_t done = kmem_store_pages_in(&kmem_kernel.store, io + next, count - next, &error);

		arrivals->reads += done;
		next += done;
		if (next < count) {
			arrivals->items[places[next]].error = error;
			arrivals->failures++;
		}
	}
	arrivals->ns = kmem_stats_clock() - since;
}

/* Fill the bytes of all pages with what their locations stand for. Without the lock where the store is asked, or where it may be. */
static void fill(struct arrivals *arrivals, bool *is_locked)
{
	struct kmem_store_io io[KMEM_PAGING_VECTOR];
	size_t places[KMEM_PAGING_VECTOR];
	size_t count = 0;

	if (kmem_mmu_can_unlock(arrivals->pages, arrivals->count)) {
		kmem_paging_unlock(is_locked);
	}
	for (size_t i = 0; i < arrivals->count; i++) {
		void *bytes = kmem_mmu_bytes(arrivals->pages[i].addr, arrivals->pages[i].phys);
		uint64_t location = arrivals->items[i].location;

		if (location == KMEM_LOCATION_ANON_ZERO) {
			memset(bytes, 0, kmem_page_size());
		} else if (kmem_ondemand_is_location(location)) {
			arrivals->items[i].error = kmem_ondemand_read(location, bytes);
		} else if (is_stored(location)) {
			io[count] = (struct kmem_store_io){location, bytes};
			places[count++] = i;
		}
	}
	if (count > 0) {
		kmem_paging_unlock(is_locked);
		stored_read(arrivals, io, places, count);
	}
}

/* Put the pages that could be read in front, each part in its order. */
static void failed_part(struct arrivals *arrivals)
{
	size_t good = 0;

	for (size_t i = 0; i < arrivals->count; i++) {
		struct kmem_mmu_page page = arrivals->pages[i];
		struct arrival item = arrivals->items[i];

		if (item.error != 0) {
			continue;
		}
		memmove(&arrivals->pages[good + 1], &arrivals->pages[good], (i - good) * sizeof(page));
		memmove(&arrivals->items[good + 1], &arrivals->items[good], (i - good) * sizeof(item));
		arrivals->pages[good] = page;
		arrivals->items[good++] = item;
	}
	arrivals->good = good;
}

/* Expose so many first pages. 0, or -errno with all of them concealed. May leave the lock free. */
static int expose(const struct kmem_mmu_page *pages, size_t count, bool *is_locked)
{
	int ret;

	if (kmem_mmu_can_unlock(pages, count)) {
		kmem_paging_unlock(is_locked);
	} else {
		kmem_paging_lock(is_locked);
	}
	ret = kmem_mmu_pages_expose(pages, count);
	if (ret == -ENOMEM) {
		kmem_paging_lock(is_locked);
		ret = KMEM_RELIEVED(kmem_mmu_pages_expose(pages, count));
	}
	return ret;
}

/* The page does not come in after all: it is OUT, and its frame free. */
static void arrival_undo(struct arrivals *arrivals, size_t i)
{
	uintptr_t addr = arrivals->pages[i].addr;

	kmem_mmu_page_drop(addr, arrivals->pages[i].phys);
	kmem_mmu_page_in_undo(addr);
	kmem_paging_frame_put(arrivals->items[i].pf);
	kmem_paging_arrival_end();
}

/* The page is in. */
static void arrival_done(struct arrivals *arrivals, size_t i, bool is_pin)
{
	const struct arrival *item = &arrivals->items[i];
	struct k_mem_page_frame *pf = item->pf;

	kmem_mmu_page_in_done(&arrivals->pages[i]);
	pf->va_and_flags |= arrivals->pages[i].addr | K_MEM_PAGE_FRAME_MAPPED;
	if (is_stored(item->location)) {
		kmem_store_page_finalize(&kmem_kernel.store, pf, item->location);
	}
	kmem_paging_transit_end(pf);
	kmem_paging_arrival_end();
	if (is_pin) {
		k_mem_page_frame_set(pf, K_MEM_PAGE_FRAME_PINNED);
	} else {
		kmem_paging_policy_add(pf);
	}
}

/* The page that was asked for, alone in front: the others are undone. False if it is not among those that could be read. */
static bool asked_single(struct arrivals *arrivals)
{
	bool is_there = false;

	for (size_t i = 0; i < arrivals->good; i++) {
		if (arrivals->items[i].is_asked) {
			struct kmem_mmu_page page = arrivals->pages[i];
			struct arrival item = arrivals->items[i];

			arrivals->pages[i] = arrivals->pages[0];
			arrivals->items[i] = arrivals->items[0];
			arrivals->pages[0] = page;
			arrivals->items[0] = item;
			is_there = true;
		}
	}
	arrivals->good = is_there ? 1 : 0;
	return is_there;
}

/* Expose what could be read, or, if the host refuses, only what was asked for. 0, or -errno with nothing exposed. Lock held afterwards. */
static int arrivals_expose(struct arrivals *arrivals, bool *is_locked)
{
	int ret = 0;

	if (arrivals->good > 0) {
		ret = expose(arrivals->pages, arrivals->good, is_locked);
	}
	if (ret != 0 && arrivals->good > 1 && asked_single(arrivals)) {
		ret = expose(arrivals->pages, 1, is_locked);
	}
	if (ret != 0) {
		arrivals->good = 0;
	}
	kmem_paging_lock(is_locked);
	return ret;
}

/* The ends of all transits. What became of the page that was asked for: 0 or -errno. */
static int arrivals_finish(struct arrivals *arrivals, struct kmem_paging_request *request, int host_error)
{
	int ret = 0;

	for (size_t i = 0; i < arrivals->count; i++) {
		const struct arrival *item = &arrivals->items[i];

		if (i < arrivals->good) {
			arrival_done(arrivals, i, item->is_asked && request->is_pin);
			request->brought++;
			if ((item->is_asked || request->more > 0) && !request->is_ahead) {
				kmem_stats_pagefault();
			} else {
				kmem_stats_readahead(1);
			}
			continue;
		}
		if (item->is_asked) {
			request->kind = item->error != 0 ? KMEM_FAULT_STORE : KMEM_FAULT_HOST;
			ret = item->error != 0 ? item->error : host_error;
		}
		arrival_undo(arrivals, i);
	}
	return ret;
}

/* What a page that is wanted is to bring along. */
static struct kmem_readahead plan(const struct kmem_paging_request *request, kmem_pte pte)
{
	struct kmem_readahead ahead = {.pages = 1};

	if (request->more > 0) {
		size_t pages = 1 + request->more / kmem_page_size();

		ahead.step = (intptr_t)kmem_page_size();
		ahead.pages = pages < KMEM_PAGING_VECTOR ? pages : KMEM_PAGING_VECTOR;
		ahead.is_write = request->is_write || request->is_pin;
	} else if (request->is_trap && kmem_readahead_is_on() && (pte & KMEM_PTE_RANDOM) == 0) {
		ahead = kmem_readahead_fault(&kmem_thread_self()->streams, request->addr, request->is_write,
					     (pte & KMEM_PTE_SEQUENTIAL) != 0);
	}
	return ahead;
}

/* A frame for the page that is wanted, and free ones for its neighbours if victims may go out for them. */
static int frame_get(const struct kmem_paging_request *request, kmem_pte pte, const struct kmem_readahead *ahead, size_t neighbours,
		     struct k_mem_page_frame **pf)
{
	const struct kmem_paging_want want = {
		.is_fault = !request->is_ahead,
		.addr = request->addr,
		.flags = kmem_pte_flags(pte),
		.count = kmem_paging_batch() > 1 ? 1 + neighbours : 1,
		.before = ahead->step < 0 ? neighbours : 0,
		.left = (pte & KMEM_PTE_SEQUENTIAL) != 0 ? ahead->step : 0,
	};

	return kmem_paging_frame_want(&want, pf);
}

/* The page that is OUT comes in. */
static int page_fetch(struct kmem_paging_request *request, kmem_pte pte)
{
	const struct kmem_readahead ahead = plan(request, pte);
	struct arrival arrival = {.location = kmem_pte_addr(pte), .is_asked = true};
	struct neighbours neighbours;
	struct arrivals arrivals;
	bool is_locked = true;
	int ret;

	neighbours_find(&neighbours, request, &ahead);
	kmem_paging_arrival_begin(request->addr);
	ret = frame_get(request, pte, &ahead, neighbours.count, &arrival.pf);
	if (ret != 0) {
		request->kind = KMEM_FAULT_NO_MEMORY;
		kmem_mmu_page_in_undo(request->addr);
		kmem_paging_arrival_end();
		return ret;
	}
	arrivals.count = 0;
	arrivals.ns = 0;
	arrivals.reads = 0;
	arrivals.failures = 0;
	/* A page that was never out is dirty: nothing holds its bytes but the frame. */
	arrival_add(&arrivals, request->addr, &arrival,
		    kmem_paging_is_anon_location(arrival.location) || request->is_write ||
			    (request->is_pin && (pte & K_MEM_PERM_RW) != 0));
	neighbours_add(&arrivals, &neighbours);
	fill(&arrivals, &is_locked);
	failed_part(&arrivals);
	ret = arrivals_expose(&arrivals, &is_locked);
	kmem_stats_store(true, arrivals.ns, arrivals.reads, arrivals.failures);
	return arrivals_finish(&arrivals, request, ret);
}

int kmem_paging_page_in(struct kmem_paging_request *request)
{
	request->was_in = false;
	request->brought = 0;
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
