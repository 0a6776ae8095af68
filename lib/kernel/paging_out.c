/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Paging out: how pages leave their frames, and how whoever needs a frame gets one. See paging.c for the rest.
 *
 * Theory of operation. Pages go out in *batches*, of one page where neither read-ahead nor the cleaner is configured. For each of them: the
 * store gives a location, the entry becomes BUSY_OUT, and the policy is told (remove). Then all are concealed together; those that are
 * dirty, or that the store has no copy of, are written together; and each entry becomes OUT, or what it was before. A batch is in ascending
 * order of addresses, so that neighbours share a host call, and get neighbouring locations, to be read together later.
 *
 * While pages are concealed the kernel lock is free, if the engine allows it, and while they are written it always is.
 */
#include <errno.h>

#include "host/assert.h"
#include "host/thread.h"
#include "kernel/frame.h"
#include "kernel/kernel.h"
#include "kernel/ondemand.h"
#include "kernel/paging.h"
#include "kernel/paging_batch.h"
#include "kernel/stats.h"
#include "machine/mmu.h"

const char kmem_paging_store_full[] = "the backing store is full";

int kmem_paging_refuse(const char *why, int error)
{
	kmem_thread_self()->refusal = why;
	return error;
}

void kmem_batch_init(struct kmem_batch *batch, bool is_fault, size_t limit)
{
	batch->is_fault = is_fault;
	batch->is_strict = false;
	batch->limit = limit < KMEM_PAGING_VECTOR ? limit : KMEM_PAGING_VECTOR;
	batch->count = 0;
	batch->located = 0;
	batch->error = 0;
	batch->no_location = false;
}

static int batch_refuse(struct kmem_batch *batch, const char *why, int error)
{
	batch->no_location = why == kmem_paging_store_full;
	batch->error = kmem_paging_refuse(why, error);
	return error;
}

/* The location of one page, as the store gives it; BACKED pages have one. */
static int victim_locate(struct kmem_batch *batch, struct kmem_victim *victim)
{
	int ret = 0;

	if (!victim->is_ondemand) {
		ret = kmem_store_location_get(&kmem_kernel.store, victim->pf, &victim->location, batch->is_fault && batch->located == 0);
	}
	if (ret != 0) {
		return batch_refuse(batch, kmem_paging_store_full, ret);
	}
	victim->is_located = true;
	batch->located++;
	return 0;
}

/* A place for a page in the batch. */
static size_t place_make(struct kmem_batch *batch, uintptr_t addr)
{
	size_t place = batch->count;

	while (place > 0 && batch->victims[place - 1].addr > addr) {
		batch->victims[place] = batch->victims[place - 1];
		batch->pages[place] = batch->pages[place - 1];
		place--;
	}
	batch->count++;
	return place;
}

int kmem_batch_add(struct kmem_batch *batch, struct k_mem_page_frame *pf, bool is_judged_dirty)
{
	struct kmem_victim victim = {
		.pf = pf,
		.addr = (uintptr_t)k_mem_page_frame_to_virt(pf),
		.was_backed = k_mem_page_frame_is_backed(pf),
		.was_pinned = k_mem_page_frame_is_pinned(pf),
		.is_judged_dirty = is_judged_dirty,
	};
	bool is_dirty = (kmem_pte_get(victim.addr) & KMEM_PTE_DIRTY) != 0;
	size_t place;

	victim.is_ondemand = !is_dirty && !victim.was_backed && kmem_ondemand_has(victim.addr, &victim.location);
	victim.is_written = !victim.is_ondemand && (!victim.was_backed || is_dirty);
	if (batch->limit == 1 || victim.was_backed || victim.is_ondemand) {
		int ret = victim_locate(batch, &victim);

		if (ret != 0) {
			return ret;
		}
	}
	kmem_paging_policy_remove(pf);
	kmem_paging_transit_begin(pf);
	/* From here the location is this transit's; a store must not take it for a copy that can be stolen. */
	k_mem_page_frame_clear(pf, K_MEM_PAGE_FRAME_BACKED);
	place = place_make(batch, victim.addr);
	batch->victims[place] = victim;
	batch->pages[place] = (struct kmem_mmu_page){.addr = victim.addr};
	kmem_mmu_page_out_mark(&batch->pages[place]);
	return 0;
}

