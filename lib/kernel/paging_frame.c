/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Frames for pages that come in: free ones, or victims'. See paging_out.c for how these go.
 *
 * Victims. The policy chooses, one after the other, and each is taken from it before the next one is chosen. Frames are given to
 * neighbouring pages side by side (frame_place.c), so policies that go round the frames choose neighbours by themselves. If the store
 * cannot take a page, others are chosen, VICTIMS_MAX times, and then any page that is clean and BACKED, which needs nothing of the store.
 * If the store has no location while other threads have transits under way, their end may free one: wait. A thread that waits holds no
 * frame, so the last of them to wait is woken by one that does not, and if none has a frame in transit nobody waits: no deadlock.
 *
 * What a program goes through in order, as it has said (kmem_advise()), is worth nothing once it is behind: the pages there are taken
 * before the policy is asked, and what else is in RAM stays.
 */
#include <errno.h>

#include "kernel/cleaner.h"
#include "kernel/frame.h"
#include "kernel/frame_place.h"
#include "kernel/kernel.h"
#include "kernel/ondemand.h"
#include "kernel/paging.h"
#include "kernel/paging_batch.h"
#include "kernel/paging_section.h"
#include "kernel/stats.h"
#include "machine/mmu.h"

/* How many victims that the store refuses are tried: enough to pass over bad spots, few enough to end. */
#define VICTIMS_MAX 8

/* Steps behind a sequential access at which pages are left alone, since a record may lie across them, and that are looked at beyond. */
#define LEFT_KEPT 1
#define LEFT_LOOKED (4 * KMEM_PAGING_VECTOR)

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

/* Take what the program has left behind. */
static void batch_choose_left(struct kmem_batch *batch, const struct kmem_paging_want *want)
{
	for (intptr_t i = LEFT_KEPT + 1; i <= LEFT_LOOKED && batch->count < batch->limit; i++) {
		uintptr_t addr = want->addr - (uintptr_t)(i * want->left);
		uint64_t since = kmem_stats_clock();
		struct k_mem_page_frame *pf;

		if (!kmem_page_table_covers(addr) || (kmem_pte_get(addr) & KMEM_PTE_SEQUENTIAL) == 0) {
			return;
		}
		pf = kmem_paging_frame_of(addr);
		if (pf != NULL && k_mem_page_frame_is_evictable(pf)) {
			if (kmem_batch_add(batch, pf, (kmem_pte_get(addr) & KMEM_PTE_DIRTY) != 0) != 0) {
				return;
			}
			kmem_stats_select(since);
		}
	}
}

/* As many victims as the batch may have; none, and no error, where there is none that can go. */
static void batch_choose(struct kmem_batch *batch)
{
	while (batch->count < batch->limit) {
		bool is_dirty = false;
		struct k_mem_page_frame *pf = select_victim(batch->is_fault, &is_dirty);

		if (pf == NULL || kmem_batch_add(batch, pf, is_dirty) != 0) {
			return;
		}
	}
}

static void batch_choose_clean(struct kmem_batch *batch)
{
	struct k_mem_page_frame *pf = clean_victim();

	if (pf != NULL) {
		(void)kmem_batch_add(batch, pf, false);
	}
}

/* Memory for a frame in transit that nobody else has (after a fork: lib/machine/ram_files.c); the frame is free again if there is none. */
static int frame_prepare(struct k_mem_page_frame *pf, uintptr_t addr, uint32_t flags)
{
	int ret = kmem_mmu_page_back(addr, kmem_frame_phys(pf), flags);

	if (ret != 0) {
		kmem_paging_frame_put(pf);
		return kmem_paging_refuse("the host has no memory for a frame", ret);
	}
	return 0;
}

/* A free frame with memory behind it; *error tells why a free one cannot be used. */
static struct k_mem_page_frame *free_frame(uintptr_t addr, uint32_t flags, int *error)
{
	struct k_mem_page_frame *pf = kmem_frame_get_for(addr);
	int ret;

	if (pf == NULL) {
		return NULL;
	}
	ret = kmem_mmu_page_back(addr, kmem_frame_phys(pf), flags);
	if (ret != 0) {
		kmem_frame_put(pf);
		*error = kmem_paging_refuse("the host has no memory for a frame", ret);
		return NULL;
	}
	kmem_paging_transit_begin(pf);
	return pf;
}

