/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Segmented LRU, an eviction algorithm as a module of Zephyr's: CONFIG_EVICTION_CUSTOM and CONFIG_EVICTION_TRACKING.
 *
 * A page has to be used twice to be worth keeping. Pages come in on probation. One that is used again, after others
 * came in, becomes protected. Victims are the oldest pages on probation, so a scan, which uses each page once, evicts
 * what it brought in and leaves the protected pages alone. These make up no more than PROTECTED_PERCENT of all: then
 * the one that was not used for the longest time is on probation again.
 *
 * A use is seen where it traps, that is, where ACCESSED was cleared: of a page on probation when the next one comes
 * in, for what happens until then is still its first use; of a protected page when it comes to the head of its queue,
 * as in LRU. Everything is O(1).
 *
 * Everything here runs with interrupts locked, some of it in a page fault: there is no lock, and no paged memory is
 * touched.
 */
#include <kernel_arch_interface.h>
#include <mmu.h>
#include <zephyr/kernel/mm/demand_paging.h>
#include <zephyr/sys/__assert.h>
#include <zephyr/sys/dlist.h>

#ifndef CONFIG_EVICTION_TRACKING
#error "segmented LRU needs CONFIG_EVICTION_TRACKING"
#endif

#define PROTECTED_PERCENT 75

/* One for each frame, by index; linked while the frame is in a queue. */
struct slot {
	sys_dnode_t node;
	bool is_protected;
};

static struct slot slots[K_MEM_NUM_PAGE_FRAMES];

/* Oldest first. */
static sys_dlist_t probation = SYS_DLIST_STATIC_INIT(&probation);
static sys_dlist_t protected = SYS_DLIST_STATIC_INIT(&protected);
static size_t protected_count;
static size_t count; /* in both */

/* What came in last and is still in its first use; NULL if that was evicted, pinned or unmapped. */
static struct k_mem_page_frame *newest;

static struct slot *slot_of(struct k_mem_page_frame *pf)
{
	return &slots[pf - k_mem_page_frames];
}

static struct k_mem_page_frame *frame_of(sys_dnode_t *node)
{
	return &k_mem_page_frames[CONTAINER_OF(node, struct slot, node) - slots];
}

/* The next use of the page will be seen. */
static void watch(struct k_mem_page_frame *pf)
{
	(void)arch_page_info_get(k_mem_page_frame_to_virt(pf), NULL, true);
}

static void append(struct k_mem_page_frame *pf, bool is_protected)
{
	struct slot *slot = slot_of(pf);

	slot->is_protected = is_protected;
	sys_dlist_append(is_protected ? &protected : &probation, &slot->node);
	protected_count += is_protected ? 1 : 0;
	count++;
}

/* Out of its queue; the new head of the protected ones is watched. */
static void unlink_frame(struct k_mem_page_frame *pf)
{
	struct slot *slot = slot_of(pf);
	bool was_head = slot->is_protected && sys_dlist_is_head(&protected, &slot->node);

	sys_dlist_remove(&slot->node);
	protected_count -= slot->is_protected ? 1 : 0;
	count--;
	if (was_head && !sys_dlist_is_empty(&protected)) {
		watch(frame_of(sys_dlist_peek_head(&protected)));
	}
}

/* Protected pages beyond their share go on probation. */
static void share_keep(void)
{
	while (protected_count * 100 > count * PROTECTED_PERCENT) {
		struct k_mem_page_frame *pf = frame_of(sys_dlist_peek_head(&protected));

		unlink_frame(pf);
		append(pf, false);
		watch(pf);
	}
}

void k_mem_paging_eviction_init(void)
{
}

void k_mem_paging_eviction_add(struct k_mem_page_frame *pf)
{
	__ASSERT(!sys_dnode_is_linked(&slot_of(pf)->node), "frame %p was added twice", pf);
	if (newest != NULL) {
		watch(newest);
	}
	append(pf, false);
	newest = pf;
}

void k_mem_paging_eviction_remove(struct k_mem_page_frame *pf)
{
	__ASSERT(sys_dnode_is_linked(&slot_of(pf)->node), "frame %p was not added", pf);
	unlink_frame(pf);
	if (newest == pf) {
		newest = NULL;
	}
}

void k_mem_paging_eviction_accessed(uintptr_t phys)
{
	struct k_mem_page_frame *pf = k_mem_phys_to_page_frame(phys);

	if (pf == newest || !sys_dnode_is_linked(&slot_of(pf)->node)) {
		return;
	}
	unlink_frame(pf);
	append(pf, true);
	share_keep();
}

struct k_mem_page_frame *k_mem_paging_eviction_select(bool *dirty)
{
	sys_dnode_t *node = sys_dlist_peek_head(sys_dlist_is_empty(&probation) ? &protected : &probation);
	struct k_mem_page_frame *pf;

	if (node == NULL) {
		return NULL;
	}
	pf = frame_of(node);
	*dirty = (arch_page_info_get(k_mem_page_frame_to_virt(pf), NULL, false) & ARCH_DATA_PAGE_DIRTY) != 0;
	return pf;
}