/* A page that is BUSY_OUT or was never concealed stays in, with what it had. */
static void victim_stay(const struct kmem_victim *victim)
{
	struct k_mem_page_frame *pf = victim->pf;

	kmem_paging_transit_end(pf);
	if (victim->was_backed) {
		k_mem_page_frame_set(pf, K_MEM_PAGE_FRAME_BACKED);
	}
	if (!victim->was_pinned) {
		kmem_paging_policy_add(pf);
	}
	if (victim->is_located && !victim->was_backed && !victim->is_ondemand) {
		kmem_store_location_free(&kmem_kernel.store, victim->location);
	}
}

/* Pages that have no location stay in, and leave the batch. Nothing is concealed yet. */
static void unlocated_stay(struct kmem_batch *batch)
{
	size_t kept = 0;

	for (size_t i = 0; i < batch->count; i++) {
		if (!batch->victims[i].is_located) {
			kmem_mmu_page_out_unmark(&batch->pages[i]);
			victim_stay(&batch->victims[i]);
			continue;
		}
		batch->victims[kept] = batch->victims[i];
		batch->pages[kept++] = batch->pages[i];
	}
	batch->count = kept;
}

/* Locations for all that have none yet, neighbours if possible. Those that get none leave the batch. */
static void batch_locate(struct kmem_batch *batch)
{
	struct k_mem_page_frame *pfs[KMEM_PAGING_VECTOR];
	uintptr_t locations[KMEM_PAGING_VECTOR];
	size_t count = 0;
	size_t given;
	int error;

	for (size_t i = 0; i < batch->count; i++) {
		if (!batch->victims[i].is_located) {
			pfs[count++] = batch->victims[i].pf;
		}
	}
	if (count == 0) {
		return;
	}
	given = kmem_store_locations_get(&kmem_kernel.store, pfs, count, locations, batch->is_fault && batch->located == 0, &error);
	for (size_t i = 0, next = 0; i < batch->count && next < given; i++) {
		if (!batch->victims[i].is_located) {
			batch->victims[i].location = locations[next++];
			batch->victims[i].is_located = true;
		}
	}
	if (given < count) {
		(void)batch_refuse(batch, kmem_paging_store_full, error);
		unlocated_stay(batch);
	}
}

/* Conceal all pages, with the lock free where that may be. 0, or -errno with everything as it was. */
static int batch_conceal(struct kmem_batch *batch, bool *is_locked)
{
	int ret;

	if (kmem_mmu_can_unlock(batch->pages, batch->count)) {
		kmem_paging_unlock(is_locked);
	}
	ret = kmem_mmu_pages_conceal(batch->pages, batch->count);
	if (ret == -ENOMEM) {
		kmem_paging_lock(is_locked);
		ret = KMEM_RELIEVED(kmem_mmu_pages_conceal(batch->pages, batch->count));
	}
	return ret;
}

/* They have not been concealed, or not all of them. Lock held. */
static void batch_stay(struct kmem_batch *batch, int error)
{
	for (size_t i = 0; i < batch->count; i++) {
		struct kmem_mmu_page *page = &batch->pages[i];

		page->is_dirty = (page->before & KMEM_PTE_DIRTY) != 0;
		kmem_mmu_page_out_unmark(page);
		victim_stay(&batch->victims[i]);
	}
	/* What cannot be exposed again either traps, and is put right then (fault.c). */
	(void)kmem_mmu_pages_expose(batch->pages, batch->count);
	batch->count = 0;
	(void)batch_refuse(batch, "the host refuses to conceal a page", error);
}