/* The same for what a page wants that has others with it: all of them in a run, if there is one. */
static struct k_mem_page_frame *wanted_frame(const struct kmem_paging_want *want, int *error)
{
	kmem_frame_run_prepare_around(want->addr, want->before, want->count);
	return free_frame(want->addr, want->flags, error);
}

struct k_mem_page_frame *kmem_paging_frame_free(uintptr_t addr, uint32_t flags)
{
	int error;

	return free_frame(addr, flags, &error);
}

/* Of the frames that a batch has emptied the one there is, or that suits the page best. 0 or -errno; the others are free. */
static int frame_choose(const struct kmem_batch *batch, const struct kmem_paging_want *want, struct k_mem_page_frame **pf)
{
	int error = 0;

	if (batch->count == 1) {
		*pf = batch->victims[0].pf;
		return frame_prepare(*pf, want->addr, want->flags);
	}
	for (size_t i = 0; i < batch->count; i++) {
		kmem_paging_frame_put(batch->victims[i].pf);
	}
	*pf = wanted_frame(want, &error);
	return *pf != NULL ? 0 : error;
}

/* Free as many frames as a batch can. How many. Drops. */
static size_t room_make(const struct kmem_paging_want *want, size_t count)
{
	struct kmem_batch batch;
	size_t gone;

	kmem_batch_init(&batch, want->is_fault, count);
	if (want->left != 0) {
		batch_choose_left(&batch, want);
	}
	batch_choose(&batch);
	gone = kmem_batch_evict(&batch);
	for (size_t i = 0; i < gone; i++) {
		kmem_paging_frame_put(batch.victims[i].pf);
	}
	return gone;
}

/* Choose victims for a frame, by the policy or, once that has been refused too often, whatever asks nothing of the store. */
static void batch_fill(struct kmem_batch *batch, const struct kmem_paging_want *want, unsigned int refusals)
{
	size_t limit = want->count > kmem_paging_batch() ? want->count : kmem_paging_batch();

	kmem_batch_init(batch, want->is_fault, refusals == 0 ? limit : 1);
	if (refusals >= VICTIMS_MAX) {
		batch_choose_clean(batch);
		return;
	}
	if (want->left != 0) {
		batch_choose_left(batch, want);
	}
	batch_choose(batch);
}

int kmem_paging_frame_want(const struct kmem_paging_want *want, struct k_mem_page_frame **pf)
{
	unsigned int refusals = 0;
	int error = kmem_paging_refuse("no page can go out: all are pinned or mapped otherwise", -ENOMEM);
	struct kmem_batch batch;

	if (kmem_frame_free_count() > 0 && kmem_frame_free_count() < want->count) {
		kmem_cleaner_notice(true);
		/* For the others alone, so whatever comes of it. */
		(void)room_make(want, want->count - kmem_frame_free_count());
	}
	for (;;) {
		*pf = wanted_frame(want, &error);
		kmem_cleaner_notice(*pf == NULL);
		if (*pf != NULL) {
			return 0;
		}
		if (!kmem_kernel.settings.demand_paging) {
			return error;
		}
		batch_fill(&batch, want, refusals);
		if (batch.count == 0 && batch.error == 0) {
			if (kmem_paging_has_transit() && refusals == 0) {
				kmem_paging_transit_wait();
				continue;
			}
			return error;
		}
		if (kmem_batch_evict(&batch) > 0) {
			error = frame_choose(&batch, want, pf);
			if (error == 0 || batch.count == 1) {
				return error;
			}
			refusals++; /* a single frame is taken as it comes */
			continue;
		}
		if (batch.no_location && !want->is_fault) {
			return batch.error;
		}
		if (batch.no_location && kmem_paging_has_transit()) {
			kmem_paging_transit_wait();
			continue;
		}
		if (refusals >= VICTIMS_MAX) {
			return batch.error; /* not even the clean one: it is the host that refuses */
		}
		error = batch.error;
		refusals = batch.no_location ? VICTIMS_MAX : refusals + 1;
	}
}

int kmem_paging_frame_get(bool is_fault, uintptr_t addr, uint32_t flags, struct k_mem_page_frame **pf)
{
	const struct kmem_paging_want want = {.is_fault = is_fault, .addr = addr, .flags = flags, .count = 1};

	return kmem_paging_frame_want(&want, pf);
}

bool kmem_paging_clean(size_t frames)
{
	const struct kmem_paging_want want = {.is_fault = false};

	while (kmem_frame_free_count() < frames) {
		if (room_make(&want, frames - kmem_frame_free_count()) == 0) {
			return false;
		}
	}
	return true;
}