/* What the store was asked for. */
struct store_call {
	uint64_t ns;
	size_t done, failed;
};

/* A page cannot be written. Whether others are to be tried. */
static bool victim_fail(struct kmem_batch *batch, struct kmem_victim *victim, int error)
{
	const struct kmem_victim *end = batch->victims + batch->count;

	victim->error = error;
	for (victim++; batch->is_strict && victim < end; victim++) {
		victim->error = error;
	}
	return !batch->is_strict;
}

/* Write what is to be written, without the lock; each page that the store fails to write has an error then. */
static struct store_call batch_write(struct kmem_batch *batch, bool *is_locked)
{
	struct kmem_store_io io[KMEM_PAGING_VECTOR];
	struct kmem_victim *victims[KMEM_PAGING_VECTOR];
	struct store_call call = {.done = 0};
	uint64_t since;
	size_t count = 0;

	for (size_t i = 0; i < batch->count; i++) {
		struct kmem_victim *victim = &batch->victims[i];

		if (victim->is_written) {
			io[count] = (struct kmem_store_io){victim->location, kmem_mmu_bytes(victim->addr, batch->pages[i].phys)};
			victims[count++] = victim;
		}
	}
	if (count == 0) {
		return call;
	}
	kmem_paging_unlock(is_locked);
	since = kmem_stats_clock();
	for (size_t next = 0; next < count; next++) {
		int error;
		size_t done = kmem_store_pages_out(&kmem_kernel.store, io + next, count - next, &error);

		call.done += done;
		next += done;
		if (next < count) {
			call.failed++;
			if (!victim_fail(batch, victims[next], error)) {
				break;
			}
		}
	}
	call.ns = kmem_stats_clock() - since;
	return call;
}

/* The end of a page's way out: it is out, and its frame in transit still; or it stays in. */
static bool victim_finish(struct kmem_batch *batch, struct kmem_victim *victim)
{
	if (victim->error != 0) {
		kmem_mmu_page_out_undo(victim->addr);
		victim_stay(victim);
		(void)batch_refuse(batch, "the backing store fails to write", victim->error);
		return false;
	}
	kmem_mmu_page_out_end(victim->addr, victim->location);
	victim->pf->va_and_flags = K_MEM_PAGE_FRAME_BUSY;
	if (batch->is_fault) {
		kmem_stats_eviction(victim->is_judged_dirty);
	}
	return true;
}

size_t kmem_batch_evict(struct kmem_batch *batch)
{
	struct store_call call;
	bool is_locked = true;
	size_t gone = 0;
	int ret;

	batch_locate(batch);
	if (batch->count == 0) {
		return 0;
	}
	ret = batch_conceal(batch, &is_locked);
	if (ret != 0) {
		kmem_paging_lock(&is_locked);
		batch_stay(batch, ret);
		return 0;
	}
	call = batch_write(batch, &is_locked);
	kmem_paging_lock(&is_locked);
	kmem_stats_store(false, call.ns, call.done, call.failed);
	for (size_t i = 0; i < batch->count; i++) {
		if (victim_finish(batch, &batch->victims[i])) {
			batch->victims[gone++] = batch->victims[i];
		}
	}
	batch->count = gone;
	return gone;
}

int kmem_paging_pages_out(struct k_mem_page_frame *const *pfs, size_t count, bool is_strict)
{
	struct kmem_batch batch;

	kmem_assert(count <= KMEM_PAGING_VECTOR);
	kmem_batch_init(&batch, false, count);
	batch.is_strict = is_strict;
	for (size_t i = 0; i < count && batch.error == 0; i++) {
		(void)kmem_batch_add(&batch, pfs[i], false);
	}
	count = kmem_batch_evict(&batch);
	for (size_t i = 0; i < count; i++) {
		kmem_paging_frame_put(batch.victims[i].pf);
	}
	return batch.error;
}
